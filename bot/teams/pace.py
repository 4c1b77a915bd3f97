"""How fast we may send: Teams counts per conversation and, over all of them, per bot and tenant.

Limits: "Optimize your bot with rate limiting in Teams", sends and creates per bot and thread; 50 requests a second in all.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from reclaim.errors import DeliveryError

# (sends, within seconds) of one conversation.
THREAD_LIMITS: Final = ((7, 1.0), (8, 2.0), (60, 30.0), (1_800, 3_600.0))
PER_SECOND: Final = 50.0
# Requests reach Teams less evenly than they leave here, so a little of the rate is left unused.
HEADROOM: Final = 0.96
# Of two sends to one conversation the later may travel faster: they count as if they were so much closer.
JITTER_S: Final = 0.25
# The SDK sends from the default pool of threads, which has six of them on two processors.
AT_ONCE: Final = 5
LONGEST_WAIT_S: Final = 30.0  # whoever must wait longer comes back through its job
_MOST_THREADS: Final = 20_000


class Pace:
    """Lets sends through one by one, each as early as the limits allow.

    Args:
        monotonic: Seconds that only grow.
        sleep: Waits so many seconds of real time.
        per_second: Requests a second over all conversations.
        at_once: Requests under way at the same time.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        per_second: float = PER_SECOND,
        at_once: int = AT_ONCE,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._gap_s = 1 / (per_second * HEADROOM)
        self._next_at = 0.0
        self._slots = asyncio.Semaphore(at_once)
        self._threads: OrderedDict[str, deque[float]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, conversation: str) -> AsyncIterator[None]:
        """Wait for the turn of one request to this conversation; the request is made inside.

        Raises:
            DeliveryError: Its turn is more than 30 s away; `retry_after` says how far.
        """
        sends = self._of(conversation)
        while (wait := self._wait_in_thread(sends)) > 0:
            await self._sleep(wait)
        sends.append(self._monotonic())
        # The bot's own turn comes with the slot in hand: what leaves late all the same would leave in a bunch.
        async with self._slots:
            now = self._monotonic()
            at = max(self._next_at, now)
            self._next_at = at + self._gap_s
            if at > now:
                await self._sleep(at - now)
            sends[-1] = max(sends[-1], at)
            yield

    def _of(self, conversation: str) -> deque[float]:
        sends = self._threads.pop(conversation, None) or deque(maxlen=THREAD_LIMITS[-1][0])
        self._threads[conversation] = sends
        if len(self._threads) > _MOST_THREADS:
            self._threads.popitem(last=False)
        return sends

    def _wait_in_thread(self, sends: deque[float]) -> float:
        now = self._monotonic()
        turns = (sends[-most] + within + JITTER_S for most, within in THREAD_LIMITS if len(sends) >= most)
        wait = max([0.0, *(at - now for at in turns)])
        if wait > LONGEST_WAIT_S:
            raise DeliveryError("Too much was sent to this chat.", retry_after=timedelta(seconds=wait))
        return wait
