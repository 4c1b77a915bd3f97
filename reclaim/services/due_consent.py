"""What is due of consent programs: asked by every tick, answered from our own rows."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from reclaim.domain.ids import ConsentId, PersonId
from reclaim.domain.membership import ChangeState
from reclaim.errors import Conflict, NotFound
from reclaim.ports.engine import Job
from reclaim.ports.schedule import Schedule
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock
from reclaim.services.appeal_consent import AppealConsent
from reclaim.services.ask_consent import AskConsent
from reclaim.services.attesting import SYSTEM
from reclaim.services.chunks import CHUNK
from reclaim.services.jobs import consent_job, consent_run_job, membership_job, tries
from reclaim.services.run_consent import RunConsent
from reclaim.services.tell_reviewers import enqueue

AGAIN: Final = timedelta(minutes=10)  # a job that died is tried again after this
HOUR: Final = timedelta(hours=1)
TOLD_FOR: Final = timedelta(hours=24)
TOLD_KINDS: Final = ("consent.request", "consent.manager", "consent.removed")  # kinds of cards, as the record has them

log = structlog.get_logger(__name__)


class DueConsent:
    """Starts runs, asks, reminds, closes, and enqueues what is to be written."""

    def __init__(
        self, *, work: Work, clock: Clock, schedule: Schedule, run: RunConsent, ask: AskConsent, appeals: AppealConsent
    ) -> None:
        self._work = work
        self._clock = clock
        self._schedule = schedule
        self._run = run
        self._ask = ask
        self._appeals = appeals

    async def tick(self) -> list[str]:
        """Do all that is due, and return what it was, in short sentences."""
        told = await self._start_runs()
        await self._carry_on()
        await self._ask.cancel_ended()
        closed = await self._ask.close_due()
        reminded = await self._ask.remind()
        asked = await self._ask.ask_waiting()
        await self._appeals.lapse_due()
        await self._changes()
        await self._tell_again()
        told += [_sentence(asked, "person", "people", "asked about an application")]
        told += [_sentence(reminded, "reminder", "reminders", "sent about an application")]
        told += [_sentence(closed, "question", "questions", "came to its end" if closed == 1 else "came to their end")]
        return [sentence for sentence in told if sentence]

    async def next_due(self, after: datetime) -> list[datetime]:
        """Return the next instant at which something becomes due, if there is one."""
        async with self._work.read() as work:
            found = await work.consents.next_due(after)
        return [found] if found is not None else []

    async def _start_runs(self) -> list[str]:
        now = self._clock.now()
        async with self._work.read() as work:
            due = await work.consents.due_programs(now)
        told = []
        for program in due:
            schedule = program.terms.schedule
            following = self._schedule.next_after(schedule, program.terms.zone, now) if schedule else None
            try:
                # What was missed while we were down is done once.
                await self._run.start(
                    PersonId(SYSTEM), program.id, next_run_at=following or now + timedelta(days=36500)
                )
                told.append(f"{program.terms.name} looked for unused seats.")
            except (Conflict, NotFound):
                log.info("a consent program is running already", program=program.id)
        return told

    async def _carry_on(self) -> None:
        now = self._clock.now()
        async with self._work.read() as work:
            running = await work.consents.running()
        await enqueue(
            self._work,
            [
                consent_run_job(run.id, run.attempt, tries(run.not_before or run.started_at, now, AGAIN))
                for run in running
                if run.not_before is None or run.not_before <= now
            ],
        )

    async def _changes(self) -> None:
        now = self._clock.now()
        async with self._work.read() as work:
            due = await work.consents.due_changes(now, limit=CHUNK)
            frozen = await work.controls.freeze() is not None
        await enqueue(
            self._work,
            [
                membership_job(one.id, one.attempt, tries(one.not_before or one.asked_at, now, HOUR))
                for one in due
                # While writes are frozen, what was written is looked for all the same.
                if not frozen or one.state is ChangeState.WRITTEN
            ],
        )

    async def _tell_again(self) -> None:
        """Try again, hourly for a day, what a channel failed to take."""
        now = self._clock.now()
        async with self._work.read() as work:
            failed = await work.messages.failed(TOLD_KINDS, since=now - TOLD_FOR)
        occasion = f"hour-{int(now.timestamp() // HOUR.total_seconds())}"
        jobs: dict[str, Job] = {}
        for matter, _ in failed:
            about, _, ref = matter.partition(":")
            if about in ("consent", "consent_receipt"):
                job = consent_job(ConsentId(ref), occasion)
                jobs[job.key] = job
        await enqueue(self._work, list(jobs.values()))


def _sentence(number: int, one: str, many: str, what: str) -> str:
    return f"{number} {one if number == 1 else many} {what}." if number else ""
