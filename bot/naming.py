"""What the words of a command name: a campaign, a person, or both."""

from bot.handling import Call
from reclaim.domain.campaign import Campaign
from reclaim.errors import InvalidRequest, NotFound


async def campaign_and_person(call: Call) -> tuple[Campaign, str | None]:
    """Return the campaign and the person that the words name.

    One word or quoted text is a campaign where one is called so, else a person in the newest campaign that runs.

    Raises:
        NotFound: There is no such campaign.
        InvalidRequest: More words than a campaign and a person.
    """
    words, find = call.arguments.words, call.services.read_status.find
    if not words:
        return await find(None), None
    if len(words) > 2:
        raise InvalidRequest('Please put names of several words in quotation marks, like "Megan Bowen".')
    try:
        campaign = await find(words[0])
    except NotFound:
        return await find(None), " ".join(words)
    return campaign, words[1] if len(words) == 2 else None
