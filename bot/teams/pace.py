"""How fast we may send: Teams counts per conversation and, over all of them, per bot and tenant.

Limits: "Optimize your bot with rate limiting in Teams", sends and creates per bot and thread; 50 requests a second in all.
"""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from reclaim.errors import DeliveryError

# (sends, within seconds) of one conversation.
THREAD_LIMITS: Final = ((7, 1.0), (8, 2.0), (60, 30.0), (1_800, 3_600.0))
PER_SECOND: Final = 50.0
# Requests reach Teams less evenly than they leave here, so a little of the rate is left unused.
HEADROOM: Final = 0.97
LONGEST_WAIT_S: Final = 30.0  # whoever must wait longer comes back through its job
_MOST_THREADS: Final = 20_000


class Pace:
    """Lets sends through one by one, each as early as the limits allow.

    Args:
        monotonic: Seconds that only grow.
        sleep: Waits so many seconds of real time.
        per_second: Requests a second over all conversations.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        per_second: float = PER_SECOND,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._gap_s = 1 / (per_second * HEADROOM)
        self._next_at = 0.0
        self._threads: OrderedDict[str, deque[float]] = OrderedDict()

    async def take(self, conversation: str) -> None:
        """Return when one more request to this conversation may leave.

        Raises:
            DeliveryError: Its turn is more than 30 s away; `retry_after` says how far.
        """
        now = self._monotonic()
        sends = self._threads.pop(conversation, None) or deque(maxlen=THREAD_LIMITS[-1][0])
        at = max([now, *(sends[-most] + within for most, within in THREAD_LIMITS if len(sends) >= most)])
        self._threads[conversation] = sends
        if len(self._threads) > _MOST_THREADS:
            self._threads.popitem(last=False)
        if at - now > LONGEST_WAIT_S:
            raise DeliveryError("Too much was sent to this chat.", retry_after=timedelta(seconds=at - now))
        if at <= self._next_at or at == now:
            at = max(at, self._next_at)
            self._next_at = at + self._gap_s
        # Else its own chat holds it back beyond everybody's next turn: it takes none, so that nobody waits for it.
        sends.append(at)
        if at > now:
            await self._sleep(at - now)
