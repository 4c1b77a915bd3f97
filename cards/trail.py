"""What can be told afterwards: why a seat stands where it stands, what happened, and the evidence as files."""

import re
from collections.abc import Sequence
from datetime import datetime

from cards import formats
from cards.exclusions import why_excluded
from cards.phrases import NO_ROLES, data_read, name, sentence_case, sku, title
from cards.reasons import OUTCOMES, answer_in_words, how_assigned, last_sign_in
from cards.restores import way_strip
from cards.usage import reports_missing, use_reported
from cards.view import (
    Action,
    CardView,
    Element,
    Expandable,
    Fact,
    Facts,
    Headline,
    Paragraph,
    Row,
    Rows,
    Strip,
    Tone,
)
from reclaim.domain.attestation import EventKind
from reclaim.domain.calendar import local_day
from reclaim.domain.idle import NotIdleWhy, Rule
from reclaim.domain.read_models import ExportedFile, History, HistoryLine, SentMessage, WhyReport, WhySeat

_RULES = {
    Rule.DISABLED: "Flagged: the account is disabled",
    Rule.NEVER_SEEN: "Flagged: never used",
    Rule.IDLE: "Flagged: no use seen in the window",
    Rule.UNUSED: "Flagged: no use in Microsoft’s usage reports, though the person signs in",
}
_NOT_IDLE = {
    NotIdleWhy.IN_USE.value: "Left out: it was used within the window",
    NotIdleWhy.TOO_NEW.value: "Left out: account or seat is younger than the window",
    NotIdleWhy.UNKNOWN.value: "Left out: its use is unknown, and unknown is never idle",
    NotIdleWhy.ERROR_STATE.value: "Left out: Microsoft reports an error on the seat",
    NotIdleWhy.GONE.value: "Left out: the person or the seat is gone",
}
EVENTS: dict[EventKind, str] = {
    EventKind.SYNC_COMPLETED: "Tenant read",
    EventKind.LAUNCH_ASKED: "Second admin asked",
    EventKind.LAUNCH_CONFIRMED: "Start confirmed",
    EventKind.LAUNCH_DECLINED: "Start declined",
    EventKind.LAUNCH_LAPSED: "Request to confirm lapsed",
    EventKind.CAMPAIGN_STARTED: "Campaign started",
    EventKind.CAMPAIGN_OPENED: "Campaign opened",
    EventKind.ITEM_ASSIGNED: "Seat assigned",
    EventKind.MESSAGE_SENT: "Message sent",
    EventKind.DECISION_MADE: "Answered",
    EventKind.DECISION_WITHDRAWN: "Answer taken back",
    EventKind.ITEM_DELEGATED: "Seat passed on",
    EventKind.ITEM_TAKEN_BACK: "Seat taken back",
    EventKind.ITEM_GIVEN_BACK: "Seat given back",
    EventKind.ITEM_REASSIGNED: "Seat moved to another reviewer",
    EventKind.REMINDER_SENT: "Reminder sent",
    EventKind.RESULT_TOLD: "Result told",
    EventKind.NUDGED: "Reminded by hand",
    EventKind.CLOSE_MOVED: "Close moved",
    EventKind.CAMPAIGN_EXTENDED: "Campaign extended",
    EventKind.CAMPAIGN_CANCELLED: "Campaign cancelled",
    EventKind.CAMPAIGN_CLOSING: "Campaign closing",
    EventKind.REMOVAL_PLANNED: "Removal planned",
    EventKind.REMOVAL_INTENDED: "Removal about to be made",
    EventKind.REMOVAL_WRITTEN: "Removal made",
    EventKind.REMOVAL_FAILED: "Removal failed",
    EventKind.REMOVAL_VERIFIED: "Removal checked",
    EventKind.RESTORE_ASKED: "Seat asked back",
    EventKind.RESTORE_INTENDED: "Restore about to be made",
    EventKind.RESTORE_WRITTEN: "Restore made",
    EventKind.RESTORE_FAILED: "Restore failed",
    EventKind.RESTORE_VERIFIED: "Restored and checked",
    EventKind.REGRANT_FOUND: "Removed seat found again",
    EventKind.ASKED_BACK: "Holder asked: want it back?",
    EventKind.ASK_BACK_ANSWERED: "Holder answered",
    EventKind.APPEALED: "Removal appealed",
    EventKind.APPEAL_MOVED: "Appeal moved to the license managers",
    EventKind.APPEAL_ANSWERED: "Appeal answered",
    EventKind.APPEAL_ENDED: "Appeal over without an answer",
    EventKind.CONSENT_PROGRAM_SET: "Consent program set",
    EventKind.CONSENT_RUN_STARTED: "Consent program started to look",
    EventKind.CONSENT_RUN_ENDED: "Consent program has looked",
    EventKind.CONSENT_FOUND: "No use seen",
    EventKind.CONSENT_ASKED: "Asked whether it is still needed",
    EventKind.CONSENT_ANSWERED: "Answered whether it is still needed",
    EventKind.CONSENT_WITHDRAWN: "Answer taken back",
    EventKind.CONSENT_ENDED: "Question closed",
    EventKind.CHANGE_ASKED: "Change of a group asked for",
    EventKind.CHANGE_INTENDED: "Change of a group about to be made",
    EventKind.CHANGE_WRITTEN: "Change of a group made",
    EventKind.CHANGE_FAILED: "Change of a group failed",
    EventKind.CHANGE_ENDED: "Change of a group checked",
    EventKind.WAIT_LISTED: "Put on a waiting list",
    EventKind.WAIT_ENDED: "Left a waiting list",
    EventKind.SYNC_CONFIRMED: "Confirmed by the next reading",
    EventKind.ITEM_ENDED: "Seat settled",
    EventKind.TASK_DONE: "Said to be done by hand",
    EventKind.TASK_CHECKED: "Work by hand checked",
    EventKind.CAMPAIGN_PAUSED: "Campaign stopped",
    EventKind.CAMPAIGN_RESUMED: "Campaign goes on",
    EventKind.CAMPAIGN_CLOSED: "Campaign closed",
    EventKind.FROZEN: "Removals frozen",
    EventKind.RESUME_ASKED: "Resume asked for",
    EventKind.RESUMED: "Removals go on",
    EventKind.EXPORTED: "Evidence exported",
    EventKind.OWNER_NAMED: "License owner named",
    EventKind.OWNER_REMOVED: "License owner removed",
    EventKind.EXCLUDED: "Left out of campaigns",
    EventKind.EXCLUSION_ENDED: "No longer left out",
    EventKind.ABSENCES_LOADED: "List of absences loaded",
    EventKind.ABSENCES_CLEARED: "List of absences forgotten",
    EventKind.PRICES_LOADED: "Price list loaded",
    EventKind.PRICE_SET: "Price set",
    EventKind.SAVING_REALISED: "Saving realised",
    EventKind.SAVING_TAKEN_BACK: "Saving no longer realised",
}
_FACTS_SHOWN = 3


