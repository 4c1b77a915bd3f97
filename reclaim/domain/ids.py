"""Opaque string ids, typed so that one cannot stand in for another.

Ids of people, SKUs and groups are Microsoft's GUIDs in lower case; all others are made by `reclaim.ports.system.Tokens`.
"""

from typing import NewType

TenantId = NewType("TenantId", str)
PersonId = NewType("PersonId", str)
ProductId = NewType("ProductId", str)  # for a SKU: its skuId
GroupId = NewType("GroupId", str)
SeatId = NewType("SeatId", str)  # see seat_id()
RunId = NewType("RunId", str)
CampaignId = NewType("CampaignId", str)
ItemId = NewType("ItemId", str)
BatchId = NewType("BatchId", str)  # the answers of one click
OrderId = NewType("OrderId", str)
StepId = NewType("StepId", str)
RestoreId = NewType("RestoreId", str)
ProgramId = NewType("ProgramId", str)  # a consent program
ConsentRunId = NewType("ConsentRunId", str)
ConsentId = NewType("ConsentId", str)  # a consent request
ChangeId = NewType("ChangeId", str)  # a change of a group's members
EventId = NewType("EventId", str)
MessageId = NewType("MessageId", str)

AssigneeId = PersonId | GroupId  # who has a seat to answer: Microsoft's ids are unique over both


def application_id(group: GroupId) -> ProductId:
    """Return the product of a group that opens an application and gives no SKU."""
    return ProductId(f"app-{group}")


def seat_id(person: PersonId, product: ProductId) -> SeatId:
    """Return the id of the one seat that `person` can hold of `product`, however many paths give it."""
    return SeatId(f"{person}:{product}")
