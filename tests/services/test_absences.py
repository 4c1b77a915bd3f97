"""Who may be away is left out until a whole idle window has passed since, and nobody is told who that is."""

from datetime import date, timedelta

import pytest

from reclaim.domain.campaign import Scope
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import LeftOut
from reclaim.domain.removal import Outcome
from reclaim.errors import InvalidRequest
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.explain_seat import ExplainSeat
from reclaim.services.follow_lists import FollowLists
from reclaim.services.import_absences import ImportAbsences, read_absences
from reclaim.services.jobs import ABSENCES
from reclaim.services.read_spend import ReadSpend
from tests.services.campaign_world import CampaignWorld
from tests.services.world import NOW, OPERATOR, World, admin, draft

TODAY = NOW.date()
DAY = timedelta(days=1)


def importing(world: World | CampaignWorld) -> ImportAbsences:
    work, clock, tokens, policy = world.work, world.clock, world.tokens, world.policy
    service = ImportAbsences(
        work=work,
        clock=clock,
        tokens=tokens,
        policy=policy,
        lists=FollowLists(work=work, clock=clock, tokens=tokens, policy=policy),
    )
    world.engine.register(ABSENCES, service.handle)
    return service


def listing(*rows: tuple[str, date, date | None]) -> str:
    lines = [f"{person}@contoso.example,{first},{last or ''}" for person, first, last in rows]
    return "\n".join(["person,from,until", *lines])


async def held(world: World) -> set[str]:
    async with world.work.read() as reading:
        found = await reading.findings.select(days=90, now=world.clock.now())
        counting = {one.id for one in await reading.exclusions.counting(world.clock.now())}
    return {one.person_id for one in found if one.exclusion_id in counting}


async def test_who_is_away_or_was_within_the_window_is_left_out_as_a_count(world: World) -> None:
    world.hire(["now", "lately", "longago", "soon", "here"])
    await world.read()
    ended = TODAY - 89 * DAY  # its last day: the person is back on the day after

    view, unknown = await importing(world).from_csv(
        OPERATOR,
        listing(
            ("now", TODAY - 200 * DAY, None),
            ("lately", ended - 30 * DAY, ended),
            ("longago", ended - 30 * DAY, ended - 2 * DAY),
            ("soon", TODAY + DAY, TODAY + 9 * DAY),
        ),
    )

    assert await held(world) == {"now", "lately"}
    assert (view.absences, view.people, view.seats, unknown) == (4, 2, 2, ())
    report = await ReadSpend(work=world.work, clock=world.clock, policy=world.policy).report()
    assert [(one.exclusion.kind, one.seats) for one in report.excluded] == [(ExclusionKind.AWAY, 2)]
    preview = await world.start.preview(admin(), draft())
    assert preview.left_out == (LeftOut(reason="excluded", seats=2),)


async def test_the_hold_ends_by_itself_a_whole_window_after_the_absence(world: World) -> None:
    world.hire(["ada"], seen_days=400)
    await world.read()
    await importing(world).from_csv(OPERATOR, listing(("ada", TODAY - 9 * DAY, TODAY)))

    world.clock.advance(89 * DAY)
    await world.read()
    before = await held(world)
    world.clock.advance(2 * DAY)
    await world.read()

    assert (before, await held(world)) == ({"ada"}, set())


async def test_a_campaign_with_a_longer_window_holds_absences_of_longer_ago(world: World) -> None:
    world.hire(["ada", "ben"], seen_days=400)
    await world.read()
    await importing(world).from_csv(OPERATOR, listing(("ada", TODAY - 140 * DAY, TODAY - 120 * DAY)))

    assert await held(world) == set()
    preview = await world.start.preview(admin(), draft(scope=Scope(days=180)))
    assert preview.left_out == (LeftOut(reason="excluded", seats=1),)


