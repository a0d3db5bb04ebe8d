"""Label and field selectors (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from previewbot_demo.kube.status import bad_request

Object = Mapping[str, Any]
_SET_RE = re.compile(r"^(\S+)\s+(in|notin)\s+\(([^)]*)\)$")
_KEY_RE = re.compile(r"!?[A-Za-z0-9][-A-Za-z0-9_./]*")
_SPLIT_RE = re.compile(r",(?![^(]*\))")


def matcher(
    label_selector: str, field_selector: str, selectable: Sequence[str] = ()
) -> Callable[[Object], bool]:
    """Return what tells whether an object is selected; raises KubeError for a selector it cannot read.

    Besides name and namespace, only `selectable` fields can be asked for.
    """
    labels = [_label(part.strip()) for part in _SPLIT_RE.split(label_selector) if part.strip()]
    fields = [_field(part.strip(), selectable) for part in field_selector.split(",") if part.strip()]
    return lambda obj: all(check(obj) for check in (*labels, *fields))


def _labels(obj: Object) -> Mapping[str, str]:
    return obj["metadata"].get("labels") or {}


def _label(part: str) -> Callable[[Object], bool]:
    found = _SET_RE.match(part)
    if found:
        key, operator, listed = found[1], found[2], {value.strip() for value in found[3].split(",")}
        if operator == "in":
            return lambda obj: _labels(obj).get(key) in listed
        return lambda obj: _labels(obj).get(key) not in listed
    if "!=" in part:
        key, value = (side.strip() for side in part.split("!=", 1))
        return lambda obj: _labels(obj).get(key) != value
    if "=" in part:
        key, value = (side.strip() for side in part.replace("==", "=").split("=", 1))
        return lambda obj: _labels(obj).get(key) == value
    if not _KEY_RE.fullmatch(part):
        raise bad_request(f"unable to parse requirement: {part}")
    if part.startswith("!"):
        return lambda obj: part[1:] not in _labels(obj)
    return lambda obj: part in _labels(obj)


def _field(part: str, selectable: Sequence[str]) -> Callable[[Object], bool]:
    path, _, value = part.partition("=")
    if path not in ("metadata.name", "metadata.namespace", *selectable):
        raise bad_request(f"field label not supported: {path}")
    return lambda obj: _at(obj, path) == value.lstrip("=")


def _at(obj: Object, path: str) -> object:
    """Return the value of a field, which is empty if it is not set."""
    found: Any = obj
    for key in path.split("."):
        found = (found or {}).get(key)
    return found or ""
