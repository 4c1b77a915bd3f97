"""Who may do what. A role comes from the verified person's object id or group membership, never from a message."""

from dataclasses import dataclass
from enum import StrEnum

from reclaim.domain.ids import PersonId


class Role(StrEnum):
    """What a person is to Reclaim. Everyone is an employee; a reviewer is who holds an open item."""

    ADMIN = "admin"
    LICENSE_MANAGER = "license_manager"
    AUDITOR = "auditor"
    OPERATOR = "operator"  # somebody at the server's command line: as admin, less every confirmation, start and undo
    EMPLOYEE = "employee"


EVERYONE = frozenset(Role)
LOOK = frozenset({Role.ADMIN, Role.LICENSE_MANAGER, Role.AUDITOR, Role.OPERATOR})
RUN = frozenset({Role.ADMIN, Role.LICENSE_MANAGER, Role.OPERATOR})
RUN_AS_A_PERSON = frozenset({Role.ADMIN, Role.LICENSE_MANAGER})
ADMIN = frozenset({Role.ADMIN, Role.OPERATOR})
ADMIN_AS_A_PERSON = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, as the channel verified it: an Entra object id, or `operator:<os user>` on the command line.

    Attributes:
        roles: Looked up by us at the time of the request; always contains EMPLOYEE for people.
        channel: Where they acted: web, console, teams, slack.
    """

    id: PersonId
    channel: str
    roles: frozenset[Role] = frozenset({Role.EMPLOYEE})

    @property
    def is_person(self) -> bool:
        """Whether this is a person of the tenant and not the operator at the command line."""
        return Role.OPERATOR not in self.roles

    def may(self, allowed: frozenset[Role]) -> bool:
        """Whether one of the actor's roles is among `allowed`."""
        return bool(self.roles & allowed)
