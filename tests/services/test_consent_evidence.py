"""The evidence of a consent program: every candidate in one place, files that say the same, and changes that are found."""

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cards import text as terminal
from cards.programs import program_card
from cards.trail import history_card
from reclaim.domain.attestation import EventKind, commitment
from reclaim.domain.consent import StillUsed
from reclaim.domain.consent_funnel import Answer, Funnel, Stage, Standing
from reclaim.domain.consent_program import ConsentProgram
from reclaim.domain.exclusions import ExclusionKind
from reclaim.domain.ids import PersonId
from reclaim.domain.read_models import ExportedFile
from reclaim.errors import InvalidRequest
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.read_history import ReadHistory
from tests.golden.report.reading import Node, read, rows_of
from tests.services.campaign_world import DAY, HOUR, CampaignWorld, actor
from tests.services.consent_world import MIRO_GROUP, in_group, member, open_program, over, request_of, run
from tests.services.offline_check import offline_check
from tests.services.world import LYNNE, MEGAN

HOSTILE = '<script>alert("x")</script>'
NUMBER = re.compile(r"\d[\d,]*")


@dataclass(frozen=True)
class Pack:
    """What was exported, read back."""

    files: Sequence[ExportedFile]

    @property
    def events(self) -> list[dict[str, str]]:
        return rows(self.files[0])

    @property
    def requests(self) -> list[dict[str, str]]:
        return rows(self.files[1])

    @property
    def document(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.files[2].content)
        return loaded

    @property
    def report(self) -> Node:
        return read(self.files[-1].content.decode())


def rows(file: ExportedFile) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(file.content.decode(), newline="")))


async def export(world: CampaignWorld, program: ConsentProgram, **more: Any) -> Pack:
    return Pack(await world.consent.export.export(actor(LYNNE), program.id, **more))


async def funnel_of(world: CampaignWorld, program: ConsentProgram) -> Funnel:
    return (await world.consent.read.program(program.id)).funnel


async def mixed(world: CampaignWorld) -> ConsentProgram:
    """Play a program in which candidates end in many ways."""
    for ref in ("ada", "ben", "cleo", "dan", "eve", "fred", "gus", "ivy"):
        member(world, ref, device="=cmd|calc" if ref == "ada" else None)
    member(world, "out")
    world.directory.members[MIRO_GROUP].remove(PersonId("out"))
    member(world, "una", None)
    member(world, "used", 2)
    world.change("ben", name=HOSTILE)
    world.change("gus", enabled=False)
    world.use.unmatched, world.use.ambiguous = 3, 1
    world.writer.refused.add(("fred", MIRO_GROUP))
    program = await open_program(world, price="10.00 USD")
    leaving_out = ExcludeSeats(
        work=world.work, clock=world.clock, tokens=world.tokens, policy=world.policy, directory=world.directory
    )
    world.engine.register("exclude", leaving_out.handle)
    await leaving_out.add(actor(LYNNE), ExclusionKind.PERSON, "eve", reason="on a project")
    await run(world, program)
    answer = world.consent.answer
    for ref in ("ada", "dan", "fred"):
        await answer.agree(actor(ref), (await request_of(world, ref)).id)
    ben = (await request_of(world, "ben")).id
    await answer.keep(actor("ben"), ben, reason=StillUsed.OTHER, note="=1+1")
    await answer.later(actor("ivy"), (await request_of(world, "ivy")).id)
    await world.wait(over(program))
    await answer.give_back(actor("dan"), (await request_of(world, "dan")).id)
    await world.wait(HOUR)
    return program


async def taken(world: CampaignWorld) -> ConsentProgram:
    """Take it from Ada without asking, and give it back upon her appeal."""
    member(world, "ada")
    program = await open_program(world, ask=False)
    await run(world, program)
    request = await request_of(world, "ada")
    await world.consent.appeals.appeal(actor("ada"), request.id, "I need it, @SUM(1).")
    await world.settle()
    await world.consent.appeals.answer(actor(MEGAN), request.id, give=True)
    await world.settle()
    return program


