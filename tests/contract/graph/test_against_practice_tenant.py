"""The real connector with the real msal over TLS, against the practice tenant. The two share no code."""

import pytest

from reclaim.connectors.graph import GraphConnection, Registration, connect
from reclaim.domain.ids import GroupId
from reclaim.errors import DirectoryError, WriteBackError
from reclaim.ports.directory import PersonRow, SignInRow, SignInSupport, sign_in_support
from tests.contract.graph.practice import PEOPLE, Stage, a_seat, connected, held_by
from tests.contract.graph.support import WRITE_ID, CountedTokens


async def all_people(graph: GraphConnection) -> list[PersonRow]:
    rows: list[PersonRow] = []
    cursor: str | None = None
    while True:
        page = await graph.directory.people(cursor)
        rows += page.rows
        if (cursor := page.next_cursor) is None:
            return rows


async def all_sign_ins(graph: GraphConnection) -> list[SignInRow]:
    rows: list[SignInRow] = []
    cursor: str | None = None
    while True:
        page = await graph.directory.sign_ins(cursor)
        rows += page.rows
        if (cursor := page.next_cursor) is None:
            return rows


async def test_every_seat_of_everybody_is_read(stage: Stage) -> None:
    truth = {
        (case["person_id"], seat["sku_id"], path)
        for case in await stage.control("GET", "/cases")
        for seat in case["seats"]
        for path in {"direct_and_group": ("direct", "group"), "groups": ("group",)}.get(seat["path"], (seat["path"],))
    }

    rows = await all_people(stage.graph)

    read = {
        (row.person.id, seat.product_id, "direct" if path.group_id is None else "group")
        for row in rows
        for seat in row.seats
        for path in seat.paths
    }
    assert read == truth
    assert len({row.person.id for row in rows}) == len(rows) == PEOPLE
    assert any(row.person.manager_id for row in rows)


async def test_sign_ins_cover_everybody(stage: Stage) -> None:
    rows = await all_sign_ins(stage.graph)

    assert len({row.person_id for row in rows}) == PEOPLE
    assert sum(row.sign_ins.success_at is not None for row in rows) > PEOPLE / 2
    assert any(row.sign_ins.success_at is None for row in rows)


async def test_products_and_groups_carry_the_facts_that_decide(stage: Stage) -> None:
    skus = (await stage.graph.directory.skus()).rows
    groups = (await stage.graph.directory.groups(None)).rows

    assert {sku.part_number: sku.name for sku in skus}["VISIOCLIENT"] == "Visio Plan 2"
    assert all(sku.plans and sku.enabled >= sku.consumed > 0 for sku in skus if sku.assignable)
    assert {sku.part_number for sku in skus if not sku.assignable} == {"SHAREPOINTSTORAGE"}
    assert any(group.dynamic for group in groups)
    assert any(group.synced for group in groups)
    assert any(group.mail_enabled for group in groups)
    assert any(group.unified for group in groups)
    assert any(group.role_assignable for group in groups)
    assert any(group.restricted for group in groups)
    assert any(group.has_nested_groups for group in groups)
    assert any(len(group.sku_ids) > 1 for group in groups)
    assert all(group.sku_ids and group.has_nested_groups is not None for group in groups)
    assert (await stage.graph.directory.group(groups[0].id)) == groups[0]


async def test_the_members_of_a_group_are_those_who_say_so_themselves(stage: Stage) -> None:
    person, product = await a_seat(stage, "group")
    live = await stage.graph.directory.live_person(person, with_sign_ins=True)
    assert live is not None
    group = next(seat for seat in live.seats if seat.product_id == product).paths[0].group_id
    assert group is not None

    members = await stage.graph.directory.group_members(group, None)

    assert group in live.direct_group_ids
    assert person in members.rows


async def test_a_direct_license_is_removed_and_read_back_as_gone(stage: Stage) -> None:
    person, product = await a_seat(stage, "direct")
    assert (await stage.graph.writer.read_back(person, product)).seat is not None

    first = await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)
    second = await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    assert (first.status, first.already_absent, second.already_absent) == (200, False, True)
    assert (await stage.graph.writer.read_back(person, product)).seat is None
    writes = await stage.control("GET", "/writes")
    assert [(write["kind"], write["client_request_id"]) for write in writes] == [("license_removed", WRITE_ID)]


