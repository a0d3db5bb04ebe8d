"""Commands change the status, once, and are owed an answer that says what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import (
    Child,
    Ended,
    Goal,
    Lifecycle,
    Observed,
    Phase,
    Reason,
    Reply,
    RequestId,
    RequestKind,
    Requests,
    Said,
    Status,
)
from previewbot.api.github import PullRequest
from previewbot.reconciler.conversation import Hand, Request
from previewbot.reconciler.plan.commands import apply_request, settle_replies
from previewbot.reconciler.plan.inbox import comment_request, summed_up, with_handled
from previewbot.rules.commands import Command, CommandName, UnknownCommand
from tests.support.observations import FORK, a_pull_request, facts_of
from tests.support.previews import HEAD, NOW

NOTHING = Status()
WANTED = Status(observed=Observed(trigger="x"))
RUNNING = replace(
    WANTED,
    phase=Phase.READY,
    reason=Reason.ALL_READY,
    lifecycle=Lifecycle(ready_at=NOW, expires_at=NOW + timedelta(hours=8)),
)
OVER = replace(RUNNING, lifecycle=Lifecycle(ended=Ended(reason=Reason.BY_COMMAND, at=NOW, by="bob")))
AT_LIMIT = replace(RUNNING, lifecycle=Lifecycle(ready_at=NOW, expires_at=NOW + timedelta(hours=72)))
HOURS_2 = timedelta(hours=2)


def after(
    command: Command | UnknownCommand,
    status: Status = NOTHING,
    pull_request: PullRequest | None = None,
    *,
    may_write: bool = True,
    is_bot: bool = False,
    hand: Hand = Hand.OWN,
) -> Status:
    """Return the status after alice asked for this."""
    request = Request(comment_request(900), "alice", (command,), is_bot, may_write, hand=hand)
    facts = replace(facts_of(HEAD), pull_request=pull_request or a_pull_request())
    return apply_request(status, request, facts=facts, ttl_max=timedelta(hours=72), now=NOW)


def the_reply(status: Status) -> Reply:
    (reply,) = status.replies
    return reply


@pytest.mark.parametrize(
    ("command", "status", "reaction", "words"),
    [
        (Command("help"), NOTHING, "rocket", "help"),
        (Command("status"), NOTHING, "rocket", "status"),
        (UnknownCommand("/preview strat", "/preview start"), NOTHING, "confused", "unknown-command"),
        (Command("start"), RUNNING, "rocket", "already-running"),
        (Command("start", sha="0" * 40), RUNNING, "confused", "sha-mismatch"),
        (Command("stop"), NOTHING, "confused", "not-running"),
        (Command("stop"), OVER, "confused", "not-running"),
        (Command("extend", duration=HOURS_2), RUNNING, "rocket", "extended"),
        (Command("extend", duration=HOURS_2), WANTED, "confused", "extend-too-early"),
        (Command("extend", duration=HOURS_2), OVER, "confused", "not-running"),
        (Command("extend", duration=HOURS_2), AT_LIMIT, "confused", "extend-at-limit"),
        (Command("extend"), RUNNING, "confused", "bad-duration"),
    ],
)
def test_each_command_is_answered(
    command: Command | UnknownCommand, status: Status, reaction: str, words: str
) -> None:
    result = after(command, status)

    assert (the_reply(result).reaction, the_reply(result).words) == (reaction, words)
    assert result.requests.comments == (900,)


@pytest.mark.parametrize("name", ["start", "stop", "extend", "status", "help"])
def test_without_write_access_nothing_changes_but_an_apology_is_owed(name: CommandName) -> None:
    status = after(Command(name), RUNNING, may_write=False)

    assert the_reply(status).words == "not-allowed"
    assert the_reply(status).values == {"login": "alice"}
    assert status.lifecycle == RUNNING.lifecycle


@pytest.mark.parametrize("who", [{"is_bot": True}, {"hand": Hand.OTHER_APP}], ids=["a bot", "an App"])
@pytest.mark.parametrize("asked", [Command("stop"), UnknownCommand("/preview strat", None)])
def test_a_bot_is_answered_by_a_reaction_only_since_it_might_answer_words(
    asked: Command | UnknownCommand, who: dict[str, Any]
) -> None:
    status = after(asked, RUNNING, may_write=True, **who)

    assert (the_reply(status).reaction, the_reply(status).words) == ("confused", "")
    assert (status.lifecycle, status.requests.comments) == (RUNNING.lifecycle, (900,))


def test_stop_ends_it_until_start_and_both_are_answered_when_reached() -> None:
    stopped = after(Command("stop"), RUNNING)
    assert stopped.lifecycle.ended is not None
    assert stopped.lifecycle.ended.by == "alice"
    assert the_reply(stopped).goal is Goal.STOPPED

    gone = settle_replies(replace(stopped, phase=Phase.STOPPED))
    assert the_reply(gone).reaction == "rocket"

    started = after(Command("start"), replace(OVER, phase=Phase.STOPPED, reason=Reason.BY_COMMAND))
    assert started.lifecycle == Lifecycle(started_by="alice")
    assert the_reply(settle_replies(started)).reaction == ""
    running = settle_replies(replace(started, phase=Phase.READY))
    assert the_reply(running).reaction == "rocket"
    failed = settle_replies(replace(started, phase=Phase.FAILED))
    assert the_reply(failed).reaction == "confused"


def test_a_stop_that_a_later_start_undid_has_come_to_nothing() -> None:
    stopped = after(Command("stop"), RUNNING)
    undone = replace(stopped, phase=Phase.DEPLOYING, lifecycle=RUNNING.lifecycle)

    assert the_reply(settle_replies(undone)).reaction == "confused"
    assert the_reply(settle_replies(replace(stopped, phase=Phase.STOPPING))).goal is Goal.STOPPED


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Reason.NO_SERVICE_CHANGED, "nothing-to-preview"),
        (Reason.NO_CONFIGURATION, "no-configuration"),
        (Reason.CONFIGURATION_INVALID, "configuration-invalid"),
        (Reason.CONFIGURATION_NOT_ALLOWED, "configuration-not-allowed"),
        (Reason.SESSION_FAILED, ""),
    ],
)
def test_a_start_that_came_to_nothing_says_why_where_the_comment_may_be_silent(
    reason: Reason, words: str
) -> None:
    started = after(Command("start"), WANTED)

    reply = the_reply(settle_replies(replace(started, phase=reason.phase, reason=reason)))

    assert (reply.reaction, reply.words) == ("confused", words)


def test_a_start_of_a_fork_that_was_pushed_to_since_asks_for_the_new_head() -> None:
    started = after(Command("start", sha=HEAD), WANTED, FORK)
    pushed = replace(
        started, phase=Phase.AWAITING_APPROVAL, observed=replace(WANTED.observed, head_sha="c" * 40)
    )

    reply = the_reply(settle_replies(pushed))

    assert (reply.words, reply.values) == ("fork-needs-sha", {"sha": "c" * 40})


def test_start_retries_what_failed() -> None:
    failed = Child("PreviewSession", "n", "s", "a", failed_attempt="q", message="boom", recreations=1)
    status = replace(WANTED, phase=Phase.FAILED, reason=Reason.SERVICE_FAILED, children=(failed,))

    started = after(Command("start"), status)

    assert [(c.failed_attempt, c.message, c.recreations) for c in started.children] == [("", "", 0)]


def test_start_leaves_alone_what_did_not_fail_as_a_child_does() -> None:
    route = Child("HTTPRoute", "n", "r", reason=Reason.ROUTE_REFUSED, message="no routes here")

    assert after(Command("start"), replace(WANTED, children=(route,))).children == (route,)


@pytest.mark.parametrize(
    ("sha", "words"),
    [(None, "fork-needs-sha"), (HEAD[:7], "fork-needs-sha"), ("0" * 40, "sha-mismatch")],
)
def test_a_fork_is_started_only_by_naming_its_whole_head(sha: str | None, words: str) -> None:
    assert the_reply(after(Command("start", sha=sha), NOTHING, FORK)).words == words


def test_naming_a_forks_whole_head_approves_exactly_that() -> None:
    assert after(Command("start", sha=HEAD), NOTHING, FORK).lifecycle.approved_sha == HEAD


@pytest.mark.parametrize("sha", [None, HEAD[:7], HEAD, "0" * 40])
@pytest.mark.parametrize("name", ["start", "restart"])
def test_no_fork_is_started_through_an_app_however_its_head_is_named(
    name: CommandName, sha: str | None
) -> None:
    status = after(Command(name, sha=sha), NOTHING, FORK, hand=Hand.TRUSTED_APP)

    assert (the_reply(status).words, the_reply(status).values) == ("fork-through-app", {"sha": HEAD})
    assert (status.lifecycle.approved_sha, status.lifecycle.started_by) == ("", "")


def test_a_closed_pull_request_obeys_nothing() -> None:
    status = after(Command("start"), NOTHING, a_pull_request(state="closed"))

    assert the_reply(status).words == "closed"
    assert status.lifecycle.started_by == ""


@pytest.mark.parametrize("name", ["status", "help"])
def test_of_a_closed_pull_request_one_may_still_ask(name: CommandName) -> None:
    assert the_reply(after(Command(name), NOTHING, a_pull_request(state="closed"))).words == name


@given(st.integers(min_value=1, max_value=60 * 24 * 30))
def test_extend_never_goes_beyond_the_maximum_and_never_backwards(minutes: int) -> None:
    until = after(Command("extend", duration=timedelta(minutes=minutes)), RUNNING).lifecycle.expires_at

    assert until is not None and RUNNING.lifecycle.expires_at is not None
    assert RUNNING.lifecycle.expires_at < until <= NOW + timedelta(hours=72)


@given(st.lists(st.integers(min_value=1, max_value=500), max_size=200))
def test_a_handled_command_stays_handled_however_many_follow(ids: list[int]) -> None:
    requests = Requests()
    for comment_id in sorted(ids):
        requests = summed_up(with_handled(Status(requests=requests), comment_request(comment_id)).requests)

    known = requests.comments
    assert all(comment_id <= requests.floor or comment_id in known for comment_id in ids)
    assert len(known) <= 50


def test_ids_of_another_kind_of_request_are_not_comparable_and_stay() -> None:
    click = RequestId("CheckRunAction", 1)
    status = with_handled(with_handled(Status(), click), comment_request(7))
    requests = summed_up(with_handled(status, *map(comment_request, range(100, 200))).requests)

    assert click in requests.handled
    assert comment_request(1) not in requests.handled
    assert requests.floor == 149
    assert comment_request(7).kind == RequestKind.ISSUE_COMMENT


def after_all(commands: tuple[Command | UnknownCommand, ...], status: Status) -> Reply:
    request = Request(comment_request(900), "alice", commands, False, True, hand=Hand.OWN)
    return the_reply(
        apply_request(status, request, facts=facts_of(HEAD), ttl_max=timedelta(hours=72), now=NOW)
    )


def test_where_some_commands_of_a_comment_are_refused_the_answer_names_those_that_count() -> None:
    typo = UnknownCommand("/preview strat", "/preview start")
    reply = after_all((Command("stop"), typo, Command("status")), RUNNING)

    assert reply.reaction == "confused"
    assert reply.said[-1] == Said("others-count", {"obeyed": "/preview stop\n/preview status"})


@pytest.mark.parametrize(
    "commands", [(Command("status"), Command("help")), (Command("extend"), Command("extend"))]
)
def test_where_all_or_none_count_nothing_is_said_of_it(commands: tuple[Command, ...]) -> None:
    assert "others-count" not in [each.words for each in after_all(commands, RUNNING).said]


@pytest.mark.parametrize("status", [RUNNING, NOTHING])
def test_what_was_not_carried_out_in_a_list_is_named_as_it_was_written(status: Status) -> None:
    reply = after_all((UnknownCommand("/preview stop", "/preview stop", apart=True),), status)

    assert reply.values == {"text": "/preview stop", "suggestion": "/preview stop"}


@pytest.mark.parametrize(("merged", "words"), [(True, "merged"), (False, "closed")])
def test_nobody_is_told_to_reopen_what_was_merged(merged: bool, words: str) -> None:
    closed = replace(a_pull_request(), state="closed", merged=merged)

    assert the_reply(after(Command("start"), OVER, closed)).words == words


@pytest.mark.parametrize(("hours", "words"), [(2, "extended"), (64, "extended"), (65, "extended-to-limit")])
def test_whoever_asks_for_more_than_there_is_is_told_so(hours: int, words: str) -> None:
    assert the_reply(after(Command("extend", duration=timedelta(hours=hours)), RUNNING)).words == words
