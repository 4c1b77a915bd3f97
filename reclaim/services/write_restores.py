"""Carry out a restore: look, write what is missing, read back. As for a removal, the intent is stored before each call.

Both writes may be repeated without harm (a license that is there is set to the same, a member stays one), but a lost answer
is read for first all the same. Freeze and dry run stop a restore as they stop a removal: a frozen one goes on by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from reclaim.domain.attestation import Event, EventKind, Fact
from reclaim.domain.campaign import WriteMode
from reclaim.domain.directory import Group, LivePerson, Sku
from reclaim.domain.ids import GroupId, ItemId, PersonId, ProductId, RestoreId
from reclaim.domain.notices import wave_matter
from reclaim.domain.orders import DID_NOT_LAND
from reclaim.domain.policy import Policy
from reclaim.domain.restore import (
    Refused,
    Restore,
    RestoreKind,
    RestoreState,
    RestoreStep,
    RestoreStepState,
    Returned,
    Reversal,
    Wait,
    WhyNot,
    is_there,
    is_whole,
    plan_restore,
    without_seat,
)
from reclaim.domain.review import ReviewItem
from reclaim.errors import DirectoryError, PortError, Refusal, WriteBackError
from reclaim.ports.directory import Directory, ReadBack, SeatWriter, WriteResult
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import owner_job, summary_job, wave_job
from reclaim.services.one_write import is_busy
from reclaim.services.restore_seats import tell_holder
from reclaim.services.settle import TAKES_EFFECT_WITHIN, Later, paths_json
from reclaim.services.write_step import FROZEN, OVERTAKEN, as_guid, take_turn

FIRST_CHECK = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
COUNT_WAIT = timedelta(minutes=5)  # until `consumedUnits` has followed the removal
OTHER_WRITE_WAIT = timedelta(minutes=1)
MAX_TRIES = 8

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Run:
    """One attempt. Once the restore has moved on to another, this one changes nothing more."""

    restore_id: RestoreId
    attempt: int

    def is_over(self, restore: Restore) -> bool:
        return restore.attempt != self.attempt or restore.state is not RestoreState.RESTORING


@dataclass(frozen=True, slots=True)
class _Look:
    person: LivePerson | None
    skus: Mapping[ProductId, Sku]
    groups: Mapping[GroupId, Group]


class WriteRestores:
    """The handler of restore jobs, one restore a job, one write at a time."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        directory: Directory,
        writer: SeatWriter,
    ) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._directory = directory
        self._writer = writer
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def handle(self, job: Job) -> None:
        """Do what the restore still asks for. Idempotent: what is written or ended is not touched again."""
        run = _Run(RestoreId(str(job.args["restore"])), int(job.args["attempt"]))
        async with self._work.read() as work:
            restore = await work.restores.get(run.restore_id)
            if restore is None or run.is_over(restore):
                return
            item = (await work.items.get_many([restore.item_id]))[restore.item_id]
            frozen = await work.controls.freeze() is not None
        try:
            if frozen:
                raise Later(FROZEN, counts=False)
            await self._carry_out(run, restore, item)
        except Later as later:
            await self._postpone(run, later)

    async def _carry_out(self, run: _Run, restore: Restore, item: ReviewItem) -> None:
        if self._policy.writes is WriteMode.DRY_RUN:
            await self._fail(run, Refused(WhyNot.DRY_RUN))
            return
        look = await self._look(restore)
        restore = await self._resolve_intents(run, look)
        plan = plan_restore(
            restore,
            look.person,
            skus=look.skus,
            groups=look.groups,
            removed_at=item.verified_at or restore.asked_at,
            now=self._clock.now(),
        )
        if isinstance(plan, Refused):
            await self._fail(run, plan)
            return
        if isinstance(plan, Wait):
            raise Later("count_lags", COUNT_WAIT, counts=False)
        for number in plan.steps:
            # A seat comes back whole or it has failed: after a refusal nothing more of it is written.
            if not await self._write(run, number, look):
                return
        await self._read_back(run, restore, look)

    async def _look(self, restore: Restore) -> _Look:
        try:
            person = await self._directory.live_person(restore.person_id, with_sign_ins=False)
            skus = {sku.id: sku for sku in (await self._directory.skus()).rows}
            groups: dict[GroupId, Group] = {}
            for step in restore.steps:
                if step.kind is RestoreKind.JOIN_GROUP:
                    group = await self._directory.group(GroupId(step.ref))
                    groups |= {group.id: group} if group is not None else {}
        except DirectoryError as error:
            raise Later(f"directory:{error.status or 'unreachable'}", error.retry_after) from error
        return _Look(person, skus, groups)

    # Writing --------------------------------------------------------------------------------------------------------

    async def _resolve_intents(self, run: _Run, look: _Look) -> Restore:
        """Find out whether calls without an answer landed: a crash or a lost answer leaves a step `intended`."""
        async with self._work.write() as work:
            restore = await self._current(work, run)
            changed = False
            for number, step in enumerate(restore.steps):
                if step.state is not RestoreStepState.INTENDED:
                    continue
                changed = True
                landed = _landed(step, restore, look.person)
                now = self._clock.now()
                resolved = (
                    replace(step, state=RestoreStepState.WRITTEN, written_at=now, maybe_written=False, error=None)
                    if landed
                    else replace(step, state=RestoreStepState.PLANNED, maybe_written=False, error=DID_NOT_LAND)
                )
                restore = restore.with_step(number, resolved)
                await work.restores.save(restore)
                kind = EventKind.RESTORE_WRITTEN if landed else EventKind.RESTORE_FAILED
                await work.events.append(
                    self._event(
                        kind,
                        restore,
                        {"step": number, "found_by": "read", "client_request_id": step.client_request_id},
                    )
                )
            if changed:
                await work.commit()
            return restore

    async def _write(self, run: _Run, number: int, look: _Look) -> bool:
        """Write one step; False if Microsoft refused it for good, and the restore has failed with that."""
        await take_turn(self._writer, clicked=True)  # somebody waits for it
        step, person = await self._intend(run, number)
        try:
            result = await self._call(person, step)
        except WriteBackError as error:
            await self._refused(run, number, error, look)
            return False
        async with self._work.write() as work:
            restore = await self._current(work, run)
            written = replace(
                restore.steps[number],
                state=RestoreStepState.WRITTEN,
                request_id=result.request_id,
                written_at=self._clock.now(),
                maybe_written=False,
                error=None,
            )
            await work.restores.save(restore.with_step(number, written))
            await work.events.append(
                self._event(
                    EventKind.RESTORE_WRITTEN,
                    restore,
                    {"step": number, "status": result.status, "request_id": result.request_id},
                )
            )
            await work.commit()
        return True

    async def _intend(self, run: _Run, number: int) -> tuple[RestoreStep, PersonId]:
        """Commit the intent: what is about to be called, under which request id."""
        async with self._work.write() as work:
            restore = await self._current(work, run)
            if await work.controls.freeze() is not None:
                raise Later(FROZEN, counts=False)
            await work.orders.hold_people([restore.person_id])
            if await is_busy(work, restore.person_id, now=self._clock.now(), restore=restore.id):
                raise Later("other_write", OTHER_WRITE_WAIT, counts=False)
            step = replace(
                restore.steps[number],
                state=RestoreStepState.INTENDED,
                attempt=restore.steps[number].attempt + 1,
                client_request_id=as_guid(self._tokens.new_id()),
                intended_at=self._clock.now(),
                maybe_written=True,
            )
            await work.restores.save(restore.with_step(number, step))
            await work.events.append(
                self._event(
                    EventKind.RESTORE_INTENDED,
                    restore,
                    {
                        "step": number,
                        "kind": step.kind.value,
                        "ref": step.ref,
                        "plans_off": len(step.disabled_plans),
                        "client_request_id": step.client_request_id,
                    },
                )
            )
            await work.commit()
        return step, restore.person_id

    async def _call(self, person: PersonId, step: RestoreStep) -> WriteResult:
        request_id = step.client_request_id or ""
        if step.kind is RestoreKind.ASSIGN_DIRECT:
            return await self._writer.assign_direct(
                person, ProductId(step.ref), step.disabled_plans, client_request_id=request_id
            )
        return await self._writer.join_group(person, GroupId(step.ref), client_request_id=request_id)

    async def _refused(self, run: _Run, number: int, error: WriteBackError, look: _Look) -> None:
        """Store a failure. What may have landed stays `intended` and is read before anything else is tried.

        A license that needs another one waits for that, if something else is being given back to this person.
        """
        for_good = error.permanent and not error.maybe_applied
        async with self._work.write() as work:
            restore = await self._current(work, run)
            if for_good and error.refusal is Refusal.NEEDS_ANOTHER:
                for_good = not await work.restores.any_running(restore.person_id, but=restore.id)
            state = RestoreStepState.INTENDED if error.maybe_applied else RestoreStepState.PLANNED
            failed = replace(
                restore.steps[number],
                state=RestoreStepState.FAILED if for_good else state,
                error=error.message,
                maybe_written=error.maybe_applied,
            )
            restore = restore.with_step(number, failed)
            await work.restores.save(restore)
            await work.events.append(
                self._event(
                    EventKind.RESTORE_FAILED,
                    restore,
                    {
                        "step": number,
                        "status": error.status,
                        "request_id": error.request_id,
                        "maybe_applied": error.maybe_applied,
                        "permanent": error.permanent,
                    },
                )
            )
            if for_good:
                await self._end(work, restore, _why(error, look.skus.get(restore.product_id)))
            await work.commit()
        log.warning("a restore was refused", restore=run.restore_id, status=error.status, permanent=error.permanent)
        if not for_good:
            raise Later(f"write:{error.status or 'lost'}", error.retry_after)

    # What came of it ------------------------------------------------------------------------------------------------

    async def _read_back(self, run: _Run, restore: Restore, look: _Look) -> None:
        """Read the seat. What is not there yet, or cannot be read now, is looked for again."""
        back: ReadBack | None = None
        try:
            back = await self._writer.read_back(restore.person_id, restore.product_id)
        except PortError as error:
            log.warning("a restore could not be read back", restore=run.restore_id, why=error.code)
        async with self._work.write() as work:
            restore = await self._current(work, run)
            now = self._clock.now()
            if back is not None:
                restore = replace(restore, after=paths_json(back.seat))
            if back is not None and is_whole(restore, back.seat):
                await self._restored(work, restore, back, now)
            elif back is not None and without_seat(restore, back.seat):
                await self._end(work, restore, _no_seat(look.skus.get(restore.product_id)))
            elif now - _since(restore) > TAKES_EFFECT_WITHIN:
                await self._end(work, restore, Refused(WhyNot.NOT_SEEN))
            else:
                wait = min(FIRST_CHECK * 2 ** min(restore.checks, 10), LONGEST_WAIT)
                await work.restores.save(_waiting(restore, now + wait, restore.checks + 1))
            await work.commit()

    async def _restored(self, work: UnitOfWork, restore: Restore, back: ReadBack, now: datetime) -> None:
        ended = replace(
            restore, state=RestoreState.RESTORED, not_before=None, ended_at=now, version=restore.version + 1
        )
        await work.restores.save(ended)
        paths = back.seat.paths if back.seat else ()
        await work.restores.reverse(
            Reversal(
                item_id=restore.item_id,
                campaign_id=restore.campaign_id,
                how=Returned.RESTORED,
                at=now,
                through=tuple(sorted(path.through for path in paths if path.gives_seat)),
            )
        )
        await work.events.append(
            self._event(
                EventKind.RESTORE_VERIFIED,
                restore,
                {"request_id": back.request_id, "wrote": restore.wrote},
            )
        )
        await tell_reversal(work, restore.item_id, restore.id)
        await tell_holder(work, ended)

    async def _fail(self, run: _Run, refused: Refused) -> None:
        async with self._work.write() as work:
            await self._end(work, await self._current(work, run), refused)
            await work.commit()

    async def _end(self, work: UnitOfWork, restore: Restore, refused: Refused) -> None:
        """End a restore without the seat, visibly: it may be tried again."""
        ended = replace(
            restore,
            state=RestoreState.FAILED,
            not_before=None,
            ended_at=self._clock.now(),
            why_not=refused.why,
            detail=refused.detail,
            version=restore.version + 1,
        )
        await work.restores.save(ended)
        await work.events.append(
            self._event(EventKind.RESTORE_FAILED, restore, {"why": refused.why.value, "ended": True})
        )
        await tell_holder(work, ended)
        item = (await work.items.get_many([restore.item_id]))[restore.item_id]
        await _redraw_list(work, item, f"failed-{restore.id}-{restore.attempt}")

    async def _postpone(self, run: _Run, later: Later) -> None:
        if later.why == OVERTAKEN:
            return
        async with self._work.write() as work:
            restore = await work.restores.get(run.restore_id)
            if restore is None or run.is_over(restore):
                return
            now = self._clock.now()
            tries = restore.checks + 1 if later.counts else restore.checks
            if later.why == FROZEN:
                # It stays due: the first tick after the freeze takes it up.
                await work.restores.save(_waiting(restore, now, restore.checks))
            elif tries >= MAX_TRIES and not restore.wrote:
                await self._end(work, restore, Refused(WhyNot.UNREACHABLE))
            else:
                backoff = min(FIRST_CHECK * 2 ** min(tries, 10), LONGEST_WAIT) if later.counts else FIRST_CHECK
                await work.restores.save(_waiting(restore, now + max(later.wait or timedelta(0), backoff), tries))
            await work.commit()
        log.info("a restore waits", restore=run.restore_id, why=later.why)

    def _event(self, kind: EventKind, restore: Restore, facts: dict[str, Fact]) -> Event:
        return self._attest.event(
            kind,
            actor=SYSTEM,
            campaign=restore.campaign_id,
            item=restore.item_id,
            facts={"restore": restore.id, **facts},
        )

    async def _current(self, work: UnitOfWork, run: _Run) -> Restore:
        restore = await work.restores.get(run.restore_id)
        if restore is None or run.is_over(restore):
            raise Later(OVERTAKEN)
        return restore


