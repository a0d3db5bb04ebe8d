"""The fake GitHub's webhooks and callbacks.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator

import pytest

from tests.support.github_town import (
    APP,
    SECRET,
    Town,
    github_town,
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def test_a_delivery_is_signed_over_its_raw_body(town: Town) -> None:
    town.pull_request()
    await town.events()

    headers, body = town.heard[0]

    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == f"sha256={expected}"
    assert headers["X-GitHub-Hook-Installation-Target-ID"] == str(APP)
    assert headers["Content-Type"] == "application/json"
    delivery = town.github.webhooks.deliveries[0]
    assert (delivery.id, delivery.event, delivery.status) == (
        headers["X-GitHub-Delivery"],
        "pull_request",
        202,
    )


async def test_a_delivery_that_is_refused_or_dropped_is_not_sent_again_by_itself(town: Town) -> None:
    town.answers = 503
    number = town.pull_request()
    await town.events()
    town.github.webhooks.drop_next(1)
    town.github.label(number, "one")
    town.github.webhooks.drop_matching(lambda event, payload: payload["action"] == "unlabeled")
    town.github.unlabel(number, "one")

    heard = await town.events()
    records = [(d.payload["action"], d.status, d.dropped) for d in town.github.webhooks.deliveries]

    assert [payload["action"] for _, payload in heard] == ["opened"]
    assert records == [("opened", 503, False), ("labeled", None, True), ("unlabeled", None, True)]

    town.github.webhooks.redeliver(town.github.webhooks.deliveries[1].id)

    assert [payload["action"] for _, payload in await town.events()] == ["opened", "labeled"]


async def test_an_address_that_does_not_answer_counts_as_status_0(town: Town) -> None:
    town.github.webhooks.url = "http://127.0.0.1:1/hook"
    town.pull_request()
    await town.events()

    assert town.github.webhooks.deliveries[0].status == 0


async def test_ci_is_told_of_every_new_head(town: Town) -> None:
    heads: list[tuple[int, str, bytes]] = []
    town.github.hooks.on_head = lambda repository, number, sha, tree: heads.append(
        (number, sha, tree["src/app.py"])
    )
    town.pull_request()
    sha = town.github.push(1, {"src/app.py": b"again\n"}, "Again")

    assert [(number, content) for number, _, content in heads] == [
        (1, b"one\nTWO\nthree\nfour\n"),
        (1, b"again\n"),
    ]
    assert heads[1][1] == sha
