from dataclasses import replace

from reclaim.domain.ids import MessageId
from reclaim.domain.read_models import SentMessage
from reclaim.ports.storage import MessageRecord, Work
from tests.contract.storage.campaign_samples import ALEX, BLAIR, CASEY, HOUR, NOW, item, message, store
from tests.contract.storage.directory_rows import begin, row

WAVE = "wave:spring"


async def put(work: Work, *records: MessageRecord) -> None:
    async with work.write() as unit:
        for record in records:
            await unit.messages.put(record)
        await unit.commit()


async def test_every_field_of_a_message_comes_back(work: Work) -> None:
    await put(work, message("m1"))

    async with work.read() as unit:
        assert await unit.messages.live(ALEX, WAVE) == message("m1")


async def test_a_message_with_nothing_optional_comes_back_and_takes_its_later_state(work: Work) -> None:
    intended = replace(
        message("m1", state="intended"),
        external_id=None,
        payload_sha256=None,
        data_as_of=None,
        sent_at=None,
        error=None,
    )
    await put(work, intended)
    async with work.read() as unit:
        assert await unit.messages.live(ALEX, WAVE) is None

    sent = replace(intended, state="sent", sent_at=NOW, external_id="x")
    await put(work, sent)

    async with work.read() as unit:
        assert await unit.messages.live(ALEX, WAVE) == sent


async def test_the_live_message_is_the_newest_that_stands_in_the_chat(work: Work) -> None:
    await put(
        work,
        message("m1", at=NOW - 3 * HOUR),
        message("m2", at=NOW - 2 * HOUR, state="updated"),
        message("m3", at=NOW - HOUR, state="replaced"),
        message("m4", at=NOW, state="dead"),
        message("m5", at=NOW, matter="wave:other"),
        message("m6", at=NOW, person=BLAIR),
    )

    async with work.read() as unit:
        found = await unit.messages.live(ALEX, WAVE)
        assert found is not None
        assert found.id == "m2"
        assert [one.id for one in await unit.messages.live_of_matter(WAVE)] == ["m2", "m1", "m6"]


async def test_messages_are_counted_by_state(work: Work) -> None:
    await put(work, message("m1"), message("m2", person=BLAIR), message("m3", person=CASEY, state="dead"))
    await put(work, message("m4", matter="other"))

    async with work.read() as unit:
        assert await unit.messages.counts(WAVE) == {"sent": 2, "dead": 1}
        assert await unit.messages.counts("nothing") == {}


async def test_who_was_not_reached_is_who_has_a_dead_newest_message(work: Work) -> None:
    await put(
        work,
        message("m1", person=ALEX, state="dead", at=NOW - HOUR),
        message("m2", person=ALEX, state="sent", at=NOW),
        message("m3", person=BLAIR, state="sent", at=NOW - HOUR),
        message("m4", person=BLAIR, state="dead", at=NOW),
        message("m5", person=CASEY, state="dead", at=NOW, matter="other"),
    )

    async with work.read() as unit:
        assert await unit.messages.unreached(WAVE) == [BLAIR]


async def test_who_was_reached_at_the_same_instant_was_reached(work: Work) -> None:
    await put(work, message("m1", state="sent"), message("m2", state="dead"))

    async with work.read() as unit:
        assert await unit.messages.unreached(WAVE) == []


async def test_messages_about_an_item_name_the_person(work: Work) -> None:
    await store(work, item(1), item(2))
    await begin(work, 1, [row("alex", name="Alex Doe"), row("blair", name="")])
    await put(work, message("m1", at=NOW), message("m2", person=BLAIR, at=NOW + HOUR, state="dead"))
    await put(work, message("m3", person=CASEY, at=NOW + 2 * HOUR), message("m4"))
    async with work.write() as unit:
        for shown in ("m1", "m2", "m3"):
            await unit.messages.show_items(MessageId(shown), [item(1).id, item(2).id])
        await unit.commit()

    async with work.read() as unit:
        found = await unit.messages.about_item(item(1).id)

    assert [one.person_name for one in found] == ["Alex Doe", "blair@contoso.example", "casey"]
    assert found[1] == SentMessage(
        person_name="blair@contoso.example",
        channel="teams",
        kind="wave",
        sent_at=message("m2", at=NOW + HOUR).sent_at,
        state="dead",
    )


async def test_showing_items_again_adds_only_the_new_ones(work: Work) -> None:
    await store(work, item(1), item(2))
    await put(work, message("m1"))

    async with work.write() as unit:
        await unit.messages.show_items(MessageId("m1"), [item(1).id, item(1).id])
        await unit.messages.show_items(MessageId("m1"), [item(1).id, item(2).id])
        await unit.messages.show_items(MessageId("m1"), [])
        await unit.commit()

    async with work.read() as unit:
        assert len(await unit.messages.about_item(item(1).id)) == 1
        assert len(await unit.messages.about_item(item(2).id)) == 1


async def test_what_died_is_tried_again_unless_something_newer_arrived_or_it_is_too_old(work: Work) -> None:
    kind = message("m0").kind
    await put(
        work,
        message("m1", state="dead"),
        message("m2", state="dead", person=BLAIR),
        message("m3", at=NOW + HOUR, person=BLAIR),
        message("m4", at=NOW - 3 * HOUR, state="dead", person=CASEY),
        replace(message("m5", state="dead", matter="wave:other"), kind="another"),
    )

    async with work.read() as unit:
        assert await unit.messages.failed([kind], since=NOW - HOUR) == [(WAVE, ALEX)]
        assert await unit.messages.failed(["another"], since=NOW - HOUR) == [("wave:other", ALEX)]
        assert await unit.messages.failed([kind], since=NOW + HOUR) == []


async def test_a_message_is_live_for_its_person_and_channel_until_another_replaces_it(work: Work) -> None:
    await put(work, replace(message("m1"), external_id="D1/1.2", channel="slack"))
    async with work.read() as unit:
        asked = [(ALEX, "slack", "D1/1.2"), (BLAIR, "slack", "D1/1.2"), (ALEX, "teams", "D1/1.2")]
        assert await unit.messages.live_ones([*asked, (ALEX, "slack", "D1/1.3")]) == {asked[0]}
    await put(work, replace(message("m1", state="replaced"), external_id="D1/1.2", channel="slack"))
    async with work.read() as unit:
        assert await unit.messages.live_ones(asked) == frozenset()
