"""A small made-up tenant with everything that services need: real SQLite storage, and fakes for all else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from reclaim.domain.activity import SignIns
from reclaim.domain.campaign import Scope, Silence, Strategy, WriteMode
from reclaim.domain.directory import Group, Path, Person, Seat, ServicePlan, Sku
from reclaim.domain.ids import CampaignId, GroupId, PersonId, ProductId, RunId, TenantId, seat_id
from reclaim.domain.policy import Policy
from reclaim.domain.roles import Actor, Role
from reclaim.ports.storage import StoredEvent, Work
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.follow_lists import FollowLists
from reclaim.services.load_prices import LoadPrices
from reclaim.services.open_campaign import OpenCampaign
from reclaim.services.start_campaign import StartCampaign
from reclaim.services.sync_directory import SyncDirectory
from reclaim.services.write_rights import WriteRights
from tests.fakes import FakeDirectory, FakeMessenger, FakeTenantChecks, FixedClock, InMemoryEngine, SequentialTokens

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
LONG_AGO = datetime(2024, 1, 10, tzinfo=UTC)
TENANT = TenantId("tenant-contoso")

VISIO = ProductId("sku-visio")
PROJECT = ProductId("sku-project")
E3 = ProductId("sku-e3")
VISIO_GROUP = GroupId("group-visio")

LYNNE = PersonId("lynne")  # admin
MEGAN = PersonId("megan")  # manager
ALLAN = PersonId("allan")  # fallback reviewer


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def person(ref: str, *, manager: str | None = "megan", seen_days: int | None = 1, enabled: bool = True) -> Person:
    """Return a person whose last sign-in was so many days ago; None: Microsoft sent no fields at all."""
    return Person(
        id=PersonId(ref),
        name=f"{ref.capitalize()} Example",
        upn=f"{ref}@contoso.example",
        mail=f"{ref}@contoso.example",
        enabled=enabled,
        user_type="Member",
        department="Sales",
        created_at=LONG_AGO,
        manager_id=PersonId(manager) if manager else None,
        sign_ins=None if seen_days is None else SignIns(success_at=days_ago(seen_days)),
    )


def seat(holder: str, product: ProductId, *groups: GroupId | None) -> Seat:
    paths = tuple(Path(group_id=group, state="Active", updated_at=LONG_AGO) for group in groups or (None,))
    return Seat(id=seat_id(PersonId(holder), product), person_id=PersonId(holder), product_id=product, paths=paths)


def sku(product: ProductId, name: str, part_number: str, *plans: str, enabled: int = 50) -> Sku:
    return Sku(
        id=product,
        part_number=part_number,
        name=name,
        enabled=enabled,
        consumed=30,
        plans=tuple(ServicePlan(f"plan-{plan}", plan) for plan in plans),
    )


def group(ref: GroupId, *skus: ProductId, dynamic: bool = False) -> Group:
    return Group(
        id=ref,
        name=f"Group {ref}",
        dynamic=dynamic,
        security_enabled=True,
        mail_enabled=False,
        unified=False,
        synced=False,
        role_assignable=False,
        restricted=False,
        has_nested_groups=False,
        sku_ids=skus,
    )


def admin(ref: str = "lynne") -> Actor:
    return Actor(id=PersonId(ref), channel="web", roles=frozenset({Role.EMPLOYEE, Role.ADMIN}))


OPERATOR = Actor(id=PersonId("operator:root"), channel="console", roles=frozenset({Role.OPERATOR}))


@dataclass
class World:
    """The pieces, open to the test, and the services wired as `app.py` does."""

    work: Work
    engine: InMemoryEngine
    policy: Policy = field(
        default_factory=lambda: Policy(
            admins=frozenset({LYNNE}), fallback_reviewer=ALLAN, writes=WriteMode.LIVE, zone="Europe/Zurich"
        )
    )
    tenant: TenantId = TENANT

    def __post_init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.tokens = SequentialTokens()
        self.directory = FakeDirectory(self.clock)
        self.messenger = FakeMessenger(self.clock)
        self.checks = FakeTenantChecks()
        self.rights = WriteRights(checks=self.checks)
        self.followed: list[RunId] = []
        self.directory.sold = {
            VISIO: sku(VISIO, "Visio Plan 2", "VISIOCLIENT"),
            PROJECT: sku(PROJECT, "Project Plan 3", "PROJECTPROFESSIONAL"),
            E3: sku(E3, "Microsoft 365 E3", "SPE_E3", "EXCHANGE_S_ENTERPRISE", "SHAREPOINTENTERPRISE"),
        }
        for ref in (LYNNE, MEGAN, ALLAN):
            self.directory.add(person(ref, manager=None))
        self.engine.register("sync", lambda job: self.sync.handle(job))

    @property
    def sync(self) -> SyncDirectory:
        async def follow(run: RunId) -> None:
            self.followed.append(run)

        scan = FindIdleSeats(work=self.work, clock=self.clock, policy=self.policy).scan
        return SyncDirectory(
            work=self.work,
            clock=self.clock,
            tokens=self.tokens,
            policy=self.policy,
            directory=self.directory,
            messenger=self.messenger,
            tenant_id=self.tenant,
            after=(self.lists.after_sync, scan, follow),
        )

    @property
    def lists(self) -> FollowLists:
        return FollowLists(work=self.work, clock=self.clock, tokens=self.tokens, policy=self.policy)

    @property
    def start(self) -> StartCampaign:
        return StartCampaign(
            work=self.work, clock=self.clock, tokens=self.tokens, policy=self.policy, rights=self.rights
        )

    def hire(self, refs: Iterable[str], product: ProductId = VISIO, *, seen_days: int | None = 120) -> None:
        """Add people with one direct seat each."""
        for ref in refs:
            self.directory.add(person(ref, seen_days=seen_days), seat(ref, product))

    async def read(self, by: PersonId | None = None) -> RunId:
        """Sync once through the engine."""
        run = await self.sync.request(by)
        await self.engine.drain()
        return run

    async def launch(self, ref: str = "draft-1", scope: Scope | None = None, name: str = "Q4 reclaim") -> CampaignId:
        """Launch a campaign and open it; what it then enqueues is dropped."""
        await self.start.put_draft(admin(), draft(ref, scope=scope, name=name))
        campaign = await self.start.launch(admin(), ref)
        opening = OpenCampaign(work=self.work, clock=self.clock, tokens=self.tokens, policy=self.policy)
        await opening.handle(self.engine.queued.popleft())
        self.engine.queued.clear()
        return campaign.id

    async def price(self, *rows: str) -> None:
        text = "\n".join(["sku,amount,currency,period", *rows])
        await LoadPrices(work=self.work, clock=self.clock, tokens=self.tokens).from_csv(text, "test")

    async def events(self) -> Sequence[StoredEvent]:
        async with self.work.read() as reading:
            found, _ = await reading.events.newest(100)
        return found


def draft(
    ref: str = "draft-1",
    *,
    scope: Scope | None = None,
    strategy: Strategy = Strategy.MANAGER,
    reviewer: str | None = None,
    fallback: str | None = None,
    due: date = date(2026, 12, 4),
    name: str = "Q4 reclaim",
    zone: str = "Europe/Zurich",
    mode: WriteMode = WriteMode.LIVE,
    by: str = "lynne",
) -> CampaignDraft:
    return CampaignDraft(
        ref=ref,
        name=name,
        scope=scope or Scope(days=90),
        strategy=strategy,
        reviewer_id=PersonId(reviewer) if reviewer else None,
        fallback_id=PersonId(fallback) if fallback else None,
        due=due,
        zone=zone,
        silence=Silence.KEEP,
        mode=mode,
        by=PersonId(by),
    )
