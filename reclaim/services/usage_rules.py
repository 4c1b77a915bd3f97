"""Which usage reports may be judged by now, said the same way for the scan, the explanation and the second look."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from reclaim.domain.directory import Person, Sku
from reclaim.domain.policy import Policy
from reclaim.domain.workloads import Report, ReportReading, ReportState, UsageReport, Use, product_use, read_use
from reclaim.ports.storage import UnitOfWork
from reclaim.ports.usage_reports import UseRules

# After these nothing that was read before counts: the tenant does not want it to, or does not let us see what is new.
_WITHDRAWN = frozenset({ReportState.CONCEALED, ReportState.NO_PERMISSION, ReportState.NOT_OFFERED})


def to_go_by(
    readings: Iterable[ReportReading], now: datetime, limit: timedelta = timedelta.max
) -> dict[Report, UsageReport]:
    """Return the whole reports that are fresh enough. One that could not be read this time leaves the last whole one."""
    return {
        one.report: one.whole
        for one in readings
        if one.whole is not None and one.state not in _WITHDRAWN and one.whole.is_fresh(now, limit)
    }


async def use_rules(
    reading: UnitOfWork, policy: Policy, now: datetime, *, since: datetime | None = None
) -> UseRules | None:
    """Return what is judged by; None where the installation does not judge by reports, or no report is there.

    Args:
        since: Only reports that were read from then on.
    """
    if not policy.judges_by_reports:
        return None
    found = to_go_by(await reading.workload_use.readings(), now, policy.report_max_age)
    reports = {report: one for report, one in found.items() if since is None or one.read_at >= since}
    skus = await reading.catalog.skus()
    products = {sku.id: use for sku in skus.values() if (use := product_use(sku.plans)).reports & reports.keys()}
    return UseRules(reports=reports, products=products) if products else None


async def use_of(reading: UnitOfWork, person: Person, sku: Sku | None, rules: UseRules | None) -> Use | None:
    """Return what the reports say of one product of one person; None where they are not judged by."""
    if rules is None or sku is None or sku.id not in rules.products:
        return None
    lines = await reading.workload_use.lines_of(person.upn, rules.reports.values())
    return read_use(rules.products[sku.id], rules.reports, lines)
