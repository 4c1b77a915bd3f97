"""The groups of the practice tenant: who they are and why some of them cannot be written.

Sources: resources/groups-overview (kinds of groups), entra-docs identity/users/licensing-group-advanced (only
security-enabled groups hand out licenses, nested members get none), identity/role-based-access-control/
admin-units-restricted-management (applications may not write).
"""

from typing import NamedTuple

from rehearsal.app_groups import APP_GROUPS
from rehearsal.cases import GroupKey
from rehearsal.catalog import COPILOT, PHONE, POWER_BI, PROJECT, VISIO, Sku


class GroupSpec(NamedTuple):
    """One group as it never changes; who belongs to it is state of the directory.

    Attributes:
        key: Short name inside the practice tenant; its GUID derives from it.
        name: Display name.
        skus: The products that it hands out, if any.
        group_types: Graph's groupTypes.
        mail_enabled: It has a mail address. Unless Unified, only Exchange may change who belongs to it.
        security_enabled: It can be used for access and licensing.
        synced: It is mastered by an on-premises directory.
        role_assignable: It can hold directory roles.
        restricted: A restricted management unit protects it.
        membership_rule: The rule of a dynamic group.
        players: Named people who belong to it, besides those whose seat comes from it.
        nested: Keys of the groups inside it.
    """

    key: str
    name: str
    skus: tuple[Sku, ...] = ()
    group_types: tuple[str, ...] = ()
    mail_enabled: bool = False
    security_enabled: bool = True
    synced: bool = False
    role_assignable: bool = False
    restricted: bool = False
    membership_rule: str | None = None
    players: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()

    @property
    def dynamic(self) -> bool:
        """A rule decides who belongs to it."""
        return "DynamicMembership" in self.group_types

    @property
    def exchange_owned(self) -> bool:
        """Only Exchange may change who belongs to it."""
        return self.mail_enabled and "Unified" not in self.group_types


ADMINS = "reclaim-admins"
LICENSE_MANAGERS = "reclaim-license-managers"
AUDITORS = "reclaim-auditors"
VISIO_OWNERS = "visio-license-owners"
COPILOT_OWNERS = "copilot-license-owners"
_POWER_BI_INNER = "power-bi-nested-inner"

PRIVILEGED = "privileged"  # whoever is in it holds an admin role

GROUPS: tuple[GroupSpec, ...] = (
    GroupSpec(ADMINS, "Reclaim admins", players=("Allan Deyoung", "Patti Fernandez")),
    GroupSpec(LICENSE_MANAGERS, "Reclaim license managers", players=("Lynne Robbins",)),
    GroupSpec(AUDITORS, "Reclaim auditors", players=("Christie Cline",)),
    GroupSpec(VISIO_OWNERS, "Visio license owners", players=("Debra Berger", "Lynne Robbins", "Adele Vance")),
    GroupSpec(COPILOT_OWNERS, "Copilot license owners", players=("Megan Bowen", "Ben Walters")),
    GroupSpec(GroupKey.VISIO_USERS, "Visio Plan 2 users", (VISIO,)),
    GroupSpec(GroupKey.VISIO_DRAWING, "Visio drawing office", (VISIO,)),
    GroupSpec(GroupKey.VISIO_PILOT, "Visio Plan 2 pilot", (VISIO,)),
    GroupSpec(GroupKey.VISIO_SYNCED, "Visio Plan 2 (from Active Directory)", (VISIO,), synced=True),
    GroupSpec(GroupKey.PROJECT_USERS, "Project Plan 3 users", (PROJECT,)),
    GroupSpec(GroupKey.PROJECT_MAIL, "Project planners mail list", (PROJECT,), mail_enabled=True),
    GroupSpec(
        GroupKey.POWER_BI_DYNAMIC,
        "Power BI analysts (dynamic)",
        (POWER_BI,),
        group_types=("DynamicMembership",),
        membership_rule='(user.extensionAttribute1 -eq "PowerBI")',
    ),
    GroupSpec(GroupKey.POWER_BI_NESTED, "Power BI authors", (POWER_BI,), nested=(_POWER_BI_INNER,)),
    GroupSpec(_POWER_BI_INNER, "Power BI authors, Zurich", players=("Rosa Inderbitzin",)),
    GroupSpec(
        GroupKey.COPILOT_TEAM, "Copilot early adopters team", (COPILOT,), group_types=("Unified",), mail_enabled=True
    ),
    GroupSpec(GroupKey.COPILOT_PRIVILEGED, "Copilot administrators", (COPILOT,), role_assignable=True),
    GroupSpec(GroupKey.COPILOT_RESTRICTED, "Copilot for the board", (COPILOT,), restricted=True),
    GroupSpec(GroupKey.DESIGN_TOOLS, "Design tools", (VISIO, POWER_BI)),
    GroupSpec(GroupKey.PHONE_SYNCED, "Teams Phone (from Active Directory)", (PHONE,), synced=True),
    GroupSpec(
        PRIVILEGED,
        "Privileged role holders",
        role_assignable=True,
        players=("Allan Deyoung", "Emergency Access", "Quirin Ammann"),
    ),
    GroupSpec(
        "marketing-team",
        "Marketing team",
        group_types=("Unified",),
        mail_enabled=True,
        security_enabled=False,
        players=("Megan Bowen", "Isaiah Langer", "Diego Siciliani"),
    ),
    *(GroupSpec(app.key, app.group, players=app.players) for app in APP_GROUPS),
    GroupSpec("events", "Company events", players=("Megan Bowen",), nested=("events-zurich",)),
    GroupSpec("events-zurich", "Company events Zurich", players=("Joni Sherman", "Lee Gu")),
)