async def test_every_candidate_is_in_exactly_one_place_and_every_file_says_the_same(campaigns: CampaignWorld) -> None:
    program = await mixed(campaigns)

    funnel = await funnel_of(campaigns, program)
    pack = await export(campaigns, program)

    assert funnel.stages == {
        Stage.NOT_A_MEMBER: 1, Stage.EXCLUDED: 1, Stage.NOT_ASKABLE: 1, Stage.ASKED: 6,
    }  # fmt: skip
    assert funnel.answers == {Answer.AGREED: 3, Answer.KEPT: 1, Answer.SILENT: 1, Answer.OPEN: 1}
    assert funnel.standings == {
        Standing.NOT_A_MEMBER: 1, Standing.EXCLUDED: 1, Standing.OPEN: 1, Standing.KEPT: 1, Standing.SILENT: 1,
        Standing.REMOVED: 1, Standing.RESTORED: 1, Standing.BY_HAND: 1, Standing.OTHERWISE: 1,
    }  # fmt: skip
    assert sum(funnel.stages.values()) == sum(funnel.standings.values()) == funnel.candidates == 9
    assert sum(funnel.answers.values()) == funnel.asked
    assert [(one.minor, one.currency) for one in funnel.saved.amounts] == [(1000, "USD")]

    said = pack.document
    for key, counted in (
        ("stages", funnel.stages),
        ("answers_of_asked", funnel.answers),
        ("standings", funnel.standings),
    ):
        assert {name: number for name, number in said["funnel"][key].items() if number} == counted
    assert Counter(one["standing"] for one in said["requests"]) == funnel.standings
    assert len(pack.requests) == len(rows_of(pack.report, "found")) == 9
    assert {one["person_name"]: one["state"] for one in pack.requests}["Ada Example"] == "removed"
    for standing, number in funnel.standings.items():
        assert len(rows_of(pack.report, f"stands-{standing.value}")) == number, standing
    run_counts = said["runs"][0]["counts"]
    assert (sum(run_counts.values()), run_counts["unknown"], run_counts["used"]) == (11, 1, 1)
    drawn = terminal.render(program_card(await campaigns.consent.read.program(program.id), "UTC", may_run=True))
    assert "Of 6 asked: 3 agreed, 1 keep it, 1 did not answer, 1 can still answer." in drawn
    assert "Where the 9 stand" in drawn