async def test_a_group_is_left_and_the_person_stays(stage: Stage) -> None:
    person, product = await a_seat(stage, "group")
    live = await stage.graph.directory.live_person(person, with_sign_ins=False)
    assert live is not None
    group = next(seat for seat in live.seats if seat.product_id == product).paths[0].group_id
    assert group is not None
    with pytest.raises(WriteBackError, match="through a group"):
        await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    first = await stage.graph.writer.leave_group(person, group, client_request_id=WRITE_ID)
    second = await stage.graph.writer.leave_group(person, group, client_request_id=WRITE_ID)

    assert (first.status, first.already_absent, second.already_absent) == (204, False, True)
    # The license follows the membership later: 204 is not "gone".
    assert (await stage.graph.writer.read_back(person, product)).seat is not None
    await stage.control("POST", "/clock", {"now": "2026-11-23T10:00:00Z"})
    assert (await stage.graph.writer.read_back(person, product)).seat is None
    assert await stage.graph.directory.live_person(person, with_sign_ins=False) is not None


async def test_protected_groups_refuse_for_good(stage: Stage) -> None:
    tried = 0
    for group in (await stage.graph.directory.groups(None)).rows:
        of_exchange = group.mail_enabled and not group.unified
        if not (group.dynamic or group.synced or of_exchange or group.role_assignable or group.restricted):
            continue
        tried += 1
        member = (await stage.graph.directory.group_members(group.id, None)).rows[0]
        with pytest.raises(WriteBackError) as raised:
            await stage.graph.writer.leave_group(member, group.id, client_request_id=WRITE_ID)
        assert (raised.value.permanent, raised.value.maybe_applied) == (True, False)

    assert tried == 6
    assert await stage.control("GET", "/writes") == []


async def test_a_product_that_another_one_needs_goes_only_after_it(stage: Stage) -> None:
    (person, base), (_, add_on) = await held_by(stage, "dependent_plans")

    with pytest.raises(WriteBackError, match="Remove that one first") as raised:
        await stage.graph.writer.remove_direct(person, base, client_request_id=WRITE_ID)
    await stage.graph.writer.remove_direct(person, add_on, client_request_id=WRITE_ID)
    await stage.graph.writer.remove_direct(person, base, client_request_id=WRITE_ID)

    assert (raised.value.permanent, raised.value.maybe_applied) == (True, False)
    assert (await stage.graph.writer.read_back(person, base)).seat is None


async def test_a_person_in_a_restricted_unit_is_refused_for_good(stage: Stage) -> None:
    [(person, product)] = await held_by(stage, "restricted_person")

    with pytest.raises(WriteBackError, match="restricted management unit") as raised:
        await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    assert (raised.value.permanent, raised.value.maybe_applied) == (True, False)


async def test_failed_assignments_are_read_with_their_word_and_give_no_seat(stage: Stage) -> None:
    people = await stage.control("GET", "/cases")
    failed = {one["person_id"] for one in people if one["case"] in ("error_state", "disabled_state", "unknown_state")}
    troubled = {one["person_id"] for one in people if one["case"] == "active_with_error"}

    rows = await all_people(stage.graph)

    paths = [(row.person.id, path) for row in rows for seat in row.seats for path in seat.paths]
    assert {who for who, path in paths if not path.gives_seat} == failed
    assert {who for who, path in paths if path.gives_seat and path.error} == troubled
    assert {path.error for who, path in paths if who in troubled} == {
        "CountViolation",
        "MutuallyExclusiveViolation",
        "DependencyViolation",
        "ProhibitedInUsageLocationViolation",
        "UniquenessViolation",
        "Other",
    }


async def test_a_manager_who_is_a_contact_is_nobody_who_could_review(stage: Stage) -> None:
    [(person, _)] = await held_by(stage, "contact_manager")

    live = await stage.graph.directory.live_person(person, with_sign_ins=False)

    assert live is not None
    assert live.person.manager_id is None


async def test_guests_are_read_as_guests(stage: Stage) -> None:
    [(person, _)] = await held_by(stage, "guest")

    live = await stage.graph.directory.live_person(person, with_sign_ins=True)

    assert live is not None
    assert (live.person.user_type, "#EXT#" in live.person.upn, live.person.can_review) == ("Guest", True, False)


async def test_somebody_who_left_is_nobody(stage: Stage) -> None:
    person, product = await a_seat(stage, "direct")
    await stage.control("POST", f"/people/{person}/leave")

    assert await stage.graph.directory.live_person(person, with_sign_ins=True) is None
    assert (await stage.graph.writer.read_back(person, product)).seat is None
    assert (await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)).already_absent
    assert await stage.graph.directory.group(GroupId(person)) is None


