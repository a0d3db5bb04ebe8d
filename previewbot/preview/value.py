"""What the parts of a Preview have in common: immutable, in camel case, lenient about newer fields."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Value(BaseModel):
    """A part of a Preview; fields of a newer version are ignored, so that a rollback can read it."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)
