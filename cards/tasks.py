"""Seats that need a person: the list with one instruction each, and one task with what was done. For who runs campaigns."""

from cards import formats
from cards.form import EMPTY, Filled
from cards.phrases import name, next_box, quoted, title
from cards.reasons import blocking, how_it_ended, seat_title
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
    Paragraph,
    Refresh,
    Row,
    Rows,
    Strip,
    Tone,
)
from reclaim.domain.directory import DIRECTLY
from reclaim.domain.removal import Blocker, Outcome
from reclaim.domain.review import DataLoss, ReviewItem
from reclaim.domain.tasks import LINK_LENGTH, NEED_A_PERSON, NOTE_LENGTH, TaskList, TaskState, TaskView

ALL = "all"  # in place of a campaign
TASK_FIELDS = frozenset({"note", "link"})


def need_a_person(number: int) -> str:
    """Return "4 seats need a person"."""
    return f"{formats.count(number, 'seat')} {'needs' if number == 1 else 'need'} a person"


def tasks_card(tasks: TaskList, zone: str) -> CardView:
    """Draw a page of the open tasks, the oldest first."""
    ref = tasks.campaign_id or ALL
    body: list[Element] = []
    if tasks.rows:
        body.append(Rows(rows=tuple(_row(view) for view in tasks.rows)))
        if tasks.pages > 1:
            body.append(_pages(tasks, ref))
        body.append(next_box("Say what you did, and we look whether the seat is gone. Nothing is believed."))
    else:
        body.append(Paragraph("Every approved seat is gone, kept, or still being removed."))
    actions: tuple[Action, ...] = ()
    if tasks.retriable and tasks.campaign_id:
        label = f"Retry {formats.number(tasks.retriable)} failed"
        actions = (Action(label=label, verb="retry.submit", ref=tasks.campaign_id, submits=False),)
    return CardView(
        kind="tasks",
        headline=Headline(
            title=need_a_person(tasks.total) if tasks.total else "Nothing needs a person",
            amount=formats.amounts(tasks.monthly) if tasks.total else None,
            context=title(tasks.campaign_name) if tasks.campaign_name else "All campaigns",
            unit=formats.unit(tasks.monthly) if tasks.total else None,
        ),
        body=tuple(body),
        actions=actions,
        fallback=f"{need_a_person(tasks.total)}, {formats.monthly(tasks.monthly)}."
        if tasks.total
        else "Nothing needs a person.",
        refresh=Refresh("tasks.open", f"{ref}:{tasks.page}"),
    )


def task_card(view: TaskView, zone: str, *, filled: Filled = EMPTY) -> CardView:
    """Draw one task: what to do, where it stands, and the form that says that it was done."""
    item, ref = view.item, view.item.id
    is_open = item.outcome in NEED_A_PERSON
    body: list[Element] = [*filled.strip(TASK_FIELDS), *_standing(view, zone)]
    if is_open:
        body.append(Paragraph(_to_do(item)))
    body.append(Facts(_facts(view, zone)))
    actions: tuple[Action, ...] = ()
    if is_open:
        body.append(
            Input(
                id="note",
                kind=InputKind.LONG_TEXT,
                label="What was done?",
                required=True,
                value=filled.value("note"),
                hint="A ticket number may stand here too.",
                max_length=NOTE_LENGTH,
                error=filled.error_of("note"),
            )
        )
        body.append(
            Input(
                id="link",
                kind=InputKind.TEXT,
                label="Link (optional)",
                value=filled.value("link"),
                hint="Where more of it stands, beginning with https://",
                max_length=LINK_LENGTH,
                error=filled.error_of("link"),
            )
        )
        body.append(next_box("We read the seat again. Only when it is gone the task is done."))
        actions = (
            Action(label="Done", verb="task.done", ref=ref, emphasis=Emphasis.RECOMMENDED),
            Action(label="Keep instead", verb="task.keep", ref=ref, submits=False),
        )
    price = item.snapshot.monthly
    return CardView(
        kind="task",
        headline=Headline(
            title=seat_title(item),
            amount=formats.money(price) if price else "No price",
            context=title(view.campaign_name),
            unit="a month" if price else None,
        ),
        back=Action(label="\u2039 All tasks", verb="tasks.open", ref=f"{item.campaign_id}:1", submits=False),
        body=tuple(body),
        actions=actions,
        fallback=f"A seat of {title(view.campaign_name)} needs a person." if is_open else "A task is done.",
        refresh=Refresh("task.open", ref),
    )


