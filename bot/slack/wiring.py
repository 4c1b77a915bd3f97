"""From the settings of an installation to its Slack channel: what is missing is said before anything is served."""

import asyncio
import time
from contextlib import AsyncExitStack

import aiohttp
from pydantic import SecretStr

from bot.slack.channel import SlackChannel, SlackSettings, read_by_hand
from bot.slack.guard import check_configured
from bot.slack.installs import fernet
from reclaim.domain.ids import PersonId
from reclaim.ports.storage import Work
from reclaim.ports.system import Clock, Tokens
from reclaim.settings import Settings


class SlackWiring:
    """Makes the channel at the moment when the core is wired with its way out; without Slack it has no transport."""

    def __init__(
        self, settings: SlackSettings | None, *, clock: Clock, tokens: Tokens, http: aiohttp.ClientSession | None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._http = http

    def channel(self, work: Work) -> SlackChannel | None:
        """Return the channel, or None where the installation has no Slack."""
        if self._settings is None or self._http is None:
            return None
        return SlackChannel(
            self._settings,
            work=work,
            clock=self._clock,
            tokens=self._tokens,
            http=self._http,
            monotonic=time.monotonic,
        )


async def prepare(settings: Settings, clock: Clock, tokens: Tokens, closing: AsyncExitStack) -> SlackWiring:
    """Check what is set for Slack, and open the session for its Web API.

    Raises:
        ReclaimError: It is configured so that anybody could speak to the bot, or a key or list cannot be used.
    """
    given = (
        settings.slack_signing_secret,
        settings.slack_bot_token,
        settings.slack_app_token,
        settings.slack_client_id,
        settings.slack_client_secret,
    )
    if not any(given):
        return SlackWiring(None, clock=clock, tokens=tokens, http=None)
    client = bool(settings.slack_client_id and settings.slack_client_secret)
    check_configured(
        signing_secret=settings.slack_signing_secret is not None,
        app_token=settings.slack_app_token is not None,
        bot_token=settings.slack_bot_token is not None,
        client=client,
        token_key=settings.token_key is not None,
    )
    key = _text(settings.token_key)
    if key is not None:
        fernet(key)
    by_hand: dict[str, PersonId] = {}
    if path := settings.slack_people:
        by_hand = read_by_hand(await asyncio.to_thread(path.read_text, encoding="utf-8"), path.name)
    http = await closing.enter_async_context(aiohttp.ClientSession())
    slack = SlackSettings(
        api_url=settings.slack_api_url,
        signing_secret=_text(settings.slack_signing_secret),
        app_token=_text(settings.slack_app_token),
        bot_token=_text(settings.slack_bot_token),
        client_id=settings.slack_client_id,
        client_secret=_text(settings.slack_client_secret),
        token_key=key,
        by_hand=by_hand,
    )
    return SlackWiring(slack, clock=clock, tokens=tokens, http=http)


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None
