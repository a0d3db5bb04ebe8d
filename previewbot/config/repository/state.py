"""State of a preview's own: `databases`, `queues` and `idle` in `preview.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationInfo,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from previewbot.config import types as t
from previewbot.config.mirrord.database_notes import notes_of_database
from previewbot.config.mirrord.databases import Copy, DatabaseName, KeptDatabase
from previewbot.config.mirrord.files import Files
from previewbot.config.mirrord.migrations import archived
from previewbot.config.mirrord.paths import find_below
from previewbot.config.mirrord.queues import Queue, QueueId
from previewbot.config.repository.targets import LabelTemplate
from previewbot.config.types import about, mistake, within
from previewbot.config.words import fill, shown
from previewbot.errors import Problem

STAGINGS = "staging"
"""In the place of a database or a queue: staging's own is used, on purpose."""
NONE = "none"
"""In the place of databases or queues: the service uses none."""
_SHORTEST_SLEEP = timedelta(seconds=30)


@dataclass(frozen=True)
class Declared:
    """A database that `preview.yaml` declares; `archive` are the files of its migrations, packed."""

    database: KeptDatabase
    archive: str = ""

    def copy(self, name: str) -> Copy:
        """Return it as mirrord files have their copies."""
        return Copy(name, self.database, kept=self.database.keep == "pushes", archive=self.archive)


@dataclass(frozen=True, eq=False)
class _OrWord:
    """Takes a word in the place of a value, which stands for None; `for_none` is that there are none."""

    word: str
    for_none: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)

        def read(value: object, handler: Any) -> object:
            if value == self.word:
                return {} if self.for_none else None
            return handler(value)

        return core_schema.no_info_wrap_validator_function(read, inner)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), OR_WORD: self.word}


OR_WORD = "x-or-word"
"""In a schema: the word that may stand there instead, which is published as one of two forms."""


class _WithFiles:
    """Reads a database with the files of its migrations, which whoever reads the file knows."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object, handler: Any, info: ValidationInfo) -> object:
            if value is None or isinstance(value, Declared):
                return value
            database = handler(value)
            return Declared(database, _archive(database, (info.context or {}).get("files") or Files()))

        return core_schema.with_info_wrap_validator_function(read, handler.generate_schema(KeptDatabase))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema)


def _archive(database: KeptDatabase, files: Files) -> str:
    try:
        return archived(database.migrations, lambda folder: find_below(folder, "", files))
    except PydanticCustomError as error:
        raise within(error, "migrations.path") from None


def _no_word(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if NONE in value:
        raise mistake("name_is_word", at=NONE, written=NONE)
    return value


def _listed(value: object) -> object:
    # One value is a list of it by now.
    return [] if value in (NONE, [NONE]) else value


def _distinct(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


Databases = Annotated[
    dict[DatabaseName, Annotated[Declared | None, _WithFiles(), _OrWord(STAGINGS)]],
    AfterValidator(_no_word),
]
"""By its name what a database is: a copy of staging's, or (None) staging's own."""

UsedDatabases = Annotated[tuple[t.Label, ...], BeforeValidator(_listed), AfterValidator(_distinct)]
UsedDatabasesTemplate = Annotated[tuple[LabelTemplate, ...], BeforeValidator(_listed)]
Queues = Annotated[dict[QueueId, Annotated[Queue | None, _OrWord(STAGINGS)]], _OrWord(NONE, for_none=True)]
"""By its id how a queue is split; None is a queue that is staging's own, and shared."""


class IdleAfter(t.Model):
    """When a preview that nobody uses goes to sleep."""

    after: t.Duration = about("how long nobody asked anything of it", "30m")


def _idle(value: object, handler: Any) -> object:
    # YAML reads `off` without quotes as false.
    return False if value is False or value == "off" else handler(value)


def _long_enough(value: IdleAfter | Literal[False]) -> IdleAfter | Literal[False]:
    if value is not False and value.after < _SHORTEST_SLEEP:
        raise mistake("idle_short", at="after")
    return value


class _OrOff:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler.generate_schema(IdleAfter)
        return core_schema.no_info_wrap_validator_function(_idle, inner)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), OR_WORD: "off"}


Idle = Annotated[IdleAfter | Literal[False], _OrOff(), AfterValidator(_long_enough)]
"""When it sleeps; False: never."""


def notes_of(databases: Mapping[str, Declared | None], lines: Mapping[str, int]) -> Iterator[Problem]:
    """Yield what is said of copies and not refused, with its line."""
    for name, declared in databases.items():
        for path, kind, named in notes_of_database(declared.database) if declared is not None else ():
            keys = ["databases", name, *map(str, path)]
            written = (".".join(keys[:end]) for end in range(len(keys), 0, -1))
            line = next(filter(None, map(partial(_line, lines), written)), 0)
            yield Problem(line, f"{shown('.'.join(keys))} {fill(kind, named)}")


def _line(lines: Mapping[str, int], written: str) -> int:
    return lines.get(written, 0)
