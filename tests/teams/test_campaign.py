"""A campaign as people in Teams live it, from the wire: signed requests in, cards out, seats really gone at the end."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.inbound import Sent
from cards import adaptive
from cards.view import CardView
from reclaim.domain.ids import PersonId
from rehearsal.truth import Truth
from tests.teams.campus import Campus, Message, Node, Person, campus, file_questions, inputs, shown, texts, ticks, verbs
from tests.teams.connector import Connector

CHANNEL: Node = {"id": "19:licenses@thread.tacv2;messageid=7", "conversationType": "channel"}
NAME = "Spring clean"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Campus]:
    async with campus(tmp_path) as running:
        yield running
        assert running.connector.throttled == []


async def started(here: Campus, admin: Person, **fields: str) -> None:
    """Fill the form, read the preview, start."""
    form = await admin.asks("/reclaim start", "Start a campaign")
    shown(await admin.presses(form, "start.preview", name=NAME, **fields))
    preview = await admin.gets("Check before you start")
    shown(await admin.presses(preview, "start.launch"))
    await here.app.engine.idle()


async def wave_of(here: Campus, reviewer: Person) -> Message:
    return await reviewer.gets("to check")


async def pressed(person: Person, message: Message, verb: str, **given: str) -> Message:
    """Press, and return the message as the answer has drawn it."""
    return Message(message.id, "", shown(await person.presses(message, verb, **given)))


def only(message: Message, *boxes: str) -> dict[str, str]:
    return {box: "true" if box in boxes else "false" for box in ticks(message.card)}


async def test_from_the_installation_to_the_evidence(here: Campus) -> None:
    allan, megan, debra = here.who("Allan"), here.who("Megan"), here.who("Debra")
    before = await seats(here)

    # The app is installed; the form refuses a mistake at its field, and nothing goes out before the start.
    await allan.installs()
    await allan.gets("What you can type")
    form = await allan.asks("/reclaim start", "Start a campaign")
    wrong = await allan.presses(form, "start.preview", name=NAME, strategy="person", reviewer="")
    again = shown(wrong)
    assert inputs(again)["name"] == NAME
    assert "Please pick" in texts(again)
    preview = await pressed(allan, Message(form.id, "", again), "start.preview", strategy="person", reviewer=megan.id)
    for part in ("seats to ask about", "a month at most", "Can each seat be removed?", "Held: the only mailbox"):
        assert part in texts(preview.card)
    assert megan.id not in here.connector.conversations
    await pressed(allan, preview, "start.launch")
    await here.app.engine.idle()

    # The reviewer, who never wrote, has one list; the owner's card counts.
    wave = await wave_of(here, megan)
    assert len(megan.messages) == 1
    assert wave.summary.startswith(f"{NAME}: 72 seats for you to check")
    assert not any(each.name in wave.summary for each in here.cast)
    await allan.gets("1 of 1 message sent.")

    # Pages turn in place and ticks stay.
    first = ticks(wave.card)
    second = await pressed(megan, wave, "wave.next", **only(wave, *first[1:]))
    assert "Seats 11 to 20 of 72" in texts(second.card)
    assert not set(ticks(second.card)) & set(first)
    back = await pressed(megan, second, "wave.previous")
    assert inputs(back.card)[first[0]] == "false"
    assert inputs(back.card)[first[1]] == "true"

    # One press answers many; Undo takes them back; what is answered again stays answered.
    revoked = await pressed(megan, back, "wave.revoke", **only(back, *first[:3]))
    assert "You revoked 3 seats" in texts(revoked.card)
    assert await here.decisions() == 3
    undone = await pressed(megan, revoked, "batch.undo")
    assert await here.decisions() == 0
    assert set(first[:3]) <= set(ticks(undone.card))
    revoked = await pressed(megan, undone, "wave.revoke", **only(undone, *first[:3]))

    # Keep against the recommendation asks why, at the field.
    form = await pressed(megan, revoked, "wave.keep", **only(revoked, first[3]))
    refused = await pressed(megan, form, "wave.keep.submit")
    assert "Please pick a reason." in texts(refused.card)
    kept = await pressed(megan, refused, "wave.keep.submit", reason="current_work")
    assert "You kept 1 seat" in texts(kept.card)

    # Delegation by the people picker, and the person gets a card although nobody asked them before.
    form = await pressed(megan, kept, "wave.delegate", **only(kept, first[4]))
    picker = next(node for node in form.card["body"] if node.get("id") == "who")
    assert picker["choices.data"] == {"type": "Data.Query", "dataset": "graph.microsoft.com/users"}
    await pressed(megan, form, "wave.delegate.submit", who=debra.id, reason="She leads the project.")
    await here.app.engine.idle()
    hers = await wave_of(here, debra)
    assert "1 seat to check" in texts(hers.card)

    # A card from before, and somebody else's card: nothing happens twice, and nothing of the reviewer's is shown.
    answered = await here.decisions()
    stale = await megan.presses(wave, "wave.revoke", **only(wave, first[4]))
    assert await here.decisions() == answered
    assert "This seat is with Debra Berger now. Only Debra can answer." in texts(shown(stale))
    foreign = await here.who("Isaiah").presses(wave, "wave.revoke", **only(wave, first[5]))
    assert await here.decisions() == answered
    assert first[5].removeprefix("t.") not in json.dumps(foreign)

    # The same click sent twice by Teams is one click.
    now = await opened(megan, wave)
    action = next(node for node in now.card["actions"] if node["verb"] == "wave.revoke")
    box = ticks(now.card)[0]
    for _ in range(2):
        shown(await megan.clicks(now, action, only(now, box), key="the same"))
    assert await here.decisions() == answered + 1

    # Closed: the list has become a summary, holders have receipts, the seats are gone.
    await here.calendar.to_closing()
    for _ in range(4):
        await here.calendar.advance(timedelta(days=1))
    await allan.gets(f"{NAME} is closed")
    summary = await opened(megan, await megan.gets(f"{NAME} is closed"))
    assert f"{NAME} is closed" in texts(summary.card)
    assert "wave.revoke" not in verbs(summary.card)
    (older,) = [each for each in megan.messages if each.id == wave.id]
    assert texts(older.card) == "This list is now in the newest message."
    late = shown(await megan.presses(wave, "wave.revoke", **only(wave, first[6])))
    assert "wave.revoke" not in verbs(late)

    # The evidence goes to the asker's own OneDrive, once they agree; a refusal stores nothing.
    await allan.writes("export")
    await here.until(lambda: len(file_questions(allan)) >= 2, "the evidence is offered")
    questions = file_questions(allan)
    evidence = next(each for each in questions if ".json" in json.dumps(each.card))
    assert await allan.answers_file(questions[0 if questions[0] is not evidence else 1], "decline") == 200
    assert await allan.answers_file(evidence, "accept") == 200
    await here.until(lambda: here.stored, "the file is stored")
    ((path, content),) = here.stored.items()
    assert path == f"/upload/{evidence.id}"
    exported = json.loads(content)
    removed = {(one["person"]["id"], one["sku"]["id"]) for one in exported["items"] if one["outcome"] == "removed"}
    assert removed
    assert removed <= before - await seats(here)
    assert len(removed) <= 4  # as many as were approved
    holders = [here.person(who) for who in here.connector.conversations]
    assert {seat[0] for seat in removed} == {each.id for each in holders if each.sees("removed")} - {allan.id, megan.id}


async def opened(person: Person, message: Message) -> Message:
    """Open the message as it stands in the chat now."""

    def present() -> Message:
        return next(each for each in person.messages if each.id == message.id)

    await person.campus.until(lambda: "refresh" in present().card, "the message is redrawn")
    body = await person.opens(present())
    assert body is not None
    return Message(message.id, "", shown(body))


async def seats(here: Campus) -> set[tuple[str, str]]:
    async with Truth(here.tenant) as truth:
        return await truth.seats()


async def test_a_stale_card_shows_its_present_state_when_it_is_opened(here: Campus) -> None:
    allan, megan, isaiah = here.who("Allan"), here.who("Megan"), here.who("Isaiah")
    await started(here, allan, strategy="person", reviewer=megan.id)
    wave = await wave_of(here, megan)
    box = ticks(wave.card)[0]
    await pressed(megan, wave, "wave.revoke", **only(wave, box))

    present = shown(await megan.opens(wave) or {})

    assert "71 seats left" in texts(present)
    assert box not in ticks(present)
    assert present["refresh"]["userIds"] == [f"29:{megan.id}"]
    # Whoever it was forwarded to is not asked for by Teams, and would be told nothing.
    assert await isaiah.opens(wave) is None
    told = await isaiah.clicks(wave, wave.card["refresh"]["action"])
    assert "Visio" not in json.dumps(told)
    assert "seats to check" not in json.dumps(told)


async def test_one_seat_s_card_shows_its_present_state_too(here: Campus) -> None:
    allan, megan = here.who("Allan"), here.who("Megan")
    await started(here, allan, strategy="person", reviewer=megan.id)
    wave = await wave_of(here, megan)
    ref = next(node["data"]["ref"] for node in _targets(wave.card, "item.open"))
    item = Message(wave.id, "", shown(await megan.presses(wave, "item.open", ref=ref)))
    await pressed(megan, item, "item.revoke")

    present = shown(await megan.opens(item) or {})

    assert "You revoked this seat." in texts(present)
    assert "item.revoke" not in verbs(present)
    assert "item.undo" in verbs(present)


def _targets(card: Node, verb: str) -> list[Node]:
    return [node for node in _walk(card) if node.get("type") == "Action.Execute" and node.get("verb") == verb]


def _walk(node: object) -> list[Node]:
    if isinstance(node, dict):
        return [node, *(found for part in node.values() for found in _walk(part))]
    return [found for part in node for found in _walk(part)] if isinstance(node, list) else []


async def test_a_team_hears_what_anybody_may_hear_and_the_rest_goes_to_the_asker(here: Campus) -> None:
    allan = here.who("Allan")
    in_channel: str = CHANNEL["id"]

    await allan.writes("<at>Reclaim</at> spend", CHANNEL)
    await here.until(lambda: here.connector.sent(in_channel), "an answer in the channel")
    await allan.writes("<at>Reclaim</at> /reclaim seats", CHANNEL)
    await here.until(lambda: len(here.connector.sent(in_channel)) == 2, "a second answer in the channel")
    listed = await allan.gets("idle seats")

    public, pointer = (json.dumps(body["attachments"]) for body in here.connector.sent(in_channel))
    assert "Recoverable spend" in public
    assert "in private" in pointer
    holders = {row["text"] for node in _walk(listed.card) for row in node.get("inlines", []) if len(row["text"]) > 5}
    assert holders
    assert not any(holder.split(" · ")[0] in public + pointer for holder in holders if " " in holder)
    # A list opened from the public card is the asker's own as well.
    spend = Message("m1", "", here.connector.sent(in_channel)[0]["attachments"][0]["content"])  # type: ignore[index]
    clicked = next(node for node in _walk(spend.card) if node.get("verb") == "spend.seats")
    value = {"action": clicked, "trigger": "manual"}
    activity = allan.activity(CHANNEL, type="invoke", name="adaptiveCard/action", value=value, replyToId="m1")
    _, body = await here.post(activity)
    assert body["value"] == "I sent you the answer in private."
    assert len(here.connector.sent(in_channel)) == 2


@dataclass
class Letters:
    """Another channel, behind Teams."""

    reachable: set[str] = field(default_factory=set)
    sent: dict[str, list[CardView]] = field(default_factory=dict)
    channel: str = "letters"

    async def check(self) -> None:
        return None

    async def reach(self, person: PersonId) -> str | None:
        return person if person in self.reachable else None

    async def send(self, conversation: str, card: CardView) -> Sent:
        self.sent.setdefault(conversation, []).append(card)
        return Sent(external_id=str(len(self.sent[conversation])), payload_sha256="0" * 64)

    async def update(self, conversation: str, external_id: str, card: CardView) -> Sent:
        self.sent[conversation][int(external_id) - 1] = card
        return Sent(external_id=external_id, payload_sha256="0" * 64)


class NotPermitted:
    """A tenant that lets the bot install itself for some."""

    def __init__(self, connector: Connector, may: set[str]) -> None:
        self._connector, self._may = connector, may

    async def install(self, person: PersonId) -> bool:
        if person in self._may:
            self._connector.blocked.discard(person)
        return person in self._may


async def test_who_is_not_reached_goes_to_the_next_channel_or_stands_in_the_status(tmp_path: Path) -> None:
    letters, may = Letters(), set[str]()
    async with campus(tmp_path, installer=lambda connector: NotPermitted(connector, may), fallback=[letters]) as here:
        allan, megan, debra, ben = (here.who(name) for name in ("Allan", "Megan", "Debra", "Ben"))
        here.connector.blocked |= {megan.id, debra.id, ben.id}
        letters.reachable.add(megan.id)
        may.add(ben.id)
        await started(here, allan, strategy="manager")
        status = await allan.asks("status", "answered")

        (card,) = letters.sent[megan.id]
        assert card.kind == "review.wave"
        await wave_of(here, ben)  # the app was installed for them first
        assert debra.messages == []
        assert "Could not be reached\nDebra Berger" in texts(status.card) or "Debra Berger" in _unreached(status.card)
        assert "Megan Bowen" not in _unreached(status.card)
        assert adaptive.fits(card)


def _unreached(card: Node) -> str:
    lines = texts(card).split("\n")
    return next((lines[i + 1] for i, line in enumerate(lines) if "could not be reached" in line.lower()), "")
