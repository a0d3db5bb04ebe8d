"""The life of a preview from its trigger to its end, with all that people do in between."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from previewbot_demo.tasks import ALICE, STRANGER
from previewbot_demo.world import Options
from tests.support.worlds import OPEN, Pull, Scene, scene, switched, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

BUILD_SECONDS = 0.3
OFFER = re.compile(r"^/preview start (?P<sha>[0-9a-f]{40})$", re.MULTILINE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    settings = {"listing": {"interval": "2s"}, "limits": {"previews": 50}}
    async with scene(Options(build_seconds=BUILD_SECONDS, settings=settings)) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def narrow_town() -> AsyncIterator[Scene]:
    """A world without a Gateway, with room for one preview."""
    # Share hosts are at 443, where nothing of this world is.
    settings = {"links": {"check": False}, "limits": {"previews": 1}}
    async with scene(Options(build_seconds=BUILD_SECONDS, settings=settings)) as built:
        yield built


async def offered(pull: Pull) -> str:
    """Return the SHA in the command that the comment offers for copying."""
    found = OFFER.search(await pull.says("this comes from a fork", pull.head))
    assert found is not None
    return found["sha"]


async def next_second(town: Scene, comment: int) -> None:
    """Wait until an edit has another time than the comment: GitHub's are whole seconds."""
    github = town.world.github
    written = github.store.state.comments[comment].updated_at
    await until("the next second", lambda: github.store.now() >= written + timedelta(seconds=1))


async def test_a_fork_runs_when_a_writer_names_its_commit_in_full_and_stops_at_its_next_commit(
    town: Scene,
) -> None:
    pull = town.open(author=STRANGER, branch="codex/half-price", fork="mallory")
    # The branch is called like an agent's, which of a fork says nothing; a label asks for a preview.
    town.world.github.label(pull.number, "preview", by=ALICE)
    sha = await offered(pull)
    assert sha == pull.head
    assert not pull.sessions

    stranger = pull.write(f"/preview start {sha}", STRANGER)
    short = pull.write(f"/preview start {sha[:7]}")
    await pull.answered("Sorry mallory, that needs write access")
    answer = await pull.answered("This pull request comes from a fork, so name the commit you have read")
    assert f"/preview start {sha}" in answer
    await pull.reacted(stranger, "confused")
    await pull.reacted(short, "confused")
    assert not pull.sessions

    full = pull.write(f"/preview start {sha}")
    await pull.ready()
    await pull.reacted(full, "rocket")

    with switched(town.world.ci.switches, builds=False):
        pull.push({"services/web/NOTE": b"something else"})
        assert await offered(pull) == pull.head != sha
        await until("the end of the session", lambda: not pull.sessions)
    pull.close()


async def test_a_typo_that_its_author_corrects_is_obeyed_once_and_what_others_edit_is_not(
    town: Scene,
) -> None:
    pull, github = town.open(), town.world.github
    await pull.ready()
    before = pull.status["lifecycle"]["expiresAt"]
    typo = pull.write("/preview extnd 1h")
    await pull.answered("did you mean `/preview extend 1h`?")
    await pull.reacted(typo, "confused")
    await next_second(town, typo)

    github.edit_comment(typo, "/preview extend 1h")
    await pull.answered("The preview now stays open until")
    await pull.reacted(typo, "rocket")
    later = pull.status["lifecycle"]["expiresAt"]
    assert later > before

    # What was obeyed is done with, whatever it says later; and nobody speaks in somebody else's name.
    github.edit_comment(typo, "/preview stop")
    other = pull.write("/preview stpo")
    await pull.answered("did you mean `/preview stop`?")
    await next_second(town, other)
    github.edit_comment(other, "/preview stop", by=STRANGER)
    await pull.answered("Somebody else has edited this comment")
    assert pull.sessions
    assert pull.status["lifecycle"]["expiresAt"] == later
    pull.close()
    await pull.ended()


