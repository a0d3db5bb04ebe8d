"""Sessions of others that are in the way of one of ours: by its name, its key, or the requests they take.

mirrord's CLI deletes what has the same key and target, and makes its own (`mirrord preview start`);
previewbot waits and says whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import re2

from previewbot.engine.mirrord import KEY_LABEL, header
from previewbot.engine.operator import Operator, who_takes_all
from previewbot.engine.owners import is_foreign, made_by
from previewbot.rules.environment_keys import hashed_label
from previewbot.rules.masking import one_line
from previewbot.text.json import read_json

Object = Mapping[str, Any]

_LONGEST_FILTER = 2_000


def in_the_way(manifest: Object, others: Sequence[Object], operator: Operator) -> str:
    """Return what keeps a session from being made as its manifest says, and whose it is; empty if nothing.

    `others` are the sessions of its namespace; its own Preview's, and those of another key on the same target
    that leave its requests alone, are in nobody's way.
    """
    found = next((each for each in others if is_foreign(manifest, each) and _collides(manifest, each)), None)
    if found is not None:
        metadata = found["metadata"]
        return one_line(
            f"somebody else has a preview session named {metadata['name']} in the namespace "
            f"{metadata['namespace']}{made_by(metadata)}"
        )
    target, namespace = manifest["spec"]["target"], manifest["metadata"]["namespace"]
    user = who_takes_all(operator, namespace, target["kind"], target["name"], _ports(manifest))
    if user is None:
        return ""
    whose = f"the mirrord session of {user.user}" if user.user else "somebody's mirrord session"
    return one_line(f"{whose} takes all requests of {user.kind}/{user.name} in the namespace {namespace}")


def _collides(manifest: Object, other: Object) -> bool:
    if manifest["metadata"]["name"] == other["metadata"]["name"]:
        return True
    key, theirs = manifest["spec"]["key"], other.get("spec") or {}
    if _workload(manifest["spec"]) != _workload(theirs):
        return False
    # CLIs before 3.217 wrote the key itself into the label. What mirrord goes by is the spec's.
    label = (other["metadata"].get("labels") or {}).get(KEY_LABEL)
    return key == theirs.get("key") or label in (key, hashed_label(key)) or _takes_requests(manifest, other)


def _takes_requests(manifest: Object, other: Object) -> bool:
    """Return whether another session of the same workload takes the requests that are meant for ours."""
    incoming = (other.get("spec") or {}).get("incoming")
    if not isinstance(incoming, Mapping) or incoming.get("steal") is not True:
        return False
    ours, theirs = _ports(manifest), _ports(other)
    if ours and theirs and not set(ours) & set(theirs):
        return False
    text = incoming.get("httpFilter")
    if not text:
        return True
    try:
        filters = read_json(text)
    except (TypeError, ValueError):
        # A filter is a text, of which the API server only knows that it is one.
        return False
    pattern = filters.get("header_filter") if isinstance(filters, Mapping) else None
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_FILTER:
        # Of what else filters look at nothing is known before there is a request.
        return False
    # As mirrord's agent matches: whatever the case, anywhere in the line. By RE2, since the pattern is
    # somebody else's, and must not keep us busy.
    options = re2.Options()
    options.case_sensitive, options.log_errors = False, False
    try:
        return re2.compile(pattern, options).search(header(manifest["spec"]["key"])) is not None
    except re2.error:
        return False


def _workload(spec: Object) -> tuple[object, object]:
    """Return kind and name of a session's target: two of its containers take the same requests."""
    target = spec.get("target")
    return (target.get("kind"), target.get("name")) if isinstance(target, Mapping) else (None, None)


def _ports(session: Object) -> Sequence[int]:
    incoming = (session.get("spec") or {}).get("incoming")
    ports = incoming.get("ports") if isinstance(incoming, Mapping) else None
    return ports if isinstance(ports, list) else ()
