"""A running campaign for who runs it: opened, status with its bar, closing, closed, and the list of all."""

from typing import assert_never

from cards import formats
from cards.phrases import (
    at_close,
    cancelled,
    close_time,
    dry_run,
    names,
    next_box,
    open_spend,
    quoted,
    sentence_case,
    silence_of_campaign,
    title,
)
from cards.reasons import OUTCOMES
from cards.savings import reduce_sentences, stage_text
from cards.tasks import need_a_person
from cards.view import (
    Action,
    CardView,
    Element,
    Emphasis,
    Fact,
    Facts,
    Figures,
    Headline,
    Paragraph,
    Progress,
    Refresh,
    Row,
    Rows,
    Segment,
    Strip,
    Tone,
)
from reclaim.domain.campaign import CampaignState, Silence, WriteMode
from reclaim.domain.money import Total
from reclaim.domain.read_models import Campaigns, CampaignStatus, ReviewerProgress, ReviewersPage
from reclaim.domain.removal import VERIFIED_GONE, Outcome
from reclaim.domain.review import Waiting
from reclaim.domain.tasks import NEED_A_PERSON

STATES: dict[CampaignState, str] = {
    CampaignState.DRAFT: "Draft",
    CampaignState.OPENING: "Opening",
    CampaignState.OPEN: "Open",
    CampaignState.CLOSING: "Closing",
    CampaignState.APPLYING: "Removing",
    CampaignState.PAUSED: "Stopped",
    CampaignState.CLOSED: "Closed",
    CampaignState.CANCELLED: "Cancelled",
}
_LISTED = 10
_ORDERS = 3  # orders that can be made smaller, of those that are named
_SHOWN_ACTIONS = 3  # beside those under "more"
_NOTHING_TO_REMOVE = (Outcome.ALREADY_ABSENT, Outcome.DRY_RUN)


def status_card(status: CampaignStatus, zone: str, *, may_run: bool, strip: Strip | None = None) -> CardView:
    """Draw where a campaign stands; `may_run` adds the buttons, `strip` says what a click just did."""
    if status.state is CampaignState.CLOSED:
        return closed_card(status, zone, may_run=may_run, strip=strip)
    answered = status.items - status.open
    return CardView(
        kind="campaign.status",
        headline=Headline(
            title=title(status.name),
            amount=formats.percent(answered, status.items) if status.items else None,
            context=_phase(status, zone),
            unit="answered" if status.items else None,
        ),
        body=(
            *([strip] if strip else []),
            *dry_run(status.mode),
            *_trouble(status, zone),
            *_bars(status),
            Facts(_facts(status), ruled=True),
            next_box(*_next(status, zone)),
        ),
        actions=_actions(status) if may_run else (),
        fallback=_fallback(status, zone),
        refresh=Refresh("status.open", status.campaign_id),
    )


def opened_card(status: CampaignStatus, zone: str) -> CardView:
    """Draw the owner's card while messages go out; later it is the status."""
    if status.state not in (CampaignState.OPENING, CampaignState.OPEN):
        return status_card(status, zone, may_run=True)
    opening = status.state is CampaignState.OPENING
    answered = status.items - status.open
    sent = f"{formats.number(status.messages_sent)} of {formats.count(status.reviewers, 'message')} sent."
    return CardView(
        kind="campaign.open",
        headline=Headline(
            title=f"{title(status.name)} is {'opening' if opening else 'open'}",
            amount=f"{formats.number(answered)} of {formats.number(status.items)}",
            context=f"Closes {formats.due(status.closes_at, zone)}",
            unit="answered",
        ),
        body=(
            *dry_run(status.mode),
            Paragraph(sent),
            *_unreachable(status),
            *_bars(status),
            next_box(*_next(status, zone)),
        ),
        actions=(
            Action(label="Status", verb="status.open", ref=status.campaign_id, submits=False),
            Action(
                label="Freeze all removals…", verb="freeze.form", ref="all", emphasis=Emphasis.DANGER, submits=False
            ),
        ),
        fallback=f"{title(status.name)} is open: {formats.number(answered)} of {formats.count(status.items, 'seat')}"
        f" answered, until {formats.due(status.closes_at, zone)}.",
        refresh=Refresh("status.open", status.campaign_id),
    )


