"""Switches of the installation, drafts of forms, and requests seen."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.confirmation import LaunchRequest, LaunchState
from reclaim.domain.ids import PersonId, TenantId
from reclaim.errors import Conflict
from reclaim.ports.storage import Freeze, ResumeRequest
from storage.tables import drafts, freezes, installation, launch_requests, resume_requests, seen_requests
from storage.upsert import insert_into

_TENANT = "tenant"  # key in `installation`
_WRITES = "writes"  # the only thing that a freeze stops


class SqlControls:
    """Implements `Controls`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def tenant(self) -> TenantId | None:
        query = select(installation.c.value).where(installation.c.key == _TENANT)
        stored = (await self._connection.execute(query)).scalar_one_or_none()
        return None if stored is None else TenantId(stored)

    async def set_tenant(self, tenant: TenantId) -> None:
        """Store the tenant of this database, for ever.

        Raises:
            Conflict: It is another one's.
        """
        statement = insert_into(self._connection, installation).values(key=_TENANT, value=tenant)
        await self._connection.execute(statement.on_conflict_do_nothing())
        stored = await self.tenant()
        if stored != tenant:
            raise Conflict(f"This database belongs to tenant {stored}, not to {tenant}.")

    async def freeze(self) -> Freeze | None:
        rows = await self._connection.execute(select(freezes).where(freezes.c.ended_at.is_(None)))
        row = rows.mappings().one_or_none()
        return None if row is None else Freeze(id=row["id"], by=row["by"], at=row["at"], reason=row["reason"])

    async def start_freeze(self, freeze: Freeze) -> None:
        """Stop all writes.

        Raises:
            Conflict: They are stopped already.
        """
        statement = insert_into(self._connection, freezes).values(
            id=freeze.id, stops=_WRITES, by=freeze.by, at=freeze.at, reason=freeze.reason
        )
        stored = await self._connection.execute(statement.on_conflict_do_nothing().returning(freezes.c.id))
        if stored.first() is None:
            raise Conflict("Removals are frozen already.")

    async def end_freeze(self, freeze_id: str, *, by: PersonId, at: datetime) -> None:
        """Let writes go on.

        Raises:
            Conflict: This freeze has ended.
        """
        ended = await self._connection.execute(
            update(freezes)
            .where(freezes.c.id == freeze_id, freezes.c.ended_at.is_(None))
            .values(ended_at=at, ended_by=by)
        )
        if ended.rowcount == 0:
            raise Conflict("This freeze has ended already.")

    async def resume_request(self) -> ResumeRequest | None:
        """Return the newest request about the freeze that holds now."""
        rows = await self._connection.execute(
            select(resume_requests)
            .join(freezes, freezes.c.id == resume_requests.c.freeze_id)
            .where(freezes.c.ended_at.is_(None))
            .order_by(resume_requests.c.at.desc(), resume_requests.c.id.desc())
            .limit(1)
        )
        row = rows.mappings().one_or_none()
        return None if row is None else ResumeRequest(**row)

    async def ask_resume(self, request: ResumeRequest) -> None:
        await self._connection.execute(
            insert(resume_requests).values(
                id=request.id, freeze_id=request.freeze_id, by=request.by, at=request.at, reason=request.reason
            )
        )

    async def launch_request(self, request: str) -> LaunchRequest | None:
        found = await self._launches(launch_requests.c.id == request)
        return found[0] if found else None

    async def launch_requests_of(self, draft: str) -> list[LaunchRequest]:
        return (await self._launches(launch_requests.c.draft_ref == draft))[::-1]

    async def launch_requests_waiting(self) -> list[LaunchRequest]:
        return await self._launches(launch_requests.c.state == LaunchState.ASKED.value)

    async def ask_launch(self, request: LaunchRequest) -> None:
        """Store a new request.

        Raises:
            Conflict: One waits for this draft.
        """
        statement = insert_into(self._connection, launch_requests).values(_launch_row(request))
        stored = await self._connection.execute(statement.on_conflict_do_nothing().returning(launch_requests.c.id))
        if stored.first() is None:
            raise Conflict("A second admin was asked already.")

    async def settle_launch(self, request: LaunchRequest) -> None:
        """Store the end of a request.

        Raises:
            Conflict: It has ended already.
        """
        ended = await self._connection.execute(
            update(launch_requests)
            .where(launch_requests.c.id == request.id, launch_requests.c.state == LaunchState.ASKED.value)
            .values(state=request.state.value, settled_by=request.settled_by, settled_at=request.settled_at)
        )
        if ended.rowcount == 0:
            raise Conflict("This request was settled in the meantime.")

    async def _launches(self, where: ColumnElement[bool]) -> list[LaunchRequest]:
        rows = await self._connection.execute(
            select(launch_requests).where(where).order_by(launch_requests.c.at, launch_requests.c.id)
        )
        return [
            LaunchRequest(**{**row, "state": LaunchState(row["state"]), "asked": tuple(map(PersonId, row["asked"]))})
            for row in rows.mappings()
        ]

    async def draft(self, ref: str) -> tuple[PersonId, Mapping[str, object]] | None:
        rows = await self._connection.execute(select(drafts.c.owner, drafts.c.state).where(drafts.c.ref == ref))
        row = rows.one_or_none()
        return None if row is None else (PersonId(row.owner), row.state)

    async def put_draft(self, ref: str, owner: PersonId, state: Mapping[str, object], *, at: datetime) -> None:
        """Store a draft; its owner's own is replaced.

        Raises:
            Conflict: The draft is somebody else's.
        """
        statement = insert_into(self._connection, drafts).values(ref=ref, owner=owner, state=dict(state), at=at)
        new = statement.excluded
        replace = statement.on_conflict_do_update(
            index_elements=["ref"], set_={"state": new.state, "at": new.at}, where=drafts.c.owner == new.owner
        )
        if (await self._connection.execute(replace.returning(drafts.c.ref))).first() is None:
            raise Conflict("This form is somebody else's.")

    async def first_time(self, key: str, *, at: datetime, keep: timedelta) -> bool:
        await self._connection.execute(delete(seen_requests).where(seen_requests.c.keep_until <= at))
        return await self._see(key, at=at, keep_until=at + keep)

    async def once(self, key: str, *, at: datetime) -> bool:
        return await self._see(key, at=at, keep_until=None)

    async def _see(self, key: str, *, at: datetime, keep_until: datetime | None) -> bool:
        statement = insert_into(self._connection, seen_requests).values(key=key, at=at, keep_until=keep_until)
        stored = await self._connection.execute(statement.on_conflict_do_nothing().returning(seen_requests.c.key))
        return stored.first() is not None


def _launch_row(request: LaunchRequest) -> dict[str, object]:
    return {**asdict(request), "asked": list(request.asked), "state": request.state.value}
