"""What a campaign would do: the preview before its start, a simulation, its seats, and a start that waits for a second admin.

For who runs campaigns. Every idle seat is accounted for, and every sum says what it leaves out.
"""

from collections.abc import Sequence
from datetime import datetime

from cards import formats
from cards.phrases import (
    close_time,
    data_read,
    dry_run,
    name,
    names,
    next_box,
    silence_of_campaign,
    sku,
    title,
    unpriced,
)
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
    Paragraph,
    Row,
    Rows,
    Strip,
    Tone,
)
from reclaim.domain.campaign import Strategy, WriteMode
from reclaim.domain.confirmation import LaunchState
from reclaim.domain.idle import CLEAR_DAYS
from reclaim.domain.read_models import LaunchRequestView, OverLimit, StartPreview, StartSeat, StartSeats
from reclaim.domain.removal import Blocker
from reclaim.domain.selection import LeftOutWhy

MANY_SEATS = 30  # for one reviewer, from which the preview warns
_REVIEWERS_NAMED = 3
_SHARES_NAMED = 3
LEFT_OUT = {
    LeftOutWhy.SCOPE.value: "Not selected",
    LeftOutWhy.EXCLUDED.value: "Excluded, with a reason",
    LeftOutWhy.ASKED.value: "Asked in another campaign now",
    LeftOutWhy.ANSWERED.value: "Answered or kept until a later date",
    LeftOutWhy.NO_REVIEWER.value: "Nobody may review them",
}
PREVIEW_MOVED = "A second admin is asked. The newest message shows the answer."


def preview_card(preview: StartPreview, now: datetime, zone: str) -> CardView:
    """Draw what the campaign would do, with the way to start it, or to have it confirmed."""
    return CardView(
        kind="campaign.preview",
        headline=Headline(title="Check before you start", context=f"{title(preview.name)} · nothing has been sent yet"),
        body=(*_body(preview, now, zone), _when_you_start(preview, zone)),
        actions=_preview_actions(preview),
        fallback=_fallback(preview, "preview"),
    )


def simulation_card(preview: StartPreview, now: datetime, zone: str, *, may_start: bool, may_list: bool) -> CardView:
    """Draw the same figures without a start; `may_start` leads on to the form, `may_list` to the seats."""
    start = Action(
        label="Start…", verb="start.simulated", ref=preview.ref, emphasis=Emphasis.RECOMMENDED, submits=False
    )
    seats = Action(label="Show the seats", verb="start.seats", ref=f"{preview.ref}:1", submits=False)
    return CardView(
        kind="campaign.simulation",
        headline=Headline(title="Simulation", context=f"{title(preview.name)} · nothing is sent or started"),
        body=(*_body(preview, now, zone), _when_you_start(preview, zone)),
        actions=(*([start] if may_start else []), *([seats] if may_list and preview.items else [])),
        fallback=_fallback(preview, "simulation"),
    )


def start_seats_card(seats: StartSeats) -> CardView:
    """Draw a page of the seats that a campaign would ask about, each with its reviewer."""
    rows = tuple(
        Row(
            title=row.person_name,
            subtitle=row.sku_name,
            reason=f"Asked: {name(row.reviewer_name)} · {_way(row)}",
            amount=formats.price(row.monthly),
        )
        for row in seats.rows
    )
    pages = []
    if seats.page > 1:
        pages.append(
            Action(label="Previous 10", verb="start.seats", ref=f"{seats.ref}:{seats.page - 1}", submits=False)
        )
    if seats.page < seats.pages:
        pages.append(Action(label="Next 10", verb="start.seats", ref=f"{seats.ref}:{seats.page + 1}", submits=False))
    text = f"Page {formats.number(seats.page)} of {formats.number(seats.pages)}"
    turn = [Strip(tone=Tone.NEUTRAL, text=text, actions=tuple(pages))] if pages else []
    count = formats.count(seats.total, "seat")
    return CardView(
        kind="campaign.items",
        headline=Headline(title=f"{count} to ask about", context=f"{title(seats.name)} · nothing has been sent yet"),
        back=Action(label="‹ Preview", verb="start.show", ref=seats.ref, submits=False),
        body=(Rows(rows=rows), *turn),
        fallback=f"{title(seats.name)}: {count} to ask about. Nothing has been sent yet.",
    )


def asked_card() -> CardView:
    """Draw what stays of a preview once a second admin is asked: the live card is a message of its own."""
    return CardView(kind="campaign.asked", headline=Headline(title=PREVIEW_MOVED), body=(), fallback=PREVIEW_MOVED)


