"""Synced seats with their paths."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence

from sqlalchemy import ColumnElement, RowMapping, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.domain.directory import Path, Person, Seat
from reclaim.domain.ids import GroupId, PersonId, ProductId, SeatId
from storage.repositories.people import to_person
from storage.tables import people, seat_paths, seats
from storage.upsert import in_chunks

DIRECT = "direct"  # seat_paths.via of a seat that was not given by a group
GIVES_SEAT = ("Active", "ActiveWithError")  # as domain.directory.Path.gives_seat
SOUND = ("Active",)  # as domain.directory.Path.sound


class SqlSeats:
    """Implements `Seats`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get_many(self, seats: Iterable[SeatId]) -> dict[SeatId, Seat]:
        found: dict[SeatId, Seat] = {}
        for ids in in_chunks(seats):
            found |= {seat.id: seat for seat in await self._where(_is_one_of(ids))}
        return found

    async def of_people(self, people: Iterable[PersonId]) -> dict[PersonId, tuple[Seat, ...]]:
        found: dict[PersonId, list[Seat]] = defaultdict(list)
        for ids in in_chunks(people):
            for seat in await self._where(seats.c.person_id.in_(ids)):
                found[seat.person_id].append(seat)
        return {person: tuple(held) for person, held in found.items()}

    async def held(self) -> dict[ProductId, int]:
        held = (
            select(seat_paths.c.seat_id)
            .where(seat_paths.c.seat_id == seats.c.id, seat_paths.c.state.in_(GIVES_SEAT))
            .exists()
        )
        rows = await self._connection.execute(
            select(seats.c.product_id, func.count().label("number"))
            .where(seats.c.gone_at.is_(None), held)
            .group_by(seats.c.product_id)
        )
        return {row.product_id: row.number for row in rows}

    async def all(self, chunk: int = 2_000) -> AsyncIterator[Sequence[tuple[Person, Seat]]]:
        # By key and not by OFFSET, whose cost grows with every page; the paths are read by the same range of ids.
        page = (
            select(seats, people)
            .join(people, people.c.id == seats.c.person_id)
            .where(seats.c.gone_at.is_(None))
            .order_by(seats.c.id)
            .limit(chunk)
        )
        after = ""
        while rows := (await self._connection.execute(page.where(seats.c.id > after))).mappings().all():
            first, after = rows[0][seats.c.id], rows[-1][seats.c.id]
            paths = await self._paths(seat_paths.c.seat_id.between(first, after))
            yield [(to_person(row), _to_seat(row, paths)) for row in rows]

    async def _where(self, condition: ColumnElement[bool]) -> list[Seat]:
        """Return the seats still there on which a condition holds, by id."""
        there = (condition, seats.c.gone_at.is_(None))
        paths = await self._paths(seat_paths.c.seat_id.in_(select(seats.c.id).where(*there)))
        rows = await self._connection.execute(select(seats).where(*there).order_by(seats.c.id))
        return [_to_seat(row, paths) for row in rows.mappings()]

    async def _paths(self, condition: ColumnElement[bool]) -> dict[SeatId, list[Path]]:
        rows = await self._connection.execute(
            select(seat_paths).where(condition).order_by(seat_paths.c.seat_id, seat_paths.c.via)
        )
        found: dict[SeatId, list[Path]] = defaultdict(list)
        for row in rows.mappings():
            found[row["seat_id"]].append(_to_path(row))
        return found


def _is_one_of(ids: Sequence[SeatId]) -> ColumnElement[bool]:
    return seats.c.id.in_(ids)


def _to_seat(row: RowMapping, paths: dict[SeatId, list[Path]]) -> Seat:
    seat = SeatId(row[seats.c.id])
    return Seat(
        id=seat,
        person_id=row[seats.c.person_id],
        product_id=row[seats.c.product_id],
        paths=tuple(paths.get(seat, ())),
    )


def _to_path(row: RowMapping) -> Path:
    return Path(
        group_id=None if row["via"] == DIRECT else GroupId(row["via"]),
        state=row["state"],
        error=row["error"],
        disabled_plans=tuple(row["disabled_plans"]),
        updated_at=row["updated_at"],
    )
