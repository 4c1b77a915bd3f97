"""The core as the bot sees it, by hand: each service says what it was asked and answers with a made-up read model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bot.guard import Rate
from bot.inbound import Action, Command
from bot.router import Router
from bot.services import Services
from reclaim.domain.appeals import AppealView
from reclaim.domain.campaign import Campaign, CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.checkup import Checkup
from reclaim.domain.consent import RequestState, StillUsed, checked_note
from reclaim.domain.consent_program import ConsentProgram, ProgramState, Value
from reclaim.domain.consent_run import ConsentRun
from reclaim.domain.consent_views import ConsentView, ProgramView, RequestPage, RunView, WaiterView
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import (
    BatchId,
    CampaignId,
    ConsentId,
    ConsentRunId,
    ItemId,
    MessageId,
    PersonId,
    ProductId,
    ProgramId,
    RunId,
)
from reclaim.domain.money import Period
from reclaim.domain.notices import Notice
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import (
    AbsencesView,
    AbsentRow,
    BulkResult,
    Campaigns,
    CampaignStatus,
    ExclusionList,
    ExclusionView,
    ExportedFile,
    FreezeView,
    History,
    InboxPage,
    InboxShow,
    InboxView,
    ItemView,
    LaunchRequestView,
    Moved,
    Nudged,
    Owners,
    PopulationView,
    PriceList,
    PriceRow,
    ReviewersPage,
    ReviewSummary,
    SeatFilter,
    SeatPage,
    SeatReceipt,
    SpendReport,
    StartPreview,
    StartSeats,
    SyncView,
    Wave,
    WhyReport,
)
from reclaim.domain.restore import AskedHow
from reclaim.domain.restore_views import AskBackView, RestoreLine, RestorePreview, RestoresView
from reclaim.domain.review import Choice, DataLoss, KeepReason, Recommendation, ReviewItem
from reclaim.domain.roles import Actor, Role
from reclaim.domain.syncing import SyncKind
from reclaim.domain.tasks import TaskList, TaskView
from reclaim.errors import DeliveryError, InvalidRequest, NotFound
from reclaim.ports.chat import Delivery
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.services.choose_seats import ScopeAsked
from tests.fakes import FixedClock, SequentialTokens
from tests.golden.cards import appeal_models as appeals
from tests.golden.cards import consent_models as asking
from tests.golden.cards import models
from tests.golden.cards import restore_models as way_back
from tests.golden.cards.checkup_models import CHECKUP

ADMIN, MANAGER, AUDITOR, NOBODY = (PersonId(name) for name in ("allan", "lynne", "christie", "adele"))
OPERATOR = PersonId("operator:root")
ROLES: Mapping[PersonId, Role] = {ADMIN: Role.ADMIN, MANAGER: Role.LICENSE_MANAGER, AUDITOR: Role.AUDITOR}
NAMES = {ADMIN: "Allan Deyoung", MANAGER: "Lynne Robbins", AUDITOR: "Christie Cline", NOBODY: "Adele Vance"}
OPEN_CAMPAIGN = Campaign(
    id=models.CAMPAIGN,
    name=models.NAME,
    state=CampaignState.OPEN,
    version=1,
    owner_id=ADMIN,
    created_at=models.NOW,
    zone=models.ZONE,
    due_at=models.CLOSES,
    closes_at=models.CLOSES,
    shown_close_at=models.CLOSES,
    strategy=Strategy.MANAGER,
    reviewer_id=None,
    fallback_id=MANAGER,
    silence=Silence.KEEP,
    scope=Scope(),
    mode=WriteMode.LIVE,
)


@dataclass
class Core:
    """All services in one, as they are called; `calls` says what, `error` is raised by the next change."""

    calls: list[tuple[object, ...]] = field(default_factory=list)
    error: Exception | None = None
    wave_shown: Wave | None = field(default_factory=models.wave)
    item_shown: ItemView | None = field(default_factory=models.view)
    drafts: dict[str, CampaignDraft] = field(default_factory=dict)
    frozen: FreezeView = models.FROZEN
    reachable: bool = True
    campaign_names: set[str] | None = None  # None: every text names the one campaign
    nudged: Nudged = field(
        default_factory=lambda: Nudged(campaign_id=models.CAMPAIGN, reminded=5, waiting=2, next_at=models.CLOSES)
    )
    delivered: list[tuple[PersonId, Notice]] = field(default_factory=list)
    seat_filters: list[SeatFilter] = field(default_factory=list)
    scopes: list[ScopeAsked] = field(default_factory=list)

    def note(self, *call: object) -> None:
        self.calls.append(call)
        if self.error is not None:
            raise self.error

    async def actor(self, person: PersonId, channel: str) -> Actor:
        roles = {Role.EMPLOYEE} | ({ROLES[person]} if person in ROLES else set())
        return Actor(id=person, channel=channel, roles=frozenset(roles))

    async def names_with(self, roles: frozenset[Role]) -> tuple[str, ...]:
        return tuple(NAMES[person] for person, role in ROLES.items() if role in roles)

    async def request(self, by: PersonId | None, kind: SyncKind = SyncKind.FULL) -> RunId:
        self.note("sync", by, *([kind] if kind is not SyncKind.FULL else []))
        return RunId("run1")

    async def accept(self, run: str, actor: Actor) -> SyncView:
        self.note("accept", run)
        return models.COMPLETE

    async def report(self, days: int | None = None) -> SpendReport:
        self.calls.append(("spend", days))
        return models.SPEND

    async def population(self, product: ProductId, days: int | None = None) -> PopulationView:
        self.calls.append(("population", product, days))
        return models.POPULATION

    async def page(self, where: SeatFilter, page: int = 1) -> SeatPage:
        self.seat_filters.append(where)
        return replace(models.SEATS, filter=where, page=min(page, 3))

    async def product(self, text: str) -> ProductId:
        if text != "Visio Plan 2":
            raise InvalidRequest(f"No SKU is called “{text}”. Did you mean Visio Plan 2?", field="sku")
        return models.VISIO

    async def nearest_products(self, text: str) -> list[tuple[ProductId, str]]:
        return [(models.VISIO, "Visio Plan 2")]

    async def put_draft(self, actor: Actor, draft: CampaignDraft) -> None:
        self.note("put_draft", draft.ref)
        self.drafts[draft.ref] = draft

    async def draft(self, ref: str, actor: Actor) -> CampaignDraft:
        if ref not in self.drafts or self.drafts[ref].by != actor.id:
            raise NotFound("There is no such draft.")
        return self.drafts[ref]

    async def preview(self, actor: Actor, draft: CampaignDraft) -> StartPreview:
        self.note("preview", draft.ref)
        return replace(models.PREVIEW, ref=draft.ref, name=draft.name)

    async def simulate(self, actor: Actor, draft: CampaignDraft) -> StartPreview:
        self.note("simulate", draft.ref)
        return replace(models.PREVIEW, ref=draft.ref, name=draft.name)

    async def seats(self, actor: Actor, ref: str, page: int) -> StartSeats:
        self.note("start_seats", ref, page)
        return replace(models.START_SEATS, ref=ref, page=page)

    async def scope(self, asked: ScopeAsked) -> Scope:
        self.scopes.append(asked)
        for sku in asked.skus:
            await self.product("Visio Plan 2" if sku == models.VISIO else sku)
        return Scope(
            days=asked.days,
            rules=asked.rules,
            product_ids=(models.VISIO,) if asked.skus else (),
            departments=asked.departments,
            person_ids=(NOBODY,) if asked.listed else (),
        )

    async def person(self, text: str, *, field: str) -> PersonId:
        return next(person for person, name in NAMES.items() if text.lower() in name.lower())

    async def launch(self, actor: Actor, ref: str) -> Campaign:
        self.note("launch", ref)
        return replace(OPEN_CAMPAIGN, id=CampaignId(ref))

    async def wave(self, campaign: CampaignId, person: PersonId, result: BulkResult | None = None) -> Wave | None:
        return replace(self.wave_shown, result=result) if self.wave_shown else None

    async def inbox(self, person: PersonId) -> InboxView:
        waves = (self.wave_shown,) if self.wave_shown else ()
        return InboxView(person_name="Megan Bowen", waves=waves, own_seats=1)

    async def inbox_page(self, person: PersonId, show: InboxShow, page: int = 1) -> InboxPage:
        return replace(models.INBOX[show], page=min(page, models.INBOX[show].pages))

    async def item(self, item_id: ItemId, viewer: PersonId) -> ItemView:
        if self.item_shown is None:
            raise NotFound("This seat is with Lynne Robbins now. Only Lynne can answer.")
        return replace(self.item_shown, viewer_id=viewer, item=replace(self.item_shown.item, assignee_id=viewer))

    async def turn_page(self, campaign: CampaignId, person: PersonId, by: int) -> None:
        self.note("turn_page", by)

    async def keep_ticks(self, campaign: CampaignId, person: PersonId, ticks: Mapping[ItemId, bool]) -> None:
        self.calls.append(("keep_ticks", dict(ticks)))

    async def untick_all(self, campaign: CampaignId, person: PersonId) -> None:
        self.note("untick_all")

    async def decide(
        self,
        actor: Actor,
        items: Sequence[ItemId],
        choice: Choice,
        *,
        idem_key: str,
        bulk: bool,
        reason: KeepReason | None = None,
        note: str | None = None,
        keep_until: date | None = None,
        data_loss: DataLoss | None = None,
    ) -> BulkResult:
        self.note(
            "decide",
            tuple(items),
            choice,
            idem_key,
            bulk,
            reason,
            note,
            keep_until,
            *([data_loss] if data_loss else []),
        )
        return replace(models.RESULT, choice=choice, done=len(items), skipped=())

    async def undo(self, actor: Actor, batch: BatchId, *, idem_key: str) -> BulkResult:
        self.note("undo", batch, idem_key)
        return replace(models.RESULT, choice=Choice.WITHDRAWN, undone=4)

    async def delegate(
        self, actor: Actor, items: Sequence[ItemId], to: PersonId, reason: str, *, idem_key: str, others: bool = False
    ) -> Moved:
        self.note("delegate", tuple(items), to, reason, idem_key, *(["others"] if others else []))
        return Moved(seats=len(items) + (3 if others else 0), stayed=(("holder", 1),) if others else ())

    async def give_back(self, actor: Actor, item_id: ItemId, *, idem_key: str) -> str:
        self.note("give_back", item_id, idem_key)
        return "Lynne Robbins"

    async def of_reviewer(self, actor: Actor, campaign_id: CampaignId, reviewer: str, to: str) -> Moved:
        self.note("reassign", campaign_id, reviewer, to)
        return Moved(seats=4, to_name="Nora Patel", stayed=(("holder", 1),))

    async def of_holder(self, actor: Actor, campaign_id: CampaignId, holder: str, to: str) -> Moved:
        self.note("reassign_seat", campaign_id, holder, to)
        return Moved(seats=1, to_name="Nora Patel")

    async def extend(self, actor: Actor, campaign_id: CampaignId, due: date) -> Campaign:
        self.note("extend", campaign_id, due)
        return OPEN_CAMPAIGN

    async def cancel(self, actor: Actor, campaign_id: CampaignId, reason: str | None) -> Campaign:
        self.note("cancel", campaign_id, reason)
        return OPEN_CAMPAIGN

    async def nudge(self, actor: Actor, campaign_id: CampaignId, person: str | None = None) -> Nudged:
        self.note("nudge", campaign_id, person)
        return self.nudged

    async def owners(self) -> Owners:
        return models.OWNERS

    async def name(self, actor: Actor, product: ProductId, text: str, *, group: bool) -> Owners:
        self.note("owner", product, text, group)
        return models.OWNERS

    async def remove(self, actor: Actor, product: ProductId) -> Owners:
        self.note("no_owner", product)
        return models.OWNERS

    async def take_back(self, actor: Actor, item_id: ItemId, *, idem_key: str) -> None:
        self.note("take_back", item_id)

    async def early(self, actor: Actor | None, campaign_id: CampaignId) -> Campaign:
        self.note("close", campaign_id)
        return OPEN_CAMPAIGN

    async def abandon(self, actor: Actor, campaign_id: CampaignId) -> Campaign:
        self.note("abandon", campaign_id)
        return OPEN_CAMPAIGN

    async def retry(self, actor: Actor, campaign_id: CampaignId) -> int:
        self.note("retry", campaign_id)
        return 2

    async def freeze(self, actor: Actor, reason: str) -> FreezeView:
        self.note("freeze", reason)
        return models.FROZEN

    async def ask_resume(self, actor: Actor, reason: str) -> FreezeView:
        self.note("ask_resume", reason)
        return replace(models.ASKED, resume_by=actor.id)

    async def confirm_resume(self, actor: Actor, ref: str) -> FreezeView:
        self.note("confirm_resume", ref)
        return replace(models.FROZEN, frozen=False)

    async def status(self, campaign: CampaignId) -> CampaignStatus:
        return models.STATUS

    async def campaigns(self) -> Campaigns:
        return Campaigns(rows=(models.STATUS,), idle=42, total=models.SPEND.total)

    async def reviewers(self, campaign: CampaignId, page: int = 1) -> ReviewersPage:
        self.calls.append(("reviewers", campaign, page))
        return models.REVIEWERS

    async def summary(self, campaign: CampaignId, person: PersonId) -> ReviewSummary | None:
        return models.SUMMARY

    async def receipt(self, campaign: CampaignId, person: PersonId) -> SeatReceipt | None:
        return way_back.RECEIPT_OPEN

    async def find(self, text: str | None) -> Campaign:
        if text is not None and self.campaign_names is not None and text not in self.campaign_names:
            raise NotFound(f"No campaign is called “{text}”.")
        return OPEN_CAMPAIGN

    async def why(self, text: str) -> WhyReport:
        self.calls.append(("why", text))
        return models.WHY

    async def history(self, campaign: CampaignId | None, limit: int = 20) -> History:
        self.calls.append(("history", campaign, limit))
        return models.HISTORY

    async def export(self, actor: Actor, campaign: CampaignId) -> tuple[ExportedFile, ...]:
        self.note("export", campaign)
        return (ExportedFile(name="attestation.csv", media_type="text/csv", content=b"a,b"),)

    async def report_file(self, actor: Actor, campaign: CampaignId, *, pseudonymous: bool = False) -> ExportedFile:
        self.note("report", campaign)
        return ExportedFile(name="report.html", media_type="text/html", content=b"<p>")

    async def search(self, text: str) -> tuple[tuple[PersonId, str], ...]:
        return tuple((person, name) for person, name in NAMES.items() if text.lower() in name.lower())

    async def name_of(self, person: PersonId) -> str | None:
        return NAMES.get(person)

    async def deliver(self, person: PersonId, notice: Notice) -> Delivery:
        if not self.reachable:
            raise DeliveryError("No channel reaches this person.", permanent=True)
        self.delivered.append((person, notice))
        return Delivery(
            message_id=MessageId("m1"),
            channel="fake",
            conversation="chat",
            external_id="x1",
            payload_sha256="0" * 64,
            sent_at=models.NOW,
        )

    async def retire(self, matter: str, notice: Notice) -> None:
        self.note("retire", matter)


class Freezing:
    """`view` is also the name of the sync's question, so the freeze has a face of its own."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.freeze = core.freeze
        self.ask_resume = core.ask_resume
        self.confirm_resume = core.confirm_resume

    async def view(self) -> FreezeView:
        return self.core.frozen


