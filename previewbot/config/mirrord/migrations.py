"""What brings a database branch to a commit's schema: `migrations`, by Flyway or by an image."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import model_validator

from previewbot.config import types as t
from previewbot.config.mirrord.values import Line, Text, VariableName
from previewbot.config.types import about, mistake

VariableToSet = Annotated[VariableName, about("variables of the container", "DATABASE_URL")]
_OF_FLAVOR = {
    "flyway": ("path", "image", "locations"),
    "container": ("image", "command", "args", "env"),
}
_BLOCK = 512
_LONGEST_NAME = 100
"""Bytes of a file's path in the header of an archive; a longer one has a header of its own before it."""
_HEADER_OF_GZIP = bytes.fromhex("1f8b08000000000000ff")
"""Neither a name, nor a time, nor the system that packed it."""


class Migrations(t.Model):
    """How a branch's schema is brought to what a commit expects."""

    flavor: Literal["flyway", "container"] = about(
        "`flyway`: files of SQL; `container`: an image that migrates", "container"
    )
    path: Line | None = about("of `flyway`: a folder of this repository", "db/migrations", default=None)
    locations: tuple[Line, ...] = about(
        "of `flyway`: where the files are within `image`", ["filesystem:/flyway/sql"], default=()
    )
    image: Line | None = about(
        "the image that migrates, of those that the settings allow",
        "ghcr.io/acme/orders-migrate:1",
        default=None,
    )
    command: tuple[Text, ...] | None = about(
        "of `container`: what it runs", ["./migrate", "up"], default=None
    )
    args: tuple[Text, ...] | None = about("of `container`: with which arguments", ["-v"], default=None)
    env: Mapping[VariableToSet, Text] = about(
        "of `container`: variables, in which mirrord's `$(MIRRORD_DB_HOST)` and its kin stand for the branch",
        {"PGHOST": "$(MIRRORD_DB_HOST)"},
        default={},
    )

    @model_validator(mode="after")
    def _fits_its_flavor(self) -> Self:
        for name in sorted(self.model_fields_set - {"flavor", *_OF_FLAVOR[self.flavor]}):
            if getattr(self, name) is not None:
                raise mistake("migrations_other", at=name, flavor=self.flavor)
        if self.flavor == "flyway":
            self._check_flyway()
        return self

    @property
    def by_commit(self) -> bool:
        """Whether the image that migrates is the one that was built for the commit."""
        return self.flavor == "container" and self.image is None

    def _check_flyway(self) -> None:
        if self.path is not None and self.locations:
            raise mistake("migrations_both", at="locations")
        if self.path is None and not self.locations:
            raise mistake("migrations_nothing")
        if self.locations and self.image is None:
            raise mistake("migrations_image", at="locations")


def archived(migrations: Migrations | None, below: Callable[[str], Mapping[str, bytes] | None]) -> str:
    """Return the files of migrations, packed; empty if there are none, or none that is known yet.

    `below` returns the files below a folder, or None if they are not known yet.
    """
    if migrations is None or migrations.path is None:
        return ""
    files = below(migrations.path)
    return "" if files is None else packed(files)


def packed(files: Mapping[str, bytes]) -> str:
    """Return files as a packed archive in base64: the same files are the same text, always.

    The archive is byte for byte that of mirrord's CLI (GNU's tar: files alone, sorted, without owners and
    times); how it is packed may differ, which no reader of it sees.
    """
    return _packed(tuple(sorted(files.items(), key=_in_order)))


# Hundreds of databases may name one folder: while it is packed, the controller waits, and each archive would
# be kept.
@lru_cache(maxsize=8)
def _packed(files: tuple[tuple[str, bytes], ...]) -> str:
    blocks = [_entry(name.encode(), content) for name, content in files]
    archive = b"".join(blocks) + bytes(2 * _BLOCK)
    return base64.b64encode(_HEADER_OF_GZIP + gzip.compress(archive, 6, mtime=0)[10:]).decode()


def _in_order(file: tuple[str, bytes]) -> bytes:
    return file[0].encode()


def _entry(name: bytes, content: bytes) -> bytes:
    """Return a file as an archive has it; a long name comes first, as if it were a file itself."""
    before = b""
    if len(name) > _LONGEST_NAME:
        before = _header(b"././@LongLink", len(name) + 1, b"L", b"0000000\0") + _filled(name + b"\0")
    # Of a file whose name is cut off behind a slash some readers (Python's) make a folder, whatever its long
    # name says: for them it is cut off before. Those that go by the long name alone see no difference.
    short = name[:_LONGEST_NAME].rstrip(b"/")
    return before + _header(short, len(content), b"\0", bytes(8)) + _filled(content)


def _header(name: bytes, size: int, kind: bytes, owner: bytes) -> bytes:
    start = b"%b0000644\0%b%b%011o\0%011o\0" % (name.ljust(_LONGEST_NAME, b"\0"), owner, owner, size, 0)
    end = (kind + bytes(100) + b"ustar  \0").ljust(_BLOCK - len(start) - 8, b"\0")
    # The sum is that of a header whose own sum is blanks.
    return start + b"%07o\0" % sum(start + b" " * 8 + end) + end


def _filled(content: bytes) -> bytes:
    return content.ljust(-(-len(content) // _BLOCK) * _BLOCK, b"\0")
