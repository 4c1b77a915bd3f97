"""A certification campaign: its life, its scope, its guardrails."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reclaim.domain.calendar import local_day
from reclaim.domain.ids import CampaignId, PersonId, ProductId
from reclaim.errors import Conflict, GuardrailExceeded, InvalidRequest


class CampaignState(StrEnum):
    """DESIGN section 2: draft → opening → open → closing → applying ⇄ paused → closed; draft/opening/open → cancelled."""

    DRAFT = "draft"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    APPLYING = "applying"
    PAUSED = "paused"
    CLOSED = "closed"
    CANCELLED = "cancelled"


_NEXT: dict[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.OPENING, CampaignState.CANCELLED}),
    CampaignState.OPENING: frozenset({CampaignState.OPEN, CampaignState.CANCELLED}),
    CampaignState.OPEN: frozenset({CampaignState.CLOSING, CampaignState.CANCELLED}),
    CampaignState.CLOSING: frozenset({CampaignState.APPLYING}),
    CampaignState.APPLYING: frozenset({CampaignState.PAUSED, CampaignState.CLOSED}),
    CampaignState.PAUSED: frozenset({CampaignState.APPLYING, CampaignState.CLOSED}),
    CampaignState.CLOSED: frozenset({CampaignState.APPLYING}),
    CampaignState.CANCELLED: frozenset(),
}

RUNNING = frozenset(
    {CampaignState.OPENING, CampaignState.OPEN, CampaignState.CLOSING, CampaignState.APPLYING, CampaignState.PAUSED}
)


class Strategy(StrEnum):
    """How the reviewer of an item is found; whoever is not found goes to the fallback reviewer."""

    MANAGER = "manager"
    OWNER = "owner"  # the license owner of the SKU, a person or a group: `/reclaim owner`
    PERSON = "person"


class Silence(StrEnum):
    """What an item that nobody answered becomes. Silence never revokes unless the campaign says so (rule 3)."""

    KEEP = "keep"
    RECOMMENDATION = "recommendation"
    REMOVE = "remove"


class WriteMode(StrEnum):
    """Whether removals are really made; ordered by strictness through `stricter`."""

    DRY_RUN = "dry_run"
    LIVE = "live"


def stricter(one: WriteMode, other: WriteMode) -> WriteMode:
    """Return dry run if either is."""
    return WriteMode.LIVE if one is other is WriteMode.LIVE else WriteMode.DRY_RUN


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which idle seats become items; frozen with the campaign. Every field narrows; an empty one does not.

    Attributes:
        days: Window of the activity rules.
        product_ids: Of one of these products.
        rules: Values of `idle.Rule`, a union: `disabled` and `idle` means disabled accounts, whatever `days` says, and
            accounts without a sign-in for so many days.
        departments: Held by somebody of one of these departments, compared as `lookup.folded`.
        person_ids, seat_ids: Named: held by one of these people, or one of these seats.
    """

    days: int = 90
    product_ids: tuple[ProductId, ...] = ()
    rules: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    person_ids: tuple[PersonId, ...] = ()
    seat_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign as stored.

    Attributes:
        version: Compare-and-set column.
        due_at: The end of the local due day, as chosen at the start.
        closes_at: When it closes as things stand; earlier than `due_at` after "close early" or when all have answered.
        shown_close_at: The closing time last shown on cards; no write starts before it.
        mode: Fixed at opening: the stricter of the installation and the campaign's own setting.
        attempt: Number of the present closing/applying attempt; part of job keys.
        abandoned_by: Who closed it with seats left to remove, None if nobody did.
        extended_at: When its close was last moved later, None if never; reminders count from then.
        cancelled_by: Who cancelled it, with `cancel_reason`; None if nobody did.
    """

    id: CampaignId
    name: str
    state: CampaignState
    version: int
    owner_id: PersonId
    created_at: datetime
    zone: str
    due_at: datetime
    closes_at: datetime
    shown_close_at: datetime
    strategy: Strategy
    reviewer_id: PersonId | None
    fallback_id: PersonId | None
    silence: Silence
    scope: Scope
    mode: WriteMode
    attempt: int = 0
    opened_at: datetime | None = None
    closing_at: datetime | None = None
    closed_at: datetime | None = None
    pause_reason: str | None = None
    abandoned_by: PersonId | None = None
    extended_at: datetime | None = None
    cancelled_by: PersonId | None = None
    cancel_reason: str | None = None

    def to(self, state: CampaignState) -> "Campaign":
        """Return the campaign in the next state.

        Raises:
            Conflict: The life of a campaign has no such step.
        """
        if state not in _NEXT[self.state]:
            raise Conflict(f"{self.name} is {self.state.value} and cannot become {state.value}.")
        return replace(self, state=state, version=self.version + 1)

    def close_early(self, now: datetime, grace: timedelta) -> "Campaign":
        """Move the close to now + grace, or leave it where it is sooner.

        Raises:
            Conflict: The campaign is not open.
        """
        if self.state is not CampaignState.OPEN:
            raise Conflict(f"{self.name} is {self.state.value}; only an open campaign can close early.")
        at = min(self.closes_at, now + grace)
        return replace(self, closes_at=at, version=self.version + 1)

    def extend(self, due_at: datetime, now: datetime) -> "Campaign":
        """Move the close later; reminders count from now on.

        Raises:
            Conflict: The campaign is not open.
            InvalidRequest: The day is not later than the close as it stands or as a card shows it.
        """
        if self.state is not CampaignState.OPEN:
            raise Conflict(f"{self.name} is {self.state.value}; only an open campaign can be extended.")
        if due_at <= self.may_close_at:
            last = local_day(self.may_close_at - timedelta(seconds=1), self.zone)
            raise InvalidRequest(
                f"{self.name} is open until {last.day} {last:%b %Y} already. Please pick a later day.", field="until"
            )
        return replace(
            self, due_at=max(self.due_at, due_at), closes_at=due_at, extended_at=now, version=self.version + 1
        )

    def cancel(self, by: PersonId, now: datetime, reason: str | None) -> "Campaign":
        """End it before anything was decided for good: nothing is removed.

        Raises:
            Conflict: It is closing or later.
        """
        if CampaignState.CANCELLED not in _NEXT[self.state]:
            hint = (
                ""
                if self.state in (CampaignState.CLOSED, CampaignState.CANCELLED)
                else " /reclaim freeze stops every removal."
            )
            raise Conflict(f"{self.name} is {self.state.value} and can no longer be cancelled.{hint}")
        return replace(self.to(CampaignState.CANCELLED), closed_at=now, cancelled_by=by, cancel_reason=reason)

    def shown(self) -> "Campaign":
        """Say that every card now shows the present closing time."""
        return replace(self, shown_close_at=self.closes_at, version=self.version + 1)

    @property
    def may_close_at(self) -> datetime:
        """The instant from which it may close: never before the time last shown on a card."""
        return max(self.closes_at, self.shown_close_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Guardrails (rule 8). Shares count only for SKUs of which at least `share_from` seats are held."""

    soft_seats: int = 100
    soft_share: int = 40  # per cent
    hard_seats: int = 500
    hard_share: int = 60  # per cent
    hard_per_hour: int = 500
    share_from: int = 20

    def check(self, selected: int, by_product: dict[ProductId, tuple[str, int, int]], *, soft_confirmed: bool) -> None:
        """Refuse a selection that is too large.

        Args:
            selected: Seats in all.
            by_product: Product id → its name, seats selected, seats held.
            soft_confirmed: A second admin has confirmed; only hard limits are left.

        Raises:
            GuardrailExceeded: With the number selected and the limit, hard or soft.
        """
        self._refuse(selected, self.hard_seats, hard=True)
        self._refuse_shares(by_product, self.hard_share, hard=True)
        if not soft_confirmed:
            self._refuse(selected, self.soft_seats, hard=False)
            self._refuse_shares(by_product, self.soft_share, hard=False)

    def _refuse(self, selected: int, limit: int, *, hard: bool) -> None:
        if selected > limit:
            raise GuardrailExceeded(
                f"This campaign has {selected:,} seats. The limit is {limit:,}. Narrow the scope.",
                selected=selected,
                limit=limit,
                hard=hard,
            )

    def _refuse_shares(self, by_product: dict[ProductId, tuple[str, int, int]], share: int, *, hard: bool) -> None:
        for name, selected, held in by_product.values():
            limit = held * share // 100
            if held >= self.share_from and selected > limit:
                raise GuardrailExceeded(
                    f"This campaign has {selected:,} of {held:,} seats of {name}. The limit is {share} %, {limit:,} seats."
                    " Narrow the scope.",
                    selected=selected,
                    limit=limit,
                    population=held,
                    about=name,
                    hard=hard,
                )


