"""Let the removals of a campaign go on after a freeze or a limit, a few in each transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import CampaignId, OrderId
from reclaim.domain.orders import OrderState, RemovalOrder
from reclaim.domain.review import Waiting
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.chunks import CHUNK
from reclaim.services.jobs import writeback_jobs
from reclaim.services.settle import close_if_settled


class ReleaseOrders:
    """The handler of release jobs. A campaign that is stopped again meanwhile is left as it is then."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def handle(self, job: Job) -> None:
        """Give every order that waits a new attempt that is due now.

        Running it again may give one a further attempt; the one before then changes nothing more.
        """
        campaign_id, version = CampaignId(str(job.args["campaign"])), int(job.args["version"])
        now = self._clock.now()
        after: OrderId | None = None
        while True:
            async with self._work.write() as work:
                campaign = await work.campaigns.get(campaign_id)
                if campaign is None or campaign.state is not CampaignState.APPLYING or campaign.version != version:
                    return
                states = [OrderState.READY, OrderState.FROZEN]
                orders = await work.orders.page(campaign_id, states, after=after, limit=CHUNK)
                if not orders:
                    # What was verified meanwhile may have been the last of it.
                    await close_if_settled(work, self._attest, campaign_id, now=now)
                    await work.commit()
                    return
                await _release(work, orders, now)
                await work.commit()
            after = orders[-1].id


async def _release(work: UnitOfWork, orders: Sequence[RemovalOrder], now: datetime) -> None:
    items = await work.items.get_many(step.item_id for order in orders for step in order.steps)
    frozen = [item for item in items.values() if item.waiting is Waiting.FROZEN and item.outcome is None]
    await work.items.save_progress([replace(item, waiting=Waiting.QUEUED, version=item.version + 1) for item in frozen])
    ready = [
        replace(
            order,
            state=OrderState.READY,
            not_before=now,
            attempt=order.attempt + 1,
            checks=0,
            version=order.version + 1,
        )
        for order in orders
    ]
    await work.orders.save_many(ready)
    for job in writeback_jobs(ready):
        await work.enqueue(job)
