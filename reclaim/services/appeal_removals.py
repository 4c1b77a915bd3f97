"""Appeals: a holder asks for a removal to be looked at again, one person decides, and silence is passed on once.

Whoever may decide is fixed by `domain.appeals`. A seat that comes back does so by an ordinary restore.
"""

from collections.abc import Sequence

import structlog

from reclaim.domain.appeals import (
    Appeal,
    AppealState,
    AppealTo,
    AppealView,
    check_appealable,
    checked_reason,
    checked_text,
    first_due,
    who_decides,
)
from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.ids import ItemId, PersonId
from reclaim.domain.notices import AppealNotice, appeal_matter
from reclaim.domain.policy import Policy
from reclaim.domain.restore import AskedHow
from reclaim.domain.restore_views import WayBack
from reclaim.domain.review import ReviewItem
from reclaim.domain.roles import LOOK, RUN_AS_A_PERSON, Actor
from reclaim.errors import Conflict, DeliveryError, NotAuthorized, NotFound
from reclaim.ports.chat import Messenger
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.access import Access
from reclaim.services.appeal_lines import appeal_lines
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import JOBS
from reclaim.services.jobs import appeal_job, receipt_job
from reclaim.services.naming import names_of
from reclaim.services.restore_seats import RestoreSeats
from reclaim.services.way_back import ways_back

log = structlog.get_logger(__name__)


