"""Take over when people are away, as HR exports it: dates only. Nobody is told whom they hold, only how many.

One mistake refuses the whole file. A person whom the directory does not know is passed over and told back, never guessed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial

from reclaim.domain.absences import Absence, AbsenceList
from reclaim.domain.attestation import EventKind
from reclaim.domain.calendar import end_of_day, start_of_day
from reclaim.domain.exclusions import ALL, Exclusion, ExclusionId, ExclusionKind
from reclaim.domain.ids import PersonId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import AbsencesView, AbsentRow
from reclaim.domain.roles import Actor
from reclaim.errors import InvalidRequest
from reclaim.ports.engine import Job
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.chunks import in_chunks
from reclaim.services.csv_rows import mistake, read_rows
from reclaim.services.exclude_seats import excluded_event
from reclaim.services.find_idle_seats import mark_excluded
from reclaim.services.follow_lists import FollowLists
from reclaim.services.jobs import absences_job
from reclaim.services.listing import PEOPLE, people_names

COLUMNS = ("person", "from", "until")
_IGNORED = "kind"  # HR systems export it; why somebody is away is nothing that we keep
_HEADER = ",".join(COLUMNS)
MAX_ROWS = 200_000
REASON = "May be away, by the list of absences."
_mistake = partial(mistake, field="file")
_NOT_KNOWN_YET = datetime(9999, 1, 1, tzinfo=UTC)


class ImportAbsences:
    """Replaces the list of absences, and shows how much it holds."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, lists: FollowLists) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._lists = lists
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def view(self) -> AbsencesView:
        """Return the list that counts, in numbers."""
        now, days = self._clock.now(), self._policy.idle_days
        async with self._work.read() as reading:
            there = await reading.absences.counting()
            counting = [one for one in await reading.exclusions.counting(now) if one.kind is ExclusionKind.AWAY]
            sizes = await reading.people_lists.sizes(counting)
            held = await reading.findings.excluded(days=days, now=now)
        return AbsencesView(
            absences=there.absences if there else 0,
            at=there.at if there else None,
            people=sum(sizes.values()),
            seats=sum(held.get(one.id, 0) for one in counting),
            days=days,
            counts=bool(counting),
        )

    async def from_csv(self, actor: Actor, text: str) -> tuple[AbsencesView, tuple[AbsentRow, ...]]:
        """Replace the list by that of a CSV file; return what it holds, and the rows of people who are not known.

        Args:
            actor: By whose word.
            text: Header `person,from,until`: object id or user principal name, first and last day as 2027-01-31, no last
                day where it is not known yet. A column `kind` is passed over unread.

        Raises:
            InvalidRequest: Anything is wrong, or nobody in it is known; nothing is stored.
        """
        rows = await asyncio.to_thread(read_absences, text)
        ids = await self._ids({row.person.casefold() for row in rows})
        unknown = tuple(row for row in rows if row.person.casefold() not in ids)
        if len(unknown) == len(rows):
            raise InvalidRequest(
                "Nobody in this file is known by object id or user principal name. Nothing was loaded.", field="file"
            )
        absences = self._absences(rows, ids)
        made = AbsenceList(id=self._tokens.new_id(), by=actor.id, at=self._clock.now(), absences=len(absences))
        async with self._work.write() as unit:
            await unit.absences.begin(made)
            await unit.commit()
        for some in in_chunks(absences, PEOPLE):
            async with self._work.write() as unit:
                await unit.absences.add(made.id, some)
                await unit.commit()
        await self._let_count(actor, made, unknown=len(unknown))
        await self.handle(absences_job(made.id))
        return await self.view(), unknown

    async def clear(self, actor: Actor) -> AbsencesView:
        """Forget every absence.

        Raises:
            InvalidRequest: There is none.
        """
        now = self._clock.now()
        async with self._work.write() as unit:
            there = await unit.absences.counting()
            if there is None:
                raise InvalidRequest("There is no list of absences.")
            await unit.absences.count_only("")
            await unit.events.append(
                self._attest.event(EventKind.ABSENCES_CLEARED, actor=actor.id, at=now, facts={"list": there.id})
            )
            await unit.enqueue(absences_job(there.id, "cleared"))
            await unit.commit()
        await self.handle(absences_job(there.id, "cleared"))
        return await self.view()

    async def handle(self, _: Job) -> None:
        """Hold whom the list that counts now holds, and erase those before it. Doing it again changes nothing."""
        await self._lists.away()
        now = self._clock.now()
        async with self._work.read() as reading:
            scan = await reading.scans.newest()
            counting = await reading.exclusions.counting(now)
            dropped = await reading.absences.dropped()
        if scan is not None:
            await mark_excluded(self._work, scan, counting, now)
        for one in dropped:
            gone = False
            while not gone:
                async with self._work.write() as unit:
                    gone = await unit.absences.erase_some(one, PEOPLE)
                    await unit.commit()

    async def _ids(self, wanted: set[str]) -> dict[str, PersonId]:
        """Return the people whose object id or user principal name is wanted, in any case."""
        found: dict[str, PersonId] = {}
        async for page in people_names(self._work):
            for person, upn, _ in page:
                for key in {person.casefold(), upn.casefold()} & wanted:
                    found[key] = person
        return found

    def _absences(self, rows: Sequence[AbsentRow], ids: Mapping[str, PersonId]) -> list[Absence]:
        """Return one absence for each person and first day: of two the one that ends later."""
        zone = self._policy.zone
        found: dict[tuple[PersonId, datetime], Absence] = {}
        for row in rows:
            person = ids.get(row.person.casefold())
            if person is None:
                continue
            starts = start_of_day(row.first, zone)
            ends = end_of_day(row.last, zone) if row.last else _NOT_KNOWN_YET
            before = found.get((person, starts))
            if before is None or before.ends_at < ends:
                found[person, starts] = Absence(person_id=person, starts_at=starts, ends_at=ends)
        return [found[key] for key in sorted(found)]

    async def _let_count(self, actor: Actor, made: AbsenceList, *, unknown: int) -> None:
        async with self._work.write() as unit:
            await unit.absences.count_only(made.id)
            there = await unit.exclusions.same(ExclusionKind.AWAY, ALL)
            if there is None:
                exclusion = Exclusion(
                    id=ExclusionId(self._tokens.new_id()),
                    kind=ExclusionKind.AWAY,
                    value=ALL,
                    reason=REASON,
                    by=actor.id,
                    at=made.at,
                )
                await unit.exclusions.add(exclusion)
                await unit.events.append(excluded_event(self._attest, exclusion))
            await unit.events.append(
                self._attest.event(
                    EventKind.ABSENCES_LOADED,
                    actor=actor.id,
                    at=made.at,
                    facts={"list": made.id, "absences": made.absences, "unknown": unknown},
                )
            )
            await unit.enqueue(absences_job(made.id))
            await unit.commit()


