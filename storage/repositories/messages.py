"""Messages: what was sent to whom, with the hash of the exact payload, and which items each one shows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import CampaignId, ItemId, MessageId, PersonId
from reclaim.domain.read_models import SentMessage
from reclaim.ports.storage import MessageRecord, SentTo
from storage.tables import message_items, messages, people, reminders
from storage.upsert import in_chunks, upsert

# A message that stands in the chat. One that a newer message has replaced is no longer live.
DELIVERED = ("sent", "updated")

# A stepping clock can give two messages of one matter the same instant. Then what is dead counts as the older one, for
# whoever was reached at that instant was reached. Last the id decides, so that the order is the same every time.
_NEWEST_FIRST: tuple[ColumnElement[Any], ...] = (
    messages.c.created_at.desc(),
    (messages.c.state == "dead").asc(),
    messages.c.id.desc(),
)


class SqlMessages:
    """`ports.storage.Messages` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def live(self, person: PersonId, matter: str) -> MessageRecord | None:
        query = (
            select(messages)
            .where(messages.c.matter == matter, messages.c.person_id == person, messages.c.state.in_(DELIVERED))
            .order_by(*_NEWEST_FIRST)
            .limit(1)
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _to_record(row) if row else None

    async def live_ones(self, asked: Iterable[SentTo]) -> frozenset[SentTo]:
        wanted = frozenset(asked)
        found: set[SentTo] = set()
        for some in in_chunks(external_id for _, _, external_id in wanted):
            query = select(messages.c.person_id, messages.c.channel, messages.c.external_id).where(
                messages.c.external_id.in_(some), messages.c.state.in_(DELIVERED)
            )
            found |= {(PersonId(who), channel, ref) for who, channel, ref in await self._connection.execute(query)}
        return wanted & found

    async def live_of_matter(self, matter: str) -> list[MessageRecord]:
        query = (
            select(messages)
            .where(messages.c.matter == matter, messages.c.state.in_(DELIVERED))
            .order_by(messages.c.person_id, *_NEWEST_FIRST)
        )
        return [_to_record(row) for row in (await self._connection.execute(query)).mappings()]

    async def put(self, record: MessageRecord) -> None:
        """Store a new message, or the present state of a stored one."""
        await upsert(self._connection, messages, [_to_row(record)])

    async def show_items(self, message: MessageId, items: Iterable[ItemId]) -> None:
        """Add items to those that the message shows; it never forgets one that it has shown."""
        rows = [{"message_id": message, "item_id": item} for item in dict.fromkeys(items)]
        await upsert(self._connection, message_items, rows)

    async def about_item(self, item: ItemId) -> list[SentMessage]:
        """Return the messages that show an item, oldest first; a person no longer known appears by id."""
        name = func.coalesce(func.nullif(people.c.name, ""), people.c.upn, messages.c.person_id)
        query = (
            select(name.label("name"), messages.c.channel, messages.c.kind, messages.c.sent_at, messages.c.state)
            .join(message_items, message_items.c.message_id == messages.c.id)
            .outerjoin(people, people.c.id == messages.c.person_id)
            .where(message_items.c.item_id == item)
            .order_by(messages.c.created_at, messages.c.id)
        )
        rows = await self._connection.execute(query)
        return [
            SentMessage(person_name=name, channel=channel, kind=kind, sent_at=sent_at, state=state)
            for name, channel, kind, sent_at, state in rows
        ]

    async def counts(self, matter: str) -> dict[str, int]:
        query = (
            select(messages.c.state, func.count().label("number"))
            .where(messages.c.matter == matter)
            .group_by(messages.c.state)
        )
        return {row.state: row.number for row in await self._connection.execute(query)}

    async def unreached(self, matter: str) -> list[PersonId]:
        place = func.row_number().over(partition_by=messages.c.person_id, order_by=_NEWEST_FIRST).label("place")
        each = select(messages.c.person_id, messages.c.state, place).where(messages.c.matter == matter).subquery()
        query = select(each.c.person_id).where(each.c.place == 1, each.c.state == "dead").order_by(each.c.person_id)
        return [PersonId(found) for found in await self._connection.scalars(query)]

    async def failed(self, kinds: Iterable[str], *, since: datetime) -> list[tuple[str, PersonId]]:
        later = messages.alias()
        replaced = exists().where(
            later.c.matter == messages.c.matter,
            later.c.person_id == messages.c.person_id,
            later.c.state.in_(DELIVERED),
            later.c.created_at >= messages.c.created_at,
        )
        query = (
            select(messages.c.matter, messages.c.person_id)
            .where(
                messages.c.state == "dead", messages.c.created_at >= since, messages.c.kind.in_(list(kinds)), ~replaced
            )
            .distinct()
            .order_by(messages.c.matter, messages.c.person_id)
        )
        return [(matter, PersonId(person)) for matter, person in await self._connection.execute(query)]

    async def reminded(self, campaign: CampaignId) -> dict[PersonId, datetime]:
        query = select(reminders.c.person_id, reminders.c.at).where(reminders.c.campaign_id == campaign)
        return {PersonId(person): at for person, at in await self._connection.execute(query)}

    async def mark_reminded(self, campaign: CampaignId, people: Iterable[PersonId], *, at: datetime) -> None:
        rows = [{"campaign_id": campaign, "person_id": person, "at": at} for person in people]
        await upsert(self._connection, reminders, rows)


def _to_row(record: MessageRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "person_id": record.person_id,
        "channel": record.channel,
        "conversation": record.conversation,
        "matter": record.matter,
        "kind": record.kind,
        "state": record.state,
        "version": record.version,
        "external_id": record.external_id,
        "payload_sha256": record.payload_sha256,
        "data_as_of": record.data_as_of,
        "created_at": record.created_at,
        "sent_at": record.sent_at,
        "error": record.error,
    }


def _to_record(row: RowMapping) -> MessageRecord:
    return MessageRecord(
        id=MessageId(row["id"]),
        person_id=PersonId(row["person_id"]),
        channel=row["channel"],
        conversation=row["conversation"],
        matter=row["matter"],
        kind=row["kind"],
        state=row["state"],
        version=row["version"],
        external_id=row["external_id"],
        payload_sha256=row["payload_sha256"],
        data_as_of=row["data_as_of"],
        created_at=row["created_at"],
        sent_at=row["sent_at"],
        error=row["error"],
    )
