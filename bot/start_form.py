"""The form of a campaign: from a draft to its fields and back. What comes back is untrusted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from bot.handling import Asked
from bot.parsing import choice_of, day_of, flag_of, person_of, text_of, whole
from cards.form import Filled
from cards.start import (
    LISTED_BYTES,
    NO_WINDOW,
    OTHER_DAYS,
    PRESET_NAMES,
    SKU_BOX,
    WINDOWS,
    StartForm,
    start_form,
)
from cards.view import CardView
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import LONGEST_WINDOW, SHORTEST_WINDOW, Scope, Silence, Strategy, WriteMode
from reclaim.domain.idle import CLEAR_DAYS, Rule
from reclaim.domain.ids import PersonId
from reclaim.domain.policy import Policy
from reclaim.errors import InvalidRequest
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.services.choose_seats import ScopeAsked

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
        seats=len(draft.scope.seat_ids) if draft.by_hand else 0,
        skus=[
            (row.product_id, row.name) for row in report.rows if row.idle or row.product_id in draft.scope.product_ids
        ],
        first_day=today,
        last_day=today + _LONGEST,
        live=asked.services.policy.writes is WriteMode.LIVE,
    )
    return start_form(form, filled)


async def read_form(asked: Asked, draft: CampaignDraft, inputs: Mapping[str, str]) -> CampaignDraft:
    """Return the draft with what the form says.

    Args:
        asked: Whose form it is.
        draft: As stored; seats ticked by hand stay.
        inputs: As they came.

    Raises:
        InvalidRequest: A field cannot be read, or names what is not known; what it means is for the preview to judge.
    """
    policy = asked.services.policy
    due = day_of(inputs, "until")
    if due is None:
        raise InvalidRequest("Please pick a date.", field="until")
    fallback = person_of(inputs, "fallback")
    if fallback is None and policy.fallback_reviewer is None:
        raise InvalidRequest("Please pick a person.", field="fallback")
    dry = flag_of(inputs, "dry_run") or policy.writes is not WriteMode.LIVE
    read = replace(
        draft,
        name=text_of(inputs, "name"),
        strategy=choice_of(inputs, "strategy", Strategy) or Strategy.MANAGER,
        reviewer_id=person_of(inputs, "reviewer"),
        fallback_id=fallback,
        due=due,
        silence=choice_of(inputs, "silence", Silence) or Silence.KEEP,
        mode=WriteMode.DRY_RUN if dry else WriteMode.LIVE,
    )
    if draft.by_hand:
        return read
    wanted = _scope(inputs, draft.scope.days)
    return replace(read, scope=await asked.services.choose_seats.scope(wanted), listed=wanted.listed)


def with_preset(asked: Asked, values: Mapping[str, str], preset: str) -> dict[str, str]:
    """Return the fields of a form with those set that a preset sets.

    Raises:
        InvalidRequest: There is no such preset.
    """
    days, to_answer = preset_of(preset, asked.services.policy)
    until = local_day(asked.now, asked.services.policy.zone) + to_answer
    scope = {"disabled": "true", "never": "true", **_window(days)}
    return {**values, **scope, "until": until.isoformat()}


def preset_of(preset: str, policy: Policy) -> tuple[int, timedelta]:
    """Return the window of a preset in days, and the time to answer.

    Raises:
        InvalidRequest: There is no such preset.
    """
    presets = {
        "clear": (CLEAR_DAYS, timedelta(days=5)),
        "broad": (90, timedelta(days=10)),
        "own": (policy.idle_days, timedelta(days=_DAYS_TO_ANSWER)),
    }
    if preset not in presets:
        raise InvalidRequest(f"“{preset[:40]}” is no preset. Choose one of: {', '.join(PRESET_NAMES)}.", field="preset")
    return presets[preset]


def _scope(inputs: Mapping[str, str], usual_days: int) -> ScopeAsked:
    chosen = text_of(inputs, "days", longest=40) or str(usual_days)
    if chosen == NO_WINDOW:
        days, rules = usual_days, []
    else:
        field = "other_days" if chosen == OTHER_DAYS else "days"
        days, rules = whole(inputs.get(field, "") if field == "other_days" else chosen, field), [Rule.IDLE.value]
        if not SHORTEST_WINDOW <= days <= LONGEST_WINDOW:
            raise InvalidRequest(f"Please choose between {SHORTEST_WINDOW} and {LONGEST_WINDOW} days.", field=field)
    rules += [Rule.DISABLED.value] if flag_of(inputs, "disabled") else []
    rules += [Rule.NEVER_SEEN.value] if flag_of(inputs, "never") else []
    if not rules:
        raise InvalidRequest("Please choose a time, or tick what to look for.", field="days")
    listed = inputs.get("listed", "").strip()
    if len(listed.encode()) > LISTED_BYTES:
        raise InvalidRequest(
            f"This list is too long for a form, which takes {LISTED_BYTES:,} characters. Choose by SKU or department.",
            field="listed",
        )
    department = text_of(inputs, "department")
    return ScopeAsked(
        days=days,
        rules=() if len(rules) == len(Rule) else tuple(rules),
        skus=tuple(_ticked_skus(inputs)),
        departments=(department,) if department else (),
        listed=listed,
    )


def _ticked_skus(inputs: Mapping[str, str]) -> list[str]:
    return [name.removeprefix(SKU_BOX) for name in inputs if name.startswith(SKU_BOX) and flag_of(inputs, name)]


def _window(days: int) -> dict[str, str]:
    if days in WINDOWS:
        return {"days": str(days), "other_days": ""}
    return {"days": OTHER_DAYS, "other_days": str(days)}


def _values(draft: CampaignDraft) -> dict[str, str]:
    scope = draft.scope
    window = _window(scope.days) if not scope.rules or Rule.IDLE.value in scope.rules else {"days": NO_WINDOW}
    return {
        "name": draft.name,
        **window,
        "disabled": _tick(not scope.rules or Rule.DISABLED.value in scope.rules),
        "never": _tick(not scope.rules or Rule.NEVER_SEEN.value in scope.rules),
        **{f"{SKU_BOX}{product}": "true" for product in scope.product_ids},
        "department": "; ".join(scope.departments),
        "listed": draft.listed,
        "strategy": draft.strategy.value,
        "reviewer": draft.reviewer_id or "",
        "fallback": draft.fallback_id or "",
        "until": draft.due.isoformat(),
        "silence": draft.silence.value,
        "dry_run": _tick(draft.mode is WriteMode.DRY_RUN),
    }


def _tick(ticked: bool) -> str:
    return "true" if ticked else "false"


async def _name(asked: Asked, person: str) -> str:
    return (await asked.services.people.name_of(PersonId(person)) or "") if person else ""
