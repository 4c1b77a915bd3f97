"""kill -9 at every named point of a campaign's life on SQLite, a restart, and a campaign that ends as if nothing had been.

Each case is two processes of the real product, one after the other, on one database file: the first dies at the point,
the second goes on to the campaign's end. What both did is judged by the tenant's own account, by the chat, and by the books.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import PersonId, ProductId, SeatId
from reclaim.domain.orders import StepState
from reclaim.domain.removal import Outcome, StepKind
from reclaim.domain.restore import RestoreState
from reclaim.domain.syncing import SyncState
from tests.books import Books, audit, open_books
from tests.crash.child import Ended
from tests.crash.some_at_once import some_at_once
from tests.crash.stage import ANSWERS, PEOPLE, START, Chat, Death, Snapshot, Stage, sku_id

APPROVED = sum(choice == "revoke" for choice in ANSWERS.values())
WRITES = APPROVED - 1  # of Raul's two mailboxes one is held
BUTTONS_THAT_ANSWER = {"wave.revoke", "wave.keep", "wave.delegate", "wave.not_sure", "batch.undo"}


@dataclass(frozen=True, kw_only=True)
class Point:
    """Where a process dies.

    Attributes:
        stage: The stage from which it starts: what happened before it is the same for all.
        at, nth: The name of the point (see `points`), and which time it is passed.
        act: What somebody does besides the usual.
        orphan: A card stands in the chat of which the product has not noted the id. No channel can be asked for it, so it
            keeps its buttons: they are pressed at the end, and nothing may come of it.
        reminded: How often one reviewer may have got the reminder: sending is not idempotent on any channel.
    """

    stage: str
    at: str
    nth: int = 1
    act: str | None = None
    orphan: bool = False
    reminded: int = 1


POINTS = {
    "launched, not opened": Point(stage="read", at="launch: after campaigns.add"),
    "opening: before a chunk": Point(stage="read", at="open: before items.add_many", nth=2),
    "opening: after a chunk": Point(stage="read", at="open: after items.add_many", nth=2),
    "opening: all items there, not open": Point(stage="read", at="open: before campaign_opened"),
    "open, nothing sent": Point(stage="read", at="open: after campaign_opened"),
    "open, the job not acknowledged": Point(stage="read", at="open: done"),
    "card: before its intent": Point(stage="read", at="wave: before messages.put intended"),
    "card: intended, not sent": Point(stage="read", at="wave: after messages.put intended"),
    "card: sent, not recorded": Point(stage="read", at="wave: after send", orphan=True),
    "card: recorded, its seats not": Point(stage="read", at="wave: after messages.put sent"),
    "card: attested, the job not acknowledged": Point(stage="read", at="wave: done"),
    "reminder: intended, not sent": Point(stage="asked", act="remind", at="reminder: after messages.put intended"),
    "reminder: sent, not recorded": Point(
        stage="asked", act="remind", at="reminder: after send", orphan=True, reminded=2
    ),
    "reminder: the older copy not redrawn": Point(
        stage="asked", act="remind", at="reminder: before messages.put replaced", reminded=2
    ),
    "reminder: attested, the job not acknowledged": Point(stage="asked", act="remind", at="reminder: done", reminded=2),
    "decision: before its commit": Point(stage="asked", at="decide: before record", nth=3),
    "decision: committed, not answered": Point(stage="asked", at="decide: after record", nth=3),
    "hand-over: committed, not answered": Point(stage="asked", act="pass_on", at="pass_on: after item_delegated"),
    "closing early: announced to one of three": Point(stage="asked", act="close_early", at="announce: after update"),
    "closing early: announced, the new time not counting": Point(
        stage="asked", act="close_early", at="announce: before campaigns.save open"
    ),
    "sync: in the middle of its pages": Point(stage="asked", act="sync", at="sync: after syncs.save_people", nth=2),
    "sync: all read, nothing marked gone": Point(stage="asked", act="sync", at="sync: before syncs.mark_gone"),
    "sync: marked gone, not scanned": Point(stage="asked", act="sync", at="sync: after syncs.mark_gone"),
    "sync: scanned, the job not acknowledged": Point(stage="asked", act="sync", at="sync: done"),
    "close: begun": Point(stage="answered", at="close: after campaign_closing"),
    "close: half of the kept seats ended": Point(stage="answered", at="close: after item_ended"),
    "close: half of the orders written": Point(stage="answered", at="close: after removal_planned"),
    "close: all orders written, not applying": Point(stage="answered", at="close: before items.close_questions"),
    "close: applying, the job not acknowledged": Point(stage="answered", at="close: done"),
    "removal: before its intent": Point(stage="answered", at="writeback: before removal_intended"),
    "removal: intended, not called": Point(stage="answered", at="writeback: after removal_intended"),
    "removal: called, its answer not stored": Point(stage="answered", at="writeback: after remove_direct"),
    "group removal: called, its answer not stored": Point(stage="answered", at="writeback: after leave_group"),
    "removal: its answer stored, not read back": Point(stage="answered", at="writeback: after removal_written"),
    "removal: read back, no outcome": Point(stage="answered", at="writeback: after read_back"),
    "removal: outcome stored, its job not done": Point(stage="answered", at="writeback: after removal_verified"),
    "removal: the order done, the job not acknowledged": Point(stage="answered", at="writeback: done"),
    "verification of a group removal: before its read": Point(stage="answered", at="verify: before read_back"),
    "verification of a group removal: read, not judged": Point(stage="answered", at="verify: after read_back", nth=2),
    "campaign: before it settles": Point(stage="answered", at="verify: before campaign_closed"),
    "campaign: settled, nobody told": Point(stage="answered", at="verify: after campaign_closed"),
    "freeze: before its commit": Point(stage="answered", act="freeze", at="freeze: before frozen"),
    "freeze: committed, not answered": Point(stage="answered", act="freeze", at="freeze: after frozen"),
    "resume: asked, nobody told": Point(stage="answered", act="freeze", at="resume: after resume_asked"),
    "resume: before its commit": Point(stage="answered", act="freeze", at="resume: before resumed"),
    "resume: committed, not answered": Point(stage="answered", act="freeze", at="resume: after resumed"),
}


@dataclass(frozen=True, kw_only=True)
class GivenAgain:
    """Where a process dies, before an admin gives the seat to its holder again that it was working on."""

    at: str
    removed_before: bool


GIVEN_AGAIN = (
    GivenAgain(at="writeback: before remove_direct", removed_before=False),
    GivenAgain(at="writeback: after remove_direct", removed_before=True),
)
# Where a process dies while all that a campaign has removed is given back.
RESTORES = (
    "undo: after restore_asked",
    "restore: after restore_intended",
    "restore: after assign_direct",
    "restore: after join_group",
    "restore: after restore_verified",
)
Case = Point | GivenAgain | str


@pytest.fixture(scope="module")
def cases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Case, Future[None]]]:
    folder = tmp_path_factory.mktemp("cases")
    stages = asyncio.run(_live_in_order(folder))

    def play(case: Case, place: Path) -> Coroutine[None, None, None]:
        match case:
            case Point():
                return _dies_and_goes_on(case, stages[case.stage], place)
            case GivenAgain():
                return _dies_and_finds_it_given_again(case, stages["answered"], place)
            case _:
                return _dies_giving_back(case, stages["answered"], place)

    with some_at_once(request, folder, play) as played:
        yield played


async def _live_in_order(folder: Path) -> dict[str, Snapshot]:
    """Return the world after each stage of a life in which nobody dies."""
    found: dict[str, Snapshot] = {"nothing": Snapshot(None, Chat(), START)}
    before = "nothing"
    for until in ("read", "asked", "answered"):
        async with Stage.set_up(folder / until, found[before]) as stage:
            assert isinstance(await stage.run(until), Ended)
            found[until] = stage.snapshot()
        before = until
    return found


@pytest.mark.parametrize("case", [pytest.param(point, id=name) for name, point in POINTS.items()])
def test_a_campaign_ends_right_though_the_process_was_killed(case: Point, cases: dict[Case, Future[None]]) -> None:
    cases[case].result()


@pytest.mark.parametrize("case", [pytest.param(case, id=case.at) for case in GIVEN_AGAIN])
def test_a_seat_that_is_given_again_while_the_process_is_down_stays(
    case: GivenAgain, cases: dict[Case, Future[None]]
) -> None:
    cases[case].result()


@pytest.mark.parametrize("case", RESTORES)
def test_every_seat_comes_back_once_though_the_process_was_killed(case: str, cases: dict[Case, Future[None]]) -> None:
    cases[case].result()


async def _dies_giving_back(at: str, before: Snapshot, folder: Path) -> None:
    async with Stage.set_up(folder, before) as stage:
        held = await stage.control("GET", "/seats")

        died = await stage.run("restored", at=at)
        ended = await stage.run("restored")

        assert died == Death(at)
        assert isinstance(ended, Ended)
        await _all_is_as_it_was(stage, held)
        books = await _audited(stage)
        removed = {str(item.id) for item in books.items if item.outcome is Outcome.REMOVED}
        assert Counter(body["item"] for body in books.told(EventKind.RESTORE_VERIFIED)) == Counter(removed)
        async with stage.work() as work, work.read() as unit:
            restores = await unit.restores.of_campaign(books.campaign.id)
            reversals = await unit.restores.reversals_of(books.campaign.id)
            saved = await unit.savings.reclaimed(books.campaign.id)
        assert {restore.state for restore in restores} == {RestoreState.RESTORED}
        assert len(restores) == len(reversals) == WRITES
        assert saved == {}


async def _all_is_as_it_was(stage: Stage, held: list[dict[str, Any]]) -> None:
    """Each seat was taken and given once, nobody else's was touched, and the tenant holds what it held."""
    writes = await stage.control("GET", "/writes")
    made = Counter((write["kind"], write["person_id"], write.get("sku_id")) for write in writes)
    assert set(made.values()) == {1}
    kinds = Counter(write["kind"] for write in writes)
    assert kinds["license_removed"] == kinds["license_added"] > 1
    assert kinds["member_removed"] == kinds["member_added"] == 1
    assert sum(kinds.values()) == 2 * WRITES
    assert {str(seat) for seat in await stage.control("GET", "/seats")} == {str(seat) for seat in held}


