"""From the file's bytes to `RepositoryConfig`, or to all that is wrong with it, line by line."""

from __future__ import annotations

import yaml

from previewbot.errors import ConfigurationError, Problem
from previewbot.repoconfig import values
from previewbot.repoconfig.model import (
    Entry,
    RepositoryConfig,
    ServiceConfig,
    TargetPath,
    Triggers,
    is_label,
)
from previewbot.repoconfig.nodes import Fields, Mistake, compose, shown

PATH = ".github/preview.yaml"
_MOST_PROBLEMS = 20
# Each is tried on each of up to 3,000 changed files while the controller's loop waits: some 0.3 s for 500.
_MOST_PATTERNS = 500


def parse(text: bytes | str, path: str = PATH) -> RepositoryConfig:
    """Return the configuration; raises ConfigurationError with every problem, in the order of the lines."""
    try:
        root = compose(text)
    except Mistake as mistake:
        raise ConfigurationError(path, (mistake.problem,)) from None
    problems: list[Problem] = []
    config = _configuration(root, problems)
    if problems:
        raise ConfigurationError(path, _shortened(problems))
    return config


def _configuration(root: yaml.Node, problems: list[Problem]) -> RepositoryConfig:
    lines: dict[str, int] = {}
    top = Fields("", root, problems, lines)
    top.required("version", values.version, "1")
    config = RepositoryConfig(
        entry=_entry(top.fields("entry")) if top.has("entry") else None,
        services=_services(top),
        triggers=_triggers(top.fields("triggers")) if top.has("triggers") else Triggers(),
        ttl=top.optional("ttl", values.duration, None),
        lines=lines,
    )
    top.close()
    return config


def _entry(fields: Fields) -> Entry:
    url = fields.required("url", values.url, "https://staging.example.com")
    namespace = fields.required("namespace", values.label, "staging")
    service = fields.required("service", values.label, "web")
    entry = Entry(
        url=url,
        namespace=namespace,
        service=service,
        port=fields.required("port", values.port, "80"),
        target=fields.optional("target", values.target, TargetPath("deployment", service)),
    )
    fields.close()
    return entry


def _services(top: Fields) -> tuple[ServiceConfig, ...]:
    if top.lacks("services", "name under it what can be previewed") or not top.has("services"):
        return ()
    named = top.fields("services")
    names = named.names()
    if not names:
        named.note(top.line("services"), "`services` must name at least one service")
    services = []
    for name in names:
        if not is_label(name):
            named.note(named.line(name), f"{shown(name)} must be a name of small letters, digits and -")
        services.append((named.line(name), _service(name, named.fields(name))))
    _check_targets(named, services)
    _check_patterns(named, top.line("services"), services)
    return tuple(service for _, service in services)


def _service(name: str, fields: Fields) -> ServiceConfig:
    service = ServiceConfig(
        name=name,
        paths=fields.required("paths", values.globs, f"[{name}/**]"),
        target=fields.required("target", values.target, f"deployment/{name}"),
        namespace=fields.required("namespace", values.label, "staging"),
        image=fields.required("image", values.image(name), f"ghcr.io/acme/{name}:{{head_sha}}"),
        ports=fields.required("ports", values.list_of(values.port, "8080"), "[8080]"),
        open=fields.optional("open", values.open_path, "/"),
    )
    fields.close()
    return service


def _check_targets(fields: Fields, services: list[tuple[int, ServiceConfig]]) -> None:
    """Note services that would take the same container's place: their sessions would share a name."""
    seen: dict[tuple[str, str, str], list[ServiceConfig]] = {}
    for line, service in services:
        if service.target is None:
            continue
        others = seen.setdefault((service.namespace, service.target.kind, service.target.name), [])
        same = next((other for other in others if _overlap(service.target, other.target)), None)
        if same is not None:
            fields.note(
                line, f"{shown(service.name)} has the same target as {shown(same.name)}; join the two"
            )
        else:
            others.append(service)


def _check_patterns(fields: Fields, line: int, services: list[tuple[int, ServiceConfig]]) -> None:
    patterns = sum(len(service.paths or ()) for _, service in services)
    if patterns > _MOST_PATTERNS:
        fields.note(
            line,
            f"the services have {patterns} `paths` together; name folders, at most {_MOST_PATTERNS} paths",
        )


def _overlap(one: TargetPath, other: TargetPath) -> bool:
    return one.container is None or other.container is None or one.container == other.container


def _triggers(fields: Fields) -> Triggers:
    triggers = Triggers(
        agents=fields.optional("agents", values.truth, Triggers.agents),
        labels=fields.optional("labels", values.labels, Triggers.labels),
        drafts=fields.optional("drafts", values.truth, Triggers.drafts),
    )
    fields.close()
    return triggers


def _shortened(problems: list[Problem]) -> tuple[Problem, ...]:
    """Return the problems by line; of very many, the first: they are stored and shown in a comment."""
    ordered = sorted(problems, key=lambda problem: problem.line)
    rest = len(ordered) - _MOST_PROBLEMS
    if rest <= 0:
        return tuple(ordered)
    return (*ordered[:_MOST_PROBLEMS], Problem(ordered[_MOST_PROBLEMS].line, f"and {rest} more mistakes"))
