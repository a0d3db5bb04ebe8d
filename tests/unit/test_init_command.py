"""`previewbot init`: a first preview.yaml, of which all that can be found out is right."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from previewbot.cli import main
from previewbot.config.published import preview_schema
from previewbot.config.repository import RepositoryConfig, parse
from previewbot.engine.draft import draft_of, image_template
from previewbot.engine.draft_entry import entry_of
from previewbot.engine.draft_written import to_fill_in, written
from previewbot.engine.staging import staging_of
from previewbot.rules import folders as folders_module
from previewbot.rules.folders import folders_of
from tests.support.workloads import a_service, a_workload

FILES = (
    "README.md",
    "protos/money.proto",
    "src/checkout/Dockerfile",
    "src/checkout/main.go",
    "src/pricing/Dockerfile",
    "src/web/Dockerfile",
    "charts/redis/values.yaml",
)
OBJECTS = (
    a_workload("checkout"),
    a_service("checkout"),
    a_workload("pricing", ports=(9090,)),
    a_workload("web"),
    a_service("web"),
    a_workload("redis", image="redis:alpine", ports=(6379,)),
)


def drafted(*objects: dict[str, Any], files: Sequence[str] = FILES, namespace: str = "") -> str:
    """Return the file for these objects in a repository of these files."""
    staging = staging_of(objects or OBJECTS)
    draft = draft_of(staging, folders_of(files), files, namespace)
    return written(draft, entry_of(staging, namespace), "a test")


def read(*objects: dict[str, Any], **more: Any) -> RepositoryConfig:
    return parse(drafted(*objects, **more))


def an_ingress(*paths: tuple[str, str, int], host: str = "shop.example.com") -> dict[str, Any]:
    """Return an Ingress with TLS for a host, of whose paths these Services answer at these ports."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "staging"},
        "spec": {
            "tls": [{"hosts": [host]}],
            "rules": [
                {
                    "host": host,
                    "http": {
                        "paths": [
                            {
                                "path": path,
                                "pathType": "Prefix",
                                "backend": {"service": {"name": service, "port": {"number": port}}},
                            }
                            for path, service, port in paths
                        ]
                    },
                }
            ],
        },
    }


# The file


def test_the_file_is_short_says_what_was_found_and_asks_for_the_rest() -> None:
    assert drafted() == (
        """\
# Made by `previewbot init` from a test. Read it before you commit it:
# `previewbot check FILE` says whether it is valid, with --cluster whether it fits your staging.
version: 1
entry:
  url: https://staging.example.com  # FILL IN: where staging is opened; no manifest says
  namespace: staging
  service: web
  port: 80
defaults:
  paths: ["src/{service}/**"]
  target: deployment/{service}
  namespace: staging
  image: ghcr.io/acme/{service}:{head_sha}  # is this what CI pushes for a commit?
  ports: [8080]
shared: [protos/**]
ignore: ["*.md"]
services:
  checkout:
  pricing: {ports: [9090]}
  web:
# Left out: no folder is called like these, others publish their images, or they are databases:
#   redis (redis:alpine)
"""
    )


def test_what_it_writes_means_what_staging_has() -> None:
    found = read()

    assert [(s.name, str(s.target), s.namespace, s.image, s.ports, s.paths) for s in found.services] == [
        (name, f"deployment/{name}", "staging", image, (port,), (f"src/{name}/**",))
        for name, image, port in (
            ("checkout", "ghcr.io/acme/{service}:{head_sha}", 8080),
            ("pricing", "ghcr.io/acme/{service}:{head_sha}", 9090),
            ("web", "ghcr.io/acme/{service}:{head_sha}", 8080),
        )
    ]


def test_the_lines_that_are_to_be_filled_in_are_known() -> None:
    text = drafted()
    assert [text.splitlines()[line - 1].strip() for line in to_fill_in(text)] == [
        "url: https://staging.example.com  # FILL IN: where staging is opened; no manifest says"
    ]


