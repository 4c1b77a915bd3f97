"""The three facts that are stored as JSON because they are frozen and only ever read whole: snapshot, plan, scope.

Each has an explicit encoder and a strict decoder. A key that is missing or unknown, or a value of another type, is a
ValueError: what was shown to a reviewer must come back exactly, or not at all. Its message names keys and types only.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import TypeVar

from reclaim.domain.activity import SignInKind
from reclaim.domain.campaign import Scope
from reclaim.domain.directory import Path
from reclaim.domain.ids import GroupId, PersonId, ProductId
from reclaim.domain.money import Money
from reclaim.domain.removal import Blocker, PlanStep, RemovalPlan, StepKind
from reclaim.domain.review import Snapshot

Json = dict[str, object]
_WITHOUT_REPORTS: Json = {"last_used_at": None, "reported_at": None}
_NEEDED_BY_NOTHING: Json = {"needed_by": []}
S = TypeVar("S")
T = TypeVar("T")


def encode_snapshot(snapshot: Snapshot) -> Json:
    """Return the evidence of an item as a JSON object."""
    return {
        "person_name": snapshot.person_name,
        "upn": snapshot.upn,
        "department": snapshot.department,
        "account_enabled": snapshot.account_enabled,
        "disabled_seen_at": _optional(_instant_text, snapshot.disabled_seen_at),
        "sku_name": snapshot.sku_name,
        "part_number": snapshot.part_number,
        "last_seen_at": _optional(_instant_text, snapshot.last_seen_at),
        "last_seen_kind": snapshot.last_seen_kind.value if snapshot.last_seen_kind else None,
        "quiet_since": _instant_text(snapshot.quiet_since),
        "assigned_at": _optional(_instant_text, snapshot.assigned_at),
        "data_as_of": _instant_text(snapshot.data_as_of),
        "paths": [_encode_path(path) for path in snapshot.paths],
        "path_names": dict(snapshot.path_names),
        "monthly": _optional(_encode_money, snapshot.monthly),
        **_encode_use(snapshot),
    }


def _encode_use(snapshot: Snapshot) -> Json:
    """Return what usage reports said; nothing for a seat that was not judged by them, as before there were any."""
    if snapshot.last_used_at is None and snapshot.reported_at is None:
        return {}
    return {
        "last_used_at": _optional(_instant_text, snapshot.last_used_at),
        "reported_at": _optional(_instant_text, snapshot.reported_at),
    }


def decode_snapshot(value: object) -> Snapshot:
    """Return the evidence of an item.

    Raises:
        ValueError: It is not what `encode_snapshot` writes.
    """
    found = _object({**_WITHOUT_REPORTS, **_any_object(value)}, Snapshot)
    return Snapshot(
        person_name=_text(found["person_name"]),
        upn=_text(found["upn"]),
        department=_optional(_text, found["department"]),
        account_enabled=_optional(_flag, found["account_enabled"]),
        disabled_seen_at=_optional(_instant, found["disabled_seen_at"]),
        sku_name=_text(found["sku_name"]),
        part_number=_text(found["part_number"]),
        last_seen_at=_optional(_instant, found["last_seen_at"]),
        last_seen_kind=_optional(_sign_in_kind, found["last_seen_kind"]),
        quiet_since=_instant(found["quiet_since"]),
        assigned_at=_optional(_instant, found["assigned_at"]),
        data_as_of=_instant(found["data_as_of"]),
        paths=tuple(_decode_path(path) for path in _list(found["paths"])),
        path_names={key: _text(name) for key, name in _any_object(found["path_names"]).items()},
        monthly=_optional(_decode_money, found["monthly"]),
        last_used_at=_optional(_instant, found["last_used_at"]),
        reported_at=_optional(_instant, found["reported_at"]),
    )


def encode_plan(plan: RemovalPlan) -> Json:
    """Return the plan of a removal as a JSON object."""
    return {
        "steps": [{"kind": step.kind.value, "ref": step.ref} for step in plan.steps],
        "blocker": plan.blocker.value if plan.blocker else None,
        "blocker_ref": plan.blocker_ref,
        **({"needed_by": list(plan.needed_by)} if plan.needed_by else {}),
    }


def decode_plan(value: object) -> RemovalPlan:
    """Return the plan of a removal.

    Raises:
        ValueError: It is not what `encode_plan` writes.
    """
    found = _object({**_NEEDED_BY_NOTHING, **_any_object(value)}, RemovalPlan)
    steps = (_object(step, PlanStep) for step in _list(found["steps"]))
    return RemovalPlan(
        steps=tuple(PlanStep(StepKind(_text(step["kind"])), _text(step["ref"])) for step in steps),
        blocker=_optional(_blocker, found["blocker"]),
        blocker_ref=_optional(_text, found["blocker_ref"]),
        needed_by=tuple(ProductId(_text(product)) for product in _list(found["needed_by"])),
    )


def encode_scope(scope: Scope) -> Json:
    """Return the scope of a campaign as a JSON object."""
    return {
        "days": scope.days,
        "product_ids": list(scope.product_ids),
        "rules": list(scope.rules),
        "departments": list(scope.departments),
        "person_ids": list(scope.person_ids),
        "seat_ids": list(scope.seat_ids),
    }


def decode_scope(value: object) -> Scope:
    """Return the scope of a campaign.

    Raises:
        ValueError: It is not what `encode_scope` writes.
    """
    found = _object(value, Scope)
    return Scope(
        days=_integer(found["days"]),
        product_ids=tuple(ProductId(_text(product)) for product in _list(found["product_ids"])),
        rules=tuple(_text(rule) for rule in _list(found["rules"])),
        departments=tuple(_text(name) for name in _list(found["departments"])),
        person_ids=tuple(PersonId(_text(person)) for person in _list(found["person_ids"])),
        seat_ids=tuple(_text(seat) for seat in _list(found["seat_ids"])),
    )


def _encode_path(path: Path) -> Json:
    return {
        "group_id": path.group_id,
        "state": path.state,
        "error": path.error,
        "disabled_plans": list(path.disabled_plans),
        "updated_at": _optional(_instant_text, path.updated_at),
    }


def _decode_path(value: object) -> Path:
    found = _object(value, Path)
    group = _optional(_text, found["group_id"])
    return Path(
        group_id=GroupId(group) if group is not None else None,
        state=_text(found["state"]),
        error=_optional(_text, found["error"]),
        disabled_plans=tuple(_text(plan) for plan in _list(found["disabled_plans"])),
        updated_at=_optional(_instant, found["updated_at"]),
    )


def _encode_money(money: Money) -> Json:
    return {"minor": money.minor, "currency": money.currency}


def _decode_money(value: object) -> Money:
    found = _object(value, Money)
    return Money(_integer(found["minor"]), _text(found["currency"]))


def _instant_text(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("a naive datetime may not be stored")
    return at.astimezone(UTC).isoformat()


def _instant(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError("stored JSON: an instant without a zone")
    return at.astimezone(UTC)


def _sign_in_kind(value: object) -> SignInKind:
    return SignInKind(_text(value))


def _blocker(value: object) -> Blocker:
    return Blocker(_text(value))


def _optional(convert: Callable[[S], T], value: S | None) -> T | None:
    return None if value is None else convert(value)


def _any_object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"stored JSON: an object was expected, not {type(value).__name__}")
    return value


def _object(
    value: object, becomes: type[Snapshot | RemovalPlan | PlanStep | Scope | Path | Money]
) -> Mapping[str, object]:
    """Return `value` if it is an object whose keys are exactly the fields of the dataclass that it becomes."""
    found = _any_object(value)
    odd = found.keys() ^ {field.name for field in fields(becomes)}
    if odd:
        raise ValueError(f"stored JSON: missing or unknown keys: {sorted(odd)}")
    return found


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"stored JSON: a list was expected, not {type(value).__name__}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"stored JSON: text was expected, not {type(value).__name__}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"stored JSON: true or false was expected, not {type(value).__name__}")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"stored JSON: an integer was expected, not {type(value).__name__}")
    return value
