"""One campaign with as many items as wanted, each of its own person, all with one reviewer."""

from datetime import datetime, timedelta

from reclaim.domain.campaign import Campaign, CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.directory import Path, Person
from reclaim.domain.idle import Rule
from reclaim.domain.ids import CampaignId, ItemId, PersonId, ProductId, RunId, seat_id
from reclaim.domain.money import Money
from reclaim.domain.removal import PlanStep, RemovalPlan, StepKind
from reclaim.domain.review import AssignedHow, Recommendation, ReviewItem, Snapshot
from reclaim.ports.directory import PersonRow
from reclaim.ports.storage import SyncRun, UnitOfWork

CAMPAIGN = CampaignId("campaign")
REVIEWER = PersonId("reviewer")
PRODUCT = ProductId("c5928f49-12ba-48f7-ada3-0d743a3601d5")
SEEN = datetime.fromisoformat("2026-07-12T08:00:00+00:00")


def campaign(now: datetime) -> Campaign:
    """Return an open campaign that closes in ten days."""
    due = now + timedelta(days=10)
    return Campaign(
        id=CAMPAIGN,
        name="Benchmark",
        state=CampaignState.OPEN,
        version=1,
        owner_id=PersonId("owner"),
        created_at=now,
        zone="UTC",
        due_at=due,
        closes_at=due,
        shown_close_at=due,
        strategy=Strategy.PERSON,
        reviewer_id=REVIEWER,
        fallback_id=None,
        silence=Silence.KEEP,
        scope=Scope(),
        mode=WriteMode.LIVE,
        opened_at=now,
    )


async def store_reviewer(unit: UnitOfWork, now: datetime) -> None:
    """Store the reviewer, so that a refusal could name them."""
    run = RunId("run")
    await unit.syncs.add(SyncRun(id=run, state="complete", started_at=now, requested_by=None))
    reviewer = Person(id=REVIEWER, name="Megan Bowen", upn="megan@contoso.com", enabled=True)
    await unit.syncs.save_people(run, [PersonRow(person=reviewer, seats=())], now=now)


def review_item(number: int) -> ReviewItem:
    """Return item `number`, ready to be revoked."""
    person = PersonId(f"person-{number}")
    path = Path(group_id=None, state="Active", updated_at=SEEN)
    return ReviewItem(
        id=ItemId(f"item-{number:06}"),
        campaign_id=CAMPAIGN,
        seat_id=seat_id(person, PRODUCT),
        person_id=person,
        product_id=PRODUCT,
        rule=Rule.IDLE,
        recommendation=Recommendation.REVOKE,
        snapshot=Snapshot(
            person_name=f"Person {number}",
            upn=f"person{number}@contoso.com",
            department="Marketing",
            account_enabled=True,
            disabled_seen_at=None,
            sku_name="Visio Plan 2",
            part_number="VISIOCLIENT",
            last_seen_at=SEEN,
            last_seen_kind=None,
            quiet_since=SEEN,
            assigned_at=SEEN,
            data_as_of=SEEN,
            paths=(path,),
            path_names={},
            monthly=Money(1500, "USD"),
        ),
        plan=RemovalPlan(steps=(PlanStep(StepKind.DIRECT, PRODUCT),)),
        version=1,
        assignee_id=REVIEWER,
        assigned_how=AssignedHow.PERSON,
    )
