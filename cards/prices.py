"""What seats cost and where the price comes from; the form that sets one. For who runs campaigns."""

from collections.abc import Sequence

from cards import formats
from cards.form import EMPTY, Filled
from cards.phrases import next_box, open_spend, sku
from cards.view import (
    Action,
    CardView,
    Element,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Strip,
    Table,
    Tone,
)
from reclaim.domain.money import Period
from reclaim.domain.read_models import PriceList, PriceRow

PRICE_FIELDS = frozenset({"sku", "amount", "currency", "period", "renews"})
_ROWS = 30
_CHOICES = 100
_SOURCE_MAX = 40


def prices_card(prices: PriceList, *, note: str | None = None, may_set: bool) -> CardView:
    """Draw the prices, those that are missing first; `note` says what was just done."""
    missing = [row for row in prices.rows if row.price is None and row.idle]
    body: list[Element] = [Strip(tone=Tone.GOOD, text=note)] if note else []
    if missing:
        idle = sum(row.idle for row in missing)
        have, whose = ("has", "its") if len(missing) == 1 else ("have", "their")
        which, seats = formats.count(len(missing), "SKU"), formats.count(idle, "idle seat")
        body.append(Paragraph(f"{which} {have} no price: {whose} {seats} {'is' if idle == 1 else 'are'} in no sum."))
    shown = prices.rows[:_ROWS]
    if shown:
        body.append(
            Table(
                header=("SKU", "Price", "Renews", "Source", "Idle"),
                rows=tuple(_row(row) for row in shown),
                numeric=(1, 4),
                row_actions=tuple(_form_of(row) if may_set else None for row in shown),
            )
        )
    else:
        body.append(Paragraph("Nothing has been read from the tenant yet."))
    if left := len(prices.rows) - len(shown):
        body.append(Paragraph(f"{formats.count(left, 'more SKU')}.", subtle=True))
    return CardView(
        kind="prices",
        headline=Headline(
            title="Prices",
            amount=formats.count(len(missing), "SKU"),
            context="One seat, as your contract says. Currencies are never added together.",
            unit="without a price",
        ),
        body=tuple(body),
        actions=(*([_add()] if may_set and shown else []), open_spend()),
        fallback=f"{formats.count(len(missing), 'SKU')} without a price.",
    )


def price_form(prices: PriceList, product: str | None = None, filled: Filled = EMPTY) -> CardView:
    """Draw the form that sets a price, for one product or one of all."""
    default = product or next((row.product_id for row in prices.rows if row.price is None), "")
    options = tuple(Option(row.product_id, _label(row)) for row in _choices(prices.rows, default))
    return CardView(
        kind="price.form",
        headline=Headline(title="Add a price"),
        body=(
            *filled.strip(PRICE_FIELDS),
            Input(
                id="sku",
                kind=InputKind.SELECT,
                label="SKU",
                required=True,
                value=filled.value("sku", default),
                options=options,
                error=filled.error_of("sku"),
            ),
            Input(
                id="amount",
                kind=InputKind.TEXT,
                label="Price of one seat",
                required=True,
                value=filled.value("amount"),
                placeholder="30.00",
                max_length=20,
                error=filled.error_of("amount"),
            ),
            Input(
                id="currency",
                kind=InputKind.TEXT,
                label="Currency",
                required=True,
                value=filled.value("currency", _currency(prices.rows)),
                placeholder="USD",
                max_length=3,
                error=filled.error_of("currency"),
            ),
            Input(
                id="period",
                kind=InputKind.CHOICE,
                label="Paid",
                value=filled.value("period", Period.MONTH.value),
                options=(Option(Period.MONTH.value, "A month"), Option(Period.YEAR.value, "A year")),
                error=filled.error_of("period"),
            ),
            Input(
                id="renews",
                kind=InputKind.DATE,
                label="Renews on",
                value=filled.value("renews"),
                hint="If you know it",
                error=filled.error_of("renews"),
            ),
            next_box("The price counts from today, in every sum. Campaigns that are open keep theirs."),
        ),
        actions=(Action(label="Save price", verb="price.submit", ref=product or "new"),),
        fallback="Add a price.",
    )


def priced_note(row: PriceRow) -> str:
    """Return what was set, as a sentence."""
    return f"{sku(row.name)}: {_price(row)}."


def loaded_note(rows: int, source: str) -> str:
    """Return what was loaded, as a sentence."""
    return f"{formats.count(rows, 'price')} loaded from {formats.isolate(formats.one_line(source, _SOURCE_MAX))}."


def _row(row: PriceRow) -> tuple[str, ...]:
    renews = row.price.renews_on if row.price else None
    return (
        row.name,
        _price(row),
        formats.day(renews) if renews else "",
        formats.one_line(row.source, _SOURCE_MAX) if row.source else "",
        formats.number(row.idle),
    )


def _price(row: PriceRow) -> str:
    if row.price is None:
        return "No price"
    return f"{formats.money(row.price.amount)} a {row.price.period.value}"


def _label(row: PriceRow) -> str:
    state = f"{formats.count(row.idle, 'idle seat')}, no price" if row.price is None else _price(row)
    return f"{formats.one_line(row.name, formats.SKU_MAX)} ({state})"


def _choices(rows: Sequence[PriceRow], default: str) -> Sequence[PriceRow]:
    first = rows[:_CHOICES]
    return [*first, *(row for row in rows[_CHOICES:] if row.product_id == default)]


def _currency(rows: Sequence[PriceRow]) -> str:
    used = [row.price.amount.currency for row in rows if row.price]
    return max(sorted(set(used)), key=used.count, default="")


def _form_of(row: PriceRow) -> Action:
    return Action(label="Price", verb="price.form", ref=row.product_id, submits=False)


def _add() -> Action:
    return Action(label="Add price", verb="price.form", ref="new", submits=False)
