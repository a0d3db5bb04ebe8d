"""Real pull requests of agents are recognised, and what looks like them is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.recall import recall_of
from previewbot.config.agents import built_in
from previewbot.rules import agents
from tests.support.agent_cases import Case, cases

TABLE = built_in()
OF_AGENTS = [case for case in cases() if case.agent]
OF_NOBODY = [case for case in cases() if not case.agent]


def _id(case: Case) -> str:
    return f"{case.agent or 'nobody'}: {case.what}"


@pytest.mark.parametrize("case", OF_AGENTS, ids=_id)
def test_an_agents_pull_request_is_recognised_by_its_signal(case: Case) -> None:
    seen = agents.recognise(case.signs, case.commits, TABLE)

    assert seen is not None and (seen.key, seen.kind) == (case.agent, case.kind)
    assert seen.name == TABLE.by_key[case.agent].name


@pytest.mark.parametrize("case", OF_NOBODY, ids=_id)
def test_what_only_looks_like_an_agents_is_nobodys(case: Case) -> None:
    assert agents.recognise(case.signs, case.commits, TABLE) is None


@pytest.mark.parametrize("case", OF_NOBODY, ids=_id)
def test_why_it_is_nobodys_is_told(case: Case) -> None:
    assert agents.why_none(case.signs, TABLE)


@pytest.mark.parametrize("case", cases(), ids=_id)
def test_as_much_is_made_of_what_is_kept_as_of_the_whole(case: Case) -> None:
    keep, sign = agents.kept_of(TABLE), agents.signatures(TABLE)
    body = replace(case.signs, body=keep(case.signs.body))
    commits = [replace(commit, message=sign(commit.message)) for commit in case.commits]

    seen = agents.recognise(body, commits, TABLE)
    assert seen == agents.recognise(case.signs, case.commits, TABLE)


@pytest.mark.parametrize("case", OF_AGENTS, ids=_id)
def test_of_a_fork_the_account_alone_tells(case: Case) -> None:
    seen = agents.recognise(replace(case.signs, is_fork=True), case.commits, TABLE)

    assert (seen is not None) == (case.kind == "account")


def test_what_was_seen_in_public_is_found_no_worse_than_before() -> None:
    for row in recall_of(cases(), TABLE):
        assert row.now >= row.before, row.agent
        assert row.now == row.n, row.agent


def test_no_case_stands_there_twice_and_each_names_where_it_is_from() -> None:
    seen = [(case.source, case.what, case.signs, case.commits) for case in cases()]

    assert len(seen) == len({str(one) for one in seen})
    assert all(case.source.startswith("https://") for case in cases())
