"""A review item and what may be answered to it, by whom and until when."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from reclaim.domain.activity import SignInKind
from reclaim.domain.campaign import Campaign, CampaignState, Silence
from reclaim.domain.directory import AssigneeKind, Path, Person
from reclaim.domain.idle import Rule
from reclaim.domain.ids import AssigneeId, BatchId, CampaignId, GroupId, ItemId, PersonId, ProductId, SeatId
from reclaim.domain.money import Money
from reclaim.domain.removal import Outcome, RemovalPlan
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized

# Who can review in each group, as last read; a group that was not read is missing, and nobody answers for it.
Members = Mapping[GroupId, Set[PersonId]]

NOTE_LENGTH = 1_000
MAX_HANDOVERS = 3


class Choice(StrEnum):
    """An answer, or its withdrawal."""

    REVOKE = "revoke"
    KEEP = "keep"
    NOT_SURE = "not_sure"
    WITHDRAWN = "withdrawn"


class Recommendation(StrEnum):
    """What we would do."""

    REVOKE = "revoke"
    LOOK_CLOSER = "look_closer"


class KeepReason(StrEnum):
    """Why a seat is kept against the recommendation; wording in cards/review.py."""

    CURRENT_WORK = "current_work"
    SEASONAL = "seasonal"
    AWAY = "away"
    SHARED = "shared"
    LEGAL_HOLD = "legal_hold"
    OTHER = "other"  # asks a note


class Waiting(StrEnum):
    """Where an approved removal stands until it has an outcome."""

    QUEUED = "queued"
    FROZEN = "frozen"
    PENDING_VERIFICATION = "pending_verification"


class AssignedHow(StrEnum):
    """How the present reviewer came to the item."""

    MANAGER = "manager"
    OWNER = "owner"
    PERSON = "person"
    FALLBACK = "fallback"  # with `reason` a value of FallbackWhy
    DELEGATED = "delegated"
    TAKEN_BACK = "taken_back"
    NOT_SURE = "not_sure"
    GIVEN_BACK = "given_back"
    REASSIGNED = "reassigned"


class FallbackWhy(StrEnum):
    """Why the fallback reviewer stands in."""

    NO_MANAGER = "no_manager"
    MANAGER_DISABLED = "manager_disabled"
    NO_OWNER = "no_owner"
    OWNER_DISABLED = "owner_disabled"
    OWNER_GONE = "owner_gone"
    GROUP_UNREAD = "group_unread"  # the newest sync did not read its members, so nobody knows who is in it
    GROUP_EMPTY = "group_empty"  # no enabled member but the holder
    OWN_SEAT = "own_seat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The evidence as shown, frozen when the campaign opened.

    Attributes:
        path_names: Group id → name, for the paths.
        monthly: Price of the seat per month, None if unknown.
    """

    person_name: str
    upn: str
    department: str | None
    account_enabled: bool | None
    disabled_seen_at: datetime | None
    sku_name: str
    part_number: str
    last_seen_at: datetime | None
    last_seen_kind: SignInKind | None
    quiet_since: datetime
    assigned_at: datetime | None
    data_as_of: datetime
    paths: tuple[Path, ...]
    path_names: Mapping[str, str]
    monthly: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The present answer to an item."""

    choice: Choice
    by: PersonId
    at: datetime
    batch_id: BatchId
    reason: KeepReason | None = None
    note: str | None = None
    keep_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem:
    """One seat put to one reviewer.

    Attributes:
        assignee_id: Who may answer now, a person or a group; None only while a campaign opens and when nobody could be
            found: it ends kept.
        delegated_by: Who handed it to the present assignee, and may take it back while it is open.
        moved_from: The person or group that had it before a delegation, which goes back there, or before an admin's move.
        moved_by: The admin who moved it to the present assignee, or who gave it back.
        not_sure_by: Who said Not sure before it moved to the fallback reviewer.
        answer: None while it is open.
        outcome: None until it has ended; `waiting` says where a removal stands.
        bulk_revocable: False for what must be looked at one by one (rule 6).
    """

    id: ItemId
    campaign_id: CampaignId
    seat_id: SeatId
    person_id: PersonId
    product_id: ProductId
    rule: Rule
    recommendation: Recommendation
    snapshot: Snapshot
    plan: RemovalPlan
    version: int
    assignee_id: AssigneeId | None
    assigned_how: AssignedHow
    assignee_kind: AssigneeKind = AssigneeKind.PERSON
    assigned_reason: str | None = None
    delegated_by: PersonId | None = None
    moved_from: AssigneeId | None = None
    moved_by: PersonId | None = None
    handovers: int = 0
    not_sure_by: PersonId | None = None
    answer: Answer | None = None
    waiting: Waiting | None = None
    outcome: Outcome | None = None
    outcome_reason: str | None = None
    outcome_at: datetime | None = None
    verified_at: datetime | None = None

    @property
    def group_id(self) -> GroupId | None:
        """The group that has it, None where a person or nobody does."""
        of_group = self.assignee_id is not None and self.assignee_kind is AssigneeKind.GROUP
        return GroupId(self.assignee_id) if of_group and self.assignee_id else None

    def is_with(self, person: PersonId, members: Members) -> bool:
        """Whether this person may answer it: as its assignee, or as a member of the group; never as its holder (rule 4)."""
        if person == self.person_id:
            return False
        group = self.group_id
        return person == self.assignee_id if group is None else person in members.get(group, ())

    @property
    def bulk_revocable(self) -> bool:
        """Whether a bulk revoke may touch it: never the last mailbox or OneDrive."""
        return not self.plan.held

    @property
    def can_revoke(self) -> bool:
        """Whether Revoke is offered. A held seat is not until the data-loss guard lets its assignee choose it."""
        return not self.plan.held


def recommend(plan: RemovalPlan) -> Recommendation:
    """Return what we would do with a flagged seat: revoke what can be revoked, look closer at all else."""
    return Recommendation.REVOKE if plan.writable else Recommendation.LOOK_CLOSER


def _check_assignee(
    item: ReviewItem, campaign: Campaign, actor: Actor, names: Mapping[AssigneeId, str], members: Members
) -> None:
    _check_open(campaign)
    if actor.id == item.person_id:
        other = names.get(item.assignee_id, "someone else") if item.assignee_id else "nobody yet"
        raise NotAuthorized(f"This is your own seat, so someone else decides. It is with {other}.")
    if not item.is_with(actor.id, members) or not actor.is_person:
        raise NotAuthorized(whose(item, names))


def _check_open(campaign: Campaign) -> None:
    if campaign.state is not CampaignState.OPEN:
        raise Conflict(f"{campaign.name} is {campaign.state.value}. Answers can no longer be changed.")


def whose(item: ReviewItem, names: Mapping[AssigneeId, str]) -> str:
    """Return the refusal to somebody who may not answer: who can."""
    if item.group_id is not None:
        group = names.get(item.group_id, "a group")
        return f"This seat is with {group} now. Only its members can answer."
    other = names.get(item.assignee_id, "someone else") if item.assignee_id else "nobody"
    return f"This seat is with {other} now. Only {other.split(' ')[0]} can answer."


def answer(
    item: ReviewItem,
    campaign: Campaign,
    actor: Actor,
    *,
    choice: Choice,
    now: datetime,
    batch_id: BatchId,
    bulk: bool,
    reason: KeepReason | None = None,
    note: str | None = None,
    keep_until: date | None = None,
    names: Mapping[AssigneeId, str],
    members: Members,
) -> ReviewItem:
    """Return the item with this answer, or with a withdrawn one.

    Args:
        bulk: The click spoke of several items at once.
        names: Display names, for the refusal.
        members: Of the group that has the item, if one does.

    Raises:
        NotAuthorized: The actor is not the present assignee or no member of the group that is, or holds the seat.
        Conflict: The campaign is not open, the item has ended, another member of the group was first, there is nothing to
            withdraw, or rule 6 wants the item's own card for a revoke.
        InvalidRequest: A keep against the recommendation without a reason, or a date or note out of bounds.
    """
    _check_assignee(item, campaign, actor, names, members)
    if item.outcome is not None:
        raise Conflict("This seat is already settled.")
    if item.answer is not None and item.answer.by != actor.id:
        raise Conflict(first_answer(item.answer, names))
    if choice is Choice.WITHDRAWN:
        if item.answer is None:
            raise Conflict("There is no answer to take back.")
        return replace(item, answer=None, version=item.version + 1)
    if choice is Choice.REVOKE and not item.can_revoke:
        raise Conflict(
            "This seat holds the only mailbox or files of this person. It is held and cannot be revoked here."
        )
    if choice is Choice.KEEP:
        _check_keep(item, campaign, now, reason, note, keep_until)
    answered = Answer(
        choice=choice, by=actor.id, at=now, batch_id=batch_id, reason=reason, note=note or None, keep_until=keep_until
    )
    moves = (
        choice is Choice.NOT_SURE
        and item.not_sure_by is None
        and campaign.fallback_id not in (None, actor.id, item.person_id)
    )
    if moves:
        return replace(
            item,
            assignee_id=campaign.fallback_id,
            assignee_kind=AssigneeKind.PERSON,
            assigned_how=AssignedHow.NOT_SURE,
            assigned_reason=None,
            delegated_by=None,
            moved_from=None,
            moved_by=None,
            not_sure_by=actor.id,
            answer=None,
            version=item.version + 1,
        )
    return replace(item, answer=answered, version=item.version + 1)


def _check_keep(
    item: ReviewItem,
    campaign: Campaign,
    now: datetime,
    reason: KeepReason | None,
    note: str | None,
    keep_until: date | None,
) -> None:
    if item.recommendation is Recommendation.REVOKE and reason is None:
        raise InvalidRequest("Please pick a reason.", field="reason")
    if reason is KeepReason.OTHER and not (note and note.strip()):
        raise InvalidRequest("Please say in one sentence why.", field="note")
    if note is not None and len(note) > NOTE_LENGTH:
        raise InvalidRequest(f"Please use at most {NOTE_LENGTH:,} characters.", field="note")
    if reason in (KeepReason.SEASONAL, KeepReason.AWAY) and keep_until is None:
        raise InvalidRequest("Please pick a date.", field="until")
    last = date.fromordinal(now.date().toordinal() + 180)
    if keep_until is not None and not now.date() < keep_until <= last:
        raise InvalidRequest(f"Please pick a date up to {last.day} {last:%b %Y}.", field="until")


def first_answer(given: Answer, names: Mapping[AssigneeId, str]) -> str:
    """Return the refusal to who comes second: the first answer counts."""
    return (
        f"{names.get(given.by, 'Someone')} answered a moment ago: {given.choice.value}. You see the present state now."
    )


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
    _check_assignee(item, campaign, actor, names, members)
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
    _check_open(campaign)
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
    _check_assignee(item, campaign, actor, names, {})
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the close makes of an item: a removal, or an end without one.

    Attributes:
        remove: True if a removal order is to be written.
        outcome: How the item ends otherwise.
        reason: One word of a fixed list, for the trail.
    """

    remove: bool
    outcome: Outcome | None
    reason: str


