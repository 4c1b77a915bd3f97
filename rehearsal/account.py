"""The checked table at the end of a played story: each line is one claim of the product beside what is really so."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One claim: what the product says, what should be, and whether they agree."""

    what: str
    said: str
    really: str

    @property
    def agrees(self) -> bool:
        """Whether the two are the same."""
        return self.said == self.really


@dataclass(slots=True)
class Account:
    """All lines of a story."""

    lines: list[Line] = field(default_factory=list)

    def check(self, what: str, said: object, really: object) -> None:
        """Add a claim."""
        self.lines.append(Line(what, str(said), str(really)))

    @property
    def agrees(self) -> bool:
        """Whether every claim agrees; an account without a line agrees with nothing."""
        return bool(self.lines) and all(line.agrees for line in self.lines)

    def show(self, say: Callable[[str], None]) -> None:
        """Say the table, differences marked."""
        width = max(len(line.what) for line in self.lines)
        said = max(4, *(len(line.said) for line in self.lines))
        say(f"  {'':{width}}  {'said':>{said}}  really")
        for line in self.lines:
            mark = " " if line.agrees else "≠"
            say(f"{mark} {line.what:{width}}  {line.said:>{said}}  {line.really}")
