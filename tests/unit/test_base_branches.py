"""Whose configuration counts: the default branch's, or that of a base that is named and safe."""

from __future__ import annotations

import pytest

from previewbot.api import BaseBranch, Missing
from previewbot.api.github import Branch, PullRequest
from previewbot.config.agents import built_in
from previewbot.rules.base_branches import Named, Safeguards, configuration_ref, judged, named
from tests.support.observations import a_pull_request
from tests.support.previews import HEAD

IN_FULL, BY_PATTERN, BOTH = Named(True, False), Named(False, True), Named(True, True)
BOTH_RULES = frozenset({"creation", "pull_request"})


def onto(base: str, head: str = "fix") -> PullRequest:
    return a_pull_request(
        base=Branch(base, "b" * 40, 812, "acme/shop"), head=Branch(head, HEAD, 812, "acme/shop")
    )


@pytest.mark.parametrize(
    ("base", "head", "how"),
    [
        ("main", "copilot/x", None),
        ("release/1", "copilot/x", BY_PATTERN),
        ("release/1", "release/fix", BY_PATTERN),
        ("release/a/b", "fix", BY_PATTERN),
        ("Release/1", "fix", None),
        ("stable", "fix", IN_FULL),
        ("Stable", "fix", None),
        ("stable-1", "fix", None),
        ("release/lts", "fix", BOTH),
        ("v1", "fix", BY_PATTERN),
        ("v10", "fix", None),
        ("feature", "fix", None),
        ("copilot/base", "copilot/x", None),
        ("copilot/base", "claude/x", None),
        ("Copilot/base", "fix", None),
        ("codex/named-in-full", "fix", None),
    ],
)
def test_a_base_is_named_in_full_or_by_a_pattern_and_never_has_the_name_of_an_agents_branch(
    base: str, head: str, how: Named | None
) -> None:
    config_branches = ["release/*", "[cC]opilot/*", "stable", "release/lts", "v?", "codex/named-in-full"]

    assert named(onto(base, head), config_branches, built_in()) == how


def test_the_default_branch_is_not_asked_about_even_where_it_is_named() -> None:
    assert named(onto("main"), ["main", "*"], built_in()) is None


@pytest.mark.parametrize(
    ("how", "said", "missing"),
    [
        (IN_FULL, Safeguards(protected=True), []),
        (IN_FULL, Safeguards(protected=False), [Missing.PROTECTION]),
        (IN_FULL, Safeguards(), [Missing.ANSWER]),
        # What is asked about a pattern says nothing of a name in full, and the other way round.
        (IN_FULL, Safeguards(protected=False, rules=BOTH_RULES), [Missing.PROTECTION]),
        (BY_PATTERN, Safeguards(protected=True, rules=frozenset()),
         [Missing.CREATION, Missing.PULL_REQUESTS]),
        (BY_PATTERN, Safeguards(rules=BOTH_RULES), []),
        (BY_PATTERN, Safeguards(rules=BOTH_RULES | {"deletion"}), []),
        (BY_PATTERN, Safeguards(rules=frozenset({"creation"})), [Missing.PULL_REQUESTS]),
        (BY_PATTERN, Safeguards(rules=frozenset({"pull_request"})), [Missing.CREATION]),
        # Who may bypass these pushes as before.
        (BY_PATTERN, Safeguards(rules=frozenset({"creation", "update"})), [Missing.PULL_REQUESTS]),
        (BY_PATTERN, Safeguards(rules=frozenset({"non_fast_forward", "deletion", "required_signatures"})),
         [Missing.CREATION, Missing.PULL_REQUESTS]),
        (BY_PATTERN, Safeguards(), [Missing.ANSWER]),
        (BOTH, Safeguards(protected=True), []),
        (BOTH, Safeguards(protected=False, rules=BOTH_RULES), []),
        (BOTH, Safeguards(protected=False, rules=frozenset({"creation"})),
         [Missing.PROTECTION, Missing.PULL_REQUESTS]),
        (BOTH, Safeguards(), [Missing.ANSWER]),
    ],
)  # fmt: skip
def test_a_base_counts_only_where_nobody_changes_it_alone(
    how: Named, said: Safeguards, missing: list[Missing]
) -> None:
    base = judged("release/1", how, said)

    assert base == BaseBranch("release/1", tuple(missing))
    assert base.counts == (not missing)
    assert configuration_ref(onto("release/1"), base) == ("main" if missing else "release/1")


def test_a_base_that_nobody_named_does_not_count() -> None:
    assert configuration_ref(onto("release/1"), None) == "main"
