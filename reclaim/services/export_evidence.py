"""Export a campaign's attestation: one CSV for people, one JSON for checking. That somebody exported it is attested too."""

import hashlib
import unicodedata

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.campaign import Campaign
from reclaim.domain.ids import AssigneeId, CampaignId, RunId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ExportedFile
from reclaim.domain.roles import Actor
from reclaim.errors import NotFound
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.event_records import EventRecord, read_records
from reclaim.services.evidence_files import Evidence, to_csv, to_json
from reclaim.services.naming import names_of

_SLUG_LENGTH = 60


class ExportEvidence:
    """Answers `/reclaim export`."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def export(self, actor: Actor, campaign: CampaignId) -> tuple[ExportedFile, ...]:
        """Return the attestation as CSV and JSON, as they stand now; the event about this export is not yet in them.

        Raises:
            NotFound: There is no such campaign.
        """
        async with self._work.read() as reading:
            evidence = await self._collect(reading, campaign)
        name = f"attestation-{slug(evidence.campaign)}"
        files = (
            ExportedFile(name=f"{name}.csv", media_type="text/csv", content=to_csv(evidence)),
            ExportedFile(name=f"{name}.json", media_type="application/json", content=to_json(evidence)),
        )
        async with self._work.write() as unit:
            await unit.events.append(self._exported(actor, campaign, files, len(evidence.records)))
            await unit.commit()
        return files

    async def _collect(self, reading: UnitOfWork, campaign_id: CampaignId) -> Evidence:
        campaign = await reading.campaigns.get(campaign_id)
        if campaign is None:
            raise NotFound("There is no such campaign.")
        records = await read_records(reading, await reading.events.of_campaign(campaign_id))
        items = await reading.items.of_campaign(campaign_id)
        asked: set[AssigneeId | None] = {item.assignee_id for item in items} | {
            item.answer.by for item in items if item.answer
        }
        asked |= {campaign.owner_id, campaign.reviewer_id, campaign.fallback_id, campaign.cancelled_by}
        run_id = _run_of(records)
        return Evidence(
            campaign=campaign,
            items=tuple(sorted(items, key=lambda item: item.id)),
            names=await names_of(reading, asked),
            records=tuple(records),
            run=await reading.syncs.get(run_id) if run_id else None,
            requests=tuple(await reading.syncs.requests(run_id)) if run_id else (),
            policy=self._policy,
            at=self._clock.now(),
        )

    def _exported(self, actor: Actor, campaign: CampaignId, files: tuple[ExportedFile, ...], events: int) -> Event:
        kinds = {file.media_type.rpartition("/")[2]: file.content for file in files}
        return self._attest.event(
            EventKind.EXPORTED,
            actor=actor.id,
            campaign=campaign,
            facts={
                "events": events,
                "channel": actor.channel,
                **{f"{kind}_sha256": hashlib.sha256(content).hexdigest() for kind, content in kinds.items()},
            },
        )


def slug(campaign: Campaign) -> str:
    """Return the campaign's name as a file name: ASCII letters, digits and hyphens; its id where nothing is left."""
    plain = unicodedata.normalize("NFKD", campaign.name).encode("ascii", "ignore").decode().lower()
    words = "".join(char if char.isalnum() else " " for char in plain).split()
    return "-".join(words)[:_SLUG_LENGTH].rstrip("-") or campaign.id


def _run_of(records: list[EventRecord]) -> RunId | None:
    """Return the sync run that the campaign was started on."""
    for record in records:
        run = record.facts.get("run")
        if record.stored.event.kind is EventKind.CAMPAIGN_STARTED and isinstance(run, str):
            return RunId(run)
    return None
