"""Runs the steps of a workflow's job as GitHub's runner does, as far as the workflows here need it.

What a step `uses` is looked for among the Actions that a test has; of all others it is only noted that they
were used, and with what.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.actions_expressions import Contexts, filled, value_of

_BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
"""https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell"""


@dataclass
class Ran:
    """What became of a job: which steps ran, what they said, the outputs of those with an id."""

    succeeded: bool = True
    skipped: bool = False
    steps: list[str] = field(default_factory=list)
    said: str = ""
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    used: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Runner:
    """A machine: its folder, its variables, the `github` context, and Actions by the name they are used by.

    An Action is the folder that has its `action.yml`. No step may take longer than `seconds`.
    """

    folder: Path
    variables: Mapping[str, str]
    github: Mapping[str, Any]
    actions: Mapping[str, Path] = field(default_factory=dict)
    seconds: float = 60.0

    async def job(self, workflow: Path, name: str) -> Ran:
        """Run a job of a workflow."""
        job = yaml.safe_load(workflow.read_text("utf-8"))["jobs"][name]
        ran = Ran()
        contexts = self._contexts(ran, {})
        if "if" in job and not value_of(_bare(job["if"]), contexts):
            ran.skipped = True
            return ran
        await self._steps(job["steps"], ran, {})
        return ran

    async def action(self, folder: Path, **inputs: str) -> Ran:
        """Run a composite Action by itself; its outputs are those of `""`."""
        ran = Ran()
        await self._composite(folder, inputs, ran, "")
        return ran

    async def _composite(self, folder: Path, given: Mapping[str, str], ran: Ran, step: str) -> None:
        described = yaml.safe_load((folder / "action.yml").read_text("utf-8"))
        assert described["runs"]["using"] == "composite"
        unknown = given.keys() - described["inputs"].keys()
        assert not unknown, f"{unknown} are no inputs"
        outer = self._contexts(ran, {})
        inputs = {
            name: given.get(name, filled(str(about.get("default", "")), outer))
            for name, about in described["inputs"].items()
        }
        inner = Ran()
        await self._steps(described["runs"]["steps"], inner, inputs, folder)
        contexts = self._contexts(inner, inputs)
        ran.outputs[step] = {
            name: filled(about["value"], contexts) for name, about in described["outputs"].items()
        }
        ran.said += inner.said
        ran.succeeded = ran.succeeded and inner.succeeded

    async def _steps(
        self, steps: list[Any], ran: Ran, inputs: Mapping[str, str], action: Path | None = None
    ) -> None:
        for number, step in enumerate(steps):
            contexts = self._contexts(ran, inputs)
            wanted = _bare(str(step.get("if", "success()")))
            # A condition that asks for no state of the job stands for one of a job that went well.
            asks = any(word in wanted for word in ("success()", "failure()", "always()", "cancelled()"))
            if not value_of(wanted if asks else f"success() && ({wanted})", contexts):
                continue
            name = step.get("name") or step.get("uses") or step["run"]
            ran.steps.append(name)
            await self._step(step, ran, contexts, str(step.get("id", number)), action)

    async def _step(
        self, step: Mapping[str, Any], ran: Ran, contexts: Contexts, number: str, action: Path | None
    ) -> None:
        if "uses" in step:
            given = {key: filled(str(value), contexts) for key, value in step.get("with", {}).items()}
            ran.used[step["uses"]] = given
            folder = self.actions.get(step["uses"])
            if folder is not None:
                await self._composite(folder, given, ran, number)
            return
        if action is not None:
            assert step["shell"] == "bash", "a step of a composite Action names its shell"
        variables = {key: filled(str(value), contexts) for key, value in step.get("env", {}).items()}
        await self._run(filled(step["run"], contexts), variables, ran, number, action)

    async def _run(
        self, script: str, variables: Mapping[str, str], ran: Ran, number: str, action: Path | None
    ) -> None:
        place = self.folder / "temp"
        place.mkdir(exist_ok=True)
        file, output = place / f"step-{number}.sh", place / f"output-{number}"
        file.write_text(script, "utf-8")
        output.write_text("", "utf-8")
        given = {**self.variables, "RUNNER_TEMP": str(place), "GITHUB_OUTPUT": str(output), **variables}
        if action is not None:
            given["GITHUB_ACTION_PATH"] = str(action)
        process = await asyncio.create_subprocess_exec(
            *_BASH, str(file), cwd=self.folder, env=given, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), self.seconds)
        ran.said += said.decode()
        ran.succeeded = ran.succeeded and process.returncode == 0
        lines = output.read_text("utf-8").splitlines()
        ran.outputs[number] = dict(line.split("=", 1) for line in lines)

    def _contexts(self, ran: Ran, inputs: Mapping[str, str]) -> Contexts:
        steps = {name: {"outputs": outputs} for name, outputs in ran.outputs.items()}
        return Contexts(
            {"github": self.github, "inputs": inputs, "steps": steps},
            {
                "success": lambda: ran.succeeded,
                "failure": lambda: not ran.succeeded,
                "always": lambda: True,
                "cancelled": lambda: False,
            },
        )


def _bare(condition: str) -> str:
    return condition.strip().removeprefix("${{").removesuffix("}}")


def plain_variables() -> dict[str, str]:
    """Return the variables of a machine that knows nothing of this one but where its programs are."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "RUNNER_OS": "Linux"}
