"""The second look just before the write, and what becomes of a write that fails, is lost, or takes its time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Limits, Scope, WriteMode
from reclaim.domain.idle import Rule
from reclaim.domain.ids import GroupId, PersonId
from reclaim.domain.orders import OrderState, StepState
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Waiting
from reclaim.errors import DirectoryError, WriteBackError
from tests.services.campaign_world import DAY, E5, HOUR, POLICY, SUITE_GROUP, CampaignWorld, actor
from tests.services.world import E3, LYNNE, PROJECT, VISIO, VISIO_GROUP, group, seat

DOWN = DirectoryError("Microsoft Graph cannot be reached.", status=503)
BUSY = WriteBackError("Microsoft is busy.", maybe_applied=False, status=429, retry_after=timedelta(minutes=5))
LOST_DONE = WriteBackError("The answer was lost.", maybe_applied=True, status=500)
REFUSED = WriteBackError("Microsoft refuses.", permanent=True, maybe_applied=False, status=403)
MINUTE = timedelta(minutes=1)
PROJECT_GROUP = GroupId("group-project")


async def _approved(world: CampaignWorld, *holders: str) -> None:
    """Hire, open, and revoke all: the campaign will close after the grace."""
    for ref in holders:
        world.hire(ref)
    await world.open()
    await world.revoke(*holders)


async def _approved_through_a_group(world: CampaignWorld, delay: timedelta) -> None:
    world.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    world.writer.group_delay = delay
    await world.open()
    await world.revoke("ada")


def _signs_in(world: CampaignWorld) -> None:
    world.sign_in("ada")


def _is_given_again(world: CampaignWorld) -> None:
    world.give("ada")


def _is_given_through_a_group(world: CampaignWorld) -> None:
    world.give("ada", VISIO, VISIO_GROUP)


def _seat_is_gone(world: CampaignWorld) -> None:
    world.directory.held[PersonId("ada")] = ()


def _leaves(world: CampaignWorld) -> None:
    world.directory.remove(PersonId("ada"))


def _has_no_known_sign_ins(world: CampaignWorld) -> None:
    world.change("ada", sign_ins=None)


@pytest.mark.parametrize(
    ("change", "outcome", "reason"),
    [
        (_signs_in, Outcome.ACTIVE_AGAIN, "in_use"),
        (_is_given_again, Outcome.REGRANTED, "path_newer_than_approval"),
        (_is_given_through_a_group, Outcome.REGRANTED, "path_newer_than_approval"),
        (_seat_is_gone, Outcome.ALREADY_ABSENT, "seat_gone"),
        (_leaves, Outcome.ALREADY_ABSENT, "person_gone"),
        (_has_no_known_sign_ins, Outcome.PLAN_CHANGED, "activity_unknown"),
    ],
)
async def test_what_changed_since_the_approval_stops_the_write(
    campaigns: CampaignWorld, change: Callable[[CampaignWorld], None], outcome: Outcome, reason: str
) -> None:
    await _approved(campaigns, "ada")
    campaigns.clock.advance(HOUR)
    change(campaigns)

    await campaigns.close()

    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (outcome, reason)
    assert campaigns.writer.calls == []
    assert await campaigns.state() is CampaignState.CLOSED
    assert {step.state for step in await campaigns.steps("ada")} == {StepState.SKIPPED}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dynamic": True}, "group_dynamic"),
        ({"synced": True}, "group_synced"),
        ({"role_assignable": True}, "group_role_assignable"),
        ({"restricted": None}, "group_unknown"),
        ({"sku_ids": (VISIO, PROJECT)}, "group_other_skus"),
    ],
)
async def test_a_group_that_may_no_longer_be_written_stops_the_write(
    campaigns: CampaignWorld, changes: dict[str, object], reason: str
) -> None:
    await _approved_through_a_group(campaigns, timedelta(0))
    facts = group(VISIO_GROUP, VISIO)
    campaigns.directory.group_facts[VISIO_GROUP] = replace(facts, **changes)  # type: ignore[arg-type]

    await campaigns.close()

    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.NOT_SUPPORTED, reason)
    assert campaigns.writer.calls == []


async def test_a_disabled_account_is_removed_and_one_that_was_enabled_again_is_kept(campaigns: CampaignWorld) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref, seen_days=1, enabled=False)
    await campaigns.open(scope=Scope(days=90, rules=(Rule.DISABLED.value,)))
    await campaigns.revoke("ada", "ben")
    campaigns.change("ben", enabled=True)

    await campaigns.close()

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.ACTIVE_AGAIN}


async def test_a_disabled_account_is_judged_without_reading_sign_ins(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seen_days=1, enabled=False)
    await campaigns.open(scope=Scope(days=90, rules=(Rule.DISABLED.value,)))
    await campaigns.revoke("ada")
    asked: list[bool] = []
    live_person = campaigns.directory.live_person

    async def refusing(person: PersonId, *, with_sign_ins: bool) -> object:
        asked.append(with_sign_ins)
        return await live_person(person, with_sign_ins=with_sign_ins)

    campaigns.directory.live_person = refusing  # type: ignore[assignment,method-assign]
    await campaigns.close()

    assert asked[0] is False
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_of_two_suites_approved_at_once_one_is_removed_and_the_other_is_held(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", E3), seat("ada", E5))
    await campaigns.open()
    await campaigns.revoke("ada", product=E3)
    await campaigns.revoke("ada", product=E5)

    await campaigns.close()

    assert sorted(str(one) for one in (await campaigns.outcomes()).values()) == ["held", "removed"]
    assert len(campaigns.writer.writes) == 1
    assert campaigns.holds("ada", E3) != campaigns.holds("ada", E5)


async def test_the_second_suite_is_held_also_while_the_first_is_still_on_its_way_out_through_a_group(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", E3, SUITE_GROUP), seat("ada", E5))
    campaigns.writer.group_delay = 5 * HOUR
    await campaigns.open()
    await campaigns.revoke("ada", product=E3)
    await campaigns.revoke("ada", product=E5)

    await campaigns.close()
    await campaigns.wait(12 * HOUR)

    outcomes = await campaigns.outcomes()
    assert sorted(str(one) for one in outcomes.values()) == ["held", "removed"]
    assert len(campaigns.writer.writes) == 1


async def test_two_campaigns_that_each_remove_one_suite_at_the_same_moment_leave_one(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", E3), seat("ada", E5))
    await campaigns.open(scope=Scope(days=90, product_ids=(E3,)))
    await campaigns.revoke("ada", product=E3)
    first = campaigns.campaign_id
    await campaigns.open(ref="second", scope=Scope(days=90, product_ids=(E5,)))
    await campaigns.revoke("ada", product=E5)
    await campaigns.settle()
    campaigns.clock.at = (await campaigns.campaign()).may_close_at
    await campaigns.due.tick()
    for close in list(campaigns.engine.queued):
        await campaigns.engine.handlers[close.kind](close)
    one, other = (job for job in campaigns.engine.queued if job.kind == "writeback")
    # The other campaign's removal runs between the look and the intent of this one.
    campaigns.directory.during = lambda: campaigns.elsewhere.handle(other)

    await campaigns.applying.handle(one)
    await campaigns.wait(HOUR)

    ends = [
        (await campaigns.item("ada", E3, campaign=first)).outcome,
        (await campaigns.item("ada", E5)).outcome,
    ]
    assert sorted(str(end) for end in ends) == ["held", "removed"]
    assert len(campaigns.writer.writes) == 1


async def test_a_suite_is_held_while_a_call_that_may_have_taken_the_other_one_is_not_answered(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", E3), seat("ada", E5))
    await campaigns.open(scope=Scope(days=90, product_ids=(E3,)))
    await campaigns.revoke("ada", product=E3)
    first = campaigns.campaign_id
    await campaigns.open(ref="second", scope=Scope(days=90, product_ids=(E5,)))
    await campaigns.revoke("ada", product=E5)
    campaigns.writer.fail("remove_direct", LOST_DONE)
    campaigns.writer.apply = False  # it takes effect later
    await campaigns.close()
    campaigns.writer.apply = True

    await campaigns.wait(HOUR)

    ends = [
        (await campaigns.item("ada", E3, campaign=first)).outcome,
        (await campaigns.item("ada", E5)).outcome,
    ]
    assert sorted(str(end) for end in ends) == ["held", "removed"]


async def test_a_seat_with_a_direct_and_a_group_path_loses_both(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO, None, VISIO_GROUP))
    await campaigns.open()
    await campaigns.revoke("ada")

    await campaigns.close()

    assert [write.method for write in campaigns.writer.writes] == ["remove_direct", "leave_group"]
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_after_a_refusal_nothing_more_of_the_seat_is_written_and_the_person_s_other_seat_is(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", VISIO, None, VISIO_GROUP), seat("ada", PROJECT))
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.revoke("ada", product=PROJECT)
    campaigns.writer.refused = {("ada", VISIO)}

    await campaigns.close()

    assert ("leave_group", "ada") not in [(write.method, write.person) for write in campaigns.writer.writes]
    assert await campaigns.outcomes() == {"ada": Outcome.FAILED, "ada sku-project": Outcome.REMOVED}


async def test_up_to_ten_approved_seats_are_judged_by_a_live_read(campaigns: CampaignWorld) -> None:
    holders = [f"holder-{number}" for number in range(10)]
    await _approved(campaigns, *holders)
    campaigns.sign_in("holder-3")

    await campaigns.close()

    outcomes = await campaigns.outcomes()
    assert [ref for ref in holders if outcomes[ref] is not Outcome.REMOVED] == ["holder-3"]
    assert outcomes["holder-3"] is Outcome.ACTIVE_AGAIN


async def test_more_wait_for_a_sync_that_started_after_the_close(campaigns: CampaignWorld) -> None:
    holders = [f"holder-{number:02}" for number in range(11)]
    await _approved(campaigns, *holders)
    await campaigns.settle()
    campaigns.sign_in("holder-03")
    campaigns.directory.fail("people", DOWN)
    campaigns.clock.at = (await campaigns.campaign()).may_close_at
    await campaigns.due.tick()
    await campaigns.engine.drain()
    queued = [(await campaigns.order(ref)).state for ref in holders]
    still = len(campaigns.writer.writes)

    await campaigns.wait(HOUR)

    assert set(queued) == {OrderState.QUEUED}
    assert still == 0
    outcomes = await campaigns.outcomes()
    assert [ref for ref in holders if outcomes[ref] is not Outcome.REMOVED] == ["holder-03"]
    assert outcomes["holder-03"] is Outcome.ACTIVE_AGAIN
    assert await campaigns.state() is CampaignState.CLOSED


async def test_what_was_frozen_for_more_than_a_day_waits_for_a_new_sync(campaigns: CampaignWorld) -> None:
    holders = [f"holder-{number:02}" for number in range(11)]
    await _approved(campaigns, *holders)
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.close()
    async with campaigns.work.read() as work:
        before = await work.syncs.newest_complete()
    campaigns.clock.advance(30 * HOUR)
    campaigns.sign_in("holder-03")

    await campaigns.resume()
    await campaigns.settle()

    async with campaigns.work.read() as work:
        after = await work.syncs.newest_complete()
    assert before is not None
    assert after is not None
    assert after.id != before.id
    outcomes = await campaigns.outcomes()
    assert outcomes["holder-03"] is Outcome.ACTIVE_AGAIN
    assert list(outcomes.values()).count(Outcome.REMOVED) == 10


async def test_a_sync_that_stopped_is_not_started_again_at_every_tick(campaigns: CampaignWorld) -> None:
    holders = [f"holder-{number:02}" for number in range(11)]
    await _approved(campaigns, *holders)

    def asked() -> int:
        return sum(call[0] == "skus" for call in campaigns.directory.calls)

    campaigns.directory.fail("skus", DirectoryError("Forbidden.", permanent=True, status=403), times=50)
    await campaigns.close()
    before = asked()
    for _ in range(5):
        campaigns.clock.advance(timedelta(seconds=15))
        await campaigns.settle()
    meanwhile = asked()
    campaigns.clock.advance(HOUR)
    await campaigns.settle()

    # The first sync; then one of what has changed, as every hour, and a whole one, which the removals wait for.
    assert (before, meanwhile, asked()) == (3, 3, 4)
    assert campaigns.writer.writes == []


async def test_a_directory_that_is_down_is_asked_again_ever_more_rarely_and_given_up_visibly(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    campaigns.directory.fail("live_person", DOWN, times=8)
    await campaigns.close()
    closed_at = campaigns.clock.now()
    waits: list[timedelta] = []
    while (await campaigns.item("ada")).outcome is None:
        at = (await campaigns.order("ada")).not_before
        assert at is not None
        waits.append((at - campaigns.clock.now()) / MINUTE * MINUTE)
        await campaigns.until(at)

    assert waits == [MINUTE * n for n in (1, 2, 4, 8, 16, 32, 60)]
    assert campaigns.clock.now() - closed_at == MINUTE * 123
    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.FAILED, "directory:503")
    assert await campaigns.state() is CampaignState.CLOSED
    assert campaigns.writer.calls == []

    await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_retry_has_as_many_tries_as_the_first_time(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.directory.fail("live_person", DOWN, times=10)
    await campaigns.close()
    await campaigns.wait(3 * HOUR)
    first = await campaigns.outcomes()

    await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.wait(HOUR)

    assert first == {"ada": Outcome.FAILED}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_write_that_microsoft_asks_to_try_later_waits_as_long_as_asked(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", BUSY)
    await campaigns.close()
    closed_at = campaigns.clock.now()

    waits = (await campaigns.order("ada")).not_before
    await campaigns.wait(HOUR)

    assert waits == closed_at + 5 * MINUTE
    assert [write.at for write in campaigns.writer.writes] == [closed_at, closed_at + 5 * MINUTE]
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_write_that_was_applied_though_the_answer_was_an_error_is_found_and_not_repeated(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", LOST_DONE)

    await campaigns.close()
    maybe = (await campaigns.steps("ada"))[0]
    await campaigns.wait(HOUR)

    assert (maybe.state, maybe.maybe_written) == (StepState.INTENDED, True)
    assert len(campaigns.writer.writes) == 1
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_write_whose_answer_was_lost_and_that_was_not_applied_is_called_again_once(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", LOST_DONE)
    campaigns.writer.apply = False
    await campaigns.close()
    campaigns.writer.apply = True

    await campaigns.wait(HOUR)

    assert [write.took for write in campaigns.writer.writes] == [False, True]
    assert len(set(campaigns.writer.client_request_ids)) == 2
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_lost_write_that_a_read_shows_too_late_is_still_our_removal(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", LOST_DONE)
    campaigns.writer.apply = False
    await campaigns.close()

    async def takes_effect() -> None:
        campaigns.directory.held[PersonId("ada")] = ()

    campaigns.directory.during = takes_effect  # right after the read that still shows the seat
    await campaigns.wait(HOUR)

    assert len(campaigns.writer.writes) == 2
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_lost_write_after_which_the_person_came_back_is_not_repeated(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", LOST_DONE)
    campaigns.writer.apply = False
    await campaigns.close()
    campaigns.writer.apply = True
    campaigns.sign_in("ada")

    await campaigns.wait(HOUR)

    assert len(campaigns.writer.writes) == 1
    assert await campaigns.outcomes() == {"ada": Outcome.ACTIVE_AGAIN}
    assert campaigns.holds("ada")


async def test_a_lost_write_of_somebody_whose_account_is_gone_is_not_called_our_removal(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", LOST_DONE)
    await campaigns.close()
    campaigns.directory.remove(PersonId("ada"))

    await campaigns.wait(HOUR)

    assert await campaigns.outcomes() == {"ada": Outcome.ALREADY_ABSENT}


async def test_a_refusal_for_good_fails_the_seat_with_its_reason_and_closes_the_campaign(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", REFUSED)

    await campaigns.close()

    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.FAILED, "graph_403")
    assert (await campaigns.steps("ada"))[0].error == "Microsoft refuses."
    assert await campaigns.state() is CampaignState.CLOSED
    assert EventKind.REMOVAL_FAILED in await campaigns.events()


async def test_a_seat_that_somebody_else_removed_just_before_our_call_is_already_absent(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")

    async def somebody_else() -> None:
        campaigns.directory.held[PersonId("ada")] = ()

    campaigns.directory.during = somebody_else
    await campaigns.close()

    assert [write.took for write in campaigns.writer.writes] == [False]
    assert await campaigns.outcomes() == {"ada": Outcome.ALREADY_ABSENT}


async def test_a_removal_that_cannot_be_read_back_is_verified_later(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("read_back", DOWN, times=3)

    await campaigns.close()
    first = (await campaigns.item("ada")).waiting
    await campaigns.wait(3 * HOUR)

    assert first is Waiting.PENDING_VERIFICATION
    assert len(campaigns.writer.writes) == 1
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_removal_that_can_never_be_read_back_fails_visibly_and_a_retry_finds_it_removed(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("read_back", DOWN, times=30)
    await campaigns.close()

    await campaigns.wait(4 * DAY)
    item = await campaigns.item("ada")
    campaigns.writer.forgive()
    await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert (item.outcome, item.outcome_reason) == (Outcome.FAILED, "unreadable")
    assert len(campaigns.writer.writes) == 1
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_removal_through_a_group_is_pending_until_a_later_check_sees_it(campaigns: CampaignWorld) -> None:
    await _approved_through_a_group(campaigns, 2 * HOUR)

    await campaigns.close()
    pending = ((await campaigns.item("ada")).waiting, await campaigns.state())
    await campaigns.wait(HOUR)
    still = await campaigns.outcomes()
    await campaigns.wait(6 * HOUR)

    assert pending == (Waiting.PENDING_VERIFICATION, CampaignState.APPLYING)
    assert still == {"ada": None}
    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.REMOVED, "verified_later")
    assert await campaigns.state() is CampaignState.CLOSED
    assert len(campaigns.writer.writes) == 1


async def test_a_sync_verifies_what_is_pending_and_confirms_once_what_it_no_longer_finds(
    campaigns: CampaignWorld,
) -> None:
    await _approved_through_a_group(campaigns, HOUR)
    await campaigns.close()
    campaigns.clock.advance(HOUR)

    await campaigns.sync()
    await campaigns.sync()
    await campaigns.sync()

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}
    assert await campaigns.events(EventKind.SYNC_CONFIRMED) == [EventKind.SYNC_CONFIRMED]


async def test_a_seat_that_is_still_there_after_three_days_has_failed_and_can_be_retried(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.apply = False
    await campaigns.close()

    await campaigns.wait(2 * DAY)
    waits = await campaigns.outcomes()
    await campaigns.wait(2 * DAY)
    item = await campaigns.item("ada")
    campaigns.writer.apply = True
    await campaigns.closing.retry(actor(LYNNE), campaigns.campaign_id)
    await campaigns.settle()

    assert waits == {"ada": None}
    assert (item.outcome, item.outcome_reason) == (Outcome.FAILED, "still_there")
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_the_three_days_count_from_the_write_and_not_from_the_close(campaigns: CampaignWorld) -> None:
    await _approved_through_a_group(campaigns, 2 * HOUR)
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.close()
    await campaigns.wait(5 * DAY)

    await campaigns.resume()
    await campaigns.wait(HOUR)
    waits = await campaigns.outcomes()
    await campaigns.wait(6 * HOUR)

    assert waits == {"ada": None}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_seat_on_its_way_out_is_not_called_kept_because_its_holder_comes_back(
    campaigns: CampaignWorld,
) -> None:
    campaigns.directory.group_facts[PROJECT_GROUP] = group(PROJECT_GROUP, PROJECT)
    campaigns.hire("ada", seat("ada", PROJECT, PROJECT_GROUP), seat("ada", VISIO))
    campaigns.writer.group_delay = 3 * HOUR
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.revoke("ada", product=PROJECT)
    campaigns.writer.fail("remove_direct", BUSY)  # so that the whole order runs again
    await campaigns.close()
    campaigns.sign_in("ada")

    await campaigns.wait(DAY / 2)

    assert [write.method for write in campaigns.writer.writes] == ["leave_group", "remove_direct"]
    assert await campaigns.outcomes() == {"ada": Outcome.ACTIVE_AGAIN, "ada sku-project": Outcome.REMOVED}


async def test_what_is_written_is_verified_also_where_the_rest_of_the_order_is_given_up(
    campaigns: CampaignWorld,
) -> None:
    campaigns.directory.group_facts[PROJECT_GROUP] = group(PROJECT_GROUP, PROJECT)
    campaigns.hire("ada", seat("ada", PROJECT, PROJECT_GROUP), seat("ada", VISIO))
    campaigns.writer.group_delay = 3 * HOUR
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.revoke("ada", product=PROJECT)
    campaigns.writer.fail("remove_direct", BUSY, times=8)
    await campaigns.close()

    await campaigns.wait(DAY / 2)

    assert await campaigns.outcomes() == {"ada": Outcome.FAILED, "ada sku-project": Outcome.REMOVED}
    assert await campaigns.state() is CampaignState.CLOSED


async def test_no_more_than_the_hourly_limit_is_written_in_an_hour_and_the_rest_waits_without_failing(
    campaigns: CampaignWorld,
) -> None:
    await campaigns.restart(replace(POLICY, limits=Limits(hard_per_hour=2)))
    holders = ["ada", "ben", "cleo", "dan", "eve"]
    await _approved(campaigns, *holders)

    await campaigns.close()
    at_once = len(campaigns.writer.writes)
    await campaigns.wait(HOUR - MINUTE)
    within = len(campaigns.writer.writes)
    await campaigns.wait(12 * HOUR)

    assert (at_once, within) == (2, 2)
    assert set((await campaigns.outcomes()).values()) == {Outcome.REMOVED}
    written = [write.at for write in campaigns.writer.writes]
    assert all(sum(at - HOUR < other <= at for other in written) <= 2 for at in written)


async def test_an_installation_that_becomes_a_dry_run_still_verifies_what_was_written(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", VISIO, None, VISIO_GROUP))
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.writer.fail("leave_group", BUSY)
    await campaigns.close()

    await campaigns.restart(replace(POLICY, writes=WriteMode.DRY_RUN))
    await campaigns.wait(4 * DAY)

    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.FAILED, "still_there")
    assert [write.method for write in campaigns.writer.writes if write.took] == ["remove_direct"]


async def test_undo_and_auditors_find_what_was_there_before_and_after(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")

    await campaigns.close()

    step = (await campaigns.steps("ada"))[0]
    assert step.before == (
        '[{"disabled_plans":[],"group":null,"state":"Active","updated_at":"2024-01-10T00:00:00+00:00"}]'
    )
    assert step.after == "[]"
    assert step.client_request_id == campaigns.writer.client_request_ids[0]
    assert [len(part) for part in (step.client_request_id or "").split("-")] == [8, 4, 4, 4, 12]


async def test_a_step_that_was_written_long_ago_explains_nothing_any_more(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO, None, VISIO_GROUP))
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.writer.fail("leave_group", BUSY)
    await campaigns.close()
    campaigns.sign_in("ada")
    await campaigns.wait(HOUR)
    first = await campaigns.outcomes()
    campaigns.directory.held[PersonId("ada")] = (seat("ada", VISIO, None, VISIO_GROUP),)
    campaigns.change("ada", sign_ins=campaigns.directory.everybody[PersonId("ada")].sign_ins)
    campaigns.clock.advance(200 * DAY)

    await campaigns.open(ref="second", due=(campaigns.clock.now() + 20 * DAY).date())
    await campaigns.revoke("ada")
    await campaigns.close()

    assert first == {"ada": Outcome.ACTIVE_AGAIN}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}
