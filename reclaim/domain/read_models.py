"""What is shown: frozen answers to questions, made by services and drawn by `cards` and the document renderers.

They hold facts and numbers, never wording. Every sum names what it leaves out; every instant is aware UTC and is shown in
the reader's zone by the renderer.
"""

from dataclasses import dataclass
from datetime import date, datetime

from reclaim.domain.campaign import CampaignState, Silence, Strategy, WriteMode
from reclaim.domain.directory import Person
from reclaim.domain.idle import Rule
from reclaim.domain.ids import BatchId, CampaignId, PersonId, ProductId, SeatId
from reclaim.domain.money import Money, Total
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Answer, Choice, ReviewItem


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAge:
    """How old the synced data is. `as_of` None: nothing was read yet. `stale`: older than the setting."""

    as_of: datetime | None
    stale: bool


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
    """

    days: int
    held: int
    idle: int
    unknown: int
    total: Total
    rows: tuple[SkuSpend, ...]
    data: DataAge
    blocked: bool


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


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatFilter:
    """Which idle seats to list. `product_id` None: of every SKU; `rules` empty: every rule."""

    product_id: ProductId | None = None
    days: int = 90
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatPage:
    """A page of idle seats with the sums over all pages."""

    filter: SeatFilter
    sku_name: str | None
    rows: tuple[SeatRow, ...]
    page: int
    pages: int
    total: int
    monthly: Total
    data: DataAge
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerLoad:
    """How many seats a reviewer would be asked about."""

    person_id: PersonId
    name: str
    seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Idle seats that do not become items, by reason.

    Reasons: `scope` (not selected), `asked` (open question), `answered` (cooldown), `no_reviewer`.
    """

    reason: str
    seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPreview:
    """What a campaign would do. `idle` = `items` + all `left_out`.

    Attributes:
        low: Savings if only what is recommended goes; high: if everything that can be removed goes.
        blockers: Items that Reclaim cannot remove, by `removal.Blocker` value.
    """

    ref: str
    name: str
    idle: int
    items: int
    monthly: Total
    low: Total
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


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRow:
    """One seat in a reviewer's list, open or answered by this reviewer."""

    item: ReviewItem
    ticked: bool
    from_name: str | None = None  # who delegated it
    from_reason: str | None = None
    with_name: str | None = None  # who has it now, when this reviewer passed it on


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One seat in full, for whoever may see it.

    Attributes:
        others_open: Open seats of this reviewer in this campaign, this one included.
        checked_at: Start of the newest completed sync.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxView:
    """Everything that waits for one person."""

    person_name: str
    waves: tuple[Wave, ...]
    own_seats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStatus:
    """Progress of one campaign; revoke + keep + not_sure + open = items.

    Attributes:
        outcomes: Items that have ended, by outcome; waiting: approved removals by `review.Waiting` value.
        verified: Money of the seats verified gone.
        open_with: The reviewers with the most open seats, most first; all of them are `reviewers` less `reviewers_done`.
        unreachable: Names of reviewers without a delivered card.
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
    approved: Total
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
    due_at: datetime
    closes_at: datetime
    next_reminder_at: datetime | None
    zone: str
    now: datetime
    frozen_since: datetime | None
    pause_reason: str | None
    abandoned_by_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """All campaigns, newest first, with the idle figures for the empty state."""

    rows: tuple[CampaignStatus, ...]
    idle: int
    total: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyReport:
    """Everything we can say about one seat and its item: `/reclaim why PERSON`."""

    person: Person
    person_name: str
    seats: tuple["WhySeat", ...]
    data: DataAge
    zone: str
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WhySeat:
    """One seat of a person: flagged or not, and what became of it. `not_idle` is a value of `idle.NotIdleWhy`."""

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
    idle: int | None = None
    total: Total | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedFile:
    """A file for the asker."""

    name: str
    media_type: str
    content: bytes
