"""Long work dies at each chunk's boundary and goes on: nothing twice, nothing left out, whatever the size."""

import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Silence
from reclaim.domain.orders import OrderState
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Waiting
from reclaim.errors import Conflict
from reclaim.services import (
    close_campaign,
    due_work,
    jobs,
    release_orders,
    start_campaign,
    tell_reviewers,
    verify_removals,
)
from tests.databases import copy_sqlite
from tests.fakes import Killed
from tests.services.campaign_world import HOUR, CampaignWorld, actor
from tests.services.world import ALLAN, LYNNE, MEGAN, PROJECT, VISIO, draft, seat

HOLDERS = ("ada", "ben", "cleo", "dan", "eve")
Play = Callable[[CampaignWorld], Awaitable[object]]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let five people be many."""
    for module in (start_campaign, close_campaign, due_work, release_orders, verify_removals):
        monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setattr(tell_reviewers, "JOBS", 1)
    monkeypatch.setattr(jobs, "ORDERS", 1)
    monkeypatch.setattr(close_campaign, "RETRIES", 1)


def _world(url: str) -> CampaignWorld:
    """Return a tenant of five holders with two managers; Ben holds two seats, so his stand on both sides of a boundary."""
    world = CampaignWorld(url)
    for number, name in enumerate(HOLDERS):
        seats = [seat(name, VISIO)] + ([seat(name, PROJECT)] if name == "ben" else [])
        world.hire(name, *seats, manager=MEGAN if number % 2 else ALLAN)
    return world


async def _dies_everywhere(template: Path, folder: Path, *, before: Play, act: Play, check: Play, of: str) -> int:
    """Play `before`, then `act` with a death at every commit of a job of kind `of`; return how many deaths there were."""
    start = folder / "start"
    start.mkdir()
    prepared = _world(copy_sqlite(template, start))
    await prepared.start()
    await before(prepared)
    await prepared.stop()

    async def again(name: str) -> CampaignWorld:
        (folder / name).mkdir()
        world = _world(copy_sqlite(Path(prepared.url.removeprefix("sqlite:///")), folder / name))
        world.clock.at, world.tokens.given = prepared.clock.at, prepared.tokens.given
        world.campaign_id = prepared.campaign_id
        world.engine.queued.extend(prepared.engine.queued)
        await world.start()
        world.messenger.sent.extend(prepared.messenger.sent)
        world.messenger._live.update(prepared.messenger._live)
        world.fate.passed.clear()
        return world

    whole = await again("whole")
    await act(whole)
    deadly = [
        at for at, name in enumerate(whole.fate.passed, start=1) if name.startswith(f"{of}: ") and "commit" in name
    ]
    await check(whole)
    await whole.stop()
    for at in deadly:
        world = await again(f"dies-{at}")
        world.fate.die_at = at
        with pytest.raises(Killed):
            await act(world)
        await world.restart()
        await world.engine.drain()
        if of == "no job":
            with contextlib.suppress(Conflict):  # a person asks once more, and it may be done by now
                await act(world)
        await check(world)
        await world.stop()
    return len(deadly)


async def _launch(world: CampaignWorld) -> None:
    await world.sync()
    form = replace(draft(due=date(2026, 12, 4)), silence=Silence.REMOVE)
    await world.launching.put_draft(actor(LYNNE), form)
    world.campaign_id = (await world.launching.launch(actor(LYNNE), form.ref)).id


async def _outcomes(world: CampaignWorld) -> dict[str, Outcome | None]:
    async with world.work.read() as work:
        return {item.seat_id: item.outcome for item in await work.items.of_campaign(world.campaign_id)}


async def _drain(world: CampaignWorld) -> None:
    await world.engine.drain()


async def _is_whole(world: CampaignWorld) -> None:
    """Check that every seat became one item, was attested once, and that nobody's card shows a part of the list."""
    async with world.work.read() as work:
        items = await work.items.of_campaign(world.campaign_id)
        events = await work.events.of_campaign(world.campaign_id)
        assert await work.campaigns.next_seats(world.campaign_id) is None
    assert (await world.campaign()).state is CampaignState.OPEN
    assert sorted(item.seat_id for item in items) == sorted(
        [*(f"{name}:{VISIO}" for name in HOLDERS), f"ben:{PROJECT}"]
    )
    kinds = Counter(one.event.kind for one in events)
    assert (kinds[EventKind.ITEM_ASSIGNED], kinds[EventKind.CAMPAIGN_OPENED]) == (6, 1)
    assert {one.event.item_id for one in events if one.event.item_id} == {item.id for item in items}
    assert {card.wave.open_count for card in world.cards(MEGAN)} == {3}
    assert {card.wave.open_count for card in world.cards(ALLAN)} == {3}


