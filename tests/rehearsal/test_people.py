"""Who lives in the tenant: the same under the same seed, and truly what their labels say."""

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import RFC_4122, UUID

import pytest

from rehearsal.cases import BLOCKED, HAPPENINGS, LICENSE_ERRORS, WITHOUT_SIGN_INS, Case, Outcome, SeatPlan
from rehearsal.cast import CAST
from rehearsal.catalog import SKUS
from rehearsal.clock import TenantClock, seconds
from rehearsal.directory import Directory
from rehearsal.groups import GROUPS
from rehearsal.people import License, People, Person, SignIns
from rehearsal.traps import NAMED

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PRODUCT_NAMES = Path(__file__).parents[3] / "shared" / "data" / "licensing-product-names.csv"


@pytest.fixture(params=[7, 8], ids=["seed 7", "seed 8"])
def people(request: pytest.FixtureRequest) -> People:
    return People(count=400, seed=request.param, start=seconds(START))


def _everybody(people: People) -> list[tuple[Case, Person]]:
    return [(people.case_of(number)[0], people.baseline(number)) for number in range(people.count)]


def _days_ago(instant: int | None) -> float:
    assert instant is not None
    return (seconds(START) - instant) / 86_400


def _plans(people: People) -> list[tuple[Case, Person, SeatPlan, list[License]]]:
    """Every meant seat with the licenses that were made for it."""
    found = []
    for number in range(people.count):
        case, recipe = people.case_of(number)
        person = people.baseline(number)
        left = list(person.licenses)
        for plan in recipe:
            made, left = left[: len(plan.paths)], left[len(plan.paths) :]
            found.append((case, person, plan, made))
        assert not left
    return found


def _the(people: People, case: Case) -> Person:
    """The first person of a case."""
    return next(person for found, person in _everybody(people) if found is case)


def _sign_ins(people: People, case: Case) -> SignIns:
    found = _the(people, case).sign_ins
    assert found is not None
    return found


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


def test_ids_are_random_guids_as_entra_makes_them(people: People) -> None:
    for number in range(50):
        guid = UUID(people.identities.person(number))
        assert (guid.version, guid.variant, str(guid)) == (4, RFC_4122, people.identities.person(number))


def test_everybody_can_be_found_by_id_and_by_name(people: People) -> None:
    for number in range(people.count):
        person = people.baseline(number)
        assert people.identities.number_of(person.id) == number
        assert people.number_of_alias(person.upn.rpartition("@")[0]) == number
    assert people.number_of_alias("somebody4") is None


def test_idle_people_signed_in_91_to_400_days_ago(people: People) -> None:
    seen = {
        person.name: max(filter(None, (person.sign_ins.interactive, person.sign_ins.successful)))
        for case, person, plan, _ in _plans(people)
        if plan.idle and case is not Case.DISABLED and person.sign_ins is not None
    }

    assert len(seen) > 80
    assert all(91 <= _days_ago(instant) <= 400 for instant in seen.values())


def test_exactly_the_cases_without_sign_ins_have_none(people: People) -> None:
    missing = {case for case, person in _everybody(people) if person.sign_ins is None}

    assert missing == WITHOUT_SIGN_INS


def test_a_password_spray_leaves_fresh_attempts_and_no_fresh_success(people: People) -> None:
    sprayed = _sign_ins(people, Case.PASSWORD_SPRAY)

    assert _days_ago(sprayed.interactive) < 4
    assert _days_ago(sprayed.successful) > 90
    assert _days_ago(sprayed.at(seconds(START) + 30 * 86_400).interactive) < -20
    assert sprayed.at(seconds(START) + 30 * 86_400).successful == sprayed.successful


def test_a_device_that_is_on_shows_in_the_background_only(people: People) -> None:
    watched = _sign_ins(people, Case.BACKGROUND_ONLY)

    assert watched.successful is None
    assert _days_ago(watched.interactive) > 90
    assert _days_ago(watched.background) < 4


def test_somebody_may_have_a_success_and_nothing_else(people: People) -> None:
    found = _sign_ins(people, Case.SUCCESS_ONLY)

    assert (found.interactive, found.background) == (None, None)
    assert _days_ago(found.successful) > 90


def test_a_fresh_assignment_is_days_old_on_an_old_and_idle_account(people: People) -> None:
    person = _the(people, Case.FRESH_ASSIGNMENT)

    assert all(2 < _days_ago(license_.updated_at) < 9 for license_ in person.licenses)
    assert _days_ago(person.created_at) > 365
    assert person.sign_ins is not None
    assert _days_ago(person.sign_ins.successful) > 90


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
    for case, person, plan, made in _plans(people):
        for license_ in made:
            assert license_.updated_at >= person.created_at
            if plan.idle:
                assert _days_ago(license_.updated_at) > (14 if case in BLOCKED else 90)


