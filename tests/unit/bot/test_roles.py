"""Who may what: every verb and every button against every role, the expected tables written out (DESIGN section 6)."""

import pytest

from bot.actions import ACTIONS
from bot.commands import COMMANDS
from reclaim.domain.ids import PersonId
from tests.unit.bot.fakes import ADMIN, AUDITOR, MANAGER, NOBODY, OPERATOR, Bot

# admin, license manager, auditor, employee, operator
EVERYONE, LOOK, RUN, PERSON, ADMINS, ADMIN_ONLY = "alcex", "alc-x", "al--x", "al---", "a---x", "a----"
PEOPLE = {"a": ADMIN, "l": MANAGER, "c": AUDITOR, "e": NOBODY, "x": OPERATOR}

VERBS = {
    "help": EVERYONE,
    "inbox": EVERYONE,
    "seats mine": EVERYONE,
    "status": LOOK,
    "spend": LOOK,
    "seats": LOOK,
    "campaigns": LOOK,
    "campaign": LOOK,
    "why": LOOK,
    "history": LOOK,
    "export": LOOK,
    "simulate": LOOK,
    "start": PERSON,
    "undo": PERSON,
    "close": RUN,
    "freeze": RUN,
    "retry": RUN,
    "tasks": RUN,
    "doctor": LOOK,
    "price": RUN,
    "exclude": RUN,
    "absences": RUN,
    "sync": RUN,
    "nudge": RUN,
    "reassign": RUN,
    "extend": RUN,
    "cancel": RUN,
    "owner": RUN,
    "resume": ADMINS,
    "consent": LOOK,
    "consent export": LOOK,
    "consent status": LOOK,
    **dict.fromkeys(
        [
            "consent new",
            "consent set",
            "consent clone",
            "consent run",
            "consent pause",
            "consent resume",
            "consent end",
            "consent load",
            "consent waiting",
        ],
        RUN,
    ),
}
BUTTONS = {
    **dict.fromkeys(
        [
            "inbox.open",
            "wave.open",
            "wave.next",
            "wave.previous",
            "wave.revoke",
            "wave.keep",
            "wave.keep.submit",
            "wave.delegate",
            "wave.delegate.submit",
            "wave.not_sure",
            "wave.untick",
            "wave.show",
            "batch.undo",
            "item.open",
            "item.revoke",
            "item.keep",
            "item.keep.submit",
            "item.delegate",
            "item.delegate.submit",
            "item.not_sure",
            "item.why",
            "item.undo",
            "item.take_back",
            "item.give_back",
            "item.lose",
            "item.lose.submit",
            "item.convert",
            "receipt.open",
            "receipt.back",
            "receipt.choose",
            "receipt.choose.submit",
            "receipt.appeal",
            "receipt.appeal.submit",
            "appeal.open",
            "appeal.give",
            "appeal.leave",
            "appeal.leave.submit",
            "askback.open",
            "askback.yes",
            "askback.no",
            "consent.open",
            "consent.receipt",
            "consent.agree",
            "consent.keep",
            "consent.keep.submit",
            "consent.later",
            "consent.undo",
            "consent.back",
            "consent.take",
            "consent.stays",
            "consent.appeal",
            "consent.appeal.submit",
            "consent.appealed",
            "consent.give",
            "consent.leave",
            "consent.leave.submit",
        ],
        EVERYONE,
    ),
    **dict.fromkeys(
        [
            "spend.seats",
            "seats.page",
            "seats.filter",
            "start.show",
            "start.seats",
            "status.open",
            "export.get",
            "report.get",
            "campaign.reviewers",
            "restore.open",
            "restore.status",
            "programs.open",
            "program.open",
            "program.show",
            "program.export",
            "requests.open",
            "consentrun.open",
        ],
        LOOK,
    ),
    **dict.fromkeys(
        [
            "seats.take_all",
            "seats.untick",
            "seats.reclaim",
            "start.form",
            "start.change",
            "start.preview",
            "start.launch",
            "start.discard",
            "start.preset",
            "start.simulated",
            "start.reopen",
            "start.ask",
            "launch.withdraw",
            "restore.item",
            "restore.campaign",
            "restore.campaign.submit",
        ],
        PERSON,
    ),
    **dict.fromkeys(
        [
            "close.early",
            "close.early.submit",
            "close.abandon",
            "close.abandon.submit",
            "retry.submit",
            "cancel.step",
            "cancel.submit",
            "nudge.run",
            "freeze.form",
            "freeze.submit",
            "sync.run",
            "sync.open",
            "exclude.end",
            "tasks.open",
            "tasks.show",
            "task.open",
            "task.done",
            "task.keep",
            "price.form",
            "price.submit",
            "program.run",
            "program.pause",
            "program.resume",
        ],
        RUN,
    ),
    **dict.fromkeys(["doctor.again", "doctor.text"], LOOK),
    **dict.fromkeys(["resume.form", "resume.submit"], ADMINS),
    **dict.fromkeys(["resume.confirm", "launch.confirm", "launch.decline"], ADMIN_ONLY),
}


def test_the_tables_name_every_verb_and_every_button() -> None:
    assert {verb.name for verb in COMMANDS} == VERBS.keys()
    assert {verb.name for verb in ACTIONS} == BUTTONS.keys()


@pytest.mark.parametrize("letter", PEOPLE)
@pytest.mark.parametrize("verb", VERBS)
async def test_a_command_is_refused_to_who_may_not_use_it(verb: str, letter: str) -> None:
    bot = Bot()
    text = "why Adele" if verb == "why" else verb

    reply = await bot.router.command(bot.command(PEOPLE[letter], text))

    refused = any("needs the role" in part for card in reply.cards for part in [card.fallback])
    assert refused == (letter not in VERBS[verb])
    if refused:
        assert bot.core.calls == []


@pytest.mark.parametrize("letter", "alce")
@pytest.mark.parametrize("verb", BUTTONS)
async def test_a_click_is_refused_to_who_may_not_make_it(verb: str, letter: str) -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(PEOPLE[letter], verb))

    refused = "needs the role" in (reply.toast or "")
    assert refused == (letter not in BUTTONS[verb])
    if refused:
        assert bot.core.calls == []
        assert reply.replace is None


@pytest.mark.parametrize("letter", PEOPLE)
async def test_accepting_a_drop_is_for_admins(letter: str) -> None:
    bot = Bot()

    await bot.router.command(bot.command(PEOPLE[letter], "sync --accept run1"))

    assert (("accept", "run1") in bot.core.calls) == (letter in ADMINS)


@pytest.mark.parametrize(
    ("person", "verbs"),
    [
        (NOBODY, {"help", "inbox", "seats mine"}),
        (AUDITOR, {verb for verb, who in VERBS.items() if "c" in who}),
        (ADMIN, set(VERBS)),
    ],
)
async def test_suggestions_hold_what_the_person_may_type(person: PersonId, verbs: set[str]) -> None:
    bot = Bot()

    found = await bot.router.suggestions(person)

    assert {one.verb for one in found} == verbs


async def test_a_refusal_says_which_role_and_whom_to_ask() -> None:
    bot = Bot()

    reply = await bot.router.command(bot.command(NOBODY, "start"))

    assert reply.cards[0].fallback == (
        "This needs the role License manager. You have: Employee. Ask Allan Deyoung or Lynne Robbins."
    )
