"""The configuration as values, which is also how the file is read; names are those of the file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Self

from pydantic import Field, GetCoreSchemaHandler, GetPydanticSchema, model_validator
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_wrap_validator_function

from previewbot.config import types as t
from previewbot.config.repository.agents import Agents, named_services
from previewbot.config.repository.entries import DEFAULT, Entries, Entry, FrontEnd, front_ends
from previewbot.config.repository.globs import count_wildcards, effective
from previewbot.config.repository.leftovers import emptied
from previewbot.config.repository.notify import Notify
from previewbot.config.repository.patterns import SHARED, Patterns, Unmatchable
from previewbot.config.repository.services import Defaults, Globs, ServiceConfig, ServiceFields
from previewbot.config.repository.state import Databases, notes_of
from previewbot.config.repository.state_agrees import check_state
from previewbot.config.types import about, mistake
from previewbot.config.words import Raw, did_you_mean, some_of
from previewbot.errors import Problem

# While patterns are read and tried, the controller's loop waits: some 0.1 s for reading 500 of them. A path
# of 4 KB takes 10 µs, or 0.2 ms for each wildcard if somebody made it for patterns such as `*a????????`.
_MOST_PATTERNS = 500
_MOST_WILDCARDS = 800


class Triggers(t.Model):
    """What makes a preview without a command: agents, labels, and whether drafts count."""

    agents: t.Truth = about(
        "pull requests of coding agents; of forks only those that an agent's own account opened",
        True,
        default=True,
    )
    labels: tuple[t.Text, ...] = about("pull requests with one of these", ["preview"], default=("preview",))
    drafts: t.Truth = about("whether drafts count", True, default=True)


def _named(value: object, handler: Any) -> object:
    """Read services from a mapping of names; what is a tuple of them already stays."""
    if isinstance(value, tuple):
        return value
    # People write a mapping by name; the rest of the program goes through the services in the order of the
    # file.
    read: Mapping[str, ServiceFields] = handler(value)
    # Built without a second validation: each part has been read by `handler` already.
    services = tuple(ServiceConfig.model_construct(name=name, **dict(read[name])) for name in read)
    _refuse_same_targets(services)
    return services


def _refuse_many_patterns(root: object) -> object:
    """Refuse more patterns than can be tried, before any is looked at: that takes time too."""
    whole = root if isinstance(root, Mapping) else {}
    services = whole.get("services")
    each = services.items() if isinstance(services, Mapping) else ()
    written = {
        f"services.{name}.paths": service.get("paths")
        for name, service in each
        if isinstance(service, Mapping)
    }
    written |= {key: whole.get(key) for key in ("shared", "ignore")}
    lists = {name: paths for name, paths in written.items() if isinstance(paths, list)}
    found = sum(map(len, lists.values()))
    if found > _MOST_PATTERNS:
        raise mistake("patterns", at="services", found=found, most=_MOST_PATTERNS)
    wildcards = {
        name: sum(count_wildcards(path) for path in paths if isinstance(path, str))
        for name, paths in lists.items()
    }
    found = sum(wildcards.values())
    if found > _MOST_WILDCARDS:
        # Told where most of them are.
        at = max(wildcards, key=lambda name: wildcards[name])
        raise mistake("wildcards", at=at, found=found, most=_MOST_WILDCARDS)
    return root


def _refuse_same_targets(services: tuple[ServiceConfig, ...]) -> None:
    """Refuse services that would take the same container's place: their sessions would share a name."""
    seen: dict[tuple[str, str, str], dict[str | None, str]] = {}
    for service in services:
        target = service.target
        containers = seen.setdefault((service.namespace, target.kind, target.name), {})
        other = containers.get(target.container) or containers.get(None)
        # A target without a container stands for whichever is chosen, so it may be the same as any that is
        # named.
        if target.container is None and containers:
            other = next(iter(containers.values()))
        if other:
            raise mistake("same_target", at=service.name, other=other)
        containers[target.container] = service.name


