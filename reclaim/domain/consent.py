"""A consent request: one person and one application of which no use is seen, and what they or others say to that.

Life: waiting → asked → agreed | kept | later → asked | with_manager → agreed, kept | expired (kept); or enforced, without
asking or by silence where the program says so. Agreed and enforced ones end with what became of the membership. When in
doubt the person keeps the application.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from reclaim.domain.calendar import end_of_day, local_day
from reclaim.domain.consent_program import ABSENCE_SOURCES, ConsentProgram, KeepDecides, OnSilence, Terms
from reclaim.domain.ids import ConsentId, ConsentRunId, GroupId, PersonId, ProductId, ProgramId
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized

NOTE_LENGTH: Final = 300
LATER: Final = timedelta(days=7)
MANAGER_DAYS: Final = 7

# From a person's tap on "Give it up" to the write: so long Undo costs nothing.
GRACE: Final = timedelta(minutes=10)


class RequestState(StrEnum):
    """Where a request stands; those after `ENFORCED` have ended."""

    WAITING = "waiting"  # found, and not asked yet: there are caps on questions
    ASKED = "asked"
    LATER = "later"
    WITH_MANAGER = "with_manager"
    AGREED = "agreed"
    ENFORCED = "enforced"
    KEPT = "kept"
    EXPIRED = "expired"  # kept by silence
    REMOVED = "removed"  # verified
    NOT_A_MEMBER = "not_a_member"
    BY_HAND = "by_hand"  # somebody has to do it: why says what stands in the way
    STILL_THERE = "still_there"  # out of the group, and still has it through something else
    USED_AGAIN = "used_again"
    USE_UNKNOWN = "use_unknown"  # no source tells any more that it is not used: kept
    EXCLUDED = "excluded"
    LEFT = "left"  # the account is gone
    UNREACHED = "unreached"  # no chat reaches the person, so they could not be asked: kept
    FAILED = "failed"
    DRY_RUN = "dry_run"
    CANCELLED = "cancelled"  # the program has ended


UNDECIDED: Final = frozenset({RequestState.WAITING, RequestState.ASKED, RequestState.LATER, RequestState.WITH_MANAGER})
APPROVED: Final = frozenset({RequestState.AGREED, RequestState.ENFORCED})
OPEN: Final = UNDECIDED | APPROVED
NEED_A_PERSON: Final = frozenset({RequestState.BY_HAND, RequestState.STILL_THERE, RequestState.FAILED})


class ApprovedBy(StrEnum):
    """By whose word a membership is removed."""

    HOLDER = "holder"
    MANAGER = "manager"
    SILENCE = "silence"  # the program says that no answer removes
    PROGRAM = "program"  # the program removes without asking


class StillUsed(StrEnum):
    """Why a holder keeps it; wording in cards/consent.py."""

    USES_IT = "uses_it"
    OTHER_DEVICE = "other_device"
    LATER = "later"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoUse:
    """What a usage source said of one person and application, frozen when the request was made.

    Attributes:
        last_used_at: The latest use on any device; None: the source says how long it is unused, and not since when. Of an
            absence: by when it was on none of their devices.
        unused_days: As the source says, or counted from `last_used_at`.
        device: On which device that was, where the source names one.
        source: Name of the usage source.
        observed_at: When the source saw it.
    """

    last_used_at: datetime | None
    unused_days: int
    device: str | None
    source: str
    observed_at: datetime

    @property
    def is_absence(self) -> bool:
        """Whether it says no more than that the application is not installed."""
        return self.source in ABSENCE_SOURCES


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRequest:
    """One request as stored.

    Attributes:
        asked_at: When they were first asked.
        due_at: When the present question closes: to the holder, or to the manager.
        later_until: When somebody who asked for time is asked again.
        had_time: Whether they asked for time already, which they can do once.
        reminded: Reminders sent for the present question.
        manager_id: Who decides, once it went there.
        answered_by, answered_at: Of the newest answer.
        reason, note: Why the holder keeps it.
        approved_by: By whose word it goes; None: nobody's.
        why, detail: Of what it ended in: a word of a fixed list, and a name or number beside it.
        version: Compare-and-set column.
    """

    id: ConsentId
    program_id: ProgramId
    run_id: ConsentRunId
    person_id: PersonId
    product_id: ProductId
    group_id: GroupId
    no_use: NoUse
    state: RequestState
    found_at: datetime
    version: int = 1
    asked_at: datetime | None = None
    due_at: datetime | None = None
    later_until: datetime | None = None
    had_time: bool = False
    reminded: int = 0
    manager_id: PersonId | None = None
    answered_by: PersonId | None = None
    answered_at: datetime | None = None
    reason: StillUsed | None = None
    note: str | None = None
    approved_by: ApprovedBy | None = None
    ended_at: datetime | None = None
    why: str | None = None
    detail: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether something is still to happen."""
        return self.state in OPEN

    def ended(
        self, state: RequestState, now: datetime, *, why: str | None = None, detail: str | None = None
    ) -> "ConsentRequest":
        """Return the request with its end."""
        return replace(self, state=state, ended_at=now, why=why, detail=detail, due_at=None, version=self.version + 1)

    @property
    def kept_by_word(self) -> bool:
        """Whether somebody said that it is still needed, so that the clock of its use begins anew."""
        return self.state is RequestState.KEPT and self.answered_at is not None


