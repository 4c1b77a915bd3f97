"""Commands, clicks, files, unread counts, clock: what a person at the page can do, over HTTP."""

from hashlib import sha256

import pytest

from bot.inbound import Reply
from bot.web.wire import initials
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError
from tests.web.conftest import Window
from tests.web.fakes import ALLAN, LEE, MEGAN, World
from tests.web.sample_cards import item, status, wave


def revoke(message_id: str, **change: object) -> dict[str, object]:
    return {
        "message_id": message_id, "verb": "wave.revoke", "ref": "w1", "v": 1, "inputs": {"t.i1": "true"}, "key": "k2",
    } | change  # fmt: skip


async def unread(window: Window) -> dict[str, int]:
    people = (await window.json("/rehearsal/personas"))["personas"]
    return {person["id"]: person["unread"] for person in people}


async def test_the_cast_is_listed_with_groups_and_initials(window: Window) -> None:
    answer = await window.json("/rehearsal/personas")

    assert answer["tenant"] == "Practice tenant, 400 people"
    assert answer["personas"][3] == {
        "id": "megan", "name": "Megan Bowen", "line": "Marketing, 9 reports", "greeting": None, "group": "review",
        "initials": "MB", "unread": 0,
    }  # fmt: skip


async def test_a_command_shows_what_was_typed_and_then_the_cards(allan: Window) -> None:
    outcome = await allan.command("/reclaim spend")

    assert outcome == {"replaced": False, "toast": None, "error": False, "cards": 1}
    assert [(m["from"], m["text"], m["kind"]) for m in await allan.messages()] == [
        ("you", "/reclaim spend", "command"),
        ("bot", None, "spend"),
    ]


@pytest.mark.parametrize("typed", ["/reclaim spend", "spend", "/spend", "  /Reclaim   spend "])
async def test_the_word_reclaim_may_be_left_out(allan: Window, world: World, typed: str) -> None:
    await allan.command(typed)

    [command] = world.dispatch.commands
    assert (command.person_id, command.channel, command.text) == (ALLAN, "web", "spend")


async def test_the_same_command_sent_twice_is_carried_out_once(allan: Window, world: World) -> None:
    first = await allan.command("spend")

    assert await allan.command("spend") == first
    assert len(world.dispatch.commands) == 1
    assert len(await allan.messages()) == 2


async def test_a_click_redraws_the_card_and_carries_its_inputs(world: World, megan: Window) -> None:
    await world.transport.send(MEGAN, wave())
    [card] = await megan.messages()

    answer = await (await megan.post("/rehearsal/actions", revoke(card["id"]))).json()

    assert answer["replaced"] is True
    [action] = world.dispatch.actions
    assert (action.person_id, action.verb, action.ref, action.batch) == (MEGAN, "wave.revoke", "w1", None)
    assert (action.inputs, action.message_id) == ({"t.i1": "true"}, card["id"])
    [now] = await megan.messages()
    assert now["card"]["headline"]["title"] == "2 seats left"
    assert "You revoked 7 seats" in now["html"]


async def test_a_batch_travels_with_its_undo(world: World, megan: Window) -> None:
    await world.transport.send(MEGAN, wave(decided=True))
    [card] = await megan.messages()

    await megan.post("/rehearsal/actions", revoke(card["id"], verb="wave.undo", batch="b1"))
    without = await megan.post("/rehearsal/actions", revoke(card["id"], verb="wave.undo", key="k3"))

    assert [action.batch for action in world.dispatch.actions] == ["b1"]
    assert without.status == 403


async def test_a_click_on_an_older_version_of_the_card_still_reaches_dispatch(world: World, megan: Window) -> None:
    sent = await world.transport.send(MEGAN, wave())
    await world.transport.update(MEGAN, sent.external_id, item())

    answer = await megan.post("/rehearsal/actions", revoke(sent.external_id))

    assert answer.status == 200
    assert len(world.dispatch.actions) == 1


async def test_the_same_click_sent_twice_is_one_click(world: World, megan: Window) -> None:
    sent = await world.transport.send(MEGAN, wave())

    first = await (await megan.post("/rehearsal/actions", revoke(sent.external_id))).json()
    second = await (await megan.post("/rehearsal/actions", revoke(sent.external_id))).json()

    assert first == second
    assert len(world.dispatch.actions) == 1


async def test_two_windows_are_two_people(world: World, allan: Window, megan: Window) -> None:
    await allan.command("spend")
    await megan.command("inbox")

    assert [command.person_id for command in world.dispatch.commands] == [ALLAN, MEGAN]
    assert [message["kind"] for message in await allan.messages()] == ["command", "spend"]
    assert [message["kind"] for message in await megan.messages()] == ["command", "review.wave"]


async def test_a_refusal_is_said_as_a_toast(allan: Window) -> None:
    assert await allan.command("dance") == {
        "replaced": False, "toast": "I do not know “dance”.", "error": True, "cards": 0,
    }  # fmt: skip


async def test_a_file_goes_to_its_owner_only(allan: Window, megan: Window) -> None:
    await allan.command("export")
    [file] = (await allan.messages())[-1]["files"]

    mine, theirs = await allan.get(file["href"]), await megan.get(file["href"])

    assert file["name"] == "Q4 seat clean-up.csv"
    assert (mine.status, await mine.read()) == (200, b"seat,answer\n")
    assert mine.headers["Content-Disposition"] == "attachment; filename*=UTF-8''Q4%20seat%20clean-up.csv"
    assert theirs.status == 404


