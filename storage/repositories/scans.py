"""The idle scan in SQL: the twin of `domain.idle.judge_seat` and `domain.activity.read_activity`, chunk by chunk.

A chunk is judged once into a temporary table, and both the findings and the counts come from there. Chunks follow the ids of
seats, as everything that is read does; so findings arrive in no order by which they could be listed. Therefore they are put
in order behind that, product by product and day by day, so that every commit writes pages side by side. A property test
holds this module against the domain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Label,
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
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from reclaim.domain.activity import SIGN_INS_KNOWN_SINCE, SignInKind
from reclaim.domain.idle import DISABLED_GRACE, NotIdleWhy, Rule
from reclaim.domain.ids import PersonId, ProductId, RunId, SeatId
from reclaim.domain.workloads import REPORTS_LAG
from reclaim.ports.storage import DaySum, Marks, Scan, ScanRules, Span
from storage.repositories.exclusions import EXCLUDES_BY, exclusion_id
from storage.repositories.seats import GIVES_SEAT, SOUND
from storage.repositories.workloads import with_use
from storage.sql import day_of, days_later, latest
from storage.tables import (
    Instant,
    finding_days,
    finding_order,
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
    Column("last_used_at", Instant),
    Column("reported_at", Instant),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_marked = Table(
    "marked_findings",
    MetaData(),
    Column("scan_id", Integer),
    Column("product_id", String),
    Column("seat_id", String),
    Column("quiet_since", Instant),
    Column("rule", String),
    Column("exclusion_id", String),
    Column("new_id", String),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DELETE ROWS",
)
_EVIDENCE = ("seat_id", "person_id", "product_id", "rule", "quiet_since", "last_seen_at", "last_seen_kind",
             "assigned_at", "exclusion_id", "last_used_at", "reported_at")  # fmt: skip


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

    async def judge(self, scan: Scan, rules: ScanRules, *, after: SeatId, seats: int) -> SeatId | None:
        upto = (await self._connection.execute(_end_of_chunk(after, seats))).scalar_one_or_none()
        await self._emptied(_judged)
        judged = _verdicts(scan, rules, after, upto)
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
        return upto

    async def _emptied(self, temporary: Table) -> None:
        """Have a temporary table ready. It stays with the connection: without it all statements are prepared again."""
        await self._connection.execute(CreateTable(temporary, if_not_exists=True))
        await self._connection.execute(delete(temporary))

    async def span(self, scan: Scan, behind: Span | None, rows: int) -> Span | None:
        mine = findings.c.scan_id == scan.id
        if behind is not None and behind.upto is not None:
            product, after = behind.product_id, behind.upto
        else:
            product, after = behind.product_id if behind else ProductId(""), SeatId("")
            following = select(func.min(findings.c.product_id)).where(mine, findings.c.product_id > product)
            product = (await self._connection.execute(following)).scalar_one()
            if product is None:
                return None
        last = (
            select(findings.c.seat_id)
            .where(mine, findings.c.product_id == product, findings.c.seat_id > after)
            .order_by(findings.c.seat_id)
            .limit(1)
            .offset(rows - 1)
        )
        upto = (await self._connection.execute(last)).scalar_one_or_none()
        return Span(product_id=product, after=after, upto=upto)

    async def cut(self, scan: Scan, span: Span, rows: int) -> list[Span]:
        place = func.row_number().over(order_by=findings.c.seat_id)
        placed = select(findings.c.seat_id, place.label("place")).where(_in_span(scan, span)).subquery()
        ends = select(placed.c.seat_id).where(placed.c.place % rows == 0).order_by(placed.c.seat_id)
        bounds = [span.after, *(await self._connection.execute(ends)).scalars(), span.upto]
        return [replace(span, after=after, upto=upto) for after, upto in pairwise(bounds)]

    async def days(self, scan: Scan, span: Span) -> list[DaySum]:
        day, exclusion = day_of(findings.c.quiet_since), func.coalesce(findings.c.exclusion_id, "")
        rows = await self._connection.execute(
            select(day.label("day"), findings.c.rule, exclusion, func.count())
            .where(_in_span(scan, span))
            .group_by("day", findings.c.rule, exclusion)
            .order_by("day")
        )
        return [DaySum(span.product_id, *row) for row in rows]

    async def put_in_order(self, scan: Scan, span: Span, *, first: str, last: str) -> None:
        listed = (
            select(*(findings.c[column.name] for column in finding_order.c))
            .where(_in_span(scan, span), day_of(findings.c.quiet_since).between(first, last))
            .order_by(findings.c.quiet_since, findings.c.seat_id)
        )
        names = [column.name for column in finding_order.c]
        await self._connection.execute(insert(finding_order).from_select(names, listed))

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
        left = [await self._erase_first(table, scan_id, rows) for table in (findings, finding_order)]
        if any(left):
            return False
        for table in (finding_days, scan_verdicts):  # sums are few
            await self._connection.execute(delete(table).where(table.c.scan_id == scan_id))
        await self._connection.execute(delete(idle_scans).where(idle_scans.c.id == scan_id))
        return True

    async def _erase_first(self, table: Table, scan_id: int, rows: int) -> bool:
        """Delete the first rows of a scan in the order of the key; return whether any may be left."""
        mine = table.c.scan_id == scan_id
        key = tuple_(*(column for column in table.primary_key if column.name != "scan_id"))
        query = select(*key.clauses).where(mine).order_by(*key.clauses).limit(1).offset(rows - 1)
        bound = (await self._connection.execute(query)).one_or_none()
        if bound is not None:
            mine &= key <= tuple(bound)
        await self._connection.execute(delete(table).where(mine))
        return bound is not None

    async def mark(self, scan: Scan, marks: Marks, where: Span | PersonId) -> int:
        await self._emptied(_marked)
        changed = _changed_marks(scan, marks, where)
        await self._connection.execute(insert(_marked).from_select([c.name for c in _marked.c], changed))
        day, old, new = day_of(_marked.c.quiet_since).label("day"), _marked.c.exclusion_id, _marked.c.new_id
        counted = await self._connection.execute(
            select(_marked.c.product_id, day, _marked.c.rule, old, new, func.count()).group_by(
                _marked.c.product_id, "day", _marked.c.rule, old, new
            )
        )
        sums, number = [], 0
        for product, on, rule, before, later, seats_ in counted:
            number += seats_
            sums += [DaySum(product, on, rule, before or "", -seats_), DaySum(product, on, rule, later or "", seats_)]
        if sums:
            for table in (findings, finding_order):
                same = (table.c[column.name] == _marked.c[column.name] for column in table.primary_key)
                await self._connection.execute(update(table).where(*same).values(exclusion_id=new))
            await self.add_days(scan, sums)
        return number


def _in_span(scan: Scan, span: Span) -> ColumnElement[bool]:
    return and_(
        findings.c.scan_id == scan.id,
        findings.c.product_id == span.product_id,
        _between(findings.c.seat_id, span.after, span.upto),
    )


def _changed_marks(scan: Scan, marks: Marks, where: Span | PersonId) -> Select[Any]:
    """The findings that another exclusion holds than is noted, in the columns of `_marked`."""
    new = exclusion_id(marks, people.c.id, findings.c.product_id, people)
    held = findings.join(people, people.c.id == findings.c.person_id)
    if isinstance(where, Span):
        chosen = _in_span(scan, where)
    else:
        held = held.join(seats, and_(seats.c.product_id == findings.c.product_id, seats.c.id == findings.c.seat_id))
        chosen = and_(findings.c.scan_id == scan.id, seats.c.person_id == where)
    noted = [findings.c[column.name] for column in _marked.c if column is not _marked.c.new_id]
    return (
        select(*noted, new.label("new_id"))
        .select_from(held)
        .where(chosen, findings.c.exclusion_id.is_distinct_from(new))
        .with_for_update(of=findings)  # of two that mark at once, the later sees what the first has noted
    )


def _end_of_chunk(after: SeatId, number: int) -> Select[SeatId]:
    return select(seats.c.id).where(seats.c.id > after).order_by(seats.c.id).limit(1).offset(number - 1)


def _verdicts(scan: Scan, rules: ScanRules, after: SeatId, upto: SeatId | None) -> Select[Any]:
    """Judge the seats with ids in (after, upto]."""
    facts = _facts(rules, after, upto)
    window_from = scan.judged_at - timedelta(days=rules.days)
    window = literal(window_from, Instant())
    grace = literal(scan.judged_at - DISABLED_GRACE, Instant())
    limits = [(facts.c.rule == Rule.DISABLED.value, grace)]
    in_use = facts.c.last_seen_at > window
    if rules.use is not None:
        limits.append((facts.c.rule == Rule.UNUSED.value, literal(window_from - REPORTS_LAG, Instant())))
        in_use = or_(in_use, facts.c.used_at > window)
    is_idle = facts.c.quiet_since <= case(*limits, else_=window)
    verdict = case(
        (facts.c.gone_at.is_not(None), NotIdleWhy.GONE.value),
        (~facts.c.sound, NotIdleWhy.ERROR_STATE.value),
        (facts.c.quiet_since.is_(None), NotIdleWhy.UNKNOWN.value),
        (is_idle, IDLE),
        (in_use, NotIdleWhy.IN_USE.value),
        else_=NotIdleWhy.TOO_NEW.value,
    )
    excluded = exclusion_id(rules.marks, facts.c.person_id, facts.c.product_id, facts)
    by_reports = facts.c.rule == Rule.UNUSED.value
    plain = ("seat_id", "person_id", "product_id", "held", "rule", "quiet_since", "last_seen_at", "last_seen_kind",
             "assigned_at")  # fmt: skip
    evidence = (
        [null().label("last_used_at"), null().label("reported_at")]
        if rules.use is None
        else [
            case((by_reports, facts.c.used_at), else_=null()).label("last_used_at"),
            case((by_reports, facts.c.reported_at), else_=null()).label("reported_at"),
        ]
    )
    return select(
        *(facts.c[name] for name in plain),
        verdict.label("verdict"),
        case((verdict == IDLE, excluded), else_=null()).label("exclusion_id"),
        *evidence,
    )


def _facts(rules: ScanRules, after: SeatId, upto: SeatId | None) -> CTE:
    """Rule and `quiet_since` of each seat of the chunk: the twin of `_activity_rule`."""
    seen = _seen(rules, after, upto)
    complete_since = SIGN_INS_KNOWN_SINCE
    if rules.never_seen_since is not None:
        complete_since = min(complete_since, rules.never_seen_since)
    disabled = seen.c.enabled.is_(False)
    was_seen = seen.c.last_seen_at.is_not(None)
    never = and_(seen.c.known, seen.c.created_at >= literal(complete_since, Instant()))
    used = [] if rules.use is None else [seen.c.used_at]
    rule = case((disabled, Rule.DISABLED.value), (was_seen, Rule.IDLE.value), (never, Rule.NEVER_SEEN.value))
    quiet_since = case(
        (disabled, seen.c.assigned_at),
        (seen.c.assigned_at.is_(None), null()),
        (was_seen, latest(seen.c.last_seen_at, seen.c.assigned_at, seen.c.created_at, *used)),
        (and_(never, *(one.is_(None) for one in used)), latest(seen.c.assigned_at, seen.c.created_at)),
    )
    kind = case(
        (seen.c.last_seen_at.is_(None), null()),
        # On a tie the stronger evidence is named, as the domain does.
        (seen.c.last_seen_at == seen.c.success_at, SignInKind.SUCCESS.value),
        (seen.c.last_seen_at == seen.c.interactive_at, SignInKind.INTERACTIVE.value),
        else_=SignInKind.BACKGROUND.value,
    )
    plain = (
        "seat_id",
        "person_id",
        "product_id",
        "held",
        "sound",
        "gone_at",
        "last_seen_at",
        "assigned_at",
        *EXCLUDES_BY,
    )
    named = {"rule": rule, "quiet_since": quiet_since, "last_seen_kind": kind}
    if rules.use is None:
        return _once("facts", select(*(seen.c[name] for name in plain), *_labelled(named)))
    named["unused_since"] = case(
        (disabled, null()),
        (seen.c.used_quiet_since.is_(None), null()),
        else_=latest(seen.c.used_quiet_since, seen.c.assigned_at, seen.c.created_at),
    )
    plain += ("used_at", "reported_at")
    by_sign_ins = _once("by_sign_ins", select(*(seen.c[name] for name in plain), *_labelled(named)))
    return _by_reports(by_sign_ins)


def _by_reports(facts: CTE) -> CTE:
    """Let the rule that reads usage reports take the place of the other where it holds for more windows."""
    unused = and_(
        facts.c.quiet_since.is_not(None),
        days_later(facts.c.unused_since, literal(REPORTS_LAG.days)) < facts.c.quiet_since,
    )
    changed = {
        "rule": case((unused, Rule.UNUSED.value), else_=facts.c.rule),
        "quiet_since": case((unused, facts.c.unused_since), else_=facts.c.quiet_since),
    }
    return _once("facts", select(*(column for column in facts.c if column.name not in changed), *_labelled(changed)))


def _labelled(named: Mapping[str, ColumnElement[Any]]) -> list[Label[Any]]:
    return [value.label(name) for name, value in named.items()]


def _seen(rules: ScanRules, after: SeatId, upto: SeatId | None) -> CTE:
    """Seat, holder, and what the paths and the sign-in fields say."""
    held = _held(after, upto)
    known: ColumnElement[bool] = people.c.sign_ins_read_at.is_not(None) if rules.gives_sign_ins else false()
    last_seen = latest(people.c.success_at, people.c.interactive_at, people.c.background_at)
    names = ("enabled", "gone_at", "created_at", "success_at", "interactive_at", *EXCLUDES_BY)
    joined: FromClause = held.join(people, people.c.id == held.c.person_id)
    used: list[Label[Any]] = []
    if rules.use is not None:
        joined, said = with_use(joined, rules.use, held.c.product_id)
        used = _labelled(said)
    return _once(
        "seen",
        select(
            held,
            *(people.c[name] for name in names),
            known.label("known"),
            case((known, last_seen), else_=null()).label("last_seen_at"),
            *used,
        ).select_from(joined),
    )


def _held(after: SeatId, upto: SeatId | None) -> Subquery:
    """What the paths say of each seat; without its holder, or every group would carry all that is known of one."""
    updated = seat_paths.c.updated_at
    gives, sound = (case((seat_paths.c.state.in_(states), 1), else_=0) for states in (GIVES_SEAT, SOUND))
    assigned_at = case((func.count(seat_paths.c.seat_id) == func.count(updated), func.max(updated)), else_=null())
    return (
        select(
            seats.c.id.label("seat_id"),
            seats.c.person_id,
            seats.c.product_id,
            assigned_at.label("assigned_at"),
            (func.max(gives) == 1).label("held"),
            (func.max(sound) == 1).label("sound"),
        )
        .select_from(seats.outerjoin(seat_paths, seat_paths.c.seat_id == seats.c.id))
        .where(_between(seats.c.id, after, upto), seats.c.gone_at.is_(None))
        .group_by(seats.c.id)
        .subquery("held_seats")
    )


def _once(name: str, query: Select[Any]) -> CTE:
    """Name a query whose expressions are evaluated once.

    SQLite puts an expression in the place of its name, and evaluates it for each mention: a third of the time of a scan.
    """
    return query.cte(name).prefix_with("MATERIALIZED")


def _between(column: ColumnElement[str], after: SeatId, upto: SeatId | None) -> ColumnElement[bool]:
    return column > after if upto is None else and_(column > after, column <= upto)
