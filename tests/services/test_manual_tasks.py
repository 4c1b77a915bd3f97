"""Seats that a person has to take by hand: nothing is dropped, and nobody's word is a proof."""

import json
from dataclasses import replace

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import ItemId, PersonId
from reclaim.domain.removal import Outcome
from reclaim.domain.roles import Actor
from reclaim.domain.tasks import TaskState
from reclaim.errors import Conflict, DirectoryError, InvalidRequest, NotFound
from tests.services.campaign_world import CampaignWorld, actor
from tests.services.world import LYNNE, VISIO, VISIO_GROUP, group, seat

NOTE = "Taken out of the rule, ticket 4711"


def lynne() -> Actor:
    return actor(LYNNE)


async def left_to_a_person(world: CampaignWorld) -> ItemId:
    """Approve a seat whose group becomes dynamic before the write."""
    world.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    await world.open()
    await world.revoke("ada")
    world.directory.group_facts[VISIO_GROUP] = replace(group(VISIO_GROUP, VISIO), dynamic=True)
    await world.close()
    return (await world.item("ada")).id


async def test_an_approved_seat_that_reclaim_may_not_take_is_a_task_and_the_campaign_closes(
    campaigns: CampaignWorld,
) -> None:
    item = await left_to_a_person(campaigns)

    found = await campaigns.tasks.list(None)

    assert await campaigns.state() is CampaignState.CLOSED
    assert [(row.item.id, row.task.state) for row in found.rows] == [(item, TaskState.OPEN)]
    assert (found.total, found.retriable, found.pages) == (1, 0, 1)


async def test_what_is_said_to_be_done_is_read_and_then_done(campaigns: CampaignWorld) -> None:
    item = await left_to_a_person(campaigns)
    campaigns.directory.held.pop(PersonId("ada"))

    at_once = await campaigns.tasks.done(lynne(), item, NOTE)
    await campaigns.settle()

    assert (at_once.task.state, at_once.item.outcome) == (TaskState.CHECKING, Outcome.NOT_SUPPORTED)
    ended = await campaigns.item("ada")
    assert (ended.outcome, ended.outcome_reason) == (Outcome.MANUAL_DONE, "done_by_hand")
    assert ended.verified_at == campaigns.clock.now()
    assert (await campaigns.tasks.list(None)).total == 0
    kinds = await campaigns.events(EventKind.TASK_DONE, EventKind.TASK_CHECKED)
    assert kinds == [EventKind.TASK_DONE, EventKind.TASK_CHECKED]


async def test_what_is_still_there_stays_a_task_with_the_path_that_gives_it(campaigns: CampaignWorld) -> None:
    item = await left_to_a_person(campaigns)

    await campaigns.tasks.done(lynne(), item, NOTE)
    await campaigns.settle()

    view = await campaigns.tasks.get(item)
    assert (view.task.state, view.task.note, view.by_name) == (TaskState.STILL_THERE, NOTE, "Lynne Example")
    assert view.task.via == (VISIO_GROUP,)
    assert (await campaigns.item("ada")).outcome is Outcome.NOT_SUPPORTED


async def test_a_second_report_is_looked_at_again(campaigns: CampaignWorld) -> None:
    item = await left_to_a_person(campaigns)
    await campaigns.tasks.done(lynne(), item, NOTE)
    await campaigns.settle()
    campaigns.directory.held.pop(PersonId("ada"))

    await campaigns.tasks.done(lynne(), item, "Now really")
    await campaigns.settle()

    assert (await campaigns.item("ada")).outcome is Outcome.MANUAL_DONE


async def test_a_read_that_fails_leaves_the_task_to_the_next_sync(campaigns: CampaignWorld) -> None:
    item = await left_to_a_person(campaigns)
    campaigns.directory.held.pop(PersonId("ada"))
    campaigns.writer.fail("read_back", DirectoryError("down"))
    await campaigns.tasks.done(lynne(), item, NOTE)
    await campaigns.settle()
    assert (await campaigns.item("ada")).outcome is Outcome.NOT_SUPPORTED

    await campaigns.sync()

    ended = await campaigns.item("ada")
    assert (ended.outcome, ended.outcome_reason) == (Outcome.MANUAL_DONE, "gone_at_sync")


async def test_a_seat_that_vanishes_without_a_word_is_done_at_the_next_sync_and_one_that_stays_is_not(
    campaigns: CampaignWorld,
) -> None:
    await left_to_a_person(campaigns)
    await campaigns.sync()
    assert (await campaigns.item("ada")).outcome is Outcome.NOT_SUPPORTED
    campaigns.directory.held.pop(PersonId("ada"))

    await campaigns.sync()

    assert (await campaigns.item("ada")).outcome is Outcome.MANUAL_DONE


async def test_a_task_can_be_given_up_and_is_closed_for_everybody_then(campaigns: CampaignWorld) -> None:
    item = await left_to_a_person(campaigns)

    view = await campaigns.tasks.keep(lynne(), item)

    assert (view.item.outcome, view.item.outcome_reason) == (Outcome.KEPT, "kept_instead")
    assert campaigns.holds("ada")
    for late in (campaigns.tasks.keep(lynne(), item), campaigns.tasks.done(lynne(), item, NOTE)):
        with pytest.raises(Conflict):
            await late


async def test_what_was_done_must_be_said_and_stays_out_of_the_event_body(campaigns: CampaignWorld) -> None:
    item = await left_to_a_person(campaigns)
    for nothing in ("", "  \n ", "x" * 1_001):
        with pytest.raises(InvalidRequest) as raised:
            await campaigns.tasks.done(lynne(), item, nothing)
        assert raised.value.field == "note"
    with pytest.raises(NotFound):
        await campaigns.tasks.done(lynne(), ItemId("nobody's"), NOTE)

    await campaigns.tasks.done(lynne(), item, NOTE)

    async with campaigns.work.read() as work:
        stored = await work.events.of_campaign(campaigns.campaign_id)
    (event,) = [one for one in stored if one.event.kind is EventKind.TASK_DONE]
    assert "4711" not in event.event.body.decode()
    assert {value.field: value.value for value in event.event.values} == {"note": NOTE}
    assert json.loads(event.event.body)["facts"] == {"attempt": 1}


async def test_everything_approved_is_somewhere(campaigns: CampaignWorld) -> None:
    for ref in ("ben", "cleo"):
        campaigns.hire(ref)
    campaigns.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    await campaigns.open()
    await campaigns.revoke("ada", "ben", "cleo")
    campaigns.directory.group_facts[VISIO_GROUP] = replace(group(VISIO_GROUP, VISIO), dynamic=True)
    campaigns.sign_in("cleo")
    await campaigns.close()

    outcomes = await campaigns.outcomes()

    tasks = await campaigns.tasks.list(await campaigns.campaign())
    assert outcomes == {"ada": Outcome.NOT_SUPPORTED, "ben": Outcome.REMOVED, "cleo": Outcome.ACTIVE_AGAIN}
    assert tasks.total == sum(outcome is Outcome.NOT_SUPPORTED for outcome in outcomes.values())
