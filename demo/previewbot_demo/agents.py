"""The agents and people of the demo: they do their tasks when somebody presses a button."""

from __future__ import annotations

from functools import partial

from previewbot_demo import tasks
from previewbot_demo.github import Button, FakeGitHub
from previewbot_demo.github.signing_in import Somebody
from previewbot_demo.tasks import ALICE, COPILOT, MARIA, ROB, STRANGER, TASKS, Task

COLLABORATORS = {ALICE.login: "admin", COPILOT.login: "write", MARIA.login: "write", ROB.login: "read"}

_SIGN_IN = (
    (MARIA, "a product manager, who may write here"),
    (ROB, "who may read here"),
    (STRANGER, "a stranger, who may read here as everybody may"),
)


class Agents:
    """They open pull requests in `repository` and push to them, each with the next commit of its task.

    `waiting` takes the branches whose workflows wait for an approval.
    """

    def __init__(self, github: FakeGitHub, repository: str, waiting: set[str]) -> None:
        self._github = github
        self._repository = repository
        self._waiting = waiting
        self._tasks: dict[int, Task] = {}
        self._pushed: dict[int, int] = {}

    def offer(self) -> None:
        """Put the buttons on GitHub's pages, and say who may comment there."""
        pages = self._github.pages
        pages.buttons = [Button(t.name, t.button, partial(self.open, t), t.hint) for t in TASKS]
        pages.push = self._press_push
        pages.people = [self._github.know(person) for person in (ALICE, STRANGER)]
        self._github.signing_in.people = [
            Somebody(self._github.know(person), words) for person, words in _SIGN_IN
        ]

    def open(self, task: Task) -> int:
        """Open a pull request for a task; return its number. What was merged before is no obstacle."""
        repeated = sum(1 for earlier in self._tasks.values() if earlier.name == task.name)
        branch = f"{task.branch}-{repeated + 1}" if repeated else task.branch
        step = task.step(0)
        main = self._github.tree(self._github.find(self._repository).default_branch, self._repository)
        if task.waits:
            self._waiting.add(branch)
        number = self._github.open_pull_request(
            self._repository,
            task.author,
            branch,
            tasks.apply(main, step),
            task.title,
            self._description(task),
            step.message,
            fork=task.fork,
        )
        if task.label:
            # A stranger cannot: it takes the triage role.
            self._github.label(number, task.label, self._repository, by=ALICE)
        self._tasks[number] = task
        self._pushed[number] = 0
        return number

    def task(self, number: int) -> str:
        """Return the name of a pull request's task; empty for one that nobody here opened."""
        task = self._tasks.get(number)
        return task.name if task else ""

    def pushes(self, number: int) -> int:
        """Return how many commits were pushed to a pull request since it was opened."""
        return self._pushed.get(number, 0)

    def _description(self, task: Task) -> str:
        """Return the words of a pull request; the issue that asks for it is opened first."""
        asked = task.asked
        if asked is None:
            return task.body
        number = self._github.open_issue(asked.author, asked.title, asked.body, self._repository)
        return f"{task.body}\n\nCloses #{number}"

    def push(self, number: int) -> str:
        """Push the next commit of a pull request's task; return its SHA; raises KeyError if it has none."""
        task = self._tasks[number]
        self._pushed[number] += 1
        step = task.step(self._pushed[number])
        tree = self._github.head_tree(number, self._repository)
        return self._github.push(number, tasks.apply(tree, step), step.message, self._repository)

    def _press_push(self, repository: str, number: int) -> None:
        self.push(number)
