"""What the doctor writes: a line for each finding, or all of them as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from previewbot.doctor.check import Check, State, safe


def exit_code(checks: Sequence[Check]) -> int:
    """Return 1 if anything is wrong, else 0."""
    return int(any(check.state is State.WRONG for check in checks))


def summary(checks: Sequence[Check]) -> str:
    """Return the last line: how many there are of each."""
    counted = {state: sum(check.state is state for check in checks) for state in State}
    told = [f"{number} {state}" for state, number in counted.items() if number]
    return ", ".join(told) or "nothing was checked"


def as_json(checks: Sequence[Check]) -> str:
    """Return all findings as JSON, for programs: `state` is one of ok, note, WRONG, not checked."""
    rows = [
        {"name": each.name, "state": each.state, "words": safe(each.words), "whose": each.whose}
        for each in checks
    ]
    return json.dumps({"ok": not exit_code(checks), "checks": rows}, indent=2)
