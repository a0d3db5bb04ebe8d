"""People are told once, by a new comment, how a preview came out: never twice, never again for a push."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Phase, Reason
from previewbot.api.github import Account
from previewbot.errors import Forbidden, TryLater
from tests.support.passes import ANN, BOTH, BROKEN, CONFIGURATION, OWN_APP, A, B, C, World, ready
from tests.unit.test_passes_links import ENTRY, OURS, STAGING

NOTIFY = CONFIGURATION + 'notify: {mention: ["@acme/product"]}\n'
AGENT = Account(198982749, "Copilot", "Bot")


def told(world: World) -> list[str]:
    """Return the notices that stand in the pull request, oldest first."""
    return [body for body in world.github.own_comments() if body.startswith("<!-- previewbot notice ")]


def a_world(configuration: str = NOTIFY, **settings: Any) -> World:
    """Return a world whose repository wants people to be told."""
    world = World(**settings)
    world.configure(configuration)
    return world


async def failed(world: World) -> World:
    """Let the session of the newest commit fail."""
    world.cluster.session_status = {"phase": "Failed", "failureMessage": "exec format error"}
    world.cluster.session_becomes("Failed", failureMessage="exec format error")
    world.poke()
    return await world.settle(4)


async def test_by_itself_nobody_is_told() -> None:
    world = await ready(a_world(CONFIGURATION))

    assert told(world) == []
    assert set(world.status.reports) == {"comment"}


async def test_the_first_ready_is_told_in_a_new_comment_with_its_link() -> None:
    world = await ready(a_world())

    [text] = told(world)
    assert "@acme/product **The preview of this pull request is ready.**" in text
    assert world.status.link.url in text
    assert f"#issuecomment-{world.status.reports['comment'].id}" in text
    assert text.startswith(f"<!-- previewbot notice of={world.preview.name} occasion=ready -->")


@pytest.mark.parametrize("on", ["[failed]", "[]"])
async def test_what_the_repository_does_not_want_is_not_told(on: str) -> None:
    world = await ready(a_world(f"{CONFIGURATION}notify: {{on: {on}}}\n"))

    assert told(world) == []


async def test_a_push_tells_nobody_again() -> None:
    world = await ready(a_world())
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert len(told(world)) == 1


async def test_stop_and_start_tell_nobody_again() -> None:
    world = await ready(a_world())
    for command in ("stop", "start", "restart"):
        world.say(f"/preview {command}")
        await world.settle()

    assert world.status.phase is Phase.READY
    assert len(told(world)) == 1


async def test_what_expired_and_is_started_again_tells_nobody_again() -> None:
    world = await ready(a_world())
    world.clock.forward(hours=9)
    await world.settle()
    assert world.serving == []
    world.say("/preview start")
    await world.settle()

    assert world.status.phase is Phase.READY
    assert len(told(world)) == 1


async def test_a_pull_request_that_is_closed_and_reopened_tells_nobody_again() -> None:
    world = await ready(a_world())
    world.close()
    await world.settle()
    assert world.cluster.preview is None
    world.github.state = "open"
    world.poke()
    await world.settle()

    assert world.status.phase is Phase.READY
    assert len(told(world)) == 1


async def test_whoever_turns_it_on_is_not_told_of_what_came_out_before() -> None:
    world = await ready()
    world.configure(NOTIFY)
    await world.settle()
    assert told(world) == []

    world.push(B)
    await world.settle()
    assert len(told(world)) == 1, "the first one since it is wanted"


async def test_what_was_owed_when_it_was_turned_off_is_not_told_when_it_is_turned_on() -> None:
    world = a_world()
    world.fail("create comment", by=TryLater("GitHub", status=502))
    await world.settle(3)
    assert world.status.reports["told-ready"].told == "owed"
    world.configure(CONFIGURATION)
    await world.run()
    assert "told-ready" not in world.status.reports
    world.mend()
    await world.settle()
    world.configure(NOTIFY)
    await world.settle()

    assert told(world) == []


async def test_what_github_did_not_take_for_a_while_is_told_later() -> None:
    world = a_world()
    world.fail("create comment", by=TryLater("GitHub", status=502))
    await world.settle(3)
    world.clock.forward(hours=2)
    world.mend()
    await world.settle()

    assert len(told(world)) == 1


async def test_a_process_that_dies_behind_the_comment_does_not_write_it_again() -> None:
    world = a_world()
    await world.settle(1)
    create = world.github.create_comment

    async def dies(repository: str, number: int, body: str) -> Any:
        await create(repository, number, body)
        raise TryLater("GitHub", message="the answer is lost")

    world.github.create_comment = dies  # type: ignore[method-assign]
    await world.settle(8)
    world.github.create_comment = create  # type: ignore[method-assign]
    world.restart()
    world.clock.forward(seconds=31)
    await world.settle()

    assert len(told(world)) == 1
    assert world.status.reports["told-ready"].id
    assert world.status.reports["told-ready"].intent_at is None


async def test_what_was_announced_and_is_not_true_any_more_wakes_nobody_and_is_not_told_twice() -> None:
    world = a_world()
    await world.settle(1)
    create = world.github.create_comment

    async def dies(repository: str, number: int, body: str) -> Any:
        await create(repository, number, body)
        raise TryLater("GitHub", message="the answer is lost")

    world.github.create_comment = dies  # type: ignore[method-assign]
    await world.settle(2)
    assert len(told(world)) == 1
    world.github.create_comment = create  # type: ignore[method-assign]
    world.say("/preview stop")
    await world.settle()
    assert all(report.intent_at is None for report in world.status.reports.values())
    world.say("/preview start")
    await world.settle()

    assert world.status.phase is Phase.READY
    assert len(told(world)) == 1


async def test_a_notice_that_a_person_deletes_is_not_written_again() -> None:
    world = await ready(a_world())
    world.github.comments_written = [
        c for c in world.github.comments_written if "previewbot notice" not in c.body
    ]
    world.push(B)
    await world.settle()
    world.restart()
    world.say("/preview status")
    await world.settle()

    assert told(world) == []


async def test_a_marker_that_a_person_copies_tells_nothing() -> None:
    world = a_world()
    world.github.say(f"<!-- previewbot notice of={world.cluster.name} occasion=ready -->\nready")
    # Nor does one that our App writes in a person's name.
    world.github.say(f"<!-- previewbot notice of={world.cluster.name} occasion=ready -->\n", app_id=OWN_APP)
    await ready(world)

    assert len(told(world)) == 1


async def test_a_notice_is_never_taken_for_the_status_comment() -> None:
    world = await ready(a_world())
    assert world.cluster.preview is not None
    number = world.status.reports["comment"].id
    world.cluster.preview["status"] = {}
    world.restart()
    world.poke()
    await world.settle()

    assert world.status.reports["comment"].id == number
    assert len(told(world)) == 1
    assert len(world.github.own_comments()) == 2


async def test_a_failure_for_good_is_told_with_its_reason_and_whose_turn_it_is() -> None:
    world = a_world()
    await failed(world)

    [text] = told(world)
    assert world.status.reason is Reason.SERVICE_FAILED
    assert "has failed**: it is the turn of the author of the change." in text
    assert "exec format error" in text
    assert "occasion=failed" in text


async def test_after_a_failure_the_first_ready_is_told_too_and_nothing_more() -> None:
    world = await failed(a_world())
    world.cluster.session_status = {"phase": "Ready"}
    for sha in (B, C):
        world.push(sha)
        await world.settle()

    assert [text.partition("occasion=")[2].partition(" ")[0] for text in told(world)] == ["failed", "ready"]


async def test_a_failure_after_the_first_ready_is_told_by_the_status_comment_alone() -> None:
    world = await ready(a_world())
    world.push(B)
    await failed(world)

    assert world.status.phase is Phase.FAILED
    assert len(told(world)) == 1


async def test_a_second_failure_is_not_told_again() -> None:
    world = await failed(a_world())
    world.push(B)
    await failed(world)

    assert len(told(world)) == 1


async def test_an_image_that_is_late_is_no_failure_until_its_deadline() -> None:
    world = a_world()
    world.registry.images.clear()
    await world.settle()
    assert told(world) == []
    world.clock.forward(hours=3)
    await world.settle()

    assert world.status.reason is Reason.IMAGE_MISSING
    assert len(told(world)) == 1


async def test_a_file_with_mistakes_tells_nobody() -> None:
    world = a_world(BROKEN + "notify: {}\n")
    await world.settle()

    assert world.status.reason is Reason.CONFIGURATION_INVALID
    assert told(world) == []


async def test_ready_means_that_the_link_is_announced() -> None:
    world = a_world(ENTRY + "notify: {}\n")
    world.links.answer = STAGING
    await world.settle()
    assert world.serving == [A]
    assert world.status.phase is Phase.DEPLOYING
    assert told(world) == []

    world.links.answer = OURS
    world.clock.forward(hours=1)
    await world.settle()
    assert "[Open the preview]" in told(world)[0]


async def test_what_answers_with_an_error_is_not_told_as_ready() -> None:
    world = a_world(ENTRY + "notify: {}\n")
    world.links.answer = replace(OURS, status=500)
    await world.settle()
    assert world.status.link.answered == 500
    assert told(world) == []

    world.links.answer = OURS
    world.push(B)
    await world.settle()
    assert len(told(world)) == 1


async def test_what_runs_in_part_only_is_not_ready_and_told_once_a_service_has_failed() -> None:
    world = a_world()
    world.github.paths = BOTH
    world.registry.images = {f"checkout:{A}"}
    await world.settle()
    assert world.status.reason is Reason.PARTIAL
    assert told(world) == [], "the other image may still come"
    world.clock.forward(hours=3)
    await world.settle()

    [text] = told(world)
    assert "has failed in part**" in text


async def test_what_only_an_agents_own_command_asks_for_is_told_nobody() -> None:
    world = an_agents_world()
    await world.settle()
    assert world.status.observed.trigger == "@Copilot's command"
    assert world.status.phase is Phase.READY
    assert told(world) == []

    for command in ("stop", "start"):
        world.say(f"/preview {command}", ANN)
        await world.settle()
    assert len(told(world)) == 1, "now a person waits"


async def test_an_agents_command_keeps_nobody_from_being_told_of_what_starts_by_itself() -> None:
    world = an_agents_world()
    world.configure(NOTIFY)
    await world.settle()

    assert world.status.observed.trigger == "@Copilot's command"
    assert len(told(world)) == 1


def an_agents_world() -> World:
    """Return a world in which an agent asked for the preview of its own pull request, and nobody else did."""
    world = a_world(f"{NOTIFY}triggers: {{agents: false}}\n", agents={"commands": {"copilot": ["start"]}})
    world.github.author, world.github.labels = AGENT, ()
    world.github.permissions[AGENT.login] = "write"
    world.say("/preview start", AGENT)
    return world


async def test_nothing_is_told_while_github_limits_what_is_written_and_then_it_is() -> None:
    world = a_world()
    world.github.writes_limit = TryLater("GitHub", status=403, after=60)
    await world.settle()
    assert (told(world), world.status.reports["told-ready"].intent_at) == ([], None)
    world.github.writes_limit = None
    world.clock.forward(seconds=60)
    await world.settle()

    assert len(told(world)) == 1


async def test_what_github_refuses_for_good_is_given_up_and_keeps_nobody_waiting() -> None:
    world = a_world()
    world.github.refused_words = "previewbot notice"
    world.calls.failures["such words"] = Forbidden("GitHub", status=403, message="locked")
    await world.settle()

    assert world.status.reports["told-ready"].told == "given"
    assert world.status.last_error == ""
    assert {c.type: c for c in world.status.conditions}["Reported"].status == "True"
    before = (await world.run()).requeue_after
    assert before is None or before > 5


async def test_a_rollback_to_a_version_that_knows_no_notices_tells_nobody_again() -> None:
    world = await ready(a_world())
    # What is read anew begins with what was written last.
    world.clock.forward(hours=1)
    world.say("Looks good.")
    await world.settle()
    assert world.cluster.preview is not None
    # What an older version does with reports that it does not know, before the newer one is back.
    del world.cluster.preview["status"]["reports"]["told-ready"]
    world.restart()
    world.push(B)
    await world.settle()

    assert world.serving == [B]
    assert len(told(world)) == 1
    reads = len(world.github.read_since)
    world.say("/preview status")
    await world.settle()
    assert None not in world.github.read_since[reads:], "the whole conversation is read for it once"