def closed_card(status: CampaignStatus, zone: str, *, may_run: bool, strip: Strip | None = None) -> CardView:
    """Draw the result of a closed campaign: only what is verified gone counts."""
    ref = status.campaign_id
    failed = dict(status.outcomes).get(Outcome.FAILED, 0)
    actions = [
        Action(label="Open the report", verb="report.get", ref=ref, submits=False),
        Action(label="Export evidence", verb="export.get", ref=ref, submits=False),
    ]
    if failed and may_run and status.abandoned_by_name is None:
        label = f"Retry {formats.number(failed)} failed"
        actions.append(Action(label=label, verb="retry.submit", ref=ref, submits=False))
    person = sum(dict(status.outcomes).get(one, 0) for one in NEED_A_PERSON)
    if person and may_run:
        more = len(actions) == _SHOWN_ACTIONS
        actions.append(Action(label=need_a_person(person), verb="tasks.show", ref=f"{ref}:1", more=more, submits=False))
    actions.append(Action(label="By reviewer", verb="campaign.reviewers", ref=ref, more=True, submits=False))
    if may_run and status.verified_count > status.by_hand.seats:
        actions.append(Action(label="Undo a removal…", verb="restore.campaign", ref=ref, more=True, submits=False))
    return CardView(
        kind="campaign.closed",
        headline=Headline(
            title=f"{title(status.name)} is closed",
            amount=formats.amounts(status.verified, whole=True),
            context=f"Closed {formats.moment(status.closes_at, zone)}",
            unit=f"{formats.unit(status.verified)}, verified" if status.verified.amounts else None,
        ),
        body=(
            *([strip] if strip else []),
            *dry_run(status.mode),
            *_abandoned(status),
            Figures(
                figures=(
                    (formats.number(status.items), "asked"),
                    (formats.number(status.revoke), "revoked"),
                    (formats.number(status.verified_count), "verified gone"),
                )
            ),
            *_outcome_bar(status),
            *_what_stayed(status),
            *_outcomes(status),
            *_money_saved(status),
        ),
        actions=tuple(actions),
        fallback=f"{title(status.name)} is closed: {formats.number(status.verified_count)} of"
        f" {formats.count(status.revoke, 'seat')} verified gone, {formats.monthly(status.verified, whole=True)}.",
        refresh=Refresh("status.open", ref),
    )


def reviewers_card(page: ReviewersPage, zone: str) -> CardView:
    """Draw how far each reviewer is: answered and open seats, and when they were last reminded. Nobody is late."""
    here = f"{page.campaign_id}:{{}}"
    body: list[Element] = [Rows(rows=tuple(_reviewer_row(row, zone) for row in page.rows))] if page.rows else []
    if page.pages > 1:
        first = (page.page - 1) * page.page_size + 1
        turns = []
        if page.page > 1:
            turns.append((f"Previous {page.page_size}", page.page - 1))
        if page.page < page.pages:
            turns.append((f"Next {min(page.page_size, page.total - first - page.page_size + 1)}", page.page + 1))
        text = f"Reviewers {formats.number(first)} to {formats.number(first + len(page.rows) - 1)}"
        body.append(
            Strip(
                tone=Tone.NEUTRAL,
                text=f"{text} of {formats.number(page.total)}",
                actions=tuple(
                    Action(label=label, verb="campaign.reviewers", ref=here.format(number), submits=False)
                    for label, number in turns
                ),
            )
        )
    running = page.campaign_state is CampaignState.OPEN
    return CardView(
        kind="campaign.reviewers",
        headline=Headline(
            title=title(page.campaign_name),
            amount=formats.count(page.total, "reviewer"),
            context=f"By reviewer · closes {formats.due(page.closes_at, zone)}" if running else "By reviewer",
        ),
        body=tuple(body) or (Paragraph("Nobody is asked."),),
        back=Action(label="‹ Status", verb="status.open", ref=page.campaign_id, submits=False),
        fallback=f"{title(page.campaign_name)}: {formats.count(page.total, 'reviewer')}.",
    )


def _reviewer_row(row: ReviewerProgress, zone: str) -> Row:
    answered = f"{formats.number(row.seats - row.open)} of {formats.number(row.seats)} answered"
    if not row.open:
        return Row(title=row.name, reason=answered, amount="Done")
    if not row.reached:
        contact = "Could not be reached"
    elif row.last_reminded_at is not None:
        contact = f"Last reminded {formats.moment(row.last_reminded_at, zone)}"
    else:
        contact = "Not reminded yet"
    return Row(title=row.name, reason=f"{answered} · {contact}", amount=f"{formats.number(row.open)} still open")


