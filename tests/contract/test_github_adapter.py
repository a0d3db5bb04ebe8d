"""The GitHub adapter against the GitHub in memory, with the permissions and events of the App's manifest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot import errors
from previewbot.api.github import ChangedFile
from previewbot.clients.github import GitHub, InstallationClient
from previewbot.rules.build_candidates import Sought
from previewbot.rules.builds import build_of
from previewbot_demo.github import Account as Person
from previewbot_demo.github import FakeGitHub
from tests.support.github_town import APP, github_town

SHOP = "acme/shop"
CONFIGURATION = ".github/preview.yaml"
ADA = Person(1, "ada")
DEVIN = Person(158243242, "devin-ai-integration[bot]", "Bot")
LONG = b"".join(b"line %d\n" % number for number in range(20))
FILES = {CONFIGURATION: b"version: 1\n", "old.py": LONG, "kept.py": b"x = 1\n"}
MANIFEST = Path(__file__).parents[2] / "app.yml"


@dataclass(frozen=True)
class World:
    """A repository with one pull request, and the adapter as its App's installation."""

    fake: FakeGitHub
    github: GitHub
    client: InstallationClient
    repository_id: int
    number: int


def _manifest() -> dict[str, Any]:
    """Return what the App's manifest asks for, as the stand-in's settings."""
    manifest: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return {"permissions": manifest["default_permissions"], "events": tuple(manifest["default_events"])}


def _open(fake: FakeGitHub) -> int:
    changes = {"old.py": None, "new.py": LONG + b"one more\n", "made.py": b"y = 2\n"}
    return fake.open_pull_request(SHOP, DEVIN, "devin/1", changes, "Cheaper", "Why not.")


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with github_town(FILES, **_manifest()) as town:
        town.github.know(ADA)
        town.github.set_collaborator("ada", "maintain")
        number = _open(town.github)
        client = town.app.installation(await town.app.installation_of(SHOP))
        yield World(town.github, town.app, client, town.repository.id, number)


async def test_a_pull_request_is_seen_as_it_is(world: World) -> None:
    seen = await world.client.pull_request(SHOP, world.number)

    stored = world.fake.pull_request(world.number)
    assert (seen.number, seen.state, seen.merged, seen.title) == (world.number, "open", False, "Cheaper")
    assert (seen.head.ref, seen.head.sha, seen.is_fork) == ("devin/1", stored.head_sha, False)
    assert (seen.base.repository, seen.base.repository_id) == (SHOP, world.repository_id)
    assert (seen.author.id, seen.author.type) == (DEVIN.id, "Bot")
    assert seen.private
    [row] = await world.client.open_pull_requests(SHOP)
    assert (row.number, row.head_sha, row.updated_at) == (seen.number, seen.head.sha, seen.updated_at)


async def test_the_repositories_of_the_installation_are_seen(world: World) -> None:
    [seen] = await world.client.repositories()

    assert (seen.id, seen.full_name, seen.default_branch) == (world.repository_id, SHOP, "main")


async def test_a_rename_is_seen_on_both_sides(world: World) -> None:
    seen = await world.client.files(SHOP, world.number)

    assert set(seen.files) == {ChangedFile("new.py", "old.py"), ChangedFile("made.py")}
    assert seen.complete


async def test_commits_are_seen_with_their_signatures_and_author(world: World) -> None:
    signed = "…\n\nCo-authored-by: <cursoragent@cursor.com>"
    world.fake.push(world.number, {"made.py": b"z\n"}, f"More\n\n{signed}\nSigned-off-by: <x@example.com>")

    seen = await world.client.commits(SHOP, world.number)

    assert [commit.message for commit in seen] == ["", signed]
    assert seen[1].sha == world.fake.pull_request(world.number).head_sha
    assert seen[1].author is not None and seen[1].author.id == DEVIN.id


async def test_a_fork_is_seen_as_one_even_when_it_is_deleted(world: World) -> None:
    number = world.fake.open_pull_request(SHOP, ADA, "patch-1", {"made.py": b"1\n"}, "Mine", fork="ada")

    assert (await world.client.pull_request(SHOP, number)).is_fork

    world.fake.delete_repository("ada/shop")
    assert (await world.client.pull_request(SHOP, number)).head.repository_id is None


