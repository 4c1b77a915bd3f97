"""A reviewer's list of seats: open, answered in bulk, all answered, closed. Reviewers read *unused*, and *seat*."""

from collections.abc import Sequence

from cards import formats
from cards.phrases import (
    cancelled,
    close_time,
    dry_run,
    moved_to,
    name,
    next_box,
    silence_of_campaign,
    silence_of_seats,
    title,
)
from cards.reasons import ANSWERED, OUTCOMES, answer_in_words, row_reason
from cards.restores import way_strip
from cards.view import Action, CardView, Element, Emphasis, Headline, Paragraph, Refresh, Row, Rows, Strip, Tone
from reclaim.domain.campaign import CampaignState, Silence, WriteMode
from reclaim.domain.money import Total
from reclaim.domain.paging import page_of
from reclaim.domain.read_models import BulkResult, Moved, Wave, WaveRow
from reclaim.domain.review import AssignedHow, Choice, Recommendation

ANSWERS_A_PAGE = 10
OTHERS_SHOWN = 3  # beside a page of open seats, so that the card stays within 28 KB
MOVED = "This list is now in the newest message."
NO_LIST = "There is no seat for you in this campaign any more."


def wave_card(wave: Wave, zone: str, *, strip: Strip | None = None) -> CardView:
    """Draw a list in its present state; `strip` says what a click just did, unless the wave's own result does."""
    if wave.campaign_state is CampaignState.CANCELLED:
        return _cancelled(wave, zone)
    if wave.campaign_state is not CampaignState.OPEN:
        return _closed(wave, zone)
    done = strip or (_result(wave, wave.result, zone) if wave.result else None)
    if wave.open_count == 0:
        return _all_answered(wave, zone, done)
    return _open(wave, zone, done, kind="review.wave", fallback=_fallback(wave, zone))


def reminder_card(wave: Wave, number: int, of: int, zone: str, asked_by: str | None = None) -> CardView:
    """Draw the list once more, with the reminder's strip; number 0 is one that somebody asked for."""
    if wave.campaign_state is not CampaignState.OPEN or wave.open_count == 0:
        return wave_card(wave, zone)
    verb = "is" if wave.open_count == 1 else "are"
    left = formats.time_left(wave.closes_at, wave.now, zone)
    last = "This is the last reminder." if 0 < of <= number else None
    which = f"Reminder {number} of {of}." if number else f"A reminder{f' from {name(asked_by)}' if asked_by else ''}."
    strip = Strip(
        tone=Tone.NEUTRAL,
        text=f"{which} {_seats(wave.open_count)} {verb} still open, {left} this closes.",
        detail=last,
    )
    text = f"{_seats(wave.open_count)} still open in {title(wave.campaign_name)}, until {_due(wave, zone)}."
    return _open(wave, zone, strip, kind="review.reminder", fallback=text)


def moved_card() -> CardView:
    """Draw what stays of an older copy: one line."""
    return CardView(kind="review.moved", headline=Headline(title=MOVED), body=(), fallback=MOVED)


def answers_card(wave: Wave, page: int, zone: str) -> CardView:
    """Draw everything that this reviewer answered or passed on, newest first."""
    rows = [*wave.answered, *wave.passed_on, *wave.by_others, *wave.moved_away]
    shown, page, pages = page_of(rows, page, ANSWERS_A_PAGE)
    body: list[Element] = [Rows(rows=tuple(_answered_row(row, wave, zone) for row in shown))]
    if pages > 1:
        body.append(_paging(wave.ref, "wave.show", page, pages, len(rows), ANSWERS_A_PAGE))
    if wave.campaign_state is CampaignState.OPEN:
        body.append(next_box(f"You can change every answer until {close_time(wave.closes_at, zone)}."))
    return CardView(
        kind="review.answers",
        headline=Headline(title=f"{_seats(len(rows))} {_what_became(wave)}", context=title(wave.campaign_name)),
        body=tuple(body),
        back=Action(label="‹ Back to the list", verb="wave.open", ref=wave.ref, submits=False),
        fallback=f"{title(wave.campaign_name)}: your {formats.count(len(wave.answered), 'answer')}.",
    )


def _what_became(wave: Wave) -> str:
    return "answered, passed on or moved" if wave.by_others or wave.moved_away else "answered or passed on"


