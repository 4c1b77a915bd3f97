"""The jobs of a campaign's life: kinds and keys in one place. Every key starts with its kind and is unique for ever."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import (
    AssigneeId,
    CampaignId,
    ChangeId,
    ConsentId,
    ConsentRunId,
    GroupId,
    ItemId,
    OrderId,
    PersonId,
    ProductId,
    RestoreId,
    RunId,
)
from reclaim.domain.orders import RemovalOrder
from reclaim.ports.engine import Job

SYNC = "sync"
OPEN = "open"
WAVE = "wave"
GROUP = "group"
REMINDER = "reminder"
OWNER = "owner"
ANNOUNCE = "announce"
CLOSE = "close"
WRITEBACK = "writeback"
VERIFY = "verify"
TELL = "tell"
REMIND = "remind"
RELEASE = "release"
SUMMARY = "summary"
PROGRESS = "progress"
RECEIPT = "receipt"
RECEIPTS = "receipts"
CONFIRMATION = "confirmation"
EXCLUDE = "exclude"
ABSENCES = "absences"
RESTORE = "restore"
RESTORES = "restores"
CAME_BACK = "came_back"
ASK_BACK = "ask_back"
TASK = "task"
CONSENT_RUN = "consent_run"
CONSENT = "consent"
CONSENT_RESULT = "consent_result"
MEMBERSHIP = "membership"
WAITER = "waiter"
APPEAL = "appeal"

# Orders in one write-back job: the engine begins some ten jobs a second, and Microsoft takes more removals than that.
ORDERS: Final = 50


def sync_job(run: RunId, attempt: int) -> Job:
    """Read the directory, going on where this run stopped."""
    return Job(kind=SYNC, key=f"{SYNC}:{run}:{attempt}", args={"run": run})


def open_job(campaign: CampaignId, again: int = 0) -> Job:
    """Make the items of a launched campaign. `again` counts later tries, for a job that died: see `DueWork`."""
    return Job(kind=OPEN, key=_key(f"{OPEN}:{campaign}", again), args={"campaign": campaign})


def wave_job(campaign: CampaignId, person: PersonId, occasion: str) -> Job:
    """Show a reviewer the present state of their list. One job per occasion."""
    return Job(kind=WAVE, key=f"{WAVE}:{campaign}:{person}:{occasion}", args={"campaign": campaign, "person": person})


def group_job(campaign: CampaignId, group: GroupId, occasion: str, but: PersonId | None = None) -> Job:
    """Show every member of a group who can review, all but `but`, the present state of their list. One per occasion."""
    args: dict[str, str | int] = {"campaign": campaign, "group": group}
    if but is not None:
        args["but"] = but
    return Job(kind=GROUP, key=f"{GROUP}:{campaign}:{group}:{occasion}", args=args)


def list_job(
    campaign: CampaignId, assignee: AssigneeId, kind: AssigneeKind, occasion: str, *, but: PersonId | None = None
) -> Job:
    """Show whoever has a seat, a person or a group, the present state of their list. One job per occasion.

    Args:
        but: The member of a group who just clicked: their card shows what the click did, with the way back.
    """
    if kind is AssigneeKind.GROUP:
        return group_job(campaign, GroupId(assignee), occasion, but)
    return wave_job(campaign, PersonId(assignee), occasion)


def reminder_job(campaign: CampaignId, person: PersonId, number: int, of: int, *, window: str = "") -> Job:
    """Remind a reviewer who has open seats; `number` counts from 1, and anew in every `window`."""
    return Job(
        kind=REMINDER,
        key=f"{REMINDER}:{campaign}:{person}:{window}{number}",
        args={"campaign": campaign, "person": person, "number": number, "of": of},
    )


def tell_job(campaign: CampaignId, occasion: str) -> Job:
    """Enqueue a `wave_job` of this occasion for every reviewer: too many for the transaction that calls for them."""
    return Job(kind=TELL, key=f"{TELL}:{campaign}:{occasion}", args={"campaign": campaign, "occasion": occasion})


def remind_job(campaign: CampaignId, number: int, of: int, *, window: str = "") -> Job:
    """Enqueue a `reminder_job` for every reviewer who has open seats."""
    args: dict[str, str | int] = {"campaign": campaign, "number": number, "of": of, "window": window}
    return Job(kind=REMIND, key=f"{REMIND}:{campaign}:{window}{number}", args=args)


def release_job(campaign: CampaignId, version: int) -> Job:
    """Let the removals of a campaign go on that became `applying` with this version."""
    return Job(kind=RELEASE, key=f"{RELEASE}:{campaign}:{version}", args={"campaign": campaign, "version": version})


def nudge_all_job(campaign: CampaignId, people: Sequence[PersonId], by: PersonId, occasion: str) -> Job:
    """Remind each of these people, as `nudge_job`: one job to enqueue while somebody waits for the answer to a click."""
    return Job(
        kind=REMIND,
        key=f"{REMIND}:{campaign}:by-{occasion}",
        args={"campaign": campaign, "people": ",".join(people), "by": by, "occasion": occasion},
    )


def nudge_job(campaign: CampaignId, person: PersonId, by: PersonId, occasion: str) -> Job:
    """Remind a reviewer who has open seats because somebody asks for it."""
    return Job(
        kind=REMINDER,
        key=f"{REMINDER}:{campaign}:{person}:by-{occasion}",
        args={"campaign": campaign, "person": person, "by": by},
    )


def owner_job(campaign: CampaignId, occasion: str) -> Job:
    """Show the campaign's owner where it stands."""
    return Job(kind=OWNER, key=f"{OWNER}:{campaign}:{occasion}", args={"campaign": campaign})


