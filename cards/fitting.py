"""A card that is too big for its channel, made smaller: fewer rows, then shorter sentences; actions and next box stay whole.

Nothing that is left out can be answered: what a click sends is what the channel drew.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from cards.formats import NOTE_MAX, REASON_MAX, cut, number
from cards.view import (
    CardView,
    Chart,
    Element,
    Expandable,
    Fact,
    Facts,
    Headline,
    Input,
    InputKind,
    Paragraph,
    Rows,
    Strip,
    Table,
)

# Where a list stands: its index in the body, and those in the expandable parts around it.
_Place = tuple[int, ...]
_Lengths = dict[_Place, int]


def fitted(card: CardView, fits: Callable[[CardView], bool]) -> CardView:
    """Return the card itself if it fits, else as much of it as does.

    Args:
        card: What to draw.
        fits: Whether the channel can take a card. Fewer rows must never make it larger.

    Raises:
        ValueError: Not even the shortest form fits.
    """
    if fits(card):
        return card
    shown: _Lengths = dict(_lists(card.body))
    smaller = card
    while any(length > 1 for length in shown.values()):
        longest = max(shown, key=lambda place: shown[place])
        shown[longest] -= max(1, shown[longest] // 8)
        smaller = replace(card, body=_trimmed(card.body, shown))
        if fits(smaller):
            return smaller
    for limit in (NOTE_MAX, REASON_MAX):
        smaller = replace(
            smaller,
            headline=_short_headline(smaller.headline, limit),
            body=tuple(_shortened(element, limit) for element in smaller.body),
        )
        if fits(smaller):
            return smaller
    raise ValueError(f"card {card.kind} is too big for its channel even with one row a list: give it less")


def _lists(elements: Sequence[Element], around: _Place = ()) -> Iterator[tuple[_Place, int]]:
    for i, element in enumerate(elements):
        match element:
            case Rows(rows=entries) | Table(rows=entries) | Chart(bars=entries):
                yield (*around, i), len(entries)
            case Input(kind=InputKind.SELECT | InputKind.PERSON, options=options):
                yield (*around, i), len(options)
            case Expandable(content=content):
                yield from _lists(content, (*around, i))
            case _:
                pass


def _trimmed(elements: Sequence[Element], shown: Mapping[_Place, int], around: _Place = ()) -> tuple[Element, ...]:
    drawn: list[Element] = []
    for i, element in enumerate(elements):
        place = (*around, i)
        match element:
            case Rows(rows=entries):
                drawn += [replace(element, rows=entries[: shown[place]]), *_left_out(len(entries) - shown[place])]
            case Chart(bars=bars):
                drawn += [replace(element, bars=bars[: shown[place]]), *_left_out(len(bars) - shown[place])]
            case Table(rows=lines):
                fewer = replace(element, rows=lines[: shown[place]], row_actions=element.row_actions[: shown[place]])
                drawn += [fewer, *_left_out(len(lines) - shown[place])]
            case Input(kind=InputKind.SELECT | InputKind.PERSON, options=options):
                # What is picked stays in the list.
                picked = sorted(options, key=lambda option: option.value != element.value)[: shown[place]]
                kept = tuple(option for option in options if option in picked)
                drawn += [replace(element, options=kept), *_left_out(len(options) - len(kept))]
            case Expandable(content=content):
                drawn.append(replace(element, content=_trimmed(content, shown, place)))
            case _:
                drawn.append(element)
    return tuple(drawn)


def _left_out(count: int) -> list[Paragraph]:
    return [Paragraph(f"{number(count)} more do not fit here.", subtle=True)] if count else []


def _short_headline(headline: Headline, limit: int) -> Headline:
    context = cut(headline.context, limit) if headline.context else None
    return replace(headline, title=cut(headline.title, limit), context=context)


def _shortened(element: Element, limit: int) -> Element:
    match element:
        case Paragraph(text=text):
            return replace(element, text=cut(text, limit))
        case Strip(text=text, detail=detail):
            return replace(element, text=cut(text, limit), detail=cut(detail, limit) if detail else None)
        case Facts(facts=facts):
            return replace(element, facts=tuple(Fact(fact.label, cut(fact.value, limit)) for fact in facts))
        case Expandable(content=content):
            return replace(element, content=tuple(_shortened(part, limit) for part in content))
        case _:
            return element
