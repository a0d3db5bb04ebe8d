"""What web does to the cluster: one write per delivery, and nothing is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from previewbot.api import (
    LISTING_ASKED,
    Ask,
    Poke,
    Spec,
    merge_pokes,
    name_of,
    new_object,
)
from previewbot.clients.kubernetes import resources
from previewbot.clients.kubernetes.coalescer import Coalescer
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.clients.kubernetes.web_calls import BUDGET_SECONDS, PROBES, Turns, WebCalls
from previewbot.config.server import LeaseSettings
from previewbot.errors import Conflict, NotFound, TryLater

_LEASES = ("coordination.k8s.io", "v1")
_POKES = 24
"""How many writes are sent at once; the others wait for their turn, and probes have their own."""


@dataclass(frozen=True)
class _Wish:
    """What a poke asks for."""

    spec: Spec
    poke: Poke
    create: bool


def _merge_wishes(first: _Wish, second: _Wish) -> _Wish:
    poke = merge_pokes(first.poke, second.poke)
    return _Wish(second.spec, poke, first.create or second.create)


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
        budget: float = BUDGET_SECONDS,
    ) -> None:
        self._lease = lease
        self._calls = WebCalls(kubeconfig, user_agent=user_agent, budget=budget, connections=_POKES + PROBES)
        self._pokes = Turns(_POKES, budget)
        self._sharing: Coalescer[_Wish, bool] = Coalescer(self._poke, _merge_wishes)

    def close(self) -> None:
        """Close the connections that nobody uses at this moment."""
        self._calls.close()

    def refused_for(self) -> float:
        """Return for how many seconds the API server has known us no more (401); 0 while it does."""
        return self._calls.refused_for()

    def ready(self) -> bool:
        """Return whether the API server answers us and has our resource."""
        return self._calls.ready()

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Say that a pull request is to be looked at; return False if it has no Preview and gets none.

        Returns only when the API server has accepted it. Pokes that come while one of the same pull request
        is under way share the next.
        """
        deadline = self._calls.deadline()
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
                self._calls.call(
                    self._pokes, deadline, "patch preview",
                    self._calls.api.patch_cluster_custom_object, *PREVIEWS, name,
                    body=resources.poke_patch(spec, poke), _content_type=resources.MERGE_PATCH,
                )  # fmt: skip
                return True
            except NotFound:
                if not create:
                    return False
            except Conflict:
                continue
            try:
                self._calls.call(
                    self._pokes, deadline, "create preview",
                    self._calls.api.create_cluster_custom_object, *PREVIEWS,
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
        self._calls.store_request(self._pokes, self._lease, ask)

    def ask_for_listing(self, delivery_id: str) -> bool:
        """Ask the controller to list now; return False if none has run yet, which lists first of all.

        In an annotation of a Lease, since the controller may make these, and web needs to find nothing out.
        """
        deadline = self._calls.deadline()
        if self._lease is None:
            return False
        lease = (*_LEASES, self._lease.namespace, "leases", self._lease.name)
        try:
            self._calls.call(
                self._pokes, deadline, "patch lease", self._calls.api.patch_namespaced_custom_object, *lease,
                body={"metadata": {"annotations": {LISTING_ASKED: delivery_id}}},
                _content_type=resources.MERGE_PATCH,
            )  # fmt: skip
        except NotFound:
            return False
        return True
