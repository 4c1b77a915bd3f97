"""Ask for removed seats to be given back: an admin or license manager by undo, a holder on a card.

`WriteRestores` carries it out.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from reclaim.domain.attestation import EventKind
from reclaim.domain.campaign import Campaign, WriteMode
from reclaim.domain.ids import CampaignId, ItemId, PersonId, RestoreId, SeatId
from reclaim.domain.money import Total
from reclaim.domain.orders import RemovalOrder
from reclaim.domain.policy import Policy
from reclaim.domain.removal import Outcome, StepKind
from reclaim.domain.restore import (
    AskedHow,
    Restore,
    RestoreKind,
    RestoreState,
    RestoreStep,
    Reversal,
    check_restorable,
)
from reclaim.domain.restore_views import AskBackView, RestoreLine, RestorePreview, RestoresView
from reclaim.domain.review import ReviewItem
from reclaim.domain.roles import RUN_AS_A_PERSON, Actor
from reclaim.errors import Conflict, NotAuthorized, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.chunks import CHUNK, JOBS
from reclaim.services.find_person import find_person
from reclaim.services.jobs import appeal_job, ask_back_job, receipt_job, restore_job
from reclaim.services.settle import ALREADY_ABSENT, plans_off, steps_of
from reclaim.services.way_back import lines_of, ways_back

SHOWN = 10


class RestoreSeats:
    """Previews, asks, and shows where restores stand."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    # What there is --------------------------------------------------------------------------------------------------

    async def find_item(self, text: str) -> ItemId | None:
        """Return the item that the text names by its id; None if it names none."""
        async with self._work.read() as work:
            return ItemId(text) if await work.items.get_many([ItemId(text)]) else None

    async def find_person(self, text: str) -> PersonId:
        """Return the person that the text names.

        Raises:
            NotFound, InvalidRequest: Nobody, or several people match.
        """
        async with self._work.read() as work:
            return (await find_person(work, text)).id

    async def preview(self, campaign_id: CampaignId, person: PersonId | None = None) -> RestorePreview:
        """Return what an undo of the campaign, or of one person's seats in it, would give back now.

        Raises:
            NotFound: There is no such campaign.
        """
        shown: list[ReviewItem] = []
        seats, monthly, stays = 0, Total(), Counter[str]()
        async with self._work.read() as work:
            campaign = await _campaign(work, campaign_id)
            after: SeatId | None = None
            while items := await work.items.page(campaign_id, outcome=Outcome.REMOVED, after=after, limit=CHUNK):
                after = items[-1].seat_id
                asked = [item for item in items if person in (None, item.person_id)]
                ways = await ways_back(work, asked, clock=self._clock, policy=self._policy)
                able = [item for item in asked if ways[item.id].open]
                stays.update(way.refusal for way in ways.values() if way.refusal is not None)
                seats += len(able)
                monthly = monthly.plus(Total.of(item.snapshot.monthly for item in able))
                shown += able[: SHOWN - len(shown)]
            lines = await lines_of(work, shown, clock=self._clock, policy=self._policy)
            found = await work.people.get(person) if person else None
        return RestorePreview(
            campaign_id=campaign_id,
            campaign_name=campaign.name,
            seats=seats,
            monthly=monthly,
            lines=lines,
            stays=tuple(sorted(stays.items())),
            zone=campaign.zone,
            person_id=person,
            person_name=found.shown_name if found else None,
        )

    async def line(self, item_id: ItemId) -> RestoreLine:
        """Return one removed seat with its way back.

        Raises:
            NotFound: There is no such item.
        """
        async with self._work.read() as work:
            item = await _item(work, item_id)
            return (await lines_of(work, [item], clock=self._clock, policy=self._policy))[0]

    async def view(self, campaign_id: CampaignId) -> RestoresView:
        """Return where the restores of a campaign stand, the failed ones first.

        Raises:
            NotFound: There is no such campaign.
        """
        order = [RestoreState.FAILED, RestoreState.RESTORING, RestoreState.RESTORED]
        async with self._work.read() as work:
            campaign = await _campaign(work, campaign_id)
            restores = await work.restores.of_campaign(campaign_id)
            counts = Counter(restore.state for restore in restores)
            shown = sorted(restores, key=lambda one: (order.index(one.state), one.asked_at))[:SHOWN]
            items = await work.items.get_many(restore.item_id for restore in shown)
            listed = [items[restore.item_id] for restore in shown]
            lines = await lines_of(work, listed, clock=self._clock, policy=self._policy)
        return RestoresView(
            campaign_id=campaign_id,
            campaign_name=campaign.name,
            restoring=counts[RestoreState.RESTORING],
            restored=counts[RestoreState.RESTORED],
            failed=counts[RestoreState.FAILED],
            asked_back=sum(restore.how.by_holder for restore in restores),
            lines=lines,
            zone=campaign.zone,
        )

    async def ask_back(self, item_id: ItemId, person: PersonId) -> AskBackView:
        """Return the question to a holder who signed in again, with what became of it.

        Raises:
            NotFound: They were not asked.
        """
        async with self._work.read() as work:
            asked = await work.restores.asked_back(item_id)
            if asked is None or asked.person_id != person:
                raise NotFound("There is no such question for you.")
            item = await _item(work, item_id)
            way = (await ways_back(work, [item], clock=self._clock, policy=self._policy))[item_id]
        return AskBackView(item=item, asked=asked, way=way, now=self._clock.now())

    # Asking ---------------------------------------------------------------------------------------------------------

    async def undo(self, actor: Actor, item_id: ItemId) -> RestoreLine:
        """Let one removed seat be given back.

        Raises:
            NotAuthorized: The actor is no admin or license manager in person.
            NotFound, Conflict: There is no such seat, or it cannot be restored; the message says why.
        """
        self._may_undo(actor)
        async with self._work.write() as work:
            item = await _item(work, item_id)
            await self.ask(work, [item], actor, AskedHow.UNDO)
            await work.commit()
        return await self.line(item_id)

    async def undo_campaign(self, actor: Actor, campaign_id: CampaignId, person: PersonId | None = None) -> int:
        """Let everything be given back that a campaign has removed, or has removed from one person; return how much.

        In chunks: killed on the way, the rest can be asked for again.

        Raises:
            NotAuthorized: The actor is no admin or license manager in person.
            NotFound, Conflict: There is no such campaign, or nothing of it can be restored.
        """
        self._may_undo(actor)
        asked = 0
        after: SeatId | None = None
        while True:
            async with self._work.write() as work:
                await _campaign(work, campaign_id)
                items = await work.items.page(campaign_id, outcome=Outcome.REMOVED, after=after, limit=JOBS)
                if not items:
                    break
                after = items[-1].seat_id
                meant = [item for item in items if person in (None, item.person_id)]
                ways = await ways_back(work, meant, clock=self._clock, policy=self._policy)
                able = [item for item in meant if ways[item.id].open]
                if able:
                    await self.ask(work, able, actor, AskedHow.UNDO)
                    await work.commit()
            asked += len(able)
        if asked == 0:
            raise Conflict("No seat of this campaign can be restored now.")
        return asked

    async def get_back(self, actor: Actor, item_id: ItemId, how: AskedHow) -> RestoreLine:
        """Let a holder have their own seat back, at once if one is free: no ticket, and nobody is asked.

        Raises:
            NotAuthorized: It is not the actor's own seat.
            NotFound, Conflict: There is no such seat, or it cannot be restored; the message says why.
        """
        async with self._work.write() as work:
            item = await _item(work, item_id)
            _check_holder(item, actor)
            if how is AskedHow.ASKED_BACK:
                await self._answer(work, item, actor, wanted=True)
            await self.ask(work, [item], actor, how)
            await work.commit()
        return await self.line(item_id)

    async def decline(self, actor: Actor, item_id: ItemId) -> AskBackView:
        """Note that a holder who signed in again does not want their seat back.

        Raises:
            NotAuthorized, NotFound: It is not the actor's own seat, or they were not asked.
        """
        async with self._work.write() as work:
            item = await _item(work, item_id)
            _check_holder(item, actor)
            await self._answer(work, item, actor, wanted=False)
            await work.commit()
        return await self.ask_back(item_id, actor.id)

    async def _answer(self, work: UnitOfWork, item: ReviewItem, actor: Actor, *, wanted: bool) -> None:
        asked = await work.restores.asked_back(item.id)
        if asked is None:
            raise NotFound("There is no such question for you.")
        if asked.wanted is wanted:
            return
        await work.restores.answer_ask_back(item.id, wanted=wanted, at=self._clock.now())
        await work.events.append(
            self._attest.event(
                EventKind.ASK_BACK_ANSWERED,
                actor=actor.id,
                campaign=item.campaign_id,
                item=item.id,
                facts={"wanted": wanted},
            )
        )

    def _may_undo(self, actor: Actor) -> None:
        if not actor.is_person or not actor.may(RUN_AS_A_PERSON):
            raise NotAuthorized("This needs the role License manager, in person.")

    async def ask(self, work: UnitOfWork, items: Sequence[ReviewItem], actor: Actor, how: AskedHow) -> None:
        """Store restores of one campaign that are due now, in the caller's transaction. Who may ask is for the caller.

        Raises:
            Conflict: One of the seats cannot be restored; the message says why.
        """
        if self._policy.writes is WriteMode.DRY_RUN:
            raise Conflict("This installation makes no changes (dry run), so nothing can be restored.")
        now = self._clock.now()
        ids = [item.id for item in items]
        restores, reversals = await work.restores.of_items(ids), await work.restores.reversals(ids)
        orders = await work.orders.of_people(items[0].campaign_id, {item.person_id for item in items})
        for item in items:
            before = restores.get(item.id)
            _check(item, before, reversals.get(item.id), now, self._policy)
            if before is None:
                asked = self._new(item, orders.get(item.person_id), actor, how, now)
                await work.restores.add(asked)
            else:
                asked = before.again(actor.id, how, now)
                await work.restores.save(asked)
            await work.events.append(
                self._attest.event(
                    EventKind.RESTORE_ASKED,
                    actor=actor.id,
                    campaign=item.campaign_id,
                    item=item.id,
                    facts={"restore": asked.id, "how": how.value, "attempt": asked.attempt},
                )
            )
            await work.enqueue(restore_job(asked.id, asked.attempt))
            await tell_holder(work, asked)

    def _new(self, item: ReviewItem, order: RemovalOrder | None, actor: Actor, how: AskedHow, now: datetime) -> Restore:
        steps = _steps_back(item, order)
        if not steps:
            raise Conflict("Reclaim did not remove this seat, so there is nothing to restore.")
        return Restore(
            id=RestoreId(self._tokens.new_row_id()),
            item_id=item.id,
            campaign_id=item.campaign_id,
            person_id=item.person_id,
            product_id=item.product_id,
            state=RestoreState.RESTORING,
            version=1,
            attempt=1,
            not_before=now,
            checks=0,
            asked_by=actor.id,
            how=how,
            asked_at=now,
            steps=steps,
        )


