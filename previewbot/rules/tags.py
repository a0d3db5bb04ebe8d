"""Which of a repository's tags are like the one that is looked for, and what to write to find them. Pure.

A registry lists tags in no order that tells which is the newest (that of distribution, and of most others,
is the alphabet's), so none is ever called that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from previewbot.rules.images import SHORT, is_tag, names_commit, sanitise_branch
from previewbot.rules.masking import MASK, one_line

# What tools for signing and caching put beside images, which nobody deploys:
# https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
_NO_IMAGE_RE = re.compile(
    r"sha(?:256|512)-[0-9a-f]{64,128}(?:\.\w+)?|(?:build[-_]?)?cache(?:[-_.].*)?|.*[-_.]?buildcache"
)

# How a pull request stands in a tag: `pr-42`, and `42/merge` (its ref) with another character for the slash.
_OF_PULL_REQUEST = (
    r"(?:(?:refs[-_.])?(?:pr|pull|mr|pull[-_.]?request|preview)[-_.]?%d(?:[-_.](?:merge|head))?|%d[-_.]merge)"
)

_SHOWN = 3
_HEX_RE = re.compile(r"(?<![0-9a-f])[0-9a-f]{7,64}(?![0-9a-f])")


_PLATFORM_RE = re.compile(
    r"(?<![a-z0-9])(?:amd64|arm64|arm[-_]?v[67]|x86[-_]64|s390x|ppc64le|386|i386)(?![a-z0-9])"
)


@dataclass(frozen=True)
class Wanted:
    """What is known of the commit whose image is looked for, and how the configuration names it."""

    template: str
    head_sha: str
    merge_shas: Sequence[str] = ()
    number: int = 0
    branch: str = ""


@dataclass(frozen=True)
class Alike:
    """Tags that are there: `of_commit` if they are of this very commit, and what to write as `image` then."""

    tags: tuple[str, ...] = ()
    of_commit: bool = False
    instead: str = ""


def alike(tags: Iterable[str], wanted: Wanted) -> Alike:
    """Return the tags that tell most of why the one that is looked for is not there."""
    # Whoever may push chooses them: only tags are shown to anybody, and none that looks like a secret, as a
    # commit does.
    unique = filter(is_tag, dict.fromkeys(tags))
    images = [tag for tag in unique if not _NO_IMAGE_RE.fullmatch(tag)]
    known = [tag for tag in images if MASK not in one_line(_HEX_RE.sub("", tag))]
    written = [(_template_of(tag, wanted), tag) for tag in known]
    # First such as a template can write.
    found = sorted(
        ((place, tag, template) for (place, template), tag in written if place is not None),
        key=lambda each: (each[0], not each[2], each[1]),
    )
    if found:
        best = found[0]
        instead = f"{wanted.template.rpartition(':')[0]}:{best[2]}" if best[2] else ""
        shown = (best[1],) if instead else tuple(tag for _, tag, _ in found[:_SHOWN])
        return Alike(shown, of_commit=True, instead="" if instead == wanted.template else instead)
    return Alike(_of_the_same_kind(known, wanted.template))


def _template_of(tag: str, wanted: Wanted) -> tuple[int | None, str]:
    """Return how sure it is that a tag is of this commit (0: most), and how a template writes such a tag."""
    commits = [("head_sha", "short_sha", wanted.head_sha)]
    commits += [("merge_sha", "short_merge_sha", sha) for sha in wanted.merge_shas if sha]
    for place, (whole, short, sha) in enumerate(commits):
        for field, text in ((whole, sha), (short, sha[:SHORT])):
            if _stands_alone(text, tag):
                return place, _with_fields(tag, text, field, wanted)
        if sha[:SHORT] in _parts(tag):
            # Eight or twelve characters, say, or what no field writes.
            return 100 + place, ""
    if wanted.number and re.fullmatch(_OF_PULL_REQUEST.replace("%d", str(wanted.number)), tag, re.IGNORECASE):
        return 200, tag.replace(str(wanted.number), "{number}")
    branch = sanitise_branch(wanted.branch)
    if branch and tag == branch:
        return 201, "{branch}"
    return None, ""


def _with_fields(tag: str, sha: str, field: str, wanted: Wanted) -> str:
    """Return how a template writes a tag that has a commit; `""` if something else in it changes as well.

    Versions, dates and numbers of runs are no fields. Of the next pull request such a tag would never come.
    """
    before, _, after = tag.partition(sha)
    first, last = _part_with_fields(before, wanted), _part_with_fields(after, wanted)
    return "" if first is None or last is None else f"{first}{{{field}}}{last}"


def _part_with_fields(part: str, wanted: Wanted) -> str | None:
    branch, marked = sanitise_branch(wanted.branch), part
    if branch:
        marked = re.sub(rf"(?<![\w.-]){re.escape(branch)}(?![\w.])(?=-|$)", "{branch}", marked)
    if wanted.number:
        number = rf"((?<![a-z0-9])(?:pr|mr|pull)[-_.]?){wanted.number}(?![0-9])"
        marked = re.sub(number, r"\g<1>{number}", marked, flags=re.IGNORECASE)
    left = _PLATFORM_RE.sub("", marked.replace("{branch}", "").replace("{number}", ""))
    return None if re.search("[0-9]", left) else marked


def _stands_alone(sha: str, tag: str) -> bool:
    # Of the thousands of tags that a list may have hardly any has it.
    return sha in tag and re.search(rf"(?<![0-9a-f]){re.escape(sha)}(?![0-9a-f])", tag) is not None


def _parts(tag: str) -> set[str]:
    """Return the first characters of everything in a tag that may be a commit."""
    return {found[0][:SHORT] for found in _HEX_RE.finditer(tag)}


def _of_the_same_kind(tags: Sequence[str], template: str) -> tuple[str, ...]:
    """Return some tags, such first as name a commit (where the wanted one does), in the order of the list."""
    of_commits = names_commit(template)
    return tuple(sorted(tags, key=lambda tag: bool(_HEX_RE.search(tag)) != of_commits)[:_SHOWN])
