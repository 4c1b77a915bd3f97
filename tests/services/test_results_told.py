"""What reviewers and holders are told after the close: once, in place, and only what is true."""

from datetime import timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Silence, WriteMode
from reclaim.domain.ids import MessageId
from reclaim.domain.notices import CampaignClosedNotice, ReceiptNotice, SummaryNotice
from reclaim.domain.read_models import ReviewSummary, SeatReceipt
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import AskedHow
from reclaim.domain.review import Choice
from reclaim.errors import DeliveryError, WriteBackError
from reclaim.ports.storage import MessageRecord
from tests.services.campaign_world import DAY, HOUR, NORA, CampaignWorld, actor
from tests.services.world import LYNNE, MEGAN, PROJECT, VISIO, seat


def summaries(world: CampaignWorld, who: str) -> list[ReviewSummary]:
    return [notice.summary for notice in world.messenger.to(who) if isinstance(notice, SummaryNotice)]


def receipts(world: CampaignWorld, who: str) -> list[SeatReceipt]:
    return [notice.receipt for notice in world.messenger.to(who) if isinstance(notice, ReceiptNotice)]


def messages(world: CampaignWorld, who: str, kind: type) -> int:
    """Return how many messages of this kind stand in the person's chat; updates are none of their own."""
    return sum(one.person == who and isinstance(one.notice, kind) and not one.updated for one in world.messenger.sent)


async def test_a_whole_campaign_tells_its_owner_its_reviewers_and_its_holders(campaigns: CampaignWorld) -> None:
    world = campaigns
    for ref in ("ada", "ben", "cleo"):
        world.hire(ref)
    world.hire("dora", manager=NORA)
    await world.open()
    await world.revoke("ada", "ben")
    await world.keep("cleo")
    await world.pass_on("dora", MEGAN, by=NORA)
    await world.keep("dora")
    world.sign_in("ben")

    await world.close()

    final = summaries(world, MEGAN)[-1]
    assert messages(world, MEGAN, SummaryNotice) == 1
    assert (len(final.answered), len(final.unanswered), final.running) == (4, 0, False)
    assert [item.outcome for item in final.chosen(Choice.REVOKE)] in (
        [Outcome.REMOVED, Outcome.ACTIVE_AGAIN],
        [Outcome.ACTIVE_AGAIN, Outcome.REMOVED],
    )
    (receipt,) = receipts(world, "ada")
    assert [(one.item.product_id, one.approved_by) for one in receipt.seats] == [(VISIO, "Megan Example")]
    assert receipts(world, "ben") == receipts(world, "cleo") == receipts(world, "dora") == []
    closed = world.messenger.to(LYNNE)[-1]
    assert isinstance(closed, CampaignClosedNotice)
    assert closed.status.verified_count == 1
    told = await world.events(EventKind.RESULT_TOLD)
    assert len(told) >= 2


