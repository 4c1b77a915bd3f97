"""What is remembered: a unit of work with one repository per subject. Implemented by `storage`, on SQLite and PostgreSQL.

Leaving a unit of work without `commit()` keeps nothing. `save` is compare-and-set on the version column and raises
`Conflict` where somebody else was first. No network call happens while one is open.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple, Protocol

from reclaim.domain.absences import Absence, AbsenceList
from reclaim.domain.appeals import Appeal, AppealState
from reclaim.domain.attestation import Event
from reclaim.domain.campaign import Campaign, CampaignState
from reclaim.domain.confirmation import LaunchRequest
from reclaim.domain.directory import AssigneeKind, Group, MailboxPurpose, Person, ProductOwner, Seat, Sku
from reclaim.domain.exclusions import Exclusion, ExclusionId, ExclusionKind
from reclaim.domain.idle import Finding, Rule
from reclaim.domain.ids import (
    AssigneeId,
    BatchId,
    CampaignId,
    GroupId,
    ItemId,
    MessageId,
    OrderId,
    PersonId,
    ProductId,
    RestoreId,
    RunId,
    SeatId,
    TenantId,
)
from reclaim.domain.money import Price, Total
from reclaim.domain.moves import Move
from reclaim.domain.orders import OrderState, RemovalOrder, RemovalStep
from reclaim.domain.read_models import SeatFilter, SentMessage
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import AskBack, Restore, Returned, Reversal
from reclaim.domain.review import AssignedHow, Choice, ReviewItem, Waiting
from reclaim.domain.savings import PoolChange, Stage, VerifiedSeat
from reclaim.domain.service_plans import PlanNeeds
from reclaim.domain.tasks import ManualTask
from reclaim.ports.consent_storage import Consents
from reclaim.ports.directory import PersonRow, Request, SignInRow
from reclaim.ports.engine import Job
from reclaim.ports.usage_reports import UseRules, WorkloadUse
from reclaim.ports.usage_storage import Usage


class People(Protocol):
    """Synced people."""

    async def get(self, person: PersonId) -> Person | None: ...

    async def get_many(self, people: Iterable[PersonId]) -> dict[PersonId, Person]: ...

    async def search(self, text: str, limit: int) -> list[Person]:
        """Return people still there whose name, user principal name or mail contains `text`, best match first."""
        ...

    async def count(self) -> int: ...

    async def names(self, after: PersonId, limit: int) -> list[tuple[PersonId, str, str]]:
        """Return id, user principal name and name of people still there, in the order of ids, behind `after`."""
        ...

    async def named(self, texts: Iterable[str]) -> list[Person]:
        """Return people still there whose id, user principal name or mail is one of these, in any case."""
        ...

    async def ids_by_name(self, texts: Iterable[str]) -> dict[str, list[PersonId]]:
        """Return the people still there who have each of these as object id or user principal name, letter for letter.

        The quick way, for many; whom it does not find `by_address` may.
        """
        ...

    async def by_address(self, addresses: Iterable[str]) -> dict[str, list[Person]]:
        """Return the people still there who have each of these addresses, in any case: mail, UPN or a further one."""
        ...

    async def addresses_of(self, person: PersonId) -> list[str]:
        """Return a person's addresses in lower case: mail, user principal name, then all others."""
        ...

    async def departments(self) -> list[str]:
        """Return every department that somebody still there has."""
        ...

    async def members(self, group: GroupId) -> frozenset[PersonId]:
        """Return the direct members of a role group as last synced."""
        ...

    async def reviewers_in(self, groups: Iterable[GroupId]) -> dict[GroupId, frozenset[PersonId]]:
        """Return the direct members who can review, as last synced.

        A group whose members the newest complete sync did not read is left out: nobody knows who is in it.
        """
        ...

    async def groups_of(self, person: PersonId) -> frozenset[GroupId]:
        """Return the groups in which this person can review, as `reviewers_in` says."""
        ...

    async def groups_of_many(self, people: Iterable[PersonId]) -> dict[PersonId, frozenset[GroupId]]:
        """Return the same for each of them who is in any."""
        ...


