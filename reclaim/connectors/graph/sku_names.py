"""Names of common products by part number, as Microsoft sells them.

Others are named by the operator's copy of Microsoft's table, where there is one, or else by their part number.

Source: "Product names and service plan identifiers for licensing" (Microsoft Learn, entra/identity/users/
licensing-service-plan-reference), read 2026-07-29; Copilot and Teams Premium differ, because their names there are
outdated. A part number says less than a skuId, but it is what an admin knows.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from reclaim.errors import InvalidRequest

SKU_NAMES: Mapping[str, str] = {
    "AAD_PREMIUM": "Microsoft Entra ID P1",
    "AAD_PREMIUM_P2": "Microsoft Entra ID P2",
    "ADALLOM_STANDALONE": "Microsoft Defender for Cloud Apps",
    "ATA": "Microsoft Defender for Identity",
    "ATP_ENTERPRISE": "Microsoft Defender for Office 365 (Plan 1)",
    "AX7_USER_TRIAL": "Microsoft Dynamics AX7 User Trial",
    "CCIBOTS_PRIVPREV_VIRAL": "Power Virtual Agents Viral Trial",
    "CPC_B_2C_4RAM_64GB": "Windows 365 Business 2 vCPU 4 GB 64 GB",
    "CPC_E_2C_4GB_64GB": "Windows 365 Enterprise 2 vCPU 4 GB 64 GB",
    "CPC_E_2C_8GB_128GB": "Windows 365 Enterprise 2 vCPU 8 GB 128 GB",
    "Clipchamp_Premium": "Clipchamp Premium",
    "D365_SALES_PRO": "Dynamics 365 Sales Professional",
    "DEFENDER_ENDPOINT_P1": "Microsoft Defender for Endpoint P1",
    "DESKLESSPACK": "Office 365 F3",
    "DEVELOPERPACK": "Office 365 E3 Developer",
    "DEVELOPERPACK_E5": "Microsoft 365 E5 Developer",
    "DYN365_AI_SERVICE_INSIGHTS": "Dynamics 365 Customer Service Insights Trial",
    "DYN365_BUSCENTRAL_ESSENTIAL": "Dynamics 365 Business Central Essentials",
    "DYN365_BUSCENTRAL_PREMIUM": "Dynamics 365 Business Central Premium",
    "DYN365_BUSCENTRAL_TEAM_MEMBER": "Dynamics 365 Business Central Team Members",
    "DYN365_CUSTOMER_INSIGHTS_ATTACH": "Dynamics 365 Customer Insights Attach",
    "DYN365_ENTERPRISE_CUSTOMER_SERVICE": "Dynamics 365 Customer Service Enterprise",
    "DYN365_ENTERPRISE_FIELD_SERVICE": "Dynamics 365 Field Service",
    "DYN365_ENTERPRISE_PLAN1": "Dynamics 365 Customer Engagement Plan",
    "DYN365_ENTERPRISE_SALES": "Dynamics 365 Sales Enterprise",
    "DYN365_ENTERPRISE_TEAM_MEMBERS": "Dynamics 365 Team Members",
    "DYN365_FINANCE": "Dynamics 365 Finance",
    "DYN365_SCM": "Dynamics 365 Supply Chain Management",
    "EMS": "Enterprise Mobility + Security E3",
    "EMSPREMIUM": "Enterprise Mobility + Security E5",
    "ENTERPRISEPACK": "Office 365 E3",
    "ENTERPRISEPACKPLUS_FACULTY": "Office 365 A3 for faculty",
    "ENTERPRISEPACKPLUS_STUDENT": "Office 365 A3 for students",
    "ENTERPRISEPACK_GOV": "Office 365 G3 GCC",
    "ENTERPRISEPREMIUM": "Office 365 E5",
    "ENTERPRISEPREMIUM_NOPSTNCONF": "Office 365 E5 without Audio Conferencing",
    "ENTERPRISEWITHSCAL": "Office 365 E4",
    "EQUIVIO_ANALYTICS": "Office 365 Advanced Compliance",
    "EXCHANGEARCHIVE_ADDON": "Exchange Online Archiving",
    "EXCHANGEDESKLESS": "Exchange Online Kiosk",
    "EXCHANGEENTERPRISE": "Exchange Online (Plan 2)",
    "EXCHANGESTANDARD": "Exchange Online (Plan 1)",
    "EXCHANGE_S_ESSENTIALS": "Exchange Online Essentials",
    "FLOW_FREE": "Microsoft Power Automate Free",
    "FLOW_PER_USER": "Power Automate per user plan",
    "FORMS_PRO": "Dynamics 365 Customer Voice Trial",
    "GUIDES_USER": "Dynamics 365 Guides",
    "IDENTITY_THREAT_PROTECTION": "Microsoft 365 E5 Security",
    "INFORMATION_PROTECTION_COMPLIANCE": "Microsoft 365 E5 Compliance",
    "INTUNE_A": "Microsoft Intune Plan 1",
    "INTUNE_SMB": "Microsoft Intune SMB",
    "M365EDU_A1": "Microsoft 365 A1",
    "M365EDU_A3_FACULTY": "Microsoft 365 A3 for faculty",
    "M365EDU_A3_STUDENT": "Microsoft 365 A3 for students",
    "M365EDU_A5_FACULTY": "Microsoft 365 A5 for faculty",
    "M365EDU_A5_STUDENT": "Microsoft 365 A5 for students",
    "M365_F1": "Microsoft 365 F1",
    "M365_F1_COMM": "Microsoft 365 F1",
    "M365_G3_GOV": "Microsoft 365 G3 GCC",
    "MCOCAP": "Microsoft Teams Shared Devices",
    "MCOEV": "Microsoft Teams Phone Standard",
    "MCOMEETADV": "Microsoft 365 Audio Conferencing",
    "MCOPSTN1": "Domestic Calling Plan",
    "MCOPSTN2": "Domestic and International Calling Plan",
    "MCOPSTNC": "Communications Credits",
    "MCOTEAMS_ESSENTIALS": "Teams Phone with Calling Plan",
    "MEETING_ROOM": "Microsoft Teams Rooms Standard",
    "MICROSOFT_BUSINESS_CENTER": "Microsoft Business Center",
    "MICROSOFT_REMOTE_ASSIST": "Dynamics 365 Remote Assist",
    "MTR_PREM": "Teams Rooms Premium",
    "Microsoft_365_Copilot": "Microsoft 365 Copilot",
    "Microsoft_365_E3_(no_Teams)": "Microsoft 365 E3 (no Teams)",
    "Microsoft_365_E5_(no_Teams)": "Microsoft 365 E5 (no Teams)",
    "Microsoft_Entra_ID_Governance": "Microsoft Entra ID Governance",
    "Microsoft_Intune_Suite": "Microsoft Intune Suite",
    "Microsoft_Teams_Enterprise_New": "Microsoft Teams Enterprise",
    "Microsoft_Teams_Premium": "Microsoft Teams Premium",
    "Microsoft_Teams_Rooms_Basic": "Microsoft Teams Rooms Basic",
    "Microsoft_Teams_Rooms_Pro": "Microsoft Teams Rooms Pro",
    "NONPROFIT_PORTAL": "Nonprofit Portal",
    "O365_BUSINESS": "Microsoft 365 Apps for Business",
    "O365_BUSINESS_ESSENTIALS": "Microsoft 365 Business Basic",
    "O365_BUSINESS_PREMIUM": "Microsoft 365 Business Standard",
    "OFFICE365_MULTIGEO": "Office 365 Multi-Geo Capabilities",
    "OFFICESUBSCRIPTION": "Microsoft 365 Apps for Enterprise",
    "Office_365_E1_(no_Teams)": "Office 365 E1 (no Teams)",
    "Office_365_E3_(no_Teams)": "Office 365 E3 (no Teams)",
    "PBI_PREMIUM_PER_USER": "Power BI Premium Per User",
    "PHONESYSTEM_VIRTUALUSER": "Microsoft Teams Phone Resource Account",
    "POWERAPPS_DEV": "Microsoft Power Apps for Developer",
    "POWERAPPS_PER_USER": "Power Apps Premium",
    "POWERAPPS_VIRAL": "Microsoft Power Apps Plan 2 Trial",
    "POWERAUTOMATE_ATTENDED_RPA": "Power Automate Premium",
    "POWER_BI_INDIVIDUAL_USER": "Power BI",
    "POWER_BI_PRO": "Power BI Pro",
    "POWER_BI_STANDARD": "Microsoft Fabric (Free)",
    "PROJECTCLIENT": "Project for Office 365",
    "PROJECTESSENTIALS": "Project Online Essentials",
    "PROJECTPREMIUM": "Project Online Premium",
    "PROJECTPROFESSIONAL": "Planner and Project Plan 3",
    "PROJECT_P1": "Planner Plan 1",
    "PROJECT_PLAN1_DEPT": "Project Plan 1 (self-service)",
    "PROJECT_PLAN3_DEPT": "Project Plan 3 (self-service)",
    "Power_Pages_vTrial_for_Makers": "Power Pages vTrial for Makers",
    "RIGHTSMANAGEMENT": "Azure Information Protection Plan 1",
    "RIGHTSMANAGEMENT_ADHOC": "Rights Management Adhoc",
    "SHAREPOINTENTERPRISE": "SharePoint Online (Plan 2)",
    "SHAREPOINTSTANDARD": "SharePoint Online (Plan 1)",
    "SMB_BUSINESS": "Microsoft 365 Apps for Business",
    "SMB_BUSINESS_ESSENTIALS": "Microsoft 365 Business Basic",
    "SPB": "Microsoft 365 Business Premium",
    "SPE_E3": "Microsoft 365 E3",
    "SPE_E3_RPA1": "Microsoft 365 E3 - Unattended License",
    "SPE_E5": "Microsoft 365 E5",
    "SPE_E5_NOPSTNCONF": "Microsoft 365 E5 without Audio Conferencing",
    "SPE_F1": "Microsoft 365 F3",
    "SPE_F5_COMP": "Microsoft 365 F5 Compliance",
    "SPE_F5_SEC": "Microsoft 365 F5 Security",
    "SPE_F5_SECCOMP": "Microsoft 365 F5 Security + Compliance",
    "STANDARDPACK": "Office 365 E1",
    "STANDARDWOFFPACK": "Office 365 E2",
    "STANDARDWOFFPACK_FACULTY": "Office 365 A1 for faculty",
    "STANDARDWOFFPACK_STUDENT": "Office 365 A1 for students",
    "STREAM": "Microsoft Stream",
    "TEAMS_EXPLORATORY": "Microsoft Teams Exploratory",
    "TEAMS_FREE": "Microsoft Teams (Free)",
    "THREAT_INTELLIGENCE": "Microsoft Defender for Office 365 (Plan 2)",
    "TOPIC_EXPERIENCES": "Viva Topics",
    "Teams_Ess": "Microsoft Teams Essentials",
    "VIRTUAL_AGENT_USL": "Power Virtual Agent User License",
    "VISIOCLIENT": "Visio Plan 2",
    "VISIOONLINE_PLAN1": "Visio Plan 1",
    "VISIO_PLAN1_DEPT": "Visio Plan 1 (self-service)",
    "VISIO_PLAN2_DEPT": "Visio Plan 2 (self-service)",
    "VIVA": "Microsoft Viva Suite",
    "Viva_Goals_User_led": "Viva Goals User-led",
    "WACONEDRIVEENTERPRISE": "OneDrive for Business (Plan 2)",
    "WACONEDRIVESTANDARD": "OneDrive for Business (Plan 1)",
    "WIN10_PRO_ENT_SUB": "Windows 10/11 Enterprise E3",
    "WIN10_VDA_E3": "Windows 10/11 Enterprise E3",
    "WIN10_VDA_E5": "Windows 10/11 Enterprise E5",
    "WINDOWS_STORE": "Windows Store for Business",
    "WIN_DEF_ATP": "Microsoft Defender for Endpoint",
    "WORKPLACE_ANALYTICS": "Microsoft Workplace Analytics",
}

_SETTING = "RECLAIM_SKU_NAMES"
_NAME, _PART_NUMBER, _ID = "Product_Display_Name", "String_Id", "GUID"
_LONGEST = 200


class SkuNames:
    """Names products; `more` is the operator's table, by skuId in lower case and by part number."""

    def __init__(self, more: Mapping[str, str] | None = None) -> None:
        self._more = more or {}

    def name_of(self, sku_id: str, part_number: str) -> str:
        """Return the name that Microsoft sells a product under, or its part number where nobody knows one."""
        own = SKU_NAMES.get(part_number)
        return own or self._more.get(sku_id.lower()) or self._more.get(part_number) or part_number


