"""Why, history and export: what is read back from the trail."""

import csv
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest

from cards.report import HtmlDocuments
from reclaim.domain.attestation import EventKind, commitment
from reclaim.domain.idle import Rule
from reclaim.domain.ids import BatchId, CampaignId, PersonId
from reclaim.domain.read_models import ExportedFile, WhySeat
from reclaim.domain.review import Answer, Choice, KeepReason, ReviewItem
from reclaim.errors import InvalidRequest, NotFound
from reclaim.services.attesting import Attestor
from reclaim.services.explain_seat import ExplainSeat
from reclaim.services.export_evidence import ExportEvidence
from reclaim.services.read_history import ReadHistory
from reclaim.services.read_report import ReadReport
from tests.services.world import LYNNE, MEGAN, NOW, PROJECT, VISIO, World, admin, days_ago, person, seat


def why(world: World) -> ExplainSeat:
    return ExplainSeat(work=world.work, clock=world.clock, policy=world.policy)


def history(world: World) -> ReadHistory:
    return ReadHistory(work=world.work, clock=world.clock, policy=world.policy)


def exporting(world: World) -> ExportEvidence:
    return ExportEvidence(
        work=world.work,
        clock=world.clock,
        tokens=world.tokens,
        policy=world.policy,
        report=ReadReport(documents=HtmlDocuments()),
    )


async def exported(world: World, campaign: CampaignId) -> tuple[ExportedFile, ExportedFile]:
    table, document, _ = await exporting(world).export(admin(), campaign)
    return table, document


async def item_of(world: World, campaign: CampaignId) -> ReviewItem:
    async with world.work.read() as reading:
        (item,) = await reading.items.of_campaign(campaign)
    return item


async def attested(world: World, campaign: CampaignId, note: str) -> None:
    """Store a decision event as RecordDecision does."""
    item = await item_of(world, campaign)
    attest = Attestor(clock=world.clock, tokens=world.tokens)
    async with world.work.write() as unit:
        await unit.events.append(
            attest.event(
                EventKind.DECISION_MADE,
                actor=MEGAN,
                campaign=campaign,
                item=item.id,
                facts={"choice": "keep", "until": None, "bulk": False},
                personal={"note": note, "nothing": None},
            )
        )
        await unit.commit()


# Attesting ------------------------------------------------------------------------------------------------------------
def test_an_event_hides_personal_values_behind_salts_of_their_own(world: World) -> None:
    event = Attestor(clock=world.clock, tokens=world.tokens).event(
        EventKind.EXPORTED, actor="system", personal={"name": "Adele", "note": "Adele", "empty": None}
    )

    assert [(value.field, value.value, len(value.salt)) for value in event.values] == [
        ("name", "Adele", 16),
        ("note", "Adele", 16),
    ]
    assert b"Adele" not in event.body
    assert event.at == NOW
    first, second = (commitment(value.value, value.salt) for value in event.values)
    assert first != second


# Why ------------------------------------------------------------------------------------------------------------------
async def test_why_shows_each_seat_flagged_or_not_with_the_reason(world: World) -> None:
    world.directory.add(person("adele", seen_days=120), seat("adele", VISIO))
    world.directory.add(person("busy", seen_days=2), seat("busy", VISIO))
    await world.read()

    flagged = (await why(world).why("adele@contoso.example")).seats
    used = (await why(world).why("busy")).seats

    assert [(one.sku_name, one.rule, one.not_idle, one.quiet_since) for one in flagged] == [
        ("Visio Plan 2", Rule.IDLE, None, days_ago(120))
    ]
    assert [(one.rule, one.not_idle, one.last_seen_at) for one in used] == [(None, "in_use", days_ago(2))]


async def test_why_tells_who_was_asked_and_keeps_telling_when_the_seat_is_gone(world: World) -> None:
    world.directory.add(person("adele", seen_days=120), seat("adele", VISIO), seat("adele", PROJECT))
    await world.read()
    await world.launch()
    world.directory.held[PersonId("adele")] = (seat("adele", PROJECT),)
    world.clock.advance(timedelta(hours=1))
    await world.read()

    seats = (await why(world).why("Adele Example")).seats

    def told(one: WhySeat) -> tuple[str, str | None, str | None, str | None]:
        return one.sku_name, one.not_idle, one.campaign_name, one.assignee_name

    assert [told(one) for one in seats] == [
        ("Project Plan 3", None, "Q4 reclaim", "Megan Example"),
        ("Visio Plan 2", "gone", "Q4 reclaim", "Megan Example"),
    ]


