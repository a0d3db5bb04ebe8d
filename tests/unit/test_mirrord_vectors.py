"""A team's mirrord file gives the objects that mirrord's own CLI makes of it, but for what is decided here.

The cases are those of `mirrord_vectors.json`; what may differ is in `decided_by_previewbot.py`, and nowhere
else. `PREVIEWBOT_MIRRORD_VECTORS=FOLDER` compares the table with the folder that it was made of.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from previewbot.clients.kubernetes.resources import without_nulls
from previewbot.config.mirrord import read_mirrord
from previewbot.config.mirrord.files import Files
from previewbot.engine.translation.preview import parts_of_mirrord
from tests.support.decided_by_previewbot import DECIDED, KEY, ON_PURPOSE, is_refused_on_purpose, kind_of
from tests.support.mirrord_made import Made, by_engine, made_of
from tests.support.mirrord_vectors import Vector, hash_of, in_folder, read_table

WORDS = Path(__file__).parents[1] / "golden" / "mirrord-refusals.txt"
HASH, CASES = read_table()
OF_FILES = [case for case in CASES if not case.of_cluster]
SENT = [case for case in OF_FILES if not case.refused and (kind_of(case.name) is None)]
REFUSED = [case for case in OF_FILES if case.refused]
ON_PURPOSE_WORDS = {name: kind.words for kind in ON_PURPOSE.values() for name in kind.files}
# Sorted: every worker of a parallel run must find the same tests in the same order, and a set has none.
NAMES_ON_PURPOSE = sorted(ON_PURPOSE_WORDS)
FOLDER = os.environ.get("PREVIEWBOT_MIRRORD_VECTORS")
OTHERS = [
    case
    for case in (in_folder(Path(FOLDER)) if FOLDER else ())
    if case.name not in {known.name for known in CASES} and not case.of_cluster
]
"""Cases of the folder that the table has not: whoever made the lists has not seen them."""

Json = Any


def by_name(cases: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


def expected(case: Vector) -> Json:
    """Return what the CLI sent, with `KEY` for its key, in the form of `Made.objects`."""
    assert case.session is not None
    session = json.loads(json.dumps(case.session))
    session["metadata"]["namespace"] = case.namespace
    objects = {"session": session, "branches": by_engine([_branch(each, case) for each in case.branches])}
    return _with_key(objects, str(case.session["spec"]["key"]))


def _branch(manifest: Mapping[str, Any], case: Vector) -> Json:
    # A field of null is one that is not there: previewbot sends none.
    made = json.loads(json.dumps(without_nulls(manifest)))
    made["metadata"]["namespace"] = case.namespace
    return made


def _with_key(value: Json, key: str) -> Json:
    if isinstance(value, str):
        return value.replace(key, KEY)
    if isinstance(value, dict):
        return {name: _with_key(inner, key) for name, inner in value.items()}
    return [_with_key(inner, key) for inner in value] if isinstance(value, list) else value


def leaves(value: Json, pointer: str = "") -> Iterator[tuple[str, Json]]:
    """Yield each value of an object that holds no others, with its JSON pointer."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{pointer}/{number}")
    else:
        yield pointer, value


def differences(one: Json, other: Json) -> list[str]:
    """Return where two objects differ, by the pointers of their values."""
    mine, others = dict(leaves(one)), dict(leaves(other))
    nothing = object()
    return sorted(
        pointer
        for pointer in mine.keys() | others.keys()
        if not _same(mine.get(pointer, nothing), others.get(pointer, nothing))
    )


def _same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and bool(one == other)


def not_decided(case: Vector, pointers: list[str]) -> list[str]:
    """Return the places among these that previewbot does not decide itself."""
    decided = [each for each in DECIDED if each.when(case)]
    return [pointer for pointer in pointers if not any(each.names(pointer) for each in decided)]


_MADE: dict[str, Made] = {}


def made_once(case: Vector, tmp_path: Path) -> Made:
    """Return what is made of a case; several tests look at it."""
    if case.name not in _MADE:
        _MADE[case.name] = made_of(case, tmp_path)
    return _MADE[case.name]


def objects_of(case: Vector, tmp_path: Path) -> Json:
    made = made_once(case, tmp_path)
    assert made.refused == "", case.about
    return copy.deepcopy(made.objects)


@by_name(SENT)
def test_what_the_cli_sends_is_what_would_be_created(case: Vector, tmp_path: Path) -> None:
    assert not_decided(case, differences(expected(case), objects_of(case, tmp_path))) == []


@by_name(SENT)
def test_any_other_value_in_what_the_cli_sends_would_be_found(case: Vector, tmp_path: Path) -> None:
    objects = objects_of(case, tmp_path)
    right = expected(case)
    missed = []
    for pointer, value in leaves(right):
        if not_decided(case, [pointer]):
            changed = _changed(right, pointer, value)
            missed += [] if not_decided(case, differences(changed, objects)) else [pointer]
    assert missed == []


def _changed(objects: Json, pointer: str, value: Json) -> Json:
    made = copy.deepcopy(objects)
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    inner = made
    for part in path:
        inner = inner[int(part)] if isinstance(inner, list) else inner[part]
    inner[int(last) if isinstance(inner, list) else last] = [value, "something else"]
    return made


