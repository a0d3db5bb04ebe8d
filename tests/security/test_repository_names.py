"""A repository is called `owner/name`; what would lead an address elsewhere is the name of none.

The name becomes part of the addresses that GitHub is asked at with our credentials, and of the links that
people open. Clients and servers take `.` and `..` out of a path: `/repos/../app` is `/app`.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from previewbot.api import Poke, from_object, new_object
from previewbot.api.names import FULL_NAME, is_full_name
from previewbot.clients.github import parse
from previewbot.clients.github.addresses import check_path
from previewbot.errors import RemoteError
from previewbot.webhook.events import Trigger, parse_event
from previewbot.webhook.payload import Malformed
from previewbot_demo.kube.schema import mistakes
from tests.support import github_samples as samples
from tests.support.previews import a_preview

LEADING_ELSEWHERE = [
    "../app",
    "./..",
    "../..",
    "a/.",
    "a/..",
    "a/...",
    "./a",
    "../a",
    "..a/b",
    "a.b/c",
    "a/b/c",
    "a/",
    "/a",
    "a",
    "",
    "a/b?c",
    "a/b#c",
    "a/b%2e",
    "a/%2e%2e",
    "a/b\n",
    "a/b c",
    "a\\b/c",
    "a/b@c",
    "ä/b",
    "a/" + "b" * 101,
]
OF_GITHUB = [
    "acme/shop",
    "acme/.github",
    "octocat/octocat.github.io",
    "ada_acme/shop",  # an enterprise's managed user: https://docs.github.com/en/enterprise-cloud@latest/admin
    "acme/..shop",
    "acme/shop..",
    "a/_",
    "a/-",
    "acme/" + "b" * 100,
]
CRD = yaml.safe_load(
    (Path(__file__).parents[2] / "charts/previewbot/crds/previews.yaml").read_text(encoding="utf-8")
)
SPEC: dict[str, Any] = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def a_delivery(name: str) -> dict[str, Any]:
    return {
        "action": "opened",
        "pull_request": {"number": 42, "updated_at": "2026-11-24T09:00:00Z"},
        "repository": {"id": 812, "full_name": name},
        "installation": {"id": 7},
    }


def a_stored_preview(name: str) -> dict[str, Any]:
    obj = new_object(a_preview().spec, Poke())
    obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}
    obj["spec"]["repository"] = name
    return obj


@pytest.mark.parametrize("name", LEADING_ELSEWHERE)
def test_a_delivery_about_no_repository_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match=r"`repository\.full_name` is not owner/name"):
        parse_event("pull_request", a_delivery(name), app_id=4242)


@pytest.mark.parametrize("name", LEADING_ELSEWHERE)
@pytest.mark.parametrize("side", ["head", "base"])
def test_a_pull_request_of_no_repository_is_refused(name: str, side: str) -> None:
    obj = copy.deepcopy(samples.pull_request())
    obj[side]["repo"]["full_name"] = name

    with pytest.raises(RemoteError, match=f"`{side}.repo.full_name` is not owner/name"):
        parse.pull_request_from(obj)


@pytest.mark.parametrize("name", LEADING_ELSEWHERE)
def test_no_repository_is_listed(name: str) -> None:
    with pytest.raises(RemoteError, match="`full_name` is not owner/name"):
        parse.repository_from({**samples.repository(), "full_name": name})


@pytest.mark.parametrize("name", LEADING_ELSEWHERE)
def test_a_preview_of_no_repository_is_neither_stored_nor_read(name: str) -> None:
    obj = a_stored_preview(name)

    assert mistakes(SPEC, obj["spec"]) != []
    with pytest.raises(ValidationError, match="repository"):
        from_object(obj)


@pytest.mark.parametrize("name", OF_GITHUB)
def test_every_name_that_github_gives_is_taken_everywhere(name: str) -> None:
    about = parse_event("pull_request", a_delivery(name), app_id=4242)
    listed = parse.repository_from({**samples.repository(), "full_name": name})
    stored = a_stored_preview(name)

    assert isinstance(about, Trigger)
    assert about.repository == listed.full_name == from_object(stored).spec.repository == name
    assert mistakes(SPEC, stored["spec"]) == []


def test_the_api_server_holds_previews_to_the_same_rule() -> None:
    assert SPEC["properties"]["repository"] == {"type": "string", "pattern": FULL_NAME}


@given(st.text(alphabet="aZ0._-/", max_size=12) | st.from_regex(FULL_NAME, fullmatch=True))
def test_whatever_is_called_a_repository_stays_under_its_address(name: str) -> None:
    if is_full_name(name):
        parts = name.split("/")

        assert URL(f"https://api.github.com/repos/{name}/pulls/1").path.split("/")[2:4] == parts
        assert len(parts) == 2
        assert all(part.strip(".") for part in parts)


# Whatever else of GitHub's answers becomes part of an address


@pytest.mark.parametrize("sha", ["../../app", "", ".", "HEAD", "main", "3f2c1ab", "a" * 41, "a" * 39 + "?"])
@pytest.mark.parametrize("path", ["head", "base"])
def test_what_is_no_commit_is_refused(sha: str, path: str) -> None:
    obj = copy.deepcopy(samples.pull_request())
    obj[path]["sha"] = sha

    with pytest.raises(RemoteError, match=f"`{path}.sha` is not the SHA of a commit"):
        parse.pull_request_from(obj)


@pytest.mark.parametrize(
    ("read", "obj"),
    [
        (parse.pull_request_from, samples.pull_request(merge_commit_sha="../x")),
        (parse.open_pull_request_from, samples.pull_request_row(head=samples.branch("x", "../x"))),
        (parse.commit_from, samples.commit("../x")),
        (parse.parents_from, {"parents": [{"sha": "../x"}]}),
    ],
)
def test_no_answer_names_a_commit_that_is_none(read: Any, obj: Any) -> None:
    with pytest.raises(RemoteError, match="is not the SHA of a commit"):
        read(obj)


@pytest.mark.parametrize(
    "url",
    [
        "/repos/../app/pulls/1",
        "/repos/acme/./pulls",
        "/repos/acme/%2e%2E/pulls",
        "/repos/acme/shop/collaborators/../permission",
        "/repos//shop/pulls",
        "https://api.github.com/repositories/../user?page=2",
    ],
)
def test_an_address_that_leads_elsewhere_is_not_asked(url: str) -> None:
    with pytest.raises(RemoteError, match="leads elsewhere"):
        check_path(f"GET {url}", url)


@pytest.mark.parametrize(
    "url",
    [
        "/installation/repositories?per_page=100",
        "/repos/acme/.github/contents/.github/preview.yaml?ref=a%2F..%2Fb",
        "/repos/acme/shop/collaborators/dependabot%5Bbot%5D/permission",
        "https://github.acme.example/api/v3/repositories/1/issues/2/comments?page=2&since=..",
    ],
)
def test_an_address_of_githubs_is_asked(url: str) -> None:
    check_path(f"GET {url}", url)