def announce_job(campaign: CampaignId, occasion: str) -> Job:
    """Show every reviewer the new closing time."""
    return Job(kind=ANNOUNCE, key=f"{ANNOUNCE}:{campaign}:{occasion}", args={"campaign": campaign})


def close_job(campaign: CampaignId, attempt: int) -> Job:
    """Close a campaign whose time has come."""
    return Job(kind=CLOSE, key=f"{CLOSE}:{campaign}:{attempt}", args={"campaign": campaign})


def writeback_jobs(orders: Sequence[RemovalOrder], again: int = 0) -> list[Job]:
    """Carry out what these people's orders still ask for, many in one job. `again` counts later tries, for a job that died.

    An order may stand in several jobs: the one that claims it first carries it out.
    """
    jobs = []
    for first in range(0, len(orders), ORDERS):
        attempts = [f"{order.id}:{order.attempt}" for order in orders[first : first + ORDERS]]
        listed = " ".join(attempts)
        others = f"+{sha256(listed.encode()).hexdigest()[:16]}" if len(attempts) > 1 else ""
        key = _key(f"{WRITEBACK}:{attempts[0]}{others}", again)
        jobs.append(Job(kind=WRITEBACK, key=key, args={"orders": listed}))
    return jobs


def attempts_of(job: Job) -> dict[OrderId, int]:
    """Return the orders of a write-back job, each with the attempt that is to be carried out."""
    pairs = (listed.rsplit(":", 1) for listed in str(job.args["orders"]).split())
    return {OrderId(order): int(attempt) for order, attempt in pairs}


def verify_job(order: OrderId, attempt: int, again: int = 0) -> Job:
    """Look whether a written removal has taken effect; `again` as above."""
    return Job(kind=VERIFY, key=_key(f"{VERIFY}:{order}:{attempt}", again), args={"order": order, "attempt": attempt})


def summary_job(campaign: CampaignId, person: PersonId, occasion: str) -> Job:
    """Tell a reviewer what became of their answers. One job per occasion."""
    return Job(
        kind=SUMMARY, key=f"{SUMMARY}:{campaign}:{person}:{occasion}", args={"campaign": campaign, "person": person}
    )


def progress_job(campaign: CampaignId, occasion: str) -> Job:
    """Bring the summaries of those up to date of whose seats another one has ended."""
    return Job(kind=PROGRESS, key=f"{PROGRESS}:{campaign}:{occasion}", args={"campaign": campaign})


def receipt_job(campaign: CampaignId, person: PersonId, occasion: str) -> Job:
    """Bring a holder's receipt up to date, for which somebody waits. One job per occasion."""
    return Job(
        kind=RECEIPT, key=f"{RECEIPT}:{campaign}:{person}:{occasion}", args={"campaign": campaign, "person": person}
    )


def receipts_job(campaign: CampaignId, people: Sequence[PersonId], occasion: str) -> Job:
    """Tell each of these holders which of their seats are gone. One job per occasion and first of them."""
    return Job(
        kind=RECEIPTS,
        key=f"{RECEIPTS}:{campaign}:{people[0]}:{occasion}",
        args={"campaign": campaign, "people": ",".join(people)},
    )