async def test_a_reopened_pull_request_starts_afresh_and_obeys_no_old_command(town: Scene) -> None:
    pull = town.open()
    await pull.ready()
    stopped = pull.write("/preview stop")
    await pull.says("The preview was stopped")
    await pull.reacted(stopped, "rocket")
    pull.write("/preview help")
    await pull.answered("`/preview extend 2h` keeps it open longer")
    pull.close()
    await pull.ended()

    town.world.github.reopen(pull.number)
    await pull.ready()

    assert len(pull.comments) == 1
    assert len(pull.answers) == 1
    assert pull.reactions(stopped) == ["eyes", "rocket"]
    pull.close()
    await pull.says("There is no preview here now**: the pull request was closed")


async def test_a_renamed_repository_keeps_its_preview_link_and_comment(town: Scene) -> None:
    town.repository("acme/before")
    pull = town.open("acme/before")
    link = await pull.ready()
    name = pull.name

    town.world.github.rename_repository("acme/before", "after")
    pull = Pull(town.world, pull.number, "acme/after")
    pull.push({"services/web/NOTE": b"after the renaming"})

    assert await pull.ready() == link
    assert pull.name == name
    assert (await town.browse(link)).status == 200
    assert len(pull.comments) == 1
    (preview,) = [pull.preview]
    assert preview is not None
    assert preview["spec"]["repository"] == "acme/after"


async def test_a_pull_request_closed_while_previewbot_is_down_is_cleaned_up_at_the_next_start(
    town: Scene,
) -> None:
    pull = town.open()
    link = await pull.ready()
    bot = town.world.bot
    assert bot.web is not None and bot.pages is not None
    await asyncio.gather(bot.web.kill(), bot.pages.kill(), bot.kill_controller())

    pull.close()
    await town.world.github.webhooks.settled()
    assert pull.sessions
    await bot.start()

    await pull.says("There is no preview here now**: the pull request was closed")
    await pull.ended()
    await town.leads_nowhere(link)


async def test_a_pull_request_whose_closing_was_never_told_is_cleaned_up_by_the_listing(
    town: Scene,
) -> None:
    pull = town.open()
    await pull.ready()
    town.world.github.webhooks.drop_next(1)

    pull.close()

    await pull.says("There is no preview here now**: the pull request was closed")
    await pull.ended()
    assert [d.payload["action"] for d in town.world.github.webhooks.deliveries if d.dropped] == ["closed"]


async def test_a_pull_request_closed_while_its_image_is_built_leaves_nothing(town: Scene) -> None:
    with switched(town.world.ci.switches, seconds=30.0):
        pull = town.open()
        await pull.says("is waiting for its image")

        pull.close()

        await pull.says("There is no preview here now**: the pull request was closed")
        await pull.ended()


async def test_a_pull_request_closed_while_its_session_starts_leaves_nothing(town: Scene) -> None:
    with switched(town.world.operator.switches, never_answer=True):
        pull = town.open()
        await until("a session", lambda: pull.sessions)

        pull.close()

        await pull.says("There is no preview here now**: the pull request was closed")
        await pull.ended()
    assert len(pull.comments) == 1


async def test_a_label_triggers_a_preview_and_its_removal_ends_it(town: Scene) -> None:
    pull = town.open(author=ALICE, branch="feature")
    await until("a look at it", lambda: read_at(town, pull))
    assert not pull.comments

    town.world.github.label(pull.number, "preview")
    await pull.ready()
    assert "Triggered by the label preview." in pull.comment

    town.world.github.unlabel(pull.number, "preview")
    await pull.says("**Nothing to preview**: nothing asks for a preview of this pull request.")
    await pull.ended()


def read_at(town: Scene, pull: Pull) -> bool:
    """Whether the opening was delivered, and the Preview that it made is gone again."""
    told = [d for d in town.world.github.webhooks.deliveries if d.event == "pull_request"]
    here = [d for d in told if d.payload["number"] == pull.number]
    return bool(here) and here[0].status == 202 and pull.preview is None


async def test_a_status_comment_that_a_person_deleted_comes_back_with_the_next_commit(town: Scene) -> None:
    pull = town.open()
    await pull.ready()

    town.world.github.delete_comment(pull.comment_id, by=ALICE)
    assert not pull.comments
    pull.push({"services/web/NOTE": b"the next commit"})

    await pull.ready()
    assert len(pull.comments) == 1
    pull.close()


