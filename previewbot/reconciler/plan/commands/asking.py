"""`extend`, `status`, `logs` and `help`: what changes nothing but the clock."""

from __future__ import annotations

from dataclasses import replace

from previewbot.api import Said, Status
from previewbot.reconciler.plan.commands.given import (
    Answer,
    Effect,
    Given,
    is_all_stopped,
    is_wanted,
    refusal,
    unknown_service,
)

MOST_SERVICES = 5
"""Of so many services one answer shows the last lines."""


def tell(status: Status, given: Given) -> Effect:
    """Say what the command's own words say."""
    return status, Answer("rocket", given.command.name)


def extend(status: Status, given: Given) -> Effect:
    """Move the end of the preview."""
    command, lifecycle = given.command, status.lifecycle
    if command.duration is None:
        return status, refusal("bad-duration", text=command.text)
    if not is_wanted(status) or is_all_stopped(status, given.facts):
        return status, refusal("not-running")
    if lifecycle.ready_at is None or lifecycle.expires_at is None:
        return status, refusal("extend-too-early")
    # Counted from the first Ready and not from now: else a preview could be extended for ever.
    latest = lifecycle.ready_at + given.ttl_max
    if lifecycle.expires_at >= latest:
        return status, refusal("extend-at-limit", until=lifecycle.expires_at.isoformat())
    until = min(lifecycle.expires_at + command.duration, latest)
    extended = replace(status, lifecycle=replace(lifecycle, expires_at=until))
    words = "extended" if until == lifecycle.expires_at + command.duration else "extended-to-limit"
    return extended, Answer("rocket", words, {"until": until.isoformat()})


def logs(status: Status, given: Given) -> Effect:
    """Show the last lines that were read."""
    names, read = given.command.services, given.logs
    if read.withheld:
        return status, refusal(read.withheld)
    if (unknown := unknown_service(status, given.facts, names)) is not None:
        return status, unknown
    wanted = [name for name in read.lines if not names or name in names]
    unread = [name for name in read.unread if not names or name in names]
    if not wanted and not unread:
        return status, refusal("no-logs")
    said = [Said("logs", {"service": name, "log": "\n".join(read.lines[name])}) for name in wanted]
    said += [Said("unread-logs", {"service": name, "state": _state(status, name)}) for name in unread]
    shown = said[:MOST_SERVICES]
    if len(said) > MOST_SERVICES:
        shown.append(Said("more-logs", {"most": str(MOST_SERVICES)}))
    reaction = "rocket" if wanted else "confused"
    return status, Answer(reaction, shown[0].words, shown[0].values, more=tuple(shown[1:]))


def _state(status: Status, name: str) -> str:
    return next((each.phase.value for each in status.services if each.name == name), "")
