"""Take the rows of a usage source: who is meant is looked up, never guessed; a whole import replaces the one before it."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from reclaim.domain.ids import PersonId
from reclaim.domain.lookup import folded
from reclaim.domain.usage import ABSENT_BETWEEN, KnownUse, Tells, UsageRow, as_kept, unknown_use
from reclaim.errors import Conflict
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.ports.usage import BATCH, UsageBatch
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
        sha256: str | None = None,
        adds: bool = False,
        told: Callable[[int, float | None], None] = lambda *_: None,
    ) -> Imported:
        """Take all rows.

        Args:
            source: Name of the source.
            name: Of the file or query, for who looks at it later.
            batches: The rows. If reading them fails nothing of them counts.
            by: Whose import it is.
            application: All rows are of this one, whatever they say themselves.
            sha256: Of the bytes of the file.
            adds: The rows are added to those that count, in place of rows that could not be read; else they replace them.
            told: Called after each batch with the rows so far, and how much of the whole that is.

        Raises:
            Whatever `batches` raises.
            Conflict: Another import was completed while these rows were added.
        """
        of_all = UsageImport(
            id="", source=source, application="", name=name, at=self._clock.now(), by=by, sha256=sha256
        )
        found: dict[str, UsageImport] = {}
        unmatched: list[str] = []
        ambiguous: list[str] = []
        rows = 0
        keys: dict[str, str] = {}
        async for batch in batches:
            async with self._work.read() as work:
                people = await _people(work, batch.rows)
                absences = await _absences(work, source, application, batch.rows, people, of_all.at)
            known: dict[str, list[KnownUse]] = {}
            seen = defaultdict[str, list[datetime]](list)
            missed: Counter[tuple[str, bool]] = Counter()
            for row in batch.rows:
                app = application or row.application
                key = keys.get(app)
                if key is None:
                    key = keys[app] = folded(app)
                    if key not in found:
                        found[key] = await self._begin(replace(of_all, id=self._tokens.new_row_id(), application=app))
                mine = known.get(key)
                if mine is None:
                    mine = known[key] = []
                fitting = people.get(row.who, ())
                if len(fitting) == 1:
                    kept = as_kept(row, absences.get((fitting[0], row.device)))
                    mine.append(KnownUse(person_id=fitting[0], row=kept))
                    seen[key].append(row.observed_at)
                    continue
                missed[key, bool(fitting)] += 1
                # One of them may have used it: each of them is unknown, as nobody knows which.
                mine += [KnownUse(person_id=one, row=unknown_use(row.who, row.application)) for one in fitting]
                some = ambiguous if fitting else unmatched
                if len(some) < NAMED:
                    some.append(row.who)
            async with self._work.read() as work:
                packed = [work.usage.packed(found[key].id, mine, first=found[key].rows) for key, mine in known.items()]
            async with self._work.write() as work:
                for rows_of_one in packed:
                    await work.usage.add_rows(rows_of_one)
                await work.commit()
            for key, some_known in known.items():
                one = found[key]
                found[key] = replace(
                    one,
                    rows=one.rows + len(some_known),
                    unmatched=one.unmatched + missed[key, False],
                    ambiguous=one.ambiguous + missed[key, True],
                    newest=max([*seen[key], *([one.newest] if one.newest else [])], default=None),
                )
            rows += len(batch.rows)
            told(rows, batch.done)
        if application is not None and not found:
            one = await self._begin(replace(of_all, id=self._tokens.new_row_id(), application=application))
            found[folded(application)] = one
        added_to: dict[str, UsageImport] = {}
        for key in found if adds else ():
            async with self._work.read() as work:
                base = await work.usage.newest(source, key)
            if base is not None:
                added_to[key] = base
                found[key] = await self._add(base, found[key])
        async with self._work.write() as work:
            for key, one in found.items():
                if adds and await work.usage.newest(source, key) != added_to.get(key):
                    raise Conflict(
                        f"{one.application} was imported anew meanwhile. Nothing was added. Please try again."
                    )
                await work.usage.complete(one)
            await work.commit()
        log.info("usage imported", source=source, rows=rows, applications=len(found))
        await self._erase_old()
        return Imported(imports=tuple(found.values()), unmatched=unmatched, ambiguous=ambiguous)

    async def _add(self, base: UsageImport, one: UsageImport) -> UsageImport:
        """Copy the rows of an import behind those of another; return the latter."""
        copied, after = 0, None
        while True:
            async with self._work.write() as work:
                some = await work.usage.copy_rows(base.id, one.id, first=one.rows, after=after, limit=BATCH)
                await work.commit()
            if some.last is None:
                break
            copied, after = copied + some.rows, some.last
        return replace(
            one,
            name=f"{base.name} + {one.name}",
            rows=one.rows + copied,
            unmatched=one.unmatched + base.unmatched,
            ambiguous=one.ambiguous + base.ambiguous,
            newest=max((at for at in (one.newest, base.newest) if at is not None), default=None),
        )

    async def check_new(self, source: str, sha256: str) -> None:
        """Refuse a file that was imported before: the same rows again change nothing, or put old ones before newer ones.

        Raises:
            Conflict: A whole import has the same bytes.
        """
        async with self._work.read() as work:
            known = await work.usage.of_bytes(source, sha256)
        if known is None:
            return
        one, counts = known
        since = "and counts" if counts else "and a later import has replaced it since"
        raise Conflict(
            f"This file was already imported at {one.at:%Y-%m-%d %H:%M} UTC as {one.name} by {one.by}, {since}."
            " Nothing was imported. To look its people up anew, as after a sync, give --again."
        )

    async def counting(self) -> Sequence[UsageImport]:
        """Return the imports that count, by source and application."""
        async with self._work.read() as work:
            return await work.usage.counting()

    async def _begin(self, one: UsageImport) -> UsageImport:
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
    written = {row.who for row in rows}
    plain = {text: text.strip().lower() for text in written}
    named = await work.people.ids_by_name({text.strip() for text in written}.union(plain.values()))
    found: dict[str, Sequence[PersonId]] = {name.lower(): people for name, people in named.items() if len(people) == 1}
    rest = {text for text in plain.values() if "@" in text and text not in found}
    for address, people in (await work.people.by_address(rest)).items():
        exact = [one.id for one in people if one.upn.lower() == address]
        found[address] = exact if len(exact) == 1 else [one.id for one in people]
    return {text: found[name] for text, name in plain.items() if name in found}


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
    fitting = [people.get(row.who, ()) for row in rows if row.tells is Tells.ABSENCE]
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
