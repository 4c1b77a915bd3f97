"""A click on a card: the invoke `adaptiveCard/action` in, the answer that Teams draws out. No SDK, no network.

Teams merges a card's inputs into the data of its button, takes the answer of the HTTP request itself as the new card, and
shows an error's text below the card. Shapes: "Universal Action Model" of the Adaptive Cards documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from bot.inbound import Action, Reply
from bot.teams import CHANNEL
from bot.teams.guard import Incoming
from cards import adaptive
from cards.payload import OldCard, decode
from cards.view import CardView, Strip, Tone
from reclaim.domain.ids import PersonId
from reclaim.errors import InvalidRequest

INVOKE: Final = "adaptiveCard/action"
CARD: Final = "application/vnd.microsoft.card.adaptive"
MESSAGE: Final = "application/vnd.microsoft.activity.message"
ERROR: Final = "application/vnd.microsoft.error"
BELOW: Final = "See the new message below."
IN_PRIVATE: Final = "I sent you the answer in private."
PERSONAL: Final = "personal"
AUTOMATIC: Final = "automatic"
_MAX_ID: Final = 500
_OURS: Final = frozenset({"v", "ref", "batch"})
_NO_BUTTON: Final = "We cannot read this button. Nothing was changed."

Body = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardClick:
    """A click, read.

    Attributes:
        action: For the core.
        conversation: Where the card stands.
        message_id: Of the card's message, to redraw it on the person's other devices; "" if Teams did not say.
        alone: Whether nobody else reads there.
        reader: Teams id of who clicked, where they are alone: the card re-reads itself for them.
        automatic: Teams asked for the present state on opening; nobody clicked.
    """

    action: Action
    conversation: str
    message_id: str
    alone: bool
    reader: str | None
    automatic: bool


def read_click(incoming: Incoming) -> CardClick:
    """Return what was clicked. The actor is who the verified activity is from, never what the card says.

    Raises:
        InvalidRequest: It is no click on a card of ours.
        OldCard: The card was drawn by another version.
    """
    clicked = _mapping(_mapping(incoming.activity.get("value")).get("action"))
    return _read(incoming, clicked.get("verb"), _mapping(clicked.get("data")))


def read_submit(incoming: Incoming) -> CardClick:
    """Return what was clicked in a client without Action.Execute: a message whose value holds verb, data and inputs.

    Raises:
        InvalidRequest, OldCard: As `read_click`.
    """
    data = dict(_mapping(incoming.activity.get("value")))
    verb = data.pop("verb", None)
    return _read(incoming, verb, data)


def action(person: PersonId, *, verb: str, ref: str, key: str) -> Action:
    """Return a click without inputs."""
    return Action(person_id=person, channel=CHANNEL, verb=verb, ref=ref, key=key)


def _read(incoming: Incoming, verb: object, data: Mapping[str, object]) -> CardClick:
    key, conversation = incoming.activity.get("id"), _mapping(incoming.activity.get("conversation")).get("id")
    if incoming.person_id is None or not isinstance(key, str) or not isinstance(conversation, str) or not conversation:
        raise InvalidRequest(_NO_BUTTON)
    payload = decode(verb, {name: value for name, value in data.items() if name in _OURS})
    message_id = incoming.activity.get("replyToId")
    message = message_id if isinstance(message_id, str) else None
    clicked = Action(
        person_id=PersonId(incoming.person_id),
        channel=CHANNEL,
        verb=payload.verb,
        ref=payload.ref,
        batch=payload.batch,
        inputs=_inputs(data),
        message_id=message,
        key=f"{conversation[-60:]}:{key}",
    )
    return CardClick(
        action=clicked,
        conversation=conversation,
        message_id=message or "",
        alone=is_personal(incoming),
        reader=reader_of(incoming),
        automatic=_mapping(incoming.activity.get("value")).get("trigger") == AUTOMATIC,
    )


def is_personal(incoming: Incoming) -> bool:
    """Whether the person is alone with the bot."""
    return _mapping(incoming.activity.get("conversation")).get("conversationType") == PERSONAL


def reader_of(incoming: Incoming) -> str | None:
    """Return the Teams id of a person who is alone with the bot: they are the one reader of what is said there."""
    return sender_of(incoming) if is_personal(incoming) else None


def sender_of(incoming: Incoming) -> str | None:
    """Return the Teams id (`29:…`) of who wrote or clicked."""
    sender = _mapping(incoming.activity.get("from")).get("id")
    return sender if isinstance(sender, str) and 0 < len(sender) <= _MAX_ID else None


def answer(reply: Reply, click: CardClick) -> Body:
    """Return the body of the invoke's answer; HTTP's own status is always 200. Only who clicked sees it.

    A card that takes the clicked one's place wins; what was to be said beside it stands at its head.
    """
    if reply.replace is not None:
        readers = (click.reader,) if click.reader else ()
        return _body(200, CARD, adaptive.render(_with_words(reply.replace, reply), reader_ids=readers))
    if reply.error:
        return refusal(reply.toast or "That did not work. Nothing was changed.")
    return _body(200, MESSAGE, reply.toast or (BELOW if click.alone else IN_PRIVATE))


def in_words(error: InvalidRequest) -> str:
    """Return what is said of a click that cannot be read."""
    if isinstance(error, OldCard):
        return "This card is from an older version. Type /reclaim inbox for the present one."
    return error.message


def refusal(message: str) -> Body:
    """Return an answer that leaves the card as it is and says why below it."""
    return _body(400, ERROR, {"code": "BadRequest", "message": message})


def _with_words(card: CardView, reply: Reply) -> CardView:
    if not reply.toast:
        return card
    strip = Strip(tone=Tone.WARNING if reply.error else Tone.NEUTRAL, text=reply.toast)
    return replace(card, body=(strip, *card.body))


def _inputs(data: Mapping[str, object]) -> dict[str, str]:
    """Return the inputs as text: a box may come as true instead of "true", a number as a number."""
    found: dict[str, str] = {}
    for name, value in data.items():
        if name in _OURS or name == "msteams":
            continue
        if isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, (str, int, float)):
            found[name] = str(value)
        elif value is not None:
            raise InvalidRequest(_NO_BUTTON)
    return found


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _body(status: int, kind: str, value: object) -> Body:
    return {"statusCode": status, "type": kind, "value": value}
