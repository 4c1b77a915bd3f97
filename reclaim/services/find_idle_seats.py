"""Judge every seat after a sync and keep the findings, for the smallest window: readers filter by theirs.

The database judges, chunk by chunk in short transactions, so that answers never wait for a large tenant; readers see the
scan before until this one is complete.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from reclaim.domain.directory import Person
from reclaim.domain.exclusions import Exclusion
from reclaim.domain.ids import PersonId, RunId, SeatId
from reclaim.domain.policy import Policy
from reclaim.errors import Conflict, NotFound
from reclaim.ports.storage import DaySum, Scan, ScanRules, Span, SyncRun, Work
from reclaim.ports.system import Clock
from reclaim.services.freshness import gives_sign_ins
from reclaim.services.usage_rules import use_rules

SMALLEST_WINDOW_DAYS = 30  # `campaign.check_draft` takes no smaller one

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How much one transaction does: well below the 250 ms that a write lock may be held, on a slow disk too.

    Attributes:
        seats: Judged, or findings marked or erased.
        span: Findings of a product among which days are put in order; it is read once for each `ordered`, under the lock.
        ordered: Findings put in order: those of some days, or of a piece of one.
        sums: Day sums added.
    """

    seats: int = 4_000
    span: int = 100_000
    ordered: int = 10_000
    sums: int = 2_000


STEPS = Steps()


