"""The sentinel, and the question to who signs in again: found by the next complete sync, said once."""

from dataclasses import replace
from datetime import timedelta

from reclaim.domain.attestation import EventKind
from reclaim.domain.directory import Path
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import GroupId, MessageId, PersonId, RunId
from reclaim.domain.notices import AskBackNotice, CameBackNotice, SummaryNotice
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import AskedHow, RestoreState, Returned
from reclaim.domain.syncing import SyncKind
from reclaim.ports.storage import MessageRecord
from reclaim.services.exclude_seats import ExcludeSeats
from tests.services.campaign_world import DAY, HOUR, ROSA, CampaignWorld, actor
from tests.services.test_undo import hire, removed, restore_of, undo
from tests.services.world import LONG_AGO, LYNNE, MEGAN, VISIO, VISIO_GROUP, group, seat

OTHER_GROUP = GroupId("group-other")


def came_back(world: CampaignWorld, who: str) -> list[CameBackNotice]:
    return [one for one in world.messenger.to(who) if isinstance(one, CameBackNotice)]


def questions(world: CampaignWorld, who: str) -> list[AskBackNotice]:
    return [one for one in world.messenger.to(who) if isinstance(one, AskBackNotice)]


async def test_a_seat_given_again_through_a_group_is_found_named_and_no_longer_saved(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.directory.group_facts[OTHER_GROUP] = group(OTHER_GROUP, VISIO)
    hire(world, "ada")
    hire(world, "ben")
    await removed(world, "ada", "ben")
    world.give("ada", VISIO, OTHER_GROUP)

    await world.sync()

    for who in (LYNNE, ROSA):
        (told,) = came_back(world, who)
        assert (told.came_back.seats, [line.item.person_id for line in told.came_back.lines]) == (1, ["ada"])
        assert told.came_back.lines[0].way.through == ("Group group-other",)
    status = await world.status()
    assert (status.verified_count, status.regranted_count, status.restored_count) == (1, 1, 0)
    assert await world.events(EventKind.REGRANT_FOUND) == [EventKind.REGRANT_FOUND]
    summary = [one.summary for one in world.messenger.to(MEGAN) if isinstance(one, SummaryNotice)][-1]
    assert summary.reversed == {(await world.item("ada")).id}


async def test_a_return_is_told_once_however_often_the_sync_follows_up(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    await removed(world, "ada")
    world.give("ada")
    await world.sync()
    async with world.work.read() as work:
        run = await work.syncs.newest_complete()
    assert run is not None

    await world.watching.after_sync(RunId(run.id))
    await world.sync()

    assert len(came_back(world, LYNNE)) == 1
    assert await world.events(EventKind.REGRANT_FOUND) == [EventKind.REGRANT_FOUND]


async def test_a_return_that_a_run_of_changes_reads_is_told_then_and_by_no_later_sync(campaigns: CampaignWorld) -> None:
    world = campaigns
    world.directory.group_facts[OTHER_GROUP] = group(OTHER_GROUP, VISIO)
    hire(world, "ada")
    hire(world, "ben")
    await removed(world, "ada", "ben")
    await world.sync()
    world.give("ada", VISIO, OTHER_GROUP)

    await world.sync(SyncKind.CHANGES)
    (told,) = came_back(world, LYNNE)
    await world.sync()

    assert [line.item.person_id for line in told.came_back.lines] == ["ada"]
    assert told.came_back.lines[0].way.through == ("Group group-other",)
    assert came_back(world, LYNNE) == [told]
    status = await world.status()
    assert (status.verified_count, status.regranted_count) == (1, 1)


async def test_what_a_run_of_changes_did_not_read_is_no_return(campaigns: CampaignWorld) -> None:
    """The row of a seat that was removed stands until the holder is read again, however long that takes."""
    world = campaigns
    hire(world, "ada")
    await removed(world, "ada")
    await world.wait(4 * DAY)
    world.directory.tells_late = True

    await world.sync(SyncKind.CHANGES)

    assert not came_back(world, LYNNE)


async def test_a_direct_return_is_said_to_be_direct(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    world.give("ada")

    await world.sync()

    (line,) = came_back(world, LYNNE)[0].came_back.lines
    assert line.way.reversal is not None
    assert (line.way.reversal.through, line.way.through, line.item.id) == (("direct",), (), item)


async def test_what_we_restored_ourselves_is_no_regrant(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    await undo(world, item)

    await world.sync()

    assert not came_back(world, LYNNE)
    status = await world.status()
    assert (status.restored_count, status.regranted_count) == (1, 0)


async def test_a_read_that_lags_behind_the_removal_is_no_return(campaigns: CampaignWorld) -> None:
    """Microsoft's replicas may show the seat as it was; after days that can no longer be the reason."""
    world = campaigns
    hire(world, "ada")
    await removed(world, "ada")
    old = replace(seat("ada", VISIO), paths=(Path(group_id=None, state="Active", updated_at=LONG_AGO),))
    world.directory.held[PersonId("ada")] = (old,)

    await world.sync()
    assert not came_back(world, LYNNE)

    await world.wait(4 * DAY)
    await world.sync()
    assert len(came_back(world, LYNNE)) == 1


async def test_a_path_in_an_error_state_is_no_return(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    await removed(world, "ada")
    broken = Path(group_id=VISIO_GROUP, state="Error", error="CountViolation", updated_at=world.clock.now())
    world.directory.held[PersonId("ada")] = (replace(seat("ada", VISIO), paths=(broken,)),)

    await world.sync()

    assert not came_back(world, LYNNE)


async def test_trap_06_a_seat_given_again_after_the_approval_is_never_stripped(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    await world.open()
    await world.revoke("ada")
    world.clock.advance(timedelta(minutes=5))
    world.give("ada")  # on purpose, after the approval

    await world.close()

    item = await world.item("ada")
    assert (item.outcome, world.holds("ada"), world.writer.writes) == (Outcome.REGRANTED, True, [])


async def test_who_signs_in_again_is_asked_once_and_gets_the_seat_without_a_ticket(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    hire(world, "ben")
    ada, _ = await removed(world, "ada", "ben")
    await world.wait(DAY)
    world.sign_in("ada")

    await world.sync()
    await world.sync()

    (asked,) = questions(world, "ada")
    assert (asked.question.way.open, asked.question.asked.signed_in_at) == (True, world.clock.now())
    assert not questions(world, "ben")
    assert not world.writer.given, "a question gives nothing back"

    await world.restores.get_back(actor("ada"), ada, AskedHow.ASKED_BACK)
    await world.settle()

    assert world.holds("ada")
    assert (await restore_of(world, ada)).state is RestoreState.RESTORED
    reversal = questions(world, "ada")[-1].question.way.reversal
    assert reversal is not None
    assert reversal.how is Returned.RESTORED
    assert (await world.status()).asked_back == 1
    assert await world.events(EventKind.ASKED_BACK, EventKind.ASK_BACK_ANSWERED) == [
        EventKind.ASKED_BACK,
        EventKind.ASK_BACK_ANSWERED,
    ]


async def test_who_says_no_is_left_alone(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    world.clock.advance(HOUR)
    world.sign_in("ada")
    await world.sync()

    view = await world.restores.decline(actor("ada"), item)
    await world.sync()

    assert view.asked.wanted is False
    assert len(questions(world, "ada")) == 1
    assert not world.writer.given


async def test_nobody_is_asked_after_the_window_or_while_an_exclusion_holds_them(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    hire(world, "ben")
    await removed(world, "ada", "ben")
    excluding = ExcludeSeats(
        work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy, directory=world.directory
    )
    await excluding.add(actor(LYNNE), ExclusionKind.PERSON, "ada@contoso.example", reason="is leaving")
    world.engine.queued.clear()
    world.clock.advance(DAY)
    world.sign_in("ada")
    await world.sync()
    assert not questions(world, "ada")

    await world.wait(31 * DAY)
    world.sign_in("ben")
    await world.sync()
    assert not questions(world, "ben")


async def test_who_holds_the_seat_again_is_not_asked(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    await removed(world, "ada")
    world.clock.advance(DAY)
    world.sign_in("ada")
    world.give("ada")

    await world.sync()

    assert not questions(world, "ada")


async def test_a_channel_that_fails_is_tried_again(campaigns: CampaignWorld) -> None:
    world = campaigns
    hire(world, "ada")
    (item,) = await removed(world, "ada")
    world.clock.advance(DAY)
    world.sign_in("ada")
    world.messenger.unreachable.add(PersonId("ada"))
    await world.sync()
    assert not questions(world, "ada")
    async with world.work.write() as work:
        await work.messages.put(dead(world, f"ask_back:{item}"))
        await work.commit()

    world.messenger.unreachable.clear()
    await world.wait(2 * HOUR)

    assert len(questions(world, "ada")) == 1


def dead(world: CampaignWorld, matter: str) -> MessageRecord:
    """Return what the outbox leaves of a question that its channel did not take."""
    return MessageRecord(
        id=MessageId("dead"),
        person_id=PersonId("ada"),
        channel="fake",
        conversation="chat-ada",
        matter=matter,
        kind="consent.boomerang",
        state="dead",
        version=1,
        external_id=None,
        payload_sha256=None,
        data_as_of=None,
        created_at=world.clock.now(),
        sent_at=None,
    )
