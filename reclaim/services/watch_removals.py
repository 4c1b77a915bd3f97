"""The sentinel: after each sync, removed seats that are there again are found, named and taken out of the savings.

A run of changes has read some people anew: of all others its rows are from before, and say nothing of what was removed since.

What our own restore gave back is no re-grant. Each removal is reversed once, for ever: a second return saves nothing more.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.directory import Seat
from reclaim.domain.ids import CampaignId, ItemId, RunId, SeatId
from reclaim.domain.restore import Restore, RestoreState, Returned, Reversal, came_back
from reclaim.domain.review import ReviewItem
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import CHUNK
from reclaim.services.jobs import came_back_job
from reclaim.services.settle import TAKES_EFFECT_WITHIN
from reclaim.services.write_restores import tell_reversal

log = structlog.get_logger(__name__)


class WatchRemovals:
    """Compares verified removals with what a sync has read."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def after_sync(self, run_id: RunId) -> None:
        """Reverse what is there again. Called again for the same run, it goes on where it stopped and tells nobody twice."""
        async with self._work.read() as work:
            run = await work.syncs.get(run_id)
        if run is None or run.completed_at is None:
            return
        after: ItemId | None = None
        found: set[CampaignId] = set()
        while True:
            async with self._work.read() as work:
                ids = await work.restores.there_again(run_id, before=run.started_at, after=after, limit=CHUNK)
                items = list((await work.items.get_many(ids)).values())
                seats = await work.seats.get_many(item.seat_id for item in items)
                restores = await work.restores.of_items(ids)
            if not ids:
                break
            after = ids[-1]
            back = [
                (item, reversal)
                for item in items
                if (reversal := self._returned(item, seats, restores.get(item.id), run_id, run.started_at)) is not None
            ]
            found |= await self._reverse(back, run_id)
        if found:
            log.warning("removed seats are there again", run=run_id, campaigns=len(found))

    def _returned(
        self,
        item: ReviewItem,
        seats: dict[SeatId, Seat],
        restore: Restore | None,
        run_id: RunId,
        read_at: datetime,
    ) -> Reversal | None:
        seat = seats.get(item.seat_id)
        if seat is None or item.verified_at is None:
            return None
        if restore is not None and restore.state is RestoreState.RESTORING:
            return None  # its own end says what it gave back
        through = came_back(
            item.snapshot.paths, seat, verified_at=item.verified_at, read_at=read_at, lags=TAKES_EFFECT_WITHIN
        )
        if not through:
            return None
        ours = restore is not None and restore.wrote
        return Reversal(
            item_id=item.id,
            campaign_id=item.campaign_id,
            how=Returned.RESTORED if ours else Returned.REGRANTED,
            at=self._clock.now(),
            through=through,
            run_id=run_id,
        )

    async def _reverse(self, back: Sequence[tuple[ReviewItem, Reversal]], run_id: RunId) -> set[CampaignId]:
        """Store, attest and let be told, in one transaction; return the campaigns of which something was new."""
        told: set[CampaignId] = set()
        if not back:
            return told
        async with self._work.write() as work:
            for item, reversal in back:
                if not await work.restores.reverse(reversal):
                    continue
                await tell_reversal(work, item.id, item.id)
                if reversal.how is Returned.REGRANTED:
                    await work.events.append(self._found(item, reversal, run_id))
                    told.add(item.campaign_id)
            for campaign in told:
                await work.enqueue(came_back_job(campaign, run_id))
            await work.commit()
        return told

    def _found(self, item: ReviewItem, reversal: Reversal, run_id: RunId) -> Event:
        return self._attest.event(
            EventKind.REGRANT_FOUND,
            actor=SYSTEM,
            campaign=item.campaign_id,
            item=item.id,
            facts={
                "run": run_id,
                "sku": item.product_id,
                "through": reversal.through[0],
                "ways": len(reversal.through),
            },
        )
