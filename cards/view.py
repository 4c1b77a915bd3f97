"""CardView: one card, without markup. Topics build it, renderers (Adaptive Card, HTML, text; Block Kit later) draw it.

Reading order of a card (UX.md 2.0): headline, lead, strip, content, next, actions. All text is plain: names, groups and
notes of a tenant are data, and a renderer escapes every string for its channel. `**bold**` and links do not exist.

An action's data is an opaque reference, never a person or a right: the reply re-reads everything.
"""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """Of a strip; never by colour alone: the text says it too."""

    NEUTRAL = "neutral"
    RECOMMEND = "recommend"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


class Emphasis(StrEnum):
    """How a button looks. Recommended is filled: at most one a card. Danger only stops work or loses data."""

    RECOMMENDED = "recommended"
    DEFAULT = "default"
    DANGER = "danger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button. At most three show; those with `more` go under "…".

    Attributes:
        verb: `thing.act` or `thing.act.submit` (`item.revoke`, `wave.keep.submit`).
        ref: Opaque reference of what it is about: an item id, a wave reference, a campaign id.
        batch: The only further key: the batch that an Undo takes back.
        submits: Whether the card's inputs travel with it ("Back" leaves them behind).
        confirm: A question asked first where the channel can (browser dialog, Slack confirm), or None.
        link: For a download: path of a file of this channel; then verb and ref are unused.
    """

    label: str
    verb: str
    ref: str
    batch: str | None = None
    emphasis: Emphasis = Emphasis.DEFAULT
    more: bool = False
    submits: bool = True
    confirm: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """The click that draws the present state of a card without a person: verb and reference of one that only reads."""

    verb: str
    ref: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """Title left, amount right; under them context and unit.

    Attributes:
        hero: For the first card of the practice tenant: the words before the amount ("They cost"). Title, these words,
            amount and unit then stand in large type, as two sentences, one under the other.
    """

    title: str
    amount: str | None = None
    context: str | None = None
    unit: str | None = None
    hero: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A toned box with a state or a recommendation. Its actions (Undo, Show) stand inside it."""

    tone: Tone
    text: str
    detail: str | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `subtle` is small and muted, `heading` a heading of a section."""

    text: str
    subtle: bool = False
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A list of facts. `ruled` draws it as wide rows with lines between (status card)."""

    facts: tuple[Fact, ...]
    ruled: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """Two to four large numbers with a label: (number, label)."""

    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a list: bold name, second line, amount at the right, an optional tick box and an optional target.

    Attributes:
        tick: Input id of the box (`t.{ref}`), None for a plain row.
        open: Action behind the whole second line ("Details").
        name_action: Action behind the first line (a SKU that opens its seats).
        amount_minor, currency: For the browser's live sum over ticked rows; None if unpriced.
    """

    title: str
    subtitle: str | None = None
    reason: str | None = None
    amount: str | None = None
    tick: str | None = None
    ticked: bool = False
    open: Action | None = None
    name_action: Action | None = None
    amount_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A group of rows with a heading and its sum."""

    rows: tuple[Row, ...]
    heading: str | None = None
    sum: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: `share` is 0 to 1 of the longest; None draws it hatched (no price)."""

    label: str
    amount: str
    share: float | None
    value: float | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A bar chart; name and amount always stand as text."""

    title: str
    bars: tuple[Bar, ...]
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; numbers stand right. `row_actions` holds one action or None per row, behind its first cell."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    row_actions: tuple[Action | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One part of a progress bar: colour is one of revoke, keep, not_sure, open."""

    colour: str
    label: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A bar in up to four colours with its key and counts; `label` says it in words."""

    segments: tuple[Segment, ...]
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The grey box at the foot: what happens next; each pair is a bold lead and its sentences."""

    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expandable:
    """Content behind "Show …"."""

    label: str
    content: tuple["Element", ...]


class InputKind(StrEnum):
    """The inputs that every channel can draw."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"  # one of a few, all in sight
    SELECT = "select"  # one of many
    TOGGLE = "toggle"
    PERSON = "person"  # people picker over the directory


@dataclass(frozen=True, slots=True)
class Option:
    """One choice."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A form field: always with a label. `error` is shown at the field."""

    id: str
    kind: InputKind
    label: str
    required: bool = False
    value: str = ""
    value_label: str = ""  # for PERSON: the name behind the value
    options: tuple[Option, ...] = ()
    hint: str | None = None
    placeholder: str | None = None
    max_length: int | None = None
    min_date: str | None = None
    max_date: str | None = None
    error: str | None = None


Element = Strip | Paragraph | Facts | Figures | Rows | Chart | Table | Progress | Box | Expandable | Input


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """One card.

    Attributes:
        kind: Name of the card (`review.wave`), for tests and the message record; never shown.
        back: The line at the very top that leads back ("‹ All 9 seats").
        body: Lead, strips, content and the next box, in reading order.
        actions: At most three without `more`.
        fallback: One sentence with count, sum and date for notifications; no facts about a person.
        refresh: What draws the present state of this card; channels that can do so on opening use it. It only reads.
    """

    kind: str
    headline: Headline
    body: tuple[Element, ...]
    actions: tuple[Action, ...] = ()
    fallback: str
    back: Action | None = None
    refresh: Refresh | None = None
