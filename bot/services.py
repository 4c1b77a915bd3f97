"""What the bot asks of the core: one Protocol per use case, and the frozen set of them that every handler receives.

Protocols, so that mypy holds the wiring in `app.py` against them and tests stand in with hand-written fakes. What each
method does and raises is written at the service of the same name.
"""
# ruff: noqa: D102 - each method is described at the service of the same name

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bot.people import People
from reclaim.domain.appeals import AppealView
from reclaim.domain.campaign import Campaign, Scope
from reclaim.domain.checkup import Checkup
from reclaim.domain.consent import StillUsed
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
    PersonId,
    ProductId,
    ProgramId,
    RunId,
)
from reclaim.domain.money import Period
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
from reclaim.domain.review import Choice, DataLoss, KeepReason, ReviewItem
from reclaim.domain.roles import Actor, Role
from reclaim.domain.syncing import SyncKind
from reclaim.domain.tasks import TaskList, TaskView
from reclaim.ports.chat import Messenger
from reclaim.ports.system import Clock, Tokens
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.services.choose_seats import ScopeAsked

ZoneOf = Callable[[PersonId], Awaitable[str]]


class Access(Protocol):
    """`reclaim.services.access`."""

    async def actor(self, person: PersonId, channel: str) -> Actor: ...
    async def names_with(self, roles: frozenset[Role]) -> tuple[str, ...]: ...


class SyncDirectory(Protocol):
    """`reclaim.services.sync_directory`."""

    async def request(self, by: PersonId | None, kind: SyncKind = SyncKind.FULL) -> RunId: ...
    async def accept(self, run: str, actor: Actor) -> SyncView: ...
    async def view(self, run: RunId | None = None) -> SyncView | None: ...


class ReadSpend(Protocol):
    """`reclaim.services.read_spend`."""

    async def report(self, days: int | None = None) -> SpendReport: ...
    async def population(self, product: ProductId, days: int | None = None) -> PopulationView: ...


class ReadSeats(Protocol):
    """`reclaim.services.read_seats`."""

    async def page(self, where: SeatFilter, page: int = 1) -> SeatPage: ...
    async def product(self, text: str) -> ProductId: ...
    async def nearest_products(self, text: str) -> list[tuple[ProductId, str]]: ...


class ImportAbsences(Protocol):
    """`reclaim.services.import_absences`."""

    async def view(self) -> AbsencesView: ...
    async def from_csv(self, actor: Actor, text: str) -> tuple[AbsencesView, tuple[AbsentRow, ...]]: ...
    async def clear(self, actor: Actor) -> AbsencesView: ...


class ExcludeSeats(Protocol):
    """`reclaim.services.exclude_seats`."""

    async def list(self) -> ExclusionList: ...
    async def add(
        self, actor: Actor, kind: ExclusionKind, text: str, *, reason: str, until: date | None = None
    ) -> ExclusionView: ...
    async def end(self, actor: Actor, ref: str) -> ExclusionView: ...


class KeepPrices(Protocol):
    """`reclaim.services.keep_prices`."""

    async def list(self) -> PriceList: ...
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
    ) -> PriceRow: ...


class LoadPrices(Protocol):
    """`reclaim.services.load_prices`."""

    async def from_csv(self, text: str, source: str, *, actor: str) -> int: ...


class StartCampaign(Protocol):
    """`reclaim.services.start_campaign`."""

    async def put_draft(self, actor: Actor, draft: CampaignDraft) -> None: ...
    async def draft(self, ref: str, actor: Actor) -> CampaignDraft: ...
    async def preview(self, actor: Actor, draft: CampaignDraft) -> StartPreview: ...
    async def simulate(self, actor: Actor, draft: CampaignDraft) -> StartPreview: ...
    async def seats(self, actor: Actor, ref: str, page: int) -> StartSeats: ...
    async def launch(self, actor: Actor, ref: str) -> Campaign: ...


