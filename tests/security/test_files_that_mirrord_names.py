"""A mirrord file names what is not the repository's, or not the trusted branch's: nobody reads it.

Whoever may push to the default branch writes the mirrord file, and what it names goes into a session, where
its author can look at it: a file of previewbot's own machine, its variables, or of another repository.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from previewbot.cli import main
from previewbot.engine.translation import parts_of
from previewbot.reconciler.gather.configuration import read_configuration
from previewbot.reconciler.memory import Configurations
from previewbot.rules.repositories import Bounds
from previewbot_demo.github.trees import Link
from tests.support.github_town import ALICE, COPILOT, Town, github_town

SHOP = "acme/shop"
SECRET = "of-previewbot-itself"
CONFIGURATION = """\
version: 1
services:
  web:
    paths: ["web/**"]
    image: ghcr.io/acme/web:{head_sha}
    mirrord: .mirrord/mirrord.json
"""
BOUNDS = Bounds(("staging",), ("staging",), ("ghcr.io/acme/",), timedelta(hours=8))


def mirrord(**feature: Any) -> bytes:
    """Return a mirrord file that says this."""
    return json.dumps(
        {"target": {"path": "deployment/web", "namespace": "staging"}, "feature": feature}
    ).encode()


def mounted(path: str) -> bytes:
    return mirrord(preview={"config_mounts": [{"mount_at": "/etc/app", "from_file": path}]})


FILES = {
    ".github/preview.yaml": CONFIGURATION.encode(),
    ".mirrord/mirrord.json": mounted("settings.txt"),
    ".mirrord/settings.txt": b"of main",
}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town(FILES) as built:
        yield built


async def mounts(town: Town, branch: str = "main") -> list[str]:
    """Return what the sessions of this branch's configuration would have mounted."""
    configuration = await read_configuration(Configurations(), town.client, BOUNDS, SHOP, branch)
    assert configuration.config is not None, configuration.read.problems
    [web] = configuration.config.services
    return [mount.data for mount in parts_of(configuration.config, web).config_mounts]


async def test_what_a_pull_request_changes_is_not_read(town: Town) -> None:
    town.github.branch_off("copilot/x")
    changed = {".mirrord/settings.txt": b"of the head", ".mirrord/mirrord.json": mounted("other.txt")}
    town.github.commit("copilot/x", changed, "Mine", COPILOT)

    assert await mounts(town) == ["of main"]


async def test_a_tag_with_the_name_of_the_branch_is_not_read(town: Town) -> None:
    town.github.branch_off("copilot/x")
    sha = town.github.commit("copilot/x", {".mirrord/settings.txt": b"of the tag"}, "Mine", COPILOT)
    town.github.tag("main", sha)

    assert await mounts(town) == ["of main"]


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "/proc/self/environ", "a/../../x", "C:\\x"]
)
async def test_a_path_that_leads_out_of_the_repository_is_refused(town: Town, path: str) -> None:
    town.github.commit("main", {".mirrord/mirrord.json": mounted(path)}, "Mine", COPILOT)

    read = (await read_configuration(Configurations(), town.client, BOUNDS, SHOP, "main")).read

    assert read.config is None
    assert len(read.problems) == 1


@pytest.mark.parametrize("linked", [".mirrord/settings.txt", ".mirrord/mirrord.json"])
async def test_a_link_is_refused_that_githubs_contents_would_follow(town: Town, linked: str) -> None:
    town.github.commit("main", {linked: Link(b"../README.md"), "README.md": b"{}"}, "Mine", COPILOT)

    read = (await read_configuration(Configurations(), town.client, BOUNDS, SHOP, "main")).read

    assert [problem.message.count("is a link") for problem in read.problems] == [1]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository's folder on a machine where a secret lies beside it, and in the environment."""
    monkeypatch.setenv("PREVIEWBOT_GITHUB__WEBHOOK_SECRET", SECRET)
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    for path, content in FILES.items():
        (tmp_path / "shop" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / path).write_bytes(content)
    return tmp_path / "shop"


RENDER = ("--repository", SHOP, "--number", "1", "--head-sha", "0" * 40)


@pytest.mark.parametrize(
    "said",
    [
        mounted("../../secret.txt"),
        mounted("linked.txt"),
        mirrord(env={"override": {"A": '{{ get_env(name="PREVIEWBOT_GITHUB__WEBHOOK_SECRET") }}'}}),
        mirrord(env={"env_file": "../../secret.txt"}),
    ],
    ids=["a path", "a link", "a template", "variables"],
)
def test_nothing_of_the_machine_is_shown_or_rendered(
    folder: Path, capsys: pytest.CaptureFixture[str], said: bytes
) -> None:
    (folder / ".mirrord/mirrord.json").write_bytes(said)
    (folder / ".mirrord/linked.txt").symlink_to(folder.parent / "secret.txt")

    codes = [
        main(["check", str(folder / ".github/preview.yaml")]),
        main(["render", str(folder / ".github/preview.yaml"), *RENDER]),
    ]

    output = capsys.readouterr()
    assert codes == [1, 1]
    assert SECRET not in output.out + output.err


async def test_a_variable_file_that_multiplies_itself_is_refused_before_it_fills_the_memory(
    town: Town,
) -> None:
    files = {
        ".mirrord/mirrord.json": mirrord(env={"env_file": "multiplied.env"}),
        ".mirrord/multiplied.env": b"A=x\n" + b'A="${A}${A}"\n' * 60,
    }
    town.github.commit("main", files, "Multiply", ALICE)

    configuration = await read_configuration(Configurations(), town.client, BOUNDS, SHOP, "main")

    [problem] = configuration.read.problems
    assert "`multiplied.env`, whose line 17 makes the values too long with $" in problem.message
