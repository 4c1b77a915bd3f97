"""Seats that a person has to take by hand: nothing is dropped, and nobody's word is a proof."""

import csv
import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import ItemId, PersonId
from reclaim.domain.money import Money, Total
from reclaim.domain.removal import Outcome
from reclaim.domain.roles import Actor
from reclaim.domain.tasks import TaskState
from reclaim.errors import Conflict, DirectoryError, InvalidRequest, NotFound
from reclaim.services.load_prices import LoadPrices
from reclaim.services.read_spend import ReadSpend
from tests.golden.report.reading import read, rows_of
from tests.services.campaign_world import CampaignWorld, actor
from tests.services.test_report import exporting, figures, last_ends
from tests.services.world import LYNNE, VISIO, VISIO_GROUP, group, seat

LINK = "https://tickets.example/browse?id=4711&view=all"
NOTE = "Taken out of the rule, ticket 4711"


def lynne() -> Actor:
    return actor(LYNNE)


async def left_to_a_person(world: CampaignWorld, *others: str) -> ItemId:
    """Approve a seat whose group becomes dynamic before the write, and these others."""
    world.hire("ada", seat("ada", VISIO, VISIO_GROUP))
    await world.open()
    await world.revoke("ada", *others)
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


async def one_of_each(world: CampaignWorld) -> None:
    """Let Reclaim take Ben's seat and a person take Ada's, both verified gone."""
    world.hire("ben")
    item = await left_to_a_person(world, "ben")
    await world.wait(timedelta(hours=1))
    world.directory.held.pop(PersonId("ada"))
    await world.tasks.done(lynne(), item, NOTE, LINK)
    await world.settle()


async def test_a_seat_taken_by_hand_is_verified_gone_and_every_sum_says_so(campaigns: CampaignWorld) -> None:
    world = campaigns
    loader = LoadPrices(work=world.work, clock=world.clock, tokens=world.tokens)
    await loader.from_csv("sku,amount,currency,period\nVISIOCLIENT,15.00,USD,month\n", "list")
    await one_of_each(world)

    status = await world.status()
    savings = (await ReadSpend(work=world.work, clock=world.clock, policy=world.policy).report()).savings
    table, evidence, report = await exporting(world).export(lynne(), world.campaign_id)

    each = Total(amounts=(Money(1500, "USD"),))
    both = each.plus(each)
    assert (status.verified_count, status.verified) == (2, both)
    assert (status.by_hand.seats, status.by_hand.monthly) == (1, each)
    assert (savings.removed.seats, savings.verified.seats, savings.by_hand.seats) == (2, 2, 1)
    assert savings.verified.monthly == both
    gone = json.loads(evidence.content)["verified_gone"]
    assert gone == {"by_us": 1, "by_hand": 1, "seats": 2}
    document = read(report.content.decode())
    assert figures(document) == ["2", "2", "2", "$30"]
    assert [len(rows_of(document, name)) for name in ("removed", "by-us", "by-hand")] == [2, 1, 1]
    ends = last_ends(list(csv.DictReader(StringIO(table.content.decode(), newline=""))))
    assert sorted(ends.values()) == ["manual_done", "removed"]
    async with world.work.read() as work:
        assert await work.savings.reclaimed(world.campaign_id) == {VISIO: 2}


async def test_a_seat_taken_by_hand_that_comes_back_saves_nothing_any_more(campaigns: CampaignWorld) -> None:
    world = campaigns
    await one_of_each(world)
    await world.wait(timedelta(hours=1))
    world.give("ada")

    await world.sync()

    status = await world.status()
    assert (status.verified_count, status.by_hand.seats, status.regranted_count) == (1, 0, 1)
    _, evidence, _ = await exporting(world).export(lynne(), world.campaign_id)
    assert json.loads(evidence.content)["verified_gone"] == {"by_us": 1, "by_hand": 0, "seats": 1}


async def test_what_was_done_stands_in_the_evidence_with_its_link_and_without_names_it_does_not(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    await one_of_each(world)

    _, evidence, report = await exporting(world).export(lynne(), world.campaign_id)
    bare = await exporting(world).report_file(lynne(), world.campaign_id, pseudonymous=True)

    hand = next(one["by_hand"] for one in json.loads(evidence.content)["items"] if one["person"]["id"] == "ada")
    assert (hand["note"], hand["link"], hand["by"]["id"]) == (NOTE, LINK, LYNNE)
    assert f'<a href="{LINK.replace("&", "&amp;")}" rel="noopener noreferrer">' in report.content.decode()
    assert NOTE in read(report.content.decode()).text
    assert b"tickets.example" not in bare.content
    async with world.work.read() as work:
        events = await work.events.of_campaign(world.campaign_id)
    assert all(b"tickets.example" not in stored.event.body for stored in events)


@pytest.mark.parametrize(
    "link",
    [
        "http://tickets.example/1",
        "javascript:alert(1)",
        "tickets.example/1",
        "https://",
        "https://bank.example@evil.example/",
        "https://a b.example",
        "https://[x/",
        "https://tickets.example/" + "x" * 500,
    ],
)
async def test_a_link_must_be_an_https_address_and_the_task_stays_open(campaigns: CampaignWorld, link: str) -> None:
    item = await left_to_a_person(campaigns)

    with pytest.raises(InvalidRequest) as refused:
        await campaigns.tasks.done(lynne(), item, NOTE, link)

    assert refused.value.field == "link"
    assert (await campaigns.tasks.get(item)).task.state is TaskState.OPEN
