"""What should be: triggers, forks, ends, expiry and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.model import Account, Branch, PullRequest
from previewbot.plan import Facts, decide, overall
from previewbot.plan.decision import expire, observe, renew
from previewbot.policy import Place, configuration_ref, needs_approval, place, trigger
from previewbot.preview import AgentSeen, ConfigurationProblem, Ended, Observed, Phase, Service, Status
from previewbot.repoconfig import RepositoryConfig, Triggers
from tests.support.previews import HEAD, NOW, OLDER, a_preview

COPILOT = AgentSeen(name="Copilot", signal="its account")


def a_pull_request(**changes: Any) -> PullRequest:
    values: dict[str, Any] = {
        "number": 42,
        "state": "open",
        "merged": False,
        "title": "Round prices",
        "body": "",
        "draft": False,
        "author": Account(198982749, "Copilot", "Bot"),
        "head": Branch("copilot/round", HEAD, 812, "acme/shop"),
        "base": Branch("main", "b" * 40, 812, "acme/shop"),
        "default_branch": "main",
        "labels": (),
        "private": False,
        "updated_at": NOW,
        "closed_at": None,
        "mergeable": True,
        "merge_commit_sha": "m" * 40,
        "changed_files": 1,
        "html_url": "https://github.com/acme/shop/pull/42",
    }
    return PullRequest(**(values | changes))


FORK = a_pull_request(head=Branch("main", HEAD, 99, "mallory/shop"))
CONFIG = RepositoryConfig(version=1, services=())
FACTS = Facts(a_pull_request(), CONFIG, agent=COPILOT, files={"checkout": 2})


@pytest.mark.parametrize(
    ("pull_request", "triggers", "agent", "started_by", "expected"),
    [
        (a_pull_request(), Triggers(), COPILOT, "", "Copilot, recognised by its account"),
        (a_pull_request(), Triggers(agents=False), COPILOT, "", None),
        (a_pull_request(draft=True), Triggers(), COPILOT, "", "Copilot, recognised by its account"),
        (a_pull_request(draft=True), Triggers(drafts=False), COPILOT, "", None),
        (a_pull_request(draft=True), Triggers(drafts=False), None, "alice", "@alice's command"),
        (a_pull_request(labels=("preview",)), Triggers(), None, "", "the label preview"),
        (a_pull_request(labels=("other",)), Triggers(), None, "", None),
        (a_pull_request(), Triggers(), None, "", None),
    ],
)
def test_what_triggers_a_preview(
    pull_request: PullRequest,
    triggers: Triggers,
    agent: AgentSeen | None,
    started_by: str,
    expected: str | None,
) -> None:
    assert expected == trigger(pull_request, triggers, agent, started_by)


@pytest.mark.parametrize(
    ("base", "head", "ref"),
    [
        ("main", "copilot/x", "main"),
        ("release/1", "fix", "release/1"),
        ("release/1", "copilot/x", "release/1"),
        ("release/1", "release/fix", "release/1"),
        ("feature", "fix", "main"),
        ("copilot/base", "copilot/x", "main"),
        ("copilot/base", "claude/x", "main"),
        ("copilot/base", "fix", "main"),
        ("Copilot/base", "fix", "main"),
    ],
)
def test_the_configuration_never_comes_from_a_branch_an_agent_may_have_made(
    base: str, head: str, ref: str
) -> None:
    pull_request = a_pull_request(
        base=Branch(base, "b" * 40, 812, "acme/shop"), head=Branch(head, HEAD, 812, "acme/shop")
    )

    assert ref == configuration_ref(pull_request, ["release/*", "[cC]opilot/*"])


def test_a_fork_needs_approval_of_exactly_its_head_whoever_opened_it() -> None:
    assert needs_approval(FORK, "")
    assert needs_approval(FORK, OLDER)
    assert not needs_approval(FORK, HEAD)
    assert not needs_approval(a_pull_request(), "")


@pytest.mark.parametrize(
    ("status", "facts", "phase", "reason", "runs"),
    [
        ({}, FACTS, None, "", True),
        ({}, replace(FACTS, files={}), Phase.NOTHING_TO_PREVIEW, "NoServiceChanged", False),
        ({}, replace(FACTS, config=None), Phase.NOTHING_TO_PREVIEW, "NoConfiguration", False),
        (
            {},
            replace(FACTS, config=None, problems=(ConfigurationProblem(line=1, message="x"),)),
            Phase.FAILED,
            "ConfigurationInvalid",
            False,
        ),
        ({}, replace(FACTS, pull_request=FORK), Phase.AWAITING_APPROVAL, "Fork", False),
        ({"approved_sha": HEAD}, replace(FACTS, pull_request=FORK), None, "", True),
        ({"ended": Ended(reason="Stopped", at=NOW)}, FACTS, Phase.STOPPED, "ByCommand", False),
        ({"ended": Ended(reason="Expired", at=NOW)}, FACTS, Phase.EXPIRED, "TimeUp", False),
        ({"ended": Ended(reason="Expired", at=NOW)}, None, Phase.EXPIRED, "TimeUp", False),
        (
            {},
            replace(FACTS, pull_request=a_pull_request(state="closed", merged=True)),
            Phase.STOPPED,
            "Merged",
            False,
        ),
    ],
)
def test_what_should_be(
    status: dict[str, Any], facts: Facts | None, phase: Phase | None, reason: str, runs: bool
) -> None:
    decision = decide(Status(trigger="x", **status), facts)

    assert (decision.runs, decision.phase, decision.reason) == (runs, phase, reason)


def test_what_nothing_triggers_should_not_exist_and_says_nothing() -> None:
    decision = decide(Status(), FACTS)

    assert decision.untriggered
    assert decision.silent


def test_while_github_cannot_be_read_everything_stays_as_it_is() -> None:
    decision = decide(Status(trigger="x", phase=Phase.READY, reason="AllReady"), None)

    assert (decision.keep, decision.phase) == (True, Phase.READY)


def test_expiry_needs_only_the_status() -> None:
    status = Status(expires_at=NOW)

    assert expire(status, NOW - timedelta(seconds=1)).ended is None
    ended = expire(status, NOW).ended
    assert ended is not None
    assert ended.reason == "Expired"


def test_an_expired_preview_begins_anew_with_a_new_commit_and_a_stopped_one_does_not() -> None:
    expired = Status(ended=Ended(reason="Expired", at=NOW, head_sha=OLDER), expires_at=NOW, ready_sha=OLDER)
    stopped = Status(ended=Ended(reason="Stopped", at=NOW, head_sha=OLDER))

    again = renew(observe(expired, FACTS, NOW), remaining=0)
    assert (again.ended, again.expires_at, again.ready_sha) == (None, None, "")
    assert renew(observe(expired, FACTS, NOW), remaining=1).ended is not None
    assert renew(observe(stopped, FACTS, NOW), remaining=0).ended is not None
    same = replace(expired, ended=Ended(reason="Expired", at=NOW, head_sha=HEAD))
    assert renew(observe(same, FACTS, NOW), remaining=0).ended is not None


@pytest.mark.parametrize(("ready_sha", "expired"), [(OLDER, OLDER), ("", HEAD)])
def test_what_expires_is_the_commit_whose_clock_ran(ready_sha: str, expired: str) -> None:
    status = Status(expires_at=NOW, ready_sha=ready_sha, observed=Observed(head_sha=HEAD))
    ended = expire(status, NOW).ended

    assert ended is not None
    assert ended.head_sha == expired


def test_merge_commits_of_a_head_are_remembered_until_the_head_moves() -> None:
    seen = observe(Status(), replace(FACTS, merge_sha="m" * 40), NOW)
    moved = replace(FACTS, merge_sha="n" * 40)

    assert observe(seen, moved, NOW).observed.merge_shas == ("m" * 40, "n" * 40)
    head = Branch("copilot/round", OLDER, 812, "acme/shop")
    pushed = replace(FACTS, pull_request=a_pull_request(head=head), merge_sha="o" * 40)
    assert observe(seen, pushed, NOW).observed.merge_shas == ("o" * 40,)


def test_a_merge_commit_that_was_not_found_to_be_of_this_head_does_not_count() -> None:
    assert FACTS.pull_request.merge_commit_sha
    assert observe(Status(), FACTS, NOW).observed.merge_shas == ()


def _services(*phases: Phase) -> list[Service]:
    return [Service(name=f"s{i}", namespace="n", target="t", phase=p) for i, p in enumerate(phases)]


@pytest.mark.parametrize(
    ("phases", "expected"),
    [
        ((Phase.READY,), (Phase.READY, "AllReady")),
        ((Phase.READY, Phase.FAILED), (Phase.READY, "Partial")),
        ((Phase.READY, Phase.IDLE), (Phase.READY, "AllReady")),
        ((Phase.IDLE, Phase.IDLE), (Phase.IDLE, "Asleep")),
        ((Phase.IDLE, Phase.FAILED), (Phase.READY, "Partial")),
        ((Phase.DEPLOYING, Phase.AWAITING_IMAGE), (Phase.DEPLOYING, "")),
        ((Phase.AWAITING_IMAGE, Phase.FAILED), (Phase.AWAITING_IMAGE, "")),
        ((Phase.FAILED, Phase.FAILED), (Phase.FAILED, "ServiceFailed")),
    ],
)
def test_of_several_services_the_best_counts(phases: tuple[Phase, ...], expected: tuple[Phase, str]) -> None:
    status = _overall(Status(), *phases)

    assert (status.phase, status.reason) == expected


def _overall(status: Status, *phases: Phase, now: Any = NOW) -> Status:
    decision = decide(Status(trigger="x"), FACTS)
    return overall(
        status,
        decision,
        _services(*phases),
        (),
        ttl=timedelta(hours=8),
        ttl_max=timedelta(hours=72),
        now=now,
    )


def test_the_clock_starts_with_the_first_ready_of_a_head_and_only_then() -> None:
    first = _overall(observe(Status(), FACTS, NOW), Phase.READY)
    later = _overall(first, Phase.READY, now=NOW + timedelta(hours=1))

    assert first.expires_at == NOW + timedelta(hours=8)
    assert later.expires_at == first.expires_at


def test_a_push_does_not_shorten_what_somebody_extended() -> None:
    extended = Status(ready_sha=OLDER, expires_at=NOW + timedelta(hours=20))

    status = _overall(observe(extended, FACTS, NOW), Phase.READY)

    assert status.expires_at == NOW + timedelta(hours=20)


def test_over_the_limit_the_oldest_waits_first_in_line() -> None:
    running = [a_preview(name=f"gh-1-{i}", placed=True) for i in range(2)]
    old = a_preview(name="gh-1-8", waiting_since=NOW)
    new = a_preview(name="gh-1-9", waiting_since=NOW + timedelta(seconds=1))
    everyone = [*running, old, new]

    assert place(old, everyone, 2) == Place(granted=False, position=1)
    assert place(new, everyone, 2) == Place(granted=False, position=2)
    assert place(old, everyone, 3).granted
    assert not place(new, everyone, 3).granted
    assert place(running[0], everyone, 0).granted
