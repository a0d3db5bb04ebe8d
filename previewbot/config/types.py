"""Types of values that both files use: strict, and each with its own kind of mistake."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, PydanticUndefined, core_schema

from previewbot.config.registries import HELPER, check_host
from previewbot.config.words import Raw
from previewbot.text.durations import OutOfBounds, parse_duration

_HOST_NAME = r"localhost(:[0-9]{1,5})?|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?|[A-Za-z0-9-]+:[0-9]{1,5}"
HOST = rf"({_HOST_NAME}|\[[0-9A-Fa-f:.]+\](:[0-9]{{1,5}})?)"
REPOSITORY = r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)"
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
AGENT_KEY = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
TargetKind = Literal["deployment", "statefulset", "rollout", "replicaset", "pod", "service", "job", "cronjob"]
"""What a session may stand in for: all that mirrord's CLI 3.250 takes for one."""
TARGET_KINDS: tuple[TargetKind, ...] = get_args(TargetKind)
_DOMAIN = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DURATION = r"^([0-9]{1,8}[dD])?([0-9]{1,8}[hH])?([0-9]{1,8}[mM])?([0-9]{1,8}[sS])?$"
# Neither visible text nor a line break; what else cannot be seen, a schema has no short words for.
_CONTROL = r"\x00-\x1f\x7f-\x9f"
TEXT = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
# What would end an address in a comment or a page.
UNSAFE = r"""\s\\<>"'`()"""
_URL = rf"^[hH][tT][tT][pP][sS]?://(\[[0-9A-Za-z:.%]+\]|[^{UNSAFE}?#/:@\[\]]+)(:[0-9]{{0,5}})?(/[^{UNSAFE}?#]*)?$"


class Model(BaseModel, frozen=True, extra="forbid"):
    """A part of a configuration file: immutable, and refusing every key that it does not know."""


class Variable(str):
    """What an environment variable says: a text, from which numbers and truths are read where they belong."""

    __slots__ = ()


@dataclass(frozen=True)
class Called:
    """Gives whatever is wrong with a value one kind, under which the table has its words."""

    kind: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source), custom_error_type=self.kind, custom_error_message=self.kind
        )


def mistake(kind: str, *, at: str = "", **named: object) -> PydanticCustomError:
    """Return the error for a kind of mistake, with what its words name; `at` has the keys within."""
    return PydanticCustomError(kind, "{kind}", {"kind": kind, "at": at, **named})


def within(error: PydanticCustomError, at: str) -> PydanticCustomError:
    """Return a mistake as one of a part: `at` has the keys that lead to it."""
    return PydanticCustomError(error.type, "{kind}", {**(error.context or {}), "at": at})


def about(what: str, *examples: object, default: object = PydanticUndefined) -> Any:
    """Return what a key is about, for whoever writes the file: it is published, and told with mistakes."""
    return Field(default, description=what, examples=list(examples) or None)


def is_label(name: str) -> bool:
    """Return whether `name` is a DNS label, as namespaces, Services and containers are named."""
    return re.fullmatch(LABEL, name) is not None


def _unpacked(value: object) -> object:
    # A file says 8080 or true as such, an environment variable only as text. In a file the quotes of "8080"
    # are a mistake that is told.
    if not isinstance(value, Variable):
        return value
    try:
        # Lower case, since people write TRUE and True in an environment as well.
        return json.loads(value.lower())
    except ValueError:
        return value


def switched(value: object) -> object:
    """Return `on` and `off` where YAML made a truth of these words, as its version 1.1 does, and Helm's."""
    return ("on" if value else "off") if isinstance(value, bool) else value


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch("[1-9][0-9]{0,4}", value) else value


def _one_line(value: str, kind: str = "one_line") -> str:
    if not value.strip() or not value.isprintable():
        raise mistake(kind)
    return value


def _file(value: object) -> Path:
    return (
        value if isinstance(value, Path) else Path(_one_line(value if isinstance(value, str) else "", "file"))
    )


