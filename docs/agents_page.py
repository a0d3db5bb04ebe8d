"""The page `docs/agents-recognised.md`, generated from the table of agents; `make reference` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from previewbot.config.agents import AgentTable, NoAgentKind, Signal, SignalKind, built_in

_INTRODUCTION = """\
# How agents are recognised

A pull request that an agent made starts a preview (`triggers.agents` of `preview.yaml`), and its comment
says which agent it is and by which signal. Being recognised grants nothing: whoever may push can name a
branch `copilot/x`. So of a fork, to which anybody may push, the author's account alone tells. How an agent
learns of its preview is in [`agents.md`](agents.md).

In this order, and the first that tells decides:

1. **account**: the author's number is one of the agent's; a name counts only where no number is known,
   since accounts are renamed.
2. **branch**: the whole name is like one of the agent's.
3. **description**: a *mark* that the agent leaves, a *link* to where it works, a *line* that it writes.
   Links are compared by host and path; lines only where they begin a line. Quotes, code (fenced,
   indented, inline), comments of HTML and what is folded away (`<details>`) are taken out before: what
   somebody quotes or pastes is not their signature.
4. **commits**: the author's account, address or name, then *trailers*. Trailers are those of the last
   paragraph, as [Git has them](https://git-scm.com/docs/git-interpret-trailers); agents' own
   (`Claude-Session:`) also above it, since GitHub puts co-authors into a paragraph of their own. What an
   agent wrote counts if at least half of the commits are its and the author's; a trailer counts in the
   author's own commits, or if most commits have it. A commit that was picked from another branch (`git
   cherry-pick -x`) counts for nobody.

No agent's by its description and commits, whatever these say: backports, releases, merges of branches on
which everybody works (their head is the default branch, `develop`, `release/1.2`), and pull requests of
Apps that are on no list. Machines of other trades (Dependabot, Renovate, reviewers) are no agents at all,
also if an agent pushes to their branch. The account of workflows (`github-actions[bot]`) tells nothing,
and all else does: agents open pull requests by it.

`previewbot explain` says for a pull request by what it was recognised, or why not.

## Add an agent, or take a signal away

Below `agents.table` in the [settings](settings.md), by the agent's key:

    agents:
      table:
        claude: {accounts: [4242]}                    # your own App, in which Claude works
        devin: {recognised: false}                    # no pull request is Devin's
        codex: {without: ["chatgpt.com/codex/tasks/"]} # this signal of the table does not count
        acme-coder: {name: Acme Coder, branches: ["acme-coder/*"], emails: [coder@acme.example]}

An agent that is not recognised keeps its branches' names: no base branch that is called like them has a
configuration of its own (`config_branches`).

To add one for everybody, add a row to `previewbot/config/agents/agents.toml`, with the public page or
pull request that shows it, and the pull request to `tests/unit/agents/pull_requests.toml`. `python -m
bench.recall` prints how many of the public pull requests there are recognised. They were found by looking
for signals, so it says what the table misses of these, and not what share of all pull requests of agents
is found.

What is not known: the shapes of Codex' branches that are begun from Slack or Linear, Windsurf's and Zed's
signals (none that is reliable was found), Codex' path `/codex/cloud/tasks/` and Amp's `Amp-Thread-ID` in
a public pull request (both are from the products), and whether the addresses of smaller agents are signed
by all of their versions. VS Code signed `Copilot <copilot@github.com>` in spring 2026 [without
Copilot](https://github.com/microsoft/vscode/issues/313064), so that address tells nothing.
"""

_SEEN_IN = {
    SignalKind.ACCOUNT: "account",
    SignalKind.CO_AUTHOR: "commits, by this account",
    SignalKind.LOGIN: "account, by name",
    SignalKind.BRANCH: "branch",
    SignalKind.NAMESPACE: "no base branch with a configuration of its own",
    SignalKind.LINK: "link in the description",
    SignalKind.FOOTER: "line of the description",
    SignalKind.MARKER: "mark in the description",
    SignalKind.EMAIL: "commits, by this address",
    SignalKind.TRAILER: "trailer of a commit",
    SignalKind.AUTHOR_NAME: "end of a commit author's name",
}
_NO_AGENTS = {
    NoAgentKind.MACHINE: "a machine of another trade",
    NoAgentKind.WORKFLOW: "the account of workflows",
    NoAgentKind.BACKPORT: "a backport",
    NoAgentKind.RELEASE: "a release, or an update with release notes",
    NoAgentKind.LONG_LIVED: "a branch on which everybody works",
}


_WAKING = """\
Who may write to the repository can hand their words to the agent on a preview's page. It is called
experimental: that an agent hears a mention which somebody wrote through an App was not tried with each of
them. Others are named with `mention` below `agents.table` of the settings.
"""


def agents_page() -> str:
    """Return the page: the rules, and a row for every signal."""
    table = built_in()
    parts = [
        _INTRODUCTION,
        f"## Signals (sources gone through until {table.read})\n",
        "| agent | key | seen in | value | where |\n|---|---|---|---|---|",
        *_agents(table),
        "\n## What wakes them\n",
        _WAKING,
        "| agent | a comment begins with |\n|---|---|",
        *_mentions(table),
        "\n## What is no agent's work\n",
        "| what | seen in | value | where |\n|---|---|---|---|",
        *_others(table),
    ]
    return "\n".join(parts) + "\n"


def _agents(table: AgentTable) -> Iterator[str]:
    for agent in table.agents:
        for signal in agent.signals:
            yield _row((agent.name, f"`{agent.key}`"), signal)


def _mentions(table: AgentTable) -> Iterator[str]:
    for agent in table.agents:
        if agent.mention is not None:
            words = f"`{agent.mention}`" if agent.mention else "anything: it hears each comment"
            yield f"| {agent.name} | {words} |"


def _others(table: AgentTable) -> Iterator[str]:
    for row in table.no_agents:
        for signal in row.signals:
            yield _row((_NO_AGENTS[row.kind],), signal)


def _row(first: Iterable[str], signal: Signal) -> str:
    # A bar would end the cell, also in code.
    value = signal.value.replace("|", "\\|")
    shown = f" ({signal.shown})" if signal.kind is SignalKind.ACCOUNT and signal.shown else ""
    cells = (*first, _SEEN_IN[signal.kind], f"`{value}`{shown}", f"[source]({signal.source})")
    return f"| {' | '.join(cells)} |"
