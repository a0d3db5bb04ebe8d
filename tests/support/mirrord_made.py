"""What would be created of a case of mirrord's CLI, or why nothing would be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from previewbot.config.mirrord import MirrordConfig, read_mirrord
from previewbot.config.mirrord.files import File, Files, NoFile
from previewbot.config.target_paths import parse_target
from previewbot.engine import branches
from previewbot.engine.branches import DesiredBranch
from previewbot.engine.mirrord import DesiredSession, manifest
from previewbot.engine.translation.preview import parts_of_mirrord
from previewbot.errors import ConfigurationError
from tests.support.decided_by_previewbot import KEY
from tests.support.mirrord_vectors import Vector
from tests.support.previews import HEAD, a_preview

IMAGE = "ghcr.io/acme/web@sha256:" + "0" * 64
FOLDER = ".mirrord"


@dataclass(frozen=True)
class Made:
    """What would be created, with `KEY` for the environment key; or the words of a refusal, by line."""

    objects: Any = field(default_factory=dict)
    refused: str = ""


class _OnDisk(dict[str, File]):
    """The files of a folder: whatever is asked for and not there is missing."""

    def __contains__(self, path: object) -> bool:
        return True

    def get(self, path: str, default: Any = None) -> Any:
        """Return a file."""
        return self[path] if path in self.keys() else NoFile.MISSING


class _EveryFolder(frozenset[str]):
    """All folders, of which each was read."""

    def __contains__(self, path: object) -> bool:
        return True


def made_of(case: Vector, folder: Path) -> Made:
    """Return what would be created of a case."""
    contents = _OnDisk({f"{FOLDER}/{name}": content for name, content in case.contents.items()})
    files = Files(contents, _EveryFolder())
    try:
        config = read_mirrord(case.text.encode(), f"{FOLDER}/{case.file}", files)
    except ConfigurationError as error:
        return Made(refused="\n".join(f"{each.line}: {each.message}" for each in error.problems))
    if config.target is None:
        return Made(refused="no target")
    return Made(_with_key(_objects(config, case)))


def _objects(config: MirrordConfig, case: Vector) -> Mapping[str, Any]:
    preview = a_preview()
    target = config.target or parse_target("deployment/web")
    desired = DesiredSession(
        service="web",
        namespace=config.namespace or case.namespace,
        target=target,
        container=target.container or "main",
        image=IMAGE,
        parts=parts_of_mirrord(config),
        head_sha=HEAD,
        ttl_seconds=90_000,
    )
    session = manifest(preview, desired)
    made = [
        branches.manifest(
            preview,
            DesiredBranch(
                branch=branch,
                namespace=desired.namespace,
                service=desired.service,
                target=session["spec"]["target"],
                head_sha=HEAD,
                image=IMAGE,
                ttl_seconds=90_000,
            ),
        )
        for branch in desired.parts.branches
    ]
    return {"session": session, "branches": by_engine(made)}


def by_engine(manifests: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return branches by their engine, in an order that no name decides: of the CLI there is none."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in sorted(manifests, key=lambda each: json.dumps(each["spec"]["connectionSource"])):
        (engine,) = (name for name in each["spec"] if name.endswith("Options"))
        found.setdefault(engine, []).append(each)
    return found


def _with_key(value: Any) -> Any:
    key = a_preview().spec.environment_key
    if isinstance(value, str):
        return value.replace(key, KEY)
    if isinstance(value, Mapping):
        return {name: _with_key(inner) for name, inner in value.items()}
    return [_with_key(inner) for inner in value] if isinstance(value, list) else value
