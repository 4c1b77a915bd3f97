"""Starting a campaign: the presets, the form, and what follows the start. For who runs campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cards import formats
from cards.form import Filled
from cards.phrases import next_box, title
from cards.view import (
    Action,
    CardView,
    Element,
    Emphasis,
    Expandable,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Strip,
    Tone,
)
from reclaim.domain.campaign import NAME_LENGTH, Silence, Strategy

WINDOWS = (30, 60, 90, 180)
OTHER_DAYS, NO_WINDOW = "other", "none"  # choices beside those
SKU_BOX = "sku."  # begins the id of the box of each SKU
SKUS_SHOWN = 20
LISTED_BYTES = 12_000  # of UTF-8: the form comes back with it, and a card in Teams has 28 KB

STRATEGIES = {
    "manager": "Each manager",
    "owner": "License owner",
    "person": "One person",
}
_SILENCES = (
    Option(Silence.KEEP.value, "Keep the seat"),
    Option(Silence.RECOMMENDATION.value, "Follow the recommendation"),
    Option(Silence.REMOVE.value, "Remove"),
)
_PRESETS = (("clear", "Clear cases"), ("broad", "Broad"), ("own", "Own choice"))
PRESET_NAMES = tuple(name for name, _ in _PRESETS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartForm:
    """What the form needs beside the input.

    Attributes:
        ref: Of the draft.
        seats: Seats ticked by hand; 0: chosen by the form's own fields.
        skus: (product id, name) to choose from, those where most is to be had first.
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
    dry = (
        [] if form.live else [Strip(tone=Tone.NEUTRAL, text="This installation is set to dry run: nothing is removed.")]
    )
    by_hand = [Paragraph(f"{formats.count(form.seats, 'seat')} ticked by hand.")] if form.seats else []
    fields: list[Element] = [
        _text("name", "Name", filled, required=True),
        *by_hand,
        *([] if form.seats else _scope_inputs(form, filled)),
        *_people_inputs(filled),
        *_time_inputs(form, filled),
    ]
    drawn = frozenset(field.id for field in fields if isinstance(field, Input))
    return CardView(
        kind="campaign.form",
        headline=Headline(title="Start a campaign", context="Nothing is sent before you have seen the preview"),
        body=(
            *filled.strip(drawn),
            *dry,
            *([] if form.seats else [_presets(form.ref)]),
            *fields,
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


def _presets(ref: str) -> Strip:
    return Strip(
        tone=Tone.NEUTRAL,
        text="Begin with a preset, and change what you like.",
        detail="Clear cases: disabled or 180+ days, 5 days to answer. Broad: 90+ days, 10 days to answer.",
        actions=tuple(Action(label=label, verb="start.preset", ref=f"{ref}:{name}") for name, label in _PRESETS),
    )


def _scope_inputs(form: StartForm, filled: Filled) -> list[Element]:
    windows = (
        *(Option(str(days), f"Unused for {days} days") for days in WINDOWS),
        Option(OTHER_DAYS, "Unused for another time"),
        Option(NO_WINDOW, "Only what is ticked below"),
    )
    return [
        _choice("days", "Which seats", windows, filled, "90"),
        Input(
            id="other_days",
            kind=InputKind.NUMBER,
            label="Another time, in days, if you chose so",
            value=filled.value("other_days"),
            hint="30 to 730",
            error=filled.error_of("other_days"),
        ),
        _box("disabled", "Disabled accounts, whenever they were last used", filled),
        _box("never", "Seats that were never used", filled),
        *_sku_boxes(form, filled),
        _text("department", "Departments", filled, hint="Empty: all. Several: with a semicolon between them."),
        Input(
            id="listed",
            kind=InputKind.LONG_TEXT,
            label="Only these people",
            value=filled.value("listed"),
            placeholder="adele@contoso.com",
            hint="Empty: all. One a line: sign-in name, address or object id. "
            "Or a CSV that begins with the line person,sku.",
            max_length=LISTED_BYTES,
            error=filled.error_of("listed"),
        ),
    ]


def _sku_boxes(form: StartForm, filled: Filled) -> list[Element]:
    """Fold the SKUs, as there may be many; what is ticked stands in the fold's label and comes first."""
    if not form.skus:
        return []
    skus = sorted(form.skus, key=lambda sku: filled.value(f"{SKU_BOX}{sku[0]}") != "true")
    ticked = [name for ref, name in skus if filled.value(f"{SKU_BOX}{ref}") == "true"]
    shown = skus[: max(SKUS_SHOWN, len(ticked))]
    boxes = tuple(_box(f"{SKU_BOX}{ref}", formats.one_line(name, formats.SKU_MAX), filled) for ref, name in shown)
    left = len(skus) - len(shown)
    more = [Paragraph(f"{formats.number(left)} more by name: /reclaim start --sku", subtle=True)] if left else []
    return [Expandable(label=_sku_label(ticked), content=(*boxes, *more))]


def _sku_label(ticked: Sequence[str]) -> str:
    if not ticked:
        return "SKUs: every one"
    first = formats.one_line(ticked[0], formats.SKU_MAX)
    return f"SKUs: {first}" if len(ticked) == 1 else f"SKUs: {first} and {formats.number(len(ticked) - 1)} more"


def _people_inputs(filled: Filled) -> list[Element]:
    strategies = tuple(Option(one.value, STRATEGIES.get(one.value, one.value.capitalize())) for one in Strategy)
    return [
        _choice("strategy", "Reviewers", strategies, filled, Strategy.MANAGER.value),
        _person("reviewer", "The one person, if you chose so", filled),
        _person("fallback", "If nobody is found", filled, required=True),
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
        inputs.append(_box("dry_run", "Dry run: people are asked, nothing is removed", filled))
    return inputs


def _box(input_id: str, label: str, filled: Filled) -> Input:
    return Input(
        id=input_id,
        kind=InputKind.TOGGLE,
        label=label,
        value=filled.value(input_id, "false"),
        error=filled.error_of(input_id),
    )


def _text(input_id: str, label: str, filled: Filled, *, required: bool = False, hint: str | None = None) -> Input:
    return Input(
        id=input_id,
        kind=InputKind.TEXT,
        label=label,
        required=required,
        value=filled.value(input_id),
        max_length=NAME_LENGTH if required else None,
        hint=hint,
        error=filled.error_of(input_id),
    )


def _choice(input_id: str, label: str, options: tuple[Option, ...], filled: Filled, default: str) -> Input:
    return Input(
        id=input_id,
        kind=InputKind.CHOICE,
        label=label,
        required=True,
        value=filled.value(input_id, default),
        options=options,
        error=filled.error_of(input_id),
    )


def _person(input_id: str, label: str, filled: Filled, *, required: bool = False) -> Input:
    return Input(
        id=input_id,
        kind=InputKind.PERSON,
        label=label,
        required=required,
        value=filled.value(input_id),
        value_label=filled.label(input_id),
        placeholder="Type a name",
        error=filled.error_of(input_id),
    )