async def test_an_expired_preview_starts_again_by_a_command(town: Scene) -> None:
    pull = town.open(town.repository("acme/brief", ("ttl: 8h", "ttl: 3s")))
    await pull.says("**The preview ended** on", "its time was up")
    await until("the end of its session", lambda: not pull.sessions)
    first = pull.status["lifecycle"]["ended"]["at"]

    started = pull.write("/preview start")
    await pull.reacted(started, "rocket")

    def ended_again() -> bool:
        ended = pull.status["lifecycle"].get("ended") or {}
        return bool(ended.get("at", first) != first)

    await until("the end of its second time", ended_again)
    await pull.says("**The preview ended** on")
    assert len(pull.comments) == 1


async def test_uninstalling_the_app_removes_every_preview_of_the_account(town: Scene) -> None:
    pull = town.open(town.repository("elsewhere/shop"))
    link = await pull.ready()

    town.world.github.uninstall(town.world.github.install("elsewhere").id)

    await pull.ended()
    await town.leads_nowhere(link)


async def test_deleting_a_repository_removes_its_previews(town: Scene) -> None:
    pull = town.open(town.repository("acme/short-lived"))
    await pull.ready()
    name = pull.name

    town.world.github.delete_repository("acme/short-lived")

    await until("the end of the Preview", lambda: name not in names(town, "previews"))
    assert not [s for s in names(town, "previewsessions") if "short-lived" in s]


def names(town: Scene, plural: str) -> list[str]:
    return [str(obj["metadata"]["name"]) for obj in town.world.kube.objects(plural)]


async def test_without_a_gateway_a_changed_entry_is_linked_by_its_share_host(narrow_town: Scene) -> None:
    pull = narrow_town.open(service="web")

    link = await pull.ready()

    (session,) = pull.sessions
    assert link == f"https://{session['status']['shareHost']}/cart"
    pull.close()
    await pull.ended()


async def test_without_a_gateway_a_changed_backend_is_linked_by_the_extension_and_the_header(
    narrow_town: Scene,
) -> None:
    pull = narrow_town.open(service="pricing")

    text = await pull.says("with mirrord's browser extension")

    staging = f"http://shop.localhost:{narrow_town.world.port}/"
    assert text.startswith("### [Open the preview](https://metalbear.com/mirrord/extension#config=")
    assert f"Without the extension: open <{staging}> and send the header below with every request." in text
    (preview,) = [pull.preview]
    assert preview is not None
    assert f"curl -H 'baggage: mirrord-session={preview['spec']['environmentKey']}' '{staging}'" in text
    pull.close()
    await pull.ended()


async def test_over_the_limit_previews_wait_in_the_order_of_their_coming(narrow_town: Scene) -> None:
    first = narrow_town.open()
    await first.says(OPEN)
    second = narrow_town.open()
    text = await second.says("waits for a free slot")
    third = narrow_town.open()

    assert f"**The preview of `{second.head[:7]}` waits for a free slot**: number 1 in line; all 1" in text
    await third.says("number 2 in line")
    assert not second.sessions

    first.close()
    await second.says(OPEN)
    await third.says("number 1 in line")
    assert not third.sessions

    second.write("/preview stop")
    await third.says(OPEN)
    third.close()
    await third.ended()


async def test_previews_follow_an_installation_that_is_suspended_and_let_in_again(town: Scene) -> None:
    town.repository("globex/shop")
    pull = town.open("globex/shop")
    await pull.ready()
    installation = town.world.github.install("globex")

    town.world.github.suspend(installation.id)
    await until("its end", lambda: not pull.sessions and pull.phase == "Stopped")
    assert pull.status["reason"] == "InstallationSuspended"

    town.world.github.suspend(installation.id, suspended=False)
    await until("its return", lambda: pull.phase == "Ready")
    assert len(pull.comments) == 1


async def test_a_preview_goes_when_its_repository_is_archived(town: Scene) -> None:
    town.repository("acme/old")
    pull = town.open("acme/old")
    await pull.ready()

    town.world.github.archive_repository("acme/old")
    await pull.ended()
