"""Consent programs with their runs, requests, changes of membership and waiting lists."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, Select, Table, and_, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import OPEN, UNDECIDED, ApprovedBy, ConsentRequest, NoUse, RequestState, StillUsed
from reclaim.domain.consent_appeal import ConsentAppeal, ConsentAppealState
from reclaim.domain.consent_funnel import Place
from reclaim.domain.consent_program import (
    ConsentProgram,
    KeepDecides,
    OnSilence,
    ProgramState,
    Terms,
    values_of,
)
from reclaim.domain.consent_run import ConsentRun, RunState
from reclaim.domain.ids import (
    ChangeId,
    ConsentId,
    ConsentRunId,
    GroupId,
    PersonId,
    ProductId,
    ProgramId,
)
from reclaim.domain.membership import RUNNING, ChangeKind, ChangeState, ChangeWhy, MembershipChange, Result
from reclaim.domain.money import Money
from reclaim.domain.review import Choice
from reclaim.domain.wait_list import Waiter, WaitState
from reclaim.errors import Conflict
from storage.repositories.conflicts import changed, is_duplicate
from storage.tables import (
    answers,
    consent_appeals,
    consent_programs,
    consent_requests,
    consent_runs,
    membership_changes,
    messages,
    questions,
    wait_list,
)
from storage.upsert import in_chunks, upsert

# Kinds of cards that ask somebody something, as the message record has them; a holder's own requests are counted by their
# rows, as a question that was asked a moment ago is no message yet.
_QUESTIONS: Final = ("review.wave", "consent.manager", "consent.boomerang")

_PROGRAM, _RUN, _REQUEST = consent_programs.c, consent_runs.c, consent_requests.c
_CHANGE, _WAIT, _APPEAL = membership_changes.c, wait_list.c, consent_appeals.c
_OPEN: Final = tuple(state.value for state in OPEN)
_NO_USE: Final = tuple(one.name for one in fields(NoUse))
_REQUEST_PLAIN: Final = (
    "id", "program_id", "run_id", "person_id", "product_id", "group_id", "version", "found_at", "asked_at", "due_at",
    "later_until", "had_time", "reminded", "manager_id", "answered_by", "answered_at", "note", "ended_at", "why", "detail",
)  # fmt: skip
_CHANGE_PLAIN: Final = (
    "id", "program_id", "request_id", "person_id", "group_id", "product_id", "asked_by", "asked_at", "clicked", "version",
    "attempt", "not_before", "checks", "write_id", "answer_id", "maybe_written", "intended_at", "written_at", "ended_at",
    "detail",
)  # fmt: skip
_RUN_PLAIN: Final = (
    "id", "program_id", "started_at", "asked_by", "data_as_of", "unmatched", "ambiguous", "after", "ended_at", "error",
    "attempt", "not_before", "version",
)  # fmt: skip
_APPEAL_PLAIN: Final = (
    "request_id", "program_id", "person_id", "text", "asked_at", "decider_id", "due_at", "ended_at", "reason", "version",
)  # fmt: skip
_PROGRAM_PLAIN: Final = (
    "id", "group_id", "group_name", "product_id", "owner_id", "created_at", "next_run_at", "version",
)  # fmt: skip


class SqlConsents:
    """`ports.consent_storage.Consents` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_program(self, program: ConsentProgram) -> None:
        await self._add(
            consent_programs,
            _program_row(program),
            "There is a program with this name, or one for this group, already. Clone it for another group, or change it.",
        )

    async def save_program(self, program: ConsentProgram) -> None:
        try:
            async with self._connection.begin_nested():
                await self._save(consent_programs, _program_row(program))
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise Conflict("There is a program with this name already. Choose another one.") from error

    async def program(self, program: ProgramId) -> ConsentProgram | None:
        return next(iter(await self._programs(select(consent_programs).where(_PROGRAM.id == program))), None)

    async def programs(self, states: Iterable[ProgramState] | None = None) -> list[ConsentProgram]:
        query = select(consent_programs).order_by(_PROGRAM.same_name, _PROGRAM.created_at, _PROGRAM.id)
        if states is not None:
            query = query.where(_PROGRAM.state.in_([state.value for state in states]))
        return await self._programs(query)

    async def due_programs(self, now: datetime) -> list[ConsentProgram]:
        return await self._programs(
            select(consent_programs)
            .where(_PROGRAM.state == ProgramState.ACTIVE.value, _PROGRAM.next_run_at <= now)
            .order_by(_PROGRAM.next_run_at, _PROGRAM.id)
        )

    async def by_group(self, group: GroupId) -> ConsentProgram | None:
        query = select(consent_programs).where(_PROGRAM.group_id == group, _PROGRAM.rests.is_(False))
        return next(iter(await self._programs(query)), None)

    async def add_run(self, run: ConsentRun) -> None:
        await self._add(consent_runs, _run_row(run), "This program is running already.")

    async def save_run(self, run: ConsentRun) -> None:
        await self._save(consent_runs, _run_row(run))

    async def run(self, run: ConsentRunId) -> ConsentRun | None:
        return next(iter(await self._runs(select(consent_runs).where(_RUN.id == run))), None)

    async def running(self) -> list[ConsentRun]:
        return await self._runs(
            select(consent_runs).where(_RUN.state == RunState.RUNNING.value).order_by(_RUN.started_at, _RUN.id)
        )

    async def newest_run(self, program: ProgramId) -> ConsentRun | None:
        query = select(consent_runs).where(_RUN.program_id == program)
        return next(iter(await self._runs(query.order_by(_RUN.started_at.desc(), _RUN.id.desc()).limit(1))), None)

    async def runs_of(self, program: ProgramId) -> list[ConsentRun]:
        query = select(consent_runs).where(_RUN.program_id == program)
        return await self._runs(query.order_by(_RUN.started_at, _RUN.id))

    async def add_requests(self, requests: Sequence[ConsentRequest]) -> None:
        if not requests:
            return
        asking = [
            {
                "ref": one.id,
                "person_id": one.person_id,
                "product_id": one.product_id,
                "opened_at": one.found_at,
            }
            for one in requests
            if one.is_open
        ]
        await self._connection.execute(insert(consent_requests), [_request_row(one) for one in requests])
        try:
            async with self._connection.begin_nested():
                if asking:
                    await self._connection.execute(insert(questions), asking)
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise Conflict("Somebody is being asked about one of these seats already.") from error

    async def save_request(self, request: ConsentRequest) -> None:
        await self._save(consent_requests, _request_row(request))
        if not request.is_open:
            await self._connection.execute(
                update(questions)
                .where(questions.c.ref == request.id, questions.c.closed_at.is_(None))
                .values(closed_at=request.ended_at)
            )

    async def request(self, request: ConsentId) -> ConsentRequest | None:
        return (await self.requests([request])).get(request)

    async def requests(self, requests: Iterable[ConsentId]) -> dict[ConsentId, ConsentRequest]:
        found: dict[ConsentId, ConsentRequest] = {}
        for some in in_chunks(requests):
            rows = await self._requests(select(consent_requests).where(_REQUEST.id.in_(some)))
            found |= {one.id: one for one in rows}
        return found

    async def open_of(self, person: PersonId) -> list[ConsentRequest]:
        held = and_(_REQUEST.person_id == person, _REQUEST.state == RequestState.ASKED.value)
        decided = and_(_REQUEST.manager_id == person, _REQUEST.state == RequestState.WITH_MANAGER.value)
        query = select(consent_requests).where(or_(held, decided))
        return await self._requests(query.order_by(_REQUEST.asked_at, _REQUEST.id))

    async def page(
        self, program: ProgramId, states: Iterable[RequestState] | None, *, offset: int, limit: int
    ) -> tuple[list[ConsentRequest], int]:
        where = [_REQUEST.program_id == program]
        if states is not None:
            where.append(_REQUEST.state.in_([state.value for state in states]))
        total = await self._connection.scalar(select(func.count()).select_from(consent_requests).where(*where))
        rows = await self._requests(
            select(consent_requests)
            .where(*where)
            .order_by(_REQUEST.found_at.desc(), _REQUEST.id.desc())
            .offset(offset)
            .limit(limit)
        )
        return rows, total or 0

    async def all_of(self, program: ProgramId) -> list[ConsentRequest]:
        query = select(consent_requests).where(_REQUEST.program_id == program)
        return await self._requests(query.order_by(_REQUEST.found_at, _REQUEST.id))

    async def waiting(self, *, limit: int, after: ConsentId | None = None) -> list[ConsentRequest]:
        active = exists().where(_PROGRAM.id == _REQUEST.program_id, _PROGRAM.state == ProgramState.ACTIVE.value)
        return await self._requests(
            select(consent_requests)
            .where(_REQUEST.state == RequestState.WAITING.value, _REQUEST.id > (after or ""), active)
            .order_by(_REQUEST.id)
            .limit(limit)
        )

    async def undecided_of_ended(self, *, limit: int) -> list[ConsentRequest]:
        query = (
            select(consent_requests)
            .join(consent_programs, _PROGRAM.id == _REQUEST.program_id)
            .where(_PROGRAM.rests.is_(True), _REQUEST.state.in_([state.value for state in UNDECIDED]))
            .order_by(_REQUEST.id)
            .limit(limit)
        )
        return await self._requests(query)

    async def asked_since(self, since: datetime, program: ProgramId) -> int:
        query = select(func.count()).where(_REQUEST.program_id == program, _REQUEST.asked_at >= since)
        return await self._connection.scalar(query) or 0

    async def due_requests(self, now: datetime, *, limit: int) -> list[ConsentRequest]:
        at = func.coalesce(_REQUEST.due_at, _REQUEST.later_until)
        return await self._requests(
            select(consent_requests).where(_falls_due(), at <= now).order_by(at, _REQUEST.id).limit(limit)
        )

    async def to_remind(self, *, after: ConsentId | None, limit: int) -> list[ConsentRequest]:
        return await self._requests(
            select(consent_requests)
            .where(_REQUEST.state == RequestState.ASKED.value, _REQUEST.id > (after or ""))
            .order_by(_REQUEST.id)
            .limit(limit)
        )

    async def figures(self, program: ProgramId) -> list[tuple[Place, int]]:
        back = exists().where(
            _CHANGE.request_id == _REQUEST.id,
            _CHANGE.why == ChangeWhy.RESTORE.value,
            _CHANGE.result == Result.THERE.value,
        )
        asked = _REQUEST.asked_at.is_not(None)
        each = (
            select(
                _REQUEST.state,
                asked.label("asked"),
                _REQUEST.reason,
                _REQUEST.approved_by,
                back.label("restored"),
            )
            .where(_REQUEST.program_id == program)
            .subquery()
        )
        keys = (each.c.state, each.c.asked, each.c.reason, each.c.approved_by, each.c.restored)
        rows = await self._connection.execute(select(*keys, func.count().label("requests")).group_by(*keys))
        return [
            (
                Place(
                    state=RequestState(row.state),
                    asked=bool(row.asked),
                    approved_by=ApprovedBy(row.approved_by) if row.approved_by else None,
                    reason=row.reason,
                    restored=bool(row.restored),
                ),
                row.requests,
            )
            for row in rows
        ]

    async def with_open_question(self, people: Iterable[PersonId], product: ProductId) -> frozenset[PersonId]:
        where = (questions.c.product_id == product, questions.c.closed_at.is_(None))
        return frozenset([PersonId(row.person_id) for row in await self._of(people, questions, *where)])

    async def cooling(self, people: Iterable[PersonId], product: ProductId, now: datetime) -> frozenset[PersonId]:
        where = (answers.c.product_id == product, answers.c.until > now)
        return frozenset([PersonId(row.person_id) for row in await self._of(people, answers, *where)])

    async def kept_at(self, people: Iterable[PersonId], product: ProductId) -> Mapping[PersonId, datetime]:
        where = (answers.c.product_id == product, answers.c.choice == Choice.KEEP.value)
        return {PersonId(row.person_id): row.answered_at for row in await self._of(people, answers, *where)}

    async def remember(self, request: ConsentRequest, *, choice: str, until: datetime) -> None:
        row = {
            "person_id": request.person_id,
            "product_id": request.product_id,
            "ref": request.id,
            "choice": choice,
            "reason": request.reason.value if request.reason else None,
            "answered_at": request.answered_at or request.ended_at,
            "until": until,
        }
        await upsert(self._connection, answers, [row])

    async def questions_today(self, people: Iterable[PersonId], since: datetime) -> Mapping[PersonId, int]:
        found: dict[PersonId, int] = {}
        for some in in_chunks(people):
            # A reminder and a redrawn card are no new question: one matter counts once, by its first message.
            first = (
                select(messages.c.person_id, messages.c.matter, func.min(messages.c.created_at).label("at"))
                .where(messages.c.person_id.in_(some), messages.c.kind.in_(_QUESTIONS))
                .group_by(messages.c.person_id, messages.c.matter)
                .subquery()
            )
            query = (
                select(first.c.person_id, func.count().label("number"))
                .where(first.c.at >= since)
                .group_by(first.c.person_id)
            )
            asked = (
                select(_REQUEST.person_id, func.count().label("number"))
                .where(_REQUEST.person_id.in_(some), _REQUEST.asked_at >= since)
                .group_by(_REQUEST.person_id)
            )
            for counting in (query, asked):
                for row in await self._connection.execute(counting):
                    person = PersonId(row.person_id)
                    found[person] = found.get(person, 0) + row.number
        return found

    async def add_change(self, change: MembershipChange) -> None:
        await self._add(
            membership_changes, _change_row(change), "This membership is being changed already. Please wait a moment."
        )

    async def save_change(self, change: MembershipChange) -> None:
        await self._save(membership_changes, _change_row(change))

    async def change(self, change: ChangeId) -> MembershipChange | None:
        return next(iter(await self._changes(select(membership_changes).where(_CHANGE.id == change))), None)

    async def changes_of(self, requests: Iterable[ConsentId]) -> dict[ConsentId, list[MembershipChange]]:
        found: dict[ConsentId, list[MembershipChange]] = defaultdict(list)
        for some in in_chunks(requests):
            query = select(membership_changes).where(_CHANGE.request_id.in_(some))
            for one in await self._changes(query.order_by(_CHANGE.asked_at, _CHANGE.id)):
                if one.request_id is not None:
                    found[one.request_id].append(one)
        return found

    async def changes_of_program(self, program: ProgramId) -> list[MembershipChange]:
        query = select(membership_changes).where(_CHANGE.program_id == program)
        return await self._changes(query.order_by(_CHANGE.asked_at, _CHANGE.id))

    async def due_changes(self, now: datetime, *, limit: int) -> list[MembershipChange]:
        return await self._changes(
            select(membership_changes)
            .where(_CHANGE.done.is_(False), _CHANGE.not_before <= now)
            # Who waits at a card goes before every bulk.
            .order_by(_CHANGE.clicked.desc(), _CHANGE.not_before, _CHANGE.id)
            .limit(limit)
        )

    async def with_intended(self, people: Iterable[PersonId], *, but: ChangeId | None = None) -> frozenset[PersonId]:
        found: set[PersonId] = set()
        for some in in_chunks(people):
            query = select(_CHANGE.person_id).where(
                _CHANGE.person_id.in_(some),
                _CHANGE.state == ChangeState.INTENDED.value,
                _CHANGE.id != (but or ""),
            )
            found |= {PersonId(person) for person in await self._connection.scalars(query)}
        return frozenset(found)

    async def started_since(self, since: datetime, program: ProgramId, why: ChangeWhy) -> int:
        query = select(func.count()).where(
            _CHANGE.program_id == program,
            _CHANGE.asked_at >= since,
            _CHANGE.why == why.value,
            or_(_CHANGE.result.is_(None), _CHANGE.result != Result.WITHDRAWN.value),
        )
        return await self._connection.scalar(query) or 0

    async def written_since(self, since: datetime) -> int:
        query = select(func.count()).where(_CHANGE.written_at >= since, _CHANGE.kind == ChangeKind.LEAVE.value)
        return await self._connection.scalar(query) or 0

    async def next_due(self, after: datetime) -> datetime | None:
        due = func.coalesce(_REQUEST.due_at, _REQUEST.later_until)
        asks = (
            select(func.min(_PROGRAM.next_run_at)).where(
                _PROGRAM.state == ProgramState.ACTIVE.value, _PROGRAM.next_run_at > after
            ),
            select(func.min(due)).where(_falls_due(), due > after),
            select(func.min(_CHANGE.not_before)).where(_CHANGE.done.is_(False), _CHANGE.not_before > after),
            select(func.min(_APPEAL.due_at)).where(
                _APPEAL.state == ConsentAppealState.OPEN.value, _APPEAL.due_at > after
            ),
            select(func.min(_RUN.not_before)).where(_RUN.state == RunState.RUNNING.value, _RUN.not_before > after),
        )
        found = [await self._connection.scalar(query) for query in asks]
        return min((at for at in found if at is not None), default=None)

    async def add_appeal(self, appeal: ConsentAppeal) -> None:
        await self._add(consent_appeals, _appeal_row(appeal), "You have appealed already.")

    async def save_appeal(self, appeal: ConsentAppeal) -> None:
        done = await self._connection.execute(
            update(consent_appeals)
            .where(_APPEAL.request_id == appeal.request_id, _APPEAL.version == appeal.version - 1)
            .values(_appeal_row(appeal))
        )
        if done.rowcount != 1:
            raise changed()

    async def appeal(self, request: ConsentId) -> ConsentAppeal | None:
        query = select(consent_appeals).where(_APPEAL.request_id == request)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _to_appeal(row) if row else None

    async def appeals_of(self, program: ProgramId) -> list[ConsentAppeal]:
        query = select(consent_appeals).where(_APPEAL.program_id == program)
        query = query.order_by(_APPEAL.asked_at, _APPEAL.request_id)
        return [_to_appeal(row) for row in (await self._connection.execute(query)).mappings()]

    async def due_appeals(self, now: datetime, *, limit: int) -> list[ConsentAppeal]:
        query = (
            select(consent_appeals)
            .where(_APPEAL.state == ConsentAppealState.OPEN.value, _APPEAL.due_at <= now)
            .order_by(_APPEAL.due_at, _APPEAL.request_id)
            .limit(limit)
        )
        return [_to_appeal(row) for row in (await self._connection.execute(query)).mappings()]

    async def wait(self, waiter: Waiter) -> None:
        there = await self.waiter(waiter.product_id, waiter.person_id)
        if there is not None and there.state is WaitState.WAITING:
            raise Conflict("This person is on the waiting list already.")
        await upsert(self._connection, wait_list, [_waiter_row(waiter)])

    async def save_waiter(self, waiter: Waiter) -> None:
        done = await self._connection.execute(
            update(wait_list)
            .where(
                _WAIT.product_id == waiter.product_id,
                _WAIT.person_id == waiter.person_id,
                _WAIT.version == waiter.version - 1,
            )
            .values(_waiter_row(waiter))
        )
        if done.rowcount != 1:
            raise changed()

    async def waiters(self, product: ProductId, *, limit: int) -> list[Waiter]:
        query = (
            select(wait_list)
            .where(_WAIT.product_id == product, _WAIT.state == WaitState.WAITING.value)
            .order_by(_WAIT.since, _WAIT.person_id)
            .limit(limit)
        )
        return [_to_waiter(row) for row in (await self._connection.execute(query)).mappings()]

    async def waiter(self, product: ProductId, person: PersonId) -> Waiter | None:
        query = select(wait_list).where(_WAIT.product_id == product, _WAIT.person_id == person)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _to_waiter(row) if row else None

    async def _add(self, table: Table, row: Mapping[str, object], taken: str) -> None:
        try:
            # The savepoint leaves the unit of work usable after a Conflict, which PostgreSQL would not by itself.
            async with self._connection.begin_nested():
                await self._connection.execute(insert(table), [dict(row)])
        except IntegrityError as error:
            if not is_duplicate(error):
                raise
            raise Conflict(taken) from error

    async def _save(self, table: Table, row: Mapping[str, Any]) -> None:
        done = await self._connection.execute(
            update(table).where(table.c.id == row["id"], table.c.version == row["version"] - 1).values(**row)
        )
        if done.rowcount != 1:
            raise changed()

    async def _of(self, people: Iterable[PersonId], table: Table, *where: Any) -> list[Any]:
        found: list[Any] = []
        for some in in_chunks(people):
            found += (await self._connection.execute(select(table).where(table.c.person_id.in_(some), *where))).all()
        return found

    async def _programs(self, query: Select[Any]) -> list[ConsentProgram]:
        return [_to_program(row) for row in (await self._connection.execute(query)).mappings()]

    async def _runs(self, query: Select[Any]) -> list[ConsentRun]:
        return [_to_run(row) for row in (await self._connection.execute(query)).mappings()]

    async def _requests(self, query: Select[Any]) -> list[ConsentRequest]:
        return [_to_request(row) for row in (await self._connection.execute(query)).mappings()]

    async def _changes(self, query: Select[Any]) -> list[MembershipChange]:
        return [_to_change(row) for row in (await self._connection.execute(query)).mappings()]


