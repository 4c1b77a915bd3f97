"""What Microsoft can do to a removal: each fault over HTTP through the real client, and what must become of the seat.

The real product with its engine and its Graph client, against the practice tenant with scripted faults. In every case the
item has the right outcome, nothing is taken twice or called again after it was done, and the books agree.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from pydantic import SecretStr

import app
from reclaim.connectors.clock import SteppingClock
from reclaim.connectors.engine import migrate
from reclaim.connectors.graph import client as graph_client
from reclaim.connectors.tokens import RandomTokens
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.ids import CampaignId, GroupId, PersonId, ProductId
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice, ReviewItem
from reclaim.domain.roles import Actor, Role
from reclaim.ports.directory import ReadBack, SeatWriter, WriteResult
from reclaim.services.start_campaign import CampaignDraft
from reclaim.settings import Settings
from rehearsal import PracticeTenant
from storage.migrate import upgrade
from tests.books import audit

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAMPAIGN = CampaignId("faulty-campaign")
DIRECT, GROUP = "Isaiah Langer", "Lidia Holloway"  # a direct Copilot, and Visio through a group
ADMIN, OTHER_ADMIN = "Allan Deyoung", "Patti Fernandez"
CALL = {DIRECT: {"method": "POST", "path": "/assignLicense"}, GROUP: {"method": "DELETE", "path": r"/members/.*/\$ref"}}


class ImpatientClock(SteppingClock):
    """Waits between two tries of a read take no time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class BetweenLookAndCall:
    """A writer before whose first call something happens: what somebody else does at that moment."""

    writer: SeatWriter
    happens: Callable[[SeatWriter, PersonId, str], Awaitable[object]] | None

    async def turn(self, *, clicked: bool) -> None:
        await self.writer.turn(clicked=clicked)

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        await self._happen(person, products[0])
        return await self.writer.remove_direct(person, *products, client_request_id=client_request_id)

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        await self._happen(person, group)
        return await self.writer.leave_group(person, group, client_request_id=client_request_id)

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        return await self.writer.assign_direct(person, product, disabled_plans, client_request_id=client_request_id)

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return await self.writer.join_group(person, group, client_request_id=client_request_id)

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return await self.writer.read_back(person, product)

    async def _happen(self, person: PersonId, ref: str) -> None:
        happens, self.happens = self.happens, None
        if happens is not None:
            await happens(self.writer, person, ref)


@dataclass
class Apply:
    """One approved campaign at its close, and the tenant that is about to misbehave."""

    tenant: PracticeTenant
    clock: ImpatientClock
    product: app.Application
    people: dict[str, dict[str, Any]]
    between: BetweenLookAndCall | None = field(default=None)

    async def control(self, method: str, path: str, body: object = None) -> Any:
        return await _control(self.tenant, method, path, body)

    async def fail(self, kind: str, call: dict[str, str], **how: object) -> None:
        await self.control("POST", "/faults", {"kind": kind, **call, **how})

    async def close(self) -> None:
        """Do all that the closing time brings at once."""
        await self.product.scheduler.tick()
        await self.product.engine.idle()

    async def wait(self, by: timedelta) -> None:
        """Let time pass, with a stop wherever something is due."""
        until = self.clock.now() + by
        while (due := await self.product.use.due.next_due(until)) is not None:
            await self._move(due)
        await self._move(until)

    async def end(self) -> None:
        """Let time pass until the campaign is closed."""
        await self.close()
        last = self.clock.now() + timedelta(days=10)
        while await self.state() is not CampaignState.CLOSED:
            due = await self.product.use.due.next_due(last)
            assert due is not None, "nothing is due, and the campaign is not closed"
            await self._move(due)

    async def _move(self, to: datetime) -> None:
        self.clock.move_to(to)
        await self.control("POST", "/clock", {"now": to.isoformat()})
        await self.close()

    async def state(self) -> CampaignState:
        async with self.product.work.read() as unit:
            found = await unit.campaigns.get(CAMPAIGN)
        assert found is not None
        return found.state

    async def item(self, name: str) -> ReviewItem:
        async with self.product.work.read() as unit:
            items = await unit.items.of_campaign(CAMPAIGN)
        return next(item for item in items if item.person_id == self.people[name]["person_id"])

    async def outcomes(self) -> dict[str, Outcome | None]:
        return {name: (await self.item(name)).outcome for name in (DIRECT, GROUP)}

    async def calls(self, name: str) -> list[int | None]:
        """Return the answers to all calls that would take this person's seat; None: no answer."""
        person = self.people[name]["person_id"]
        return [
            call["status"]
            for call in await self.control("GET", "/calls")
            if call["method"] in ("POST", "DELETE") and person in call["path"]
        ]

    async def taken(self, name: str) -> int:
        """Return how often something was taken from this person in effect."""
        writes = await self.control("GET", "/writes")
        return sum(write["person_id"] == self.people[name]["person_id"] for write in writes)


