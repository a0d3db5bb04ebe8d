"""What a repository's configuration may ask for: within the bounds that the server's settings set it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta

from previewbot.api import Service
from previewbot.config.mirrord.named_secrets import names_secret
from previewbot.config.mirrord.preview import FOREVER
from previewbot.config.repository import Entry, FrontEnd, RepositoryConfig
from previewbot.config.repository.state_agrees import copies_by_key
from previewbot.config.repository.values import sample_image
from previewbot.config.words import shown
from previewbot.errors import Problem
from previewbot.rules.images import is_allowed
from previewbot.rules.repositories import Bounds
from previewbot.text.durations import format_duration

_WHOSE = "That is the platform team's to decide, in previewbot's settings"
"""The author reads it: nothing in the file mends it, but to ask for less."""

ENDLESS = timedelta(seconds=FOREVER)
"""What mirrord's CLI calls `infinite`: here it is as long as the settings allow."""
_MOST_NAMED = 10
_BY_NAME = (
    "is reached by a Secret that its `connection` or `iam_auth` names, which may be another workload's; "
    "write the variable in which the target has it"
)


def check_against(config: RepositoryConfig, bounds: Bounds) -> tuple[Problem, ...]:
    """Return what the repository may not have: namespaces, targets, images, an entry, a long life; by
    line."""
    problems = [
        *_services(config, bounds),
        *_images(config, bounds),
        *_entries(config, bounds),
        *_ttl(config, bounds),
        *_mirrord(config, bounds),
        *_copies(config, bounds),
    ]
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line)))


def namespace_outside(bounds: Bounds, namespace: str) -> str:
    """Return why no session may be in a namespace; empty if it may."""
    # The controller may only act in these namespaces: its Roles are there. In others each pass would be
    # refused.
    if namespace in bounds.namespaces:
        return ""
    known = _named(bounds.namespaces)
    return f"the namespace {shown(namespace)} is not open to this repository; choose from: {known}. {_WHOSE}"


def target_outside(bounds: Bounds, target: str) -> str:
    """Return why no session may stand in for a workload; empty if it may."""
    if bounds.opens_target(target):
        return ""
    known = _named(bounds.targets or ())
    return f"the target {shown(target)} is not open to this repository; open are: {known}. {_WHOSE}"


def image_outside(bounds: Bounds, reference: str, written: str = "") -> str:
    """Return why an image may not run; empty if it may. `written` is how the file has it."""
    if is_allowed(reference, bounds.images):
        return ""
    known = _named(bounds.images)
    image = shown(written or reference)
    return f"the image {image} is not allowed here; it must begin with one of: {known}. {_WHOSE}"


def entry_outside(bounds: Bounds, entry: Entry) -> str:
    """Return why no link may lead to an entry's Services, or to one of them; empty if one may to all."""
    outside = (service_outside(bounds, entry.namespace, *backend) for backend in entry.backends)
    return next(filter(None, outside), "")


def service_outside(bounds: Bounds, namespace: str, service: str, port: int) -> str:
    """Return why no link may lead to a Service; empty if one may."""
    if bounds.opens_entry(namespace, service, port):
        return ""
    if bounds.entries is None:
        return namespace_outside(bounds, namespace)
    named = shown(f"{namespace}/{service}:{port}")
    if not bounds.entries:
        return f"no link may lead to {named}: this repository may have no `entry`. {_WHOSE}"
    known = _named(bounds.entries)
    # Not which namespaces there are: that would name other teams', and most of them are not open here.
    there = "" if namespace in bounds.linkable else ", and its namespace is open to nobody"
    return f"no link may lead to {named} for this repository{there}; open are: {known}. {_WHOSE}"


def runs_outside(services: Sequence[Service], there: Collection[str], bounds: Bounds) -> bool:
    """Return whether a service that is `there` in the cluster, by its name, may not run (any more).

    The settings may have been narrowed since it was made: then it is no mistake of whoever wrote the file,
    and what runs must not run on until its time is up.
    """
    return any(
        namespace_outside(bounds, service.namespace)
        or target_outside(bounds, service.target)
        or (service.image and image_outside(bounds, service.image))
        for service in services
        if service.name in there
    )


def _services(config: RepositoryConfig, bounds: Bounds) -> Iterator[Problem]:
    for service in config.services:
        for key, words in (
            ("namespace", namespace_outside(bounds, service.namespace)),
            ("target", target_outside(bounds, str(service.target))),
        ):
            if words:
                yield Problem(config.lines.get(f"services.{service.name}.{key}", 0), words)


