"""Hand-made read models. People are made up; one has a hostile name."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from reclaim.domain.activity import SignInKind
from reclaim.domain.campaign import CampaignState, Silence, Strategy, WriteMode
from reclaim.domain.directory import DIRECTLY, AssigneeKind, Path, Person
from reclaim.domain.exclusions import Exclusion, ExclusionId, ExclusionKind
from reclaim.domain.idle import Rule
from reclaim.domain.ids import BatchId, CampaignId, GroupId, ItemId, PersonId, ProductId, SeatId
from reclaim.domain.money import Money, Period, Price, Total
from reclaim.domain.read_models import (
    AbsencesView,
    BulkResult,
    CampaignStatus,
    DataAge,
    ExclusionList,
    ExclusionView,
    FreezeView,
    History,
    HistoryLine,
    InboxPage,
    InboxRow,
    InboxShow,
    ItemView,
    LaunchRequestView,
    LeftOut,
    OverLimit,
    OwnerRow,
    Owners,
    PopulationPart,
    PopulationRow,
    PopulationView,
    PriceList,
    PriceRow,
    ReceiptSeat,
    ReviewerLoad,
    ReviewerProgress,
    ReviewersPage,
    ReviewSummary,
    SeatFilter,
    SeatPage,
    SeatReceipt,
    SeatRow,
    SentMessage,
    SkuShare,
    SkuSpend,
    SpendReport,
    StartPreview,
    StartSeat,
    StartSeats,
    SyncView,
    Wave,
    WaveRow,
    WhyReport,
    WhySeat,
)
from reclaim.domain.removal import Blocker, Outcome, PlanStep, RemovalPlan, StepKind
from reclaim.domain.review import (
    Answer,
    AssignedHow,
    Choice,
    FallbackWhy,
    Recommendation,
    ReviewItem,
    Snapshot,
    Waiting,
)
from reclaim.domain.savings import Renewal, Savings, Stage
from reclaim.domain.syncing import SyncKind
from reclaim.domain.tasks import ManualTask, TaskList, TaskState, TaskView
from reclaim.domain.workloads import Report, ReportReading, ReportState, UsageReport, Workload, noon

ZONE: Final = "Europe/Zurich"
NOW: Final = datetime(2026, 11, 23, 13, 2, tzinfo=UTC)
CLOSES: Final = datetime(2026, 12, 4, 16, 0, tzinfo=UTC)
MEGAN, LYNNE, ISAIAH = PersonId("megan"), PersonId("lynne"), PersonId("isaiah")
CAMPAIGN: Final = CampaignId("c0ffee")
NAME: Final = "Q4 seat clean-up"
HOSTILE: Final = "**Eve** <script>x</script> \u202eevil\u200f [a](http://x) " + "W" * 80
COPILOT, VISIO, E5 = ProductId("copilot"), ProductId("visio"), ProductId("e5")
GROUP: Final = GroupId("g1")
DATA: Final = DataAge(as_of=datetime(2026, 11, 23, 5, 0, tzinfo=UTC), stale=False)
COOLDOWN: Final = timedelta(days=90)
DIRECT: Final = RemovalPlan(steps=(PlanStep(StepKind.DIRECT, COPILOT),))
BY_GROUP: Final = RemovalPlan(steps=(PlanStep(StepKind.LEAVE_GROUP, GROUP),))
NEEDED: Final = RemovalPlan(steps=(PlanStep(StepKind.DIRECT, COPILOT),), needed_by=(VISIO,))
NEEDED_BY_HAND: Final = RemovalPlan(blocker=Blocker.NEEDED_BY, blocker_ref=VISIO, needed_by=(VISIO,))
SYNCED: Final = RemovalPlan(blocker=Blocker.GROUP_SYNCED, blocker_ref=GROUP)
MAILBOX: Final = RemovalPlan(steps=(PlanStep(StepKind.DIRECT, E5),), blocker=Blocker.LAST_MAILBOX, blocker_ref=E5)
FILES: Final = RemovalPlan(steps=(PlanStep(StepKind.DIRECT, E5),), blocker=Blocker.LAST_FILES, blocker_ref=E5)


def needed(item: ReviewItem, plan: RemovalPlan = NEEDED) -> ReviewItem:
    """Return the seat as one that another license of the same person needs."""
    names = {**item.snapshot.path_names, VISIO: "Teams Phone Standard"}
    recommendation = Recommendation.REVOKE if plan.writable else Recommendation.LOOK_CLOSER
    return replace(item, plan=plan, recommendation=recommendation, snapshot=replace(item.snapshot, path_names=names))


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def seat(
    ref: str, who: str, sku: str, minor: int | None, *, rule: Rule = Rule.IDLE, plan: RemovalPlan = DIRECT
) -> ReviewItem:
    last = datetime(2026, 7, 12, 9, 0, tzinfo=UTC) if rule is Rule.IDLE else None
    if rule is Rule.UNUSED:
        last = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    by_reports = {"last_used_at": noon(date(2026, 7, 4)), "reported_at": noon(date(2026, 11, 21))}
    group = GROUP if plan in (BY_GROUP, SYNCED) else None
    return ReviewItem(
        id=ItemId(ref),
        campaign_id=CAMPAIGN,
        seat_id=SeatId(f"{ref}:sku"),
        person_id=PersonId(f"holder-{ref}"),
        product_id=COPILOT,
        rule=rule,
        recommendation=Recommendation.REVOKE if plan.writable else Recommendation.LOOK_CLOSER,
        snapshot=Snapshot(
            person_name=who,
            upn=f"{ref}@contoso.com",
            department="Marketing",
            account_enabled=rule is not Rule.DISABLED,
            disabled_seen_at=datetime(2026, 7, 2, tzinfo=UTC) if rule is Rule.DISABLED else None,
            sku_name=sku,
            part_number="PART",
            last_seen_at=last,
            last_seen_kind=SignInKind.INTERACTIVE if last else None,
            quiet_since=datetime(2026, 7, 5, tzinfo=UTC),
            assigned_at=datetime(2026, 2, 11, tzinfo=UTC),
            data_as_of=NOW,
            paths=(Path(group_id=group, state="Active"),),
            path_names={GROUP: "Copilot Marketing"},
            monthly=None if minor is None else usd(minor),
            **(by_reports if rule is Rule.UNUSED else {}),
        ),
        plan=plan,
        version=1,
        assignee_id=MEGAN,
        assigned_how=AssignedHow.MANAGER,
    )


ITEMS: Final = (
    seat("i01", "Isaiah Langer", "Microsoft 365 Copilot", 3000, plan=BY_GROUP),
    seat("i02", "Lee Gu", "Project Plan 3", 3000, rule=Rule.NEVER_SEEN),
    seat("i03", "Alex Wilber", "Power BI Pro", 1400, rule=Rule.DISABLED),
    seat("i04", HOSTILE, "Visio Plan 2", 1500),
    seat("i05", "Grady Archie", "Microsoft 365 E5", 5700, plan=MAILBOX),
    seat("i06", "Nestor Wilke", "Teams Premium", None, plan=SYNCED),
)
BATCH: Final = BatchId("b1")


def answered(item: ReviewItem, choice: Choice, **more: object) -> ReviewItem:
    answer = Answer(choice=choice, by=MEGAN, at=NOW, batch_id=BATCH)
    return replace(item, answer=replace(answer, **more))  # type: ignore[arg-type]


def total(items: tuple[ReviewItem, ...]) -> Total:
    return Total.of(item.snapshot.monthly for item in items)


def wave(open_items: tuple[ReviewItem, ...] = ITEMS, done: tuple[ReviewItem, ...] = ()) -> Wave:
    recommended = tuple(item for item in open_items if item.recommendation is Recommendation.REVOKE)
    return Wave(
        ref=CAMPAIGN,
        campaign_id=CAMPAIGN,
        campaign_name=NAME,
        campaign_state=CampaignState.OPEN,
        reviewer_id=MEGAN,
        open_rows=tuple(WaveRow(item=item, ticked=item in recommended) for item in open_items),
        open_count=len(open_items),
        open_monthly=total(open_items),
        recommended_count=len(recommended),
        recommended_monthly=total(recommended),
        answered=tuple(WaveRow(item=item, ticked=False) for item in done),
        answered_monthly=total(done),
        passed_on=(),
        page=1,
        pages=1,
        page_size=10,
        due_at=CLOSES,
        closes_at=CLOSES,
        zone=ZONE,
        silence=Silence.KEEP,
        mode=WriteMode.LIVE,
        now=NOW,
    )


REVOKED: Final = tuple(answered(item, Choice.REVOKE) for item in ITEMS[:4])


def inbox(show: InboxShow, items: tuple[ReviewItem, ...]) -> InboxPage:
    return InboxPage(
        show=show,
        rows=tuple(InboxRow(campaign_name=NAME, row=WaveRow(item=item, ticked=False)) for item in items),
        lists=((CAMPAIGN, NAME, len(ITEMS)), (CampaignId("other"), HOSTILE, 1)),
        counts=((InboxShow.OPEN, 7), (InboxShow.DELEGATED, 2), (InboxShow.ANSWERED, 4)),
        monthly=total(ITEMS),
        page=1,
        pages=1,
        page_size=10,
        closes_at=CLOSES,
        now=NOW,
    )


INBOX: Final = {
    InboxShow.OPEN: replace(inbox(InboxShow.OPEN, ITEMS), page=1, pages=2),
    InboxShow.DELEGATED: inbox(InboxShow.DELEGATED, ITEMS[:2]),
    InboxShow.ANSWERED: inbox(InboxShow.ANSWERED, REVOKED),
}
NO_INBOX: Final = replace(
    INBOX[InboxShow.OPEN],
    rows=(),
    lists=(),
    counts=tuple((kind, 0) for kind in InboxShow),
    monthly=Total(),
    pages=1,
    closes_at=None,
)
RESULT: Final = BulkResult(
    choice=Choice.REVOKE,
    batch_id=BATCH,
    at=NOW,
    done=4,
    monthly=total(ITEMS[:4]),
    skipped=(("conflict", 1), ("held", 1)),
)


def view(item: ReviewItem = ITEMS[0], **more: object) -> ItemView:
    plain = ItemView(
        item=item,
        campaign_name=NAME,
        campaign_state=CampaignState.OPEN,
        silence=Silence.KEEP,
        mode=WriteMode.LIVE,
        closes_at=CLOSES,
        zone=ZONE,
        now=NOW,
        viewer_id=MEGAN,
        assignee_name="Megan Bowen",
        answered_by_name=None,
        fallback_name="Lynne Robbins",
        from_name=None,
        others_open=6,
        days=90,
        checked_at=NOW,
        other_skus=("Visio Plan 2",),
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def sku(ref: str, name: str, idle: int, held: int, each: int | None) -> SkuSpend:
    price = None if each is None else usd(each)
    return SkuSpend(
        product_id=ProductId(ref),
        name=name,
        part_number=ref.upper(),
        purchased=held,
        assigned=held,
        available=3,
        unassigned=3,
        held=held,
        idle=idle,
        each=price,
        recoverable=price.times(idle) if price else None,
    )


def renewal(ref: str, name: str, day: date | None, *, reclaimed: int, unassigned: int, each: int | None) -> Renewal:
    return Renewal(
        product_id=ProductId(ref),
        name=name,
        renews_on=day,
        passed=day is not None and day < date(2026, 11, 23),
        purchased=60,
        unassigned=unassigned,
        reclaimed=reclaimed,
        reduce_by=min(reclaimed, unassigned),
        each=usd(each) if each else None,
    )


SPEND: Final = SpendReport(
    days=90,
    held=763,
    idle=42,
    unknown=5,
    total=Total(amounts=(usd(112800),), unpriced=6),
    rows=(
        sku("e5", "Microsoft 365 E5", 14, 180, 5700),
        sku("visio", "Visio Plan 2", 22, 60, 1500),
        sku("teams", "Teams Premium", 6, 25, None),
        sku("e3", "Microsoft 365 E3", 0, 240, 3600),
    ),
    data=DATA,
    blocked=False,
    renewals=(
        renewal("visio", "Visio Plan 2", date(2026, 12, 31), reclaimed=12, unassigned=9, each=1500),
        renewal("e5", "Microsoft 365 E5", date(2026, 9, 30), reclaimed=4, unassigned=20, each=5700),
        renewal("teams", "Teams Premium", None, reclaimed=2, unassigned=5, each=None),
    ),
    savings=Savings(
        potential=Stage(seats=86, monthly=Total(amounts=(usd(324400),), unpriced=6)),
        decided=Stage(seats=58, monthly=Total(amounts=(usd(189200),), unpriced=3)),
        removed=Stage(seats=50, monthly=Total(amounts=(usd(138000),), unpriced=2)),
        verified=Stage(seats=49, monthly=Total(amounts=(usd(131000),), unpriced=2)),
        realised=Stage(seats=31, monthly=Total(amounts=(usd(93000),))),
    ),
)

SEAT_ROWS: Final = tuple(
    SeatRow(
        seat_id=SeatId(f"{item.id}:visio"),
        person_id=item.person_id,
        person_name=item.snapshot.person_name,
        upn=item.snapshot.upn,
        department="Marketing",
        product_id=VISIO,
        sku_name="Visio Plan 2",
        rule=item.rule,
        quiet_since=item.snapshot.quiet_since,
        last_seen_at=item.snapshot.last_seen_at,
        assigned_at=item.snapshot.assigned_at,
        disabled_seen_at=item.snapshot.disabled_seen_at,
        group_name="Visio users" if item.id == "i01" else None,
        monthly=usd(1500),
    )
    for item in ITEMS[:4]
)
SEATS: Final = SeatPage(
    filter=SeatFilter(product_id=VISIO),
    sku_name="Visio Plan 2",
    rows=SEAT_ROWS,
    page=2,
    pages=3,
    total=22,
    monthly=Total(amounts=(usd(33000),)),
    data=DATA,
    now=NOW,
)
PLACES: Final[Mapping[str, str]] = {
    name: f"d:visio:90:-:{page}"
    for page, name in enumerate(("here", "previous", "next", "all", "disabled", "never_seen", "days90"), 1)
}

_OTHERS = (
    "Alex Wilber",
    "Ben Walters",
    "Debra Berger",
    "Diego Siciliani",
    "Irvin Sayers",
    "Johanna Lorenz",
    "Joni Sherman",
)
EXCLUSIONS: Final = ExclusionList(
    rows=tuple(
        ExclusionView(
            exclusion=Exclusion(
                id=ExclusionId(f"{number}f3a9c01d2e4"),
                kind=kind,
                value=value,
                reason=reason,
                by=LYNNE,
                at=NOW,
                until=until,
            ),
            value=value,
            by_name="Lynne Robbins",
            seats=seats,
        )
        for number, (kind, value, reason, until, seats) in enumerate(
            (
                (ExclusionKind.DEPARTMENT, "Legal", "Legal hold until the case is closed", CLOSES, 12),
                (ExclusionKind.PERSON, HOSTILE, HOSTILE, None, 2),
                (ExclusionKind.GUESTS, "", "Guests are handled by their sponsors", None, 5),
                (ExclusionKind.PRODUCT, "Visio Plan 2", "Bought for the whole year", CLOSES, 0),
                (ExclusionKind.EMPLOYEE_TYPE, "Contractor", "The agency decides", None, 1),
            )
        )
    ),
    seats=20,
    days=90,
    zone=ZONE,
    now=NOW,
)
EXCLUSIONS_LISTED: Final = replace(
    EXCLUSIONS,
    rows=tuple(
        replace(
            EXCLUSIONS.rows[0],
            exclusion=replace(EXCLUSIONS.rows[0].exclusion, kind=kind, value=value, until=None),
            value=value,
            people=people,
        )
        for kind, value, people in (
            (ExclusionKind.GROUP, "Executive board", 14),
            (ExclusionKind.NAME, "svc-*", 1),
            (ExclusionKind.ADMIN_ROLES, "", 9),
            (ExclusionKind.AWAY, "", 31),
        )
    ),
)
POPULATION: Final = PopulationView(
    row=PopulationRow(
        product_id=ProductId("visio"),
        name="Visio Plan 2",
        part_number="VISIO_PLAN2_DEPT",
        read=214,
        idle=61,
        excluded=(PopulationPart("department", 12), PopulationPart("admin_roles", 3), PopulationPart("away", 4)),
        not_idle=(
            PopulationPart("in_use", 118),
            PopulationPart("too_new", 7),
            PopulationPart("unknown", 4),
            PopulationPart("error_state", 2),
            PopulationPart("quiet_for_less", 3),
        ),
        held=212,
        microsoft=215,
    ),
    days=90,
    data=DATA,
    now=NOW,
)
ABSENCES: Final = AbsencesView(absences=48, at=NOW, people=31, seats=12, days=90, counts=True)
ABSENCES_NONE: Final = AbsencesView(absences=0, at=None, people=0, seats=0, days=90, counts=False)
PRICES: Final = PriceList(
    rows=(
        PriceRow(
            product_id=ProductId("teams"), name="Teams Premium", part_number="TP", price=None, source=None, idle=6
        ),
        PriceRow(product_id=ProductId("flow"), name=HOSTILE, part_number="FLOW", price=None, source=None, idle=0),
        PriceRow(
            product_id=ProductId("visio"),
            name="Visio Plan 2",
            part_number="VISIOCLIENT",
            price=Price(amount=usd(1500), period=Period.MONTH, renews_on=date(2027, 6, 30)),
            source="contract.csv",
            idle=22,
        ),
        PriceRow(
            product_id=ProductId("e5"),
            name="Microsoft 365 E5",
            part_number="SPE_E5",
            price=Price(amount=Money(68400, "CHF"), period=Period.YEAR),
            source="set by hand",
            idle=14,
        ),
    ),
    days=90,
)

PREVIEW: Final = StartPreview(
    ref="draft",
    name=NAME,
    idle=114,
    items=86,
    monthly=Total(amounts=(usd(241600),), unpriced=5),
    low=Total(amounts=(usd(120400),), unpriced=2),
    likely=Total(amounts=(usd(189200),), unpriced=5),
    high=Total(amounts=(usd(241600),), unpriced=5),
    recommended=64,
    writable=71,
    needed=6,
    blockers=(("group_dynamic", 11), ("last_mailbox", 4)),
    reviewers=(
        ReviewerLoad(assignee_id=MEGAN, name="Megan Bowen", seats=34),
        *(ReviewerLoad(assignee_id=PersonId(who), name=who, seats=8 - (n > 3)) for n, who in enumerate(_OTHERS)),
    ),
    to_fallback=7,
    fallback_name="Lynne Robbins",
    left_out=(LeftOut(reason="scope", seats=20), LeftOut(reason="asked", seats=8)),
    strategy=Strategy.MANAGER,
    silence=Silence.KEEP,
    mode=WriteMode.LIVE,
    days=90,
    due_at=CLOSES,
    zone=ZONE,
    data=DATA,
    named_not_idle=3,
    shares=(SkuShare(name="Visio Plan 2", items=22, held=60),),
)
OVER: Final = replace(PREVIEW, over=OverLimit(selected=86, limit=50, hard=False))
START_SEATS: Final = StartSeats(
    ref="draft",
    name=NAME,
    rows=tuple(
        StartSeat(
            person_name=item.snapshot.person_name,
            sku_name=item.snapshot.sku_name,
            reviewer_name="Megan Bowen",
            monthly=item.snapshot.monthly,
            writable=item.plan.writable,
            blocker=item.plan.blocker.value if item.plan.blocker else None,
            needed_by=("Teams Phone Standard",) if item is ITEMS[0] else (),
        )
        for item in ITEMS
    ),
    page=2,
    pages=9,
    total=86,
)
LAUNCH_ASKED: Final = LaunchRequestView(
    ref="r7",
    draft_ref="draft",
    campaign_name=NAME,
    state="asked",
    by=LYNNE,
    by_name="Lynne Robbins",
    asked_names=("Allan Deyoung", "Megan Bowen"),
    expires_at=NOW + timedelta(days=3),
    settled_by_name=None,
    settled_at=None,
    preview=OVER,
)
LAUNCH_CONFIRMED: Final = replace(
    LAUNCH_ASKED, state="confirmed", settled_by_name="Allan Deyoung", settled_at=NOW, preview=None
)

OWNERS: Final = Owners(
    rows=(
        OwnerRow(product_id=ProductId("e5"), sku_name="Microsoft 365 E5", owner_name=None, kind=None, idle=31),
        OwnerRow(
            product_id=VISIO, sku_name="Visio Plan 2", owner_name="Megan Bowen", kind=AssigneeKind.PERSON, idle=22
        ),
        OwnerRow(
            product_id=ProductId("project"),
            sku_name=HOSTILE,
            owner_name=HOSTILE,
            kind=AssigneeKind.GROUP,
            idle=4,
            trouble=FallbackWhy.GROUP_UNREAD,
        ),
    ),
    fallback_name="Lynne Robbins",
)

STATUS: Final = CampaignStatus(
    campaign_id=CAMPAIGN,
    name=NAME,
    state=CampaignState.OPEN,
    mode=WriteMode.LIVE,
    owner_name="Allan Deyoung",
    items=86,
    revoke=41,
    keep=9,
    not_sure=2,
    open=34,
    potential=Total(amounts=(usd(241600),), unpriced=5),
    approved=Total(amounts=(usd(120600),)),
    removed=Total(),
    reviewers=19,
    reviewers_done=11,
    open_with=tuple(
        ReviewerLoad(assignee_id=PersonId(name), name=name, seats=seats)
        for name, seats in (("Ben Walters", 9), ("Debra Berger", 8), (HOSTILE, 4))
    ),
    unreachable=("Enrico Cattaneo",),
    messages_sent=18,
    outcomes=(),
    waiting=(),
    removing=0,
    verified_count=0,
    verified=Total(),
    minutes_left=None,
    due_at=CLOSES,
    closes_at=CLOSES,
    next_reminder_at=CLOSES - timedelta(days=2),
    zone=ZONE,
    now=NOW,
    frozen_since=None,
    pause_reason=None,
    abandoned_by_name=None,
)
CLOSED: Final = replace(
    STATUS,
    state=CampaignState.CLOSED,
    outcomes=(
        (Outcome.KEPT, 43),
        (Outcome.REMOVED, 36),
        (Outcome.ALREADY_ABSENT, 2),
        (Outcome.ACTIVE_AGAIN, 3),
        (Outcome.FAILED, 2),
    ),
    verified_count=36,
    removing=36,
    verified=Total(amounts=(usd(108000),)),
    next_reminder_at=None,
    realised=Stage(seats=24, monthly=Total(amounts=(usd(72000),))),
    reduce=(renewal("visio", "Visio Plan 2", date(2026, 12, 31), reclaimed=12, unassigned=9, each=1500),),
)
APPLYING: Final = replace(
    STATUS,
    state=CampaignState.APPLYING,
    waiting=(("pending_verification", 3), ("queued", 17)),
    removed=Total(amounts=(usd(9000),)),
    minutes_left=4,
    removing=41,
    verified_count=21,
    verified=total(ITEMS),
    next_reminder_at=None,
)

REVIEWERS: Final = ReviewersPage(
    campaign_id=CAMPAIGN,
    campaign_name=NAME,
    campaign_state=CampaignState.OPEN,
    closes_at=CLOSES,
    rows=tuple(
        ReviewerProgress(
            assignee_id=PersonId(name), name=name, seats=seats, open=still, last_reminded_at=at, reached=reached
        )
        for name, seats, still, at, reached in (
            ("Ben Walters", 12, 9, NOW, True),
            ("Debra Berger", 8, 8, None, True),
            ("Enrico Cattaneo", 3, 3, None, False),
            (HOSTILE, 5, 0, NOW, True),
        )
    ),
    page=2,
    pages=3,
    page_size=4,
    total=19,
)


def ended(item: ReviewItem, outcome: Outcome | None, **more: object) -> ReviewItem:
    done = replace(item, outcome=outcome, outcome_at=NOW if outcome else None, **more)  # type: ignore[arg-type]
    return replace(done, verified_at=NOW) if outcome is Outcome.REMOVED else done


SUMMARY: Final = ReviewSummary(
    campaign_id=CAMPAIGN,
    campaign_name=NAME,
    campaign_state=CampaignState.CLOSED,
    mode=WriteMode.LIVE,
    silence=Silence.KEEP,
    owner_name="Allan Deyoung",
    reviewer_id=MEGAN,
    closed_at=CLOSES,
    zone=ZONE,
    answered=(
        *(ended(item, Outcome.REMOVED) for item in REVOKED[:3]),
        ended(REVOKED[3], Outcome.ACTIVE_AGAIN),
        ended(answered(ITEMS[4], Choice.KEEP), Outcome.KEPT),
    ),
    unanswered=(),
    passed_on=(ended(answered(ITEMS[5], Choice.KEEP), Outcome.KEPT),),
)
RUNNING: Final = replace(
    SUMMARY,
    campaign_state=CampaignState.APPLYING,
    answered=(
        ended(REVOKED[0], Outcome.REMOVED),
        *(ended(item, None, waiting=Waiting.QUEUED) for item in REVOKED[1:]),
    ),
    passed_on=(),
)
SILENT: Final = replace(
    SUMMARY,
    silence=Silence.REMOVE,
    answered=(),
    unanswered=(
        ended(ITEMS[0], Outcome.REMOVED),
        ended(replace(ITEMS[5], plan=DIRECT), Outcome.REMOVED),
        ended(ITEMS[4], Outcome.KEPT),
    ),
    passed_on=(),
)
RECEIPT: Final = SeatReceipt(
    campaign_id=CAMPAIGN,
    campaign_name=NAME,
    owner_name="Allan Deyoung",
    seats=(ReceiptSeat(item=ended(REVOKED[1], Outcome.REMOVED), approved_by="Megan Bowen"),),
)
RECEIPT_OF_TWO: Final = replace(
    RECEIPT,
    seats=(
        ReceiptSeat(item=ended(REVOKED[0], Outcome.REMOVED), approved_by=HOSTILE),
        ReceiptSeat(item=ended(ITEMS[2], Outcome.REMOVED), approved_by=None),
    ),
)

FROZEN: Final = FreezeView(frozen=True, since=NOW, by_name="Allan Deyoung", reason="Wrong seats", waiting=31, zone=ZONE)
ASKED: Final = replace(FROZEN, resume_ref="r1", resume_by=MEGAN, resume_by_name="Megan Bowen", resume_reason="Checked")

SYNC: Final = SyncView(
    run_id="run1",
    state="running",
    started_at=NOW,
    completed_at=None,
    people=34,
    seats=60,
    gone_people=0,
    gone_seats=0,
    sign_ins="known",
    error=None,
)
COMPLETE: Final = replace(
    SYNC, state="complete", completed_at=NOW, idle=114, total=Total(amounts=(usd(324400),), unpriced=6)
)

CHANGES: Final = replace(COMPLETE, kind=SyncKind.CHANGES, people=12, seats=19, gone_people=1, gone_seats=3)

WHY: Final = WhyReport(
    person=Person(id=ISAIAH, name="Isaiah Langer", upn="isaiah@contoso.com"),
    person_name="Isaiah Langer",
    seats=(
        WhySeat(
            sku_name="Microsoft 365 Copilot",
            rule=Rule.IDLE,
            not_idle=None,
            quiet_since=datetime(2026, 7, 12, tzinfo=UTC),
            last_seen_at=datetime(2026, 7, 12, tzinfo=UTC),
            assigned_at=datetime(2026, 3, 3, tzinfo=UTC),
            item=REVOKED[0],
            campaign_name=NAME,
            assignee_name="Megan Bowen",
            messages=(
                SentMessage(person_name="Megan Bowen", channel="web", kind="review.wave", sent_at=NOW, state="sent"),
            ),
        ),
        WhySeat(
            sku_name="Visio Plan 2",
            rule=None,
            not_idle="unknown",
            quiet_since=None,
            last_seen_at=None,
            assigned_at=None,
            item=None,
            campaign_name=None,
            assignee_name=None,
        ),
    ),
    data=DATA,
    zone=ZONE,
    now=NOW,
)
CONCEALED: Final = tuple(ReportReading(report=one, state=ReportState.CONCEALED, at=NOW) for one in Report)
WHY_USAGE: Final = replace(
    WHY,
    seats=(
        replace(
            WHY.seats[1],
            sku_name="Exchange Online (Plan 2)",
            rule=Rule.UNUSED,
            not_idle=None,
            quiet_since=noon(date(2026, 7, 4)),
            last_seen_at=NOW,
            last_used_at=noon(date(2026, 7, 4)),
            services=((Workload.EXCHANGE, date(2026, 7, 4)),),
            reported_at=noon(date(2026, 11, 21)),
            use_is_reported=True,
        ),
        replace(
            WHY.seats[1],
            not_idle="in_use",
            last_seen_at=NOW,
            services=((Workload.ONEDRIVE, None), (Workload.VISIO, date(2025, 2, 3))),
            reported_at=noon(date(2026, 11, 21)),
        ),
    ),
    usage=(
        ReportReading(
            report=Report.ACTIVE_USERS,
            state=ReportState.READ,
            at=NOW,
            whole=UsageReport(
                id=1, report=Report.ACTIVE_USERS, refreshed_on=date(2026, 11, 21), read_at=NOW, rows=60, unmatched=2
            ),
        ),
        ReportReading(report=Report.APPS, state=ReportState.FAILED, at=NOW, said=HOSTILE),
        ReportReading(report=Report.ACTIVATIONS, state=ReportState.NO_PERMISSION, at=NOW),
    ),
)
HISTORY: Final = History(
    title="All campaigns",
    lines=(
        HistoryLine(
            seq=7,
            at=NOW,
            kind="decision_made",
            actor_name="Megan Bowen",
            about="Isaiah Langer · Microsoft 365 Copilot",
            facts=(("choice", "revoke"), ("channel", "web")),
        ),
    ),
    total=7,
    zone=ZONE,
)


def _task(item: ReviewItem, blocker: Blocker | None, task: ManualTask, **more: object) -> TaskView:
    outcome = Outcome.NOT_SUPPORTED if blocker else Outcome.FAILED
    plan = RemovalPlan(blocker=blocker, blocker_ref=GROUP) if blocker else item.plan
    ended = replace(item, outcome=outcome, outcome_reason="graph_403", outcome_at=NOW, plan=plan)
    return TaskView(item=ended, campaign_name=NAME, task=task, **more)  # type: ignore[arg-type]


TASKS: Final = TaskList(
    campaign_id=CAMPAIGN,
    campaign_name=NAME,
    rows=(
        _task(ITEMS[0], Blocker.GROUP_DYNAMIC, ManualTask(item_id=ITEMS[0].id)),
        _task(
            ITEMS[1],
            Blocker.GROUP_SYNCED,
            ManualTask(
                item_id=ITEMS[1].id,
                state=TaskState.STILL_THERE,
                note=f"Ticket 4711 {HOSTILE}",
                by=MEGAN,
                at=NOW,
                attempt=1,
                checked_at=NOW,
                via=(GROUP, DIRECTLY),
                version=2,
            ),
            by_name="Lynne Robbins",
            via_names=("Copilot Marketing", DIRECTLY),
        ),
        _task(ITEMS[3], None, ManualTask(item_id=ITEMS[3].id)),
    ),
    total=12,
    monthly=total(ITEMS[:4]),
    retriable=1,
    page=1,
    pages=2,
)
