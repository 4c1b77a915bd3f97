"""Ids and draws derived from the seed: the same seed always makes the same tenant.

Nothing is stored per person: an id contains the person's number in scrambled form, so that a tenant of a million people
needs no table of ids.
"""

import re
from hashlib import blake2b

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TAIL = 1 << 48


def is_guid(text: str) -> bool:
    """Say whether the text has the form of a GUID as Graph writes it."""
    return _GUID.fullmatch(text) is not None


class Draws:
    """A short run of reproducible choices for one subject; each `take` uses up a part of one 512-bit number."""

    def __init__(self, seed: int, subject: str) -> None:
        self._left = int.from_bytes(blake2b(f"{seed}/{subject}".encode()).digest())

    def take(self, choices: int) -> int:
        """Return a number from 0 up to, not including, `choices`."""
        self._left, chosen = divmod(self._left, choices)
        return chosen

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""
        return low + self.take(high - low + 1)


class Identities:
    """The GUIDs of one tenant."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        draws = Draws(seed, "identities")
        self._factor = draws.take(_TAIL) | 1
        self._shift = draws.take(_TAIL)
        self._inverse = pow(self._factor, -1, _TAIL)

    def named(self, name: str) -> str:
        """Return the GUID of a thing that is known by name, such as a group."""
        return _version_4(blake2b(f"{self._seed}/named/{name}".encode(), digest_size=16).digest())

    def person(self, number: int) -> str:
        """Return the object id of the person with this number."""
        head = blake2b(f"{self._seed}/person/{number}".encode(), digest_size=10).digest()
        tail = (number * self._factor + self._shift) % _TAIL
        return _version_4(head + tail.to_bytes(6))

    def number_of(self, person_id: str) -> int | None:
        """Return the number inside a person's object id, or None if it is no id of this tenant."""
        if not is_guid(person_id):
            return None
        tail = int(person_id[-12:], 16)
        number = ((tail - self._shift) * self._inverse) % _TAIL
        return number if self.person(number) == person_id.lower() else None


def _version_4(raw: bytes) -> str:
    """Return a random GUID with these 16 bytes (RFC 9562, version 4), as `uuid.UUID` would, at less cost."""
    digits = raw.hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
