"""What is published about the configuration files: made from the models, complete, and never stale."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import re2
import yaml
from jsonschema import Draft202012Validator

from docs import reference
from previewbot.cli import main
from previewbot.config import repository, server
from previewbot.config.mirrord.files import Files
from previewbot.config.repository import RepositoryConfig
from previewbot.config.repository.state import IdleAfter
from previewbot.config.server import Settings
from previewbot.errors import ConfigurationError, SettingsError
from tests.unit import test_repository_config, test_settings

PAGES = reference.pages()
SETTINGS = json.loads(PAGES["docs/schemas/settings.schema.json"])
PREVIEW = json.loads(PAGES["docs/schemas/preview.schema.json"])


def example(page: str) -> str:
    """Return the example of a page that has every key."""
    return PAGES[page].split("```yaml\n")[-1].split("```")[0]


def accepted(schema: dict[str, Any], text: str) -> bool:
    # As editors read it (YAML 1.2): to YAML 1.1, and so to PyYAML, the key `on` is a truth.
    value = yaml.safe_load(re.sub(r"^( *)on:", r"\1'on':", text, flags=re.MULTILINE))
    return bool(Draft202012Validator(schema).is_valid(value))


@pytest.mark.parametrize("path", PAGES)
def test_what_is_published_is_what_the_code_says(path: str) -> None:
    assert (reference.ROOT / path).read_text(encoding="utf-8") == PAGES[path], "run `make reference`"


def test_the_examples_are_accepted_by_the_readers_as_they_are() -> None:
    assert isinstance(server.parse(server.document(example("docs/settings.md")), {}), Settings)
    files = Files({".mirrord/mirrord.json": b"{}"})
    read = repository.parse(example("docs/configuration.md"), files=files)
    assert isinstance(read, RepositoryConfig)


def test_the_short_example_is_accepted_too_by_reader_and_schema() -> None:
    short = PAGES["docs/configuration.md"].split("```yaml\n")[1].split("```")[0]

    assert [each.name for each in repository.parse(short).services] == ["cart", "checkout", "web"]
    assert accepted(PREVIEW, short)


def test_the_example_of_databases_and_queues_is_accepted_in_the_short_one() -> None:
    section = PAGES["docs/configuration.md"].split("## Databases, queues and sleep\n\n")[1].split("\n\n")[0]
    state, short = yaml.safe_load(section), yaml.safe_load(SHORT)
    short |= state | {"services": {"web": None} | state["services"]}
    text = yaml.safe_dump(short)
    [service] = [each for each in repository.parse(text).services if each.name == "checkout"]

    assert service.databases == ("orders", "users")
    assert service.idle == IdleAfter(after=timedelta(hours=1))
    assert set(service.queues or {}) == {"orders-created", "mail"}
    assert accepted(PREVIEW, text)


@pytest.mark.parametrize("path", sorted((reference.ROOT / "docs" / "examples").glob("*.yaml")))
def test_the_examples_of_real_repositories_are_accepted_by_the_schema(path: Path) -> None:
    assert accepted(PREVIEW, path.read_text(encoding="utf-8"))


SHORT = PAGES["docs/configuration.md"].split("```yaml\n")[1].split("```")[0]


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("  namespace: staging\n", ""),
        ('  paths: ["services/{service}/**"]\n', ""),
        ("deployment/{service}", "deployment/{name}"),
        ("deployment/{service}", "daemonset/{service}"),
        ("[services/checkout/**, ", "[./services/checkout/**, "),
        ("[services/checkout/**, services/money/**]", "[]"),
        ("[services/checkout/**, services/money/**]", "services/checkout/**"),
    ],
)
def test_the_schema_of_a_short_file_refuses_what_its_reader_refuses(written: str, instead: str) -> None:
    text = SHORT.replace(written, instead)
    assert text != SHORT

    with pytest.raises(ConfigurationError):
        repository.parse(text)
    assert not accepted(PREVIEW, text)


@pytest.mark.parametrize(("arguments", "page"), [([], PREVIEW), (["--settings"], SETTINGS)])
def test_a_command_prints_the_schema(
    arguments: list[str], page: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", *arguments]) == 0

    assert json.loads(capsys.readouterr().out) == page


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (SETTINGS, example("docs/settings.md")),
        (SETTINGS, test_settings.EXAMPLE),
        (PREVIEW, example("docs/configuration.md")),
        (PREVIEW, test_repository_config.EXAMPLE),
        (PREVIEW, test_repository_config.SERVICE),
    ],
)
def test_the_schemas_are_schemas_and_accept_what_the_readers_accept(
    schema: dict[str, Any], text: str
) -> None:
    Draft202012Validator.check_schema(schema)

    assert accepted(schema, text)


@pytest.mark.parametrize("path", [path for path in PAGES if path.endswith(".json")])
def test_every_pattern_means_the_same_to_editors_and_to_helm(path: str) -> None:
    def patterns(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            yield from [value["pattern"]] if isinstance(value.get("pattern"), str) else []
            yield from value.get("patternProperties", ())
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from patterns(inner)

    found = set(patterns(json.loads(PAGES[path])))

    assert found
    for pattern in found:
        # Helm goes by Go's regular expressions, which are RE2's.
        re2.compile(pattern)
        # With its flag `u`, which editors set, JavaScript knows no other escapes than these.
        assert "\\" not in re.sub(r"\\[sSdDwW.\\/\[\]{}()]|\\x[0-9a-f]{2}", "", pattern), pattern


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("port: 80", "prt: 80"),
        ("port: 80", "port: 0"),
        ("port: 80", "port: '080'"),
        ("agents: true", "agents: 1"),
        ("namespace: staging", "namespace: Staging"),
        ("checkout:\n", "Check_out:\n"),
        ("ttl: 8h", "ttl: eight"),
        ("version: 1", "version: 2"),
        ("target: deployment/checkout", "target: daemonset/checkout"),
        ("[8080]", "[0]"),
        ("ttl: 8h", "name: x"),
        ("ttl: 8h", "ttl:"),
    ],
)
def test_the_schema_of_a_repositorys_file_refuses_what_its_reader_refuses(written: str, instead: str) -> None:
    text = test_repository_config.EXAMPLE.replace(written, instead)

    with pytest.raises(ConfigurationError):
        repository.parse(text)
    assert not accepted(PREVIEW, text)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("app_id: 4242", "app_id: '4242'"),
        ("app_id: 4242", "appid: 4242"),
        ("public_url: https", "public_url: ftp"),
        ("[staging, payments]", "[]"),
        ("scheme: https", "scheme: tcp"),
        ("plain_http: true", "plain_http: 1"),
        ("registry.internal:5000: {plain", "registry: {plain"),
        ("previews: 50", "previews: 0"),
        ("image: 60m", "image: 60 minutes"),
    ],
)
def test_the_schema_of_the_settings_refuses_what_their_reader_refuses(written: str, instead: str) -> None:
    text = test_settings.EXAMPLE.replace(written, instead)

    with pytest.raises(SettingsError):
        server.parse(server.document(text), {})
    assert not accepted(SETTINGS, text)


# The chart, whose values hold the settings again


def the_charts_settings() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PAGES[reference.CHART])["properties"]["settings"]
    return found


def test_the_chart_knows_every_setting_but_those_it_sets_itself() -> None:
    def keys(schema: dict[str, Any], path: str = "") -> set[str]:
        if "$ref" in schema:
            schema = SETTINGS["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        inner = {**schema.get("properties", {}), **schema.get("patternProperties", {})}
        return {path, *(key for name, value in inner.items() for key in keys(value, f"{path}.{name}"))}

    missing = {path.rsplit(".", 1)[-1] for path in keys(SETTINGS) - keys(the_charts_settings())}

    assert missing == {
        *("private_key_file", "webhook_secret_file", "kubeconfig", "lease", "name", "namespace"),
        *("docker_config_file", "ca_file", "bearer_file"),
        *("client_secret_file", "cookie_keys_file", "keys_file"),
    }
    assert keys(the_charts_settings()) <= keys(SETTINGS)


def test_the_chart_takes_the_example_without_what_it_sets_itself_and_nothing_with_it() -> None:
    values = yaml.safe_load(test_settings.EXAMPLE)
    validator = Draft202012Validator(the_charts_settings())
    assert not validator.is_valid(values)

    ours = copy.deepcopy(values)
    del ours["github"]["private_key_file"], ours["github"]["webhook_secret_file"]
    del ours["cluster"]["kubeconfig"], ours["images"]["registries"]["ghcr.io"]

    assert validator.is_valid(ours)
