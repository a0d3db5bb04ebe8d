"""The page over HTTP: status codes, headers, and what is said while the cluster does not answer."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from previewbot.api import Ask, Poke, Preview, new_object, status_object
from previewbot.config.server import parse
from previewbot.errors import Forbidden, PreviewbotError, TryLater
from previewbot.runtime.bare_app import create_probes
from previewbot.runtime.pages_app import create_pages
from tests.support.pages import Page
from tests.support.previews import NOW, a_preview
from tests.support.states import STATES

VALUES = {
    "github": {"api_url": "https://api.github.com", "web_url": "https://github.com/", "app_id": 4242},
    "public_url": "https://previews.example.com",
    "cluster": {"namespaces": ["staging"]},
    "images": {"allowed": ["ghcr.io/acme/"]},
    "pages": "public",
}
SETTINGS = parse(VALUES, {})
PULL_REQUEST = "https://github.com/acme/shop/pull/42"


@dataclass
class Cluster:
    """A cluster with some Previews, which may answer with an error."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: PreviewbotError | None = None

    def ask(self, ask: Ask) -> None:
        raise AssertionError("a page asks for nothing")

    def get_preview(self, name: str) -> dict[str, Any] | None:
        if self.error is not None:
            raise self.error
        return self.objects.get(name)

    def ready(self) -> bool:
        return self.error is None

    def hold(self, preview: Preview) -> None:
        obj = new_object(preview.spec, Poke())
        obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}
        self.objects[preview.name] = obj | {"status": status_object(preview.status)}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def client(cluster: Cluster) -> FlaskClient:
    return create_pages(SETTINGS, cluster, now=lambda: NOW).test_client()


def read(client: FlaskClient, address: str = "/p/812/42") -> tuple[TestResponse, Page]:
    response = client.get(address)
    return response, Page(response.text)


def test_a_ready_preview_leads_on_with_one_button_and_says_until_when(
    client: FlaskClient, cluster: Cluster
) -> None:
    cluster.hold(STATES["ready"])

    response, page = read(client)

    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert page.links == {"https://key.preview.example.com/cart": "button wide", PULL_REQUEST: "alone"}
    assert "The preview of pull request #42 is ready" in page.words
    assert "Open until Tue 24 Nov, 17:00 UTC (in 8 hours)" in page.words
    assert "Ready since Tue 24 Nov, 09:00 UTC" in page.words


def test_the_page_shows_the_state_and_no_word_of_the_repository(
    client: FlaskClient, cluster: Cluster
) -> None:
    cluster.hold(a_preview())
    cluster.objects["gh-812-42"]["status"] = {
        "phase": "Deploying",
        "reason": "Creating",
        "message": "image quince-jam is missing",
    }

    response, _ = read(client)

    assert response.status_code == 200
    assert "starting" in response.text
    assert "quince-jam" not in response.text


def test_the_page_of_what_is_unknown_names_no_repository(client: FlaskClient) -> None:
    response, page = read(client, "/p/812/43")

    assert response.status_code == 404
    assert "There is no preview here now" in page.words
    assert page.links == {}


# What the cluster does not answer


@pytest.mark.parametrize("error", [TryLater("Kubernetes", status=0), Forbidden("Kubernetes", status=403)])
def test_while_the_cluster_does_not_answer_the_page_says_so_and_tries_again(
    client: FlaskClient, cluster: Cluster, error: PreviewbotError
) -> None:
    cluster.hold(STATES["ready"])
    cluster.error = error

    response, page = read(client)

    assert response.status_code == 503
    assert "The cluster does not answer right now" in page.words
    assert page.refresh() == page.looks_again() == 5
    assert page.links == {}


def test_an_object_that_is_none_of_ours_is_not_guessed_at(client: FlaskClient, cluster: Cluster) -> None:
    cluster.hold(STATES["ready"])
    cluster.objects["gh-812-42"]["spec"] = {"number": "many"}

    response, page = read(client)

    assert response.status_code == 503
    assert "The cluster does not answer right now" in page.words


# What is about no pull request

NO_PAGES = ["/p", "/p/812", "/p/812/-1", "/p/812/x", "/p/812/42/", "/p//", "/p/none/", "/wp-login.php"]
BROWSERS = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.fixture(params=["public", "private"])
def web(request: pytest.FixtureRequest) -> FlaskClient:
    """Return web with a cluster that must not be asked."""
    nobody = Cluster(error=AssertionError("the cluster was asked"))  # type: ignore[arg-type]
    settings = parse({**VALUES, "pages": request.param}, {})
    return create_pages(settings, nobody, now=lambda: NOW).test_client()


