"""A webhook secret can be changed without a delivery being refused, and none is so short that it is guessed.

GitHub has one secret for an App, and no moment at which both sides change theirs. Without a time in which two
count, a change costs deliveries; so nobody changes a secret that may have leaked.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from previewbot.api import Ask, Poke, Spec
from previewbot.config.server import SecretSource, parse, webhook_secrets
from previewbot.errors import SettingsError
from previewbot.runtime.web_app import create_app
from previewbot.webhook import signatures
from tests.support.previews import NOW

NEW, OLD = b"the new one, of 32 random bytes!", b"the old one, of 32 random bytes!"
FILE = SecretSource("github.webhook_secret", Path("/etc/previewbot/webhook-secret"))
SETTINGS = parse(
    {
        "github": {"api_url": "https://api.github.com", "web_url": "https://github.com", "app_id": 4242},
        "public_url": "https://previews.example.com",
        "cluster": {"namespaces": ["staging"]},
        "images": {"allowed": ["ghcr.io/acme/"]},
    },
    {},
)
OPENED = {
    "action": "opened",
    "pull_request": {"number": 42, "updated_at": "2026-11-24T09:00:00Z"},
    "repository": {"id": 812, "full_name": "acme/shop"},
    "installation": {"id": 7},
}
VARIABLE = SecretSource("github.webhook_secret", None, "x")


class Cluster:
    """A cluster that takes every poke."""

    def ask(self, ask: Ask) -> None:
        pass

    def ask_for_listing(self, delivery_id: str) -> bool:
        return False

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        return True

    def get_preview(self, name: str) -> None:
        return None

    def ready(self) -> bool:
        return True


def client_of(*secrets: bytes) -> FlaskClient:
    return create_app(SETTINGS, secrets, Cluster(), CollectorRegistry(), now=lambda: NOW).test_client()


def answer_to(client: FlaskClient, secret: bytes) -> int:
    """Return the status of the answer to a delivery that is signed with a secret."""
    body = json.dumps(OPENED).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest(),
    }
    return client.post("/webhook", data=body, headers=headers).status_code


def test_a_change_of_the_secret_costs_no_delivery() -> None:
    before, while_both_count, after = client_of(OLD), client_of(NEW, OLD), client_of(NEW)

    # previewbot knows both, then the App's settings are changed, then previewbot forgets the old one.
    assert answer_to(before, OLD) == 202
    assert answer_to(while_both_count, OLD) == 202
    assert answer_to(while_both_count, NEW) == 202
    assert answer_to(after, NEW) == 202


def test_the_secret_before_counts_no_longer_once_it_is_taken_away() -> None:
    assert answer_to(client_of(NEW), OLD) == 401


@pytest.mark.parametrize("secret", [b"", NEW[:-1], NEW + OLD, NEW + b"\n" + OLD, b"\n".join([OLD, NEW])])
def test_with_two_secrets_no_third_one_signs(secret: bytes) -> None:
    assert answer_to(client_of(NEW, OLD), secret) == 401


def test_that_the_secret_before_still_signs_is_said(caplog: pytest.LogCaptureFixture) -> None:
    client = client_of(NEW, OLD)
    with caplog.at_level(logging.INFO):
        answer_to(client, NEW)
        assert "signed with the second secret" not in caplog.messages
        answer_to(client, OLD)

    assert "signed with the second secret" in caplog.messages
    assert OLD.decode() not in caplog.text


def test_every_secret_is_compared_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(signatures, "hmac", type("Hmac", (), {"new": hmac.new, "compare_digest": compare}))
    for secret in (NEW, OLD, b"another"):
        compared.clear()
        answer_to(client_of(NEW, OLD), secret)
        assert len(compared) == 2


# What the file, or the variable, holds


@pytest.mark.parametrize(
    ("content", "secrets"),
    [
        (NEW, (NEW,)),
        (NEW + b"\n", (NEW,)),
        (NEW + b"\r\n", (NEW,)),
        (NEW + b"\n" + OLD, (NEW, OLD)),
        (NEW + b"\n" + OLD + b"\n", (NEW, OLD)),
        (b"\r\n" + NEW + b"\r\n\r\n" + OLD + b"\r\n  \n", (NEW, OLD)),
        (NEW + b"\n" + NEW + b"\n", (NEW,)),
        (b" " + NEW + b"\t", (b" " + NEW + b"\t",)),
        (b"\xff" * 16, (b"\xff" * 16,)),
    ],
)
def test_each_line_is_a_secret(content: bytes, secrets: tuple[bytes, ...]) -> None:
    assert webhook_secrets(FILE, content) == secrets


@pytest.mark.parametrize(
    "content", [b"hunter2", b"fifteen bytes..", NEW + b"\nhunter2", b"hunter2\n" + OLD, b"a b c\n"]
)
def test_a_short_secret_is_refused_with_what_to_do_and_never_shown(content: bytes) -> None:
    with pytest.raises(SettingsError) as refused:
        webhook_secrets(FILE, content)

    (problem,) = refused.value.problems
    assert problem.startswith("/etc/previewbot/webhook-secret holds a webhook secret of ")
    assert "at least 16" in problem
    assert "openssl rand -hex 32" in problem
    assert "GitHub App" in problem
    assert "hunter2" not in problem


def test_of_a_variable_the_same_is_said() -> None:
    with pytest.raises(
        SettingsError, match=r"^the variable for github\.webhook_secret holds a webhook secret"
    ):
        webhook_secrets(VARIABLE, b"hunter2")


@pytest.mark.parametrize("content", [b"", b"\n", b" \r\n\t\n"])
def test_nothing_is_no_secret(content: bytes) -> None:
    with pytest.raises(SettingsError, match="is empty; it must hold the webhook secret of the App"):
        webhook_secrets(FILE, content)


def test_more_than_two_are_no_change_but_a_collection() -> None:
    with pytest.raises(SettingsError, match="holds 3 webhook secrets; it must hold one"):
        webhook_secrets(FILE, b"\n".join([NEW, OLD, b"and one of last year"]))


@given(st.binary(max_size=100))
def test_whatever_is_taken_is_long_enough(content: bytes) -> None:
    try:
        secrets = webhook_secrets(FILE, content)
    except SettingsError:
        return

    assert 1 <= len(secrets) <= 2
    assert all(len(secret) >= 16 for secret in secrets)


@pytest.mark.parametrize("secrets", [(), (b"",), (b"hunter2",), (NEW, b"")])
def test_web_does_not_start_with_a_secret_that_anybody_could_guess(secrets: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        client_of(*secrets)


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"], ids=["no end", "a line's end", "Windows' end"])
def test_what_the_commands_of_the_operations_page_put_together_is_both(end: bytes) -> None:
    # (cat new; echo; cat old): an old one without a line's end, as --from-literal has it, or with one.
    content = NEW + b"\n" + b"\n" + OLD + end

    assert webhook_secrets(FILE, content) == (NEW, OLD)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff0123456789abcdef\r\n".encode("utf-16-le"),
        "\ufeff0123456789abcdef\r\n".encode("utf-16-be"),
        "0123456789abcdef\r\n".encode("utf-16-le"),
        "\ufeff0123456789abcdef\r\n".encode(),
    ],
    ids=["PowerShell's >", "big-endian", "without a mark", "UTF-8 with a mark"],
)
def test_a_secret_that_windows_saved_in_another_way_than_github_signs_with_is_told(content: bytes) -> None:
    with pytest.raises(SettingsError, match="not saved as plain text"):
        webhook_secrets(FILE, content)
