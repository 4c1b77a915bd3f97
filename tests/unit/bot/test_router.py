"""The one edge of a request: no error leaves it, repeats do nothing twice, identities come from the channel."""

import pytest
import structlog

from bot.commands import COMMANDS
from bot.inbound import Command
from bot.parsing import arguments, split
from cards.view import CardView, Facts
from reclaim.domain.ids import PersonId
from reclaim.domain.notices import SyncNotice, WaveNotice
from reclaim.errors import Conflict, DirectoryError, NotAuthorized
from tests.unit.bot.fakes import ADMIN, MANAGER, NOBODY, OPERATOR, Bot, ticked
from tests.unit.cards.samples import words_of


def kinds(cards: tuple[CardView, ...]) -> list[str]:
    return [card.kind for card in cards]


@pytest.mark.parametrize(
    ("person", "text", "kind"),
    [
        (ADMIN, "", "campaign.status"),
        (ADMIN, "/reclaim", "campaign.status"),
        (ADMIN, "/reclaim status", "campaign.status"),
        (ADMIN, "STATUS", "campaign.status"),
        (ADMIN, 'campaign "Q4 seat clean-up"', "campaign.status"),
        (ADMIN, "campaigns", "campaign.list"),
        (ADMIN, "spend --days 60", "spend"),
        (ADMIN, "seats “Visio Plan 2” --days=60 —disabled", "spend.seats"),
        (ADMIN, "seats vizio", "spend.nearest"),
        (ADMIN, "seats mine", "seats.mine"),
        (ADMIN, "start --until 2026-12-04", "campaign.form"),
        (ADMIN, "close", "campaign.closing"),
        (ADMIN, "close --yes", "campaign.status"),
        (OPERATOR, "close", "campaign.status"),
        (ADMIN, "retry", "campaign.status"),
        (ADMIN, "why O'Brien", "why"),
        (ADMIN, "history --limit 5", "history"),
        (ADMIN, "export", "export"),
        (ADMIN, "freeze", "freeze"),
        (ADMIN, "resume", "resume.form"),
        (ADMIN, "resume --reason checked", "freeze"),
        (OPERATOR, "sync", "sync"),
        (NOBODY, "help", "help"),
        (NOBODY, "help inbox", "help"),
    ],
)
async def test_a_command_is_answered_with_its_card(person: PersonId, text: str, kind: str) -> None:
    bot = Bot()

    reply = await bot.router.command(bot.command(person, text))

    assert kinds(reply.cards) == [kind]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start --until 4/12", "“4/12” is not a clear date. Example: 2026-12-04"),
        ("spend --days many", "“many” is not a whole number."),
        ("spend --dayz 3", "“--dayz” is not known here. Did you mean --days?"),
        ("spend -days 3", "“-days” is not known here. Did you mean --days?"),
        ("spend --xyzzy", "“--xyzzy” is not known here."),
        ("close --yes=no", "“--yes” takes no value."),
        ("doctor visio", "“visio” does not fit here: doctor takes options only."),
        ("spend --days", "“--days” needs a value."),
        ("spend --days 30 --days 60", "“--days” is given twice."),
        ('campaign "Q4', "A quotation mark has no partner."),
        ("why", "Please name a person."),
        ("seats --disabled --never", "Please choose one: --disabled or --never."),
    ],
)
async def test_a_bad_argument_says_what_was_read_and_what_fits(text: str, said: str) -> None:
    bot = Bot()

    reply = await bot.router.command(bot.command(ADMIN, text))

    assert kinds(reply.cards) == ["bad_argument"]
    assert reply.cards[0].fallback == said
    assert reply.error
    assert reply.misused
    facts = {fact.label: fact.value for part in reply.cards[0].body if isinstance(part, Facts) for fact in part.facts}
    assert facts.keys() == {"Usage", "Example"}


def test_an_example_is_one_that_the_verb_takes() -> None:
    for verb in COMMANDS:
        words = split(verb.example)
        assert tuple(words[: verb.name.count(" ") + 1]) == tuple(verb.name.split())
        given = arguments(words[verb.name.count(" ") + 1 :], options=verb.options, flags=verb.flags, lists=verb.lists)
        assert verb.takes_words or not given.words
        assert verb.usage.startswith(verb.name)


async def test_an_unknown_verb_is_answered_with_the_nearest_that_this_person_may_use() -> None:
    bot = Bot()

    admin = await bot.router.command(bot.command(ADMIN, "statsu"))
    nobody = await bot.router.command(bot.command(NOBODY, "statsu"))

    assert [action.ref for action in admin.cards[0].actions] == ["status", "help"]
    assert [action.ref for action in nobody.cards[0].actions] == ["help"]
    assert admin.misused
    assert nobody.misused


