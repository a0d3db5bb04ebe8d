"""The organisation at GitHub: its repositories, and what people, agents and CI do there all day."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import Headers

from bench.organisation.ledger import HOUR
from bench.organisation.time import MIDNIGHT, Clock
from previewbot_demo.github import Account, FakeGitHub
from previewbot_demo.github.charges import Charged, Charges, Size
from tests.support.passes import CONFIGURATION

APP_ID = 4242
SECRET = secrets.token_hex(16)
OWNER = "acme"
_WITH_PULLS, _WITH_FILE = 0.2, 0.3
_ANSWER_SECONDS = 0.15
"""What GitHub takes for an answer."""

_OPEN = (1,) * 45 + (2,) * 25 + (3,) * 12 + (5,) * 8 + (10,) * 8 + (50,) * 2
"""How many pull requests people have open in a repository that has any: of a hundred."""

COPILOT = Account(198982749, "Copilot", "Bot")
_PEOPLE = tuple(Account(5_000 + number, f"person-{number}") for number in range(40))

Posts = Callable[[Headers, bytes], None]


@dataclass(frozen=True)
class Town:
    """How large an organisation is, and for how long it is watched, from the hour `begin` of the day on.

    `previews`: about so many pull requests of agents are open. `busy` is by how much more happens than usual,
    `lost` the share of webhooks that get lost, `restart_every` the seconds after which the controller begins
    anew. `waiting`: CI never builds anything, so that all of them wait for an image. `points` are of
    GraphQL's hour, where it is not the one that GitHub gives an installation of this size.
    """

    repositories: int
    previews: int
    hours: int = 24
    begin: int = 0
    restart_every: float = 4 * HOUR
    busy: float = 1.0
    lost: float = 0.02
    seed: int = 13
    waiting: bool = False
    points: int | None = None


@dataclass(frozen=True)
class _Size(Size):
    """How large an installation is, with an hour of GraphQL's of its own if `points` is given."""

    points: int | None = None

    def hourly(self, resource: str) -> int:
        """Return the requests (`core`) or points (`graphql`) of an hour."""
        return self.points if resource == "graphql" and self.points else super().hourly(resource)


@dataclass(frozen=True)
class Pull:
    """An open pull request; `agents` one has a preview."""

    repository: str
    number: int
    agents: bool


