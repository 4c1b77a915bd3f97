"""Work out what a drafted campaign would do: the same for its preview and, once more, for its launch."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reclaim.domain.calendar import end_of_day
from reclaim.domain.campaign import Scope, Strategy, check_draft
from reclaim.domain.directory import AssigneeKind, Group, Person, Seat, Sku
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.idle import Finding, Rule
from reclaim.domain.ids import AssigneeId, GroupId, PersonId, ProductId, SeatId
from reclaim.domain.money import Price
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import DataAge
from reclaim.domain.removal import RemovalPlan, plan_removal
from reclaim.domain.reviewers import Assignment, Candidates, assign
from reclaim.domain.selection import Selection, scoped, select_seats
from reclaim.errors import Conflict, GuardrailExceeded, InvalidRequest
from reclaim.ports.storage import SyncRun, UnitOfWork
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.services.freshness import data_age, gives_sign_ins, no_sign_in_data
from reclaim.services.listing import all_away
from reclaim.services.naming import names_of

_WINDOWS = (180, 90, 60, 30)  # those that the form offers
_CHUNK = 2_000  # findings whose people or seats are in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that is known of a campaign before it starts.

    Attributes:
        run: The sync run that the seats were judged by.
        idle: Seats idle for the draft's window, in scope or not.
        named_not_idle: People and seats named in the scope of whom nothing idle was found.
        assignments: For every seat in scope.
        plans: For every item.
        names: Of all reviewers, people and groups.
        held: Seats held per product, idle or not.
        over: The limit that the items exceed, hard before soft; None if they keep both.
        fallback: Who stands in; None if nobody can.
    """

    run: SyncRun
    data: DataAge
    due_at: datetime
    idle: int
    named_not_idle: int
    selection: Selection
    assignments: Mapping[SeatId, Assignment]
    plans: Mapping[SeatId, RemovalPlan]
    names: Mapping[AssigneeId, str]
    skus: Mapping[ProductId, Sku]
    prices: Mapping[ProductId, Price]
    held: Mapping[ProductId, int]
    over: GuardrailExceeded | None
    fallback: Person | None

    @property
    def seats_sha256(self) -> str:
        """A digest of exactly these items: a confirmation holds for them and for no others."""
        seats = sorted(finding.seat_id for finding in self.selection.items)
        return hashlib.sha256("\n".join(seats).encode()).hexdigest()


async def prepare(
    reading: UnitOfWork, draft: CampaignDraft, policy: Policy, now: datetime, *, allow_over: bool = False
) -> Prepared:
    """Return what the draft would do.

    People and seats are read in chunks and let go again, so that the memory is that of the findings.

    Args:
        allow_over: Prepare more than the hard limit too, to be looked at only.

    Raises:
        InvalidRequest: A field makes no sense, or no idle seat matches.
        NoSignInData: An activity rule is asked for and the tenant gives no sign-in data.
        Conflict: The tenant was never read, or its newest data is not judged yet.
        GuardrailExceeded: It exceeds a hard limit.
    """
    due_at = end_of_day(draft.due, draft.zone)
    check_draft(name=draft.name, due_at=due_at, now=now, days=draft.scope.days)
    run = await reading.syncs.newest_complete()
    if run is None:
        raise Conflict("The tenant was not read yet. Read it first: /reclaim sync")
    _check_rules(draft.scope, run)
    skus = await reading.catalog.skus()
    if any(product not in skus for product in draft.scope.product_ids):
        raise InvalidRequest("One of these SKUs is no longer in the tenant. Please choose again.", field="sku")
    fallback = await _fallback(reading, draft, policy)
    idle = await reading.findings.select(days=draft.scope.days, now=now)
    if any(finding.data_as_of != run.started_at for finding in idle):
        # The scan follows the sync in a transaction of its own: until then the findings are those of the run before.
        raise Conflict("The newest data is still being judged. Try again in a minute.")
    chosen = await _chosen(reading, idle, draft.scope)
    if not chosen:
        raise await _nothing_matches(reading, draft, now)
    assignments = await _assign(reading, draft, fallback, chosen)
    ids = [finding.seat_id for finding in chosen]
    selection = select_seats(
        idle,
        frozenset(ids),
        asked=await reading.items.with_open_question(ids),
        answered=await reading.items.answered_until(ids, now),
        assignments=assignments,
        excluded=await _excluded(reading, chosen, draft.scope.days, policy, now),
    )
    held = await reading.seats.held()
    over = _over(selection, skus, held, policy)
    if over is not None and over.hard and not allow_over:
        raise over
    return Prepared(
        run=run,
        data=data_age(run, now, policy.data_max_age),
        due_at=due_at,
        idle=len(idle),
        named_not_idle=_not_idle(draft.scope, idle),
        selection=selection,
        assignments=assignments,
        plans=await _plans(reading, selection.items, skus),
        names=await names_of(reading, (one.assignee_id for one in assignments.values())),
        skus=skus,
        prices=await reading.catalog.prices(now),
        held=held,
        over=over,
        fallback=fallback,
    )


