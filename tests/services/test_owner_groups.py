"""License owners, and a group that has seats to answer: who is asked, whose answer counts, and who sees what."""

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Silence, Strategy
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import GroupId, PersonId
from reclaim.domain.notices import ListGoneNotice
from reclaim.domain.read_models import Wave
from reclaim.domain.removal import Outcome
from reclaim.domain.review import AssignedHow, Choice, FallbackWhy
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized, NotFound
from reclaim.services.due_work import RESEND
from tests.services.campaign_world import DUE, NORA, ROSA, CampaignWorld, actor
from tests.services.world import ALLAN, LYNNE, MEGAN, PROJECT, VISIO, group, seat

OWNERS = GroupId("11111111-2222-3333-4444-555555555555")


async def owned(world: CampaignWorld, *members: str, silence: Silence = Silence.KEEP) -> None:
    """Open a campaign whose Visio seats are a group's to answer; its members were read by a sync."""
    world.directory.group_facts[OWNERS] = group(OWNERS)
    world.directory.members[OWNERS] = [PersonId(one) for one in members]
    await world.sync()
    await world.owns(OWNERS, group=True)
    await world.open(strategy=Strategy.OWNER, silence=silence)


async def wave(world: CampaignWorld, who: str) -> Wave:
    found = await world.waves.wave(world.campaign_id, PersonId(who))
    assert found is not None
    return found


