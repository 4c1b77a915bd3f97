"""The jobs of a campaign's life: kinds and keys in one place. Every key starts with its kind and is unique for ever."""

from reclaim.domain.ids import CampaignId, OrderId, PersonId, RunId
from reclaim.ports.engine import Job

SYNC = "sync"
OPEN = "open"
WAVE = "wave"
REMINDER = "reminder"
OWNER = "owner"
ANNOUNCE = "announce"
CLOSE = "close"
WRITEBACK = "writeback"
VERIFY = "verify"
SUMMARY = "summary"
PROGRESS = "progress"
RECEIPT = "receipt"


def sync_job(run: RunId, attempt: int) -> Job:
    """Read the directory, going on where this run stopped."""
    return Job(kind=SYNC, key=f"{SYNC}:{run}:{attempt}", args={"run": run})


def open_job(campaign: CampaignId, again: int = 0) -> Job:
    """Make the items of a launched campaign. `again` counts later tries, for a job that died: see `DueWork`."""
    return Job(kind=OPEN, key=_key(f"{OPEN}:{campaign}", again), args={"campaign": campaign})


def wave_job(campaign: CampaignId, person: PersonId, occasion: str) -> Job:
    """Show a reviewer the present state of their list. One job per occasion."""
    return Job(kind=WAVE, key=f"{WAVE}:{campaign}:{person}:{occasion}", args={"campaign": campaign, "person": person})


def reminder_job(campaign: CampaignId, person: PersonId, number: int, of: int) -> Job:
    """Remind a reviewer who has open seats; `number` counts from 1."""
    return Job(
        kind=REMINDER,
        key=f"{REMINDER}:{campaign}:{person}:{number}",
        args={"campaign": campaign, "person": person, "number": number, "of": of},
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


def writeback_job(order: OrderId, attempt: int, again: int = 0) -> Job:
    """Carry out what one person's order still asks for. `again` counts later tries, for a job that died."""
    return Job(
        kind=WRITEBACK,
        key=_key(f"{WRITEBACK}:{order}:{attempt}", again),
        args={"order": order, "attempt": attempt},
    )


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
    """Tell a holder which of their seats are gone. One job per occasion."""
    return Job(
        kind=RECEIPT, key=f"{RECEIPT}:{campaign}:{person}:{occasion}", args={"campaign": campaign, "person": person}
    )


def _key(first: str, again: int) -> str:
    return f"{first}:{again}" if again else first
