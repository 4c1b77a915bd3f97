"""What is left out of campaigns: added with a reason, counted, explained, and kept even when a campaign is open."""

import json
from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from reclaim.domain.directory import LivePerson
from reclaim.domain.exclusions import ExclusionId, ExclusionKind
from reclaim.domain.ids import PersonId, ProductId
from reclaim.domain.read_models import ExclusionView, LeftOut, SeatFilter
from reclaim.domain.removal import Outcome
from reclaim.errors import Conflict, InvalidRequest, NotFound
from reclaim.ports.storage import StoredEvent
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.explain_seat import ExplainSeat
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.jobs import EXCLUDE
from reclaim.services.read_seats import ReadSeats
from reclaim.services.read_spend import ReadSpend
from tests.services.campaign_world import HOUR, CampaignWorld
from tests.services.world import NOW, OPERATOR, PROJECT, VISIO, World, admin, draft


def excluding(world: World) -> ExcludeSeats:
    return ExcludeSeats(
        work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy, directory=world.directory
    )


async def exclude(
    world: World, kind: ExclusionKind, text: str = "", *, reason: str = "Legal hold", until: date | None = None
) -> ExclusionView:
    return await excluding(world).add(admin(), kind, text, reason=reason, until=until)


async def idle(world: World) -> Mapping[ProductId, int]:
    async with world.work.read() as reading:
        return await reading.findings.tally(days=90, now=world.clock.now())


def facts(stored: StoredEvent) -> dict[str, object]:
    return dict(json.loads(stored.event.body)["facts"])


async def test_an_exclusion_counts_at_once_and_says_what_it_holds(world: World) -> None:
    world.hire(["ada", "ben"])
    await world.read()

    view = await exclude(world, ExclusionKind.PERSON, "ada@contoso.example")

    assert (view.value, view.seats, view.by_name) == ("Ada Example", 1, "Lynne Example")
    assert await idle(world) == {VISIO: 1}
    page = await ReadSeats(work=world.work, clock=world.clock, policy=world.policy).page(SeatFilter(days=90))
    assert ([row.person_id for row in page.rows], page.total, page.excluded) == (["ben"], 1, 1)


async def test_spend_counts_what_is_excluded_apart_with_its_reason(world: World) -> None:
    world.hire(["ada", "ben"])
    world.hire(["cleo"], PROJECT)
    await world.price("VISIOCLIENT,15.00,USD,month")
    await world.read()
    await exclude(world, ExclusionKind.PRODUCT, PROJECT, reason="Bought for the year")

    report = await ReadSpend(work=world.work, clock=world.clock, policy=world.policy).report()

    assert (report.idle, report.total.unpriced) == (2, 0)
    assert [(one.value, one.exclusion.reason, one.seats) for one in report.excluded] == [
        ("Project Plan 3", "Bought for the year", 1)
    ]
    assert report.held == 3


