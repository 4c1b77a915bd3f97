"""The report that comes with an export says what the CSV and the JSON of the same export say."""

import csv
import hashlib
import json
from io import StringIO
from pathlib import Path

from cards.report import HtmlDocuments
from reclaim.domain.attestation import EventKind
from reclaim.domain.read_models import ExportedFile
from reclaim.domain.removal import Outcome
from reclaim.domain.review import Choice
from reclaim.services.export_evidence import ExportEvidence
from reclaim.services.read_report import ReadReport
from tests.golden.report.reading import Node, read, rows_of
from tests.services.campaign_world import CampaignWorld, actor
from tests.services.offline_check import offline_check
from tests.services.world import E3, LYNNE, PROJECT, VISIO, seat


def exporting(world: CampaignWorld) -> ExportEvidence:
    return ExportEvidence(
        work=world.work,
        clock=world.clock,
        tokens=world.tokens,
        policy=world.policy,
        report=ReadReport(documents=HtmlDocuments()),
    )


async def played(world: CampaignWorld) -> tuple[ExportedFile, ...]:
    """Run a campaign in which seats end in many ways, and export it."""
    for ref in ("ada", "ben", "cleo", "dora", "emil"):
        world.hire(ref)
    world.hire("finn", seat("finn", E3))
    world.hire("gina", seat("gina", PROJECT))
    await world.open()
    await world.revoke("ada", "ben", "cleo")
    await world.revoke("gina", product=PROJECT)
    await world.keep("dora")
    await world.decide(Choice.NOT_SURE, "emil")
    world.sign_in("ben")
    world.writer.refused.add(("cleo", VISIO))
    await world.close()
    return await exporting(world).export(actor(LYNNE), world.campaign_id)


def last_ends(rows: list[dict[str, str]]) -> dict[str, str]:
    """Return the outcome of each item as the events of the CSV tell it: the last one counts."""
    ends: dict[str, str] = {}
    for row in rows:
        facts = dict(fact.partition("=")[::2] for fact in row["facts"].split("; ") if fact)
        if row["kind"] in (EventKind.ITEM_ENDED.value, EventKind.REMOVAL_VERIFIED.value):
            ends[row["item_id"]] = facts["outcome"]
    return ends


def last_answers(rows: list[dict[str, str]]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for row in rows:
        facts = dict(fact.partition("=")[::2] for fact in row["facts"].split("; ") if fact)
        if row["kind"] == EventKind.DECISION_MADE.value:
            answers[row["item_id"]] = facts["choice"]
        elif row["kind"] == EventKind.DECISION_WITHDRAWN.value:
            answers.pop(row["item_id"], None)
    return answers


def figures(document: Node) -> list[str]:
    (grid,) = [node for node in document.walk() if node.attributes.get("class") == "figures"]
    return [bold.text for bold in grid.all("b")]


async def test_the_numbers_of_the_report_are_those_of_the_csv(campaigns: CampaignWorld) -> None:
    table, _, report = await played(campaigns)

    rows = list(csv.DictReader(StringIO(table.content.decode(), newline="")))
    document = read(report.content.decode())
    assigned = {row["item_id"] for row in rows if row["kind"] == EventKind.ITEM_ASSIGNED.value}
    ends, answers = last_ends(rows), last_answers(rows)
    assert len(rows_of(document, "asked")) == len(assigned) == 7
    assert len(rows_of(document, "answered")) == len(answers)
    for choice in ("revoke", "keep", "not_sure"):
        assert len(rows_of(document, choice)) == list(answers.values()).count(choice), choice
    approved = {item for item, choice in answers.items() if choice == "revoke"}
    assert {ends[item] for item in approved} >= {"removed", "active_again", "failed"}
    for outcome in Outcome:
        if outcome is not Outcome.KEPT:
            of_csv = sum(ends[item] == outcome.value for item in approved)
            assert len(rows_of(document, f"end-{outcome.value}")) == of_csv, outcome
    assert figures(document)[:3] == ["7", str(len(answers)), str(list(ends.values()).count("removed"))]
    assert report.name == "report-review-draft-1.html"


async def test_its_digest_is_that_of_the_events_in_the_json(campaigns: CampaignWorld) -> None:
    _, evidence, report = await played(campaigns)

    events = json.loads(evidence.content)["events"]
    digest = hashlib.sha256("".join(event["body"] for event in events).encode()).hexdigest()
    text = read(report.content.decode()).text.replace(" ", "")
    assert digest in text
    assert f".events[:{len(events)}][].body" in text


async def test_what_was_changed_in_an_export_is_named_by_the_check_that_its_report_prints(
    campaigns: CampaignWorld, tmp_path: Path
) -> None:
    files = await played(campaigns)
    table, document, _ = files

    assert offline_check(files, tmp_path) == (0, [])
    for file in (table, document):
        assert offline_check(files, tmp_path, {file.name: file.content[:-1]}) == (1, [file.name])


async def test_handing_out_the_report_is_attested_with_its_hash(campaigns: CampaignWorld) -> None:
    await played(campaigns)
    file = await exporting(campaigns).report_file(actor(LYNNE), campaigns.campaign_id, pseudonymous=True)

    async with campaigns.work.read() as work:
        (newest,), _ = await work.events.newest(1)
    facts = json.loads(newest.event.body)["facts"]
    assert facts["html_sha256"] == hashlib.sha256(file.content).hexdigest()
    assert file.name == "report-review-draft-1-pseudonymous.html"
    assert b"Megan Example" not in file.content
