"""The environment key of a pull request.

mirrord puts the key unescaped into a case-insensitive regular expression that is open on the right
(`^baggage: .*mirrord-session=<key>.*$`): `pr-1` would capture what is meant for `pr-12`. So no key may be a
prefix of another. That holds by construction: a key begins with a fixed-length hash of the pull request's
identity, and two keys with different hashes differ within their first eleven characters.
"""

from __future__ import annotations

import base64
import hashlib
import re

from previewbot.api import Spec, name_of

SHAPE = "p[a-z2-7]{10}(-[a-z0-9]+)*-[1-9][0-9]*"
"""What each key looks like, as the CRD and the admission policies have it too."""

FIRST_LABEL = rf"(?:{SHAPE}|previewbot-doctor|previewbot-nobody|conformance-[0-9a-f]{{12}})"
"""What the first part of a host below the links' domain looks like: a key, or what previewbot's own trials of
a gateway have in its place (`engine.probe`, `engine.no_preview`, `previewbot conformance`)."""

_HASH_LENGTH = 10
MAX_LENGTH = 40
_SHAPE_RE = re.compile(SHAPE)


def environment_key(host: str, repository_id: int, number: int, repository: str) -> str:
    """Return the key of pull request `number`: at most 40 characters of `[a-z0-9-]`, a DNS label.

    The name of the repository is there for people who read `kubectl get`; identity is the hash alone.
    """
    # The repository's number and not its name, so that a rename keeps the key, and with it the link.
    identity = f"{host.lower()}\n{repository_id}\n{number}".encode()
    digest = base64.b32encode(hashlib.sha256(identity).digest()).decode().lower()[:_HASH_LENGTH]
    # The name is cut, and never the number: two pull requests of one repository are told apart by eye.
    suffix = f"-{number}"
    room = MAX_LENGTH - 1 - _HASH_LENGTH - len(suffix) - 1
    name = re.sub(r"[^a-z0-9]+", "-", repository.rsplit("/", 1)[-1].lower()).strip("-")[:room].strip("-")
    return f"p{digest}-{name}{suffix}" if name else f"p{digest}{suffix}"


def spec_of(
    *,
    github_host: str,
    app_id: int,
    installation_id: int,
    repository_id: int,
    repository: str,
    number: int,
) -> Spec:
    """Return the identity of a pull request's Preview, with its key: the same, whoever sees it first."""
    return Spec(
        github_host=github_host,
        repository_id=repository_id,
        number=number,
        repository=repository,
        installation_id=installation_id,
        app_id=app_id,
        environment_key=environment_key(github_host, repository_id, number, repository),
    )


def wrong_identity(name: str, spec: Spec) -> str:
    """Return what of a Preview's name and key is not its pull request's, in words; empty if all of it is.

    Whoever may write Previews could give one the key of another pull request, or one that captures
    everything. The part of the key that people read is not compared: a renamed repository keeps its keys.
    """
    number, key = spec.number, spec.environment_key
    whose = f"pull request {number} of repository {spec.repository_id}"
    if name != name_of(spec.repository_id, number):
        return f"its name is not that of {whose}"
    # First, since the rest reads parts of it: only of this shape is a key free of what mirrord's regular
    # expression would take for more than letters.
    if len(key) > MAX_LENGTH or not _SHAPE_RE.fullmatch(key):
        return "its environmentKey is none that previewbot makes"
    right = environment_key(spec.github_host, spec.repository_id, number, "")
    if key[: 1 + _HASH_LENGTH] != right[: 1 + _HASH_LENGTH] or not key.endswith(f"-{number}"):
        return f"its environmentKey is not that of {whose}"
    return ""


def hashed_label(key: str) -> str:
    """Return the value of the label that indexes sessions by key.

    As `EnvKey::to_hashed_label_value` of mirrord's CLI (3.217 and later) computes it: always 45 characters.
    """
    digest = base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).rstrip(b"=").decode()
    return f"h{digest}h"
