from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import CampaignState, Limits, Scope, Strategy, WriteMode
from reclaim.domain.ids import BatchId, CampaignId, PersonId, ProductId, SeatId
from reclaim.domain.money import Money, Total
from reclaim.domain.read_models import LeftOut, OverLimit, ReviewerLoad, SkuShare, StartSeat
from reclaim.domain.review import Answer, Choice
from reclaim.errors import (
    Conflict,
    DirectoryError,
    GuardrailExceeded,
    InvalidRequest,
    NoSignInData,
    NotAuthorized,
    NotFound,
)
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.services.open_campaign import OpenCampaign
from reclaim.services.start_campaign import StartCampaign
from tests.fakes import Killed
from tests.services.world import (
    ALLAN,
    E3,
    LYNNE,
    MEGAN,
    OPERATOR,
    PROJECT,
    VISIO,
    VISIO_GROUP,
    World,
    admin,
    draft,
    group,
    person,
    seat,
)


# Drafts ---------------------------------------------------------------------------------------------------------------
async def test_a_draft_comes_back_as_it_was(world: World) -> None:
    scope = Scope(
        days=180,
        product_ids=(VISIO,),
        rules=("idle",),
        departments=("Sales",),
        person_ids=(MEGAN,),
        seat_ids=("a:sku-visio",),
    )
    one = draft(scope=scope, strategy=Strategy.PERSON, reviewer="megan", fallback="allan", mode=WriteMode.DRY_RUN)
    await world.start.put_draft(admin(), one)

    assert await world.start.draft("draft-1", admin()) == one
    looked_at = replace(one, listed="megan", simulated=True)
    await world.start.put_draft(admin(), looked_at)
    assert await world.start.draft("draft-1", admin()) == looked_at


async def test_the_draft_of_somebody_else_does_not_exist(world: World) -> None:
    await world.start.put_draft(admin(), draft())

    with pytest.raises(NotFound):
        await world.start.draft("draft-1", admin("megan"))
    with pytest.raises(NotFound):
        await world.start.put_draft(admin("megan"), draft(by="megan"))
    with pytest.raises(NotFound):
        await world.start.put_draft(admin("megan"), draft("draft-2"))
    with pytest.raises(NotFound):
        await world.start.launch(admin("megan"), "draft-1")
    with pytest.raises(NotFound):
        await world.start.preview(admin("megan"), draft())


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"place": 3}, "There is no such draft."),
        ({"form": "start"}, "This draft is from an older version. Please start again."),
        ({"form": "start", "name": "x", "days": "many"}, "This draft is from an older version. Please start again."),
    ],
)
async def test_what_is_no_draft_is_not_read_as_one(world: World, state: dict[str, object], message: str) -> None:
    async with world.work.write() as unit:
        await unit.controls.put_draft("ref", LYNNE, state, at=world.clock.now())
        await unit.commit()

    with pytest.raises(NotFound, match=message):
        await world.start.draft("ref", admin())


# Preview --------------------------------------------------------------------------------------------------------------
async def test_a_preview_adds_up(world: World) -> None:
    world.policy = replace(world.policy, limits=Limits(share_from=1_000))
    world.directory.group_facts[VISIO_GROUP] = group(VISIO_GROUP, VISIO, dynamic=True)
    world.hire(["a", "b"], VISIO)
    world.directory.add(person("c", seen_days=200), seat("c", VISIO, VISIO_GROUP))
    world.directory.add(person("d", manager=None, seen_days=200), seat("d", PROJECT))
    world.directory.add(person("e", seen_days=200), seat("e", E3))
    await world.price("VISIOCLIENT,15,USD,month", "SPE_E3,36,USD,month")
    await world.read()

    preview = await world.start.preview(admin(), draft(scope=Scope(days=90, product_ids=(VISIO, PROJECT))))

    assert (preview.idle, preview.items) == (5, 4)
    assert preview.left_out == (LeftOut(reason="scope", seats=1),)
    assert preview.monthly == Total(amounts=(Money(4500, "USD"),), unpriced=1)
    assert (preview.recommended, preview.likely) == (3, Total(amounts=(Money(3000, "USD"),), unpriced=1))
    assert preview.low == Total(unpriced=1)  # a and b are idle for 120 days only: no clear case
    assert (preview.writable, preview.high) == (3, Total(amounts=(Money(3000, "USD"),), unpriced=1))
    assert preview.blockers == (("group_dynamic", 1),)
    assert preview.reviewers == (
        ReviewerLoad(assignee_id=MEGAN, name="Megan Example", seats=3),
        ReviewerLoad(assignee_id=ALLAN, name="Allan Example", seats=1),
    )
    assert (preview.to_fallback, preview.fallback_name) == (1, "Allan Example")
    assert preview.due_at == datetime(2026, 12, 4, 23, 0, tzinfo=UTC)  # the end of that day in Zurich
    assert preview.mode is WriteMode.LIVE


