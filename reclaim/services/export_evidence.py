"""Export a campaign's evidence: a CSV and a report for people, a JSON for checking. That somebody did is attested too."""

import hashlib

from reclaim.domain.attestation import Event, EventKind
from reclaim.domain.ids import CampaignId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ExportedFile
from reclaim.domain.roles import Actor
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.collect_evidence import collect
from reclaim.services.evidence_files import slug, to_csv, to_json
from reclaim.services.read_report import ReadReport


class ExportEvidence:
    """Answers `/reclaim export`."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, report: ReadReport) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._report = report
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def export(self, actor: Actor, campaign: CampaignId) -> tuple[ExportedFile, ...]:
        """Return the attestation as CSV and JSON and the report, all of one moment; the event about it is not yet in them.

        Raises:
            NotFound: There is no such campaign.
        """
        async with self._work.read() as reading:
            evidence = await collect(reading, campaign, policy=self._policy, clock=self._clock)
        name = f"attestation-{slug(evidence.campaign)}"
        files = (
            ExportedFile(name=f"{name}.csv", media_type="text/csv", content=to_csv(evidence)),
            ExportedFile(name=f"{name}.json", media_type="application/json", content=to_json(evidence)),
            await self._report.draw(evidence),
        )
        return await self._attested(actor, campaign, files, len(evidence.records))

    async def report_file(self, actor: Actor, campaign: CampaignId, *, pseudonymous: bool = False) -> ExportedFile:
        """Return the report alone; `pseudonymous` replaces names by ids.

        Raises:
            NotFound: There is no such campaign.
        """
        async with self._work.read() as reading:
            evidence = await collect(reading, campaign, policy=self._policy, clock=self._clock)
        drawn = await self._report.draw(evidence, pseudonymous=pseudonymous)
        await self._attested(actor, campaign, (drawn,), len(evidence.records))
        return drawn

    async def _attested(
        self, actor: Actor, campaign: CampaignId, files: tuple[ExportedFile, ...], events: int
    ) -> tuple[ExportedFile, ...]:
        async with self._work.write() as unit:
            await unit.events.append(self._exported(actor, campaign, files, events))
            await unit.commit()
        return files

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
