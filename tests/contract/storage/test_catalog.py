from dataclasses import replace
from datetime import UTC, date, datetime

from reclaim.domain.directory import ServicePlan, Sku
from reclaim.domain.ids import GroupId, ProductId
from reclaim.domain.money import Money, Period, Price
from storage.unit_of_work import SqlWork
from tests.contract.storage.directory_rows import NOW, PROJECT, VISIO, begin, end, group, sku

SKUS = (sku(VISIO, "Visio Plan 2", "VISIOCLIENT"), sku(PROJECT, "Project Plan 3", "PROJECTPROFESSIONAL"))


def monthly(minor: int, *, valid_from: date | None = None, currency: str = "EUR") -> Price:
    return Price(amount=Money(minor, currency), period=Period.MONTH, valid_from=valid_from)


async def with_skus(work: SqlWork) -> None:
    started = await begin(work, 1)
    async with work.write() as unit:
        await unit.syncs.save_skus(started, SKUS)
        await unit.commit()
    await end(work, 1)


async def load(work: SqlWork, *rows: tuple[str, Price], source: str = "csv", at: datetime = NOW) -> None:
    async with work.write() as unit:
        await unit.catalog.replace_prices(rows, source=source, at=at)
        await unit.commit()


async def amounts(work: SqlWork, on: datetime = NOW) -> dict[str, int]:
    async with work.read() as unit:
        return {product: price.amount.minor for product, price in (await unit.catalog.prices(on)).items()}


async def test_a_sku_comes_back_whole(work: SqlWork) -> None:
    whole = Sku(
        id=ProductId("e5"),
        part_number="SPE_E5",
        name="Microsoft 365 E5",
        enabled=100,
        warning=2,
        suspended=3,
        consumed=98,
        assignable=False,
        status="Warning",
        plans=(ServicePlan("p1", "EXCHANGE_S_ENTERPRISE"), ServicePlan("p2", "TEAMS1")),
    )
    started = await begin(work, 1)
    async with work.write() as unit:
        await unit.syncs.save_skus(started, [whole])
        await unit.commit()

    async with work.read() as unit:
        assert await unit.catalog.skus() == {"e5": whole}


async def test_a_service_plan_knows_what_it_needs_by_the_list_and_by_what_was_learnt_last(work: SqlWork) -> None:
    skype, phone, meetings = (
        "0feaeb32-d00e-4d66-bd5a-43b5b83db82c",
        "4828c8ec-dc2e-4779-b502-87ac9ce28ab7",
        "p-meetings",
    )
    started = await begin(work, 1)
    plans = tuple(ServicePlan(plan, plan) for plan in (skype, phone.upper(), meetings))
    async with work.write() as unit:
        await unit.syncs.save_skus(started, [replace(SKUS[0], plans=plans)])
        await unit.catalog.learn_needs({meetings: frozenset({"a"})}, at=NOW)
        await unit.catalog.learn_needs({meetings: frozenset({"b", "c"})}, at=NOW)
        await unit.commit()

    async with work.read() as unit:
        first, second, third = (await unit.catalog.skus())[SKUS[0].id].plans

    assert first.needs == frozenset()
    assert skype in second.needs
    assert third.needs == {"b", "c"}

    async with work.write() as unit:
        await unit.catalog.learn_needs({phone: frozenset({"d"})}, at=NOW)
        await unit.commit()
    async with work.read() as unit:
        assert (await unit.catalog.skus())[SKUS[0].id].plans[1].needs == {"d"}


async def test_a_sku_that_a_complete_sync_did_not_see_is_gone(work: SqlWork) -> None:
    await with_skus(work)
    second = await begin(work, 2)
    async with work.write() as unit:
        await unit.syncs.save_skus(second, SKUS[:1])
        await unit.commit()
    await end(work, 2)

    async with work.read() as unit:
        assert set(await unit.catalog.skus()) == {VISIO}
        assert set(await unit.catalog.skus([VISIO, ProductId("never-there")])) == {VISIO}
        assert await unit.catalog.skus([]) == {}


async def test_groups_come_back_with_the_products_of_the_last_page_that_showed_them(work: SqlWork) -> None:
    started = await begin(work, 1)
    sales, admins = group("g1", "Sales", VISIO, PROJECT), group("g2", "Admins")
    for page in ([sales, admins], [group("g1", "Sales EMEA", VISIO)]):
        async with work.write() as unit:
            await unit.syncs.save_groups(started, page)
            await unit.commit()

    async with work.read() as unit:
        assert await unit.catalog.groups() == {"g1": group("g1", "Sales EMEA", VISIO), "g2": admins}
        assert await unit.catalog.groups([GroupId("g2"), GroupId("g9")]) == {"g2": admins}


async def test_a_price_is_matched_by_sku_id_part_number_or_name_without_case(work: SqlWork) -> None:
    await with_skus(work)

    await load(work, ("VISIO ", monthly(1_300)), (" projectProfessional", monthly(2_700)))
    assert await amounts(work) == {VISIO: 1_300, PROJECT: 2_700}

    await load(work, ("visio plan 2", monthly(1_400)), ("something else", monthly(1)))
    assert await amounts(work) == {VISIO: 1_400}


async def test_the_newest_price_that_has_begun_counts(work: SqlWork) -> None:
    await with_skus(work)
    await load(
        work,
        ("visio", monthly(1_000)),
        ("visio", monthly(1_100, valid_from=date(2026, 1, 1))),
        ("Visio Plan 2", monthly(1_200, valid_from=date(2026, 11, 22))),
        ("visio", monthly(1_300, valid_from=date(2026, 11, 23))),
    )

    assert await amounts(work, datetime(2025, 12, 31, tzinfo=UTC)) == {VISIO: 1_000}
    assert await amounts(work, datetime(2026, 11, 21, tzinfo=UTC)) == {VISIO: 1_100}
    assert await amounts(work, datetime(2026, 11, 22, tzinfo=UTC)) == {VISIO: 1_200}
    assert await amounts(work, datetime(2026, 11, 23, tzinfo=UTC)) == {VISIO: 1_300}


async def test_of_prices_from_one_day_the_exacter_name_counts(work: SqlWork) -> None:
    await with_skus(work)

    await load(
        work, ("visio", monthly(1)), ("VISIOCLIENT", monthly(2)), ("Visio Plan 2", monthly(3)), ("project", monthly(4))
    )

    assert await amounts(work) == {VISIO: 1, PROJECT: 4}


async def test_a_source_replaces_only_its_own_prices(work: SqlWork) -> None:
    await with_skus(work)
    await load(work, ("visio", monthly(1)), ("project", monthly(2)), source="csv")
    await load(work, ("project", monthly(3)), source="command", at=NOW.replace(hour=10))

    await load(work, ("visio", monthly(4)), source="csv")

    assert await amounts(work) == {VISIO: 4, PROJECT: 3}


async def test_a_price_comes_back_whole(work: SqlWork) -> None:
    await with_skus(work)
    whole = Price(
        amount=Money(15_600, "CHF"), period=Period.YEAR, valid_from=date(2026, 1, 1), renews_on=date(2027, 1, 1)
    )

    await load(work, ("visio", whole), ("project", monthly(5)))

    async with work.read() as unit:
        assert await unit.catalog.prices(NOW) == {VISIO: whole, PROJECT: monthly(5)}