class Catalog(Protocol):
    """SKUs with their owners, groups and prices."""

    async def skus(self, ids: Iterable[ProductId] | None = None) -> dict[ProductId, Sku]:
        """Return SKUs by id; their service plans know what they need, by `service_plans.KNOWN` and what was learnt."""
        ...

    async def learn_needs(self, needs: PlanNeeds, *, at: datetime) -> None:
        """Keep what a refusal of Microsoft named, in place of what was known of the same service plans."""
        ...

    async def groups(self, ids: Iterable[GroupId] | None = None) -> dict[GroupId, Group]: ...

    async def owners(self) -> dict[ProductId, ProductOwner]:
        """Return the license owner of each product that has one, of products that are gone too."""
        ...

    async def set_owner(self, owner: ProductOwner) -> None:
        """Store the owner of a product in place of the one before."""
        ...

    async def remove_owner(self, product: ProductId) -> bool:
        """Leave a product without an owner; return False if it had none."""
        ...

    async def prices(self, on: datetime) -> dict[ProductId, Price]:
        """Return the price valid on that day per product, matched by skuId, part number or product name."""
        ...

    async def price_sources(self, on: datetime) -> dict[ProductId, tuple[Price, str]]:
        """Return the same with the source of each price."""
        ...

    async def replace_prices(self, prices: Sequence[tuple[str, Price]], *, source: str, at: datetime) -> bool:
        """Replace all prices of `source`, and return whether that changed anything.

        Args:
            prices: A skuId, part number or product name, matched when read, and its price.
            source: See `LoadPrices.from_csv`.
            at: Of two lists that name the same product equally, the later one counts.
        """
        ...

    async def put_price(self, text: str, price: Price, *, source: str, at: datetime) -> None:
        """Store one price beside the others of its source; one from the same day is replaced."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One judgement of every seat. `id` grows; `data_as_of` is when the run that it judges started."""

    id: int
    run_id: RunId
    judged_at: datetime
    data_as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What tells which exclusion holds a seat at a moment.

    Read once for many chunks of seats, as it looks at every person. A spelling that a sync brings meanwhile is known to
    that sync's own scan.

    Attributes:
        now: The moment.
        people: Whether an exclusion names a person; which ones is looked up.
        products: Product → `Exclusion.strength`.
        by_person: Kind → value as the directory spells it → `Exclusion.strength`.
        listed: Whether an exclusion holds a list of people; who is in it is looked up.
    """

    now: datetime
    people: bool
    products: Mapping[str, str]
    by_person: Mapping[ExclusionKind, Mapping[str, str]]
    listed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRules:
    """What `judge_seat` is told besides the seat.

    Attributes:
        days: The window of the activity rules.
        gives_sign_ins: False: sign-ins count as not read, whatever an older run has left there.
        marks: Of the exclusions that count when the scan judges.
        use: The usage reports to judge by; None: none.
    """

    days: int
    gives_sign_ins: bool
    never_seen_since: datetime | None
    marks: Marks
    use: UseRules | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The findings of one product whose seat ids lie in (after, upto]; `upto` None: to the last."""

    product_id: ProductId
    after: SeatId
    upto: SeatId | None


class DaySum(NamedTuple):
    """Findings of a product that are quiet since the same UTC day, by rule and exclusion ("": none)."""

    product_id: ProductId
    day: str
    rule: str
    exclusion_id: str
    seats: int