async def test_the_only_mailbox_is_asked_about_but_not_recommended(world: World) -> None:
    world.hire(["a"], E3)
    await world.read()

    preview = await world.start.preview(admin(), draft())

    assert (preview.items, preview.recommended, preview.blockers) == (1, 0, (("last_mailbox", 1),))


async def test_who_is_asked_already_or_has_answered_is_left_out(world: World) -> None:
    world.hire(["a", "b", "c"])
    await world.read()
    await world.launch(scope=Scope(days=90, seat_ids=("a:sku-visio",)))

    preview = await world.start.preview(admin(), draft("draft-2"))

    assert (preview.idle, preview.items) == (3, 2)
    assert preview.left_out == (LeftOut(reason="asked", seats=1),)


async def test_an_answer_counts_for_the_cooldown(world: World) -> None:
    world.hire(["a", "b"])
    await world.read()
    first = await world.launch(scope=Scope(days=90, seat_ids=("a:sku-visio",)))
    now = world.clock.now()
    async with world.work.write() as unit:
        (item,) = await unit.items.of_campaign(first)
        kept = Answer(choice=Choice.KEEP, by=MEGAN, at=now, batch_id=BatchId("batch"))
        await unit.items.close_questions([item.id], at=now)
        await unit.items.remember_answers([replace(item, answer=kept)], until=now + timedelta(days=90))
        await unit.commit()

    preview = await world.start.preview(admin(), draft("draft-2"))

    assert preview.left_out == (LeftOut(reason="answered", seats=1),)


async def test_a_seat_that_nobody_may_review_is_left_out(world: World) -> None:
    world.policy = replace(world.policy, fallback_reviewer=None)
    world.hire(["a"])
    world.directory.add(person("b", manager=None, seen_days=200), seat("b", VISIO))
    await world.read()

    preview = await world.start.preview(admin(), draft())

    assert (preview.items, preview.left_out) == (1, (LeftOut(reason="no_reviewer", seats=1),))
    assert preview.fallback_name is None


async def test_a_manager_never_reviews_their_own_seat(world: World) -> None:
    world.directory.add(person("boss", manager="boss", seen_days=200), seat("boss", VISIO))
    await world.read()

    preview = await world.start.preview(admin(), draft())

    assert [load.assignee_id for load in preview.reviewers] == [ALLAN]


