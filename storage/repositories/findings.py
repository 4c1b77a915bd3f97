"""Idle seats as of the newest complete scan; the window that is asked for is applied in SQL.

Sums come from the days that the scan has added up; the one day in which a window begins is counted in `finding_order`, and
what has gone since the scan is taken off. So every window is exact, and none reads all findings.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Join,
    RowMapping,
    ScalarSelect,
    Select,
    Table,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.activity import SignInKind
from reclaim.domain.exclusions import ExclusionId
from reclaim.domain.idle import DISABLED_GRACE, Finding, Rule, rules_of
from reclaim.domain.ids import ProductId, SeatId
from reclaim.domain.read_models import SeatFilter
from reclaim.domain.workloads import REPORTS_LAG
from reclaim.ports.storage import Breakdown, FindingRow, Scan
from storage.repositories.exclusions import counts_at
from storage.repositories.people import to_person
from storage.repositories.scans import IDLE, SqlScans
from storage.repositories.seats import DIRECT
from storage.tables import (
    exclusions,
    finding_days,
    finding_order,
    findings,
    groups,
    people,
    products,
    scan_verdicts,
    seat_paths,
    seats,
)
from storage.upsert import in_chunks

_Sums = Mapping[tuple[ProductId, str | None], int]


class SqlFindings:
    """Implements `Findings`. A seat that has gone since the scan is in no answer."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._scans = SqlScans(connection)

    async def verdicts(self) -> dict[str, int]:
        return dict((await self._of_newest(scan_verdicts.c.verdict)).items())

    async def held(self) -> dict[ProductId, int]:
        held = await self._of_newest(scan_verdicts.c.product_id, scan_verdicts.c.held)
        return {ProductId(product): number for product, number in held.items()}

    async def population(self, *, days: int, now: datetime) -> dict[ProductId, Breakdown]:
        scan = await self._scans.newest()
        if scan is None:
            return {}
        read, given, found = Counter[ProductId](), Counter[ProductId](), Counter[ProductId]()
        verdicts: defaultdict[ProductId, Counter[str]] = defaultdict(Counter)
        judged = await self._execute(
            select(
                scan_verdicts.c.product_id, scan_verdicts.c.verdict, scan_verdicts.c.held, scan_verdicts.c.seats
            ).where(scan_verdicts.c.scan_id == scan.id)
        )
        for product, verdict, is_held, number in judged:
            read[product] += number
            given[product] += number if is_held else 0
            verdicts[product][verdict] += number if verdict != IDLE else 0
        days_of = finding_days.c
        for product, number in await self._execute(
            select(days_of.product_id, func.sum(days_of.seats))
            .where(days_of.scan_id == scan.id)
            .group_by(days_of.product_id)
        ):
            found[product] += int(number)
        gone, free = Counter[ProductId](), Counter[ProductId]()
        for product, _, number in await self._left(scan, days=days, now=now):
            gone[product] += number
        excluded: defaultdict[ProductId, dict[ExclusionId, int]] = defaultdict(dict)
        for (product, exclusion), number in (await self._sums(scan, days=days, now=now)).items():
            if exclusion is None:
                free[product] += number
            else:
                excluded[product][ExclusionId(exclusion)] = number
        return {
            product: Breakdown(
                read=number,
                held=given[product],
                idle=free[product],
                excluded=excluded[product],
                gone=gone[product],
                # Days are added up on their own, so that a finding without one shows as a sum that does not add up.
                shorter=found[product] - free[product] - sum(excluded[product].values()) - gone[product],
                verdicts=+verdicts[product],
            )
            for product, number in read.items()
        }

    async def page(
        self, where: SeatFilter, *, now: datetime, offset: int, limit: int
    ) -> tuple[list[FindingRow], int, dict[ProductId, int]]:
        scan = await self._scans.newest()
        if scan is None:
            return [], 0, {}
        of_one = (where.product_id,) if where.product_id else ()
        tally = _free(await self._sums(scan, days=where.days, now=now, products_=of_one, rules=where.rules))
        rows: list[FindingRow] = []
        before = 0
        # Product by product: the sums tell in which of them the page lies, and `finding_order` holds each as shown.
        for product, name in await self._by_name(tally):
            there = tally[product]
            if before + there > offset and len(rows) < limit:
                wanted = _wanted(finding_order, scan, days=where.days, now=now, products_=(product,), rules=where.rules)
                rows += await self._rows(
                    scan,
                    and_(wanted, _is_free(now)),
                    name,
                    offset=max(0, offset - before),
                    limit=limit - len(rows),
                )
            before += there
        return rows, sum(tally.values()), tally

    async def tally(self, *, days: int, now: datetime) -> dict[ProductId, int]:
        scan = await self._scans.newest()
        return {} if scan is None else _free(await self._sums(scan, days=days, now=now))

    async def excluded(
        self, *, days: int, now: datetime, product: ProductId | None = None, rules: Sequence[Rule] = ()
    ) -> dict[ExclusionId, int]:
        scan = await self._scans.newest()
        if scan is None:
            return {}
        found: Counter[ExclusionId] = Counter()
        sums = await self._sums(scan, days=days, now=now, products_=(product,) if product else (), rules=rules)
        for (_, exclusion), number in sums.items():
            if exclusion is not None and number:
                found[ExclusionId(exclusion)] += number
        return dict(found)

    async def select(
        self, *, days: int, now: datetime, products: Sequence[ProductId] = (), rules: Sequence[Rule] = ()
    ) -> list[Finding]:
        scan = await self._scans.newest()
        if scan is None:
            return []
        wanted = _wanted(findings, scan, days=days, now=now, products_=products, rules=rules)
        rows = await self._connection.execute(
            select(findings).where(wanted, findings.c.seat_id.not_in(_gone(scan))).order_by(findings.c.seat_id)
        )
        return [_to_finding(row, scan) for row in rows.mappings()]

    async def get_many(self, seats: Iterable[SeatId]) -> dict[SeatId, Finding]:
        scan = await self._scans.newest()
        found: dict[SeatId, Finding] = {}
        if scan is None:
            return found
        for ids in in_chunks(seats):
            rows = await self._connection.execute(_on_seats(scan, ids))
            found |= {row[findings.c.seat_id]: _to_finding(row, scan) for row in rows.mappings()}
        return found

    async def _rows(
        self, scan: Scan, condition: ColumnElement[bool], sku_name: str, *, offset: int, limit: int
    ) -> list[FindingRow]:
        listed = (
            select(finding_order.c.scan_id, finding_order.c.product_id, finding_order.c.seat_id)
            .where(condition, finding_order.c.seat_id.not_in(_gone(scan)))
            .order_by(finding_order.c.quiet_since, finding_order.c.seat_id)
            .offset(offset)
            .limit(limit)
            .subquery("listed")
        )
        rows = await self._connection.execute(
            select(findings, people, _first_group().label("group_name"))
            .select_from(
                listed.join(findings, and_(*(findings.c[column.name] == column for column in listed.c))).join(
                    people, people.c.id == findings.c.person_id
                )
            )
            .order_by(findings.c.quiet_since, findings.c.seat_id)
        )
        return [
            FindingRow(
                finding=_to_finding(row, scan), person=to_person(row), sku_name=sku_name, group_name=row["group_name"]
            )
            for row in rows.mappings()
        ]

    async def _by_name(self, tally: Mapping[ProductId, int]) -> list[tuple[ProductId, str]]:
        names: dict[ProductId, str] = {}
        for ids in in_chunks(tally):
            rows = await self._connection.execute(select(products.c.id, products.c.name).where(products.c.id.in_(ids)))
            names |= {row.id: row.name for row in rows}
        named = ((product, names.get(product, product)) for product in tally)
        return sorted(named, key=lambda one: (one[1].casefold(), one[0]))

    async def _of_newest(self, key: ColumnElement[str], *conditions: ColumnElement[bool]) -> dict[str, int]:
        scan = await self._scans.newest()
        if scan is None:
            return {}
        rows = await self._connection.execute(
            select(key, func.sum(scan_verdicts.c.seats))
            .where(scan_verdicts.c.scan_id == scan.id, *conditions)
            .group_by(key)
        )
        return {name: int(number) for name, number in rows}

    async def _sums(
        self,
        scan: Scan,
        *,
        days: int,
        now: datetime,
        products_: Sequence[ProductId] = (),
        rules: Sequence[Rule] = (),
    ) -> _Sums:
        """Return idle seats by product and the exclusion that holds them now, None for those that none holds."""
        found: Counter[tuple[ProductId, str | None]] = Counter()
        counting = await self._counting(now)

        def add(rows: Iterable[Sequence[Any]], sign: int = 1) -> None:
            for product, exclusion, number in rows:
                found[product, exclusion if exclusion in counting else None] += sign * int(number)

        for is_rule, cut in _cuts(days, now, rules):
            first_day = cut.strftime("%Y-%m-%d")
            mine = [finding_days.c.scan_id == scan.id, is_rule(finding_days.c.rule)]
            if products_:
                mine.append(finding_days.c.product_id.in_(products_))
            whole = select(
                finding_days.c.product_id, finding_days.c.exclusion_id, func.sum(finding_days.c.seats)
            ).where(*mine, finding_days.c.day < first_day)
            add(await self._execute(whole.group_by(finding_days.c.product_id, finding_days.c.exclusion_id)))
            begun = select(finding_days.c.product_id).where(
                *mine, finding_days.c.day == first_day, finding_days.c.seats > 0
            )
            start = cut.replace(hour=0, minute=0, second=0, microsecond=0)
            in_part = select(finding_order.c.product_id, finding_order.c.exclusion_id, func.count()).where(
                finding_order.c.scan_id == scan.id,
                finding_order.c.product_id.in_(list((await self._connection.execute(begun.distinct())).scalars())),
                finding_order.c.quiet_since >= start,
                finding_order.c.quiet_since <= cut,
                is_rule(finding_order.c.rule),
            )
            add(await self._execute(in_part.group_by(finding_order.c.product_id, finding_order.c.exclusion_id)))
        add(await self._left(scan, days=days, now=now, products_=products_, rules=rules), -1)
        return {key: number for key, number in found.items() if number}

    async def _left(
        self,
        scan: Scan,
        *,
        days: int,
        now: datetime,
        products_: Sequence[ProductId] = (),
        rules: Sequence[Rule] = (),
    ) -> list[tuple[Any, ...]]:
        """Return the idle seats that have gone since the scan, by product and exclusion."""
        if not await self._anything_gone(scan):
            return []
        wanted = _wanted(findings, scan, days=days, now=now, products_=products_, rules=rules)
        return await self._execute(
            select(findings.c.product_id, findings.c.exclusion_id, func.count())
            .select_from(_of_seats(scan))
            .where(seats.c.id.in_(_gone(scan)), wanted)
            .group_by(findings.c.product_id, findings.c.exclusion_id)
        )

    async def _anything_gone(self, scan: Scan) -> bool:
        return (await self._connection.execute(_gone(scan).limit(1))).first() is not None

    async def _counting(self, now: datetime) -> frozenset[str]:
        rows = await self._connection.execute(select(exclusions.c.id).where(counts_at(now)))
        return frozenset(rows.scalars())

    async def _execute(self, query: Select[Any]) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self._connection.execute(query)]


