"""The forms in which a mirrord file names its target: a text, an object by kind, with a namespace or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from previewbot.config import types as t
from previewbot.config.keys import KEY
from previewbot.config.mirrord.values import Short
from previewbot.config.target_paths import TargetPath, parse_target
from previewbot.config.types import mistake
from previewbot.config.words import Raw, did_you_mean

_WORDS = {
    "deployment": "deployment",
    "deploy": "deployment",
    "rollout": "rollout",
    "pod": "pod",
    "job": "job",
    "cronjob": "cronjob",
    "statefulset": "statefulset",
    "service": "service",
    "replicaset": "replicaset",
}
"""mirrord's words for kinds in a text, each with the one that previewbot knows it by."""
_KEYS = {
    "deployment": "deployment",
    "rollout": "rollout",
    "pod": "pod",
    "job": "job",
    "cron_job": "cronjob",
    "stateful_set": "statefulset",
    "service": "service",
    "replica_set": "replicaset",
}
"""The same as keys of an object."""


def _path(value: object) -> object:
    if isinstance(value, Mapping):
        return _parsed(_of_keys(value), value)
    if not isinstance(value, str):
        raise mistake("target_type")
    word, slash, rest = value.partition("/")
    if value == "targetless":
        raise mistake("target_none")
    if word == "label":
        raise mistake("target_label")
    if word not in _WORDS or not slash:
        near = did_you_mean(word, _WORDS, always=False)
        raise mistake("mirrord_target", expected=Raw(_EXPECTED), written=value, near=Raw(near))
    return _parsed(f"{_WORDS[word]}/{rest}", value)


_EXPECTED = "must be kind/name, with /container/<name> after it if need be"


def _of_keys(value: Mapping[str, object]) -> str:
    if "labels" in value:
        raise mistake("target_label")
    kinds = [key for key in value if key in _KEYS]
    others = [key for key in value if key not in _KEYS and key != "container"]
    if len(kinds) != 1 or others or not all(isinstance(each, str) for each in value.values()):
        raise mistake("target_object", kinds=Raw(", ".join(_KEYS)))
    container = f"/container/{value['container']}" if "container" in value else ""
    return f"{_KEYS[kinds[0]]}/{value[kinds[0]]}{container}"


def _parsed(text: str, written: object) -> TargetPath:
    if KEY in text:
        raise mistake("target_key")
    name = text.split("/")[1]
    shown = written if isinstance(written, str) else text
    if not name:
        raise mistake("mirrord_target", expected=Raw("must name a workload"), written=shown, near=Raw(""))
    try:
        return parse_target(text)
    except ValueError as error:
        raise mistake("mirrord_target", expected=Raw(error), written=shown, near=Raw("")) from None


def _whole(value: object) -> object:
    if isinstance(value, str) or (isinstance(value, Mapping) and not value.keys() & {"path", "namespace"}):
        return {"path": value} if value else {}
    return value


_PATH = {"type": ["string", "object"]}
MirrordTargetPath = Annotated[TargetPath, BeforeValidator(_path), WithJsonSchema(_PATH)]


class Target(t.Model):
    """`target`: the workload a session stands in for, and where it is."""

    path: MirrordTargetPath | None = None
    namespace: t.Label | None = None


TargetSwitch = Annotated[Target, Short(_whole, ({"type": "string"},))]
