"""What is said of a database's copy, and not refused: what has another effect than one may believe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from previewbot.config.mirrord.connections import SLOTS
from previewbot.config.mirrord.databases import Database, ListedDatabase
from previewbot.config.mirrord.local_redis import LocalRedis
from previewbot.config.schema import KeyPath
from previewbot.config.words import Raw

Said = tuple[KeyPath, str, Mapping[str, object]]
"""Where, within the copy, of what kind the words are, and what they name."""

_PARAMETERS = {
    "pg": ("sslmode",),
    "cockroachdb": ("sslmode",),
    "spanner": ("project", "instance", "database_id"),
}
"""What mirrord's operator 3.187 takes besides the parts that every engine has."""


def notes_of_database(database: Database | LocalRedis) -> Iterator[Said]:
    """Yield what is to be said of one copy."""
    if isinstance(database, LocalRedis):
        yield ("location",), "database_local", {}
        return
    if isinstance(database, ListedDatabase):
        for name, kind in _OURS.items():
            if getattr(database, name) is not None:
                yield (name,), kind, {}
        if database.is_renamed:
            yield ("id",), "database_renamed", {"line": Raw(f"`{{{{ key }}}}-{database.called}`")}
    if database.type == "generic":
        yield ("type",), "database_generic", {}
        return
    in_parts = database.connection.params is not None and database.type != "spanner"
    if in_parts and not database.connection.led_by(("host",)):
        yield ("connection", "params"), "database_host", {}
    for name in database.connection.params or ():
        if name not in (*SLOTS, *_PARAMETERS.get(database.type, ())):
            yield (
                ("connection", "params", name),
                "database_parameter",
                {"written": name, "type": database.type},
            )


_OURS = {
    "creation_timeout_secs": "database_deadline",
    "ttl_mins": "database_ttl",
    "ttl_secs": "database_ttl",
}
