"""What the page shows beside the chat: practice tenant, clock and cast. `app.py` implements the Protocols."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from reclaim.domain.ids import PersonId


class Group(StrEnum):
    """The heading under which a person stands in the list."""

    RUN = "run"
    REVIEW = "review"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """Someone whom the page can play.

    Attributes:
        id: Stands in the page's address (`#/as/allan`); the person's id where the cast gives no shorter one.
        line: Role or department: "Admin", "Marketing, 9 reports".
        greeting: The line beside the name above the chat, or None for the usual one.
    """

    id: str
    person_id: PersonId
    name: str
    line: str
    group: Group
    greeting: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCall:
    """One request to the practice tenant, for the live log. Never carries a person's name.

    Attributes:
        seq: Rises by one with every entry.
        path: As shown, ids shortened ("/users/6f1a…/manager").
        full: The same with whole ids, shown on hover and focus.
        status: HTTP status; None for a line in words.
        note: In words, under the call: "wait 3 s, then again".
    """

    seq: int
    method: str
    path: str
    status: int | None
    full: str = ""
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkuBar:
    """Recoverable spend of one SKU.

    Attributes:
        share: 0 to 1 of the dearest SKU; None draws it hatched (no price).
        amount: "$798"; unused where there is no price.
        unpriced: Idle seats without a price.
    """

    name: str
    share: float | None
    amount: str = ""
    unpriced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignNumbers:
    """The answers to the newest campaign.

    Attributes:
        state: One line in words: "52 of 86 answered", "Removing 23 of 58".
        phase: The campaign's status (`open`, `closing`, `applying`, `closed` ...); the guide follows it.
    """

    name: str
    revoke: int
    keep: int
    not_sure: int
    open: int
    state: str
    phase: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelNumbers:
    """The tenant as of now.

    Attributes:
        recoverable: A month, as shown: "$3,244".
        read: How old the data is: "read 06:00", "read just now".
    """

    idle: int
    held: int
    recoverable: str
    read: str
    skus: tuple[SkuBar, ...] = ()
    campaign: CampaignNumbers | None = None


class TenantWatch(Protocol):
    """Looks at the practice tenant without a request to Microsoft Graph of its own: looking must not fill the log."""

    async def calls(self, after: int) -> list[GraphCall]:
        """Return the log entries with a `seq` above `after`, oldest first; the newest few hundred are enough."""
        ...

    async def panel(self) -> PanelNumbers:
        """Return the numbers of the tenant panel."""
        ...


class PracticeClock(Protocol):
    """The calendar of the practice tenant: moves only when asked, and lives through every due instant in between."""

    def now(self) -> datetime:
        """Return the calendar time, aware UTC."""
        ...

    async def advance(self, by: timedelta) -> tuple[str, ...]:
        """Move on; return what happened, one sentence each ("7 reminders sent.")."""
        ...

    async def to_closing(self) -> tuple[str, ...]:
        """Move to the close of the next campaign to close; does not move if there is none, and says so."""
        ...
