"""Idle seats as of the newest scan; the window that is asked for is applied in SQL."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    ScalarSelect,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.activity import SignInKind
from reclaim.domain.idle import DISABLED_GRACE, Finding, Rule
from reclaim.domain.ids import ProductId, RunId, SeatId
from reclaim.domain.read_models import SeatFilter
from reclaim.ports.storage import FindingRow
from storage.repositories.people import to_person
from storage.repositories.seats import DIRECT
from storage.tables import findings, groups, installation, people, products, seat_paths, seats
from storage.upsert import in_chunks, upsert

_UNKNOWN = "seats_not_judged"  # key in `installation`
_DELETE, _INSERT = delete(findings), insert(findings)


class SqlFindings:
    """Implements `Findings`. A seat that has gone since the scan is in no answer."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def replace_all(self, run: RunId, findings: AsyncIterator[Sequence[Finding]]) -> int:
        await self._connection.execute(_DELETE)
        stored = 0
        async for chunk in findings:
            if chunk:
                await self._connection.execute(_INSERT, [_to_row(run, finding) for finding in chunk])
                stored += len(chunk)
        return stored

    async def unknown(self) -> int:
        query = select(installation.c.value).where(installation.c.key == _UNKNOWN)
        return int((await self._connection.execute(query)).scalar_one_or_none() or 0)

    async def set_unknown(self, seats: int) -> None:
        await upsert(self._connection, installation, [{"key": _UNKNOWN, "value": str(seats)}])

    async def page(
        self, where: SeatFilter, *, now: datetime, offset: int, limit: int
    ) -> tuple[list[FindingRow], int, dict[ProductId, int]]:
        wanted = _wanted(
            days=where.days, now=now, products_=(where.product_id,) if where.product_id else (), rules=where.rules
        )
        sku_name = func.coalesce(products.c.name, findings.c.product_id)
        rows = await self._connection.execute(
            select(findings, people, sku_name.label("sku_name"), _first_group().label("group_name"))
            .select_from(
                _still_there()
                .join(people, people.c.id == findings.c.person_id)
                .outerjoin(products, products.c.id == findings.c.product_id)
            )
            .where(wanted)
            .order_by(func.lower(sku_name), people.c.folded, findings.c.seat_id)
            .offset(offset)
            .limit(limit)
        )
        tally = await self._tally(wanted)
        return [_to_finding_row(row) for row in rows.mappings()], sum(tally.values()), tally

    async def tally(self, *, days: int, now: datetime) -> dict[ProductId, int]:
        return await self._tally(_wanted(days=days, now=now))

    async def select(
        self, *, days: int, now: datetime, products: Sequence[ProductId] = (), rules: Sequence[Rule] = ()
    ) -> list[Finding]:
        return await self._where(_wanted(days=days, now=now, products_=products, rules=rules))

    async def get_many(self, seats: Iterable[SeatId]) -> dict[SeatId, Finding]:
        found: dict[SeatId, Finding] = {}
        for ids in in_chunks(seats):
            found |= {finding.seat_id: finding for finding in await self._where(findings.c.seat_id.in_(ids))}
        return found

    async def _where(self, condition: ColumnElement[bool]) -> list[Finding]:
        rows = await self._connection.execute(
            select(findings).select_from(_still_there()).where(condition).order_by(findings.c.seat_id)
        )
        return [_to_finding(row) for row in rows.mappings()]

    async def _tally(self, condition: ColumnElement[bool]) -> dict[ProductId, int]:
        rows = await self._connection.execute(
            select(findings.c.product_id, func.count().label("number"))
            .select_from(_still_there())
            .where(condition)
            .group_by(findings.c.product_id)
        )
        return {row.product_id: row.number for row in rows}


def _still_there() -> FromClause:
    return findings.join(seats, and_(seats.c.id == findings.c.seat_id, seats.c.gone_at.is_(None)))


def _wanted(
    *, days: int, now: datetime, products_: Sequence[ProductId] = (), rules: Sequence[Rule] = ()
) -> ColumnElement[bool]:
    """The SQL twin of `Finding.is_idle_for`, with the products and rules of a scope; empty means every one."""
    disabled = findings.c.rule == Rule.DISABLED.value
    conditions = [
        or_(
            and_(disabled, findings.c.quiet_since <= now - DISABLED_GRACE),
            and_(~disabled, findings.c.quiet_since <= now - timedelta(days=days)),
        )
    ]
    if products_:
        conditions.append(findings.c.product_id.in_(products_))
    if rules:
        conditions.append(findings.c.rule.in_([rule.value for rule in rules]))
    return and_(*conditions)


def _first_group() -> ScalarSelect[Any]:
    """The name of the first group, by name, that gives the seat; none for a seat that is only direct."""
    return (
        select(func.min(groups.c.name))
        .select_from(seat_paths.join(groups, groups.c.id == seat_paths.c.via))
        .where(seat_paths.c.seat_id == findings.c.seat_id, seat_paths.c.via != DIRECT)
        .correlate(findings)
        .scalar_subquery()
    )


def _to_row(run: RunId, finding: Finding) -> dict[str, object]:
    return {
        "seat_id": finding.seat_id,
        "run_id": run,
        "person_id": finding.person_id,
        "product_id": finding.product_id,
        "rule": finding.rule.value,
        "quiet_since": finding.quiet_since,
        "last_seen_at": finding.last_seen_at,
        "last_seen_kind": finding.last_seen_kind.value if finding.last_seen_kind else None,
        "assigned_at": finding.assigned_at,
        "data_as_of": finding.data_as_of,
    }


def _to_finding(row: RowMapping) -> Finding:
    kind = row[findings.c.last_seen_kind]
    return Finding(
        seat_id=row[findings.c.seat_id],
        person_id=row[findings.c.person_id],
        product_id=row[findings.c.product_id],
        rule=Rule(row[findings.c.rule]),
        quiet_since=row[findings.c.quiet_since],
        last_seen_at=row[findings.c.last_seen_at],
        last_seen_kind=SignInKind(kind) if kind else None,
        assigned_at=row[findings.c.assigned_at],
        data_as_of=row[findings.c.data_as_of],
    )


def _to_finding_row(row: RowMapping) -> FindingRow:
    return FindingRow(
        finding=_to_finding(row), person=to_person(row), sku_name=row["sku_name"], group_name=row["group_name"]
    )
