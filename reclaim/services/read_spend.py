"""Read recoverable spend by SKU."""

from functools import reduce

from reclaim.domain.calendar import local_day
from reclaim.domain.idle import NotIdleWhy
from reclaim.domain.ids import ProductId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import PopulationView, SpendReport
from reclaim.domain.savings import Savings, SeatGroup, Stage, savings_of
from reclaim.domain.spend import spend_report
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import SyncRun, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.exclusion_views import view_exclusions
from reclaim.services.freshness import data_age, gives_sign_ins
from reclaim.services.read_population import population


class ReadSpend:
    """Answers "what do idle seats cost?"."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

    async def report(self, days: int | None = None) -> SpendReport:
        """Return recoverable spend for seats idle for `days`, by default the policy's window.

        Where the tenant gives no sign-in data the report is `blocked` and counts disabled accounts only: the scan
        judged nothing else.

        Raises:
            InvalidRequest: A window out of 30 to 730 days.
        """
        window = check_window(self._policy.idle_days if days is None else days)
        now = self._clock.now()
        async with self._work.read() as reading:
            newest = await reading.syncs.newest_complete()
            read = await reading.syncs.newest_read()
            verdicts = await reading.findings.verdicts()
            held_by = await reading.findings.excluded(days=window, now=now)
            return spend_report(
                days=window,
                idle=await reading.findings.tally(days=window, now=now),
                held=await _held(reading, newest),
                unknown=verdicts.get(NotIdleWhy.UNKNOWN.value, 0),
                skus=await reading.catalog.skus(),
                prices=await reading.catalog.prices(now),
                data=data_age(newest, now, self._policy.data_max_age, newest_read=read),
                blocked=newest is not None and not gives_sign_ins(newest),
                excluded=await view_exclusions(reading, held_by),
                today=local_day(now, self._policy.zone),
                reclaimed=await reading.savings.reclaimed(),
                savings=await _savings(reading),
            )

    async def population(self, product: ProductId, days: int | None = None) -> PopulationView:
        """Return what became of every seat of a product that was read.

        Raises:
            InvalidRequest: A window out of 30 to 730 days.
            NotFound: No seat of it was read.
        """
        window, now = check_window(self._policy.idle_days if days is None else days), self._clock.now()
        async with self._work.read() as reading:
            rows = await population(reading, days=window, now=now, products=[product])
            newest = await reading.syncs.newest_complete()
        if not rows:
            raise NotFound("No seat of this SKU has been read.")
        return PopulationView(row=rows[0], days=window, data=data_age(newest, now, self._policy.data_max_age), now=now)


async def _savings(reading: UnitOfWork) -> Savings:
    back = await reading.restores.reversal_figures()
    return savings_of(
        (
            SeatGroup(
                outcome=one.outcome,
                choice=one.choice,
                waiting=one.waiting,
                not_sure=one.second_look,
                seats=one.items,
                monthly=one.monthly,
            )
            for one in await reading.items.figures()
        ),
        realised=await reading.savings.realised_stage(),
        reversed_=reduce(Stage.plus, (Stage(seats=one.items, monthly=one.monthly) for one in back), Stage()),
    )


async def _held(reading: UnitOfWork, newest: SyncRun | None) -> dict[ProductId, int]:
    """Return seats held per product. The scan has counted them; between a sync and its scan they are counted anew."""
    scan = await reading.scans.newest()
    if scan is not None and newest is not None and scan.run_id == newest.id:
        return await reading.findings.held()
    return await reading.seats.held()


def check_window(days: int) -> int:
    """Return the window if findings can answer it.

    Raises:
        InvalidRequest: It is out of 30 to 730 days.
    """
    if not 30 <= days <= 730:
        raise InvalidRequest("Please choose between 30 and 730 days.", field="days")
    return days