class Confirming:
    """The second admin's face of the core; `shown` is where the request stands."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.shown = replace(models.LAUNCH_ASKED, by=MANAGER)

    async def ask(self, actor: Actor, ref: str) -> LaunchRequestView:
        self.core.note("ask_launch", ref)
        return self.shown

    async def confirm(self, actor: Actor, ref: str) -> Campaign:
        self.core.note("confirm_launch", ref)
        self.shown = replace(models.LAUNCH_CONFIRMED, by=MANAGER)
        return OPEN_CAMPAIGN

    async def decline(self, actor: Actor, ref: str) -> LaunchRequestView:
        self.core.note("decline_launch", ref)
        self.shown = replace(models.LAUNCH_CONFIRMED, by=MANAGER, state="declined")
        return self.shown

    async def withdraw(self, actor: Actor, ref: str) -> LaunchRequestView:
        self.core.note("withdraw_launch", ref)
        self.shown = replace(models.LAUNCH_CONFIRMED, by=MANAGER, state="withdrawn")
        return self.shown

    async def view(self, ref: str) -> LaunchRequestView:
        return self.shown


class Excluding:
    """Exclusions, which are listed as prices are."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def list(self) -> ExclusionList:
        return models.EXCLUSIONS

    async def add(
        self, actor: Actor, kind: ExclusionKind, text: str, *, reason: str, until: date | None = None
    ) -> ExclusionView:
        self.core.note("exclude", actor.id, kind.value, text, reason, until)
        return models.EXCLUSIONS.rows[0]

    async def end(self, actor: Actor, ref: str) -> ExclusionView:
        self.core.note("end_exclusion", actor.id, ref)
        return models.EXCLUSIONS.rows[0]


