"""The idle scan in SQL: the twin of `domain.idle.judge_seat` and `domain.activity.read_activity`, chunk by chunk.

A chunk is judged once into a temporary table, and both the findings and the counts come from there. A property test holds
this module against the domain.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    MetaData,
    Select,
    String,
    Subquery,
    Table,
    and_,
    case,
    delete,
    false,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.activity import SIGN_INS_KNOWN_SINCE, SignInKind
from reclaim.domain.exclusions import Exclusion
from reclaim.domain.idle import DISABLED_GRACE, NotIdleWhy, Rule
from reclaim.domain.ids import PersonId, ProductId, RunId, SeatId
from reclaim.ports.storage import DaySum, Scan, ScanRules
from storage.repositories.exclusions import Marks, marks
from storage.repositories.seats import GIVES_SEAT
from storage.sql import day_of, latest
from storage.tables import (
    Instant,
    finding_days,
    findings,
    idle_scans,
    people,
    scan_verdicts,
    seat_paths,
    seats,
    sync_runs,
)
from storage.upsert import upsert

BUILDING, COMPLETE, DROPPED = "building", "complete", "dropped"
IDLE = "idle"  # the verdict of a seat with a finding

_judged = Table(
    "judged_seats",
    MetaData(),
    Column("seat_id", String),
    Column("person_id", String),
    Column("product_id", String),
    Column("held", Boolean),
    Column("verdict", String),
    Column("rule", String),
    Column("quiet_since", Instant),
    Column("last_seen_at", Instant),
    Column("last_seen_kind", String),
    Column("assigned_at", Instant),
    Column("exclusion_id", String),
    prefixes=["TEMPORARY"],
)
_EVIDENCE = ("seat_id", "person_id", "product_id", "rule", "quiet_since", "last_seen_at", "last_seen_kind",
             "assigned_at", "exclusion_id")  # fmt: skip


class SqlScans:
    """Implements `Scans`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def newest(self) -> Scan | None:
        rows = await self._connection.execute(
            select(idle_scans).where(idle_scans.c.state == COMPLETE).order_by(idle_scans.c.id.desc()).limit(1)
        )
        row = rows.mappings().one_or_none()
        if row is None:
            return None
        return Scan(id=row["id"], run_id=row["run_id"], judged_at=row["judged_at"], data_as_of=row["data_as_of"])

    async def begin(self, run: RunId, *, judged_at: datetime) -> Scan:
        started = select(sync_runs.c.started_at).where(sync_runs.c.id == run).scalar_subquery()
        made = await self._connection.execute(
            insert(idle_scans)
            .values(run_id=run, state=BUILDING, judged_at=judged_at, data_as_of=started)
            .returning(idle_scans.c.id, idle_scans.c.data_as_of)
        )
        row = made.one()
        return Scan(id=row.id, run_id=run, judged_at=judged_at, data_as_of=row.data_as_of)

    async def end_of_chunk(self, after: SeatId, seats_: int) -> SeatId | None:
        query = select(seats.c.id).where(seats.c.id > after).order_by(seats.c.id).limit(1).offset(seats_ - 1)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def judge(self, scan: Scan, rules: ScanRules, *, after: SeatId, upto: SeatId | None) -> None:
        found = await marks(self._connection, rules.exclusions, scan.judged_at)
        await self._connection.run_sync(_judged.create)
        judged = _verdicts(scan, rules, found, after, upto)
        await self._connection.execute(insert(_judged).from_select([c.name for c in judged.selected_columns], judged))
        idle = select(literal(scan.id), *(_judged.c[name] for name in _EVIDENCE)).where(_judged.c.verdict == IDLE)
        await self._connection.execute(insert(findings).from_select(["scan_id", *_EVIDENCE], idle))
        counted = await self._connection.execute(
            select(_judged.c.product_id, _judged.c.verdict, _judged.c.held, func.count()).group_by(
                _judged.c.product_id, _judged.c.verdict, _judged.c.held
            )
        )
        key = ("product_id", "verdict", "held", "seats")
        rows = [{"scan_id": scan.id, **dict(zip(key, row, strict=True))} for row in counted]
        await upsert(
            self._connection,
            scan_verdicts,
            rows,
            special=lambda new: {"seats": scan_verdicts.c.seats + new.seats},
        )
        await self._connection.run_sync(_judged.drop)

    async def products(self, scan: Scan) -> list[ProductId]:
        rows = await self._connection.execute(
            select(scan_verdicts.c.product_id)
            .where(scan_verdicts.c.scan_id == scan.id, scan_verdicts.c.verdict == IDLE)
            .distinct()
            .order_by(scan_verdicts.c.product_id)
        )
        return list(rows.scalars())

    async def days(self, scan: Scan, product: ProductId) -> list[DaySum]:
        day, exclusion = day_of(findings.c.quiet_since), func.coalesce(findings.c.exclusion_id, "")
        rows = await self._connection.execute(
            select(day, findings.c.rule, exclusion, func.count())
            .where(findings.c.scan_id == scan.id, findings.c.product_id == product)
            .group_by(day, findings.c.rule, exclusion)
        )
        return [DaySum(product, *row) for row in rows]

    async def add_days(self, scan: Scan, sums: Sequence[DaySum]) -> None:
        rows = [
            {
                "scan_id": scan.id,
                "product_id": one.product_id,
                "day": one.day,
                "rule": one.rule,
                "exclusion_id": one.exclusion_id,
                "seats": one.seats,
            }
            for one in sums
        ]
        await upsert(
            self._connection, finding_days, rows, special=lambda new: {"seats": finding_days.c.seats + new.seats}
        )

    async def complete(self, scan: Scan) -> bool:
        changed = await self._connection.execute(
            update(idle_scans).where(idle_scans.c.id == scan.id, idle_scans.c.state == BUILDING).values(state=COMPLETE)
        )
        return changed.rowcount == 1

    async def drop_all_but(self, scan: Scan) -> list[int]:
        rows = await self._connection.execute(
            update(idle_scans).where(idle_scans.c.id < scan.id).values(state=DROPPED).returning(idle_scans.c.id)
        )
        return sorted(rows.scalars())

    async def erase_some(self, scan_id: int, rows: int) -> bool:
        mine = findings.c.scan_id == scan_id
        last = select(findings.c.seat_id).where(mine).order_by(findings.c.seat_id).limit(1).offset(rows - 1)
        bound = (await self._connection.execute(last)).scalar_one_or_none()
        if bound is not None:
            await self._connection.execute(delete(findings).where(mine, findings.c.seat_id <= bound))
            return False
        for table in (findings, finding_days, scan_verdicts):  # sums are few
            await self._connection.execute(delete(table).where(table.c.scan_id == scan_id))
        await self._connection.execute(delete(idle_scans).where(idle_scans.c.id == scan_id))
        return True

    async def end_of_findings(self, scan: Scan, after: SeatId, rows: int) -> SeatId | None:
        query = (
            select(findings.c.seat_id)
            .where(findings.c.scan_id == scan.id, findings.c.seat_id > after)
            .order_by(findings.c.seat_id)
            .limit(1)
            .offset(rows - 1)
        )
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def mark(
        self,
        scan: Scan,
        counting: Sequence[Exclusion],
        now: datetime,
        *,
        after: SeatId,
        upto: SeatId | None,
        person: PersonId | None = None,
    ) -> int:
        found = await marks(self._connection, counting, now)
        new = (
            select(found.exclusion_id(people.c.id, findings.c.product_id, people))
            .where(people.c.id == findings.c.person_id)
            .correlate(findings)
            .scalar_subquery()
        )
        here = [findings.c.scan_id == scan.id, findings.c.seat_id > after]
        if upto is not None:
            here.append(findings.c.seat_id <= upto)
        if person is not None:
            here.append(findings.c.seat_id.in_(select(seats.c.id).where(seats.c.person_id == person)))
        changed = (*here, findings.c.exclusion_id.is_distinct_from(new))
        day, old = day_of(findings.c.quiet_since), findings.c.exclusion_id
        moves = (
            select(findings.c.product_id, day.label("day"), findings.c.rule, old, new.label("new"))
            .where(*changed)
            .subquery()
        )
        rows = (
            await self._connection.execute(
                select(moves, func.count()).group_by(
                    moves.c.product_id, moves.c.day, moves.c.rule, moves.c.exclusion_id, moves.c.new
                )
            )
        ).all()
        if not rows:
            return 0
        await self._connection.execute(update(findings).where(*changed).values(exclusion_id=new))
        sums = []
        for product, on, rule, before, later, number in rows:
            sums += [DaySum(product, on, rule, before or "", -number), DaySum(product, on, rule, later or "", number)]
        await self.add_days(scan, sums)
        return sum(row[-1] for row in rows)


