"""From a file's text and the environment to `Settings`, or to one list of all that is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import yaml

from previewbot.errors import SettingsError
from previewbot.settings import reading
from previewbot.settings.model import (
    ClusterSettings,
    Deadlines,
    GatewaySettings,
    GitHubSettings,
    ImageSettings,
    LeaseSettings,
    Limits,
    LinkSettings,
    Listing,
    RegistrySettings,
    Settings,
    Ttl,
)
from previewbot.settings.reading import Override, Section
from previewbot.settings.secrets import SECRET_VARIABLES
from previewbot.timing import format_duration

PREFIX = "PREVIEWBOT_"
_KEYS = (
    "github",
    "public_url",
    "cluster",
    "links",
    "images",
    "config_branches",
    "limits",
    "ttl",
    "deadlines",
    "listing",
)
_LEAST_PROGRESS = timedelta(seconds=90)
# Kubernetes puts the addresses of a Service named previewbot or previewbot-web into every pod beside it:
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
_SERVICE_LINK = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_[A-Z]+(_[A-Z]+)?)?)$")
_HOST = re.compile(r"(localhost|[a-z0-9-]+(\.[a-z0-9-]+)+|[a-z0-9-]+(?=:))(:[0-9]{1,5})?", re.IGNORECASE)
_REPOSITORY = re.compile(r"(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?")


def document(content: str) -> Mapping[str, Any]:
    """Return the mapping that a settings file holds; raises SettingsError if it is none or repeats a key."""
    try:
        loaded = yaml.load(content, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader that refuses more
    except (yaml.YAMLError, ValueError, AttributeError, TypeError) as error:
        # Measured: PyYAML's constructors raise the latter two for `!!timestamp foo` and the like.
        raise SettingsError((f"the file is not YAML: {' '.join(str(error).split())}",)) from None
    except RecursionError:
        raise SettingsError(("the file is nested too deeply",)) from None
    if not isinstance(loaded, Mapping):
        raise SettingsError(("the file must hold keys such as github: and cluster:",))
    return loaded


def parse(document: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Return the settings; a variable such as PREVIEWBOT_GITHUB__APP_ID takes the place of a key.

    Raises SettingsError with every problem. That a secret is missing is for its `…_source` to say: not
    every process needs each.
    """
    problems: list[str] = []
    top = Section("", _overlaid(document, environment, problems), problems)
    settings = Settings(
        github=_github(top.section("github")),
        public_url=top.required("public_url", reading.url, "https://previews.example.com"),
        cluster=_cluster(top.section("cluster")),
        links=_links(top.section("links")) if top.has("links") else top.optional("links", _nothing, None),
        images=_images(top.section("images")),
        config_branches=top.optional("config_branches", reading.list_of(reading.text), ()),
        limits=_limits(top.section("limits")),
        ttl=_ttl(top.section("ttl"), problems),
        deadlines=_deadlines(top.section("deadlines")),
        listing=_listing(top.section("listing")),
    )
    top.close()
    if problems:
        raise SettingsError(tuple(problems))
    return settings


def _github(section: Section) -> GitHubSettings:
    for name in ("private_key", "webhook_secret"):
        variable = f"{PREFIX}GITHUB__{name.upper()}"
        section.forbid(name, f"a secret is read from github.{name}_file or from {variable}")
    found = GitHubSettings(
        api_url=section.required("api_url", reading.url, "https://api.github.com"),
        web_url=section.required("web_url", reading.url, "https://github.com"),
        app_id=section.required("app_id", reading.whole_number, "4242"),
        private_key_file=section.optional("private_key_file", reading.file, None),
        webhook_secret_file=section.optional("webhook_secret_file", reading.file, None),
    )
    section.close()
    return found


def _cluster(section: Section) -> ClusterSettings:
    names = reading.list_of(reading.label, least=1)
    found = ClusterSettings(
        kubeconfig=section.optional("kubeconfig", reading.file, None),
        namespaces=section.required("namespaces", names, "[staging]"),
        lease=_lease(section.section("lease")) if section.has("lease") else None,
    )
    section.close()
    return found


def _lease(section: Section) -> LeaseSettings:
    found = LeaseSettings(
        name=section.required("name", reading.domain, "previewbot-controller"),
        namespace=section.required("namespace", reading.label, "previewbot"),
    )
    section.close()
    return found


def _links(section: Section) -> LinkSettings:
    gateway = _gateway(section.section("gateway"))
    section.close()
    return LinkSettings(gateway=gateway)


def _gateway(section: Section) -> GatewaySettings:
    found = GatewaySettings(
        name=section.required("name", reading.domain, "public"),
        namespace=section.required("namespace", reading.label, "gateways"),
        domain=section.required("domain", reading.domain, "preview.example.com"),
        scheme=section.optional("scheme", reading.one_of("https", "http"), "https"),
        port=section.optional("port", reading.port, None),
        settle=section.optional("settle", reading.pause, GatewaySettings.settle),
    )
    section.close()
    return found


