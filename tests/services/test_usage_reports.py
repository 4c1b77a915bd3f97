"""Usage reports from the reading to the removal: whole or nothing, and no use is no use only while they say so."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reclaim.domain.idle import Rule
from reclaim.domain.ids import PersonId, ProductId
from reclaim.domain.removal import Outcome
from reclaim.domain.workloads import Report, ReportReading, ReportState
from reclaim.errors import ConcealedNames, DirectoryError
from reclaim.services.explain_seat import ExplainSeat
from tests.databases import copy_sqlite
from tests.services.campaign_world import DAY, POLICY, CampaignWorld, check
from tests.services.world import E3, LYNNE, seat, sku
from tests.usage_fakes import LACKING

MAIL = ProductId("sku-mail")
ON = replace(POLICY, judges_by_reports=True)
BROKEN = DirectoryError("The usage report broke off.")


@pytest.fixture
async def mail(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[CampaignWorld]:
    """Ada signs in every day and works with her files; she has a second mailbox product that she never opens."""
    world = CampaignWorld(copy_sqlite(sqlite_template, tmp_path), policy=ON)
    world.directory.sold[MAIL] = sku(MAIL, "Exchange Online (Plan 2)", "EXCHANGEENTERPRISE", "EXCHANGE_S_ENTERPRISE")
    world.hire("ada", seat("ada", E3), seat("ada", MAIL), seen_days=1)
    world.reports.use("Ada@CONTOSO.example", exchange=150, onedrive=3, sharepoint=3)
    world.reports.use("nobody@contoso.example", exchange=3)
    await world.start()
    yield world
    try:
        await check(world)
    finally:
        await world.stop()


async def readings(world: CampaignWorld) -> dict[Report, ReportReading]:
    async with world.work.read() as reading:
        return {one.report: one for one in await reading.workload_use.readings()}


async def idle(world: CampaignWorld) -> dict[ProductId, Rule]:
    async with world.work.read() as reading:
        found = await reading.findings.select(days=90, now=world.clock.now())
    return {one.product_id: one.rule for one in found if one.person_id == "ada"}


async def approved(world: CampaignWorld) -> None:
    await world.open()
    await world.revoke("ada", product=MAIL)
    await world.wait(timedelta(hours=1))


async def test_a_product_that_its_holder_never_uses_goes_though_they_sign_in_every_day(mail: CampaignWorld) -> None:
    await approved(mail)
    item = await mail.item("ada", MAIL)
    assert item.rule is Rule.UNUSED
    assert item.snapshot.last_used_at is not None
    assert item.snapshot.last_used_at.date() == (mail.clock.now() - 150 * DAY).date()
    assert item.snapshot.reported_at is not None

    await mail.close()

    assert (await mail.item("ada", MAIL)).outcome is Outcome.REMOVED
    assert not mail.holds("ada", MAIL)
    assert mail.holds("ada", E3)


def _is_used(world: CampaignWorld) -> None:
    world.reports.use("ada@contoso.example", exchange=0, onedrive=3, sharepoint=3)


def _may_not_be_read(world: CampaignWorld) -> None:
    world.reports.errors[Report.ACTIVE_USERS] = LACKING


def _is_concealed(world: CampaignWorld) -> None:
    world.reports.hidden = True


def _breaks_off(world: CampaignWorld) -> None:
    world.reports.errors[Report.ACTIVE_USERS] = BROKEN


def _is_old(world: CampaignWorld) -> None:
    world.reports.behind = 9


def _has_no_row_of_her(world: CampaignWorld) -> None:
    del world.reports.used["Ada@CONTOSO.example"]


@pytest.mark.parametrize(
    ("change", "outcome", "reason"),
    [
        (_is_used, Outcome.ACTIVE_AGAIN, "in_use"),
        (_may_not_be_read, Outcome.PLAN_CHANGED, "activity_unknown"),
        (_is_concealed, Outcome.PLAN_CHANGED, "activity_unknown"),
        (_breaks_off, Outcome.PLAN_CHANGED, "activity_unknown"),
        (_is_old, Outcome.PLAN_CHANGED, "activity_unknown"),
        (_has_no_row_of_her, Outcome.PLAN_CHANGED, "activity_unknown"),
    ],
)
async def test_at_the_write_the_newest_report_decides_and_without_one_the_seat_stays(
    mail: CampaignWorld, change: Callable[[CampaignWorld], None], outcome: Outcome, reason: str
) -> None:
    await approved(mail)
    change(mail)

    await mail.close()

    item = await mail.item("ada", MAIL)
    assert (item.outcome, item.outcome_reason) == (outcome, reason)
    assert mail.writer.calls == []


async def test_an_installation_that_no_longer_judges_by_reports_takes_nothing_by_them(mail: CampaignWorld) -> None:
    await approved(mail)
    await mail.restart(POLICY)

    await mail.close()

    item = await mail.item("ada", MAIL)
    assert (item.outcome, item.outcome_reason) == (Outcome.PLAN_CHANGED, "activity_unknown")


async def test_a_use_that_reports_show_keeps_a_seat_whose_holder_does_not_sign_in(mail: CampaignWorld) -> None:
    mail.hire("ben", seat("ben", MAIL), seen_days=200)
    mail.reports.use("ben@contoso.example", exchange=5)
    mail.hire("cleo", seat("cleo", MAIL), seen_days=200)
    await mail.sync()

    async with mail.work.read() as reading:
        found = await reading.findings.select(days=90, now=mail.clock.now(), products=[MAIL])

    assert [(one.person_id, one.rule) for one in found] == [("ada", Rule.UNUSED), ("cleo", Rule.IDLE)]


async def test_reports_that_are_not_judged_by_are_told_all_the_same(mail: CampaignWorld) -> None:
    await mail.sync()
    await mail.restart(POLICY)
    await mail.wait(DAY)

    assert await idle(mail) == {}
    report = await ExplainSeat(work=mail.work, clock=mail.clock, policy=POLICY).why("ada")
    seats = {one.sku_name: one for one in report.seats}
    assert seats["Exchange Online (Plan 2)"].rule is None
    assert not seats["Exchange Online (Plan 2)"].used_lately
    assert seats["Microsoft 365 E3"].used_lately


async def test_a_reading_that_breaks_off_leaves_the_last_whole_one(mail: CampaignWorld) -> None:
    await mail.sync()
    before = (await readings(mail))[Report.ACTIVE_USERS]
    assert before.whole is not None
    assert (before.whole.rows, before.whole.unmatched) == (2, 1)
    mail.reports.errors[Report.ACTIVE_USERS] = BROKEN
    mail.reports.use("Ada@CONTOSO.example", exchange=0, onedrive=0, sharepoint=0)
    await mail.wait(DAY)

    after = (await readings(mail))[Report.ACTIVE_USERS]

    assert (after.state, after.said, after.whole) == (ReportState.FAILED, BROKEN.message, before.whole)
    # The scan after it still goes by the last whole one, which is fresh enough.
    assert await idle(mail) == {MAIL: Rule.UNUSED}


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (LACKING, ReportState.NO_PERMISSION),
        (ConcealedNames("Hidden.", permanent=True), ReportState.CONCEALED),
        (BROKEN, ReportState.FAILED),
    ],
)
async def test_a_run_completes_without_reports_and_says_why(
    mail: CampaignWorld, error: Exception, state: ReportState
) -> None:
    mail.reports.errors = dict.fromkeys(Report, error)

    await mail.sync()

    assert {one.state for one in (await readings(mail)).values()} == {state}
    assert await idle(mail) == {}
    view = await mail.syncing.view()
    assert view is not None
    assert view.state == "complete"
    assert {one.state for one in view.usage} == {state}


async def test_hidden_names_and_clouds_without_reports_are_not_asked_for_a_report(mail: CampaignWorld) -> None:
    mail.reports.hidden = True
    await mail.sync()
    assert {one.state for one in (await readings(mail)).values()} == {ReportState.CONCEALED}
    mail.reports.hidden, mail.reports.offered = False, False
    await mail.wait(DAY)

    assert {one.state for one in (await readings(mail)).values()} == {ReportState.NOT_OFFERED}
    assert mail.reports.asked == []


async def test_why_names_every_signal_with_its_source_and_never_calls_a_sign_in_a_use(mail: CampaignWorld) -> None:
    await mail.sync()
    why = ExplainSeat(work=mail.work, clock=mail.clock, policy=ON)

    report = await why.why("ada@contoso.example")

    seats = {one.sku_name: one for one in report.seats}
    unused, in_use = seats["Exchange Online (Plan 2)"], seats["Microsoft 365 E3"]
    assert (unused.rule, in_use.rule, in_use.not_idle) == (Rule.UNUSED, None, "in_use")
    assert unused.last_used_at is not None
    assert in_use.use_is_reported
    assert {one.state for one in report.usage} == {ReportState.READ}


async def test_a_person_is_found_by_their_exact_name_in_any_case(mail: CampaignWorld) -> None:
    mail.hire("adam", seat("adam", MAIL), seen_days=1)
    mail.reports.use("ada.m@contoso.example", exchange=150)
    await mail.sync()

    async with mail.work.read() as reading:
        found = await reading.findings.select(days=90, now=mail.clock.now(), products=[MAIL])

    assert [one.person_id for one in found] == [PersonId("ada")]
    assert LYNNE not in {one.person_id for one in found}