NAME_LENGTH = 80
SHORTEST_WINDOW, LONGEST_WINDOW = 30, 730  # days


def check_draft(*, name: str, due_at: datetime, now: datetime, days: int) -> None:
    """Refuse a campaign that makes no sense.

    Raises:
        InvalidRequest: No name, a name of over 80 characters, a due date in the past, or a window out of 30 to 730 days.
    """
    if not name.strip():
        raise InvalidRequest("Please give the campaign a name.", field="name")
    if len(name) > NAME_LENGTH:
        raise InvalidRequest(f"The name has {len(name)} characters. Please use at most {NAME_LENGTH}.", field="name")
    if due_at <= now:
        raise InvalidRequest("The due date has passed. Please pick a later day.", field="until")
    if not SHORTEST_WINDOW <= days <= LONGEST_WINDOW:
        raise InvalidRequest(f"Please choose between {SHORTEST_WINDOW} and {LONGEST_WINDOW} days.", field="days")


def reminder_times(campaign: Campaign, before: timedelta) -> tuple[datetime, ...]:
    """Return when an open campaign reminds: half-way, and `before` the close; a window too short for both gets one.

    The window begins with the opening, or with the last extension. Times out of it are left out.
    """
    start = campaign.extended_at or campaign.opened_at
    if start is None:
        return ()
    half = start + (campaign.closes_at - start) / 2
    last = campaign.closes_at - before
    times = sorted({half, last}) if half < last else [half]
    return tuple(at for at in times if start < at < campaign.closes_at)
