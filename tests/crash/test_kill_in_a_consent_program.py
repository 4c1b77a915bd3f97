"""kill -9 at the named points of an enforcing consent program: who leaves the group leaves it once, and is told;
who takes the application back comes back once.

As in `test_kill_at_every_point` each case is two processes on one database file, and the tenant's own account is the judge.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.consent import RequestState
from reclaim.domain.ids import CampaignId
from tests.crash.child import APPLICATION, Ended
from tests.crash.some_at_once import some_at_once
from tests.crash.stage import RETURNS, START, Chat, Death, Snapshot, Stage

POINTS = (
    "take_back: after consent_run_started",
    "consent_run: before consents.add_requests",
    "consent_run: after consents.add_requests",
    "consent_run: done",
    "membership: before change_intended",
    "membership: after change_intended",
    "membership: before leave_group",
    "membership: after leave_group",
    "membership: after change_written",
    "membership: after change_ended",
    "membership: done",
    "consent_result: before messages.put intended",
    "consent_result: after messages.put intended",
    "consent_result: after send",
    "consent_result: done",
    "take_back: after change_asked",
    "membership: after join_group",
)


@pytest.fixture(scope="module")
def cases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    folder = tmp_path_factory.mktemp("consent")
    read = asyncio.run(_read(folder))

    def play(at: str, place: Path) -> Coroutine[None, None, None]:
        return _dies_and_goes_on(at, read, place)

    with some_at_once(request, folder, play) as played:
        yield played


async def _read(folder: Path) -> Snapshot:
    """Return the world after the tenant was read."""
    async with Stage.set_up(folder / "read", Snapshot(None, Chat(), START)) as stage:
        assert isinstance(await stage.run("read"), Ended)
        return stage.snapshot()


@pytest.mark.parametrize("case", POINTS)
def test_an_application_is_taken_and_given_back_once_though_the_process_was_killed(
    case: str, cases: dict[str, Future[None]]
) -> None:
    cases[case].result()


async def _dies_and_goes_on(at: str, read: Snapshot, folder: Path) -> None:
    async with Stage.set_up(folder, read) as stage:
        died = await stage.run("read", act="take_back", at=at)
        ended = await stage.run("read", act="take_back")

        assert died == Death(at)
        assert isinstance(ended, Ended)
        unused = await _who_does_not_use_it(stage)
        await _each_membership_was_changed_once(stage, unused)
        await _the_requests_say_so(stage, unused)
        _everybody_was_told(stage.chat, unused.values(), sent_twice=at == "consent_result: after send")


async def _who_does_not_use_it(stage: Stage) -> dict[str, str]:
    """Return name → person id of the members of whom the generator says so."""
    setup = await stage.control("GET", "/setup")
    (application,) = (one for one in setup["applications"] if one["application"] == APPLICATION)
    return {one["name"]: one["person_id"] for one in application["people"] if one["use"] == "unused"}


async def _each_membership_was_changed_once(stage: Stage, unused: dict[str, str]) -> None:
    writes = Counter((one["kind"], one["person_id"]) for one in await stage.control("GET", "/writes"))

    assert len(unused) > 1
    assert writes == Counter(
        [*(("member_removed", person) for person in unused.values()), ("member_added", unused[RETURNS])]
    )


async def _the_requests_say_so(stage: Stage, unused: dict[str, str]) -> None:
    async with stage.work() as work, work.read() as unit:
        (program,) = await unit.consents.programs()
        runs = await unit.consents.runs_of(program.id)
        requests = await unit.consents.all_of(program.id)
        changes = await unit.consents.changes_of_program(program.id)
        events = Counter(one.event.kind for one in await unit.events.of_campaign(CampaignId(program.id)))
    assert len(runs) == 1
    assert {one.person_id: one.state for one in requests if one.person_id in unused.values()} == dict.fromkeys(
        unused.values(), RequestState.REMOVED
    )
    assert not [change for change in changes if change.running]
    assert events[EventKind.CHANGE_ENDED] == len(changes) == len(unused) + 1


def _everybody_was_told(chat: Chat, people: Collection[str], *, sent_twice: bool) -> None:
    """A receipt each, and the run to who started it; one more where a card was sent and the process died before its note."""
    sent = Counter(one.kind for one in chat.messages.values() if one.kind.startswith("consent."))
    receipts = {one.conversation for one in chat.messages.values() if one.kind == "consent.removed"}
    assert receipts == set(people)
    assert sent.total() == len(people) + 1 + sent_twice, sent
