"""Notices out: notice + person → channel → card → transport, with a record of what was sent.

The record is written before the network (`intended`) and completed after it, so a crash in between leaves a trace. Sending
is not idempotent on any channel: a live message of the same matter is updated, never sent a second time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

import structlog

from bot.inbound import Sent, Transport
from bot.services import ZoneOf
from cards.notices import render_notice
from cards.review import moved_card
from cards.view import CardView
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import MessageId, PersonId
from reclaim.domain.notices import ConsentNotice, Notice, WaveNotice
from reclaim.errors import DeliveryError
from reclaim.ports.chat import Delivery
from reclaim.ports.storage import MessageRecord, Work
from reclaim.ports.system import Clock, Tokens

log = structlog.get_logger(__name__)


class Outbox:
    """Implements `ports.chat.Messenger` over the transports, tried in their order."""

    def __init__(
        self, *, work: Work, clock: Clock, tokens: Tokens, transports: Sequence[Transport], zone_of: ZoneOf
    ) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._transports = tuple(transports)
        self._zone_of = zone_of
        # Two deliveries of one matter at once would both find no live message, and send two.
        self._locks: WeakValueDictionary[tuple[PersonId, str], asyncio.Lock] = WeakValueDictionary()

    async def deliver(self, person: PersonId, notice: Notice) -> Delivery:
        """Update the person's live message of the notice's matter, or send a new one.

        Raises:
            DeliveryError: No channel reaches the person (permanent), or the channel failed.
        """
        lock = self._locks.setdefault((person, notice.matter), asyncio.Lock())
        async with lock:
            delivery = await self._deliver(person, notice)
        # A card drawn after the close asks nothing, so nobody's silence to it may count.
        if isinstance(notice, WaveNotice) and notice.wave.campaign_state is CampaignState.OPEN:
            await self._shows(delivery.message_id, notice)
        return delivery

    async def retire(self, matter: str, notice: Notice) -> None:
        """Redraw every live message of a matter as `notice`; failures are logged, not raised."""
        async with self._work.read() as work:
            live = await work.messages.live_of_matter(matter)
        for record in live:
            await self._retire_copy(record, render_notice(notice, await self._zone_of(record.person_id)))

    async def _deliver(self, person: PersonId, notice: Notice) -> Delivery:
        card = render_notice(notice, await self._zone_of(person))
        async with self._work.read() as work:
            live = await work.messages.live(person, notice.matter)
        fresh = isinstance(notice, WaveNotice | ConsentNotice) and notice.fresh
        if live is not None and live.external_id is not None and not fresh:
            try:
                return await self._update(live, live.external_id, card)
            except DeliveryError as error:
                if not error.permanent:
                    raise
                # The message or its channel is gone for good: the person gets a new one.
                log.warning("a live message is gone", message=live.id, channel=live.channel)
        delivery = await self._send(person, notice, card)
        if live is not None:
            await self._retire_copy(live, moved_card())
        return delivery

    async def _shows(self, message: MessageId, notice: WaveNotice) -> None:
        """Note which seats the person has now seen: silence removes nothing that nobody was shown."""
        async with self._work.write() as work:
            await work.messages.show_items(message, [row.item.id for row in notice.wave.open_rows])
            await work.commit()

    async def _send(self, person: PersonId, notice: Notice, card: CardView) -> Delivery:
        """Send over the first channel that takes it: whoever blocked the bot in one may be reached in another."""
        refused: DeliveryError | None = None
        asked_in = notice.channel if isinstance(notice, WaveNotice) else None
        for transport in sorted(self._transports, key=lambda each: each.channel != asked_in):
            conversation = await transport.reach(person)
            if conversation is None:
                continue
            try:
                return await self._send_over(transport, conversation, person, notice, card)
            except DeliveryError as error:
                if not error.permanent:
                    raise
                log.warning("a channel does not reach this person", channel=transport.channel, why=error.code)
                refused = error
        if refused is not None:
            raise refused
        await self._nowhere(person, notice, card)
        raise DeliveryError("No chat channel reaches this person.", permanent=True)

    async def _send_over(
        self, transport: Transport, conversation: str, person: PersonId, notice: Notice, card: CardView
    ) -> Delivery:
        record = MessageRecord(
            id=MessageId(self._tokens.new_row_id()),
            person_id=person,
            channel=transport.channel,
            conversation=conversation,
            matter=notice.matter,
            kind=card.kind,
            state="intended",
            version=1,
            external_id=None,
            payload_sha256=None,
            data_as_of=None,
            created_at=self._clock.now(),
            sent_at=None,
        )
        await self._put(record)
        try:
            sent = await transport.send(conversation, card)
        except DeliveryError as error:
            await self._put(replace(record, state="dead", error=error.code))
            raise
        return await self._delivered(record, sent, "sent")

    async def _update(self, live: MessageRecord, external_id: str, card: CardView) -> Delivery:
        sent = await self._transport(live.channel).update(live.conversation, external_id, card)
        return await self._delivered(replace(live, version=live.version + 1, kind=card.kind), sent, "updated")

    async def _retire_copy(self, live: MessageRecord, card: CardView) -> None:
        if live.external_id is not None:
            try:
                await self._transport(live.channel).update(live.conversation, live.external_id, card)
            except DeliveryError as error:
                # Its buttons answer with the present state, so an old copy does no harm.
                log.warning("an older copy could not be redrawn", message=live.id, permanent=error.permanent)
        await self._put(replace(live, state="replaced", version=live.version + 1))

    async def _delivered(self, record: MessageRecord, sent: Sent, state: str) -> Delivery:
        now = self._clock.now()
        await self._put(
            replace(
                record,
                state=state,
                external_id=sent.external_id,
                payload_sha256=sent.payload_sha256,
                sent_at=now,
                error=None,
            )
        )
        return Delivery(
            message_id=record.id,
            channel=record.channel,
            conversation=record.conversation,
            external_id=sent.external_id,
            payload_sha256=sent.payload_sha256,
            sent_at=now,
        )

    async def _nowhere(self, person: PersonId, notice: Notice, card: CardView) -> None:
        """Leave a trace of a message that no channel could carry."""
        await self._put(
            MessageRecord(
                id=MessageId(self._tokens.new_row_id()),
                person_id=person,
                channel="none",
                conversation="",
                matter=notice.matter,
                kind=card.kind,
                state="dead",
                version=1,
                external_id=None,
                payload_sha256=None,
                data_as_of=None,
                created_at=self._clock.now(),
                sent_at=None,
                error="no_channel",
            )
        )

    def _transport(self, channel: str) -> Transport:
        for transport in self._transports:
            if transport.channel == channel:
                return transport
        raise DeliveryError(f"The channel {channel} is not set up any more.", permanent=True)

    async def _put(self, record: MessageRecord) -> None:
        async with self._work.write() as work:
            await work.messages.put(record)
            await work.commit()