async def _excluded(
    reading: UnitOfWork, chosen: Iterable[Finding], days: int, policy: Policy, now: datetime
) -> frozenset[SeatId]:
    counting = await reading.exclusions.counting(now)
    ids = {one.id for one in counting}
    away: frozenset[PersonId] = frozenset()
    # Findings are marked for the installation's window: for a longer one, absences of longer ago hold too.
    if days > policy.idle_days and any(one.kind is ExclusionKind.AWAY for one in counting):
        away = await all_away(reading, days=days, now=now)
    return frozenset(finding.seat_id for finding in chosen if finding.exclusion_id in ids or finding.person_id in away)


def _check_rules(scope: Scope, run: SyncRun) -> None:
    if not set(scope.rules) <= {rule.value for rule in Rule}:
        raise InvalidRequest("Please choose among disabled, never_seen and idle.", field="rules")
    if set(scope.rules) != {Rule.DISABLED.value} and not gives_sign_ins(run):
        raise no_sign_in_data(run)


async def _chosen(reading: UnitOfWork, idle: Sequence[Finding], scope: Scope) -> tuple[Finding, ...]:
    chosen = scoped(idle, scope)
    if not scope.departments:
        return chosen
    found: list[Finding] = []
    for some in _chunks(chosen):
        people = await reading.people.get_many(finding.person_id for finding in some)
        found += scoped(some, scope, {person.id: person.department for person in people.values()})
    return tuple(found)


async def _nothing_matches(reading: UnitOfWork, draft: CampaignDraft, now: datetime) -> InvalidRequest:
    scope = draft.scope
    if draft.by_hand:
        return InvalidRequest("None of these seats is idle any more. Look at the list again.")
    for days in _WINDOWS:
        if days < scope.days:
            seats = len(await _chosen(reading, await reading.findings.select(days=days, now=now), scope))
            if seats:
                nearest = f"{seats:,} seat{'s' * (seats != 1)} at {days} days"
                return InvalidRequest(f"No idle seat matches. The nearest: {nearest}.", field="days")
    return InvalidRequest("No idle seat matches. Leave one of the choices out.", field="days")


def _not_idle(scope: Scope, idle: Iterable[Finding]) -> int:
    if not (scope.person_ids or scope.seat_ids):
        return 0
    people: set[str] = set()
    seats: set[str] = set()
    for finding in idle:
        people.add(finding.person_id)
        seats.add(finding.seat_id)
    return len(set(scope.person_ids) - people) + len(set(scope.seat_ids) - seats)


async def _fallback(reading: UnitOfWork, draft: CampaignDraft, policy: Policy) -> Person | None:
    """Return who stands in. Somebody chosen must be able to; the installation's choice is passed over if not."""
    named = (draft.reviewer_id, draft.fallback_id, policy.fallback_reviewer)
    people = await reading.people.get_many(one for one in named if one is not None)
    if draft.strategy is Strategy.PERSON:
        _reviewer(draft.reviewer_id, people, field="reviewer")
    if draft.fallback_id is not None:
        return _reviewer(draft.fallback_id, people, field="fallback")
    person = people.get(policy.fallback_reviewer) if policy.fallback_reviewer else None
    return person if person is not None and person.can_review else None


