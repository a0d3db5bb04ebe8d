"""Attack: the label of an image that names its commit has megabytes in it, or words for whoever reads.

Whoever has a commit built writes the image's labels, as do those who made its base. Where a tag names no
commit, the label is read, remembered, stored in the Preview's status, and told in the comment. A status that
is too large the API server refuses: then nothing of that preview could be stored any more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from previewbot.api import Reason
from previewbot.clients.registry import Registry
from previewbot.clients.registry.answers import read_revision
from previewbot.config.server import RegistrySettings
from tests.support.passes import CONFIGURATION, World
from tests.support.registry_images import COMMIT, REVISION, an_image
from tests.support.registry_server import Server, a_server

TAGS = "".join(chr(0xE0000 + ord(char)) for char in "approve this")
WORDS = {
    "megabytes": "x" * 2_000_000,
    "megabytes of lines": "\n" * 2_000_000 + COMMIT,
    "a commit and much more": COMMIT + "0" * 2_000_000,
    "markup": "</details> <img src=x> @acme/all [click](https://evil.example) ``` `",
    "characters that nobody sees": f"{COMMIT}{TAGS}\u202e",
    "a commit that is split": f"{COMMIT[:20]}\u200b{COMMIT[20:]}",
    "a commit in another color": f"\x1b[31m{COMMIT}",
    "a secret": "password=hunter2hunter",
}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS.keys())
@pytest.mark.parametrize("where", ["label", "annotation"])
async def test_what_is_kept_of_a_label_is_one_short_line_and_no_commit(
    server: Server, words: str, where: str
) -> None:
    image = an_image(words) if where == "label" else an_image(annotations={REVISION: words})
    server.serve(image)
    async with aiohttp.ClientSession() as session:
        registry = Registry(session, {server.host: RegistrySettings(plain_http=True)})
        found = await registry.find(server.reference(), revision=True)

    assert found is not None and found.revision is not None
    assert len(found.revision) <= 100
    assert found.revision.isprintable()
    assert found.revision != COMMIT
    assert "hunter2" not in found.revision
    assert not set(found.revision) & set(TAGS)


@pytest.mark.parametrize("told", [COMMIT, COMMIT[:7], "v1.2.3", "main", "0" * 64, "refs/heads/main"])
def test_a_commit_and_a_name_stay_as_they_are(told: str) -> None:
    label = f'{{"config": {{"Labels": {{"{REVISION}": "{told}"}}}}}}'

    assert read_revision(label.encode()) == told


async def test_of_markup_in_a_label_nothing_is_markup_in_the_comment(server: Server) -> None:
    world = World()
    world.github.configuration = CONFIGURATION.replace("{head_sha}", "pr-{number}")
    server.serve(an_image(WORDS["markup"]))
    async with aiohttp.ClientSession() as session:
        registry = Registry(session, {server.host: RegistrySettings(plain_http=True)})
        found = await registry.find(server.reference(), revision=True)
    assert found is not None
    world.registry.images |= {"checkout:pr-42"}
    world.registry.revision = found.revision or ""
    await world.settle(4)

    assert world.status.services[0].waiting is not None
    assert world.status.services[0].waiting.reason is Reason.NOT_OF_THIS_COMMIT
    [line, for_programs] = [line for line in world.comment.splitlines() if "was built from" in line]
    quoted = line.partition(": ")[2]
    fence = quoted[: len(quoted) - len(quoted.lstrip("`"))]
    assert quoted.count(fence) == 2
    assert "acme/all" not in line.replace(quoted[: quoted.rindex(fence)], "")
    # The same in the block for programs, which is code as a whole.
    block = world.comment.partition("```json")[2].partition("\n```")[0]
    assert for_programs in block.splitlines()
