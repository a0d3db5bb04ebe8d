"""Which accounts and repositories previewbot is for, and what the platform team lets each of them have.

A rule narrows what the settings allow everybody, and never widens it: `mistakes_of` says what of the rules
would, and which of them could never count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import InitErrorDetails

from previewbot.config import types as t
from previewbot.config.registries import lies_within
from previewbot.config.types import Called, about, mistake

# GitHub's names (`api/names.py`), with `*` for what may stand there. Neither part has a slash.
_ANY_OWNER = r"[A-Za-z0-9_*-]{1,100}"
_REPOSITORY = rf"^{_ANY_OWNER}/[.]{{0,99}}[A-Za-z0-9_*-][A-Za-z0-9._*-]{{0,99}}$"
_KINDS = "|".join(t.TARGET_KINDS)
_TARGET = rf"^({_KINDS}|[*])/[a-z0-9.*-]{{1,253}}$"
_ENTRY = r"^[a-z0-9*-]{1,63}/[a-z0-9*-]{1,63}(:[1-9][0-9]{0,4})?$"


def matches(pattern: str, text: str) -> bool:
    """Return whether a text is what a pattern means: `*` stands for any characters, but never for a `/`.

    A text that has a `*` itself is one that only a `*` of the pattern stands for. So this also tells whether
    one pattern takes in all that another one does.
    """
    wanted, parts = pattern.split("/"), text.split("/")
    return len(wanted) == len(parts) and all(map(_part_matches, wanted, parts))


def _part_matches(pattern: str, text: str) -> bool:
    # By its pieces and not as a regular expression, which may need long for a text that somebody made for it.
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    start, end = len(first), len(text) - len(last)
    if start > end or not text.startswith(first) or not text.endswith(last):
        return False
    for piece in middle:
        found = text.find(piece, start, end)
        if found < 0:
            return False
        start = found + len(piece)
    return True


def is_of(pattern: str, repository: str) -> bool:
    """Return whether a pattern means a repository; GitHub's names are the same in capitals and small."""
    return matches(pattern.lower(), repository.lower())


def _repository(written: str) -> str:
    # GitHub takes this ending off a name, so that no repository has it.
    if written.lower().endswith(".git"):
        raise mistake("repository_git", instead=written[: -len(".git")])
    return written


def _entry(written: str) -> str:
    port = written.partition(":")[2]
    if port and int(port) > 65_535:
        raise mistake("entry_pattern")
    return written


Owner = Annotated[
    str,
    Field(strict=True, pattern=r"^[A-Za-z0-9_-]{1,100}$"),
    Called("owner"),
    AfterValidator(str.lower),
]
RepositoryPattern = Annotated[
    str, Field(strict=True, pattern=_REPOSITORY), Called("repository"), AfterValidator(_repository)
]
TargetPattern = Annotated[str, Field(strict=True, pattern=_TARGET), Called("target_pattern")]
EntryPattern = Annotated[
    str, Field(strict=True, pattern=_ENTRY), Called("entry_pattern"), AfterValidator(_entry)
]


class RepositoryLimits(t.Model):
    """How much each repository of a rule may have at once; never more than `limits` grants everybody."""

    previews: t.WholeNumber | None = about("previews of one repository", 5, default=None)
    per_author: t.WholeNumber | None = about("of these, by one author", 2, default=None)
    per_agent: t.WholeNumber | None = about("of these, by one agent", 3, default=None)
    services: t.WholeNumber | None = about("services of one preview", 3, default=None)


