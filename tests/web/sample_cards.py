"""Cards of one made-up story, as the pictures of the design show them: for the demo server and the tests."""

from cards.view import (
    Action,
    Bar,
    Box,
    CardView,
    Chart,
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
    Progress,
    Row,
    Rows,
    Segment,
    Strip,
    Table,
    Tone,
)

REC = Emphasis.RECOMMENDED
UNUSED = [
    ("t.i1", "Isaiah Langer", "Microsoft 365 Copilot", "Last used 12 Jul 2026, 134 days ago", 3000),
    ("t.i2", "Lee Gu", "Project Plan 3", "Never used. Seat given 11 Feb 2026", 3000),
    ("t.i3", "Diego Siciliani", "Microsoft 365 Copilot", "Last used 3 Aug 2026, 112 days ago", 3000),
    ("t.i4", "Joni Sherman", "Visio Plan 2", "Last sign-in 24 Jul 2026, 122 days ago", 1500),
    ("t.i5", "Lidia Holloway", "Visio Plan 2", "Last sign-in 1 Aug 2026, 114 days ago", 1500),
    ("t.i6", "Alex Wilber", "Power BI Pro", "Account disabled (first seen 2 Jul 2026)", 1400),
    ("t.i7", "Henrietta Mueller", "Power BI Pro", "Last sign-in 9 Aug 2026, 106 days ago", 1400),
]
CLOSER = [
    ("t.i8", "Grady Archie", "Microsoft 365 E5", "Unused for 141 days, but holds the only mailbox", 5700),
    ("t.i9", "Nestor Wilke", "Teams Premium", "Unused for 93 days, 3 days over the limit", None),
]
SKUS = [
    ("Microsoft 365 E5", "14 of 180", "$57.00", 798),
    ("Microsoft 365 E3", "22 of 240", "$36.00", 792),
    ("Microsoft 365 Copilot", "26 of 90", "$30.00", 780),
    ("Project Plan 3", "13 of 48", "$30.00", 390),
    ("Visio Plan 2", "22 of 60", "$15.00", 330),
    ("Power BI Pro", "11 of 120", "$14.00", 154),
    ("Teams Premium", "6 of 25", "No price", None),
]


def hero() -> CardView:
    return CardView(
        kind="guide.hero",
        headline=Headline(
            title="114 of 763 seats look unused.",
            amount="$3,244",
            unit="a month",
            context="Unused for 90 days or more. 6 of them have no price and are not in this sum.",
            hero="They cost",
        ),
        body=(
            Paragraph(
                "Hi Allan. This is a practice tenant with 400 made-up people. Nothing is real, press everything."
            ),
            Paragraph(
                "In about five minutes you find the idle seats, ask the managers and take back what they approve."
            ),
            Box(
                parts=(
                    (
                        "What happens next",
                        "You see where the money is. Nobody is asked, nothing is removed until you start a campaign.",
                    ),
                )
            ),
        ),
        actions=(
            Action(label="Show where the money is", verb="guide.look", ref="", emphasis=REC),
            Action(label="Play the whole story for me", verb="guide.play", ref=""),
        ),
        fallback="114 of 763 seats look unused.",
    )


def spend() -> CardView:
    return CardView(
        kind="spend",
        headline=Headline(
            title="Recoverable spend",
            amount="$3,244",
            unit="a month",
            context="114 idle seats of 763 · 90 days or more",
        ),
        body=(
            Paragraph("That is $38,928 a year. 6 idle seats have no price and are not in this sum."),
            Paragraph("By SKU, a month", heading=True),
            Chart(
                title="Recoverable by SKU",
                unit="a month",
                bars=tuple(
                    Bar(label=name, amount=f"${sum_}" if sum_ else "No price", share=sum_ / 798 if sum_ else None)
                    for name, _, _, sum_ in SKUS
                ),
            ),
            Table(
                header=("SKU", "Idle of held", "Each a month"),
                rows=tuple((name, idle, each) for name, idle, each, _ in SKUS),
                numeric=(1, 2),
                row_actions=tuple(Action(label="Show seats", verb="spend.seats", ref=name) for name, *_ in SKUS),
            ),
            Paragraph(
                "Data read Mon 23 Nov 2026, 06:00. Cash is saved when the term ends or seats are reduced.", subtle=True
            ),
        ),
        actions=(
            Action(label="Start a campaign", verb="campaign.form", ref="new", emphasis=REC),
            Action(label="Seats by SKU", verb="spend.seats", ref="all"),
            Action(label="Export CSV", verb="spend.export", ref="all", more=True),
        ),
        fallback="114 idle seats cost $3,244 a month.",
    )


