"""Use by workload: which products the reports speak of, and that nothing but a whole and fresh answer makes a seat idle."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.activity import SignIns
from reclaim.domain.directory import ServicePlan
from reclaim.domain.idle import Finding, NotIdleWhy, Rule, judge_seat
from reclaim.domain.workloads import (
    COUNTED_BY,
    ProductUse,
    Report,
    ReportLine,
    UsageReport,
    Use,
    Workload,
    noon,
    product_use,
    read_use,
)
from tests.unit.domain.builders import NOW, VISIO, ago, path, person, seat

TODAY = NOW.date()
MAIL = frozenset({Workload.EXCHANGE})
FILES = frozenset({Workload.SHAREPOINT, Workload.ONEDRIVE})


def plans(*names: str) -> list[ServicePlan]:
    return [ServicePlan(f"id-{name}", name) for name in names]


def day(ago_days: int) -> date:
    return TODAY - timedelta(days=ago_days)


def report(kind: Report, *, age: int = 2) -> UsageReport:
    return UsageReport(id=1, report=kind, refreshed_on=day(age), read_at=NOW)


def line(used: dict[Workload, int], *, counted: frozenset[Workload] = MAIL, licensed: int | None = None) -> ReportLine:
    return ReportLine(
        upn="holder@contoso.com",
        counted=counted,
        last_used={one: day(days) for one, days in used.items()},
        licensed_on=None if licensed is None else day(licensed),
    )


def use_of_mail(**changes: Any) -> Use:
    reports = {Report.ACTIVE_USERS: report(Report.ACTIVE_USERS)}
    lines = {Report.ACTIVE_USERS: line(changes.pop("used", {}), **changes)}
    return read_use(product_use(plans("EXCHANGE_S_ENTERPRISE")), reports, lines)


def judge(use: Use | None, *, signed_in: int = 1, days: int = 90, **facts: Any) -> Any:
    who = person(sign_ins=SignIns(success_at=ago(signed_in)), **facts)
    return judge_seat(who, seat(), now=NOW, data_as_of=NOW, days=days, use=use)


@pytest.mark.parametrize(
    ("names", "workloads", "whole"),
    [
        (["EXCHANGE_S_ENTERPRISE"], MAIL, True),  # Exchange Online (Plan 2)
        (["EXCHANGE_S_DESKLESS", "EXCHANGE_S_FOUNDATION", "INTUNE_O365"], MAIL, True),
        (["SHAREPOINTENTERPRISE"], FILES, True),
        (["ONEDRIVEENTERPRISE", "SHAREPOINTWAC"], frozenset({Workload.ONEDRIVE, Workload.APPS}), True),
        # To Do is counted nowhere.
        (["EXCHANGE_S_STANDARD", "BPOS_S_TODO_1", "INTUNE_O365"], MAIL, False),
        # An archive is kept, not used.
        (["EXCHANGE_S_ARCHIVE_ADDON"], frozenset(), False),
        # Of Visio only activations are reported, of Visio for the web nothing.
        (["ONEDRIVE_BASIC", "VISIOONLINE", "VISIO_CLIENT_SUBSCRIPTION"], {Workload.ONEDRIVE, Workload.VISIO}, False),
        (["ONEDRIVE_BASIC", "VISIO_CLIENT_SUBSCRIPTION"], {Workload.ONEDRIVE, Workload.VISIO}, False),
        (["EXCHANGE_S_ENTERPRISE", "TEAMS1", "WIN10_PRO_ENT_SUB"], {Workload.EXCHANGE, Workload.TEAMS}, False),
        (["M365_COPILOT_TEAMS"], frozenset(), False),
        (["AAD_PREMIUM", "INTUNE_A", "RMS_S_ENTERPRISE"], frozenset(), False),
        ([], frozenset(), False),
    ],
)
def test_a_product_is_counted_whole_only_if_every_plan_that_is_used_is(
    names: list[str], workloads: frozenset[Workload], whole: bool
) -> None:
    assert product_use(plans(*names)) == ProductUse(frozenset(workloads), whole)


def test_no_use_of_a_product_that_is_counted_whole_is_found_though_the_person_signed_in() -> None:
    found = judge(use_of_mail(used={Workload.EXCHANGE: 120}))

    assert isinstance(found, Finding)
    assert (found.rule, found.last_used_at, found.last_seen_at) == (Rule.UNUSED, noon(day(120)), ago(1))
    assert found.reported_at == noon(day(2))
    assert not found.is_clear_case(NOW + timedelta(days=900))


def test_the_days_that_reports_lag_behind_count_for_the_person() -> None:
    assert judge(use_of_mail(used={Workload.EXCHANGE: 96})) is NotIdleWhy.IN_USE
    assert isinstance(judge(use_of_mail(used={Workload.EXCHANGE: 98})), Finding)


def test_no_day_of_use_counts_as_quiet_for_the_period_of_the_report_only() -> None:
    assert isinstance(judge(use_of_mail(), days=170), Finding)
    assert judge(use_of_mail(), days=180) is NotIdleWhy.IN_USE


def test_a_person_who_is_not_in_the_report_or_does_not_have_the_service_there_is_judged_by_sign_ins() -> None:
    product, reports = product_use(plans("EXCHANGE_S_ENTERPRISE")), {Report.ACTIVE_USERS: report(Report.ACTIVE_USERS)}

    for lines in ({}, {Report.ACTIVE_USERS: line({}, counted=frozenset())}):
        assert judge(read_use(product, reports, lines)) is NotIdleWhy.IN_USE


def test_a_service_that_was_given_lately_is_not_idle() -> None:
    assert judge(use_of_mail(licensed=20)) is NotIdleWhy.IN_USE


def test_a_use_keeps_the_seat_of_a_person_who_does_not_sign_in() -> None:
    assert judge(use_of_mail(used={Workload.EXCHANGE: 5}), signed_in=400) is NotIdleWhy.IN_USE


def test_a_use_without_any_sign_in_is_a_contradiction_and_so_unknown() -> None:
    who = person(sign_ins=SignIns(), created_at=ago(400))
    use = use_of_mail(used={Workload.EXCHANGE: 150})

    assert judge_seat(who, seat(), now=NOW, data_as_of=NOW, days=90, use=use) is NotIdleWhy.UNKNOWN


def test_an_old_activation_never_makes_visio_idle_and_a_new_one_keeps_it() -> None:
    product = product_use(plans("VISIO_CLIENT_SUBSCRIPTION"))
    reports = {Report.ACTIVATIONS: report(Report.ACTIVATIONS)}

    def use(days: int) -> Use:
        activated = line({Workload.VISIO: days}, counted=frozenset({Workload.VISIO}))
        return read_use(product, reports, {Report.ACTIVATIONS: activated})

    assert judge(use(170)) is NotIdleWhy.IN_USE
    assert judge(use(10), signed_in=400) is NotIdleWhy.IN_USE


def test_without_sign_in_data_reports_alone_judge_nothing() -> None:
    who = person(sign_ins=None)
    use = use_of_mail(used={Workload.EXCHANGE: 150})

    assert judge_seat(who, seat(), now=NOW, data_as_of=NOW, days=90, use=use) is NotIdleWhy.UNKNOWN


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (6, True), (8, False)])
def test_a_report_is_fresh_by_the_day_that_it_covers(age: int, fresh: bool) -> None:
    assert report(Report.APPS, age=age).is_fresh(NOW, timedelta(days=7)) is fresh


counts = st.frozensets(st.sampled_from(list(Workload)))
uses = st.dictionaries(st.sampled_from(list(Workload)), st.integers(0, 400))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[ProductUse, dict[Report, UsageReport], dict[Report, ReportLine], Any, Any]:
    names = draw(st.lists(st.sampled_from(["EXCHANGE_S_STANDARD", "TEAMS1", "OFFICESUBSCRIPTION", "SWAY"]), max_size=3))
    reports = {kind: report(kind, age=draw(st.integers(0, 7))) for kind in draw(st.sets(st.sampled_from(list(Report))))}
    lines = {}
    for kind in draw(st.sets(st.sampled_from(list(Report)))):
        mine = frozenset(one for one in draw(counts) if COUNTED_BY[one] is kind)
        used = {one: days for one, days in draw(uses).items() if COUNTED_BY[one] is kind}
        lines[kind] = line(used, counted=mine, licensed=draw(st.none() | st.integers(0, 400)))
    return product_use(plans(*names)), reports, lines, draw(st.none() | st.integers(0, 500)), draw(st.integers(0, 500))


@given(worlds(), st.integers(1, 400))
def test_more_data_never_makes_what_was_used_idle_and_missing_data_never_makes_idle(world: Any, days: int) -> None:
    product, reports, lines, seen, assigned = world
    who = person(sign_ins=SignIns(success_at=None if seen is None else ago(seen)), created_at=ago(600))
    held = seat(VISIO, path(days=assigned))

    def judged(some: dict[Report, ReportLine], of: dict[Report, UsageReport] = reports, who: Any = who) -> Any:
        return judge_seat(who, held, now=NOW, data_as_of=NOW, days=days, use=read_use(product, of, some))

    found = judged(lines)
    plain = judge_seat(who, held, now=NOW, data_as_of=NOW, days=days)
    recent = [
        one
        for kind in reports.keys() & lines.keys()
        for one, at in lines[kind].last_used.items()
        if one in product.workloads and NOW - noon(at) < timedelta(days=days)
    ]
    if recent:
        assert not isinstance(found, Finding)
    # Idle by reports: every service was counted for this person, none of them used, in the window and the lag.
    if isinstance(found, Finding) and not isinstance(plain, Finding):
        assert found.rule is Rule.UNUSED
        assert product.whole
        for one in product.workloads:
            assert one in lines[COUNTED_BY[one]].counted
            at = lines[COUNTED_BY[one]].last_used.get(one)
            assert at is None or NOW - noon(at) >= timedelta(days=days + 7)
    # A report, a line or all sign-ins less: no seat becomes idle that sign-ins alone leave alone.
    for kind in Report:
        less = {one: found for one, found in lines.items() if one is not kind}
        if product.whole and kind in product.reports and not isinstance(plain, Finding):
            assert not isinstance(judged(less), Finding)
            assert not isinstance(judged(lines, {one: it for one, it in reports.items() if one is not kind}), Finding)
    assert not isinstance(judged(lines, who=replace(who, sign_ins=None)), Finding)
