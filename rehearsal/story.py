"""The scripted run: one admin and every reviewer play a whole campaign through the browser chat, then the books are checked.

It does what a person does, over HTTP: types, ticks, presses, fills forms, moves the practice clock. At the end it compares
what the product says (its cards and the exported file) with what is really so (the practice tenant's Graph answers and its
generator's labels).
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rehearsal.account import Account
from rehearsal.chat_client import Card, Chat, Person, Unexpected
from rehearsal.truth import Access, Label, Seat, Truth

MAX_PAGES = 100  # of one reviewer's list
DAYS_TO_SETTLE = 5
Say = Callable[[str], None]


@dataclass(slots=True)
class Ledger:
    """What this script did, by item reference: its own book, to hold against the product's."""

    choices: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # item → holder as shown
    delegated: set[str] = field(default_factory=set)

    def note(self, card: Card, ticked: set[str], choice: str) -> None:
        """Remember an answer to some rows of a card."""
        for row in card.rows():
            item = row["tick"].removeprefix("t.") if row["tick"] else None
            if item in ticked:
                self.choices[item] = choice
                self.names[item] = row["title"]

    def items(self, choice: str) -> set[str]:
        """Return the items that were answered so."""
        return {item for item, made in self.choices.items() if made == choice}


@dataclass(slots=True)
class Story:
    """One run; `account` holds the checks."""

    chat: Chat
    truth: Truth
    say: Say
    ledger: Ledger = field(default_factory=Ledger)
    account: Account = field(default_factory=Account)
    returned: str | None = None  # who signed in again after the answer

    async def play(self) -> bool:
        """Play from the first look to the export; return whether every claim agrees."""
        personas = await self.chat.personas()
        admin = await self.chat.play(next(one for one in personas if one["group"] == "run"))
        labels = await self.truth.labels()
        before = await self.truth.seats()
        spend = await self._look(admin, labels)
        await self._ask_holders(admin, personas)
        await self._start(admin)
        await self._decide(admin, labels)
        await self._remind(admin)
        await self._close(admin)
        export = await self._prove(admin)
        after = await self.truth.seats()
        await self._check(admin, labels, before, after, spend, export)
        self.account.show(self.say)
        return self.account.agrees

    # The steps of a person ---------------------------------------------------------------------------------------------

    async def _look(self, admin: Person, labels: Mapping[Seat, Label]) -> Card:
        self.say("Look: read the tenant, then the recoverable spend.")
        await admin.type("sync")
        await self._clock(admin, {"seconds": 60})
        (spend,) = await admin.type("spend")
        idle, held = _two_numbers(spend)
        self.account.check("seats held, before", held, sum(label.counts for label in labels.values()))
        self.account.check("idle seats, before", idle, sum(label.idle for label in labels.values()))
        for sku, (_, available) in sorted(_pools_said(spend).items()):
            pools = {pool.name: pool for pool in (await self.truth.pools()).values()}
            self.account.check(f"available, before: {sku}", available, pools[_part_number(pools, sku)].available)
        return spend

    async def _ask_holders(self, admin: Person, personas: list[Any]) -> None:
        """Run two consent programs: one asks who holds Miro, one takes Acrobat Pro and says so."""
        self.say("Ask: one program asks holders for an application, another takes it and tells them.")
        miro, acrobat = await self.truth.applications()
        for app, terms in ((miro, "--source csv"), (acrobat, "--source nexthink --ask no")):
            name = app.application
            await admin.type(f'consent new --group "{app.group}" --name "{name}" --application "{name}" {terms}')
            await admin.type(f'consent run "{name}"')
            await admin.until(partial(_about, name), "consent.run", f"the run of {name}")
        await self._clock(admin, {"seconds": 60})
        players = [await self.chat.play(persona) for persona in personas]
        asked = [one.name for one in players if await one.cards("consent.request")]
        unused = [name for name, person in miro.ids.items() if miro.use[person] == "unused"]
        self.account.check("asked about Miro: who does not use it", sorted(asked), sorted(unused))
        gives, keeps = (one for one in players if one.name in unused)
        await gives.click(await gives.newest("consent.request"), "consent.agree")
        form = await keeps.click(await keeps.newest("consent.request"), "consent.keep")
        await keeps.click(form, "consent.keep.submit", {"reason": "other_device"})
        self.say(f"{gives.name} gives Miro up, {keeps.name} keeps it.")
        await self._clock(admin, {"seconds": 3600})
        left = miro.members - {miro.ids[gives.name]}
        self.account.check("in the Miro group afterwards", await self.truth.members(miro.group_id) == left, True)
        stay = {person for person in acrobat.members if acrobat.use[person] != "unused"}
        self.account.check("in the Acrobat group afterwards", await self.truth.members(acrobat.group_id) == stay, True)
        for app, removed in ((miro, 1), (acrobat, len(acrobat.members - stay))):
            (card,) = await admin.type(f'consent "{app.application}"')
            self.account.check(f"{app.application}: removed and checked", _figure(card, "removed"), removed)

    async def _start(self, admin: Person) -> None:
        self.say("Start: fill the form, read the preview, start.")
        (form,) = await admin.type("start")
        preview = await admin.click(form, "start.preview", {"name": "Practice clean-up"})
        if preview.kind != "campaign.preview":
            raise Unexpected(f"the form came back: {preview.texts()[:400]}")
        await admin.click(preview, "start.launch")
        await admin.newest("campaign.open")

    async def _decide(self, admin: Person, labels: Mapping[Seat, Label]) -> None:
        self.say("Decide: every reviewer answers; one keeps, one delegates, one is not sure, one says nothing.")
        await self._until_all_asked(admin)
        turns = ["revoke", "silence", "delegate", "keep", "not_sure"]
        reviewers = [p for p in await self._waiting() if p.name]
        for number, reviewer in enumerate(reviewers):
            await self._answer(reviewer, turns[number] if number < len(turns) else "revoke")
        for reviewer in await self._waiting():  # whoever got something from a colleague in the meantime
            if reviewer.name != reviewers[1].name:
                await self._answer(reviewer, "revoke")
        await self._somebody_returns(labels)

    async def _until_all_asked(self, admin: Person) -> None:
        """Wait until the owner's card says that every message is out."""

        def all_out(cards: list[Card]) -> Card | None:
            found = re.search(r"([\d,]+) of ([\d,]+) messages? sent", _text(cards))
            return cards[-1] if found is not None and found[1] == found[2] else None

        await admin.until(all_out, "campaign.open", "all messages to be out")

    async def _waiting(self) -> list[Person]:
        """Return everybody with an open list, in the order of the page."""
        found: list[Person] = []
        for person in await self._everybody():
            cards = await person.cards("review.wave")
            if cards and any(row["tick"] for row in cards[-1].rows()):
                found.append(person)
        return found

    async def _everybody(self) -> list[Person]:
        return [await self.chat.play(persona) for persona in await self.chat.personas()]

    async def _answer(self, reviewer: Person, turn: str) -> None:
        """Answer a reviewer's list: the first page as `turn` says, all that is left by revoking what is ticked."""
        if turn == "silence":
            return
        card = await reviewer.newest("review.wave")
        if turn == "delegate":
            card = await self._delegate(reviewer, card)
        elif turn in ("keep", "not_sure"):
            card = await self._tick_one(reviewer, card, turn)
        for _ in range(MAX_PAGES):
            if not any(row["tick"] for row in card.rows()):
                return
            card = await self._revoke_page(reviewer, card)

    async def _revoke_page(self, reviewer: Person, card: Card) -> Card:
        """Tick the whole page and revoke; what holds a mailbox stays open, and that is kept."""
        ticked = {row["tick"] for row in card.rows() if row["tick"]}
        after = await reviewer.click(card, "wave.revoke", dict.fromkeys(ticked, "true"))
        left = {row["tick"] for row in after.rows() if row["tick"]}
        self.ledger.note(card, {tick.removeprefix("t.") for tick in ticked - left}, "revoke")
        held = ticked & left
        if not held:
            return after
        inputs = {tick: "true" if tick in held else "false" for tick in left}
        kept = await reviewer.click(after, "wave.keep", inputs)
        if kept.action("wave.keep.submit") is not None:
            kept = await reviewer.click(kept, "wave.keep.submit", {"reason": "current_work"})
        self.ledger.note(after, {tick.removeprefix("t.") for tick in held}, "keep")
        return kept

    async def _tick_one(self, reviewer: Person, card: Card, turn: str) -> Card:
        ticks = [row["tick"] for row in card.rows() if row["tick"]]
        inputs = {tick: "true" if tick == ticks[0] else "false" for tick in ticks}
        after = await reviewer.click(card, f"wave.{turn}", inputs)
        if after.action(f"wave.{turn}.submit") is not None:
            after = await reviewer.click(after, f"wave.{turn}.submit", {"reason": "current_work"})
        self.ledger.note(card, {ticks[0].removeprefix("t.")}, turn)
        return after

    async def _delegate(self, reviewer: Person, card: Card) -> Card:
        ticks = [row["tick"] for row in card.rows() if row["tick"]]
        form = await reviewer.click(
            card, "wave.delegate", {tick: "true" if tick == ticks[0] else "false" for tick in ticks}
        )
        self.ledger.delegated.add(ticks[0].removeprefix("t."))
        someone = await reviewer.find_person("Debra" if reviewer.name != "Debra Berger" else "Megan")
        return await reviewer.click(
            form, "wave.delegate.submit", {"who": someone, "reason": "She leads the project that this seat is for."}
        )

    async def _somebody_returns(self, labels: Mapping[Seat, Label]) -> None:
        """Let one person whose seat was approved sign in again: that seat must stay."""
        names = Counter(label.name for (_, _), label in labels.items() if label.case == "idle_direct")
        for item in sorted(self.ledger.items("revoke"), key=lambda item: self.ledger.names[item]):
            name = self.ledger.names[item]
            person = next((who for (who, _), one in labels.items() if one.name == name and names[name] == 1), None)
            if person is not None:
                await self.truth.sign_in(person)
                self.returned = person
                self.say(f"{name} signs in again after the answer.")
                return

    async def _remind(self, admin: Person) -> None:
        self.say("Remind: move the clock; whoever has open seats is reminded, nobody else.")
        waiting = sorted(person.name for person in await self._waiting())
        await self._clock(admin, {"seconds": 8 * 24 * 3600})
        reminded = [p.name for p in await self._everybody() if await p.cards("review.reminder")]
        self.account.check("somebody has said nothing so far", bool(waiting), True)
        self.account.check("reminded: those with open seats, nobody else", sorted(reminded), waiting)

    async def _close(self, admin: Person) -> None:
        self.say("Close: move the clock to the due date; approved seats are removed, read back, verified.")
        await self._clock(admin, "closing")
        for _ in range(DAYS_TO_SETTLE):
            await self._clock(admin, "day")
            if await admin.cards("campaign.closed"):
                return
        self.say("The campaign has not closed.")

    async def _prove(self, admin: Person) -> dict[str, Any]:
        self.say("Prove: read the tenant again, export the evidence.")
        await admin.type("sync")
        await self._clock(admin, {"seconds": 3600})
        cards = await admin.type("export")
        files = {file["name"]: file for card in cards for file in card.files}
        for message in await admin.cards():
            files |= {file["name"]: file for file in message.files}
        name = next((name for name in files if name.endswith(".json")), None)
        if name is None:
            raise Unexpected(f"the export brought no JSON file but {sorted(files)}")
        found: dict[str, Any] = json.loads(await admin.download(files[name]))
        return found

    async def _clock(self, admin: Person, advance: object) -> list[str]:
        answer = await self.chat.post("/rehearsal/clock", admin.headers, {"advance": advance})
        return [str(line) for line in answer["told"]]

    # The books ---------------------------------------------------------------------------------------------------------

    async def _check(
        self,
        admin: Person,
        labels: Mapping[Seat, Label],
        before: set[Seat],
        after: set[Seat],
        spend_before: Card,
        export: dict[str, Any],
    ) -> None:
        items = {item["id"]: item for item in export["items"]}
        seat_of = {key: _seat(item) for key, item in items.items()}
        approved = {seat_of[item] for item in self.ledger.items("revoke") if item in seat_of}
        said_removed = {seat_of[key] for key, item in items.items() if item["outcome"] == "removed"}
        # From here on every label is the one that stands in the end: the clock has passed all that was to happen.
        labels = {seat: label.in_the_end for seat, label in labels.items() if label.counts}
        lapsed = {seat for seat in before - after if not labels[seat].stays}
        gone = before - after - lapsed
        self._check_answers(items)
        self._check_removals(labels, approved, said_removed, gone, after | lapsed)
        self._check_outcomes(items, labels)
        verified = sum(item["outcome"] == "removed" and item["verified_at"] is not None for item in items.values())
        confirmed = sum(event["kind"] == "sync_confirmed" for event in export["events"])
        self.account.check("verified by reading back", verified, len(gone))
        self.account.check("confirmed by the next sync", confirmed, len(gone))
        self._check_reasons(items)
        (spend,) = await admin.type("spend")
        idle, held = _two_numbers(spend)
        stays = {s for s in after if labels[s].idle and s[0] != self.returned}
        self.account.check("seats held, after", held, len(after))
        self.account.check("idle seats, after", idle, len(stays))
        pools = await self.truth.pools()
        freed = Counter(labels[seat].sku for seat in before - after)
        by_name = {pool.name: pool for pool in pools.values()}
        earlier = _pools_said(spend_before)
        for sku, (_, available) in sorted(_pools_said(spend).items()):
            part = _part_number(by_name, sku)
            self.account.check(f"available, after: {sku}", available, by_name[part].available)
            self.account.check(f"came back to the pool: {sku}", available - earlier[sku][1], freed[part])

    def _check_answers(self, items: Mapping[str, dict[str, Any]]) -> None:
        for choice in ("revoke", "keep"):
            said = {key for key, item in items.items() if _choice(item) == choice}
            self.account.check(f"answered {choice}", len(said), len(self.ledger.items(choice)))
            self.account.check(f"answered {choice}: the same seats", said == self.ledger.items(choice), True)
        moved = {key for key, item in items.items() if item["assigned_how"] == "delegated"}
        self.account.check("delegated: the same seats", moved == self.ledger.delegated, True)
        silent = [item for item in items.values() if _choice(item) in (None, "not_sure") and item["outcome"] == "kept"]
        unanswered = len(items) - len(self.ledger.items("revoke")) - len(self.ledger.items("keep"))
        self.account.check("kept by silence, or not sure", len(silent), unanswered)
        self.account.check("seats without an outcome", sum(i["outcome"] is None for i in items.values()), 0)

    def _check_removals(
        self,
        labels: Mapping[Seat, Label],
        approved: set[Seat],
        said_removed: set[Seat],
        gone: set[Seat],
        after: set[Seat],
    ) -> None:
        may_go = {seat for seat in approved if "removed" in labels[seat].allowed and seat[0] != self.returned}
        sure = {seat for seat in may_go if labels[seat].allowed == {"removed", "kept"}}
        self.account.check("removed", len(said_removed), len(gone))
        self.account.check("removed: the same seats", said_removed == gone, True)
        self.account.check("gone without approval", len(gone - approved), 0)
        self.account.check("gone although the label forbids it", len(gone - may_go), 0)
        self.account.check("approved, free to go, and still there", len(sure & after), 0)
        must_stay = set(labels) - may_go
        self.account.check("accounts that must keep their seat and do", len(must_stay & after), len(must_stay))
        if self.returned is not None:
            kept = {seat for seat in approved if seat[0] == self.returned}
            self.account.check("used again after the answer, kept", len(kept & after), len(kept))

    def _check_reasons(self, items: Mapping[str, dict[str, Any]]) -> None:
        refused = [item for item in items.values() if item["outcome"] in ("not_supported", "held", "failed")]
        told = [item for item in refused if item["outcome_reason"]]
        self.account.check("refused, each with its reason", len(told), len(refused))

    def _check_outcomes(self, items: Mapping[str, dict[str, Any]], labels: Mapping[Seat, Label]) -> None:
        """Hold every outcome against the label; an outcome that only says why the seat stays is "kept" to the labels."""
        wrong = [
            item["id"]
            for item in items.values()
            if _really(item["outcome"]) not in labels[_seat(item)].allowed and _seat(item)[0] != self.returned
        ]
        self.account.check("outcomes against the label", len(wrong), 0)