@pytest.mark.parametrize(
    ("person", "typed", "title", "nearest"),
    [
        (ADMIN, "seats mien", "I do not know “seats mien”", "seats mine"),
        (NOBODY, "seats mien", "I do not know “seats mien”", "seats mine"),
        (NOBODY, "saets mine", "I do not know “saets mine”", "seats mine"),
        (ADMIN, "campain", "I do not know “campain”", "campaign"),
        (ADMIN, "statsu Q4", "I do not know “statsu”", "status"),
        (ADMIN, "help spendd", "I do not know “spendd”", "spend"),
        (NOBODY, "spendd", "I do not know “spendd”", None),
        (ADMIN, "xyzzy", "I do not know “xyzzy”", None),
    ],
)
async def test_a_mistyped_verb_names_the_nearest_with_usage_and_example(
    person: PersonId, typed: str, title: str, nearest: str | None
) -> None:
    bot = Bot()

    reply = await bot.router.command(bot.command(person, typed))

    card = reply.cards[0]
    assert (card.kind, card.headline.title) == ("unknown", title)
    assert [action.ref for action in card.actions] == ([nearest] if nearest else []) + ["help"]
    said = " ".join(words_of(card))
    assert (f"Did you mean /reclaim {nearest}?" in said) == (nearest is not None)
    assert ("Usage" in said) == (nearest is not None)
    assert reply.misused


async def test_inbox_delivers_each_list_as_the_newest_message() -> None:
    bot = Bot()

    reply = await bot.router.command(bot.command(NOBODY, "inbox"))

    assert reply.cards == ()
    assert [(person, type(notice)) for person, notice in bot.core.delivered] == [(NOBODY, WaveNotice)]
    notice = bot.core.delivered[0][1]
    assert isinstance(notice, WaveNotice)
    assert notice.fresh


async def test_an_empty_inbox_says_so() -> None:
    bot = Bot()
    bot.core.wave_shown = None

    reply = await bot.router.command(bot.command(NOBODY, "inbox"))

    assert reply.cards[0].headline.title == "Nothing for you right now."


async def test_inbox_answers_here_where_no_channel_reaches_the_person() -> None:
    bot = Bot()
    bot.core.reachable = False

    reply = await bot.router.command(bot.command(NOBODY, "inbox"))

    assert kinds(reply.cards) == ["review.wave"]


async def test_a_sync_is_one_card_that_the_service_then_updates() -> None:
    bot = Bot()

    reply = await bot.router.command(bot.command(ADMIN, "sync"))

    assert reply.cards == ()
    assert [type(notice) for _, notice in bot.core.delivered] == [SyncNotice]


async def test_a_sync_reads_everything_unless_only_changes_are_asked_for() -> None:
    bot = Bot()

    await bot.router.command(bot.command(OPERATOR, "sync"))
    await bot.router.command(bot.command(OPERATOR, "sync --changes"))

    assert [call for call in bot.core.calls if call[0] == "sync"] == [("sync", None), ("sync", None, "changes")]


async def test_a_command_in_a_channel_gets_public_answers_only() -> None:
    bot = Bot()

    personal = await bot.router.command(bot.command(ADMIN, "why Adele", private=False))
    refused = await bot.router.command(bot.command(NOBODY, "why Adele", private=False))
    public = await bot.router.command(bot.command(ADMIN, "spend", private=False))

    assert kinds(personal.cards) == ["private"]
    assert kinds(personal.in_private) == ["why"]
    assert kinds(refused.cards) == ["private"]
    assert kinds(refused.in_private) == ["not_authorized"]
    assert kinds(public.cards) == ["spend"]
    assert public.in_private == ()


async def test_the_same_request_twice_is_one() -> None:
    bot = Bot()

    await bot.router.command(bot.command(ADMIN, "retry", key="k"))
    again = await bot.router.command(bot.command(ADMIN, "retry", key="k"))
    await bot.router.action(bot.click(NOBODY, "wave.revoke", inputs=ticked("i01"), key="k"))
    click = await bot.router.action(bot.click(NOBODY, "wave.revoke", inputs=ticked("i01"), key="k"))

    assert again.cards == ()
    assert [call[0] for call in bot.core.calls if call[0] in ("retry", "decide")] == ["retry", "decide"]
    assert click.replace is not None
    assert click.replace.kind == "review.wave"


