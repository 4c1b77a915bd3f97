"""Appeals in storage: whole, one per removal, and due when their time is over."""

from dataclasses import replace

import pytest

from reclaim.domain.appeals import Appeal, AppealState, AppealTo
from reclaim.domain.ids import ItemId, PersonId
from reclaim.errors import Conflict
from reclaim.ports.storage import Work
from tests.contract.storage.campaign_samples import HOUR, NOW, SPRING, store
from tests.contract.storage.test_restores import removed

APPEAL = Appeal(
    item_id=ItemId("i1"),
    campaign_id=SPRING,
    person_id=PersonId("i1"),
    text="I draw the plant every spring.",
    asked_at=NOW,
    to=AppealTo.MANAGER,
    reviewer_id=PersonId("megan"),
    due_at=NOW + HOUR,
)


async def filled(work: Work) -> None:
    await store(work, removed("i1"), removed("i2"))
    async with work.write() as unit:
        await unit.appeals.add(APPEAL)
        await unit.commit()


async def test_an_appeal_comes_back_whole_and_is_saved_over_its_own_version_only(work: Work) -> None:
    await filled(work)
    ended = APPEAL.ended(AppealState.REFUSED, NOW + HOUR, by=PersonId("megan"), reason="Not this year.")
    async with work.write() as unit:
        await unit.appeals.save(ended)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.appeals.get(ItemId("i1")) == ended
        assert await unit.appeals.get(ItemId("i2")) is None
        assert await unit.appeals.of_items([ItemId("i1"), ItemId("i2")]) == {"i1": ended}
        assert await unit.appeals.of_campaign(SPRING) == [ended]
        assert await unit.appeals.counts(SPRING) == {AppealState.REFUSED: 1}
    with pytest.raises(Conflict):
        async with work.write() as unit:
            await unit.appeals.save(replace(ended, state=AppealState.GRANTED))


async def test_a_removal_is_appealed_once(work: Work) -> None:
    await filled(work)
    with pytest.raises(Conflict):
        async with work.write() as unit:
            await unit.appeals.add(replace(APPEAL, text="Again"))


async def test_only_what_is_open_is_due(work: Work) -> None:
    await filled(work)
    async with work.write() as unit:
        later = replace(APPEAL, item_id=ItemId("i2"), due_at=NOW + 3 * HOUR)
        await unit.appeals.add(later)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.appeals.due(NOW, limit=5) == []
        assert await unit.appeals.due(NOW + HOUR, limit=5) == [APPEAL]
        assert await unit.appeals.due(NOW + 3 * HOUR, limit=1) == [APPEAL]
        assert await unit.appeals.next_due(NOW) == NOW + HOUR
        assert await unit.appeals.next_due(NOW + HOUR) == NOW + 3 * HOUR
    async with work.write() as unit:
        await unit.appeals.save(APPEAL.ended(AppealState.LAPSED, NOW + HOUR))
        await unit.commit()
    async with work.read() as unit:
        assert await unit.appeals.due(NOW + HOUR, limit=5) == []
