"""One preview's whole life in one process, with a fault at one of the controller's changing requests.

The real Reconciler runs over the world in memory of `passes`, whose clock stands until it is moved. A crash
is what it is to the world: the call in progress never returns, and what comes after it has a new Reconciler
with an empty memory.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from previewbot.api.ci import Runs, WorkflowRun
from previewbot.api.github import Account
from previewbot.errors import TryLater
from previewbot.reconciler.plan.presses import KEPT_FOR
from tests.support.fault_points import NOWHERE, Fault, NotSo, Point, every_point, timeless
from tests.support.passes import BOTH, A, B, World
from tests.support.passes_in_issues import MINE, Issues

_LOOK_SECONDS = 5.0
_LOOKS = 40
"""So many passes are waited for what must come: more than the 30 s for which an announced comment is held."""

_LISTED_AFTER = timedelta(seconds=12)
"""GitHub may list a comment only a while after it was made: long enough that the next passes miss it."""

_READING = ("get_", "list_")
_READS = frozenset(
    {
        "identity", "installation_of", "repositories", "pull_request", "commits", "parents", "file", "files",
        "comments", "comment", "edits", "time_at", "asked_for",
        "permission", "runs", "is_suspended", "confirm", "is_protected", "rules", "open_pull_requests",
        "reviews", "review_comments", "glance", "own", "awaits_approval", "of_commit", "newest",
        "is_ended",
    }
)  # fmt: skip
_ANSWERED = ("/preview extend 2h", "/preview status")
_AGENT = Account(198982749, "Copilot", "Bot")
_LAST_WORDS = "no preview here now**: the pull request was closed"


class Killed(BaseException):
    """The controller ends here; no `except Exception` of its own may see it."""


class Saboteur:
    """Stands between the controller and the world: counts changing requests, and strikes at one of them."""

    def __init__(self, world: World, point: Point) -> None:
        self._world, self._point = world, point
        self.requests: list[str] = []
        self.reactions: set[tuple[str, int, str]] = set()
        self.hit = ""
        deployments, checks = world.github.deployments, world.github.checks
        others = ((checks, "check "), (deployments, "deployment "))
        for server, of in ((world.cluster, ""), (world.github, ""), *others):
            for name in _changing(server):
                setattr(server, name, partial(self._asked, of + name, getattr(server, name)))
        world.github.comments = partial(self._listed, world.github.comments)  # type: ignore[method-assign]
        listed = partial(self._listed_deployments, deployments.of_commit)
        deployments.of_commit = listed  # type: ignore[method-assign]

    async def _listed(self, do: Callable[..., Awaitable[Any]], *arguments: Any) -> list[Any]:
        now, own = self._world.clock.now, self._world.settings.github.app_id
        comments = await do(*arguments)
        return [c for c in comments if c.app_id != own or now - c.created_at >= _LISTED_AFTER]

    async def _listed_deployments(self, do: Callable[..., Awaitable[Any]], *arguments: Any) -> list[Any]:
        now, known = self._world.clock.now, self._world.github.deployments.all
        return [d for d in await do(*arguments) if now - known[d.id].at >= _LISTED_AFTER]

    async def _asked(self, name: str, do: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        self.requests.append(name)
        struck = len(self.requests) == self._point.number
        if struck:
            self.hit = name
        if struck and not self._point.fault.late:
            self._strike(name)
        answer = await do(*arguments)
        if name in ("react", "react_on_lines"):
            # GitHub keeps one reaction of a kind per person, however often it is given.
            _, comment_id, content = arguments
            self.reactions.add((name, comment_id, content))
        if struck and self._point.fault.late:
            self._strike(name)
        return answer

    def _strike(self, name: str) -> None:
        if self._point.fault.kills:
            raise Killed(name)
        raise TryLater(name, status=502, message="a fault of the test's")


def _changing(server: object) -> list[str]:
    """Return the names of what the controller calls to change something: whatever is not known to read."""
    found = inspect.getmembers(server, inspect.iscoroutinefunction)
    return [name for name, _ in found if name not in _READS and not name.startswith(("_", *_READING))]


@dataclass(frozen=True)
class Seen:
    """What a life leaves behind: what previewbot wrote, its reactions, and how often `extend` counted."""

    comments: tuple[str, ...]
    reactions: frozenset[tuple[str, int, str]]
    extended: timedelta


@dataclass(frozen=True)
class Lived:
    """A life that was lived: what it left, the requests it took, and the one that was hit, if one was."""

    seen: Seen
    requests: tuple[str, ...]
    hit: str


class Life:
    """Opened, built, ready, pushed to, replaced, extended, asked for its status, closed."""

    def __init__(
        self, paths: Sequence[str], point: Point, world: type[World] = World, **settings: Any
    ) -> None:
        self.world = world(**settings)
        self.world.github.paths = tuple(paths)
        self.world.registry.images.clear()
        self.saboteur = Saboteur(self.world, point)
        self._services = len(paths)

    async def live(self) -> Seen:
        world = self.world
        world.poke()
        await self._until("a comment that waits for the image", lambda: "image" in world.comment)
        world.push(A)
        await self._until("the first commit behind the link", partial(self._serves, A))
        world.push(B, built=False)
        await self._until("a comment on the second commit", lambda: B[:7] in world.comment)
        world.push(B)
        await self._until("the second commit behind the link", partial(self._serves, B))
        # A new head's first Ready sets the end anew: only then does what `extend` adds stay.
        await self._until("the new end", lambda: self._open_for() == timedelta(hours=8))
        for words in _ANSWERED:
            await self._until(f"an answer to {words}", partial(self._answered, world.say(words)))
        extended = self._open_for()
        world.close()
        await self._until("the last words", lambda: _LAST_WORDS in world.comment)
        await self._until("the end of all", self._nothing_is_left)
        return Seen(self._conversation(), frozenset(self.saboteur.reactions), extended)

    def _serves(self, sha: str, services: int = 0) -> bool:
        world, number = self.world, services or self._services
        behind = world.serving == [sha] * number and world.cluster.leads_to() == "staging"
        return behind and "[Open the preview]" in world.comment and sha[:7] in world.comment

    def _open_for(self) -> timedelta:
        clock = self.world.status.lifecycle
        assert clock.expires_at is not None
        assert clock.ready_at is not None
        return clock.expires_at - clock.ready_at

    def _answered(self, written: int) -> bool:
        return self._has(written, "rocket") and self._worded(f"reply-to={written} ")

    def _has(self, written: int, reaction: str, call: str = "react") -> bool:
        return (call, written, reaction) in self.saboteur.reactions

    def _worded(self, marker: str) -> bool:
        return any(marker in body for body in self.world.github.own_comments())

    def _nothing_is_left(self) -> bool:
        cluster = self.world.cluster
        objects = (cluster.sessions, cluster.routes, cluster.branches)
        return cluster.preview is None and not any(objects)

    def _signs(self) -> frozenset[tuple[str, int, str]]:
        # What is done before anybody could see it waits for nothing: a fault decides whether eyes are given.
        return frozenset(each for each in self.saboteur.reactions if "eyes" not in each)

    def _conversation(self) -> tuple[str, ...]:
        return tuple(timeless(body) for body in self.world.github.own_comments())

    async def _until(self, what: str, holds: Callable[[], bool]) -> None:
        for _ in range(_LOOKS):
            if holds():
                return
            await self._look()
        raise NotSo(f"no sign of {what} after {_LOOKS} passes; the conversation: {self._conversation()}")

    async def _look(self) -> None:
        """Make a pass, and see that what must hold at any time does."""
        try:
            await self.world.run()
        except Killed:
            self.world.restart()
        self._check_what_always_holds()
        self.world.clock.forward(seconds=_LOOK_SECONDS)

    def _check_what_always_holds(self) -> None:
        world = self.world
        of = [s["metadata"]["labels"]["previewbot.dev/service"] for s in world.cluster.sessions.values()]
        if len(of) != len(set(of)):
            raise NotSo(f"a service has two sessions: {of}")
        if len([body for body in world.github.own_comments() if "previewbot status" in body]) > 1:
            raise NotSo("there are two status comments")
        if not world.serving and world.cluster.leads_to() == "staging":
            raise NotSo("the link leads to plain staging")
        there = {branch["metadata"]["name"] for branch in world.cluster.branches.values()}
        for session in world.cluster.sessions.values():
            used = session["spec"].get("dbBranching", {}).get("pgBranchNames", [])
            if set(used) - there:
                raise NotSo(f"a session is there without its databases: {set(used) - there}")


class BusyLife(Life):
    """Several commands in one comment, a correction, two reviews, an agent's own command, a suspension; one
    service stopped, started, all restarted; archived. GitHub answers glances."""

    def __init__(self, paths: Sequence[str] = BOTH, point: Point = NOWHERE) -> None:
        super().__init__(paths, point, agents={"commands": {"copilot": ["extend"]}})
        self.world.github.author = _AGENT
        self.world.github.glances, self.world.github.node_id = True, "PR_1"

    async def live(self) -> Seen:
        world = self.world
        world.push(A)
        await self._until("the preview", partial(self._serves, A))
        many = world.say("/preview stop pricing\n/preview extend 1h\n/preview status")
        await self._until("an answer to three commands", partial(self._answered, many))
        await self._until("one service", partial(self._serves, A, 1))
        wrong = world.say("/preview strat pricing")
        await self._until("a refusal", lambda: self._has(wrong, "confused") and self._worded(f"={wrong} "))
        world.github.edit(wrong, "/preview start pricing")
        world.poke()
        await self._until("what was corrected", lambda: self._has(wrong, "rocket") and self._serves(A))
        body = world.review("/preview extend 1h", number=9_001)
        await self._until("an answer to a review", partial(self._worded, f"review={body} "))
        lines = world.review("/preview extend 1h", on_lines=True, number=9_002)
        await self._until("an answer to lines", partial(self._worded, f"review-comment={lines} "))
        agents = world.say("/preview extend 1h", _AGENT)
        await self._until("an answer to the agent", partial(self._answered, agents))
        world.github.suspended = True
        world.poke()
        await self._until("nothing that runs", lambda: not world.cluster.sessions)
        world.github.suspended = False
        world.poke()
        await self._until("all that ran", partial(self._serves, A))
        before = {session["metadata"]["uid"] for session in world.cluster.sessions.values()}
        afresh = world.say("/preview restart")
        await self._until("a restart", lambda: self._has(afresh, "rocket") and self._serves(A))
        after = {session["metadata"]["uid"] for session in world.cluster.sessions.values()}
        if before & after:
            raise NotSo("what was to be restarted goes on")
        extended, requests = self._open_for(), world.status.requests
        if (requests.by_agent.obeyed, requests.correctable) != (1, ()):
            raise NotSo(f"the agent was obeyed otherwise than once: {requests}")
        world.github.archived = True
        world.poke()
        await self._until("the end of all", self._nothing_is_left)
        return Seen(self._conversation(), self._signs(), extended)


class LifeWithDatabases(Life):
    """Two databases, a queue and a secret file: pushed to, migrated, made anew by a person, closed."""

    async def live(self) -> Seen:
        world = self.world
        world.push(A)
        await self._until("the preview", partial(self._serves, A))
        first = self._databases()
        world.push(B, built=False)
        await self._until("a comment on the second commit", lambda: B[:7] in world.comment)
        world.push(B)
        await self._until("the second commit", partial(self._serves, B))
        if self._databases() != first:
            raise NotSo("a push lost the data")
        copies = world.cluster.branches.values()
        migrated = {copy["spec"].get("migrations", {}).get("image") for copy in copies}
        running = {session["spec"]["image"] for session in world.cluster.sessions.values()}
        if not running & migrated:
            raise NotSo(f"the commit runs without its migrations: {migrated}")
        anew = world.say("/preview reset orders")
        await self._until("new data", lambda: self._has(anew, "rocket") and self._serves(B))
        after = self._databases()
        if (after["users"] == first["users"], after["orders"] == first["orders"]) != (True, False):
            raise NotSo(f"a reset of orders made this of {first}: {after}")
        given = {body["owner_ref"]["uid"] for body in world.cluster.secrets_given}
        if not {session["metadata"]["uid"] for session in world.cluster.sessions.values()} <= given:
            raise NotSo("a session runs without its secret files")
        world.close()
        await self._until("the end of all", self._nothing_is_left)
        return Seen(self._conversation(), self._signs(), timedelta(0))

    def _databases(self) -> dict[str, str]:
        return {name: branch["metadata"]["uid"] for name, branch in self.world.cluster.branches.items()}


class LifeWithPresses(Life):
    """Buttons of a check: two hours more, told twice; a stop and a start; forgotten, closed."""

    def __init__(self, paths: Sequence[str] = BOTH[:1], point: Point = NOWHERE) -> None:
        super().__init__(paths, point)

    async def live(self) -> Seen:
        world = self.world
        world.push(A)
        await self._until("the preview", partial(self._serves, A))
        for delivery in ("d-1", "d-1", "d-2"):
            world.press("extend", delivery=delivery)
            await self._until("an answer to it", lambda: len(self._pressed()) == len(world.cluster.requests))
        extended = self._open_for()
        world.press("stop")
        await self._until("a stop", lambda: not world.cluster.sessions and self._pressed()[-1] == "rocket")
        world.press("start")
        await self._until("a start", partial(self._serves, A))
        world.clock.forward(seconds=KEPT_FOR.total_seconds())
        await self._until("nothing that was asked", lambda: not world.cluster.requests and not self._taken())
        world.close()
        await self._until("the end of all", self._nothing_is_left)
        return Seen(self._conversation(), self._signs(), extended)

    def _pressed(self) -> list[str]:
        return [reply.reaction for reply in self.world.status.replies if reply.place]

    def _taken(self) -> tuple[int, ...]:
        return self.world.status.requests.handled_of("CheckRun")


class LifeWithChecks(Life):
    """Each commit's check: while its image is awaited, ready, replaced, stopped, started, closed."""

    def __init__(self, paths: Sequence[str] = BOTH[:1], point: Point = NOWHERE) -> None:
        super().__init__(paths, point, check="on")

    async def live(self) -> Seen:
        world = self.world
        world.poke()
        await self._until("a check that waits", lambda: self._stands(A) == "None")
        world.push(A)
        await self._until("a check that is well", lambda: self._stands(A) == "success")
        world.push(B, built=False)
        await self._until("another that waits", lambda: self._stands(B) == "None")
        # It is replaced before it was ready.
        world.push(A)
        await self._until("the first commit again", lambda: self._stands(A) == "success")
        stop = world.say("/preview stop")
        await self._until("a stop", lambda: self._has(stop, "rocket") and self._stands(A) == "neutral")
        start = world.say("/preview start")
        await self._until("a start", lambda: self._has(start, "rocket") and self._stands(A) == "success")
        world.close()
        await self._until("the end of all", self._nothing_is_left)
        left = sorted(run.head_sha for run in world.github.checks.runs.values() if run.conclusion is None)
        if left:
            raise NotSo(f"checks are in progress for ever: {left}")
        return Seen(self._conversation(), self._signs(), timedelta(0))

    def _stands(self, sha: str) -> str:
        return str(next((run.conclusion for run in reversed(self.world.github.checks.of(sha))), "missing"))

    def _check_what_always_holds(self) -> None:
        super()._check_what_always_holds()
        for sha in (A, B):
            # That of a commit which came back is another one, or the same: never two that go on.
            goes_on = [run for run in self.world.github.checks.of(sha) if run.conclusion is None]
            if len(goes_on) > 1:
                raise NotSo(f"two checks of {sha[:7]} are in progress")