async def _dies_and_goes_on(point: Point, before: Snapshot, folder: Path) -> None:
    async with Stage.set_up(folder, before) as stage:
        leaver = await _person(stage, "Nestor Wilke")
        if point.act == "sync":
            await stage.control("POST", f"/people/{leaver['person_id']}/leave")

        died = await stage.run("closed", act=point.act, at=point.at, nth=point.nth)
        acknowledged = dict(stage.chat.acknowledged)
        ended = await stage.run("closed", act=point.act)

        assert died == Death(point.at)
        assert isinstance(ended, Ended)
        books = await _audited(stage)
        _every_acknowledged_decision_is_there(books, acknowledged)
        _every_seat_ended_as_it_should(books, await stage.control("GET", "/cases"))
        await _each_seat_was_taken_once_and_nobody_elses(stage)
        await _no_card_asks_any_more(stage, point)
        await _nothing_is_open(stage, books)
        if point.act == "sync":
            await _who_left_is_gone(stage, leaver)


async def _dies_and_finds_it_given_again(case: GivenAgain, before: Snapshot, folder: Path) -> None:
    async with Stage.set_up(folder, before) as stage:
        died = await stage.run("closed", at=case.at)
        async with stage.work() as work:
            (books,) = await open_books(work)
        # Intents of several people are stored together, and what one call did does not show in the books of another.
        intended = {step.item_id for order in books.orders for step in order.steps if step.state is StepState.INTENDED}
        called = [
            (item, len(await _writes(stage, item.person_id, item.product_id)))
            for item in books.items
            if item.id in intended and item.plan.steps[0].kind is StepKind.DIRECT
        ]
        item, before_it = next((one, made) for one, made in called if made == case.removed_before)
        await stage.control("POST", f"/people/{item.person_id}/assign", {"sku_id": item.product_id})

        await stage.run("closed")

        assert died == Death(case.at)
        books = await _audited(stage)
        assert next(one.outcome for one in books.items if one.id == item.id) is Outcome.REGRANTED
        assert len(await _writes(stage, item.person_id, item.product_id)) == before_it
        held = {(seat["person_id"], seat["sku_id"]) for seat in await stage.control("GET", "/seats")}
        assert (item.person_id, item.product_id) in held


