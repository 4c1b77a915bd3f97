"""Undo: a removed seat comes back exactly as it was, or with a reason why not; and nobody's seat comes back unasked."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import WriteMode
from reclaim.domain.directory import Path
from reclaim.domain.ids import GroupId, ItemId, PersonId, ProductId
from reclaim.domain.notices import CampaignClosedNotice, ReceiptNotice, RestoresNotice, WaveNotice
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import AskedHow, Restore, RestoreState, Returned, WhyNot
from reclaim.domain.roles import Actor, Role
from reclaim.errors import Conflict, NotAuthorized, Refusal, WriteBackError
from reclaim.services.campaign_report import make_report
from reclaim.services.collect_evidence import collect
from reclaim.services.evidence_files import to_json
from tests.services.campaign_world import DAY, HOUR, CampaignWorld, actor
from tests.services.world import ALLAN, LONG_AGO, LYNNE, MEGAN, OPERATOR, PROJECT, VISIO, VISIO_GROUP, person, seat

PLANS = ("plan-a", "plan-b")


async def removed(world: CampaignWorld, *holders: str) -> list[ItemId]:
    """Let a campaign remove these people's seats to the end; return their items."""
    await world.open()
    await world.revoke(*holders)
    await world.close()
    await world.wait(2 * HOUR)
    assert {
        holder: outcome for holder, outcome in (await world.outcomes()).items() if holder in holders
    } == dict.fromkeys(holders, Outcome.REMOVED)
    return await world.ids(*holders)


def hire(world: CampaignWorld, ref: str, *groups: GroupId | None, off: tuple[str, ...] = ()) -> None:
    """Add an idle person in Switzerland; a direct seat has these plans off."""
    held = seat(ref, VISIO, *groups)
    paths = tuple(path if path.group_id else replace(path, disabled_plans=off) for path in held.paths)
    world.directory.add(replace(person(ref, seen_days=120), usage_location="CH"), replace(held, paths=paths))


async def restore_of(world: CampaignWorld, item: ItemId) -> Restore:
    async with world.work.read() as work:
        return (await work.restores.of_items([item]))[item]


async def undo(world: CampaignWorld, item: ItemId, by: str = LYNNE) -> Restore:
    await world.restores.undo(actor(by), item)
    await world.settle()
    return await restore_of(world, item)


def direct_path(world: CampaignWorld, ref: str) -> Path:
    (found,) = world.directory.held[PersonId(ref)]
    return found.paths[0]


