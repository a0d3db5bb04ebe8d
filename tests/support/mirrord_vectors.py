"""What mirrord's own CLI made of mirrord files: a table of cases, and the script that makes it of a folder.

The folder has an input for each case (`NAME.json`, `.yaml`, …) and in `NAME.expected.json` what
`mirrord preview start` sent for it to a stand-in of the API server, or that it refused. It is not in the
repository; the table is, with the folder's hash, so that a test can tell that the two are the same.

    python -m tests.support.mirrord_vectors FOLDER    # writes the table anew
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".json")
_EXPECTED = ".expected.json"
_FOLDER = "@DIR@/"
"""In an input the CLI's own folder, of which it takes absolute paths alone."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Vector:
    """One case: the input, and what the CLI made of it.

    `files` are beside the input, by their names; bytes are written `hex:…`. `arguments` are those of the
    command but for the file. `of_cluster` says that the API server's stand-in answered in another way than
    usual, so that the case is about the cluster and not about the file. `secrets` are what went to the
    operator beside the session.
    """

    name: str
    about: str
    file: str
    text: str
    files: Mapping[str, str]
    arguments: tuple[str, ...]
    refused: bool
    of_cluster: bool
    session: Json | None
    namespace: str
    branches: tuple[Json, ...]
    secrets: Mapping[str, str]

    @property
    def contents(self) -> Mapping[str, bytes]:
        """The files beside the input."""
        return {name: _bytes(text) for name, text in self.files.items()}

    def argument(self, option: str) -> str | None:
        """Return what was given for an option on the command line."""
        if option not in self.arguments:
            return None
        return self.arguments[self.arguments.index(option) + 1]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("hex:")) if text.startswith("hex:") else text.encode()


def read_table(path: Path = TABLE) -> tuple[str, tuple[Vector, ...]]:
    """Return the hash of the folder that the table was made of, and its cases in their order."""
    table = json.loads(path.read_text(encoding="utf-8"))
    return table["hash"], tuple(_vector(case) for case in table["cases"])


def _vector(case: Json) -> Vector:
    values = {field.name: case[field.name] for field in fields(Vector)}
    values["arguments"] = tuple(values["arguments"])
    values["branches"] = tuple(values["branches"])
    return Vector(**values)


def in_folder(folder: Path) -> Iterator[Vector]:
    """Yield the cases of a folder, by their names."""
    for expected in sorted(folder.glob(f"*{_EXPECTED}")):
        name = expected.name.removesuffix(_EXPECTED)
        (given,) = (path for path in folder.glob(f"{name}.*") if path != expected)
        yield _read(name, given, json.loads(expected.read_text(encoding="utf-8")))


def _read(name: str, given: Path, expected: Json) -> Vector:
    session = expected.get("preview_session") or None
    posted = [write for write in expected.get("other_writes", ()) if "previewsecretmounts" in write["path"]]
    return Vector(
        name=name,
        about=expected["what"],
        file=f"mirrord{given.suffix}",
        text=given.read_text(encoding="utf-8").replace(_FOLDER, ""),
        files=expected["files"],
        arguments=tuple(expected["command"][5:]),
        refused=bool(expected["refused"]),
        of_cluster=bool(expected["cluster"]),
        session=session,
        namespace=expected.get("preview_session_namespace") or "",
        branches=tuple(sorted(expected.get("branch_databases") or (), key=_name)),
        secrets=posted[0]["body"]["values"] if posted else {},
    )


def _name(manifest: Json) -> str:
    return str(manifest["metadata"]["name"])


def hash_of(folder: Path) -> str:
    """Return a hash of all cases in a folder; another text in one of them is another hash."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix != ".md":
            digest.update(f"{path.name}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def written(folder: Path) -> str:
    """Return the table of a folder as its file has it."""
    cases = [{field.name: getattr(case, field.name) for field in fields(case)} for case in in_folder(folder)]
    return json.dumps({"hash": hash_of(folder), "cases": cases}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TABLE.write_text(written(Path(sys.argv[1])), encoding="utf-8")
