"""What people do in Teams, carried to the core and answered: messages, clicks, installations, answers about files.

A click is answered in the response of its own request: Teams draws that card at once, for the device that clicked. The
message itself is redrawn afterwards for the person's other devices. All else is said in new messages.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from bot.background import Background
from bot.inbound import Command, Dispatch, Reply
from bot.teams import CHANNEL, clicks, files
from bot.teams.clicks import Body, is_personal, reader_of
from bot.teams.guard import Incoming
from bot.teams.redraws import Redraws
from cards.control import message_card
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError, InvalidRequest, ReclaimError
from reclaim.ports.storage import Identity, Work
from reclaim.ports.system import Clock
from reclaim.together import Together

_MENTION = re.compile(r"<at[^>]*>.*?</at>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^>]*>", re.IGNORECASE)
_SLASHED = re.compile(r"^/?reclaim\b", re.IGNORECASE)

log = structlog.get_logger(__name__)


class Post(Protocol):
    """What `bot.teams.transport.TeamsTransport` does for us beyond a `Transport`."""

    async def reach(self, person: PersonId) -> str | None:
        """Return the private chat with this person."""
        ...

    async def send_to(self, service_url: str, conversation: str, card: CardView, *, reader: str | None = None) -> None:
        """Post a card to any conversation, a channel's thread too."""
        ...

    async def attach(self, service_url: str, conversation: str, attachment: files.Attachment, summary: str) -> None:
        """Post an attachment that is no card of ours."""
        ...

    async def redraw(
        self, service_url: str, conversation: str, message_id: str, card: CardView, *, reader: str | None = None
    ) -> None:
        """Redraw a message."""
        ...


