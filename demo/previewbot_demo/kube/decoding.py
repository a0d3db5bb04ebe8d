"""What becomes of a body before anything is done with it: is it such an object, and does it say too much
(https://kubernetes.io/docs/reference/using-api/api-concepts/#setting-the-field-validation-level)?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from previewbot_demo.kube import status
from previewbot_demo.kube.json_copy import json_copy
from previewbot_demo.kube.resources import Resource
from previewbot_demo.kube.schema import completed, pruned, unknown_fields
from previewbot_demo.kube.status import Cause

STRICT = "Strict"
_OUTSIDE = ("apiVersion", "kind", "metadata")
_NAME_RE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_NAME_LENGTH = 253
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{_NAME_RE.pattern}')"
)
_LABEL_RE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_LABEL_LENGTH = 63
_LABEL_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    f"for validation is '{_LABEL_RE.pattern}')"
)
_MICRO_TIME_RE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Decoded:
    """An object as it may be stored, and what the sender is warned of."""

    object: dict[str, Any]
    warnings: tuple[str, ...] = ()


def json_object(text: str, resource: Resource) -> dict[str, Any]:
    """Return the JSON object in a body; raises KubeError."""
    unrecognized = f"the object provided is unrecognized (must be of type {resource.kind})"
    try:
        body = json.loads(text)
    except ValueError as error:
        raise status.bad_request(
            f"{unrecognized}: couldn't get version/kind; json parse error: {error}"
        ) from error
    if not isinstance(body, dict):
        raise status.bad_request(f"{unrecognized}: couldn't get version/kind: it is no object")
    return body


def decoded(resource: Resource, body: Mapping[str, Any], validation: str) -> Decoded:
    """Return a body as an object of the resource; raises KubeError if it is none.

    Unknown fields are refused if `validation` is Strict, else left out with a warning (Ignore: without).
    """
    if not body.get("kind"):
        unrecognized = f"the object provided is unrecognized (must be of type {resource.kind})"
        raise status.bad_request(f"{unrecognized}: Object 'Kind' is missing")
    if body.get("apiVersion") != resource.api_version:
        versions = f"({body.get('apiVersion')}) does not match the expected API version"
        raise status.bad_request(f"the API version in the data {versions} ({resource.api_version})")
    obj = json_copy(dict(body))
    _check_times(resource, obj)
    if resource.schema is None:
        return Decoded(obj)
    content = {key: value for key, value in obj.items() if key not in _OUTSIDE}
    unknown = [f'unknown field "{field}"' for field in unknown_fields(resource.schema, content)]
    if unknown and validation == STRICT:
        what = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}'
        raise status.bad_request(f"{what}: strict decoding error: {', '.join(unknown)}")
    kept = completed(resource.schema, pruned(resource.schema, content))
    outside = {key: obj[key] for key in _OUTSIDE if key in obj}
    return Decoded(outside | kept, () if validation == "Ignore" else tuple(unknown))


def wrong_metadata(resource: Resource, obj: Mapping[str, Any]) -> list[Cause]:
    """Return what is wrong with an object's kind, name and labels."""
    metadata = obj["metadata"]
    name, found = str(metadata.get("name") or ""), []
    if obj["kind"] != resource.kind:
        text = f'Invalid value: "{obj["kind"]}": must be {resource.kind}'
        found.append(Cause("kind", "FieldValueInvalid", text))
    if not name:
        text = "Required value: name or generateName is required"
        found.append(Cause("metadata.name", "FieldValueRequired", text))
    elif not _NAME_RE.fullmatch(name):
        found.append(Cause("metadata.name", "FieldValueInvalid", f'Invalid value: "{name}": {_NAME_RULE}'))
    elif len(name) > _NAME_LENGTH:
        text = f'Invalid value: "{name}": must be no more than {_NAME_LENGTH} bytes'
        found.append(Cause("metadata.name", "FieldValueInvalid", text))
    for value in (metadata.get("labels") or {}).values():
        rule = "" if _LABEL_RE.fullmatch(value) else _LABEL_RULE
        rule = f"must be no more than {_LABEL_LENGTH} bytes" if len(value) > _LABEL_LENGTH else rule
        if rule:
            text = f'Invalid value: "{value}": {rule}'
            found.append(Cause("metadata.labels", "FieldValueInvalid", text))
    return found


def _check_times(resource: Resource, obj: Mapping[str, Any]) -> None:
    """A Lease's times must have microseconds, all six digits of them."""
    if resource.kind != "Lease":
        return
    for field in ("acquireTime", "renewTime"):
        value = (obj.get("spec") or {}).get(field)
        if value is not None and not _MICRO_TIME_RE.fullmatch(value):
            what = f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00"'
            raise status.bad_request(f'Lease in version "v1" cannot be handled as a Lease: {what}')
