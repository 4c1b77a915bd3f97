"""Appeals: who may, who decides, what silence does, and that a seat comes back by nothing but the ordinary restore."""

from dataclasses import replace

import pytest

from reclaim.domain.appeals import ANSWER_WITHIN, Appeal, AppealState, AppealTo
from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Silence
from reclaim.domain.ids import ItemId, PersonId
from reclaim.domain.notices import AppealNotice, ReceiptNotice
from reclaim.domain.restore import AskedHow, RestoreState, WhyNot
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized
from reclaim.services.campaign_report import make_report
from reclaim.services.collect_evidence import collect
from reclaim.services.evidence_files import to_json
from tests.services.campaign_world import DAY, HOUR, POLICY, ROSA, CampaignWorld, actor
from tests.services.test_undo import hire, removed, restore_of
from tests.services.test_way_back import dead
from tests.services.world import ALLAN, LYNNE, MEGAN, OPERATOR, VISIO

TEXT = "I draw the new plant every spring."


def questions(world: CampaignWorld, who: str) -> list[AppealNotice]:
    return [one for one in world.messenger.to(who) if isinstance(one, AppealNotice)]


def receipt_line(world: CampaignWorld, who: str = "ada") -> Appeal | None:
    """Return the appeal as it stands on the holder's newest receipt."""
    seats = [one for one in world.messenger.to(who) if isinstance(one, ReceiptNotice)][-1].receipt.seats
    return seats[0].appeal.appeal if seats[0].appeal else None


async def stored(world: CampaignWorld, item: ItemId) -> Appeal:
    async with world.work.read() as work:
        found = await work.appeals.get(item)
    assert found is not None
    return found


async def appealed(world: CampaignWorld) -> ItemId:
    """Let Ada's seat be taken with Megan's approval, and let Ada appeal."""
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await world.appeals.appeal(actor("ada"), item, f"  {TEXT} ")
    await world.settle()
    return item


async def test_an_appeal_goes_to_the_manager_and_their_yes_is_an_ordinary_restore(campaigns: CampaignWorld) -> None:
    world = campaigns
    item = await appealed(world)
    asked = await stored(world, item)
    assert (asked.to, asked.reviewer_id, asked.text) == (AppealTo.MANAGER, MEGAN, TEXT)
    assert asked.due_at == asked.asked_at + ANSWER_WITHIN
    shown = questions(world, MEGAN)[-1].appeal
    assert (shown.may_answer, shown.approved_by, shown.item.id) == (True, "Megan Example", item)
    assert receipt_line(world) == asked
    assert not questions(world, LYNNE)

    await world.appeals.grant(actor(MEGAN), item)
    await world.settle()

    restore = await restore_of(world, item)
    assert (restore.state, restore.how, restore.asked_by) == (RestoreState.RESTORED, AskedHow.APPEAL, MEGAN)
    assert world.holds("ada")
    assert [call.method for call in world.writer.given] == ["assign_direct"]
    after = questions(world, MEGAN)[-1].appeal
    assert (after.may_answer, after.line.appeal.state, after.way.back) == (False, AppealState.GRANTED, True)
    assert receipt_line(world) == after.line.appeal
    status = await world.status()
    assert (status.verified_count, status.restored_count, status.asked_back) == (0, 1, 1)
    with pytest.raises(Conflict):
        await world.appeals.refuse(actor(MEGAN), item, "")


async def test_left_removed_is_told_with_its_reason_and_is_not_asked_again(campaigns: CampaignWorld) -> None:
    world = campaigns
    item = await appealed(world)

    await world.appeals.refuse(actor(MEGAN), item, "The project has ended.")
    await world.settle()

    told = receipt_line(world)
    assert told is not None
    assert (told.state, told.reason, told.answered_by) == (AppealState.REFUSED, "The project has ended.", MEGAN)
    assert not world.writer.given
    with pytest.raises(Conflict, match="appealed already"):
        await world.appeals.appeal(actor("ada"), item, TEXT)
    with pytest.raises(Conflict):
        await world.appeals.grant(actor(MEGAN), item)