class FindIdleSeats:
    """Makes the scan of a completed sync run."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy, steps: Steps = STEPS) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._steps = steps

    async def scan(self, run: RunId) -> int:
        """Judge all seats with the data of `run`, and return how many are idle. Doing it again changes nothing.

        Raises:
            NotFound: There is no such run.
            Conflict: The run is not complete, or a newer one is.
        """
        async with self._work.write() as unit:
            found = await unit.syncs.get(run)
            newest = await unit.syncs.newest_complete()
            if found is None:
                raise NotFound(f"There is no sync {run}.")
            if newest is None or newest.id != run:
                raise Conflict("Only the newest completed sync can be scanned.")
            now = self._clock.now()
            scan = await unit.scans.begin(run, judged_at=now)
            counting = await unit.exclusions.counting(now)
            await unit.commit()
        async with self._work.read() as reading:
            marks = await reading.exclusions.marks(counting, now)
            use = await use_rules(reading, self._policy, now)
        rules = ScanRules(
            days=SMALLEST_WINDOW_DAYS,
            gives_sign_ins=gives_sign_ins(found),
            never_seen_since=self._policy.never_seen_since,
            marks=marks,
            use=use,
        )
        await self._judge(scan, rules)
        await self._put_in_order(scan)
        await self._complete(scan, counting)
        async with self._work.read() as reading:
            verdicts = await reading.findings.verdicts()
        _log.info("seats scanned", run=run, **verdicts)
        return verdicts.get("idle", 0)

    async def after_changes(self, run: RunId) -> None:
        """Judge all seats again where something has changed: by the sign-ins of the newest full run, as there are no others.

        The counts of every verdict are kept and not the verdict of every seat, so that some cannot be judged alone. A
        million seats take half a minute, in short transactions.
        """
        async with self._work.read() as reading:
            found = await reading.syncs.get(run)
            full = await reading.syncs.newest_complete()
        if found is None or full is None or not found.people:
            return
        try:
            await self.scan(full.id)
        except Conflict:
            _log.info("a full sync has completed meanwhile", run=run)  # its own scan follows

    async def _judge(self, scan: Scan, rules: ScanRules) -> None:
        after: SeatId | None = SeatId("")
        while after is not None:
            async with self._work.write() as unit:
                after = await unit.scans.judge(scan, rules, after=after, seats=self._steps.seats)
                await unit.commit()

    async def _put_in_order(self, scan: Scan) -> None:
        """Enter the findings into the order of lists, and add them up by day."""
        async for span in _spans(self._work, scan, self._steps.span):
            async with self._work.read() as reading:
                sums = await reading.scans.days(scan, span)
            for first, last, number in _days_together(sums, self._steps.ordered):
                pieces = [span]
                if number > self._steps.ordered:
                    async with self._work.read() as reading:
                        pieces = await reading.scans.cut(scan, span, self._steps.ordered)
                for piece in pieces:
                    async with self._work.write() as unit:
                        await unit.scans.put_in_order(scan, piece, first=first, last=last)
                        await unit.commit()
            for start in range(0, len(sums), self._steps.sums):
                async with self._work.write() as unit:
                    await unit.scans.add_days(scan, sums[start : start + self._steps.sums])
                    await unit.commit()

    async def _complete(self, scan: Scan, judged_with: Sequence[Exclusion]) -> None:
        """Let the scan count, with the exclusions of this moment, then erase what it replaces.

        Raises:
            Conflict: A newer run has completed meanwhile: its own scan follows.
        """
        dropped: list[int] | None = None
        while dropped is None:
            async with self._work.write() as unit:
                newest = await unit.syncs.newest_complete()
                counting = await unit.exclusions.counting(self._clock.now())
                if newest is None or newest.id != scan.run_id:
                    raise Conflict("Only the newest completed sync can be scanned.")
                if counting == judged_with:
                    if not await unit.scans.complete(scan):
                        return  # a scan of the same run has begun later, and judges what was read meanwhile too
                    dropped = await unit.scans.drop_all_but(scan)
                    await unit.commit()
            if dropped is None:
                await mark_excluded(self._work, scan, counting, self._clock.now(), steps=self._steps)
                judged_with = counting
        for old in dropped:
            whole = False
            while not whole:
                async with self._work.write() as unit:
                    whole = await unit.scans.erase_some(old, self._steps.seats)
                    await unit.commit()


async def mark_excluded(
    work: Work,
    scan: Scan,
    counting: Sequence[Exclusion],
    now: datetime,
    *,
    person: PersonId | None = None,
    steps: Steps = STEPS,
) -> int:
    """Note on each finding of a scan which exclusion holds it now, in short transactions; return how many changed.

    Args:
        work: Opens the transactions.
        scan: Complete, or whole but for that.
        counting: The exclusions that count now.
        now: When they do.
        person: Only this person's findings.
        steps: How many at a time.
    """
    async with work.read() as reading:
        marks = await reading.exclusions.marks(counting, now)
    if person is not None:
        async with work.write() as unit:
            changed = await unit.scans.mark(scan, marks, person)
            await unit.commit()
        return changed
    changed = 0
    async for span in _spans(work, scan, steps.seats):
        async with work.write() as unit:
            changed += await unit.scans.mark(scan, marks, span)
            await unit.commit()
    return changed


async def _spans(work: Work, scan: Scan, rows: int) -> AsyncIterator[Span]:
    """Give all findings of a scan in spans of at most so many."""
    here: Span | None = None
    while True:
        async with work.read() as reading:
            here = await reading.scans.span(scan, here, rows)
        if here is None:
            return
        yield here


def _days_together(sums: Sequence[DaySum], most: int) -> list[tuple[str, str, int]]:
    """Put days that follow each other together: first day, last day, findings. At most `most` of these, or one day."""
    together: list[tuple[str, str, int]] = []
    for day, number in sorted(_by_day(sums).items()):
        first, _, before = together[-1] if together else (day, day, most)
        if before + number <= most:
            together[-1] = (first, day, before + number)
        else:
            together.append((day, day, number))
    return together


def _by_day(sums: Sequence[DaySum]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in sums:
        found[one.day] += one.seats
    return found


def as_read(person: Person, run: SyncRun) -> Person:
    """Return the person without sign-ins where the run was refused them, whatever an older run has left there."""
    return person if gives_sign_ins(run) else replace(person, sign_ins=None)
