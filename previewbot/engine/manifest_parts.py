"""Reads parts of Kubernetes' objects as people write them, where nothing promises that they are whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]


def kind_of(obj: Object) -> tuple[str, str]:
    """Return the group (empty for the oldest kinds) and the kind of an object."""
    group, slash, _ = str(obj.get("apiVersion") or "").partition("/")
    return (group if slash else ""), str(obj.get("kind") or "")


def name_of(obj: Object) -> str:
    """Return the name of an object; empty if it has none."""
    return str(mapping(obj, "metadata").get("name") or "")


def namespace_of(obj: Object) -> str:
    """Return the namespace of an object; empty if it says none."""
    return str(mapping(obj, "metadata").get("namespace") or "")


def is_port(value: object) -> bool:
    """Return whether this is the number of a port."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65536


def mapping(obj: object, key: str) -> Object:
    """Return a part of an object; empty where it is missing, or something else."""
    found = obj.get(key) if isinstance(obj, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def listed(obj: object, key: str) -> Sequence[Object]:
    """Return the objects of a list; none where it is missing, or something else."""
    found = obj.get(key) if isinstance(obj, Mapping) else None
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list | tuple) else []


def strings(obj: Object, key: str) -> Sequence[str]:
    """Return the texts of a list; none where it is missing, or something else."""
    found = obj.get(key)
    return [each for each in found if isinstance(each, str)] if isinstance(found, list | tuple) else []


def texts(labels: Object) -> dict[str, str]:
    """Return labels as texts, whatever YAML made of them."""
    return {str(key): str(value) for key, value in labels.items()}
