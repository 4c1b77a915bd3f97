"""The way out: found by mail, paced, recorded, updated instead of posted; and what Slack says when it refuses."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
import pytest

from bot.slack.api import SlackApi, SlackError
from bot.slack.channel import SlackChannel, SlackSettings, read_by_hand
from bot.slack.pace import BURST, LIMITS, LONGEST_WAIT_S, Pace
from bot.slack.people import SINGLES
from cards.control import message_card
from cards.strangers import Stranger
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError, InvalidRequest
from reclaim.ports.storage import Identity
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import sync
from tests.fakes import FixedClock, SequentialTokens
from tests.golden.cards.models import NOW
from tests.slack import workspace as workspaces
from tests.slack.conftest import somebody
from tests.slack.workspace import TOKEN, Workspace

MEGAN, ADELE = PersonId("megan"), PersonId("adele")
CARD = message_card("x", "A sentence.", headline="A card")


class Time:
    """Real time that moves only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


class WaitingClock(FixedClock):
    """A clock whose `sleep` moves the given time."""

    time: Time

    async def sleep(self, seconds: float) -> None:
        await self.time.sleep(seconds)


@dataclass
class Out:
    workspace: Workspace
    channel: SlackChannel
    work: SqlWork
    clock: WaitingClock
    time: Time

    async def identity(self, person: PersonId = MEGAN) -> Identity | None:
        async with self.work.read() as reading:
            return await reading.identities.get("slack", person)

    async def send(self, person: PersonId = MEGAN, card: CardView = CARD) -> str:
        conversation = await self.channel.transport.reach(person)
        assert conversation is not None
        return (await self.channel.transport.send(conversation, card)).external_id


@pytest.fixture
def by_hand() -> dict[str, PersonId]:
    return {}


@pytest.fixture
async def out(slack_work: SqlWork, by_hand: dict[str, PersonId]) -> AsyncIterator[Out]:
    time = Time()
    clock = WaitingClock(NOW)
    clock.time = time
    workspace = Workspace(monotonic=time)
    await sync(
        slack_work,
        1,
        [somebody(MEGAN, aliases=("meg@contoso.example",)), somebody(ADELE), somebody(PersonId("gone"), enabled=False)],
    )
    async with workspaces.serving(workspace) as api_url, aiohttp.ClientSession() as http:
        channel = SlackChannel(
            SlackSettings(api_url=api_url, signing_secret="s", bot_token=TOKEN, by_hand=by_hand),
            work=slack_work,
            clock=clock,
            tokens=SequentialTokens(),
            http=http,
            monotonic=time,
        )
        yield Out(workspace, channel, slack_work, clock, time)


@pytest.mark.parametrize("mail", ["megan@contoso.example", "MEGAN@Contoso.example", "meg@contoso.example"])
async def test_a_person_is_found_by_any_of_their_addresses(out: Out, mail: str) -> None:
    out.workspace.hire("U3", mail)
    assert await out.channel.transport.reach(MEGAN) == "T01CONTOSO/U3"
    assert await out.channel.transport.reach(MEGAN) == "T01CONTOSO/U3"
    assert len(out.workspace.of("users.lookupByEmail")) <= 3  # the second time nobody is asked


async def test_whom_slack_does_not_know_is_asked_for_again_only_a_day_later(out: Out) -> None:
    assert await out.channel.transport.reach(MEGAN) is None
    asked = len(out.workspace.of("users.lookupByEmail"))
    assert await out.channel.transport.reach(MEGAN) is None
    assert len(out.workspace.of("users.lookupByEmail")) == asked
    known = await out.identity()
    assert known is not None
    assert (known.state, known.why) == ("blocked", "users_not_found")
    out.workspace.hire("U3", "megan@contoso.example")
    out.clock.advance(timedelta(days=1))
    assert await out.channel.transport.reach(MEGAN) == "T01CONTOSO/U3"


@pytest.mark.parametrize(
    "flags",
    [
        {"deleted": True},
        {"is_bot": True},
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"team_id": "T99PARTNER"},
        {"is_email_confirmed": False, "is_restricted": True},
    ],
)
async def test_guests_bots_and_strangers_are_nobody(out: Out, flags: dict[str, object]) -> None:
    out.workspace.hire("U3", "megan@contoso.example", **flags)
    assert await out.channel.transport.reach(MEGAN) is None
    workspace = await out.channel.transport.workspace("T01CONTOSO")
    assert await out.channel._people.who(workspace, "T01CONTOSO", "U3") is Stranger.OUTSIDE


@pytest.mark.parametrize(
    ("mail", "flags", "why"),
    [
        (None, {}, Stranger.NO_MAIL),
        ("", {}, Stranger.NO_MAIL),
        ("megan@contoso.example", {"is_email_confirmed": False}, Stranger.NO_MAIL),
        ("nobody@contoso.example", {}, Stranger.UNKNOWN),
        ("gone@contoso.example", {}, Stranger.UNKNOWN),
    ],
)
async def test_a_member_without_an_account_of_ours_is_told_why(
    out: Out, mail: str | None, flags: dict[str, object], why: Stranger
) -> None:
    out.workspace.hire("U3", mail, **flags)
    workspace = await out.channel.transport.workspace("T01CONTOSO")
    assert await out.channel._people.who(workspace, "T01CONTOSO", "U3") is why


