"""What a service calls its build: a workflow's file, or a check."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, WithJsonSchema, model_validator

from previewbot.config import types as t
from previewbot.config.types import about, mistake

FOLDER = ".github/workflows/"
"""Where GitHub looks for workflows, and only directly there
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax)."""

_FILE = r"[^/\\]{1,200}\.ya?ml"
_SCHEMA = {"type": "string", "pattern": rf"^(\./)?(\.github/workflows/)?{_FILE}$"}
_ONE_OF_THEM: dict[str, Any] = {"minProperties": 1, "maxProperties": 1}
_LONGEST_CHECK = 200


def _workflow(written: str) -> str:
    file = written.removeprefix("./").removeprefix(FOLDER)
    if not re.fullmatch(_FILE, file):
        raise mistake("workflow", written=written)
    return FOLDER + file


def _check(written: str) -> str:
    if len(written) > _LONGEST_CHECK:
        raise mistake("check_name", most=_LONGEST_CHECK)
    return written


class NamedBuild(t.Model):
    """Which run builds a service's image; `workflow` comes out as the path that GitHub tells."""

    model_config = ConfigDict(json_schema_extra=_ONE_OF_THEM)

    workflow: Annotated[t.Text, AfterValidator(_workflow), WithJsonSchema(_SCHEMA)] | None = about(
        "the file of a workflow in `.github/workflows`", "docker.yml", default=None
    )
    check: (
        Annotated[
            t.Text,
            AfterValidator(_check),
            WithJsonSchema({"type": "string", "pattern": t.TEXT, "maxLength": _LONGEST_CHECK}),
        ]
        | None
    ) = about("the name of a check run, such as a job's or another CI system's", "build image", default=None)

    @model_validator(mode="after")
    def _names_one(self) -> NamedBuild:
        if (self.workflow is None) == (self.check is None):
            raise mistake("build")
        return self

    @property
    def called(self) -> str:
        """What readers know it by: the file's name, or the check's."""
        return self.workflow.removeprefix(FOLDER) if self.workflow else self.check or ""
