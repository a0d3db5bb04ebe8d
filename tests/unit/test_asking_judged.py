"""What GitHub and previewbot show of a commit, and what `previewbot wait` makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from previewbot.api.reference import Reference
from previewbot.asking.facts import Facts
from previewbot.asking.judging import CheckRun, Deployment, Pull, Seen, judged
from previewbot.asking.reporting import as_json, masks, outputs
from previewbot.asking.standing import State
from previewbot.asking.told import of_facts

SHA, OLDER = "a" * 40, "b" * 40
LINK, HEADER = "https://shop-42.preview.example.com/", "baggage: mirrord-session=pabc-shop-42"
OPEN = Pull(SHA, had=True)


def facts(phase: str | None = "Ready", sha: str = SHA, **more: Any) -> Facts:
    values = {"version": 1, "repository": "acme/shop", "number": 42, "phase": phase, "head_sha": sha}
    ready = {"serving_sha": sha, "url": LINK} if phase in ("Ready", "Idle") else {}
    return Facts.model_validate(
        {**values, **ready, "header": HEADER, "words": f"it is {phase}", "turn": "nobody", **more}
    )


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("", State.WAITING),
        ("queued", State.WAITING),
        ("in_progress", State.WAITING),
        ("success", State.READY),
        ("failure", State.FAILED),
        ("error", State.FAILED),
        ("inactive", State.ENDED),
        ("a state of next year", State.WAITING),
    ],
)
@pytest.mark.parametrize("comment", [None, facts("Deploying"), facts("Ready"), facts("Failed")])
def test_a_deployment_decides_whatever_check_and_comment_say(
    state: str, expected: State, comment: Facts | None
) -> None:
    seen = Seen(OPEN, Deployment(state, url=LINK), CheckRun("failure"), comment)
    assert judged(SHA, seen).state is expected


@pytest.mark.parametrize(
    ("conclusion", "comment", "expected"),
    [
        ("", None, State.WAITING),
        ("success", facts(), State.READY),
        ("success", None, State.WAITING),
        ("failure", None, State.FAILED),
        ("failure", facts("Deploying"), State.FAILED),
        ("skipped", None, State.NEVER_TRIGGERED),
        ("action_required", None, State.WAITING),
        ("cancelled", None, State.ENDED),
        ("neutral", None, State.ENDED),
        ("neutral", facts("Stopped"), State.ENDED),
        ("neutral", facts("Queued"), State.WAITING),
        ("neutral", facts("AwaitingImage"), State.WAITING),
        ("neutral", facts("AwaitingApproval"), State.WAITING),
        ("neutral", facts("Failed"), State.FAILED),
        ("neutral", facts("Stopped", sha=OLDER), State.ENDED),
    ],
)
def test_without_a_deployment_the_check_decides_and_the_comment_says_what_neutral_means(
    conclusion: str, comment: Facts | None, expected: State
) -> None:
    assert judged(SHA, Seen(OPEN, None, CheckRun(conclusion), comment)).state is expected


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (facts("Ready"), State.READY),
        (facts("Ready", proven="Yes"), State.READY),
        (facts("Ready", proven="Unknown"), State.READY),
        (facts("Ready", proven="No"), State.WAITING),
        (facts("Ready", serving_sha=OLDER), State.WAITING),
        (facts("Ready", serving_sha=""), State.WAITING),
        (facts("Ready", url=""), State.WAITING),
        (facts("Ready", url="javascript:alert(1)"), State.WAITING),
        (facts("Idle"), State.READY),
        (facts("Deploying"), State.WAITING),
        (facts("Queued"), State.WAITING),
        (facts("AwaitingImage"), State.WAITING),
        (facts("AwaitingApproval"), State.WAITING),
        (facts("A phase of next year"), State.WAITING),
        (facts(None), State.WAITING),
        (facts("Failed"), State.FAILED),
        (facts("Stopping"), State.ENDED),
        (facts("Stopped"), State.ENDED),
        (facts("Expired"), State.ENDED),
        (facts("NothingToPreview"), State.NEVER_TRIGGERED),
        (facts("Ready", sha=OLDER), State.NOTHING),
        (None, State.NOTHING),
    ],
)
def test_with_a_comment_alone_its_block_decides_and_so_does_previewbots_own_json(
    comment: Facts | None, expected: State
) -> None:
    assert judged(SHA, Seen(OPEN, facts=comment)).state is expected
    assert of_facts(SHA, comment).state is expected


def test_services_that_run_from_this_commit_show_it_also_where_another_runs_from_none() -> None:
    services = ({"name": "web", "serving_sha": SHA}, {"name": "packing", "serving_sha": ""})
    partial = facts("Ready", serving_sha="", services=services)
    assert judged(SHA, Seen(OPEN, facts=partial)).state is State.READY
    mixed = facts("Ready", serving_sha="", services=(services[0], {"name": "b", "serving_sha": OLDER}))
    assert judged(SHA, Seen(OPEN, facts=mixed)).state is State.WAITING


@pytest.mark.parametrize(
    ("pull", "words"),
    [
        (Pull(SHA, is_open=False), "the pull request was closed"),
        (Pull(SHA, is_open=False, is_merged=True), "the pull request was merged"),
        (Pull(OLDER, had=True), "bbbbbbb has taken the place of aaaaaaa"),
        (Pull(OLDER), "bbbbbbb has taken the place of aaaaaaa"),
    ],
)
def test_what_was_closed_or_replaced_has_ended_also_while_it_still_answers(pull: Pull, words: str) -> None:
    found = judged(SHA, Seen(pull, Deployment("success", url=LINK), CheckRun("success"), facts()))
    assert (found.state, found.words, found.url) == (State.ENDED, words, "")


def test_a_commit_that_was_never_the_head_and_of_which_nothing_speaks_may_be_on_its_way() -> None:
    found = judged(SHA, Seen(Pull(OLDER), facts=facts(sha=OLDER)))
    assert found.state is State.NOTHING
    assert found.words == "aaaaaaa is not the newest commit of the pull request, which is bbbbbbb"


def test_what_is_ready_has_the_deployments_link_and_the_header_of_the_pull_request() -> None:
    found = judged(SHA, Seen(OPEN, Deployment("success", "ready", LINK), None, facts("Deploying", sha=OLDER)))
    assert (found.url, found.header, found.sha, found.told_by) == (LINK, HEADER, SHA, "deployment")
    assert found.words == "ready"


def test_a_deployment_without_a_link_takes_the_comments_if_that_is_about_this_commit() -> None:
    deployed = Seen(OPEN, Deployment("success"), None, facts())
    assert judged(SHA, deployed).url == LINK
    late = judged(SHA, replace(deployed, facts=facts(sha=OLDER)))
    assert (late.state, late.words) == (
        State.WAITING,
        "the preview is ready, and its link is nowhere to be read",
    )


@pytest.mark.parametrize("url", [LINK, ""])
@pytest.mark.parametrize("deployment", [None, Deployment("success")])
def test_without_a_gateway_it_is_ready_for_whoever_sends_the_header(
    url: str, deployment: Deployment | None
) -> None:
    comment = facts("Ready", url=url, link_kind="Header")
    found = judged(SHA, Seen(OPEN, deployment, None, comment))
    assert (found.state, found.url, found.header, found.needs_header) == (State.READY, url, HEADER, True)
    assert found.words.endswith("Send the header with each request: without it staging answers.")
    without = judged(SHA, Seen(OPEN, deployment, None, facts("Ready", url="", header="", link_kind="Header")))
    assert without.state is State.WAITING


def test_while_it_goes_on_the_comment_says_what_for_and_whose_turn_it_is() -> None:
    comment = facts("AwaitingImage", words="CI is building the image", turn="author")
    found = judged(SHA, Seen(OPEN, Deployment("queued", "waits"), None, comment))
    assert (found.words, found.turn) == ("CI is building the image", "author")
    older = judged(SHA, Seen(OPEN, Deployment("queued", "waits"), None, replace_sha(comment)))
    assert (older.words, older.turn) == ("waits", "")


def replace_sha(comment: Facts) -> Facts:
    return comment.model_copy(update={"head_sha": OLDER})


def test_a_comment_that_lags_behind_does_not_lend_its_words_to_a_failure() -> None:
    found = judged(SHA, Seen(OPEN, Deployment("failure", "it crashed"), None, facts("Deploying")))
    assert found.words == "it crashed"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (None, "previewbot has no preview any more"),
        (facts(sha=OLDER), "bbbbbbb has taken the place of aaaaaaa"),
    ],
)
def test_previewbot_that_spoke_of_the_commit_and_does_no_more_says_that_it_ended(
    told: Facts | None, words: str
) -> None:
    found = of_facts(SHA, told, had=True)
    assert (found.state, found.words) == (State.ENDED, words)


def test_each_end_has_an_exit_code_of_its_own() -> None:
    codes = {state: state.exit_code for state in State if state.is_final}
    assert codes == {
        State.READY: 0,
        State.FAILED: 1,
        State.ENDED: 3,
        State.NEVER_TRIGGERED: 4,
        State.TIMED_OUT: 5,
    }


def test_what_lets_a_program_past_the_guard_is_an_output_that_is_masked_and_stands_in_no_log() -> None:
    found = of_facts(SHA, facts(bearer="pvb1.key.1.abc", bearer_until="2026-11-24T10:00:00Z"))

    assert found.state is State.READY
    assert outputs(found).endswith("\nbearer=pvb1.key.1.abc\n")
    assert masks(found) == "::add-mask::pvb1.key.1.abc"
    for told in (as_json(Reference("acme/shop", 42), found), repr(found), found.words):
        assert "pvb1" not in told
    assert masks(of_facts(SHA, facts(bearer="pvb1\nurl=https://evil.example"))) == ""


def test_a_long_link_is_handed_on_whole() -> None:
    long = f"{LINK}?{'x' * 900}"
    found = judged(SHA, Seen(OPEN, Deployment("success", url=long), None, facts()))
    assert f"\nurl={long}\n" in outputs(found)
    assert json.loads(as_json(Reference("acme/shop", 42), found))["url"] == long


@pytest.mark.parametrize(
    "seen",
    [
        Seen(OPEN, Deployment("inactive"), None, facts("Stopped", reason="Closed")),
        Seen(OPEN, None, CheckRun("neutral"), facts("Stopped", reason="Closed")),
        Seen(OPEN, facts=facts("Stopping", reason="Closed")),
    ],
)
def test_a_pull_request_that_was_reopened_has_not_ended_by_what_was_said_when_it_was_closed(
    seen: Seen,
) -> None:
    assert judged(SHA, seen).state is State.NOTHING
    stopped = replace(seen, facts=facts("Stopped", reason="StoppedByCommand"))
    assert judged(SHA, stopped).state is State.ENDED


NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("told", "comment", "written", "expected"),
    [
        # Since the App may deploy no more its deployment stays as it was.
        (Deployment("in_progress", at=at(0)), facts(), 1, State.READY),
        (Deployment(at=at(0)), facts("Failed"), 1, State.FAILED),
        (Deployment("success", url=LINK, at=at(0)), facts("Stopped"), 1, State.ENDED),
        (Deployment("success", url=LINK, at=at(0)), facts("Deploying"), 1, State.WAITING),
        (CheckRun(at=at(0)), facts(), 1, State.READY),
        (CheckRun("success", at=at(0)), facts("Stopped"), 1, State.ENDED),
        # The deployment follows the comment within seconds.
        (Deployment("in_progress", at=at(0)), facts(), 8.5, State.WAITING),
        (CheckRun(at=at(0)), facts(), 8.5, State.WAITING),
        # A comment that lags is older.
        (Deployment("success", url=LINK, at=at(2)), facts("Deploying"), 1, State.READY),
        (Deployment("in_progress", at=at(0)), facts(sha=OLDER), 1, State.WAITING),
        # When something was said is not known.
        (Deployment("in_progress"), facts(), 1, State.WAITING),
        (CheckRun(), facts(), 1, State.WAITING),
        # Of a file with mistakes the check fails, though the preview runs.
        (CheckRun("failure", at=at(0)), facts(), 1, State.FAILED),
    ],
)
def test_what_the_app_may_not_write_any_more_gives_way_to_a_comment_that_is_newer_for_minutes(
    told: Deployment | CheckRun, comment: Facts, written: float, expected: State
) -> None:
    place = {"deployment": told} if isinstance(told, Deployment) else {"check": told}
    seen = Seen(OPEN, facts=comment, written_at=at(written), now=at(10), **place)
    assert judged(SHA, seen).state is expected


def test_a_commit_that_does_not_become_the_newest_was_replaced_and_one_without_any_word_never_triggered() -> (
    None
):
    elsewhere = [judged(SHA, Seen(Pull(OLDER))), of_facts(SHA, facts(sha=OLDER))]
    assert [(each.state, each.at_last) for each in elsewhere] == [(State.NOTHING, State.ENDED)] * 2
    silent = [
        judged(SHA, Seen(OPEN)),
        judged(SHA, Seen(OPEN, facts=facts(sha=OLDER))),
        of_facts(SHA, None),
        of_facts(SHA, facts(sha="")),
    ]
    assert {(each.state, each.at_last) for each in silent} == {(State.NOTHING, State.NEVER_TRIGGERED)}
