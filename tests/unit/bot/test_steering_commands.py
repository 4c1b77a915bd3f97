"""The verbs that steer a running campaign and name owners: what their words mean, and what is asked first."""

from dataclasses import replace
from datetime import date

import pytest

from cards.view import CardView, Strip
from reclaim.errors import InvalidRequest, NotFound
from tests.golden.cards import models
from tests.unit.bot.fakes import ADMIN, MANAGER, NOBODY, OPERATOR, Bot, ticked
from tests.unit.bot.test_review_clicks import fields, strips


def said(card: CardView | None) -> str:
    texts = [part.text for part in card.body if isinstance(part, Strip)] if card else []
    return texts[0] if texts else ""


async def run(bot: Bot, text: str, who: object = MANAGER) -> CardView:
    reply = await bot.router.command(bot.command(who, text))  # type: ignore[arg-type]
    return reply.cards[0]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ('reassign "Q4 seat clean-up" "Megan Bowen" --to nora', ("reassign", "c0ffee", "Megan Bowen", "nora")),
        ("reassign unknown --to nora", ("reassign", "c0ffee", "unknown", "nora")),
        ("reassign Unknown Bowen --to nora", ("reassign", "c0ffee", "Unknown Bowen", "nora")),
        ('reassign --seat "Adele Vance" --to nora', ("reassign_seat", "c0ffee", "Adele Vance", "nora")),
        ('extend "Q4 seat clean-up" 2026-12-11', ("extend", "c0ffee", date(2026, 12, 11))),
        ("extend 2026-12-11", ("extend", "c0ffee", date(2026, 12, 11))),
        ("nudge", ("nudge", "c0ffee", None)),
        ("nudge unknown", ("nudge", "c0ffee", "unknown")),
        ("nudge Q4", ("nudge", "c0ffee", None)),
        ('owner "Visio Plan 2" "Megan Bowen"', ("owner", models.VISIO, "Megan Bowen", False)),
        ("owner Visio Plan 2 Megan Bowen", ("owner", models.VISIO, "Megan Bowen", False)),
        ('owner "Visio Plan 2" group "Design owners"', ("owner", models.VISIO, "Design owners", True)),
        ("owner Visio Plan 2 --none", ("no_owner", models.VISIO)),
    ],
)
async def test_the_words_of_a_command_are_read_with_and_without_quotation_marks(text: str, call: object) -> None:
    bot = Bot()
    bot.core.campaign_names = {"Q4 seat clean-up", "Q4"}

    await run(bot, text)

    assert bot.core.calls[-1] == call


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("reassign nobody", "Please say to whom: --to PERSON"),
        ("reassign --to nora", "Please name the reviewer whose seats move"),
        ("reassign unknown --seat adele --to nora", "either a reviewer or --seat"),
        ("extend", "Please say until when"),
        ("extend 11/12", "is not a clear date"),
        ("nudge a b c", "in quotation marks"),
        ("owner vizio megan", "No SKU is called “vizio”"),
        ('owner "Visio Plan 2"', "Please name a person"),
    ],
)
async def test_what_does_not_fit_says_what_is_missing(text: str, words: str) -> None:
    bot = Bot()
    bot.core.campaign_names = set()

    card = await run(bot, text)

    assert words in card.fallback
    assert bot.core.calls == []


async def test_seats_that_stay_are_said_with_the_reason() -> None:
    bot = Bot()
    bot.core.campaign_names = set()

    card = await run(bot, "reassign unknown --to nora")

    assert said(card) == ("✓ 4 seats are with Nora Patel now. 1 stays where it is: nobody decides a seat of their own.")


async def test_cancel_asks_first_in_chat_and_not_at_the_command_line() -> None:
    bot = Bot()
    step = await run(bot, 'cancel --reason "wrong list"')
    assert bot.core.calls == []
    reply = await bot.router.action(bot.click(ADMIN, "cancel.submit", inputs={"reason": " wrong list "}))
    await run(bot, "cancel --reason twice", OPERATOR)

    assert (step.kind, fields(step)["reason"].value) == ("campaign.cancelling", "wrong list")
    assert bot.core.calls == [("cancel", "c0ffee", "wrong list"), ("cancel", "c0ffee", "twice")]
    assert reply.replace is not None
    assert reply.replace.kind == "campaign.status"


async def test_a_reason_that_is_too_long_comes_back_at_its_field() -> None:
    bot = Bot()
    bot.core.error = InvalidRequest("Please use at most 500 characters.", field="reason")

    reply = await bot.router.action(bot.click(ADMIN, "cancel.submit", inputs={"reason": "x" * 600}))

    assert reply.error
    assert fields(reply.replace)["reason"].error == "Please use at most 500 characters."


async def test_remind_now_is_the_same_from_the_button_and_says_when_again() -> None:
    bot = Bot()
    reply = await bot.router.action(bot.click(ADMIN, "nudge.run"))
    bot.core.nudged = replace(bot.core.nudged, reminded=0, waiting=7)
    again = await run(bot, "nudge")

    assert said(reply.replace) == (
        "✓ 5 people are reminded now. 2 others were reminded in the last 24 hours. Next possible: 4 Dec 2026, 17:00."
    )
    assert said(again) == "All 7 were reminded in the last 24 hours. Next possible: 4 Dec 2026, 17:00."
    assert bot.core.calls == [("nudge", "c0ffee", None)] * 2


async def test_owner_lists_those_without_one_first_and_offers_to_read_groups() -> None:
    card = await run(Bot(), "owner")

    assert (card.headline.title, card.headline.amount) == ("License owners", "1 without")
    assert [action.verb for part in card.body if isinstance(part, Strip) for action in part.actions] == ["sync.run"]


async def test_a_typo_in_a_name_is_said() -> None:
    bot = Bot()
    bot.core.error = NotFound("Nobody matches “Megn”. Did you mean Megan Bowen?")

    card = await run(bot, 'owner "Visio Plan 2" Megn')

    assert "Did you mean Megan Bowen?" in card.fallback


@pytest.mark.parametrize(("verb", "ref"), [("wave.delegate.submit", "c0ffee"), ("item.delegate.submit", "i01")])
async def test_the_delegate_form_takes_all_open_seats_along_where_ticked(verb: str, ref: str) -> None:
    bot = Bot()
    form = {**ticked("i01"), "who": "lynne", "reason": "Leads the project", "all": "true"}

    reply = await bot.router.action(bot.click(NOBODY, verb, ref, inputs=form, key="k"))

    assert bot.core.calls[-1] == ("delegate", ("i01",), MANAGER, "Leads the project", "k", "others")
    assert "✓ You passed 4 seats to Lynne Robbins." in strips(reply.replace)
    assert reply.replace is not None
    assert reply.replace.kind == "review.wave"


async def test_the_tick_for_the_others_stands_only_where_there_are_others() -> None:
    bot = Bot()
    bot.core.item_shown = models.view(others_open=1)
    alone = await bot.router.action(bot.click(NOBODY, "item.delegate", "i01"))
    bot.core.item_shown = models.view(others_open=3)
    more = await bot.router.action(bot.click(NOBODY, "item.delegate", "i01"))

    assert "all" not in fields(alone.replace)
    assert fields(more.replace)["all"].label == "Also my other 2 open seats in this campaign"


async def test_a_delegated_seat_goes_back_with_one_tap() -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(NOBODY, "item.give_back", "i01", key="k"))

    assert bot.core.calls == [("give_back", "i01", "k")]
    assert reply.replace is not None
    assert reply.replace.kind == "review.item"
