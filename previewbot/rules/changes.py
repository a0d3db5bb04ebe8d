"""Which services a pull request changes, by the paths of its files."""

from __future__ import annotations

from pathspec import GitIgnoreSpec

from previewbot.api.github import ChangedFiles
from previewbot.config.repository import RepositoryConfig, ServiceConfig


def match(config: RepositoryConfig, changed: ChangedFiles) -> dict[str, int]:
    """Return the changed services, in the order of the file, with how many files changed each.

    Patterns are gitignore-style. A renamed file counts once, on whichever side it matches: what left a
    service changes it too. Where GitHub cut the list off, every service counts as changed, by one file at
    least: which ones really are, nobody can know.
    """
    counts = {service.name: _count(service, changed) for service in config.services}
    # GitHub lists 3,000 files at most. A service that is missing in the preview would mislead a reviewer more
    # than one that is there for nothing.
    if not changed.complete:
        return {name: max(1, count) for name, count in counts.items()}
    return {name: count for name, count in counts.items() if count}


def _count(service: ServiceConfig, changed: ChangedFiles) -> int:
    # Whoever opens a pull request chooses its paths. RE2 needs time in proportion to their length only; of
    # Python's own regular expressions a single path can keep the whole process for minutes.
    spec = GitIgnoreSpec.from_lines(service.paths, backend="re2")
    return sum(
        any(spec.match_file(_text(path)) for path in (file.path, file.previous_path) if path)
        for file in changed.files
    )


def _text(path: str) -> str:
    """Return a path as text that RE2 takes: a name that is not UTF-8 cannot be what a pattern names."""
    return path.encode(errors="replace").decode()
