"""What to try next in the demo, and what of it is done, told from what can be seen of the world.

Pure: `SplitView` looks, this says what it means. What was done once stays done, also when it is undone later
(a preview that was stopped runs again).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PULLS = "pulls"
SHOP = "shop"
"""Where a step begins: the list of pull requests, the shop, or the page of a task's newest pull request."""


@dataclass(frozen=True)
class PullSeen:
    """A pull request: whose `task` it is, its `state` (open, closed or merged), how often it was pushed to.

    `link` is the last one that previewbot's comment showed, `linked` whether it shows one now, and `shown`
    whether that opens the newest commit, not an older one meanwhile; `serving` has the uids of the sessions
    that answer, `opened` whether somebody opened the link. `says` is how previewbot's comment begins,
    `stopped` and `reset` whether it took a `/preview stop` or `reset` up, `failed` whether the build of the
    newest commit failed, `ordered` whether somebody ordered something in the shop behind the link.
    """

    task: str
    state: str = "open"
    pushes: int = 0
    link: str = ""
    linked: bool = False
    shown: bool = False
    serving: tuple[str, ...] = ()
    opened: bool = False
    says: str = ""
    stopped: bool = False
    failed: bool = False
    ordered: bool = False
    reset: bool = False
    judged: bool = False


@dataclass(frozen=True)
class Seen:
    """All pull requests, oldest first; `same_paths` has those opened both in staging and at some preview."""

    pulls: tuple[PullSeen, ...] = ()
    same_paths: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Step:
    """Something to try: what to do, what it shows, and where.

    `at` is `PULLS`, `SHOP` or the name of a task, `find` a CSS selector of what is needed in the page there.
    """

    name: str
    do: str
    shows: str
    at: str
    find: str
    done: Callable[[Seen, frozenset[str]], bool]


def progress(seen: Seen, before: frozenset[str]) -> frozenset[str]:
    """Return the names of all steps that are done, those done `before` among them."""
    done = set(before)
    for step in STEPS:
        if step.done(seen, frozenset(done)):
            done.add(step.name)
    return frozenset(done)


def _any(task: str, holds: Callable[[PullSeen], bool]) -> Callable[[Seen, frozenset[str]], bool]:
    return lambda seen, _: any(pull.task == task and holds(pull) for pull in seen.pulls)


def _brought_back(seen: Seen, done: frozenset[str]) -> bool:
    pulls = [pull for pull in seen.pulls if pull.task == "web"]
    return "stop" in done and any(pull.stopped and pull.serving and pull.shown for pull in pulls)


def _ended(pull: PullSeen) -> bool:
    return pull.state != "open" and bool(pull.link) and not pull.serving


def _button(task: str) -> str:
    return f'form[action$="/tasks/{task}"] button'


STEPS = (
    Step(
        "open",
        "Press “Let Copilot change the front end”.",
        "An agent opens a pull request. Nobody has to ask previewbot for anything.",
        PULLS,
        _button("web"),
        _any("web", lambda pull: True),
    ),
    Step(
        "comment",
        "Watch previewbot’s comment in the pull request.",
        "It says what it waits for (the build, then the preview), and then has a link.",
        "web",
        "article.app",
        _any("web", lambda pull: bool(pull.link)),
    ),
    Step(
        "click",
        "Press “Open the preview” in that comment.",
        "The basket with the change, beside staging as it was: the same path, at the same time.",
        "web",
        "article.app a",
        _any("web", lambda pull: pull.opened),
    ),
    Step(
        "walk",
        "Open another page of the shop, on either side.",
        "The other side follows. Only the service web is new; the rest of what you see is staging’s.",
        SHOP,
        "",
        lambda seen, _: len(seen.same_paths) > 1,
    ),
    Step(
        "say",
        "There, press “Say what you think”, sign in as maria, and press “Looks good”.",
        "Her comment is there, with the commit that she looked at. She read no code for it.",
        "web",
        "article.app a[href*='/p/']",
        _any("web", lambda pull: pull.judged),
    ),
    Step(
        "backend",
        "Press “Let Codex change the prices”, and open that preview too.",
        "No browser ever talks to the service pricing. Yet its preview answers: the link’s header went from "
        "the gateway through staging’s own front end to it.",
        PULLS,
        _button("pricing"),
        _any("pricing", lambda pull: pull.opened),
    ),
    Step(
        "push",
        "In Copilot’s pull request, press “Let the author push another commit”.",
        "The link stays the same. The old preview answers until the new image is there; then the link says "
        "that the new one starts, and never shows plain staging.",
        "web",
        "#push",
        _any("web", lambda pull: pull.pushes > 0 and pull.shown),
    ),
    Step(
        "stop",
        "There, comment /preview stop.",
        "A rocket says that it was understood. The preview goes; the comment says how to get it back.",
        "web",
        "#body",
        _any("web", lambda pull: pull.stopped and not pull.serving),
    ),
    Step(
        "start",
        "There, comment /preview start.",
        "The preview comes back at the same address.",
        "web",
        "#body",
        _brought_back,
    ),
    Step(
        "order",
        "Press “Let Claude change the orders”, open that preview, and order what is in its basket.",
        "The order is in the preview’s own copy of the database: staging, beside it, has no such order. A "
        "push keeps it. (Shown with a stand-in: PostgreSQL is a file of SQLite’s here.)",
        PULLS,
        _button("orders"),
        _any("orders", lambda pull: pull.ordered),
    ),
    Step(
        "reset",
        "In Claude’s pull request, comment /preview reset.",
        "The preview gets a fresh copy: staging’s orders, and none of its own.",
        "orders",
        "#body",
        _any("orders", lambda pull: pull.reset and pull.shown),
    ),
    Step(
        "fork",
        "Press “Let a stranger open one from a fork”.",
        "Nothing of it runs. The comment says who may start it, and how.",
        PULLS,
        _button("fork"),
        _any("fork", lambda pull: bool(pull.says)),
    ),
    Step(
        "build",
        "Press “Let Copilot break the build of the catalogue”, and approve its workflow.",
        "The comment leads to the build that failed, and says whose turn it is.",
        PULLS,
        _button("catalog"),
        _any("catalog", lambda pull: bool(pull.says) and pull.failed),
    ),
    Step(
        "end",
        "Merge Copilot’s pull request, or close it.",
        "Its preview is removed. After a merge staging itself shows the change.",
        "web",
        "#merge",
        _any("web", _ended),
    ),
)
