"""The emergency brake at every moment, and who may let go of it."""

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.notices import ResumeAskedNotice
from reclaim.domain.orders import OrderState
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Waiting
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized, WriteBackError
from tests.services.campaign_world import DAY, HOUR, ROSA, CampaignWorld, actor
from tests.services.world import LYNNE, MEGAN, OPERATOR, PROJECT, VISIO, VISIO_GROUP, seat

BUSY = WriteBackError("Microsoft is busy.", maybe_applied=False, status=429)


async def _approved(world: CampaignWorld, *holders: str) -> None:
    for ref in holders:
        world.hire(ref)
    await world.open()
    await world.revoke(*holders)


async def test_a_freeze_before_the_close_lets_decisions_be_made_and_nothing_be_written(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada")
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    await campaigns.close()
    await campaigns.wait(3 * HOUR)

    found = await campaigns.campaign()
    assert (found.state, found.pause_reason) == (CampaignState.PAUSED, "frozen")
    assert campaigns.writer.calls == []
    view = await campaigns.freezing.view()
    assert (view.frozen, view.by_name, view.waiting) == (True, "Lynne Example", 1)


async def test_after_the_resume_the_removals_go_on(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada", "ben")
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.close()

    await campaigns.resume()
    await campaigns.settle()

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.REMOVED}
    assert await campaigns.state() is CampaignState.CLOSED


async def test_a_freeze_after_the_look_and_before_the_intent_stops_the_write(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.directory.during = lambda: campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    await campaigns.close()

    assert campaigns.writer.calls == []
    assert (await campaigns.item("ada")).waiting is Waiting.FROZEN
    assert (await campaigns.order("ada")).state is OrderState.FROZEN


async def test_a_campaign_that_was_abandoned_after_the_look_is_not_written(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")

    async def abandon() -> None:
        await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
        await campaigns.closing.abandon(actor(LYNNE), campaigns.campaign_id)
        await campaigns.resume()

    campaigns.directory.during = abandon
    await campaigns.close()
    await campaigns.wait(HOUR)

    assert campaigns.writer.writes == []
    assert await campaigns.outcomes() == {"ada": Outcome.SUPERSEDED}
    assert (await campaigns.order("ada")).state is OrderState.DONE


async def test_a_job_that_a_resume_has_replaced_writes_nothing_and_the_new_one_does(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    await campaigns.settle()
    campaigns.clock.at = (await campaigns.campaign()).may_close_at
    await campaigns.due.tick()
    await campaigns.engine.handlers["close"](next(job for job in campaigns.engine.queued if job.kind == "close"))
    old = next(job for job in campaigns.engine.queued if job.kind == "writeback")

    async def stop_and_go() -> None:
        await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
        await campaigns.resume()
        release = next(job for job in campaigns.engine.queued if job.kind == "release")
        await campaigns.engine.handlers["release"](release)

    campaigns.directory.during = stop_and_go
    await campaigns.applying.handle(old)
    by_the_old = list(campaigns.writer.writes)
    await campaigns.settle()

    assert by_the_old == []
    assert len(campaigns.writer.writes) == 1
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_a_write_whose_call_is_on_its_way_is_finished_and_none_starts_after_the_freeze(
    campaigns: CampaignWorld,
) -> None:
    await _approved(campaigns, "ada", "ben")
    campaigns.writer.during = lambda: campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    await campaigns.close()
    frozen = await campaigns.outcomes()
    await campaigns.resume()
    await campaigns.settle()

    assert frozen == {"ada": Outcome.REMOVED, "ben": None}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.REMOVED}
    assert len(campaigns.writer.writes) == 2


async def test_a_freeze_between_two_seats_of_one_person_stops_the_second(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO, VISIO_GROUP), seat("ada", PROJECT))
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.revoke("ada", product=PROJECT)
    campaigns.writer.during = lambda: campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    await campaigns.close()
    frozen = await campaigns.outcomes()
    await campaigns.resume()
    await campaigns.settle()

    assert frozen == {"ada": None, "ada sku-project": Outcome.REMOVED}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ada sku-project": Outcome.REMOVED}


async def test_a_removal_that_waits_for_its_next_try_is_frozen_too(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", BUSY)
    await campaigns.close()

    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.wait(DAY / 2)
    calls = len(campaigns.writer.writes)
    await campaigns.resume()
    await campaigns.settle()

    assert calls == 1
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_what_was_written_is_verified_while_frozen_and_the_resume_closes_the_campaign(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    campaigns.writer.group_delay = 2 * HOUR
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.close()
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    await campaigns.wait(6 * HOUR)
    verified = (await campaigns.outcomes(), await campaigns.state())
    await campaigns.resume()
    await campaigns.settle()

    assert verified == ({"ada": Outcome.REMOVED}, CampaignState.PAUSED)
    assert await campaigns.state() is CampaignState.CLOSED


async def test_freezing_twice_is_a_conflict_and_each_needs_a_reason(campaigns: CampaignWorld) -> None:
    with pytest.raises(InvalidRequest, match="Please say in one sentence why"):
        await campaigns.freezing.freeze(actor(LYNNE), " ")
    with pytest.raises(InvalidRequest, match="at most 500 characters"):
        await campaigns.freezing.freeze(actor(LYNNE), "x" * 501)
    with pytest.raises(Conflict, match="There is nothing to resume"):
        await campaigns.freezing.ask_resume(actor(LYNNE), "well")
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    with pytest.raises(Conflict, match="frozen already"):
        await campaigns.freezing.freeze(actor(ROSA), "me too")


async def test_the_resume_needs_another_admin_in_person(campaigns: CampaignWorld) -> None:
    await campaigns.sync()
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    view = await campaigns.freezing.ask_resume(actor(LYNNE), "all is well again")
    ref = view.resume_ref or ""

    with pytest.raises(NotAuthorized, match="another admin confirms"):
        await campaigns.freezing.confirm_resume(actor(LYNNE), ref)
    with pytest.raises(NotAuthorized, match="in person"):
        await campaigns.freezing.confirm_resume(OPERATOR, ref)
    with pytest.raises(NotAuthorized, match="in person"):
        await campaigns.freezing.confirm_resume(actor(MEGAN), ref)
    still = (await campaigns.freezing.view()).frozen
    after = await campaigns.freezing.confirm_resume(actor(ROSA), ref)

    assert [type(notice) for notice in campaigns.messenger.to(ROSA)] == [ResumeAskedNotice]
    assert campaigns.messenger.to(LYNNE) == []
    assert (still, after.frozen) == (True, False)
    with pytest.raises(Conflict, match="settled in the meantime"):
        await campaigns.freezing.confirm_resume(actor(ROSA), ref)


async def test_a_request_about_an_earlier_freeze_cannot_end_the_present_one(campaigns: CampaignWorld) -> None:
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    view = await campaigns.freezing.ask_resume(actor(LYNNE), "all is well again")
    await campaigns.freezing.confirm_resume(actor(ROSA), view.resume_ref or "")
    await campaigns.freezing.freeze(actor(LYNNE), "wrong again")

    with pytest.raises(Conflict, match="settled in the meantime"):
        await campaigns.freezing.confirm_resume(actor(ROSA), view.resume_ref or "")


async def test_freezing_and_resuming_often_does_not_use_up_the_tries(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.close()
    for _ in range(10):
        await campaigns.resume()
        await campaigns.freezing.freeze(actor(LYNNE), "wrong again")
        await campaigns.settle()
    campaigns.writer.fail("remove_direct", BUSY)

    await campaigns.resume()
    await campaigns.settle()
    waiting = await campaigns.outcomes()
    await campaigns.wait(HOUR)

    assert waiting == {"ada": None}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_after_a_resume_a_removal_has_all_its_tries_again(campaigns: CampaignWorld) -> None:
    await _approved(campaigns, "ada")
    campaigns.writer.fail("remove_direct", BUSY, times=8)
    await campaigns.close()
    await campaigns.wait(HOUR + HOUR / 10)
    tried = len(campaigns.writer.writes)
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")

    await campaigns.resume()
    await campaigns.settle()
    await campaigns.wait(HOUR)

    assert tried == 7
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_frozen_and_resumed_are_attested(campaigns: CampaignWorld) -> None:
    await campaigns.freezing.freeze(actor(LYNNE), "something is wrong")
    await campaigns.resume()

    async with campaigns.work.read() as work:
        stored, _ = await work.events.newest(10)
    assert [one.event.kind for one in reversed(stored)] == [
        EventKind.FROZEN,
        EventKind.RESUME_ASKED,
        EventKind.RESUMED,
    ]
    assert [value.value for value in stored[-1].event.values] == ["something is wrong"]
