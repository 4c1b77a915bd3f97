"""`/reclaim help`: what this person may type."""

from collections.abc import Sequence

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.replies import unknown
from cards.control import help_card, verb_help_card
from reclaim.domain.roles import EVERYONE

_FIRST_STEPS = (("spend", "Show spend"), ("status", "Status"), ("start", "Start a campaign…"))
_FOR_HOLDERS = (("seats mine", "My seats"), ("inbox", "My inbox"))


def make_help(others: Sequence[Verb]) -> Verb:
    """Return the help over these verbs and itself."""

    async def show(call: Call) -> Reply:
        wanted = call.arguments.text
        allowed = [verb for verb in everything if call.actor.may(verb.roles)]
        if wanted is None:
            lines = [verb.line for group in Group for verb in allowed if verb.group is group]
            steps, holder = _first_steps(allowed)
            return Reply(cards=(help_card(lines, steps, holder=holder),))
        found = next((verb for verb in allowed if verb.name == wanted.lower()), None)
        if found is None:
            return unknown(call.arguments.words, allowed)
        return Reply(cards=(verb_help_card(found.line),))

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


def _first_steps(allowed: Sequence[Verb]) -> tuple[list[tuple[str, str]], bool]:
    """Return up to three buttons for whoever runs or looks at campaigns, else those of a holder, and whether it is one."""
    names = {verb.name for verb in allowed}
    steps = [step for step in _FIRST_STEPS if step[0] in names]
    return (steps, False) if steps else ([step for step in _FOR_HOLDERS if step[0] in names], True)
