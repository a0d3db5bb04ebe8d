"""mirrord's operator, as the object `mirrordoperators/operator` of its aggregated API tells of it.

Its fields are those of mirrord's client 3.250 (`operator.metalbear.co/v1`, written with underscores). None of
them is trusted: what is not of its type counts as not told, and of what is not told nothing is claimed. What
keeps previews from being made is in `problem_of`, what only should be seen to in `warnings_of`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from previewbot.api import REASONS, Reason, Waits
from previewbot.rules.masking import one_line

API_GROUP = "operator.metalbear.co"
API_VERSION = "v1"
PLURAL = "mirrordoperators"
KIND = "MirrordOperator"
NAME = "operator"

PREVIEW_FEATURE = "PreviewEnv"
"""The name of preview environments among its features."""

FLOOR = (3, 185, 1)
"""The oldest version that previewbot is made for: docs/operations.md."""

ENDS_SOON = timedelta(days=14)
"""How long before its end a licence is spoken of."""

_SESSIONS_READ = 1_000
_FEATURES_READ = 1_000
_SHOWN = 80
_KINDS = {"deploy": "deployment"}


class Answer(Enum):
    """What became of the question for the operator."""

    NOT_KNOWN = "nobody asked yet, or the API server itself did not answer"
    FOUND = "it answered"
    MISSING = "the API server knows no such API, or no such object"
    UNAVAILABLE = "the API server knows its API, and cannot reach it"
    FORBIDDEN = "previewbot may not ask"
    UNREADABLE = "what answered is no operator"


@dataclass(frozen=True)
class Licence:
    """Its licence: the day after `ends` it has expired; None where that is not told."""

    name: str = ""
    ends: date | None = None


@dataclass(frozen=True)
class UserSession:
    """Somebody's mirrord session: who, of which workload, and the ports that it takes without any filter."""

    user: str
    namespace: str
    kind: str
    name: str
    takes_all_of: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Operator:
    """The operator, as far as it tells of itself.

    `features` is None where they are not told in a way that can be read. `manages_from` is its namespace if
    it only manages sessions of other clusters (mirrord's "management-only" primary), else empty.
    """

    version: str = ""
    features: frozenset[str] | None = None
    licence: Licence = Licence()
    manages_from: str = ""
    sessions: tuple[UserSession, ...] = ()


@dataclass(frozen=True)
class OperatorSeen:
    """What is known of the operator; `detail` is what the API server said, in one line.

    `knows_idle`: the CRD of its sessions has the field that says when one sleeps.
    """

    answer: Answer = Answer.NOT_KNOWN
    operator: Operator = Operator()
    detail: str = ""
    knows_idle: bool = False


NOTHING_KNOWN = OperatorSeen()
"""Nobody asked yet."""


class OperatorProblem(NamedTuple):
    """Why no preview can be made: the reason, and words for the platform team.

    The words may name the licence. What readers of a pull request are told is the reason's own.
    """

    reason: Reason
    words: str


OPERATOR_REASONS = frozenset(reason for reason, row in REASONS.items() if row.waits is Waits.OPERATOR)
"""The reasons that `problem_of` has."""


def nobody_asked() -> OperatorSeen:
    """Return that nothing is known."""
    return OperatorSeen()


def operator_seen(obj: Mapping[str, Any]) -> OperatorSeen:
    """Read the object `mirrordoperators/operator`."""
    spec = obj.get("spec")
    if not isinstance(spec, Mapping):
        return OperatorSeen(Answer.UNREADABLE, detail="it has no spec")
    default = _exact(spec.get("default_namespace"))
    status = obj.get("status")
    sessions = status.get("sessions") if isinstance(status, Mapping) else None
    found = Operator(
        version=_text(spec.get("operator_version")),
        features=_features(spec),
        licence=_licence(spec.get("license")),
        manages_from=_text(spec.get("operator_namespace")),
        sessions=_sessions(sessions, default),
    )
    return OperatorSeen(Answer.FOUND, found)


def problem_of(seen: OperatorSeen, now: datetime) -> OperatorProblem | None:
    """Return what keeps every preview from being made now; None if nothing does, as far as is known.

    Where the operator may not be asked about, or cannot be understood, previews go on as if all were well.
    """
    if seen.answer is Answer.MISSING:
        words = f"this cluster has no mirrord operator ({API_GROUP}): install it, with preview environments"
        return OperatorProblem(Reason.OPERATOR_MISSING, words)
    if seen.answer is Answer.UNAVAILABLE:
        words = (
            "mirrord's operator does not answer the API server"
            f"{f' ({seen.detail})' if seen.detail else ''}: see whether its pod runs, and what "
            f"`kubectl get apiservice {API_VERSION}.{API_GROUP}` says"
        )
        return OperatorProblem(Reason.OPERATOR_UNAVAILABLE, words)
    if seen.answer is not Answer.FOUND:
        return None
    return _refusal(seen.operator, now)


def lacking(seen: OperatorSeen, features: Iterable[str]) -> str:
    """Return the first of these features that the operator surely does not offer; empty if there is none."""
    told = seen.operator.features if seen.answer is Answer.FOUND else None
    return "" if told is None else next((name for name in features if name not in told), "")


