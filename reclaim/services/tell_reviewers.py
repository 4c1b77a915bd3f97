"""Send every reviewer of a campaign a job of their own, a few in each transaction. Sending itself is `SendWaves`."""

from collections.abc import Sequence

from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import CampaignId, PersonId, SeatId
from reclaim.domain.notices import wave_matter
from reclaim.ports.engine import Job
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock
from reclaim.services.chunks import CHUNK, JOBS, in_chunks
from reclaim.services.jobs import nudge_job, reminder_job, wave_job


class TellReviewers:
    """Handlers of the jobs that make many. Running one again makes the same jobs, and a job's key is one job for ever."""

    def __init__(self, *, work: Work, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def handle_tell(self, job: Job) -> None:
        """Have every list drawn anew; of a cancelled campaign close the questions first."""
        campaign_id, occasion = CampaignId(str(job.args["campaign"])), str(job.args["occasion"])
        async with self._work.read() as work:
            campaign = await work.campaigns.get(campaign_id)
        if campaign is not None and campaign.state is CampaignState.CANCELLED:
            await self._close_questions(campaign_id)
            people = await self._with_a_list(campaign_id)
        else:
            async with self._work.read() as work:
                people = await work.items.asked(campaign_id)
        await enqueue(self._work, [wave_job(campaign_id, person, occasion) for person in people])

    async def handle_remind(self, job: Job) -> None:
        """Remind whoever has open seats, or those whom somebody chose to remind."""
        campaign = CampaignId(str(job.args["campaign"]))
        if "people" in job.args:
            by, occasion = PersonId(str(job.args["by"])), str(job.args["occasion"])
            chosen = [PersonId(one) for one in str(job.args["people"]).split(",")]
            await enqueue(self._work, [nudge_job(campaign, person, by, occasion) for person in chosen])
            return
        number, of, window = int(job.args["number"]), int(job.args["of"]), str(job.args["window"])
        async with self._work.read() as reading:
            people = await reading.items.asked(campaign, open_only=True)
        for some in in_chunks(people, JOBS):
            async with self._work.write() as work:
                for person in some:
                    await work.enqueue(reminder_job(campaign, person, number, of, window=window))
                await work.messages.mark_reminded(campaign, some, at=self._clock.now())
                await work.commit()

    async def _close_questions(self, campaign: CampaignId) -> None:
        after: SeatId | None = None
        while True:
            async with self._work.read() as reading:
                items = await reading.items.page(campaign, outcome=None, after=after, limit=CHUNK)
            if not items:
                return
            after = items[-1].seat_id
            async with self._work.write() as work:
                await work.items.close_questions([item.id for item in items], at=self._clock.now())
                await work.commit()

    async def _with_a_list(self, campaign: CampaignId) -> list[PersonId]:
        """Return who has a list in the chat, answered or not: a new card would ask for nothing."""
        async with self._work.read() as work:
            return sorted({one.person_id for one in await work.messages.live_of_matter(wave_matter(campaign))})


async def enqueue(work: Work, jobs: Sequence[Job]) -> None:
    """Enqueue any number of jobs; whoever is killed on the way enqueues them again."""
    for some in in_chunks(jobs, JOBS):
        async with work.write() as unit:
            for job in some:
                await unit.enqueue(job)
            await unit.commit()
