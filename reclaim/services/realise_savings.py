"""After each reading: which verified savings are realised now, because an order has become smaller at its renewal."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.ids import ItemId, RunId
from reclaim.domain.policy import Policy
from reclaim.domain.savings import VerifiedSeat, by_product, realise
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import CHUNK, in_chunks

_log = structlog.get_logger(__name__)


class RealiseSavings:
    """Keeps `realised_savings` as `domain.savings.realise` says, and attests every change."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def after_sync(self, run: RunId) -> None:
        """Compare the orders with what was verified gone. Doing it again changes nothing."""
        now = self._clock.now()
        async with self._work.write() as unit:
            prices = await unit.catalog.prices(now)
            days = {product: price.renews_on for product, price in prices.items() if price.renews_on is not None}
            await unit.savings.note_renewals(days, at=now)
            await unit.commit()
        async with self._work.read() as reading:
            pools = await reading.savings.pools()
            renewals = await reading.savings.renewals()
            stored = await reading.savings.realised()
            # An order that never changed has realised nothing.
            changed = [product for product, changes in pools.items() if len(changes) > 1]
            seats = by_product(await reading.savings.verified(changed))
        wanted: dict[ItemId, datetime] = {}
        for product, some in seats.items():
            wanted |= realise(some, pools[product], renewals.get(product, ()), self._policy.zone)
        known = {seat.item_id: seat for some in seats.values() for seat in some}
        await self._put(run, known, {item: at for item, at in wanted.items() if item not in stored}, now)
        await self._take_back(run, known, [item for item in stored if item not in wanted], now)

    async def _put(
        self, run: RunId, known: Mapping[ItemId, VerifiedSeat], new: Mapping[ItemId, datetime], now: datetime
    ) -> None:
        for some in in_chunks(sorted(new), CHUNK):
            async with self._work.write() as unit:
                await unit.savings.put([(known[item], new[item]) for item in some])
                await unit.events.append(
                    *(
                        self._attest.event(
                            EventKind.SAVING_REALISED,
                            actor=SYSTEM,
                            campaign=known[item].campaign_id,
                            item=item,
                            facts=_facts(run, known[item]),
                            at=now,
                        )
                        for item in some
                    )
                )
                await unit.commit()
        if new:
            _log.info("savings realised", run=run, seats=len(new))

    async def _take_back(
        self, run: RunId, known: Mapping[ItemId, VerifiedSeat], old: list[ItemId], now: datetime
    ) -> None:
        for some in in_chunks(sorted(old), CHUNK):
            async with self._work.write() as unit:
                await unit.savings.take_back(some)
                items = await unit.items.get_many(some)
                await unit.events.append(
                    *(
                        self._attest.event(
                            EventKind.SAVING_TAKEN_BACK,
                            actor=SYSTEM,
                            campaign=item.campaign_id,
                            item=item.id,
                            facts={"run": run, "product": item.product_id},
                            at=now,
                        )
                        for item in items.values()
                    )
                )
                await unit.commit()
        if old:
            _log.info("savings no longer realised", run=run, seats=len(old))


def _facts(run: RunId, seat: VerifiedSeat) -> dict[str, Fact]:
    return {
        "run": run,
        "product": seat.product_id,
        "monthly_minor": seat.monthly.minor if seat.monthly else None,
        "currency": seat.monthly.currency if seat.monthly else None,
    }
