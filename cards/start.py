"""Starting a campaign: the form, the preview, and what follows the click. For who runs campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cards import formats
from cards.form import Filled
from cards.phrases import close_time, data_read, dry_run, name, next_box, silence_of_campaign, title, unpriced
from cards.reasons import BLOCKERS
from cards.view import (
    Action,
    Box,
    CardView,
    Element,
    Emphasis,
    Fact,
    Facts,
    Figures,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Strip,
    Tone,
)
from reclaim.domain.campaign import NAME_LENGTH, Silence, Strategy, WriteMode
from reclaim.domain.idle import Rule
from reclaim.domain.read_models import StartPreview
from reclaim.domain.removal import Blocker
from reclaim.domain.selection import LeftOutWhy

FIELDS = frozenset({"name", "days", "rules", "sku", "strategy", "reviewer", "fallback", "until", "silence", "dry_run"})
ANY_RULE = "any"
ANY_SKU = "any"
WINDOWS = (30, 60, 90, 180)

_RULES = (
    Option(ANY_RULE, "All that look unused"),
    Option(Rule.DISABLED.value, "Disabled accounts only"),
    Option(Rule.NEVER_SEEN.value, "Never used only"),
)
_STRATEGIES = (Option(Strategy.MANAGER.value, "Each manager"), Option(Strategy.PERSON.value, "One person"))
_SILENCES = (
    Option(Silence.KEEP.value, "Keep the seat"),
    Option(Silence.RECOMMENDATION.value, "Follow the recommendation"),
    Option(Silence.REMOVE.value, "Remove"),
)
LEFT_OUT = {
    LeftOutWhy.SCOPE.value: "Not selected",
    LeftOutWhy.ASKED.value: "Asked in another campaign now",
    LeftOutWhy.ANSWERED.value: "Answered or kept until a later date",
    LeftOutWhy.NO_REVIEWER.value: "Nobody may review them",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartForm:
    """What the form needs beside the input.

    Attributes:
        ref: Of the draft.
        seats: Seats ticked by hand; 0: chosen by the form's own fields.
        skus: (product id, name) to choose from.
        first_day, last_day: Bounds of the due date.
        live: Whether the installation may remove at all; otherwise the campaign is a dry run whatever the box says.
    """

    ref: str
    seats: int
    skus: Sequence[tuple[str, str]]
    first_day: date
    last_day: date
    live: bool


def start_form(form: StartForm, filled: Filled) -> CardView:
    """Draw the form with its input."""
    scope = [] if form.seats else _scope_inputs(form, filled)
    by_hand = [Paragraph(f"{formats.count(form.seats, 'seat')} ticked by hand.")] if form.seats else []
    dry = (
        [] if form.live else [Strip(tone=Tone.NEUTRAL, text="This installation is set to dry run: nothing is removed.")]
    )
    return CardView(
        kind="campaign.form",
        headline=Headline(title="Start a campaign", context="Nothing is sent before you have seen the preview"),
        body=(
            *filled.strip(FIELDS),
            *dry,
            _text("name", "Name", filled, required=True),
            *by_hand,
            *scope,
            *_people_inputs(filled),
            *_time_inputs(form, filled),
            next_box(
                "You see who is asked, and what is left out and why.", "Seats without an answer follow your choice."
            ),
        ),
        actions=(
            Action(label="Preview", verb="start.preview", ref=form.ref, emphasis=Emphasis.RECOMMENDED),
            Action(label="Discard", verb="start.discard", ref=form.ref, submits=False),
        ),
        fallback="A new campaign: fill in the form. Nothing has been sent yet.",
    )


def preview_card(preview: StartPreview, now: datetime, zone: str) -> CardView:
    """Draw what the campaign would do, every idle seat accounted for."""
    people = len(preview.reviewers)
    stale = preview.data.stale
    return CardView(
        kind="campaign.preview",
        headline=Headline(title="Check before you start", context=f"{title(preview.name)} · nothing has been sent yet"),
        body=(
            *dry_run(preview.mode),
            Figures(figures=_figures(preview)),
            *_money(preview),
            Paragraph("Can each seat be removed?", heading=True),
            Facts(_removable(preview), ruled=True),
            *_left_out(preview),
            *_warnings(preview),
            *(data_read(preview.data, now, zone) if stale else ()),
            _when_you_start(preview, zone),
        ),
        actions=_preview_actions(preview, people),
        fallback=_preview_fallback(preview),
    )


def launched_card(campaign_name: str, ref: str) -> CardView:
    """Draw what stays of the preview once the campaign is launched."""
    return CardView(
        kind="campaign.launched",
        headline=Headline(title=f"{title(campaign_name)} is opening"),
        body=(
            Paragraph("The list of seats is being made. Then each reviewer gets one message."),
            next_box("A card tells you how far the messages are. Nothing is removed before the campaign closes."),
        ),
        actions=(Action(label="Status", verb="status.open", ref=ref, submits=False),),
        fallback=f"{title(campaign_name)} is opening.",
    )


def discarded_card() -> CardView:
    """Draw what stays of a form or preview that was thrown away."""
    text = "Discarded. Nothing has been sent."
    return CardView(kind="campaign.discarded", headline=Headline(title=text), body=(), fallback=text)


def _scope_inputs(form: StartForm, filled: Filled) -> list[Element]:
    skus = (
        Option(ANY_SKU, "Every SKU"),
        *(Option(ref, formats.one_line(sku, formats.SKU_MAX)) for ref, sku in form.skus),
    )
    windows = tuple(Option(str(days), f"Unused for {days} days") for days in WINDOWS)
    chosen = filled.value("days", "90")
    if chosen.isdecimal() and int(chosen) not in WINDOWS:
        windows = (*windows, Option(chosen, f"Unused for {chosen[:4]} days"))
    return [
        _choice("days", "Which seats", windows, filled, "90"),
        _choice("rules", "Of these", _RULES, filled, ANY_RULE),
        _choice("sku", "SKU", skus, filled, ANY_SKU, kind=InputKind.SELECT),
    ]


def _people_inputs(filled: Filled) -> list[Element]:
    return [
        _choice("strategy", "Reviewers", _STRATEGIES, filled, Strategy.MANAGER.value),
        _person("reviewer", "The one person, if you chose so", filled),
        _person("fallback", "If nobody is found", filled),
    ]


def _time_inputs(form: StartForm, filled: Filled) -> list[Element]:
    inputs: list[Element] = [
        Input(
            id="until",
            kind=InputKind.DATE,
            label="Answer by",
            required=True,
            value=filled.value("until"),
            min_date=form.first_day.isoformat(),
            max_date=form.last_day.isoformat(),
            error=filled.error_of("until"),
        ),
        _choice("silence", "If there is no answer", _SILENCES, filled, Silence.KEEP.value),
    ]
    if form.live:
        inputs.append(
            Input(
                id="dry_run",
                kind=InputKind.TOGGLE,
                label="Dry run: people are asked, nothing is removed",
                value=filled.value("dry_run", "false"),
                error=filled.error_of("dry_run"),
            )
        )
    return inputs


def _text(input_id: str, label: str, filled: Filled, *, required: bool = False) -> Input:
    return Input(
        id=input_id,
        kind=InputKind.TEXT,
        label=label,
        required=required,
        value=filled.value(input_id),
        max_length=NAME_LENGTH,
        error=filled.error_of(input_id),
    )


def _choice(
    input_id: str,
    label: str,
    options: tuple[Option, ...],
    filled: Filled,
    default: str,
    *,
    kind: InputKind = InputKind.CHOICE,
) -> Input:
    return Input(
        id=input_id,
        kind=kind,
        label=label,
        required=True,
        value=filled.value(input_id, default),
        options=options,
        error=filled.error_of(input_id),
    )


def _person(input_id: str, label: str, filled: Filled) -> Input:
    return Input(
        id=input_id,
        kind=InputKind.PERSON,
        label=label,
        value=filled.value(input_id),
        value_label=filled.label(input_id),
        placeholder="Type a name",
        error=filled.error_of(input_id),
    )


def _figures(preview: StartPreview) -> tuple[tuple[str, str], ...]:
    most = max((load.seats for load in preview.reviewers), default=0)
    reviewers = "reviewer" if len(preview.reviewers) == 1 else "reviewers"
    return (
        (formats.number(preview.items), "seat to ask about" if preview.items == 1 else "seats to ask about"),
        (formats.number(len(preview.reviewers)), f"{reviewers}, {formats.count(most, 'seat')} at most each"),
        (formats.amounts(preview.high, whole=True) or "No price", "a month at most"),
    )


def _money(preview: StartPreview) -> list[Paragraph]:
    low, high = (formats.amounts(one, whole=True) for one in (preview.low, preview.high))
    parts = []
    if low and high and low != high:
        parts.append(f"Low {low} (what we recommend) · high {high} (every seat that Reclaim can remove).")
    elif high:
        parts.append(f"{high} a month if every seat that Reclaim can remove is revoked.")
    parts.append(unpriced(preview.high))
    text = " ".join(part for part in parts if part)
    return [Paragraph(text)] if text else []


def _removable(preview: StartPreview) -> tuple[Fact, ...]:
    blockers = tuple(Fact(_blocker(value), formats.number(seats)) for value, seats in preview.blockers)
    rest = preview.items - preview.writable - sum(seats for _, seats in preview.blockers)
    unknown = (Fact("By hand: no way to remove it was found", formats.number(rest)),) if rest > 0 else ()
    return (Fact("Yes, by Reclaim", formats.number(preview.writable)), *blockers, *unknown)


def _blocker(value: str) -> str:
    return BLOCKERS[Blocker(value)] if value in Blocker._value2member_map_ else "By hand"


def _left_out(preview: StartPreview) -> list[Element]:
    left = sum(one.seats for one in preview.left_out)
    if not left:
        return [Paragraph(f"Nothing is left out: all {formats.number(preview.idle)} idle seats are asked about.")]
    facts = tuple(
        Fact(LEFT_OUT.get(one.reason, one.reason.replace("_", " ")), formats.number(one.seats))
        for one in preview.left_out
    )
    heading = f"Left out: {formats.number(left)} of {formats.number(preview.idle)} idle seats"
    return [Paragraph(heading, heading=True), Facts(facts, ruled=True)]


def _warnings(preview: StartPreview) -> list[Strip]:
    strips = []
    if preview.to_fallback and preview.fallback_name:
        seats, goes = formats.count(preview.to_fallback, "seat"), "goes" if preview.to_fallback == 1 else "go"
        has = "has" if preview.to_fallback == 1 else "have"
        text = f"{seats} {has} no reviewer to ask and {goes} to {name(preview.fallback_name)}."
        strips.append(Strip(tone=Tone.WARNING, text=text))
    if preview.fallback_name is None:
        text = "Nobody stands in where no reviewer is found: such seats are left out and kept."
        strips.append(Strip(tone=Tone.WARNING, text=text))
    return strips


def _when_you_start(preview: StartPreview, zone: str) -> Box:
    people = len(preview.reviewers)
    get = "1 person gets one message." if people == 1 else f"{formats.number(people)} people get one message each."
    removed = (
        "Nothing is removed: this is a dry run."
        if preview.mode is WriteMode.DRY_RUN
        else "Each removal is checked before it counts."
    )
    until = f"They have until {close_time(preview.due_at, zone)}."
    return Box(parts=(("When you start", f"{get} {until} {silence_of_campaign(preview.silence)} {removed}"),))


def _preview_actions(preview: StartPreview, people: int) -> tuple[Action, ...]:
    change = Action(label="Change", verb="start.change", ref=preview.ref, submits=False)
    discard = Action(label="Discard", verb="start.discard", ref=preview.ref, more=True, submits=False)
    if preview.data.stale:
        return (Action(label="Read now", verb="sync.run", ref="now", submits=False), change, discard)
    if not preview.items:
        return (change, discard)
    ask = formats.count(people, "person", "people")
    start = Action(label=f"Start, ask {ask}", verb="start.launch", ref=preview.ref, emphasis=Emphasis.RECOMMENDED)
    return (start, change, discard)


def _preview_fallback(preview: StartPreview) -> str:
    seats, people = formats.count(preview.items, "seat"), formats.count(len(preview.reviewers), "reviewer")
    money = formats.monthly(preview.high, whole=True)
    return f"{title(preview.name)}, preview: {seats}, {people}, {money} at most. Nothing has been sent yet."
