"""Made-up directory rows, and one sync run from begin to end, as the sync service does it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from reclaim.domain.directory import Group, Path, Person, Seat, Sku
from reclaim.domain.ids import GroupId, PersonId, ProductId, RunId, seat_id
from reclaim.ports.directory import PersonRow
from reclaim.ports.storage import SyncRun, Work

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
VISIO = ProductId("visio")
PROJECT = ProductId("project")


def sku(product: ProductId, name: str, part_number: str) -> Sku:
    return Sku(id=product, part_number=part_number, name=name, enabled=10)


def person(ref: str, *, name: str = "", enabled: bool | None = True, mail: str | None = None) -> Person:
    return Person(
        id=PersonId(ref), name=name, upn=f"{ref}@contoso.example", mail=mail, enabled=enabled, created_at=LONG_AGO
    )


def seat(
    ref: str,
    product: ProductId = VISIO,
    *,
    groups: Sequence[str | None] = (None,),
    state: str = "Active",
    given: datetime = LONG_AGO,
) -> Seat:
    holder = PersonId(ref)
    paths = tuple(Path(group_id=GroupId(group) if group else None, state=state, updated_at=given) for group in groups)
    return Seat(id=seat_id(holder, product), person_id=holder, product_id=product, paths=paths)


def row(ref: str, *seats: Seat, name: str = "", enabled: bool | None = True) -> PersonRow:
    return PersonRow(person=person(ref, name=name, enabled=enabled), seats=seats)


def group(ref: str, name: str, *skus: ProductId) -> Group:
    return Group(
        id=GroupId(ref),
        name=name,
        dynamic=False,
        security_enabled=True,
        mail_enabled=False,
        unified=False,
        synced=None,
        role_assignable=False,
        restricted=None,
        has_nested_groups=False,
        sku_ids=skus,
    )


def run(number: int, *, state: str = "running") -> SyncRun:
    return SyncRun(id=RunId(f"run{number}"), state=state, started_at=NOW + timedelta(days=number), requested_by=None)


async def begin(work: Work, number: int, *pages: Sequence[PersonRow]) -> RunId:
    """Start a run and store some pages of people, each with a commit of its own; the run is left as a kill leaves it."""
    started = run(number)
    async with work.write() as unit:
        await unit.syncs.add(started)
        await unit.commit()
    for page in pages:
        async with work.write() as unit:
            await unit.syncs.save_people(started.id, page, now=started.started_at)
            await unit.commit()
    return started.id


async def end(work: Work, number: int, *, state: str = "complete") -> tuple[int, int]:
    """End a run; a complete one marks what it did not see. Return how many people and seats are gone."""
    started = run(number)
    gone = (0, 0)
    async with work.write() as unit:
        if state == "complete":
            gone = await unit.syncs.mark_gone(started.id, started.started_at)
        await unit.syncs.save(run(number, state=state))
        await unit.commit()
    return gone


async def sync(work: Work, number: int, *pages: Sequence[PersonRow]) -> tuple[int, int]:
    """Run a whole sync."""
    await begin(work, number, *pages)
    return await end(work, number)