def confirmation_job(request: str, state: str, again: int = 0) -> Job:
    """Show who asked for a second admin, and who was asked, where the request stands; `again` as above."""
    return Job(kind=CONFIRMATION, key=_key(f"{CONFIRMATION}:{request}:{state}", again), args={"request": request})


def absences_job(made: str, occasion: str = "loaded") -> Job:
    """Hold whom a new list of absences holds, and let go of those of the one before."""
    return Job(kind=ABSENCES, key=f"{ABSENCES}:{made}:{occasion}", args={"list": made})


def exclude_job(exclusion: str, occasion: str) -> Job:
    """Mark the seats that an exclusion holds, or held."""
    return Job(kind=EXCLUDE, key=f"{EXCLUDE}:{exclusion}:{occasion}", args={"exclusion": exclusion})


def restore_job(restore: RestoreId, attempt: int, again: int = 0) -> Job:
    """Give a seat back, or look whether it is there; `again` counts later tries, for a job that died."""
    return Job(
        kind=RESTORE, key=_key(f"{RESTORE}:{restore}:{attempt}", again), args={"restore": restore, "attempt": attempt}
    )


def restores_job(campaign: CampaignId, occasion: str) -> Job:
    """Show the owner, and who asked, what was restored in a campaign. One job per occasion."""
    return Job(kind=RESTORES, key=f"{RESTORES}:{campaign}:{occasion}", args={"campaign": campaign})


def came_back_job(campaign: CampaignId, run: RunId, occasion: str = "found") -> Job:
    """Tell the owner and the admins which removed seats a sync has found again."""
    return Job(kind=CAME_BACK, key=f"{CAME_BACK}:{campaign}:{run}:{occasion}", args={"campaign": campaign, "run": run})


def ask_back_job(item: ItemId, occasion: str) -> Job:
    """Ask a holder whether they want a seat back, or show what became of it. One job per occasion."""
    return Job(kind=ASK_BACK, key=f"{ASK_BACK}:{item}:{occasion}", args={"item": item})


def task_job(item: ItemId, attempt: int) -> Job:
    """Look whether a seat is gone that somebody says they have taken."""
    return Job(kind=TASK, key=f"{TASK}:{item}:{attempt}", args={"item": item, "attempt": attempt})


def consent_run_job(run: ConsentRunId, attempt: int, again: int = 0) -> Job:
    """Find whom a consent program has to ask; `again` counts later tries, for a job that died."""
    return Job(
        kind=CONSENT_RUN, key=_key(f"{CONSENT_RUN}:{run}:{attempt}", again), args={"run": run, "attempt": attempt}
    )


def consent_job(request: ConsentId, occasion: str, *, fresh: bool = False) -> Job:
    """Show those whom a consent request concerns where it stands. One job per occasion.

    Args:
        fresh: As a new message at the foot of the chat: a question, or a reminder.
    """
    args: dict[str, str | int] = {"request": request, "fresh": int(fresh)}
    return Job(kind=CONSENT, key=f"{CONSENT}:{request}:{occasion}", args=args)


def consent_result_job(run: ConsentRunId, occasion: str) -> Job:
    """Tell who runs a program what its run has found."""
    return Job(kind=CONSENT_RESULT, key=f"{CONSENT_RESULT}:{run}:{occasion}", args={"run": run})


def membership_job(change: ChangeId, attempt: int, again: int = 0) -> Job:
    """Carry out a change of a group's members, or look whether it has taken effect; `again` as above."""
    return Job(
        kind=MEMBERSHIP,
        key=_key(f"{MEMBERSHIP}:{change}:{attempt}", again),
        args={"change": change, "attempt": attempt},
    )


def waiter_job(product: ProductId, person: PersonId, occasion: str) -> Job:
    """Tell somebody on a waiting list that a seat is free, or theirs. One job per occasion."""
    return Job(kind=WAITER, key=f"{WAITER}:{product}:{person}:{occasion}", args={"product": product, "person": person})


def appeal_job(item: ItemId, occasion: str) -> Job:
    """Show who decides about an appeal where it stands. One job per occasion."""
    return Job(kind=APPEAL, key=f"{APPEAL}:{item}:{occasion}", args={"item": item})


def tries(since: datetime, now: datetime, every: timedelta) -> int:
    """Return which try of a job this is: 0 the first. A finished key never runs again, so one that died gets the next."""
    return max(0, (now - since) // every)


def _key(first: str, again: int) -> str:
    return f"{first}:{again}" if again else first
