"""How an item moves from one assignee to another: passed on, taken back, given back, moved by an admin. None decides it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.directory import AssigneeKind, Person
from reclaim.domain.ids import AssigneeId, PersonId
from reclaim.domain.review import NOTE_LENGTH, AssignedHow, Members, ReviewItem, check_assignee, check_open
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized

MAX_HANDOVERS = 3


def delegate(
    item: ReviewItem,
    campaign: Campaign,
    actor: Actor,
    *,
    to: Person,
    reason: str,
    names: Mapping[AssigneeId, str],
    members: Members,
) -> ReviewItem:
    """Hand an open item to someone better placed. It moves the item and decides nothing.

    Raises:
        NotAuthorized: The actor is not the present assignee, or no member of the group that is.
        Conflict: The campaign is not open, the item is answered, or it was handed over three times already.
        InvalidRequest: No reason, or the person holds the seat, cannot review, or already has it.
    """
    check_assignee(item, campaign, actor, names, members)
    if item.answer is not None:
        raise Conflict("This seat is answered. Undo the answer first, then pass it on.")
    if item.handovers >= MAX_HANDOVERS:
        raise Conflict("This seat was passed on three times. Please decide, or pick Not sure.")
    if not reason.strip():
        raise InvalidRequest("Please say in one sentence why this person.", field="note")
    if len(reason) > NOTE_LENGTH:
        raise InvalidRequest(f"Please use at most {NOTE_LENGTH:,} characters.", field="note")
    if to.id == actor.id:
        raise InvalidRequest("You have this seat already. Pick someone else.", field="who")
    _check_taker(item, to)
    return replace(
        item,
        assignee_id=to.id,
        assignee_kind=AssigneeKind.PERSON,
        assigned_how=AssignedHow.DELEGATED,
        assigned_reason=reason.strip(),
        delegated_by=actor.id,
        moved_from=item.assignee_id,
        moved_by=None,
        handovers=item.handovers + 1,
        version=item.version + 1,
    )


def reassign(item: ReviewItem, campaign: Campaign, *, to: Person, by: PersonId) -> ReviewItem:
    """Move an open item to another reviewer, as an administrator does. It decides nothing, and may be passed on anew.

    Raises:
        Conflict: The campaign is not open, or the item is answered.
        InvalidRequest: The person holds the seat, cannot review, or already has it.
    """
    if campaign.state is not CampaignState.OPEN:
        raise Conflict(f"{campaign.name} is {campaign.state.value}. Seats can be moved only while it is open.")
    if item.answer is not None:
        raise Conflict("This seat is answered. It stays with who answered.")
    if to.id == item.assignee_id:
        raise InvalidRequest(f"{to.shown_name} has this seat already. Pick someone else.", field="to")
    _check_taker(item, to, field="to")
    return replace(
        item,
        assignee_id=to.id,
        assignee_kind=AssigneeKind.PERSON,
        assigned_how=AssignedHow.REASSIGNED,
        assigned_reason=None,
        delegated_by=None,
        moved_from=item.assignee_id,
        moved_by=by,
        handovers=0,
        version=item.version + 1,
    )


def _check_taker(item: ReviewItem, to: Person, *, field: str = "who") -> None:
    if to.id == item.person_id:
        raise InvalidRequest(f"{to.shown_name} holds this seat. Pick someone else.", field=field)
    if to.gone_at is not None:
        raise InvalidRequest(f"{to.shown_name} has left. Pick someone else.", field=field)
    if to.enabled is not True:
        raise InvalidRequest(f"{to.shown_name}’s account is disabled. Pick someone else.", field=field)
    if not to.can_review:
        raise InvalidRequest(f"{to.shown_name} is a guest. Pick someone else.", field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One entry of an item's history of assignees; the first one is how it was found."""

    assignee_id: AssigneeId
    kind: AssigneeKind
    how: AssignedHow
    by: PersonId | None
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """One delegation that still stands: who passed it on, from whom they had it, and why."""

    by: PersonId
    moved_from: AssigneeId
    reason: str | None


def handovers(history: Sequence[Move]) -> tuple[Handover, ...]:
    """Return the delegations that still stand, oldest first.

    One that was taken or given back does not; an admin's move or Not sure ends them all.
    """
    standing: list[Handover] = []
    before: Move | None = None
    for move in history:
        if move.how is AssignedHow.DELEGATED and before is not None and move.by is not None:
            standing.append(Handover(move.by, before.assignee_id, move.reason))
        elif move.how in (AssignedHow.TAKEN_BACK, AssignedHow.GIVEN_BACK):
            standing = standing[:-1]
        else:
            standing = []
        before = move
    return tuple(standing)


def take_back(item: ReviewItem, campaign: Campaign, actor: Actor, history: Sequence[Move]) -> ReviewItem:
    """Return an item that the actor delegated and that is still open, to where it came from: the actor, or their group.

    Args:
        history: Of its assignees, oldest first.

    Raises:
        NotAuthorized: Somebody else delegated it.
        Conflict: The campaign is not open, or it was answered in the meantime.
    """
    check_open(campaign)
    if item.delegated_by is None or item.delegated_by != actor.id:
        raise NotAuthorized("Only who passed this seat on can take it back.")
    if item.answer is not None:
        raise Conflict("It was answered in the meantime.")
    return replace(_returned(item, history), assigned_how=AssignedHow.TAKEN_BACK, moved_by=None)


def give_back(
    item: ReviewItem,
    campaign: Campaign,
    actor: Actor,
    history: Sequence[Move],
    *,
    can_take: bool,
    names: Mapping[AssigneeId, str],
) -> ReviewItem:
    """Return an open item to who passed it on, or to their group. It counts as no further hand-over.

    Args:
        history: Of its assignees, oldest first.
        can_take: Whether the person can still review, or somebody of the group can.

    Raises:
        NotAuthorized: The actor does not have the item.
        Conflict: The campaign is not open, it was not passed on or is answered, or nobody there could answer it.
    """
    check_assignee(item, campaign, actor, names, {})
    if item.delegated_by is None:
        raise Conflict("Nobody passed this seat on to you.")
    if item.answer is not None:
        raise Conflict("This seat is answered. Undo the answer first, then give it back.")
    if not can_take:
        to = names.get(item.moved_from or item.delegated_by, "Who passed it on")
        raise Conflict(f"{to} can no longer answer. Please decide, or pass it on to someone else.")
    return replace(_returned(item, history), assigned_how=AssignedHow.GIVEN_BACK, moved_by=actor.id)


def _returned(item: ReviewItem, history: Sequence[Move]) -> ReviewItem:
    """Return the item where it was before the last delegation; the one before that stands again."""
    back_to = item.moved_from or item.delegated_by
    kind = AssigneeKind.PERSON if back_to == item.delegated_by else AssigneeKind.GROUP
    earlier = handovers(history)[:-1]
    return replace(
        item,
        assignee_id=back_to,
        assignee_kind=kind,
        assigned_reason=earlier[-1].reason if earlier else None,
        delegated_by=earlier[-1].by if earlier else None,
        moved_from=earlier[-1].moved_from if earlier else None,
        version=item.version + 1,
    )
