"""The pictures on disk: bounded in bytes, the oldest make room, and nothing outlasts the process."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from previewbot.rules.pictures import FILE, NAME, SHA

_OURS = re.compile(rf"{NAME}~{SHA}~{FILE}\.png")
"""What a picture of ours is called on disk, as `Key.as_file` says it."""


@dataclass(frozen=True)
class Key:
    """Which picture: of a Preview by its name, of a commit, by the name of its file."""

    name: str
    sha: str
    file: str

    @property
    def as_file(self) -> str:
        """What it is called on disk."""
        return f"{self.name}~{self.sha}~{self.file}.png"


class Shelf:
    """Keeps pictures in a folder, `most` bytes of them at most.

    Those that an earlier process left there are removed: nobody knows any more how they were taken. Other
    files stay. Raises OSError if the folder cannot be written.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self.most = folder, most
        self._sizes: OrderedDict[Key, int] = OrderedDict()
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():
            if _OURS.fullmatch(left.name):
                left.unlink()

    @property
    def size(self) -> int:
        """Bytes of the pictures that are kept."""
        return sum(self._sizes.values())

    def put(self, key: Key, content: bytes) -> list[Key] | None:
        """Keep a picture; return those that went for it, None if it is too large or cannot be written."""
        if len(content) > self.most:
            return None
        self.drop(lambda other: other == key)
        gone = []
        while self.size + len(content) > self.most:
            oldest = next(iter(self._sizes))
            self._remove(oldest)
            gone.append(oldest)
        try:
            (self._folder / key.as_file).write_bytes(content)
        except OSError:
            (self._folder / key.as_file).unlink(missing_ok=True)
            return None
        self._sizes[key] = len(content)
        return gone

    def get(self, key: Key) -> bytes | None:
        """Return a picture; None if it is not there."""
        if key not in self._sizes:
            return None
        try:
            return (self._folder / key.as_file).read_bytes()
        except OSError:
            return None

    def drop(self, which: Callable[[Key], bool]) -> None:
        """Remove the pictures of which `which` says so."""
        for key in [key for key in self._sizes if which(key)]:
            self._remove(key)

    def _remove(self, key: Key) -> None:
        del self._sizes[key]
        (self._folder / key.as_file).unlink(missing_ok=True)


def cleared(folder: Path) -> Path:
    """Return an empty folder for what browsers write, always the same for the same `folder`; raises OSError.

    What is there is of a worker that was killed: a container's temporary files outlive it.
    """
    which = hashlib.sha256(bytes(folder.absolute())).hexdigest()[:8]
    found = Path(tempfile.gettempdir(), f"previewbot-pictures-{which}")
    with suppress(FileNotFoundError):
        shutil.rmtree(found)
    found.mkdir(mode=0o700)
    return found
