"""Who lives in the tenant: the same under the same seed, and truly what their labels say."""

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearsal.cases import IDLE_CASES, Case, Outcome
from rehearsal.cast import CAST
from rehearsal.catalog import SKUS
from rehearsal.clock import TenantClock, seconds
from rehearsal.directory import Directory
from rehearsal.groups import GROUPS
from rehearsal.people import License, People, Person

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PRODUCT_NAMES = Path(__file__).parents[3] / "shared" / "data" / "licensing-product-names.csv"


@pytest.fixture(params=[7, 8], ids=["seed 7", "seed 8"])
def people(request: pytest.FixtureRequest) -> People:
    return People(count=400, seed=request.param, start=seconds(START))


def _everybody(people: People) -> list[tuple[Case, Person]]:
    return [(people.case_of(number)[0], people.baseline(number)) for number in range(people.count)]


def _days_ago(instant: int) -> float:
    return (seconds(START) - instant) / 86_400


def _enabled_plans(license_: License) -> set[str]:
    return {plan.name for plan in license_.sku.plans if plan.plan_id not in license_.disabled_plans}


def _carries_data(name: str) -> str | None:
    if name.startswith("EXCHANGE_S_") and name != "EXCHANGE_S_FOUNDATION":
        return "mailbox"
    return "files" if name.startswith("SHAREPOINT") else None


def _carried(license_: License) -> set[str | None]:
    return {_carries_data(name) for name in _enabled_plans(license_)} - {None}


def test_the_same_seed_makes_the_same_tenant_and_another_does_not() -> None:
    def made(seed: int) -> list[Person]:
        return [person for _, person in _everybody(People(count=400, seed=seed, start=seconds(START)))]

    assert made(7) == made(7)
    assert not {person.id for person in made(7)} & {person.id for person in made(8)}


def test_everybody_can_be_found_by_id_and_by_name(people: People) -> None:
    for number in range(people.count):
        person = people.baseline(number)
        assert people.identities.number_of(person.id) == number
        assert people.number_of_alias(person.alias) == number
    assert people.number_of_alias("somebody4") is None


def test_idle_people_signed_in_91_to_400_days_ago(people: People) -> None:
    seen = {
        person.name: _days_ago(person.sign_ins.successful)
        for case, person in _everybody(people)
        if case in IDLE_CASES - {Case.DISABLED, Case.NEVER_SIGNED_IN} and person.sign_ins is not None
    }

    assert len(seen) > 60
    assert all(91 <= days <= 400 for days in seen.values())


def test_every_idle_case_but_never_signed_in_has_sign_ins(people: People) -> None:
    missing = {case for case, person in _everybody(people) if person.sign_ins is None}

    assert missing == {Case.NEVER_SIGNED_IN, Case.NO_DATA, Case.NEW_STARTER}


def test_active_people_signed_in_within_three_weeks(people: People) -> None:
    active = [person for case, person in _everybody(people) if case is Case.ACTIVE]

    assert all(person.sign_ins and _days_ago(person.sign_ins.successful) < 21 for person in active)


def test_accounts_are_as_old_as_their_case_needs(people: People) -> None:
    data_since = datetime(2023, 12, 1, tzinfo=UTC)
    for case, person in _everybody(people):
        created_at = datetime.fromtimestamp(person.created_at, UTC)
        if case is Case.NEVER_SIGNED_IN:
            assert data_since < created_at < START - timedelta(days=90)
        elif case is Case.NO_DATA:
            assert created_at < data_since
        elif case is Case.NEW_STARTER:
            assert START - timedelta(days=12) < created_at < START - timedelta(days=9)


def test_idle_seats_are_older_than_the_window_and_never_older_than_the_account(people: People) -> None:
    for case, person in _everybody(people):
        for license_ in person.licenses:
            assert license_.updated_at >= person.created_at
            if case in IDLE_CASES:
                assert _days_ago(license_.updated_at) > (14 if case is Case.DISABLED else 90)


