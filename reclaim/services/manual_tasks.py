"""The tasks that need a person: listed, reported as done, and then looked at, for nobody's word is a proof."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.campaign import Campaign
from reclaim.domain.directory import DIRECTLY
from reclaim.domain.ids import GroupId, ItemId, PersonId, RunId
from reclaim.domain.paging import page_count
from reclaim.domain.removal import Outcome
from reclaim.domain.review import ReviewItem
from reclaim.domain.roles import Actor
from reclaim.domain.tasks import (
    NEED_A_PERSON,
    ManualTask,
    TaskList,
    TaskState,
    TaskView,
    check_open,
    checked_link,
    checked_note,
)
from reclaim.errors import NotFound, PortError
from reclaim.ports.directory import ReadBack, SeatWriter
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.chunks import CHUNK
from reclaim.services.jobs import owner_job, task_job
from reclaim.services.settle import end_item

PAGE: Final = 10
KEPT_INSTEAD: Final = "kept_instead"
DONE_BY_HAND: Final = "done_by_hand"
GONE_AT_SYNC: Final = "gone_at_sync"

log = structlog.get_logger(__name__)


class ManualTasks:
    """Lists tasks, takes reports of what was done, and reads whether it was."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, writer: SeatWriter) -> None:
        self._work = work
        self._clock = clock
        self._writer = writer
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def list(self, campaign: Campaign | None, page: int = 1) -> TaskList:
        """Return a page of the open tasks, of one campaign or of all; the last page for one that is beyond it."""
        scope = campaign.id if campaign else None
        async with self._work.read() as work:
            counted = await work.tasks.counted(scope)
            total = sum(counted.by_outcome.values())
            page = max(1, min(page, page_count(total, PAGE)))
            items = await work.tasks.open(scope, offset=(page - 1) * PAGE, limit=PAGE)
            rows = await self._views(work, items)
        return TaskList(
            campaign_id=scope,
            campaign_name=campaign.name if campaign else None,
            rows=rows,
            total=total,
            monthly=counted.monthly,
            retriable=counted.by_outcome.get(Outcome.FAILED.value, 0),
            page=page,
            pages=page_count(total, PAGE),
        )

    async def get(self, item: ItemId) -> TaskView:
        """Return one task, open or not.

        Raises:
            NotFound: There is no such item.
        """
        async with self._work.read() as work:
            (view,) = await self._views(work, [await _item(work, item)])
        return view

    async def done(self, actor: Actor, item_id: ItemId, note: str, link: str = "") -> TaskView:
        """Take somebody's word that the seat was taken by hand, and have it looked at.

        Raises:
            InvalidRequest: Nothing is said, or too much; or the link is none.
            NotFound, Conflict: There is no such task, or it is no longer open.
        """
        said, address = checked_note(note), checked_link(link)
        now = self._clock.now()
        async with self._work.write() as work:
            item = await _item(work, item_id)
            check_open(item)
            stored = (await work.tasks.get_many([item_id])).get(item_id) or ManualTask(item_id=item_id)
            task = replace(
                stored,
                state=TaskState.CHECKING,
                note=said,
                link=address,
                by=PersonId(actor.id),
                at=now,
                attempt=stored.attempt + 1,
                version=stored.version + 1,
            )
            await work.tasks.save(task)
            await work.events.append(
                self._attest.event(
                    EventKind.TASK_DONE,
                    actor=actor.id,
                    campaign=item.campaign_id,
                    item=item_id,
                    facts={"attempt": task.attempt},
                    personal={"note": said, "link": address},
                )
            )
            await work.enqueue(task_job(item_id, task.attempt))
            await work.commit()
        return await self.get(item_id)

    async def keep(self, actor: Actor, item_id: ItemId) -> TaskView:
        """Give the task up: the seat stays.

        Raises:
            NotFound, Conflict: There is no such task, or it is no longer open.
        """
        async with self._work.write() as work:
            item = await _item(work, item_id)
            check_open(item)
            await self._end(work, item, Outcome.KEPT, KEPT_INSTEAD, actor=actor.id)
            await work.commit()
        return await self.get(item_id)

    async def handle(self, job: Job) -> None:
        """Look whether the seat is gone. A read that fails leaves the task as it is: the next sync looks again."""
        item_id, attempt = ItemId(str(job.args["item"])), int(job.args["attempt"])
        async with self._work.read() as work:
            item = await _item(work, item_id)
        try:
            back = await self._writer.read_back(item.person_id, item.product_id)
        except PortError as error:
            log.warning("a task could not be checked", item=item_id, why=error.code)
            return
        async with self._work.write() as work:
            item = await _item(work, item_id)
            task = (await work.tasks.get_many([item_id])).get(item_id)
            if item.outcome not in NEED_A_PERSON or task is None or task.attempt != attempt:
                return
            await self._seen(work, item, task, back)
            await work.commit()

    async def after_sync(self, run: RunId) -> None:
        """End the tasks whose seats a complete sync no longer finds, whoever took them. Killed, it goes on where it was."""
        after: ItemId | None = None
        while True:
            async with self._work.read() as reading:
                gone = await reading.tasks.gone(after=after, limit=CHUNK)
            if not gone:
                return
            after = gone[-1].id
            async with self._work.write() as work:
                fresh = await work.items.get_many(item.id for item in gone)
                for item in gone:
                    if fresh[item.id].version == item.version:
                        await self._end(work, item, Outcome.MANUAL_DONE, GONE_AT_SYNC, facts={"run": run})
                await work.commit()

    async def _seen(self, work: UnitOfWork, item: ReviewItem, task: ManualTask, back: ReadBack) -> None:
        now = self._clock.now()
        paths = back.seat.paths if back.seat else ()
        via = tuple(path.through for path in paths)
        state = TaskState.STILL_THERE if back.seat else TaskState.CHECKING
        await work.tasks.save(replace(task, state=state, checked_at=now, via=via, version=task.version + 1))
        await work.events.append(
            self._attest.event(
                EventKind.TASK_CHECKED,
                actor=SYSTEM,
                campaign=item.campaign_id,
                item=item.id,
                facts={"attempt": task.attempt, "gone": back.seat is None, "request_id": back.request_id},
            )
        )
        if back.seat is None:
            await self._end(work, item, Outcome.MANUAL_DONE, DONE_BY_HAND, facts={"request_id": back.request_id})

    async def _end(
        self,
        work: UnitOfWork,
        item: ReviewItem,
        outcome: Outcome,
        reason: str,
        *,
        actor: str = SYSTEM,
        facts: dict[str, Fact] | None = None,
    ) -> None:
        now = self._clock.now()
        ended = await end_item(work, self._attest, item, outcome, reason, now=now, actor=actor, facts=facts)
        await work.enqueue(owner_job(item.campaign_id, f"task-{item.id}-{ended.version}"))

    async def _views(self, work: UnitOfWork, items: Sequence[ReviewItem]) -> Sequence[TaskView]:
        tasks = await work.tasks.get_many(item.id for item in items)
        campaigns = await work.campaigns.get_many({item.campaign_id for item in items})
        people = await work.people.get_many({task.by for task in tasks.values() if task.by})
        groups = await work.catalog.groups()
        views = []
        for item in items:
            task = tasks.get(item.id) or ManualTask(item_id=item.id)
            names = (
                DIRECTLY if one == DIRECTLY else groups[GroupId(one)].name if GroupId(one) in groups else one
                for one in task.via
            )
            by = people.get(task.by) if task.by else None
            views.append(
                TaskView(
                    item=item,
                    campaign_name=campaigns[item.campaign_id].name,
                    task=task,
                    by_name=by.shown_name if by else task.by,
                    via_names=tuple(names),
                )
            )
        return views


async def _item(work: UnitOfWork, item_id: ItemId) -> ReviewItem:
    found = (await work.items.get_many([item_id])).get(item_id)
    if found is None:
        raise NotFound("There is no such task.")
    return found
