"""Whose words a text may quote: those of pods and of the cluster are taken out of what it is rendered from.

Out of the values and not in the templates: a template cannot quote what is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from previewbot.api import Preview, Reason, Service
from previewbot.text.cutting import cut_in_the_middle

_FAILED = "its preview session failed"


def without_logs(preview: Preview) -> Preview:
    """Return a Preview without what its containers said last, and without why mirrord calls a session failed.

    The operator's message may quote a pod, and its text is nobody's promise. What Kubernetes itself says of
    a pod, such as the scheduler, stays.
    """
    return _with_services(preview, _without_logs)


def with_short_details(preview: Preview, length: int) -> Preview:
    """Return a Preview in which what is said of pods has at most so many characters: beginning and end."""
    if not any(service.pod_problem for service in preview.status.services):
        return preview

    def shorter(service: Service) -> Service:
        problem = service.pod_problem
        if problem is None or len(problem.detail) <= length:
            return service
        return replace(
            service, pod_problem=replace(problem, detail=cut_in_the_middle(problem.detail, length))
        )

    return _with_services(preview, shorter)


def for_the_page(preview: Preview, *, logs: bool) -> tuple[Preview, bool]:
    """Return what the page is rendered from, and whether something about a pod is left out of it.

    Whoever can reach the page reads it. So of a repository that not everybody may read, and of a fork, whose
    code nobody of the repository wrote, no words of pods, of the cluster and of issues are on it.
    """
    observed = preview.status.observed
    everybodys = observed.public and not observed.fork
    preview = preview if everybodys else _without_words_of_issues(preview)
    if everybodys and logs:
        return preview, False
    troubled = any(service.pod_problem for service in preview.status.services)
    shown = _with_services(preview, _without_logs if everybodys else _without_words)
    return shown if everybodys else _without_words_of_the_gateway(shown), troubled


def for_programs_of_the_page(preview: Preview, *, logs: bool) -> Preview:
    """Return what whoever can reach the page may read as data.

    The page's templates name no container and quote no failure, also where its values have them.
    """
    shown, _ = for_the_page(preview, logs=logs)
    # Who said what of it is for those who may read the pull request.
    shown = replace(shown, status=replace(shown.status, verdicts=()))
    return _with_services(shown, _without_names)


def _without_names(service: Service) -> Service:
    problem = service.pod_problem and replace(service.pod_problem, container="")
    return replace(service, pod_problem=problem, failure_message="")


def _without_words_of_issues(preview: Preview) -> Preview:
    """Return a Preview that only names issues: its own by their number, others where they are public."""
    observed = preview.status.observed
    issues = tuple(
        replace(each, title="", opening=()) for each in observed.closing_issues if each.own or each.public
    )
    changed = replace(observed, closing_issues=issues)
    return replace(preview, status=replace(preview.status, observed=changed))


def _without_words_of_the_gateway(preview: Preview) -> Preview:
    link = replace(preview.status.link, message="")
    return replace(preview, status=replace(preview.status, link=link))


def _with_services(preview: Preview, change: Callable[[Service], Service]) -> Preview:
    services = tuple(map(change, preview.status.services))
    return replace(preview, status=replace(preview.status, services=services))


def _without_logs(service: Service) -> Service:
    problem = service.pod_problem and replace(service.pod_problem, log=())
    said = service.failure_message and service.reason is Reason.SESSION_FAILED
    return replace(service, pod_problem=problem, failure_message=_FAILED if said else service.failure_message)


def _without_words(service: Service) -> Service:
    problem = service.pod_problem and replace(service.pod_problem, container="", detail="", log=())
    return replace(service, pod_problem=problem, failure_message="")
