"""Make, change, clone, pause and end consent programs, one by one or from a TOML file."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.consent_program import (
    ConsentProgram,
    ProgramState,
    Terms,
    Value,
    check_limits,
    product_of,
    values_of,
    with_values,
)
from reclaim.domain.directory import Group
from reclaim.domain.ids import GroupId, PersonId, ProgramId
from reclaim.domain.lookup import folded
from reclaim.domain.policy import Policy
from reclaim.domain.roles import Actor
from reclaim.domain.usage import ABSENT_BETWEEN
from reclaim.domain.wait_list import Waiter, WaitState
from reclaim.errors import Conflict, InvalidRequest, NotFound
from reclaim.ports.directory import Directory
from reclaim.ports.schedule import Schedule
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor

MOST_PROGRAMS: Final = 200
FILE_LENGTH: Final = 200_000  # characters
_TABLE: Final = "program"


class KeepPrograms:
    """Every change is attested with the terms that it leaves."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        directory: Directory,
        schedule: Schedule,
        sources: Mapping[str, str],
    ) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._directory = directory
        self._schedule = schedule
        self._sources = sources
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def make(self, actor: Actor, group: str, values: Mapping[str, Value]) -> ConsentProgram:
        """Make a program for a group, named by its object id, or by its name where the last sync knows it.

        Raises:
            InvalidRequest: A term does not fit, or several groups have this name.
            NotFound: There is no such group.
            Conflict: A program has the name or the group already.
            DirectoryError: The group could not be read.
        """
        terms = self._checked(with_values({"zone": self._policy.zone}, values, sources=self._sources))
        found = await self._group(group)
        return await self._add(actor, terms, found)

    async def clone(self, actor: Actor, of: ProgramId, group: str, values: Mapping[str, Value]) -> ConsentProgram:
        """Make a program for another group with the terms of one that is there, ended or not.

        Raises:
            As `make`.
        """
        async with self._work.read() as work:
            base = await _program(work, of)
        terms = self._checked(with_values(values_of(base.terms), values, sources=self._sources))
        found = await self._group(group)
        if folded(terms.name) == folded(base.terms.name):
            terms = replace(terms, name=f"{base.terms.name}, {found.name}"[:80])
        return await self._add(actor, terms, found)

    async def change(self, actor: Actor, program_id: ProgramId, values: Mapping[str, Value]) -> ConsentProgram:
        """Change terms of a program. Questions that are open keep the time that they were given.

        Raises:
            InvalidRequest, NotFound, Conflict: As `make`; or it has ended.
        """
        if not values:
            raise InvalidRequest("Please say what to change. Example: consent set Visio --unused-days 45")
        async with self._work.write() as work:
            program = await _program(work, program_id)
            terms = self._checked(with_values(values_of(program.terms), values, sources=self._sources))
            changed = program.with_terms(terms)
            if program.state is ProgramState.ACTIVE:
                changed = replace(changed, next_run_at=self._next(terms))
            await work.consents.save_program(changed)
            await self._note(work, actor, changed)
            await work.commit()
        return changed

    async def to(self, actor: Actor, program_id: ProgramId, state: ProgramState) -> ConsentProgram:
        """Pause a program, go on with it, or end it. What nobody has decided in one that ends is cancelled by the next tick.

        Raises:
            NotFound: There is no such program.
            Conflict: It is so already, or has ended.
        """
        async with self._work.write() as work:
            program = (await _program(work, program_id)).to(state)
            if state is ProgramState.ACTIVE:
                program = replace(program, next_run_at=self._next(program.terms))
            await work.consents.save_program(program)
            await self._note(work, actor, program)
            await work.commit()
        return program

    async def load(self, actor: Actor, text: str) -> list[tuple[str, ConsentProgram]]:
        """Make or change the programs of a TOML file: all of them, or none where one does not fit.

        Returns:
            For each "made", "changed" or "unchanged", and the program, in the order of the file.

        Raises:
            InvalidRequest: It is no TOML, or a program in it does not fit; with its number and name.
            NotFound: A group does not exist.
            DirectoryError: A group could not be read.
        """
        entries = _entries(text)
        groups = [await self._of_file(number, entry) for number, entry in enumerate(entries, start=1)]
        done: list[tuple[str, ConsentProgram]] = []
        async with self._work.write() as work:
            for number, (entry, group) in enumerate(zip(entries, groups, strict=True), start=1):
                try:
                    done.append(await self._load_one(work, actor, entry, group))
                except (InvalidRequest, Conflict) as error:
                    raise InvalidRequest(f"Program {number}, {_named(entry)}: {error.message}") from error
            await work.commit()
        return done

    # The waiting list -----------------------------------------------------------------------------------------------

    async def wait(self, actor: Actor, program_id: ProgramId, person: PersonId) -> None:
        """Put somebody on the waiting list of a program's application.

        Raises:
            NotFound: There is no such program or person.
            Conflict: They are on it.
        """
        now = self._clock.now()
        async with self._work.write() as work:
            program = await _program(work, program_id)
            known = await work.people.get(person)
            if known is None or known.gone_at is not None:
                raise NotFound("There is no such person.")
            before = await work.consents.waiter(program.product_id, person)
            version = before.version + 1 if before is not None else 1
            await work.consents.wait(
                Waiter(product_id=program.product_id, person_id=person, since=now, asked_by=actor.id, version=version)
            )
            await self._note_wait(work, actor, program, person, EventKind.WAIT_LISTED)
            await work.commit()

    async def stop_waiting(self, actor: Actor, program_id: ProgramId, person: PersonId) -> None:
        """Take somebody off the waiting list.

        Raises:
            NotFound: They are not on it.
        """
        async with self._work.write() as work:
            program = await _program(work, program_id)
            waiter = await work.consents.waiter(program.product_id, person)
            if waiter is None or waiter.state is not WaitState.WAITING:
                raise NotFound("This person is not on the waiting list.")
            await work.consents.save_waiter(waiter.to(WaitState.TAKEN_OFF, self._clock.now()))
            await self._note_wait(work, actor, program, person, EventKind.WAIT_ENDED)
            await work.commit()

    async def _load_one(
        self, work: UnitOfWork, actor: Actor, entry: Mapping[str, Value], group: Group
    ) -> tuple[str, ConsentProgram]:
        values = {name: value for name, value in entry.items() if name != "group"}
        there = await work.consents.by_group(group.id)
        if there is None:
            terms = self._checked(with_values({"zone": self._policy.zone}, values, sources=self._sources))
            made = self._new(actor, terms, group)
            await work.consents.add_program(made)
            await self._note(work, actor, made)
            return "made", made
        terms = self._checked(with_values(values_of(there.terms), values, sources=self._sources))
        if terms == there.terms:
            return "unchanged", there
        changed = there.with_terms(terms)
        if there.state is ProgramState.ACTIVE:
            changed = replace(changed, next_run_at=self._next(terms))
        await work.consents.save_program(changed)
        await self._note(work, actor, changed)
        return "changed", changed

    async def _of_file(self, number: int, entry: Mapping[str, Value]) -> Group:
        group = entry.get("group")
        if not isinstance(group, str) or not group.strip():
            raise InvalidRequest(f"Program {number}, {_named(entry)}: it needs a group.", field="group")
        try:
            return await self._group(group)
        except (InvalidRequest, NotFound) as error:
            raise InvalidRequest(f"Program {number}, {_named(entry)}: {error.message}", field="group") from error

    async def _add(self, actor: Actor, terms: Terms, group: Group) -> ConsentProgram:
        program = self._new(actor, terms, group)
        async with self._work.write() as work:
            if len(await work.consents.programs([ProgramState.ACTIVE, ProgramState.PAUSED])) >= MOST_PROGRAMS:
                raise Conflict(f"There are {MOST_PROGRAMS} programs already. End one first.")
            await work.consents.add_program(program)
            await self._note(work, actor, program)
            await work.commit()
        return program

    def _new(self, actor: Actor, terms: Terms, group: Group) -> ConsentProgram:
        return ConsentProgram(
            id=ProgramId(self._tokens.new_id()),
            terms=terms,
            group_id=group.id,
            group_name=group.name,
            product_id=product_of(group),
            state=ProgramState.ACTIVE,
            owner_id=actor.id,
            created_at=self._clock.now(),
            next_run_at=self._next(terms),
        )

    def _checked(self, terms: Terms) -> Terms:
        check_limits(terms, self._policy.limits)
        first = self._next(terms)
        if terms.by_absence and terms.schedule is not None and first is not None:
            second = self._schedule.next_after(terms.schedule, terms.zone, first)
            if second is None or second - first > ABSENT_BETWEEN:
                raise InvalidRequest(
                    f"{self._sources[terms.source]} does not tell since when an application is not installed, so that"
                    f" Reclaim looks for itself, at least every {ABSENT_BETWEEN.days} days. Choose a schedule that often,"
                    " as “0 8 * * mon”.",
                    field="schedule",
                )
        return terms

    def _next(self, terms: Terms) -> datetime | None:
        if terms.schedule is None:
            return None
        return self._schedule.next_after(terms.schedule, terms.zone, self._clock.now())

    async def _group(self, text: str) -> Group:
        """Return a group as Microsoft has it now, by its object id or its name."""
        wanted = text.strip()
        group_id = GroupId(wanted.lower())
        if not _is_guid(wanted):
            named = await self._directory.groups_named(wanted)
            if len(named) > 1:
                raise InvalidRequest(
                    f"{len(named)} groups are called “{wanted[:60]}”. Use the object id.", field="group"
                )
            if not named:
                raise NotFound(f"No group is called “{wanted[:60]}”. Check the name, or use its object id.")
            group_id = named[0].id
        found = await self._directory.group(group_id)
        if found is None:
            raise NotFound(f"Microsoft knows no group {wanted[:60]}.")
        return found

    async def _note(self, work: UnitOfWork, actor: Actor, program: ConsentProgram) -> None:
        terms = program.terms
        facts: dict[str, Fact] = {
            "version": program.version,
            "state": program.state.value,
            "group": program.group_id,
            "product": program.product_id,
            "source": terms.source,
            "unused_days": terms.unused_days,
            "ask": terms.ask,
            "keep_decided_by": terms.keep_decided_by.value,
            "on_silence": terms.on_silence.value,
            "answer_days": terms.answer_days,
            "reminders": terms.reminders,
            "cooldown_days": terms.cooldown_days,
            "questions_per_day": terms.questions_per_day,
            "removals_per_day": terms.removals_per_day,
            "uninstalls": terms.uninstalls,
            "fills": terms.fills,
            "zone": terms.zone,
            "price_minor": terms.price.minor if terms.price else None,
            "price_currency": terms.price.currency if terms.price else None,
            "mode": terms.mode.value,
        }
        await work.events.append(
            self._attest.event(
                EventKind.CONSENT_PROGRAM_SET,
                actor=actor.id,
                campaign=program.id,
                facts=facts,
                personal={
                    "name": terms.name,
                    "application": terms.application,
                    "source_application": terms.source_application,
                    "group_name": program.group_name,
                    "question": terms.question,
                    "schedule": terms.schedule,
                },
            )
        )

    async def _note_wait(
        self, work: UnitOfWork, actor: Actor, program: ConsentProgram, person: PersonId, kind: EventKind
    ) -> None:
        await work.events.append(
            self._attest.event(kind, actor=actor.id, campaign=program.id, facts={"person": person})
        )


