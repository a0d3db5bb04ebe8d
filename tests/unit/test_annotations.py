"""What sessions and routes say of themselves: for whom, and who or what started them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import AgentSeen, Lifecycle, Observed
from previewbot.config.repository import parse_target
from previewbot.engine.annotations import (
    AGENT,
    AUTHOR,
    LONGEST,
    PULL_REQUEST,
    STARTED_BY,
    TRIGGER,
    who_and_why,
)
from previewbot.engine.mirrord import DesiredSession, manifest, spec_hash
from previewbot.engine.parts import taking
from tests.support.previews import HEAD, a_preview

COPILOT = AgentSeen("Copilot", "its account")
SESSION = DesiredSession(
    service="checkout",
    namespace="staging",
    target=parse_target("deployment/checkout"),
    container="app",
    image="ghcr.io/acme/checkout@sha256:" + "a" * 64,
    parts=taking((8080,)),
    head_sha=HEAD,
    ttl_seconds=3600,
)


@pytest.mark.parametrize(
    ("observed", "lifecycle", "said"),
    [
        (Observed(), Lifecycle(), {}),
        (
            Observed(author="copilot", agent=COPILOT, trigger="Copilot, recognised by its account"),
            Lifecycle(),
            {AUTHOR: "copilot", AGENT: "Copilot", TRIGGER: "Copilot, recognised by its account"},
        ),
        (
            Observed(author="bob", trigger="@ann's command"),
            Lifecycle(started_by="ann"),
            {AUTHOR: "bob", TRIGGER: "@ann's command", STARTED_BY: "ann"},
        ),
        (
            Observed(author="dependabot[bot]", trigger="the label preview"),
            Lifecycle(),
            {AUTHOR: "dependabot[bot]", TRIGGER: "the label preview"},
        ),
    ],
)
def test_all_that_is_known_is_said_and_what_is_not_is_left_out(
    observed: Observed, lifecycle: Lifecycle, said: dict[str, str]
) -> None:
    preview = a_preview(observed=observed, lifecycle=lifecycle)

    assert who_and_why(preview) == {PULL_REQUEST: "acme/shop#42", **said}


def test_a_session_says_it_with_its_commit_and_its_hash() -> None:
    preview = a_preview(observed=Observed(author="bob", agent=COPILOT))

    assert manifest(preview, SESSION)["metadata"]["annotations"] == {
        "previewbot.dev/agent": "Copilot",
        "previewbot.dev/author": "bob",
        "previewbot.dev/pull-request": "acme/shop#42",
        "previewbot.dev/head-sha": HEAD,
        "previewbot.dev/spec-hash": spec_hash(preview.spec.environment_key, SESSION),
    }


TEXTS = st.text(max_size=400)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_whatever_it_says_is_one_line_of_visible_characters_and_short(
    author: str, agent: str, trigger: str, started_by: str
) -> None:
    preview = a_preview(
        observed=Observed(author=author, agent=AgentSeen(agent, ""), trigger=trigger),
        lifecycle=Lifecycle(started_by=started_by),
    )

    said = who_and_why(preview)

    for key, value in said.items():
        assert value.isprintable()
        assert value == value.strip()
        assert 0 < len(value) <= LONGEST[key]
        assert value.encode()
    assert said == who_and_why(preview)


@given(st.builds(Observed, author=TEXTS, trigger=TEXTS), st.builds(Lifecycle, started_by=TEXTS))
def test_nothing_of_it_changes_a_session_but_its_annotations(
    observed: Observed, lifecycle: Lifecycle
) -> None:
    plain = manifest(a_preview(), SESSION)
    preview = a_preview(observed=observed, lifecycle=lifecycle)
    renamed = replace(preview, spec=replace(preview.spec, repository="acme/renamed"))
    said: dict[str, Any] = manifest(renamed, SESSION)

    assert said["metadata"]["annotations"][PULL_REQUEST] == "acme/renamed#42"
    hashes = {one["metadata"].pop("annotations")["previewbot.dev/spec-hash"] for one in (plain, said)}
    assert len(hashes) == 1
    assert said == plain
