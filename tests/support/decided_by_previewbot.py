"""Where what previewbot makes of a mirrord file differs from what mirrord's own CLI makes of it, and why.

Two lists, and nothing else may differ: single fields that previewbot decides itself, whatever the file says
(`DECIDED`), and whole kinds of files of which it makes something else on purpose (`ON_PURPOSE`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.mirrord_vectors import Vector

KEY = "<key>"
"""Stands for the environment key, which is the CLI's own there and previewbot's here."""


def always(_: Vector) -> bool:
    """Return that a field is previewbot's, whatever the file says."""
    return True


def says_nothing_of_requests(vector: Vector) -> bool:
    """Return whether the CLI mirrors everybody's requests, because nothing is said of them."""
    return vector.session is not None and vector.session["spec"].get("incoming") == {"steal": False}


def has_no_name(vector: Vector) -> bool:
    """Return whether a branch has the key alone for its id, as the CLI makes it where none is said."""
    return any(each["spec"]["id"] == _key(vector) for each in vector.branches)


def _key(vector: Vector) -> object:
    return vector.session["spec"]["key"] if vector.session else None


@dataclass(frozen=True)
class Decided:
    """A field that previewbot decides: where (a JSON pointer, in which `*` is any one key), why, and when."""

    pointer: str
    why: str
    when: Callable[[Vector], bool] = always

    def names(self, pointer: str) -> bool:
        """Return whether a place is this one, or within it."""
        pattern = "/".join("[^/]*" if part == "*" else re.escape(part) for part in self.pointer.split("/"))
        return re.fullmatch(f"{pattern}(/.*)?", pointer) is not None


DECIDED = (
    Decided("/session/metadata/name", "depends on key, namespace and target alone, so that there is one"),
    Decided("/session/metadata/labels", "the key's, of another key, and those that children are found by"),
    Decided("/session/metadata/annotations", "who it is for, and what it was made of"),
    Decided("/session/metadata/ownerReferences", "it goes with the Preview, also while previewbot is down"),
    Decided("/session/spec/image", "the service's, pinned by digest: what was reviewed is what runs"),
    Decided("/session/spec/ttlSecs", "previewbot ends previews itself; mirrord's is a guard, an hour longer"),
    Decided(
        "/session/spec/incoming/steal",
        "nothing said is what a preview is for: it answers the requests with its key",
        says_nothing_of_requests,
    ),
    Decided(
        "/session/spec/incoming/httpFilter",
        "and then it never has none: it would take everybody's",
        says_nothing_of_requests,
    ),
    Decided("/session/spec/dbBranching/*/*", "names are made of ids, which are made of the key"),
    Decided("/branches/*/*/metadata/name", "made of the id"),
    Decided("/branches/*/*/metadata/labels", "the id's, and those that children are found by"),
    Decided("/branches/*/*/metadata/annotations", "who it is for, and what it was made of"),
    Decided("/branches/*/*/metadata/ownerReferences", "it goes with the Preview, also without previewbot"),
    Decided(
        "/branches/*/*/spec/id", "the key and a name: of two with one id mirrord would lose one", has_no_name
    ),
    Decided(
        "/branches/*/*/spec/ttlSecs", "longer than any pause between two sessions: a push keeps the data"
    ),
)


@dataclass(frozen=True)
class Kind:
    """A kind of files of which previewbot makes something else than the CLI, on purpose.

    `words` are what it says of them where it refuses them (a regular expression); without them the fields at
    `instead` have these values, by the file's name.
    """

    why: str
    files: frozenset[str]
    words: str = ""
    instead: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _all_of(*conditions: Mapping[str, str]) -> Mapping[str, Any]:
    own = {"header": f"^baggage: .*mirrord-session={KEY}.*$"}
    return {"all_of": [own, *conditions]}


