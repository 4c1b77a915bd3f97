"""Clicks about seats that need a person: the list, one task, and what was done about it."""

from bot.handling import ActionVerb, Click, FormRefused
from bot.inbound import Reply
from bot.parsing import text_of
from cards.tasks import ALL, task_card, tasks_card
from cards.view import CardView
from reclaim.domain.ids import ItemId
from reclaim.domain.roles import RUN
from reclaim.domain.tasks import LINK_LENGTH, NOTE_LENGTH
from reclaim.errors import InvalidRequest


async def open_list(click: Click) -> Reply:
    """Show a page of the list in place of the card."""
    return Reply(replace=await _list(click))


async def open_list_below(click: Click) -> Reply:
    """Show the list below the card that leads to it."""
    return Reply(cards=(await _list(click),))


async def open_task(click: Click) -> Reply:
    """Show one task in place of the list."""
    return Reply(replace=await present_task(click))


async def done(click: Click) -> Reply:
    """Take what was done, and have it looked at."""
    try:
        view = await click.services.manual_tasks.done(
            click.actor,
            ItemId(click.ref),
            text_of(click.inputs, "note", longest=2 * NOTE_LENGTH),
            text_of(click.inputs, "link", longest=2 * LINK_LENGTH),
        )
    except InvalidRequest as error:
        filled = click.filled(error)
        form = task_card(await click.services.manual_tasks.get(ItemId(click.ref)), click.zone, filled=filled)
        raise FormRefused(form, error.message) from error
    return Reply(replace=task_card(view, click.zone))


async def keep(click: Click) -> Reply:
    """Give the task up; the seat stays."""
    return Reply(replace=task_card(await click.services.manual_tasks.keep(click.actor, ItemId(click.ref)), click.zone))


async def present_task(click: Click) -> CardView:
    """Draw one task as it stands."""
    return task_card(await click.services.manual_tasks.get(ItemId(click.ref)), click.zone)


async def _list(click: Click) -> CardView:
    which, _, page = click.ref.partition(":")
    campaign = None if which == ALL else await click.services.read_status.find(which)
    number = int(page) if page.isdecimal() and len(page) < 6 else 1
    return tasks_card(await click.services.manual_tasks.list(campaign, number), click.zone)


TASK_ACTIONS: tuple[ActionVerb, ...] = (
    ActionVerb(name="tasks.open", roles=RUN, handler=open_list, present=_list),
    ActionVerb(name="tasks.show", roles=RUN, handler=open_list_below),
    ActionVerb(name="task.open", roles=RUN, handler=open_task, present=present_task),
    ActionVerb(name="task.done", roles=RUN, handler=done, present=present_task),
    ActionVerb(name="task.keep", roles=RUN, handler=keep, present=present_task),
)
