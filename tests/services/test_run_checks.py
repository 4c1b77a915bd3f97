"""The checkup, and the guard at the start of a campaign."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.campaign import WriteMode
from reclaim.domain.checkup import Check, CheckName, Checkup, Outcome
from reclaim.domain.consent_program import ConsentProgram, ProgramState, Terms
from reclaim.domain.ids import GroupId, ProductId, ProgramId
from reclaim.domain.policy import Policy
from reclaim.domain.workloads import Report, ReportReading, ReportState
from reclaim.errors import Conflict, DeliveryError, DirectoryError, PortError
from reclaim.ports.checks import ChannelCheck, Permission, SourceCheck
from reclaim.services.access import Access
from reclaim.services.run_checks import RunChecks
from tests.services.world import ALLAN, LYNNE, MEGAN, NOW, World, admin, draft, person
from tests.usage_fakes import FakeReports

EXPIRED = DirectoryError("The client secret has expired.", permanent=True)
TWO_ADMINS = Policy(
    admins=frozenset({LYNNE, MEGAN}), fallback_reviewer=ALLAN, writes=WriteMode.LIVE, zone="Europe/Zurich"
)


class Chat:
    channel = "slack"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def check(self) -> None:
        if self.error:
            raise self.error


class Source:
    """A usage source in memory; `error` is what it answers."""

    def __init__(self, error: PortError | None = None) -> None:
        self.error = error
        self.checked = 0

    async def check(self) -> None:
        self.checked += 1
        if self.error:
            raise self.error


async def look(
    world: World,
    channels: Sequence[ChannelCheck] = (Chat(),),
    policy: Policy = TWO_ADMINS,
    reports: FakeReports | None = None,
    sources: Mapping[str, SourceCheck] | None = None,
) -> Checkup:
    world.checks.time = world.checks.time or world.clock.now()
    return await RunChecks(
        work=world.work,
        clock=world.clock,
        policy=policy,
        access=Access(work=world.work, policy=policy),
        checks=world.checks,
        backlog=world.engine,
        channels=channels,
        reports=reports or FakeReports(world.clock),
        sources=sources,
    ).run()


def only(found: Checkup, name: CheckName) -> Check:
    (check,) = (check for check in found.checks if check.name is name)
    return check


async def ready(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.price("Visio Plan 2,15,USD,month")


async def test_an_installation_in_order_has_nothing_to_fix(world: World) -> None:
    await ready(world)

    found = await look(world)

    assert found.to_fix == ()
    assert {check.name for check in found.passed} == set(CheckName) - {
        CheckName.ENTRA_WRITER,
        CheckName.INTUNE,
        CheckName.NEXTHINK,
    }


async def test_without_a_token_what_needs_it_is_unknown_and_not_a_row_of_refusals(world: World) -> None:
    await ready(world)
    world.checks.errors["token"] = EXPIRED

    found = await look(world)

    assert [check.name for check in found.to_fix if check.outcome is Outcome.FIX] == [CheckName.ENTRA]
    assert found.to_fix[0].said == EXPIRED.message
    unknown = {check.name for check in found.to_fix if check.outcome is Outcome.UNKNOWN}
    assert {CheckName.READ_PEOPLE, CheckName.PREMIUM, CheckName.WRITE_LICENSES, CheckName.CLOCK} <= unknown


@pytest.mark.parametrize(
    ("permission", "name"),
    [
        (Permission.READ_PEOPLE, CheckName.READ_PEOPLE),
        (Permission.READ_LICENSES, CheckName.READ_LICENSES),
        (Permission.READ_GROUPS, CheckName.READ_GROUPS),
        (Permission.READ_ROLES, CheckName.READ_ROLES),
        (Permission.READ_SIGN_INS, CheckName.READ_SIGN_INS),
        (Permission.WRITE_LICENSES, CheckName.WRITE_LICENSES),
        (Permission.WRITE_MEMBERS, CheckName.WRITE_MEMBERS),
    ],
)
async def test_each_permission_has_its_own_line(world: World, permission: Permission, name: CheckName) -> None:
    await ready(world)
    world.checks.lacking = {permission}

    found = await look(world)

    assert [check.name for check in found.to_fix if check.outcome is Outcome.FIX] == [name]


async def test_an_outage_is_not_called_a_missing_permission(world: World) -> None:
    await ready(world)
    world.checks.errors[Permission.READ_PEOPLE] = DirectoryError("Microsoft Graph is busy or out of order.")

    found = await look(world)

    assert only(found, CheckName.READ_PEOPLE).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("minutes", "outcome"), [(4, Outcome.GOOD), (-4, Outcome.GOOD), (6, Outcome.FIX), (-6, Outcome.FIX)]
)
async def test_a_clock_may_differ_by_five_minutes(world: World, minutes: int, outcome: Outcome) -> None:
    await ready(world)
    world.checks.time = NOW + timedelta(minutes=minutes)

    assert only(await look(world), CheckName.CLOCK).outcome is outcome


async def test_old_data_missing_prices_and_waiting_jobs_are_told(world: World) -> None:
    world.hire(["a"])
    await world.read()
    world.clock.advance(timedelta(days=3))
    world.checks.time = world.clock.now()
    world.engine.longest_wait = timedelta(minutes=11)

    found = await look(world)

    assert {check.name for check in found.to_fix} == {CheckName.DATA, CheckName.PRICES, CheckName.JOBS}
    assert only(found, CheckName.PRICES).about == ("Visio Plan 2",)
    assert only(found, CheckName.DATA).since == timedelta(days=3)


async def test_a_chat_that_refuses_us_and_none_at_all_are_told(world: World) -> None:
    await ready(world)
    refused = Chat(DeliveryError("Slack refuses: invalid_auth.", permanent=True))

    assert only(await look(world, (refused,)), CheckName.CHAT).said == "Slack refuses: invalid_auth."
    assert only(await look(world, ()), CheckName.CHAT).outcome is Outcome.FIX


async def test_one_admin_and_a_vanished_fallback_are_told(world: World) -> None:
    await ready(world)
    alone = Policy(admins=frozenset({LYNNE}), writes=WriteMode.LIVE, zone="UTC")

    found = await look(world, policy=alone)

    assert {check.name for check in found.to_fix} == {CheckName.ADMINS, CheckName.FALLBACK}


async def test_a_fallback_whom_campaigns_pass_over_is_told(world: World) -> None:
    world.directory.add(replace(person(ALLAN), user_type="Guest"))
    await ready(world)

    assert [check.name for check in (await look(world)).to_fix] == [CheckName.FALLBACK]


# The guard ------------------------------------------------------------------------------------------------------------


async def drafted(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.start.put_draft(admin(), draft())


async def test_a_campaign_does_not_start_without_the_right_to_remove(world: World) -> None:
    await drafted(world)
    world.checks.lacking = {Permission.WRITE_LICENSES}

    with pytest.raises(Conflict, match=r"permission LicenseAssignment\.ReadWrite\.All.*adminconsent\?client_id=writer"):
        await world.start.launch(admin(), "draft-1")

    async with world.work.read() as reading:
        assert await reading.campaigns.all() == []


async def test_a_right_that_no_plan_needs_is_not_asked_for(world: World) -> None:
    await drafted(world)
    world.checks.lacking = {Permission.WRITE_MEMBERS}

    assert await world.start.launch(admin(), "draft-1")


async def test_a_right_that_was_granted_a_moment_ago_counts(world: World) -> None:
    await drafted(world)
    world.checks.lacking = {Permission.WRITE_LICENSES}
    world.checks.granted_since = {Permission.WRITE_LICENSES}

    assert await world.start.launch(admin(), "draft-1")


async def test_a_dry_run_needs_no_right_to_remove(world: World) -> None:
    world.policy = Policy(
        admins=frozenset({LYNNE}), fallback_reviewer=ALLAN, writes=WriteMode.DRY_RUN, zone="Europe/Zurich"
    )
    await drafted(world)
    world.checks.lacking = {Permission.WRITE_LICENSES}

    assert await world.start.launch(admin(), "draft-1")


@pytest.mark.parametrize("tells", [True, False])
async def test_what_cannot_be_found_out_stops_nobody(world: World, tells: bool) -> None:
    await drafted(world)
    world.checks.tells = tells
    if tells:
        world.checks.errors["token"] = DirectoryError("The login service does not answer.")

    assert await world.start.launch(admin(), "draft-1")


async def test_usage_reports_and_kinds_of_mailboxes_are_done_without(world: World) -> None:
    await ready(world)
    world.checks.lacking = {Permission.READ_REPORTS, Permission.READ_MAILBOXES}

    found = await look(world, reports=FakeReports(world.clock))

    reports, mailboxes = only(found, CheckName.USAGE_REPORTS), only(found, CheckName.READ_MAILBOXES)
    assert (reports.outcome, reports.about) == (Outcome.WITHOUT, ("no_permission",))
    assert mailboxes.outcome is Outcome.WITHOUT
    assert not any(check.outcome is Outcome.FIX for check in found.checks)


@pytest.mark.parametrize(
    ("hidden", "offered", "state"), [(True, True, "concealed"), (False, False, "not_offered"), (None, True, None)]
)
async def test_reports_that_name_nobody_are_to_fix_only_where_seats_are_judged_by_them(
    world: World, hidden: bool | None, offered: bool, state: str | None
) -> None:
    await ready(world)
    reports = FakeReports(world.clock)
    reports.hidden, reports.offered = hidden, offered

    without = only(await look(world, reports=reports), CheckName.USAGE_REPORTS)
    on = replace(TWO_ADMINS, judges_by_reports=True)
    judging = only(await look(world, policy=on, reports=reports), CheckName.USAGE_REPORTS)

    if state is None:
        assert without.outcome is judging.outcome is Outcome.GOOD
    else:
        assert (without.outcome, without.about) == (Outcome.WITHOUT, (state,))
        assert judging.outcome is Outcome.FIX


async def test_a_report_that_could_not_be_read_last_time_is_told_with_its_reason(world: World) -> None:
    await ready(world)
    async with world.work.write() as unit:
        await unit.workload_use.note(
            ReportReading(report=Report.APPS, state=ReportState.FAILED, at=NOW, said="A column is missing.")
        )
        await unit.commit()

    check = only(await look(world, reports=FakeReports(world.clock)), CheckName.USAGE_REPORTS)

    assert (check.outcome, check.said) == (Outcome.WITHOUT, "A column is missing.")


# Usage sources --------------------------------------------------------------------------------------------------------


async def by_intune(world: World, state: ProgramState = ProgramState.ACTIVE) -> None:
    """Store a program that goes by Intune."""
    program = ConsentProgram(
        id=ProgramId("p"),
        terms=Terms(name="Miro", application="Miro", source="intune"),
        group_id=GroupId("11111111-2222-3333-4444-555555555555"),
        group_name="App Miro users",
        product_id=ProductId("app:miro"),
        state=state,
        owner_id=LYNNE,
        created_at=NOW,
    )
    async with world.work.write() as unit:
        await unit.consents.add_program(program)
        await unit.commit()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, Outcome.GOOD),
        (PortError("Nexthink gives Reclaim no access (401).", permanent=True), Outcome.FIX),
        (PortError("Nexthink is busy or out of order (503)."), Outcome.UNKNOWN),
    ],
)
async def test_nexthink_is_asked_where_it_is_set_up(world: World, error: PortError | None, outcome: Outcome) -> None:
    await ready(world)

    check = only(await look(world, sources={"nexthink": Source(error)}), CheckName.NEXTHINK)

    assert (check.outcome, check.said) == (outcome, "" if error is None else error.message)


async def test_nexthink_is_asked_whatever_microsoft_says(world: World) -> None:
    await ready(world)
    world.checks.errors["token"] = EXPIRED

    assert only(await look(world, sources={"nexthink": Source()}), CheckName.NEXTHINK).outcome is Outcome.GOOD


async def test_intune_is_not_asked_where_no_program_goes_by_it(world: World) -> None:
    await ready(world)
    await by_intune(world, ProgramState.ENDED)
    source = Source()

    found = await look(world, sources={"intune": source})

    assert CheckName.INTUNE not in {check.name for check in found.checks}
    assert source.checked == 0


@pytest.mark.parametrize("state", [ProgramState.ACTIVE, ProgramState.PAUSED])
async def test_intune_is_asked_where_a_program_goes_by_it(world: World, state: ProgramState) -> None:
    await ready(world)
    await by_intune(world, state)
    source = Source()

    assert only(await look(world, sources={"intune": source}), CheckName.INTUNE).outcome is Outcome.GOOD
    assert source.checked == 1


@pytest.mark.parametrize(
    ("error", "outcome", "about"),
    [
        (
            DirectoryError("It is missing.", permanent=True, status=403),
            Outcome.FIX,
            ("DeviceManagementManagedDevices.Read.All",),
        ),
        (DirectoryError("The tenant has no active Intune license.", permanent=True, status=400), Outcome.FIX, ()),
        (DirectoryError("Microsoft Graph is busy or out of order.", status=503), Outcome.UNKNOWN, ()),
    ],
)
async def test_intune_without_the_permission_is_told_from_no_intune_and_from_an_outage(
    world: World, error: DirectoryError, outcome: Outcome, about: tuple[str, ...]
) -> None:
    await ready(world)
    await by_intune(world)

    check = only(await look(world, sources={"intune": Source(error)}), CheckName.INTUNE)

    assert (check.outcome, check.about, check.said) == (outcome, about, error.message)


async def test_intune_is_unknown_without_a_token(world: World) -> None:
    await ready(world)
    await by_intune(world)
    world.checks.errors["token"] = EXPIRED
    source = Source()

    assert only(await look(world, sources={"intune": source}), CheckName.INTUNE).outcome is Outcome.UNKNOWN
    assert source.checked == 0
