"""The two forms of exported evidence. Pure: the same evidence gives the same bytes."""

import csv
import hashlib
import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from io import StringIO

from reclaim.domain.appeals import AppealLine
from reclaim.domain.campaign import Campaign
from reclaim.domain.directory import Sku
from reclaim.domain.ids import AssigneeId, ItemId, ProductId
from reclaim.domain.money import Money
from reclaim.domain.orders import RemovalOrder
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import PopulationRow
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.restore import Reversal
from reclaim.domain.review import ReviewItem
from reclaim.domain.savings import Renewal
from reclaim.domain.spreadsheet import harmless
from reclaim.domain.tasks import ManualTask
from reclaim.ports.storage import StreamRequest, SyncRun
from reclaim.services.event_records import EventRecord, fact_text

FORMAT_VERSION = 1
_SLUG_LENGTH = 60
CSV_COLUMNS = (
    "seq", "at", "kind", "actor_id", "actor_name", "item_id", "person_name", "upn", "sku", "facts", "personal",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is exported of one campaign.

    Attributes:
        orders: The campaign's removals, with every step.
        skus, held, newest: Microsoft's counts and ours as of the newest completed sync.
        population: Every seat of the campaign's products that was read by then, each once, beside Microsoft's count.
        names: Of assignees, people and groups, answerers, owner and reviewers.
        run: The sync run that the campaign was started on, with `requests`, what it asked of Microsoft.
        realised: Of the seats verified gone, those by which an order has become smaller at its renewal, and since when.
        reversals: Of the seats verified gone, those that are there again, with how; their savings have ended.
        group_names: Of the groups in `reversals`.
        tasks: What somebody did by hand about seats that Reclaim might not take.
        appeals: What holders of removed seats asked to have looked at again.
        reduce: See `reduce_orders`.
        policy: The rules of the installation at the time of the export.
        at: When it was exported.
    """

    campaign: Campaign
    items: tuple[ReviewItem, ...]
    names: Mapping[AssigneeId, str]
    records: tuple[EventRecord, ...]
    run: SyncRun | None
    requests: tuple[StreamRequest, ...]
    orders: tuple[RemovalOrder, ...]
    skus: Mapping[ProductId, Sku]
    held: Mapping[ProductId, int]
    newest: SyncRun | None
    realised: Mapping[ItemId, datetime]
    reduce: tuple[Renewal, ...]
    policy: Policy
    at: datetime
    reversals: Mapping[ItemId, Reversal] = field(default_factory=dict)
    group_names: Mapping[str, str] = field(default_factory=dict)
    population: tuple[PopulationRow, ...] = ()
    appeals: Mapping[ItemId, AppealLine] = field(default_factory=dict)
    tasks: Mapping[ItemId, ManualTask] = field(default_factory=dict)


def to_csv(evidence: Evidence) -> bytes:
    """Return one row per event as RFC 4180, in UTF-8."""
    return events_csv(evidence.records, _about_item)


@dataclass(frozen=True, slots=True)
class About:
    """Whom and which product an event is about."""

    person_name: str = ""
    upn: str = ""
    product_name: str = ""


def events_csv(records: Iterable[EventRecord], about: Callable[[EventRecord], About]) -> bytes:
    """Return one row per event as RFC 4180, in UTF-8."""
    return csv_of(CSV_COLUMNS, (_cells(record, about(record)) for record in records))


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows below a header as RFC 4180, in UTF-8, with no cell that a spreadsheet would run."""
    text = StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return text.getvalue().encode()


def to_json(evidence: Evidence) -> bytes:
    """Return everything as one JSON document, in UTF-8.

    Each event carries its body exactly as stored, and each personal value the salt of its HMAC in that body: a reader can
    check both without us.
    """
    document = {
        "format": FORMAT_VERSION,
        "exported_at": instant_text(evidence.at),
        "campaign": _campaign(evidence),
        "policy": policy_document(evidence.policy),
        "sync_run": _run(evidence),
        "population": [_population(row) for row in evidence.population],
        "verified_gone": _verified_gone(evidence),
        "items": [_item(item, evidence) for item in evidence.items],
        "events": [event_document(record) for record in evidence.records],
    }
    return json_of(document)


def json_of(document: Mapping[str, object]) -> bytes:
    """Return a document as people and programs can read it, in UTF-8."""
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def slug(campaign: Campaign) -> str:
    """Return the campaign's name as a file name."""
    return slug_of(campaign.name, campaign.id)


def slug_of(name: str, otherwise: str) -> str:
    """Return a name as a file name: ASCII letters, digits and hyphens; `otherwise` where nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(char if char.isalnum() else " " for char in plain).split()
    return "-".join(words)[:_SLUG_LENGTH].rstrip("-") or otherwise


def _about_item(record: EventRecord) -> About:
    if record.item is None:
        return About()
    shown = record.item.snapshot
    return About(shown.person_name, shown.upn, shown.sku_name)


def _cells(record: EventRecord, about: About) -> list[str]:
    event = record.stored.event
    return [
        str(record.stored.seq),
        instant_text(event.at) or "",
        event.kind.value,
        record.actor_id,
        record.actor_name,
        event.item_id or "",
        about.person_name,
        about.upn,
        about.product_name,
        "; ".join(f"{key}={fact_text(value)}" for key, value in sorted(record.facts.items()) if value is not None),
        "; ".join(f"{field}={value}" for field, value in sorted(record.values.items())),
    ]


def instant_text(at: datetime | None) -> str | None:
    """Return an instant as ISO 8601 in UTC; None: there is none."""
    return at.isoformat().replace("+00:00", "Z") if at else None


def _named(one: AssigneeId | None, names: Mapping[AssigneeId, str]) -> dict[str, str | None] | None:
    return None if one is None else {"id": one, "name": names.get(one)}


def _reviewer(item: ReviewItem, names: Mapping[AssigneeId, str]) -> dict[str, str | None] | None:
    found = _named(item.assignee_id, names)
    return None if found is None else {"kind": item.assignee_kind.value, **found}


def money_document(amount: Money | None) -> dict[str, object] | None:
    """Return an amount in minor units with its currency; None: it is not known."""
    return {"minor": amount.minor, "currency": amount.currency} if amount else None


def _campaign(evidence: Evidence) -> dict[str, object]:
    campaign = evidence.campaign
    return {
        "id": campaign.id,
        "name": campaign.name,
        "state": campaign.state.value,
        "mode": campaign.mode.value,
        "owner": _named(campaign.owner_id, evidence.names),
        "strategy": campaign.strategy.value,
        "reviewer": _named(campaign.reviewer_id, evidence.names),
        "fallback": _named(campaign.fallback_id, evidence.names),
        "silence": campaign.silence.value,
        "days": campaign.scope.days,
        "products": list(campaign.scope.product_ids),
        "rules": list(campaign.scope.rules),
        "zone": campaign.zone,
        "created_at": instant_text(campaign.created_at),
        "opened_at": instant_text(campaign.opened_at),
        "due_at": instant_text(campaign.due_at),
        "closes_at": instant_text(campaign.closes_at),
        "closing_at": instant_text(campaign.closing_at),
        "closed_at": instant_text(campaign.closed_at),
        "extended_at": instant_text(campaign.extended_at),
        "abandoned_by": campaign.abandoned_by,
        "cancelled_by": _named(campaign.cancelled_by, evidence.names),
    }


def policy_document(policy: Policy) -> dict[str, object]:
    """Return the rules of the installation."""
    return {
        "writes": policy.writes.value,
        "never_seen_since": instant_text(policy.never_seen_since),
        "cooldown_days": policy.cooldown.days,
        "data_max_age_s": int(policy.data_max_age.total_seconds()),
        "activity_max_age_s": int(policy.activity_max_age.total_seconds()),
        "limits": asdict(policy.limits),
    }


def _run(evidence: Evidence) -> dict[str, object] | None:
    run = evidence.run
    if run is None:
        return None
    return {
        "id": run.id,
        "state": run.state,
        "started_at": instant_text(run.started_at),
        "completed_at": instant_text(run.completed_at),
        "people": run.people,
        "seats": run.seats,
        "gone_people": run.gone_people,
        "gone_seats": run.gone_seats,
        "sign_ins": run.sign_ins,
        "requests": [
            {
                "stream": one.stream,
                "page": one.page,
                "url": one.request.url,
                "request_id": one.request.request_id,
                "rows": one.request.rows,
                "sha256": one.request.sha256,
                "at": instant_text(one.request.at),
            }
            for one in evidence.requests
        ],
    }


def _population(row: PopulationRow) -> dict[str, object]:
    return {
        "sku": {"id": row.product_id, "name": row.name, "part_number": row.part_number},
        "read": row.read,
        "idle": row.idle,
        "excluded": {part.reason: part.seats for part in row.excluded},
        "not_idle": {part.reason: part.seats for part in row.not_idle},
        "held": row.held,
        "microsoft": row.microsoft,
    }


def _item(item: ReviewItem, evidence: Evidence) -> dict[str, object]:
    shown, names = item.snapshot, evidence.names
    return {
        "id": item.id,
        "seat_id": item.seat_id,
        "person": {"id": item.person_id, "name": shown.person_name, "upn": shown.upn},
        "sku": {"id": item.product_id, "name": shown.sku_name, "part_number": shown.part_number},
        "monthly": money_document(shown.monthly),
        "rule": item.rule.value,
        "recommendation": item.recommendation.value,
        "account_enabled": shown.account_enabled,
        "last_seen_at": instant_text(shown.last_seen_at),
        "last_seen_kind": shown.last_seen_kind.value if shown.last_seen_kind else None,
        "last_used_at": instant_text(shown.last_used_at),
        "usage_reported_at": instant_text(shown.reported_at),
        "quiet_since": instant_text(shown.quiet_since),
        "assigned_at": instant_text(shown.assigned_at),
        "data_as_of": instant_text(shown.data_as_of),
        "plan": [{"kind": step.kind.value, "ref": step.ref} for step in item.plan.steps],
        "blocker": item.plan.blocker.value if item.plan.blocker else None,
        "needed_by": list(item.plan.needed_by),
        "reviewer": _reviewer(item, names),
        "assigned_how": item.assigned_how.value,
        "decision": _decision(item, names),
        "waiting": item.waiting.value if item.waiting else None,
        "outcome": item.outcome.value if item.outcome else None,
        "outcome_reason": item.outcome_reason,
        "outcome_at": instant_text(item.outcome_at),
        "verified_at": instant_text(item.verified_at),
        "realised_at": instant_text(evidence.realised.get(item.id)),
        "came_back": _came_back(evidence.reversals.get(item.id), evidence),
        "by_hand": _task(evidence.tasks.get(item.id), names),
        "appeal": _appeal(evidence.appeals.get(item.id), names),
    }


def _verified_gone(evidence: Evidence) -> dict[str, int]:
    """Return how many seats are verified gone and not there again: by us and by hand add up to all."""
    gone = [one for one in evidence.items if one.outcome in VERIFIED_GONE and one.id not in evidence.reversals]
    by_hand = sum(one.outcome is Outcome.MANUAL_DONE for one in gone)
    return {"by_us": len(gone) - by_hand, "by_hand": by_hand, "seats": len(gone)}


def _task(task: ManualTask | None, names: Mapping[AssigneeId, str]) -> dict[str, object] | None:
    if task is None:
        return None
    return {
        "state": task.state.value,
        "note": task.note,
        "link": task.link,
        "by": _named(task.by, names),
        "at": instant_text(task.at),
        "checked_at": instant_text(task.checked_at),
    }


def _appeal(line: AppealLine | None, names: Mapping[AssigneeId, str]) -> dict[str, object] | None:
    if line is None:
        return None
    appeal = line.appeal
    return {
        "text": appeal.text,
        "at": instant_text(appeal.asked_at),
        "to": appeal.to.value,
        "reviewer": _named(appeal.reviewer_id, names),
        "moved_at": instant_text(appeal.moved_at),
        "due_at": instant_text(appeal.due_at),
        "state": appeal.state.value,
        "answered_by": _named(appeal.answered_by, names),
        "ended_at": instant_text(appeal.ended_at),
        "reason": appeal.reason,
    }


def _came_back(back: Reversal | None, evidence: Evidence) -> dict[str, object] | None:
    if back is None:
        return None
    through = [{"id": ref, "name": evidence.group_names.get(ref)} for ref in back.through]
    return {"how": back.how.value, "at": instant_text(back.at), "through": through, "sync_run": back.run_id}


def _decision(item: ReviewItem, names: Mapping[AssigneeId, str]) -> dict[str, object] | None:
    answer = item.answer
    if answer is None:
        return None
    return {
        "choice": answer.choice.value,
        "by": _named(answer.by, names),
        "at": instant_text(answer.at),
        "reason": answer.reason.value if answer.reason else None,
        "note": answer.note,
        "keep_until": answer.keep_until.isoformat() if answer.keep_until else None,
        "data_loss": answer.data_loss.value if answer.data_loss else None,
    }


def event_document(record: EventRecord) -> dict[str, object]:
    """Return an event with its body exactly as stored, and each personal value with the salt of its HMAC."""
    event = record.stored.event
    return {
        "seq": record.stored.seq,
        "id": event.id,
        "at": instant_text(event.at),
        "kind": event.kind.value,
        "actor": {"id": record.actor_id, "name": record.actor_name},
        "item_id": event.item_id,
        "facts": dict(record.facts),
        "body": event.body.decode("ascii"),
        "body_sha256": hashlib.sha256(event.body).hexdigest(),
        "personal": [{"field": value.field, "value": value.value, "salt": value.salt.hex()} for value in event.values],
    }