@by_name(SENT)
def test_a_value_too_much_would_be_found(case: Vector, tmp_path: Path) -> None:
    objects = objects_of(case, tmp_path)
    objects["session"]["spec"]["more"] = 1
    assert not_decided(case, differences(expected(case), objects)) == ["/session/spec/more"]


def test_whatever_is_said_to_differ_does_so_somewhere(tmp_path: Path) -> None:
    unused = set(DECIDED)
    for case in SENT:
        differing = differences(expected(case), objects_of(case, tmp_path / case.name))
        unused -= {each for each in unused if each.when(case) and any(map(each.names, differing))}
    assert {each.pointer for each in unused} == set()


@by_name(REFUSED)
def test_what_the_cli_refuses_is_refused(case: Vector, tmp_path: Path) -> None:
    assert made_once(case, tmp_path).refused, case.about


def test_a_refusal_says_where_and_what_to_write(tmp_path: Path) -> None:
    """`UPDATE_GOLDEN=1` writes the words of all of them anew; read the difference before committing."""
    refused = [case for case in OF_FILES if case.refused or _is_refused_on_purpose(case)]
    told = [
        f"{case.name}: {case.about}\n{made_once(case, tmp_path / case.name).refused}\n" for case in refused
    ]
    text = "\n".join(told)
    if os.environ.get("UPDATE_GOLDEN"):
        WORDS.write_text(text, encoding="utf-8")
    assert text == WORDS.read_text(encoding="utf-8")


def _is_refused_on_purpose(case: Vector) -> bool:
    kind = kind_of(case.name)
    return kind is not None and kind.words != ""


@pytest.mark.parametrize("name", [name for name in NAMES_ON_PURPOSE if ON_PURPOSE_WORDS[name]])
def test_what_previewbot_refuses_on_purpose_says_why(name: str, tmp_path: Path) -> None:
    (case,) = (case for case in OF_FILES if case.name == name)
    kind = kind_of(name)
    assert kind is not None and not case.refused
    assert re.search(kind.words, made_once(case, tmp_path).refused)


@pytest.mark.parametrize("name", [name for name in NAMES_ON_PURPOSE if not ON_PURPOSE_WORDS[name]])
def test_what_previewbot_makes_something_else_of_differs_in_that_alone(name: str, tmp_path: Path) -> None:
    (case,) = (case for case in OF_FILES if case.name == name)
    kind = kind_of(name)
    assert kind is not None
    objects = objects_of(case, tmp_path)
    differing = not_decided(case, differences(expected(case), objects))
    assert differing == sorted(kind.instead[name])
    found = dict(leaves(objects))
    for pointer, value in kind.instead[name].items():
        assert _as_said(found[pointer], value)


def _as_said(found: Json, said: Json) -> bool:
    if not isinstance(said, dict):
        return bool(found == said)
    kinds = ("header_filter", "path_filter", "method_filter", "body_filter", "header_filter_jq")
    return bool(json.loads(found) == dict.fromkeys((*kinds, "all_of", "any_of", "ports")) | said)


def test_all_cases_have_a_name_of_their_own_and_no_kind_names_another() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert {name for kind in ON_PURPOSE.values() for name in kind.files} <= {case.name for case in OF_FILES}


@by_name([*OTHERS, *OF_FILES])
def test_a_case_that_nobody_has_seen_is_judged_by_its_kind(case: Vector, tmp_path: Path) -> None:
    made = made_once(case, tmp_path)
    if made.refused or case.refused:
        assert made.refused
        assert case.refused or is_refused_on_purpose(made.refused)
    elif case.name != "db-two-without-id":
        found = not_decided(case, differences(expected(case), made.objects))
        assert set(found) <= {FILTER}
        assert not found or _takes_its_own_alone(dict(leaves(made.objects))[FILTER])


FILTER = "/session/spec/incoming/httpFilter"


def _takes_its_own_alone(http_filter: Json) -> bool:
    said = {kind: value for kind, value in json.loads(http_filter).items() if value is not None}
    own = f"^baggage: .*mirrord-session={KEY}.*$"
    return said == {"header_filter": own} or (
        said.keys() == {"all_of"} and said["all_of"][0] == {"header": own}
    )


@pytest.mark.skipif(FOLDER is None, reason="PREVIEWBOT_MIRRORD_VECTORS names no folder")
def test_the_table_is_made_of_the_folder() -> None:
    folder = Path(FOLDER or "")
    assert hash_of(folder) == HASH
    assert tuple(in_folder(folder)) == CASES


@pytest.mark.parametrize(
    "name", ["ttl-mins", "ttl-secs", "ttl-infinite", "toml", "yaml", "action-equivalent"]
)
def test_a_preview_lives_as_long_as_the_cli_would_let_it(name: str) -> None:
    (case,) = (case for case in OF_FILES if case.name == name)
    assert case.session is not None
    ttl = read_mirrord(case.text.encode(), case.file, Files()).ttl
    assert ttl is not None
    assert ttl.total_seconds() == case.session["spec"]["ttlSecs"]


def test_secrets_go_to_the_operator_under_the_same_keys() -> None:
    (case,) = (case for case in OF_FILES if case.secrets)
    mounts = parts_of_mirrord(read_mirrord(case.text.encode(), case.file, Files())).secret_mounts
    assert {f"k{number}": mount.data for number, mount in enumerate(mounts)} == case.secrets
