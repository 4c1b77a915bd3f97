"""Trap 7: a license that another one needs goes with that one or not at all, and this is known before anybody is asked."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reclaim.domain.directory import Group, LivePerson, Path, Seat, ServicePlan, Sku
from reclaim.domain.idle import Rule
from reclaim.domain.ids import GroupId, ProductId
from reclaim.domain.removal import Approved, Blocker, PlanStep, Proceed, RemovalPlan, StepKind, look_again, plan_removal
from reclaim.domain.service_plans import dependents, dependents_first
from tests.unit.domain.builders import NOW, TEAM, ago, group, path, person, seat

BASE, ADD_ON, SUITE, ALONE = (ProductId(one) for one in ("base", "add-on", "suite", "alone"))
CALLS, MEETINGS = ServicePlan("p-calls", "MCOEV", needs=frozenset({"p-skype", "p-teams"})), "p-other"


def sku(product: ProductId, *plans: ServicePlan) -> Sku:
    return Sku(id=product, part_number=product.upper(), name=product.title(), enabled=9, plans=plans)


SKUS = {
    one.id: one
    for one in (
        sku(BASE, ServicePlan("p-skype", "MCOSTANDARD")),
        sku(ADD_ON, CALLS),
        sku(SUITE, ServicePlan("p-teams", "TEAMS1"), CALLS),
        sku(ALONE, ServicePlan("p-visio", "VISIOCLIENT")),
    )
}


def needing(one: Seat, *others: Seat) -> list[ProductId]:
    return [other.product_id for other in dependents(one, (one, *others), SKUS)]


def planned(one: Seat, *others: Seat, groups: dict[GroupId, Group] | None = None) -> RemovalPlan:
    return plan_removal(one, (one, *others), skus=SKUS, groups=groups or {})


def test_a_license_is_needed_by_one_whose_plan_works_only_beside_it() -> None:
    assert needing(seat(BASE), seat(ADD_ON), seat(ALONE)) == [ADD_ON]
    assert needing(seat(ADD_ON), seat(BASE)) == []


@pytest.mark.parametrize(
    "others",
    [
        pytest.param((seat(ADD_ON), seat(SUITE)), id="another license gives one of the plans too"),
        pytest.param((seat(SUITE),), id="it brings what it needs"),
        pytest.param((seat(ADD_ON, path(off=("p-calls",))),), id="the plan that needs it is switched off"),
        pytest.param((), id="there is no other license"),
    ],
)
def test_a_license_is_not_needed_where_the_others_work_without_it(others: Sequence[Seat]) -> None:
    assert needing(seat(BASE), *others) == []


def test_a_license_with_the_needed_plan_switched_off_is_not_needed() -> None:
    assert needing(seat(BASE, path(off=("p-skype",))), seat(ADD_ON)) == []


def test_nothing_can_rely_on_a_license_in_trouble() -> None:
    assert needing(seat(BASE), seat(ADD_ON), seat(SUITE, path(state="Error"))) == [ADD_ON]


def test_the_plan_names_what_has_to_go_before() -> None:
    assert planned(seat(BASE), seat(ADD_ON)) == RemovalPlan(
        steps=(PlanStep(StepKind.DIRECT, BASE),), needed_by=(ADD_ON,)
    )


@pytest.mark.parametrize(
    "stays",
    [
        pytest.param((path(TEAM),), id="through a synced group"),
        pytest.param((path(), path(TEAM)), id="directly and through a synced group"),
    ],
)
def test_what_is_needed_by_a_license_that_only_a_person_can_take_is_for_a_person_too(stays: tuple[Path, ...]) -> None:
    found = planned(seat(BASE), seat(ADD_ON, *stays), groups={TEAM: group(synced=True, sku_ids=(ADD_ON,))})

    assert found == RemovalPlan(blocker=Blocker.NEEDED_BY, blocker_ref=ADD_ON, needed_by=(ADD_ON,))


@pytest.mark.parametrize(("synced", "writable"), [(True, False), (False, True)])
def test_a_chain_is_followed_to_its_end(synced: bool, writable: bool) -> None:
    """The dialer needs the add-on, which needs the base: where the dialer stays, all three stay."""
    dialer = ProductId("dialer")
    skus = SKUS | {
        ADD_ON: sku(ADD_ON, replace(CALLS, needs=frozenset({"p-skype"}))),
        dialer: sku(dialer, ServicePlan("p-dialer", "DIALER", needs=frozenset({CALLS.id}))),
    }
    seats = (seat(BASE), seat(ADD_ON), seat(dialer, path(TEAM)))
    groups = {TEAM: group(synced=synced, sku_ids=(dialer,))}

    found = plan_removal(seats[0], seats, skus=skus, groups=groups)

    assert found.needed_by == (ADD_ON,)
    assert found.writable is writable
    assert found.blocker is (None if writable else Blocker.NEEDED_BY)


def test_licenses_that_need_each_other_block_only_where_one_of_them_is_stuck() -> None:
    skus = {
        BASE: sku(BASE, ServicePlan("p-skype", "MCOSTANDARD", needs=frozenset({CALLS.id}))),
        ADD_ON: sku(ADD_ON, replace(CALLS, needs=frozenset({"p-skype"}))),
    }

    assert plan_removal(seat(BASE), (seat(BASE), seat(ADD_ON)), skus=skus, groups={}).writable


def test_it_may_go_where_the_other_one_leaves_with_its_group() -> None:
    assert planned(seat(BASE), seat(ADD_ON, path(TEAM)), groups={TEAM: group(sku_ids=(ADD_ON,))}).writable


def test_just_before_the_write_what_is_on_its_way_out_needs_nothing_any_more() -> None:
    held, other = seat(BASE), seat(ADD_ON, path(TEAM))
    approved = Approved(
        seat_id=held.id, rule=Rule.DISABLED, days=90, paths=held.paths, plan=planned(held, other, groups={})
    )
    synced = {TEAM: group(synced=True, sku_ids=(ADD_ON,))}

    found = look_again(
        approved,
        LivePerson(person=replace(person(), enabled=False), seats=(held, other), direct_group_ids=(TEAM,)),
        now=NOW,
        data_as_of=ago(0),
        skus=SKUS,
        groups=synced,
        ours=frozenset({PlanStep(StepKind.LEAVE_GROUP, TEAM)}),
    )

    assert found == Proceed((PlanStep(StepKind.DIRECT, BASE),))


def test_dependents_go_first_along_a_whole_chain() -> None:
    chain = {BASE: [ADD_ON], ALONE: (), ADD_ON: [SUITE], SUITE: ()}

    found = dependents_first(chain)

    assert sorted(found) == sorted(chain)
    assert found.index(SUITE) < found.index(ADD_ON) < found.index(BASE)


def test_licenses_that_need_each_other_keep_their_order() -> None:
    assert dependents_first({BASE: [ADD_ON], ADD_ON: [BASE]}) == [BASE, ADD_ON]


def test_what_somebody_else_holds_orders_nothing() -> None:
    assert dependents_first({BASE: [SUITE], ADD_ON: ()}) == [BASE, ADD_ON]
