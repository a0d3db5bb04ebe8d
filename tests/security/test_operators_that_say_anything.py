"""Whoever answers for mirrord's operator, or makes sessions beside ours, writes what they like into them."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from typing import Any

import pytest
from aiohttp import web

from previewbot.api import Reason
from previewbot.engine.operator import operator_seen
from previewbot.engine.other_sessions import in_the_way
from previewbot.errors import RemoteError
from previewbot_demo.operator_api import an_operator
from tests.security.test_cluster_answers_without_end import a_cluster
from tests.support.passes import A, World

MARKDOWN = "</details> <img src=x onerror=alert(1)> @acme/all [click](http://evil.example) ` " * 20
LONG = "x" * 100_000
SECRET = "bm90LWEtcmVhbC10b2tlbg=="


def without_code(comment: str) -> str:
    """Return a comment without its spans and blocks of code: in these is no Markdown and no HTML."""
    blocks = re.sub(r"(?ms)^(`{3,})json\n.*?^\1$", "", comment)
    return re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", blocks)


@pytest.mark.parametrize("words", [MARKDOWN, LONG])
async def test_what_stands_in_the_operators_fields_is_no_part_of_a_comment(words: str) -> None:
    world = World()
    licence = {"name": words, "organization": words, "expire_at": "2020-01-01"}
    world.operator = operator_seen(an_operator(license=licence, operator_version=words))
    await world.settle()

    assert world.status.reason is Reason.LICENCE_EXPIRED
    assert "evil.example" not in world.comment and "xxxx" not in world.comment


@pytest.mark.parametrize("words", [MARKDOWN, LONG, ["a"], 7, None, {"b": "c"}])
async def test_a_phase_of_any_shape_is_one_bounded_line_of_code(words: Any) -> None:
    world = World()
    world.cluster.session_status = {"phase": words}
    await world.settle()

    assert all(len(child.message) <= 40 for child in world.status.children)
    assert "<img" not in without_code(world.comment)


@pytest.mark.parametrize("user", [MARKDOWN, LONG])
async def test_the_name_of_who_has_a_session_is_bounded_and_escaped(user: str) -> None:
    world = World()
    taken = {"user": user, "target": "deployment/checkout", "namespace": "staging"}
    session = taken | {"locked_ports": [[8080, "steal", None]]}
    world.operator = operator_seen(an_operator() | {"status": {"sessions": [session]}})
    await world.settle()

    assert world.status.reason is Reason.TARGET_TAKEN
    assert all(len(child.message) <= 300 for child in world.status.children)
    assert "takes what" in without_code(world.comment)
    assert "evil" not in without_code(world.comment) and "<img" not in without_code(world.comment)


async def test_nobody_else_is_named_in_a_public_repository() -> None:
    world = World()
    world.github.private = False
    taken = {"user": "ann of project-secret", "target": "deployment/checkout", "namespace": "staging"}
    session = taken | {"locked_ports": [[8080, "steal", None]]}
    world.operator = operator_seen(an_operator() | {"status": {"sessions": [session]}})
    await world.settle()

    assert "project-secret" not in "".join(world.github.own_comments())
    assert any("project-secret" in child.message for child in world.status.children)


async def test_a_million_sessions_in_its_status_hold_nothing_up() -> None:
    world = World()
    sessions = [{"user": "u", "target": "deployment/x", "namespace": "n"}] * 100_000
    found = operator_seen(an_operator() | {"status": {"sessions": sessions}})
    assert len(found.operator.sessions) <= 1_000
    world.operator = found
    await world.settle()

    assert world.serving == [A]


TARGET = {"kind": "Deployment", "name": "checkout"}
OURS = {
    "metadata": {
        "name": "ours",
        "namespace": "staging",
        "labels": {"previewbot.dev/preview": "gh-1-2"},
        "ownerReferences": [{"uid": "ours"}],
    },
    "spec": {"key": "a" * 40, "target": TARGET, "incoming": {}},
}


def somebodys(http_filter: str) -> dict[str, Any]:
    """Return a session of somebody else's of the same workload, with this filter."""
    incoming = {"steal": True, "httpFilter": http_filter}
    return {
        "metadata": {"name": "theirs", "namespace": "staging"},
        "spec": {"key": "theirs", "target": TARGET, "incoming": incoming},
    }


def judged(*others: dict[str, Any]) -> str:
    return in_the_way(OURS, others, operator_seen(an_operator()).operator)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*a){200}b", "^(([a-z-]+)+)+[A-Z]$" * 20, "x" * 1_000_000])
def test_a_filter_that_takes_for_ever_is_matched_in_no_time(pattern: str) -> None:
    before = time.process_time()
    judged(*[somebodys(json.dumps({"header_filter": pattern}))] * 20)

    # Backtracking would take longer than there are stars; this is a wide bound for a slow machine.
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"header_filter":' * 10_000, "9" * 10_000, '"\\ud800"', "{}"]
)
def test_a_filter_that_is_none_is_in_nobodys_way_and_fails_nothing(text: str) -> None:
    assert judged(somebodys(text)) == ""


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500, 503])
async def test_who_refuses_secret_files_and_repeats_them_is_not_quoted(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def repeat(request: web.Request) -> web.Response:
        return web.json_response({"kind": "Status", "message": await request.text()}, status=status)

    async with a_cluster(repeat) as kube:
        with caplog.at_level(logging.DEBUG), pytest.raises(RemoteError) as refused:
            await kube.give_secret_mounts({"values": {"k0": SECRET}})

    told = "".join(traceback.format_exception(refused.value))
    assert refused.value.status == status
    assert SECRET not in told + refused.value.message + caplog.text