class TeamsChat:
    """Implements `bot.teams.sdk.Turns`, and answers the invokes.

    Args:
        dispatch: The way into the core.
        post: The way out.
        uploads: Where files go.
        background: Runs what the request need not wait for.
        welcome: Makes the card for somebody who just got the app.
    """

    def __init__(
        self,
        *,
        dispatch: Dispatch,
        post: Post,
        uploads: files.Uploads,
        background: Background,
        work: Work,
        clock: Clock,
        welcome: Callable[[PersonId], Awaitable[CardView]],
    ) -> None:
        self._dispatch = dispatch
        self._post = post
        self._uploads = uploads
        self._background = background
        self._work = work
        self._clock = clock
        self._welcome = welcome
        self._redraws = Redraws()
        self._known = Together(self._read_known)

    async def message(self, incoming: Incoming) -> None:
        """Answer a typed command, or a click from a client that knows no Action.Execute."""
        if incoming.person_id is None:
            return
        await self.learn(incoming)
        if isinstance(incoming.activity.get("value"), Mapping):
            await self._old_click(incoming)
            return
        text = typed(incoming.activity.get("text"))
        conversation = _conversation(incoming)
        reply = await self._dispatch.command(
            Command(
                person_id=PersonId(incoming.person_id),
                channel=CHANNEL,
                text=text,
                key=_key(incoming, conversation),
                private=is_personal(incoming),
            )
        )
        if reply.toast is not None and not reply.cards:
            reply = replace(reply, cards=(_spoken(reply),))
        await self._say(incoming, conversation, reply, files.Source(command=text))

    async def click(self, incoming: Incoming) -> Body:
        """Answer `adaptiveCard/action`. Never raises for bad input."""
        try:
            read = clicks.read_click(incoming)
        except InvalidRequest as error:
            return clicks.refusal(clicks.in_words(error))
        reply = await self._dispatch.action(read.action)
        if not read.automatic:
            self._background.start(self._after_click(incoming, read, reply))
        return clicks.answer(reply, read)

    async def file_answered(self, incoming: Incoming) -> None:
        """Upload a file that the person let us store, or say that it was left.

        Raises:
            InvalidRequest: The answer is to no question of ours.
        """
        consent = files.read(incoming.activity)
        if incoming.person_id is None:
            raise InvalidRequest("Nobody is named as the one who answered.")
        if consent.accepted:
            self._background.start(self._upload(incoming, PersonId(incoming.person_id), consent))

    async def installed(self, incoming: Incoming) -> None:
        """Greet whoever got the app in their private chat."""
        if incoming.person_id is None or not is_personal(incoming):
            return
        await self.learn(incoming)
        card = await self._welcome(PersonId(incoming.person_id))
        await self._post.send_to(incoming.service_url, _conversation(incoming), card)

    async def removed(self, incoming: Incoming) -> None:
        """Note that this person has the app no more: they are reached elsewhere, or named to the admin."""
        if incoming.person_id is None or not is_personal(incoming):
            return
        await self._put(incoming, PersonId(incoming.person_id), state="blocked", why="uninstalled")

    async def learn(self, incoming: Incoming) -> None:
        """Note where this person is spoken to: Teams may move a chat's address with any activity."""
        if incoming.person_id is None or not is_personal(incoming):
            return
        person = PersonId(incoming.person_id)
        known = await self._known.ask(person)
        now_at = (_conversation(incoming), incoming.service_url)
        if (
            known is None
            or known.state != "known"
            or (known.conversation, known.service_url) != now_at
            or known.user_ref != reader_of(incoming)
        ):
            await self._put(incoming, person, state="known", why=None)

    async def _read_known(self, people: Sequence[PersonId]) -> dict[PersonId, Identity | Exception | None]:
        async with self._work.read() as reading:
            known = await reading.identities.get_many(CHANNEL, people)
        return {person: known.get(person) for person in people}

    async def _put(self, incoming: Incoming, person: PersonId, *, state: str, why: str | None) -> None:
        identity = Identity(
            channel=CHANNEL,
            person_id=person,
            user_ref=reader_of(incoming),
            conversation=_conversation(incoming),
            service_url=incoming.service_url,
            state=state,
            why=why,
            updated_at=self._clock.now(),
        )
        async with self._work.write() as unit:
            await unit.identities.put(identity)
            await unit.commit()

    async def _old_click(self, incoming: Incoming) -> None:
        """Carry out an Action.Submit: the verb is in its data, and the answer is a new message."""
        conversation = _conversation(incoming)
        try:
            read = clicks.read_submit(incoming)
        except InvalidRequest as error:
            log.info("a button could not be read", error=error.code)
            unread = Reply(toast=clicks.in_words(error), error=True)
            await self._say(incoming, conversation, replace(unread, cards=(_spoken(unread),)), files.Source())
            return
        reply = await self._dispatch.action(read.action)
        if reply.toast is not None:
            reply = replace(reply, cards=(_spoken(reply), *reply.cards))
        await self._after_click(incoming, read, reply, redrawn=False)

    async def _after_click(
        self, incoming: Incoming, read: clicks.CardClick, reply: Reply, *, redrawn: bool = True
    ) -> None:
        """Say the rest of an answer. `redrawn`: who clicked has the new card already.

        Where others read too, nothing of it is for them: what one person may see, another may not.
        """
        if reply.replace is not None and read.alone and read.message_id:
            await self._redraw(incoming.service_url, read, reply.replace)
        elif reply.replace is not None and not redrawn:
            reply = replace(reply, cards=(reply.replace, *reply.cards))
        if not read.alone:
            reply = replace(reply, cards=(), in_private=(*reply.cards, *reply.in_private))
        source = files.Source(verb=read.action.verb, ref=read.action.ref)
        await self._say(incoming, read.conversation, reply, source)

    async def _say(self, incoming: Incoming, conversation: str, reply: Reply, source: files.Source) -> None:
        for card in reply.cards:
            await self._post.send_to(incoming.service_url, conversation, card, reader=reader_of(incoming))
        if not (reply.in_private or reply.files) or incoming.person_id is None:
            return
        private = conversation if is_personal(incoming) else await self._post.reach(PersonId(incoming.person_id))
        if private is None:
            log.info("nobody to answer in private", person=incoming.person_id)
            return
        for card in reply.in_private:
            await self._post.send_to(incoming.service_url, private, card, reader=clicks.sender_of(incoming))
        for file in reply.files:
            await self._post.attach(incoming.service_url, private, files.ask(file, source), file.name)

    async def _upload(self, incoming: Incoming, person: PersonId, consent: files.Consent) -> None:
        conversation = _conversation(incoming)
        reply = await self._again(person, consent.source, _key(incoming, conversation))
        file = next((each for each in reply.files if each.name == consent.name), None)
        if file is None:
            # No right to it any more, or it is called differently now: what the core says instead is the answer.
            for card in reply.cards:
                await self._post.send_to(incoming.service_url, conversation, card)
            return
        try:
            await self._uploads.put(consent, file.content)
        except DeliveryError as error:
            log.warning("a file could not be stored", error=error.code, permanent=error.permanent)
            card = message_card("file", f"{error.message} Ask for it again.", headline="The file was not stored")
            await self._post.send_to(incoming.service_url, conversation, card)
            return
        await self._post.attach(incoming.service_url, conversation, files.info(consent), consent.name)

    async def _again(self, person: PersonId, source: files.Source, key: str) -> Reply:
        if source.command is not None:
            return await self._dispatch.command(
                Command(person_id=person, channel=CHANNEL, text=source.command, key=key, private=True)
            )
        action = clicks.action(person, verb=source.verb or "", ref=source.ref or "", key=key)
        return await self._dispatch.action(action)

    async def _redraw(self, service_url: str, read: clicks.CardClick, card: CardView) -> None:
        async def draw(newest: CardView) -> None:
            await self._post.redraw(service_url, read.conversation, read.message_id, newest, reader=read.reader)

        try:
            await self._redraws.put((read.conversation, read.message_id), card, draw)
        except ReclaimError as error:
            # The person has the new card already; the other devices' copy answers with the present state when clicked.
            log.warning("a clicked card could not be redrawn", error=error.code)


def typed(text: object) -> str:
    """Return a command as typed: without mention, markup, and the leading `/reclaim`."""
    if not isinstance(text, str):
        return ""
    plain = _TAG.sub(" ", _MENTION.sub(" ", text)).replace("&nbsp;", " ").replace("\u00a0", " ").strip()
    without = _SLASHED.sub("", plain, count=1).strip()
    return without.removeprefix("/")


def _spoken(reply: Reply) -> CardView:
    """Return a card of what other clients show beside the card or the command box."""
    headline = "That did not work" if reply.error else "Reclaim"
    return message_card("answer", reply.toast or "", headline=headline)


def _conversation(incoming: Incoming) -> str:
    conversation = incoming.activity.get("conversation")
    found = conversation.get("id") if isinstance(conversation, Mapping) else None
    if not isinstance(found, str) or not found:
        raise InvalidRequest("The activity names no conversation.")
    return found


def _key(incoming: Incoming, conversation: str) -> str:
    return f"{conversation[-60:]}:{incoming.activity.get('id') or ''}"[:200]