def closing_card(status: CampaignStatus, closes_at_text: str, zone: str, silence: Silence) -> CardView:
    """Draw the step before a campaign closes early."""
    still = formats.count(status.open, "seat")
    verb = "is" if status.open == 1 else "are"
    return CardView(
        kind="campaign.closing",
        headline=Headline(title=f"Close {title(status.name)} early?", amount=still, unit="still open"),
        body=(
            Paragraph(f"It closes {closes_at_text} instead of {close_time(status.closes_at, zone)}."),
            next_box(
                "Every open card shows the new time first. Nothing is removed before it.",
                f"{still} {verb} still open. {silence_of_campaign(silence)}",
            ),
        ),
        actions=(
            Action(label="Close early", verb="close.early.submit", ref=status.campaign_id, submits=False),
            Action(label="Back", verb="status.open", ref=status.campaign_id, submits=False),
        ),
        fallback=f"Close {title(status.name)} early? {still} still open.",
    )


def abandoning_card(status: CampaignStatus) -> CardView:
    """Draw the step before a stopped campaign is closed with seats left to remove."""
    left = sum(seats for _, seats in status.waiting)
    return CardView(
        kind="campaign.abandoning",
        headline=Headline(
            title=f"Abandon {title(status.name)}?", amount=formats.count(left, "seat"), unit="not removed"
        ),
        body=(
            Paragraph("The campaign closes as it is. What is not removed yet stays with its people."),
            next_box("Your name is attested with this. Nothing more is removed."),
        ),
        actions=(
            Action(
                label="Abandon",
                verb="close.abandon.submit",
                ref=status.campaign_id,
                emphasis=Emphasis.DANGER,
                submits=False,
            ),
            Action(label="Back", verb="status.open", ref=status.campaign_id, submits=False),
        ),
        fallback=f"Abandon {title(status.name)}? {formats.count(left, 'seat')} not removed.",
    )


def campaigns_card(campaigns: Campaigns, zone: str) -> CardView:
    """Draw all campaigns, newest first, or what an installation without one could do."""
    if not campaigns.rows:
        return none_open_card(campaigns)
    shown = campaigns.rows[:_LISTED]
    more = len(campaigns.rows) - len(shown)
    rest = [Paragraph(f"{formats.number(more)} older ones: /reclaim campaign NAME.", subtle=True)] if more else []
    return CardView(
        kind="campaign.list",
        headline=Headline(title=formats.count(len(campaigns.rows), "campaign")),
        body=(Rows(rows=tuple(_campaign_row(status, zone) for status in shown)), *rest),
        fallback=f"{formats.count(len(campaigns.rows), 'campaign')}.",
    )


def none_open_card(campaigns: Campaigns) -> CardView:
    """Draw the empty state: what is idle now."""
    idle = formats.number(campaigns.idle)
    cost = formats.monthly(campaigns.total, whole=True)
    text = f"No campaign is open. {idle} idle seats cost {cost}." if campaigns.idle else "No campaign is open."
    return CardView(
        kind="campaign.none",
        headline=Headline(title="No campaign is open."),
        body=(Paragraph(text),) if campaigns.idle else (),
        actions=(open_spend(),),
        fallback=text,
    )


def _campaign_row(status: CampaignStatus, zone: str) -> Row:
    answered = status.items - status.open
    dry = " · dry run" if status.mode is WriteMode.DRY_RUN else ""
    share = f"{formats.number(answered)} of {formats.number(status.items)} answered"
    return Row(
        title=status.name,
        reason=f"{STATES[status.state]} · {share} · closes {formats.due(status.closes_at, zone)}{dry}"
        if status.state is CampaignState.OPEN
        else f"{STATES[status.state]} · {share}{dry}",
        amount=formats.amounts(status.verified, whole=True),
        open=Action(label="Status", verb="status.open", ref=status.campaign_id, submits=False),
    )