class Scans(Protocol):
    """Idle scans in the making: chunks of seats are judged inside the database; a scan counts once it is complete."""

    async def newest(self) -> Scan | None:
        """Return the newest complete scan."""
        ...

    async def begin(self, run: RunId, *, judged_at: datetime) -> Scan: ...

    async def judge(self, scan: Scan, rules: ScanRules, *, after: SeatId, seats: int) -> SeatId | None:
        """Judge so many seats behind `after` in the order of ids: store their findings, and count every verdict.

        Returns:
            The id of the last one; None: no seat is left.
        """
        ...

    async def span(self, scan: Scan, behind: Span | None, rows: int) -> Span | None:
        """Return the span of at most so many findings that follows `behind`, None after the last. It may be empty."""
        ...

    async def cut(self, scan: Scan, span: Span, rows: int) -> list[Span]:
        """Return the pieces of a span that hold so many findings each; the last has what is left, perhaps nothing."""
        ...

    async def days(self, scan: Scan, span: Span) -> list[DaySum]:
        """Add up the findings of a span by day, the earliest first."""
        ...

    async def put_in_order(self, scan: Scan, span: Span, *, first: str, last: str) -> None:
        """Enter findings of a span into the order in which they are listed: those quiet since these UTC days.

        Args:
            scan: It is not complete yet.
            span: Whose findings of these days were not entered yet.
            first, last: As in `DaySum`; both are entered.
        """
        ...

    async def add_days(self, scan: Scan, sums: Sequence[DaySum]) -> None:
        """Add to the stored sums."""
        ...

    async def complete(self, scan: Scan) -> bool:
        """Let the scan count; False if it was dropped meanwhile."""
        ...

    async def drop_all_but(self, scan: Scan) -> list[int]:
        """Give up every older scan, complete or not, and return their ids: what they hold is erased in pieces."""
        ...

    async def erase_some(self, scan_id: int, rows: int) -> bool:
        """Erase so many findings of a dropped scan; True once nothing of it is left."""
        ...

    async def mark(self, scan: Scan, marks: Marks, where: Span | PersonId) -> int:
        """Note on the findings of a span, or of a person, which exclusion holds them; return how many changed.

        The scan has all its findings in order, and their sums.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """The seats of one product as the newest scan judged them, each counted once in one of the parts.

    Attributes:
        read: All, counted where they were judged: it does not follow from the parts.
        held: Those that Microsoft gives.
        idle: Idle for the window and free.
        excluded: Idle for the window and excluded, by exclusion.
        gone: Idle for the window, and gone since.
        shorter: Idle for the shortest window, and not for this one.
        verdicts: All others, by a value of `NotIdleWhy`.
    """

    read: int
    held: int
    idle: int
    excluded: Mapping[ExclusionId, int]
    gone: int
    shorter: int
    verdicts: Mapping[str, int]


class Findings(Protocol):
    """Idle seats as of the newest scan. They are stored for the smallest window and filtered by the one asked.

    Sums and pages leave out excluded seats; `excluded` counts those. `select` and `get_many` return both.
    """

    async def verdicts(self) -> dict[str, int]:
        """Return seats by verdict of the newest scan: "idle" or a value of `NotIdleWhy`. They add up to all seats."""
        ...

    async def held(self) -> dict[ProductId, int]:
        """Return seats held per product as of the newest scan."""
        ...

    async def population(self, *, days: int, now: datetime) -> dict[ProductId, Breakdown]:
        """Return what the newest scan made of every seat, per product."""
        ...

    async def page(
        self, where: SeatFilter, *, now: datetime, offset: int, limit: int
    ) -> tuple[list[FindingRow], int, dict[ProductId, int]]:
        """Return rows by product name, longest quiet first, the total, and the seats per product over all pages."""
        ...

    async def tally(self, *, days: int, now: datetime) -> dict[ProductId, int]:
        """Return idle seats per product for a window."""
        ...

    async def excluded(
        self, *, days: int, now: datetime, product: ProductId | None = None, rules: Sequence[Rule] = ()
    ) -> dict[ExclusionId, int]:
        """Return excluded idle seats for a window, by the exclusion that holds them."""
        ...

    async def select(
        self, *, days: int, now: datetime, products: Sequence[ProductId] = (), rules: Sequence[Rule] = ()
    ) -> list[Finding]:
        """Return the findings of a scope, excluded or not."""
        ...

    async def get_many(self, seats: Iterable[SeatId]) -> dict[SeatId, Finding]: ...


class Exclusions(Protocol):
    """What is left out of every campaign."""

    async def add(self, exclusion: Exclusion) -> None:
        """Store a new one. Raises Conflict if one of the same kind and value has not ended."""
        ...

    async def end(self, exclusion: ExclusionId, *, by: PersonId, at: datetime) -> bool:
        """End one; False if there is none, or it has ended."""
        ...

    async def get_many(self, ids: Iterable[ExclusionId]) -> dict[ExclusionId, Exclusion]: ...

    async def counting(self, now: datetime) -> list[Exclusion]:
        """Return those that count, newest first."""
        ...

    async def same(self, kind: ExclusionKind, value: str) -> Exclusion | None:
        """Return the one of this kind and value that nobody has ended, expired or not."""
        ...

    async def ever(self, kind: ExclusionKind, values: Iterable[str]) -> frozenset[str]:
        """Return those of these values that something of this kind was about at some time, ended or not."""
        ...

    async def values(self, kind: ExclusionKind) -> list[str]:
        """Return the values that people really have: departments, user types, employee types."""
        ...

    async def marks(self, counting: Sequence[Exclusion], now: datetime) -> Marks:
        """Return the marks of the exclusions that count now. It may read every person: never under the write lock."""
        ...


class PeopleList(NamedTuple):
    """The people whom the exclusions of one kind and value hold."""

    kind: ExclusionKind
    value: str


class PeopleLists(Protocol):
    """Whom exclusions hold that go by none of a person's own fields: `domain.exclusions.LISTED`."""

    async def add(self, to: PeopleList, members: Iterable[PersonId], *, seen_at: datetime) -> None:
        """Note who was seen in it; who is in it already was seen again."""
        ...

    async def forget(self, of: PeopleList, *, seen_before: datetime | None, rows: int) -> bool:
        """Take out at most so many who were not seen since, None: whoever it is; return whether any may be left."""
        ...

    async def naming(self, named: Iterable[PersonId], now: datetime) -> dict[PersonId, frozenset[ExclusionId]]:
        """Return, of people who are in any, the exclusions that count now and list them."""
        ...

    async def sizes(self, of: Iterable[Exclusion]) -> dict[ExclusionId, int]:
        """Return how many people still there each holds; those of which nobody is there are left out."""
        ...

    async def strangers(self, of: PeopleList) -> list[str]:
        """Return the ids in it that are no people we know."""
        ...

    async def all(self) -> list[PeopleList]:
        """Return every list that has anybody in it."""
        ...