_OWN = {"header_filter": f"^baggage: .*mirrord-session={KEY}.*$"}
_NARROWED: Mapping[str, Mapping[str, Any]] = {
    "action-equivalent": _all_of({"header": f"baggage: mirrord-session={KEY}"}),
    "filter-all-of-body-jq": _all_of(
        {"body": "json", "query": "$.a", "matches": "b"}, {"query": 'test("x")'}
    ),
    "filter-body": _all_of({"body": "json", "query": "$.tenant", "matches": "^preview$"}),
    "filter-docs-example": _OWN,
    "filter-header": _all_of({"header": f"^x-preview: {KEY}$"}),
    "filter-header-and-method": _all_of({"header": "^a: b$"}, {"method": "GET"}),
    "filter-header-jq": _all_of({"query": f'test("mirrord-session={KEY}")'}),
    "filter-path": _all_of({"path": "^/api/"}),
    "filter-ports": _OWN,
}

ON_PURPOSE: Mapping[str, Kind] = {
    "a filter of the team narrows the key's own": Kind(
        "a session takes requests with its own key alone; what mirrord ignores is left out and said",
        frozenset(_NARROWED),
        instead={name: {"/session/spec/incoming/httpFilter": said} for name, said in _NARROWED.items()},
    ),
    "requests are copied": Kind(
        "staging and the preview would both act on each request",
        frozenset({"incoming-mirror", "incoming-mirror-filter", "incoming-true"}),
        '`feature.network.incoming(.mode)?` copies requests .*; write `"steal"`',
    ),
    "a template": Kind(
        "there is no template language here: `get_env` would read previewbot's own secrets",
        frozenset({"template-branch", "template-env"}),
        "is not filled in: of mirrord's templates a preview has `{{ key }}` alone",
    ),
    "nobody could use it": Kind(
        "the preview would answer nobody, or be gone at once, and its readers would not know why",
        frozenset({"ports-empty", "replicas-zero", "ttl-zero", "target-no-name"}),
        "names no port|is 0: the preview would|must name a workload",
    ),
    "a contradiction": Kind(
        "target and namespace may stand in either file, where the CLI lets one of them win without a word",
        frozenset({"target-flag-wins"}),
        "`target` is `deployment/web` in .*; keep one of the two, or write the same",
    ),
    "two copies without ids": Kind(
        "of two with one id the CLI loses one without a word, and the preview writes to staging's",
        frozenset({"db-two-without-id"}),
        instead={
            "db-two-without-id": {
                f"/branches/postgresOptions/0/{pointer}": value
                for pointer, value in {
                    "apiVersion": "dbs.mirrord.metalbear.co/v1alpha1",
                    "kind": "BranchDatabase",
                    "metadata/namespace": "staging",
                    "spec/connectionSource/url/env/variable": "DATABASE_URL",
                    "spec/postgresOptions/copy/mode": "empty",
                    "spec/target/apiVersion": "apps/v1",
                    "spec/target/kind": "Deployment",
                    "spec/target/name": "web",
                    "spec/target/container": "",
                }.items()
            }
        },
    ),
    "what would fail, or be lost, or be read by everybody": Kind(
        "the CLI sends what its operator cannot use, leaves out what it says nothing of, and takes passwords",
        frozenset(),
        "which is no regular expression|payload_protobuf` cannot be here|must not be written out"
        "|is empty: mirrord would take",
    ),
    "a queue without a filter": Kind(
        "the CLI leaves it out without a word: the preview would take staging's messages",
        frozenset({"queue-kafka-neither", "queue-sqs-neither"}),
        "has no filter, and mirrord would leave the queue out without a word",
    ),
}
"""By what the files have in common."""


def is_refused_on_purpose(words: str) -> bool:
    """Return whether these are the words of a kind that previewbot refuses, though the CLI does not."""
    return any(re.search(kind.words, words) for kind in ON_PURPOSE.values() if kind.words)


def kind_of(name: str) -> Kind | None:
    """Return the kind of a file that differs as a whole; None if it may not."""
    return next((kind for kind in ON_PURPOSE.values() if name in kind.files), None)
