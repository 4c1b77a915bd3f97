"""Show those whom a consent request concerns where it stands; tell run results, and people on waiting lists."""

import structlog

from reclaim.domain.attestation import EventKind
from reclaim.domain.consent import ApprovedBy, ConsentRequest, RequestState
from reclaim.domain.ids import ConsentId, ConsentRunId, PersonId, ProductId
from reclaim.domain.notices import (
    ConsentAppealNotice,
    ConsentNotice,
    ConsentReceiptNotice,
    ConsentRunNotice,
    Notice,
    WaiterNotice,
    consent_matter,
)
from reclaim.domain.policy import Policy
from reclaim.domain.roles import RUN_AS_A_PERSON
from reclaim.errors import DeliveryError
from reclaim.ports.chat import Delivery, Messenger
from reclaim.ports.engine import Job
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.services.access import Access
from reclaim.services.attesting import SYSTEM, Attestor, delivered
from reclaim.services.end_consent import EndConsent
from reclaim.services.read_consent import ReadConsent, view_of

log = structlog.get_logger(__name__)


class TellConsent:
    """Handlers of the jobs that tell."""

    def __init__(
        self,
        *,
        work: Work,
        clock: Clock,
        tokens: Tokens,
        policy: Policy,
        read: ReadConsent,
        access: Access,
        messenger: Messenger,
    ) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._read = read
        self._access = access
        self._messenger = messenger
        self._attest = Attestor(clock=clock, tokens=tokens)
        self._ends = EndConsent(clock=clock, tokens=tokens, policy=policy)

    async def handle(self, job: Job) -> None:
        """Show the holder and who decides where a request stands; a holder whom nobody can reach keeps what they have."""
        request_id, fresh = ConsentId(str(job.args["request"])), bool(job.args["fresh"])
        async with self._work.read() as work:
            request = await work.consents.request(request_id)
        if request is None:
            return
        if await self._concerns_holder(request):
            arrived = await self._show(request, request.person_id, fresh=fresh)
            if arrived is False and request.state is RequestState.ASKED:
                await self._unreached(request_id)
        if request.manager_id is not None:
            await self._show(request, request.manager_id, fresh=fresh and request.state is RequestState.WITH_MANAGER)
        if _gets_receipt(request):
            await self._receipt(request)
        async with self._work.read() as work:
            appeal = await work.consents.appeal(request_id)
            if appeal is None:
                return
            view = await view_of(work, request, appeal.decider_id, now=self._clock.now(), policy=self._policy)
        await self._told(request, appeal.decider_id, ConsentAppealNotice(view=view), "appeal")

    async def handle_result(self, job: Job) -> None:
        """Tell who runs programs what a run has found."""
        view = await self._read.run(ConsentRunId(str(job.args["run"])))
        people = {view.program.owner_id, view.run.asked_by}
        known = await self._people(people)
        if not known:
            # Made at the command line, and run by the schedule: those who may run programs are told.
            known = set(await self._access.people_with(RUN_AS_A_PERSON))
        for person in sorted(known):
            await self._deliver(person, ConsentRunNotice(run=view))

    async def handle_waiter(self, job: Job) -> None:
        """Tell somebody that a seat is free, or theirs."""
        product, person = ProductId(str(job.args["product"])), PersonId(str(job.args["person"]))
        view = await self._read.waiter(product, person)
        if view is not None:
            await self._deliver(person, WaiterNotice(waiter=view))

    async def _concerns_holder(self, request: ConsentRequest) -> bool:
        """Whether the holder has a card of it, or is to get one: who was never asked needs no news of it."""
        if request.asked_at is not None:
            return True
        async with self._work.read() as work:
            return await work.messages.live(request.person_id, consent_matter(request.id)) is not None

    async def _show(self, request: ConsentRequest, person: PersonId, *, fresh: bool) -> bool | None:
        """Show a request to somebody; False: nothing reaches them, None: it may be tried again."""
        async with self._work.read() as work:
            view = await view_of(work, request, person, now=self._clock.now(), policy=self._policy)
        try:
            delivery = await self._messenger.deliver(person, ConsentNotice(view=view, fresh=fresh))
        except DeliveryError as error:
            log.warning("a consent request was not delivered", request=request.id, permanent=error.permanent)
            return False if error.permanent else None
        if fresh:
            await self._sent(request, person, delivery, "question")
        return True

    async def _told(self, request: ConsentRequest, person: PersonId, notice: Notice, about: str) -> None:
        """Show somebody a card beside the question; that it was sent is attested once, not each time it is redrawn."""
        async with self._work.read() as work:
            first = await work.messages.live(person, notice.matter) is None
        delivery = await self._deliver(person, notice)
        if first and delivery is not None:
            await self._sent(request, person, delivery, about)

    async def _sent(self, request: ConsentRequest, person: PersonId, delivery: Delivery, about: str) -> None:
        async with self._work.write() as work:
            await work.events.append(
                self._attest.event(
                    EventKind.MESSAGE_SENT,
                    actor=SYSTEM,
                    campaign=request.program_id,
                    item=request.id,
                    facts={
                        "about": about,
                        **delivered(person, delivery),
                    },
                )
            )
            await work.commit()

    async def _unreached(self, request_id: ConsentId) -> None:
        """End a question that no chat can bring to its holder. What was shown to them once stays open."""
        async with self._work.write() as work:
            request = await work.consents.request(request_id)
            if request is None or request.state is not RequestState.ASKED:
                return
            if await work.messages.live(request.person_id, consent_matter(request_id)) is not None:
                return
            await self._ends.request(work, request.ended(RequestState.UNREACHED, self._clock.now(), why="no_chat"))
            await work.commit()

    async def _receipt(self, request: ConsentRequest) -> None:
        async with self._work.read() as work:
            view = await view_of(work, request, request.person_id, now=self._clock.now(), policy=self._policy)
        await self._told(request, request.person_id, ConsentReceiptNotice(view=view), "receipt")

    async def _people(self, ids: set[PersonId]) -> set[PersonId]:
        async with self._work.read() as work:
            return set(await work.people.get_many(ids))

    async def _deliver(self, person: PersonId, notice: Notice) -> Delivery | None:
        """Deliver a notice; None: it did not arrive, which stops nothing else."""
        try:
            return await self._messenger.deliver(person, notice)
        except DeliveryError as error:
            log.warning("a notice of a consent program was not delivered", person=person, why=error.code)
            return None


def _gets_receipt(request: ConsentRequest) -> bool:
    """Whether a message of its own says that it was removed: who gave it up sees that on their own card."""
    return request.state is RequestState.REMOVED and request.approved_by is not ApprovedBy.HOLDER
