"""The control client against a real practice tenant."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reclaim.connectors.practice import PracticeControl
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import DirectoryError
from rehearsal import PracticeTenant

START = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
async def tenant(tmp_path: Path) -> AsyncIterator[PracticeTenant]:
    tenant = await PracticeTenant.start(people=60, seed=7, now=START, directory=tmp_path)
    yield tenant
    await tenant.stop()


@pytest.fixture
async def control(tenant: PracticeTenant) -> AsyncIterator[PracticeControl]:
    control = PracticeControl(control_url=tenant.control_url, control_key=tenant.control_key, ca_file=tenant.ca_file)
    yield control
    await control.aclose()


async def test_the_setup_names_a_group_for_each_role_a_person_and_prices(control: PracticeControl) -> None:
    setup = await control.setup()

    assert setup.role_groups.keys() == {"admins", "license_managers", "auditors"}
    assert len(setup.fallback_reviewer) == 36
    assert setup.prices_csv.startswith("sku,amount,currency,period")


async def test_the_cast_has_somebody_to_run_to_review_and_to_hold(control: PracticeControl) -> None:
    personas = await control.personas()

    assert {persona.group for persona in personas} == {"run", "review", "hold"}
    assert "admin" in {persona.role for persona in personas}


async def test_the_clock_moves_forward_and_never_back(control: PracticeControl) -> None:
    await control.move_clock(START + timedelta(days=1))

    with pytest.raises(DirectoryError, match="POST /clock"):
        await control.move_clock(START)


async def test_looking_leaves_no_trace_in_the_log_of_calls(control: PracticeControl) -> None:
    await control.personas()

    assert await control.calls(0) == []


async def test_another_holder_is_never_the_person(tenant: PracticeTenant, control: PracticeControl) -> None:
    persona = (await control.personas())[0]
    group = GroupId((await control.setup()).role_groups["admins"])

    assert await control.other_holder(persona.id, ProductId("no such product")) == persona.id
    assert await control.other_holder(PersonId("nobody"), group) in {
        PersonId("nobody"),
        *[each.id for each in await control.personas()],
    }


async def test_a_wrong_key_is_an_error(tenant: PracticeTenant) -> None:
    stranger = PracticeControl(control_url=tenant.control_url, control_key="guess", ca_file=tenant.ca_file)

    with pytest.raises(DirectoryError, match="GET /personas"):
        await stranger.personas()

    await stranger.aclose()
