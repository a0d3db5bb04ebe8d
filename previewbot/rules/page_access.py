"""What somebody may see and do on a preview's page. Pure: who it is is asked before.

| | nobody | reads | writes | by proxy |
|---|---|---|---|---|
| state and times | where pages are public | yes | yes | yes |
| title, request, words, logs | no | yes | yes | where the settings say so |
| verdict | no | yes | yes, and may hand it to the agent | quoted, unless the settings say no |
| two hours longer | no | where the settings say so | yes | where the settings say so |
| start, stop, restart, reset | no | no | yes | no |
| the preview itself, where a guard is before it | no | yes | yes | yes |
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class ByProxyMay:
    """What is open to people who come by a proxy, as the settings say: `proxy.sees`, `may_say`,
    `may_extend`."""

    words: bool = False
    say: bool = False
    extend: bool = False


_LOOK = ByProxyMay()


def rights_of(
    standing: Standing, *, pages_public: bool, readers_may_extend: bool = False, by_proxy: ByProxyMay = _LOOK
) -> Rights:
    """Return the rights of somebody, as the settings say: `pages`, `sign_in.readers_may_extend`, `proxy`."""
    if standing is Standing.NOBODY:
        return Rights(state=pages_public)
    if standing is Standing.BY_PROXY:
        return Rights(
            state=True,
            words=by_proxy.words,
            verdict=by_proxy.say,
            extend=by_proxy.extend,
            opens=True,
        )
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
