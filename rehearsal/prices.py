"""What the company pays: the price list that somebody would import, in US dollars per seat.

List prices of 2026 in round figures. One is per year, to meet that form, and Teams Premium is left out on purpose, as is what
costs nothing.
"""

from rehearsal.catalog import COPILOT, E3, E5, EXCHANGE, PHONE, POWER_BI, PROJECT, ROOMS, SKYPE, VISIO
from rehearsal.clock import text

_PRICES = (
    (E5, "57.00", "month"),
    (E3, "36.00", "month"),
    (COPILOT, "30.00", "month"),
    (PROJECT, "30.00", "month"),
    (VISIO, "180.00", "year"),
    (POWER_BI, "14.00", "month"),
    (EXCHANGE, "8.00", "month"),
    (SKYPE, "5.50", "month"),
    (PHONE, "10.00", "month"),
    (ROOMS, "40.00", "month"),
)


def prices_csv(renews_at: int) -> str:
    """Return the price list as CSV; every product renews on the day of `renews_at`."""
    renews_on = text(renews_at)[:10]
    lines = [f"{sku.part_number},{amount},USD,{period},{renews_on}" for sku, amount, period in _PRICES]
    return "\n".join(["sku,amount,currency,period,renews_on", *lines, ""])
