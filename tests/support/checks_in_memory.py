"""GitHub's check runs in memory, for passes: what was written of each commit."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from previewbot.api.check_runs import CHECK_NAME, Annotation, CheckRunContent, Conclusion, OwnCheckRun
from previewbot.errors import NotFound


@dataclass
class Written:
    """A check run: of which commit, and all that was said by it, the last at the end."""

    head_sha: str
    said: list[CheckRunContent] = field(default_factory=list)

    @property
    def conclusion(self) -> Conclusion | None:
        """How it stands now; None while it is in progress."""
        return self.said[-1].conclusion

    @property
    def annotations(self) -> list[Annotation]:
        """The lines that it marks: what is sent is added to what is there."""
        return [each for said in self.said for each in said.annotations]


class ChecksInMemory:
    """Answers as `clients/github/check_runs.py` does; `note` is told of each call."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._tell = note
        self.asked: list[str] = []
        self._ids = itertools.count(9001)
        self.runs: dict[int, Written] = {}

    def _note(self, call: str) -> None:
        self.asked.append(call)
        self._tell(call)

    async def own(
        self, repository: str, head_sha: str, app_id: int, name: str = CHECK_NAME
    ) -> list[OwnCheckRun]:
        self._note("own checks")
        return [
            OwnCheckRun(
                number,
                run.said[-1].external_id,
                run.conclusion is not None,
                str(run.conclusion or ""),
                len(run.annotations),
            )
            for number, run in self.runs.items()
            if run.head_sha == head_sha and run.said[-1].name == name
        ]

    async def create(self, repository: str, head_sha: str, content: CheckRunContent) -> int:
        self._note("create check")
        number = next(self._ids)
        self.runs[number] = Written(head_sha, [content])
        return number

    async def update(self, repository: str, check_run_id: int, content: CheckRunContent) -> None:
        self._note("update check")
        if check_run_id not in self.runs:
            raise NotFound("check", status=404)
        self.runs[check_run_id].said.append(content)

    def of(self, head_sha: str, name: str = CHECK_NAME) -> list[Written]:
        """Return the runs of a commit that have a name, oldest first."""
        of_it = (run for run in self.runs.values() if run.head_sha == head_sha)
        return [run for run in of_it if run.said[-1].name == name]
