"""The forms of a reviewer: keep against the recommendation, delegate, and revoke though data is lost."""

from collections.abc import Sequence
from datetime import date, timedelta

from cards import formats
from cards.form import EMPTY, Filled
from cards.phrases import close_time, first, name, next_box, silence_of_seats, sku, title
from cards.reasons import KEEP_REASONS, data_loss, mail_gone_on
from cards.view import (
    Action,
    CardView,
    Element,
    Emphasis,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Row,
    Rows,
    Strip,
    Tone,
)
from reclaim.domain.calendar import local_day
from reclaim.domain.money import Total
from reclaim.domain.read_models import ItemView, Wave, WaveRow
from reclaim.domain.removal import Blocker
from reclaim.domain.review import NOTE_LENGTH

KEEP_FIELDS = frozenset({"reason", "until", "note"})
LOSE_FIELDS = frozenset({"sure"})
DELEGATE_FIELDS = frozenset({"who", "reason", "all"})
_KEEP_AT_MOST = timedelta(days=180)


def keep_form(view: ItemView, zone: str, cooldown: timedelta, filled: Filled = EMPTY) -> CardView:
    """Draw the form that keeps one seat against the recommendation."""
    item = view.item
    stays = f"The seat stays with {first(item.snapshot.person_name)}. {_asked_again(cooldown, 'it')}"
    return CardView(
        kind="review.keep",
        headline=_headline("Keep this seat", view),
        body=(
            Paragraph("Revoke was recommended, so a reason is needed. One tap is enough."),
            *filled.strip(KEEP_FIELDS),
            *_keep_inputs(local_day(view.now, zone), filled),
            next_box(stays, silence_of_seats(view.silence, view.mode)),
        ),
        actions=_submit("Keep", "item.keep.submit", item.id, back="item.open"),
        fallback="Keep a seat: pick a reason.",
    )


def keep_many_form(
    wave: Wave, rows: Sequence[WaveRow], zone: str, cooldown: timedelta, filled: Filled = EMPTY
) -> CardView:
    """Draw the same for the seats that are ticked; they stand there, ticked, and can be left out once more."""
    count = formats.count(len(rows), "seat")
    return CardView(
        kind="review.keep",
        headline=_headline_of(f"Keep {count}", rows, wave),
        body=(
            Paragraph("Revoke was recommended, so a reason is needed. One reason for all."),
            *filled.strip(KEEP_FIELDS),
            _ticked(rows),
            *_keep_inputs(local_day(wave.now, zone), filled),
            next_box(f"The seats stay. {_asked_again(cooldown, 'them')}", silence_of_seats(wave.silence, wave.mode)),
        ),
        actions=_submit(f"Keep {count}", "wave.keep.submit", wave.ref, back="wave.open"),
        fallback=f"Keep {count}: pick a reason.",
    )


