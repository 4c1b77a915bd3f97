"""Read all evidence of one campaign in one transaction, so that every file made of it says the same."""

from reclaim.domain.attestation import EventKind
from reclaim.domain.ids import AssigneeId, CampaignId, GroupId, RunId
from reclaim.domain.policy import Policy
from reclaim.errors import NotFound
from reclaim.ports.storage import UnitOfWork
from reclaim.ports.system import Clock
from reclaim.services.appeal_lines import appeal_lines
from reclaim.services.event_records import EventRecord, read_records
from reclaim.services.evidence_files import Evidence
from reclaim.services.naming import names_of
from reclaim.services.read_population import population
from reclaim.services.reduce_orders import orders_to_reduce


async def collect(reading: UnitOfWork, campaign_id: CampaignId, *, policy: Policy, clock: Clock) -> Evidence:
    """Return the evidence as it stands.

    Raises:
        NotFound: There is no such campaign.
    """
    now = clock.now()
    campaign = await reading.campaigns.get(campaign_id)
    if campaign is None:
        raise NotFound("There is no such campaign.")
    records = await read_records(reading, await reading.events.of_campaign(campaign_id))
    items = await reading.items.of_campaign(campaign_id)
    reversals = {one.item_id: one for one in await reading.restores.reversals_of(campaign_id)}
    appeals = await reading.appeals.of_campaign(campaign_id)
    tasks = await reading.tasks.get_many(item.id for item in items)
    groups = await reading.catalog.groups({GroupId(ref) for one in reversals.values() for ref in one.through})
    named: set[AssigneeId | None] = {item.assignee_id for item in items}
    named |= {item.answer.by for item in items if item.answer}
    named |= {one for appeal in appeals for one in (appeal.reviewer_id, appeal.answered_by)}
    named |= {task.by for task in tasks.values()}
    named |= {
        campaign.owner_id,
        campaign.reviewer_id,
        campaign.fallback_id,
        campaign.abandoned_by,
        campaign.cancelled_by,
    }
    run_id = _run_of(records)
    return Evidence(
        campaign=campaign,
        items=tuple(sorted(items, key=lambda item: item.id)),
        names=await names_of(reading, named),
        records=tuple(records),
        run=await reading.syncs.get(run_id) if run_id else None,
        requests=tuple(await reading.syncs.requests(run_id)) if run_id else (),
        orders=tuple(await reading.orders.of_campaign(campaign_id)),
        skus=await reading.catalog.skus(),
        held=await reading.seats.held(),
        population=await population(
            reading, days=campaign.scope.days, now=now, products={item.product_id for item in items}
        ),
        newest=await reading.syncs.newest_complete(),
        realised=await reading.savings.realised(campaign_id),
        reduce=await orders_to_reduce(reading, campaign_id, policy, now),
        policy=policy,
        at=now,
        reversals=reversals,
        group_names={group.id: group.name for group in groups.values()},
        tasks=tasks,
        appeals=await appeal_lines(reading, appeals),
    )


def _run_of(records: list[EventRecord]) -> RunId | None:
    """Return the sync run that the campaign was started on."""
    for record in records:
        run = record.facts.get("run")
        if record.stored.event.kind is EventKind.CAMPAIGN_STARTED and isinstance(run, str):
            return RunId(run)
    return None