async def test_the_installations_fallback_is_passed_over_where_disabled(world: World) -> None:
    world.directory.everybody[ALLAN] = person("allan", enabled=False)
    world.hire(["a"])
    await world.read()

    assert (await world.start.preview(admin(), draft())).fallback_name is None


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"name": "  "}, "name", "Please give the campaign a name."),
        ({"name": "x" * 81}, "name", "The name has 81 characters."),
        ({"due": date(2026, 11, 22)}, "until", "The due date has passed."),
        ({"zone": "Mars/Base"}, "zone", "“Mars/Base” is not a time zone."),
        ({"scope": Scope(days=29)}, "days", "Please choose between 30 and 730 days."),
        ({"scope": Scope(rules=("sql",))}, "rules", "Please choose among"),
        ({"scope": Scope(product_ids=(ProductId("none"),))}, "sku", "One of these SKUs"),
        ({"strategy": Strategy.PERSON}, "reviewer", "Please pick a person of this tenant."),
        ({"strategy": Strategy.PERSON, "reviewer": "nobody"}, "reviewer", "Please pick a person of this tenant."),
        ({"strategy": Strategy.PERSON, "reviewer": "off"}, "reviewer", "Off Example’s account is disabled."),
        ({"fallback": "off"}, "fallback", "Off Example’s account is disabled."),
        ({"fallback": "guest"}, "fallback", "Guest Example is a guest."),
    ],
)
async def test_a_field_that_makes_no_sense_is_named(
    world: World, change: dict[str, object], field: str, message: str
) -> None:
    world.hire(["a"])
    world.directory.add(person("off", enabled=False))
    world.directory.add(replace(person("guest"), user_type="Guest"))
    await world.read()

    with pytest.raises(InvalidRequest) as caught:
        await world.start.preview(admin(), draft(**change))  # type: ignore[arg-type]

    assert caught.value.field == field
    assert caught.value.message.startswith(message)


async def test_an_empty_scope_names_the_nearest_window(world: World) -> None:
    world.hire(["a", "b"], seen_days=70)
    await world.read()

    with pytest.raises(InvalidRequest, match=r"No idle seat matches\. The nearest: 2 seats at 60 days\."):
        await world.start.preview(admin(), draft(scope=Scope(days=180)))
    with pytest.raises(InvalidRequest, match=r"^No idle seat matches\. Leave one of the choices out\.$"):
        await world.start.preview(admin(), draft(scope=Scope(days=180, product_ids=(PROJECT,))))


async def test_a_tenant_that_was_never_read_has_no_preview(world: World) -> None:
    with pytest.raises(Conflict, match="not read yet"):
        await world.start.preview(admin(), draft())


async def test_findings_of_an_older_run_start_nothing(world: World) -> None:
    world.hire(["a"])
    await world.read()
    world.clock.advance(timedelta(hours=1))
    world.directory.fail("sign_ins", Killed())
    run = await world.sync.request(None)
    with pytest.raises(Killed):
        await world.engine.drain()
    async with world.work.write() as unit:  # complete, and dead before the scan
        found = await unit.syncs.get(run)
        assert found is not None
        await unit.syncs.save(replace(found, state="complete"))
        await unit.commit()

    with pytest.raises(Conflict, match="still being judged"):
        await world.start.preview(admin(), draft())


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "it needs Entra ID P1"),
        ("Authorization_RequestDenied", "grant AuditLog.Read.All"),
    ],
)
async def test_without_sign_in_data_only_disabled_accounts_can_be_asked_about(
    world: World, code: str, fix: str
) -> None:
    world.hire(["quiet"])
    world.directory.add(person("off", enabled=False), seat("off", VISIO))
    world.directory.fail("sign_ins", DirectoryError("refused", permanent=True, status=403, graph_code=code))
    await world.read()

    with pytest.raises(NoSignInData, match=fix):
        await world.start.preview(admin(), draft())
    with pytest.raises(NoSignInData, match=fix):
        await world.start.preview(admin(), draft(scope=Scope(rules=("disabled", "idle"))))
    assert (await world.start.preview(admin(), draft(scope=Scope(rules=("disabled",))))).items == 1


async def test_seats_are_found_by_department_and_by_name(world: World) -> None:
    world.hire(["a", "b", "c"])
    world.directory.everybody[PersonId("b")] = replace(person("b", seen_days=120), department="Marketing")
    world.directory.everybody[PersonId("c")] = replace(person("c", seen_days=120), department=None)
    await world.read()
    start = world.start

    marketing = await start.preview(admin(), draft(scope=Scope(departments=("MARKETING ",))))
    named = Scope(person_ids=(PersonId("a"), LYNNE), seat_ids=("c:sku-visio", "c:sku-e3"))
    listed = await start.preview(admin(), draft(scope=named))

    assert (marketing.items, marketing.left_out) == (1, (LeftOut(reason="scope", seats=2),))
    assert (listed.items, listed.named_not_idle) == (2, 2)  # Lynne has nothing idle, and c has no such seat
    with pytest.raises(InvalidRequest, match="Leave one of the choices out"):
        await start.preview(admin(), draft(scope=Scope(departments=("Legal",))))


