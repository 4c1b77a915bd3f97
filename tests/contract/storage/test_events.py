from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable

from reclaim.domain.attestation import Event, EventKind, PersonalValue, attest, commitment
from reclaim.domain.ids import CampaignId, EventId
from storage.engine import Database
from storage.tables import attestation_events, event_values
from storage.unit_of_work import SqlWork

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
SALT = bytes(range(16))


def made(number: int, *, campaign: str | None = "c1", personal: dict[str, str] | None = None) -> Event:
    return attest(
        EventKind.DECISION_MADE,
        event_id=EventId(f"e{number}"),
        at=NOW,
        actor="anna",
        campaign_id=campaign,
        item_id="i1",
        facts={"choice": "revoke"},
        personal=personal,
        salts=dict.fromkeys(personal or {}, SALT),
    )


FIRST = made(1, personal={"note": "left in May", "who": "Anna Müller"})


async def append(work: SqlWork, *events: Event) -> None:
    async with work.write() as unit:
        await unit.events.append(*events)
        await unit.commit()


async def test_an_event_comes_back_byte_for_byte_with_its_personal_values(work: SqlWork) -> None:
    await append(work, FIRST)

    async with work.read() as unit:
        [stored] = await unit.events.of_campaign(CampaignId("c1"))
    assert stored.event == FIRST
    assert stored.event.values == (
        PersonalValue("note", "left in May", SALT),
        PersonalValue("who", "Anna Müller", SALT),
    )


async def test_events_keep_their_order_and_the_newest_come_first(work: SqlWork) -> None:
    await append(work, made(1), made(2, campaign="c2"), made(3))
    await append(work)
    await append(work, made(4, campaign=None))

    async with work.read() as unit:
        of_campaign = [stored.event.id for stored in await unit.events.of_campaign(CampaignId("c1"))]
        newest, total = await unit.events.newest(2)
        of_one, total_of_one = await unit.events.newest(5, CampaignId("c2"))
    assert of_campaign == ["e1", "e3"]
    assert ([stored.event.id for stored in newest], total) == (["e4", "e3"], 4)
    assert ([stored.event.id for stored in of_one], total_of_one) == (["e2"], 1)
    assert newest[0].seq > newest[1].seq


async def test_an_event_that_was_rolled_back_never_was(work: SqlWork) -> None:
    async with work.write() as unit:
        await unit.events.append(FIRST)

    async with work.read() as unit:
        assert await unit.events.newest(5) == ([], 0)


@pytest.mark.parametrize(
    "statement",
    [
        update(attestation_events).values(kind="forged"),
        delete(attestation_events),
        update(event_values).values(value="forged"),
    ],
    ids=["update an event", "delete an event", "rewrite a personal value"],
)
async def test_the_database_refuses_to_change_evidence(
    work: SqlWork, database: Database, statement: Executable
) -> None:
    await append(work, FIRST)

    with pytest.raises(DBAPIError, match="is insert-only"):
        async with database.writes.begin() as connection:
            await connection.execute(statement)

    async with work.read() as unit:
        assert [stored.event for stored in await unit.events.of_campaign(CampaignId("c1"))] == [FIRST]


async def test_sqlite_refuses_to_replace_evidence(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    event = {"kind": "k", "at": NOW, "body": b"{}"}
    async with database.writes.begin() as connection:
        await connection.execute(insert(attestation_events).values(seq=1, id="e1", **event))
        await connection.execute(insert(event_values).values(event_id="e1", field="note", value="true", salt=SALT))
    replacements = [
        insert(attestation_events).prefix_with("OR REPLACE").values(seq=2, id="e1", **event),
        insert(attestation_events).prefix_with("OR REPLACE").values(seq=1, id="e2", **event),
        insert(event_values).prefix_with("OR REPLACE").values(event_id="e1", field="note", value="forged", salt=SALT),
    ]

    for replacement in replacements:
        with pytest.raises(DBAPIError, match="is insert-only"):
            async with database.writes.begin() as connection:
                await connection.execute(replacement)
    await database.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_refuses_to_truncate_evidence(work: SqlWork, database: Database) -> None:
    await append(work, FIRST)

    with pytest.raises(DBAPIError, match="is insert-only"):
        async with database.writes.begin() as connection:
            await connection.execute(text("TRUNCATE attestation_events CASCADE"))


async def test_a_personal_value_can_be_erased_and_the_event_stays_valid(work: SqlWork, database: Database) -> None:
    await append(work, FIRST)

    async with database.writes.begin() as connection:
        await connection.execute(delete(event_values).where(event_values.c.field == "who"))

    async with work.read() as unit:
        [stored] = await unit.events.of_campaign(CampaignId("c1"))
    assert stored.event.values == (PersonalValue("note", "left in May", SALT),)
    assert stored.event.body == FIRST.body
    assert commitment("Anna Müller", SALT).encode() in stored.event.body
    async with database.reads.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(event_values))).scalar_one() == 1
