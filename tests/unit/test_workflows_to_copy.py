"""The workflows to copy, where a rule of a branch asks for them: to GitHub a skipped job has passed.

https://docs.github.com/en/actions/using-jobs/using-conditions-to-control-job-execution
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.api.deployments import DeploymentState
from tests.support.actions_expressions import Contexts, filled, value_of
from tests.support.actions_runner import Runner, plain_variables

ROOT = Path(__file__).parents[2]
WAITS = ROOT / "docs/examples/playwright.yml"
STARTED = ROOT / "docs/examples/playwright-on-deployment.yml"
PAGE = ROOT / "docs/waiting.md"
QUEUE = "refs/heads/gh-readonly-queue/main/pr-{}-" + "a" * 40


def workflow(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def events(path: Path) -> set[str]:
    # YAML 1.1 takes `on` for a truth.
    on = workflow(path)[True]
    return {on} if isinstance(on, str) else set(on)


def of_a_queue(number: int) -> dict[str, Any]:
    ref = QUEUE.format(number)
    return {"repository": "acme/shop", "ref": ref, "event": {"merge_group": {"head_ref": ref}}}


def of_a_pull_request(number: int, head: str = "acme/shop") -> dict[str, Any]:
    pull_request = {"number": number, "head": {"sha": "b" * 40, "repo": {"full_name": head}}}
    return {
        "repository": "acme/shop",
        "ref": f"refs/pull/{number}/merge",
        "event": {"pull_request": pull_request},
    }


def of_a_deployment(payload: object, run: int) -> dict[str, Any]:
    # GitHub says no branch of a deployment that was made of a commit.
    return {"ref": "", "run_id": str(run), "event": {"deployment": {"payload": payload}}}


def group(github: dict[str, Any], path: Path = WAITS) -> str:
    return filled(workflow(path)["concurrency"]["group"], Contexts({"github": github}, {}))


def in_shards() -> dict[str, Any]:
    """Return the jobs of the page's example that waits in a job of its own."""
    [jobs] = re.findall(r"^    jobs:\n(?:    .*\n)+", PAGE.read_text("utf-8"), re.MULTILINE)
    found = yaml.safe_load(jobs)["jobs"]
    assert isinstance(found, dict)
    return found


def test_a_job_that_waits_for_shards_is_that_of_the_whole_workflow() -> None:
    whole, jobs = workflow(WAITS)["jobs"]["playwright"], in_shards()
    [waits] = [step for step in whole["steps"] if step.get("id") == "preview"]
    [step] = jobs["preview"]["steps"]

    assert jobs["preview"]["if"] == whole["if"]
    assert step["uses"] == waits["uses"]
    assert step["with"].items() <= waits["with"].items()


@pytest.mark.parametrize(
    ("preview", "playwright", "passes"),
    [
        ("success", "success", True),
        ("success", "failure", False),
        ("success", "cancelled", False),
        # There was nothing to test.
        ("success", "skipped", True),
        # A fork, or a merge queue.
        ("skipped", "skipped", True),
        ("failure", "skipped", False),
        ("cancelled", "skipped", False),
    ],
)
def test_of_shards_one_job_may_be_required_which_fails_unless_all_is_well(
    preview: str, playwright: str, passes: bool
) -> None:
    job = in_shards()["tested"]
    [step] = job["steps"]
    needs = {"preview": {"result": preview}, "playwright": {"result": playwright}}

    assert (job["needs"], job["if"], step["run"]) == (list(needs), "always()", "exit 1")
    assert value_of(step["if"], Contexts({"needs": needs}, {})) is not passes


async def test_a_merge_queue_that_requires_the_tests_gets_them_skipped(tmp_path: Path) -> None:
    assert events(WAITS) == {"pull_request", "merge_group"}

    ran = await Runner(tmp_path, plain_variables(), of_a_queue(1)).job(WAITS, "playwright")

    assert ran.skipped


def test_only_a_run_of_the_same_pull_request_is_ended_for_a_newer_one() -> None:
    assert group(of_a_pull_request(1)) == group(of_a_pull_request(1))
    others = [of_a_pull_request(1), of_a_pull_request(2), of_a_queue(1), of_a_queue(2)]
    assert len(set(map(group, others))) == len(others)


def test_only_a_run_for_the_same_preview_is_ended_for_what_is_said_of_it_next() -> None:
    ours = [of_a_deployment({"preview": "gh-812-1"}, run) for run in (1, 2)]
    assert len({group(each, STARTED) for each in ours}) == 1
    # Vercel's has a payload of its own, and that of most others is empty.
    others = [ours[0], of_a_deployment({"preview": "gh-812-2"}, 3)]
    others += [of_a_deployment(each, run) for run, each in enumerate(({}, "", {"url": "x"}), start=4)]
    assert len({group(each, STARTED) for each in others}) == len(others)


@pytest.mark.parametrize("state", [each for each in DeploymentState if each is not DeploymentState.SUCCESS])
async def test_a_job_that_a_deployment_starts_passes_without_tests_so_no_rule_may_require_it(
    tmp_path: Path, state: DeploymentState
) -> None:
    us = {"login": "previewbot[bot]"}
    deployment = {"sha": "a" * 40, "environment": "preview", "creator": us}
    event = {"deployment": deployment, "deployment_status": {"state": str(state), "creator": us}}

    ran = await Runner(tmp_path, plain_variables(), {"event": event}).job(STARTED, "playwright")

    assert ran.skipped
    assert "# No rule of a branch may require this job" in STARTED.read_text("utf-8")