async def test_an_opening_that_dies_between_two_chunks_goes_on(sqlite_template: Path, tmp_path: Path) -> None:
    deaths = await _dies_everywhere(sqlite_template, tmp_path, before=_launch, act=_drain, check=_is_whole, of="open")

    assert deaths == 8  # before and after three parts and the opening itself


async def test_telling_all_reviewers_that_dies_on_the_way_tells_each_once(
    sqlite_template: Path, tmp_path: Path
) -> None:
    deaths = await _dies_everywhere(sqlite_template, tmp_path, before=_launch, act=_drain, check=_is_whole, of="tell")

    assert deaths == 4


async def _to_the_close(world: CampaignWorld) -> None:
    """Let Ada's seat be kept, and silence take the other five, which are too many for live reads."""
    await world.open(silence=Silence.REMOVE)
    await world.keep("ada", by=ALLAN)
    await world.settle()
    world.clock.at = (await world.campaign()).may_close_at - HOUR
    await world.sync()  # so that the tick that closes does not read the tenant as well
    await world.settle()
    world.clock.at += HOUR
    world.policy = replace(world.policy, live_reads=2)
    await world.restart()


async def _close(world: CampaignWorld) -> None:
    world.policy = replace(world.policy, live_reads=2)
    await world.restart()
    await world.due.tick()
    await world.engine.drain()


async def _is_ordered_once(world: CampaignWorld) -> None:
    """Check that each person has one order with all their steps, and each item one verdict."""
    async with world.work.read() as work:
        orders = await work.orders.of_campaign(world.campaign_id)
        items = await work.items.of_campaign(world.campaign_id)
        events = await work.events.of_campaign(world.campaign_id)
        asked = await work.items.with_open_question(item.seat_id for item in items)
    assert {order.person_id: len(order.steps) for order in orders} == {"ben": 2, "cleo": 1, "dan": 1, "eve": 1}
    assert {item.person_id for item in items if item.outcome is Outcome.KEPT} == {"ada"}
    assert all(item.waiting is Waiting.QUEUED for item in items if item.person_id != "ada")
    kinds = Counter(one.event.kind for one in events)
    assert (kinds[EventKind.REMOVAL_PLANNED], kinds[EventKind.ITEM_ENDED]) == (5, 1)
    assert asked == frozenset()
    assert (await world.campaign()).state is CampaignState.APPLYING


async def test_a_close_that_dies_between_two_chunks_goes_on(sqlite_template: Path, tmp_path: Path) -> None:
    deaths = await _dies_everywhere(
        sqlite_template, tmp_path, before=_to_the_close, act=_close, check=_is_ordered_once, of="close"
    )

    assert deaths == 2 * (1 + 1 + 3 + 1)  # closing, one chunk of verdicts, three of orders, applying


async def _closed(world: CampaignWorld) -> None:
    await _to_the_close(world)
    await _close(world)


async def _sync(world: CampaignWorld) -> None:
    await world.settle()
    await world.wait(HOUR)


