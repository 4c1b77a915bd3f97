"""What the checkup asks of the world outside: harmless questions that show whether a permission or a service is there."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Permission(StrEnum):
    """The application permissions of Microsoft Graph that Reclaim uses; the least of each (Graph permissions reference)."""

    READ_PEOPLE = "User.Read.All"
    READ_SIGN_INS = "AuditLog.Read.All"
    READ_LICENSES = "LicenseAssignment.Read.All"
    READ_GROUPS = "GroupMember.Read.All"
    READ_ROLES = "RoleManagement.Read.Directory"  # may be missing: then nobody is known to hold an admin role
    READ_REPORTS = "Reports.Read.All"
    READ_REPORT_SETTINGS = "ReportSettings.Read.All"
    READ_MAILBOXES = "MailboxSettings.Read"
    READ_DEVICES = "DeviceManagementManagedDevices.Read.All"
    WRITE_LICENSES = "LicenseAssignment.ReadWrite.All"
    WRITE_MEMBERS = "GroupMember.ReadWrite.All"


WRITING = frozenset({Permission.WRITE_LICENSES, Permission.WRITE_MEMBERS})
# Reclaim does without these.
OPTIONAL = frozenset(
    {
        Permission.READ_ROLES,
        Permission.READ_REPORTS,
        Permission.READ_REPORT_SETTINGS,
        Permission.READ_MAILBOXES,
        Permission.READ_DEVICES,
    }
)


class TenantChecks(Protocol):
    """The customer's tenant, asked whether it lets us in."""

    @property
    def separate_writer(self) -> bool:
        """Whether another application writes than the one that reads."""
        ...

    async def token(self, *, writer: bool) -> None:
        """Get a new token of the application that reads, or of the one that writes.

        Raises:
            DirectoryError: There is none.
        """
        ...

    async def read(self, permission: Permission) -> datetime | None:
        """Read one row of what a reading permission opens; return Microsoft's time, or None if it did not say.

        Raises:
            DirectoryError: It was refused, or Graph did not answer. See also `sign_in_support`.
        """
        ...

    async def write_permissions(self, *, anew: bool) -> frozenset[Permission] | None:
        """Return which permissions to write the application has; None if its token does not tell.

        Nothing is written to find out.

        Args:
            anew: Ask for a new token: one that was given earlier does not know what was granted since.

        Raises:
            DirectoryError: There is no token.
        """
        ...

    async def may(self, permission: Permission) -> bool | None:
        """Return whether the application that reads has a permission; None if its token does not tell.

        Raises:
            DirectoryError: There is no token.
        """
        ...

    def consent_link(self, *, writer: bool) -> str:
        """Return the address at which an admin of the tenant grants an application what it was registered with."""
        ...


class ChannelCheck(Protocol):
    """A chat service, asked whether it takes us for who we are."""

    @property
    def channel(self) -> str:
        """Its name in our records: teams, slack, web."""
        ...

    async def check(self) -> None:
        """Make one harmless call.

        Raises:
            PortError: It does not accept our credentials, or did not answer.
        """
        ...


class SourceCheck(Protocol):
    """A usage source, asked whether it would answer."""

    async def check(self) -> None:
        """Make one harmless call.

        Raises:
            PortError: It refuses, with what to mend, or did not answer.
        """
        ...