async def test_an_address_that_two_accounts_have_matches_nobody(out: Out) -> None:
    await sync(
        out.work, 2, [somebody(MEGAN, mail="both@contoso.example"), somebody(ADELE, mail="both@contoso.example")]
    )
    out.workspace.hire("U3", "both@contoso.example")
    workspace = await out.channel.transport.workspace("T01CONTOSO")
    assert await out.channel._people.who(workspace, "T01CONTOSO", "U3") is Stranger.AMBIGUOUS


async def test_a_display_name_matches_nobody(out: Out) -> None:
    out.workspace.hire("U3", "x@evil.example", real_name="megan", name="megan")
    workspace = await out.channel.transport.workspace("T01CONTOSO")
    assert await out.channel._people.who(workspace, "T01CONTOSO", "U3") is Stranger.UNKNOWN


@pytest.mark.parametrize("by_hand", [{"u3": MEGAN}, {"m.private@home.example": MEGAN}])
async def test_an_admin_may_match_by_hand(out: Out) -> None:
    out.workspace.hire("U3", "m.private@home.example")
    workspace = await out.channel.transport.workspace("T01CONTOSO")
    assert await out.channel._people.who(workspace, "T01CONTOSO", "U3") == MEGAN
    assert await out.channel.transport.reach(MEGAN) == "T01CONTOSO/U3"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "slack,person"),
        ("a,b\n1,2", "slack,person"),
        ("slack,person\nU3,", "Line 2"),
        ("slack,person\nU3,megan\nu3,adele", "Line 3"),
        ("slack,person\nU3,../etc", "Line 2"),
    ],
)
def test_a_list_of_people_that_cannot_be_used_says_which_line(text: str, wrong: str) -> None:
    with pytest.raises(InvalidRequest, match=wrong):
        read_by_hand(text, "people.csv")


async def test_an_account_that_is_closed_speaks_for_nobody_any_more(out: Out) -> None:
    out.workspace.hire("U3", "megan@contoso.example")
    workspace = await out.channel.transport.workspace("T01CONTOSO")
    assert await out.channel._people.who(workspace, "T01CONTOSO", "U3") == MEGAN
    await sync(out.work, 2, [somebody(MEGAN, enabled=False), somebody(ADELE)])
    out.time.now += 61
    assert await out.channel._people.who(workspace, "T01CONTOSO", "U3") is Stranger.UNKNOWN


async def test_many_people_are_joined_from_the_list_and_not_looked_up_one_by_one(out: Out) -> None:
    people = [PersonId(f"p{number}") for number in range(200)]
    await sync(out.work, 2, [somebody(person) for person in people])
    for number, person in enumerate(people):
        out.workspace.hire(f"UP{number}", f"{person}@contoso.example")
    found = [await out.channel.transport.reach(person) for person in people]
    assert None not in found
    assert len(out.workspace.of("users.lookupByEmail")) <= SINGLES
    assert len(out.workspace.of("users.list")) == 1


async def test_a_card_is_posted_once_and_then_updated(out: Out) -> None:
    out.workspace.hire("U3", "megan@contoso.example")
    external_id = await out.send()
    sent = await out.channel.transport.update("T01CONTOSO/U3", external_id, CARD)
    [message] = out.workspace.messages.values()
    assert sent.external_id == external_id == f"{message.channel}/{message.ts}"
    assert message.edits == 1


async def test_a_message_that_is_gone_is_a_permanent_refusal(out: Out) -> None:
    for external_id in ("D3/1.2", "nonsense"):
        with pytest.raises(DeliveryError) as caught:
            await out.channel.transport.update("T01CONTOSO/U3", external_id, CARD)
        assert caught.value.permanent


async def test_whom_slack_does_not_let_us_write_to_is_noted_and_left_to_another_channel(out: Out) -> None:
    out.workspace.hire("U3", "megan@contoso.example")
    out.workspace.refuse_direct["U3"] = "cannot_dm_bot"
    with pytest.raises(DeliveryError) as caught:
        await out.send()
    assert caught.value.permanent
    known = await out.identity()
    assert known is not None
    assert (known.state, known.why) == ("blocked", "cannot_dm_bot")
    assert await out.channel.transport.reach(MEGAN) is None


async def test_retry_after_stops_its_own_method_only(out: Out) -> None:
    out.workspace.hire("U3", "megan@contoso.example")
    out.workspace.answers.append(("chat.postMessage", 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}))
    await out.send()
    assert sum(out.time.waited) >= 7
    assert len(out.workspace.messages) == 1


