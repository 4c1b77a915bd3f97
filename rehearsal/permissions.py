"""Which application permission opens which request.

Source: microsoft-graph-devx-content permissions/new/permissions.json, application type. Every entry lists alternatives,
any one of which is enough. LicenseAssignment.ReadWrite.All deliberately does not open subscribedSkus.
"""

READ_USERS = frozenset({"User.Read.All", "Directory.Read.All"})
READ_SIGN_INS = frozenset({"AuditLog.Read.All"})
READ_LICENSES = frozenset({"LicenseAssignment.Read.All", "Organization.Read.All", "Directory.Read.All"})
WRITE_LICENSES = frozenset({"LicenseAssignment.ReadWrite.All"})
READ_GROUPS = frozenset({"Group.Read.All", "GroupMember.Read.All", "GroupMember.ReadWrite.All", "Directory.Read.All"})
READ_ELIGIBILITY = frozenset(
    {"RoleEligibilitySchedule.Read.Directory", "RoleManagement.Read.Directory", "RoleManagement.Read.All"}
)
READ_ROLES = frozenset({"RoleManagement.Read.Directory", "RoleManagement.Read.All", "Directory.Read.All"})
READ_REPORTS = frozenset({"Reports.Read.All"})
READ_REPORT_SETTINGS = frozenset({"ReportSettings.Read.All", "ReportSettings.ReadWrite.All"})
READ_MAILBOX_SETTINGS = frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"})
READ_DEVICES = frozenset({"DeviceManagementManagedDevices.Read.All", "DeviceManagementManagedDevices.ReadWrite.All"})
WRITE_MEMBERS = frozenset({"GroupMember.ReadWrite.All"})

GRANTED_AT_START = frozenset(
    {
        "User.Read.All",
        "AuditLog.Read.All",
        "LicenseAssignment.Read.All",
        "LicenseAssignment.ReadWrite.All",
        "Group.Read.All",
        "GroupMember.ReadWrite.All",
        "RoleManagement.Read.Directory",
        "Reports.Read.All",
        "ReportSettings.Read.All",
        "MailboxSettings.Read",
        "DeviceManagementManagedDevices.Read.All",
    }
)
