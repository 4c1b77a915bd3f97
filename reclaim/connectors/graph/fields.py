"""Reading fields out of Graph's JSON: strict, because a field that is misread takes away somebody's license.

Every reader raises DirectoryError naming the kind of object, its id where it is known, and the field; never the value,
which may be personal data.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from reclaim.errors import DirectoryError

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Older instants stand for "none" in Microsoft's systems: 0001-01-01 (.NET) and 1601-01-01 (Windows). Entra is younger.
_OLDEST_YEAR = 1900


def guid(text: str, what: str) -> str:
    """Return a GUID in lower case; this is the gate that every id passes before it enters a URL.

    Raises:
        DirectoryError: It is no GUID (permanent).
    """
    lowered = text.lower()
    if GUID.fullmatch(lowered) is None:
        raise DirectoryError(f"The id of a {what} is not an Entra object id.", permanent=True)
    return lowered


class Record:
    """One JSON object of an answer.

    Args:
        data: What should be an object.
        what: What it is, for error messages: "user", "group".
    """

    def __init__(self, data: object, what: str) -> None:
        self._what = what
        self._data: dict[str, object] = data if isinstance(data, dict) else {}
        if not isinstance(data, dict):
            raise self._wrong("body")

    def has(self, name: str) -> bool:
        """Whether the property is there, be it null."""
        return name in self._data

    def guid(self, name: str) -> str:
        """Return a GUID in lower case; it must be there."""
        return self._as_guid(name, self.text(name))

    def guid_or_null(self, name: str) -> str | None:
        """Return a GUID in lower case, or None for null. An absent property is an error: it says nothing."""
        if not self.has(name):
            raise self._wrong(name)
        return None if self._data[name] is None else self.guid(name)

    def text(self, name: str) -> str:
        """Return a text; it must be there and not be empty."""
        value = self._data.get(name)
        if not isinstance(value, str) or not value:
            raise self._wrong(name)
        return value

    def text_or_none(self, name: str) -> str | None:
        """Return a text; None where it is null, absent or empty."""
        value = self._data.get(name)
        return None if value is None or value == "" else self.text(name)

    def number(self, name: str) -> int:
        """Return a whole number; it must be there."""
        value = self._data.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name)
        return value

    def flag(self, name: str) -> bool | None:
        """Return true or false; None where Microsoft did not say."""
        value = self._data.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name)
        return value

    def flag_null_is_no(self, name: str) -> bool | None:
        """As `flag`, for properties where Graph sends null for "no"; None only where the property is absent."""
        return bool(self.flag(name)) if self.has(name) else None

    def value(self, name: str) -> object:
        """Return a property of any kind; None where it is absent."""
        return self._data.get(name)

    def header_texts(self, name: str) -> dict[str, str]:
        """Return an object whose values are texts, such as headers; empty where it is null or absent."""
        value = self._data.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(name)
        return {str(key): str(text) for key, text in (value or {}).items()}

    def record(self, name: str) -> "Record | None":
        """Return an inner object; None where it is null or absent."""
        value = self._data.get(name)
        return None if value is None else Record(value, f"{self._what} {name}")

    def records(self, name: str, what: str) -> list["Record"]:
        """Return a list of objects; an absent or null list is an error, never an empty one."""
        return [Record(item, what) for item in self._list(name)]

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; an absent or null list is an error, never an empty one."""
        values = self._list(name)
        texts = [value for value in values if isinstance(value, str)]
        if len(texts) != len(values):
            raise self._wrong(name)
        return texts

    def guids(self, name: str) -> tuple[str, ...]:
        """Return a set of GUIDs, sorted, in lower case; the list must be there."""
        return tuple(sorted({self._as_guid(name, text) for text in self.texts(name)}))

    def instant(self, name: str) -> datetime | None:
        """Return an instant in UTC; None where it is null, absent or one of the values that stand for "none"."""
        at = self._instant(name)
        return at if at is not None and at.year >= _OLDEST_YEAR else None

    def sign_in(self, name: str) -> datetime | None:
        """Return the instant of a sign-in in UTC; None only where it is null or absent.

        The values that stand for "none" elsewhere are an error here: read as "never" they could cost somebody's seat,
        read as an instant they would.
        """
        at = self._instant(name)
        if at is not None and at.year < _OLDEST_YEAR:
            raise self._wrong(name)
        return at

    def _instant(self, name: str) -> datetime | None:
        if self._data.get(name) is None:
            return None
        try:
            at = datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise self._wrong(name) from error
        # Edm.DateTimeOffset always carries a zone; a naive instant would be read in the machine's. The year 1 has no
        # room for a shift to UTC.
        if at.tzinfo is None:
            raise self._wrong(name)
        return at.astimezone(UTC) if at.year > 1 else at.replace(tzinfo=UTC)

    def _list(self, name: str) -> Sequence[object]:
        value = self._data.get(name)
        if not isinstance(value, list):
            raise self._wrong(name)
        return value

    def _as_guid(self, name: str, text: str) -> str:
        lowered = text.lower()
        if GUID.fullmatch(lowered) is None:
            raise self._wrong(name)
        return lowered

    def _wrong(self, name: str) -> DirectoryError:
        own = self._data.get("id")
        named = f" {own}" if isinstance(own, str) and GUID.fullmatch(own.lower()) else ""
        return DirectoryError(
            f"Microsoft Graph sent a {self._what}{named} whose “{name}” is missing or not understood. "
            "Nothing was concluded from it.",
            permanent=True,
        )