async def test_why_tells_of_the_newest_campaign(world: World) -> None:
    world.hire(["adele"])
    await world.read()
    first = await world.launch(name="Spring")
    async with world.work.write() as unit:
        items = await unit.items.of_campaign(first)
        await unit.items.close_questions([item.id for item in items], at=NOW)
        await unit.commit()
    world.clock.advance(timedelta(hours=1))
    await world.launch("draft-2", name="Autumn")

    (one,) = (await why(world).why("adele")).seats

    assert one.campaign_name == "Autumn"


async def test_why_of_several_people_names_them(world: World) -> None:
    world.hire(["adele", "adelheid"])
    await world.read()

    with pytest.raises(InvalidRequest) as caught:
        await why(world).why("adel")

    assert caught.value.message == (
        "Several people match “adel”: Adele Example (adele@contoso.example), Adelheid Example"
        " (adelheid@contoso.example). Use the address in brackets."
    )


async def test_why_of_nobody(world: World) -> None:
    await world.read()

    with pytest.raises(NotFound, match="Nobody matches “nemo”"):
        await why(world).why("nemo")
    with pytest.raises(InvalidRequest, match="Please name a person"):
        await why(world).why("   ")


# History --------------------------------------------------------------------------------------------------------------
async def test_history_joins_names_and_notes_back_in_newest_first(world: World) -> None:
    world.hire(["adele"])
    await world.read()
    campaign = await world.launch()
    await attested(world, campaign, "On leave until March")

    found = await history(world).history(campaign)

    assert (found.title, found.total, found.zone) == ("Q4 reclaim", 4, "Europe/Zurich")
    assert [line.kind for line in found.lines] == [
        "decision_made",
        "campaign_opened",
        "item_assigned",
        "campaign_started",
    ]
    decision, opened = found.lines[:2]
    assert (decision.actor_name, decision.about) == ("Megan Example", "Adele Example · Visio Plan 2")
    assert decision.facts == (("bulk", "no"), ("choice", "keep"), ("note", "On leave until March"))
    assert (opened.actor_name, opened.about) == ("Reclaim", "Q4 reclaim")


async def test_history_of_everything_is_limited_and_says_how_much_there_is(world: World) -> None:
    world.hire(["adele"])
    await world.read()
    await world.launch()

    found = await history(world).history(None, limit=2)

    assert (found.title, len(found.lines), found.total) == ("All campaigns", 2, 4)


async def test_history_of_an_unknown_campaign_or_with_a_wild_limit_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        await history(world).history(CampaignId("none"))
    with pytest.raises(InvalidRequest):
        await history(world).history(None, limit=0)


# Export ---------------------------------------------------------------------------------------------------------------
async def test_the_csv_has_a_row_per_event_and_no_formula(world: World) -> None:
    evil = replace(person("adele", seen_days=120), name="=HYPERLINK(1)", upn="@adele")
    world.directory.add(evil, seat("adele", VISIO))
    await world.read()
    campaign = await world.launch()
    await attested(world, campaign, 'He said "no",\r\ntwice')

    table, _ = await exported(world, campaign)

    text = table.content.decode()
    rows = list(csv.DictReader(StringIO(text, newline="")))
    assert table.name == "attestation-q4-reclaim.csv"
    assert text.startswith("seq,at,kind,actor_id,actor_name,item_id,person_name,upn,sku,facts,personal\r\n")
    assert [row["kind"] for row in rows] == ["campaign_started", "item_assigned", "campaign_opened", "decision_made"]
    assert (rows[1]["person_name"], rows[1]["upn"], rows[1]["sku"]) == ("'=HYPERLINK(1)", "'@adele", "Visio Plan 2")
    assert (rows[3]["at"], rows[3]["actor_id"], rows[3]["actor_name"]) == (
        "2026-11-23T06:00:00Z",
        "megan",
        "Megan Example",
    )
    assert rows[3]["facts"] == "bulk=no; choice=keep"
    assert rows[3]["personal"] == 'note=He said "no",\r\ntwice'


