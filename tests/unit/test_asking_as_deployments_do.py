"""Whoever asks previewbot itself, or reads its comment, is told the same as by its deployments."""

from __future__ import annotations

import pytest

from previewbot.api import Phase
from previewbot.asking.facts import facts_of
from previewbot.asking.judging import Deployment, Pull, Seen, judged
from previewbot.asking.standing import State
from previewbot.asking.told import of_facts
from previewbot.config.server import parse
from previewbot.engine.view import view_of
from previewbot.rules.deployments import words_on
from previewbot.text.facts import as_json
from previewbot.text.render import Renderer
from tests.support.states import STATES
from tests.unit.test_web_pages import VALUES

LINK = "https://shop-42.preview.example.com/"
SETTINGS, RENDERER = parse(VALUES, {}), Renderer()


@pytest.mark.parametrize("name", STATES)
def test_the_facts_say_of_the_newest_commit_what_its_deployment_says(name: str) -> None:
    preview = STATES[name]
    status, sha = preview.status, preview.status.observed.head_sha
    word = words_on(status, {sha: "in_progress"}, begins=True, asked=False)[sha]
    deployed = judged(sha, Seen(Pull(sha, had=True), Deployment(word.state, url=LINK))).state
    facts = facts_of(as_json(RENDERER.facts(view_of(SETTINGS, preview))))
    found = of_facts(sha, facts).state

    if status.phase is Phase.NOTHING_TO_PREVIEW:
        # There is no deployment of what was never to be deployed, and an end of what was.
        assert (found, deployed) == (State.NEVER_TRIGGERED, State.ENDED)
    elif status.observed.fork:
        # A fork has none: those that there were end.
        assert deployed is State.ENDED
    else:
        assert found is deployed
