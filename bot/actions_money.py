"""Clicks about what is left out and what seats cost: end an exclusion, add a price."""

from bot.commands.exclude import draw_exclusions
from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import choice_of, day_of, text_of
from cards.exclusions import ended
from cards.prices import price_form, priced_note, prices_card
from cards.view import CardView
from reclaim.domain.ids import ProductId
from reclaim.domain.money import Period
from reclaim.domain.roles import RUN
from reclaim.errors import InvalidRequest

_NEW = "new"


async def end_exclusion(click: Click) -> Reply:
    """End an exclusion."""
    view = await click.services.exclude_seats.end(click.actor, click.ref)
    return Reply(replace=await draw_exclusions(click, ended(view)))


async def present_exclusions(click: Click) -> CardView:
    """Draw what is left out now."""
    return await draw_exclusions(click)


async def price_ask(click: Click) -> Reply:
    """Open the form; the card that was clicked stays."""
    return Reply(cards=(price_form(await click.services.keep_prices.list(), _product(click)),))


async def price_submit(click: Click) -> Reply:
    """Set the price."""
    keeping = click.services.keep_prices
    try:
        row = await keeping.set(
            click.actor,
            ProductId(text_of(click.inputs, "sku", longest=100)),
            text_of(click.inputs, "amount", longest=20),
            text_of(click.inputs, "currency", longest=10),
            choice_of(click.inputs, "period", Period) or Period.MONTH,
            renews_on=day_of(click.inputs, "renews"),
        )
    except InvalidRequest as error:
        filled = click.filled(error)
        raise FormRefused(price_form(await keeping.list(), _product(click), filled), error.message) from error
    return Reply(replace=prices_card(await keeping.list(), note=priced_note(row), may_set=True))


def _product(click: Click) -> str | None:
    return None if click.ref == _NEW else click.ref


MONEY_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="exclude.end", roles=RUN, handler=end_exclusion, present=present_exclusions),
    ActionVerb(name="price.form", roles=RUN, handler=price_ask),
    ActionVerb(name="price.submit", roles=RUN, handler=price_submit),
)
