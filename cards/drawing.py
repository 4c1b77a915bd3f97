"""What the renderers have in common: which words stand where, how wide a bar is. No markup and no channel."""

from cards.formats import NAME_MAX, REASON_MAX, SKU_MAX, isolate, one_line
from cards.view import Action, Bar, Chart, Headline, Input, InputKind, Progress, Row

# A row that has no second line of its own may hold "person · SKU" in its title.
_TITLE_AND_SKU_MAX = NAME_MAX + len(" · ") + SKU_MAX
_SEGMENT_COLOURS = frozenset({"revoke", "keep", "not_sure", "open"})


def hero_sentence(headline: Headline) -> str | None:
    """Return the second sentence of a hero's headline: "They cost $3,244 a month."; None if there is no amount."""
    if headline.hero is None or not headline.amount:
        return None
    words = " ".join(one_line(part) for part in (headline.hero, headline.amount, headline.unit) if part)
    return f"{words}."


def row_title(row: Row) -> str:
    """Return the name in a row, cut and isolated."""
    return isolate(one_line(row.title, NAME_MAX if row.subtitle else _TITLE_AND_SKU_MAX))


def row_subtitle(row: Row) -> str | None:
    """Return what stands beside the name, cut."""
    return one_line(row.subtitle, SKU_MAX) if row.subtitle else None


def row_reason(row: Row) -> str | None:
    """Return the second line of a row, cut."""
    return one_line(row.reason, REASON_MAX) if row.reason else None


def row_name(row: Row, separator: str = " · ") -> str:
    """Return name and subtitle as one text: "Isaiah Langer · Microsoft 365 Copilot"."""
    subtitle = row_subtitle(row)
    return f"{row_title(row)}{separator}{subtitle}" if subtitle else row_title(row)


def row_action_label(row: Row, action: Action) -> str:
    """Return what a screen reader says of an action that stands in many rows: "Details: Lee Gu, Project Plan 3"."""
    return f"{one_line(action.label)}: {row_name(row, ', ')}"


def bar_label(bar: Bar, chart: Chart) -> str:
    """Return a bar in words: "Visio Plan 2: $330 a month"; a bar without a share has no unit, as it has no number."""
    words = f"{one_line(bar.label, SKU_MAX)}: {one_line(bar.amount)}"
    return words if bar.share is None else f"{words} {one_line(chart.unit)}".rstrip()


def bar_width(bar: Bar, full: int) -> int:
    """Return the length of a bar out of `full`: never more, and never nothing for a share above zero."""
    if bar.share is None or bar.share <= 0:
        return 0
    return min(full, max(1, round(bar.share * full)))


def segment_widths(progress: Progress, full: int) -> list[int]:
    """Share `full` among the segments so that the parts add up to it; what is above zero gets at least 1.

    Raises:
        ValueError: A segment has a colour that no channel knows.
    """
    for segment in progress.segments:
        if segment.colour not in _SEGMENT_COLOURS:
            raise ValueError(f"not a colour of a segment: {segment.colour!r}")
    counts = [segment.count for segment in progress.segments]
    whole = sum(counts)
    if whole == 0:
        return [0] * len(counts)
    widths = [n * full // whole for n in counts]
    # Largest remainder first: the parts then add up, and each is at most one off.
    by_remainder = sorted(range(len(counts)), key=lambda i: -(counts[i] * full % whole))
    for i in by_remainder[: full - sum(widths)]:
        widths[i] += 1
    for i, n in enumerate(counts):
        if n > 0 and widths[i] == 0:
            widths[widths.index(max(widths))] -= 1
            widths[i] = 1
    return widths


def required_message(field: Input) -> str:
    """Return what a required field says when it is left empty."""
    match field.kind:
        case InputKind.CHOICE | InputKind.SELECT:
            return "Please pick one."
        case InputKind.DATE:
            return "Please pick a date."
        case InputKind.PERSON:
            return "Please pick a person."
        case InputKind.TEXT | InputKind.LONG_TEXT:
            return "Please write a sentence."
        case InputKind.NUMBER:
            return "Please give a number."
        case InputKind.TOGGLE:
            return "Please tick this box."


def is_ticked(field: Input) -> bool:
    """Whether a tick box is ticked."""
    return field.value == "true"
