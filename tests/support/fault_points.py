"""Where in a preview's life something goes wrong, and what."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from pathlib import Path
from random import Random

SEED_VARIABLE = "PREVIEWBOT_TEST_SEED"
"""Names the environment variable that decides which of the points are tried, where not all are."""

_ROOT = Path(__file__).parents[2]


class NotSo(AssertionError):
    """The world is not as it should be by now."""


class Fault(StrEnum):
    """What happens: the request is refused, or its answer is, or the controller is killed before or after."""

    REFUSED = "refused, without effect"
    UNANSWERED = "refused, but done"
    KILLED_BEFORE = "killed before"
    KILLED_AFTER = "killed after"

    @property
    def kills(self) -> bool:
        """Whether the controller dies of it."""
        return self in (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)

    @property
    def late(self) -> bool:
        """Whether the request takes effect."""
        return self in (Fault.UNANSWERED, Fault.KILLED_AFTER)


@dataclass(frozen=True)
class Point:
    """A fault at the controller's `number`-th changing request; 0 is nowhere."""

    number: int
    fault: Fault = Fault.REFUSED

    def __str__(self) -> str:
        return f"request {self.number} {self.fault}"


NOWHERE = Point(0)


def every_point(requests: int, faults: Sequence[Fault]) -> list[Point]:
    """Return each of these faults at each of so many requests."""
    return [Point(number, fault) for number, fault in product(range(1, requests + 1), faults)]


def one_out_of(neighbours: int, points: Sequence[Point], seed: str) -> list[Point]:
    """Return, of each fault, one point out of so many neighbours, so that no part of a life is left out.

    Which one depends on the seed and the point alone: a life that makes one request more than the last time
    is still tried at the same points.
    """
    return [point for point in points if _chosen(point, neighbours, seed)]


def _chosen(point: Point, neighbours: int, seed: str) -> bool:
    group, place = divmod(point.number - 1, neighbours)
    return Random(f"{seed}/{point.fault}/{group}").randrange(neighbours) == place


def seed() -> str:
    """Return what decides which points are tried: PREVIEWBOT_TEST_SEED, else the commit checked out.

    The same commit is always tried at the same points, so a failure stays one; the next commit at others.
    """
    given = os.environ.get(SEED_VARIABLE)
    if given:
        return given
    asked = subprocess.run(
        ["git", "-C", str(_ROOT), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True
    )
    # An unpacked archive has no commit.
    return asked.stdout.strip() or "no commit"


def timeless(text: str) -> str:
    """Return a text without what differs between two lives: times, commits, addresses, keys, numbers."""
    text = re.sub(r"https?://\S+", "<url>", text)
    text = re.sub(r"mirrord-session=[a-z0-9-]+", "mirrord-session=<key>", text)
    text = re.sub(r'"(repository_id|number)": \d+', r'"\1": <number>', text)
    text = re.sub(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z", "<moment>", text)
    text = re.sub(r"\b[0-9a-f]{7,40}\b", "<sha>", text)
    # With its day of the week: two lives on both sides of midnight differ in that too.
    day = r"(?:\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?"
    text = re.sub(
        rf"{day}\b\d{{4}}-\d\d-\d\d\b|{day}\b\d{{1,2}} [A-Z][a-z]{{2,8}}(?: \d{{4}})?\b", "<date>", text
    )
    text = re.sub(r"\b\d{1,2}:\d\d\b", "<time>", text)
    return re.sub(r"\s+", " ", text).strip()
