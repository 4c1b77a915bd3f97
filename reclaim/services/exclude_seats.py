"""Leave people, groups, products and more out of every campaign, with a reason and by whose word; and end that."""

from collections.abc import Sequence
from datetime import date, datetime
from difflib import get_close_matches

from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.calendar import end_of_day
from reclaim.domain.directory import Group
from reclaim.domain.exclusions import (
    ALL,
    GUEST,
    REASON_LENGTH,
    Exclusion,
    ExclusionId,
    ExclusionKind,
    same_value,
)
from reclaim.domain.ids import GroupId, PersonId
from reclaim.domain.name_patterns import check_pattern
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ExclusionList, ExclusionView
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, InvalidRequest, NotFound
from reclaim.ports.directory import Directory
from reclaim.ports.engine import Job
from reclaim.ports.storage import PeopleList, UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.exclusion_views import name_exclusions
from reclaim.services.find_idle_seats import mark_excluded
from reclaim.services.find_person import did_you_mean, find_person, is_object_id
from reclaim.services.jobs import exclude_job
from reclaim.services.listing import fitting, list_people, people_names

_FIELDS = {ExclusionKind.DEPARTMENT: "department", ExclusionKind.EMPLOYEE_TYPE: "employee type"}
# Of these the value is no personal data; of others it stands where it can be erased.
_PLAIN = (
    ExclusionKind.PERSON,
    ExclusionKind.PRODUCT,
    ExclusionKind.GROUP,
    ExclusionKind.ADMIN_ROLES,
    ExclusionKind.AWAY,
)


