"""Errors as Kubernetes writes them: a `Status` with code, reason and details
(https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/)."""

from __future__ import annotations

from typing import Any


class KubeError(Exception):
    """An error answer; `body` is the `Status` object."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        self.code = code
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details,
            "code": code,
        }
        super().__init__(message)


def not_found(plural: str, group: str, name: str) -> KubeError:
    """The object is not there."""
    return KubeError(
        404, "NotFound", f'{_of(plural, group)} "{name}" not found', name=name, group=group, kind=plural
    )


def no_resource() -> KubeError:
    """There is no such resource or path at all."""
    return KubeError(404, "NotFound", "the server could not find the requested resource")


def exists(plural: str, group: str, name: str) -> KubeError:
    """The name is taken."""
    message = f'{_of(plural, group)} "{name}" already exists'
    return KubeError(409, "AlreadyExists", message, name=name, group=group, kind=plural)


def conflict(plural: str, group: str, name: str, why: str) -> KubeError:
    """The object is not as the caller believed."""
    message = f'Operation cannot be fulfilled on {_of(plural, group)} "{name}": {why}'
    return KubeError(409, "Conflict", message, name=name, group=group, kind=plural)


def invalid(kind: str, group: str, name: str, causes: list[str]) -> KubeError:
    """The object breaks its schema."""
    message = f'{kind}.{group} "{name}" is invalid: {"; ".join(causes)}'
    listed = [{"reason": "FieldValueInvalid", "message": cause} for cause in causes]
    return KubeError(422, "Invalid", message, name=name, group=group, kind=kind, causes=listed)


def bad_request(message: str) -> KubeError:
    """The request itself makes no sense."""
    return KubeError(400, "BadRequest", message)


def expired(version: int, oldest: int) -> KubeError:
    """The watch would begin before what is remembered."""
    return KubeError(410, "Expired", f"too old resource version: {version} ({oldest})")


def _of(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural
