"""Send every reviewer of a campaign a job of their own, a few in each transaction. Sending itself is `SendWaves`."""

from collections.abc import Sequence

from reclaim.domain.ids import CampaignId
from reclaim.ports.engine import Job
from reclaim.ports.storage import ReviewerCount, Work
from reclaim.services.chunks import JOBS, in_chunks
from reclaim.services.jobs import reminder_job, wave_job


class TellReviewers:
    """Handlers of the jobs that make many. Running one again makes the same jobs, and a job's key is one job for ever."""

    def __init__(self, *, work: Work) -> None:
        self._work = work

    async def handle_tell(self, job: Job) -> None:
        """Have every list drawn anew."""
        campaign, occasion = CampaignId(str(job.args["campaign"])), str(job.args["occasion"])
        reviewers = await self._reviewers(campaign)
        await enqueue(self._work, [wave_job(campaign, one.person_id, occasion) for one in reviewers])

    async def handle_remind(self, job: Job) -> None:
        """Remind whoever has open seats."""
        campaign = CampaignId(str(job.args["campaign"]))
        number, of = int(job.args["number"]), int(job.args["of"])
        reviewers = [one for one in await self._reviewers(campaign) if one.open]
        await enqueue(self._work, [reminder_job(campaign, one.person_id, number, of) for one in reviewers])

    async def _reviewers(self, campaign: CampaignId) -> list[ReviewerCount]:
        async with self._work.read() as work:
            return await work.items.reviewers(campaign)


async def enqueue(work: Work, jobs: Sequence[Job]) -> None:
    """Enqueue any number of jobs; whoever is killed on the way enqueues them again."""
    for some in in_chunks(jobs, JOBS):
        async with work.write() as unit:
            for job in some:
                await unit.enqueue(job)
            await unit.commit()
