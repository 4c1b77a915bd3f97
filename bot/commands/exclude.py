"""`/reclaim exclude`: what is left out of campaigns; leave somebody out, or end that."""

from bot.handling import Asked, Call, Group, Verb
from bot.inbound import Reply
from cards.exclusions import added, ended, exclusions_card
from cards.view import CardView
from reclaim.domain.calendar import parse_day
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.roles import RUN
from reclaim.errors import InvalidRequest

_OPTIONS = {
    "department": ExclusionKind.DEPARTMENT,
    "employee-type": ExclusionKind.EMPLOYEE_TYPE,
    "group": ExclusionKind.GROUP,
    "name": ExclusionKind.NAME,
}
_FLAGS = {"guests": ExclusionKind.GUESTS, "admins": ExclusionKind.ADMIN_ROLES}
_CHOICES = "a person, --group, --name, --department, --employee-type, --sku, --guests or --admins"


async def show(call: Call) -> Reply:
    """List, add or end."""
    given = call.arguments
    if "end" in given.options:
        if given.text is not None or len(given.options) > 1 or given.flags:
            raise InvalidRequest("Please end one at a time: exclude --end ID")
        view = await call.services.exclude_seats.end(call.actor, given.options["end"])
        return Reply(cards=(await draw_exclusions(call, ended(view)),))
    target = await _target(call)
    if target is None:
        if given.options:
            raise InvalidRequest(f"Please say who or what: {_CHOICES}.")
        return Reply(cards=(await draw_exclusions(call),))
    kind, text = target
    until = given.options.get("until")
    view = await call.services.exclude_seats.add(
        call.actor,
        kind,
        text,
        reason=given.options.get("reason", ""),
        until=parse_day(until) if until else None,
    )
    return Reply(cards=(await draw_exclusions(call, added(view, call.zone)),))


async def draw_exclusions(asked: Asked, note: str | None = None) -> CardView:
    """Draw the exclusions that count, with what was just done."""
    found = await asked.services.exclude_seats.list()
    return exclusions_card(found, asked.zone, note=note, may_end=asked.actor.may(RUN))


async def _target(call: Call) -> tuple[ExclusionKind, str] | None:
    given = call.arguments
    found = [(kind, given.options[name]) for name, kind in _OPTIONS.items() if name in given.options]
    if given.text is not None:
        found.append((ExclusionKind.PERSON, given.text))
    found += [(kind, "") for name, kind in _FLAGS.items() if name in given.flags]
    if "sku" in given.options:
        found.append((ExclusionKind.PRODUCT, await call.services.read_seats.product(given.options["sku"])))
    if len(found) > 1:
        raise InvalidRequest(f"Please name one: {_CHOICES}.")
    return found[0] if found else None


EXCLUDE = Verb(
    name="exclude",
    summary="Leave people or SKUs out of campaigns, with a reason.",
    usage="exclude [PERSON | --group NAME | --name PATTERN | --department NAME | --employee-type TYPE | --sku SKU"
    " | --guests | --admins] [--reason TEXT] [--until DATE] [--end ID]",
    example='exclude --department Legal --reason "Legal hold" --until 2027-03-31',
    group=Group.ASK,
    roles=RUN,
    handler=show,
    options=frozenset({*_OPTIONS, "sku", "reason", "until", "end"}),
    flags=frozenset(_FLAGS),
)
