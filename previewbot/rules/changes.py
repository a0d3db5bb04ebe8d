"""Which services a pull request changes, by the paths of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import Patterns, RepositoryConfig

MOST_BYTES = 512 * 1024
"""How much is read of a pull request's paths: 3,000 of 170 bytes each. GitHub's own may have 24 MB."""
_PORTION = 1024


class Counting:
    """Counts the changed files of every service, portion by portion.

    Patterns are gitignore-style. A renamed file counts once, on whichever side it matches: what left a
    service changes it too.
    """

    def __init__(self, config: RepositoryConfig) -> None:
        self._names = [service.name for service in config.services]
        self._patterns = Patterns([service.paths for service in config.services])
        self._counts: Counter[int] = Counter()

    def add(self, files: Iterable[ChangedFile]) -> None:
        """Count some more files."""
        for file in files:
            services = self._patterns.services_of(file.path)
            if file.previous_path:
                services |= self._patterns.services_of(file.previous_path)
            self._counts.update(services)

    def changed(self, *, complete: bool) -> dict[str, int]:
        """Return the changed services, in the order of the file, with how many files changed each.

        Where the list of files is not complete, every service counts as changed, by one file at least: which
        ones really are, nobody can know.
        """
        # GitHub lists 3,000 files at most. A service that is missing in the preview would mislead a reviewer
        # more than one that is there for nothing.
        least = 0 if complete else 1
        counts = {name: max(least, self._counts[at]) for at, name in enumerate(self._names)}
        return {name: count for name, count in counts.items() if count}


def match(config: RepositoryConfig, changed: ChangedFiles) -> dict[str, int]:
    """Return the changed services, with how many files changed each, all at once (see `Counting`)."""
    counting = Counting(config)
    counting.add(changed.files)
    return counting.changed(complete=changed.complete)


def bounded(changed: ChangedFiles) -> ChangedFiles:
    """Return as much of a list as is looked at: of very many long paths the first, as if cut by GitHub."""
    size = 0
    for at, file in enumerate(changed.files):
        size += _size(file)
        if size > MOST_BYTES:
            return ChangedFiles(changed.files[:at], complete=False)
    return changed


def portions(files: Sequence[ChangedFile]) -> Iterator[Sequence[ChangedFile]]:
    """Yield the files in portions of so few bytes that matching one takes no notable time.

    A kilobyte of paths takes some microseconds, but with patterns and paths that somebody made for it, up to
    50 ms.
    """
    begin, size = 0, 0
    for at, file in enumerate(files, start=1):
        size += _size(file)
        if size >= _PORTION:
            yield files[begin:at]
            begin, size = at, 0
    yield files[begin:]


def _size(file: ChangedFile) -> int:
    return sum(len(path.encode(errors="replace")) for path in (file.path, file.previous_path) if path)
