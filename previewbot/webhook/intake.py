"""`POST /webhook`: the headers, then the signature, then what it is about, then one write, then the answer.

202 only after the API server has accepted the poke, else 503: the controller's listing finds it later. The
same holds for 413 (a body larger than `BODY_LIMIT`) and for 408: GitHub does not deliver again by itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Protocol

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from previewbot.api import Actor, Ask, Poke, RequestKind, Source, Spec
from previewbot.config.server import Settings
from previewbot.errors import RemoteError
from previewbot.rules.environment_keys import spec_of
from previewbot.rules.repositories import serves, why_nothing
from previewbot.rules.seldom import Kind, Seldom, kind_of
from previewbot.text.json import read_json
from previewbot.webhook.app_events import ListingWanted
from previewbot.webhook.events import Ignored, Trigger, parse_event
from previewbot.webhook.payload import Malformed
from previewbot.webhook.presses import Press
from previewbot.webhook.signatures import Refused, check_headers, check_signature

BODY_LIMIT = 2 * 1024 * 1024
"""The largest body that is taken, in bytes.

GitHub's own cap is 25 MB (https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap), but
only events that previewbot does not subscribe to come near, such as a push of thousands of commits. A payload
about one pull request, comment or check has some ten kilobytes, and a text in it at most 64 KiB.
"""

_PIECE = 64 * 1024
_LOST = (408, 413, 503)
"""What may have been GitHub's, and was not taken: the listing finds what it was about."""

_NOT_TAKEN = "the cluster did not take it; previewbot will find it later"
_NOT_TAKEN_PRESS = "the cluster did not take it: deliver it again, or press the button again"
"""No listing finds what was pressed."""

log = logging.getLogger(__name__)