class Absences(Protocol):
    """When people are away: lists, of which one counts."""

    async def begin(self, made: AbsenceList) -> None:
        """Store a list that does not count yet."""
        ...

    async def add(self, to: str, rows: Sequence[Absence]) -> None: ...

    async def count_only(self, made: str) -> None:
        """Let this list count and drop all others, those that were never finished too."""
        ...

    async def counting(self) -> AbsenceList | None: ...

    async def dropped(self) -> list[str]: ...

    async def erase_some(self, dropped: str, rows: int) -> bool:
        """Erase about so many absences of a dropped list; return whether it is gone."""
        ...

    async def away(self, *, since: datetime, now: datetime, after: PersonId, limit: int) -> list[PersonId]:
        """Return who was away at any time between, in the order of ids, behind `after`."""
        ...

    async def away_of(self, people: Iterable[PersonId], *, since: datetime, now: datetime) -> frozenset[PersonId]:
        """Return who of these was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncRun:
    """One generation of the directory: running, complete, failed or stopped.

    Attributes:
        sign_ins: A value of `directory.SignInSupport`, "known" until proved otherwise.
        roles: Whether it was read who holds an admin role: a value of `directory.RoleSupport`.
        requested_by: Whom to tell, or None.
        kind: A value of `syncing.SyncKind`: a changes run reads no sign-ins and only who has changed.
        resynced: It was to read changes, and reads the whole tenant as Microsoft lost track of them.
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
    roles: str = "unread"
    error: str | None = None
    attempt: int = 0
    kind: str = "full"
    resynced: bool = False


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

    async def newest_complete(self) -> SyncRun | None:
        """Return the newest complete full run: what it knows of activity counts (rule 5), and every seat was in it."""
        ...

    async def newest_read(self) -> SyncRun | None:
        """Return the newest complete run of any kind: seats are as of its start."""
        ...

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


class Mailboxes(Protocol):
    """What people's mailboxes are for, as far as it was asked."""

    async def purposes(self, people: Iterable[PersonId]) -> dict[PersonId, MailboxPurpose]: ...

    async def to_ask(self, products: Iterable[ProductId], *, before: datetime, limit: int) -> list[PersonId]:
        """Return people with an idle seat of these products in the newest scan who were not asked about since `before`.

        The longest quiet first.
        """
        ...

    async def put(self, purposes: Mapping[PersonId, MailboxPurpose], *, at: datetime) -> None: ...


class Changes(Protocol):
    """Whom a changes run has heard of. It concludes only about them, each of whom it has read."""

    async def link(self) -> str | None:
        """Return where the newest complete run, of whatever kind, left off; None if it could not tell."""
        ...

    async def note(self, run: RunId, ids: Sequence[PersonId]) -> None:
        """Note that these people have to be read; who was noted before stays as they are."""
        ...

    async def waiting(self, run: RunId, limit: int) -> list[PersonId]:
        """Return some of those who still have to be read."""
        ...

    async def count(self, run: RunId) -> int:
        """Return how many people this run has heard of."""
        ...

    async def looked_at(self, run: RunId, *, there: Iterable[PersonId], gone: Iterable[PersonId]) -> None:
        """Note that they were read, and whom Microsoft does not know."""
        ...

    async def drop_if_completed(self, run: RunId) -> tuple[int, int, int, int]:
        """As `Syncs.drop_if_completed`: those read who are gone, and the seats that those read no longer have."""
        ...

    async def mark_gone(self, run: RunId, now: datetime) -> tuple[int, int]:
        """Date them; return (people, seats). Paths and memberships follow."""
        ...

    async def start_again(self, run: RunId) -> None:
        """Forget how far a run has come."""
        ...

    async def forget_all_but(self, run: RunId) -> None:
        """Forget what other runs have heard of."""
        ...


class Savings(Protocol):
    """When savings are realised: see `domain.savings`. What was reversed is in no figure but its own."""

    async def pools(self) -> dict[ProductId, list[PoolChange]]:
        """Return how the order of each product changed, the earliest first."""
        ...

    async def renewals(self) -> dict[ProductId, list[date]]:
        """Return every day on which a contract is known to have renewed or to renew."""
        ...

    async def note_renewals(self, days: Mapping[ProductId, date], *, at: datetime) -> None:
        """Keep these days, also when the price list goes on to the next ones."""
        ...

    async def verified(self, products: Iterable[ProductId]) -> list[VerifiedSeat]:
        """Return the seats of these products that were verified gone, over all campaigns."""
        ...

    async def realised(self, campaign: CampaignId | None = None) -> dict[ItemId, datetime]:
        """Return the realised seats of a campaign, or of all, and since when."""
        ...

    async def put(self, seats: Sequence[tuple[VerifiedSeat, datetime]]) -> None:
        """Store these as realised."""
        ...

    async def take_back(self, items: Iterable[ItemId]) -> None:
        """Call these realised no more."""
        ...

    async def realised_stage(self, campaign: CampaignId | None = None) -> Stage:
        """Return how many seats are realised and what they cost a month."""
        ...

    async def reclaimed(self, campaign: CampaignId | None = None) -> dict[ProductId, int]:
        """Return the seats per product that are verified gone and not realised."""
        ...