def why_card(report: WhyReport, zone: str) -> CardView:
    """Draw all that can be said of a person's seats."""
    body: list[Element] = []
    for seat in report.seats:
        body += _seat(seat, report, zone)
    if not report.seats:
        body.append(Paragraph("No seat is held."))
    if report.roles in NO_ROLES:
        body.append(Paragraph(NO_ROLES[report.roles], subtle=True))
    return CardView(
        kind="why",
        headline=Headline(
            title=name(report.person_name),
            amount=formats.count(len(report.seats), "seat"),
            context=formats.one_line(report.person.upn, formats.NAME_MAX),
        ),
        body=(*body, *reports_missing(report.usage), *data_read(report.data, report.now, zone)),
        fallback="Why seats are flagged or left out.",
    )


def own_seats_card(report: WhyReport, zone: str) -> CardView:
    """Draw a person's own seats, to themselves."""
    rows = tuple(
        Row(title=formats.one_line(seat.sku_name, formats.SKU_MAX), reason=_own(seat, zone)) for seat in report.seats
    )
    count = formats.count(len(rows), "seat")
    return CardView(
        kind="seats.mine",
        headline=Headline(title=f"You hold {count}"),
        body=(
            *([Rows(rows=rows)] if rows else []),
            Paragraph("Nobody decides a seat of their own. Before a seat is taken away, somebody is asked."),
            *data_read(report.data, report.now, zone),
        ),
        fallback=f"You hold {count}.",
    )


