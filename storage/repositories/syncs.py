"""Sync runs in generations: each row names the run that saw it last; only `mark_gone` dates what a run did not see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Table, bindparam, case, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.directory import Group, Path, Seat, Sku
from reclaim.domain.ids import GroupId, PersonId, ProductId, RunId
from reclaim.domain.savings import PoolChange
from reclaim.domain.syncing import SyncKind
from reclaim.errors import Conflict, NotFound
from reclaim.ports.directory import PersonRow, Request, SignInRow
from reclaim.ports.storage import StreamCursor, StreamRequest, SyncRun
from storage.repositories.people import PLAIN, folded
from storage.repositories.seats import DIRECT
from storage.tables import (
    Instant,
    group_products,
    groups,
    people,
    person_addresses,
    pool_changes,
    products,
    role_members,
    seat_paths,
    seats,
    skus,
    sync_cursors,
    sync_requests,
    sync_runs,
)
from storage.upsert import Excluded, in_chunks, insert_into, upsert

_RUN_FIELDS = tuple(column.name for column in sync_runs.columns)


class SqlSyncs:
    """Implements `Syncs`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, run: SyncRun) -> None:
        """Store a new run.

        Raises:
            Conflict: Another one is running.
        """
        statement = insert_into(self._connection, sync_runs).values(_run_row(run)).on_conflict_do_nothing()
        if (await self._connection.execute(statement.returning(sync_runs.c.id))).first() is None:
            raise Conflict("A sync is running already.")

    async def get(self, run: RunId) -> SyncRun | None:
        return await self._run(sync_runs.c.id == run)

    async def save(self, run: SyncRun) -> None:
        changed = await self._connection.execute(
            update(sync_runs).where(sync_runs.c.id == run.id).values(_run_row(run))
        )
        if changed.rowcount == 0:
            raise NotFound(f"There is no sync {run.id}.")

    async def running(self) -> SyncRun | None:
        return await self._run(sync_runs.c.state == "running")

    async def newest(self) -> SyncRun | None:
        return await self._run()

    async def newest_complete(self) -> SyncRun | None:
        return await self._run(sync_runs.c.state == "complete", sync_runs.c.kind == SyncKind.FULL.value)

    async def newest_read(self) -> SyncRun | None:
        return await self._run(sync_runs.c.state == "complete")

    async def cursor(self, run: RunId, stream: str) -> StreamCursor | None:
        rows = await self._connection.execute(
            select(sync_cursors).where(sync_cursors.c.run_id == run, sync_cursors.c.stream == stream)
        )
        row = rows.mappings().one_or_none()
        if row is None:
            return None
        return StreamCursor(stream=stream, next_cursor=row["next_cursor"], done=row["done"], page=row["page"])

    async def save_cursor(self, run: RunId, cursor: StreamCursor, request: Request) -> None:
        place = {"run_id": run, "stream": cursor.stream, "page": cursor.page}
        await upsert(
            self._connection, sync_cursors, [{**place, "next_cursor": cursor.next_cursor, "done": cursor.done}]
        )
        # A stream that had to start again overwrites its pages: the record is of those that were used.
        evidence = {
            "url": request.url,
            "request_id": request.request_id,
            "rows": request.rows,
            "sha256": request.sha256,
            "at": request.at,
        }
        await upsert(self._connection, sync_requests, [{**place, **evidence}])

    async def save_skus(self, run: RunId, rows: Sequence[Sku]) -> None:
        await self._note_pools(run, {sku.id: sku.enabled for sku in rows})
        named = [{"id": sku.id, "kind": "sku", "name": sku.name} for sku in rows]
        await upsert(self._connection, products, named)
        await upsert(self._connection, skus, [_sku_row(run, sku) for sku in rows])

    async def _note_pools(self, run: RunId, enabled: Mapping[ProductId, int]) -> None:
        """Keep what the order of each product is now, where that is news."""
        known = {product: changes[-1].enabled for product, changes in (await pool_history(self._connection)).items()}
        at = await self._connection.execute(select(sync_runs.c.started_at).where(sync_runs.c.id == run))
        began = at.scalar_one()
        rows = [
            {"product_id": product, "at": began, "run_id": run, "enabled": number}
            for product, number in sorted(enabled.items())
            if known.get(product) != number
        ]
        await upsert(self._connection, pool_changes, rows)

    async def save_people(self, run: RunId, rows: Sequence[PersonRow], *, now: datetime) -> None:
        await upsert(
            self._connection,
            people,
            [_person_row(run, row, now) for row in rows],
            special=_person_again,
        )
        await self._replace_addresses(rows)
        held = [seat for row in rows for seat in row.seats]
        await upsert(
            self._connection,
            seats,
            [_seat_row(run, seat) for seat in held],
            special=lambda new: {"since_run": _since(seats, new)},
        )
        await self._replace_paths(run, held)

    async def _replace_addresses(self, rows: Sequence[PersonRow]) -> None:
        for ids in in_chunks(row.person.id for row in rows):
            await self._connection.execute(delete(person_addresses).where(person_addresses.c.person_id.in_(ids)))
        found = {(address, row.person.id) for row in rows for address in row.person.aliases}
        await upsert(
            self._connection,
            person_addresses,
            [{"address": address, "person_id": person} for address, person in sorted(found)],
        )

    async def save_sign_ins(self, run: RunId, rows: Sequence[SignInRow], *, read_at: datetime) -> None:
        if not rows:
            return
        # People whom we do not know get no row: without seats and account data nothing could be said of them.
        statement = (
            update(people)
            .where(people.c.id == bindparam("person"))
            .values(
                success_at=bindparam("success"),
                interactive_at=bindparam("interactive"),
                background_at=bindparam("background"),
                sign_ins_run=run,
                sign_ins_read_at=read_at,
            )
        )
        await self._connection.execute(
            statement,
            [
                {
                    "person": row.person_id,
                    "success": row.sign_ins.success_at,
                    "interactive": row.sign_ins.interactive_at,
                    "background": row.sign_ins.background_at,
                }
                for row in rows
            ],
        )

    async def save_groups(self, run: RunId, rows: Sequence[Group]) -> None:
        if not rows:
            return
        await upsert(self._connection, groups, [_group_row(run, group) for group in rows])
        await self._connection.execute(
            delete(group_products).where(group_products.c.group_id == bindparam("group")),
            [{"group": group.id} for group in rows],
        )
        carried = [{"group_id": group.id, "product_id": sku} for group in rows for sku in group.sku_ids]
        await upsert(self._connection, group_products, carried)

    async def save_members(self, run: RunId, group: GroupId, rows: Sequence[PersonId]) -> None:
        members = [{"group_id": group, "person_id": person, "seen_run": run} for person in rows]
        await upsert(self._connection, role_members, members)

    async def drop_if_completed(self, run: RunId) -> tuple[int, int, int, int]:
        people_before, people_gone = await self._drop(people, run)
        seats_before, seats_gone = await self._drop(seats, run)
        return people_before, people_gone, seats_before, seats_gone

    async def mark_gone(self, run: RunId, now: datetime) -> tuple[int, int]:
        gone = {table.name: await self._mark(table, run, now) for table in (people, seats, skus, groups)}
        # What Microsoft lists no more is not bought any more: the order fell to nothing.
        ended = await self._connection.execute(select(skus.c.id).where(skus.c.gone_at == now))
        await self._note_pools(run, dict.fromkeys(ended.scalars(), 0))
        # A seat that comes back brings its paths; what was removed is in the frozen snapshots of review items.
        left = select(seats.c.id).where(seats.c.gone_at == now)
        await self._connection.execute(delete(seat_paths).where(seat_paths.c.seat_id.in_(left)))
        await self._connection.execute(delete(role_members).where(role_members.c.seen_run != run))
        return gone["people"], gone["seats"]

    async def forget_sign_ins(self, run: RunId) -> None:
        await self._connection.execute(
            update(people)
            .where(
                people.c.sign_ins_read_at.is_not(None),
                or_(people.c.sign_ins_run.is_(None), people.c.sign_ins_run != run),
            )
            .values(success_at=None, interactive_at=None, background_at=None, sign_ins_run=None, sign_ins_read_at=None)
        )

    async def requests(self, run: RunId) -> list[StreamRequest]:
        rows = await self._connection.execute(
            select(sync_requests)
            .where(sync_requests.c.run_id == run)
            .order_by(sync_requests.c.stream, sync_requests.c.page)
        )
        return [_to_stream_request(row) for row in rows.mappings()]

    async def _run(self, *conditions: ColumnElement[bool]) -> SyncRun | None:
        """Return the newest run on which the conditions hold."""
        rows = await self._connection.execute(
            select(sync_runs).where(*conditions).order_by(sync_runs.c.started_at.desc(), sync_runs.c.id.desc()).limit(1)
        )
        row = rows.mappings().one_or_none()
        return None if row is None else _to_run(row)

    async def _replace_paths(self, run: RunId, held: Sequence[Seat]) -> None:
        """Make the stored paths of these seats exactly those given."""
        if not held:
            return
        for some in in_chunks(seat.id for seat in held):
            await self._connection.execute(delete(seat_paths).where(seat_paths.c.seat_id.in_(some)))
        paths = [_path_row(run, seat, path) for seat in held for path in seat.paths]
        await upsert(self._connection, seat_paths, paths)

    async def _drop(self, table: Table, run: RunId) -> tuple[int, int]:
        """Return how many rows were there before the run, and how many of them it has not seen."""
        before = (table.c.gone_at.is_(None), table.c.since_run != run)
        query = select(func.count(), func.count(case((table.c.seen_run != run, 1)))).select_from(table).where(*before)
        there, unseen = (await self._connection.execute(query)).one()
        return there, unseen

    async def _mark(self, table: Table, run: RunId, now: datetime) -> int:
        # Two ranges in place of “not equal”, so that the index finds the few rows that the run has not seen.
        unseen = (table.c.gone_at.is_(None), or_(table.c.seen_run < run, table.c.seen_run > run))
        return (await self._connection.execute(update(table).where(*unseen).values(gone_at=now))).rowcount


