"""Commands change the status, once, and are owed an answer that says what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.commands import Command, Nonsense
from previewbot.model import Account, Comment, PullRequest
from previewbot.plan import obey, settle_replies
from previewbot.plan.obey import handled
from previewbot.preview import Ended, Phase, Reply, Service, Status
from tests.support.previews import HEAD, NOW
from tests.unit.test_plan_decision import FORK, a_pull_request

COMMENT = Comment(900, Account(5, "alice"), None, "/preview", NOW, NOW)
RUNNING: dict[str, Any] = {
    "trigger": "x",
    "phase": Phase.READY,
    "ready_at": NOW,
    "expires_at": NOW + timedelta(hours=8),
}


def after(
    command: Command | Nonsense,
    pull_request: PullRequest | None = None,
    *,
    may_write: bool = True,
    **status: Any,
) -> Status:
    return obey(
        Status(**status),
        command,
        COMMENT,
        pull_request=pull_request or a_pull_request(),
        may_write=may_write,
        ttl_max=timedelta(hours=72),
        now=NOW,
    )


def the_reply(status: Status) -> Reply:
    (reply,) = status.replies
    return reply


ENDED = Ended(reason="Stopped", at=NOW, by="bob")
HOURS_2 = timedelta(hours=2)


@pytest.mark.parametrize(
    ("command", "status", "reaction", "kind"),
    [
        (Command("help"), {}, "rocket", "help"),
        (Command("status"), {}, "rocket", "status"),
        (Nonsense("/preview strat", "/preview start"), {}, "confused", "unknown-command"),
        (Command("start"), RUNNING, "rocket", "already-running"),
        (Command("start", sha="0" * 40), RUNNING, "confused", "sha-mismatch"),
        (Command("stop"), {}, "confused", "not-running"),
        (Command("stop"), RUNNING | {"ended": ENDED}, "confused", "not-running"),
        (Command("extend", duration=HOURS_2), RUNNING, "rocket", "extended"),
        (Command("extend", duration=HOURS_2), {"trigger": "x"}, "confused", "extend-too-early"),
        (Command("extend", duration=HOURS_2), RUNNING | {"ended": ENDED}, "confused", "not-running"),
        (
            Command("extend", duration=HOURS_2),
            RUNNING | {"expires_at": NOW + timedelta(hours=72)},
            "confused",
            "extend-at-limit",
        ),
        (Command("extend"), RUNNING, "confused", "bad-duration"),
    ],
)
def test_each_command_is_answered(
    command: Command | Nonsense, status: dict[str, Any], reaction: str, kind: str
) -> None:
    reply = the_reply(after(command, **status))

    assert (reply.reaction, reply.kind) == (reaction, kind)


@pytest.mark.parametrize("name", ["start", "stop", "extend", "status", "help"])
def test_without_write_access_nothing_changes_but_an_apology_is_owed(name: Any) -> None:
    status = after(Command(name), may_write=False, **RUNNING)

    assert the_reply(status).kind == "not-allowed"
    assert (status.ended, status.expires_at) == (None, RUNNING["expires_at"])


def test_stop_ends_it_until_start_and_both_are_answered_when_reached() -> None:
    stopped = after(Command("stop"), **RUNNING)
    assert stopped.ended is not None
    assert stopped.ended.by == "alice"
    assert the_reply(stopped).goal == "Stopped"

    gone = settle_replies(replace(stopped, phase=Phase.STOPPED))
    assert the_reply(gone).reaction == "rocket"

    started = after(Command("start"), **RUNNING | {"ended": ENDED, "phase": Phase.STOPPED})
    assert (started.ended, started.expires_at) == (None, None)
    assert the_reply(settle_replies(started)).reaction == ""
    running = settle_replies(replace(started, phase=Phase.READY))
    assert the_reply(running).reaction == "rocket"
    failed = settle_replies(replace(started, phase=Phase.FAILED))
    assert the_reply(failed).reaction == "confused"


def test_start_retries_what_failed() -> None:
    failed = Service(name="a", namespace="n", target="t", failed_question="q", failure="boom", remade=1)

    started = after(Command("start"), trigger="x", phase=Phase.FAILED, services=(failed,))

    assert [(s.failed_question, s.remade) for s in started.services] == [("", 0)]


@pytest.mark.parametrize(
    ("sha", "kind"), [(None, "fork-needs-sha"), (HEAD[:7], "fork-needs-sha"), ("0" * 40, "sha-mismatch")]
)
def test_a_fork_is_started_only_by_naming_its_whole_head(sha: str | None, kind: str) -> None:
    assert the_reply(after(Command("start", sha=sha), FORK)).kind == kind


def test_naming_a_forks_whole_head_approves_exactly_that() -> None:
    assert after(Command("start", sha=HEAD), FORK).approved_sha == HEAD


def test_a_closed_pull_request_obeys_nothing() -> None:
    status = after(Command("start"), a_pull_request(state="closed"))

    assert the_reply(status).kind == "closed"
    assert status.started_by == ""


@given(st.integers(min_value=1, max_value=60 * 24 * 30))
def test_extend_never_goes_beyond_the_maximum_and_never_backwards(minutes: int) -> None:
    status = after(Command("extend", duration=timedelta(minutes=minutes)), **RUNNING)

    assert status.expires_at is not None
    assert RUNNING["expires_at"] < status.expires_at <= NOW + timedelta(hours=72)


@given(st.lists(st.integers(min_value=1, max_value=500), max_size=200))
def test_a_handled_command_stays_handled_however_many_follow(ids: list[int]) -> None:
    status = Status()
    for comment_id in sorted(ids):
        status = handled(status, comment_id)

    commands = status.commands
    assert all(comment_id <= commands.floor or comment_id in commands.handled for comment_id in ids)
    assert len(commands.handled) <= 50
