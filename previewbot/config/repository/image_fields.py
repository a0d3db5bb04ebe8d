"""The fields of an image's template, and which one was meant by what is written in its place.

What a build writes into a tag has other names there: GitHub's own, which change with the event, and those of
docker/metadata-action (https://github.com/docker/metadata-action#tags-input). None of them is filled in here,
so a template with one could never match anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from previewbot.config.words import did_you_mean, shown

IMAGE_FIELDS = ("head_sha", "short_sha", "merge_sha", "short_merge_sha", "number", "branch", "service")
SERVICE_FIELD = "{service}"
"""What stands for a service's name, in its image and in what `defaults` say of all of them."""

FIELDS = " ".join(f"`{{{name}}}`" for name in IMAGE_FIELDS)

# An expression of GitHub Actions, one of metadata-action, a variable of a shell, and a field; then what
# people write of their own.
_WRITTEN_RE = re.compile(
    r"\$\{\{(?P<actions>[^{}]*)\}\}|\{\{(?P<metadata>[^{}]*)\}\}|\$\{(?P<shell>[^{}]*)\}|\{(?P<field>[^{}]*)\}"
    r"|\$(?P<variable>[A-Za-z_]\w*)|<(?P<person>[^<>]*)>"
)
_SHORTENED_RE = re.compile(r"(?:head_sha|merge_sha|sha|github[._]sha)\W")

_ANY = (
    "`{head_sha}` is the pull request's own commit, `{merge_sha}` the test merge that `pull_request` builds"
)
_ANY_SHORT = (
    "`{short_sha}` has the first 7 characters of the commit itself, `{short_merge_sha}` those of the test "
    "merge that `pull_request` builds"
)
_GITHUB = "write `{merge_sha}` where the build runs on `pull_request`, `{head_sha}` where it runs on `push`"
_METADATA = (
    "write `{short_merge_sha}` where the build runs on `pull_request`, `{short_sha}` where it runs on `push`"
)
_REPOSITORY = "write the repository's name out"
_AFTERWARDS = "nobody knows that before the build: let it push a tag with `{head_sha}` as well"

# By what is written, in small letters and with underscores; a field's name stands for "did you mean …?".
_MEANT = {
    "number": "number pr pr_number pull pull_request pull_request_number pull_number pr_id issue_number "
    "github.event.number github.event.pull_request.number github.event.issue.number pr_num",
    "branch": "branch_name head_ref ref ref_name branch_slug head_branch source_branch github.head_ref "
    "github.ref_name github.ref github.event.pull_request.head.ref github_head_ref github_ref_name "
    "ci_commit_ref_slug ci_commit_ref_name ci_commit_branch",
    "head_sha": "head commit commit_sha commit_id git_sha git_commit revision pr_sha pr_head_sha sha1 hash "
    "commit_hash ci_commit_sha github.event.pull_request.head.sha github.event.after",
    "merge_sha": "merge merge_commit merge_commit_sha github.event.pull_request.merge_commit_sha",
    "short_sha": "short_head_sha head_short_sha head_sha_short ci_commit_short_sha",
    "short_merge_sha": "merge_short_sha merge_sha_short short_merge short_merge_commit",
    "service": "service_name app component",
    _ANY: "sha",
    _ANY_SHORT: "short short_commit sha7 sha_short commit_short short_hash sha_7 short_commit_sha",
    _GITHUB: "github.sha github_sha",
    _REPOSITORY: "github.repository github_repository github.repository_owner image_name image repository "
    "registry owner repo env.registry env.image_name",
    _AFTERWARDS: "version tag date timestamp build build_id build_number run_id run_number github.run_id "
    "github.run_number github_run_id github_run_number semver latest commit_date is_default_branch",
}
_MEANT_BY = {name: meant for meant, names in _MEANT.items() for name in names.split()}
_MEANT_BY_METADATA = {"sha": _METADATA, "branch": "branch", "tag": _AFTERWARDS, "base_ref": _AFTERWARDS}


def wrong_fields(template: str) -> Iterator[tuple[str, str]]:
    """Yield what is written in the place of a field and is none, with half a sentence of what to write."""
    for found in _WRITTEN_RE.finditer(template):
        if found["field"] not in IMAGE_FIELDS:
            yield found[0], _advice(found.lastgroup or "", found[found.lastgroup or 0])


def _advice(kind: str, written: str) -> str:
    # Of an expression such as `github.event.pull_request.head.sha || github.sha` it is the first part that
    # counts on a pull request.
    meant = next(filter(None, (_meant(kind, part) for part in re.split(r"&&|\|\|", written))), None)
    if meant is None:
        known = [f"{{{field}}}" for field in IMAGE_FIELDS]
        near = did_you_mean(f"{{{written}}}", known, always=False)
        return near or f"known here: {', '.join(known)}"
    return f"did you mean {shown(f'{{{meant}}}')}?" if meant in IMAGE_FIELDS else meant


def _meant(kind: str, written: str) -> str | None:
    """Return the field that is meant, or half a sentence of what to write; None if it is not known."""
    name = re.sub(r"[\s-]+", "_", written.strip().lower())
    # With arguments, as in `{{date 'YYYYMMDD'}}`, it is the first word that counts.
    first = name.partition("_'")[0]
    meant = _MEANT_BY_METADATA.get(first) if kind == "metadata" else None
    if name in IMAGE_FIELDS:
        meant = meant or name
    if _SHORTENED_RE.match(name):
        meant = "short_merge_sha" if name.startswith("merge") else _ANY_SHORT
    return meant or _MEANT_BY.get(name) or _MEANT_BY.get(first)
