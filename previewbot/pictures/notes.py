"""What is being looked at, noted on disk: a page that ended the whole worker is not looked at once more.

The container's limit of memory may be reached faster than a browser is watched. The worker is started anew
then, all that it took is gone, and the same page would be wished for again with all others.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from previewbot.api.pictures import Side
from previewbot.api.value import Value
from previewbot.pictures.album import Job

FILE = "looked-at.json"
"""What they are called in their folder."""

_MOST = 200
"""Of those that ended a worker, the latest are kept."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Look(Value):
    """One side of what was wished for: all its pages are the same people's."""

    name: str
    of: str
    side: Side


@dataclass(frozen=True)
class _Kept(Value):
    boot: str = ""
    now: Look | None = None
    ended_us: tuple[Look, ...] = ()


_KEPT = TypeAdapter(_Kept)


class Notes:
    """Notes in a folder that outlives the process; raises OSError if it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._file, boot = folder / FILE, _boot()
        folder.mkdir(parents=True, exist_ok=True)
        kept = _Kept()
        with suppress(OSError, ValidationError):
            kept = _KEPT.validate_json(self._file.read_bytes())
        # Where the whole machine went, no page did it.
        if kept.now is not None and kept.boot == boot:
            kept = replace(kept, ended_us=(*kept.ended_us, kept.now)[-_MOST:])
        self._kept = replace(kept, boot=boot, now=None)
        self._write(None)

    def ended_us(self, job: Job) -> bool:
        """Return whether the worker ended while it looked at a page of this side of the same wish."""
        return _look(job) in self._kept.ended_us

    @contextmanager
    def looking(self, job: Job) -> Iterator[None]:
        """Note that a page is looked at meanwhile; raises OSError."""
        self._write(_look(job))
        try:
            yield
        finally:
            self._write(None)

    def _write(self, now: Look | None) -> None:
        beside = self._file.with_suffix(".new")
        beside.write_bytes(_KEPT.dump_json(replace(self._kept, now=now)))
        beside.replace(self._file)


def _look(job: Job) -> Look:
    return Look(job.name, job.wish.of, job.picture.side)


def _boot() -> str:
    with suppress(OSError):
        return _BOOT.read_text().strip()
    return ""
