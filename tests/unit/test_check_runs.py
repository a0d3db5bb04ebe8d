"""The check of a commit: how it comes out, what it says, and which buttons it has, in every state.

`UPDATE_GOLDEN=1 pytest tests/unit/test_check_runs.py` writes tests/golden/check/ anew; read the difference.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from previewbot.api import (
    ConfigurationProblem,
    Ended,
    Phase,
    Preview,
    Proven,
    Reason,
    Report,
    Service,
    Status,
)
from previewbot.api.check_runs import LONGEST_OUTPUT, MOST_ACTIONS
from previewbot.rules.check_runs import EXTEND, START, STOP, actions_of, conclusion_of
from previewbot.text.checks import CheckSaid
from tests.support.previews import NOW, OLDER
from tests.support.states import STATES
from tests.unit.test_comment import GOLDEN, RENDERER, held, view_of

HOUR = timedelta(hours=1)
WRONG = (ConfigurationProblem(line=3, message="`paht` is no key: did you mean `path`?"),)
READY, FAILED = STATES["ready"].status, STATES["deploying-crashing"].status


def outcome(status: Status, *, mistakes: bool = False, later: timedelta = timedelta()) -> str:
    found = conclusion_of(status, mistakes=mistakes, deadline=HOUR, now=NOW + later)
    return str(found) if found else "in progress"


def with_comment(preview: Preview) -> Preview:
    reports = {"comment": Report(id=7, hash="x")}
    return replace(preview, status=replace(preview.status, reports=reports))


def text_of(preview: Preview, said: CheckSaid | None = None, *, logs: bool = True) -> str:
    mistakes = said.mistakes if said else ()
    waits = outcome(preview.status, mistakes=bool(mistakes)) == "in progress"
    view = replace(view_of(with_comment(preview)), logs=logs)
    output = RENDERER.check(view, said or CheckSaid(waits=waits))
    return f"{output.title}\n\n{output.summary}\n{output.text}".strip() + "\n"


def test_each_state_comes_out_and_has_buttons_as_it_is_held() -> None:
    lines = []
    for name in sorted(STATES):
        status, buttons = STATES[name].status, [each.label for each in actions_of(STATES[name].status)]
        lines.append(f"{outcome(status):<11}  {name:<50}  {', '.join(buttons)}".rstrip())

    held(GOLDEN / "check" / "outcomes.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "state",
    [
        *("ready", "waking", "ready-with-header-only", "link-to-an-error-of-the-change", "deploying"),
        *("deploying-crashing", "partial-and-out-of-memory", "image-build-failed", "image-needs-approval"),
        *("image-build-running", "queued", "fork", "stopped", "nothing-changed"),
        "deploying-operator-missing",
    ],
)
def test_what_a_check_says_reads_as_it_is_held(state: str) -> None:
    held(GOLDEN / "check" / f"{state}.md", text_of(STATES[state]))


def test_a_mistake_of_the_change_is_told_before_all_else_as_it_is_held() -> None:
    held(GOLDEN / "check" / "mistake-of-the-change.md", text_of(STATES["ready"], CheckSaid(mistakes=WRONG)))


def test_a_commit_that_is_not_the_newest_is_told_as_it_is_held() -> None:
    held(GOLDEN / "check" / "superseded.md", text_of(STATES["ready"], CheckSaid(superseded=True)))


def test_what_comes_and_goes_by_itself_is_said_in_the_same_words() -> None:
    # Each edit of a check is a request, and a step of what goes on by itself is no news.
    steps = "image-build-running", "image-none", "deploying", "link-not-asked-yet"

    assert len({text_of(STATES[name]) for name in steps}) == 1
    assert len({text_of(STATES[name]) for name in STATES if name.startswith("queued")}) == 1
    assert len({text_of(STATES[name]) for name in ("idle", "waking")}) == 1


def test_of_a_fork_nothing_is_a_failure() -> None:
    of_fork = replace(FAILED, observed=replace(FAILED.observed, fork=True))

    assert (outcome(FAILED), outcome(of_fork)) == ("failure", "neutral")


def test_a_mistake_that_the_change_makes_in_the_configuration_is_a_failure_however_well_it_runs() -> None:
    assert outcome(READY, mistakes=True) == "failure"


@pytest.mark.parametrize("state", ["image-build-running", "image-needs-approval", "queued"])
def test_waiting_is_in_progress_up_to_its_deadline_and_neutral_from_then_on(state: str) -> None:
    status = STATES[state].status
    begun = NOW - timedelta(minutes=10)
    status = replace(
        status,
        observed=replace(status.observed, head_first_seen_at=begun),
        slot=replace(status.slot, waiting_since=begun),
    )

    assert outcome(status, later=timedelta(minutes=49)) == "in progress"
    assert outcome(status, later=timedelta(minutes=50)) == "neutral"


def test_it_succeeds_only_while_the_link_is_not_shown_to_lead_elsewhere() -> None:
    def proven(by: Proven | None) -> Status:
        return replace(READY, link=replace(READY.link, proven=by))

    assert [outcome(proven(by)) for by in (None, Proven.YES, Proven.UNKNOWN)] == ["success"] * 3
    assert outcome(proven(Proven.NO)) == "in progress"


def test_it_succeeds_only_once_this_very_commit_answers() -> None:
    older = tuple(replace(each, serving_sha=OLDER) for each in READY.services)

    assert outcome(replace(READY, services=older)) == "in progress"


def test_while_one_service_starts_the_failure_of_another_does_not_decide() -> None:
    starts = Service("pay", "staging", "deployment/pay", phase=Phase.DEPLOYING, reason=Reason.CREATING)
    status = STATES["partial-and-out-of-memory"].status

    assert outcome(status) == "failure"
    assert outcome(replace(status, services=(*status.services, starts))) == "in progress"


def test_buttons_fit_into_what_github_takes() -> None:
    for action in (START, STOP, EXTEND):
        lengths = len(action.label), len(action.description), len(action.identifier)
        assert all(length <= most for length, most in zip(lengths, (20, 40, 20), strict=True))
    assert max(len(actions_of(preview.status)) for preview in STATES.values()) <= MOST_ACTIONS


@pytest.mark.parametrize("reason", [Reason.MERGED, Reason.CLOSED, Reason.REPOSITORY_ARCHIVED])
def test_what_goes_for_good_cannot_be_started_by_a_button(reason: Reason) -> None:
    assert actions_of(replace(READY, phase=Phase.STOPPED, reason=reason)) == ()


def test_what_somebody_stopped_can_be_started_unless_it_is_of_a_fork() -> None:
    ended = replace(
        READY,
        phase=Phase.STOPPED,
        reason=Reason.BY_COMMAND,
        lifecycle=replace(READY.lifecycle, ended=Ended(Reason.BY_COMMAND, NOW)),
    )

    assert actions_of(ended) == (START,)
    # A fork's start names the commit, which a button cannot.
    assert actions_of(replace(ended, observed=replace(ended.observed, fork=True))) == ()


def test_the_last_words_of_a_crash_are_not_shown_where_comments_may_not_quote_them() -> None:
    assert "The last words of" in text_of(STATES["deploying-crashing"])
    hidden = text_of(STATES["deploying-crashing"], logs=False)
    assert "<details>" not in hidden and "are not shown here" in hidden


def test_ten_thousand_mistakes_stay_within_githubs_limits() -> None:
    many = tuple(ConfigurationProblem(n, "`x` " * 200) for n in range(1, 10_000))

    output = RENDERER.check(view_of(STATES["ready"]), CheckSaid(mistakes=many))

    assert len(output.summary) <= LONGEST_OUTPUT and "9979 more" in output.summary


def test_what_it_says_is_cut_by_bytes_as_github_counts_them() -> None:
    many = tuple(ConfigurationProblem(n, "値段" * 1_000) for n in range(1, 40))

    output = RENDERER.check(view_of(STATES["ready"]), CheckSaid(mistakes=many))

    assert LONGEST_OUTPUT - 3 < len(output.summary.encode()) <= LONGEST_OUTPUT
