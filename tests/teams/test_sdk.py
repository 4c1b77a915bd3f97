"""What the SDK sends, over real HTTP, and how its refusals come back."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.teams.sdk import Blocked, ConversationGone, TeamsSdk
from reclaim.errors import DeliveryError, DirectoryError
from tests.teams.connector import TOKEN, Connector, serving
from tests.teams.key_server import APP_ID, PERSON_ID, TENANT_ID

CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "9 seats to check"}]}


@pytest.fixture
def connector() -> Connector:
    return Connector()


@pytest.fixture
async def service_url(connector: Connector) -> AsyncIterator[str]:
    async with serving(connector) as url:
        yield url


@pytest.fixture
def sdk() -> TeamsSdk:
    async def token() -> str:
        return TOKEN

    return TeamsSdk(app_id=APP_ID, tenant_id=TENANT_ID, token=token)


async def test_a_person_is_reached_by_object_id_and_the_card_is_sent_and_redrawn(
    sdk: TeamsSdk, connector: Connector, service_url: str
) -> None:
    conversation = await sdk.open_personal(service_url, PERSON_ID)
    message = await sdk.send(service_url, conversation, CARD, "9 seats for you to check")
    await sdk.update(service_url, conversation, message, CARD | {"body": []}, "All answered")

    created = connector.calls[0].body
    assert created["members"] == [{"id": PERSON_ID}]
    assert created["tenantID"] == TENANT_ID  # so the SDK spells it
    assert created["channelData"] == {"tenant": {"id": TENANT_ID}}
    assert created["bot"] == {"id": f"28:{APP_ID}"}
    assert [call.path for call in connector.calls[1:]] == [
        f"/v3/conversations/{conversation}/activities",
        f"/v3/conversations/{conversation}/activities/{message}",
    ]
    (shown,) = connector.sent(conversation)
    assert shown["summary"] == "All answered"
    assert shown["attachments"] == [
        {"contentType": "application/vnd.microsoft.card.adaptive", "content": CARD | {"body": []}}
    ]


async def test_the_same_person_has_one_conversation(sdk: TeamsSdk, service_url: str) -> None:
    assert await sdk.open_personal(service_url, PERSON_ID) == await sdk.open_personal(service_url, PERSON_ID)


async def test_one_token_serves_many_sends(connector: Connector, service_url: str) -> None:
    asked = 0

    async def token() -> str:
        nonlocal asked
        asked += 1
        return TOKEN

    sdk = TeamsSdk(app_id=APP_ID, tenant_id=TENANT_ID, token=token)
    for _ in range(3):
        await sdk.send(service_url, "a:1", CARD, "x")
    assert asked == 3  # asked of our own source, which keeps it; the SDK never asks Entra
    assert len(connector.sent("a:1")) == 3


async def test_a_person_s_teams_id_is_read_by_object_id(sdk: TeamsSdk, connector: Connector, service_url: str) -> None:
    assert await sdk.member(service_url, "a:1", PERSON_ID) == f"29:{PERSON_ID}"
    assert connector.calls[-1].path == f"/v3/conversations/a:1/members/{PERSON_ID}"


@pytest.mark.parametrize("permanent", [True, False])
async def test_without_a_token_nothing_is_sent_and_it_is_said_whether_waiting_helps(
    connector: Connector, service_url: str, permanent: bool
) -> None:
    async def token() -> str:
        raise DirectoryError("no token", permanent=permanent, retry_after=timedelta(seconds=9))

    with pytest.raises(DeliveryError) as refused:
        await TeamsSdk(app_id=APP_ID, tenant_id=TENANT_ID, token=token).send(service_url, "a:1", CARD, "x")
    assert (refused.value.permanent, refused.value.retry_after) == (permanent, timedelta(seconds=9))
    assert connector.calls == []


@pytest.mark.parametrize(
    ("status", "headers", "kind", "permanent", "retry_after"),
    [
        (429, {"Retry-After": "7"}, DeliveryError, False, timedelta(seconds=7)),
        (429, {}, DeliveryError, False, None),
        (429, {"Retry-After": "soon"}, DeliveryError, False, None),
        (429, {"Retry-After": "99999999"}, DeliveryError, False, timedelta(hours=1)),
        (412, {}, DeliveryError, False, None),
        (500, {}, DeliveryError, False, None),
        (502, {}, DeliveryError, False, None),
        (503, {}, DeliveryError, False, None),
        (504, {}, DeliveryError, False, None),
        (401, {}, DeliveryError, False, None),
        (403, {}, Blocked, True, None),
        (404, {}, ConversationGone, True, None),
        (400, {}, DeliveryError, True, None),
        (413, {}, DeliveryError, True, None),
    ],
)
async def test_each_refusal_has_its_class(
    sdk: TeamsSdk,
    connector: Connector,
    service_url: str,
    status: int,
    headers: dict[str, str],
    kind: type[DeliveryError],
    permanent: bool,
    retry_after: timedelta | None,
) -> None:
    connector.answers.append((status, headers))
    with pytest.raises(DeliveryError) as refused:
        await sdk.send(service_url, "a:1", CARD, "x")
    assert type(refused.value) is kind
    assert refused.value.permanent is permanent
    assert refused.value.retry_after == retry_after
    assert len(connector.calls) == 1  # trying again is ours, not the SDK's


@pytest.mark.parametrize(("status", "permanent"), [(502, False), (503, False), (405, True), (413, True), (200, False)])
async def test_a_gateway_s_page_counts_by_its_status(
    sdk: TeamsSdk, connector: Connector, service_url: str, status: int, permanent: bool
) -> None:
    connector.page = "<html><h1>Bad gateway</h1></html>"
    connector.answers.append((status, {}))
    with pytest.raises(DeliveryError) as refused:
        await sdk.send(service_url, "a:1", CARD, "x")
    assert refused.value.permanent is permanent


async def test_a_service_that_is_not_there_may_be_tried_again(sdk: TeamsSdk) -> None:
    with pytest.raises(DeliveryError) as refused:
        await sdk.send("http://127.0.0.1:9", "a:1", CARD, "x")
    assert not refused.value.permanent
