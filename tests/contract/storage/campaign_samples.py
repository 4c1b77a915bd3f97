"""Made-up campaigns, items, orders and messages. Every field has a value, so that one that is not stored shows."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from reclaim.domain.activity import SignInKind
from reclaim.domain.attestation import Event, EventKind, attest
from reclaim.domain.campaign import Campaign, CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.directory import Path
from reclaim.domain.idle import Rule
from reclaim.domain.ids import (
    BatchId,
    CampaignId,
    EventId,
    GroupId,
    ItemId,
    MessageId,
    OrderId,
    PersonId,
    ProductId,
    StepId,
    seat_id,
)
from reclaim.domain.money import Money
from reclaim.domain.orders import OrderState, RemovalOrder, RemovalStep, StepState
from reclaim.domain.removal import Outcome, PlanStep, RemovalPlan, StepKind
from reclaim.domain.review import (
    Answer,
    AssignedHow,
    Choice,
    KeepReason,
    Recommendation,
    ReviewItem,
    Snapshot,
    Waiting,
)
from reclaim.ports.storage import DecisionWrite, MessageRecord, Work

NOW = datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALEX = PersonId("alex")
BLAIR = PersonId("blair")
CASEY = PersonId("casey")
VISIO = ProductId("visio")
SPRING = CampaignId("spring")
AUTUMN = CampaignId("autumn")


def campaign(id: str = "spring", *, state: CampaignState = CampaignState.OPEN, age: timedelta = HOUR) -> Campaign:
    return Campaign(
        id=CampaignId(id),
        name="Spring clean-up",
        state=state,
        version=3,
        owner_id=PersonId("owner"),
        created_at=NOW - age,
        zone="Europe/Berlin",
        due_at=NOW + timedelta(days=14),
        closes_at=NOW + timedelta(days=13),
        shown_close_at=NOW + timedelta(days=12),
        strategy=Strategy.MANAGER,
        reviewer_id=PersonId("reviewer"),
        fallback_id=CASEY,
        silence=Silence.RECOMMENDATION,
        scope=Scope(
            days=60,
            product_ids=(VISIO,),
            rules=("idle", "never_seen"),
            departments=("Sales, EMEA",),
            person_ids=(PersonId("holder-2"),),
            seat_ids=("holder-1:visio",),
        ),
        mode=WriteMode.LIVE,
        attempt=2,
        opened_at=NOW - 2 * HOUR,
        closing_at=NOW - HOUR,
        closed_at=NOW,
        pause_reason="frozen",
        abandoned_by=PersonId("quitter"),
        extended_at=NOW - HOUR,
        cancelled_by=PersonId("canceller"),
        cancel_reason="the wrong list – ünly",
    )


def autumn(state: CampaignState = CampaignState.OPEN) -> Campaign:
    """Return a campaign newer than `campaign()`, that closes before it."""
    return replace(campaign("autumn", state=state, age=timedelta()), closes_at=NOW + HOUR)


def snapshot() -> Snapshot:
    return Snapshot(
        person_name="Zoë Holder",
        upn="zoe@example.com",
        department="Design",
        account_enabled=True,
        disabled_seen_at=NOW - timedelta(days=3),
        sku_name="Visio Plan 2",
        part_number="VISIOCLIENT",
        last_seen_at=NOW - timedelta(days=200),
        last_seen_kind=SignInKind.BACKGROUND,
        quiet_since=NOW - timedelta(days=200),
        assigned_at=NOW - timedelta(days=400),
        data_as_of=NOW - HOUR,
        paths=(
            Path(group_id=None, state="Active", updated_at=NOW - timedelta(days=400)),
            Path(group_id=GroupId("g1"), state="Error", error="CountViolation", disabled_plans=("p1", "p2")),
        ),
        path_names={"g1": "Visio users"},
        monthly=Money(1510, "EUR"),
    )


def item(
    number: int = 1, *, campaign: CampaignId = SPRING, assignee: PersonId | None = ALEX, product: ProductId = VISIO
) -> ReviewItem:
    """Return an open item with the seat of holder `number`; items of one campaign need numbers of their own."""
    holder = PersonId(f"holder-{number}")
    return ReviewItem(
        id=ItemId(f"{campaign}-{number:04}-{product}"),
        campaign_id=campaign,
        seat_id=seat_id(holder, product),
        person_id=holder,
        product_id=product,
        rule=Rule.NEVER_SEEN,
        recommendation=Recommendation.REVOKE,
        snapshot=snapshot(),
        plan=RemovalPlan(steps=(PlanStep(StepKind.DIRECT, product), PlanStep(StepKind.LEAVE_GROUP, "g1"))),
        version=1,
        assignee_id=assignee,
        assigned_how=AssignedHow.MANAGER,
    )


def answered(one: ReviewItem, choice: Choice = Choice.KEEP, *, by: PersonId = ALEX, batch: str = "b1") -> ReviewItem:
    """Return the next version of an item, with an answer."""
    given = Answer(
        choice=choice,
        by=by,
        at=NOW,
        batch_id=BatchId(batch),
        reason=KeepReason.SEASONAL,
        note="for the summer – ünly",
        keep_until=date(2026, 8, 1),
    )
    return replace(one, answer=given, version=one.version + 1)


def ended(one: ReviewItem) -> ReviewItem:
    """Return the next version of an item, with every field of its later life set."""
    return replace(
        one,
        assigned_reason="knows it better",
        delegated_by=BLAIR,
        moved_from=GroupId("team"),
        moved_by=CASEY,
        handovers=2,
        not_sure_by=CASEY,
        waiting=Waiting.PENDING_VERIFICATION,
        outcome=Outcome.REMOVED,
        outcome_reason="approved",
        outcome_at=NOW + HOUR,
        verified_at=NOW + 2 * HOUR,
        version=one.version + 1,
    )


def handed_to(one: ReviewItem, person: PersonId | None, *, by: PersonId | None = ALEX) -> ReviewItem:
    """Return the next version of an item, with another assignee."""
    return replace(
        one,
        assignee_id=person,
        assigned_how=AssignedHow.DELEGATED,
        delegated_by=by,
        handovers=one.handovers + 1,
        version=one.version + 1,
    )


def event(id: str, about: ReviewItem) -> Event:
    return attest(
        EventKind.DECISION_MADE,
        event_id=EventId(id),
        at=NOW,
        actor="alex",
        campaign_id=about.campaign_id,
        item_id=about.id,
        facts={"choice": "keep"},
        personal={"note": "for the summer"},
        salts={"note": b"0123456789abcdef"},
    )


def decision(
    changed: ReviewItem, *, actor: PersonId = ALEX, key: str | None = None, sha256: str = "same", event_id: str = ""
) -> DecisionWrite:
    """Return the write of an item as the domain returned it, with a key and an event of its own unless given."""
    own = f"{changed.id}:{changed.version}:{actor}"
    return DecisionWrite(
        item=changed,
        actor=actor,
        choice=changed.answer.choice if changed.answer else Choice.NOT_SURE,
        batch_id=BatchId("b1"),
        at=NOW,
        idem_key=key or own,
        request_sha256=sha256,
        event=event(event_id or f"event:{key or own}", changed),
    )


def order(id: str = "o1", *, person: str = "holder-1", state: OrderState = OrderState.READY) -> RemovalOrder:
    return RemovalOrder(
        id=OrderId(id),
        campaign_id=SPRING,
        person_id=PersonId(person),
        state=state,
        version=1,
        attempt=1,
        not_before=NOW,
        checks=3,
        created_at=NOW - HOUR,
    )


def step(
    id: str, of: RemovalOrder, about: ReviewItem, *, state: StepState = StepState.PLANNED, maybe_written: bool = False
) -> RemovalStep:
    return RemovalStep(
        id=StepId(id),
        order_id=of.id,
        item_id=about.id,
        product_id=about.product_id,
        step=PlanStep(StepKind.LEAVE_GROUP, "g1"),
        state=state,
        attempt=1,
        maybe_written=maybe_written,
    )


def message(
    id: str, *, person: PersonId = ALEX, state: str = "sent", matter: str = "wave:spring", at: datetime = NOW
) -> MessageRecord:
    return MessageRecord(
        id=MessageId(id),
        person_id=person,
        channel="teams",
        conversation="c1",
        matter=matter,
        kind="wave",
        state=state,
        version=2,
        external_id=f"x-{id}",
        payload_sha256="ab" * 32,
        data_as_of=NOW - HOUR,
        created_at=at,
        sent_at=at + timedelta(seconds=1),
        error="503",
    )


async def store(work: Work, *items: ReviewItem, campaigns: tuple[Campaign, ...] = ()) -> None:
    """Store campaigns (the open one by default) with their items."""
    async with work.write() as unit:
        for one in campaigns or (campaign(),):
            await unit.campaigns.add(one)
        await unit.items.add_many(items, at=NOW)
        await unit.commit()


async def stored(work: Work, one: ReviewItem) -> ReviewItem:
    """Return an item as it is now."""
    async with work.read() as unit:
        return (await unit.items.get_many([one.id]))[one.id]