async def _control(tenant: PracticeTenant, method: str, path: str, body: object = None) -> Any:
    connector = aiohttp.TCPConnector(ssl=False)
    async with (
        aiohttp.ClientSession(connector=connector, headers={"X-Control-Key": tenant.control_key}) as http,
        http.request(method, tenant.control_url + path, json=body) as answer,
    ):
        assert answer.status < 300, await answer.text()
        return await answer.json()


def _admin(person: dict[str, Any]) -> Actor:
    return Actor(id=PersonId(person["person_id"]), channel="web", roles=frozenset({Role.ADMIN, Role.EMPLOYEE}))


@asynccontextmanager
async def _running(
    database: Path, now: datetime, happens: Callable[[SeatWriter, PersonId, str], Awaitable[object]] | None = None
) -> AsyncIterator[Apply]:
    tenant = await PracticeTenant.start(people=30, seed=7, now=START, directory=database.parent)
    people = {person["name"]: person for person in await _control(tenant, "GET", "/cases")}
    clock = ImpatientClock(now)
    await _control(tenant, "POST", "/clock", {"now": now.isoformat()})
    settings = Settings(
        database_url=SecretStr(f"sqlite:///{database}"),
        writes="live",
        tenant_id=tenant.tenant_id,
        client_id=tenant.client_id,
        client_secret=SecretStr(tenant.client_secret),
        login_url=tenant.login_url,
        graph_url=tenant.graph_url,
        ca_file=tenant.ca_file,
        admins=frozenset({people[ADMIN]["person_id"], people[OTHER_ADMIN]["person_id"]}),
        fallback_reviewer=people[OTHER_ADMIN]["person_id"],
        changes_every=timedelta(0),  # days pass here, with a stop wherever something is due: not every hour of them
        sign_in_budget=1_000_000,  # only the faults of a test throttle here, and a real minute is long
    )
    try:
        async with app.compose(
            settings,
            clock=clock,
            tokens=RandomTokens(),
            wrap_writer=lambda writer: BetweenLookAndCall(writer, happens),
            polling_interval_s=0.02,
        ) as product:
            await product.engine.start()
            yield Apply(tenant, clock, product, people)
    finally:
        await tenant.stop()


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A database with a campaign whose two seats are approved, and the time of its close."""
    return asyncio.run(_approve(tmp_path_factory.mktemp("approved") / "reclaim.db"))


async def _approve(database: Path) -> tuple[Path, datetime]:
    upgrade(f"sqlite:///{database}")
    await asyncio.to_thread(migrate, f"sqlite:///{database}")
    async with _running(database, START) as apply:
        use, owner = apply.product.use, _admin(apply.people[ADMIN])
        await use.sync.run_to_end(None)
        seats = tuple(
            f"{person['person_id']}:{seat['sku_id']}"
            for person in (apply.people[DIRECT], apply.people[GROUP])
            for seat in person["seats"]
        )
        draft = CampaignDraft(
            ref=CAMPAIGN,
            name="Faults",
            scope=Scope(days=90, seat_ids=seats),
            strategy=Strategy.MANAGER,
            reviewer_id=None,
            fallback_id=None,
            due=local_day(START + timedelta(days=1), "UTC"),
            zone="UTC",
            silence=Silence.KEEP,
            mode=WriteMode.LIVE,
            by=owner.id,
        )
        await use.start.put_draft(owner, draft)
        launched = await use.start.launch(owner, draft.ref)
        await apply.product.engine.idle()
        for name in (DIRECT, GROUP):
            item = await apply.item(name)
            assert item.assignee_id is not None
            reviewer = Actor(id=PersonId(item.assignee_id), channel="web")
            await use.decide.decide(reviewer, [item.id], Choice.REVOKE, idem_key=name, bulk=False)
        return database, launched.closes_at


@pytest.fixture
async def apply(
    request: pytest.FixtureRequest, approved: tuple[Path, datetime], tmp_path: Path
) -> AsyncIterator[Apply]:
    """The product at that close; a test's parameter is what happens between the look and the first call."""
    database, closes_at = approved
    shutil.copyfile(database, tmp_path / "reclaim.db")
    async with _running(tmp_path / "reclaim.db", closes_at, getattr(request, "param", None)) as running:
        yield running
        (books,) = await audit(running.product.work)
        assert books.campaign.state is CampaignState.CLOSED