def history_card(history: History, zone: str) -> CardView:
    """Draw the newest attested events, newest first."""
    rows = tuple(_line(line, zone) for line in history.lines)
    return CardView(
        kind="history",
        headline=Headline(
            title=f"History: {title(history.title)}",
            amount=f"{formats.number(len(rows))} of {formats.number(history.total)}",
            unit="events",
        ),
        body=(Rows(rows=rows),) if rows else (Paragraph("Nothing has happened yet."),),
        fallback=f"{formats.count(history.total, 'event')} in the history.",
    )


def exported_card(campaign: str, files: Sequence[ExportedFile]) -> CardView:
    """Draw what the files hold; the channel hangs them on this card."""
    names = tuple(Fact(formats.one_line(file.name, formats.NAME_MAX), _size(len(file.content))) for file in files)
    return CardView(
        kind="export",
        headline=Headline(title="Evidence", context=title(campaign)),
        body=(
            Paragraph(
                "Every decision, who made it and when, and what became of each seat. This export is attested too."
            ),
            Facts(names),
        ),
        fallback=f"Evidence of {title(campaign)}: {formats.count(len(files), 'file')}.",
    )


def report_card(campaign: str, file: ExportedFile, *, pseudonymous: bool) -> CardView:
    """Draw what the report is; the channel hangs the file on this card."""
    without = " Names are replaced by ids." if pseudonymous else ""
    return CardView(
        kind="report",
        headline=Headline(title="Report", context=title(campaign)),
        body=(
            Paragraph(f"One file to read and to print on A4.{without} That it was handed out is attested."),
            Facts((Fact(formats.one_line(file.name, formats.NAME_MAX), _size(len(file.content))),)),
        ),
        fallback=f"Report of {title(campaign)}.",
    )


def _seat(seat: WhySeat, report: WhyReport, zone: str) -> list[Element]:
    parts: list[Element] = [
        Paragraph(sku(seat.sku_name), heading=True),
        Paragraph(_flag(seat, zone)),
        *([Paragraph(why_excluded(seat.exclusion, zone))] if seat.exclusion else []),
        Facts(_signals(seat, report, zone)),
    ]
    if seat.item is not None:
        parts.append(Facts(_review(seat, zone)))
    if seat.way is not None and (strip := way_strip(seat.way, zone)) is not None:
        parts.append(strip)
    if seat.item is not None and seat.way is not None and seat.way.until is not None and seat.way.open:
        back = Action(label="Restore…", verb="restore.open", ref=seat.item.id, submits=False)
        until = formats.moment(seat.way.until, zone)
        parts.append(Strip(tone=Tone.NEUTRAL, text=f"It can be restored until {until}.", actions=(back,)))
    if seat.messages:
        messages = tuple(Fact(name(one.person_name), _message(one, zone)) for one in seat.messages)
        parts.append(Expandable(label="Messages", content=(Facts(messages),)))
    return parts


def _flag(seat: WhySeat, zone: str) -> str:
    if seat.rule is not None:
        return f"{_RULES[seat.rule]}."
    if seat.not_idle == NotIdleWhy.IN_USE and seat.last_seen_at is not None and not seat.used_lately:
        # A sign-in is no use of the product.
        unseen = "no use of it was reported" if seat.use_is_reported else "whether it was used is not reported"
        return f"Left out: the person signed in on {_day(seat.last_seen_at, zone)}; {unseen}."
    return f"{_NOT_IDLE.get(seat.not_idle or '', 'Left out')}."