class Away:
    """A list of absences."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def view(self) -> AbsencesView:
        return models.ABSENCES

    async def from_csv(self, actor: Actor, text: str) -> tuple[AbsencesView, tuple[AbsentRow, ...]]:
        self.core.note("load_absences", actor.id, text)
        return models.ABSENCES, (AbsentRow(line=3, person="nobody@contoso.example", first=date(2027, 1, 4), last=None),)

    async def clear(self, actor: Actor) -> AbsencesView:
        self.core.note("clear_absences", actor.id)
        return models.ABSENCES_NONE


class Tasking:
    """Tasks, of which one is done or given up."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def list(self, campaign: Campaign | None, page: int = 1) -> TaskList:
        return models.TASKS

    async def get(self, item: ItemId) -> TaskView:
        return models.TASKS.rows[0]

    async def done(self, actor: Actor, item_id: ItemId, note: str, link: str = "") -> TaskView:
        self.core.note("task_done", actor.id, item_id, note)
        return models.TASKS.rows[0]

    async def keep(self, actor: Actor, item_id: ItemId) -> TaskView:
        self.core.note("task_keep", actor.id, item_id)
        return models.TASKS.rows[0]


class Pricing:
    """Prices, listed and set, one by one and by the file."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def list(self) -> PriceList:
        return models.PRICES

    async def set(
        self,
        actor: Actor,
        product: ProductId,
        amount: str,
        currency: str,
        period: Period = Period.MONTH,
        *,
        renews_on: date | None = None,
        valid_from: date | None = None,
    ) -> PriceRow:
        self.core.note("set_price", actor.id, product, amount, currency, period.value, renews_on, valid_from)
        if amount == "much":
            raise InvalidRequest("“much” is not an amount. Example: 1204.50", field="amount")
        return models.PRICES.rows[-1]

    async def from_csv(self, text: str, source: str, *, actor: str) -> int:
        self.core.note("load_prices", actor, source, text)
        return 2


class Syncing:
    """The sync's face of the core."""

    def __init__(self, core: Core) -> None:
        self.request = core.request
        self.accept = core.accept

    async def view(self, run: RunId | None = None) -> SyncView | None:
        return models.SYNC


