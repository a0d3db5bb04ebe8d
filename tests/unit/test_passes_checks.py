"""The check of each commit, through passes: begun once, ended for every commit, holding up nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from previewbot.api.check_runs import CheckRunContent
from previewbot.errors import Forbidden, NotFound, TryLater
from previewbot.reconciler.plan.requeue import INTENT_HOLDS
from tests.support.passes import A, B, World

NOT_GRANTED = Forbidden("GitHub", status=403, message="Resource not accessible by integration")
AWAY = TryLater("GitHub", status=502)
QUEUED = "d" * 40
WRONG = {".github/preview.yaml": b"version: 1\nservices:\n  checkout:\n    paht: [x]\n"}


def a_world(check: str = "on", **settings: Any) -> World:
    return World(check=check, **settings)


class Noting(dict[str, dict[str, bytes]]):
    """What commits hold, which notes of which one it is asked."""

    def __init__(self, asked: list[str]) -> None:
        super().__init__()
        self._asked = asked

    def get(self, key: str, default: Any = None) -> Any:
        self._asked.append(key)
        return default


def outcomes(world: World, sha: str) -> list[list[str]]:
    """Return how each check run of a commit stood, from the first to what it says now."""
    return [
        [str(said.conclusion or "in progress") for said in run.said] for run in world.github.checks.of(sha)
    ]


async def dies_over(world: World, call: str) -> None:
    """Let the process die once GitHub has taken a check, before that is stored; begin anew, and settle."""
    sends = getattr(world.github.checks, call)

    async def dies(*arguments: Any) -> None:
        await sends(*arguments)
        raise SystemExit

    setattr(world.github.checks, call, dies)
    with pytest.raises(SystemExit):
        await world.settle()
    setattr(world.github.checks, call, sends)
    world.restart()
    world.clock.forward(seconds=INTENT_HOLDS.total_seconds() + 1)
    await world.settle()


def last(world: World, sha: str) -> CheckRunContent:
    (run,) = world.github.checks.of(sha)
    return run.said[-1]


async def test_a_check_is_in_progress_until_the_preview_is_ready_and_then_leads_there() -> None:
    world = a_world()
    await world.settle()

    assert outcomes(world, A) == [["in progress", "success"]]
    said = last(world, A)
    assert said.details_url == world.status.link.url
    assert [action.identifier for action in said.actions] == ["stop", "extend"]
    assert said.external_id == "gh-812-42"


async def test_a_push_ends_the_check_of_the_commit_before_if_it_goes_on_and_begins_another() -> None:
    world = a_world()
    world.registry.images = set()
    await world.run()
    assert outcomes(world, A) == [["in progress"]]
    world.push(B)
    await world.settle()

    assert outcomes(world, A) == [["in progress", "neutral"]]
    assert last(world, A).output.title == "A newer commit is there"
    assert outcomes(world, B) == [["in progress", "success"]]


async def test_what_was_said_of_an_earlier_commit_stays_said() -> None:
    world = a_world()
    await world.settle()
    world.push(B)
    await world.settle()

    assert (outcomes(world, A), outcomes(world, B)) == ([["in progress", "success"]],) * 2
    assert {key for key in world.status.reports if key.startswith("check")} == {f"check/{A}", f"check/{B}"}


async def test_a_commit_that_is_pushed_again_has_the_check_that_it_had() -> None:
    world = a_world()
    await world.settle()
    world.push(B)
    await world.run()
    world.push(A)
    await world.settle()

    assert outcomes(world, A) == [["in progress", "success", "in progress", "success"]]
    assert outcomes(world, B) == [["in progress", "neutral"]]


async def test_of_earlier_commits_the_latest_ten_are_known() -> None:
    world = a_world()
    for number in range(14):
        world.push(f"{number:040x}")
        await world.settle()

    # That of the newest commit, and of ten before.
    assert sum(key.startswith("check/") for key in world.status.reports) == 11


async def test_a_closed_pull_request_leaves_no_check_in_progress() -> None:
    world = a_world()
    await world.run()
    assert outcomes(world, A) == [["in progress"]]
    world.close()
    await world.settle()

    assert world.cluster.preview is None
    assert outcomes(world, A) == [["in progress", "neutral"]]


async def test_a_stop_is_neutral_and_a_start_begins_the_same_check_again() -> None:
    world = a_world()
    await world.settle()
    world.say("/preview stop")
    await world.settle()
    assert [action.identifier for action in last(world, A).actions] == ["start"]
    world.say("/preview start")
    await world.settle()

    [said] = outcomes(world, A)
    assert said[:3] == ["in progress", "success", "neutral"]
    assert said[-1] == "success" and "in progress" in said[3:]


async def test_without_the_permission_there_is_none_and_all_else_is_as_it_was() -> None:
    world = a_world()
    world.fail("create check", "own checks", by=NOT_GRANTED)
    await world.settle()

    assert "Open the preview" in world.comment
    assert (outcomes(world, A), world.status.last_error) == ([], "")
    world.clock.forward(minutes=30)
    await world.settle()
    assert world.github.checks.asked == ["create check"]


async def test_what_github_cannot_take_now_keeps_no_preview_from_going() -> None:
    world = a_world()
    await world.settle()
    world.fail("update check", by=AWAY)
    world.close()
    for _ in range(40):
        await world.run()
        world.clock.forward(minutes=2)

    assert world.cluster.preview is None


@pytest.mark.parametrize("lost", [False, True], ids=["before it came", "after it was made"])
async def test_a_process_that_dies_while_it_begins_a_check_leaves_one(lost: bool) -> None:
    world = a_world()
    made = world.github.checks.create

    async def dies(*arguments: Any) -> int:
        if lost:
            await made(*arguments)
        raise SystemExit

    world.github.checks.create = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(SystemExit):
        await world.settle()
    world.github.checks.create = made  # type: ignore[method-assign]
    world.restart()
    world.clock.forward(seconds=INTENT_HOLDS.total_seconds() + 1)
    await world.settle()

    assert [said[-1] for said in outcomes(world, A)] == ["success"]


async def test_turned_off_it_ends_what_is_in_progress_and_begins_none() -> None:
    world = a_world()
    world.registry.images = set()
    await world.run()
    world.settings = world.settings.model_copy(update={"check": "off"})
    world.restart()
    world.push(B)
    await world.settle()

    assert outcomes(world, A) == [["in progress", "neutral"]]
    assert outcomes(world, B) == []


async def test_a_mistake_that_the_change_makes_in_the_configuration_marks_its_line() -> None:
    world = a_world()
    world.github.paths = ("checkout/app.py", ".github/preview.yaml")
    world.github.heads_files = {A: WRONG, B: WRONG}
    await world.settle()

    (run,) = world.github.checks.of(A)
    assert last(world, A).conclusion == "failure"
    [marks] = [said.annotations for said in run.said if said.annotations]
    assert [(each.path, each.line) for each in marks if "paht" in each.message] == [
        (".github/preview.yaml", 4)
    ]
    # The preview itself goes by the file that counts.
    assert "Open the preview" in world.comment


async def test_the_file_of_a_head_is_read_once_and_only_where_the_change_is_about_it() -> None:
    world, read = a_world(), list[str]()
    world.github.heads_files = Noting(read)
    await world.settle()
    assert read == []
    world.github.paths = ("checkout/app.py", ".github/preview.yaml")
    world.push(B)
    await world.settle()
    world.clock.forward(minutes=11)
    await world.settle()

    assert read == [B]


async def test_the_first_configuration_of_a_repository_is_checked_before_it_is_merged() -> None:
    world = a_world()
    world.github.configuration_path = "elsewhere"
    world.github.labels, world.github.author = (), world.github.bot("Copilot")
    world.github.branch = "copilot/first"
    world.github.heads_files = {A: WRONG}
    await world.settle()

    assert outcomes(world, A) == [["failure"]]


async def test_of_a_fork_no_file_is_read() -> None:
    world = a_world()
    world.github.fork = True
    world.github.paths = ("checkout/app.py", ".github/preview.yaml")
    read = list[str]()
    world.github.heads_files = Noting(read)
    await world.settle()

    assert (outcomes(world, A), read) == ([["neutral"]], [])


@pytest.mark.parametrize(("check", "found"), [("on", []), ("required", [["skipped"]])])
async def test_where_nothing_is_previewed_only_a_required_check_says_so(
    check: str, found: list[list[str]]
) -> None:
    world = a_world(check)
    world.github.labels = ()
    await world.settle()

    assert world.cluster.preview is None
    assert outcomes(world, A) == found


async def test_a_required_check_that_was_skipped_is_not_written_again_for_each_comment() -> None:
    world = a_world("required")
    world.github.labels = ()
    await world.settle()
    for _ in range(3):
        world.poke()
        await world.settle()

    assert outcomes(world, A) == [["skipped"]]


async def test_waiting_becomes_neutral_at_its_deadline_and_goes_on_when_the_image_comes() -> None:
    world = a_world()
    world.registry.images = set()
    await world.settle()
    world.clock.forward(minutes=61)
    await world.settle()
    assert outcomes(world, A) == [["in progress", "neutral"]]
    world.registry.images |= {f"checkout:{A}"}
    world.clock.forward(minutes=5)
    await world.settle()

    assert outcomes(world, A)[0][-1] == "success"


async def test_a_check_run_that_github_does_not_know_any_more_holds_up_nothing() -> None:
    world = a_world()
    await world.run()
    world.fail("update check", by=NotFound("check", status=404))
    await world.settle()

    assert "Open the preview" in world.comment
    assert world.status.last_error == ""
    assert timedelta(seconds=world.outcome.requeue_after or 3600) > timedelta(seconds=1)


@pytest.mark.parametrize("lost", ["made", "changed"])
async def test_a_process_that_dies_over_a_check_marks_no_line_twice(lost: str) -> None:
    world = a_world()
    world.github.paths = ("checkout/app.py", ".github/preview.yaml")
    world.github.heads_files = {A: WRONG}
    if lost == "changed":
        # The mistake is only found once the check is there.
        world.github.heads_files = {A: {}}
        await world.settle()
        world.github.heads_files = {A: WRONG}
        world.restart()
        world.poke()
    await dies_over(world, "create" if lost == "made" else "update")

    (run,) = world.github.checks.of(A)
    assert {each.line for each in run.annotations} == {4}
    assert len(set(run.annotations)) == len(run.annotations)
    assert run.conclusion == "failure"


@pytest.mark.parametrize("previewed", [True, False])
async def test_a_commit_of_a_merge_queue_gets_a_required_check_that_keeps_it_from_nothing(
    previewed: bool,
) -> None:
    world = a_world("required")
    if not previewed:
        world.github.labels = ()
    await world.settle()
    assert world.github.queue_asked == 0
    world.github.queued = [QUEUED]
    world.poke(queued=True)
    await world.settle()

    assert outcomes(world, QUEUED) == [["skipped"]]
    said = last(world, QUEUED)
    assert (said.external_id, said.actions) == ("gh-812-42", ())
    assert said.output.title == "Nothing is previewed in the merge queue"
    assert world.github.queue_asked == 1
    world.poke()
    await world.settle()
    assert world.github.queue_asked == 1
    assert (outcomes(world, QUEUED), outcomes(world, A)[0][-1]) == (
        [["skipped"]],
        "success" if previewed else "skipped",
    )


async def test_a_branch_of_a_merge_queue_that_github_shows_late_is_looked_for_for_a_minute() -> None:
    world = a_world("required")
    await world.settle()
    world.poke(queued=True)
    await world.settle(3)
    world.clock.forward(seconds=5)
    world.github.queued = [QUEUED]
    await world.settle(3)
    assert outcomes(world, QUEUED) == [["skipped"]]

    world.github.queued = []
    world.poke(queued=True)
    world.clock.forward(minutes=2)
    await world.settle(3)
    asked = world.github.queue_asked
    world.poke()
    await world.settle(3)
    assert world.github.queue_asked == asked


@pytest.mark.parametrize("check", ["on", "off"])
async def test_where_no_check_is_required_a_merge_queue_is_not_asked_about(check: str) -> None:
    world = a_world(check)
    world.github.queued = [QUEUED]
    world.poke(queued=True)
    await world.settle()

    assert world.github.queue_asked == 0
    assert outcomes(world, QUEUED) == []


async def test_where_github_shows_nothing_in_the_merge_queue_no_word_of_it_makes_a_check() -> None:
    world = a_world("required")
    await world.settle()
    world.poke(queued=True)
    await world.settle(4)
    world.clock.forward(minutes=2)
    await world.settle(4)

    assert world.github.queue_asked > 0
    assert {run.head_sha for run in world.github.checks.runs.values()} == {A}
    assert outcomes(world, A) == [["in progress", "success"]]


async def test_two_pull_requests_with_one_head_have_a_check_each_and_a_press_is_of_one() -> None:
    world = a_world()
    await world.settle()
    world.github.checks.runs[9001].said[:] = [
        replace(said, external_id="gh-812-43") for said in world.github.checks.runs[9001].said
    ]
    theirs = list(world.github.checks.runs[9001].said)
    world.cluster.preview = None
    world.restart()
    world.poke()
    await world.settle()
    assert sorted(run.said[-1].external_id for run in world.github.checks.of(A)) == ["gh-812-42", "gh-812-43"]

    world.press("stop")
    await world.settle()
    assert world.github.checks.runs[9001].said == theirs
    assert world.github.checks.of(A)[1].conclusion == "neutral"
