"""Free and trial SKUs are left out by default: taking such a seat saves nothing, and its holder would be asked for nothing.

The default is an ordinary exclusion of the product, so that its seats are counted and explained as every excluded seat is.
Once somebody has ended it, it never comes back by itself.
"""

import structlog

from reclaim.domain.exclusions import Exclusion, ExclusionId, ExclusionKind, is_free
from reclaim.domain.ids import PersonId, RunId
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.exclude_seats import excluded_event

REASON = "Free or a trial: nothing is saved."
_log = structlog.get_logger(__name__)


class ExcludeFree:
    """Follows each completed sync, before its seats are judged."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def after_sync(self, run: RunId) -> None:
        """Leave out every free SKU that this tenant has and about which nobody has said anything yet."""
        async with self._work.read() as reading:
            free = sorted(sku.id for sku in (await reading.catalog.skus()).values() if is_free(sku.part_number))
            known = await reading.exclusions.ever(ExclusionKind.PRODUCT, free)
        new = [product for product in free if product not in known]
        if not new:
            return
        now = self._clock.now()
        async with self._work.write() as unit:
            # Looked at again: a second follow-up of the same run may have been here.
            known = await unit.exclusions.ever(ExclusionKind.PRODUCT, new)
            for product in new:
                if product in known:
                    continue
                made = Exclusion(
                    id=ExclusionId(self._tokens.new_id()),
                    kind=ExclusionKind.PRODUCT,
                    value=product,
                    reason=REASON,
                    by=PersonId(SYSTEM),
                    at=now,
                )
                await unit.exclusions.add(made)
                await unit.events.append(excluded_event(self._attest, made))
            await unit.commit()
        _log.info("free products left out", run=run, products=len(new))
