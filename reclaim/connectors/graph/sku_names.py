"""Names of common products by part number, as Microsoft sells them; all others are shown by their part number.

Source: "Product names and service plan identifiers for licensing" (Microsoft Learn, entra/identity/users/
licensing-service-plan-reference), read 2026-07-29; Copilot and Teams Premium differ, because their names there are
outdated. A part number says less than a skuId, but it is what an admin knows.
"""

from collections.abc import Mapping

SKU_NAMES: Mapping[str, str] = {
    "AAD_PREMIUM": "Microsoft Entra ID P1",
    "AAD_PREMIUM_P2": "Microsoft Entra ID P2",
    "ATP_ENTERPRISE": "Microsoft Defender for Office 365 (Plan 1)",
    "DESKLESSPACK": "Office 365 F3",
    "DYN365_ENTERPRISE_CUSTOMER_SERVICE": "Dynamics 365 Customer Service Enterprise",
    "DYN365_ENTERPRISE_SALES": "Dynamics 365 Sales Enterprise",
    "DYN365_ENTERPRISE_TEAM_MEMBERS": "Dynamics 365 Team Members",
    "EMS": "Enterprise Mobility + Security E3",
    "EMSPREMIUM": "Enterprise Mobility + Security E5",
    "ENTERPRISEPACK": "Office 365 E3",
    "ENTERPRISEPREMIUM": "Office 365 E5",
    "EXCHANGEARCHIVE_ADDON": "Exchange Online Archiving",
    "EXCHANGEDESKLESS": "Exchange Online Kiosk",
    "EXCHANGEENTERPRISE": "Exchange Online (Plan 2)",
    "EXCHANGESTANDARD": "Exchange Online (Plan 1)",
    "FLOW_FREE": "Microsoft Power Automate Free",
    "FLOW_PER_USER": "Power Automate per user plan",
    "IDENTITY_THREAT_PROTECTION": "Microsoft 365 E5 Security",
    "INFORMATION_PROTECTION_COMPLIANCE": "Microsoft 365 E5 Compliance",
    "INTUNE_A": "Microsoft Intune Plan 1",
    "M365_F1": "Microsoft 365 F1",
    "M365_F1_COMM": "Microsoft 365 F1",
    "MCOEV": "Microsoft Teams Phone Standard",
    "MCOMEETADV": "Microsoft 365 Audio Conferencing",
    "Microsoft_365_Copilot": "Microsoft 365 Copilot",
    "Microsoft_365_E3_(no_Teams)": "Microsoft 365 E3 (no Teams)",
    "Microsoft_365_E5_(no_Teams)": "Microsoft 365 E5 (no Teams)",
    "Microsoft_Intune_Suite": "Microsoft Intune Suite",
    "Microsoft_Teams_Enterprise_New": "Microsoft Teams Enterprise",
    "Microsoft_Teams_Premium": "Microsoft Teams Premium",
    "Microsoft_Teams_Rooms_Basic": "Microsoft Teams Rooms Basic",
    "Microsoft_Teams_Rooms_Pro": "Microsoft Teams Rooms Pro",
    "O365_BUSINESS": "Microsoft 365 Apps for Business",
    "O365_BUSINESS_ESSENTIALS": "Microsoft 365 Business Basic",
    "O365_BUSINESS_PREMIUM": "Microsoft 365 Business Standard",
    "OFFICESUBSCRIPTION": "Microsoft 365 Apps for Enterprise",
    "Office_365_E3_(no_Teams)": "Office 365 E3 (no Teams)",
    "PBI_PREMIUM_PER_USER": "Power BI Premium Per User",
    "POWERAPPS_PER_USER": "Power Apps Premium",
    "POWERAUTOMATE_ATTENDED_RPA": "Power Automate Premium",
    "POWER_BI_PRO": "Power BI Pro",
    "POWER_BI_STANDARD": "Microsoft Fabric (Free)",
    "PROJECTPREMIUM": "Project Online Premium",
    "PROJECTPROFESSIONAL": "Planner and Project Plan 3",
    "PROJECT_P1": "Planner Plan 1",
    "SHAREPOINTENTERPRISE": "SharePoint Online (Plan 2)",
    "SHAREPOINTSTANDARD": "SharePoint Online (Plan 1)",
    "SPB": "Microsoft 365 Business Premium",
    "SPE_E3": "Microsoft 365 E3",
    "SPE_E5": "Microsoft 365 E5",
    "SPE_F1": "Microsoft 365 F3",
    "STANDARDPACK": "Office 365 E1",
    "THREAT_INTELLIGENCE": "Microsoft Defender for Office 365 (Plan 2)",
    "VISIOCLIENT": "Visio Plan 2",
    "VISIOONLINE_PLAN1": "Visio Plan 1",
    "WACONEDRIVESTANDARD": "OneDrive for Business (Plan 1)",
    "WIN10_PRO_ENT_SUB": "Windows 10/11 Enterprise E3",
    "WIN10_VDA_E3": "Windows 10/11 Enterprise E3",
    "WIN_DEF_ATP": "Microsoft Defender for Endpoint",
}


def product_name(part_number: str) -> str:
    """Return the name that Microsoft sells a product under, or the part number where it is not in the table."""
    return SKU_NAMES.get(part_number, part_number)
