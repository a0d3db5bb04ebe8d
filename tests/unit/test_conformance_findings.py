"""What a session that was tried says of an operator: from what was seen to a finding each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Why
from previewbot.config.repository import TargetPath
from previewbot.config.server import GatewaySettings
from previewbot.doctor.check import State, Whose
from previewbot.doctor.conformance.judged import judged
from previewbot.doctor.conformance.record import Asking, PhaseSeen, Record, Tally, as_file
from previewbot.doctor.conformance.subject import (
    Backend,
    NotToBeTried,
    Subject,
    own_image,
    route_manifest,
    session_manifest,
)
from previewbot.engine.route_answers import RouteAnswer, Verdict
from previewbot.rules.link_answers import Answer

KEY = "conformance-0123456789ab"
GATEWAY = GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
SUBJECT = Subject(
    namespace="staging",
    target=TargetPath("deployment", "web"),
    container="app",
    image="ghcr.io/acme/web:main",
    key=KEY,
    entry_url="https://staging.example.com",
    gateway=GATEWAY,
    backend=Backend("web", 80),
)
SENT = session_manifest(SUBJECT)["spec"]
REFUSED = RouteAnswer(Verdict.REFUSED, "NotAllowedByListeners")
COMMIT = "3f2c1ab" + "0" * 33
OUR_OWN = Tally(by_session=10, named_keys=10, named_commit=10, statuses={200: 10})
STAGING = Tally(passed_through=10, statuses={200: 10})
GOOD = Record(
    previewbot="0.1.0",
    kubernetes="v1.34.1",
    operator={"answer": "FOUND", "version": "3.190.0", "features": ["PreviewEnv"]},
    link=SUBJECT.link,
    through_gateway=True,
    sent=SENT,
    stored=SENT,
    route=RouteAnswer(Verdict.ACCEPTED),
    commit=COMMIT,
    phases=(PhaseSeen("", 0.0), PhaseSeen("InProgress", 0.5), PhaseSeen("Ready", 12.0)),
    answers={
        Asking.BEFORE: STAGING,
        Asking.WITH_KEY: OUR_OWN,
        Asking.WITHOUT: STAGING,
        Asking.ANOTHER_KEY: STAGING,
        Asking.AFTER: STAGING,
    },
    gone_after_seconds=3.0,
    pods_gone_after_seconds=4.0,
)


def answered(**tallies: Tally) -> Callable[[Record], Record]:
    changed = {Asking[name]: tally for name, tally in tallies.items()}
    return lambda record: replace(record, answers={**record.answers, **changed})


def changed(**fields: Any) -> Callable[[Record], Record]:
    return lambda record: replace(record, **fields)


def states(record: Record) -> Mapping[str, State]:
    return {check.name: check.state for check in judged(record)}


def test_what_does_all_that_previewbot_relies_on_is_all_well() -> None:
    assert set(states(GOOD).values()) == {State.OK}, [check.line for check in judged(GOOD)]


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        (changed(phases=(PhaseSeen("Failed", 9.0),)), "the session's phases", "never Ready"),
        (changed(phases=(), stopped="403 Forbidden"), "the session's phases", "403 Forbidden"),
        (changed(stored={**SENT, "incoming": {"steal": False}}), "the stored spec", "incoming came back"),
        (
            answered(WITH_KEY=Tally(by_session=9, passed_through=1)),
            "requests with the key",
            "not all of them were answered by the session: 9 from the session, 1 passed through",
        ),
        (answered(WITH_KEY=Tally(by_another=10)), "requests with the key", "10 from another session"),
        (
            answered(WITH_KEY=Tally(by_session=9, unanswered=1)),
            "requests with the key",
            "1 without an answer",
        ),
        (
            answered(WITHOUT=Tally(by_session=1, passed_through=9)),
            "requests without a header",
            "the session answered requests of others",
        ),
        (
            answered(ANOTHER_KEY=OUR_OWN),
            "requests with another key",
            "the session answered requests of others",
        ),
        (answered(WITHOUT=Tally(unanswered=10)), "requests without a header", "staging did not answer"),
        (
            answered(AFTER=OUR_OWN),
            "requests with the key, after the session is gone",
            "a session answers: 10 from the session",
        ),
        (
            answered(WITH_KEY=replace(OUR_OWN, named_commit=9)),
            "x-preview-sha",
            "9 of 10 answers through the Gateway name the commit of their route",
        ),
        (changed(left=("previewsession/x",)), "the end", "not removed: previewsession/x"),
        (changed(route=REFUSED), "the route", "does not take it: NotAllowedByListeners"),
    ],
)
def test_what_is_otherwise_is_called_wrong(change: Callable[[Record], Record], name: str, words: str) -> None:
    found = next(check for check in judged(change(GOOD)) if check.name == name)
    assert found.state is State.WRONG
    assert words in found.words
    assert found.whose, "it must say whose it is"


def test_without_marks_nothing_is_claimed_about_who_answered() -> None:
    unmarked = Tally(unmarked=10, statuses={200: 10})
    record = answered(
        BEFORE=unmarked, WITH_KEY=unmarked, WITHOUT=unmarked, ANOTHER_KEY=unmarked, AFTER=unmarked
    )(GOOD)
    found = states(record)
    assert found["Mirrord-Agent"] is State.NOTE
    for asking in (Asking.WITH_KEY, Asking.WITHOUT, Asking.ANOTHER_KEY):
        assert found[f"requests {asking}"] is State.NOT_CHECKED


def test_a_route_that_the_gateway_does_not_take_is_not_the_operators_fault() -> None:
    record = answered(WITH_KEY=Tally(unmarked=10, statuses={404: 10}))(replace(GOOD, route=REFUSED))
    found = {check.name: check for check in judged(record)}
    assert (found["the route"].state, found["the route"].whose) == (State.WRONG, Whose.PLATFORM_TEAM)
    assert found["requests with the key"].state is State.NOT_CHECKED
    assert found["requests without a header"].state is State.OK


def test_a_gateway_that_says_nothing_of_the_route_leaves_it_to_requests() -> None:
    found = states(replace(GOOD, route=RouteAnswer(Verdict.SILENT)))
    assert found["the route"] is State.NOTE
    assert found["requests with the key"] is State.OK


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (changed(route=None, commit="", through_gateway=False), None),
        (changed(commit=""), State.NOTE),
        (changed(route=REFUSED), State.NOT_CHECKED),
        (changed(answers={Asking.BEFORE: STAGING}), State.NOT_CHECKED),
        (answered(WITH_KEY=Tally(unanswered=10)), State.NOT_CHECKED),
    ],
)
def test_of_the_commit_nothing_is_claimed_where_no_answer_could_name_it(
    change: Callable[[Record], Record], expected: State | None
) -> None:
    assert states(change(GOOD)).get("x-preview-sha") is expected


@pytest.mark.parametrize(
    ("commits", "counted"), [((COMMIT,), 1), ((), 0), (("0" * 40,), 0), ((COMMIT, "0" * 40), 0)]
)
def test_an_answer_names_the_commit_of_its_route_and_no_other(commits: tuple[str, ...], counted: int) -> None:
    answer = Answer(status=200, commits=commits)
    assert Tally().with_answer(answer, KEY, COMMIT).named_commit == counted
    assert Tally().with_answer(answer, KEY).named_commit == 0


def test_a_session_that_was_never_ready_says_nothing_about_requests() -> None:
    record = replace(GOOD, phases=(PhaseSeen("Failed", 3.0),), answers={Asking.BEFORE: STAGING})
    assert {check.state for check in judged(record) if check.name.startswith("requests")} == {
        State.NOT_CHECKED
    }


@given(
    st.lists(
        st.builds(
            Answer,
            status=st.sampled_from([200, 404, 502]),
            agents=st.lists(st.sampled_from(["forwarded-to-client", "passed-through", "x"]), max_size=2).map(
                tuple
            ),
            keys=st.lists(st.sampled_from([KEY, "somebody"]), max_size=2).map(tuple),
            failure=st.sampled_from([None, Why.TOO_LATE]),
        ),
        max_size=20,
    )
)
def test_each_answer_is_counted_once(answers: list[Answer]) -> None:
    tally = Tally()
    for answer in answers:
        tally = tally.with_answer(answer, KEY)
    assert tally.marked + tally.unmarked + tally.unanswered == len(answers)
    assert sum(tally.statuses.values()) == len(answers) - tally.unanswered


def test_an_answer_of_a_session_with_another_key_is_somebody_elses() -> None:
    answer = Answer(status=200, agents=("forwarded-to-client",), keys=("somebody",))
    assert Tally().with_answer(answer, KEY).by_another == 1


def test_the_session_has_the_filter_of_its_key_and_no_owner() -> None:
    manifest = session_manifest(SUBJECT)
    assert "ownerReferences" not in manifest["metadata"]
    assert f"mirrord-session={KEY}" in manifest["spec"]["incoming"]["httpFilter"]
    assert manifest["spec"]["incoming"]["steal"] is True


def test_the_route_sets_the_header_for_its_own_host_only() -> None:
    spec = route_manifest(SUBJECT)["spec"]
    assert spec["hostnames"] == [f"{KEY}.preview.example.com"]
    assert [backend["name"] for rule in spec["rules"] for backend in rule["backendRefs"]] == ["web"]
    assert "x-preview-sha" not in str(spec)
    assert "x-preview-sha" in str(route_manifest(replace(SUBJECT, sha=COMMIT)))


def test_the_file_can_be_read_again_and_has_no_secret() -> None:
    record = replace(GOOD, stopped="Authorization: Bearer ghp_0123456789abcdefghijABCDEFGHIJ012345")
    text = as_file(record, judged(record), "2026-11-27T00:00:00+00:00")
    read = yaml.safe_load(text)
    assert read["seen"]["answers"]["with the key"]["by_session"] == 10
    assert read["checks"][0]["name"] == "the session's phases"
    assert "ghp_0123456789" not in text


def test_a_workload_without_an_image_is_not_tried() -> None:
    with pytest.raises(NotToBeTried, match="says no image for its container app"):
        own_image(SUBJECT.target, "app", {"spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}})