def launch_request_card(request: LaunchRequestView, zone: str, *, to_asker: bool) -> CardView:
    """Draw a start that waits for a second admin, or how that ended; the asker and the other admins see their own side."""
    if request.state != LaunchState.ASKED.value:
        return _settled_card(request, zone, to_asker=to_asker)
    return _waiting_card(request, zone) if to_asker else _confirm_card(request, zone)


def _waiting_card(request: LaunchRequestView, zone: str) -> CardView:
    who = names(request.asked_names, "or") or "another admin"
    preview = request.preview
    return CardView(
        kind="launch.waiting",
        headline=Headline(title=f"{title(request.campaign_name)} waits for a second admin"),
        body=(
            Strip(tone=Tone.NEUTRAL, text=f"Waiting for {who} to confirm."),
            *(_over_paragraph(preview.over) if preview and preview.over else ()),
            Facts((Fact("Can be confirmed until", formats.moment(request.expires_at, zone, weekday=True)),)),
            next_box(
                "It starts as soon as one of them confirms.", "Nothing is sent before. Newer data may end the wait."
            ),
        ),
        actions=(Action(label="Withdraw", verb="launch.withdraw", ref=request.ref, submits=False),),
        fallback=f"{title(request.campaign_name)} waits for a second admin to confirm.",
    )


def _confirm_card(request: LaunchRequestView, zone: str) -> CardView:
    preview = request.preview
    asks = f"{name(request.by_name)} asks you to confirm this campaign."
    until = f"You can confirm until {formats.moment(request.expires_at, zone, weekday=True)}."
    figures: list[Element] = [Figures(figures=_figures(preview)), *_money(preview)] if preview else []
    facts = [Facts(_terms(preview, zone), ruled=True)] if preview else []
    confirm = Action(label="Confirm", verb="launch.confirm", ref=request.ref, submits=False)
    decline = Action(label="Decline", verb="launch.decline", ref=request.ref, submits=False)
    return CardView(
        kind="launch.confirm",
        headline=Headline(title="Confirm a large campaign?", context=title(request.campaign_name)),
        body=(
            Strip(tone=Tone.NEUTRAL, text=asks),
            *(_over_paragraph(preview.over) if preview and preview.over else ()),
            *(dry_run(preview.mode) if preview else ()),
            *figures,
            *facts,
            next_box(
                f"If you confirm, {_get(len(preview.reviewers))}" if preview else "",
                "All is checked once more, and only these seats are asked about.",
                until,
                "Without an answer nothing starts.",
            ),
        ),
        actions=(confirm, decline) if preview else (decline,),
        fallback=f"{title(request.campaign_name)}: {_seats(preview)} wait for your confirmation.",
    )


def _settled_card(request: LaunchRequestView, zone: str, *, to_asker: bool) -> CardView:
    who = name(request.settled_by_name) if request.settled_by_name else "Somebody"
    at = f" on {formats.moment(request.settled_at, zone)}" if request.settled_at else ""
    said = {
        LaunchState.CONFIRMED.value: (Tone.GOOD, f"{who} confirmed{at}. The campaign is opening."),
        LaunchState.DECLINED.value: (Tone.WARNING, f"{who} declined{at}. Nothing has started."),
        LaunchState.CHANGED.value: (
            Tone.WARNING,
            "The data or the form changed since, so this cannot be confirmed. Nothing has started.",
        ),
        LaunchState.EXPIRED.value: (Tone.WARNING, "Nobody confirmed in time. Nothing has started."),
        LaunchState.WITHDRAWN.value: (Tone.NEUTRAL, f"{who} withdrew the request{at}. Nothing has started."),
    }
    tone, text = said[request.state]
    confirmed = request.state == LaunchState.CONFIRMED.value
    if not to_asker:
        actions: tuple[Action, ...] = ()
    elif confirmed:
        actions = (Action(label="Status", verb="status.open", ref=request.draft_ref, submits=False),)
    else:
        actions = (Action(label="Change…", verb="start.reopen", ref=request.draft_ref, submits=False),)
    more = [next_box("A card tells you how far the messages are.")] if confirmed and to_asker else []
    outcome = "confirmed" if confirmed else "not started"
    return CardView(
        kind="launch.settled",
        headline=Headline(title=title(request.campaign_name) or "A campaign"),
        body=(Strip(tone=tone, text=text), *more),
        actions=actions,
        fallback=f"{title(request.campaign_name)}: {outcome}.",
    )


