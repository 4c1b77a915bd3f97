"""What taking a seat away means: the plan before anybody is asked, and the second look just before the write.

Written by Reclaim: direct assignments, and membership of static, unnested, cloud security groups that carry this one SKU.
Everything else needs a person (rule 6), and the last mailbox or OneDrive is held.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from reclaim.domain.directory import Group, LivePerson, MailboxPurpose, Path, Seat, ServicePlan, Sku
from reclaim.domain.exclusions import Exclusion, ExclusionId, ExclusionKind, strongest
from reclaim.domain.idle import Finding, NotIdleWhy, Rule, judge_seat
from reclaim.domain.ids import GroupId, ProductId, SeatId
from reclaim.domain.service_plans import dependents, switched_on
from reclaim.domain.workloads import Use


class StepKind(StrEnum):
    """The two writes that Reclaim makes."""

    DIRECT = "direct"  # POST /users/{id}/assignLicense; ref is the skuId
    LEAVE_GROUP = "leave_group"  # DELETE /groups/{ref}/members/{id}/$ref


class Blocker(StrEnum):
    """Why Reclaim does not write; the first twelve end `not_supported`, the others `held`."""

    GROUP_UNKNOWN = "group_unknown"
    GROUP_DYNAMIC = "group_dynamic"
    GROUP_SYNCED = "group_synced"
    GROUP_MAIL_ENABLED = "group_mail_enabled"
    GROUP_ROLE_ASSIGNABLE = "group_role_assignable"
    GROUP_RESTRICTED = "group_restricted"
    GROUP_NESTED = "group_nested"
    GROUP_OTHER_SKUS = "group_other_skus"
    NOT_A_DIRECT_MEMBER = "not_a_direct_member"
    SKU_UNKNOWN = "sku_unknown"
    ERROR_STATE = "error_state"
    NEEDED_BY = "needed_by"
    LAST_MAILBOX = "last_mailbox"
    LAST_FILES = "last_files"
    SHARED_MAILBOX = "shared_mailbox"
    ROOM_MAILBOX = "room_mailbox"
    EQUIPMENT_MAILBOX = "equipment_mailbox"


EXCLUDED = "excluded"  # the reason of an item that ends kept because an exclusion holds its seat
# Accounts of no person: blocked and without sign-ins as they should be, with a license that a large or archived mailbox
# needs (Microsoft 365 admin docs, remove-license-from-shared-mailbox).
NOBODYS: Mapping[MailboxPurpose, Blocker] = {
    MailboxPurpose.SHARED: Blocker.SHARED_MAILBOX,
    MailboxPurpose.ROOM: Blocker.ROOM_MAILBOX,
    MailboxPurpose.EQUIPMENT: Blocker.EQUIPMENT_MAILBOX,
}
HELD = frozenset({Blocker.LAST_MAILBOX, Blocker.LAST_FILES, *NOBODYS.values()})


@dataclass(frozen=True, slots=True, order=True)
class PlanStep:
    """One write: a skuId to unassign, or a group to leave."""

    kind: StepKind
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalPlan:
    """What removing one seat takes. With a blocker Reclaim takes none of the steps: a seat is freed whole or not at all.

    Attributes:
        steps: Empty where a group or an error stands in the way, and for a mailbox of no person. Another held seat has those
            that would take its data along: they are taken only for an assignee who accepts that.
        blocker_ref: The group or SKU that the blocker speaks of, if any.
        needed_by: Other products of this person that do not work without this one. Microsoft refuses to take it while they
            are there, so that they go before it, or in the same call.
    """

    steps: tuple[PlanStep, ...] = ()
    blocker: Blocker | None = None
    blocker_ref: str | None = None
    needed_by: tuple[ProductId, ...] = ()

    @property
    def writable(self) -> bool:
        """Whether Reclaim may carry this plan out."""
        return self.blocker is None and bool(self.steps)

    @property
    def held(self) -> bool:
        """Whether data would be lost, so that the seat ends `held`."""
        return self.blocker in HELD


def plan_removal(
    seat: Seat,
    others: Sequence[Seat],
    *,
    skus: Mapping[ProductId, Sku],
    groups: Mapping[GroupId, Group],
    purpose: MailboxPurpose | None = None,
) -> RemovalPlan:
    """Return what it takes to free `seat`.

    Args:
        seat: The seat to free, with all its paths.
        others: The same person's other seats: they decide whether a mailbox or OneDrive would be the last.
        skus: All SKUs of the tenant, for their service plans.
        groups: Facts of every group that gives one of these seats.
        purpose: What the holder's mailbox is for; None where that is not known.
    """
    sku = skus.get(seat.product_id)
    if sku is None:
        return RemovalPlan(blocker=Blocker.SKU_UNKNOWN, blocker_ref=seat.product_id)
    if purpose is not None and purpose in NOBODYS and Blocker.LAST_MAILBOX in carried(seat, skus):
        return RemovalPlan(blocker=NOBODYS[purpose], blocker_ref=seat.product_id)
    steps: list[PlanStep] = []
    for path in seat.paths:
        if not path.sound:
            return RemovalPlan(blocker=Blocker.ERROR_STATE, blocker_ref=path.group_id)
        if path.group_id is None:
            steps.append(PlanStep(StepKind.DIRECT, seat.product_id))
            continue
        blocker = group_blocker(groups.get(path.group_id), seat.product_id)
        if blocker is not None:
            return RemovalPlan(blocker=blocker, blocker_ref=path.group_id)
        steps.append(PlanStep(StepKind.LEAVE_GROUP, path.group_id))
    rest = _but(others, seat)
    needing = dependents(seat, rest, skus)
    needed_by = tuple(sorted(other.product_id for other in needing))
    blocker = _data_loss(seat, rest, skus)
    stuck = next((other.product_id for other in needing if _is_stuck(other, rest, skus, groups)), None)
    if blocker is None and stuck is not None:
        return RemovalPlan(blocker=Blocker.NEEDED_BY, blocker_ref=stuck, needed_by=needed_by)
    return RemovalPlan(
        steps=tuple(sorted(set(steps))),
        blocker=blocker,
        blocker_ref=None if blocker is None else seat.product_id,
        needed_by=needed_by,
    )


def group_blocker(group: Group | None, product: ProductId) -> Blocker | None:
    """Return why a person must not be taken out of `group` by us, or None. A fact that Microsoft did not give blocks."""
    if group is None:
        return Blocker.GROUP_UNKNOWN
    if group.dynamic:
        return Blocker.GROUP_DYNAMIC
    checks = (
        (group.synced, Blocker.GROUP_SYNCED),
        (group.mail_enabled, Blocker.GROUP_MAIL_ENABLED),
        (group.role_assignable, Blocker.GROUP_ROLE_ASSIGNABLE),
        (group.restricted, Blocker.GROUP_RESTRICTED),
        (group.has_nested_groups, Blocker.GROUP_NESTED),
    )
    for value, blocker in checks:
        # Graph sends null for "no" in onPremisesSyncEnabled, isAssignableToRole and isManagementRestricted; the connector
        # turns that into False. None here means that the fact was not read at all.
        if value is None:
            return Blocker.GROUP_UNKNOWN
        if value:
            return blocker
    if group.security_enabled is not True:
        return Blocker.GROUP_UNKNOWN
    if set(group.sku_ids) - {product}:
        return Blocker.GROUP_OTHER_SKUS
    return None


def _is_stuck(
    seat: Seat, others: Sequence[Seat], skus: Mapping[ProductId, Sku], groups: Mapping[GroupId, Group]
) -> bool:
    """Whether we know that we may not take this seat, itself or because of what needs it in turn.

    Of a group that was not read, Microsoft's answer to the write tells.
    """
    by_itself = any(
        not path.sound
        or (
            path.group_id is not None
            and path.group_id in groups
            and group_blocker(groups[path.group_id], seat.product_id) is not None
        )
        for path in seat.paths
    )
    rest = _but(others, seat)
    return by_itself or any(_is_stuck(other, rest, skus, groups) for other in dependents(seat, rest, skus))


def _but(seats: Sequence[Seat], one: Seat) -> list[Seat]:
    return [seat for seat in seats if seat.id != one.id]


def _data_loss(seat: Seat, others: Sequence[Seat], skus: Mapping[ProductId, Sku]) -> Blocker | None:
    """Return which data would die with the seat (rule 6: by service plan enabled for this person, never by SKU name)."""
    mine = carried(seat, skus)
    kept = {one for other in others for one in carried(other.sound_part, skus)}
    for blocker in (Blocker.LAST_MAILBOX, Blocker.LAST_FILES):
        if blocker in mine and blocker not in kept:
            return blocker
    return None


def carried(seat: Seat, skus: Mapping[ProductId, Sku]) -> set[Blocker]:
    """Return which data this seat carries for this person: a mailbox, OneDrive files, or both.

    EXCHANGE_S_FOUNDATION is a stub without a mailbox that many add-ons contain (Microsoft's product names and service plan
    identifiers).
    """
    found: set[Blocker] = set()
    for plan in switched_on(seat, skus):
        name = plan.name.upper()
        if _is_mailbox(plan):
            found.add(Blocker.LAST_MAILBOX)
        if name.startswith("SHAREPOINT"):
            found.add(Blocker.LAST_FILES)
    return found


def gives_mailbox(sku: Sku) -> bool:
    """Whether a product has a plan with a mailbox."""
    return any(map(_is_mailbox, sku.plans))


def _is_mailbox(plan: ServicePlan) -> bool:
    name = plan.name.upper()
    return name.startswith("EXCHANGE_S_") and name != "EXCHANGE_S_FOUNDATION"


class Outcome(StrEnum):
    """How an item ends."""

    KEPT = "kept"
    REMOVED = "removed"
    ALREADY_ABSENT = "already_absent"
    ACTIVE_AGAIN = "active_again"
    REGRANTED = "regranted"
    PLAN_CHANGED = "plan_changed"
    HELD = "held"
    NOT_SUPPORTED = "not_supported"
    MANUAL_DONE = "manual_done"
    DRY_RUN = "dry_run"
    SUPERSEDED = "superseded"
    FAILED = "failed"


# Approved seats that were taken and then read back as gone: by us, or by a person because we might not. Only they are saved.
VERIFIED_GONE: Final = (Outcome.REMOVED, Outcome.MANUAL_DONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """What was approved: the frozen facts of a review item that the second look compares with.

    Attributes:
        accepts_loss: Its assignee accepted on the item's own card that the data goes which the plan names.
    """

    seat_id: SeatId
    rule: Rule
    days: int
    paths: tuple[Path, ...]
    plan: RemovalPlan
    accepts_loss: bool = False


@dataclass(frozen=True, slots=True)
class Proceed:
    """The second look agrees: carry out exactly these steps."""

    steps: tuple[PlanStep, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """The second look disagrees: the seat stays, with the reason in one word of a fixed list.

    Attributes:
        exclusion: Which exclusion holds the seat, where that is the reason.
    """

    outcome: Outcome
    reason: str
    exclusion: str | None = None


def look_again(
    approved: Approved,
    live: LivePerson | None,
    *,
    now: datetime,
    data_as_of: datetime,
    skus: Mapping[ProductId, Sku],
    groups: Mapping[GroupId, Group],
    ours: frozenset[PlanStep] = frozenset(),
    never_seen_since: datetime | None = None,
    exclusions: Sequence[Exclusion] = (),
    listed: Set[ExclusionId] = frozenset(),
    use: Use | None = None,
    purpose: MailboxPurpose | None = None,
) -> Proceed | Stop:
    """Decide, from a live read just before the write, whether the approved removal may still be made (rule 5).

    Args:
        approved: What the reviewer approved.
        live: The person now, their sign-ins from the newest completed sync; None if Microsoft no longer knows the person.
        data_as_of: When the sign-in data in `live` was read.
        groups: Facts of the groups in the live paths, read now.
        exclusions: Those that may count now: what was excluded while the campaign ran is kept, whatever was answered.
        listed: Those whose list of people names this person.
        use: What the newest usage reports say of the product, where the installation judges by them.
        purpose: What the person's mailbox is for, where that is known.
        ours: Steps already carried out for this person, by any order: what they changed is not a stranger's doing.
    """
    if live is None or live.person.gone_at is not None:
        return Stop(Outcome.ALREADY_ABSENT, "person_gone")
    seat = next((one for one in live.seats if one.id == approved.seat_id), None)
    if seat is None or not seat.paths:
        return Stop(Outcome.ALREADY_ABSENT, "seat_gone")
    holding = strongest(exclusions, live.person, seat.product_id, now, listed)
    if holding is not None:
        # Which exclusion it was would say of one person that they may be away, and stays for ever.
        return Stop(Outcome.KEPT, EXCLUDED, None if holding.kind is ExclusionKind.AWAY else holding.id)
    if newer_paths(approved.paths, seat.paths):
        return Stop(Outcome.REGRANTED, "path_newer_than_approval")
    stop = _still_unused(
        approved, live, seat, now=now, data_as_of=data_as_of, never_seen_since=never_seen_since, use=use
    )
    if stop is not None:
        return stop
    left = _without(seat, ours)
    if not left.paths:
        return Proceed(())
    # A group that was left still shows its seat for hours. A seat on its way out saves no mailbox.
    others = [_without(other, ours) for other in live.seats]
    plan = plan_removal(left, others, skus=skus, groups=groups, purpose=purpose)
    if plan.blocker is not None and not _accepted(plan.blocker, approved):
        return Stop(Outcome.HELD if plan.held else Outcome.NOT_SUPPORTED, plan.blocker.value)
    for step in plan.steps:
        if step.kind is StepKind.LEAVE_GROUP and GroupId(step.ref) not in live.direct_group_ids:
            return Stop(Outcome.NOT_SUPPORTED, Blocker.NOT_A_DIRECT_MEMBER.value)
    if not set(plan.steps) <= set(approved.plan.steps):
        return Stop(Outcome.PLAN_CHANGED, "steps_differ")
    return Proceed(plan.steps)


def _accepted(blocker: Blocker, approved: Approved) -> bool:
    """Say whether this loss is the one that was accepted. Whoever gives up the mailbox was told of the files too."""
    return approved.accepts_loss and (
        blocker is approved.plan.blocker
        or (blocker is Blocker.LAST_FILES and approved.plan.blocker is Blocker.LAST_MAILBOX)
    )


def _without(seat: Seat, ours: frozenset[PlanStep]) -> Seat:
    return replace(seat, paths=tuple(path for path in seat.paths if _step(path, seat.product_id) not in ours))


def _step(path: Path, product: ProductId) -> PlanStep:
    return (
        PlanStep(StepKind.DIRECT, product) if path.group_id is None else PlanStep(StepKind.LEAVE_GROUP, path.group_id)
    )


def newer_paths(frozen: Sequence[Path], live: Sequence[Path]) -> list[Path]:
    """Return the paths that somebody touched or added since the snapshot. A path that vanished is no re-grant."""
    before = {path.group_id: path.updated_at for path in frozen}
    return [path for path in live if path.group_id not in before or _is_newer(path.updated_at, before[path.group_id])]


def _is_newer(at: datetime | None, known: datetime | None) -> bool:
    return at != known and (at is None or known is None or at > known)


def _still_unused(
    approved: Approved,
    live: LivePerson,
    seat: Seat,
    *,
    now: datetime,
    data_as_of: datetime,
    never_seen_since: datetime | None,
    use: Use | None,
) -> Stop | None:
    if approved.rule is Rule.DISABLED:
        # This rule reads no activity; an account that was enabled again is in use until somebody says otherwise.
        return None if live.person.enabled is False else Stop(Outcome.ACTIVE_AGAIN, "account_enabled")
    # An account that was disabled in the meantime is not a reason to keep, nor one to skip the evidence that was approved.
    judged = judge_seat(
        replace(live.person, enabled=True),
        seat,
        now=now,
        data_as_of=data_as_of,
        days=approved.days,
        never_seen_since=never_seen_since,
        use=use,
    )
    if isinstance(judged, Finding):
        return None
    # What was approved stood on reports: without them a person who signs in, as they did then, is not active again.
    unreported = approved.rule is Rule.UNUSED and (use is None or not use.whole)
    if unreported or judged is NotIdleWhy.UNKNOWN:
        return Stop(Outcome.PLAN_CHANGED, "activity_unknown")
    return Stop(Outcome.ACTIVE_AGAIN, judged.value)