def _verdicts(scan: Scan, rules: ScanRules, found: Marks, after: SeatId, upto: SeatId | None) -> Select[Any]:
    """Judge the seats with ids in (after, upto]."""
    facts = _facts(rules, after, upto)
    window = literal(scan.judged_at - timedelta(days=rules.days), Instant())
    grace = literal(scan.judged_at - DISABLED_GRACE, Instant())
    is_idle = facts.c.quiet_since <= case((facts.c.rule == Rule.DISABLED.value, grace), else_=window)
    verdict = case(
        (facts.c.gone_at.is_not(None), NotIdleWhy.GONE.value),
        (~facts.c.held, NotIdleWhy.ERROR_STATE.value),
        (facts.c.quiet_since.is_(None), NotIdleWhy.UNKNOWN.value),
        (is_idle, IDLE),
        (facts.c.last_seen_at > window, NotIdleWhy.IN_USE.value),
        else_=NotIdleWhy.TOO_NEW.value,
    )
    kind = case(
        (facts.c.last_seen_at.is_(None), null()),
        # On a tie the stronger evidence is named, as the domain does.
        (facts.c.last_seen_at == facts.c.success_at, SignInKind.SUCCESS.value),
        (facts.c.last_seen_at == facts.c.interactive_at, SignInKind.INTERACTIVE.value),
        else_=SignInKind.BACKGROUND.value,
    )
    excluded = found.exclusion_id(facts.c.person_id, facts.c.product_id, facts)
    plain = ("seat_id", "person_id", "product_id", "held", "rule", "quiet_since", "last_seen_at", "assigned_at")
    return select(
        *(facts.c[name] for name in plain),
        verdict.label("verdict"),
        kind.label("last_seen_kind"),
        case((verdict == IDLE, excluded), else_=null()).label("exclusion_id"),
    )


