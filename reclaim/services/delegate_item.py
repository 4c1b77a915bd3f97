"""Hand open seats to someone better placed, and take them back while they are open. A delegation decides nothing."""

from collections.abc import Sequence

from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import AssigneeId, ItemId, PersonId
from reclaim.domain.policy import Policy
from reclaim.domain.review import ReviewItem, delegate, take_back
from reclaim.domain.roles import Actor
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.jobs import list_job, wave_job
from reclaim.services.naming import members_of, names_of


class DelegateItem:
    """Moves items between people; the new assignee gets their list at once."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def delegate(self, actor: Actor, items: Sequence[ItemId], to: PersonId, reason: str, *, idem_key: str) -> int:
        """Hand the items to `to`, all or none; return how many. The same click twice moves them once.

        Raises:
            InvalidRequest, NotAuthorized, Conflict, NotFound: As `domain.review.delegate`.
        """
        if not items:
            raise InvalidRequest("Tick at least one seat.")
        async with self._work.write() as work:
            if not await work.controls.once(f"delegate:{idem_key}", at=self._clock.now()):
                return len(items)
            person = await work.people.get(to) if to else None
            if person is None or person.gone_at is not None:
                raise InvalidRequest("Please pick a person from the list.", field="who")
            found = await work.items.get_many(items)
            for item_id in dict.fromkeys(items):
                item = found.get(item_id)
                campaign = await work.campaigns.get(item.campaign_id) if item else None
                if item is None or campaign is None:
                    raise NotFound("This seat is no longer here.")
                moved = delegate(
                    item,
                    campaign,
                    actor,
                    to=person,
                    reason=reason,
                    names=await _names(work, item),
                    members=await members_of(work, [item]),
                )
                await self._store(work, actor, moved, EventKind.ITEM_DELEGATED, reason)
            for campaign_id in {item.campaign_id for item in found.values()}:
                await work.enqueue(wave_job(campaign_id, to, self._tokens.new_id()))
            await work.commit()
        return len(found)

    async def take_back(self, actor: Actor, item_id: ItemId, *, idem_key: str) -> None:
        """Return an item that the actor passed on and that is still open.

        Raises:
            NotAuthorized, Conflict, NotFound: As `domain.review.take_back`.
        """
        async with self._work.write() as work:
            if not await work.controls.once(f"take_back:{idem_key}", at=self._clock.now()):
                return
            item = (await work.items.get_many([item_id])).get(item_id)
            campaign = await work.campaigns.get(item.campaign_id) if item else None
            if item is None or campaign is None:
                raise NotFound("This seat is no longer here.")
            back = take_back(item, campaign, actor, await work.items.history(item_id))
            await self._store(work, actor, back, EventKind.ITEM_TAKEN_BACK, None)
            if item.assignee_id is not None:
                await work.enqueue(
                    list_job(item.campaign_id, item.assignee_id, item.assignee_kind, self._tokens.new_id())
                )
            await work.commit()

    async def _store(
        self, work: UnitOfWork, actor: Actor, moved: ReviewItem, kind: EventKind, reason: str | None
    ) -> None:
        await work.items.save(moved)
        await work.items.record_assignment(
            moved, by=actor.id, how=moved.assigned_how, reason=reason, at=self._clock.now()
        )
        await work.events.append(
            self._attest.event(
                kind,
                actor=actor.id,
                campaign=moved.campaign_id,
                item=moved.id,
                facts={"to": moved.assignee_id, "handovers": moved.handovers, "channel": actor.channel},
                personal={"reason": reason} if reason else None,
            )
        )


async def _names(work: UnitOfWork, item: ReviewItem) -> dict[AssigneeId, str]:
    return await names_of(work, [item.assignee_id])
