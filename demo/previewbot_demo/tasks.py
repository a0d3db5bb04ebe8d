"""What the demo's agents do, as data: branches, words, and changes to files of the shop."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """Replaces the one line that begins with `start` by `line` in the file at `path`."""

    path: str
    start: str
    line: str


@dataclass(frozen=True)
class Step:
    """One commit: its message, and what it changes."""

    message: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Author:
    """A GitHub account; the ids of agents are the real ones."""

    id: int
    login: str
    type: str


@dataclass(frozen=True)
class Asked:
    """The issue that asks for a task: whose, and its words."""

    author: Author
    title: str
    body: str


@dataclass(frozen=True)
class Task:
    """A pull request: the first step opens it, each further one is a push; `fork` is the head's owner.

    `label` is what somebody who may do so then sets. With `waits` its workflows run only once somebody has
    approved them. `asked` is the issue that it closes.
    """

    name: str
    button: str
    author: Author
    branch: str
    title: str
    body: str
    steps: tuple[Step, ...]
    hint: str = ""
    fork: str = ""
    label: str = ""
    waits: bool = False
    asked: Asked | None = None

    def step(self, pushed: int) -> Step:
        """Return the commit after `pushed` pushes (0 opens the pull request); the pushes come round again."""
        if pushed == 0:
            return self.steps[0]
        return self.steps[1 + (pushed - 1) % (len(self.steps) - 1)]


COPILOT = Author(198982749, "Copilot", "Bot")
ALICE = Author(501, "alice", "User")
MARIA = Author(502, "maria", "User")
ROB = Author(503, "rob", "User")
STRANGER = Author(777, "mallory", "User")

_WEB = "services/web/app.py"
_PRICING = "services/pricing/app.py"
_CATALOG = "services/catalog/app.py"
_ORDERS = "services/orders/app.py"
_PACKING = "services/packing/app.py"


def _look(banner: str, label: str, light: str, dark: str) -> tuple[Edit, ...]:
    return (
        Edit(_WEB, "BANNER = ", f'BANNER = "{banner}"'),
        Edit(_WEB, "BUTTON_LABEL = ", f'BUTTON_LABEL = "{label}"'),
        Edit(_WEB, "ACCENT = ", f'ACCENT = "{light}"'),
        Edit(_WEB, "ACCENT_DARK = ", f'ACCENT_DARK = "{dark}"'),
    )


def _discount(percent: int, note: str) -> tuple[Edit, ...]:
    return (
        Edit(_PRICING, "DISCOUNT_PERCENT = ", f"DISCOUNT_PERCENT = {percent}"),
        Edit(_PRICING, "DISCOUNT_NOTE = ", f'DISCOUNT_NOTE = "{note}"'),
    )


COPILOT_WEB = Task(
    name="web",
    button="Let Copilot change the front end",
    hint="A banner and a new button in the basket: only the service web changes.",
    author=COPILOT,
    branch="copilot/autumn-basket",
    title="Dress the basket for autumn",
    body="Adds a banner, a warmer colour and a friendlier button.\n\nOnly `services/web` changes.",
    asked=Asked(
        ALICE,
        "The basket should look like autumn",
        "It still looks like summer.\n\nA banner on top that says that delivery is free this week, and a "
        "button that sounds less like a form: *Get it home*, for example.",
    ),
    steps=(
        Step(
            "Dress the basket for autumn",
            _look("Autumn is here: free delivery this week", "Get it home", "#b4480f", "#f5a25d"),
        ),
        Step(
            "Say until when delivery is free",
            _look("Free delivery until Sunday evening", "Pay and relax", "#8a2b52", "#f29bbd"),
        ),
        Step(
            "Go back to a calmer colour",
            _look("Autumn is here: free delivery this week", "Order now", "#2b5a8a", "#8fc1f2"),
        ),
    ),
)

CODEX_PRICING = Task(
    name="pricing",
    button="Let Codex change the prices",
    hint="20 % off: only the service pricing changes, which no browser ever talks to.",
    author=ALICE,
    branch="codex/autumn-discount",
    title="Take 20 % off everything for autumn",
    body=(
        "Every price is 20 % lower, and the note says so. Only `services/pricing` changes, which no browser "
        "ever talks to.\n\n------\nhttps://chatgpt.com/codex/tasks/task_e_68f0a1b2c3d4"
    ),
    steps=(
        Step("Take 20 % off everything for autumn", _discount(20, "Autumn prices: 20 % off everything")),
        Step("Make it 30 %", _discount(30, "Autumn prices: 30 % off everything")),
        Step("Make it 25 %", _discount(25, "Autumn prices: 25 % off everything")),
    ),
)

STRANGERS_FORK = Task(
    name="fork",
    button="Let a stranger open one from a fork",
    hint="Alice labels it. Nothing runs until somebody who may write here has read it and says so.",
    author=STRANGER,
    branch="half-price",
    title="Everything at half price",
    body="I thought this would be nice.",
    steps=(
        Step("Everything at half price", _discount(50, "Half price, says a stranger")),
        Step("Nearly free", _discount(90, "90 % off, says a stranger")),
        Step("Less greedy", _discount(60, "60 % off, says a stranger")),
    ),
    fork="mallory",
    label="preview",
)


def _note(words: str) -> tuple[Edit, ...]:
    return (Edit(_ORDERS, "NOTE = ", f'NOTE = "{words}"'),)


CLAUDE_ORDERS = Task(
    name="orders",
    button="Let Claude change the orders",
    hint="A note with every order: only the service orders changes, whose preview has its own database.",
    author=ALICE,
    branch="claude/handwritten-note",
    title="Put a handwritten note into every order",
    body="What is ordered says so. Only `services/orders` changes.",
    steps=(
        Step("Put a handwritten note into every order", _note("A handwritten note comes with it.")),
        Step("Let the note say what for", _note("A handwritten note with a recipe comes with it.")),
        Step("Let the note be short", _note("A short note comes with it.")),
    ),
)


def _packed(how: str) -> tuple[Edit, ...]:
    return (Edit(_PACKING, "HOW = ", f'HOW = "{how}"'),)


CURSOR_PACKING = Task(
    name="packing",
    button="Let Cursor change how orders are packed",
    hint="Leaves around every parcel: only a worker changes, which takes messages from a queue.",
    author=ALICE,
    branch="cursor/autumn-parcels-4b1d",
    title="Pack every order in autumn leaves",
    body="Only `services/packing` changes: it takes messages from a queue, and nobody sends it requests.",
    steps=(
        Step("Pack every order in autumn leaves", _packed("in autumn leaves")),
        Step("Put a ribbon around it", _packed("in autumn leaves, with a ribbon")),
        Step("Leave the ribbon off again", _packed("in a few autumn leaves")),
    ),
)

_READ = 'json.loads((Path(__file__).parent / "products.json").read_text(encoding="utf-8"))'


def _sorted(line: str) -> tuple[Edit, ...]:
    return (Edit(_CATALOG, "PRODUCTS = ", f"PRODUCTS = {line}"),)


COPILOT_CATALOG = Task(
    name="catalog",
    button="Let Copilot break the build of the catalogue",
    hint="Its workflow waits for somebody's approval; then the build fails. The next commit mends it.",
    author=COPILOT,
    branch="copilot/sorted-catalogue",
    title="Sort the catalogue",
    body="Only `services/catalog` changes.",
    steps=(
        Step("Sort the catalogue", _sorted(f"sorted({_READ}, key=str")),
        Step("Close the parenthesis", _sorted(f"sorted({_READ}, key=str)")),
        Step("Sort it the other way round", _sorted(f"sorted({_READ}, key=str, reverse=True)")),
    ),
    waits=True,
)

TASKS = (COPILOT_WEB, CODEX_PRICING, CLAUDE_ORDERS, CURSOR_PACKING, COPILOT_CATALOG, STRANGERS_FORK)


def apply(files: Mapping[str, bytes], step: Step) -> dict[str, bytes]:
    """Return the files that a commit changes, by path; raises ValueError if a line to change is not there."""
    changed: dict[str, bytes] = {}
    for edit in step.edits:
        text = changed.get(edit.path, files.get(edit.path, b"")).decode()
        line = edit.line
        new, count = re.subn(rf"(?m)^{re.escape(edit.start)}.*$", lambda _: line, text)  # noqa: B023
        if count != 1:
            raise ValueError(f"{edit.path}: {count} lines begin with {edit.start!r}")
        changed[edit.path] = new.encode()
    return changed