def _phase(status: CampaignStatus, zone: str) -> str:
    match status.state:
        case CampaignState.OPEN:
            left = formats.time_left(status.closes_at, status.now, zone)
            return f"Open · closes {formats.due(status.closes_at, zone)} · {left}"
        case CampaignState.APPLYING | CampaignState.PAUSED:
            left = f" · about {formats.count(status.minutes_left, 'minute')}" if status.minutes_left else ""
            return f"{STATES[status.state]} {_removed_of(status)}{left}"
        case (
            CampaignState.DRAFT
            | CampaignState.OPENING
            | CampaignState.CLOSING
            | CampaignState.CLOSED
            | CampaignState.CANCELLED
        ):
            return STATES[status.state]
        case _:
            assert_never(status.state)


def _removed_of(status: CampaignStatus) -> str:
    return f"{formats.number(status.verified_count)} of {formats.number(status.removing)}"


def _trouble(status: CampaignStatus, zone: str) -> list[Strip]:
    strips = []
    if status.state is CampaignState.CANCELLED:
        detail = quoted(status.cancel_reason) if status.cancel_reason else None
        text = cancelled(status.cancelled_by_name, status.cancelled_at, zone)
        return [Strip(tone=Tone.NEUTRAL, text=text, detail=detail)]
    if status.frozen_since is not None:
        since = formats.moment(status.frozen_since, zone)
        text = f"Removals are frozen since {since}. Decisions are saved and wait."
        strips.append(Strip(tone=Tone.BAD, text=text))
    elif status.state is CampaignState.PAUSED:
        text = f"Stopped after {formats.number(status.verified_count)}: {_pause(status.pause_reason)}"
        strips.append(Strip(tone=Tone.WARNING, text=text))
    return strips


def _pause(reason: str | None) -> str:
    if reason == "frozen":
        return "removals were frozen."
    if reason == "guardrail_exceeded":
        return "more removals were approved than the limit allows."
    return "an administrator has to look."


def _bars(status: CampaignStatus) -> list[Progress]:
    """Return the answers as a bar; while removals run, how far those are."""
    if not status.items:
        return []
    if status.state in (CampaignState.APPLYING, CampaignState.PAUSED):
        return _removals_bar(status)
    answered = status.items - status.open
    share = formats.percent(answered, status.items)
    return [
        Progress(
            segments=(
                Segment(colour="revoke", label="revoke", count=status.revoke),
                Segment(colour="keep", label="keep", count=status.keep),
                Segment(colour="not_sure", label="not sure", count=status.not_sure),
                Segment(colour="open", label="open", count=status.open),
            ),
            label=f"{formats.number(answered)} of {formats.number(status.items)} answered ({share})",
        )
    ]


def _removals_bar(status: CampaignStatus) -> list[Progress]:
    if not status.removing:
        return []
    checking = dict(status.waiting).get(Waiting.PENDING_VERIFICATION.value, 0)
    return [
        Progress(
            segments=(
                Segment(colour="revoke", label="removed and checked", count=status.verified_count),
                Segment(colour="not_sure", label="being checked", count=checking),
                Segment(colour="open", label="to do", count=status.removing - status.verified_count - checking),
            ),
            label=f"{_removed_of(status)} removed and checked",
        )
    ]


def _outcome_bar(status: CampaignStatus) -> list[Progress]:
    """Return what became of all seats, as a bar; its parts add up to the seats asked about."""
    if not status.outcomes:
        return []
    counts = dict(status.outcomes)
    back = status.restored_count + status.regranted_count
    gone = sum(counts.get(one, 0) for one in VERIFIED_GONE) - back
    person = sum(counts.get(one, 0) for one in NEED_A_PERSON)
    other = sum(counts.get(one, 0) for one in _NOTHING_TO_REMOVE)
    stays = sum(counts.values()) - gone - person - other
    dry = "dry run" if status.mode is WriteMode.DRY_RUN else "already gone"
    segments = (
        Segment(colour="revoke", label="verified gone", count=gone),
        Segment(colour="keep", label="stay", count=stays),
        Segment(colour="not_sure", label="need a person", count=person),
        Segment(colour="open", label=dry, count=other),
    )
    said = ", ".join(f"{formats.number(one.count)} {one.label}" for one in segments if one.count)
    return [Progress(segments=segments, label=f"What became of {formats.count(status.items, 'seat')}: {said}")]


