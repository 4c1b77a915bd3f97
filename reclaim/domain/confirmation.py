"""A campaign over the soft limit needs a second admin (rule 8): who may confirm, what exactly, and for how long."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reclaim.domain.ids import PersonId, RunId
from reclaim.domain.roles import ADMIN_AS_A_PERSON, Actor
from reclaim.errors import Conflict, NotAuthorized

VALID_FOR = timedelta(days=3)  # over a weekend; then somebody looks at a fresh preview


class LaunchState(StrEnum):
    """Where a request stands. All but `asked` are its end."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    CHANGED = "changed"  # newer data or another form: what was asked for is no longer what would start
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchRequest:
    """One request to confirm one draft, as it stood.

    Attributes:
        draft_ref: The draft, and the campaign that it becomes.
        run_id: The sync run that its seats were judged by.
        seats_sha256: Of exactly its seats; draft_sha256: of all that the form says.
        items, limit: The number asked about, and the limit that it exceeds.
        asked: The admins who were asked.
    """

    id: str
    draft_ref: str
    by: PersonId
    at: datetime
    expires_at: datetime
    run_id: RunId
    seats_sha256: str
    draft_sha256: str
    items: int
    limit: int
    asked: tuple[PersonId, ...]
    state: LaunchState = LaunchState.ASKED
    settled_by: PersonId | None = None
    settled_at: datetime | None = None

    def to(self, state: LaunchState, *, by: PersonId | None, at: datetime) -> "LaunchRequest":
        """Return the request at its end.

        Raises:
            Conflict: It has ended already.
        """
        if self.state is not LaunchState.ASKED:
            raise Conflict("This request was settled in the meantime.")
        return replace(self, state=state, settled_by=by, settled_at=at)

    def check_answer(self, actor: Actor) -> None:
        """Let only another admin answer, in person.

        Raises:
            NotAuthorized: The actor asked, is no admin, or sits at the command line.
        """
        if not actor.is_person or not actor.may(ADMIN_AS_A_PERSON):
            raise NotAuthorized("This needs the role Admin, in person.")
        if actor.id == self.by:
            raise NotAuthorized("You asked for this campaign, so another admin confirms.")

    def is_for(self, *, seats_sha256: str, draft_sha256: str) -> bool:
        """Whether exactly this was asked for."""
        return self.seats_sha256 == seats_sha256 and self.draft_sha256 == draft_sha256


def expires_at(asked_at: datetime, due_at: datetime) -> datetime:
    """Return when a request lapses: never after the day by which reviewers are to answer."""
    return min(asked_at + VALID_FOR, due_at)