async def test_the_owner_of_the_sku_is_asked_and_the_fallback_where_there_is_none(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", VISIO), seat("ada", PROJECT))
    await campaigns.sync()
    await campaigns.owns("Nora Example")

    await campaigns.open(strategy=Strategy.OWNER)

    visio, project = await campaigns.item("ada"), await campaigns.item("ada", PROJECT)
    assert (visio.assignee_id, visio.assigned_how, visio.assigned_reason) == (NORA, AssignedHow.OWNER, None)
    assert (project.assignee_id, project.assigned_reason) == (ALLAN, "no_owner")


async def test_an_owners_own_seat_and_a_disabled_owners_seats_go_to_the_fallback(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire(NORA, manager=MEGAN)
    campaigns.hire("ben", seat("ben", PROJECT))
    campaigns.hire("cleo", seat("cleo", PROJECT))
    await campaigns.sync()
    await campaigns.owns(NORA)
    await campaigns.owns("cleo", PROJECT)
    campaigns.change("cleo", enabled=False)

    await campaigns.open(strategy=Strategy.OWNER)

    found = {str(item.seat_id): (item.assignee_id, item.assigned_reason) for item in await campaigns.items()}
    assert found["ada:sku-visio"] == (NORA, None)
    assert found["nora:sku-visio"] == (ALLAN, "own_seat")
    assert found["ben:sku-project"] == (ALLAN, "owner_disabled")


async def test_a_group_that_no_sync_has_read_is_said_and_its_seats_go_to_the_fallback(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    await campaigns.sync()
    await campaigns.owns(OWNERS, group=True)
    unread = (await campaigns.owning.owners()).rows
    async with campaigns.work.read() as work:
        assert await work.people.reviewers_in([OWNERS]) == {}
    assert next(row for row in unread if row.product_id == VISIO).trouble is FallbackWhy.GROUP_UNREAD

    await campaigns.open(strategy=Strategy.OWNER)

    # Microsoft knows no such group: the sync could not read it either.
    assert (await campaigns.item("ada")).assigned_reason == "group_unread"


async def test_the_sync_reads_the_members_and_the_name_of_an_owner_group(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)

    async with campaigns.work.read() as work:
        assert await work.people.reviewers_in([OWNERS]) == {OWNERS: {MEGAN, NORA}}
    row = next(one for one in (await campaigns.owning.owners()).rows if one.product_id == VISIO)
    assert (row.owner_name, row.kind, row.idle, row.trouble) == (f"Group {OWNERS}", AssigneeKind.GROUP, 1, None)


async def test_members_are_read_on_while_the_group_has_something_to_answer(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)
    await campaigns.owning.remove(actor(LYNNE), VISIO)

    await campaigns.sync()

    await campaigns.revoke("ada", by=NORA)
    assert (await campaigns.item("ada")).answer is not None


async def test_each_member_gets_the_card_but_not_the_holder(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire(ROSA, manager=MEGAN)
    await owned(campaigns, MEGAN, NORA, ROSA)

    shown = {
        who: {row.item.person_id for row in campaigns.cards(who)[-1].wave.open_rows} for who in (MEGAN, NORA, ROSA)
    }

    assert shown == {MEGAN: {"ada", ROSA}, NORA: {"ada", ROSA}, ROSA: {"ada"}}
    with pytest.raises(NotAuthorized, match="own seat"):
        await campaigns.keep(ROSA, by=ROSA)


async def test_the_first_answer_counts_and_the_others_are_told_who_gave_it(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await owned(campaigns, MEGAN, NORA)

    before = len(campaigns.cards(MEGAN))
    await campaigns.revoke("ada")
    await campaigns.settle()

    assert len(campaigns.cards(MEGAN)) == before  # the card that was clicked shows the answer with its Undo
    seen = campaigns.cards(NORA)[-1].wave
    assert (seen.open_count, [row.answered_by_name for row in seen.by_others]) == (1, ["Megan Example"])
    with pytest.raises(Conflict, match="Megan Example has answered: revoke"):
        await campaigns.keep("ada", by=NORA)
    view = await campaigns.waves.item((await campaigns.item("ada")).id, NORA)
    assert view.answered_by_name == "Megan Example"


async def test_two_members_at_once_make_one_answer(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)
    item = await campaigns.item("ada")
    load = campaigns.log.load
    calls = 0

    async def slow(items: object) -> object:
        nonlocal calls
        found = await load(items)  # type: ignore[arg-type]
        calls += 1
        if calls == 1:  # Nora answers between Megan's read and Megan's write
            await campaigns.keep("ada", by=NORA)
        return found

    campaigns.log.load = slow  # type: ignore[method-assign,assignment]
    with pytest.raises(Conflict, match="Nora Example answered a moment ago: keep"):
        await campaigns.decisions.decide(actor(MEGAN), [item.id], Choice.REVOKE, idem_key="late", bulk=False)

    answer = (await campaigns.item("ada")).answer
    assert answer is not None
    assert (answer.by, answer.choice) == (NORA, Choice.KEEP)


async def test_an_undone_answer_opens_the_seat_for_the_whole_group_again(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)
    await campaigns.revoke("ada")
    await campaigns.decide(Choice.WITHDRAWN, "ada")
    await campaigns.settle()

    assert campaigns.cards(NORA)[-1].wave.open_count == 1


async def test_who_left_the_group_may_not_answer_any_more(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)
    campaigns.directory.members[OWNERS].remove(NORA)
    await campaigns.sync()

    with pytest.raises(NotAuthorized, match="Only its members can answer"):
        await campaigns.revoke("ada", by=NORA)
    campaigns.change(MEGAN, enabled=False)
    await campaigns.sync()
    with pytest.raises(NotAuthorized, match="Only its members can answer"):
        await campaigns.revoke("ada", by=MEGAN)


async def test_a_member_who_joins_gets_the_list_and_may_answer(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN)
    campaigns.directory.members[OWNERS].append(NORA)

    await campaigns.sync()
    await campaigns.wait(RESEND)

    assert campaigns.cards(NORA)[-1].wave.open_count == 1
    await campaigns.revoke("ada", by=NORA)


async def test_not_sure_by_a_member_moves_the_seat_to_the_fallback_reviewer(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)

    await campaigns.decide(Choice.NOT_SURE, "ada")
    await campaigns.settle()

    item = await campaigns.item("ada")
    assert (item.assignee_id, item.assignee_kind) == (ALLAN, AssigneeKind.PERSON)
    assert isinstance(campaigns.messenger.to(NORA)[-1], ListGoneNotice)
    assert campaigns.cards(ALLAN)[-1].wave.open_count == 1


async def test_a_delegation_by_a_member_leaves_the_group_and_comes_back_to_it(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)

    await campaigns.pass_on("ada", ROSA)
    await campaigns.settle()
    with pytest.raises(NotAuthorized):
        await campaigns.revoke("ada", by=NORA)
    assert isinstance(campaigns.messenger.to(NORA)[-1], ListGoneNotice)
    item = await campaigns.item("ada")
    assert (await wave(campaigns, ROSA)).open_rows[0].back_to_name == f"Group {OWNERS}"
    await campaigns.delegation.take_back(actor(MEGAN), item.id, idem_key="back")
    await campaigns.settle()

    assert (await campaigns.item("ada")).group_id == OWNERS
    assert campaigns.cards(NORA)[-1].wave.open_count == 1


@pytest.mark.parametrize(("reached", "outcome"), [({NORA}, Outcome.REMOVED), (set(), Outcome.KEPT)])
async def test_silence_removes_only_if_one_member_got_the_card(
    campaigns: CampaignWorld, reached: set[PersonId], outcome: Outcome
) -> None:
    campaigns.hire("ada")
    campaigns.messenger.unreachable = {MEGAN, NORA} - reached
    await owned(campaigns, MEGAN, NORA, silence=Silence.REMOVE)

    await campaigns.until(DUE)

    assert await campaigns.outcomes() == {"ada": outcome}


async def test_reminders_reach_the_members_and_the_status_names_the_group(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await owned(campaigns, MEGAN, NORA)
    status = await campaigns.status()

    await campaigns.until(DUE)

    assert [(load.name, load.seats) for load in status.open_with] == [(f"Group {OWNERS}", 1)]
    for who in (MEGAN, NORA):
        assert [notice.reminder for notice in campaigns.cards(who) if notice.reminder is not None] == [1, 2]


# Naming ----------------------------------------------------------------------------------------------------------------


async def test_a_typo_is_answered_with_the_nearest_names(campaigns: CampaignWorld) -> None:
    await campaigns.sync()

    with pytest.raises(NotFound, match=r"Nobody matches “Megn Example”\. Did you mean Megan Example"):
        await campaigns.owns("Megn Example")
    with pytest.raises(NotFound, match=r"Did you mean Group group-visio"):
        await campaigns.owns("Group grup-visio", group=True)
    campaigns.change(NORA, enabled=False)
    await campaigns.sync()
    with pytest.raises(InvalidRequest, match="account is disabled"):
        await campaigns.owns(NORA)
    assert all(row.owner_name is None for row in (await campaigns.owning.owners()).rows)


async def test_naming_and_removing_an_owner_is_attested(campaigns: CampaignWorld) -> None:
    await campaigns.sync()
    await campaigns.owns(NORA)
    await campaigns.owning.remove(actor(LYNNE), VISIO)

    async with campaigns.work.read() as work:
        events, _ = await work.events.newest(2)
    assert {one.event.kind for one in events} == {EventKind.OWNER_NAMED, EventKind.OWNER_REMOVED}
    with pytest.raises(NotFound, match="no license owner"):
        await campaigns.owning.remove(actor(LYNNE), VISIO)


async def test_owners_are_listed_with_idle_seats_and_those_without_first(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", seat("ben", PROJECT))
    await campaigns.sync()
    await campaigns.owns(NORA, PROJECT)

    found = await campaigns.owning.owners()

    assert [(row.product_id, row.idle) for row in found.rows if row.idle] == [(VISIO, 1), (PROJECT, 1)]
    assert found.rows[-1].owner_name == "Nora Example"
    assert found.fallback_name == "Allan Example"
