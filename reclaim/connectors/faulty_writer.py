"""Writers that lie, for the rehearsal only: they show that the proof of a removal would notice.

A check that cannot fail is a defect. Each fault makes one mistake that a real writer could make; with it, the practice
tenant's own account of what happened must differ from ours.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.ports.directory import ReadBack, SeatWriter, WriteResult

# Finds another person who has the same product directly, or is in the same group.
Stranger = Callable[[PersonId, ProductId | GroupId], Awaitable[PersonId]]

_SUCCESS: Final = WriteResult(status=204, request_id="rehearsal-fault", already_absent=False)


class _Passing:
    """Hands every call on as it is: a fault changes some of them."""

    def __init__(self, writer: SeatWriter, stranger: Stranger) -> None:
        self._writer = writer
        self._stranger = stranger

    async def turn(self, *, clicked: bool) -> None:
        await self._writer.turn(clicked=clicked)

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        return await self._writer.remove_direct(person, *products, client_request_id=client_request_id)

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return await self._writer.leave_group(person, group, client_request_id=client_request_id)

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        return await self._writer.assign_direct(person, product, disabled_plans, client_request_id=client_request_id)

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return await self._writer.join_group(person, group, client_request_id=client_request_id)

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return await self._writer.read_back(person, product)


class SkippingWriter(_Passing):
    """Makes no write and says that it went well."""

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        return _SUCCESS

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return _SUCCESS

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        return _SUCCESS

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        return _SUCCESS


class MistakenWriter(_Passing):
    """Takes the seat from another person."""

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        other = await self._stranger(person, products[0])
        return await super().remove_direct(other, *products, client_request_id=client_request_id)

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        other = await self._stranger(person, group)
        return await super().leave_group(other, group, client_request_id=client_request_id)


class BlindWriter(SkippingWriter):
    """Makes no call either, and reads back "gone" without looking."""

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        return ReadBack(seat=None, request_id=_SUCCESS.request_id)


FAULTS: Final[Mapping[str, Callable[[SeatWriter, Stranger], SeatWriter]]] = {
    "skip_write": SkippingWriter,
    "wrong_user": MistakenWriter,
    "no_readback": BlindWriter,
}