# The call -----------------------------------------------------------------------------------------------------------------
NOT_DONE = (
    pytest.param({"kind": "throttle", "retry_after": 90}, 429, id="429 with Retry-After"),
    pytest.param({"kind": "status", "status": 503}, 503, id="503 before it is done"),
    pytest.param({"kind": "status", "status": 504}, 504, id="504 before it is done"),
    pytest.param({"kind": "status", "status": 409}, 409, id="409, another change under way"),
    pytest.param({"kind": "garbage"}, 200, id="200 with a proxy's page"),
)
DONE = (
    pytest.param({"kind": "applied_lost", "status": 500}, 500, id="500 after it is done"),
    pytest.param({"kind": "applied_lost"}, None, id="the connection cut after it is done"),
    pytest.param({"kind": "half_body"}, None, id="half an answer"),
)
WHO = pytest.mark.parametrize("name", [DIRECT, GROUP])


@WHO
@pytest.mark.parametrize(("fault", "status"), NOT_DONE)
async def test_a_call_that_did_nothing_is_made_again(
    apply: Apply, name: str, fault: dict[str, Any], status: int
) -> None:
    await apply.fail(**fault, call=CALL[name])

    await apply.end()

    assert await apply.outcomes() == {DIRECT: Outcome.REMOVED, GROUP: Outcome.REMOVED}
    assert await apply.calls(name) == [status, 200 if name == DIRECT else 204]
    assert await apply.taken(name) == 1


@WHO
@pytest.mark.parametrize(("fault", "status"), DONE)
async def test_a_call_whose_answer_was_lost_is_found_by_a_read_and_never_repeated(
    apply: Apply, name: str, fault: dict[str, Any], status: int | None
) -> None:
    await apply.fail(**fault, call=CALL[name])

    await apply.end()

    assert await apply.outcomes() == {DIRECT: Outcome.REMOVED, GROUP: Outcome.REMOVED}
    assert await apply.calls(name) == [status]
    assert await apply.taken(name) == 1


@WHO
async def test_a_slow_answer_is_waited_for(apply: Apply, name: str) -> None:
    await apply.fail("slow", CALL[name], retry_after=1)

    await apply.end()

    assert await apply.outcomes() == {DIRECT: Outcome.REMOVED, GROUP: Outcome.REMOVED}
    assert len(await apply.calls(name)) == await apply.taken(name) == 1


async def test_a_call_that_microsoft_carries_out_after_we_gave_up_is_our_removal_and_made_once(
    approved: tuple[Path, datetime], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_client, "_TIMEOUT", httpx.Timeout(connect=10.0, read=0.5, write=30.0, pool=30.0))
    database, closes_at = approved
    shutil.copyfile(database, tmp_path / "reclaim.db")
    async with _running(tmp_path / "reclaim.db", closes_at) as apply:
        await apply.fail("slow", CALL[DIRECT], retry_after=1)

        await apply.end()

        assert await apply.outcomes() == {DIRECT: Outcome.REMOVED, GROUP: Outcome.REMOVED}
        assert await apply.taken(DIRECT) == 1
        await audit(apply.product.work)


