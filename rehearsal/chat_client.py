"""A person at the browser chat, over HTTP: picks a persona, types, reads cards, presses buttons, fills forms.

It knows the chat's requests and the shape of a card as JSON, nothing else of the product: a mistake in the product must not
be repeated here.
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urljoin

import aiohttp

PATIENCE_S = 30.0
STEP_S = 0.1
Json = dict[str, Any]


class Unexpected(Exception):
    """The product did something else than a person was told to expect."""


@dataclass(frozen=True, slots=True)
class Card:
    """One message of the bot as a person sees it."""

    message_id: str
    seq: int
    kind: str
    body: Json
    fallback: str
    files: tuple[Json, ...] = ()

    @property
    def title(self) -> str:
        """The headline."""
        return str(self.body["headline"]["title"])

    def _parts(self) -> Iterator[Json]:
        stack: list[object] = [self.body]
        while stack:
            one = stack.pop(0)
            if isinstance(one, dict):
                yield one
                stack = [*one.values(), *stack]
            elif isinstance(one, list):
                stack = [*one, *stack]

    def actions(self) -> list[Json]:
        """Every button, in reading order."""
        return [part for part in self._parts() if "verb" in part and "ref" in part]

    def action(self, verb: str) -> Json | None:
        """The first button of this verb, or None."""
        return next((part for part in self.actions() if part["verb"] == verb), None)

    def rows(self) -> list[Json]:
        """Every row of a list."""
        return [part for part in self._parts() if "tick" in part and "title" in part]

    def inputs(self) -> dict[str, Json]:
        """Every form field, by id."""
        return {part["id"]: part for part in self._parts() if "id" in part and "kind" in part and "required" in part}

    def table(self) -> list[list[str]]:
        """The rows of the first table, its header first; empty without one."""
        for part in self._parts():
            if "header" in part and "rows" in part:
                return [list(part["header"]), *(list(row) for row in part["rows"])]
        return []

    def figures(self) -> dict[str, str]:
        """The large numbers, by their label."""
        return {label: number for part in self._parts() for number, label in part.get("figures", ())}

    def texts(self) -> str:
        """All that is written on the card."""
        return "\n".join(str(value) for part in self._parts() for value in part.values() if isinstance(value, str))

    def values(self) -> dict[str, str]:
        """What the card would send as it stands: ticks and fields."""
        ticks = {row["tick"]: "true" if row["ticked"] else "false" for row in self.rows() if row["tick"]}
        return {**ticks, **{name: str(one["value"]) for name, one in self.inputs().items()}}


@dataclass(slots=True)
class Person:
    """One persona, played in a session of its own."""

    chat: "Chat"
    id: str
    name: str
    headers: Mapping[str, str] = field(repr=False)

    async def cards(self, kind: str | None = None) -> list[Card]:
        """Return the bot's messages, oldest first."""
        answer = await self.chat.get("/rehearsal/messages", self.headers)
        found = [
            Card(m["id"], m["seq"], m["kind"], m["card"], m["fallback"], tuple(m["files"]))
            for m in answer["messages"]
            if m["from"] == "bot"
        ]
        return [card for card in found if kind is None or card.kind == kind]

    async def newest(self, kind: str) -> Card:
        """Wait for a card of this kind and return the newest.

        Raises:
            Unexpected: None came.
        """
        return await self.until(lambda cards: cards[-1] if cards else None, kind, f"a card {kind}")

    async def until(self, pick: Callable[[list[Card]], Card | None], kind: str | None, what: str) -> Card:
        """Wait until `pick` finds what it looks for among the cards of a kind."""
        for _ in range(int(PATIENCE_S / STEP_S)):
            found = pick(await self.cards(kind))
            if found is not None:
                return found
            await asyncio.sleep(STEP_S)
        seen = [card.kind for card in await self.cards()]
        raise Unexpected(f"{self.name} waited for {what}; there is {', '.join(seen) or 'nothing'}")

    async def type(self, text: str) -> list[Card]:
        """Type `/reclaim text` and return the cards that it brought.

        Raises:
            Unexpected: It was refused.
        """
        before = {card.message_id for card in await self.cards()}
        answer = await self.chat.post(
            "/rehearsal/commands", self.headers, {"text": f"/reclaim {text}", "key": uuid.uuid4().hex}
        )
        if answer.get("error"):
            raise Unexpected(f"{self.name} typed {text!r}: {answer.get('toast')}")
        return [card for card in await self.cards() if card.message_id not in before]

    async def click(self, card: Card, verb: str, inputs: Mapping[str, str] | None = None) -> Card:
        """Press a button of a card with what the card holds, and return the message as it is then.

        Raises:
            Unexpected: There is no such button, or the product refused.
        """
        action = card.action(verb)
        if action is None:
            raise Unexpected(f"{self.name} looked for {verb} on {card.kind} “{card.title}”: {_verbs(card)}")
        body = {
            "message_id": card.message_id,
            "verb": verb,
            "ref": action["ref"],
            "v": 1,
            "inputs": {**card.values(), **(inputs or {})} if action["submits"] else {},
            "key": uuid.uuid4().hex,
        }
        if action.get("batch"):
            body["batch"] = action["batch"]
        answer = await self.chat.post("/rehearsal/actions", self.headers, body)
        if answer.get("error"):
            raise Unexpected(f"{self.name} pressed {verb}: {answer.get('toast')}")
        return next(one for one in await self.cards() if one.message_id == card.message_id)

    async def find_person(self, text: str) -> str:
        """Return the id of the first person that the people picker offers."""
        answer = await self.chat.get(f"/rehearsal/people?q={text}", self.headers)
        people = answer["people"]
        if not people:
            raise Unexpected(f"the people picker found nobody for {text!r}")
        return str(people[0]["id"])

    async def download(self, file: Json) -> bytes:
        """Return a file that the bot gave."""
        return await self.chat.raw(file["href"], self.headers)


