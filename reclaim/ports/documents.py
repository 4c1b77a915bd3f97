"""Documents are drawn outside the core: a read model in, the bytes of one self-contained file out."""

from typing import Protocol

from reclaim.domain.consent_report import ConsentReport
from reclaim.domain.read_models import CampaignReport, ScanReport


class Documents(Protocol):
    """Draws documents. Pure: the same read model gives the same bytes."""

    def render(self, report: CampaignReport) -> bytes:
        """Return the report as one HTML file without scripts and without anything from elsewhere."""
        ...

    def render_consent(self, report: ConsentReport) -> bytes:
        """Return the report of a consent program, in the same way."""
        ...

    def render_scan(self, report: ScanReport) -> bytes:
        """Return the report of a scan, in the same way."""
        ...
