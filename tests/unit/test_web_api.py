"""What programs read over HTTP: JSON with an ETag, with the bearer or as the page is, and its description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from previewbot.api import Preview
from previewbot.config.server import Bearer, bearers, parse
from previewbot.errors import SettingsError, TryLater
from previewbot.pages.by_name import LISTED_EVERY_SECONDS
from previewbot.pages.openapi import document
from previewbot.runtime.pages_app import create_pages
from previewbot.text.facts import Facts
from previewbot.text.render import Renderer
from previewbot.text.view import View
from tests.support.previews import NOW
from tests.support.states import STATES
from tests.unit.test_web_pages import VALUES, Cluster

BEARER = "a-bearer-of-the-tests-with-forty-one-signs"
OTHER = "another-bearer-of-the-tests-of-that-length"
BY_NUMBER, BY_NAME, ALL = "/p/812/42.json", "/p.json?repository=acme/shop&number=42", "/previews.json"
ADDRESSES = (BY_NUMBER, BY_NAME, ALL)


@dataclass
class Listed(Cluster):
    """A cluster that is listed too, and says how often."""

    listed: int = 0
    bearers: list[str] = field(default_factory=lambda: [BEARER])

    def list_previews(self) -> Iterator[dict[str, Any]]:
        self.listed += 1
        if self.error is not None:
            raise self.error
        yield from self.objects.values()

    def current(self) -> tuple[Bearer, ...]:
        if not self.bearers:
            raise SettingsError(("it is empty",))
        return bearers(Path("bearer"), "\n".join(self.bearers).encode())


def named(preview: Preview, name: str, number: int, repository: str = "acme/shop") -> Preview:
    repository_id = int(name.split("-")[1])
    spec = replace(preview.spec, repository_id=repository_id, number=number, repository=repository)
    return replace(preview, name=name, spec=spec)


@pytest.fixture
def cluster() -> Listed:
    found = Listed()
    found.hold(STATES["ready-but-crashing"])
    found.hold(named(STATES["queued"], "gh-812-43", 43))
    found.hold(named(STATES["stopped"], "gh-900-42", 42, "acme/other"))
    return found


def web(cluster: Listed, pages: str) -> FlaskClient:
    app = create_pages(
        parse({**VALUES, "pages": pages}, {}),
        cluster,
        now=lambda: NOW,
        bearers=cluster.current,
        listing=cluster.list_previews,
    )
    return app.test_client()


@pytest.fixture
def private(cluster: Listed) -> FlaskClient:
    return web(cluster, "private")


@pytest.fixture
def public(cluster: Listed) -> FlaskClient:
    return web(cluster, "public")


def bearing(bearer: str = BEARER, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}", **more}


# With the bearer


@pytest.mark.parametrize("pages", ["private", "public"])
def test_whoever_has_the_bearer_reads_a_preview_by_number_and_by_name_and_all_of_them(
    cluster: Listed, pages: str
) -> None:
    client = web(cluster, pages)
    by_number, by_name, everything = (client.get(each, headers=bearing()) for each in ADDRESSES)

    assert by_number.mimetype == "application/json"
    assert by_number.json == by_name.get_json()
    assert (by_number.get_json()["repository"], by_number.get_json()["number"]) == ("acme/shop", 42)
    told = [(each["repository"], each["number"]) for each in everything.get_json()["previews"]]
    assert told == [("acme/other", 42), ("acme/shop", 42), ("acme/shop", 43)]
    # As in the comment: with the last lines of what crashes, and the container's name.
    assert by_number.get_json()["services"][0]["problem"]["container"] == "app"


def test_a_list_may_be_of_one_repository_whatever_its_case(private: FlaskClient) -> None:
    found = private.get(f"{ALL}?repository=ACME/Other", headers=bearing()).get_json()

    assert [each["repository"] for each in found["previews"]] == ["acme/other"]


def test_many_who_ask_by_name_have_previews_listed_once_in_some_seconds(
    cluster: Listed, private: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = [1000.0]
    monkeypatch.setattr("previewbot.pages.lately.time.monotonic", lambda: time[0])

    def status(number: int) -> int:
        return private.get(BY_NAME.replace("42", str(number)), headers=bearing()).status_code

    assert [status(number) for number in (42, 7, 8, 43, 7)] == [200, 404, 404, 200, 404]
    assert cluster.listed == 1
    # One that is made later is found by the next listing, and then by its own name.
    cluster.hold(named(STATES["ready"], "gh-812-7", 7))
    assert status(7) == 404
    time[0] += LISTED_EVERY_SECONDS
    assert [status(7), status(7), status(8)] == [200, 200, 404]
    assert cluster.listed == 2
    # A listing that fails is not kept.
    time[0] += LISTED_EVERY_SECONDS
    cluster.error = TryLater("Kubernetes")
    assert status(8) == 503
    cluster.error = None
    assert status(8) == 404


def test_a_repository_that_was_renamed_is_found_by_its_new_name_alone(
    cluster: Listed, private: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = [1000.0]
    monkeypatch.setattr("previewbot.pages.lately.time.monotonic", lambda: time[0])
    assert private.get(BY_NAME, headers=bearing()).status_code == 200
    time[0] += LISTED_EVERY_SECONDS

    for obj in cluster.objects.values():
        obj["spec"]["repository"] = obj["spec"]["repository"].replace("acme/shop", "acme/store")
    assert private.get(BY_NAME, headers=bearing()).status_code == 404
    assert private.get(BY_NAME.replace("shop", "store"), headers=bearing()).get_json()["number"] == 42


def test_of_the_previews_that_nobody_asked_about_nothing_is_rendered(
    private: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[int] = []
    facts = Renderer.facts

    def counted(renderer: Renderer, view: View) -> Facts:
        rendered.append(view.preview.spec.number)
        return facts(renderer, view)

    monkeypatch.setattr(Renderer, "facts", counted)
    # Whoever waits for a preview that is not there yet asks every few seconds, and web answers GitHub too.
    assert private.get(BY_NAME.replace("42", "7"), headers=bearing()).status_code == 404
    assert private.get(BY_NAME.replace("42", "43"), headers=bearing()).status_code == 200
    assert private.get(f"{ALL}?repository=acme/other", headers=bearing()).status_code == 200
    assert rendered == [43, 42]


def test_an_object_that_is_none_of_ours_hides_no_other(cluster: Listed, private: FlaskClient) -> None:
    cluster.objects["gh-812-42"]["spec"] = {"number": "many"}

    assert len(private.get(ALL, headers=bearing()).get_json()["previews"]) == 2
    assert private.get(BY_NUMBER, headers=bearing()).status_code == 503


@pytest.mark.parametrize("query", ["", "?repository=acme/shop", "?number=42", "?repository=a/b&number=x"])
def test_what_is_missing_in_an_address_is_named(private: FlaskClient, query: str) -> None:
    found = private.get(f"/p.json{query}", headers=bearing())

    assert found.status_code == 400
    assert "repository=OWNER/NAME" in found.get_json()["message"]


@pytest.mark.parametrize("address", ["/p/812/7.json", "/p.json?repository=acme/shop&number=7"])
def test_where_there_is_none_is_said_so_in_json(private: FlaskClient, address: str) -> None:
    found = private.get(address, headers=bearing())

    assert (found.status_code, found.mimetype) == (404, "application/json")


@pytest.mark.parametrize("address", ADDRESSES)
def test_while_the_cluster_does_not_answer_nobody_is_told_that_there_is_none(
    cluster: Listed, private: FlaskClient, address: str
) -> None:
    cluster.error = TryLater("Kubernetes")
    found = private.get(address, headers=bearing())

    assert (found.status_code, found.headers["Retry-After"]) == (503, "5")


# ETag


@pytest.mark.parametrize("address", [*ADDRESSES, "/openapi.json"])
def test_whoever_has_the_newest_answer_already_gets_no_body(
    cluster: Listed, private: FlaskClient, address: str
) -> None:
    tag = private.get(address, headers=bearing()).headers["ETag"]
    again = private.get(address, headers=bearing(**{"If-None-Match": tag}))

    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Cache-Control"] == "private, no-cache"
    assert again.headers["Vary"] == "Authorization, Cookie"


def test_news_change_the_tag(cluster: Listed, private: FlaskClient) -> None:
    tag = private.get(BY_NUMBER, headers=bearing()).headers["ETag"]
    cluster.hold(STATES["ready"])

    assert private.get(BY_NUMBER, headers=bearing(**{"If-None-Match": tag})).status_code == 200


# Without the bearer


@pytest.mark.parametrize(
    "sent", [None, f"Bearer {OTHER}", f"Basic {BEARER}", "Bearer ", "Bearer \xff" * 9, ""]
)
def test_where_pages_are_private_all_others_get_what_any_address_has_and_nobody_is_asked(
    cluster: Listed, private: FlaskClient, sent: str | None
) -> None:
    cluster.error = AssertionError("the cluster was asked")  # type: ignore[assignment]
    headers = {} if sent is None else {"Authorization": sent}
    for address, other in ((BY_NUMBER, "/p/1/2"), (BY_NAME, "/q.json"), (ALL, "/nowhere.json")):
        found, anywhere = private.get(address, headers=headers), private.get(other)
        assert found.status_code == 404
        assert (found.data, list(found.headers)) == (anywhere.data, list(anywhere.headers))
    assert cluster.listed == 0


def test_where_pages_are_public_anybody_reads_what_the_page_says_and_no_more(public: FlaskClient) -> None:
    found = public.get(BY_NUMBER)

    assert (found.status_code, found.get_json()["phase"]) == (200, "Ready")
    assert found.get_json()["services"][0]["problem"]["container"] == ""
    # Whoever asks for these has all Previews listed, which is not for anybody.
    for address in (BY_NAME, ALL):
        refused = public.get(address)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_the_password_of_a_proxy_in_front_is_no_bearer(public: FlaskClient) -> None:
    password = {"Authorization": "Basic cmVhZGVyOmxvbmcgZW5vdWdo"}
    assert public.get(BY_NUMBER, headers=password).get_json() == public.get(BY_NUMBER).get_json()
    assert public.get(ALL, headers=password).headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("sent", [f"Bearer {OTHER}", f"Bearer {BEARER[:-1]}"])
def test_where_pages_are_public_a_bearer_that_does_not_count_is_said_not_to(
    public: FlaskClient, sent: str
) -> None:
    for address in ADDRESSES:
        refused = public.get(address, headers={"Authorization": sent})
        assert refused.status_code == 401
        assert "api.bearer_file" in refused.get_json()["message"]


def test_a_bearer_counts_from_when_it_is_written_until_it_is_taken_away(
    cluster: Listed, private: FlaskClient
) -> None:
    def status(bearer: str) -> int:
        return private.get(BY_NUMBER, headers=bearing(bearer)).status_code

    assert (status(BEARER), status(OTHER)) == (200, 404)
    cluster.bearers = [OTHER, BEARER]
    assert (status(BEARER), status(OTHER)) == (200, 200)
    cluster.bearers = [OTHER]
    assert (status(BEARER), status(OTHER)) == (404, 200)
    # A file that cannot be read lets nobody in, and stops nothing else.
    cluster.bearers = []
    assert (status(BEARER), status(OTHER)) == (503, 503)
    assert private.get("/").status_code == 200


def test_no_record_has_a_bearer_in_it(
    cluster: Listed, private: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    cluster.bearers = []
    private.get(BY_NUMBER, headers=bearing())

    assert "lets nobody in" in caplog.text
    assert BEARER not in caplog.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(private: FlaskClient, method: str) -> None:
    for address in ADDRESSES:
        assert private.open(address, method=method, headers=bearing()).status_code == 405


# The description


def test_every_answer_is_as_the_description_says(private: FlaskClient, public: FlaskClient) -> None:
    described = document()
    described["components"]["schemas"] |= {}

    def valid(name: str, answer: Any) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(answer)

    valid("Facts", private.get(BY_NUMBER, headers=bearing()).get_json())
    valid("Facts", public.get(BY_NUMBER).get_json())
    valid("Previews", private.get(ALL, headers=bearing()).get_json())
    valid("Message", private.get("/p.json", headers=bearing()).get_json())


def test_the_description_names_each_route_and_every_part_that_it_refers_to(private: FlaskClient) -> None:
    served = private.get("/openapi.json").get_json()
    text = json.dumps(served)

    assert served == document()
    assert served["openapi"] == "3.1.0"
    assert set(served["paths"]) == {"/p/{repository_id}/{number}.json", "/p.json", "/previews.json"}
    for part in served["components"]["schemas"]:
        assert f"#/components/schemas/{part}" in text
    for name in text.split('"#/components/schemas/')[1:]:
        assert name.split('"')[0] in served["components"]["schemas"]
    for path in served["paths"].values():
        assert {"200", "304", "404", "503"} <= set(path["get"]["responses"])