class Chat:
    """The browser chat at the printed address."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._origin = address.split("/?", 1)[0]
        self._http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        async with self._http.get(self._address) as answer:
            if answer.status != 200:
                raise Unexpected(f"the printed address answered {answer.status}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def personas(self) -> list[Json]:
        """Return the people that can be played."""
        answer = await self._json("GET", "/rehearsal/personas", {}, None)
        return list(answer["personas"])

    async def play(self, persona: Json) -> Person:
        """Take a persona's seat."""
        answer = await self._json("POST", f"/rehearsal/personas/{persona['id']}/session", {}, {})
        headers = {"X-Persona-Session": answer["session"], "X-CSRF-Token": answer["csrf"]}
        return Person(self, str(persona["id"]), str(persona["name"]), headers)

    async def get(self, path: str, headers: Mapping[str, str]) -> Json:
        """Return the JSON at a path."""
        return await self._json("GET", path, headers, None)

    async def post(self, path: str, headers: Mapping[str, str], body: Json) -> Json:
        """Post JSON and return the answer."""
        return await self._json("POST", path, headers, body)

    async def raw(self, path: str, headers: Mapping[str, str]) -> bytes:
        """Return the bytes at a path."""
        async with self._http.get(urljoin(self._origin, path), headers=headers) as answer:
            if answer.status != 200:
                raise Unexpected(f"{path} answered {answer.status}")
            return await answer.read()

    async def _json(self, method: str, path: str, headers: Mapping[str, str], body: Json | None) -> Json:
        sent = {"Origin": self._origin, **headers}
        async with self._http.request(method, urljoin(self._origin, path), headers=sent, json=body) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise Unexpected(f"{method} {path.split('?')[0]} answered {answer.status}: {text[:300]}")
            found = json.loads(text)
            return found if isinstance(found, dict) else {"items": found}


def _verbs(card: Card) -> str:
    return ", ".join(action["verb"] for action in card.actions()) or "it has no buttons"
