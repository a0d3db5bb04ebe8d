"""The short files of three real monorepos in docs/examples mean what is written out here."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api.github import ChangedFile, ChangedFiles
from previewbot.config.repository import RepositoryConfig, ServiceConfig, parse
from previewbot.rules.changes import compare

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

SERVICE = """\
  {name}:
    paths: [{paths}]
    target: deployment/{name}
    namespace: {namespace}
    image: {image}
    ports: {ports}
"""
# What each service of novu is built of, beside its own folder.
_GENERIC, _DAL, _SHARED = "libs/application-generic/**", "libs/dal/**", "packages/shared/**"
_FRAMEWORK, _STATELESS, _PROVIDERS = "packages/framework/**", "packages/stateless/**", "packages/providers/**"
_CENTER = "packages/notification-center/**"


def written_out(
    namespace: str, image: str, ports: dict[str, list[int]], paths: dict[str, list[str]]
) -> RepositoryConfig:
    """Return a configuration in which every service has every key."""
    services = (
        SERVICE.format(
            name=name,
            paths=", ".join(f"'{path}'" for path in paths[name]),
            namespace=namespace,
            image=image.replace("SERVICE", name),
            ports=ports[name],
        )
        for name in ports
    )
    return parse("version: 1\nservices:\n" + "".join(services))


def boutique() -> RepositoryConfig:
    ports = {
        "adservice": [9555],
        "cartservice": [7070],
        "checkoutservice": [5050],
        "currencyservice": [7000],
        "emailservice": [8080],
        "frontend": [8080],
        "paymentservice": [50051],
        "productcatalogservice": [3550],
        "recommendationservice": [8080],
        "shippingservice": [50051],
    }
    registry = "us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo"
    paths = {name: [f"src/{name}/**", "protos/**", "!**/*.md", "!**/tests/**"] for name in ports}
    return written_out("default", f"{registry}/SERVICE:{{head_sha}}", ports, paths)


def otel() -> RepositoryConfig:
    ports: dict[str, list[int]] = {
        "accounting": [],
        "ad": [9555],
        "cart": [7070],
        "checkout": [5050],
        "currency": [7001],
        "email": [6060],
        "fraud-detection": [],
        "frontend": [8080],
        "frontend-proxy": [8080],
        "image-provider": [8081],
        "payment": [50051],
        "product-catalog": [3550],
        "quote": [8090],
        "recommendation": [9001],
        "shipping": [50050],
        "flagd-ui": [4000],
        "chatbot": [8082],
        "agent": [8083],
        "mcp": [8084],
    }
    paths = {name: [f"src/{name}/**", "pb/**", f"!src/{name}/README.md"] for name in ports}
    return written_out("otel-demo", "ghcr.io/open-telemetry/demo:{head_sha}-SERVICE", ports, paths)


def novu() -> RepositoryConfig:
    ports = {
        "api": [3000],
        "worker": [3004],
        "ws": [3002],
        "webhook": [3003],
        "dashboard": [4201],
        "web": [4200],
        "widget": [4500],
        "inbound-mail": [25],
    }
    built_of = {
        "api": [
            *(_GENERIC, _DAL, _SHARED, _FRAMEWORK, _STATELESS),
            *("packages/node/**", "libs/testing/**", _PROVIDERS),
        ],
        "worker": [_GENERIC, _DAL, _SHARED, _FRAMEWORK, _STATELESS, _PROVIDERS],
        "ws": [_GENERIC, _DAL, _SHARED],
        "webhook": [_GENERIC, _DAL, _SHARED, _STATELESS, _PROVIDERS],
        "dashboard": ["packages/js/**", "packages/react/**", _FRAMEWORK, _SHARED],
        "web": ["libs/design-system/**", "libs/novui/**", _SHARED, _CENTER, _FRAMEWORK],
        "widget": [_SHARED, "packages/client/**", _CENTER],
        "inbound-mail": [_GENERIC, _SHARED],
    }
    of_all = ["pnpm-lock.yaml", "nx.json", "!**/*.spec.ts", "!**/*.md"]
    paths = {name: [f"apps/{name}/**", *built_of[name], *of_all] for name in ports}
    return written_out("novu", "ghcr.io/novuhq/novu/SERVICE:{head_sha}", ports, paths)


LONG = {"boutique": boutique(), "otel": otel(), "novu": novu()}
SHORT = {name: parse((EXAMPLES / f"{name}.yaml").read_bytes()) for name in LONG}


@pytest.mark.parametrize(("name", "most"), [("boutique", 25), ("otel", 45), ("novu", 30)])
def test_a_real_monorepo_takes_few_lines(name: str, most: int) -> None:
    assert len((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8").splitlines()) <= most


@pytest.mark.parametrize("name", LONG)
def test_the_short_file_has_the_services_of_the_long_one(name: str) -> None:
    def image_of(service: ServiceConfig) -> str:
        return service.image.replace("{service}", service.name)

    def services(config: RepositoryConfig) -> list[tuple[object, ...]]:
        return [
            (
                each.name,
                str(each.target),
                each.namespace,
                each.image.replace("{service}", each.name),
                each.ports,
            )
            for each in config.services
        ]

    assert services(SHORT[name]) == services(LONG[name])


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize(
    "path",
    [
        "src/cartservice/app.cs",
        "src/cartservice/README.md",
        "src/cartservice/tests/a.cs",
        "src/cartservice",
        "protos/demo.proto",
        "protos/README.md",
        "src/ad/README.md",
        "src/ad/docs/README.md",
        "src/ad/a.md/b",
        "pb/demo.proto",
        "apps/api/src/main.ts",
        "apps/api/src/main.spec.ts",
        "apps/api/a.spec.ts/b",
        "packages/shared/src/index.ts",
        "packages/js/README.md",
        "libs/dal/a",
        "pnpm-lock.yaml",
        "docs/pnpm-lock.yaml",
        "nx.json",
        "README.md",
        "src/frontend-proxy/envoy.yaml",
        "src/frontend/x",
    ],
)
def test_a_change_is_of_the_same_services_in_both(name: str, path: str) -> None:
    changed = ChangedFiles((ChangedFile(path),), complete=True)

    assert compare(SHORT[name], changed) == compare(LONG[name], changed)


_NAMES = sorted({each.name for config in LONG.values() for each in config.services})
_FOLDERS = [
    "src",
    "apps",
    "libs",
    "packages",
    "protos",
    "pb",
    "docs",
    "tests",
    "shared",
    "dal",
    "js",
    "a",
    "ä",
]
_FOLDER = st.sampled_from([*_FOLDERS, *_NAMES])
_FILE = st.sampled_from(["README.md", "a.md", "x.spec.ts", "main.go", "tests", "nx.json", "pnpm-lock.yaml"])
_PATH = st.lists(_FOLDER | _FILE, min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize("name", LONG)
@given(st.lists(_PATH, max_size=6))
def test_any_files_are_of_the_same_services_in_both(name: str, paths: list[str]) -> None:
    changed = ChangedFiles(tuple(ChangedFile(path) for path in paths), complete=True)

    assert compare(SHORT[name], changed) == compare(LONG[name], changed)
