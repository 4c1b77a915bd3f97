"""Several direct licenses of one person: one call, and seat by seat where Microsoft does not take it."""

from dataclasses import replace
from datetime import date

import pytest

from reclaim.domain.campaign import Scope
from reclaim.domain.directory import ServicePlan
from reclaim.domain.ids import PersonId
from reclaim.domain.orders import StepState
from reclaim.domain.removal import Outcome
from reclaim.errors import WriteBackError
from tests.services.campaign_world import HOUR, CampaignWorld
from tests.services.world import PROJECT, VISIO, seat

REMOVED = {"ada": Outcome.REMOVED, "ada sku-project": Outcome.REMOVED}


async def _two_approved(world: CampaignWorld) -> None:
    world.hire("ada", seat("ada", VISIO), seat("ada", PROJECT))
    await world.open()
    await world.revoke("ada")
    await world.revoke("ada", product=PROJECT)


def _calls(world: CampaignWorld) -> list[set[str]]:
    """Return what each call asked for."""
    numbers = dict.fromkeys(write.number for write in world.writer.writes)
    return [{write.ref for write in world.writer.writes if write.number == number} for number in numbers]


async def test_direct_licenses_of_one_person_go_in_one_call_under_one_id(campaigns: CampaignWorld) -> None:
    await _two_approved(campaigns)

    await campaigns.close()

    assert _calls(campaigns) == [{VISIO, PROJECT}]
    assert await campaigns.outcomes() == REMOVED
    steps = await campaigns.steps("ada")
    assert [step.state for step in steps] == [StepState.VERIFIED] * 2
    assert {step.client_request_id for step in steps} == set(campaigns.writer.client_request_ids)


async def test_trap_07_what_depends_on_another_product_goes_after_it(campaigns: CampaignWorld) -> None:
    await _two_approved(campaigns)
    campaigns.writer.together = False
    campaigns.writer.depends = {PROJECT: VISIO, VISIO: "sku-of-nobody"}

    await campaigns.close()

    assert _calls(campaigns)[0] == {VISIO, PROJECT}
    assert await campaigns.outcomes() == REMOVED


async def test_trap_07_what_a_refusal_taught_is_planned_for_and_goes_first_the_next_time(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    for product in (VISIO, PROJECT):
        sold = world.directory.sold[product]
        world.directory.sold[product] = replace(sold, plans=(*sold.plans, ServicePlan(f"plan-of-{product}", "OWN")))
    for ref in ("ada", "ben"):
        world.hire(ref, seat(ref, VISIO), seat(ref, PROJECT))
    world.writer.together = False
    world.writer.depends = {PROJECT: VISIO}
    world.writer.plan_needs = {f"plan-of-{VISIO}": frozenset({f"plan-of-{PROJECT}"})}
    await world.open(scope=Scope(person_ids=(PersonId("ada"),)))
    assert (await world.item("ada", product=PROJECT)).plan.needed_by == ()
    await world.revoke("ada")
    await world.revoke("ada", product=PROJECT)
    await world.close()
    assert await world.outcomes() == REMOVED

    await world.open(ref="draft-2", due=date(2026, 12, 22), scope=Scope(person_ids=(PersonId("ben"),)))
    item = await world.item("ben", product=PROJECT)
    await world.revoke("ben")
    await world.revoke("ben", product=PROJECT)
    before = len(world.writer.writes)
    await world.close()

    assert item.plan.needed_by == (VISIO,)
    assert item.snapshot.path_names[VISIO].startswith("Visio")
    assert [step.product_id for step in await world.steps("ben")] == [VISIO, PROJECT]
    assert [one.ref for one in world.writer.writes[before:] if one.took] == [VISIO, PROJECT]


async def test_what_can_never_go_fails_and_the_other_seat_is_removed(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO), seat("ada", PROJECT))
    await campaigns.open()
    await campaigns.revoke("ada")
    await campaigns.revoke("ada", product=PROJECT)
    campaigns.writer.refused = {("ada", PROJECT)}

    await campaigns.close()

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ada sku-project": Outcome.FAILED}


async def test_trap_21_one_license_that_somebody_else_took_does_not_count_for_the_others(
    campaigns: CampaignWorld,
) -> None:
    await _two_approved(campaigns)

    async def taken() -> None:
        campaigns.directory.drop_path(PersonId("ada"), PROJECT, None)

    campaigns.writer.during = taken
    await campaigns.close()

    assert _calls(campaigns)[0] == {VISIO, PROJECT}
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ada sku-project": Outcome.ALREADY_ABSENT}


@pytest.mark.parametrize("landed", [True, False])
async def test_a_lost_answer_to_the_one_call_is_read_for_every_seat_of_it(
    campaigns: CampaignWorld, landed: bool
) -> None:
    await _two_approved(campaigns)
    campaigns.writer.fail("remove_direct", WriteBackError("The answer was lost.", maybe_applied=True, status=500))
    campaigns.writer.apply = landed
    await campaigns.close()
    steps = await campaigns.steps("ada")
    campaigns.writer.apply = True

    await campaigns.wait(HOUR)

    assert [step.state for step in steps] == [StepState.INTENDED] * 2
    assert await campaigns.outcomes() == REMOVED
    assert len(_calls(campaigns)) == (1 if landed else 3)


async def test_two_campaigns_have_one_write_for_a_person_in_flight(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO), seat("ada", PROJECT))
    await campaigns.open(scope=Scope(days=90, product_ids=(VISIO,)))
    await campaigns.revoke("ada")
    await campaigns.open(ref="second", scope=Scope(days=90, product_ids=(PROJECT,)))
    await campaigns.revoke("ada", product=PROJECT)
    await campaigns.settle()
    campaigns.clock.at = (await campaigns.campaign()).may_close_at
    await campaigns.due.tick()
    for close in list(campaigns.engine.queued):
        await campaigns.engine.handlers[close.kind](close)
    one, other = (job for job in campaigns.engine.queued if job.kind == "writeback")
    during: list[int] = []

    async def meanwhile() -> None:
        await campaigns.elsewhere.handle(other)
        during.append(campaigns.writer.made)

    campaigns.writer.during = meanwhile
    await campaigns.applying.handle(one)
    await campaigns.wait(HOUR)

    assert during == [1], "the other campaign wrote while a call was on its way"
    assert [write.took for write in campaigns.writer.writes] == [True, True]
