"""The way back in words: undo, what was restored and what was not, seats that came back by themselves, "want it back?"."""

from collections.abc import Sequence

from cards import formats
from cards.phrases import group, name, next_box, sentences, sku, title, unpriced
from cards.view import (
    Action,
    CardView,
    Element,
    Emphasis,
    Fact,
    Facts,
    Headline,
    Input,
    InputKind,
    Option,
    Paragraph,
    Refresh,
    Row,
    Rows,
    Strip,
    Tone,
)
from reclaim.domain.read_models import SeatReceipt
from reclaim.domain.restore import AskedHow, Restore, RestoreState, Returned, WhyNot
from reclaim.domain.restore_views import (
    AskBackView,
    CameBackView,
    RestoreLine,
    RestorePreview,
    RestoresView,
    WayBack,
)
from reclaim.domain.review import ReviewItem

COMING = "It is coming back. It can take an hour to show."
_LISTED = 10
_OPTION_MAX = 60


def restoring_card(line: RestoreLine, zone: str, *, may_undo: bool) -> CardView:
    """Draw one removed seat with its way back, to who runs campaigns."""
    item, way = line.item, line.way
    strip = way_strip(way, zone)
    body: list[Element] = [strip] if strip else []
    facts = [Fact("Removed", _removed(item, zone))]
    if way.restore is not None and line.asked_by_name:
        facts.append(Fact("Asked by", f"{name(line.asked_by_name)}, {formats.moment(way.restore.asked_at, zone)}"))
    if way.until is not None:
        facts.append(Fact("Back until", formats.moment(way.until, zone)))
    body.append(Facts(tuple(facts)))
    if way.open:
        body.append(next_box("It comes back as it was: the same plans, the same groups. It takes a free seat."))
    elif way.restore is None and way.refusal:
        body.append(Paragraph(way.refusal))
    return CardView(
        kind="restore.item",
        headline=Headline(
            title=name(item.snapshot.person_name),
            amount=formats.price(item.snapshot.monthly),
            context=sku(item.snapshot.sku_name),
            unit="a month" if item.snapshot.monthly else None,
        ),
        body=tuple(body),
        actions=(_again(item, way),) if way.open and may_undo else (),
        fallback="One removed seat and its way back.",
        refresh=Refresh("restore.open", item.id),
    )


def undoing_card(preview: RestorePreview, zone: str) -> CardView:
    """Draw the step before a campaign's removals are undone: what would come back."""
    seats = formats.count(preview.seats, "seat")
    whose = f" of {name(preview.person_name)}" if preview.person_name else ""
    body: list[Element] = []
    if preview.lines:
        body.append(Rows(rows=tuple(_row(line, zone) for line in preview.lines)))
    if left := preview.seats - len(preview.lines):
        body.append(Paragraph(f"And {formats.number(left)} more.", subtle=True))
    body += [Paragraph(f"{formats.count(number, 'seat')}: {why}", subtle=True) for why, number in preview.stays]
    if preview.seats:
        body.append(
            next_box(
                "Each comes back as it was: the same plans, the same groups. Each takes a free seat.",
                "You see here what came back and what did not.",
                unpriced(preview.monthly),
            )
        )
    else:
        body.append(Paragraph("No seat of this campaign can be restored now."))
    ref = f"{preview.campaign_id}:{preview.person_id}" if preview.person_id else preview.campaign_id
    actions = [
        Action(label=f"Restore {seats}", verb="restore.campaign.submit", ref=ref),
        Action(label="Back", verb="status.open", ref=preview.campaign_id, submits=False),
    ]
    return CardView(
        kind="restore.preview",
        headline=Headline(
            title=f"Restore {seats}{whose}?" if preview.seats else "Nothing to restore",
            amount=formats.amounts(preview.monthly),
            context=title(preview.campaign_name),
            unit=formats.unit(preview.monthly) if preview.monthly.amounts else None,
        ),
        body=tuple(body),
        actions=tuple(actions if preview.seats else actions[1:]),
        fallback=f"{title(preview.campaign_name)}: {seats} can be restored. Nothing was changed yet.",
    )


def restores_card(view: RestoresView, zone: str) -> CardView:
    """Draw where the restores of a campaign stand."""
    body: list[Element] = []
    if view.restoring:
        verb = "is" if view.restoring == 1 else "are"
        text = f"{formats.count(view.restoring, 'seat')} {verb} coming back. This card updates itself."
        body.append(Strip(tone=Tone.NEUTRAL, text=text))
    if view.failed:
        body.append(Strip(tone=Tone.WARNING, text=f"{formats.count(view.failed, 'seat')} could not be restored."))
    if view.lines:
        body.append(Rows(rows=tuple(_row(line, zone) for line in view.lines)))
    total = view.restoring + view.restored + view.failed
    if left := total - len(view.lines):
        body.append(Paragraph(f"And {formats.number(left)} more.", subtle=True))
    if view.asked_back:
        asked = "was asked for by its holder" if view.asked_back == 1 else "were asked for by their holders"
        body.append(Paragraph(f"{formats.count(view.asked_back, 'seat')} {asked}: a removal too many."))
    failed = [line for line in view.lines if line.way.restore and line.way.restore.state is RestoreState.FAILED]
    actions = [Action(label="Status", verb="status.open", ref=view.campaign_id, submits=False)]
    if any(line.way.open for line in failed):
        actions.insert(0, Action(label="Try again", verb="restore.campaign", ref=view.campaign_id, submits=False))
    return CardView(
        kind="restore.status",
        headline=Headline(
            title=f"{formats.count(view.restored, 'seat')} restored",
            amount=f"{formats.number(view.restored)} of {formats.number(total)}",
            context=title(view.campaign_name),
            unit="asked for",
        ),
        body=tuple(body),
        actions=tuple(actions),
        fallback=f"{title(view.campaign_name)}: {formats.number(view.restored)} of {formats.count(total, 'seat')}"
        " restored.",
        refresh=Refresh("restore.status", view.campaign_id),
    )


