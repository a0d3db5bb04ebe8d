"""What was seen of builds and tags lately; losing it costs a question more, and no preview."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from previewbot.api.ci import Runs
from previewbot.reconciler.bounded import keep
from previewbot.rules.builds import narrowed
from previewbot.rules.tags import Alike

RUNS_HOLD = timedelta(seconds=55)
"""How long what runs for a commit counts, unless GitHub tells of something new."""

SAME_LOOK = timedelta(seconds=5)
"""How long ago what runs was asked in this very pass, whose services look for their images in turn."""

TAGS_HOLD = timedelta(minutes=15)
"""How long a list of tags counts, and how long none is asked for that was refused."""

_BUILDERS_KEPT = 5_000


@dataclass(frozen=True)
class _Seen:
    head_sha: str
    at: datetime | None
    runs: Runs


class BuildsSeen:
    """Per Preview the runs of its head, per service its tags, and which workflows built a service before."""

    def __init__(self) -> None:
        self._runs: dict[str, _Seen] = {}
        self._tags: dict[tuple[str, str], tuple[str, datetime, Alike]] = {}
        self._builders: OrderedDict[tuple[int, str], tuple[str, ...]] = OrderedDict()

    def note_runs(self, name: str, head_sha: str, runs: Runs, now: datetime) -> None:
        """Note what runs for the head of a Preview."""
        self._runs[name] = _Seen(head_sha, now, runs)

    def runs(self, name: str, head_sha: str) -> Runs | None:
        """Return what ran for the head when that was asked last, while its image was not there."""
        seen = self._runs.get(name)
        return seen.runs if seen and seen.head_sha == head_sha else None

    def runs_now(self, name: str, head_sha: str, now: datetime) -> Runs | None:
        """Return what runs for the head if that was asked in this pass."""
        return self._within(name, head_sha, now, SAME_LOOK)

    def runs_lately(self, name: str, head_sha: str, now: datetime) -> Runs | None:
        """Return what runs for the head if that was asked lately, and nobody told of anything since.

        A build whose end nobody tells of holds up no preview: its image is looked for by itself.
        """
        return self._within(name, head_sha, now, RUNS_HOLD)

    def _within(self, name: str, head_sha: str, now: datetime, holds: timedelta) -> Runs | None:
        seen = self._runs.get(name)
        return self.runs(name, head_sha) if seen and seen.at and now - seen.at < holds else None

    def ask_anew(self, name: str) -> None:
        """Let the next look ask what runs: something happened, perhaps the build's end."""
        if name in self._runs:
            self._runs[name] = replace(self._runs[name], at=None)

    def note_tags(self, name: str, service: str, reference: str, tags: Alike, now: datetime) -> None:
        """Note which tags there are, or that they cannot be listed."""
        self._tags[name, service] = reference, now, tags

    def tags(self, name: str, service: str, reference: str, now: datetime) -> Alike | None:
        """Return the tags that were seen while this reference was looked for; None if it is time to ask."""
        of, at, tags = self._tags.get((name, service), ("", now, None))
        return tags if of == reference and now - at < TAGS_HOLD else None

    def note_builders(self, repository_id: int, service: str, paths: tuple[str, ...]) -> None:
        """Note which workflows may have built an image: this outlives the pull request, until a restart."""
        before = self._builders.get((repository_id, service), ())
        # Where they have nothing in common the build has moved to another workflow: what is newer counts.
        both = tuple(sorted(narrowed((before, paths)))) or paths
        keep(self._builders, (repository_id, service), both, _BUILDERS_KEPT)

    def builders(self, repository_id: int, service: str) -> tuple[str, ...]:
        """Return which workflows may have built a service's images."""
        return self._builders.get((repository_id, service), ())

    def forget(self, name: str) -> None:
        """Forget a Preview that is gone."""
        self._runs.pop(name, None)
        for key in [key for key in self._tags if key[0] == name]:
            del self._tags[key]