def _signals(seat: WhySeat, report: WhyReport, zone: str) -> tuple[Fact, ...]:
    item = seat.item
    seen = _seen(seat, report, zone)
    if seat.last_seen_at is None and item is not None:
        seen = last_sign_in(item.snapshot, item.rule, report.now, zone)
    facts = [Fact("Last sign-in", seen), *use_reported(seat, report.now)]
    facts.append(Fact("Seat given", _day(seat.assigned_at, zone) if seat.assigned_at else "Unknown"))
    if seat.quiet_since is not None:
        facts.append(
            Fact("Quiet since", f"{_day(seat.quiet_since, zone)}, {formats.age(seat.quiet_since, report.now)}")
        )
    return tuple(facts)


def _seen(seat: WhySeat, report: WhyReport, zone: str) -> str:
    if seat.last_seen_at is not None:
        return f"{_day(seat.last_seen_at, zone)}, {formats.age(seat.last_seen_at, report.now)}"
    return "Never seen" if seat.rule is Rule.NEVER_SEEN else "Unknown: no data from Microsoft for this person"


def _review(seat: WhySeat, zone: str) -> tuple[Fact, ...]:
    item = seat.item
    if item is None:
        return ()
    facts = [
        Fact("Campaign", title(seat.campaign_name or "Unknown")),
        Fact("Reviewer", name(seat.assignee_name) if seat.assignee_name else "Nobody"),
        Fact("How chosen", how_assigned(item)),
        Fact("Answer", answer_in_words(item.answer, zone) if item.answer else "None yet"),
    ]
    if item.outcome is not None:
        reason = f" ({item.outcome_reason.replace('_', ' ')})" if item.outcome_reason else ""
        facts.append(Fact("Result", f"{sentence_case(OUTCOMES[item.outcome])}{reason}"))
    elif seat.cancelled:
        facts.append(Fact("Result", "The campaign was cancelled"))
    elif item.waiting is not None:
        facts.append(Fact("Result", f"Waiting: {item.waiting.value.replace('_', ' ')}"))
    return tuple(facts)


def _message(message: SentMessage, zone: str) -> str:
    when = formats.moment(message.sent_at, zone) if message.sent_at else "not sent"
    return f"{when}, {message.channel}, {message.state}"


def _own(seat: WhySeat, zone: str) -> str:
    given = f"Given {_day(seat.assigned_at, zone)}" if seat.assigned_at else "Date unknown"
    item = seat.item
    if item is None or item.outcome is not None or seat.cancelled:
        return given
    if item.answer is None and seat.assignee_name:
        return f"{given}. {name(seat.assignee_name)} is asked whether it is still needed"
    return f"{given}. An answer was given"


def _line(line: HistoryLine, zone: str) -> Row:
    kind = EVENTS[EventKind(line.kind)] if line.kind in EventKind._value2member_map_ else line.kind.replace("_", " ")
    telling = [(key, value) for key, value in line.facts if not _AN_ID.search(value)]
    facts = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in telling[:_FACTS_SHOWN])
    about = formats.one_line(line.about, formats.NAME_MAX) if line.about else ""
    parts = [formats.moment(line.at, zone, offset=True), name(line.actor_name), about, facts]
    return Row(title=f"{line.seq} · {kind}", reason=" · ".join(part for part in parts if part))


# Ids and hashes stand in the export; a person reads past them.
_AN_ID = re.compile(r"[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f]{4}-")


def _size(size: int) -> str:
    return f"{formats.number(max(1, round(size / 1024)))} KB"


def _day(at: datetime, zone: str) -> str:
    return formats.day(local_day(at, zone))
