"""Reading people, seats and sign-ins: the exact questions, and every rule of reading the answers."""

from datetime import UTC, datetime

import pytest

from reclaim.connectors.graph.answers import NO_PREMIUM
from reclaim.domain.activity import SignIns
from reclaim.domain.directory import Path, Person, Seat
from reclaim.domain.ids import SeatId
from reclaim.errors import DirectoryError
from reclaim.ports.directory import SignInSupport, sign_in_support
from tests.contract.graph.support import (
    ADELE,
    BOSS,
    E3,
    GRAPH,
    GROUP,
    MISSING,
    PLAN,
    VISIO,
    ScriptedGraph,
    assignment,
    changed,
    error,
    page,
    user,
)


async def person(graph: ScriptedGraph, row: dict[str, object]) -> Person:
    graph.will(page(row))
    return (await graph.directory.people(None)).rows[0].person


async def seats(graph: ScriptedGraph, row: dict[str, object]) -> tuple[Seat, ...]:
    graph.will(page(row))
    return (await graph.directory.people(None)).rows[0].seats


# People


async def test_people_are_asked_for_with_all_that_is_read_and_no_sign_ins(graph: ScriptedGraph) -> None:
    graph.will(page(user(manager={"@odata.type": "#microsoft.graph.user", "id": BOSS.upper()})))

    found = await graph.directory.people(None)

    assert graph.asked == [
        "GET /users?$select=id,displayName,userPrincipalName,mail,accountEnabled,userType,usageLocation,"
        "createdDateTime,employeeType,department,proxyAddresses,licenseAssignmentStates&$expand=manager($select=id)&$top=100"
    ]
    assert found.rows[0].person == Person(
        id=ADELE,
        name="Adele Vance",
        upn="AdeleV@contoso.com",
        mail="AdeleV@contoso.com",
        enabled=True,
        user_type="Member",
        department="Design",
        employee_type=None,
        usage_location="CH",
        created_at=datetime(2023, 2, 1, 8, tzinfo=UTC),
        manager_id=BOSS,
    )


async def test_ids_are_lower_cased(graph: ScriptedGraph) -> None:
    assert (await person(graph, user(id=ADELE.upper()))).id == ADELE


@pytest.mark.parametrize("value", [MISSING, None, "", "AdeleV@contoso.com", 7])
async def test_a_person_without_an_id_is_refused(graph: ScriptedGraph, value: object) -> None:
    with pytest.raises(DirectoryError):
        await person(graph, changed(user(), "id", value))


@pytest.mark.parametrize("value", [MISSING, None])
async def test_an_account_state_that_was_not_said_is_unknown(graph: ScriptedGraph, value: object) -> None:
    assert (await person(graph, changed(user(), "accountEnabled", value))).enabled is None


async def test_an_account_state_that_is_no_boolean_is_refused(graph: ScriptedGraph) -> None:
    with pytest.raises(DirectoryError):
        await person(graph, user(accountEnabled="false"))


@pytest.mark.parametrize("value", [MISSING, None])
async def test_a_person_may_have_no_manager(graph: ScriptedGraph, value: object) -> None:
    assert (await person(graph, changed(user(), "manager", value))).manager_id is None


async def test_a_contact_is_no_manager_who_could_review(graph: ScriptedGraph) -> None:
    contact = {"@odata.type": "#microsoft.graph.orgContact", "id": BOSS}

    assert (await person(graph, user(manager=contact))).manager_id is None


