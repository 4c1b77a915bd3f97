"""Ask holders who sign in again whether they want their seat back: once per removal, within the undo window."""

from collections.abc import Sequence
from datetime import datetime

from reclaim.domain.attestation import EventKind
from reclaim.domain.exclusions import ExclusionKind, strongest
from reclaim.domain.ids import ItemId, RunId
from reclaim.domain.policy import Policy
from reclaim.domain.restore import AskBack
from reclaim.domain.review import ReviewItem
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import JOBS
from reclaim.services.jobs import ask_back_job


class AskBackHolders:
    """Looks at each complete sync's sign-ins."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def after_sync(self, run_id: RunId) -> None:
        """Ask whoever signed in after their removal. Called again for the same run, it asks nobody twice."""
        async with self._work.read() as work:
            run = await work.syncs.get(run_id)
        if run is None or run.completed_at is None:
            return
        since = self._clock.now() - self._policy.undo_window
        after: ItemId | None = None
        while True:
            async with self._work.read() as work:
                found = await work.restores.signed_in_again(run_id, since=since, after=after, limit=JOBS)
                items = await work.items.get_many(item for item, _ in found)
                asked = await self._not_excluded(work, [(items[item], at) for item, at in found])
            if not found:
                return
            after = found[-1][0]
            await self._ask(asked)

    async def _not_excluded(
        self, work: UnitOfWork, found: Sequence[tuple[ReviewItem, datetime]]
    ) -> list[tuple[ReviewItem, datetime]]:
        """Leave out whom an exclusion holds by now: nobody is asked about them any more."""
        now = self._clock.now()
        # Who signed in again is back, whatever a list of absences says.
        exclusions = [one for one in await work.exclusions.counting(now) if one.kind is not ExclusionKind.AWAY]
        people = await work.people.get_many({item.person_id for item, _ in found})
        by_list = await work.people_lists.naming(people, now)
        return [
            (item, at)
            for item, at in found
            if item.person_id in people
            and strongest(
                exclusions,
                people[item.person_id],
                item.product_id,
                now,
                by_list.get(item.person_id, frozenset()),
            )
            is None
        ]

    async def _ask(self, found: Sequence[tuple[ReviewItem, datetime]]) -> None:
        if not found:
            return
        async with self._work.write() as work:
            now = self._clock.now()
            for item, at in found:
                asked = AskBack(
                    item_id=item.id,
                    campaign_id=item.campaign_id,
                    person_id=item.person_id,
                    signed_in_at=at,
                    asked_at=now,
                )
                if not await work.restores.ask_back(asked):
                    continue
                await work.events.append(
                    self._attest.event(
                        EventKind.ASKED_BACK,
                        actor=SYSTEM,
                        campaign=item.campaign_id,
                        item=item.id,
                        facts={"sku": item.product_id, "signed_in_ms": int(at.timestamp() * 1000)},
                    )
                )
                await work.enqueue(ask_back_job(item.id, "asked"))
            await work.commit()
