"""What mirrord's operator tells of itself, and what that means: tables of inputs that can come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Reason
from previewbot.engine.operator import (
    OPERATOR_REASONS,
    Answer,
    OperatorSeen,
    nobody_asked,
    operator_seen,
    problem_of,
    version_of,
    warnings_of,
    who_takes_all,
)
from previewbot_demo.operator_api import an_operator

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def seen(**spec: Any) -> OperatorSeen:
    return operator_seen(an_operator(**spec))


def reason_of(found: OperatorSeen, now: datetime = NOW) -> Reason | None:
    problem = problem_of(found, now)
    return problem.reason if problem else None


def test_an_operator_in_order_keeps_nothing_from_being_made() -> None:
    found = seen()

    assert problem_of(found, NOW) is None
    assert warnings_of(found, NOW) == ()
    assert (found.operator.version, found.operator.licence.name) == ("3.196.0", "a stand-in")


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (OperatorSeen(Answer.MISSING), Reason.OPERATOR_MISSING, "no mirrord operator"),
        (OperatorSeen(Answer.UNAVAILABLE, detail="503 away"), Reason.OPERATOR_UNAVAILABLE, "(503 away)"),
        (nobody_asked(), None, ""),
        (OperatorSeen(Answer.FORBIDDEN), None, ""),
        (OperatorSeen(Answer.UNREADABLE), None, ""),
    ],
)
def test_what_the_api_server_says_instead_of_an_operator(
    found: OperatorSeen, reason: Reason | None, words: str
) -> None:
    assert reason_of(found) is reason
    assert words in getattr(problem_of(found, NOW), "words", "")


@pytest.mark.parametrize(
    ("features", "reason"),
    [
        ({"supported_features": ["ProxyApi", "PreviewEnv"]}, None),
        ({"supported_features": ["ProxyApi"]}, Reason.PREVIEWS_NOT_SUPPORTED),
        ({"supported_features": []}, Reason.PREVIEWS_NOT_SUPPORTED),
        # Before there was `supported_features`, and before there were features at all.
        ({"supported_features": None, "features": ["ProxyApi"]}, Reason.PREVIEWS_NOT_SUPPORTED),
        ({"supported_features": None, "features": ["PreviewEnv"]}, None),
        ({"supported_features": None}, Reason.PREVIEWS_NOT_SUPPORTED),
        # A newer operator has features that nobody here knows.
        ({"supported_features": ["PreviewEnv", "PreviewInSpace", 7, None, {"a": 1}]}, None),
        ({"supported_features": ["previewenv"]}, Reason.PREVIEWS_NOT_SUPPORTED),
        # What cannot be understood refuses nobody anything.
        ({"supported_features": "PreviewEnv"}, None),
        ({"supported_features": {"PreviewEnv": True}}, None),
        ({"supported_features": [7, None]}, None),
        ({"supported_features": [{"name": "PreviewEnv"}]}, None),
        ({"supported_features": ["ProxyApi", {"PreviewEnv": {"sessions": 3}}]}, None),
        ({"supported_features": ["ProxyApi", {"PreviewInSpace": {}}]}, Reason.PREVIEWS_NOT_SUPPORTED),
    ],
)
def test_without_preview_environments_among_its_features_it_makes_none(
    features: dict[str, Any], reason: Reason | None
) -> None:
    assert reason_of(seen(**features)) is reason


@pytest.mark.parametrize(
    ("expires", "reason", "warned"),
    [
        ("2026-11-26", Reason.LICENCE_EXPIRED, False),
        # On its last day it is still good, as mirrord's own client counts.
        ("2026-11-27", None, True),
        ("2026-12-11", None, True),
        ("2026-12-12", None, False),
        ("1999-01-01T00:00:00Z", Reason.LICENCE_EXPIRED, False),
        ("2099-01-01T00:00:00Z", None, False),
        ("soon", None, False),
        ("", None, False),
        (None, None, False),
        (1767139200, None, False),
        ("9999-99-99", None, False),
    ],
)
def test_a_licence_ends_with_its_day(expires: object, reason: Reason | None, warned: bool) -> None:
    found = seen(license={"name": "Acme", "organization": "acme", "expire_at": expires})

    assert reason_of(found) is reason
    assert bool(warnings_of(found, NOW)) is warned
    if reason:
        assert f"(Acme) ended with {str(expires)[:10]}" in getattr(problem_of(found, NOW), "words", "")


@pytest.mark.parametrize("licence", [None, [], "none", {}, {"expire_at": {}}])
def test_of_a_licence_that_is_not_told_nothing_is_claimed(licence: object) -> None:
    assert problem_of(seen(license=licence), NOW) is None


@pytest.mark.parametrize(
    ("namespace", "reason"), [("mirrord", Reason.MANAGEMENT_ONLY), (None, None), ("", None), ({}, None)]
)
def test_an_operator_that_only_manages_other_clusters_is_not_supported(
    namespace: object, reason: Reason | None
) -> None:
    found = seen(operator_namespace=namespace)

    assert reason_of(found) is reason
    assert ("not supported" in getattr(problem_of(found, NOW), "words", "")) is (reason is not None)


@pytest.mark.parametrize(
    ("version", "numbers", "too_old"),
    [
        ("3.185.0", (3, 185, 0), True),
        ("3.185.1", (3, 185, 1), False),
        ("3.99.9", (3, 99, 9), True),
        ("4.0.0", (4, 0, 0), False),
        ("v3.150.0", (3, 150, 0), True),
        ("3.185.1-rc1+build", (3, 185, 1), False),
        ("3.185", None, False),
        ("latest", None, False),
        ("3.1.1.1", None, False),
        ("٣.١.١", None, False),
        ("9" * 5000 + ".1.1", None, False),
    ],
)
def test_an_operator_that_is_too_old_is_told_of(
    version: str, numbers: tuple[int, int, int] | None, too_old: bool
) -> None:
    assert version_of(version) == numbers
    said = warnings_of(seen(operator_version=version), NOW)
    assert any("3.185.1 or newer" in each for each in said) is too_old


def test_whoever_may_not_ask_is_told_that_nothing_is_known() -> None:
    (warning,) = warnings_of(OperatorSeen(Answer.FORBIDDEN), NOW)

    assert "may not read mirrordoperators.operator.metalbear.co/operator" in warning


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from([*an_operator()["spec"], "features"])


@given(st.dictionaries(_FIELDS, _ANYTHING), _ANYTHING)
def test_whatever_stands_in_its_fields_it_is_read_and_said_in_one_line(
    spec: dict[str, Any], sessions: Any
) -> None:
    found = operator_seen({"spec": spec, "status": {"sessions": sessions}})
    problem = problem_of(found, NOW)

    assert problem is None or problem.reason in OPERATOR_REASONS
    for line in (*((problem.words,) if problem else ()), *warnings_of(found, NOW)):
        assert "\n" not in line and len(line) < 600


@given(_ANYTHING)
def test_whatever_answers_in_its_place_is_read(obj: Any) -> None:
    found = operator_seen({"spec": obj} if not isinstance(obj, dict) else obj)

    assert found.answer in (Answer.FOUND, Answer.UNREADABLE)


def a_session(**changes: Any) -> dict[str, Any]:
    session = {
        "id": "1",
        "user": "ann (Ann's laptop)",
        "target": "deployment/checkout/container/app",
        "namespace": "staging",
        "locked_ports": [[8080, "steal", None]],
    }
    return session | changes


@pytest.mark.parametrize(
    ("session", "ports", "taken"),
    [
        (a_session(), [8080], True),
        (a_session(), [], True),
        (a_session(target="deploy/checkout"), [8080], True),
        (a_session(target="Deployment/checkout"), [8080], True),
        (a_session(namespace=None), [8080], False),
        (a_session(), [9090], False),
        (a_session(locked_ports=[[8080, "steal", "^baggage: x$"]]), [8080], False),
        (a_session(locked_ports=[[8080, "mirror", None]]), [8080], False),
        (a_session(locked_ports=None), [], False),
        (a_session(locked_ports=[["8080", "steal", None], 7, [], [True, "steal", None]]), [], False),
        (a_session(target="deployment/pricing"), [8080], False),
        (a_session(target="statefulset/checkout"), [8080], False),
        (a_session(target=""), [8080], False),
        (a_session(namespace="payments"), [8080], False),
        ("session", [8080], False),
    ],
)
def test_who_takes_all_requests_of_a_workload_is_known(session: Any, ports: list[int], taken: bool) -> None:
    found = operator_seen(an_operator() | {"status": {"sessions": [session]}})

    user = who_takes_all(found.operator, "staging", "Deployment", "checkout", ports)

    assert (user is not None) is taken
    assert user is None or user.user == "ann (Ann's laptop)"
