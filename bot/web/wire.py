"""What goes over HTTP: strict reading of what the page sends, plain JSON of what it gets."""

import dataclasses
import json
from datetime import timedelta
from typing import Literal

from aiohttp import web

from bot.web.chat import Click
from bot.web.conversations import Conversation, Message, Told

MAX_BODY = 64 * 1024
MAX_TEXT = 1000
MAX_INPUTS = 200
MAX_INPUT = 16_000
MAX_KEY = 100
MAX_ADVANCE = timedelta(days=366)
Json = dict[str, object]

_STEPS: dict[str, tuple[timedelta | Literal["closing"], str]] = {
    "hour": (timedelta(hours=1), "1 hour later"),
    "day": (timedelta(days=1), "1 day later"),
    "closing": ("closing", "To the closing"),
}


class Refused(Exception):
    """A request that is not carried out: HTTP status, stable code, one sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


async def body_of(request: web.Request) -> Json:
    """Read a JSON object of at most 64 KB.

    Raises:
        Refused: 415 for another content type, 413 for more, 400 for anything but an object.
    """
    if request.content_type != "application/json":
        raise Refused(415, "not_json", "Send JSON.")
    raw = bytearray()
    async for chunk in request.content.iter_any():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise Refused(413, "too_large", "This is more than 64 KB.")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "bad_json", "This is not valid JSON.") from error
    if not isinstance(body, dict):
        raise Refused(400, "bad_json", "Send a JSON object.")
    return body


def text_of(body: Json, name: str, *, longest: int, empty: bool = False) -> str:
    """Return a text field."""
    value = body.get(name)
    if not isinstance(value, str) or len(value) > longest or not (value or empty):
        raise Refused(400, "bad_field", f"“{name}” must be a text of at most {longest} characters.")
    return value


def number_of(text: str | None) -> int:
    """Return a number of the address; 0 if it is not there."""
    if text is None:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise Refused(400, "bad_field", "“after” must be a number.")
    return int(text)


def click_of(body: Json) -> Click:
    """Read a click on a card."""
    inputs = body.get("inputs", {})
    if not isinstance(inputs, dict) or len(inputs) > MAX_INPUTS:
        raise Refused(400, "bad_field", f"“inputs” must be an object of at most {MAX_INPUTS} fields.")
    payload: Json = {"v": body.get("v"), "ref": text_of(body, "ref", longest=MAX_TEXT, empty=True)}
    if body.get("batch") is not None:
        payload["batch"] = text_of(body, "batch", longest=MAX_TEXT)
    return Click(
        message_id=text_of(body, "message_id", longest=MAX_KEY),
        verb=text_of(body, "verb", longest=MAX_KEY),
        payload=payload,
        inputs={name: text_of(inputs, name, longest=MAX_INPUT, empty=True) for name in inputs},
        key=text_of(body, "key", longest=MAX_KEY),
    )


def step_of(body: Json) -> tuple[timedelta | Literal["closing"], str]:
    """Read how far the clock is to move, and how that is told."""
    step = body.get("advance")
    if isinstance(step, str) and step in _STEPS:
        return _STEPS[step]
    seconds = step.get("seconds") if isinstance(step, dict) else None
    if type(seconds) is int and 0 < seconds <= MAX_ADVANCE.total_seconds():
        return timedelta(seconds=seconds), "Some time later"
    raise Refused(400, "bad_field", "“advance” must be hour, day, closing or a number of seconds.")


def message_json(message: Message) -> Json:
    """Return a message as the page draws it; StrEnums are strings in JSON."""
    card = message.card
    return {
        "id": message.id,
        "seq": message.seq,
        "at": message.at.isoformat(),
        "from": "you" if card is None else "bot",
        "html": message.html,
        "text": message.text,
        "fallback": message.text if card is None else card.fallback,
        "kind": "command" if card is None else card.kind,
        "files": [{"name": name, "href": f"/rehearsal/files/{file_id}"} for file_id, name in message.files],
        "card": None if card is None else dataclasses.asdict(card),
    }


def told_json(told: Told) -> Json:
    """Return a line of the clock."""
    return {"seq": told.seq, "at": told.at.isoformat(), "text": told.text}


def people_json(chats: tuple[Conversation, ...]) -> list[Json]:
    """Return the people that can be played, with their unread counts."""
    return [
        {
            "id": chat.persona.id,
            "name": chat.persona.name,
            "line": chat.persona.line,
            "greeting": chat.persona.greeting,
            "group": chat.persona.group,
            "initials": initials(chat.persona.name),
            "unread": chat.unread,
        }
        for chat in chats
    ]


def initials(name: str) -> str:
    """Return the first letters of the first and the last word."""
    words = name.split() or ["?"]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
