"""The data-loss guard (rule 6, trap 16): a seat with the last mailbox goes only on its own card, by who knows it."""

from dataclasses import replace

import pytest

from reclaim.domain.removal import Blocker, Outcome, StepKind
from reclaim.domain.review import Choice, DataLoss
from reclaim.domain.tasks import NEED_A_PERSON
from reclaim.errors import Conflict
from tests.services.campaign_world import E5, CampaignWorld, actor
from tests.services.world import E3, MEGAN, VISIO, seat


async def decide(world: CampaignWorld, holder: str, data_loss: DataLoss, *, bulk: bool = False, key: str = "k") -> None:
    item = await world.item(holder, E3)
    await world.decisions.decide(actor(MEGAN), [item.id], Choice.REVOKE, idem_key=key, bulk=bulk, data_loss=data_loss)


async def opened(world: CampaignWorld) -> None:
    world.hire("ben", seat("ben", E3))
    await world.open()


async def test_a_seat_whose_loss_was_accepted_is_removed_and_verified(campaigns: CampaignWorld) -> None:
    await opened(campaigns)
    item = await campaigns.item("ben", E3)
    assert [step.kind for step in item.plan.steps] == [StepKind.DIRECT]
    assert not item.plan.writable

    await decide(campaigns, "ben", DataLoss.ANYWAY)
    await campaigns.close()

    assert await campaigns.outcomes() == {"ben sku-e3": Outcome.REMOVED}
    assert not campaigns.holds("ben", E3)


async def test_the_trail_says_that_the_loss_was_accepted_and_by_whom(campaigns: CampaignWorld) -> None:
    await opened(campaigns)

    await decide(campaigns, "ben", DataLoss.ANYWAY)

    async with campaigns.work.read() as reading:
        events, _ = await reading.events.newest(5)
    made = next(one for one in events if one.event.kind.value == "decision_made")
    assert b'"data_loss":"anyway"' in made.event.body
    assert f'"actor":"{MEGAN}"'.encode() in made.event.body


async def test_never_from_a_bulk_answer(campaigns: CampaignWorld) -> None:
    await opened(campaigns)

    item = await campaigns.item("ben", E3)
    result = await campaigns.decisions.decide(
        actor(MEGAN), [item.id], Choice.REVOKE, idem_key="k", bulk=True, data_loss=DataLoss.ANYWAY
    )

    assert (result.done, result.skipped) == (0, (("held", 1),))
    assert (await campaigns.item("ben", E3)).answer is None


async def test_converting_first_writes_nothing_and_leaves_a_task_that_is_checked(campaigns: CampaignWorld) -> None:
    await opened(campaigns)

    await decide(campaigns, "ben", DataLoss.CONVERT_FIRST)
    await campaigns.close()

    item = await campaigns.item("ben", E3)
    assert (item.outcome, item.outcome_reason) == (Outcome.NOT_SUPPORTED, "convert_first")
    assert item.outcome in NEED_A_PERSON
    assert campaigns.holds("ben", E3)
    assert campaigns.writer.calls == []

    # Somebody converts it and takes the license by hand; that it is gone is read, not believed.
    campaigns.directory.held[item.person_id] = ()
    await campaigns.tasks.done(actor("lynne"), item.id, "converted, CHG-7")
    await campaigns.settle()
    assert (await campaigns.item("ben", E3)).outcome is Outcome.MANUAL_DONE


async def test_an_installation_that_holds_such_seats_takes_no_such_answer(campaigns: CampaignWorld) -> None:
    await campaigns.restart(replace(campaigns.policy, may_lose_data=False))
    await opened(campaigns)

    with pytest.raises(Conflict, match="The rules of this installation hold"):
        await decide(campaigns, "ben", DataLoss.ANYWAY)
    assert not (await campaigns.waves.item((await campaigns.item("ben", E3)).id, MEGAN)).may_lose_data


async def test_an_answer_about_data_does_not_fit_a_seat_without(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    item = await campaigns.item("ada", VISIO)

    with pytest.raises(Conflict, match="takes no mailbox"):
        await campaigns.decisions.decide(
            actor(MEGAN), [item.id], Choice.REVOKE, idem_key="k", bulk=False, data_loss=DataLoss.ANYWAY
        )


async def test_a_mailbox_that_became_the_last_after_an_ordinary_revoke_is_still_held(campaigns: CampaignWorld) -> None:
    campaigns.hire("ben", seat("ben", E3), seat("ben", E5))
    await campaigns.open()
    assert (await campaigns.item("ben", E3)).plan.writable
    await campaigns.revoke("ben", product=E3)
    item = await campaigns.item("ben", E5)
    campaigns.directory.held[item.person_id] = tuple(
        one for one in campaigns.directory.held[item.person_id] if one.product_id == E3
    )

    await campaigns.close()

    assert (await campaigns.item("ben", E3)).outcome is Outcome.HELD
    assert campaigns.holds("ben", E3)


async def test_undo_before_the_close_takes_the_acceptance_back_too(campaigns: CampaignWorld) -> None:
    await opened(campaigns)
    await decide(campaigns, "ben", DataLoss.ANYWAY)
    item = await campaigns.item("ben", E3)
    assert item.accepts_loss

    await campaigns.decisions.undo(actor(MEGAN), item.answer.batch_id, idem_key="u")  # type: ignore[union-attr]
    await campaigns.close()

    assert await campaigns.outcomes() == {"ben sku-e3": Outcome.KEPT}
    assert item.plan.blocker is Blocker.LAST_MAILBOX
