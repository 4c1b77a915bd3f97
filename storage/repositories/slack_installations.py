"""Workspaces of Slack in which the app is installed."""

from dataclasses import asdict

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reclaim.ports.storage import SlackInstallation
from storage.tables import slack_installations
from storage.upsert import upsert


class SqlSlackInstallations:
    """`ports.storage.SlackInstallations` on one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[SlackInstallation]:
        rows = await self._connection.execute(select(slack_installations).order_by(slack_installations.c.id))
        return [SlackInstallation(**row) for row in rows.mappings()]

    async def put(self, installation: SlackInstallation) -> None:
        await upsert(self._connection, slack_installations, [asdict(installation)])

    async def remove(self, ref: str) -> None:
        await self._connection.execute(delete(slack_installations).where(slack_installations.c.id == ref))
