"""Steering cards: freeze and resume, the sync, help, and what is said when something cannot be done."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cards import formats
from cards.form import EMPTY, Filled
from cards.phrases import NO_ROLES, name, next_box, quoted, run
from cards.usage import reports_read
from cards.view import (
    Action,
    CardView,
    Element,
    Emphasis,
    Fact,
    Facts,
    Headline,
    Input,
    InputKind,
    Paragraph,
    Refresh,
    Row,
    Rows,
    Strip,
    Tone,
)
from reclaim.domain.read_models import FreezeView, SyncView
from reclaim.domain.syncing import SyncKind

REASON_FIELDS = frozenset({"reason"})
_REASON_LENGTH = 500
_OPTIONAL = re.compile(r" ?\[--[^\]]*\](\.\.\.)?")


def freeze_form(filled: Filled = EMPTY) -> CardView:
    """Draw the question before every removal stops."""
    return CardView(
        kind="freeze.form",
        headline=Headline(title="Freeze all removals?"),
        body=(
            *filled.strip(REASON_FIELDS),
            _reason("For example: wrong seats are being removed", filled),
            next_box(
                "Every removal stops at once. People can still answer. Resume needs a reason and a second person."
            ),
        ),
        actions=(Action(label="Freeze", verb="freeze.submit", ref="all", emphasis=Emphasis.DANGER),),
        fallback="Freeze all removals? Nothing is stopped yet.",
    )


def resume_form(view: FreezeView, zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the form that asks a second person to let removals go on."""
    return CardView(
        kind="resume.form",
        headline=Headline(title="Resume removals?", amount=_waiting(view)),
        body=(
            *filled.strip(REASON_FIELDS),
            *_who_froze(view, zone),
            _reason("For example: the list was checked", filled),
            next_box("Another admin is asked to confirm. Until then nothing is removed."),
        ),
        actions=(Action(label="Ask to resume", verb="resume.submit", ref="all"),),
        fallback="Resume removals? Nothing has changed yet.",
    )


def freeze_card(view: FreezeView, zone: str, *, may_resume: bool, may_confirm: bool) -> CardView:
    """Draw whether removals are frozen, and who asks to let them go on."""
    if not view.frozen:
        return _not_frozen()
    pending = view.resume_ref is not None
    actions: list[Action] = []
    if pending and may_confirm:
        actions.append(Action(label="Confirm", verb="resume.confirm", ref=view.resume_ref or "", submits=False))
    elif not pending and may_resume:
        actions.append(Action(label="Resume…", verb="resume.form", ref="all", submits=False))
    return CardView(
        kind="freeze",
        headline=Headline(title="Removals are frozen", amount=_waiting(view)),
        body=(
            Strip(tone=Tone.BAD, text="Nothing is removed while this lasts."),
            *_who_froze(view, zone),
            *_who_asks(view),
            next_box(
                "People can still answer. Resume needs a reason and a second person."
                if not pending
                else "An admin other than who asks confirms. Until then nothing is removed."
            ),
        ),
        actions=tuple(actions),
        fallback=f"Removals are frozen. {_waiting(view)}.",
    )


_SYNC_TITLES: Mapping[SyncKind, Mapping[str, str]] = {
    SyncKind.FULL: {
        "running": "Reading the tenant",
        "complete": "The tenant is read",
        "failed": "The tenant could not be read",
        "stopped": "The reading stopped",
    },
    SyncKind.CHANGES: {
        "running": "Reading what has changed",
        "complete": "What has changed is read",
        "failed": "What has changed could not be read",
        "stopped": "The reading stopped",
    },
}