def test_an_ingress_says_where_staging_is_opened_and_which_services_answer_its_paths() -> None:
    ingress = an_ingress(("/api", "checkout", 80), ("/", "web", 80), ("/api/(.*)", "pricing", 80))
    entry = read(*OBJECTS, ingress).entry

    assert entry is not None
    assert (entry.url, entry.service, entry.port) == ("https://shop.example.com", "web", 80)
    assert [(route.path, route.service) for route in entry.routes] == [("/api", "checkout")]


def test_an_http_route_says_it_too() -> None:
    route = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "shop", "namespace": "staging"},
        "spec": {
            "hostnames": ["shop.example.com"],
            "rules": [
                {
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                    "backendRefs": [{"name": "web", "port": 80}],
                }
            ],
        },
    }
    entry = read(*OBJECTS, route).entry
    assert entry is not None
    assert (entry.url, entry.service) == ("https://shop.example.com", "web")


def test_of_several_hosts_the_likeliest_is_taken_and_the_others_are_named() -> None:
    text = drafted(
        *OBJECTS, an_ingress(("/", "redis", 80), host="redis.example.com"), an_ingress(("/", "web", 80))
    )
    assert "  url: https://shop.example.com\n" in text
    assert "  # other hosts that were found: redis.example.com\n" in text


def test_the_entrys_workload_is_written_where_it_is_not_called_like_its_service() -> None:
    entry = read(a_workload("web"), a_service("frontend", app="web")).entry
    assert entry is not None
    assert (entry.service, str(entry.target)) == ("frontend", "deployment/web")


def test_without_anything_that_looks_like_a_front_end_the_entry_is_a_remark() -> None:
    text = drafted(a_workload("checkout"), a_service("checkout"))
    assert parse(text).entry is None
    assert "# FILL IN: staging's front end" in text


def test_a_releases_name_before_all_workloads_is_no_part_of_services_names() -> None:
    found = read(a_workload("blue-1-checkout"), a_workload("blue-1-pricing"))
    assert [(s.name, str(s.target), s.paths) for s in found.services] == [
        ("checkout", "deployment/blue-1-checkout", ("src/checkout/**",)),
        ("pricing", "deployment/blue-1-pricing", ("src/pricing/**",)),
    ]


def test_a_worker_takes_no_requests() -> None:
    assert read(a_workload("checkout", ports=())).services[0].ports == ()


def test_ports_are_those_to_which_a_service_leads_not_those_for_metrics() -> None:
    found = read(a_workload("checkout", ports=(8080, 9102)), a_service("checkout"))
    assert found.services[0].ports == (8080,)


def test_a_database_of_ones_own_is_left_out_since_no_header_tells_whose_its_requests_are() -> None:
    files = (*FILES, "src/accounts-db/Dockerfile")
    text = drafted(*OBJECTS, a_workload("accounts-db", kind="StatefulSet", ports=(5432,)), files=files)

    assert "accounts-db" not in [service.name for service in parse(text).services]
    assert "#   accounts-db (ghcr.io/acme/accounts-db:main)\n" in text


def test_a_folder_without_a_dockerfile_that_configures_others_image_is_no_service() -> None:
    files = (*FILES, "src/grafana/grafana.ini")
    text = drafted(*OBJECTS, a_workload("grafana", image="docker.io/grafana/grafana:12"), files=files)

    assert "grafana" not in [service.name for service in parse(text).services]
    assert "#   grafana (docker.io/grafana/grafana:12)\n" in text


def test_a_sidecar_says_nothing_of_the_image() -> None:
    containers: list[dict[str, Any]] = [
        {"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1"},
        {"name": "app", "image": "ghcr.io/acme/checkout:1"},
    ]
    assert read(a_workload("checkout", containers=containers)).services[0].image.startswith("ghcr.io/acme/")


