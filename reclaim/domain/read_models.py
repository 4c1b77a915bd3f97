"""What is shown: frozen answers to questions, made by services and drawn by `cards` and the document renderers.

They hold facts and numbers, never wording. Every sum names what it leaves out; every instant is aware UTC and is shown in
the reader's zone by the renderer.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from reclaim.domain.appeals import AppealLine, was_given_up
from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Campaign, CampaignState, Silence, Strategy, WriteMode
from reclaim.domain.directory import AssigneeKind, Person
from reclaim.domain.exclusions import Exclusion
from reclaim.domain.idle import Rule
from reclaim.domain.ids import AssigneeId, BatchId, CampaignId, ItemId, PersonId, ProductId, SeatId
from reclaim.domain.money import Money, Price, Total
from reclaim.domain.orders import RemovalStep
from reclaim.domain.policy import Policy
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.restore_views import WayBack
from reclaim.domain.review import Answer, AssignedHow, Choice, FallbackWhy, ReviewItem
from reclaim.domain.savings import Renewal, Savings, Stage
from reclaim.domain.syncing import SyncKind
from reclaim.domain.tasks import ManualTask
from reclaim.domain.workloads import ReportReading, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAge:
    """How old the synced data is.

    Attributes:
        as_of: From when everything is, sign-ins too; None: nothing was read yet.
        stale: It is older than the setting allows.
        seats_as_of: From when people and seats are, where changes were read after that; else None.
    """

    as_of: datetime | None
    stale: bool
    seats_as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionView:
    """One exclusion, readable.

    Attributes:
        value: What it holds as a person reads it: a name, a department, a product; "" for guests and the like.
        seats: Idle seats that it holds for the window asked; None where that was not asked.
        people: How many people its list names; None where it has none, or that was not asked.
    """

    exclusion: Exclusion
    value: str
    by_name: str
    seats: int | None = None
    people: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusionList:
    """Exclusions that count. `seats`: idle seats that they hold together, for idle windows of `days`."""

    rows: tuple[ExclusionView, ...]
    seats: int
    days: int
    zone: str
    now: datetime


class PopulationPart(NamedTuple):
    """Seats that are not asked about, for one reason."""

    reason: str
    seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationRow:
    """Every seat of one product that was read, once: idle, or left out for one reason.

    Attributes:
        read: All of them, as the newest scan saw them.
        idle: Idle for the window, and held by no exclusion.
        excluded: Idle, and held by an exclusion: by its kind.
        not_idle: The rest: by a value of `idle.NotIdleWhy`, `quiet_for_less` (than the window) or `gone_since`.
        held: Those of `read` that Microsoft gives; the others are in an error state.
        microsoft: Its own count (`consumedUnits`) at the newest sync; None: the product is no longer listed.
    """

    product_id: ProductId
    name: str
    part_number: str
    read: int
    idle: int
    excluded: tuple[PopulationPart, ...]
    not_idle: tuple[PopulationPart, ...]
    held: int
    microsoft: int | None

    @property
    def counted(self) -> int:
        """The sum of the parts: `read`, or a seat was lost or counted twice."""
        return self.idle + sum(part.seats for part in (*self.excluded, *self.not_idle))


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationView:
    """What became of every seat of a product, for an idle window of `days`."""

    row: PopulationRow
    days: int
    data: "DataAge"
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsentRow:
    """A row of a list of absences as it was given; `last` None: not known yet."""

    line: int
    person: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsencesView:
    """The list of absences in numbers.

    Attributes:
        at: When it was loaded; None: there is none.
        people: Who is away, or was within the idle window of `days`.
        seats: Their idle seats, which are left out for that.
        counts: Whether it holds anybody at all: somebody may have ended its exclusion.
    """

    absences: int
    at: datetime | None
    people: int
    seats: int
    days: int
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """The price of one product that counts today, None if there is none, with the idle seats that it stands for."""

    product_id: ProductId
    name: str
    part_number: str
    price: Price | None
    source: str | None
    idle: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices of every product that is sold or held, unpriced ones with the most idle seats first."""

    rows: tuple[PriceRow, ...]
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuSpend:
    """One product in recoverable spend.

    Attributes:
        purchased, assigned, available, unassigned: Microsoft's pool; see `directory.Sku`.
        held: Seats that people hold as we read them; idle: those of them with a finding.
        each: Price per seat and month, None if unknown.
        recoverable: Idle × each, None if unknown: never zero for unknown.
    """

    product_id: ProductId
    name: str
    part_number: str
    purchased: int
    assigned: int
    available: int
    unassigned: int
    held: int
    idle: int
    each: Money | None
    recoverable: Money | None
    renews_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendReport:
    """Recoverable spend by SKU, most first, for idle windows of `days`.

    Attributes:
        blocked: True if the tenant gives no sign-in data: then only disabled accounts can be judged, and `rows` counts
            those alone.
        unknown: Seats whose use is unknown; they are in no other figure.
        excluded: Idle seats that an exclusion holds, by exclusion, most first; they are not in `idle`.
        renewals: When the contracts renew, the next first; those without a known day last.
        savings: Over all campaigns.
    """

    days: int
    held: int
    idle: int
    unknown: int
    total: Total
    rows: tuple[SkuSpend, ...]
    data: DataAge
    blocked: bool
    excluded: tuple[ExclusionView, ...] = ()
    renewals: tuple[Renewal, ...] = ()
    savings: Savings = field(default_factory=Savings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRow:
    """One idle seat in a list."""

    seat_id: SeatId
    person_id: PersonId
    person_name: str
    upn: str
    department: str | None
    product_id: ProductId
    sku_name: str
    rule: Rule
    quiet_since: datetime
    last_seen_at: datetime | None
    assigned_at: datetime | None
    disabled_seen_at: datetime | None
    group_name: str | None
    monthly: Money | None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatFilter:
    """Which idle seats to list. `product_id` None: of every SKU; `rules` empty: every rule."""

    product_id: ProductId | None = None
    days: int = 90
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPage:
    """A page of idle seats with the sums over all pages. `excluded` seats match the filter, and are not listed."""

    filter: SeatFilter
    sku_name: str | None
    rows: tuple[SeatRow, ...]
    page: int
    pages: int
    total: int
    monthly: Total
    data: DataAge
    now: datetime
    excluded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerLoad:
    """How many seats a reviewer, a person or a group, would be asked about or still has."""

    assignee_id: AssigneeId
    name: str
    seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Idle seats that do not become items, by reason.

    Reasons: `scope` (not selected), `excluded`, `asked` (open question), `answered` (cooldown), `no_reviewer`.
    """

    reason: str
    seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverLimit:
    """A limit that a campaign exceeds: of seats in all, or of the seats of one SKU (`sku_name`, `held`)."""

    selected: int
    limit: int
    hard: bool
    sku_name: str | None = None
    held: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuShare:
    """How many of the seats held of a SKU a campaign asks about."""

    name: str
    items: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPreview:
    """What a campaign would do. `idle` = `items` + all `left_out`; `items` = `writable` + all `blockers` + no path found.

    Attributes:
        low: Savings if of what is recommended only the clear cases go: disabled accounts, and `CLEAR_DAYS` or more unused.
        likely: If everything goes that is recommended.
        high: If everything goes that a reviewer could revoke and Reclaim can remove.
        blockers: Items that Reclaim cannot remove, by `removal.Blocker` value.
        needed: Of `writable`, those that go only with another license of the same person.
        reviewers: Most seats first.
        named_not_idle: People and seats that were named and of whom nothing is idle.
        shares: SKUs of which a large part is asked about, largest part first.
        over: The limit that it exceeds. A hard one stands here in a simulation only: a start is refused.
        waiting_for: Names of the admins who were asked to confirm exactly this, while they have not answered.
    """

    ref: str
    name: str
    idle: int
    items: int
    monthly: Total
    low: Total
    likely: Total
    high: Total
    recommended: int
    writable: int
    blockers: tuple[tuple[str, int], ...]
    reviewers: tuple[ReviewerLoad, ...]
    to_fallback: int
    fallback_name: str | None
    left_out: tuple[LeftOut, ...]
    strategy: Strategy
    silence: Silence
    mode: WriteMode
    days: int
    due_at: datetime
    zone: str
    data: DataAge
    named_not_idle: int = 0
    shares: tuple[SkuShare, ...] = ()
    over: OverLimit | None = None
    waiting_for: tuple[str, ...] = ()
    needed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSeat:
    """One seat that a campaign would ask about.

    Attributes:
        blocker: A `removal.Blocker` value where Reclaim cannot remove it.
        needed_by: Names of this person's other licenses without which it does not go.
    """

    person_name: str
    sku_name: str
    reviewer_name: str
    monthly: Money | None
    writable: bool
    blocker: str | None
    needed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSeats:
    """A page of the seats that a draft would ask about, by reviewer."""

    ref: str
    name: str
    rows: tuple[StartSeat, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequestView:
    """A campaign over the soft limit that waits for a second admin, or how that ended.

    Attributes:
        ref: Of the request; draft_ref: of the campaign that it would start.
        state: A value of `confirmation.LaunchState`.
        asked_names: Whom the asker waits for.
        preview: What it would do now; None where that cannot be said any more.
    """

    ref: str
    draft_ref: str
    campaign_name: str
    state: str
    by: PersonId
    by_name: str
    asked_names: tuple[str, ...]
    expires_at: datetime
    settled_by_name: str | None
    settled_at: datetime | None
    preview: StartPreview | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRow:
    """One seat in a reviewer's list, open or answered by this reviewer."""

    item: ReviewItem
    ticked: bool
    from_name: str | None = None  # who delegated it
    from_reason: str | None = None
    with_name: str | None = None  # who has it now, when this reviewer passed it on, or a group that this reviewer is in
    back_to_name: str | None = None  # where "Back to …" returns it
    moved_by_name: str | None = None  # which admin moved it, or who gave it back
    answered_by_name: str | None = None
    way: WayBack | None = None  # of a seat that is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What the last click did, for the strip at the head of the wave."""

    choice: Choice
    batch_id: BatchId
    at: datetime
    done: int
    monthly: Total
    skipped: tuple[tuple[str, int], ...] = ()  # reason → seats: last_mailbox, moved, settled
    undone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A reviewer's seats of one campaign.

    Attributes:
        open_rows: Still to answer, on this page, recommended first, then by cost and name.
        answered: All answers of this reviewer in this campaign, newest first.
        passed_on: Items this reviewer delegated that are still open elsewhere.
        by_others: Items of a group of this reviewer that another member has answered, newest first.
        moved_away: Items that an admin moved from this reviewer to somebody else and that are still open.
        page: From 1; `page_size` open rows a page.
    """

    ref: str
    campaign_id: CampaignId
    campaign_name: str
    campaign_state: CampaignState
    reviewer_id: PersonId
    open_rows: tuple[WaveRow, ...]
    open_count: int
    open_monthly: Total
    recommended_count: int
    recommended_monthly: Total
    answered: tuple[WaveRow, ...]
    answered_monthly: Total
    passed_on: tuple[WaveRow, ...]
    page: int
    pages: int
    page_size: int
    due_at: datetime
    closes_at: datetime
    zone: str
    silence: Silence
    mode: WriteMode
    now: datetime
    result: BulkResult | None = None
    fallback_name: str | None = None
    by_others: tuple[WaveRow, ...] = ()
    moved_away: tuple[WaveRow, ...] = ()
    cancelled_by_name: str | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRow:
    """One product with its license owner.

    Attributes:
        trouble: Why the owner would not be asked now, so that the fallback reviewer would.
    """

    product_id: ProductId
    sku_name: str
    owner_name: str | None
    kind: AssigneeKind | None
    idle: int
    trouble: FallbackWhy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """Every product with its owner, those without one first. `fallback_name`: who is asked instead, None if nobody."""

    rows: tuple[OwnerRow, ...]
    fallback_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudged:
    """Whom a reminder by hand reached.

    Attributes:
        waiting: Those with open seats who were reminded in the last 24 hours and so are left alone.
        next_at: When the first of them may be reminded again.
    """

    campaign_id: CampaignId
    reminded: int
    waiting: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What moving several seats at once did.

    Attributes:
        seats: How many were moved.
        to_name: Who has them now, where an admin moved them.
        stayed: Why others were not → how many: holder, handovers, already.
    """

    seats: int
    to_name: str = ""
    stayed: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One seat in full, for whoever may see it.

    Attributes:
        others_open: Open seats of this reviewer in this campaign, this one included.
        checked_at: Start of the newest completed sync.
        may_answer: Whether the item is with this viewer, or with a group of theirs.
        group_name: The group that has it.
        back_to_name: Where "Back to …" returns it.
        moved_by_name: Which admin moved it, or who gave it back.
        no_usage_location: The holder's account has none, without which Microsoft gives no license: what is removed could
            not come back before somebody sets one.
        may_lose_data: Whether the installation lets a reviewer revoke a seat that carries the last mailbox or files.
        way: Of a seat that is gone, its way back.
    """

    item: ReviewItem
    campaign_name: str
    campaign_state: CampaignState
    silence: Silence
    mode: WriteMode
    closes_at: datetime
    zone: str
    now: datetime
    viewer_id: PersonId
    assignee_name: str | None
    answered_by_name: str | None
    fallback_name: str | None
    from_name: str | None
    others_open: int
    days: int
    checked_at: datetime | None
    other_skus: tuple[str, ...] = ()
    earlier_answers: tuple[Answer, ...] = ()
    may_answer: bool = True
    group_name: str | None = None
    back_to_name: str | None = None
    moved_by_name: str | None = None
    cancelled_by_name: str | None = None
    cancelled_at: datetime | None = None
    may_lose_data: bool = True
    no_usage_location: bool = False
    way: WayBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """Everything that waits for one person."""

    person_name: str
    waves: tuple[Wave, ...]
    own_seats: int


class InboxShow(StrEnum):
    """What of a reviewer's seats is shown."""

    OPEN = "open"
    DELEGATED = "delegated"  # open, and handed to them by somebody else
    ANSWERED = "answered"  # by them


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """One seat, and the campaign that asks about it."""

    campaign_name: str
    row: WaveRow


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """A reviewer's seats over all open campaigns, one kind and one page of them.

    Attributes:
        lists: (campaign, its name, open seats) of every list with an open seat.
        counts: How many there are of each kind.
        monthly: Of all open seats.
        page: From 1.
        closes_at: When the first of the lists closes, None where nothing is open.
    """

    show: InboxShow
    rows: tuple[InboxRow, ...]
    lists: tuple[tuple[CampaignId, str, int], ...]
    counts: tuple[tuple[InboxShow, int], ...]
    monthly: Total
    page: int
    pages: int
    page_size: int
    closes_at: datetime | None
    now: datetime

    def count(self, show: InboxShow) -> int:
        """Return how many seats there are of a kind."""
        return dict(self.counts)[show]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSummary:
    """What became of one reviewer's seats after the close. Each seat stands in at most one of the three tuples.

    Attributes:
        closed_at: When answers ended.
        answered: Seats that this reviewer answered.
        unanswered: Seats that were with this reviewer, or a group of theirs, to the end without an answer.
        passed_on: Seats that this reviewer handed to somebody else, who has them now.
        reversed: Removed seats that are there again, restored or given by somebody: they save nothing.
    """

    campaign_id: CampaignId
    campaign_name: str
    campaign_state: CampaignState
    mode: WriteMode
    silence: Silence
    owner_name: str
    reviewer_id: PersonId
    closed_at: datetime
    zone: str
    answered: tuple[ReviewItem, ...]
    unanswered: tuple[ReviewItem, ...]
    passed_on: tuple[ReviewItem, ...]
    reversed: frozenset[ItemId] = frozenset()

    @property
    def by_silence(self) -> tuple[ReviewItem, ...]:
        """Seats without an answer that were put to removal all the same, because the campaign says so."""
        return tuple(item for item in self.unanswered if item.waiting or item.outcome not in (None, Outcome.KEPT))

    @property
    def approved(self) -> tuple[ReviewItem, ...]:
        """All of theirs that was put to removal: by an answer, or by silence."""
        return (*self.chosen(Choice.REVOKE), *self.by_silence)

    @property
    def running(self) -> bool:
        """Whether a removal of theirs has not ended yet."""
        return any(item.outcome is None for item in self.approved)

    @property
    def concerns(self) -> bool:
        """Whether there is something to tell: an answer, a seat passed on, or one that silence put to removal."""
        return bool(self.answered or self.passed_on or self.by_silence)

    def chosen(self, choice: Choice) -> tuple[ReviewItem, ...]:
        """Return the seats with this answer of theirs."""
        return tuple(item for item in self.answered if item.answer is not None and item.answer.choice is choice)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptSeat:
    """A seat that was verified gone. `approved_by` None: nobody answered, and the campaign removes such seats."""

    item: ReviewItem
    approved_by: str | None
    way: WayBack | None = None
    appeal: AppealLine | None = None

    @property
    def may_appeal(self) -> bool:
        """Whether the holder may ask for somebody to look again: once, and not where they gave the seat up."""
        return self.way is not None and self.way.open and self.appeal is None and not was_given_up(self.item)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatReceipt:
    """What one campaign took from one holder."""

    campaign_id: CampaignId
    campaign_name: str
    owner_name: str
    seats: tuple[ReceiptSeat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerProgress:
    """How far one reviewer, a person or a group, is: `seats` in all, `open` of them without an answer.

    Attributes:
        last_reminded_at: Of a group, when any of its members was.
        reached: Whether their newest list arrived.
    """

    assignee_id: AssigneeId
    name: str
    seats: int
    open: int
    last_reminded_at: datetime | None
    reached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewersPage:
    """A page of a campaign's reviewers, most open seats first."""

    campaign_id: CampaignId
    campaign_name: str
    campaign_state: CampaignState
    closes_at: datetime
    rows: tuple[ReviewerProgress, ...]
    page: int
    pages: int
    page_size: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStatus:
    """Progress of one campaign; revoke + keep + not_sure + open = items.

    Attributes:
        outcomes: Items that have ended, by outcome; waiting: approved removals by `review.Waiting` value.
        open_with: The reviewers with the most open seats, most first; all of them are `reviewers` less `reviewers_done`.
        potential: What all seats of the campaign cost a month; approved: those that a person has revoked.
        removed: Money of the seats that are written and not yet seen to be gone.
        verified: Money of the seats verified gone and still gone. Nothing else is saved.
        by_hand: Of these, what a person took, because Reclaim may not or could not; the others it took itself.
        restored_count, regranted_count: Seats verified gone that are there again: by us, or by somebody else. They are in
            `verified_count`'s stead, and in the outcomes `removed` and `manual_done`.
        reversed: Their money.
        asked_back: Seats that their holder wanted back: removals too many.
        appeals: Seats whose holder appealed; appeals_open: those of them that wait for an answer.
        realised: Of those, by which the order has become smaller at its renewal.
        reduce: By how much each order can be made smaller now for what this campaign has reclaimed.
        minutes_left: How long the removals that wait will take at their present pace; None if that cannot be told.
        unreachable: Names of reviewers without a delivered card.
        nudgeable: People with open seats whom nobody reminded in the last 24 hours.
    """

    campaign_id: CampaignId
    name: str
    state: CampaignState
    mode: WriteMode
    owner_name: str
    items: int
    revoke: int
    keep: int
    not_sure: int
    open: int
    potential: Total
    approved: Total
    removed: Total
    reviewers: int
    reviewers_done: int
    open_with: tuple[ReviewerLoad, ...]
    unreachable: tuple[str, ...]
    messages_sent: int
    outcomes: tuple[tuple[Outcome, int], ...]
    waiting: tuple[tuple[str, int], ...]
    removing: int
    verified_count: int
    verified: Total
    minutes_left: int | None
    due_at: datetime
    closes_at: datetime
    next_reminder_at: datetime | None
    zone: str
    now: datetime
    frozen_since: datetime | None
    pause_reason: str | None
    abandoned_by_name: str | None
    cancelled_by_name: str | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    nudgeable: int = 0
    by_hand: Stage = field(default_factory=Stage)
    restored_count: int = 0
    regranted_count: int = 0
    reversed: Total = field(default_factory=Total)
    asked_back: int = 0
    appeals: int = 0
    appeals_open: int = 0
    realised: Stage = field(default_factory=Stage)
    reduce: tuple[Renewal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """All campaigns, newest first, with the idle figures for the empty state."""

    rows: tuple[CampaignStatus, ...]
    idle: int
    total: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyReport:
    """Everything we can say about one seat and its item: `/reclaim why PERSON`.

    Attributes:
        roles: Whether the newest sync read who holds an admin role: as `SyncView.roles`.
    """

    person: Person
    person_name: str
    seats: tuple["WhySeat", ...]
    data: DataAge
    zone: str
    now: datetime
    roles: str = "known"
    usage: tuple[ReportReading, ...] = ()  # how the usage reports were read last


@dataclass(frozen=True, slots=True, kw_only=True)
class WhySeat:
    """One seat of a person: flagged or not, and what became of it. `not_idle` is a value of `idle.NotIdleWhy`.

    Attributes:
        last_used_at: The latest use of the product in the last whole usage reports, whether seats are judged by them or not.
        services: Which of its services the reports count for this person, each with the last day of use.
        reported_at: Up to when the oldest of these reports goes.
        use_is_reported: The reports count all that the product is used through; otherwise a sign-in proves no use of it,
            and no use in a report proves nothing.
        used_lately: A use in the window is why it is not idle; otherwise a sign-in is.
    """

    sku_name: str
    rule: Rule | None
    not_idle: str | None
    quiet_since: datetime | None
    last_seen_at: datetime | None
    assigned_at: datetime | None
    item: ReviewItem | None
    campaign_name: str | None
    assignee_name: str | None
    messages: tuple["SentMessage", ...] = ()
    cancelled: bool = False  # the campaign was: nobody is asked any more
    exclusion: ExclusionView | None = None
    way: WayBack | None = None  # of an item that has ended
    last_used_at: datetime | None = None
    services: tuple[tuple[Workload, date | None], ...] = ()
    reported_at: datetime | None = None
    use_is_reported: bool = False
    used_lately: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMessage:
    """A message that a person got about an item."""

    person_name: str
    channel: str
    kind: str
    sent_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One attestation event with its personal values joined back in."""

    seq: int
    at: datetime
    kind: str
    actor_name: str
    about: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The newest events of a campaign, or of all."""

    title: str
    lines: tuple[HistoryLine, ...]
    total: int
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeView:
    """Whether writes are stopped, and a resume that waits for a second admin."""

    frozen: bool
    since: datetime | None
    by_name: str | None
    reason: str | None
    waiting: int
    resume_ref: str | None = None
    resume_by: PersonId | None = None
    resume_by_name: str | None = None
    resume_reason: str | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncView:
    """A sync run: its progress, or how it ended.

    Attributes:
        state: running, complete, failed, stopped (a drop of over 10 % that needs an explicit accept).
        sign_ins: known, no_premium, no_permission.
        roles: Whether it was read who holds an admin role: known, partly, no_permission, unread.
        left: About how long a running one still takes; None before that can be told.
        usage: How Microsoft's usage reports were read last; empty where they never were.
        people, seats: Those read; of a changes run, those who have changed and what they hold.
        resynced: It was to read changes only, but Microsoft had lost track of them.
    """

    run_id: str
    state: str
    started_at: datetime
    completed_at: datetime | None
    people: int
    seats: int
    gone_people: int
    gone_seats: int
    sign_ins: str
    error: str | None
    roles: str = "known"
    idle: int | None = None
    total: Total | None = None
    left: timedelta | None = None
    usage: tuple[ReportReading, ...] = ()
    kind: SyncKind = SyncKind.FULL
    resynced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """A look at a tenant without a campaign.

    Attributes:
        verdicts: Seats by what they were judged as: "idle" or a value of `NotIdleWhy`, most first. They add up to all.
        people, seats: As read.
        sign_ins: known, no_premium, no_permission.
        requests: How many pages Microsoft was asked for.
        rows: Every idle seat with its holder; None where names are left out.
        usage: How Microsoft's usage reports were read.
    """

    spend: SpendReport
    verdicts: tuple[tuple[str, int], ...]
    people: int
    seats: int
    sign_ins: str
    requests: int
    read_from: datetime
    read_to: datetime
    zone: str
    rows: tuple[SeatRow, ...] | None
    usage: tuple[ReportReading, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """A seat that was verified gone is there again, and its saving has ended.

    Attributes:
        restored: By Reclaim, because somebody asked for it; otherwise somebody else gave it again.
        through: Names of the groups that give it; empty: directly.
    """

    at: datetime
    restored: bool
    through: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSeat:
    """One seat of a campaign report.

    Attributes:
        number: Its row, from 1: exceptions first.
        reviewer_name: Who had it last, None if nobody did.
        ended_in: Number of the attestation event that gives its outcome, None while it has none.
        came_back: That it is there again, though its removal was verified.
        realised_at: Since when its order is smaller, at or after a renewal; None: it is still paid for.
        appeal: What its holder asked, and what became of that.
        task: What somebody did about it by hand; task_by_name: who.
    """

    number: int
    item: ReviewItem
    reviewer_name: str | None
    answered_by_name: str | None
    ended_in: int | None
    realised_at: datetime | None = None
    came_back: CameBack | None = None
    appeal: AppealLine | None = None
    task: ManualTask | None = None
    task_by_name: str | None = None

    @property
    def choice(self) -> Choice | None:
        """What was answered. Not sure counts as an answer, also where nobody took the second look."""
        if self.item.answer is not None:
            return self.item.answer.choice
        return Choice.NOT_SURE if self.item.not_sure_by is not None else None

    @property
    def approved(self) -> bool:
        """Whether it was to be removed: by an answer, or by the silence of this campaign."""
        by_silence = self.choice is None and (self.item.waiting or self.item.outcome not in (None, Outcome.KEPT))
        return self.choice is Choice.REVOKE or bool(by_silence)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStep:
    """One write of a campaign: the seat's row, and the group's name where one is left."""

    number: int
    step: RemovalStep
    group_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReviewer:
    """One reviewer's part: of a person what they answered or had open to the end, of a group what nobody of it answered.

    Attributes:
        seats, answered: Seats that they answered or had to the end, and those with an answer.
        how: How those came to them.
        told_at, channel: Their first list; None if none arrived.
        reminded: How often.
        last_answer_at: None if they gave none.
    """

    assignee_id: AssigneeId
    name: str
    is_group: bool
    seats: int
    answered: int
    how: tuple[tuple[AssignedHow, int], ...]
    told_at: datetime | None
    channel: str | None
    reminded: int
    last_answer_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStream:
    """What was read of one kind: requests to Microsoft and rows that came back."""

    stream: str
    requests: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSku:
    """One product of the campaign.

    Attributes:
        held, microsoft: Seats as we and as Microsoft count them now.
        population: Every seat of it that was read; None: none was.
    """

    product_id: ProductId
    name: str
    part_number: str
    held: int
    microsoft: int | None
    population: PopulationRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEvent:
    """One event of the timeline."""

    seq: int
    at: datetime
    kind: EventKind
    actor_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """A file that was exported, and the hex SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLog:
    """The attestation log behind a report.

    Attributes:
        events: The key events; `count` counts all, from `first_seq` to `last_seq`.
        sha256: Over the bytes of all event bodies, one after the other.
        files: The files that were exported beside the report; empty where it was handed out alone.
    """

    events: tuple[ReportEvent, ...]
    count: int
    first_seq: int | None
    last_seq: int | None
    sha256: str
    files: tuple[FileDigest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """Everything about one campaign, for its owner and an auditor. All numbers are counted from `seats`.

    Attributes:
        pseudonymous: Names, addresses, notes and group names are replaced by ids or left out.
        idle: Idle seats at the start = `seats` + all `left_out`.
        left_out: As `LeftOut`, and `opening`: changed between the start and the opening.
        run_at, sign_ins: The sync run that the campaign was started on; None where it is not known any more.
        own_decisions: Seats that their own holder decided; must be 0.
        reduce: By how much each order can be made smaller now for what this campaign has reclaimed.
    """

    campaign: Campaign
    pseudonymous: bool
    written_at: datetime
    owner_name: str
    reviewer_name: str | None
    fallback_name: str | None
    abandoned_by_name: str | None
    idle: int
    left_out: tuple[LeftOut, ...]
    seats: tuple[ReportSeat, ...]
    steps: tuple[ReportStep, ...]
    reviewers: tuple[ReportReviewer, ...]
    streams: tuple[ReportStream, ...]
    run_at: datetime | None
    sign_ins: str | None
    skus: tuple[ReportSku, ...]
    counted_at: datetime | None
    own_decisions: int
    log: ReportLog
    policy: Policy
    reduce: tuple[Renewal, ...] = ()

    @property
    def approved(self) -> tuple[ReportSeat, ...]:
        """The seats that were to be removed."""
        return tuple(seat for seat in self.seats if seat.approved)

    @property
    def gone(self) -> tuple[ReportSeat, ...]:
        """The seats that were verified gone and are not there again: those of `by_us` and of `by_hand`."""
        return tuple(seat for seat in self.ended(*VERIFIED_GONE) if seat.came_back is None)

    @property
    def by_us(self) -> tuple[ReportSeat, ...]:
        """Of the seats that are gone, those that Reclaim took."""
        return tuple(seat for seat in self.gone if seat.item.outcome is Outcome.REMOVED)

    @property
    def by_hand(self) -> tuple[ReportSeat, ...]:
        """Of the seats that are gone, those that a person took."""
        return tuple(seat for seat in self.gone if seat.item.outcome is Outcome.MANUAL_DONE)

    @property
    def came_back(self) -> tuple[ReportSeat, ...]:
        """The seats that were verified gone and are there again."""
        return tuple(seat for seat in self.seats if seat.came_back is not None)

    def chosen(self, choice: Choice | None) -> tuple[ReportSeat, ...]:
        """Return the seats with this answer, or without one."""
        return tuple(seat for seat in self.seats if seat.choice is choice)

    def ended(self, *outcomes: Outcome | None) -> tuple[ReportSeat, ...]:
        """Return the seats to be removed that ended so; None: those that have not ended."""
        return tuple(seat for seat in self.approved if seat.item.outcome in outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A file for the asker."""

    name: str
    media_type: str
    content: bytes
