"""The front door: what was not signed by Slack for our app, just now and for our workspace, never reaches the core."""

import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.guard import MAX_BODY, MAX_DEPTH
from bot.slack.guard import Guard, check_configured, sign
from bot.slack.route import PATH
from reclaim.errors import ReclaimError
from tests.fakes import FixedClock
from tests.golden.cards.models import NOW
from tests.slack.conftest import ADELE, ALLAN, World
from tests.slack.member import FORM, SECRET

AT = str(int(NOW.timestamp()))
WIDE = "".join(chr(0xFF10 + int(digit)) for digit in AT)  # digits to Python, not to us
COMMAND = {"command": "/reclaim", "text": "spend", "team_id": "T01CONTOSO", "user_id": ALLAN, "trigger_id": "t1"}


async def post(world: World, raw: bytes, *, kind: str = FORM, at: str = AT, signature: str | None = None) -> int:
    headers = {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": signature if signature is not None else sign(SECRET.encode(), at, raw),
    }
    async with world.slack.client.post(PATH, data=raw, headers=headers) as answer:
        return answer.status


def untouched(world: World) -> bool:
    return world.bot.core.calls == [] and world.workspace.calls in ([], world.workspace.of("auth.test"))


@pytest.mark.parametrize(
    "at",
    [
        "",
        "abc",
        "12 34",
        "-1",
        "1e9",
        "9" * 5000,
        WIDE,
        "0x10",
        "1764000000.5",
        "+1764000000",
        "0",
    ],
)
async def test_a_timestamp_that_is_none_is_401(world: World, at: str) -> None:
    raw = urlencode(COMMAND).encode()
    try:
        status = await post(world, raw, at=at, signature="v0=" + "0" * 64)
    except ValueError:  # the client itself refuses to send such a header
        pytest.skip("no client sends this")
    assert status in (400, 401)  # a header of 5,000 digits is refused by the server's parser or by us
    assert untouched(world)


@pytest.mark.parametrize(
    ("shift", "status"), [(0, 200), (299, 200), (-299, 200), (301, 401), (-301, 401), (86_400, 401)]
)
async def test_a_signature_is_good_for_five_minutes(world: World, shift: int, status: int) -> None:
    at = str(int(NOW.timestamp()) + shift)
    assert await post(world, urlencode(COMMAND).encode(), at=at) == status


@pytest.mark.parametrize(
    "signature",
    ["", "v0=", "v0=" + "0" * 64, "v1=" + "0" * 64, "é" * 10, "v0=" + "é" * 64, "v0=" + "0" * 63, "V0=" + "0" * 64],
)
async def test_a_signature_that_does_not_fit_is_401(world: World, signature: str) -> None:
    assert await post(world, urlencode(COMMAND).encode(), signature=signature) == 401
    assert untouched(world)


async def test_a_missing_header_is_401(world: World) -> None:
    raw = urlencode(COMMAND).encode()
    signed = {
        "X-Slack-Request-Timestamp": AT,
        "X-Slack-Signature": sign(SECRET.encode(), AT, raw),
        "Content-Type": FORM,
    }
    for name in ("X-Slack-Request-Timestamp", "X-Slack-Signature"):
        headers = {key: value for key, value in signed.items() if key != name}
        async with world.slack.client.post(PATH, data=raw, headers=headers) as answer:
            assert answer.status == 401
            assert answer.headers["X-Slack-No-Retry"] == "1"
    assert untouched(world)


async def test_a_body_that_was_changed_after_signing_is_401(world: World) -> None:
    signature = sign(SECRET.encode(), AT, urlencode(COMMAND).encode())
    changed = urlencode({**COMMAND, "user_id": ADELE}).encode()
    assert await post(world, changed, signature=signature) == 401
    assert untouched(world)


async def test_a_body_that_was_encoded_anew_is_401(world: World) -> None:
    signature = sign(SECRET.encode(), AT, b'{"type": "event_callback"}')
    assert await post(world, b'{"type":"event_callback"}', kind="application/json", signature=signature) == 401


def _deep() -> bytes:
    return urlencode({"payload": '{"a":' * (MAX_DEPTH + 5) + "1" + "}" * (MAX_DEPTH + 5)}).encode()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"\xff\xfe\x00", FORM),
        (b"command=%ff%fe", FORM),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'"x"', "application/json"),
        (b"", "application/json"),
        (b"", FORM),
        (b"payload=%7B", FORM),
        (b"payload=[]", FORM),
        (b"payload={}&payload={}", FORM),
        (b"payload", FORM),
        (b"&&&", FORM),
        (_deep(), FORM),
        (b'{"type":"x","a":NaN}', "application/json"),
        (b"a=" + b"&a=".join(b"1" for _ in range(50)), FORM),
        (b"<xml/>", "text/xml"),
        (b"command=/reclaim", "multipart/form-data"),
        (urlencode({"payload": json.dumps({"type": "block_actions"})}).encode(), FORM),
        (urlencode({"payload": json.dumps({"type": "block_actions", "user": "U1"})}).encode(), FORM),
        (json.dumps({"type": "event_callback", "event": {"type": "app_home_opened"}}).encode(), "application/json"),
        (json.dumps({"type": "event_callback", "team_id": "T01CONTOSO", "event": []}).encode(), "application/json"),
    ],
)  # fmt: skip
async def test_a_signed_body_that_is_nonsense_is_400(world: World, raw: bytes, kind: str) -> None:
    assert await post(world, raw, kind=kind) == 400
    assert untouched(world)


