"""`feature.preview`: what mirrord's CLI makes of a preview session beside its target and its requests."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from previewbot.config import types as t
from previewbot.config.mirrord.values import Choice, Number, Text, Truth
from previewbot.config.types import mistake

FOREVER = 4_294_967_295
"""The seconds that mean to the CLI that a preview has no end."""
_SHORTEST_SLEEP = 30
# As Kubernetes takes it, which makes `etc/a` a path from the root.
_PATH = re.compile(r"[^\0:]+")


def _ttl(value: object) -> object:
    if value == "infinite" or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        if value == 0:
            raise mistake("ttl_zero")
        return value
    raise mistake("mirrord_ttl")


Ttl = Annotated[
    int | Literal["infinite"],
    BeforeValidator(_ttl),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": "infinite"}]}),
]


def _replicas(value: int) -> int:
    if value == 0:
        raise mistake("replicas_none")
    return value


def _mount_path(value: str) -> str:
    if not _PATH.fullmatch(value) or value.strip("/") == "" or {".", ".."} & set(value.split("/")):
        raise mistake("mount_path", written=value)
    return value


class Mount(t.Model):
    """A file in the session's container: `payload` with its `type`, or a file of the repository."""

    mount_at: Annotated[Text, AfterValidator(_mount_path)]
    from_file: Text | None = None
    payload: Text | None = None
    type: Literal["text", "binary"] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Mount:
        if (self.payload is None) == (self.from_file is None):
            raise mistake("mount_source" if self.payload is None else "mount_sources")
        if self.from_file is not None and self.type is not None:
            raise mistake("mount_type_of_file", at="type")
        if self.payload is not None and self.type is None:
            raise mistake("mount_no_type")
        if self.type == "binary" and not _is_base64(self.payload or ""):
            raise mistake("mount_base64", at="payload")
        return self


def _is_base64(text: str) -> bool:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return base64.b64encode(raw).decode() == text


def _no_two(mounts: tuple[Mount, ...]) -> tuple[Mount, ...]:
    seen = set[str]()
    for number, mount in enumerate(mounts):
        if mount.mount_at in seen:
            raise mistake("mount_twice", at=f"{number}.mount_at", written=mount.mount_at)
        seen.add(mount.mount_at)
    return mounts


Mounts = Annotated[tuple[Mount, ...], AfterValidator(_no_two)]


class Labels(Choice):
    """`feature.preview.labels`: which labels of the target's pods a session's pods have."""


class IdleFeature(t.Model):
    """`feature.preview.idle`."""

    sleep_after_secs: Annotated[Number, Field(ge=_SHORTEST_SLEEP), t.Called("sleep_short")] | None = None
    start_idle: Truth | None = None
    wake_timeout_secs: Annotated[Number, Field(ge=1), t.Called("wake_zero")] | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the CLI sends anything of it."""
        return bool(self.start_idle) or self.sleep_after_secs is not None


class PreviewFeature(t.Model):
    """`feature.preview`."""

    config_mounts: Mounts | None = None
    creation_timeout_secs: Number | None = None
    idle: IdleFeature | None = None
    image: Text | None = None
    labels: Labels | None = None
    replicas: Annotated[Number, AfterValidator(_replicas)] | None = None
    secret_mounts: Mounts | None = None
    ttl_mins: Ttl | None = None
    ttl_secs: Ttl | None = None

    @model_validator(mode="after")
    def _fits(self) -> PreviewFeature:
        if self.ttl_mins is not None and self.ttl_secs is not None:
            raise mistake("ttl_twice", at="ttl_secs")
        taken = {mount.mount_at for mount in self.config_mounts or ()}
        for number, mount in enumerate(self.secret_mounts or ()):
            if mount.mount_at in taken:
                raise mistake("mount_twice", at=f"secret_mounts.{number}.mount_at", written=mount.mount_at)
        return self