async def test_an_empty_scope_names_the_nearest_window_of_a_department_too(world: World) -> None:
    world.hire(["a", "b"], seen_days=70)
    world.directory.everybody[PersonId("b")] = replace(person("b", seen_days=70), department="Marketing")
    await world.read()

    with pytest.raises(InvalidRequest, match="The nearest: 1 seat at 60 days") as caught:
        await world.start.preview(admin(), draft(scope=Scope(days=90, departments=("Marketing",))))
    assert caught.value.field == "days"


async def test_disabled_or_unused_for_180_days_are_the_clear_cases(world: World) -> None:
    world.hire(["quiet"], seen_days=200)
    world.hire(["recent"], seen_days=100)
    world.directory.add(person("off", enabled=False, seen_days=1), seat("off", VISIO))
    await world.price("VISIOCLIENT,15,USD,month")
    await world.read()

    clear = await world.start.preview(admin(), draft(scope=Scope(days=180)))
    broad = await world.start.preview(admin(), draft(scope=Scope(days=90)))
    without_disabled = await world.start.preview(admin(), draft(scope=Scope(days=180, rules=("idle", "never_seen"))))

    assert (clear.items, broad.items, without_disabled.items) == (2, 3, 1)
    assert broad.low == Total(amounts=(Money(3000, "USD"),))
    assert broad.likely == broad.high == Total(amounts=(Money(4500, "USD"),))


async def test_seats_ticked_by_hand_that_are_in_use_again_are_named_as_such(world: World) -> None:
    world.hire(["a", "b"])
    await world.read()

    with pytest.raises(InvalidRequest, match="None of these seats is idle any more") as caught:
        await world.start.preview(admin(), draft(scope=Scope(seat_ids=("gone:sku-visio",))))
    assert caught.value.field is None


async def test_the_preview_warns_of_a_large_share_of_a_sku(world: World) -> None:
    world.policy = replace(world.policy, limits=Limits(share_from=4, soft_share=60, hard_share=80))
    world.hire(["a", "b"])
    world.hire(["busy", "busier"], seen_days=1)
    await world.read()

    assert (await world.start.preview(admin(), draft())).shares == (SkuShare(name="Visio Plan 2", items=2, held=4),)


async def test_the_seats_of_a_draft_stand_by_reviewer_page_by_page(world: World) -> None:
    world.directory.group_facts[VISIO_GROUP] = group(VISIO_GROUP, VISIO, dynamic=True)
    world.hire([f"p{number:02}" for number in range(11)])
    world.directory.add(person("z", manager=None, seen_days=200), seat("z", VISIO, VISIO_GROUP))
    await world.read()
    await world.start.put_draft(admin(), draft())

    first = await world.start.seats(admin(), "draft-1", 1)
    last = await world.start.seats(admin(), "draft-1", 99)

    assert (first.total, first.pages, len(first.rows), last.page, len(last.rows)) == (12, 2, 10, 2, 2)
    assert first.rows[0] == StartSeat(
        person_name="Z Example",
        sku_name="Visio Plan 2",
        reviewer_name="Allan Example",
        monthly=None,
        writable=False,
        blocker="group_dynamic",
    )
    with pytest.raises(NotFound):
        await world.start.seats(admin("megan"), "draft-1", 1)


# Simulation -----------------------------------------------------------------------------------------------------------
async def test_a_simulation_shows_the_figures_of_the_preview_and_stores_nothing(world: World) -> None:
    world.hire(["a", "b"])
    await world.read()
    before = len(await world.events())

    simulated = await world.start.simulate(admin(), draft())

    assert simulated == await world.start.preview(admin(), draft())
    assert len(await world.events()) == before
    async with world.work.read() as reading:
        assert await reading.controls.draft("draft-1") is None
        assert await reading.campaigns.all() == []
    assert list(world.engine.queued) == []


