"""What a look at a tenant found: waste, what nobody holds, what could not be judged, and when contracts renew."""

from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ScanReport, SeatFilter, SeatRow
from reclaim.errors import Conflict
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock
from reclaim.services.read_seats import ReadSeats
from reclaim.services.read_spend import ReadSpend


class ReadScan:
    """Answers with one report over the newest complete reading."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy, spend: ReadSpend, seats: ReadSeats) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._spend = spend
        self._seats = seats

    async def report(self, *, names: bool) -> ScanReport:
        """Return the report; with `names` also every idle seat and who holds it.

        Raises:
            Conflict: The tenant was never read completely.
        """
        async with self._work.read() as reading:
            run = await reading.syncs.newest_complete()
            verdicts = await reading.findings.verdicts()
            requests = await reading.syncs.requests(run.id) if run is not None else []
            usage = await reading.workload_use.readings()
        if run is None or run.completed_at is None:
            raise Conflict("The tenant was never read completely, so there is nothing to report.")
        return ScanReport(
            spend=await self._spend.report(),
            verdicts=tuple(sorted(verdicts.items(), key=lambda pair: (-pair[1], pair[0]))),
            people=run.people,
            seats=run.seats,
            sign_ins=run.sign_ins,
            requests=len(requests),
            read_from=run.started_at,
            read_to=run.completed_at,
            zone=self._policy.zone,
            rows=await self._rows() if names else None,
            usage=tuple(usage),
        )

    async def _rows(self) -> tuple[SeatRow, ...]:
        where = SeatFilter(days=self._policy.idle_days)
        found: list[SeatRow] = []
        number, pages = 1, 1
        while number <= pages:
            page = await self._seats.page(where, number)
            found += page.rows
            number, pages = number + 1, page.pages
        return tuple(found)
