"""Consent programs for who runs them: the list, one with its funnel, its requests, a run, its waiting list."""

from collections.abc import Mapping, Sequence
from typing import Final

from cards import formats
from cards.consent import ANSWERED, SOURCES, STANDINGS, STATES, STILL_USED, why_ended
from cards.phrases import group, name, next_box, sentences, sku, title
from cards.view import (
    Action,
    CardView,
    Element,
    Fact,
    Facts,
    Figures,
    Headline,
    Paragraph,
    Refresh,
    Row,
    Rows,
    Strip,
    Tone,
)
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import RequestState, StillUsed
from reclaim.domain.consent_funnel import Answer, Funnel, Stage, Standing
from reclaim.domain.consent_program import ConsentProgram, KeepDecides, OnSilence, ProgramState
from reclaim.domain.consent_run import ConsentRun, Passed, RunState
from reclaim.domain.consent_views import ProgramView, RequestLine, RequestPage, RunView, WaiterView

_PROGRAMS: Final = 25
_WAITING: Final = 25

_PASSED: Final = {
    Passed.USED: "in use",
    Passed.UNKNOWN: "use unknown",
    Passed.COOLDOWN: "answered lately",
    Passed.OPEN: "asked already",
    Passed.NOT_NAMED: "not in this run",
    Passed.OVER_CAP: "over today’s limit",
}


def programs_card(found: Sequence[ProgramView], zone: str, *, note: str | None = None) -> CardView:
    """Draw the programs that have not ended; `note` says what was just done."""
    body: list[Element] = [Strip(tone=Tone.GOOD, text=note)] if note else []
    if found:
        body.append(Rows(rows=tuple(_program_row(view, zone) for view in found[:_PROGRAMS])))
    else:
        body.append(
            Paragraph(
                "A consent program asks who holds an application and does not use it. Make one:"
                " /reclaim consent new --group GROUP --name NAME --application NAME --source csv"
            )
        )
    if (left := len(found) - _PROGRAMS) > 0:
        body.append(Paragraph(f"And {formats.number(left)} more: /reclaim consent NAME", subtle=True))
    active = sum(1 for view in found if view.program.state is ProgramState.ACTIVE)
    return CardView(
        kind="consent.programs",
        headline=Headline(
            title=formats.count(len(found), "consent program"), context=f"{formats.number(active)} active"
        ),
        body=tuple(body),
        fallback=f"{formats.count(len(found), 'consent program')}, {formats.number(active)} active.",
        refresh=Refresh("programs.open", "all"),
    )


def program_card(view: ProgramView, zone: str, *, may_run: bool, note: str | None = None) -> CardView:
    """Draw one program: its funnel, what it does, its newest run."""
    program, funnel = view.program, view.funnel
    body: list[Element] = [Strip(tone=Tone.GOOD, text=note)] if note else []
    if program.state is not ProgramState.ACTIVE:
        body.append(Strip(tone=Tone.NEUTRAL, text=f"This program is {program.state.value}. It asks nobody now."))
    if program.terms.mode is WriteMode.DRY_RUN:
        body.append(Strip(tone=Tone.NEUTRAL, text="Dry run: people are asked, nothing is removed."))
    body.append(
        Figures(
            (
                (formats.number(funnel.candidates), "without use"),
                (formats.number(funnel.asked), "asked"),
                (formats.number(funnel.removed), "removed"),
            )
        )
    )
    body += _what_came(funnel)
    if funnel.reasons:
        body.append(Paragraph("Why people keep it", heading=True))
        body.append(Facts(_reasons(funnel.reasons), ruled=True))
    body.append(Facts(_terms(program, view, zone)))
    if view.newest_run is not None:
        body.append(Paragraph(_run_sentence(view.newest_run, zone), subtle=True))
    body.append(next_box(*_next(program, view, zone)))
    return CardView(
        kind="consent.program",
        headline=Headline(
            title=title(program.terms.name),
            amount=formats.amounts(funnel.saved) if funnel.removed else None,
            context=sku(program.terms.application),
            unit=f"{formats.unit(funnel.saved)}, verified" if funnel.removed and funnel.saved.amounts else None,
        ),
        body=tuple(body),
        actions=_actions(program, funnel, may_run=may_run),
        fallback=f"{title(program.terms.name)}: {formats.count(funnel.candidates, 'person', 'people')} without use,"
        f" {formats.number(funnel.removed)} removed.",
        refresh=Refresh("program.open", program.id),
    )


