"""Ids and salts from the machine's random source."""

import secrets
import uuid


class RandomTokens:
    """Implements `reclaim.ports.system.Tokens`."""

    def new_id(self) -> str:
        return uuid.uuid4().hex

    def new_salt(self) -> bytes:
        return secrets.token_bytes(16)
