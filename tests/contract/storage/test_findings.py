from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

from reclaim.domain.activity import SignInKind
from reclaim.domain.idle import Finding, Rule
from reclaim.domain.ids import PersonId, ProductId, RunId, SeatId, seat_id
from reclaim.domain.read_models import SeatFilter
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import LONG_AGO, NOW, PROJECT, VISIO, begin, end, group, row, seat, sku, sync

PEOPLE = [
    row("anna", seat("anna"), seat("anna", PROJECT, groups=(None, "g2", "g1")), name="anna"),
    row("ben", seat("ben", groups=("g1",)), name="Ben"),
    row("carl", seat("carl"), name="Carl"),
    row("dora", seat("dora"), name="", enabled=False),
]


def finding(ref: str, days: int, *, product: ProductId = VISIO, rule: Rule = Rule.IDLE) -> Finding:
    """A seat that has been quiet for so many days."""
    return Finding(
        seat_id=seat_id(PersonId(ref), product),
        person_id=PersonId(ref),
        product_id=product,
        rule=rule,
        quiet_since=NOW - timedelta(days=days),
        last_seen_at=NOW - timedelta(days=days) if rule is Rule.IDLE else None,
        last_seen_kind=SignInKind.INTERACTIVE if rule is Rule.IDLE else None,
        assigned_at=LONG_AGO,
        data_as_of=NOW,
    )


ANNA_PROJECT = finding("anna", 45, product=PROJECT, rule=Rule.NEVER_SEEN)
ANNA_VISIO = finding("anna", 90)
BEN = finding("ben", 400)
CARL = replace(finding("carl", 90), quiet_since=NOW - timedelta(days=90) + timedelta(microseconds=1))
DORA = finding("dora", 14, rule=Rule.DISABLED)
ALL = [ANNA_PROJECT, ANNA_VISIO, BEN, CARL, DORA]


async def chunks(*lists: Sequence[Finding]) -> AsyncIterator[Sequence[Finding]]:
    for one in lists:
        yield one


async def scanned(work: SqlWork) -> RunId:
    """A complete sync, and its findings stored in two chunks."""
    started = await begin(work, 1, PEOPLE)
    async with work.write() as unit:
        await unit.syncs.save_skus(started, [sku(VISIO, "visio Plan 2", "V2"), sku(PROJECT, "Project Plan 3", "P3")])
        await unit.syncs.save_groups(started, [group("g1", "Sales"), group("g2", "Engineering")])
        await unit.commit()
    await end(work, 1)
    async with work.write() as unit:
        assert await unit.findings.replace_all(started, chunks(ALL[:2], [], ALL[2:])) == 5
        await unit.commit()
    return started


async def test_a_finding_comes_back_whole(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        found = await unit.findings.get_many([ANNA_VISIO.seat_id, DORA.seat_id, SeatId("nobody:visio")])
    assert found == {ANNA_VISIO.seat_id: ANNA_VISIO, DORA.seat_id: DORA}


async def test_a_window_counts_what_is_quiet_for_all_of_it_and_disabled_accounts_after_their_grace(
    work: SqlWork,
) -> None:
    await scanned(work)

    async with work.read() as unit:
        tallies = {days: await unit.findings.tally(days=days, now=NOW) for days in (30, 45, 46, 90, 400, 401)}
        early = await unit.findings.tally(days=30, now=NOW - timedelta(microseconds=1))
    assert tallies == {
        30: {VISIO: 4, PROJECT: 1},
        45: {VISIO: 4, PROJECT: 1},
        46: {VISIO: 4},
        90: {VISIO: 3},  # Carl lacks a microsecond
        400: {VISIO: 2},
        401: {VISIO: 1},
    }
    assert early == {VISIO: 3, PROJECT: 1}  # Dora lacks a microsecond of her grace


async def test_the_window_in_sql_is_the_one_of_the_domain(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        for days in (14, 30, 45, 89, 90, 91, 399, 400, 401):
            selected = await unit.findings.select(days=days, now=NOW)
            assert selected == sorted((one for one in ALL if one.is_idle_for(days, NOW)), key=lambda one: one.seat_id)


async def test_a_scope_narrows_by_product_and_rule(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        assert await unit.findings.select(days=30, now=NOW, products=[PROJECT]) == [ANNA_PROJECT]
        assert await unit.findings.select(days=30, now=NOW, rules=[Rule.NEVER_SEEN, Rule.DISABLED]) == [
            ANNA_PROJECT,
            DORA,
        ]
        assert await unit.findings.select(days=30, now=NOW, products=[PROJECT], rules=[Rule.IDLE]) == []


async def test_a_page_is_ordered_by_product_and_person_with_the_sums_of_all_pages(work: SqlWork) -> None:
    await scanned(work)

    async with work.read() as unit:
        first, total, tally = await unit.findings.page(SeatFilter(days=30), now=NOW, offset=0, limit=2)
        second, _, _ = await unit.findings.page(SeatFilter(days=30), now=NOW, offset=2, limit=9)

    assert [(one.sku_name, one.person.shown_name, one.group_name) for one in first + second] == [
        ("Project Plan 3", "anna", "Engineering"),
        ("visio Plan 2", "anna", None),
        ("visio Plan 2", "Ben", "Sales"),
        ("visio Plan 2", "Carl", None),
        ("visio Plan 2", "dora@contoso.example", None),
    ]
    assert [one.finding for one in first + second] == ALL
    assert (total, tally) == (5, {PROJECT: 1, VISIO: 4})


async def test_a_page_follows_its_filter(work: SqlWork) -> None:
    await scanned(work)
    where = SeatFilter(product_id=VISIO, days=90, rules=(Rule.IDLE,))

    async with work.read() as unit:
        rows, total, tally = await unit.findings.page(where, now=NOW, offset=0, limit=10)

    assert [one.finding for one in rows] == [ANNA_VISIO, BEN]
    assert (total, tally) == (2, {VISIO: 2})


async def test_a_new_scan_replaces_the_old_one_or_leaves_it_whole(work: SqlWork) -> None:
    run = await scanned(work)
    async with work.write() as unit:
        await unit.findings.replace_all(run, chunks([BEN]))

    async with work.read() as unit:
        assert len(await unit.findings.select(days=30, now=NOW)) == 5
    async with work.write() as unit:
        assert await unit.findings.replace_all(run, chunks([BEN])) == 1
        await unit.commit()

    async with work.read() as unit:
        assert await unit.findings.select(days=30, now=NOW) == [BEN]


async def test_a_seat_that_has_gone_since_the_scan_is_in_no_answer(work: SqlWork) -> None:
    await scanned(work)

    await sync(work, 2, [one for one in PEOPLE if one.person.id != "ben"])

    async with work.read() as unit:
        assert BEN not in await unit.findings.select(days=30, now=NOW)
        assert await unit.findings.get_many([BEN.seat_id]) == {}
        assert await unit.findings.tally(days=30, now=NOW) == {VISIO: 3, PROJECT: 1}


async def test_the_number_of_seats_that_could_not_be_judged_is_remembered(work: SqlWork) -> None:
    async with work.write() as unit:
        assert await unit.findings.unknown() == 0
        await unit.findings.set_unknown(7)
        await unit.findings.set_unknown(12)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.findings.unknown() == 12