async def test_a_file_is_read_from_the_default_branch_and_from_another(world: World) -> None:
    branch = world.fake.pull_request(world.number).head_ref

    seen = await world.client.file(SHOP, CONFIGURATION, "main")

    assert seen is not None and seen.content == FILES[CONFIGURATION]
    assert await world.client.file(SHOP, "made.py", "main") is None
    made = await world.client.file(SHOP, "made.py", branch)
    assert made is not None and made.content == b"y = 2\n"
    assert await world.client.file(SHOP, ".github", "main") is None


async def test_a_branch_is_seen_to_be_protected_by_either_kind_of_protection(world: World) -> None:
    world.fake.branch_off("stable")
    world.fake.branch_off("release/1")
    seen = [await world.client.is_protected(SHOP, "stable")]

    world.fake.protect_branch("stable")
    world.fake.set_ruleset("release/*", "deletion")
    seen += [await world.client.is_protected(SHOP, branch) for branch in ("stable", "release/1")]

    assert seen == [False, True, True]
    with pytest.raises(errors.NotFound):
        await world.client.is_protected(SHOP, "none")


async def test_of_a_branch_all_active_rules_are_seen_whether_or_not_it_is_there(world: World) -> None:
    assert await world.client.rules(SHOP, "release/1") == frozenset()

    world.fake.set_ruleset("release/*", "creation")
    world.fake.set_ruleset("release/?", "pull_request", "update")
    world.fake.set_ruleset("*/*", "deletion", active=False)

    assert await world.client.rules(SHOP, "release/1") == {"creation", "pull_request", "update"}
    assert await world.client.rules(SHOP, "release/10") == {"creation"}
    assert await world.client.rules(SHOP, "release/1/2") == frozenset(), "`*` stays within one part"


async def test_rules_are_read_from_all_pages(world: World) -> None:
    for number in range(120):
        world.fake.set_ruleset(f"release/{'?' * (number % 2)}{'*' * (number + 1)}", "deletion")
    world.fake.set_ruleset("release/1", "pull_request")

    assert await world.client.rules(SHOP, "release/1") == {"deletion", "pull_request"}


async def test_ci_is_seen_to_wait_for_approval_to_run_to_fail_and_to_succeed(world: World) -> None:
    head = world.fake.pull_request(world.number).head_sha
    seen = [build_of(await world.client.runs(SHOP, head), Sought()).state]

    for status, conclusion in (
        ("completed", "action_required"),
        ("in_progress", None),
        ("completed", "failure"),
        ("completed", "success"),
    ):
        world.fake.set_workflow_run(head, "build", status, conclusion)
        seen.append(build_of(await world.client.runs(SHOP, head), Sought()).state)
    world.fake.set_check(head, "image", "in_progress")
    seen.append(build_of(await world.client.runs(SHOP, head), Sought()).state)

    assert seen == ["unknown", "needs_approval", "running", "failed", "done", "running"]


async def test_comments_are_written_changed_found_on_all_pages_and_deleted(world: World) -> None:
    for number in range(101):
        world.fake.comment(world.number, ADA, f"comment {number}")

    ours = await world.client.create_comment(SHOP, world.number, "Looking for the image")
    changed = await world.client.update_comment(SHOP, ours.id, "Ready")

    seen = await world.client.comments(SHOP, world.number, None)
    assert len(seen) == 102
    assert [comment for comment in seen if comment.app_id == APP] == [changed]
    assert changed.id == ours.id
    assert [comment.body for comment in world.fake.comments(world.number) if comment.by_app] == ["Ready"]
    await world.client.delete_comment(SHOP, ours.id)
    await world.client.delete_comment(SHOP, ours.id)
    with pytest.raises(errors.NotFound):
        await world.client.update_comment(SHOP, ours.id, "Ready")


async def test_a_comment_that_begins_a_page_of_its_own_is_found(world: World) -> None:
    """The full page before it stays as it is, and so does its ETag."""
    for number in range(100):
        world.fake.comment(world.number, ADA, f"comment {number}")
    assert len(await world.client.comments(SHOP, world.number, None)) == 100

    world.fake.comment(world.number, ADA, "/preview start")

    assert (await world.client.comments(SHOP, world.number, None))[-1].body == "/preview start"


async def test_a_test_merge_is_seen_to_be_one_of_base_and_head(world: World) -> None:
    pull = await world.client.pull_request(SHOP, world.number)
    assert pull.merge_commit_sha is not None

    parents = await world.client.parents(SHOP, pull.merge_commit_sha)

    assert parents == (pull.base.sha, pull.head.sha)
    with pytest.raises(errors.NotFound):
        await world.client.parents(SHOP, "0" * 40)


