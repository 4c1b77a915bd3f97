"""The named accounts on which a reclaim tool goes wrong: at least one for every case.

They follow the cast. Most report to the IT director, so that whoever plays her, or the scripted run, meets them all.
"""

from rehearsal.cases import (
    ENABLED_AGAIN,
    GONE,
    LICENSE_ERRORS,
    PROJECT_DESKTOP_ONLY,
    USED_AGAIN,
    Case,
    GroupKey,
    Recipe,
    changing,
    dependent,
    free,
    held,
    in_trouble,
    in_use,
    left_out,
    office_group,
    protected,
    refused,
    removable,
    through,
)
from rehearsal.cast import CAST, Player
from rehearsal.catalog import (
    COPILOT,
    E3,
    E5,
    EXCHANGE,
    FABRIC_FREE,
    FLOW_FREE,
    PHONE,
    POWER_APPS_TRIAL,
    POWER_BI,
    PROJECT,
    ROOMS,
    SKYPE,
    VISIO,
)

_PATTI = "Patti Fernandez"
_GUEST, _ON_LEAVE, _OWN, _LOOP_A, _LOOP_B = (
    "Olivia Ferrari",
    "Tobias Frei",
    "Ottilie Sulzer",
    "Hanne Lund",
    "Stig Lund",
)


def _trap(
    name: str, case: Case, seats: Recipe, seen: int | None, job: str = "Specialist", manager: str | None = _PATTI
) -> Player:
    return Player(name, "IT", job, manager, case, seats, seen)


_ERROR_NAMES = ("Anke", "Bruno", "Carla", "Dario", "Edda", "Flavio")


def _license_errors() -> tuple[Player, ...]:
    """Return two people for every error word: one without the seat, one who has it all the same."""
    found: list[Player] = []
    for given, error in zip(_ERROR_NAMES, LICENSE_ERRORS, strict=True):
        group = GroupKey.VISIO_USERS if error == "CountViolation" else None
        found.append(_trap(f"{given} Errico", Case.ERROR_STATE, in_trouble(VISIO, "Error", error, group), 140))
        found.append(
            _trap(f"{given} Warner", Case.ACTIVE_WITH_ERROR, in_trouble(COPILOT, "ActiveWithError", error), 150)
        )
    return tuple(found)