def requests_card(page: RequestPage, zone: str) -> CardView:
    """Draw a page of a program's requests, the newest first."""
    body: list[Element] = []
    if page.rows:
        body.append(Rows(rows=tuple(_request_row(line, zone) for line in page.rows)))
        if page.pages > 1:
            body.append(Paragraph(f"Page {page.page} of {page.pages}", subtle=True))
    else:
        body.append(Paragraph("Nobody is in this list."))
    ref = f"{page.program.id}:{page.only or 'all'}"
    actions = [Action(label="Back", verb="program.open", ref=page.program.id, submits=False)]
    if page.page < page.pages:
        actions.append(Action(label="Next 10", verb="requests.open", ref=f"{ref}:{page.page + 1}", submits=False))
    if page.page > 1:
        actions.append(Action(label="Previous 10", verb="requests.open", ref=f"{ref}:{page.page - 1}", submits=False))
    return CardView(
        kind="consent.requests",
        headline=Headline(title=formats.count(page.total, "request"), context=title(page.program.terms.name)),
        body=tuple(body),
        actions=tuple(actions),
        fallback=f"{title(page.program.terms.name)}: {formats.count(page.total, 'request')}.",
        refresh=Refresh("requests.open", f"{ref}:{page.page}"),
    )


def run_card(view: RunView, zone: str) -> CardView:
    """Draw what a run has found."""
    run, program = view.run, view.program
    made = run.counts.get(RequestState.WAITING.value, 0) + run.counts.get(RequestState.ENFORCED.value, 0)
    body: list[Element] = []
    match run.state:
        case RunState.RUNNING:
            body.append(Strip(tone=Tone.NEUTRAL, text="Looking. This card updates itself."))
        case RunState.STOPPED:
            body.append(Strip(tone=Tone.WARNING, text=run.error or "The run stopped."))
        case RunState.COMPLETE:
            verb = "to ask" if program.terms.ask else "to remove without asking"
            body.append(Strip(tone=Tone.GOOD, text=f"{formats.count(made, 'person', 'people')} {verb}."))
    if run.mode is WriteMode.DRY_RUN:
        body.append(Strip(tone=Tone.NEUTRAL, text="Dry run: people are asked, nothing is removed."))
    facts = [Fact(count_label(key), formats.number(number)) for key, number in ordered_counts(run.counts)]
    if facts:
        body.append(Facts(tuple(facts), ruled=True))
    unread = run.unmatched + run.ambiguous
    if unread:
        body.append(
            Paragraph(
                f"{formats.count(unread, 'row')} of the source fit nobody, or more than one person."
                " They count for nobody.",
                subtle=True,
            )
        )
    if run.data_as_of is not None:
        body.append(Paragraph(f"Usage seen {formats.moment(run.data_as_of, zone)}.", subtle=True))
    body.append(next_box(_after_run(program, made)))
    return CardView(
        kind="consent.run",
        headline=Headline(
            title=f"{formats.count(run.looked_at, 'person', 'people')} looked at",
            amount=formats.number(made),
            context=title(program.terms.name),
            unit="without use",
        ),
        body=tuple(body),
        actions=(Action(label="Show the program", verb="program.open", ref=program.id, submits=False),),
        fallback=f"{title(program.terms.name)}: {formats.number(made)} of"
        f" {formats.count(run.looked_at, 'person', 'people')} without use.",
        refresh=Refresh("consentrun.open", run.id),
    )


