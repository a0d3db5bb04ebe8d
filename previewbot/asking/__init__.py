"""Asks from outside how a pull request's preview stands: GitHub with somebody's token, or previewbot's JSON.

`previewbot wait` and `previewbot mcp` are made of it. It needs aiohttp and pydantic alone, so that the Action
in `action/` installs nothing else.
"""

from previewbot.asking.access import Access, NoAccess, access_from
from previewbot.asking.facts import Facts, ServiceFacts
from previewbot.asking.source import Listing, Look, NoRepository, Source
from previewbot.asking.standing import Standing, State
from previewbot.asking.waiting import Patience, wait

__all__ = [
    "Access",
    "Facts",
    "Listing",
    "Look",
    "NoAccess",
    "NoRepository",
    "Patience",
    "ServiceFacts",
    "Source",
    "Standing",
    "State",
    "access_from",
    "wait",
]
