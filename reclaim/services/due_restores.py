"""What is due of the way back: asked by every tick, answered from our own rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from reclaim.domain.ids import CampaignId, ItemId, PersonId, RunId
from reclaim.ports.engine import Job
from reclaim.ports.storage import UnitOfWork
from reclaim.services.chunks import CHUNK
from reclaim.services.jobs import (
    APPEAL,
    ASK_BACK,
    CAME_BACK,
    RESTORES,
    appeal_job,
    ask_back_job,
    came_back_job,
    restore_job,
    restores_job,
    tries,
)

NEWS_FOR = timedelta(hours=1)
HOUR = timedelta(hours=1)
TOLD_KINDS = (
    "restore.status",
    "restore.came_back",
    "consent.boomerang",
    "appeal.decide",
)  # kinds of cards, as the message record has them


async def due_restores(work: UnitOfWork, now: datetime) -> list[Job]:
    """Return the restores that are due, none while writes are frozen, and whose state is to be shown."""
    jobs = []
    if await work.controls.freeze() is None:
        for restore in await work.restores.due(now, limit=CHUNK):
            again = tries(restore.not_before or restore.asked_at, now, HOUR)
            jobs.append(restore_job(restore.id, restore.attempt, again))
    for campaign, occasion in await work.restores.news(since=now - NEWS_FOR):
        jobs.append(restores_job(campaign, occasion))
    return jobs


def tell_again(failed: Sequence[tuple[str, PersonId]], occasion: str) -> list[Job]:
    """Return the jobs that try again to tell what a channel failed to take, by its matter; of other matters none."""
    jobs = []
    for matter, _ in failed:
        about, _, ref = matter.partition(":")
        if about == RESTORES:
            jobs.append(restores_job(CampaignId(ref), occasion))
        elif about == CAME_BACK:
            campaign, _, run = ref.partition(":")
            jobs.append(came_back_job(CampaignId(campaign), RunId(run), occasion))
        elif about == ASK_BACK:
            jobs.append(ask_back_job(ItemId(ref), occasion))
        elif about == APPEAL:
            jobs.append(appeal_job(ItemId(ref), occasion))
    return list({job.key: job for job in jobs}.values())