def _by_name(_: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    name = Annotated[t.Label, about("names of services", "checkout")]
    inner = handler(Annotated[dict[name, ServiceFields], Field(min_length=1)])
    return no_info_wrap_validator_function(_named, inner)


@dataclass(frozen=True)
class Lines:
    """Where each value was written; it says nothing about the values, so that any two are equal."""

    of: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


class RepositoryConfig(t.Model):
    """A whole configuration."""

    version: Annotated[int, Field(strict=True, ge=1, le=1), t.Called("version"), about("of this format", 1)]
    entry: Entry | None = about("staging's front end; left out: links cannot open it", default=None)
    entries: Entries = about("front ends beside it, or instead of it, by name", default=None)
    defaults: Defaults | None = about(
        "what holds for every service that says nothing else; `{service}` stands for its name", default=None
    )
    shared: Globs | None = about(
        "paths that belong to every service, and start one only together with a path of its own",
        ["libs/**"],
        default=None,
    )
    ignore: Globs | None = about(
        "paths that count for no service, whatever its `paths` say", ["*.md"], default=None
    )
    services: Annotated[
        tuple[ServiceConfig, ...], GetPydanticSchema(_by_name), about("what can be previewed, by name")
    ]
    databases: Databases = about(
        "by its name, a database of which previews have a copy, or `staging`: one that they share",
        {"orders": {"type": "pg", "connection": {"url": "DATABASE_URL"}, "copy": {"mode": "schema"}}},
        default={},
    )
    triggers: Triggers = Triggers()
    ttl: t.Duration | None = about(
        "how long a preview lives; left out: as the server's settings say", "8h", default=None
    )
    notify: Notify | None = about(
        "whom a comment of its own tells how the preview came out; left out: nobody, as edits of the one "
        "comment notify nobody",
        default=None,
    )
    agents: Agents = about(
        "what is different for an agent's pull requests, by its key; `unknown-apps` are all Apps on no list",
        default={},
    )
    _lines: Lines = Lines()

    def model_post_init(self, context: Any) -> None:
        """Remember the lines of the file, if this is read from one."""
        self._lines = Lines((context or {}).get("lines", {}))

    @model_validator(mode="before")
    @classmethod
    def _has_not_too_many_patterns(cls, value: object) -> object:
        return _refuse_many_patterns(value)

    @model_validator(mode="after")
    def _can_be_matched_and_leaves_something(self) -> Self:
        # Of some patterns RE2 takes each but not all: a pass, which makes the same set, would fail.
        paths = [service.paths for service in self.services]
        try:
            by_own, by_ignored = emptied(self.patterns(), paths, self.shared or (), self.ignore or ())
        except Unmatchable:
            longest = max(self.services, key=lambda service: sum(map(len, service.paths)))
            raise mistake("patterns_together", at=f"services.{longest.name}.paths") from None
        if by_own:
            raise mistake("glob_nothing", at=self._where(by_own[0]))
        if by_ignored:
            where = [Raw(f"`{self._where(at)}`") for at in by_ignored]
            raise mistake("ignore_all", at="ignore", whose=some_of(where))
        return self

    def _where(self, service: int) -> str:
        return "shared" if service == SHARED else f"services.{self.services[service].name}.paths"

    @model_validator(mode="after")
    def _names_entries_that_are_there(self) -> Self:
        found = front_ends(self.entry, self.entries)
        if self.entry is not None and DEFAULT in (self.entries or {}):
            raise mistake("entry_twice", at=f"entries.{DEFAULT}")
        for service in self.services:
            if service.entry is not None and service.entry not in found:
                near = Raw(did_you_mean(service.entry, found)) if found else Raw("there are no `entries`")
                raise mistake(
                    "no_such_entry", at=f"services.{service.name}.entry", written=service.entry, near=near
                )
        return self

    @model_validator(mode="after")
    def _has_databases_and_queues_that_fit(self) -> Self:
        check_state(self.services, self.databases)
        return self

    @model_validator(mode="after")
    def _names_services_that_are_there(self) -> Self:
        names = [service.name for service in self.services]
        for at, written in named_services(self.agents):
            if written not in names:
                near = Raw(did_you_mean(written, names))
                raise mistake("no_such_service", at=at, written=written, near=near)
        return self

    def patterns(self) -> Patterns:
        """Return what changed files are matched with; raises Unmatchable where there can be no such set."""
        paths = [effective(service.paths) for service in self.services]
        return Patterns(paths, effective(self.shared or ()), effective(self.ignore or ()))

    @property
    def front_ends(self) -> Mapping[str, FrontEnd]:
        """Every entry by its name, the one first that counts where a service names none."""
        return front_ends(self.entry, self.entries)

    def entry_of(self, service: str) -> Entry | None:
        """Return the entry that the link of a service opens; None if there is none."""
        named = next((each.entry for each in self.services if each.name == service), None)
        found = self.front_ends.get(named) if named else next(iter(self.front_ends.values()), None)
        return found.entry if found else None

    @property
    def notes(self) -> tuple[Problem, ...]:
        """What is said that has no effect, or another than one may believe; each once."""
        return self.notes_of([service.name for service in self.services])

    def notes_of(self, names: Collection[str]) -> tuple[Problem, ...]:
        """Return what is noted of some services, by their names, and of the databases that they use."""
        services = [service for service in self.services if service.name in names]
        used = {name for service in services for name in service.databases or ()}
        declared = {name: each for name, each in self.databases.items() if name in used}
        said = (note for service in services if service.mirrord for note in service.mirrord.notes)
        return tuple(dict.fromkeys((*notes_of(declared, self.lines), *said)))

    @property
    def lines(self) -> Mapping[str, int]:
        """Where a value was written (`services.checkout.image` → 14)."""
        return self._lines.of