async def test_the_operator_may_simulate(world: World) -> None:
    world.hire(["a"])
    await world.read()

    assert (await world.start.simulate(OPERATOR, draft(by="operator:root"))).items == 1


async def test_a_simulation_over_the_hard_limit_says_so_and_shows_its_figures(world: World) -> None:
    world.policy = replace(world.policy, limits=Limits(hard_seats=1))
    world.hire(["a", "b"])
    await world.read()

    simulated = await world.start.simulate(admin(), draft())

    assert simulated.over == OverLimit(selected=2, limit=1, hard=True)
    assert (simulated.items, simulated.writable) == (2, 2)


async def test_a_simulation_that_was_kept_cannot_be_launched(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.start.put_draft(admin(), replace(draft(), simulated=True))

    with pytest.raises(NotFound):
        await world.start.launch(admin(), "draft-1")
    assert list(world.engine.queued) == []


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(hard_seats=4), "This campaign has 5 seats. The limit is 4."),
        (Limits(soft_seats=4), "This campaign has 5 seats. The limit is 4."),
        (Limits(share_from=5, hard_share=60), "This campaign has 5 of 5 seats of Visio Plan 2. The limit is 60 %, 3"),
        (Limits(share_from=5, hard_share=100), "This campaign has 5 of 5 seats of Visio Plan 2. The limit is 40 %, 2"),
    ],
)
async def test_a_campaign_that_is_too_large_is_refused_with_both_numbers(
    world: World, limits: Limits, message: str
) -> None:
    world.policy = replace(world.policy, limits=limits)
    world.hire(["a", "b", "c", "d", "e"])
    await world.read()
    await world.start.put_draft(admin(), draft())

    with pytest.raises(GuardrailExceeded) as caught:
        await world.start.launch(admin(), "draft-1")

    assert caught.value.message.startswith(message)
    assert list(world.engine.queued) == []


# Launch ---------------------------------------------------------------------------------------------------------------
async def test_a_launch_freezes_the_seats_and_enqueues_the_opening(world: World) -> None:
    world.hire(["a", "b"])
    await world.read()
    await world.start.put_draft(admin(), draft(name=" Q4 reclaim "))

    campaign = await world.start.launch(admin(), "draft-1")

    assert (campaign.id, campaign.name, campaign.state, campaign.version) == (
        "draft-1",
        "Q4 reclaim",
        CampaignState.OPENING,
        1,
    )
    assert campaign.scope == Scope(days=90)
    assert campaign.due_at == campaign.closes_at == campaign.shown_close_at == datetime(2026, 12, 4, 23, tzinfo=UTC)
    assert (campaign.owner_id, campaign.fallback_id) == (LYNNE, ALLAN)
    assert [job.key for job in world.engine.queued] == ["open:draft-1"]
    async with world.work.read() as reading:
        assert await reading.campaigns.get(campaign.id) == campaign
        assert await reading.campaigns.next_seats(campaign.id) == (0, ["a:sku-visio", "b:sku-visio"])
    newest = (await world.events())[0].event
    assert (newest.kind, newest.campaign_id) == (EventKind.CAMPAIGN_STARTED, "draft-1")
    assert [value.value for value in newest.values] == ["Q4 reclaim"]
    assert b"reclaim" not in newest.body.replace(b'"campaign"', b"")


