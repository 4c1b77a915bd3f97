"""Another page in the same browser and another user of the machine get nothing: every refusal has its own test."""

import pytest

from bot.web.security import MAX_SESSIONS, PersonaSessions
from tests.web.conftest import Window
from tests.web.fakes import MEGAN, TOKEN, FakeTokens, World
from tests.web.sample_cards import wave

HEADERS = {
    "Content-Security-Policy": "default-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


async def code(answer) -> str:  # type: ignore[no-untyped-def]
    return str((await answer.json())["error"]["code"])


async def test_the_printed_address_sets_a_strict_cookie_and_leads_to_the_page(stranger: Window) -> None:
    answer = await stranger.http.get(f"{stranger.origin}/?token={TOKEN}", allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"reclaim_launch={TOKEN};")
    assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))


async def test_the_page_without_the_token_says_to_open_the_printed_address(stranger: Window) -> None:
    answer = await stranger.get("/")

    assert answer.status == 403
    assert "Open the address that the program printed" in await answer.text()


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "“"])
async def test_a_wrong_token_opens_nothing(stranger: Window, token: str) -> None:
    answer = await stranger.http.get(stranger.origin, params={"token": token})

    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers


async def test_requests_without_the_launch_cookie_are_refused(stranger: Window) -> None:
    answer = await stranger.get("/rehearsal/personas")

    assert (answer.status, await code(answer)) == (403, "launch")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80"])
@pytest.mark.parametrize("path", ["/", f"/?token={TOKEN}", "/rehearsal/personas"])
async def test_a_forged_host_is_refused(window: Window, host: str, path: str) -> None:
    answer = await window.get(path, Host=host)

    assert answer.status == 403


async def test_localhost_is_as_good_as_its_number(window: Window, port: int) -> None:
    answer = await window.get("/rehearsal/personas", Host=f"localhost:{port}", Origin=f"http://localhost:{port}")

    assert answer.status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://localhost"])
async def test_a_request_from_another_page_is_refused(allan: Window, world: World, origin: str) -> None:
    read = await allan.get("/rehearsal/messages", Origin=origin)
    write = await allan.post("/rehearsal/commands", {"text": "spend", "key": "k"}, Origin=origin)

    assert (read.status, write.status) == (403, 403)
    assert world.dispatch.commands == []


async def test_a_write_without_an_origin_is_refused(allan: Window) -> None:
    answer = await allan.http.post(
        f"{allan.origin}/rehearsal/commands", json={"text": "spend", "key": "k"}, headers=allan.headers
    )

    assert (answer.status, await code(answer)) == (403, "origin")


@pytest.mark.parametrize("missing", ["X-CSRF-Token", "X-Persona-Session"])
async def test_a_request_without_its_session_headers_is_refused(allan: Window, missing: str) -> None:
    del allan.headers[missing]

    answer = await allan.post("/rehearsal/commands", {"text": "spend", "key": "k"})

    assert (answer.status, await code(answer)) == (403, "session")


@pytest.mark.parametrize("path", ["messages", "events", "suggestions", "people", "tenant", "calls", "clock", "files/x"])
async def test_every_read_needs_a_session(window: Window, path: str) -> None:
    answer = await window.get(f"/rehearsal/{path}")

    assert (answer.status, await code(answer)) == (403, "session")


async def test_headers_that_are_no_text_are_refused_like_wrong_ones(allan: Window) -> None:
    allan.headers["X-CSRF-Token"] = "\udcff"

    assert (await allan.get("/rehearsal/messages")).status == 403


async def test_the_csrf_token_of_another_session_does_not_fit(allan: Window, megan: Window) -> None:
    allan.headers["X-CSRF-Token"] = megan.headers["X-CSRF-Token"]

    assert (await allan.get("/rehearsal/messages")).status == 403


async def test_a_card_of_one_persona_cannot_be_clicked_in_another_session(
    world: World, allan: Window, megan: Window
) -> None:
    await world.transport.send(MEGAN, wave())
    [card] = await megan.messages()
    click = {"message_id": card["id"], "verb": "wave.revoke", "ref": "w1", "v": 1, "inputs": {}, "key": "k"}

    answer = await allan.post("/rehearsal/actions", click)

    assert (answer.status, world.dispatch.actions) == (404, [])


