"""What is kept of the issues that a pull request closes: no more than whoever reads the comment may read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import AgentSeen, ClosingIssue, IssuesUnknown, Observed, RequestSeen
from previewbot.api.asked_for import AskedFor, ReferencedIssue
from previewbot.api.github import Account, Branch, PullRequest
from previewbot.config.agents import built_in
from previewbot.rules.asked_for import (
    LISTED,
    LONGEST_LINE,
    LONGEST_TITLE,
    Requested,
    for_readers,
    opening_of,
    seen_of,
    title_of,
    with_answer,
)
from tests.support.previews import HEAD, NOW

PULL_REQUEST = PullRequest(
    number=42, state="open", merged=False, title="", body="", draft=False, author=Account(1, "bob"),
    head=Branch("fix", HEAD, 812, "acme/shop"), base=Branch("main", HEAD, 812, "acme/shop"),
    default_branch="main", labels=(), private=False, updated_at=NOW, closed_at=None, mergeable=True,
    merge_commit_sha=None, changed_files=1, html_url="", node_id="PR_42",
)  # fmt: skip
OWN = ReferencedIssue(812, "acme/shop", 12, private=False, title="Autumn", opening=("Leaves.",))
PUBLIC = ReferencedIssue(813, "acme/design", 4, private=False, title="Colours", opening=("Warm.",))
PRIVATE = ReferencedIssue(814, "acme/roadmap", 77, private=True, title="Buy Globex", opening=("Soon.",))
COPILOT = AgentSeen("Copilot", "its account", "copilot", "account")


def kept(asked: AskedFor, *, private: bool = False, agent: AgentSeen | None = None) -> Requested:
    return seen_of(asked, replace(PULL_REQUEST, private=private), agent, built_in())


def test_of_its_own_repository_an_issue_is_kept_with_title_and_first_lines() -> None:
    [issue] = kept(AskedFor((OWN,), 1)).issues

    assert issue == ClosingIssue("acme/shop", 12, True, True, False, "Autumn", ("Leaves.",))


def test_of_a_private_repository_no_line_of_its_text_is_kept() -> None:
    [issue] = kept(AskedFor((replace(OWN, private=True),), 1), private=True).issues

    assert (issue.title, issue.opening) == ("Autumn", ())


def test_of_another_repository_nothing_is_kept_but_its_name() -> None:
    [issue] = kept(AskedFor((PUBLIC,), 1)).issues

    assert issue == ClosingIssue("acme/design", 4, public=True)


def test_a_private_repository_is_not_named_where_everybody_reads_the_pull_request() -> None:
    found = kept(AskedFor((OWN, PRIVATE), 2))

    assert [issue.number for issue in found.issues] == [12]
    assert found.seen.total == 2
    assert "Globex" not in str(found) and "roadmap" not in str(found)


def test_a_private_repository_is_named_where_the_pull_request_is_private_too() -> None:
    [issue] = kept(AskedFor((PRIVATE,), 1), private=True).issues

    assert (issue.repository, issue.number, issue.title) == ("acme/roadmap", 77, "")


def test_a_repository_of_the_same_name_and_another_number_is_another_one() -> None:
    [issue] = kept(AskedFor((replace(OWN, repository_id=9_000),), 1)).issues

    assert (issue.own, issue.title) == (False, "")


def test_of_many_issues_the_first_are_kept_and_all_are_counted() -> None:
    found = kept(AskedFor(tuple(replace(OWN, number=n) for n in range(1, 30)), 60))

    assert len(found.issues) == LISTED
    assert found.seen.total == 60


def test_the_session_is_that_of_the_agent_that_was_recognised() -> None:
    session = "https://github.com/acme/shop/sessions/0f6a"
    asked = AskedFor(sessions=("https://app.devin.ai/sessions/a", session))

    assert kept(asked, agent=COPILOT).seen.session_url == session
    assert kept(asked).seen.session_url == ""
    assert kept(asked, agent=replace(COPILOT, kind="unknown_app")).seen.session_url == ""


def test_a_repository_that_became_everybodys_does_not_go_on_naming_private_ones() -> None:
    issues = kept(AskedFor((OWN, PRIVATE, PUBLIC), 3), private=True).issues

    assert [each.number for each in for_readers(issues, public=False)] == [12, 77, 4]
    assert [each.number for each in for_readers(issues, public=True)] == [12, 4]


BEFORE = Observed(closing_issues=(ClosingIssue("acme/shop", 12, True),), request=RequestSeen(1))
SILENT = Requested((), RequestSeen(unknown=IssuesUnknown.ANSWER))


@pytest.mark.parametrize(
    ("before", "answer", "after"),
    [
        (BEFORE, SILENT, BEFORE),
        (Observed(), SILENT, Observed(request=SILENT.seen)),
        (Observed(request=SILENT.seen), SILENT, Observed(request=SILENT.seen)),
        (BEFORE, Requested((), RequestSeen()), Observed(request=RequestSeen())),
        (
            BEFORE,
            Requested((), RequestSeen(unknown=IssuesUnknown.PERMISSION)),
            Observed(request=RequestSeen(unknown=IssuesUnknown.PERMISSION)),
        ),
    ],
)
def test_only_silence_leaves_what_was_known(before: Observed, answer: Requested, after: Observed) -> None:
    assert with_answer(before, answer) == after


@given(st.text(max_size=600), st.lists(st.text(max_size=400)).map("\n".join))
def test_whatever_an_issue_says_it_is_short_and_in_whole_lines(title: str, text: str) -> None:
    lines = [title_of(title), *opening_of(text)]

    assert len(lines) <= 4
    assert len(lines[0]) <= LONGEST_TITLE and all(len(line) <= LONGEST_LINE for line in lines)
    assert all(line == " ".join(line.split()) for line in lines)
    assert not set("\n\u202e\u200b\x00") & set("".join(lines))


def test_blank_lines_and_what_nobody_sees_are_no_first_lines() -> None:
    assert opening_of("\n\n \u200b\nOne\n\n\u202eTwo\r\nThree\nFour") == ["One", "Two", "Three"]
