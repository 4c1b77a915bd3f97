"""Identities: who a person is in each chat channel."""

from collections.abc import Iterable
from dataclasses import asdict

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import PersonId
from reclaim.ports.storage import Identity
from storage.tables import identities
from storage.upsert import in_chunks, upsert


class SqlIdentities:
    """`ports.storage.Identities` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, channel: str, person: PersonId) -> Identity | None:
        return (await self.get_many(channel, [person])).get(person)

    async def get_many(self, channel: str, people: Iterable[PersonId]) -> dict[PersonId, Identity]:
        found: dict[PersonId, Identity] = {}
        for some in in_chunks(people):
            query = select(identities).where(identities.c.channel == channel, identities.c.person_id.in_(some))
            found |= {one.person_id: one for one in await self._all(query)}
        return found

    async def of_conversations(self, channel: str, conversations: Iterable[str]) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        for some in in_chunks(conversations):
            query = (
                select(identities)
                .where(identities.c.channel == channel, identities.c.conversation.in_(some))
                .order_by(identities.c.updated_at, identities.c.person_id.desc())  # the last one stays
            )
            found |= {one.conversation: one for one in await self._all(query) if one.conversation is not None}
        return found

    async def put(self, identity: Identity) -> None:
        """Store a new identity, or the present state of a stored one."""
        await upsert(self._connection, identities, [asdict(identity)])

    async def blocked(self, channel: str) -> list[Identity]:
        return await self._all(
            select(identities)
            .where(identities.c.channel == channel, identities.c.state == "blocked")
            .order_by(identities.c.person_id)
        )

    async def _all(self, query: Select[tuple[object, ...]]) -> list[Identity]:
        rows = (await self._connection.execute(query)).mappings()
        return [
            Identity(
                channel=row["channel"],
                person_id=PersonId(row["person_id"]),
                user_ref=row["user_ref"],
                conversation=row["conversation"],
                service_url=row["service_url"],
                state=row["state"],
                why=row["why"],
                updated_at=row["updated_at"],
            )
            for row in rows
        ]