def came_back_card(view: CameBackView, zone: str) -> CardView:
    """Draw removed seats that a sync has found again, and through what."""
    verb = "is" if view.seats == 1 else "are"
    body: list[Element] = [
        Paragraph(
            f"{formats.count(view.seats, 'removed seat')} {verb} there again. We did not give"
            f" {'it' if view.seats == 1 else 'them'} back, so {'it' if view.seats == 1 else 'they'}"
            f" no longer {'counts' if view.seats == 1 else 'count'} as saved."
        ),
        Rows(rows=tuple(_row(line, zone) for line in view.lines)),
    ]
    if left := view.seats - len(view.lines):
        body.append(Paragraph(f"And {formats.number(left)} more.", subtle=True))
    body.append(
        next_box(
            "Nothing is removed again by itself. If a group gives the seat, the next campaign says so.",
            unpriced(view.monthly),
        )
    )
    return CardView(
        kind="restore.came_back",
        headline=Headline(
            title=f"{formats.count(view.seats, 'seat')} came back",
            amount=formats.amounts(view.monthly),
            context=f"{title(view.campaign_name)} · seen {formats.moment(view.found_at, zone)}",
            unit=f"{formats.unit(view.monthly)}, no longer saved" if view.monthly.amounts else None,
        ),
        body=tuple(body),
        actions=(Action(label="Status", verb="status.open", ref=view.campaign_id, submits=False),),
        fallback=f"{title(view.campaign_name)}: {formats.count(view.seats, 'removed seat')} {verb} there again.",
    )


def ask_back_card(view: AskBackView, zone: str) -> CardView:
    """Draw the question to a holder who signed in again, or what became of it. Asked evenly: no button is filled."""
    app, item = sku(view.item.snapshot.sku_name), view.item
    body: list[Element] = []
    actions: tuple[Action, ...] = ()
    strip = way_strip(view.way, zone)
    failed = view.way.restore is not None and view.way.restore.state is RestoreState.FAILED
    if strip is not None:
        body.append(strip)
    elif view.asked.wanted is False:
        body.append(Strip(tone=Tone.NEUTRAL, text="Noted, it stays away. There is nothing left to do."))
    elif not view.way.open:
        body.append(Strip(tone=Tone.NEUTRAL, text="The time to get it back is over. There is nothing left to do."))
    else:
        removed = formats.moment(item.verified_at, zone) if item.verified_at else "lately"
        body.append(
            Paragraph(
                f"You signed in on {formats.moment(view.asked.signed_in_at, zone)}. Your seat was taken back on"
                f" {removed} because it looked unused."
            )
        )
    asks = view.way.open and not failed and view.asked.wanted is not False
    if asks:
        until = formats.moment(view.way.until, zone, weekday=True) if view.way.until else "later"
        body.append(next_box(f"If you do not answer, nothing changes. Possible until {until}."))
        actions = (
            Action(label="Yes, give it back", verb="askback.yes", ref=item.id),
            Action(label="No, thanks", verb="askback.no", ref=item.id),
        )
    elif view.way.open and failed:
        actions = (Action(label="Try again", verb="askback.yes", ref=item.id),)
    return CardView(
        kind="consent.boomerang",
        headline=Headline(title=f"Do you want {app} back?" if asks else app),
        body=tuple(body),
        actions=actions,
        fallback=f"A question about one of your seats: do you want {app} back?" if asks else "About one of your seats.",
        refresh=Refresh("askback.open", item.id),
    )


def choose_card(receipt: SeatReceipt, problem: str | None = None) -> CardView:
    """Draw the choice among several removed seats: which one is to come back."""
    able = [seat for seat in receipt.seats if seat.way is not None and seat.way.open]
    options = tuple(Option(seat.item.id, formats.cut(seat.item.snapshot.sku_name, _OPTION_MAX)) for seat in able)
    return CardView(
        kind="consent.choose",
        headline=Headline(title="Which seat do you want back?", context=title(receipt.campaign_name)),
        body=(
            Input(
                id="seat",
                kind=InputKind.CHOICE if len(options) <= 6 else InputKind.SELECT,
                label="Seat",
                required=True,
                options=options,
                error=problem,
            ),
            next_box("It comes back at once if a seat is free. If you do not answer, nothing changes."),
        ),
        actions=(
            Action(label="Get it back", verb="receipt.choose.submit", ref=receipt.campaign_id),
            Action(label="Back", verb="receipt.open", ref=receipt.campaign_id, submits=False),
        ),
        fallback="Which of your seats do you want back?",
    )