class ChooseSeats(Protocol):
    """`reclaim.services.choose_seats`."""

    async def scope(self, asked: ScopeAsked) -> Scope: ...
    async def person(self, text: str, *, field: str) -> PersonId: ...


class ConfirmLaunch(Protocol):
    """`reclaim.services.confirm_launch`."""

    async def ask(self, actor: Actor, ref: str) -> LaunchRequestView: ...
    async def confirm(self, actor: Actor, ref: str) -> Campaign: ...
    async def decline(self, actor: Actor, ref: str) -> LaunchRequestView: ...
    async def withdraw(self, actor: Actor, ref: str) -> LaunchRequestView: ...
    async def view(self, ref: str) -> LaunchRequestView: ...


class ReadWave(Protocol):
    """`reclaim.services.read_wave`."""

    async def wave(self, campaign: CampaignId, person: PersonId, result: BulkResult | None = None) -> Wave | None: ...
    async def inbox(self, person: PersonId) -> InboxView: ...
    async def inbox_page(self, person: PersonId, show: InboxShow, page: int = 1) -> InboxPage: ...
    async def item(self, item_id: ItemId, viewer: PersonId) -> ItemView: ...
    async def turn_page(self, campaign: CampaignId, person: PersonId, by: int) -> None: ...
    async def keep_ticks(self, campaign: CampaignId, person: PersonId, ticks: Mapping[ItemId, bool]) -> None: ...
    async def untick_all(self, campaign: CampaignId, person: PersonId) -> None: ...


class RecordDecision(Protocol):
    """`reclaim.services.record_decision`."""

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
    ) -> BulkResult: ...
    async def undo(self, actor: Actor, batch: BatchId, *, idem_key: str) -> BulkResult: ...


class DelegateItem(Protocol):
    """`reclaim.services.delegate_item`."""

    async def delegate(
        self, actor: Actor, items: Sequence[ItemId], to: PersonId, reason: str, *, idem_key: str, others: bool = False
    ) -> Moved: ...
    async def take_back(self, actor: Actor, item_id: ItemId, *, idem_key: str) -> None: ...
    async def give_back(self, actor: Actor, item_id: ItemId, *, idem_key: str) -> str: ...


class ReassignItems(Protocol):
    """`reclaim.services.reassign_items`."""

    async def of_reviewer(self, actor: Actor, campaign_id: CampaignId, reviewer: str, to: str) -> Moved: ...
    async def of_holder(self, actor: Actor, campaign_id: CampaignId, holder: str, to: str) -> Moved: ...


class SteerCampaign(Protocol):
    """`reclaim.services.steer_campaign`."""

    async def extend(self, actor: Actor, campaign_id: CampaignId, due: date) -> Campaign: ...
    async def cancel(self, actor: Actor, campaign_id: CampaignId, reason: str | None) -> Campaign: ...


class NudgeReviewers(Protocol):
    """`reclaim.services.nudge_reviewers`."""

    async def nudge(self, actor: Actor, campaign_id: CampaignId, person: str | None = None) -> Nudged: ...


class NameOwner(Protocol):
    """`reclaim.services.name_owner`."""

    async def owners(self) -> Owners: ...
    async def name(self, actor: Actor, product: ProductId, text: str, *, group: bool) -> Owners: ...
    async def remove(self, actor: Actor, product: ProductId) -> Owners: ...


class CloseCampaign(Protocol):
    """`reclaim.services.close_campaign`."""

    async def early(self, actor: Actor | None, campaign_id: CampaignId) -> Campaign: ...
    async def abandon(self, actor: Actor, campaign_id: CampaignId) -> Campaign: ...
    async def retry(self, actor: Actor, campaign_id: CampaignId) -> int: ...


class FreezeWrites(Protocol):
    """`reclaim.services.freeze_writes`."""

    async def view(self) -> FreezeView: ...
    async def freeze(self, actor: Actor, reason: str) -> FreezeView: ...
    async def ask_resume(self, actor: Actor, reason: str) -> FreezeView: ...
    async def confirm_resume(self, actor: Actor, ref: str) -> FreezeView: ...


