"""Ids and salts from the machine's random source."""

import itertools
import secrets
import uuid


class RandomTokens:
    """Implements `reclaim.ports.system.Tokens`."""

    def __init__(self) -> None:
        self._place = secrets.token_hex(4)  # where in an index this process's rows stand
        self._rows = itertools.count()

    def new_id(self) -> str:
        return uuid.uuid4().hex

    def new_row_id(self) -> str:
        # Four bytes count in order and then over again, which costs nothing but nearness; eight more are random.
        return f"{self._place}{next(self._rows) & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"

    def new_salt(self) -> bytes:
        return secrets.token_bytes(16)
