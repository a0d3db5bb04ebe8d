"""Makes the facts for programs from what the texts are rendered from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from previewbot.api import ContainerPart, Phase, Service, Severity, Status, Turn, Verdict
from previewbot.text import facts
from previewbot.text.blast_radius import BlastRadius, Passing, blast_radius
from previewbot.text.standing import standing_of
from previewbot.text.unseen import one_line_of, seen
from previewbot.text.view import View

_SEVERITIES: Mapping[Severity, facts.SeverityName] = {
    Severity.GOOD: "good",
    Severity.PROGRESS: "progress",
    Severity.WARNING: "warning",
    Severity.BAD: "bad",
    Severity.ENDED: "ended",
}
_TURNS: Mapping[Turn, facts.TurnName] = {
    Turn.NOBODY: "nobody",
    Turn.AUTHOR: "author",
    Turn.MAINTAINER: "maintainer",
    Turn.REVIEWER: "reviewer",
    Turn.PLATFORM_TEAM: "platform_team",
}
_PASSING: Mapping[Passing, facts.PassingName] = {
    Passing.PASSED_ON: "passed_on",
    Passing.NOT_PASSED_ON: "not_passed_on",
    Passing.NOT_CHECKED: "not_checked",
    Passing.UNANSWERED: "unanswered",
}
_PARTS: Mapping[ContainerPart, facts.PartName] = {
    ContainerPart.APP: "service",
    ContainerPart.SIDECAR: "sidecar",
    ContainerPart.INIT: "init_container",
}
_TELLS_OF_PODS = (Phase.READY, Phase.IDLE, Phase.DEPLOYING, Phase.FAILED)
"""As comment and page do: of what ended, or waits for its next image, a pod's trouble is no news."""
_OVER = (Phase.STOPPING, Phase.STOPPED, Phase.EXPIRED)


def facts_of(view: View, words: str) -> facts.Facts:
    """Return what is known of a preview; `words` say it in one line for the same readers.

    Whose words may be quoted is decided before (`quoting`): here all that the Preview has is told.
    """
    preview, status = view.preview, view.preview.status
    standing, observed, link = standing_of(status), status.observed, status.link
    radius, agent = blast_radius(status), observed.agent
    return facts.Facts(
        version=facts.SCHEMA_VERSION,
        repository=preview.repository,
        repository_id=preview.spec.repository_id,
        number=preview.spec.number,
        phase=status.phase,
        reason=status.reason,
        severity=_SEVERITIES[standing.severity],
        turn=_TURNS[standing.turn],
        goes_on=standing.goes_on,
        words=words,
        head_sha=observed.head_sha,
        serving_sha=serving_sha(status.services),
        proven=link.proven,
        url=link.url,
        link_kind=link.kind,
        header=view.header,
        ready_at=_moment(status.lifecycle.ready_at),
        expires_at=_moment(status.lifecycle.expires_at),
        ended=_ended(status),
        agent=agent.name if agent is not None and agent.is_in_table else "",
        services=tuple(_service(each, told=status.phase in _TELLS_OF_PODS) for each in status.services),
        blast_radius=_touched(radius) if radius is not None else None,
        verdicts=tuple(_verdict(each, view) for each in status.verdicts),
        page_url=view.page_url,
        pull_request_url=view.pull_request_url,
    )


def serving_sha(services: Iterable[Service]) -> str:
    """Return the one commit of the pull request that answers now; empty if none does, or several do."""
    shas = {service.serving_sha for service in services if service.serving_sha}
    return shas.pop() if len(shas) == 1 else ""


def _ended(status: Status) -> facts.Ended | None:
    if status.phase not in _OVER:
        return None
    ended = status.lifecycle.ended
    return facts.Ended(_moment(ended.at if ended is not None else status.observed.closed_at))


def _verdict(verdict: Verdict, view: View) -> facts.VerdictFacts:
    return facts.VerdictFacts(
        login=one_line_of(verdict.who),
        by_proxy=verdict.by_proxy,
        says=verdict.says,
        sha=verdict.head_sha,
        current=verdict.head_sha == view.preview.status.observed.head_sha,
        said_at=verdict.said_at.astimezone(UTC).replace(microsecond=0),
        edited=verdict.edited,
        counts=verdict.counts,
        words=seen(verdict.words),
        path=one_line_of(verdict.path),
        url=view.verdict_url(verdict),
    )


def _service(service: Service, *, told: bool) -> facts.ServiceFacts:
    problem = _problem(service) if told else None
    return facts.ServiceFacts(service.name, service.phase, service.reason, service.serving_sha, problem)


def _problem(service: Service) -> facts.Problem | None:
    pod, failed = service.pod_problem, one_line_of(service.failure_message)
    if pod is None and service.phase is not Phase.FAILED:
        return None
    if pod is None:
        return facts.Problem(service.reason, "service", "", 0, failed, ())
    return facts.Problem(
        pod.reason,
        _PARTS[pod.part],
        one_line_of(pod.container),
        pod.exit_code,
        one_line_of(pod.detail) or failed,
        tuple(map(seen, pod.log)),
    )


def _touched(radius: BlastRadius) -> facts.Touched:
    return facts.Touched(
        requests=tuple(
            facts.Requests(_names(line.services), line.fact.by, line.fact.conditions)
            for line in radius.requests
        ),
        databases=tuple(
            facts.Databases(
                _names(line.services),
                tuple(facts.OwnDatabase(own.name, own.copied) for own in line.fact.own),
                line.fact.shared,
                line.fact.isolated,
            )
            for line in radius.databases
        ),
        queues=tuple(
            facts.Queues(
                _names(line.services),
                tuple(own.id for own in line.fact.own),
                line.fact.shared,
                line.fact.isolated,
            )
            for line in radius.queues
        ),
        environment=tuple(
            facts.EnvironmentOf(
                _names(line.services), line.fact.overridden, line.fact.left_out, line.fact.files
            )
            for line in radius.environment
        ),
        headers=tuple(
            facts.Header(_names(line.services), _PASSING[line.fact.passing]) for line in radius.headers
        ),
    )


def _names(services: Iterable[Service]) -> tuple[str, ...]:
    return tuple(service.name for service in services)


def _moment(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(microsecond=0) if moment is not None else None
