"""From a seat that is verified gone to money that is saved: the order falls at its renewal, and all figures agree."""

import csv
import json
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

import pytest

from cards.report import HtmlDocuments
from reclaim.domain.attestation import EventKind
from reclaim.domain.money import Money
from reclaim.domain.read_models import ExportedFile, SpendReport
from reclaim.services.export_evidence import ExportEvidence
from reclaim.services.load_prices import LoadPrices
from reclaim.services.read_report import ReadReport
from reclaim.services.read_spend import ReadSpend
from reclaim.services.realise_savings import RealiseSavings
from tests.services.campaign_world import DAY, CampaignWorld, actor
from tests.services.world import LYNNE, VISIO


async def renews(world: CampaignWorld, day: str) -> None:
    loader = LoadPrices(work=world.work, clock=world.clock, tokens=world.tokens)
    await loader.from_csv(f"sku,amount,currency,period,renews_on\nVISIOCLIENT,15.00,USD,month,{day}\n", "list")


async def order(world: CampaignWorld, enabled: int, consumed: int = 30) -> None:
    """Let Microsoft's pool be this, and read it."""
    sold = world.directory.sold
    sold[VISIO] = replace(sold[VISIO], enabled=enabled, consumed=consumed)
    await world.sync()
    async with world.work.read() as reading:
        run = await reading.syncs.newest_complete()
    assert run is not None
    await RealiseSavings(work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy).after_sync(
        run.id
    )


async def spend(world: CampaignWorld) -> SpendReport:
    return await ReadSpend(work=world.work, clock=world.clock, policy=world.policy).report()


async def reclaimed(world: CampaignWorld, *holders: str) -> None:
    """Let a campaign take these people's seats."""
    await renews(world, "2026-12-31")
    for holder in holders:
        world.hire(holder)
    await world.open()
    await order(world, 50)
    await world.revoke(*holders)
    await world.close()
    await world.wait(timedelta(hours=1))
    assert (await world.status()).verified_count == len(holders)


async def test_before_the_renewal_the_order_is_to_be_made_smaller_and_nothing_is_realised(
    campaigns: CampaignWorld,
) -> None:
    await reclaimed(campaigns, "ada", "ben", "cleo")
    await order(campaigns, 50, consumed=48)

    report, status = await spend(campaigns), await campaigns.status()

    (visio,) = report.renewals
    assert (visio.renews_on, visio.reclaimed, visio.unassigned, visio.reduce_by) == (date(2026, 12, 31), 3, 2, 2)
    assert [(row.product_id, row.reduce_by) for row in status.reduce] == [(VISIO, 2)]
    assert report.savings.realised.seats == status.realised.seats == 0
    assert report.savings.verified.seats == 3


async def test_an_order_that_falls_before_its_renewal_saves_nothing_yet(campaigns: CampaignWorld) -> None:
    await reclaimed(campaigns, "ada", "ben")

    await order(campaigns, 48)

    assert (await spend(campaigns)).savings.realised.seats == 0


async def test_a_fall_at_the_renewal_is_realised_once_and_every_figure_says_the_same(campaigns: CampaignWorld) -> None:
    await reclaimed(campaigns, "ada", "ben", "cleo")
    await campaigns.wait(DAY * 45)
    await renews(campaigns, "2027-12-31")  # the list has gone on to the next renewal before the order is read again

    await order(campaigns, 48)
    await order(campaigns, 48)

    report, status = await spend(campaigns), await campaigns.status()
    assert status.realised.seats == report.savings.realised.seats == 2
    assert status.realised.monthly.amounts == (Money(3000, "USD"),)
    assert [row.reclaimed for row in report.renewals] == [1]
    assert (await campaigns.events(EventKind.SAVING_REALISED)) == [EventKind.SAVING_REALISED] * 2
    exported = {file.media_type.partition(";")[0]: file.content.decode() for file in await _export(campaigns)}
    rows = list(csv.DictReader(StringIO(exported["text/csv"])))
    assert sum(row["kind"] == "saving_realised" for row in rows) == 2
    items = json.loads(exported["application/json"])["items"]
    assert sum(item["realised_at"] is not None for item in items) == 2
    assert 'Realised at renewal</td><td class="n">2</td>' in exported["text/html"]


async def test_seats_that_are_bought_again_are_realised_no_more(campaigns: CampaignWorld) -> None:
    await reclaimed(campaigns, "ada", "ben")
    await campaigns.wait(DAY * 45)
    await order(campaigns, 48)

    await order(campaigns, 49)

    assert (await campaigns.status()).realised.seats == 1
    assert EventKind.SAVING_TAKEN_BACK in await campaigns.events()


@pytest.mark.parametrize("consumed", [50, 60])
async def test_seats_that_others_took_are_not_to_be_ordered_away(campaigns: CampaignWorld, consumed: int) -> None:
    await reclaimed(campaigns, "ada")

    await order(campaigns, 50, consumed=consumed)

    assert (await campaigns.status()).reduce == ()


async def test_a_product_that_is_sold_no_more_has_fallen_to_nothing(campaigns: CampaignWorld) -> None:
    await reclaimed(campaigns, "ada")
    await campaigns.wait(DAY * 45)
    campaigns.directory.sold.pop(VISIO)
    await campaigns.sync()

    async with campaigns.work.read() as reading:
        pools = await reading.savings.pools()

    assert [change.enabled for change in pools[VISIO]] == [50, 0]


async def _export(world: CampaignWorld) -> tuple[ExportedFile, ...]:
    service = ExportEvidence(
        work=world.work,
        clock=world.clock,
        tokens=world.tokens,
        policy=world.policy,
        report=ReadReport(documents=HtmlDocuments()),
    )
    return await service.export(actor(LYNNE), world.campaign_id)