def test_only_blocked_cases_are_disabled(people: People) -> None:
    assert all(person.enabled is (case not in BLOCKED) for case, person in _everybody(people))


def test_managers_are_as_the_case_says(people: People) -> None:
    for case, person in _everybody(people):
        if case in {Case.NO_MANAGER, Case.CONTACT_MANAGER} or person.number == 0:
            assert person.manager is None
            assert person.contact_manager is (case is Case.CONTACT_MANAGER)
            continue
        assert person.manager is not None
        manager = people.baseline(person.manager)
        assert manager.enabled is (case is not Case.DISABLED_MANAGER)
        assert manager.guest is (case is Case.GUEST_MANAGER)
        assert (manager.number == person.number) is (case is Case.OWN_MANAGER)
        if case is Case.MANAGER_LOOP:
            assert manager.manager == person.number


def test_a_manager_leads_about_ten_people(people: People) -> None:
    reports = Counter(person.manager for _, person in _everybody(people) if person.number >= len(NAMED))

    assert all(count <= 14 for count in reports.values())
    assert 30 <= len(reports) <= 60


def test_a_seat_is_held_exactly_if_it_alone_carries_somebodys_data(people: People) -> None:
    for _, person, plan, made in _plans(people):
        if not plan.idle:
            assert Outcome.REMOVED not in plan.allowed
            continue
        others = {kind for other in person.licenses if other not in made for kind in _carried(other)}
        alone = any(_carried(license_) - others for license_ in made)
        assert (plan.allowed == (Outcome.HELD, Outcome.KEPT)) is (alone and Outcome.NOT_SUPPORTED not in plan.allowed)


def test_seats_through_a_protected_group_are_never_removed(people: People) -> None:
    specs = {spec.key: spec for spec in GROUPS}
    for _, _, plan, _ in _plans(people):
        groups = [specs[path] for path in plan.paths if path is not None]
        blocked = any(
            spec.dynamic or spec.synced or spec.exchange_owned or spec.role_assignable or spec.restricted or spec.nested
            for spec in groups
        )
        shared = any(len(spec.skus) > 1 for spec in groups)
        assert all(plan.sku in spec.skus for spec in groups)
        if blocked or shared:
            assert Outcome.NOT_SUPPORTED in plan.allowed
            assert Outcome.REMOVED not in plan.allowed


def test_every_case_has_somebody_and_every_error_word_is_met_in_both_states(people: People) -> None:
    errors = {(license_.state, license_.error) for _, person in _everybody(people) for license_ in person.licenses}

    assert {case for case, _ in _everybody(people)} == set(Case)
    assert {player.case for player in NAMED} == set(Case) - {Case.NO_MANAGER}
    assert {(state, error) for state in ("Error", "ActiveWithError") for error in LICENSE_ERRORS} <= errors


def test_whatever_happens_to_somebody_has_a_second_label_and_falls_within_a_campaign(people: People) -> None:
    for case, _, plan, _ in _plans(people):
        assert (plan.after is not None) is (case in HAPPENINGS)
    assert all(2 * 86_400 < happening.after_s < 7 * 86_400 for happening in HAPPENINGS.values())


def test_there_are_as_many_seats_as_wanted(people: People) -> None:
    seats = [plan for _, _, plan, _ in _plans(people)]

    assert 690 <= len(seats) <= 760
    assert 155 <= sum(plan.idle for plan in seats) <= 190


def test_guests_and_accounts_that_are_nobody_can_be_told_by_what_entra_says(people: People) -> None:
    guest = _the(people, Case.GUEST)
    types = {case: person.employee_type for case, person in _everybody(people)}

    assert guest.upn == "OliviaF_fabrikam.example#EXT#@contoso.example"
    assert guest.mail == "OliviaF@fabrikam.example"
    assert (types[Case.SERVICE_ACCOUNT], types[Case.SHARED_MAILBOX]) == ("Service", "Resource")
    assert {"Employee", "Contractor", "Intern"} <= {person.employee_type for _, person in _everybody(people)}


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

    assert {sku.part_number: units.used for sku, units in directory.units.items() if units.used} == dict(held)


def test_a_product_for_the_whole_company_is_held_by_nobody(people: People) -> None:
    assert [sku.part_number for sku in SKUS if not sku.assignable] == ["SHAREPOINTSTORAGE"]
    assert all(plan.sku.assignable for _, _, plan, _ in _plans(people))


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