async def pool_history(connection: AsyncConnection) -> dict[ProductId, list[PoolChange]]:
    """Return every change of every order, by product, the earliest first."""
    rows = await connection.execute(select(pool_changes).order_by(pool_changes.c.product_id, pool_changes.c.at))
    found: dict[ProductId, list[PoolChange]] = {}
    for row in rows.mappings():
        one = PoolChange(product_id=row["product_id"], at=row["at"], enabled=row["enabled"])
        found.setdefault(one.product_id, []).append(one)
    return found


def _since(table: Table, new: Excluded) -> ColumnElement[str]:
    """The run since which a row is there without a break."""
    return case((table.c.gone_at.is_not(None), new.since_run), else_=table.c.since_run)


def _person_again(new: Excluded) -> Mapping[str, ColumnElement[Any]]:
    """What a second sight of a person makes of the stored row."""
    return {
        "since_run": _since(people, new),
        # The first sight of a disabled account counts. Where Microsoft does not say (null), nothing is concluded.
        "disabled_seen_at": case(
            (new.enabled.is_(False), func.coalesce(people.c.disabled_seen_at, new.disabled_seen_at)),
            (new.enabled.is_(True), literal(None, Instant)),
            else_=people.c.disabled_seen_at,
        ),
    }


def _run_row(run: SyncRun) -> dict[str, object]:
    return {name: getattr(run, name) for name in _RUN_FIELDS}