async def test_retry_after_is_kept_to(apply: Apply) -> None:
    await apply.fail("throttle", CALL[DIRECT], retry_after=1800)
    closed_at = apply.clock.now()

    await apply.close()
    await apply.wait(timedelta(minutes=29))
    in_between = await apply.calls(DIRECT)
    await apply.end()

    assert in_between == [429]
    assert await apply.calls(DIRECT) == [429, 200]
    item = await apply.item(DIRECT)
    assert item.outcome_at is not None
    assert item.outcome_at >= closed_at + timedelta(minutes=30)


async def test_a_storm_that_never_ends_fails_the_seat_visibly_and_a_retry_removes_it(apply: Apply) -> None:
    await apply.fail("throttle", CALL[DIRECT], times=50)
    await apply.end()
    first = await apply.outcomes()
    tries = await apply.calls(DIRECT)
    await apply.control("DELETE", "/faults")

    await apply.product.use.close.retry(_admin(apply.people[ADMIN]), CAMPAIGN)
    await apply.end()

    assert first == {DIRECT: Outcome.FAILED, GROUP: Outcome.REMOVED}
    assert set(tries) == {429}
    assert await apply.outcomes() == {DIRECT: Outcome.REMOVED, GROUP: Outcome.REMOVED}
    assert await apply.taken(DIRECT) == 1


@WHO
async def test_403_fails_the_seat_at_once_and_a_retry_with_the_permission_removes_it(apply: Apply, name: str) -> None:
    granted = ["User.Read.All", "AuditLog.Read.All", "LicenseAssignment.Read.All", "GroupMember.Read.All"]
    await apply.control("POST", "/permissions", {"granted": granted})
    await apply.end()
    first = (await apply.outcomes(), await apply.calls(name), await apply.taken(name))
    writes = ["LicenseAssignment.ReadWrite.All", "GroupMember.ReadWrite.All"]
    await apply.control("POST", "/permissions", {"granted": [*granted, *writes]})

    await apply.product.use.close.retry(_admin(apply.people[ADMIN]), CAMPAIGN)
    await apply.end()

    assert first == ({DIRECT: Outcome.FAILED, GROUP: Outcome.FAILED}, [403], 0)
    assert (await apply.item(name)).outcome is Outcome.REMOVED
    assert await apply.taken(name) == 1


async def test_a_token_that_ends_in_the_middle_is_renewed(apply: Apply) -> None:
    await apply.control("POST", "/tokens/expire")

    await apply.end()

    assert await apply.outcomes() == {DIRECT: Outcome.REMOVED, GROUP: Outcome.REMOVED}
    assert await apply.taken(DIRECT) == await apply.taken(GROUP) == 1


# What somebody else does --------------------------------------------------------------------------------------------------
async def _a_colleague_does_the_same(writer: SeatWriter, person: PersonId, ref: str) -> None:
    correlation = RandomTokens().new_id()
    await writer.remove_direct(person, ProductId(ref), client_request_id=correlation)


async def _a_colleague_takes_them_out(writer: SeatWriter, person: PersonId, ref: str) -> None:
    await writer.leave_group(person, GroupId(ref), client_request_id=RandomTokens().new_id())


@pytest.mark.parametrize(
    ("apply", "name", "status"),
    [(_a_colleague_does_the_same, DIRECT, 400), (_a_colleague_takes_them_out, GROUP, 404)],
    indirect=["apply"],
)
async def test_a_seat_that_a_colleague_takes_at_the_same_moment_is_already_absent(
    apply: Apply, name: str, status: int
) -> None:
    other = GROUP if name == DIRECT else DIRECT
    # Only this one comes to its call; the other is removed once the fault is over.
    await apply.fail("throttle", CALL[other], retry_after=3600)

    await apply.end()

    assert (await apply.item(name)).outcome in (Outcome.ALREADY_ABSENT, Outcome.REMOVED)
    assert await apply.taken(name) == 1
    assert status in await apply.calls(name) or (await apply.item(name)).outcome is Outcome.REMOVED


@WHO
async def test_somebody_who_has_left_the_company_is_not_called_about(apply: Apply, name: str) -> None:
    await apply.control("POST", f"/people/{apply.people[name]['person_id']}/leave")

    await apply.end()

    assert (await apply.item(name)).outcome is Outcome.ALREADY_ABSENT
    assert await apply.calls(name) == []


