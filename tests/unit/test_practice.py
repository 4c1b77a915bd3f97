from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.practice import Calendar, Watch
from bot.web.watch import GraphCall, SkuBar
from reclaim.connectors.clock import SteppingClock
from reclaim.domain.campaign import CampaignState, WriteMode
from reclaim.domain.ids import CampaignId, ProductId
from reclaim.domain.money import Money, Total
from reclaim.domain.read_models import Campaigns, CampaignStatus, DataAge, SkuSpend, SpendReport
from reclaim.ports.engine import Job
from tests.fakes import InMemoryEngine

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERSON = "6f1a0c4e-3d52-4b7e-9c11-2f6d8e0b7a53"


@dataclass(frozen=True)
class Call:
    seq: int
    method: str
    path: str
    status: int | None


class Tenant:
    """Notes where its clock was set."""

    def __init__(self, calls: Sequence[Call] = ()) -> None:
        self.moves: list[datetime] = []
        self._calls = calls

    async def move_clock(self, now: datetime) -> None:
        self.moves.append(now)

    async def calls(self, after: int) -> Sequence[Call]:
        return [call for call in self._calls if call.seq > after]


class Due:
    """Things that fall due once, at fixed instants, each told by one tick and done by one job."""

    def __init__(self, clock: SteppingClock, engine: InMemoryEngine, told: dict[datetime, list[str]]) -> None:
        self._clock = clock
        self._engine = engine
        self._told = told
        self.ticks: list[datetime] = []

    async def tick(self) -> tuple[str, ...]:
        self.ticks.append(self._clock.now())
        said = self._told.get(self._clock.now(), [])
        if not said:
            return ()
        await self._engine.enqueue(Job(kind="wave", key=f"wave:{len(self.ticks)}"))
        return (said.pop(0),)

    async def next_due(self, until: datetime) -> datetime | None:
        return min((at for at in self._told if self._clock.now() < at <= until), default=None)


class Status:
    def __init__(self, *rows: CampaignStatus) -> None:
        self._rows = rows

    async def campaigns(self) -> Campaigns:
        return Campaigns(rows=self._rows, idle=0, total=Total())


class Spend:
    def __init__(self, report: SpendReport) -> None:
        self._report = report

    async def report(self) -> SpendReport:
        return self._report


class Stage:
    """A calendar over fakes."""

    def __init__(self, told: dict[datetime, list[str]], *campaigns: CampaignStatus) -> None:
        self.clock = SteppingClock(START)
        self.engine = InMemoryEngine()
        self.engine.register("wave", self._note)
        self.tenant = Tenant()
        self.due = Due(self.clock, self.engine, told)
        self.ran_at: list[datetime] = []
        self.calendar = Calendar(
            tenant=self.tenant,
            step=self.clock.move_to,
            clock=self.clock,
            engine=self.engine,
            due=self.due,
            status=Status(*campaigns),
        )

    async def _note(self, _: Job) -> None:
        self.ran_at.append(self.clock.now())


def campaign(state: CampaignState, closes_at: datetime) -> CampaignStatus:
    return CampaignStatus(
        campaign_id=CampaignId("c"),
        name="Autumn",
        state=state,
        mode=WriteMode.LIVE,
        owner_name="Allan",
        items=86,
        revoke=40,
        keep=10,
        not_sure=2,
        open=34,
        potential=Total(),
        approved=Total(),
        removed=Total(),
        reviewers=9,
        reviewers_done=3,
        open_with=(),
        unreachable=(),
        messages_sent=9,
        outcomes=(),
        waiting=(),
        removing=0,
        verified_count=0,
        verified=Total(),
        minutes_left=None,
        due_at=closes_at,
        closes_at=closes_at,
        next_reminder_at=None,
        zone="UTC",
        now=START,
        frozen_since=None,
        pause_reason=None,
        abandoned_by_name=None,
    )


async def test_a_move_stops_at_each_due_instant_and_does_there_what_is_due() -> None:
    stage = Stage({START + 2 * HOUR: ["7 reminders sent."], START + 5 * HOUR: ["Autumn closed."]})

    told = await stage.calendar.advance(8 * HOUR)

    assert told == ("7 reminders sent.", "Autumn closed.")
    assert stage.ran_at == [START + 2 * HOUR, START + 5 * HOUR]
    assert stage.tenant.moves == [START + 2 * HOUR, START + 5 * HOUR, START + 8 * HOUR]
    assert stage.calendar.now() == START + 8 * HOUR


