"""A campaign from its start to its end: the real services on SQLite, fakes around them, and a process that can die."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from reclaim.domain.activity import SignIns
from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Campaign, CampaignState, Limits, Scope, Silence, Strategy, WriteMode
from reclaim.domain.directory import LivePerson, Path, Seat
from reclaim.domain.ids import CampaignId, GroupId, ItemId, PersonId, ProductId
from reclaim.domain.membership import ChangeKind
from reclaim.domain.membership import Result as Became
from reclaim.domain.notices import Notice, WaveNotice
from reclaim.domain.orders import RemovalOrder, RemovalStep
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import BulkResult, CampaignStatus
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice, KeepReason, ReviewItem
from reclaim.domain.roles import Actor, Role
from reclaim.domain.syncing import SyncKind
from reclaim.errors import Refusal, WriteBackError
from reclaim.ports.chat import Delivery
from reclaim.ports.directory import ReadBack, WriteResult
from reclaim.ports.engine import Handler, Job
from reclaim.ports.storage import UnitOfWork
from reclaim.services.access import Access
from reclaim.services.appeal_removals import AppealRemovals
from reclaim.services.apply_removals import ApplyRemovals
from reclaim.services.ask_back import AskBackHolders
from reclaim.services.close_campaign import CloseCampaign
from reclaim.services.confirm_launch import ConfirmLaunch
from reclaim.services.delegate_item import DelegateItem
from reclaim.services.due_work import DueWork
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.freeze_writes import FreezeWrites
from reclaim.services.manual_tasks import ManualTasks
from reclaim.services.name_owner import NameOwner
from reclaim.services.nudge_reviewers import NudgeReviewers
from reclaim.services.open_campaign import OpenCampaign
from reclaim.services.read_status import ReadStatus
from reclaim.services.read_summary import ReadSummary
from reclaim.services.read_usage import ReadUsage
from reclaim.services.read_wave import ReadWave
from reclaim.services.reassign_items import ReassignItems
from reclaim.services.record_decision import RecordDecision
from reclaim.services.release_orders import ReleaseOrders
from reclaim.services.restore_seats import RestoreSeats
from reclaim.services.send_waves import SendWaves
from reclaim.services.start_campaign import StartCampaign
from reclaim.services.steer_campaign import SteerCampaign
from reclaim.services.sync_directory import SyncDirectory
from reclaim.services.tell_results import TellResults
from reclaim.services.tell_reviewers import TellReviewers
from reclaim.services.tell_way_back import TellWayBack
from reclaim.services.verify_removals import VerifyRemovals
from reclaim.services.watch_removals import WatchRemovals
from reclaim.services.write_restores import WriteRestores
from reclaim.services.write_rights import WriteRights
from storage.decisions import DecisionBatcher
from storage.engine import Database
from storage.unit_of_work import SqlWork
from tests.books import audit
from tests.fakes import (
    FakeDirectory,
    FakeMessenger,
    FakeTenantChecks,
    FakeWriter,
    FixedClock,
    InMemoryEngine,
    Killed,
    SequentialTokens,
)
from tests.services.consent_services import ConsentServices, FakeUse
from tests.services.world import (
    ALLAN,
    E3,
    LYNNE,
    MEGAN,
    NOW,
    PROJECT,
    TENANT,
    VISIO,
    VISIO_GROUP,
    draft,
    group,
    person,
    seat,
    sku,
)
from tests.usage_fakes import FakeReports

ROSA = PersonId("rosa")  # the second admin
NORA = PersonId("nora")  # a manager to whom seats can be passed on
E5 = ProductId("sku-e5")
SUITE_GROUP = GroupId("group-e3")
DUE = datetime(2026, 12, 4, 23, 0, tzinfo=NOW.tzinfo)  # the end of 4 December in Zürich
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
POLICY = Policy(
    admins=frozenset({LYNNE, ROSA}),
    fallback_reviewer=ALLAN,
    writes=WriteMode.LIVE,
    zone="Europe/Zurich",
    limits=Limits(),
)

Result = TypeVar("Result")


class Fate:
    """Counts the points at which a process may die, and kills it at one of them."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.die_at: int | None = None
        self._job = "no job"

    def of(self, kind: str, handler: Handler) -> Handler:
        """Return the handler so that the points in it are named after its kind."""

        async def named(job: Job) -> None:
            self._job = kind
            try:
                await handler(job)
            finally:
                self._job = "no job"

        return named

    def point(self, name: str) -> None:
        self.passed.append(f"{self._job}: {name}")
        if self.die_at == len(self.passed):
            self.die_at = None
            raise Killed(name)

    async def around(self, name: str, call: Awaitable[Result]) -> Result:
        try:
            self.point(f"before {name}")
        except Killed:
            if hasattr(call, "close"):
                call.close()
            raise
        result = await call
        self.point(f"after {name}")
        return result


