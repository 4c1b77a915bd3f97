"""The live look just before a write: the person, the groups of the seat and, for small campaigns, the activity, read now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reclaim.domain.campaign import Campaign
from reclaim.domain.directory import Group, LivePerson, MailboxPurpose, Person, Seat, Sku
from reclaim.domain.exclusions import Exclusion, ExclusionId
from reclaim.domain.idle import Rule
from reclaim.domain.ids import GroupId, ItemId, PersonId, ProductId
from reclaim.domain.policy import Policy
from reclaim.domain.review import ReviewItem
from reclaim.domain.workloads import Use
from reclaim.errors import DirectoryError
from reclaim.ports.directory import Directory
from reclaim.ports.storage import SyncRun, UnitOfWork, Work
from reclaim.ports.system import Clock
from reclaim.ports.usage_reports import UseRules
from reclaim.services.listing import in_groups, listed_many
from reclaim.services.settle import Later
from reclaim.services.usage_rules import use_of, use_rules
from reclaim.together import Together

WAITS_FOR_SYNC = "waits_for_sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A live read with the facts to judge it.

    Attributes:
        ended: The person's items that had ended before it, over all campaigns: what ends later, it may not have seen.
        listed: The exclusions whose list of people names the person.
        purpose: What the person's mailbox is for, where that was asked.
        use: What usage reports say of the seat's product, where the installation judges by them.
    """

    ended: frozenset[ItemId]
    person: LivePerson | None
    data_as_of: datetime
    skus: Mapping[ProductId, Sku]
    groups: Mapping[GroupId, Group]
    exclusions: Sequence[Exclusion] = ()
    listed: frozenset[ExclusionId] = frozenset()
    use: Use | None = None
    purpose: MailboxPurpose | None = None

    def seat(self, product: ProductId) -> Seat | None:
        """Return the live seat of a product, None if it is gone."""
        return next((s for s in self.person.seats if s.product_id == product), None) if self.person else None


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A question: the facts of one seat."""

    campaign: Campaign
    item: ReviewItem


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What our own tables say of one seat; see `Look`.

    Attributes:
        live_activity: The campaign is small enough to read everybody's sign-ins now.
    """

    skus: Mapping[ProductId, Sku]
    stored: Person | None
    newest: SyncRun | None
    exclusions: Sequence[Exclusion]
    listed: frozenset[ExclusionId]
    live_activity: bool
    ended: frozenset[ItemId]
    purpose: MailboxPurpose | None
    use: Use | None


def idle_window(campaign: Campaign, policy: Policy) -> int:
    """Return the days in which an absence counts before a write: the longer of the campaign's window and the default one."""
    return max(campaign.scope.days, policy.idle_days)


class LiveLook:
    """Reads what `domain.removal.look_again` judges; of several seats at a time our tables are read once."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy, directory: Directory) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._directory = directory
        self._facts: Together[_Asked, _Facts] = Together(self._read)

    async def at(self, campaign: Campaign, item: ReviewItem) -> Look:
        """Look at one seat.

        Raises:
            Later: The directory failed, or the sign-in data is from before the close or too old (rule 5).
        """
        facts = await self._facts.ask(_Asked(campaign, item))
        newest = facts.newest
        # The rule on disabled accounts reads no activity, so a tenant without sign-in data does not stop it (rule 1).
        needs_activity = item.rule is not Rule.DISABLED
        if item.rule is Rule.UNUSED and (newest is None or not self._is_fresh(newest, campaign)):
            raise Later(WAITS_FOR_SYNC)
        try:
            person = await self._directory.live_person(
                item.person_id, with_sign_ins=facts.live_activity and needs_activity
            )
            groups = await self._groups(person, item)
        except DirectoryError as error:
            raise Later(f"directory:{error.status or 'unreachable'}", error.retry_after) from error
        look = Look(
            ended=facts.ended,
            person=person,
            data_as_of=self._clock.now(),
            skus=facts.skus,
            groups=groups,
            exclusions=facts.exclusions,
            listed=facts.listed | in_groups(person, facts.exclusions),
            use=facts.use,
            purpose=facts.purpose,
        )
        if facts.live_activity or person is None or not needs_activity:
            return look
        if newest is None or not self._is_fresh(newest, campaign):
            raise Later(WAITS_FOR_SYNC)
        stored = facts.stored
        known = stored.sign_ins if stored and newest.sign_ins == "known" else None
        seen = replace(person, person=replace(person.person, sign_ins=known))
        return replace(look, person=seen, data_as_of=newest.started_at)

    async def _read(self, asked: Sequence[_Asked]) -> dict[_Asked, _Facts]:
        now = self._clock.now()
        people = {one.item.person_id for one in asked}
        campaigns = {one.campaign.id: one.campaign for one in asked}
        async with self._work.read() as work:
            skus = await work.catalog.skus()
            stored = await work.people.get_many(people)
            newest = await work.syncs.newest_complete()
            exclusions = await work.exclusions.counting(now)
            ended = await work.items.ended(people)
            purposes = await work.mailboxes.purposes(people)
            by_list = {
                days: await listed_many(work, sorted(people), exclusions, days=days, now=now)
                for days in {idle_window(campaign, self._policy) for campaign in campaigns.values()}
            }
            most = self._policy.live_reads
            few = {one for one in campaigns if await work.orders.ordered_items(one, up_to=most + 1) <= most}
            uses = await self._uses(work, asked, stored, skus, now)
        return {
            one: _Facts(
                skus=skus,
                stored=stored.get(one.item.person_id),
                newest=newest,
                exclusions=exclusions,
                listed=by_list[idle_window(one.campaign, self._policy)].get(one.item.person_id, frozenset()),
                live_activity=one.campaign.id in few,
                ended=frozenset(ended[one.item.person_id]),
                purpose=purposes.get(one.item.person_id),
                use=uses.get(one),
            )
            for one in asked
        }

    async def _uses(
        self,
        work: UnitOfWork,
        asked: Sequence[_Asked],
        stored: Mapping[PersonId, Person],
        skus: Mapping[ProductId, Sku],
        now: datetime,
    ) -> dict[_Asked, Use | None]:
        if not self._policy.judges_by_reports:
            return {}
        found: dict[_Asked, Use | None] = {}
        rules: dict[datetime | None, UseRules | None] = {}
        for one in asked:
            # What was approved by reports is judged by those that were read after the close, as sign-ins are.
            since = one.campaign.closing_at if one.item.rule is Rule.UNUSED else None
            if since not in rules:
                rules[since] = await use_rules(work, self._policy, now, since=since)
            person = stored.get(one.item.person_id)
            if person is not None:
                found[one] = await use_of(work, person, skus.get(one.item.product_id), rules[since])
        return found

    def _is_fresh(self, newest: SyncRun, campaign: Campaign) -> bool:
        after_close = campaign.closing_at is not None and newest.started_at >= campaign.closing_at
        return after_close and self._clock.now() - newest.started_at <= self._policy.activity_max_age

    async def _groups(self, person: LivePerson | None, item: ReviewItem) -> dict[GroupId, Group]:
        seats = person.seats if person else ()
        ids = {p.group_id for s in seats if s.product_id == item.product_id for p in s.paths if p.group_id}
        found: dict[GroupId, Group] = {}
        for group_id in sorted(ids):
            group = await self._directory.group(group_id)
            if group is not None:
                found[group_id] = group
        return found