def sync_card(sync: SyncView, now: datetime, zone: str) -> CardView:
    """Draw a sync: its progress, its end, or why it stopped."""
    titles = _SYNC_TITLES[sync.kind]
    read = f"{formats.count(sync.people, 'person', 'people')}, {formats.count(sync.seats, 'seat')}"
    return CardView(
        kind="sync",
        headline=Headline(
            title=titles[sync.state],
            amount=_idle(sync),
            context=f"Started {formats.moment(sync.started_at, zone)}, {_running_for(sync, now)}",
            unit="idle" if sync.idle is not None else None,
        ),
        body=(Facts(_read_so_far(sync, read)), *_sync_end(sync)),
        actions=_sync_actions(sync),
        fallback=f"{titles[sync.state]}: {read}.",
        refresh=Refresh("sync.open", sync.run_id),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpLine:
    """One verb in the help: one or two words, and its usage, which begins with them."""

    verb: str
    group: str
    usage: str
    summary: str
    example: str

    @property
    def short(self) -> str:
        """The usage without what may be left out and begins with dashes: a list of verbs reads better so."""
        return _OPTIONAL.sub("", self.usage)


def help_card(lines: Sequence[HelpLine], first_steps: Sequence[tuple[str, str]], *, holder: bool = False) -> CardView:
    """Draw what this person may type.

    Args:
        lines: One for each verb, in the order of their groups.
        first_steps: (verb, label) of up to three buttons.
        holder: Whether the person runs nothing and only holds or reviews seats.
    """
    groups = dict.fromkeys(line.group for line in lines)
    lead = "Look where the money is, ask who can judge it, stop at any time, prove what was done."
    if holder:
        lead = "Before a seat is taken away, I ask somebody who can judge it. When one of yours is gone, I tell you."
    body: list[Element] = [Paragraph(lead)]
    for group in groups:
        rows = tuple(
            Row(title=f"/reclaim {line.short}", reason=f"{line.summary} Example: /reclaim {line.example}".strip())
            for line in lines
            if line.group == group
        )
        body.append(Rows(heading=group, rows=rows))
    return CardView(
        kind="help",
        headline=Headline(title="What you can type"),
        body=tuple(body),
        actions=tuple(run(verb, label) for verb, label in first_steps[:3]),
        fallback="What you can type behind /reclaim.",
    )


def verb_help_card(line: HelpLine) -> CardView:
    """Draw the help for one verb."""
    return CardView(
        kind="help",
        headline=Headline(title=f"/reclaim {line.verb}"),
        body=(Paragraph(line.summary), *_how_to(line)),
        actions=(run("help", "All commands"),),
        fallback=f"How to use /reclaim {line.verb}.",
    )


def unknown_verb_card(text: str, nearest: HelpLine | None) -> CardView:
    """Draw the answer to a verb that does not exist, or not for this person.

    Args:
        text: What was typed.
        nearest: The verb that may have been meant.
    """
    body: tuple[Element, ...] = (Paragraph("Help lists what you can type."),)
    actions: tuple[Action, ...] = (run("help", "Help"),)
    if nearest is not None:
        body = (Paragraph(f"Did you mean /reclaim {nearest.verb}? {nearest.summary}"), *_how_to(nearest))
        actions = (run(nearest.verb), *actions)
    return CardView(
        kind="unknown",
        headline=Headline(title=f"I do not know “{formats.one_line(text, 40)}”"),
        body=body,
        actions=actions,
        fallback="I do not know this command.",
    )


def bad_argument_card(message: str, line: HelpLine) -> CardView:
    """Draw what was wrong with an argument, the usage of the verb, and one example that fits."""
    return CardView(
        kind="bad_argument",
        headline=Headline(title="That does not fit"),
        body=(Paragraph(message), *_how_to(line)),
        fallback=message,
    )


def message_card(kind: str, message: str, *, headline: str, tone: Tone = Tone.WARNING) -> CardView:
    """Draw a refusal or an outside failure as one sentence."""
    return CardView(
        kind=kind, headline=Headline(title=headline), body=(Strip(tone=tone, text=message),), fallback=message
    )


def role_needed(roles: Sequence[str], have: Sequence[str], people: Sequence[str]) -> str:
    """Return the refusal that says which role is needed and whom to ask; no hint whether the object exists."""
    shown = [name(person) for person in people[:3]]
    asked = f" Ask {' or '.join(shown)}." if shown else ""
    has = f" You have: {', '.join(have)}." if have else ""
    return f"This needs the role {' or '.join(roles)}.{has}{asked}"


def unexpected(reference: str) -> str:
    """Return what is said of an error that nobody foresaw."""
    return f"That did not work. Nothing was changed. Reference {reference}."


def in_private_card() -> CardView:
    """Draw what a channel sees instead of an answer that is for one person only."""
    text = "I sent you the answer in private."
    return CardView(kind="private", headline=Headline(title="For you only"), body=(Paragraph(text),), fallback=text)


def _how_to(line: HelpLine) -> tuple[Element, ...]:
    return (Facts((Fact("Usage", f"/reclaim {line.usage}"), Fact("Example", f"/reclaim {line.example}"))),)


def _not_frozen() -> CardView:
    text = "Removals are not frozen."
    return CardView(
        kind="freeze",
        headline=Headline(title=text),
        body=(Paragraph("Approved removals go on."),),
        actions=(run("status", "Status"),),
        fallback=text,
    )


def _waiting(view: FreezeView) -> str:
    return f"{formats.number(view.waiting)} {'waits' if view.waiting == 1 else 'wait'}"


def _who_froze(view: FreezeView, zone: str) -> list[Facts]:
    facts = []
    if view.by_name:
        facts.append(Fact("Frozen by", name(view.by_name)))
    if view.since:
        facts.append(Fact("Since", formats.moment(view.since, zone)))
    if view.reason:
        facts.append(Fact("Why", quoted(view.reason)))
    return [Facts(tuple(facts))] if facts else []


def _who_asks(view: FreezeView) -> list[Strip]:
    if view.resume_ref is None:
        return []
    who = name(view.resume_by_name or "Somebody")
    return [
        Strip(
            tone=Tone.NEUTRAL,
            text=f"{who} asks to resume.",
            detail=quoted(view.resume_reason) if view.resume_reason else None,
        )
    ]


def _reason(placeholder: str, filled: Filled) -> Input:
    return Input(
        id="reason",
        kind=InputKind.TEXT,
        label="Why?",
        required=True,
        value=filled.value("reason"),
        placeholder=placeholder,
        max_length=_REASON_LENGTH,
        error=filled.error_of("reason"),
    )


def _idle(sync: SyncView) -> str | None:
    return None if sync.idle is None else formats.count(sync.idle, "seat")


def _running_for(sync: SyncView, now: datetime) -> str:
    minutes = int(((sync.completed_at or now) - sync.started_at).total_seconds() // 60)
    return f"{formats.count(minutes, 'minute')} long" if minutes else "less than a minute long"


def _read_so_far(sync: SyncView, read: str) -> tuple[Fact, ...]:
    facts = [Fact("Read so far" if sync.state == "running" else "Read", read)]
    if sync.kind is SyncKind.CHANGES and sync.state == "complete":
        gone = f"{formats.count(sync.gone_people, 'person', 'people')}, {formats.count(sync.gone_seats, 'seat')}"
        facts = [Fact("Changed", read), Fact("Gone", gone)]
    if sync.left is not None:
        minute = timedelta(minutes=1)
        left = "less than a minute" if sync.left < minute else f"about {formats.length(sync.left)}"
        facts.append(Fact("Time left", f"{left}, at the pace that Microsoft allows for sign-ins"))
    return (*facts, *reports_read(sync.usage)) if sync.state == "complete" else tuple(facts)


def _sync_end(sync: SyncView) -> list[Element]:
    body: list[Element] = []
    if sync.resynced:
        text = "Microsoft could no longer tell what has changed since the last sync, so Reclaim reads the whole tenant."
        body.append(Strip(tone=Tone.NEUTRAL, text=text))
    elif sync.kind is SyncKind.CHANGES and sync.state == "complete":
        text = (
            "Only what has changed was read. Sign-ins are as old as the last full sync, and seats are judged by those."
        )
        body.append(Paragraph(text, subtle=True))
    if sync.state == "running" and sync.error:
        body.append(Strip(tone=Tone.WARNING, text=f"Interrupted, it goes on by itself. {sync.error}"))
    elif sync.state == "failed":
        body.append(Strip(tone=Tone.BAD, text=sync.error or "Microsoft did not answer."))
    elif sync.state == "stopped":
        gone = f"{formats.count(sync.gone_people, 'person', 'people')} and {formats.count(sync.gone_seats, 'seat')}"
        text = f"{gone} would vanish, which is more than usual. Nothing was changed."
        detail = f"If this is right: /reclaim sync --accept {sync.run_id}"
        body.append(Strip(tone=Tone.WARNING, text=text, detail=detail))
    if sync.sign_ins == "no_premium":
        body.append(Strip(tone=Tone.WARNING, text="No sign-in data: the tenant needs Entra ID P1."))
    elif sync.sign_ins == "no_permission":
        body.append(Strip(tone=Tone.WARNING, text="No sign-in data: the permission AuditLog.Read.All is missing."))
    if sync.state == "complete" and sync.roles in NO_ROLES:
        body.append(Paragraph(NO_ROLES[sync.roles], subtle=True))
    if sync.total is not None and sync.idle:
        body.append(Paragraph(f"They cost {formats.monthly(sync.total, whole=True)}."))
    return body


def _sync_actions(sync: SyncView) -> tuple[Action, ...]:
    if sync.state == "running":
        return (Action(label="Refresh", verb="sync.open", ref=sync.run_id, submits=False),)
    if sync.state == "complete":
        return (run("spend", "Show spend"),)
    if sync.state == "failed":
        return (Action(label="Try again", verb="sync.run", ref="now", submits=False),)
    return ()
