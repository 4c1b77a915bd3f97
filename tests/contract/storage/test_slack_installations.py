from dataclasses import replace
from datetime import UTC, datetime

from reclaim.ports.storage import SlackInstallation
from storage.unit_of_work import SqlWork

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
CONTOSO = SlackInstallation(
    id="T1", org_wide=False, bot_user="U0BOT", token="g" * 300, scopes="chat:write,commands", installed_at=AT
)


async def put(work: SqlWork, *found: SlackInstallation) -> None:
    async with work.write() as unit:
        for each in found:
            await unit.slack_installations.put(each)
        await unit.commit()


async def test_installations_come_back_whole_however_long_the_encrypted_token_is(work: SqlWork) -> None:
    org = replace(CONTOSO, id="E1", org_wide=True, token="h" * 2_000)
    await put(work, CONTOSO, org)
    async with work.read() as reading:
        assert await reading.slack_installations.all() == [org, CONTOSO]


async def test_installing_again_replaces_and_removing_leaves_the_others(work: SqlWork) -> None:
    again = replace(CONTOSO, token="new")
    await put(work, CONTOSO, replace(CONTOSO, id="T2"))
    await put(work, again)
    async with work.write() as unit:
        await unit.slack_installations.remove("T2")
        await unit.slack_installations.remove("T3")
        await unit.commit()
    async with work.read() as reading:
        assert await reading.slack_installations.all() == [again]
