"""Reading fields of GitHub's JSON by path, with an error that names what is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NoReturn

from previewbot.api.names import is_full_name, is_sha
from previewbot.errors import RemoteError


def text(obj: Any, path: str) -> str:
    """Return the string at a dotted path; raises RemoteError if it is missing or something else."""
    value = _at(obj, path)
    return value if isinstance(value, str) else _refuse(path, "a text")


def full_name(obj: Any, path: str) -> str:
    """Return the `owner/name` at a dotted path, fit for an address; raises RemoteError if it is none."""
    value = text(obj, path)
    return value if is_full_name(value) else _refuse(path, "owner/name")


def sha(obj: Any, path: str) -> str:
    """Return the SHA of a commit (SHA-1 or SHA-256) at a dotted path; raises RemoteError if it is none."""
    value = text(obj, path)
    return value if is_sha(value) else _refuse(path, "the SHA of a commit")


def number(obj: Any, path: str) -> int:
    """Return the integer at a dotted path; raises RemoteError if it is missing or something else."""
    value = _at(obj, path)
    return (
        # For Python, True is a whole number.
        value if isinstance(value, int) and not isinstance(value, bool) else _refuse(path, "a whole number")
    )


def flag(obj: Any, path: str) -> bool:
    """Return the boolean at a dotted path; raises RemoteError if it is missing or something else."""
    value = _at(obj, path)
    return value if isinstance(value, bool) else _refuse(path, "true or false")


def items(obj: Any, path: str) -> list[Any]:
    """Return the list at a dotted path (`""`: the value itself); raises RemoteError if it is none."""
    value = _at(obj, path)
    return value if isinstance(value, list) else _refuse(path, "a list")


def moment(obj: Any, path: str) -> datetime:
    """Return the time (ISO 8601) at a dotted path, with its zone; raises RemoteError if it is none."""
    value = text(obj, path)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return _refuse(path, "a time")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def has(obj: Any, path: str) -> bool:
    """Return whether there is anything but null (or an empty object) at a dotted path."""
    value = obj
    for name in path.split("."):
        if not isinstance(value, dict):
            return False
        value = value.get(name)
    return value is not None and value != {}


def text_or_empty(obj: Any, path: str) -> str:
    """Return the string at a dotted path; `""` if there is none."""
    return text(obj, path) if has(obj, path) else ""


def number_or_zero(obj: Any, path: str) -> int:
    """Return the integer at a dotted path; 0 if there is none."""
    return number(obj, path) if has(obj, path) else 0


def moment_or_none(obj: Any, path: str) -> datetime | None:
    """Return the time at a dotted path; None if there is none."""
    return moment(obj, path) if has(obj, path) else None


def _at(obj: Any, path: str) -> Any:
    value = obj
    for name in _names(path):
        if not isinstance(value, dict) or name not in value:
            _refuse(path, "there")
        value = value[name]
    return value


def _names(path: str) -> Iterable[str]:
    return path.split(".") if path else ()


def _refuse(path: str, wanted: str) -> NoReturn:
    raise RemoteError("GitHub's answer", message=f"`{path or 'the answer'}` is not {wanted}")
