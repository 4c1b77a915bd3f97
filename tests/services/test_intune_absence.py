"""A program by Intune: the window counts from the first absence that Reclaim saw, and nothing is taken unasked."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from reclaim.domain.consent import is_candidate
from reclaim.domain.consent_program import Terms
from reclaim.domain.ids import PersonId
from reclaim.domain.usage import Tells, UsageRow
from reclaim.errors import InvalidRequest
from reclaim.ports.usage import UsageBatch, UsageSources
from reclaim.services.import_usage import ImportUsage
from reclaim.services.stored_use import StoredUse
from reclaim.services.usage_of import UseOf
from tests.services.campaign_world import CampaignWorld, actor
from tests.services.consent_world import open_program
from tests.services.world import LYNNE, NOW, World, person

ADA = PersonId("a")
TERMS = Terms(name="Miro", application="Miro", source="intune")
WEEK = timedelta(days=7)


class Intune:
    """Devices in memory: name → whether Miro is absent there as far as Intune can tell."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.devices: dict[str, bool] = {"PC-1": True}

    async def read(self, application: str) -> AsyncIterator[UsageBatch]:
        yield UsageBatch(rows=[self._row(application, name, absent) for name, absent in self.devices.items()])

    def _row(self, application: str, device: str, absent: bool) -> UsageRow:
        now = self.world.clock.now()
        return UsageRow(
            who=ADA,
            application=application,
            last_used_at=now if absent else None,
            unused_days=None,
            device=device,
            observed_at=now - WEEK,
            tells=Tells.ABSENCE if absent else Tells.NOTHING,
        )


class Readings:
    def __init__(self, world: World) -> None:
        self.world, self.intune = world, Intune(world)
        imports = ImportUsage(work=world.work, clock=world.clock, tokens=world.tokens)
        sources = UsageSources(titles={"intune": "Intune"}, asked={"intune": self.intune})
        self.use = StoredUse(work=world.work, clock=world.clock, policy=world.policy, sources=sources, imports=imports)

    async def read(self, *days: int) -> UseOf:
        """Read after each of so many days in turn, and return what is known after the last one."""
        for one in days:
            self.world.clock.advance(timedelta(days=one))
            await self.use.refresh(TERMS)
        async with self.world.work.read() as reading:
            found = await self.use.use_of(reading, TERMS, ADA)
        assert found is not None
        return found


@pytest.fixture
async def readings(world: World) -> Readings:
    world.directory.add(person("a"))
    await world.read()
    return Readings(world)


def may_be_asked(found: UseOf, now: datetime) -> bool:
    return found.no_use is not None and is_candidate(found.no_use, TERMS, kept_at=[], now=now)


async def test_nobody_is_asked_after_a_first_reading(readings: Readings) -> None:
    found = await readings.read(0)

    assert found.no_use is not None
    assert (found.no_use.unused_days, found.no_use.last_used_at) == (0, NOW)
    assert not may_be_asked(found, readings.world.clock.now())


async def test_the_window_is_over_once_the_inventory_of_its_end_is_sure_to_be_in(readings: Readings) -> None:
    before = await readings.read(0, *[7] * 5)
    assert before.no_use is not None
    assert (before.no_use.unused_days, before.no_use.last_used_at) == (28, NOW)
    assert not may_be_asked(before, readings.world.clock.now())

    after = await readings.read(2)

    assert after.no_use is not None
    assert after.no_use.unused_days == 30
    assert after.devices == ("PC-1",)
    assert may_be_asked(after, readings.world.clock.now())


async def test_readings_that_are_closer_than_a_day_add_up(readings: Readings) -> None:
    for _ in range(40):
        readings.world.clock.advance(timedelta(hours=23))
        found = await readings.read(0)

    assert found.no_use is not None
    assert found.no_use.last_used_at == NOW + timedelta(hours=23)


@pytest.mark.parametrize(
    ("gap", "since"), [(14, NOW), (15, NOW + timedelta(days=15))], ids=["two weeks", "more than two weeks"]
)
async def test_a_gap_between_readings_begins_anew(readings: Readings, gap: int, since: datetime) -> None:
    found = await readings.read(0, gap)

    assert found.no_use is not None
    assert found.no_use.last_used_at == since


async def test_an_application_that_was_there_in_between_begins_anew(readings: Readings) -> None:
    await readings.read(0, 7)
    readings.intune.devices["PC-1"] = False
    installed = await readings.read(7)
    readings.intune.devices["PC-1"] = True

    again = await readings.read(7)

    assert installed.no_use is None
    assert installed.devices == ("PC-1",)
    assert again.no_use is not None
    assert again.no_use.last_used_at == NOW + timedelta(days=21)


async def test_a_new_device_begins_anew(readings: Readings) -> None:
    await readings.read(0, 7)
    readings.intune.devices["PC-2"] = True

    found = await readings.read(7)

    assert found.no_use is not None
    assert (found.no_use.last_used_at, found.no_use.device) == (NOW + timedelta(days=14), "PC-2")


async def test_a_source_that_can_tell_of_nobody_is_no_old_data(readings: Readings) -> None:
    readings.intune.devices["PC-1"] = False

    reading = await readings.use.refresh(TERMS)

    assert reading.newest == NOW - WEEK
    assert (await readings.read(0)).no_use is None


# The programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("terms", [{"ask": "no"}, {"on_silence": "remove"}])
async def test_a_program_that_takes_without_a_word_does_not_go_by_intune(
    campaigns: CampaignWorld, terms: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest, match="Intune tells only where an application is not installed") as raised:
        await open_program(campaigns, source="intune", **terms)

    assert raised.value.field == "source"


async def test_a_program_that_goes_by_intune_does_not_begin_to_take_without_a_word(campaigns: CampaignWorld) -> None:
    program = await open_program(campaigns, source="intune", on_silence="escalate")

    with pytest.raises(InvalidRequest, match="silence does not remove"):
        await campaigns.consent.programs.change(actor(LYNNE), program.id, {"on_silence": "remove"})


@pytest.mark.parametrize("schedule", ["0 8 1 * *", "0 8 1,20 * *"])
async def test_a_program_by_intune_runs_often_enough_to_see_an_unbroken_absence(
    campaigns: CampaignWorld, schedule: str
) -> None:
    with pytest.raises(InvalidRequest, match="at least every 14 days") as raised:
        await open_program(campaigns, source="intune", schedule=schedule)
    assert raised.value.field == "schedule"

    program = await open_program(campaigns, source="intune", schedule="0 8 * * mon")
    assert program.next_run_at is not None
