"""Prices and sums: integers in minor units of one currency, never converted, never added across currencies."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Period(StrEnum):
    """What a price buys."""

    MONTH = "month"
    YEAR = "year"


# Currencies whose minor unit is not a hundredth. ISO 4217, list one, column "Minor unit".
_NO_DECIMALS = (
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
)  # fmt: skip
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_FOUR_DECIMALS = ("CLF", "UYW")
_MINOR_DIGITS = {
    **dict.fromkeys(_NO_DECIMALS, 0),
    **dict.fromkeys(_THREE_DECIMALS, 3),
    **dict.fromkeys(_FOUR_DECIMALS, 4),
}


def minor_digits(currency: str) -> int:
    """Return how many decimals an amount in major units may have."""
    return _MINOR_DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units (cents) of an ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise ValueError(f"not an ISO 4217 code: {self.currency!r}")

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} are never added")
        return Money(self.minor + other.minor, self.currency)

    def times(self, n: int) -> "Money":
        """Return `n` times this amount."""
        return Money(self.minor * n, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one seat of a product costs, from a day on."""

    amount: Money
    period: Period
    valid_from: date | None = None
    renews_on: date | None = None

    @property
    def monthly(self) -> Money:
        """The price of one seat for a month; a yearly price is divided by twelve and rounded half up."""
        if self.period is Period.MONTH:
            return self.amount
        return Money((self.amount.minor * 2 + 12) // 24, self.amount.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A sum over seats: one amount per currency, and how many seats have no price and are in none of them."""

    amounts: tuple[Money, ...] = ()
    unpriced: int = 0

    @classmethod
    def of(cls, monthly: Iterable[Money | None]) -> "Total":
        """Add the monthly prices of seats; None is a seat without a price."""
        sums: dict[str, int] = {}
        unpriced = 0
        for price in monthly:
            if price is None:
                unpriced += 1
            else:
                sums[price.currency] = sums.get(price.currency, 0) + price.minor
        ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
        return cls(amounts=tuple(Money(minor, currency) for currency, minor in ordered), unpriced=unpriced)

    @classmethod
    def grouped(cls, currency: str | None, minor: int, seats: int) -> "Total":
        """Return the sum of seats that were added up by their currency; None: they have no price."""
        return cls(amounts=(Money(minor, currency),)) if currency else cls(unpriced=seats)

    def plus(self, other: "Total") -> "Total":
        """Return both sums together, currency by currency."""
        sums: dict[str, int] = {}
        for money in (*self.amounts, *other.amounts):
            sums[money.currency] = sums.get(money.currency, 0) + money.minor
        ordered = sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
        return Total(
            amounts=tuple(Money(minor, currency) for currency, minor in ordered),
            unpriced=self.unpriced + other.unpriced,
        )
