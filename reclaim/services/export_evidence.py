"""Export a campaign's evidence: a CSV and a report for people, a JSON for checking. That somebody did is attested too."""

from collections.abc import Mapping

from reclaim.domain.ids import CampaignId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ExportedFile
from reclaim.domain.roles import Actor
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.collect_evidence import collect
from reclaim.services.evidence_files import Evidence, slug, to_csv, to_json
from reclaim.services.exporting import digest, exported
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
        table = ExportedFile(name=f"{name}.csv", media_type="text/csv", content=to_csv(evidence))
        document = ExportedFile(name=f"{name}.json", media_type="application/json", content=to_json(evidence))
        report = await self._report.draw(evidence, files=(digest(table), digest(document)))
        await self._attested(actor, evidence, {"csv": table, "json": document, "html": report})
        return table, document, report

    async def report_file(self, actor: Actor, campaign: CampaignId, *, pseudonymous: bool = False) -> ExportedFile:
        """Return the report alone; `pseudonymous` replaces names by ids.

        Raises:
            NotFound: There is no such campaign.
        """
        async with self._work.read() as reading:
            evidence = await collect(reading, campaign, policy=self._policy, clock=self._clock)
        drawn = await self._report.draw(evidence, pseudonymous=pseudonymous)
        await self._attested(actor, evidence, {"html": drawn})
        return drawn

    async def _attested(self, actor: Actor, evidence: Evidence, files: Mapping[str, ExportedFile]) -> None:
        event = exported(self._attest, actor, evidence.campaign.id, files, events=len(evidence.records))
        async with self._work.write() as unit:
            await unit.events.append(event)
            await unit.commit()