def way_strip(way: WayBack, zone: str) -> Strip | None:
    """Return how a removed seat stands, once there is more to say than that it is gone."""
    if way.reversal is not None and way.reversal.how is Returned.REGRANTED:
        return Strip(tone=Tone.NEUTRAL, text=f"The seat is there again, {_through(way)}. Somebody gave it back.")
    restore = way.restore
    if restore is None:
        if way.reversal is None:
            return None
        return Strip(tone=Tone.GOOD, text=f"Restored on {formats.moment(way.reversal.at, zone)}.")
    if restore.state is RestoreState.RESTORING:
        return Strip(tone=Tone.NEUTRAL, text=COMING)
    if restore.state is RestoreState.FAILED:
        return Strip(tone=Tone.WARNING, text=why_not(restore))
    on = formats.moment(restore.ended_at, zone) if restore.ended_at else "just now"
    return Strip(tone=Tone.GOOD, text=f"Restored on {on}: same seat, same groups.")


def why_not(restore: Restore) -> str:
    """Return why a seat did not come back."""
    detail = restore.detail
    match restore.why_not:
        case WhyNot.NO_FREE_SEAT:
            return f"Not restored: all {detail} seats are in use." if detail else "Not restored: all seats are in use."
        case WhyNot.USAGE_LOCATION:
            return "Not restored: the account has no usage location. An admin sets it in Entra."
        case WhyNot.GROUP_GONE:
            return "Not restored: the group that gave it no longer exists."
        case WhyNot.GROUP_CHANGED:
            what = group(detail) if detail else "the group that gave it"
            return f"Not restored: {what} has changed, and Reclaim may not add people to it."
        case WhyNot.PERSON_GONE:
            return "Not restored: the account no longer exists."
        case WhyNot.PRODUCT_GONE:
            return "Not restored: Microsoft no longer lists this license for the tenant."
        case WhyNot.REFUSED:
            return f"Not restored: Microsoft refused it{f' ({detail})' if detail else ''}. An admin has to look."
        case WhyNot.NOT_SEEN:
            return "Not restored: it was asked of Microsoft and has not come for three days. An admin has to look."
        case WhyNot.DRY_RUN:
            return "Not restored: this installation makes no changes (dry run)."
        case WhyNot.UNREACHABLE | None:
            return "Not restored: Microsoft does not answer right now."


def _through(way: WayBack) -> str:
    if not way.through:
        return "given directly"
    groups = " and ".join(group(one) for one in way.through)
    return f"through {groups}"


def _row(line: RestoreLine, zone: str) -> Row:
    item, way = line.item, line.way
    asked = _asked(line)
    strip = way_strip(way, zone)
    return Row(
        title=formats.one_line(item.snapshot.person_name, formats.NAME_MAX),
        subtitle=formats.one_line(item.snapshot.sku_name, formats.SKU_MAX),
        reason=sentences([strip.text if strip else f"Removed {_removed(item, zone)}.", asked]),
        amount=formats.price(item.snapshot.monthly),
        open=Action(label="Details", verb="restore.open", ref=item.id, submits=False),
    )


def _asked(line: RestoreLine) -> str:
    """Return that the holder wanted it back, and who gave it where they appealed."""
    restore = line.way.restore
    if restore is None or not restore.how.by_holder or not line.asked_by_name:
        return ""
    way = "Given back on appeal by" if restore.how is AskedHow.APPEAL else "Asked back by"
    return f"{way} {name(line.asked_by_name)}."


def _removed(item: ReviewItem, zone: str) -> str:
    return formats.moment(item.verified_at, zone) if item.verified_at else "not yet"


def _again(item: ReviewItem, way: WayBack) -> Action:
    label = "Restore" if way.restore is None else "Try again"
    return Action(label=label, verb="restore.item", ref=item.id, emphasis=Emphasis.DEFAULT)


def receipt_actions(receipt: SeatReceipt) -> tuple[Action, ...]:
    """Return what a holder can do about seats that are gone."""
    able: Sequence[ReviewItem] = [seat.item for seat in receipt.seats if seat.way is not None and seat.way.open]
    if not able:
        return ()
    appeal = Action(label="Appeal…", verb="receipt.appeal", ref=receipt.campaign_id, submits=False)
    appeals = (appeal,) if any(seat.may_appeal for seat in receipt.seats) else ()
    if len(receipt.seats) > 1:
        return (Action(label="Get one back…", verb="receipt.choose", ref=receipt.campaign_id, submits=False), *appeals)
    way = receipt.seats[0].way
    label = "Try again" if way is not None and way.restore is not None else "Get it back"
    return (Action(label=label, verb="receipt.back", ref=able[0].id), *appeals)
