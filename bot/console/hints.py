"""What to type where a card has buttons: the command that does the same, if the operator has one."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Final

from bot.commands import COMMANDS
from cards.view import Action, CardView
from reclaim.domain.roles import Role

_RUN_COMMAND: Final = "command.run"  # its reference is the verb
# Buttons that ask one more thing or act at once, and what asks or does the same when it is typed.
SAME: Final = {
    "campaign.reviewers": "status --by-reviewer",
    "cancel.step": "cancel",
    "close.abandon": "close --abandon",
    "close.early": "close",
    "doctor.again": "doctor",
    "export.get": "export",
    "freeze.form": "freeze",
    "nudge.run": "nudge",
    "price.form": "price",
    "resume.form": "resume",
    "retry.submit": "retry",
    "status.open": "status",
    "sync.run": "sync",
}
_FOR_OPERATORS: Final = {verb.name for verb in COMMANDS if Role.OPERATOR in verb.roles}


def hints(card: CardView) -> tuple[str, ...]:
    """Return the commands, as in chat without `/reclaim`, that do what buttons of this card do; each once."""
    found = (action.ref if action.verb == _RUN_COMMAND else SAME.get(action.verb) for action in _actions(card))
    return tuple(dict.fromkeys(text for text in found if text and text.partition(" --")[0] in _FOR_OPERATORS))


def _actions(part: object) -> Iterator[Action]:
    if isinstance(part, Action):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _actions(each)
    elif is_dataclass(part):
        for each in fields(part):
            yield from _actions(getattr(part, each.name))
