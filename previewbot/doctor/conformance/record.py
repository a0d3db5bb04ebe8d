"""What was seen of a session that was tried, as values, and as the file that is worth sending back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import yaml

from previewbot.doctor.check import Check, safe
from previewbot.engine.route_answers import RouteAnswer
from previewbot.rules.link_answers import FROM_A_SESSION, FROM_STAGING, Answer


class Asking(StrEnum):
    """How a request is asked, and when."""

    BEFORE = "with the key, before there is a session"
    WITH_KEY = "with the key"
    WITHOUT = "without a header"
    ANOTHER_KEY = "with another key"
    AFTER = "with the key, after the session is gone"


@dataclass(frozen=True)
class Tally:
    """How many answers mirrord marked as given by the session, by somebody else's (by their `mirrord-key`),
    or as passed through to staging; how many had no mark, and how many requests had no answer. `statuses`
    counts them by status; `named_commit` those that name the route's commit and no other."""

    by_session: int = 0
    by_another: int = 0
    passed_through: int = 0
    unmarked: int = 0
    unanswered: int = 0
    statuses: Mapping[int, int] = field(default_factory=dict)
    named_keys: int = 0
    named_commit: int = 0

    @property
    def marked(self) -> int:
        """How many say who answered."""
        return self.by_session + self.by_another + self.passed_through

    def with_answer(self, answer: Answer, key: str, sha: str = "") -> Tally:
        """Return the tally with one more answer, where the session that is tried has this key, and its route
        has answers name `sha`."""
        if answer.failure is not None:
            return replace(self, unanswered=self.unanswered + 1)
        statuses = {**self.statuses, answer.status: self.statuses.get(answer.status, 0) + 1}
        counted = replace(
            self,
            statuses=statuses,
            named_keys=self.named_keys + bool(answer.keys),
            named_commit=self.named_commit + (bool(sha) and answer.commits == (sha,)),
        )
        if FROM_A_SESSION in answer.agents:
            # Somebody may debug the same workload at this moment. Without `mirrord-key` nobody can tell.
            if answer.keys and key not in answer.keys:
                return replace(counted, by_another=self.by_another + 1)
            return replace(counted, by_session=self.by_session + 1)
        if FROM_STAGING in answer.agents:
            return replace(counted, passed_through=self.passed_through + 1)
        return replace(counted, unmarked=self.unmarked + 1)


@dataclass(frozen=True)
class PhaseSeen:
    """A phase of the session, `after_seconds` from its creation; "" while the operator said none."""

    phase: str
    after_seconds: float
    message: str = ""


@dataclass(frozen=True)
class Record:
    """Everything that was seen, in the order in which it happened.

    `operator` is what the operator tells of itself, in words. `sent` is the session's spec as it was sent,
    `stored` as the API server gave it back. `route` is what the Gateway says of the route, None without one;
    `commit` is what that has answers name, "" for nothing.
    Seconds are None for what did not happen. `left` names what could not be removed.
    """

    previewbot: str
    kubernetes: str
    operator: Mapping[str, Any]
    link: str
    through_gateway: bool
    sent: Mapping[str, Any]
    stored: Mapping[str, Any] = field(default_factory=dict)
    route: RouteAnswer | None = None
    commit: str = ""
    phases: tuple[PhaseSeen, ...] = ()
    answers: Mapping[Asking, Tally] = field(default_factory=dict)
    share_host: str = ""
    gone_after_seconds: float | None = None
    pods_gone_after_seconds: float | None = None
    stopped: str = ""
    left: tuple[str, ...] = ()

    @property
    def became_ready(self) -> bool:
        """Whether the session was Ready at any time."""
        return any(seen.phase == "Ready" for seen in self.phases)


def as_file(record: Record, checks: Sequence[Check], when: str) -> str:
    """Return the file: YAML, the findings first, then everything that they go by.

    It has no secret, but names of the cluster: image, namespace, workload and hosts.
    """
    found = [{"name": c.name, "state": str(c.state), "words": safe(c.words)} for c in checks]
    seen = asdict(record)
    seen["answers"] = {str(asking): asdict(tally) for asking, tally in record.answers.items()}
    content = {"conformance": "previewbot", "when": when, "checks": found, "seen": _plain(seen)}
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _plain(value: Any) -> Any:
    """Return a value as YAML knows it."""
    if isinstance(value, Mapping):
        return {str(key) if isinstance(key, StrEnum) else key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return safe(value) if isinstance(value, str) else value
