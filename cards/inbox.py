"""The inbox of a reviewer over all open campaigns: what is open, what was handed to them, what they answered."""

from cards import formats
from cards.phrases import name, next_box, title
from cards.reasons import answer_in_words, row_reason
from cards.view import Action, CardView, Element, Headline, Paragraph, Row, Rows, Strip, Tone
from reclaim.domain.read_models import InboxPage, InboxRow, InboxShow

OPEN = "inbox.open"
_LABELS = {
    InboxShow.OPEN: "To check",
    InboxShow.DELEGATED: "Delegated to me",
    InboxShow.ANSWERED: "My answers",
}
_NOTHING = {
    InboxShow.OPEN: "Nothing for you right now. When a seat needs your answer, a card arrives.",
    InboxShow.DELEGATED: "Nobody has passed a seat on to you.",
    InboxShow.ANSWERED: "You have not answered in a campaign that is open now.",
}


def inbox_card(inbox: InboxPage, zone: str) -> CardView:
    """Draw one kind and one page of a reviewer's seats, with the way to the others."""
    left = inbox.count(InboxShow.OPEN)
    amount = formats.amounts(inbox.monthly)
    seats = f"{formats.count(left, 'seat')} to check" if left else "Nothing to check"
    return CardView(
        kind="inbox",
        headline=Headline(
            title=seats,
            amount=amount if left else None,
            unit=formats.unit(inbox.monthly) if left and amount else None,
            context=_LABELS[inbox.show],
        ),
        body=(
            *([Rows(heading="Lists", rows=tuple(_list(*each) for each in inbox.lists))] if inbox.lists else []),
            _filters(inbox),
            *_rows(inbox, zone),
            *_paging(inbox),
            *_next(inbox, zone),
            Paragraph(f"As of {formats.moment(inbox.now, zone)}.", subtle=True),
        ),
        fallback=f"Your inbox: {formats.count(left, 'seat')} to check.",
    )


def _list(campaign: str, campaign_name: str, left: int) -> Row:
    return Row(
        title=campaign_name,
        subtitle=f"{formats.count(left, 'seat')} to check",
        open=Action(label="Open the list", verb="wave.open", ref=campaign, submits=False),
    )


def _filters(inbox: InboxPage) -> Strip:
    counts = [f"{_LABELS[kind]}: {formats.number(inbox.count(kind))}" for kind in InboxShow]
    others = tuple(
        Action(label=_LABELS[kind], verb=OPEN, ref=kind.value, submits=False)
        for kind in InboxShow
        if kind is not inbox.show
    )
    refresh = Action(label="Refresh", verb=OPEN, ref=f"{inbox.show.value}:{inbox.page}", submits=False)
    return Strip(tone=Tone.NEUTRAL, text=" · ".join(counts), actions=(*others, refresh))


def _rows(inbox: InboxPage, zone: str) -> list[Element]:
    if not inbox.rows:
        return [Paragraph(_NOTHING[inbox.show])]
    return [Rows(heading=_LABELS[inbox.show], rows=tuple(_row(each, inbox, zone) for each in inbox.rows))]


def _row(each: InboxRow, inbox: InboxPage, zone: str) -> Row:
    item = each.row.item
    if item.answer is not None:
        reason = f"{answer_in_words(item.answer, zone)}. {formats.moment(item.answer.at, zone)}"
    elif inbox.show is InboxShow.DELEGATED and each.row.from_name:
        reason = f"From {name(each.row.from_name)}. {row_reason(item, inbox.now, zone)}"
    else:
        reason = row_reason(item, inbox.now, zone)
    return Row(
        title=item.snapshot.person_name,
        subtitle=item.snapshot.sku_name,
        reason=f"{title(each.campaign_name)}: {reason}" if len(inbox.lists) > 1 else reason,
        amount=formats.price(item.snapshot.monthly),
        open=Action(label="Details", verb="item.open", ref=item.id, submits=False),
    )


def _paging(inbox: InboxPage) -> list[Element]:
    if inbox.pages == 1:
        return []
    total = inbox.count(inbox.show)
    first = (inbox.page - 1) * inbox.page_size + 1
    last = first + len(inbox.rows) - 1
    actions = []
    if inbox.page > 1:
        label = f"Previous {inbox.page_size}"
        actions.append(Action(label=label, verb=OPEN, ref=f"{inbox.show.value}:{inbox.page - 1}", submits=False))
    if inbox.page < inbox.pages:
        label = f"Next {min(inbox.page_size, total - last)}"
        actions.append(Action(label=label, verb=OPEN, ref=f"{inbox.show.value}:{inbox.page + 1}", submits=False))
    text = f"Seats {formats.number(first)} to {formats.number(last)} of {formats.number(total)}"
    return [Strip(tone=Tone.NEUTRAL, text=text, actions=tuple(actions))]


def _next(inbox: InboxPage, zone: str) -> list[Element]:
    if inbox.closes_at is None:
        return []
    return [next_box(f"The first list closes {_by(inbox, zone)}.", "Until then you can change every answer.")]


def _by(inbox: InboxPage, zone: str) -> str:
    return f"on {formats.due(inbox.closes_at, zone)}" if inbox.closes_at else ""
