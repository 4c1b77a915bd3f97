"""Clicked messages drawn anew, in the order of the clicks: two requests for one message may overtake each other.

Only the newest card of a message matters, so what waits is replaced: ten quick clicks cost two or three requests.
"""

from collections.abc import Awaitable, Callable

from cards.view import CardView
from reclaim.errors import DeliveryError

# Draws this card at a message's place.
Draw = Callable[[CardView], Awaitable[None]]
Place = tuple[str, str]


class Redraws:
    """One request at a time for each message."""

    def __init__(self) -> None:
        # A key is here while a request for its message is under way; its value is what comes next.
        self._next: dict[Place, CardView | None] = {}

    async def put(self, place: Place, card: CardView, draw: Draw) -> None:
        """Draw a card there, or leave it to the request that is under way.

        Args:
            place: Conversation and message.
            card: As the message shall stand.
            draw: Does it.

        Raises:
            DeliveryError: The last card could not be drawn; whoever began the request hears it.
        """
        if place in self._next:
            self._next[place] = card
            return
        self._next[place] = card
        try:
            while (newest := self._next[place]) is not None:
                self._next[place] = None
                try:
                    await draw(newest)
                except DeliveryError:
                    if self._next[place] is None:
                        raise
        finally:
            del self._next[place]
