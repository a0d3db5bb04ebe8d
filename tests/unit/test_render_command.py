"""`previewbot render`: what would be created for a pull request, byte for byte as a pass creates it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.cli import main
from previewbot.clients.kubernetes.resources import without_nulls
from previewbot.clients.registry import FoundImage
from previewbot.config.repository import parse
from previewbot.reconciler.plan.rendering import NO_DIGEST, NO_UID
from tests.support.passes import BOTH, CONFIGURATION, SETTINGS, World
from tests.support.previews import HEAD

ROOT = Path(__file__).parents[2]
ONLY_GITHUB_TELLS = ("previewbot.dev/author", "previewbot.dev/trigger")

CONFIGURATIONS = {
    "two services behind one front end": CONFIGURATION,
    "a target that names its container": CONFIGURATION.replace(
        "target: deployment/checkout", "target: statefulset/checkout/container/app"
    ),
    "ports that the operator finds": CONFIGURATION.replace("    ports: [8080]\n", "", 1),
    "a worker that takes no requests": CONFIGURATION.replace("[8080]", "[]", 1),
    "paths of the front end that others answer": CONFIGURATION.replace(
        "port: 80}", "port: 80, routes: [{path: /api, service: api, port: 81, timeouts: {request: 0s}}]}"
    ),
    "a front end of one service's own": CONFIGURATION.replace(
        "version: 1\n",
        "version: 1\nentries:\n  admin: {url: 'https://a.example.com', namespace: staging, service: admin, "
        "port: 80}\n",
    ).replace('checkout/**"]\n', 'checkout/**"]\n    entry: admin\n', 1),
    "no front end": CONFIGURATION.replace(
        'entry: {url: "https://staging.example.com", namespace: staging, service: web, port: 80}\n', ""
    ),
}

Render = Callable[..., tuple[int, str, str]]


@pytest.fixture
def render(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Render:
    """Return a function that renders a file's text; it returns the exit code, the output and the errors."""

    def run(configuration: str, *options: str, settings: Mapping[str, Any] | None = None) -> Any:
        path = tmp_path / "preview.yaml"
        path.write_text(configuration)
        if settings is not None:
            (tmp_path / "settings.yaml").write_text(json.dumps(settings))
            options = (*options, "--settings", str(tmp_path / "settings.yaml"))
        pull_request = ("--repository", "acme/shop", "--number", "42", "--head-sha", HEAD)
        try:
            code = main(["render", str(path), *pull_request, *options])
        except SystemExit as left:
            code = int(str(left.code))
        output = capsys.readouterr()
        return code, output.out, output.err.replace(str(path), "preview.yaml")

    return run


def documents(output: str) -> list[dict[str, Any]]:
    """Return the objects of a stream."""
    return list(yaml.safe_load_all(output))


async def created_in_passes(configuration: str) -> tuple[list[dict[str, Any]], World]:
    """Return what passes send to the API server until all sessions are made, in that order."""
    world = World()
    world.github.configuration, world.github.paths = configuration, BOTH
    sent: list[dict[str, Any]] = []
    create, apply = world.cluster.create_child, world.cluster.apply_child

    async def find(*_: Any, **__: Any) -> FoundImage:
        return FoundImage(NO_DIGEST, "")

    async def creating(resource: Any, namespace: str, manifest: Mapping[str, Any]) -> Any:
        sent.append(dict(manifest))
        return await create(resource, namespace, manifest)

    async def applying(resource: Any, manifest: Mapping[str, Any]) -> Any:
        if not sent:
            sent.append(without_nulls(manifest))
        return await apply(resource, manifest)

    for place, name, stub in (
        (world.registry, "find", find),
        (world.cluster, "create_child", creating),
        (world.cluster, "apply_child", applying),
    ):
        setattr(place, name, stub)
    world.poke()
    while len(world.cluster.sessions) < len(BOTH):
        await world.run()
        world.clock.forward(seconds=5)
    return sent, world