async def _audited(stage: Stage) -> Books:
    async with stage.work() as work:
        (books,) = await audit(work)
    assert books.campaign.state is CampaignState.CLOSED
    assert books.told(EventKind.CAMPAIGN_OPENED)[0]["facts"]["items"] == len(ANSWERS)
    return books


def _every_acknowledged_decision_is_there(books: Books, acknowledged: dict[str, str]) -> None:
    stored = {str(item.id): item.answer.choice if item.answer else None for item in books.items}
    assert {item: stored[item] for item in acknowledged} == acknowledged
    made = Counter(body["item"] for body in books.told(EventKind.DECISION_MADE))
    assert set(made.values()) == {1}  # the same click twice is one decision
    assert len(made) == sum(choice is not None for choice in ANSWERS.values())


def _every_seat_ended_as_it_should(books: Books, cases: list[dict[str, Any]]) -> None:
    """By the generator's label of each case, and by what was answered."""
    people = {person["person_id"]: person for person in cases}
    ended: dict[tuple[str, str], str] = {}
    for item in books.items:
        person = people[item.person_id]
        seat = next(seat for seat in person["seats"] if seat["sku_id"] == item.product_id)
        assert item.outcome in seat["allowed"], (person["name"], item.outcome)
        ended[person["name"], seat["sku_part_number"]] = str(item.outcome)
    removed = {who for who, outcome in ended.items() if outcome == "removed"}
    assert len(removed) == WRITES
    assert removed < {who for who, choice in ANSWERS.items() if choice == "revoke"}
    assert sorted(ended["Raul Razo", part] for part in ("SPE_E3", "SPE_E5")) == ["held", "removed"]