def test_only_people_of_the_disabled_case_are_disabled(people: People) -> None:
    assert all(person.enabled is (case is not Case.DISABLED) for case, person in _everybody(people))


def test_managers_are_as_the_case_says(people: People) -> None:
    for case, person in _everybody(people):
        if case is Case.NO_MANAGER or person.number == 0:
            assert person.manager is None
            continue
        assert person.manager is not None
        assert people.baseline(person.manager).enabled is (case is not Case.DISABLED_MANAGER)
        assert person.manager != person.number


def test_a_manager_leads_about_ten_people(people: People) -> None:
    reports = Counter(person.manager for _, person in _everybody(people))

    assert all(count <= 14 for count in reports.values())
    assert 30 <= len(reports) <= 60


def test_a_seat_is_held_exactly_if_it_alone_carries_somebodys_data(people: People) -> None:
    for number in range(people.count):
        case, recipe = people.case_of(number)
        licenses = people.baseline(number).licenses
        for plan, license_ in zip(recipe, licenses, strict=True):
            if case not in IDLE_CASES:
                assert plan.allowed == (Outcome.KEPT,)
                continue
            others = {kind for other in licenses if other is not license_ for kind in _carried(other)}
            alone = bool(_carried(license_) - others)
            assert (plan.allowed == (Outcome.HELD, Outcome.KEPT)) is alone


def test_only_seats_through_a_protected_group_are_not_supported(people: People) -> None:
    specs = {spec.key: spec for spec in GROUPS}
    for number in range(people.count):
        for plan in people.case_of(number)[1]:
            spec = specs.get(plan.group or "")
            writable = spec is None or not (spec.dynamic or spec.synced or spec.exchange_owned or spec.role_assignable)
            assert (Outcome.NOT_SUPPORTED in plan.allowed) is not writable
            assert spec is None or spec.sku is plan.sku


def test_every_case_is_met_with_the_wanted_number_of_seats(people: People) -> None:
    seats = [
        (case, plan) for number in range(people.count) for case, recipe in [people.case_of(number)] for plan in recipe
    ]

    assert {case for case, _ in seats} == set(Case)
    assert 740 <= len(seats) <= 790
    assert 110 <= sum(case in IDLE_CASES for case, _ in seats) <= 125


def test_the_smallest_tenant_is_the_cast(people: People) -> None:
    smallest = People(count=30, seed=7, start=seconds(START))

    assert [smallest.baseline(number).name for number in range(30)] == [player.name for player in CAST]


@pytest.mark.parametrize(("count", "start"), [(29, START), (1_000_001, START), (400, datetime(2024, 1, 1, tzinfo=UTC))])
def test_a_tenant_that_cannot_be_made_is_refused(count: int, start: datetime) -> None:
    with pytest.raises(ValueError, match="a practice tenant"):
        People(count=count, seed=7, start=seconds(start))


def test_counts_of_used_seats_are_those_of_the_people(people: People) -> None:
    directory = Directory(people, TenantClock(START))
    held = Counter(sku.part_number for number in directory.numbers() for sku in directory.person(number).held_skus())

    assert {sku.part_number: units.used for sku, units in directory.units.items()} == dict(held)


def test_ids_of_products_and_plans_are_microsofts() -> None:
    if not PRODUCT_NAMES.exists():
        pytest.skip(f"Microsoft's product table is not beside the repository: {PRODUCT_NAMES.name}")
    with PRODUCT_NAMES.open(encoding="utf-8") as file:
        known = {
            (row["GUID"], row["String_Id"], row["Service_Plan_Id"], row["Service_Plan_Name"])
            for row in csv.DictReader(file)
        }

    ours = {(sku.sku_id, sku.part_number, plan.plan_id, plan.name) for sku in SKUS for plan in sku.plans}

    assert ours <= known
