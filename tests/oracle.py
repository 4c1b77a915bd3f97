"""Judge every seat of a practice tenant by its generator's label, after one campaign over everything that looked unused.

It runs end to end over HTTP: read the tenant, ask about every idle seat, revoke whatever may be revoked, close, let time
pass over all that happens to people meanwhile, write, verify, read again. What is right comes from `rehearsal.cases` only;
no rule and no field of the product decides here. `make oracle` is the long run, `ARGS="--people 20000"` a shorter one.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import app as product
from reclaim import log_context
from reclaim.domain.campaign import CampaignState, Scope, Silence, Strategy, WriteMode
from reclaim.domain.ids import AssigneeId, CampaignId, GroupId, PersonId
from reclaim.domain.review import Choice, KeepReason, ReviewItem
from reclaim.domain.roles import Actor, Role
from reclaim.errors import ReclaimError
from reclaim.services.campaign_draft import CampaignDraft
from rehearsal.cases import Case
from rehearsal.truth import Label, Seat, Truth

KEEP_EVERY: Final = 7  # every seventh seat is answered with Keep, so that there is something that must not go
CLICK: Final = 100  # seats
DAYS_TO_ANSWER: Final = 8  # longer than all that is to happen to people
DAYS_TO_SETTLE: Final = 5
# How soon a job begins. For a person who watches it is sooner: over a large tenant the looking took a third of the time.
_LOOK_S: Final = 0.1
# Outcomes that only say why a seat stays; the labels know one word for them.
_STAYS: Final = frozenset({"active_again", "regranted", "plan_changed", "superseded"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found.

    Attributes:
        wrong: One line for each seat that is not as its label allows.
        outcomes: How many items ended how.
        cases: The cases of the people of whom at least one seat was asked about.
    """

    people: int
    seats: int
    items: int
    removed: int
    seconds: float
    wrong: Sequence[str]
    outcomes: Mapping[str, int]
    cases: frozenset[str]


@dataclass(slots=True)
class _Books:
    """What was there, what was answered, what is there."""

    labels: Mapping[Seat, Label]
    before: set[Seat]
    after: set[Seat]
    items: Mapping[Seat, ReviewItem]
    written: Counter[tuple[str, str, str]]
    wrong: list[str] = field(default_factory=list)

    def judge(self) -> list[str]:
        """Return a line for everything that is not right."""
        for seat, label in self.labels.items():
            if not label.counts:
                self._check(seat, label, seat not in self.items, "asked about, and takes no seat")
                continue
            self._judge_seat(seat, label)
        for seat in (self.after | self.items.keys()) - self.labels.keys():
            self.wrong.append(f"{seat}: held or asked about, and the generator knows nothing of it")
        for (kind, person, target), times in self.written.items():
            if times > 1:
                self.wrong.append(f"{kind} of {target} for {person}: done {times} times")
        return self.wrong

    def _judge_seat(self, seat: Seat, label: Label) -> None:
        item, end = self.items.get(seat), label.in_the_end
        self._check(seat, label, (item is not None) is label.idle, "asked about exactly where it is idle")
        gone = seat in self.before and seat not in self.after
        approved = item is not None and item.answer is not None and item.answer.choice is Choice.REVOKE
        if not end.stays:
            self._check(seat, label, gone, "was to go by itself, and is there")
        elif gone:
            self._check(seat, label, approved, "gone, and nobody approved it")
            self._check(seat, label, "removed" in end.allowed, "gone, and its label forbids it")
        if item is None:
            return
        outcome = item.outcome.value if item.outcome is not None else "none"
        word = "kept" if outcome in _STAYS else outcome
        self._check(seat, label, word in end.allowed, f"ended {outcome}")
        self._check(seat, label, (outcome == "removed") <= gone, "said to be removed, and is there")
        self._check(seat, label, (outcome == "removed") <= (item.verified_at is not None), "removed, and not read back")
        if approved and end.stays and end.allowed == {"removed", "kept"}:
            self._check(seat, label, gone, f"approved and free to go, and is there ({outcome})")
        if gone and end.stays:
            self._check(seat, label, outcome == "removed", f"gone, and the books say {outcome}")

    def _check(self, seat: Seat, label: Label, right: bool, what: str) -> None:
        if not right:
            self.wrong.append(f"{label.case}, {label.sku}, {label.path}, of {seat[0]}: {what}")


