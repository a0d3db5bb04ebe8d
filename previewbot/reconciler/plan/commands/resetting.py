"""`reset`: a preview's own copies of databases, anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from previewbot.api import Child, Goal, Status
from previewbot.engine import branches
from previewbot.reconciler.plan.commands.given import Answer, Effect, Given, is_wanted, refusal


def reset(status: Status, given: Given) -> Effect:
    """Make databases anew, all of the preview's or those of these services, or of these names.

    Their sessions begin again with them, since mirrord tells a session of its databases when it begins.
    """
    if not is_wanted(status):
        return status, refusal("not-running")
    copies = [child for child in status.children if child.kind == branches.KIND]
    if not copies:
        return status, refusal("no-databases")
    names = given.command.services
    unknown = next((name for name in names if not any(_is_named(each, name) for each in copies)), None)
    if unknown is not None:
        known = [*(each.title for each in copies), *(name for each in copies for name in each.services)]
        return status, refusal("unknown-database", name=unknown, known=", ".join(dict.fromkeys(known)))
    chosen = [each for each in copies if not names or any(_is_named(each, name) for name in names)]
    # Counted, and not marked: the count is part of what a branch is made of, so that it is replaced whenever
    # it can be, and once. A commit whose image is awaited goes on with the copy of before until then.
    anew = tuple(_anew(child) if child in chosen else child for child in status.children)
    services = _services(chosen)
    # The phase is from before the command; a goal must not be judged by it.
    return replace(status, children=anew, phase=None), Answer(goal=Goal.RUNNING, services=services)


def _is_named(copy: Child, name: str) -> bool:
    return name == copy.title or name in copy.services


def _anew(copy: Child) -> Child:
    return replace(copy, resets=copy.resets + 1, failed_attempt="", message="", recreations=0)


def _services(copies: Sequence[Child]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for copy in copies for name in copy.services))
