"""What came of it, told to each person it concerns: the reviewer's closing summary, the holder's receipt."""

from collections import Counter
from collections.abc import Sequence

from cards import formats
from cards.appeals import appeal_strip
from cards.phrases import dry_run, group, name, next_box, quoted, sku, title
from cards.reasons import OUTCOMES
from cards.restores import receipt_actions, way_strip
from cards.view import Action, CardView, Element, Fact, Facts, Headline, Paragraph, Refresh, Strip, Tone
from reclaim.domain.campaign import CampaignState, WriteMode
from reclaim.domain.money import Total
from reclaim.domain.read_models import ReceiptSeat, ReviewSummary, SeatReceipt
from reclaim.domain.removal import VERIFIED_GONE, Outcome, StepKind
from reclaim.domain.review import Choice, ReviewItem

_CAME_BACK = (Outcome.ACTIVE_AGAIN, Outcome.REGRANTED)
_LISTED = 10


def summary_card(summary: ReviewSummary, zone: str) -> CardView:
    """Draw what became of a reviewer's answers: while removals run, in place, and for good when all are checked."""
    removed = _gone(summary, summary.approved)
    freed = _total(removed)
    asked = len(summary.answered) + len(summary.unanswered)
    body: list[Element] = [*dry_run(summary.mode), *_running(summary), *_freed(summary)]
    body.append(Paragraph(_answered(summary)))
    body.append(Facts(_facts(summary), ruled=True))
    if summary.mode is WriteMode.LIVE:
        body.append(next_box(f"Changed your mind? Ask {name(summary.owner_name)}."))
    shown = Action(label="Show the seats", verb="wave.show", ref=summary.campaign_id, submits=False)
    return CardView(
        kind="review.summary",
        headline=Headline(
            title=f"{title(summary.campaign_name)} is closed",
            amount=formats.amounts(freed),
            context=f"Closed {formats.moment(summary.closed_at, zone)}",
            unit=f"{formats.unit(freed)}, freed" if freed.amounts else None,
        ),
        body=tuple(body),
        actions=(shown,) if summary.answered or summary.passed_on else (),
        fallback=f"{title(summary.campaign_name)} is closed. You answered {formats.number(len(summary.answered))}"
        f" of {formats.count(asked, 'seat')}, {formats.number(len(removed))} removed and checked.",
        refresh=Refresh("wave.open", summary.campaign_id),
    )


def receipt_card(receipt: SeatReceipt, zone: str) -> CardView:
    """Draw what was taken from a holder, why, what stays, and the way back."""
    seats = receipt.seats
    one = seats[0] if len(seats) == 1 else None
    body: list[Element] = []
    for seat in seats[:_LISTED]:
        if one is None:
            body.append(Paragraph(sku(seat.item.snapshot.sku_name), heading=True))
        strip = way_strip(seat.way, zone) if seat.way is not None else None
        appealed = appeal_strip(seat.appeal, zone) if seat.appeal is not None else None
        body += [one for one in (appealed, strip) if one is not None]
        body.append(Facts(_receipt_facts(seat, receipt, zone)))
    if len(seats) > _LISTED:
        body.append(Paragraph(f"{formats.number(len(seats) - _LISTED)} more in /reclaim seats mine.", subtle=True))
    body.append(next_box(_receipt_next(receipt)))
    return CardView(
        kind="consent.receipt",
        headline=Headline(title=_receipt_title(receipt), context=title(receipt.campaign_name)),
        body=tuple(body),
        actions=(
            *receipt_actions(receipt),
            Action(label="My seats", verb="command.run", ref="seats mine", submits=False),
        ),
        fallback=f"{formats.count(len(seats), 'seat', in_words=True).capitalize()} of yours"
        f" {'was' if one else 'were'} removed. The account stays.",
        refresh=Refresh("receipt.open", receipt.campaign_id),
    )


def _receipt_title(receipt: SeatReceipt) -> str:
    seats = receipt.seats
    if len(seats) > 1:
        return f"{len(seats)} of your seats were removed"
    there = seats[0].way is not None and seats[0].way.reversal is not None
    return f"{sku(seats[0].item.snapshot.sku_name)} {'is back' if there else 'was removed'}"


def _receipt_next(receipt: SeatReceipt) -> str:
    ways = [seat.way for seat in receipt.seats if seat.way is not None]
    again = "it" if len(receipt.seats) == 1 else "one of them"
    if any(way.open for way in ways):
        return f"There is nothing to do. If you still need {again}, you can get it back here, if a seat is free."
    if ways and all(way.reversal is not None or way.restore is not None for way in ways):
        return f"There is nothing to do. Questions go to {name(receipt.owner_name)}."
    return f"There is nothing to do. If you still need {again}, ask {name(receipt.owner_name)}."


def _running(summary: ReviewSummary) -> list[Paragraph]:
    if not summary.running:
        return []
    whole = len(summary.approved)
    removed = len(_gone(summary, summary.approved))
    stopped = summary.campaign_state is CampaignState.PAUSED
    after = "removals are stopped for now." if stopped else "this card updates itself."
    return [Paragraph(f"{formats.number(removed)} of {formats.number(whole)} removed, {after}")]


