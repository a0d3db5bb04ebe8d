"""Errors as Kubernetes writes them: a `Status` with code, reason and details
(https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


@dataclass(frozen=True)
class Cause:
    """One thing that is wrong with an object."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


class KubeError(Exception):
    """An error answer; `body` is the `Status` object."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        self.code = code
        self.body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "code": code,
        }
        if reason:
            self.body["reason"] = reason
        if details:
            self.body["details"] = details
        super().__init__(message)


def not_found(plural: str, group: str, name: str) -> KubeError:
    """The object is not there."""
    return KubeError(
        404, "NotFound", f'{_of(plural, group)} "{name}" not found', name=name, group=group, kind=plural
    )


def no_namespace(name: str) -> KubeError:
    """There is no such namespace to create something in."""
    return KubeError(404, "NotFound", f'namespaces "{name}" not found', name=name, kind="namespaces")


def exists(plural: str, group: str, name: str) -> KubeError:
    """The name is taken."""
    message = f'{_of(plural, group)} "{name}" already exists'
    return KubeError(409, "AlreadyExists", message, name=name, group=group, kind=plural)


def conflict(plural: str, group: str, name: str, why: str) -> KubeError:
    """The object is not as the caller believed."""
    message = f'Operation cannot be fulfilled on {_of(plural, group)} "{name}": {why}'
    return KubeError(409, "Conflict", message, name=name, group=group, kind=plural)


def invalid(kind: str, group: str, name: str, causes: Sequence[Cause]) -> KubeError:
    """The object breaks its schema, or a rule of all objects."""
    texts = [str(cause) for cause in causes]
    why = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    named = {"name": name} if name else {}
    message = f'{_of(kind, group)} "{name}" is invalid: {why}'
    listed = [asdict(cause) for cause in causes]
    return KubeError(422, "Invalid", message, **named, group=group, kind=kind, causes=listed)


def forbidden(namespace: str, plural: str, group: str, verb: str) -> KubeError:
    """Whoever asks may not do that."""
    what = f'cannot {verb} resource "{plural}" in API group "{group}" in the namespace "{namespace}"'
    message = f'{plural}.{group} is forbidden: User "previewbot-demo" {what}'
    return KubeError(403, "Forbidden", message)


def bad_request(message: str) -> KubeError:
    """The request itself makes no sense."""
    return KubeError(400, "BadRequest", message)


def not_allowed(plural: str, group: str, verb: str) -> KubeError:
    """This resource knows no such verb."""
    message = f'{verb} is not supported on resources of kind "{_of(plural, group)}"'
    return KubeError(405, "MethodNotAllowed", message, group=group, kind=plural)


def unknown_format(accepted: Sequence[str]) -> KubeError:
    """The body is of a type that is not understood."""
    types = ", ".join(accepted)
    message = f"the body of the request was in an unknown format - accepted media types include: {types}"
    return KubeError(415, "UnsupportedMediaType", message)


def expired(version: int, oldest: int) -> KubeError:
    """The watch would begin before what is remembered."""
    return KubeError(410, "Expired", f"too old resource version: {version} ({oldest})")


def continue_expired() -> KubeError:
    """The list can no longer be gone on with as it was when it began."""
    message = "The provided continue parameter is too old to display a consistent list result."
    return KubeError(410, "Expired", message)


def success(plural: str, group: str, name: str, uid: str) -> dict[str, Any]:
    """Return what is answered for an object that is gone at once."""
    details = {"name": name, "group": group, "kind": plural, "uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _of(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural
