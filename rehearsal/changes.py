"""Who has changed, in order, and the tokens of /users/delta that name a place in that order.

A token is all the state that a link has: it names a stretch of the log of changes and how far the caller has come in it.
Sources: concepts/delta-query-overview (tokens, replays, 410 with Location, token life of seven days), user-delta.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b

from rehearsal import errors
from rehearsal.clock import DAY

TOKEN_LIFE = 7 * DAY
_REPLAYED = 5  # changes before the link that come again where replays are switched on
_SEAL_BYTES = 10
_NUMBERS = 6


class LinksForgottenError(Exception):
    """The service has forgotten all links since this one was handed out."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the log, from behind `start` up to and with `end`.

    Attributes:
        whole: It is the round that begins without a token, over everybody who is there.
        passed: Rows that the caller has had of it; in a whole round the number behind the last person.
        issued_at: Tenant time at which its link was handed out.
        era: How often the service had forgotten all tokens by then.
        select: Wanted properties with commas; empty for the default set.
    """

    start: int
    end: int
    whole: bool
    passed: int
    issued_at: int
    era: int
    select: str


class ChangeLog:
    """Numbers of people in the order in which they changed; what changed is not kept.

    Attributes:
        page_size: Rows per page.
        replays: Whether changes come again, within an answer and after it.
    """

    def __init__(self, secret: bytes) -> None:
        self.page_size = 100
        self.replays = False
        self._numbers: list[int] = []
        self._era = 0
        self._secret = secret

    def note(self, number: int) -> None:
        """Note that a person was changed, came, or went."""
        self._numbers.append(number)

    def forget_tokens(self) -> None:
        """Answer every link handed out so far with the demand to start anew."""
        self._era += 1

    def here(self, at: int, select: str, *, whole: bool) -> Stretch:
        """Return the empty stretch at the end of the log; `whole`: the round over everybody, before it."""
        end = len(self._numbers)
        return Stretch(end, end, whole, 0, at, self._era, select)

    def since(self, link: Stretch, at: int) -> Stretch:
        """Return what has happened behind the link that ended a round."""
        start = max(0, link.end - _REPLAYED) if self.replays else link.end
        return Stretch(start, len(self._numbers), False, 0, at, self._era, link.select)

    def rows(self, stretch: Stretch) -> list[int]:
        """Return who changed in a stretch, each once; with replays some come a second time."""
        found = list(dict.fromkeys(self._numbers[stretch.start : stretch.end]))
        return [*found, *found[-2:]] if self.replays else found

    def write(self, stretch: Stretch) -> str:
        """Return a stretch as an opaque token."""
        numbers = (stretch.start, stretch.end, int(stretch.whole), stretch.passed, stretch.issued_at, stretch.era)
        payload = b"".join(number.to_bytes(8) for number in numbers) + stretch.select.encode()
        return urlsafe_b64encode(payload + self._seal(payload)).decode().rstrip("=")

    def read(self, token: str, at: int) -> Stretch:
        """Return the stretch that a token names.

        Raises:
            GraphError: It is none of ours, or too old.
            LinksForgottenError: All tokens were forgotten since.
        """
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raw = b""
        payload = raw[:-_SEAL_BYTES]
        if len(payload) < _NUMBERS * 8 or raw[-_SEAL_BYTES:] != self._seal(payload):
            raise errors.sync_state_not_found()
        start, end, whole, passed, issued_at, era = (
            int.from_bytes(payload[place * 8 : place * 8 + 8]) for place in range(_NUMBERS)
        )
        if era != self._era:
            raise LinksForgottenError
        if at - issued_at > TOKEN_LIFE:
            raise errors.sync_state_not_found()
        return Stretch(start, end, bool(whole), passed, issued_at, era, payload[_NUMBERS * 8 :].decode())

    def _seal(self, payload: bytes) -> bytes:
        return blake2b(payload, key=self._secret, digest_size=_SEAL_BYTES).digest()
