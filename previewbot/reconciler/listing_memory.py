"""What is remembered for the listing: which pull requests nothing asks for, and which are an agent's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from previewbot.reconciler.bounded import keep

_UNTRIGGERED_KEPT = 50_000
"""More than are open in a large organisation: asked about in a cycle, each of more would be gone when it is
asked about again."""

_CHANGED_KEPT = 20_000
_OF_AGENTS_KEPT = 10_000
_FOR_NOW = timedelta(hours=1)


class Untriggered:
    """Pull requests that nothing triggered, so that the listing does not ask about them again."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[int, int], tuple[datetime, str, datetime | None]] = OrderedDict()
        self._forgotten: OrderedDict[int, datetime] = OrderedDict()

    def remember(
        self,
        repository_id: int,
        number: int,
        updated_at: datetime,
        head_sha: str,
        read_at: datetime,
        *,
        for_now: bool = False,
    ) -> None:
        """Note that this state of a pull request, read at a moment of ours, triggers nothing.

        `for_now`: that counts for an hour. Its base branch may have a configuration of its own, whose changes
        no listing sees; or GitHub did not take all that was to be told.
        """
        # Read before the configuration was found changed: it says nothing of what the new one triggers.
        if read_at < self._forgotten.get(repository_id, read_at):
            return
        # GitHub changes `updated_at` with each comment, label and push, so exactly this state cannot begin to
        # trigger a preview; only another configuration could, and then `forget` is called.
        until = read_at + _FOR_NOW if for_now else None
        keep(self._seen, (repository_id, number), (updated_at, head_sha, until), _UNTRIGGERED_KEPT)

    def remembers(
        self, repository_id: int, number: int, updated_at: datetime, head_sha: str, now: datetime
    ) -> bool:
        """Return whether exactly this state was found to trigger nothing."""
        *state, until = self._seen.get((repository_id, number), (None, None, None))
        return state == [updated_at, head_sha] and (until is None or now < until)

    def keep_listed(self, listed: Mapping[int, Collection[int]]) -> None:
        """Forget pull requests that their repository, by its id, does not list any more."""
        gone = [key for key in self._seen if key[0] in listed and key[1] not in listed[key[0]]]
        for key in gone:
            del self._seen[key]

    def forget(self, repository_id: int, now: datetime) -> None:
        """Forget a repository's pull requests: its configuration changed."""
        keep(self._forgotten, repository_id, now, _CHANGED_KEPT)
        for key in [key for key in self._seen if key[0] == repository_id]:
            del self._seen[key]


class OfAgents:
    """Previews of which the listing found that they are an agent's, before any look could."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()

    def note(self, name: str) -> None:
        """Note what the listing recognised."""
        keep(self._names, name, None, _OF_AGENTS_KEPT)

    def __contains__(self, name: str) -> bool:
        """Return whether a Preview is known to be an agent's."""
        return name in self._names
