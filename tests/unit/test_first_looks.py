"""Before the first complete look nothing is known, and kubectl, comment and page tell nothing else."""

from __future__ import annotations

import pytest

from previewbot.api import Reason
from previewbot.engine.view import view_of
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError, TryLater, Unauthorized
from previewbot.reconciler.plan.first_look import why_unknown
from previewbot.text.render import Renderer
from tests.support.pages import Page
from tests.support.passes import World
from tests.support.previews import a_preview

RENDERER = Renderer()

REFUSED = Unauthorized("POST token", status=401, message="A JSON web token could not be decoded")
NOT_ACCESSIBLE = Forbidden("GET x", status=403, message="not accessible")
ANSWERS: dict[str, tuple[RemoteError, Reason]] = {
    "a key of another App": (REFUSED, Reason.APP_NOT_ACCEPTED),
    "a permission is missing": (NOT_ACCESSIBLE, Reason.LOOK_FORBIDDEN),
    "it is not shown": (NotFound("GET x", status=404), Reason.LOOK_FAILED),
    "it cannot be read": (Invalid("GET x", status=422), Reason.LOOK_FAILED),
    "GitHub is down": (TryLater("GET x", status=502), Reason.LOOK_DELAYED),
    "GitHub cannot be reached": (TryLater("GET x", message="GitHub cannot be reached"), Reason.LOOK_DELAYED),
    "the hour is used up": (TryLater("GET x", status=403, after=3600), Reason.LOOK_LIMITED),
    "who we are is refused": (TryLater("GET /app", status=401), Reason.APP_NOT_ACCEPTED),
}
STEPS = ["pull request", "file", "files", "commits", "comments", "identity"]
"""What a first look asks, step by step."""

FINDINGS = (
    "changes no service",
    "changes nothing",
    "no preview",
    "comes from a fork",
    "stopped",
    "AsExpected",
)
"""Words of what only a look can find."""


def told(world: World) -> list[str]:
    """Return what kubectl and the page show."""
    view = view_of(world.settings, a_preview(**vars(world.status)))
    page = Page(RENDERER.page(view)).words
    conditions = [f"{each.status} {each.reason} {each.message}" for each in world.status.conditions]
    return [*conditions, page]


@pytest.mark.parametrize("answer", ANSWERS)
def test_why_nothing_is_known_follows_from_what_github_answered(answer: str) -> None:
    error, reason = ANSWERS[answer]

    assert why_unknown(error) is reason


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("answer", ["a key of another App", "a permission is missing", "GitHub is down"])
async def test_a_first_look_that_fails_at_any_step_finds_nothing_and_says_why(step: str, answer: str) -> None:
    error, reason = ANSWERS[answer]
    world = World()
    world.fail(step, by=error)
    if step == "pull request":
        # What is asked next, to tell a repository that is gone from a key that is wrong.
        world.fail("installation of", by=error)
    await world.settle(2)

    assert (world.status.phase, world.status.reason) == (None, reason)
    assert world.github.own_comments() == []
    for words in told(world):
        assert not any(finding in words for finding in FINDINGS), words
    ready = next(each for each in world.status.conditions if each.type == "Ready")
    assert (ready.status, ready.reason) == ("Unknown", str(reason))
    assert str(error) in ready.message
    assert error.message not in told(world)[-1] or not error.message
    # Once GitHub can be read the same pull request goes its way.
    world.mend()
    await world.settle()
    assert world.serving != []


async def test_a_wrong_app_id_tears_nothing_down_although_everything_answers_404() -> None:
    world = World()
    await world.settle()
    assert world.serving != []
    nobody = NotFound("POST token", status=404, message="Integration not found")
    world.poke()
    for call in ("pull request", "installation of", "repositories"):
        world.fail(call, by=nobody)
    world.fail(
        "confirm", by=Unauthorized("GET /app", status=401, message="GitHub does not know the App 4242")
    )
    await world.settle(2)

    assert world.serving != []
    assert "does not know the App" in world.status.last_error


async def test_while_github_does_not_say_whether_it_knows_the_app_nothing_is_torn_down() -> None:
    world = World()
    await world.settle()
    serving = world.serving
    assert serving != []
    world.poke()
    for call in ("pull request", "installation of", "repositories"):
        world.fail(call, by=NotFound("GET it", status=404, message="Not Found"))
    world.fail("confirm", by=TryLater("GET /app", status=502))
    for _ in range(4):
        world.clock.forward(seconds=20)
        await world.settle(1)
    assert world.serving == serving

    # The repository is gone, as GitHub says once it answers.
    world.mend()
    for call in ("pull request", "installation of", "repositories"):
        world.fail(call, by=NotFound("GET it", status=404, message="Not Found"))
    world.clock.forward(minutes=2)
    await world.settle(3)
    assert world.serving == []


async def test_what_a_look_found_stays_said_when_a_later_one_fails() -> None:
    world = World()
    await world.settle()
    before = world.status.reason
    world.poke()
    world.fail("pull request", by=TryLater("GitHub", status=502))
    await world.settle(2)

    assert world.status.reason is before


def test_before_any_pass_the_page_says_that_it_is_being_looked_at() -> None:
    world = World()
    view = view_of(world.settings, a_preview())

    words = Page(RENDERER.page(view)).words
    assert "for the first time" in words
    assert not any(finding in words for finding in FINDINGS)
