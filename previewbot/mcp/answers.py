"""What the tools answer, as values: pure functions of what previewbot told.

Whatever others wrote, the cluster or the pull request's own program, stands in fields named `untrusted` and
nowhere else, each with the same note: an agent reads them as data. All of it was masked before it was
published; it is masked once more here, since a token that leaks to an agent leaks to its logs.
"""

from __future__ import annotations

from typing import Any

from previewbot.api import MOST_VERDICTS, Reason
from previewbot.api.names import is_sha
from previewbot.asking.facts import Facts, Problem, ServiceFacts, VerdictFacts
from previewbot.asking.source import Listing
from previewbot.asking.standing import Standing, State
from previewbot.mcp.models import (
    Diagnosis,
    Listed,
    PeoplesWords,
    PreviewAnswer,
    Previews,
    ServiceAnswer,
    ServiceDiagnosis,
    Untrusted,
    VerdictAnswer,
    Waited,
)
from previewbot.mcp.steps import after_waiting, next_step
from previewbot.rules.masking import excerpt, one_line
from previewbot.text.unseen import one_line_of

MOST_SERVICES, MOST_PREVIEWS = 50, 100

_LONGEST_WORDS = 1_000
_THE_COMMIT = "<commit>"
"""Stands for a commit while all else is masked."""


def preview_answer(reference: str, facts: Facts | None) -> PreviewAnswer:
    """Return how a preview stands; `facts` is None where previewbot said nothing."""
    if facts is None:
        return PreviewAnswer.model_validate(_nothing(reference) | {"services": [], "verdicts": []})
    told = _told(reference, facts)
    more = {
        "proven": facts.proven or "",
        "url": facts.url or "",
        "header": _line(facts.header),
        "bearer": facts.bearer or "",
        "bearer_until": _line(facts.bearer_until),
        "expires_at": _line(facts.expires_at),
        "page_url": facts.page_url or "",
        "services": [_service(each) for each in facts.services[:MOST_SERVICES]],
        "verdicts": [_verdict(each) for each in facts.verdicts[:MOST_VERDICTS]],
    }
    return PreviewAnswer.model_validate(told | more)


def diagnosis(reference: str, facts: Facts | None) -> Diagnosis:
    """Return why a preview does not run well."""
    if facts is None:
        return Diagnosis.model_validate(_nothing(reference) | {"severity": "", "services": []})
    services = [_diagnosed(each) for each in facts.services[:MOST_SERVICES]]
    return Diagnosis.model_validate(
        _told(reference, facts) | {"severity": _line(facts.severity), "services": services}
    )


def waited(reference: str, standing: Standing) -> Waited:
    """Return how waiting came out, with what to do next."""
    goes_on = standing.state in (State.TIMED_OUT, State.WAITING, State.NOTHING)
    turn = _line(standing.turn)
    return Waited(
        outcome="waiting" if goes_on else standing.state.value,
        words=_words(standing.words, standing.sha),
        turn=turn,
        next_step=after_waiting(standing, goes_on, turn),
        pull_request=reference,
        sha=standing.sha,
        url=standing.url,
        header=_line(standing.header),
        bearer=standing.bearer,
        proven=_line(standing.proven),
    )


def previews(listing: Listing) -> Previews:
    """Return a list of previews."""
    listed = [
        Listed(
            pull_request=_line(f"{each.repository}#{each.number}"),
            phase=_line(each.phase),
            reason=_line(each.reason),
            turn=_line(each.turn),
            words=_words(each.words, each.head_sha),
            head_sha=_line(each.head_sha),
            url=each.url or "",
        )
        for each in listing.previews[:MOST_PREVIEWS]
    ]
    left_out = max(0, len(listing.previews) - MOST_PREVIEWS)
    return Previews(previews=listed, left_out=left_out, complete=listing.complete)


def _nothing(reference: str) -> dict[str, Any]:
    words = f"previewbot has said nothing of {reference}"
    step = (
        "If it was opened or pushed a moment ago, call wait_for_preview with the commit. Else it has none: "
        "nothing that it changes is previewed, or nobody asked for one. A person with write access can "
        "comment /preview start."
    )
    empty = dict.fromkeys(PreviewAnswer.model_fields, "")
    return empty | {"pull_request": reference, "found": False, "words": words, "next_step": step}


def _told(reference: str, facts: Facts) -> dict[str, Any]:
    """Return what a preview's answer and its diagnosis have in common."""
    reason = _line(facts.reason)
    return {
        "pull_request": reference,
        "found": True,
        "phase": _line(facts.phase),
        "reason": reason,
        "meaning": _meaning(reason),
        "words": _words(facts.words, facts.head_sha),
        "turn": _line(facts.turn),
        "next_step": next_step(facts),
        "head_sha": _line(facts.head_sha),
        "serving_sha": _line(facts.serving_sha),
        "pull_request_url": facts.pull_request_url or "",
    }


def _verdict(verdict: VerdictFacts) -> VerdictAnswer:
    said = PeoplesWords(
        login=_line(verdict.login),
        path=_line(one_line(verdict.path or "")),
        words="\n".join(one_line(line) for line in (verdict.words or "").splitlines())[:_LONGEST_WORDS],
    )
    return VerdictAnswer(
        says=_line(verdict.says),
        by_proxy=verdict.by_proxy,
        sha=verdict.sha,
        current=verdict.current,
        said_at=_line(verdict.said_at),
        edited=verdict.edited,
        counts=verdict.counts,
        url=verdict.url or "",
        untrusted=said,
    )


def _service(service: ServiceFacts) -> ServiceAnswer:
    reason = _line(service.reason)
    return ServiceAnswer(
        name=_line(service.name),
        phase=_line(service.phase),
        reason=reason,
        meaning=_meaning(reason),
        serving_sha=_line(service.serving_sha),
    )


def _diagnosed(service: ServiceFacts) -> ServiceDiagnosis:
    problem = service.problem or Problem()
    reason = _line(problem.reason)
    said = Untrusted(
        cluster_says=one_line(problem.detail or ""), last_lines=list(excerpt("\n".join(problem.log)))
    )
    return ServiceDiagnosis(
        **_service(service).model_dump(),
        problem=reason,
        problem_meaning=_meaning(reason),
        part=_line(problem.part),
        exit_code=problem.exit_code or None,
        untrusted=said if said.cluster_says or said.last_lines else None,
    )


def _meaning(reason: str) -> str:
    """Return what a reason means; one that only a newer previewbot knows is told as such."""
    return Reason(reason).info.meaning if reason else ""


def _words(text: str | None, sha: str | None) -> str:
    """Return words for people with the preview's own commit in them as it is: it only looks drawn by lot.

    Who approves a fork needs it whole: `/preview start COMMIT`.
    """
    text = text or ""
    if not (sha and is_sha(sha)):
        return one_line(text)
    return one_line(text.replace(sha, _THE_COMMIT)).replace(_THE_COMMIT, sha)


def _line(text: str | None) -> str:
    """Return a short field as one line without what nobody sees."""
    return one_line_of(text or "")[:300]