def test_the_public_address_says_what_this_is_and_where_links_are_found_and_nothing_else(
    web: FlaskClient, request: pytest.FixtureRequest
) -> None:
    response, page = read(web, "/")

    assert response.status_code == 200
    assert response.mimetype == "text/html"
    assert "This is previewbot" in page.words
    assert "Links to previews are in comments on pull requests" in page.words
    is_public = "public" in request.node.callspec.id
    assert page.links == ({"/previews": "button"} if is_public else {})
    # Neither which version it is nor whose, nor how many previews there are.
    assert not any(character.isdigit() for character in page.words)


def test_an_address_without_a_preview_says_so_and_what_to_do(web: FlaskClient) -> None:
    response, page = read(web, "/p/none")

    # A link checker must not take it for the preview.
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "No preview answers at this address now" in page.words
    assert "its pull request was closed or merged" in page.words
    assert "/preview start" in page.words


@pytest.mark.parametrize("address", ["/", "/p/none"])
def test_pages_that_are_about_no_pull_request_are_only_read(web: FlaskClient, address: str) -> None:
    assert web.post(address).status_code == 405
    assert web.head(address).data == b""
    assert web.head(address).status_code == web.get(address).status_code


@pytest.mark.parametrize("address", NO_PAGES)
def test_a_browser_is_told_in_a_page_that_there_is_none(client: FlaskClient, address: str) -> None:
    response = client.get(address, headers={"Accept": BROWSERS})

    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "There is no such page" in Page(response.text).words


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/plain", ""])
@pytest.mark.parametrize("address", NO_PAGES)
def test_a_program_is_told_in_plain_text(client: FlaskClient, address: str, accept: str) -> None:
    response = client.get(address, headers={"Accept": accept} if accept else {})

    assert response.status_code == 404
    assert response.mimetype == "text/plain"


@pytest.mark.parametrize("digits", [30, 300, 5_000])
def test_a_number_that_no_pull_request_has_is_an_unknown_preview(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, digits: int
) -> None:
    for address in (f"/p/{'9' * digits}/1", f"/p/812/{'9' * digits}"):
        assert client.get(address).status_code == 404
    assert caplog.records == []


def test_a_page_is_only_read(client: FlaskClient) -> None:
    assert client.post("/p/812/42").status_code == 405
    assert client.head("/p/812/42").status_code == 404


# Headers


def policy(response: TestResponse) -> dict[str, str]:
    directives = (directive.strip() for directive in response.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in (directive.partition(" ") for directive in directives)}


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize("address", ["/", "/p/none", "/nowhere"])
def test_pages_that_never_have_news_may_run_no_script_and_ask_nobody(
    client: FlaskClient, address: str
) -> None:
    response = client.get(address, headers={"Accept": BROWSERS})

    assert policy(response) == {
        "default-src": "'none'",
        "style-src": hash_of(Page(response.text).style),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


@pytest.mark.parametrize("case", ["ready", "unknown", "away"])
def test_the_policy_allows_the_pages_own_style_and_script_by_their_hashes_and_nothing_else(
    client: FlaskClient, cluster: Cluster, case: str
) -> None:
    if case == "ready":
        cluster.hold(STATES["ready"])
    cluster.error = TryLater("Kubernetes") if case == "away" else None

    response, page = read(client)

    assert policy(response) == {
        "default-src": "'none'",
        "style-src": hash_of(page.style),
        "script-src": hash_of(page.script),
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert not any("style" in attributes for _, attributes in page.tags)


@pytest.mark.parametrize(
    "address", ["/", "/p/812/42", "/p/none", "/nowhere", "/healthz", "/metrics", "/readyz"]
)
def test_every_answer_is_neither_kept_nor_guessed_at_nor_told_to_others(
    client: FlaskClient, cluster: Cluster, address: str
) -> None:
    probes = create_probes(cluster, CollectorRegistry()).test_client()
    headers = (probes if address in ("/healthz", "/metrics", "/readyz") else client).get(address).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_pull_requests_address_is_that_of_the_server_in_the_settings(cluster: Cluster) -> None:
    elsewhere = parse(VALUES, {"PREVIEWBOT_GITHUB__WEB_URL": "https://github.acme.example/"})
    cluster.hold(STATES["ready"])
    client = create_pages(elsewhere, cluster, now=lambda: NOW).test_client()

    _, page = read(client)

    assert "https://github.acme.example/acme/shop/pull/42" in page.links
