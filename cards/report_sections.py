"""The pages behind page 1 of a report: population, reviewers, every seat, removals and money, timeline and method."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from cards import formats
from cards.markup import Html, element, text
from cards.phrases import group, name, quoted, sentence_case, silence_of_campaign, sku
from cards.population import EXCLUDED, NOT_IDLE, against_microsoft
from cards.preview import LEFT_OUT
from cards.reasons import OUTCOMES, answer_in_words, how_assigned, how_it_ended
from cards.report_parts import (
    Sets,
    cell,
    count_cell,
    file_digests,
    groups_of,
    head,
    key_events,
    link,
    log_sentence,
    named,
    number_cell,
    page,
    pairs,
    row,
    sets_table,
    sub,
    table,
    writes_table,
)
from cards.savings import reduce_sentence
from reclaim.domain.appeals import AppealLine, AppealState
from reclaim.domain.campaign import Strategy, WriteMode
from reclaim.domain.idle import Rule
from reclaim.domain.money import Total
from reclaim.domain.orders import StepState
from reclaim.domain.read_models import CameBack, CampaignReport, ReportReviewer, ReportSeat, ReportStep
from reclaim.domain.removal import StepKind
from reclaim.domain.review import AssignedHow, Waiting
from reclaim.domain.tasks import ManualTask

_STREAMS = {
    "people": "People and their seats",
    "sign_ins": "Sign-ins",
    "skus": "Products and their pools",
    "groups": "Groups",
    "members": "Group members",
    "excluded": "Members of excluded groups",
    "role_holders": "Admin-role holders",
}
_RULES = {
    Rule.DISABLED: "Account disabled",
    Rule.NEVER_SEEN: "Never used",
    Rule.IDLE: "No sign-in in the window",
    Rule.UNUSED: "No use in Microsoft’s usage reports",
}
_STRATEGIES = {
    Strategy.MANAGER: "Each person’s manager in Entra",
    Strategy.OWNER: "The license owner of each product",
    Strategy.PERSON: "One named person",
}
_HOW = {
    AssignedHow.MANAGER: "manager",
    AssignedHow.OWNER: "license owner",
    AssignedHow.PERSON: "named",
    AssignedHow.FALLBACK: "fallback",
    AssignedHow.DELEGATED: "passed on",
    AssignedHow.TAKEN_BACK: "taken back",
    AssignedHow.NOT_SURE: "second look",
    AssignedHow.GIVEN_BACK: "given back",
    AssignedHow.REASSIGNED: "moved by an admin",
}
_STEP_STATES = {
    StepState.PLANNED: "Not written",
    StepState.INTENDED: "Called, answer unknown",
    StepState.WRITTEN: "Written, not yet seen to be gone",
    StepState.VERIFIED: "Verified gone",
    StepState.FAILED: "Failed",
    StepState.SKIPPED: "Not written: nothing to do",
}
_APPEALS = {
    AppealState.OPEN: "Not answered yet",
    AppealState.GRANTED: "Given back",
    AppealState.REFUSED: "Left removed",
    AppealState.LAPSED: "Nobody answered: left removed",
    AppealState.SETTLED: "Came back in another way",
}
_LEFT_OUT = {**LEFT_OUT, "opening": "Changed between the start and the opening"}
_WAITING = {
    None: "Not ended yet",
    Waiting.QUEUED: "Waiting to be removed",
    Waiting.FROZEN: "Waiting: removals are frozen",
    Waiting.PENDING_VERIFICATION: "Removed, being checked",
}


def population(report: CampaignReport) -> Html:
    """Return what was read, what was in scope, and what was left out: the parts add up to the idle seats."""
    left = [
        row(cell(text(_LEFT_OUT.get(one.reason, one.reason.replace("_", " ").capitalize()))), count_cell(one.seats))
        for one in report.left_out
    ]
    left_out = sum(one.seats for one in report.left_out)
    added = [
        row(cell(text("Put to a reviewer")), number_cell(link("asked", formats.number(len(report.seats))))),
        element("tr", cell(text("Left out")), count_cell(left_out), id="left-out"),
    ]
    return page(
        "population",
        "5 Population",
        element("p", text(_read(report))),
        table(
            head("What was read", "Requests", "Rows", numeric=(1, 2)),
            [
                row(
                    cell(text(_STREAMS.get(one.stream.partition(":")[0], one.stream))),
                    count_cell(one.requests),
                    count_cell(one.rows),
                )
                for one in report.streams
            ],
        ),
        element("h3", text("Every idle seat is asked about or counted here")),
        table(
            head("Idle seats at the start", "Seats", numeric=(1,)),
            added,
            foot=row(cell(text("Idle seats found")), count_cell(report.idle)),
        ),
        *([table(head("Why left out", "Seats", numeric=(1,)), left)] if left else []),
        element("h3", text("Seats as Microsoft counts them")),
        element("p", text(_counted(report)), **{"class": "muted"}),
        table(
            head("Product", "Read by us", "Counted by Microsoft", "Difference", numeric=(1, 2, 3)),
            [
                row(
                    cell(
                        element("bdi", text(sku(one.name))), element("span", text(one.part_number), **{"class": "sub"})
                    ),
                    count_cell(one.held),
                    number_cell(text("unknown" if one.microsoft is None else formats.number(one.microsoft))),
                    number_cell(text("unknown" if one.microsoft is None else _signed(one.held - one.microsoft))),
                )
                for one in report.skus
            ],
        ),
        *_every_seat(report),
        element("h3", text("Rules of this campaign")),
        _rules(report),
    )


def _every_seat(report: CampaignReport) -> list[Html]:
    """Return, for each product, every seat that was read: the parts of a row add up to its first number."""
    rows = [one.population for one in report.skus if one.population is not None]
    if not rows:
        return []
    reasons = {**EXCLUDED, **NOT_IDLE}
    left = Counter[str]()
    for one in rows:
        left.update({part.reason: part.seats for part in (*one.excluded, *one.not_idle)})
    return [
        element("h3", text("Every seat of these products")),
        table(
            head("Product", "Seats read", "Idle", "Excluded", "Not idle", numeric=(1, 2, 3, 4)),
            [
                row(
                    cell(element("bdi", text(sku(one.name)))),
                    count_cell(one.read),
                    count_cell(one.idle),
                    count_cell(sum(part.seats for part in one.excluded)),
                    count_cell(sum(part.seats for part in one.not_idle)),
                )
                for one in rows
            ],
        ),
        table(
            head("Why a seat is excluded or not idle", "Seats", numeric=(1,)),
            [row(cell(text(word)), count_cell(left[reason])) for reason, word in reasons.items() if left[reason]],
        ),
        *[
            element("p", text(f"{sku(one.name)}: {against_microsoft(one)}"), **{"class": "muted"})
            for one in rows
            if one.held != one.microsoft
        ],
    ]


def reviewers(report: CampaignReport) -> Html:
    """Return who was asked, how they were chosen, when they were told, and whether they answered."""
    own = report.own_decisions
    independent = (
        "No seat was decided by the person who holds it."
        if own == 0
        else f"{formats.count(own, 'seat')} decided by the person who holds it: this must not be."
    )
    return page(
        "reviewers",
        "6 Reviewers",
        element("p", text(f"{formats.count(len(report.reviewers), 'reviewer')}. {independent}")),
        table(
            head(
                "Reviewer",
                "Seats",
                "Answered",
                "How chosen",
                "First list",
                "Reminded",
                "Last answer",
                numeric=(1, 2, 5),
            ),
            [_reviewer(report, one) for one in report.reviewers],
            widths=(24, 8, 10, 18, 16, 10, 14),
            small=True,
        ),
    )


def seats(report: CampaignReport, sets: Sets) -> Html:
    """Return every seat with its evidence, answer and outcome, exceptions first, and an index of the sets of page 1."""
    groups = []
    for outcome, found in groups_of(report.seats, lambda seat: seat.item.outcome).items():
        label = sentence_case(OUTCOMES[outcome]) if outcome else "Not ended yet"
        groups.append(element("h3", text(f"{label}: {formats.count(len(found), 'seat')}")))
        groups.append(
            table(
                head("No.", "Seat", "Evidence", "Reviewer and answer", "Outcome", "Price"),
                [_seat(report, seat) for seat in found],
                widths=(5, 21, 22, 24, 20, 8),
                small=True,
            )
        )
    return page(
        "seats",
        "7 Every seat",
        element("p", text("Numbers lead to rows. Event numbers are those of the attestation log.")),
        *groups,
        element("h3", text("The numbers of page 1 and their rows")),
        sets_table(sets.rows(), "Seats"),
    )


def money(report: CampaignReport) -> Html:
    """Return what each stage is worth, and every write with what was there before and after."""
    gone = report.gone
    checking = [
        seat for seat in report.approved if seat.item.waiting is Waiting.PENDING_VERIFICATION and not seat.item.outcome
    ]
    stages = (
        ("Asked about", report.seats),
        ("To be removed", report.approved),
        ("Removed, being checked", checking),
        ("Taken by Reclaim, verified gone", report.by_us),
        ("Taken by hand, verified gone", report.by_hand),
        ("Verified gone", gone),
        ("Came back, no longer a saving", report.came_back),
        ("Realised at renewal", [seat for seat in gone if seat.realised_at is not None]),
    )
    body = [
        row(
            cell(text(label)),
            count_cell(len(found)),
            number_cell(text(_monthly(found))),
            number_cell(text(_yearly(found))),
        )
        for label, found in stages
    ]
    opened = report.campaign.opened_at
    prices = f"Prices are those of {_when(report, opened)}, fixed when the campaign opened." if opened else ""
    return page(
        "money",
        "8 Removals and money",
        table(head("Stage", "Seats", "A month", "A year", numeric=(1, 2, 3)), body),
        element(
            "p",
            text(f"{prices} A price comes from the price list of this installation. Currencies are never added."),
            **{"class": "muted"},
        ),
        *_orders(report),
        *_appeals(report),
        element("h3", text("Every write")),
        writes_table([_step(report, one) for one in report.steps], (5, 24, 27, 20, 24)),
    )


def _orders(report: CampaignReport) -> list[Html]:
    """Return what to do so that seats that are gone are no longer paid for."""
    if not report.reduce:
        return []
    why = "A seat that is gone is free, and is paid for until its order is made smaller."
    return [
        element("h3", text("Orders that can be made smaller")),
        element("p", text(why), **{"class": "muted"}),
        *(element("p", text(reduce_sentence(row))) for row in report.reduce),
    ]


def timeline(report: CampaignReport) -> Html:
    """Return the key events, the terms, and what the data cannot say."""
    terms = (
        ("Idle", "No sign-in seen in the window, never used, or the account is disabled. Unknown use is never idle."),
        ("Asked about", "An idle seat that was put to a reviewer."),
        ("To be removed", "Revoked by its reviewer, or without an answer where this campaign removes such seats."),
        (
            "Verified gone",
            "Taken by us or by hand, then read back from Microsoft and not found. An answer of 200 is not enough.",
        ),
        (
            "Realised at renewal",
            "Verified gone, and Microsoft’s count of seats bought fell at or after the renewal that followed.",
        ),
        ("Active again", "Used or enabled again before the write. It stays."),
        ("Given again", "Somebody assigned it after the review began. It stays."),
        ("Price", "Per seat and month; a yearly price is divided by twelve."),
    )
    limits = [
        "Microsoft’s sign-in data can be up to a day late. A failed or background sign-in counts as use.",
        "Microsoft’s own count of assigned seats follows a removal by minutes and proves nothing here.",
        "A sum leaves out seats without a price and says how many.",
    ]
    return page(
        "timeline",
        "9 Timeline and method",
        key_events(report.log, report.campaign.zone),
        element("h3", text("Terms")),
        pairs(terms),
        element("h3", text("Limits of the data")),
        *(element("p", text(one)) for one in limits),
        *file_digests(report.log),
        log_sentence(report.log, "this campaign"),
    )


def _signed(number: int) -> str:
    return f"{number:+,d}" if number else "0"


def _when(report: CampaignReport, at: datetime | None) -> str:
    return formats.moment(at, report.campaign.zone, offset=True) if at else "unknown"


def _read(report: CampaignReport) -> str:
    if report.run_at is None:
        return "The reading that this campaign was started on is not stored any more."
    known = (
        "" if report.sign_ins == "known" else " Microsoft gave no sign-in data, so only disabled accounts were judged."
    )
    return f"The tenant was read on {_when(report, report.run_at)}.{known}"


def _counted(report: CampaignReport) -> str:
    if report.counted_at is None:
        return "The tenant was not read yet."
    return f"As of the reading of {_when(report, report.counted_at)}. Microsoft’s count follows changes by minutes."


def _rules(report: CampaignReport) -> Html:
    campaign, policy = report.campaign, report.policy
    by_reports = any(seat.item.rule is Rule.UNUSED for seat in report.seats)
    asked = frozenset(map(Rule, campaign.scope.rules)) or frozenset(Rule) - {Rule.UNUSED}
    rules = [_RULES[rule] for rule in Rule if rule in asked or (rule is Rule.UNUSED and by_reports)]
    limits = policy.limits
    facts = [
        ("Seats", f"{', '.join(rules)}. Window: {formats.count(campaign.scope.days, 'day')}"),
        ("Reviewers", _STRATEGIES[campaign.strategy]),
        ("If nobody is found", name(report.fallback_name) if report.fallback_name else "The seat is left out"),
        ("No answer", silence_of_campaign(campaign.silence)),
        ("Writes", "Dry run" if campaign.mode is WriteMode.DRY_RUN else "Live"),
        ("Opened", _when(report, campaign.opened_at) if campaign.opened_at else "Not opened"),
        ("Answers ended", _when(report, campaign.closing_at) if campaign.closing_at else "Not yet"),
        ("Closed", _when(report, campaign.closed_at) if campaign.closed_at else "Not yet"),
        (
            "Limits",
            f"{formats.number(limits.soft_seats)} seats or {limits.soft_share} % of a product need a second admin;"
            f" never over {formats.number(limits.hard_seats)} seats or {limits.hard_share} %",
        ),
        ("Asked again", f"Not for {formats.count(policy.cooldown.days, 'day')} after an answer"),
    ]
    if report.reviewer_name:
        facts.insert(2, ("Named reviewer", name(report.reviewer_name)))
    return pairs(facts)


def _reviewer(report: CampaignReport, one: ReportReviewer) -> Html:
    how = ", ".join(f"{_HOW[way]} {formats.number(number)}" for way, number in one.how)
    missing = "to each member" if one.is_group else "not reached"
    told = _when(report, one.told_at) if one.told_at else missing
    return row(
        cell(named(one.name)),
        count_cell(one.seats),
        count_cell(one.answered),
        cell(text(how)),
        cell(text(told)),
        number_cell(text(f"{one.reminded} ×" if one.reminded else "–")),
        cell(text(_when(report, one.last_answer_at) if one.last_answer_at else "none")),
    )


def _seat(report: CampaignReport, seat: ReportSeat) -> Html:
    item, shown = seat.item, seat.item.snapshot
    return row(
        cell(text(str(seat.number))),
        cell(
            named(shown.person_name),
            sub(shown.upn if shown.upn != shown.person_name else ""),
            sub(sku(shown.sku_name)),
        ),
        cell(text(_evidence(report, seat)), sub(f"Read {_when(report, shown.data_as_of)}")),
        cell(*_answer(report, seat)),
        cell(text(how_it_ended(item) if item.outcome else _WAITING[item.waiting]), *_ended(report, seat)),
        cell(text(formats.price(shown.monthly))),
        id=f"s{seat.number}",
    )


def _evidence(report: CampaignReport, seat: ReportSeat) -> str:
    shown, day = seat.item.snapshot, report.campaign.zone
    parts = [_RULES[seat.item.rule]]
    if shown.reported_at is not None:
        used = f"last use {formats.day(shown.last_used_at.date())}" if shown.last_used_at else "no use"
        parts.append(f"{used} (reports up to {formats.day(shown.reported_at.date())})")
    if shown.last_seen_at is not None:
        parts.append(f"last sign-in {formats.moment(shown.last_seen_at, day).split(',')[0]}")
    elif seat.item.rule is not Rule.NEVER_SEEN:
        parts.append("last sign-in unknown")
    if shown.disabled_seen_at is not None:
        parts.append(f"disabled since {formats.moment(shown.disabled_seen_at, day).split(',')[0]} or before")
    if shown.assigned_at is not None:
        parts.append(f"given {formats.moment(shown.assigned_at, day).split(',')[0]}")
    return ", ".join(parts)


def _answer(report: CampaignReport, seat: ReportSeat) -> list[Html]:
    answer, item = seat.item.answer, seat.item
    if answer is None:
        said = "Not sure, no second answer" if item.not_sure_by is not None else "No answer"
        who = [named(seat.reviewer_name)] if seat.reviewer_name else [text("Nobody")]
        return [*who, sub(said), sub(how_assigned(item))]
    parts = [
        named(seat.answered_by_name or answer.by),
        sub(f"{answer_in_words(answer, report.campaign.zone)}, {_when(report, answer.at)}"),
    ]
    if answer.note:
        parts.append(sub(quoted(answer.note)))
    return [*parts, sub(how_assigned(item))]


def _ended(report: CampaignReport, seat: ReportSeat) -> list[Html]:
    item, parts = seat.item, []
    if item.verified_at is not None:
        parts.append(sub(f"Verified {_when(report, item.verified_at)}"))
    elif item.outcome_at is not None:
        parts.append(sub(_when(report, item.outcome_at)))
    if seat.ended_in is not None:
        parts.append(sub(f"Event {seat.ended_in}"))
    if seat.came_back is not None:
        parts.append(sub(_came_back(report, seat.came_back)))
    if seat.task is not None:
        parts += _done_by_hand(report, seat, seat.task)
    if seat.appeal is not None:
        parts.append(sub(_appealed(report, seat.appeal)))
    return parts


def _came_back(report: CampaignReport, back: CameBack) -> str:
    how = "Restored" if back.restored else "Given again"
    through = f" through {', '.join(group(one) for one in back.through)}" if back.through else ""
    return f"{how}{through}, seen {_when(report, back.at)}"


def _done_by_hand(report: CampaignReport, seat: ReportSeat, task: ManualTask) -> list[Html]:
    """Return who did what by hand, and where more of it stands: a link that its reader may follow."""
    if task.at is None:
        return []
    said = f": {quoted(task.note)}" if task.note else ""
    parts = [sub(f"By hand, {name(seat.task_by_name or '')}, {_when(report, task.at)}{said}")]
    if task.link:
        to = element("a", text(task.link), href=task.link, rel="noopener noreferrer")
        parts.append(element("span", to, **{"class": "sub"}))
    return parts


def _appealed(report: CampaignReport, line: AppealLine) -> str:
    appeal = line.appeal
    said = f" {quoted(appeal.text)}" if appeal.text else ""
    became = _APPEALS[appeal.state]
    by = f" by {name(line.answered_by_name)}" if line.answered_by_name else ""
    when = f", {_when(report, appeal.ended_at)}" if appeal.ended_at else ""
    why = f": {quoted(appeal.reason)}" if appeal.reason else ""
    return f"Appealed {_when(report, appeal.asked_at)}{said}. {became}{by}{when}{why}"


def _appeals(report: CampaignReport) -> list[Html]:
    """Return how many removals were appealed, and what became of these; the parts add up."""
    states = Counter(seat.appeal.appeal.state for seat in report.seats if seat.appeal is not None)
    if not states:
        return []
    body = [row(cell(text(_APPEALS[state])), count_cell(states[state])) for state in AppealState if states[state]]
    foot = row(cell(text("Appealed")), count_cell(sum(states.values())))
    return [element("h3", text("Appeals")), table(head("What became of it", "Seats", numeric=(1,)), body, foot=foot)]


def _step(report: CampaignReport, one: ReportStep) -> Html:
    step = one.step
    what = (
        "Direct license taken away"
        if step.step.kind is StepKind.DIRECT
        else f"Taken out of the group {group(one.group_name or step.step.ref)}"
    )
    state = [text(_STEP_STATES[step.state])]
    if step.written_at is not None:
        state.append(sub(f"Written {_when(report, step.written_at)}"))
    if step.verified_at is not None:
        state.append(sub(f"Verified {_when(report, step.verified_at)}"))
    if step.error is not None and step.state is StepState.FAILED:
        state.append(sub("Refused by Microsoft; the log has its answer"))
    ids = [text(ref) for ref in (step.request_id, step.client_request_id) if ref]
    return row(
        cell(link("row", str(one.number), to=f"s{one.number}")),
        cell(text(what), sub(f"{step.step.kind.value} {step.step.ref}")),
        cell(text(f"Before: {_paths(step.before)}"), sub(f"After: {_paths(step.after)}")),
        cell(*state),
        cell(*(element("code", part, Html("<br>")) for part in ids)),
    )


def _paths(stored: str | None) -> str:
    """Return in words how a seat was held: what undo would give back."""
    if stored is None:
        return "not read"
    paths = json.loads(stored)
    if not paths:
        return "no seat"
    words = []
    for path in paths:
        way = "direct" if path["group"] is None else "through a group"
        plans = len(path["disabled_plans"])
        words.append(f"{way}, {formats.count(plans, 'plan')} off" if plans else way)
    return "; ".join(words)


def _total(found: Sequence[ReportSeat]) -> Total:
    return Total.of(seat.item.snapshot.monthly for seat in found)


def _monthly(found: Sequence[ReportSeat]) -> str:
    return formats.total_text(_total(found))


def _yearly(found: Sequence[ReportSeat]) -> str:
    total = _total(found)
    return formats.total_text(Total(amounts=tuple(one.times(12) for one in total.amounts), unpriced=total.unpriced))
