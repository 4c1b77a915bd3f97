"""Review items and their assignments as rows.

The functions that write are synchronous, so that the decision batcher, which has a thread of its own on SQLite, and the
async repository store an item the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Update, bindparam, func, select, update

from reclaim.domain.directory import AssigneeKind
from reclaim.domain.idle import Rule
from reclaim.domain.ids import AssigneeId, BatchId, CampaignId, ItemId, PersonId, ProductId, SeatId
from reclaim.domain.moves import Move
from reclaim.domain.removal import Outcome
from reclaim.domain.review import (
    Answer,
    AssignedHow,
    Choice,
    DataLoss,
    KeepReason,
    Recommendation,
    ReviewItem,
    Waiting,
)
from storage.insert_rows import insert_rows
from storage.repositories.json_columns import decode_plan, decode_snapshot, encode_plan, encode_snapshot
from storage.tables import item_assignments, review_items
from storage.upsert import in_chunks

Values = dict[str, Any]

# Two-step reviews will have a second stage; until then every assignment belongs to the first.
_STAGE = 1


def frozen_values(item: ReviewItem) -> Values:
    """Return the columns that are written once, when the campaign opens."""
    monthly = item.snapshot.monthly
    return {
        "id": item.id,
        "campaign_id": item.campaign_id,
        "seat_id": item.seat_id,
        "person_id": item.person_id,
        "product_id": item.product_id,
        "rule": item.rule.value,
        "recommendation": item.recommendation.value,
        "snapshot": encode_snapshot(item.snapshot),
        "plan": encode_plan(item.plan),
        # Beside the snapshot once more, so that SQL can add them up.
        "monthly_minor": monthly.minor if monthly else None,
        "currency": monthly.currency if monthly else None,
    }


def answer_values(item: ReviewItem) -> Values:
    """Return the columns that an answer or a move may change."""
    given = item.answer
    return {
        "version": item.version,
        "assignee_id": item.assignee_id,
        "assignee_kind": item.assignee_kind.value,
        "assigned_how": item.assigned_how.value,
        "assigned_reason": item.assigned_reason,
        "delegated_by": item.delegated_by,
        "moved_from": item.moved_from,
        "moved_by": item.moved_by,
        "handovers": item.handovers,
        "not_sure_by": item.not_sure_by,
        "choice": given.choice.value if given else None,
        "answered_by": given.by if given else None,
        "answered_at": given.at if given else None,
        "batch_id": given.batch_id if given else None,
        "keep_reason": given.reason.value if given and given.reason else None,
        "note": given.note if given else None,
        "keep_until": given.keep_until if given else None,
        "data_loss": given.data_loss.value if given and given.data_loss else None,
    }


def progress_values(item: ReviewItem) -> Values:
    """Return the columns that say where a removal stands and how the item ended."""
    return {
        "waiting": item.waiting.value if item.waiting else None,
        "outcome": item.outcome.value if item.outcome else None,
        "outcome_reason": item.outcome_reason,
        "outcome_at": item.outcome_at,
        "verified_at": item.verified_at,
    }


def to_item(row: RowMapping) -> ReviewItem:
    """Return the item of a `review_items` row."""
    return ReviewItem(
        id=ItemId(row["id"]),
        campaign_id=CampaignId(row["campaign_id"]),
        seat_id=SeatId(row["seat_id"]),
        person_id=PersonId(row["person_id"]),
        product_id=ProductId(row["product_id"]),
        rule=Rule(row["rule"]),
        recommendation=Recommendation(row["recommendation"]),
        snapshot=decode_snapshot(row["snapshot"]),
        plan=decode_plan(row["plan"]),
        version=row["version"],
        assignee_id=row["assignee_id"],
        assignee_kind=AssigneeKind(row["assignee_kind"]),
        assigned_how=AssignedHow(row["assigned_how"]),
        assigned_reason=row["assigned_reason"],
        delegated_by=row["delegated_by"],
        moved_from=row["moved_from"],
        moved_by=row["moved_by"],
        handovers=row["handovers"],
        not_sure_by=row["not_sure_by"],
        answer=_to_answer(row),
        waiting=Waiting(row["waiting"]) if row["waiting"] else None,
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        outcome_reason=row["outcome_reason"],
        outcome_at=row["outcome_at"],
        verified_at=row["verified_at"],
    )


def _to_answer(row: RowMapping) -> Answer | None:
    if row["choice"] is None:
        return None
    return Answer(
        choice=Choice(row["choice"]),
        by=PersonId(row["answered_by"]),
        at=row["answered_at"],
        batch_id=BatchId(row["batch_id"]),
        reason=KeepReason(row["keep_reason"]) if row["keep_reason"] else None,
        note=row["note"],
        keep_until=row["keep_until"],
        data_loss=DataLoss(row["data_loss"]) if row["data_loss"] else None,
    )


def update_next_version(columns: Iterable[str]) -> Update:
    """Return the compare-and-set of an item: version n over n - 1. Its parameters come from `next_version`."""
    return (
        update(review_items)
        .where(review_items.c.id == bindparam("the_id"), review_items.c.version == bindparam("the_version"))
        .values({column: bindparam(column) for column in columns})
    )


def next_version(item: ReviewItem, values: Mapping[str, Any]) -> Values:
    """Return the parameters of `update_next_version` for one item."""
    return {**values, "the_id": item.id, "the_version": item.version - 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One entry of an item's history of assignees."""

    item_id: ItemId
    assignee_id: AssigneeId | None
    kind: AssigneeKind
    how: AssignedHow
    by: PersonId | None
    reason: str | None
    at: datetime


