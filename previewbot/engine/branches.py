"""mirrord's BranchDatabase: a copy of one of staging's databases, of which previews write to their own.

Names, label and fields follow mirrord's CLI 3.250 and the CRD of operator chart 3.187
(`dbs.mirrord.metalbear.co/v1alpha1`). Only this unified kind is known here, not the three older ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from previewbot.api import GROUP, PREVIEW_LABEL, Preview, Resource, owner_reference
from previewbot.engine.annotations import HEAD_SHA, MIGRATIONS_HASH, SPEC_HASH, hash_of, who_and_why
from previewbot.engine.owners import is_foreign, made_by
from previewbot.engine.parts import Branch, Json, with_key
from previewbot.rules.masking import one_line

API_GROUP = "dbs.mirrord.metalbear.co"
API_VERSION = "v1alpha1"
KIND = "BranchDatabase"
BRANCHES = Resource(API_GROUP, API_VERSION, "branchdatabases")
ID_LABEL = "mirrord-branch-id"
_SERVICE_LABEL = f"{GROUP}/service"

UNIFIED = "UnifiedBranchDbCrd"
"""The feature of operators that know this kind; older ones had a kind for each engine."""

_CARRIED = frozenset(
    (
        *("pg", "mysql", "mariadb", "mongodb", "mssql"),
        *("redis", "dynamodb", "spanner", "clickhouse", "cockroachdb"),
    )
)
_FEATURES: Mapping[str, tuple[str, str]] = {
    "pg": ("PgBranching", "PostgreSQL"),
    "mysql": ("MySqlBranching", "MySQL"),
    "mariadb": ("MariaDbBranching", "MariaDB"),
    "mongodb": ("MongodbBranching", "MongoDB"),
    "cockroachdb": ("CockroachdbBranching", "CockroachDB"),
    "generic": ("GenericDbBranching", "databases with an image of their own"),
}
"""The feature that an operator with branches of an engine has, and the engine's name; of others none is
known."""

MigrationPhase = Literal["", "Running", "Succeeded", "Failed"]
BranchPhase = Literal["Pending", "InProgress", "Ready", "Failed"]


@dataclass(frozen=True)
class DesiredBranch:
    """A branch that should exist; the variables that lead to its database are those of the `target`, as
    sessions name one.

    `image` is that of the commit, which migrates where the migrations name none. `resets` counts how often
    somebody wanted it anew.
    """

    branch: Branch
    namespace: str
    service: str
    target: Json
    head_sha: str
    image: str
    ttl_seconds: int
    resets: int = 0


@dataclass(frozen=True)
class BranchSeen:
    """A branch as the cluster shows it; what failed is in one line, without what looks like a secret.

    `migrated` is how far the migrations are that its spec has now; empty: not begun. `in_place` is what of
    its spec may be patched.
    """

    name: str
    namespace: str
    uid: str
    owner_uid: str
    head_sha: str
    spec_hash: str
    phase: BranchPhase
    failure: str
    migrates: bool
    migrated: MigrationPhase
    migration_failure: str
    in_place: Mapping[str, Any]
    in_place_hash: str
    deleting_since: datetime | None
    created_at: datetime


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


def features_of(branch: Branch) -> Mapping[str, str]:
    """Return the features that mirrord's operator must offer for a branch, each in words."""
    feature, engine = _FEATURES.get(branch.dialect, ("", ""))
    own = {feature: f"copies of {engine}"} if feature else {}
    special = {
        "image": ("DbBranchCustomImage", "an image of one's own for a copy of a database"),
        "profile": ("DbBranchProfiles", "profiles of copies of databases"),
    }
    more = dict(words for name, words in special.items() if name in branch.spec)
    if _has_parameters(branch):
        more["PgBranchQueryParams"] = "parameters of PostgreSQL's URL for a copy of a database"
    return {UNIFIED: "copies of databases", **own, **more}


def _has_parameters(branch: Branch) -> bool:
    """Return whether a branch of PostgreSQL has parameters that older operators leave out or refuse."""
    extra = branch.spec.get("connectionSource", {}).get("params", {}).get("extra", {})
    options = branch.spec.get("postgresOptions")
    return options is not None and ("queryParams" in options or "sslmode" in extra)


