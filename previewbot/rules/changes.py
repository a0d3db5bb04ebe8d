"""Which services a pull request changes, by the paths of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import PATH, SHARED, RepositoryConfig

MOST_BYTES = 512 * 1024
"""How much is read of a pull request's paths: 3,000 of 170 bytes each. GitHub's own may have 24 MB."""
_PORTION = 1024


@dataclass(frozen=True)
class Changes:
    """How many files changed each service, and how many of the changed ones belong to all of them.

    `configuration`: the configuration file itself is among them.
    """

    files: Mapping[str, int] = field(default_factory=dict)
    shared: int = 0
    configuration: bool = False


class Matching:
    """Finds the services of paths, portion by portion, and then counts the changed files of every service.

    Patterns are gitignore-style. A renamed file counts once, on whichever side it matches: what left a
    service changes it too.
    """

    def __init__(self, config: RepositoryConfig) -> None:
        self._names = [service.name for service in config.services]
        self._patterns = config.patterns()
        self._services: dict[str, frozenset[int]] = {}

    def read(self, paths: Iterable[str]) -> None:
        """Find the services of some more paths."""
        self._services.update((path, self._patterns.services_of(path)) for path in paths)

    def changes(self, changed: ChangedFiles) -> Changes:
        """Return the changed services, in the order of the file, with how many files changed each.

        What is `shared` counts for each of these, and makes none of them changed. Where the list of files is
        not complete, every service counts as changed, by one file at least: which ones really are, nobody can
        know.
        """
        own: Counter[int] = Counter()
        own_and_shared: Counter[int] = Counter()
        shared = 0
        for file in changed.files:
            found = self._of(file)
            services = found - {SHARED}
            own.update(services)
            if SHARED in found:
                shared += 1
                own_and_shared.update(services)
        # GitHub lists 3,000 files at most. A service that is missing in the preview would mislead a reviewer
        # more than one that is there for nothing.
        least = 0 if changed.complete else 1
        counts = {
            # A file that is a service's own and shared is one file.
            name: max(least, own[at] + shared - own_and_shared[at] if own[at] else 0)
            for at, name in enumerate(self._names)
        }
        changes = {name: count for name, count in counts.items() if count}
        return Changes(changes, shared, changes_configuration(changed))

    def _of(self, file: ChangedFile) -> frozenset[int]:
        return frozenset().union(*(self._services[path] for path in _paths(file)))


def changes_configuration(changed: ChangedFiles) -> bool:
    """Return whether the configuration file is among the changed files."""
    return any(PATH in (file.path, file.previous_path) for file in changed.files)


def compare(config: RepositoryConfig, changed: ChangedFiles) -> Changes:
    """Return what a list of files changes, all at once (see `Matching`)."""
    matching = Matching(config)
    matching.read(path for file in changed.files for path in _paths(file))
    return matching.changes(changed)


def bounded(changed: ChangedFiles) -> ChangedFiles:
    """Return as much of a list as is looked at: of very many long paths the first, as if cut by GitHub."""
    size = 0
    for at, file in enumerate(changed.files):
        size += sum(map(_size, _paths(file)))
        if size > MOST_BYTES:
            return ChangedFiles(changed.files[:at], complete=False)
    return changed


def portions(changed: ChangedFiles) -> Iterator[Sequence[str]]:
    """Yield the paths in portions of so few bytes that to match one takes no notable time.

    A kilobyte takes some microseconds, but with patterns and paths that somebody made for it up to 50 ms.
    """
    portion: list[str] = []
    size = 0
    for path in (path for file in changed.files for path in _paths(file)):
        if portion and size + _size(path) > _PORTION:
            yield portion
            portion, size = [], 0
        portion.append(path)
        size += _size(path)
    yield portion


def _paths(file: ChangedFile) -> Sequence[str]:
    # As a folder, too: `services/*/**` is about what is in one.
    folder = f"{file.path}/" if file.submodule else None
    return [path for path in (file.path, file.previous_path, folder) if path]


def _size(path: str) -> int:
    return len(path.encode(errors="replace"))
