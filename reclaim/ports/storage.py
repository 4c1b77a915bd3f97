"""What is remembered: a unit of work with one repository per subject. Implemented by `storage`, on SQLite and PostgreSQL.

Leaving a unit of work without `commit()` keeps nothing. `save` is compare-and-set on the version column and raises
`Conflict` where somebody else was first. No network call happens while one is open.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from reclaim.domain.attestation import Event
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.directory import Group, Person, Seat, Sku
from reclaim.domain.idle import Finding, Rule
from reclaim.domain.ids import (
    BatchId,
    CampaignId,
    GroupId,
    ItemId,
    MessageId,
    OrderId,
    PersonId,
    ProductId,
    RunId,
    SeatId,
    TenantId,
)
from reclaim.domain.money import Price
from reclaim.domain.orders import OrderState, RemovalOrder, RemovalStep
from reclaim.domain.read_models import SeatFilter, SentMessage
from reclaim.domain.review import AssignedHow, Choice, ReviewItem
from reclaim.ports.directory import PersonRow, Request, SignInRow
from reclaim.ports.engine import Job


class People(Protocol):
    """Synced people."""

    async def get(self, person: PersonId) -> Person | None: ...

    async def get_many(self, people: Iterable[PersonId]) -> dict[PersonId, Person]: ...

    async def search(self, text: str, limit: int) -> list[Person]:
        """Return people still there whose name, user principal name or mail contains `text`, best match first."""
        ...

    async def count(self) -> int: ...

    async def members(self, group: GroupId) -> frozenset[PersonId]:
        """Return the direct members of a role group as last synced."""
        ...


class Catalog(Protocol):
    """SKUs, groups and prices."""

    async def skus(self) -> dict[ProductId, Sku]: ...

    async def groups(self, ids: Iterable[GroupId] | None = None) -> dict[GroupId, Group]: ...

    async def prices(self, on: datetime) -> dict[ProductId, Price]:
        """Return the price valid on that day per product, matched by skuId, part number or product name."""
        ...

    async def replace_prices(self, prices: Sequence[tuple[str, Price]], *, source: str, at: datetime) -> None:
        """Replace all prices of `source`; the text is a skuId, part number or product name, matched when read."""
        ...


class Seats(Protocol):
    """Synced seats with their paths; gone ones are left out unless said."""

    async def get_many(self, seats: Iterable[SeatId]) -> dict[SeatId, Seat]: ...

    async def of_people(self, people: Iterable[PersonId]) -> dict[PersonId, tuple[Seat, ...]]: ...

    async def held(self) -> dict[ProductId, int]:
        """Return the number of seats held per product."""
        ...

    def all(self, chunk: int = 2_000) -> AsyncIterator[Sequence[tuple[Person, Seat]]]:
        """Stream every seat with its holder."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding with what a list shows of it."""

    finding: Finding
    person: Person
    sku_name: str
    group_name: str | None


class Findings(Protocol):
    """Idle seats as of the newest completed sync. They are stored for the smallest window and filtered by the one asked."""

    async def replace_all(self, run: RunId, findings: AsyncIterator[Sequence[Finding]]) -> int: ...

    async def unknown(self) -> int:
        """Return how many seats could not be judged in the newest scan."""
        ...

    async def set_unknown(self, seats: int) -> None: ...

    async def page(
        self, where: SeatFilter, *, now: datetime, offset: int, limit: int
    ) -> tuple[list[FindingRow], int, dict[ProductId, int]]:
        """Return rows ordered by product name and person name, the total, and the seats per product over all pages."""
        ...

    async def tally(self, *, days: int, now: datetime) -> dict[ProductId, int]:
        """Return idle seats per product for a window."""
        ...

    async def select(
        self, *, days: int, now: datetime, products: Sequence[ProductId] = (), rules: Sequence[Rule] = ()
    ) -> list[Finding]:
        """Return the findings of a scope."""
        ...

    async def get_many(self, seats: Iterable[SeatId]) -> dict[SeatId, Finding]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """One generation of the directory: running, complete, failed or stopped.

    Attributes:
        sign_ins: A value of `directory.SignInSupport`, "known" until proved otherwise.
        requested_by: Whom to tell, or None.
    """

    id: RunId
    state: str
    started_at: datetime
    requested_by: PersonId | None
    completed_at: datetime | None = None
    people: int = 0
    seats: int = 0
    gone_people: int = 0
    gone_seats: int = 0
    sign_ins: str = "known"
    error: str | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCursor:
    """How far one stream of a run has come; committed with its page."""

    stream: str
    next_cursor: str | None
    done: bool
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """One request of a sync run as stored with its page, for the evidence of completeness."""

    stream: str
    page: int
    request: Request


