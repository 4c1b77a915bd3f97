"""How fast we may call: Slack counts per method and workspace, and messages per conversation too.

A minute's limit is split into a burst and a steady rate, so that no window of sixty seconds holds more than it. A 429 stops
only its own bucket. https://docs.slack.dev/apis/web-api/rate-limits (tiers), chat.postMessage (one a second and channel).
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from reclaim.errors import DeliveryError

# Calls a minute, as Slack's tiers promise at least.
TIER_2: Final = 20
TIER_3: Final = 50
TIER_4: Final = 100
SPECIAL: Final = 600
# "Several hundred a minute" is all that Slack says of chat.postMessage over all channels.
POSTS: Final = 300
LIMITS: Final = {
    "users.list": TIER_2,
    "chat.update": TIER_3,
    "conversations.open": TIER_3,
    "users.lookupByEmail": TIER_3,
    "views.open": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "chat.postEphemeral": TIER_4,
    "users.info": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    "oauth.v2.access": TIER_4,
    "auth.test": SPECIAL,
    "chat.postMessage": POSTS,
}
BURST: Final = 0.2  # of a minute's limit at once, the rest spread over the minute
PER_CHANNEL_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0  # whoever must wait longer comes back through its job
_MOST_CHANNELS: Final = 20_000


class _Bucket:
    def __init__(self, limit: int, now: float) -> None:
        self.burst = max(1.0, limit * BURST)
        self.per_s = (limit - self.burst) / 60
        self.left = self.burst
        self.at = now
        self.closed_until = 0.0

    def take(self, now: float) -> float:
        """Book the next call and return in how many seconds it may be made."""
        self.left = min(self.burst, self.left + (now - self.at) * self.per_s) - 1
        self.at = now
        wait = 0.0 if self.left >= 0 else -self.left / self.per_s
        return max(wait, self.closed_until - now, 0.0)

    def give_back(self) -> None:
        self.left += 1


class Pace:
    """Lets calls through one by one, each as early as the limits allow.

    Args:
        monotonic: Seconds that only grow.
        sleep: Waits so many seconds of real time.
        limits: Calls a minute by method; of others, `TIER_3`.
    """

    def __init__(
        self,
        *,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        limits: dict[str, int] | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._sleep = sleep
        self._limits = limits if limits is not None else LIMITS
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._channels: OrderedDict[tuple[str, str], float] = OrderedDict()

    async def turn(self, team: str, method: str, channel: str | None = None) -> None:
        """Wait for the turn of one call; `channel` for a new message in a conversation.

        Raises:
            DeliveryError: Its turn is more than 30 s away; `retry_after` says how far.
        """
        now = self._monotonic()
        bucket = self._bucket(team, method, now)
        wait = bucket.take(now)
        if channel is not None:
            wait = max(wait, self._channels.get((team, channel), 0.0) - now)
        if wait > LONGEST_WAIT_S:
            bucket.give_back()
            raise DeliveryError("Slack takes no more of these for now.", retry_after=timedelta(seconds=wait))
        if channel is not None:
            self._channels[team, channel] = now + wait + PER_CHANNEL_S
            self._channels.move_to_end((team, channel))
            if len(self._channels) > _MOST_CHANNELS:
                self._channels.popitem(last=False)
        if wait > 0:
            await self._sleep(wait)

    def throttled(self, team: str, method: str, seconds: float) -> None:
        """Stop one method of one workspace for as long as Slack asked."""
        now = self._monotonic()
        bucket = self._bucket(team, method, now)
        bucket.closed_until = max(bucket.closed_until, now + seconds)

    def _bucket(self, team: str, method: str, now: float) -> _Bucket:
        key = (team, method)
        if key not in self._buckets:
            self._buckets[key] = _Bucket(self._limits.get(method, TIER_3), now)
        return self._buckets[key]
