"""From the wire: a signed activity in over HTTP, the core behind it, cards out to an own Connector."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.background import Background
from bot.guard import MAX_BODY
from bot.teams.chat import TeamsChat
from bot.teams.files import Uploads
from bot.teams.guard import Door, Guard
from bot.teams.keys import PAUSE_S, SigningKeys
from bot.teams.pace import Pace
from bot.teams.route import PATH, TeamsRoute
from bot.teams.sdk import TeamsSdk
from bot.teams.transport import TeamsTransport
from cards.control import message_card
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.ports.storage import Identity
from storage.unit_of_work import SqlWork
from tests.fakes import FixedClock
from tests.teams import connector as connectors
from tests.teams import key_server
from tests.teams.connector import TOKEN, Connector
from tests.teams.key_server import APP_ID, HOSTS, PERSON_ID, SERVICE_URL, TENANT_ID, KeyServer, token
from tests.teams.test_guard import BAD_TOKENS
from tests.unit.bot.fakes import ADMIN, RECOMMENDED, Bot, Seen, ticked

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CHAT = "a:1xyz;messageid=@"


@dataclass
class Drive:
    """A OneDrive that keeps what is put there."""

    stored: list[tuple[str, bytes]] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_put("/upload", self._put)
        return app

    async def _put(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        self.stored.append((request.headers["Content-Range"], await request.read()))
        return web.json_response({"id": "1"}, status=201)


@dataclass
class World:
    """The bot on its route; `said` waits for what goes on behind an answer."""

    client: TestClient[web.Request, web.Application]
    bot: Bot
    connector: Connector
    service_url: str
    background: Background
    work: SqlWork
    drive: Drive
    drive_url: str
    keys: KeyServer
    seconds: list[float]
    number: int = 0

    def activity(self, person: str = ADMIN, **changes: object) -> dict[str, object]:
        self.number += 1
        return {
            "type": "message",
            "id": str(self.number),
            "channelId": "msteams",
            "serviceUrl": self.service_url + "/",
            "from": {"id": f"29:{person}", "name": "Whoever", "aadObjectId": person},
            "recipient": {"id": f"28:{APP_ID}"},
            "conversation": {"id": CHAT, "conversationType": "personal", "tenantId": TENANT_ID},
            "channelData": {"tenant": {"id": TENANT_ID}},
            **changes,
        }

    def click(self, verb: str, data: dict[str, object], person: str = ADMIN, **changes: object) -> dict[str, object]:
        value = {"action": {"type": "Action.Execute", "verb": verb, "data": data}, "trigger": "manual"}
        return self.activity(person, type="invoke", name="adaptiveCard/action", value=value, replyToId="m1", **changes)

    async def post(self, activity: dict[str, object], signed: str | None = None) -> tuple[int, dict[str, object]]:
        signed = signed or token(NOW, serviceurl=self.service_url)
        answer = await self.client.post(PATH, json=activity, headers={"Authorization": f"Bearer {signed}"})
        body = await answer.json() if answer.content_type == "application/json" else {}
        await self.background.finish()
        return answer.status, body

    def cards(self, conversation: str = CHAT) -> list[str]:
        return [json.dumps(body["attachments"]) for body in self.connector.sent(conversation)]

    async def identity(self, person: str = ADMIN) -> Identity | None:
        async with self.work.read() as reading:
            return await reading.identities.get("teams", PersonId(person))


@pytest.fixture
async def world(work: SqlWork) -> AsyncIterator[World]:
    bot, connector, keys, drive, clock = Bot(), Connector(), KeyServer(), Drive(), FixedClock(NOW)
    seconds = [0.0]

    async def own_token() -> str:
        return TOKEN

    async def welcome(_: PersonId) -> CardView:
        return message_card("welcome", "I ask before a seat is taken away.", headline="Hello")

    async with (
        key_server.serving(keys) as openid_url,
        connectors.serving(connector) as service_url,
        TestServer(drive.app(), host="127.0.0.1") as onedrive,
        httpx.AsyncClient() as client,
    ):
        sdk = TeamsSdk(app_id=APP_ID, tenant_id=TENANT_ID, token=own_token)
        background = Background()
        guard = Guard(
            Door(app_id=APP_ID, tenant_id=TENANT_ID, service_hosts=HOSTS, development=True),
            SigningKeys(openid_url=openid_url, client=client, monotonic=lambda: seconds[0]),
            clock,
        )
        pace = Pace(monotonic=lambda: 0.0, sleep=clock.sleep)
        chat = TeamsChat(
            dispatch=bot.router,
            post=TeamsTransport(connector=sdk, work=work, clock=clock, pace=pace, service_url=service_url),
            uploads=Uploads(client, may=lambda address: address.startswith(str(onedrive.make_url("/")))),
            background=background,
            work=work,
            clock=clock,
            welcome=welcome,
        )
        app = web.Application(client_max_size=MAX_BODY)
        TeamsRoute(guard=guard, chat=chat, sdk=sdk, seen=Seen(), background=background).add_to(app)
        async with TestClient(TestServer(app, host="127.0.0.1")) as served:
            yield World(
                client=served,
                bot=bot,
                connector=connector,
                service_url=service_url,
                background=background,
                work=work,
                drive=drive,
                drive_url=str(onedrive.make_url("/upload")),
                keys=keys,
                seconds=seconds,
            )


@pytest.mark.parametrize(
    "text",
    [
        "spend",
        "/spend",
        "/reclaim spend",
        "reclaim spend",
        "<at>Reclaim</at> spend",
        "<at>Reclaim</at>&nbsp;/reclaim spend\n",
    ],
)
async def test_a_command_is_answered_in_the_chat(world: World, text: str) -> None:
    status, _ = await world.post(world.activity(text=text))
    assert status == 202
    assert len(world.cards()) == 1
    assert "Recoverable spend" in world.cards()[0]


async def test_a_message_that_comes_twice_is_answered_once(world: World) -> None:
    twice = world.activity(text="spend")
    await world.post(twice)
    assert (await world.post(twice))[0] == 202
    assert len(world.cards()) == 1


async def test_a_personal_answer_in_a_channel_goes_to_the_private_chat(world: World) -> None:
    channel = {"id": "19:team@thread.tacv2;messageid=7", "conversationType": "channel", "tenantId": TENANT_ID}
    await world.post(world.activity(text="<at>Reclaim</at> why Adele", conversation=channel))
    (in_channel,) = world.cards("19:team@thread.tacv2;messageid=7")
    assert "in private" in in_channel
    assert "Adele" not in in_channel
    (in_private,) = world.cards(world.connector.conversations[ADMIN])
    assert "Why" in in_private


async def test_a_public_answer_stays_in_the_channel(world: World) -> None:
    channel = {"id": "19:team@thread.tacv2", "conversationType": "channel", "tenantId": TENANT_ID}
    await world.post(world.activity(text="spend", conversation=channel))
    assert "Recoverable spend" in world.cards("19:team@thread.tacv2")[0]
    assert await world.identity() is None  # a channel is not where the person is spoken to


async def test_a_click_is_answered_with_the_new_card_and_redrawn_for_the_other_devices(world: World) -> None:
    world.connector.messages[CHAT, "m1"] = {}
    data: dict[str, object] = {"v": 1, "ref": "c0ffee", **ticked(*RECOMMENDED)}
    status, body = await world.post(world.click("wave.revoke", data))
    assert status == 200
    assert body["statusCode"] == 200
    assert body["type"] == "application/vnd.microsoft.card.adaptive"
    assert world.bot.core.calls[-1][0] == "decide" or "decide" in {call[0] for call in world.bot.core.calls}
    (redrawn,) = world.connector.sent(CHAT)
    assert redrawn["attachments"][0]["content"] == body["value"]  # type: ignore[index]


async def test_a_card_opened_later_shows_its_present_state_to_its_reader(world: World) -> None:
    world.connector.messages[CHAT, "m1"] = {"stale": True}
    click = world.click("wave.open", {"v": 1, "ref": "c0ffee"})
    click["value"]["trigger"] = "automatic"  # type: ignore[index]
    status, body = await world.post(click)

    assert (status, body["statusCode"], body["type"]) == (200, 200, "application/vnd.microsoft.card.adaptive")
    shown = body["value"]
    assert "seats to check" in json.dumps(shown)
    assert shown["refresh"]["userIds"] == [f"29:{ADMIN}"]  # type: ignore[index]
    # Every device asks for itself, so nothing is sent.
    assert world.connector.calls == []


async def test_a_click_in_a_channel_changes_nothing_that_others_see(world: World) -> None:
    channel = {"id": "19:team@thread.tacv2", "conversationType": "channel", "tenantId": TENANT_ID}
    world.connector.messages[channel["id"], "m1"] = {"as it was": True}
    click = world.click("status.open", {"v": 1, "ref": "c0ffee"}, conversation=channel)
    _, body = await world.post(click)
    below = world.click("spend.seats", {"v": 1, "ref": "all"}, conversation=channel)
    _, said = await world.post(below)

    assert body["type"] == "application/vnd.microsoft.card.adaptive"
    assert "refresh" not in body["value"]  # type: ignore[operator]
    assert said["value"] == "I sent you the answer in private."
    assert world.connector.sent(channel["id"]) == [{"as it was": True}]
    assert len(world.cards(world.connector.conversations[ADMIN])) == 1


async def test_a_click_is_answered_although_the_message_cannot_be_redrawn(world: World) -> None:
    world.connector.answers.extend([(403, {})] * 2)
    data: dict[str, object] = {"v": 1, "ref": "c0ffee", **ticked(*RECOMMENDED)}
    assert (await world.post(world.click("wave.revoke", data)))[1]["statusCode"] == 200


async def test_who_clicks_is_who_the_activity_is_from(world: World) -> None:
    data: dict[str, object] = {"v": 1, "ref": "c0ffee", "person_id": "allan", "actor": "allan"}
    await world.post(world.click("wave.open", data, person="adele"))
    assert all("allan" not in call for call in world.bot.core.calls)


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("wave.open", {"v": 2, "ref": "c0ffee"}),
        ("wave.open", {"ref": "c0ffee"}),
        ("wave.open", {"v": 1}),
        ("wave.open", {"v": True, "ref": "c0ffee"}),
        ("wave.open", {"v": 1, "ref": "x" * 201}),
        ("no.such", {"v": 1, "ref": "c0ffee"}),
        ("", {"v": 1, "ref": "c0ffee"}),
        ("DROP TABLE", {"v": 1, "ref": "c0ffee"}),
        ("wave.revoke", {"v": 1, "ref": "c0ffee", "t.x": {"deep": 1}}),
    ],
)
async def test_a_button_that_is_not_ours_is_refused_in_words(world: World, verb: str, data: dict[str, object]) -> None:
    before = list(world.bot.core.calls)
    status, body = await world.post(world.click(verb, data))
    assert status == 200
    assert body["statusCode"] == 400
    assert body["type"] == "application/vnd.microsoft.error"
    assert world.bot.core.calls == before


@pytest.mark.parametrize("value", [None, 7, [], {}, {"action": 7}, {"action": {"verb": 7, "data": []}}])
async def test_a_click_without_a_button_is_refused_in_words(world: World, value: object) -> None:
    status, body = await world.post(
        world.activity(type="invoke", name="adaptiveCard/action", value=value, replyToId="m1")
    )
    assert (status, body["statusCode"]) == (200, 400)


async def test_a_client_without_execute_clicks_by_a_message(world: World) -> None:
    world.connector.messages[CHAT, "m1"] = {}
    value = {"verb": "wave.open", "v": 1, "ref": "c0ffee"}
    await world.post(world.activity(text=None, value=value, replyToId="m1"))
    assert len(world.connector.sent(CHAT)) == 1


async def test_an_old_client_hears_what_a_click_could_not_do(world: World) -> None:
    world.connector.messages[CHAT, "m1"] = {}
    await world.post(world.activity(text=None, value={"verb": "wave.revoke", "v": 1, "ref": "c0ffee"}, replyToId="m1"))
    await world.post(world.activity(text=None, value={"verb": "wave.open", "v": 99, "ref": "c0ffee"}))

    said = "".join(world.cards())
    assert "Tick at least one seat." in said
    assert "This card is from an older version." in said


async def test_an_old_client_in_a_channel_is_answered_in_private(world: World) -> None:
    channel = {"id": "19:team@thread.tacv2", "conversationType": "channel", "tenantId": TENANT_ID}
    value = {"verb": "wave.open", "v": 1, "ref": "c0ffee"}
    await world.post(world.activity(text=None, value=value, replyToId="m1", conversation=channel))

    assert world.connector.sent(channel["id"]) == []
    assert "seats to check" in world.cards(world.connector.conversations[ADMIN])[0]


async def test_an_installation_is_greeted_and_remembered_and_a_removal_noted(world: World) -> None:
    await world.post(world.activity(type="installationUpdate", action="add"))
    assert "Hello" in world.cards()[0]
    known = await world.identity()
    assert known is not None
    assert (known.state, known.conversation, known.service_url) == ("known", CHAT, world.service_url)

    await world.post(world.activity(type="installationUpdate", action="remove"))
    gone = await world.identity()
    assert gone is not None
    assert (gone.state, gone.why) == ("blocked", "uninstalled")


async def test_other_kinds_of_activity_end_quietly(world: World) -> None:
    for kind in ("conversationUpdate", "typing", "messageReaction", "event", "endOfConversation", "made up"):
        assert (await world.post(world.activity(type=kind)))[0] == 202
    assert (await world.post(world.activity(type="invoke", name="task/fetch")))[0] == 501
    assert world.connector.calls == []


async def test_evidence_is_handed_over_after_the_person_agrees(world: World) -> None:
    await world.post(world.activity(text="export"))
    asked = [body for body in world.connector.sent(CHAT) if "file.consent" in json.dumps(body)]
    question = asked[0]["attachments"][0]  # type: ignore[index]
    upload = {
        "uploadUrl": world.drive_url,
        "contentUrl": "https://contoso-my.sharepoint.com/evidence",
        "uniqueId": "u1",
        "fileType": "csv",
    }
    value = {"action": "accept", "context": question["content"]["acceptContext"], "uploadInfo": upload}
    status, _ = await world.post(world.activity(type="invoke", name="fileConsent/invoke", value=value))

    assert status == 200
    ((content_range, content),) = world.drive.stored
    assert content_range == f"bytes 0-{len(content) - 1}/{len(content)}"
    assert len(content) == question["content"]["sizeInBytes"]
    assert "file.info" in json.dumps(world.connector.sent(CHAT)[-1])


async def test_a_file_asked_for_by_an_admin_is_not_given_to_somebody_else(world: World) -> None:
    context = {"v": 1, "file": "evidence.csv", "command": "export", "verb": None, "ref": None}
    upload = {"uploadUrl": world.drive_url, "contentUrl": "https://x", "uniqueId": "u1", "fileType": "csv"}
    value = {"action": "accept", "context": context, "uploadInfo": upload}
    await world.post(world.activity("adele", type="invoke", name="fileConsent/invoke", value=value))
    assert world.drive.stored == []


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "https://evil.example/upload"])
async def test_evidence_never_goes_to_a_strange_host(world: World, address: str) -> None:
    context = {"v": 1, "file": "evidence.csv", "command": "export", "verb": None, "ref": None}
    upload = {"uploadUrl": address, "contentUrl": "https://x", "uniqueId": "u1", "fileType": "csv"}
    value = {"action": "accept", "context": context, "uploadInfo": upload}
    assert (await world.post(world.activity(type="invoke", name="fileConsent/invoke", value=value)))[0] == 200
    assert world.drive.stored == []


@pytest.mark.parametrize("value", [None, {}, {"action": "accept"}, {"action": "accept", "context": {"v": 1}}])
async def test_an_answer_about_no_file_of_ours_is_400(world: World, value: object) -> None:
    assert (await world.post(world.activity(type="invoke", name="fileConsent/invoke", value=value)))[0] == 400


async def test_a_refused_request_never_reaches_the_core(world: World) -> None:
    for signed in ("junk", token(NOW, aud="other", serviceurl=world.service_url)):
        status, _ = await world.post(world.activity(text="spend"), signed)
        assert status == 401
    assert world.bot.core.calls == []
    assert world.connector.calls == []


async def test_a_body_over_the_limit_is_413(world: World) -> None:
    status, _ = await world.post(world.activity(text="x" * (MAX_BODY + 1)))
    assert status == 413


async def test_a_person_of_another_tenant_is_403(world: World) -> None:
    status, _ = await world.post(world.activity(text="spend", channelData={"tenant": {"id": PERSON_ID}}))
    assert status == 403


async def test_an_authentic_request_from_teams_own_address_is_let_in(world: World) -> None:
    """Without this the refusals below would prove nothing: they differ from it in one thing each."""
    status, _ = await world.post(world.activity(text="spend", serviceUrl=SERVICE_URL, type="typing"), token(NOW))
    assert status == 202


# HTTP's own parser refuses that one, with 400.
@pytest.mark.parametrize("name", sorted(BAD_TOKENS.keys() - {"longer than any token"}))
async def test_a_bad_token_is_401_on_the_wire_and_reaches_nobody(world: World, name: str) -> None:
    header = f"Bearer {BAD_TOKENS[name](NOW)}".encode().decode("latin-1")
    for kind in ("message", "invoke"):
        said = world.activity(text="spend", serviceUrl=SERVICE_URL, type=kind, name="adaptiveCard/action")
        answer = await world.client.post(PATH, json=said, headers={"Authorization": header})
        assert answer.status == 401
        assert await answer.read() == b""
    assert world.bot.core.calls == []
    assert world.connector.calls == []


MALFORMED: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "cut off": (b'{"type":', 400),
    "an array": (b"[]", 400),
    "a text": (b'"text"', 400),
    "no text at all": (b"\xff\xfe\x00", 400),
    "no number": (b'{"type": NaN}', 400),
    "no type": (b"{}", 400),
    "twenty thousand levels deep": (b"[" * 20_000 + b"]" * 20_000, 400),
    "deep in a field": (b'{"a":' * 100 + b"1" + b"}" * 100, 400),
    "two megabytes": (b'{"a":"' + b"x" * 2_000_000 + b'"}', 413),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_or_oversized_body_is_refused_on_the_wire_and_reaches_nobody(world: World, name: str) -> None:
    raw, expected = MALFORMED[name]
    signed = token(NOW, serviceurl=world.service_url)
    headers = {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}
    answer = await world.client.post(PATH, data=io.BytesIO(raw), headers=headers)
    assert answer.status == expected
    assert world.bot.core.calls == []


ODD: dict[str, dict[str, object]] = {
    "no conversation": {"conversation": {"tenantId": TENANT_ID}},
    "a conversation that is a list": {"conversation": []},
    "nobody": {"from": {}},
    "a sender that is a text": {"from": "29:1"},
    "no id": {"id": None},
    "an id that is a number": {"id": 7},
    "a text that is an object": {"text": {"a": 1}},
    "a value that is a list": {"value": [1, 2]},
    "a value of nothing": {"value": {}},
    "an id without end": {"id": "9" * 100_000},
}


@pytest.mark.parametrize("kind", ["message", "invoke", "installationUpdate", "conversationUpdate"])
@pytest.mark.parametrize("name", ODD)
async def test_an_authentic_activity_that_makes_no_sense_is_never_500(world: World, name: str, kind: str) -> None:
    named = {"name": "adaptiveCard/action"} if kind == "invoke" else {}
    status, _ = await world.post({**world.activity(type=kind, action="add", text=""), **named, **ODD[name]})
    assert status in (200, 202, 400)
    assert "decide" not in {call[0] for call in world.bot.core.calls}


async def test_a_replayed_click_is_one_click(world: World) -> None:
    world.connector.messages[CHAT, "m1"] = {}
    click = world.click("wave.revoke", {"v": 1, "ref": "c0ffee", **ticked(*RECOMMENDED)})
    for _ in range(3):
        assert (await world.post(click))[1]["statusCode"] == 200
    assert [call[0] for call in world.bot.core.calls].count("decide") == 1


async def test_a_key_rotation_in_mid_run_stops_nobody(world: World) -> None:
    await world.post(world.activity(text="spend"))
    world.keys.published = {"two": ["msteams"]}
    world.seconds[0] += PAUSE_S
    rotated = token(NOW, signed_by="two", kid="two", serviceurl=world.service_url)
    assert (await world.post(world.activity(text="spend"), rotated))[0] == 202
    assert (await world.post(world.activity(text="spend")))[0] == 401  # signed with the key that was withdrawn
    assert len(world.cards()) == 2


async def test_a_key_server_that_is_down_stops_nobody_who_is_known_and_is_503_before(world: World) -> None:
    world.keys.down = True
    assert (await world.post(world.activity(text="spend")))[0] == 503
    assert world.bot.core.calls == []
    world.keys.down = False
    world.seconds[0] += PAUSE_S
    assert (await world.post(world.activity(text="spend")))[0] == 202
    world.keys.down = True
    world.seconds[0] += 25 * 3_600
    assert (await world.post(world.activity(text="spend")))[0] == 202
    assert len(world.cards()) == 2
