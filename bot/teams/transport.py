"""Cards out to Teams: finds or opens the private chat, paces, tries again what may pass, and notes who cannot be reached."""

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Final, Protocol, TypeVar

import structlog

from bot.inbound import Sent
from bot.teams import CHANNEL
from bot.teams.pace import LONGEST_WAIT_S, Pace
from bot.teams.sdk import Blocked, ConversationGone
from cards import adaptive
from cards.adaptive_parts import Node
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.errors import DeliveryError
from reclaim.ports.storage import Identity, Work
from reclaim.ports.system import Clock

# Where a person is first spoken to, until Teams names another address. Source: "Send proactive messages".
SERVICE_URL: Final = "https://smba.trafficmanager.net/teams"
ASK_AGAIN: Final = timedelta(days=1)  # after a refusal: people unblock bots, and admins allow them
_BACK_OFF_S: Final = (1.0, 2.0, 4.0, 8.0)

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Connector(Protocol):
    """What `bot.teams.sdk.TeamsSdk` does for us."""

    async def check(self) -> None:
        """Get a token."""
        ...

    async def send(self, service_url: str, conversation: str, card: Node, summary: str) -> str:
        """Post a card, and return the id of its message."""
        ...

    async def update(self, service_url: str, conversation: str, message_id: str, card: Node, summary: str) -> None:
        """Redraw a message."""
        ...

    async def post(self, service_url: str, conversation: str, attachment: Mapping[str, object], summary: str) -> str:
        """Post a message with one attachment, and return its id."""
        ...

    async def open_personal(self, service_url: str, person_id: str) -> str:
        """Return the private conversation with a person."""
        ...

    async def member(self, service_url: str, conversation: str, person_id: str) -> str | None:
        """Return the Teams id of a person in a conversation."""
        ...


class Installer(Protocol):
    """Installs the app for a person who never wrote to the bot."""

    async def install(self, person: PersonId) -> bool:
        """Return whether it is installed now; False where the tenant does not let us."""
        ...


