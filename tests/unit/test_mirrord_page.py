"""docs/mirrord.md says of every option of mirrord's configuration what previewbot does with it, truly."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from previewbot.config.mirrord import MirrordFile, read_mirrord
from previewbot.config.mirrord.files import Files
from previewbot.config.mirrord.notes import DECIDED_BY_PREVIEWBOT, WITHOUT_EFFECT
from previewbot.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/mirrord.md").read_text(encoding="utf-8")
WORDS = ("sent", "narrows", "own", "no effect", "refused")
ROWS: dict[str, str] = dict(
    re.findall(rf"^\| `([a-z0-9_.*]+)` \| ({'|'.join(WORDS)}) \|", PAGE, re.MULTILINE)
)
OPTIONS = (ROOT / "tests/support/mirrord_options.txt").read_text(encoding="utf-8").split()
"""Every option of the CLI 3.250, by the names of its published schema."""
REFUSED = re.findall(r"^\| `(\{.*\})` \|", PAGE, re.MULTILINE)


def options(node: Mapping[str, Any], definitions: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield every option of a schema, those within lists and by names too, without the forms of a value."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        yield from options(definitions[name], definitions, path)
    for form in ("anyOf", "oneOf", "allOf"):
        for each in node.get(form, ()):
            yield from options(each, definitions, path)
    for name, inner in node.get("properties", {}).items():
        option = f"{path}.{name}".lstrip(".")
        yield option
        yield from options(inner, definitions, option)
    for inner in (node.get("items"), node.get("additionalProperties")):
        if isinstance(inner, Mapping):
            yield from options(inner, definitions, path)


SCHEMA = MirrordFile.model_json_schema()
READ = sorted(set(options(SCHEMA, SCHEMA["$defs"])))
"""Every option that previewbot reads."""


def row_of(option: str) -> str:
    """Return what the page says of an option: in a row of its own, or in that of all that is within one."""
    if option in ROWS:
        return ROWS[option]
    above = option.split(".")
    for end in range(len(above), 0, -1):
        within = ".".join(above[:end])
        if f"{within}.*" in ROWS:
            return ROWS[f"{within}.*"]
        # What is within something that has no effect has none, and so for what is refused.
        if ROWS.get(within) in ("no effect", "refused"):
            return ROWS[within]
    return ""


@pytest.mark.parametrize("option", READ)
def test_every_option_that_is_read_is_on_the_page(option: str) -> None:
    # A key that only holds others is told of by what it holds.
    holds = any(other.startswith(f"{option}.") for other in READ)

    assert row_of(option) or (holds and option not in ROWS)


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_the_cli_is_on_the_page(option: str) -> None:
    holds = any(other.startswith(f"{option}.") for other in OPTIONS) or option == "feature.network.incoming"

    assert row_of(option) or holds


@pytest.mark.parametrize("option", sorted(ROWS))
def test_the_page_tells_of_nothing_that_there_is_not(option: str) -> None:
    named = option.removesuffix(".*")

    assert named in READ or named in OPTIONS


def test_what_the_page_says_has_no_effect_is_what_the_code_says_so_of() -> None:
    said = {option for option, word in ROWS.items() if word == "no effect"}

    assert said - {"feature.db_branches.local.*"} == {*WITHOUT_EFFECT}


def test_what_the_page_says_previewbot_decides_is_what_the_code_says_so_of() -> None:
    said = {option for option, word in ROWS.items() if word == "own"}
    of_copies = {f"feature.db_branches.{name}" for name in ("ttl_mins", "ttl_secs", "creation_timeout_secs")}

    assert said == {*DECIDED_BY_PREVIEWBOT} | of_copies


@pytest.mark.parametrize("option", [option for option, word in ROWS.items() if word == "refused"])
def test_what_the_page_says_is_refused_is_refused(option: str) -> None:
    written: Any = {"labels": {"app": "web"}} if option.endswith("labels") else {}
    above, _, name = option.rpartition(".")
    if name == "payload_protobuf":
        written = {"orders": {"queue_type": "Kafka", "jq_filter": '"{{ key }}"', name: {}}}
    for key in reversed(above.split(".")):
        written = {key: written}

    with pytest.raises(ConfigurationError):
        read_mirrord(json.dumps(written).encode(), ".mirrord/mirrord.json", Files())


@pytest.mark.parametrize("written", REFUSED)
def test_what_is_refused_on_purpose_is_refused_with_words(written: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_mirrord(written.encode(), ".mirrord/mirrord.json", Files())

    assert all(problem.message for problem in error.value.problems)


def test_all_that_is_refused_on_purpose_is_there() -> None:
    assert len(REFUSED) == PAGE.partition("## Refused on purpose")[2].count("\n| `")