async def test_the_summary_counts_what_was_passed_on_and_what_became_of_it(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.hire("ada")
    world.hire("ben")
    await world.open()
    await world.pass_on("ada", NORA)
    await world.keep("ben")
    await world.revoke("ada", by=NORA)

    await world.close()

    final = summaries(world, MEGAN)[-1]
    assert [(item.person_id, item.answer.choice) for item in final.passed_on if item.answer] == [("ada", Choice.REVOKE)]


async def test_who_passed_everything_on_is_told_what_became_of_it(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.pass_on("ada", NORA)
    await campaigns.revoke("ada", by=NORA)

    await campaigns.close()

    final = summaries(campaigns, MEGAN)[-1]
    assert (final.answered, final.unanswered) == ((), ())
    assert [item.outcome for item in final.passed_on] == [Outcome.REMOVED]
    assert messages(campaigns, MEGAN, SummaryNotice) == 1


async def test_while_removals_run_the_summary_is_updated_in_place(campaigns: CampaignWorld) -> None:
    world = campaigns
    for ref in ("ada", "ben"):
        world.hire(ref)
    await world.open()
    await world.revoke("ada", "ben")
    world.writer.busy.add(("ben", VISIO))

    await world.close()

    running = summaries(world, MEGAN)[-1]
    assert await world.state() is CampaignState.APPLYING
    assert running.running
    assert [i.person_id for i in running.approved if i.outcome is Outcome.REMOVED] == ["ada"]
    assert len(receipts(world, "ada")) == 1
    assert receipts(world, "ben") == []

    world.writer.busy.clear()
    world.writer.forgive()
    await world.wait(DAY)

    assert await world.state() is CampaignState.CLOSED
    assert not summaries(world, MEGAN)[-1].running
    assert messages(world, MEGAN, SummaryNotice) == 1
    assert messages(world, "ben", ReceiptNotice) == 1


async def test_who_answered_nothing_gets_no_summary_where_silence_keeps(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()

    await campaigns.close()

    assert await campaigns.state() is CampaignState.CLOSED
    assert summaries(campaigns, MEGAN) == []


async def test_seats_that_silence_removes_are_told_to_the_reviewer_and_the_holder(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open(silence=Silence.REMOVE)

    await campaigns.close()

    final = summaries(campaigns, MEGAN)[-1]
    assert (final.answered, [item.outcome for item in final.by_silence]) == ((), [Outcome.REMOVED])
    (receipt,) = receipts(campaigns, "ada")
    assert [one.approved_by for one in receipt.seats] == [None]


async def test_a_holder_of_several_seats_gets_one_message_that_lists_them(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO), seat("ada", PROJECT))
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.revoke("ada", product=PROJECT)

    await campaigns.close()

    assert messages(campaigns, "ada", ReceiptNotice) == 1
    assert [one.item.product_id for one in receipts(campaigns, "ada")[-1].seats] == [PROJECT, VISIO]


async def test_no_receipt_for_a_dry_run_nor_for_what_was_gone_already(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await campaigns.open(mode=WriteMode.DRY_RUN)
    await campaigns.revoke("ada")

    await campaigns.close()

    assert receipts(campaigns, "ada") == []
    assert summaries(campaigns, MEGAN)[-1].mode is WriteMode.DRY_RUN


async def test_no_receipt_where_somebody_else_took_the_seat(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.directory.held.clear()

    await campaigns.close()

    assert await campaigns.outcomes() == {"ada": Outcome.ALREADY_ABSENT}
    assert receipts(campaigns, "ada") == []


async def test_no_receipt_before_the_seat_is_seen_to_be_gone(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.writer.fail("read_back", WriteBackError("No answer.", maybe_applied=False))

    await campaigns.close()
    before = receipts(campaigns, "ada")
    await campaigns.wait(HOUR)

    assert before == []
    assert len(receipts(campaigns, "ada")) == 1


async def test_a_holder_whom_no_channel_reaches_stops_nothing(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    campaigns.messenger.unreachable.add((await campaigns.item("ada")).person_id)

    await campaigns.close()

    assert await campaigns.state() is CampaignState.CLOSED
    assert receipts(campaigns, "ada") == []


@pytest.mark.parametrize(("kind", "about"), [("consent.receipt", "receipt"), ("review.summary", "summary")])
async def test_a_result_that_a_channel_failed_to_take_is_told_an_hour_later(
    campaigns: CampaignWorld, kind: str, about: str
) -> None:
    world = campaigns
    world.hire("ada")
    await world.open()
    await world.revoke("ada")
    await world.close()
    item = await world.item("ada")
    person = item.person_id if about == "receipt" else MEGAN
    told = len(world.messenger.to(person))
    # As the outbox leaves it: a message that died, later than the one that arrived.
    world.clock.advance(timedelta(minutes=1))
    dead = MessageRecord(
        id=(await _live_id(world, person, f"{about}:{world.campaign_id}")),
        person_id=person,
        channel="web",
        conversation="c",
        matter=f"{about}:{world.campaign_id}",
        kind=kind,
        state="dead",
        version=2,
        external_id=None,
        payload_sha256=None,
        data_as_of=None,
        created_at=world.clock.now(),
        sent_at=None,
        error=DeliveryError.code,
    )
    async with world.work.write() as work:
        await work.messages.put(dead)
        await work.commit()

    await world.wait(HOUR)

    assert len(world.messenger.to(person)) == told + 1


async def _live_id(world: CampaignWorld, person: str, matter: str) -> MessageId:
    async with world.work.read() as work:
        (one,) = [record for record in await work.messages.live_of_matter(matter) if record.person_id == person]
    return one.id


async def test_holders_are_told_so_many_a_minute_and_whoever_asks_for_a_seat_waits_for_none_of_them(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    for ref in ("ada", "ben", "cleo"):
        world.hire(ref)
    await world.open()
    await world.revoke("ada", "ben", "cleo")

    await world.close()

    assert [len(receipts(world, ref)) for ref in ("ada", "ben", "cleo")] == [1, 1, 1]
    assert world.clock.slept.count(60 / world.policy.receipts_per_minute) == 3

    item = (await world.item("ada")).id
    await world.restores.get_back(actor("ada"), item, AskedHow.RECEIPT)
    await world.settle()

    assert len(receipts(world, "ada")) > 1
    assert world.clock.slept.count(60 / world.policy.receipts_per_minute) == 3


async def test_an_abandoned_campaign_brings_the_summary_to_its_end(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.hire("ada")
    await world.open()
    await world.revoke("ada")
    await world.freezing.freeze(actor(LYNNE), "wrong seats")
    await world.close()
    assert summaries(world, MEGAN)[-1].running

    await world.closing.abandon(actor(LYNNE), world.campaign_id)
    await world.settle()

    assert not summaries(world, MEGAN)[-1].running
    assert receipts(world, "ada") == []


async def test_by_reviewer_tells_open_seats_and_the_last_reminder(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.hire("ada")
    world.hire("ben")
    world.hire("cleo", manager=NORA)
    await world.open()
    await world.keep("ada")
    await world.keep("cleo", by=NORA)
    before = await world.statuses.reviewers(world.campaign_id)
    await world.wait(timedelta(days=7))

    after = await world.statuses.reviewers(world.campaign_id, page=9)

    assert [(row.name, row.seats, row.open, row.last_reminded_at) for row in before.rows] == [
        ("Megan Example", 2, 1, None),
        ("Nora Example", 1, 0, None),
    ]
    assert (after.page, after.pages, after.total) == (1, 1, 2)
    assert [row.last_reminded_at is not None for row in after.rows] == [True, False]
