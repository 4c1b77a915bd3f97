"""Consent programs as people in Teams live them, from the wire: asked, answered, taken without asking, and given back."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

import app as product
from reclaim.connectors.practice import PracticeControl
from rehearsal.truth import Truth
from tests.teams.campus import Campus, Message, campus, shown, texts, verbs

HOUR = timedelta(hours=1)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Campus]:
    async with campus(tmp_path) as running:
        control = PracticeControl(
            control_url=running.tenant.control_url,
            control_key=running.tenant.control_key,
            ca_file=running.tenant.ca_file,
        )
        await product.import_practice_usage(running.app, (await control.setup()).usage_csv, tmp_path)
        await control.aclose()
        yield running
        assert running.connector.throttled == []


async def test_holders_are_asked_answer_and_leave_the_group_or_keep_it(here: Campus) -> None:
    allan, adele, isaiah = here.who("Allan"), here.who("Adele"), here.who("Isaiah")
    await allan.installs()
    await allan.asks('consent new --group "App Miro users" --name Miro --application Miro --source csv', "Run now")
    await allan.asks("consent run Miro", "It is looking now")
    await allan.gets("2 people to ask.")
    await here.app.scheduler.tick()

    question = await adele.gets("Do you still need Miro?")
    assert question.summary.startswith("Do you still need Miro? If you do not answer by")
    for part in ("we see no use of Miro in the last 44 days", "DESK-0147", "App Miro users", "We remind you on"):
        assert part in texts(question.card)

    # Somebody else's card does nothing; the same tap twice is one.
    foreign = await isaiah.presses(question, "consent.agree")
    assert "Thank you" not in json.dumps(foreign)
    agreed = shown(await adele.presses(question, "consent.agree"))
    assert "Thank you, Adele. Miro goes away within an hour." in texts(agreed)
    undone = shown(await adele.presses(Message(question.id, "", agreed), "consent.undo"))
    assert "consent.agree" in verbs(undone)
    shown(await adele.presses(Message(question.id, "", undone), "consent.agree"))

    his = await isaiah.gets("Do you still need Miro?")
    form = shown(await isaiah.presses(his, "consent.keep"))
    kept = shown(await isaiah.presses(Message(his.id, "", form), "consent.keep.submit", reason="other_device"))
    assert "Noted, you keep Miro. We do not ask again for 90 days." in texts(kept)

    await here.calendar.advance(HOUR)
    gone = await adele.gets("Miro was removed")
    assert gone.id == question.id  # the same message, in its present state
    async with Truth(here.tenant) as truth:
        miro, _ = await truth.applications()
        assert await truth.members(miro.group_id) == miro.members - {adele.id}
    funnel = await allan.asks("consent Miro", "removed")
    assert "I use it on another device" in texts(funnel.card)


async def test_what_was_taken_without_asking_is_told_and_comes_back_with_one_tap(here: Campus) -> None:
    allan, nestor = here.who("Allan"), here.person(await _id_of(here, "Nestor Wilke"))
    await allan.installs()
    await allan.asks(
        'consent new --group "App Acrobat users" --name Acrobat --application "Acrobat Pro" --source csv --ask no',
        "Run now",
    )
    await allan.asks("consent run Acrobat", "It is looking now")
    await allan.gets("2 people to remove without asking.")
    await here.calendar.advance(HOUR)

    receipt = await nestor.gets("Acrobat Pro was removed")
    assert "the program “Acrobat” removes it without asking" in texts(receipt.card)
    coming = shown(await nestor.presses(receipt, "consent.back"))
    assert "It is coming back." in texts(coming)
    await here.calendar.advance(HOUR)
    await nestor.gets("Acrobat Pro is back")

    async with Truth(here.tenant) as truth:
        _, acrobat = await truth.applications()
        stay = {person for person in acrobat.members if acrobat.use[person] != "unused"}
        assert await truth.members(acrobat.group_id) == stay | {nestor.id}


async def _id_of(here: Campus, name: str) -> str:
    async with Truth(here.tenant) as truth:
        return next(app.ids[name] for app in await truth.applications() if name in app.ids)