async def test_what_falls_due_behind_the_move_is_left() -> None:
    stage = Stage({START + 9 * HOUR: ["Autumn closed."]})

    assert await stage.calendar.advance(8 * HOUR) == ()
    assert stage.ran_at == []


async def test_work_that_makes_other_work_due_at_the_same_instant_is_lived_through_in_one_move() -> None:
    stage = Stage({START + HOUR: ["Autumn closed.", "3 removals checked again."]})

    assert await stage.calendar.advance(HOUR) == ("Autumn closed.", "3 removals checked again.")


async def test_what_is_said_at_several_instants_is_told_once_with_its_number() -> None:
    read = "The tenant was read again."
    stage = Stage({START + HOUR: [read], START + 2 * HOUR: [read, "7 reminders sent."]})

    told = await stage.calendar.advance(3 * HOUR)

    assert told == ("The tenant was read again, 2 times.", "7 reminders sent.")


async def test_to_closing_moves_to_the_first_close_of_an_open_campaign() -> None:
    stage = Stage(
        {},
        campaign(CampaignState.CLOSED, START + HOUR),
        campaign(CampaignState.OPEN, START + 3 * HOUR),
        campaign(CampaignState.OPEN, START + 2 * HOUR),
    )

    await stage.calendar.to_closing()

    assert stage.calendar.now() == START + 2 * HOUR


async def test_to_closing_without_an_open_campaign_says_so_and_does_not_move() -> None:
    stage = Stage({}, campaign(CampaignState.CLOSED, START + HOUR))

    assert await stage.calendar.to_closing() == ("No campaign is open.",)
    assert stage.tenant.moves == []


async def test_calls_are_shown_with_shortened_ids_and_without_their_query() -> None:
    full = f"/v1.0/users/{PERSON}/manager?$select=id"
    watch = Watch(
        tenant=Tenant([Call(1, "GET", "/old", 200), Call(2, "GET", full, 200), Call(3, "POST", "/x", None)]),
        spend=Spend(report()),
        status=Status(),
        clock=SteppingClock(START),
    )

    assert await watch.calls(after=1) == [
        GraphCall(seq=2, method="GET", path="/v1.0/users/6f1a…/manager", status=200, full=full),
        GraphCall(seq=3, method="POST", path="/x", status=None, full="/x", note="The connection was cut."),
    ]


def sku(name: str, *, idle: int, recoverable: int | None) -> SkuSpend:
    return SkuSpend(
        product_id=ProductId(name),
        name=name,
        part_number=name,
        purchased=10,
        assigned=10,
        available=0,
        unassigned=0,
        held=10,
        idle=idle,
        each=None,
        recoverable=None if recoverable is None else Money(recoverable, "USD"),
    )


def report(*rows: SkuSpend) -> SpendReport:
    return SpendReport(
        days=90,
        held=763,
        idle=114,
        unknown=3,
        total=Total(amounts=(Money(324_400, "USD"),), unpriced=2),
        rows=rows,
        data=DataAge(as_of=START, stale=False),
        blocked=False,
    )


async def test_the_panel_compares_each_sku_with_the_dearest_and_leaves_out_those_without_idle_seats() -> None:
    rows = (
        sku("Visio", idle=4, recoverable=80_000),
        sku("Project", idle=2, recoverable=20_000),
        sku("Teams", idle=0, recoverable=0),
        sku("Copilot", idle=2, recoverable=None),
    )
    watch = Watch(
        tenant=Tenant(),
        spend=Spend(report(*rows)),
        status=Status(campaign(CampaignState.OPEN, START + HOUR)),
        clock=SteppingClock(START),
    )

    panel = await watch.panel()

    assert (panel.idle, panel.held, panel.recoverable, panel.read) == (114, 763, "$3,244", "read today")
    assert panel.skus == (
        SkuBar(name="Visio", share=1.0, amount="$800"),
        SkuBar(name="Project", share=0.25, amount="$200"),
        SkuBar(name="Copilot", share=None, unpriced=2),
    )
    assert panel.campaign is not None
    assert (panel.campaign.state, panel.campaign.phase) == ("52 of 86 answered", "open")


async def test_the_panel_without_data_or_campaign_says_so() -> None:
    empty = SpendReport(
        days=90,
        held=0,
        idle=0,
        unknown=0,
        total=Total(),
        rows=(),
        data=DataAge(as_of=None, stale=True),
        blocked=False,
    )
    watch = Watch(tenant=Tenant(), spend=Spend(empty), status=Status(), clock=SteppingClock(START))

    panel = await watch.panel()

    assert (panel.read, panel.recoverable, panel.campaign) == ("not read yet", "No price", None)
