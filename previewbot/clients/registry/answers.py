"""What a registry's answers say: errors, manifests, and the commit that an image was built from. Pure.

https://github.com/opencontainers/image-spec/blob/main/manifest.md and
https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from previewbot.clients.registry.challenge import choose_challenge
from previewbot.clients.registry.credentials import Credentials
from previewbot.clients.registry.problems import (
    HeldBack,
    Limited,
    LoginBroken,
    LoginEnded,
    LoginMissing,
    ManifestTooOld,
    NotARegistry,
    RepositoryUnknown,
)
from previewbot.errors import Forbidden, RemoteError, Unauthorized, from_status
from previewbot.rules.images import is_tag
from previewbot.rules.masking import one_line
from previewbot.text.json import read_json

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
TAGS = "tags/list"
_LINK_RE = re.compile(r'<([^<>]{1,2000})>\s*;[^,]{0,100}\brel="?next"?', re.IGNORECASE)
_QUERY_RE = re.compile(r"[!$%&'()*+,./0-9:;=?@A-Z_a-z~-]{1,1000}")
_REVISION = "org.opencontainers.image.revision"
_COMMIT_RE = re.compile(r"[0-9A-Za-z._/+-]{1,100}")
_LONGEST_REVISION, _READ_OF_A_LABEL = 64, 2000
_DIGEST_RE = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
# BuildKit puts what it knows about a build beside the images of an index:
# https://docs.docker.com/build/metadata/attestations/attestation-storage/
_ERROR_KEYS = ("error_description", "error_message", "error", "details", "message")
_ATTESTATION = "vnd.docker.reference.type"
_READ_OF_A_MESSAGE = 2000
_OLD_TYPE = "application/vnd.docker.distribution.manifest.v1+"
NO_LOGIN = "it wants a login and none is configured"
_LEAST_PAUSE, _PAUSE, _LONGEST_PAUSE = 1.0, 60.0, 900.0

# The users that clouds give with a token: Amazon's ECR for 12 hours, Google for one, Azure for three
# (https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html,
# https://cloud.google.com/artifact-registry/docs/docker/authentication#token,
# https://learn.microsoft.com/azure/container-registry/container-registry-authentication).
_SHORT_LIVED = ("AWS", "oauth2accesstoken", "00000000-0000-0000-0000-000000000000")
_ENDED_RE = re.compile(r"expired|unauthenticated request|invalid_grant", re.IGNORECASE)
# What keeps an image back says so in its own way: Harbor with a status of its own (412), JFrog Xray and
# Sonatype's firewall with a 403.
_POLICY_RE = re.compile(r"PROJECTPOLICYVIOLATION|\bpolic(y|ies)\b|quarantine|blocked by|xray", re.IGNORECASE)
# A cloud's policies are about who may ask, and so about us: "… is not authorized to perform ecr:BatchGetImage
# … because no identity-based policy allows it", "Request is prohibited by organization's policy"
# (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html,
# https://cloud.google.com/vpc-service-controls/docs/troubleshooting).
_NO_RIGHT_RE = re.compile(
    r"not authorized to perform|prohibited by (the |your )?organi[sz]ation|vpcServiceControls", re.IGNORECASE
)
_NO_REPOSITORY_RE = re.compile(
    r"NAME_UNKNOWN|(repository|project) .{0,300}?(not found|does not exist|not known)", re.IGNORECASE
)


@dataclass(frozen=True)
class Given:
    """What was sent as Authorization, and with whose login it was had; a helper's is as new as can be."""

    authorization: str = field(default="", repr=False)
    login: Credentials | None = None
    by_helper: bool = False
    lacking: str = ""
    """That there should be a login, and why there is none."""


