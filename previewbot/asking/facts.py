"""What previewbot says of a preview for programs: in its JSON, and in the fenced block of its comment.

The models ignore fields that they do not know: a newer previewbot may say more.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from previewbot.api.names import is_sha
from previewbot.asking.words import RUNNER_COMMAND

VERSION = 1
"""Of the shape; another one means another shape."""

_LONGEST = 256 * 1024
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n]*)")
_HEADER = re.compile(r"[A-Za-z0-9-]+: [\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
_BEARER = re.compile(r"[A-Za-z0-9._-]{1,200}")
_LOST = re.compile(rf"[\s\x00-\x1f\x7f<>\"]|{re.escape(RUNNER_COMMAND)}")
"""What no address has, and what makes one a command to GitHub's runner."""


class Problem(BaseModel):
    """What is wrong with a service's pod. Everything but `reason` and `part` are words of others."""

    model_config = ConfigDict(extra="allow", frozen=True)

    reason: str | None = ""
    part: str | None = ""
    exit_code: int | None = None
    detail: str | None = ""
    log: tuple[str, ...] = ()


class ServiceFacts(BaseModel):
    """One service of a preview: where it stands, and which commit of it answers ("" for none)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    phase: str | None = ""
    reason: str | None = ""
    serving_sha: str = ""
    problem: Problem | None = None

    @field_validator("serving_sha")
    @classmethod
    def _is_commit(cls, sha: str) -> str:
        return commit(sha)

    @field_validator("problem", mode="before")
    @classmethod
    def _of_this_version(cls, problem: object) -> object:
        # Another version may tell it otherwise; the rest still counts.
        try:
            return None if problem is None else Problem.model_validate(problem)
        except ValidationError:
            return None


class VerdictFacts(BaseModel):
    """What somebody said of a preview. `login`, `path` and `words` are that person's."""

    model_config = ConfigDict(extra="allow", frozen=True)

    login: str
    by_proxy: bool = False
    says: str
    sha: str = ""
    current: bool = False
    said_at: str | None = ""
    edited: bool = False
    counts: bool = False
    words: str | None = ""
    path: str | None = ""
    url: str | None = ""

    @field_validator("sha")
    @classmethod
    def _is_commit(cls, sha: str) -> str:
        return commit(sha)

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str | None) -> str:
        return address(url)


class Facts(BaseModel):
    """A preview, as previewbot tells programs of it.

    `phase` and `reason` are those of docs/reasons.md; `turn` is whose turn it is, `words` the headline.
    `bearer` lets a program past the guard before the preview, until `bearer_until`; "" where there is none.
    `head_sha` is the commit that it is about, `serving_sha` the one that answers now ("" if none, or several
    differ), `proven` whether the link was seen to show it (`Yes`, `No`, `Unknown`, or None).
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    version: int = Field(validation_alias=AliasChoices("version", "previewbot"))
    repository: str
    number: int
    phase: str | None = ""
    reason: str | None = ""
    severity: str | None = ""
    turn: str | None = ""
    words: str | None = ""
    head_sha: str | None = ""
    serving_sha: str | None = ""
    proven: str | None = None
    url: str | None = ""
    header: str | None = ""
    bearer: str | None = Field("", repr=False)
    bearer_until: str | None = ""
    expires_at: str | None = None
    ended: object = None
    goes_on: bool | None = None
    link_kind: str | None = None
    services: tuple[ServiceFacts, ...] = ()
    verdicts: tuple[VerdictFacts, ...] = ()
    page_url: str | None = ""
    pull_request_url: str | None = ""

    @field_validator("url", "page_url", "pull_request_url")
    @classmethod
    def _is_address(cls, url: str | None) -> str:
        return address(url)

    @field_validator("head_sha", "serving_sha")
    @classmethod
    def _is_commit(cls, sha: str | None) -> str:
        return commit(sha)

    @field_validator("verdicts", mode="before")
    @classmethod
    def _of_this_version(cls, verdicts: object) -> object:
        # Another version may tell them otherwise; the rest still counts.
        try:
            return _VERDICTS.validate_python(verdicts)
        except ValidationError:
            return ()

    @field_validator("header")
    @classmethod
    def _is_header(cls, header: str | None) -> str:
        return header if header and _HEADER.fullmatch(header) else ""

    @field_validator("bearer")
    @classmethod
    def _is_bearer(cls, bearer: str | None) -> str:
        return bearer if bearer and _BEARER.fullmatch(bearer) else ""


_VERDICTS = TypeAdapter(tuple[VerdictFacts, ...])


def commit(sha: str | None) -> str:
    """Return a whole commit, or "" for anything else: it goes into scripts and logs."""
    return sha if sha and is_sha(sha) else ""


def address(url: str | None) -> str:
    """Return an address that a browser can open, or "" for anything else: it goes into scripts and logs."""
    # What is not printed would also hide where it leads, and half a character has no bytes.
    if not url or not url.isprintable() or _LOST.search(url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def facts_of(value: object) -> Facts | None:
    """Return the facts in a value of JSON, or None where it has none of this version."""
    try:
        facts = Facts.model_validate(value)
    except ValidationError:
        return None
    return facts if facts.version == VERSION else None


def facts_from(text: str) -> Facts | None:
    """Return the facts in a JSON text, or None where it has none of this version."""
    if len(text) > _LONGEST:
        return None
    try:
        return facts_of(json.loads(text))
    except (ValueError, RecursionError):
        return None


def facts_in(comment: str) -> Facts | None:
    """Return the facts in the fenced block of a comment of previewbot's, or None.

    The comment may quote a container's last words in a fence of their own, and in there anything may stand.
    So blocks are found as Markdown finds them, and where two could be meant, none is.
    """
    found = [facts for block in _json_blocks(comment) if (facts := facts_from(block)) is not None]
    return found[0] if len(found) == 1 else None


def _json_blocks(comment: str) -> list[str]:
    """Return the contents of all blocks with a fence and the word `json`.

    A fence is closed by one of the same kind that is at least as long
    (https://spec.commonmark.org/0.31.2/#fenced-code-blocks).
    """
    blocks: list[str] = []
    fence, is_json, lines = "", False, list[str]()
    for line in comment.replace("\r\n", "\n").split("\n"):
        found = _FENCE.fullmatch(line)
        if not fence:
            # What follows backticks has none in it: else this is a line of text with code in it.
            if found and not (found["fence"][0] == "`" and "`" in found["info"]):
                fence, is_json, lines = found["fence"], found["info"].strip().lower() == "json", []
        elif found and found["fence"].startswith(fence) and not found["info"].strip():
            if is_json:
                blocks.append("\n".join(lines))
            fence = ""
        else:
            lines.append(line)
    return blocks
