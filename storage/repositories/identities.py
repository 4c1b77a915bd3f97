"""Identities: who a person is in each chat channel."""

from dataclasses import asdict

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.ids import PersonId
from reclaim.ports.storage import Identity
from storage.tables import identities
from storage.upsert import upsert


class SqlIdentities:
    """`ports.storage.Identities` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, channel: str, person: PersonId) -> Identity | None:
        found = await self._all(
            select(identities).where(identities.c.channel == channel, identities.c.person_id == person)
        )
        return found[0] if found else None

    async def of_conversation(self, channel: str, conversation: str) -> Identity | None:
        """Return who is spoken to there; of several, which a channel should never give, the newest."""
        found = await self._all(
            select(identities)
            .where(identities.c.channel == channel, identities.c.conversation == conversation)
            .order_by(identities.c.updated_at.desc(), identities.c.person_id)
            .limit(1)
        )
        return found[0] if found else None

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
