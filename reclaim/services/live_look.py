"""The live look just before a write: the person, the groups of the seat and, for small campaigns, the activity, read now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from reclaim.domain.campaign import Campaign
from reclaim.domain.directory import Group, LivePerson, MailboxPurpose, Seat, Sku
from reclaim.domain.exclusions import Exclusion, ExclusionId
from reclaim.domain.idle import Rule
from reclaim.domain.ids import GroupId, ItemId, ProductId
from reclaim.domain.policy import Policy
from reclaim.domain.review import ReviewItem
from reclaim.domain.workloads import Use
from reclaim.errors import DirectoryError
from reclaim.ports.directory import Directory
from reclaim.ports.storage import SyncRun, Work
from reclaim.ports.system import Clock
from reclaim.services.listing import in_groups, listed
from reclaim.services.settle import Later
from reclaim.services.usage_rules import use_of, use_rules

WAITS_FOR_SYNC = "waits_for_sync"


@dataclass(frozen=True, slots=True)
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


class LiveLook:
    """Reads what `domain.removal.look_again` judges."""

    def __init__(self, *, work: Work, clock: Clock, policy: Policy, directory: Directory) -> None:
        self._work = work
        self._clock = clock
        self._policy = policy
        self._directory = directory

    async def at(self, campaign: Campaign, item: ReviewItem) -> Look:
        """Look at one seat.

        Raises:
            Later: The directory failed, or the sign-in data is from before the close or too old (rule 5).
        """
        async with self._work.read() as work:
            skus = await work.catalog.skus()
            stored = await work.people.get(item.person_id)
            newest = await work.syncs.newest_complete()
            now = self._clock.now()
            exclusions = await work.exclusions.counting(now)
            days = max(campaign.scope.days, self._policy.idle_days)
            by_list = await listed(work, item.person_id, exclusions, days=days, now=now)
            approved = await work.orders.ordered_items(campaign.id, up_to=self._policy.live_reads + 1)
            theirs = await work.items.of_person(item.person_id)
            purpose = (await work.mailboxes.purposes([item.person_id])).get(item.person_id)
            # What was approved by reports is judged by those that were read after the close, as sign-ins are.
            since = campaign.closing_at if item.rule is Rule.UNUSED else None
            rules = await use_rules(work, self._policy, self._clock.now(), since=since)
            use = await use_of(work, stored, skus.get(item.product_id), rules) if stored else None
        ended = frozenset(one.id for one in theirs if one.outcome is not None)
        live_activity = approved <= self._policy.live_reads
        # The rule on disabled accounts reads no activity, so a tenant without sign-in data does not stop it (rule 1).
        needs_activity = item.rule is not Rule.DISABLED
        if item.rule is Rule.UNUSED and (newest is None or not self._is_fresh(newest, campaign)):
            raise Later(WAITS_FOR_SYNC)
        try:
            person = await self._directory.live_person(item.person_id, with_sign_ins=live_activity and needs_activity)
            groups = await self._groups(person, item)
        except DirectoryError as error:
            raise Later(f"directory:{error.status or 'unreachable'}", error.retry_after) from error
        by_list |= in_groups(person, exclusions)
        if live_activity or person is None or not needs_activity:
            return Look(ended, person, self._clock.now(), skus, groups, exclusions, by_list, use, purpose)
        if newest is None or not self._is_fresh(newest, campaign):
            raise Later(WAITS_FOR_SYNC)
        known = stored.sign_ins if stored and newest.sign_ins == "known" else None
        seen = replace(person, person=replace(person.person, sign_ins=known))
        return Look(ended, seen, newest.started_at, skus, groups, exclusions, by_list, use, purpose)

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