def passed_on_strip(moved: Moved, who: str) -> Strip:
    """Return what a delegation did; `who` as it may stand in a sentence."""
    text = f"✓ You passed {_seats(moved.seats)} to {who}."
    stayed = [
        f"{formats.number(number)} {'stays' if number == 1 else 'stay'} with you: {_STAYED[why].format(who=who)}"
        for why, number in moved.stayed
    ]
    return Strip(tone=Tone.GOOD, text=text, detail=" ".join(stayed) or None)


_STAYED = {
    "holder": "nobody decides a seat of their own.",
    "handovers": "passed on three times already.",
}


def gone_card(message: str) -> CardView:
    """Draw what somebody sees whom a seat or a list no longer concerns: the sentence and no button."""
    return CardView(
        kind="review.gone",
        headline=Headline(title="Nothing left to do for you"),
        body=(Paragraph(message),),
        fallback="This card has nothing left to do for you.",
    )


def nothing_card() -> CardView:
    """Draw an empty inbox."""
    return CardView(
        kind="inbox.empty",
        headline=Headline(title="Nothing for you right now."),
        body=(Paragraph("When a seat needs your answer, a card arrives here."),),
        fallback="Nothing for you right now.",
    )


def _open(wave: Wave, zone: str, strip: Strip | None, *, kind: str, fallback: str) -> CardView:
    left = wave.open_count
    title_text = f"{_seats(left)} left" if wave.answered else f"{_seats(left)} to check"
    return CardView(
        kind=kind,
        headline=Headline(
            title=title_text,
            amount=formats.amounts(wave.open_monthly) or "No price",
            context=title(wave.campaign_name),
            unit=formats.unit(wave.open_monthly) if wave.open_monthly.amounts else None,
        ),
        body=(
            Paragraph(_lead(wave, zone)),
            *([strip] if strip else []),
            *_arrived(wave),
            *dry_run(wave.mode),
            *_groups(wave, zone),
            *_elsewhere(wave, zone, OTHERS_SHOWN),
            *([_pages_of(wave)] if wave.pages > 1 else []),
            next_box(*_next(wave, zone)),
        ),
        actions=_open_actions(wave),
        fallback=fallback,
        refresh=Refresh("wave.open", wave.ref),
    )


def _lead(wave: Wave, zone: str) -> str:
    closer = wave.open_count - wave.recommended_count
    parts = []
    if wave.recommended_count:
        verb = "looks" if wave.recommended_count == 1 else "look"
        parts.append(f"{formats.number(wave.recommended_count)} {verb} unused (ticked)")
    if closer:
        verb = "needs" if closer == 1 else "need"
        parts.append(f"{formats.number(closer)} {verb} a closer look")
    return f"Answer by {_due(wave, zone)}. {', '.join(parts)}."


def _groups(wave: Wave, zone: str) -> list[Rows]:
    """Return the rows of this page in their groups; a heading that spans pages counts the whole list."""
    unused = [row for row in wave.open_rows if row.item.recommendation is Recommendation.REVOKE]
    closer = [row for row in wave.open_rows if row.item.recommendation is not Recommendation.REVOKE]
    whole = wave.pages == 1
    groups = []
    if unused:
        total = wave.recommended_monthly if whole else _total(unused)
        groups.append(_group("Looks unused", unused, total, wave, zone))
    if closer:
        groups.append(_group("Look closer", closer, _total(closer), wave, zone))
    return groups


def _group(heading: str, rows: Sequence[WaveRow], total: Total, wave: Wave, zone: str) -> Rows:
    here = "" if wave.pages == 1 else " on this page"
    return Rows(
        heading=f"{heading}{here}: {formats.number(len(rows))}",
        sum=formats.monthly(total),
        rows=tuple(_open_row(row, wave, zone) for row in rows),
    )


def _open_row(row: WaveRow, wave: Wave, zone: str) -> Row:
    item = row.item
    monthly = item.snapshot.monthly
    return Row(
        title=item.snapshot.person_name,
        subtitle=item.snapshot.sku_name,
        reason=row_reason(item, wave.now, zone),
        amount=formats.price(monthly),
        tick=f"t.{item.id}",
        ticked=row.ticked,
        open=Action(label="Details", verb="item.open", ref=item.id),
        amount_minor=monthly.minor if monthly else None,
        currency=monthly.currency if monthly else None,
    )


