"""Cards reach people in Teams: opened chats, tries again, refusals noted, limits kept. Over HTTP to an own Connector."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.teams.pace import HEADROOM, THREAD_LIMITS, Pace
from bot.teams.sdk import Blocked, TeamsSdk
from bot.teams.transport import ASK_AGAIN, TeamsTransport
from cards.view import CardView, Headline, Refresh
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError
from reclaim.ports.storage import Identity
from storage.unit_of_work import SqlWork
from tests.fakes import FixedClock
from tests.teams.connector import TOKEN, Connector, serving
from tests.teams.key_server import APP_ID, PERSON_ID, TENANT_ID

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MEGAN = PersonId(PERSON_ID)
CARD = CardView(
    kind="review.wave", headline=Headline(title="9 seats to check"), body=(), fallback="9 seats for you to check."
)

LIVE = replace(CARD, refresh=Refresh("wave.open", "c0ffee"))


class Monotonic:
    """Real time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


class Installing:
    """Unblocks at the Connector whom it installs the app for, unless it may not."""

    def __init__(self, connector: Connector, *, may: bool) -> None:
        self.connector, self.may = connector, may
        self.asked: list[PersonId] = []

    async def install(self, person: PersonId) -> bool:
        self.asked.append(person)
        if self.may:
            self.connector.blocked.discard(person)
        return self.may


@dataclass
class World:
    connector: Connector
    transport: TeamsTransport
    clock: FixedClock
    work: SqlWork

    async def identity(self) -> Identity | None:
        async with self.work.read() as reading:
            return await reading.identities.get("teams", MEGAN)


@pytest.fixture
async def world(work: SqlWork) -> AsyncIterator[World]:
    connector, clock = Connector(), FixedClock(NOW)
    async with serving(connector) as url:
        yield World(connector, make(connector, clock, work, url), clock, work)


def make(
    connector: Connector, clock: FixedClock, work: SqlWork, url: str, installer: Installing | None = None
) -> TeamsTransport:
    async def token() -> str:
        return TOKEN

    real = Monotonic()
    return TeamsTransport(
        connector=TeamsSdk(app_id=APP_ID, tenant_id=TENANT_ID, token=token),
        work=work,
        clock=clock,
        pace=Pace(monotonic=real, sleep=real.sleep),
        installer=installer,
        service_url=url,
    )


async def reached(world: World) -> str:
    conversation = await world.transport.reach(MEGAN)
    assert conversation is not None
    return conversation


async def test_a_person_who_never_wrote_gets_a_chat_a_card_and_its_update(world: World) -> None:
    conversation = await reached(world)
    sent = await world.transport.send(conversation, CARD)
    redrawn = await world.transport.update(conversation, sent.external_id, CARD)

    (shown,) = world.connector.sent(conversation)
    assert shown["summary"] == "9 seats for you to check."
    assert redrawn.external_id == sent.external_id
    assert redrawn.payload_sha256 == sent.payload_sha256
    assert len(sent.payload_sha256) == 64


async def test_a_known_chat_is_not_opened_again(world: World) -> None:
    assert await reached(world) == await reached(world)
    assert [call.method for call in world.connector.calls] == ["POST", "GET"]


async def test_a_card_to_who_never_wrote_re_reads_itself_for_them_alone(world: World) -> None:
    conversation = await reached(world)
    sent = await world.transport.send(conversation, LIVE)
    (shown,) = world.connector.sent(conversation)
    await world.transport.update(conversation, sent.external_id, LIVE)
    (redrawn,) = world.connector.sent(conversation)

    for body in (shown, redrawn):
        refresh = body["attachments"][0]["content"]["refresh"]  # type: ignore[index]
        assert refresh["userIds"] == [f"29:{MEGAN}"]
        assert (refresh["action"]["verb"], refresh["action"]["data"]) == ("wave.open", {"v": 1, "ref": "c0ffee"})


async def test_without_a_teams_id_the_card_is_sent_all_the_same_and_re_reads_for_nobody(world: World) -> None:
    world.connector.strangers.add(MEGAN)
    conversation = await reached(world)
    await world.transport.send(conversation, LIVE)

    (shown,) = world.connector.sent(conversation)
    assert "refresh" not in shown["attachments"][0]["content"]  # type: ignore[index]


async def test_a_blocked_person_is_noted_and_asked_again_a_day_later(world: World) -> None:
    world.connector.blocked.add(MEGAN)
    assert await world.transport.reach(MEGAN) is None
    assert await world.transport.reach(MEGAN) is None
    assert len(world.connector.calls) == 1
    found = await world.identity()
    assert found is not None
    assert found.state == "blocked"

    world.connector.blocked.clear()
    world.clock.advance(ASK_AGAIN)
    assert await world.transport.reach(MEGAN) is not None