def _free(sums: _Sums) -> dict[ProductId, int]:
    return {product: number for (product, exclusion), number in sums.items() if exclusion is None}


def _gone(scan: Scan) -> Select[Any]:
    """Seats that have gone since the scan. One that went at its very instant was not judged, and has no finding."""
    return select(seats.c.id).where(seats.c.gone_at.is_not(None), seats.c.gone_at >= scan.judged_at)


def _of_seats(scan: Scan) -> Join:
    """Seats with their findings: who knows a seat's id knows its product only from here."""
    return seats.join(
        findings,
        and_(
            findings.c.scan_id == scan.id,
            findings.c.product_id == seats.c.product_id,
            findings.c.seat_id == seats.c.id,
        ),
    )


def _on_seats(scan: Scan, ids: Sequence[SeatId]) -> Select[Any]:
    there = (seats.c.id.in_(ids), seats.c.id.not_in(_gone(scan)))
    return select(findings).select_from(_of_seats(scan)).where(*there)


def _is_free(now: datetime) -> ColumnElement[bool]:
    """No exclusion holds the seat now."""
    counting = select(exclusions.c.id).where(counts_at(now))
    return or_(finding_order.c.exclusion_id.is_(None), finding_order.c.exclusion_id.not_in(counting))


def _cuts(
    days: int, now: datetime, rules: Sequence[Rule]
) -> list[tuple[Callable[[ColumnElement[str]], ColumnElement[bool]], datetime]]:
    """Return which rules ask for quiet since when at the latest: the SQL twin of `Finding.is_idle_for`."""
    asked = rules_of(rules) or frozenset(Rule)
    others = [rule.value for rule in asked if rule not in (Rule.DISABLED, Rule.UNUSED)]
    found: list[tuple[Callable[[ColumnElement[str]], ColumnElement[bool]], datetime]] = []
    if Rule.DISABLED in asked:
        found.append((lambda rule: rule == Rule.DISABLED.value, now - DISABLED_GRACE))
    if Rule.UNUSED in asked:
        found.append((lambda rule: rule == Rule.UNUSED.value, now - timedelta(days=days) - REPORTS_LAG))
    if others:
        found.append((lambda rule: rule.in_(sorted(others)), now - timedelta(days=days)))
    return found


def _wanted(
    table: Table,
    scan: Scan,
    *,
    days: int,
    now: datetime,
    products_: Sequence[ProductId] = (),
    rules: Sequence[Rule] = (),
) -> ColumnElement[bool]:
    """The findings of a scope, in `findings` or `finding_order`; no product and no rule mean every one."""
    cuts = _cuts(days, now, rules)
    conditions = [
        table.c.scan_id == scan.id,
        table.c.quiet_since <= max(cut for _, cut in cuts),
        or_(*(and_(is_rule(table.c.rule), table.c.quiet_since <= cut) for is_rule, cut in cuts)),
    ]
    if products_:
        conditions.append(table.c.product_id.in_(products_))
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


def _to_finding(row: RowMapping, scan: Scan) -> Finding:
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
        data_as_of=scan.data_as_of,
        exclusion_id=row[findings.c.exclusion_id],
        last_used_at=row[findings.c.last_used_at],
        reported_at=row[findings.c.reported_at],
    )