@WHO
async def test_a_seat_that_is_given_again_between_the_plan_and_the_write_stays(apply: Apply, name: str) -> None:
    await apply.fail("status", CALL[name], status=503)
    await apply.close()
    person = apply.people[name]
    await apply.control("POST", f"/people/{person['person_id']}/assign", {"sku_id": person["seats"][0]["sku_id"]})

    await apply.end()

    assert (await apply.item(name)).outcome is Outcome.REGRANTED
    assert await apply.calls(name) == [503]
    assert await apply.taken(name) == 0


@WHO
async def test_a_holder_who_signs_in_in_the_middle_keeps_the_seat(apply: Apply, name: str) -> None:
    await apply.fail("throttle", CALL[name])
    await apply.close()
    await apply.control("POST", f"/people/{apply.people[name]['person_id']}/sign-in")

    await apply.end()

    assert (await apply.item(name)).outcome is Outcome.ACTIVE_AGAIN
    assert await apply.calls(name) == [429]
    assert await apply.taken(name) == 0


async def test_a_freeze_in_the_middle_stops_every_call_until_another_admin_confirms(apply: Apply) -> None:
    use = apply.product.use
    await apply.fail("throttle", CALL[DIRECT])
    await apply.fail("throttle", CALL[GROUP])
    await apply.close()
    await use.freeze.freeze(_admin(apply.people[ADMIN]), "something is wrong")
    await apply.wait(5 * HOUR)
    frozen = (await apply.calls(DIRECT), await apply.calls(GROUP), await apply.outcomes())

    view = await use.freeze.ask_resume(_admin(apply.people[ADMIN]), "all is well again")
    await use.freeze.confirm_resume(_admin(apply.people[OTHER_ADMIN]), view.resume_ref or "")
    await apply.end()

    # The refusal of one call stops the other one, unless that was on its way.
    assert [429] in frozen[:2]
    assert all(calls in ([], [429]) for calls in frozen[:2])
    assert frozen[2] == {DIRECT: None, GROUP: None}
    assert await apply.outcomes() == {DIRECT: Outcome.REMOVED, GROUP: Outcome.REMOVED}
    assert await apply.taken(DIRECT) == await apply.taken(GROUP) == 1


# Reads --------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fault",
    [{"kind": "status", "status": 503, "times": 6}, {"kind": "garbage", "times": 6}, {"kind": "half_body", "times": 6}],
    ids=["503", "garbage", "half an answer"],
)
@WHO
async def test_what_cannot_be_looked_at_is_not_written_and_tried_later(
    apply: Apply, name: str, fault: dict[str, Any]
) -> None:
    person = apply.people[name]["person_id"]
    await apply.fail(**fault, call={"method": "GET", "path": rf"/users/{person}\?.*expand"})
    await apply.close()
    before = await apply.calls(name)

    await apply.end()

    assert before == []
    assert (await apply.item(name)).outcome is Outcome.REMOVED
    assert len(await apply.calls(name)) == await apply.taken(name) == 1


@WHO
async def test_a_removal_that_cannot_be_read_back_is_verified_later_and_not_called_again(
    apply: Apply, name: str
) -> None:
    person = apply.people[name]["person_id"]
    read_back = {"method": "GET", "path": rf"/users/{person}\?\$select=id,licenseAssignmentStates"}
    await apply.fail("status", read_back, status=503, times=100)
    await apply.close()
    before = (await apply.item(name)).outcome
    await apply.control("DELETE", "/faults")

    await apply.end()

    assert before is None
    assert (await apply.item(name)).outcome is Outcome.REMOVED
    assert len(await apply.calls(name)) == await apply.taken(name) == 1


async def test_a_group_removal_that_never_finishes_fails_visibly_after_three_days(apply: Apply) -> None:
    await apply.control("POST", "/group-delay", {"minutes": 60 * 24 * 30})

    await apply.end()

    item = await apply.item(GROUP)
    assert (item.outcome, item.outcome_reason) == (Outcome.FAILED, "still_there")
    assert await apply.calls(GROUP) == [204]
    assert await apply.taken(GROUP) == 1