def test_the_only_workload_of_a_repository_is_all_of_it() -> None:
    found = read(a_workload("shop"), files=("main.go", "Dockerfile"))
    assert [(s.name, s.paths) for s in found.services] == [("shop", ("**",))]


def test_where_no_folder_is_called_like_any_workload_paths_are_asked_for() -> None:
    text = drafted(a_workload("a"), a_workload("b"), files=())
    assert [s.paths for s in parse(text).services] == [("services/a/**",), ("services/b/**",)]
    assert "# FILL IN: which folder each service is built from" in text


def test_a_namespace_that_no_manifest_names_is_the_one_given_or_asked_for() -> None:
    workload = a_workload("checkout", namespace="")

    assert read(workload, namespace="shop").services[0].namespace == "shop"
    assert "# FILL IN: where staging runs; no manifest says" in drafted(workload)


@pytest.mark.parametrize(
    ("image", "template"),
    [
        ("ghcr.io/acme/checkout:v1", "ghcr.io/acme/{service}:{head_sha}"),
        ("ghcr.io/acme/demo:2.0.2-checkout", "ghcr.io/acme/demo:{head_sha}-{service}"),
        ("ghcr.io/acme/demo:checkout-2.0.2", "ghcr.io/acme/demo:{service}-{head_sha}"),
        ("ghcr.io/acme/shop-checkout@sha256:" + "a" * 64, "ghcr.io/acme/shop-{service}:{head_sha}"),
        ("localhost:5000/checkout", "localhost:5000/{service}:{head_sha}"),
        ("acme/checkout:1", "docker.io/acme/{service}:{head_sha}"),
        ("checkout", "registry.example.com/{service}:{head_sha}"),
        ("", "registry.example.com/{service}:{head_sha}"),
        ("ghcr.io/ACME/checkout:1", "registry.example.com/{service}:{head_sha}"),
        ("ghcr.io/acme/shop/checkout/checkout:1", "ghcr.io/acme/shop/checkout/{service}:{head_sha}"),
        ("ghcr.io/acme/checkouts:1", "ghcr.io/acme/checkouts:{head_sha}"),
    ],
)
def test_where_ci_may_push_is_taken_from_what_runs(image: str, template: str) -> None:
    assert image_template(image, "checkout") == template


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["checkout"], "src/checkout"),
        (["checkoutservice"], "src/checkout"),
        (["check-out"], "src/checkout"),
        (["nothing", "pricing"], "src/pricing"),
        (["redis"], ""),
        (["src"], "src"),
        ([""], ""),
    ],
)
def test_a_folder_is_found_by_its_name_but_not_among_charts(names: list[str], folder: str) -> None:
    assert folders_of(FILES).named(names) == folder


def test_of_two_folders_of_one_name_the_one_with_a_dockerfile_counts_then_the_upper_one() -> None:
    assert folders_of(("web/a", "apps/web/Dockerfile")).named(["web"]) == "apps/web"
    assert folders_of(("libs/deep/web/a", "apps/web/a")).named(["web"]) == "apps/web"


def test_folders_are_read_once_however_many_names_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read_names: list[str] = []
    original = folders_module._last

    def counted(path: str) -> str:
        read_names.append(path)
        return original(path)

    monkeypatch.setattr(folders_module, "_last", counted)
    found = folders_of([f"apps/a{number}/main.go" for number in range(99)])

    assert found.named(f"b{number}" for number in range(100)) == ""
    assert found.named(["nothing", "a98"]) == "apps/a98"
    assert len(read_names) == 2 * len(found.of)


def test_a_folder_whose_name_means_something_else_in_a_pattern_is_left_for_a_person() -> None:
    assert folders_of(("apps/[slug]/a", "apps/{x}/a", "apps/a b/c")).named(["slug", "x", "ab"]) == ""


