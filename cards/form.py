"""What somebody has filled into a form, so that a refused one comes back with its input kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cards.view import Strip, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The input of a form and what is wrong with it.

    Attributes:
        values: Input id → text, as it came; shown again, never trusted.
        labels: Input id → name behind the value, for people pickers.
        field: The input that `error` speaks of; None: of the whole form.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    field: str | None = None
    error: str | None = None

    def value(self, input_id: str, default: str = "") -> str:
        """Return what the field holds."""
        return self.values.get(input_id, default)

    def label(self, input_id: str, default: str = "") -> str:
        """Return the name behind the value of a people picker."""
        return self.labels.get(input_id, default)

    def error_of(self, input_id: str) -> str | None:
        """Return what is wrong at this field."""
        return self.error if self.field == input_id else None

    def strip(self, fields: frozenset[str]) -> tuple[Strip, ...]:
        """Return the error as a strip where no field of the form is to blame."""
        if self.error is None or self.field in fields:
            return ()
        return (Strip(tone=Tone.WARNING, text=self.error),)


EMPTY = Filled()
