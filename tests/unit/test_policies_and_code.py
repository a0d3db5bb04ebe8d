"""The chart's admission policies write out what the code makes: CEL can read no Python, so they are compared.

That the policies do what they say, a real API server shows (tests/chart, tests/security).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from previewbot.api import GROUP, Poke, annotations_of
from previewbot.engine.annotations import HEAD_SHA, LONGEST, SPEC_HASH
from previewbot.engine.branches import is_carried
from previewbot.engine.parts import Broker, IncomingRequests
from previewbot.engine.session_spec import TARGET_KINDS, http_filter, key_filter
from previewbot.engine.translation.databases import OPTIONS
from previewbot.rules.environment_keys import SHAPE
from tests.support.previews import NOW

TEMPLATES = Path(__file__).parents[2] / "charts" / "previewbot" / "templates"
SHARED = (TEMPLATES / "_admission.tpl").read_text("utf-8")
POKE = Poke(
    "delivery",
    NOW,
    updated_at=NOW,
    comment_id=1,
    member_comment_id=2,
    called_by=3,
    label_id="label",
    call_id="call",
    closed_id="closed",
    event_id="event",
    queued_id="event",
    review_id=4,
    review_comment_id=5,
    member_review_id=6,
    member_review_comment_id=7,
)
"""A poke that says everything a poke can say."""


SESSIONS = (TEMPLATES / "_admission-sessions.tpl").read_text("utf-8")
BRANCHES = (TEMPLATES / "admission-branches.yaml").read_text("utf-8")


def defined(name: str) -> str:
    """Return a template that several policies share."""
    found = re.search(rf'define "previewbot\.{name}" -}}}}\n(.*?)\n{{{{- end }}}}\n\n', SHARED, re.DOTALL)
    assert found is not None
    return found[1]


def test_a_key_has_the_same_shape_in_the_policies() -> None:
    assert defined("key") == SHAPE


def test_the_annotations_of_sessions_and_routes_are_the_same_and_as_long_in_the_policies() -> None:
    written = defined("annotations")
    bounded = {f"{GROUP}/{name}": int(most) for name, most in re.findall(r'"([a-z-]+)" (\d+)', written)}

    assert bounded == LONGEST
    assert set(re.findall(rf'"({re.escape(GROUP)}/[a-z-]+)"', written)) == {HEAD_SHA, SPEC_HASH}


def test_what_a_poke_may_say_has_a_shape_in_the_policy_for_web() -> None:
    text = (TEMPLATES / "admission-web.yaml").read_text("utf-8")
    shapes = dict(re.findall(rf"'({re.escape(GROUP)}/[a-z-]+)': '([^']+)'", text))

    said = annotations_of(POKE)
    assert set(shapes) == set(said)
    assert [key for key, value in said.items() if not re.fullmatch(shapes[key], value)] == []


def test_sessions_and_branches_are_of_the_same_engines_in_the_policies() -> None:
    [listed] = re.findall(r'range list ((?:"[a-z]+" ?)+)-}}', SESSIONS)
    [by_options] = re.findall(r'\$dialects := dict ((?:"\w+" ?)+)}}', BRANCHES)
    words = re.findall(r'"(\w+)"', by_options)

    assert dict(zip(words[1::2], words[::2], strict=True)) == OPTIONS
    assert {dialect for dialect in OPTIONS if is_carried(dialect)} == set(re.findall(r'"([a-z]+)"', listed))


def test_queues_are_of_the_same_brokers_in_the_policy() -> None:
    [queues] = re.findall(r'\$queues := list ((?:"\w+" ?)+)-}}', SESSIONS)

    assert {*re.findall(r'"(\w+)"', queues), "kafka"} == set(get_args(Broker))
    fields = {f"{broker}QueueFilters" for broker in get_args(Broker)} | {"kafkaQueueJqFilters"}
    [listed] = re.findall(r'\$fields := list ((?:"\w+" ?)+)-}}', SESSIONS)
    assert set(re.findall(r'"(\w+)"', listed)) == fields


def test_targets_are_of_the_same_kinds_in_the_policies() -> None:
    kinds = set(re.findall(r"\['([\w./0-9]+)', '(\w+)'\]", defined("targetKinds")))

    assert kinds == set(TARGET_KINDS.values())


def test_the_filters_in_the_policy_are_those_that_the_code_writes() -> None:
    """With a key for the variable, as the API server puts it in; what they let through it shows itself."""
    key = "pabcdefghij-shop-42"
    told = {name: _evaluated(name, key) for name in ("filter", "ofEither", "narrowsFrom")}

    assert told["filter"] == key_filter(key)
    assert told["ofEither"] == http_filter(key, IncomingRequests(by_tracestate=True))
    narrowed = http_filter(key, IncomingRequests(conditions=({"path": "x"},)))
    assert narrowed.startswith(told["narrowsFrom"])
    assert narrowed == told["narrowsFrom"] + '{"path":"x"}' + _evaluated("narrowsTo", key)


def _evaluated(name: str, key: str) -> str:
    """Return what a variable of the policy comes to: texts in single quotes, and other variables."""
    [none] = re.findall(r"\$none := `([^`]+)`", SESSIONS)
    [written] = re.findall(rf"- name: {name}\n  expression: >-\n((?:    .*\n)+)", SESSIONS)
    text = ""
    for quoted, variable in re.findall(r"'([^']*)'|variables\.(\w+)", written.replace("{{ $none }}", none)):
        text += quoted or (key if variable == "key" else _evaluated(variable, key) if variable else "")
    return text
