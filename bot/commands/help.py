"""`/reclaim help`: what this person may type."""

from collections.abc import Sequence

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from cards.control import HelpLine, help_card, verb_help_card
from reclaim.domain.roles import EVERYONE, Actor
from reclaim.errors import InvalidRequest

_FIRST_STEPS = (("spend", "Show spend"), ("status", "Status"), ("start", "Start a campaign…"), ("inbox", "My inbox"))
_FOR_HOLDERS = (("seats mine", "My seats"), ("inbox", "My inbox"))


def make_help(others: Sequence[Verb]) -> Verb:
    """Return the help over these verbs and itself."""

    async def show(call: Call) -> Reply:
        wanted = call.arguments.text
        allowed = [verb for verb in everything if call.actor.may(verb.roles)]
        if wanted is None:
            return Reply(cards=(help_card([_line(verb) for verb in allowed], _first_steps(allowed, call.actor)),))
        found = next((verb for verb in allowed if verb.name == wanted.lower()), None)
        if found is None:
            raise InvalidRequest(f"There is no command “{wanted[:40]}” for you.")
        return Reply(cards=(verb_help_card(_line(found)),))

    help_verb = Verb(
        name="help",
        summary="What you can type.",
        usage="help [COMMAND]",
        example="help spend",
        group=Group.LOOK,
        roles=EVERYONE,
        handler=show,
        public=True,
    )
    everything = (help_verb, *others)
    return help_verb


def _line(verb: Verb) -> HelpLine:
    return HelpLine(group=verb.group.value, usage=verb.usage, summary=verb.summary, example=verb.example)


def _first_steps(allowed: Sequence[Verb], actor: Actor) -> list[tuple[str, str]]:
    names = {verb.name for verb in allowed}
    steps = [step for step in _FIRST_STEPS if step[0] in names]
    return steps if len(steps) > 1 else [step for step in _FOR_HOLDERS if step[0] in names]
