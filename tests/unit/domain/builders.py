"""Small builders of domain values: each has one ordinary default, so that a test names only what it is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reclaim.domain.activity import SignIns
from reclaim.domain.campaign import Campaign, CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.directory import Group, Path, Person, Seat, ServicePlan, Sku
from reclaim.domain.idle import Rule
from reclaim.domain.ids import CampaignId, GroupId, ItemId, PersonId, ProductId, seat_id
from reclaim.domain.money import Money
from reclaim.domain.removal import PlanStep, RemovalPlan, StepKind
from reclaim.domain.review import AssignedHow, ReviewItem, Snapshot, recommend
from reclaim.domain.roles import Actor

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOLDER, REVIEWER, FALLBACK, STRANGER = (PersonId(name) for name in ("holder", "reviewer", "fallback", "stranger"))
VISIO, E3, E5 = ProductId("visio"), ProductId("e3"), ProductId("e5")
TEAM = GroupId("team")


def ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


def person(person_id: PersonId = HOLDER, **changes: object) -> Person:
    base = Person(
        id=person_id,
        name=person_id.title(),
        upn=f"{person_id}@contoso.com",
        enabled=True,
        user_type="Member",
        created_at=ago(900),
        sign_ins=SignIns(success_at=ago(120)),
        manager_id=REVIEWER,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def path(group: GroupId | None = None, *, days: int = 400, state: str = "Active", off: tuple[str, ...] = ()) -> Path:
    return Path(group_id=group, state=state, updated_at=ago(days), disabled_plans=off)


def seat(product: ProductId = VISIO, *paths: Path, holder: PersonId = HOLDER) -> Seat:
    return Seat(id=seat_id(holder, product), person_id=holder, product_id=product, paths=paths or (path(),))


SUITE_PLANS = (ServicePlan("p-mail", "EXCHANGE_S_ENTERPRISE"), ServicePlan("p-files", "SHAREPOINTENTERPRISE"))
SKUS = {
    VISIO: Sku(
        id=VISIO,
        part_number="VISIOCLIENT",
        name="Visio Plan 2",
        enabled=50,
        plans=(ServicePlan("p-visio", "VISIOCLIENT"), ServicePlan("p-stub", "EXCHANGE_S_FOUNDATION")),
    ),
    E3: Sku(id=E3, part_number="SPE_E3", name="Microsoft 365 E3", enabled=50, plans=SUITE_PLANS),
    E5: Sku(id=E5, part_number="SPE_E5", name="Microsoft 365 E5", enabled=50, plans=SUITE_PLANS),
}


def group(**changes: object) -> Group:
    base = Group(
        id=TEAM,
        name="Visio users",
        dynamic=False,
        security_enabled=True,
        mail_enabled=False,
        unified=False,
        synced=False,
        role_assignable=False,
        restricted=False,
        has_nested_groups=False,
        sku_ids=(VISIO,),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


DIRECT_PLAN = RemovalPlan(steps=(PlanStep(StepKind.DIRECT, VISIO),))


def campaign(**changes: object) -> Campaign:
    base = Campaign(
        id=CampaignId("campaign"),
        name="Q4 seat clean-up",
        state=CampaignState.OPEN,
        version=1,
        owner_id=PersonId("owner"),
        created_at=ago(1),
        zone="Europe/Zurich",
        due_at=NOW + timedelta(days=10),
        closes_at=NOW + timedelta(days=10),
        shown_close_at=NOW + timedelta(days=10),
        strategy=Strategy.MANAGER,
        reviewer_id=None,
        fallback_id=FALLBACK,
        silence=Silence.KEEP,
        scope=Scope(days=90),
        mode=WriteMode.LIVE,
        opened_at=ago(1),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def item(plan: RemovalPlan = DIRECT_PLAN, **changes: object) -> ReviewItem:
    held = seat()
    base = ReviewItem(
        id=ItemId("item"),
        campaign_id=CampaignId("campaign"),
        seat_id=held.id,
        person_id=HOLDER,
        product_id=VISIO,
        rule=Rule.IDLE,
        recommendation=recommend(plan),
        snapshot=Snapshot(
            person_name="Isaiah Langer",
            upn="isaiah@contoso.com",
            department="Marketing",
            account_enabled=True,
            disabled_seen_at=None,
            sku_name="Visio Plan 2",
            part_number="VISIOCLIENT",
            last_seen_at=ago(120),
            last_seen_kind=None,
            quiet_since=ago(120),
            assigned_at=ago(400),
            data_as_of=NOW,
            paths=held.paths,
            path_names={},
            monthly=Money(1500, "USD"),
        ),
        plan=plan,
        version=3,
        assignee_id=REVIEWER,
        assigned_how=AssignedHow.MANAGER,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def actor(person_id: PersonId = REVIEWER) -> Actor:
    return Actor(id=person_id, channel="web")
