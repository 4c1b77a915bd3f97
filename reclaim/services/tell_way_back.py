"""Tell people of the way back: what was restored, what came back by itself, and the question to a holder.

Each matter has one live message that is updated in place. A channel that fails leaves a message record, from which
`DueWork` tries again.
"""

import structlog

from reclaim.domain.ids import CampaignId, ItemId, PersonId, RunId
from reclaim.domain.money import Total
from reclaim.domain.notices import AskBackNotice, CameBackNotice, Notice, RestoresNotice
from reclaim.domain.policy import Policy
from reclaim.domain.restore import AskedHow, Returned
from reclaim.domain.restore_views import CameBackView
from reclaim.domain.roles import ADMIN_AS_A_PERSON
from reclaim.errors import DeliveryError
from reclaim.ports.chat import Messenger
from reclaim.ports.engine import Job
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock
from reclaim.services.access import Access
from reclaim.services.restore_seats import SHOWN, RestoreSeats
from reclaim.services.way_back import lines_of

log = structlog.get_logger(__name__)


class TellWayBack:
    """Handlers of the jobs that tell."""

    def __init__(
        self, *, work: Work, clock: Clock, policy: Policy, access: Access, restores: RestoreSeats, messenger: Messenger
    ) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._access = access
        self._restores = restores
        self._messenger = messenger

    async def handle_restores(self, job: Job) -> None:
        """Show the campaign's owner, and who asked for an undo, where the restores of a campaign stand."""
        campaign_id = CampaignId(str(job.args["campaign"]))
        view = await self._restores.view(campaign_id)
        async with self._work.read() as work:
            campaign = await work.campaigns.get(campaign_id)
            restores = await work.restores.of_campaign(campaign_id)
        people = {restore.asked_by for restore in restores if restore.how is AskedHow.UNDO}
        people |= {campaign.owner_id} if campaign else set()
        for person in sorted(people):
            await self._deliver(person, RestoresNotice(restores=view))

    async def handle_came_back(self, job: Job) -> None:
        """Tell the owner and the admins which removed seats a sync has found again."""
        view = await self._came_back(CampaignId(str(job.args["campaign"])), RunId(str(job.args["run"])))
        if view is None:
            return
        async with self._work.read() as work:
            campaign = await work.campaigns.get(view.campaign_id)
        people = set(await self._access.people_with(ADMIN_AS_A_PERSON))
        people |= {campaign.owner_id} if campaign else set()
        for person in sorted(people):
            await self._deliver(person, CameBackNotice(came_back=view))

    async def handle_ask_back(self, job: Job) -> None:
        """Ask a holder whether they want a seat back, or show what became of that."""
        item_id = ItemId(str(job.args["item"]))
        async with self._work.read() as work:
            asked = await work.restores.asked_back(item_id)
        if asked is not None:
            view = await self._restores.ask_back(item_id, asked.person_id)
            await self._deliver(asked.person_id, AskBackNotice(question=view))

    async def _came_back(self, campaign_id: CampaignId, run_id: RunId) -> CameBackView | None:
        async with self._work.read() as work:
            campaign = await work.campaigns.get(campaign_id)
            found = await work.restores.reversals_of(campaign_id, run_id)
            regranted = [one for one in found if one.how is Returned.REGRANTED]
            if campaign is None or not regranted:
                return None
            items = await work.items.get_many(one.item_id for one in regranted)
            shown = [items[one.item_id] for one in regranted[:SHOWN]]
            lines = await lines_of(work, shown, clock=self._clock, policy=self._policy)
        return CameBackView(
            campaign_id=campaign_id,
            campaign_name=campaign.name,
            run_id=run_id,
            found_at=regranted[0].at,
            seats=len(regranted),
            monthly=Total.of(item.snapshot.monthly for item in items.values()),
            lines=lines,
            zone=campaign.zone,
        )

    async def _deliver(self, person: PersonId, notice: Notice) -> None:
        try:
            await self._messenger.deliver(person, notice)
        except DeliveryError as error:
            log.warning("the way back could not be told", person=person, matter=notice.matter, why=error.code)