class MortalUnit:
    """A unit of work whose commit is a point to die before and after; all else is the real one's."""

    def __init__(self, unit: UnitOfWork, fate: Fate) -> None:
        self._unit = unit
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)

    async def commit(self) -> None:
        await self._fate.around("commit", self._unit.commit())


class MortalWork:
    """`SqlWork` with such units."""

    def __init__(self, work: SqlWork, fate: Fate) -> None:
        self._work = work
        self._fate = fate

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        async with self._work.write() as unit:
            yield MortalUnit(unit, self._fate)

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._work.read()

    def answering(self) -> AbstractContextManager[None]:
        return self._work.answering()

    async def give_way(self) -> None:
        await self._work.give_way()


class MortalDirectory(FakeDirectory):
    """A live read is a point to die. `during` is called when one has answered: what somebody else does at that moment."""

    during: Callable[[], Awaitable[object]] | None = None

    def __init__(self, clock: FixedClock, fate: Fate) -> None:
        super().__init__(clock)
        self.fate = fate

    async def live_person(self, person: PersonId, *, with_sign_ins: bool) -> LivePerson | None:
        found = await self.fate.around("live read", super().live_person(person, with_sign_ins=with_sign_ins))
        if self.during is not None:
            during, self.during = self.during, None
            await during()
        return found


@dataclass(frozen=True, slots=True)
class Call:
    """A write that reached Microsoft, and whether it took anything away, or gave anything that was not there."""

    at: datetime
    method: str
    person: str
    ref: str
    frozen: bool
    took: bool
    number: int


