"""What the listing makes of a row: nothing, more to ask, or a look, which is for all it cannot rule out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from previewbot.api.github import Account, Commit, Details, ListedRepository, OpenPullRequest, Repository
from previewbot.config.agents import built_in
from previewbot.config.repository import AgentPolicy, Triggers
from previewbot.config.server import AgentsSettings
from previewbot.rules.listing import (
    CHECKED_WITHIN,
    SETTLED,
    Verdict,
    is_settled,
    may_trigger,
    of_row,
    recognised,
    wants_check,
)
from previewbot.rules.unknown_apps import Setting
from tests.support.previews import HEAD, NOW

TABLE = built_in()
NO_SETTINGS, NO_POLICIES = AgentsSettings(), dict[str, AgentPolicy]()
ANN, COPILOT = Account(2, "ann"), Account(198982749, "Copilot", "Bot")
ROW = OpenPullRequest(42, HEAD, NOW, "PR_42", ANN, False, "fix/checkout", 812, "main")
SHOP = Repository(812, "acme/shop", "main", node_id="R_812")
APPS = replace(ROW, author=Account(777_001, "ghostwriter[bot]", "Bot"))
DRAFT, FORK = replace(ROW, draft=True), replace(ROW, head_repository_id=99)
PLAIN = Details("", (), (), asks=False, complete=True, configuration=None)
CONFIGURED = ListedRepository("blob-1")
CLAUDE = Commit(HEAD, "Fix\n\nCo-authored-by: Claude <noreply@anthropic.com>", "ann", "ann@example.com", ANN)
ANYTHING, DRAFTS = Triggers(drafts=False), Triggers()
LABEL = Triggers(agents=False, labels=("preview",), drafts=False)


def is_looked_at(
    row: OpenPullRequest,
    details: Details,
    triggers: Triggers,
    settings: AgentsSettings = NO_SETTINGS,
    policies: Mapping[str, AgentPolicy] = NO_POLICIES,
) -> bool:
    """Return whether the listing has a row looked at, by what was asked about it."""
    agent = recognised(row, SHOP, details, settings.known)
    return may_trigger(row, SHOP, details, agent, triggers, settings, policies)


@pytest.mark.parametrize(
    ("row", "repository", "config_branches", "verdict"),
    [
        (ROW, CONFIGURED, (), Verdict.ASK),
        (replace(ROW, author=COPILOT), CONFIGURED, (), Verdict.ASK),
        (ROW, ListedRepository(""), (), Verdict.NOTHING),
        (ROW, ListedRepository("blob-1", archived=True), (), Verdict.NOTHING),
        (replace(ROW, base_ref="release/1"), ListedRepository(""), (), Verdict.NOTHING),
        (replace(ROW, base_ref="release/1"), ListedRepository(""), ("release/*",), Verdict.LOOK),
        (replace(ROW, base_ref="copilot/1"), ListedRepository(""), ("*",), Verdict.NOTHING),
        (replace(ROW, node_id=""), CONFIGURED, (), Verdict.LOOK),
    ],
    ids=[
        "a person's",
        "an agent's",
        "no configuration",
        "archived",
        "a base that the settings do not name",
        "a base that may have a file of its own",
        "a base with an agent's name",
        "a row that cannot be asked about",
    ],
)
def test_what_a_row_tells(
    row: OpenPullRequest, repository: ListedRepository, config_branches: tuple[str, ...], verdict: Verdict
) -> None:
    assert of_row(row, repository, "main", config_branches, TABLE) is verdict


@pytest.mark.parametrize(
    ("row", "details", "triggers", "looked_at"),
    [
        (ROW, PLAIN, ANYTHING, False),
        (ROW, replace(PLAIN, labels=("bug", "size/M")), ANYTHING, False),
        (ROW, replace(PLAIN, labels=("bug", "Preview")), LABEL, True),
        (DRAFT, replace(PLAIN, labels=("preview",)), LABEL, False),
        (replace(ROW, author=COPILOT), PLAIN, ANYTHING, True),
        (replace(ROW, author=COPILOT), PLAIN, LABEL, False),
        (replace(DRAFT, author=COPILOT), PLAIN, ANYTHING, False),
        (replace(DRAFT, author=COPILOT), PLAIN, DRAFTS, True),
        (replace(ROW, head_ref="copilot/fix-1"), PLAIN, ANYTHING, True),
        (replace(FORK, head_ref="copilot/fix-1"), PLAIN, ANYTHING, False),
        (ROW, replace(PLAIN, commits=(CLAUDE,)), ANYTHING, True),
        (FORK, replace(PLAIN, commits=(CLAUDE,)), ANYTHING, False),
        (DRAFT, replace(PLAIN, asks=True), ANYTHING, True),
        (FORK, replace(PLAIN, asks=True), LABEL, True),
        (ROW, replace(PLAIN, complete=False), ANYTHING, True),
    ],
    ids=[
        "nothing at all",
        "labels that mean something else",
        "the label, as GitHub compares it",
        "a labelled draft",
        "an agent's account",
        "an agent's account where agents trigger nothing",
        "an agent's draft",
        "an agent's draft where drafts count",
        "an agent's branch",
        "an agent's branch in a fork",
        "an agent's commit",
        "an agent's commit in a fork",
        "a command on a draft",
        "a command on a fork",
        "more than was read",
    ],
)
def test_what_the_details_tell(
    row: OpenPullRequest, details: Details, triggers: Triggers, looked_at: bool
) -> None:
    assert is_looked_at(row, details, triggers) is looked_at


@pytest.mark.parametrize(
    ("row", "labels", "unknown_apps", "looked_at"),
    [
        (APPS, (), "label", False),
        (APPS, ("preview",), "label", True),
        (APPS, (), "preview", True),
        (replace(APPS, head_repository_id=99), (), "preview", False),
        (APPS, ("preview",), "off", False),
        (replace(ROW, author=COPILOT), (), "off", True),
        (ROW, ("preview",), "off", True),
    ],
)
def test_what_the_settings_say_of_apps_on_no_list_counts_here_too(
    row: OpenPullRequest, labels: tuple[str, ...], unknown_apps: Setting, looked_at: bool
) -> None:
    settings, details = AgentsSettings(unknown_apps=unknown_apps), replace(PLAIN, labels=labels)
    assert is_looked_at(row, details, Triggers(), settings) is looked_at
    assert is_looked_at(row, replace(details, asks=True), Triggers(), settings)


@pytest.mark.parametrize(
    ("row", "triggers", "policy", "looked_at"),
    [
        (replace(ROW, author=COPILOT), Triggers(), AgentPolicy(preview=False), False),
        (replace(ROW, author=COPILOT), Triggers(agents=False), AgentPolicy(preview=True), True),
        (replace(DRAFT, author=COPILOT), Triggers(), AgentPolicy(drafts=False), False),
        (replace(DRAFT, author=COPILOT), Triggers(drafts=False), AgentPolicy(drafts=True), True),
    ],
)
def test_what_the_repository_says_of_an_agent_counts_here_too(
    row: OpenPullRequest, triggers: Triggers, policy: AgentPolicy, looked_at: bool
) -> None:
    policies, labelled = {"copilot": policy}, replace(PLAIN, labels=("preview",))
    assert is_looked_at(row, PLAIN, triggers, policies=policies) is looked_at
    assert is_looked_at(replace(row, draft=False), labelled, triggers, policies=policies)


def test_a_change_of_a_moment_ago_may_not_be_seen_whole() -> None:
    assert not is_settled(NOW, NOW)
    assert not is_settled(NOW, NOW + timedelta(milliseconds=900))
    assert not is_settled(NOW + timedelta(minutes=1), NOW)
    assert is_settled(NOW, NOW + SETTLED)


@pytest.mark.parametrize(
    ("check", "age", "archived", "wanted"),
    [
        ("on", timedelta(0), False, False),
        ("required", timedelta(0), False, True),
        ("required", CHECKED_WITHIN - timedelta(seconds=1), False, True),
        ("required", CHECKED_WITHIN, False, False),
        ("required", timedelta(0), True, False),
    ],
)
def test_a_required_check_that_a_lost_webhook_cost_is_made_good_for_what_changed_lately(
    check: str, age: timedelta, archived: bool, wanted: bool
) -> None:
    listed = ListedRepository("", archived=archived)

    assert wants_check(ROW, listed, check, NOW + age) is wanted