_NAMES = st.from_regex(r"[a-z]([a-z0-9.-]{0,12}[a-z0-9])?", fullmatch=True) | st.sampled_from(
    ["yes", "null", "on", "1e3", "0x1", "a.b", "deployment", "service", "checkout", "x" * 70]
)
_IMAGES = st.text(max_size=30) | st.builds(
    "{}/{}:{}".format, st.sampled_from(["ghcr.io/acme", "acme", "localhost:1"]), _NAMES, _NAMES
)
_WORKLOADS = st.lists(
    st.builds(
        lambda name, kind, image, ports, namespace: a_workload(
            name, kind=kind, image=image, ports=tuple(sorted(ports)), namespace=namespace
        ),
        _NAMES,
        st.sampled_from(["Deployment", "StatefulSet", "Rollout"]),
        _IMAGES,
        st.sets(st.integers(1, 65535), max_size=3),
        st.sampled_from(["", "staging", "shop", "null", "1", "Not A Label"]),
    ),
    min_size=1,
    max_size=6,
)
_DOORS = st.lists(
    st.builds(
        an_ingress,
        st.tuples(
            st.sampled_from(["/", "/api", "/a b", "//", "/x/*", "/(.*)"]), _NAMES, st.integers(1, 65535)
        ),
        host=st.sampled_from(["a.example.com", "*.example.com", "x y", 'q"uote', "null"]),
    ),
    max_size=2,
)
_FILES = st.lists(st.builds("{}/{}/{}".format, st.sampled_from(["src", "a b"]), _NAMES, _NAMES), max_size=6)


@given(_WORKLOADS, _DOORS, _FILES)
@settings(max_examples=150, deadline=None)
def test_whatever_staging_is_called_the_file_is_valid_and_names_only_what_is_there(
    workloads: list[dict[str, Any]], doors: list[dict[str, Any]], files: list[str]
) -> None:
    services = [a_service(w["metadata"]["name"], namespace=w["metadata"]["namespace"]) for w in workloads]
    staging = staging_of([*workloads, *services, *doors])
    draft = draft_of(staging, folders_of(files), files)
    if not draft.services:
        return

    text = written(draft, entry_of(staging), "a test")

    named = {w.written for w in staging.workloads}
    assert {str(service.target) for service in parse(text).services} <= named


# The command


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Init:
    """Return a function that runs the command in a repository; it returns exit code, output, and errors."""
    monkeypatch.chdir(tmp_path)
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], check=True, cwd=tmp_path, env=environment, timeout=60)

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        code = main(["init", *arguments])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


Init = Callable[..., tuple[int, str, str]]
MANIFESTS = yaml.safe_dump_all(OBJECTS)
PREVIEW = Path(".github/preview.yaml")


def test_it_writes_the_file_from_what_is_piped_into_it_and_check_finds_it_valid(init: Init) -> None:
    code, output, errors = init("-", stdin=MANIFESTS)

    assert (code, output) == (0, "")
    assert errors == (
        ".github/preview.yaml: 3 services; to fill in: line 6. What CI pushes is a guess: read it, then run "
        "`previewbot check`; editors check it by preview.schema.json beside it\n"
    )
    assert main(["check", str(PREVIEW)]) == 0
    assert PREVIEW.read_text().startswith("# yaml-language-server: $schema=preview.schema.json\n")
    assert PREVIEW.with_name("preview.schema.json").read_text() == preview_schema()


def test_it_names_the_mirrord_configurations_that_are_there(init: Init) -> None:
    Path(".mirrord").mkdir()
    Path(".mirrord/mirrord.json").write_text("{}")
    Path(".mirrord/notes.md").write_text("")
    subprocess.run(["git", "add", "-A"], check=True, timeout=60)

    init("-", stdin=MANIFESTS)

    lines = PREVIEW.read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if "if it says `mirrord: PATH`:" in line)
    assert lines[start + 1] == "#   .mirrord/mirrord.json"
    assert not any("notes.md" in line for line in lines)
    assert main(["check", str(PREVIEW)]) == 0