async def test_comments_since_a_moment_are_those_made_or_changed_from_then_on(world: World) -> None:
    world.fake.comment(world.number, ADA, "/preview")
    now = datetime.now(UTC)

    assert len(await world.client.comments(SHOP, world.number, now - timedelta(seconds=60))) == 1
    assert await world.client.comments(SHOP, world.number, now + timedelta(seconds=60)) == []


async def test_a_reaction_is_given_once_however_often_it_is_sent(world: World) -> None:
    command = world.fake.comment(world.number, ADA, "/preview")

    for content in ("eyes", "eyes", "rocket"):
        await world.client.react(SHOP, command, content)

    assert world.fake.reactions(command) == ["eyes", "rocket"]


@pytest.mark.parametrize(
    ("role", "expected"),
    [("admin", "admin"), ("maintain", "write"), ("write", "write"), ("triage", "read"), ("none", "none")],
)
async def test_a_role_is_seen_as_what_it_permits(world: World, role: str, expected: str) -> None:
    world.fake.set_collaborator("ada", role)

    assert await world.client.permission(SHOP, "ada") == expected


@pytest.mark.parametrize("login", [DEVIN.login, "nobody"])
async def test_bots_and_strangers_have_no_permission(world: World, login: str) -> None:
    assert await world.client.permission(SHOP, login) == "none"


async def test_a_renamed_repository_answers_reads_and_writes_under_its_old_name(world: World) -> None:
    world.fake.rename_repository(SHOP, "store")

    assert (await world.client.pull_request(SHOP, world.number)).base.repository == "acme/store"
    ours = await world.client.create_comment(SHOP, world.number, "Hello")
    await world.client.update_comment(SHOP, ours.id, "Still here")
    assert [comment.body for comment in world.fake.comments(world.number)] == ["Still here"]
    assert len((await world.client.files(SHOP, world.number)).files) == 2


async def test_revoked_tokens_are_replaced_unseen(world: World) -> None:
    await world.client.pull_request(SHOP, world.number)
    world.fake.doorkeeper.revoke_all()

    seen = await asyncio.gather(*(world.client.pull_request(SHOP, world.number) for _ in range(4)))

    assert {pull.number for pull in seen} == {world.number}


async def test_what_did_not_change_costs_nothing_of_the_rate_limit(world: World) -> None:
    await world.client.pull_request(SHOP, world.number)
    used = {name: quota.used for name, quota in world.fake.rest.limits.quotas.items()}

    for _ in range(3):
        await world.client.pull_request(SHOP, world.number)

    assert {name: quota.used for name, quota in world.fake.rest.limits.quotas.items()} == used
    world.fake.label(world.number, "preview")
    assert (await world.client.pull_request(SHOP, world.number)).labels == ("preview",)


async def test_the_primary_limit_is_said_with_the_time_until_its_reset(world: World) -> None:
    world.fake.rest.limits.hourly = 0

    with pytest.raises(errors.TryLater) as caught:
        await world.client.pull_request(SHOP, world.number)

    # GitHub's clock and ours began a moment apart.
    assert caught.value.after == pytest.approx(3_600, abs=120)


async def test_the_secondary_limit_is_said_with_githubs_own_wait(world: World) -> None:
    world.fake.rest.limits.secondary = 30

    with pytest.raises(errors.TryLater) as caught:
        await world.client.create_comment(SHOP, world.number, "Hello")

    assert caught.value.after == 30


async def test_a_refused_comment_is_forbidden_and_not_a_limit(world: World) -> None:
    world.fake.rest.sabotage.refuse_comments = True

    with pytest.raises(errors.Forbidden, match="not granted `issues: write` or `pull_requests: write`"):
        await world.client.create_comment(SHOP, world.number, "Hello")


async def test_a_suspended_installation_is_forbidden_and_a_removed_one_not_found(world: World) -> None:
    [installation] = world.fake.store.state.installations
    world.fake.suspend(installation)
    assert [one.suspended for one in await world.github.installations()] == [True]
    with pytest.raises(errors.Forbidden):
        await world.client.pull_request(SHOP, world.number)

    world.fake.uninstall(installation)
    with pytest.raises(errors.NotFound):
        await world.client.pull_request(SHOP, world.number)
    with pytest.raises(errors.NotFound):
        await world.github.installation_of(SHOP)


async def test_a_pull_request_of_nobody_is_not_found(world: World) -> None:
    with pytest.raises(errors.NotFound):
        await world.client.pull_request(SHOP, 999)
