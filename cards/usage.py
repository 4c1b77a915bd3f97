"""Microsoft's usage reports in words: how they were read, and what they say of a seat."""

from collections.abc import Sequence

from cards import formats
from cards.view import Fact
from reclaim.domain.workloads import Report, ReportReading, ReportState, Workload

SHOW_NAMES = (
    "Microsoft hides names in usage reports, so they cannot be matched with people. An admin can show them: Microsoft 365 "
    "admin center › Settings › Org settings › Reports."
)
WORKLOADS = {
    Workload.EXCHANGE: "Exchange",
    Workload.ONEDRIVE: "OneDrive",
    Workload.SHAREPOINT: "SharePoint",
    Workload.SKYPE: "Skype for Business",
    Workload.VIVA_ENGAGE: "Viva Engage",
    Workload.TEAMS: "Teams",
    Workload.APPS: "Microsoft 365 apps",
    Workload.VISIO: "Visio activated",
    Workload.PROJECT: "Project activated",
}
_NAMES = {Report.ACTIVE_USERS: "Services", Report.APPS: "Apps", Report.ACTIVATIONS: "Activations"}
_STATES = {
    ReportState.CONCEALED: SHOW_NAMES,
    ReportState.NO_PERMISSION: "Not read: the permission Reports.Read.All is missing. Reclaim does without.",
    ReportState.NOT_OFFERED: "Not read: this cloud has none.",
    ReportState.FAILED: "Not read this time.",
}


def reports_read(readings: Sequence[ReportReading]) -> tuple[Fact, ...]:
    """Return how the usage reports were read; nothing where they never were."""
    if not readings:
        return ()
    said = dict.fromkeys(_read(one) for one in readings)
    return (Fact("Usage reports", " ".join(said)),)


def _read(reading: ReportReading) -> str:
    whole = reading.whole
    if reading.state is ReportState.READ and whole is not None:
        odd = f", {formats.count(whole.unmatched, 'row')} of nobody in the directory" if whole.unmatched else ""
        return f"{_NAMES[reading.report]} up to {formats.day(whole.refreshed_on)}{odd}."
    text = _STATES.get(reading.state, "Not read.")
    if reading.state is ReportState.FAILED:
        kept = f" The last whole one goes up to {formats.day(whole.refreshed_on)}." if whole is not None else ""
        return f"{reading.said or text}{kept}"
    return text
