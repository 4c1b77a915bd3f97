"""The chats of the rehearsal, in memory (its database is fresh at every start too), and the transport that fills them.

One counter numbers every change in any chat. A page that names the last number it saw gets all that changed since, so a
stream can break and resume anywhere without a log of events.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal

from bot.inbound import Sent
from bot.web.watch import Group, Persona
from cards import html as html_cards
from cards.payload import Payload
from cards.view import Action, CardView
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import ExportedFile
from reclaim.errors import DeliveryError
from reclaim.ports.system import Clock, Tokens

CHANNEL = "web"

NameOf = Callable[[PersonId], Awaitable[str | None]]


@dataclass(slots=True, kw_only=True)
class Message:
    """One bubble or card.

    Attributes:
        seq: Number of its last change; `first_seq` that of its arrival.
        text: What the person typed; None for a card.
        offered: Every (verb, ref, batch) that any version of the card had: a click on an older one is still a click.
        files: (id, name) of the files that came with it.
    """

    id: str
    seq: int
    first_seq: int
    at: datetime
    text: str | None = None
    card: CardView | None = None
    html: str | None = None
    offered: set[Payload] = field(default_factory=set)
    files: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a move of the clock brought, in one line."""

    seq: int
    at: datetime
    text: str


Change = tuple[Literal["message", "updated"], Message] | tuple[Literal["told"], Told]


@dataclass(slots=True)
class Conversation:
    """The chat of one persona with Reclaim."""

    persona: Persona
    cast: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    read_seq: int = 0

    @property
    def unread(self) -> int:
        """Cards that arrived since this persona was last looked at."""
        return sum(1 for message in self.messages.values() if message.card and message.first_seq > self.read_seq)


