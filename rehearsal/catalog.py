"""The products of the practice tenant: real SKU and service plan ids, so that names resolve as in a real tenant.

Ids and names are facts from Microsoft's "Product names and service plan identifiers for licensing" table. The two
suites list only the plans that tell them apart or carry data; the add-ons list all of theirs. PROJECTPROFESSIONAL
really contains SHAREPOINTENTERPRISE, so it can be somebody's only SharePoint carrier, while EXCHANGE_S_FOUNDATION is a
stub in many add-ons and carries no mailbox.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class ServicePlan(NamedTuple):
    """One service inside a product."""

    plan_id: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Sku:
    """One product that can be assigned to people; each exists once and equals only itself."""

    sku_id: str
    part_number: str
    plans: tuple[ServicePlan, ...]
    applies_to: str = "User"

    @property
    def assignable(self) -> bool:
        """People can have it; what is bought for the whole company cannot be given to anybody."""
        return self.applies_to == "User"

    def plan_ids(self, *names: str) -> tuple[str, ...]:
        """Return the ids of the named plans, in the order of the product."""
        return tuple(plan.plan_id for plan in self.plans if plan.name in names)


_PLAN_IDS = {
    "AAD_PREMIUM": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
    "AAD_PREMIUM_P2": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
    "ATP_ENTERPRISE": "f20fedf3-f3c3-43c3-8267-2bfdd51c0939",
    "BI_AZURE_P0": "2049e525-b859-401b-b2a0-e0a31c4b1fe4",
    "BI_AZURE_P2": "70d33638-9c74-4d01-bfd3-562de28bd4ba",
    "DYN365_CDS_PROJECT": "50554c47-71d9-49fd-bc54-42a2765c555c",
    "DYN365_CDS_VIRAL": "17ab22cd-a0b3-4536-910a-cb6eb12696c0",
    "EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "EXCHANGE_S_FOUNDATION": "113feb6c-3fe4-4440-bddc-54d774bf0318",
    "FLOW_FOR_PROJECT": "fa200448-008c-4acb-abd4-ea106ed2199d",
    "FLOW_O365_P2": "76846ad7-7776-4c40-a281-a386362dd1b9",
    "FLOW_O365_P3": "07699545-9485-468e-95b6-2fca3738be01",
    "FLOW_P2_VIRAL": "50e68c76-46c6-4674-81f9-75456511b170",
    "FLOW_P2_VIRAL_REAL": "d20bfa21-e9ae-43fc-93c2-20783f0840c3",
    "FORMS_PLAN_E3": "2789c901-c14e-48ab-a76a-be334d9d793a",
    "FORMS_PLAN_E5": "e212cbc7-0961-4c40-9825-01117710dcb1",
    "GRAPH_CONNECTORS_COPILOT": "82d30987-df9b-4486-b146-198b21d164c7",
    "INTUNE_A": "c1ec4a95-1f05-45b3-a911-aa3fa01094f5",
    "M365_COPILOT_APPS": "a62f8878-de10-42f3-b68f-6149a25ceb97",
    "M365_COPILOT_BUSINESS_CHAT": "3f30311c-6b1e-48a4-ab79-725b469da960",
    "M365_COPILOT_CONNECTORS": "89f1c4c8-0878-40f7-804d-869c9128ab5d",
    "M365_COPILOT_INTELLIGENT_SEARCH": "931e4a88-a67f-48b5-814f-16a5f1e6028d",
    "M365_COPILOT_TEAMS": "b95945de-b3bd-46db-8437-f2beb6ea2347",
    "MCOEV": "4828c8ec-dc2e-4779-b502-87ac9ce28ab7",
    "MCOMEETADV": "3e26ee1f-8a5f-4d52-aee2-b81ce45c8f40",
    "MCOSTANDARD": "0feaeb32-d00e-4d66-bd5a-43b5b83db82c",
    "MCO_VIRTUAL_APPT": "711413d0-b36e-4cd4-93db-0a50a4ab7ea3",
    "MICROSOFT_ECDN": "85704d55-2e73-47ee-93b4-4b8ea14db92b",
    "OFFICESUBSCRIPTION": "43de0ff5-c92c-492b-9116-175376d08c38",
    "ONEDRIVE_BASIC": "da792a53-cbc0-4184-a10d-e544dd34b3c1",
    "POWERAPPS_P2_VIRAL": "d5368ca3-357e-4acb-9c21-8495fb025d1f",
    "PROJECTWORKMANAGEMENT": "b737dad2-2f6c-4c65-90e3-ca563267e8b9",
    "PROJECT_CLIENT_SUBSCRIPTION": "fafd7243-e5c1-4a3a-9e40-495efcb1d3c3",
    "PROJECT_PROFESSIONAL": "818523f5-016b-4355-9be8-ed6944946ea7",
    "PURVIEW_DISCOVERY": "c948ea65-2053-4a5a-8a62-9eaaaf11b522",
    "RMS_S_ENTERPRISE": "bea4c11e-220a-4e6d-8eb8-8ea15d019f90",
    "SHAREPOINTENTERPRISE": "5dbe027f-2339-4123-9542-606e4d348a72",
    "SHAREPOINTSTORAGE": "be5a7ed5-c598-4fcd-a061-5e6724c68a58",
    "SHAREPOINTWAC": "e95bec33-7c88-4a70-8e19-b10bd9d0c014",
    "SHAREPOINT_PROJECT": "fe71d6c3-a2ea-4499-9778-da042bf08063",
    "TEAMS1": "57ff2da0-773e-42df-b2af-ffb7a2317929",
    "TEAMSPRO_CUST": "cc8c0802-a325-43df-8cba-995d0c6cb373",
    "TEAMSPRO_MGMT": "0504111f-feb8-4a3c-992a-70280f9a2869",
    "TEAMSPRO_PROTECTION": "f8b44f54-18bb-46a3-9658-44ab58712968",
    "TEAMSPRO_VIRTUALAPPT": "9104f592-f2a7-4f77-904c-ca5a5715883f",
    "TEAMSPRO_WEBINAR": "78b58230-ec7e-4309-913c-93a45cc4735b",
    "THREAT_INTELLIGENCE": "8e0c0a52-6a6c-4d40-8370-dd62790dcd70",
    "VISIOONLINE": "2bdbaf8f-738f-4ac7-9234-3c3ee2ce7d0f",
    "VISIO_CLIENT_SUBSCRIPTION": "663a804f-1c30-4ff0-9915-9db84f0d1cea",
    "WHITEBOARD_PLAN3": "4a51bca5-1eff-43f5-878c-177680f191af",
    "WIN10_PRO_ENT_SUB": "21b439ba-a0ca-424f-a6cc-52f954a5b111",
    "WINDEFATP": "871d91ec-ec1a-452b-a83f-bd76c7d770ef",
    "YAMMER_ENTERPRISE": "7547a3fe-08ee-4ccb-b430-5077c5041653",
}


# Service plans that work only beside another one (entra-docs identity/users/licensing-groups-resolve-problems, "dependent
# service plans"): Teams Phone and Audio Conferencing need Skype for Business Online.
PLAN_NEEDS: dict[str, str] = {
    _PLAN_IDS["MCOEV"]: _PLAN_IDS["MCOSTANDARD"],
    _PLAN_IDS["MCOMEETADV"]: _PLAN_IDS["MCOSTANDARD"],
}


def _sku(sku_id: str, part_number: str, *plan_names: str, applies_to: str = "User") -> Sku:
    return Sku(sku_id, part_number, tuple(ServicePlan(_PLAN_IDS[name], name) for name in plan_names), applies_to)


E5 = _sku(
    "06ebc4ee-1bb5-47dd-8120-11324bc54e06",
    "SPE_E5",
    "EXCHANGE_S_ENTERPRISE",
    "SHAREPOINTENTERPRISE",
    "SHAREPOINTWAC",
    "TEAMS1",
    "OFFICESUBSCRIPTION",
    "MCOSTANDARD",
    "MCOMEETADV",
    "AAD_PREMIUM",
    "AAD_PREMIUM_P2",
    "INTUNE_A",
    "RMS_S_ENTERPRISE",
    "BI_AZURE_P2",
    "WINDEFATP",
    "ATP_ENTERPRISE",
    "THREAT_INTELLIGENCE",
    "FORMS_PLAN_E5",
    "FLOW_O365_P3",
    "PROJECTWORKMANAGEMENT",
    "WIN10_PRO_ENT_SUB",
    "YAMMER_ENTERPRISE",
)
E3 = _sku(
    "05e9a617-0261-4cee-bb44-138d3ef5d965",
    "SPE_E3",
    "EXCHANGE_S_ENTERPRISE",
    "SHAREPOINTENTERPRISE",
    "SHAREPOINTWAC",
    "TEAMS1",
    "OFFICESUBSCRIPTION",
    "MCOSTANDARD",
    "AAD_PREMIUM",
    "INTUNE_A",
    "RMS_S_ENTERPRISE",
    "FORMS_PLAN_E3",
    "FLOW_O365_P2",
    "PROJECTWORKMANAGEMENT",
    "WIN10_PRO_ENT_SUB",
    "YAMMER_ENTERPRISE",
)
COPILOT = _sku(
    "639dec6b-bb19-468b-871c-c5c441c4b0cb",
    "Microsoft_365_Copilot",
    "GRAPH_CONNECTORS_COPILOT",
    "M365_COPILOT_APPS",
    "M365_COPILOT_BUSINESS_CHAT",
    "M365_COPILOT_CONNECTORS",
    "M365_COPILOT_INTELLIGENT_SEARCH",
    "M365_COPILOT_TEAMS",
)
PROJECT = _sku(
    "53818b1b-4a27-454b-8896-0dba576410e6",
    "PROJECTPROFESSIONAL",
    "DYN365_CDS_PROJECT",
    "EXCHANGE_S_FOUNDATION",
    "FLOW_FOR_PROJECT",
    "PROJECT_CLIENT_SUBSCRIPTION",
    "PROJECT_PROFESSIONAL",
    "SHAREPOINTENTERPRISE",
    "SHAREPOINTWAC",
    "SHAREPOINT_PROJECT",
)
VISIO = _sku(
    "c5928f49-12ba-48f7-ada3-0d743a3601d5",
    "VISIOCLIENT",
    "EXCHANGE_S_FOUNDATION",
    "ONEDRIVE_BASIC",
    "VISIOONLINE",
    "VISIO_CLIENT_SUBSCRIPTION",
)
POWER_BI = _sku(
    "f8a1db68-be16-40ed-86d5-cb42ce701560",
    "POWER_BI_PRO",
    "BI_AZURE_P2",
    "EXCHANGE_S_FOUNDATION",
)
TEAMS_PREMIUM = _sku(
    "36a0f3b3-adb5-49ea-bf66-762134cf063a",
    "Microsoft_Teams_Premium",
    "MCO_VIRTUAL_APPT",
    "MICROSOFT_ECDN",
    "TEAMSPRO_CUST",
    "TEAMSPRO_MGMT",
    "TEAMSPRO_PROTECTION",
    "TEAMSPRO_VIRTUALAPPT",
    "TEAMSPRO_WEBINAR",
)

EXCHANGE = _sku("19ec0d23-8335-4cbd-94ac-6050e30712fa", "EXCHANGEENTERPRISE", "EXCHANGE_S_ENTERPRISE")
SKYPE = _sku("d42c793f-6c78-4f43-92ca-e8f6a02b035f", "MCOSTANDARD", "MCOSTANDARD")
PHONE = _sku("e43b5b99-8dfb-405f-9987-dc307f34bcbd", "MCOEV", "MCOEV")
ROOMS = _sku(
    "4cde982a-ede4-4409-9ae6-b003453c8ea6",
    "Microsoft_Teams_Rooms_Pro",
    "AAD_PREMIUM",
    "INTUNE_A",
    "MCOEV",
    "MCOMEETADV",
    "MCOSTANDARD",
    "TEAMS1",
    "WHITEBOARD_PLAN3",
)
FLOW_FREE = _sku(
    "f30db892-07e9-47e9-837c-80727f46fd3d", "FLOW_FREE", "DYN365_CDS_VIRAL", "EXCHANGE_S_FOUNDATION", "FLOW_P2_VIRAL"
)
FABRIC_FREE = _sku(
    "a403ebcc-fae0-4ca2-8c8c-7a907fd6c235",
    "POWER_BI_STANDARD",
    "BI_AZURE_P0",
    "EXCHANGE_S_FOUNDATION",
    "PURVIEW_DISCOVERY",
)
POWER_APPS_TRIAL = _sku(
    "dcb1a3ae-b33f-4487-846a-a640262fadf4",
    "POWERAPPS_VIRAL",
    "DYN365_CDS_VIRAL",
    "EXCHANGE_S_FOUNDATION",
    "FLOW_P2_VIRAL",
    "FLOW_P2_VIRAL_REAL",
    "POWERAPPS_P2_VIRAL",
)
EXTRA_STORAGE = _sku(
    "99049c9c-6011-4908-bf17-15f496e6519d", "SHAREPOINTSTORAGE", "SHAREPOINTSTORAGE", applies_to="Company"
)

SKUS: tuple[Sku, ...] = (
    E5,
    E3,
    COPILOT,
    PROJECT,
    VISIO,
    POWER_BI,
    TEAMS_PREMIUM,
    EXCHANGE,
    SKYPE,
    PHONE,
    ROOMS,
    FLOW_FREE,
    FABRIC_FREE,
    POWER_APPS_TRIAL,
    EXTRA_STORAGE,
)
SKUS_BY_ID: dict[str, Sku] = {sku.sku_id: sku for sku in SKUS}


def by_id(skus: Iterable[Sku]) -> list[Sku]:
    """Return products in the order of their ids, so that answers repeat."""
    return sorted(skus, key=lambda sku: sku.sku_id)
