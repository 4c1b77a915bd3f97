"""Load a price list. One mistake refuses the whole file: half a list would show wrong sums without anybody knowing."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial

from reclaim.domain.attestation import EventKind
from reclaim.domain.money import Money, Period, Price, minor_digits
from reclaim.errors import InvalidRequest
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import SYSTEM, Attestor
from reclaim.services.csv_rows import mistake, read_rows

COLUMNS = ("sku", "amount", "currency", "period", "renews_on")
_OPTIONAL = "renews_on"
_HEADER = ",".join(COLUMNS)
MAX_ROWS = 10_000
_SKU_LENGTH = 256
_AMOUNT = re.compile(r"(\d{1,9})(?:\.(\d+))?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_mistake = partial(mistake, field="prices")


class LoadPrices:
    """Replaces the prices of one source."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens) -> None:
        self._work = work
        self._clock = clock
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def from_csv(self, text: str, source: str, *, actor: str = SYSTEM) -> int:
        """Replace all prices of `source` by those of a CSV file, and return how many there are.

        Args:
            text: Header `sku,amount,currency,period,renews_on` (the last one optional), amounts in major units with a
                decimal point, period `month` or `year`, dates as 2027-06-30. A byte order mark is taken.
            source: Names the list, for example its file name; other sources keep their prices.
            actor: By whose word; a list that changes nothing, as at most starts of the server, is not attested anew.

        Raises:
            InvalidRequest: Anything is wrong; the message names line and column, and nothing is stored.
        """
        prices = read_prices(text)
        async with self._work.write() as unit:
            now = self._clock.now()
            if await unit.catalog.replace_prices(prices, source=source, at=now):
                await unit.events.append(
                    self._attest.event(
                        EventKind.PRICES_LOADED,
                        actor=actor,
                        at=now,
                        facts={"rows": len(prices), "sha256": hashlib.sha256(text.encode()).hexdigest()},
                        personal={"source": source},
                    )
                )
            await unit.commit()
        return len(prices)


def read_prices(text: str) -> list[tuple[str, Price]]:
    """Return SKU and price of every row.

    Raises:
        InvalidRequest: See `LoadPrices.from_csv`.
    """
    prices: list[tuple[str, Price]] = []
    first_lines: dict[str, int] = {}
    for line, row in read_rows(text, _check_header, field="prices"):
        sku = _sku(line, row["sku"])
        same = " ".join(sku.split()).casefold()
        if same in first_lines:
            raise _mistake(line, "sku", f"“{sku}” has a price in line {first_lines[same]} already.")
        first_lines[same] = line
        if len(prices) == MAX_ROWS:
            raise InvalidRequest(f"A price list has at most {MAX_ROWS:,} rows. Nothing was loaded.", field="prices")
        prices.append((sku, _price(line, row)))
    if not prices:
        raise InvalidRequest("The price list has no rows. Nothing was loaded.", field="prices")
    return prices


def _check_header(names: Sequence[str]) -> None:
    if len(names) == 1 and ";" in names[0]:
        raise InvalidRequest(
            f"Line 1: this file uses semicolons. Please save it with commas, as {_HEADER}", field="prices"
        )
    wanted = set(COLUMNS) - ({_OPTIONAL} - set(names))
    if len(names) != len(set(names)) or set(names) != wanted:
        raise InvalidRequest(f"Line 1: the columns must be {_HEADER} ({_OPTIONAL} may be left out).", field="prices")


def _price(line: int, row: Mapping[str, str]) -> Price:
    periods = {period.value: period for period in Period}
    if row["period"] not in periods:
        raise _mistake(line, "period", f"“{row['period']}” is neither month nor year.")
    return Price(
        amount=_amount(line, row),
        period=periods[row["period"]],
        renews_on=_day(line, row.get(_OPTIONAL, "")),
    )


def _sku(line: int, text: str) -> str:
    if not text:
        raise _mistake(line, "sku", "a SKU is missing: its name, part number or skuId.")
    if len(text) > _SKU_LENGTH or not text.isprintable():
        raise _mistake(line, "sku", "this is not the name of a SKU.")
    return text


def read_currency(text: str) -> str:
    """Return an ISO 4217 code.

    Raises:
        InvalidRequest: It is none.
    """
    if not _CURRENCY.fullmatch(text):
        raise InvalidRequest(f"“{text}” is not a currency code. Example: USD", field="currency")
    return text


def read_amount(text: str, currency: str) -> Money:
    """Return an amount in major units with a decimal point.

    Raises:
        InvalidRequest: It is none, or has more decimals than the currency.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise InvalidRequest(f"“{text}” is not an amount. Example: 1204.50", field="amount")
    digits = minor_digits(currency)
    fraction = found[2] or ""
    if len(fraction) > digits:
        raise InvalidRequest(f"“{text}” has too many decimals; {currency} has {digits}.", field="amount")
    return Money(int(found[1]) * 10**digits + int(fraction.ljust(digits, "0") or "0"), currency)


def _amount(line: int, row: Mapping[str, str]) -> Money:
    try:
        return read_amount(row["amount"], read_currency(row["currency"]))
    except InvalidRequest as error:
        raise _mistake(line, error.field or "amount", error.message) from error


def _day(line: int, text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _mistake(line, _OPTIONAL, f"“{text}” is not a clear date. Example: 2027-06-30") from error
