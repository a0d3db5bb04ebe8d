"""A first preview.yaml, found out from staging's objects and the names of a repository's folders. Pure.

What can be found out is; the rest is marked, with a value that is valid and says what belongs there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from previewbot.config.repository import parse_target
from previewbot.config.repository.values import check_image
from previewbot.config.types import is_label
from previewbot.engine import targets
from previewbot.engine.staging import Container, Staging, Workload
from previewbot.engine.targets import TargetProblem
from previewbot.rules.folders import Folders

SERVICE = "{service}"
UNKNOWN_NAMESPACE = "staging"
UNKNOWN_REGISTRY = "registry.example.com"
UNKNOWN_PATHS = ("services/{service}/**",)
_TAG = "{head_sha}"
_STORES = frozenset(
    {
        *(1433, 2181, 2379, 2380, 3306, 4222, 5432, 5671, 5672, 6379, 6380, 7687, 8123, 9042, 9092, 9093),
        *(9200, 9300, 9600, 11211, 15672, 26257, 27017, 33060),
    }
)
"""Where databases, caches and queues listen, by their own documentation."""
_STORE_IMAGES = frozenset(
    {
        *("cassandra", "clickhouse", "cockroachdb", "couchdb", "elasticsearch", "etcd", "kafka", "mariadb"),
        *("memcached", "minio", "mongo", "mongodb", "mysql", "nats", "neo4j", "opensearch", "postgres"),
        *("postgresql", "rabbitmq", "redis", "valkey", "zookeeper"),
    }
)
"""What images of databases and queues are called, also where something in them tells metrics beside."""
_LABELS = ("app.kubernetes.io/component", "app.kubernetes.io/name", "app", "k8s-app", "component")


@dataclass(frozen=True)
class DraftService:
    """A service of the draft; its values have `{service}` where its name stands. `paths` may be unknown."""

    name: str
    paths: tuple[str, ...]
    target: str
    namespace: str
    image: str
    ports: tuple[int, ...]

    @property
    def values(self) -> Mapping[str, object]:
        """What the file says of it, by key; paths only where they are known."""
        found = {"namespace": self.namespace, "target": self.target, "image": self.image, "ports": self.ports}
        return found | ({"paths": self.paths} if self.paths else {})


@dataclass(frozen=True)
class Draft:
    """All that the file says, but for the entry.

    `defaults` are what services have by it that do not say otherwise; `left_out` are workloads that are
    not built here, or are databases, each with its image. `unknown` are keys whose values stand for nothing
    that was found.
    """

    services: tuple[DraftService, ...]
    defaults: Mapping[str, object] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    unknown: frozenset[str] = frozenset()


def draft_of(staging: Staging, folders: Folders, files: Sequence[str], namespace: str = "") -> Draft:
    """Return the draft of these workloads; `namespace` counts for those whose manifest names none."""
    prefix = _common_prefix([workload.name for workload in staging.workloads])
    placed = [(w, _folder(w, folders, prefix)) for w in staging.workloads if w.containers]
    placed = [(w, "" if _is_store(w, staging) else at) for w, at in _without_others(placed, folders)]
    built = [(w, folder) for w, folder in placed if folder]
    # With no folder called like any of them, they are all asked about; or the repository is the one service.
    wanted = built or [(w, at) for w, at in placed if not _is_store(w, staging)]
    whole = len(wanted) == 1 and not built
    services, names, seen = list[DraftService](), set[str](), set[tuple[str, str]]()
    for workload, folder in wanted:
        paths = (f"{folder}/**",) if folder else ("**",) if whole else ()
        service = _service(workload, paths, staging, prefix, namespace, names)
        if service is not None and (at := (service.namespace, workload.written)) not in seen:
            seen.add(at)
            names.add(service.name)
            services.append(service)
    defaults = _defaults(services)
    unknown = _unknown(services, [workload for workload, _ in wanted], namespace)
    if "paths" in unknown:
        defaults = {**defaults, "paths": UNKNOWN_PATHS}
    taken = [folder for _, folder in wanted if folder]
    kept = {id(workload) for workload, _ in wanted}
    left = [workload for workload, _ in placed if id(workload) not in kept]
    return Draft(
        services=tuple(sorted(services, key=lambda service: service.name)),
        defaults=defaults,
        shared=tuple(
            f"{name}/**"
            for name in folders.shared
            if len(services) > 1 and not any(f"{folder}/".startswith(f"{name}/") for folder in taken)
        ),
        ignore=("*.md",) if any(file.endswith(".md") for file in files) else (),
        left_out=tuple((w.name, _container(w).image) for w in left),
        unknown=frozenset(unknown),
    )


def matches(staging: Staging, folders: Folders) -> int:
    """Return for how many workloads a folder is called like them."""
    prefix = _common_prefix([workload.name for workload in staging.workloads])
    return sum(bool(_folder(workload, folders, prefix)) for workload in staging.workloads)


def _without_others(placed: Sequence[tuple[Workload, str]], folders: Folders) -> list[tuple[Workload, str]]:
    """Return workloads with their folders, but for those whose image others publish.

    `src/grafana` may hold what configures Grafana's own image: there is no Dockerfile in it, and the image
    is of another account than most of those that have a folder.
    """
    accounts = Counter(_account(workload) for workload, folder in placed if folder)
    usual, count = next(iter(accounts.most_common(1)), ("", 0))
    if count * 2 <= sum(accounts.values()):
        return list(placed)
    return [
        (workload, folder if not folder or folders.of[folder] or _account(workload) == usual else "")
        for workload, folder in placed
    ]


def _is_store(workload: Workload, staging: Staging) -> bool:
    """Return whether a workload is a database or a queue: no header tells whose its requests are."""
    ports = staging.ports_of(workload) or _container(workload).ports
    path, _ = _split(_container(workload).image)
    others = path.rpartition("/")[2] in _STORE_IMAGES and not _STORES.isdisjoint(ports)
    return others or (bool(ports) and _STORES.issuperset(ports))


def _account(workload: Workload) -> str:
    path, _ = _split(_container(workload).image)
    return "/".join(path.split("/")[:2]) if _names_a_registry(path) else path.split("/")[0]


def _folder(workload: Workload, folders: Folders, prefix: str) -> str:
    image, _ = _split(_container(workload).image)
    names = [workload.name.removeprefix(prefix), workload.name]
    names += [
        labels[key] for labels in (workload.own_labels, workload.labels) for key in _LABELS if key in labels
    ]
    # Of an image that others made too, such as `proxy`, the name says least.
    return folders.named([*names, image.rsplit("/", 1)[-1]])


def _service(
    workload: Workload,
    paths: tuple[str, ...],
    staging: Staging,
    prefix: str,
    namespace: str,
    taken: Collection[str],
) -> DraftService | None:
    name = workload.name.removeprefix(prefix).replace(".", "-")[:63].strip("-")
    if name in taken:
        # Of two workloads of one name none may be left out without a word.
        name = next((n for n in _other_names(name, workload) if n not in taken and is_label(n)), "")
    try:
        parse_target(workload.written)
    except ValueError:
        return None
    if not is_label(name):
        return None
    container = _container(workload)
    own = workload.written.replace(name, SERVICE) if workload.name.endswith(name) else workload.written
    # Not `deployment/{service}` of a name that the kind's own word has in it.
    target = own if own.count(SERVICE) == 1 and own.endswith(SERVICE) else workload.written
    where = workload.namespace or namespace
    return DraftService(
        name=name,
        paths=tuple(_with_field(path, name, "/") for path in paths),
        target=target,
        namespace=where if is_label(where) else UNKNOWN_NAMESPACE,
        image=image_template(container.image, name, workload.name),
        ports=staging.ports_of(workload) or container.ports,
    )


def _other_names(name: str, workload: Workload) -> tuple[str, ...]:
    """Return how else a service may be called, where another has its name already."""
    return (
        f"{name}-{workload.namespace}",
        f"{name}-{workload.kind}",
        f"{name}-{workload.namespace}-{workload.kind}",
    )


def image_template(image: str, *names: str) -> str:
    """Return where CI may push an image of a commit, by the one that runs: its tag is a guess.

    `names` are those of the service; the first one is written `{service}`.
    """
    path, tag = _split(image)
    known = "/" in path and _names_a_registry(path)
    if not known:
        # Docker Hub's own images have no account: a service of one's own is never one of them.
        path = f"docker.io/{path}" if "/" in path else f"{UNKNOWN_REGISTRY}/{path or SERVICE}"
    first = names[0]
    path = _with_field(path, first, "/", "-")
    template = f"{path}:{_TAG}"
    for name in names:
        if tag.endswith(f"-{name}"):
            template = f"{path}:{_TAG}-{SERVICE if name == first else name}"
        elif tag.startswith(f"{name}-"):
            template = f"{path}:{SERVICE if name == first else name}-{_TAG}"
    try:
        return check_image(template)
    except ValueError:
        return f"{UNKNOWN_REGISTRY}/{SERVICE}:{_TAG}"


def _defaults(services: Sequence[DraftService]) -> dict[str, object]:
    """Return what most services have alike, of several; ports only if most take requests at the same."""
    if len(services) < 2:
        return {}
    found: dict[str, object] = {}
    for key in ("paths", "namespace", "target", "image", "ports"):
        values = Counter(service.values[key] for service in services if key in service.values)
        value, count = next(iter(values.most_common(1)), (None, 0))
        # What one alone has is written where it counts. Of paths two are a habit already.
        if count > 1 and (key != "ports" or count * 2 > len(services)):
            found[key] = value
    return found


def _unknown(services: Iterable[DraftService], workloads: Iterable[Workload], namespace: str) -> set[str]:
    """Return the keys of which nothing was found out: no namespace is named, or no folder is alike."""
    named = namespace or all(is_label(workload.namespace) for workload in workloads)
    found = set[str]() if named else {"namespace"}
    return found if all(service.paths for service in services) else found | {"paths"}


def _container(workload: Workload) -> Container:
    """Return the container that a session would replace."""
    try:
        target = parse_target(workload.written)
        source = targets.referenced(target, workload.obj)
        chosen = targets.choose_container(target, workload.source, "", source)
    except (TargetProblem, ValueError):
        return workload.containers[0] if workload.containers else Container("", "")
    return next(each for each in workload.containers if each.name == chosen.name)


def _split(image: str) -> tuple[str, str]:
    """Return the repository of an image, and its tag; without a digest."""
    named = image.split("@")[0]
    path, colon, tag = named.rpartition(":")
    return (path, tag) if colon and "/" not in tag else (named, "")


def _names_a_registry(path: str) -> bool:
    first = path.split("/")[0]
    return "." in first or ":" in first or first == "localhost"


def _with_field(text: str, name: str, *between: str) -> str:
    """Return a text with `{service}` where the name stands as a whole part: between these, or at an end."""
    signs = "".join(map(re.escape, between))
    pattern = rf"(?<![^{signs}]){re.escape(name)}(?![^{signs}])"
    found = list(re.finditer(pattern, text))
    if not found:
        return text
    # The last one: `acme/shop/shop` is the repository of the shop's shop.
    last = found[-1]
    return f"{text[: last.start()]}{SERVICE}{text[last.end() :]}"


def _common_prefix(names: Sequence[str]) -> str:
    """Return what all names begin with, up to a `-`: a release's name, which helm puts before them."""
    if len(names) < 2:
        return ""
    parts = [name.split("-")[:-1] for name in names]
    same = takewhile(lambda at: len(set(at)) == 1, zip(*parts, strict=False))
    return "".join(f"{at[0]}-" for at in same)