def warnings_of(seen: OperatorSeen, now: datetime) -> tuple[str, ...]:
    """Return what the platform team should see to although previews are made."""
    if seen.answer is Answer.FORBIDDEN:
        return (
            f"previewbot may not read {PLURAL}.{API_GROUP}/{NAME}, so it cannot say why mirrord makes no "
            f"preview: give the controller's role the right (docs/operations.md)",
        )
    if seen.answer is Answer.UNREADABLE:
        return (f"what answers for mirrord's operator cannot be understood: {seen.detail}",)
    operator, warnings = seen.operator, list[str]()
    ends = operator.licence.ends
    # By its day and not by the days that are left, so that it is said once and not anew each day.
    if ends is not None and _today(now) <= ends <= _today(now) + ENDS_SOON:
        warnings.append(f"{_licence_words(operator)} ends with {ends}: renew it, or no preview starts after")
    version = version_of(operator.version)
    if version is not None and version < FLOOR:
        floor = ".".join(map(str, FLOOR))
        warnings.append(
            f"mirrord's operator is {operator.version}; previewbot is made for {floor} or newer: upgrade it"
        )
    return tuple(warnings)


def version_of(text: str) -> tuple[int, int, int] | None:
    """Return a version's three numbers; None if it is none. What follows them (`-rc1`) does not count."""
    found = re.match(r"v?([0-9]{1,6})\.([0-9]{1,6})\.([0-9]{1,6})(?![0-9.])", text, re.ASCII)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def who_takes_all(
    operator: Operator, namespace: str, kind: str, name: str, ports: Sequence[int]
) -> UserSession | None:
    """Return somebody's session that takes every request of a workload, on one of these ports or (none) any.

    mirrord gives nobody else a port that is taken without a filter
    (https://metalbear.com/mirrord/docs/sharing-the-cluster/overview).
    """
    for session in operator.sessions:
        same = (session.namespace, session.kind, session.name) == (namespace, kind.lower(), name)
        taken = session.takes_all_of
        if same and taken and (not ports or taken.intersection(ports)):
            return session
    return None


def _refusal(operator: Operator, now: datetime) -> OperatorProblem | None:
    ends = operator.licence.ends
    if ends is not None and ends < _today(now):
        words = f"{_licence_words(operator)} ended with {ends}: renew it, or mirrord makes no preview"
        return OperatorProblem(Reason.LICENCE_EXPIRED, words)
    version = f" {operator.version}" if operator.version else ""
    if operator.features is not None and PREVIEW_FEATURE not in operator.features:
        words = (
            f"mirrord's operator{version} offers no preview environments ({PREVIEW_FEATURE} is not among its "
            "features): set `operator.previewEnv` in its chart; its version and its plan must have them too"
        )
        return OperatorProblem(Reason.PREVIEWS_NOT_SUPPORTED, words)
    if operator.manages_from:
        # There a session has to lie in the operator's namespace and name the target's in an annotation: a
        # session made as everywhere else would never be answered.
        words = (
            f"mirrord's operator{version} only manages other clusters (from the namespace "
            f"{operator.manages_from}), which is not supported: run previewbot in a cluster with targets"
        )
        return OperatorProblem(Reason.MANAGEMENT_ONLY, words)
    return None


def _licence_words(operator: Operator) -> str:
    name = operator.licence.name
    return f"the licence of mirrord's operator{f' ({name})' if name else ''}"


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _features(spec: Mapping[str, Any]) -> frozenset[str] | None:
    # `features` is what operators told before there was `supported_features`; they had no previews. An
    # operator that tells neither is older still: mirrord's own client takes that as no features, too.
    told: object = spec.get("supported_features")
    told = spec.get("features") if told is None else told
    told = () if told is None else told
    if not isinstance(told, Sequence) or isinstance(told, str):
        return None
    names = frozenset(name for each in told[:_FEATURES_READ] for name in _feature_names(each))
    # A list of nothing that is understood is no list without previews.
    return names if names or not told else None


def _feature_names(told: object) -> tuple[str, ...]:
    """Return the name of a feature; one that has settings of its own may be written as `{NAME: …}`."""
    if isinstance(told, Mapping):
        return tuple(each for each in (*told, told.get("name")) if isinstance(each, str))
    return (told,) if isinstance(told, str) else ()


def _licence(found: object) -> Licence:
    if not isinstance(found, Mapping):
        return Licence()
    text = _text(found.get("expire_at"))
    try:
        # A day; should it come with a time one day, the day is what counts.
        ends = date.fromisoformat(text[:10])
    except ValueError:
        ends = None
    return Licence(_text(found.get("name")), ends)


def _sessions(found: object, default_namespace: str) -> tuple[UserSession, ...]:
    if not isinstance(found, Sequence) or isinstance(found, str):
        return ()
    read = (_session(each, default_namespace) for each in found[:_SESSIONS_READ])
    return tuple(session for session in read if session is not None)


def _session(found: object, default_namespace: str) -> UserSession | None:
    if not isinstance(found, Mapping):
        return None
    kind, _, rest = _exact(found.get("target")).partition("/")
    kind, name = kind.lower(), rest.split("/")[0]
    if not name:
        return None
    ports = found.get("locked_ports")
    entries = ports if isinstance(ports, Sequence) and not isinstance(ports, str) else ()
    return UserSession(
        user=_text(found.get("user")),
        namespace=_exact(found.get("namespace")) or default_namespace,
        kind=_KINDS.get(kind, kind),
        name=name,
        takes_all_of=frozenset(entry[0] for entry in entries if _takes_all(entry)),
    )


def _takes_all(entry: object) -> bool:
    """Return whether a locked port (its number, how it is taken, by which filter) is taken without one."""
    if not isinstance(entry, Sequence) or isinstance(entry, str) or len(entry) != 3:
        return False
    port, how, filtered = entry
    return type(port) is int and isinstance(how, str) and how.lower() == "steal" and filtered is None


def _exact(found: object) -> str:
    """Return a text that is only compared, and never shown; empty if it is none."""
    return found if isinstance(found, str) else ""


def _text(found: object) -> str:
    """Return a text as one line of bounded length; empty if it is none."""
    return one_line(found)[:_SHOWN] if isinstance(found, str) else ""
