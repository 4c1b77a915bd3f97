"""From the wire: a signed body in, calls of the Web API out, the router between them on a made-up core."""

import json
from typing import Any

import pytest

from cards.review import wave_card
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized
from tests.golden.cards import models
from tests.golden.cards.models import ITEMS
from tests.slack.conftest import ADELE, ALLAN, LYNNE, World
from tests.slack.workspace import Message, words
from tests.unit.bot.fakes import RECOMMENDED


async def wave(world: World, user: str = ALLAN) -> Message:
    """Put a list as a message into the private conversation."""
    workspace = await world.channel.transport.workspace(world.workspace.team)
    await world.channel.transport.post(workspace, user, wave_card(models.wave(), models.ZONE))
    return world.workspace.seen_by(user)[-1]


def decided(world: World) -> list[tuple[object, ...]]:
    return [call for call in world.bot.core.calls if call[0] == "decide"]


async def test_a_command_is_answered_at_once_and_to_the_asker_alone(world: World) -> None:
    said = await world.slack.type(ALLAN, "spend")
    assert said["response_type"] == "ephemeral"
    assert "Recoverable spend" in words(said["blocks"])
    assert world.workspace.of("chat.postMessage") == []


async def test_roles_come_from_the_directory_and_not_from_slack(world: World) -> None:
    world.workspace.users[ADELE]["is_admin"] = True
    said = await world.slack.type(ADELE, "status")
    assert "This needs the role" in words(said["blocks"])


async def test_a_click_is_answered_with_an_empty_200_and_its_message_replaced_in_place(world: World) -> None:
    message = await wave(world)
    assert await world.slack.press(ALLAN, message, "Revoke ticked") == 200
    await world.settle()
    [call] = decided(world)
    assert list(call[1]) == RECOMMENDED  # type: ignore[call-overload]
    assert message.edits == 1
    assert "You revoked" in words(message.blocks)
    assert world.workspace.of("chat.update") == []  # of which Slack allows few
    assert [action.verb for action in world.mirrored.actions] == ["wave.revoke"]
    assert world.mirrored.actions[0].message_id == f"{message.channel}/{message.ts}"


async def test_only_what_is_ticked_is_answered(world: World) -> None:
    message = await wave(world)
    await world.slack.interact(
        ALLAN, message, {"type": "button", "value": f"v1|wave.revoke||{'c0ffee'}"}, ticked=[f"t.{ITEMS[1].id}"]
    )
    await world.settle()
    assert [list(call[1]) for call in decided(world)] == [[ITEMS[1].id]]  # type: ignore[call-overload]
    [kept] = [call for call in world.bot.core.calls if call[0] == "keep_ticks"]
    assert kept[1][ITEMS[1].id] is True  # type: ignore[index]
    assert kept[1][ITEMS[0].id] is False  # type: ignore[index]  # unticked, and so it stays


async def test_ticking_a_box_asks_nothing(world: World) -> None:
    message = await wave(world)
    assert (
        await world.slack.interact(ALLAN, message, {"type": "checkboxes", "action_id": "v", "selected_options": []})
        == 200
    )
    await world.settle()
    assert message.edits == 0
    assert decided(world) == []


async def test_the_same_click_again_is_one_decision(world: World) -> None:
    message = await wave(world)
    for _ in range(2):
        await world.slack.press(ALLAN, message, "Revoke ticked", trigger_id="the same")
        await world.settle()
    assert len(decided(world)) == 1


async def test_keeping_against_the_recommendation_opens_a_modal_whose_result_goes_to_the_list(world: World) -> None:
    message = await wave(world)
    await world.slack.press(ALLAN, message, "Keep ticked…")
    await world.settle()
    view = world.slack.open_view(ALLAN)
    assert view["type"] == "modal"
    assert message.edits == 0

    world.bot.core.error = InvalidRequest("Please pick a reason.", field="reason")
    refused = await world.slack.submit(ALLAN, view, reason=None)
    world.bot.core.error = None
    assert refused["response_action"] == "errors"
    assert list(refused["errors"].values()) == ["Please pick a reason."]
    said = await world.slack.submit(ALLAN, view, reason="current_work", note="Drawings for the new plant")
    await world.settle()

    assert said["response_action"] == "clear"
    assert world.workspace.views == {}
    assert message.edits == 1
    assert decided(world)[-1][6] == "Drawings for the new plant"


