"""Attack: to count the pages' addresses through, for which pull requests there are, and how they stand.

The addresses are numbers, and GitHub tells everybody the number of a public repository. So where pages are
private, which they are by themselves, no two answers differ in anything, and nobody is asked for one: time
tells nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from previewbot.api import Ask, Poke, Preview, Spec, new_object, status_object
from previewbot.config.server import parse
from previewbot.runtime.bare_app import create_probes
from previewbot.runtime.health import Health
from previewbot.runtime.pages_app import create_pages
from previewbot.runtime.web_app import create_app
from previewbot.runtime.workers import Workers
from tests.support.pages import Page
from tests.support.passes import SETTINGS
from tests.support.previews import NOW
from tests.support.states import STATES
from tests.support.web_doors import Door, a_door, get

KNOWN = "/p/812/42"
NAMES = ("acme", "shop", "checkout", "staging", "3f2c1ab", "gh-812-42", "KeyError")
"""What strangers must not read: the words of the Previews here."""


class Cluster:
    """A cluster with a Preview, which says when it is asked."""

    def __init__(self, *, empty: bool = False) -> None:
        self.asked = 0
        self.empty = empty

    def ask(self, ask: Ask) -> None:
        raise AssertionError("a page asks for nothing")

    def get_preview(self, name: str) -> dict[str, Any] | None:
        self.asked += 1
        return None if self.empty or name != "gh-812-42" else stored(STATES["ready-but-crashing"])

    def ready(self) -> bool:
        return True


class Deliveries(Cluster):
    """What web needs of it."""

    def ask_for_listing(self, delivery_id: str) -> bool:
        return False

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        raise AssertionError("a stranger made web write")


def stored(preview: Preview) -> dict[str, Any]:
    """Return a Preview as the API server has it."""
    obj = new_object(preview.spec, Poke())
    obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}
    return obj | {"status": status_object(preview.status)}


def pages_of(cluster: Cluster, **settings: Any) -> FlaskClient:
    app = create_pages(
        parse({**SETTINGS, **settings}, {}),
        cluster,
        now=lambda: NOW,
    )
    return app.test_client()


CLUSTER = Cluster()
CLIENT = pages_of(CLUSTER)

NUMBERS = st.integers(0, 10**30).map(str) | st.sampled_from(["812", "42", "-1", "007", "9" * 3_000, "٤٢"])
PARTS = NUMBERS | st.sampled_from(["", ".", "..", "%2e%2e", "%2F", "%00", "%ff", "x", "42.json", "42;a=b"])
WELL_FORMED = st.tuples(NUMBERS, NUMBERS).map(lambda pair: f"/p/{pair[0]}/{pair[1]}")
ADDRESSES = WELL_FORMED | st.lists(PARTS, max_size=5).map(lambda parts: "/".join(("/p", *parts)))
QUERIES = st.sampled_from(["", "?", "?x=1", "?token=42#top"])
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Range": st.just("bytes=0-9"),
        "If-None-Match": st.just("*"),
        "If-Modified-Since": st.just("Tue, 24 Nov 2026 09:00:00 GMT"),
        "Accept": st.sampled_from(["application/json", "text/plain", "*/*"]),
        "Accept-Language": st.just("de"),
        "Host": st.sampled_from(["previews.example.com", "elsewhere.example.com"]),
        "Cookie": st.just("session=1"),
        "User-Agent": st.just("Googlebot"),
    },
)


def answer(method: str, address: str, headers: dict[str, str] | None = None) -> tuple[object, ...]:
    """Return all of an answer: status, headers, bytes."""
    found = CLIENT.open(address, method=method, headers=headers or {})
    return found.status, sorted(found.headers.items()), found.data


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
@given(address=ADDRESSES, query=QUERIES, headers=HEADERS)
def test_any_two_addresses_have_the_same_answer_and_nobody_is_asked_for_it(
    method: str, address: str, query: str, headers: dict[str, str]
) -> None:
    assert answer(method, address + query, headers) == answer(method, KNOWN)
    assert CLUSTER.asked == 0


def test_asked_without_its_body_a_page_has_the_same_header() -> None:
    status, headers, body = answer("GET", KNOWN)

    assert answer("HEAD", "/p/1/2") == (status, headers, b"")
    assert isinstance(body, bytes) and ("Content-Length", str(len(body))) in headers  # type: ignore[operator]


def test_the_page_says_where_to_look_and_nothing_of_any_preview() -> None:
    found = CLIENT.get(KNOWN)
    page = Page(found.text)

    assert "This preview is not open now How it stands is said in the pull request" in page.words
    assert page.links == {}
    assert not [tag for tag, a in page.tags if a.get("http-equiv")]
    assert not [name for name in NAMES if name in found.text]
    assert found.status_code == 404
    assert found.headers["Cache-Control"] == "no-store"
    assert found.headers["Referrer-Policy"] == "no-referrer"
    assert found.headers["X-Robots-Tag"] == "noindex"


# Over the wire, by a process of its own


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    directory: Path = tmp_path_factory.mktemp("pages")
    with a_door(directory, name="pages") as door:
        door.kube.seed(new_object(STATES["ready"].spec, Poke()))
        yield door


WIRE = ["/p/812/43", "/p/1/1", "/p/812/42/", "/p//812/42", "/p/../p/812/42", "/p/x", f"/p/{'9' * 3_000}/1"]


@pytest.mark.parametrize("address", WIRE)
def test_over_the_wire_an_address_that_is_known_is_as_any_other(door: Door, address: str) -> None:
    # On one connection, so that the two are answered in the same order wherever they go.
    sender = door.connect()
    answers = []
    for asked in (KNOWN, address):
        sender.send(get(asked))
        answers.append(sender.answer())
    for found in answers:
        # What the clock says.
        vars(found)["headers"] = {name: value for name, value in found.headers.items() if name != "date"}

    assert answers[0] == answers[1]
    assert answers[0].status == 404


# All else that strangers are answered


STRANGERS = [
    ("GET", "/"),
    ("GET", "/nowhere/gh-812-42"),
    ("GET", "/P/812/42"),
    ("GET", "/px"),
    ("GET", "//p/812/42"),
    ("GET", "/robots.txt"),
    ("GET", "/metrics"),
    ("GET", "/readyz"),
    ("GET", "/healthz"),
    ("HEAD", "/healthz"),
    ("POST", "/healthz"),
    ("GET", "/webhook"),
    ("PUT", "/webhook"),
    ("POST", "/webhook"),
    ("POST", "/nowhere"),
]


@pytest.mark.parametrize("pages", ["private", "public"])
@pytest.mark.parametrize(("method", "path"), STRANGERS)
def test_whatever_else_a_stranger_asks_for_is_answered_without_a_look_at_previews(
    method: str, path: str, pages: str
) -> None:
    full, empty = Cluster(), Cluster(empty=True)
    answers = [pages_of(each, pages=pages).open(path, method=method) for each in (full, empty)]

    assert answers[0].data == answers[1].data
    assert [a.headers.to_wsgi_list() for a in answers[:1]] == [a.headers.to_wsgi_list() for a in answers[1:]]
    assert (full.asked, empty.asked) == (0, 0)
    assert not [name for name in NAMES if name in answers[0].text]
    assert "Location" not in answers[0].headers
    assert answers[0].mimetype == ("text/html" if path == "/" and method == "GET" else "text/plain")


def test_a_fault_of_ours_is_answered_without_a_word_of_what_it_was() -> None:
    class Broken(Cluster):
        def get_preview(self, name: str) -> dict[str, Any] | None:
            raise RuntimeError("acme/shop")

    found = pages_of(Broken(), pages="public").get(KNOWN)

    assert found.status_code == 503
    assert "acme" not in found.text
    assert "Traceback" not in found.text


def test_no_metric_names_a_repository_a_pull_request_or_a_person() -> None:
    """They are for the cluster alone; but whoever reads them there need not read repositories' names."""
    metrics, cluster = CollectorRegistry(), Deliveries()
    payload = {"repository": {"full_name": "acme/shop"}}
    webhook = create_app(
        parse(SETTINGS, {}), (b"it is a secret of the tests",), cluster, metrics, now=lambda: NOW
    )
    webhook.test_client().post("/webhook", json=payload, headers={"X-GitHub-Event": "acme"})
    probes = create_probes(cluster, metrics).test_client()
    workers = CollectorRegistry()
    Workers(workers, Health()).queue.add("gh-812-42")
    samples = [*metrics.collect(), *workers.collect()]

    assert not [name for name in NAMES if name in probes.get("/metrics").text]
    labels = {label for metric in samples for sample in metric.samples for label in sample.labels}
    assert labels <= {"event", "status", "outcome", "le"}
