"""Over the soft limit a second admin confirms: who, exactly what, for how long, and what becomes of it."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Limits, Scope
from reclaim.domain.confirmation import VALID_FOR, LaunchState
from reclaim.domain.ids import CampaignId, PersonId
from reclaim.domain.notices import LaunchAskedNotice
from reclaim.domain.roles import Actor, Role
from reclaim.errors import Conflict, GuardrailExceeded, NotAuthorized, NotFound
from tests.services.campaign_world import POLICY, ROSA, CampaignWorld, actor
from tests.services.world import LYNNE, MEGAN, OPERATOR, draft

SMALL = replace(POLICY, limits=Limits(soft_seats=1, hard_seats=3, share_from=1_000))
REF = "draft-1"


@pytest.fixture
async def large(campaigns: CampaignWorld) -> CampaignWorld:
    """Two idle seats where one is the soft limit, and a draft over both."""
    campaigns.policy = SMALL
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    await campaigns.stop()
    await campaigns.start()
    await campaigns.sync()
    await campaigns.launching.put_draft(actor(LYNNE), draft(REF))
    return campaigns


async def _ask(world: CampaignWorld) -> str:
    request = await world.confirming.ask(actor(LYNNE), REF)
    await world.engine.drain()
    return request.ref


def _cards(world: CampaignWorld, person: PersonId) -> list[LaunchAskedNotice]:
    return [one for one in world.messenger.to(person) if isinstance(one, LaunchAskedNotice)]


async def _kinds(world: CampaignWorld) -> list[EventKind]:
    async with world.work.read() as reading:
        events, _ = await reading.events.newest(100)
    return [one.event.kind for one in events]


async def _state(world: CampaignWorld, ref: str) -> LaunchState:
    async with world.work.read() as reading:
        request = await reading.controls.launch_request(ref)
    assert request is not None
    return request.state


async def _no_campaign(world: CampaignWorld) -> bool:
    async with world.work.read() as reading:
        return await reading.campaigns.all() == []


async def test_over_the_soft_limit_nobody_starts_alone(large: CampaignWorld) -> None:
    preview = await large.launching.preview(actor(LYNNE), draft(REF))
    assert preview.over is not None
    assert (preview.over.selected, preview.over.limit, preview.over.hard, preview.waiting_for) == (2, 1, False, ())

    with pytest.raises(GuardrailExceeded):
        await large.launching.launch(actor(LYNNE), REF)

    assert await _no_campaign(large)


async def test_the_other_admins_are_asked_and_the_asker_waits(large: CampaignWorld) -> None:
    await _ask(large)

    [theirs] = _cards(large, ROSA)
    [own] = _cards(large, LYNNE)
    assert (theirs.to_asker, own.to_asker) == (False, True)
    assert theirs.request.preview is not None
    assert theirs.request.preview.items == 2
    assert own.request.asked_names == ("Rosa Example",)
    assert (await large.launching.preview(actor(LYNNE), draft(REF))).waiting_for == ("Rosa Example",)
    assert await _no_campaign(large)


async def test_the_second_admin_starts_it_and_both_are_attested(large: CampaignWorld) -> None:
    ref = await _ask(large)

    campaign = await large.confirming.confirm(actor(ROSA), ref)
    await large.engine.drain()

    assert (campaign.id, campaign.owner_id, campaign.state) == (REF, LYNNE, CampaignState.OPENING)
    assert {item.seat_id for item in await large.items(campaign.id)} == {"ada:sku-visio", "ben:sku-visio"}
    async with large.work.read() as reading:
        events, _ = await reading.events.newest(100)
    bodies = {one.event.kind: json.loads(one.event.body) for one in events}
    assert bodies[EventKind.LAUNCH_ASKED]["actor"] == LYNNE
    assert bodies[EventKind.LAUNCH_CONFIRMED]["actor"] == ROSA
    assert bodies[EventKind.CAMPAIGN_STARTED]["actor"] == LYNNE
    assert bodies[EventKind.CAMPAIGN_STARTED]["facts"]["confirmed_by"] == ROSA
    assert bodies[EventKind.CAMPAIGN_STARTED]["facts"]["request"] == ref
    assert [card.request.state for card in _cards(large, LYNNE)] == ["asked", "confirmed"]
    assert _cards(large, LYNNE)[-1].request.settled_by_name == "Rosa Example"
    assert (await large.campaign(campaign.id)).state is CampaignState.OPEN


async def test_a_license_manager_may_ask_and_not_confirm(large: CampaignWorld) -> None:
    manager = Actor(id=MEGAN, channel="web", roles=frozenset({Role.EMPLOYEE, Role.LICENSE_MANAGER}))
    ref = await _ask(large)

    with pytest.raises(NotAuthorized, match="the role Admin"):
        await large.confirming.confirm(manager, ref)

    assert await _state(large, ref) is LaunchState.ASKED


@pytest.mark.parametrize("who", [actor(LYNNE), OPERATOR, replace(OPERATOR, id=ROSA)])
@pytest.mark.parametrize("answer", ["confirm", "decline"])
async def test_neither_who_asked_nor_the_operator_answers(large: CampaignWorld, who: Actor, answer: str) -> None:
    ref = await _ask(large)

    with pytest.raises(NotAuthorized):
        await getattr(large.confirming, answer)(who, ref)

    assert await _state(large, ref) is LaunchState.ASKED
    assert await _no_campaign(large)


async def test_declined_starts_nothing_and_the_asker_reads_it(large: CampaignWorld) -> None:
    ref = await _ask(large)

    await large.confirming.decline(actor(ROSA), ref)
    await large.engine.drain()

    assert await _no_campaign(large)
    assert _cards(large, LYNNE)[-1].request.state == "declined"
    assert (await _kinds(large))[0] is EventKind.LAUNCH_DECLINED
    with pytest.raises(Conflict, match="settled in the meantime"):
        await large.confirming.confirm(actor(ROSA), ref)


async def test_a_request_is_answered_once(large: CampaignWorld) -> None:
    ref = await _ask(large)
    await large.confirming.confirm(actor(ROSA), ref)

    for answer in (large.confirming.confirm, large.confirming.decline):
        with pytest.raises(Conflict, match="settled in the meantime"):
            await answer(actor(ROSA), ref)
    with pytest.raises(Conflict, match="started already"):
        await large.confirming.ask(actor(LYNNE), REF)
    assert (await _kinds(large)).count(EventKind.CAMPAIGN_STARTED) == 1


async def test_the_asker_may_withdraw_and_nobody_else(large: CampaignWorld) -> None:
    ref = await _ask(large)
    with pytest.raises(NotFound):
        await large.confirming.withdraw(actor(ROSA), ref)

    await large.confirming.withdraw(actor(LYNNE), ref)
    await large.engine.drain()

    assert _cards(large, ROSA)[-1].request.state == "withdrawn"
    with pytest.raises(Conflict):
        await large.confirming.confirm(actor(ROSA), ref)
    await large.confirming.ask(actor(LYNNE), REF)  # and may ask anew


async def test_asking_twice_is_one_request_and_another_form_takes_its_place(large: CampaignWorld) -> None:
    first = await _ask(large)
    with pytest.raises(Conflict, match="asked already"):
        await large.confirming.ask(actor(LYNNE), REF)

    await large.launching.put_draft(actor(LYNNE), draft(REF, name="Another name"))
    second = await _ask(large)

    assert await _state(large, first) is LaunchState.WITHDRAWN
    assert await _state(large, second) is LaunchState.ASKED


async def test_a_form_that_was_changed_after_the_question_does_not_start(large: CampaignWorld) -> None:
    ref = await _ask(large)
    await large.launching.put_draft(actor(LYNNE), draft(REF, due=date(2026, 12, 24)))

    with pytest.raises(Conflict, match="The campaign was changed since"):
        await large.confirming.confirm(actor(ROSA), ref)
    await large.engine.drain()

    assert await _state(large, ref) is LaunchState.CHANGED
    assert _cards(large, LYNNE)[-1].request.state == "changed"
    assert await _no_campaign(large)


async def test_newer_data_with_other_seats_ends_the_request_and_with_the_same_seats_does_not(
    large: CampaignWorld,
) -> None:
    ref = await _ask(large)
    large.clock.advance(timedelta(hours=1))
    await large.sync()
    assert await _state(large, ref) is LaunchState.ASKED

    large.hire("cleo")
    large.clock.advance(timedelta(hours=1))
    await large.sync()

    assert await _state(large, ref) is LaunchState.CHANGED
    assert _cards(large, ROSA)[-1].request.state == "changed"
    assert (await _kinds(large)).count(EventKind.LAUNCH_LAPSED) == 1
    assert await _no_campaign(large)


async def test_newer_data_with_the_same_seats_can_still_be_confirmed(large: CampaignWorld) -> None:
    ref = await _ask(large)
    large.clock.advance(timedelta(hours=5))
    await large.sync()

    campaign = await large.confirming.confirm(actor(ROSA), ref)

    async with large.work.read() as reading:
        assert await reading.campaigns.next_seats(campaign.id) == (0, ["ada:sku-visio", "ben:sku-visio"])


async def test_a_seat_that_somebody_else_asks_about_meanwhile_changes_what_is_confirmed(large: CampaignWorld) -> None:
    ref = await _ask(large)
    one = draft("draft-2", scope=Scope(seat_ids=("ada:sku-visio",)))
    await large.launching.put_draft(actor(LYNNE), one)
    await large.launching.launch(actor(LYNNE), "draft-2")
    await large.engine.drain()

    with pytest.raises(Conflict, match="it is 1 seat now and not 2"):
        await large.confirming.confirm(actor(ROSA), ref)

    async with large.work.read() as reading:
        assert await reading.campaigns.get(CampaignId(REF)) is None


async def test_a_request_lapses_after_its_time(large: CampaignWorld) -> None:
    ref = await _ask(large)
    large.clock.advance(VALID_FOR)

    with pytest.raises(Conflict, match="The time to confirm is over"):
        await large.confirming.confirm(actor(ROSA), ref)
    assert await _state(large, ref) is LaunchState.EXPIRED


async def test_the_tick_lets_requests_lapse_and_knows_when(large: CampaignWorld) -> None:
    ref = await _ask(large)
    at = large.clock.now() + VALID_FOR
    async with large.work.read() as reading:
        assert [one.expires_at for one in await reading.controls.launch_requests_waiting()] == [at]
    assert at in await large.confirming.next_expiry()
    large.clock.advance(VALID_FOR)

    told = await large.due.tick()
    await large.engine.drain()

    assert "1 request to confirm lapsed." in told
    assert await _state(large, ref) is LaunchState.EXPIRED
    assert _cards(large, LYNNE)[-1].request.state == "expired"


async def test_old_data_is_not_acted_on_and_the_request_waits_for_fresh_data(large: CampaignWorld) -> None:
    ref = await _ask(large)
    large.clock.advance(timedelta(hours=30))

    with pytest.raises(Conflict, match="Read it again first"):
        await large.confirming.confirm(actor(ROSA), ref)

    assert await _state(large, ref) is LaunchState.ASKED


async def test_who_asked_must_still_run_campaigns(large: CampaignWorld) -> None:
    ref = await _ask(large)
    large.policy = replace(SMALL, admins=frozenset({ROSA}))
    await large.stop()
    await large.start()

    with pytest.raises(NotAuthorized, match="may not run campaigns any more"):
        await large.confirming.confirm(actor(ROSA), ref)


async def test_within_the_limit_or_over_the_hard_one_nobody_is_asked(large: CampaignWorld) -> None:
    await large.launching.put_draft(actor(LYNNE), draft("small", scope=Scope(seat_ids=("ada:sku-visio",))))
    with pytest.raises(Conflict, match="You can start it yourself"):
        await large.confirming.ask(actor(LYNNE), "small")
    for ref in ("cleo", "dora"):
        large.hire(ref)
    await large.sync()
    with pytest.raises(GuardrailExceeded, match=r"This campaign has 4 seats\. The limit is 3\."):
        await large.confirming.ask(actor(LYNNE), REF)


async def test_without_another_admin_nobody_can_confirm(large: CampaignWorld) -> None:
    large.policy = replace(SMALL, admins=frozenset({LYNNE}))
    await large.stop()
    await large.start()

    with pytest.raises(Conflict, match="Nobody else has the role Admin"):
        await large.confirming.ask(actor(LYNNE), REF)


async def test_only_the_own_draft_can_be_asked_about_and_no_simulation(large: CampaignWorld) -> None:
    with pytest.raises(NotFound):
        await large.confirming.ask(actor(ROSA), REF)
    with pytest.raises(NotAuthorized):
        await large.confirming.ask(OPERATOR, REF)
    await large.launching.put_draft(actor(LYNNE), replace(draft("looked-at"), simulated=True))
    with pytest.raises(NotFound):
        await large.confirming.ask(actor(LYNNE), "looked-at")


async def test_an_admin_who_cannot_be_reached_does_not_keep_the_others_from_being_asked(large: CampaignWorld) -> None:
    large.messenger.unreachable.add(LYNNE)

    await _ask(large)

    assert [one.to_asker for who in (LYNNE, ROSA) for one in _cards(large, who)] == [False]