async def test_a_wait_that_is_too_long_goes_back_to_the_job(out: Out) -> None:
    out.workspace.hire("U3", "megan@contoso.example")
    out.workspace.answers.append(("chat.postMessage", 429, {"ok": False}, {"Retry-After": "300"}))
    with pytest.raises(SlackError) as caught:
        await out.send()
    assert caught.value.retry_after == timedelta(seconds=300)
    assert not caught.value.permanent


@pytest.mark.parametrize(
    ("status", "body", "permanent"),
    [
        (500, {}, False),
        (503, {"ok": False, "error": "service_unavailable"}, False),
        (200, {"ok": False, "error": "internal_error"}, False),
        (200, {"ok": False, "error": "invalid_blocks"}, True),
        (200, {"ok": False, "error": "token_revoked"}, True),
        (200, {"ok": False, "error": {"deep": 1}}, True),
        (200, {"ok": True}, True),
        (200, {"ok": True, "channel": 7, "ts": []}, True),
    ],
)
async def test_what_slack_answers_is_a_delivery_error_or_nothing(
    out: Out, status: int, body: dict[str, object], permanent: bool
) -> None:
    out.workspace.hire("U3", "megan@contoso.example")
    conversation = await out.channel.transport.reach(MEGAN)
    assert conversation is not None
    out.workspace.answers.append(("chat.postMessage", status, body, {}))
    with pytest.raises(DeliveryError) as caught:
        await out.channel.transport.send(conversation, CARD)
    assert caught.value.permanent is permanent
    assert len(out.workspace.of("chat.postMessage")) == 1  # a post whose answer was lost is not repeated here


async def test_a_thousand_digests_leave_as_fast_as_slack_allows_and_none_is_turned_away(out: Out) -> None:
    out.workspace.throttle = True
    workspace = await out.channel.transport.workspace("T01CONTOSO")
    began = out.time.now
    for number in range(1_000):
        await out.channel.transport.post(workspace, f"U{number}", CARD)
    spent = out.time.now - began
    assert out.workspace.throttled == []
    assert len(out.workspace.messages) == 1_000
    assert spent <= 5 * 60


@pytest.mark.parametrize("method", LIMITS)
async def test_no_minute_holds_more_calls_than_slack_allows(method: str) -> None:
    time = Time()
    pace = Pace(monotonic=time, sleep=time.sleep)
    made = []
    for number in range(LIMITS[method] * 3):
        await pace.turn("T1", method)
        made.append(time.now)
        if number == LIMITS[method]:
            time.now += 20  # a lull, after which as many may not come at once
    most = max(sum(1 for at in made if begin <= at < begin + 60) for begin in made)
    assert most <= LIMITS[method]
    at_once = sum(1 for at in made if at == made[0])
    assert at_once <= max(1, LIMITS[method] * BURST)


async def test_workspaces_and_methods_do_not_wait_for_each_other() -> None:
    time = Time()
    pace = Pace(monotonic=time, sleep=time.sleep)
    pace.throttled("T1", "chat.update", 20)
    for team, method in (("T1", "chat.postMessage"), ("T2", "chat.update")):
        await pace.turn(team, method)
    assert time.waited == []
    await pace.turn("T1", "chat.update")
    assert time.waited == [20.0]


async def test_two_messages_to_one_person_are_a_second_apart() -> None:
    time = Time()
    pace = Pace(monotonic=time, sleep=time.sleep)
    for _ in range(3):
        await pace.turn("T1", "chat.postMessage", "U1")
    await pace.turn("T1", "chat.postMessage", "U2")
    assert time.waited == [1.0, 1.0]


async def test_whoever_would_wait_too_long_is_told_how_long() -> None:
    time = Time()
    pace = Pace(monotonic=time, sleep=time.sleep, limits={"chat.update": 10})
    pace.throttled("T1", "chat.update", LONGEST_WAIT_S + 5)
    with pytest.raises(DeliveryError) as caught:
        await pace.turn("T1", "chat.update")
    assert caught.value.retry_after == timedelta(seconds=LONGEST_WAIT_S + 5)


async def _never(_: float) -> None:
    raise AssertionError("nothing waits here")


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.slack.com/x",
        "https://hooks.slack.com.evil.example/x",
        "https://evil.example/hooks.slack.com",
        "https://user@hooks.slack.com/x",
        "https://hooks.slack.com:8443/x",
        "https://169.254.169.254/latest",
        "https://hööks.slack.com/x",
        "file:///etc/passwd",
        "https://hooks.slack.com:port/x",
        "",
    ],
)
async def test_an_answer_goes_to_no_address_but_slacks(address: str) -> None:
    sleep: Callable[[float], Awaitable[None]] = _never
    ticks = itertools.count(1.0)
    async with aiohttp.ClientSession() as http:
        api = SlackApi(
            http=http,
            base_url="https://slack.com/api/",
            pace=Pace(monotonic=lambda: next(ticks), sleep=sleep),
            sleep=sleep,
        )
        with pytest.raises(DeliveryError):
            await api.respond(address, {"text": "x"})
        with pytest.raises(DeliveryError):
            await api.upload(address, b"x")