class Syncs(Protocol):
    """Sync runs in generations (rule 11): rows carry the run that saw them; only a complete run marks the others gone."""

    async def add(self, run: SyncRun) -> None: ...

    async def get(self, run: RunId) -> SyncRun | None: ...

    async def save(self, run: SyncRun) -> None: ...

    async def running(self) -> SyncRun | None: ...

    async def newest(self) -> SyncRun | None: ...

    async def newest_complete(self) -> SyncRun | None: ...

    async def cursor(self, run: RunId, stream: str) -> StreamCursor | None: ...

    async def save_cursor(self, run: RunId, cursor: StreamCursor, request: Request) -> None: ...

    async def save_skus(self, run: RunId, rows: Sequence[Sku]) -> None: ...

    async def save_people(self, run: RunId, rows: Sequence[PersonRow], *, now: datetime) -> None:
        """Upsert people with seats and paths; a first sight of a disabled account is dated `now`."""
        ...

    async def save_sign_ins(self, run: RunId, rows: Sequence[SignInRow], *, read_at: datetime) -> None: ...

    async def save_groups(self, run: RunId, rows: Sequence[Group]) -> None: ...

    async def save_members(self, run: RunId, group: GroupId, rows: Sequence[PersonId]) -> None: ...

    async def drop_if_completed(self, run: RunId) -> tuple[int, int, int, int]:
        """Return (people present before, people that would be gone, seats present before, seats that would be gone)."""
        ...

    async def mark_gone(self, run: RunId, now: datetime) -> tuple[int, int]:
        """Date every row that this run did not see; return (people, seats). Paths and memberships follow."""
        ...

    async def forget_sign_ins(self, run: RunId) -> None:
        """Set sign-ins unknown for everyone whom this run's sign-in stream did not cover."""
        ...

    async def requests(self, run: RunId) -> list[StreamRequest]:
        """Return what this run asked of Microsoft and got, by stream and page."""
        ...


class Campaigns(Protocol):
    """Campaigns."""

    async def add(self, campaign: Campaign) -> None: ...

    async def get(self, campaign: CampaignId) -> Campaign | None: ...

    async def save(self, campaign: Campaign) -> None:
        """Compare-and-set: stores version n over n - 1."""
        ...

    async def all(self) -> list[Campaign]:
        """Return all, newest first."""
        ...

    async def in_states(self, states: Iterable[CampaignState]) -> list[Campaign]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerCount:
    """One reviewer's part of a campaign."""

    person_id: PersonId
    total: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionWrite:
    """One approved change of one item's answer, for the batcher: `_write` re-checks only id, version and assignee.

    Attributes:
        item: The item as the domain returned it, version already raised.
        actor: Must be the stored assignee at the version before.
        request_sha256: Of the request: the same key with another content is a Conflict.
    """

    item: ReviewItem
    actor: PersonId
    choice: Choice
    batch_id: BatchId
    at: datetime
    idem_key: str
    request_sha256: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDecide:
    """What a decision is judged by: the items, their campaigns, and the names of their present assignees."""

    items: Mapping[ItemId, ReviewItem]
    campaigns: Mapping[CampaignId, Campaign]
    names: Mapping[PersonId, str]


class DecisionLog(Protocol):
    """The batcher: one read for what several clicks ask for, one commit for what they decided (group commit)."""

    async def load(self, items: Iterable[ItemId]) -> ToDecide:
        """Return what is there of these items; what clicks ask for while a read runs is read together by the next."""
        ...

    async def record(self, write: DecisionWrite) -> bool:
        """Store one decision durably; False if somebody was first (version or assignee moved).

        The same `idem_key` with the same request again is True and stores nothing.

        Raises:
            Conflict: The same key came with another content.
        """
        ...