@pytest.mark.parametrize("name", [".github/preview.yml", "preview.yaml"])
def test_beside_a_file_of_almost_that_name_it_writes_none_unless_told_to(init: Init, name: str) -> None:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text("mine")

    assert init("-", stdin=MANIFESTS) == (
        1,
        "",
        f"there is a {name}, which previewbot does not read: move it to .github/preview.yaml (git mv), or "
        "--force writes a new file there\n",
    )
    assert init("-", "--force", stdin=MANIFESTS)[0] == 0
    assert Path(name).read_text() == "mine"


def test_of_two_workloads_of_one_name_none_is_left_out() -> None:
    other = a_workload("web")
    other["metadata"]["namespace"] = "admin"
    stateful = {**a_workload("checkout"), "kind": "StatefulSet"}

    assert [(s.name, s.namespace, str(s.target)) for s in read(*OBJECTS, other, stateful).services] == [
        ("checkout", "staging", "deployment/checkout"),
        ("checkout-staging", "staging", "statefulset/checkout"),
        ("pricing", "staging", "deployment/pricing"),
        ("web", "staging", "deployment/web"),
        ("web-admin", "admin", "deployment/web"),
    ]


def test_a_queue_that_also_tells_its_metrics_is_no_service() -> None:
    queue = a_workload("rabbitmq", image="rabbitmq:3.6.8-management", ports=(5672, 9090))

    assert [s.name for s in read(*OBJECTS, queue, files=()).services] == ["checkout", "pricing", "web"]


def test_it_is_the_same_from_a_folder_and_from_within_one(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, piped, _ = init("-", "--output", "-", stdin=MANIFESTS)
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "all.yaml").write_text(MANIFESTS)

    _, output, _ = init("k8s", "--output", "-")
    assert output == piped.replace("standard input", "k8s")

    monkeypatch.chdir(tmp_path / "src")
    _, output, _ = init("../k8s/all.yaml", "--output", "-")
    assert output == piped.replace("standard input", "../k8s/all.yaml")

    # Where GitHub looks for it, and not in a folder of the same name right here.
    assert init("../k8s/all.yaml")[2].startswith("../.github/preview.yaml: 3 services")
    assert (tmp_path / PREVIEW).is_file()


def test_a_file_that_is_there_is_not_written_over_unless_told_to(init: Init) -> None:
    PREVIEW.parent.mkdir()
    PREVIEW.write_text("mine")

    assert init("-", stdin=MANIFESTS) == (
        1,
        "",
        ".github/preview.yaml is there already; --force writes over it\n",
    )
    assert PREVIEW.read_text() == "mine"
    assert init("-", "--force", stdin=MANIFESTS)[0] == 0
    assert PREVIEW.read_text() != "mine"


def test_a_chart_and_a_kustomization_have_to_be_built_first(init: Init, tmp_path: Path) -> None:
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").write_text("")
    (tmp_path / "template.yaml").write_text("a: {{ .Values.a }}\nb: {{ c }}\n")

    assert init("chart")[2] == "chart has to be built first: helm template chart | previewbot init -\n"
    assert init("template.yaml")[2] == (
        "template.yaml, line 1 is not YAML; it looks like a template of a chart: give the output of "
        "`helm template`\n"
    )


def test_what_has_no_workload_is_told_so(init: Init) -> None:
    code, _, errors = init("-", stdin=yaml.safe_dump(a_service("web")))
    assert code == 1
    assert errors.startswith(
        "there is no Deployment, StatefulSet or Rollout in standard input; give the output"
    )


def test_a_file_that_is_not_there_is_named_here_too(init: Init) -> None:
    assert init("none.yaml")[::2] == (1, "none.yaml cannot be read: No such file or directory\n")


def test_outside_of_a_repository_it_says_that_folders_cannot_be_guessed(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    code, output, errors = init("-", "--output", "-", stdin=MANIFESTS)

    assert code == 0
    assert errors.startswith("this is no git repository, so which folder")
    assert [service.name for service in parse(output).services] == ["checkout", "pricing", "web"]
