"""Somebody writes as much as GitHub lets them: comments, messages, patches, the output of checks.

A process of its own reads it all, as many readers at once as the controller has workers. What memory it takes
at most does not depend on how fast anything is.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from previewbot.runtime.workers import WORKERS
from tests.support import github_ci_samples as ci
from tests.support import github_samples as samples
from tests.support.long_words import Words, read_in_a_process

_MIB = 2**20
_PEAK = 128
"""MiB. Before it reads anything the process has some 80; the chart gives the controller 512."""


def _json(obj: Any, *, escaped: bool = False) -> bytes:
    return json.dumps(obj, ensure_ascii=escaped).encode()


_COMMENT = _json(samples.comment(body="x" * 65_536))
_EMOJI = _json(samples.comment(body="\U0001f600" * 65_536))
_ESCAPED = _json(samples.comment(body="\U0001f600" * 65_536), escaped=True)
_COMMIT = _json(samples.commit(message="x" * _MIB))
_PATCH = _json(samples.changed_file("a.py", patch="+" * 100_000))
_CHECK = _json(ci.check_run(output={"title": "", "summary": "x" * 65_535, "text": "x" * 65_535}))
_RUN = _json({**ci.workflow_run(), "head_commit": {"message": "x" * _MIB}})
_ROW = _json(samples.pull_request_row(body="x" * 65_536))


@pytest.mark.parametrize(
    ("what", "readers", "words", "found"),
    [
        pytest.param("comments", WORKERS, Words("/comments", _COMMENT, pages=2), 200, id="comments"),
        pytest.param("comments", 1, Words("/comments", _COMMENT, pages=50), 5_000, id="5,000 comments"),
        pytest.param("comments", 4, Words("/comments", _EMOJI), 100, id="comments of four-byte characters"),
        pytest.param("comments", 1, Words("/comments", _ESCAPED, per_page=50), 50, id="comments of escapes"),
        pytest.param(
            "comments", WORKERS, Words("/comments", _COMMENT, compressed=True), 100, id="packed comments"
        ),
        pytest.param("commits", WORKERS, Words("/commits", _COMMIT, per_page=30), 30, id="commits"),
        pytest.param("files", WORKERS, Words("/files", _PATCH), 100, id="patches"),
        pytest.param("runs", WORKERS, Words("/check-runs", _CHECK, key="check_runs"), 100, id="checks"),
        pytest.param(
            "runs",
            WORKERS,
            Words("/runs", _RUN, key="workflow_runs", per_page=30),
            30,
            id="workflow runs",
        ),
        pytest.param("pull requests", WORKERS, Words("/pulls", _ROW), 100, id="descriptions"),
    ],
)
def test_words_of_any_length_do_not_fill_the_memory(
    what: str, readers: int, words: Words, found: object
) -> None:
    seen = read_in_a_process(what, readers, words)

    assert seen.items == [found] * readers
    assert seen.peak < _PEAK
