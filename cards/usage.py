"""Microsoft's usage reports in words: how they were read, and what they say of a seat."""

from collections.abc import Sequence
from datetime import datetime

from cards import formats
from cards.view import Fact, Paragraph
from reclaim.domain.read_models import WhySeat
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


def reports_missing(readings: Sequence[ReportReading]) -> tuple[Paragraph, ...]:
    """Return why nothing is told of use, where no report could be read."""
    if not readings or any(one.state is ReportState.READ for one in readings):
        return ()
    said = dict.fromkeys(_read(one) for one in readings)
    return (Paragraph(f"Usage reports: {' '.join(said)}", subtle=True),)


def use_reported(seat: WhySeat, now: datetime) -> tuple[Fact, ...]:
    """Return what the reports say of a seat's product, service by service, with their source and age."""
    if seat.reported_at is None:
        return ()
    until = f"up to {formats.day(seat.reported_at.date())}, {formats.age(seat.reported_at, now)}"
    used = (f"{WORKLOADS[one]} {formats.day(day) if day else 'none reported'}" for one, day in seat.services)
    return (Fact("Last use", " · ".join(used)), Fact("Source", f"Microsoft’s usage reports, {until}"))