async def test_it_ends_at_the_end_of_its_day_without_another_scan(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    await exclude(world, ExclusionKind.DEPARTMENT, "sales", until=date(2026, 11, 24))

    world.clock.advance(timedelta(days=1, hours=16, minutes=59))
    before = await idle(world)
    world.clock.advance(timedelta(minutes=1))

    assert (before, await idle(world)) == ({}, {VISIO: 1})
    assert (await excluding(world).list()).rows == ()


async def test_ended_by_hand_the_seats_count_again_and_the_next_one_takes_over(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    first = await exclude(world, ExclusionKind.PERSON, "ada")
    await exclude(world, ExclusionKind.DEPARTMENT, "Sales", until=date(2026, 12, 31))

    with pytest.raises(InvalidRequest, match="Several"):
        await excluding(world).end(admin(), first.exclusion.id[:8])
    await excluding(world).end(admin(), first.exclusion.id)

    assert [one.seats for one in (await excluding(world).list()).rows] == [1]
    await excluding(world).end(admin(), (await excluding(world).list()).rows[0].exclusion.id)
    assert await idle(world) == {VISIO: 1}


async def test_it_is_attested_without_personal_text_in_the_body(world: World) -> None:
    await world.read()

    view = await exclude(world, ExclusionKind.DEPARTMENT, "SALES", reason="Secret project")
    await excluding(world).end(OPERATOR, view.exclusion.id)

    ended, added = (await world.events())[:2]
    assert (added.event.kind, ended.event.kind) == ("excluded", "exclusion_ended")
    assert {value.field: value.value for value in added.event.values} == {"reason": "Secret project", "value": "Sales"}
    assert b"Secret" not in added.event.body
    assert b"Sales" not in added.event.body
    assert facts(added)["exclusion"] == facts(ended)["exclusion"] == view.exclusion.id
    assert json.loads(ended.event.body)["actor"] == OPERATOR.id


@pytest.mark.parametrize(
    ("kind", "text", "reason", "until", "says"),
    [
        (ExclusionKind.PERSON, "ada", " ", None, "why"),
        (ExclusionKind.PERSON, "ada", "x" * 501, None, "500"),
        (ExclusionKind.PERSON, "ada", "why", date(2026, 11, 22), "passed"),
        (ExclusionKind.DEPARTMENT, "Slaes", "why", None, "Did you mean Sales?"),
        (ExclusionKind.EMPLOYEE_TYPE, "Robot", "why", None, "Nobody has the employee type"),
    ],
)
async def test_a_mistake_is_named_and_nothing_is_left_out(
    world: World, kind: ExclusionKind, text: str, reason: str, until: date | None, says: str
) -> None:
    world.hire(["ada"])
    await world.read()

    with pytest.raises(InvalidRequest, match=says):
        await exclude(world, kind, text, reason=reason, until=until)

    assert (await excluding(world).list()).rows == ()


async def test_the_same_twice_is_a_conflict_until_the_first_has_expired(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    await exclude(world, ExclusionKind.GUESTS, until=date(2026, 11, 23))

    with pytest.raises(Conflict):
        await exclude(world, ExclusionKind.GUESTS)

    world.clock.advance(timedelta(days=2))
    await exclude(world, ExclusionKind.GUESTS)
    assert len((await excluding(world).list()).rows) == 1


async def test_nobody_and_no_id_are_told(world: World) -> None:
    await world.read()

    with pytest.raises(NotFound):
        await exclude(world, ExclusionKind.PERSON, "nobody@contoso.example")
    for ref in ("", "zzz"):
        with pytest.raises(NotFound):
            await excluding(world).end(admin(), ref)


async def test_a_process_that_died_over_the_marking_leaves_a_job_that_does_it(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    service = excluding(world)

    async def died(*_: object) -> None:
        raise RuntimeError("killed")

    service._mark = died  # type: ignore[method-assign, assignment]
    with pytest.raises(RuntimeError):
        await service.add(admin(), ExclusionKind.PERSON, "ada", reason="Legal hold")
    assert await idle(world) == {VISIO: 1}

    await excluding(world).handle(world.engine.queued.popleft())

    assert await idle(world) == {}


async def test_why_says_reason_end_and_by_whom_even_for_a_seat_in_use(world: World) -> None:
    world.hire(["ada"], seen_days=1)
    await world.read()
    await exclude(world, ExclusionKind.PERSON, "ada", until=date(2026, 12, 31))

    report = await ExplainSeat(work=world.work, clock=world.clock, policy=world.policy).why("ada")

    (seat,) = report.seats
    assert seat.not_idle == "in_use"
    assert seat.exclusion is not None
    assert (seat.exclusion.exclusion.reason, seat.exclusion.by_name) == ("Legal hold", "Lynne Example")


async def test_the_preview_counts_excluded_seats_by_that_reason_and_adds_up(world: World) -> None:
    world.hire(["ada", "ben", "cleo"])
    await world.read()
    await exclude(world, ExclusionKind.PERSON, "ada")

    preview = await world.start.preview(admin(), draft())

    assert (preview.idle, preview.items, preview.left_out) == (3, 2, (LeftOut(reason="excluded", seats=1),))


async def test_a_scan_during_which_something_is_excluded_counts_with_it(world: World) -> None:
    world.hire(["ada", "ben"])
    run = await world.read()
    scan = FindIdleSeats(work=world.work, clock=world.clock, policy=world.policy)
    judge = scan._judge

    async def then_exclude(*args: object) -> None:
        await judge(*args)  # type: ignore[arg-type]
        await exclude(world, ExclusionKind.PERSON, "ada")

    scan._judge = then_exclude  # type: ignore[method-assign, assignment]
    await scan.scan(run)

    async with world.work.read() as reading:
        found = await reading.findings.select(days=90, now=NOW)
    assert {one.person_id: one.exclusion_id is None for one in found} == {
        PersonId("ada"): False,
        PersonId("ben"): True,
    }


# A campaign that is open -----------------------------------------------------------------------------------------------
async def _exclude_in(campaigns: CampaignWorld, ref: str) -> ExclusionId:
    service = ExcludeSeats(
        work=campaigns.work,
        clock=campaigns.clock,
        tokens=campaigns.tokens,
        policy=campaigns.policy,
        directory=campaigns.directory,
    )
    campaigns.engine.register(EXCLUDE, service.handle)
    view = await service.add(admin(), ExclusionKind.PERSON, ref, reason="Legal hold")
    return view.exclusion.id


async def test_a_seat_excluded_while_its_campaign_is_open_stays_with_its_reviewer_and_is_kept(
    campaigns: CampaignWorld,
) -> None:
    campaigns.hire("ada")
    campaigns.hire("ben")
    await campaigns.open()
    exclusion = await _exclude_in(campaigns, "ada")
    await campaigns.revoke("ada", "ben")  # its reviewer still has it, and may answer

    await campaigns.close()

    ada, ben = await campaigns.item("ada"), await campaigns.item("ben")
    assert (ada.outcome, ada.outcome_reason) == (Outcome.KEPT, "excluded")
    assert ben.outcome is Outcome.REMOVED
    assert {write.person for write in campaigns.writer.writes} == {"ben"}
    async with campaigns.work.read() as reading:
        stored = await reading.events.of_campaign(campaigns.campaign_id)
    ended = [facts(one) for one in stored if (one.event.item_id, one.event.kind) == (ada.id, "item_ended")]
    assert ended == [{"outcome": "kept", "reason": "excluded", "exclusion": exclusion}]


async def test_an_exclusion_between_the_look_and_the_write_still_stops_the_write(campaigns: CampaignWorld) -> None:
    campaigns.hire("ada")
    await campaigns.open()
    await campaigns.revoke("ada")
    read = campaigns.directory.live_person
    excluded: list[ExclusionId] = []

    async def then_excluded(person: PersonId, *, with_sign_ins: bool) -> LivePerson | None:
        seen = await read(person, with_sign_ins=with_sign_ins)
        if not excluded:
            excluded.append(await _exclude_in(campaigns, "ada"))
        return seen

    campaigns.directory.live_person = then_excluded  # type: ignore[method-assign]
    await campaigns.close()
    await campaigns.wait(HOUR)

    ada = await campaigns.item("ada")
    assert (ada.outcome, ada.outcome_reason) == (Outcome.KEPT, "excluded")
    assert campaigns.writer.calls == []