async def test_a_mistake_in_a_form_stands_at_its_field_and_the_input_stays(world: World) -> None:
    message = await wave(world)
    await world.slack.press(ALLAN, message, "Delegate ticked…")
    await world.settle()
    view = world.slack.open_view(ALLAN)
    said = await world.slack.submit(ALLAN, view, who=None, reason="Leads the project")
    assert said["response_action"] == "errors"
    [(block, text)] = said["errors"].items()
    assert block.startswith("in:who:")
    assert text == "Please pick a person."
    assert world.workspace.views[view["id"]]["hash"] == view["hash"]


async def test_delegating_picks_from_our_directory(world: World) -> None:
    message = await wave(world)
    await world.slack.press(ALLAN, message, "Delegate ticked…")
    await world.settle()
    [found] = await world.slack.look_up(ALLAN, "lynn")
    assert found == {"text": {"type": "plain_text", "text": "Lynne Robbins", "emoji": False}, "value": "lynne"}
    await world.slack.submit(ALLAN, world.slack.open_view(ALLAN), who=found["value"], reason="Leads the project")
    await world.settle()
    [call] = [call for call in world.bot.core.calls if call[0] == "delegate"]
    assert call[2:4] == ("lynne", "Leads the project")
    assert "passed" in words(message.blocks)


async def test_details_of_a_ticked_row_open_from_the_menu_of_its_group(world: World) -> None:
    message = await wave(world)
    menu = next(block["accessory"] for block in message.blocks if "accessory" in block)
    assert menu["type"] == "static_select"
    await world.slack.press(ALLAN, message, menu["options"][0]["text"]["text"])
    await world.settle()
    assert "If you revoke" in words(message.blocks)
    await world.slack.press(ALLAN, message, "Revoke")
    await world.settle()
    assert len(decided(world)) == 1


async def test_a_foreign_click_is_said_to_that_person_alone_and_changes_nothing(world: World) -> None:
    message = await wave(world)
    message.channel = "C01"
    before = json.dumps(message.blocks)
    world.bot.core.item_shown = None
    world.bot.core.error = NotAuthorized("This seat is with Lynne Robbins now. Only Lynne can answer.")
    await world.slack.interact(ADELE, message, {"type": "button", "value": "v1|item.revoke||i01"})
    await world.settle()
    assert json.dumps(message.blocks) == before
    [told] = [each for each in world.workspace.messages.values() if each.ephemeral_for == ADELE]
    assert told.text == "This seat is with Lynne Robbins now. Only Lynne can answer."


async def test_a_stale_click_is_said_and_the_own_message_shows_the_present_state(world: World) -> None:
    message = await wave(world)
    world.bot.core.error = Conflict("Lynne Robbins answered a moment ago: revoke. You see the present state now.")
    await world.slack.press(ALLAN, message, "Revoke ticked")
    await world.settle()
    [told] = [each for each in world.workspace.messages.values() if each.ephemeral_for == ALLAN]
    assert told.text.startswith("Lynne Robbins answered a moment ago")
    assert message.edits == 1


@pytest.mark.parametrize(
    "value",
    ["v2|wave.open||c0ffee", "v1|wave.open", "v1|no.such||c0ffee", "", "v1|DROP TABLE||x", "v1|wave.open||" + "x" * 300,
     "{}", None, 7, ["v1|wave.open||c0ffee"]],
)  # fmt: skip
async def test_a_forged_value_is_refused_in_words_and_changes_nothing(world: World, value: object) -> None:
    message = await wave(world)
    before = list(world.bot.core.calls)
    assert await world.slack.interact(ALLAN, message, {"type": "button", "action_id": "x", "value": value}) == 200
    await world.settle()
    assert [call for call in world.bot.core.calls if call not in before] == []
    assert message.edits == 0
    [told] = [each for each in world.workspace.messages.values() if each.ephemeral_for == ALLAN]
    assert told.text


async def test_who_clicks_is_who_slack_says_and_never_what_the_button_says(world: World) -> None:
    message = await wave(world)
    await world.slack.interact(LYNNE, message, {"type": "button", "value": "v1|wave.open||allan"}, person="allan")
    await world.settle()
    assert world.mirrored.actions[-1].person_id == "lynne"


