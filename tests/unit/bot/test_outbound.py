"""Notices out, over real storage: one live message a matter, a record before and after the network."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.inbound import Sent
from bot.outbound import Outbox
from cards.view import CardView
from reclaim.domain.ids import PersonId
from reclaim.domain.notices import SyncNotice, WaveNotice
from reclaim.errors import DeliveryError
from reclaim.ports.storage import MessageRecord
from storage.unit_of_work import SqlWork
from tests.fakes import FixedClock, SequentialTokens
from tests.golden.cards.models import COMPLETE, NOW, SYNC, ZONE, wave

MEGAN = PersonId("megan")
MATTER = "sync:run1"


class Channel:
    """A transport in memory; `error` is raised by the next send or update."""

    def __init__(self, name: str = "web", *, reaches: bool = True) -> None:
        self.name = name
        self.reaches = reaches
        self.error: DeliveryError | None = None
        self.log: list[tuple[str, str, str]] = []
        self.during: Callable[[], Awaitable[None]] | None = None

    @property
    def channel(self) -> str:
        return self.name

    async def check(self) -> None:
        return None

    async def reach(self, person: PersonId) -> str | None:
        return f"chat-{person}" if self.reaches else None

    async def send(self, conversation: str, card: CardView) -> Sent:
        return await self._post("send", f"x{len(self.log) + 1}", card)

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        return await self._post("update", external_id, card)

    async def _post(self, how: str, external_id: str, card: CardView) -> Sent:
        if self.during is not None:
            await self.during()
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        self.log.append((how, external_id, card.kind))
        return Sent(external_id=external_id, payload_sha256="a" * 64)


def outbox(work: SqlWork, *channels: Channel) -> Outbox:
    async def zone_of(_: PersonId) -> str:
        return ZONE

    return Outbox(work=work, clock=FixedClock(NOW), tokens=SequentialTokens(), transports=channels, zone_of=zone_of)


async def live(work: SqlWork) -> list[MessageRecord]:
    async with work.read() as reading:
        return await reading.messages.live_of_matter(MATTER)


async def counts(work: SqlWork) -> dict[str, int]:
    async with work.read() as reading:
        return await reading.messages.counts(MATTER)


RUNNING = SyncNotice(sync=SYNC, now=NOW)
ENDED = SyncNotice(sync=COMPLETE, now=NOW)


async def test_the_second_notice_of_a_matter_updates_the_first(work: SqlWork) -> None:
    channel = Channel()
    box = outbox(work, channel)

    first = await box.deliver(MEGAN, RUNNING)
    second = await box.deliver(MEGAN, ENDED)

    assert [(how, ref) for how, ref, _ in channel.log] == [("send", "x1"), ("update", "x1")]
    assert first.message_id == second.message_id
    assert [(one.state, one.version, one.payload_sha256) for one in await live(work)] == [("updated", 2, "a" * 64)]


async def test_the_intention_is_stored_before_the_network(work: SqlWork) -> None:
    channel = Channel()
    box = outbox(work, channel)
    before: list[dict[str, int]] = []

    async def look() -> None:
        before.append(await counts(work))

    channel.during = look
    await box.deliver(MEGAN, RUNNING)

    assert before == [{"intended": 1}]
    assert await counts(work) == {"sent": 1}


async def test_the_first_channel_that_reaches_the_person_is_taken(work: SqlWork) -> None:
    teams, web = Channel("teams", reaches=False), Channel("web")

    delivery = await outbox(work, teams, web).deliver(MEGAN, RUNNING)

    assert delivery.channel == "web"
    assert teams.log == []


async def test_a_person_who_blocked_one_channel_is_reached_in_another(work: SqlWork) -> None:
    teams, web = Channel("teams"), Channel("web")
    teams.error = DeliveryError("blocked", permanent=True)

    delivery = await outbox(work, teams, web).deliver(MEGAN, RUNNING)

    assert delivery.channel == "web"
    assert await counts(work) == {"dead": 1, "sent": 1}
    async with work.read() as reading:
        assert await reading.messages.unreached(MATTER) == []


async def test_a_passing_failure_does_not_ask_the_same_in_two_channels(work: SqlWork) -> None:
    teams, web = Channel("teams"), Channel("web")
    teams.error = DeliveryError("busy")

    with pytest.raises(DeliveryError):
        await outbox(work, teams, web).deliver(MEGAN, RUNNING)

    assert web.log == []


async def test_a_person_whom_every_channel_refuses_is_named_as_not_reached(work: SqlWork) -> None:
    teams, web = Channel("teams"), Channel("web")
    teams.error = web.error = DeliveryError("blocked", permanent=True)

    with pytest.raises(DeliveryError) as caught:
        await outbox(work, teams, web).deliver(MEGAN, RUNNING)

    assert caught.value.permanent
    async with work.read() as reading:
        assert await reading.messages.unreached(MATTER) == [MEGAN]


async def test_nobody_to_reach_is_dead_and_permanent(work: SqlWork) -> None:
    with pytest.raises(DeliveryError) as caught:
        await outbox(work, Channel(reaches=False)).deliver(MEGAN, RUNNING)

    assert caught.value.permanent
    assert await counts(work) == {"dead": 1}


async def test_a_passing_failure_can_be_tried_again(work: SqlWork) -> None:
    channel = Channel()
    channel.error = DeliveryError("busy")
    box = outbox(work, channel)

    with pytest.raises(DeliveryError) as caught:
        await box.deliver(MEGAN, RUNNING)
    await box.deliver(MEGAN, RUNNING)

    assert not caught.value.permanent
    assert [one.state for one in await live(work)] == ["sent"]


async def test_a_message_that_is_gone_for_good_is_sent_anew(work: SqlWork) -> None:
    channel = Channel()
    box = outbox(work, channel)
    await box.deliver(MEGAN, RUNNING)
    channel.error = DeliveryError("deleted", permanent=True)

    await box.deliver(MEGAN, ENDED)

    assert channel.log[1][0] == "send"
    assert len(await live(work)) == 1


async def test_two_deliveries_at_once_are_one_message(work: SqlWork) -> None:
    channel = Channel()
    box = outbox(work, channel)

    await asyncio.gather(box.deliver(MEGAN, RUNNING), box.deliver(MEGAN, ENDED))

    assert [how for how, _, _ in channel.log] == ["send", "update"]


async def test_a_fresh_list_is_the_newest_message_and_the_older_copy_becomes_one_line(work: SqlWork) -> None:
    channel = Channel()
    box = outbox(work, channel)
    await box.deliver(MEGAN, WaveNotice(wave=wave(())))

    await box.deliver(MEGAN, WaveNotice(wave=wave(()), fresh=True))

    assert channel.log == [
        ("send", "x1", "review.wave"),
        ("send", "x2", "review.wave"),
        ("update", "x1", "review.moved"),
    ]


async def test_retire_redraws_every_copy_and_raises_nothing(work: SqlWork) -> None:
    channel = Channel()
    box = outbox(work, channel)
    await box.deliver(MEGAN, RUNNING)
    channel.error = DeliveryError("busy")

    await box.retire(MATTER, ENDED)

    assert await live(work) == []
