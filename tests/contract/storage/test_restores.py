"""The way back in storage: restores come back whole, one per item, and the sentinel finds the right seats."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.activity import SignIns
from reclaim.domain.ids import ItemId, PersonId, RestoreId, seat_id
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import (
    AskBack,
    AskedHow,
    Restore,
    RestoreKind,
    RestoreState,
    RestoreStep,
    RestoreStepState,
    Returned,
    Reversal,
    WhyNot,
)
from reclaim.domain.review import ReviewItem
from reclaim.errors import Conflict
from reclaim.ports.directory import SignInRow
from reclaim.ports.storage import ReversalFigure, Work
from tests.contract.storage.campaign_samples import HOUR, NOW, SPRING, VISIO, ended, item, store
from tests.contract.storage.directory_rows import begin, end, row, run, seat, sync

LATER = NOW + timedelta(days=3)


def removed(ref: str) -> ReviewItem:
    """Return a removed seat of a holder of its own."""
    holder = PersonId(ref)
    one = replace(item(), id=ItemId(ref), person_id=holder, seat_id=seat_id(holder, VISIO))
    return replace(ended(one), version=one.version)


def restore(of: str = "i1", state: RestoreState = RestoreState.RESTORING) -> Restore:
    return Restore(
        id=RestoreId(f"restore-{of}"),
        item_id=ItemId(of),
        campaign_id=SPRING,
        person_id=PersonId(of),
        product_id=VISIO,
        state=state,
        version=1,
        attempt=1,
        not_before=NOW,
        checks=0,
        asked_by=PersonId("lynne"),
        how=AskedHow.RECEIPT,
        asked_at=NOW,
        steps=(
            RestoreStep(kind=RestoreKind.ASSIGN_DIRECT, ref=VISIO, disabled_plans=("a", "b")),
            RestoreStep(kind=RestoreKind.JOIN_GROUP, ref="group-1"),
        ),
    )


async def test_every_field_of_a_restore_comes_back_and_only_the_next_version_is_stored(work: Work) -> None:
    await store(work, removed("i1"))
    async with work.write() as unit:
        await unit.restores.add(restore())
        await unit.commit()
    step = replace(
        restore().steps[0],
        state=RestoreStepState.INTENDED,
        attempt=2,
        client_request_id="ours",
        request_id="theirs",
        error="lost",
        maybe_written=True,
        intended_at=NOW,
        written_at=NOW + HOUR,
    )
    full = replace(
        restore().with_step(0, step),
        state=RestoreState.FAILED,
        attempt=3,
        not_before=None,
        checks=4,
        ended_at=NOW + HOUR,
        why_not=WhyNot.NO_FREE_SEAT,
        detail="60",
        after="[]",
    )

    async with work.write() as unit:
        await unit.restores.save(full)
        await unit.commit()
    with pytest.raises(Conflict):
        async with work.write() as unit:
            await unit.restores.save(full)

    async with work.read() as unit:
        assert await unit.restores.get(full.id) == full
        assert await unit.restores.of_items([full.item_id]) == {full.item_id: full}
        assert await unit.restores.of_campaign(SPRING) == [full]
        assert await unit.restores.due(LATER, limit=10) == []


async def test_an_item_has_one_restore(work: Work) -> None:
    await store(work, removed("i1"))
    async with work.write() as unit:
        await unit.restores.add(restore())
        await unit.commit()

    with pytest.raises(Conflict, match="being restored already"):
        async with work.write() as unit:
            await unit.restores.add(replace(restore(), id=RestoreId("another")))


async def test_what_is_due_and_what_is_news(work: Work) -> None:
    await store(work, removed("i1"), removed("i2"))
    async with work.write() as unit:
        await unit.restores.add(restore("i1"))
        await unit.restores.add(replace(restore("i2"), not_before=LATER))
        await unit.commit()

    async with work.read() as unit:
        assert [one.item_id for one in await unit.restores.due(NOW, limit=10)] == ["i1"]
        assert await unit.restores.next_due(NOW) == LATER
        [(campaign, first)] = await unit.restores.news(since=NOW)
        assert await unit.restores.news(since=NOW + HOUR) == []
    ended_one = replace(restore("i1"), state=RestoreState.RESTORED, not_before=None, ended_at=NOW + HOUR, version=2)
    async with work.write() as unit:
        await unit.restores.save(ended_one)
        await unit.commit()
    async with work.read() as unit:
        [(_, second)] = await unit.restores.news(since=NOW + HOUR)
    assert (campaign, first != second) == (SPRING, True)


async def test_a_call_on_its_way_is_seen_by_the_other_restores_of_the_person(work: Work) -> None:
    await store(work, removed("i1"))
    one = restore()
    intended = replace(one, steps=(replace(one.steps[0], state=RestoreStepState.INTENDED), one.steps[1]))
    async with work.write() as unit:
        await unit.restores.add(intended)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.restores.with_intended([PersonId("i1"), PersonId("i2")], but=RestoreId("another")) == {"i1"}
        assert not await unit.restores.with_intended([PersonId("i1")], but=one.id)
        assert await unit.restores.any_running(PersonId("i1"), but=RestoreId("another"))
        assert not await unit.restores.any_running(PersonId("i1"), but=one.id)


async def test_a_removal_is_reversed_once_and_counted_apart(work: Work) -> None:
    await store(work, removed("i1"), removed("i2"))
    back = Reversal(
        item_id=ItemId("i1"), campaign_id=SPRING, how=Returned.REGRANTED, at=LATER, through=("g",), run_id="r"
    )
    async with work.write() as unit:
        assert await unit.restores.reverse(back)
        assert not await unit.restores.reverse(replace(back, how=Returned.RESTORED))
        await unit.commit()

    monthly = removed("i1").snapshot.monthly
    assert monthly is not None
    async with work.read() as unit:
        assert await unit.restores.reversals([ItemId("i1"), ItemId("i2")]) == {"i1": back}
        assert await unit.restores.reversals_of(SPRING, "r") == [back]
        assert await unit.restores.reversals_of(SPRING, "another") == []
        assert await unit.restores.reversal_figures(SPRING) == [
            ReversalFigure(
                how=Returned.REGRANTED,
                outcome=Outcome.REMOVED,
                currency=monthly.currency,
                items=1,
                monthly_minor=monthly.minor,
            )
        ]


async def test_seats_that_are_there_again_are_found_a_page_at_a_time(work: Work) -> None:
    await store(work, *(removed(ref) for ref in ("i1", "i2", "i3", "i4")))
    await sync(
        work, 1, [row("i1", seat("i1", VISIO)), row("i2", seat("i2", VISIO)), row("i3", seat("i3", VISIO)), row("i4")]
    )
    async with work.write() as unit:
        known = Reversal(item_id=ItemId("i3"), campaign_id=SPRING, how=Returned.RESTORED, at=NOW, through=())
        await unit.restores.reverse(known)
        await unit.commit()

    async with work.read() as unit:
        first = await unit.restores.there_again(run(1).id, before=LATER, after=None, limit=1)
        rest = await unit.restores.there_again(run(1).id, before=LATER, after=first[-1], limit=10)
        assert (first, rest) == (["i1"], ["i2"])
        found = await unit.restores.there_again(run(1).id, before=NOW, after=None, limit=10)
        assert found == [], "verified after that read began"
        found = await unit.restores.there_again(run(2).id, before=LATER, after=None, limit=10)
        assert found == [], "read before, and not by this run"


async def test_who_signed_in_after_the_removal_is_found_once(work: Work) -> None:
    holders = ("i1", "i2", "i3", "i4", "i5")
    await store(work, *(removed(ref) for ref in holders))
    run = await begin(
        work, 1, [row("i1"), row("i2"), row("i3", seat("i3", VISIO)), row("i4", enabled=False), row("i5")]
    )
    seen = {"i1": SignIns(success_at=LATER), "i2": SignIns(success_at=NOW), "i3": SignIns(success_at=LATER)}
    seen |= {"i4": SignIns(success_at=LATER), "i5": SignIns(success_at=NOW, interactive_at=LATER)}  # i5: a failed one
    async with work.write() as unit:
        rows = [SignInRow(person_id=PersonId(ref), sign_ins=at) for ref, at in seen.items()]
        await unit.syncs.save_sign_ins(run, rows, read_at=LATER)
        await unit.commit()
    await end(work, 1)

    async with work.read() as unit:
        assert await unit.restores.signed_in_again(run, since=NOW, after=None, limit=10) == [("i1", LATER)]
        assert await unit.restores.signed_in_again("another", since=NOW, after=None, limit=10) == []
        assert await unit.restores.signed_in_again(run, since=LATER, after=None, limit=10) == []
    asked = AskBack(
        item_id=ItemId("i1"), campaign_id=SPRING, person_id=PersonId("i1"), signed_in_at=LATER, asked_at=LATER
    )
    async with work.write() as unit:
        assert await unit.restores.ask_back(asked)
        assert not await unit.restores.ask_back(asked)
        await unit.restores.answer_ask_back(ItemId("i1"), wanted=False, at=LATER)
        await unit.commit()
    async with work.read() as unit:
        assert await unit.restores.signed_in_again(run, since=NOW, after=None, limit=10) == []
        assert await unit.restores.asked_back(ItemId("i1")) == replace(asked, wanted=False, answered_at=LATER)
        figures = await unit.restores.ask_back_figures(SPRING)
        assert (figures.asked, figures.wanted_back) == (1, 0)
