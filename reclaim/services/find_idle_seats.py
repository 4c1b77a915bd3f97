"""Judge every seat after a sync and keep the findings, for the smallest window: readers filter by theirs.

The database judges, chunk by chunk in short transactions, so that answers never wait for a large tenant; readers see the
scan before until this one is complete.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from reclaim.domain.directory import Person
from reclaim.domain.exclusions import Exclusion
from reclaim.domain.ids import PersonId, RunId, SeatId
from reclaim.domain.policy import Policy
from reclaim.errors import Conflict, NotFound
from reclaim.ports.storage import Scan, ScanRules, SyncRun, Work
from reclaim.ports.system import Clock
from reclaim.services.freshness import gives_sign_ins

SMALLEST_WINDOW_DAYS = 30  # `campaign.check_draft` takes no smaller one
CHUNK = 4_000  # seats a transaction: well below the 250 ms that a write lock may be held, on a slow disk too
_SUMS = 2_000

_log = structlog.get_logger(__name__)


class FindIdleSeats:
    """Makes the scan of a completed sync run."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

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
            rules = ScanRules(
                days=SMALLEST_WINDOW_DAYS,
                gives_sign_ins=gives_sign_ins(found),
                never_seen_since=self._policy.never_seen_since,
                exclusions=tuple(await unit.exclusions.counting(now)),
            )
            await unit.commit()
        await self._judge(scan, rules)
        await self._add_up(scan)
        await self._complete(scan, rules.exclusions)
        async with self._work.read() as reading:
            verdicts = await reading.findings.verdicts()
        _log.info("seats scanned", run=run, **verdicts)
        return verdicts.get("idle", 0)

    async def _judge(self, scan: Scan, rules: ScanRules) -> None:
        after: SeatId | None = SeatId("")
        while after is not None:
            async with self._work.read() as reading:
                upto = await reading.scans.end_of_chunk(after, CHUNK)
            async with self._work.write() as unit:
                await unit.scans.judge(scan, rules, after=after, upto=upto)
                await unit.commit()
            after = upto

    async def _add_up(self, scan: Scan) -> None:
        async with self._work.read() as reading:
            products = await reading.scans.products(scan)
        for product in products:
            async with self._work.read() as reading:
                sums = await reading.scans.days(scan, product)
            for start in range(0, len(sums), _SUMS):
                async with self._work.write() as unit:
                    await unit.scans.add_days(scan, sums[start : start + _SUMS])
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
                counting = tuple(await unit.exclusions.counting(self._clock.now()))
                if newest is None or newest.id != scan.run_id:
                    raise Conflict("Only the newest completed sync can be scanned.")
                if counting == tuple(judged_with):
                    if not await unit.scans.complete(scan):
                        raise Conflict("A newer scan has begun.")
                    dropped = await unit.scans.drop_all_but(scan)
                    await unit.commit()
            if dropped is None:
                await mark_excluded(self._work, scan, counting, self._clock.now())
                judged_with = counting
        for old in dropped:
            whole = False
            while not whole:
                async with self._work.write() as unit:
                    whole = await unit.scans.erase_some(old, CHUNK)
                    await unit.commit()


async def mark_excluded(
    work: Work, scan: Scan, counting: Sequence[Exclusion], now: datetime, *, person: PersonId | None = None
) -> int:
    """Note on each finding of a scan which exclusion holds it now, in short transactions; return how many changed."""
    changed = 0
    after: SeatId | None = SeatId("")
    while after is not None:
        upto = None
        if person is None:
            async with work.read() as reading:
                upto = await reading.scans.end_of_findings(scan, after, CHUNK)
        async with work.write() as unit:
            changed += await unit.scans.mark(scan, counting, now, after=after, upto=upto, person=person)
            await unit.commit()
        after = upto
    return changed


def as_read(person: Person, run: SyncRun) -> Person:
    """Return the person without sign-ins where the run was refused them, whatever an older run has left there."""
    return person if gives_sign_ins(run) else replace(person, sign_ins=None)
