"""What reviewers answer: who may, who may not, twice, two at once, undone, passed on."""

import asyncio

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import BatchId, ItemId
from reclaim.domain.removal import Blocker, Outcome
from reclaim.domain.review import Choice, KeepReason
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized, NotFound
from reclaim.ports.storage import DecisionWrite
from tests.services.campaign_world import NORA, CampaignWorld, actor
from tests.services.world import ALLAN, E3, LYNNE, MEGAN, seat


async def _open(world: CampaignWorld, *holders: str) -> None:
    for ref in holders:
        world.hire(ref)
    await world.open()


async def _choice(world: CampaignWorld, holder: str) -> Choice | None:
    answer = (await world.item(holder)).answer
    return answer.choice if answer else None


async def test_only_the_present_assignee_may_answer(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    with pytest.raises(NotAuthorized, match=r"This seat is with Megan Example now. Only Megan can answer."):
        await campaigns.revoke("ada", by=LYNNE)

    assert await _choice(campaigns, "ada") is None


async def test_nobody_decides_their_own_seat(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    with pytest.raises(NotAuthorized, match="This is your own seat, so someone else decides"):
        await campaigns.revoke("ada", by="ada")

    assert await _choice(campaigns, "ada") is None


async def test_an_answer_after_the_close_is_a_conflict(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")
    await campaigns.close()

    with pytest.raises(Conflict, match=r"Review draft-1 is closed. Answers can no longer be changed."):
        await campaigns.revoke("ada")

    assert await campaigns.outcomes() == {"ada": Outcome.KEPT}


async def test_nothing_ticked_is_refused(campaigns: CampaignWorld) -> None:
    with pytest.raises(InvalidRequest, match=r"Tick at least one seat."):
        await campaigns.decisions.decide(actor(MEGAN), [], Choice.REVOKE, idem_key="k", bulk=True)


async def test_more_than_a_hundred_seats_in_one_click_are_refused(campaigns: CampaignWorld) -> None:
    ids = [ItemId(f"item-{number}") for number in range(101)]

    with pytest.raises(InvalidRequest, match=r"Please answer at most 100 seats at once."):
        await campaigns.decisions.decide(actor(MEGAN), ids, Choice.REVOKE, idem_key="k", bulk=True)


async def test_an_unknown_seat_is_not_found(campaigns: CampaignWorld) -> None:
    with pytest.raises(NotFound, match=r"This seat is no longer here."):
        await campaigns.decisions.decide(actor(MEGAN), [ItemId("x")], Choice.REVOKE, idem_key="k", bulk=False)


async def test_a_keep_against_the_recommendation_needs_a_reason_and_stores_none_of_the_seats_without(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", seat("ben", E3))  # the last mailbox: look closer, so a keep needs no reason
    await campaigns.open()
    ids = [(await campaigns.item("ada")).id, (await campaigns.item("ben", E3)).id]

    with pytest.raises(InvalidRequest, match=r"Please pick a reason."):
        await campaigns.decisions.decide(actor(MEGAN), ids, Choice.KEEP, idem_key="k", bulk=True)

    assert (await campaigns.status()).open == 2


async def test_a_bulk_revoke_leaves_a_held_seat_open_and_says_so(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben", seat("ben", E3))
    await campaigns.open()
    ids = [(await campaigns.item("ada")).id, (await campaigns.item("ben", E3)).id]

    result = await campaigns.decisions.decide(actor(MEGAN), ids, Choice.REVOKE, idem_key="k", bulk=True)

    assert (result.done, result.skipped) == (1, (("held", 1),))
    assert (await campaigns.item("ben", E3)).answer is None


async def test_a_held_seat_alone_cannot_be_revoked_and_ends_kept(campaigns: CampaignWorld) -> None:
    campaigns.hire("ben", seat("ben", E3))
    await campaigns.open()

    with pytest.raises(Conflict, match="the only mailbox or files"):
        await campaigns.revoke("ben", product=E3)
    await campaigns.close()

    assert (await campaigns.item("ben", E3)).plan.blocker is Blocker.LAST_MAILBOX
    assert await campaigns.outcomes() == {"ben sku-e3": Outcome.KEPT}


async def test_an_answer_can_be_changed_until_the_close(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    await campaigns.revoke("ada")
    await campaigns.keep("ada")
    await campaigns.close()

    assert await campaigns.outcomes() == {"ada": Outcome.KEPT}


async def test_of_two_at_once_one_wins_and_the_other_learns_who_was_first(
    campaigns: CampaignWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _open(campaigns, "ada")
    # Both have read the open seat before either stores; else the later click is a change of mind, which is allowed.
    store, deciding, both_have_read = campaigns.log.record, set[str](), asyncio.Event()

    async def record(write: DecisionWrite) -> bool:
        deciding.add(write.idem_key)
        if len(deciding) == 2:
            both_have_read.set()
        await both_have_read.wait()
        return await store(write)

    monkeypatch.setattr(campaigns.log, "record", record)

    results = await asyncio.gather(campaigns.revoke("ada"), campaigns.keep("ada"), return_exceptions=True)

    refused = [one for one in results if isinstance(one, BaseException)]
    assert len(refused) == 1
    assert isinstance(refused[0], Conflict)
    first = await _choice(campaigns, "ada")
    assert refused[0].message == f"Megan Example answered a moment ago: {first}. You see the present state now."
    assert await campaigns.events(EventKind.DECISION_MADE) == [EventKind.DECISION_MADE]


async def test_an_answer_while_the_seat_is_passed_on_is_refused_with_the_name_of_who_has_it(
    campaigns: CampaignWorld,
) -> None:
    await _open(campaigns, "ada")

    results = await asyncio.gather(campaigns.pass_on("ada", NORA), campaigns.revoke("ada"), return_exceptions=True)

    item = await campaigns.item("ada")
    if isinstance(results[1], BaseException):
        assert isinstance(results[1], NotAuthorized)
        assert (item.assignee_id, item.answer) == (NORA, None)
    else:
        assert results[0] is None or isinstance(results[0], Conflict)


@pytest.mark.parametrize("choice", [Choice.REVOKE, Choice.KEEP, Choice.NOT_SURE])
async def test_the_same_click_twice_is_stored_once_and_answered_the_same(
    campaigns: CampaignWorld, choice: Choice
) -> None:
    await _open(campaigns, "ada", "ben")

    first = await campaigns.decide(choice, "ada", key="same")
    again = await campaigns.decide(choice, "ada", key="same")

    assert (first.done, again.done) == (1, 1)
    assert first.batch_id == again.batch_id
    assert await campaigns.events(EventKind.DECISION_MADE) == [EventKind.DECISION_MADE]
    assert (await campaigns.item("ada")).version == 2


async def test_the_same_click_after_the_close_is_told_what_it_was_told(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")
    await campaigns.decide(Choice.KEEP, "ada", key="same")
    await campaigns.close()

    again = await campaigns.decide(Choice.KEEP, "ada", key="same")

    assert again.done == 1
    assert (await campaigns.item("ada")).version == 3  # the answer, and the outcome


async def test_the_same_key_with_another_answer_is_a_conflict(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada", "ben")
    await campaigns.decide(Choice.REVOKE, "ada", key="same")

    with pytest.raises(Conflict, match="This form was sent before with another answer"):
        await campaigns.decisions.decide(
            actor(MEGAN),
            await campaigns.ids("ada"),
            Choice.WITHDRAWN,
            idem_key="same",
            bulk=False,
        )

    assert await _choice(campaigns, "ada") is Choice.REVOKE


async def test_one_answer_can_be_taken_back(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")
    await campaigns.revoke("ada")

    await campaigns.decide(Choice.WITHDRAWN, "ada", key="undo")
    await campaigns.decide(Choice.WITHDRAWN, "ada", key="undo")
    await campaigns.close()

    assert await campaigns.events(EventKind.DECISION_WITHDRAWN) == [EventKind.DECISION_WITHDRAWN]
    assert await campaigns.outcomes() == {"ada": Outcome.KEPT}
    assert campaigns.writer.writes == []


async def test_without_an_answer_there_is_nothing_to_take_back(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    with pytest.raises(Conflict, match=r"There is no answer to take back."):
        await campaigns.decide(Choice.WITHDRAWN, "ada")


async def test_undo_takes_back_what_still_stands_of_a_click_and_the_same_undo_twice_is_one(
    campaigns: CampaignWorld,
) -> None:
    await _open(campaigns, "ada", "ben", "cleo")
    click = await campaigns.revoke("ada", "ben", "cleo")
    await campaigns.keep("cleo")

    first = await campaigns.decisions.undo(actor(MEGAN), click.batch_id, idem_key="undo")
    again = await campaigns.decisions.undo(actor(MEGAN), click.batch_id, idem_key="undo")

    assert (first.undone, again.undone) == (2, 2)
    assert [await _choice(campaigns, ref) for ref in ("ada", "ben", "cleo")] == [None, None, Choice.KEEP]
    assert len(await campaigns.events(EventKind.DECISION_WITHDRAWN)) == 2


async def test_a_second_undo_finds_nothing_to_undo(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")
    click = await campaigns.revoke("ada")
    await campaigns.decisions.undo(actor(MEGAN), click.batch_id, idem_key="undo")

    with pytest.raises(NotFound, match="There is nothing to undo"):
        await campaigns.decisions.undo(actor(MEGAN), click.batch_id, idem_key="another")


async def test_undo_after_the_close_is_a_conflict_and_undo_by_another_person_is_refused(
    campaigns: CampaignWorld,
) -> None:
    await _open(campaigns, "ada")
    click = await campaigns.revoke("ada")

    with pytest.raises(NotAuthorized):
        await campaigns.decisions.undo(actor(LYNNE), click.batch_id, idem_key="hers")
    await campaigns.close()
    with pytest.raises(Conflict):
        await campaigns.decisions.undo(actor(MEGAN), click.batch_id, idem_key="late")
    with pytest.raises(NotFound):
        await campaigns.decisions.undo(actor(MEGAN), BatchId("no-such"), idem_key="unknown")

    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED}


async def test_not_sure_moves_the_seat_to_the_fallback_reviewer_whose_list_shows_it(
    campaigns: CampaignWorld,
) -> None:
    await _open(campaigns, "ada", "ben")

    await campaigns.decide(Choice.NOT_SURE, "ada")
    await campaigns.settle()

    status = await campaigns.status()
    assert (status.not_sure, status.open) == (1, 1)
    assert [row.item.person_id for row in campaigns.cards(ALLAN)[-1].wave.open_rows] == ["ada"]
    with pytest.raises(NotAuthorized, match="This seat is with Allan Example now"):
        await campaigns.revoke("ada")
    await campaigns.revoke("ada", by=ALLAN)
    await campaigns.close()
    assert await campaigns.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.KEPT}


async def test_a_seat_that_the_fallback_reviewer_is_not_sure_about_either_ends_kept(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    await campaigns.decide(Choice.NOT_SURE, "ada")
    await campaigns.decide(Choice.NOT_SURE, "ada", by=ALLAN)
    await campaigns.close()

    item = await campaigns.item("ada")
    assert (item.outcome, item.outcome_reason) == (Outcome.KEPT, "not_sure")


async def test_a_seat_that_is_passed_on_appears_on_the_other_list_and_can_be_taken_back(
    campaigns: CampaignWorld,
) -> None:
    await _open(campaigns, "ada", "ben")

    await campaigns.pass_on("ada", NORA)
    await campaigns.settle()
    with pytest.raises(NotAuthorized, match="Only Nora can answer"):
        await campaigns.revoke("ada")
    with pytest.raises(NotAuthorized, match="Only who passed this seat on can take it back"):
        await campaigns.delegation.take_back(actor(NORA), (await campaigns.item("ada")).id, idem_key="not-hers")
    await campaigns.delegation.take_back(actor(MEGAN), (await campaigns.item("ada")).id, idem_key="back")
    await campaigns.delegation.take_back(actor(MEGAN), (await campaigns.item("ada")).id, idem_key="back")

    assert [row.item.person_id for row in campaigns.cards(NORA)[-1].wave.open_rows] == ["ada"]
    item = await campaigns.item("ada")
    assert (item.assignee_id, item.delegated_by, item.version) == (MEGAN, None, 3)


async def test_a_seat_that_was_answered_after_it_was_passed_on_cannot_be_taken_back(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")
    await campaigns.pass_on("ada", NORA)
    await campaigns.keep("ada", by=NORA)

    with pytest.raises(Conflict, match=r"It was answered in the meantime."):
        await campaigns.delegation.take_back(actor(MEGAN), (await campaigns.item("ada")).id, idem_key="back")


async def test_the_fourth_hand_over_is_refused(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    await campaigns.pass_on("ada", NORA)
    await campaigns.pass_on("ada", ALLAN, by=NORA)
    await campaigns.pass_on("ada", LYNNE, by=ALLAN)
    with pytest.raises(Conflict, match="passed on three times"):
        await campaigns.pass_on("ada", MEGAN, by=LYNNE)

    assert (await campaigns.item("ada")).assignee_id == LYNNE


async def test_the_same_hand_over_twice_is_one(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    await campaigns.pass_on("ada", NORA, key="same")
    await campaigns.pass_on("ada", NORA, key="same")

    assert (await campaigns.item("ada")).handovers == 1


async def test_a_seat_is_never_passed_on_to_its_holder_and_several_go_all_or_none(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada", "ben")

    with pytest.raises(InvalidRequest, match=r"Ada Example holds this seat. Pick someone else."):
        await campaigns.delegation.delegate(
            actor(MEGAN), await campaigns.ids("ben", "ada"), (await campaigns.item("ada")).person_id, "x", idem_key="k"
        )

    assert [(await campaigns.item(ref)).assignee_id for ref in ("ada", "ben")] == [MEGAN, MEGAN]


async def test_a_seat_is_passed_on_to_a_person_that_is_there_and_nobody_else(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    with pytest.raises(InvalidRequest, match=r"Please pick a person from the list."):
        await campaigns.pass_on("ada", "nobody")
    with pytest.raises(InvalidRequest, match=r"Tick at least one seat."):
        await campaigns.delegation.delegate(actor(MEGAN), [], NORA, "x", idem_key="k")
    with pytest.raises(NotFound, match=r"This seat is no longer here."):
        await campaigns.delegation.delegate(actor(MEGAN), [ItemId("x")], NORA, "x", idem_key="k")
    with pytest.raises(NotFound, match=r"This seat is no longer here."):
        await campaigns.delegation.take_back(actor(MEGAN), ItemId("x"), idem_key="k")


async def test_a_campaign_of_a_person_asks_the_fallback_reviewer_about_that_persons_own_seat(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    campaigns.hire(MEGAN)

    await campaigns.open(reviewer=MEGAN)

    own = await campaigns.item(MEGAN)
    assert (own.assignee_id, own.assigned_reason) == (ALLAN, "own_seat")
    with pytest.raises(NotAuthorized, match="This is your own seat"):
        await campaigns.revoke(MEGAN, by=MEGAN)


async def test_a_note_and_a_date_are_checked(campaigns: CampaignWorld) -> None:
    await _open(campaigns, "ada")

    with pytest.raises(InvalidRequest, match=r"Please say in one sentence why."):
        await campaigns.decisions.decide(
            actor(MEGAN),
            await campaigns.ids("ada"),
            Choice.KEEP,
            idem_key="k",
            bulk=False,
            reason=KeepReason.OTHER,
        )

    assert await _choice(campaigns, "ada") is None