async def test_tokens_that_expire_are_renewed_for_reads_and_writes(stage: Stage) -> None:
    person, product = await a_seat(stage, "direct")
    await stage.graph.directory.skus()
    await stage.control("POST", "/tokens/expire")
    await stage.graph.directory.skus()
    await stage.control("POST", "/tokens/expire")

    result = await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    assert not result.already_absent


async def test_a_wrong_secret_says_what_to_do(stage: Stage) -> None:
    wrong = connected(stage.tenant, stage.clock, "wrong")

    with pytest.raises(DirectoryError, match="RECLAIM_CLIENT_SECRET") as raised:
        await wrong.directory.skus()

    assert raised.value.permanent
    await wrong.aclose()


async def test_a_tenant_without_premium_and_one_without_permission_are_told_apart(stage: Stage) -> None:
    await stage.control("POST", "/premium", {"premium": False})
    with pytest.raises(DirectoryError) as premium:
        await stage.graph.directory.sign_ins(None)
    await stage.control("POST", "/premium", {"premium": True})
    await stage.control("POST", "/permissions", {"granted": ["User.Read.All"]})
    with pytest.raises(DirectoryError) as permission:
        await stage.graph.directory.sign_ins(None)

    assert sign_in_support(premium.value) is SignInSupport.NO_PREMIUM
    assert sign_in_support(permission.value) is SignInSupport.NO_PERMISSION


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        ({"kind": "throttle", "retry_after": 3}, [3.0]),
        ({"kind": "status", "status": 503}, [0.5]),
        ({"kind": "half_body"}, [0.5]),
        ({"kind": "status", "status": 503, "retry_after": 4}, [4.0]),
        ({"kind": "throttle", "retry_after": None}, [0.5]),
        ({"kind": "garbage"}, [0.5]),
        ({"kind": "wrong_type"}, [0.5]),
        ({"kind": "lost"}, [0.5]),
        ({"kind": "applied_lost"}, [0.5]),
        ({"kind": "premium", "times": 2}, [0.5, 1.0]),
    ],
)
async def test_a_read_survives_a_failure_that_passes(
    stage: Stage, fault: dict[str, object], waits: list[float]
) -> None:
    await stage.fail_next(**fault, path="/users")

    page = await stage.graph.directory.sign_ins(None)

    assert len(page.rows) == PEOPLE
    assert stage.clock.waits == waits


@pytest.mark.parametrize(
    ("fault", "maybe_applied", "gone"),
    [
        ({"kind": "throttle", "retry_after": 90}, False, False),
        ({"kind": "status", "status": 409}, False, False),
        ({"kind": "throttle", "retry_after": None}, False, False),
        ({"kind": "status", "status": 503}, True, False),
        ({"kind": "lost"}, True, False),
        ({"kind": "applied_lost", "status": 504}, True, True),
        ({"kind": "applied_lost"}, True, True),
        ({"kind": "half_body"}, True, True),
    ],
)
async def test_a_write_that_fails_is_not_repeated_and_says_whether_to_read_back(
    stage: Stage, fault: dict[str, object], maybe_applied: bool, gone: bool
) -> None:
    person, product = await a_seat(stage, "direct")
    await stage.fail_next(**fault, path="/assignLicense")

    with pytest.raises(WriteBackError) as raised:
        await stage.graph.writer.remove_direct(person, product, client_request_id=WRITE_ID)

    assert (raised.value.permanent, raised.value.maybe_applied) == (False, maybe_applied)
    assert ((await stage.graph.writer.read_back(person, product)).seat is None) is gone
    calls = await stage.control("GET", "/calls")
    assert sum(call["method"] == "POST" and "assignLicense" in call["path"] for call in calls) == 1


async def test_a_certificate_that_nobody_vouches_for_is_refused(stage: Stage) -> None:
    stranger = connect(
        login_url=stage.tenant.login_url,
        graph_url=stage.tenant.graph_url,
        tenant_id=stage.tenant.tenant_id,
        reader=Registration(client_id=stage.tenant.client_id, credential=stage.tenant.client_secret),
        ca_file=None,
        clock=stage.clock,
        tokens=CountedTokens(),
    )

    with pytest.raises(DirectoryError, match="login service is not trusted") as raised:
        await stranger.directory.skus()

    assert raised.value.permanent
    await stranger.aclose()


async def test_a_login_service_that_is_not_there_may_come_back(stage: Stage) -> None:
    await stage.tenant.stop()

    with pytest.raises(DirectoryError, match="cannot be reached") as raised:
        await stage.graph.directory.skus()

    assert not raised.value.permanent