def waiting_card(
    program: ConsentProgram, found: Sequence[WaiterView], zone: str, *, note: str | None = None
) -> CardView:
    """Draw who waits for the application of a program, the longest waiting first."""
    body: list[Element] = [Strip(tone=Tone.GOOD, text=note)] if note else []
    if found:
        rows = tuple(
            Row(
                title=formats.one_line(view.person_name, formats.NAME_MAX),
                reason=f"Waits since {formats.day(local_day(view.waiter.since, zone))}",
            )
            for view in found[:_WAITING]
        )
        body.append(Rows(rows=rows))
    else:
        body.append(Paragraph("Nobody waits. Put somebody on the list: /reclaim consent waiting PROGRAM --add PERSON"))
    then = (
        "The first one is added to the group when a seat becomes free."
        if program.terms.fills
        else "The first one is told when a seat becomes free."
    )
    body.append(next_box(then))
    return CardView(
        kind="consent.waiting",
        headline=Headline(
            title=f"{formats.number(len(found))} {'waits' if len(found) == 1 else 'wait'}",
            context=sku(program.terms.application),
        ),
        body=tuple(body),
        actions=(Action(label="Show the program", verb="program.open", ref=program.id, submits=False),),
        fallback=f"{formats.count(len(found), 'person', 'people')} on the waiting list of"
        f" {sku(program.terms.application)}.",
    )


def loaded(done: Sequence[tuple[str, ConsentProgram]]) -> str:
    """Return what a file did, as a sentence."""
    parts = [
        f"{formats.number(number)} {word}"
        for word in ("made", "changed", "unchanged")
        if (number := sum(1 for what, _ in done if what == word))
    ]
    return f"Programs of the file: {', '.join(parts)}."


def _program_row(view: ProgramView, zone: str) -> Row:
    program, funnel = view.program, view.funnel
    state = "" if program.state is ProgramState.ACTIVE else f"{program.state.value.capitalize()}."
    counts = (
        f"{formats.number(funnel.asked)} asked, {formats.number(funnel.answers.get(Answer.AGREED, 0))} agreed,"
        f" {formats.number(funnel.removed)} removed."
        if funnel.candidates
        else "No run yet."
        if view.newest_run is None
        else "Nobody without use."
    )
    return Row(
        title=formats.one_line(program.terms.name, formats.NAME_MAX),
        subtitle=formats.one_line(program.terms.application, formats.SKU_MAX),
        reason=sentences([state, counts]),
        amount=formats.amounts(funnel.saved) if funnel.removed else None,
        open=Action(label="Details", verb="program.show", ref=program.id, submits=False),
    )


def _what_came(funnel: Funnel) -> list[Element]:
    """Return what those who were asked said, and where everybody stands now: each list adds up to its whole."""
    body: list[Element] = []
    if funnel.asked:
        said = [f"{formats.number(n)} {ANSWERED[one]}" for one in Answer if (n := funnel.answers.get(one, 0))]
        body.append(Paragraph(f"Of {formats.number(funnel.asked)} asked: {', '.join(said)}."))
    if enforced := funnel.stages.get(Stage.ENFORCED, 0):
        body.append(Paragraph(f"{formats.number(enforced)} not asked: this program takes it without asking."))
    rows = [Fact(STANDINGS[one], formats.number(n)) for one in Standing if (n := funnel.standings.get(one, 0))]
    if rows:
        body.append(Paragraph(_all_of_them(funnel.candidates), heading=True))
        body.append(Facts(tuple(rows), ruled=True))
    return body


def _all_of_them(candidates: int) -> str:
    return "Where this person stands" if candidates == 1 else f"Where the {formats.number(candidates)} stand"


def _reasons(reasons: Mapping[str, int]) -> tuple[Fact, ...]:
    return tuple(Fact(STILL_USED[StillUsed(reason)], formats.number(number)) for reason, number in reasons.items())


def _terms(program: ConsentProgram, view: ProgramView, zone: str) -> tuple[Fact, ...]:
    terms = program.terms
    source = SOURCES.get(terms.source, terms.source)
    facts = [
        Fact("Group", group(program.group_name)),
        Fact("Unused for", f"{formats.count(terms.unused_days, 'day')}, by {source}"),
        Fact("Asks", asks(program)),
        Fact("Owner", name(view.owner_name)),
    ]
    if program.next_run_at is not None:
        facts.append(Fact("Next run", formats.moment(program.next_run_at, zone, weekday=True)))
    if view.waiting_list:
        facts.append(Fact("Waiting list", formats.count(view.waiting_list, "person", "people")))
    return tuple(facts)