def _images(config: RepositoryConfig, bounds: Bounds) -> Iterator[Problem]:
    for service in config.services:
        # Checked for the template, so that its author is told at once, and again for the real reference
        # before a look.
        words = image_outside(bounds, sample_image(service.image, service.name), service.image)
        if words:
            yield Problem(config.lines.get(f"services.{service.name}.image", 0), words)


def _entries(config: RepositoryConfig, bounds: Bounds) -> Iterator[Problem]:
    for front in config.front_ends.values():
        yield from _entry(front, config.lines, bounds)


def _entry(front: FrontEnd, lines: Mapping[str, int], bounds: Bounds) -> Iterator[Problem]:
    entry = front.entry
    places = {(entry.service, entry.port): f"{front.written}.service"}
    for number, route in enumerate(entry.routes):
        places.setdefault((route.service, route.port), f"{front.written}.routes.{number}.service")
    for (service, port), written in places.items():
        words = service_outside(bounds, entry.namespace, service, port)
        if words and bounds.entries is None:
            # It is about the namespace, which all of them share.
            yield Problem(lines.get(f"{front.written}.namespace", 0), words)
            return
        if words:
            yield Problem(lines.get(written, 0), words)


def _mirrord(config: RepositoryConfig, bounds: Bounds) -> Iterator[Problem]:
    for service in config.services:
        said = service.mirrord
        if said is None:
            continue
        if not bounds.secrets:
            yield from said.secrets
        if said.replicas is not None and said.replicas > bounds.replicas:
            words = f"its mirrord configuration asks for {said.replicas} replicas of {shown(service.name)}"
            line = config.lines.get(f"services.{service.name}.mirrord", 0)
            yield Problem(line, f"{words}, of which there may be {bounds.replicas}. {_WHOSE}")


def _copies(config: RepositoryConfig, bounds: Bounds) -> Iterator[Problem]:
    """Yield which images of copies of databases may not run: mirrord gives them a login of staging's.

    And which Secrets may not be named: where only some workloads are open, one of another workload would be a
    way to its data.
    """
    for service in config.services:
        for named_by, copy in copies_by_key(service, config.databases):
            migrations = copy.database.migrations
            images = {"image": copy.database.image, "migrations.image": migrations and migrations.image}
            at = f"databases.{copy.name}" if named_by == "databases" else f"services.{service.name}.mirrord"
            for key, image in images.items():
                words = image_outside(bounds, image) if image else ""
                if words:
                    line = config.lines.get(f"{at}.{key}", 0) or config.lines.get(at, 0)
                    yield Problem(line, f"of the database {shown(copy.name)} {words}")
            if bounds.targets is not None and not bounds.secrets and names_secret(copy.database):
                line = config.lines.get(f"{at}.connection", 0) or config.lines.get(at, 0)
                yield Problem(line, f"the database {shown(copy.name)} {_BY_NAME}. {_WHOSE}")


def _ttl(config: RepositoryConfig, bounds: Bounds) -> Iterator[Problem]:
    of_files = [each.mirrord.ttl for each in config.services if each.mirrord is not None]
    from_file = config.ttl in of_files and "ttl" not in config.lines
    if from_file and config.ttl is not None and bounds.longest < config.ttl < ENDLESS:
        words = f"how long previews live must be at most {format_duration(bounds.longest)} here, also in a"
        yield Problem(
            0, f"{words} mirrord file; write a shorter `ttl` in preview.yaml, which counts. {_WHOSE}"
        )
    wanted = {"ttl": None if from_file else config.ttl}
    wanted |= {f"agents.{key}.ttl": each.ttl for key, each in config.agents.items()}
    for written, ttl in wanted.items():
        if ttl is not None and ttl > bounds.longest:
            words = f"`{written}` must be at most {format_duration(bounds.longest)} here. {_WHOSE}"
            yield Problem(config.lines.get(written, 0), words)


def _named(allowed: Sequence[str]) -> str:
    """Return what is allowed, in few words: a rule may name hundreds."""
    more = f" and {len(allowed) - _MOST_NAMED} more" if len(allowed) > _MOST_NAMED else ""
    return (", ".join(allowed[:_MOST_NAMED]) or "none") + more