def _to_run(row: RowMapping) -> SyncRun:
    fields: dict[str, Any] = {name: row[name] for name in _RUN_FIELDS}
    return SyncRun(**fields)


def _to_stream_request(row: RowMapping) -> StreamRequest:
    request = Request(
        url=row["url"], request_id=row["request_id"], rows=row["rows"], sha256=row["sha256"], at=row["at"]
    )
    return StreamRequest(stream=row["stream"], page=row["page"], request=request)


def _sku_row(run: RunId, sku: Sku) -> dict[str, object]:
    return {
        "id": sku.id,
        "part_number": sku.part_number,
        "enabled": sku.enabled,
        "warning": sku.warning,
        "suspended": sku.suspended,
        "consumed": sku.consumed,
        "assignable": sku.assignable,
        "status": sku.status,
        "plans": [[plan.id, plan.name] for plan in sku.plans],
        "seen_run": run,
        "gone_at": None,
    }


def _person_row(run: RunId, row: PersonRow, now: datetime) -> dict[str, object]:
    person = row.person
    return {
        **{name: getattr(person, name) for name in PLAIN},
        "disabled_seen_at": now if person.enabled is False else None,
        "folded": folded(person.shown_name, person.upn, person.mail),
        "since_run": run,
        "seen_run": run,
        "gone_at": None,
    }


def _seat_row(run: RunId, seat: Seat) -> dict[str, object]:
    return {
        "id": seat.id,
        "person_id": seat.person_id,
        "product_id": seat.product_id,
        "since_run": run,
        "seen_run": run,
        "gone_at": None,
    }


def _path_row(run: RunId, seat: Seat, path: Path) -> dict[str, object]:
    return {
        "seat_id": seat.id,
        "via": path.group_id or DIRECT,
        "state": path.state,
        "error": path.error,
        "disabled_plans": list(path.disabled_plans),
        "updated_at": path.updated_at,
        "seen_run": run,
    }


def _group_row(run: RunId, group: Group) -> dict[str, object]:
    facts = ("id", "name", "dynamic", "security_enabled", "mail_enabled", "unified", "synced")
    rules = ("role_assignable", "restricted", "has_nested_groups")
    return {**{name: getattr(group, name) for name in facts + rules}, "seen_run": run, "gone_at": None}
