"""What an App says by a check run, as the fake GitHub keeps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Button:
    """A button that people can press once the run is completed."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True)
class Remark:
    """An annotation: where in which file, how bad, and what it says."""

    path: str
    start_line: int
    end_line: int
    level: str
    message: str


@dataclass(frozen=True)
class Report:
    """What the App itself says of a run; None is what GitHub shows as null."""

    external_id: str = ""
    details_url: str = ""
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    buttons: tuple[Button, ...] = ()
    remarks: tuple[Remark, ...] = ()
