"""How dates, money, numbers and names read in English (UX.md 1). Pure: no clock, no wording of a topic, no markup.

A function that returns None says that there is nothing to show; a zero never stands for something unknown.
"""

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Final

from reclaim.domain.calendar import end_of_day, local_day, zone
from reclaim.domain.money import Money, Total

# The cutting order of UX.md 3: what a field may show before "…"; the full text stands in Details.
REASON_MAX: Final = 120
NAME_MAX: Final = 64
SKU_MAX: Final = 60
GROUP_MAX: Final = 60
NOTE_MAX: Final = 300

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEARS_FROM_DAYS = 730
_HOURS_BELOW = timedelta(hours=12)
_WHOLE_FROM_UNITS = 1_000

# Currencies whose minor unit is not a hundredth. ISO 4217, list one, column "Minor unit".
_MINOR_DIGITS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

# Symbols that name one currency only, as in Unicode CLDR, common/main/en.xml. Any other currency stands as its code.
_SYMBOLS = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "PHP": "₱",
    "TWD": "NT$",
    "USD": "$",
    "VND": "₫",
}

# FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE. https://unicode.org/reports/tr9/#Explicit_Directional_Isolates
_OPEN_ISOLATE: Final = "\u2068"
_CLOSE_ISOLATE: Final = "\u2069"
# Never shown: control characters, lone surrogates (no UTF-8 holds them), and what turns the text around it: embeddings,
# overrides and the isolates that force a direction. Same source.
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066\u2067]")
_UNTYPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
# What a terminal obeys: control sequences, strings such as titles and links, other escapes. ECMA-48, 5.4 to 5.6.
# https://ecma-international.org/publications-and-standards/standards/ecma-48/
_TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
_ZERO_WIDTH_JOINER = "\u200d"


def day(value: date, *, weekday: bool = False) -> str:
    """Return "12 Jul 2026", or "Fri 4 Dec 2026": the weekday is for days to come, not for the past."""
    text = f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
    return f"{_WEEKDAYS[value.weekday()]} {text}" if weekday else text


def moment(at: datetime, zone_name: str, *, weekday: bool = False, offset: bool = False) -> str:
    """Return "23 Nov 2026, 14:02" in an IANA zone; `offset` adds " UTC+01:00" for readers in several zones."""
    local = at.astimezone(zone(zone_name))
    text = f"{day(local.date(), weekday=weekday)}, {local:%H:%M}"
    if not offset:
        return text
    digits = f"{local:%z}"
    return f"{text} UTC{digits[:3]}:{digits[3:5]}"


def due(at: datetime, zone_name: str) -> str:
    """Return when something is due: the day that ends at `at`, or day and time if `at` lies within a day."""
    ending = local_day(at - timedelta(microseconds=1), zone_name)
    if end_of_day(ending, zone_name) == at:
        return day(ending, weekday=True)
    return moment(at, zone_name, weekday=True)


def age(at: datetime, now: datetime) -> str:
    """Return how long ago `at` was: "134 days ago", from 730 days on "2 years ago".

    Full days of 24 hours, as the idle rules count them. Under a day, or ahead of our clock, it is "today".
    """
    days = (now - at).days
    if days >= _YEARS_FROM_DAYS:
        return f"{days // 365} years ago"
    return f"{count(days, 'day')} ago" if days > 0 else "today"


def time_left(at: datetime, now: datetime, zone_name: str) -> str:
    """Return "in 4 days", "today" or, under twelve hours, "in 3 hours"; "now" once `at` has come."""
    left = at - now
    if left <= timedelta(0):
        return "now"
    if left < timedelta(hours=1):
        return "in less than an hour"
    if left < _HOURS_BELOW:
        return f"in {count(int(left / timedelta(hours=1)), 'hour')}"
    days = (local_day(at - timedelta(microseconds=1), zone_name) - local_day(now, zone_name)).days
    return f"in {count(days, 'day')}" if days > 0 else "today"


