"""Attack: to read on a page what a private repository's pods say, or to say something there with a fork's.

Whoever reaches a public page reads it. Whether a repository is private is what GitHub says of it; what is
not known counts as private. Of a fork, whose code nobody of the repository wrote, the same is left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Ask, Observed, Preview
from previewbot.clients.github import kept
from previewbot.clients.github.parse import pull_request_from
from previewbot.config.agents import built_in
from previewbot.config.server import parse
from previewbot.engine.view import view_of
from previewbot.runtime.pages_app import create_pages
from previewbot.text.render import Renderer
from tests.support import github_samples as samples
from tests.support.github_cutting import cut
from tests.support.pages import Page
from tests.support.passes import SETTINGS, World, in_trouble
from tests.support.pods import container, containers, crash_loop, unschedulable, waiting
from tests.support.previews import NOW
from tests.support.states import OBSERVED, STATES

WORD = "squid-launch"
RENDERER = Renderer()
SETTINGS_OF_PUBLIC_PAGES = parse({**SETTINGS, "pages": "public"}, {})
LEAVES_OUT = "More about it stands in previewbot's comment on the pull request."


async def crashing(*, private: bool, fork: bool, status: dict[str, Any] | None = None) -> World:
    """Return a pull request whose container says the word, and crashes."""
    world = World(pages="public")
    world.github.private, world.github.fork, world.cluster.log = private, fork, f"KeyError: {WORD}"
    return await in_trouble(world, status or crash_loop())


class Stored:
    """What web reads of the cluster: the one Preview of a world."""

    def __init__(self, world: World) -> None:
        self._obj = world.cluster.preview

    def ask(self, ask: Ask) -> None:
        raise AssertionError("a page asks for nothing")

    def get_preview(self, name: str) -> dict[str, Any] | None:
        return self._obj

    def ready(self) -> bool:
        return True


def read(world: World) -> Page:
    """Return the page as anybody reads it."""
    app = create_pages(world.settings, Stored(world), now=lambda: NOW)
    return Page(app.test_client().get("/p/812/42").text)


@pytest.mark.parametrize(
    ("private", "fork"),
    [(True, False), (False, True), (True, True)],
    ids=["a private repository", "a fork", "a private repository's fork"],
)
async def test_the_last_words_of_a_crash_stand_in_the_comment_and_not_on_the_page(
    private: bool, fork: bool
) -> None:
    world = await crashing(private=private, fork=fork)
    page = read(world)

    assert WORD in world.comment
    assert WORD not in page.text
    assert "checkout crashes again and again (exit code 1)." in page.words
    assert LEAVES_OUT in page.words


async def test_of_a_public_repositorys_own_branch_they_are_on_the_page() -> None:
    page = read(await crashing(private=False, fork=False))

    assert WORD in page.text
    assert LEAVES_OUT not in page.words


@pytest.mark.parametrize(
    "status",
    [
        containers(container(waiting("CreateContainerConfigError", f'secret "{WORD}" not found'))),
        containers(container(waiting("ErrImagePull", f"ghcr.io/{WORD}: not found"))),
        unschedulable(f"node {WORD} has no room"),
    ],
    ids=["a Secret's name", "an image", "a node"],
)
async def test_what_the_cluster_says_of_pods_is_left_out_like_what_they_say(status: dict[str, Any]) -> None:
    hidden = await crashing(private=True, fork=False, status=status)
    shown = await crashing(private=False, fork=False, status=status)

    assert WORD in hidden.comment
    assert WORD not in read(hidden).text
    assert WORD in read(shown).text


async def test_a_repository_that_becomes_private_is_so_on_the_page_with_the_next_look_at_github() -> None:
    world = await crashing(private=False, fork=False)
    world.github.private = True
    world.poke()
    await world.settle(1)

    assert WORD not in read(world).text


async def test_what_was_stored_before_anybody_asked_counts_as_private() -> None:
    world = await crashing(private=False, fork=False)
    assert world.cluster.preview is not None
    del world.cluster.preview["status"]["observed"]["public"]

    assert WORD not in read(world).text


@pytest.mark.parametrize(
    ("repository", "private"),
    [
        ({"private": False, "visibility": "public"}, False),
        # Older Enterprise Servers do not say more.
        ({"private": False}, False),
        ({"private": True, "visibility": "private"}, True),
        ({"private": True, "visibility": "internal"}, True),
        ({"private": False, "visibility": "internal"}, True),
        ({"private": False, "visibility": "for friends"}, True),
        ({"private": None, "visibility": "public"}, True),
        ({"private": False, "visibility": None}, False),
    ],
)
def test_what_github_says_of_a_repository_reaches_us_and_what_it_does_not_say_is_private(
    repository: dict[str, Any], private: bool
) -> None:
    base = samples.branch("main", "0" * 40, samples.repository(**repository))
    answer = cut(kept.pull_request(built_in()), samples.pull_request(base=base))

    assert pull_request_from(answer).private == private


def test_a_repository_of_which_github_says_nothing_is_private() -> None:
    answer = cut(kept.pull_request(built_in()), samples.pull_request())
    del answer["base"]["repo"]["private"]

    assert pull_request_from(answer).private


HIDDEN = [Observed(), replace(OBSERVED, public=False), replace(OBSERVED, fork=True)]


def told_everywhere(preview: Preview) -> Preview:
    """Return a Preview in which all that came from the cluster is the word."""
    services = tuple(
        replace(
            service,
            failure_message=WORD,
            pod_problem=service.pod_problem
            and replace(service.pod_problem, container=WORD, detail=WORD, log=(WORD,)),
        )
        for service in preview.status.services
    )
    return replace(preview, status=replace(preview.status, services=services, last_error=WORD))


@pytest.mark.parametrize(
    "observed", [Observed(), replace(OBSERVED, public=False), replace(OBSERVED, fork=True)]
)
@pytest.mark.parametrize("state", sorted(STATES))
def test_in_no_state_a_word_of_the_cluster_is_on_such_a_page(state: str, observed: Observed) -> None:
    preview = told_everywhere(STATES[state])
    preview = replace(preview, status=replace(preview.status, observed=observed))
    view = view_of(SETTINGS_OF_PUBLIC_PAGES, preview)

    assert WORD not in RENDERER.page(view)
