"""One question, shown in one place: who answers it elsewhere sees the live message follow.

A person may have a list in their chat and answer it from a copy, from the Home tab or in another chat. The live message,
which stands where it was delivered, is then drawn anew.
"""

from collections.abc import Sequence

import structlog

from bot.inbound import Action
from bot.services import ReadWave
from reclaim.domain.campaign import CampaignState
from reclaim.domain.ids import CampaignId, ItemId
from reclaim.domain.notices import WaveNotice, wave_matter
from reclaim.errors import ReclaimError
from reclaim.ports.chat import Messenger
from reclaim.ports.storage import SentTo, Work
from reclaim.together import Together

_READS_ONLY = frozenset({"wave.open", "wave.show", "wave.delegate", "item.open", "item.delegate", "item.why"})

log = structlog.get_logger(__name__)


class LiveMessages:
    """Redraws live messages after answers that were given elsewhere."""

    def __init__(self, *, work: Work, waves: ReadWave, messenger: Messenger) -> None:
        self._work = work
        self._waves = waves
        self._messenger = messenger
        self._live = Together(self._which_are_live)

    async def answered(self, action: Action) -> None:
        """Redraw the live message that a click concerns, unless it is the one that was clicked; failures are logged."""
        thing = action.verb.partition(".")[0]
        if thing not in ("wave", "item", "batch") or action.verb in _READS_ONLY:
            return
        try:
            here = action.message_id
            # Nearly every click is on the live message itself, so this is asked first.
            if here is not None and await self._live.ask((action.person_id, action.channel, here)):
                return
            await self._redraw(action, thing)
        except ReclaimError as error:
            # Its buttons answer with the present state, so an old drawing does no harm.
            log.warning("a live message could not follow an answer", error=error.code)

    async def _which_are_live(self, asked: Sequence[SentTo]) -> dict[SentTo, bool | Exception]:
        async with self._work.read() as reading:
            live = await reading.messages.live_ones(asked)
        return {one: one in live for one in asked}

    async def _redraw(self, action: Action, thing: str) -> None:
        if thing == "item":
            campaign = (await self._waves.item(ItemId(action.ref), action.person_id)).item.campaign_id
        else:
            campaign = CampaignId(action.ref.partition(":")[0])
        async with self._work.read() as reading:
            live = await reading.messages.live(action.person_id, wave_matter(campaign))
        if live is None or live.external_id is None:
            return
        wave = await self._waves.wave(campaign, action.person_id)
        if wave is not None and wave.campaign_state is CampaignState.OPEN:
            await self._messenger.deliver(action.person_id, WaveNotice(wave=wave))
