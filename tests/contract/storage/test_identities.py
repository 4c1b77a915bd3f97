from dataclasses import replace
from datetime import UTC, datetime, timedelta

from reclaim.domain.ids import PersonId
from reclaim.ports.storage import Identity
from storage.unit_of_work import SqlWork

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
MEGAN = Identity(
    channel="msteams",
    person_id=PersonId("megan"),
    user_ref="29:1abc",
    conversation="a:1xyz",
    service_url="https://smba.trafficmanager.net/teams",
    updated_at=AT,
)


async def put(work: SqlWork, *found: Identity) -> None:
    async with work.write() as unit:
        for each in found:
            await unit.identities.put(each)
        await unit.commit()


async def test_an_identity_comes_back_by_person_and_by_conversation(work: SqlWork) -> None:
    await put(work, MEGAN, replace(MEGAN, channel="slack", conversation="D1", service_url=None))
    async with work.read() as reading:
        assert await reading.identities.get("msteams", PersonId("megan")) == MEGAN
        assert await reading.identities.of_conversations("msteams", ["a:1xyz", "D1"]) == {"a:1xyz": MEGAN}
        assert await reading.identities.get_many("msteams", [MEGAN.person_id, PersonId("nobody")]) == {
            MEGAN.person_id: MEGAN
        }
        assert await reading.identities.get("msteams", PersonId("adele")) is None


async def test_a_later_state_takes_the_place_of_the_earlier_one(work: SqlWork) -> None:
    moved = replace(MEGAN, service_url="https://smba.trafficmanager.net/emea", updated_at=AT + timedelta(days=1))
    await put(work, MEGAN)
    await put(work, moved)
    async with work.read() as reading:
        assert await reading.identities.get("msteams", PersonId("megan")) == moved


async def test_blocked_people_are_listed_per_channel(work: SqlWork) -> None:
    blocked = replace(MEGAN, person_id=PersonId("adele"), conversation="a:2", state="blocked", why="Forbidden")
    await put(work, MEGAN, blocked, replace(blocked, channel="slack"))
    async with work.read() as reading:
        assert await reading.identities.blocked("msteams") == [blocked]