class Seen:
    """`SeenRequests` in memory."""

    def __init__(self) -> None:
        self.keys: set[str] = set()

    async def first_time(self, key: str) -> bool:
        first = key not in self.keys
        self.keys.add(key)
        return first


class Bot:
    """A router over a made-up core, and short ways to talk to it."""

    def __init__(self, *, writes: WriteMode = WriteMode.LIVE, burst: int = 1000) -> None:
        self.core = Core()
        self.seconds = 0.0
        self.keys = 0
        self.services = services(self.core, writes)
        self.router = Router(
            self.services, seen=Seen(), rate=Rate(monotonic=lambda: self.seconds, burst=burst, per_second=1.0)
        )

    def new_key(self) -> str:
        self.keys += 1
        return f"key-{self.keys}"

    def command(
        self,
        person: PersonId,
        text: str,
        *,
        private: bool = True,
        key: str | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Command:
        return Command(
            person_id=person,
            channel="console" if person == OPERATOR else "web",
            text=text,
            key=key or self.new_key(),
            private=private,
            files=files or {},
        )

    def click(
        self,
        person: PersonId,
        verb: str,
        ref: str = "c0ffee",
        *,
        inputs: Mapping[str, str] | None = None,
        batch: str | None = None,
        key: str | None = None,
    ) -> Action:
        return Action(
            person_id=person,
            channel="web",
            verb=verb,
            ref=ref,
            batch=batch,
            inputs=inputs or {},
            key=key or self.new_key(),
        )


@dataclass
class Restoring:
    """The way back: what was asked is noted, what is shown are the samples."""

    core: Core

    async def find_item(self, text: str) -> ItemId | None:
        return ItemId(text) if text in {item.id for item in models.ITEMS} else None

    async def find_person(self, text: str) -> PersonId:
        return await self.core.person(text, field="person")

    async def preview(self, campaign_id: CampaignId, person: PersonId | None = None) -> RestorePreview:
        self.core.calls.append(("undo preview", campaign_id, person))
        return way_back.UNDOING

    async def line(self, item_id: ItemId) -> RestoreLine:
        return way_back.REMOVED_LINE

    async def view(self, campaign_id: CampaignId) -> RestoresView:
        return way_back.RESTORES

    async def ask_back(self, item_id: ItemId, person: PersonId) -> AskBackView:
        return way_back.ASKED_BACK

    async def undo(self, actor: Actor, item_id: ItemId) -> RestoreLine:
        self.core.note("undo", item_id)
        return way_back.RESTORING_LINE

    async def undo_campaign(self, actor: Actor, campaign_id: CampaignId, person: PersonId | None = None) -> int:
        self.core.note("undo campaign", campaign_id, person)
        return 2

    async def get_back(self, actor: Actor, item_id: ItemId, how: AskedHow) -> RestoreLine:
        self.core.note("get back", item_id, how)
        return way_back.RESTORING_LINE

    async def decline(self, actor: Actor, item_id: ItemId) -> AskBackView:
        self.core.note("decline", item_id)
        return way_back.ASKED_BACK


@dataclass(frozen=True, slots=True)
class Consenting:
    """Consent requests: what was answered is noted, what is shown are the samples."""

    core: Core

    async def find(self, text: str) -> ConsentProgram:
        if text.casefold() != "visio":
            raise NotFound(f"No consent program is called “{text}”. The list: /reclaim consent")
        return asking.PROGRAM

    async def programs(self) -> list[ProgramView]:
        return [asking.VIEW, asking.FRESH]

    async def program(self, program_id: ProgramId) -> ProgramView:
        return asking.VIEW

    async def page(self, program_id: ProgramId, number: int, only: str | None = None) -> RequestPage:
        self.core.calls.append(("requests", number, only))
        return asking.PAGE

    async def run(self, run_id: ConsentRunId) -> RunView:
        return asking.RUN_VIEW

    async def view(self, request_id: ConsentId, viewer: PersonId) -> ConsentView:
        return asking.QUESTION

    async def open_of(self, person: PersonId) -> list[ConsentView]:
        return []

    async def waiters(self, program_id: ProgramId) -> list[WaiterView]:
        return [asking.WAITER]

    async def agree(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        self.core.note("agree", request_id)
        return asking.AGREED

    async def keep(
        self, actor: Actor, request_id: ConsentId, *, reason: StillUsed | None, note: str = ""
    ) -> ConsentView:
        checked_note(note)
        self.core.note("keep it", request_id, reason, note)
        return asking.seen(RequestState.KEPT, answered_by=asking.ADELE)

    async def later(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        self.core.note("later", request_id)
        return asking.seen(RequestState.LATER, later_until=models.NOW)

    async def withdraw(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        self.core.note("withdraw", request_id)
        return asking.QUESTION

    async def decide(self, actor: Actor, request_id: ConsentId, *, take: bool) -> ConsentView:
        self.core.note("decide consent", request_id, take)
        return asking.MANAGER_TOOK

    async def give_back(self, actor: Actor, request_id: ConsentId) -> ConsentView:
        self.core.note("give back", request_id)
        return asking.RESTORING

    async def appeal(self, actor: Actor, request_id: ConsentId, text: str) -> ConsentView:
        self.core.note("appeal consent", request_id, text)
        return asking.APPEALED

    async def answer(self, actor: Actor, request_id: ConsentId, *, give: bool, reason: str = "") -> ConsentView:
        self.core.note("answer appeal", request_id, give, reason)
        return asking.APPEAL_GRANTED if give else asking.APPEAL_REFUSED


@dataclass(frozen=True, slots=True)
class Programming:
    """Consent programs: what was done to them is noted."""

    core: Core

    async def make(self, actor: Actor, group: str, values: Mapping[str, Value]) -> ConsentProgram:
        self.core.note("make program", group, dict(values))
        return asking.PROGRAM

    async def clone(self, actor: Actor, of: ProgramId, group: str, values: Mapping[str, Value]) -> ConsentProgram:
        self.core.note("clone program", of, group, dict(values))
        return asking.PROGRAM

    async def change(self, actor: Actor, program_id: ProgramId, values: Mapping[str, Value]) -> ConsentProgram:
        self.core.note("change program", program_id, dict(values))
        return asking.PROGRAM

    async def to(self, actor: Actor, program_id: ProgramId, state: ProgramState) -> ConsentProgram:
        self.core.note("move program", program_id, state)
        return asking.PROGRAM

    async def load(self, actor: Actor, text: str) -> list[tuple[str, ConsentProgram]]:
        self.core.note("load programs", text)
        return [("made", asking.PROGRAM)]

    async def wait(self, actor: Actor, program_id: ProgramId, person: PersonId) -> None:
        self.core.note("wait", program_id, person)

    async def stop_waiting(self, actor: Actor, program_id: ProgramId, person: PersonId) -> None:
        self.core.note("stop waiting", program_id, person)

    async def start(
        self, by: PersonId, program_id: ProgramId, *, people: Sequence[PersonId] = (), devices: Sequence[str] = ()
    ) -> ConsentRun:
        self.core.note("run program", program_id, tuple(people), tuple(devices))
        return asking.RUN

    async def export(
        self, actor: Actor, program_id: ProgramId, *, run: int | None = None, pseudonymous: bool = False
    ) -> tuple[ExportedFile, ...]:
        self.core.note("export program", program_id, run, pseudonymous)
        return (ExportedFile(name="consent.csv", media_type="text/csv", content=b"a,b"),)


@dataclass
class Appealing:
    """Appeals: what was asked and answered is noted, what is shown is the sample."""

    core: Core

    async def appeal(self, actor: Actor, item_id: ItemId, text: str) -> ReviewItem:
        self.core.note("appeal", item_id, text)
        return way_back.PROJECT

    async def decider_name(self, actor: Actor, item_id: ItemId) -> str | None:
        return "Megan Bowen"

    async def view(self, actor: Actor, item_id: ItemId) -> AppealView:
        return appeals.VIEW

    async def grant(self, actor: Actor, item_id: ItemId) -> AppealView:
        self.core.note("grant", item_id)
        return appeals.VIEW_GRANTED

    async def refuse(self, actor: Actor, item_id: ItemId, reason: str) -> AppealView:
        self.core.note("refuse", item_id, reason)
        return appeals.VIEW_REFUSED


class Checking:
    """Answers with one made-up checkup."""

    async def run(self) -> Checkup:
        return CHECKUP


def services(core: Core, writes: WriteMode) -> Services:
    async def zone_of(_: PersonId) -> str:
        return models.ZONE

    return Services(
        access=core,
        sync_directory=Syncing(core),
        read_spend=core,
        read_seats=core,
        exclude_seats=Excluding(core),
        import_absences=Away(core),
        manual_tasks=Tasking(core),
        run_checks=Checking(),
        keep_prices=Pricing(core),
        load_prices=Pricing(core),
        start_campaign=core,
        choose_seats=core,
        confirm_launch=Confirming(core),
        read_wave=core,
        record_decision=core,
        delegate_item=core,
        reassign_items=core,
        steer_campaign=core,
        nudge_reviewers=core,
        name_owner=core,
        close_campaign=core,
        freeze_writes=Freezing(core),
        restore_seats=Restoring(core),
        read_consent=Consenting(core),
        answer_consent=Consenting(core),
        appeal_consent=Consenting(core),
        keep_programs=Programming(core),
        run_consent=Programming(core),
        export_consent=Programming(core),
        appeal_removals=Appealing(core),
        read_status=core,
        read_summary=core,
        explain_seat=core,
        read_history=core,
        export_evidence=core,
        people=core,
        messenger=core,
        clock=FixedClock(models.NOW),
        tokens=SequentialTokens(),
        policy=Policy(writes=writes, zone=models.ZONE, fallback_reviewer=MANAGER),
        zone_of=zone_of,
    )


def ticked(*refs: str) -> dict[str, str]:
    """Return the boxes of the list, these ticked and all others not."""
    boxes = {f"t.{item.id}": "false" for item in models.ITEMS}
    return boxes | {f"t.{ref}": "true" for ref in refs}


RECOMMENDED = [item.id for item in models.ITEMS if item.recommendation is Recommendation.REVOKE]
