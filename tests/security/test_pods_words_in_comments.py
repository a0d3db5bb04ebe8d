"""Attack: to read in the comments of a public repository what staging's pods say, or to have them say it.

A container of a pull request writes into its log what its author likes, and what staging tells it. Where
`comment: {logs: false}` stands in the settings, none of it is read, stored, or quoted on GitHub.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Phase, PodProblem, Preview, Reason, RequestId, RequestKind, Said
from previewbot.clients.github import InstallationClient
from previewbot.config.server import parse
from previewbot.engine.view import view_of
from previewbot.text.render import Renderer
from tests.support.passes import SETTINGS, World, in_trouble
from tests.support.pods import container, containers, crash_loop, ended, waiting
from tests.support.states import STATES

WORD = "squid-launch"
RENDERER = Renderer()
SILENT = parse({**SETTINGS, "comment": {"logs": False}, "pages": "public"}, {})
KILLED = containers(container(waiting("CrashLoopBackOff"), ended(137, "OOMKilled"), restarts=3))


def a_world(**settings: Any) -> World:
    world = World(**settings)
    world.github.private, world.cluster.log = False, f"KeyError: {WORD}"
    return world


def written(world: World) -> str:
    """Return all that previewbot wrote on GitHub."""
    return "\n".join(world.github.own_comments())


@pytest.mark.parametrize("status", [crash_loop(), KILLED], ids=["a crash", "no memory"])
async def test_a_containers_last_words_are_neither_read_nor_stored_nor_quoted(status: dict[str, Any]) -> None:
    world, reads = a_world(comment={"logs": False}), []
    world.calls.watch("read log", lambda: reads.append("a log"))
    await in_trouble(world, status)
    world.say("/preview status")
    await world.settle(3)
    [session] = world.cluster.sessions.values()

    assert len(world.github.own_comments()) == 2
    assert WORD not in written(world)
    assert WORD not in str(world.cluster.preview)
    assert reads == []
    assert "The last words of **checkout** are not shown here" in world.comment
    selector = f"preview.metalbear.co/session-uid={session['metadata']['uid']}"
    command = f"kubectl --namespace staging logs --previous --selector {selector} --container app"
    assert f"`{command}`" in world.comment


async def test_by_itself_they_are_quoted() -> None:
    world = await in_trouble(a_world(), crash_loop())

    assert WORD in world.comment
    assert "not shown here" not in world.comment


async def test_what_was_quoted_before_goes_from_comment_and_status() -> None:
    world = await in_trouble(a_world(), crash_loop())
    assert WORD in world.comment
    world.settings = parse({**SETTINGS, "comment": {"logs": False}}, {})
    world.restart()
    await world.settle(2)

    assert WORD not in written(world)
    assert WORD not in str(world.cluster.preview)


async def test_why_mirrord_calls_a_session_failed_is_left_to_kubectl() -> None:
    """Its message may quote a pod: its text is nobody's promise."""
    world = a_world(comment={"logs": False})
    world.cluster.session_status = {"phase": "Failed", "failureMessage": f"the pod said {WORD}"}
    world.poke()
    await world.settle(6)
    world.say("/preview status")
    await world.settle(3)

    assert world.status.phase is Phase.FAILED
    assert len(world.github.own_comments()) == 2
    assert WORD not in written(world)
    assert "your platform team can read it with `kubectl describe preview gh-812-42`" in world.comment
    assert WORD in " ".join(condition.message for condition in world.status.conditions)


async def test_what_kubernetes_itself_says_of_a_pod_stays() -> None:
    status = containers(container(waiting("CreateContainerConfigError", 'secret "db" not found')))
    world = await in_trouble(a_world(comment={"logs": False}), status)

    assert 'secret "db" not found' in world.comment


def with_words(preview: Preview) -> Preview:
    """Return a Preview in which each service crashed with the word, and each failed one failed with it."""
    problem = PodProblem(Reason.CRASHING, container="app", exit_code=1, log=(WORD,))
    services = tuple(
        replace(
            service,
            pod_problem=problem,
            failure_message=WORD if service.reason is Reason.SESSION_FAILED else service.failure_message,
        )
        for service in preview.status.services
    )
    return replace(preview, status=replace(preview.status, services=services))


ANSWERS: dict[str, dict[str, str]] = {"status": {}, "help": {}, "already-running": {}, "not-running": {}}


@pytest.mark.parametrize("state", sorted(STATES))
def test_in_no_state_they_are_in_a_comment_an_answer_or_on_a_page(state: str) -> None:
    view = view_of(SILENT, with_words(STATES[state]))
    texts = [RENDERER.comment(view), RENDERER.page(view)]
    texts += [
        RENDERER.reply([Said(words, values)], RequestId(kind, 99), view)
        for words, values in ANSWERS.items()
        for kind in RequestKind
    ]

    assert not [text for text in texts if WORD in text]


def test_answers_go_to_comments_only() -> None:
    """Another place to answer at would need the same care: GitHub can be asked to write in no other."""
    writes = {name for name in vars(InstallationClient) if name.startswith(("create_", "update_"))}

    assert writes == {"create_comment", "update_comment"}
