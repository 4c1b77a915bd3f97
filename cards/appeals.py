"""An appeal in words: the holder's sentence, the question to who decides, and what both read of it later."""

from cards import formats
from cards.form import EMPTY, Filled
from cards.phrases import group, name, next_box, quoted, sku, title
from cards.restores import way_strip
from cards.view import (
    Action,
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
from reclaim.domain.appeals import TEXT_LENGTH, AppealLine, AppealState, AppealTo, AppealView
from reclaim.domain.read_models import SeatReceipt
from reclaim.domain.removal import StepKind

FORM_FIELDS = frozenset({"seat", "text"})
LEAVE_FIELDS = frozenset({"reason"})
MANAGERS = "the license managers"
_OPTION_MAX = 60


def appeal_form(receipt: SeatReceipt, to_name: str | None, filled: Filled = EMPTY) -> CardView:
    """Draw the form of an appeal: which seat, where several may be appealed, and one sentence."""
    able = [seat.item for seat in receipt.seats if seat.may_appeal]
    body: list[Element] = [*filled.strip(FORM_FIELDS)]
    if len(able) > 1:
        options = tuple(Option(item.id, formats.cut(item.snapshot.sku_name, _OPTION_MAX)) for item in able)
        body.append(
            Input(
                id="seat",
                kind=InputKind.CHOICE if len(options) <= 6 else InputKind.SELECT,
                label="Seat",
                required=True,
                options=options,
                value=filled.value("seat"),
                error=filled.error_of("seat"),
            )
        )
    body += [
        Input(
            id="text",
            kind=InputKind.LONG_TEXT,
            label="Why do you need it?",
            required=True,
            value=filled.value("text"),
            hint="One sentence. Please leave out health or family details.",
            max_length=TEXT_LENGTH,
            error=filled.error_of("text"),
        ),
        next_box(f"It goes to {_to(to_name)}, and you get an answer here.", "If they do not answer, it stays removed."),
    ]
    one = sku(able[0].snapshot.sku_name) if len(able) == 1 else "one of your seats"
    return CardView(
        kind="consent.appeal",
        headline=Headline(title=f"Appeal: {one}", context=title(receipt.campaign_name)),
        body=tuple(body),
        actions=(
            Action(label="Send", verb="receipt.appeal.submit", ref=receipt.campaign_id),
            Action(label="Back", verb="receipt.open", ref=receipt.campaign_id, submits=False),
        ),
        fallback="Appeal the removal of a seat of yours.",
    )


def appeal_strip(line: AppealLine, zone: str) -> Strip | None:
    """Return what a holder reads of their appeal; None where the way back says it all."""
    appeal = line.appeal
    at = formats.moment(appeal.ended_at, zone) if appeal.ended_at else ""
    match appeal.state:
        case AppealState.OPEN:
            due = formats.moment(appeal.due_at, zone, weekday=True)
            sent = f"Sent to {_to(line.to_name)}." if appeal.moved_at is None else f"It is with {MANAGERS} now."
            return Strip(tone=Tone.NEUTRAL, text=f"{sent} You get an answer here by {due}.")
        case AppealState.REFUSED:
            why = f"{quoted(appeal.reason)}" if appeal.reason else None
            return Strip(tone=Tone.NEUTRAL, text=f"{_who(line)} left it removed on {at}.", detail=why)
        case AppealState.LAPSED:
            return Strip(tone=Tone.NEUTRAL, text=f"Nobody answered your appeal by {at}. The seat stays removed.")
        case AppealState.GRANTED:
            return Strip(tone=Tone.NEUTRAL, text=f"{_who(line)} gave it back on {at}.")
        case AppealState.SETTLED:
            return None


def appeal_card(view: AppealView, zone: str) -> CardView:
    """Draw the question to who decides about an appeal, or what became of it. No button is filled: nothing is advised."""
    item, appeal = view.item, view.line.appeal
    strips = [one for one in (_standing(view, zone), way_strip(view.way, zone)) if one is not None]
    body: list[Element] = [*strips, Paragraph(quoted(appeal.text)), Facts(_facts(view, zone))]
    actions: tuple[Action, ...] = ()
    if view.may_answer:
        body.append(next_box("It comes back as it was, if a seat is free.", _silence(view, zone)))
        actions = (
            Action(label="Give it back", verb="appeal.give", ref=item.id),
            Action(label="Leave it removed…", verb="appeal.leave", ref=item.id, submits=False),
        )
    return CardView(
        kind="appeal.decide",
        headline=Headline(
            title=f"{name(item.snapshot.person_name)} asks for a seat back",
            amount=formats.price(item.snapshot.monthly),
            context=sku(item.snapshot.sku_name),
            unit="a month" if item.snapshot.monthly else None,
        ),
        body=tuple(body),
        actions=actions,
        fallback=f"Somebody asks for a seat back. Please answer by {formats.moment(appeal.due_at, zone)}."
        if view.may_answer
        else "About a seat that was asked back.",
        refresh=Refresh("appeal.open", item.id),
    )


def leave_form(view: AppealView, zone: str, filled: Filled = EMPTY) -> CardView:
    """Draw the step before a seat stays removed: a reason may be given."""
    item = view.item
    return CardView(
        kind="appeal.leave",
        headline=Headline(
            title="Leave it removed", context=f"{name(item.snapshot.person_name)} · {sku(item.snapshot.sku_name)}"
        ),
        body=(
            *filled.strip(LEAVE_FIELDS),
            reason_input(filled),
            next_box("The person reads your answer. It cannot be appealed again.", _silence(view, zone)),
        ),
        actions=(
            Action(label="Leave it removed", verb="appeal.leave.submit", ref=item.id),
            Action(label="Back", verb="appeal.open", ref=item.id, submits=False),
        ),
        fallback="Leave a seat removed that was asked back.",
    )


def reason_input(filled: Filled) -> Input:
    """Return the field for why something stays removed."""
    return Input(
        id="reason",
        kind=InputKind.LONG_TEXT,
        label="Why? (optional)",
        value=filled.value("reason"),
        hint="The person reads this.",
        max_length=TEXT_LENGTH,
        error=filled.error_of("reason"),
    )


def _silence(view: AppealView, zone: str) -> str:
    appeal = view.line.appeal
    by = formats.moment(appeal.due_at, zone, weekday=True)
    after = "it stays removed" if appeal.to is AppealTo.ADMINS else f"it goes to {MANAGERS}"
    return f"If you do not answer by {by}, {after}."


def _standing(view: AppealView, zone: str) -> Strip | None:
    line, appeal = view.line, view.line.appeal
    at = formats.moment(appeal.ended_at, zone) if appeal.ended_at else ""
    match appeal.state:
        case AppealState.OPEN if view.may_answer or view.way.back:
            return None
        case AppealState.OPEN if not view.way.open:
            return Strip(tone=Tone.NEUTRAL, text=view.way.refusal or "The seat cannot come back any more.")
        case AppealState.OPEN:
            return Strip(tone=Tone.NEUTRAL, text=f"It is with {_to(line.to_name)} now.", detail="Nothing left to do.")
        case AppealState.GRANTED:
            return Strip(tone=Tone.GOOD, text=f"{_who(line)} gave it back on {at}.")
        case AppealState.REFUSED:
            why = quoted(appeal.reason) if appeal.reason else None
            return Strip(tone=Tone.NEUTRAL, text=f"{_who(line)} left it removed on {at}.", detail=why)
        case AppealState.LAPSED:
            return Strip(tone=Tone.NEUTRAL, text=f"Closed on {at} without an answer. It stays removed.")
        case AppealState.SETTLED:
            return Strip(tone=Tone.NEUTRAL, text="It came back in another way. Nothing left to do.")


def _facts(view: AppealView, zone: str) -> tuple[Fact, ...]:
    item = view.item
    when = formats.moment(item.verified_at, zone) if item.verified_at else "just now"
    groups = [
        group(item.snapshot.path_names.get(step.ref, "a group without a name"))
        for step in item.plan.steps
        if step.kind is StepKind.LEAVE_GROUP
    ]
    direct = any(step.kind is StepKind.DIRECT for step in item.plan.steps)
    what = [*(["the direct license"] if direct else []), *(f"the place in {one}" for one in groups)]
    campaign = quoted(view.campaign_name)
    why = (
        f"{name(view.approved_by)} approved it in {campaign}"
        if view.approved_by
        else f"Nobody answered in {campaign}, and it removes such seats"
    )
    facts = [Fact("Removed", f"{' and '.join(what)}, {when}" if what else when), Fact("Why", why)]
    facts.append(Fact("Asked", formats.moment(view.line.appeal.asked_at, zone)))
    if view.way.until is not None:
        facts.append(Fact("Back until", formats.moment(view.way.until, zone)))
    return tuple(facts)


def _to(to_name: str | None) -> str:
    return name(to_name) if to_name else MANAGERS


def _who(line: AppealLine) -> str:
    return name(line.answered_by_name) if line.answered_by_name else "Somebody"
