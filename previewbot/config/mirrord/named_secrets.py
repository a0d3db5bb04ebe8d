"""Whether a copy of a database is reached by a Secret that its own words name, and not by its target's."""

from __future__ import annotations

from collections.abc import Iterator

from previewbot.config.mirrord.connections import IAM_FIELDS, Source
from previewbot.config.mirrord.databases import Database


def names_secret(database: Database) -> bool:
    """Return whether any of it is read from a Secret of the cluster's, or of Google's, that it names."""
    parts = (part for _, part in database.connection.sources)
    if any(part.secret is not None or part.gcp_secret_manager is not None for part in parts):
        return True
    return any(source.type in ("secret", "gcp_secret_manager") for source in _sources(database))


def _sources(database: Database) -> Iterator[Source]:
    url, iam = database.connection.url, database.iam_auth
    if url is not None and url.source is not None:
        yield url.source
    if iam is not None:
        found = (getattr(iam, name) for name in IAM_FIELDS[iam.type])
        yield from (source for source in found if source is not None)
