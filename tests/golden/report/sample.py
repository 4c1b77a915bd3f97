"""The evidence of one made-up campaign, with every way in which a seat can end, and the reports made of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from reclaim.domain.attestation import EventKind, Fact, attest
from reclaim.domain.campaign import Campaign, CampaignState, Limits, Scope, Silence, Strategy, WriteMode
from reclaim.domain.directory import DIRECTLY, Path, Person, Sku
from reclaim.domain.idle import Rule
from reclaim.domain.ids import EventId, ItemId, OrderId, PersonId, ProductId, RunId, StepId
from reclaim.domain.money import Money
from reclaim.domain.orders import OrderState, RemovalOrder, RemovalStep, StepState
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import PopulationPart, PopulationRow
from reclaim.domain.removal import Blocker, Outcome, PlanStep, RemovalPlan, StepKind
from reclaim.domain.restore import Returned, Reversal
from reclaim.domain.review import AssignedHow, Choice, KeepReason, ReviewItem
from reclaim.domain.savings import Renewal
from reclaim.ports.directory import Request
from reclaim.ports.storage import StoredEvent, StreamRequest, SyncRun
from reclaim.services.campaign_report import make_report
from reclaim.services.event_records import EventRecord
from reclaim.services.evidence_files import Evidence
from tests.golden.cards.models import (
    BY_GROUP,
    CAMPAIGN,
    CLOSES,
    DIRECT,
    GROUP,
    LYNNE,
    MEGAN,
    NAME,
    SYNCED,
    ZONE,
    answered,
    ended,
    seat,
)

ALLAN: Final = PersonId("allan")
OPENED: Final = datetime(2026, 11, 23, 8, 2, tzinfo=UTC)
WRITTEN: Final = datetime(2026, 12, 5, 17, 2, tzinfo=UTC)
FIRST = ("Cameron", "Brian", "Irvin", "Raul", "Lee", "Alex", "Grady", "Nestor", "Adele", "Diego", "Miriam", "Pradeep")
LAST = (
    "White",
    "Johnson",
    "Sayers",
    "Razo",
    "Gu",
    "Wilber",
    "Archie",
    "Wilke",
    "Vance",
    "Siciliani",
    "Graham",
    "Gupta",
)
SKUS = (("Microsoft 365 E3", 3600), ("Visio Plan 2", 1500), ("Project Plan 3", 3000), ("Power BI Pro", 1400))
DYNAMIC: Final = RemovalPlan(blocker=Blocker.GROUP_DYNAMIC, blocker_ref=GROUP)

_ANSWERS: Final = (
    *((Choice.REVOKE, Outcome.REMOVED),) * 49,
    *((Choice.REVOKE, Outcome.ALREADY_ABSENT),) * 2,
    *((Choice.REVOKE, Outcome.ACTIVE_AGAIN),) * 3,
    *((Choice.REVOKE, Outcome.NOT_SUPPORTED),) * 3,
    (Choice.REVOKE, Outcome.FAILED),
    *((Choice.KEEP, Outcome.KEPT),) * 19,
    *((None, Outcome.KEPT),) * 9,
)
_REASONS: Final = {
    Outcome.REMOVED: "read_back",
    Outcome.ALREADY_ABSENT: "seat_gone",
    Outcome.ACTIVE_AGAIN: "in_use",
    Outcome.NOT_SUPPORTED: "group_dynamic",
    Outcome.FAILED: "graph_403",
    Outcome.KEPT: "kept_by_reviewer",
}


def _item(number: int, choice: Choice | None, outcome: Outcome) -> ReviewItem:
    sku, minor = SKUS[number % len(SKUS)]
    plan = {Outcome.NOT_SUPPORTED: DYNAMIC if number % 2 else SYNCED}.get(
        outcome, BY_GROUP if number % 5 == 0 else DIRECT
    )
    item = seat(
        f"{number:032x}",
        f"{FIRST[number % 12]} {LAST[number * 5 % 12]}",
        sku,
        None if number % 17 == 0 else minor,
        rule=tuple(Rule)[number % 3],
        plan=plan,
    )
    reviewer = (MEGAN, LYNNE)[number % 2]
    item = replace(
        item,
        id=ItemId(f"{number:032x}"),
        person_id=PersonId(f"{number:08x}-0000-4000-8000-000000000000"),
        product_id=ProductId(f"sku-{number % len(SKUS)}"),
        assignee_id=reviewer,
        assigned_how=(AssignedHow.MANAGER, AssignedHow.FALLBACK, AssignedHow.DELEGATED)[number % 3],
    )
    if choice is not None:
        reason = KeepReason.CURRENT_WORK if choice is Choice.KEEP else None
        note = "Needs it for the audit in March" if number % 4 == 0 and reason else None
        item = answered(item, choice, by=reviewer, reason=reason, note=note)
    reason_word = "no_answer" if choice is None else _REASONS[outcome]
    return ended(item, outcome, outcome_reason=reason_word)


def _step(item: ReviewItem, number: int) -> RemovalStep:
    plan = item.plan.steps[0]
    failed = item.outcome is Outcome.FAILED
    return RemovalStep(
        id=StepId(f"step-{number:03}"),
        order_id=OrderId(f"order-{number:03}"),
        item_id=item.id,
        product_id=item.product_id,
        step=PlanStep(plan.kind, item.product_id if plan.kind is StepKind.DIRECT else plan.ref),
        state=StepState.FAILED if failed else StepState.VERIFIED,
        attempt=1,
        client_request_id=f"{number:08x}-1111-4000-8000-000000000000",
        request_id=f"{number:08x}-2222-4000-8000-000000000000",
        before='[{"disabled_plans":[],"group":null,"state":"Active","updated_at":null}]',
        after=None if failed else "[]",
        error="Refused." if failed else None,
        intended_at=CLOSES,
        written_at=None if failed else CLOSES + timedelta(minutes=number),
        verified_at=None if failed else CLOSES + timedelta(minutes=number + 1),
    )


def _evidence(campaign: Campaign, items: tuple[ReviewItem, ...], people: dict[PersonId, Person]) -> Evidence:
    records: list[EventRecord] = []

    def say(
        kind: EventKind,
        at: datetime,
        item: ReviewItem | None = None,
        by: str = "system",
        facts: dict[str, Fact] | None = None,
    ) -> None:
        seq = len(records) + 11
        event = attest(
            kind,
            event_id=EventId(f"event-{seq}"),
            at=at,
            actor=by,
            campaign_id=campaign.id,
            item_id=item.id if item else None,
            facts=facts,
        )
        name = "Reclaim" if by == "system" else people[PersonId(by)].shown_name
        records.append(
            EventRecord(
                stored=StoredEvent(seq=seq, event=event), actor_id=by, actor_name=name, item=item, facts=facts or {}
            )
        )

    left_out: dict[str, Fact] = {"left_out_scope": 20, "left_out_asked": 7}
    say(
        EventKind.CAMPAIGN_STARTED,
        OPENED,
        by=ALLAN,
        facts={"run": "run", "idle": len(items) + 28, "items": len(items) + 1, **left_out},
    )
    for item in items:
        say(EventKind.ITEM_ASSIGNED, OPENED, item)
    say(EventKind.CAMPAIGN_OPENED, OPENED, facts={"items": len(items)})
    for person in (MEGAN, LYNNE):
        say(EventKind.MESSAGE_SENT, OPENED, facts={"to": person, "channel": "web"})
    say(EventKind.REMINDER_SENT, CLOSES - timedelta(days=2), facts={"to": LYNNE, "channel": "web"})
    for item in items:
        if item.answer is not None:
            say(
                EventKind.DECISION_MADE,
                item.answer.at,
                item,
                by=item.answer.by,
                facts={"choice": item.answer.choice.value},
            )
    say(EventKind.CAMPAIGN_CLOSING, CLOSES)
    for item in items:
        if item.outcome is not None:
            kind = EventKind.REMOVAL_VERIFIED if item.outcome is Outcome.REMOVED else EventKind.ITEM_ENDED
            say(kind, CLOSES, item, facts={"outcome": item.outcome.value})
    say(EventKind.CAMPAIGN_CLOSED, CLOSES + timedelta(hours=1))
    tried = [item for item in items if item.outcome in (Outcome.REMOVED, Outcome.FAILED)]
    steps = tuple(_step(item, number) for number, item in enumerate(tried))
    order = RemovalOrder(
        id=OrderId("order"),
        campaign_id=campaign.id,
        person_id=PersonId("holder"),
        state=OrderState.DONE,
        version=1,
        attempt=1,
        not_before=None,
        checks=0,
        created_at=CLOSES,
        steps=steps,
    )
    run = SyncRun(id=RunId("run"), state="complete", started_at=OPENED - timedelta(hours=3), requested_by=None)
    requests = tuple(
        StreamRequest(
            stream=stream,
            page=page,
            request=Request(url="/users", request_id=f"r{page}", rows=rows, sha256="a" * 64, at=OPENED),
        )
        for stream, page, rows in (("people", 1, 100), ("people", 2, 63), ("sign_ins", 1, 163), ("skus", 1, 12))
    )
    skus = {item.product_id: item for item in items}
    removed = [item for item in items if item.outcome is Outcome.REMOVED]
    return Evidence(
        campaign=campaign,
        items=items,
        names={ref: person.shown_name for ref, person in people.items()},
        records=tuple(records),
        run=run,
        requests=requests,
        orders=(order,),
        skus={
            product: Sku(
                id=product, part_number="PART", name=item.snapshot.sku_name, enabled=60, consumed=51 + len(product)
            )
            for product, item in skus.items()
        },
        held=dict.fromkeys(skus, 56),
        population=tuple(
            PopulationRow(
                product_id=product,
                name=item.snapshot.sku_name,
                part_number="PART",
                read=58,
                idle=21,
                excluded=(PopulationPart("group", 4), PopulationPart("away", 2)),
                not_idle=(PopulationPart("in_use", 28), PopulationPart("unknown", 1), PopulationPart("error_state", 2)),
                held=56,
                microsoft=51 + len(product),
            )
            for product, item in sorted(skus.items())
        ),
        newest=replace(run, started_at=WRITTEN - timedelta(hours=12)),
        realised={removed[0].id: WRITTEN - timedelta(days=1)} if removed else {},
        reduce=(_RENEWAL,) if removed else (),
        policy=Policy(zone=ZONE, writes=WriteMode.LIVE, limits=Limits()),
        at=WRITTEN,
        reversals={
            one.id: Reversal(item_id=one.id, campaign_id=CAMPAIGN, how=how, at=WRITTEN, through=(through,), run_id="r2")
            for one, how, through in zip(
                removed[1:], (Returned.REGRANTED, Returned.RESTORED), (GROUP, DIRECTLY), strict=False
            )
        },
        group_names={GROUP: "Copilot Marketing"},
    )


_RENEWAL: Final = Renewal(
    product_id=ProductId("visio"),
    name="Visio Plan 2",
    renews_on=date(2027, 3, 31),
    passed=False,
    purchased=60,
    unassigned=9,
    reclaimed=12,
    reduce_by=9,
    each=Money(1500, "USD"),
)
PEOPLE: Final = {
    ref: Person(id=ref, name=name, upn=f"{ref}@contoso.com")
    for ref, name in ((ALLAN, "Allan Deyoung"), (MEGAN, "Megan Bowen"), (LYNNE, "Lynne Robbins"))
}
BASE: Final = Campaign(
    id=CAMPAIGN,
    name=NAME,
    state=CampaignState.CLOSED,
    version=9,
    owner_id=ALLAN,
    created_at=OPENED,
    zone=ZONE,
    due_at=CLOSES,
    closes_at=CLOSES,
    shown_close_at=CLOSES,
    strategy=Strategy.MANAGER,
    reviewer_id=None,
    fallback_id=LYNNE,
    silence=Silence.KEEP,
    scope=Scope(days=90),
    mode=WriteMode.LIVE,
    opened_at=OPENED,
    closing_at=CLOSES,
    closed_at=CLOSES + timedelta(hours=1),
)
ITEMS: Final = tuple(_item(number, choice, outcome) for number, (choice, outcome) in enumerate(_ANSWERS, start=1))
EVIDENCE: Final = _evidence(BASE, ITEMS, PEOPLE)
# One of each kind, for the golden file.
FEW: Final = make_report(_evidence(BASE, (*ITEMS[:2], *ITEMS[49:51], ITEMS[52], *ITEMS[55:59], ITEMS[80]), PEOPLE))
REPORT: Final = make_report(EVIDENCE)
PSEUDONYMOUS: Final = make_report(EVIDENCE, pseudonymous=True)

# Whatever a tenant or a person may have written, everywhere.
MARKUP: Final = '"><script>alert(1)</script></style><img src=x onerror=alert(1)> {{DATE()}} \u202eevil עברית \\" '


def hostile(words: str) -> Evidence:
    """Return the evidence with this text in every name and note."""
    people = {ref: replace(person, name=words) for ref, person in PEOPLE.items()}
    items = tuple(
        replace(
            item,
            snapshot=replace(
                item.snapshot,
                person_name=words,
                upn=words,
                sku_name=words,
                part_number=words,
                path_names={GROUP: words},
                paths=(Path(group_id=GROUP, state="Active"),),
            ),
            answer=replace(item.answer, note=words) if item.answer else None,
        )
        for item in ITEMS
    )
    return _evidence(replace(BASE, name=words[:80]), items, people)


HOSTILE_REPORT: Final = make_report(hostile(MARKUP * 100))
OPEN: Final = _evidence(
    replace(BASE, state=CampaignState.OPEN, closing_at=None, closed_at=None),
    tuple(replace(item, outcome=None, outcome_reason=None, outcome_at=None, verified_at=None) for item in ITEMS),
    PEOPLE,
)
