"""Files of the repository that a mirrord file names, by their paths from its folder or from the root."""

from __future__ import annotations

import re

from previewbot.config.mirrord.files import MAX_BYTES, File, Files, NoFile
from previewbot.config.types import mistake
from previewbot.config.words import Raw

_WINDOWS = re.compile(r"[A-Za-z]:")
_WRONG = {
    NoFile.LINK: "file_link",
    NoFile.FOLDER: "file_folder",
    NoFile.TOO_LARGE: "file_large",
}


def normal(written: str) -> str:
    """Return a path as it is written; raises a mistake for one that could lead out of the repository."""
    parts = written.removeprefix("./").split("/")
    if written.startswith("/") or _WINDOWS.match(written):
        raise mistake("path_absolute", written=written)
    if ".." in parts:
        raise mistake("path_up", written=written)
    odd = "\\" in written or not written.isprintable()
    if odd or {"", "."} & set(parts):
        raise mistake("path_odd", written=written)
    return "/".join(parts)


def find(written: str, folder: str, files: Files) -> bytes | None:
    """Return what a named file holds; None if it is not known yet. Raises a mistake where there is none.

    It is looked for in the folder of the mirrord file, and then from the root of the repository, where the
    CLI is mostly run.
    """
    path = normal(written)
    places = [f"{folder}/{path}", path] if folder else [path]
    # Both are asked for at once, so that whoever fetches them need not come a third time.
    reads = [files.read(place) for place in places]
    found: File | None = next((each for each in reads if each is not NoFile.MISSING), NoFile.MISSING)
    if found is None:
        return None
    if isinstance(found, bytes) and len(found) <= MAX_BYTES:
        return found
    if found is NoFile.MISSING:
        raise mistake(
            "file_missing", written=written, places=Raw(" or ".join(f"`{each}`" for each in places))
        )
    kind = _WRONG[NoFile.TOO_LARGE if isinstance(found, bytes) else found]
    raise mistake(kind, written=written, most=Raw(f"{MAX_BYTES // 1024} KiB"))


def find_below(written: str, folder: str, files: Files) -> dict[str, bytes] | None:
    """Return what is below a named folder, by the paths in it; None if it is not known yet.

    Raises a mistake if nothing is there, or what may not be read. `find` says where it is looked for.
    """
    path = normal(written.rstrip("/"))
    places = [f"{folder}/{path}", path] if folder else [path]
    reads = [files.folder(place) for place in places]
    found = next((each for each in reads if each is None or each), {})
    if found is None:
        return None
    if not found:
        raise mistake(
            "folder_empty", written=written, places=Raw(" or ".join(f"`{each}`" for each in places))
        )
    return {name: _content(name, file) for name, file in found.items()}


def _content(name: str, file: File) -> bytes:
    if isinstance(file, bytes) and len(file) <= MAX_BYTES:
        return file
    kind = "folder_link" if file is NoFile.LINK else "folder_large"
    raise mistake(kind, written=name, most=Raw(f"{MAX_BYTES // 1024} KiB"))
