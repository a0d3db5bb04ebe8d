"""What programs are told of a preview: one shape, for readers of the pull request and for everybody."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from previewbot.api import (
    Isolation,
    Link,
    LinkKind,
    OwnDatabase,
    OwnMessages,
    Phase,
    PodProblem,
    Preview,
    Proven,
    Reason,
    Service,
    Severity,
    Turn,
    Uses,
)
from previewbot.text.block import LIMIT, block
from previewbot.text.facts import Facts, as_json
from previewbot.text.render import Renderer, View
from previewbot.text.telling import facts_of
from tests.support.previews import HEAD, NOW, OLDER
from tests.support.states import STATES, replace_status

RENDERER = Renderer()
PAGE, PULL_REQUEST = "https://previews.example.com/p/812/42", "https://github.com/acme/shop/pull/42"
HEADER = "baggage: mirrord-session=x"


def view(preview: Preview, **changes: Any) -> View:
    return replace(View(preview, PAGE, PULL_REQUEST, HEADER), **changes)


def for_readers(preview: Preview, **changes: Any) -> Facts:
    return RENDERER.facts(view(preview, **changes))


def for_everybody(preview: Preview, **changes: Any) -> Facts:
    return RENDERER.public_facts(view(preview, **changes))


def serving(*shas: str) -> Preview:
    services = tuple(
        Service(f"service-{at}", "staging", "deployment/x", phase=Phase.READY, serving_sha=sha)
        for at, sha in enumerate(shas)
    )
    return replace_status(STATES["ready"], services=services)


# What stands where


def test_a_ready_preview_says_which_commit_answers_where_and_until_when() -> None:
    facts = for_readers(STATES["ready"])

    assert (facts.version, facts.repository, facts.repository_id, facts.number) == (1, "acme/shop", 812, 42)
    assert (facts.phase, facts.reason, facts.severity, facts.turn) == (
        Phase.READY,
        Reason.ALL_READY,
        "good",
        "reviewer",
    )
    assert (facts.head_sha, facts.serving_sha) == (HEAD, HEAD)
    assert (facts.url, facts.link_kind) == ("https://key.preview.example.com/cart", LinkKind.GATEWAY)
    assert facts.header == HEADER
    assert (facts.ready_at, facts.expires_at) == (NOW, NOW + timedelta(hours=8))
    assert facts.ended is None
    assert facts.words.startswith("Open the preview (https://key.preview.example.com/cart) of 3f2c1ab")
    assert (facts.page_url, facts.pull_request_url) == (PAGE, PULL_REQUEST)


@pytest.mark.parametrize(
    ("shas", "told"),
    [
        ((HEAD,), HEAD),
        ((HEAD, HEAD), HEAD),
        # What is behind a service that does not run is staging's, and no commit's.
        ((HEAD, ""), HEAD),
        ((OLDER,), OLDER),
        ((HEAD, OLDER), ""),
        (("", ""), ""),
        ((), ""),
    ],
)
def test_a_commit_answers_only_where_no_other_does(shas: tuple[str, ...], told: str) -> None:
    assert for_readers(serving(*shas)).serving_sha == told


@pytest.mark.parametrize("proven", [Proven.YES, Proven.NO, Proven.UNKNOWN, None])
def test_whether_the_link_is_proven_is_told_as_it_was_found(proven: Proven | None) -> None:
    link = Link(kind=LinkKind.GATEWAY, url="https://key.preview.example.com/", proven=proven)

    assert as_json(for_readers(replace_status(STATES["ready"], link=link)))["proven"] == proven


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        ("ready", False),
        ("failed", False),
        ("queued", False),
        ("nothing-changed", False),
        ("stopped", True),
        ("expired", True),
        ("closed", True),
        ("merged", True),
        ("stopping", True),
    ],
)
def test_only_what_is_gone_or_goes_has_ended(state: str, ended: bool) -> None:
    assert (for_readers(STATES[state]).ended is not None) is ended


def test_a_preview_nobody_has_looked_at_yet_is_told_as_one_that_goes_on() -> None:
    facts = for_readers(replace_status(STATES["ready"], phase=None, reason=None, services=(), link=Link()))

    assert (facts.phase, facts.reason, facts.goes_on, facts.turn) == (None, None, True, "nobody")
    assert facts.words


def test_every_severity_and_every_turn_has_a_name_for_programs() -> None:
    told = [for_readers(preview) for preview in STATES.values()]

    assert {facts.severity for facts in told} == {"good", "progress", "warning", "bad", "ended"}
    assert {facts.turn for facts in told} == {"nobody", "author", "maintainer", "reviewer", "platform_team"}
    assert len(Severity) == len(Turn) == 5


# What is wrong


def test_what_is_wrong_with_a_pod_comes_with_its_last_lines_as_they_stood() -> None:
    problem = PodProblem(
        Reason.CRASHING, container="app", detail="a\nb", exit_code=1, log=("Traceback:", "    x = 1\u202e")
    )
    preview = STATES["deploying-crashing"]
    service = replace(preview.status.services[0], pod_problem=problem)
    told = for_readers(replace_status(preview, services=(service,))).services[0].problem

    assert told is not None
    assert (told.reason, told.part, told.container, told.exit_code) == (Reason.CRASHING, "service", "app", 1)
    assert told.detail == "a b"
    # Blanks at the beginning of a line are Python's and YAML's own; characters that nobody sees are no one's.
    assert told.log == ("Traceback:", "    x = 1")


def test_why_a_service_failed_is_told_where_its_pod_says_nothing() -> None:
    (service, *_) = for_readers(STATES["failed"]).services

    assert service.problem is not None
    assert service.problem.detail == "crashed: `x` @alice <img>"


def test_without_leave_to_quote_logs_there_is_no_line_of_any() -> None:
    for preview in STATES.values():
        for facts in (for_readers(preview, logs=False), for_everybody(preview, logs=False)):
            assert not any(service.problem and service.problem.log for service in facts.services)


# For whoever can reach the page


@pytest.mark.parametrize(("public", "fork"), [(False, False), (True, True)])
def test_of_a_private_repository_or_a_fork_everybody_learns_no_words_of_pods(
    public: bool, fork: bool
) -> None:
    for preview in STATES.values():
        observed = replace(preview.status.observed, public=public, fork=fork)
        facts = for_everybody(replace_status(preview, observed=observed))
        for problem in (service.problem for service in facts.services if service.problem):
            assert problem.log == ()
            assert problem.detail == problem.container == ""


def test_everybody_learns_nothing_that_the_page_does_not_say() -> None:
    withheld = ("@alice", "staging/", "crashed:", "by alice", "release/", "actions/runs")
    for preview in STATES.values():
        page = RENDERER.page(view(preview))
        readers, everybody = as_json(for_readers(preview)), as_json(for_everybody(preview))

        assert readers.keys() == everybody.keys()
        for word in withheld:
            assert word in page or word not in json.dumps(everybody)
        for service in everybody["services"]:
            assert not service["problem"] or not service["problem"]["container"]


# Its shape


def test_all_of_it_is_json_and_one_line_where_people_read() -> None:
    for preview in STATES.values():
        told = json.loads(json.dumps(as_json(for_readers(preview))))

        assert told["words"]
        assert "\n" not in told["words"]
        assert next(iter(told)) == "version"


def test_time_that_passes_changes_none_of_it() -> None:
    later = NOW + timedelta(minutes=1)
    for preview in STATES.values():
        assert for_readers(preview, now=NOW) == for_readers(preview, now=later)
        assert for_everybody(preview, now=NOW) == for_everybody(preview, now=later)


def test_what_a_preview_can_touch_is_told_by_kind_with_services_of_which_the_same_holds_together() -> None:
    own = Isolation(
        databases=(OwnDatabase("branch-1", "orders"), OwnDatabase("branch-2", "lost", unreached=True)),
        queues=(OwnMessages("invoices"),),
        uses=Uses(databases=("orders", "lost"), queues=("invoices",)),
        behind="web",
    )
    services = tuple(
        replace(serving(HEAD).status.services[0], name=name, isolation=own) for name in ("a", "b")
    )
    touched = for_readers(replace_status(STATES["ready"], services=services)).blast_radius

    assert touched is not None
    (databases,), (queues,) = touched.databases, touched.queues
    assert databases.services == queues.services == ("a", "b")
    assert [each.name for each in databases.own] == ["orders"]
    assert (databases.shared, databases.isolated) == (("lost",), False)
    assert (queues.own, queues.shared, queues.isolated) == (("invoices",), (), True)
    assert [header.passing for header in touched.headers] == ["not_checked"]


# In the comment


ODD = st.text(alphabet=st.sampled_from('`~<>/{}[]"@#\n\r\t\u2028\u202eé x\\'), max_size=40)


@given(ODD, st.lists(ODD, max_size=4))
def test_the_block_in_the_comment_is_read_back_whatever_a_log_says(detail: str, log: list[str]) -> None:
    preview = STATES["deploying-crashing"]
    problem = PodProblem(Reason.CRASHING, container="app", detail=detail, log=tuple(log))
    service = replace(preview.status.services[0], pod_problem=problem)
    facts = for_readers(replace_status(preview, services=(service,)))
    around = f"<details>\n\n{block(facts)}\n\n</details>\n"

    fences = [token for token in MarkdownIt("commonmark").parse(around) if token.type == "fence"]

    assert [token.info for token in fences] == ["json"]
    told = json.loads(fences[0].content)
    assert next(iter(told)) == "previewbot"
    assert told == {"previewbot": 1, **as_json(facts)}


def test_a_block_that_grows_too_long_loses_logs_first_and_services_then() -> None:
    preview = STATES["deploying-crashing"]
    problem = PodProblem(Reason.CRASHING, container="app", log=("x" * 300,) * 10)
    service = replace(preview.status.services[0], pod_problem=problem)

    def told(count: int) -> dict[str, Any]:
        services = tuple(replace(service, name=f"service-{at}") for at in range(count))
        text = block(for_readers(replace_status(preview, services=services)))
        assert len(text) <= LIMIT
        read: dict[str, Any] = json.loads(text.removeprefix("```json").removesuffix("```"))
        return read

    whole, without_logs, overall = told(1), told(20), told(500)

    assert [each["shortened"] for each in (whole, without_logs, overall)] == [False, True, True]
    assert [len(each["services"]) for each in (whole, without_logs, overall)] == [1, 20, 0]
    assert {len(each["problem"]["log"]) for each in without_logs["services"]} == {0}
    assert overall["reason"] == "Crashing"


def test_while_nothing_serves_it_touches_nothing() -> None:
    assert facts_of(view(STATES["queued"]), "").blast_radius is None
