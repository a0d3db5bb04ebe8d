"""What web does to the cluster: one write per delivery, and a read for the page.

Sync, because Flask is. One attempt and five seconds in all: GitHub gives up after ten and does not redeliver
(https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries), so an answer in time
(503) beats a retry; the controller's listing makes it good.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from pydantic import ValidationError

from previewbot.api import (
    LISTING_ASKED,
    PREVIEW_REQUESTS,
    Ask,
    Poke,
    Spec,
    merge_pokes,
    name_of,
    new_object,
    new_request,
)
from previewbot.clients.kubernetes import resources
from previewbot.clients.kubernetes.access import open_access
from previewbot.clients.kubernetes.coalescer import Coalescer
from previewbot.clients.kubernetes.resources import MOST_BYTES, PREVIEWS
from previewbot.clients.kubernetes.web_sender import AnswerTooLarge, WebSender, reason
from previewbot.config.server import LeaseSettings
from previewbot.errors import Conflict, NotFound, RemoteError, TryLater, Unauthorized

_LEASES = ("coordination.k8s.io", "v1")
_BUDGET_SECONDS = 5.0
_POKES, _PAGES, _PROBES = 24, 6, 2
"""How many requests of each kind are sent at once; the others wait for their turn.

They are counted apart because anybody may look at pages: however many do, deliveries and probes have their
own.
"""
_PAGE_WAITS_SECONDS = 0.5
"""A page waits for no longer, since whoever asks for many would fill web with those that wait."""
_PORTION = 25
"""So many Previews are listed at once: an object may have 1.5 MiB, and few have more than some kilobytes."""
_CONNECTIONS = _POKES + _PAGES + _PROBES


@dataclass(frozen=True)
class _Wish:
    """What a poke asks for."""

    spec: Spec
    poke: Poke
    create: bool


def _merge_wishes(first: _Wish, second: _Wish) -> _Wish:
    poke = merge_pokes(first.poke, second.poke)
    return _Wish(second.spec, poke, first.create or second.create)


class _Turns:
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


class WebClient:
    """Pokes Previews, and stores requests; safe to use from several threads.

    Raises RemoteError if the API server does not do it. `lease` is where a listing is asked for; requests are
    made in its namespace. `budget` is the time in seconds that each of the methods may take in all. To make
    one raises SettingsError for a kubeconfig that cannot be used, or gives no login.
    """

    def __init__(
        self,
        kubeconfig: Path | None,
        *,
        user_agent: str,
        lease: LeaseSettings | None = None,
        budget: float = _BUDGET_SECONDS,
    ) -> None:
        self._lease = lease
        self._sender = WebSender(open_access(kubeconfig), user_agent, connections=_CONNECTIONS)
        self._api = client.CustomObjectsApi(self._sender)
        self._budget = budget
        self._refused_since: float | None = None
        self._pokes, self._probes = _Turns(_POKES, budget), _Turns(_PROBES, budget)
        self._pages = _Turns(_PAGES, _PAGE_WAITS_SECONDS)
        self._sharing: Coalescer[_Wish, bool] = Coalescer(self._poke, _merge_wishes)

    def close(self) -> None:
        """Close the connections that nobody uses at this moment."""
        self._sender.close()

    def refused_for(self) -> float:
        """Return for how many seconds the API server has known us no more (401); 0 while it does."""
        since = self._refused_since
        return 0.0 if since is None else time.monotonic() - since

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Say that a pull request is to be looked at; return False if it has no Preview and gets none.

        Returns only when the API server has accepted it. Pokes that come while one of the same pull request
        is under way share the next.
        """
        deadline = time.monotonic() + self._budget
        name = name_of(spec.repository_id, spec.number)
        try:
            return self._sharing.ask(name, _Wish(spec, poke, create), deadline)
        except TimeoutError:
            raise TryLater("Kubernetes: poke", message="the poke before it is still under way") from None

    def _poke(self, wish: _Wish, deadline: float) -> bool:
        spec, poke, create = wish.spec, wish.poke, wish.create
        name = name_of(spec.repository_id, spec.number)
        # Patch first and create only after a 404, so that a Preview that exists costs one request, and a
        # delivery that may not create one (a build, a closing) costs no more.
        for _ in range(resources.POKE_ATTEMPTS):
            try:
                self._call(
                    self._pokes, deadline, "patch preview",
                    self._api.patch_cluster_custom_object, *PREVIEWS, name,
                    body=resources.poke_patch(spec, poke), _content_type=resources.MERGE_PATCH,
                )  # fmt: skip
                return True
            except NotFound:
                if not create:
                    return False
            except Conflict:
                continue
            try:
                self._call(
                    self._pokes, deadline, "create preview",
                    self._api.create_cluster_custom_object, *PREVIEWS,
                    body=new_object(spec, poke), field_validation="Strict",
                    # Measured: the sync client names no type for a create, and the API server answers 415.
                    _headers={"Content-Type": "application/json"},
                )  # fmt: skip
                return True
            except Conflict:
                # A delivery at the same moment created it: patch that one.
                continue
        raise TryLater("Kubernetes: poke", message="the Preview keeps coming and going")

    def ask(self, ask: Ask) -> None:
        """Store what somebody asks for elsewhere than in a comment; one that is there already is there.

        Returns only when the API server has it.
        """
        deadline = time.monotonic() + self._budget
        if self._lease is None:
            raise TryLater("Kubernetes: create previewrequest", message="there is no namespace for it")
        namespace = self._lease.namespace
        group, version, plural = PREVIEW_REQUESTS
        for _ in range(resources.POKE_ATTEMPTS):
            try:
                self._call(
                    self._pokes, deadline, "create previewrequest",
                    self._api.create_namespaced_custom_object, group, version, namespace, plural,
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

    def ask_for_listing(self, delivery_id: str) -> bool:
        """Ask the controller to list now; return False if none has run yet, which lists first of all.

        In an annotation of a Lease, since the controller may make these, and web needs to find nothing out.
        """
        deadline = time.monotonic() + self._budget
        if self._lease is None:
            return False
        lease = (*_LEASES, self._lease.namespace, "leases", self._lease.name)
        try:
            self._call(
                self._pokes, deadline, "patch lease", self._api.patch_namespaced_custom_object, *lease,
                body={"metadata": {"annotations": {LISTING_ASKED: delivery_id}}},
                _content_type=resources.MERGE_PATCH,
            )  # fmt: skip
        except NotFound:
            return False
        return True

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, or None."""
        deadline = time.monotonic() + self._budget
        method = self._api.get_cluster_custom_object
        try:
            return self._call(self._pages, deadline, "get preview", method, *PREVIEWS, name)
        except NotFound:
            return None

    def list_previews(self) -> Iterator[dict[str, Any]]:
        """Return all Previews, in portions."""
        deadline = time.monotonic() + self._budget
        following: dict[str, Any] = {}
        while True:
            page = self._call(
                self._pages, deadline, "list previews", self._api.list_cluster_custom_object, *PREVIEWS,
                limit=_PORTION, **following,
            )  # fmt: skip
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            following = {"_continue": token}

    def ready(self) -> bool:
        """Return whether the API server answers us and has our resource."""
        deadline = time.monotonic() + self._budget
        group, version, plural = PREVIEWS
        try:
            # By discovery, which every identity may ask. To list a single Preview needs the permission to
            # read all of them: repositories' names, and what crashes said last.
            found = self._send(
                self._probes, deadline, "discovery", self._api.get_api_resources, group, version
            )
        except (RemoteError, ValidationError):
            # The latter for an answer of another shape: the page of a proxy, for example.
            return False
        return bool(found) and any(resource.name == plural for resource in found.resources)

    def _call(
        self, turns: _Turns, deadline: float, what: str, method: Any, *args: str, **kwargs: Any
    ) -> dict[str, Any]:
        answer = self._send(turns, deadline, what, method, *args, **kwargs)
        if not isinstance(answer, dict):
            raise TryLater(f"Kubernetes: {what}", message="the answer is not a JSON object")
        return answer

    def _send(self, turns: _Turns, deadline: float, what: str, method: Any, *args: str, **kwargs: Any) -> Any:
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

    def _sent(self, turns: _Turns, deadline: float, what: str, method: Any, *args: str, **kwargs: Any) -> Any:
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