async def test_a_file_without_a_card_hangs_on_the_command(world: World, allan: Window) -> None:
    world.dispatch.replies["export"] = Reply(files=world.dispatch.replies["export"].files)

    await allan.command("export")

    [command] = await allan.messages()
    assert [file["name"] for file in command["files"]] == ["Q4 seat clean-up.csv"]


async def test_cards_are_unread_until_the_person_is_looked_at(world: World, window: Window, megan: Window) -> None:
    await world.transport.send(MEGAN, wave())
    sent = await world.transport.send(MEGAN, wave())
    await world.transport.update(MEGAN, sent.external_id, wave(decided=True))
    before = (await unread(window))["megan"]

    await megan.messages()

    assert (before, (await unread(window))["megan"]) == (2, 0)


async def test_someone_outside_the_cast_joins_the_list_with_their_first_card(world: World, window: Window) -> None:
    conversation = await world.transport.reach(LEE)
    before = await unread(window)
    assert conversation is not None

    await world.transport.send(conversation, wave())

    assert LEE not in before
    assert (await unread(window))[LEE] == 1
    await window.pick(LEE)
    assert len(await window.messages()) == 1


async def test_a_stranger_to_the_tenant_is_not_reached(world: World) -> None:
    assert await world.transport.reach(PersonId("p-nobody")) is None
    with pytest.raises(DeliveryError) as caught:
        await world.transport.send("p-nobody", wave())
    assert caught.value.permanent


async def test_an_update_of_an_unknown_message_is_a_permanent_failure(world: World) -> None:
    with pytest.raises(DeliveryError) as caught:
        await world.transport.update(MEGAN, "none", wave())
    assert caught.value.permanent


async def test_what_was_sent_is_hashed_as_it_is_shown(world: World, megan: Window) -> None:
    sent = await world.transport.send(MEGAN, wave())

    [message] = await megan.messages()

    assert message["id"] == sent.external_id
    assert sent.payload_sha256 == sha256(message["html"].encode()).hexdigest()


async def test_equal_cards_share_no_id_in_the_page(world: World, megan: Window) -> None:
    await world.transport.send(MEGAN, status())
    await world.transport.send(MEGAN, status())

    first, second = await megan.messages()

    assert first["html"] != second["html"]


@pytest.mark.parametrize(
    ("step", "now", "line"),
    [
        ("hour", "2026-11-23T10:00:00+00:00", "1 hour later: 7 reminders sent."),
        ("day", "2026-11-24T09:00:00+00:00", "1 day later: 7 reminders sent."),
        ("closing", "2026-12-04T17:00:00+00:00", "To the closing: 7 reminders sent."),
        ({"seconds": 90}, "2026-11-23T09:01:30+00:00", "Some time later: 7 reminders sent."),
    ],
)
async def test_the_clock_moves_when_asked_and_everyone_is_told(
    world: World, allan: Window, megan: Window, step: object, now: str, line: str
) -> None:
    world.clock.told = ("7 reminders sent.",)

    answer = await (await allan.post("/rehearsal/clock", {"advance": step})).json()

    assert answer == {"now": now, "told": ["7 reminders sent."]}
    assert [told["text"] for told in (await megan.json("/rehearsal/messages"))["told"]] == [line]
    assert (await allan.json("/rehearsal/clock"))["now"] == now


async def test_a_move_of_the_clock_with_nothing_due_says_so(allan: Window) -> None:
    await allan.post("/rehearsal/clock", {"advance": "hour"})

    [told] = (await allan.json("/rehearsal/messages"))["told"]
    assert told["text"] == "1 hour later: nothing was due."


@pytest.mark.parametrize(
    "step", ["week", None, 5, {"seconds": 0}, {"seconds": -1}, {"seconds": True}, {"seconds": 1e99}]
)
async def test_the_clock_takes_no_other_step(world: World, allan: Window, step: object) -> None:
    answer = await allan.post("/rehearsal/clock", {"advance": step})

    assert (answer.status, world.clock.at.isoformat()) == (400, "2026-11-23T09:00:00+00:00")


async def test_the_panel_the_calls_and_the_verbs_are_there_for_the_page(allan: Window) -> None:
    panel = await allan.json("/rehearsal/tenant")
    calls = await allan.json("/rehearsal/calls?after=5")
    verbs = await allan.json("/rehearsal/suggestions")
    people = await allan.json("/rehearsal/people?q=megan")

    assert (panel["idle"], panel["recoverable"], panel["skus"][-1]["share"]) == (114, "$3,244", None)
    assert [call["path"] for call in calls["calls"]] == ["/subscribedSkus"]
    assert verbs["suggestions"][0]["verb"] == "status"
    assert people == {"people": [{"id": "p-megan", "name": "Megan Bowen"}]}


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 16])
async def test_a_place_in_the_log_must_be_a_number(allan: Window, after: str) -> None:
    assert (await allan.get(f"/rehearsal/calls?after={after}")).status == 400


async def test_an_unknown_persona_has_no_session(window: Window) -> None:
    assert (await window.post("/rehearsal/personas/nobody/session", {})).status == 404


@pytest.mark.parametrize(
    ("name", "letters"), [("Megan Bowen", "MB"), ("Adele", "A"), ("Ana de la Cruz", "AC"), ("", "?")]
)
def test_initials_are_of_the_first_and_the_last_word(name: str, letters: str) -> None:
    assert initials(name) == letters
