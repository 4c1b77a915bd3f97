"""Giving a removed seat back: exactly what was there, or a reason why not; and finding that somebody else gave it back.

A restore undoes one verified removal. Like the removal it is written whole or not at all, read back before it counts, and
refused where a group has become one that Reclaim may not write to. Microsoft's own conditions: a free seat, and for a direct
license a usage location (graph.md, traps 17 and 18); Teams Phone numbers and the like do not come back with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reclaim.domain.directory import Group, LivePerson, Path, Seat, Sku
from reclaim.domain.ids import CampaignId, GroupId, ItemId, PersonId, ProductId, RestoreId
from reclaim.domain.removal import Outcome, group_blocker, newer_paths
from reclaim.domain.review import ReviewItem
from reclaim.errors import Conflict

# `consumedUnits` follows a write after 2 to 5 minutes (CIPP): so soon after a removal it cannot tell that no seat is free.
COUNT_LAGS = timedelta(minutes=10)


class RestoreState(StrEnum):
    """DESIGN section 2: restoring → restored | restore_failed; a failed one may be tried again."""

    RESTORING = "restoring"
    RESTORED = "restored"
    FAILED = "restore_failed"


class AskedHow(StrEnum):
    """Who wants the seat back. What a holder asks for was removed wrongly, by their own word: a false positive."""

    UNDO = "undo"  # an admin or a license manager
    RECEIPT = "receipt"  # the holder, on the receipt
    ASKED_BACK = "asked_back"  # the holder, who signed in again and was asked
    APPEAL = "appeal"  # the holder, who appealed; somebody else decided for them

    @property
    def by_holder(self) -> bool:
        """Whether the holder asked, which makes the removal a false positive."""
        return self is not AskedHow.UNDO


class WhyNot(StrEnum):
    """Why a seat does not come back; wording in cards/restores.py."""

    NO_FREE_SEAT = "no_free_seat"  # with the number of seats, all in use
    USAGE_LOCATION = "usage_location"
    GROUP_GONE = "group_gone"
    GROUP_CHANGED = "group_changed"  # it is dynamic, synced, nested ... or gives something else by now
    PERSON_GONE = "person_gone"
    PRODUCT_GONE = "product_gone"
    REFUSED = "refused"  # Microsoft refused it for another reason, with its HTTP status
    UNREACHABLE = "unreachable"
    NOT_SEEN = "not_seen"  # written, and not there after days
    DRY_RUN = "dry_run"


class RestoreKind(StrEnum):
    """The two writes that give a seat back."""

    ASSIGN_DIRECT = "assign_direct"  # POST /users/{id}/assignLicense; ref is the skuId
    JOIN_GROUP = "join_group"  # POST /groups/{ref}/members/$ref


class RestoreStepState(StrEnum):
    """As `orders.StepState`: `intended` is committed before the call."""

    PLANNED = "planned"
    INTENDED = "intended"
    WRITTEN = "written"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreStep:
    """One write that gives a path back.

    Attributes:
        disabled_plans: Of a direct path, the service plans that were off.
        client_request_id: Sent with the call and written down before it.
        maybe_written: The call may have landed although no answer came.
    """

    kind: RestoreKind
    ref: str
    disabled_plans: tuple[str, ...] = ()
    state: RestoreStepState = RestoreStepState.PLANNED
    attempt: int = 0
    client_request_id: str | None = None
    request_id: str | None = None
    error: str | None = None
    maybe_written: bool = False
    intended_at: datetime | None = None
    written_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """The undoing of one item's removal; an item has at most one.

    Attributes:
        version: Compare-and-set column.
        attempt: Part of the job key; a new one for every run.
        not_before: The present attempt is due then; None once it has ended.
        checks: How often in a row it was tried, or looked for, in vain.
        asked_by: An object id: who asked last.
        why_not, detail: Of a failed one: the reason, with the number of seats, the group's name or an HTTP status.
        after: The seat's paths as read back, as JSON; None until then.
    """

    id: RestoreId
    item_id: ItemId
    campaign_id: CampaignId
    person_id: PersonId
    product_id: ProductId
    state: RestoreState
    version: int
    attempt: int
    not_before: datetime | None
    checks: int
    asked_by: PersonId
    how: AskedHow
    asked_at: datetime
    steps: tuple[RestoreStep, ...]
    ended_at: datetime | None = None
    why_not: WhyNot | None = None
    detail: str | None = None
    after: str | None = None

    @property
    def wrote(self) -> bool:
        """Whether a write of ours has given something back, or may have."""
        return any(step.written_at is not None or step.maybe_written for step in self.steps)

    def again(self, by: PersonId, how: AskedHow, now: datetime) -> "Restore":
        """Return it as tried again: what is written stays written, all else is planned anew.

        Raises:
            Conflict: It has not failed.
        """
        if self.state is RestoreState.RESTORING:
            raise Conflict("This seat is being restored already.")
        if self.state is RestoreState.RESTORED:
            raise Conflict("This seat was restored already.")
        steps = tuple(
            replace(step, state=RestoreStepState.PLANNED, error=None) if step.state is RestoreStepState.FAILED else step
            for step in self.steps
        )
        return replace(
            self,
            state=RestoreState.RESTORING,
            version=self.version + 1,
            attempt=self.attempt + 1,
            not_before=now,
            checks=0,
            asked_by=by,
            how=how if how.by_holder or not self.how.by_holder else self.how,
            asked_at=now,
            steps=steps,
            ended_at=None,
            why_not=None,
            detail=None,
        )

    def with_step(self, number: int, step: RestoreStep) -> "Restore":
        """Return it with this step in place of the one of that number, one version on."""
        steps = tuple(step if at == number else one for at, one in enumerate(self.steps))
        return replace(self, steps=steps, version=self.version + 1)


class Returned(StrEnum):
    """How a removed seat came to be there again."""

    RESTORED = "restored"  # by us, on request
    REGRANTED = "regranted"  # by somebody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """A verified removal whose saving has ended: the seat is there again. One per item, for ever.

    Attributes:
        through: Ids of the groups that give it; `DIRECTLY` for a direct license.
        run_id: The sync that found it, None where we restored it ourselves.
    """

    item_id: ItemId
    campaign_id: CampaignId
    how: Returned
    at: datetime
    through: tuple[str, ...]
    run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBack:
    """The one question to a holder who signed in again after their seat was removed.

    Attributes:
        wanted: None until they answer.
    """

    item_id: ItemId
    campaign_id: CampaignId
    person_id: PersonId
    signed_in_at: datetime
    asked_at: datetime
    wanted: bool | None = None
    answered_at: datetime | None = None


def until(item: ReviewItem, window: timedelta) -> datetime | None:
    """Return when the way back closes; None for an item that took no seat away."""
    if item.outcome is not Outcome.REMOVED or item.verified_at is None:
        return None
    return item.verified_at + window


def check_restorable(
    item: ReviewItem, restore: Restore | None, reversal: Reversal | None, *, now: datetime, window: timedelta
) -> None:
    """Refuse what cannot be undone.

    Raises:
        Conflict: Nothing was removed, the window has passed, the seat is there again, or it is being restored.
    """
    last = until(item, window)
    if last is None:
        if item.outcome is None and item.waiting is not None:
            raise Conflict("This seat is still being removed. It can be restored once that is checked.")
        raise Conflict("Reclaim did not remove this seat, so there is nothing to restore.")
    if restore is not None and restore.state is not RestoreState.FAILED:
        raise Conflict(
            "This seat was restored already."
            if restore.state is RestoreState.RESTORED
            else "This seat is being restored already."
        )
    if reversal is not None and reversal.how is Returned.REGRANTED:
        raise Conflict("This seat is there again already: somebody gave it back. There is nothing to restore.")
    if now > last:
        raise Conflict(f"This seat was removed more than {window.days} days ago. Assign it in Entra instead.")


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot come back now. `detail`: see `Restore.detail`."""

    why: WhyNot
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody can say yet whether it may: Microsoft's count of used seats is behind."""