def _arrived(wave: Wave) -> list[Strip]:
    """Return how seats of this page came to the list that were not on it from the start."""
    counts: dict[str, int] = {}
    for row in wave.open_rows:
        by = name(row.moved_by_name) if row.moved_by_name else ""
        if row.item.assigned_how is AssignedHow.GIVEN_BACK:
            text = f"Given back{f' by {by}' if by else ''}"
        elif row.item.assigned_how is AssignedHow.REASSIGNED:
            text = f"Moved to you{f' by {by}' if by else ''}"
        else:
            continue
        counts[text] = counts.get(text, 0) + 1
    return [Strip(tone=Tone.NEUTRAL, text=f"{text}: {_seats(number)}.") for text, number in counts.items()]


def _elsewhere(wave: Wave, zone: str, most: int) -> list[Element]:
    """Return what is no longer this reviewer's to do: answered by another member of a group, or moved by an admin."""
    parts: list[Element] = [Strip(tone=Tone.NEUTRAL, text=text) for text in _moved_away(wave)]
    if wave.by_others:
        parts.append(
            Rows(
                heading=f"Answered by others: {formats.number(len(wave.by_others))}",
                rows=tuple(_answered_row(row, wave, zone) for row in wave.by_others[:most]),
            )
        )
        if len(wave.by_others) > most:
            more = formats.number(len(wave.by_others) - most)
            parts.append(Paragraph(f"{more} more under “Show my answers”.", subtle=True))
    return parts


def _moved_away(wave: Wave) -> list[str]:
    counts: dict[str, int] = {}
    for row in wave.moved_away:
        text = moved_to(name(row.with_name or "someone else"), row.moved_by_name)
        counts[text] = counts.get(text, 0) + 1
    return [f"{text} {_seats(number)}, nothing left to do for you." for text, number in counts.items()]


def _answered_row(row: WaveRow, wave: Wave, zone: str) -> Row:
    item = row.item
    details = Action(label="Details", verb="item.open", ref=item.id, submits=False)
    take_back = item.answer is None and item.delegated_by == wave.reviewer_id
    if item.answer is None and row in wave.moved_away:
        reason = moved_to(name(row.with_name or "someone else"), row.moved_by_name)
    elif item.answer is not None and item.answer.by != wave.reviewer_id:
        who, when = name(row.answered_by_name or "Someone"), formats.moment(item.answer.at, zone)
        reason = f"{who} {ANSWERED[item.answer.choice]} this seat on {when}. Nothing left to do for you."
    elif item.answer is None:
        reason = f"You passed this seat to {name(row.with_name or 'someone else')}. Still open."
    elif item.outcome is not None:
        strip = way_strip(row.way, zone) if row.way is not None else None
        result = strip.text if strip is not None else f"Result: {OUTCOMES[item.outcome]}."
        reason = f"{answer_in_words(item.answer, zone)}. {result}"
    else:
        reason = f"{answer_in_words(item.answer, zone)}. {formats.moment(item.answer.at, zone)}"
    return Row(
        title=item.snapshot.person_name,
        subtitle=item.snapshot.sku_name,
        reason=reason,
        amount=formats.price(item.snapshot.monthly),
        open=Action(label="Take it back", verb="item.take_back", ref=item.id, submits=False)
        if take_back and wave.campaign_state is CampaignState.OPEN
        else details,
        name_action=details if take_back and wave.campaign_state is CampaignState.OPEN else None,
    )


def _pages_of(wave: Wave) -> Strip:
    first = (wave.page - 1) * wave.page_size + 1
    last = first + len(wave.open_rows) - 1
    actions = []
    if wave.page > 1:
        actions.append(Action(label=f"Previous {wave.page_size}", verb="wave.previous", ref=wave.ref))
    if wave.page < wave.pages:
        following = min(wave.page_size, wave.open_count - last)
        actions.append(Action(label=f"Next {following}", verb="wave.next", ref=wave.ref))
    text = f"Seats {formats.number(first)} to {formats.number(last)} of {formats.number(wave.open_count)}"
    return Strip(tone=Tone.NEUTRAL, text=text, actions=tuple(actions))


def _paging(ref: str, verb: str, page: int, pages: int, total: int, size: int) -> Strip:
    first = (page - 1) * size + 1
    last = min(total, page * size)
    actions = []
    if page > 1:
        actions.append(Action(label=f"Previous {size}", verb=verb, ref=f"{ref}:{page - 1}", submits=False))
    if page < pages:
        following = min(size, total - last)
        actions.append(Action(label=f"Next {following}", verb=verb, ref=f"{ref}:{page + 1}", submits=False))
    text = f"Seats {formats.number(first)} to {formats.number(last)} of {formats.number(total)}"
    return Strip(tone=Tone.NEUTRAL, text=text, actions=tuple(actions))