class Campaigns(Protocol):
    """Campaigns."""

    async def add(self, campaign: Campaign) -> None: ...

    async def get_many(self, campaigns: Iterable[CampaignId]) -> dict[CampaignId, Campaign]: ...

    async def get(self, campaign: CampaignId) -> Campaign | None: ...

    async def save(self, campaign: Campaign) -> None:
        """Compare-and-set: stores version n over n - 1."""
        ...

    async def all(self) -> list[Campaign]:
        """Return all, newest first."""
        ...

    async def in_states(self, states: Iterable[CampaignState]) -> list[Campaign]: ...

    async def freeze_seats(self, campaign: CampaignId, seats: Sequence[SeatId], *, part: int) -> None:
        """Keep, in parts of so many, which seats become items. Not in the campaign: that is read with every click."""
        ...

    async def next_seats(self, campaign: CampaignId) -> tuple[int, list[SeatId]] | None:
        """Return number and seats of the first part that has not become items yet."""
        ...

    async def seats_opened(self, campaign: CampaignId, part: int) -> bool:
        """Note, in the transaction that stores its items, that a part is done; False if it was done already."""
        ...

    async def drop_seats(self, campaign: CampaignId) -> int:
        """Forget the frozen seats, whose items now stand for them; return how many they were."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerCount:
    """One reviewer's part of a campaign: of a person what is open with them and answered by them, of a group what is open."""

    assignee_id: AssigneeId
    kind: AssigneeKind
    total: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerFigures:
    """How far the reviewers of a campaign are.

    Attributes:
        total: Reviewers, counted as in `ReviewerCount`; done: those without an open item.
        open_with: Those with the most open items, most first.
    """

    total: int
    done: int
    open_with: tuple[ReviewerCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFigure:
    """How many items of a campaign agree in all of these, and what they cost a month together.

    Attributes:
        second_look: Somebody was not sure, so the item went to the fallback reviewer.
        currency: None: they have no price, and `monthly_minor` is 0.
    """

    outcome: Outcome | None
    choice: Choice | None
    waiting: Waiting | None
    second_look: bool
    currency: str | None
    items: int
    monthly_minor: int

    @property
    def monthly(self) -> Total:
        """What they cost together."""
        return Total.grouped(self.currency, self.monthly_minor, self.items)


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
    """What a decision is judged by: the items, their campaigns, and the names of their present assignees.

    Attributes:
        members: Of the groups that have one of the items, those who can review.
    """

    items: Mapping[ItemId, ReviewItem]
    campaigns: Mapping[CampaignId, Campaign]
    names: Mapping[AssigneeId, str]
    members: Mapping[GroupId, frozenset[PersonId]] = field(default_factory=dict)


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


CONFIRMED = "confirmed:"  # before an item's id: the key of `Controls.once` for a removal that a sync has confirmed


class Items(Protocol):
    """Review items, their assignments and decisions."""

    async def add_many(self, items: Sequence[ReviewItem], *, at: datetime) -> None:
        """Store new items with their first assignment."""
        ...

    async def get_many(self, items: Iterable[ItemId]) -> dict[ItemId, ReviewItem]: ...

    async def of_campaign(self, campaign: CampaignId) -> list[ReviewItem]:
        """Return all items: for what must be whole in memory, as the evidence files; else `page` or `figures`."""
        ...

    async def page(
        self, campaign: CampaignId, *, outcome: Outcome | None, after: SeatId | None, limit: int
    ) -> list[ReviewItem]:
        """Return the next items with this outcome (None: not ended), by seat: a person's items follow each other."""
        ...

    async def for_reviewer(self, campaign: CampaignId, person: PersonId) -> list[ReviewItem]:
        """Return what belongs on this person's list.

        With them or a group of theirs, answered by them or another member of it, or passed on by them or moved away from
        them by an admin and still open.
        """
        ...

    async def concerns(self, item: ReviewItem, person: PersonId) -> bool:
        """Return whether the item belongs on this person's list, by `for_reviewer`."""
        ...

    async def open_counts(
        self, asked: Iterable[tuple[CampaignId, PersonId]], groups: Mapping[PersonId, frozenset[GroupId]]
    ) -> Counter[tuple[CampaignId, PersonId]]:
        """Return how many seats without an answer each may answer, alone or as a member of their `groups`."""
        ...

    async def passed_on(self, campaign: CampaignId, person: PersonId) -> list[ReviewItem]:
        """Return items that this person handed to somebody else, who, or a later one, still has them or answered them."""
        ...

    async def of_batch(self, batch: BatchId) -> list[ReviewItem]: ...

    async def of_person(self, person: PersonId) -> list[ReviewItem]:
        """Return every item about this holder, newest campaign first."""
        ...

    async def of_people(self, people: Iterable[PersonId]) -> dict[PersonId, list[ReviewItem]]:
        """Return the same for each holder about whom there is any."""
        ...

    async def save(self, item: ReviewItem) -> None:
        """Compare-and-set: stores version n over n - 1. Assignment history is kept by `record_assignment`."""
        ...

    async def save_progress(self, items: Sequence[ReviewItem]) -> None:
        """Compare-and-set of many items, each version n over n - 1: how they wait or ended, and nothing else."""
        ...

    async def record_assignment(
        self, item: ReviewItem, *, by: PersonId | None, how: AssignedHow, reason: str | None, at: datetime
    ) -> None:
        """End the present assignment and add the item's assignee as the next."""
        ...

    async def move_many(self, items: Sequence[ReviewItem], *, by: PersonId | None, at: datetime) -> None:
        """Store moved items, all or none, each over its version before, with the entry in its history of assignees."""
        ...

    async def open_with(self, campaign: CampaignId, assignee: AssigneeId) -> list[ReviewItem]:
        """Return what this person or group has to answer."""
        ...

    async def groups_asked(self) -> frozenset[GroupId]:
        """Return the groups that have something to answer in an opening or open campaign."""
        ...

    async def asked(self, campaign: CampaignId, *, open_only: bool = False) -> list[PersonId]:
        """Return whom the campaign asks, members of groups one by one, and who has answered; `open_only`: still asks."""
        ...

    async def history(self, item: ItemId) -> list[Move]:
        """Return who had the item, oldest first, the present assignee last."""
        ...

    async def reviewers(self, campaign: CampaignId) -> list[ReviewerCount]: ...

    async def reviewer_figures(self, campaign: CampaignId, *, top: int) -> ReviewerFigures: ...

    async def figures(self, campaign: CampaignId | None = None) -> list[ItemFigure]:
        """Return every combination that occurs in a campaign, or in all; a few dozen, whatever their size."""
        ...

    async def first_removed_at(self, campaign: CampaignId) -> datetime | None:
        """Return when the first seat was verified gone, None before that."""
        ...

    async def left_by_product(self, campaign: CampaignId) -> dict[ProductId, int]:
        """Return how many items have not ended, by product."""
        ...

    async def any_left(self, campaign: CampaignId) -> bool:
        """Return whether an item has not ended."""
        ...

    async def any_open(self, campaign: CampaignId) -> bool:
        """Return whether an item is with somebody who has not answered."""
        ...

    async def ended(self, people: Iterable[PersonId]) -> dict[PersonId, dict[ItemId, Outcome]]:
        """Return, for each of them, their items that have an outcome, over all campaigns."""
        ...

    async def unconfirmed(self, *, after: ItemId | None, limit: int) -> list[ReviewItem]:
        """Return removed items of campaigns that apply or are closed, whose seat is gone and not yet attested as such."""
        ...

    async def open_campaigns_of(self, person: PersonId) -> list[CampaignId]:
        """Return campaigns in state open in which this person has items, answered or not."""
        ...

    async def without_card(self, campaign: CampaignId) -> list[PersonId]:
        """Return people with open items, also as members of a group, of which one stands on no delivered message to them."""
        ...

    async def delivered_to_assignee(self, items: Iterable[ItemId]) -> frozenset[ItemId]:
        """Return which of these items their present assignee, or a member of the group who can review, got a card of."""
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

    async def close_questions(self, items: Iterable[ItemId], *, at: datetime) -> None: ...

    async def remember_answers(self, items: Sequence[ReviewItem], *, until: datetime) -> None: ...


class Orders(Protocol):
    """Removal orders and steps."""

    async def add_many(self, orders: Sequence[RemovalOrder]) -> None: ...

    async def get(self, order: OrderId) -> RemovalOrder | None: ...

    async def get_many(self, orders: Iterable[OrderId], *, hold: bool = False) -> dict[OrderId, RemovalOrder]:
        """Return those that there are; `hold`: nobody else stores them before this unit of work ends."""
        ...

    async def save(self, *orders: RemovalOrder) -> None:
        """Compare-and-set on each order's version; steps are stored with it."""
        ...

    async def save_many(self, orders: Sequence[RemovalOrder]) -> None:
        """Compare-and-set of many orders, without their steps."""
        ...

    async def of_campaign(self, campaign: CampaignId) -> list[RemovalOrder]: ...

    async def of_people(self, campaign: CampaignId, people: Iterable[PersonId]) -> dict[PersonId, RemovalOrder]: ...

    async def page(
        self, campaign: CampaignId, states: Iterable[OrderState], *, after: OrderId | None, limit: int
    ) -> list[RemovalOrder]:
        """Return the next orders in one of these states, by id."""
        ...

    async def any_in_state(self, campaign: CampaignId, states: Iterable[OrderState]) -> bool: ...

    async def any_unchecked(self, campaign: CampaignId) -> bool:
        """Return whether an item that has not ended has a step that was or may have been written."""
        ...

    async def ordered_items(self, campaign: CampaignId, *, up_to: int) -> int:
        """Return how many items have removal steps; counting stops at `up_to`."""
        ...

    async def due(self, now: datetime, *, limit: int) -> list[RemovalOrder]:
        """Return the orders whose `not_before` came first: verifying, or ready in a campaign that applies.

        One that a job has claimed is not due for the next hour.
        """
        ...

    async def claim(self, attempts: Mapping[OrderId, int], *, by: str, at: datetime) -> list[RemovalOrder]:
        """Give those of these orders to a job that nobody else carries out, and return them as they are now.

        A claim ends with the attempt, or after an hour; the order then gets its next attempt, so that whoever held it
        changes nothing more. A job that runs again keeps what it had.

        Args:
            attempts: The attempt of each that is to be carried out; an order that has moved on is left alone.
            by: The job's key.
            at: Now.
        """
        ...

    async def next_due(self, after: datetime) -> datetime | None:
        """Return the earliest `not_before` later than `after` of ready and verifying orders."""
        ...

    async def hold_people(self, people: Iterable[PersonId]) -> None:
        """Let only one unit of work at a time decide on a write for each of them; the others wait for its end."""
        ...

    async def written_steps(self, people: Iterable[PersonId]) -> dict[PersonId, list[RemovalStep]]:
        """Return, for each of them, steps that were or may have been written and are not verified yet, over all orders."""
        ...

    async def written_since(self, since: datetime) -> int:
        """Return how many steps were or may have been written since then, or are about to be, for the hourly limit."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversalFigure:
    """How many removals that ended so were reversed so, and what they cost a month; `currency` as in `ItemFigure`."""

    how: Returned
    outcome: Outcome
    currency: str | None
    items: int
    monthly_minor: int

    @property
    def monthly(self) -> Total:
        """What they cost together."""
        return Total.grouped(self.currency, self.monthly_minor, self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBackFigures:
    """Removals that were wrong by the word of the holder: `wanted_back`; `asked`: who was asked after a sign-in."""

    asked: int
    wanted_back: int


class Restores(Protocol):
    """The way back: restores, removed seats that are there again, and holders who were asked."""

    async def add(self, restore: Restore) -> None:
        """Store a new one. Raises Conflict if its item has one."""
        ...

    async def get(self, restore: RestoreId) -> Restore | None: ...

    async def save(self, restore: Restore) -> None:
        """Compare-and-set on the version; steps are stored with it."""
        ...

    async def of_items(self, items: Iterable[ItemId]) -> dict[ItemId, Restore]: ...

    async def of_campaign(self, campaign: CampaignId) -> list[Restore]: ...

    async def due(self, now: datetime, *, limit: int) -> list[Restore]: ...

    async def next_due(self, after: datetime) -> datetime | None: ...

    async def news(self, *, since: datetime) -> list[tuple[CampaignId, str]]:
        """Return campaigns of which a restore was asked for or ended since then, with what is new whenever one is."""
        ...

    async def with_intended(self, people: Iterable[PersonId], *, but: RestoreId | None = None) -> frozenset[PersonId]:
        """Return which of them have a restore, other than `but`, with a call on its way."""
        ...

    async def any_running(self, person: PersonId, *, but: RestoreId) -> bool:
        """Say whether another seat is being given back to a person."""
        ...

    async def reverse(self, reversal: Reversal) -> bool:
        """Note, once per item, that its seat is there again; False if that was known."""
        ...

    async def reversals(self, items: Iterable[ItemId]) -> dict[ItemId, Reversal]: ...

    async def reversals_of(self, campaign: CampaignId, run: str | None = None) -> list[Reversal]:
        """Return those of a campaign; of one sync, if one is named."""
        ...

    async def reversal_figures(self, campaign: CampaignId | None = None) -> list[ReversalFigure]: ...

    async def there_again(self, run: str, *, before: datetime, after: ItemId | None, limit: int) -> list[ItemId]:
        """Return items verified gone before then and not reversed, whose seat this run has read, by id."""
        ...

    async def signed_in_again(
        self, run: str, *, since: datetime, after: ItemId | None, limit: int
    ) -> list[tuple[ItemId, datetime]]:
        """Return removed items, verified since then, whose enabled holder has signed in after that, by id, with the time.

        As read by this run; not those whose seat is there, was asked for, or whose holder was asked.
        """
        ...

    async def ask_back(self, asked: AskBack) -> bool:
        """Note, once per item, that its holder is asked; False if that was known."""
        ...

    async def asked_back(self, item: ItemId) -> AskBack | None: ...

    async def answer_ask_back(self, item: ItemId, *, wanted: bool, at: datetime) -> None: ...

    async def ask_back_figures(self, campaign: CampaignId) -> AskBackFigures: ...


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


SentTo = tuple[PersonId, str, str]  # who, in which channel, and the channel's own id of the message


class Messages(Protocol):
    """What was sent, to whom, with which exact payload."""

    async def live(self, person: PersonId, matter: str) -> MessageRecord | None:
        """Return the newest message of the matter that has been sent and not been replaced."""
        ...

    async def live_ones(self, asked: Iterable[SentTo]) -> frozenset[SentTo]:
        """Return those that have been sent to this person there, by the channel's own id of it, and not been replaced."""
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

    async def failed(self, kinds: Iterable[str], *, since: datetime) -> list[tuple[str, PersonId]]:
        """Return (matter, person) of messages of these kinds that died since then and that no later one replaces."""
        ...

    async def reminded(self, campaign: CampaignId) -> dict[PersonId, datetime]:
        """Return when each person was last reminded, by the clock or by hand."""
        ...

    async def mark_reminded(self, campaign: CampaignId, people: Iterable[PersonId], *, at: datetime) -> None: ...


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

    async def get_many(self, channel: str, people: Iterable[PersonId]) -> dict[PersonId, Identity]: ...

    async def of_conversations(self, channel: str, conversations: Iterable[str]) -> dict[str, Identity]:
        """Return who is spoken to there; of several, which a channel should never give, the newest."""
        ...

    async def put(self, identity: Identity) -> None: ...

    async def blocked(self, channel: str) -> list[Identity]:
        """Return people whom the channel does not let us write to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackInstallation:
    """A workspace of Slack in which the app is installed.

    Attributes:
        id: Of the workspace (T…), or of the organisation (E…) where the app is installed for all of it.
        bot_user: The bot's own user id there.
        token: The bot token, encrypted; storage never sees it in clear.
        scopes: What it may do, with commas.
    """

    id: str
    org_wide: bool
    bot_user: str
    token: str
    scopes: str
    installed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTasks:
    """How many tasks are open, by the outcome of their items, and what their seats cost a month."""

    by_outcome: Mapping[str, int]
    monthly: Total


class Tasks(Protocol):
    """What somebody did about the seats that need a person. A task is open while its item says so: `domain.tasks`."""

    async def get_many(self, items: Iterable[ItemId]) -> dict[ItemId, ManualTask]:
        """Return what is stored; about most tasks nobody has done anything yet."""
        ...

    async def save(self, task: ManualTask) -> None:
        """Store version n over n - 1, 1 as new. Raises Conflict if somebody was first."""
        ...

    async def open(self, campaign: CampaignId | None, *, offset: int, limit: int) -> list[ReviewItem]:
        """Return items with an open task, of one campaign or of all, the oldest first."""
        ...

    async def counted(self, campaign: CampaignId | None) -> OpenTasks: ...

    async def gone(self, *, after: ItemId | None, limit: int) -> list[ReviewItem]:
        """Return items that we could not take and whose seat the last complete sync did not find, by id after `after`."""
        ...


class Appeals(Protocol):
    """What holders asked to have looked at again, one for each removed item."""

    async def add(self, appeal: Appeal) -> None:
        """Store a new one. Raises Conflict if its item has one."""
        ...

    async def save(self, appeal: Appeal) -> None:
        """Compare-and-set on the version."""
        ...

    async def get(self, item: ItemId) -> Appeal | None: ...

    async def of_items(self, items: Iterable[ItemId]) -> dict[ItemId, Appeal]: ...

    async def of_campaign(self, campaign: CampaignId) -> list[Appeal]: ...

    async def counts(self, campaign: CampaignId) -> dict[AppealState, int]: ...

    async def due(self, now: datetime, *, limit: int) -> list[Appeal]:
        """Return open ones whose time is over, the oldest first."""
        ...

    async def next_due(self, after: datetime) -> datetime | None: ...


class SlackInstallations(Protocol):
    """Workspaces of Slack: a handful of rows."""

    async def all(self) -> list[SlackInstallation]: ...

    async def put(self, installation: SlackInstallation) -> None: ...

    async def remove(self, ref: str) -> None: ...


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

    async def launch_request(self, request: str) -> LaunchRequest | None: ...

    async def launch_requests_of(self, draft: str) -> list[LaunchRequest]:
        """Return the requests to confirm this draft, newest first."""
        ...

    async def launch_requests_waiting(self) -> list[LaunchRequest]:
        """Return all that wait for an answer, oldest first."""
        ...

    async def ask_launch(self, request: LaunchRequest) -> None:
        """Store a new request. Raises Conflict where one waits for this draft."""
        ...

    async def settle_launch(self, request: LaunchRequest) -> None:
        """Store the end of a request. Raises Conflict where it has ended."""
        ...

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
    def scans(self) -> Scans: ...
    @property
    def findings(self) -> Findings: ...
    @property
    def exclusions(self) -> Exclusions: ...
    @property
    def people_lists(self) -> PeopleLists: ...
    @property
    def absences(self) -> Absences: ...
    @property
    def syncs(self) -> Syncs: ...
    @property
    def changes(self) -> Changes: ...
    @property
    def savings(self) -> Savings: ...
    @property
    def workload_use(self) -> WorkloadUse: ...
    @property
    def mailboxes(self) -> Mailboxes: ...
    @property
    def campaigns(self) -> Campaigns: ...
    @property
    def items(self) -> Items: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def restores(self) -> Restores: ...
    @property
    def consents(self) -> Consents: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def appeals(self) -> Appeals: ...
    @property
    def slack_installations(self) -> SlackInstallations: ...
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

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open one that can commit; within `answering` it goes before long work."""
        ...

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def answering(self) -> AbstractContextManager[None]:
        """Say, for the block and the tasks that it starts, that somebody waits at a card or for a command."""
        ...

    async def give_way(self) -> None:
        """Let those go first who wait for an answer, for a moment at most: long work calls it between small steps."""
        ...