def form(error: str | None = None, name: str = "") -> CardView:
    return CardView(
        kind="campaign.form",
        headline=Headline(title="Start a campaign", context="Nothing is sent before you have seen the preview"),
        body=(
            Input(id="name", kind=InputKind.TEXT, label="Name", required=True, value=name, error=error, max_length=60),
            Input(
                id="window",
                kind=InputKind.CHOICE,
                label="Which seats",
                value="90",
                options=(
                    Option("180", "Clear cases: disabled or unused for 180 days"),
                    Option("90", "Broad: unused for 90 days"),
                ),
            ),
            Input(
                id="silence",
                kind=InputKind.SELECT,
                label="If there is no answer",
                value="keep",
                options=(Option("keep", "Keep the seat"), Option("follow", "Follow the recommendation")),
            ),
            Input(
                id="fallback", kind=InputKind.PERSON, label="If nobody is found", hint="Gets seats without a manager."
            ),
            Input(id="until", kind=InputKind.DATE, label="Answer by", value="2026-12-04"),
            Input(id="disabled", kind=InputKind.TOGGLE, label="Disabled accounts too", value="true"),
            Box(parts=(("What happens next", "You see whom it asks and what it can bring. Nothing is sent yet."),)),
        ),
        actions=(
            Action(label="Preview", verb="campaign.preview", ref="new", emphasis=REC),
            Action(label="Discard", verb="campaign.discard", ref="new", submits=False),
        ),
        fallback="Start a campaign.",
    )


def preview() -> CardView:
    removable = (("Yes, by Reclaim", "71"), ("By hand: dynamic, synced or mail-enabled group", "11"))
    left_out = (("Shared mailboxes and service accounts", "9"), ("Kept until a later date", "8"))
    return CardView(
        kind="campaign.preview",
        headline=Headline(title="Check before you start", context="Q4 seat clean-up · nothing has been sent yet"),
        body=(
            Figures(
                (
                    ("86", "seats to ask about"),
                    ("19", "reviewers, 12 seats at most each"),
                    ("$1,892", "a month, likely"),
                )
            ),
            Paragraph(
                "Low $1,204 (disabled or unused for 180 days) · high $2,416 (every seat). 5 seats have no price.",
                subtle=True,
            ),
            Paragraph("Can each seat be removed?", heading=True),
            Facts(facts=tuple(Fact(*pair) for pair in removable), ruled=True),
            Paragraph("Left out: 28 of 114 idle seats", heading=True),
            Facts(facts=tuple(Fact(*pair) for pair in left_out), ruled=True),
            Strip(tone=Tone.WARNING, text="7 seats have no manager to ask. They go to Lynne Robbins."),
            Box(
                parts=(
                    (
                        "When you start",
                        "19 people get one message each today between 09:00 and 17:00 their time. They have until "
                        "Fri 4 Dec 2026, 17:00. Seats without an answer are kept.",
                    ),
                )
            ),
        ),
        actions=(
            Action(label="Start, ask 19 people", verb="campaign.launch", ref="c1", emphasis=REC),
            Action(label="Change", verb="campaign.form", ref="c1"),
            Action(label="Show the seats", verb="campaign.seats", ref="c1"),
            Action(label="Discard", verb="campaign.discard", ref="c1", more=True, confirm="Discard this draft?"),
        ),
        fallback="Q4 seat clean-up, preview: 86 seats, 19 reviewers. Nothing has been sent yet.",
    )


def _row(tick: str, name: str, sku: str, reason: str, minor: int | None, *, ticked: bool) -> Row:
    return Row(
        title=name,
        subtitle=sku,
        reason=reason,
        amount=f"${minor / 100:.2f}" if minor else "No price",
        tick=tick,
        ticked=ticked,
        open=Action(label="Details", verb="item.show", ref=tick[2:]),
        amount_minor=minor,
        currency="USD" if minor else None,
    )


def wave(*, decided: bool = False) -> CardView:
    body: list[Element] = []
    if decided:
        body.append(
            Strip(
                tone=Tone.GOOD,
                text="✓ You revoked 7 seats: $148.00 a month",
                detail="Mon 23 Nov 2026, 14:02",
                actions=(
                    Action(label="Undo", verb="wave.undo", ref="w1", batch="b1", submits=False),
                    Action(label="Show the 7", verb="wave.answered", ref="w1", submits=False),
                ),
            )
        )
    else:
        body.append(Paragraph("Answer by Fri 4 Dec 2026. 7 look unused (ticked), 2 need a closer look."))
        unused = tuple(_row(*each, ticked=True) for each in UNUSED)
        body.append(Rows(heading="Looks unused: 7", sum="$148.00 a month", rows=unused))
    closer = tuple(_row(*each, ticked=False) for each in CLOSER)
    body += [
        Rows(heading="Look closer: 2", sum="$57.00 + 1 unpriced", rows=closer),
        Box(
            parts=(
                (
                    "What happens next",
                    "Nothing is removed before Fri 4 Dec 2026, 17:00. Until then you can change every answer. Seats "
                    "you do not answer are kept.",
                ),
            )
        ),
    ]
    return CardView(
        kind="review.wave",
        headline=Headline(
            title="2 seats left" if decided else "9 seats to check",
            amount="$57.00" if decided else "$205.00",
            unit="a month + 1 unpriced",
            context="Q4 seat clean-up",
        ),
        body=tuple(body),
        actions=(
            Action(label="Revoke ticked", verb="wave.revoke", ref="w1", emphasis=Emphasis.DEFAULT if decided else REC),
            Action(label="Keep ticked…", verb="wave.keep", ref="w1"),
            Action(label="Delegate ticked…", verb="wave.delegate", ref="w1"),
            Action(label="I am not sure about these", verb="wave.not_sure", ref="w1", more=True),
            Action(label="Why these seats?", verb="wave.why", ref="w1", more=True),
        ),
        fallback="Q4 seat clean-up: 9 seats for you to check, $205.00 a month, by Fri 4 Dec 2026.",
    )


