"""Which paths of a front end are pictured, as the file says for a service or an entry."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from previewbot.api.pictures import MOST_OF_A_PATH, MOST_PATHS
from previewbot.config import types as t
from previewbot.config.repository.values import OPEN_PATTERN, open_path
from previewbot.config.types import about, mistake


def _short(written: str) -> str:
    if len(written) > MOST_OF_A_PATH:
        raise mistake("picture_long", most=MOST_OF_A_PATH)
    return written


_SCHEMA = WithJsonSchema({**OPEN_PATTERN, "maxLength": MOST_OF_A_PATH})
_Path = Annotated[t.Text, AfterValidator(open_path), AfterValidator(_short), _SCHEMA]
PicturedPaths = Annotated[tuple[_Path, ...], Field(max_length=MOST_PATHS)]

PICTURED = about(
    "paths of its link of which there are pictures, where the server takes any; left out: the one on which "
    "the link lands; an empty list: none",
    ["/", "/cart"],
    default=None,
)