@dataclass(frozen=True, slots=True)
class Write:
    """These steps, by number, are still to be written; none: all is there."""

    steps: tuple[int, ...]


def plan_restore(
    restore: Restore,
    live: LivePerson | None,
    *,
    skus: Mapping[ProductId, Sku],
    groups: Mapping[GroupId, Group],
    removed_at: datetime,
    now: datetime,
) -> Write | Wait | Refused:
    """Decide from a live read what is still to be written.

    Args:
        restore: What is to come back.
        live: The person now; None if Microsoft no longer knows them.
        skus: All SKUs of the tenant, read now.
        groups: Facts of the groups to be joined, read now; a missing one does not exist.
        removed_at: When the seat was seen to be gone.
        now: The time of the read.
    """
    if live is None or live.person.gone_at is not None:
        return Refused(WhyNot.PERSON_GONE)
    seat = next((one for one in live.seats if one.product_id == restore.product_id), None)
    left = tuple(
        at
        for at, step in enumerate(restore.steps)
        if step.state is not RestoreStepState.WRITTEN and not is_there(step, seat, live)
    )
    if not left:
        return Write(())
    sku = skus.get(restore.product_id)
    if sku is None:
        return Refused(WhyNot.PRODUCT_GONE)
    for at in left:
        step = restore.steps[at]
        if step.kind is RestoreKind.JOIN_GROUP:
            group = groups.get(GroupId(step.ref))
            if group is None:
                return Refused(WhyNot.GROUP_GONE)
            if group_blocker(group, restore.product_id) is not None or restore.product_id not in group.sku_ids:
                return Refused(WhyNot.GROUP_CHANGED, group.name)
        elif live.person.usage_location is None:
            return Refused(WhyNot.USAGE_LOCATION)
    holds = seat is not None and any(path.gives_seat for path in seat.paths)
    if not holds and sku.available == 0:
        if now - removed_at >= COUNT_LAGS:
            return Refused(WhyNot.NO_FREE_SEAT, str(sku.enabled + sku.warning))
        if any(restore.steps[at].kind is RestoreKind.JOIN_GROUP for at in left):
            # Somebody who joins a group without a free seat stays there in an error state: better to know first.
            return Wait()
    return Write(left)