async def tell_holder(work: UnitOfWork, restore: Restore) -> None:
    """Bring the holder's cards up to date with a restore; where there is none yet, the receipt tells them."""
    occasion = f"{restore.state.value}-{restore.id}-{restore.attempt}"
    await work.enqueue(receipt_job(restore.campaign_id, restore.person_id, occasion))
    if await work.restores.asked_back(restore.item_id) is not None:
        await work.enqueue(ask_back_job(restore.item_id, occasion))
    if await work.appeals.get(restore.item_id) is not None:
        await work.enqueue(appeal_job(restore.item_id, occasion))


def _check(item: ReviewItem, restore: Restore | None, reversal: Reversal | None, now: datetime, policy: Policy) -> None:
    check_restorable(item, restore, reversal, now=now, window=policy.undo_window)


def _steps_back(item: ReviewItem, order: RemovalOrder | None) -> tuple[RestoreStep, ...]:
    """Return what gives back exactly what our steps have taken; what somebody else took is not ours to give."""
    taken = [
        step
        for step in (steps_of(order, item.id) if order else ())
        if step.written_at is not None and step.error != ALREADY_ABSENT
    ]
    return tuple(
        RestoreStep(kind=RestoreKind.ASSIGN_DIRECT, ref=step.step.ref, disabled_plans=plans_off(step.before))
        if step.step.kind is StepKind.DIRECT
        else RestoreStep(kind=RestoreKind.JOIN_GROUP, ref=step.step.ref)
        for step in taken
    )


def _check_holder(item: ReviewItem, actor: Actor) -> None:
    if not actor.is_person or item.person_id != actor.id:
        raise NotAuthorized("Only the person who had this seat can ask for it here.")


async def _item(work: UnitOfWork, item_id: ItemId) -> ReviewItem:
    found = (await work.items.get_many([item_id])).get(item_id)
    if found is None:
        raise NotFound("There is no such seat.")
    return found


async def _campaign(work: UnitOfWork, campaign_id: CampaignId) -> Campaign:
    found = await work.campaigns.get(campaign_id)
    if found is None:
        raise NotFound("There is no such campaign.")
    return found