def ask(request: ConsentRequest, program: ConsentProgram, now: datetime) -> ConsentRequest:
    """Return the request as put to its holder, for the first time or again after the time they asked for."""
    if request.state not in (RequestState.WAITING, RequestState.LATER):
        raise Conflict("This question was asked already.")
    return replace(
        request,
        state=RequestState.ASKED,
        asked_at=request.asked_at or now,
        due_at=due(program.terms, now),
        later_until=None,
        reminded=0,
        version=request.version + 1,
    )


def due(terms: Terms, now: datetime, days: int | None = None) -> datetime:
    """Return when a question that is asked now closes: the end of the local day after so many days."""
    day = local_day(now, terms.zone) + timedelta(days=days if days is not None else terms.answer_days)
    return end_of_day(day, terms.zone)


def reminder_times(request: ConsentRequest, terms: Terms) -> tuple[datetime, ...]:
    """Return when the present question to the holder reminds: so many times, evenly over its time."""
    if request.state is not RequestState.ASKED or request.due_at is None:
        return ()
    start = request.due_at - timedelta(days=terms.answer_days + 1)
    return tuple(
        start + (request.due_at - start) * number / (terms.reminders + 1) for number in range(1, terms.reminders + 1)
    )


def agree(request: ConsentRequest, by: PersonId, now: datetime) -> ConsentRequest:
    """The holder gives it up.

    Raises:
        NotAuthorized: Somebody else answers.
        Conflict: It is answered or over.
    """
    _check_holder(request, by, now)
    return _approved(request, ApprovedBy.HOLDER, by, now)


def keep(
    request: ConsentRequest,
    program: ConsentProgram,
    by: PersonId,
    now: datetime,
    *,
    reason: StillUsed | None,
    note: str,
    manager: PersonId | None,
) -> ConsentRequest:
    """The holder still uses it. Where the manager decides, and there is one, it goes on to them.

    Raises:
        NotAuthorized: Somebody else answers.
        Conflict: It is answered or over.
        InvalidRequest: The note is too long.
    """
    _check_holder(request, by, now)
    said = replace(request, answered_by=by, answered_at=now, reason=reason, note=checked_note(note))
    if program.terms.keep_decided_by is KeepDecides.MANAGER and manager is not None:
        return to_manager(said, program, manager, now)
    return said.ended(RequestState.KEPT, now)


def later(request: ConsentRequest, by: PersonId, now: datetime) -> ConsentRequest:
    """The holder wants to be asked again, which they can do once.

    Raises:
        NotAuthorized: Somebody else answers.
        Conflict: It is answered or over, or they had that time already.
    """
    _check_holder(request, by, now)
    if request.had_time:
        raise Conflict("You asked for more time once already. Please answer now, or let it pass.")
    return replace(
        request,
        state=RequestState.LATER,
        later_until=now + LATER,
        had_time=True,
        due_at=None,
        answered_by=by,
        answered_at=now,
        version=request.version + 1,
    )


def withdraw(request: ConsentRequest, program: ConsentProgram, by: PersonId, now: datetime) -> ConsentRequest:
    """Take back "give it up" before anything is written: the question is open again.

    Raises:
        NotAuthorized: Somebody else.
        Conflict: There is nothing of theirs to take back.
    """
    if by != request.person_id:
        raise NotAuthorized("This question is for somebody else.")
    if request.state is not RequestState.AGREED or request.approved_by is not ApprovedBy.HOLDER:
        raise Conflict("There is nothing to take back. You see the present state now.")
    return replace(
        request,
        state=RequestState.ASKED,
        approved_by=None,
        answered_by=None,
        answered_at=None,
        due_at=due(program.terms, now),
        reminded=program.terms.reminders,  # who has just answered needs no reminder
        version=request.version + 1,
    )


