"""How services make attestation events: ids, salts and the time come from the ports, so no use case repeats it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from reclaim.domain.attestation import Event, EventKind, Fact, attest
from reclaim.domain.ids import EventId, PersonId
from reclaim.ports.chat import Delivery
from reclaim.ports.system import Clock, Tokens

SYSTEM: Final = "system"  # the actor of what no person asked for: a job, the clock


def delivered(person: PersonId, delivery: Delivery) -> dict[str, Fact]:
    """Return the facts of a message that a chat has taken."""
    return {
        "to": person,
        "channel": delivery.channel,
        "message": delivery.message_id,
        "payload_sha256": delivery.payload_sha256,
    }


class Attestor:
    """Makes events; storing them is the caller's transaction."""

    def __init__(self, *, clock: Clock, tokens: Tokens) -> None:
        self._clock = clock
        self._tokens = tokens

    def event(
        self,
        kind: EventKind,
        *,
        actor: str,
        campaign: str | None = None,
        item: str | None = None,
        facts: Mapping[str, Fact] | None = None,
        personal: Mapping[str, str | None] | None = None,
        at: datetime | None = None,
    ) -> Event:
        """Return an event of now, or of `at`.

        Args:
            kind: What happened.
            actor: Entra object id, `operator:<os user>` or SYSTEM.
            campaign: Its id, if the event belongs to one.
            item: The review item's id, if the event is about one.
            facts: Ids, integers, enum values and hashes only.
            personal: Names, addresses and free text; they stay erasable. None values are left out.
            at: The instant that the use case works with; None: now.

        Raises:
            ValueError: A fact looks like free text. This is a programming error.
        """
        known = {field: value for field, value in (personal or {}).items() if value is not None}
        return attest(
            kind,
            event_id=EventId(self._tokens.new_row_id()),
            at=at or self._clock.now(),
            actor=actor,
            campaign_id=campaign,
            item_id=item,
            facts=facts,
            personal=known,
            salts={field: self._tokens.new_salt() for field in known},
        )
