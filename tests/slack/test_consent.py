"""A consent program in Slack, on the real core: the question, the form, undo, the receipt, the way back."""

from datetime import timedelta

from tests.services.campaign_world import NORA
from tests.services.consent_world import TERMS, in_group, member, open_program
from tests.services.world import ALLAN, LYNNE, MEGAN
from tests.slack.office import Office
from tests.slack.workspace import words

HOUR = timedelta(hours=1)


async def test_a_holder_gives_an_application_up_takes_that_back_and_gives_it_up_again(office: Office) -> None:
    member(office.core, NORA)
    await open_program(office.core)
    assert "It is looking now" in await office.type(ALLAN, "consent run Miro")
    await office.settle()

    question = office.newest(NORA)
    for part in ("Do you still need Miro?", "we see no use of Miro in the last 45 days", "If you do not answer"):
        assert part in words(question.blocks)
    assert question.text.startswith("Do you still need Miro?")
    agreed = await office.press(NORA, "Give it up")
    assert "Thank you, Nora. Miro goes away within an hour." in words(agreed.blocks)
    asked = await office.press(NORA, "Undo")
    assert "It takes one tap" in words(asked.blocks)
    await office.press(NORA, "Give it up")
    await office.core.wait(HOUR)
    await office.settle()

    assert not in_group(office.core, NORA)
    assert len(office.direct(NORA)) == 1  # one live message, redrawn in place
    assert "Miro was removed" in words(office.newest(NORA).blocks)
    await office.press(NORA, "Get it back")
    await office.core.wait(HOUR)
    await office.settle()
    assert in_group(office.core, NORA)
    assert "Miro is back" in words(office.newest(NORA).blocks)


async def test_a_holder_keeps_it_in_a_form_and_the_manager_decides(office: Office) -> None:
    member(office.core, NORA)
    office.core.change(NORA, manager_id=MEGAN)
    await open_program(office.core, keep_decided_by="manager")
    await office.type(LYNNE, "consent run Miro")
    await office.settle()

    await office.press(NORA, "I still use it…")
    await office.submit(NORA, reason="uses_it", note="For the quarterly plan")
    assert "Megan Example decides by" in words(office.newest(NORA).blocks)
    assert "For the quarterly plan" in words(office.newest(MEGAN).blocks)
    await office.press(MEGAN, "It stays")
    await office.settle()

    assert "Megan Example decided that you keep Miro." in words(office.newest(NORA).blocks)
    assert in_group(office.core, NORA)


async def test_a_program_is_made_by_typing_and_its_receipt_leads_back(office: Office) -> None:
    member(office.core, NORA)
    program = await open_program(office.core)
    await office.type(ALLAN, f"consent end {TERMS['name']}")
    said = await office.type(
        ALLAN, f"consent new --group {program.group_id} --name Taking --application Miro --source csv --ask no"
    )
    assert "Run now" in said
    await office.type(ALLAN, "consent run Taking")
    await office.settle()

    assert not in_group(office.core, NORA)
    assert "Miro was removed" in words(office.newest(NORA).blocks)
    assert "removes it without asking" in words(office.newest(NORA).blocks)
    assert "1 removed" in await office.type(ALLAN, "consent") or "removed" in await office.type(ALLAN, "consent Taking")
