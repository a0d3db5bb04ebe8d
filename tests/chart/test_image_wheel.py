"""The wheel that the image has is the same wherever, whenever and by whomever it is built."""

from __future__ import annotations

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chart import image
from tests.chart.helm import ROOT

SENT = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"]


def copied(place: Path, *more: str) -> Path:
    """Copy what is sent to the engine, and no more unless said; return where to."""
    for name in (*SENT, *more):
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return place


def as_the_engine_has_it(place: Path) -> Path:
    """Files that only their owner may read, all of one moment long ago."""
    found = copied(place)
    for path in found.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.suffix == ".sh" else 0o600)
        os.utime(path, (10**9, 10**9))
    return found


def as_a_developer_has_it(place: Path) -> Path:
    """Files that have just been checked out, in a clone that was worked in."""
    found = copied(place / "a longer" / "way", ".gitignore")
    for path in [found, *found.rglob("*")]:
        path.chmod(0o777 if path.is_dir() or path.suffix == ".sh" else 0o664)
    compiled = found / "previewbot" / "__pycache__" / "errors.cpython-311.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    directory = tmp_path_factory.mktemp("wheels")
    surroundings = [
        (as_the_engine_has_it, {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"}),
        (
            as_a_developer_has_it,
            {"PYTHONHASHSEED": "2", "TZ": "America/Lima", "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "1"},
        ),
    ]

    def build(number: int) -> bytes:
        make, variables = surroundings[number]
        source = make(directory / str(number))
        return image.built_wheel(directory / f"built-{number}", source, **variables).read_bytes()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(build, range(len(surroundings))))


def test_it_is_the_same_to_the_byte(wheels: list[bytes]) -> None:
    first, second = (hashlib.sha256(wheel).hexdigest() for wheel in wheels)

    assert first == second


def test_it_changes_with_its_sources(wheels: list[bytes], tmp_path: Path) -> None:
    source = copied(tmp_path / "source")
    path = source / "previewbot" / "errors.py"
    path.write_text(path.read_text("utf-8") + "# changed\n", "utf-8")

    assert image.built_wheel(tmp_path / "built", source).read_bytes() not in wheels
