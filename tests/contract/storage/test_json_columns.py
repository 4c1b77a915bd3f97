import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reclaim.domain.activity import SignInKind
from reclaim.domain.campaign import Scope
from reclaim.domain.directory import Path
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.domain.money import Money
from reclaim.domain.removal import Blocker, PlanStep, RemovalPlan, StepKind
from reclaim.domain.review import Snapshot
from storage.repositories.json_columns import (
    decode_plan,
    decode_scope,
    decode_snapshot,
    encode_plan,
    encode_scope,
    encode_snapshot,
)
from tests.contract.storage.campaign_samples import snapshot

INSTANTS = st.datetimes(timezones=st.just(UTC))
PATHS = st.builds(
    Path,
    group_id=st.none() | st.text().map(GroupId),
    state=st.text(),
    error=st.none() | st.text(),
    disabled_plans=st.lists(st.text()).map(tuple),
    updated_at=st.none() | INSTANTS,
)
MONEY = st.builds(Money, minor=st.integers(), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
SNAPSHOTS = st.builds(
    Snapshot,
    person_name=st.text(),
    upn=st.text(),
    department=st.none() | st.text(),
    account_enabled=st.none() | st.booleans(),
    disabled_seen_at=st.none() | INSTANTS,
    sku_name=st.text(),
    part_number=st.text(),
    last_seen_at=st.none() | INSTANTS,
    last_seen_kind=st.none() | st.sampled_from(SignInKind),
    quiet_since=INSTANTS,
    assigned_at=st.none() | INSTANTS,
    data_as_of=INSTANTS,
    paths=st.lists(PATHS, max_size=4).map(tuple),
    path_names=st.dictionaries(st.text(), st.text(), max_size=4),
    monthly=st.none() | MONEY,
    last_used_at=st.none() | INSTANTS,
    reported_at=st.none() | INSTANTS,
)
PLANS = st.builds(
    RemovalPlan,
    steps=st.lists(st.builds(PlanStep, st.sampled_from(StepKind), st.text()), max_size=4).map(tuple),
    blocker=st.none() | st.sampled_from(Blocker),
    blocker_ref=st.none() | st.text(),
    needed_by=st.lists(st.text().map(ProductId), max_size=3).map(tuple),
)
SCOPES = st.builds(
    Scope,
    days=st.integers(),
    product_ids=st.lists(st.text().map(ProductId)).map(tuple),
    rules=st.lists(st.text()).map(tuple),
    departments=st.lists(st.text()).map(tuple),
    person_ids=st.lists(st.text().map(PersonId)).map(tuple),
    seat_ids=st.lists(st.text()).map(tuple),
)


@given(SNAPSHOTS)
def test_any_snapshot_comes_back_from_its_json(one: Snapshot) -> None:
    assert decode_snapshot(json.loads(json.dumps(encode_snapshot(one)))) == one


@given(PLANS)
def test_any_plan_comes_back_from_its_json(one: RemovalPlan) -> None:
    assert decode_plan(json.loads(json.dumps(encode_plan(one)))) == one


@given(SCOPES)
def test_any_scope_comes_back_from_its_json(one: Scope) -> None:
    assert decode_scope(json.loads(json.dumps(encode_scope(one)))) == one


def test_a_plan_is_stored_in_this_form() -> None:
    plan = RemovalPlan(steps=(PlanStep(StepKind.LEAVE_GROUP, "g1"),), blocker=Blocker.LAST_FILES, blocker_ref="sku")

    assert encode_plan(plan) == {
        "steps": [{"kind": "leave_group", "ref": "g1"}],
        "blocker": "last_files",
        "blocker_ref": "sku",
    }
    assert encode_plan(replace(plan, needed_by=(ProductId("e5"),))) == {**encode_plan(plan), "needed_by": ["e5"]}


def test_instants_are_stored_in_utc_with_their_zone() -> None:
    berlin = timezone(timedelta(hours=2))
    path = Path(group_id=None, state="Active", updated_at=datetime(2026, 5, 1, 10, 0, 0, 5, tzinfo=berlin))
    one = Snapshot(
        person_name="Zoë",
        upn="z",
        department=None,
        account_enabled=None,
        disabled_seen_at=None,
        sku_name="Visio",
        part_number="V",
        last_seen_at=None,
        last_seen_kind=None,
        quiet_since=datetime(2026, 1, 1, tzinfo=UTC),
        assigned_at=None,
        data_as_of=datetime(2026, 1, 2, tzinfo=UTC),
        paths=(path,),
        path_names={},
        monthly=Money(1000, "EUR"),
    )

    assert encode_snapshot(one) == {
        "person_name": "Zoë",
        "upn": "z",
        "department": None,
        "account_enabled": None,
        "disabled_seen_at": None,
        "sku_name": "Visio",
        "part_number": "V",
        "last_seen_at": None,
        "last_seen_kind": None,
        "quiet_since": "2026-01-01T00:00:00+00:00",
        "assigned_at": None,
        "data_as_of": "2026-01-02T00:00:00+00:00",
        "paths": [
            {
                "group_id": None,
                "state": "Active",
                "error": None,
                "disabled_plans": [],
                "updated_at": "2026-05-01T08:00:00.000005+00:00",
            }
        ],
        "path_names": {},
        "monthly": {"minor": 1000, "currency": "EUR"},
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("surprise", 1),
        ("person_name", None),
        ("account_enabled", 1),
        ("quiet_since", "2026-01-01T00:00:00"),
        ("quiet_since", "yesterday"),
        ("last_seen_kind", "telepathy"),
        ("paths", "none"),
        ("paths", [{"group_id": None}]),
        ("path_names", []),
        ("path_names", {"g1": 5}),
        ("monthly", {"minor": 10.5, "currency": "EUR"}),
        ("monthly", {"minor": True, "currency": "EUR"}),
        ("monthly", {"minor": 10, "currency": "EUR", "vat": 19}),
        ("monthly", 10),
    ],
)
def test_a_snapshot_with_an_odd_value_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"stored JSON|isoformat|telepathy"):
        decode_snapshot(encode_snapshot(snapshot()) | {key: value})


@pytest.mark.parametrize(
    ("decode", "whole"),
    [
        (decode_snapshot, encode_snapshot(snapshot())),
        (decode_plan, encode_plan(RemovalPlan())),
        (decode_scope, encode_scope(Scope())),
    ],
)
def test_a_missing_key_is_refused_and_named_without_any_value(
    decode: Callable[[object], object], whole: dict[str, object]
) -> None:
    for key in whole:
        rest = {name: value for name, value in whole.items() if name != key}
        with pytest.raises(ValueError, match=rf"^stored JSON: missing or unknown keys: \['{key}'\]$"):
            decode(rest)


def test_a_naive_instant_is_not_encoded() -> None:
    path = Path(group_id=None, state="Active", updated_at=datetime(2026, 5, 1))  # noqa: DTZ001 - the mistake to find

    with pytest.raises(ValueError, match="naive"):
        encode_snapshot(replace(snapshot(), paths=(path,)))
