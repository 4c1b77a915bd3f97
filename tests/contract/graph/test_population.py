"""A practice tenant read over TLS into a database: every seat is counted once, and our count is Microsoft's."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import GroupId, PersonId, TenantId
from reclaim.domain.policy import Policy
from reclaim.domain.roles import Actor, Role
from reclaim.errors import DirectoryError, NotFound
from reclaim.ports.directory import RoleSupport
from reclaim.ports.storage import Work
from reclaim.services.exclude_free import ExcludeFree
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.follow_lists import FollowLists
from reclaim.services.read_population import population
from reclaim.services.sync_directory import SyncDirectory
from storage.engine import Database
from storage.unit_of_work import SqlWork
from tests.contract.graph.practice import START, Stage
from tests.databases import copy_sqlite
from tests.fakes import FakeMessenger, FixedClock, InMemoryEngine, SequentialTokens

POLICY = Policy()
LYNNE = Actor(id=PersonId("lynne"), channel="web", roles=frozenset({Role.ADMIN}))


class Reader:
    """The product, as far as it reads."""

    def __init__(self, stage: Stage, work: Work) -> None:
        self.stage, self.work = stage, work
        self.clock, self.tokens = FixedClock(START), SequentialTokens()
        self.excluding = ExcludeSeats(
            work=work, clock=self.clock, tokens=self.tokens, policy=POLICY, directory=stage.graph.directory
        )

    async def sync(self) -> str:
        work, clock, tokens = self.work, self.clock, self.tokens
        sync = SyncDirectory(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=POLICY,
            directory=self.stage.graph.directory,
            messenger=FakeMessenger(clock),
            tenant_id=TenantId(self.stage.tenant.tenant_id),
            after=(
                ExcludeFree(work=work, clock=clock, tokens=tokens).after_sync,
                FollowLists(work=work, clock=clock, tokens=tokens, policy=POLICY).after_sync,
                FindIdleSeats(work=work, clock=clock, policy=POLICY).scan,
            ),
        )
        view = await sync.run_to_end(None)
        assert view.state == "complete", view.error
        return view.roles

    async def is_admin(self, name: str) -> bool:
        """Say whether the exclusion of admin-role holders names this person."""
        cases = await self.stage.control("GET", "/cases")
        person = PersonId(next(one["person_id"] for one in cases if one["name"] == name))
        ours = {
            row.exclusion.id for row in (await self.excluding.list()).rows if row.exclusion.kind.value == "admin_roles"
        }
        async with self.work.read() as reading:
            return bool((await reading.people_lists.naming([person], START)).get(person, frozenset()) & ours)

    async def excluded(self) -> dict[str, int | None]:
        return {row.exclusion.kind.value: row.people for row in (await self.excluding.list()).rows}


@pytest.fixture
async def reader(stage: Stage, sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Reader]:
    database = Database(copy_sqlite(sqlite_template, tmp_path))
    yield Reader(stage, SqlWork(database, InMemoryEngine().enqueue_in))
    await database.dispose()


async def test_in_scope_and_left_out_are_all_seats_and_those_that_microsoft_counts(reader: Reader) -> None:
    cases = await reader.stage.control("GET", "/cases")
    truth = Counter(seat["sku_id"] for case in cases for seat in case["seats"])
    idle = Counter(seat["sku_id"] for case in cases for seat in case["seats"] if seat["idle"])

    assert await reader.sync() == RoleSupport.KNOWN

    async with reader.work.read() as reading:
        rows = await population(reading, days=90, now=START)
    assert {row.product_id: row.read for row in rows} == truth
    assert [row.counted for row in rows] == [row.read for row in rows]
    assert {row.product_id: row.idle for row in rows if row.idle} == idle
    assert [(row.name, row.held) for row in rows] == [(row.name, row.microsoft) for row in rows]
    kinds = {part.reason for row in rows for part in row.excluded}
    reasons = {part.reason for row in rows for part in row.not_idle}
    assert kinds == {"product", "admin_roles"}
    assert {"in_use", "too_new", "unknown", "error_state"} <= reasons


async def test_groups_names_and_roles_are_read_as_the_tenant_has_them(reader: Reader) -> None:
    await reader.sync()
    everybody = {one["upn"]: one for one in await reader.stage.control("GET", "/cases")}

    group = await reader.excluding.add(LYNNE, ExclusionKind.GROUP, "power bi AUTHORS", reason="by design")
    named = await reader.excluding.add(LYNNE, ExclusionKind.NAME, "*Service*", reason="by design")

    assert (group.value, named.people) == (
        "Power BI authors",
        sum("service" in one["name"].lower() for one in everybody.values()),
    )
    async with reader.work.read() as reading:
        roles = (await reader.excluded())["admin_roles"]
        members = await reading.people_lists.naming(
            [one["person_id"] for one in everybody.values() if one["name"] in ("Nesta Aubry", "Rosa Inderbitzin")],
            START,
        )
    assert len(members) == 2, "Rosa is only in the group inside it"
    # Three in the group that holds a role, one of them by herself too, the synchronization, and who may take one up.
    assert roles == 5
    assert await reader.is_admin("Lynne Robbins")  # who may take one up, and whose seats are in use
    assert not await reader.is_admin("Adele Vance")
    with pytest.raises(NotFound):
        await reader.excluding.add(LYNNE, ExclusionKind.GROUP, "Bob's group", reason="by design")


async def test_without_the_permission_nobody_is_known_to_hold_a_role(reader: Reader) -> None:
    granted = ["User.Read.All", "AuditLog.Read.All", "LicenseAssignment.Read.All", "GroupMember.Read.All"]
    await reader.stage.control("POST", "/permissions", {"granted": granted})

    assert await reader.sync() == RoleSupport.NO_PERMISSION

    assert "admin_roles" not in await reader.excluded()
    with pytest.raises(DirectoryError, match="RoleManagement"):
        await reader.stage.graph.directory.role_holders(None)


async def test_a_tenant_without_privileged_identity_management_has_nobody_who_may_take_up_a_role(
    reader: Reader,
) -> None:
    await reader.stage.control("POST", "/premium", {"premium": False})

    assert await reader.sync() == RoleSupport.KNOWN

    assert await reader.is_admin("Emergency Access")
    assert not await reader.is_admin("Lynne Robbins")
    with pytest.raises(DirectoryError) as raised:
        await reader.stage.graph.directory.role_eligible(None)
    assert raised.value.status == 404


async def test_a_group_that_is_gone_answers_404_as_an_application_does(reader: Reader) -> None:
    with pytest.raises(DirectoryError) as raised:
        await reader.stage.graph.directory.everyone_in(GroupId("00000000-0000-4000-8000-000000000000"), None)
    assert raised.value.status == 404