async def test_the_report_leads_from_every_number_to_its_rows_and_lets_nothing_of_a_tenant_run(
    campaigns: CampaignWorld,
) -> None:
    program = await mixed(campaigns)

    pack = await export(campaigns, program)

    report = pack.report
    page_one = report.all("section")[0]
    ids = [node.attributes["id"] for node in report.walk() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    checked = 0
    for link in page_one.all("a"):
        target = link.attributes["href"][1:]
        assert target in ids
        first = link.text.split(" ")[0]
        if target.startswith("set-") and NUMBER.fullmatch(first):
            assert len(rows_of(report, target.removeprefix("set-"))) == int(first), link.text
            checked += 1
    assert checked > 15
    assert "$10" in page_one.text
    assert "1 still needs a person." in page_one.text
    unjudged = report.by_id("runs").text
    assert "Rows that fit nobody3" in unjudged
    assert "Use unknown1" in unjudged

    drawn = pack.files[-1].content.decode()
    assert "<script" not in drawn
    assert HOSTILE in report.text
    assert report.all("script") == []
    cells = [one for file in pack.files[:2] for row in rows(file) for one in row.values()]
    assert {"'=1+1", "'=cmd|calc"} <= set(cells)
    assert [one for one in cells if one.startswith(("=", "+", "-", "@"))] == []


async def test_what_was_changed_in_an_export_is_named_by_the_check_that_its_report_prints(
    campaigns: CampaignWorld, tmp_path: Path
) -> None:
    program = await mixed(campaigns)
    pack = await export(campaigns, program)
    table, requests, document, report = pack.files

    def tampered(changed: dict[str, bytes]) -> tuple[int, list[str]]:
        return offline_check(pack.files, tmp_path, changed)

    assert tampered({}) == (0, [])
    body = document.content.index(b'"body":') + 40
    one_byte = document.content[:body] + bytes([document.content[body] ^ 1]) + document.content[body + 1 :]
    assert tampered({document.name: one_byte}) == (1, ["attestation-miro.json"])
    without_a_line = b"\r\n".join(table.content.split(b"\r\n")[:3] + table.content.split(b"\r\n")[4:])
    assert tampered({table.name: without_a_line}) == (1, ["attestation-miro.csv"])
    assert tampered({table.name: requests.content, requests.name: table.content}) == (
        1,
        ["attestation-miro.csv", "requests-miro.csv"],
    )
    later = await export(campaigns, program)
    (attested,) = [one["facts"] for one in later.document["events"] if one["kind"] == EventKind.EXPORTED.value]
    assert attested["html_sha256"] == hashlib.sha256(report.content).hexdigest()
    assert attested["requests_sha256"] == hashlib.sha256(requests.content).hexdigest()


async def test_the_digest_of_the_report_is_that_of_its_events_and_each_event_can_be_checked_alone(
    campaigns: CampaignWorld,
) -> None:
    program = await taken(campaigns)

    pack = await export(campaigns, program)

    events = pack.document["events"]
    digest = hashlib.sha256("".join(one["body"] for one in events).encode()).hexdigest()
    assert digest in pack.report.all("section")[0].text.replace(" ", "")
    assert f".events[:{len(events)}][].body' attestation-miro.json" in pack.report.text
    hidden = 0
    for one in events:
        assert hashlib.sha256(one["body"].encode()).hexdigest() == one["body_sha256"]
        committed = json.loads(one["body"])["hmac"]
        for value in one["personal"]:
            assert committed[value["field"]] == commitment(value["value"], bytes.fromhex(value["salt"]))
            hidden += 1
    assert hidden > 3
    assert [row["kind"] for row in pack.events] == [one["kind"] for one in events]


async def test_the_evidence_holds_every_step_from_the_terms_to_the_way_back(campaigns: CampaignWorld) -> None:
    program = await taken(campaigns)

    pack = await export(campaigns, program)

    events = pack.document["events"]
    kinds = [one["kind"] for one in events]
    steps = [
        EventKind.CONSENT_PROGRAM_SET, EventKind.CONSENT_RUN_STARTED, EventKind.CONSENT_FOUND,
        EventKind.CONSENT_RUN_ENDED, EventKind.CHANGE_INTENDED, EventKind.CHANGE_WRITTEN, EventKind.CHANGE_ENDED,
        EventKind.CONSENT_ENDED, EventKind.MESSAGE_SENT, EventKind.APPEALED, EventKind.MESSAGE_SENT,
        EventKind.CHANGE_ASKED, EventKind.APPEAL_ANSWERED, EventKind.CHANGE_INTENDED, EventKind.CHANGE_ENDED,
    ]  # fmt: skip
    left = iter(kinds)
    assert [step.value for step in steps if step.value not in left] == []
    before = [one["facts"]["was_member"] for one in events if one["kind"] == EventKind.CHANGE_INTENDED.value]
    after = [one["facts"]["is_member"] for one in events if one["kind"] == EventKind.CHANGE_ENDED.value]
    assert (before, after) == ([True, False], [False, True])
    told = [one["facts"]["about"] for one in events if one["kind"] == EventKind.MESSAGE_SENT.value]
    assert told == ["receipt", "appeal"]
    found = next(one["facts"] for one in events if one["kind"] == EventKind.CONSENT_FOUND.value)
    assert (found["source"], found["unused_days"]) == ("csv", 45)
    assert found["observed_ms"] > found["last_used_ms"]
    (request,) = pack.document["requests"]
    assert request["appeal"]["text"] == "I need it, @SUM(1)."
    assert pack.requests[0]["appeal"] == "granted"
    text = pack.report.text
    assert "Given back by Megan Example" in text
    assert "Before: a member" in text
    assert "Read back: no longer a member" in text
    assert in_group(campaigns, "ada")
    reading = ReadHistory(work=campaigns.work, clock=campaigns.clock, policy=campaigns.policy)
    assert "Change of a group checked" in terminal.render(history_card(await reading.history(None, 200), "UTC"))


async def test_one_run_alone_can_be_exported_and_its_report_says_so(campaigns: CampaignWorld) -> None:
    world = campaigns
    member(world, "ada")
    program = await open_program(world)
    await run(world, program)
    await world.wait(DAY)
    member(world, "ben")
    await world.sync()
    await world.consent.programs.change(actor(LYNNE), program.id, {"unused_days": 40})
    await run(world, program)

    second = await export(world, program, run=2)
    with pytest.raises(InvalidRequest, match="no run 3 of Miro"):
        await export(world, program, run=3)

    assert [one["person_name"] for one in second.requests] == ["Ben Example"]
    assert [file.name for file in second.files][-1] == "report-miro-run-2.html"
    assert "One run only: run 2" in second.report.text
    assert "Unused days: 30 → 40" in second.report.text
    ids = {one["item_id"] for one in second.document["events"]} - {None}
    assert ids == {one["id"] for one in second.document["requests"]}


async def test_an_edition_without_names_is_the_report_alone_and_holds_none(campaigns: CampaignWorld) -> None:
    program = await mixed(campaigns)

    pack = await export(campaigns, program, pseudonymous=True)

    (report,) = pack.files
    assert report.name == "report-miro-pseudonymous.html"
    text = pack.report.text
    assert "Edition without names" in text
    names = {person.shown_name for person in campaigns.directory.everybody.values()}
    assert [one for one in names | {"=1+1", "=cmd|calc", "@contoso"} if one in text] == []
