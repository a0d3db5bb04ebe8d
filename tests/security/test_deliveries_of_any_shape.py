"""Attack: deliveries, signed as they should be, in which anything may be missing, or be of another kind.

Whoever may comment, push or name a branch chooses what stands in a payload, and GitHub changes its payloads
without a word. Thousands of real deliveries with one thing wrong: each is answered, none is our own fault,
and nothing of one is left behind that keeps the next from being taken.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import itertools
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry

from previewbot.api import Ask, Poke, Spec, new_object, new_request
from previewbot.config.server import parse
from previewbot.runtime.web_app import create_app
from previewbot_demo.tasks import ALICE
from tests.support.github_town import github_town
from tests.support.passes import SETTINGS
from tests.support.previews import NOW

SECRET = b"it is a secret of the tests"
LEAST = 7_272
"""So many deliveries, replayed and mutated, were tried when the intake was new."""

WRONG: tuple[Any, ...] = (None, "", "\u202e\x00'\"<x>", 0, -1, 2**70, True, [], {}, [[]], {"id": None})
"""What may stand in any place instead of what GitHub documents."""

FEW: tuple[Any, ...] = (None, 2**70, "x" * 5_000, [{}])
"""The same further down, where little is read: one after the other."""

Path = tuple[str | int, ...]


class Cluster:
    """Takes every poke that the API server would take."""

    def __init__(self) -> None:
        self.pokes = 0

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        json.dumps(new_object(spec, poke)).encode()
        self.pokes += 1
        return True

    def ask(self, ask: Ask) -> None:
        json.dumps(new_request(ask, "previewbot")).encode()

    def ask_for_listing(self, delivery_id: str) -> bool:
        return True

    def get_preview(self, name: str) -> dict[str, Any] | None:
        return None

    def ready(self) -> bool:
        return True


@pytest_asyncio.fixture
async def deliveries() -> list[tuple[str, Any]]:
    """Return deliveries as the stand-in for GitHub makes them, one of each kind and action."""
    async with github_town() as town:
        number = town.pull_request()
        github = town.github
        github.comment(number, ALICE, "/preview")
        head = github.pull_request(number).head_sha
        github.set_check(head, "build", "completed", "success")
        github.set_workflow_run(head, "build", "completed", "success")
        github.label(number, "preview")
        github.close(number)
        github.rename_repository("acme/shop", "store")
        github.suspend(town.installation.id)
        kinds = {(event, payload.get("action", "")): payload for event, payload in await town.events()}
    return [(event, payload) for (event, _), payload in sorted(kinds.items())]


def places(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the way to everything in a payload."""
    if path:
        yield path
    children: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def changed(payload: Any, path: Path, wrong: object, *, leave_out: bool = False) -> Any:
    """Return a payload that has something else in one place, or nothing; all else the two share."""
    key, *rest = path
    copied = copy.copy(payload)
    if rest:
        copied[key] = changed(payload[key], tuple(rest), wrong, leave_out=leave_out)
    elif leave_out:
        del copied[key]
    else:
        copied[key] = wrong
    return copied


def mutations(payload: Any) -> Iterator[Any]:
    """Yield a payload with one thing wrong after the other."""
    few = itertools.cycle(FEW)
    for path in places(payload):
        if len(path) <= 2:
            yield changed(payload, path, None, leave_out=True)
            yield from (changed(payload, path, wrong) for wrong in WRONG)
        else:
            yield changed(payload, path, next(few))


def deliver(client: FlaskClient, event: str, payload: object) -> tuple[int, str]:
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "d-1",
        "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest(),
    }
    answer = client.post("/webhook", data=body, headers=headers)
    return answer.status_code, answer.text


def test_every_delivery_is_answered_whatever_is_wrong_with_it(
    deliveries: list[tuple[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    cluster = Cluster()
    app = create_app(parse(SETTINGS, {}), (SECRET,), cluster, CollectorRegistry(), now=lambda: NOW)
    client, tried = app.test_client(), 0
    caplog.set_level(logging.ERROR)
    for event, payload in deliveries:
        assert deliver(client, event, payload)[0] in (202, 204)
        for mutated in mutations(payload):
            status, text = deliver(client, event, mutated)
            assert status in (202, 204, 400, 403), (event, mutated, text)
            assert text.isprintable() and len(text) < 300
            tried += 1
        assert deliver(client, event, payload)[0] in (202, 204)

    assert caplog.records == []
    assert tried >= LEAST, tried
    assert cluster.pokes > 1_000
