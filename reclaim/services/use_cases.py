"""Every use case, wired once from the ports: for chat commands, for jobs and for the tick."""

from collections.abc import Sequence

from reclaim.domain.ids import TenantId
from reclaim.domain.policy import Policy
from reclaim.ports.chat import Messenger
from reclaim.ports.checks import ChannelCheck, TenantChecks
from reclaim.ports.directory import Directory, SeatWriter
from reclaim.ports.documents import Documents
from reclaim.ports.engine import Backlog
from reclaim.ports.schedule import Schedule
from reclaim.ports.storage import DecisionLog, Work
from reclaim.ports.system import Clock, Tokens
from reclaim.ports.usage import UsageSources
from reclaim.ports.usage_reports import UsageReports
from reclaim.services.access import Access
from reclaim.services.answer_consent import AnswerConsent
from reclaim.services.appeal_consent import AppealConsent
from reclaim.services.appeal_removals import AppealRemovals
from reclaim.services.apply_removals import ApplyRemovals
from reclaim.services.ask_back import AskBackHolders
from reclaim.services.ask_consent import AskConsent
from reclaim.services.change_members import ChangeMembers
from reclaim.services.choose_seats import ChooseSeats
from reclaim.services.close_campaign import CloseCampaign
from reclaim.services.confirm_launch import ConfirmLaunch
from reclaim.services.delegate_item import DelegateItem
from reclaim.services.due_consent import DueConsent
from reclaim.services.due_work import DueWork
from reclaim.services.exclude_free import ExcludeFree
from reclaim.services.exclude_seats import ExcludeSeats
from reclaim.services.explain_seat import ExplainSeat
from reclaim.services.export_consent import ExportConsent
from reclaim.services.export_evidence import ExportEvidence
from reclaim.services.find_idle_seats import FindIdleSeats
from reclaim.services.follow_lists import FollowLists
from reclaim.services.freeze_writes import FreezeWrites
from reclaim.services.import_absences import ImportAbsences
from reclaim.services.import_usage import ImportUsage
from reclaim.services.keep_prices import KeepPrices
from reclaim.services.keep_programs import KeepPrograms
from reclaim.services.load_prices import LoadPrices
from reclaim.services.manual_tasks import ManualTasks
from reclaim.services.name_owner import NameOwner
from reclaim.services.nudge_reviewers import NudgeReviewers
from reclaim.services.open_campaign import OpenCampaign
from reclaim.services.read_consent import ReadConsent
from reclaim.services.read_history import ReadHistory
from reclaim.services.read_mailboxes import ReadMailboxes
from reclaim.services.read_report import ReadReport
from reclaim.services.read_scan import ReadScan
from reclaim.services.read_seats import ReadSeats
from reclaim.services.read_spend import ReadSpend
from reclaim.services.read_status import ReadStatus
from reclaim.services.read_summary import ReadSummary
from reclaim.services.read_usage import ReadUsage
from reclaim.services.read_wave import ReadWave
from reclaim.services.realise_savings import RealiseSavings
from reclaim.services.reassign_items import ReassignItems
from reclaim.services.record_decision import RecordDecision
from reclaim.services.release_orders import ReleaseOrders
from reclaim.services.restore_seats import RestoreSeats
from reclaim.services.run_checks import RunChecks
from reclaim.services.run_consent import RunConsent
from reclaim.services.send_waves import SendWaves
from reclaim.services.start_campaign import StartCampaign
from reclaim.services.steer_campaign import SteerCampaign
from reclaim.services.stored_use import StoredUse
from reclaim.services.sync_directory import SyncDirectory
from reclaim.services.tell_consent import TellConsent
from reclaim.services.tell_results import TellResults
from reclaim.services.tell_reviewers import TellReviewers
from reclaim.services.tell_way_back import TellWayBack
from reclaim.services.verify_removals import VerifyRemovals
from reclaim.services.watch_removals import WatchRemovals
from reclaim.services.write_restores import WriteRestores
from reclaim.services.write_rights import WriteRights


