"""`/reclaim owner`: who answers for the seats of a SKU."""

from bot.handling import CONSOLE, Call, Group, Verb
from bot.inbound import Reply
from cards.owners import named_text, owners_card
from reclaim.domain.ids import ProductId
from reclaim.domain.read_models import Owners
from reclaim.domain.roles import RUN
from reclaim.errors import InvalidRequest

_GROUP = "group"


async def show(call: Call) -> Reply:
    """List the owners; name one, a person or a group; or leave a SKU without one."""
    words, owning = call.arguments.words, call.services.name_owner
    none = "none" in call.arguments.flags
    if not words:
        if none:
            raise InvalidRequest("Please name the SKU.", field="sku")
        return _draw(call, await owning.owners())
    product, rest = await _product(call, words, whole=none)
    if none:
        return _draw(call, await owning.remove(call.actor, product), product)
    of_group = len(rest) > 1 and rest[0].lower() == _GROUP
    text = " ".join(rest[1:] if of_group else rest)
    if not text:
        raise InvalidRequest("Please name a person, or group and its name.", field="owner")
    return _draw(call, await owning.name(call.actor, product, text, group=of_group), product)


async def _product(call: Call, words: tuple[str, ...], *, whole: bool) -> tuple[ProductId, tuple[str, ...]]:
    """Return the SKU that the first words name, the most of them that do, and the words after it.

    Raises:
        InvalidRequest: No SKU is named; the message names the nearest.
    """
    if whole:
        return await call.services.read_seats.product(" ".join(words)), ()
    refused: InvalidRequest | None = None
    for end in range(len(words), 0, -1):
        try:
            return await call.services.read_seats.product(" ".join(words[:end])), words[end:]
        except InvalidRequest as error:
            refused = error  # that of the first word alone is the one to show: it is most likely the SKU in quotes
    raise refused or InvalidRequest("Please name the SKU.", field="sku")


def _draw(call: Call, owners: Owners, product: ProductId | None = None) -> Reply:
    row = next((one for one in owners.rows if one.product_id == product), None)
    said = named_text(row.sku_name, row) if row is not None else None
    card = owners_card(owners, said=said, may_run=call.actor.may(RUN), whole=call.actor.channel == CONSOLE)
    return Reply(cards=(card,))


OWNER = Verb(
    name="owner",
    summary="Who answers for the seats of a SKU: a person or a group.",
    usage="owner [SKU PERSON | SKU group NAME | SKU --none]",
    example='owner "Visio Plan 2" "Megan Bowen"',
    group=Group.ASK,
    roles=RUN,
    handler=show,
    flags=frozenset({"none"}),
)