TRAPS: tuple[Player, ...] = (
    # Absent, or no people at all.
    _trap(_ON_LEAVE, Case.ON_LEAVE_DISABLED, removable(COPILOT), 96),
    _trap("Nina Keller", Case.ON_LEAVE, removable(VISIO), 131),
    _trap("Backup Service", Case.SERVICE_ACCOUNT, removable(POWER_BI), 220, "Service account"),
    _trap("Emergency Access", Case.BREAK_GLASS, left_out(*held(E5)), 380, "Break-glass account"),
    _trap("Quirin Ammann", Case.PRIVILEGED, left_out(*PROJECT_DESKTOP_ONLY), 118, "Privileged role holder"),
    _trap("Directory Synchronization", Case.SYNC_ACCOUNT, in_use(FABRIC_FREE), 190, "Service account"),
    _trap("Test Seven", Case.TEST_ACCOUNT, removable(VISIO), 301, "Test account"),
    _trap("Matterhorn Room", Case.ROOM_DEVICE, in_use(ROOMS), 200, "Teams Rooms device"),
    _trap("Jungfrau Room", Case.ROOM_MAILBOX, held(EXCHANGE), None, "Room mailbox"),
    _trap("Info Desk", Case.SHARED_MAILBOX, held(EXCHANGE), None, "Shared mailbox"),
    _trap(_GUEST, Case.GUEST, removable(POWER_BI), 143, "Consultant"),
    # Sign-ins that mislead, and facts beside them.
    _trap("Carlos Grilo", Case.PASSWORD_SPRAY, in_use(COPILOT), 210),
    _trap("Bastian Vogel", Case.BACKGROUND_ONLY, in_use(VISIO), 250),
    _trap("Selma Hartmann", Case.SUCCESS_ONLY, removable(VISIO), 151),
    _trap("Frida Neumann", Case.FRESH_ASSIGNMENT, in_use(COPILOT), 125),
    _trap("Nora Lindgren", Case.NO_USAGE_LOCATION, removable(POWER_BI), 133),
    _trap("Rita Sperber", Case.RESTRICTED_PERSON, refused(POWER_BI), 127),
    # Ways to a seat.
    _trap("Dorothea Ziegler", Case.DIRECT_AND_GROUP, through(VISIO, None, GroupKey.VISIO_USERS), 137),
    _trap("Zeno Pfister", Case.TWO_GROUPS, through(VISIO, GroupKey.VISIO_USERS, GroupKey.VISIO_DRAWING), 138),
    _trap(
        "Halina Nowicka",
        Case.ONE_OF_TWO_GROUPS_PROTECTED,
        protected(VISIO, GroupKey.VISIO_USERS, GroupKey.VISIO_SYNCED),
        139,
    ),
    _trap(
        "Mara Villiger",
        Case.MULTI_SKU_GROUP,
        protected(VISIO, GroupKey.DESIGN_TOOLS) + protected(POWER_BI, GroupKey.DESIGN_TOOLS),
        141,
    ),
    _trap("Dina Regli", Case.DYNAMIC_GROUP_SEAT, protected(POWER_BI, GroupKey.POWER_BI_DYNAMIC), 116),
    _trap("Sina Lorenzen", Case.SYNCED_GROUP_SEAT, protected(VISIO, GroupKey.VISIO_SYNCED), 117),
    _trap("Maila Korhonen", Case.MAIL_GROUP_SEAT, held(E3) + protected(PROJECT, GroupKey.PROJECT_MAIL), 118),
    _trap("Uma Osei", Case.OFFICE_GROUP_SEAT, office_group(COPILOT, GroupKey.COPILOT_TEAM), 119),
    _trap("Roland Ammer", Case.ROLE_GROUP_SEAT, protected(COPILOT, GroupKey.COPILOT_PRIVILEGED), 120),
    _trap("Nesta Aubry", Case.NESTED_GROUP_SEAT, protected(POWER_BI, GroupKey.POWER_BI_NESTED), 121),
    _trap("Rosa Inderbitzin", Case.INNER_GROUP_MEMBER, removable(VISIO), 122),
    _trap("Bertha Ravn", Case.RESTRICTED_GROUP_SEAT, protected(COPILOT, GroupKey.COPILOT_RESTRICTED), 123),
    # Licenses in trouble, and licenses that hang together.
    *_license_errors(),
    _trap("Dieter Stolz", Case.DISABLED_STATE, in_trouble(VISIO, "Disabled"), 142),
    _trap("Neo Zuber", Case.UNKNOWN_STATE, in_trouble(VISIO, "PendingReview"), 144),
    _trap("Tilda Ruf", Case.DEPENDENT_PLANS, dependent(SKYPE) + removable(PHONE), 145),
    _trap("Ruben Ringier", Case.DEPENDENT_STAYS, refused(SKYPE) + protected(PHONE, GroupKey.PHONE_SYNCED), 146),
    _trap("Frank Graf", Case.FREE_SKU, free(FLOW_FREE), 147),
    _trap("Vera Probst", Case.VIRAL_SKU, free(POWER_APPS_TRIAL), 148),
    # Managers.
    _trap("Kim Exner", Case.CONTACT_MANAGER, removable(POWER_BI), 149, manager=None),
    _trap("Gaby Gasser", Case.GUEST_MANAGER, removable(POWER_BI), 152, manager=_GUEST),
    _trap("Lena Lehner", Case.DISABLED_MANAGER, removable(COPILOT), 153, manager=_ON_LEAVE),
    _trap(_OWN, Case.OWN_MANAGER, removable(COPILOT), 154, manager=_OWN),
    _trap(_LOOP_A, Case.MANAGER_LOOP, removable(POWER_BI), 155, manager=_LOOP_B),
    _trap(_LOOP_B, Case.MANAGER_LOOP, removable(VISIO), 156, manager=_LOOP_A),
    # What changes while a campaign runs.
    _trap("Rica Wiedmer", Case.RETURNS, changing(COPILOT, USED_AGAIN), 157),
    _trap("Ingrid Dahl", Case.BACK_FROM_LEAVE, changing(POWER_BI, ENABLED_AGAIN), 158),
    _trap("Gregor Neuer", Case.REGRANTED, changing(COPILOT, USED_AGAIN), 159),
    _trap("Grit Doppler", Case.GRANTED_BY_GROUP_TOO, changing(VISIO, USED_AGAIN), 160),
    _trap("Moritz Wechsler", Case.MOVED_TO_GROUP, changing(VISIO, USED_AGAIN), 161),
    _trap("Dela Gruber", Case.GROUP_DELETED, changing(VISIO, USED_AGAIN, GroupKey.VISIO_PILOT), 162),
    _trap("Tanja Frey", Case.TAKEN_BY_OTHERS, changing(POWER_BI, GONE), 163),
    _trap("Leon Forster", Case.LEAVES, changing(COPILOT, GONE), 164),
)

NAMED: tuple[Player, ...] = (*CAST, *TRAPS)
NUMBERS: dict[str, int] = {player.name: number for number, player in enumerate(NAMED)}
ALIASES: dict[str, int] = {player.alias.lower(): number for number, player in enumerate(NAMED)}


def reports_of(name: str, count: int) -> int:
    """Return how many of the first `count` people report to this person."""
    return sum(player.manager == name for player in NAMED[:count])
