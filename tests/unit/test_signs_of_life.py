"""What the probes are told of watches that a namespace refuses."""

from __future__ import annotations

from previewbot.errors import Forbidden
from previewbot.runtime.health import Health
from previewbot.runtime.informers import SignsOfLife

REFUSED = Forbidden("Kubernetes: list pods", status=403, message="no role")


class Watches:
    """The watches of two namespaces."""

    def __init__(self) -> None:
        self.health = Health(missing="")
        self._refusing: set[tuple[str, str]] = set()

    def of(self, what: str, namespace: str) -> SignsOfLife:
        name, both = f"watching {what} in {namespace}", frozenset({"staging", "payments"})
        return SignsOfLife(self.health, name, namespace, self._refusing, both)


def test_a_namespace_that_refuses_is_noted_and_we_are_ready_for_the_other() -> None:
    watches = Watches()

    watches.of("pods", "payments").failed(REFUSED)

    assert watches.health.not_ready() == ""
    assert "watching pods in payments" in watches.health.notes


def test_what_all_namespaces_refuse_is_not_made_good_by_what_they_do_not() -> None:
    watches = Watches()
    pods = [watches.of("pods", namespace) for namespace in ("staging", "payments")]

    for _ in range(2):
        for each in pods:
            each.failed(REFUSED)
        for namespace in ("staging", "payments"):
            watches.of("previewsessions", namespace).progressed()
    pods[0].failed(REFUSED)

    assert "watching pods in staging" in watches.health.not_ready()


def test_with_the_role_it_is_over() -> None:
    watches = Watches()
    pods = [watches.of("pods", namespace) for namespace in ("staging", "payments")]
    for each in pods:
        each.failed(REFUSED)

    for each in pods:
        each.progressed()

    assert (watches.health.not_ready(), watches.health.notes) == ("", "")
