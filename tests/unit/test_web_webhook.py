"""Deliveries: what is refused and why, what is ignored, and that 202 means stored."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from werkzeug.exceptions import HTTPException, RequestTimeout, ServiceUnavailable
from werkzeug.test import TestResponse

from previewbot.api import Ask, Poke, Spec
from previewbot.config.server import parse
from previewbot.errors import TryLater
from previewbot.runtime.bare_app import create_probes
from previewbot.runtime.web_app import create_app
from previewbot.webhook.signatures import check_signature
from tests.support.previews import NOW

SECRET = b"it is a secret of the tests"
SETTINGS = parse(
    {
        "github": {
            "api_url": "https://api.github.com",
            "web_url": "https://github.com",
            "app_id": 4242,
            "private_key_file": "/nowhere",
            "webhook_secret_file": "/nowhere",
        },
        "public_url": "https://previews.example.com",
        "cluster": {"namespaces": ["staging"]},
        "images": {"allowed": ["ghcr.io/acme/"]},
        "pages": "public",
    },
    {},
)


class Cluster:
    """A cluster that remembers pokes, and can be down."""

    def __init__(self) -> None:
        self.pokes: list[tuple[Spec, Poke, bool]] = []
        self.known = True
        self.down = False
        self.objects: dict[str, dict[str, Any]] = {}
        self.listings: list[str] = []
        self.asks: list[Ask] = []

    def ask(self, ask: Ask) -> None:
        if self.down:
            raise TryLater("Kubernetes", status=500)
        self.asks.append(ask)

    def ask_for_listing(self, delivery_id: str) -> bool:
        if self.down:
            raise TryLater("Kubernetes", status=500)
        self.listings.append(delivery_id)
        return self.known

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        if self.down:
            raise TryLater("Kubernetes", status=500)
        self.pokes.append((spec, poke, create))
        return self.known or create

    def ready(self) -> bool:
        return not self.down


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def client(cluster: Cluster) -> FlaskClient:
    app = create_app(SETTINGS, (SECRET,), cluster, CollectorRegistry(), now=lambda: NOW, body_limit=10_000)
    return app.test_client()


def signed(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def deliver(client: FlaskClient, event: str, payload: object, **headers: str) -> TestResponse:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    sent = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": signed(body),
    }
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/webhook", data=body, headers={k: v for k, v in sent.items() if v})


REPOSITORY = {"id": 812, "full_name": "acme/shop"}
INSTALLATION = {"id": 7}


def pull_request(action: str = "opened") -> dict[str, Any]:
    return {
        "action": action,
        "pull_request": {"number": 42, "updated_at": "2026-11-24T09:00:00Z"},
        "repository": REPOSITORY,
        "installation": INSTALLATION,
    }


def issue_comment(
    body: str = "/preview", action: str = "created", app: int | None = None, pull: bool = True
) -> dict[str, Any]:
    issue: dict[str, Any] = {"number": 42} | ({"pull_request": {}} if pull else {})
    comment = {"id": 99, "body": body, "performed_via_github_app": {"id": app} if app else None}
    return {
        "action": action,
        "issue": issue,
        "comment": comment,
        "repository": REPOSITORY,
        "installation": INSTALLATION,
    }


def in_review(place: str, body: str = "/preview status") -> dict[str, Any]:
    return {
        "action": "submitted" if place == "review" else "created",
        "pull_request": {"number": 42, "user": {"id": 1}},
        place: {"id": 77, "body": body, "user": {"id": 2, "type": "User"}, "author_association": "MEMBER"},
        "repository": REPOSITORY,
        "installation": INSTALLATION,
    }


def written_in(place: str, body: str) -> tuple[str, dict[str, Any]]:
    """Return the event, and its payload, of a text in the conversation, in a review or on lines."""
    if place == "conversation":
        return "issue_comment", issue_comment(body)
    return "pull_request_review" + ("_comment" if place == "comment" else ""), in_review(place, body)


def check_run(app: int = 1, numbers: tuple[int, ...] = (42,)) -> dict[str, Any]:
    return {
        "action": "completed",
        "check_run": {"app": {"id": app}, "pull_requests": [{"number": n} for n in numbers]},
        "repository": REPOSITORY,
        "installation": INSTALLATION,
    }


@pytest.mark.parametrize(
    ("headers", "status", "says"),
    [
        ({"X_Hub_Signature_256": ""}, 401, "missing"),
        ({"X_Hub_Signature_256": signed(b"{}", b"another")}, 401, "does not match"),
        ({"X_Hub_Signature_256": "sha1=abc"}, 401, "not a SHA-256"),
        ({"X_Hub_Signature_256": "sha256=ä"}, 401, "not a SHA-256"),
        ({"X_Hub_Signature_256": "sha256=" + "٣" * 64}, 401, "not a SHA-256"),
        ({"X_Hub_Signature_256": signed(b"")[:-1]}, 401, "not a SHA-256"),
        ({"X_Hub_Signature_256": signed(b"") + "0"}, 401, "not a SHA-256"),
        ({"X_Hub_Signature_256": signed(b"").upper()}, 401, "not a SHA-256"),
        ({"X_GitHub_Event": ""}, 400, "X-GitHub-Event is missing"),
        ({"X_GitHub_Delivery": ""}, 400, "X-GitHub-Delivery is missing"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 400, "application/json"),
    ],
)
def test_a_delivery_that_cannot_be_trusted_or_read_is_refused_with_the_reason(
    client: FlaskClient, cluster: Cluster, headers: dict[str, str], status: int, says: str
) -> None:
    response = deliver(client, "pull_request", pull_request(), **headers)

    assert response.status_code == status
    assert says in response.text
    assert cluster.pokes == []


def test_truncated_and_non_json_bodies_are_refused(client: FlaskClient) -> None:
    whole = json.dumps(pull_request()).encode()
    cut = client.post(
        "/webhook",
        data=whole[:-10],
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": "d-1",
            "X-Hub-Signature-256": signed(whole),
        },
    )

    assert cut.status_code == 401
    assert deliver(client, "pull_request", b"not json").status_code == 400
    assert deliver(client, "pull_request", b"[" * 5_000).status_code == 400


def test_an_oversized_body_is_refused_before_it_is_read(client: FlaskClient) -> None:
    response = deliver(client, "pull_request", b" " * 10_001)

    assert response.status_code == 413


def test_an_oversized_body_that_does_not_say_its_length_is_refused_as_such(client: FlaskClient) -> None:
    body = b" " * 10_001
    response = client.post(
        "/webhook",
        input_stream=io.BytesIO(body),
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": "d-1",
            "X-Hub-Signature-256": signed(body),
        },
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert response.status_code == 413


class Untouched(io.BytesIO):
    """A body that must not be read."""

    def read(self, size: int | None = -1) -> bytes:
        raise AssertionError("the body was read")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Hub-Signature-256": None},
        {"X-Hub-Signature-256": "sha256=abc"},
        {"X-GitHub-Event": None},
        {"X-GitHub-Delivery": None},
        {"Content-Type": "text/plain"},
        {"Content-Length": "10001"},
    ],
)
@pytest.mark.parametrize("path", ["/webhook", "/p/812/42", "/nowhere"])
def test_the_body_of_what_is_refused_is_never_read(
    client: FlaskClient, headers: dict[str, str | None], path: str
) -> None:
    sent: dict[str, str | None] = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": signed(b"another"),
        "Content-Length": "100",
    }
    sent |= headers

    response = client.post(
        path,
        input_stream=Untouched(),
        headers={name: value for name, value in sent.items() if value is not None},
    )

    assert response.status_code in (400, 401, 404, 405, 413)


@given(body=st.binary(max_size=300_000), cut=st.integers(0, 300_000))
def test_however_a_body_is_cut_into_pieces_it_is_the_same_body(body: bytes, cut: int) -> None:
    assert check_signature(signed(body), iter([body[:cut], body[cut:]]), (b"no", SECRET)) == (1, body)


@pytest.mark.parametrize(
    ("error", "status"), [(RequestTimeout("too slow"), 408), (ServiceUnavailable("no room"), 503)]
)
def test_a_body_that_the_server_cannot_wait_for_counts_as_lost(error: HTTPException, status: int) -> None:
    class Stream(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise error

    metrics = CollectorRegistry()
    client = create_app(SETTINGS, (SECRET,), Cluster(), metrics, now=lambda: NOW).test_client()
    response = client.post(
        "/webhook",
        input_stream=Stream(),
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": "d-1",
            "X-Hub-Signature-256": signed(b"x"),
        },
    )

    assert (response.status_code, response.text) == (status, error.description)
    assert response.headers.get("Retry-After") == ("60" if status == 503 else None)
    labels = {"event": "lost", "status": str(status)}
    assert metrics.get_sample_value("previewbot_deliveries_total", labels) == 1


def test_an_sha1_signature_alone_is_not_enough(client: FlaskClient) -> None:
    body = b"{}"
    sha1 = "sha1=" + hmac.new(SECRET, body, hashlib.sha1).hexdigest()

    response = client.post("/webhook", data=body, headers={"X-Hub-Signature": sha1, "X-GitHub-Event": "ping"})

    assert response.status_code == 401


@given(body=st.binary(max_size=200), event=st.sampled_from(["pull_request", "issue_comment", "check_run"]))
def test_no_signed_bytes_make_it_fail(body: bytes, event: str) -> None:
    client = create_app(SETTINGS, (SECRET,), Cluster(), CollectorRegistry(), now=lambda: NOW).test_client()

    assert deliver(client, event, body).status_code in (204, 400)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["action", "pull_request", "issue", "comment", "check_run", "repository", "id"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(payload=_JSON, event=st.sampled_from(["pull_request", "issue_comment", "check_run", "check_suite"]))
def test_no_shape_of_payload_makes_it_fail(payload: object, event: str) -> None:
    client = create_app(SETTINGS, (SECRET,), Cluster(), CollectorRegistry(), now=lambda: NOW).test_client()

    assert deliver(client, event, payload).status_code in (202, 204, 400)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("push", {}),
        ("star", {"action": "created"}),
        ("issue_comment", issue_comment(pull=False)),
        ("issue_comment", issue_comment(body="nice work")),
        ("issue_comment", issue_comment(body="see /preview")),
        ("issue_comment", issue_comment(action="edited", body="never mind")),
        ("issue_comment", issue_comment(action="deleted")),
        ("issue_comment", issue_comment(app=4242)),
        ("check_run", check_run(app=4242)),
        ("check_run", check_run(numbers=())),
    ],
)
def test_what_concerns_no_pull_request_or_is_our_own_doing_is_ignored(
    client: FlaskClient, cluster: Cluster, event: str, payload: dict[str, Any]
) -> None:
    assert deliver(client, event, payload).status_code == 204
    assert cluster.pokes == []


@pytest.mark.parametrize(
    ("event", "payload", "create"),
    [
        ("pull_request", pull_request("opened"), True),
        ("pull_request", pull_request("labeled"), True),
        ("pull_request", pull_request("closed"), False),
        ("issue_comment", issue_comment("/preview stop"), True),
        ("issue_comment", issue_comment("/Preview\nplease", app=77), True),
        ("check_run", check_run(), False),
    ],
)
def test_the_others_poke_the_preview_and_only_some_may_create_one(
    client: FlaskClient, cluster: Cluster, event: str, payload: dict[str, Any], create: bool
) -> None:
    assert deliver(client, event, payload).status_code == 202
    ((spec, poke, creating),) = cluster.pokes
    assert (spec.repository_id, spec.number, spec.installation_id, creating) == (812, 42, 7, create)
    assert (poke.delivery_id, poke.poked_at) == ("d-1", NOW)


@pytest.mark.parametrize(
    "body",
    [
        "\r\n/preview stop",
        " /preview stop",
        "\ufeff/preview stop",
        "\u200b/preview stop",
        "\u3000/preview stop",
        "LGTM, thanks!\r\n\r\n/preview stop",
        "LGTM\u2028/preview stop",
        "`/preview stop`",
        "<!-- saved reply -->\n/preview stop",
        "/preview: stop",
        "@previewbot /preview stop",
        "/preview stop\r\n/preview start",
        "/preview strat",
    ],
)
@pytest.mark.parametrize("place", ["conversation", "review", "comment"])
def test_a_command_pokes_wherever_and_however_it_is_written(
    client: FlaskClient, cluster: Cluster, place: str, body: str
) -> None:
    """Silence would be taken for obedience."""
    answer = deliver(client, *written_in(place, body))

    assert answer.status_code == 202
    ((spec, poke, create),) = cluster.pokes
    assert (spec.number, create) == (42, True)
    told = {"conversation": poke.comment_id, "review": poke.review_id, "comment": poke.review_comment_id}
    assert {name for name, number in told.items() if number} == {place}


@pytest.mark.parametrize(
    "body",
    [
        "```\n/preview stop\n```",
        "> /preview stop",
        "    /preview stop",
        "write `/preview stop` to stop it",
        "<!-- /preview stop -->",
        "/previewbot stop",
        "see /preview",
    ],
)
@pytest.mark.parametrize("place", ["conversation", "review", "comment"])
def test_what_is_quoted_shown_as_code_or_hidden_pokes_nothing(
    client: FlaskClient, cluster: Cluster, place: str, body: str
) -> None:
    answer = deliver(client, *written_in(place, body))

    assert (answer.status_code, cluster.pokes) == (204, [])


def test_lower_bounds_come_with_the_poke(client: FlaskClient, cluster: Cluster) -> None:
    deliver(client, "pull_request", pull_request())
    deliver(client, "issue_comment", issue_comment())

    (_, first, _), (_, second, _) = cluster.pokes
    assert first.updated_at == NOW
    assert second.comment_id == 99


def test_a_review_and_a_comment_on_lines_come_with_ids_of_their_own(
    client: FlaskClient, cluster: Cluster
) -> None:
    deliver(client, "pull_request_review", in_review("review"))
    deliver(client, "pull_request_review_comment", in_review("comment"))

    (_, review, creating), (_, on_lines, _) = cluster.pokes
    assert creating
    assert (review.comment_id, review.review_id, review.review_comment_id) == (0, 77, 0)
    assert (on_lines.comment_id, on_lines.review_id, on_lines.review_comment_id) == (0, 0, 77)
    assert (review.member_review_id, on_lines.member_review_comment_id) == (77, 77)
    # Somebody else's, so that the author does not wait for it: it calls, and is no event of the author's.
    assert [(poke.called_by, poke.event_id) for poke in (review, on_lines)] == [(2, "")] * 2


def test_a_label_comes_with_its_delivery_as_what_must_not_wait(client: FlaskClient, cluster: Cluster) -> None:
    deliver(client, "pull_request", pull_request("labeled"))
    deliver(client, "pull_request", pull_request("synchronize"))

    assert [poke.label_id for _, poke, _ in cluster.pokes] == ["d-1", ""]
    assert [poke.event_id for _, poke, _ in cluster.pokes] == ["d-1", "d-1"]


def test_somebody_elses_comment_is_a_call_and_no_event(client: FlaskClient, cluster: Cluster) -> None:
    payload = issue_comment()
    payload["issue"]["user"], payload["comment"]["user"] = {"id": 1}, {"id": 667}
    deliver(client, "issue_comment", payload)

    ((_, poke, _),) = cluster.pokes
    assert (poke.call_id, poke.called_by, poke.label_id, poke.event_id) == ("d-1", 667, "", "")


def test_without_a_preview_an_event_that_may_not_create_one_is_ignored(
    client: FlaskClient, cluster: Cluster
) -> None:
    cluster.known = False

    assert deliver(client, "check_run", check_run()).status_code == 204


def test_202_is_said_only_when_it_is_stored(client: FlaskClient, cluster: Cluster) -> None:
    cluster.down = True

    response = deliver(client, "pull_request", pull_request())

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "60"


def test_ping_is_answered(client: FlaskClient) -> None:
    assert deliver(client, "ping", {"zen": "x"}).text == "pong"


def test_there_is_no_running_without_a_secret() -> None:
    for secrets in ((), (b"",), (SECRET, b"")):
        with pytest.raises(ValueError, match="there is no webhook secret"):
            create_app(SETTINGS, secrets, Cluster(), CollectorRegistry(), now=lambda: NOW)


def test_each_delivery_is_one_structured_line(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="previewbot"):
        deliver(client, "pull_request", pull_request())

    (record,) = [r for r in caplog.records if r.message == "delivery"]
    fields = vars(record)
    assert (fields["delivery"], fields["event"], fields["decision"], fields["status"]) == (
        "d-1",
        "pull_request",
        "poked",
        202,
    )


@pytest.mark.parametrize(
    "path", ["/", "/p/812/42", "/p/812/42.json", "/p.json", "/previews.json", "/openapi.json", "/p/none"]
)
def test_what_people_and_programs_read_is_answered_by_another_process(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})

    assert (response.status_code, response.mimetype) == (404, "text/plain")


def test_probes_say_when_the_cluster_is_away(cluster: Cluster) -> None:
    probes = create_probes(cluster, CollectorRegistry()).test_client()
    assert probes.get("/readyz").status_code == 200
    cluster.down = True

    assert probes.get("/readyz").status_code == 503
    assert probes.get("/healthz").status_code == 200


def test_load_balancers_that_look_at_the_port_they_send_to_are_answered_and_nobody_is_asked() -> None:
    cluster = Cluster()
    cluster.down = True
    public = create_app(SETTINGS, (SECRET,), cluster, CollectorRegistry(), now=lambda: NOW).test_client()

    # AWS's with GET, Alibaba's with HEAD.
    assert [public.get("/healthz").status_code, public.head("/healthz").status_code] == [200, 200]
    assert public.post("/healthz").status_code == 405


def test_metrics_count_deliveries_and_are_for_the_cluster_alone_as_are_the_probes() -> None:
    metrics = CollectorRegistry()
    public = create_app(SETTINGS, (SECRET,), Cluster(), metrics, now=lambda: NOW).test_client()
    probes = create_probes(Cluster(), metrics).test_client()
    deliver(public, "ping", {})

    assert 'previewbot_deliveries_total{event="ping",status="200"} 1.0' in probes.get("/metrics").text
    assert [public.get(path).status_code for path in ("/metrics", "/readyz")] == [404] * 2
    assert [probes.get("/p/812/42").status_code, deliver(probes, "ping", {}).status_code] == [404] * 2


# The App's own events


def an_installation(action: str = "deleted", account: str = "acme") -> dict[str, Any]:
    return {"action": action, "installation": {"id": 7, "account": {"login": account}}}


@pytest.mark.parametrize("known", [True, False])
def test_what_becomes_of_an_installation_asks_the_controller_to_list(
    client: FlaskClient, cluster: Cluster, known: bool
) -> None:
    cluster.known = known
    answer = deliver(client, "installation", an_installation())

    assert answer.status_code == 202
    assert (cluster.listings, cluster.pokes) == (["d-1"], [])


def test_an_account_that_is_not_served_asks_for_nothing(cluster: Cluster) -> None:
    settings = SETTINGS.model_copy(update={"owners": ("acme",)})
    app = create_app(settings, (SECRET,), cluster, CollectorRegistry(), now=lambda: NOW)
    answer = deliver(app.test_client(), "installation", an_installation(account="mallory"))

    assert answer.status_code == 204
    assert cluster.listings == []


def test_an_installation_of_an_enterprise_names_no_account_and_counts_without_owners(
    client: FlaskClient, cluster: Cluster
) -> None:
    enterprise = {"action": "created", "installation": {"id": 7, "account": None}}

    assert deliver(client, "installation", enterprise).status_code == 202
    assert cluster.listings == ["d-1"]


def test_a_listing_that_cannot_be_asked_for_is_told_to_github(client: FlaskClient, cluster: Cluster) -> None:
    cluster.down = True

    assert deliver(client, "installation", an_installation()).status_code == 503
