"""Error → reply: the only such table. A command is answered with a card, a click with one sentence where the person is."""

from collections.abc import Sequence

from bot.handling import RoleNeeded, Verb
from bot.inbound import Reply
from bot.nearest import nearest_verb
from cards.control import bad_argument_card, message_card, role_needed, unexpected, unknown_verb_card
from cards.view import CardView
from reclaim.domain.roles import Role
from reclaim.errors import (
    Conflict,
    DeliveryError,
    DirectoryError,
    GuardrailExceeded,
    InvalidRequest,
    NoSignInData,
    NotAuthorized,
    NotFound,
    PortError,
    ReclaimError,
)

ROLE_NAMES: dict[Role, str] = {
    Role.ADMIN: "Admin",
    Role.LICENSE_MANAGER: "License manager",
    Role.AUDITOR: "Auditor",
    Role.OPERATOR: "Operator",
    Role.EMPLOYEE: "Employee",
}
_ORDER = (Role.LICENSE_MANAGER, Role.AUDITOR, Role.ADMIN)
_HEADLINES: tuple[tuple[type[ReclaimError], str], ...] = (
    (NotAuthorized, "Not yours to do"),
    (NotFound, "Not found"),
    (Conflict, "Not as it was"),
    (GuardrailExceeded, "Over the limit"),
    (NoSignInData, "No sign-in data"),
    (PortError, "Something outside does not answer"),
)


def needed(roles: frozenset[Role]) -> tuple[str, ...]:
    """Return the roles to name in a refusal: the admin's only where no lesser one will do."""
    found = tuple(ROLE_NAMES[role] for role in _ORDER if role in roles and role is not Role.ADMIN)
    return found or (ROLE_NAMES[Role.ADMIN],)


def refusal(error: RoleNeeded, have: frozenset[Role], people: Sequence[str]) -> str:
    """Return what is said to somebody without the role."""
    held = tuple(ROLE_NAMES[role] for role in Role if role in have)
    return role_needed(needed(error.roles), held, people)


def said(error: ReclaimError) -> str:
    """Return the sentence for the person: what an outside system reported is not for them."""
    if isinstance(error, DirectoryError):
        return "Microsoft does not answer right now. Nothing was changed. Try again in a few minutes."
    if isinstance(error, DeliveryError):
        return "The message could not be delivered. Try again in a few minutes."
    return error.message


def to_command(error: ReclaimError, verb: Verb | None, message: str | None = None) -> Reply:
    """Return the answer to a command that failed; `verb` is what was typed, with its usage and an example."""
    text = message or said(error)
    if isinstance(error, InvalidRequest) and verb is not None:
        return Reply(cards=(bad_argument_card(text, verb.line),), error=True, misused=True)
    headline = next((words for kind, words in _HEADLINES if isinstance(error, kind)), "That does not work")
    return Reply(cards=(message_card(error.code, text, headline=headline),), error=True)


def unknown(words: Sequence[str], allowed: Sequence[Verb]) -> Reply:
    """Return the answer to a verb that does not exist, or not for this person: the nearest that they may use."""
    near = nearest_verb(words, allowed)
    return not_known(words[: near.name.count(" ") + 1 if near else 1], near)


def not_known(words: Sequence[str], near: Verb | None) -> Reply:
    """Return the answer to words that are no verb; `near` is what may have been meant."""
    card = unknown_verb_card(" ".join(words), near.line if near else None)
    return Reply(cards=(card,), error=True, misused=True)


def to_action(error: ReclaimError, present: CardView | None, message: str | None = None) -> Reply:
    """Return the answer to a click that failed: the card is redrawn only where the world moved on."""
    return Reply(replace=present, toast=message or said(error), error=True)


def to_unexpected(reference: str, *, command: bool) -> Reply:
    """Return the answer to an error that nobody foresaw; the reference is in the log."""
    text = unexpected(reference)
    if command:
        return Reply(cards=(message_card("unexpected", text, headline="That did not work"),), error=True)
    return Reply(toast=text, error=True)


def too_fast(seconds: int) -> Reply:
    """Return the answer to somebody who is over their rate."""
    return Reply(toast=f"That was a lot at once. Try again in {seconds} s.", error=True)
