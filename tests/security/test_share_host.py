"""A session's share host is shown only if it is a host: whoever may write a session's status writes no link.

The operator writes it, "host only, no scheme" (`https://{shareHost}`, as mirrord's CLI prints it). In the
comment it stands in Markdown, on the page in HTML, and people click on it.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import LinkKind, Phase
from previewbot.engine.mirrord import session_from
from previewbot.rules.hosts import is_host_name
from tests.support.passes import CONFIGURATION, World, ready

NO_HOSTS = [
    "evil.example/login?next=",
    "evil.example#",
    "preview.example.com@evil.example",
    "evil.example\\@preview.example.com",
    "preview.example.com:8443",
    "preview.example.com.",
    "javascript:alert(1)",
    "https://preview.example.com",
    "preview.example.com](https://evil.example) [",
    '"><script>alert(1)</script>',
    "preview.example.com\nevil.example",
    "preview.example.com ",
    " preview.example.com",
    "preview..example.com",
    "-preview.example.com",
    "preview-.example.com",
    "preview_1.example.com",
    "prevıew.example.com",
    "пример.example.com",
    "preview.example.com\u202e",
    "localhost",
    "kubernetes",
    "169.254.169.254",
    "10.0.0.1",
    "2852039166",
    "a.0x7f",
    "[::1]",
    f"{'a' * 64}.example.com",
    ".".join(["a" * 63] * 4),
]
HOSTS = [
    "shop-pr-42-k3v9q.preview.example.com",
    "k1.share.localhost",
    "Shop.Preview.Example.com",
    "xn--e1afmkfd.example.com",
    "1.example.com",
    f"{'a' * 63}.example.com",
]


def a_session_object(share_host: str) -> dict[str, Any]:
    metadata = {
        "name": "k1",
        "namespace": "staging",
        "uid": "s-1",
        "creationTimestamp": "2026-11-24T09:00:00Z",
    }
    return {"metadata": metadata, "status": {"phase": "Ready", "shareHost": share_host}}


@pytest.mark.parametrize("text", NO_HOSTS)
def test_what_is_no_host_is_not_taken_for_one(text: str) -> None:
    session = session_from(a_session_object(text))

    assert session.share_host == ""
    assert session.disbelieved.startswith("its share host is no host name")
    assert session.disbelieved.isprintable()
    assert len(session.disbelieved) < 200


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_taken_as_it_is(host: str) -> None:
    session = session_from(a_session_object(host))

    assert (session.share_host, session.disbelieved) == (host, "")


def test_a_session_without_a_share_host_is_no_news() -> None:
    assert session_from(a_session_object("")).disbelieved == ""


async def without_a_gateway(share_host: str) -> World:
    """Return a world in which links are share hosts, and its session has this one."""
    world = World(links=None)
    world.cluster.session_status = {"phase": "Ready", "shareHost": share_host}
    world.configure(CONFIGURATION.replace(CONFIGURATION.splitlines()[2], ""))
    return await ready(world)


async def test_a_link_leads_to_a_share_host() -> None:
    world = await without_a_gateway("k1.preview.example.com")

    assert world.status.link is not None
    assert world.status.link.url == "https://k1.preview.example.com/"
    assert "https://k1.preview.example.com/" in world.comment


@pytest.mark.parametrize("text", ["evil.example/login?next=", "x](https://evil.example) [y"])
async def test_what_is_no_host_is_in_no_comment_and_no_status_and_is_said_in_the_log(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        world = await without_a_gateway(text)

    assert world.status.phase is Phase.READY
    assert world.status.link is not None
    assert world.status.link.kind is LinkKind.HEADER
    assert "evil.example" not in world.comment
    assert "evil.example" not in str(world.cluster.preview)
    said = [vars(record) for record in caplog.records if "not believed" in record.message]
    assert {(one["child"], one["preview"]) for one in said} == {
        (next(iter(world.cluster.sessions)), "gh-812-42")
    }


@given(st.text(max_size=300) | st.from_regex(r"[a-z0-9.-]{1,260}", fullmatch=True))
def test_whatever_is_taken_for_a_host_is_the_host_of_its_link_and_nothing_more(text: str) -> None:
    if is_host_name(text):
        parts = urlsplit(f"https://{text}/cart")

        assert parts.netloc == text
        assert (parts.hostname, parts.port, parts.path) == (text.lower(), None, "/cart")
        assert text.isascii()
        assert len(text) <= 253
