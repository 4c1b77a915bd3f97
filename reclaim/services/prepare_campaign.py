"""Work out what a drafted campaign would do: the same for its preview and, once more, for its launch."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reclaim.domain.calendar import end_of_day
from reclaim.domain.campaign import Scope, Strategy, check_draft
from reclaim.domain.directory import Person, Seat, Sku
from reclaim.domain.idle import Finding, Rule
from reclaim.domain.ids import GroupId, PersonId, ProductId, SeatId
from reclaim.domain.money import Price
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import DataAge
from reclaim.domain.removal import RemovalPlan, plan_removal
from reclaim.domain.reviewers import Assignment, assign
from reclaim.domain.selection import Selection, scoped, select_seats
from reclaim.errors import Conflict, InvalidRequest
from reclaim.ports.storage import SyncRun, UnitOfWork
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.services.freshness import data_age, gives_sign_ins, no_sign_in_data

_WINDOWS = (180, 90, 60, 30)  # those that the form offers


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that is known of a campaign before it starts.

    Attributes:
        run: The sync run that the seats were judged by.
        idle: Seats idle for the draft's window, in scope or not.
        assignments: For every seat in scope.
        plans: For every item.
        fallback: Who stands in; None if nobody can.
    """

    run: SyncRun
    data: DataAge
    due_at: datetime
    idle: int
    selection: Selection
    assignments: Mapping[SeatId, Assignment]
    plans: Mapping[SeatId, RemovalPlan]
    people: Mapping[PersonId, Person]
    skus: Mapping[ProductId, Sku]
    prices: Mapping[ProductId, Price]
    fallback: Person | None


async def prepare(reading: UnitOfWork, draft: CampaignDraft, policy: Policy, now: datetime) -> Prepared:
    """Return what the draft would do.

    Raises:
        InvalidRequest: A field makes no sense, or no idle seat matches.
        NoSignInData: An activity rule is asked for and the tenant gives no sign-in data.
        Conflict: The tenant was never read, or its newest data is not judged yet.
        GuardrailExceeded: It is too large.
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
    idle = await reading.findings.select(days=draft.scope.days, now=now)
    if any(finding.data_as_of != run.started_at for finding in idle):
        # The scan follows the sync in a transaction of its own: until then the findings are those of the run before.
        raise Conflict("The newest data is still being judged. Try again in a minute.")
    chosen = scoped(idle, draft.scope)
    if not chosen:
        raise InvalidRequest(await _nothing_matches(reading, draft.scope, now), field="days")
    people = await _people(reading, draft, policy, chosen)
    fallback = _fallback(draft, policy, people)
    assignments = _assign(draft, fallback, chosen, people)
    ids = [finding.seat_id for finding in chosen]
    selection = select_seats(
        idle,
        draft.scope,
        asked=await reading.items.with_open_question(ids),
        answered=await reading.items.answered_until(ids, now),
        assignments=assignments,
        excluded=await _excluded(reading, chosen, now),
    )
    _check_size(selection, skus, await reading.seats.held(), policy)
    return Prepared(
        run=run,
        data=data_age(run, now, policy.data_max_age),
        due_at=due_at,
        idle=len(idle),
        selection=selection,
        assignments=assignments,
        plans=await _plans(reading, selection.items, skus),
        people=people,
        skus=skus,
        prices=await reading.catalog.prices(now),
        fallback=fallback,
    )


async def _excluded(reading: UnitOfWork, chosen: Iterable[Finding], now: datetime) -> frozenset[SeatId]:
    counting = {one.id for one in await reading.exclusions.counting(now)}
    return frozenset(finding.seat_id for finding in chosen if finding.exclusion_id in counting)


def _check_rules(scope: Scope, run: SyncRun) -> None:
    if not set(scope.rules) <= {rule.value for rule in Rule}:
        raise InvalidRequest("Please choose among disabled, never_seen and idle.", field="rules")
    if set(scope.rules) != {Rule.DISABLED.value} and not gives_sign_ins(run):
        raise no_sign_in_data(run)


async def _nothing_matches(reading: UnitOfWork, scope: Scope, now: datetime) -> str:
    for days in _WINDOWS:
        if days < scope.days:
            seats = len(scoped(await reading.findings.select(days=days, now=now), scope))
            if seats:
                return f"No idle seat matches. The nearest: {seats:,} seat{'s' * (seats != 1)} at {days} days."
    return "No idle seat matches."


async def _people(
    reading: UnitOfWork, draft: CampaignDraft, policy: Policy, chosen: Iterable[Finding]
) -> dict[PersonId, Person]:
    """Return holders, their managers, and the reviewers that the draft and the policy name."""
    people = await reading.people.get_many({finding.person_id for finding in chosen})
    more = {person.manager_id for person in people.values()}
    more |= {draft.reviewer_id, draft.fallback_id, policy.fallback_reviewer}
    return people | await reading.people.get_many(one for one in more if one is not None and one not in people)


def _fallback(draft: CampaignDraft, policy: Policy, people: Mapping[PersonId, Person]) -> Person | None:
    """Return who stands in. Somebody chosen must be able to; the installation's choice is passed over if not."""
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


def _assign(
    draft: CampaignDraft, fallback: Person | None, chosen: Iterable[Finding], people: Mapping[PersonId, Person]
) -> dict[SeatId, Assignment]:
    return {
        finding.seat_id: assign(
            draft.strategy,
            people[finding.person_id],
            people=people,
            reviewer_id=draft.reviewer_id,
            fallback_id=fallback.id if fallback else None,
        )
        for finding in chosen
        if finding.person_id in people
    }


def _check_size(
    selection: Selection, skus: Mapping[ProductId, Sku], held: Mapping[ProductId, int], policy: Policy
) -> None:
    per_product = Counter(finding.product_id for finding in selection.items)
    policy.limits.check(
        len(selection.items),
        {
            product: (skus[product].name if product in skus else product, selected, held.get(product, 0))
            for product, selected in per_product.items()
        },
        # A second admin's confirmation is not built yet, so the soft limit refuses like the hard one.
        soft_confirmed=False,
    )


async def _plans(
    reading: UnitOfWork, items: Iterable[Finding], skus: Mapping[ProductId, Sku]
) -> dict[SeatId, RemovalPlan]:
    wanted = {finding.seat_id: finding.person_id for finding in items}
    seats = await reading.seats.of_people(set(wanted.values()))
    groups = await reading.catalog.groups(_groups(seats.values()))
    return {
        seat.id: plan_removal(seat, own, skus=skus, groups=groups)
        for own in seats.values()
        for seat in own
        if seat.id in wanted
    }


def _groups(seats: Iterable[Iterable[Seat]]) -> set[GroupId]:
    return {path.group_id for own in seats for seat in own for path in seat.paths if path.group_id is not None}
