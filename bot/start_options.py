"""What `/reclaim start` and `/reclaim simulate` take behind them: from options to a draft."""

from dataclasses import replace
from typing import Final

from bot.handling import Call
from bot.start_form import new_draft, preset_of
from cards.start import PRESET_NAMES
from reclaim.domain.calendar import local_day, parse_day
from reclaim.domain.campaign import Silence, Strategy, WriteMode
from reclaim.domain.idle import Rule
from reclaim.domain.people_list import PERSON
from reclaim.errors import InvalidRequest
from reclaim.services.campaign_draft import CampaignDraft
from reclaim.services.choose_seats import ScopeAsked

OPTIONS: Final = frozenset({"days", "csv", "reviewers", "reviewer", "fallback", "until", "silence", "preset"})
LISTS: Final = frozenset({"sku", "department", "person"})
FLAGS: Final = frozenset({"disabled", "never", "dry-run"})
USAGE: Final = (
    f"[NAME] [--preset {'|'.join(PRESET_NAMES)}] [--days DAYS] [--disabled] [--never] [--sku SKU]..."
    f" [--department NAME]... [--person PERSON]... [--csv FILE] [--reviewers {'|'.join(Strategy)}] [--reviewer PERSON]"
    f" [--fallback PERSON] [--until DATE] [--silence {'|'.join(Silence)}] [--dry-run]"
)


async def draft_of(call: Call) -> CampaignDraft:
    """Return a draft with what the options say, not stored yet.

    `--disabled` and `--never` choose these seats only; with `--days` also those unused for so long.

    Raises:
        InvalidRequest: An option cannot be read, or names what is unknown or ambiguous.
    """
    given, choose = call.arguments, call.services.choose_seats
    draft = new_draft(call)
    days, due = draft.scope.days, draft.due
    if "preset" in given.options:
        days, to_answer = preset_of(given.options["preset"].lower(), call.services.policy)
        due = local_day(call.now, draft.zone) + to_answer
    if "until" in given.options:
        due = parse_day(given.options["until"])
    listed, csv_only = _listed(call)
    wanted = ScopeAsked(
        days=given.number("days") or days,
        rules=_rules(call),
        skus=given.all("sku"),
        departments=given.all("department"),
        listed=listed,
        csv_only=csv_only,
    )
    reviewer, fallback = given.options.get("reviewer"), given.options.get("fallback")
    strategy = given.choice("reviewers", Strategy)
    return replace(
        draft,
        name=given.text if given.text is not None else draft.name,
        scope=await choose.scope(wanted),
        listed=listed,
        strategy=strategy or (Strategy.PERSON if reviewer else draft.strategy),
        reviewer_id=await choose.person(reviewer, field="reviewer") if reviewer else None,
        fallback_id=await choose.person(fallback, field="fallback") if fallback else draft.fallback_id,
        due=due,
        silence=given.choice("silence", Silence) or draft.silence,
        mode=WriteMode.DRY_RUN if "dry-run" in given.flags else draft.mode,
    )


def _rules(call: Call) -> tuple[str, ...]:
    flags = call.arguments.flags
    rules = [rule for flag, rule in (("disabled", Rule.DISABLED), ("never", Rule.NEVER_SEEN)) if flag in flags]
    if rules and ({"days", "preset"} & call.arguments.options.keys()):
        rules.append(Rule.IDLE)
    return () if len(rules) == len(Rule) else tuple(rule.value for rule in rules)


def _listed(call: Call) -> tuple[str, bool]:
    """Return the list of people as text, and whether it is a file's."""
    people = call.arguments.all(PERSON)
    name = call.arguments.options.get("csv")
    if name is None:
        return "\n".join(people), False
    if people:
        raise InvalidRequest("Please choose one: --csv or --person.", field="csv")
    if name not in call.files:
        raise InvalidRequest(
            "--csv reads a file on the command line only. Here, paste the list into the form: /reclaim start",
            field="csv",
        )
    return call.files[name], True
