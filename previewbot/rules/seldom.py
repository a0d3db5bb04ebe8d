"""Whether something may be said in the log again: who can make it happen must not fill the log with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum

from previewbot.config.server import Settings
from previewbot.rules.repositories import serves

APART = timedelta(hours=1)
"""How long nothing is said again of the same."""

MOST = 100
"""Of so many different ones of a kind in that time; of more nothing is said."""


class Kind(Enum):
    """What something is said of. Each kind has its own count, since others can make it happen."""

    STRANGER = "a repository of an account that `owners` does not name"
    REPOSITORY = "a repository that the settings' rules give nothing"
    NAMESPACE = "a namespace that the settings do not name any more"
    PLACE = "a place at GitHub in which an installation lets nothing be told"
    BEARERS = "bearers of programs that cannot be read"
    COOKIE_KEYS = "keys of cookies that cannot be read"
    PROXY = "what a proxy before the pages says of somebody, and what is not believed"
    GUARD = "what a gateway asks the guard that it cannot answer"
    SIGN_IN = "a sign-in that GitHub refuses previewbot itself"


def kind_of(settings: Settings, repository: str) -> Kind:
    """Return as what it is said of a repository that it gets nothing.

    Whoever can install the App has as many repositories as they like: these must not keep from the log which
    of one's own were forgotten.
    """
    return Kind.REPOSITORY if serves(settings, repository.split("/")[0]) else Kind.STRANGER


class Seldom:
    """What was said lately, by what it is about. It is in memory: a restart says it once more."""

    def __init__(self) -> None:
        self._said: dict[Kind, dict[str, datetime]] = {}

    def is_due(self, kind: Kind, about: str, now: datetime) -> bool:
        """Return whether it may be said of this now, and take it as said then."""
        said = {each: at for each, at in self._said.get(kind, {}).items() if now - at < APART}
        self._said[kind] = said
        if about in said or len(said) >= MOST:
            return False
        said[about] = now
        return True
