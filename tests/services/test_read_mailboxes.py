"""What a mailbox is for: asked of few, kept, and a seat with a mailbox of no person is held and offered no Revoke."""

import pytest

from reclaim.domain.directory import MailboxPurpose
from reclaim.domain.ids import PersonId, RunId
from reclaim.domain.removal import Blocker, Outcome
from reclaim.domain.review import Choice
from reclaim.errors import Conflict, DirectoryError
from reclaim.services.read_mailboxes import GOOD_FOR, ReadMailboxes
from tests.services.campaign_world import E5, CampaignWorld
from tests.services.world import E3, seat

RUN = RunId("run")
REFUSED = DirectoryError("MailboxSettings.Read is missing.", permanent=True, status=403)


def reader(world: CampaignWorld, *, most: int = 10) -> ReadMailboxes:
    return ReadMailboxes(work=world.work, clock=world.clock, directory=world.directory, most=most)


def asked(world: CampaignWorld) -> list[str]:
    return [call[1] for call in world.directory.calls if call[0] == "mailbox_purpose"]


async def kept(world: CampaignWorld, *people: str) -> dict[PersonId, MailboxPurpose]:
    async with world.work.read() as reading:
        return await reading.mailboxes.purposes(map(PersonId, people))


async def test_only_idle_seats_with_a_mailbox_are_asked_about_the_longest_quiet_first_and_once_a_month(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada", seat("ada", E3), seen_days=100)
    campaigns.hire("ben", seat("ben", E3), seen_days=200)
    campaigns.hire("cleo")  # Visio: no mailbox
    campaigns.hire("dora", seat("dora", E3), seen_days=1)
    campaigns.directory.purposes[PersonId("ben")] = MailboxPurpose.ROOM
    await campaigns.sync()

    await reader(campaigns, most=1).after_sync(RUN)
    await reader(campaigns, most=1).after_sync(RUN)
    await reader(campaigns).after_sync(RUN)

    assert asked(campaigns) == ["ben", "ada"]
    assert await kept(campaigns, "ada", "ben", "cleo") == {"ada": MailboxPurpose.USER, "ben": MailboxPurpose.ROOM}
    campaigns.clock.advance(2 * GOOD_FOR)
    await reader(campaigns).after_sync(RUN)
    assert asked(campaigns) == ["ben", "ada", "ben", "ada"]


async def test_without_the_permission_nothing_is_kept_and_the_sync_goes_on(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada", seat("ada", E3))
    campaigns.directory.fail("mailbox_purpose", REFUSED)
    await campaigns.sync()

    await reader(campaigns).after_sync(RUN)

    assert asked(campaigns) == ["ada"]
    assert await kept(campaigns, "ada") == {}


async def test_a_shared_mailbox_ends_held_and_cannot_be_revoked(campaigns: CampaignWorld) -> None:
    campaigns.hire("info", seat("info", E3), seat("info", E5), enabled=False)
    campaigns.directory.purposes[PersonId("info")] = MailboxPurpose.SHARED
    await campaigns.sync()
    await reader(campaigns).after_sync(RUN)
    await campaigns.open()
    item = await campaigns.item("info", E3)
    assert item.plan.blocker is Blocker.SHARED_MAILBOX
    assert not item.can_revoke
    assert not item.can_lose

    refused = await campaigns.decide(Choice.REVOKE, "info", product=E3, bulk=True)
    assert refused.done == 0
    await campaigns.close()

    assert set((await campaigns.outcomes()).values()) <= {Outcome.HELD, Outcome.KEPT}
    assert campaigns.writer.calls == []


async def test_a_mailbox_that_turned_out_to_be_shared_is_held_at_the_write(campaigns: CampaignWorld) -> None:
    campaigns.hire("info", seat("info", E3), seat("info", E5))
    await campaigns.open()
    await campaigns.revoke("info", product=E3)
    async with campaigns.work.write() as unit:
        await unit.mailboxes.put({PersonId("info"): MailboxPurpose.SHARED}, at=campaigns.clock.now())
        await unit.commit()

    await campaigns.close()

    item = await campaigns.item("info", E3)
    assert (item.outcome, item.outcome_reason) == (Outcome.HELD, "shared_mailbox")
    assert campaigns.holds("info", E3)


@pytest.mark.parametrize("bulk", [True, False])
async def test_nobody_can_choose_to_lose_a_mailbox_of_no_person(campaigns: CampaignWorld, bulk: bool) -> None:
    campaigns.hire("info", seat("info", E3))
    campaigns.directory.purposes[PersonId("info")] = MailboxPurpose.EQUIPMENT
    await campaigns.sync()
    await reader(campaigns).after_sync(RUN)
    await campaigns.open()

    if bulk:
        await campaigns.decide(Choice.REVOKE, "info", product=E3, bulk=True)
    else:
        with pytest.raises(Conflict, match="no single person"):
            await campaigns.decide(Choice.REVOKE, "info", product=E3, bulk=False)
    assert (await campaigns.item("info", E3)).answer is None
