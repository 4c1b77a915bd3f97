"""Keep the lists of people whom exclusions hold: members of groups, names of a pattern, admin-role holders, who is away.

Somebody comes onto a list as soon as they are seen, and leaves it only when a whole reading has not seen them: of a group
that cannot be read everybody stays who was in it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog

from reclaim.domain.absences import counts_since
from reclaim.domain.exclusions import ALL, LISTED, Exclusion, ExclusionId, ExclusionKind, same_value
from reclaim.domain.ids import PersonId, RunId
from reclaim.domain.policy import Policy
from reclaim.domain.syncing import EXCLUDED_STREAM
from reclaim.ports.directory import RoleSupport
from reclaim.ports.storage import PeopleList, SyncRun, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.exclude_seats import excluded_event
from reclaim.services.listing import PAGE, PEOPLE, fitting, list_people, people_names

ADMINS_REASON = "Holds an admin role: such accounts are idle by design."
# A list that no exclusion counts for is kept for so long: somebody may be adding one, which reads it first.
_SPARE = timedelta(days=1)

_log = structlog.get_logger(__name__)


class FollowLists:
    """Follows each completed sync, before its seats are judged."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def after_sync(self, run_id: RunId) -> None:
        """Bring every list to what the run has read. Doing it again changes nothing."""
        async with self._work.read() as reading:
            run = await reading.syncs.get(run_id)
        if run is None:
            return
        await self._exclude_admins(run)
        async with self._work.read() as reading:
            counting = [one for one in await reading.exclusions.counting(self._clock.now()) if one.kind in LISTED]
            stored = await reading.people_lists.all()
        await self.names([one.value for one in counting if one.kind is ExclusionKind.NAME])
        if any(one.kind is ExclusionKind.AWAY for one in counting):
            await self.away()
        for one in counting:
            if await self._was_read(run, one):
                await self._forget(PeopleList(one.kind, one.value), run.started_at)
        await self._drop_unused(counting, stored, run.started_at - _SPARE)

    async def names(self, patterns: Sequence[str]) -> None:
        """List anew whose names fit these patterns."""
        if not patterns:
            return
        began = self._clock.now()
        async for page in people_names(self._work):
            for pattern in patterns:
                await list_people(
                    self._work, PeopleList(ExclusionKind.NAME, pattern), fitting(pattern, page), seen_at=began
                )
        for pattern in patterns:
            await self._forget(PeopleList(ExclusionKind.NAME, pattern), began)

    async def away(self) -> None:
        """List anew who is away, or was within the installation's idle window."""
        began, after = self._clock.now(), PersonId("")
        since = counts_since(began, self._policy.idle_days)
        there = PeopleList(ExclusionKind.AWAY, ALL)
        while True:
            async with self._work.read() as reading:
                some = await reading.absences.away(since=since, now=began, after=after, limit=PAGE)
            if not some:
                break
            await list_people(self._work, there, some, seen_at=began)
            after = some[-1]
        await self._forget(there, began)

    async def _exclude_admins(self, run: SyncRun) -> None:
        """Leave out who holds an admin role, by default: once somebody has ended that, it never comes back by itself."""
        if run.roles not in (RoleSupport.KNOWN, RoleSupport.PARTLY):
            return
        kind = ExclusionKind.ADMIN_ROLES
        async with self._work.write() as unit:
            if await unit.exclusions.ever(kind, [ALL]):
                return
            made = Exclusion(
                id=ExclusionId(self._tokens.new_id()),
                kind=kind,
                value=ALL,
                reason=ADMINS_REASON,
                by=PersonId(SYSTEM),
                at=self._clock.now(),
            )
            await unit.exclusions.add(made)
            await unit.events.append(excluded_event(self._attest, made))
            await unit.commit()
        _log.info("admin role holders left out", run=run.id)

    async def _was_read(self, run: SyncRun, one: Exclusion) -> bool:
        """Say whether the run has read everybody whom an exclusion holds."""
        if one.kind is ExclusionKind.ADMIN_ROLES:
            return run.roles == RoleSupport.KNOWN
        if one.kind is not ExclusionKind.GROUP:
            return False
        async with self._work.read() as reading:
            cursor = await reading.syncs.cursor(run.id, f"{EXCLUDED_STREAM}{one.value}")
        return cursor is not None and cursor.done

    async def _drop_unused(self, counting: Iterable[Exclusion], stored: Iterable[PeopleList], before: datetime) -> None:
        used = {PeopleList(one.kind, same_value(one.value)) for one in counting}
        for one in stored:
            # Who holds an admin role is read at every sync, so that an exclusion of them can be added at any time.
            if one not in used and one.kind is not ExclusionKind.ADMIN_ROLES:
                await self._forget(one, before)

    async def _forget(self, one: PeopleList, seen_before: datetime) -> None:
        left = True
        while left:
            async with self._work.write() as unit:
                left = await unit.people_lists.forget(one, seen_before=seen_before, rows=PEOPLE)
                await unit.commit()
