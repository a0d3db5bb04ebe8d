"""Attack: to have a message cut where the name of a secret stands, so that the secret is shown without it.

A message keeps its beginning and its end, and images in it are shortened. All of it is masked before any of
that, so that nothing is shown that would not be shown of the whole message.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.rules.masking import LINE_LENGTH, MASK, mask_secrets, one_line
from previewbot.rules.messages import with_short_images
from tests.support.passes import World, in_trouble
from tests.support.passes_over_pods import Session
from tests.support.pods import container, containers, waiting

SECRET = "hunter2"
DIGEST = "sha256:" + "3f2c1ab0" * 8
IMAGE = "ghcr.io/acme/checkout@" + DIGEST
LONG = "the registry says no and goes on to say so at length, " * 40
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "aGVsbG8gd29ybGQ=\n" * 60 + "c2Vj=\n-----END RSA PRIVATE KEY-----"

MESSAGES = {
    "a name far before its value": f"password: '{LONG}{SECRET}'",
    "a header with all that follows": f"Authorization: Basic {LONG}{SECRET}",
    "a cookie": f"Set-Cookie: a=b; {LONG}; sid={SECRET}",
    "a name in the middle, a value at the end": f"{LONG} DB_PASSWORD={SECRET}",
    "a name before an image that is said again": f"{IMAGE}: token={IMAGE} password={SECRET}",
    "a value between two images": f'image "{IMAGE}": secret="{IMAGE}" {IMAGE} token: {SECRET}',
    "an address with a login": f"{LONG} https://robot:{SECRET}@registry.example.com/v2/",
    "a value that is cut off": f"{LONG * 4} token={SECRET}",
    "a name that is cut off": f"password: '{LONG * 4}{SECRET}'",
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_shown_of_a_long_message_has_no_secret(name: str) -> None:
    shown = one_line(MESSAGES[name])

    assert SECRET not in shown
    assert len(shown) <= LINE_LENGTH


@pytest.mark.parametrize("name", MESSAGES)
async def test_nor_has_the_comment_about_a_pod_that_says_it(name: str) -> None:
    status = containers(container(waiting("CreateContainerError", MESSAGES[name])))
    world = await in_trouble(World(), status)

    assert "cannot be started" in world.comment or "does not begin" in world.comment
    assert SECRET not in world.comment
    assert SECRET not in str(world.cluster.preview)


@pytest.mark.parametrize("name", MESSAGES)
async def test_nor_has_the_comment_about_an_event_that_says_it(name: str) -> None:
    session = await Session.starting()
    session.in_trouble("a Secret that a volume needs")
    for event in session.world.cluster.events:
        event["message"] = MESSAGES[name]
    await session.lives(60)

    assert "checkout waits for a volume" in session.comment
    assert SECRET not in session.comment
    assert SECRET not in str(session.world.cluster.preview)


@pytest.mark.parametrize(
    "text",
    [
        f"cannot read {KEY}",
        f"cannot read {KEY}: bad passphrase",
        "cannot read " + KEY.replace("\n", "\\n") + ": bad passphrase",
        "cannot read " + KEY.replace("\n", " "),
        KEY.partition("\n")[2],
        KEY.partition("\n")[2].replace("\n", " ") + " is no key",
        KEY[:700],
    ],
)
def test_the_end_of_a_private_key_is_not_shown_either(text: str) -> None:
    shown = one_line(text)

    assert "c2Vj" not in shown
    assert "aGVs" not in shown
    assert MASK in shown


WORDS = st.sampled_from(
    [
        IMAGE,
        f'"{IMAGE}"',
        f"{IMAGE}:",
        "password:",
        "token=",
        "secret",
        "'",
        '"',
        "sha256:",
        ":",
        "not found",
        "x" * 40,
    ]
)
CHOSEN = st.from_regex(r"[A-Za-z!#$*]{3,8}[0-9][A-Za-z0-9_.]{1,16}", fullmatch=True)


@given(st.lists(WORDS, max_size=60), CHOSEN, st.lists(WORDS, max_size=60))
def test_nothing_is_shown_that_the_whole_message_would_not_show(
    before: list[str], secret: str, after: list[str]
) -> None:
    message = " ".join([*before, secret, *after])
    whole = mask_secrets(message)
    shown = one_line(message)

    if secret not in whole:
        assert secret not in shown
    pieces = re.split(" … ", shown)
    assert all(piece in with_short_images(whole) for piece in pieces)


@given(st.lists(WORDS, max_size=20))
def test_a_message_says_each_image_once_and_no_digest_at_length(words: list[str]) -> None:
    shown = with_short_images(" ".join(words))

    assert DIGEST not in shown
    assert shown.count("ghcr.io/acme/checkout@") <= 1


def test_what_an_image_that_is_said_again_stood_between_reads_well() -> None:
    message = f'failed to resolve reference "{IMAGE}": failed to pull "{IMAGE}": {IMAGE}: not found'

    assert with_short_images(message) == (
        f'failed to resolve reference "ghcr.io/acme/checkout@{DIGEST[:19]}": failed to pull: not found'
    )


CAUSES: dict[str, Any] = {
    cause: f"{LONG}{cause}"
    for cause in (
        "not found",
        "401 Unauthorized",
        "x509: unknown authority",
        "no match for platform",
        "toomanyrequests",
    )
}


@pytest.mark.parametrize("cause", CAUSES)
def test_the_cause_at_the_end_is_shown(cause: str) -> None:
    shown = one_line(CAUSES[cause])

    assert shown.startswith("the registry says no")
    assert shown.endswith(cause)
