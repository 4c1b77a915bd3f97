"""Hand open seats to someone better placed, take them back, and give them back. A delegation decides nothing."""

from collections.abc import Iterable, Sequence

from reclaim.domain.attestation import EventKind
from reclaim.domain.directory import Person
from reclaim.domain.ids import GroupId, ItemId, PersonId
from reclaim.domain.moves import MAX_HANDOVERS, delegate, give_back, take_back
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import Moved
from reclaim.domain.review import ReviewItem
from reclaim.domain.roles import Actor
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.chunks import CHUNK, in_chunks
from reclaim.services.move_items import shown_again, store_moves
from reclaim.services.naming import members_of, names_of


class DelegateItem:
    """Moves items between people; whoever they concern gets their list at once."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def delegate(
        self,
        actor: Actor,
        items: Sequence[ItemId],
        to: PersonId,
        reason: str,
        *,
        idem_key: str,
        others: bool = False,
    ) -> Moved:
        """Hand the items to `to`, all or none. The same click twice moves them once.

        Args:
            others: Also every other open seat that the actor has in the same campaign. Of these, one that `to` holds and
                one that was passed on three times stay, and are counted.

        Raises:
            InvalidRequest, NotAuthorized, Conflict, NotFound: As `domain.review.delegate`.
        """
        if not items:
            raise InvalidRequest("Tick at least one seat.")
        async with self._work.write() as work:
            if not await work.controls.once(f"delegate:{idem_key}", at=self._clock.now()):
                return Moved(seats=len(items))
            person = await work.people.get(to) if to else None
            if person is None or person.gone_at is not None:
                raise InvalidRequest("Please pick a person from the list.", field="who")
            found = await work.items.get_many(items)
            if len(found) < len(set(items)):
                raise NotFound("This seat is no longer here.")
            await self._hand_over(work, actor, found.values(), person, reason)
            await work.commit()
        if not others:
            return Moved(seats=len(found))
        return await self._hand_over_others(actor, frozenset(found), next(iter(found.values())), person, reason)

    async def take_back(self, actor: Actor, item_id: ItemId, *, idem_key: str) -> None:
        """Return an item that the actor passed on and that is still open, to where it came from.

        Raises:
            NotAuthorized, Conflict, NotFound: As `domain.review.take_back`.
        """
        async with self._work.write() as work:
            if not await work.controls.once(f"take_back:{idem_key}", at=self._clock.now()):
                return
            item = await _item(work, item_id)
            campaign = await work.campaigns.get(item.campaign_id)
            if campaign is None:
                raise NotFound("This seat is no longer here.")
            back = take_back(item, campaign, actor, await work.items.history(item_id))
            await self._store(work, actor, [item], [back], EventKind.ITEM_TAKEN_BACK)
            await work.commit()

    async def give_back(self, actor: Actor, item_id: ItemId, *, idem_key: str) -> str:
        """Return an item to who passed it on to the actor, or to their group; return the name of who has it now.

        Raises:
            NotAuthorized, Conflict, NotFound: As `domain.review.give_back`.
        """
        async with self._work.write() as work:
            item = await _item(work, item_id)
            campaign = await work.campaigns.get(item.campaign_id)
            if campaign is None:
                raise NotFound("This seat is no longer here.")
            names = await names_of(work, [item.assignee_id, item.delegated_by, item.moved_from])
            if not await work.controls.once(f"give_back:{idem_key}", at=self._clock.now()):
                return names.get(item.assignee_id, "") if item.assignee_id else ""
            history = await work.items.history(item_id)
            back = give_back(item, campaign, actor, history, can_take=await _can_take(work, item), names=names)
            await self._store(work, actor, [item], [back], EventKind.ITEM_GIVEN_BACK)
            await work.commit()
        return names.get(back.assignee_id, "someone else") if back.assignee_id else "someone else"

    async def _hand_over(
        self, work: UnitOfWork, actor: Actor, items: Iterable[ReviewItem], to: Person, reason: str
    ) -> None:
        before = list(items)
        campaigns = {one: await work.campaigns.get(one) for one in {item.campaign_id for item in before}}
        names = await names_of(work, (item.assignee_id for item in before))
        members = await members_of(work, before)
        after = []
        for item in before:
            campaign = campaigns[item.campaign_id]
            if campaign is None:
                raise NotFound("This seat is no longer here.")
            after.append(delegate(item, campaign, actor, to=to, reason=reason, names=names, members=members))
        await self._store(work, actor, before, after, EventKind.ITEM_DELEGATED, reason=reason)

    async def _hand_over_others(
        self, actor: Actor, done: frozenset[ItemId], one: ReviewItem, to: Person, reason: str
    ) -> Moved:
        async with self._work.read() as work:
            members = {group: {actor.id} for group in await work.people.groups_of(actor.id)}
            listed = await work.items.for_reviewer(one.campaign_id, actor.id)
        left = [
            item for item in listed if item.answer is None and item.id not in done and item.is_with(actor.id, members)
        ]
        stays = {
            "holder": [item.id for item in left if item.person_id == to.id],
            "handovers": [item.id for item in left if item.person_id != to.id and item.handovers >= MAX_HANDOVERS],
        }
        go = [item.id for item in left if not any(item.id in some for some in stays.values())]
        moved = len(done)
        for ids in in_chunks(go, CHUNK):
            async with self._work.write() as work:
                # Read again: one that was answered or moved a moment ago is no longer the actor's to pass on.
                some = (await work.items.get_many(ids)).values()
                still = [item for item in some if item.answer is None and item.is_with(actor.id, members)]
                await self._hand_over(work, actor, still, to, reason)
                await work.commit()
            moved += len(still)
        return Moved(seats=moved, stayed=tuple((why, len(some)) for why, some in stays.items() if some))

    async def _store(
        self,
        work: UnitOfWork,
        actor: Actor,
        before: Sequence[ReviewItem],
        after: Sequence[ReviewItem],
        kind: EventKind,
        *,
        reason: str | None = None,
    ) -> None:
        await store_moves(work, self._attest, actor, after, kind, now=self._clock.now(), reason=reason)
        # Who passes something on sees it on the card that was clicked; all others are shown it.
        await shown_again(work, [*before, *after], self._tokens.new_id(), but=actor.id)


async def _item(work: UnitOfWork, item_id: ItemId) -> ReviewItem:
    item = (await work.items.get_many([item_id])).get(item_id)
    if item is None:
        raise NotFound("This seat is no longer here.")
    return item


async def _can_take(work: UnitOfWork, item: ReviewItem) -> bool:
    """Whether somebody is there to whom the item can go back."""
    if item.delegated_by is None:
        return False
    if item.moved_from is None or item.moved_from == item.delegated_by:
        person = await work.people.get(item.delegated_by)
        return person is not None and person.can_review
    group = GroupId(item.moved_from)
    members = await work.people.reviewers_in([group])
    return bool(members.get(group, frozenset()) - {item.person_id})
