"""The people with fixed names and parts, the same under every seed.

The names are the fictional ones of Microsoft's demo tenants. The three reviewers lead teams that show every kind of
seat, so that a rehearsal meets each of them in the first minutes. A person's place in `CAST` is the person's number.
"""

from enum import StrEnum
from typing import NamedTuple

from rehearsal.cases import (
    PROJECT_DESKTOP_ONLY,
    TWO_SUITES,
    Case,
    GroupKey,
    Recipe,
    held,
    in_use,
    protected,
    removable,
    through,
)
from rehearsal.catalog import COPILOT, E3, E5, POWER_BI, PROJECT, TEAMS_PREMIUM, VISIO


class Role(StrEnum):
    """What somebody of the cast plays in the browser chat."""

    ADMIN = "admin"
    LICENSE_MANAGER = "license_manager"
    AUDITOR = "auditor"
    REVIEWER = "reviewer"
    HOLDER = "holder"


STAGE_GROUPS: dict[Role, str] = {
    Role.ADMIN: "run",
    Role.LICENSE_MANAGER: "run",
    Role.AUDITOR: "run",
    Role.REVIEWER: "review",
    Role.HOLDER: "hold",
}


class Player(NamedTuple):
    """Somebody of the cast.

    Attributes:
        name: Given name and surname.
        department: Where they work.
        job: Their job title.
        manager: Name of their manager; None for the head of the company.
        case: What kind of person they are.
        seats: What they hold.
        last_seen_days: How many days before the start they signed in last; None if never or unknown.
        role: Their part in the browser chat; None if they only appear in lists.
    """

    name: str
    department: str
    job: str
    manager: str | None
    case: Case
    seats: Recipe
    last_seen_days: int | None
    role: Role | None = None

    @property
    def alias(self) -> str:
        """The first part of the user principal name: AdeleV for Adele Vance."""
        given, surname = self.name.split(" ", 1)
        return given + surname[0]


HEAD = "Irvin Sayers"
_MEGAN, _BEN, _DEBRA = "Megan Bowen", "Ben Walters", "Debra Berger"

CAST: tuple[Player, ...] = (
    Player(HEAD, "Executive", "Chief Executive", None, Case.ACTIVE, in_use(E5, COPILOT), 1),
    Player("Allan Deyoung", "IT", "IT Admin", HEAD, Case.ACTIVE, in_use(E5, COPILOT), 0, Role.ADMIN),
    Player("Patti Fernandez", "IT", "IT Director", HEAD, Case.ACTIVE, in_use(E5, POWER_BI), 0, Role.ADMIN),
    Player("Lynne Robbins", "Operations", "License Manager", _DEBRA, Case.ACTIVE, in_use(E3), 0, Role.LICENSE_MANAGER),
    Player("Christie Cline", "Operations", "Auditor", _DEBRA, Case.ACTIVE, in_use(E3, POWER_BI), 2, Role.AUDITOR),
    Player(_MEGAN, "Marketing", "Marketing Manager", HEAD, Case.ACTIVE, in_use(E5, COPILOT), 0, Role.REVIEWER),
    Player(_BEN, "Sales", "Sales Manager", HEAD, Case.ACTIVE, in_use(E5, COPILOT), 0, Role.REVIEWER),
    Player(_DEBRA, "Operations", "Operations Manager", HEAD, Case.ACTIVE, in_use(E5, PROJECT), 1, Role.REVIEWER),
    Player("Adele Vance", "Retail", "Store Planner", _DEBRA, Case.IDLE_DIRECT, removable(VISIO), 97, Role.HOLDER),
    Player(
        "Isaiah Langer", "Marketing", "Web Marketer", _MEGAN, Case.IDLE_DIRECT, removable(COPILOT), 134, Role.HOLDER
    ),
    Player("Lee Gu", "Marketing", "Brand Director", _MEGAN, Case.NEVER_SIGNED_IN, PROJECT_DESKTOP_ONLY, None),
    Player("Diego Siciliani", "Marketing", "Content Editor", _MEGAN, Case.IDLE_DIRECT, removable(COPILOT), 112),
    Player("Joni Sherman", "Marketing", "Copywriter", _MEGAN, Case.IDLE_DIRECT, removable(VISIO), 122),
    Player(
        "Lidia Holloway",
        "Marketing",
        "Product Manager",
        _MEGAN,
        Case.GROUP_SEAT,
        through(VISIO, GroupKey.VISIO_USERS),
        114,
    ),
    Player("Alex Wilber", "Marketing", "Marketing Assistant", _MEGAN, Case.DISABLED, removable(POWER_BI), 144),
    Player("Henrietta Mueller", "Marketing", "Web Developer", _MEGAN, Case.IDLE_DIRECT, removable(POWER_BI), 106),
    Player("Grady Archie", "Marketing", "Designer", _MEGAN, Case.IDLE_MAILBOX, held(E5), 141),
    Player("Nestor Wilke", "Marketing", "Event Planner", _MEGAN, Case.IDLE_DIRECT, removable(TEAMS_PREMIUM), 93),
    Player("Miriam Graham", "Sales", "Account Director", _BEN, Case.ACTIVE, in_use(E3, POWER_BI), 0),
    Player("Pradeep Gupta", "Sales", "Sales Accountant", _BEN, Case.IDLE_DIRECT, removable(COPILOT), 128),
    Player("Emily Braun", "Sales", "Sales Analyst", _BEN, Case.IDLE_MAILBOX, held(E3) + removable(VISIO), 119),
    Player(
        "Enrico Cattaneo",
        "Sales",
        "Sales Counsel",
        _BEN,
        Case.GROUP_SEAT,
        held(E3) + through(PROJECT, GroupKey.PROJECT_USERS),
        155,
    ),
    Player(
        "Johanna Lorenz",
        "Sales",
        "Sales Engineer",
        _BEN,
        Case.DYNAMIC_GROUP_SEAT,
        protected(POWER_BI, GroupKey.POWER_BI_DYNAMIC),
        102,
    ),
    Player("Raul Razo", "Sales", "Account Manager", _BEN, Case.TWO_SUITES, TWO_SUITES, 163),
    Player("Bianca Pisani", "Sales", "Sales Trainee", _BEN, Case.NEW_STARTER, in_use(E3, COPILOT), None),
    Player("Cameron White", "Operations", "Planner", _DEBRA, Case.NO_DATA, in_use(E3, PROJECT), None),
    Player("Delia Dennis", "Operations", "Logistics Lead", _DEBRA, Case.IDLE_DIRECT, removable(COPILOT), 187),
    Player("Gerhart Moller", "Operations", "Supply Analyst", _DEBRA, Case.DISABLED, removable(VISIO), 210),
    Player(
        "Mario Rogers",
        "Operations",
        "Facility Lead",
        _DEBRA,
        Case.SYNCED_GROUP_SEAT,
        protected(VISIO, GroupKey.VISIO_SYNCED),
        133,
    ),
    Player("Sarah Perez", "Operations", "Buyer", _DEBRA, Case.IDLE_DIRECT, removable(POWER_BI), 99),
)