class UseCases:
    """Every use case, wired once: for chat commands, for jobs and for the tick."""

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
        decisions: DecisionLog,
        documents: Documents,
        tenant_id: TenantId,
        checks: TenantChecks,
        backlog: Backlog,
        channels: Sequence[ChannelCheck],
        schedule: Schedule,
        usage: UsageSources,
        with_groups: bool = True,
        reports: UsageReports | None = None,
    ) -> None:
        self.access = Access(work=work, policy=policy)
        self.checkup = RunChecks(
            work=work,
            clock=clock,
            policy=policy,
            access=self.access,
            checks=checks,
            backlog=backlog,
            channels=channels,
            reports=reports,
            sources=usage.checks,
        )
        rights = WriteRights(checks=checks)
        self.prices = LoadPrices(work=work, clock=clock, tokens=tokens)
        self.keep_prices = KeepPrices(work=work, clock=clock, tokens=tokens, policy=policy)
        self.exclude = ExcludeSeats(work=work, clock=clock, tokens=tokens, policy=policy, directory=directory)
        lists = FollowLists(work=work, clock=clock, tokens=tokens, policy=policy)
        self.absences = ImportAbsences(work=work, clock=clock, tokens=tokens, policy=policy, lists=lists)
        self.spend = ReadSpend(work=work, clock=clock, policy=policy)
        self.seats = ReadSeats(work=work, clock=clock, policy=policy)
        self.scan = ReadScan(work=work, clock=clock, policy=policy, spend=self.spend, seats=self.seats)
        self.status = ReadStatus(work=work, clock=clock, policy=policy)
        self.waves = ReadWave(work=work, clock=clock, policy=policy)
        self.why = ExplainSeat(work=work, clock=clock, policy=policy)
        self.history = ReadHistory(work=work, clock=clock, policy=policy)
        self.export = ExportEvidence(
            work=work, clock=clock, tokens=tokens, policy=policy, report=ReadReport(documents=documents)
        )
        self.start = StartCampaign(work=work, clock=clock, tokens=tokens, policy=policy, rights=rights)
        self.choose = ChooseSeats(work=work)
        self.confirm = ConfirmLaunch(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            access=self.access,
            messenger=messenger,
            rights=rights,
        )
        self.open = OpenCampaign(work=work, clock=clock, tokens=tokens, policy=policy)
        self.decide = RecordDecision(work=work, clock=clock, tokens=tokens, policy=policy, log=decisions)
        self.delegate = DelegateItem(work=work, clock=clock, tokens=tokens, policy=policy)
        self.reassign = ReassignItems(work=work, clock=clock, tokens=tokens)
        self.steer = SteerCampaign(work=work, clock=clock, tokens=tokens)
        self.nudge = NudgeReviewers(work=work, clock=clock, tokens=tokens)
        self.owners = NameOwner(work=work, clock=clock, tokens=tokens, policy=policy)
        self.close = CloseCampaign(work=work, clock=clock, tokens=tokens, policy=policy)
        self.freeze = FreezeWrites(
            work=work, clock=clock, tokens=tokens, policy=policy, access=self.access, messenger=messenger
        )
        self.tell = TellReviewers(work=work, clock=clock)
        self.release = ReleaseOrders(work=work, clock=clock, tokens=tokens)
        self.send = SendWaves(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            read=self.waves,
            status=self.status,
            messenger=messenger,
        )
        self.summaries = ReadSummary(work=work, clock=clock, policy=policy)
        self.results = TellResults(
            work=work, clock=clock, tokens=tokens, policy=policy, read=self.summaries, messenger=messenger
        )
        self.apply = ApplyRemovals(
            work=work, clock=clock, tokens=tokens, policy=policy, directory=directory, writer=writer
        )
        self.verify = VerifyRemovals(work=work, clock=clock, tokens=tokens, writer=writer)
        self.restores = RestoreSeats(work=work, clock=clock, tokens=tokens, policy=policy)
        self.restore = WriteRestores(
            work=work, clock=clock, tokens=tokens, policy=policy, directory=directory, writer=writer
        )
        self.way_back = TellWayBack(
            work=work,
            clock=clock,
            policy=policy,
            access=self.access,
            restores=self.restores,
            messenger=messenger,
        )
        self.appeals = AppealRemovals(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            access=self.access,
            restores=self.restores,
            messenger=messenger,
        )
        self.import_usage = ImportUsage(work=work, clock=clock, tokens=tokens)
        use = StoredUse(work=work, clock=clock, policy=policy, sources=usage, imports=self.import_usage)
        self.read_consent = ReadConsent(work=work, clock=clock, policy=policy)
        self.answer_consent = AnswerConsent(work=work, clock=clock, tokens=tokens, policy=policy)
        self.appeal_consent = AppealConsent(
            work=work, clock=clock, tokens=tokens, policy=policy, answer=self.answer_consent
        )
        self.programs = KeepPrograms(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            directory=directory,
            schedule=schedule,
            sources=usage.titles,
        )
        self.ask_consent = AskConsent(work=work, clock=clock, tokens=tokens, policy=policy)
        self.run_consent = RunConsent(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            directory=directory,
            use=use,
            ask=self.ask_consent,
        )
        self.change_members = ChangeMembers(
            work=work, clock=clock, tokens=tokens, policy=policy, directory=directory, writer=writer, use=use
        )
        self.tell_consent = TellConsent(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            read=self.read_consent,
            access=self.access,
            messenger=messenger,
        )
        self.export_consent = ExportConsent(work=work, clock=clock, tokens=tokens, policy=policy, documents=documents)
        self.tasks = ManualTasks(work=work, clock=clock, tokens=tokens, writer=writer)
        read_usage = ReadUsage(work=work, clock=clock, reports=reports) if reports is not None else None
        exclude_free = ExcludeFree(work=work, clock=clock, tokens=tokens).after_sync
        find = FindIdleSeats(work=work, clock=clock, policy=policy)
        watch = WatchRemovals(work=work, clock=clock, tokens=tokens).after_sync
        realise = RealiseSavings(work=work, clock=clock, tokens=tokens, policy=policy).after_sync
        self.sync = SyncDirectory(
            work=work,
            clock=clock,
            tokens=tokens,
            policy=policy,
            directory=directory,
            messenger=messenger,
            tenant_id=tenant_id,
            with_groups=with_groups,
            usage=read_usage,
            after=(
                exclude_free,
                lists.after_sync,
                find.scan,
                ReadMailboxes(work=work, clock=clock, directory=directory).after_sync,
                self.verify.after_sync,
                watch,
                AskBackHolders(work=work, clock=clock, tokens=tokens, policy=policy).after_sync,
                self.tasks.after_sync,
                self.confirm.after_sync,
                realise,
                *([read_usage.after_sync] if read_usage is not None else []),
            ),
            # What needs sign-ins, or everybody to have been read, waits for a full run.
            after_changes=(
                exclude_free,
                find.after_changes,
                watch,
                self.tasks.after_sync,
                self.confirm.after_sync,
                realise,
            ),
        )
        self.due = DueWork(
            work=work,
            clock=clock,
            policy=policy,
            close=self.close,
            sync=self.sync,
            verify=self.verify,
            confirm=self.confirm,
            consent=DueConsent(
                work=work,
                clock=clock,
                schedule=schedule,
                run=self.run_consent,
                ask=self.ask_consent,
                appeals=self.appeal_consent,
            ),
            appeals=self.appeals,
        )
