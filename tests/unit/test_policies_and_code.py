"""The chart's admission policies write out what the code makes: CEL can read no Python, so they are compared.

That the policies do what they say, a real API server shows (tests/chart, tests/security).
"""

from __future__ import annotations

import re
from pathlib import Path

from previewbot.api import GROUP, Poke, annotations_of
from previewbot.engine.annotations import HEAD_SHA, LONGEST, SPEC_HASH
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
    review_id=4,
    review_comment_id=5,
    member_review_id=6,
    member_review_comment_id=7,
)
"""A poke that says everything a poke can say."""


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