def _reviewer(person_id: PersonId | None, people: Mapping[PersonId, Person], *, field: str) -> Person:
    person = people.get(person_id) if person_id else None
    if person is None or person.gone_at is not None:
        raise InvalidRequest("Please pick a person of this tenant.", field=field)
    if person.enabled is not True:
        raise InvalidRequest(f"{person.shown_name}’s account is disabled. Pick someone else.", field=field)
    if not person.can_review:
        raise InvalidRequest(f"{person.shown_name} is a guest. Pick someone else.", field=field)
    return person


async def _assign(
    reading: UnitOfWork, draft: CampaignDraft, fallback: Person | None, chosen: Sequence[Finding]
) -> dict[SeatId, Assignment]:
    """Return the assignment of every seat."""
    found: dict[SeatId, Assignment] = {}
    own = [one for one in (draft.reviewer_id, fallback.id if fallback else None) if one is not None]
    known = await reading.people.get_many(own)
    among = await candidates(
        reading,
        draft.strategy,
        known,
        reviewer_id=draft.reviewer_id,
        fallback_id=fallback.id if fallback else None,
    )
    known = dict(among.people)
    for some in _chunks(chosen):
        holders = await reading.people.get_many(finding.person_id for finding in some)
        managers = {person.manager_id for person in holders.values() if person.manager_id is not None}
        known |= await reading.people.get_many(one for one in managers if one not in known)
        here = replace(among, people=holders | known)
        found |= {
            finding.seat_id: assign(draft.strategy, holders[finding.person_id], finding.product_id, here)
            for finding in some
            if finding.person_id in holders
        }
    return found


async def candidates(
    reading: UnitOfWork,
    strategy: Strategy,
    people: Mapping[PersonId, Person],
    *,
    reviewer_id: PersonId | None,
    fallback_id: PersonId | None,
) -> Candidates:
    """Return all that the strategy may choose from.

    Args:
        people: Holders and their managers, the named reviewer and the fallback reviewer; owners are read here.
    """
    if strategy is not Strategy.OWNER:
        return Candidates(people=people, reviewer_id=reviewer_id, fallback_id=fallback_id)
    owners = await reading.catalog.owners()
    persons = {PersonId(one.owner) for one in owners.values() if one.kind is AssigneeKind.PERSON}
    groups = {GroupId(one.owner) for one in owners.values() if one.kind is AssigneeKind.GROUP}
    return Candidates(
        people={**people, **await reading.people.get_many(persons - people.keys())},
        fallback_id=fallback_id,
        owners=owners,
        members=await reading.people.reviewers_in(groups),
    )


def _over(
    selection: Selection, skus: Mapping[ProductId, Sku], held: Mapping[ProductId, int], policy: Policy
) -> GuardrailExceeded | None:
    per_product = Counter(finding.product_id for finding in selection.items)
    by_product = {
        product: (skus[product].name if product in skus else product, selected, held.get(product, 0))
        for product, selected in per_product.items()
    }
    for soft_confirmed in (True, False):
        try:
            policy.limits.check(len(selection.items), by_product, soft_confirmed=soft_confirmed)
        except GuardrailExceeded as error:
            return error
    return None


async def _plans(
    reading: UnitOfWork, items: Sequence[Finding], skus: Mapping[ProductId, Sku]
) -> dict[SeatId, RemovalPlan]:
    plans: dict[SeatId, RemovalPlan] = {}
    groups: dict[GroupId, Group] = {}
    for some in _chunks(items):
        wanted = {finding.seat_id for finding in some}
        seats = await reading.seats.of_people({finding.person_id for finding in some})
        purposes = await reading.mailboxes.purposes(seats)
        groups |= await reading.catalog.groups(_groups(seats.values()) - groups.keys())
        plans |= {
            seat.id: plan_removal(seat, own, skus=skus, groups=groups, purpose=purposes.get(seat.person_id))
            for own in seats.values()
            for seat in own
            if seat.id in wanted
        }
    return plans


def _chunks(findings: Sequence[Finding]) -> Iterator[Sequence[Finding]]:
    for start in range(0, len(findings), _CHUNK):
        yield findings[start : start + _CHUNK]


def _groups(seats: Iterable[Iterable[Seat]]) -> set[GroupId]:
    return {path.group_id for own in seats for seat in own for path in seat.paths if path.group_id is not None}
