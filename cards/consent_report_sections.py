"""The pages behind page 1 of a consent program's report: runs, terms, every request, removals and money, the method."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from cards import formats
from cards.consent import SOURCES, STANDINGS, STILL_USED, why_ended
from cards.markup import Html, element, text
from cards.phrases import group, name, quoted, sentence_case, sku
from cards.programs import asks, count_label, ordered_counts
from cards.report_parts import (
    cell,
    count_cell,
    file_digests,
    head,
    key_events,
    link,
    log_sentence,
    named,
    number_cell,
    page,
    pairs,
    row,
    set_row,
    sets_table,
    sub,
    table,
    writes_table,
)
from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import ApprovedBy, RequestState
from reclaim.domain.consent_appeal import ConsentAppeal, ConsentAppealState
from reclaim.domain.consent_funnel import Stage, Standing, cost
from reclaim.domain.consent_report import ConsentReport, ReportChange, ReportRequest, ReportRun, ReportTerms
from reclaim.domain.consent_run import Passed, RunState
from reclaim.domain.membership import ChangeKind, ChangeState, ChangeWhy, MembershipChange, Result

_RUN_STATES: Final = {
    RunState.RUNNING: "Running",
    RunState.COMPLETE: "Complete",
    RunState.STOPPED: "Stopped",
}
_APPROVED: Final = {
    ApprovedBy.HOLDER: "Given up by its holder",
    ApprovedBy.MANAGER: "Decided by who decides",
    ApprovedBy.SILENCE: "No answer: the program removes then",
    ApprovedBy.PROGRAM: "Not asked: the program removes",
}
_APPEALS: Final = {
    ConsentAppealState.OPEN: "Not answered yet",
    ConsentAppealState.GRANTED: "Given back",
    ConsentAppealState.REFUSED: "Left removed",
    ConsentAppealState.LAPSED: "Nobody answered: left removed",
    ConsentAppealState.SETTLED: "Came back in another way",
}
_CHANGE_STATES: Final = {
    ChangeState.PLANNED: "Not written",
    ChangeState.INTENDED: "Called, answer unknown",
    ChangeState.WRITTEN: "Written, being checked",
}
_RESULTS: Final = {
    Result.GONE: "Read back: no longer a member",
    Result.NOT_A_MEMBER: "Was no member",
    Result.STILL_THERE: "Out, and still there through something else",
    Result.THERE: "Read back: a member",
    Result.BLOCKED: "Not written: not ours to change",
    Result.PERSON_GONE: "Not written: the account is gone",
    Result.GROUP_GONE: "Not written: the group is gone",
    Result.USED_AGAIN: "Not written: used again",
    Result.USE_UNKNOWN: "Not written: use no longer known",
    Result.EXCLUDED: "Not written: left out by an exclusion",
    Result.NO_FREE_SEAT: "No free seat",
    Result.REFUSED: "Refused by Microsoft",
    Result.UNREACHABLE: "Not written: Microsoft did not answer",
    Result.NOT_SEEN: "Written, and not seen to take effect",
    Result.DRY_RUN: "Not written: dry run",
    Result.WITHDRAWN: "Taken back before the write",
}
_WHY: Final = {
    ChangeWhy.CONSENT: "",
    ChangeWhy.RESTORE: "Way back",
    ChangeWhy.WAITING_LIST: "Waiting list",
}


def runs(report: ConsentReport) -> Html:
    """Return what each run looked at and found, and what could not be judged; the parts add up to everybody looked at."""
    looked_at = sum(one.run.looked_at for one in report.runs)
    counts: Counter[str] = Counter()
    for one in report.runs:
        counts.update(one.run.counts)
    found = [row(cell(text(count_label(key))), count_cell(number)) for key, number in ordered_counts(counts)]
    return page(
        "runs",
        "7 Runs",
        element("p", text(_source(report))),
        table(
            head("Run", "Started", "By", "Use seen up to", "Terms", "Looked at", "State", numeric=(0, 4, 5)),
            [_run(report, one) for one in report.runs],
            widths=(7, 22, 19, 22, 8, 10, 12),
            small=True,
        ),
        element("h3", text("Everybody who was looked at is counted here")),
        element("p", text("A person is counted once in each run that looked at them."), **{"class": "muted"}),
        table(
            head("What was found", "People", numeric=(1,)),
            found,
            foot=row(cell(text("Looked at")), count_cell(looked_at)),
        ),
        element("h3", text("What could not be judged, and why")),
        table(head("What", "Number", "What it means", numeric=(1,)), _unjudged(report, counts), widths=(30, 12, 58)),
        *[
            element("p", text(f"Run {one.number} stopped: {formats.one_line(one.run.error, 300)}"))
            for one in report.runs
            if one.run.error
        ],
    )


def program(report: ConsentReport) -> Html:
    """Return the terms in force, and how they came about."""
    one, terms = report.program, report.program.terms
    source = SOURCES.get(terms.source, terms.source)
    facts = [
        ("Application", sku(terms.application)),
        ("Group", f"{one.group_id if report.pseudonymous else group(one.group_name)}"),
        ("Candidate", f"No use for {formats.count(terms.unused_days, 'day')}, by {source}"),
        ("Asks", sentence_case(asks(one))),
        ("Reminders", formats.number(terms.reminders)),
        ("Asked again", f"Not for {formats.count(terms.cooldown_days, 'day')} after an answer"),
        (
            "Limits of a day",
            f"{formats.count(terms.questions_per_day, 'question')}, {formats.count(terms.removals_per_day, 'removal')}",
        ),
        ("Writes", "Dry run" if terms.mode is WriteMode.DRY_RUN else "Live"),
        ("Installation", "Dry run" if report.policy.writes is WriteMode.DRY_RUN else "Live"),
        ("Way back", f"For {formats.count(report.policy.undo_window.days, 'day')} after the removal"),
        ("Price of a seat", _price(report)),
    ]
    return page(
        "program",
        "8 The program",
        pairs(facts),
        element("h3", text("How its terms were set")),
        table(
            head("Event", "When", "By", "Version", "What changed", numeric=(0, 3)),
            [_terms(report, each) for each in report.terms],
            widths=(8, 25, 19, 10, 38),
            small=True,
        ),
    )


def requests(report: ConsentReport, sets: Mapping[str, tuple[str, Sequence[ReportRequest]]]) -> Html:
    """Return every request with its evidence, answer and outcome, exceptions first, and an index of the sets of page 1."""
    groups: dict[Standing, list[ReportRequest]] = {}
    for one in report.requests:
        groups.setdefault(one.place.standing, []).append(one)
    content: list[Html] = []
    for standing, found in groups.items():
        people = formats.count(len(found), "person", "people")
        content.append(element("h3", text(f"{STANDINGS[standing]}: {people}")))
        content.append(
            table(
                head("No.", "Person", "Evidence of use", "Question and answer", "Outcome"),
                [_request(report, one) for one in found],
                widths=(5, 22, 25, 25, 23),
                small=True,
            )
        )
    index = [
        set_row(
            ref,
            label,
            [one.number for one in found],
            formats.total_text(cost(len(found), report.funnel.seat)) if found else "nothing",
        )
        for ref, (label, found) in sets.items()
    ]
    return page(
        "requests",
        "9 Every request",
        element("p", text("Numbers lead to rows. Event numbers are those of the attestation log.")),
        *(content or [element("p", text("Nobody is without use."))]),
        element("h3", text("The numbers of page 1 and their rows")),
        sets_table(index, "People"),
    )


def changes(report: ConsentReport) -> Html:
    """Return what each stage is worth, appeals, and every change of membership with what was there before and after."""
    stages = (
        ("Asked", report.stage(Stage.ASKED)),
        ("To be removed", report.approved),
        ("Being removed", report.standing(Standing.REMOVING)),
        ("Verified gone", report.removed),
        ("Given back, no longer a saving", report.standing(Standing.RESTORED)),
    )
    body = [
        row(
            cell(text(label)),
            count_cell(len(found)),
            number_cell(text(_sum(report, len(found)))),
            number_cell(text(_sum(report, len(found), months=12))),
        )
        for label, found in stages
    ]
    return page(
        "money",
        "10 Removals and money",
        table(head("Stage", "People", "A month", "A year", numeric=(1, 2, 3)), body),
        element(
            "p",
            text(f"A seat: {_price(report)}. The price is that of the day of this report. Currencies are never added."),
            **{"class": "muted"},
        ),
        *_appeals(report),
        element("h3", text("Every change of the group")),
        writes_table([_change(report, one) for one in report.changes], (5, 25, 25, 21, 24)),
    )


def timeline(report: ConsentReport) -> Html:
    """Return the key events, the terms in words, and what the data cannot say."""
    words = (
        (
            "No use seen",
            "The source says that it was not used for the days of the program. Unknown use is never no use.",
        ),
        ("Asked", "The question was put to the holder. Who was not asked is told with the reason."),
        ("Gave it up", "The holder agreed, or who decides did where the program says so."),
        ("No answer in time", "It is kept, or goes where the program says so and the card arrived."),
        ("To be removed", "Given up, decided, or approved by the rule of the program."),
        ("Verified gone", "Taken out of the group, then read back from Microsoft and no longer a member."),
        ("Given back", "Put into the group again, and read back as a member."),
        ("Need a person", "Reclaim may not write there, or the write failed."),
    )
    limits = [
        "Use is known only as far as the source knows it; its name and date stand beside each request.",
        "A sum leaves out seats without a price and says how many.",
        "The log proves what Reclaim did and read, not what others did in Entra in between.",
    ]
    return page(
        "timeline",
        "11 Timeline and method",
        key_events(report.log, report.program.terms.zone),
        element("h3", text("Terms")),
        pairs(words),
        element("h3", text("Limits of the data")),
        *(element("p", text(one)) for one in limits),
        *file_digests(report.log),
        log_sentence(report.log, "this run" if report.only_run is not None else "this program"),
    )


def stands(one: ReportRequest) -> str:
    """Return where a request stands, in words."""
    request = one.request
    if one.place.standing is Standing.RESTORED:
        return STANDINGS[Standing.RESTORED]
    if request.state is RequestState.EXPIRED and request.why == "manager_silent":
        return "Kept: who decides did not answer"
    return why_ended(request.state, request.why, request.detail)


def _source(report: ConsentReport) -> str:
    terms = report.program.terms
    source = SOURCES.get(terms.source, terms.source)
    named_there = f", where it is called {sku(terms.name_in_source)}" if terms.source_application else ""
    return f"Use of {sku(terms.application)} comes from one source: {source}{named_there}."


def _run(report: ConsentReport, one: ReportRun) -> Html:
    run = one.run
    only = formats.count(len(run.people), "person", "people") if run.people else ""
    devices = formats.count(len(run.devices), "device") if run.devices else ""
    narrowed = " and ".join(part for part in (only, devices) if part)
    return row(
        number_cell(text(str(one.number))),
        cell(text(_when(report, run.started_at)), sub(f"Only {narrowed}" if narrowed else "")),
        cell(named(one.asked_by_name)),
        cell(text(_when(report, run.data_as_of))),
        number_cell(text("unknown" if one.version is None else f"v{one.version}")),
        count_cell(run.looked_at),
        cell(text(_RUN_STATES[run.state]), sub("Dry run" if run.mode is WriteMode.DRY_RUN else "")),
    )


def _unjudged(report: ConsentReport, counts: Mapping[str, int]) -> list[Html]:
    later = sum(one.request.state is RequestState.USE_UNKNOWN for one in report.requests)
    rows = (
        (
            "Use unknown",
            counts.get(Passed.UNKNOWN.value, 0),
            "The source’s data is too old or says nothing. Not asked.",
        ),
        ("No longer known", later, "Known when found, unknown before the write. Kept."),
        (
            "Rows that fit nobody",
            sum(one.run.unmatched for one in report.runs),
            "Rows of the source whose person is not in Entra.",
        ),
        (
            "Rows that fit several people",
            sum(one.run.ambiguous for one in report.runs),
            "Rows of the source with an address of more than one person. They count for nobody.",
        ),
    )
    return [row(cell(text(what)), count_cell(number), cell(text(means))) for what, number, means in rows]


def _terms(report: ConsentReport, one: ReportTerms) -> Html:
    first = one is report.terms[0]
    said = [
        sentence_case(f"{key.replace('_', ' ')}: {before or 'none'} → {now or 'none'}")
        for key, before, now in one.changed
    ]
    changed = said or ["Made" if first else "A text, a name or the schedule"]
    return row(
        number_cell(text(str(one.seq))),
        cell(text(_when(report, one.at))),
        cell(named(one.by_name)),
        number_cell(text(f"v{one.version}")),
        cell(*(element("span", text(each), **{"class": "line"}) for each in changed)),
    )


def _request(report: ConsentReport, one: ReportRequest) -> Html:
    return row(
        cell(text(str(one.number))),
        cell(named(one.person_name), sub(one.upn if one.upn != one.person_name else "")),
        cell(*_evidence(report, one)),
        cell(*_question(report, one)),
        cell(text(stands(one)), *_ended(report, one)),
        id=f"s{one.number}",
    )


def _evidence(report: ConsentReport, one: ReportRequest) -> list[Html]:
    use = one.request.no_use
    last = f"Last used {_when(report, use.last_used_at)}" if use.last_used_at is not None else "Last use unknown"
    source = SOURCES.get(use.source, formats.one_line(use.source, 40))
    return [
        text(f"No use for {formats.count(use.unused_days, 'day')}"),
        sub(last),
        sub(f"On {formats.isolate(formats.one_line(use.device, 60))}" if use.device else ""),
        sub(f"{source}, seen {_when(report, use.observed_at)}"),
    ]


def _question(report: ConsentReport, one: ReportRequest) -> list[Html]:
    request = one.request
    asked = f"Asked {_when(report, request.asked_at)}" if request.asked_at is not None else "Not asked"
    parts = [text(asked)]
    if request.manager_id is not None:
        parts.append(sub(f"Put to {name(one.manager_name or request.manager_id)}"))
    if request.answered_at is not None:
        parts.append(sub(f"Answered by {name(one.answered_by_name or '')}, {_when(report, request.answered_at)}"))
    if request.approved_by is not None:
        parts.append(sub(_APPROVED[request.approved_by]))
    if request.reason is not None:
        parts.append(sub(f"Reason: {STILL_USED[request.reason]}"))
    if request.note:
        parts.append(sub(quoted(request.note)))
    return parts


def _ended(report: ConsentReport, one: ReportRequest) -> list[Html]:
    parts = []
    if one.request.due_at is not None:
        parts.append(sub(f"Open until {_when(report, one.request.due_at)}"))
    if one.request.ended_at is not None:
        parts.append(sub(_when(report, one.request.ended_at)))
    if one.ended_in is not None:
        parts.append(sub(f"Event {one.ended_in}"))
    if one.restore is not None:
        parts.append(sub(f"Way back: {_state(one.restore).lower()}, {_when(report, one.restore.ended_at)}"))
    if one.appeal is not None:
        parts.append(sub(_appealed(report, one, one.appeal)))
    return parts


def _appealed(report: ConsentReport, one: ReportRequest, appeal: ConsentAppeal) -> str:
    said = f" {quoted(appeal.text)}" if appeal.text else ""
    by = f" by {name(one.decider_name or '')}" if appeal.state in _BY_A_PERSON else ""
    when = f", {_when(report, appeal.ended_at)}" if appeal.ended_at else ""
    why = f": {quoted(appeal.reason)}" if appeal.reason else ""
    return f"Appealed {_when(report, appeal.asked_at)}{said}. {_APPEALS[appeal.state]}{by}{when}{why}"


_BY_A_PERSON: Final = frozenset({ConsentAppealState.GRANTED, ConsentAppealState.REFUSED})


def _appeals(report: ConsentReport) -> list[Html]:
    """Return how many removals were appealed, and what became of these; the parts add up."""
    states = Counter(one.appeal.state for one in report.requests if one.appeal is not None)
    if not states:
        return []
    body = [
        row(cell(text(_APPEALS[state])), count_cell(states[state])) for state in ConsentAppealState if states[state]
    ]
    foot = row(cell(text("Appealed")), count_cell(sum(states.values())))
    return [element("h3", text("Appeals")), table(head("What became of it", "People", numeric=(1,)), body, foot=foot)]


def _change(report: ConsentReport, one: ReportChange) -> Html:
    change = one.change
    leaves = change.kind is ChangeKind.LEAVE
    what = "Taken out of the group" if leaves else "Put into the group"
    looked = change.intended_at is not None
    before = ("a member" if leaves else "no member") if looked else "nothing was written"
    after = _state(change)
    number = link("row", str(one.number), to=f"s{one.number}") if one.number is not None else text("–")
    state = [sub(f"Asked {_when(report, change.asked_at)}")]
    if change.written_at is not None:
        state.append(sub(f"Written {_when(report, change.written_at)}"))
    if change.ended_at is not None:
        state.append(sub(f"Read {_when(report, change.ended_at)}"))
    ids = [ref for ref in (change.answer_id, change.write_id) if ref]
    return row(
        cell(number),
        cell(text(what), sub(name(one.person_name)), sub(_WHY[change.why]), sub(f"By {name(one.asked_by_name)}")),
        cell(text(f"Before: {before}"), sub(f"Read {_when(report, change.intended_at)}" if looked else "")),
        cell(text(after), *state),
        cell(*(element("code", text(ref), Html("<br>")) for ref in ids)),
    )


def _state(change: MembershipChange) -> str:
    return _RESULTS[change.result] if change.result is not None else _CHANGE_STATES.get(change.state, "Done")


def _price(report: ConsentReport) -> str:
    seat = report.funnel.seat
    return f"{formats.money(seat)} a month" if seat is not None else "no price"


def _sum(report: ConsentReport, seats: int, *, months: int = 1) -> str:
    seat = report.funnel.seat
    return formats.total_text(cost(seats, seat.times(months) if seat is not None else None))


def _when(report: ConsentReport, at: datetime | None) -> str:
    return formats.moment(at, report.program.terms.zone, offset=True) if at is not None else "unknown"
