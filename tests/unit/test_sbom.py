"""The list of what is in the image is CycloneDX, has everything that is pinned, and is the same each time.

That it is what is really installed, tests/chart/test_image.py compares.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

from supply import sbom
from supply.dockerfile import DOCKERFILE, ROOT, Base, base_of
from supply.lock import Pin, normalized, read_lock

AT = datetime(2026, 11, 26, 21, 0, tzinfo=UTC)
WHEEL = "ab" * 32
BASE = base_of(DOCKERFILE.read_text("utf-8"))
PINS = read_lock((ROOT / "requirements.lock").read_text("utf-8"))


def listed(pins: list[Pin] = PINS, base: Base = BASE, at: datetime = AT) -> str:
    return sbom.as_json(sbom.bill("0.1.0", WHEEL, base, pins, at))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(listed())
    return found


def components(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["bom-ref"]: component for component in document["components"]}


def test_it_keeps_to_the_schema_of_cyclonedx() -> None:
    assert JsonStrictValidator(sbom.VERSION).validate_str(listed()) is None


def test_what_does_not_keep_to_it_would_be_noticed(document: dict[str, Any]) -> None:
    wrong = json.dumps(document | {"serialNumber": "1"})

    assert JsonStrictValidator(sbom.VERSION).validate_str(wrong) is not None


def test_it_has_each_package_of_the_lock_with_the_hashes_of_its_files(document: dict[str, Any]) -> None:
    found = components(document)

    assert found.keys() == {"base", "previewbot", *(pin.name for pin in PINS)}
    for pin in PINS:
        [files] = found[pin.name]["externalReferences"]
        assert found[pin.name]["purl"] == f"pkg:pypi/{pin.name}@{pin.version}"
        assert {entry["content"] for entry in files["hashes"]} == set(pin.hashes)


def test_the_base_has_its_digest_and_previewbot_the_hash_of_its_wheel(document: dict[str, Any]) -> None:
    found = components(document)

    assert found["base"]["hashes"] == [{"alg": "SHA-256", "content": BASE.digest.removeprefix("sha256:")}]
    assert BASE.digest in found["base"]["purl"]
    assert found["previewbot"]["hashes"] == [{"alg": "SHA-256", "content": WHEEL}]
    assert document["metadata"]["component"]["type"] == "container"


def test_a_name_that_no_index_has_is_not_looked_for_in_one(document: dict[str, Any]) -> None:
    assert components(document)["previewbot"]["purl"] == "pkg:generic/previewbot@0.1.0"


def test_everything_is_there_because_something_needs_it(document: dict[str, Any]) -> None:
    needs = {entry["ref"]: set(entry.get("dependsOn", ())) for entry in document["dependencies"]}
    reached, left = set[str](), ["image"]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += needs[name]

    assert needs["image"] == {"base", "previewbot"}
    assert reached == {"image", *components(document)}


@pytest.mark.parametrize("name", [pin.name for pin in PINS])
def test_what_needs_a_package_says_so_itself(document: dict[str, Any], name: str) -> None:
    needing = [entry["ref"] for entry in document["dependencies"] if name in entry.get("dependsOn", ())]

    for other in needing:
        wanted = metadata.requires(other) or []
        assert name in {normalized(Requirement(line).name) for line in wanted}, other


def test_the_same_sources_give_the_same_bytes_whatever_order_python_has_for_them(tmp_path: Path) -> None:
    wheel = tmp_path / "previewbot.whl"
    wheel.write_bytes(b"a wheel")
    command = [sys.executable, "-m", "supply.sbom", str(wheel)]
    environments = [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1700000000"},
        {"PYTHONHASHSEED": "2", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1700000000"},
    ]

    first, second = (
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=60, check=True).stdout
        for environment in environments
    )

    assert first == second
    assert json.loads(first)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"


def test_another_content_or_another_time_is_another_list() -> None:
    other = Base(BASE.name, BASE.tag, "sha256:" + "1" * 64)
    numbers = {
        json.loads(text)["serialNumber"]
        for text in (listed(), listed(PINS[1:]), listed(base=other), listed(at=AT + timedelta(seconds=1)))
    }

    assert len(numbers) == 4


def test_without_a_time_that_is_told_it_is_the_last_commits() -> None:
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%cI"]
    last = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert sbom.moment({}) == datetime.fromisoformat(last)
    assert sbom.moment({"SOURCE_DATE_EPOCH": "0"}) == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="set SOURCE_DATE_EPOCH"):
        sbom.moment({"SOURCE_DATE_EPOCH": "yesterday"})


LOCKS = {
    "one that needs it": "# via jinja2",
    "several": "# via\n    #   -c requirements-dev.lock\n    #   jinja2\n    #   previewbot (pyproject.toml)",
    "with an extra": "# via\n    #   jinja2[async]",
}


@pytest.mark.parametrize("via", LOCKS.values(), ids=LOCKS)
def test_a_lock_file_is_read_whatever_needs_a_package(via: str) -> None:
    hashes = ("a" * 64, "b" * 64)
    lines = ["Mark_Up.safe[x]==3.0 \\", *(f"    --hash=sha256:{found} \\" for found in hashes), f"    {via}"]
    text = "\n".join(lines)

    [pin] = read_lock(text)

    assert (pin.name, pin.version, pin.hashes) == ("mark-up-safe", "3.0", hashes)
    assert pin.via[0] == "jinja2"


@pytest.mark.parametrize("text", ["jinja2==3.1", "jinja2>=3.1 --hash=sha256:" + "a" * 64])
def test_a_package_that_is_not_pinned_by_version_and_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a package pinned"):
        read_lock(text)
