"""What somebody quotes, merges, backports or gets from a review bot is not an agent's signature.

Who could want it: nobody, at first; but each of these would start a preview of a person's pull request in
the shared cluster, write a comment there, and show their work as an agent's. And whoever may only suggest
words for a description could have it done.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from previewbot.config.agents import Signal, SignalKind, built_in
from previewbot.rules import agents
from previewbot.text.prose import GAP, prose
from tests.support.agent_cases import Case, cases
from tests.support.passes import World

TABLE = built_in()
FOOTER = "🤖 Generated with [Claude Code](https://claude.com/claude-code)"
OF_NOBODY = [case for case in cases() if not case.agent]
# Each kind of signal of each agent once is enough for whole passes.
OF_AGENTS = list({(case.agent, case.kind): case for case in cases() if case.agent}.values())


def a_pull_request(case: Case) -> World:
    """Return a world with this pull request, for which no label asks."""
    world = World()
    github = world.github
    github.labels, github.author, github.branch = (), case.signs.author, case.signs.branch
    # As it arrives: what is kept of GitHub's answer.
    github.body = agents.kept_of(TABLE)(case.signs.body)
    sign = agents.signatures(TABLE)
    github.commits_made = tuple(replace(made, message=sign(made.message)) for made in case.commits)
    world.poke()
    return world


@pytest.mark.parametrize("case", OF_NOBODY, ids=lambda case: case.what)
async def test_what_is_somebody_elses_signature_starts_nothing_and_leaves_nothing(case: Case) -> None:
    world = a_pull_request(case)

    await world.run()

    assert world.cluster.preview is None
    assert world.cluster.routes == {}
    assert world.github.comments_written == []


@pytest.mark.parametrize("case", OF_AGENTS, ids=lambda case: f"{case.agent}: {case.kind}")
async def test_a_signature_of_the_agents_own_is_told_with_its_agent(case: Case) -> None:
    world = a_pull_request(case)

    await world.run()

    agent = world.status.observed.agent
    assert agent is not None and (agent.key, agent.kind) == (case.agent, case.kind)


@pytest.mark.parametrize(
    "body",
    [
        "Generated with `x`[Claude Code](https://claude.ai)",
        "Generated <!-- x -->with [Claude Code](https://claude.ai)",
        "`x` Generated with [Claude Code](https://claude.ai)",
        "<!-- x -->Generated with [Claude Code](https://claude.ai)",
        "https://app.devin.ai`x`/sessions/1",
        "https://app.devin<!-- x -->.ai/sessions/1",
        "<!-- CURSOR_AGENT`x`_PR_BODY_BEGIN -->",
        "<pre>x</pre>Generated with [Claude Code](https://claude.ai)",
        "Generated with\n```\nx\n```\n[Claude Code](https://claude.ai)",
        "Generated with\n> x\n\n[Claude Code](https://claude.ai)",
    ],
)
def test_what_is_taken_out_never_makes_a_signature_of_two_halves(body: str) -> None:
    assert agents.kept_of(TABLE)(body) == ""


@pytest.mark.parametrize("between", ["`x`", "<!-- x -->", "<pre>x</pre>", "\n> x\n", "\n```\nx\n```\n"])
def test_no_signature_is_made_of_any_two_halves(between: str) -> None:
    keep = agents.kept_of(TABLE)
    for _, signal in TABLE.signals(SignalKind.LINK, SignalKind.FOOTER, SignalKind.MARKER):
        whole = keep(_written(signal))
        assert whole
        for at in range(1, len(whole)):
            assert whole not in keep(f"{whole[:at]}{between}{whole[at:]}"), (signal.value, at)


def _written(signal: Signal) -> str:
    if signal.kind is SignalKind.LINK:
        return f"https://{signal.value.replace('*', 'x')}0"
    return f"<!-- {signal.value} -->" if signal.kind is SignalKind.MARKER else signal.value


@pytest.mark.parametrize(
    ("markdown", "own"),
    [
        ("a `b` c", f"a {GAP} c"),
        ("a `b c", "a `b c"),
        ("a ``b ` c`` d", f"a {GAP} d"),
        ("a\n\n    b\n\nc", f"a\n\n{GAP}\n\nc"),
        ("- a\n\n  b\n", "- a\n\n  b\n"),
        ("1. a\n\n       b\n", f"1. a\n\n{GAP}\n"),
        ("> a\nb\n\nc", f"{GAP}\n{GAP}\n\nc"),
        ("> a\n# b", f"{GAP}\n# b"),
        ("~~~\na\n```\nb\n~~~\nc", f"{GAP}\nc"),
        ("````\na\n```\nb\n````\nc", f"{GAP}\nc"),
        ("a <!-- b -->c", f"a {GAP}c"),
        ("<!-- `a -->\nb` c", f"{GAP}\nb` c"),
        ("`<!-- a` b", f"{GAP} b"),
        ("<!--\n```\n-->\na", f"{GAP}\na"),
        ("<PRE>\n\na\n</Pre>b", f"{GAP}\n{GAP}>b"),
        ("İ<code>a</code>b", f"İ{GAP}>b"),
    ],
)
def test_ones_own_words_are_those_outside_of_quotes_code_and_comments(markdown: str, own: str) -> None:
    assert prose(markdown).text == own


def test_a_footer_below_all_that_is_taken_out_is_still_a_footer() -> None:
    body = f"`<!--`\n\n```\nx\n```\n\n> y\n\n<!-- z -->\n\n- a\n  - b\n\n---\n\n{FOOTER}\n"

    assert agents.kept_of(TABLE)(body) == "Generated with [Claude Code]("
