"""Bought and used seats of one product, with a shown count that lags behind the true one.

subscribedSkus.consumedUnits follows a change of licenses after some minutes; production tools wait 2 to 5 minutes
(CIPP). A client that takes it as proof of a removal must fail here.
"""

from collections import deque

from rehearsal.clock import MINUTE

LAG = 5 * MINUTE


class Units:
    """The seats of one product.

    Attributes:
        bought: How many the company has.
        used: How many are really taken.
    """

    def __init__(self, used: int, *, spare: int) -> None:
        self.bought = used + spare
        self.used = used
        self._shown = used
        self._coming: deque[tuple[int, int]] = deque()

    @property
    def free(self) -> int:
        """How many may still be given out."""
        return max(0, self.bought - self.used)

    def change(self, by: int, now: int) -> None:
        """Take or free seats at tenant time `now`."""
        self.used += by
        self._coming.append((now + LAG, by))

    def shown(self, now: int) -> int:
        """Return the count that subscribedSkus tells at tenant time `now`."""
        while self._coming and self._coming[0][0] <= now:
            self._shown += self._coming.popleft()[1]
        return self._shown
