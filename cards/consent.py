"""What the holder of an application is asked and told, and what the one who decides sees. Asked evenly: nothing is filled."""

from datetime import datetime
from typing import Final

from cards import formats
from cards.appeals import LEAVE_FIELDS, reason_input
from cards.form import EMPTY, Filled
from cards.phrases import first, group, name, next_box, quoted, sentences, sku, title
from cards.reasons import BLOCKERS
from cards.view import (
    Action,
    Box,
    CardView,
    Element,
    Fact,
    Facts,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Refresh,
    Strip,
    Tone,
)
from reclaim.domain.appeals import TEXT_LENGTH
from reclaim.domain.calendar import local_day
from reclaim.domain.campaign import WriteMode
from reclaim.domain.consent import LATER, NOTE_LENGTH, ApprovedBy, RequestState, StillUsed
from reclaim.domain.consent_appeal import ConsentAppealState
from reclaim.domain.consent_funnel import Answer, Standing
from reclaim.domain.consent_program import KeepDecides, OnSilence
from reclaim.domain.consent_views import ConsentView, WaiterView
from reclaim.domain.membership import MembershipChange, Result
from reclaim.domain.removal import Blocker
from reclaim.domain.wait_list import WaitState

KEEP_FIELDS: Final = frozenset({"reason", "note"})
APPEAL_FIELDS: Final = frozenset({"text"})

# Sources by their names; one that is not listed is shown as it is called.
SOURCES: Final = {
    "csv": "Usage list",
    "nexthink": "Device usage records",
    "m365": "Microsoft usage reports",
    "intune": "Intune",
}
STILL_USED: Final = {
    StillUsed.USES_IT: "I use it for my work",
    StillUsed.OTHER_DEVICE: "I use it on another device",
    StillUsed.LATER: "I need it later",
    StillUsed.OTHER: "Something else",
}


def request_card(view: ConsentView, zone: str, *, may_decide: bool = True) -> CardView:
    """Draw a request as its reader sees it: the holder, or who decides. `may_decide` False leaves out every button."""
    return _holder_card(view, zone) if view.to_holder else manager_card(view, zone, may_decide=may_decide)


