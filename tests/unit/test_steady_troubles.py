# ruff: noqa: E501 - the messages are those of Kubernetes, as it writes them
"""One trouble that stays is one edit of the comment, whatever each attempt writes into its message."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from previewbot.rules.pod_problems.alike import alike
from tests.support.passes import ready
from tests.support.passes_over_pods import Session
from tests.support.pods import a_pod, containers, moment, running
from tests.support.pods_in_trouble import COMBINED, an_event, creating, failed, unready

Scene = Callable[[Session, int], None]


def _pod(session: Session, status: dict[str, Any], seconds: int) -> None:
    made = moment(session.now - timedelta(seconds=seconds + 60))
    session.shows(a_pod(session.uid, status, uid="pod", creationTimestamp=made))


def _says(session: Session, reason: str, message: str, attempt: int) -> None:
    # The first ten are told one by one, the others together.
    words = COMBINED + message if attempt >= 10 else message
    session.world.cluster.events = [an_event("pod", session.now, reason, words, "Warning", "3")]


def no_network(session: Session, seconds: int) -> None:
    """Each attempt has another sandbox, and the plugin says when it was."""
    attempt, drawn = seconds // 12, random.Random(seconds)
    _pod(session, creating(), seconds)
    message = (
        f'Failed to create pod sandbox: failed to setup network for sandbox "{drawn.getrandbits(256):064x}": '
        f'plugin type="cilium-cni" failed (add): netplugin failed: ts={1708028912 + seconds}.{attempt}, to retry'
    )
    _says(session, "FailedCreatePodSandBox", message, attempt)


def no_volume(session: Session, seconds: int) -> None:
    """The volumes are listed in another order each time."""
    attempt = seconds // 122
    volumes = ["data", "tmp", "kube-api-access-x2x7k", "config"]
    random.Random(attempt).shuffle(volumes)
    _pod(session, creating(), seconds)
    message = f"Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[{' '.join(volumes)}]: timed out waiting for the condition"
    _says(session, "FailedMount", message, attempt)


def no_quota(session: Session, seconds: int) -> None:
    """Each pod that is refused has another name, and others use now more and now less."""
    attempt = seconds // 60
    name = "".join(random.Random(attempt).choices("bcdfghjklmnpqrstvwxz2456789", k=5))
    session.has_no_pod(
        f'pods "checkout-6d5f7c9b8-{name}" is forbidden: exceeded quota: compute, requested: limits.memory=2Gi, '
        f"used: limits.memory={60 + attempt % 5}Gi, limited: limits.memory=64Gi"
    )
    session.shows()


def no_node(session: Session, seconds: int) -> None:
    """One pod after the other is evicted, each with other numbers."""
    message = f"The node was low on resource: memory. Available: {seconds % 97}Mi."
    _pod(session, failed("Evicted", message, session.now), seconds)


def no_answer(session: Session, seconds: int) -> None:
    """Each probe comes from another port."""
    attempt = seconds // 10
    _pod(session, unready(running(session.now, seconds + 300)), seconds)
    message = f"Readiness probe failed: read tcp 10.1.2.1:{40000 + attempt}->10.1.2.3:8080: connection reset by peer"
    _says(session, "Unhealthy", message, attempt)


@pytest.mark.parametrize("ready_already", [True, False])
@pytest.mark.parametrize("scene", [no_network, no_volume, no_quota, no_node, no_answer])
async def test_an_hour_of_it_is_told_once(scene: Scene, ready_already: bool) -> None:
    session = Session(await ready()) if ready_already else await Session.starting(deadlines={"session": "1d"})
    edits, began = 0, session.now
    while session.now - began < timedelta(hours=1):
        before = session.comment
        scene(session, int((session.now - began).total_seconds()))
        await session.world.run()
        edits += session.comment != before
        session.world.clock.forward(seconds=30)

    assert edits == 1
    assert "**checkout" in session.comment and "Only **checkout**" not in session.comment


async def test_it_ends_when_it_is_over() -> None:
    session = await Session.starting(deadlines={"session": "1d"})
    for seconds in range(0, 300, 15):
        no_network(session, seconds)
        await session.world.run()
        session.world.clock.forward(seconds=15)
    assert "gets no network" in session.comment

    session.shows(
        a_pod(
            session.uid,
            containers({**unready(running(session.now, 5))["containerStatuses"][0], "ready": True}),
        )
    )
    await session.world.settle(3, seconds=10)
    assert "gets no network" not in session.comment


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("used: limits.memory=63Gi", "used: limits.memory=9Gi", True),
        ("unattached volumes=[a b c]: timed out", "unattached volumes=[c a b]: timed out", True),
        ('pods "web-6d5f7c9b8-x2x7k" is forbidden', 'pods "web-6d5f7c9b8-bcdfg" is forbidden', True),
        ('pods "web-6d5f7c9b8-" is forbidden', 'pods "web-6d5f7c9b8-bcdfg" is forbidden', True),
        ('secret "cert-1" not found', 'secret "cert-2" not found', False),
        ('volume "a" : secret "x" not found', 'volume "b" : secret "x" not found', False),
        ("exceeded quota: compute", "maximum memory usage per Container is 1Gi", False),
        ("", "exceeded quota", False),
    ],
)
def test_what_counts_as_the_same(one: str, other: str, same: bool) -> None:
    assert alike(one, other) is same