def manifest(preview: Preview, desired: DesiredBranch) -> dict[str, Any]:
    """Return the manifest of a branch."""
    key = preview.spec.environment_key
    identity, migrations = branch_id(key, desired.branch.name), in_place(key, desired)
    return {
        "apiVersion": f"{API_GROUP}/{API_VERSION}",
        "kind": KIND,
        "metadata": {
            "name": branch_name(desired.branch.dialect, desired.namespace, identity),
            "namespace": desired.namespace,
            "labels": {
                ID_LABEL: identity,
                PREVIEW_LABEL: preview.name,
                _SERVICE_LABEL: desired.service,
            },
            "annotations": {
                **who_and_why(preview),
                HEAD_SHA: desired.head_sha,
                SPEC_HASH: spec_hash(key, desired),
                MIGRATIONS_HASH: hash_of(migrations),
            },
            "ownerReferences": [owner_reference(preview)],
        },
        "spec": {
            "id": identity,
            # The container as the CLI writes it: empty where nobody names one.
            "target": {**desired.target, "container": desired.branch.container},
            "ttlSecs": desired.ttl_seconds,
            **with_key(desired.branch.spec, key),
            **migrations,
        },
    }


def in_place(key: str, desired: DesiredBranch) -> dict[str, Any]:
    """Return what of a branch's spec is patched when it changes: its migrations, if it has any.

    The data stays and is migrated, as `mirrord preview start` does with a branch that is there.
    """
    migrations = desired.branch.migrations
    if migrations is None:
        return {}
    own = (
        {} if migrations.get("image") or migrations.get("flavor") != "container" else {"image": desired.image}
    )
    return {"migrations": {**with_key(migrations, key), **own}}


def spec_hash(key: str, desired: DesiredBranch) -> str:
    """Return a hash of what a branch is made of: if it differs, the branch is made anew and its data lost.

    Its time to live and its migrations are not in it; the commit is, where the branch is not kept.
    """
    spec: dict[str, Any] = {
        "dialect": desired.branch.dialect,
        "target": {**desired.target, "container": desired.branch.container},
    }
    spec |= {"spec": with_key(desired.branch.spec, key)}
    if not desired.branch.kept:
        spec["head_sha"] = desired.head_sha
    if desired.resets:
        spec["resets"] = desired.resets
    return hash_of(spec)


def branch_from(obj: Mapping[str, Any]) -> BranchSeen:
    """Read a branch; a phase that is not known here is in progress, and a missing status is pending."""
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    annotations, owners = metadata.get("annotations") or {}, metadata.get("ownerReferences") or [{}]
    deleting, migrations = metadata.get("deletionTimestamp"), spec.get("migrations")
    ran = status.get("migrations") or {}
    # What ran for an older spec says nothing of this one.
    current = ran.get("observedGeneration", 0) >= metadata.get("generation", 0)
    return BranchSeen(
        name=metadata["name"],
        namespace=metadata["namespace"],
        uid=metadata["uid"],
        owner_uid=owners[0].get("uid", ""),
        head_sha=annotations.get(HEAD_SHA, ""),
        spec_hash=annotations.get(SPEC_HASH, ""),
        phase=_phase(status.get("phase")),
        failure=one_line(str(status.get("error") or "")),
        migrates=bool(migrations),
        migrated=_migrated(ran.get("phase")) if current else "",
        migration_failure=one_line(str(ran.get("error") or "")),
        in_place={"migrations": migrations} if migrations else {},
        in_place_hash=annotations.get(MIGRATIONS_HASH, ""),
        deleting_since=datetime.fromisoformat(deleting) if deleting else None,
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
    )


def in_the_way(manifest: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """Return whose branch has the name of one that is to be made; empty if nobody's has.

    mirrord's own command would share it, and remove it when it ends: a preview writes to none but its own.
    """
    name = manifest["metadata"]["name"]
    found = next((o for o in others if o["metadata"]["name"] == name and is_foreign(manifest, o)), None)
    if found is None:
        return ""
    place = found["metadata"]["namespace"]
    whose = made_by(found["metadata"])
    return one_line(f"somebody else has a database branch named {name} in the namespace {place}{whose}")


def _phase(phase: object) -> BranchPhase:
    if phase is None:
        return "Pending"
    # `Init` and `Pending` are mirrord's words for a branch on which its operator works already.
    return phase if phase == "Ready" or phase == "Failed" else "InProgress"


def _migrated(phase: object) -> MigrationPhase:
    return phase if phase == "Succeeded" or phase == "Failed" else "Running"