async def test_a_click_that_no_version_of_the_card_offered_is_refused(world: World, megan: Window) -> None:
    await world.transport.send(MEGAN, wave())
    [card] = await megan.messages()
    click = {"message_id": card["id"], "verb": "wave.revoke", "ref": "w2", "v": 1, "inputs": {}, "key": "k"}

    answer = await megan.post("/rehearsal/actions", click)

    assert (answer.status, world.dispatch.actions) == (403, [])


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"", b"\xff", b"[" * 60_000])
async def test_a_body_that_is_no_json_object_is_refused(allan: Window, body: bytes) -> None:
    answer = await allan.post("/rehearsal/commands", body)

    assert (answer.status, await code(answer)) == (400, "bad_json")


async def test_a_body_over_64_kb_is_refused(allan: Window) -> None:
    answer = await allan.post("/rehearsal/commands", b'{"text": "' + b"x" * 65_536 + b'"}')

    assert (answer.status, await code(answer)) == (413, "too_large")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_another_content_type_than_json_is_refused(allan: Window, media: str) -> None:
    answer = await allan.post("/rehearsal/commands", {"text": "spend", "key": "k"}, **{"Content-Type": media})

    assert (answer.status, await code(answer)) == (415, "not_json")


@pytest.mark.parametrize(
    "body",
    [
        {"text": 7, "key": "k"},
        {"text": "x" * 1001, "key": "k"},
        {"text": "spend"},
        {"text": "spend", "key": ""},
        {"text": "spend", "key": "k" * 101},
    ],
)
async def test_a_command_with_a_bad_field_is_refused(allan: Window, world: World, body: object) -> None:
    answer = await allan.post("/rehearsal/commands", body)

    assert (answer.status, await code(answer)) == (400, "bad_field")
    assert world.dispatch.commands == []


@pytest.mark.parametrize("change", [{"v": 2}, {"v": True}, {"v": None}, {"ref": "x" * 201}, {"verb": "revoke"}])
async def test_a_payload_that_does_not_decode_is_refused(
    world: World, megan: Window, change: dict[str, object]
) -> None:
    await world.transport.send(MEGAN, wave())
    [card] = await megan.messages()
    click = {"message_id": card["id"], "verb": "wave.revoke", "ref": "w1", "v": 1, "inputs": {}, "key": "k"}

    answer = await megan.post("/rehearsal/actions", click | change)

    assert (answer.status, world.dispatch.actions) == (400, [])


@pytest.mark.parametrize("inputs", [[], {"a": 1}, {"a": "x" * 16_001}, {str(i): "" for i in range(201)}])
async def test_inputs_that_are_not_a_few_texts_are_refused(world: World, megan: Window, inputs: object) -> None:
    await world.transport.send(MEGAN, wave())
    [card] = await megan.messages()
    click = {"message_id": card["id"], "verb": "wave.revoke", "ref": "w1", "v": 1, "inputs": inputs, "key": "k"}

    assert (await megan.post("/rehearsal/actions", click)).status == 400


@pytest.mark.parametrize("path", ["/", "/assets/app.css", "/assets/none.css", "/rehearsal/personas", "/rehearsal/none"])
async def test_every_answer_carries_the_security_headers(window: Window, path: str) -> None:
    answer = await window.get(path)

    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


async def test_answers_about_the_tenant_are_not_stored(allan: Window) -> None:
    assert (await allan.get("/rehearsal/messages")).headers["Cache-Control"] == "no-store"
    assert (await allan.get("/rehearsal/none")).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["..%2froutes.py", "%2e%2e/security.py", "routes.py"])
async def test_only_files_of_the_page_are_served(window: Window, name: str) -> None:
    assert (await window.get(f"/assets/{name}")).status in {403, 404}


async def test_the_page_loads_nothing_from_elsewhere_and_holds_no_inline_style_or_script(window: Window) -> None:
    page = await (await window.get("/")).text()

    assert "http" not in page
    assert "style=" not in page
    assert "onclick" not in page


def test_the_oldest_sessions_make_room() -> None:
    sessions = PersonaSessions(FakeTokens())
    first = sessions.open("allan")

    for _ in range(MAX_SESSIONS):
        last = sessions.open("megan")

    assert sessions.persona(first.id, first.csrf) is None
    assert sessions.persona(last.id, last.csrf) == "megan"


async def test_an_error_inside_is_answered_with_a_reference_and_no_detail(allan: Window, world: World) -> None:
    async def broken(after: int) -> list[object]:
        raise RuntimeError("secret detail")

    world.watch.calls = broken  # type: ignore[method-assign,assignment]

    answer = await allan.get("/rehearsal/calls")

    assert answer.status == 500
    assert "secret" not in await answer.text()
    assert "Reference" in await answer.text()
