"""Which paths of a front end are pictured, as the file says for a service or an entry."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from previewbot.api.pictures import MOST_PATHS
from previewbot.config import types as t
from previewbot.config.repository.values import OPEN_SCHEMA, open_path
from previewbot.config.types import about

PicturedPaths = Annotated[
    tuple[Annotated[t.Text, AfterValidator(open_path), OPEN_SCHEMA], ...], Field(max_length=MOST_PATHS)
]

PICTURED = about(
    "paths of its link of which there are pictures, where the server takes any; left out: the one on which "
    "the link lands; an empty list: none",
    ["/", "/cart"],
    default=None,
)