def _what_stayed(status: CampaignStatus) -> list[Paragraph]:
    """Return the two sentences that explain why fewer seats are gone than were revoked, and who has to act."""
    counts = dict(status.outcomes)
    again, gone = counts.get(Outcome.ACTIVE_AGAIN, 0), counts.get(Outcome.ALREADY_ABSENT, 0)
    person = sum(counts.get(one, 0) for one in NEED_A_PERSON)
    parts = []
    if by_hand := status.by_hand.seats:
        parts.append(f"{formats.number(by_hand)} of the verified {'was' if by_hand == 1 else 'were'} taken by hand.")
    if again:
        parts.append(f"{formats.number(again)} {'was' if again == 1 else 'were'} used again and {_stay(again)}.")
    if gone:
        parts.append(f"{formats.number(gone)} {'was' if gone == 1 else 'were'} already gone.")
    if status.restored_count:
        parts.append(f"{formats.number(status.restored_count)} restored.")
    if status.regranted_count:
        parts.append(f"{formats.number(status.regranted_count)} came back: somebody gave the seat again.")
    if status.asked_back:
        parts.append(f"{formats.number(status.asked_back)} asked back by the holder.")
    if status.appeals:
        waits = f", {formats.number(status.appeals_open)} not answered yet" if status.appeals_open else ""
        parts.append(f"{formats.count(status.appeals, 'appeal')}{waits}.")
    if person:
        parts.append(f"{need_a_person(person)}; the report says why.")
    return [Paragraph(" ".join(parts))] if parts else []


def _money_saved(status: CampaignStatus) -> list[Element]:
    """Return what is saved in money, and what to do for the rest: a seat that is free is still paid for."""
    parts: list[Element] = []
    if status.realised.seats:
        parts.append(Paragraph(f"Realised at renewal: {stage_text(status.realised)}."))
    return [*parts, *(Paragraph(sentence) for sentence in reduce_sentences(status.reduce)[:_ORDERS])]


def _stay(number: int) -> str:
    return "stays" if number == 1 else "stay"


def _facts(status: CampaignStatus) -> tuple[Fact, ...]:
    """Return the figures: four kinds of money that are never mixed, then who is still asked."""
    facts = [Fact("If every seat went", formats.monthly(status.potential, whole=True))]
    facts.append(Fact("Approved so far", formats.monthly(status.approved, whole=True)))
    if status.removed != Total():
        checking = formats.number(dict(status.waiting).get(Waiting.PENDING_VERIFICATION.value, 0))
        facts.append(Fact("Removed, being checked", f"{checking}: {formats.monthly(status.removed, whole=True)}"))
    if status.verified_count:
        gone = f"{formats.number(status.verified_count)}: {formats.monthly(status.verified, whole=True)}"
        facts.append(Fact("Verified gone", gone))
    if status.by_hand.seats:
        facts.append(Fact("Of these, by hand", stage_text(status.by_hand)))
    if status.realised.seats:
        facts.append(Fact("Realised at renewal", stage_text(status.realised)))
    if status.restored_count or status.regranted_count:
        back = formats.number(status.restored_count + status.regranted_count)
        facts.append(Fact("There again, not saved", f"{back}: {formats.monthly(status.reversed, whole=True)}"))
    done = f"{formats.number(status.reviewers_done)} of {formats.number(status.reviewers)}"
    facts.append(Fact("Reviewers finished", done))
    if status.open_with and status.state is CampaignState.OPEN:
        two = [
            f"{formats.isolate(formats.one_line(load.name, formats.NAME_MAX))} {formats.number(load.seats)}"
            for load in status.open_with[:2]
        ]
        still = status.reviewers - status.reviewers_done
        more = [f"{formats.number(still - 2)} more"] if still > 2 else []
        facts.append(Fact("Still open with", " · ".join([*two, *more])))
    if status.unreachable:
        facts.append(Fact("Could not be reached", _reach(status)))
    facts += [
        Fact(_waits(value), formats.number(seats))
        for value, seats in status.waiting
        if value != Waiting.PENDING_VERIFICATION.value
    ]
    return tuple(facts)


def _waits(value: str) -> str:
    return {
        Waiting.QUEUED.value: "Waiting to be removed",
        Waiting.FROZEN.value: "Waiting: removals are frozen",
    }.get(value, "Waiting")


def _reach(status: CampaignStatus) -> str:
    shown = names(status.unreachable[:3])
    more = f" and {len(status.unreachable) - 3} more" if len(status.unreachable) > 3 else ""
    return f"{formats.number(len(status.unreachable))}: {shown}{more}"


