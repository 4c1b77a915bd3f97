"""The checkup's questions over HTTP: what a practice tenant takes away is named, and nothing is written to find out."""

from datetime import timedelta

import pytest

from reclaim.connectors.graph import Registration, connect
from reclaim.connectors.graph.checks import GraphChecks
from reclaim.errors import DirectoryError
from reclaim.ports.checks import WRITING, Permission
from reclaim.ports.directory import SignInSupport, sign_in_support
from tests.contract.graph.practice import START, Stage
from tests.contract.graph.support import CountedTokens, ScriptedGraph

ALL = [one.value for one in Permission]
# A mailbox cannot be asked for without a person: that permission is told by the token. Devices are asked for by their source.
READING = [one for one in Permission if one not in {*WRITING, Permission.READ_MAILBOXES, Permission.READ_DEVICES}]


async def grant(stage: Stage, *granted: str) -> None:
    await stage.control("POST", "/permissions", {"granted": list(granted)})


@pytest.mark.parametrize("missing", READING)
async def test_a_missing_permission_to_read_is_told_by_its_own_question_alone(
    stage: Stage, missing: Permission
) -> None:
    also_opens = {Permission.READ_GROUPS: {Permission.WRITE_MEMBERS}}.get(missing, set())
    await grant(stage, *(set(ALL) - {missing} - also_opens))

    # Sign-ins are read off people, and refused without both.
    asked = [one for one in READING if (missing, one) != (Permission.READ_PEOPLE, Permission.READ_SIGN_INS)]
    for permission in asked:
        if permission is missing:
            with pytest.raises(DirectoryError, match=missing.value) as raised:
                await stage.graph.checks.read(permission)
            assert raised.value.permanent
        else:
            assert await stage.graph.checks.read(permission) == START


async def test_a_tenant_without_p1_is_not_told_as_a_missing_permission(stage: Stage) -> None:
    await stage.control("POST", "/premium", {"premium": False})

    with pytest.raises(DirectoryError, match="no Entra ID P1") as raised:
        await stage.graph.checks.read(Permission.READ_SIGN_INS)

    assert sign_in_support(raised.value) is SignInSupport.NO_PREMIUM


async def test_what_was_granted_since_is_known_to_a_new_token_only(stage: Stage) -> None:
    await grant(stage, *READING)
    checks = stage.graph.checks
    assert await checks.write_permissions(anew=False) == frozenset()

    await grant(stage, *ALL)

    assert await checks.write_permissions(anew=False) == frozenset()
    assert await checks.write_permissions(anew=True) == WRITING


async def test_nothing_is_written_to_find_out(stage: Stage) -> None:
    await stage.graph.checks.write_permissions(anew=True)
    for permission in READING:
        await stage.graph.checks.read(permission)

    calls = await stage.control("GET", "/calls")
    assert {call["method"] for call in calls if "/v1.0/" in call["path"]} == {"GET"}


async def test_the_writer_is_asked_where_another_application_writes(stage: Stage) -> None:
    tenant = stage.tenant
    graph = connect(
        login_url=tenant.login_url,
        graph_url=tenant.graph_url,
        tenant_id=tenant.tenant_id,
        reader=Registration(client_id=tenant.client_id, credential=tenant.client_secret),
        writer=Registration(client_id=tenant.writer_client_id, credential=tenant.writer_client_secret),
        ca_file=tenant.ca_file,
        clock=stage.clock,
        tokens=CountedTokens(),
    )
    await grant(stage, *READING)
    try:
        assert graph.checks.separate_writer
        assert await graph.checks.write_permissions(anew=False) == WRITING
        assert tenant.writer_client_id in graph.checks.consent_link(writer=True)
        assert graph.checks.consent_link(writer=False).startswith(
            f"{tenant.login_url}/{tenant.tenant_id}/adminconsent?client_id={tenant.client_id}"
        )
    finally:
        await graph.aclose()


@pytest.mark.parametrize(
    "token", ["opaque", "a.b.c", "e30.e30.sig", "e30.bm9uZQ.sig", "e30.eyJhdWQiOiJ4Iiwicm9sZXMiOjF9.s"]
)
async def test_a_token_that_does_not_tell_forbids_nothing(
    graph: ScriptedGraph, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    async def current() -> str:
        return token

    monkeypatch.setattr(graph.access, "current", current)
    checks = GraphChecks(graph.client, graph.client, consent_address="https://login.example", client_ids=("r", "w"))

    assert await checks.write_permissions(anew=False) is None


async def test_a_clock_that_differs_shows_in_the_answers(stage: Stage) -> None:
    await stage.control("POST", "/clock", {"now": (START + timedelta(hours=2)).isoformat()})

    assert await stage.graph.checks.read(Permission.READ_PEOPLE) == START + timedelta(hours=2)