def start_assignments(connection: Connection, assignments: Sequence[Assignment]) -> None:
    """End the present assignment of each item and add the next; without an assignee nothing follows. One per item."""
    if not assignments:
        return
    connection.execute(
        update(item_assignments)
        .where(item_assignments.c.item_id == bindparam("the_item"), item_assignments.c.ended_at.is_(None))
        .values(ended_at=bindparam("the_end")),
        [{"the_item": one.item_id, "the_end": one.at} for one in assignments],
    )
    last = _last_seq(connection, (one.item_id for one in assignments))
    insert_assignments(connection, [(last.get(one.item_id, 0) + 1, one) for one in assignments])


def insert_assignments(connection: Connection, numbered: Iterable[tuple[int, Assignment]]) -> None:
    """Store assignments, each with its place in its item's history; one to nobody is none."""
    rows = [
        {
            "item_id": one.item_id,
            "stage": _STAGE,
            "seq": seq,
            "assignee_kind": one.kind.value,
            "assignee_id": one.assignee_id,
            "how": one.how.value,
            "by": one.by,
            "reason": one.reason,
            "at": one.at,
        }
        for seq, one in numbered
        if one.assignee_id is not None
    ]
    insert_rows(connection, item_assignments, rows)


def to_move(row: RowMapping) -> Move:
    """Return the entry of a history of assignees of an `item_assignments` row."""
    return Move(
        assignee_id=row["assignee_id"],
        kind=AssigneeKind(row["assignee_kind"]),
        how=AssignedHow(row["how"]),
        by=row["by"],
        reason=row["reason"],
        at=row["at"],
    )


def _last_seq(connection: Connection, items: Iterable[ItemId]) -> dict[ItemId, int]:
    found: dict[ItemId, int] = {}
    for some in in_chunks(items):
        query = (
            select(item_assignments.c.item_id, func.max(item_assignments.c.seq))
            .where(item_assignments.c.item_id.in_(some), item_assignments.c.stage == _STAGE)
            .group_by(item_assignments.c.item_id)
        )
        found.update((ItemId(item), seq) for item, seq in connection.execute(query))
    return found