async def play(address: str, access: Access, say: Say) -> bool:
    """Play the whole story at the printed address; return whether everything agrees.

    Raises:
        Unexpected: The product did something else than a person was told to expect.
    """
    async with Chat(address) as chat, Truth(access) as truth:
        return await asyncio.wait_for(Story(chat, truth, say).play(), timeout=600)


def _seat(item: Mapping[str, Any]) -> Seat:
    """Return the seat that an exported item is about."""
    return item["person"]["id"], item["sku"]["id"]


def _choice(item: Mapping[str, Any]) -> str | None:
    """Return the answer that stands in the export, None for an open item."""
    return str(item["decision"]["choice"]) if item["decision"] else None


def _really(outcome: str | None) -> str | None:
    """Return the word of the labels for an outcome in the export."""
    return "kept" if outcome in _STAYS else outcome


def _about(name: str, cards: list[Card]) -> Card | None:
    return next((card for card in cards if name in card.texts() and "looked at" in card.title), None)


def _figure(card: Card, label: str) -> int:
    """Return one of a card's large numbers."""
    if label not in card.figures():
        raise Unexpected(f"{card.kind} has no figure {label}: {card.texts()[:300]}")
    return _number(card.figures()[label])


def _text(cards: list[Card]) -> str:
    return cards[-1].texts() if cards else ""


