"""`previewbot render`: what would be created for a pull request, as YAML; it asks nobody."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from previewbot.cli.check import place_of
from previewbot.cli.check_settings import bounds_for, settings_in
from previewbot.cli.configuration import configuration_in
from previewbot.clients.kubernetes.resources import without_nulls
from previewbot.config.repository import RepositoryConfig
from previewbot.config.server import DeadlinesSettings, Settings, TtlSettings
from previewbot.config.words import did_you_mean, printable
from previewbot.reconciler.limits import Limits
from previewbot.reconciler.plan.rendering import (
    NO_DIGEST,
    NO_UID,
    Asked,
    CannotRender,
    Rendered,
    container_of,
    rendered,
)
from previewbot.rules.chosen import choose
from previewbot.rules.environment_keys import spec_of
from previewbot.rules.images import names_merge, template_fields
from previewbot.rules.repositories import Bounds
from previewbot.rules.slot_limits import services_limit

_GITHUB = "github.com"
_NO_COMMIT = "0" * 40


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line; the fields are named like the options."""

    path: Path
    repository: str
    number: int
    head_sha: str
    repository_id: int | None = None
    branch: str | None = None
    merge_sha: str | None = None
    services: tuple[str, ...] = ()
    container: str | None = None
    settings: Path | None = None
    ready: bool = False


class NoSuchService(Exception):
    """A service that was named is not in the file; the text says which, and what was meant."""


def render(wanted: Wanted, stdin: BinaryIO) -> int:
    """Print the stream; return the exit code. Raises `NoSuchService`."""
    settings = None
    if wanted.settings is not None:
        settings = settings_in(wanted.settings, os.environ, stdin)
        if settings is None:
            return 1
    bounds = bounds_for(settings, wanted.repository, sys.stderr) if settings is not None else None
    if settings is not None and bounds is None:
        return 1
    config = configuration_in(wanted.path, bounds)
    if config is None:
        return 1
    known = [service.name for service in config.services]
    for name in wanted.services:
        if name not in known:
            raise NoSuchService(f"--service {name}: there is no such service; {did_you_mean(name, known)}")
    return _render(wanted, config, settings, bounds)


def _render(
    wanted: Wanted, config: RepositoryConfig, settings: Settings | None, bounds: Bounds | None
) -> int:
    named = wanted.services or tuple(service.name for service in config.services)
    limit = services_limit(settings, wanted.repository) if settings is not None else len(named)
    chosen, left_out = choose(config, dict.fromkeys(named, 1), limit)
    asked = Asked(
        spec=spec_of(
            github_host=settings.github_host if settings is not None else _GITHUB,
            app_id=settings.github.app_id if settings is not None else 0,
            installation_id=0,
            repository_id=wanted.repository_id or 0,
            repository=wanted.repository,
            number=wanted.number,
        ),
        head_sha=wanted.head_sha,
        branch=wanted.branch or "BRANCH",
        merge_sha=wanted.merge_sha or _NO_COMMIT,
        services=tuple(chosen),
        container=wanted.container,
    )
    try:
        found = rendered(asked, config, _limits(settings), bounds, ready=wanted.ready)
    except CannotRender as error:
        print(printable(f"{wanted.path}: {error}"), file=sys.stderr)
        return 1
    notes = [*_notes(wanted, asked, config, settings, found)]
    if left_out is not None:
        names = ", ".join(left_out.names)
        services = "1 service" if left_out.limit == 1 else f"{left_out.limit} services"
        notes.append(f"not previewed: {names}; the settings allow {services} per preview")
    print(stream(found, [printable(note) for note in notes]), end="")
    return 0


def stream(found: Sequence[Rendered], notes: Sequence[str]) -> str:
    """Return objects as one YAML stream, with the notes as comments before the first."""
    head = "".join(f"# {note}\n" for note in notes)
    return head + "".join(f"---\n{_as_yaml(without_nulls(each.manifest))}" for each in found)


def _as_yaml(manifest: Mapping[str, Any]) -> str:
    # No aliases (`&id001`), which some readers refuse, and one line for a text however long it is.
    return yaml.dump(manifest, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=10_000)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _limits(settings: Settings | None) -> Limits:
    if settings is not None:
        return Limits.of(settings)
    ttl, deadlines = TtlSettings(), DeadlinesSettings()
    return Limits(
        ttl_default=ttl.default,
        ttl_max=ttl.max,
        session_deadline=deadlines.session,
        image_deadline=deadlines.image,
        branch_deadline=deadlines.branch,
        split_deadline=deadlines.split,
        public_url="",
    )


def _notes(
    wanted: Wanted,
    asked: Asked,
    config: RepositoryConfig,
    settings: Settings | None,
    found: Sequence[Rendered],
) -> Iterator[str]:
    """Yield what this is, and each value in it that only GitHub, a registry or the cluster could tell."""
    pull_request = f"{wanted.repository}#{wanted.number} at {wanted.head_sha}"
    yield f"What previewbot creates for {pull_request}, in this order."
    yield "Not known here, and filled in with:"
    if wanted.repository_id is None:
        yield "- the repository's number: 0, so the key in names and filters is another one; --repository-id"
    yield f"- digests of images: {NO_DIGEST[:15]}…, of which a registry knows the real ones"
    yield f"- the uid of the Preview that owns all of this: {NO_UID}"
    services = [service for service in config.services if service.name in asked.services]
    if wanted.container is None:
        guessed = [service.name for service in services if service.target.container is None]
        if guessed:
            container = container_of(asked, next(s for s in services if s.name in guessed))
            yield f"- the container of {', '.join(guessed)}: {container}; --container"
    fields = frozenset[str]().union(*(template_fields(s.image) for s in services))
    if "branch" in fields and wanted.branch is None:
        yield f"- the branch: {asked.branch}; --branch"
    if any(names_merge(service.image) for service in services) and wanted.merge_sha is None:
        yield "- the test merge: zeros; --merge-sha"
    yield "- who it is for (annotations agent, author, trigger, started-by): left out"
    for note in config.notes:
        yield f"{place_of(note, str(wanted.path))}: {note.message}."
    if settings is None:
        yield "Without --settings: the longest life is the default, and there is no route."
    elif not any(each.manifest["kind"] == "HTTPRoute" for each in found):
        yield "There is no route: it takes links.gateway in the settings, and an `entry` in the file."
    elif not wanted.ready:
        yield "The route leads to the preview's page until the sessions serve; --ready prints it as then."
