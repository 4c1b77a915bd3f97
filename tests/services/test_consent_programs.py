"""Programs side by side: caps, one memory, schedules, the file, pausing and ending, waiting lists, freezes, dry runs."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Scope, WriteMode
from reclaim.domain.consent import RequestState
from reclaim.domain.consent_program import ProgramState
from reclaim.domain.consent_run import RunState
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import PersonId
from reclaim.domain.notices import ConsentRunNotice, WaiterNotice
from reclaim.domain.removal import Outcome
from reclaim.domain.wait_list import WaitState
from reclaim.errors import Conflict, DirectoryError, InvalidRequest, NotFound, PortError, WriteBackError
from reclaim.services.exclude_seats import ExcludeSeats
from tests.services.campaign_world import DAY, HOUR, SUITE_GROUP, CampaignWorld, actor
from tests.services.consent_world import (
    MIRO_GROUP,
    MURAL_GROUP,
    asked,
    events_of,
    in_group,
    member,
    open_program,
    request_of,
    requests,
    run,
)
from tests.services.world import E3, LYNNE, NOW, VISIO, VISIO_GROUP, days_ago, group, seat

FILE = f"""
[[program]]
name = "Miro"
application = "Miro"
group = "{MIRO_GROUP}"
source = "csv"
unused_days = 45
schedule = "0 8 * * mon"
price = "12.50 EUR"