class AppealRemovals:
    """Takes appeals and their answers, moves on what nobody answered, and tells who decides."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        access: Access,
        restores: RestoreSeats,
        messenger: Messenger,
    ) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._access = access
        self._restores = restores
        self._messenger = messenger
        self._attest = Attestor(clock=clock, tokens=tokens)

    # The holder -----------------------------------------------------------------------------------------------------

    async def appeal(self, actor: Actor, item_id: ItemId, text: str) -> ReviewItem:
        """Take a holder's appeal and send it to who decides; return the seat that it is about.

        Raises:
            InvalidRequest: Nothing is said, or too much.
            NotAuthorized: It is not the actor's own seat.
            NotFound, Conflict: There is no such seat, or it cannot be appealed now; the message says why.
        """
        said = checked_text(text)
        admins = await self._access.people_with(RUN_AS_A_PERSON)
        async with self._work.write() as work:
            item = await _item(work, item_id)
            way = await self._way(work, item)
            check_appealable(actor, item, way, await work.appeals.get(item_id))
            now = self._clock.now()
            to, reviewer = await self._who(work, item, admins)
            appeal = Appeal(
                item_id=item_id,
                campaign_id=item.campaign_id,
                person_id=item.person_id,
                text=said,
                asked_at=now,
                to=to,
                reviewer_id=reviewer,
                due_at=first_due(now, way.until or now, to),
            )
            await work.appeals.add(appeal)
            facts: dict[str, Fact] = {"to": to.value, "reviewer": reviewer}
            event = self._event(EventKind.APPEALED, appeal, actor.id, facts, text=said)
            await self._tell(work, appeal, event)
            await work.commit()
        return item

    async def decider_name(self, actor: Actor, item_id: ItemId) -> str | None:
        """Return who would decide about an appeal of this holder; None: the license managers and admins.

        Raises:
            NotAuthorized, NotFound, Conflict: As `appeal`.
        """
        admins = await self._access.people_with(RUN_AS_A_PERSON)
        async with self._work.read() as work:
            item = await _item(work, item_id)
            check_appealable(actor, item, await self._way(work, item), await work.appeals.get(item_id))
            _, reviewer = await self._who(work, item, admins)
            return (await names_of(work, [reviewer])).get(reviewer) if reviewer else None

    # Who decides ----------------------------------------------------------------------------------------------------

    async def view(self, actor: Actor, item_id: ItemId) -> AppealView:
        """Return an appeal as the actor may see it.

        Raises:
            NotFound: There is none.
            NotAuthorized: It neither is nor was theirs to decide, and they run or audit no campaigns.
        """
        async with self._work.read() as work:
            appeal = await _appeal(work, item_id)
            had = {record.person_id for record in await work.messages.live_of_matter(appeal_matter(item_id))}
            theirs = appeal.may_answer(actor) or actor.id in had or actor.id == appeal.answered_by
            if actor.id == appeal.person_id or not (theirs or actor.may(LOOK)):
                raise NotAuthorized("This appeal is not yours to decide.")
            return await self._view(work, appeal, may_answer=appeal.may_answer(actor))

    async def grant(self, actor: Actor, item_id: ItemId) -> AppealView:
        """Let the seat be given back.

        Raises:
            NotAuthorized: Somebody else decides.
            NotFound, Conflict: There is no such appeal, it has ended, or the seat cannot come back; the message says why.
        """
        async with self._work.write() as work:
            appeal = await self._theirs(work, actor, item_id)
            ended = appeal.ended(AppealState.GRANTED, self._clock.now(), by=actor.id)
            # Before the restore: that one tells everybody, and they are to read that this was the answer.
            await self._answered(work, ended, actor)
            await self._restores.ask(work, [await _item(work, item_id)], actor, AskedHow.APPEAL)
            await work.commit()
        return await self.view(actor, item_id)

    async def refuse(self, actor: Actor, item_id: ItemId, reason: str) -> AppealView:
        """Leave the seat removed; a reason may be empty.

        Raises:
            InvalidRequest: The reason is too long.
            NotAuthorized: Somebody else decides.
            NotFound, Conflict: There is no such appeal, or it has ended.
        """
        said = checked_reason(reason)
        async with self._work.write() as work:
            appeal = await self._theirs(work, actor, item_id)
            await self._check_removed(work, item_id)
            await self._answered(
                work, appeal.ended(AppealState.REFUSED, self._clock.now(), by=actor.id, reason=said), actor
            )
            await work.commit()
        return await self.view(actor, item_id)

    # Time and telling -----------------------------------------------------------------------------------------------

    async def expire(self) -> int:
        """Move on or end the appeals whose time is over; return how many. Killed, it goes on where it was."""
        now, moved = self._clock.now(), 0
        while True:
            async with self._work.read() as work:
                due = await work.appeals.due(now, limit=JOBS)
            if not due:
                return moved
            async with self._work.write() as work:
                fresh = await work.appeals.of_items(appeal.item_id for appeal in due)
                items = await work.items.get_many(fresh)
                ways = await ways_back(work, list(items.values()), clock=self._clock, policy=self._policy)
                for appeal in fresh.values():
                    if appeal.state is AppealState.OPEN and appeal.due_at <= now:
                        await self._overdue(work, appeal, ways[appeal.item_id])
                await work.commit()
            moved += len(due)

    async def handle(self, job: Job) -> None:
        """Show an appeal to who decides now, and to whom it was shown before."""
        item_id = ItemId(str(job.args["item"]))
        async with self._work.read() as work:
            appeal = await _appeal(work, item_id)
            people = {record.person_id for record in await work.messages.live_of_matter(appeal_matter(item_id))}
            deciders = await self._deciders(appeal)
            decided = await self._view(work, appeal, may_answer=True)
            seen = await self._view(work, appeal, may_answer=False)
        for person in sorted(people | deciders):
            notice = AppealNotice(appeal=decided if person in deciders else seen)
            try:
                await self._messenger.deliver(person, notice)
            except DeliveryError as error:
                log.warning("an appeal could not be told", person=person, matter=notice.matter, why=error.code)

    async def _deciders(self, appeal: Appeal) -> set[PersonId]:
        if appeal.state is not AppealState.OPEN:
            return set()
        if appeal.reviewer_id is not None:
            return {appeal.reviewer_id}
        return set(await self._access.people_with(RUN_AS_A_PERSON)) - {appeal.person_id}

    async def _overdue(self, work: UnitOfWork, appeal: Appeal, way: WayBack) -> None:
        now = self._clock.now()
        if way.back:
            await self._over(work, appeal, AppealState.SETTLED)
        elif appeal.to is AppealTo.ADMINS or not way.open or way.until is None:
            await self._over(work, appeal, AppealState.LAPSED)
        else:
            moved = appeal.moved(now, way.until)
            await work.appeals.save(moved)
            facts: dict[str, Fact] = {"from": appeal.reviewer_id}
            await self._tell(work, moved, self._event(EventKind.APPEAL_MOVED, moved, SYSTEM, facts))

    async def _over(self, work: UnitOfWork, appeal: Appeal, state: AppealState) -> None:
        ended = appeal.ended(state, self._clock.now())
        await work.appeals.save(ended)
        await self._tell(work, ended, self._event(EventKind.APPEAL_ENDED, ended, SYSTEM, {"state": state.value}))

    async def _answered(self, work: UnitOfWork, ended: Appeal, actor: Actor) -> None:
        await work.appeals.save(ended)
        event = self._event(
            EventKind.APPEAL_ANSWERED, ended, actor.id, {"answer": ended.state.value}, reason=ended.reason
        )
        await self._tell(work, ended, event)

    async def _tell(self, work: UnitOfWork, appeal: Appeal, event: Event) -> None:
        """Store what happened, and bring the cards of the holder and of who decides up to date."""
        await work.events.append(event)
        occasion = f"appeal-{appeal.version}"
        await work.enqueue(appeal_job(appeal.item_id, occasion))
        await work.enqueue(receipt_job(appeal.campaign_id, appeal.person_id, f"{occasion}-{appeal.item_id}"))

    def _event(
        self, kind: EventKind, appeal: Appeal, actor: str, facts: dict[str, Fact], **personal: str | None
    ) -> Event:
        return self._attest.event(
            kind,
            actor=actor,
            campaign=appeal.campaign_id,
            item=appeal.item_id,
            facts={**facts, "due_ms": int(appeal.due_at.timestamp() * 1000)},
            personal=personal,
        )

    async def _theirs(self, work: UnitOfWork, actor: Actor, item_id: ItemId) -> Appeal:
        """Return an open appeal that this person may answer.

        Raises:
            NotFound, Conflict, NotAuthorized: There is none, it has ended, or somebody else decides.
        """
        appeal = await _appeal(work, item_id)
        appeal.check_open()
        if not appeal.may_answer(actor):
            raise NotAuthorized("This appeal is with somebody else. Only they can answer.")
        return appeal

    async def _check_removed(self, work: UnitOfWork, item_id: ItemId) -> None:
        way = await self._way(work, await _item(work, item_id))
        if way.back and way.refusal is not None:
            raise Conflict(way.refusal)

    async def _who(
        self, work: UnitOfWork, item: ReviewItem, admins: Sequence[PersonId]
    ) -> tuple[AppealTo, PersonId | None]:
        holder = await work.people.get(item.person_id)
        if holder is None:
            raise NotFound("There is no such person.")
        campaign = await work.campaigns.get(item.campaign_id)
        fallback = (campaign.fallback_id if campaign else None) or self._policy.fallback_reviewer
        near = [one for one in (holder.manager_id, fallback) if one is not None]
        return who_decides(holder, await work.people.get_many(near), fallback=fallback, admins=admins)

    async def _way(self, work: UnitOfWork, item: ReviewItem) -> WayBack:
        return (await ways_back(work, [item], clock=self._clock, policy=self._policy))[item.id]

    async def _view(self, work: UnitOfWork, appeal: Appeal, *, may_answer: bool) -> AppealView:
        item = await _item(work, appeal.item_id)
        way = await self._way(work, item)
        campaign = await work.campaigns.get(appeal.campaign_id)
        approved_by = item.answer.by if item.answer else None
        names = await names_of(work, [approved_by])
        return AppealView(
            line=(await appeal_lines(work, [appeal]))[appeal.item_id],
            item=item,
            way=way,
            campaign_name=campaign.name if campaign else "",
            approved_by=names.get(approved_by, approved_by) if approved_by else None,
            may_answer=may_answer and appeal.state is AppealState.OPEN and way.open,
        )


async def _appeal(work: UnitOfWork, item_id: ItemId) -> Appeal:
    found = await work.appeals.get(item_id)
    if found is None:
        raise NotFound("There is no such appeal.")
    return found


async def _item(work: UnitOfWork, item_id: ItemId) -> ReviewItem:
    found = (await work.items.get_many([item_id])).get(item_id)
    if found is None:
        raise NotFound("There is no such seat.")
    return found
