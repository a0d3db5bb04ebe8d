"""Staging's front end: where links lead, and which paths of it other Services answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from previewbot.config import types as t
from previewbot.config.repository.pictured import PICTURED, PicturedPaths
from previewbot.config.repository.targets import Target
from previewbot.config.target_paths import TargetPath
from previewbot.config.types import about, mistake

MOST_PATHS = 15
"""A route has at most 16 rules (`maxItems` of the HTTPRoute's CRD), and one is that of all other paths."""

# What the HTTPRoute's CRD takes as a path, and beyond that what its validations refuse.
_PATH = re.compile(r"/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})*")
_NO_PATH = re.compile(r"//|/\.{1,2}(/|$)|%2[fF]")
_LONGEST_PATH = 1024
_DURATION = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"
_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}


def _path(written: str) -> str:
    if len(written) > _LONGEST_PATH or not _PATH.fullmatch(written) or _NO_PATH.search(written):
        raise mistake("path")
    return written


def _milliseconds(duration: str) -> int:
    """Return a duration of the Gateway API; see `gateway-api.sigs.k8s.io/geps/gep-2257`."""
    return sum(int(n) * _MILLISECONDS[unit] for n, unit in re.findall(r"([0-9]+)(h|ms|m|s)", duration))


GatewayDuration = Annotated[str, Field(strict=True, pattern=_DURATION), t.Called("gateway_duration")]


class Timeouts(t.Model):
    """How long the gateway lets a request take; as the Gateway API writes it."""

    request: GatewayDuration | None = about("a whole request; `0s` is without end", "0s", default=None)
    backend_request: Annotated[GatewayDuration | None, Field(alias="backendRequest")] = about(
        "one attempt of it at the Service", "30s", default=None
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Timeouts:
        # The API server refuses it, in the words of its own rule.
        whole = _milliseconds(self.request or "0s")
        if whole and _milliseconds(self.backend_request or "0s") > whole:
            raise mistake("backend_request", at="backendRequest", most=self.request)
        return self

    @property
    def verbatim(self) -> dict[str, str]:
        """The timeouts as a route has them."""
        return self.model_dump(by_alias=True, exclude_none=True)


class PathRoute(t.Model):
    """A path of the front end that another Service answers, as in staging's own HTTPRoute."""

    path: Annotated[
        t.Text,
        AfterValidator(_path),
        WithJsonSchema({"type": "string", "pattern": f"^{_PATH.pattern}$", "maxLength": _LONGEST_PATH}),
        about("which", "/api"),
    ]
    service: Annotated[t.Label, about("the Service that answers, in the entry's namespace", "api")]
    port: Annotated[t.PortAsWritten, about("its port", 8080)]
    type: Literal["PathPrefix", "Exact"] = about(
        "whether that path and all below it, or `Exact`ly it", "PathPrefix", default="PathPrefix"
    )
    timeouts: Timeouts | None = about("how long a request may take", {"request": "0s"}, default=None)

    @property
    def means(self) -> tuple[str, str]:
        """What it takes; a slash at the end of a prefix means nothing (`PathPrefix` in the Gateway API)."""
        return self.type, self.path if self.type == "Exact" else self.path.rstrip("/") or "/"


EVERYTHING = ("PathPrefix", "/")


def _routes(value: tuple[PathRoute, ...], info: ValidationInfo) -> tuple[PathRoute, ...]:
    if len(value) > MOST_PATHS:
        raise mistake("paths_many", most=MOST_PATHS)
    seen: dict[tuple[str, str], int] = {}
    for number, route in enumerate(value):
        first = seen.setdefault(route.means, number)
        if first != number:
            raise mistake("path_twice", at=f"{number}.path", written=route.path, other=value[first].path)
        own = (info.data.get("service"), info.data.get("port"))
        if route.means == EVERYTHING and None not in own and (route.service, route.port) != own:
            raise mistake("path_of_entry", at=f"{number}.service", service=f"{own[0]}:{own[1]}")
    return value


@dataclass(frozen=True)
class PathRule:
    """What a gateway is told of one kind of path, in the Gateway API's words."""

    type: str
    path: str
    service: str
    port: int
    timeouts: Timeouts | None = None

    def takes(self, path: str) -> bool:
        """Return whether it is for a path; a prefix is one of whole parts, `/api` of `/api/v1` alone."""
        if self.type == "Exact":
            return path == self.path
        prefix = self.path.rstrip("/")
        return path == prefix or path.startswith(f"{prefix}/")


class Entry(t.Model):
    """Staging's front end, which every link opens: its URL, and the Service a link is forwarded to."""

    url: Annotated[t.Url, about("what a reviewer opens", "https://staging.example.com")]
    namespace: Annotated[t.Label, about("the namespace of its Service", "staging")]
    service: Annotated[t.Label, about("the Kubernetes Service a link is forwarded to", "web")]
    port: Annotated[t.PortAsWritten, about("the Service's port", 80)]
    target: Annotated[Target, about("left out: `deployment/<service>`", "deployment/web")] = Field(
        default_factory=lambda read: TargetPath("deployment", read["service"])
    )
    routes: Annotated[tuple[PathRoute, ...], AfterValidator(_routes)] = about(
        "paths that other Services answer; left out: the Service answers all of them",
        [{"path": "/api", "service": "api", "port": 8080, "timeouts": {"request": "0s"}}],
        default=(),
    )
    pictures: PicturedPaths | None = PICTURED

    def is_served_by(self, namespace: str, target: str) -> bool:
        """Return whether this target is the front end's own workload, in whichever of its containers."""
        return (namespace, target.split("/")[:2]) == (self.namespace, str(self.target).split("/")[:2])

    @property
    def rules(self) -> tuple[PathRule, ...]:
        """What a gateway is told, the most specific path first and all the rest of them last.

        So it decides by itself, in whatever order they come; for people, and for gateways of their own mind,
        they are in that order: https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
        """
        written = [PathRule(r.type, r.path, r.service, r.port, r.timeouts) for r in self.routes]
        if EVERYTHING not in [route.means for route in self.routes]:
            written.append(PathRule(*EVERYTHING, self.service, self.port))
        return tuple(sorted(written, key=lambda rule: (rule.type != "Exact", -len(rule.path), rule.path)))

    @property
    def backends(self) -> tuple[tuple[str, int], ...]:
        """Each Service that a link may lead to, with its port: the front end's own first."""
        others = [(route.service, route.port) for route in self.routes]
        return tuple(dict.fromkeys([(self.service, self.port), *others]))


DEFAULT = "default"
"""The name of `entry`, and of the one of `entries` that counts where a service names none."""

MOST_ENTRIES = 20

Entries = Annotated[
    Mapping[Annotated[t.Label, about("names of entries", "admin")], Entry] | None,
    Field(min_length=1, max_length=MOST_ENTRIES),
]


@dataclass(frozen=True)
class FrontEnd:
    """An entry, and where the file has it: `entry`, or `entries.admin`."""

    written: str
    entry: Entry


def front_ends(entry: Entry | None, entries: Mapping[str, Entry] | None) -> dict[str, FrontEnd]:
    """Return every entry by its name, the one first that counts where a service names none."""
    found = {name: FrontEnd(f"entries.{name}", each) for name, each in (entries or {}).items()}
    if entry is not None:
        found = {DEFAULT: FrontEnd("entry", entry), **found}
    first = {DEFAULT: found[DEFAULT]} if DEFAULT in found else {}
    return {**first, **found}
