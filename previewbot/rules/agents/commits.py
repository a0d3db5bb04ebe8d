"""What agents leave in commits: their name as the author, a co-author's trailer, trailers of their own.

Trailers are those of https://git-scm.com/docs/git-interpret-trailers: the last paragraph of a message, if it
holds little else. A message that only speaks of one has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from previewbot.api.github import Account, Commit
from previewbot.config.agents import Agent, AgentTable, Signal, SignalKind
from previewbot.rules.agents.addresses import addresses_in, matches, shortest
from previewbot.rules.agents.descriptions import is_line_of

_MESSAGE_END = 65_536
"""Characters of a commit's message that are looked at: trailers stand at its end."""

_ADDRESS = 320
"""Characters that an e-mail address may have (https://www.rfc-editor.org/rfc/rfc3696#section-3)."""

_CO_AUTHOR = ("co-authored-by", "assisted-by")
_EMAIL = re.compile(rf"<([^<>\s]{{1,{_ADDRESS}}})>")
# https://docs.github.com/en/account-and-profile/reference/email-addresses-reference#your-noreply-email-address
_NOREPLY = re.compile(r"([0-9]{1,18})\+[^@]+@users\.noreply\.github\.com")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_TRAILER = re.compile(r"([A-Za-z0-9-]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
_PICKED = "(cherry picked from commit "
_GITS_OWN = ("signed-off-by: ", _PICKED)
_GITS_SHARE = 3
_PARAGRAPHS = 4

BY_COMMIT = "the author of a commit"
"""How it is told that an agent made a commit."""


@dataclass(frozen=True)
class Signed:
    """An agent in a commit: whether it `wrote` it, or signed it with a trailer."""

    agent: Agent
    kind: SignalKind
    wrote: bool
    signal: str


def found_in(commit: Commit, table: AgentTable) -> Signed | None:
    """Return the agent that wrote or signed a commit; None for one that was picked from another branch."""
    trailers = _trailers(commit.message, table)
    if _is_picked(trailers):
        return None
    for agent in table.agents:
        kind = _wrote(agent, commit)
        if kind is not None:
            return Signed(agent, kind, True, BY_COMMIT)
    signing = [line for line in trailers if _may_sign(line, table)]
    for agent in table.agents:
        for line in signing:
            signed = _signs(agent, line)
            if signed is not None:
                kind, name = signed
                return Signed(agent, kind, False, f"the trailer {name} of a commit")
    return None


def signatures(table: AgentTable) -> Callable[[str], str]:
    """Return what makes of a message what of it is kept.

    `recognise` makes as much of that as of the whole. A line at most for each account, address and trailer of
    the table, however long the message is.
    """

    def kept(message: str) -> str:
        trailers = _trailers(message, table)
        if _is_picked(trailers):
            lines = [f"{_PICKED}0)"]
        else:
            signing = (line for line in trailers if _may_sign(line, table))
            lines = list(dict.fromkeys(filter(None, (_kept(line, table) for line in signing))))
        # What stands in the first paragraph would be the message's first line, and no trailer.
        return "\n".join(("…", "", *lines)) if lines else ""

    return kept


def _trailers(message: str, table: AgentTable) -> list[str]:
    """Return the trailers of a message, each on one line.

    GitHub puts co-authors into a paragraph of their own, behind the one in which an agent names its session.
    So agents' own trailers are looked for in all paragraphs at the end that have nothing but trailers.
    """
    end = message[-_MESSAGE_END:].replace("\r\n", "\n").rstrip()
    head, *rest = _PARAGRAPH.split(end)
    # The first paragraph says what the commit does; of a message that was cut it is not the first.
    paragraphs = rest if len(message) <= _MESSAGE_END else [head, *rest]
    found: list[str] = []
    for paragraph in reversed(paragraphs[-_PARAGRAPHS:]):
        block = _block(paragraph, table)
        if not block:
            break
        found = block if not found else [*(line for line in block if _is_own(line, table)), *found]
    return found


def _may_sign(line: str, table: AgentTable) -> bool:
    """Return whether an agent may sign by a trailer of this name.

    Asked before anything that costs more: whoever writes a message can write twenty thousand trailers, and of
    a fork's commits, too, the listing asks.
    """
    name = _name_of(line)
    return name in _CO_AUTHOR or name in table.trailer_names


def _name_of(line: str) -> str:
    return line.partition(":")[0].rstrip().lower()


def _is_own(line: str, table: AgentTable) -> bool:
    return _name_of(line) in table.trailer_names and any(
        _is_trailer(signal, line) for _, signal in table.signals(SignalKind.TRAILER)
    )


def _block(paragraph: str, table: AgentTable) -> list[str]:
    """Return the lines of a paragraph if they are trailers, as Git sees it; nothing if they are not."""
    lines = _unfolded(paragraph.split("\n"))
    # Agents also write their footer right above their trailers, without a blank line.
    lines = [
        line
        for line in lines
        if _TRAILER.match(line) or not any(is_line_of(line, footer) for footer in table.footers)
    ]
    gits_own = [line for line in lines if line.lower().startswith(_GITS_OWN)]
    trailers = [line for line in lines if _TRAILER.match(line) or line.startswith(_PICKED)]
    others = len(lines) - len(trailers)
    is_block = not others or (gits_own and len(trailers) * _GITS_SHARE >= others)
    return trailers if is_block else []


def _unfolded(lines: Sequence[str]) -> list[str]:
    """Return lines with those behind them that go on with them, as long values are written."""
    found: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and found:
            continue
        found.append(line.rstrip())
    return found


def _is_picked(trailers: Sequence[str]) -> bool:
    # Its author and its trailers are those of a commit that somebody made elsewhere.
    return any(line.startswith(_PICKED) for line in trailers)


def _wrote(agent: Agent, commit: Commit) -> SignalKind | None:
    if commit.author is not None and commit.author.id in agent.signing_ids:
        return SignalKind.ACCOUNT
    if is_of(agent, commit.author_email.lower()):
        return SignalKind.EMAIL
    return SignalKind.AUTHOR_NAME if commit.author_name.endswith(agent.author_names) else None


def _signs(agent: Agent, line: str) -> tuple[SignalKind, str] | None:
    """Return by what kind of signal a trailer is an agent's, and the trailer's name."""
    email = _co_author(line)
    if email and is_of(agent, email):
        return SignalKind.EMAIL, _name(line)
    own = next((signal for signal in agent.trailers if _is_trailer(signal, line)), None)
    return (SignalKind.TRAILER, own.value.partition(":")[0]) if own else None


def _name(line: str) -> str:
    return line.partition(":")[0].rstrip().capitalize()


def _kept(line: str, table: AgentTable) -> str | None:
    email = _co_author(line)
    account, name = account_of(email), _name_of(line)
    for agent in table.agents:
        if email and (email in agent.emails or account in agent.signing_ids):
            # By account: GitHub makes as many addresses of one as there are names to put into them.
            address = email if email in agent.emails else f"{account}+x@users.noreply.github.com"
            return f"{_name(line)}: <{address}>"
        for signal in agent.trailers if name in table.trailer_names else ():
            if _is_trailer(signal, line):
                own, _, value = signal.value.partition(": ")
                return f"{own}: {shortest(_place(value)) if _place(value) else value}"
    return None


def is_of(agent: Agent, email: str) -> bool:
    """Return whether an address is an agent's: one it is known by, or GitHub's for one of its accounts."""
    return email in agent.emails or account_of(email) in agent.signing_ids


def account_of(email: str) -> int | None:
    """Return the account that GitHub made an address of; None for any other address."""
    noreply = _NOREPLY.fullmatch(email)
    return int(noreply[1]) if noreply else None


def _co_author(line: str) -> str:
    found = _EMAIL.search(line, line.find(":")) if _name_of(line) in _CO_AUTHOR else None
    return found[1].lower() if found else ""


def _is_trailer(signal: Signal, line: str) -> bool:
    found = _TRAILER.fullmatch(line)
    name, _, value = signal.value.partition(": ")
    if found is None or found[1].lower() != name.lower():
        return False
    if _place(value):
        return any(matches(_place(value), address) for _, address in addresses_in(found[2]))
    said, wanted = found[2].lower(), value.lower()
    return said.startswith(wanted) and not said[len(wanted) : len(wanted) + 1].isalnum()


def _place(value: str) -> str:
    """Return the address that a trailer's value is, without its scheme; nothing if it is none."""
    return value.removeprefix("https://") if value.startswith("https://") else ""


def agents_in(commits: Sequence[Commit], author: Account, table: AgentTable) -> Iterator[Signed]:
    """Yield the agents that a pull request's commits tell of, those that wrote some first.

    What an agent wrote counts if at least half of the commits are its own and the author's: else the branch
    has everybody's work on it. A trailer counts in the author's own commits, or if most commits have it:
    else it came with somebody else's.
    """
    seen = [(commit, found_in(commit, table)) for commit in commits]
    written = [one for _, one in seen if one is not None and one.wrote]
    # What an agent wrote is not somebody else's.
    rest = [(commit, one) for commit, one in seen if one is None or not one.wrote]
    alone = all(commit.author is None or commit.author.id == author.id for commit, _ in rest)

    def is_own(commit: Commit) -> bool:
        # Whose a commit is GitHub knows by an address that its author may not have told it. Such commits are
        # the author's where nobody else's are among them.
        return commit.author.id == author.id if commit.author is not None else alone

    if 2 * (len(written) + sum(is_own(commit) for commit, _ in rest)) >= len(commits):
        yield from written
    for commit, one in rest:
        if one is None:
            continue
        alike = sum(other is not None and other.agent is one.agent for _, other in seen)
        if is_own(commit) or 2 * alike > len(commits):
            yield one
