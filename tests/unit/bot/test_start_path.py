"""From the money to a campaign: a SKU, its seats ticked over pages, the form, the preview, the start; then steering."""

from dataclasses import replace

import pytest

from bot.inbound import Reply
from bot.seat_list import decode
from cards.view import Action, CardView, Input, Row, Rows, Strip
from reclaim.domain.campaign import Scope, Silence, Strategy, WriteMode
from reclaim.domain.idle import Rule
from reclaim.errors import Conflict, GuardrailExceeded, InvalidRequest
from tests.golden.cards import models
from tests.unit.bot.fakes import ADMIN, AUDITOR, MANAGER, Bot

FORM = {
    "name": "Clear cases",
    "days": "180",
    "rules": "disabled",
    "sku": "visio",
    "strategy": "person",
    "reviewer": "lynne",
    "fallback": "allan",
    "until": "2026-12-04",
    "silence": "recommendation",
    "dry_run": "true",
}


def only(reply: Reply) -> CardView:
    cards = [*([reply.replace] if reply.replace else []), *reply.cards]
    assert len(cards) == 1, reply
    return cards[0]


def button(card: CardView, label: str) -> Action:
    inside = [action for part in card.body if isinstance(part, Strip) for action in part.actions]
    return next(action for action in (*card.actions, *inside) if action.label == label)


def boxes(card: CardView) -> dict[str, bool]:
    found = [row for part in card.body if isinstance(part, Rows) for row in part.rows]
    return {row.tick: row.ticked for row in found if isinstance(row, Row) and row.tick}


def fields(card: CardView) -> dict[str, Input]:
    return {part.id: part for part in card.body if isinstance(part, Input)}


async def click(bot: Bot, card: CardView, label: str, inputs: dict[str, str] | None = None) -> Reply:
    action = button(card, label)
    return await bot.router.action(bot.click(ADMIN, action.verb, action.ref, inputs=inputs))


async def test_ticks_over_pages_become_the_scope_of_the_campaign() -> None:
    bot = Bot()
    first = only(await bot.router.action(bot.click(ADMIN, "spend.seats", "visio")))
    seats = list(boxes(first))

    second = only(await click(bot, first, "Next 10", {seats[0]: "true", seats[1]: "false"}))
    assert boxes(second)[seats[0]]
    form = only(await click(bot, second, "Reclaim as certification…", {seats[2]: "true"}))
    preview = only(await bot.router.action(bot.click(ADMIN, "start.preview", button(form, "Preview").ref, inputs=FORM)))
    launched = only(await click(bot, preview, "Start, ask 1 person"))

    [draft] = bot.core.drafts.values()
    assert draft.scope == Scope(days=90, seat_ids=tuple(sorted(one[2:] for one in (seats[0], seats[2]))))
    assert form.kind == "campaign.form"
    assert "days" not in fields(form)
    assert preview.kind == "campaign.preview"
    assert launched.kind == "campaign.launched"
    assert bot.core.calls[-1] == ("launch", draft.ref)


async def test_unticking_a_seat_on_a_later_visit_takes_it_out_again() -> None:
    bot = Bot()
    card = only(await bot.router.action(bot.click(ADMIN, "spend.seats", "visio")))
    seat = next(iter(boxes(card)))
    card = only(await click(bot, card, "Next 10", {seat: "true"}))

    card = only(await click(bot, card, "Previous 10", {seat: "false"}))

    assert not boxes(card)[seat]


async def test_take_all_reads_every_page_and_untick_all_clears() -> None:
    bot = Bot()
    card = only(await bot.router.action(bot.click(ADMIN, "spend.seats", "visio")))

    card = only(await click(bot, card, "Take all 22"))
    [draft] = bot.core.drafts.values()
    assert len(draft.scope.seat_ids) == len(models.SEAT_ROWS)
    await click(bot, card, "Untick all")

    assert next(iter(bot.core.drafts.values())).scope.seat_ids == ()


async def test_a_filter_narrows_the_list() -> None:
    bot = Bot()
    card = only(await bot.router.action(bot.click(ADMIN, "spend.seats", "all")))

    await click(bot, card, "Disabled")

    assert bot.core.seat_filters[-1].rules == (Rule.DISABLED,)
    assert bot.core.seat_filters[-1].product_id is None


async def test_nothing_ticked_starts_nothing() -> None:
    bot = Bot()
    card = only(await bot.router.action(bot.click(ADMIN, "spend.seats", "visio")))

    reply = await click(bot, card, "Reclaim as certification…")

    assert reply.toast == "Tick at least one seat."


async def test_an_auditor_sees_the_seats_without_boxes_and_leaves_no_draft() -> None:
    bot = Bot()

    card = only(await bot.router.action(bot.click(AUDITOR, "spend.seats", "visio")))
    turned = only(await bot.router.action(bot.click(AUDITOR, "seats.page", button(card, "Next 10").ref)))

    assert boxes(card) == boxes(turned) == {}
    assert bot.core.drafts == {}


async def test_a_draft_of_somebody_else_is_not_found() -> None:
    bot = Bot()
    card = only(await bot.router.action(bot.click(ADMIN, "spend.seats", "visio")))

    reply = await bot.router.action(bot.click(MANAGER, "seats.take_all", button(card, "Take all 22").ref))

    assert reply.toast == "There is no such draft."


@pytest.mark.parametrize(
    "ref", ["", "a:b", "-:-:x:-:1", "-:-:90:strange:1", "-:-:90:-:99999", "-:-:-1:-:1", "-:-:90:-:1:2"]
)
async def test_a_reference_that_no_card_carries_is_refused(ref: str) -> None:
    with pytest.raises(InvalidRequest):
        decode(ref)

    bot = Bot()
    reply = await bot.router.action(bot.click(ADMIN, "seats.page", ref or "x"))
    assert reply.error


