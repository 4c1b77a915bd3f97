"""What kind of mailbox people have, as far as it was asked: only of those whose seat would take one along."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.directory import MailboxPurpose
from reclaim.domain.ids import PersonId, ProductId
from storage.repositories.scans import SqlScans
from storage.tables import findings, mailbox_purposes
from storage.upsert import in_chunks, upsert


class SqlMailboxes:
    """Implements `Mailboxes`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._scans = SqlScans(connection)

    async def purposes(self, people: Iterable[PersonId]) -> dict[PersonId, MailboxPurpose]:
        found: dict[PersonId, MailboxPurpose] = {}
        for some in in_chunks(people):
            rows = await self._connection.execute(
                select(mailbox_purposes.c.person_id, mailbox_purposes.c.purpose).where(
                    mailbox_purposes.c.person_id.in_(some)
                )
            )
            found |= {PersonId(person): MailboxPurpose(purpose) for person, purpose in rows}
        return found

    async def to_ask(self, products: Iterable[ProductId], *, before: datetime, limit: int) -> list[PersonId]:
        scan = await self._scans.newest()
        wanted: dict[PersonId, None] = {}
        for some in in_chunks(products) if scan is not None else ():
            rows = await self._connection.execute(
                select(findings.c.person_id)
                .outerjoin_from(findings, mailbox_purposes, mailbox_purposes.c.person_id == findings.c.person_id)
                .where(
                    findings.c.scan_id == (scan.id if scan is not None else 0),
                    findings.c.product_id.in_(some),
                    or_(mailbox_purposes.c.read_at.is_(None), mailbox_purposes.c.read_at < before),
                )
                .order_by(findings.c.quiet_since, findings.c.seat_id)
                .limit(limit)
            )
            wanted |= dict.fromkeys(map(PersonId, rows.scalars()))
        return list(wanted)[:limit]

    async def put(self, purposes: Mapping[PersonId, MailboxPurpose], *, at: datetime) -> None:
        rows = [{"person_id": person, "purpose": purpose.value, "read_at": at} for person, purpose in purposes.items()]
        await upsert(self._connection, mailbox_purposes, rows)
