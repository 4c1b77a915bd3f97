"""`/reclaim price`: what seats cost; set a price, or load a list on the command line."""

import asyncio
from pathlib import Path

from bot.handling import CONSOLE, Call, Group, Verb
from bot.inbound import Reply
from cards.prices import loaded_note, priced_note, prices_card
from reclaim.domain.calendar import parse_day
from reclaim.domain.money import Period
from reclaim.domain.roles import RUN
from reclaim.errors import InvalidRequest

_USAGE = 'Type the SKU, the price and the currency: price "Visio Plan 2" 15.00 USD --per month'
_LARGEST = 5_000_000  # bytes of a price list; 10,000 rows take a fifth


async def show(call: Call) -> Reply:
    """List, set one, or load a file."""
    given = call.arguments
    note: str | None = None
    if "csv" in given.options:
        if given.words or len(given.options) > 1:
            raise InvalidRequest("Please load a file alone: price --csv FILE")
        note = await _load(call, given.options["csv"])
    elif given.words:
        note = await _set(call)
    elif given.options:
        raise InvalidRequest(_USAGE)
    prices = await call.services.keep_prices.list()
    return Reply(cards=(prices_card(prices, note=note, may_set=call.actor.may(RUN)),))


async def _set(call: Call) -> str:
    given = call.arguments
    if len(given.words) < 3:
        raise InvalidRequest(_USAGE)
    *name, amount, currency = given.words
    per = given.options.get("per", Period.MONTH.value).lower()
    if per not in {period.value for period in Period}:
        raise InvalidRequest("Please choose --per month or --per year.", field="per")
    row = await call.services.keep_prices.set(
        call.actor,
        await call.services.read_seats.product(" ".join(name)),
        amount,
        currency,
        Period(per),
        renews_on=parse_day(given.options["renews"]) if "renews" in given.options else None,
        valid_from=parse_day(given.options["from"]) if "from" in given.options else None,
    )
    return priced_note(row)


async def _load(call: Call, file: str) -> str:
    if call.actor.channel != CONSOLE:
        raise InvalidRequest("A file can be loaded on the command line only: reclaim price --csv FILE", field="csv")
    path = Path(file)
    try:
        text = await asyncio.to_thread(_read, path)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} cannot be read as UTF-8 text. Nothing was loaded.", field="csv") from error
    rows = await call.services.load_prices.from_csv(text, path.name, actor=call.actor.id)
    return loaded_note(rows, path.name)


def _read(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise OSError("too large")
    return path.read_text(encoding="utf-8")


PRICE = Verb(
    name="price",
    summary="What seats cost. Set a price, or load a list.",
    usage="price [SKU AMOUNT CURRENCY] [--per month|year] [--renews DATE] [--from DATE] [--csv FILE]",
    example='price "Visio Plan 2" 15.00 USD --per month',
    group=Group.LOOK,
    roles=RUN,
    handler=show,
    options=frozenset({"per", "renews", "from", "csv"}),
    public=True,
)
