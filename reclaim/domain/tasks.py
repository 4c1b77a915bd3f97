"""What a person has to do because Reclaim may not, or could not: one task for every approved seat that it did not take.

A task is no state of its own beside the item: it is open for as long as the item has ended in one of `NEED_A_PERSON`. Only
what somebody did about it is stored. That the seat is gone is never believed, always read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reclaim.domain.ids import ItemId, PersonId
from reclaim.domain.money import Total
from reclaim.domain.removal import Outcome
from reclaim.domain.review import ReviewItem
from reclaim.errors import Conflict, InvalidRequest

NEED_A_PERSON: Final = (Outcome.NOT_SUPPORTED, Outcome.FAILED)
NOTE_LENGTH: Final = 1_000
LINK_LENGTH: Final = 500
# No user name before the host: it makes an address look like another one's.
_LINK: Final = re.compile(r"https://[^\s/?#@:\\\[\]]+(:[0-9]{1,5})?([/?#]\S*)?")


class TaskState(StrEnum):
    """Where a task stands. One that is done is none any more: its item has ended `manual_done`, or kept."""

    OPEN = "open"
    CHECKING = "checking"  # somebody says that it is done; we look
    STILL_THERE = "still_there"  # we looked, and the person still has the seat


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualTask:
    """What somebody did about a task, and what we saw then.

    Attributes:
        note: What was done, in their words, with a ticket if they like.
        link: Where more of it stands, an https address; None where they gave none.
        attempt: Part of the key of the job that checks; one more for every "done".
        checked_at: When the seat was last read for it.
        via: Through what the person still had the seat then: group ids, or `DIRECTLY`.
        version: For compare-and-set; 0: not stored yet.
    """

    item_id: ItemId
    state: TaskState = TaskState.OPEN
    note: str = ""
    link: str | None = None
    by: PersonId | None = None
    at: datetime | None = None
    attempt: int = 0
    checked_at: datetime | None = None
    via: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as it is shown: the item with its reason and plan, and the names that it needs.

    Attributes:
        via_names: Names of the groups in `task.via`, in their order; of the direct assignment `DIRECTLY`.
    """

    item: ReviewItem
    campaign_name: str
    task: ManualTask
    by_name: str | None = None
    via_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskList:
    """The open tasks of one campaign or of all, the oldest first.

    Attributes:
        campaign_id, campaign_name: None for all campaigns.
        total: All that are open; `rows` are those of one page.
        monthly: What all of them cost a month.
        retriable: How many of all have failed and can be tried again by Reclaim itself.
    """

    campaign_id: str | None
    campaign_name: str | None
    rows: Sequence[TaskView]
    total: int
    monthly: Total
    retriable: int = 0
    page: int = 1
    pages: int = 1


def check_open(item: ReviewItem) -> None:
    """Go on only with a task that is open.

    Raises:
        Conflict: Its item has ended in another way, or not yet.
    """
    if item.outcome not in NEED_A_PERSON:
        raise Conflict("This task is no longer open. You see the present state now.")


def checked_note(text: str) -> str:
    """Return what was done, as it is kept.

    Raises:
        InvalidRequest: Nothing is said, or too much.
    """
    note = " ".join(text.split())
    if not note:
        raise InvalidRequest("Please say in one sentence what was done.", field="note")
    if len(note) > NOTE_LENGTH:
        raise InvalidRequest(f"Please use at most {NOTE_LENGTH:,} characters.", field="note")
    return note


def checked_link(text: str) -> str | None:
    """Return where more of what was done stands, as it is kept; None where nothing is given.

    Raises:
        InvalidRequest: It is no https address of a host, or too long.
    """
    link = text.strip()
    if not link:
        return None
    if len(link) > LINK_LENGTH:
        raise InvalidRequest(f"Please use at most {LINK_LENGTH} characters.", field="link")
    if _LINK.fullmatch(link) is None or not link.isprintable():
        raise InvalidRequest("This is no link. Example: https://tickets.example.com/4711", field="link")
    return link
