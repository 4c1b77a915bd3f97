"""Attestation events as rows. Synchronous: the decision batcher and the async repository store them the same way."""

from collections.abc import Iterable

from sqlalchemy import Connection

from reclaim.domain.attestation import Event
from storage.insert_rows import insert_rows
from storage.tables import attestation_events, event_values


def insert_events(connection: Connection, events: Iterable[Event]) -> None:
    """Add events in their order, each with the personal values that can be erased later."""
    stored = list(events)
    if not stored:
        return
    insert_rows(
        connection,
        attestation_events,
        [
            {
                "id": event.id,
                "kind": event.kind.value,
                "at": event.at,
                "campaign_id": event.campaign_id,
                "item_id": event.item_id,
                "body": event.body,
            }
            for event in stored
        ],
    )
    values = [
        {"event_id": event.id, "field": value.field, "value": value.value, "salt": value.salt}
        for event in stored
        for value in event.values
    ]
    insert_rows(connection, event_values, values)