def _facts(rules: ScanRules, after: SeatId, upto: SeatId | None) -> Subquery:
    """Rule and `quiet_since` of each seat of the chunk: the twin of `_activity_rule`."""
    seen = _seen(rules, after, upto)
    complete_since = SIGN_INS_KNOWN_SINCE
    if rules.never_seen_since is not None:
        complete_since = min(complete_since, rules.never_seen_since)
    disabled = seen.c.enabled.is_(False)
    was_seen = seen.c.last_seen_at.is_not(None)
    never = and_(seen.c.known, seen.c.created_at >= literal(complete_since, Instant()))
    rule = case((disabled, Rule.DISABLED.value), (was_seen, Rule.IDLE.value), (never, Rule.NEVER_SEEN.value))
    quiet_since = case(
        (disabled, seen.c.assigned_at),
        (seen.c.assigned_at.is_(None), null()),
        (was_seen, latest(seen.c.last_seen_at, seen.c.assigned_at, seen.c.created_at)),
        (never, latest(seen.c.assigned_at, seen.c.created_at)),
    )
    return select(seen, rule.label("rule"), quiet_since.label("quiet_since")).subquery("facts")


def _seen(rules: ScanRules, after: SeatId, upto: SeatId | None) -> Subquery:
    """Seat, holder, and what the paths and the sign-in fields say."""
    known: ColumnElement[bool] = people.c.sign_ins_read_at.is_not(None) if rules.gives_sign_ins else false()
    last_seen = latest(people.c.success_at, people.c.interactive_at, people.c.background_at)
    updated = seat_paths.c.updated_at
    paths = (
        select(
            seat_paths.c.seat_id,
            case((func.count() == func.count(updated), func.max(updated)), else_=null()).label("assigned_at"),
            func.max(case((seat_paths.c.state.in_(GIVES_SEAT), 1), else_=0)).label("gives"),
        )
        .where(_between(seat_paths.c.seat_id, after, upto))
        .group_by(seat_paths.c.seat_id)
        .subquery("paths")
    )
    return (
        select(
            seats.c.id.label("seat_id"),
            seats.c.person_id,
            seats.c.product_id,
            people.c.enabled,
            people.c.gone_at,
            people.c.created_at,
            people.c.success_at,
            people.c.interactive_at,
            people.c.department,
            people.c.user_type,
            people.c.employee_type,
            known.label("known"),
            case((known, last_seen), else_=null()).label("last_seen_at"),
            paths.c.assigned_at,
            (func.coalesce(paths.c.gives, 0) == 1).label("held"),
        )
        .select_from(
            seats.join(people, people.c.id == seats.c.person_id).outerjoin(paths, paths.c.seat_id == seats.c.id)
        )
        .where(_between(seats.c.id, after, upto), seats.c.gone_at.is_(None))
        .subquery("seen")
    )


def _between(column: ColumnElement[str], after: SeatId, upto: SeatId | None) -> ColumnElement[bool]:
    return column > after if upto is None else and_(column > after, column <= upto)
