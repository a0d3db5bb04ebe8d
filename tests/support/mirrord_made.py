"""What `previewbot render` makes of a case of mirrord's CLI: the objects, or why there are none."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from previewbot.cli import main
from previewbot.rules.environment_keys import environment_key
from tests.support.decided_by_previewbot import KEY
from tests.support.mirrord_vectors import Vector
from tests.support.previews import HEAD
from tests.support.yaml_texts import read_documents

FOLDER = ".mirrord"
_REPOSITORY, _NUMBER = "acme/shop", 42
_IMAGE = "ghcr.io/acme/web:{head_sha}"


@dataclass(frozen=True)
class Made:
    """What would be created, with `KEY` for the environment key; or why nothing would be."""

    objects: Any = field(default_factory=dict)
    refused: str = ""


def made_of(case: Vector, folder: Path) -> Made:
    """Return what would be created for a pull request that changes the service of a case."""
    manifests = manifests_of(case, folder)
    return Made(refused=manifests) if isinstance(manifests, str) else Made(_with_key(_by_kind(manifests)))


def manifests_of(case: Vector, folder: Path, *options: str) -> list[dict[str, Any]] | str:
    """Return what `previewbot render` prints for a case, as manifests; or why it prints none."""
    _write(case, folder)
    path = folder / ".github" / "preview.yaml"
    arguments = ("--repository", _REPOSITORY, "--number", str(_NUMBER), "--head-sha", HEAD, *options)
    output, errors = StringIO(), StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            code = main(["render", str(path), *arguments])
        except SystemExit as left:
            code = int(str(left.code))
    if code:
        return errors.getvalue().replace(f"{folder}/", "").strip()
    return read_documents(output.getvalue())


def _by_kind(manifests: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    (session,) = (each for each in manifests if each["kind"] == "PreviewSession")
    return {"session": session, "branches": by_engine(m for m in manifests if m["kind"] == "BranchDatabase")}


def by_engine(manifests: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return branches by their engine, in an order that no name decides: of the CLI there is none.

    Packed files are unpacked: two programs pack the same archive in two ways.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in sorted(manifests, key=lambda each: json.dumps(each["spec"]["connectionSource"])):
        (engine,) = (name for name in each["spec"] if name.endswith("Options"))
        found.setdefault(engine, []).append(_unpacked(each))
    return found


def _unpacked(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(manifest))
    migrations = made["spec"].get("migrations", {})
    if "archive" in migrations:
        migrations["archive"] = gzip.decompress(base64.b64decode(migrations["archive"])).hex()
    return made


def _write(case: Vector, folder: Path) -> None:
    files = {case.file: case.text.encode(), **case.contents}
    for name, content in files.items():
        path = folder / FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / ".github").mkdir(parents=True, exist_ok=True)
    (folder / ".github" / "preview.yaml").write_text(json.dumps(_configuration(case)), encoding="utf-8")


def _configuration(case: Vector) -> Mapping[str, Any]:
    """Return the `preview.yaml` beside a case: what the command line says there is said here."""
    service = {"paths": ["**"], "image": _IMAGE, "mirrord": f"{FOLDER}/{case.file}"}
    target, namespace = case.argument("-t"), case.argument("-n")
    if namespace is None and "namespace" not in case.text:
        namespace = case.namespace or "staging"
    said = {"target": target, "namespace": namespace}
    service |= {key: value for key, value in said.items() if value is not None}
    return {"version": 1, "services": {"web": service}}


def _with_key(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(_OWN_KEY, KEY)
    if isinstance(value, Mapping):
        return {name: _with_key(inner) for name, inner in value.items()}
    return [_with_key(inner) for inner in value] if isinstance(value, list) else value


_OWN_KEY = environment_key("github.com", 0, _NUMBER, _REPOSITORY)