def _url(value: str) -> str:
    _one_line(value)
    try:
        parts = urlsplit(value)
        # Raises ValueError for a port that is no number, or a host that is none.
        usable = parts.port != 0
    except ValueError:
        raise mistake("url_secret" if "@" in value else "url") from None
    # URLs are shown in comments and logs, so that a password in one would be published.
    if "@" in parts.netloc:
        raise mistake("url_secret")
    if not usable or not re.fullmatch(_URL, value):
        raise mistake("url")
    # So that paths can be appended everywhere without two slashes.
    return value.rstrip("/")


def duration_of(value: object) -> timedelta:
    """Convert a duration as people write it."""
    if isinstance(value, timedelta):
        return value
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except OutOfBounds as error:
        raise mistake("duration_bounds", bounds=Raw(error.bounds)) from None
    except ValueError:
        raise mistake("duration") from None


def is_host(written: str) -> str:
    """Return what begins with a host; raises ValueError for a port or an IPv6 address that is none."""
    check_host(written.partition("/")[0])
    return written


def _pause(value: object) -> timedelta:
    # A pause may be nothing at all, which no other duration may be.
    if isinstance(value, str) and value and re.fullmatch(_DURATION, value) and not re.search("[1-9]", value):
        return timedelta(0)
    return duration_of(value)


Text = Annotated[str, Field(strict=True, pattern=TEXT), Called("one_line"), AfterValidator(_one_line)]
Label = Annotated[str, Field(strict=True, pattern=f"^{LABEL}$"), Called("label")]
# How an agent is called in settings and `preview.yaml`.
AgentKey = Annotated[str, Field(strict=True, pattern=f"^{AGENT_KEY}$"), Called("agent_key")]
Domain = Annotated[
    str,
    Field(strict=True, max_length=200, pattern=rf"^{_DOMAIN}(\.{_DOMAIN})*$"),
    Called("domain"),
    AfterValidator(str.lower),
]
Url = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_url),
    WithJsonSchema({"type": "string", "pattern": _URL}),
]
File = Annotated[Path, BeforeValidator(_file), WithJsonSchema({"type": "string", "pattern": TEXT})]
Truth = Annotated[bool, Field(strict=True), BeforeValidator(_unpacked)]
WholeNumber = Annotated[int, Field(strict=True, ge=1), Called("whole_number"), BeforeValidator(_unpacked)]
Port = Annotated[int, Field(strict=True, ge=1, le=65_535), Called("port"), BeforeValidator(_unpacked)]
PortAsWritten = Annotated[
    int,
    Field(strict=True, ge=1, le=65_535),
    Called("port"),
    BeforeValidator(_number),
    WithJsonSchema(
        {"type": ["integer", "string"], "minimum": 1, "maximum": 65_535, "pattern": "^[1-9][0-9]{0,4}$"}
    ),
]
"""A port, in quotes or not: nobody means anything else by "8080"."""
Duration = Annotated[
    timedelta,
    BeforeValidator(duration_of),
    WithJsonSchema({"type": "string", "pattern": _DURATION, "not": {"pattern": "^[^1-9]*$"}}),
]
Pause = Annotated[
    timedelta,
    BeforeValidator(_pause),
    WithJsonSchema({"type": "string", "pattern": _DURATION, "minLength": 2}),
]
RegistryHost = Annotated[
    str,
    Field(strict=True, pattern=f"^{HOST}$"),
    AfterValidator(is_host),
    Called("registry"),
    AfterValidator(str.lower),
]
ImagePrefix = Annotated[
    str,
    Field(strict=True, pattern=f"^{HOST}{REPOSITORY}*/?$"),
    AfterValidator(is_host),
    Called("prefix"),
]
# It becomes a part of a program's name: no slash, no dot, nothing that a file system reads in its own way.
CredentialHelper = Annotated[str, Field(strict=True, pattern=f"^{HELPER}$"), Called("credential_helper")]