def length(time: timedelta) -> str:
    """Return a length of time in one unit, rounded down: "3 days", "5 hours", "12 minutes"; its sign does not count."""
    seconds = int(abs(time).total_seconds())
    if seconds >= 2 * 86_400:
        return count(seconds // 86_400, "day")
    if seconds >= 2 * 3_600:
        return count(seconds // 3_600, "hour")
    return count(seconds // 60, "minute")


def number(n: int) -> str:
    """Return "1,204"."""
    return f"{n:,}"


def percent(part: int, whole: int) -> str:
    """Return "60 %". Neither "0 %" nor "100 %" is said of a part that is more than nothing or less than all.

    Raises:
        ValueError: `whole` is not positive: there is no share of nothing.
    """
    if whole <= 0:
        raise ValueError("no share of nothing")
    rounded = (200 * part + whole) // (2 * whole)
    if 0 < part < whole:
        rounded = min(99, max(1, rounded))
    return f"{rounded} %"


def count(n: int, noun: str, plural: str | None = None, *, in_words: bool = False) -> str:
    """Return "1 seat", "2 seats"; `in_words` writes a one as "one seat". `plural` if it is not noun + "s"."""
    if n == 1:
        return f"{'one' if in_words else '1'} {noun}"
    return f"{number(n)} {plural or noun + 's'}"


def money(amount: Money) -> str:
    """Return an amount with its minor units: "$30.00", "CA$1,204.00", "1,204.00 SEK", "¥500"."""
    digits = _MINOR_DIGITS.get(amount.currency, 2)
    units, rest = divmod(abs(amount.minor), 10**digits)
    return _signed(amount, f"{units:,}.{rest:0{digits}d}" if digits else f"{units:,}")


def whole_money(amount: Money) -> str:
    """Return an amount in whole units, half up: "$3,244". What would round to nothing keeps its minor units."""
    scale = 10 ** _MINOR_DIGITS.get(amount.currency, 2)
    units = (2 * abs(amount.minor) + scale) // (2 * scale)
    if units == 0 and amount.minor != 0:
        return money(amount)
    return _signed(amount, f"{units:,}")


def price(each: Money | None) -> str:
    """Return the price of one seat, "$30.00", or "No price"."""
    return "No price" if each is None else money(each)


def amounts(total: Total, *, whole: bool = False) -> str | None:
    """Return the priced part of a sum, "$3,244 + €390", or None if nothing in it has a price.

    A sum over seats keeps its minor units under 1,000; campaign and tenant sums (`whole`) have none.
    """
    if not total.amounts:
        return None
    return " + ".join(_sum_of(amount, whole=whole) for amount in total.amounts)


def unit(total: Total) -> str:
    """Return what stands under the amount of a headline: "a month", "a month + 1 unpriced"."""
    return f"a month + {number(total.unpriced)} unpriced" if total.unpriced else "a month"


def total_text(total: Total, *, whole: bool = False) -> str:
    """Return a sum and what it leaves out: "$57.00 + 1 unpriced", "6 seats, no price"; "nothing" over no seats."""
    return _with_unpriced(total, whole=whole, period="")


def monthly(total: Total, *, whole: bool = False) -> str:
    """Return the same for a sentence: "$148.00 a month", "$57.00 a month + 1 unpriced"."""
    return _with_unpriced(total, whole=whole, period=" a month")


def cut(text: str, limit: int) -> str:
    """Return at most `limit` characters, the last one "…" if anything is missing.

    Code points are counted; marks, joined emoji and flags are not torn from what they belong to.
    """
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and _continues(text[end - 1], text[end]):
        end -= 1
    return text[:end].rstrip() + "…"


def one_line(text: str, limit: int | None = None) -> str:
    """Return foreign text as one line that cannot disturb what stands around it, cut to `limit`.

    Line breaks become spaces; terminal sequences, control characters, lone surrogates and marks that turn the text
    around are dropped; isolates are kept if they are whole.
    """
    folded = _BREAKS.sub(" ", _TERMINAL.sub("", text))
    visible = _UNSHOWN.sub("", folded)
    return _close_isolates(visible if limit is None else cut(visible, limit))


def as_typed(text: str) -> str:
    """Return what somebody wrote into a field, to be shown there again: all of it but what no field can hold."""
    return _UNTYPED.sub("", text)


def isolate(name: str) -> str:
    """Return a name so that right-to-left script in it leaves the words around it in place."""
    bare = name.replace(_OPEN_ISOLATE, "").replace(_CLOSE_ISOLATE, "")
    if any(unicodedata.bidirectional(c) in {"R", "AL"} for c in bare):
        return f"{_OPEN_ISOLATE}{bare}{_CLOSE_ISOLATE}"
    return bare


def first_word(name: str) -> str:
    """Return what a person is called after the first mention: "Isaiah" of "Isaiah Langer"."""
    words = name.split()
    return (words[0].rstrip(",") or name) if words else name


def _signed(amount: Money, digits: str) -> str:
    sign = "-" if amount.minor < 0 else ""
    symbol = _SYMBOLS.get(amount.currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {amount.currency}"


def _sum_of(amount: Money, *, whole: bool) -> str:
    scale = 10 ** _MINOR_DIGITS.get(amount.currency, 2)
    return whole_money(amount) if whole or abs(amount.minor) >= _WHOLE_FROM_UNITS * scale else money(amount)


def _with_unpriced(total: Total, *, whole: bool, period: str) -> str:
    priced = amounts(total, whole=whole)
    if priced is None:
        return f"{count(total.unpriced, 'seat')}, no price" if total.unpriced else "nothing"
    return f"{priced}{period} + {number(total.unpriced)} unpriced" if total.unpriced else f"{priced}{period}"


def _continues(before: str, after: str) -> bool:
    """Whether `after` belongs to what `before` began, by the rules of UAX 29 that names meet.

    https://unicode.org/reports/tr29/#Grapheme_Cluster_Boundary_Rules
    """
    return (
        unicodedata.category(after) in {"Mn", "Mc", "Me"}
        or _ZERO_WIDTH_JOINER in (before, after)
        or "\U0001f3fb" <= after <= "\U0001f3ff"  # skin tones
        or ("\U0001f1e6" <= before <= "\U0001f1ff" and "\U0001f1e6" <= after <= "\U0001f1ff")  # flags
    )


def _close_isolates(text: str) -> str:
    """Drop each closing mark that closes nothing and close what is left open."""
    if _OPEN_ISOLATE not in text and _CLOSE_ISOLATE not in text:
        return text
    kept: list[str] = []
    depth = 0
    for c in text:
        if c == _OPEN_ISOLATE:
            depth += 1
        elif c == _CLOSE_ISOLATE:
            if depth == 0:
                continue
            depth -= 1
        kept.append(c)
    return "".join(kept) + _CLOSE_ISOLATE * depth