class Pokes(Protocol):
    """What the intake does to the cluster."""

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Poke a Preview; raises RemoteError unless the API server took it."""

    def ask(self, ask: Ask) -> None:
        """Store what somebody asks for; raises as `poke` does."""

    def ask_for_listing(self, delivery_id: str) -> bool:
        """Ask the controller to list now; return False if none has run yet. Raises as `poke` does."""


@dataclass(frozen=True)
class _Answer:
    status: int
    decision: str
    text: str = ""


@dataclass(frozen=True)
class Intake:
    """Takes deliveries in."""

    settings: Settings
    secrets: tuple[bytes, ...]
    cluster: Pokes
    now: Callable[[], datetime]
    said: Seldom = field(default_factory=Seldom)

    def take(self, headers: Headers, pieces: Iterable[bytes]) -> _Answer:
        """Return the answer to a delivery whose body comes in pieces.

        Raises nothing for what a sender can do, but what `pieces` raises.
        """
        try:
            # Whoever has no secret is sent away before a byte of the body is read, since to hold bodies is
            # what costs memory.
            signature, event, delivery = check_headers(headers)
            fits, about = self._read(event, signature, pieces)
        except Refused as refused:
            return _Answer(refused.status, "refused", refused.reason)
        except Malformed as malformed:
            return _Answer(400, "refused", str(malformed))
        if fits > 0:
            # So that whoever changes the secret sees when GitHub no longer signs with the one before.
            log.info("signed with the second secret", extra={"delivery": delivery})
        if about is None:
            return _Answer(200, "pong", "pong")
        if isinstance(about, Ignored):
            return _Answer(204, f"ignored: {about.reason}")
        if isinstance(about, ListingWanted):
            return self._ask_for_listing(about, delivery)
        if about.queued and self.settings.check != "required":
            return _Answer(204, "ignored: no check is required here")
        return self._not_for(about) or self._poke(about, delivery)

    def _ask_for_listing(self, wanted: ListingWanted, delivery: str) -> _Answer:
        # Whoever may install the App, as anybody may if it is public, must not make us list. An enterprise's
        # installation names no account.
        served = any(serves(self.settings, account) for account in wanted.accounts)
        if not served and self.settings.owners is not None:
            return _Answer(204, "ignored: an account that is not served here")
        try:
            asked = self.cluster.ask_for_listing(delivery)
        except RemoteError as error:
            log.warning("not stored", extra={"delivery": delivery, "error": str(error)})
            return _Answer(503, "not stored", _NOT_TAKEN)
        # Where no controller has run yet, its first listing is still to come.
        return _Answer(202, "asked for a listing" if asked else "the first listing is still to come")

    def _not_for(self, about: Trigger) -> _Answer | None:
        """Return the answer to what is about a repository that gets nothing; None if it gets something.

        Nothing is written for it. A Preview that it has, from before the settings or its name changed, is
        found by the listing. That it gets something here allows nothing: a pass asks GitHub for its name.
        """
        why = why_nothing(self.settings, about.repository)
        if not why:
            return None
        kind = kind_of(self.settings, about.repository)
        if self.said.is_due(kind, about.repository.lower(), self.now()):
            log.warning("a repository gets nothing", extra={"repository": about.repository, "why": why})
        if kind is Kind.REPOSITORY:
            return _Answer(204, f"ignored: {why}")
        return _Answer(403, "refused", f"{about.repository} is not served here: {why}")

    def _read(
        self, event: str, signature: str, pieces: Iterable[bytes]
    ) -> tuple[int, Trigger | ListingWanted | Ignored | None]:
        """Return which secret signed a delivery, and what it is about; None for a ping.

        The body ends here: nothing of it is held while the cluster is asked, which may take seconds.
        """
        fits, body = check_signature(signature, pieces, self.secrets)
        if event == "ping":
            return fits, None
        return fits, parse_event(event, _json(body), app_id=self.settings.github.app_id)

    def _poke(self, about: Trigger, delivery: str) -> _Answer:
        called = about.urgent and about.by != 0
        told = {about.kind: (about.comment_id, about.member_comment_id)}
        comment, review, on_lines = (told.get(kind, (0, 0)) for kind in RequestKind)
        poke = Poke(
            delivery_id=delivery,
            poked_at=self.now(),
            updated_at=about.updated_at,
            comment_id=comment[0],
            member_comment_id=comment[1],
            label_id=delivery if about.urgent and not called else "",
            call_id=delivery if called else "",
            called_by=about.by if called else 0,
            closed_id=delivery if about.closes else "",
            event_id="" if called and about.comment_id else delivery,
            review_id=review[0],
            review_comment_id=on_lines[0],
            member_review_id=review[1],
            member_review_comment_id=on_lines[1],
            queued_id=delivery if about.queued else "",
        )
        try:
            for press in about.presses:
                # Before the poke: if this process dies in between, the request wakes the controller itself.
                self.cluster.ask(self._ask(about.repository_id, press, delivery))
            known = [
                self.cluster.poke(self._spec(about, number), poke, create=about.create)
                for number in dict.fromkeys(about.numbers)
            ]
        # GitHub does not deliver again by itself. The 503 is for the App's page of recent deliveries; the
        # listing makes it good within minutes.
        except RemoteError as error:
            log.warning("not stored", extra={"delivery": delivery, "error": str(error)})
            words = _NOT_TAKEN_PRESS if about.presses else _NOT_TAKEN
            return _Answer(503, "not stored", words)
        return _Answer(202, "poked") if any(known) else _Answer(204, "ignored: no preview")

    def _ask(self, repository_id: int, press: Press, delivery: str) -> Ask:
        return Ask(
            repository_id=repository_id,
            number=press.number,
            asked=press.asked.value,
            actor=Actor(press.login, press.account),
            source=Source(press.place.value, press.place_id, delivery, press.head_sha),
            requested_at=self.now(),
        )

    def _spec(self, about: Trigger, number: int) -> Spec:
        return spec_of(
            github_host=self.settings.github_host,
            app_id=self.settings.github.app_id,
            installation_id=about.installation_id,
            repository_id=about.repository_id,
            repository=about.repository,
            number=number,
        )


def blueprint(intake: Intake, metrics: CollectorRegistry, body_limit: int) -> Blueprint:
    """Return the route, which logs each delivery in one line and counts it."""
    routes = Blueprint("webhook", __name__)
    deliveries = Counter("previewbot_deliveries", "Webhook deliveries", ["event", "status"], registry=metrics)
    seconds = Histogram("previewbot_delivery_seconds", "Time to answer a delivery", registry=metrics)

    @routes.post("/webhook")
    def webhook() -> Response:
        began = time.monotonic()
        try:
            answer = intake.take(request.headers, _pieces(body_limit))
        except HTTPException as error:
            # The server's own: the body is too large, comes too slowly, or there is no room for it.
            answer = _Answer(error.code or 400, "refused", error.description or "")
        duration = time.monotonic() - began
        seconds.observe(duration)
        deliveries.labels(_counted_as(answer.status), str(answer.status)).inc()
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


def _counted_as(status: int) -> str:
    """Return the name in the metric: the event's, or one word for those who are refused.

    A metric keeps each value of a label for ever, so whoever is refused must not choose one.
    """
    if status < 400:
        return request.headers.get("X-GitHub-Event", "")
    return "lost" if status in _LOST else "refused"


def _pieces(limit: int) -> Iterator[bytes]:
    """Yield the request's body as it comes in; raises HTTPException if it is, or gets, too large.

    The server's stream ends where the body ends, and what it raises is an HTTPException too, or ours below.
    """
    # Not `request.stream`, which cannot tell a body of exactly the limit from a larger one.
    stream: IO[bytes] = request.environ["wsgi.input"]
    too_large = RequestEntityTooLarge(f"larger than {limit} bytes: previewbot will find it later")
    if (request.content_length or 0) > limit:
        raise too_large
    read = 0
    while piece := _piece(stream):
        read += len(piece)
        if read > limit:
            raise too_large
        yield piece


def _piece(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_PIECE)
    except HTTPException:
        raise
    except Exception as error:
        # Each server has errors of its own for a body that is cut off or malformed.
        raise Refused(400, f"the body cannot be read ({type(error).__name__})") from error


def _json(body: bytes) -> Any:
    try:
        return read_json(body)
    except ValueError:
        raise Refused(400, "the body is not JSON") from None
