"""Cells of usage rows, as every source of text gives them: what each means, and what is wrong with one."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from reclaim.domain.usage import UsageRow, unknown_use

DAYS_MOST: Final = 3_650
NOBODY: Final = "(nobody)"  # whose row it is where a source knows no user
_AHEAD: Final = timedelta(hours=24)  # a clock elsewhere may be ahead, and days have zones
_LONGEST: Final = 320  # characters: the longest mail address

WHO, APPLICATION, LAST_USED, UNUSED, DEVICE, OBSERVED = (
    "who",
    "application",
    "last_used",
    "unused_days",
    "device",
    "observed_at",
)


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


def usage_row(
    cells: Mapping[str, str], *, now: datetime, application: str | None = None, observed_at: datetime | None = None
) -> UsageRow:
    """Return the row that cells say, by our columns.

    Args:
        cells: Column → text; one that is missing is empty.
        now: The time; nothing was used or seen later.
        application: Where the cells do not say it.
        observed_at: Where the cells do not say it.

    Raises:
        BadCell: One of them cannot be read.
    """
    who = _required(WHO, cells)
    of = application or _required(APPLICATION, cells)
    observed = observed_at or _instant(OBSERVED, _required(OBSERVED, cells), now)
    last_used, unused = cells.get(LAST_USED, "").strip(), cells.get(UNUSED, "").strip()
    if not last_used and not unused:
        raise BadCell(LAST_USED, f"is empty, and {UNUSED} is not given either")
    used = _instant(LAST_USED, last_used, now) if last_used else None
    if used is not None and used > observed + _AHEAD:
        raise BadCell(LAST_USED, "is later than it was observed")
    days = _days(unused) if unused else None
    if used is not None and days is not None:
        # The later use of the two: what contradicts itself must not take anything away.
        if observed - timedelta(days=days) > used + timedelta(days=1):  # full days are up to one short
            used = None
        else:
            days = None
    return UsageRow(
        who=who,
        application=of,
        last_used_at=used,
        unused_days=days,
        device=cells.get(DEVICE, "").strip()[:100] or None,
        observed_at=observed,
    )


def unknown_row(cells: Mapping[str, str], *, application: str | None = None) -> UsageRow | None:
    """Return a row that makes its person unknown, in place of one that cannot be read: it may have told of their latest use.

    None where the row does not even say whose it is, or of which application.
    """
    try:
        return unknown_use(_required(WHO, cells), application or _required(APPLICATION, cells))
    except BadCell:
        return None


def _required(column: str, cells: Mapping[str, str]) -> str:
    text = cells.get(column, "").strip()
    if not text:
        raise BadCell(column, "is empty")
    if "\N{REPLACEMENT CHARACTER}" in text or len(text) > _LONGEST:
        raise BadCell(column, "cannot be read")
    return text


def _instant(column: str, text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        # A day without a time is its end for the use and for the observation alike: the later, the safer.
        if len(text) <= len("2026-11-23"):
            at += timedelta(days=1)
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
