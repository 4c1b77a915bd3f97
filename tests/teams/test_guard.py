"""Forged, replayed, expired, foreign and malformed activities: each gets its status and nothing gets through."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.guard import Refused
from bot.teams.guard import Door, Guard, Incoming, check_configured
from bot.teams.keys import PAUSE_S, SigningKeys
from reclaim.errors import ReclaimError
from tests.fakes import FixedClock
from tests.teams.key_server import (
    APP_ID,
    HOSTS,
    PERSON_ID,
    SERVICE_URL,
    TENANT_ID,
    KeyServer,
    activity,
    serving,
    token,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@dataclass
class Gate:
    """A guard with its key server, and the hands on its clocks."""

    server: KeyServer
    clock: FixedClock
    guard: Guard
    seconds: list[float] = field(default_factory=lambda: [0.0])

    def wait(self, seconds: float) -> None:
        self.seconds[0] += seconds
        self.clock.advance(timedelta(seconds=seconds))

    async def vet(self, signed: str | None = None, body: object = None, **how: object) -> Incoming:
        raw = json.dumps(activity() if body is None else body).encode()
        given: dict[str, object] = {
            "content_type": "application/json",
            "authorization": f"Bearer {token(self.clock.now()) if signed is None else signed}",
            "raw": raw,
            **how,
        }
        return await self.guard.vet(**given)  # type: ignore[arg-type]

    async def refusal(self, signed: str | None = None, body: object = None, **how: object) -> int:
        with pytest.raises(Refused) as refused:
            await self.vet(signed, body, **how)
        return refused.value.status


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    server, clock, seconds = KeyServer(), FixedClock(NOW), [0.0]
    async with serving(server) as address, httpx.AsyncClient() as client:
        keys = SigningKeys(openid_url=address, client=client, monotonic=lambda: seconds[0])
        door = Door(app_id=APP_ID, tenant_id=TENANT_ID, service_hosts=HOSTS)
        yield Gate(server=server, clock=clock, guard=Guard(door, keys, clock), seconds=seconds)


async def test_an_authentic_activity_comes_through_with_its_person(gate: Gate) -> None:
    incoming = await gate.vet()
    assert incoming.person_id == PERSON_ID
    assert incoming.service_url == SERVICE_URL.rstrip("/")
    assert incoming.activity["text"] == "status"


BAD_TOKENS: dict[str, Callable[[datetime], str]] = {
    "junk": lambda now: "not.a.token",
    "two parts": lambda now: "a.b",
    "not ascii": lambda now: "é.é.é",
    "wrong audience": lambda now: token(now, aud="another"),
    "no audience": lambda now: token(now, without=("aud",)),
    "wrong issuer": lambda now: token(now, iss="https://sts.windows.net/x/"),
    "no issuer": lambda now: token(now, without=("iss",)),
    "expired ten minutes ago": lambda now: token(now, exp=int(now.timestamp()) - 600),
    "not valid for ten minutes": lambda now: token(now, nbf=int(now.timestamp()) + 600),
    "no expiry": lambda now: token(now, without=("exp",)),
    "no beginning": lambda now: token(now, without=("nbf",)),
    "expiry that is text": lambda now: token(now, exp="tomorrow"),
    "unsigned": lambda now: token(now, algorithm="none"),
    "signed with a shared secret": lambda now: token(now, algorithm="HS256"),
    "signed by another key": lambda now: token(now, signed_by="other"),
    "key id of no key": lambda now: token(now, signed_by="other", kid="other"),
    "no key id": lambda now: token(now, kid=None),
    "no service url": lambda now: token(now, without=("serviceurl",)),
    "empty service url": lambda now: token(now, serviceurl=""),
    "another service url": lambda now: token(now, serviceurl="https://smba.trafficmanager.net/other/"),
    "longer than any token": lambda now: "a" * 9_000,
    "empty": lambda now: "",
}


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_a_bad_token_is_401(gate: Gate, name: str) -> None:
    assert await gate.refusal(BAD_TOKENS[name](NOW)) == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Basic abc", "bearer"])
async def test_a_missing_token_is_401(gate: Gate, header: str) -> None:
    assert await gate.refusal(authorization=header) == 401


async def test_a_token_counts_for_five_minutes_after_its_end_and_no_longer(gate: Gate) -> None:
    signed = token(NOW, exp=int(NOW.timestamp()) + 60)
    await gate.vet(signed)
    gate.wait(60 + 299)
    await gate.vet(signed)
    gate.wait(1)
    assert await gate.refusal(signed) == 401


async def test_a_key_of_another_channel_is_403(gate: Gate) -> None:
    gate.server.published = {"one": ["directline"]}
    assert await gate.refusal() == 403


async def test_a_key_without_endorsements_is_403(gate: Gate) -> None:
    gate.server.published = {"one": None}
    assert await gate.refusal() == 403


@pytest.mark.parametrize("channel", [None, "directline", "", 7])
async def test_another_channel_is_403(gate: Gate, channel: object) -> None:
    assert await gate.refusal(body=activity(channelId=channel)) == 403


@pytest.mark.parametrize(
    "foreign",
    [
        {"channelData": {"tenant": {"id": "0e000000-0000-4000-8000-000000000000"}}},
        {"conversation": {"id": "a:1", "tenantId": "0e000000-0000-4000-8000-000000000000"}},
        {"from": {"aadObjectId": PERSON_ID, "tenantId": "0e000000-0000-4000-8000-000000000000"}},
        {"channelData": {}, "conversation": {"id": "a:1"}},
        {"channelData": None, "conversation": None},
        {"channelData": [], "conversation": "a:1"},
    ],
)
async def test_a_foreign_tenant_or_none_is_403(gate: Gate, foreign: dict[str, object]) -> None:
    assert await gate.refusal(body=activity(**foreign)) == 403


@pytest.mark.parametrize(
    "address",
    [
        "https://169.254.169.254/latest/",
        "http://smba.trafficmanager.net/teams/",
        "https://smba.trafficmanager.net.evil.example/teams/",
        "https://user@smba.trafficmanager.net/teams/",
        "https://smba.trafficmanager.net:8443/teams/",
        "https://smba.trafficmanager.net/teams/?x=1",
        "https://evilbotframework.com/",
        "https://smbа.trafficmanager.net/teams/",  # noqa: RUF001 - a Cyrillic letter, on purpose
        "https://[::1/",
        "http://127.0.0.1:9000/",
        "ftp://smba.trafficmanager.net/",
    ],
)
async def test_an_answer_never_goes_to_a_strange_host(gate: Gate, address: str) -> None:
    signed = token(NOW, serviceurl=address)
    assert await gate.refusal(signed, activity(serviceUrl=address)) == 403


async def test_development_lets_this_machine_through_and_nothing_else() -> None:
    door = Door(app_id=APP_ID, tenant_id=TENANT_ID, service_hosts=HOSTS, development=True)
    assert door.knows("http://127.0.0.1:56150/_connector")
    assert not door.knows("http://10.0.0.1/_connector")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b'{"a": NaN}', 400),
        (b"\xff\xfe{}", 400),
        (b"{}", 400),
        (b'{"type": 7, "serviceUrl": "https://smba.trafficmanager.net/teams/"}', 400),
        (b"[" * 30_000 + b"]" * 30_000, 400),
        (b'{"a":' * 60 + b"1" + b"}" * 60, 400),
        (b"{" + b" " * (256 * 1024) + b"}", 413),
    ],
)
async def test_a_body_that_is_no_activity_is_400_or_413(gate: Gate, raw: bytes, status: int) -> None:
    assert await gate.refusal(raw=raw) == status


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_another_content_type_is_400(gate: Gate, content_type: str) -> None:
    assert await gate.refusal(content_type=content_type) == 400


async def test_the_body_is_not_read_before_the_token_is_verified(gate: Gate) -> None:
    assert await gate.refusal("junk", raw=b"{") == 401


async def test_a_rotated_key_is_known_at_the_next_token(gate: Gate) -> None:
    await gate.vet()
    gate.server.published = {"two": ["msteams"]}
    gate.wait(PAUSE_S)
    await gate.vet(token(gate.clock.now(), signed_by="two", kid="two"))


async def test_a_withdrawn_key_no_longer_counts_even_for_a_token_seen_before(gate: Gate) -> None:
    signed = token(NOW)
    await gate.vet(signed)
    gate.server.published = {"two": ["msteams"]}
    gate.wait(PAUSE_S)
    await gate.vet(token(gate.clock.now(), signed_by="two", kid="two"))
    assert await gate.refusal(signed) == 401


async def test_unknown_key_ids_do_not_hammer_the_key_server(gate: Gate) -> None:
    await gate.vet()
    for number in range(20):
        assert await gate.refusal(token(NOW, signed_by="other", kid=f"made up {number}")) == 401
    assert gate.server.requests == 1


async def test_a_key_server_that_is_down_stops_nothing_that_is_known(gate: Gate) -> None:
    await gate.vet()
    gate.server.down = True
    gate.wait(25 * 3600)
    await gate.vet()


async def test_without_any_key_the_answer_is_503_until_the_key_server_is_back(gate: Gate) -> None:
    gate.server.down = True
    assert await gate.refusal() == 503
    gate.server.down = False
    gate.wait(PAUSE_S)
    await gate.vet()


async def test_a_key_that_cannot_be_read_does_not_hide_the_others(gate: Gate) -> None:
    gate.server.extra = [7, {}, {"kty": "EC", "kid": "x"}, {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"}]
    await gate.vet()


@pytest.mark.parametrize(("app_id", "tenant"), [("", TENANT_ID), (" ", TENANT_ID), (APP_ID, "")])
def test_a_door_without_an_id_cannot_be_made(app_id: str, tenant: str) -> None:
    with pytest.raises(ValueError, match="needs"):
        Door(app_id=app_id, tenant_id=tenant, service_hosts=HOSTS)


@pytest.mark.parametrize(
    ("app_id", "credentials", "development", "loopback"),
    [
        (None, 1, False, True),
        ("", 1, False, True),
        (APP_ID, 0, False, True),
        (APP_ID, 2, False, True),
        (APP_ID, 1, True, False),
    ],
)
def test_an_open_configuration_does_not_start(
    app_id: str | None, credentials: int, development: bool, loopback: bool
) -> None:
    with pytest.raises(ReclaimError):
        check_configured(app_id=app_id, credentials=credentials, development=development, loopback=loopback)
