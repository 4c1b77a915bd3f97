"""A whole campaign in Slack, on the real core: typed and pressed there, each request signed, each answer seen."""

import pytest

from bot.outbound import Outbox
from reclaim.domain.notices import WaveNotice
from tests.services.campaign_world import NORA
from tests.services.world import ALLAN, MEGAN
from tests.slack.office import USERS, Office, in_utc
from tests.slack.workspace import words


async def test_from_the_modal_to_seats_that_are_verified_gone(office: Office) -> None:
    await office.start()
    assert "4 seats to check" in words(office.newest(MEGAN).blocks)
    assert office.direct(MEGAN)[-1].edits == 0

    menu = next(block["accessory"] for block in office.newest(MEGAN).blocks if "accessory" in block)
    message = await office.press(MEGAN, menu["options"][0]["text"]["text"])
    assert "If you revoke" in words(message.blocks)
    await office.press(MEGAN, "Keep…")
    refused = await office.slack.submit(USERS[MEGAN], office.slack.open_view(USERS[MEGAN]))
    assert list(refused["errors"].values()) == ["Please pick a reason."]
    await office.submit(MEGAN, reason="current_work", note="Drawings")
    assert "You kept this seat" in words(office.newest(MEGAN).blocks)

    await office.press(MEGAN, "‹ All 3 seats")
    message = await office.press(MEGAN, "Revoke ticked")
    assert "All 4 answered" in words(message.blocks)
    await office.press(MEGAN, "Undo last")
    await office.press(MEGAN, "Revoke ticked")
    assert len(office.direct(MEGAN)) == 1  # one live message, redrawn in place
    await office.core.close()
    await office.settle()

    outcomes = sorted(str(one) for one in (await office.core.outcomes()).values())
    assert outcomes == ["kept", "removed", "removed", "removed"]
    assert "Visio review" in await office.type(ALLAN, "status")
    await office.type(ALLAN, "export")
    assert sorted(name.rpartition(".")[2] for _, name, _ in office.workspace.shared) == ["csv", "html", "json"]


async def test_delegating_moves_the_seats_to_a_list_of_their_own(office: Office) -> None:
    await office.start()
    await office.press(MEGAN, "Delegate ticked…")
    [found] = await office.slack.look_up(USERS[MEGAN], "nora")
    await office.submit(MEGAN, who=found["value"], reason="Leads the project")
    assert "Nothing left for you" in words(office.newest(MEGAN).blocks)
    assert "4 seats to check" in words(office.newest(NORA).blocks)
    await office.press(NORA, "Revoke ticked")
    answered = {item.answer.by for item in await office.core.items() if item.answer}
    assert answered == {NORA}


async def test_nobody_decides_for_others_whatever_the_button_says(office: Office) -> None:
    await office.start()
    [first, *_] = await office.core.items()
    forged = {"type": "button", "value": f"v1|item.revoke||{first.id}"}
    shared = {"type": "message", "channel_id": "C01", "message_ts": office.newest(MEGAN).ts, "is_ephemeral": False}
    await office.slack.interact(USERS[NORA], office.newest(MEGAN), forged, container=shared)
    await office.settle()
    assert [item for item in await office.core.items() if item.answer] == []
    assert "Megan" in office.told(NORA)
    assert office.newest(MEGAN).edits == 0


async def test_one_item_of_another_person_among_the_ticked_ones_changes_nothing(office: Office) -> None:
    office.core.hire("zoe", manager=NORA)
    await office.core.sync()
    await office.start()
    [foreign] = [item for item in await office.core.items() if item.person_id == "zoe"]
    own = next(item for item in await office.core.items() if item.person_id == "ada")
    button = {"type": "button", "value": f"v1|wave.revoke||{office.core.campaign_id}"}
    message = office.newest(MEGAN)
    block = next(block for block in message.blocks if str(block.get("block_id")).startswith("ticks:"))
    chosen = [{"value": f"t.{own.id}"}, {"value": f"t.{foreign.id}"}]
    state = {"values": {block["block_id"]: {"v": {"type": "checkboxes", "selected_options": chosen}}}}
    await office.slack.interact(USERS[MEGAN], message, button, state=state)
    await office.settle()
    assert [item.person_id for item in await office.core.items() if item.answer and item.person_id == "zoe"] == []


async def test_a_person_on_two_chats_gets_one_question_and_an_answer_in_one_redraws_the_other(office: Office) -> None:
    office.teams.reached.add(MEGAN)
    await office.start()
    assert office.direct(MEGAN) == []
    assert "4 seats to check" in office.teams.cards[0].headline.title

    await office.slack.event({"type": "app_home_opened", "tab": "home", "user": USERS[MEGAN]})
    await office.settle()
    home = office.workspace.homes[USERS[MEGAN]]
    await office.slack.press(USERS[MEGAN], home, "Open the list")
    await office.settle()
    await office.slack.press(USERS[MEGAN], office.workspace.homes[USERS[MEGAN]], "Revoke ticked")
    await office.settle()

    assert office.teams.cards[-1].headline.title == "All 4 answered"
    assert office.direct(MEGAN) == []  # no second question
    assert len(await office.records(MEGAN)) == 1


async def test_the_inbox_that_is_asked_for_here_comes_here(office: Office) -> None:
    office.teams.reached.add(MEGAN)
    await office.start()
    said = await office.type(MEGAN, "inbox")
    assert "direct messages" in said
    assert "4 seats to check" in words(office.newest(MEGAN).blocks)
    assert office.teams.cards[-1].kind == "review.moved"


async def test_whom_slack_does_not_know_is_reached_elsewhere(office: Office) -> None:
    del office.workspace.users[USERS[MEGAN]]
    office.teams.reached.add(MEGAN)
    await office.start()
    assert [card.kind for card in office.teams.cards] == ["review.wave"]


async def test_whom_no_chat_knows_is_left_as_not_reached(office: Office) -> None:
    del office.workspace.users[USERS[MEGAN]]
    await office.start()
    async with office.core.work.read() as reading:
        assert await reading.items.without_card(office.core.campaign_id) == [MEGAN]


async def test_a_message_is_updated_and_not_posted_again_by_a_process_that_starts_anew(office: Office) -> None:
    await office.start()
    [before] = await office.records(MEGAN)
    wave = await office.core.waves.wave(office.core.campaign_id, MEGAN)
    assert wave is not None
    office.workspace.calls.clear()
    fresh = Outbox(
        work=office.core.work,
        clock=office.core.clock,
        tokens=office.core.tokens,
        transports=(office.teams, office.channel.transport),
        zone_of=in_utc,
    )
    await fresh.deliver(MEGAN, WaveNotice(wave=wave))
    [after] = await office.records(MEGAN)
    assert len(office.direct(MEGAN)) == 1
    assert (after.id, after.external_id, after.version) == (before.id, before.external_id, before.version + 1)
    assert len(office.workspace.of("chat.update")) == 1


@pytest.mark.parametrize(
    "text", ["help", "seats mine", "why ada", "history", "campaigns", "status --by-reviewer", "spend"]
)
async def test_every_kind_of_answer_is_taken_by_slack(office: Office, text: str) -> None:
    await office.start()
    assert len(await office.type(ALLAN, text)) > 100
    assert not [m for m in office.workspace.messages.values() if m.ephemeral_for and "did not work" in m.text]
