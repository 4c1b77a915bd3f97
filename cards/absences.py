"""The list of absences, in numbers: whom it holds is told to nobody. For who runs campaigns."""

from cards import formats
from cards.view import CardView, Element, Headline, Paragraph, Strip, Tone
from reclaim.domain.read_models import AbsencesView


def absences_card(found: AbsencesView, zone: str, *, note: str | None = None) -> CardView:
    """Draw how much the list holds; `note` says what was just done."""
    body: list[Element] = [Strip(tone=Tone.GOOD, text=note)] if note else []
    if found.at is None:
        text = "No list of absences is there. To load one, on the command line: reclaim absences import FILE"
    elif not found.counts:
        text = "The list holds nobody: its exclusion was ended. Load it again to let it count."
    else:
        people, seats = formats.count(found.people, "person", "people"), formats.count(found.seats, "idle seat")
        text = f"{people} may be away, or were in the last {found.days} days: {seats} left out. Nobody is told who they are."
    body.append(Paragraph(text))
    if found.at is not None:
        body.append(Paragraph(f"Loaded {formats.moment(found.at, zone)}. A new list replaces this one.", subtle=True))
    return CardView(
        kind="absences",
        headline=Headline(
            title="Absences",
            amount=formats.count(found.seats, "idle seat"),
            context=formats.count(found.absences, "absence"),
            unit="left out",
        ),
        body=tuple(body),
        fallback=f"{formats.count(found.absences, 'absence')}, {formats.count(found.seats, 'idle seat')} left out.",
    )


def loaded_note(found: AbsencesView, unknown: int, rejects: str | None) -> str:
    """Return what was loaded, and where to find the rows of people who are not known."""
    loaded = f"{formats.count(found.absences, 'absence')} loaded."
    if not unknown:
        return loaded
    rows = formats.count(unknown, "row names nobody who is known", "rows name nobody who is known")
    return f"{loaded} {rows}: see {rejects}." if rejects else f"{loaded} {rows}."
