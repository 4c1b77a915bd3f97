from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.campaign import Scope
from reclaim.domain.idle import Finding, Rule
from reclaim.domain.ids import PersonId, ProductId, SeatId, seat_id
from reclaim.domain.lookup import folded
from reclaim.domain.read_models import LeftOut
from reclaim.domain.review import AssignedHow
from reclaim.domain.reviewers import Assignment
from reclaim.domain.selection import scoped, select_seats
from reclaim.domain.syncing import is_suspicious_drop

DAY = datetime(2026, 11, 23, tzinfo=UTC)
PRODUCTS = ("visio", "project", "e3")
MEGAN = Assignment(PersonId("megan"), AssignedHow.MANAGER)
NOBODY = Assignment(None, AssignedHow.FALLBACK, "no_manager")


def finding(person: str, product: str = "visio", rule: Rule = Rule.IDLE) -> Finding:
    return Finding(
        seat_id=seat_id(PersonId(person), ProductId(product)),
        person_id=PersonId(person),
        product_id=ProductId(product),
        rule=rule,
        quiet_since=DAY,
        last_seen_at=None,
        last_seen_kind=None,
        assigned_at=None,
        data_as_of=DAY,
    )


FINDINGS = st.lists(
    st.builds(finding, st.integers(0, 12).map(str), st.sampled_from(PRODUCTS), st.sampled_from(Rule)),
    unique_by=lambda one: one.seat_id,
    max_size=30,
)
SEATS = [seat_id(PersonId(str(number)), ProductId(product)) for number in range(13) for product in PRODUCTS]
SOME_SEATS = st.frozensets(st.sampled_from(SEATS))
PEOPLE = [PersonId(str(number)) for number in range(13)]
DEPARTMENTS = ("Sales", "sales ", "Marketing", None)
SCOPES = st.builds(
    Scope,
    product_ids=st.lists(st.sampled_from(PRODUCTS).map(ProductId), max_size=2).map(tuple),
    rules=st.lists(st.sampled_from([rule.value for rule in Rule]), max_size=2).map(tuple),
    departments=st.lists(st.sampled_from(["SALES", "Marketing", "Legal"]), max_size=2).map(tuple),
    person_ids=st.lists(st.sampled_from(PEOPLE), max_size=5).map(tuple),
    seat_ids=st.lists(st.sampled_from(SEATS), max_size=10).map(tuple),
)
IN_DEPARTMENT = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(DEPARTMENTS))


@given(FINDINGS, SCOPES, IN_DEPARTMENT, SOME_SEATS, SOME_SEATS, SOME_SEATS, SOME_SEATS)
def test_every_idle_seat_is_an_item_or_left_out_for_one_reason(
    findings: list[Finding],
    scope: Scope,
    departments: dict[PersonId, str | None],
    asked: frozenset[SeatId],
    answered: frozenset[SeatId],
    reviewed: frozenset[SeatId],
    orphaned: frozenset[SeatId],
) -> None:
    assignments = dict.fromkeys(orphaned, NOBODY) | dict.fromkeys(reviewed, MEGAN)
    chosen = frozenset(one.seat_id for one in scoped(findings, scope, departments))

    selection = select_seats(findings, chosen, asked=asked, answered=answered, assignments=assignments)

    counts = {left.reason: left.seats for left in selection.left_out}
    assert len(selection.items) + sum(counts.values()) == len(findings)
    assert len(counts) == len(selection.left_out)
    assert counts.get("scope", 0) == len(findings) - len(chosen)
    for item in selection.items:
        assert item.seat_id in reviewed
        assert item.seat_id not in asked | answered
        assert _is_wanted(item, scope, departments)
    for one in findings:
        assert (one.seat_id in chosen) == _is_wanted(one, scope, departments)


def _is_wanted(one: Finding, scope: Scope, departments: dict[PersonId, str | None]) -> bool:
    """What a scope means, said once more and seat by seat."""
    own = departments.get(one.person_id)
    if scope.product_ids and one.product_id not in scope.product_ids:
        return False
    # Who chooses idle seats means also those that reports find unused.
    wanted = {*scope.rules, *([Rule.UNUSED] if Rule.IDLE in scope.rules else [])}
    if wanted and one.rule not in wanted:
        return False
    if scope.departments and (own is None or folded(own) not in [folded(name) for name in scope.departments]):
        return False
    named = one.person_id in scope.person_ids or one.seat_id in scope.seat_ids
    return named or not (scope.person_ids or scope.seat_ids)


def test_disabled_or_unused_for_so_long_is_a_union() -> None:
    seats = [finding("off", rule=Rule.DISABLED), finding("quiet"), finding("new", rule=Rule.NEVER_SEEN)]

    chosen = scoped(seats, Scope(days=180, rules=("disabled", "idle")))

    assert [one.person_id for one in chosen] == ["off", "quiet"]


def test_the_first_reason_that_fits_is_the_one_named() -> None:
    seats = [finding(person) for person in ("out", "asked", "answered", "orphan", "unknown", "item")]
    ids = {one.person_id: one.seat_id for one in seats}
    everything = frozenset(ids.values())

    selection = select_seats(
        seats,
        everything - {ids[PersonId("out")]},
        asked={ids[PersonId("out")], ids[PersonId("asked")]},
        answered={ids[PersonId("out")], ids[PersonId("asked")], ids[PersonId("answered")]},
        assignments={ids[PersonId("orphan")]: NOBODY, ids[PersonId("item")]: MEGAN},
    )

    assert [item.person_id for item in selection.items] == ["item"]
    assert selection.left_out == (
        LeftOut(reason="scope", seats=1),
        LeftOut(reason="asked", seats=1),
        LeftOut(reason="answered", seats=1),
        LeftOut(reason="no_reviewer", seats=2),
    )


def test_a_drop_is_suspicious_from_one_row_over_a_tenth() -> None:
    assert not is_suspicious_drop(100, 10)
    assert is_suspicious_drop(100, 11)


def test_a_handful_of_rows_has_no_meaningful_share() -> None:
    assert not is_suspicious_drop(9, 9)
    assert is_suspicious_drop(10, 2)


def test_what_we_took_away_ourselves_explains_a_drop() -> None:
    assert not is_suspicious_drop(100, 60, explained=50)
    assert is_suspicious_drop(100, 61, explained=50)
