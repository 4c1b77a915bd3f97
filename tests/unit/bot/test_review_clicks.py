"""A reviewer's clicks: what is ticked is answered, forms come back with their input, the list is read again."""

from dataclasses import replace
from datetime import date

import pytest

from cards.view import CardView, Input, Row, Rows, Strip
from reclaim.domain.review import Choice, DataLoss, KeepReason, Recommendation
from reclaim.errors import InvalidRequest
from tests.golden.cards import models
from tests.unit.bot.fakes import MANAGER, NOBODY, Bot, ticked

KEEP = {"reason": "seasonal", "until": "2027-01-12", "note": " Needed again in January "}


def fields(card: CardView | None) -> dict[str, Input]:
    return {part.id: part for part in card.body if isinstance(part, Input)} if card else {}


def rows(card: CardView | None) -> list[Row]:
    return [row for part in card.body if isinstance(part, Rows) for row in part.rows] if card else []


def strips(card: CardView | None) -> list[str]:
    return [part.text for part in card.body if isinstance(part, Strip)] if card else []


async def test_revoke_answers_what_is_ticked_and_keeps_the_boxes() -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, "wave.revoke", inputs=ticked("i01", "i03"), key="k9"))

    assert bot.core.calls[-1] == ("decide", ("i01", "i03"), Choice.REVOKE, "k9", True, None, None, None)
    assert bot.core.calls[0][0] == "keep_ticks"
    assert reply.replace is not None
    assert reply.replace.kind == "review.wave"


@pytest.mark.parametrize("verb", ["wave.revoke", "wave.keep", "wave.delegate", "wave.not_sure"])
async def test_nothing_ticked_is_said_and_leaves_the_card_alone(verb: str) -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, verb, inputs=ticked()))

    assert reply.toast == "Tick at least one seat."
    assert reply.replace is None


@pytest.mark.parametrize("inputs", [{"t.i01": "yes"}, {f"t.{number}": "true" for number in range(201)}])
async def test_boxes_that_no_card_sends_are_refused(inputs: dict[str, str]) -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, "wave.revoke", inputs=inputs))

    assert reply.error
    assert bot.core.calls == []


async def test_keep_against_the_recommendation_asks_for_a_reason_and_lists_the_seats() -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, "wave.keep", inputs=ticked("i01", "i05")))

    assert reply.replace is not None
    assert reply.replace.kind == "review.keep"
    assert [row.tick for row in rows(reply.replace)] == ["t.i01", "t.i05"]


async def test_keep_of_what_needs_a_closer_look_is_one_tap() -> None:
    bot = Bot()

    await bot.router.action(bot.click(NOBODY, "wave.keep", inputs=ticked("i05")))

    assert bot.core.calls[-1][:3] == ("decide", ("i05",), Choice.KEEP)


async def test_the_keep_form_answers_for_the_seats_still_ticked_in_it() -> None:
    bot = Bot()

    await bot.router.action(bot.click(NOBODY, "wave.keep.submit", inputs={**ticked("i02"), **KEEP}, key="k"))

    assert bot.core.calls[-1] == (
        "decide", ("i02",), Choice.KEEP, "k", True, KeepReason.SEASONAL, "Needed again in January", date(2027, 1, 12),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"reason": "because"}, "reason", "Please pick one of these."),
        ({"until": "12/1"}, "until", "“12/1” is not a clear date. Example: 2026-12-04"),
        ({"note": "x" * 1001}, "note", "Please use at most 1,000 characters."),
    ],
)
@pytest.mark.parametrize(("verb", "ref"), [("wave.keep.submit", "c0ffee"), ("item.keep.submit", "i01")])
async def test_a_mistake_in_a_form_stands_at_its_field_and_the_input_stays(
    verb: str, ref: str, wrong: dict[str, str], field: str, said: str
) -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, verb, ref, inputs={**ticked("i01"), **KEEP, **wrong}))

    found = fields(reply.replace)
    assert found[field].error == said
    assert found["note"].value == {**KEEP, **wrong}["note"]
    assert reply.error
    assert not [call for call in bot.core.calls if call[0] == "decide"]


async def test_what_the_domain_refuses_stands_at_its_field_too() -> None:
    bot = Bot()
    bot.core.error = InvalidRequest("Please pick a date up to 22 May 2027.", field="until")

    reply = await bot.router.action(bot.click(NOBODY, "item.keep.submit", "i01", inputs=KEEP))

    assert fields(reply.replace)["until"].error == "Please pick a date up to 22 May 2027."


async def test_delegate_hands_over_what_is_ticked() -> None:
    bot = Bot()
    form = {"who": "lynne", "reason": "Leads the project"}

    reply = await bot.router.action(
        bot.click(NOBODY, "wave.delegate.submit", inputs={**ticked("i01", "i02"), **form}, key="k")
    )

    assert bot.core.calls[-1] == ("delegate", ("i01", "i02"), MANAGER, "Leads the project", "k")
    assert "✓ You passed 2 seats to Lynne Robbins." in strips(reply.replace)


@pytest.mark.parametrize(
    ("inputs", "field"),
    [({"reason": "x"}, "who"), ({"who": "lynne"}, "reason"), ({"who": "<b>", "reason": "x"}, "who")],
)
async def test_an_incomplete_delegation_comes_back(inputs: dict[str, str], field: str) -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, "item.delegate.submit", "i01", inputs=inputs))

    assert fields(reply.replace)[field].error


