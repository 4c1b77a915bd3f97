"""Carry out one change of a group's members: look, store the intent, write, read back. One change a job.

As for a removal nothing is written twice without a look in between: what may have landed is read before anything else is
tried. A freeze and a dry run stop it. Leaving is asynchronous where the group gives a SKU, so the seat is looked for until it
is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import structlog

from reclaim.domain.attestation import EventKind, Fact
from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import ApprovedBy, ConsentRequest, is_candidate
from reclaim.domain.directory import DIRECTLY, Group, LivePerson, Seat, Sku
from reclaim.domain.ids import ChangeId, GroupId, ProductId
from reclaim.domain.membership import (
    ChangeKind,
    ChangeState,
    ChangeWhy,
    Halt,
    MembershipChange,
    Result,
    plan_change,
)
from reclaim.domain.policy import Policy
from reclaim.errors import DirectoryError, WriteBackError
from reclaim.ports.directory import Directory, SeatWriter, WriteResult
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.consent_mode import mode_of
from reclaim.services.end_consent import EndConsent
from reclaim.services.listing import live_exclusion
from reclaim.services.one_write import is_busy
from reclaim.services.settle import TAKES_EFFECT_WITHIN, Later
from reclaim.services.usage_of import ReadUse
from reclaim.services.write_step import FROZEN, HOURLY_WAIT, OVERTAKEN, as_guid, take_turn

FIRST_CHECK: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(hours=1)
OTHER_WRITE_WAIT: Final = timedelta(minutes=1)
MAX_TRIES: Final = 8

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Look:
    """A live read with the facts to judge it."""

    person: LivePerson | None
    group: Group | None
    skus: Mapping[ProductId, Sku]
    groups: Mapping[GroupId, Group]

    def member(self, group: GroupId) -> bool:
        return self.person is not None and group in self.person.direct_group_ids

    def seat(self, product: ProductId) -> Seat | None:
        return next((one for one in self.person.seats if one.product_id == product), None) if self.person else None


class ChangeMembers:
    """The handler of membership jobs."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        directory: Directory,
        writer: SeatWriter,
        use: ReadUse,
    ) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._directory = directory
        self._writer = writer
        self._use = use
        self._attest = Attestor(clock=clock, tokens=tokens)
        self._ends = EndConsent(clock=clock, tokens=tokens, policy=policy)

    async def handle(self, job: Job) -> None:
        """Do what the change still asks for. Idempotent: what is written or done is not touched again."""
        change_id, attempt = ChangeId(str(job.args["change"])), int(job.args["attempt"])
        async with self._work.read() as work:
            change = await work.consents.change(change_id)
            if change is None or not change.running or change.attempt != attempt:
                return
            request = await work.consents.request(change.request_id) if change.request_id else None
            mode = await mode_of(work, request, self._policy)
            frozen = await work.controls.freeze() is not None
        try:
            # What is written is looked for even while writes are frozen.
            if frozen and change.state is not ChangeState.WRITTEN:
                raise Later(FROZEN, counts=False)
            await self._carry_out(change, request, mode)
        except Later as later:
            await self._postpone(change_id, attempt, later)

    async def _carry_out(self, change: MembershipChange, request: ConsentRequest | None, mode: WriteMode) -> None:
        if change.state is ChangeState.PLANNED and mode is WriteMode.DRY_RUN:
            await self._end(change, Result.DRY_RUN)
            return
        look = await self._look(change)
        if change.state is ChangeState.INTENDED:
            change = await self._resolve(change, look)
        if change.state is ChangeState.WRITTEN:
            await self._read_back(change, look)
            return
        halt = await self._reason_to_halt(change, request, look)
        if halt is not None:
            await self._end(change, halt.result, halt.detail)
            return
        go = plan_change(change, look.person, look.group, skus=look.skus, groups=look.groups)
        if isinstance(go, Halt):
            await self._end(change, go.result, go.detail)
            return
        if not go.needed:
            await self._end(change, Result.THERE)
            return
        await take_turn(self._writer, clicked=change.clicked)
        change = await self._intend(change, look)
        try:
            answer = await self._call(change)
        except WriteBackError as error:
            await self._refused(change, error)
            return
        change = await self._written(change, answer)
        await self._read_back(change, await self._look(change))

    async def _look(self, change: MembershipChange) -> _Look:
        async with self._work.read() as work:
            skus = await work.catalog.skus()
        try:
            person = await self._directory.live_person(change.person_id, with_sign_ins=False)
            group = await self._directory.group(change.group_id)
            groups: dict[GroupId, Group] = {}
            seats = [one for one in person.seats if one.product_id == change.product_id] if person else []
            for given_by in sorted({path.group_id for seat in seats for path in seat.paths if path.group_id}):
                found = await self._directory.group(given_by)
                groups |= {found.id: found} if found is not None else {}
            if change.kind is ChangeKind.JOIN and group is not None and group.sku_ids:
                skus = {sku.id: sku for sku in (await self._directory.skus()).rows}
        except DirectoryError as error:
            raise Later(f"directory:{error.status or 'unreachable'}", error.retry_after) from error
        return _Look(person, group, skus, groups)

    async def _reason_to_halt(
        self, change: MembershipChange, request: ConsentRequest | None, look: _Look
    ) -> Halt | None:
        """Return what has changed since the approval. The holder's own word stands in place of their use (rule 5)."""
        if change.why is not ChangeWhy.CONSENT or look.person is None or request is None:
            return None
        now = self._clock.now()
        async with self._work.read() as work:
            program = await work.consents.program(change.program_id)
            days = program.terms.unused_days if program is not None else self._policy.idle_days
            exclusion = await live_exclusion(work, look.person, change.product_id, days=days, now=now)
            if exclusion is not None:
                return Halt(Result.EXCLUDED, exclusion.id)
            if request.approved_by is ApprovedBy.HOLDER:
                return None
            if program is None:
                return Halt(Result.USE_UNKNOWN)
            use = await self._use.use_of(work, program.terms, change.person_id)
        if use is None or use.no_use is None:
            return Halt(Result.USE_UNKNOWN)
        if is_candidate(use.no_use, program.terms, kept_at=[], now=now):
            return None
        used = use.no_use.last_used_at
        return Halt(Result.USED_AGAIN, used.date().isoformat() if used is not None else None)

    # Writing --------------------------------------------------------------------------------------------------------

    async def _resolve(self, change: MembershipChange, look: _Look) -> MembershipChange:
        """Find out whether a call without an answer has landed."""
        async with self._work.write() as work:
            change = await self._current(work, change)
            landed = look.member(change.group_id) is (change.kind is ChangeKind.JOIN)
            resolved = replace(
                change,
                state=ChangeState.WRITTEN if landed else ChangeState.PLANNED,
                written_at=self._clock.now() if landed else change.written_at,
                # What does not show may still land later, and is ours then.
                maybe_written=not landed,
                version=change.version + 1,
            )
            await work.consents.save_change(resolved)
            await self._note(
                work,
                EventKind.CHANGE_WRITTEN if landed else EventKind.CHANGE_FAILED,
                resolved,
                {"found_by": "read", "client_request_id": change.write_id},
            )
            await work.commit()
        return resolved

    async def _intend(self, change: MembershipChange, look: _Look) -> MembershipChange:
        """Commit the intent: what is about to be called, under which request id, and how it was just before."""
        async with self._work.write() as work:
            change = await self._current(work, change)
            now = self._clock.now()
            if await work.controls.freeze() is not None:
                raise Later(FROZEN, counts=False)
            await work.orders.hold_people([change.person_id])
            if change.kind is ChangeKind.LEAVE:
                hour = now - timedelta(hours=1)
                written = await work.orders.written_since(hour) + await work.consents.written_since(hour)
                if written >= self._policy.limits.hard_per_hour:
                    raise Later("hourly_limit", HOURLY_WAIT, counts=False)
            if await is_busy(work, change.person_id, now=self._clock.now(), change=change.id):
                raise Later("other_write", OTHER_WRITE_WAIT, counts=False)
            intended = replace(
                change,
                state=ChangeState.INTENDED,
                write_id=as_guid(self._tokens.new_id()),
                intended_at=now,
                maybe_written=True,
                version=change.version + 1,
            )
            await work.consents.save_change(intended)
            await self._note(
                work,
                EventKind.CHANGE_INTENDED,
                intended,
                {
                    "kind": change.kind.value,
                    "group": change.group_id,
                    "client_request_id": intended.write_id,
                    "was_member": look.member(change.group_id),
                },
            )
            await work.commit()
        return intended

    async def _call(self, change: MembershipChange) -> WriteResult:
        write = self._writer.leave_group if change.kind is ChangeKind.LEAVE else self._writer.join_group
        return await write(change.person_id, change.group_id, client_request_id=change.write_id or "")

    async def _written(self, change: MembershipChange, answer: WriteResult) -> MembershipChange:
        async with self._work.write() as work:
            change = await self._current(work, change)
            # "Not a member" of a call that followed one of ours without an answer is that call's doing.
            nothing = answer.already_absent and change.attempt == 1
            written = replace(
                change,
                state=ChangeState.WRITTEN,
                answer_id=answer.request_id,
                written_at=self._clock.now(),
                maybe_written=False,
                detail=Result.NOT_A_MEMBER.value if nothing else None,
                version=change.version + 1,
            )
            await work.consents.save_change(written)
            await self._note(
                work,
                EventKind.CHANGE_WRITTEN,
                written,
                {
                    "status": answer.status,
                    "request_id": answer.request_id,
                    "already_absent": answer.already_absent,
                },
            )
            await work.commit()
        return written

    async def _refused(self, change: MembershipChange, error: WriteBackError) -> None:
        """Store a failure. What may have landed stays `intended` and is read before anything else is tried."""
        for_good = error.permanent and not error.maybe_applied
        async with self._work.write() as work:
            change = await self._current(work, change)
            failed = replace(
                change,
                state=ChangeState.INTENDED if error.maybe_applied else ChangeState.PLANNED,
                maybe_written=error.maybe_applied,
                version=change.version + 1,
            )
            await work.consents.save_change(failed)
            await self._note(
                work,
                EventKind.CHANGE_FAILED,
                failed,
                {
                    "status": error.status,
                    "request_id": error.request_id,
                    "maybe_applied": error.maybe_applied,
                    "permanent": error.permanent,
                },
            )
            if for_good:
                await self._ends.change(work, failed, Result.REFUSED, str(error.status or "") or None)
            await work.commit()
        log.warning("a membership was not changed", change=change.id, status=error.status, permanent=error.permanent)
        if not for_good:
            raise Later(f"write:{error.status or 'lost'}", error.retry_after)

    # What came of it ------------------------------------------------------------------------------------------------

    async def _read_back(self, change: MembershipChange, look: _Look) -> None:
        """Say what is there now; what has not taken effect yet is looked for again."""
        result = await self._seen(change, look)
        if result is not None:
            await self._end(change, result.result, result.detail, is_member=look.member(change.group_id))
            return
        since = change.written_at or change.asked_at
        if self._clock.now() - since > TAKES_EFFECT_WITHIN:
            await self._end(change, Result.NOT_SEEN)
            return
        raise Later("takes_effect", counts=True)

    async def _seen(self, change: MembershipChange, look: _Look) -> Halt | None:
        if look.person is None:
            return Halt(Result.PERSON_GONE)
        member = change.group_id in look.person.direct_group_ids
        seat = look.seat(change.product_id)
        path = next((one for one in seat.paths if one.group_id == change.group_id), None) if seat else None
        if change.kind is ChangeKind.JOIN:
            if not member:
                return None
            if look.group is None or not look.group.sku_ids or (path is not None and path.gives_seat):
                return Halt(Result.THERE)
            if path is not None and path.error == "CountViolation":
                sku = look.skus.get(change.product_id)
                return Halt(Result.NO_FREE_SEAT, str(sku.enabled + sku.warning) if sku else None)
            return None
        if member or (path is not None and path.gives_seat):
            return None  # the seat follows the membership within a day for large groups
        try:
            nested = await self._directory.still_through(change.person_id, change.group_id)
        except DirectoryError as error:
            raise Later(f"directory:{error.status or 'unreachable'}", error.retry_after) from error
        others = [one for one in seat.paths if one.gives_seat] if seat else []
        if nested or others:
            names = [*nested, *(_named(one.group_id, look.groups) for one in others)]
            return Halt(Result.STILL_THERE, ", ".join(dict.fromkeys(names)))
        return Halt(Result.NOT_A_MEMBER if change.detail == Result.NOT_A_MEMBER.value else Result.GONE)

    async def _end(
        self, change: MembershipChange, result: Result, detail: str | None = None, *, is_member: bool | None = None
    ) -> None:
        async with self._work.write() as work:
            await self._ends.change(work, await self._current(work, change), result, detail, is_member=is_member)
            await work.commit()

    async def _postpone(self, change_id: ChangeId, attempt: int, later: Later) -> None:
        if later.why == OVERTAKEN:
            return
        async with self._work.write() as work:
            change = await work.consents.change(change_id)
            if change is None or not change.running or change.attempt != attempt:
                return
            now = self._clock.now()
            tries = change.checks + 1 if later.counts else change.checks
            if later.why == FROZEN:
                await work.consents.save_change(change.again(now, change.checks))  # due at the first tick after it
            elif tries >= MAX_TRIES and change.may_be_withdrawn:
                await self._ends.change(work, change, Result.UNREACHABLE)
            else:
                backoff = min(FIRST_CHECK * 2 ** min(tries, 10), LONGEST_WAIT) if later.counts else FIRST_CHECK
                await work.consents.save_change(change.again(now + max(later.wait or timedelta(0), backoff), tries))
            await work.commit()
        log.info("a change of membership waits", change=change_id, why=later.why)

    async def _current(self, work: UnitOfWork, change: MembershipChange) -> MembershipChange:
        found = await work.consents.change(change.id)
        if found is None or found.attempt != change.attempt or not found.running:
            raise Later(OVERTAKEN)
        return found

    async def _note(
        self, work: UnitOfWork, kind: EventKind, change: MembershipChange, facts: Mapping[str, Fact]
    ) -> None:
        await work.events.append(
            self._attest.event(
                kind,
                actor=SYSTEM,
                campaign=change.program_id,
                item=change.request_id,
                facts={"change": change.id, **facts},
            )
        )


def _named(group: GroupId | None, groups: Mapping[GroupId, Group]) -> str:
    if group is None:
        return DIRECTLY
    return groups[group].name if group in groups else group