def _falls_due() -> Any:
    asked = and_(
        _REQUEST.state.in_((RequestState.ASKED.value, RequestState.WITH_MANAGER.value)), _REQUEST.due_at.is_not(None)
    )
    return or_(asked, _REQUEST.state == RequestState.LATER.value)


def _program_row(program: ConsentProgram) -> dict[str, object]:
    terms = values_of(program.terms)
    price = program.terms.price
    return {
        **{name: getattr(program, name) for name in _PROGRAM_PLAIN},
        "name": program.terms.name,
        "same_name": program.terms.name.casefold(),
        "terms": {**terms, "price": [price.minor, price.currency] if price else None},
        "state": program.state.value,
        "rests": program.state is ProgramState.ENDED,
    }


def _to_program(row: RowMapping) -> ConsentProgram:
    stored: dict[str, Any] = dict(row["terms"])
    price = stored.pop("price")
    terms = Terms(
        **{
            **stored,
            "keep_decided_by": KeepDecides(stored["keep_decided_by"]),
            "on_silence": OnSilence(stored["on_silence"]),
            "mode": WriteMode(stored["mode"]),
            "price": Money(price[0], price[1]) if price else None,
        }
    )
    plain: dict[str, Any] = {name: row[name] for name in _PROGRAM_PLAIN}
    return ConsentProgram(terms=terms, state=ProgramState(row["state"]), **plain)


