"""Exclusions whose people stand in a list: groups, patterns of names, and who holds an admin role."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.domain.name_patterns import check_pattern, matches
from reclaim.domain.read_models import ExclusionView
from reclaim.domain.removal import Outcome
from reclaim.errors import DirectoryError, InvalidRequest, NotFound
from reclaim.ports.directory import RoleSupport
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.explain_seat import ExplainSeat
from reclaim.services.follow_lists import ADMINS_REASON
from reclaim.services.jobs import EXCLUDE
from tests.services.campaign_world import HOUR, CampaignWorld
from tests.services.world import VISIO, World, admin, group

VIPS, INNER = GroupId("vips"), GroupId("inner")


def excluding(world: World) -> ExcludeSeats:
    service = ExcludeSeats(
        work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy, directory=world.directory
    )
    world.engine.register(EXCLUDE, service.handle)
    return service


async def exclude(world: World, kind: ExclusionKind, text: str = "") -> ExclusionView:
    return await excluding(world).add(admin(), kind, text, reason="by design")


async def idle(world: World) -> Mapping[ProductId, int]:
    async with world.work.read() as reading:
        return await reading.findings.tally(days=90, now=world.clock.now())


async def held(world: World) -> set[str]:
    """Return whose idle seats are left out."""
    async with world.work.read() as reading:
        found = await reading.findings.select(days=90, now=world.clock.now())
        counting = {one.id for one in await reading.exclusions.counting(world.clock.now())}
    return {one.person_id for one in found if one.exclusion_id in counting}


def vips(world: World, *members: str, inside: tuple[str, ...] = ()) -> None:
    world.directory.group_facts |= {VIPS: group(VIPS), INNER: group(INNER)}
    world.directory.members |= {VIPS: [PersonId(one) for one in members], INNER: [PersonId(one) for one in inside]}
    world.directory.nested[VIPS] = [INNER]


# Groups ------------------------------------------------------------------------------------------------------------------
async def test_a_group_that_was_never_read_holds_its_members_at_once_those_of_inner_groups_too(world: World) -> None:
    world.hire(["ada", "ben", "cleo"])
    await world.read()
    vips(world, "ada", inside=("ben",))
    world.directory.page_size = 1

    view = await exclude(world, ExclusionKind.GROUP, "group VIPS")

    assert (view.value, view.people, view.seats) == ("Group vips", 2, 2)
    assert await held(world) == {"ada", "ben"}
    assert await idle(world) == {VISIO: 1}


async def test_each_sync_reads_the_group_again_who_joins_is_held_and_who_leaves_is_not(world: World) -> None:
    world.hire(["ada", "ben"])
    await world.read()
    vips(world, "ada")
    await exclude(world, ExclusionKind.GROUP, "Group vips")

    vips(world, "ben")
    world.clock.advance(HOUR)
    await world.read()

    assert await held(world) == {"ben"}


@pytest.mark.parametrize("status", [403, 404])
async def test_a_group_that_cannot_be_read_holds_whom_it_held_and_the_sync_goes_on(world: World, status: int) -> None:
    world.hire(["ada", "ben"])
    await world.read()
    vips(world, "ada")
    await exclude(world, ExclusionKind.GROUP, "Group vips")
    world.directory.fail("everyone_in", DirectoryError("No.", permanent=True, status=status))
    world.clock.advance(HOUR)

    await world.read()

    assert await held(world) == {"ada"}
    async with world.work.read() as reading:
        newest = await reading.syncs.newest()
    assert newest is not None
    assert newest.state == "complete"


async def test_an_unknown_group_is_an_error_that_names_the_nearest_and_nothing_is_left_out(world: World) -> None:
    world.hire(["ada"])
    await world.read()
    vips(world, "ada")
    await exclude(world, ExclusionKind.GROUP, "Group vips")

    with pytest.raises(NotFound, match=r"no group “Group vip”\. Did you mean Group vips"):
        await exclude(world, ExclusionKind.GROUP, "Group vip")
    with pytest.raises(NotFound):
        await exclude(world, ExclusionKind.GROUP, "00000000-0000-0000-0000-000000000000")

    assert len((await excluding(world).list()).rows) == 1


async def test_a_group_whose_members_cannot_be_read_is_not_excluded_half(world: World) -> None:
    world.hire(["ada", "ben"])
    await world.read()
    vips(world, "ada", "ben")
    world.directory.page_size = 1
    world.directory.fail("everyone_in", DirectoryError("Microsoft Graph is busy."), after=1)

    with pytest.raises(DirectoryError):
        await exclude(world, ExclusionKind.GROUP, "Group vips")

    assert (await excluding(world).list()).rows == ()
    assert await held(world) == set()


async def test_who_joins_the_group_after_the_last_sync_is_seen_by_the_look_before_the_write(
    campaigns: CampaignWorld,
) -> None:
    for ref in ("ada", "ben"):
        campaigns.hire(ref)
    campaigns.directory.group_facts[VIPS] = group(VIPS)
    campaigns.directory.members[VIPS] = []
    await campaigns.open()
    service = ExcludeSeats(
        work=campaigns.work,
        clock=campaigns.clock,
        tokens=campaigns.tokens,
        policy=campaigns.policy,
        directory=campaigns.directory,
    )
    campaigns.engine.register(EXCLUDE, service.handle)
    view = await service.add(admin(), ExclusionKind.GROUP, "Group vips", reason="by design")
    assert view.people == 0
    await campaigns.revoke("ada", "ben")
    campaigns.directory.members[VIPS] = [PersonId("ada")]

    await campaigns.close()

    ada, ben = await campaigns.item("ada"), await campaigns.item("ben")
    assert (ada.outcome, ada.outcome_reason, ben.outcome) == (Outcome.KEPT, "excluded", Outcome.REMOVED)


# Names -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("svc-*", "SVC-backup@contoso.example", True),
        ("svc-*", "my-svc-1", False),
        ("*-kiosk@*", "hall-KIOSK@contoso.example", True),
        ("*-kiosk@*", "kiosk@contoso.example", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*ab*abc", "abxabc", True),
        ("*ab*ab", "ab", False),
        ("svc.?", "svc.x", False),
        ("STRASSE*", "straße 7", True),
        ("*" + "a*" * 4 + "b", "a" * 20_000, False),
    ],
)
def test_a_star_stands_for_any_characters_and_all_else_for_itself(pattern: str, text: str, *, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.parametrize("pattern", ["", "svc", "*", " ** ", "*-*", "a" * 100 + "*", "a*b*c*d*e*f*"])
def test_a_pattern_without_a_star_or_with_hardly_anything_else_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidRequest):
        check_pattern(pattern)


def test_stars_side_by_side_are_one() -> None:
    assert check_pattern(" **svc***x ") == "*svc*x"


async def test_a_pattern_holds_by_address_or_name_says_how_many_and_finds_new_accounts(world: World) -> None:
    world.hire(["svc-a", "ada"])
    await world.read()

    view = await exclude(world, ExclusionKind.NAME, "SVC-*")
    world.hire(["svc-b"])
    world.clock.advance(HOUR)
    await world.read()

    assert (view.value, view.people, view.seats) == ("SVC-*", 1, 1)
    assert await held(world) == {"svc-a", "svc-b"}
    assert [one.people for one in (await excluding(world).list()).rows] == [2]


async def test_who_is_called_otherwise_by_now_is_held_no_more(world: World) -> None:
    world.hire(["svc-a", "ada"])
    await world.read()
    await exclude(world, ExclusionKind.NAME, "svc-*")

    person = world.directory.everybody[PersonId("svc-a")]
    world.directory.everybody[person.id] = replace(person, name="Sven Ahl", upn="sven@contoso.example")
    world.clock.advance(HOUR)
    await world.read()

    assert await held(world) == set()


@pytest.mark.parametrize(("pattern", "says"), [("zz*", "Nobody"), ("*example*", "all 4 people")])
async def test_a_pattern_that_fits_nobody_or_everybody_is_refused(world: World, pattern: str, says: str) -> None:
    world.hire(["ada"])
    await world.read()

    with pytest.raises(InvalidRequest, match=says):
        await exclude(world, ExclusionKind.NAME, pattern)

    assert (await excluding(world).list()).rows == ()


# Admin roles -------------------------------------------------------------------------------------------------------------
ROLES = GroupId("role-group")


def holders(world: World, *direct: str, through: tuple[str, ...] = ()) -> None:
    world.directory.roles = [*direct, ROLES, "an-application"]
    world.directory.group_facts[ROLES] = group(ROLES)
    world.directory.members[ROLES] = [PersonId(one) for one in through]


async def test_who_holds_an_admin_role_is_left_out_by_default_through_a_group_too(world: World) -> None:
    world.hire(["root", "ops", "ada"])
    holders(world, "root", through=("ops",))

    await world.read()

    assert await held(world) == {"root", "ops"}
    (row,) = (await excluding(world).list()).rows
    assert (row.by_name, row.exclusion.reason, row.people) == ("Reclaim, by default", ADMINS_REASON, 2)
    why = await ExplainSeat(work=world.work, clock=world.clock, policy=world.policy).why("root")
    assert why.seats[0].exclusion is not None
    assert why.seats[0].exclusion.exclusion.kind is ExclusionKind.ADMIN_ROLES


async def test_ended_once_it_never_comes_back_by_itself_but_may_be_added_again(world: World) -> None:
    world.hire(["root"])
    holders(world, "root")
    await world.read()
    (row,) = (await excluding(world).list()).rows
    await excluding(world).end(admin(), row.exclusion.id)

    world.clock.advance(HOUR)
    await world.read()
    ended = (await excluding(world).list()).rows
    await exclude(world, ExclusionKind.ADMIN_ROLES)

    assert ended == ()
    assert await held(world) == {"root"}


async def test_without_the_permission_nobody_is_known_to_hold_a_role_and_the_sync_goes_on(world: World) -> None:
    world.hire(["root"])
    world.directory.roles = None

    await world.read()

    view = await world.sync.view()
    assert view is not None
    assert (view.state, view.roles) == ("complete", RoleSupport.NO_PERMISSION)
    assert (await excluding(world).list()).rows == ()


async def test_who_may_take_up_an_admin_role_is_left_out_too_through_a_group_as_well(world: World) -> None:
    world.hire(["root", "ops", "ada"])
    holders(world, through=("ops",))
    world.directory.roles = []
    world.directory.eligible = ["root", ROLES]

    await world.read()

    assert await held(world) == {"root", "ops"}


@pytest.mark.parametrize("trouble", ["no permission", "a group", "half", "who may take one up"])
async def test_only_a_whole_reading_lets_go_of_somebody(world: World, trouble: str) -> None:
    world.hire(["root", "ops"])
    holders(world, "root", through=("ops",))
    await world.read()
    world.clock.advance(HOUR)
    holders(world)  # neither holds it any more, but that is not seen whole
    refused = DirectoryError("No.", permanent=True, status=403)
    match trouble:
        case "no permission":
            world.directory.roles = None
        case "a group":
            world.directory.fail("everyone_in", refused)
        case "who may take one up":
            world.directory.eligible = []
            world.directory.fail("role_eligible", refused)
        case _:
            world.directory.page_size = 1
            world.directory.fail("role_holders", refused, after=1)

    await world.read()
    still = await held(world)
    world.directory.forgive()
    holders(world)
    world.clock.advance(HOUR)
    await world.read()

    assert still == {"root", "ops"}
    assert await held(world) == set()
