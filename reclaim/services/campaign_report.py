"""Make a campaign's report of its evidence. Pure: the same evidence gives the same report."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from reclaim.domain.appeals import AppealLine
from reclaim.domain.attestation import EventKind
from reclaim.domain.directory import DIRECTLY
from reclaim.domain.ids import AssigneeId, GroupId, ItemId
from reclaim.domain.read_models import (
    CameBack,
    CampaignReport,
    FileDigest,
    LeftOut,
    ReportReviewer,
    ReportSeat,
    ReportSku,
    ReportStep,
    ReportStream,
)
from reclaim.domain.removal import Outcome
from reclaim.domain.restore import Returned
from reclaim.domain.review import AssignedHow, ReviewItem, Snapshot
from reclaim.services.event_records import EventRecord
from reclaim.services.evidence_files import Evidence
from reclaim.services.report_log import report_log

_LEFT_OUT = "left_out_"
_ENDS = (EventKind.ITEM_ENDED, EventKind.REMOVAL_VERIFIED)
_KEY_EVENTS = frozenset(
    {
        EventKind.LAUNCH_ASKED,
        EventKind.LAUNCH_CONFIRMED,
        EventKind.CAMPAIGN_STARTED,
        EventKind.CAMPAIGN_OPENED,
        EventKind.CLOSE_MOVED,
        EventKind.CAMPAIGN_EXTENDED,
        EventKind.CAMPAIGN_CANCELLED,
        EventKind.CAMPAIGN_CLOSING,
        EventKind.CAMPAIGN_PAUSED,
        EventKind.CAMPAIGN_RESUMED,
        EventKind.CAMPAIGN_CLOSED,
        EventKind.EXPORTED,
    }
)
# Exceptions first, then what is gone, then what stays.
_ORDER: tuple[Outcome | None, ...] = (
    Outcome.FAILED,
    Outcome.NOT_SUPPORTED,
    Outcome.HELD,
    None,
    Outcome.ACTIVE_AGAIN,
    Outcome.REGRANTED,
    Outcome.PLAN_CHANGED,
    Outcome.SUPERSEDED,
    Outcome.REMOVED,
    Outcome.MANUAL_DONE,
    Outcome.ALREADY_ABSENT,
    Outcome.DRY_RUN,
    Outcome.KEPT,
)


def make_report(evidence: Evidence, *, pseudonymous: bool = False, files: Sequence[FileDigest] = ()) -> CampaignReport:
    """Return the report; `pseudonymous` replaces names by ids and leaves out what people wrote.

    Args:
        files: What is exported beside it.
    """
    if pseudonymous:
        evidence = _without_names(evidence)
    campaign = evidence.campaign
    seats = _seats(evidence)
    numbers = {seat.item.id: seat.number for seat in seats}
    idle, left_out = _population(evidence)
    return CampaignReport(
        campaign=campaign,
        pseudonymous=pseudonymous,
        written_at=evidence.at,
        owner_name=_name(evidence, campaign.owner_id) or campaign.owner_id,
        reviewer_name=_name(evidence, campaign.reviewer_id),
        fallback_name=_name(evidence, campaign.fallback_id),
        abandoned_by_name=_name(evidence, campaign.abandoned_by),
        idle=idle,
        left_out=left_out,
        seats=seats,
        steps=_steps(evidence, numbers),
        reviewers=_reviewers(evidence),
        streams=_streams(evidence),
        run_at=evidence.run.started_at if evidence.run else None,
        sign_ins=evidence.run.sign_ins if evidence.run else None,
        skus=_skus(evidence),
        counted_at=evidence.newest.started_at if evidence.newest else None,
        own_decisions=sum(item.answer is not None and item.answer.by == item.person_id for item in evidence.items),
        log=report_log(evidence.records, _KEY_EVENTS, files, pseudonymous=pseudonymous),
        policy=evidence.policy,
        reduce=evidence.reduce,
    )


def _came_back(evidence: Evidence, item: ItemId) -> CameBack | None:
    back = evidence.reversals.get(item)
    if back is None:
        return None
    through = tuple(evidence.group_names.get(ref, ref) for ref in back.through if ref != DIRECTLY)
    return CameBack(at=back.at, restored=back.how is Returned.RESTORED, through=through)


def _without_names(evidence: Evidence) -> Evidence:
    items = tuple(_without_name(item) for item in evidence.items)
    appeals = {item: _bare_appeal(line) for item, line in evidence.appeals.items()}
    tasks = {item: replace(task, note="", link=None) for item, task in evidence.tasks.items()}
    return replace(evidence, items=items, names={}, group_names={}, appeals=appeals, tasks=tasks)


def _bare_appeal(line: AppealLine) -> AppealLine:
    appeal = line.appeal
    bare = replace(appeal, text="", reason=None)
    return AppealLine(appeal=bare, to_name=appeal.reviewer_id, answered_by_name=appeal.answered_by)


def _without_name(item: ReviewItem) -> ReviewItem:
    bare: Snapshot = replace(
        item.snapshot,
        person_name=item.person_id,
        upn=item.person_id,
        department=None,
        path_names={group: group for group in item.snapshot.path_names},
    )
    answer = replace(item.answer, note=None) if item.answer else None
    # Why a seat was passed on is what somebody wrote; why the fallback stands in is one of our own words.
    reason = item.assigned_reason if item.assigned_how is AssignedHow.FALLBACK else None
    return replace(item, snapshot=bare, answer=answer, assigned_reason=reason)


def _seats(evidence: Evidence) -> tuple[ReportSeat, ...]:
    ended = {
        record.stored.event.item_id: record.stored.seq
        for record in evidence.records
        if record.stored.event.kind in _ENDS
    }

    def place(item: ReviewItem) -> tuple[int, str, str, str]:
        seat = item.snapshot
        return _ORDER.index(item.outcome), seat.person_name.casefold(), seat.sku_name.casefold(), item.id

    return tuple(
        ReportSeat(
            number=number,
            item=item,
            reviewer_name=_name(evidence, item.assignee_id),
            answered_by_name=_name(evidence, item.answer.by) if item.answer else None,
            ended_in=ended.get(item.id) if item.outcome is not None else None,
            realised_at=evidence.realised.get(item.id),
            came_back=_came_back(evidence, item.id),
            appeal=evidence.appeals.get(item.id),
            task=(task := evidence.tasks.get(item.id)),
            task_by_name=_name(evidence, task.by) if task else None,
        )
        for number, item in enumerate(sorted(evidence.items, key=place), start=1)
    )


def _population(evidence: Evidence) -> tuple[int, tuple[LeftOut, ...]]:
    """Return the idle seats at the start and why some were not asked about, as attested then."""
    facts = next((r.facts for r in evidence.records if r.stored.event.kind is EventKind.CAMPAIGN_STARTED), {})
    left_out = [
        LeftOut(reason=key.removeprefix(_LEFT_OUT), seats=seats)
        for key, seats in facts.items()
        if key.startswith(_LEFT_OUT) and isinstance(seats, int)
    ]
    left = sum(one.seats for one in left_out)
    idle = facts.get("idle")
    found = idle if isinstance(idle, int) else len(evidence.items) + left
    changed = found - left - len(evidence.items)
    if changed:
        left_out.append(LeftOut(reason="opening", seats=changed))
    return found, tuple(sorted(left_out, key=lambda one: (-one.seats, one.reason)))


def _steps(evidence: Evidence, numbers: dict[ItemId, int]) -> tuple[ReportStep, ...]:
    items = {item.id: item for item in evidence.items}
    steps = [step for order in evidence.orders for step in order.steps if step.item_id in numbers]
    return tuple(
        ReportStep(
            number=numbers[step.item_id],
            step=step,
            group_name=items[step.item_id].snapshot.path_names.get(GroupId(step.step.ref)),
        )
        for step in sorted(steps, key=lambda step: (numbers[step.item_id], step.id))
    )


def _reviewers(evidence: Evidence) -> tuple[ReportReviewer, ...]:
    by_reviewer: dict[AssigneeId, list[ReviewItem]] = {}
    groups = {item.group_id for item in evidence.items if item.answer is None and item.group_id}
    for item in evidence.items:
        reviewer = item.answer.by if item.answer else item.assignee_id
        if reviewer is not None:
            by_reviewer.setdefault(reviewer, []).append(item)
    told: dict[str, EventRecord] = {}
    reminded = Counter[str]()
    for record in evidence.records:
        to = str(record.facts.get("to") or "")
        if record.stored.event.kind is EventKind.MESSAGE_SENT:
            told.setdefault(to, record)
        elif record.stored.event.kind is EventKind.REMINDER_SENT:
            reminded[to] += 1
    rows = [
        _reviewer(evidence, ref, items, told.get(ref), reminded[ref], is_group=ref in groups)
        for ref, items in by_reviewer.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.seats, row.name.casefold(), row.assignee_id)))


def _reviewer(
    evidence: Evidence,
    reviewer: AssigneeId,
    items: Sequence[ReviewItem],
    told: EventRecord | None,
    reminded: int,
    *,
    is_group: bool,
) -> ReportReviewer:
    how = Counter(item.assigned_how for item in items)
    return ReportReviewer(
        assignee_id=reviewer,
        name=_name(evidence, reviewer) or reviewer,
        is_group=is_group,
        seats=len(items),
        answered=sum(item.answer is not None for item in items),
        how=tuple((one, how[one]) for one in AssignedHow if how[one]),
        told_at=told.stored.event.at if told else None,
        channel=str(told.facts.get("channel")) if told else None,
        reminded=reminded,
        last_answer_at=max((item.answer.at for item in items if item.answer), default=None),
    )


def _streams(evidence: Evidence) -> tuple[ReportStream, ...]:
    rows = Counter[str]()
    requests = Counter[str]()
    for one in evidence.requests:
        requests[one.stream] += 1
        rows[one.stream] += one.request.rows
    return tuple(ReportStream(stream=name, requests=requests[name], rows=rows[name]) for name in sorted(requests))


def _skus(evidence: Evidence) -> tuple[ReportSku, ...]:
    shown = {item.product_id: item.snapshot for item in evidence.items}
    population = {row.product_id: row for row in evidence.population}
    rows = [
        ReportSku(
            product_id=product,
            name=seat.sku_name,
            part_number=seat.part_number,
            held=evidence.held.get(product, 0),
            microsoft=evidence.skus[product].consumed if product in evidence.skus else None,
            population=population.get(product),
        )
        for product, seat in shown.items()
    ]
    return tuple(sorted(rows, key=lambda row: (row.name.casefold(), row.product_id)))


def _name(evidence: Evidence, person: AssigneeId | None) -> str | None:
    """Return the name of a person or a group, or the id where it is not known, or must not be."""
    if person is None:
        return None
    return evidence.names.get(person, person)