class Organisation:
    """A GitHub with an organisation in it, and all who work there.

    `post` takes the deliveries that arrive; `lost` is told of each that does not and that somebody waits for.
    `images` has the tags that CI has built.
    """

    def __init__(self, town: Town, clock: Clock, heard: Callable[[Charged], None]) -> None:
        repositories, previews = town.repositories, town.previews
        self._town = town
        self._random = random.Random(town.seed)
        self._clock = clock
        self.post: Posts = lambda headers, body: None
        self.lost: Callable[[str, int, str], None] = lambda repository, number, action: None
        self.images: set[str] = set()
        self.previews = previews
        size = _Size(repositories, users=len(_PEOPLE), points=town.points)
        charges = Charges(clock, size=lambda installation: size, heard=heard, thinking=_think)
        self.limit, self.points = size.hourly("core"), size.hourly("graphql")
        self.github = FakeGitHub(
            APP_ID, "", "http://web/webhook", SECRET, "http://github", clock, charges=charges
        )
        # The App signs with the real time, and here it is another.
        setattr(self.github.doorkeeper, "require_app", lambda request: None)  # noqa: B010 - as below
        # Not over HTTP: mypy takes no assignment to a method.
        setattr(self.github.webhooks, "send", self._send)  # noqa: B010
        self.repositories = [f"{OWNER}/r{number:05}" for number in range(repositories)]
        self.configured: list[str] = []
        self.pulls: list[Pull] = []
        self._sending = False
        self._deliveries = 0
        self._ci: set[asyncio.Task[None]] = set()

    def fill(self, progress: Callable[[str], None]) -> None:
        """Make the repositories and what is open at midnight; nobody is told of it."""
        # Nothing here reads what was: the copies would fill the memory.
        self.github.store.kept *= 0
        plain = {"checkout/app.py": b"", "pricing/app.py": b"", "README.md": b""}
        for index, name in enumerate(self.repositories):
            file = {".github/preview.yaml": CONFIGURATION.encode()} if index % 10 < _WITH_FILE * 10 else {}
            self.github.create_repository(
                name, plain | file, collaborators={person.login: "write" for person in _PEOPLE}
            )
            if file:
                self.configured.append(name)
            if index % 500 == 0:
                progress(f"{index} repositories")
        active = self._random.sample(self.repositories, max(1, int(len(self.repositories) * _WITH_PULLS)))
        # Agents work where a preview is to be had.
        self._active = active
        self._agents_in = [name for name in active if name in set(self.configured)] or self.configured[:1]
        for name in active:
            for _ in range(self._random.choice(_OPEN)):
                self._open(name, agents=False)
        for number in range(self.previews):
            self._open(
                self._agents_in[number % len(self._agents_in)], agents=True, built=not self._town.waiting
            )
        self._sending = True
        progress(f"{len(self.pulls)} pull requests")

    async def live(self) -> None:
        """Let the day go on for ever."""
        size, agents = len(self.repositories), self.previews
        hourly: Mapping[Callable[[], None], float] = {
            self.open_by_agent: agents / 10,
            self.close_by_agent: agents / 10,
            self.push_by_agent: agents / 2,
            self._comment_at_agent: agents / 4,
            self._open_by_person: size / 50,
            self._close_by_person: size / 50,
            self._push_by_person: size / 25,
            self._comment_at_person: size / 20,
            self._label: size / 50,
        }
        async with asyncio.TaskGroup() as group:
            for do, rate in hourly.items():
                if self._town.busy:
                    group.create_task(self._now_and_then(do, rate * self._town.busy))

    async def _now_and_then(self, do: Callable[[], None], rate: float) -> None:
        while True:
            hour = (self._clock.now.hour + self._town.begin) % 24
            busy = 1.0 if 9 <= hour < 18 else 0.6 if 7 <= hour < 21 else 0.25
            await asyncio.sleep(self._random.expovariate(rate * busy / 3_600))
            do()

    def _pick(self, *, agents: bool) -> Pull | None:
        found = [pull for pull in self.pulls if pull.agents == agents]
        return self._random.choice(found) if found else None

    def open_by_agent(self) -> None:
        """Let an agent open a pull request, unless enough are open."""
        if sum(pull.agents for pull in self.pulls) <= self.previews:
            self._open(self._random.choice(self._agents_in), agents=True)

    def _open_by_person(self) -> None:
        self._open(self._random.choice(self._active), agents=False)

    def close_by_agent(self) -> None:
        """Let one of agents' pull requests be closed."""
        self._close(agents=True)

    def _close_by_person(self) -> None:
        self._close(agents=False)

    def push_by_agent(self) -> None:
        """Let an agent push a commit, which CI builds."""
        self._push(agents=True)

    def _push_by_person(self) -> None:
        self._push(agents=False)

    def _comment_at_agent(self) -> None:
        words = "/preview status" if self._random.random() < 0.15 else "Looks good to me."
        self._comment(words, agents=True)

    def _comment_at_person(self) -> None:
        self._comment("I would do it another way.", agents=False)

    def _open(self, repository: str, *, agents: bool, built: bool = False) -> None:
        who = COPILOT if agents else self._random.choice(_PEOPLE)
        self._deliveries += 1
        branch = f"{'copilot' if agents else 'people'}/{self._deliveries}"
        changes = {"checkout/app.py": str(self._deliveries).encode()}
        number = self.github.open_pull_request(repository, who, branch, changes, "A change")
        pull = Pull(repository, number, agents)
        self.pulls.append(pull)
        self._build(pull, done=built)

    def _close(self, *, agents: bool) -> None:
        pull = self._pick(agents=agents)
        if pull is not None:
            self.pulls.remove(pull)
            self.github.close(pull.number, pull.repository)

    def _push(self, *, agents: bool) -> None:
        pull = self._pick(agents=agents)
        if pull is not None:
            self._deliveries += 1
            changes = {"checkout/app.py": str(self._deliveries).encode()}
            self.github.push(pull.number, changes, "Go on", pull.repository)
            self._build(pull)

    def _comment(self, words: str, *, agents: bool) -> None:
        pull = self._pick(agents=agents)
        if pull is not None:
            self.github.comment(pull.number, self._random.choice(_PEOPLE), words, pull.repository)

    def _label(self) -> None:
        pull = self._pick(agents=False)
        if pull is not None:
            self.github.label(pull.number, self._random.choice(("bug", "docs", "soon")), pull.repository)

    def _build(self, pull: Pull, *, done: bool = False) -> None:
        sha = self.github.pull_request(pull.number, pull.repository).head_sha
        if done:
            self.images.add(f"checkout:{sha}")
        elif self._sending:
            task = asyncio.get_running_loop().create_task(self._run_ci(pull, sha))
            self._ci.add(task)
            task.add_done_callback(self._ci.discard)

    async def _run_ci(self, pull: Pull, sha: str) -> None:
        await asyncio.sleep(20)
        self.github.set_check(sha, "build", "in_progress", repository=pull.repository)
        await asyncio.sleep(self._random.uniform(180, 480))
        if self._town.waiting and pull.agents:
            return
        if pull.agents:
            self.images.add(f"checkout:{sha}")
        # What a build pushed is there before it ends.
        await asyncio.sleep(15)
        self.github.set_check(sha, "build", "completed", "success", repository=pull.repository)

    def _send(self, event: str, payload: Mapping[str, Any]) -> None:
        """Deliver an event a second later, or lose it."""
        if not self._sending:
            return
        if self._random.random() < self._town.lost:
            self._told_of_loss(event, payload)
            return
        self._deliveries += 1
        body = json.dumps(payload).encode()
        signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": f"delivery-{self._deliveries}",
            "X-Hub-Signature-256": f"sha256={signed}",
        }
        asyncio.get_running_loop().call_later(1.0, self.post, Headers(headers), body)

    def _told_of_loss(self, event: str, payload: Mapping[str, Any]) -> None:
        """Say what was lost if somebody waits for what comes of it: of agents' pull requests, and not of CI,
        whose image is looked for anyway."""
        shape = payload.get("pull_request") or payload.get("issue") or {}
        repository, number = payload["repository"]["full_name"], shape.get("number", 0)
        if shape.get("user", {}).get("id") != COPILOT.id:
            return
        command = event == "issue_comment" and payload["comment"]["body"].startswith("/preview")
        if command or event == "pull_request":
            self.lost(repository, number, payload["action"])


async def _think() -> None:
    await asyncio.sleep(_ANSWER_SECONDS)


def seconds_of(clock: Clock) -> float:
    """Return the seconds since midnight."""
    return (clock.now - MIDNIGHT).total_seconds()