class RepositoryRule(t.Model):
    """What the repositories that it names may have; of what is left out, all that the settings allow."""

    match: Annotated[
        tuple[RepositoryPattern, ...],
        Field(min_length=1),
        about(
            "repositories, capitals or small; `*` stands for anything within one part of the name",
            ["acme/shop", "acme/web-*"],
        ),
    ]
    namespaces: tuple[t.Label, ...] | None = about(
        "of `cluster.namespaces`; an empty list here, in `targets` or `images` is how a repository gets "
        "nothing",
        ["staging"],
        default=None,
    )
    targets: tuple[TargetPattern, ...] | None = about(
        "workloads its services may stand in for; left out: all of these namespaces",
        ["deployment/checkout", "deployment/web-*"],
        default=None,
    )
    images: tuple[t.ImagePrefix, ...] | None = about(
        "as `images.allowed`, and within these", ["ghcr.io/acme/shop/"], default=None
    )
    entries: tuple[EntryPattern, ...] | None = about(
        "Services its links may lead to, also in other namespaces of `cluster`; a port may follow "
        "(`staging/web:80`); left out: all of these namespaces; an empty list: none",
        ["staging/web"],
        default=None,
    )
    secrets: t.Truth = about(
        "their mirrord files may name an `env_file`, whose values everybody can read who may read sessions "
        "in the cluster, and `secret_mounts`, which mirrord's operator gets; without `repositories` nobody's "
        "may. And where `targets` are named, copies of databases may be reached by any Secret of the "
        "namespace",
        True,
        default=False,
    )
    limits: RepositoryLimits = RepositoryLimits()

    @property
    def gives_nothing(self) -> bool:
        """Whether a repository of this rule can have no preview at all."""
        return () in (self.namespaces, self.targets, self.images)


_MOST: Mapping[str, Sequence[str]] = {
    "previews": ("per_repository", "previews"),
    "per_author": ("per_author", "previews"),
    "per_agent": ("per_agent", "previews"),
    "services": ("services",),
}
"""What bounds each limit of a rule: keys of the `limits` for everybody, the nearest first."""


def mistakes_of(
    rules: Sequence[RepositoryRule],
    *,
    owners: Sequence[str] | None,
    namespaces: Sequence[str],
    images: Sequence[str],
    limits: Mapping[str, Any],
) -> Iterator[InitErrorDetails]:
    """Yield what is wrong with rules beside what the settings allow everybody: what would be wider than
    that, and what could never count."""
    for number, rule in enumerate(rules):
        here = ("repositories", number)
        for at, pattern in enumerate(rule.match):
            place = (*here, "match", at)
            earlier = next((n for n, each in enumerate(rules[:number]) if _takes(each, pattern)), None)
            if earlier is not None:
                yield _wrong("match_taken", place, pattern, rule=earlier + 1)
            elif owners is not None and not any(is_of(pattern.split("/")[0], owner) for owner in owners):
                yield _wrong("match_owner", place, pattern, owners=", ".join(owners))
        for at, namespace in enumerate(rule.namespaces or ()):
            if namespace not in namespaces:
                yield _wrong("wider_namespace", (*here, "namespaces", at), namespace)
        for at, prefix in enumerate(rule.images or ()):
            if not lies_within(prefix, images):
                yield _wrong("wider_image", (*here, "images", at), prefix)
        for at, entry in enumerate(rule.entries or ()):
            if not any(matches(entry.split("/")[0], namespace) for namespace in namespaces):
                yield _wrong("wider_entry", (*here, "entries", at), entry)
        yield from _limits(rule.limits, limits, (*here, "limits"))


def _limits(
    wanted: RepositoryLimits, limits: Mapping[str, Any], here: tuple[str | int, ...]
) -> Iterator[InitErrorDetails]:
    for key, keys in _MOST.items():
        value = getattr(wanted, key)
        for most in (name for name in keys if value is not None and limits.get(name) is not None):
            if value > limits[most]:
                yield _wrong("wider_limit", (*here, key), value, key=f"limits.{most}", most=limits[most])
                break


def _takes(rule: RepositoryRule, pattern: str) -> bool:
    """Return whether a rule is for every repository that a pattern means."""
    return any(is_of(wider, pattern) for wider in rule.match)


def _wrong(kind: str, path: tuple[str | int, ...], written: object, **named: object) -> InitErrorDetails:
    return InitErrorDetails(type=mistake(kind, at="", written=str(written), **named), loc=path, input=written)
