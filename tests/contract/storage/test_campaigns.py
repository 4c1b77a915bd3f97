import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from reclaim.domain.campaign import Campaign, CampaignState, Scope
from reclaim.domain.ids import CampaignId
from reclaim.errors import Conflict
from reclaim.ports.storage import Work
from tests.contract.storage.campaign_samples import SPRING, campaign, store


async def get(work: Work, id: CampaignId = SPRING) -> Campaign | None:
    async with work.read() as unit:
        return await unit.campaigns.get(id)


async def save(work: Work, one: Campaign) -> None:
    async with work.write() as unit:
        await unit.campaigns.save(one)
        await unit.commit()


async def test_every_field_of_a_campaign_comes_back(work: Work) -> None:
    await store(work, campaigns=(campaign(),))

    assert await get(work) == campaign()


async def test_a_campaign_with_nothing_optional_comes_back(work: Work) -> None:
    plain = replace(
        campaign(),
        reviewer_id=None,
        fallback_id=None,
        scope=Scope(),
        attempt=0,
        opened_at=None,
        closing_at=None,
        closed_at=None,
        pause_reason=None,
        abandoned_by=None,
    )
    await store(work, campaigns=(plain,))

    assert await get(work) == plain


async def test_there_is_no_campaign_that_was_never_added(work: Work) -> None:
    assert await get(work) is None


async def test_saving_the_next_version_replaces_the_campaign(work: Work) -> None:
    await store(work, campaigns=(campaign(),))
    closing = campaign().to(CampaignState.CLOSING)

    await save(work, closing)

    assert await get(work) == closing


async def test_saving_a_stale_version_is_a_conflict_and_changes_nothing(work: Work) -> None:
    await store(work, campaigns=(campaign(),))
    closing = campaign().to(CampaignState.CLOSING)
    await save(work, closing)

    with pytest.raises(Conflict, match=r"^It was changed a moment ago\. You see the present state now\.$"):
        await save(work, replace(campaign(), name="Autumn", version=4))

    assert await get(work) == closing


async def test_of_two_saves_at_once_one_wins(work: Work) -> None:
    await store(work, campaigns=(campaign(),))
    changes = [replace(campaign(), name=name, version=4) for name in ("one", "two")]

    results = await asyncio.gather(*(save(work, one) for one in changes), return_exceptions=True)

    lost = [result for result in results if result is not None]
    assert [type(result) for result in lost] == [Conflict]
    assert await get(work) == changes[results.index(None)]


async def test_campaigns_come_newest_first(work: Work) -> None:
    old = campaign("old", age=timedelta(days=9))
    new = campaign("new", state=CampaignState.PAUSED, age=timedelta(days=1))
    middle = campaign("middle", state=CampaignState.CLOSED, age=timedelta(days=5))
    await store(work, campaigns=(old, new, middle))

    async with work.read() as unit:
        assert await unit.campaigns.all() == [new, middle, old]
        assert await unit.campaigns.in_states([CampaignState.OPEN, CampaignState.PAUSED]) == [new, old]
        assert await unit.campaigns.in_states([]) == []
