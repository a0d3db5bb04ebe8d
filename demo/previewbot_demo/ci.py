"""The shop's CI and delivery, simulated: images of each new head, and staging after each merge."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from previewbot_demo import shop
from previewbot_demo.github import FakeGitHub
from previewbot_demo.github.trees import Tree

CHECK = "build images"
WORKFLOW = "images.yml"
BYSTANDER, BYSTANDERS_APP = "codecov/patch", "codecov"
"""A check of another App, which fails where the build does: nothing was measured."""


class Images(Protocol):
    """Where a build puts what it made."""

    def put_image(self, repository: str, tag: str, files: Mapping[str, bytes], *, revision: str) -> object:
        """Store an image of these files and tag it."""


class Stage(Protocol):
    """Where the default branch runs."""

    async def deploy(self, service: str, files: Mapping[str, bytes]) -> None:
        """Run a service from the repository's files in place of what ran before."""


@dataclass
class Switches:
    """What a test changes.

    `seconds` a build takes; with `builds` false CI never even starts; a `conclusion` other than `success`
    leaves no images; with `stale` the images are tagged with the new commit but hold the one before it.
    Workflows of the branches in `waiting` run only once somebody has approved them; so they do of later
    commits of that pull request (GitHub asks again for each of an agent's).
    """

    seconds: float = 2.0
    builds: bool = True
    conclusion: str = "success"
    stale: bool = False
    waiting: set[str] = field(default_factory=set)


class Ci:
    """Builds what the GitHub's hooks tell it of; `say` is told what went wrong in the background."""

    def __init__(
        self, github: FakeGitHub, registry: Images, staging: Stage, say: Callable[[str], None]
    ) -> None:
        self._github = github
        self._registry = registry
        self._staging = staging
        self._say = say
        self._tasks: set[asyncio.Task[None]] = set()
        self._built: dict[int, Tree] = {}
        self._main: Tree = {}
        self._approved: set[int] = set()
        self.switches = Switches()

    async def start(self, sha: str, tree: Tree) -> None:
        """Build and deploy the default branch, then listen for more."""
        await self._deploy(sha, tree, shop.SERVICES)
        self._github.hooks.on_head = self._on_head
        self._github.hooks.on_branch = self._on_branch
        self._github.hooks.on_approval = self._on_approval

    async def stop(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _on_head(self, repository: str, number: int, sha: str, tree: Tree) -> None:
        # GitHub Actions runs a pull request's workflows on the test merge; under a conflict there is none.
        pull = self._github.pull_request(number, repository)
        if not self.switches.builds or pull.conflict:
            return
        if pull.head_ref in self.switches.waiting and number not in self._approved:
            self._github.set_workflow_run(sha, CHECK, "completed", "action_required", file=WORKFLOW)
        else:
            self._spawn(self._build(number, sha, tree))

    def _on_approval(self, repository: str, number: int, sha: str, tree: Tree) -> None:
        self._approved.add(number)
        self._spawn(self._build(number, sha, tree))

    def _on_branch(self, repository: str, branch: str, sha: str, tree: Tree) -> None:
        if branch == self._github.find(repository).default_branch:
            changed = [s for s in shop.SERVICES if _image(tree, s) != _image(self._main, s)]
            self._spawn(self._deploy(sha, tree, changed))

    async def _build(self, number: int, sha: str, tree: Tree) -> None:
        run = self._github.set_workflow_run(sha, CHECK, "in_progress", file=WORKFLOW)
        self._github.set_check(sha, CHECK, "in_progress", run=run)
        await asyncio.sleep(self.switches.seconds)
        conclusion = self.switches.conclusion
        if conclusion == "success" and not all(_compiles(tree, service) for service in shop.SERVICES):
            conclusion = "failure"
            self._github.set_check(sha, BYSTANDER, "completed", "failure", app=BYSTANDERS_APP)
        if conclusion == "success":
            content = self._built.get(number, self._main) if self.switches.stale else tree
            self._push(sha, content, shop.SERVICES)
            self._built[number] = tree
        self._github.set_workflow_run(sha, CHECK, "completed", conclusion, file=WORKFLOW)
        self._github.set_check(sha, CHECK, "completed", conclusion, run=run)

    async def _deploy(self, sha: str, tree: Tree, services: tuple[str, ...] | list[str]) -> None:
        self._main = tree
        self._push(sha, tree, services)
        await asyncio.gather(*(self._staging.deploy(service, tree) for service in services))

    def _push(self, sha: str, tree: Tree, services: tuple[str, ...] | list[str]) -> None:
        for service in services:
            self._registry.put_image(f"acme/{service}", sha, _image(tree, service), revision=sha)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._say(f"the simulated CI failed: {task.exception()}")


def _compiles(tree: Tree, service: str) -> bool:
    """Return whether Python takes a service's files, as a build would find."""
    for path, content in _image(tree, service).items():
        if path.endswith(".py"):
            try:
                compile(content, path, "exec", dont_inherit=True)
            except SyntaxError:
                return False
    return True


def _image(tree: Tree, service: str) -> dict[str, bytes]:
    return shop.service_files(tree, service)