async def test_trap_17_a_direct_seat_comes_back_with_the_plans_that_were_off(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada", off=PLANS)
    (item,) = await removed(world, "ada")
    assert not world.holds("ada")

    done = await undo(world, item)

    assert done.state is RestoreState.RESTORED
    assert set(direct_path(world, "ada").disabled_plans) == set(PLANS)
    assert await world.events(EventKind.RESTORE_ASKED, EventKind.RESTORE_INTENDED, EventKind.RESTORE_WRITTEN) == [
        EventKind.RESTORE_ASKED,
        EventKind.RESTORE_INTENDED,
        EventKind.RESTORE_WRITTEN,
    ]
    assert await world.events(EventKind.RESTORE_VERIFIED) == [EventKind.RESTORE_VERIFIED]


async def test_trap_04_a_group_seat_is_restored_only_once_it_is_seen_again(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada", VISIO_GROUP)
    (item,) = await removed(world, "ada")
    world.writer.group_delay = timedelta(hours=3)

    first = await undo(world, item)
    assert (first.state, "ada" in world.directory.members[VISIO_GROUP]) == (RestoreState.RESTORING, True)
    await world.wait(5 * HOUR)

    assert (await restore_of(world, item)).state is RestoreState.RESTORED
    assert [call.method for call in world.writer.given] == ["join_group"], "a member is not made one twice"


@pytest.mark.parametrize("both", [True, False])
async def test_trap_07_a_license_comes_back_after_the_one_that_it_needs(campaigns: CampaignWorld, both: bool) -> None:
    world = campaigns
    world.hire("ada", seat("ada", VISIO), seat("ada", PROJECT))
    world.change("ada", usage_location="CH")
    await world.open()
    await world.revoke("ada")
    await world.revoke("ada", product=PROJECT)
    world.writer.depends = {PROJECT: VISIO}
    await world.close()
    base, add_on = (await world.item("ada", product=PROJECT)).id, (await world.item("ada")).id

    # The one that needs the other is written first: that is how Microsoft sees them.
    await world.restores.undo(actor(LYNNE), add_on)
    if both:
        await world.restores.undo(actor(LYNNE), base)
    await world.wait(HOUR)

    ended = await restore_of(world, add_on)
    assert (ended.state, ended.why_not) == (
        (RestoreState.RESTORED, None) if both else (RestoreState.FAILED, WhyNot.REFUSED)
    )
    assert world.holds("ada") is both


async def test_the_saving_of_a_restored_seat_is_taken_back(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    hire(world, "ben")
    ada, _ = await removed(world, "ada", "ben")
    assert (await world.status()).verified_count == 2

    await undo(world, ada)

    status = await world.status()
    assert (status.verified_count, status.restored_count, status.regranted_count) == (1, 1, 0)
    assert dict(status.outcomes)[Outcome.REMOVED] == 2, "how an item ended is never rewritten"
    closed = [one for one in world.messenger.to(LYNNE) if isinstance(one, CampaignClosedNotice)]
    assert closed[-1].status.verified_count == 1
    told = [one.restores for one in world.messenger.to(LYNNE) if isinstance(one, RestoresNotice)]
    assert (told[-1].restored, told[-1].restoring, told[-1].failed) == (1, 0, 0)


@pytest.mark.parametrize(
    "who", [OPERATOR, actor(MEGAN), Actor(id=LYNNE, channel="web", roles=frozenset({Role.AUDITOR}))]
)
async def test_only_an_admin_or_license_manager_in_person_undoes(campaigns: CampaignWorld, who: Actor) -> None:
    hire(campaigns, "ada")
    (item,) = await removed(campaigns, "ada")

    with pytest.raises(NotAuthorized):
        await campaigns.restores.undo(who, item)
    with pytest.raises(NotAuthorized):
        await campaigns.restores.undo_campaign(who, campaigns.campaign_id)

    assert not campaigns.writer.given


async def test_no_available_licenses_is_said_with_the_number_and_can_be_tried_again(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await world.wait(HOUR)
    sold = world.directory.sold[VISIO]
    world.directory.sold[VISIO] = replace(sold, consumed=sold.enabled)

    failed = await undo(world, item)
    assert (failed.state, failed.why_not, failed.detail) == (RestoreState.FAILED, WhyNot.NO_FREE_SEAT, "50")
    assert not world.writer.given, "nothing is written where no seat is free"

    world.directory.sold[VISIO] = sold
    again = await undo(world, item)

    assert again.state is RestoreState.RESTORED
    assert world.holds("ada")


async def test_right_after_the_removal_the_count_lags_and_microsoft_itself_decides(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    await world.open()
    await world.revoke("ada")
    await world.close()
    (item,) = await world.ids("ada")
    sold = world.directory.sold[VISIO]
    world.directory.sold[VISIO] = replace(sold, consumed=sold.enabled)  # as before the removal

    assert (await undo(world, item)).state is RestoreState.RESTORED


async def test_a_group_is_not_joined_while_nobody_knows_whether_a_seat_is_free(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada", VISIO_GROUP)
    await world.open()
    await world.revoke("ada")
    await world.close()
    await world.wait(timedelta(minutes=6))
    item = await world.item("ada")
    assert item.outcome is Outcome.REMOVED
    sold = world.directory.sold[VISIO]
    world.directory.sold[VISIO] = replace(sold, consumed=sold.enabled)
    assert world.clock.now() - (item.verified_at or LONG_AGO) < timedelta(minutes=10)

    waiting = await undo(world, item.id)
    assert (waiting.state, world.writer.given) == (RestoreState.RESTORING, [])
    world.directory.sold[VISIO] = sold
    await world.wait(HOUR)

    assert (await restore_of(world, item.id)).state is RestoreState.RESTORED


def no_location(world: CampaignWorld) -> None:
    world.change("ada", usage_location=None)


def gone(world: CampaignWorld) -> None:
    world.change("ada", gone_at=world.clock.now())


def not_sold(world: CampaignWorld) -> None:
    del world.directory.sold[VISIO]


@pytest.mark.parametrize(
    ("change", "why"),
    [(no_location, WhyNot.USAGE_LOCATION), (gone, WhyNot.PERSON_GONE), (not_sold, WhyNot.PRODUCT_GONE)],
)
async def test_trap_18_what_microsoft_would_refuse_is_known_before_the_write(
    campaigns: CampaignWorld, change: Callable[[CampaignWorld], None], why: WhyNot
) -> None:
    hire(campaigns, "ada")
    (item,) = await removed(campaigns, "ada")
    change(campaigns)

    failed = await undo(campaigns, item)

    assert (failed.state, failed.why_not) == (RestoreState.FAILED, why)
    assert not campaigns.writer.given


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (None, WhyNot.GROUP_GONE),
        ({"dynamic": True}, WhyNot.GROUP_CHANGED),
        ({"synced": True}, WhyNot.GROUP_CHANGED),
        ({"sku_ids": (VISIO, PROJECT)}, WhyNot.GROUP_CHANGED),
        ({"sku_ids": ()}, WhyNot.GROUP_CHANGED),
    ],
)
async def test_a_group_that_is_gone_or_has_changed_is_not_joined(
    campaigns: CampaignWorld, facts: dict[str, object] | None, why: WhyNot
) -> None:
    world = campaigns
    hire(world, "ada", VISIO_GROUP)
    (item,) = await removed(world, "ada")
    known = world.directory.group_facts.pop(VISIO_GROUP)
    if facts is not None:
        world.directory.group_facts[VISIO_GROUP] = replace(known, **facts)  # type: ignore[arg-type]

    failed = await undo(world, item)

    assert (failed.state, failed.why_not) == (RestoreState.FAILED, why)
    assert not world.writer.given
    world.directory.group_facts[VISIO_GROUP] = known


@pytest.mark.parametrize(
    ("refusal", "why"),
    [(Refusal.NO_AVAILABLE_LICENSES, WhyNot.NO_FREE_SEAT), (Refusal.USAGE_LOCATION, WhyNot.USAGE_LOCATION)],
)
async def test_what_microsoft_refuses_all_the_same_is_said_in_its_words(
    campaigns: CampaignWorld, refusal: Refusal, why: WhyNot
) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    error = WriteBackError("No.", permanent=True, maybe_applied=False, status=400, refusal=refusal)
    world.writer.fail("assign_direct", error)

    failed = await undo(world, item)

    assert (failed.state, failed.why_not) == (RestoreState.FAILED, why)


async def test_a_lost_answer_is_read_before_anything_is_written_again(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    world.writer.fail("assign_direct", WriteBackError("Lost.", maybe_applied=True))

    first = await undo(world, item)
    assert (first.state, first.steps[0].maybe_written) == (RestoreState.RESTORING, True)
    await world.wait(HOUR)

    done = await restore_of(world, item)
    assert (done.state, done.steps[0].attempt) == (RestoreState.RESTORED, 1)
    assert len(world.writer.given) == 1


async def test_a_busy_directory_is_asked_again_later(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    world.writer.fail("assign_direct", WriteBackError("Busy.", maybe_applied=False, status=429), times=2)

    await undo(world, item)
    await world.wait(HOUR)

    assert (await restore_of(world, item)).state is RestoreState.RESTORED


async def test_a_freeze_stops_a_restore_and_it_goes_on_afterwards(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await world.freezing.freeze(actor(LYNNE), "wrong people")

    waiting = await undo(world, item)
    await world.wait(DAY)
    assert (waiting.state, world.writer.given) == (RestoreState.RESTORING, [])

    await world.resume()
    await world.settle()

    assert (await restore_of(world, item)).state is RestoreState.RESTORED


async def test_a_dry_run_of_the_installation_gives_nothing_back(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    hire(world, "ben")
    ada, ben = await removed(world, "ada", "ben")
    await world.restores.undo(actor(LYNNE), ada)
    await world.restart(replace(world.policy, writes=WriteMode.DRY_RUN))
    await world.settle()

    failed = await restore_of(world, ada)
    assert (failed.state, failed.why_not) == (RestoreState.FAILED, WhyNot.DRY_RUN)
    with pytest.raises(Conflict, match="dry run"):
        await world.restores.undo(actor(LYNNE), ben)
    assert not world.writer.given


async def test_after_the_window_and_for_what_was_not_removed_there_is_no_undo(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    hire(world, "ben")
    await world.open()
    await world.revoke("ada")
    await world.keep("ben")
    await world.close()
    ada, ben = await world.ids("ada", "ben")

    with pytest.raises(Conflict, match="did not remove this seat"):
        await world.restores.undo(actor(LYNNE), ben)
    await world.wait(31 * DAY)
    with pytest.raises(Conflict, match="more than 30 days ago"):
        await world.restores.undo(actor(LYNNE), ada)


async def test_two_who_ask_at_once_restore_once(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await world.restores.undo(actor(LYNNE), item)

    with pytest.raises(Conflict, match="being restored already"):
        await world.restores.undo(actor("rosa"), item)
    await world.settle()
    with pytest.raises(Conflict, match="restored already"):
        await world.restores.undo(actor("rosa"), item)

    assert len(world.writer.given) == 1


async def test_what_somebody_else_took_is_not_ours_to_give(campaigns: CampaignWorld) -> None:
    """Microsoft said that there was nothing to remove: another hand was first."""
    world = campaigns
    hire(world, "ada", None, VISIO_GROUP, off=PLANS)
    await world.open()
    await world.revoke("ada")

    async def another_hand() -> None:
        world.directory.drop_path(PersonId("ada"), ProductId(VISIO), None)

    world.writer.during = another_hand
    await world.close()
    await world.wait(2 * HOUR)
    (item,) = await world.ids("ada")

    done = await undo(world, item)

    assert [step.ref for step in done.steps] == [VISIO_GROUP]
    assert [call.method for call in world.writer.given] == ["join_group"]


async def test_undo_of_a_campaign_shows_first_and_restores_all_of_it(campaigns: CampaignWorld) -> None:
    world = campaigns
    for ref in ("ada", "ben", "cleo"):
        hire(world, ref)
    await removed(world, "ada", "ben", "cleo")

    preview = await world.restores.preview(world.campaign_id)
    only = await world.restores.preview(world.campaign_id, PersonId("ben"))
    assert (preview.seats, only.seats, only.person_name) == (3, 1, "Ben Example")
    assert not world.writer.given

    assert await world.restores.undo_campaign(actor(LYNNE), world.campaign_id, PersonId("ben")) == 1
    await world.settle()
    assert (world.holds("ada"), world.holds("ben")) == (False, True)
    after = await world.restores.preview(world.campaign_id)
    assert (after.seats, after.stays) == (2, (("This seat was restored already.", 1),))

    assert await world.restores.undo_campaign(actor(LYNNE), world.campaign_id) == 2
    await world.settle()
    assert all(world.holds(ref) for ref in ("ada", "ben", "cleo"))
    with pytest.raises(Conflict):
        await world.restores.undo_campaign(actor(LYNNE), world.campaign_id)


async def test_the_holder_gets_the_seat_back_at_once_and_the_owner_is_told(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    before = [one.receipt for one in world.messenger.to("ada") if isinstance(one, ReceiptNotice)]
    assert before[-1].seats[0].way is not None
    assert before[-1].seats[0].way.open

    await world.restores.get_back(actor("ada"), item, AskedHow.RECEIPT)
    await world.settle()

    assert world.holds("ada")
    receipt = [one.receipt for one in world.messenger.to("ada") if isinstance(one, ReceiptNotice)][-1]
    way = receipt.seats[0].way
    assert way is not None
    assert way.reversal is not None
    assert (way.open, way.reversal.how) == (False, Returned.RESTORED)
    told = [one.restores for one in world.messenger.to(LYNNE) if isinstance(one, RestoresNotice)][-1]
    assert (told.restored, told.asked_back, told.lines[0].asked_by_name) == (1, 1, "Ada Example")
    assert (await world.status()).asked_back == 1, "a false positive is counted"


@pytest.mark.parametrize("who", ["ben", MEGAN, LYNNE, ALLAN])
async def test_nobody_else_gets_a_holders_seat_back_on_the_receipt(campaigns: CampaignWorld, who: str) -> None:
    hire(campaigns, "ada")
    (item,) = await removed(campaigns, "ada")

    with pytest.raises(NotAuthorized):
        await campaigns.restores.get_back(actor(who), item, AskedHow.RECEIPT)


async def test_what_is_there_already_is_not_written_and_counts_as_restored(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada", off=PLANS)
    (item,) = await removed(world, "ada")
    world.give("ada")  # by somebody, with all plans on

    done = await undo(world, item)

    assert done.state is RestoreState.RESTORED
    assert not world.writer.given
    assert direct_path(world, "ada").disabled_plans == (), "what another hand gave is left as it is"


async def test_the_evidence_says_what_came_back_and_counts_it_as_gone_no_more(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    hire(world, "ben", VISIO_GROUP)
    ada, ben = await removed(world, "ada", "ben")
    await undo(world, ada)

    async with world.work.read() as reading:
        evidence = await collect(reading, world.campaign_id, policy=world.policy, clock=world.clock)

    report = make_report(evidence)
    assert [seat.item.id for seat in report.gone] == [ben]
    (back,) = report.came_back
    assert (back.item.id, back.came_back and back.came_back.restored) == (ada, True)
    told = {one["id"]: one["came_back"] for one in json.loads(to_json(evidence))["items"]}
    assert told[ben] is None
    assert told[ada]["how"] == "restored"


async def test_the_reviewer_sees_on_list_and_card_that_the_seat_is_back_or_why_it_is_not(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await world.wait(HOUR)
    sold = world.directory.sold[VISIO]
    world.directory.sold[VISIO] = replace(sold, consumed=sold.enabled)
    lists = len({one.delivery.message_id for one in world.messenger.sent if isinstance(one.notice, WaveNotice)})

    await undo(world, item)
    (row,) = world.cards(MEGAN)[-1].wave.answered
    assert row.way is not None
    assert (row.way.restore and row.way.restore.why_not, row.way.open) == (WhyNot.NO_FREE_SEAT, True)

    world.directory.sold[VISIO] = sold
    await undo(world, item)
    (row,) = world.cards(MEGAN)[-1].wave.answered
    seen = (await world.waves.item(item, MEGAN)).way
    assert row.way == seen
    assert seen is not None
    assert seen.restore is not None
    assert (seen.restore.state, seen.back) == (RestoreState.RESTORED, True)
    assert lists == len({one.delivery.message_id for one in world.messenger.sent if isinstance(one.notice, WaveNotice)})