async def test_a_manager_without_an_id_is_refused(graph: ScriptedGraph) -> None:
    with pytest.raises(DirectoryError):
        await person(graph, user(manager={}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-02-01T08:00:00Z", datetime(2023, 2, 1, 8, tzinfo=UTC)),
        ("2023-02-01T09:00:00.1234567+01:00", datetime(2023, 2, 1, 8, 0, 0, 123456, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("1601-01-01T00:00:00Z", None),
        (None, None),
    ],
)
async def test_a_date_of_creation_is_utc_or_unknown(
    graph: ScriptedGraph, text: str | None, expected: datetime | None
) -> None:
    assert (await person(graph, user(createdDateTime=text))).created_at == expected


@pytest.mark.parametrize("text", ["yesterday", "2023-02-01T08:00:00", "2023-02-01", 1675238400, ""])
async def test_a_date_that_is_no_instant_is_refused(graph: ScriptedGraph, text: object) -> None:
    with pytest.raises(DirectoryError):
        await person(graph, user(createdDateTime=text))


async def test_a_refusal_names_the_object_and_the_field_but_no_value(graph: ScriptedGraph) -> None:
    with pytest.raises(DirectoryError) as raised:
        await person(graph, user(createdDateTime="Adele's birthday"))

    assert ADELE in raised.value.message
    assert "createdDateTime" in raised.value.message
    assert "Adele" not in raised.value.message
    assert "birthday" not in raised.value.message


# Seats


async def test_a_product_on_several_paths_is_one_seat(graph: ScriptedGraph) -> None:
    found = await seats(
        graph,
        user(
            assignment(VISIO.upper()),
            assignment(E3),
            assignment(VISIO, GROUP.upper(), disabledPlans=[PLAN.upper()], lastUpdatedDateTime=None),
        ),
    )

    visio, e3 = found
    assert (visio.id, visio.product_id, e3.product_id) == (SeatId(f"{ADELE}:{VISIO}"), VISIO, E3)
    assert visio.paths == (
        Path(group_id=None, state="Active", updated_at=datetime(2026, 1, 10, 10, tzinfo=UTC)),
        Path(group_id=GROUP, state="Active", disabled_plans=(PLAN,)),
    )


@pytest.mark.parametrize(("sent", "kept"), [("None", None), (None, None), ("CountViolation", "CountViolation")])
async def test_no_error_is_null_or_the_word_none(graph: ScriptedGraph, sent: str | None, kept: str | None) -> None:
    found = await seats(graph, user(assignment(error=sent)))

    assert found[0].paths[0].error == kept


@pytest.mark.parametrize(
    ("state", "kept", "gives"),
    [
        ("ActiveWithError", "ActiveWithError", True),
        ("Error", "Error", False),
        ("Disabled", "Disabled", False),
        ("SomethingNew", "SomethingNew", False),
        (None, "Unknown", False),
    ],
)
async def test_a_path_keeps_its_state_in_microsofts_words(
    graph: ScriptedGraph, state: str | None, kept: str, gives: bool
) -> None:
    path = (await seats(graph, user(assignment(state=state))))[0].paths[0]

    assert (path.state, path.gives_seat) == (kept, gives)


async def test_a_person_without_licenses_has_no_seats(graph: ScriptedGraph) -> None:
    assert await seats(graph, user()) == ()


@pytest.mark.parametrize("value", [MISSING, None, {}])
async def test_missing_assignments_are_never_no_seats(graph: ScriptedGraph, value: object) -> None:
    with pytest.raises(DirectoryError):
        await seats(graph, changed(user(), "licenseAssignmentStates", value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("skuId", MISSING),
        ("assignedByGroup", MISSING),  # null means direct, absent means nothing
        ("assignedByGroup", "LIC-VISIO"),
        ("disabledPlans", MISSING),
        ("disabledPlans", [7]),
        ("lastUpdatedDateTime", "today"),
    ],
)
async def test_an_assignment_with_a_fact_missing_is_refused(graph: ScriptedGraph, name: str, value: object) -> None:
    with pytest.raises(DirectoryError):
        await seats(graph, user(changed(assignment(), name, value)))


# Sign-ins


async def test_sign_ins_come_500_at_a_time(graph: ScriptedGraph) -> None:
    activity = {
        "lastSuccessfulSignInDateTime": "2026-04-11T01:00:00Z",
        "lastSignInDateTime": "2026-03-02T09:12:00Z",
        "lastNonInteractiveSignInDateTime": None,
    }
    graph.will(page({"id": ADELE, "signInActivity": activity}))

    found = await graph.directory.sign_ins(None)

    assert graph.asked == ["GET /users?$select=id,signInActivity&$top=500"]
    assert found.rows[0].person_id == ADELE
    assert found.rows[0].sign_ins == SignIns(
        success_at=datetime(2026, 4, 11, 1, tzinfo=UTC), interactive_at=datetime(2026, 3, 2, 9, 12, tzinfo=UTC)
    )


async def test_a_tenant_that_refuses_500_is_asked_for_120(graph: ScriptedGraph) -> None:
    # microsoftgraph/msgraph-sdk-powershell issue 1898
    graph.will(error(400, "Request_BadRequest", "Cannot query data for more than 120 users at a time"), page())

    await graph.directory.sign_ins(None)

    assert graph.asked == [
        "GET /users?$select=id,signInActivity&$top=500",
        "GET /users?$select=id,signInActivity&$top=120",
    ]


async def test_a_refusal_of_a_later_page_does_not_start_again(graph: ScriptedGraph) -> None:
    graph.will(page(following=f"{GRAPH}/users?$skiptoken=1"), error(400, "Directory_ExpiredPageToken"))
    cursor = (await graph.directory.sign_ins(None)).next_cursor

    with pytest.raises(DirectoryError):
        await graph.directory.sign_ins(cursor)


@pytest.mark.parametrize("value", [MISSING, None, {}])
async def test_a_person_without_recorded_sign_ins_has_three_empty_fields(graph: ScriptedGraph, value: object) -> None:
    graph.will(page(changed({"id": ADELE}, "signInActivity", value)))

    assert (await graph.directory.sign_ins(None)).rows[0].sign_ins == SignIns()


@pytest.mark.parametrize(
    "name", ["lastSuccessfulSignInDateTime", "lastSignInDateTime", "lastNonInteractiveSignInDateTime"]
)
@pytest.mark.parametrize("text", ["never", "", "0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "2026-03-02", 0, False])
async def test_a_sign_in_that_is_not_understood_is_never_read_as_never(
    graph: ScriptedGraph, name: str, text: object
) -> None:
    graph.will(page({"id": ADELE, "signInActivity": {name: text}}))

    with pytest.raises(DirectoryError):
        await graph.directory.sign_ins(None)


@pytest.mark.parametrize("value", ["never", [], 5])
async def test_sign_in_activity_of_another_form_is_refused(graph: ScriptedGraph, value: object) -> None:
    graph.will(page({"id": ADELE, "signInActivity": value}))

    with pytest.raises(DirectoryError):
        await graph.directory.sign_ins(None)


@pytest.mark.parametrize(
    ("code", "times", "support"),
    [
        (NO_PREMIUM, 3, SignInSupport.NO_PREMIUM),
        ("Authorization_RequestDenied", 1, SignInSupport.NO_PERMISSION),
        # microsoft-graph-docs-contrib issue 8997
        ("Authentication_MSGraphPermissionMissing", 1, SignInSupport.NO_PERMISSION),
        ("Request_Other", 1, None),
    ],
)
async def test_a_tenant_without_sign_in_data_is_told_apart(
    graph: ScriptedGraph, code: str, times: int, support: SignInSupport | None
) -> None:
    graph.will(*[error(403, code) for _ in range(times)])

    with pytest.raises(DirectoryError) as raised:
        await graph.directory.sign_ins(None)

    assert sign_in_support(raised.value) == support
