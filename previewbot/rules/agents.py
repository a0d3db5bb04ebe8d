"""Recognising the coding agent behind a pull request: by its account, its branch, its text, its commits.

An agent that is recognised *triggers* a preview and grants nothing: branch names and trailers can be forged
by whoever may push. Most agents open pull requests under a person's account, so no single signal is enough:
logins alone find 59 % of the 7,122 agent pull requests of the AIDev-pop data set. To a fork anybody may push,
so there the account alone tells.

Ids and trailers are those of https://github.com/chaoss/ai-detection-action (utils.go) and of the agents' own
documentation; branch prefixes also those of https://github.com/aavetis/PRarena.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from previewbot.api import AgentSeen
from previewbot.api.github import Account, Commit


@dataclass(frozen=True)
class Agent:
    """An agent and its signals.

    `ids` are account numbers, which stay; `logins` count only where no number is known, because an account
    can be renamed and another can take its name. `emails` are those of commit authors and co-authors (next
    to the addresses that GitHub makes of the ids), `body` and `trailers` regular expressions, and
    `author_names` ends of commit authors' names.
    """

    name: str
    ids: tuple[int, ...] = ()
    logins: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    trailers: tuple[str, ...] = ()
    author_names: tuple[str, ...] = ()


TABLE: tuple[Agent, ...] = (
    Agent("Copilot", ids=(198982749,), branches=("copilot/",)),
    Agent(
        "Cursor",
        ids=(206951365,),
        branches=("cursor/",),
        body=(r"https://(www\.)?cursor\.com/agents\b",),
        emails=("cursoragent@cursor.com",),
    ),
    Agent(
        "Codex",
        ids=(199175422,),
        branches=("codex/",),
        body=(r"https://chatgpt\.com/codex/tasks/",),
        emails=("codex@openai.com", "noreply@openai.com"),
    ),
    Agent(
        "Claude",
        ids=(209825114,),
        branches=("claude/",),
        body=(r"Generated with \[Claude Code\]\(",),
        emails=("noreply@anthropic.com",),
    ),
    Agent(
        "Devin",
        ids=(158243242,),
        branches=("devin/",),
        body=(r"https://app\.devin\.ai/",),
    ),
    Agent(
        "Jules",
        ids=(161369871,),
    ),
    Agent("Kiro", logins=("kiro-agent[bot]",)),
    Agent("Codegen", logins=("codegen-sh[bot]",)),
    Agent("OpenCode", logins=("opencode-agent[bot]",)),
    Agent("Tembo", logins=("tembo[bot]",)),
    Agent("Amazon Q Developer", ids=(208079219,)),
    Agent("Mentat", logins=("mentatbot[bot]",)),
    Agent(
        "Factory Droid",
        ids=(138933559,),
    ),
    Agent("Ellipsis", logins=("ellipsis-dev[bot]",)),
    Agent("OpenHands", logins=("openhands-agent",), branches=("openhands/",)),
    Agent("Sweep", ids=(128439645,), branches=("sweep/",)),
    Agent("Amp", emails=("amp@ampcode.com",)),
    Agent("aider", emails=("noreply@aider.chat", "aider@aider.chat"), author_names=(" (aider)",)),
    Agent("Replit Agent", trailers=(r"^replit-commit-author: agent\b",)),
)

NOT_AGENT_IDS = {
    49699333: "dependabot[bot]",
    29139614: "renovate[bot]",
    41898282: "github-actions[bot]",
    136622811: "coderabbitai[bot]",
}
"""Authors that are machines but no coding agents; a commit or a branch of an agent does not change that."""

NOT_AGENT_LOGINS = frozenset({"copilot-pull-request-reviewer[bot]", "pre-commit-ci[bot]", "snyk-bot"})
"""More of them, whose numbers are not known."""

_MESSAGE_END = 65_536
"""Characters of a commit's message that are looked at: trailers stand at its end
(https://git-scm.com/docs/git-interpret-trailers)."""

_ADDRESS = 320
"""Characters that an e-mail address may have (https://www.rfc-editor.org/rfc/rfc3696#section-3)."""

_CO_AUTHOR = re.compile(rf"^co-authored-by:[^<\n]*<([^<>\n]{{1,{_ADDRESS}}})>", re.IGNORECASE | re.MULTILINE)
# https://docs.github.com/en/account-and-profile/reference/email-addresses-reference#your-noreply-email-address
_NOREPLY = re.compile(r"([0-9]{1,18})\+[^@]+@users\.noreply\.github\.com")
_TRAILER_FLAGS = re.IGNORECASE | re.MULTILINE


def recognise(
    author: Account, branch: str, body: str, commits: Sequence[Commit] | None, *, is_fork: bool
) -> AgentSeen | None:
    """Return the agent behind a pull request with the first signal that told, or None.

    In this order: the author's account, the branch's name, the description's link, the commits (None where
    they were not read). Of a fork only the account tells.
    """
    # An agent may have pushed to Dependabot's pull request. It is still an update of a dependency, and not
    # the agent's work.
    if _is_no_agent(author):
        return None
    # Branch, description and commits are what a stranger wrote. A fork whose branch is called `copilot/x`
    # would otherwise get a Preview and a comment for the asking, and be shown as Copilot's.
    if is_fork:
        return _by_account(author)
    return (
        _by_account(author) or _by_branch(branch) or _by_body(body) or next(_by_commits(commits or ()), None)
    )


def signatures(message: str) -> str:
    """Return what of a commit's message agents sign with: `recognise` makes as much of it as of the message.

    A line at most for each account and address of an agent, however long the message is.
    """
    end = message[-_MESSAGE_END:]
    emails = {_account_or_address(email.lower()): email.lower() for email in _CO_AUTHOR.findall(end)}
    # By account: GitHub makes as many addresses of one as there are names to put into them.
    signing = (emails[key] for agent in TABLE for key in (*agent.ids, *agent.emails) if key in emails)
    co_authors = (f"Co-authored-by: <{email}>" for email in signing)
    trailers = (_first(pattern, end, _TRAILER_FLAGS) for agent in TABLE for pattern in agent.trailers)
    return "\n".join((*co_authors, *filter(None, trailers)))


def links(body: str) -> str:
    """Return what of a description agents leave there: `recognise` makes as much of it as of the whole."""
    found = (_first(pattern, body) for agent in TABLE for pattern in agent.body)
    return "\n".join(filter(None, found))


def needs_commits(author: Account, branch: str, *, is_fork: bool) -> bool:
    """Return whether only the commits could tell: account and branch say nothing, and are not excluded."""
    return not is_fork and not (_is_no_agent(author) or _by_account(author) or _by_branch(branch))


def why_none(author: Account, branch: str, *, is_fork: bool) -> str:
    """Return why `recognise` found no agent, in words for whoever expected one."""
    if _is_no_agent(author):
        return f"@{author.login} is a machine, but no coding agent"
    if is_fork:
        return f"of a fork the author's account alone tells, and @{author.login} is no agent's that is known"
    return (
        f"@{author.login} is no agent's account that is known, `{branch}` begins like no agent's branch, and "
        "neither the description nor a commit has an agent's link, address or trailer"
    )


def is_agents_account(account: Account) -> bool:
    """Return whether an account is an agent's own."""
    return _by_account(account) is not None


def is_agents_branch(branch: str) -> bool:
    """Return whether agents name their branches like this one, in whatever case."""
    # In whatever case, since this one refuses: `Copilot/fix` must not become a branch whose configuration
    # counts.
    return _by_branch(branch.lower()) is not None


def _is_no_agent(author: Account) -> bool:
    logins = {*NOT_AGENT_LOGINS, *NOT_AGENT_IDS.values()}
    return author.id in NOT_AGENT_IDS or author.login.lower() in logins


def _by_account(author: Account) -> AgentSeen | None:
    for agent in TABLE:
        # The number comes first: an account may be renamed, and somebody else may then take its name.
        known = author.id in agent.ids if agent.ids else author.login.lower() in agent.logins
        if known:
            return AgentSeen(name=agent.name, signal="its account")
    return None


def _by_branch(branch: str) -> AgentSeen | None:
    for agent in TABLE:
        for prefix in agent.branches:
            if branch.startswith(prefix):
                return AgentSeen(name=agent.name, signal=f"the branch name {prefix}…")
    return None


def _by_body(body: str) -> AgentSeen | None:
    for agent in TABLE:
        if any(re.search(pattern, body) for pattern in agent.body):
            return AgentSeen(name=agent.name, signal="a link in the description")
    return None


def _by_commits(commits: Sequence[Commit]) -> Iterator[AgentSeen]:
    for commit in commits:
        co_authors = [email.lower() for email in _CO_AUTHOR.findall(commit.message)]
        for agent in TABLE:
            if _wrote(agent, commit):
                yield AgentSeen(name=agent.name, signal="the author of a commit")
            elif _signs(agent, commit, co_authors):
                yield AgentSeen(name=agent.name, signal="a commit trailer")


def _wrote(agent: Agent, commit: Commit) -> bool:
    account = commit.author is not None and commit.author.id in agent.ids
    name = commit.author_name.endswith(agent.author_names)
    return account or name or _is_of(agent, commit.author_email.lower())


def _signs(agent: Agent, commit: Commit, co_authors: Sequence[str]) -> bool:
    trailer = any(re.search(pattern, commit.message, _TRAILER_FLAGS) for pattern in agent.trailers)
    return trailer or any(_is_of(agent, email) for email in co_authors)


def _is_of(agent: Agent, email: str) -> bool:
    """Return whether an address is an agent's: one it is known by, or GitHub's for one of its accounts."""
    return _account_or_address(email) in (*agent.ids, *agent.emails)


def _account_or_address(email: str) -> int | str:
    """Return the account that GitHub made an address of, or the address itself."""
    noreply = _NOREPLY.fullmatch(email)
    return int(noreply[1]) if noreply else email


def _first(pattern: str, text: str, flags: int = 0) -> str | None:
    found = re.search(pattern, text, flags)
    return found[0] if found else None
