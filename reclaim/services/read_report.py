"""A campaign's report as a file: for its owner, and without names for whoever must not see them."""

import asyncio
from collections.abc import Sequence

from reclaim.domain.read_models import ExportedFile, FileDigest
from reclaim.ports.documents import Documents
from reclaim.services.campaign_report import make_report
from reclaim.services.evidence_files import Evidence, slug


class ReadReport:
    """Makes the report of evidence that was read already, so that all files of an export say the same."""

    def __init__(self, *, documents: Documents) -> None:
        self._documents = documents

    async def draw(
        self, evidence: Evidence, *, pseudonymous: bool = False, files: Sequence[FileDigest] = ()
    ) -> ExportedFile:
        """Return the report as a file; `pseudonymous` replaces names by ids, `files` are exported beside it."""
        # Thousands of rows take a while, and clicks must not wait for them.
        content = await asyncio.to_thread(self._content, evidence, pseudonymous, files)
        without = "-pseudonymous" if pseudonymous else ""
        return ExportedFile(
            name=f"report-{slug(evidence.campaign)}{without}.html", media_type="text/html", content=content
        )

    def _content(self, evidence: Evidence, pseudonymous: bool, files: Sequence[FileDigest]) -> bytes:
        return self._documents.render(make_report(evidence, pseudonymous=pseudonymous, files=files))