def _next(wave: Wave, zone: str) -> list[str]:
    close, silence = close_time(wave.closes_at, zone), silence_of_seats(wave.silence, wave.mode)
    if wave.mode is WriteMode.DRY_RUN:
        return [f"Nothing is removed in this dry run. Until {close} you can change every answer.", silence]
    if wave.result is not None and wave.result.choice is Choice.REVOKE and wave.result.done:
        removed = "The seat is" if wave.result.done == 1 else f"The {formats.number(wave.result.done)} seats are"
        return [
            f"Answer the last {formats.number(wave.open_count)} by {_due(wave, zone)}.",
            f"{removed} not removed before {close}; if it closes earlier, this card tells you before.",
            "Until then Undo takes it back with one tap.",
            silence,
        ]
    return [
        f"Nothing is removed before {close}; if it closes earlier, this card tells you before.",
        "Until then you can change every answer.",
        silence,
    ]


def _open_actions(wave: Wave) -> tuple[Action, ...]:
    recommended = any(row.item.recommendation is Recommendation.REVOKE for row in wave.open_rows)
    filled = Emphasis.RECOMMENDED if recommended else Emphasis.DEFAULT
    here = " on this page" if wave.pages > 1 else ""
    actions = [
        Action(label=f"Revoke ticked{here}", verb="wave.revoke", ref=wave.ref, emphasis=filled),
        Action(label="Keep ticked…", verb="wave.keep", ref=wave.ref),
        Action(label="Delegate ticked…", verb="wave.delegate", ref=wave.ref),
        Action(label="I am not sure about these", verb="wave.not_sure", ref=wave.ref, more=True),
        Action(label="Untick all", verb="wave.untick", ref=wave.ref, more=True),
    ]
    if wave.answered or wave.passed_on or wave.by_others or wave.moved_away:
        actions.append(Action(label="Show my answers", verb="wave.show", ref=wave.ref, more=True))
    return tuple(actions)


def _result(wave: Wave, result: BulkResult, zone: str) -> Strip:
    """Return what the last click did, with the way back beside it."""
    skipped = _skipped(result)
    if result.done == 0:
        return Strip(tone=Tone.WARNING, text=skipped or "Nothing was changed.")
    standing = [row for row in wave.answered if row.item.answer and row.item.answer.batch_id == result.batch_id]
    actions = []
    if standing:
        actions.append(Action(label="Undo", verb="batch.undo", ref=wave.ref, batch=result.batch_id, submits=False))
        actions.append(
            Action(label=f"Show the {formats.number(result.done)}", verb="wave.show", ref=wave.ref, submits=False)
        )
    detail = f"{formats.moment(result.at, zone)}. {skipped}" if skipped else formats.moment(result.at, zone)
    good = result.choice in (Choice.REVOKE, Choice.KEEP)
    return Strip(
        tone=Tone.GOOD if good else Tone.NEUTRAL,
        text=_done(result, len(standing), wave.fallback_name),
        detail=detail,
        actions=tuple(actions),
    )


def _done(result: BulkResult, standing: int, fallback: str | None) -> str:
    seats = _seats(result.done)
    match result.choice:
        case Choice.REVOKE:
            return f"✓ You revoked {seats}: {formats.monthly(result.monthly)}"
        case Choice.KEEP:
            return f"✓ You kept {seats}."
        case Choice.WITHDRAWN:
            verb = "is" if result.done == 1 else "are"
            return f"Undone. {seats} {verb} open again."
        case Choice.NOT_SURE:
            if standing == 0:
                who = name(fallback) if fallback else "The fallback reviewer"
                return f"Noted: {seats}. {who} takes a second look."
            kept = "the seat is kept" if standing == 1 else f"{_seats(standing)} are kept"
            return f"Noted: {seats}. Nobody else takes a second look, so {kept}."


def _skipped(result: BulkResult) -> str:
    return " ".join(_skip(reason, seats) for reason, seats in result.skipped)


def _skip(reason: str, seats: int) -> str:
    number, one = formats.number(seats), seats == 1
    if reason == "held":
        return (
            f"{number} holds the only mailbox or files: open it to decide."
            if one
            else f"{number} hold the only mailbox or files: open them to decide."
        )
    if reason == "not_authorized":
        return f"{number} is with someone else now." if one else f"{number} are with someone else now."
    return (
        f"{number} changed a moment ago and stays as it is."
        if one
        else f"{number} changed a moment ago and stay as they are."
    )