async def test_a_body_over_the_limit_is_413(world: World) -> None:
    assert await post(world, b"x" * (MAX_BODY + 1)) == 413


@pytest.mark.parametrize(
    "change",
    [
        lambda body: {**body, "team_id": "T99EVIL"},
        lambda body: {**body, "team_id": ""},
        lambda body: {**body, "team_id": "T99EVIL", "enterprise_id": "E1"},
    ],
)
async def test_a_foreign_workspace_is_403(world: World, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    assert await post(world, urlencode(change(COMMAND)).encode()) == 403
    assert untouched(world)


async def test_a_click_from_a_foreign_workspace_is_403(world: World) -> None:
    payload = {"type": "block_actions", "team": {"id": "T99"}, "user": {"id": ALLAN}, "actions": [], "trigger_id": "t"}
    assert await post(world, urlencode({"payload": json.dumps(payload)}).encode()) == 403
    assert untouched(world)


async def test_a_member_of_another_organisation_in_a_shared_channel_is_refused(world: World) -> None:
    said = await world.slack.interact(
        ALLAN,
        {"type": "home", "blocks": []},
        {"type": "button", "value": "v1|wave.open||c0ffee"},
        _user={"id": ALLAN, "team_id": "T99PARTNER"},
    )
    await world.settle()
    assert said == 200
    assert world.bot.core.calls == []


async def test_the_address_is_proven_without_a_workspace(world: World) -> None:
    raw = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    status, text = await world.slack.send(raw, "application/json")
    assert (status, json.loads(text)) == (200, {"challenge": "abc"})


async def test_the_same_signed_command_again_is_one_command(world: World) -> None:
    raw = urlencode({**COMMAND, "text": "freeze Wait for legal"}).encode()
    for _ in range(2):
        assert await post(world, raw) == 200
    await world.settle()
    calls = [call for call in world.bot.core.calls if call[0] == "freeze"]
    assert len(calls) <= 1


async def test_a_replay_outside_the_window_is_401(world: World) -> None:
    raw = urlencode(COMMAND).encode()
    assert await post(world, raw) == 200
    done = list(world.bot.core.calls)
    world.clock.advance(timedelta(minutes=6))
    assert await post(world, raw) == 401
    assert world.bot.core.calls == done


async def test_an_event_that_is_delivered_twice_draws_the_home_tab_once(world: World) -> None:
    for _ in range(2):
        await world.slack.event({"type": "app_home_opened", "tab": "home", "user": ALLAN}, event_id="Ev42")
        await world.settle()
    assert len(world.workspace.of("views.publish")) == 1


async def test_no_body_and_no_secret_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    marked = {**COMMAND, "text": "why canary-name"}
    await post(world, urlencode(marked).encode(), signature="v0=" + "1" * 64)
    await post(world, b"canary-name \xff")
    await post(world, urlencode({**marked, "team_id": "T99"}).encode())
    await post(world, urlencode(marked).encode())
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {"id": ALLAN},
        "team": {"id": "T01CONTOSO"},
        "actions": [{"action_id": "canary-name", "type": "button", "value": "canary-name"}],
    }
    await post(world, urlencode({"payload": json.dumps(payload)}).encode())
    await world.settle()
    for secret in ("canary-name", SECRET, "xoxb-the-bots-token"):
        assert secret not in caplog.text


def test_a_guard_without_a_secret_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="signing secret"):
        Guard(" ", FixedClock(NOW))


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"bot_token": True}, "RECLAIM_SLACK_SIGNING_SECRET"),
        ({"signing_secret": True}, "RECLAIM_SLACK_BOT_TOKEN"),
        ({"signing_secret": True, "client": True}, "RECLAIM_TOKEN_KEY"),
    ],
)
def test_what_is_missing_is_said(given: dict[str, bool], names: str) -> None:
    every = dict.fromkeys(("signing_secret", "app_token", "bot_token", "client", "token_key"), False)
    with pytest.raises(ReclaimError, match=names):
        check_configured(**{**every, **given})


def test_a_whole_configuration_is_taken() -> None:
    check_configured(signing_secret=True, app_token=False, bot_token=True, client=False, token_key=False)
    check_configured(signing_secret=False, app_token=True, bot_token=True, client=False, token_key=False)
    check_configured(signing_secret=True, app_token=False, bot_token=False, client=True, token_key=True)
