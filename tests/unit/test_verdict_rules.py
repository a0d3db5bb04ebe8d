"""Which verdicts move the check, and how it comes out: a table, and what holds of all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import MOST_VERDICTS, Observed, Says, Verdict
from previewbot.api.check_runs import Conclusion
from previewbot.clients.github import kept as kept_of_github
from previewbot.clients.github.asked_for import asked_for
from previewbot.clients.github.cutting import Cutting, Rule
from previewbot.clients.github.graphql_answers import Answer
from previewbot.config.agents import built_in
from previewbot.rules.verdicts import (
    SETTLED_AFTER,
    barred,
    co_authors_in,
    conclusion_of,
    is_settled,
    judged,
    kept,
    with_requesters,
)
from tests.support.previews import HEAD, NOW, OLDER

ANN, BEN, AUTHOR, STARTER = 2, 3, 1, 4
BARRED = frozenset({AUTHOR, STARTER})
GOOD, WORK = Says.GOOD, Says.WORK


def a_verdict(says: Says = GOOD, account: int = ANN, at: float = 0, **changes: Any) -> Verdict:
    said_at = NOW + timedelta(seconds=at)
    verdict = Verdict(
        comment=int(600 + at),
        node_id=f"IC_{int(600 + at)}",
        login=f"login{account}",
        account=account,
        says=says,
        head_sha=HEAD,
        path="/",
        words="",
        said_at=said_at,
        updated_at=said_at,
        asked_at=said_at + SETTLED_AFTER,
        writes=True,
    )
    return replace(verdict, **changes)


def outcome(*verdicts: Verdict, head_sha: str = HEAD) -> Conclusion | None:
    return conclusion_of(judged(verdicts, head_sha, BARRED))


SUCCESS, ACTION = Conclusion.SUCCESS, Conclusion.ACTION_REQUIRED
CASES: list[tuple[str, list[Verdict], Conclusion | None]] = [
    ("nobody said anything", [], None),
    ("a writer says good", [a_verdict()], SUCCESS),
    ("a writer says it needs work", [a_verdict(WORK)], ACTION),
    ("one says good and another work", [a_verdict(), a_verdict(WORK, BEN, 1)], ACTION),
    ("work first, good by another later", [a_verdict(WORK, BEN), a_verdict(at=1)], ACTION),
    ("the same person changes their mind", [a_verdict(WORK), a_verdict(at=1)], SUCCESS),
    ("and changes it back", [a_verdict(), a_verdict(WORK, at=1)], ACTION),
    ("the pull request's author says good", [a_verdict(account=AUTHOR)], None),
    ("the author says it needs work", [a_verdict(WORK, AUTHOR)], None),
    ("whoever started the agent says good", [a_verdict(account=STARTER)], None),
    ("a reader says good", [a_verdict(writes=False)], None),
    ("a reader says it needs work", [a_verdict(WORK, writes=False)], None),
    ("nobody could tell who writes", [a_verdict(writes=None)], None),
    ("it was edited", [a_verdict(edited=True)], None),
    ("work that was edited", [a_verdict(WORK, edited=True)], None),
    ("nobody could tell whether it was edited", [a_verdict(asked_at=None)], None),
    ("it is of an older commit", [a_verdict(head_sha=OLDER)], None),
    ("work of an older commit", [a_verdict(WORK, head_sha=OLDER), a_verdict(account=BEN)], SUCCESS),
    ("the last of a person was edited", [a_verdict(), a_verdict(WORK, at=1, edited=True)], None),
    ("one edited, another not", [a_verdict(edited=True), a_verdict(account=BEN, at=1)], SUCCESS),
    ("edited, and given anew", [a_verdict(edited=True), a_verdict(at=1)], SUCCESS),
    ("a reader's work holds up nothing", [a_verdict(), a_verdict(WORK, BEN, 1, writes=False)], SUCCESS),
]


@pytest.mark.parametrize(("verdicts", "conclusion"), [each[1:] for each in CASES], ids=[c[0] for c in CASES])
def test_the_check_comes_out_by_what_counts(verdicts: list[Verdict], conclusion: Conclusion | None) -> None:
    assert outcome(*verdicts) is conclusion
    assert outcome(*reversed(verdicts)) is conclusion


def test_without_a_commit_nothing_counts() -> None:
    assert outcome(a_verdict(head_sha=""), head_sha="") is None


@pytest.mark.parametrize(("first", "count"), [(GOOD, {BEN}), (WORK, {ANN, BEN})])
def test_nobody_brings_an_earlier_yes_back_by_deleting_a_later_verdict(first: Says, count: set[int]) -> None:
    before = kept([a_verdict(first), a_verdict(WORK, at=1), a_verdict(GOOD, BEN)], HEAD)
    left = tuple(each for each in before if each.comment != 601)

    found = judged(kept(left, HEAD), HEAD, BARRED)

    assert {each.account for each in found if each.counts} == count
    assert outcome(*kept([*left, a_verdict(WORK, at=2)], HEAD)) is ACTION


def test_a_verdict_is_replaced_by_its_authors_own_on_the_very_commit_alone() -> None:
    said = [a_verdict(), a_verdict(WORK, BEN, 1), a_verdict(WORK, at=2, head_sha=OLDER)]

    assert not any(each.replaced for each in kept(said, HEAD))


@given(
    st.lists(
        st.builds(
            a_verdict,
            st.sampled_from(Says),
            st.integers(1, 6),
            st.integers(0, 50),
            head_sha=st.sampled_from([HEAD, OLDER]),
            edited=st.booleans(),
            writes=st.sampled_from([True, False, None]),
            asked_at=st.sampled_from([None, NOW]),
        ),
        max_size=30,
        unique_by=lambda each: each.comment,
    )
)
def test_whatever_is_said_a_yes_is_a_persons_of_this_very_commit(said: list[Verdict]) -> None:
    found = judged(kept(said, HEAD), HEAD, BARRED)
    conclusion = conclusion_of(found)

    assert len(found) <= MOST_VERDICTS
    assert conclusion in (None, SUCCESS, ACTION)
    for each in found:
        if each.counts:
            assert each.writes and not each.edited and each.asked_at and each.head_sha == HEAD
            assert each.account not in BARRED
    if conclusion is SUCCESS:
        assert any(each.counts for each in found)
        assert all(each.says is GOOD for each in found if each.counts)


def test_those_who_may_only_read_push_nobody_out() -> None:
    writers = a_verdict(WORK)
    crowd = [a_verdict(account=100 + n, at=1 + n, writes=False) for n in range(60)]

    found = kept([writers, *crowd], HEAD)

    assert len(found) == MOST_VERDICTS
    assert writers in found
    assert found == tuple(sorted(found, key=lambda each: each.said_at, reverse=True))


@pytest.mark.parametrize("writes", [False, None])
def test_one_person_pushes_out_nobody_of_whom_it_is_not_known_yet_who_they_are(writes: bool | None) -> None:
    new = a_verdict(WORK, writes=None, asked_at=None)
    crowd = [a_verdict(account=100, at=1 + n, writes=writes, asked_at=None) for n in range(60)]

    assert new in kept([new, *crowd], HEAD)


def test_nobody_pushes_out_who_started_the_agent_by_naming_others() -> None:
    observed = with_requesters(Observed(author_id=AUTHOR), [STARTER], of_agents_account=True)
    for begin in range(100, 1_000, 20):
        observed = with_requesters(observed, range(begin, begin + 20), of_agents_account=True)

    assert STARTER in barred(observed)
    assert with_requesters(observed, [5_000], of_agents_account=True) is observed


def test_whoever_was_assigned_to_an_agents_pull_request_stays_barred() -> None:
    observed = Observed(author_id=AUTHOR)
    observed = with_requesters(observed, [STARTER], of_agents_account=True)
    observed = with_requesters(observed, [], of_agents_account=True)

    assert barred(observed) == {AUTHOR, STARTER}
    assert with_requesters(observed, [STARTER], of_agents_account=True) is observed


def test_a_crowd_that_commits_name_pushes_nobody_out_who_started_the_agent() -> None:
    observed = with_requesters(Observed(author_id=AUTHOR), [STARTER], of_agents_account=True)
    for push in range(10):
        crowd = range(1_000 + 20 * push, 1_020 + 20 * push)
        observed = with_requesters(observed, crowd, of_agents_account=True)

    assert STARTER in barred(observed)
    assert len(observed.requesters) <= 50
    assert with_requesters(observed, [999], of_agents_account=True) is observed


def test_who_a_commit_names_is_read_by_githubs_own_addresses() -> None:
    message = (
        "Sum up\n\nCo-authored-by: Ann <2+ann@users.noreply.github.com>\n"
        "co-authored-by: Ben <ben@example.com>\nCo-authored-by: Ann <2+ann@users.noreply.github.com>\n"
        "> Co-authored-by: x <9+x@users.noreply.github.com>\n"
    )

    assert co_authors_in(message) == [2]
    assert co_authors_in("Co-authored-by: " * 100_000) == []


def test_who_is_assigned_to_a_persons_pull_request_may_judge_it() -> None:
    observed = with_requesters(Observed(author_id=AUTHOR), [ANN], of_agents_account=False)

    assert barred(observed) == {AUTHOR}


@pytest.mark.parametrize(("asked_after", "settled"), [(0, False), (4.9, False), (5, True), (3_600, True)])
def test_an_answer_within_the_second_of_writing_is_not_final(asked_after: float, settled: bool) -> None:
    moment: datetime = NOW + timedelta(seconds=asked_after)

    assert is_settled(a_verdict(asked_at=moment)) is settled
    assert is_settled(a_verdict(asked_at=None)) is False
    assert is_settled(a_verdict(asked_at=None, edited=True)) is True


async def test_of_a_commits_message_only_whom_it_names_is_kept() -> None:
    message = "Sum up\n\nCo-authored-by: Ann <2+ann@users.noreply.github.com>"
    node = {"description": "", "commits": {"nodes": [{"commit": {"message": message}}, None]}}

    async def ask(query: str, variables: Mapping[str, Any], rule: Rule) -> Answer:
        cutting = Cutting(rule)
        cutting.feed(json.dumps({"nodes": [node]}).encode())
        kept_of_it = cutting.end()
        assert b"Sum up" not in kept_of_it
        return Answer(json.loads(kept_of_it), ())

    found = await asked_for(ask, "PR_42", (), kept_of_github.asked_for(built_in()))

    assert found.co_authors == (2,)