class Items(Protocol):
    """Review items, their assignments and decisions."""

    async def add_many(self, items: Sequence[ReviewItem], *, at: datetime) -> None:
        """Store new items with their first assignment."""
        ...

    async def get_many(self, items: Iterable[ItemId]) -> dict[ItemId, ReviewItem]: ...

    async def of_campaign(self, campaign: CampaignId) -> list[ReviewItem]: ...

    async def for_reviewer(self, campaign: CampaignId, person: PersonId) -> list[ReviewItem]:
        """Return items that are with this person, were answered by them, or that they passed on and are still open."""
        ...

    async def of_batch(self, batch: BatchId) -> list[ReviewItem]: ...

    async def of_person(self, person: PersonId) -> list[ReviewItem]:
        """Return every item about this holder, newest campaign first."""
        ...

    async def save(self, item: ReviewItem) -> None:
        """Compare-and-set: stores version n over n - 1. Assignment history is kept by `record_assignment`."""
        ...

    async def record_assignment(
        self, item: ReviewItem, *, by: PersonId | None, how: AssignedHow, reason: str | None, at: datetime
    ) -> None:
        """End the present assignment and add the item's assignee as the next."""
        ...

    async def reviewers(self, campaign: CampaignId) -> list[ReviewerCount]: ...

    async def counts(self, campaign: CampaignId) -> dict[tuple[str, str, str], int]:
        """Return numbers by (choice or "", outcome or "", waiting or "")."""
        ...

    async def open_campaigns_of(self, person: PersonId) -> list[CampaignId]:
        """Return campaigns in state open in which this person has items, answered or not."""
        ...

    async def without_card(self, campaign: CampaignId) -> list[PersonId]:
        """Return present assignees with open items of whom at least one stands on no delivered message to them."""
        ...

    async def delivered_to_assignee(self, campaign: CampaignId) -> frozenset[ItemId]:
        """Return items whose present assignee got a card that shows them."""
        ...

    async def with_open_question(self, seats: Iterable[SeatId]) -> frozenset[SeatId]:
        """Return which of these seats have an open question anywhere (rule 9)."""
        ...

    async def answered_until(self, seats: Iterable[SeatId], now: datetime) -> frozenset[SeatId]:
        """Return which of these seats were answered so recently that nobody may be asked again."""
        ...

    async def open_questions(self, items: Sequence[ReviewItem], *, at: datetime) -> None:
        """Open one question per item; a UNIQUE row per person and product while open. Raises Conflict on a second one."""
        ...

    async def close_questions(self, campaign: CampaignId, *, at: datetime) -> None: ...

    async def remember_answers(self, items: Sequence[ReviewItem], *, until: datetime) -> None: ...


