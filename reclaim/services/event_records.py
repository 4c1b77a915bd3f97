"""Read attestation events back with what their ids stand for: names, items, and the personal values still there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reclaim.domain.attestation import Fact
from reclaim.domain.directory import Person
from reclaim.domain.ids import ItemId, PersonId
from reclaim.domain.review import ReviewItem
from reclaim.ports.storage import StoredEvent, UnitOfWork
from reclaim.services.attesting import SYSTEM

BOT_NAME: Final = "Reclaim"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRecord:
    """One event, readable.

    Attributes:
        actor_name: The id itself where it is no person we know: the operator, or somebody from before the first sync.
        item: The review item that it is about, if any.
        facts: The body's facts.
    """

    stored: StoredEvent
    actor_id: str
    actor_name: str
    item: ReviewItem | None
    facts: Mapping[str, Fact]

    @property
    def values(self) -> dict[str, str]:
        """The personal values that were not erased, by field."""
        return {value.field: value.value for value in self.stored.event.values}


async def read_records(reading: UnitOfWork, events: Sequence[StoredEvent]) -> list[EventRecord]:
    """Return the events in the order given."""
    bodies = [json.loads(stored.event.body) for stored in events]
    people = await reading.people.get_many({PersonId(body["actor"]) for body in bodies if body["actor"]})
    items = await reading.items.get_many({ItemId(one.event.item_id) for one in events if one.event.item_id})
    return [
        EventRecord(
            stored=stored,
            actor_id=body["actor"] or "",
            actor_name=_actor_name(body["actor"], people),
            item=items.get(ItemId(stored.event.item_id)) if stored.event.item_id else None,
            facts=body["facts"],
        )
        for stored, body in zip(events, bodies, strict=True)
    ]


def fact_text(value: Fact) -> str:
    """Return a fact as text: empty for None, yes or no for a truth value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _actor_name(actor: str | None, people: Mapping[PersonId, Person]) -> str:
    if actor is None or actor == SYSTEM:
        return BOT_NAME
    person = people.get(PersonId(actor))
    return person.shown_name if person else actor
