"""The practice tenant as the browser chat of a rehearsal sees it: its calendar, and what stands beside the chat.

Implements the Protocols of `bot.web.watch`. The tenant itself is behind a Protocol, because its address is a connector's.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from bot.web.watch import CampaignNumbers, GraphCall, PanelNumbers, SkuBar
from cards import formats
from reclaim.domain.campaign import CampaignState
from reclaim.domain.read_models import Campaigns, SkuSpend, SpendReport
from reclaim.ports.engine import Engine
from reclaim.ports.system import Clock

_GUID: Final = re.compile(r"([0-9a-f]{4})[0-9a-f]{4}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TICKS_AT_ONCE: Final = 5


class Call(Protocol):
    """A request that the practice tenant answered; `status` None if the connection was cut."""

    @property
    def seq(self) -> int:
        """Rises by one with every call."""
        ...

    @property
    def method(self) -> str:
        """HTTP method."""
        ...

    @property
    def path(self) -> str:
        """With its query."""
        ...

    @property
    def status(self) -> int | None:
        """HTTP status."""
        ...


class Tenant(Protocol):
    """What can be asked of the practice tenant without filling its log."""

    async def move_clock(self, now: datetime) -> None:
        """Step the tenant's calendar forward."""
        ...

    async def calls(self, after: int) -> Sequence[Call]:
        """Return the calls behind that number, oldest first."""
        ...


class Due(Protocol):
    """`reclaim.services.due_work.DueWork`, as far as a clock needs it."""

    async def tick(self) -> tuple[str, ...]:
        """Enqueue all that is due and return what was."""
        ...

    async def next_due(self, until: datetime) -> datetime | None:
        """Return the next due instant after now and up to `until`."""
        ...


class Campaigning(Protocol):
    """`reclaim.services.read_status.ReadStatus`, as far as the page needs it."""

    async def campaigns(self) -> Campaigns:
        """Return all campaigns, newest first."""
        ...


class Spending(Protocol):
    """`reclaim.services.read_spend.ReadSpend`, as far as the page needs it."""

    async def report(self) -> SpendReport:
        """Return recoverable spend for the usual window."""
        ...


class Calendar:
    """Moves the product's time and the tenant's together, and lives through what falls due on the way.

    Args:
        tenant: Whose data's dates follow.
        step: Sets the product's clock forward.
        clock: The product's clock.
        engine: Started.
        due: What falls due, and when.
        status: Where campaigns stand.
    """

    def __init__(
        self,
        *,
        tenant: Tenant,
        step: Callable[[datetime], None],
        clock: Clock,
        engine: Engine,
        due: Due,
        status: Campaigning,
    ) -> None:
        self._tenant = tenant
        self._step = step
        self._clock = clock
        self._engine = engine
        self._due = due
        self._status = status

    def now(self) -> datetime:
        """Return the calendar time, aware UTC."""
        return self._clock.now()

    async def advance(self, by: timedelta) -> tuple[str, ...]:
        """Move on, stopping at each due instant; return what happened, one sentence each."""
        target = self.now() + by
        told: list[str] = []
        while self.now() < target:
            await self._move_to(await self._due.next_due(target) or target)
            told += await self._live()
        return _counted(told)

    async def to_closing(self) -> tuple[str, ...]:
        """Move to the close of the next campaign to close; say so if there is none."""
        campaigns = await self._status.campaigns()
        closing = [each.closes_at for each in campaigns.rows if each.state is CampaignState.OPEN]
        if not closing:
            return ("No campaign is open.",)
        return await self.advance(min(closing) - self.now())

    async def _move_to(self, moment: datetime) -> None:
        await self._tenant.move_clock(moment)  # first: our time never runs ahead of the data's
        self._step(moment)

    async def _live(self) -> list[str]:
        """Tick until nothing more falls due at this instant: work that is done may make other work due."""
        told: list[str] = []
        for _ in range(_TICKS_AT_ONCE):
            said = await self._due.tick()
            await self._engine.idle()
            told += [each for each in said if each not in told]
            if not said:
                break
        return told


def _counted(told: Sequence[str]) -> tuple[str, ...]:
    """Return each sentence once, with its number where it was said more often: ten days are ten readings."""
    return tuple(
        sentence if times == 1 else f"{sentence.removesuffix('.')}, {times} times."
        for sentence, times in Counter(told).items()
    )


class Watch:
    """Numbers from our own database, calls from the tenant's log."""

    def __init__(self, *, tenant: Tenant, spend: Spending, status: Campaigning, clock: Clock) -> None:
        self._tenant = tenant
        self._spend = spend
        self._status = status
        self._clock = clock

    async def calls(self, after: int) -> list[GraphCall]:
        """Return the tenant's log behind that number, ids shortened."""
        return [
            GraphCall(
                seq=call.seq,
                method=call.method,
                path=_GUID.sub(r"\1…", call.path.partition("?")[0]),
                status=call.status,
                full=call.path,
                note="The connection was cut." if call.status is None else None,
            )
            for call in await self._tenant.calls(after)
        ]

    async def panel(self) -> PanelNumbers:
        """Return the numbers of the tenant panel."""
        spend = await self._spend.report()
        dearest = max((row.recoverable.minor for row in spend.rows if row.recoverable), default=0)
        return PanelNumbers(
            idle=spend.idle,
            held=spend.held,
            recoverable=formats.amounts(spend.total, whole=True) or "No price",
            read=f"read {formats.age(spend.data.as_of, self._clock.now())}" if spend.data.as_of else "not read yet",
            skus=tuple(_bar(row, dearest) for row in spend.rows if row.idle),
            campaign=await self._campaign(),
        )

    async def _campaign(self) -> CampaignNumbers | None:
        campaigns = (await self._status.campaigns()).rows
        if not campaigns:
            return None
        newest = campaigns[0]
        answered = formats.number(newest.items - newest.open)
        return CampaignNumbers(
            name=newest.name,
            revoke=newest.revoke,
            keep=newest.keep,
            not_sure=newest.not_sure,
            open=newest.open,
            state=f"{answered} of {formats.number(newest.items)} answered",
            phase=newest.state.value,
        )


def _bar(row: SkuSpend, dearest: int) -> SkuBar:
    if row.recoverable is None:
        return SkuBar(name=row.name, share=None, unpriced=row.idle)
    share = row.recoverable.minor / dearest if dearest else 0
    return SkuBar(name=row.name, share=share, amount=formats.whole_money(row.recoverable))