async def test_the_same_key_of_another_person_is_another_click() -> None:
    bot = Bot()

    await bot.router.action(bot.click(NOBODY, "item.revoke", "i01", key="k"))
    await bot.router.action(bot.click(MANAGER, "item.revoke", "i01", key="k"))

    assert [call[0] for call in bot.core.calls] == ["decide", "decide"]


async def test_who_is_too_fast_waits_and_others_do_not() -> None:
    bot = Bot(burst=1)
    await bot.router.command(bot.command(ADMIN, "help"))

    fast = await bot.router.command(bot.command(ADMIN, "help"))
    other = await bot.router.command(bot.command(MANAGER, "help"))
    bot.seconds = 1.0
    later = await bot.router.command(bot.command(ADMIN, "help"))

    assert fast.toast == "That was a lot at once. Try again in 1 s."
    assert kinds(other.cards) == kinds(later.cards) == ["help"]


async def test_an_error_that_nobody_foresaw_is_said_with_the_reference_that_stands_in_the_log() -> None:
    bot = Bot()
    bot.core.error = RuntimeError("secret detail")

    with structlog.testing.capture_logs() as logs:
        click = await bot.router.action(bot.click(ADMIN, "retry.submit"))
        command = await bot.router.command(bot.command(ADMIN, "retry"))

    references = [line["reference"] for line in logs if line["log_level"] == "error"]
    assert click.toast == f"That did not work. Nothing was changed. Reference {references[0]}."
    assert command.cards[0].fallback == f"That did not work. Nothing was changed. Reference {references[1]}."
    assert "secret" not in str(click) + str(command)


async def test_what_microsoft_reported_is_not_shown() -> None:
    bot = Bot()
    bot.core.error = DirectoryError("Graph said: tenant 1234 throttled", status=429)

    reply = await bot.router.action(bot.click(ADMIN, "retry.submit"))

    assert reply.toast == "Microsoft does not answer right now. Nothing was changed. Try again in a few minutes."


async def test_a_click_that_the_world_overtook_shows_the_present_state() -> None:
    bot = Bot()
    bot.core.error = Conflict("Lynne Robbins answered a moment ago: revoke. You see the present state now.")

    reply = await bot.router.action(bot.click(NOBODY, "item.revoke", "i01"))

    assert reply.error
    assert reply.replace is not None
    assert reply.replace.kind == "review.item"


async def test_a_foreign_click_shows_a_card_without_buttons() -> None:
    bot = Bot()
    bot.core.error = NotAuthorized("This seat is with Lynne Robbins now. Only Lynne can answer.")
    bot.core.item_shown = None

    reply = await bot.router.action(bot.click(NOBODY, "item.revoke", "i01"))

    assert reply.toast == "This seat is with Lynne Robbins now. Only Lynne can answer."
    assert reply.replace is not None
    assert reply.replace.actions == ()


@pytest.mark.parametrize("verb", ["item.steal", "command.run", "__class__.x"])
async def test_an_unknown_button_changes_nothing(verb: str) -> None:
    bot = Bot()

    reply = await bot.router.action(bot.click(ADMIN, verb, "nothing"))

    assert reply.toast == "This button is not known. Nothing was changed."


async def test_a_button_that_runs_a_command_asks_for_its_role_again() -> None:
    bot = Bot()

    admin = await bot.router.action(bot.click(ADMIN, "command.run", "status"))
    nobody = await bot.router.action(bot.click(NOBODY, "command.run", "status"))

    assert kinds(admin.cards) == ["campaign.status"]
    assert kinds(nobody.cards) == ["not_authorized"]


@pytest.mark.parametrize("channel", ["web", "teams", ""])
async def test_only_the_command_line_may_be_the_operator(channel: str) -> None:
    bot = Bot()

    reply = await bot.router.command(Command(person_id=OPERATOR, channel=channel, text="retry", key="k"))

    assert kinds(reply.cards) == ["not_authorized"]
    assert bot.core.calls == []


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
async def test_a_request_without_a_usable_id_is_refused(key: str) -> None:
    bot = Bot()

    command = await bot.router.command(Command(person_id=ADMIN, channel="web", text="retry", key=key))
    click = await bot.router.action(bot.click(ADMIN, "retry.submit", key=key or "\n"))

    assert command.error
    assert click.error
    assert bot.core.calls == []


async def test_people_are_found_for_a_picker() -> None:
    bot = Bot()

    assert await bot.router.people(NOBODY, "lynne") == ((MANAGER, "Lynne Robbins"),)
