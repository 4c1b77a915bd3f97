"""Read the trail: the newest attestation events with names and notes joined back in, for those who may see them."""

from reclaim.domain.ids import CampaignId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import History, HistoryLine
from reclaim.errors import InvalidRequest, NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.services.event_records import EventRecord, fact_text, read_records

MAX_LINES = 200


class ReadHistory:
    """Answers "what happened?"."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy

    async def history(self, campaign: CampaignId | None, limit: int = 20) -> History:
        """Return the newest events of a campaign, or of all, newest first.

        Raises:
            NotFound: There is no such campaign.
            InvalidRequest: A limit out of 1 to 200.
        """
        if not 1 <= limit <= MAX_LINES:
            raise InvalidRequest(f"Please choose between 1 and {MAX_LINES} lines.", field="limit")
        async with self._work.read() as reading:
            title, zone = await self._heading(reading, campaign)
            events, total = await reading.events.newest(limit, campaign)
            records = await read_records(reading, events)
            names = {one.id: one.name for one in await reading.campaigns.all()}
        return History(
            title=title,
            lines=tuple(_line(record, names) for record in records),
            total=total,
            zone=zone,
        )

    async def _heading(self, reading: UnitOfWork, campaign: CampaignId | None) -> tuple[str, str]:
        if campaign is None:
            return "All campaigns", self._policy.zone
        found = await reading.campaigns.get(campaign)
        if found is None:
            raise NotFound("There is no such campaign.")
        return found.name, found.zone


def _line(record: EventRecord, campaigns: dict[CampaignId, str]) -> HistoryLine:
    event = record.stored.event
    about = campaigns.get(CampaignId(event.campaign_id), "") if event.campaign_id else ""
    if record.item is not None:
        about = f"{record.item.snapshot.person_name} · {record.item.snapshot.sku_name}"
    facts = {key: fact_text(value) for key, value in record.facts.items() if value is not None}
    return HistoryLine(
        seq=record.stored.seq,
        at=event.at,
        kind=event.kind.value,
        actor_name=record.actor_name,
        about=about,
        facts=tuple(sorted((facts | record.values).items())),
    )
