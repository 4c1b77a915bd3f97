"""Roles, findings, spend and lists of seats: everything that reads the synced tenant."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.idle import Rule
from reclaim.domain.ids import GroupId, PersonId, ProductId, RunId
from reclaim.domain.money import Money, Price, Total
from reclaim.domain.read_models import SeatFilter
from reclaim.domain.roles import Role
from reclaim.domain.spend import monthly_total
from reclaim.errors import Conflict, DirectoryError, InvalidRequest, NotFound
from reclaim.services.access import Access
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.read_seats import ReadSeats
from reclaim.services.read_spend import ReadSpend
from tests.services.world import (
    E3,
    LYNNE,
    MEGAN,
    NOW,
    PROJECT,
    VISIO,
    VISIO_GROUP,
    World,
    group,
    person,
    seat,
)


def spend(world: World) -> ReadSpend:
    return ReadSpend(work=world.work, clock=world.clock, policy=world.policy)


async def prices(world: World) -> dict[ProductId, Price]:
    async with world.work.read() as reading:
        return await reading.catalog.prices(NOW)


def seats(world: World) -> ReadSeats:
    return ReadSeats(work=world.work, clock=world.clock, policy=world.policy)


def access(world: World) -> Access:
    return Access(work=world.work, policy=world.policy)


# Roles ----------------------------------------------------------------------------------------------------------------
async def test_an_admin_is_one_before_the_first_sync(world: World) -> None:
    actor = await access(world).actor(LYNNE, "web")

    assert actor.roles == {Role.EMPLOYEE, Role.ADMIN}


async def test_everybody_else_is_an_employee(world: World) -> None:
    actor = await access(world).actor(MEGAN, "web")

    assert actor.roles == {Role.EMPLOYEE}


async def test_members_of_a_role_group_have_its_role(world: World) -> None:
    world.policy = replace(world.policy, license_managers=frozenset({"GROUP-LM"}))
    world.directory.members[GroupId("group-lm")] = [MEGAN]
    await world.read()

    actor = await access(world).actor(MEGAN, "web")

    assert actor.roles == {Role.EMPLOYEE, Role.LICENSE_MANAGER}
    assert await access(world).names_with(frozenset({Role.ADMIN, Role.LICENSE_MANAGER})) == (
        "Lynne Example",
        "Megan Example",
    )
    assert await access(world).people_with(frozenset({Role.LICENSE_MANAGER, Role.AUDITOR})) == (MEGAN,)


async def test_who_left_a_role_group_loses_the_role_with_the_next_sync(world: World) -> None:
    world.policy = replace(world.policy, license_managers=frozenset({"group-lm"}))
    world.directory.members[GroupId("group-lm")] = [MEGAN]
    await world.read()
    world.directory.members[GroupId("group-lm")] = []
    world.clock.advance(timedelta(hours=1))
    await world.read()

    actor = await access(world).actor(MEGAN, "web")

    assert actor.roles == {Role.EMPLOYEE}


async def test_a_disabled_admin_has_no_role_and_is_named_to_nobody(world: World) -> None:
    world.directory.everybody[LYNNE] = person("lynne", enabled=False)
    await world.read()

    actor = await access(world).actor(LYNNE, "web")

    assert actor.roles == {Role.EMPLOYEE}
    assert await access(world).names_with(frozenset({Role.ADMIN})) == ()


# Findings -------------------------------------------------------------------------------------------------------------
async def test_the_scan_flags_what_is_quiet_for_thirty_days_and_counts_what_it_cannot_judge(world: World) -> None:
    world.hire(["busy"], seen_days=3)
    world.hire(["edge"], seen_days=30)
    world.hire(["almost"], seen_days=29)
    world.hire(["dark"], seen_days=None)
    world.directory.add(person("off", seen_days=1, enabled=False), seat("off", VISIO))

    run = await world.read()

    async with world.work.read() as reading:
        found = await reading.findings.select(days=30, now=NOW)
        assert {one.person_id: one.rule for one in found} == {"edge": Rule.IDLE, "off": Rule.DISABLED}
        assert {one.data_as_of for one in found} == {NOW}
        assert (await reading.findings.verdicts())["unknown"] == 1
    assert await FindIdleSeats(work=world.work, clock=world.clock, policy=world.policy).scan(run) == 2


async def test_only_the_newest_complete_run_can_be_scanned(world: World) -> None:
    scan = FindIdleSeats(work=world.work, clock=world.clock, policy=world.policy).scan
    first = await world.read()
    world.clock.advance(timedelta(hours=1))
    await world.read()

    with pytest.raises(Conflict):
        await scan(first)
    with pytest.raises(NotFound):
        await scan(RunId("none"))


async def test_sign_ins_that_broke_off_half_way_flag_nobody(world: World) -> None:
    world.hire(["a", "b", "c"])
    world.directory.page_size = 5
    code = "Authorization_RequestDenied"
    world.directory.fail("sign_ins", DirectoryError("no", permanent=True, status=403, graph_code=code), after=1)
    await world.read()

    async with world.work.read() as reading:
        assert await reading.findings.select(days=30, now=NOW) == []
        assert await reading.findings.verdicts() == {"unknown": 3}


async def test_evidence_is_as_old_as_the_run_however_late_it_is_judged(world: World) -> None:
    world.hire(["a"])
    run = await world.read()
    world.clock.advance(timedelta(hours=5))

    await FindIdleSeats(work=world.work, clock=world.clock, policy=world.policy).scan(run)

    async with world.work.read() as reading:
        assert [one.data_as_of for one in await reading.findings.select(days=30, now=NOW)] == [NOW]


# Spend ----------------------------------------------------------------------------------------------------------------
async def test_spend_adds_up_by_currency_and_counts_what_has_no_price(world: World) -> None:
    world.hire(["a", "b"], VISIO)
    world.hire(["c"], PROJECT)
    world.hire(["d"], E3)
    world.hire(["e"], VISIO, seen_days=2)
    await world.price("VISIOCLIENT,15.00,USD,month", "Project Plan 3,360,EUR,year")
    await world.read()

    report = await spend(world).report()

    assert (report.days, report.held, report.idle, report.unknown, report.blocked) == (90, 5, 4, 0, False)
    assert report.total == Total(amounts=(Money(3000, "EUR"), Money(3000, "USD")), unpriced=1)
    assert [(row.name, row.idle, row.held, row.recoverable) for row in report.rows] == [
        ("Visio Plan 2", 2, 3, Money(3000, "USD")),
        ("Project Plan 3", 1, 1, Money(3000, "EUR")),
        ("Microsoft 365 E3", 1, 1, None),
    ]
    assert (report.data.as_of, report.data.stale) == (NOW, False)


async def test_a_product_with_nothing_idle_brings_no_currency_into_the_sum(world: World) -> None:
    world.hire(["a"], VISIO)
    await world.price("VISIOCLIENT,15.00,USD,month", "PROJECTPROFESSIONAL,30,EUR,month")
    await world.read()

    assert monthly_total({VISIO: 1, PROJECT: 0}, await prices(world)) == Total(amounts=(Money(1500, "USD"),))


async def test_a_longer_window_finds_less(world: World) -> None:
    world.hire(["a"], seen_days=100)
    world.hire(["b"], seen_days=200)
    await world.read()

    assert (await spend(world).report(180)).idle == 1
    assert (await spend(world).report(30)).idle == 2


@pytest.mark.parametrize("days", [0, 29, 731, -90])
async def test_a_window_that_findings_cannot_answer_is_refused(world: World, days: int) -> None:
    with pytest.raises(InvalidRequest, match="between 30 and 730 days"):
        await spend(world).report(days)


async def test_old_data_says_so(world: World) -> None:
    await world.read()
    world.clock.advance(timedelta(hours=25))

    assert (await spend(world).report()).data.stale is True


async def test_nothing_read_yet_is_no_data_and_not_zero_days_old(world: World) -> None:
    report = await spend(world).report()

    assert (report.data.as_of, report.blocked, report.rows) == (None, False, ())


async def test_without_sign_in_data_the_report_is_blocked_and_counts_disabled_accounts_only(world: World) -> None:
    world.hire(["quiet"])
    world.directory.add(person("off", enabled=False), seat("off", VISIO))
    code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    world.directory.fail("sign_ins", DirectoryError("no P1", permanent=True, status=403, graph_code=code))
    await world.read()

    report = await spend(world).report()

    assert (report.blocked, report.idle, report.unknown) == (True, 1, 1)


# Seats ----------------------------------------------------------------------------------------------------------------
async def test_a_page_has_ten_rows_and_the_sum_of_all(world: World) -> None:
    world.hire([f"p{number:02}" for number in range(23)])
    await world.price("VISIOCLIENT,15,USD,month")
    await world.read()

    page = await seats(world).page(SeatFilter(product_id=VISIO), 3)

    assert (page.page, page.pages, page.total, page.sku_name) == (3, 3, 23, "Visio Plan 2")
    assert [row.person_name for row in page.rows] == ["P20 Example", "P21 Example", "P22 Example"]
    assert page.monthly == Total(amounts=(Money(34500, "USD"),))


@pytest.mark.parametrize(("asked", "shown"), [(0, 1), (-5, 1), (4, 3), (10**6, 3)])
async def test_a_page_beyond_either_end_is_the_nearest(world: World, asked: int, shown: int) -> None:
    world.hire([f"p{number:02}" for number in range(23)])
    await world.read()

    assert (await seats(world).page(SeatFilter(), asked)).page == shown


async def test_no_idle_seat_is_one_empty_page(world: World) -> None:
    await world.read()

    page = await seats(world).page(SeatFilter())

    assert (page.page, page.pages, page.total, page.rows, page.monthly) == (1, 1, 0, (), Total())


async def test_a_seat_through_a_group_names_it(world: World) -> None:
    world.directory.group_facts[VISIO_GROUP] = group(VISIO_GROUP, VISIO)
    world.directory.add(person("a", seen_days=120), seat("a", VISIO, VISIO_GROUP))
    await world.read()

    row = (await seats(world).page(SeatFilter(rules=(Rule.IDLE,)))).rows[0]

    assert (row.group_name, row.rule, row.monthly) == ("Group group-visio", Rule.IDLE, None)


async def test_an_unknown_product_has_no_page(world: World) -> None:
    with pytest.raises(NotFound):
        await seats(world).page(SeatFilter(product_id=ProductId("none")))


async def test_a_product_that_is_held_but_no_longer_sold_has_a_row_and_a_page(world: World) -> None:
    world.hire(["a"], ProductId("sku-lapsed"))
    await world.read()

    report = await spend(world).report()
    page = await seats(world).page(SeatFilter(product_id=ProductId("sku-lapsed")))

    assert next((row.name, row.purchased, row.held, row.idle) for row in report.rows) == ("sku-lapsed", 0, 1, 1)
    assert (page.sku_name, page.total) == ("sku-lapsed", 1)


@pytest.mark.parametrize("text", ["Visio Plan 2", "  visio   plan 2 ", "visioclient", "SKU-VISIO"])
async def test_a_product_is_found_by_name_part_number_or_id_in_any_case(world: World, text: str) -> None:
    await world.read()

    assert await seats(world).product(text) == VISIO


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Vision Plan", "No SKU is called “Vision Plan”. Did you mean Visio Plan 2 or Project Plan 3?"),
        ("project", "No SKU is called “project”. Did you mean Project Plan 3?"),
        ("zzzz", "No SKU is called “zzzz”."),
        ("", "No SKU is called “”."),
    ],
)
async def test_an_unknown_product_names_the_nearest(world: World, text: str, message: str) -> None:
    await world.read()

    with pytest.raises(InvalidRequest) as caught:
        await seats(world).product(text)

    assert caught.value.message == message


async def test_two_products_of_one_name_are_told_apart_by_part_number(world: World) -> None:
    world.directory.sold[PROJECT] = replace(world.directory.sold[PROJECT], name="Visio Plan 2")
    await world.read()

    with pytest.raises(InvalidRequest, match="Use the part number: PROJECTPROFESSIONAL or VISIOCLIENT"):
        await seats(world).product("Visio Plan 2")


async def test_the_nearest_products_come_best_first(world: World) -> None:
    await world.read()

    assert await seats(world).nearest_products("plan") == [(PROJECT, "Project Plan 3"), (VISIO, "Visio Plan 2")]


async def test_a_gone_person_is_in_no_list(world: World) -> None:
    world.hire(["a", "b"])
    await world.read()
    world.directory.remove(PersonId("a"))
    world.clock.advance(timedelta(hours=1))
    await world.read()

    assert [row.person_id for row in (await seats(world).page(SeatFilter())).rows] == ["b"]
