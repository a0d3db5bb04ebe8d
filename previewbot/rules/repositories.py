"""What a repository may have: the first rule of the settings that is for it, as one value.

Callers match by the name that GitHub gives for the repository's number. What a webhook or a Preview's `spec`
calls it is enough to refuse by, never to allow by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from previewbot.config.server import RepositoryLimits, RepositoryRule, Settings
from previewbot.config.server.repositories import is_of, matches


@dataclass(frozen=True)
class Bounds:
    """What one repository may have, whether or not there are rules for repositories.

    `rule` is the number of the rule that counts, from 1; None without `repositories`. `targets` None means
    every workload of the namespaces, `entries` None every Service there. A limit that is None is not bounded
    by a rule. `longest` is how long a preview may live.
    """

    namespaces: tuple[str, ...]
    images: tuple[str, ...]
    longest: timedelta
    targets: tuple[str, ...] | None = None
    entries: tuple[str, ...] | None = None
    limits: RepositoryLimits = field(default_factory=RepositoryLimits)
    rule: int | None = None

    def opens_target(self, target: str) -> bool:
        """Return whether a workload may be stood in for; which container of it is not asked."""
        workload = "/".join(target.split("/")[:2])
        return self.targets is None or any(matches(pattern, workload) for pattern in self.targets)

    def opens_entry(self, namespace: str, service: str, port: int) -> bool:
        """Return whether a link may lead to this port of a Service."""
        if self.entries is None:
            return namespace in self.namespaces
        named = f"{namespace}/{service}"
        return any(matches(p, f"{named}:{port}" if ":" in p else named) for p in self.entries)


def bounds_of(settings: Settings, repository: str) -> Bounds | None:
    """Return what a repository (`owner/name`, capitals or small) may have; None if it gets nothing."""
    if not serves(settings, repository.split("/")[0]):
        return None
    number = rule_of(settings, repository)
    rule = settings.repositories[number] if settings.repositories and number is not None else None
    if settings.repositories is not None and (rule is None or rule.gives_nothing):
        return None
    return _within(settings, rule, number)


def serves(settings: Settings, owner: str) -> bool:
    """Return whether the settings let an account's repositories have anything."""
    return settings.owners is None or owner.lower() in settings.owners


def rule_of(settings: Settings, repository: str) -> int | None:
    """Return the place (from 0) of the first rule that is for a repository; None if there is none."""
    rules = settings.repositories or ()
    found = (n for n, rule in enumerate(rules) if any(is_of(pattern, repository) for pattern in rule.match))
    return next(found, None)


def why_nothing(settings: Settings, repository: str) -> str:
    """Return why a repository gets nothing, for the log and for answers; empty if it gets something."""
    if not serves(settings, repository.split("/")[0]):
        return "its account is not among the settings' `owners`"
    number = rule_of(settings, repository)
    if settings.repositories is None or (number is not None and bounds_of(settings, repository)):
        return ""
    if number is None:
        return "no rule of the settings' `repositories` is for it"
    return f"rule {number + 1} of the settings' `repositories` gives it nothing"


def _within(settings: Settings, rule: RepositoryRule | None, number: int | None) -> Bounds:
    everybody = Bounds(
        namespaces=settings.cluster.namespaces, images=settings.images.allowed, longest=settings.ttl.max
    )
    if rule is None or number is None:
        return everybody
    return Bounds(
        namespaces=everybody.namespaces if rule.namespaces is None else rule.namespaces,
        images=everybody.images if rule.images is None else rule.images,
        longest=everybody.longest,
        targets=rule.targets,
        entries=rule.entries,
        limits=rule.limits,
        rule=number + 1,
    )