def _images(section: Section) -> ImageSettings:
    prefixes = reading.list_of(_image_prefix, least=1)
    allowed = section.required("allowed", prefixes, "[ghcr.io/acme/]")
    named = section.section("registries")
    registries = {_registry_name(named, host): _registry(named.section(host)) for host in named.names()}
    section.close()
    return ImageSettings(allowed=allowed, registries=registries)


def _registry_name(section: Section, host: str) -> str:
    if not _HOST.fullmatch(host):
        section.note(host, "must be the host of a registry, like ghcr.io or registry.internal:5000")
    return host.lower()


def _registry(section: Section) -> RegistrySettings:
    found = RegistrySettings(
        docker_config_file=section.optional("docker_config_file", reading.file, None),
        plain_http=section.optional("plain_http", reading.truth, False),
        ca_file=section.optional("ca_file", reading.file, None),
    )
    if found.plain_http and found.ca_file:
        section.note("ca_file", "is for TLS, which plain_http switches off; leave one of them out")
    section.close()
    return found


def _limits(section: Section) -> Limits:
    found = Limits(previews=section.optional("previews", reading.whole_number, Limits.previews))
    section.close()
    return found


def _ttl(section: Section, problems: list[str]) -> Ttl:
    default = section.optional("default", reading.duration, Ttl.default)
    longest = section.optional("max", reading.duration, Ttl.max)
    section.close()
    if default is not None and longest is not None and default > longest:
        problems.append(f"ttl.default must be at most ttl.max, which is {format_duration(longest)}")
    return Ttl(default=default, max=longest)


def _deadlines(section: Section) -> Deadlines:
    found = Deadlines(
        image=section.optional("image", reading.duration, Deadlines.image),
        session=section.optional("session", reading.duration, Deadlines.session),
        progress=section.optional("progress", _progress, Deadlines.progress),
    )
    section.close()
    return found


def _listing(section: Section) -> Listing:
    found = Listing(interval=section.optional("interval", reading.duration, Listing.interval))
    section.close()
    return found


def _image_prefix(value: object) -> str:
    """Convert the beginning of image references: a registry, and as much of the repository as one likes."""
    expected = "must begin with a registry's host, without https://, like ghcr.io/acme/"
    written = reading.text(value)
    host = _HOST.match(written)
    if host is None or not _REPOSITORY.fullmatch(written[host.end() :]):
        raise ValueError(expected)
    return written


def _progress(value: object) -> timedelta:
    """Convert a duration; what gives a sign of life about once a minute, as idle watches do, must fit in."""
    found = reading.duration(value)
    if found < _LEAST_PROGRESS:
        raise ValueError(f"must be at least {format_duration(_LEAST_PROGRESS)}")
    return found


def _nothing(value: object) -> None:
    raise ValueError("must be left out")


def _overlaid(
    document: Mapping[str, Any], environment: Mapping[str, str], problems: list[str]
) -> dict[str, Any]:
    """Return the document with the variables put in place, the shallow ones first."""
    if not isinstance(document, Mapping):
        problems.append("the file must hold keys such as github: and cluster:")
        return {}
    tree: dict[str, Any] = _copied(document)
    for variable in sorted(environment, key=lambda name: (name.count("__"), name)):
        keys = _keys_of(variable, problems)
        if keys and not _put(tree, keys, _value_of(environment[variable], variable)):
            problems.append(f"{variable} is not a setting: nothing is under {'.'.join(keys[:-1])}")
    return tree


def _keys_of(variable: str, problems: list[str]) -> list[str]:
    """Return the keys that a variable stands for; none if it is not one of ours."""
    if not variable.startswith(PREFIX) or variable in SECRET_VARIABLES:
        return []
    keys = variable.removeprefix(PREFIX).lower().split("__")
    if len(keys) > 1 or keys[0] in _KEYS:
        return keys
    suggestion = reading.did_you_mean(keys[0], _KEYS)
    if suggestion.startswith("did") and not _SERVICE_LINK.search(variable):
        problems.append(f"{variable} is not a setting; {suggestion}")
    return []


def _value_of(written: str, variable: str) -> Any:
    if written.startswith(("{", "[")) or written == "null":
        try:
            return json.loads(written)
        except ValueError:
            pass
    return Override(written, variable)


def _put(tree: dict[str, Any], keys: list[str], value: Any) -> bool:
    for key in keys[:-1]:
        if tree.get(key) is None:
            tree[key] = {}
        if not isinstance(tree[key], dict):
            return False
        tree = tree[key]
    tree[keys[-1]] = value
    return True


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _copied(item) for key, item in value.items()}
    return value


class _StrictLoader(yaml.SafeLoader):
    """A SafeLoader that refuses a key given twice, of which PyYAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; raises ConstructorError for a key that is there already."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value} is written twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)
