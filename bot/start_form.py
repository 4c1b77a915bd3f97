"""The form of a campaign: from a draft to its fields and back. What comes back is untrusted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.handling import Asked
from bot.parsing import choice_of, day_of, flag_of, person_of, text_of, whole
from cards.form import Filled
from cards.start import ANY_RULE, ANY_SKU, StartForm, start_form
from cards.view import CardView
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import Scope, Silence, Strategy, WriteMode
from reclaim.domain.idle import Rule
from reclaim.domain.ids import PersonId, ProductId
from reclaim.errors import InvalidRequest
from reclaim.services.campaign_draft import CampaignDraft

_DAYS_TO_ANSWER: Final = 10
_LONGEST: Final = timedelta(days=366)


def new_draft(asked: Asked) -> CampaignDraft:
    """Return a draft with the defaults of this installation; it is not stored yet."""
    services = asked.services
    today = local_day(asked.now, services.policy.zone)
    return CampaignDraft(
        ref=services.tokens.new_id(),
        name=f"Q{(today.month + 2) // 3} {today.year} seat review",
        scope=Scope(days=services.policy.idle_days),
        strategy=Strategy.MANAGER,
        reviewer_id=None,
        fallback_id=services.policy.fallback_reviewer,
        due=today + timedelta(days=_DAYS_TO_ANSWER),
        zone=services.policy.zone,
        silence=Silence.KEEP,
        mode=services.policy.writes,
        by=asked.actor.id,
    )


async def draw_form(
    asked: Asked, draft: CampaignDraft, inputs: Mapping[str, str] | None = None, error: InvalidRequest | None = None
) -> CardView:
    """Draw the form of a draft, or, after a mistake, with what was filled in and what is wrong."""
    values = _values(draft) if inputs is None else dict(inputs)
    labels = {name: await _name(asked, values.get(name, "")) for name in ("reviewer", "fallback")}
    filled = Filled(
        values=values,
        labels=labels,
        field=error.field if error else None,
        error=error.message if error else None,
    )
    today = local_day(asked.now, draft.zone)
    report = await asked.services.read_spend.report()
    form = StartForm(
        ref=draft.ref,
        seats=len(draft.scope.seat_ids),
        skus=[
            (row.product_id, row.name) for row in report.rows if row.idle or row.product_id in draft.scope.product_ids
        ],
        first_day=today,
        last_day=today + _LONGEST,
        live=asked.services.policy.writes is WriteMode.LIVE,
    )
    return start_form(form, filled)


def read_form(draft: CampaignDraft, inputs: Mapping[str, str], *, live: bool) -> CampaignDraft:
    """Return the draft with what the form says.

    Args:
        draft: As stored; seats ticked by hand stay.
        inputs: As they came.
        live: Whether the installation may remove at all.

    Raises:
        InvalidRequest: A field cannot be read; what it means is for the preview to judge.
    """
    due = day_of(inputs, "until")
    if due is None:
        raise InvalidRequest("Please pick a date.", field="until")
    dry = flag_of(inputs, "dry_run") or not live
    return replace(
        draft,
        name=text_of(inputs, "name"),
        scope=draft.scope if draft.scope.seat_ids else _scope(inputs),
        strategy=choice_of(inputs, "strategy", Strategy) or Strategy.MANAGER,
        reviewer_id=person_of(inputs, "reviewer"),
        fallback_id=person_of(inputs, "fallback"),
        due=due,
        silence=choice_of(inputs, "silence", Silence) or Silence.KEEP,
        mode=WriteMode.DRY_RUN if dry else WriteMode.LIVE,
    )


def _scope(inputs: Mapping[str, str]) -> Scope:
    rule = text_of(inputs, "rules", longest=40)
    sku = text_of(inputs, "sku", longest=100)
    if rule not in ("", ANY_RULE, *Rule):
        raise InvalidRequest("Please pick one of these.", field="rules")
    return Scope(
        days=whole(inputs.get("days", "90"), "days"),
        rules=() if rule in ("", ANY_RULE) else (rule,),
        product_ids=() if sku in ("", ANY_SKU) else (ProductId(sku),),
    )


def _values(draft: CampaignDraft) -> dict[str, str]:
    return {
        "name": draft.name,
        "days": str(draft.scope.days),
        "rules": draft.scope.rules[0] if draft.scope.rules else ANY_RULE,
        "sku": draft.scope.product_ids[0] if draft.scope.product_ids else ANY_SKU,
        "strategy": draft.strategy.value,
        "reviewer": draft.reviewer_id or "",
        "fallback": draft.fallback_id or "",
        "until": draft.due.isoformat(),
        "silence": draft.silence.value,
        "dry_run": "true" if draft.mode is WriteMode.DRY_RUN else "false",
    }


async def _name(asked: Asked, person: str) -> str:
    return (await asked.services.people.name_of(PersonId(person)) or "") if person else ""
