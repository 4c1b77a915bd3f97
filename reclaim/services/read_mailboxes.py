"""Ask what kind of mailbox somebody has before their seat is put to anybody: a shared one signs in nowhere, and is used.

Asked of people with an idle seat that carries a mailbox, the longest quiet first, so many after a sync; what is known is
asked again after a month. Without the permission nothing is asked and nothing is held for it.
"""

from datetime import timedelta
from http import HTTPStatus

import structlog

from reclaim.domain.directory import MailboxPurpose
from reclaim.domain.ids import PersonId, RunId
from reclaim.domain.removal import gives_mailbox
from reclaim.errors import DirectoryError
from reclaim.ports.directory import Directory
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock

MOST = 1_000  # people after one sync: about two minutes
PART = 100  # answers in one transaction
GOOD_FOR = timedelta(days=30)

_log = structlog.get_logger(__name__)


class ReadMailboxes:
    """Called after a scan."""

    def __init__(self, *, work: Work, clock: Clock, directory: Directory, most: int = MOST) -> None:
        self._work = work
        self._clock = clock
        self._directory = directory
        self._most = most

    async def after_sync(self, run: RunId) -> None:
        """Ask about the next people. An error ends this round: what was read is kept, and the next sync goes on."""
        async with self._work.read() as reading:
            skus = await reading.catalog.skus()
            products = sorted(sku.id for sku in skus.values() if gives_mailbox(sku))
            before = self._clock.now() - GOOD_FOR
            people = await reading.mailboxes.to_ask(products, before=before, limit=self._most)
        found: dict[PersonId, MailboxPurpose] = {}
        try:
            for person in people:
                found[person] = await self._directory.mailbox_purpose(person)
                if len(found) == PART:
                    await self._keep(found)
                    found = {}
        except DirectoryError as error:
            refused = error.status == HTTPStatus.FORBIDDEN
            _log.info("mailboxes not asked about", run=run, refused=refused, code=error.code)
        await self._keep(found)

    async def _keep(self, found: dict[PersonId, MailboxPurpose]) -> None:
        if found:
            async with self._work.write() as unit:
                await unit.mailboxes.put(found, at=self._clock.now())
                await unit.commit()
