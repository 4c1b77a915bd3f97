"""Giving a seat back: what is sent, what Microsoft's answers mean, and both against the practice tenant over HTTP."""

import json

import pytest

from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.errors import Refusal, WriteBackError
from tests.contract.graph.practice import Stage, a_seat, held_by
from tests.contract.graph.support import ADELE, GROUP, PLAN, VISIO, WRITE_ID, ScriptedGraph, error, ok, user
from tests.contract.graph.test_writer import done

BAD = "Request_BadRequest"
TEAMS_PREMIUM = "Microsoft_Teams_Premium"


async def test_trap_17_a_direct_license_is_assigned_with_its_disabled_plans(graph: ScriptedGraph) -> None:
    graph.will(ok(user()))

    result = await graph.writer.assign_direct(ADELE, VISIO, [PLAN.upper()], client_request_id=WRITE_ID)

    assert graph.asked == [f"POST /users/{ADELE}/assignLicense"]
    assert json.loads(graph.requests[0].content) == {
        "addLicenses": [{"skuId": VISIO, "disabledPlans": [PLAN]}],
        "removeLicenses": [],
    }
    assert graph.requests[0].headers["client-request-id"] == WRITE_ID
    assert result.status == 200


async def test_a_group_is_joined_by_a_reference_at_the_same_host(graph: ScriptedGraph) -> None:
    graph.will(done(204))

    await graph.writer.join_group(ADELE, GROUP, client_request_id=WRITE_ID)

    assert graph.asked == [f"POST /groups/{GROUP}/members/$ref"]
    assert json.loads(graph.requests[0].content) == {
        "@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{ADELE}"
    }


async def test_who_is_a_member_already_is_one(graph: ScriptedGraph) -> None:
    message = "One or more added object references already exist for the following modified properties: 'members'."
    graph.will(error(400, BAD, message))

    result = await graph.writer.join_group(ADELE, GROUP, client_request_id=WRITE_ID)

    assert not result.already_absent


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (f"Subscription with SKU {VISIO} does not have any available licenses.", Refusal.NO_AVAILABLE_LICENSES),
        ("License assignment cannot be done for user with invalid usage location.", Refusal.USAGE_LOCATION),
        ("Something that nobody has heard of.", None),
    ],
)
async def test_a_refused_assignment_is_final_and_says_why(
    graph: ScriptedGraph, message: str, refusal: Refusal | None
) -> None:
    graph.will(error(400, BAD, message))

    with pytest.raises(WriteBackError) as raised:
        await graph.writer.assign_direct(ADELE, VISIO, (), client_request_id=WRITE_ID)

    assert (raised.value.refusal, raised.value.permanent, raised.value.maybe_applied) == (refusal, True, False)


async def test_what_is_not_there_cannot_be_given(graph: ScriptedGraph) -> None:
    """For a removal 404 is as good as done; for its undoing it is a failure."""
    graph.will(error(404, "Request_ResourceNotFound"), error(404, "Request_ResourceNotFound"))

    with pytest.raises(WriteBackError) as assigned:
        await graph.writer.assign_direct(ADELE, VISIO, (), client_request_id=WRITE_ID)
    with pytest.raises(WriteBackError) as joined:
        await graph.writer.join_group(ADELE, GROUP, client_request_id=WRITE_ID)

    assert (assigned.value.permanent, joined.value.permanent) == (True, True)


async def test_trap_17_practice_tenant_a_direct_seat_comes_back_as_it_was(stage: Stage) -> None:
    person, product = await a_seat(stage, "direct")
    sku = next(sku for sku in (await stage.graph.directory.skus()).rows if sku.id == product)
    off = [sku.plans[0].id]
    await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    await stage.graph.writer.assign_direct(person, product, off, client_request_id=WRITE_ID)

    back = await stage.graph.writer.read_back(person, product)
    assert back.seat is not None
    assert [(path.group_id, path.disabled_plans) for path in back.seat.paths] == [(None, tuple(off))]
    writes = await stage.control("GET", "/writes")
    assert [write["kind"] for write in writes] == ["license_removed", "license_added"]


async def test_trap_04_practice_tenant_a_group_gives_its_seat_back_later(stage: Stage) -> None:
    person, product = await a_seat(stage, "group")
    live = await stage.graph.directory.live_person(person, with_sign_ins=False)
    assert live is not None
    group = next(seat for seat in live.seats if seat.product_id == product).paths[0].group_id
    assert group is not None
    await stage.graph.writer.leave_group(person, group, client_request_id=WRITE_ID)
    await stage.control("POST", "/clock", {"now": "2026-11-23T10:00:00Z"})

    await stage.graph.writer.join_group(person, GroupId(group), client_request_id=WRITE_ID)
    await stage.graph.writer.join_group(person, GroupId(group), client_request_id=WRITE_ID)  # a member stays one

    assert (await stage.graph.writer.read_back(person, product)).seat is None
    await stage.control("POST", "/clock", {"now": "2026-11-23T11:00:00Z"})
    assert (await stage.graph.writer.read_back(person, product)).seat is not None


async def test_error_invalid_usage_location_and_trap_18(stage: Stage) -> None:
    [(person, product), *_] = await held_by(stage, "no_usage_location")
    await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    with pytest.raises(WriteBackError) as raised:
        await stage.graph.writer.assign_direct(person, product, (), client_request_id=WRITE_ID)

    assert raised.value.refusal is Refusal.USAGE_LOCATION
    assert raised.value.permanent


async def test_error_no_available_licenses(stage: Stage) -> None:
    skus = {sku.part_number: sku for sku in (await stage.graph.directory.skus()).rows}
    full = next(sku for sku in skus.values() if sku.assignable and sku.available == 0)
    person = await without(stage, full.id)

    with pytest.raises(WriteBackError) as raised:
        await stage.graph.writer.assign_direct(person, full.id, (), client_request_id=WRITE_ID)

    assert raised.value.refusal is Refusal.NO_AVAILABLE_LICENSES
    assert (await stage.graph.writer.read_back(person, full.id)).seat is None


async def without(stage: Stage, product: ProductId) -> PersonId:
    """Return somebody in a country who does not hold this product."""
    for found in (await stage.graph.directory.people(None)).rows:
        if found.person.usage_location and product not in {seat.product_id for seat in found.seats}:
            return found.person.id
    raise AssertionError("everybody holds it")
