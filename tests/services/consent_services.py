"""The services of consent programs, wired as `use_cases` does, over a usage source in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cards.report import HtmlDocuments
from reclaim.connectors.cron import CronSchedule
from reclaim.domain.consent_program import Terms
from reclaim.domain.ids import PersonId
from reclaim.domain.policy import Policy
from reclaim.ports.chat import Messenger
from reclaim.ports.directory import Directory, SeatWriter
from reclaim.ports.engine import Handler
from reclaim.ports.storage import UnitOfWork, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.access import Access
from reclaim.services.answer_consent import AnswerConsent
from reclaim.services.appeal_consent import AppealConsent
from reclaim.services.ask_consent import AskConsent
from reclaim.services.change_members import ChangeMembers
from reclaim.services.due_consent import DueConsent
from reclaim.services.export_consent import ExportConsent
from reclaim.services.keep_programs import KeepPrograms
from reclaim.services.read_consent import ReadConsent
from reclaim.services.run_consent import RunConsent
from reclaim.services.tell_consent import TellConsent
from reclaim.services.usage_of import Reading, UseOf

SOURCES = {"csv": "Usage list", "nexthink": "Nexthink", "intune": "Intune"}


@dataclass
class FakeUse:
    """What a usage source knows, in memory; `error` is raised instead of a reading."""

    rows: dict[PersonId, UseOf] = field(default_factory=dict)
    newest: datetime | None = None
    unmatched: int = 0
    ambiguous: int = 0
    error: Exception | None = None
    refreshed: int = 0

    async def refresh(self, terms: Terms) -> Reading:
        self.refreshed += 1
        if self.error is not None:
            raise self.error
        return Reading(newest=self.newest, unmatched=self.unmatched, ambiguous=self.ambiguous)

    async def page(self, work: UnitOfWork, terms: Terms, *, after: PersonId | None, limit: int) -> list[UseOf]:
        return [self.rows[one] for one in sorted(self.rows) if one > (after or "")][:limit]

    async def use_of(self, work: UnitOfWork, terms: Terms, person: PersonId) -> UseOf | None:
        return self.rows.get(person)


class ConsentServices:
    """Everything that runs consent programs."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        directory: Directory,
        writer: SeatWriter,
        messenger: Messenger,
        use: FakeUse,
    ) -> None:
        self.read = ReadConsent(work=work, clock=clock, policy=policy)
        self.answer = AnswerConsent(work=work, clock=clock, tokens=tokens, policy=policy)
        self.appeals = AppealConsent(work=work, clock=clock, tokens=tokens, policy=policy, answer=self.answer)
        self.programs = KeepPrograms(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            directory=directory,
            schedule=CronSchedule(),
            sources=SOURCES,
        )
        self.ask = AskConsent(work=work, clock=clock, tokens=tokens, policy=policy)
        self.run = RunConsent(
            work=work, clock=clock, tokens=tokens, policy=policy, directory=directory, use=use, ask=self.ask
        )
        self.change = ChangeMembers(
            work=work, clock=clock, tokens=tokens, policy=policy, directory=directory, writer=writer, use=use
        )
        self.tell = TellConsent(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            read=self.read,
            access=Access(work=work, policy=policy),
            messenger=messenger,
        )
        self.export = ExportConsent(work=work, clock=clock, tokens=tokens, policy=policy, documents=HtmlDocuments())
        self.due = DueConsent(
            work=work, clock=clock, schedule=CronSchedule(), run=self.run, ask=self.ask, appeals=self.appeals
        )

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each kind of job."""
        return {
            "consent_run": self.run.handle,
            "consent": self.tell.handle,
            "consent_result": self.tell.handle_result,
            "membership": self.change.handle,
            "waiter": self.tell.handle_waiter,
        }
