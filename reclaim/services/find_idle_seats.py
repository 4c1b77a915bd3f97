"""Judge every seat after a sync and keep the findings, for the smallest window: readers filter by theirs."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from reclaim.domain.directory import Person, Seat
from reclaim.domain.idle import Finding, NotIdleWhy, judge_seat
from reclaim.domain.ids import RunId
from reclaim.domain.policy import Policy
from reclaim.errors import Conflict, NotFound
from reclaim.ports.storage import SyncRun, Work
from reclaim.ports.system import Clock
from reclaim.services.freshness import gives_sign_ins

SMALLEST_WINDOW_DAYS = 30  # `campaign.check_draft` takes no smaller one
_CHUNK = 1_000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Scan:
    findings: list[Finding] = field(default_factory=list)
    unknown: int = 0


class FindIdleSeats:
    """Replaces the findings by those of a completed sync run."""

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
        # Judged before the write lock is taken: a large tenant takes seconds, and answers must not wait for them.
        async with self._work.read() as reading:
            found = await reading.syncs.get(run)
            newest = await reading.syncs.newest_complete()
            if found is None:
                raise NotFound(f"There is no sync {run}.")
            if newest is None or newest.id != run:
                raise Conflict("Only the newest completed sync can be scanned.")
            scan = _Scan()
            now = self._clock.now()
            async for chunk in reading.seats.all():
                self._judge(scan, found, chunk, now)
        async with self._work.write() as unit:
            idle = await unit.findings.replace_all(run, _in_chunks(scan.findings))
            await unit.findings.set_unknown(scan.unknown)
            await unit.commit()
        _log.info("seats scanned", run=run, idle=idle, unknown=scan.unknown)
        return idle

    def _judge(self, scan: _Scan, run: SyncRun, chunk: Sequence[tuple[Person, Seat]], now: datetime) -> None:
        for person, seat in chunk:
            judged = judge_seat(
                as_read(person, run),
                seat,
                now=now,
                data_as_of=run.started_at,
                days=SMALLEST_WINDOW_DAYS,
                never_seen_since=self._policy.never_seen_since,
            )
            if isinstance(judged, Finding):
                scan.findings.append(judged)
            elif judged is NotIdleWhy.UNKNOWN:
                scan.unknown += 1


def as_read(person: Person, run: SyncRun) -> Person:
    """Return the person without sign-ins where the run was refused them, whatever an older run has left there."""
    return person if gives_sign_ins(run) else replace(person, sign_ins=None)


async def _in_chunks(findings: Sequence[Finding]) -> AsyncIterator[Sequence[Finding]]:
    for start in range(0, len(findings), _CHUNK):
        yield findings[start : start + _CHUNK]
