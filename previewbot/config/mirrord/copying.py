"""What a database branch has in it at first: `copy`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from previewbot.config import types as t
from previewbot.config.mirrord.values import Text
from previewbot.config.types import about, mistake

_WITH_COLLECTIONS = ("mongodb", "dynamodb")
_WITH_DUMP_ARGS = ("pg", "mysql", "mariadb")
_WITHOUT_SCHEMA = ("mongodb", "dynamodb", "redis")

Table = Annotated[
    str,
    Field(strict=True, pattern=r"^.+$"),
    t.Called("table_name"),
    about("tables by their names", "orders"),
]


class Rows(t.Model):
    """What of one table (MongoDB, DynamoDB: collection) is copied."""

    filter: Text | None = about(
        "which rows: a WHERE clause, or a query of the engine's own",
        "created_at > now() - interval '7 days'",
        default=None,
    )


class Copying(t.Model):
    """What a branch has in it at first."""

    mode: Literal["empty", "schema", "all"] = about(
        "`empty`: nothing; `schema`: tables without rows; `all`: everything", "schema"
    )
    tables: Mapping[Table, Rows] | None = about(
        "tables of which rows are copied as well", {"countries": {}}, default=None
    )
    collections: Mapping[Table, Rows] | None = about(
        "collections of which documents are copied", {"countries": {}}, default=None
    )
    patterns: tuple[Text, ...] | None = about("keys that are copied, of Redis", ["user:*"], default=None)
    dump_args: tuple[Text, ...] | None = about(
        "arguments of the tool that copies, in place of mirrord's", ["--no-owner"], default=None
    )


def check_copying(engine: str, copying: Copying) -> None:
    """Raise a mistake for what an engine does not copy; `at` begins with the branch's `copy`.

    Of some engines the CLI takes `tables` with mode `all` and leaves them out: whole tables are copied, where
    somebody wrote that few rows should be.
    """
    if copying.mode == "schema" and engine in _WITHOUT_SCHEMA:
        raise mistake("copy_mode", at="copy.mode", type=engine)
    for name in ("collections", "dump_args", "patterns", "tables"):
        if getattr(copying, name) is not None and name not in _taken(engine, copying.mode):
            raise mistake("copy_other", at=f"copy.{name}", mode=copying.mode, type=engine)


def _taken(engine: str, mode: str) -> set[str]:
    if engine in _WITH_COLLECTIONS:
        return {"collections"}
    if engine == "redis":
        return {"patterns"} if mode == "all" else set()
    tables = set() if mode == "all" else {"tables"}
    return tables | ({"dump_args"} if engine in _WITH_DUMP_ARGS else set())
