from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reclaim.domain.confirmation import LaunchRequest, LaunchState
from reclaim.domain.ids import PersonId, RunId, TenantId
from reclaim.errors import Conflict
from reclaim.ports.storage import Freeze, ResumeRequest
from storage.unit_of_work import SqlWork

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ANNA, BEN = PersonId("anna"), PersonId("ben")
FREEZE = Freeze(id="f1", by=ANNA, at=NOW, reason="wrong price list")


async def test_a_database_belongs_to_one_tenant_for_ever(work: SqlWork) -> None:
    async with work.write() as unit:
        assert await unit.controls.tenant() is None
        await unit.controls.set_tenant(TenantId("contoso"))
        await unit.controls.set_tenant(TenantId("contoso"))
        with pytest.raises(Conflict):
            await unit.controls.set_tenant(TenantId("fabrikam"))
        await unit.commit()

    async with work.read() as unit:
        assert await unit.controls.tenant() == "contoso"


async def test_there_is_one_freeze_at_a_time(work: SqlWork) -> None:
    async with work.write() as unit:
        assert await unit.controls.freeze() is None
        await unit.controls.start_freeze(FREEZE)
        with pytest.raises(Conflict):
            await unit.controls.start_freeze(Freeze(id="f2", by=BEN, at=NOW, reason="me too"))
        await unit.commit()

    async with work.read() as unit:
        assert await unit.controls.freeze() == FREEZE


async def test_a_freeze_ends_once_and_another_may_follow(work: SqlWork) -> None:
    again = Freeze(id="f2", by=BEN, at=NOW + timedelta(hours=2), reason="again")
    async with work.write() as unit:
        await unit.controls.start_freeze(FREEZE)
        await unit.controls.end_freeze("f1", by=BEN, at=NOW + timedelta(hours=1))
        assert await unit.controls.freeze() is None
        with pytest.raises(Conflict):
            await unit.controls.end_freeze("f1", by=ANNA, at=NOW + timedelta(hours=1))
        await unit.controls.start_freeze(again)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.controls.freeze() == again


async def test_the_newest_request_to_resume_is_about_the_freeze_that_holds(work: SqlWork) -> None:
    first = ResumeRequest(id="q1", freeze_id="f1", by=ANNA, at=NOW, reason="mended")
    second = ResumeRequest(id="q0", freeze_id="f1", by=BEN, at=NOW + timedelta(minutes=1), reason="really mended")
    async with work.write() as unit:
        await unit.controls.start_freeze(FREEZE)
        assert await unit.controls.resume_request() is None
        await unit.controls.ask_resume(first)
        await unit.controls.ask_resume(second)
        assert await unit.controls.resume_request() == second
        await unit.controls.end_freeze("f1", by=BEN, at=NOW)
        assert await unit.controls.resume_request() is None


async def test_a_draft_is_replaced_by_its_owner_only(work: SqlWork) -> None:
    async with work.write() as unit:
        assert await unit.controls.draft("form") is None
        await unit.controls.put_draft("form", ANNA, {"days": 90, "ticks": {"i1": True}}, at=NOW)
        await unit.controls.put_draft("form", ANNA, {"days": 60, "name": "Zürich"}, at=NOW)
        with pytest.raises(Conflict):
            await unit.controls.put_draft("form", BEN, {"days": 1}, at=NOW)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.controls.draft("form") == (ANNA, {"days": 60, "name": "Zürich"})


async def test_a_request_is_new_once_and_again_after_it_was_forgotten(work: SqlWork) -> None:
    keep = timedelta(minutes=10)
    async with work.write() as unit:
        seen = [
            await unit.controls.first_time("k", at=NOW + after, keep=keep)
            for after in (timedelta(0), timedelta(minutes=9), timedelta(minutes=10), timedelta(minutes=11))
        ]
        other = await unit.controls.first_time("other", at=NOW, keep=keep)

    assert (seen, other) == ([True, False, True, False], True)


async def test_once_is_once_for_ever(work: SqlWork) -> None:
    async with work.write() as unit:
        assert await unit.controls.once("reminder:c1:anna:1", at=NOW)
        assert await unit.controls.first_time("k", at=NOW + timedelta(days=9_999), keep=timedelta(minutes=1))
        assert not await unit.controls.once("reminder:c1:anna:1", at=NOW + timedelta(days=9_999))


async def test_what_was_not_committed_was_not_seen(work: SqlWork) -> None:
    async with work.write() as unit:
        assert await unit.controls.once("k", at=NOW)

    async with work.write() as unit:
        assert await unit.controls.once("k", at=NOW)


LAUNCH = LaunchRequest(
    id="l1",
    draft_ref="draft-1",
    by=ANNA,
    at=NOW,
    expires_at=NOW + timedelta(days=3),
    run_id=RunId("run-1"),
    seats_sha256="a" * 64,
    draft_sha256="b" * 64,
    items=120,
    limit=100,
    asked=(BEN, PersonId("carl")),
)


async def test_a_request_to_confirm_comes_back_as_it_was_and_ends_once(work: SqlWork) -> None:
    confirmed = LAUNCH.to(LaunchState.CONFIRMED, by=BEN, at=NOW + timedelta(hours=1))
    async with work.write() as unit:
        await unit.controls.ask_launch(LAUNCH)
        await unit.commit()
    async with work.read() as unit:
        assert await unit.controls.launch_request("l1") == LAUNCH
        assert await unit.controls.launch_requests_waiting() == [LAUNCH]
        assert await unit.controls.launch_request("l2") is None

    async with work.write() as unit:
        await unit.controls.settle_launch(confirmed)
        with pytest.raises(Conflict):
            await unit.controls.settle_launch(LAUNCH.to(LaunchState.DECLINED, by=BEN, at=NOW))
        await unit.commit()

    async with work.read() as unit:
        assert await unit.controls.launch_request("l1") == confirmed
        assert await unit.controls.launch_requests_waiting() == []


async def test_one_request_waits_for_a_draft_at_a_time(work: SqlWork) -> None:
    second = replace(LAUNCH, id="l2", at=NOW + timedelta(hours=1))
    other = replace(LAUNCH, id="l3", draft_ref="draft-2")
    withdrawn = LAUNCH.to(LaunchState.WITHDRAWN, by=ANNA, at=NOW)
    async with work.write() as unit:
        await unit.controls.ask_launch(LAUNCH)
        await unit.controls.ask_launch(other)
        with pytest.raises(Conflict):
            await unit.controls.ask_launch(second)
        await unit.controls.settle_launch(withdrawn)
        await unit.controls.ask_launch(second)
        await unit.commit()

    async with work.read() as unit:
        assert await unit.controls.launch_requests_of("draft-1") == [second, withdrawn]
        assert await unit.controls.launch_requests_waiting() == [other, second]
