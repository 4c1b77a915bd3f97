"""Move open seats from one reviewer to another, as an administrator. It decides nothing, and never goes to the holder."""

from collections.abc import Callable, Sequence

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Campaign
from reclaim.domain.directory import Person
from reclaim.domain.ids import AssigneeId, CampaignId, ItemId
from reclaim.domain.moves import reassign
from reclaim.domain.read_models import Moved
from reclaim.domain.review import ReviewItem
from reclaim.domain.roles import Actor
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.chunks import CHUNK, in_chunks
from reclaim.services.find_person import find_group, find_person
from reclaim.services.move_items import shown_again, store_moves


class ReassignItems:
    """Moves all open seats of one reviewer, or those of one holder."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def of_reviewer(self, actor: Actor, campaign_id: CampaignId, reviewer: str, to: str) -> Moved:
        """Move every open seat that the reviewer, a person or a group, has in the campaign.

        A seat that the new reviewer holds stays, and is counted.

        Raises:
            NotFound, InvalidRequest: No such campaign, reviewer or person; nothing is open with the reviewer, or nothing
                of it may go to that person.
            Conflict: The campaign is not open.
        """
        async with self._work.read() as reading:
            await _campaign(reading, campaign_id)
            taker = await find_person(reading, to, field="to")
            at = await _reviewer(reading, campaign_id, reviewer)
            items = await reading.items.open_with(campaign_id, at)
        if not items:
            raise InvalidRequest(f"Nothing is open with “{reviewer.strip()}” in this campaign.", field="person")
        return await self._move(actor, campaign_id, items, taker, lambda item: item.assignee_id == at)

    async def of_holder(self, actor: Actor, campaign_id: CampaignId, holder: str, to: str) -> Moved:
        """Move the open seats of one holder.

        Raises:
            NotFound, InvalidRequest, Conflict: As `of_reviewer`; the holder has no open seat in the campaign.
        """
        async with self._work.read() as reading:
            await _campaign(reading, campaign_id)
            taker = await find_person(reading, to, field="to")
            person = await find_person(reading, holder, field="seat")
            items = [
                item
                for item in await reading.items.of_person(person.id)
                if item.campaign_id == campaign_id and item.answer is None
            ]
        if not items:
            raise InvalidRequest(f"No seat of {person.shown_name} is open in this campaign.", field="seat")
        return await self._move(actor, campaign_id, items, taker, lambda item: True)

    async def _move(
        self,
        actor: Actor,
        campaign_id: CampaignId,
        items: Sequence[ReviewItem],
        taker: Person,
        still: Callable[[ReviewItem], bool],
    ) -> Moved:
        own = [item.id for item in items if item.person_id == taker.id]
        already = [item.id for item in items if item.assignee_id == taker.id]
        go = [item.id for item in items if item.id not in {*own, *already}]
        if not go:
            # Nothing to move: the domain says why of the first.
            async with self._work.read() as reading:
                reassign(items[0], await _campaign(reading, campaign_id), to=taker, by=actor.id)
        moved = 0
        occasion = self._tokens.new_id()
        for some in in_chunks(go, CHUNK):
            moved += await self._chunk(actor, campaign_id, some, taker, still, occasion)
        stayed = (("holder", len(own)), ("already", len(already)))
        return Moved(
            seats=moved, to_name=taker.shown_name, stayed=tuple((why, number) for why, number in stayed if number)
        )

    async def _chunk(
        self,
        actor: Actor,
        campaign_id: CampaignId,
        ids: Sequence[ItemId],
        taker: Person,
        still: Callable[[ReviewItem], bool],
        occasion: str,
    ) -> int:
        async with self._work.write() as work:
            campaign = await _campaign(work, campaign_id)
            found = (await work.items.get_many(ids)).values()
            before = [item for item in found if item.answer is None and still(item)]
            after = [reassign(item, campaign, to=taker, by=actor.id) for item in before]
            await store_moves(work, self._attest, actor, after, EventKind.ITEM_REASSIGNED, now=self._clock.now())
            await shown_again(work, [*before, *after], f"{occasion}-{ids[0]}")
            await work.commit()
        return len(after)


async def _campaign(work: UnitOfWork, campaign_id: CampaignId) -> Campaign:
    campaign = await work.campaigns.get(campaign_id)
    if campaign is None:
        raise NotFound("There is no such campaign.")
    return campaign


async def _reviewer(reading: UnitOfWork, campaign_id: CampaignId, text: str) -> AssigneeId:
    """Return the reviewer that is meant: a person, or a group that has something open in this campaign."""
    try:
        person = await find_person(reading, text)
    except NotFound as nobody:
        try:
            group = await find_group(reading, text)
        except NotFound:
            raise nobody from None
        return group
    return person.id
