"""An appeal: a holder whose application was taken without their word asks one person to give it back."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from reclaim.domain.appeals import ANSWER_WITHIN, checked_text
from reclaim.domain.consent import ApprovedBy, ConsentRequest, RequestState
from reclaim.domain.ids import ConsentId, PersonId, ProgramId
from reclaim.errors import Conflict, NotAuthorized


class ConsentAppealState(StrEnum):
    """How an appeal stands."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"  # nobody answered in time: it stays removed
    SETTLED = "settled"  # it is back, or coming back, in another way


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAppeal:
    """One appeal; a request has at most one.

    Attributes:
        decider_id: The holder's manager, or the fallback reviewer.
        reason: Why it stays removed, where somebody said so.
        version: Compare-and-set column.
    """

    request_id: ConsentId
    program_id: ProgramId
    person_id: PersonId
    text: str
    asked_at: datetime
    decider_id: PersonId
    due_at: datetime
    state: ConsentAppealState = ConsentAppealState.OPEN
    ended_at: datetime | None = None
    reason: str | None = None
    version: int = 1

    def to(self, state: ConsentAppealState, now: datetime, reason: str | None = None) -> "ConsentAppeal":
        """Return the appeal with its end.

        Raises:
            Conflict: It has ended.
        """
        if self.state is not ConsentAppealState.OPEN:
            raise Conflict("This appeal is answered or over. You see the present state now.")
        return replace(self, state=state, ended_at=now, reason=reason, version=self.version + 1)


def may_appeal(request: ConsentRequest) -> bool:
    """Say whether a removal can be appealed: whoever gave it up themselves gets it back with a tap."""
    return request.state is RequestState.REMOVED and request.approved_by is not ApprovedBy.HOLDER


def appeal(
    request: ConsentRequest, by: PersonId, text: str, *, decider: PersonId | None, until: datetime | None, now: datetime
) -> ConsentAppeal:
    """Return a new appeal.

    Args:
        decider: Who answers; None: there is nobody.
        until: When the way back closes.

    Raises:
        NotAuthorized: Somebody else's.
        Conflict: There is nothing to appeal, the time is over, or nobody could answer.
        InvalidRequest: No sentence, or a long one.
    """
    if by != request.person_id:
        raise NotAuthorized("This is somebody else’s.")
    if not may_appeal(request) or until is None:
        raise Conflict("There is nothing to appeal here. You see the present state now.")
    if now >= until:
        raise Conflict("The time to get it back is over.")
    if decider is None:
        raise Conflict("Nobody could answer an appeal here. Get it back with the button instead.")
    return ConsentAppeal(
        request_id=request.id,
        program_id=request.program_id,
        person_id=request.person_id,
        text=checked_text(text),
        asked_at=now,
        decider_id=decider,
        due_at=min(now + ANSWER_WITHIN, until),
    )


def check_decider(one: ConsentAppeal, by: PersonId) -> None:
    """Go on only with who is to decide.

    Raises:
        NotAuthorized: Somebody else.
    """
    if by != one.decider_id:
        raise NotAuthorized("This appeal is with somebody else.")