class MortalWriter(FakeWriter):
    """Records every write with its time; each is a point to die, before it arrives and after it was carried out.

    `during` is called when a write has arrived and before it is carried out: what somebody else does at that moment.
    """

    def __init__(self, directory: FakeDirectory, fate: Fate, is_frozen: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(directory)
        self.fate = fate
        self.writes: list[Call] = []
        self.given: list[Call] = []
        self.during: Callable[[], Awaitable[object]] | None = None
        self._is_frozen = is_frozen
        # Person and product or group that Microsoft refuses for good, and those that it asks to try later.
        self.refused: set[tuple[str, str]] = set()
        self.busy: set[tuple[str, str]] = set()
        # Product that cannot go while the person has the other one, unless that one goes in the same call.
        self.depends: dict[str, str] = {}
        self.plan_needs: dict[str, frozenset[str]] = {}  # what a refusal for that says of service plans
        self.together = True  # whether a call for several products is taken at all
        self.made = 0

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        call = super().remove_direct(person, *products, client_request_id=client_request_id)
        return await self._recorded("remove_direct", person, products, call)

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        call = super().leave_group(person, group, client_request_id=client_request_id)
        return await self._recorded("leave_group", person, (group,), call)

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        call = super().assign_direct(person, product, disabled_plans, client_request_id=client_request_id)
        return await self._given("assign_direct", person, product, call)

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        call = super().join_group(person, group, client_request_id=client_request_id)
        return await self._given("join_group", person, group, call)

    async def _given(self, method: str, person: str, ref: str, call: Awaitable[WriteResult]) -> WriteResult:
        """Record a write that gives a seat back; none leaves while all writes are frozen."""
        frozen = await self._is_frozen()
        taken_by = {"assign_direct": "remove_direct", "join_group": "leave_group"}[method]
        base = next((one for one, other in self.depends.items() if other == ref), None)
        if base is not None and not self._has(taken_by, person, base):
            error = WriteBackError(
                "Depends.", permanent=True, maybe_applied=False, status=400, refusal=Refusal.NEEDS_ANOTHER
            )
            self.fail(method, error)
        before = self._has(taken_by, person, ref)
        try:
            return await self.fate.around("restore", call)
        finally:
            gave = self._has(taken_by, person, ref) and not before
            self.given.append(Call(self.directory.clock.now(), method, person, ref, frozen, took=gave, number=0))

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return await self.fate.around("read back", super().read_back(person, product))

    async def _recorded(
        self, method: str, person: str, refs: Sequence[str], call: Awaitable[WriteResult]
    ) -> WriteResult:
        """One call of several products stands as one `Call` for each, all with the same `number`."""
        frozen = await self._is_frozen()
        self.made = number = self.made + 1
        if self.during is not None:
            during, self.during = self.during, None
            await during()
        before = {ref: self._has(method, person, ref) for ref in refs}
        if any((person, ref) in self.busy for ref in refs):
            self.fail(method, WriteBackError("Busy.", maybe_applied=False, status=429))
        if any((person, ref) in self.refused for ref in refs):
            self.fail(method, WriteBackError("Refused.", permanent=True, maybe_applied=False, status=403))
        needed = [self.depends[ref] for ref in refs if ref in self.depends]
        if (len(refs) > 1 and not self.together) or any(
            other not in refs and self._has(method, person, other) for other in needed
        ):
            refusal = WriteBackError(
                "Depends.", permanent=True, maybe_applied=False, status=400, plan_needs=self.plan_needs
            )
            self.fail(method, refusal)
        try:
            return await self.fate.around("write", call)
        finally:
            for ref in refs:
                took = before[ref] and not self._has(method, person, ref)
                self.writes.append(Call(self.directory.clock.now(), method, person, ref, frozen, took, number))

    def _has(self, method: str, person: str, ref: str) -> bool:
        if method == "leave_group":
            return person in self.directory.members.get(GroupId(ref), [])
        seats = self.directory.held.get(PersonId(person), ())
        return any(one.product_id == ref and any(p.group_id is None for p in one.paths) for one in seats)


class BusyMessenger(FakeMessenger):
    """`during` is called when a card has been drawn and is not yet there: what somebody else does at that moment."""

    during: Callable[[], Awaitable[object]] | None = None

    async def deliver(self, person: PersonId, notice: Notice) -> Delivery:
        if self.during is not None:
            during, self.during = self.during, None
            await during()
        return await super().deliver(person, notice)


class CampaignWorld:
    """The pieces, open to the test, and the services wired as `app.py` does. `start` first, `stop` last."""

    def __init__(self, url: str, *, at: datetime = NOW, policy: Policy = POLICY) -> None:
        self.url = url
        self.policy = policy
        self.clock = FixedClock(at)
        self.tokens = SequentialTokens()
        self.fate = Fate()
        self.engine = InMemoryEngine()
        self.directory = MortalDirectory(self.clock, self.fate)
        self.reports = FakeReports(self.clock)
        self.writer = MortalWriter(self.directory, self.fate, self._is_frozen)
        self.use = FakeUse()
        self.clicks = 0
        self._furnish()

    def _furnish(self) -> None:
        suite = ("EXCHANGE_S_ENTERPRISE", "SHAREPOINTENTERPRISE")
        self.directory.sold = {
            VISIO: sku(VISIO, "Visio Plan 2", "VISIOCLIENT"),
            PROJECT: sku(PROJECT, "Project Plan 3", "PROJECTPROFESSIONAL"),
            E3: sku(E3, "Microsoft 365 E3", "SPE_E3", *suite),
            E5: sku(E5, "Microsoft 365 E5", "SPE_E5", *suite),
        }
        self.directory.group_facts = {
            VISIO_GROUP: group(VISIO_GROUP, VISIO),
            SUITE_GROUP: group(SUITE_GROUP, E3),
        }
        for ref in (LYNNE, ROSA, MEGAN, NORA, ALLAN):
            self.directory.add(person(ref, manager=None))

    async def start(self) -> None:
        """Open the database and wire all services, as a process does when it starts."""
        self.database = Database(self.url)
        self.work = MortalWork(SqlWork(self.database, self.engine.enqueue_in), self.fate)
        self.messenger = getattr(self, "messenger", None) or BusyMessenger(self.clock, self.work)
        self.messenger.work = self.work
        self.log = DecisionBatcher(self.database)
        await self.log.start()
        work, clock, tokens, policy = self.work, self.clock, self.tokens, self.policy
        rights = WriteRights(checks=FakeTenantChecks())
        self.launching = StartCampaign(work=work, clock=clock, tokens=tokens, policy=policy, rights=rights)
        self.opening = OpenCampaign(work=work, clock=clock, tokens=tokens, policy=policy)
        self.decisions = RecordDecision(work=work, clock=clock, tokens=tokens, policy=policy, log=self.log)
        self.delegation = DelegateItem(work=work, clock=clock, tokens=tokens, policy=policy)
        self.reassigning = ReassignItems(work=work, clock=clock, tokens=tokens)
        self.steering = SteerCampaign(work=work, clock=clock, tokens=tokens)
        self.nudging = NudgeReviewers(work=work, clock=clock, tokens=tokens)
        self.owning = NameOwner(work=work, clock=clock, tokens=tokens, policy=policy)
        self.waves = ReadWave(work=work, clock=clock, policy=policy)
        self.statuses = ReadStatus(work=work, clock=clock, policy=policy)
        self.sending = SendWaves(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            read=self.waves,
            status=self.statuses,
            messenger=self.messenger,
        )
        self.telling = TellReviewers(work=work, clock=clock)
        self.releasing = ReleaseOrders(work=work, clock=clock, tokens=tokens)
        self.results = TellResults(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            read=ReadSummary(work=work, clock=clock, policy=policy),
            messenger=self.messenger,
        )
        self.closing = CloseCampaign(work=work, clock=clock, tokens=tokens, policy=policy)
        # One order at a time, so that what comes first is known; `elsewhere` is a second process, with a lane of its own.
        self.applying, self.elsewhere = (
            ApplyRemovals(
                work=work,
                clock=clock,
                tokens=tokens,
                policy=policy,
                directory=self.directory,
                writer=self.writer,
                lanes=1,
            )
            for _ in range(2)
        )
        self.verifying = VerifyRemovals(work=work, clock=clock, tokens=tokens, writer=self.writer)
        self.tasks = ManualTasks(work=work, clock=clock, tokens=tokens, writer=self.writer)
        self.freezing = FreezeWrites(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            access=Access(work=work, policy=policy),
            messenger=self.messenger,
        )
        self.confirming = ConfirmLaunch(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            access=Access(work=work, policy=policy),
            messenger=self.messenger,
            rights=rights,
        )
        self.restores = RestoreSeats(work=work, clock=clock, tokens=tokens, policy=policy)
        self.restoring = WriteRestores(
            work=work, clock=clock, tokens=tokens, policy=policy, directory=self.directory, writer=self.writer
        )
        self.way_back = TellWayBack(
            work=work,
            clock=clock,
            policy=policy,
            access=Access(work=work, policy=policy),
            restores=self.restores,
            messenger=self.messenger,
        )
        self.appeals = AppealRemovals(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            access=Access(work=work, policy=policy),
            restores=self.restores,
            messenger=self.messenger,
        )
        self.watching = WatchRemovals(work=work, clock=clock, tokens=tokens)
        self.syncing = SyncDirectory(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            directory=self.directory,
            messenger=self.messenger,
            tenant_id=TENANT,
            # Only where a test is about them: each page of a report is a point to die at.
            usage=ReadUsage(work=work, clock=clock, reports=self.reports) if policy.judges_by_reports else None,
            after=(
                FindIdleSeats(work=work, clock=clock, policy=policy).scan,
                self.verifying.after_sync,
                self.watching.after_sync,
                AskBackHolders(work=work, clock=clock, tokens=tokens, policy=policy).after_sync,
                self.tasks.after_sync,
                self.confirming.after_sync,
            ),
            after_changes=(self.watching.after_sync,),
        )
        self.consent = ConsentServices(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            directory=self.directory,
            writer=self.writer,
            messenger=self.messenger,
            use=self.use,
        )
        self.due = DueWork(
            work=work,
            clock=clock,
            policy=policy,
            close=self.closing,
            sync=self.syncing,
            verify=self.verifying,
            confirm=self.confirming,
            consent=self.consent.due,
            appeals=self.appeals,
        )
        for kind, handler in {
            **self.consent.handlers(),
            "sync": self.syncing.handle,
            "open": self.opening.handle,
            "wave": self.sending.handle_wave,
            "group": self.sending.handle_group,
            "reminder": self.sending.handle_reminder,
            "owner": self.sending.handle_owner,
            "announce": self.sending.handle_announce,
            "close": self.closing.handle,
            "writeback": self.applying.handle,
            "verify": self.verifying.handle,
            "tell": self.telling.handle_tell,
            "remind": self.telling.handle_remind,
            "release": self.releasing.handle,
            "summary": self.results.handle_summary,
            "progress": self.results.handle_progress,
            "receipt": self.results.handle_receipt,
            "receipts": self.results.handle_receipts,
            "confirmation": self.confirming.handle,
            "restore": self.restoring.handle,
            "restores": self.way_back.handle_restores,
            "came_back": self.way_back.handle_came_back,
            "ask_back": self.way_back.handle_ask_back,
            "task": self.tasks.handle,
            "appeal": self.appeals.handle,
        }.items():
            self.engine.register(kind, self.fate.of(kind, handler))

    async def stop(self) -> None:
        await self.log.stop()
        await self.database.dispose()

    async def restart(self, policy: Policy | None = None) -> None:
        """Start again on the same database; the engine still has the jobs that had not ended."""
        await self.stop()
        self.policy = policy or self.policy
        await self.start()

    # The tenant -------------------------------------------------------------------------------------------------------
    def hire(self, ref: str, *seats: Seat, seen_days: int = 120, enabled: bool = True, manager: str = MEGAN) -> None:
        """Add a person under Megan with these seats, a direct Visio unless said otherwise."""
        held = seats or (seat(ref, VISIO),)
        self.directory.add(person(ref, manager=manager, seen_days=seen_days, enabled=enabled), *held)

    def change(self, ref: str, **changes: Any) -> None:
        self.directory.everybody[PersonId(ref)] = replace(self.directory.everybody[PersonId(ref)], **changes)

    def sign_in(self, ref: str) -> None:
        self.change(ref, sign_ins=SignIns(success_at=self.clock.now()))

    def give(self, ref: str, product: ProductId = VISIO, *groups: GroupId | None) -> None:
        """Assign a product now: directly, or through these groups."""
        ways = groups or (None,)
        given = replace(
            seat(ref, product),
            paths=tuple(Path(group_id=one, state="Active", updated_at=self.clock.now()) for one in ways),
        )
        others = [one for one in self.directory.held.get(PersonId(ref), ()) if one.product_id != product]
        self.directory.held[PersonId(ref)] = (*others, given)
        for one in ways:
            if one is not None and ref not in self.directory.members.setdefault(one, []):
                self.directory.members[one].append(PersonId(ref))

    def holds(self, ref: str, product: ProductId = VISIO) -> bool:
        return any(one.product_id == product for one in self.directory.held.get(PersonId(ref), ()))

    async def sync(self, kind: SyncKind = SyncKind.FULL) -> None:
        await self.syncing.request(None, kind)
        await self.settle()

    # The campaign -----------------------------------------------------------------------------------------------------
    async def open(
        self,
        *,
        ref: str = "draft-1",
        silence: Silence = Silence.KEEP,
        mode: WriteMode = WriteMode.LIVE,
        due: date = date(2026, 12, 4),
        scope: Scope | None = None,
        reviewer: str | None = None,
        strategy: Strategy | None = None,
    ) -> CampaignId:
        """Sync, launch a campaign and let it open; its lists are sent."""
        await self.sync()
        form = draft(
            ref,
            due=due,
            mode=mode,
            scope=scope,
            strategy=strategy or (Strategy.PERSON if reviewer else Strategy.MANAGER),
            reviewer=reviewer,
            name=f"Review {ref}",
        )
        await self.launching.put_draft(actor(LYNNE), replace(form, silence=silence))
        self.campaign_id = (await self.launching.launch(actor(LYNNE), ref)).id
        await self.settle()
        return self.campaign_id

    async def campaign(self, campaign: CampaignId | None = None) -> Campaign:
        async with self.work.read() as work:
            found = await work.campaigns.get(campaign or self.campaign_id)
        assert found is not None
        return found

    async def state(self) -> CampaignState:
        return (await self.campaign()).state

    async def items(self, campaign: CampaignId | None = None) -> list[ReviewItem]:
        async with self.work.read() as work:
            return await work.items.of_campaign(campaign or self.campaign_id)

    async def item(self, holder: str, product: ProductId = VISIO, *, campaign: CampaignId | None = None) -> ReviewItem:
        found = [i for i in await self.items(campaign) if i.person_id == holder and i.product_id == product]
        assert len(found) == 1
        return found[0]

    async def ids(self, *holders: str) -> list[ItemId]:
        return [(await self.item(holder)).id for holder in holders]

    async def outcomes(self) -> dict[str, Outcome | None]:
        """Return how each seat ended, by holder; by holder and product where there is a second one."""
        found: dict[str, Outcome | None] = {}
        for item in sorted(await self.items(), key=lambda one: (one.person_id, one.product_id)):
            key = item.person_id if item.product_id == VISIO else f"{item.person_id} {item.product_id}"
            found[key] = item.outcome
        return found

    async def order(self, holder: str) -> RemovalOrder:
        async with self.work.read() as work:
            orders = await work.orders.of_campaign(self.campaign_id)
        return next(order for order in orders if order.person_id == holder)

    async def steps(self, holder: str) -> tuple[RemovalStep, ...]:
        return (await self.order(holder)).steps

    async def status(self) -> CampaignStatus:
        return await self.statuses.status(self.campaign_id)

    async def events(self, *kinds: EventKind) -> list[EventKind]:
        """Return the kinds of the campaign's events in their order; only these kinds, if some are named."""
        async with self.work.read() as work:
            stored = await work.events.of_campaign(self.campaign_id)
        return [one.event.kind for one in stored if not kinds or one.event.kind in kinds]

    def cards(self, who: str) -> list[WaveNotice]:
        return [notice for notice in self.messenger.to(who) if isinstance(notice, WaveNotice)]

    # What people do ---------------------------------------------------------------------------------------------------
    async def decide(
        self,
        choice: Choice,
        *holders: str,
        by: str = MEGAN,
        key: str | None = None,
        bulk: bool | None = None,
        product: ProductId = VISIO,
    ) -> BulkResult:
        self.clicks += 1
        key = key or f"click-{self.clicks}"
        return await self.decisions.decide(
            actor(by),
            [(await self.item(holder, product)).id for holder in holders],
            choice,
            idem_key=key,
            bulk=len(holders) > 1 if bulk is None else bulk,
            reason=KeepReason.CURRENT_WORK if choice is Choice.KEEP else None,
        )

    async def revoke(self, *holders: str, by: str = MEGAN, product: ProductId = VISIO) -> BulkResult:
        return await self.decide(Choice.REVOKE, *holders, by=by, product=product)

    async def keep(self, *holders: str, by: str = MEGAN) -> BulkResult:
        return await self.decide(Choice.KEEP, *holders, by=by)

    async def pass_on(self, holder: str, to: str, *, by: str = MEGAN, key: str | None = None) -> None:
        self.clicks += 1
        key = key or f"click-{self.clicks}"
        await self.delegation.delegate(actor(by), await self.ids(holder), PersonId(to), "knows the team", idem_key=key)

    async def owns(self, who: str, product: ProductId = VISIO, *, group: bool = False) -> None:
        """Let Lynne name a license owner."""
        await self.owning.name(actor(LYNNE), product, who, group=group)

    async def resume(self, *, ask: str = LYNNE, confirm: str = ROSA) -> None:
        view = await self.freezing.ask_resume(actor(ask), "all is well again")
        await self.freezing.confirm_resume(actor(confirm), view.resume_ref or "")

    # Time -------------------------------------------------------------------------------------------------------------
    async def settle(self) -> None:
        """Run jobs and ticks until there is nothing left to do at this instant."""
        for _ in range(30):
            await self.engine.drain()
            await self.due.tick()
            if not self.engine.queued:
                return
        raise AssertionError(f"never idle: {[job.key for job in self.engine.queued]}")

    async def until(self, at: datetime) -> None:
        """Move the clock there, with a stop wherever something is due in between."""
        await self.settle()
        while (due := await self.due.next_due(at)) is not None:
            self.clock.at = due
            await self.settle()
        self.clock.at = at
        await self.settle()

    async def wait(self, by: timedelta) -> None:
        await self.until(self.clock.now() + by)

    async def close(self) -> None:
        """Let the campaign run to its close, which comes sooner where all have answered, and do what this brings at once."""
        await self.settle()
        await self.until((await self.campaign()).may_close_at)

    async def _is_frozen(self) -> bool:
        async with self.work.read() as work:
            return await work.controls.freeze() is not None


def actor(ref: str) -> Actor:
    roles = {Role.EMPLOYEE} | ({Role.ADMIN} if ref in (LYNNE, ROSA) else set())
    return Actor(id=PersonId(ref), channel="web", roles=frozenset(roles))


async def check(world: CampaignWorld) -> None:
    """Hold what must be true of every campaign at any time, whatever the test was about."""
    await audit(world.work)
    async with world.work.read() as work:
        campaigns = await work.campaigns.all()
        items = [item for campaign in campaigns for item in await work.items.of_campaign(campaign.id)]
        orders = [order for campaign in campaigns for order in await work.orders.of_campaign(campaign.id)]
        restores = {campaign.id: await work.restores.of_campaign(campaign.id) for campaign in campaigns}
    planned = Counter((str(order.person_id), step.step.ref) for order in orders for step in order.steps)
    by_id = {campaign.id: campaign for campaign in campaigns}
    for write in world.writer.writes:
        if await _consented(world, write.person, write.ref, ChangeKind.LEAVE):
            continue
        product = (
            write.ref if write.method == "remove_direct" else world.directory.group_facts[GroupId(write.ref)].sku_ids[0]
        )
        allowed = [
            by_id[item.campaign_id]
            for item in items
            if item.person_id == write.person
            and item.product_id == product
            and _approved(item, by_id[item.campaign_id])
        ]
        assert allowed, f"nobody approved {write}"
        assert any(one.mode is WriteMode.LIVE and one.shown_close_at <= write.at for one in allowed), write
        assert not write.frozen, write
    undone = {restore.item_id: restore for one in campaigns for restore in restores[one.id]}
    for given in world.writer.given:
        if await _consented(world, given.person, given.ref, ChangeKind.JOIN):
            continue
        assert any(restore.person_id == given.person for restore in undone.values()), f"nobody asked for {given}"
        assert not given.frozen, given
    taken = Counter((write.person, write.ref) for write in world.writer.writes if write.took)
    for key in list(taken):
        if await _consented(world, *key, ChangeKind.LEAVE):
            del taken[key]
    assert all(number <= planned[key] for key, number in taken.items()), taken
    for campaign in campaigns:
        own = [item for item in items if item.campaign_id == campaign.id]
        if campaign.state is CampaignState.CLOSED:
            assert all(item.outcome is not None and item.waiting is None for item in own)
        status = await world.statuses.status(campaign.id)
        answered = sum(1 for item in own if item.answer is not None or item.not_sure_by is not None)
        assert status.open == len(own) - answered
        assert status.revoke + status.keep + status.not_sure + status.open == status.items == len(own)
        assert all(item.answer is None or item.answer.by != item.person_id for item in own)


async def _consented(world: CampaignWorld, person: str, ref: str, kind: ChangeKind) -> bool:
    """Say whether a consent program has this write on its books; that nobody approved one is an error at once."""
    async with world.work.read() as work:
        programs = await work.consents.programs()
        changes = [one for program in programs for one in await work.consents.changes_of_program(program.id)]
        requests = await work.consents.requests(one.request_id for one in changes if one.request_id)
    mine = [one for one in changes if one.person_id == person and one.group_id == ref and one.kind is kind]
    for one in mine:
        request = requests.get(one.request_id) if one.request_id else None
        if one.kind is ChangeKind.LEAVE:
            assert request is not None
            assert request.approved_by is not None or one.result is Became.WITHDRAWN, one
    return bool(mine)


def _approved(item: ReviewItem, campaign: Campaign) -> bool:
    if item.answer is not None:
        return item.answer.choice is Choice.REVOKE and item.answer.by != item.person_id
    return campaign.silence is not Silence.KEEP and item.not_sure_by is None