async def test_launching_twice_is_one_campaign(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.start.put_draft(admin(), draft())
    first = await world.start.launch(admin(), "draft-1")

    second = await world.start.launch(admin(), "draft-1")

    assert second == first
    assert len(world.engine.queued) == 1
    assert [one.event.kind for one in await world.events()].count(EventKind.CAMPAIGN_STARTED) == 1
    with pytest.raises(Conflict, match="started already"):
        await world.start.put_draft(admin(), draft(name="Another"))


@pytest.mark.parametrize(
    ("installation", "own"),
    [(WriteMode.DRY_RUN, WriteMode.LIVE), (WriteMode.LIVE, WriteMode.DRY_RUN)],
)
async def test_the_stricter_mode_is_fixed(world: World, installation: WriteMode, own: WriteMode) -> None:
    world.policy = replace(world.policy, writes=installation)
    world.hire(["a"])
    await world.read()
    await world.start.put_draft(admin(), draft(mode=own))

    assert (await world.start.launch(admin(), "draft-1")).mode is WriteMode.DRY_RUN


async def test_the_operator_cannot_own_a_campaign(world: World) -> None:
    with pytest.raises(NotAuthorized, match="a person of this tenant"):
        await world.start.launch(OPERATOR, "draft-1")


@pytest.mark.parametrize(("age", "words"), [(timedelta(hours=25), "25 hours"), (timedelta(days=3, hours=5), "3 days")])
async def test_old_data_may_be_looked_at_but_not_acted_on(world: World, age: timedelta, words: str) -> None:
    world.hire(["a"])
    await world.read()
    world.clock.advance(age)
    await world.start.put_draft(admin(), draft())

    assert (await world.start.preview(admin(), draft())).data.stale is True
    with pytest.raises(Conflict, match=f"The data is {words} old. Read it again first."):
        await world.start.launch(admin(), "draft-1")


async def test_a_campaign_with_nobody_left_to_ask_is_refused(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.launch()
    await world.start.put_draft(admin(), draft("draft-2"))

    assert (await world.start.preview(admin(), draft("draft-2"))).items == 0
    with pytest.raises(Conflict, match="No seat is left to ask about"):
        await world.start.launch(admin(), "draft-2")


async def test_what_was_frozen_is_what_is_asked_though_more_became_idle(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.start.put_draft(admin(), draft())
    await world.start.launch(admin(), "draft-1")
    job = world.engine.queued.popleft()
    world.hire(["late"])
    world.clock.advance(timedelta(hours=1))
    await world.read()

    await OpenCampaign(work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy).handle(job)

    async with world.work.read() as reading:
        items = await reading.items.of_campaign(CampaignId("draft-1"))
    assert [(item.seat_id, item.assignee_id) for item in items] == [(SeatId("a:sku-visio"), PersonId("megan"))]


@dataclass
class Overtaken:
    """Storage on which something else commits just before the next write begins."""

    inner: Work
    first: Callable[[], Awaitable[object]] | None

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self.inner.read()

    def answering(self) -> AbstractContextManager[None]:
        return self.inner.answering()

    async def give_way(self) -> None:
        await self.inner.give_way()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        first, self.first = self.first, None
        if first is not None:
            await first()
        async with self.inner.write() as unit:
            yield unit


async def test_a_sync_that_completes_during_the_launch_stops_it(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.start.put_draft(admin(), draft())
    world.clock.advance(timedelta(hours=1))
    start = StartCampaign(
        work=Overtaken(world.work, world.read),
        clock=world.clock,
        tokens=world.tokens,
        policy=world.policy,
        rights=world.rights,
    )

    with pytest.raises(Conflict, match="The data was read anew a moment ago"):
        await start.launch(admin(), "draft-1")

    async with world.work.read() as reading:
        assert await reading.campaigns.all() == []


async def test_two_clicks_at_once_are_one_campaign(world: World) -> None:
    world.hire(["a"])
    await world.read()
    await world.start.put_draft(admin(), draft())
    slower = StartCampaign(
        work=Overtaken(world.work, lambda: world.start.launch(admin(), "draft-1")),
        clock=world.clock,
        tokens=world.tokens,
        policy=world.policy,
        rights=world.rights,
    )

    campaign = await slower.launch(admin(), "draft-1")

    async with world.work.read() as reading:
        assert await reading.campaigns.all() == [campaign]
    assert [job.key for job in world.engine.queued] == ["open:draft-1"]
