"""A group as assignee, license owners and moves in bulk, on both back ends."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from reclaim.domain.directory import AssigneeKind, ProductOwner
from reclaim.domain.ids import GroupId, PersonId
from reclaim.domain.review import AssignedHow, Choice, ReviewItem
from reclaim.errors import Conflict
from reclaim.ports.directory import PersonRow, Request
from reclaim.ports.storage import ReviewerCount, StreamCursor, Work
from storage.engine import Database
from tests.contract.storage.campaign_samples import (
    ALEX,
    BLAIR,
    CASEY,
    NOW,
    SPRING,
    VISIO,
    answered,
    decision,
    item,
    message,
    store,
    stored,
)
from tests.contract.storage.decision_log import record_together, started
from tests.contract.storage.directory_rows import begin, end, group, person, row

TEAM = GroupId("team")
REQUEST = Request(url="https://graph.test", request_id="r", rows=1, sha256="0", at=NOW)


def of_team(number: int = 1) -> ReviewItem:
    return replace(item(number), assignee_id=TEAM, assignee_kind=AssigneeKind.GROUP, assigned_how=AssignedHow.OWNER)


async def members(
    work: Work,
    people: Sequence[str],
    *,
    number: int = 1,
    of: GroupId = TEAM,
    done: bool = True,
    state: str = "complete",
) -> None:
    """Read these members of a group in a sync of its own; everybody of the samples is there and enabled."""
    run = await begin(work, number, [row(one, name=one.title()) for one in (ALEX, BLAIR, CASEY, "holder-1", *people)])
    async with work.write() as unit:
        await unit.syncs.save_groups(run, [group(of, "Design owners")])
        await unit.syncs.save_members(run, of, [PersonId(one) for one in people])
        cursor = StreamCursor(stream=f"members:{of}", next_cursor=None if done else "more", done=done, page=1)
        await unit.syncs.save_cursor(run, cursor, REQUEST)
        await unit.commit()
    await end(work, number, state=state)


async def test_an_owner_is_stored_replaced_and_removed(work: Work) -> None:
    first = ProductOwner(product_id=VISIO, owner=ALEX, kind=AssigneeKind.PERSON, by=CASEY, at=NOW)
    second = replace(first, owner=TEAM, kind=AssigneeKind.GROUP)
    async with work.write() as unit:
        await unit.catalog.set_owner(first)
        await unit.catalog.set_owner(second)
        await unit.commit()

    async with work.write() as unit:
        assert await unit.catalog.owners() == {VISIO: second}
        assert await unit.catalog.remove_owner(VISIO) is True
        assert await unit.catalog.remove_owner(VISIO) is False
        assert await unit.catalog.owners() == {}


async def test_who_can_review_in_a_group_is_what_the_domain_says(work: Work) -> None:
    people = [
        replace(person(f"p{number}", enabled=enabled), user_type=kind)
        for number, (enabled, kind) in enumerate(product((True, False, None), ("Member", "Guest", None)))
    ]
    run = await begin(work, 1, [PersonRow(person=one, seats=()) for one in people])
    async with work.write() as unit:
        await unit.syncs.save_members(run, TEAM, [*(one.id for one in people), PersonId("unknown")])
        await unit.syncs.save_cursor(
            run, StreamCursor(stream=f"members:{TEAM}", next_cursor=None, done=True, page=1), REQUEST
        )
        await unit.commit()
    await end(work, 1)

    async with work.read() as unit:
        assert await unit.people.reviewers_in([TEAM]) == {TEAM: {one.id for one in people if one.can_review}}
        for one in people:
            assert (TEAM in await unit.people.groups_of(one.id)) == one.can_review


@pytest.mark.parametrize(("done", "state"), [(False, "complete"), (True, "failed"), (True, "running")])
async def test_members_that_no_complete_sync_has_read_to_the_end_are_not_known(
    work: Work, done: bool, state: str
) -> None:
    await members(work, [ALEX], done=done, state=state)
    await store(work, of_team())

    async with work.read() as unit:
        assert await unit.people.reviewers_in([TEAM]) == {}
        assert await unit.people.groups_of(ALEX) == frozenset()
        assert await unit.items.for_reviewer(SPRING, ALEX) == []
        assert await unit.items.asked(SPRING) == []


async def test_a_group_that_was_read_and_is_empty_is_known_to_be_empty(work: Work) -> None:
    await members(work, [])

    async with work.read() as unit:
        assert await unit.people.reviewers_in([TEAM, GroupId("other")]) == {TEAM: frozenset()}


async def test_a_groups_items_are_on_its_members_lists_but_not_the_holders_own(work: Work) -> None:
    await members(work, [ALEX, BLAIR, "holder-1"])
    await store(work, of_team(1), of_team(2), item(3))

    async with work.read() as unit:
        lists = {
            who: [one.person_id for one in await unit.items.for_reviewer(SPRING, PersonId(who))]
            for who in (ALEX, BLAIR, CASEY, "holder-1")
        }
        everybody = [PersonId(who) for who in lists]
        counts = await unit.items.open_counts(
            [(SPRING, who) for who in everybody], await unit.people.groups_of_many(everybody)
        )
        assert {who: counts[SPRING, PersonId(who)] for who in lists} == {
            who: len(items) for who, items in lists.items()
        }
        assert not await unit.items.concerns(of_team(1), PersonId("holder-1"))
        assert lists == {
            ALEX: ["holder-1", "holder-2", "holder-3"],
            BLAIR: ["holder-1", "holder-2"],
            CASEY: [],
            "holder-1": ["holder-2"],
        }
        assert await unit.items.asked(SPRING) == [ALEX, BLAIR, "holder-1"]
        assert await unit.items.open_campaigns_of(BLAIR) == [SPRING]
        assert await unit.items.groups_asked() == {TEAM}
        assert await unit.items.reviewers(SPRING) == [
            ReviewerCount(assignee_id=ALEX, kind=AssigneeKind.PERSON, total=1, open=1),
            ReviewerCount(assignee_id=TEAM, kind=AssigneeKind.GROUP, total=2, open=2),
        ]
        assert [one.id for one in await unit.items.open_with(SPRING, TEAM)] == [of_team(1).id, of_team(2).id]


async def test_one_member_with_a_delivered_card_is_enough_and_each_other_still_gets_one(work: Work) -> None:
    await members(work, [ALEX, BLAIR, "holder-1"])
    await store(work, of_team())
    async with work.write() as unit:
        for who in ("holder-1", CASEY):  # the holder, and somebody who is not in the group
            await unit.messages.put(message(f"m-{who}", person=PersonId(who)))
            await unit.messages.show_items(message(f"m-{who}").id, [of_team().id])
        await unit.messages.put(message("dead", person=ALEX, state="dead"))
        await unit.messages.show_items(message("dead").id, [of_team().id])
        await unit.commit()

    async with work.read() as unit:
        assert await unit.items.delivered_to_assignee([of_team().id]) == frozenset()
        assert await unit.items.without_card(SPRING) == [ALEX, BLAIR]
    async with work.write() as unit:
        await unit.messages.put(message("m1", person=BLAIR))
        await unit.messages.show_items(message("m1").id, [of_team().id])
        await unit.commit()
    async with work.read() as unit:
        assert await unit.items.delivered_to_assignee([of_team().id]) == {of_team().id}
        assert await unit.items.without_card(SPRING) == [ALEX]


async def test_after_an_answer_the_members_still_see_it_and_who_answered_counts(work: Work) -> None:
    await members(work, [ALEX, BLAIR])
    await store(work, of_team())
    async with work.write() as unit:
        await unit.items.save(answered(of_team(), by=BLAIR))
        await unit.commit()

    async with work.read() as unit:
        assert [one.answer is not None for one in await unit.items.for_reviewer(SPRING, ALEX)] == [True]
        assert await unit.items.asked(SPRING, open_only=True) == []
        assert await unit.items.asked(SPRING) == [ALEX, BLAIR]
        assert await unit.items.without_card(SPRING) == []
        assert await unit.items.reviewers(SPRING) == [
            ReviewerCount(assignee_id=BLAIR, kind=AssigneeKind.PERSON, total=1, open=0)
        ]


async def test_the_batcher_takes_an_answer_from_a_member_only_and_the_first_one(work: Work, database: Database) -> None:
    await members(work, [ALEX, BLAIR, "holder-1"])
    await store(work, of_team(1), of_team(2))
    stranger = decision(answered(of_team(1), by=CASEY), actor=CASEY)
    holder = decision(answered(of_team(1), by=PersonId("holder-1")), actor=PersonId("holder-1"))
    first = decision(answered(of_team(1), by=BLAIR), actor=BLAIR)
    second = decision(answered(of_team(1), Choice.REVOKE, by=ALEX), actor=ALEX)

    async with started(database) as log:
        results = await record_together(log, stranger, holder, first, second)
        loaded = await log.load([of_team(1).id])

    assert results == [False, False, True, False]
    assert (await stored(work, of_team(1))).answer == answered(of_team(1), by=BLAIR).answer
    assert loaded.members == {TEAM: {ALEX, BLAIR, PersonId("holder-1")}}
    assert (loaded.names[TEAM], loaded.names[BLAIR]) == ("Design owners", "Blair")


async def test_who_left_between_the_read_and_the_write_is_refused(work: Work, database: Database) -> None:
    await members(work, [ALEX, BLAIR])
    await store(work, of_team())
    async with started(database) as log:
        await log.load([of_team().id])
        await members(work, [BLAIR], number=2)

        assert await log.record(decision(answered(of_team(), by=ALEX), actor=ALEX)) is False
        assert await log.record(decision(answered(of_team(), by=BLAIR), actor=BLAIR)) is True


def moved(one: ReviewItem, to: PersonId = BLAIR) -> ReviewItem:
    return replace(
        one,
        assignee_id=to,
        assignee_kind=AssigneeKind.PERSON,
        assigned_how=AssignedHow.REASSIGNED,
        moved_from=one.assignee_id,
        moved_by=CASEY,
        version=one.version + 1,
    )


async def test_moves_are_stored_together_with_their_history(work: Work) -> None:
    before = [of_team(number) for number in range(1, 4)]
    await members(work, [ALEX])
    await store(work, *before)

    async with work.write() as unit:
        await unit.items.move_many([moved(one) for one in before], by=CASEY, at=NOW)
        await unit.commit()

    assert await stored(work, before[1]) == moved(before[1])
    async with work.read() as unit:
        history = await unit.items.history(before[0].id)
        # The old reviewers, here the members of a group, see where their seats went while these are open.
        assert [one.assignee_id for one in await unit.items.for_reviewer(SPRING, ALEX)] == [BLAIR] * 3
    assert [(one.assignee_id, one.kind, one.how, one.by) for one in history] == [
        (TEAM, AssigneeKind.GROUP, AssignedHow.OWNER, None),
        (BLAIR, AssigneeKind.PERSON, AssignedHow.REASSIGNED, CASEY),
    ]


async def test_one_item_that_was_changed_stops_all_moves(work: Work) -> None:
    await store(work, item(1), item(2))
    async with work.write() as unit:
        await unit.items.save(answered(item(2)))
        await unit.commit()

    async with work.write() as unit:
        with pytest.raises(Conflict):
            await unit.items.move_many([moved(item(1)), moved(item(2))], by=CASEY, at=NOW)

    assert await stored(work, item(1)) == item(1)


async def test_the_newest_reminder_of_each_person_is_remembered_per_campaign(work: Work) -> None:
    await store(work)
    async with work.write() as unit:
        await unit.messages.mark_reminded(SPRING, [ALEX, BLAIR], at=NOW)
        await unit.messages.mark_reminded(SPRING, [ALEX], at=NOW.replace(hour=20))
        await unit.commit()

    async with work.read() as unit:
        assert await unit.messages.reminded(SPRING) == {ALEX: NOW.replace(hour=20), BLAIR: NOW}
