from collections.abc import Collection

from reclaim.connectors.faulty_writer import FAULTS
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.ports.directory import ReadBack, SeatWriter, WriteResult

ADA, GRACE = PersonId("ada"), PersonId("grace")
VISIO, GROUP = ProductId("visio"), GroupId("group")


class Recording:
    """A writer that notes the calls that reach the directory."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []

    async def turn(self, *, clicked: bool) -> None:
        pass

    async def remove_direct(self, person: PersonId, *products: ProductId, client_request_id: str) -> WriteResult:
        self.calls.append(("remove", person, products[0]))
        return WriteResult(status=200, request_id="real", already_absent=False)

    async def leave_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        self.calls.append(("leave", person, group))
        return WriteResult(status=204, request_id="real", already_absent=False)

    async def assign_direct(
        self, person: PersonId, product: ProductId, disabled_plans: Collection[str], *, client_request_id: str
    ) -> WriteResult:
        self.calls.append(("assign", person, product))
        return WriteResult(status=200, request_id="real", already_absent=False)

    async def join_group(self, person: PersonId, group: GroupId, *, client_request_id: str) -> WriteResult:
        self.calls.append(("join", person, group))
        return WriteResult(status=204, request_id="real", already_absent=False)

    async def read_back(self, person: PersonId, product: ProductId) -> ReadBack:
        self.calls.append(("read", person, product))
        return ReadBack(seat=None, request_id="real")


async def grace_instead(person: PersonId, of: ProductId | GroupId) -> PersonId:
    return GRACE


async def calls_with(fault: str) -> list[tuple[str, str, str]]:
    """Return what reaches the directory when Ada's seat and membership are taken and read back."""
    real = Recording()
    writer: SeatWriter = FAULTS[fault](real, grace_instead)
    removed = await writer.remove_direct(ADA, VISIO, client_request_id="c1")
    left = await writer.leave_group(ADA, GROUP, client_request_id="c2")
    await writer.read_back(ADA, VISIO)
    assert (removed.status in (200, 204), left.status) == (True, 204), "a fault looks like success"
    return real.calls


async def test_skip_write_makes_no_call_but_reads_back() -> None:
    assert await calls_with("skip_write") == [("read", "ada", "visio")]


async def test_wrong_user_takes_the_seat_from_somebody_else() -> None:
    assert await calls_with("wrong_user") == [
        ("remove", "grace", "visio"),
        ("leave", "grace", "group"),
        ("read", "ada", "visio"),
    ]


async def test_a_writer_that_skips_gives_nothing_back_either() -> None:
    real = Recording()
    writer = FAULTS["skip_write"](real, grace_instead)

    await writer.assign_direct(ADA, VISIO, (), client_request_id="c1")
    await writer.join_group(ADA, GROUP, client_request_id="c2")

    assert real.calls == []


async def test_no_readback_makes_no_call_at_all_and_reads_gone() -> None:
    assert await calls_with("no_readback") == []
    assert (await FAULTS["no_readback"](Recording(), grace_instead).read_back(ADA, VISIO)).seat is None
