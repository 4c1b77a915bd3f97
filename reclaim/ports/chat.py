"""Telling people: a notice goes to a person on whatever channel reaches them. Documents are drawn outside the core."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reclaim.domain.ids import MessageId, PersonId
from reclaim.domain.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message that arrived.

    Attributes:
        payload_sha256: Of the exact payload that was sent.
        external_id: The channel's own message id.
    """

    message_id: MessageId
    channel: str
    conversation: str
    external_id: str
    payload_sha256: str
    sent_at: datetime


class Messenger(Protocol):
    """Delivers notices and records what was sent."""

    async def deliver(self, person: PersonId, notice: Notice) -> Delivery:
        """Update the person's live message of the notice's matter, or send a new one.

        Raises:
            DeliveryError: No channel reaches the person (permanent), or the channel failed.
        """
        ...

    async def retire(self, matter: str, notice: Notice) -> None:
        """Redraw every live message of a matter as `notice`, which has no live buttons; failures are recorded, not raised."""
        ...