class RestoreSeats(Protocol):
    """`reclaim.services.restore_seats`."""

    async def find_item(self, text: str) -> ItemId | None: ...
    async def find_person(self, text: str) -> PersonId: ...
    async def preview(self, campaign_id: CampaignId, person: PersonId | None = None) -> RestorePreview: ...
    async def line(self, item_id: ItemId) -> RestoreLine: ...
    async def view(self, campaign_id: CampaignId) -> RestoresView: ...
    async def ask_back(self, item_id: ItemId, person: PersonId) -> AskBackView: ...
    async def undo(self, actor: Actor, item_id: ItemId) -> RestoreLine: ...
    async def undo_campaign(self, actor: Actor, campaign_id: CampaignId, person: PersonId | None = None) -> int: ...
    async def get_back(self, actor: Actor, item_id: ItemId, how: AskedHow) -> RestoreLine: ...
    async def decline(self, actor: Actor, item_id: ItemId) -> AskBackView: ...


class ReadConsent(Protocol):
    """`reclaim.services.read_consent`."""

    async def find(self, text: str) -> ConsentProgram: ...
    async def programs(self) -> list[ProgramView]: ...
    async def program(self, program_id: ProgramId) -> ProgramView: ...
    async def page(self, program_id: ProgramId, number: int, only: str | None = None) -> RequestPage: ...
    async def run(self, run_id: ConsentRunId) -> RunView: ...
    async def view(self, request_id: ConsentId, viewer: PersonId) -> ConsentView: ...
    async def open_of(self, person: PersonId) -> list[ConsentView]: ...
    async def waiters(self, program_id: ProgramId) -> list[WaiterView]: ...


class AnswerConsent(Protocol):
    """`reclaim.services.answer_consent`."""

    async def agree(self, actor: Actor, request_id: ConsentId) -> ConsentView: ...
    async def keep(
        self, actor: Actor, request_id: ConsentId, *, reason: StillUsed | None, note: str = ""
    ) -> ConsentView: ...
    async def later(self, actor: Actor, request_id: ConsentId) -> ConsentView: ...
    async def withdraw(self, actor: Actor, request_id: ConsentId) -> ConsentView: ...
    async def decide(self, actor: Actor, request_id: ConsentId, *, take: bool) -> ConsentView: ...
    async def give_back(self, actor: Actor, request_id: ConsentId) -> ConsentView: ...


class AppealConsent(Protocol):
    """`reclaim.services.appeal_consent`."""

    async def appeal(self, actor: Actor, request_id: ConsentId, text: str) -> ConsentView: ...
    async def answer(self, actor: Actor, request_id: ConsentId, *, give: bool, reason: str = "") -> ConsentView: ...


class KeepPrograms(Protocol):
    """`reclaim.services.keep_programs`."""

    async def make(self, actor: Actor, group: str, values: Mapping[str, Value]) -> ConsentProgram: ...
    async def clone(self, actor: Actor, of: ProgramId, group: str, values: Mapping[str, Value]) -> ConsentProgram: ...
    async def change(self, actor: Actor, program_id: ProgramId, values: Mapping[str, Value]) -> ConsentProgram: ...
    async def to(self, actor: Actor, program_id: ProgramId, state: ProgramState) -> ConsentProgram: ...
    async def load(self, actor: Actor, text: str) -> list[tuple[str, ConsentProgram]]: ...
    async def wait(self, actor: Actor, program_id: ProgramId, person: PersonId) -> None: ...
    async def stop_waiting(self, actor: Actor, program_id: ProgramId, person: PersonId) -> None: ...


class RunConsent(Protocol):
    """`reclaim.services.run_consent`."""

    async def start(
        self, by: PersonId, program_id: ProgramId, *, people: Sequence[PersonId] = (), devices: Sequence[str] = ()
    ) -> ConsentRun: ...


