"""`previewbot wait`, the Action and the workflows to copy, against the stand-in for GitHub."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from aiohttp import web

from previewbot.asking.__main__ import main
from supply.lock import read_lock
from tests.support.actions_runner import Ran, Runner, plain_variables
from tests.support.asking import HEADER, LINK, SHOP, Says, block
from tests.support.github_town import Town, github_town
from tests.support.servers import served
from tests.unit.test_asking_page import FACTS

ROOT = Path(__file__).parents[2]
ACTION, EXAMPLES = ROOT / "action", ROOT / "docs" / "examples"
OTHERS_ACTION = "acme/previewbot/action@main"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        built.pull_request()
        yield built


@pytest.fixture
def says(town: Town) -> Says:
    return Says(town, 1)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def of(town: Town) -> dict[str, str]:
    return {**plain_variables(), "GITHUB_TOKEN": town.token, "GITHUB_API_URL": f"{town.url}/api/v3"}


async def as_a_process(*arguments: str, variables: Mapping[str, str]) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "previewbot", "wait", *arguments), cwd=ROOT, env=variables,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


class Command:
    """`previewbot wait` in a thread of this process: a process of its own takes seconds to begin."""

    def __init__(self, town: Town, patch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._variables, self._patch, self._captured = of(town), patch, captured

    async def __call__(self, *arguments: str, changes: Mapping[str, str] = MappingProxyType({})) -> Ended:
        for name, value in {**self._variables, **changes}.items():
            self._patch.setenv(name, value)
        self._captured.readouterr()
        code = await asyncio.to_thread(self._run, arguments)
        out, err = self._captured.readouterr()
        return Ended(code, out, err)

    def _run(self, arguments: tuple[str, ...]) -> int:
        try:
            return main(arguments)
        except SystemExit as error:
            assert isinstance(error.code, int)
            return error.code


@pytest.fixture
def wait(town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(town, monkeypatch, capsys)


async def test_it_goes_along_with_a_preview_and_prints_its_link_alone(town: Town, says: Says) -> None:
    deployment = await says.deployment()
    says.comment(block(says.head, "AwaitingImage", words="CI is building the image.", turn="nobody"))
    waiting = asyncio.create_task(as_a_process(f"{SHOP}#1", "--sha", says.head, variables=of(town)))
    # It has looked, and rests.
    await until(lambda: f"/repos/{SHOP}/issues/1/comments?per_page=100" in town.script.paths())
    await says.deployment_status(deployment, "success")
    ended = await waiting

    assert (ended.code, ended.out) == (0, f"{LINK}\n")
    lines = [re.sub(r"^\[\d+:\d\d\] ", "", line) for line in ended.err.splitlines()]
    assert lines[0].startswith(
        f"waiting for the preview of acme/shop#1 at {says.head[:7]}; asking GitHub (127"
    )
    assert lines[1:] == ["waiting: CI is building the image.", "ready: it is success"]


async def until(true: Any) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("state", "code", "word"),
    [("success", 0, "ready"), ("failure", 1, "failed"), ("inactive", 3, "ended")],
)
async def test_how_it_ended_is_an_exit_code_and_json(
    says: Says, wait: Command, state: str, code: int, word: str
) -> None:
    says.comment(block(says.head, {"failure": "Failed", "inactive": "Stopped"}.get(state, "Ready")))
    await says.deployment(state)
    ended = await wait(f"{SHOP}#1", "--sha", says.head, "--json")
    told = json.loads(ended.out)
    link = (LINK, HEADER) if code == 0 else ("", "")
    assert (ended.code, told["exit_code"], told["state"]) == (code, code, word)
    assert (told["url"], told["header"]) == link
    assert (told["repository"], told["number"], told["sha"]) == (SHOP, 1, says.head)


async def test_never_triggered_and_not_ready_in_time_have_codes_of_their_own(
    says: Says, wait: Command
) -> None:
    never = await wait(f"{SHOP}#1", "--sha", says.head, "--grace", "1s")
    says.comment(block(says.head, "Deploying"))
    late = await wait(f"{SHOP}#1", "--timeout", "1s")
    assert (never.code, never.out) == (4, "")
    assert "never-triggered: previewbot has said nothing of" in never.err
    assert (late.code, late.out) == (5, "")
    assert "timed-out: not ready after 1 s: It is Deploying." in late.err


@pytest.mark.parametrize(
    ("arguments", "changes", "words"),
    [
        (["--sha", "abc1234"], {}, "no whole commit SHA"),
        (["--timeout", "soon"], {}, "a duration is written like 8h"),
        (["--app", "no slug"], {}, "is no App's slug"),
        ([], {"GITHUB_TOKEN": "wrong"}, "Bad credentials"),
        ([], {"GITHUB_TOKEN": ""}, "whom to ask is not known"),
        ([], {"GITHUB_API_URL": "http://api.example.com"}, "write https://"),
    ],
)
async def test_what_waiting_would_not_mend_is_told_at_once(
    town: Town, wait: Command, arguments: list[str], changes: dict[str, str], words: str
) -> None:
    ended = await wait(f"{SHOP}#1", *arguments, changes=changes)
    assert (ended.code, ended.out) == (2, "")
    assert words in " ".join(ended.err.split())
    assert town.token not in ended.err


async def test_an_address_on_another_github_is_not_asked_of_this_one(town: Town, wait: Command) -> None:
    ended = await wait("https://github.com/acme/shop/pull/1")
    assert ended.code == 2 and "the pull request is on github.com" in ended.err
    here = await wait(f"{town.url}/acme/shop/pull/1", "--grace", "1s")
    assert here.code == 4


def test_the_action_installs_all_that_it_needs_and_nothing_that_it_does_not() -> None:
    program = "import previewbot.asking.__main__, previewbot.asking.running, sys; print(*sys.modules)"
    loaded = set(run_python(program).split())
    tops = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"previewbot"}
    packages = importlib.metadata.packages_distributions()
    used = {each.lower().replace("_", "-") for top in tops for each in packages.get(top, ())}
    pins = {pin.name: pin for pin in read_lock((ACTION / "requirements.lock").read_text("utf-8"))}
    ours = {pin.name: pin for pin in read_lock((ROOT / "requirements.lock").read_text("utf-8"))}
    # aiohttp uses what speeds it up where that is installed.
    assert used - pins.keys() <= {"aiodns", "brotli", "brotlicffi", "backports-zstd", "pycares", "setuptools"}
    assert {"aiohttp", "pydantic"} <= used
    assert all(
        (ours[name].version, ours[name].hashes) == (pin.version, pin.hashes) for name, pin in pins.items()
    )


def run_python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


# The Action, run step by step. What its first step installs is here already: the interpreter of these tests.


@pytest.fixture
def runner(town: Town, says: Says, tmp_path: Path) -> Runner:
    pull = {
        "number": 1,
        "head": {"sha": says.head, "repo": {"full_name": SHOP}},
    }
    github = {"repository": SHOP, "token": town.token, "event": {"pull_request": pull}}
    variables = {**plain_variables(), "GITHUB_API_URL": f"{town.url}/api/v3"}
    machine = Runner(tmp_path, variables, github, {OTHERS_ACTION: ACTION})
    pretend_installed(tmp_path)
    return machine


def pretend_installed(folder: Path) -> None:
    """Lay down what the Action's first step leaves."""
    number = subprocess.run(
        ["cksum"], input=str(ACTION).encode(), capture_output=True, check=True
    ).stdout.split()[0]
    place = folder / "temp" / f"previewbot-wait-{number.decode()}"
    (place / "bin").mkdir(parents=True)
    python = place / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (place / "installed").touch()


