"""The Action's first step for real: pip installs what its lock file pins, whatever the folder has in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chart.helm import ROOT
from tests.chart.image import packages
from tests.support.actions_runner import Runner, plain_variables
from tests.support.asking import HEADER, LINK, SHOP, Says, block
from tests.support.github_town import Town, github_town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        built.pull_request()
        yield built


@pytest.mark.timeout(600)
async def test_both_steps_run_on_a_machine_that_has_nothing_but_python(town: Town, tmp_path: Path) -> None:
    says = Says(town, 1)
    says.comment(block(says.head))
    for name in ("venv", "pip", "json", "previewbot"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the pull request ran')\n")
    # A runner has no package of ours anywhere but where the Action is.
    variables = {
        **plain_variables(),
        **{"GITHUB_API_URL": f"{town.url}/api/v3", "HOME": str(tmp_path)},
        **{"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(packages()), "PYTHONPATH": str(tmp_path)},
    }
    pull = {"number": 1, "head": {"sha": says.head}}
    github = {"repository": SHOP, "token": town.token, "event": {"pull_request": pull}}
    runner = Runner(tmp_path, variables, github, seconds=500)

    first = await runner.action(ROOT / "action")
    again = await runner.action(ROOT / "action")

    assert first.succeeded, first.said
    assert again.succeeded, again.said
    assert first.outputs[""].items() >= {"url": LINK, "sha": says.head, "header": HEADER}.items()
    assert "the pull request ran" not in first.said
    [place] = (tmp_path / "temp").glob("previewbot-wait-*")
    installed = {path.name for path in place.glob("lib/python3.*/site-packages/*")}
    assert {"aiohttp", "pydantic", "previewbot.pth"} <= installed
    assert not {"kubernetes", "flask", "gidgethub"} & installed