[[program]]
name = "Mural"
application = "Mural"
group = "{MURAL_GROUP}"
source = "nexthink"
ask = false
removals_per_day = 20
"""


async def newest_run(world: CampaignWorld, program: object) -> tuple[RunState, str | None]:
    async with world.work.read() as work:
        found = await work.consents.newest_run(program.id)  # type: ignore[attr-defined]
    assert found is not None
    return found.state, found.error


async def test_a_person_gets_so_many_new_questions_a_day_over_all_programs(campaigns: CampaignWorld) -> None:
    world = campaigns
    await world.restart(replace(world.policy, questions_per_day=1))
    member(world, "ada")
    member(world, "ada", group_id=MURAL_GROUP)
    member(world, "ben")
    miro = await open_program(world)
    mural = await open_program(world, group_id=MURAL_GROUP, name="Mural", application="Mural")
    world.directory.members[MURAL_GROUP].remove(PersonId("ada"))
    world.directory.members[MURAL_GROUP].append(PersonId("ada"))

    await run(world, miro)
    await run(world, mural)

    assert [len(asked(world, "ada")), len(asked(world, "ben"))] == [1, 1]
    assert (await requests(world, mural))["ada"] == "waiting"
    await world.wait(DAY)
    assert len(asked(world, "ada")) == 2


async def test_a_program_asks_and_removes_no_more_than_its_caps_allow_in_a_day(campaigns: CampaignWorld) -> None:
    world = campaigns
    for ref in ("ada", "ben", "cleo"):
        member(world, ref)
    asking = await open_program(world, questions_per_day=2)
    await run(world, asking)
    assert sum(len(asked(world, ref)) for ref in ("ada", "ben", "cleo")) == 2
    await world.consent.programs.to(actor(LYNNE), asking.id, ProgramState.ENDED)
    await world.settle()

    taking = await open_program(world, name="Taking", ask=False, removals_per_day=2)
    await run(world, taking)

    assert sum(in_group(world, ref) for ref in ("ada", "ben", "cleo")) == 1
    world.clock.advance(DAY)
    world.use.newest = world.clock.now()
    await run(world, taking)
    assert not any(in_group(world, ref) for ref in ("ada", "ben", "cleo"))


async def test_one_open_question_per_person_and_product_over_programs_and_campaigns(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    member(world, "ada", group_id=VISIO_GROUP)
    world.directory.members[VISIO_GROUP] = [PersonId("ada")]
    await world.open(scope=Scope(days=90))
    program = await open_program(world, group_id=VISIO_GROUP, name="Visio", application="Visio")
    assert program.product_id == VISIO

    await run(world, program)
    assert await requests(world, program) == {}
    await world.keep("ada")
    await world.close()
    await run(world, program)
    assert await requests(world, program) == {}  # the reviewer has answered lately

    world.clock.advance(91 * DAY)
    world.use.newest = world.clock.now()
    await run(world, program)
    assert (await requests(world, program)) == {"ada": "asked"}
    with pytest.raises(Conflict, match="No seat is left to ask about"):  # now the holder is being asked
        await world.open(ref="draft-2", due=date(2027, 4, 1))


async def test_a_seat_that_a_campaign_removed_is_the_same_product(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    world.directory.members[VISIO_GROUP] = [PersonId("ada")]
    program = await open_program(world, group_id=VISIO_GROUP, name="Visio", application="Visio", ask=False)
    member(world, "ada", group_id=VISIO_GROUP)
    world.directory.members[VISIO_GROUP] = [PersonId("ada")]

    await run(world, program)

    assert (await request_of(world, "ada")).state is RequestState.REMOVED
    assert not world.holds("ada")
    view = await world.consent.read.program(program.id)
    assert view.funnel.removed == 1
    assert Outcome.REMOVED  # the words of campaigns and programs stay apart


async def test_the_last_mailbox_never_goes_with_an_application(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.hire("ada", seat("ada", E3, SUITE_GROUP))
    world.directory.members[SUITE_GROUP] = []
    program = await open_program(world, group_id=SUITE_GROUP, name="Suite", application="E3", ask=False)
    member(world, "ada", group_id=SUITE_GROUP)

    await run(world, program)

    ended = await request_of(world, "ada")
    assert (ended.state, ended.why) == (RequestState.BY_HAND, "last_mailbox")
    assert in_group(world, "ada", SUITE_GROUP)


async def test_an_excluded_person_is_not_asked_nor_taken_from(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    member(world, "ben")
    program = await open_program(world)
    leaving_out = ExcludeSeats(
        work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy, directory=world.directory
    )
    world.engine.register("exclude", leaving_out.handle)
    await leaving_out.add(actor(LYNNE), ExclusionKind.PERSON, "ada", reason="on a project")
    await run(world, program)
    assert await requests(world, program) == {"ada": "excluded", "ben": "asked"}

    await world.consent.answer.agree(actor("ben"), (await request_of(world, "ben")).id)
    await leaving_out.add(actor(LYNNE), ExclusionKind.PERSON, "ben", reason="on a project")
    await world.wait(HOUR)

    assert (await request_of(world, "ben")).state is RequestState.EXCLUDED
    assert in_group(world, "ben")


async def test_a_schedule_runs_the_program_at_its_hour_in_its_zone(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, schedule="0 8 * * mon", zone="Europe/Zurich")
    assert program.next_run_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)

    await world.wait(2 * HOUR)

    assert len(asked(world, "ada")) == 1
    view = await world.consent.read.program(program.id)
    assert view.program.next_run_at == datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("newest", "said"),
    [(None, "says nothing about"), (days_ago(15), "15 days old")],
)
async def test_old_or_missing_usage_data_stops_a_run_and_asks_nobody(
    campaigns: CampaignWorld, newest: datetime | None, said: str
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    world.use.newest = newest

    await run(world, program)

    state, error = await newest_run(world, program)
    assert state is RunState.STOPPED
    assert said in (error or "")
    assert asked(world, "ada") == []
    assert [type(one) for one in world.messenger.to(LYNNE)][-1] is ConsentRunNotice


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PortError("Nexthink refuses the query: no such query.", permanent=True), "no such query"),
        (
            DirectoryError("Graph does not let us read: Group.Read.All is missing.", permanent=True, status=403),
            "missing",
        ),
    ],
)
async def test_a_source_that_refuses_stops_the_run_with_its_own_words(
    campaigns: CampaignWorld, error: Exception, said: str
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    world.use.error = error

    await run(world, program)

    state, message = await newest_run(world, program)
    assert (state, said in (message or "")) == (RunState.STOPPED, True)


async def test_a_source_that_is_down_is_tried_again_and_nothing_is_lost(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    world.use.error = PortError("Nexthink does not answer.")

    await run(world, program)
    assert (await newest_run(world, program))[0] is RunState.RUNNING
    world.use.error = None
    await world.wait(HOUR)

    assert (await newest_run(world, program))[0] is RunState.COMPLETE
    assert len(asked(world, "ada")) == 1


async def test_a_source_that_stays_down_ends_the_run_and_that_is_attested(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    world.use.error = PortError("Nexthink does not answer.")

    await run(world, program)
    await world.wait(4 * HOUR)

    assert await newest_run(world, program) == (RunState.STOPPED, "Nexthink does not answer. Run it again later.")
    assert (await events_of(world, program))[-1] is EventKind.CONSENT_RUN_ENDED


async def test_a_group_that_is_gone_stops_the_run(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    del world.directory.group_facts[MIRO_GROUP]

    await run(world, program)

    state, error = await newest_run(world, program)
    assert (state, "does not exist any more" in (error or "")) == (RunState.STOPPED, True)


async def test_a_run_by_hand_for_people_or_devices_looks_at_nobody_else(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    member(world, "ben", device="DESK-0147")
    member(world, "cleo")
    program = await open_program(world)

    await world.consent.run.start(LYNNE, program.id, people=[PersonId("ada")], devices=["desk-0147"])
    await world.settle()

    assert await requests(world, program) == {"ada": "asked", "ben": "asked"}


async def test_a_paused_program_asks_nobody_and_what_is_open_stays_open(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world, schedule="0 8 * * *")
    await run(world, program)

    paused = await world.consent.programs.to(actor(LYNNE), program.id, ProgramState.PAUSED)

    assert paused.next_run_at is None
    with pytest.raises(Conflict, match="paused"):
        await world.consent.run.start(LYNNE, program.id)
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)
    await world.wait(HOUR)
    assert not in_group(world, "ada")


async def test_ending_a_program_keeps_what_nobody_has_decided_and_frees_name_and_group(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    await run(world, program)

    await world.consent.programs.to(actor(LYNNE), program.id, ProgramState.ENDED)
    await world.settle()

    assert (await request_of(world, "ada")).state is RequestState.CANCELLED
    again = await open_program(world)
    assert again.id != program.id
    with pytest.raises(Conflict, match="this group"):
        await open_program(world, name="Other")


async def test_a_clone_takes_the_terms_to_another_group(campaigns: CampaignWorld) -> None:
    world = campaigns
    program = await open_program(world, unused_days=45, on_silence="escalate")
    world.directory.group_facts[MURAL_GROUP] = group(MURAL_GROUP)

    made = await world.consent.programs.clone(actor(LYNNE), program.id, MURAL_GROUP, {"application": "Mural"})

    assert (made.group_id, made.terms.unused_days, made.terms.application) == (MURAL_GROUP, 45, "Mural")
    assert made.terms.name != program.terms.name


async def test_a_file_makes_changes_and_leaves_alone(campaigns: CampaignWorld) -> None:
    world = campaigns
    for one in (MIRO_GROUP, MURAL_GROUP):
        world.directory.group_facts[one] = group(one)

    first = await world.consent.programs.load(actor(LYNNE), FILE)
    second = await world.consent.programs.load(actor(LYNNE), FILE.replace("45", "60"))

    assert [what for what, _ in first] == ["made", "made"]
    assert [what for what, _ in second] == ["changed", "unchanged"]
    assert (second[0][1].terms.unused_days, second[1][1].terms.ask) == (60, False)
    assert second[0][1].terms.price is not None
    assert (second[0][1].terms.price.minor, second[0][1].terms.price.currency) == (1250, "EUR")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[program]\nname = 1", "no TOML"),
        ("name = 'x'", "may have [[program]] only"),
        ("", "has no [[program]]"),
        (FILE.replace('"csv"', '"sccm"'), "Program 1, “Miro”: There is no usage source “sccm”"),
        (FILE.replace("unused_days = 45", "unused_days = 3"), "unused_days is from 7"),
        (FILE.replace("ask = false", "aks = false"), "A program has no “aks”"),
        (FILE.replace("removals_per_day = 20", "removals_per_day = 101"), "at most 100 a day"),
        (FILE.replace('"0 8 * * mon"', '"every monday"'), "is no schedule"),
        (FILE.replace(MURAL_GROUP, "No such group"), "Program 2, “Mural”: No group"),
        (FILE.replace('"12.50 EUR"', '"12,50"'), "12.50 USD"),
        (FILE.replace('name = "Mural"', 'name = "miro"'), "Program 2, “miro”"),
    ],
)
async def test_a_file_with_a_mistake_changes_nothing_and_says_where_it_is(
    campaigns: CampaignWorld, text: str, said: str
) -> None:
    world = campaigns
    for one in (MIRO_GROUP, MURAL_GROUP):
        world.directory.group_facts[one] = group(one)

    with pytest.raises(InvalidRequest) as error:
        await world.consent.programs.load(actor(LYNNE), text)

    assert said in error.value.message
    assert await world.consent.read.programs() == []


async def test_an_unknown_group_is_refused(campaigns: CampaignWorld) -> None:
    world = campaigns
    await world.sync()
    with pytest.raises(NotFound, match="or use its object id"):
        await world.consent.programs.make(
            actor(LYNNE), "Miro users", {"name": "Miro", "application": "Miro", "source": "csv"}
        )


@pytest.mark.parametrize("fills", [False, True])
async def test_a_freed_seat_goes_to_who_waits_longest(campaigns: CampaignWorld, fills: bool) -> None:
    world = campaigns
    member(world, "ada")
    world.hire("first")
    world.hire("second")
    program = await open_program(world, ask=False, fills=fills)
    await world.consent.programs.wait(actor(LYNNE), program.id, PersonId("first"))
    world.clock.advance(HOUR)
    await world.consent.programs.wait(actor(LYNNE), program.id, PersonId("second"))
    with pytest.raises(Conflict, match="on the waiting list"):
        await world.consent.programs.wait(actor(LYNNE), program.id, PersonId("first"))

    await run(world, program)

    (told,) = [one for one in world.messenger.to("first") if isinstance(one, WaiterNotice)]
    assert told.waiter.waiter.state is (WaitState.ADDED if fills else WaitState.TOLD)
    assert in_group(world, "first") is fills
    assert [view.person_name for view in await world.consent.read.waiters(program.id)] == ["Second Example"]


async def test_a_freeze_stops_every_change_and_lets_it_go_on_afterwards(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)
    await world.freezing.freeze(actor(LYNNE), "something is odd")

    await world.wait(3 * HOUR)
    assert in_group(world, "ada")
    await world.resume()
    await world.wait(HOUR)

    assert not in_group(world, "ada")


async def test_a_dry_run_asks_and_removes_nothing(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world, mode="dry_run"))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)

    await world.wait(HOUR)

    assert (await request_of(world, "ada")).state is RequestState.DRY_RUN
    assert in_group(world, "ada")
    assert world.writer.writes == []


async def test_a_dry_run_never_becomes_live_by_a_later_setting(campaigns: CampaignWorld) -> None:
    world = campaigns
    await world.restart(replace(world.policy, writes=WriteMode.DRY_RUN))
    member(world, "ada")
    await run(world, await open_program(world))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)

    await world.restart(replace(world.policy, writes=WriteMode.LIVE))
    await world.wait(HOUR)

    assert (await request_of(world, "ada")).state is RequestState.DRY_RUN
    assert in_group(world, "ada")


@pytest.mark.parametrize("landed", [True, False])
async def test_a_lost_answer_is_read_before_anything_is_written_again(campaigns: CampaignWorld, landed: bool) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)
    if landed:
        world.writer.fail("leave_group", WriteBackError("No answer came.", maybe_applied=True))
    else:
        world.writer.apply = False
        world.writer.fail("leave_group", WriteBackError("No answer came.", maybe_applied=True))

    await world.wait(11 * timedelta(minutes=1))
    world.writer.apply = True
    await world.wait(HOUR)

    assert not in_group(world, "ada")
    assert (await request_of(world, "ada")).state is RequestState.REMOVED
    assert len([one for one in world.writer.writes if one.method == "leave_group"]) == (1 if landed else 2)


async def test_what_microsoft_refuses_for_good_ends_failed_and_stays(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    await run(world, await open_program(world))
    world.writer.refused.add(("ada", MIRO_GROUP))
    await world.consent.answer.agree(actor("ada"), (await request_of(world, "ada")).id)

    await world.wait(HOUR)

    ended = await request_of(world, "ada")
    assert (ended.state, ended.why, ended.detail) == (RequestState.FAILED, "refused", "403")


def test_the_clock_of_these_tests_is_a_monday_morning() -> None:
    assert NOW.weekday() == 0