async def test_the_domains_note_is_the_delegate_forms_reason() -> None:
    bot = Bot()
    bot.core.error = InvalidRequest("Please use at most 1,000 characters.", field="note")

    reply = await bot.router.action(
        bot.click(NOBODY, "item.delegate.submit", "i01", inputs={"who": "lynne", "reason": "x"})
    )

    assert fields(reply.replace)["reason"].error == "Please use at most 1,000 characters."
    assert fields(reply.replace)["who"].value_label == "Lynne Robbins"


async def test_pages_turn_and_keep_the_boxes() -> None:
    bot = Bot()

    await bot.router.action(bot.click(NOBODY, "wave.next", inputs=ticked("i01")))
    await bot.router.action(bot.click(NOBODY, "wave.previous", inputs={}))

    assert [call for call in bot.core.calls if call[0] == "turn_page"] == [("turn_page", 1), ("turn_page", -1)]
    assert bot.core.calls[0][0] == "keep_ticks"


async def test_undo_takes_back_the_batch_of_the_button() -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, "batch.undo", batch="b1", key="k"))
    without = await bot.router.action(bot.click(NOBODY, "batch.undo"))

    assert bot.core.calls == [("undo", "b1", "k")]
    assert strips(reply.replace)[0] == "Undone. 4 seats are open again."
    assert without.toast == "There is nothing to undo here."


@pytest.mark.parametrize(
    ("verb", "choice"),
    [("item.revoke", Choice.REVOKE), ("item.not_sure", Choice.NOT_SURE), ("item.undo", Choice.WITHDRAWN)],
)
async def test_one_seat_is_answered_alone(verb: str, choice: Choice) -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, verb, "i01", key="k"))

    assert bot.core.calls == [("decide", ("i01",), choice, "k", False, None, None, None)]
    assert reply.replace is not None
    assert reply.replace.kind == "review.item"


async def test_keep_of_one_seat_asks_only_against_the_recommendation() -> None:
    bot = Bot()
    asked = await bot.router.action(bot.click(NOBODY, "item.keep", "i01"))
    item = replace(models.ITEMS[0], recommendation=Recommendation.LOOK_CLOSER)
    bot.core.item_shown = models.view(item)

    await bot.router.action(bot.click(NOBODY, "item.keep", "i01"))

    assert asked.replace is not None
    assert asked.replace.kind == "review.keep"
    assert bot.core.calls[-1][:3] == ("decide", ("i01",), Choice.KEEP)


async def test_a_form_on_a_seat_that_was_answered_meanwhile_shows_its_state() -> None:
    bot = Bot()
    bot.core.item_shown = models.view(models.REVOKED[0])

    reply = await bot.router.action(bot.click(NOBODY, "item.delegate", "i01"))

    assert reply.error
    assert reply.replace is not None
    assert reply.replace.kind == "review.item"


async def test_details_keep_the_boxes_of_the_list() -> None:
    bot = Bot()

    await bot.router.action(bot.click(NOBODY, "item.open", "i01", inputs=ticked("i02")))

    assert bot.core.calls[0][0] == "keep_ticks"


async def test_take_back_why_untick_and_answers_are_drawn() -> None:
    bot = Bot()
    drawn = {
        verb: (await bot.router.action(bot.click(NOBODY, verb, ref))).replace
        for verb, ref in (
            ("item.take_back", "i01"),
            ("item.why", "i01"),
            ("wave.untick", "c0ffee"),
            ("wave.show", "c0ffee"),
            ("wave.show", "c0ffee:2"),
        )
    }

    assert {verb: card.kind if card else None for verb, card in drawn.items()} == {
        "item.take_back": "review.item",
        "item.why": "review.why",
        "wave.untick": "review.wave",
        "wave.show": "review.answers",
    }


async def test_a_list_without_seats_for_this_person_has_no_buttons() -> None:
    bot = Bot()
    bot.core.wave_shown = None

    reply = await bot.router.action(bot.click(NOBODY, "wave.open"))

    assert reply.replace is not None
    assert reply.replace.actions == ()


def with_mailbox(bot: Bot) -> None:
    item = replace(models.ITEMS[0], plan=models.MAILBOX, recommendation=Recommendation.LOOK_CLOSER)
    bot.core.item_shown = models.view(item)


async def test_a_seat_with_the_last_mailbox_asks_for_a_tick_and_names_the_day_it_dies() -> None:
    bot = Bot()
    with_mailbox(bot)

    asked = await bot.router.action(bot.click(NOBODY, "item.lose", ref="i01"))
    refused = await bot.router.action(bot.click(NOBODY, "item.lose.submit", ref="i01", inputs={"sure": "false"}))

    assert asked.replace is not None
    assert "the mailbox is deleted about" in fields(asked.replace)["sure"].label
    assert refused.replace is not None
    assert fields(refused.replace)["sure"].error == "Tick the box, or go back: nothing is decided yet."
    assert not any(call[0] == "decide" for call in bot.core.calls)


@pytest.mark.parametrize(
    ("verb", "inputs", "loss"),
    [("item.lose.submit", {"sure": "true"}, DataLoss.ANYWAY), ("item.convert", {}, DataLoss.CONVERT_FIRST)],
)
async def test_what_becomes_of_the_data_goes_with_the_answer(verb: str, inputs: dict[str, str], loss: DataLoss) -> None:
    bot = Bot()
    with_mailbox(bot)

    await bot.router.action(bot.click(NOBODY, verb, ref="i01", inputs=inputs, key="k9"))

    assert bot.core.calls[-1] == ("decide", ("i01",), Choice.REVOKE, "k9", False, None, None, None, loss)
