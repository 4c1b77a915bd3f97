"""What Microsoft's usage reports say of a product: which of its services were used, and when last.

A sign-in is no use of a product: whoever opens their mail has not opened Visio. Where a report counts every service that a
product is made of, the product can be judged by that; where it does not, sign-ins keep deciding, and nobody is told that a
sign-in was a use. A report counts days, so an instant of use is the noon of its day in UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from reclaim.domain.directory import ServicePlan

# What the reports are asked for; a person without any use in it was not active for so long at least.
REPORT_PERIOD = timedelta(days=180)
# Reports come two or three days late. What a person did since the last one is not known, so that a product which is judged
# by reports must have been quiet for so much longer. An older report judges nothing.
REPORTS_LAG = timedelta(days=7)


class Report(StrEnum):
    """A usage report of Microsoft 365."""

    ACTIVE_USERS = "active_users"
    APPS = "apps"
    ACTIVATIONS = "activations"


class ReportState(StrEnum):
    """How the reading of a report went."""

    READ = "read"
    CONCEALED = "concealed"  # the tenant hides names in reports: rows belong to nobody we could name
    NO_PERMISSION = "no_permission"
    NOT_OFFERED = "not_offered"  # this cloud has no usage reports
    FAILED = "failed"  # not whole, or not understood: the last whole one stays


class Workload(StrEnum):
    """A service whose use a report counts."""

    EXCHANGE = "exchange"
    ONEDRIVE = "onedrive"
    SHAREPOINT = "sharepoint"
    SKYPE = "skype"
    VIVA_ENGAGE = "viva_engage"
    TEAMS = "teams"
    APPS = "apps"
    VISIO = "visio"
    PROJECT = "project"


COUNTED_BY: Mapping[Workload, Report] = {
    Workload.EXCHANGE: Report.ACTIVE_USERS,
    Workload.ONEDRIVE: Report.ACTIVE_USERS,
    Workload.SHAREPOINT: Report.ACTIVE_USERS,
    Workload.SKYPE: Report.ACTIVE_USERS,
    Workload.VIVA_ENGAGE: Report.ACTIVE_USERS,
    Workload.TEAMS: Report.ACTIVE_USERS,
    Workload.APPS: Report.APPS,
    Workload.VISIO: Report.ACTIVATIONS,
    Workload.PROJECT: Report.ACTIVATIONS,
}
# An activation is made once and used for years: a new one shows use, an old one shows nothing.
_ONLY_ACTIVATED = frozenset({Workload.VISIO, Workload.PROJECT})

# Which services a plan is used through. Names as in Microsoft's "Product names and service plan identifiers for
# licensing"; what is counted where as in the Microsoft Graph docs, api/reportroot-getoffice365activeuserdetail,
# reportroot-getm365appuserdetail and reportroot-getoffice365activationsuserdetail. Exact names: EXCHANGE_S_ARCHIVE and
# SHAREPOINT_PROJECT, say, begin alike and are used otherwise.
_FILES = frozenset({Workload.SHAREPOINT, Workload.ONEDRIVE})
_USED_THROUGH: Mapping[str, frozenset[Workload]] = {
    **dict.fromkeys(
        ("EXCHANGE_S_STANDARD", "EXCHANGE_S_ENTERPRISE", "EXCHANGE_S_DESKLESS", "EXCHANGE_L_STANDARD"),
        frozenset({Workload.EXCHANGE}),
    ),
    **dict.fromkeys(("SHAREPOINTSTANDARD", "SHAREPOINTENTERPRISE", "SHAREPOINTDESKLESS"), _FILES),
    **dict.fromkeys(
        ("ONEDRIVESTANDARD", "ONEDRIVEENTERPRISE", "ONEDRIVE_BASIC", "ONEDRIVE_BASIC_P2"),
        frozenset({Workload.ONEDRIVE}),
    ),
    "TEAMS1": frozenset({Workload.TEAMS}),
    "MCOSTANDARD": frozenset({Workload.SKYPE}),
    "YAMMER_ENTERPRISE": frozenset({Workload.VIVA_ENGAGE}),
    # Office for the web stands in the report on apps, beside Windows, Mac and mobile.
    **dict.fromkeys(
        ("OFFICESUBSCRIPTION", "OFFICE_BUSINESS", "OFFICE_PROPLUS_DEVICE", "SHAREPOINTWAC"), frozenset({Workload.APPS})
    ),
    "VISIO_CLIENT_SUBSCRIPTION": frozenset({Workload.VISIO}),
    "PROJECT_CLIENT_SUBSCRIPTION": frozenset({Workload.PROJECT}),
}
# Plans that protect, manage or find what the others hold. Nobody uses them by themselves: they prove nothing.
_SUPPORTING = (
    "AAD_",
    "ADALLOM_",
    "ATP_ENTERPRISE",
    "EXCHANGE_S_FOUNDATION",
    "INTUNE_",
    "MFA_PREMIUM",
    "MICROSOFT_SEARCH",
    "MIP_S_",
    "RMS_S_",
    "THREAT_INTELLIGENCE",
    "WINDEFATP",
)


@dataclass(frozen=True, slots=True)
class ProductUse:
    """How the use of a product can be seen.

    Attributes:
        workloads: What its plans are used through, as far as a report counts it.
        whole: That is all of it, and a report that counts use and not activations: then no use there is no use of it.
    """

    workloads: frozenset[Workload]
    whole: bool

    @property
    def reports(self) -> frozenset[Report]:
        """The reports that count it."""
        return frozenset(COUNTED_BY[one] for one in self.workloads)


NO_USE = ProductUse(frozenset(), whole=False)  # of a product whose plans are not known


def product_use(plans: Iterable[ServicePlan]) -> ProductUse:
    """Return how the use of a product with these plans can be seen. A plan that we do not know is counted by nobody."""
    names = {plan.name.upper() for plan in plans}
    used = {name for name in names if not name.startswith(_SUPPORTING)}
    known = frozenset().union(*(_USED_THROUGH.get(name, frozenset()) for name in used))
    whole = bool(used) and used <= _USED_THROUGH.keys() and not known & _ONLY_ACTIVATED
    return ProductUse(known, whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """What one report says of one person.

    Attributes:
        upn: As the report spells it.
        counted: The services that it speaks of for this person: they have them. Of the others it says nothing.
        last_used: The last day of use, where there is one in the report.
        licensed_on: The newest day on which the person got one of these services, where the report tells.
    """

    upn: str
    counted: frozenset[Workload]
    last_used: Mapping[Workload, date]
    licensed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReport:
    """A whole report that was read.

    Attributes:
        id: Of this reading of it.
        refreshed_on: The last day that it covers, as Microsoft says.
        rows: People in it; `unmatched` of them are nobody of the directory, by their exact user principal name.
    """

    id: int
    report: Report
    refreshed_on: date
    read_at: datetime
    rows: int = 0
    unmatched: int = 0

    def is_fresh(self, now: datetime, limit: timedelta) -> bool:
        """Whether it is young enough to judge by."""
        return now - noon(self.refreshed_on) <= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReading:
    """The last attempt to read a report, and the last whole one, which may be older."""

    report: Report
    state: ReportState
    at: datetime
    said: str = ""
    whole: UsageReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the reports say of one product of one person.

    Attributes:
        whole: Every service of the product is counted by a fresh report that speaks of this person.
        last_used_at: The latest use of any of its services; None: no use is in a report.
        quiet_since: The latest instant that could speak for use, by the reports alone; None unless `whole`.
        reported_at: What the reports cover: the oldest of them; None where none speaks of the person.
    """

    whole: bool
    last_used_at: datetime | None
    quiet_since: datetime | None
    reported_at: datetime | None


