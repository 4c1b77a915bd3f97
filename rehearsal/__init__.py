"""The practice tenant: a seeded, stateful Microsoft Graph over TLS on loopback.

It lets anybody rehearse the whole job on made-up people, and keeps the real connector honest in tests. It shares no
code with the product, so that a common mistake cannot cancel out: what it imitates, it takes from Microsoft's
documentation, and each module names the pages. What belongs here: how Graph behaves, and who lives in the tenant. What
does not: any rule on which seat is idle; the labels in `cases` say what the generator meant.
"""

from rehearsal.server import PracticeTenant

__all__ = ["PracticeTenant"]