def _terms(preview: StartPreview, zone: str) -> tuple[Fact, ...]:
    return (
        *_reviewer_facts(preview),
        Fact("Answer by", close_time(preview.due_at, zone)),
        Fact("If there is no answer", silence_of_campaign(preview.silence)),
    )


def _seats(preview: StartPreview | None) -> str:
    return formats.count(preview.items, "seat") if preview else "its seats"


def _body(preview: StartPreview, now: datetime, zone: str) -> list[Element]:
    stale = preview.data.stale
    reviewers = _reviewer_facts(preview)
    asked: list[Element] = [Paragraph("Who is asked", heading=True), Facts(reviewers, ruled=True)]
    return [
        *dry_run(preview.mode),
        Figures(figures=_figures(preview)),
        *_money(preview),
        *(asked if reviewers else []),
        Paragraph("Can each seat be removed?", heading=True),
        Facts(_removable(preview), ruled=True),
        *_left_out(preview),
        *_warnings(preview),
        *(data_read(preview.data, now, zone) if stale else ()),
    ]


def _figures(preview: StartPreview) -> tuple[tuple[str, str], ...]:
    most = max((load.seats for load in preview.reviewers), default=0)
    reviewers = "reviewer" if len(preview.reviewers) == 1 else "reviewers"
    # What is recommended may be all that can be removed: then it is the most, and calling it likely would be bold.
    label = "a month at most" if preview.likely == preview.high else "a month, likely"
    return (
        (formats.number(preview.items), "seat to ask about" if preview.items == 1 else "seats to ask about"),
        (formats.number(len(preview.reviewers)), f"{reviewers}, {formats.count(most, 'seat')} at most each"),
        (formats.amounts(preview.likely, whole=True) or "No price", label),
    )


def _money(preview: StartPreview) -> list[Paragraph]:
    low, high = (formats.amounts(one, whole=True) for one in (preview.low, preview.high))
    if high:
        means = f"(disabled or unused for {CLEAR_DAYS} days)"
        least = f"Low {low} {means}" if low else f"Low: no priced seat is a clear case {means}"
        sums = f"{least} · high {high} (every seat that Reclaim can remove)."
    else:
        sums = "" if preview.writable else "Reclaim can remove none of these by itself."
    text = " ".join(part for part in (sums, unpriced(preview.high)) if part)
    return [Paragraph(text, subtle=True)] if text else []


def _reviewer_facts(preview: StartPreview) -> tuple[Fact, ...]:
    """Name the two or three with the most seats, and count the others with theirs: it adds up to the seats."""
    first = preview.reviewers[:_REVIEWERS_NAMED]
    rest = preview.reviewers[_REVIEWERS_NAMED:]
    facts = tuple(Fact(name(load.name), formats.count(load.seats, "seat")) for load in first)
    if not rest:
        return facts
    left = formats.count(sum(load.seats for load in rest), "seat")
    return (*facts, Fact(f"{formats.number(len(rest))} more", left))


def _removable(preview: StartPreview) -> tuple[Fact, ...]:
    blockers = tuple(Fact(_blocker(value), formats.number(seats)) for value, seats in preview.blockers)
    rest = preview.items - preview.writable - sum(seats for _, seats in preview.blockers)
    unknown = (Fact("By hand: no way to remove it was found", formats.number(rest)),) if rest > 0 else ()
    label = "Of these, only with a license that needs it"
    needed = (Fact(label, formats.number(preview.needed)),) if preview.needed else ()
    return (Fact("Yes, by Reclaim", formats.number(preview.writable)), *needed, *blockers, *unknown)


def _blocker(value: str) -> str:
    return BLOCKERS[Blocker(value)] if value in Blocker._value2member_map_ else "By hand"


def _way(row: StartSeat) -> str:
    if row.writable:
        others = " and ".join(map(sku, row.needed_by))
        return f"removed by Reclaim, only with {others}" if others else "removed by Reclaim"
    label = _blocker(row.blocker) if row.blocker else "By hand"
    return label[0].lower() + label[1:]


def _left_out(preview: StartPreview) -> list[Element]:
    left = sum(one.seats for one in preview.left_out)
    if not left:
        return [Paragraph(f"Nothing is left out: all {formats.number(preview.idle)} idle seats are asked about.")]
    facts = tuple(
        Fact(LEFT_OUT.get(one.reason, one.reason.replace("_", " ").capitalize()), formats.number(one.seats))
        for one in preview.left_out
    )
    heading = f"Left out: {formats.number(left)} of {formats.number(preview.idle)} idle seats"
    return [Paragraph(heading, heading=True), Facts(facts, ruled=True)]


