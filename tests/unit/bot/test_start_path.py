"""From the money to a campaign: a SKU, its seats ticked over pages, the form, the preview, the start; then steering."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.inbound import Reply
from bot.seat_list import decode
from cards.view import Action, CardView, Input, Row, Rows, Strip
from reclaim.domain.campaign import Campaign, Scope, Silence, Strategy, WriteMode
from reclaim.domain.idle import Rule
from reclaim.domain.ids import ProductId
from reclaim.errors import Conflict, GuardrailExceeded, InvalidRequest
from tests.golden.cards import models
from tests.unit.bot.fakes import ADMIN, AUDITOR, MANAGER, NOBODY, OPERATOR, Bot

FORM = {
    "name": "Clear cases",
    "days": "180",
    "disabled": "true",
    "never": "false",
    "sku.visio": "true",
    "department": "Sales; Marketing",
    "listed": "adele@contoso.com",
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
    launched = only(await click(bot, preview, "Start, ask 8 people"))

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
        scope=Scope(
            days=180,
            product_ids=(models.VISIO,),
            rules=("idle", "disabled"),
            departments=("Sales; Marketing",),
            person_ids=(NOBODY,),
        ),
        listed="adele@contoso.com",
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
        ({"days": "other", "other_days": "ten"}, "other_days"),
        ({"days": "other", "other_days": "29"}, "other_days"),
        ({"days": "none", "disabled": "false"}, "days"),
        ({"disabled": "perhaps"}, "disabled"),
        ({"listed": "é" * 6_001}, "listed"),
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

    assert next(part.text for part in card.body if isinstance(part, Strip)) == error.message


@pytest.mark.parametrize(
    ("preset", "set_to"),
    [
        ("Clear cases", {"days": "180", "disabled": "true", "never": "true", "until": "2026-11-28"}),
        ("Broad", {"days": "90", "disabled": "true", "never": "true", "until": "2026-12-03"}),
        ("Own choice", {"days": "90", "disabled": "true", "never": "true", "until": "2026-12-03"}),
    ],
)
async def test_a_preset_sets_its_fields_and_keeps_the_others(preset: str, set_to: dict[str, str]) -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))

    card = only(await click(bot, form, preset, {**FORM, "name": "Mine", "disabled": "false"}))

    found = fields(card)
    assert {name: found[name].value for name in set_to} == set_to
    assert (found["name"].value, found["silence"].value) == ("Mine", "recommendation")


async def test_a_preset_that_no_card_carries_is_refused() -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))

    reply = await bot.router.action(bot.click(ADMIN, "start.preset", f"{button(form, 'Preview').ref}:everything"))

    assert reply.toast == "“everything” is no preset. Choose one of: clear, broad, own."


async def test_an_own_window_and_ticks_alone_come_back_to_the_form_as_they_were() -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))
    ref = button(form, "Preview").ref
    own = {**FORM, "days": "other", "other_days": "45", "disabled": "false"}
    preview = only(await bot.router.action(bot.click(ADMIN, "start.preview", ref, inputs=own)))
    again = fields(only(await click(bot, preview, "Change")))
    assert (again["days"].value, again["other_days"].value, again["disabled"].value) == ("other", "45", "false")
    assert again["listed"].value == "adele@contoso.com"

    await bot.router.action(bot.click(ADMIN, "start.preview", ref, inputs={**FORM, "days": "none"}))

    assert bot.core.drafts[ref].scope.rules == ("disabled",)
    again = fields(only(await bot.router.action(bot.click(ADMIN, "start.change", ref))))
    assert (again["days"].value, again["disabled"].value, again["never"].value) == ("none", "true", "false")


async def test_a_form_without_anybody_to_stand_in_is_refused_where_the_installation_has_nobody() -> None:
    bot = Bot()
    bot.router._services = replace(bot.services, policy=replace(bot.services.policy, fallback_reviewer=None))
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))

    card = only(
        await bot.router.action(
            bot.click(ADMIN, "start.preview", button(form, "Preview").ref, inputs={**FORM, "fallback": ""})
        )
    )

    assert fields(card)["fallback"].error == "Please pick a person."


async def test_every_option_fills_its_field() -> None:
    bot = Bot()
    text = (
        'start Winter --preset clear --disabled --sku "Visio Plan 2" --sku VISIO2 --department Sales --person Adele'
        " --person Lynne --reviewer Lynne --fallback Allan --until 2026-12-24 --silence remove --dry-run"
    )
    bot.core.product = _any_product  # type: ignore[method-assign]

    form = only(await bot.router.command(bot.command(ADMIN, text)))

    [asked] = bot.core.scopes
    assert (asked.days, asked.rules, asked.skus) == (180, ("disabled", "idle"), ("Visio Plan 2", "VISIO2"))
    assert (asked.departments, asked.listed, asked.csv_only) == (("Sales",), "Adele\nLynne", False)
    [draft] = bot.core.drafts.values()
    assert (draft.strategy, draft.reviewer_id, draft.fallback_id) == (Strategy.PERSON, MANAGER, ADMIN)
    assert (draft.due.isoformat(), draft.silence, draft.mode) == ("2026-12-24", Silence.REMOVE, WriteMode.DRY_RUN)
    assert fields(form)["listed"].value == "Adele\nLynne"


async def _any_product(text: str) -> ProductId:
    return models.VISIO


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start --until 4/12", "“4/12” is not a clear date. Example: 2026-12-04"),
        ("start --silence delete", "“delete” does not fit --silence. Choose one of: keep, recommendation, remove."),
        ("start --reviewers horoscope", "“horoscope” does not fit --reviewers."),
        ("start --preset huge", "“huge” is no preset. Choose one of: clear, broad, own."),
        ("start --sku Vizio", "No SKU is called “Vizio”. Did you mean Visio Plan 2?"),
        ("start --days many", "“many” is not a whole number."),
        ("start --csv seats.csv", "--csv reads a file on the command line only."),
        ("start --rules all", "“--rules” is not known here."),
    ],
)
async def test_an_option_that_does_not_fit_is_said_with_what_does(text: str, said: str) -> None:
    bot = Bot()

    card = only(await bot.router.command(bot.command(ADMIN, text)))

    assert card.kind == "bad_argument"
    assert card.fallback.startswith(said)
    assert bot.core.drafts == {}


async def test_the_command_line_simulates_a_file_and_leaves_nothing_behind() -> None:
    bot = Bot()
    csv = "person,sku\nadele@contoso.com,VISIOCLIENT\n"

    card = only(await bot.router.command(bot.command(OPERATOR, "simulate --csv seats.csv", files={"seats.csv": csv})))

    assert (card.kind, card.actions) == ("campaign.simulation", ())
    assert (bot.core.scopes[0].listed, bot.core.scopes[0].csv_only) == (csv, True)
    assert bot.core.drafts == {}


async def test_a_simulation_leads_into_the_form_and_cannot_be_launched_itself() -> None:
    bot = Bot()
    card = only(await bot.router.command(bot.command(ADMIN, "simulate Winter --days 60")))
    [looked_at] = bot.core.drafts.values()
    assert looked_at.simulated

    form = only(await click(bot, card, "Start…"))

    draft = bot.core.drafts[button(form, "Preview").ref]
    assert (draft.simulated, draft.name, draft.scope.days) == (False, "Winter", 60)
    assert draft.ref != looked_at.ref
    assert fields(form)["days"].value == "60"


async def test_an_auditor_may_look_at_a_simulation_and_its_seats_but_not_start_it() -> None:
    bot = Bot()
    card = only(await bot.router.command(bot.command(AUDITOR, "simulate")))
    assert [action.label for action in card.actions] == ["Show the seats"]

    seats = only(await bot.router.action(bot.click(AUDITOR, card.actions[0].verb, card.actions[0].ref)))
    assert seats.back is not None
    back = only(await bot.router.action(bot.click(AUDITOR, seats.back.verb, seats.back.ref)))

    assert (seats.kind, back.kind) == ("campaign.items", "campaign.simulation")
    refused = await bot.router.action(bot.click(AUDITOR, "start.simulated", seats.back.ref))
    assert "needs the role" in (refused.toast or "")


async def test_the_seats_of_a_preview_turn_their_pages() -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))
    ref = button(form, "Preview").ref
    preview = only(await bot.router.action(bot.click(ADMIN, "start.preview", ref, inputs=FORM)))

    first = only(await click(bot, preview, "Show the seats"))
    await click(bot, first, "Next 10")

    assert bot.core.calls[-2:] == [("start_seats", ref, 1), ("start_seats", ref, 2)]


async def test_a_second_admin_is_asked_and_confirms_or_declines() -> None:
    bot = Bot()

    asked = only(await bot.router.action(bot.click(MANAGER, "start.ask", "draft")))
    confirmed = only(await bot.router.action(bot.click(ADMIN, "launch.confirm", "r7")))
    declined = only(await bot.router.action(bot.click(ADMIN, "launch.decline", "r7")))
    withdrawn = only(await bot.router.action(bot.click(MANAGER, "launch.withdraw", "r7")))

    assert bot.core.calls == [
        ("ask_launch", "draft"),
        ("confirm_launch", "r7"),
        ("decline_launch", "r7"),
        ("withdraw_launch", "r7"),
    ]
    assert asked.headline.title == "A second admin is asked. The newest message shows the answer."
    assert [card.kind for card in (confirmed, declined, withdrawn)] == ["launch.settled"] * 3
    assert [card.actions for card in (confirmed, declined)] == [(), ()]  # the way on is the asker's
    assert [action.label for action in withdrawn.actions] == ["Change…"]


async def test_a_limit_that_the_data_has_exceeded_since_shows_the_preview_as_it_is_now() -> None:
    bot = Bot()
    form = only(await bot.router.action(bot.click(ADMIN, "start.form", "new")))
    ref = button(form, "Preview").ref
    over = GuardrailExceeded("This campaign has 120 seats. The limit is 100.", selected=120, limit=100, hard=False)
    bot.core.launch = _raising(over)  # type: ignore[assignment,method-assign]

    reply = await bot.router.action(bot.click(ADMIN, "start.launch", ref))

    assert (reply.toast, reply.error) == (over.message, True)
    assert only(reply).kind == "campaign.preview"


def _raising(error: Exception) -> Callable[..., Awaitable[Campaign]]:
    async def launch(*_: object) -> Campaign:
        raise error

    return launch


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