class ExcludeSeats:
    """Adds, lists and ends exclusions."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, directory: Directory) -> None:
        self._work = work
        self._directory = directory
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def list(self) -> ExclusionList:
        """Return the exclusions that count, newest first, with the idle seats that each holds."""
        now, days = self._clock.now(), self._policy.idle_days
        async with self._work.read() as reading:
            held = await reading.findings.excluded(days=days, now=now)
            rows = await name_exclusions(reading, await reading.exclusions.counting(now), held, people=True)
        return ExclusionList(rows=tuple(rows), seats=sum(held.values()), days=days, zone=self._policy.zone, now=now)

    async def add(
        self, actor: Actor, kind: ExclusionKind, text: str, *, reason: str, until: date | None = None
    ) -> ExclusionView:
        """Leave out from now on what `text` names. It counts at once, for open campaigns too: see `look_again`.

        Args:
            actor: By whose word.
            kind: What `text` is: somebody's name or address, a product id, a department, a group's name or object id, a
                pattern of names; not read for guests and admin-role holders.
            text: See `kind`.
            reason: Required; free text.
            until: Its last day in the installation's zone; None: until somebody ends it.

        Raises:
            InvalidRequest: No reason, a day that has passed, nobody has such a value, or a pattern fits everybody.
            NotFound: Nobody matches, or there is no such group.
            Conflict: It is left out already.
            DirectoryError: The group cannot be read. Nothing was left out.
        """
        reason = reason.strip()
        now = self._clock.now()
        ends = end_of_day(until, self._policy.zone) if until else None
        if not reason:
            raise InvalidRequest("Please say why in one sentence: --reason TEXT", field="reason")
        if len(reason) > REASON_LENGTH:
            raise InvalidRequest(f"Please use at most {REASON_LENGTH} characters.", field="reason")
        if ends is not None and ends <= now:
            raise InvalidRequest("This day has passed. Please pick a later one.", field="until")
        # Spellings, names and members of a large directory are read before the write lock is taken.
        value = await self._value(kind, text)
        async with self._work.read() as reading:
            there = await reading.exclusions.same(kind, value)
        if there is None or not there.counts_at(now):
            # Whom it holds is listed before it counts, so that nobody slips through.
            await self._list(kind, value)
        made = Exclusion(
            id=ExclusionId(self._tokens.new_id()),
            kind=kind,
            value=value,
            reason=reason,
            by=actor.id,
            at=now,
            until=ends,
        )
        async with self._work.write() as unit:
            there = await unit.exclusions.same(kind, value)
            if there is not None and there.counts_at(now):
                raise Conflict("This is left out already. End that first: /reclaim exclude --end " + there.id[:8])
            if there is not None:
                await unit.exclusions.end(there.id, by=actor.id, at=now)
            await unit.exclusions.add(made)
            await unit.events.append(excluded_event(self._attest, made))
            await unit.enqueue(exclude_job(made.id, "added"))
            await unit.commit()
        await self._mark(made)
        return await self._view(made)

    async def end(self, actor: Actor, ref: str) -> ExclusionView:
        """End an exclusion by its id or the first characters of it.

        Raises:
            NotFound: None that counts has this id.
            InvalidRequest: Several begin so.
        """
        now = self._clock.now()
        async with self._work.write() as unit:
            fitting = [one for one in await unit.exclusions.counting(now) if one.id.startswith(ref.strip().lower())]
            if not fitting or not ref.strip():
                raise NotFound("No exclusion has this id. The list: /reclaim exclude")
            if len(fitting) > 1:
                raise InvalidRequest("Several exclusions begin so. Type more of the id.", field="end")
            ended = fitting[0]
            await unit.exclusions.end(ended.id, by=actor.id, at=now)
            await unit.events.append(
                self._attest.event(EventKind.EXCLUSION_ENDED, actor=actor.id, at=now, facts=_facts(ended))
            )
            await unit.enqueue(exclude_job(ended.id, "ended"))
            await unit.commit()
        await self._mark(ended)
        return await self._view(ended)

    async def handle(self, job: Job) -> None:
        """Mark what the exclusion that the job names holds, where the process that added or ended it died over that."""
        ref = ExclusionId(str(job.args["exclusion"]))
        async with self._work.read() as reading:
            found = (await reading.exclusions.get_many([ref])).get(ref)
        if found is not None:
            await self._mark(found)

    async def _value(self, kind: ExclusionKind, text: str) -> str:
        match kind:
            case ExclusionKind.GROUP:
                return (await self._group(text.strip())).id
            case ExclusionKind.NAME:
                return check_pattern(text)
            case ExclusionKind.AWAY:
                raise InvalidRequest("Who is away is imported: reclaim absences import FILE", field="kind")
            case _:
                async with self._work.read() as reading:
                    return await _value(reading, kind, text)

    async def _group(self, text: str) -> Group:
        """Return the group with this name or object id, whether it was read before or not."""
        if is_object_id(text):
            found = await self._directory.group(GroupId(text.lower()))
            named = [] if found is None else [found]
        else:
            named = await self._directory.groups_named(text) if text else []
        async with self._work.read() as reading:
            newest = await reading.syncs.newest()
            known = await reading.catalog.groups()
        if not named:
            near = did_you_mean(text, [group.name for group in known.values()])
            raise NotFound(f"Microsoft Entra has no group “{text}”.{near}")
        if len(named) > 1:
            ids = ", ".join(group.id for group in named)
            raise InvalidRequest(f"Several groups are called “{text}”: {ids}. Use the id.", field="group")
        group = named[0]
        if newest is not None and group.id not in known:
            async with self._work.write() as unit:
                await unit.syncs.save_groups(newest.id, [group])
                await unit.commit()
        return group

    async def _list(self, kind: ExclusionKind, value: str) -> None:
        now = self._clock.now()
        match kind:
            case ExclusionKind.GROUP:
                page = await self._directory.everyone_in(GroupId(value), None)
                await list_people(self._work, PeopleList(kind, value), page.rows, seen_at=now)
                while page.next_cursor is not None:
                    page = await self._directory.everyone_in(GroupId(value), page.next_cursor)
                    await list_people(self._work, PeopleList(kind, value), page.rows, seen_at=now)
            case ExclusionKind.NAME:
                found = await self._named(value)
                await list_people(self._work, PeopleList(kind, value), found, seen_at=now)

    async def _named(self, pattern: str) -> Sequence[PersonId]:
        """Return whose names fit a pattern.

        Raises:
            InvalidRequest: Nobody's do, or everybody's.
        """
        found: list[PersonId] = []
        people = 0
        async for page in people_names(self._work):
            people += len(page)
            found += fitting(pattern, page)
        if not found:
            raise InvalidRequest(f"Nobody is called like “{pattern}”.", field="name")
        if len(found) == people:
            raise InvalidRequest(f"“{pattern}” matches all {people:,} people. Add letters.", field="name")
        return found

    async def _mark(self, changed: Exclusion) -> None:
        now = self._clock.now()
        async with self._work.read() as reading:
            scan = await reading.scans.newest()
            counting = await reading.exclusions.counting(now)
        if scan is not None:
            person = PersonId(changed.value) if changed.kind is ExclusionKind.PERSON else None
            await mark_excluded(self._work, scan, counting, now, person=person)

    async def _view(self, exclusion: Exclusion) -> ExclusionView:
        async with self._work.read() as reading:
            held = await reading.findings.excluded(days=self._policy.idle_days, now=self._clock.now())
            return (await name_exclusions(reading, [exclusion], held, people=True))[0]


async def _value(reading: UnitOfWork, kind: ExclusionKind, text: str) -> str:
    """Return what is stored for what somebody typed; a slip of the pen must not leave nobody out unseen."""
    match kind:
        case ExclusionKind.GUESTS:
            return GUEST
        case ExclusionKind.PERSON:
            return (await find_person(reading, text.strip())).id
        case ExclusionKind.PRODUCT:
            return text
        case ExclusionKind.ADMIN_ROLES:
            return ALL
        case ExclusionKind.DEPARTMENT | ExclusionKind.EMPLOYEE_TYPE:
            return _spelled(text, await reading.exclusions.values(kind), _FIELDS[kind])
        case ExclusionKind.GROUP | ExclusionKind.NAME | ExclusionKind.AWAY:
            raise AssertionError("looked up elsewhere")


def _spelled(text: str, there: Sequence[str], what: str) -> str:
    by_value = {same_value(one): one for one in there}
    found = by_value.get(same_value(text))
    if found is None:
        near = [by_value[one] for one in get_close_matches(same_value(text), by_value, n=3, cutoff=0.5)]
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise InvalidRequest(f"Nobody has the {what} “{text}”.{hint}", field=what.replace(" ", "-"))
    return found


def excluded_event(attest: Attestor, made: Exclusion) -> Event:
    """Return the attestation event of a new exclusion."""
    return attest.event(EventKind.EXCLUDED, actor=made.by, at=made.at, facts=_facts(made), personal=_personal(made))


def _facts(one: Exclusion) -> dict[str, Fact]:
    return {
        "exclusion": one.id,
        "kind": one.kind.value,
        "value": one.value if one.kind in _PLAIN else None,
        "until_ms": _ms(one.until),
    }


def _personal(one: Exclusion) -> dict[str, str | None]:
    return {"reason": one.reason, "value": None if one.kind in _PLAIN else one.value}


def _ms(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)