def item() -> CardView:
    return CardView(
        kind="review.item",
        back=Action(label="‹ All 9 seats", verb="wave.show", ref="w1", submits=False),
        headline=Headline(title="Isaiah Langer", amount="$30.00", unit="a month", context="Microsoft 365 Copilot"),
        body=(
            Strip(
                tone=Tone.RECOMMEND,
                text="Recommended: revoke",
                detail="Copilot was last used 134 days ago. The limit is 90 days. Confidence: high, two sources agree.",
            ),
            Facts(
                facts=(
                    Fact("Last used", "12 Jul 2026 (Copilot usage report)"),
                    Fact("Last sign-in", "9 Jul 2026"),
                    Fact("Account", "Active · Marketing · isaiah.langer@contoso.com"),
                    Fact("Seat", "Since 3 Mar 2026, through the group Copilot Marketing"),
                    Fact("Earlier answers", "None"),
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
            Action(label="Revoke", verb="item.revoke", ref="i1", emphasis=REC),
            Action(label="Keep…", verb="item.keep", ref="i1"),
            Action(label="Delegate…", verb="item.delegate", ref="i1"),
            Action(label="Not sure", verb="item.not_sure", ref="i1", more=True),
        ),
        fallback="One seat to check, $30.00 a month. Answer by Fri 4 Dec 2026.",
    )


def delegate() -> CardView:
    return CardView(
        kind="review.delegate",
        back=Action(label="‹ All 9 seats", verb="wave.show", ref="w1", submits=False),
        headline=Headline(title="Delegate 7 seats", context="Q4 seat clean-up"),
        body=(
            Paragraph("Who can tell better whether they still need it?"),
            Input(id="who", kind=InputKind.PERSON, label="Person", required=True, placeholder="Begin to type a name"),
            Input(id="why", kind=InputKind.LONG_TEXT, label="Why this person?", required=True, max_length=300),
            Box(parts=(("What happens next", "The person gets the seats now and has until Fri 4 Dec 2026, 17:00."),)),
        ),
        actions=(
            Action(label="Delegate", verb="wave.delegate.submit", ref="w1"),
            Action(label="Back", verb="wave.show", ref="w1", submits=False),
        ),
        fallback="Delegate 7 seats.",
    )


def status() -> CardView:
    return CardView(
        kind="campaign.status",
        headline=Headline(
            title="Q4 seat clean-up",
            amount="60 %",
            unit="answered",
            context="Open · closes Fri 4 Dec 2026, 17:00 · in 4 days",
        ),
        body=(
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
                ruled=True,
                facts=(
                    Fact("Approved so far", "$1,206 a month"),
                    Fact("Reviewers finished", "11 of 19"),
                    Fact("Still open with", "Ben Walters 9 · Debra Berger 8 · 6 more"),
                    Fact("Could not be reached", "1: Enrico Cattaneo"),
                ),
            ),
            Box(
                parts=(
                    (
                        "What happens next",
                        "On Wed 2 Dec 2026, 10:00 their time, 7 reviewers with open seats get one reminder. Enrico "
                        "Cattaneo cannot be reached in chat, so those 3 seats go to Lynne Robbins today.",
                    ),
                )
            ),
        ),
        actions=(
            Action(label="Remind 7 people now", verb="campaign.nudge", ref="c1", emphasis=REC),
            Action(label="By reviewer", verb="campaign.reviewers", ref="c1"),
            Action(label="Close early…", verb="campaign.close", ref="c1"),
            Action(label="Freeze all removals…", verb="campaign.freeze", ref="c1", more=True, emphasis=Emphasis.DANGER),
        ),
        fallback="Q4 seat clean-up: 52 of 86 answered, closes Fri 4 Dec 2026.",
    )