def read_sku_names(file: Path) -> SkuNames:
    """Read a copy of "Product names and service plan identifiers for licensing" (a CSV; one row per service plan).

    Raises:
        InvalidRequest: It is no UTF-8 text, misses a column, or a row of it is torn; with the line.
    """
    found: dict[str, str] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            if missing := {_NAME, _PART_NUMBER, _ID} - set(rows.fieldnames or ()):
                raise _unusable(f"has no column {', '.join(sorted(missing))}")
            for row in rows:
                name, part_number, sku_id = ((row[column] or "").strip() for column in (_NAME, _PART_NUMBER, _ID))
                if not (name and part_number and sku_id) or len(name) > _LONGEST:
                    raise _unusable(f"has no product name, part number or GUID in line {rows.line_num}")
                found |= {sku_id.lower(): name, part_number: name}
    except UnicodeDecodeError as error:
        raise _unusable("is no UTF-8 text; save it as CSV UTF-8") from error
    except csv.Error as error:
        raise _unusable(f"cannot be read in line {rows.line_num}: {error}") from error
    return SkuNames(found)


def _unusable(why: str) -> InvalidRequest:
    return InvalidRequest(
        f"The file of {_SETTING} {why}. It must be Microsoft's CSV of product names, unchanged.", field=_SETTING
    )
