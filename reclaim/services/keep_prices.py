"""The price of each product: what counts today and where it comes from, and a price set by hand."""

from datetime import date

from reclaim.domain.attestation import EventKind
from reclaim.domain.calendar import local_day
from reclaim.domain.ids import ProductId
from reclaim.domain.money import Period, Price
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import PriceList, PriceRow
from reclaim.domain.roles import Actor
from reclaim.errors import InvalidRequest
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.load_prices import read_amount, read_currency

BY_HAND = "set by hand"  # the source of prices that somebody typed


class KeepPrices:
    """Lists prices and sets one."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def list(self) -> PriceList:
        """Return every product with the price that counts today: first those without one, most idle seats first."""
        now, days = self._clock.now(), self._policy.idle_days
        async with self._work.read() as reading:
            skus = await reading.catalog.skus()
            prices = await reading.catalog.price_sources(now)
            idle = await reading.findings.tally(days=days, now=now)
        rows = [
            PriceRow(
                product_id=product,
                name=skus[product].name if product in skus else product,
                part_number=skus[product].part_number if product in skus else product,
                price=prices[product][0] if product in prices else None,
                source=prices[product][1] if product in prices else None,
                idle=idle.get(product, 0),
            )
            for product in {*skus, *idle}
        ]
        return PriceList(
            rows=tuple(
                sorted(rows, key=lambda row: (row.price is not None, -row.idle, row.name.casefold(), row.product_id))
            ),
            days=days,
        )

    async def set(
        self,
        actor: Actor,
        product: ProductId,
        amount: str,
        currency: str,
        period: Period = Period.MONTH,
        *,
        renews_on: date | None = None,
        valid_from: date | None = None,
    ) -> PriceRow:
        """Set what one seat costs, from a day on (today if none is given), and return the row of the list.

        It counts over an older price of any source; a price set by hand for the same day is replaced.

        Args:
            actor: By whose word.
            product: One of the tenant.
            amount: In major units with a decimal point.
            currency: ISO 4217.
            period: What the amount buys.
            renews_on: When the contract renews.
            valid_from: Its first day.

        Raises:
            InvalidRequest: A field cannot be read, or there is no such product.
        """
        money = read_amount(amount.strip(), read_currency(currency.strip().upper()))
        now = self._clock.now()
        price = Price(
            amount=money,
            period=period,
            valid_from=valid_from or local_day(now, self._policy.zone),
            renews_on=renews_on,
        )
        async with self._work.write() as unit:
            if product not in await unit.catalog.skus():
                raise InvalidRequest("This SKU is not in the tenant. Please pick another.", field="sku")
            await unit.catalog.put_price(product, price, source=BY_HAND, at=now)
            await unit.events.append(
                self._attest.event(
                    EventKind.PRICE_SET,
                    actor=actor.id,
                    at=now,
                    facts={
                        "product": product,
                        "minor": money.minor,
                        "currency": money.currency,
                        "period": period.value,
                        "valid_from": str(price.valid_from),
                        "renews_on": str(renews_on) if renews_on else None,
                    },
                )
            )
            await unit.commit()
        return next(row for row in (await self.list()).rows if row.product_id == product)