async def judge(*, people: int, seed: int = 7, aloud: bool = False) -> Verdict:
    """Play one campaign over a whole practice tenant below the present directory, and judge every seat."""
    started = time.monotonic()
    tell = _Teller(started, silent=not aloud)
    product.PRACTICE_HOME.mkdir(parents=True, exist_ok=True)
    async with (
        product.rehearsing(people=people, seed=seed, fault=None, apart=True, soon_s=_LOOK_S) as stage,
        Truth(stage.tenant) as truth,
    ):
        tell("the tenant is read")
        labels, before = await truth.labels(), await truth.seats()
        campaign = await _started(stage)
        tell("the campaign is open")
        await _answered(stage, campaign)
        tell("every seat is answered")
        await stage.calendar.to_closing()
        tell("the campaign is closing")
        for _ in range(DAYS_TO_SETTLE):
            await stage.calendar.advance(timedelta(days=1))
            async with stage.app.work.read() as unit:
                found = await unit.campaigns.get(campaign)
            if found is not None and found.state is CampaignState.CLOSED:
                break
        tell("the campaign is closed")
        await stage.app.use.sync.run_to_end(None)
        async with stage.app.work.read() as unit:
            items = await unit.items.of_campaign(campaign)
        books = _Books(
            labels=labels,
            before=before,
            after=await truth.seats(),
            items={(item.person_id, item.product_id): item for item in items},
            written=Counter(
                (one["kind"], one["person_id"], one.get("sku_id") or one["group_id"]) for one in await truth.writes()
            ),
        )
    wrong = books.judge()
    tell("every seat is judged")
    outcomes = Counter(item.outcome.value if item.outcome else "none" for item in items)
    return Verdict(
        people=people,
        seats=sum(label.counts for label in labels.values()),
        items=len(items),
        removed=outcomes["removed"],
        seconds=time.monotonic() - started,
        wrong=wrong,
        outcomes=dict(sorted(outcomes.items())),
        cases=frozenset(label.case for label in labels.values()),
    )


async def _started(stage: product.Stage) -> CampaignId:
    app = stage.app
    admin = await _admin(stage)
    now = app.clock.now()
    draft = CampaignDraft(
        ref=app.tokens.new_id(),
        name="Everything that looks unused",
        scope=Scope(),
        strategy=Strategy.MANAGER,
        reviewer_id=None,
        fallback_id=None,
        due=(now + timedelta(days=DAYS_TO_ANSWER)).date(),
        zone=app.settings.zone,
        silence=Silence.KEEP,
        mode=WriteMode.LIVE,
        by=admin.id,
    )
    await app.use.start.put_draft(admin, draft)
    campaign = await app.use.start.launch(admin, draft.ref)
    await app.engine.idle()
    return campaign.id


async def _admin(stage: product.Stage) -> Actor:
    async with stage.app.work.read() as unit:
        members = await unit.people.members(GroupId(next(iter(stage.app.settings.admins))))
    return Actor(id=min(members), channel="web", roles=frozenset({Role.ADMIN, Role.EMPLOYEE}))


async def _answered(stage: product.Stage, campaign: CampaignId) -> None:
    """Answer everything: keep each seventh seat, revoke all else, seat by seat where a bulk answer may not."""
    async with stage.app.work.read() as unit:
        items = await unit.items.of_campaign(campaign)
    by_reviewer: defaultdict[AssigneeId, list[ReviewItem]] = defaultdict(list)
    for item in items:
        if item.assignee_id is not None:
            by_reviewer[item.assignee_id].append(item)
    for reviewer, theirs in by_reviewer.items():
        actor = Actor(id=PersonId(reviewer), channel="web")
        kept = [item for number, item in enumerate(theirs) if number % KEEP_EVERY == KEEP_EVERY - 1]
        revoked = [item for item in theirs if item not in kept]
        for choice, chosen in ((Choice.KEEP, kept), (Choice.REVOKE, revoked)):
            for first in range(0, len(chosen), CLICK):
                await _click(stage, actor, chosen[first : first + CLICK], choice)


async def _click(stage: product.Stage, actor: Actor, items: Sequence[ReviewItem], choice: Choice) -> None:
    decide = stage.app.use.decide.decide
    reason = KeepReason.CURRENT_WORK if choice is Choice.KEEP else None
    together = [item for item in items if choice is Choice.KEEP or item.bulk_revocable]
    if together:
        await decide(
            actor, [item.id for item in together], choice, idem_key=stage.app.tokens.new_id(), bulk=True, reason=reason
        )
    for item in items:
        if item not in together:
            with contextlib.suppress(ReclaimError):  # what is refused stays open, and the label says how it may end
                await decide(actor, [item.id], choice, idem_key=stage.app.tokens.new_id(), bulk=False)


class _Teller:
    def __init__(self, started: float, *, silent: bool) -> None:
        self._started = started
        self._silent = silent

    def __call__(self, what: str) -> None:
        if not self._silent:
            print(f"{time.monotonic() - self._started:6.0f} s  {what}", flush=True)  # noqa: T201


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Work in a directory of its own: a rehearsal writes below the present one."""
    home = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="reclaim-oracle-") as folder:
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(home)


def missing_cases(verdict: Verdict) -> set[str]:
    """Return the cases of which this tenant had nobody with a seat."""
    return {case.value for case in Case} - verdict.cases


def main(words: Sequence[str] | None = None) -> int:
    """Print what was found; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args(words)
    log_context.configure(readable=False, level=logging.ERROR)
    with _elsewhere():
        verdict = asyncio.run(judge(people=asked.people, seed=asked.seed, aloud=True))
    for line in verdict.wrong[:50]:
        print(line)  # noqa: T201
    print(  # noqa: T201
        f"{verdict.people:,} people, {verdict.seats:,} seats, {verdict.items:,} asked about, {verdict.removed:,} removed,"
        f" {len(verdict.wrong):,} not as their label allows, {verdict.seconds:.0f} s. {dict(verdict.outcomes)}"
    )
    return 1 if verdict.wrong or missing_cases(verdict) else 0


if __name__ == "__main__":
    sys.exit(main())