def _run_row(run: ConsentRun) -> dict[str, object]:
    return {
        **{name: getattr(run, name) for name in _RUN_PLAIN},
        "state": run.state.value,
        "mode": run.mode.value,
        "people": list(run.people),
        "devices": list(run.devices),
        "counts": run.counts,
    }


def _to_run(row: RowMapping) -> ConsentRun:
    plain: dict[str, Any] = {name: row[name] for name in _RUN_PLAIN}
    return ConsentRun(
        state=RunState(row["state"]),
        mode=WriteMode(row["mode"]),
        people=tuple(PersonId(one) for one in row["people"]),
        devices=tuple(row["devices"]),
        counts=dict(row["counts"]),
        **plain,
    )


def _request_row(request: ConsentRequest) -> dict[str, object]:
    return {
        **{name: getattr(request, name) for name in _REQUEST_PLAIN},
        **{name: getattr(request.no_use, name) for name in _NO_USE},
        "state": request.state.value,
        "reason": request.reason.value if request.reason else None,
        "approved_by": request.approved_by.value if request.approved_by else None,
    }


def _to_request(row: RowMapping) -> ConsentRequest:
    plain: dict[str, Any] = {name: row[name] for name in _REQUEST_PLAIN}
    no_use: dict[str, Any] = {name: row[name] for name in _NO_USE}
    return ConsentRequest(
        no_use=NoUse(**no_use),
        state=RequestState(row["state"]),
        reason=StillUsed(row["reason"]) if row["reason"] else None,
        approved_by=ApprovedBy(row["approved_by"]) if row["approved_by"] else None,
        **plain,
    )


