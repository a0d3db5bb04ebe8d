"""Asks the API server for web and for pages: so many requests of a kind at once, within one budget of time.

Sync, because Flask is. One attempt and five seconds in all: GitHub gives up after ten and does not redeliver
(https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries), and a person waits no
longer; so an answer in time (503) beats a retry.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from pydantic import ValidationError

from previewbot.api import PREVIEW_REQUESTS, Ask, new_request
from previewbot.clients.kubernetes import resources
from previewbot.clients.kubernetes.access import open_access
from previewbot.clients.kubernetes.resources import MOST_BYTES, PREVIEWS
from previewbot.clients.kubernetes.web_sender import AnswerTooLarge, WebSender, reason
from previewbot.config.server import LeaseSettings
from previewbot.errors import Conflict, RemoteError, TryLater, Unauthorized

BUDGET_SECONDS = 5.0
PROBES = 2
"""How many probes are answered at once: they have turns of their own."""


class Turns:
    """Lets so many at once send a request; the others wait for at most `patience` seconds."""

    def __init__(self, count: int, patience: float) -> None:
        self._free = threading.Semaphore(count)
        self._patience = patience

    @contextmanager
    def taken(self, deadline: float) -> Iterator[None]:
        """Wait for a turn, and take it; raises TryLater if none comes in time."""
        # Without turns, each connection beyond the pool's would be thrown away after its one request, with
        # its TLS handshake.
        if not self._free.acquire(timeout=max(0.0, min(self._patience, deadline - time.monotonic()))):
            raise TryLater("Kubernetes", message="too many requests to it are under way")
        try:
            yield
        finally:
            self._free.release()


class WebCalls:
    """The official client, with turns and a budget; safe to use from several threads.

    `budget` is the time in seconds that whatever is asked for may take in all. To make one raises
    SettingsError for a kubeconfig that cannot be used, or gives no login.
    """

    def __init__(
        self,
        kubeconfig: Path | None,
        *,
        user_agent: str,
        budget: float,
        connections: int,
    ) -> None:
        self._sender = WebSender(open_access(kubeconfig), user_agent, connections=connections)
        self.api = client.CustomObjectsApi(self._sender)
        self._budget = budget
        self._refused_since: float | None = None
        self._probes = Turns(PROBES, budget)

    def close(self) -> None:
        """Close the connections that nobody uses at this moment."""
        self._sender.close()

    def deadline(self) -> float:
        """Return until when, of the monotonic clock, what begins now may take."""
        return time.monotonic() + self._budget

    def refused_for(self) -> float:
        """Return for how many seconds the API server has known us no more (401); 0 while it does."""
        since = self._refused_since
        return 0.0 if since is None else time.monotonic() - since

    def ready(self) -> bool:
        """Return whether the API server answers us and has our resource."""
        deadline = self.deadline()
        group, version, plural = PREVIEWS
        try:
            # By discovery, which every identity may ask. To list a single Preview needs the permission to
            # read all of them: repositories' names, and what crashes said last.
            found = self.send(self._probes, deadline, "discovery", self.api.get_api_resources, group, version)
        except (RemoteError, ValidationError):
            # The latter for an answer of another shape: the page of a proxy, for example.
            return False
        return bool(found) and any(resource.name == plural for resource in found.resources)

    def store_request(self, turns: Turns, lease: LeaseSettings | None, ask: Ask) -> None:
        """Store what somebody asks for elsewhere than in a comment; one that is there already is there.

        It is made in the namespace of `lease`.
        Returns only when the API server has it.
        """
        deadline = self.deadline()
        if lease is None:
            raise TryLater("Kubernetes: create previewrequest", message="there is no namespace for it")
        namespace = lease.namespace
        group, version, plural = PREVIEW_REQUESTS
        for _ in range(resources.POKE_ATTEMPTS):
            try:
                self.call(
                    turns, deadline, "create previewrequest",
                    self.api.create_namespaced_custom_object, group, version, namespace, plural,
                    body=new_request(ask, namespace), field_validation="Strict",
                    _headers={"Content-Type": "application/json"},
                )  # fmt: skip
                return
            except Conflict as error:
                # A delivery that comes again has the same name. With the same status a quota answers that
                # somebody else counted at the same moment: then nothing was made.
                if "already exists" in error.message:
                    return
        raise TryLater("Kubernetes: create previewrequest", message="the quota keeps changing")

    def call(
        self, turns: Turns, deadline: float, what: str, method: Any, *args: str, **kwargs: Any
    ) -> dict[str, Any]:
        """Send a request within a turn, and by `deadline` (of the monotonic clock); return its JSON object.

        Raises RemoteError.
        """
        answer = self.send(turns, deadline, what, method, *args, **kwargs)
        if not isinstance(answer, dict):
            raise TryLater(f"Kubernetes: {what}", message="the answer is not a JSON object")
        return answer

    def send(self, turns: Turns, deadline: float, what: str, method: Any, *args: str, **kwargs: Any) -> Any:
        """Send a request in the same way; return what the official client makes of the answer."""
        try:
            answer = self._sent(turns, deadline, what, method, *args, **kwargs)
        except Unauthorized:
            self._refused_since = self._refused_since or time.monotonic()
            raise
        except RemoteError as error:
            if error.status:
                self._refused_since = None
            raise
        self._refused_since = None
        return answer

    def _sent(self, turns: Turns, deadline: float, what: str, method: Any, *args: str, **kwargs: Any) -> Any:
        try:
            with turns.taken(deadline):
                # All tries of one delivery share one budget. What is left of it is the timeout of the next
                # request.
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TryLater(f"Kubernetes: {what}", message="no time left")
                return method(*args, **kwargs, _request_timeout=left)
        except ApiException as error:
            raise resources.error_of(what, error.status, error.body, error.headers) from error
        except ValidationError:
            # Ours: an argument of the wrong type, refused before anything is sent.
            raise
        except AnswerTooLarge:
            words = f"the answer is larger than {MOST_BYTES // 2**20} MiB"
            raise TryLater(f"Kubernetes: {what}", message=words) from None
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise TryLater(f"Kubernetes: {what}", message=reason(error)) from error
