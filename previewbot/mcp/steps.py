"""What an agent is to do next, by how a preview stands. Pure."""

from __future__ import annotations

from previewbot.asking.facts import Facts
from previewbot.asking.standing import Standing, State

_NEXT_OF_TURN = {
    "author": "Mend it in the change and push: the next commit gets a new preview by itself.",
    "maintainer": (
        "What the repository's .github/preview.yaml says has to change, on the branch that the words name. "
        "A commit of this pull request alone does not: say so to whoever maintains it."
    ),
    "reviewer": "A person with write access has to do something: name it to them, and do not wait for it.",
    "platform_team": "No commit can mend it. Tell the people of the change that it is the platform team's.",
}
_GOES_ON = "Nothing to do: it goes on by itself. Call wait_for_preview with the commit."
_NOTHING_TO_DO = "Nothing to do."
_OPEN = "Open `url` as it is; it shows staging with this change in it."
_OPEN_AND_SEE = (
    "Open `url` as it is. The commit runs, but whether the link shows it is not known: look for what it "
    "changes there before you judge by what you see."
)
_WITH_BEARER = (
    "The preview is guarded: send `bearer` as the header x-previewbot-bearer with each request (Playwright: "
    "extraHTTPHeaders), or open `url` once with ?previewbot_bearer= and it in a browser of your own. Write "
    "it nowhere."
)
_NOT_PROVEN = (
    "The link answers, and it was not seen to show this change: do not take what you see there for it. The "
    "words say why."
)
_WITH_HEADER = "Ask `url` with the header of `header`; without it staging itself answers."


def next_step(facts: Facts) -> str:
    """Return what to do now, from the phase, the link and whose turn it is."""
    steps = []
    if facts.phase in ("Ready", "Idle") and facts.url:
        steps.append(_how_to_open(facts))
        if facts.bearer:
            steps.append(_WITH_BEARER)
    if facts.turn in _NEXT_OF_TURN and not (facts.turn == "reviewer" and steps):
        steps.append(_NEXT_OF_TURN[facts.turn])
    elif not steps:
        # An older previewbot does not say whether it goes on.
        over = facts.severity == "ended" if facts.goes_on is None else not facts.goes_on
        steps.append(_NOTHING_TO_DO if over else _GOES_ON)
    return " ".join(steps)


def _how_to_open(facts: Facts) -> str:
    if facts.link_kind == "Header":
        return _WITH_HEADER
    return _NOT_PROVEN if facts.proven == "No" else _how_to_judge(facts.proven)


def _how_to_judge(proven: str | None) -> str:
    return _OPEN if proven == "Yes" else _OPEN_AND_SEE


def after_waiting(standing: Standing, goes_on: bool, turn: str) -> str:
    """Return what to do now that a call has waited; `goes_on`: it did not come to an end."""
    if goes_on and turn in _NEXT_OF_TURN:
        # A container that ends again and again may heal by itself; mostly it does not.
        return f"It waits for somebody. Call diagnose_preview for the reason. {_NEXT_OF_TURN[turn]}"
    if goes_on:
        return "Call wait_for_preview again with the same commit, or do something else meanwhile."
    if standing.state is State.READY:
        step = _WITH_HEADER if standing.needs_header else _how_to_judge(standing.proven)
        return f"{step} {_WITH_BEARER}" if standing.bearer else step
    if standing.state is State.ENDED:
        return "This commit will not be previewed any more: if there is a newer one, wait for that."
    if standing.state is State.NEVER_TRIGGERED:
        return (
            "No preview was started for this commit. A person with write access can comment /preview start."
        )
    return f"{_NEXT_OF_TURN.get(turn, '')} Call diagnose_preview for the reason and the last lines.".strip()


def grace_left(grace: float, since_first_asked: float) -> float:
    """Return for how many seconds more a commit may have nothing of previewbot's, over several calls."""
    return max(0.0, grace - since_first_asked)