async def test_only_the_holder_appeals_and_only_who_has_it_answers(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    for other in (actor(MEGAN), actor(LYNNE), OPERATOR):
        with pytest.raises(NotAuthorized):
            await world.appeals.appeal(other, item, TEXT)
    for text in ("  ", "x" * 501):
        with pytest.raises(InvalidRequest):
            await world.appeals.appeal(actor("ada"), item, text)
    await world.appeals.appeal(actor("ada"), item, TEXT)
    await world.settle()

    for other in (actor("ada"), actor(LYNNE), actor(ALLAN), OPERATOR):
        with pytest.raises(NotAuthorized):
            await world.appeals.grant(other, item)
        with pytest.raises(NotAuthorized):
            await world.appeals.refuse(other, item, "no")
    for reader in (actor("ada"), actor(ALLAN)):
        with pytest.raises(NotAuthorized):
            await world.appeals.view(reader, item)
    assert not world.writer.given


async def test_without_an_answer_it_goes_on_once_and_then_it_stays_removed(campaigns: CampaignWorld) -> None:
    world = campaigns
    item = await appealed(world)
    first = (await stored(world, item)).due_at

    await world.until(first)
    moved = await stored(world, item)
    assert (moved.state, moved.to, moved.reviewer_id) == (AppealState.OPEN, AppealTo.ADMINS, None)
    assert moved.due_at == first + ANSWER_WITHIN
    assert receipt_line(world) == moved
    assert [questions(world, who)[-1].appeal.may_answer for who in (MEGAN, LYNNE, ROSA)] == [False, True, True]
    with pytest.raises(NotAuthorized):
        await world.appeals.grant(actor(MEGAN), item)

    await world.until(moved.due_at)
    ended = await stored(world, item)
    assert (ended.state, ended.ended_at) == (AppealState.LAPSED, moved.due_at)
    assert receipt_line(world) == ended
    assert not questions(world, LYNNE)[-1].appeal.may_answer
    assert not world.writer.given
    assert await world.events(EventKind.APPEALED, EventKind.APPEAL_MOVED, EventKind.APPEAL_ENDED) == [
        EventKind.APPEALED, EventKind.APPEAL_MOVED, EventKind.APPEAL_ENDED,
    ]  # fmt: skip
    with pytest.raises(Conflict):
        await world.appeals.grant(actor(LYNNE), item)


async def test_an_admin_answers_what_the_manager_did_not(campaigns: CampaignWorld) -> None:
    world = campaigns
    item = await appealed(world)
    await world.until((await stored(world, item)).due_at)

    await world.appeals.grant(actor(ROSA), item)
    await world.settle()

    assert (await restore_of(world, item)).state is RestoreState.RESTORED
    assert (await stored(world, item)).answered_by == ROSA


@pytest.mark.parametrize(
    ("manager_there", "fallback", "to", "who"),
    [
        (False, ALLAN, AppealTo.FALLBACK, ALLAN),
        (False, None, AppealTo.ADMINS, None),
        (True, ALLAN, AppealTo.MANAGER, MEGAN),
    ],
)
async def test_whom_an_appeal_reaches(
    campaigns: CampaignWorld, manager_there: bool, fallback: PersonId | None, to: AppealTo, who: PersonId | None
) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await world.restart(replace(POLICY, fallback_reviewer=fallback))
    async with world.work.write() as work:  # the campaign's own fallback reviewer comes first
        campaign = await world.campaign()
        await work.campaigns.save(replace(campaign, fallback_id=fallback, version=campaign.version + 1))
        await work.commit()
    world.change(MEGAN, enabled=manager_there)
    await world.sync()

    await world.appeals.appeal(actor("ada"), item, TEXT)
    await world.settle()

    found = await stored(world, item)
    assert (found.to, found.reviewer_id) == (to, who)
    for reader in [who] if who else [LYNNE, ROSA]:
        assert questions(world, reader)[-1].appeal.may_answer


async def test_late_in_the_window_who_it_goes_on_to_still_has_time(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    verified = (await world.item("ada")).verified_at
    assert verified is not None
    until = verified + POLICY.undo_window
    await world.until(until - 2 * DAY)
    await world.appeals.appeal(actor("ada"), item, TEXT)
    await world.settle()
    assert (await stored(world, item)).due_at == until - DAY

    await world.until(until - DAY)
    assert (await stored(world, item)).due_at == until
    await world.appeals.grant(actor(LYNNE), item)
    await world.settle()
    assert (await restore_of(world, item)).state is RestoreState.RESTORED


async def test_after_the_window_there_is_nothing_to_appeal(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await world.wait(POLICY.undo_window + HOUR)

    with pytest.raises(Conflict, match="more than 30 days ago"):
        await world.appeals.appeal(actor("ada"), item, TEXT)


async def test_a_seat_that_came_back_another_way_needs_no_answer(campaigns: CampaignWorld) -> None:
    world = campaigns
    item = await appealed(world)
    await world.restores.get_back(actor("ada"), item, AskedHow.RECEIPT)
    await world.settle()

    shown = questions(world, MEGAN)[-1].appeal
    assert (shown.may_answer, shown.way.back) == (False, True)
    with pytest.raises(Conflict):
        await world.appeals.grant(actor(MEGAN), item)
    with pytest.raises(Conflict):
        await world.appeals.refuse(actor(MEGAN), item, "")
    await world.wait(ANSWER_WITHIN + HOUR)
    assert (await stored(world, item)).state is AppealState.SETTLED
    assert not questions(world, LYNNE)


async def test_a_granted_seat_without_a_free_place_can_be_tried_again_by_its_holder(campaigns: CampaignWorld) -> None:
    world = campaigns
    item = await appealed(world)
    await world.wait(HOUR)
    sold = world.directory.sold[VISIO]
    world.directory.sold[VISIO] = replace(sold, consumed=sold.enabled)
    await world.appeals.grant(actor(MEGAN), item)
    await world.settle()
    failed = await restore_of(world, item)
    assert (failed.state, failed.why_not) == (RestoreState.FAILED, WhyNot.NO_FREE_SEAT)

    world.directory.sold[VISIO] = sold
    await world.restores.get_back(actor("ada"), item, AskedHow.RECEIPT)
    await world.settle()

    assert (await restore_of(world, item)).state is RestoreState.RESTORED


async def test_a_removal_by_silence_may_be_appealed_and_evidence_counts_it_without_names(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    hire(world, "ada")
    hire(world, "ben")
    await world.open(silence=Silence.REMOVE)
    await world.close()
    await world.wait(2 * HOUR)
    ada, ben = await world.ids("ada", "ben")
    await world.appeals.appeal(actor("ada"), ada, TEXT)
    await world.appeals.appeal(actor("ben"), ben, "I need it too.")
    await world.appeals.refuse(actor(MEGAN), ben, "Not this year.")
    await world.settle()

    assert questions(world, MEGAN)[0].appeal.approved_by is None
    async with world.work.read() as work:
        evidence = await collect(work, world.campaign_id, policy=world.policy, clock=world.clock)
    report = make_report(evidence)
    appeals = {seat.item.person_id: seat.appeal for seat in report.seats}
    assert {person: one.appeal.state for person, one in appeals.items() if one} == {
        "ada": AppealState.OPEN, "ben": AppealState.REFUSED,
    }  # fmt: skip
    assert (await world.status()).appeals == 2
    assert TEXT.encode() in to_json(evidence)
    bare = make_report(evidence, pseudonymous=True)
    assert all((one.appeal.text, one.appeal.reason) == ("", None) for one in (s.appeal for s in bare.seats) if one)
    bodies = b"".join(record.stored.event.body for record in evidence.records)
    assert TEXT.encode() not in bodies
    assert b"Not this year." not in bodies
    assert [r.values for r in evidence.records if r.stored.event.kind is EventKind.APPEALED] == [
        {"text": TEXT}, {"text": "I need it too."},
    ]  # fmt: skip


async def test_a_channel_that_fails_is_tried_again(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    world.messenger.unreachable.add(MEGAN)
    await world.appeals.appeal(actor("ada"), item, TEXT)
    await world.settle()
    assert not questions(world, MEGAN)
    async with world.work.write() as work:
        lost = replace(dead(world, f"appeal:{item}"), person_id=MEGAN, kind="appeal.decide")
        await work.messages.put(lost)
        await work.commit()

    world.messenger.unreachable.clear()
    await world.wait(2 * HOUR)

    assert len(questions(world, MEGAN)) == 1