def _freed(summary: ReviewSummary) -> list[Strip]:
    """Return what the answers have freed, once nothing runs any more; only what is verified gone counts."""
    if summary.running:
        return []
    by_answer = _gone(summary, summary.chosen(Choice.REVOKE))
    by_silence = _gone(summary, summary.by_silence)
    back = sum(item.outcome in _CAME_BACK for item in summary.approved)
    came = f"; {formats.number(back)} came back into use and {'stays' if back == 1 else 'stay'}" if back else ""
    strips = []
    if by_answer:
        text = f"Your answers freed {formats.count(len(by_answer), 'seat')}{_a_year(by_answer)}{came}."
        strips.append(Strip(tone=Tone.GOOD, text=text))
        came = ""
    if by_silence:
        what = "seat that you did not answer was" if len(by_silence) == 1 else "seats that you did not answer were"
        text = (
            f"{formats.number(len(by_silence))} {what} removed, as the first message said{_a_year(by_silence)}{came}."
        )
        strips.append(Strip(tone=Tone.NEUTRAL, text=text))
    if summary.reversed:
        number = len(summary.reversed)
        text = f"{formats.count(number, 'removed seat')} {'is' if number == 1 else 'are'} there again."
        strips.append(Strip(tone=Tone.NEUTRAL, text=text))
    return strips


def _a_year(items: Sequence[ReviewItem]) -> str:
    """Return ", $2,310 a year" with what the sum leaves out; nothing has a price: ", no price"."""
    total = _total(items)
    yearly = Total(amounts=tuple(amount.times(12) for amount in total.amounts))
    amounts = formats.amounts(yearly, whole=True)
    if amounts is None:
        return ", price unknown"
    return f", {amounts} a year" + (f" + {formats.number(total.unpriced)} unpriced" if total.unpriced else "")


def _answered(summary: ReviewSummary) -> str:
    asked = len(summary.answered) + len(summary.unanswered)
    said = f"You answered {formats.number(len(summary.answered))} of {formats.number(asked)}."
    return f"{said} Thank you." if summary.answered else said


def _facts(summary: ReviewSummary) -> tuple[Fact, ...]:
    revoked, unsure = summary.chosen(Choice.REVOKE), summary.chosen(Choice.NOT_SURE)
    facts = [
        Fact("Revoked", _with_outcomes(revoked)),
        Fact("Kept", formats.number(len(summary.chosen(Choice.KEEP)))),
    ]
    if unsure:
        facts.append(Fact("Not sure", f"{formats.number(len(unsure))} (kept)"))
    facts.append(Fact("Passed on", _passed_on(summary.passed_on)))
    if summary.unanswered:
        facts.append(Fact("Not answered", _with_outcomes(summary.unanswered)))
    return tuple(facts)


def _with_outcomes(items: Sequence[ReviewItem]) -> str:
    counts = Counter(item.outcome for item in items if item.outcome is not None)
    parts = [f"{formats.number(counts[outcome])} {OUTCOMES[outcome]}" for outcome in Outcome if counts[outcome]]
    running = sum(item.outcome is None for item in items)
    if running:
        parts.append(f"{formats.number(running)} still running")
    return f"{formats.number(len(items))} ({', '.join(parts)})" if parts else formats.number(len(items))


def _passed_on(items: Sequence[ReviewItem]) -> str:
    choices = Counter(item.answer.choice if item.answer else None for item in items)
    words = {Choice.REVOKE: "revoked", Choice.KEEP: "kept", Choice.NOT_SURE: "not sure", None: "not answered"}
    parts = [f"{formats.number(choices[choice])} {word}" for choice, word in words.items() if choices[choice]]
    return f"{formats.number(len(items))} ({', '.join(parts)})" if parts else formats.number(len(items))


def _receipt_facts(seat: ReceiptSeat, receipt: SeatReceipt, zone: str) -> tuple[Fact, ...]:
    item = seat.item
    when = formats.moment(item.verified_at, zone) if item.verified_at else "just now"
    campaign = quoted(receipt.campaign_name)
    why = (
        f"{name(seat.approved_by)} approved it in {campaign}"
        if seat.approved_by
        else f"Nobody answered in {campaign}, and it removes such seats"
    )
    facts = [
        Fact("What", f"Your seat of {sku(item.snapshot.sku_name)}, gone since {when}"),
        Fact("Why", why),
        Fact("What stays", _stays(item)),
    ]
    if seat.way is not None and seat.way.open and seat.way.until is not None:
        facts.append(Fact("Back until", formats.moment(seat.way.until, zone)))
    return tuple(facts)


def _stays(item: ReviewItem) -> str:
    groups = [
        group(item.snapshot.path_names.get(step.ref, "a group without a name"))
        for step in item.plan.steps
        if step.kind is StepKind.LEAVE_GROUP
    ]
    stays = "Your account" if item.accepts_loss else "Your account, mailbox and files"
    if not groups:
        return stays
    return f"{stays}. You left the group {' and '.join(groups)}; what it opened goes with it"


def _gone(summary: ReviewSummary, items: Sequence[ReviewItem]) -> list[ReviewItem]:
    """Return the seats that are verified gone and are not there again."""
    return [item for item in items if item.outcome in VERIFIED_GONE and item.id not in summary.reversed]


def _total(items: Sequence[ReviewItem]) -> Total:
    return Total.of(item.snapshot.monthly for item in items)