def _two_numbers(spend: Card) -> tuple[int, int]:
    """Return (idle, held) as the spend card says them: "114 idle seats of 763 · 90 days or more"."""
    found = re.search(r"([\d,]+) idle seats? of ([\d,]+)", spend.texts())
    if found is None:
        raise Unexpected(f"the spend card names no idle seats: {spend.texts()[:300]}")
    return _number(found[1]), _number(found[2])


def _pools_said(spend: Card) -> dict[str, tuple[str, int]]:
    """Return (idle of held, available) by SKU name, from the spend card's table."""
    header, *rows = spend.table() or [[]]
    if "Available" not in header:
        raise Unexpected(f"the spend card has no column Available but {header}")
    column = header.index("Available")
    return {row[0]: (row[1], _number(row[column])) for row in rows}


def _number(text: str) -> int:
    return int(text.replace(",", ""))


_STAYS = frozenset({"active_again", "regranted", "plan_changed", "superseded"})

_PART_NUMBERS = {
    "Microsoft 365 E5": "SPE_E5",
    "Microsoft 365 E3": "SPE_E3",
    "Microsoft 365 Copilot": "Microsoft_365_Copilot",
    "Planner and Project Plan 3": "PROJECTPROFESSIONAL",
    "Microsoft Teams Premium": "Microsoft_Teams_Premium",
    "Visio Plan 2": "VISIOCLIENT",
    "Power BI Pro": "POWER_BI_PRO",
    "Exchange Online (Plan 2)": "EXCHANGEENTERPRISE",
    "Microsoft Teams Phone Standard": "MCOEV",
    "Microsoft Teams Rooms Pro": "Microsoft_Teams_Rooms_Pro",
    "Microsoft Power Automate Free": "FLOW_FREE",
    "Microsoft Fabric (Free)": "POWER_BI_STANDARD",
    "Microsoft Power Apps Plan 2 Trial": "POWERAPPS_VIRAL",
}


def _part_number(pools: Mapping[str, object], name: str) -> str:
    """Return the part number behind a product name as Microsoft sells it."""
    part = _PART_NUMBERS.get(name, name)
    if part not in pools:
        raise Unexpected(f"the spend card names a SKU that the tenant does not have: {name}")
    return part
