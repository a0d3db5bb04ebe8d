"""The fake GitHub's pull requests: files, merges, forks, as production code reads them."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from githubkit_schemas.v2022_11_28 import models

from tests.support.github_town import (
    ALICE,
    APP,
    REPO,
    Town,
    described,
    github_town,
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


async def test_changed_files_say_what_was_renamed_changed_and_added(town: Town) -> None:
    town.pull_request()
    town.github.push(1, {"logo.png": b"\xff\xfe", "new.txt": b"new\n"}, "More")

    files = {file["filename"]: file for file in (await town.get(f"{REPO}/pulls/1/files")).json}
    pull = (await town.get(f"{REPO}/pulls/1")).json

    assert {name: file["status"] for name, file in files.items()} == {
        "docs/README.md": "renamed",
        "src/app.py": "modified",
        "logo.png": "modified",
        "new.txt": "added",
    }
    assert files["docs/README.md"]["previous_filename"] == "README.md"
    assert files["src/app.py"]["patch"] == "@@ -1,4 +1,4 @@\n one\n-two\n+TWO\n three\n four"
    assert "patch" not in files["logo.png"]
    assert (pull["changed_files"], pull["additions"], pull["deletions"], pull["commits"]) == (4, 2, 1, 2)


async def test_a_new_merge_sha_is_made_whenever_head_or_base_moves(town: Town) -> None:
    town.pull_request()
    merges = [(await town.get(f"{REPO}/pulls/1")).json["merge_commit_sha"]]
    town.github.commit("main", {"base.txt": b"1\n"}, "Base moves", ALICE)
    merges.append((await town.get(f"{REPO}/pulls/1")).json["merge_commit_sha"])
    town.github.push(1, {"x": b"y\n"}, "Head moves")
    merges.append((await town.get(f"{REPO}/pulls/1")).json["merge_commit_sha"])

    assert len(set(merges)) == 3
    head = town.github.pull_request(1).head_sha
    assert town.github.store.state.commits[merges[2]].parents[1] == head
    assert [f["filename"] for f in (await town.get(f"{REPO}/pulls/1/files")).json].count("base.txt") == 0


async def test_under_a_conflict_there_is_no_new_merge(town: Town) -> None:
    town.pull_request()
    before = (await town.get(f"{REPO}/pulls/1")).json
    town.github.set_conflict(1, True)
    town.github.push(1, {"x": b"y\n"}, "Head moves")
    during = (await town.get(f"{REPO}/pulls/1")).json
    town.github.set_conflict(1, False)
    after = (await town.get(f"{REPO}/pulls/1")).json

    assert [p["mergeable"] for p in (before, during, after)] == [True, False, True]
    assert during["mergeable_state"] == "dirty"
    assert before["merge_commit_sha"] == during["merge_commit_sha"] != after["merge_commit_sha"]


async def test_whether_it_can_be_merged_is_unknown_at_first(town: Town) -> None:
    town.github.merge_seconds = 3
    town.pull_request()
    first = (await town.get(f"{REPO}/pulls/1")).json["mergeable"]
    town.clock.ahead = timedelta(seconds=5)

    assert (first, (await town.get(f"{REPO}/pulls/1")).json["mergeable"]) == (None, True)


async def test_merging_moves_the_default_branch_and_ends_the_pull_request(town: Town) -> None:
    town.pull_request()
    moved: list[tuple[str, str]] = []
    town.github.hooks.on_branch = lambda repository, branch, sha, tree: moved.append((branch, sha))
    town.github.merge(1, by=ALICE)

    pull = (await town.get(f"{REPO}/pulls/1")).json

    assert (pull["state"], pull["merged"], pull["merged_by"]["login"]) == ("closed", True, "alice")
    assert moved == [("main", pull["merge_commit_sha"])]
    assert (await town.get(f"{REPO}/pulls?state=open")).json == []
    content = (await town.get(f"{REPO}/contents/src/app.py")).json["content"]
    assert base64.b64decode(content) == b"one\nTWO\nthree\nfour\n"
    with pytest.raises(ValueError, match="reopened"):
        town.github.reopen(1)


async def test_a_file_is_read_at_a_branch_at_a_commit_or_not_at_all(town: Town) -> None:
    town.pull_request()
    head = town.github.pull_request(1).head_sha
    path = f"{REPO}/contents/src/app.py"

    answers = [await town.get(path), await town.get(f"{path}?ref={head}")]

    assert [base64.b64decode(a.json["content"]).count(b"TWO") for a in answers] == [0, 1]
    assert (await town.get(f"{path}?ref=copilot/shout")).json["sha"] == answers[1].json["sha"]
    assert (await town.get(f"{REPO}/contents/none")).status == 404
    assert "none" in (await town.get(f"{path}?ref=none")).json["message"]


async def test_a_forks_head_is_another_repository_and_its_checks_name_no_pull_request(town: Town) -> None:
    number = town.pull_request(fork="mallory")
    head = town.github.pull_request(number).head_sha
    town.github.set_check(head, "build", "completed", "failure")

    pull = (await town.get(f"{REPO}/pulls/1")).json
    run = (await town.get(f"{REPO}/commits/{head}/check-runs")).json["check_runs"][0]

    assert pull["head"]["repo"]["full_name"] == "mallory/shop"
    assert pull["head"]["repo"]["id"] != pull["base"]["repo"]["id"]
    assert (run["conclusion"], run["pull_requests"]) == ("failure", [])
    town.github.delete_repository("mallory/shop")
    answer = await town.get(f"{REPO}/pulls/1")
    assert answer.json["head"]["repo"] is None
    described(models.PullRequest, answer)


async def test_previewbots_own_client_reads_and_writes(town: Town) -> None:
    number = town.pull_request()
    head = town.github.pull_request(number).head_sha
    town.github.set_check(head, "build", "in_progress")
    comment = town.github.comment(number, ALICE, "/preview")
    client = town.app.installation(await town.app.installation_of("acme/shop"))

    pull = await client.pull_request("acme/shop", number)
    files = await client.files("acme/shop", number)
    written = await client.create_comment("acme/shop", number, "here")
    await client.react("acme/shop", comment, "rocket")

    assert (pull.head.sha, pull.author.id, pull.is_fork) == (head, 198982749, False)
    assert {(file.path, file.previous_path) for file in files.files} == {
        ("docs/README.md", "README.md"),
        ("src/app.py", None),
    }
    assert [row.number for row in await client.open_pull_requests("acme/shop")] == [number]
    assert [c.sha for c in await client.commits("acme/shop", number)] == [head]
    assert [check.status for check in (await client.runs("acme/shop", head)).checks] == ["in_progress"]
    assert [c.app_id for c in await client.comments("acme/shop", number, None)] == [None, APP]
    assert written.author.login == "previewbot[bot]"
    assert town.github.reactions(comment) == ["rocket"]
    assert await client.permission("acme/shop", "alice") == "write"