def read_use(product: ProductUse, reports: Mapping[Report, UsageReport], lines: Mapping[Report, ReportLine]) -> Use:
    """Return what is known of the use of a product.

    Args:
        product: How its use can be seen.
        reports: The reports to go by: whole, and fresh enough.
        lines: What they say of the person; no line, nothing known.
    """
    counted = {one for one in product.workloads if _speaks(one, reports, lines)}
    days = [day for one in product.workloads if (day := _last(one, reports, lines)) is not None]
    last = noon(max(days)) if days else None
    spoken = [reports[COUNTED_BY[one]].refreshed_on for one in counted]
    whole = product.whole and counted == product.workloads
    if not whole:
        return Use(whole=False, last_used_at=last, quiet_since=None, reported_at=noon(min(spoken)) if spoken else None)
    licensed = [noon(line.licensed_on) for report in product.reports if (line := lines[report]).licensed_on is not None]
    # Without a day of use there was none in the period of the report; before it there may have been.
    floor = noon(max(spoken)) - REPORT_PERIOD
    return Use(
        whole=True,
        last_used_at=last,
        quiet_since=max([last or floor, *licensed]),
        reported_at=noon(min(spoken)),
    )


def noon(day: date) -> datetime:
    """Return the instant that stands for a day of a report."""
    return datetime.combine(day, time(12), tzinfo=UTC)


def _speaks(one: Workload, reports: Mapping[Report, UsageReport], lines: Mapping[Report, ReportLine]) -> bool:
    report = COUNTED_BY[one]
    return report in reports and report in lines and one in lines[report].counted


def _last(one: Workload, reports: Mapping[Report, UsageReport], lines: Mapping[Report, ReportLine]) -> date | None:
    report = COUNTED_BY[one]
    return lines[report].last_used.get(one) if report in reports and report in lines else None