class TeamsTransport:
    """`bot.inbound.Transport` over Teams.

    Args:
        connector: The SDK's adapter.
        installer: None where the permission is not granted: then only who has the app is reached.
        service_url: Where new conversations are opened.
    """

    def __init__(
        self,
        *,
        connector: Connector,
        work: Work,
        clock: Clock,
        pace: Pace,
        installer: Installer | None = None,
        service_url: str = SERVICE_URL,
    ) -> None:
        self._connector = connector
        self._work = work
        self._clock = clock
        self._pace = pace
        self._installer = installer
        self._service_url = service_url

    @property
    def channel(self) -> str:
        """The channel's name."""
        return CHANNEL

    async def check(self) -> None:
        """Get a token of the bot, without which nothing can be sent.

        Raises:
            PortError: There is none.
        """
        await self._connector.check()

    async def reach(self, person: PersonId) -> str | None:
        """Return the private chat with this person, opened if there is none; None where Teams does not let us.

        Raises:
            DeliveryError: Teams did not answer; a later try can help.
        """
        async with self._work.read() as reading:
            known = await reading.identities.get(CHANNEL, person)
        now = self._clock.now()
        if known is not None and known.state == "blocked" and now - known.updated_at < ASK_AGAIN:
            return None
        if known is not None and known.state == "known" and known.conversation is not None:
            return known.conversation
        known = known or Identity(channel=CHANNEL, person_id=person, updated_at=now)
        service_url = known.service_url or self._service_url
        try:
            conversation = await self._open(service_url, person)
        except Blocked as error:
            await self._put(replace(known, state="blocked", why=error.code, updated_at=now))
            return None
        await self._put(
            replace(
                known,
                conversation=conversation,
                service_url=service_url,
                user_ref=known.user_ref or await self._reader(service_url, conversation, person),
                state="known",
                why=None,
                updated_at=now,
            )
        )
        return conversation

    async def _reader(self, service_url: str, conversation: str, person: PersonId) -> str | None:
        """Return the person's Teams id, for whom a card re-reads itself on opening; None where Teams does not say."""
        try:
            return await self._again(conversation, lambda: self._connector.member(service_url, conversation, person))
        except DeliveryError as error:
            log.info("a reader's Teams id is not known", person=person, error=error.code)
            return None

    async def send(self, conversation: str, card: CardView) -> Sent:
        """Post a card at the foot of the chat.

        Raises:
            DeliveryError: It could not be sent; not permanent where the chat is gone, since `reach` opens another.
        """
        identity = await self._identity(conversation)
        drawn = adaptive.render(card, reader_ids=_readers(identity.user_ref))
        try:
            message = await self._to(
                identity, lambda: self._connector.send(self._address(identity), conversation, drawn, card.fallback)
            )
        except ConversationGone as error:
            await self._put(replace(identity, conversation=None, updated_at=self._clock.now()))
            raise DeliveryError("The chat is gone; another one is opened at the next try.") from error
        return Sent(external_id=message, payload_sha256=_sha256(drawn))

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        """Redraw a message in place.

        Raises:
            DeliveryError: It could not be redrawn; permanent where the message is gone.
        """
        identity = await self._identity(conversation)
        drawn = adaptive.render(card, reader_ids=_readers(identity.user_ref))
        await self._to(
            identity,
            lambda: self._connector.update(self._address(identity), conversation, external_id, drawn, card.fallback),
        )
        return Sent(external_id=external_id, payload_sha256=_sha256(drawn))

    async def send_to(self, service_url: str, conversation: str, card: CardView, *, reader: str | None = None) -> None:
        """Post a card to any conversation, a channel's thread too; it is not recorded.

        Args:
            service_url: Where the conversation is served.
            conversation: Its id.
            card: What to say.
            reader: Teams id of the one person who reads there, for whom the card re-reads itself; None for several.

        Raises:
            DeliveryError: It could not be sent.
        """
        drawn = adaptive.render(card, reader_ids=_readers(reader))
        await self._again(conversation, lambda: self._connector.send(service_url, conversation, drawn, card.fallback))

    async def attach(self, service_url: str, conversation: str, attachment: Mapping[str, object], summary: str) -> None:
        """Post an attachment that is no card of ours.

        Raises:
            DeliveryError: It could not be sent.
        """
        await self._again(conversation, lambda: self._connector.post(service_url, conversation, attachment, summary))

    async def redraw(
        self, service_url: str, conversation: str, message_id: str, card: CardView, *, reader: str | None = None
    ) -> None:
        """Redraw a message in any conversation; `reader` as for `send_to`.

        Raises:
            DeliveryError: It could not be redrawn.
        """
        drawn = adaptive.render(card, reader_ids=_readers(reader))
        await self._again(
            conversation,
            lambda: self._connector.update(service_url, conversation, message_id, drawn, card.fallback),
        )

    async def _to(self, identity: Identity, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._again(identity.conversation or "", work)
        except Blocked as error:
            await self._put(replace(identity, state="blocked", why=error.code, updated_at=self._clock.now()))
            raise

    async def _open(self, service_url: str, person: PersonId) -> str:
        try:
            return await self._again(person, lambda: self._connector.open_personal(service_url, person))
        except Blocked:
            if self._installer is None or not await self._installer.install(person):
                raise
        return await self._again(person, lambda: self._connector.open_personal(service_url, person))

    async def _again(self, conversation: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do it, and again what may pass, within what a job may wait.

        Raises:
            DeliveryError: The last one, with `retry_after` where Teams named a time that is too far off.
        """
        for pause_s in _BACK_OFF_S:
            try:
                async with self._pace.turn(conversation):
                    return await work()
            except DeliveryError as error:
                asked = error.retry_after.total_seconds() if error.retry_after else None
                if error.permanent or (asked is not None and asked > LONGEST_WAIT_S):
                    raise
                log.info("Teams asks to wait", seconds=asked or pause_s, error=error.code)
                # Jitter, so that many that were turned away together do not come back together.
                await self._clock.sleep(asked if asked is not None else pause_s * random.uniform(0.5, 1.5))  # noqa: S311
        async with self._pace.turn(conversation):
            return await work()

    async def _identity(self, conversation: str) -> Identity:
        async with self._work.read() as reading:
            found = (await reading.identities.of_conversations(CHANNEL, [conversation])).get(conversation)
        if found is None:
            raise DeliveryError("Nobody is known to have this chat.", permanent=True)
        return found

    def _address(self, identity: Identity) -> str:
        return identity.service_url or self._service_url

    async def _put(self, identity: Identity) -> None:
        async with self._work.write() as unit:
            await unit.identities.put(identity)
            await unit.commit()


def _readers(reader: str | None) -> tuple[str, ...]:
    return (reader,) if reader else ()


def _sha256(drawn: Node) -> str:
    return sha256(json.dumps(drawn, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
