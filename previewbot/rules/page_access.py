"""What somebody may see and do on a preview's page. Pure: who it is is asked before.

| | nobody | reads | writes | by proxy |
|---|---|---|---|---|
| state and times | where pages are public | yes | yes | yes |
| title, request, words, logs | no | yes | yes | where the settings say so |
| verdict | no | yes | yes, and may hand it to the agent | no |
| two hours longer | no | where the settings say so | yes | no |
| start, stop, restart, reset | no | no | yes | no |
| the preview itself, where a guard is before it | no | yes | yes | yes |
"""

from __future__ import annotations

from enum import Enum, auto

from previewbot.api.rights import Rights


class Standing(Enum):
    """What somebody is to a repository, by GitHub's answer to their own token, or by the settings."""

    NOBODY = auto()
    """Not signed in, or signed in without access: the two are told apart nowhere."""
    READS = auto()
    """May read the repository."""
    WRITES = auto()
    """May push to it."""
    BY_PROXY = auto()
    """Let in by the proxy before the pages, for which the settings name the repository; GitHub does not know
    them."""


def rights_of(
    standing: Standing, *, pages_public: bool, readers_may_extend: bool = False, words_by_proxy: bool = False
) -> Rights:
    """Return the rights of somebody, as the settings say: `pages`, `sign_in.readers_may_extend` and
    `proxy.sees`."""
    if standing is Standing.NOBODY:
        return Rights(state=pages_public)
    if standing is Standing.BY_PROXY:
        return Rights(state=True, words=words_by_proxy, opens=True)
    writes = standing is Standing.WRITES
    return Rights(
        state=True,
        words=True,
        verdict=True,
        hand_over=writes,
        extend=writes or readers_may_extend,
        control=writes,
        opens=True,
    )