def _all_answered(wave: Wave, zone: str, strip: Strip | None) -> CardView:
    revoked = _total([row for row in wave.answered if row.item.answer and row.item.answer.choice is Choice.REVOKE])
    count = len(wave.answered)
    headline = Headline(
        title=f"All {formats.number(count)} answered" if count else "Nothing left for you",
        amount=formats.amounts(revoked),
        context=title(wave.campaign_name),
        unit=f"{formats.unit(revoked)}, revoked" if revoked.amounts else None,
    )
    close = close_time(wave.closes_at, zone)
    thanks = [Paragraph(f"Thank you. You can change answers until {close}.")] if count else []
    passed = [_passed_on(wave)] if wave.passed_on else []
    nothing = f"Nothing is removed before {close}; if it closes earlier, this card tells you before."
    if wave.mode is WriteMode.DRY_RUN:
        nothing = "Nothing is removed in this dry run."
    return CardView(
        kind="review.wave",
        headline=headline,
        body=(
            *([strip] if strip else []),
            *dry_run(wave.mode),
            *thanks,
            *passed,
            *_elsewhere(wave, zone, ANSWERS_A_PAGE),
            next_box(nothing),
        ),
        actions=_answered_actions(wave, strip),
        fallback=f"{title(wave.campaign_name)}: all {_seats(count)} answered.",
        refresh=Refresh("wave.open", wave.ref),
    )


def _answered_actions(wave: Wave, strip: Strip | None) -> tuple[Action, ...]:
    actions = []
    if wave.answered or wave.passed_on:
        actions.append(Action(label="Show all", verb="wave.show", ref=wave.ref, submits=False))
    newest = wave.answered[0].item.answer if wave.answered else None
    undo_shown = strip is not None and any(action.verb == "batch.undo" for action in strip.actions)
    if newest is not None and not undo_shown:
        actions.append(Action(label="Undo last", verb="batch.undo", ref=wave.ref, batch=newest.batch_id, submits=False))
    return tuple(actions)


def _passed_on(wave: Wave) -> Paragraph:
    number = len(wave.passed_on)
    verb = "is" if number == 1 else "are"
    return Paragraph(f"{_seats(number)} that you passed on {verb} still open.")


def _closed(wave: Wave, zone: str) -> CardView:
    """Draw what stays of a list that takes no answers any more; what came of the answers is told in a message of its own."""
    closed = f"Closed {formats.moment(wave.closes_at, zone)}"
    if wave.answered or wave.passed_on:
        text = "Your summary is in the newest message."
    elif not wave.open_count:
        text = "There is nothing left for you."
    elif wave.mode is WriteMode.DRY_RUN:
        text = "You did not answer. Nothing is removed in this dry run."
    elif wave.silence is Silence.KEEP:
        kept = "seat was" if wave.open_count == 1 else "seats were"
        text = f"You did not answer. The {kept} kept, as this campaign says."
    else:
        text = f"You did not answer. {silence_of_campaign(wave.silence)} The first message said so."
    return CardView(
        kind="review.closed",
        headline=Headline(title=f"{title(wave.campaign_name)} is closed", context=closed),
        body=(Paragraph(text),),
        fallback=f"{title(wave.campaign_name)} is closed.",
    )


def _cancelled(wave: Wave, zone: str) -> CardView:
    """Draw what a reviewer sees of a cancelled campaign: who, when, and no button."""
    text = cancelled(wave.cancelled_by_name, wave.cancelled_at, zone)
    answered = len(wave.answered)
    given = [Paragraph(f"Your {formats.count(answered, 'answer')} changed nothing.")] if answered else []
    return CardView(
        kind="review.cancelled",
        headline=Headline(title=f"{title(wave.campaign_name)} is cancelled"),
        body=(Strip(tone=Tone.NEUTRAL, text=text), *given),
        fallback=f"{title(wave.campaign_name)} is cancelled. Nothing is removed.",
        refresh=Refresh("wave.open", wave.ref),
    )


def _fallback(wave: Wave, zone: str) -> str:
    seats = _seats(wave.open_count)
    money = formats.monthly(wave.open_monthly)
    return f"{title(wave.campaign_name)}: {seats} for you to check, {money}, by {_due(wave, zone)}."


def _due(wave: Wave, zone: str) -> str:
    return formats.due(wave.closes_at, zone)


def _total(rows: Sequence[WaveRow]) -> Total:
    return Total.of(row.item.snapshot.monthly for row in rows)


def _seats(n: int) -> str:
    return formats.count(n, "seat")