async def _is_removed(world: CampaignWorld) -> None:
    await _sync(world)
    assert Counter((await _outcomes(world)).values()) == {Outcome.KEPT: 1, Outcome.REMOVED: 5}
    assert len(world.writer.writes) == 5
    assert (await world.campaign()).state is CampaignState.CLOSED


async def test_a_sync_that_lets_removals_go_and_dies_between_two_chunks_goes_on(
    sqlite_template: Path, tmp_path: Path
) -> None:
    deaths = await _dies_everywhere(sqlite_template, tmp_path, before=_closed, act=_sync, check=_is_removed, of="sync")

    assert deaths >= 2 * 4  # at least those of the four orders; the rest is the reading


async def _refused(world: CampaignWorld) -> None:
    """Bring the campaign to its end with every removal refused."""
    world.writer.refused |= {(name, product) for name in HOLDERS for product in (VISIO, PROJECT)}
    await _closed(world)
    await _sync(world)
    assert Counter((await _outcomes(world)).values()) == {Outcome.KEPT: 1, Outcome.FAILED: 5}


async def _retry(world: CampaignWorld) -> None:
    await world.closing.retry(actor(LYNNE), world.campaign_id)
    await world.settle()


async def test_a_retry_that_dies_between_two_chunks_can_be_asked_for_again(
    sqlite_template: Path, tmp_path: Path
) -> None:
    async def check(world: CampaignWorld) -> None:
        await world.settle()
        outcomes = Counter((await _outcomes(world)).values())
        assert outcomes == {Outcome.KEPT: 1, Outcome.REMOVED: 5}
        assert (await world.campaign()).state is CampaignState.CLOSED

    deaths = await _dies_everywhere(sqlite_template, tmp_path, before=_refused, act=_retry, check=check, of="no job")

    assert deaths == 2 * 4  # a person at a time


async def _frozen(world: CampaignWorld) -> None:
    await _closed(world)
    await world.freezing.freeze(actor(LYNNE), "something is wrong")
    await _sync(world)


async def test_an_abandoning_that_dies_between_two_chunks_can_be_asked_for_again(
    sqlite_template: Path, tmp_path: Path
) -> None:
    async def act(world: CampaignWorld) -> None:
        await world.closing.abandon(actor(LYNNE), world.campaign_id)

    async def check(world: CampaignWorld) -> None:
        async with world.work.read() as work:
            orders = await work.orders.of_campaign(world.campaign_id)
        assert Counter((await _outcomes(world)).values()) == {Outcome.KEPT: 1, Outcome.SUPERSEDED: 5}
        assert {order.state for order in orders} == {OrderState.DONE}
        assert (await world.campaign()).abandoned_by == LYNNE
        assert world.writer.writes == []

    deaths = await _dies_everywhere(sqlite_template, tmp_path, before=_frozen, act=act, check=check, of="no job")

    assert deaths == 2 * (3 + 1 + 1)  # three chunks, one that finds nothing more, the end


async def _stopped(world: CampaignWorld) -> None:
    """Bring the campaign to where a freeze has caught every order on its way."""
    await _closed(world)
    await world.syncing.request(None)
    while job := next((one for one in world.engine.queued if one.kind == "sync"), None):
        world.engine.queued.remove(job)
        await world.engine.handlers["sync"](job)
    await world.freezing.freeze(actor(LYNNE), "something is wrong")
    await world.settle()
    async with world.work.read() as work:
        orders = await work.orders.of_campaign(world.campaign_id)
    assert {order.state for order in orders} == {OrderState.FROZEN}


async def test_a_release_that_dies_between_two_chunks_goes_on(sqlite_template: Path, tmp_path: Path) -> None:
    async def act(world: CampaignWorld) -> None:
        await world.resume()
        await world.settle()

    deaths = await _dies_everywhere(
        sqlite_template, tmp_path, before=_stopped, act=act, check=_is_removed, of="release"
    )

    assert deaths == 2 * (2 + 1)  # two chunks, and the end