def asks(program: ConsentProgram) -> str:
    """Return whom a program asks, and what silence does."""
    terms = program.terms
    if not terms.ask:
        return "nobody, it removes"
    silence = {
        OnSilence.KEEP: "silence keeps",
        OnSilence.ESCALATE: "silence goes to the manager",
        OnSilence.REMOVE: "silence removes",
    }[terms.on_silence]
    keeps = ", the manager decides who keeps" if terms.keep_decided_by is KeepDecides.MANAGER else ""
    return f"the holder, {formats.count(terms.answer_days, 'day')}; {silence}{keeps}"


def _next(program: ConsentProgram, view: ProgramView, zone: str) -> list[str]:
    if program.state is not ProgramState.ACTIVE:
        return ["What is open stays open." if program.state is ProgramState.PAUSED else "Nothing more happens."]
    when = (
        f"It runs again on {formats.moment(program.next_run_at, zone, weekday=True)}."
        if program.next_run_at
        else "It runs when somebody starts it."
    )
    return [when, "Nobody is asked twice within the cooldown, and nothing counts as removed before it is read back."]


def _actions(program: ConsentProgram, funnel: Funnel, *, may_run: bool) -> tuple[Action, ...]:
    actions: list[Action] = []
    if may_run and program.state is ProgramState.ACTIVE:
        actions.append(Action(label="Run now", verb="program.run", ref=program.id, submits=False))
    if funnel.candidates:
        actions.append(Action(label="Requests", verb="requests.open", ref=f"{program.id}:all:1", submits=False))
    if funnel.by_hand:
        label = f"{formats.number(funnel.by_hand)} by hand"
        actions.append(Action(label=label, verb="requests.open", ref=f"{program.id}:tasks:1", submits=False))
    if funnel.candidates:
        actions.append(Action(label="Export", verb="program.export", ref=program.id, more=True, submits=False))
    if may_run and program.state is ProgramState.ACTIVE:
        actions.append(Action(label="Pause", verb="program.pause", ref=program.id, more=True, submits=False))
    if may_run and program.state is ProgramState.PAUSED:
        actions.append(Action(label="Go on", verb="program.resume", ref=program.id, submits=False))
    return tuple(actions)


def _request_row(line: RequestLine, zone: str) -> Row:
    request = line.request
    words = "Restored" if line.restored else why_ended(request.state, request.why, request.detail)
    use = request.no_use
    used = (
        f"{'Not installed since' if use.is_absence else 'Last used'} {formats.day(local_day(use.last_used_at, zone))}"
        if use.last_used_at
        else f"Unused for {formats.count(use.unused_days, 'day')}"
    )
    return Row(
        title=formats.one_line(line.holder_name, formats.NAME_MAX),
        subtitle=words,
        reason=used,
    )


def _run_sentence(run: ConsentRun, zone: str) -> str:
    when = formats.moment(run.started_at, zone)
    match run.state:
        case RunState.RUNNING:
            return f"Running since {when}."
        case RunState.STOPPED:
            return f"The run of {when} stopped: {formats.one_line(run.error or '', 200)}"
        case RunState.COMPLETE:
            return f"Last run {when}: {formats.count(run.looked_at, 'person', 'people')} looked at."


def _after_run(program: ConsentProgram, made: int) -> str:
    if not made:
        return "Nobody is asked, nothing is removed."
    if program.terms.ask:
        return "They are asked now, as far as the limits of a day allow; the rest tomorrow."
    return "They leave the group now and are told. Each can get it back."


def ordered_counts(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return what a run counted, who is to be asked or taken first."""
    first = [RequestState.WAITING.value, RequestState.ENFORCED.value]
    rest = sorted(counts.keys() - set(first), key=lambda key: (-counts[key], key))
    return [(key, counts[key]) for key in (*first, *rest) if counts.get(key)]


def count_label(key: str) -> str:
    """Return what a run counted under a word."""
    if key in set(Passed):
        return _PASSED[Passed(key)].capitalize()
    return {
        RequestState.WAITING.value: "To ask",
        RequestState.ENFORCED.value: "To remove",
    }.get(key) or STATES[RequestState(key)]
