"""docs/operations.md says what is so: its values install, and its table is that of the roles."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.config.server import document, parse
from tests.chart import helm
from tests.chart.helm import CHART, KUBE_VERSION, NAMESPACE, ROOT, one, pod, rendered
from tests.chart.test_rendering import settings_of
from tests.chart.test_roles import Permission, permissions
from tests.support.yaml_texts import read_documents

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
WHERE = {
    "cluster": "*",
    "the release's namespace": NAMESPACE,
    "`default`": "default",
    "the namespace of `links.gateway`": "gateways",
}
NAMESPACES = "each of `settings.cluster.namespaces`"


def rows() -> list[list[str]]:
    lines = [
        line for line in TEXT.splitlines() if line.startswith(("| web |", "| pages |", "| controller |"))
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def documented(account: str) -> set[Permission]:
    return {
        (WHERE.get(where, "staging"), resource.strip("`"), verb)
        for who, where, resource, verbs, _ in rows()
        for verb in verbs.split(", ")
        if who == account
    }


@pytest.mark.parametrize("account", ["web", "pages", "controller"])
def test_each_permission_has_its_reason_and_no_reason_is_without_permission(account: str) -> None:
    # With every option that needs one.
    values = "settings.cluster.namespaces={staging},settings.pages=public,settings.comment.logs=true"
    secrets = "settings.repositories[0].match={acme/shop},settings.repositories[0].secrets=true"
    people = "signIn.existingSecret=sign-in,settings.sign_in.client_id=Iv1,api.existingSecret=bearers"
    options = ("--set", values, "--set", secrets, "--set", people)
    granted = permissions(rendered("gateway", *options), f"previewbot-{account}")

    assert documented(account) == granted


def test_each_place_in_the_table_is_known_and_each_row_says_what_it_is_for() -> None:
    assert {where for _, where, *_ in rows()} == {*WHERE, NAMESPACES}
    assert all(reason for *_, reason in rows())


def test_the_values_of_the_document_are_taken_as_they_are(tmp_path: Path) -> None:
    kinds = {obj["kind"] for obj in _made_of("existingSecret:", directory=tmp_path)}

    assert {"HTTPRoute", "ValidatingAdmissionPolicy", "Deployment"} <= kinds


def test_the_example_of_a_credential_helper_is_taken_beside_them(tmp_path: Path) -> None:
    objects = _made_of("existingSecret:", "credentialHelpers:", directory=tmp_path)
    settings = parse(document(one(objects, "ConfigMap", "previewbot")["data"]["settings.yaml"]), {})

    (access,) = settings.images.registries.values()
    assert access.credential_helper == "ecr-login"
    (helper,) = pod(objects, "controller")["initContainers"]
    assert helper["command"][-1] == "/credential-helpers/"


def _made_of(*named: str, directory: Path) -> tuple[dict[str, Any], ...]:
    """Return what the chart makes of those examples of the page that hold these words."""
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    options = []
    for number, words in enumerate(named):
        [example] = [block for block in blocks if words in block]
        values = directory / f"{number}.yaml"
        values.write_text(example, encoding="utf-8")
        options += ["--values", str(values)]
    result = helm.run("template", "previewbot", str(CHART), "--kube-version", KUBE_VERSION, *options)

    assert result.returncode == 0, result.stderr
    return tuple(read_documents(result.stdout))


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    # A pattern in code may look like a link.
    text = re.sub(r"`[^`\n]*`", "", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        name, _, section = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        assert not section or section in sections(there), target


def sections(page: Path) -> set[str]:
    """Return the sections of a page as GitHub makes addresses of their headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("words", re.findall(r"^    helm (\w+) previewbot(.*)$", TEXT, re.MULTILINE))
def test_its_helm_commands_are_about_this_chart_and_one_namespace(words: tuple[str, str]) -> None:
    verb, options = words

    assert verb in ("install", "upgrade", "uninstall", "template", "test")
    assert "--namespace previewbot" in options
    assert ("charts/previewbot" in options) == (verb not in ("uninstall", "test"))


def test_the_sign_in_of_the_document_is_taken_as_it_is_and_stands_first() -> None:
    [example] = [block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL) if "filters:" in block]
    links = yaml.safe_load(example)["links"]

    settings = settings_of("minimal", "--set-json", f"settings.links={json.dumps(links)}")

    assert settings.links is not None
    assert settings.links.gateway is not None
    assert [one.verbatim for one in settings.links.gateway.filters] == links["gateway"]["filters"]
    assert settings.links.gateway.section_name == "https"
