"""The browser chat on behalf of a persona: commands and clicks go to the one `Dispatch`, replies into the chat."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bot.inbound import Action, Command, Dispatch, Reply, Suggestion
from bot.web.conversations import CHANNEL, Conversation, Conversations, Message
from bot.web.watch import PracticeClock, TenantWatch
from cards.payload import decode
from reclaim.domain.ids import PersonId
from reclaim.errors import NotAuthorized, NotFound

MAX_KEYS = 1000  # remembered clicks and commands, for repeats after a broken connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Click:
    """A click as the page sent it; untrusted."""

    message_id: str
    verb: str
    payload: dict[str, object]
    inputs: Mapping[str, str]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the page is told at once; the cards come through the stream."""

    replaced: bool
    toast: str | None
    error: bool
    cards: int


class WebChat:
    """The chat that the routes serve.

    Args:
        tenant: The line under the product's name: "Practice tenant, 400 people".
        zone: IANA name of the zone in which the page shows times.
        run: Differs at every start of the program, so that the page forgets where an earlier rehearsal stood.
    """

    def __init__(
        self,
        *,
        conversations: Conversations,
        dispatch: Dispatch,
        watch: TenantWatch,
        clock: PracticeClock,
        tenant: str,
        zone: str,
        run: str,
    ) -> None:
        self.conversations = conversations
        self.watch = watch
        self.clock = clock
        self.tenant = tenant
        self.zone = zone
        self.run = run
        self._dispatch = dispatch
        self._outcomes: dict[tuple[PersonId, str], asyncio.Task[Outcome]] = {}
        self._moving = asyncio.Lock()

    async def command(self, chat: Conversation, text: str, key: str) -> Outcome:
        """Carry out a typed command once, however often the page sends it."""
        return await self._once(chat, key, lambda: self._command(chat, _behind_reclaim(text), key))

    async def action(self, chat: Conversation, click: Click) -> Outcome:
        """Carry out a click on a card of this chat once.

        Raises:
            NotFound: The message is not in this persona's chat.
            NotAuthorized: No version of the card ever offered this.
            InvalidRequest: The payload does not decode.
        """
        message = chat.messages.get(click.message_id)
        if message is None or message.card is None:
            raise NotFound("This card is not in this chat.")
        payload = decode(click.verb, click.payload)
        if payload not in message.offered:
            raise NotAuthorized("This card does not offer that.")
        action = Action(
            person_id=chat.persona.person_id,
            channel=CHANNEL,
            verb=payload.verb,
            ref=payload.ref,
            batch=payload.batch,
            inputs=click.inputs,
            message_id=message.id,
            key=_key(chat, click.key),
        )
        return await self._once(chat, click.key, lambda: self._action(chat, message, action))

    async def suggestions(self, chat: Conversation) -> tuple[Suggestion, ...]:
        """Return the verbs that this persona may type."""
        return await self._dispatch.suggestions(chat.persona.person_id)

    async def people(self, chat: Conversation, text: str) -> tuple[tuple[PersonId, str], ...]:
        """Return the people whose name matches, for a people picker."""
        return await self._dispatch.people(chat.persona.person_id, text)

    async def advance(self, by: timedelta | Literal["closing"], label: str) -> tuple[str, ...]:
        """Move the practice clock, tell every chat what happened, and return it. Moves wait for each other."""
        async with self._moving:
            told = await (self.clock.to_closing() if by == "closing" else self.clock.advance(by))
        self.conversations.tell(f"{label}: {' '.join(told) or 'nothing was due.'}")
        return told

    async def _command(self, chat: Conversation, text: str, key: str) -> Outcome:
        self.conversations.say(chat, f"/reclaim {text}".rstrip())
        command = Command(person_id=chat.persona.person_id, channel=CHANNEL, text=text, key=_key(chat, key))
        return self._show(chat, None, await self._dispatch.command(command))

    async def _action(self, chat: Conversation, message: Message, action: Action) -> Outcome:
        return self._show(chat, message, await self._dispatch.action(action))

    def _show(self, chat: Conversation, clicked: Message | None, reply: Reply) -> Outcome:
        """Draw a reply: redraw the clicked card, add new ones, hang the files on the last."""
        new = list(reply.cards)
        if reply.replace is not None and clicked is not None:
            self.conversations.redraw(clicked, reply.replace)
        elif reply.replace is not None:
            new.insert(0, reply.replace)
        posted = [self.conversations.post(chat, card) for card in new]
        carrier = posted[-1] if posted else clicked
        if reply.files:
            self.conversations.attach(chat, carrier or next(reversed(chat.messages.values())), reply.files)
        replaced = reply.replace is not None and clicked is not None
        return Outcome(replaced=replaced, toast=reply.toast, error=reply.error, cards=len(posted))

    async def _once(self, chat: Conversation, key: str, work: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Run the work in a task of its own, so that a closed window stops nothing half-way and a repeat joins it."""
        name = (chat.persona.person_id, key)
        if name not in self._outcomes:
            while len(self._outcomes) >= MAX_KEYS:
                del self._outcomes[next(iter(self._outcomes))]
            self._outcomes[name] = asyncio.ensure_future(_run(work))
        return await asyncio.shield(self._outcomes[name])


async def _run(work: Callable[[], Awaitable[Outcome]]) -> Outcome:
    return await work()


def _key(chat: Conversation, key: str) -> str:
    """Return the key of a request, told apart from an equal one of another persona."""
    return f"{chat.persona.person_id}:{key}"


def _behind_reclaim(text: str) -> str:
    """Return what stands behind `/reclaim`; the word itself may be left out in a chat that is with Reclaim alone."""
    words = text.strip().split(maxsplit=1)
    if words and words[0].lower() == "/reclaim":
        return words[1] if len(words) > 1 else ""
    return text.strip().removeprefix("/")
