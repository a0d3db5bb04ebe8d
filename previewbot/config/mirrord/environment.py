"""`feature.env`: what a session has of its target's environment variables, and its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from previewbot.config.keys import KEY
from previewbot.config.mirrord.values import Choice, Text, Texts, Truth, checked_pattern, switched
from previewbot.config.types import mistake

_NAME = re.compile(r"[ -<>-~]+")
"""What Kubernetes takes as the name of a variable."""


def checked_names(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return variables whose names Kubernetes takes, and whose values a process can have."""
    for name, value in values.items():
        if not _NAME.fullmatch(name.replace(KEY, "key")):
            raise mistake("override_name", written=name)
        if "\0" in value:
            raise mistake("override_value", written=name)
    return values


def _patterns(values: Mapping[str, str]) -> Mapping[str, str]:
    for pattern in values:
        checked_pattern(pattern)
    return values


class EnvFeature(Choice):
    """`feature.env`; `false` is that nothing of the target's is kept."""

    env_file: Text | None = None
    load_from_process: Truth | None = None
    mapping: Annotated[Mapping[str, Text], AfterValidator(_patterns)] | None = None
    override: Annotated[Mapping[str, Text], AfterValidator(checked_names)] | None = None
    unset: Texts | None = None


EnvSwitch = Annotated[EnvFeature, switched({"exclude": ["*"]})]