@dataclass(frozen=True)
class Answer:
    """What came back; `redirected` if it was said elsewhere, and `foreign` if on another host than asked."""

    status: int
    headers: Mapping[str, str]
    challenges: tuple[str, ...]
    body: bytes = field(repr=False)
    foreign: bool = False
    redirected: bool = False
    given: Given = Given()

    @property
    def media_type(self) -> str:
        """Its type, in small letters and without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def is_page(self) -> bool:
        """Whether it is made for a browser, as nothing is that a registry says."""
        return self.media_type in ("text/html", "application/xhtml+xml")

    @property
    def is_error_of_a_registry(self) -> bool:
        """Whether it is an error as the specification writes it."""
        return isinstance(json_object(self.body).get("errors"), list)


@dataclass(frozen=True)
class Manifest:
    """A manifest, or an index of some; digests are checked to be ones."""

    digest: str
    revision: str = ""
    images: tuple[str, ...] = ()
    config: str = ""


def promised_digest(answer: Answer) -> str:
    """Return the digest that the headers name for a manifest of a known type, or nothing."""
    # A proxy's sign-in page is answered with 200 as well. Only with the type of a manifest does the header
    # count.
    digest = answer.headers.get("Docker-Content-Digest", "")
    return digest if answer.media_type in MEDIA_TYPES and _DIGEST_RE.fullmatch(digest) else ""


def check_manifest(what: str, answer: Answer) -> None:
    """Raise what a success is that is no manifest: a page for a browser, or one in a format of the past."""
    if answer.media_type in MEDIA_TYPES:
        return
    document = json_object(answer.body)
    # https://distribution.github.io/distribution/spec/deprecated-schema-v1/
    is_old = document.get("schemaVersion") == 1 and "fsLayers" in document
    if is_old or answer.media_type.startswith(_OLD_TYPE):
        raise ManifestTooOld(what, status=answer.status, message="its manifest has the format schema 1")
    # Another host's is one if it reads like one: it may be where the registry keeps its contents.
    if answer.is_page or (answer.foreign and document.get("schemaVersion") != 2):
        raise not_a_registry(what, answer)


def not_a_registry(what: str, answer: Answer) -> NotARegistry:
    """Return the error for an answer that something else gives in a registry's place."""
    kind = answer.media_type or "nothing"
    place = "another host, to which it redirects, answers" if answer.foreign else "it answers"
    return NotARegistry(
        what, status=answer.status, message=f"{place} {answer.status} with {kind}, as no registry does"
    )


def read_manifest(body: bytes, digest: str) -> Manifest:
    """Read a manifest; `digest` is the one it must have, if that is known.

    Raises ValueError if it is none or not the one: a proxy's page of regrets must never count as an image.
    """
    document = json_object(body)
    if document.get("schemaVersion") != 2:
        raise ValueError("its answer is not a manifest")
    # Without a header the digest is computed from the very bytes that were sent, which is how it is defined.
    digest = verify_digest(body, digest) if digest else "sha256:" + hashlib.sha256(body).hexdigest()
    revision = _revision(_mapping(document.get("annotations")))
    if isinstance(document.get("manifests"), list):
        children = [_mapping(child) for child in document["manifests"]]
        # An attestation looks like one more image of the index, but only tells of how it was built.
        images = (child for child in children if _ATTESTATION not in _mapping(child.get("annotations")))
        return Manifest(digest, revision, images=tuple(_digest(child) for child in images))
    return Manifest(digest, revision, config=_digest(_mapping(document.get("config"))))


def read_tags(body: bytes) -> list[str]:
    """Return the tags that a list names; what is none is left out, since others can choose it."""
    listed = json_object(body).get("tags")
    return [tag for tag in listed if is_tag(tag)] if isinstance(listed, list) else []


def next_page(answer: Answer, asked: str) -> str:
    """Return the query of a list's next page; nothing if there is none, or if it lies elsewhere.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
    """
    found = _LINK_RE.search(answer.headers.get("Link", ""))
    if found is None:
        return ""
    # Only what follows the question mark is taken. The rest would be an address that whoever answers in the
    # registry's place chooses, for a request that bears the login.
    try:
        before, after = urlsplit(asked), urlsplit(urljoin(asked, found[1]))
    except ValueError:
        return ""
    elsewhere = after.path != before.path or (after.hostname, after.port) != (before.hostname, before.port)
    return "" if elsewhere or not _QUERY_RE.fullmatch(after.query) else after.query


def read_revision(config: bytes) -> str:
    """Return the commit that the labels of an image's configuration name, or nothing."""
    return _revision(_mapping(_mapping(json_object(config).get("config")).get("Labels")))


def _revision(labels: Mapping[str, Any]) -> str:
    """Return the commit that labels name; of what is no plain word, the beginning as one line.

    Whoever builds an image writes what they like there, up to megabytes, and it is remembered, stored in the
    Preview and told.
    """
    told = _text(labels.get(_REVISION))
    if not told or _COMMIT_RE.fullmatch(told):
        return told
    # The mark at its end is in no commit: what was taken out or cut off must not make it one.
    return f"{one_line(told[:_READ_OF_A_LABEL])[:_LONGEST_REVISION]}…"


