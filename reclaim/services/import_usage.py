"""Take the rows of a usage source: who is meant is looked up, never guessed; a whole import replaces the one before it."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from reclaim.domain.ids import PersonId
from reclaim.domain.lookup import folded
from reclaim.domain.usage import ABSENT_BETWEEN, KnownUse, Tells, UsageRow, as_kept, unknown_use
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.ports.usage import UsageBatch
from reclaim.ports.usage_storage import UsageImport

ERASED_AT_ONCE: Final = 2_000
NAMED: Final = 20  # of those whom nobody here is, so many are named to who imports

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import has taken.

    Attributes:
        imports: One for each application in it.
        unmatched, ambiguous: Some of those who are nobody, or more than one person, here.
    """

    imports: Sequence[UsageImport]
    unmatched: Sequence[str]
    ambiguous: Sequence[str]


class ImportUsage:
    """Stores rows in short transactions; nothing counts before all of it is there."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens

    async def take(
        self,
        source: str,
        name: str,
        batches: AsyncIterator[UsageBatch],
        *,
        by: str,
        application: str | None = None,
        told: Callable[[int, float | None], None] = lambda *_: None,
    ) -> Imported:
        """Take all rows.

        Args:
            source: Name of the source.
            name: Of the file or query, for who looks at it later.
            batches: The rows. If reading them fails nothing of them counts.
            by: Whose import it is.
            application: All rows are of this one, whatever they say themselves.
            told: Called after each batch with the rows so far, and how much of the whole that is.

        Raises:
            Whatever `batches` raises.
        """
        at = self._clock.now()
        found: dict[str, UsageImport] = {}
        unmatched: list[str] = []
        ambiguous: list[str] = []
        rows = 0
        async for batch in batches:
            async with self._work.read() as work:
                people = await _people(work, batch.rows)
                absences = await _absences(work, source, application, batch.rows, people, at)
            known: dict[str, list[KnownUse]] = {}
            seen: dict[str, list[datetime]] = {}
            missed: Counter[tuple[str, bool]] = Counter()
            for row in batch.rows:
                app = application or row.application
                fitting = people.get(row.who.strip().lower(), ())
                if len(fitting) == 1:
                    kept = as_kept(row, absences.get((fitting[0], row.device)))
                    known.setdefault(folded(app), []).append(KnownUse(person_id=fitting[0], row=kept))
                    seen.setdefault(folded(app), []).append(row.observed_at)
                else:
                    missed[folded(app), bool(fitting)] += 1
                    # One of them may have used it: each of them is unknown, as nobody knows which.
                    known.setdefault(folded(app), []).extend(
                        KnownUse(person_id=one, row=unknown_use(row.who, row.application)) for one in fitting
                    )
                    some = ambiguous if fitting else unmatched
                    if len(some) < NAMED:
                        some.append(row.who)
                if folded(app) not in found:
                    found[folded(app)] = await self._begin(source, app, name, at, by)
            async with self._work.write() as work:
                for key, some_known in known.items():
                    await work.usage.add_rows(found[key].id, some_known, first=found[key].rows)
                await work.commit()
            for key, one in found.items():
                found[key] = replace(
                    one,
                    rows=one.rows + len(known.get(key, [])),
                    unmatched=one.unmatched + missed[key, False],
                    ambiguous=one.ambiguous + missed[key, True],
                    newest=max([*seen.get(key, []), *([one.newest] if one.newest else [])], default=None),
                )
            rows += len(batch.rows)
            told(rows, batch.done)
        if application is not None and not found:
            found[folded(application)] = await self._begin(source, application, name, at, by)
        async with self._work.write() as work:
            for one in found.values():
                await work.usage.complete(one)
            await work.commit()
        log.info("usage imported", source=source, rows=rows, applications=len(found))
        await self._erase_old()
        return Imported(imports=tuple(found.values()), unmatched=unmatched, ambiguous=ambiguous)

    async def _begin(self, source: str, application: str, name: str, at: datetime, by: str) -> UsageImport:
        one = UsageImport(id=self._tokens.new_row_id(), source=source, application=application, name=name, at=at, by=by)
        async with self._work.write() as work:
            await work.usage.begin(one)
            await work.commit()
        return one

    async def _erase_old(self) -> None:
        done = False
        while not done:
            async with self._work.write() as work:
                done = await work.usage.erase_old(ERASED_AT_ONCE)
                await work.commit()


async def _people(work: UnitOfWork, rows: Sequence[UsageRow]) -> Mapping[str, Sequence[PersonId]]:
    """Return who each text may be: by object id, else by user principal name, else by any other address.

    A user principal name is one person's; an address that is somebody's name and another's alias is the former's.
    """
    written = {row.who.strip() for row in rows}
    named = await work.people.ids_by_name(written | {text.lower() for text in written})
    found: dict[str, Sequence[PersonId]] = {name.lower(): people for name, people in named.items() if len(people) == 1}
    rest = {text.lower() for text in written if "@" in text} - found.keys()
    for address, people in (await work.people.by_address(rest)).items():
        exact = [one.id for one in people if one.upn.lower() == address]
        found[address] = exact if len(exact) == 1 else [one.id for one in people]
    return found


async def _absences(
    work: UnitOfWork,
    source: str,
    application: str | None,
    rows: Sequence[UsageRow],
    people: Mapping[str, Sequence[PersonId]],
    now: datetime,
) -> Mapping[tuple[PersonId, str | None], datetime]:
    """Return since when an application is known to be absent, by person and device, from the reading before this one.

    That one tells of absences too where this one does, as a source does not change what it tells. One that is too long ago
    tells nothing of the time between, and of two devices by one name nobody knows which is meant.
    """
    fitting = [people.get(row.who.strip().lower(), ()) for row in rows if row.tells is Tells.ABSENCE]
    wanted = {some[0] for some in fitting if len(some) == 1}
    before = await work.usage.newest(source, application) if application is not None and wanted else None
    if before is None or now - before.at > ABSENT_BETWEEN:
        return {}
    found: dict[tuple[PersonId, str | None], datetime] = {}
    for one in await work.usage.rows_of(before.id, sorted(wanted)):
        if one.row.last_used_at is not None:
            place = (one.person_id, one.row.device)
            found[place] = max(one.row.last_used_at, found.get(place, one.row.last_used_at))
    return found