def read_absences(text: str) -> list[AbsentRow]:
    """Return every row.

    Raises:
        InvalidRequest: See `ImportAbsences.from_csv`; the message names line and column and quotes no person.
    """
    found: list[AbsentRow] = []
    for line, row in read_rows(text, _check_header, field="file"):
        if len(found) == MAX_ROWS:
            raise InvalidRequest(f"A list has at most {MAX_ROWS:,} rows. Nothing was loaded.", field="file")
        if not row["person"]:
            raise _mistake(line, "person", "an object id or a user principal name is missing.")
        first = _day(line, "from", row["from"])
        last = _day(line, "until", row["until"]) if row["until"] else None
        if last is not None and last < first:
            raise _mistake(line, "until", "this is before the first day.")
        found.append(AbsentRow(line=line, person=row["person"], first=first, last=last))
    if not found:
        raise InvalidRequest("The list has no rows. To forget all: reclaim absences clear", field="file")
    return found


def _check_header(names: Sequence[str]) -> None:
    if len(names) == 1 and ";" in names[0]:
        raise InvalidRequest(f"Line 1: this file uses semicolons. Please save it with commas, as {_HEADER}")
    if len(names) != len(set(names)) or set(names) - {_IGNORED} != set(COLUMNS):
        raise InvalidRequest(f"Line 1: the columns must be {_HEADER}. Nothing was loaded.", field="file")


def _day(line: int, column: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _mistake(line, column, "this is not a clear date. Example: 2027-01-31.") from error
