"""What a repository may have: the first rule of the settings that is for it, as one value.

Callers match by the name that GitHub gives for the repository's number. What a webhook or a Preview's `spec`
calls it is enough to refuse by, never to allow by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from previewbot.config.server import LimitsSettings, RepositoryLimits, RepositoryRule, Settings
from previewbot.config.server.repositories import is_of, matches


@dataclass(frozen=True)
class Bounds:
    """What one repository may have, whether or not there are rules for repositories.

    `namespaces` are where its sessions may be, `linkable` where the Services of its `entries` may be.
    `rule` is the number of the rule that counts, from 1; None without `repositories`. `targets` None means
    every workload of the namespaces, `entries` None every Service there. A limit that is None is not bounded
    by a rule. `longest` is how long a preview may live, `agents` are the keys of those that are known.
    `replicas` is how many pods a service of a preview may have; `secrets`: files of the repository may become
    variables and secret files of its sessions.
    """

    namespaces: tuple[str, ...]
    linkable: tuple[str, ...]
    images: tuple[str, ...]
    longest: timedelta
    targets: tuple[str, ...] | None = None
    entries: tuple[str, ...] | None = None
    limits: RepositoryLimits = field(default_factory=RepositoryLimits)
    rule: int | None = None
    agents: tuple[str, ...] | None = None
    replicas: int = LimitsSettings().replicas
    secrets: bool = False

    def opens_target(self, target: str) -> bool:
        """Return whether a workload may be stood in for; which container of it is not asked."""
        workload = "/".join(target.split("/")[:2])
        return self.targets is None or any(matches(pattern, workload) for pattern in self.targets)

    def opens_entry(self, namespace: str, service: str, port: int) -> bool:
        """Return whether a link may lead to this port of a Service."""
        if self.entries is None:
            return namespace in self.namespaces
        named = f"{namespace}/{service}"
        # `*/web` means any namespace of the settings': a rule opens none beyond these.
        return namespace in self.linkable and any(
            matches(p, f"{named}:{port}" if ":" in p else named) for p in self.entries
        )


def bounds_of(settings: Settings, repository: str) -> Bounds | None:
    """Return what a repository (`owner/name`, capitals or small) may have; None if it gets nothing."""
    if not serves(settings, repository.split("/")[0]):
        return None
    if settings.repositories is None:
        return everybodys(settings)
    number = rule_of(settings, repository)
    if number is None or settings.repositories[number - 1].gives_nothing:
        return None
    return rule_bounds(settings, number)


def everybodys(settings: Settings) -> Bounds:
    """Return what the settings allow everybody, which a rule can only narrow."""
    namespaces = settings.cluster.namespaces
    return Bounds(
        namespaces=namespaces,
        linkable=namespaces,
        images=settings.images.allowed,
        longest=settings.ttl.max,
        agents=tuple(settings.agents.known.by_key),
        replicas=settings.limits.replicas,
    )


def rule_bounds(settings: Settings, number: int) -> Bounds:
    """Return what the rule of this number (from 1) lets its repositories have."""
    rule, wider = (settings.repositories or ())[number - 1], everybodys(settings)
    return replace(
        wider,
        namespaces=wider.namespaces if rule.namespaces is None else rule.namespaces,
        images=wider.images if rule.images is None else rule.images,
        targets=rule.targets,
        entries=rule.entries,
        limits=rule.limits,
        rule=number,
        secrets=rule.secrets,
    )


def serves(settings: Settings, owner: str) -> bool:
    """Return whether the settings let an account's repositories have anything."""
    return settings.owners is None or owner.lower() in settings.owners


def rule_of(settings: Settings, repository: str) -> int | None:
    """Return the number (from 1) of the first rule that is for a repository; None if there is none."""
    for number, rule in enumerate(settings.repositories or (), start=1):
        if any(is_of(pattern, repository) for pattern in rule.match):
            return number
    return None


def why_nothing(settings: Settings, repository: str) -> str:
    """Return why a repository gets nothing, for the log and for answers; empty if it gets something."""
    if bounds_of(settings, repository) is not None:
        return ""
    if not serves(settings, repository.split("/")[0]):
        return "its account is not among the settings' `owners`"
    number = rule_of(settings, repository)
    if number is None:
        return "no rule of the settings' `repositories` is for it"
    return f"rule {number} of the settings' `repositories` gives it nothing"


def warnings_of(settings: Settings) -> tuple[str, ...]:
    """Return what the settings leave open to everybody, what that means, and what to write; for the start."""
    found = []
    if settings.repositories is None:
        open_to = ", ".join(settings.cluster.namespaces)
        found.append(
            "`repositories` is not set: the preview.yaml of every repository that the App is installed in "
            f"may name any workload, and have a link lead to any Service, in {open_to}. Write what each may "
            "have, for example `repositories: [{match: [acme/shop], targets: [deployment/checkout]}]`"
        )
    rules = (None,) if settings.repositories is None else settings.repositories
    if settings.owners is None and any(_means_any_owner(rule) for rule in rules):
        found.append(
            "`owners` is not set: whichever account installs the App is served, which for a public App is "
            "anybody. Write whose installations count, for example `owners: [acme]`"
        )
    if settings.pictures is not None and not settings.pictures.public and not _anybody_reads_words(settings):
        found.append(
            "`pictures` is set, and nobody may see any: a page shows them to those who may read its words, "
            "and `access` lets nobody. Let people sign in, or set `pictures.public: true`, or leave "
            "`pictures` out"
        )
    return (*found, *_idle_limits(settings))


def _anybody_reads_words(settings: Settings) -> bool:
    """Return whether somebody may read the words of a page, once they have signed in or by a proxy."""
    proxy = settings.by_proxy
    return settings.access_or_default == "github" or (proxy is not None and proxy.sees == "words")


def _idle_limits(settings: Settings) -> Iterator[str]:
    """Yield what can never be reached, since what it is part of ends earlier.

    No mistake: whoever lowers `limits.previews` in a hurry must not have to look for all the others first.
    """
    everybody = settings.limits
    for key in ("per_repository", "per_author", "per_agent"):
        number = getattr(everybody, key)
        if number is not None and number > everybody.previews:
            yield (
                f"`limits.{key}` is {number} and bounds nothing, since `limits.previews` is "
                f"{everybody.previews}. Lower it, or remove it"
            )
    for at, rule in enumerate(settings.repositories or (), start=1):
        previews = rule.limits.previews or everybody.per_repository
        for key in ("per_author", "per_agent"):
            number = getattr(rule.limits, key)
            if number is not None and previews is not None and number > previews:
                yield (
                    f"`limits.{key}` of rule {at} of `repositories` is {number} and bounds nothing, since "
                    f"each of its repositories may hold {previews}. Lower it, or remove it"
                )


def _means_any_owner(rule: RepositoryRule | None) -> bool:
    return rule is None or any("*" in pattern.split("/")[0] for pattern in rule.match)