async def test_the_action_hands_on_link_commit_and_header(town: Town, says: Says, runner: Runner) -> None:
    says.comment(block(says.head))
    await says.deployment("success")
    ran = await runner.action(ACTION)
    assert ran.succeeded, ran.said
    assert ran.outputs[""] == {
        **{"state": "ready", "url": LINK, "sha": says.head, "header": HEADER},
        **{"needs-header": "false", "bearer": ""},
    }


async def test_with_previewbots_address_the_action_asks_there_and_hands_on_what_the_guard_lets_in(
    says: Says, runner: Runner
) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == f"Bearer {'b' * 32}"
        return web.json_response(
            {**FACTS, "head_sha": says.head, "serving_sha": says.head, "bearer": "pvb1.a.1.b"}
        )

    with served(answer) as (url, _):
        ran = await runner.action(ACTION, url=url, bearer="b" * 32)

    assert ran.succeeded, ran.said
    assert ran.outputs[""]["bearer"] == "pvb1.a.1.b"
    assert "::add-mask::pvb1.a.1.b" in ran.said
    assert ran.said.count("pvb1.a.1.b") == 1


@pytest.mark.parametrize(
    ("allow", "succeeded"),
    [
        ("", False),
        ("never-triggered", True),
        ("ended, never-triggered", True),
        ("never-triggered\nended\n", True),
        ("ended", False),
    ],
)
async def test_the_action_lets_pass_what_the_workflow_allows(
    runner: Runner, allow: str, succeeded: bool
) -> None:
    ran = await runner.action(ACTION, allow=allow, grace="1s")
    assert ran.succeeded is succeeded
    assert (ran.outputs[""]["state"], ran.outputs[""]["url"]) == ("never-triggered", "")
    assert (
        "::error title=previewbot wait::There is no preview (never-triggered)" in ran.said
    ) is not succeeded


async def test_the_action_lets_nothing_pass_where_it_asks_for_another_app(says: Says, runner: Runner) -> None:
    says.comment(block(says.head))
    ran = await runner.action(ACTION, app="previews", allow="never-triggered ended", grace="1s")
    assert not ran.succeeded
    assert "if that is your App, say --app previewbot" in ran.said


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (
            {"allow": "never-triggered success"},
            "allow takes never-triggered, ended, failed and timed-out, and one of its words is another",
        ),
        ({"pull-request": ""}, "no pull request is known here"),
        ({"sha": ""}, "no commit is known here"),
        ({"sha": "$(touch evil); abc"}, "it could not wait"),
        ({"app": "`touch evil`"}, "it could not wait"),
    ],
)
async def test_the_action_says_what_to_give_it(runner: Runner, inputs: dict[str, str], words: str) -> None:
    ran = await runner.action(ACTION, **inputs)
    assert not ran.succeeded
    assert f"::error title=previewbot wait::{words}" in ran.said
    assert not (runner.folder / "evil").exists()


