"""A review item and what may be answered to it, by whom and until when."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from reclaim.domain.activity import SignInKind
from reclaim.domain.campaign import Campaign, CampaignState, Silence
from reclaim.domain.directory import AssigneeKind, Path
from reclaim.domain.idle import Rule
from reclaim.domain.ids import AssigneeId, BatchId, CampaignId, GroupId, ItemId, PersonId, ProductId, SeatId
from reclaim.domain.money import Money
from reclaim.domain.removal import NOBODYS, Blocker, Outcome, RemovalPlan
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized

# Who can review in each group, as last read; a group that was not read is missing, and nobody answers for it.
Members = Mapping[GroupId, Set[PersonId]]

NOTE_LENGTH = 1_000


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


class DataLoss(StrEnum):
    """What the assignee of a seat with the last mailbox or files chose about that data (rule 6)."""

    ANYWAY = "anyway"  # revoke; the data goes with it
    CONVERT_FIRST = "convert_first"  # somebody makes it a shared mailbox, and takes the license then


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
        last_used_at, reported_at: By usage reports, where the rule reads them; see `idle.Finding`.
        path_names: Id → name, of the groups of the paths and of the products that need this one.
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
    last_used_at: datetime | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The present answer to an item; `data_loss` only to a revoke of a seat that is held for its data."""

    choice: Choice
    by: PersonId
    at: datetime
    batch_id: BatchId
    reason: KeepReason | None = None
    note: str | None = None
    keep_until: date | None = None
    data_loss: DataLoss | None = None


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
        """Whether a plain Revoke is offered. To revoke a held seat, its assignee says what becomes of the data."""
        return not self.plan.held

    @property
    def can_lose(self) -> bool:
        """Whether it is held for its data alone, so that its assignee may revoke it with what goes along.

        Campaigns opened before that choice was there know no steps for such a seat.
        """
        return self.plan.held and bool(self.plan.steps)

    @property
    def accepts_loss(self) -> bool:
        """Whether its assignee revoked it though the data goes with it."""
        return self.answer is not None and self.answer.data_loss is DataLoss.ANYWAY


def recommend(plan: RemovalPlan) -> Recommendation:
    """Return what we would do with a flagged seat: revoke what can be revoked, look closer at all else."""
    return Recommendation.REVOKE if plan.writable else Recommendation.LOOK_CLOSER


def check_assignee(
    item: ReviewItem, campaign: Campaign, actor: Actor, names: Mapping[AssigneeId, str], members: Members
) -> None:
    """Refuse who may not answer now.

    Raises:
        NotAuthorized: The actor is not the present assignee or no member of the group that is, or holds the seat.
        Conflict: The campaign is not open.
    """
    check_open(campaign)
    if actor.id == item.person_id:
        other = names.get(item.assignee_id, "someone else") if item.assignee_id else "nobody yet"
        raise NotAuthorized(f"This is your own seat, so someone else decides. It is with {other}.")
    if not item.is_with(actor.id, members) or not actor.is_person:
        raise NotAuthorized(whose(item, names))


def check_open(campaign: Campaign) -> None:
    """Refuse where answers can no longer be changed.

    Raises:
        Conflict: The campaign is not open.
    """
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
    data_loss: DataLoss | None = None,
    names: Mapping[AssigneeId, str],
    members: Members,
) -> ReviewItem:
    """Return the item with this answer, or with a withdrawn one.

    Args:
        bulk: The click spoke of several items at once.
        data_loss: With a revoke of a held seat: what becomes of its data.
        names: Display names, for the refusal.
        members: Of the group that has the item, if one does.

    Raises:
        NotAuthorized: The actor is not the present assignee or no member of the group that is, or holds the seat.
        Conflict: The campaign is not open, the item has ended, another member of the group was first, there is nothing to
            withdraw, or rule 6 wants the item's own card for a revoke.
        InvalidRequest: A keep against the recommendation without a reason, or a date or note out of bounds.
    """
    check_assignee(item, campaign, actor, names, members)
    if item.outcome is not None:
        raise Conflict("This seat is already settled.")
    if item.answer is not None and item.answer.by != actor.id:
        raise Conflict(first_answer(item.answer, names))
    if choice is Choice.WITHDRAWN:
        if item.answer is None:
            raise Conflict("There is no answer to take back.")
        return replace(item, answer=None, version=item.version + 1)
    if choice is Choice.REVOKE:
        _check_data_loss(item, data_loss, bulk=bulk)
    if choice is Choice.KEEP:
        _check_keep(item, campaign, now, reason, note, keep_until)
    answered = Answer(
        choice=choice,
        by=actor.id,
        at=now,
        batch_id=batch_id,
        reason=reason,
        note=note or None,
        keep_until=keep_until,
        data_loss=data_loss if choice is Choice.REVOKE else None,
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


def _check_data_loss(item: ReviewItem, data_loss: DataLoss | None, *, bulk: bool) -> None:
    if not item.plan.held:
        if data_loss is not None:
            raise Conflict("This seat takes no mailbox and no files along. You see the present state now.")
        return
    if item.plan.blocker in NOBODYS.values():
        raise Conflict("This mailbox belongs to no single person. Such a seat is held.")
    if data_loss is None or bulk:
        raise Conflict("This seat holds the only mailbox or files of this person. Open it to decide.")
    if data_loss is DataLoss.CONVERT_FIRST and item.plan.blocker is not Blocker.LAST_MAILBOX:
        raise Conflict("This seat has no mailbox that could be made a shared one.")
    if data_loss is DataLoss.ANYWAY and not item.can_lose:
        raise Conflict("This campaign was opened before such a seat could be revoked. It is held.")


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
    return f"{names.get(given.by, 'Someone')} has answered: {given.choice.value}. You see the present state now."


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
    if item.answer is not None and item.answer.data_loss is DataLoss.CONVERT_FIRST:
        return Verdict(False, Outcome.NOT_SUPPORTED, DataLoss.CONVERT_FIRST.value)
    if item.accepts_loss and item.can_lose:
        return Verdict(True, None, "approved_with_loss")
    if item.plan.held:
        return Verdict(False, Outcome.HELD, item.plan.blocker.value if item.plan.blocker else "held")
    if not item.plan.writable:
        return Verdict(False, Outcome.NOT_SUPPORTED, item.plan.blocker.value if item.plan.blocker else "no_step")
    return Verdict(True, None, "approved" if choice is Choice.REVOKE else "by_silence")