async def test_who_blocks_the_bot_later_is_noted_at_the_next_send(world: World) -> None:
    conversation = await reached(world)
    world.connector.blocked.add(conversation)
    with pytest.raises(Blocked):
        await world.transport.send(conversation, CARD)
    assert await world.transport.reach(MEGAN) is None


async def test_the_app_is_installed_for_who_does_not_have_it(work: SqlWork) -> None:
    connector, clock = Connector(blocked={MEGAN}), FixedClock(NOW)
    async with serving(connector) as url:
        installer = Installing(connector, may=True)
        assert await make(connector, clock, work, url, installer).reach(MEGAN) is not None
    assert installer.asked == [MEGAN]


async def test_where_installing_is_not_permitted_the_person_is_not_reached(work: SqlWork) -> None:
    connector, clock = Connector(blocked={MEGAN}), FixedClock(NOW)
    async with serving(connector) as url:
        assert await make(connector, clock, work, url, Installing(connector, may=False)).reach(MEGAN) is None


@pytest.mark.parametrize("status", [412, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(world: World, status: int) -> None:
    conversation = await reached(world)
    world.connector.answers.extend([(status, {}), (status, {})])
    await world.transport.send(conversation, CARD)
    assert len(world.connector.sent(conversation)) == 1
    assert len(world.clock.slept) == 2


async def test_retry_after_is_waited_exactly(world: World) -> None:
    conversation = await reached(world)
    world.connector.answers.append((429, {"Retry-After": "7"}))
    await world.transport.send(conversation, CARD)
    assert world.clock.slept == [7.0]


async def test_a_wait_that_is_too_long_for_a_job_is_handed_to_its_next_attempt(world: World) -> None:
    conversation = await reached(world)
    world.connector.answers.append((429, {"Retry-After": "600"}))
    with pytest.raises(DeliveryError) as refused:
        await world.transport.send(conversation, CARD)
    assert refused.value.retry_after == timedelta(minutes=10)
    assert world.clock.slept == []


async def test_what_never_passes_ends_after_five_tries(world: World) -> None:
    conversation = await reached(world)
    world.connector.answers.extend([(503, {})] * 9)
    with pytest.raises(DeliveryError) as refused:
        await world.transport.send(conversation, CARD)
    assert not refused.value.permanent
    assert len(world.connector.answers) == 4


async def test_a_chat_that_is_gone_is_opened_anew_at_the_next_try(world: World) -> None:
    conversation = await reached(world)
    world.connector.answers.append((404, {}))
    with pytest.raises(DeliveryError) as refused:
        await world.transport.send(conversation, CARD)
    assert not refused.value.permanent
    await reached(world)
    assert [call.path for call in world.connector.calls].count("/v3/conversations") == 2


async def test_a_message_that_is_gone_cannot_be_redrawn(world: World) -> None:
    conversation = await reached(world)
    with pytest.raises(DeliveryError) as refused:
        await world.transport.update(conversation, "m99", CARD)
    assert refused.value.permanent


async def test_a_strange_chat_is_not_written_to(world: World) -> None:
    with pytest.raises(DeliveryError):
        await world.transport.send("a:unknown", CARD)
    assert world.connector.calls == []


async def test_one_chat_is_never_sent_more_than_teams_allows() -> None:
    real = Monotonic()
    pace = Pace(monotonic=real, sleep=real.sleep)
    at = []
    for _ in range(130):
        async with pace.turn("a:1"):
            at.append(real())
    for most, within in THREAD_LIMITS[:3]:
        # A hair less than the limit is the rounding of the sums.
        assert all(later - earlier > within - 1e-9 for earlier, later in zip(at, at[most:], strict=False))


async def test_many_chats_share_the_rate_of_the_tenant() -> None:
    real = Monotonic()
    pace = Pace(monotonic=real, sleep=real.sleep)
    for number in range(500):
        async with pace.turn(f"a:{number}"):
            pass
    assert real() == pytest.approx(499 / (50 * HEADROOM))


async def test_a_chat_over_its_hourly_limit_is_left_to_a_later_job() -> None:
    real = Monotonic()
    pace = Pace(monotonic=real, sleep=real.sleep)
    for _ in range(1_800):
        async with pace.turn("a:1"):
            pass
    with pytest.raises(DeliveryError) as refused:
        async with pace.turn("a:1"):
            pass
    assert refused.value.retry_after is not None
    before = real()
    async with pace.turn("a:2"):
        assert real() - before < 1  # nobody else waits for it
