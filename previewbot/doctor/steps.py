"""Why there is a preview, or none, step by step: told of what a pass gathered and planned, and of nothing
else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from previewbot.api import Child, Link, Preview, Reason, Service, Severity, Status, Turn
from previewbot.config.repository import PATH, Triggers
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, State, safe
from previewbot.reconciler.observation import ImageFound, ImageMissing, Observation, PullRequestFacts
from previewbot.reconciler.plan.decision import Run
from previewbot.reconciler.plan.planner import Plan
from previewbot.rules import agents
from previewbot.rules.policy import by_itself, drafts_count, needs_approval
from previewbot.rules.repositories import rule_of, why_nothing
from previewbot.rules.unknown_apps import MEANS as UNKNOWN_APPS_MEAN
from previewbot.rules.unknown_apps import is_unknown

_SHORT_SHA = 7
_SHA = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True)
class Foreseen:
    """What a pass would find and decide now; `preview` has the planned status, `stored` whether there is one.

    `headline` is what the comment would say first.
    """

    settings: Settings
    observation: Observation
    plan: Plan
    preview: Preview
    stored: bool
    headline: str


def steps(foreseen: Foreseen) -> list[Check]:
    """Return each step that a pass takes, in its order, up to where it ends."""
    return [*_steps(foreseen)]


def last_sentence(foreseen: Foreseen) -> str:
    """Return what is waited for, and whose turn it is."""
    reason = _reason(foreseen)
    if reason is Reason.NOT_TRIGGERED:
        # The status does not know which label counts; the file does.
        return f"{_sentence(reason.info.meaning)} {_whoever_wants_one(foreseen)}"
    words = safe(foreseen.headline or (reason.info.meaning if reason else "nothing is known yet"))
    turn = reason.info.turn if reason else Turn.NOBODY
    if turn is Turn.NOBODY and reason is not None and reason.info.severity is Severity.ENDED:
        return f"{_sentence(words)} Nothing is waited for."
    return f"{_sentence(words)} It is the turn of {turn}."


def _sentence(words: str) -> str:
    said = words if words.endswith((".", "!", "?")) else f"{words}."
    return f"{said[:1].upper()}{said[1:]}"


def _whoever_wants_one(foreseen: Foreseen) -> str:
    """Return how somebody with write access asks for a preview."""
    facts = foreseen.observation.facts
    triggers = facts.config.triggers if facts and facts.config else Triggers()
    label = f"the label `{triggers.labels[0]}`, or " if triggers.labels else ""
    fork = facts is not None and facts.pull_request.is_fork
    command = f"/preview start {facts.pull_request.head.sha}" if facts and fork else "/preview start"
    return f"It is the turn of whoever wants one and has write access: {label}a comment `{command}`."


def _reason(foreseen: Foreseen) -> Reason | None:
    decided = getattr(foreseen.plan.decision, "reason", None)
    return decided or foreseen.preview.status.reason


def _steps(foreseen: Foreseen) -> Iterator[Check]:
    observation, status = foreseen.observation, foreseen.preview.status
    facts = observation.facts
    yield _settings(foreseen)
    if observation.read_error is not None:
        yield Check("GitHub", State.WRONG, f"cannot be read now: {safe(str(observation.read_error))}")
    if facts is None:
        return
    yield _pull_request(facts)
    if facts.bounds is None or facts.pull_request.state == "closed":
        return
    yield from _configuration(facts)
    yield from _agent(facts, foreseen.settings)
    yield _trigger(facts, status, foreseen.settings)
    if status.lifecycle.ended is not None:
        ended = status.lifecycle.ended
        by = f" by @{ended.by}" if ended.by else ""
        yield Check(
            "its end", State.NOTE, f"{ended.reason.info.meaning}{by}, at {ended.at:%Y-%m-%d %H:%M} UTC"
        )
    yield _approval(facts, status)
    if facts.config is None:
        return
    yield _changes(facts)
    if isinstance(foreseen.plan.decision, Run):
        yield from _running(foreseen, facts)


def _settings(foreseen: Foreseen) -> Check:
    spec, settings = foreseen.preview.spec, foreseen.settings
    why = why_nothing(settings, spec.repository)
    if why:
        return Check("settings", State.WRONG, f"{spec.repository} gets nothing: {why}")
    number = rule_of(settings, spec.repository)
    if number is None:
        return Check("settings", State.OK, "there is no `repositories`: all that they allow is open to it")
    return Check("settings", State.OK, f"rule {number} of `repositories` is for it")


def _pull_request(facts: PullRequestFacts) -> Check:
    pull = facts.pull_request
    fork = f"{pull.head.repository or 'a deleted fork'}:" if pull.is_fork else ""
    where = f"from {fork}{pull.head.ref}"
    how = "merged" if pull.merged else pull.state
    draft = ", a draft" if pull.draft else ""
    words = (
        f"{how}{draft}, by @{pull.author.login}, {where} ({pull.head.sha[:_SHORT_SHA]}) into {pull.base.ref}"
    )
    return Check("pull request", State.OK if pull.state == "open" else State.NOTE, words)


def _configuration(facts: PullRequestFacts) -> Iterator[Check]:
    name, branch = PATH, facts.pull_request.default_branch
    base = facts.base_branch
    if base is not None:
        yield Check(
            "base branch",
            State.NOTE,
            f"config_branches names {base.name}; its own file counts only if protected",
        )
    for problem in facts.problems:
        place = f"line {problem.line}: " if problem.line else ""
        whose = " (the settings do not allow it)" if facts.not_allowed else ""
        yield Check(name, State.WRONG, f"{place}{problem.message}{whose}")
    if facts.problems:
        return
    if facts.config is None:
        near = f"; there is {facts.elsewhere}, which is not read" if facts.elsewhere else ""
        yield Check(name, State.WRONG, f"there is none on {branch}{near}")
        return
    names = ", ".join(service.name for service in facts.config.services)
    yield Check(name, State.OK, f"on {branch} ({facts.config_sha[:_SHORT_SHA]}), with {names}")


def _agent(facts: PullRequestFacts, settings: Settings) -> Iterator[Check]:
    """Yield which agent is behind it, and by which signal; or what the settings say of an App on no list."""
    pull, wanted = facts.pull_request, settings.agents.unknown_apps
    if facts.agent is not None:
        yield Check("agent", State.OK, facts.agent.in_words)
    elif is_unknown(pull.author, settings.agents.known):
        forks = ", but not those of forks" if wanted == "preview" else ""
        words = f"@{pull.author.login} is an App on no list; `agents.unknown_apps: {wanted}` of the settings"
        yield Check("agent", State.NOTE, f"{words} {UNKNOWN_APPS_MEAN[wanted]}{forks}")


def _trigger(facts: PullRequestFacts, status: Status, settings: Settings) -> Check:
    pull, policy = facts.pull_request, facts.policy
    if status.observed.trigger:
        return Check("trigger", State.OK, status.observed.trigger)
    triggers = facts.config.triggers if facts.config else Triggers()
    key = f"`agents.{facts.agent.key}" if facts.agent else ""
    if facts.command_only:
        return Check("trigger", State.WRONG, "of this App only a command starts one, and none did")
    if pull.draft and not drafts_count(triggers, facts.agent, policy):
        where = f"{key}.drafts`" if policy.drafts is not None else "`triggers.drafts`"
        return Check("trigger", State.WRONG, f"it is a draft, and {where} is false")
    if facts.agent is None:
        told = f"no agent was recognised: {agents.why_none(agents.Signs.of(pull), settings.agents.known)}"
    elif not by_itself(triggers, policy):
        where = f"{key}.preview`" if policy.preview is not None else "`triggers.agents`"
        told = f"{facts.agent.name} does not count, as {where} is false"
    else:
        told = f"none of the changed services is among {key}.services`: {', '.join(policy.services or ())}"
    wanted = ", ".join(triggers.labels) or "no label"
    has = ", ".join(pull.labels) or "none"
    return Check(
        "trigger",
        State.WRONG,
        f"{told}; labels that would count: {wanted} (it has {has}); no command started it",
    )


def _approval(facts: PullRequestFacts, status: Status) -> Check:
    pull = facts.pull_request
    if not pull.is_fork:
        return Check("approval", State.OK, "none is needed: whoever pushed this branch has write access")
    if needs_approval(pull, status.lifecycle.approved_sha):
        words = f"a fork's commit: somebody with write access comments `/preview start {pull.head.sha}`"
        return Check("approval", State.WRONG, words)
    return Check("approval", State.OK, f"somebody with write access approved {pull.head.sha[:_SHORT_SHA]}")


def _changes(facts: PullRequestFacts) -> Check:
    if not facts.files and facts.shared:
        shared = f"only what all services share ({facts.shared} files)"
        return Check("changes", State.WRONG, f"{shared}: `/preview start <service>` starts one of them")
    if not facts.files:
        changed = facts.pull_request.changed_files
        return Check(
            "changes", State.WRONG, f"none of the {changed} changed files matches the `paths` of a service"
        )
    told = ", ".join(f"{name} ({count} files)" for name, count in facts.files.items())
    left = facts.left_out
    more = f"; not previewed, as {left.limit} services are allowed: {', '.join(left.names)}" if left else ""
    return Check("changes", State.OK, told + more)


def _running(foreseen: Foreseen, facts: PullRequestFacts) -> Iterator[Check]:
    status, observation = foreseen.preview.status, foreseen.observation
    for service in status.services:
        yield _image(service, observation)
        target = observation.targets.get(service.name)
        if target is not None and target.problem:
            yield Check(f"target of {service.name}", State.WRONG, target.problem)
        elif service.container:
            words = f"{service.target} in {service.namespace}, container {service.container}"
            yield Check(f"target of {service.name}", State.OK, words)
    yield _slot(status)
    for service in status.services:
        yield _service(service)
    yield from _link(status)


def _image(service: Service, observation: Observation) -> Check:
    name = f"image of {service.name}"
    lookup = observation.images.get(service.name)
    if isinstance(lookup, ImageFound):
        return Check(name, State.OK, f"{_short(lookup.image)} is there ({lookup.digest[:19]})")
    waiting = lookup.waiting if isinstance(lookup, ImageMissing) else service.waiting
    if waiting is None:
        return Check(name, State.NOT_CHECKED, "nobody looked for it now")
    build = f" ({waiting.name} {waiting.url})" if waiting.url else ""
    tags = f"; it has {', '.join(map(_short, waiting.tags))}" if waiting.tags else ""
    return Check(name, State.WRONG, f"{waiting.reason.info.meaning}: {_short(waiting.detail)}{build}{tags}")


def _short(reference: str) -> str:
    """Return an image with its commits shortened: as a whole they would be taken for secrets."""
    return _SHA.sub(lambda found: f"{found[0][:_SHORT_SHA]}…", reference)


def _slot(status: Status) -> Check:
    slot = status.slot
    if slot.held:
        return Check("slot", State.OK, "it holds one")
    if slot.waiting_since is None:
        return Check("slot", State.OK, "it needs none yet")
    place = f", place {slot.queue_position} in line" if slot.queue_position else ""
    words = f"it waits for one: the limit of {slot.limit} ({slot.bound}) is reached{place}"
    return Check("slot", State.WRONG, words)


def _service(service: Service) -> Check:
    runs = service.phase.runs
    told = f"{service.phase}"
    if service.reason is not None:
        told += f": {service.reason.info.meaning}"
    detail = service.failure_message
    if service.pod_problem is not None:
        problem = service.pod_problem
        detail = f"container {problem.container}: {problem.detail}" if problem.container else problem.detail
    words = f"{told}; {detail}" if detail else told
    return Check(f"session of {service.name}", State.OK if runs else State.NOTE, words)


def _link(status: Status) -> Iterator[Check]:
    for child in status.children:
        if child.kind == "HTTPRoute":
            yield _route(child)
    link = status.link
    if link.reason is not None:
        words = link.reason.info.meaning + (f": {link.message}" if link.message else "")
        yield Check("link", State.WRONG, f"{words}{_proven(link)}")
    elif link.kind is not None:
        yield Check("link", State.OK, f"{link.url or 'staging, with the header'}{_proven(link)}")
    else:
        yield Check("link", State.NOTE, "there is none while nothing serves")


def _proven(link: Link) -> str:
    """Return what asking the link came to, in the words of `status.link`; empty while nobody asked."""
    if link.proven is None or link.checked_at is None:
        return ""
    why = f" ({link.why})" if link.why else ""
    asked = f"asked at {link.checked_at:%Y-%m-%d %H:%M} UTC"
    return f"; whether it shows this pull request: {link.proven}{why}, {asked}"


def _route(child: Child) -> Check:
    state = State.WRONG if child.state == "Failed" else State.OK if child.state == "Ready" else State.NOTE
    words = f"{child.name} in {child.namespace or 'no namespace'}: {child.state}"
    return Check("route", state, words + (f", {child.message}" if child.message else ""))