async def test_why_says_nothing_of_it_and_no_event_names_anybody(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    await importing(world).from_csv(OPERATOR, listing(("ada", TODAY, TODAY), ("ghost", TODAY, TODAY)))

    report = await ExplainSeat(work=world.work, clock=world.clock, policy=world.policy).why("ada")

    assert report.seats[0].exclusion is None
    bodies = b"".join(one.event.body for one in await world.events())
    assert b"absences_loaded" in bodies
    assert b"ada" not in bodies
    assert b"ghost" not in bodies


async def test_a_new_list_replaces_the_one_before_and_clearing_forgets_all(world: World) -> None:
    world.hire(["ada", "ben"])
    await world.read()
    service = importing(world)
    await service.from_csv(OPERATOR, listing(("ada", TODAY, TODAY)))

    world.clock.advance(timedelta(hours=1))
    await service.from_csv(OPERATOR, listing(("ben", TODAY, TODAY)))
    second = await held(world)
    world.clock.advance(timedelta(hours=1))
    cleared = await service.clear(OPERATOR)

    assert (second, await held(world), cleared.at) == ({"ben"}, set(), None)
    async with world.work.read() as reading:
        assert await reading.absences.dropped() == []
        assert await reading.absences.away_of([PersonId("ada"), PersonId("ben")], since=NOW - DAY, now=NOW) == set()
    with pytest.raises(InvalidRequest):
        await service.clear(OPERATOR)


async def test_unknown_people_are_told_back_by_line_and_never_guessed(world: World) -> None:
    world.hire(["ada"])
    await world.read()

    view, unknown = await importing(world).from_csv(
        OPERATOR, f"kind,until,person,from\nsick,,ADA@contoso.example,{TODAY}\nsick,,Ada Example,{TODAY}\n"
    )

    assert (view.absences, [(row.line, row.person) for row in unknown]) == (1, [(3, "Ada Example")])
    with pytest.raises(InvalidRequest, match="Nobody in this file"):
        await importing(world).from_csv(OPERATOR, listing(("ghost", TODAY, TODAY)))
    assert await held(world) == {"ada"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Line 1: the columns must be person,from,until"),
        ("person;from;until", "semicolons"),
        ("person,from,until,reason\n", "Line 1"),
        ("person,from,until\n", "no rows"),
        ("person,from,until\nada,2027-01-31\n", "Line 2: 2 columns instead of 3"),
        ("person,from,until\n\n,2027-01-31,\n", "Line 3, person:"),
        ("person,from,until\nada,31.1.2027,\n", "Line 2, from:"),
        ("person,from,until\nada,2027-01-31,soon\n", "Line 2, until:"),
        ("person,from,until\nada,2027-01-31,2027-01-30\n", "Line 2, until: this is before"),
        ('person,from,until\n"ada,2027-01-31,\n', "cannot be read as CSV"),
    ],
)
def test_a_mistake_is_named_by_line_and_column_without_the_person(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says) as raised:
        read_absences(text)
    assert "ada" not in raised.value.message


async def test_once_ended_it_holds_nobody_until_a_list_is_loaded_again(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    service = importing(world)
    await service.from_csv(OPERATOR, listing(("ada", TODAY, None)))
    excluding = ExcludeSeats(
        work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy, directory=world.directory
    )
    (row,) = (await excluding.list()).rows
    await excluding.end(admin(), row.exclusion.id)

    ended, off = await held(world), (await service.view()).counts
    await service.from_csv(OPERATOR, listing(("ada", TODAY, None)))

    assert (ended, off, await held(world)) == (set(), False, {"ada"})


async def test_a_seat_of_who_went_away_meanwhile_is_kept_and_no_event_says_why(campaigns: CampaignWorld) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    await campaigns.open()
    await campaigns.revoke("ada", "ben")
    today = campaigns.clock.now().date()
    await importing(campaigns).from_csv(OPERATOR, listing(("ada", today, None)))

    await campaigns.close()

    ada, ben = await campaigns.item("ada"), await campaigns.item("ben")
    assert (ada.outcome, ada.outcome_reason, ben.outcome) == (Outcome.KEPT, "excluded", Outcome.REMOVED)
    async with campaigns.work.read() as reading:
        stored = await reading.events.of_campaign(campaigns.campaign_id)
    (ended,) = [one for one in stored if (one.event.item_id, one.event.kind) == (ada.id, "item_ended")]
    assert b'"exclusion"' not in ended.event.body