async def test_words_of_others_are_no_command_to_the_runner(town: Town, says: Says, runner: Runner) -> None:
    evil = "x\n::set-output name=url::https://evil.example.com/\n##[add-path]/evil"
    says.comment(block(says.head, "Failed", words=evil))
    ran = await runner.action(ACTION)
    assert (ran.succeeded, ran.outputs[""]["url"]) == (False, "")
    assert not [line for line in ran.said.splitlines() if line.lstrip().startswith("::set") or "##[" in line]


def test_no_input_stands_in_a_script_of_the_action_or_of_a_workflow() -> None:
    steps = [*yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))["runs"]["steps"]]
    for example in EXAMPLES.glob("playwright*.yml"):
        for job in yaml.safe_load(example.read_text("utf-8"))["jobs"].values():
            steps += job["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) >= 6
    assert not [script for script in scripts if "${{" in script]


# The workflows to copy, on a machine whose npm and npx note what they are asked.


@pytest.fixture
def noted(runner: Runner, tmp_path: Path) -> Path:
    programs, notes = tmp_path / "programs", tmp_path / "notes"
    programs.mkdir()
    for name in ("npm", "npx"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $* BASE_URL=$BASE_URL" >> "{notes}"\n')
        program.chmod(0o755)
    runner.variables = {**runner.variables, "PATH": f"{programs}:{runner.variables['PATH']}"}
    return notes


async def playwright(runner: Runner, name: str = "playwright.yml") -> Ran:
    return await runner.job(EXAMPLES / name, "playwright")


TESTED = (
    "npm ci BASE_URL=\n"
    "npx playwright install --with-deps chromium BASE_URL=\n"
    f"npx playwright test BASE_URL={LINK}\n"
)


async def test_the_workflow_tests_the_preview_of_its_commit(
    town: Town, says: Says, runner: Runner, noted: Path
) -> None:
    says.comment(block(says.head))
    await says.deployment("success")
    ran = await playwright(runner)
    assert ran.succeeded, ran.said
    assert noted.read_text() == TESTED
    assert ran.used["actions/checkout@v5"] == {"ref": says.head, "persist-credentials": "False"}


async def test_the_workflow_passes_without_tests_where_a_newer_commit_came(
    town: Town, says: Says, runner: Runner, noted: Path
) -> None:
    town.github.push(1, {"x": b"y\n"}, "More")
    ran = await playwright(runner)
    assert ran.succeeded, ran.said
    assert not noted.exists()


async def test_the_workflow_fails_where_the_preview_failed(
    town: Town, says: Says, runner: Runner, noted: Path
) -> None:
    await says.deployment("failure")
    ran = await playwright(runner)
    assert not ran.succeeded
    assert not noted.exists()
    assert "actions/upload-artifact@v4" not in ran.used


async def test_the_workflow_leaves_forks_alone(runner: Runner, noted: Path) -> None:
    runner.github["event"]["pull_request"]["head"]["repo"]["full_name"] = "mallory/shop"
    assert (await playwright(runner)).skipped


def of_a_deployment(state: str, environment: str, creator: str, by: str) -> dict[str, Any]:
    return {
        "deployment": {"sha": "a" * 40, "environment": environment, "creator": {"login": creator}},
        "deployment_status": {"state": state, "environment_url": LINK, "creator": {"login": by}},
    }


US = "previewbot[bot]"


@pytest.mark.parametrize(
    ("event", "tests"),
    [
        (of_a_deployment("success", "preview", US, US), True),
        (of_a_deployment("in_progress", "preview", US, US), False),
        (of_a_deployment("success", "production", US, US), False),
        (of_a_deployment("success", "preview", "alice", "alice"), False),
        (of_a_deployment("success", "preview", US, "alice"), False),
    ],
)
async def test_the_workflow_that_a_deployment_starts_believes_our_app_alone(
    runner: Runner, noted: Path, event: dict[str, Any], tests: bool
) -> None:
    runner.github = {**runner.github, "event": event}
    ran = await playwright(runner, "playwright-on-deployment.yml")
    assert ran.skipped is not tests
    assert (noted.read_text() if noted.exists() else "") == (TESTED if tests else "")


def test_the_workflows_ask_for_what_they_read_and_for_nothing_more() -> None:
    wanted = {"contents": "read", "deployments": "read", "checks": "read", "pull-requests": "read"}
    for name, permissions in (
        ("playwright.yml", wanted),
        ("playwright-on-deployment.yml", {"contents": "read"}),
    ):
        assert yaml.safe_load((EXAMPLES / name).read_text("utf-8"))["permissions"] == permissions