def verdict(item: ReviewItem, silence: Silence, *, card_delivered: bool) -> Verdict:
    """Decide what becomes of an item when its campaign closes.

    Args:
        card_delivered: Whether the present assignee, or a member of the group who can review, got a card that shows this
            item. Silence removes nothing otherwise.
    """
    choice = item.answer.choice if item.answer else None
    if choice is Choice.KEEP:
        return Verdict(False, Outcome.KEPT, "kept_by_reviewer")
    if choice is Choice.NOT_SURE or (choice is None and item.not_sure_by is not None):
        return Verdict(False, Outcome.KEPT, "not_sure")
    if choice is None:
        by_silence = silence is Silence.REMOVE or (
            silence is Silence.RECOMMENDATION and item.recommendation is Recommendation.REVOKE
        )
        if not by_silence:
            return Verdict(False, Outcome.KEPT, "no_answer")
        if item.assignee_id is None or not card_delivered:
            return Verdict(False, Outcome.KEPT, "no_card_delivered")
        if not item.plan.writable:
            return Verdict(False, Outcome.KEPT, "needs_a_person")
    if item.plan.held:
        return Verdict(False, Outcome.HELD, item.plan.blocker.value if item.plan.blocker else "held")
    if not item.plan.writable:
        return Verdict(False, Outcome.NOT_SUPPORTED, item.plan.blocker.value if item.plan.blocker else "no_step")
    return Verdict(True, None, "approved" if choice is Choice.REVOKE else "by_silence")
