"""Read the tenant in generations: resumable page by page, and only a complete run concludes that something is gone.

A passing error ends the job with the cursor kept and the run still `running`; the next `request`, from the tick or from a
person, sends the next attempt. A permanent one ends the run, with a message that says what to do.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import PersonId, RunId, TenantId
from reclaim.domain.notices import SyncNotice
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import SyncView
from reclaim.domain.roles import Actor
from reclaim.domain.spend import monthly_total
from reclaim.domain.syncing import PEOPLE_STREAM, SIGN_INS_STREAM, SyncKind, SyncState, is_suspicious_drop
from reclaim.errors import Conflict, DeliveryError, InvalidRequest, NotFound, PortError
from reclaim.ports.chat import Messenger
from reclaim.ports.directory import Directory, SignInSupport
from reclaim.ports.engine import Job
from reclaim.ports.storage import Changes, StreamRequest, SyncRun, Syncs, UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.jobs import sync_job
from reclaim.services.read_usage import ReadUsage
from reclaim.services.superseded import Superseded
from reclaim.services.sync_changes import LostTrack, SyncChanges
from reclaim.services.sync_streams import OnPage, SyncStreams

PAGES_PER_NOTICE = 10
GIVE_UP_AFTER = timedelta(hours=24)  # Microsoft's continuation links do not live longer, and the data would be stale
_REST_AFTER: Mapping[str, timedelta] = {SyncState.FAILED: timedelta(hours=1), SyncState.STOPPED: timedelta(hours=24)}
_TRIES_BY_HAND = 5
_PAUSE_BY_HAND_S = 10.0

AfterSync = Callable[[RunId], Awaitable[object]]

_log = structlog.get_logger(__name__)


class SyncDirectory:
    """Asks for, carries out and shows sync runs."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        directory: Directory,
        messenger: Messenger,
        tenant_id: TenantId,
        with_groups: bool = True,
        usage: ReadUsage | None = None,
        after: Sequence[AfterSync] = (),
        after_changes: Sequence[AfterSync] = (),
    ) -> None:
        """Take the ports.

        Args:
            work: Storage.
            clock: Calendar time.
            tokens: Ids.
            policy: Whose role groups are read, and the window of the idle figure.
            directory: The tenant.
            messenger: Tells who asked.
            tenant_id: The tenant that this process is configured for.
            with_groups: Whether groups are read, which needs a permission of its own; a scan does without, and as it
                looks once it asks for no changes either.
            usage: Reads Microsoft's usage reports with the run; None: they are not read.
            after: Called in order after every full run completes; may be called again for the same run after a crash.
            after_changes: The same for runs that read only what has changed.
        """
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._directory = directory
        self._messenger = messenger
        self._tenant_id = tenant_id
        self._after = {SyncKind.FULL: tuple(after), SyncKind.CHANGES: tuple(after_changes)}
        self._attest = Attestor(clock=clock, tokens=tokens)
        self._streams = SyncStreams(
            work=work,
            clock=clock,
            policy=policy,
            directory=directory,
            tenant_id=tenant_id,
            with_groups=with_groups,
            usage=usage,
        )
        self._follows_changes = with_groups
        self._changes = SyncChanges(work=work, clock=clock, directory=directory)

    async def request(
        self, by: PersonId | None, kind: SyncKind = SyncKind.FULL, *, behind: RunId | None = None
    ) -> RunId:
        """Start a sync in the background, or return the one that is running. One of changes gives way to a full one.

        Args:
            by: Whom to tell. None: nobody asked, the clock did; then a run that has just failed is left alone for an
                hour, and one that waits to be accepted for a day, since a newer run would make it void.
            kind: Read everything, or only what has changed.
            behind: The newest complete run that the caller knows. Where another one has completed since, on another
                replica say, that is returned and nothing is begun.

        Raises:
            InvalidRequest: The database holds another tenant.
            Conflict: There is no complete run behind which changes could be read.
        """
        async with self._work.write() as unit:
            running = await self._running(unit)
            if running is None:
                newest = await (unit.syncs.newest_complete() if kind is SyncKind.FULL else unit.syncs.newest_read())
                if behind is not None and newest is not None and newest.id != behind:
                    return newest.id
                ended = await unit.syncs.newest() if by is None else None
                if ended is not None and self._rests(ended, kind):
                    return ended.id
                running = await self._start(unit, by, kind)
                await unit.enqueue(sync_job(running.id, running.attempt))
            elif running.kind == SyncKind.CHANGES and kind is SyncKind.FULL:
                running = await self._read_whole(unit, replace(running, requested_by=by or running.requested_by))
                await unit.enqueue(sync_job(running.id, running.attempt))
            elif running.error is not None:
                await _next_attempt(unit, running)
            await unit.commit()
        return running.id

    async def run_to_end(self, by: PersonId | None, kind: SyncKind = SyncKind.FULL) -> SyncView:
        """Sync here and now, without an engine; what an earlier process left unfinished is finished.

        A view that still says `running` has met a passing error five times; a later sync goes on from there.

        Raises:
            InvalidRequest, Conflict: As `request`.
        """
        async with self._work.write() as unit:
            run = await self._running(unit) or await self._start(unit, by, kind)
            if run.kind == SyncKind.CHANGES and kind is SyncKind.FULL:
                run = await self._read_whole(unit, run)
            await unit.commit()
        for left in reversed(range(_TRIES_BY_HAND)):
            await self._carry_out(run.id)
            view = await self._view_of(run.id)
            if view.state != SyncState.RUNNING or left == 0:
                break
            await self._clock.sleep(_PAUSE_BY_HAND_S)
        return view

    async def handle(self, job: Job) -> None:
        """Carry out one attempt of the run that the job names."""
        await self._carry_out(RunId(str(job.args["run"])))

    async def accept(self, run: str, actor: Actor) -> SyncView:
        """Complete a run that stopped because much would vanish: the actor says that this is right.

        Raises:
            NotFound: There is no such run.
            Conflict: It has not stopped, or a newer run has begun, whose rows it cannot judge.
        """
        async with self._work.write() as unit:
            found = await unit.syncs.get(RunId(run))
            newest = await unit.syncs.newest()
            if found is None:
                raise NotFound(f"There is no sync {run}.")
            if found.state != SyncState.STOPPED:
                raise Conflict(f"This sync is {found.state}. There is nothing to accept.")
            if newest is None or newest.id != found.id:
                raise Conflict("A newer sync has begun. Only the newest can be accepted.")
            accepted = replace(found, attempt=found.attempt + 1)
            await self._complete(unit, accepted, actor=actor.id, accepted=True)
            # What follows a completion takes longer than a click may: the next attempt finds the run complete.
            await unit.enqueue(sync_job(found.id, accepted.attempt))
            await unit.commit()
        return await self._view_of(found.id)

    async def view(self, run: RunId | None = None) -> SyncView | None:
        """Return a run, the newest if none is named; None if there is none."""
        async with self._work.read() as reading:
            found = await (reading.syncs.newest() if run is None else reading.syncs.get(run))
            return None if found is None else await self._seen(reading, found)

    async def _running(self, unit: UnitOfWork) -> SyncRun | None:
        """Return the run that goes on. One that is too old is failed on the way."""
        stored = await unit.controls.tenant()
        if stored is not None and stored != self._tenant_id:
            raise InvalidRequest(
                f"This database holds tenant {stored}, but Reclaim is configured for {self._tenant_id}."
                " Use a database of its own for each tenant."
            )
        running = await unit.syncs.running()
        if running is not None and self._is_too_old(running):
            await unit.syncs.save(_failed(running, "The sync did not finish within a day."))
            return None
        return running

    async def _start(self, unit: UnitOfWork, by: PersonId | None, kind: SyncKind) -> SyncRun:
        if kind is SyncKind.CHANGES and await unit.changes.link() is None:
            raise Conflict("There is no full sync to go on from. Read the whole tenant first: /reclaim sync")
        run = SyncRun(
            id=RunId(self._tokens.new_id()),
            state=SyncState.RUNNING,
            started_at=self._clock.now(),
            requested_by=by,
            attempt=1,
            kind=kind.value,
        )
        await unit.syncs.add(run)
        return run

    async def _read_whole(self, unit: UnitOfWork, run: SyncRun, *, resynced: bool = False) -> SyncRun:
        """Make a running changes run a full one, which begins now."""
        await unit.changes.start_again(run.id)
        full = replace(
            run,
            kind=SyncKind.FULL.value,
            resynced=resynced,
            started_at=self._clock.now(),
            people=0,
            seats=0,
            error=None,
            attempt=run.attempt + 1,
        )
        await unit.syncs.save(full)
        return full

    def _rests(self, run: SyncRun, kind: SyncKind) -> bool:
        if kind is SyncKind.FULL and run.kind == SyncKind.CHANGES:
            return False  # a full one is what would mend it
        pause = _REST_AFTER.get(run.state)
        return pause is not None and self._clock.now() - run.started_at < pause

    def _is_too_old(self, run: SyncRun) -> bool:
        return self._clock.now() - run.started_at > GIVE_UP_AFTER

    async def _carry_out(self, run_id: RunId) -> None:
        async with self._work.write() as unit:
            run = await unit.syncs.get(run_id)
            going_on = run is not None and run.state == SyncState.RUNNING and await self._running(unit) is not None
            await unit.commit()
        if going_on and not await self._read(run_id):
            return
        await self._follow_up(run_id)
        await self._tell(run_id)

    async def _read(self, run_id: RunId) -> bool:
        """Read all streams and draw the conclusions; False if another job does it."""
        pages = 0

        async def on_page() -> None:
            nonlocal pages
            pages += 1
            if pages % PAGES_PER_NOTICE == 0:
                await self._tell(run_id)

        try:
            if await self._kind(run_id) is SyncKind.FULL:
                await self._read_all(run_id, on_page)
            else:
                await self._read_changes(run_id, on_page)
            await self._conclude(run_id)
        except Superseded:
            return False
        except PortError as error:
            _log.warning("sync interrupted", run=run_id, code=error.code, permanent=error.permanent)
            await self._note_error(run_id, error)
        except Exception:
            await self._note_error(run_id, PortError("Something unexpected stopped the sync.", permanent=True))
            raise
        return True

    async def _read_all(self, run_id: RunId, on_page: OnPage) -> None:
        if self._follows_changes:
            await self._changes.begin_here(run_id)
        await self._streams.read_all(run_id, on_page)

    async def _read_changes(self, run_id: RunId, on_page: OnPage) -> None:
        """Read what has changed, or everything where Microsoft cannot tell that any more."""
        try:
            await self._streams.read_skus(run_id, on_page)
            await self._changes.read_all(run_id, on_page)
            return
        except LostTrack:
            async with self._work.write() as unit:
                run = await unit.syncs.get(run_id)
                if run is None or run.state != SyncState.RUNNING or run.kind != SyncKind.CHANGES:
                    raise Superseded from None
                await self._read_whole(unit, run, resynced=True)
                await unit.commit()
        _log.warning("the whole tenant is read instead of changes", run=run_id)
        await self._read_all(run_id, on_page)

    async def _kind(self, run_id: RunId) -> SyncKind:
        async with self._work.read() as reading:
            run = await reading.syncs.get(run_id)
        if run is None:
            raise Superseded
        return SyncKind(run.kind)

    async def _note_error(self, run_id: RunId, error: PortError) -> None:
        async with self._work.write() as unit:
            run = await unit.syncs.get(run_id)
            if run is None or run.state != SyncState.RUNNING:
                return
            ended = error.permanent or self._is_too_old(run)
            await unit.syncs.save(_failed(run, error.message) if ended else replace(run, error=error.message))
            await unit.commit()

    async def _conclude(self, run_id: RunId) -> None:
        """Complete the run, or stop it where too much would vanish."""
        # Counted before the write lock is taken: every page is stored, and nobody but this run writes these rows.
        async with self._work.read() as reading:
            read = await reading.syncs.get(run_id)
            if read is None:
                raise Superseded
            before, gone, seats_before, seats_gone = await _judge_of(reading, read).drop_if_completed(run_id)
        async with self._work.write() as unit:
            run = await unit.syncs.get(run_id)
            if run is None or run.state != SyncState.RUNNING or run.kind != read.kind:
                raise Superseded
            last = await unit.syncs.newest_read()
            ours = await unit.orders.written_since(last.started_at) if last else 0
            if is_suspicious_drop(before, gone) or is_suspicious_drop(seats_before, seats_gone, explained=ours):
                await unit.syncs.save(
                    replace(run, state=SyncState.STOPPED, gone_people=gone, gone_seats=seats_gone, error=None)
                )
                _log.warning("sync stopped at a drop", run=run_id, people=gone, seats=seats_gone)
            else:
                await self._complete(unit, run, actor=run.requested_by or SYSTEM, accepted=False)
            await unit.commit()

    async def _complete(self, unit: UnitOfWork, run: SyncRun, *, actor: str, accepted: bool) -> None:
        now = self._clock.now()
        gone_people, gone_seats = await _judge_of(unit, run).mark_gone(run.id, now)
        await unit.changes.forget_all_but(run.id)
        if run.kind == SyncKind.FULL:
            await unit.syncs.forget_sign_ins(run.id)
        await unit.syncs.save(
            replace(
                run,
                state=SyncState.COMPLETE,
                completed_at=now,
                gone_people=gone_people,
                gone_seats=gone_seats,
                error=None,
            )
        )
        requests = await unit.syncs.requests(run.id)
        await unit.events.append(
            self._attest.event(
                EventKind.SYNC_COMPLETED,
                actor=actor,
                at=now,
                facts={
                    "run": run.id,
                    "kind": run.kind,
                    "people": run.people,
                    "seats": run.seats,
                    "gone_people": gone_people,
                    "gone_seats": gone_seats,
                    "sign_ins": run.sign_ins,
                    "drop_accepted": accepted,
                    "requests": len(requests),
                    "requests_sha256": _digest(requests),
                },
            )
        )
        _log.info(
            "sync completed", run=run.id, kind=run.kind, people=run.people, seats=run.seats, gone_seats=gone_seats
        )

    async def _follow_up(self, run_id: RunId) -> None:
        """Do what follows a completion, unless a newer run has completed since; a full one is overtaken by full ones only."""
        async with self._work.read() as reading:
            run = await reading.syncs.get(run_id)
            full = run is not None and run.kind == SyncKind.FULL
            newest = await (reading.syncs.newest_complete() if full else reading.syncs.newest_read())
        if newest is not None and newest.id == run_id:
            for step in self._after[SyncKind(newest.kind)]:
                await step(run_id)

    async def _tell(self, run_id: RunId) -> None:
        """Show who asked where the run stands. Their not being reachable is no failure of the sync."""
        async with self._work.read() as reading:
            run = await reading.syncs.get(run_id)
            if run is None or run.requested_by is None:
                return
            view = await self._seen(reading, run)
        try:
            await self._messenger.deliver(run.requested_by, SyncNotice(sync=view, now=self._clock.now()))
        except DeliveryError as error:
            _log.warning("sync notice not delivered", run=run_id, person=run.requested_by, permanent=error.permanent)

    async def _view_of(self, run_id: RunId) -> SyncView:
        view = await self.view(run_id)
        if view is None:
            raise NotFound(f"There is no sync {run_id}.")
        return view

    async def _seen(self, reading: UnitOfWork, run: SyncRun) -> SyncView:
        idle = total = None
        if run.state == SyncState.COMPLETE:
            now = self._clock.now()
            tally = await reading.findings.tally(days=self._policy.idle_days, now=now)
            idle, total = sum(tally.values()), monthly_total(tally, await reading.catalog.prices(now))
        return SyncView(
            run_id=run.id,
            state=run.state,
            started_at=run.started_at,
            completed_at=run.completed_at,
            people=run.people,
            seats=run.seats,
            gone_people=run.gone_people,
            gone_seats=run.gone_seats,
            sign_ins=run.sign_ins,
            roles=run.roles,
            error=run.error,
            idle=idle,
            total=total,
            left=await self._left(reading, run),
            usage=tuple(await reading.workload_use.readings()),
            kind=SyncKind(run.kind),
            resynced=run.resynced,
        )

    async def _left(self, reading: UnitOfWork, run: SyncRun) -> timedelta | None:
        """Return about how long the rest takes; None before it can be told, or where only the network sets the pace."""
        if run.state != SyncState.RUNNING or run.kind != SyncKind.FULL or run.sign_ins != SignInSupport.KNOWN:
            return None
        people = await reading.syncs.cursor(run.id, PEOPLE_STREAM)
        if people is None or not people.done:
            return None
        sign_ins = await reading.syncs.cursor(run.id, SIGN_INS_STREAM)
        if sign_ins is not None and sign_ins.done:
            return None
        read = sum(one.request.rows for one in await reading.syncs.requests(run.id) if one.stream == SIGN_INS_STREAM)
        return self._directory.time_for_sign_ins(run.people - read)


def _judge_of(unit: UnitOfWork, run: SyncRun) -> Changes | Syncs:
    """Return who says what a run takes away: all that a full one did not see, or those who were looked for."""
    return unit.syncs if run.kind == SyncKind.FULL else unit.changes


async def _next_attempt(unit: UnitOfWork, run: SyncRun) -> None:
    """Enqueue the next attempt of a running run whose last one noted a passing error."""
    again = replace(run, attempt=run.attempt + 1, error=None)
    await unit.syncs.save(again)
    await unit.enqueue(sync_job(again.id, again.attempt))


def _digest(requests: Sequence[StreamRequest]) -> str:
    """Return one hash over all raw pages, so that the trail fixes what Microsoft had answered."""
    lines = (f"{one.stream} {one.page} {one.request.sha256}\n" for one in requests)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _failed(run: SyncRun, message: str) -> SyncRun:
    return replace(run, state=SyncState.FAILED, error=f"{message} Nothing was marked as gone. Try again: /reclaim sync")
