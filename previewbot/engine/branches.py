"""mirrord's BranchDatabase: a copy of one of staging's databases, of which previews write to their own.

Names, label and fields follow mirrord's CLI 3.250 and the CRD of operator chart 3.187
(`dbs.mirrord.metalbear.co/v1alpha1`). Only this unified kind is known here, not the three older ones.
"""

from __future__ import annotations

import hashlib

from previewbot.api import Resource

API_GROUP = "dbs.mirrord.metalbear.co"
API_VERSION = "v1alpha1"
KIND = "BranchDatabase"
BRANCHES = Resource(API_GROUP, API_VERSION, "branchdatabases")
ID_LABEL = "mirrord-branch-id"

_CARRIED = frozenset(
    (
        *("pg", "mysql", "mariadb", "mongodb", "mssql"),
        *("redis", "dynamodb", "spanner", "clickhouse", "cockroachdb"),
    )
)


def is_carried(dialect: str) -> bool:
    """Return whether sessions have a field for branches of this engine; for `generic` there is none."""
    return dialect in _CARRIED


def branch_id(key: str, name: str) -> str:
    """Return the id of a preview's branch: two with the same id would have the same name."""
    return f"{key}-{name}"


def branch_name(dialect: str, namespace: str, identity: str) -> str:
    """Return the name of a branch's object, as the CLI makes it of its id."""
    digest = hashlib.sha256(f"{namespace}\0{identity}".encode()).digest()
    return f"mirrord-{dialect}-branch-{digest[:8].hex()}"