def to_manager(request: ConsentRequest, program: ConsentProgram, manager: PersonId, now: datetime) -> ConsentRequest:
    """Return the request as put to the holder's manager."""
    return replace(
        request,
        state=RequestState.WITH_MANAGER,
        manager_id=manager,
        due_at=due(program.terms, now, MANAGER_DAYS),
        version=request.version + 1,
    )


def manager_takes(request: ConsentRequest, by: PersonId, now: datetime) -> ConsentRequest:
    """The manager decides that it goes.

    Raises:
        NotAuthorized: Somebody else decides.
        Conflict: It is not with the manager any more.
    """
    _check_manager(request, by)
    return _approved(request, ApprovedBy.MANAGER, by, now)


def manager_keeps(request: ConsentRequest, by: PersonId, now: datetime) -> ConsentRequest:
    """The manager decides that it stays.

    Raises:
        NotAuthorized: Somebody else decides.
        Conflict: It is not with the manager any more.
    """
    _check_manager(request, by)
    return replace(
        request,
        state=RequestState.KEPT,
        answered_by=by,
        answered_at=now,
        ended_at=now,
        due_at=None,
        version=request.version + 1,
    )


def silent(
    request: ConsentRequest, program: ConsentProgram, now: datetime, *, reached: bool, manager: PersonId | None
) -> ConsentRequest:
    """Return what a question becomes that nobody has answered in time.

    Args:
        request: Asked, or with the manager, and due.
        program: What it says about silence.
        now: The time.
        reached: Whether the card is known to have arrived. What nobody was asked, nobody can answer: it is kept.
        manager: Who could decide, None if there is nobody.

    Raises:
        Conflict: It is not due, or not asked.
    """
    if request.due_at is None or now < request.due_at:
        raise Conflict("There is still time to answer.")
    if request.state is RequestState.WITH_MANAGER:
        # Silence of a manager never takes away what the holder says they use, nor what the holder was not asked in words.
        return request.ended(RequestState.EXPIRED, now, why="manager_silent")
    if request.state is not RequestState.ASKED:
        raise Conflict("This question is not open.")
    if not reached:
        return request.ended(RequestState.UNREACHED, now)
    match program.terms.on_silence:
        case OnSilence.REMOVE:
            return _approved(request, ApprovedBy.SILENCE, None, now)
        case OnSilence.ESCALATE if manager is not None:
            return to_manager(request, program, manager, now)
        case _:
            return request.ended(RequestState.EXPIRED, now, why="silent")


def enforce(request: ConsentRequest, now: datetime) -> ConsentRequest:
    """Return a request that the program approves without asking."""
    return _approved(request, ApprovedBy.PROGRAM, None, now)


def is_candidate(no_use: NoUse, terms: Terms, *, kept_at: Sequence[datetime], now: datetime) -> bool:
    """Say whether somebody may be asked about an application of which no use is seen.

    Args:
        no_use: What the source says.
        terms: Of the program.
        kept_at: When anybody said that they still use it: that counts as use, so the clock begins anew there.
        now: The time.
    """
    window = timedelta(days=terms.unused_days)
    if no_use.unused_days < terms.unused_days:
        return False
    if no_use.last_used_at is not None and now - no_use.last_used_at < window:
        return False
    return all(now - at >= window for at in kept_at)


def checked_note(text: str) -> str | None:
    """Return what the holder says, as it is kept; None: nothing.

    Raises:
        InvalidRequest: It is too long.
    """
    note = " ".join(text.split())
    if len(note) > NOTE_LENGTH:
        raise InvalidRequest(f"Please use at most {NOTE_LENGTH} characters.", field="note")
    return note or None


def _approved(request: ConsentRequest, how: ApprovedBy, by: PersonId | None, now: datetime) -> ConsentRequest:
    by_word = how in (ApprovedBy.HOLDER, ApprovedBy.MANAGER)
    return replace(
        request,
        state=RequestState.AGREED if by_word else RequestState.ENFORCED,
        approved_by=how,
        answered_by=by if by_word else request.answered_by,
        answered_at=now if by_word else request.answered_at,
        due_at=None,
        version=request.version + 1,
    )


def _check_holder(request: ConsentRequest, by: PersonId, now: datetime) -> None:
    if by != request.person_id:
        raise NotAuthorized("This question is for somebody else.")
    if request.state not in (RequestState.ASKED, RequestState.LATER):
        raise Conflict("This question is answered or over. You see the present state now.")
    if request.due_at is not None and now >= request.due_at:
        raise Conflict("The time to answer is over. You see the present state now.")


def _check_manager(request: ConsentRequest, by: PersonId) -> None:
    if request.state is not RequestState.WITH_MANAGER:
        raise Conflict("This is decided or over. You see the present state now.")
    if by != request.manager_id:
        raise NotAuthorized("This decision is with somebody else.")
