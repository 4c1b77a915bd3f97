"""`/reclaim start`: the form of a new campaign, filled in as far as the arguments go."""

from dataclasses import replace

from bot.handling import Call, Group, Verb
from bot.inbound import Reply
from bot.start_form import draw_form, new_draft
from reclaim.domain.calendar import parse_day
from reclaim.domain.campaign import Scope
from reclaim.domain.roles import RUN_AS_A_PERSON


async def show(call: Call) -> Reply:
    """Open the form; nothing is sent before its preview was seen and started."""
    given, services = call.arguments, call.services
    draft = new_draft(call)
    if given.text is not None:
        draft = replace(draft, name=given.text)
    if "until" in given.options:
        draft = replace(draft, due=parse_day(given.options["until"]))
    days = given.number("days") or draft.scope.days
    product = await services.read_seats.product(given.options["sku"]) if "sku" in given.options else None
    draft = replace(draft, scope=Scope(days=days, product_ids=(product,) if product else ()))
    await services.start_campaign.put_draft(call.actor, draft)
    return Reply(cards=(await draw_form(call, draft),))


START = Verb(
    name="start",
    summary="Put idle seats to their reviewers. You see a preview first.",
    usage="start [NAME] [--sku SKU] [--days DAYS] [--until DATE]",
    example="start --until 2026-12-04",
    group=Group.ASK,
    roles=RUN_AS_A_PERSON,
    handler=show,
    options=frozenset({"sku", "days", "until"}),
)
