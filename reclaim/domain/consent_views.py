"""Consent programs as they are read: a request with its way back, a program's funnel, a run, a place on a waiting list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import NEED_A_PERSON, ConsentRequest, RequestState
from reclaim.domain.consent_appeal import ConsentAppeal, may_appeal
from reclaim.domain.consent_funnel import Funnel
from reclaim.domain.consent_program import ConsentProgram
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.ids import PersonId
from reclaim.domain.membership import ChangeWhy, MembershipChange, Result
from reclaim.domain.wait_list import Waiter


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentView:
    """One request as one reader sees it.

    Attributes:
        viewer: Whose card it is: the holder, or who decides.
        leave, restore: The newest change that carries it out, or undoes it.
        mode: Whether anything is really removed.
        undo_window: So long after a removal it can come back.
        until: The way back closes then; None: nothing was removed.
        back_refusal: Why it cannot be given back now; None: it can.
        appeal, decider_name: The holder's appeal, if there is one, and who decides about it.
        reminders_left: When the holder is still to be reminded of the present question, the next one first.
        reminder: The number of the newest reminder; 0: there was none yet.
    """

    request: ConsentRequest
    program: ConsentProgram
    viewer: PersonId
    holder_name: str
    manager_name: str | None
    now: datetime
    undo_window: timedelta
    mode: WriteMode = WriteMode.LIVE
    leave: MembershipChange | None = None
    restore: MembershipChange | None = None
    until: datetime | None = None
    back_refusal: str | None = None
    appeal: ConsentAppeal | None = None
    decider_name: str | None = None
    reminders_left: Sequence[datetime] = ()
    reminder: int = 0

    @property
    def to_holder(self) -> bool:
        """Whether the reader holds it."""
        return self.viewer == self.request.person_id

    @property
    def can_appeal(self) -> bool:
        """Whether the holder can appeal now."""
        return self.can_come_back and self.appeal is None and may_appeal(self.request)

    @property
    def can_come_back(self) -> bool:
        """Whether the holder can have it back now."""
        return self.until is not None and self.back_refusal is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramView:
    """A program with its funnel and its newest run."""

    program: ConsentProgram
    funnel: Funnel
    newest_run: ConsentRun | None
    owner_name: str
    waiting_list: int
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run with its program."""

    run: ConsentRun
    program: ConsentProgram
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiterView:
    """A place on a waiting list."""

    waiter: Waiter
    application: str
    person_name: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLine:
    """A request in a list."""

    request: ConsentRequest
    holder_name: str
    restored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPage:
    """A page of a program's requests."""

    program: ConsentProgram
    rows: Sequence[RequestLine]
    total: int
    page: int
    pages: int
    only: str | None = None


def newest(changes: Sequence[MembershipChange], why: ChangeWhy) -> MembershipChange | None:
    """Return the newest change of a kind, None if there is none."""
    return next((one for one in reversed(changes) if one.why is why and one.result is not Result.WITHDRAWN), None)


def needs_a_person(state: RequestState) -> bool:
    """Whether somebody has to do by hand what Reclaim may not, or could not."""
    return state in NEED_A_PERSON
