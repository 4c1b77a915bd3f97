"""Use of an application as the newest import of its source tells it; a source that can be asked is asked anew first."""

from collections.abc import Sequence
from itertools import groupby

from reclaim.domain.consent_program import Terms
from reclaim.domain.ids import PersonId
from reclaim.domain.policy import Policy
from reclaim.domain.usage import no_use_of
from reclaim.errors import InvalidRequest
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.ports.usage import UsageSources
from reclaim.services.attesting import SYSTEM
from reclaim.services.import_usage import ImportUsage
from reclaim.services.usage_of import Reading, UseOf


class StoredUse:
    """Implements `usage_of.ReadUse`."""

    def __init__(
        self, *, work: Work, clock: Clock, policy: Policy, sources: UsageSources, imports: ImportUsage
    ) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._sources = sources
        self._imports = imports

    async def refresh(self, terms: Terms) -> Reading:
        """See `ReadUse`."""
        if terms.source not in self._sources.titles:
            raise InvalidRequest(f"This installation has no usage source “{terms.source}”.", field="source")
        source = self._sources.asked.get(terms.source)
        application = terms.name_in_source
        if source is not None:
            await self._imports.take(
                terms.source, application, source.read(application), by=SYSTEM, application=application
            )
        async with self._work.read() as work:
            newest = await work.usage.newest(terms.source, application)
        if newest is None:
            return Reading(newest=None)
        return Reading(newest=newest.newest, unmatched=newest.unmatched, ambiguous=newest.ambiguous)

    async def page(self, work: UnitOfWork, terms: Terms, *, after: PersonId | None, limit: int) -> list[UseOf]:
        """See `ReadUse`."""
        newest = await work.usage.newest(terms.source, terms.name_in_source)
        if newest is None:
            return []
        people = await work.usage.people(newest.id, after=after, limit=limit)
        return await self._use_of(work, newest.id, terms, people)

    async def use_of(self, work: UnitOfWork, terms: Terms, person: PersonId) -> UseOf | None:
        """See `ReadUse`."""
        newest = await work.usage.newest(terms.source, terms.name_in_source)
        found = await self._use_of(work, newest.id, terms, [person]) if newest is not None else []
        return found[0] if found else None

    async def _use_of(self, work: UnitOfWork, import_id: str, terms: Terms, people: Sequence[PersonId]) -> list[UseOf]:
        now = self._clock.now()
        rows = await work.usage.rows_of(import_id, people)
        found: list[UseOf] = []
        for person, mine in groupby(rows, key=lambda one: one.person_id):
            theirs = [one.row for one in mine]
            found.append(
                UseOf(
                    person_id=person,
                    no_use=no_use_of(theirs, terms.source, max_age=self._policy.usage_max_age, now=now),
                    devices=tuple(row.device for row in theirs if row.device),
                )
            )
        return found