def delegate_form(view: ItemView, zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the form that hands one seat to someone better placed."""
    who = first(view.item.snapshot.person_name)
    return CardView(
        kind="review.delegate",
        headline=_headline("Delegate this seat", view),
        body=(
            Paragraph(f"Who can tell better whether {who} still needs it?"),
            *filled.strip(DELEGATE_FIELDS),
            *_delegate_inputs(filled, others=view.others_open - 1),
            next_box(
                f"The person gets the seat now and has until {close_time(view.closes_at, zone)}.",
                f"Nobody decides a seat of their own, so {who} cannot be picked.",
                silence_of_seats(view.silence, view.mode),
            ),
        ),
        actions=_submit("Delegate", "item.delegate.submit", view.item.id, back="item.open"),
        fallback="Delegate a seat: pick a person.",
    )


def delegate_many_form(wave: Wave, rows: Sequence[WaveRow], zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the same for the seats that are ticked."""
    count = formats.count(len(rows), "seat")
    return CardView(
        kind="review.delegate",
        headline=_headline_of(f"Delegate {count}", rows, wave),
        body=(
            Paragraph("Who can tell better whether they are still needed?"),
            *filled.strip(DELEGATE_FIELDS),
            _ticked(rows),
            *_delegate_inputs(filled, others=wave.open_count - len(rows)),
            next_box(
                f"The person gets the seats now and has until {close_time(wave.closes_at, zone)}.",
                "Nobody decides a seat of their own.",
                silence_of_seats(wave.silence, wave.mode),
            ),
        ),
        actions=_submit(f"Delegate {count}", "wave.delegate.submit", wave.ref, back="wave.open"),
        fallback=f"Delegate {count}: pick a person.",
    )


def lose_form(view: ItemView, zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the question before a seat is revoked that takes somebody's last mailbox or files along."""
    item = view.item
    mailbox = item.plan.blocker is Blocker.LAST_MAILBOX
    what = (
        f"I know that the mailbox is deleted about {mail_gone_on(view.closes_at, zone)}"
        if mailbox
        else "I know that the OneDrive files are archived"
    )
    back = Action(label="Back", verb="item.open", ref=item.id, submits=False)
    convert = Action(label="Convert to shared first", verb="item.convert", ref=item.id, submits=False)
    return CardView(
        kind="review.lose",
        headline=_headline("Revoke anyway?", view),
        body=(
            Strip(tone=Tone.BAD, text=data_loss(item, view.closes_at, zone)),
            *filled.strip(LOSE_FIELDS),
            Input(
                id="sure",
                kind=InputKind.TOGGLE,
                label=what,
                value=filled.value("sure"),
                error=filled.error_of("sure"),
            ),
            next_box(
                f"You can change your answer until {close_time(view.closes_at, zone)}. Before that nothing is removed."
            ),
        ),
        actions=(
            Action(label="Revoke anyway", verb="item.lose.submit", ref=item.id, emphasis=Emphasis.DANGER),
            *([convert] if mailbox else []),
            back,
        ),
        fallback="Revoke a seat that carries data? Nothing is decided yet.",
    )


def _asked_again(cooldown: timedelta, what: str) -> str:
    days = formats.count(cooldown.days, "day")
    return f"Later reviews leave {what} out for {days}, then one may ask again."


def _keep_inputs(today: date, filled: Filled) -> list[Element]:
    return [
        Input(
            id="reason",
            kind=InputKind.CHOICE,
            label="Reason",
            required=True,
            value=filled.value("reason"),
            options=tuple(Option(reason.value, text) for reason, text in KEEP_REASONS.items()),
            error=filled.error_of("reason"),
        ),
        Input(
            id="until",
            kind=InputKind.DATE,
            label="Keep until (optional, at most 6 months)",
            hint="Needed for “Needed later” and “Away for now”.",
            value=filled.value("until"),
            min_date=(today + timedelta(days=1)).isoformat(),
            max_date=(today + _KEEP_AT_MOST).isoformat(),
            error=filled.error_of("until"),
        ),
        Input(
            id="note",
            kind=InputKind.LONG_TEXT,
            label="Note (optional). Please leave out health or family details.",
            value=filled.value("note"),
            max_length=NOTE_LENGTH,
            error=filled.error_of("note"),
        ),
    ]


def _delegate_inputs(filled: Filled, *, others: int) -> list[Element]:
    """Return the fields; `others` is how many more open seats the reviewer has in the campaign."""
    seats = "open seat" if others == 1 else f"{formats.number(others)} open seats"
    also = Input(
        id="all",
        kind=InputKind.TOGGLE,
        label=f"Also my other {seats} in this campaign",
        value=filled.value("all", "false"),
        error=filled.error_of("all"),
    )
    return [
        Input(
            id="who",
            kind=InputKind.PERSON,
            label="Person",
            required=True,
            value=filled.value("who"),
            value_label=filled.label("who"),
            placeholder="Type a name",
            error=filled.error_of("who"),
        ),
        Input(
            id="reason",
            kind=InputKind.TEXT,
            label="Why this person?",
            required=True,
            value=filled.value("reason"),
            placeholder="For example: leads the project",
            max_length=NOTE_LENGTH,
            error=filled.error_of("reason"),
        ),
        *([also] if others > 0 else []),
    ]


def _ticked(rows: Sequence[WaveRow]) -> Rows:
    return Rows(
        rows=tuple(
            Row(
                title=row.item.snapshot.person_name,
                subtitle=row.item.snapshot.sku_name,
                amount=formats.price(row.item.snapshot.monthly),
                tick=f"t.{row.item.id}",
                ticked=True,
            )
            for row in rows
        )
    )


def _headline(text: str, view: ItemView) -> Headline:
    seat = view.item.snapshot
    return Headline(
        title=text,
        amount=formats.price(seat.monthly),
        context=f"{name(seat.person_name)} · {sku(seat.sku_name)}",
        unit="a month" if seat.monthly else None,
    )


def _headline_of(text: str, rows: Sequence[WaveRow], wave: Wave) -> Headline:
    total = Total.of(row.item.snapshot.monthly for row in rows)
    return Headline(
        title=text,
        amount=formats.amounts(total) or "No price",
        context=title(wave.campaign_name),
        unit=formats.unit(total) if total.amounts else None,
    )


def _submit(label: str, verb: str, ref: str, *, back: str) -> tuple[Action, ...]:
    return (
        Action(label=label, verb=verb, ref=ref, emphasis=Emphasis.RECOMMENDED),
        Action(label="Back", verb=back, ref=ref, submits=False),
    )
