"""One change of a group's members: somebody leaves, comes back, or is added. Planned from a live read, written, read back.

A change is one write for one person, as small as a write to the directory gets. It is refused where Reclaim may not write
(rule 6), and where leaving would cost the person more than the application: other SKUs, the last mailbox or OneDrive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from reclaim.domain.consent import ConsentRequest
from reclaim.domain.directory import Group, LivePerson, Sku
from reclaim.domain.ids import ChangeId, ConsentId, GroupId, PersonId, ProductId, ProgramId
from reclaim.domain.removal import Blocker, group_blocker, plan_removal


class ChangeKind(StrEnum):
    """What is written."""

    LEAVE = "leave"  # DELETE /groups/{group}/members/{person}/$ref
    JOIN = "join"  # POST /groups/{group}/members/$ref


class ChangeWhy(StrEnum):
    """What it is for."""

    CONSENT = "consent"  # the request was approved
    RESTORE = "restore"  # the holder, or who runs programs, wants it back
    WAITING_LIST = "waiting_list"


class ChangeState(StrEnum):
    """As `orders.StepState`: `intended` is committed before the call, so a crash leaves a trace of it."""

    PLANNED = "planned"
    INTENDED = "intended"
    WRITTEN = "written"
    DONE = "done"  # with its result


RUNNING: Final = frozenset({ChangeState.PLANNED, ChangeState.INTENDED, ChangeState.WRITTEN})


class Result(StrEnum):
    """What became of a change."""

    GONE = "gone"  # left, read back
    NOT_A_MEMBER = "not_a_member"  # there was nothing to leave
    STILL_THERE = "still_there"  # left, and still a member or holder through something else
    THERE = "there"  # joined, read back
    BLOCKED = "blocked"  # detail: the blocker
    PERSON_GONE = "person_gone"
    GROUP_GONE = "group_gone"
    USED_AGAIN = "used_again"
    USE_UNKNOWN = "use_unknown"  # no source tells any more that it is not used
    EXCLUDED = "excluded"
    NO_FREE_SEAT = "no_free_seat"
    REFUSED = "refused"  # detail: HTTP status
    UNREACHABLE = "unreachable"
    NOT_SEEN = "not_seen"  # written, and not there (or not gone) after days
    DRY_RUN = "dry_run"
    WITHDRAWN = "withdrawn"  # taken back before the write


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipChange:
    """One change as stored.

    Attributes:
        request_id: The consent request that it carries out or undoes; None for the waiting list.
        attempt: Part of the job key; a new one for every run.
        not_before: The present attempt is due then; None once it is done.
        checks: How often in a row it was tried, or looked for, in vain.
        asked_by: Whose word started it: an object id, or `system` for a program.
        clicked: Whether a person waits for it, so that it goes before every bulk.
        write_id: Sent with the call as client-request-id and stored before it.
        answer_id: Microsoft's `request-id`.
        maybe_written: The call may have landed although no answer came.
        detail: Of the result: a blocker, a name, an HTTP status.
        version: Compare-and-set column.
    """

    id: ChangeId
    program_id: ProgramId
    request_id: ConsentId | None
    person_id: PersonId
    group_id: GroupId
    product_id: ProductId
    kind: ChangeKind
    why: ChangeWhy
    state: ChangeState
    asked_by: PersonId
    asked_at: datetime
    clicked: bool
    version: int = 1
    attempt: int = 1
    not_before: datetime | None = None
    checks: int = 0
    write_id: str | None = None
    answer_id: str | None = None
    maybe_written: bool = False
    intended_at: datetime | None = None
    written_at: datetime | None = None
    ended_at: datetime | None = None
    result: Result | None = None
    detail: str | None = None

    @property
    def running(self) -> bool:
        """Whether something is still to happen."""
        return self.state in RUNNING

    @property
    def may_be_withdrawn(self) -> bool:
        """Whether no call was made for it, nor is one on its way."""
        return self.state is ChangeState.PLANNED and self.written_at is None and not self.maybe_written

    def done(self, result: Result, now: datetime, detail: str | None = None) -> "MembershipChange":
        """Return the change with its result."""
        return replace(
            self,
            state=ChangeState.DONE,
            result=result,
            detail=detail,
            ended_at=now,
            not_before=None,
            version=self.version + 1,
        )

    def again(self, at: datetime, checks: int) -> "MembershipChange":
        """Return the change with its next attempt."""
        return replace(self, not_before=at, checks=checks, attempt=self.attempt + 1, version=self.version + 1)


def change_for(
    request: ConsentRequest,
    kind: ChangeKind,
    why: ChangeWhy,
    *,
    change_id: ChangeId,
    by: PersonId,
    now: datetime,
    due_at: datetime,
) -> MembershipChange:
    """Return a new change that carries out or undoes a request."""
    return MembershipChange(
        id=change_id,
        program_id=request.program_id,
        request_id=request.id,
        person_id=request.person_id,
        group_id=request.group_id,
        product_id=request.product_id,
        kind=kind,
        why=why,
        state=ChangeState.PLANNED,
        asked_by=by,
        asked_at=now,
        clicked=by == request.person_id,
        not_before=due_at,
    )


@dataclass(frozen=True, slots=True)
class Go:
    """The write may be made; `needed` False: it is there (or gone) already, so only the end is to be noted."""

    needed: bool = True


@dataclass(frozen=True, slots=True)
class Halt:
    """It may not, for this reason."""

    result: Result
    detail: str | None = None


def plan_change(
    change: MembershipChange,
    live: LivePerson | None,
    group: Group | None,
    *,
    skus: Mapping[ProductId, Sku],
    groups: Mapping[GroupId, Group],
) -> Go | Halt:
    """Decide from a live read whether the membership may be changed now.

    Args:
        change: What is to be done.
        live: The person now; None if Microsoft does not know them any more.
        group: The group now; None if it does not exist.
        skus: All SKUs of the tenant.
        groups: Facts of every group that gives one of the person's seats of the product, read now.
    """
    if live is None or live.person.gone_at is not None:
        return Halt(Result.PERSON_GONE)
    if group is None:
        return Halt(Result.GROUP_GONE)
    member = group.id in live.direct_group_ids
    if change.kind is ChangeKind.JOIN:
        return Go(needed=False) if member else _may_join(change, group, skus)
    if not member:
        return Halt(Result.NOT_A_MEMBER)
    blocker = leaving_blocker(live, group, change.product_id, skus=skus, groups=groups)
    return Halt(Result.BLOCKED, blocker.value) if blocker is not None else Go()


def leaving_blocker(
    live: LivePerson,
    group: Group,
    product: ProductId,
    *,
    skus: Mapping[ProductId, Sku],
    groups: Mapping[GroupId, Group],
) -> Blocker | None:
    """Return why a direct member may not be taken out of the group by us, or None.

    Where the group gives a SKU, the seat is planned as in a campaign, so that no last mailbox goes with an application.
    """
    blocker = group_blocker(group, product)
    if blocker is not None or not group.sku_ids:
        return blocker
    seat = next((one for one in live.seats if one.product_id == product), None)
    if seat is None:
        return None
    through_group = replace(seat, paths=tuple(path for path in seat.paths if path.group_id == group.id))
    if not through_group.paths or len(through_group.paths) < len(seat.paths):
        return None  # it stays with the person through another path, and so does its data
    return plan_removal(through_group, live.seats, skus=skus, groups={**groups, group.id: group}).blocker


def _may_join(change: MembershipChange, group: Group, skus: Mapping[ProductId, Sku]) -> Go | Halt:
    blocker = group_blocker(group, change.product_id)
    if blocker is not None:
        return Halt(Result.BLOCKED, blocker.value)
    sku = skus.get(change.product_id)
    if group.sku_ids and sku is not None and sku.available == 0:
        return Halt(Result.NO_FREE_SEAT, str(sku.enabled + sku.warning))
    return Go()
