"""Export a consent program's evidence as a campaign's: CSV and a report for people, JSON for checking. It is attested too."""

import asyncio
from collections.abc import Sequence

from reclaim.domain.ids import ProgramId
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import ExportedFile, FileDigest
from reclaim.domain.roles import Actor
from reclaim.ports.documents import Documents
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.consent_evidence import ConsentEvidence, collect
from reclaim.services.consent_files import attestation_csv, requests_csv, slug, to_json
from reclaim.services.consent_report import make_report
from reclaim.services.exporting import digest, exported


class ExportConsent:
    """Answers `/reclaim consent export`."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, documents: Documents) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._documents = documents
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def export(
        self, actor: Actor, program_id: ProgramId, *, run: int | None = None, pseudonymous: bool = False
    ) -> tuple[ExportedFile, ...]:
        """Return events and requests as CSV, everything as JSON, and the report, all of one moment.

        The event about the export is not yet in them.

        Args:
            run: The number of the one run to export, from 1; None: the whole program.
            pseudonymous: Return the report alone, with ids in place of names.

        Raises:
            NotFound: There is no such program.
            InvalidRequest: It has no such run.
        """
        async with self._work.read() as work:
            evidence = await collect(work, program_id, policy=self._policy, now=self._clock.now(), only_run=run)
        # Thousands of rows take a while, and clicks must not wait for them.
        files = await asyncio.to_thread(self._files, evidence, pseudonymous)
        event = exported(
            self._attest,
            actor,
            program_id,
            files,
            events=len(evidence.records),
            facts={"run": evidence.runs[run].id if run is not None else None},
        )
        async with self._work.write() as work:
            await work.events.append(event)
            await work.commit()
        return tuple(files.values())

    def _files(self, evidence: ConsentEvidence, pseudonymous: bool) -> dict[str, ExportedFile]:
        name = slug(evidence)
        if pseudonymous:
            return {"html": self._report(f"report-{name}-pseudonymous.html", evidence, pseudonymous=True)}
        table = ExportedFile(name=f"attestation-{name}.csv", media_type="text/csv", content=attestation_csv(evidence))
        requests = ExportedFile(name=f"requests-{name}.csv", media_type="text/csv", content=requests_csv(evidence))
        document = ExportedFile(
            name=f"attestation-{name}.json", media_type="application/json", content=to_json(evidence)
        )
        beside = (digest(table), digest(requests), digest(document))
        report = self._report(f"report-{name}.html", evidence, files=beside)
        return {"csv": table, "requests": requests, "json": document, "html": report}

    def _report(
        self, name: str, evidence: ConsentEvidence, *, pseudonymous: bool = False, files: Sequence[FileDigest] = ()
    ) -> ExportedFile:
        report = make_report(evidence, pseudonymous=pseudonymous, files=files)
        return ExportedFile(name=name, media_type="text/html", content=self._documents.render_consent(report))
