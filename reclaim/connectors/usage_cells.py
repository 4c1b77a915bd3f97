"""Cells of usage rows, as every source of text gives them: what each means, and what is wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from reclaim.domain.usage import UsageRow, unreadable_use

DAYS_MOST: Final = 3_650
NOBODY: Final = "(nobody)"  # whose row it is where a source knows no user
_AHEAD: Final = timedelta(hours=24)  # a clock elsewhere may be ahead, and days have zones
_DAY: Final = timedelta(days=1)
_LONGEST: Final = 320  # characters: the longest mail address
_LONGEST_DEVICE: Final = 100  # characters
_REMEMBERED: Final = 10_000  # instants

WHO, APPLICATION, LAST_USED, UNUSED, DEVICE, OBSERVED = (
    "who",
    "application",
    "last_used",
    "unused_days",
    "device",
    "observed_at",
)
COLUMNS: Final = (WHO, APPLICATION, LAST_USED, UNUSED, DEVICE, OBSERVED)


class BadCell(Exception):
    """A cell that cannot be read.

    Attributes:
        column: Ours, of the constants above.
        problem: Completes "it ...".
        text: What stands there, where it helps to see it. It may be personal: to be shown to who gave it, never logged.
    """

    def __init__(self, column: str, problem: str, text: str = "") -> None:
        super().__init__(f"{column}: {problem}")
        self.column = column
        self.problem = problem
        self.text = text


@dataclass(slots=True, kw_only=True)
class RowJudge:
    """Judges the rows of one source, one after the other.

    Attributes:
        now: The time; nothing was used or seen later.
        application: Of all rows, whatever their cells say.
        observed_at: Of all rows, whatever their cells say.
    """

    now: datetime
    application: str | None = None
    observed_at: datetime | None = None
    # Exports give the same instants and the same application again and again.
    _instants: dict[str, datetime] = field(default_factory=dict)
    _application_cell: str | None = None
    _application: str = ""

    def row(
        self, who: str, application: str, last_used: str, unused_days: str, device: str, observed_at: str
    ) -> UsageRow:
        """Return the row that cells say; one that is missing is empty.

        Raises:
            BadCell: One of them cannot be read.
        """
        who = _required(WHO, who)
        if application != self._application_cell:
            self._application = self.application or _required(APPLICATION, application)
            self._application_cell = application
        observed = self.observed_at or self._instants.get(observed_at)
        if observed is None:
            observed = self._instant(OBSERVED, _required(OBSERVED, observed_at))
        used = self._instants.get(last_used)
        if used is None and (last_used := last_used.strip()):
            used = self._instant(LAST_USED, last_used)
        if used is not None and used > observed and used > observed + _AHEAD:
            raise BadCell(LAST_USED, "is later than it was observed")
        days = _days(unused_days.strip()) if unused_days and not unused_days.isspace() else None
        if used is None and days is None:
            raise BadCell(LAST_USED, f"is empty, and {UNUSED} is not given either")
        if used is not None and days is not None:
            # The later use of the two: what contradicts itself must not take anything away.
            if observed - timedelta(days=days) > used + _DAY:  # full days are up to one short
                used = None
            else:
                days = None
        return UsageRow(
            who=who,
            application=self._application,
            last_used_at=used,
            unused_days=days,
            device=device.strip()[:_LONGEST_DEVICE] or None if device else None,
            observed_at=observed,
        )

    def unknown(self, who: str, application: str) -> UsageRow | None:
        """Return a row that makes its person unknown, in place of one that cannot be read: it may have told of their use.

        None where the row does not even say whose it is, or of which application.
        """
        try:
            return unreadable_use(_required(WHO, who), self.application or _required(APPLICATION, application))
        except BadCell:
            return None

    def _instant(self, column: str, text: str) -> datetime:
        at = _instant(column, text, self.now)
        if len(self._instants) >= _REMEMBERED:
            self._instants.clear()
        self._instants[text] = at
        return at


def usage_row(cells: Mapping[str, str], judge: RowJudge) -> UsageRow:
    """Return the row that cells say, by our columns.

    Args:
        cells: Column → text; one that is missing is empty.
        judge: Of the source.

    Raises:
        BadCell: One of them cannot be read.
    """
    return judge.row(*(cells.get(column, "") for column in COLUMNS))


def _required(column: str, cell: str) -> str:
    text = cell.strip()
    if not text:
        raise BadCell(column, "is empty")
    if len(text) > _LONGEST or "\N{REPLACEMENT CHARACTER}" in text:
        raise BadCell(column, "cannot be read")
    return text


def _instant(column: str, text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        # A day without a time is its end for the use and for the observation alike: the later, the safer.
        if len(text) <= len("2026-11-23"):
            at += _DAY
        if at.tzinfo is not UTC:
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadCell(column, "is no date. Example: 2026-11-23T08:00:00Z", text) from error
    if at > now + _AHEAD:
        raise BadCell(column, "lies in the future", text)
    return min(at, now)


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(DAYS_MOST)) and int(text) <= DAYS_MOST):
        raise BadCell(UNUSED, f"is no number of days up to {DAYS_MOST:,}", text)
    return int(text)