# What to do where Reclaim may not; {} is the name of the group, or of the license that needs this one.
_TO_DO: dict[Blocker, str] = {
    Blocker.GROUP_DYNAMIC: "Dynamic group {}: change its rule.",
    Blocker.GROUP_SYNCED: "Managed on premises: remove the person in {} there.",
    Blocker.GROUP_MAIL_ENABLED: "Mail-enabled group {}: remove the person in Exchange.",
    Blocker.GROUP_ROLE_ASSIGNABLE: "{} can give admin roles: remove the person in Entra.",
    Blocker.GROUP_RESTRICTED: "{} is under restricted management: ask who manages it to remove the person.",
    Blocker.GROUP_NESTED: "{} has other groups inside: remove the person in Entra.",
    Blocker.GROUP_OTHER_SKUS: "{} gives other licenses too: decide in Entra whether the person leaves it.",
    Blocker.NOT_A_DIRECT_MEMBER: "The person is in a group inside {}: remove them there.",
    Blocker.NEEDED_BY: "{} needs it: take that license away first, or give the person another one that it can rely on.",
}


def _to_do(item: ReviewItem) -> str:
    """Return the one instruction of a task."""
    if item.outcome is Outcome.FAILED and item.outcome_reason == "graph_403":
        return "Access denied (403): the write permission is missing, or the account is protected. See Doctor."
    if item.outcome_reason == DataLoss.CONVERT_FIRST.value:
        return (
            "Make it a shared mailbox in the Exchange admin center (below 50 GB, without an archive or a hold), then "
            "take the license away."
        )
    text = _TO_DO.get(item.plan.blocker) if item.plan.blocker else None
    return text.format(blocking(item)) if text else how_it_ended(item)


def _row(view: TaskView) -> Row:
    price = view.item.snapshot.monthly
    return Row(
        title=seat_title(view.item),
        subtitle=title(view.campaign_name),
        reason=_still_there(view) if view.task.state is TaskState.STILL_THERE else _to_do(view.item),
        amount=formats.money(price) if price else "No price",
        open=Action(label="Open", verb="task.open", ref=view.item.id, submits=False),
    )


def _standing(view: TaskView, zone: str) -> list[Strip]:
    item = view.item
    at = formats.moment(item.outcome_at, zone) if item.outcome_at else ""
    if item.outcome is Outcome.MANUAL_DONE:
        return [Strip(tone=Tone.GOOD, text="Checked: gone.", detail=at)]
    if item.outcome is Outcome.KEPT:
        return [Strip(tone=Tone.NEUTRAL, text="The seat is kept.", detail=at)]
    if item.outcome not in NEED_A_PERSON:
        return [Strip(tone=Tone.NEUTRAL, text="This task is no longer open.", detail=at)]
    match view.task.state:
        case TaskState.CHECKING:
            return [Strip(tone=Tone.NEUTRAL, text="Checking…", detail="We read the seat again.")]
        case TaskState.STILL_THERE:
            seen = view.task.checked_at
            return [
                Strip(tone=Tone.WARNING, text=_still_there(view), detail=formats.moment(seen, zone) if seen else None)
            ]
        case TaskState.OPEN:
            return []


def _still_there(view: TaskView) -> str:
    names = ["a direct license" if one == DIRECTLY else name(one) for one in view.via_names]
    return f"Still there, through {' and '.join(names)}." if names else "Still there."


def _facts(view: TaskView, zone: str) -> tuple[Fact, ...]:
    item, task = view.item, view.task
    facts = [Fact("Account", formats.isolate(item.snapshot.upn))]
    if task.note and task.at is not None:
        said = f"{quoted(task.note)}, {name(view.by_name or task.by or '')}, {formats.moment(task.at, zone)}"
        facts.append(Fact("Done", said))
        if task.link:
            facts.append(Fact("Link", formats.one_line(task.link)))
    if item.outcome not in NEED_A_PERSON:
        facts.append(Fact("Result", how_it_ended(item)))
    return tuple(facts)


def _pages(tasks: TaskList, ref: str) -> Strip:
    turns = [
        (label, number)
        for label, number in (("Previous", tasks.page - 1), ("Next", tasks.page + 1))
        if 1 <= number <= tasks.pages
    ]
    return Strip(
        tone=Tone.NEUTRAL,
        text=f"Page {formats.number(tasks.page)} of {formats.number(tasks.pages)}",
        actions=tuple(
            Action(label=label, verb="tasks.open", ref=f"{ref}:{number}", submits=False) for label, number in turns
        ),
    )