def is_there(step: RestoreStep, seat: Seat | None, live: LivePerson) -> bool:
    """Whether a path is there, whoever gave it. A direct one that another hand gave is left as that hand made it."""
    if step.kind is RestoreKind.JOIN_GROUP:
        return GroupId(step.ref) in live.direct_group_ids
    return seat is not None and any(path.group_id is None for path in seat.paths)


def is_whole(restore: Restore, seat: Seat | None) -> bool:
    """Whether a read shows every path of the restore giving the seat, with the plans that were off where we wrote them."""
    paths = {path.group_id: path for path in seat.paths if path.gives_seat} if seat else {}
    for step in restore.steps:
        path = paths.get(None if step.kind is RestoreKind.ASSIGN_DIRECT else GroupId(step.ref))
        if path is None:
            return False
        ours = step.kind is RestoreKind.ASSIGN_DIRECT and step.written_at is not None
        if ours and set(path.disabled_plans) != set(step.disabled_plans):
            return False
    return True


def without_seat(restore: Restore, seat: Seat | None) -> bool:
    """Whether Microsoft says that a path of ours is there and gives nothing, for want of a free seat (CountViolation)."""
    paths = seat.paths if seat else ()
    refs = {None if step.kind is RestoreKind.ASSIGN_DIRECT else step.ref for step in restore.steps}
    return any(path.group_id in refs and path.error == "CountViolation" for path in paths)


def came_back(
    frozen: Sequence[Path], seat: Seat, *, verified_at: datetime, read_at: datetime, lags: timedelta
) -> tuple[str, ...]:
    """Return through what a seat that was verified gone is there again; empty: it is not.

    A read may lag behind the removal and show the seat as it was. So a path counts if it is newer than the frozen ones, or if
    the read came so long after (`lags`) that it can no longer be the old one.
    """
    giving = [path for path in seat.paths if path.gives_seat]
    fresh = giving if read_at - verified_at > lags else newer_paths(frozen, giving)
    return tuple(sorted(path.through for path in fresh))