async def test_start_is_a_modal_with_a_preview_step(world: World) -> None:
    said = await world.slack.type(ALLAN, "start Visio")
    await world.settle()
    assert said == {}
    view = world.slack.open_view(ALLAN)
    assert view["title"]["text"] == "Start a campaign"
    filled: dict[str, Any] = {"name": "Visio", "until": "2026-12-04", "fallback": "lynne"}
    previewed = await world.slack.submit(ALLAN, view, **filled)
    assert previewed["response_action"] == "update"
    assert "Start" in words(previewed["view"]["blocks"])
    await world.slack.press(ALLAN, world.slack.open_view(ALLAN), _first_start(previewed["view"]["blocks"]))
    await world.settle()
    assert [call[0] for call in world.bot.core.calls if call[0] == "launch"] == ["launch"]
    assert "is opening" in words(world.slack.open_view(ALLAN)["blocks"])


def _first_start(blocks: list[dict[str, Any]]) -> str:
    labels: list[str] = [e["text"]["text"] for b in blocks for e in b.get("elements", []) if e.get("type") == "button"]
    return next(label for label in labels if label.startswith("Start"))


async def test_a_form_that_opens_too_late_says_so(world: World) -> None:
    message = await wave(world)
    await world.slack.press(ALLAN, message, "Keep ticked…", trigger_id="long gone")
    await world.settle()
    [told] = [each for each in world.workspace.messages.values() if each.ephemeral_for == ALLAN]
    assert "Press the button again" in told.text


async def test_evidence_goes_to_the_asker_by_the_external_upload(world: World) -> None:
    await world.type(ALLAN, "export")
    direct = world.workspace.direct(ALLAN)
    assert [(channel, name) for channel, name, _ in world.workspace.shared] == [(direct, "attestation.csv")]
    assert world.workspace.shared[0][2] == b"a,b"
    assert [call.method for call in world.workspace.calls if call.method.startswith("files.")] == [
        "files.getUploadURLExternal",
        "files.completeUploadExternal",
    ]
    assert world.workspace.of("files.upload") == []


async def test_evidence_is_not_given_to_who_may_not_have_it(world: World) -> None:
    await world.type(ADELE, "export")
    assert world.workspace.shared == []


async def test_a_used_up_response_url_falls_back_to_the_method_that_every_message_has(world: World) -> None:
    message = await wave(world)
    world.workspace.answers.append(("response_url", 404, {"ok": False}, {}))
    await world.slack.press(ALLAN, message, "Revoke ticked")
    await world.settle()
    assert message.edits == 1
    assert len(world.workspace.of("chat.update")) == 1


async def test_the_home_tab_is_the_inbox_with_filter_details_and_the_way_back(world: World) -> None:
    await world.slack.event({"type": "app_home_opened", "tab": "home", "user": ALLAN})
    await world.settle()
    home = world.workspace.homes[ALLAN]
    assert "seats to check" in words(home)
    for label, shown in (("Delegated to me", "Delegated to me"), ("My answers", "Revoked")):
        await world.slack.press(ALLAN, world.workspace.homes[ALLAN], label)
        await world.settle()
        assert shown in words(world.workspace.homes[ALLAN])

    await world.slack.press(ALLAN, home, "Open the list")
    await world.settle()
    listed = world.workspace.homes[ALLAN]
    assert "Revoke ticked" in words(listed)
    await world.slack.press(ALLAN, listed, "Revoke ticked")
    await world.settle()
    assert len(decided(world)) == 1
    assert "You revoked" in words(world.workspace.homes[ALLAN])
    await world.slack.press(ALLAN, world.workspace.homes[ALLAN], "‹ Inbox")
    await world.settle()
    assert "Lists" in words(world.workspace.homes[ALLAN])


async def test_a_form_from_the_home_tab_gives_its_result_to_the_home_tab(world: World) -> None:
    await world.slack.event({"type": "app_home_opened", "tab": "home", "user": ALLAN})
    await world.settle()
    await world.slack.press(ALLAN, world.workspace.homes[ALLAN], "Open the list")
    await world.settle()
    await world.slack.press(ALLAN, world.workspace.homes[ALLAN], "Keep ticked…")
    await world.settle()
    said = await world.slack.submit(ALLAN, world.slack.open_view(ALLAN), reason="current_work")
    await world.settle()
    assert said == {"response_action": "clear"}
    assert "You kept" in words(world.workspace.homes[ALLAN])
    assert world.workspace.messages == {}


async def test_the_messages_tab_draws_nothing(world: World) -> None:
    await world.slack.event({"type": "app_home_opened", "tab": "messages", "user": ALLAN})
    await world.settle()
    assert world.workspace.homes == {}