class ToldLife(Life):
    """What people are told once, in the issue that is closed: that it failed, then that it is ready."""

    def __init__(self, paths: Sequence[str] = BOTH, point: Point = NOWHERE) -> None:
        super().__init__(paths, point, Issues)

    async def live(self) -> Seen:
        world = self.world
        world.cluster.session_status = {"phase": "Failed", "failureMessage": "exec format error"}
        world.push(A)
        await self._until("a failure that is told", lambda: len(self._told()) == 1)
        world.cluster.session_status = {"phase": "Ready"}
        world.push(B)
        await self._until("what is ready, and told", lambda: len(self._told()) == 2 and self._serves(B))
        for command in ("stop", "start"):
            written = world.say(f"/preview {command}")
            await self._until(f"an answer to {command}", partial(self._has, written, "rocket"))
        await self._until("the preview again", partial(self._serves, B))
        world.push(A)
        await self._until("another commit", partial(self._serves, A))
        world.close()
        await self._until("the end of all", self._nothing_is_left)
        return Seen((*self._conversation(), *self._told()), self._signs(), timedelta(0))

    def _told(self) -> list[str]:
        assert isinstance(self.world, Issues)
        return [timeless(body) for body in self.world.said_in(MINE.number)]


class DeployedLife(Life):
    """What deployments say of two commits: one that waits, serves, is replaced, stopped, started, closed."""

    def __init__(self, paths: Sequence[str] = BOTH, point: Point = NOWHERE) -> None:
        super().__init__(paths, point, deployments={"environment": "preview"})
        self._undisturbed = point is NOWHERE

    async def live(self) -> Seen:
        world, states = self.world, self.world.github.deployments.states
        world.push(A)
        await self._until("a success", lambda: self._serves(A) and states() == {A: "success"})
        world.github.ci = Runs((WorkflowRun(1, 7, "build", "b.yml", "push", "in_progress", "", "http://x"),))
        world.push(B, built=False)
        await self._until("one that waits", lambda: states() == {A: "success", B: "waits"})
        world.push(B)
        after = {A: "inactive", B: "success"}
        await self._until("another commit", lambda: self._serves(B) and states() == after)
        for command, state in (("stop", "inactive"), ("start", "success")):
            written = world.say(f"/preview {command}")
            await self._until(f"an answer to {command}", partial(self._has, written, "rocket"))
            await self._until(f"that it is {state}", partial(self._says, {**after, B: state}))
        world.close()
        await self._until("the end of all", self._nothing_is_left)
        told = (f"{sha}: {state}" for sha, state in states().items())
        return Seen((*self._conversation(), *told), self._signs(), timedelta(0))

    def _says(self, states: dict[str, str]) -> bool:
        return self.world.github.deployments.states() == states

    def _check_what_always_holds(self) -> None:
        super()._check_what_always_holds()
        world = self.world
        said = world.github.deployments.succeeded()
        # What GitHub did not take is said by a later pass.
        if self._undisturbed and said and (set(world.serving), world.cluster.leads_to()) != (said, "staging"):
            raise NotSo(f"GitHub says that {said} answers, and it is {world.serving}")


async def live(paths: Sequence[str], point: Point = NOWHERE, kind: type[Life] = Life) -> Lived:
    """Live a whole life of a pull request that changes these files, with a fault at a point.

    Raises `NotSo` where something is not as it should be, with the point and the request that was hit.
    """
    life = kind(paths, point)
    try:
        seen = await life.live()
    except NotSo as wrong:
        raise NotSo(f"{point} ({life.saboteur.hit}): {wrong}") from wrong
    return Lived(seen, tuple(life.saboteur.requests), life.saboteur.hit)


async def live_with_each(
    fault: Fault, paths: Sequence[str], undisturbed: Lived, kind: type[Life] = Life, each: int = 1
) -> dict[Point, Lived]:
    """Live one life with the fault at each request that an undisturbed life makes."""
    # Where not all are tried, each fault has points of its own.
    first = list(Fault).index(fault) * 3 if each > 1 else 0
    points = every_point(len(undisturbed.requests), [fault])[first::each]
    return {point: await live(paths, point, kind) for point in points}
