"""Which idle seats become review items, and why each other one does not: nothing idle is ever lost without a reason."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from reclaim.domain.campaign import Scope
from reclaim.domain.idle import Finding, rules_of
from reclaim.domain.ids import PersonId, SeatId
from reclaim.domain.lookup import folded
from reclaim.domain.read_models import LeftOut
from reclaim.domain.reviewers import Assignment


class LeftOutWhy(StrEnum):
    """Why an idle seat is not asked about. The first that fits is the one named."""

    SCOPE = "scope"  # not selected
    EXCLUDED = "excluded"  # an exclusion holds it: see domain.exclusions
    ASKED = "asked"  # somebody is being asked already (rule 9)
    ANSWERED = "answered"  # answered so recently that nobody is asked again
    NO_REVIEWER = "no_reviewer"  # neither the strategy nor the fallback finds anybody who may answer


@dataclass(frozen=True, slots=True)
class Selection:
    """The outcome: the idle seats to ask about, and the number of all others by reason."""

    items: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]


def scoped(
    findings: Iterable[Finding], scope: Scope, departments: Mapping[PersonId, str | None] | None = None
) -> tuple[Finding, ...]:
    """Return the idle seats that a scope selects.

    Args:
        findings: Idle for the scope's window.
        scope: What was chosen.
        departments: Of the holders. None: the scope's departments are not asked about.
    """
    products, rules = frozenset(scope.product_ids), rules_of(scope.rules)
    people, seats = frozenset(scope.person_ids), frozenset(scope.seat_ids)
    wanted = frozenset(map(folded, scope.departments)) if departments is not None else frozenset()
    return tuple(
        finding
        for finding in findings
        if (not products or finding.product_id in products)
        and (not rules or finding.rule in rules)
        and (not (people or seats) or finding.person_id in people or finding.seat_id in seats)
        and (not wanted or folded((departments or {}).get(finding.person_id) or "") in wanted)
    )


def select_seats(
    findings: Sequence[Finding],
    chosen: Set[SeatId],
    *,
    asked: Set[SeatId],
    answered: Set[SeatId],
    assignments: Mapping[SeatId, Assignment],
    excluded: Set[SeatId] = frozenset(),
) -> Selection:
    """Sort all idle seats into those to ask about and those left out.

    Args:
        findings: Every seat that is idle for the scope's window.
        chosen: The seats in scope, as `scoped` returned them.
        asked: Seats with an open question anywhere.
        answered: Seats with an answer that still counts.
        assignments: Reviewers of the seats in scope; a seat that is missing has none.
        excluded: Seats that an exclusion holds now.
    """
    items: list[Finding] = []
    left_out = dict.fromkeys(LeftOutWhy, 0)
    for finding in findings:
        why = _left_out(finding.seat_id, chosen, excluded, asked, answered, assignments)
        if why is None:
            items.append(finding)
        else:
            left_out[why] += 1
    return Selection(
        items=tuple(items),
        left_out=tuple(LeftOut(reason=why.value, seats=seats) for why, seats in left_out.items() if seats),
    )


def _left_out(
    seat: SeatId,
    chosen: Set[SeatId],
    excluded: Set[SeatId],
    asked: Set[SeatId],
    answered: Set[SeatId],
    assignments: Mapping[SeatId, Assignment],
) -> LeftOutWhy | None:
    if seat not in chosen:
        return LeftOutWhy.SCOPE
    if seat in excluded:
        return LeftOutWhy.EXCLUDED
    if seat in asked:
        return LeftOutWhy.ASKED
    if seat in answered:
        return LeftOutWhy.ANSWERED
    assignment = assignments.get(seat)
    if assignment is None or assignment.assignee_id is None:
        return LeftOutWhy.NO_REVIEWER
    return None
