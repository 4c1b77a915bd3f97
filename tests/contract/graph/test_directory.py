"""Reading products, groups and one person live: the exact questions, every rule of reading, and paging."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from reclaim.domain.activity import SignIns
from reclaim.domain.directory import Group, LivePerson, ServicePlan, Sku
from reclaim.domain.ids import GroupId, PersonId
from reclaim.errors import DirectoryError
from tests.contract.graph.support import (
    ADELE,
    BOSS,
    E3,
    GRAPH,
    GROUP,
    MISSING,
    NOW,
    PLAN,
    VISIO,
    ScriptedGraph,
    assignment,
    batch,
    changed,
    error,
    group,
    in_batch,
    ok,
    page,
    sku,
    user,
)


async def only_group(graph: ScriptedGraph, row: dict[str, object]) -> Group:
    graph.will(ok(row), page())
    found = await graph.directory.group(GROUP)
    assert found is not None
    return found


# Products


async def test_a_product_comes_with_name_pool_and_plans(graph: ScriptedGraph) -> None:
    graph.will(page(sku(skuId=VISIO.upper())))

    found = await graph.directory.skus()

    assert graph.asked == ["GET /subscribedSkus"]
    assert found.rows == (
        Sku(
            id=VISIO,
            part_number="VISIOCLIENT",
            name="Visio Plan 2",
            enabled=25,
            warning=1,
            suspended=2,
            consumed=14,
            assignable=True,
            status="Enabled",
            plans=(ServicePlan(PLAN, "VISIO_CLIENT_SUBSCRIPTION"),),
        ),
    )


async def test_an_unknown_product_is_shown_by_its_part_number(graph: ScriptedGraph) -> None:
    graph.will(page(sku(skuPartNumber="NEW_THING")))

    assert (await graph.directory.skus()).rows[0].name == "NEW_THING"


@pytest.mark.parametrize("applies_to", ["Company", None, MISSING])
async def test_only_a_product_for_users_is_assignable(graph: ScriptedGraph, applies_to: object) -> None:
    graph.will(page(changed(sku(), "appliesTo", applies_to)))

    assert not (await graph.directory.skus()).rows[0].assignable


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("skuId", MISSING),
        ("skuId", "no guid"),
        ("skuPartNumber", None),
        ("consumedUnits", "14"),
        ("consumedUnits", True),
        ("prepaidUnits", None),
        ("prepaidUnits", {"enabled": 25}),
        ("capabilityStatus", MISSING),
        ("servicePlans", MISSING),
        ("servicePlans", None),
        ("servicePlans", [{"servicePlanName": "X"}]),
        ("servicePlans", ["X"]),
    ],
)
async def test_a_product_with_a_fact_missing_is_refused(graph: ScriptedGraph, name: str, value: object) -> None:
    graph.will(page(changed(sku(), name, value)))

    with pytest.raises(DirectoryError) as raised:
        await graph.directory.skus()

    assert raised.value.permanent


async def test_a_second_page_of_products_is_not_lost_silently(graph: ScriptedGraph) -> None:
    graph.will(page(following=f"{GRAPH}/subscribedSkus?$skiptoken=1"))

    with pytest.raises(DirectoryError):
        await graph.directory.skus()


# Pages


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}, {"value": [None]}, {"value": ["x"]}])
async def test_an_answer_without_a_list_of_objects_is_never_an_empty_page(
    graph: ScriptedGraph, body: dict[str, object]
) -> None:
    graph.will(ok(body))

    with pytest.raises(DirectoryError):
        await graph.directory.people(None)


async def test_a_cursor_leads_to_the_next_link_as_it_came(graph: ScriptedGraph) -> None:
    following = f"{GRAPH}/users?$select=id%2cmail&$expand=manager($select=id)&$skiptoken=RFNwdAIAAQ%3d~x"
    graph.will(page(user(), following=following), page(user()))

    first = await graph.directory.people(None)
    second = await graph.directory.people(first.next_cursor)

    assert str(graph.requests[1].url) == following
    assert second.request.url == following
    assert second.next_cursor is None


async def test_the_cursor_of_another_stream_is_refused(graph: ScriptedGraph) -> None:
    # A page of people has no signInActivity, which would read as never seen.
    graph.will(page(user(), following=f"{GRAPH}/users?$skiptoken=1"))
    cursor = (await graph.directory.people(None)).next_cursor

    with pytest.raises(DirectoryError):
        await graph.directory.sign_ins(cursor)

    assert len(graph.requests) == 1


async def test_a_page_that_follows_itself_ends_the_read(graph: ScriptedGraph) -> None:
    following = f"{GRAPH}/users?$skiptoken=1"
    graph.will(page(following=following), page(following=following))
    cursor = (await graph.directory.people(None)).next_cursor

    with pytest.raises(DirectoryError):
        await graph.directory.people(cursor)


# Groups


async def test_only_licensed_groups_are_returned_and_asked_for_nesting(graph: ScriptedGraph) -> None:
    other = "22222222-1cbe-4a52-8b3c-6d2a1e36f0a1"
    graph.will(page(group((), id=other), group([VISIO.upper(), E3])), page({"id": other}))

    found = await graph.directory.groups(None)

    assert graph.asked == [
        "GET /groups?$select=id,displayName,groupTypes,securityEnabled,mailEnabled,onPremisesSyncEnabled,"
        "isAssignableToRole,isManagementRestricted,assignedLicenses&$top=999",
        f"GET /groups/{GROUP}/members/microsoft.graph.group?$select=id&$top=1",
    ]
    assert found.request.rows == 2
    assert found.rows == (
        Group(
            id=GROUP,
            name="LIC-VISIO",
            dynamic=False,
            security_enabled=True,
            mail_enabled=False,
            unified=False,
            synced=False,
            role_assignable=False,
            restricted=False,
            has_nested_groups=True,
            sku_ids=(E3, VISIO),
        ),
    )


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("onPremisesSyncEnabled", lambda found: found.synced),
        ("isAssignableToRole", lambda found: found.role_assignable),
        ("isManagementRestricted", lambda found: found.restricted),
    ],
)
@pytest.mark.parametrize(("value", "expected"), [(None, False), (False, False), (True, True), (MISSING, None)])
async def test_null_is_no_but_an_absent_fact_is_unknown(
    graph: ScriptedGraph, name: str, read: Callable[[Group], bool | None], value: object, expected: bool | None
) -> None:
    assert read(await only_group(graph, changed(group(), name, value))) is expected


@pytest.mark.parametrize("value", [None, MISSING])
async def test_security_and_mail_that_were_not_said_are_unknown(graph: ScriptedGraph, value: object) -> None:
    row = changed(changed(group(), "securityEnabled", value), "mailEnabled", value)

    found = await only_group(graph, row)

    assert (found.security_enabled, found.mail_enabled) == (None, None)


async def test_a_dynamic_group_is_known_by_its_type(graph: ScriptedGraph) -> None:
    found = await only_group(graph, group(groupTypes=["DynamicMembership"]))

    assert (found.dynamic, found.unified) == (True, False)


async def test_a_microsoft_365_group_cannot_nest_and_is_not_asked(graph: ScriptedGraph) -> None:
    # Graph answers that question with 400 Request_UnsupportedQuery (docs, api/group-list-transitivemembers).
    graph.will(ok(group(groupTypes=["Unified"])))

    found = await graph.directory.group(GROUP)

    assert found is not None
    assert (found.unified, found.has_nested_groups) == (True, False)


async def test_nesting_that_graph_does_not_tell_is_unknown(graph: ScriptedGraph) -> None:
    graph.will(ok(group()), error(400, "Request_UnsupportedQuery"))

    found = await graph.directory.group(GROUP)

    assert found is not None
    assert found.has_nested_groups is None


async def test_an_empty_page_with_a_successor_is_not_the_end_of_the_nested_groups(graph: ScriptedGraph) -> None:
    # A cast filters after paging, so a page may be empty although rows follow.
    following = f"{GRAPH}/groups/{GROUP}/members/microsoft.graph.group?$skiptoken=1"
    graph.will(ok(group()), page(following=following), page({"id": ADELE}))

    found = await graph.directory.group(GROUP)

    assert found is not None
    assert found.has_nested_groups is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", MISSING),
        ("groupTypes", MISSING),
        ("groupTypes", [None]),
        ("assignedLicenses", MISSING),
        ("assignedLicenses", [{}]),
        ("mailEnabled", "no"),
        ("isAssignableToRole", 0),
    ],
)
async def test_a_group_with_a_fact_missing_is_refused(graph: ScriptedGraph, name: str, value: object) -> None:
    graph.will(page(changed(group(), name, value)))

    with pytest.raises(DirectoryError):
        await graph.directory.groups(None)


async def test_an_unknown_group_is_none(graph: ScriptedGraph) -> None:
    graph.will(error(404, "Request_ResourceNotFound"))

    assert await graph.directory.group(GROUP) is None


async def test_members_are_the_direct_users(graph: ScriptedGraph) -> None:
    graph.will(page({"@odata.type": "#microsoft.graph.user", "id": ADELE.upper()}))

    found = await graph.directory.group_members(GROUP, None)

    assert graph.asked == [f"GET /groups/{GROUP}/members/microsoft.graph.user?$select=id&$top=999"]
    assert found.rows == (ADELE,)


# One person, live


async def test_a_person_is_read_live_with_seats_and_direct_groups(graph: ScriptedGraph) -> None:
    following = f"{GRAPH}/users/{ADELE}/memberOf/microsoft.graph.group?$skiptoken=1"
    other = GroupId("22222222-1cbe-4a52-8b3c-6d2a1e36f0a1")
    graph.will(batch(ok(user(assignment())), page({"id": GROUP}, following=following)), page({"id": other}))

    found = await graph.directory.live_person(PersonId(ADELE.upper()), with_sign_ins=False)

    assert in_batch(graph.requests[0]) == [
        f"GET /users/{ADELE}?$select=id,displayName,userPrincipalName,mail,accountEnabled,userType,usageLocation,"
        "createdDateTime,employeeType,department,proxyAddresses,licenseAssignmentStates&$expand=manager($select=id)",
        f"GET /users/{ADELE}/memberOf/microsoft.graph.group?$select=id&$top=999",
    ]
    assert isinstance(found, LivePerson)
    assert (found.person.sign_ins, found.person.sign_ins_read_at) == (None, None)
    assert [seat.product_id for seat in found.seats] == [VISIO]
    assert found.direct_group_ids == (GROUP, other)


async def test_sign_ins_are_read_live_when_asked_for(graph: ScriptedGraph) -> None:
    activity = {"lastSignInDateTime": "2026-03-02T09:12:00Z"}
    graph.will(ok(user(signInActivity=activity)), page())

    found = await graph.directory.live_person(ADELE, with_sign_ins=True)

    assert found is not None
    assert ",signInActivity&" in graph.asked[0]
    assert found.person.sign_ins == SignIns(interactive_at=datetime(2026, 3, 2, 9, 12, tzinfo=UTC))
    assert found.person.sign_ins_read_at == NOW


async def test_people_who_are_looked_at_together_are_read_in_one_batch_each_with_an_outcome_of_its_own(
    graph: ScriptedGraph,
) -> None:
    refusal = error(403, "Authorization_RequestDenied")
    graph.will(batch(ok(user()), page({"id": GROUP}), refusal, page()))

    adele, boss = await asyncio.gather(
        graph.directory.live_person(ADELE, with_sign_ins=False),
        graph.directory.live_person(BOSS, with_sign_ins=False),
        return_exceptions=True,
    )

    assert len(graph.requests) == 1
    assert isinstance(adele, LivePerson)
    assert adele.direct_group_ids == (GROUP,)
    assert isinstance(boss, DirectoryError)
    assert boss.status == 403


async def test_a_person_whom_microsoft_does_not_know_is_none(graph: ScriptedGraph) -> None:
    graph.will(batch(error(404, "Request_ResourceNotFound"), error(404, "Request_ResourceNotFound")))

    assert await graph.directory.live_person(ADELE, with_sign_ins=False) is None


async def test_a_person_deleted_between_the_two_reads_is_none(graph: ScriptedGraph) -> None:
    graph.will(batch(ok(user()), error(404, "Request_ResourceNotFound")))

    assert await graph.directory.live_person(ADELE, with_sign_ins=False) is None


@pytest.mark.parametrize("text", ["me", "AdeleV@contoso.com", f"{ADELE}/manager", f"{ADELE}\n", "", "../groups"])
async def test_only_a_guid_enters_an_address(graph: ScriptedGraph, text: str) -> None:
    for read in (
        graph.directory.live_person(PersonId(text), with_sign_ins=False),
        graph.directory.group(GroupId(text)),
        graph.directory.group_members(GroupId(text), None),
        graph.writer.read_back(PersonId(text), VISIO),
    ):
        with pytest.raises(DirectoryError):
            await read

    assert graph.requests == []