def as_rendered(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest of a pass without what only GitHub and the API server tell."""
    metadata = manifest["metadata"]
    annotations = {k: v for k, v in metadata["annotations"].items() if k not in ONLY_GITHUB_TELLS}
    owners = [{**owner, "uid": NO_UID} for owner in metadata["ownerReferences"]]
    return {
        **manifest,
        "metadata": {**metadata, "annotations": annotations, "ownerReferences": owners},
    }


@pytest.mark.parametrize("configuration", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
async def test_it_is_what_a_pass_creates_in_the_same_order_with_every_field_in_its_place(
    configuration: str, render: Render
) -> None:
    sent, _ = await created_in_passes(configuration)

    code, output, _ = render(configuration, "--container", "app", "--repository-id", "812", settings=SETTINGS)

    assert code == 0
    # As JSON, since the order of keys counts too: mirrord compares texts.
    assert [json.dumps(d) for d in documents(output)] == [json.dumps(as_rendered(m)) for m in sent]


async def test_the_route_of_a_preview_that_serves_is_the_one_to_which_it_is_turned(render: Render) -> None:
    _, world = await created_in_passes(CONFIGURATION)
    await world.settle()

    _, output, _ = render(
        CONFIGURATION, "--container", "app", "--repository-id", "812", "--ready", settings=SETTINGS
    )

    route, *_ = documents(output)
    turned = world.cluster.routes["staging"]
    assert world.cluster.leads_to() == "staging"
    assert json.dumps(route["spec"]) == json.dumps(turned["spec"])
    hashes = [each["metadata"]["annotations"]["previewbot.dev/spec-hash"] for each in (route, turned)]
    assert hashes[0] == hashes[1]


def test_it_says_the_same_each_time(render: Render) -> None:
    assert render(CONFIGURATION) == render(CONFIGURATION)


def test_without_settings_there_are_sessions_alone_and_it_says_what_was_not_known(render: Render) -> None:
    code, output, errors = render(CONFIGURATION)

    assert (code, errors) == (0, "")
    assert [(d["kind"], d["spec"]["target"]["name"]) for d in documents(output)] == [
        ("PreviewSession", "checkout"),
        ("PreviewSession", "pricing"),
    ]
    notes = [line for line in output.splitlines() if line.startswith("#")]
    assert notes == [
        f"# What previewbot creates for acme/shop#42 at {HEAD}, in this order.",
        "# Not known here, and filled in with:",
        "# - the repository's number: 0, so the key in names and filters is another one; --repository-id",
        "# - digests of images: sha256:00000000…, of which a registry knows the real ones",
        f"# - the uid of the Preview that owns all of this: {NO_UID}",
        "# - the container of checkout, pricing: main; --container",
        "# - who it is for (annotations agent, author, trigger, started-by): left out",
        "# Without --settings: the longest life is the default, and there is no route.",
    ]


@pytest.mark.parametrize(
    ("target", "given", "container"),
    [
        ("deployment/checkout", (), "main"),
        ("deployment/checkout/container/web", (), "web"),
        ("deployment/checkout", ("--container", "app"), "app"),
        ("deployment/checkout/container/web", ("--container", "app"), "app"),
    ],
)
def test_the_container_is_the_one_given_else_the_one_configured_else_main(
    target: str, given: tuple[str, ...], container: str, render: Render
) -> None:
    configuration = CONFIGURATION.replace("deployment/checkout", target)

    _, output, _ = render(configuration, "--service", "checkout", *given)

    assert [d["spec"]["target"]["container"] for d in documents(output)] == [container]


def test_only_the_services_that_are_named_are_made_in_the_order_of_the_file(render: Render) -> None:
    _, output, _ = render(CONFIGURATION, "--service", "pricing", "--service", "checkout")
    assert [d["spec"]["target"]["name"] for d in documents(output)] == ["checkout", "pricing"]

    _, output, _ = render(CONFIGURATION, "--service", "pricing")
    assert [d["spec"]["target"]["name"] for d in documents(output)] == ["pricing"]


def test_an_image_that_names_branch_number_or_merge_is_filled_in_as_far_as_it_is_in_its_repository(
    render: Render,
) -> None:
    configuration = CONFIGURATION.replace("acme/checkout:{head_sha}", "acme/{service}-{number}:{branch}")

    _, output, _ = render(configuration, "--service", "checkout", "--branch", "fix/a b")

    assert documents(output)[0]["spec"]["image"] == f"ghcr.io/acme/checkout-42@{NO_DIGEST}"
    assert "the branch" not in output
    assert "# - the branch: BRANCH; --branch" in render(configuration, "--service", "checkout")[1]


def test_a_branch_whose_tag_no_registry_can_hold_is_no_session(render: Render) -> None:
    configuration = CONFIGURATION.replace("checkout:{head_sha}", "checkout:{branch}")

    code, output, errors = render(configuration, "--service", "checkout", "--branch", "b" * 130)

    assert (code, output) == (1, "")
    assert errors.startswith("preview.yaml: checkout: its image would be ghcr.io/acme/checkout:bbb")
    assert errors.endswith("which no registry can hold; so nothing would be created\n")


def test_no_more_services_are_made_than_the_settings_allow(render: Render) -> None:
    code, output, _ = render(CONFIGURATION, settings={**SETTINGS, "limits": {"services": 1}})

    assert code == 0
    assert [d["kind"] for d in documents(output)] == ["HTTPRoute", "PreviewSession"]
    assert "# not previewed: pricing; the settings allow 1 service per preview\n" in output


def test_the_longest_life_of_the_settings_is_the_sessions_with_an_hour_to_spare(render: Render) -> None:
    _, output, _ = render(CONFIGURATION, settings={**SETTINGS, "ttl": {"default": "1h", "max": "2h"}})

    assert documents(output)[1]["spec"]["ttlSecs"] == 3 * 3600


@pytest.mark.parametrize("example", sorted((ROOT / "docs" / "examples").glob("*.yaml")), ids=lambda p: p.stem)
def test_each_example_of_the_documents_comes_to_a_session_for_each_of_its_services(
    example: Path, render: Render
) -> None:
    text = example.read_text(encoding="utf-8")

    _, output, _ = render(text)

    names = [d["metadata"]["labels"]["previewbot.dev/service"] for d in documents(output)]
    assert names == [service.name for service in parse(text).services]


# Mistakes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--service", "chekout"), "--service chekout: there is no such service; did you mean `checkout`?"),
        (("--number", "0"), "argument --number: '0' is no number of GitHub's, for example 42"),
        (("--head-sha", "main"), "argument --head-sha: 'main' is no whole commit: 40 characters, as `git"),
        (("--repository", "shop"), "argument --repository: 'shop' is not OWNER/NAME, for example acme/shop"),
        (("--container", "A b"), "argument --container: 'A b' is no name of a container, for example app"),
    ],
)
def test_an_argument_that_means_nothing_is_named(
    options: tuple[str, ...], words: str, render: Render
) -> None:
    code, output, errors = render(CONFIGURATION, *options)

    assert (code, output) == (2, "")
    assert words in errors


def test_a_mistake_of_the_file_is_told_as_check_tells_it(
    tmp_path: Path, render: Render, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output, errors = render(CONFIGURATION.replace("paths", "pahts", 1))
    main(["check", str(tmp_path / "preview.yaml")])

    assert (code, output) == (1, "")
    assert errors == capsys.readouterr().err.replace(str(tmp_path / "preview.yaml"), "preview.yaml")
    assert "preview.yaml:6: `pahts` is unknown; did you mean `paths`?\n" in errors


def test_what_the_settings_do_not_allow_is_not_made(render: Render) -> None:
    code, output, errors = render(
        CONFIGURATION, settings={**SETTINGS, "images": {"allowed": ["ghcr.io/other/"]}}
    )

    assert (code, output) == (1, "")
    assert "the image `ghcr.io/acme/checkout:{head_sha}` is not allowed here" in errors


def test_a_repository_that_gets_nothing_is_told_so(render: Render) -> None:
    code, output, errors = render(CONFIGURATION, settings={**SETTINGS, "owners": ["other"]})

    assert (code, output) == (1, "")
    assert errors == "acme/shop gets nothing: its account is not among the settings' `owners`\n"


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["render", "none.yaml", "--repository", "acme/shop", "--number", "1", "--head-sha", HEAD])
    assert (code, capsys.readouterr().err) == (1, "none.yaml cannot be read: No such file or directory\n")
