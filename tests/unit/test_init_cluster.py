"""Which namespace `previewbot init` takes for staging, by what a login may read and a kubeconfig says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path

import pytest
import yaml

from previewbot.cli import init_cluster
from previewbot.cli.init_cluster import CannotDraft, of_cluster
from previewbot.doctor.staging_judged import Seen
from previewbot.engine.staging import staging_of
from previewbot.rules.folders import folders_of
from tests.support.workloads import a_workload

FOLDERS = folders_of(["src/web/main.go"])


def a_kubeconfig(path: Path, namespace: str | None) -> Path:
    context = {"cluster": "c", "user": "u"} | ({"namespace": namespace} if namespace else {})
    others = [{"name": "other", "context": {"namespace": "elsewhere"}}]
    document = {"current-context": "c", "contexts": [*others, {"name": "c", "context": context}]}
    path.write_text(yaml.safe_dump(document))
    return path


Of = Callable[..., str]


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Of:
    """Return which namespace is taken of a cluster that lists `listed`, of which `there` have a workload."""

    def run(listed: Collection[str], there: Collection[str], context: str | None, **unread: str) -> str:
        async def all_namespaces(_: object) -> tuple[str, ...]:
            return tuple(listed)

        async def see(_: object, namespaces: Collection[str], *, doors: bool) -> Seen:
            objects = [a_workload("web", namespace=name) for name in there if name in namespaces]
            refused = {(name, "workloads"): why for name, why in unread.items() if name in namespaces}
            return Seen(staging_of(objects), unread=refused)

        monkeypatch.setattr(init_cluster, "all_namespaces", all_namespaces)
        monkeypatch.setattr(init_cluster, "see", see)
        monkeypatch.setattr(init_cluster, "looked_at", lambda _, look: asyncio.run(look(None)))
        found = of_cluster("", a_kubeconfig(tmp_path / "kubeconfig", context), FOLDERS)
        assert found is not None
        return found[1]

    return run


def test_of_several_that_could_be_staging_the_contexts_own_is_taken(of: Of) -> None:
    assert of(["blue", "green"], ["blue", "green"], "green") == "green"
    with pytest.raises(CannotDraft, match="several namespaces could be staging"):
        of(["blue", "green"], ["blue", "green"], None)
    with pytest.raises(CannotDraft, match="several namespaces could be staging"):
        of(["blue", "green"], ["blue", "green"], "red")


def test_without_the_right_to_list_namespaces_the_contexts_own_is_looked_at_and_it_is_said(
    of: Of, capsys: pytest.CaptureFixture[str]
) -> None:
    assert of([], ["green"], "green") == "green"
    assert capsys.readouterr().err == (
        "namespaces may not be listed (403): this looks at green alone, the namespace of the kubeconfig's "
        "context\n"
    )
    with pytest.raises(CannotDraft, match=r"may not be listed \(403\); name staging's with --namespace NS"):
        of([], ["green"], None)


def test_of_hundreds_of_namespaces_too(of: Of) -> None:
    many = [f"n{number}" for number in range(200)]

    assert of(many, ["n7"], "n7") == "n7"
    with pytest.raises(CannotDraft, match="this cluster has 200 namespaces"):
        of(many, ["n7"], None)


def test_what_could_not_be_read_is_named(of: Of, capsys: pytest.CaptureFixture[str]) -> None:
    assert of(["blue", "green"], ["green"], None, blue="may not be listed with this login (403)") == "green"
    assert capsys.readouterr().err == (
        "could not be read: blue; if one of these is staging, name it with --namespace NS\n"
    )


@pytest.mark.parametrize(
    "content", ["", "[", "contexts: 1", "current-context: c\ncontexts: [1, {name: c}]", "x: &a [*a]"]
)
def test_a_kubeconfig_that_says_nothing_names_no_namespace(content: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)

    assert init_cluster._of_context(path) == ""
    assert init_cluster._of_context(tmp_path / "none") == ""