async def tell_reversal(work: UnitOfWork, item_id: ItemId, occasion: str) -> None:
    """Bring the cards up to date that counted a removal which is reversed now: the owner's and the reviewer's."""
    item = next(iter((await work.items.get_many([item_id])).values()))
    await work.enqueue(owner_job(item.campaign_id, f"reversed-{occasion}"))
    if item.answer is not None:
        await work.enqueue(summary_job(item.campaign_id, item.answer.by, f"reversed-{occasion}"))
    await _redraw_list(work, item, f"reversed-{occasion}")


async def _redraw_list(work: UnitOfWork, item: ReviewItem, occasion: str) -> None:
    """Bring the reviewer's list up to date where it stands in their chat; nobody gets one for this."""
    if item.answer is None or await work.messages.live(item.answer.by, wave_matter(item.campaign_id)) is None:
        return
    await work.enqueue(wave_job(item.campaign_id, item.answer.by, occasion))


def _waiting(restore: Restore, at: datetime, checks: int) -> Restore:
    return replace(restore, not_before=at, checks=checks, attempt=restore.attempt + 1, version=restore.version + 1)


def _since(restore: Restore) -> datetime:
    return max((step.written_at for step in restore.steps if step.written_at is not None), default=restore.asked_at)


def _landed(step: RestoreStep, restore: Restore, person: LivePerson | None) -> bool:
    if person is None:
        return False
    return is_there(step, next((one for one in person.seats if one.product_id == restore.product_id), None), person)


def _why(error: WriteBackError, sku: Sku | None) -> Refused:
    if error.refusal is Refusal.NO_AVAILABLE_LICENSES:
        return _no_seat(sku)
    if error.refusal is Refusal.USAGE_LOCATION:
        return Refused(WhyNot.USAGE_LOCATION)
    return Refused(WhyNot.REFUSED, str(error.status) if error.status else None)


def _no_seat(sku: Sku | None) -> Refused:
    return Refused(WhyNot.NO_FREE_SEAT, str(sku.enabled + sku.warning) if sku else None)
