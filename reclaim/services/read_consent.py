"""Read consent programs: one request for one reader, a program's funnel, its requests, a run."""

from collections.abc import Sequence
from datetime import datetime

from reclaim.domain.consent import (
    NEED_A_PERSON,
    ConsentRequest,
    RequestState,
    reminder_times,
)
from reclaim.domain.consent_funnel import count
from reclaim.domain.consent_program import ConsentProgram, ProgramState
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.consent_views import (
    ConsentView,
    ProgramView,
    RequestLine,
    RequestPage,
    RunView,
    WaiterView,
    newest,
)
from reclaim.domain.ids import ConsentId, ConsentRunId, PersonId, ProductId, ProgramId
from reclaim.domain.lookup import folded
from reclaim.domain.membership import ChangeKind, ChangeWhy, MembershipChange, Result
from reclaim.domain.money import Money
from reclaim.domain.paging import page_count
from reclaim.domain.policy import Policy
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.consent_mode import mode_of
from reclaim.services.naming import names_of

ROWS = 10
_WAITING_SHOWN = 1_000


class ReadConsent:
    """Reads; changes nothing."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

    async def find(self, text: str) -> ConsentProgram:
        """Return the program that the text names: by its name, the beginning of it, its application or its id.

        Raises:
            NotFound: None fits.
            InvalidRequest: Several do.
        """
        async with self._work.read() as work:
            programs = await work.consents.programs()
        wanted = folded(text)
        running = [one for one in programs if one.state is not ProgramState.ENDED]
        for some in (running, programs):
            exact = [one for one in some if one.id == text or folded(one.terms.name) == wanted]
            near = exact or [
                one
                for one in some
                if folded(one.terms.name).startswith(wanted) or folded(one.terms.application) == wanted
            ]
            if len(near) == 1:
                return near[0]
            if near:
                names = ", ".join(one.terms.name for one in near[:5])
                raise InvalidRequest(f"Several programs fit “{text[:40]}”: {names}. Type more of the name.")
        raise NotFound(f"No consent program is called “{text[:40]}”. The list: /reclaim consent")

    async def programs(self) -> list[ProgramView]:
        """Return every program that has not ended, by name."""
        async with self._work.read() as work:
            programs = await work.consents.programs([ProgramState.ACTIVE, ProgramState.PAUSED])
            return [await self._view(work, one) for one in programs]

    async def program(self, program_id: ProgramId) -> ProgramView:
        """Return a program with its funnel.

        Raises:
            NotFound: There is no such program.
        """
        async with self._work.read() as work:
            return await self._view(work, await _program(work, program_id))

    async def page(self, program_id: ProgramId, number: int, only: str | None = None) -> RequestPage:
        """Return a page of a program's requests, the newest first; `only` is a state, or "tasks".

        Raises:
            NotFound: There is no such program.
        """
        states = _states(only)
        async with self._work.read() as work:
            program = await _program(work, program_id)
            _, total = await work.consents.page(program_id, states, offset=0, limit=0)
            pages = page_count(total, ROWS)
            page = min(max(1, number), pages)
            rows, _ = await work.consents.page(program_id, states, offset=(page - 1) * ROWS, limit=ROWS)
            names = await names_of(work, {one.person_id for one in rows})
            changes = await work.consents.changes_of(one.id for one in rows)
        return RequestPage(
            program=program,
            rows=[
                RequestLine(
                    request=one,
                    holder_name=names.get(one.person_id, one.person_id),
                    restored=_is_back(changes.get(one.id, ())),
                )
                for one in rows
            ],
            total=total,
            page=page,
            pages=pages,
            only=only,
        )

    async def run(self, run_id: ConsentRunId) -> RunView:
        """Return a run.

        Raises:
            NotFound: There is no such run.
        """
        async with self._work.read() as work:
            run = await work.consents.run(run_id)
            program = await work.consents.program(run.program_id) if run is not None else None
        if run is None or program is None:
            raise NotFound("This run is no longer here.")
        return RunView(run=run, program=program, now=self._clock.now())

    async def view(self, request_id: ConsentId, viewer: PersonId) -> ConsentView:
        """Return a request as its holder or the one who decides sees it.

        Raises:
            NotFound: There is no such request, or it does not concern the reader.
        """
        async with self._work.read() as work:
            request = await work.consents.request(request_id)
            appeal = await work.consents.appeal(request_id) if request is not None else None
            concerned = (request.person_id, request.manager_id) if request is not None else ()
            if request is None or viewer not in (*concerned, appeal.decider_id if appeal is not None else None):
                raise NotFound("This question is not yours, or no longer here.")
            return await view_of(work, request, viewer, now=self._clock.now(), policy=self._policy)

    async def open_of(self, person: PersonId) -> list[ConsentView]:
        """Return what this person has to answer, as holder or as who decides, the oldest first."""
        async with self._work.read() as work:
            found = await work.consents.open_of(person)
            return [await view_of(work, one, person, now=self._clock.now(), policy=self._policy) for one in found]

    async def waiter(self, product: ProductId, person: PersonId) -> WaiterView | None:
        """Return somebody's place on a waiting list, None if they have none."""
        async with self._work.read() as work:
            found = await work.consents.waiter(product, person)
            if found is None:
                return None
            program = next((one for one in await work.consents.programs() if one.product_id == product), None)
            names = await names_of(work, [person])
        return WaiterView(
            waiter=found,
            application=program.terms.application if program else product,
            person_name=names.get(person, person),
            zone=program.terms.zone if program else self._policy.zone,
        )

    async def waiters(self, program_id: ProgramId) -> list[WaiterView]:
        """Return who waits for the application of a program, the longest waiting first.

        Raises:
            NotFound: There is no such program.
        """
        async with self._work.read() as work:
            program = await _program(work, program_id)
            found = await work.consents.waiters(program.product_id, limit=_WAITING_SHOWN)
            names = await names_of(work, [one.person_id for one in found])
        return [
            WaiterView(
                waiter=one,
                application=program.terms.application,
                person_name=names.get(one.person_id, one.person_id),
                zone=program.terms.zone,
            )
            for one in found
        ]

    async def _view(self, work: UnitOfWork, program: ConsentProgram) -> ProgramView:
        figures = await work.consents.figures(program.id)
        run: ConsentRun | None = await work.consents.newest_run(program.id)
        names = await names_of(work, [program.owner_id])
        seat = await seat_price(work, program, self._clock.now())
        return ProgramView(
            program=program,
            funnel=count(figures, seat),
            newest_run=run,
            owner_name=names.get(program.owner_id, program.owner_id),
            waiting_list=len(await work.consents.waiters(program.product_id, limit=_WAITING_SHOWN)),
            now=self._clock.now(),
        )