def _entries(text: str) -> Sequence[Mapping[str, Value]]:
    if len(text) > FILE_LENGTH:
        raise InvalidRequest(f"The file has over {FILE_LENGTH:,} characters.")
    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(f"This is no TOML: {error}.") from error
    others = sorted(document.keys() - {_TABLE})
    if others:
        raise InvalidRequest(f"The file has “{others[0][:40]}”. It may have [[{_TABLE}]] only.")
    entries = document.get(_TABLE)
    if not isinstance(entries, list) or not entries:
        raise InvalidRequest(f"The file has no [[{_TABLE}]].")
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise InvalidRequest(f"Write [[{_TABLE}]] with two brackets: a file may have several.")
        for name, value in entry.items():
            if not isinstance(value, str | int | bool):
                raise InvalidRequest(
                    f"Program {number}, {_named(entry)}: {name[:40]} is a text, a number, or true or false.", field=name
                )
    return entries


def _named(entry: Mapping[str, object]) -> str:
    name = entry.get("name")
    return f"“{name[:40]}”" if isinstance(name, str) and name else "without a name"


def _is_guid(text: str) -> bool:
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and all(
        one in "0123456789abcdefABCDEF" for part in parts for one in part
    )


async def _program(work: UnitOfWork, program_id: ProgramId) -> ConsentProgram:
    program = await work.consents.program(program_id)
    if program is None:
        raise NotFound("There is no such consent program. The list: /reclaim consent")
    return program
