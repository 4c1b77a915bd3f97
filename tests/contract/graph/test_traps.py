"""The traps of a real tenant (research notes on Graph, section 3), each as the practice tenant sets it.

Everything is read over TLS by the real connector and then judged, planned and assigned by the real rules; what must come out
is said by the trap, not by the code. The traps whose tests stand elsewhere, by the same names: 04, 06, 07, 17, 18, 21 and
the write refusals of 15 beside this file and in `tests/services`, 08 and 16 in `tests/unit/domain/test_removal.py` too,
19 in `tests/services/test_exclude_free.py`, 22 in `tests/unit/domain/test_review.py`, 25 in
`tests/services/test_consent_flow.py` too, and 26 with the usage reports.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from reclaim.domain.activity import SignInKind
from reclaim.domain.campaign import Strategy
from reclaim.domain.directory import Group, Person, Seat, Sku
from reclaim.domain.exclusions import GUEST, Exclusion, ExclusionId, ExclusionKind, is_free, strongest
from reclaim.domain.idle import Finding, NotIdleWhy, Rule, judge_seat
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.domain.removal import Approved, Blocker, Outcome, RemovalPlan, StepKind, Stop, look_again, plan_removal
from reclaim.domain.review import AssignedHow, FallbackWhy
from reclaim.domain.reviewers import Candidates, assign
from reclaim.domain.service_plans import knowing
from reclaim.errors import DirectoryError
from rehearsal import PracticeTenant
from tests.contract.graph.practice import START, Stage, connected
from tests.contract.graph.support import StillClock
from tests.contract.graph.test_against_practice_tenant import all_people, all_sign_ins

PEOPLE, DAYS = 400, 90


@dataclass
class Read:
    """The tenant as read, and who is which case."""

    stage: Stage
    people: dict[PersonId, Person]
    seats: dict[PersonId, tuple[Seat, ...]]
    skus: dict[ProductId, Sku]
    groups: dict[GroupId, Group]
    cases: dict[str, list[PersonId]]

    def of(self, case: str) -> tuple[Person, tuple[Seat, ...]]:
        person = self.cases[case][0]
        return self.people[person], self.seats[person]

    def judged(self, case: str) -> list[Finding | NotIdleWhy]:
        person, seats = self.of(case)
        return [judge_seat(person, seat, now=START, data_as_of=START, days=DAYS) for seat in seats]

    def plans(self, case: str) -> list[RemovalPlan]:
        _, seats = self.of(case)
        return [plan_removal(seat, seats, skus=self.skus, groups=self.groups) for seat in seats]

    def reviewer_of(self, case: str) -> AssignedHow | str | None:
        person, seats = self.of(case)
        fallback = next(one for one in self.cases["active"] if one != person.id)
        among = Candidates(people=self.people, fallback_id=fallback)
        found = assign(Strategy.MANAGER, person, seats[0].product_id, among)
        assert found.assignee_id != person.id
        return found.reason or found.how


@pytest.fixture
async def read(tmp_path: Path) -> AsyncIterator[Read]:
    tenant = await PracticeTenant.start(people=PEOPLE, seed=7, now=START, directory=tmp_path)
    clock = StillClock()
    graph = connected(tenant, clock)
    stage = Stage(tenant, graph, clock)
    rows = await all_people(graph)
    sign_ins = {row.person_id: row.sign_ins for row in await all_sign_ins(graph)}
    groups, cursor = list((page := await graph.directory.groups(None)).rows), page.next_cursor
    while cursor is not None:
        page = await graph.directory.groups(cursor)
        groups, cursor = groups + list(page.rows), page.next_cursor
    cases: dict[str, list[PersonId]] = {}
    for case in await stage.control("GET", "/cases"):
        cases.setdefault(case["case"], []).append(PersonId(case["person_id"]))
    yield Read(
        stage=stage,
        people={row.person.id: replace(row.person, sign_ins=sign_ins.get(row.person.id)) for row in rows},
        seats={row.person.id: row.seats for row in rows},
        skus={sku.id: replace(sku, plans=knowing(sku.plans, {})) for sku in (await graph.directory.skus()).rows},
        groups={group.id: group for group in groups},
        cases=cases,
    )
    await graph.aclose()
    await tenant.stop()


def kinds(plan: RemovalPlan) -> list[StepKind]:
    return [step.kind for step in plan.steps]


async def test_trap_01_direct_and_inherited_is_freed_whole_or_not_at_all(read: Read) -> None:
    (plan,) = read.plans("direct_and_group")
    assert sorted(kinds(plan)) == [StepKind.DIRECT, StepKind.LEAVE_GROUP]


async def test_trap_02_a_group_that_gives_other_skus_is_not_left(read: Read) -> None:
    assert {plan.blocker for plan in read.plans("multi_sku_group")} == {Blocker.GROUP_OTHER_SKUS}


async def test_trap_03_every_group_is_left_or_none(read: Read) -> None:
    (both,) = read.plans("two_groups")
    assert kinds(both) == [StepKind.LEAVE_GROUP, StepKind.LEAVE_GROUP]
    (half,) = read.plans("one_of_two_groups_protected")
    assert (half.blocker is not None, half.steps) == (True, ())


async def test_trap_05_a_deleted_group_leaves_a_direct_seat_and_nothing_is_written_on_the_old_plan(read: Read) -> None:
    person, (seat,) = read.of("group_deleted")
    (plan,) = read.plans("group_deleted")
    (path,) = seat.paths
    await read.stage.control("POST", f"/groups/{path.group_id}/delete")

    live = await read.stage.graph.directory.live_person(person.id, with_sign_ins=True)

    assert live is not None
    assert [one.group_id for one in live.seats[0].paths] == [None]
    approved = Approved(seat_id=seat.id, rule=Rule.IDLE, days=DAYS, paths=seat.paths, plan=plan)
    found = look_again(approved, live, now=START, data_as_of=START, skus=read.skus, groups=read.groups)
    assert isinstance(found, Stop)
    assert found.outcome in {Outcome.REGRANTED, Outcome.PLAN_CHANGED}


async def test_trap_07_what_depends_is_planned_beside_its_base(read: Read) -> None:
    base, add_on = read.plans("dependent_plans")
    assert base.writable
    assert add_on.writable
    assert (len(base.needed_by), add_on.needed_by) == (1, ())


async def test_trap_07_the_base_of_what_only_a_person_can_take_is_for_a_person_too(read: Read) -> None:
    base, add_on = read.plans("dependent_stays")
    assert (base.blocker, add_on.blocker) == (Blocker.NEEDED_BY, Blocker.GROUP_SYNCED)
    assert base.blocker_ref in base.needed_by


async def test_trap_08_a_license_in_trouble_is_no_saving(read: Read) -> None:
    for case in ("error_state", "active_with_error", "disabled_state", "unknown_state"):
        assert set(read.judged(case)) == {NotIdleWhy.ERROR_STATE}, case


async def test_trap_09_failed_and_background_sign_ins_keep_a_seat_and_no_data_is_not_never(read: Read) -> None:
    for case in ("password_spray", "background_only"):
        assert set(read.judged(case)) == {NotIdleWhy.IN_USE}, case
    assert set(read.judged("no_data")) == {NotIdleWhy.UNKNOWN}
    assert all(isinstance(found, Finding) for found in read.judged("success_only"))
    (found,) = (one for one in read.judged("success_only") if isinstance(one, Finding))
    assert found.last_seen_kind is SignInKind.SUCCESS


async def test_trap_10_without_p1_nothing_is_read_as_never_seen(read: Read) -> None:
    await read.stage.control("POST", "/premium", {"premium": False})

    with pytest.raises(DirectoryError, match="no Entra ID P1"):
        await read.stage.graph.directory.sign_ins(None)
    person, (seat, *_) = read.of("idle_direct")
    without = replace(person, sign_ins=None)
    assert judge_seat(without, seat, now=START, data_as_of=START, days=DAYS) is NotIdleWhy.UNKNOWN


async def test_trap_11_a_disabled_account_is_told_by_its_own_rule_and_not_as_unused(read: Read) -> None:
    found = [one for one in read.judged("on_leave_disabled") if isinstance(one, Finding)]
    assert {one.rule for one in found} == {Rule.DISABLED}


@pytest.mark.parametrize("case", ["shared_mailbox", "room_mailbox"])
async def test_trap_12_a_mailbox_without_a_person_is_held(read: Read, case: str) -> None:
    assert {plan.blocker for plan in read.plans(case)} == {Blocker.LAST_MAILBOX}
    assert not any(plan.writable for plan in read.plans(case))


def excluding(kind: ExclusionKind, value: str) -> list[Exclusion]:
    return [Exclusion(id=ExclusionId("x"), kind=kind, value=value, reason="by design", by=PersonId("admin"), at=START)]


@pytest.mark.parametrize("case", ["service_account", "break_glass", "test_account", "room_device"])
async def test_trap_13_an_account_that_is_idle_by_design_is_left_out_by_its_employee_type(
    read: Read, case: str
) -> None:
    person, (seat, *_) = read.of(case)
    assert person.employee_type

    held = strongest(
        excluding(ExclusionKind.EMPLOYEE_TYPE, person.employee_type.upper()), person, seat.product_id, START
    )

    assert held is not None


async def test_trap_14_guests_are_known_and_left_out(read: Read) -> None:
    person, (seat, *_) = read.of("guest")

    assert person.user_type == GUEST
    assert strongest(excluding(ExclusionKind.GUESTS, GUEST), person, seat.product_id, START) is not None


async def test_trap_15_a_restricted_group_is_not_left(read: Read) -> None:
    assert {plan.blocker for plan in read.plans("restricted_group_seat")} == {Blocker.GROUP_RESTRICTED}


async def test_trap_16_the_last_mailbox_is_held_and_one_of_two_is_not(read: Read) -> None:
    assert Blocker.LAST_MAILBOX in {plan.blocker for plan in read.plans("idle_mailbox")}
    assert all(plan.writable for plan in read.plans("two_suites"))


async def test_trap_19_free_products_are_known_by_what_microsoft_calls_them(read: Read) -> None:
    for case in ("free_sku", "viral_sku"):
        _, seats = read.of(case)
        assert all(is_free(read.skus[seat.product_id].part_number) for seat in seats), case
    paid = [sku.part_number for sku in read.skus.values() if not is_free(sku.part_number)]
    assert {"SPE_E3", "VISIOCLIENT", "POWER_BI_PRO"} <= set(paid)


async def test_trap_20_who_was_deleted_is_gone_and_not_a_failure(read: Read) -> None:
    person, (seat, *_) = read.of("idle_direct")
    plan = read.plans("idle_direct")[0]
    await read.stage.control("POST", f"/people/{person.id}/leave")

    live = await read.stage.graph.directory.live_person(person.id, with_sign_ins=False)

    assert live is None
    approved = Approved(seat_id=seat.id, rule=Rule.IDLE, days=DAYS, paths=seat.paths, plan=plan)
    found = look_again(approved, live, now=START, data_as_of=START, skus=read.skus, groups=read.groups)
    assert found == Stop(Outcome.ALREADY_ABSENT, "person_gone")


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("no_manager", FallbackWhy.NO_MANAGER),
        ("contact_manager", FallbackWhy.NO_MANAGER),
        ("disabled_manager", FallbackWhy.MANAGER_DISABLED),
        ("own_manager", FallbackWhy.OWN_SEAT),
    ],
)
async def test_trap_23_where_no_manager_can_review_the_fallback_does(read: Read, case: str, why: FallbackWhy) -> None:
    assert read.reviewer_of(case) == why.value


async def test_trap_23_a_loop_of_managers_is_no_loop_for_us(read: Read) -> None:
    assert read.reviewer_of("manager_loop") is AssignedHow.MANAGER


async def test_trap_24_another_mail_address_after_a_removal_makes_nobody_else(read: Read) -> None:
    person, (seat, *_) = read.of("idle_mailbox")
    assert person.mail is not None
    await read.stage.control("POST", f"/people/{person.id}/unassign", {"sku_id": seat.product_id})

    live = await read.stage.graph.directory.live_person(person.id, with_sign_ins=False)

    assert live is not None
    assert (live.person.id, live.person.upn) == (person.id, person.upn)
    assert live.person.mail != person.mail
    # Lists that name the old address still find the same person.
    assert person.mail.lower() in {live.person.upn.lower(), *live.person.aliases}
    assert seat.product_id not in {one.product_id for one in live.seats}


async def test_trap_25_a_member_of_a_group_inside_still_belongs_to_the_outer_one(read: Read) -> None:
    inner, _ = read.of("inner_group_member")
    outer, _ = read.of("nested_group_seat")
    (group,) = (one for one in read.groups.values() if one.name == "Power BI authors")
    directory = read.stage.graph.directory

    assert await directory.still_through(inner.id, group.id) == ("Power BI authors, Zurich",)
    assert await directory.still_through(outer.id, group.id) == ()


async def test_trap_26_what_a_person_does_and_who_they_are_stay_out_of_the_log(read: Read) -> None:
    person, _ = read.of("idle_direct")

    with capture_logs() as lines:
        await read.stage.graph.directory.live_person(person.id, with_sign_ins=True)
        await read.stage.fail_next(kind="status", status=503, path="/users", times=1)
        await read.stage.graph.directory.people(None)

    assert lines
    told = repr(lines)
    for personal in (person.name, person.upn, person.mail or person.upn):
        assert personal not in told