def _warnings(preview: StartPreview) -> list[Strip]:
    texts = [
        *_fallback_warning(preview),
        *(
            f"{name(load.name)} is asked about {formats.number(load.seats)} seats. That is a lot for one person."
            for load in preview.reviewers[:_REVIEWERS_NAMED]
            if load.seats > MANY_SEATS
        ),
        *(
            f"{formats.number(share.items)} of {formats.number(share.held)} seats of "
            f"{formats.one_line(share.name, formats.SKU_MAX)} are asked about."
            for share in preview.shares[:_SHARES_NAMED]
        ),
    ]
    if preview.named_not_idle:
        text = f"{formats.number(preview.named_not_idle)} of the people and seats that you named have no idle seat."
        texts.append(text)
    waiting = (
        [Strip(tone=Tone.NEUTRAL, text=f"Waiting for {names(preview.waiting_for, 'or')} to confirm.")]
        if preview.waiting_for
        else []
    )
    return [
        *waiting,
        *(_over_strip(preview.over) if preview.over else ()),
        *(Strip(tone=Tone.WARNING, text=text) for text in texts),
    ]


def _fallback_warning(preview: StartPreview) -> list[str]:
    if preview.fallback_name is None:
        return ["Nobody stands in where no reviewer is found: such seats are left out and kept."]
    if not preview.to_fallback:
        return []
    one = preview.to_fallback == 1
    missing = "manager" if preview.strategy is Strategy.MANAGER else "reviewer"
    have, go = ("has", "It goes") if one else ("have", "They go")
    seats = formats.count(preview.to_fallback, "seat")
    return [f"{seats} {have} no {missing} to ask. {go} to {name(preview.fallback_name)}."]


def _over_strip(over: OverLimit) -> tuple[Strip]:
    if over.hard:
        return (Strip(tone=Tone.BAD, text=f"{_over(over)} It cannot start: narrow the scope."),)
    return (Strip(tone=Tone.WARNING, text=f"{_over(over)} Narrow the scope, or let a second admin confirm."),)


def _over_paragraph(over: OverLimit) -> tuple[Paragraph]:
    return (Paragraph(_over(over)),)


def _over(over: OverLimit) -> str:
    selected, limit = formats.number(over.selected), formats.number(over.limit)
    of = ""
    if over.sku_name is not None and over.held is not None:
        of = f" of the {formats.number(over.held)} seats of {formats.one_line(over.sku_name, formats.SKU_MAX)}"
    return f"This campaign has {selected}{of or ' seats'}. The limit is {limit}."


def _get(people: int) -> str:
    return "1 person gets one message." if people == 1 else f"{formats.number(people)} people get one message each."


def _when_you_start(preview: StartPreview, zone: str) -> Box:
    removed = (
        "Nothing is removed: this is a dry run."
        if preview.mode is WriteMode.DRY_RUN
        else "Each removal is checked before it counts."
    )
    until = f"They have until {close_time(preview.due_at, zone)}."
    text = f"{_get(len(preview.reviewers))} {until} {silence_of_campaign(preview.silence)} {removed}"
    return Box(parts=(("When you start", text),))


def _preview_actions(preview: StartPreview) -> tuple[Action, ...]:
    ref = preview.ref
    change = Action(label="Change", verb="start.change", ref=ref, submits=False)
    discard = Action(label="Discard", verb="start.discard", ref=ref, more=True, submits=False)
    if preview.data.stale:
        return (Action(label="Read now", verb="sync.run", ref="now", submits=False), change, discard)
    if not preview.items:
        return (change, discard)
    seats = Action(label="Show the seats", verb="start.seats", ref=f"{ref}:1", submits=False)
    if preview.waiting_for:
        return (change, seats, discard)
    return (_go(preview), change, seats, discard)


def _go(preview: StartPreview) -> Action:
    if preview.over is not None:
        return Action(label="Ask a second admin", verb="start.ask", ref=preview.ref, submits=False)
    ask = formats.count(len(preview.reviewers), "person", "people")
    return Action(label=f"Start, ask {ask}", verb="start.launch", ref=preview.ref, emphasis=Emphasis.RECOMMENDED)


def _fallback(preview: StartPreview, what: str) -> str:
    parts: Sequence[str] = (
        formats.count(preview.items, "seat"),
        formats.count(len(preview.reviewers), "reviewer"),
    )
    money = formats.monthly(preview.likely, whole=True)
    sum_ = f"{money} at most" if preview.likely == preview.high else f"likely {money}"
    return f"{title(preview.name)}, {what}: {', '.join(parts)}, {sum_}. Nothing has been sent yet."
