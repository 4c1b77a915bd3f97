"""Five cards as the pictures show them, and what a test walks over them with. People are made up."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Final

from cards.view import (
    Action,
    Bar,
    Box,
    CardView,
    Chart,
    Emphasis,
    Expandable,
    Fact,
    Facts,
    Figures,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Progress,
    Refresh,
    Row,
    Rows,
    Segment,
    Strip,
    Table,
    Tone,
)


def details(ref: str) -> Action:
    return Action(label="Details", verb="item.open", ref=ref, submits=False)


def seat(ref: str, name: str, sku: str, minor: int | None, reason: str, *, ticked: bool = True) -> Row:
    return Row(
        title=name,
        subtitle=sku,
        reason=reason,
        amount="No price" if minor is None else f"${minor // 100}.00",
        tick=f"t.{ref}",
        ticked=ticked,
        open=details(ref),
        amount_minor=minor,
        currency=None if minor is None else "USD",
    )


WAVE: Final = CardView(
    kind="review.wave",
    headline=Headline(
        title="9 seats to check", amount="$205.00", context="Q4 seat clean-up", unit="a month + 1 unpriced"
    ),
    body=(
        Paragraph("Answer by Fri 4 Dec 2026. 7 look unused (ticked), 2 need a closer look."),
        Strip(
            tone=Tone.GOOD,
            text="✓ You kept 1 seat.",
            detail="23 Nov 2026, 14:02",
            actions=(Action(label="Undo", verb="wave.undo", ref="w1", batch="b1"),),
        ),
        Rows(
            heading="Looks unused: 7",
            sum="$148.00 a month",
            rows=(
                seat("i01", "Isaiah Langer", "Microsoft 365 Copilot", 3000, "Last used 12 Jul 2026, 134 days ago"),
                seat("i02", "Lee Gu", "Project Plan 3", 3000, "Never used. Seat given 11 Feb 2026"),
                seat("i03", "Diego Siciliani", "Microsoft 365 Copilot", 3000, "Last used 3 Aug 2026, 112 days ago"),
                seat("i04", "Joni Sherman", "Visio Plan 2", 1500, "Last sign-in 24 Jul 2026, 122 days ago"),
                seat("i05", "Lidia Holloway", "Visio Plan 2", 1500, "Last sign-in 1 Aug 2026, 114 days ago"),
                seat("i06", "Alex Wilber", "Power BI Pro", 1400, "Account disabled (first seen 2 Jul 2026)"),
                seat("i07", "Henrietta Mueller", "Power BI Pro", 1400, "Last sign-in 9 Aug 2026, 106 days ago"),
            ),
        ),
        Rows(
            heading="Look closer: 2",
            sum="$57.00 + 1 unpriced",
            rows=(
                seat(
                    "i08",
                    "Grady Archie",
                    "Microsoft 365 E5",
                    5700,
                    "Unused for 141 days, but holds the only mailbox",
                    ticked=False,
                ),
                seat(
                    "i09",
                    "Nestor Wilke",
                    "Teams Premium",
                    None,
                    "Unused for 93 days, 3 days over the limit",
                    ticked=False,
                ),
            ),
        ),
        Box(
            parts=(
                (
                    "What happens next",
                    "Nothing is removed before Fri 4 Dec 2026, 17:00. Until then you can change every answer. Seats "
                    "you do not answer are kept.",
                ),
            )
        ),
    ),
    actions=(
        Action(
            label="Revoke ticked",
            verb="wave.revoke",
            ref="w1",
            emphasis=Emphasis.RECOMMENDED,
            confirm="Revoke the ticked seats?",
        ),
        Action(label="Keep ticked…", verb="wave.keep", ref="w1"),
        Action(label="Delegate ticked…", verb="wave.delegate", ref="w1"),
        Action(label="I am not sure about these", verb="wave.not_sure", ref="w1", more=True),
        Action(label="Untick all", verb="wave.untick", ref="w1", more=True),
    ),
    fallback="Q4 seat clean-up: 9 seats for you to check, $205.00 a month, by Fri 4 Dec 2026.",
    refresh=Refresh("wave.open", "w1"),
)

ITEM: Final = CardView(
    kind="review.item",
    back=Action(label="‹ All 9 seats", verb="wave.open", ref="w1", submits=False),
    headline=Headline(title="Isaiah Langer", amount="$30.00", context="Microsoft 365 Copilot", unit="a month"),
    body=(
        Strip(
            tone=Tone.RECOMMEND,
            text="Recommended: revoke",
            detail="Copilot was last used 134 days ago. The limit is 90 days. Confidence: high, two sources agree.",
        ),
        Facts(
            (
                Fact("Last used", "12 Jul 2026 (Copilot usage report)"),
                Fact("Last sign-in", "9 Jul 2026"),
                Fact("Account", "Active · Marketing · isaiah.langer@contoso.com"),
                Fact("Seat", "Since 3 Mar 2026, through the group Copilot Marketing"),
                Fact("Earlier answers", "None"),
                Fact("Checked", "23 Nov 2026, 13:58. Still unused"),
            )
        ),
        Box(
            parts=(
                (
                    "If you revoke",
                    "Isaiah leaves the group Copilot Marketing on Fri 4 Dec 2026. The group gives nothing else. "
                    "Account, mailbox and files stay. It can be restored until Sun 3 Jan 2027.",
                ),
                ("If you do not answer", "The seat is kept."),
            )
        ),
    ),
    actions=(
        Action(label="Revoke", verb="item.revoke", ref="i01", emphasis=Emphasis.RECOMMENDED),
        Action(label="Keep…", verb="item.keep", ref="i01"),
        Action(label="Delegate…", verb="item.delegate", ref="i01"),
        Action(label="Not sure", verb="item.not_sure", ref="i01", more=True),
    ),
    fallback="One seat to check, $30.00 a month. Answer by Fri 4 Dec 2026.",
    refresh=Refresh("item.open", "i01"),
)

_SPEND = (
    ("Microsoft 365 E5", 798, 1.0, "14 of 180", "$57.00"),
    ("Microsoft 365 E3", 792, 0.992, "22 of 240", "$36.00"),
    ("Microsoft 365 Copilot", 780, 0.977, "26 of 90", "$30.00"),
    ("Project Plan 3", 390, 0.489, "13 of 48", "$30.00"),
    ("Visio Plan 2", 330, 0.414, "22 of 60", "$15.00"),
    ("Power BI Pro", 154, 0.193, "11 of 120", "$14.00"),
    ("Teams Premium", None, None, "6 of 25", "No price"),
)

SPEND: Final = CardView(
    kind="spend",
    headline=Headline(
        title="Recoverable spend", amount="$3,244", context="114 idle seats of 763 · 90 days or more", unit="a month"
    ),
    body=(
        Paragraph("That is $38,928 a year. 6 idle seats have no price and are not in this sum."),
        Paragraph("By SKU, a month", heading=True),
        Chart(
            title="Recoverable a month, by SKU",
            unit="a month",
            bars=tuple(
                Bar(label=sku, amount="6 seats, no price" if usd is None else f"${usd}", share=share, value=usd)
                for sku, usd, share, _, _ in _SPEND
            ),
        ),
        Table(
            header=("SKU", "Idle of held", "Each a month"),
            rows=tuple((sku, idle, each) for sku, _, _, idle, each in _SPEND),
            numeric=(1, 2),
            row_actions=tuple(
                Action(label="Show the seats", verb="spend.seats", ref=f"s{n}") for n in range(len(_SPEND))
            ),
        ),
        Paragraph("Data read 23 Nov 2026, 06:00. Cash is saved when the term ends or seats are reduced.", subtle=True),
    ),
    actions=(
        Action(label="Simulate a campaign", verb="campaign.simulate", ref="", emphasis=Emphasis.RECOMMENDED),
        Action(label="Add price", verb="price.form", ref=""),
        Action(label="Export CSV", verb="", ref="", more=True, link="/files/spend.csv"),
    ),
    fallback="Recoverable spend: $3,244 a month in 114 idle seats. 6 seats have no price.",
)

STATUS: Final = CardView(
    kind="campaign.status",
    headline=Headline(
        title="Q4 seat clean-up",
        amount="60 %",
        context="Open · closes Fri 4 Dec 2026, 17:00 · in 4 days",
        unit="answered",
    ),
    body=(
        Strip(tone=Tone.WARNING, text="7 seats have no manager to ask. They go to Lynne Robbins."),
        Figures((("86", "seats asked"), ("19", "reviewers"), ("$1,892", "a month, likely"))),
        Progress(
            label="52 of 86 answered",
            segments=(
                Segment(colour="revoke", label="revoke", count=41),
                Segment(colour="keep", label="keep", count=9),
                Segment(colour="not_sure", label="not sure", count=2),
                Segment(colour="open", label="open", count=34),
            ),
        ),
        Facts(
            (
                Fact("Approved so far", "$1,206 a month"),
                Fact("Reviewers finished", "11 of 19"),
                Fact("Still open with", "Ben Walters 9 · Debra Berger 8 · 6 more"),
            ),
            ruled=True,
        ),
        Expandable(
            label="Show the campaigns before",
            content=(
                Rows(
                    rows=(
                        Row(
                            title="Q3 seat clean-up",
                            subtitle="closed",
                            reason="49 of 58 seats verified gone",
                            amount="$1,310",
                            name_action=Action(label="Report", verb="campaign.report", ref="c0"),
                        ),
                    )
                ),
            ),
        ),
        Chart(
            title="By reviewer",
            unit="seats",
            bars=(
                Bar(
                    label="Ben Walters",
                    amount="9",
                    share=1.0,
                    value=9,
                    action=Action(label="Open list", verb="campaign.reviewer", ref="r1"),
                ),
            ),
        ),
        Box(parts=(("What happens next", "On Wed 2 Dec 2026, 10:00 their time, 7 reviewers get one reminder."),)),
    ),
    actions=(
        Action(label="Remind 7 people now", verb="campaign.nudge", ref="c1", emphasis=Emphasis.RECOMMENDED),
        Action(label="By reviewer", verb="campaign.reviewers", ref="c1"),
        Action(label="Freeze all removals…", verb="freeze.form", ref="c1", emphasis=Emphasis.DANGER, more=True),
    ),
    fallback="Q4 seat clean-up: 52 of 86 seats answered (60 %). Closes Fri 4 Dec 2026, 17:00.",
    refresh=Refresh("status.open", "c1"),
)

FORM: Final = CardView(
    kind="review.keep",
    headline=Headline(
        title="Keep this seat", amount="$30.00", context="Isaiah Langer · Microsoft 365 Copilot", unit="a month"
    ),
    body=(
        Paragraph("Revoke was recommended, so a reason is needed. One tap is enough."),
        Input(
            id="reason",
            kind=InputKind.CHOICE,
            label="Reason",
            required=True,
            options=(Option("in_use", "Needed for current work"), Option("away", "Away for now")),
            error="Please pick a reason.",
        ),
        Input(
            id="until",
            kind=InputKind.DATE,
            label="Keep until (optional)",
            value="2027-09-01",
            min_date="2026-11-24",
            max_date="2027-05-23",
            error="Please pick a date up to 23 May 2027.",
        ),
        Input(
            id="note",
            kind=InputKind.LONG_TEXT,
            label="Note (optional)",
            value="First line",
            hint="Please leave out health or family details.",
            max_length=1000,
        ),
        Input(
            id="name",
            kind=InputKind.TEXT,
            label="Name of the matter",
            placeholder="For example: audit 2026",
            required=True,
            max_length=300,
        ),
        Input(id="seats", kind=InputKind.NUMBER, label="How many seats", value="3"),
        Input(
            id="team",
            kind=InputKind.SELECT,
            label="Team",
            value="m",
            options=(Option("m", "Marketing"), Option("s", "Sales")),
        ),
        Input(
            id="who",
            kind=InputKind.PERSON,
            label="Person",
            required=True,
            value="p7",
            value_label="Miriam Graham",
            options=(Option("p8", "Megan Bowen"),),
        ),
        Input(id="all", kind=InputKind.TOGGLE, label="Also my other 8 open seats in this campaign", value="true"),
        Box(parts=(("What happens next", "The seat stays with Isaiah. We ask once more in 90 days."),)),
    ),
    actions=(
        Action(label="Keep", verb="item.keep.submit", ref="i01", emphasis=Emphasis.RECOMMENDED),
        Action(label="Back", verb="item.open", ref="i01", submits=False),
    ),
    fallback="Keep a seat: pick a reason.",
)

SAMPLES: Final = {"wave": WAVE, "item": ITEM, "spend": SPEND, "status": STATUS, "form": FORM}

# Fields that hold no words for the reader, or that a channel shows elsewhere.
NOT_SHOWN: Final = frozenset(
    {"verb", "ref", "batch", "confirm", "link", "kind", "refresh", "fallback", "tick", "currency", "colour", "id"}
    | {"min_date", "max_date", "tone", "emphasis"}
)


def dumped(node: object) -> str:
    """Write JSON as a golden file holds it."""
    return json.dumps(node, ensure_ascii=False, indent=1) + "\n"


def words_of(part: object) -> Iterator[str]:
    """Walk a view and yield every text that the reader must see, wherever it stands."""
    if isinstance(part, str):
        if part:
            yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from words_of(each)
    elif dataclasses.is_dataclass(part) and not isinstance(part, type):
        for each in dataclasses.fields(part):
            hidden = each.name == "value" and isinstance(part, Option | Input | Bar) and not _is_typed(part)
            if each.name not in NOT_SHOWN and not hidden:
                yield from words_of(getattr(part, each.name))


def actions_of(part: object) -> Iterator[Action]:
    """Walk a view and yield every action."""
    if isinstance(part, Action):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from actions_of(each)
    elif dataclasses.is_dataclass(part):
        for each in dataclasses.fields(part):
            yield from actions_of(getattr(part, each.name))


def _is_typed(part: Option | Input | Bar) -> bool:
    return isinstance(part, Input) and part.kind in {
        InputKind.TEXT,
        InputKind.LONG_TEXT,
        InputKind.NUMBER,
        InputKind.DATE,
    }
