"""GitHub's JSON cut down and read strictly, and the samples held to GitHub's published description."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from githubkit_schemas.v2022_11_28 import models as published
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from previewbot.api.github import Account, ChangedFile, FileContent, Repository
from previewbot.clients.github import conversations, kept, parse
from previewbot.clients.github.builds import check_run_from, workflow_run_from
from previewbot.clients.github.cutting import Rule
from previewbot.config.agents import built_in
from previewbot.errors import Invalid, RemoteError
from tests.support import github_ci_samples as ci
from tests.support import github_samples as samples
from tests.support.github_cutting import cut, item_of

Parser = Callable[[Any], Any]

SHAPES: list[tuple[type[BaseModel], dict[str, Any], Rule, Parser]] = [
    (published.PullRequest, samples.pull_request(), kept.pull_request(built_in()), parse.pull_request_from),
    (
        published.PullRequestSimple,
        samples.pull_request_row(),
        item_of(kept.OPEN_PULL_REQUESTS),
        parse.open_pull_request_from,
    ),
    (published.Repository, samples.repository(), item_of(kept.REPOSITORIES), parse.repository_from),
    (
        published.DiffEntry,
        samples.changed_file("a.py"),
        item_of(kept.CHANGED_FILES),
        parse.changed_file_from,
    ),
    (
        published.DiffEntry,
        samples.changed_file("b.py", "renamed", previous_filename="a.py"),
        item_of(kept.CHANGED_FILES),
        parse.changed_file_from,
    ),
    (published.Commit, samples.commit(), item_of(kept.commits(built_in())), parse.commit_from),
    (published.IssueComment, samples.comment(), kept.COMMENT, conversations.comment_from),
    (
        published.IssueComment,
        samples.comment(performed_via_github_app=ci.app()),
        item_of(kept.COMMENTS),
        conversations.comment_from,
    ),
    (published.ContentFile, samples.content(b"version: 1\n"), kept.FILE, parse.file_content_from),
    (published.Installation, samples.installation(), item_of(kept.INSTALLATIONS), parse.installation_from),
    (
        published.RepositoryCollaboratorPermission,
        samples.permission(),
        kept.PERMISSION,
        parse.permission_from,
    ),
    (
        published.CheckRun,
        ci.check_run(),
        item_of(kept.CHECK_RUNS),
        check_run_from,
    ),
    (
        published.WorkflowRun,
        ci.workflow_run(),
        item_of(kept.WORKFLOW_RUNS),
        workflow_run_from,
    ),
    (
        published.InstallationToken,
        {"token": "ghs_1", "expires_at": samples.LATER},
        kept.TOKEN,
        parse.token_from,
    ),
]
IDS = [f"{shape.__name__}-{number}" for number, (shape, *_) in enumerate(SHAPES)]


def _optional(shape: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in shape.model_fields.items() if not field.is_required()]


def _nullable(shape: type[BaseModel]) -> list[str]:
    names = []
    for name, field in shape.model_fields.items():
        try:
            annotation: Any = field.annotation
            TypeAdapter(annotation).validate_python(None)
        except ValueError:
            continue
        names.append(field.alias or name)
    return names


@pytest.mark.parametrize(("shape", "sample", "rule", "parser"), SHAPES, ids=IDS)
def test_every_sample_is_of_githubs_published_shape(
    shape: type[BaseModel], sample: dict[str, Any], rule: Rule, parser: Parser
) -> None:
    shape.model_validate(sample)
    parser(cut(rule, sample))


@pytest.mark.parametrize(("shape", "sample", "rule", "parser"), SHAPES, ids=IDS)
def test_what_github_may_leave_out_is_not_needed(
    shape: type[BaseModel], sample: dict[str, Any], rule: Rule, parser: Parser
) -> None:
    spared = {name: value for name, value in sample.items() if name not in _optional(shape)}

    shape.model_validate(spared)
    parser(cut(rule, spared))


@pytest.mark.parametrize(("shape", "sample", "rule", "parser"), SHAPES, ids=IDS)
def test_what_github_may_send_as_null_is_read_as_null(
    shape: type[BaseModel], sample: dict[str, Any], rule: Rule, parser: Parser
) -> None:
    nulls = {**sample, **{name: None for name in _nullable(shape) if name in sample}}

    shape.model_validate(nulls)
    parser(cut(rule, nulls))


def test_a_pull_request_is_read_in_full() -> None:
    seen = parse.pull_request_from(samples.pull_request())

    assert (seen.number, seen.state, seen.merged, seen.draft) == (7, "open", False, False)
    assert seen.author == Account(158243242, "devin-ai-integration[bot]", "Bot")
    assert (seen.head.ref, seen.head.sha) == ("devin/shipping", samples.HEAD)
    assert (seen.base.repository, seen.base.repository_id) == ("acme/shop", 77)
    assert (seen.default_branch, seen.labels, seen.private) == ("main", ("preview",), True)
    assert seen.updated_at == datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
    assert (seen.mergeable, seen.merge_commit_sha) == (True, samples.MERGE)
    assert not seen.is_fork


def test_a_deleted_fork_has_no_repository_and_a_deleted_author_is_the_ghost() -> None:
    head = {**samples.branch("patch-1", samples.HEAD), "repo": None}

    seen = parse.pull_request_from(samples.pull_request(head=head, user=None, body=None))

    assert (seen.head.repository_id, seen.head.repository, seen.is_fork) == (None, "", True)
    assert (seen.author, seen.body) == (parse.GHOST, "")


def test_github_still_working_out_whether_a_merge_is_possible_is_none_not_false() -> None:
    seen = parse.pull_request_from(samples.pull_request(mergeable=None, merge_commit_sha=None))

    assert (seen.mergeable, seen.merge_commit_sha) == (None, None)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (samples.changed_file("a"), ChangedFile("a")),
        (samples.changed_file("b", "renamed", previous_filename="a"), ChangedFile("b", "a")),
        (samples.changed_file("b", "copied", previous_filename="a"), ChangedFile("b")),
    ],
)
def test_a_rename_has_two_sides_and_a_copy_has_one(sample: dict[str, Any], expected: ChangedFile) -> None:
    assert parse.changed_file_from(sample) == expected


@pytest.mark.parametrize("author", [None, {}])
def test_a_commit_of_nobodys_account_has_no_author(author: object) -> None:
    seen = parse.commit_from(samples.commit(author=author))

    assert (seen.author, seen.author_name, seen.author_email) == (None, "Ada", "ada@example.com")


@pytest.mark.parametrize(("via", "app_id"), [(None, None), (ci.app(4242), 4242)])
def test_a_comment_says_which_app_wrote_it(via: object, app_id: int | None) -> None:
    comment = cut(kept.COMMENT, samples.comment(performed_via_github_app=via))

    assert conversations.comment_from(comment).app_id == app_id


def test_a_comment_says_what_its_author_is_to_the_repository_if_the_server_does() -> None:
    sample = samples.comment(author_association="COLLABORATOR")
    assert conversations.comment_from(cut(kept.COMMENT, sample)).association == "COLLABORATOR"

    del sample["author_association"]
    assert conversations.comment_from(cut(kept.COMMENT, sample)).association == ""


@pytest.mark.parametrize(
    ("granted", "role", "expected"),
    [
        ("admin", "admin", "admin"),
        ("write", "maintain", "write"),
        ("write", "deployer", "write"),
        ("maintain", "maintain", "write"),
        ("read", "triage", "read"),
        ("triage", "triage", "read"),
        ("none", "none", "none"),
        ("owner of everything", "x", "none"),
    ],
)
def test_a_permission_is_one_of_four_and_an_unknown_one_is_none(
    granted: str, role: str, expected: str
) -> None:
    assert parse.permission_from(samples.permission(granted, role)) == expected


def test_a_file_is_decoded() -> None:
    text = bytes(range(256)) * 3

    assert parse.file_content_from(samples.content(text)) == FileContent("e5" * 20, text)


@pytest.mark.parametrize("kind", ["dir", "symlink", "submodule"])
def test_what_is_no_file_is_none(kind: str) -> None:
    assert parse.file_content_from(samples.content(b"", type=kind)) is None
    assert parse.file_content_from([samples.content(b"")]) is None


def test_a_file_that_github_sends_without_content_is_said_to_be_too_large() -> None:
    with pytest.raises(Invalid, match="too large"):
        parse.file_content_from(samples.content(b"", encoding="none", content=""))


def test_installations_and_repositories_are_read() -> None:
    installation = parse.installation_from(samples.installation())
    assert (installation.id, installation.suspended, installation.account) == (33, False, "acme")
    assert (installation.permissions, installation.events) == ({"metadata": "read"}, ("pull_request",))
    assert installation.url.endswith("/installations/33")
    assert parse.installation_from(samples.installation(suspended_at=samples.LATER)).suspended
    shop = Repository(77, "acme/shop", "main", node_id="R_77", private=True)
    assert parse.repository_from(samples.repository()) == shop


@pytest.mark.parametrize(
    ("told", "private"),
    [
        ({"private": False}, False),
        ({"private": False, "visibility": "public"}, False),
        ({"private": False, "visibility": "internal"}, True),
        ({"private": True, "visibility": "private"}, True),
        ({"private": None}, None),
    ],
)
def test_whether_everybody_may_read_a_listed_repository(told: dict[str, Any], private: bool | None) -> None:
    assert parse.repository_from(samples.repository(**told)).private is private


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("number", "7", "`number` is not a whole number"),
        ("number", True, "`number` is not a whole number"),
        ("merged", "no", "`merged` is not true or false"),
        ("title", None, "`title` is not a text"),
        ("labels", {}, "`labels` is not a list"),
        ("updated_at", "yesterday", "`updated_at` is not a time"),
        ("head.sha", 1, "`head.sha` is not a text"),
        ("base.repo", None, "`base.repo.default_branch` is not there"),
        ("head", "main", "`head.ref` is not there"),
    ],
)
def test_the_error_names_the_field_and_what_was_wanted(path: str, value: object, complaint: str) -> None:
    sample = copy.deepcopy(samples.pull_request())
    *above, last = path.split(".")
    part = sample
    for name in above:
        part = part[name]
    part[last] = value

    with pytest.raises(RemoteError, match="GitHub's answer") as caught:
        parse.pull_request_from(sample)

    assert caught.value.message == complaint


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**63, 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(data=st.data(), case=st.sampled_from(SHAPES))
def test_nothing_github_could_send_raises_anything_but_a_remote_error(
    data: st.DataObject, case: tuple[type[BaseModel], dict[str, Any], Rule, Parser]
) -> None:
    _, sample, rule, parser = case
    changed = {**sample, data.draw(st.sampled_from(sorted(sample))): data.draw(JSON)}

    for answer in (changed, data.draw(JSON)):
        try:
            parser(cut(rule, answer))
        except RemoteError as error:
            assert error.message


@given(data=st.data(), case=st.sampled_from(SHAPES))
def test_what_is_cut_is_read_as_the_whole_would_be(
    data: st.DataObject, case: tuple[type[BaseModel], dict[str, Any], Rule, Parser]
) -> None:
    """All that is cut to other words (a comment's, a message's) is in tests/unit/test_github_cutting.py."""
    _, sample, rule, parser = case
    changed = copy.deepcopy(sample)
    for words in ("body", "message"):
        for obj in _objects(changed):
            if words in obj:
                obj[words] = None if words == "body" else ""
    within = data.draw(st.sampled_from([part for part in _objects(changed) if part]))
    name = data.draw(st.sampled_from(sorted(within)))
    if name not in ("body", "message"):
        within[name] = data.draw(JSON)

    def read(obj: Any) -> object:
        try:
            return parser(obj)
        except RemoteError as error:
            return error.message

    assert read(cut(rule, changed)) == read(changed)


def _objects(obj: Any) -> list[dict[str, Any]]:
    """Return an object and all that are inside of it."""
    inner = obj.values() if isinstance(obj, dict) else obj if isinstance(obj, list) else ()
    return [*([obj] if isinstance(obj, dict) else []), *(found for part in inner for found in _objects(part))]
