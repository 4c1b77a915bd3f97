"""Usage from Nexthink, by a query that an admin has made there (Administration › NQL API queries).

`NexthinkUsage` is the way in. What belongs here: the form of Nexthink's requests and answers, and their errors.

    client    requests with the token of API credentials, repeats of what may pass
    results   the file of an export, piece by piece → records
    source    `ports.usage.UsageSource`: export or execute, and what a column of the query means

Sources: docs.nexthink.com/api, "Getting an authentication token", "Export an NQL", "Execute an NQL", "Status of an export".
"""

from reclaim.connectors.nexthink.client import NexthinkClient
from reclaim.connectors.nexthink.source import NexthinkUsage

__all__ = ["NexthinkClient", "NexthinkUsage"]