async def view_of(
    work: UnitOfWork, request: ConsentRequest, viewer: PersonId, *, now: datetime, policy: Policy
) -> ConsentView:
    """Return a request as `viewer` sees it, whoever that is."""
    program = await _program(work, request.program_id)
    changes = (await work.consents.changes_of([request.id])).get(request.id, [])
    appeal = await work.consents.appeal(request.id)
    decider = appeal.decider_id if appeal is not None else None
    names = await names_of(work, [request.person_id, request.manager_id, decider])
    until = back_until(request, policy)
    leave, restore = newest(changes, ChangeWhy.CONSENT), newest(changes, ChangeWhy.RESTORE)
    return ConsentView(
        request=request,
        program=program,
        viewer=viewer,
        holder_name=names.get(request.person_id, request.person_id),
        manager_name=names.get(request.manager_id) if request.manager_id else None,
        now=now,
        undo_window=policy.undo_window,
        mode=await mode_of(work, request, policy),
        leave=leave,
        restore=restore,
        until=until,
        back_refusal=back_refusal(request, restore, now=now, policy=policy),
        appeal=appeal,
        decider_name=names.get(decider) if decider is not None else None,
        reminders_left=tuple(at for at in reminder_times(request, program.terms) if at > now),
        reminder=request.reminded,
    )


def back_until(request: ConsentRequest, policy: Policy) -> datetime | None:
    """Return when the way back of a request closes; None: nothing was removed."""
    if request.state is not RequestState.REMOVED or request.ended_at is None:
        return None
    return request.ended_at + policy.undo_window


def back_refusal(
    request: ConsentRequest, restore: MembershipChange | None, *, now: datetime, policy: Policy
) -> str | None:
    """Return why the application cannot be given back now; None: it can."""
    until = back_until(request, policy)
    if until is None:
        return "Reclaim did not remove this, so there is nothing to give back."
    if restore is not None and restore.running:
        return "It is coming back already."
    if restore is not None and restore.result is Result.THERE:
        return "It is back already."
    if now > until:
        return f"It was removed more than {policy.undo_window.days} days ago. Ask your license manager for it."
    return None


async def seat_price(work: UnitOfWork, program: ConsentProgram, now: datetime) -> Money | None:
    """Return what a seat costs a month: the price of the group's SKU, else what the program says."""
    price = (await work.catalog.prices(now)).get(program.product_id)
    return price.monthly if price is not None else program.terms.price


def _is_back(changes: Sequence[MembershipChange]) -> bool:
    return any(one.kind is ChangeKind.JOIN and one.result is Result.THERE for one in changes)


def _states(only: str | None) -> Sequence[RequestState] | None:
    if only is None:
        return None
    if only == "tasks":
        return tuple(NEED_A_PERSON)
    try:
        return (RequestState(only),)
    except ValueError as error:
        known = ", ".join(["tasks", *RequestState])
        raise InvalidRequest(f"“{only[:40]}” is not a state. Choose one of: {known}.", field="only") from error


async def _program(work: UnitOfWork, program_id: ProgramId) -> ConsentProgram:
    program = await work.consents.program(program_id)
    if program is None:
        raise NotFound("There is no such consent program. The list: /reclaim consent")
    return program