def _unreachable(status: CampaignStatus) -> list[Strip]:
    if not status.unreachable:
        return []
    people = formats.count(len(status.unreachable), "person", "people")
    shown = _reach(status).split(": ", 1)[1]
    return [Strip(tone=Tone.WARNING, text=f"{people} could not be reached: {shown}.")]


def _next(status: CampaignStatus, zone: str) -> list[str]:
    match status.state:
        case CampaignState.DRAFT | CampaignState.OPENING:
            return ["Messages go out when the list of seats is whole. Nothing is removed before the close."]
        case CampaignState.OPEN:
            parts = []
            if status.next_reminder_at is not None:
                at = formats.moment(status.next_reminder_at, zone, weekday=True)
                parts.append(f"On {at}, reviewers with open seats get a reminder.")
            parts.append(f"It closes {at_close(status.closes_at, zone)}; nothing is removed before.")
            return parts
        case CampaignState.CLOSING:
            return ["Answers are closed. The approved removals are being planned."]
        case CampaignState.APPLYING:
            return ["Each seat is read again before it is removed and checked after. This card updates itself."]
        case CampaignState.PAUSED:
            return ["Nothing is removed while it is stopped. Answers are safe."]
        case CampaignState.CLOSED | CampaignState.CANCELLED:
            return ["Nothing more is removed."]
        case _:
            assert_never(status.state)


def _actions(status: CampaignStatus) -> tuple[Action, ...]:
    ref = status.campaign_id
    actions = []
    if status.state is CampaignState.OPEN and status.nudgeable:
        people = formats.count(status.nudgeable, "person", "people")
        actions.append(Action(label=f"Remind {people} now", verb="nudge.run", ref=ref, submits=False))
    frozen = status.frozen_since is not None
    actions.append(Action(label="By reviewer", verb="campaign.reviewers", ref=ref, more=frozen, submits=False))
    if status.state is CampaignState.OPEN:
        actions.append(Action(label="Close early…", verb="close.early", ref=ref, submits=False))
    if status.state is CampaignState.APPLYING and dict(status.outcomes).get(Outcome.FAILED, 0):
        actions.append(Action(label="Retry what failed", verb="retry.submit", ref=ref, submits=False))
    if status.state is CampaignState.PAUSED and status.frozen_since is None:
        actions.append(Action(label="Abandon…", verb="close.abandon", ref=ref, submits=False))
    if status.frozen_since is not None:
        actions.append(Action(label="Resume…", verb="resume.form", ref="all", submits=False))
    actions.append(Action(label="Refresh", verb="status.open", ref=ref, more=True, submits=False))
    if status.state in (CampaignState.OPENING, CampaignState.OPEN):
        cancel = Action(
            label="Cancel the campaign…",
            verb="cancel.step",
            ref=ref,
            emphasis=Emphasis.DANGER,
            more=True,
            submits=False,
        )
        actions.append(cancel)
    if status.frozen_since is None:
        freeze = Action(
            label="Freeze all removals…",
            verb="freeze.form",
            ref="all",
            emphasis=Emphasis.DANGER,
            more=True,
            submits=False,
        )
        actions.append(freeze)
    return tuple(actions)


def _abandoned(status: CampaignStatus) -> list[Strip]:
    if status.abandoned_by_name is None:
        return []
    return [Strip(tone=Tone.WARNING, text=f"{names([status.abandoned_by_name])} closed it with seats left to remove.")]


def _outcomes(status: CampaignStatus) -> list[Element]:
    if not status.outcomes:
        return []
    facts = tuple(Fact(sentence_case(OUTCOMES[outcome]), formats.number(seats)) for outcome, seats in status.outcomes)
    return [Paragraph("What became of the seats", heading=True), Facts(facts, ruled=True)]


def _fallback(status: CampaignStatus, zone: str) -> str:
    answered = status.items - status.open
    share = f" ({formats.percent(answered, status.items)})" if status.items else ""
    parts = ((status.revoke, "revoke"), (status.keep, "keep"), (status.not_sure, "not sure"), (status.open, "open"))
    counts = ", ".join(f"{formats.number(seats)} {word}" for seats, word in parts)
    closes = f" Closes {formats.due(status.closes_at, zone)}." if status.state is CampaignState.OPEN else ""
    return (
        f"{title(status.name)}: {formats.number(answered)} of {formats.count(status.items, 'seat')} answered{share}."
        f" {counts}. {formats.monthly(status.approved, whole=True)} approved.{closes}"
    )