def _change_row(change: MembershipChange) -> dict[str, object]:
    return {
        **{name: getattr(change, name) for name in _CHANGE_PLAIN},
        "kind": change.kind.value,
        "why": change.why.value,
        "state": change.state.value,
        "done": change.state not in RUNNING,
        "result": change.result.value if change.result else None,
    }


def _to_change(row: RowMapping) -> MembershipChange:
    plain: dict[str, Any] = {name: row[name] for name in _CHANGE_PLAIN}
    return MembershipChange(
        kind=ChangeKind(row["kind"]),
        why=ChangeWhy(row["why"]),
        state=ChangeState(row["state"]),
        result=Result(row["result"]) if row["result"] else None,
        **plain,
    )


def _appeal_row(appeal: ConsentAppeal) -> dict[str, object]:
    return {**{name: getattr(appeal, name) for name in _APPEAL_PLAIN}, "state": appeal.state.value}


def _to_appeal(row: RowMapping) -> ConsentAppeal:
    plain: dict[str, Any] = {name: row[name] for name in _APPEAL_PLAIN}
    return ConsentAppeal(state=ConsentAppealState(row["state"]), **plain)


def _waiter_row(waiter: Waiter) -> dict[str, object]:
    return {
        "product_id": waiter.product_id,
        "person_id": waiter.person_id,
        "since": waiter.since,
        "asked_by": waiter.asked_by,
        "state": waiter.state.value,
        "ended_at": waiter.ended_at,
        "version": waiter.version,
    }


def _to_waiter(row: RowMapping) -> Waiter:
    return Waiter(
        product_id=ProductId(row["product_id"]),
        person_id=PersonId(row["person_id"]),
        since=row["since"],
        asked_by=PersonId(row["asked_by"]),
        state=WaitState(row["state"]),
        ended_at=row["ended_at"],
        version=row["version"],
    )
