"""The archive of Flyway's files: what mirrord's own CLI makes of the same files, and the same each time."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile

from hypothesis import example, given
from hypothesis import strategies as st

from previewbot.config.mirrord.migrations import packed
from tests.support.mirrord_vectors import read_table

PARTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60)
NAMES = st.lists(PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4).map("/".join)
FILES = st.dictionaries(NAMES, st.binary(max_size=1_500), max_size=4)


def unpacked(archive: str) -> bytes:
    return gzip.decompress(base64.b64decode(archive))


def test_the_archive_is_byte_for_byte_that_of_the_cli() -> None:
    _, cases = read_table()
    (case,) = (case for case in cases if case.name == "db-migrations-flyway-path")
    files = {name.removeprefix("sql/"): content for name, content in case.contents.items()}
    (branch,) = case.branches
    assert unpacked(packed(files)) == unpacked(branch["spec"]["migrations"]["archive"])


@given(FILES)
@example({f"{'a' * 99}/b.sql": b"select 1"})
def test_whoever_unpacks_it_finds_the_files(files: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(unpacked(packed(files)))) as archive:
        found = {entry.name: archive.extractfile(entry) for entry in archive.getmembers()}
        assert {name: file.read() for name, file in found.items() if file} == files
        assert {entry.mode for entry in archive.getmembers()} <= {0o644}


@given(FILES)
def test_the_same_files_are_the_same_archive_in_whatever_order(files: dict[str, bytes]) -> None:
    # It is packed once, however many databases name the folder: each time took a twentieth of a second.
    assert packed(files) is packed(dict(reversed(files.items())))
