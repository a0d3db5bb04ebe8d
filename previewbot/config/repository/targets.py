"""The workload that a session stands in for, as mirrord writes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from previewbot.config import types as t
from previewbot.config.repository.image_fields import SERVICE_FIELD
from previewbot.config.target_paths import NAME, TargetPath, parse_target
from previewbot.config.types import TARGET_KINDS, is_label, mistake
from previewbot.config.words import Raw, did_you_mean

_KINDS = "|".join(TARGET_KINDS)
_TARGET = rf"^({_KINDS})/{NAME}(/container/{t.LABEL})?$"
_SIGN = r"([a-z0-9]|\{service\})"
_TEMPLATE = (
    rf"^({_KINDS})/{_SIGN}(([.-]|{_SIGN}){{0,251}}{_SIGN})?"
    rf"(/container/{_SIGN}((-|{_SIGN}){{0,61}}{_SIGN})?)?$"
)


def _target(value: object) -> object:
    return value if isinstance(value, TargetPath) else _read(value)


def _template(value: object) -> object:
    # Whichever service it is filled in with, its name has these signs.
    _read(value.replace(SERVICE_FIELD, "service") if isinstance(value, str) else value, value)
    return value


def _label_template(value: str) -> str:
    if not is_label(value.replace(SERVICE_FIELD, "s")):
        raise mistake("label")
    return value


def _read(value: object, written: object = None) -> TargetPath:
    if not isinstance(value, str):
        # Of a mapping pydantic would make a TargetPath, whose parts nobody has looked at.
        raise mistake("string_type")
    try:
        return parse_target(value)
    except ValueError as error:
        kind = value.split("/")[0]
        near = "" if kind in TARGET_KINDS else did_you_mean(kind, TARGET_KINDS, always=False)
        raise mistake("target", expected=Raw(error), written=written or value, near=Raw(near)) from None


Target = Annotated[
    TargetPath,
    BeforeValidator(_target),
    WithJsonSchema({"type": "string", "pattern": _TARGET}),
]
ServiceTarget = Annotated[
    TargetPath,
    BeforeValidator(_target),
    WithJsonSchema({"type": "string", "pattern": _TEMPLATE}),
]
"""That of a service, in which `{service}` may stand for its name until it is filled in."""
TargetTemplate = Annotated[
    str,
    BeforeValidator(_template),
    WithJsonSchema({"type": "string", "pattern": _TEMPLATE}),
]
"""That of all services: `deployment/{service}`."""

_LABEL_TEMPLATE = WithJsonSchema({"type": "string", "pattern": rf"^{_SIGN}((-|{_SIGN}){{0,61}}{_SIGN})?$"})
ServiceLabel = Annotated[t.Label, _LABEL_TEMPLATE]
"""A name in which `{service}` may stand for the service's own until it is filled in."""
LabelTemplate = Annotated[t.Text, AfterValidator(_label_template), _LABEL_TEMPLATE]
"""That of all services: `{service}-staging`, where each has a namespace of its own."""
