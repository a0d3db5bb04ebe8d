"""The bearers of programs: the lines of the file that `api.bearer_file` of the settings names."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from previewbot.errors import SettingsError

LEAST_BEARER = 32
"""So many characters a bearer has at least: it is tried over the network, and by whoever likes."""
_BEARER_RE = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
"""What a bearer is made of: https://www.rfc-editor.org/rfc/rfc6750#section-2.1."""
_REPOSITORY_RE = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_MADE = "make one with `openssl rand -hex 32`"


@dataclass(frozen=True)
class Bearer:
    """What a program sends; `repository` is the one whose previews it reads, empty for one that reads all.

    The repository is in small letters: GitHub takes no difference.
    """

    value: bytes = field(repr=False)
    repository: str = ""

    def reads(self, repository: str) -> bool:
        """Return whether it is for the previews of a repository (`owner/name`)."""
        return self.repository in ("", repository.lower())


def bearers(file: Path, content: bytes) -> tuple[Bearer, ...]:
    """Return the bearers that `content` of a file holds, one a line, maybe behind the name of a repository.

    Of each repository, and of those for all, the one that counts and maybe the last. Raises SettingsError if
    there is none, more than two of a kind, one that is too short, cannot be sent or is there for several, or
    a line that names no repository.
    """
    lines = (line.strip() for line in content.split(b"\n"))
    found = tuple(dict.fromkeys(_bearer(file, line) for line in lines if line))
    if not found:
        raise SettingsError((f"{file} is empty; it must hold a bearer: {_MADE}",))
    for repository, number in Counter(each.repository for each in found).items():
        if number > 2:
            of = f" for {repository}" if repository else ""
            raise SettingsError(
                (
                    f"{file} holds {number} bearers{of}; it must hold one, and while that is changed the one "
                    "before in a second line",
                )
            )
    if len({each.value for each in found}) < len(found):
        raise SettingsError((f"{file} holds one bearer for several repositories; {_MADE} for each",))
    return found


def shared_secrets(file: Path, content: bytes) -> tuple[bytes, ...]:
    """Return the secrets that `content` holds, which two processes share, the one to be sent first.

    Each is made as a bearer is, and for no repository. Raises SettingsError as `bearers` does.
    """
    found = bearers(file, content)
    if any(each.repository for each in found):
        words = f"{file} holds a line of several words; it must hold one secret a line: {_MADE}"
        raise SettingsError((words,))
    return tuple(each.value for each in found)


def _bearer(file: Path, line: bytes) -> Bearer:
    """Return the bearer of a line; raises SettingsError, in which nothing of the line stands."""
    before, blank, value = line.replace(b"\t", b" ").rpartition(b" ")
    repository = before.strip().decode("latin-1")
    if blank and not _REPOSITORY_RE.fullmatch(repository):
        words = (
            f"{file} holds a line of several words, which is none of `<bearer>` and `owner/name <bearer>`, "
            f"or a bearer with signs that no header can carry; {_MADE}"
        )
        raise SettingsError((words,))
    if not _BEARER_RE.fullmatch(value):
        raise SettingsError((f"{file} holds a bearer with signs that no header can carry; {_MADE}",))
    if len(value) < LEAST_BEARER:
        words = (
            f"{file} holds a bearer of {len(value)} characters, which can be guessed; {LEAST_BEARER} is the"
        )
        raise SettingsError((f"{words} least: {_MADE}",))
    return Bearer(value, repository.lower())