async def test_the_form_is_read_field_by_field() -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))

    preview = only(await bot.router.action(bot.click(ADMIN, "start.preview", button(form, "Preview").ref, inputs=FORM)))

    [draft] = bot.core.drafts.values()
    assert replace(draft, ref="", by=ADMIN, due=draft.due) == replace(
        draft,
        ref="",
        name="Clear cases",
        scope=Scope(days=180, product_ids=(models.VISIO,), rules=("disabled",)),
        strategy=Strategy.PERSON,
        reviewer_id=MANAGER,
        fallback_id=ADMIN,
        silence=Silence.RECOMMENDATION,
        mode=WriteMode.DRY_RUN,
    )
    assert draft.due.isoformat() == "2026-12-04"
    assert preview.kind == "campaign.preview"


async def test_the_form_begins_with_the_installations_defaults() -> None:
    bot = Bot()

    form = only(await bot.router.command(bot.command(ADMIN, "start Winter --days 60")))

    found = fields(form)
    assert {name: found[name].value for name in ("name", "days", "strategy", "silence", "dry_run", "until")} == {
        "name": "Winter",
        "days": "60",
        "strategy": "manager",
        "silence": "keep",
        "dry_run": "false",
        "until": "2026-12-03",
    }
    assert found["fallback"].value_label == "Lynne Robbins"


async def test_an_installation_set_to_dry_run_starts_no_live_campaign() -> None:
    bot = Bot(writes=WriteMode.DRY_RUN)
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))

    await bot.router.action(
        bot.click(ADMIN, "start.preview", button(form, "Preview").ref, inputs={**FORM, "dry_run": "false"})
    )

    assert "dry_run" not in fields(form)
    assert next(iter(bot.core.drafts.values())).mode is WriteMode.DRY_RUN


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"days": "-3"}, "days"),
        ({"rules": "idle; drop"}, "rules"),
        ({"until": ""}, "until"),
        ({"until": "4/12"}, "until"),
        ({"strategy": "nobody"}, "strategy"),
        ({"silence": "delete"}, "silence"),
        ({"dry_run": "maybe"}, "dry_run"),
        ({"reviewer": "a b"}, "reviewer"),
    ],
)
async def test_a_field_that_cannot_be_read_is_marked_and_the_rest_stays(wrong: dict[str, str], field: str) -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))

    reply = await bot.router.action(
        bot.click(ADMIN, "start.preview", button(form, "Preview").ref, inputs={**FORM, **wrong})
    )

    assert reply.error
    found = fields(only(reply))
    assert found[field].error
    assert found["name"].value == "Clear cases"


@pytest.mark.parametrize(
    "error",
    [
        GuardrailExceeded("This campaign has 900 seats. The limit is 500.", selected=900, limit=500, hard=True),
        Conflict("The tenant was not read yet."),
    ],
)
async def test_what_is_wrong_with_the_whole_form_stands_above_it(error: GuardrailExceeded | Conflict) -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))
    bot.core.error = error

    card = only(await bot.router.action(bot.click(ADMIN, "start.preview", button(form, "Preview").ref, inputs=FORM)))

    assert [part.text for part in card.body if isinstance(part, Strip)] == [error.message]


async def test_change_leads_back_and_discard_ends() -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))
    ref = button(form, "Preview").ref

    assert only(await bot.router.action(bot.click(ADMIN, "start.change", ref))).kind == "campaign.form"
    assert only(await bot.router.action(bot.click(ADMIN, "start.discard", ref))).kind == "campaign.discarded"


async def test_close_early_asks_first() -> None:
    bot = Bot()

    step = only(await bot.router.action(bot.click(ADMIN, "close.early")))
    assert bot.core.calls == []
    done = only(await click(bot, step, "Close early"))

    assert bot.core.calls == [("close", models.CAMPAIGN)]
    assert done.kind == "campaign.status"


async def test_freeze_and_resume_need_a_reason_and_a_second_admin() -> None:
    bot = Bot()

    asked = only(await bot.router.action(bot.click(ADMIN, "resume.submit", "all", inputs={"reason": " Checked "})))
    frozen = only(await bot.router.action(bot.click(ADMIN, "freeze.submit", "all", inputs={"reason": "Wrong seats"})))
    confirmed = only(await bot.router.action(bot.click(ADMIN, "resume.confirm", "r1")))

    assert bot.core.calls == [("ask_resume", "Checked"), ("freeze", "Wrong seats"), ("confirm_resume", "r1")]
    assert asked.actions == ()
    assert [action.label for action in frozen.actions] == ["Resume…"]
    assert confirmed.headline.title == "Removals are not frozen."


async def test_another_admin_finds_the_confirm_by_command_and_the_asker_does_not() -> None:
    bot = Bot()
    bot.core.frozen = replace(models.ASKED, resume_by=MANAGER)
    other = only(await bot.router.command(bot.command(ADMIN, "resume")))
    bot.core.frozen = replace(models.ASKED, resume_by=ADMIN)
    asker = only(await bot.router.command(bot.command(ADMIN, "resume")))

    assert [action.verb for action in other.actions] == ["resume.confirm"]
    assert asker.actions == ()


async def test_a_freeze_without_a_reason_comes_back() -> None:
    bot = Bot()
    bot.core.error = InvalidRequest("Please say in one sentence why.", field="reason")

    card = only(await bot.router.action(bot.click(ADMIN, "freeze.submit", "all", inputs={"reason": ""})))

    assert fields(card)["reason"].error == "Please say in one sentence why."


async def test_evidence_comes_as_files() -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(AUDITOR, "export.get"))

    assert [file.name for file in reply.files] == ["attestation.csv"]
