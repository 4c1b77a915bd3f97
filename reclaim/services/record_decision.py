"""Record what a reviewer answered, durably before the answer leaves, and take an answer back.

The domain approves each item; the batcher (`DecisionLog`) stores it with compare-and-set. Whoever was first wins; the loser
is read again once and then told.
"""

import hashlib
import json
from asyncio import gather
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date

from reclaim.domain.attestation import EventKind
from reclaim.domain.directory import AssigneeKind
from reclaim.domain.ids import AssigneeId, BatchId, CampaignId, ItemId
from reclaim.domain.money import Total
from reclaim.domain.policy import Policy
from reclaim.domain.read_models import BulkResult
from reclaim.domain.review import Choice, DataLoss, KeepReason, ReviewItem, answer
from reclaim.domain.roles import Actor
from reclaim.errors import Conflict, InvalidRequest, NotAuthorized, NotFound, ReclaimError
from reclaim.ports.storage import DecisionLog, DecisionWrite, ToDecide, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.attesting import Attestor
from reclaim.services.jobs import list_job

MAX_ITEMS = 100  # of one click; a card shows ten


class RecordDecision:
    """Answers and withdrawals."""

    def __init__(self, *, work: Work, clock: Clock, tokens: Tokens, policy: Policy, log: DecisionLog) -> None:
        self._work = work
        self._clock = clock
        self._tokens = tokens
        self._policy = policy
        self._log = log
        self._attest = Attestor(clock=clock, tokens=tokens)

    async def decide(
        self,
        actor: Actor,
        items: Sequence[ItemId],
        choice: Choice,
        *,
        idem_key: str,
        bulk: bool,
        reason: KeepReason | None = None,
        note: str | None = None,
        keep_until: date | None = None,
        data_loss: DataLoss | None = None,
    ) -> BulkResult:
        """Answer one or several seats.

        A click on several keeps what can be kept: what moved on meanwhile, and what rule 6 wants looked at alone, is
        skipped and counted. A click on one raises instead.

        Args:
            idem_key: The channel's id of this click; the same click twice is one.
            data_loss: With a revoke of one held seat: what becomes of its data.

        Raises:
            InvalidRequest, NotAuthorized, NotFound, Conflict: As `domain.review.answer`; always the first item's reason
                when not a single seat could be answered.
        """
        if not items:
            raise InvalidRequest("Tick at least one seat.")
        if len(items) > MAX_ITEMS:
            raise InvalidRequest(f"Please answer at most {MAX_ITEMS} seats at once.")
        request = _digest([*sorted(items), choice, reason, note, keep_until, data_loss, actor.id])
        # One click is one batch, also when the channel sends it twice.
        batch = BatchId(_digest(["batch", idem_key, actor.id])[:32])
        done: list[ReviewItem] = []
        skipped: dict[str, int] = {}
        first_error: ReclaimError | None = None
        present = await self._log.load(items)
        loaded = present.items
        if data_loss is not None and not self._policy.may_lose_data:
            raise Conflict("The rules of this installation hold a seat with the last mailbox or files.")
        if bulk:
            # A form to be mended stores nothing at all: half an answer with an error message would be a surprise.
            for item in loaded.values():
                with suppress(NotAuthorized, Conflict):
                    answer(
                        item,
                        present.campaigns[item.campaign_id],
                        actor,
                        choice=choice,
                        now=self._clock.now(),
                        batch_id=batch,
                        bulk=bulk,
                        reason=reason,
                        note=note,
                        keep_until=keep_until,
                        names=present.names,
                        members=present.members,
                    )
        held = [i for i in items if bulk and choice is Choice.REVOKE and i in loaded and not loaded[i].bulk_revocable]
        if held:
            skipped["held"] = len(held)
        outcomes = await gather(
            *(
                self._one(
                    actor,
                    loaded.get(item_id),
                    present,
                    choice=choice,
                    batch=batch,
                    bulk=bulk,
                    reason=reason,
                    note=note,
                    keep_until=keep_until,
                    data_loss=data_loss,
                    idem_key=f"{idem_key}#{item_id}",
                    request=request,
                )
                for item_id in dict.fromkeys(items)
                if item_id not in held
            ),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, InvalidRequest) or (isinstance(outcome, BaseException) and not bulk):
                raise outcome
            if isinstance(outcome, ReclaimError):
                skipped[outcome.code] = skipped.get(outcome.code, 0) + 1
                first_error = first_error or outcome
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                done.append(outcome)
        if not done and first_error is not None:
            raise first_error
        await self._tell_the_others(actor, loaded, done, batch)
        return BulkResult(
            choice=choice,
            batch_id=batch,
            at=self._clock.now(),
            done=len(done),
            monthly=Total.of(item.snapshot.monthly for item in done),
            skipped=tuple(sorted(skipped.items())),
        )

    async def undo(self, actor: Actor, batch: BatchId, *, idem_key: str) -> BulkResult:
        """Take back all answers of one click that still stand.

        Raises:
            NotFound: No answer of that click stands any more.
            Conflict: The campaign is closing or closed.
        """
        items = await self._to_undo(actor, batch, idem_key)
        result = await self.decide(actor, items, Choice.WITHDRAWN, idem_key=idem_key, bulk=True)
        return BulkResult(
            choice=Choice.WITHDRAWN,
            batch_id=result.batch_id,
            at=result.at,
            done=result.done,
            monthly=result.monthly,
            skipped=result.skipped,
            undone=result.done,
        )

    async def _to_undo(self, actor: Actor, batch: BatchId, idem_key: str) -> list[ItemId]:
        """Return what this click takes back. It is written down, as the same click again finds no answer any more."""
        ref = f"undo:{_digest([idem_key, actor.id, batch])[:32]}"
        async with self._work.write() as work:
            stored = await work.controls.draft(ref)
            told = stored[1].get("items") if stored else None
            if isinstance(told, list):
                return [ItemId(str(item)) for item in told]
            items = [i.id for i in await work.items.of_batch(batch) if i.answer and i.answer.batch_id == batch]
            if not items:
                raise NotFound("There is nothing to undo: these answers were changed since.")
            await work.controls.put_draft(ref, actor.id, {"items": list(items)}, at=self._clock.now())
            await work.commit()
        return items

    async def _one(
        self,
        actor: Actor,
        item: ReviewItem | None,
        present: ToDecide,
        *,
        choice: Choice,
        batch: BatchId,
        bulk: bool,
        reason: KeepReason | None,
        note: str | None,
        keep_until: date | None,
        data_loss: DataLoss | None,
        idem_key: str,
        request: str,
    ) -> ReviewItem:
        if item is None:
            raise NotFound("This seat is no longer here.")
        for attempt in (1, 2):
            if (
                item.answer is not None
                and item.answer.batch_id == batch
                and await self._is_known(actor, item, choice, batch, idem_key, request)
            ):
                return item
            try:
                decided = answer(
                    item,
                    present.campaigns[item.campaign_id],
                    actor,
                    choice=choice,
                    now=self._clock.now(),
                    batch_id=batch,
                    bulk=bulk,
                    reason=reason,
                    note=note,
                    keep_until=keep_until,
                    data_loss=data_loss,
                    names=present.names,
                    members=present.members,
                )
            except (NotAuthorized, Conflict):
                if await self._is_known(actor, item, choice, batch, idem_key, request):
                    return item
                raise
            if await self._log.record(self._write(actor, item, decided, choice, batch, idem_key, request)):
                return decided
            if attempt == 1:
                before = item.answer
                present = await self._log.load([item.id])
                item = present.items[item.id]
                if item.answer is not None and item.answer != before and item.answer.batch_id != batch:
                    break
        raise Conflict(await self._who_was_first(item))

    async def _is_known(
        self, actor: Actor, item: ReviewItem, choice: Choice, batch: BatchId, idem_key: str, request: str
    ) -> bool:
        """Return whether this very click was stored before. Not sure and Undo leave no trace of it on the item.

        No item has version 0, so the log stores nothing and only says whether it knows the key.

        Raises:
            Conflict: The same key came with another content.
        """
        never = replace(item, version=0)
        return await self._log.record(self._write(actor, item, never, choice, batch, idem_key, request))

    def _write(
        self,
        actor: Actor,
        item: ReviewItem,
        decided: ReviewItem,
        choice: Choice,
        batch: BatchId,
        idem_key: str,
        request: str,
    ) -> DecisionWrite:
        withdrawn = choice is Choice.WITHDRAWN
        note = decided.answer.note if decided.answer else None
        return DecisionWrite(
            item=decided,
            actor=actor.id,
            choice=choice,
            batch_id=batch,
            at=self._clock.now(),
            idem_key=idem_key,
            request_sha256=request,
            event=self._attest.event(
                EventKind.DECISION_WITHDRAWN if withdrawn else EventKind.DECISION_MADE,
                actor=actor.id,
                campaign=item.campaign_id,
                item=item.id,
                facts={
                    "choice": choice.value,
                    "batch": batch,
                    "version": decided.version,
                    "channel": actor.channel,
                    "reason": decided.answer.reason.value if decided.answer and decided.answer.reason else None,
                    "keep_until": decided.answer.keep_until.isoformat()
                    if decided.answer and decided.answer.keep_until
                    else None,
                    "data_loss": decided.answer.data_loss.value
                    if decided.answer and decided.answer.data_loss
                    else None,
                    "moved_to": decided.assignee_id if decided.assignee_id != item.assignee_id else None,
                    "recommendation": item.recommendation.value,
                    "evidence_as_of_ms": int(item.snapshot.data_as_of.timestamp() * 1000),
                },
                personal={"note": note} if note else None,
            ),
        )

    async def _who_was_first(self, item: ReviewItem) -> str:
        now = (await self._log.load([item.id])).items.get(item.id, item)
        if now.answer is None:
            return "It was changed a moment ago. You see the present state now."
        async with self._work.read() as work:
            who = await work.people.get(now.answer.by)
        name = who.shown_name if who else "Someone"
        return f"{name} answered a moment ago: {now.answer.choice.value}. You see the present state now."

    async def _tell_the_others(
        self, actor: Actor, before: Mapping[ItemId, ReviewItem], done: Sequence[ReviewItem], batch: BatchId
    ) -> None:
        """Show it to whom it concerns too: the fallback reviewer after Not sure, and the other members of a group.

        Of the first the tick would find the missing card as well.
        """
        moved = {_holder(i) for i in done if i.not_sure_by == actor.id and i.answer is None}
        shared = {_holder(before[i.id]) for i in done if before[i.id].group_id is not None}
        if not moved and not shared:
            return
        async with self._work.write() as work:
            for campaign, assignee, kind in sorted(moved | shared, key=str):
                if assignee is not None:
                    await work.enqueue(list_job(campaign, assignee, kind, batch, but=actor.id))
            await work.commit()


def _holder(item: ReviewItem) -> tuple[CampaignId, AssigneeId | None, AssigneeKind]:
    return item.campaign_id, item.assignee_id, item.assignee_kind


def _digest(parts: Sequence[object]) -> str:
    text = json.dumps([None if part is None else str(part) for part in parts], ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