class ExportConsent(Protocol):
    """`reclaim.services.export_consent`."""

    async def export(
        self, actor: Actor, program_id: ProgramId, *, run: int | None = None, pseudonymous: bool = False
    ) -> tuple[ExportedFile, ...]: ...


class AppealRemovals(Protocol):
    """`reclaim.services.appeal_removals`."""

    async def appeal(self, actor: Actor, item_id: ItemId, text: str) -> ReviewItem: ...
    async def decider_name(self, actor: Actor, item_id: ItemId) -> str | None: ...
    async def view(self, actor: Actor, item_id: ItemId) -> AppealView: ...
    async def grant(self, actor: Actor, item_id: ItemId) -> AppealView: ...
    async def refuse(self, actor: Actor, item_id: ItemId, reason: str) -> AppealView: ...


class RunChecks(Protocol):
    """`reclaim.services.run_checks`."""

    async def run(self) -> Checkup: ...


class ReadStatus(Protocol):
    """`reclaim.services.read_status`."""

    async def status(self, campaign: CampaignId) -> CampaignStatus: ...
    async def campaigns(self) -> Campaigns: ...
    async def reviewers(self, campaign: CampaignId, page: int = 1) -> ReviewersPage: ...
    async def find(self, text: str | None) -> Campaign: ...


class ManualTasks(Protocol):
    """`reclaim.services.manual_tasks`."""

    async def list(self, campaign: Campaign | None, page: int = 1) -> TaskList: ...
    async def get(self, item: ItemId) -> TaskView: ...
    async def done(self, actor: Actor, item_id: ItemId, note: str, link: str = "") -> TaskView: ...
    async def keep(self, actor: Actor, item_id: ItemId) -> TaskView: ...


class ReadSummary(Protocol):
    """`reclaim.services.read_summary`."""

    async def summary(self, campaign: CampaignId, person: PersonId) -> ReviewSummary | None: ...
    async def receipt(self, campaign: CampaignId, person: PersonId) -> SeatReceipt | None: ...


class ExplainSeat(Protocol):
    """`reclaim.services.explain_seat`."""

    async def why(self, text: str) -> WhyReport: ...


class ReadHistory(Protocol):
    """`reclaim.services.read_history`."""

    async def history(self, campaign: CampaignId | None, limit: int = 20) -> History: ...


class ExportEvidence(Protocol):
    """`reclaim.services.export_evidence`."""

    async def export(self, actor: Actor, campaign: CampaignId) -> tuple[ExportedFile, ...]: ...
    async def report_file(self, actor: Actor, campaign: CampaignId, *, pseudonymous: bool = False) -> ExportedFile: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a handler may use. `zone_of` gives a reader's IANA zone: chat profile, else the installation's."""

    access: Access
    sync_directory: SyncDirectory
    read_spend: ReadSpend
    read_seats: ReadSeats
    exclude_seats: ExcludeSeats
    import_absences: ImportAbsences
    manual_tasks: ManualTasks
    keep_prices: KeepPrices
    load_prices: LoadPrices
    start_campaign: StartCampaign
    choose_seats: ChooseSeats
    confirm_launch: ConfirmLaunch
    read_wave: ReadWave
    record_decision: RecordDecision
    delegate_item: DelegateItem
    reassign_items: ReassignItems
    steer_campaign: SteerCampaign
    nudge_reviewers: NudgeReviewers
    name_owner: NameOwner
    close_campaign: CloseCampaign
    freeze_writes: FreezeWrites
    restore_seats: RestoreSeats
    appeal_removals: AppealRemovals
    run_checks: RunChecks
    read_consent: ReadConsent
    answer_consent: AnswerConsent
    appeal_consent: AppealConsent
    keep_programs: KeepPrograms
    run_consent: RunConsent
    export_consent: ExportConsent
    read_status: ReadStatus
    read_summary: ReadSummary
    explain_seat: ExplainSeat
    read_history: ReadHistory
    export_evidence: ExportEvidence
    people: People
    messenger: Messenger
    clock: Clock
    tokens: Tokens
    policy: Policy
    zone_of: ZoneOf