def keep_form(view: ConsentView, zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the form of a holder who still uses it; a reason helps, and none is needed."""
    app = sku(view.program.terms.application)
    return CardView(
        kind="consent.keep",
        headline=Headline(title=f"Keep {app}", context=_context(view)),
        body=(
            *filled.strip(KEEP_FIELDS),
            Input(
                id="reason",
                kind=InputKind.CHOICE,
                label="Why do you keep it? (optional)",
                options=tuple(Option(reason.value, text) for reason, text in STILL_USED.items()),
                value=filled.value("reason"),
                error=filled.error_of("reason"),
            ),
            Input(
                id="note",
                kind=InputKind.LONG_TEXT,
                label="Anything to add? (optional)",
                value=filled.value("note"),
                hint="Please leave out health or family details.",
                max_length=NOTE_LENGTH,
                error=filled.error_of("note"),
            ),
            Box(parts=(("If you keep it", _if_kept(view)), ("If you do not answer", _silence(view, zone)))),
        ),
        actions=(
            Action(label="Keep it", verb="consent.keep.submit", ref=view.request.id),
            Action(label="Back", verb="consent.open", ref=view.request.id, submits=False),
        ),
        fallback=f"Keep {app}: a reason helps, and none is needed.",
    )


def manager_card(view: ConsentView, zone: str, *, may_decide: bool = True) -> CardView:
    """Draw a request to the one who decides."""
    request, app = view.request, sku(view.program.terms.application)
    holder = name(view.holder_name)
    open_ = request.state is RequestState.WITH_MANAGER
    body: list[Element] = list(_mode(view))
    if open_:
        who = first(view.holder_name)
        said = request.answered_at is not None
        if request.no_use.is_absence:
            seen = f"{app} is on none of {who}’s work devices that Intune sees."
            lead = f"{who} wants to keep {app}. {seen}" if said else f"{seen} {who} has not answered."
        elif said:
            lead = f"{who} wants to keep {app}, and we see no use of it."
        else:
            lead = f"We see no use of {app}, and {who} has not answered."
        body.append(Paragraph(f"{lead} You decide by {_until(request.due_at, zone)}."))
    else:
        body.append(_manager_strip(view, zone))
    facts = list(_use_facts(view, zone))
    if request.reason is not None:
        facts.append(Fact("Reason", STILL_USED[request.reason]))
    if request.note:
        facts.append(Fact("In their words", quoted(request.note)))
    body.append(Facts(tuple(facts)))
    actions: tuple[Action, ...] = ()
    if open_:
        taken = _if_given_up(view, zone, first(view.holder_name))
        body.append(Box(parts=(("If you take it back", taken), ("If you do not answer", "It is kept."))))
        if may_decide:
            actions = (
                Action(
                    label="Take it back",
                    verb="consent.take",
                    ref=request.id,
                    confirm=f"Take {formats.cut(view.program.terms.application, 40)} back?",
                ),
                Action(label="It stays", verb="consent.stays", ref=request.id),
            )
    return CardView(
        kind="consent.manager",
        headline=Headline(
            title=f"Does {holder} still need {app}?" if open_ else f"{app}: {holder}", context=_context(view)
        ),
        body=tuple(body),
        actions=actions,
        fallback=f"One question about {app}: does somebody still need it? Please answer by"
        f" {_until(request.due_at, zone)}."
        if open_
        else f"A question about {app} is closed.",
        refresh=Refresh("consent.open", request.id),
    )


def removed_card(view: ConsentView, zone: str) -> CardView:
    """Draw the receipt of an application that was removed without its holder's word: what, why, and the way back."""
    return _removed(view, zone, kind="consent.removed")


def appeal_form(view: ConsentView, zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the form of a holder who appeals: one sentence, to one person."""
    app = sku(view.program.terms.application)
    return CardView(
        kind="consent.appeal_form",
        headline=Headline(title=f"Why do you need {app}?", context=_context(view)),
        body=(
            *filled.strip(APPEAL_FIELDS),
            Input(
                id="text",
                kind=InputKind.LONG_TEXT,
                label="In one sentence",
                required=True,
                value=filled.value("text"),
                hint="Please leave out health or family details.",
                max_length=TEXT_LENGTH,
                error=filled.error_of("text"),
            ),
            next_box(
                "Your manager reads it and answers within 5 days.",
                "If you do not answer here, it stays removed, and you can still get it back yourself.",
            ),
        ),
        actions=(
            Action(label="Send", verb="consent.appeal.submit", ref=view.request.id),
            Action(label="Back", verb="consent.receipt", ref=view.request.id, submits=False),
        ),
        fallback=f"Why do you need {app}? One sentence.",
    )


def appeal_card(view: ConsentView, zone: str) -> CardView:
    """Draw an appeal to the one who decides about it."""
    app, holder = sku(view.program.terms.application), name(view.holder_name)
    appeal, ref = view.appeal, view.request.id
    is_open = appeal is not None and appeal.state is ConsentAppealState.OPEN
    body: list[Element] = []
    actions: tuple[Action, ...] = ()
    if is_open and appeal is not None:
        body.append(Paragraph(f"{holder} asks for {app} back. You decide by {_until(appeal.due_at, zone)}."))
    elif appeal is not None:
        body.append(Strip(tone=Tone.NEUTRAL, text=_appeal_ended(view)))
        if view.restore is not None and not view.restore.running and not _came_back(view.restore):
            body.append(Strip(tone=Tone.WARNING, text=_not_restored(view.restore)))
    if appeal is not None:
        body.append(
            Facts((Fact("In their words", quoted(appeal.text)), Fact("Removed because", _why_removed(view, zone))))
        )
    if is_open:
        body.append(next_box("Give it back restores the membership.", "If you do not answer, it stays removed."))
        actions = (
            Action(label="Give it back", verb="consent.give", ref=ref),
            Action(label="Leave it removed…", verb="consent.leave", ref=ref, submits=False),
        )
    return CardView(
        kind="consent.appeal",
        headline=Headline(title=f"Give {app} back?" if is_open else app, context=_context(view)),
        body=tuple(body),
        actions=actions,
        fallback=f"Somebody asks for {app} back." if is_open else f"An appeal about {app} is closed.",
        refresh=Refresh("consent.appealed", ref),
    )


def leave_form(view: ConsentView, zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the step before it stays removed: a reason may be given."""
    app = sku(view.program.terms.application)
    until = formats.moment(view.until, zone) if view.until is not None else "the way back closes"
    return CardView(
        kind="consent.leave",
        headline=Headline(title="Leave it removed", context=f"{name(view.holder_name)} · {app}"),
        body=(
            *filled.strip(LEAVE_FIELDS),
            reason_input(filled),
            next_box(
                "The person reads your answer. It cannot be appealed again.",
                f"They can still get it back themselves until {until}.",
                "If you do not answer, it stays removed.",
            ),
        ),
        actions=(
            Action(label="Leave it removed", verb="consent.leave.submit", ref=view.request.id),
            Action(label="Back", verb="consent.appealed", ref=view.request.id, submits=False),
        ),
        fallback=f"Leave {app} removed.",
    )


def waiter_card(view: WaiterView) -> CardView:
    """Draw what somebody on a waiting list is told."""
    app = sku(view.application)
    if view.waiter.state is WaitState.ADDED:
        text, after = f"You have {app} now. It can take an hour to show.", "There is nothing to do."
    else:
        text = f"A seat of {app} is free, and you are first on the list."
        after = "Ask your license manager for it. If you do nothing, it stays free for who asks next."
    return CardView(
        kind="consent.waiter",
        headline=Headline(title=f"{app} is yours" if view.waiter.state is WaitState.ADDED else f"{app} is free"),
        body=(Paragraph(text), next_box(after)),
        fallback=f"News about {app}, for which you wait.",
    )


def why_ended(view_state: RequestState, why: str | None, detail: str | None) -> str:
    """Return how a request ended, for who runs programs: "Group is dynamic", "Kept by silence"."""
    match view_state:
        case RequestState.BY_HAND:
            blocker = _blocker(why)
            text = BLOCKERS[blocker] if blocker is not None else "Reclaim may not change this group"
            return f"{text}: {formats.one_line(detail, formats.GROUP_MAX)}" if detail else text
        case RequestState.STILL_THERE:
            return f"Still there through {formats.one_line(detail or 'something else', formats.GROUP_MAX)}"
        case RequestState.FAILED:
            return {
                Result.REFUSED.value: f"Microsoft refused it{f' ({detail})' if detail else ''}",
                Result.NOT_SEEN.value: "Written, and still there after three days",
            }.get(why or "", "Microsoft does not answer")
        case RequestState.UNREACHED:
            return "Account disabled" if why == "account_disabled" else "No chat reaches this person"
        case _:
            return STATES[view_state]


STATES: Final = {
    RequestState.WAITING: "Not asked yet",
    RequestState.ASKED: "Asked",
    RequestState.LATER: "Asked for time",
    RequestState.WITH_MANAGER: "With the manager",
    RequestState.AGREED: "Being removed",
    RequestState.ENFORCED: "Being removed",
    RequestState.KEPT: "Kept",
    RequestState.EXPIRED: "Kept, no answer",
    RequestState.REMOVED: "Removed and checked",
    RequestState.NOT_A_MEMBER: "Not in the group",
    RequestState.BY_HAND: "Needs a person",
    RequestState.STILL_THERE: "Still there",
    RequestState.USED_AGAIN: "Used again",
    RequestState.USE_UNKNOWN: "Use no longer known",
    RequestState.EXCLUDED: "Left out",
    RequestState.LEFT: "Account gone",
    RequestState.UNREACHED: "Not reached",
    RequestState.FAILED: "Failed",
    RequestState.DRY_RUN: "Dry run",
    RequestState.CANCELLED: "Program ended",
}


def _holder_card(view: ConsentView, zone: str) -> CardView:
    request = view.request
    if request.state is RequestState.REMOVED:
        return _removed(view, zone, kind="consent.request")
    app = sku(view.program.terms.application)
    asking = request.state is RequestState.ASKED
    body: list[Element] = list(_mode(view))
    actions: tuple[Action, ...] = ()
    if asking:
        if view.reminder:
            left = formats.time_left(request.due_at, view.now, zone) if request.due_at else "soon"
            body.append(
                Strip(
                    tone=Tone.NEUTRAL,
                    text=f"Reminder {view.reminder} of {view.program.terms.reminders}. This closes {left}."
                    if view.reminder < view.program.terms.reminders
                    else f"This is the last reminder. This closes {left}.",
                )
            )
        body += [
            Paragraph(f"Please answer by {_until(request.due_at, zone)}. It takes one tap.", subtle=True),
            Paragraph(_question(view)),
            Facts(_use_facts(view, zone)),
            Box(
                parts=(
                    ("If you give it up", _if_given_up(view, zone, None)),
                    ("If you do not answer", _silence(view, zone)),
                )
            ),
        ]
        actions = _answers(view)
    else:
        body.append(_holder_strip(view, zone))
    return CardView(
        kind="consent.request",
        headline=Headline(title=f"Do you still need {app}?" if asking else app, context=_context(view)),
        body=tuple(body),
        actions=actions,
        fallback=_fallback(view, zone),
        refresh=Refresh("consent.open", request.id),
    )


def _question(view: ConsentView) -> str:
    terms = view.program.terms
    if terms.question:
        return formats.isolate(formats.one_line(terms.question, 600))
    days = view.request.no_use.unused_days
    if view.request.no_use.is_absence:
        return (
            f"Hi {first(view.holder_name)}, {sku(terms.application)} has been on none of your work devices for at least"
            f" {formats.count(days, 'day')}, as far as Intune sees. If you use it in a browser or elsewhere, keep it. If you"
            " are done with it, someone else can have your seat."
        )
    return (
        f"Hi {first(view.holder_name)}, we see no use of {sku(terms.application)} in the last"
        f" {formats.count(days, 'day')}. If you are done with it, someone else can have your seat."
    )


def _answers(view: ConsentView) -> tuple[Action, ...]:
    ref = view.request.id
    answers = [
        Action(
            label="Give it up",
            verb="consent.agree",
            ref=ref,
            confirm=f"Give up {formats.cut(view.program.terms.application, 40)}?",
        ),
        Action(label="I still use it…", verb="consent.keep", ref=ref, submits=False),
    ]
    if not view.request.had_time:
        answers.append(Action(label=f"Ask me in {LATER.days} days", verb="consent.later", ref=ref))
    return tuple(answers)


def _use_facts(view: ConsentView, zone: str) -> tuple[Fact, ...]:
    use = view.request.no_use
    read = formats.day(local_day(use.observed_at, zone))
    source = SOURCES.get(use.source, formats.one_line(use.source, 40))
    if use.is_absence and use.last_used_at is not None:
        since = f"on any work device since {formats.day(local_day(use.last_used_at, zone))}, or longer"
        return (
            Fact("Not installed", since),
            Fact("Source", f"{source}, as of {read}; it does not see use in a browser"),
        )
    on = f", on {formats.isolate(formats.one_line(use.device, 60))}" if use.device else ""
    if use.last_used_at is not None:
        last = f"{formats.day(local_day(use.last_used_at, zone))}{on}"
    else:
        last = f"More than {formats.count(use.unused_days, 'day')} ago{on}"
    return (Fact("Last used", last), Fact("Source", f"{source}, read {read}"))


def _if_given_up(view: ConsentView, zone: str, whose: str | None) -> str:
    terms = view.program.terms
    app = sku(terms.application)
    who = f"{whose} leaves" if whose else "You leave"
    leaves = f"{who} the group {group(view.program.group_name)}, and what it opens goes with it."
    uninstalls = terms.uninstalls and not view.request.no_use.is_absence
    uninstalled = f"{app} is uninstalled from {'their' if whose else 'your'} devices." if uninstalls else ""
    stays = "Account, files and all other apps stay." if whose else "Your account, your files and all other apps stay."
    until = formats.day(local_day(view.now + view.undo_window, zone), weekday=True)
    back = f"It can come back until {until}." if whose else f"You can get it back with one tap until {until}."
    return sentences([f"{app} goes away within an hour.", leaves, uninstalled, stays, back])


def _silence(view: ConsentView, zone: str) -> str:
    """Return what becomes of a question that the holder does not answer."""
    terms, request, app = view.program.terms, view.request, sku(view.program.terms.application)
    again = f"not again for {formats.count(terms.cooldown_days, 'day')}."
    if terms.on_silence is OnSilence.REMOVE and _live(view):
        ends = request.due_at or view.now
        back = formats.day(local_day(ends + view.undo_window, zone), weekday=True)
        return f"It is removed after {_until(request.due_at, zone)}, and you can get it back until {back}."
    if terms.on_silence is OnSilence.ESCALATE:
        return "Your manager decides. If they do not either, you keep it."
    if view.reminders_left:
        on = formats.day(local_day(view.reminders_left[0], zone), weekday=True)
        return f"You keep {app}. We remind you on {on}, then {again}"
    return f"You keep {app}. We ask {again}"


def _if_kept(view: ConsentView) -> str:
    terms = view.program.terms
    if terms.keep_decided_by is KeepDecides.MANAGER:
        return "Your manager reads this and decides."
    return f"You keep {sku(terms.application)}. We do not ask again for {formats.count(terms.cooldown_days, 'day')}."


def _holder_strip(view: ConsentView, zone: str) -> Strip:
    """Return how a request stands that asks its holder nothing any more."""
    request, terms = view.request, view.program.terms
    app, ref = sku(terms.application), view.request.id
    match request.state:
        case RequestState.AGREED if request.approved_by is ApprovedBy.HOLDER:
            undo = Action(label="Undo", verb="consent.undo", ref=ref)
            may_undo = view.leave is None or view.leave.may_be_withdrawn
            return Strip(
                tone=Tone.GOOD,
                text=f"Thank you, {first(view.holder_name)}. {app} goes away within an hour.",
                actions=(undo,) if may_undo else (),
            )
        case RequestState.AGREED | RequestState.ENFORCED:
            by = f"{name(view.manager_name)} decided that it goes." if view.manager_name else "Nobody answered."
            return Strip(tone=Tone.NEUTRAL, text=f"{by} {app} goes away within an hour.")
        case RequestState.KEPT if request.answered_by == request.person_id:
            text = f"Noted, you keep {app}. We do not ask again for {formats.count(terms.cooldown_days, 'day')}."
            return Strip(tone=Tone.GOOD, text=text)
        case RequestState.KEPT:
            by = name(view.manager_name) if view.manager_name else "Your manager"
            return Strip(tone=Tone.GOOD, text=f"{by} decided that you keep {app}.")
        case RequestState.LATER:
            on = formats.day(local_day(request.later_until, zone), weekday=True) if request.later_until else "later"
            return Strip(tone=Tone.NEUTRAL, text=f"We ask again on {on}.")
        case RequestState.WITH_MANAGER:
            by = name(view.manager_name) if view.manager_name else "Your manager"
            return Strip(tone=Tone.NEUTRAL, text=f"Noted. {by} decides by {_until(request.due_at, zone)}.")
        case RequestState.EXPIRED:
            return Strip(tone=Tone.NEUTRAL, text=f"Closed without an answer. You keep {app}.")
        case RequestState.NOT_A_MEMBER:
            text = f"You are no longer in {group(view.program.group_name)}. Nothing to do."
            return Strip(tone=Tone.NEUTRAL, text=text)
        case RequestState.STILL_THERE:
            through = formats.isolate(formats.one_line(request.detail or "another group", formats.GROUP_MAX))
            return Strip(tone=Tone.NEUTRAL, text=f"Still there through {through}. Somebody has to take it there.")
        case RequestState.BY_HAND:
            return Strip(tone=Tone.NEUTRAL, text=f"Somebody has to take {app} by hand. There is nothing to do for you.")
        case RequestState.USED_AGAIN:
            return Strip(tone=Tone.GOOD, text="Used again. Nothing to do, you keep it.")
        case RequestState.EXCLUDED:
            return Strip(tone=Tone.GOOD, text=f"You keep {app}. There is nothing to do.")
        case RequestState.DRY_RUN:
            return Strip(tone=Tone.NEUTRAL, text=f"This was a dry run. You keep {app}.")
        case RequestState.CANCELLED:
            return Strip(tone=Tone.NEUTRAL, text=f"This is no longer asked. You keep {app}.")
        case RequestState.FAILED:
            return Strip(tone=Tone.WARNING, text=f"{app} could not be removed. Somebody looks at it.")
        case _:
            return Strip(tone=Tone.NEUTRAL, text=f"You keep {app}. There is nothing to do.")


def _manager_strip(view: ConsentView, zone: str) -> Strip:
    request, app = view.request, sku(view.program.terms.application)
    you = request.answered_by == view.viewer
    match request.state:
        case RequestState.AGREED:
            return Strip(tone=Tone.GOOD, text=f"You took {app} back. It goes away within an hour.")
        case RequestState.KEPT if you:
            return Strip(tone=Tone.GOOD, text=f"You decided that {app} stays.")
        case RequestState.REMOVED:
            on = formats.day(local_day(request.ended_at, zone)) if request.ended_at else "just now"
            return Strip(tone=Tone.GOOD, text=f"Removed and checked on {on}.")
        case RequestState.EXPIRED:
            return Strip(tone=Tone.NEUTRAL, text="Closed without an answer. It is kept.")
        case _:
            return Strip(tone=Tone.NEUTRAL, text="This is closed. Nothing left to do for you.")


def _removed(view: ConsentView, zone: str, *, kind: str) -> CardView:
    request, app = view.request, sku(view.program.terms.application)
    back = _came_back(view.restore)
    body: list[Element] = []
    if (strip := _restore_strip(view.restore, app)) is not None:
        body.append(strip)
    elif view.appeal is not None:
        body.append(Strip(tone=Tone.NEUTRAL, text=_appeal_said(view, zone)))
    on = formats.moment(request.ended_at, zone) if request.ended_at else "just now"
    facts = [
        Fact("What", f"{app}, gone since {on}"),
        Fact("Why", _why_removed(view, zone)),
        Fact(
            "What stays",
            f"Your account, your files and all other apps. You left the group {group(view.program.group_name)}",
        ),
    ]
    if view.can_come_back and view.until is not None:
        facts.append(Fact("Back until", formats.moment(view.until, zone)))
    body.append(Facts(tuple(facts)))
    actions: tuple[Action, ...] = ()
    if view.can_come_back:
        body.append(next_box("There is nothing to do. If you still need it, you can get it back here."))
        label = "Get it back" if view.restore is None else "Try again"
        actions = (Action(label=label, verb="consent.back", ref=request.id),)
        if view.can_appeal and kind == "consent.removed":
            actions = (*actions, Action(label="Appeal…", verb="consent.appeal", ref=request.id, submits=False))
    else:
        body.append(next_box("There is nothing to do."))
    return CardView(
        kind=kind,
        headline=Headline(title=f"{app} is back" if back else f"{app} was removed", context=_context(view)),
        body=tuple(body),
        actions=actions,
        fallback=f"{app} is back." if back else f"{app} was removed. You can get it back.",
        refresh=Refresh("consent.receipt" if kind == "consent.removed" else "consent.open", request.id),
    )


def _appeal_said(view: ConsentView, zone: str) -> str:
    """Return where an appeal stands, to the holder."""
    appeal, to = view.appeal, name(view.decider_name or "your manager")
    if appeal is None:
        return ""
    match appeal.state:
        case ConsentAppealState.OPEN:
            return f"Sent to {to}. You get an answer here by {_until(appeal.due_at, zone)}."
        case ConsentAppealState.GRANTED:
            return f"{to} gave it back."
        case ConsentAppealState.REFUSED:
            return sentences([f"{to} left it removed.", quoted(appeal.reason) if appeal.reason else ""])
        case ConsentAppealState.LAPSED:
            return "Nobody answered your appeal. It stays removed; you can still get it back here."
        case ConsentAppealState.SETTLED:
            return "It came back in another way. There is nothing left to do."


def _appeal_ended(view: ConsentView) -> str:
    """Return how an appeal ended, to the one who decided."""
    match view.appeal.state if view.appeal is not None else ConsentAppealState.LAPSED:
        case ConsentAppealState.GRANTED:
            return "You gave it back."
        case ConsentAppealState.REFUSED:
            return "You left it removed."
        case ConsentAppealState.SETTLED:
            return "It came back in another way. Nothing left to do."
        case _:
            return "Closed without an answer. It stays removed."


def _why_removed(view: ConsentView, zone: str) -> str:
    request = view.request
    program = quoted(view.program.terms.name)
    on = formats.day(local_day(request.answered_at, zone)) if request.answered_at else ""
    match request.approved_by:
        case ApprovedBy.HOLDER:
            return f"You gave it up on {on}"
        case ApprovedBy.MANAGER:
            return f"{name(view.manager_name or 'Your manager')} decided it on {on}"
        case ApprovedBy.SILENCE:
            return f"You did not answer, and the program {program} removes it then"
        case _:
            days = formats.count(request.no_use.unused_days, "day")
            return f"Unused for {days}; the program {program} removes it without asking"


def _restore_strip(restore: MembershipChange | None, app: str) -> Strip | None:
    if restore is None:
        return None
    if restore.running:
        return Strip(tone=Tone.NEUTRAL, text="It is coming back. It can take an hour to show.")
    if restore.result is Result.THERE:
        return Strip(tone=Tone.GOOD, text=f"{app} is back. It can take an hour to show.")
    return Strip(tone=Tone.WARNING, text=_not_restored(restore))


def _not_restored(restore: MembershipChange) -> str:
    match restore.result:
        case Result.NO_FREE_SEAT:
            return f"Not restored: all {restore.detail or ''} seats are in use.".replace("  ", " ")
        case Result.GROUP_GONE:
            return "Not restored: the group no longer exists."
        case Result.BLOCKED:
            return "Not restored: the group has changed, and Reclaim may not add people to it."
        case Result.PERSON_GONE:
            return "Not restored: the account no longer exists."
        case Result.REFUSED:
            return "Not restored: Microsoft refused it. An admin has to look."
        case Result.DRY_RUN:
            return "Not restored: this installation makes no changes (dry run)."
        case _:
            return "Not restored: Microsoft does not answer right now."


def _came_back(restore: MembershipChange | None) -> bool:
    return restore is not None and restore.result is Result.THERE


def _blocker(why: str | None) -> Blocker | None:
    try:
        return Blocker(why) if why else None
    except ValueError:
        return None


def _until(at: datetime | None, zone: str) -> str:
    return formats.due(at, zone) if at is not None else "later"


def _live(view: ConsentView) -> bool:
    return view.mode is WriteMode.LIVE


def _mode(view: ConsentView) -> tuple[Strip, ...]:
    if _live(view):
        return ()
    return (Strip(tone=Tone.NEUTRAL, text="Dry run: people are asked, nothing is removed."),)


def _context(view: ConsentView) -> str:
    return title(view.program.terms.name)


def _fallback(view: ConsentView, zone: str) -> str:
    app = sku(view.program.terms.application)
    if view.request.state is not RequestState.ASKED:
        return f"About {app}, which you hold."
    until = _until(view.request.due_at, zone)
    if view.program.terms.on_silence is OnSilence.KEEP:
        return f"Do you still need {app}? If you do not answer by {until}, you keep it."
    return f"Do you still need {app}? Please answer by {until}."


# Behind a number of people who were asked.
ANSWERED: Final = {
    Answer.AGREED: "agreed",
    Answer.KEPT: "keep it",
    Answer.SILENT: "did not answer",
    Answer.OPEN: "can still answer",
    Answer.OVERTAKEN: "closed before an answer",
}
STANDINGS: Final = {
    Standing.NOT_A_MEMBER: "Not in the group",
    Standing.EXCLUDED: "Left out by an exclusion",
    Standing.WAITING: "Not asked yet",
    Standing.OPEN: "Asked, answer open",
    Standing.KEPT: "Kept, still needed",
    Standing.SILENT: "Kept, no answer",
    Standing.REMOVING: "Being removed",
    Standing.REMOVED: "Removed and checked",
    Standing.RESTORED: "Removed, then given back",
    Standing.BY_HAND: "Need a person",
    Standing.OTHERWISE: "Ended in another way",
}