async def test_the_json_can_be_checked_without_us(world: World) -> None:
    world.hire(["adele"])
    await world.read()
    campaign = await world.launch()
    await attested(world, campaign, "On leave")

    _, file = await exported(world, campaign)

    document = json.loads(file.content)
    assert (document["campaign"]["name"], document["campaign"]["owner"]) == (
        "Q4 reclaim",
        {"id": "lynne", "name": "Lynne Example"},
    )
    streams = [one["stream"] for one in document["sync_run"]["requests"]]
    assert streams == ["changes_from", "groups", "people", "sign_ins", "skus"]
    decision = document["events"][-1]
    assert decision["body_sha256"] == hashlib.sha256(decision["body"].encode()).hexdigest()
    (note,) = decision["personal"]
    assert json.loads(decision["body"])["hmac"]["note"] == commitment(note["value"], bytes.fromhex(note["salt"]))
    (item,) = document["items"]
    assert (item["person"]["name"], item["reviewer"]["name"], item["decision"], item["outcome"]) == (
        "Adele Example",
        "Megan Example",
        None,
        None,
    )
    assert item["plan"] == [{"kind": "direct", "ref": "sku-visio"}]


async def test_the_json_tells_what_was_decided(world: World) -> None:
    world.hire(["adele"])
    await world.read()
    campaign = await world.launch()
    item = await item_of(world, campaign)
    kept = Answer(
        choice=Choice.KEEP, by=MEGAN, at=NOW, batch_id=BatchId("batch"), reason=KeepReason.OTHER, note="Next project"
    )
    async with world.work.write() as unit:
        await unit.items.save(replace(item, answer=kept, version=item.version + 1))
        await unit.commit()

    _, file = await exported(world, campaign)

    assert json.loads(file.content)["items"][0]["decision"] == {
        "choice": "keep",
        "by": {"id": "megan", "name": "Megan Example"},
        "at": "2026-11-23T06:00:00Z",
        "reason": "other",
        "note": "Next project",
        "keep_until": None,
        "data_loss": None,
    }


async def test_an_export_is_attested_with_the_hashes_of_both_files(world: World) -> None:
    world.hire(["adele"])
    await world.read()
    campaign = await world.launch()

    table, document = await exported(world, campaign)

    newest = (await world.events())[0].event
    facts = json.loads(newest.body)["facts"]
    assert (newest.kind, json.loads(newest.body)["actor"]) == (EventKind.EXPORTED, LYNNE)
    assert facts["csv_sha256"] == hashlib.sha256(table.content).hexdigest()
    assert facts["json_sha256"] == hashlib.sha256(document.content).hexdigest()
    assert facts["events"] == 3


async def test_the_same_evidence_gives_the_same_items_and_one_more_event_each_time(world: World) -> None:
    world.hire(["adele"])
    await world.read()
    campaign = await world.launch()
    first = json.loads((await exported(world, campaign))[1].content)

    second = json.loads((await exported(world, campaign))[1].content)

    assert second["items"] == first["items"]
    assert [event["kind"] for event in second["events"][len(first["events"]) :]] == ["exported"]


async def test_a_campaign_that_is_not_there_has_no_evidence(world: World) -> None:
    with pytest.raises(NotFound):
        await exported(world, CampaignId("none"))
    assert await world.events() == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Q4: Visio & Project/München", "attestation-q4-visio-project-munchen.csv"),
        ("../../etc/passwd", "attestation-etc-passwd.csv"),
        ("第四季度", "attestation-draft-1.csv"),
    ],
)
async def test_a_campaigns_name_becomes_a_harmless_file_name(world: World, name: str, file: str) -> None:
    world.hire(["adele"])
    await world.read()
    campaign = await world.launch(name=name)

    table, _ = await exported(world, campaign)

    assert table.name == file