class Conversations:
    """All chats, and whom they wake when something changes.

    Args:
        cast: Who can be played from the start; anyone else of the tenant joins once a message reaches them.
        name_of: The shown name of a person of the tenant, or None for a stranger.
    """

    def __init__(self, cast: tuple[Persona, ...], *, name_of: NameOf, clock: Clock, tokens: Tokens) -> None:
        self._chats = {persona.person_id: Conversation(persona, cast=True) for persona in cast}
        self._name_of = name_of
        self._clock = clock
        self._tokens = tokens
        self._files: dict[str, tuple[PersonId, ExportedFile]] = {}
        self._told: list[Told] = []
        self._wakers: set[asyncio.Event] = set()
        self.seq = 0
        self.closed = False

    def listed(self) -> tuple[Conversation, ...]:
        """Return the chats of the cast, then of everyone else whom a message reached."""
        return tuple(chat for chat in self._chats.values() if chat.cast or chat.messages)

    def find(self, persona_id: str) -> Conversation | None:
        """Return the chat of the persona with this id."""
        return next((chat for chat in self._chats.values() if chat.persona.id == persona_id), None)

    def of(self, person: PersonId) -> Conversation | None:
        """Return the chat of this person, or None if no message has reached them."""
        return self._chats.get(person)

    async def reach(self, person: PersonId) -> Conversation | None:
        """Return the chat of this person, made if need be; None if the tenant does not know them."""
        if person in self._chats:
            return self._chats[person]
        name = await self._name_of(person)
        if name is None:
            return None
        persona = Persona(id=person, person_id=person, name=name, line="Reviewer", group=Group.REVIEW)
        return self._chats.setdefault(person, Conversation(persona))

    def say(self, chat: Conversation, text: str) -> Message:
        """Add what the persona typed."""
        return self._add(chat, Message(id=self._tokens.new_id(), seq=0, first_seq=0, at=self._clock.now(), text=text))

    def post(self, chat: Conversation, card: CardView) -> Message:
        """Add a card at the foot of the chat."""
        message = Message(id=self._tokens.new_id(), seq=0, first_seq=0, at=self._clock.now())
        self._draw(message, card)
        return self._add(chat, message)

    def redraw(self, message: Message, card: CardView) -> None:
        """Replace a card in place."""
        self._draw(message, card)
        message.seq = self._next()
        self.wake()

    def attach(self, chat: Conversation, message: Message, files: tuple[ExportedFile, ...]) -> None:
        """Hang files on a message; only the persona of this chat may fetch them."""
        for file in files:
            file_id = self._tokens.new_id()
            self._files[file_id] = (chat.persona.person_id, file)
            message.files += ((file_id, file.name),)
        message.seq = self._next()
        self.wake()

    def file(self, owner: PersonId, file_id: str) -> ExportedFile | None:
        """Return a file of this person; None for an unknown one and for somebody else's."""
        person, file = self._files.get(file_id, (None, None))
        return file if person == owner else None

    def tell(self, text: str) -> None:
        """Add a line that every chat shows."""
        self._told.append(Told(seq=self._next(), at=self._clock.now(), text=text))
        self.wake()

    def told(self) -> tuple[Told, ...]:
        """Return all lines told so far."""
        return tuple(self._told)

    def changes(self, chat: Conversation, after: int) -> list[Change]:
        """Return what is new or changed in this chat since that number, in order."""
        found: list[Change] = [("told", told) for told in self._told if told.seq > after]
        for message in chat.messages.values():
            if message.seq > after:
                found.append(("message" if message.first_seq > after else "updated", message))
        return sorted(found, key=lambda change: change[1].seq)

    def read(self, chat: Conversation, seq: int) -> None:
        """Note that the persona's window has shown everything up to this number."""
        before = chat.unread
        chat.read_seq = max(chat.read_seq, seq)
        if chat.unread != before:
            self.wake()

    def subscribe(self) -> asyncio.Event:
        """Return an event that is set whenever anything changes; hand it back to `unsubscribe`."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        return waker

    def unsubscribe(self, waker: asyncio.Event) -> None:
        """Stop waking."""
        self._wakers.discard(waker)

    def wake(self) -> None:
        """Let every stream look again."""
        for waker in self._wakers:
            waker.set()

    def close(self) -> None:
        """End every stream: the server is going down."""
        self.closed = True
        self.wake()

    def _next(self) -> int:
        self.seq += 1
        return self.seq

    def _draw(self, message: Message, card: CardView) -> None:
        message.card, message.html = card, html_cards.render(card, uid=f"m{message.id}")
        message.offered |= {Payload(action.verb, action.ref, action.batch) for action in actions_of(card)}

    def _add(self, chat: Conversation, message: Message) -> Message:
        message.seq = message.first_seq = self._next()
        chat.messages[message.id] = message
        self.wake()
        return message


def actions_of(part: object) -> Iterator[Action]:
    """Walk a card and yield every action that it offers, wherever it stands."""
    if isinstance(part, Action):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from actions_of(each)
    elif dataclasses.is_dataclass(part):
        for each in dataclasses.fields(part):
            yield from actions_of(getattr(part, each.name))


class WebTransport:
    """`bot.inbound.Transport` over the chats: a conversation is a person's id, a payload is the card's HTML."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    @property
    def channel(self) -> str:
        """The channel's name."""
        return CHANNEL

    async def check(self) -> None:
        """Do nothing: the browser chat is part of this process."""

    async def reach(self, person: PersonId) -> str | None:
        """Return the person's own id: everyone of the practice tenant can be reached."""
        return person if await self._conversations.reach(person) else None

    async def send(self, conversation: str, card: CardView) -> Sent:
        """Post a card at the foot of the chat."""
        return _sent(self._conversations.post(await self._chat(conversation), card))

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        """Redraw a card in place."""
        message = (await self._chat(conversation)).messages.get(external_id)
        if message is None:
            raise DeliveryError("The message to update is not in this chat.", permanent=True)
        self._conversations.redraw(message, card)
        return _sent(message)

    async def _chat(self, conversation: str) -> Conversation:
        chat = await self._conversations.reach(PersonId(conversation))
        if chat is None:
            raise DeliveryError("Nobody of the practice tenant has this chat.", permanent=True)
        return chat


def _sent(message: Message) -> Sent:
    return Sent(external_id=message.id, payload_sha256=sha256((message.html or "").encode()).hexdigest())