def verify_digest(body: bytes, digest: str) -> str:
    """Return the digest; raises ValueError if the content has another."""
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, body).hexdigest() != expected:
        raise ValueError(f"its answer is not what {digest} names")
    return digest


def refusal(what: str, answer: Answer) -> RemoteError:
    """Return the error for an answer that is not what was asked for."""
    status, whole = answer.status, _said(answer)
    told = one_line(whole)
    # A redirect that leads to no registry, and a page that stands before one, are not the registry's own
    # words. But the page may be what a web server, whose password file guards the registry, says of a login.
    asks_again = status == 401 and not answer.foreign and choose_challenge(answer.challenges) is not None
    if answer.is_page and status < 500 and status != 429 and not asks_again:
        return not_a_registry(what, answer)
    if status in (401, 403) and answer.foreign:
        return NotARegistry(what, status=status, message="another host, to which it redirects, wants a login")
    held_back = _POLICY_RE.search(whole) and not _NO_RIGHT_RE.search(whole)
    if status == 412 or (status == 403 and held_back):
        return HeldBack(what, status=status, message=told)
    if status in (401, 403):
        return _login_refused(what, answer, whole)
    if status == 404 and _NO_REPOSITORY_RE.search(whole):
        return RepositoryUnknown(what, status=404, message=told)
    # A redirect that may not be followed, or a success of a kind that we did not ask for.
    if status < 400:
        return from_status(what, 0, f"it answered {status}")
    if status == 429:
        return Limited(what, status=429, message=told, after=pause_of(answer))
    after = pause_of(answer) if "Retry-After" in answer.headers else None
    return from_status(what, status, told, after)


def pause_of(answer: Answer) -> float:
    """Return for how many seconds a registry wants to be left alone; within bounds, whatever it says."""
    written = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,12}", written):
        seconds = float(written)
    else:
        seconds = _until(written, answer.headers.get("Date", ""))
    return min(max(seconds, _LEAST_PAUSE), _LONGEST_PAUSE)


def _until(written: str, now: str) -> float:
    """Return the seconds until a date as HTTP writes it, by the server's own clock."""
    try:
        return (parsedate_to_datetime(written) - parsedate_to_datetime(now)).total_seconds()
    except (ValueError, TypeError):
        return _PAUSE


def _login_refused(what: str, answer: Answer, whole: str) -> RemoteError:
    given, status, told = answer.given, answer.status, one_line(whole)
    if given.login is None:
        why = given.lacking or NO_LOGIN
        kind = LoginBroken if given.lacking else LoginMissing
        return kind(what, status=status, message=f"{why}; it says: {told}" if told else why)
    # A helper's login was got a moment ago: whatever is wrong with it, it has not ended.
    ended = status == 401 and given.login.username in _SHORT_LIVED
    if not given.by_helper and (ended or _ENDED_RE.search(whole)):
        return LoginEnded(what, status=status, message=told)
    return (Unauthorized if status == 401 else Forbidden)(what, status=status, message=told)


def json_object(body: bytes) -> Mapping[str, Any]:
    """Return the object that a body holds; an empty one if it holds something else."""
    try:
        return _mapping(read_json(body))
    except ValueError:
        return {}


def _said(answer: Answer) -> str:
    """Return what an answer says is wrong, as it is and nearly whole; nothing if it does not say.

    What decides may stand at its end: behind a role's or an image's long name.
    """
    document, is_text = json_object(answer.body), answer.media_type == "text/plain"
    errors = document.get("errors")
    if isinstance(errors, list):
        first = _mapping(errors[0]) if errors else {}
        told = f"{_text(first.get('code'))} {_text(first.get('message'))}".strip()
    elif document:
        # Token servers have no format in common.
        told = next(filter(None, (_text(document.get(key)) for key in _ERROR_KEYS)), "")
    else:
        told = answer.body[:_READ_OF_A_MESSAGE].decode("utf-8", "replace") if is_text else ""
    return told[:_READ_OF_A_MESSAGE]


def _digest(descriptor: Mapping[str, Any]) -> str:
    digest = _text(descriptor.get("digest"))
    if not _DIGEST_RE.fullmatch(digest):
        raise ValueError("its manifest names no digest where one must be")
    return digest


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
