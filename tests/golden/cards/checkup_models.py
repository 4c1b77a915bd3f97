"""Checkups of made-up installations: one that is fine, and one in which nothing is."""

from datetime import timedelta
from typing import Final

from reclaim.domain.checkup import Check, CheckName, Checkup, Outcome
from reclaim.domain.workloads import ReportState
from tests.golden.cards.models import HOSTILE, NOW

MISSING_PERMISSIONS: Final = (
    CheckName.READ_PEOPLE,
    CheckName.READ_LICENSES,
    CheckName.READ_GROUPS,
    CheckName.READ_ROLES,
    CheckName.WRITE_LICENSES,
)


def _fine(name: CheckName) -> Check:
    since = timedelta(hours=5) if name is CheckName.DATA else timedelta()
    about = ("web",) if name is CheckName.CHAT else ()
    return Check(name=name, outcome=Outcome.GOOD, about=about, number=3, since=since)


CHECKUP_FINE: Final = Checkup(
    checks=tuple(_fine(name) for name in CheckName if name is not CheckName.ENTRA_WRITER),
    at=NOW,
    live=True,
    consent_link="https://login.example/contoso/adminconsent?client_id=reader",
    writer_link="https://login.example/contoso/adminconsent?client_id=writer",
)
CHECKUP: Final = Checkup(
    checks=(
        Check(name=CheckName.JOBS, outcome=Outcome.FIX, number=12, since=timedelta(hours=3)),
        Check(
            name=CheckName.ENTRA,
            outcome=Outcome.FIX,
            said="Microsoft Entra gives Reclaim no access (AADSTS7000222): the client secret has expired.",
        ),
        Check(name=CheckName.CLOCK, outcome=Outcome.FIX, since=timedelta(minutes=-12)),
        *(Check(name=name, outcome=Outcome.FIX) for name in MISSING_PERMISSIONS),
        Check(name=CheckName.READ_SIGN_INS, outcome=Outcome.UNKNOWN),
        Check(name=CheckName.PREMIUM, outcome=Outcome.FIX),
        Check(name=CheckName.USAGE_REPORTS, outcome=Outcome.WITHOUT, about=(ReportState.CONCEALED.value,)),
        Check(
            name=CheckName.INTUNE,
            outcome=Outcome.FIX,
            about=("DeviceManagementManagedDevices.Read.All",),
            said="Microsoft Graph does not let Reclaim read this.",
        ),
        Check(
            name=CheckName.NEXTHINK,
            outcome=Outcome.FIX,
            said="Nexthink has no query #reclaim_usage. Make it in Nexthink › Administration › NQL API queries, or mend"
            " RECLAIM_NEXTHINK_QUERY.",
        ),
        Check(name=CheckName.WRITE_MEMBERS, outcome=Outcome.UNKNOWN),
        Check(name=CheckName.DATA, outcome=Outcome.FIX, since=timedelta(days=4)),
        Check(name=CheckName.PRICES, outcome=Outcome.FIX, number=7, about=("Visio Plan 2", HOSTILE, *"ABCDE")),
        Check(name=CheckName.CHAT, outcome=Outcome.FIX, about=("slack",), said="Slack refuses: invalid_auth."),
        Check(name=CheckName.ADMINS, outcome=Outcome.FIX, number=1),
        Check(name=CheckName.FALLBACK, outcome=Outcome.FIX, number=0),
        Check(name=CheckName.DATABASE, outcome=Outcome.GOOD),
    ),
    at=NOW,
    live=False,
    consent_link="https://login.example/contoso/adminconsent?client_id=reader",
    writer_link="https://login.example/contoso/adminconsent?client_id=writer",
)
