"""`POST /webhook`: signature first, then what it is about, then one write, then the answer.

202 only after the API server has accepted the poke, else 503: the controller's listing finds it later.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge

from previewbot.api import Poke, Spec
from previewbot.config.server import Settings
from previewbot.errors import RemoteError
from previewbot.rules.environment_keys import spec_of
from previewbot.webhook.events import Ignored, Malformed, Trigger, parse_event

BODY_LIMIT = 25 * 1024 * 1024
"""GitHub's own cap of a payload, in bytes
(https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap)."""

log = logging.getLogger(__name__)


class Pokes(Protocol):
    """What the intake does to the cluster."""

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Poke a Preview; raises RemoteError unless the API server took it."""


@dataclass(frozen=True)
class _Answer:
    status: int
    decision: str
    text: str = ""


class _Refused(Exception):
    def __init__(self, status: int, reason: str) -> None:
        self.answer = _Answer(status, "refused", reason)
        super().__init__(reason)


@dataclass(frozen=True)
class Intake:
    """Takes deliveries in."""

    settings: Settings
    secrets: tuple[bytes, ...]
    cluster: Pokes
    now: Callable[[], datetime]

    def take(self, headers: Headers, body: bytes) -> _Answer:
        """Return the answer to a delivery; never raises for anything that a sender can do."""
        try:
            # Before anything is parsed: what is not signed is not even read as JSON.
            fits = check_signature(headers.get("X-Hub-Signature-256"), body, self.secrets)
            event, delivery = (
                _required_header(headers, "X-GitHub-Event"),
                _required_header(headers, "X-GitHub-Delivery"),
            )
            if fits > 0:
                # So that whoever changes the secret sees when GitHub no longer signs with the one before.
                log.info("signed with the second secret", extra={"delivery": delivery})
            if event == "ping":
                return _Answer(200, "pong", "pong")
            about = parse_event(event, _json(headers, body), app_id=self.settings.github.app_id)
        except _Refused as refused:
            return refused.answer
        except Malformed as malformed:
            return _Answer(400, "refused", str(malformed))
        if isinstance(about, Ignored):
            return _Answer(204, f"ignored: {about.reason}")
        return self._poke(about, delivery)

    def _poke(self, about: Trigger, delivery: str) -> _Answer:
        poke = Poke(
            delivery_id=delivery,
            poked_at=self.now(),
            updated_at=about.updated_at,
            comment_id=about.comment_id,
            member_comment_id=about.member_comment_id,
        )
        try:
            known = [
                self.cluster.poke(self._spec(about, number), poke, create=about.create)
                for number in dict.fromkeys(about.numbers)
            ]
        # GitHub does not deliver again by itself. The 503 is for the App's page of recent deliveries; the
        # listing makes it good within minutes.
        except RemoteError as error:
            log.warning("not stored", extra={"delivery": delivery, "error": str(error)})
            return _Answer(503, "not stored", "the cluster did not take it; previewbot will find it later")
        return _Answer(202, "poked") if any(known) else _Answer(204, "ignored: no preview")

    def _spec(self, about: Trigger, number: int) -> Spec:
        return spec_of(
            github_host=self.settings.github_host,
            app_id=self.settings.github.app_id,
            installation_id=about.installation_id,
            repository_id=about.repository_id,
            repository=about.repository,
            number=number,
        )


def check_signature(signature: str | None, body: bytes, secrets: tuple[bytes, ...]) -> int:
    """Return which secret signed the raw body (SHA-256); raises with 401 and the reason if none did.

    https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    """
    if not signature:
        raise _Refused(401, "X-Hub-Signature-256 is missing: set the webhook's secret in the App's settings")
    if not signature.isascii() or not signature.startswith("sha256="):
        raise _Refused(401, "X-Hub-Signature-256 is not a SHA-256 signature")
    expected = ["sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in secrets]
    # A plain comparison would stop at the first wrong character, and its duration would tell how many were
    # right. All are compared, so that it does not tell which secret fits either.
    fits = [hmac.compare_digest(signature.encode(), one.encode()) for one in expected]
    if True not in fits:
        raise _Refused(401, "the signature does not match: the secret of the App and of previewbot differ")
    return fits.index(True)


def blueprint(intake: Intake, metrics: CollectorRegistry) -> Blueprint:
    """Return the route, which logs each delivery in one line and counts it."""
    routes = Blueprint("webhook", __name__)
    deliveries = Counter("previewbot_deliveries", "Webhook deliveries", ["event", "status"], registry=metrics)
    seconds = Histogram("previewbot_delivery_seconds", "Time to answer a delivery", registry=metrics)

    @routes.post("/webhook")
    def webhook() -> Response:
        began = time.monotonic()
        try:
            answer = intake.take(request.headers, _body())
        except RequestEntityTooLarge:
            answer = _Answer(413, "refused", f"larger than {BODY_LIMIT} bytes")
        except _Refused as refused:
            answer = refused.answer
        duration = time.monotonic() - began
        seconds.observe(duration)
        # A metric keeps each value of a label for ever, so those who are refused must not choose one.
        event = request.headers.get("X-GitHub-Event", "") if answer.status < 400 else "refused"
        deliveries.labels(event, str(answer.status)).inc()
        log.info(
            "delivery",
            extra={
                "delivery": request.headers.get("X-GitHub-Delivery", "")[:100],
                "event": request.headers.get("X-GitHub-Event", "")[:50],
                "status": answer.status,
                "decision": answer.text if answer.status >= 400 else answer.decision,
                "seconds": round(duration, 4),
            },
        )
        headers = {"Retry-After": "60"} if answer.status == 503 else {}
        return Response(answer.text, answer.status, headers, mimetype="text/plain")

    return routes


def _body() -> bytes:
    try:
        body = request.get_data(cache=False)
        if request.content_length is None and len(body) == request.max_content_length:
            # Of a body whose length nobody named only so much was read: what is missing would look like a
            # wrong signature.
            raise RequestEntityTooLarge
        return body
    except RequestEntityTooLarge:
        raise
    except Exception as error:
        # Each server has errors of its own for a body that is cut off, malformed or too slow.
        raise _Refused(400, f"the body cannot be read ({type(error).__name__})") from error


def _required_header(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if not value or not value.isascii() or not value.isprintable() or len(value) > 200:
        raise _Refused(400, f"{name} is missing or malformed: is this a webhook of GitHub's?")
    return value


def _json(headers: Headers, body: bytes) -> Any:
    if headers.get("Content-Type", "").split(";")[0].strip().lower() != "application/json":
        raise _Refused(400, "set the webhook's content type to application/json")
    try:
        return json.loads(body)
    # Python's parser raises RecursionError for thousands of nested brackets.
    except (ValueError, RecursionError):
        raise _Refused(400, "the body is not JSON") from None
