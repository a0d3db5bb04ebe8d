"""What somebody may see and do on a preview's page. Pure: who it is is asked before.

| | nobody | reads | writes |
|---|---|---|---|
| state and times | where pages are public | yes | yes |
| title, request, words, logs | no | yes | yes |
| verdict | no | yes | yes, and may hand it to the agent |
| two hours longer | no | where the settings say so | yes |
| start, stop, restart, reset | no | no | yes |
"""

from __future__ import annotations

from enum import Enum, auto

from previewbot.api.rights import Rights


class Standing(Enum):
    """What somebody is to a repository, by GitHub's answer to their own token."""

    NOBODY = auto()
    """Not signed in, or signed in without access: the two are told apart nowhere."""
    READS = auto()
    """May read the repository."""
    WRITES = auto()
    """May push to it."""


def rights_of(standing: Standing, *, pages_public: bool, readers_may_extend: bool) -> Rights:
    """Return the rights of somebody, as `pages` and `sign_in.readers_may_extend` of the settings say."""
    if standing is Standing.NOBODY:
        return Rights(state=pages_public)
    writes = standing is Standing.WRITES
    return Rights(
        state=True,
        words=True,
        verdict=True,
        hand_over=writes,
        extend=writes or readers_may_extend,
        control=writes,
    )
