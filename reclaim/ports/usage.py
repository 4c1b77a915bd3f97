"""Where use is known from: every source yields rows of one application, in batches."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reclaim.domain.usage import UsageRow
from reclaim.ports.checks import SourceCheck

BATCH = 5_000  # rows: one write transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageBatch:
    """At most `BATCH` rows.

    Attributes:
        done: How much of the whole is read by now, from 0 to 1; None where the source does not tell.
    """

    rows: Sequence[UsageRow]
    done: float | None = None


class UsageSource(Protocol):
    """A source that can be asked about an application."""

    def read(self, application: str) -> AsyncIterator[UsageBatch]:
        """Yield all rows of an application.

        Raises:
            PortError: The source does not answer, or refuses; what was yielded before is not the whole.
            InvalidRequest: What it says cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSources:
    """The sources of this installation.

    Attributes:
        asked: Name → a source that is asked at each run.
        titles: Name → what people read, also of sources whose rows are imported by hand.
        checks: Name → how the checkup tries a source that has no other check.
    """

    titles: Mapping[str, str]
    asked: Mapping[str, UsageSource] = field(default_factory=dict)
    checks: Mapping[str, SourceCheck] = field(default_factory=dict)