class Orders(Protocol):
    """Removal orders and steps."""

    async def add_many(self, orders: Sequence[RemovalOrder]) -> None: ...

    async def get(self, order: OrderId) -> RemovalOrder | None: ...

    async def save(self, order: RemovalOrder) -> None:
        """Compare-and-set on the order's version; steps are stored with it."""
        ...

    async def of_campaign(self, campaign: CampaignId) -> list[RemovalOrder]: ...

    async def in_state(self, campaign: CampaignId, states: Iterable[OrderState]) -> list[RemovalOrder]: ...

    async def due(self, now: datetime) -> list[RemovalOrder]:
        """Return orders ready or verifying whose `not_before` has come."""
        ...

    async def written_steps(self, person: PersonId) -> list[RemovalStep]:
        """Return steps of this person that were or may have been written and are not verified yet, over all orders."""
        ...

    async def written_since(self, since: datetime) -> int:
        """Return how many steps were written since then, for the hourly limit."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """One message to one person: `intended` before the network, then sent, updated or dead."""

    id: MessageId
    person_id: PersonId
    channel: str
    conversation: str
    matter: str
    kind: str
    state: str
    version: int
    external_id: str | None
    payload_sha256: str | None
    data_as_of: datetime | None
    created_at: datetime
    sent_at: datetime | None
    error: str | None = None


class Messages(Protocol):
    """What was sent, to whom, with which exact payload."""

    async def live(self, person: PersonId, matter: str) -> MessageRecord | None:
        """Return the newest message of the matter that has been sent and not been replaced."""
        ...

    async def live_of_matter(self, matter: str) -> list[MessageRecord]: ...

    async def put(self, record: MessageRecord) -> None: ...

    async def show_items(self, message: MessageId, items: Iterable[ItemId]) -> None: ...

    async def about_item(self, item: ItemId) -> list[SentMessage]: ...

    async def counts(self, matter: str) -> dict[str, int]:
        """Return messages by state."""
        ...

    async def unreached(self, matter: str) -> list[PersonId]:
        """Return people whose newest message of the matter is dead."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a person is in one chat channel, and where they are spoken to in private.

    Attributes:
        user_ref: The channel's own id of the person, None until the channel told us.
        conversation: The private conversation, None until there is one.
        service_url: Where that conversation is served (Teams moves it), None where a channel has one address.
        state: known, or blocked: the channel refuses our messages to this person.
        why: The channel's own word for a refusal; never a name.
    """

    channel: str
    person_id: PersonId
    updated_at: datetime
    user_ref: str | None = None
    conversation: str | None = None
    service_url: str | None = None
    state: str = "known"
    why: str | None = None


class Identities(Protocol):
    """People in chat channels: one row per channel and person."""

    async def get(self, channel: str, person: PersonId) -> Identity | None: ...

    async def of_conversation(self, channel: str, conversation: str) -> Identity | None: ...

    async def put(self, identity: Identity) -> None: ...

    async def blocked(self, channel: str) -> list[Identity]:
        """Return people whom the channel does not let us write to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An attestation event as stored, its personal values as far as they were not erased."""

    seq: int
    event: Event


class Events(Protocol):
    """Attestation events: insert only, held by triggers."""

    async def append(self, *events: Event) -> None: ...

    async def of_campaign(self, campaign: CampaignId) -> list[StoredEvent]: ...

    async def newest(self, limit: int, campaign: CampaignId | None = None) -> tuple[list[StoredEvent], int]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """All writes are stopped."""

    id: str
    by: PersonId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeRequest:
    """Somebody asks to let removals go on; another admin must confirm."""

    id: str
    freeze_id: str
    by: PersonId
    at: datetime
    reason: str


class Controls(Protocol):
    """Switches of the installation, drafts of forms, and requests seen."""

    async def tenant(self) -> TenantId | None: ...

    async def set_tenant(self, tenant: TenantId) -> None: ...

    async def freeze(self) -> Freeze | None: ...

    async def start_freeze(self, freeze: Freeze) -> None: ...

    async def end_freeze(self, freeze_id: str, *, by: PersonId, at: datetime) -> None: ...

    async def resume_request(self) -> ResumeRequest | None: ...

    async def ask_resume(self, request: ResumeRequest) -> None: ...

    async def draft(self, ref: str) -> tuple[PersonId, Mapping[str, object]] | None:
        """Return the owner and the state of a form, a selection or a reader's place in a list."""
        ...

    async def put_draft(self, ref: str, owner: PersonId, state: Mapping[str, object], *, at: datetime) -> None: ...

    async def first_time(self, key: str, *, at: datetime, keep: timedelta) -> bool:
        """Return True once per key (de-duplication); old keys are dropped after `keep`."""
        ...

    async def once(self, key: str, *, at: datetime) -> bool:
        """Return True once per key for ever: reminders and other things that may happen one time only."""
        ...


class UnitOfWork(Protocol):
    """One transaction."""

    @property
    def people(self) -> People: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def seats(self) -> Seats: ...
    @property
    def findings(self) -> Findings: ...
    @property
    def syncs(self) -> Syncs: ...
    @property
    def campaigns(self) -> Campaigns: ...
    @property
    def items(self) -> Items: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def events(self) -> Events: ...
    @property
    def controls(self) -> Controls: ...

    async def enqueue(self, job: Job) -> None:
        """Enqueue in this transaction: no commit, no job."""
        ...

    async def commit(self) -> None: ...


class Work(Protocol):
    """Opens units of work. A reading one never takes the write lock and refuses `commit`."""

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]: ...
