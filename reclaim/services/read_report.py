"""A campaign's report as a file: for its owner, and without names for whoever must not see them."""

import asyncio

from reclaim.domain.read_models import ExportedFile
from reclaim.ports.documents import Documents
from reclaim.services.campaign_report import make_report
from reclaim.services.evidence_files import Evidence, slug


class ReadReport:
    """Makes the report of evidence that was read already, so that all files of an export say the same."""

    def __init__(self, *, documents: Documents) -> None:
        self._documents = documents

    async def draw(self, evidence: Evidence, *, pseudonymous: bool = False) -> ExportedFile:
        """Return the report as a file; `pseudonymous` replaces names by ids."""
        # Thousands of rows take a while, and clicks must not wait for them.
        content = await asyncio.to_thread(self._content, evidence, pseudonymous)
        without = "-pseudonymous" if pseudonymous else ""
        return ExportedFile(
            name=f"report-{slug(evidence.campaign)}{without}.html", media_type="text/html", content=content
        )

    def _content(self, evidence: Evidence, pseudonymous: bool) -> bytes:
        return self._documents.render(make_report(evidence, pseudonymous=pseudonymous))
