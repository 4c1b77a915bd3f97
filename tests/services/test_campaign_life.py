"""A campaign from opening to its verified end."""

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.notices import CampaignClosedNotice
from reclaim.domain.removal import Outcome
from tests.services.campaign_world import DUE, CampaignWorld
from tests.services.world import LYNNE, MEGAN


async def test_a_campaign_opens_asks_closes_removes_verifies_and_ends_with_an_outcome_for_every_seat(
    campaigns: CampaignWorld,
) -> None:
    world = campaigns
    for ref in ("ada", "ben", "cleo"):
        world.hire(ref)
    await world.open()
    asked = world.cards(MEGAN)[-1].wave
    await world.revoke("ada")
    await world.keep("ben")

    await world.close()

    assert (asked.open_count, asked.closes_at) == (3, DUE)
    assert await world.outcomes() == {"ada": Outcome.REMOVED, "ben": Outcome.KEPT, "cleo": Outcome.KEPT}
    assert await world.state() is CampaignState.CLOSED
    assert [(one.at, one.method, one.person, one.ref) for one in world.writer.writes] == [
        (DUE, "remove_direct", "ada", "sku-visio")
    ]
    assert (world.holds("ada"), world.holds("ben"), world.holds("cleo")) == (False, True, True)
    told = world.messenger.to(LYNNE)[-1]
    assert isinstance(told, CampaignClosedNotice)
    assert told.status.outcomes == ((Outcome.KEPT, 2), (Outcome.REMOVED, 1))
    assert await world.events(
        EventKind.CAMPAIGN_CLOSING,
        EventKind.REMOVAL_PLANNED,
        EventKind.REMOVAL_INTENDED,
        EventKind.REMOVAL_WRITTEN,
        EventKind.REMOVAL_VERIFIED,
        EventKind.CAMPAIGN_CLOSED,
    ) == [
        EventKind.CAMPAIGN_CLOSING,
        EventKind.REMOVAL_PLANNED,
        EventKind.REMOVAL_INTENDED,
        EventKind.REMOVAL_WRITTEN,
        EventKind.REMOVAL_VERIFIED,
        EventKind.CAMPAIGN_CLOSED,
    ]