async def _each_seat_was_taken_once_and_nobody_elses(stage: Stage) -> None:
    cases = {person["name"]: person for person in await stage.control("GET", "/cases")}
    approved = {
        (cases[name]["person_id"], sku_id(cases[name], part))
        for (name, part), choice in ANSWERS.items()
        if choice == "revoke"
    }
    lidia = cases["Lidia Holloway"]["person_id"]
    writes = await stage.control("GET", "/writes")
    taken = Counter((write["person_id"], write.get("sku_id", "its group")) for write in writes)
    assert {write["kind"] for write in writes} == {"license_removed", "member_removed"}
    assert set(taken) <= approved | {(lidia, "its group")}
    assert set(taken.values()) == {1}
    assert len(taken) == WRITES
    # A call that was made is never made again, whether or not its answer was stored.
    calls = [call for call in await stage.control("GET", "/calls") if _is_write(call)]
    assert len(calls) == len({call["path"] for call in calls}) == WRITES


def _is_write(call: dict[str, str]) -> bool:
    return call["method"] == "DELETE" or call["path"].endswith("/assignLicense")


async def _no_card_asks_any_more(stage: Stage, point: Point) -> None:
    known = await stage.known_messages()
    orphans = [message for message in stage.chat.messages.values() if message.external_id not in known]
    assert len(orphans) == point.orphan
    lists = [message for message in stage.chat.messages.values() if message.kinds[0].startswith("review.")]
    assert lists
    for message in lists:
        if message not in orphans:
            assert not BUTTONS_THAT_ANSWER & set(message.buttons), message
    for number in Counter(m.conversation for m in lists if m.kinds[0] == "review.wave").values():
        assert number <= 1 + point.orphan
    for number in Counter(m.conversation for m in lists if m.kinds[0] == "review.reminder").values():
        assert number <= point.reminded


async def _nothing_is_open(stage: Stage, books: Books) -> None:
    async with stage.work() as work, work.read() as unit:
        assert not await unit.items.with_open_question([SeatId(item.seat_id) for item in books.items])
        running = await unit.syncs.running()
        newest = await unit.syncs.newest_complete()
        findings = await unit.findings.select(days=90, now=books.campaign.due_at)
    assert running is None
    assert newest is not None
    assert newest.state == SyncState.COMPLETE
    assert {finding.data_as_of for finding in findings} == {newest.started_at}


async def _who_left_is_gone(stage: Stage, leaver: dict[str, Any]) -> None:
    """Rule 11, also where the sync died: not before every page was read, and then for good."""
    async with stage.work() as work, work.read() as unit:
        person = await unit.people.get(leaver["person_id"])
        seats = await unit.seats.of_people([leaver["person_id"]])
        others = await unit.people.count()
    assert person is not None
    assert person.gone_at is not None
    assert not seats
    assert others == PEOPLE - 1


async def _person(stage: Stage, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in await stage.control("GET", "/cases") if one["name"] == name)
    return found


async def _writes(stage: Stage, person: PersonId, product: ProductId) -> list[object]:
    writes = await stage.control("GET", "/writes")
    return [write for write in writes if (write["person_id"], write.get("sku_id")) == (person, product)]
