"""What tests of consent programs share: an application's group, its members, and what a usage source says of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from reclaim.domain.attestation import EventKind
from reclaim.domain.consent import ConsentRequest, NoUse
from reclaim.domain.consent_program import ConsentProgram, Value
from reclaim.domain.ids import CampaignId, ConsentId, GroupId, PersonId
from reclaim.domain.membership import MembershipChange
from reclaim.domain.notices import ConsentNotice, ConsentReceiptNotice
from reclaim.services.usage_of import UseOf
from tests.services.campaign_world import CampaignWorld, actor
from tests.services.world import LYNNE, days_ago, group

MIRO_GROUP = GroupId("11111111-2222-3333-4444-555555555555")
MURAL_GROUP = GroupId("99999999-2222-3333-4444-555555555555")
TERMS: Mapping[str, Value] = {"name": "Miro", "application": "Miro", "source": "csv"}


def use(ref: str, unused: int | None, *, device: str | None = None, observed: int = 1) -> UseOf:
    """Return what the source says: unused for so many days; None: it does not know."""
    seen = days_ago(observed)
    no_use = (
        NoUse(last_used_at=days_ago(unused), unused_days=unused, device=device, source="csv", observed_at=seen)
        if unused is not None
        else None
    )
    return UseOf(person_id=PersonId(ref), no_use=no_use, devices=(device,) if device else ())


async def open_program(world: CampaignWorld, *, group_id: GroupId = MIRO_GROUP, **terms: Value) -> ConsentProgram:
    """Sync, and make a program; its group is there and empty but for who was added before."""
    world.directory.group_facts.setdefault(group_id, group(group_id))
    world.directory.members.setdefault(group_id, [])
    await world.sync()
    name = world.directory.group_facts[group_id].name
    return await world.consent.programs.make(actor(LYNNE), name, {**TERMS, **terms})


def member(
    world: CampaignWorld, ref: str, unused: int | None = 45, *, group_id: GroupId = MIRO_GROUP, **more: object
) -> None:
    """Add a person without seats who is in the group, and whose use the source knows."""
    if PersonId(ref) not in world.directory.everybody:
        world.hire(ref)
        world.directory.held[PersonId(ref)] = ()
    world.directory.members.setdefault(group_id, []).append(PersonId(ref))
    world.use.rows[PersonId(ref)] = use(ref, unused, **more)  # type: ignore[arg-type]
    world.use.newest = days_ago(1)


async def run(world: CampaignWorld, program: ConsentProgram) -> None:
    """Run a program, and let all happen that this brings at once."""
    await world.consent.run.start(LYNNE, program.id)
    await world.settle()


async def request_of(world: CampaignWorld, ref: str, program: ConsentProgram | None = None) -> ConsentRequest:
    """Return the newest request to somebody."""
    async with world.work.read() as work:
        programs = [program] if program else await work.consents.programs()
        found = [one for each in programs for one in await work.consents.all_of(each.id) if one.person_id == ref]
    assert found, f"no request to {ref}"
    return found[-1]


async def requests(world: CampaignWorld, program: ConsentProgram) -> dict[str, str]:
    """Return person → state of a program's requests."""
    async with world.work.read() as work:
        return {one.person_id: one.state.value for one in await work.consents.all_of(program.id)}


async def changes_of(world: CampaignWorld, request: ConsentId) -> list[MembershipChange]:
    async with world.work.read() as work:
        return (await work.consents.changes_of([request])).get(request, [])


async def events_of(world: CampaignWorld, program: ConsentProgram) -> list[EventKind]:
    """Return the kinds of a program's events in their order."""
    async with world.work.read() as work:
        return [stored.event.kind for stored in await work.events.of_campaign(CampaignId(program.id))]


def asked(world: CampaignWorld, who: str) -> list[ConsentNotice]:
    """Return the questions that somebody was sent, not what updated them."""
    return [
        one.notice
        for one in world.messenger.sent
        if one.person == who and isinstance(one.notice, ConsentNotice) and not one.updated
    ]


def receipts(world: CampaignWorld, who: str) -> list[ConsentReceiptNotice]:
    return [one for one in world.messenger.to(who) if isinstance(one, ConsentReceiptNotice)]


def in_group(world: CampaignWorld, ref: str, group_id: GroupId = MIRO_GROUP) -> bool:
    return PersonId(ref) in world.directory.members.get(group_id, ())


def over(program: ConsentProgram) -> timedelta:
    """Return a time in which a question of the program surely closes."""
    return timedelta(days=program.terms.answer_days + 2)


def nested(world: CampaignWorld, inner: GroupId, *refs: str) -> None:
    """Put a group with these people into the Miro group."""
    world.directory.group_facts[inner] = replace(group(inner), name="Inner circle")
    world.directory.members[inner] = [PersonId(ref) for ref in refs]
    world.directory.nested[MIRO_GROUP] = [inner]
    world.directory.group_facts[MIRO_GROUP] = replace(
        world.directory.group_facts.get(MIRO_GROUP, group(MIRO_GROUP)), has_nested_groups=True
    )
