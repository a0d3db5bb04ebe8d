"""The page `docs/reasons.md`, generated from the table of reasons; `make reference` writes it."""

from __future__ import annotations

from previewbot.api import REASONS, Phase, Reason, Severity, Turn

_HOW_BAD = {
    Severity.GOOD: "good",
    Severity.PROGRESS: "in progress",
    Severity.ENDED: "at rest",
    Severity.WARNING: "warning",
    Severity.BAD: "bad",
}

_INTRODUCTION = """\
# Reasons

Why a preview stands where it does. `kubectl get previews` shows the phase, the resource's `status.reason` the
reason; a service in `status.services` has its own. Comment, page, conditions and Events go by this table.

Generated from `previewbot/api/reasons.py` by `make reference`. The words that a person reads of each reason
are in `templates/reasons.jinja`.

- *How bad*: *in progress* is blue on the page, *warning* amber, *bad* red, *good* green, *at rest* grey; an
  Event about a *warning* or something *bad* is a `Warning`.
- *Whose turn*: who can do something about it.
- *Waits for*: what previewbot looks for again by itself. Whatever it says, an event (a push, a comment, a
  change in the cluster) is acted on at once.
- Conditions: `ImageReady`, `SessionsReady`, `LinkReady`, `Reported` and `Ready` (every
  changed service runs well, and so does the link: what runs in part, crashes or answers with an error is
  not ready, and can be opened all the same). One that is true has the reason `AsExpected`, one that is not
  the reason of this table that keeps it so; before the first complete look at GitHub all are `Unknown`.
  `Reported` is `Refused` where GitHub does not take a text, and `Unknown` while nothing was written there.
  It is true with the reason `InPart` where only deployments or the check are missing; its message says why.
- A preview that ends is in phase Stopping while what it made is still being removed, with the reason of its
  end.
"""


def reasons_page() -> str:
    """Return the page: the introduction, and a row for every reason, phase by phase."""
    rows = [_row(reason) for phase in (None, *Phase) for reason in REASONS if reason.phase is phase]
    head = "| phase | reason | how bad | whose turn | waits for | meaning |\n|---|---|---|---|---|---|\n"
    return f"{_INTRODUCTION}\n{head}" + "\n".join(rows) + "\n"


def _row(reason: Reason) -> str:
    info = reason.info
    over = info.severity is Severity.ENDED and info.turn is Turn.NOBODY
    turn = "nobody" if over else info.turn
    cells = (info.phase or "(none yet)", reason, _HOW_BAD[info.severity], turn, info.waits, info.meaning)
    return f"| {' | '.join(cells)} |"
