"""Deployments, of previewbot's client at the stand-in for GitHub: the stand-in answers as is published."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from githubkit_schemas.v2022_11_28 import models as published

from previewbot.api.deployments import DeploymentState, DeploymentStatus
from previewbot.errors import Forbidden, Invalid, NotFound
from previewbot.rules.app_rights import is_not_granted
from previewbot_demo.github.model import without
from previewbot_demo.github.server import PERMISSIONS
from tests.support.github_town import ALICE, REPO, Town, described, github_town

SHOP, NAME = "acme/shop", "gh-812-1"
BODY: dict[str, Any] = {"environment": "preview", "auto_merge": False, "required_contexts": []}
SUCCESS = DeploymentStatus(
    DeploymentState.SUCCESS, "It serves", "https://x.example.com", "https://l.example.com"
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with github_town() as built:
        yield built


def head_of(town: Town) -> str:
    return town.github.pull_request(town.pull_request()).head_sha


async def test_what_is_answered_is_of_the_published_shape(town: Town) -> None:
    body = {"ref": head_of(town), "payload": {"preview": NAME}, "transient_environment": True, **BODY}
    made = await town.call("POST", f"{REPO}/deployments", body)
    statuses = f"{REPO}/deployments/{made.json['id']}/statuses"
    said = await town.call("POST", statuses, {"state": "in_progress", "auto_inactive": False})

    assert (made.status, said.status) == (201, 201)
    described(published.Deployment, made)
    described(published.DeploymentStatus, said)
    described(list[published.Deployment], await town.get(f"{REPO}/deployments"))
    described(list[published.DeploymentStatus], await town.get(statuses))


async def test_a_deployment_waits_until_something_is_said_of_it_and_the_last_word_counts(town: Town) -> None:
    made = await town.client.deployments.create(SHOP, "preview", head_of(town), NAME)
    states = [town.github.store.state.deployments[made.id].state]
    ended = [await town.client.deployments.is_ended(SHOP, made.id)]
    for state in (DeploymentState.IN_PROGRESS, DeploymentState.INACTIVE):
        await town.client.deployments.say(SHOP, made.id, DeploymentStatus(state))
        states.append(town.github.store.state.deployments[made.id].state)
        ended.append(await town.client.deployments.is_ended(SHOP, made.id))
    await town.client.deployments.say(SHOP, made.id, SUCCESS)
    ended.append(await town.client.deployments.is_ended(SHOP, made.id))

    kept = town.github.store.state.deployments[made.id]
    assert states == ["queued", "in_progress", "inactive"]
    assert ended == [False, False, True, False]
    assert kept.last is not None
    assert (kept.state, kept.last.environment_url, kept.last.log_url) == (
        "success",
        "https://x.example.com",
        "https://l.example.com",
    )
    assert (kept.transient, kept.production) == (True, False)


async def test_ours_are_found_again_by_commit_and_environment_and_told_from_others(town: Town) -> None:
    head, other = head_of(town), town.github.push(1, {"x": b"y\n"}, "More")
    us = await town.app.identity(town.installation.id)
    ours = await town.client.deployments.create(SHOP, "preview", head, NAME)
    neighbour = await town.client.deployments.create(SHOP, "preview", head, "gh-812-2")
    await town.client.deployments.create(SHOP, "staging", head, NAME)
    await town.client.deployments.create(SHOP, "preview", other, NAME)
    # Somebody else made it look like ours, and another one's payload is none of an object.
    for payload in ({"preview": NAME}, "a text", {"preview": {"is": "an object"}}, {}):
        body = {"ref": head, "payload": payload, **BODY}
        made = (await town.call("POST", f"{REPO}/deployments", body)).json["id"]
        state = town.github.store.state
        forged = replace(state.deployments[made], creator=ALICE)
        town.github.store.change(replace(state, deployments={**state.deployments, made: forged}))

    found = await town.client.deployments.of_commit(SHOP, "preview", head)

    assert len(found) == 6
    assert [each.id for each in found if each.is_of(us, NAME)] == [ours.id]
    assert [each.id for each in found if each.is_of(us, "gh-812-2")] == [neighbour.id]
    newest = await town.client.deployments.newest(SHOP, "preview")
    assert [each.sha for each in newest if each.is_of(us, NAME)] == [other, head]


@pytest.mark.parametrize(
    ("payload", "ours"),
    [
        (json.dumps({"preview": NAME}), True),
        (json.dumps({"preview": NAME + "0"}), False),
        (NAME, False),
        ("[" * 9_999, False),
        ("x" * 50_000, False),
        (json.dumps([NAME]), False),
        (json.dumps({"preview": {"is": NAME}}), False),
    ],
    ids=["as JSON", "another's", "the name alone", "nested", "long", "a list", "no name"],
)
async def test_a_payload_that_is_a_text_is_read_as_its_json(town: Town, payload: str, ours: bool) -> None:
    us, head = await town.app.identity(town.installation.id), head_of(town)
    await town.call("POST", f"{REPO}/deployments", {"ref": head, "payload": payload, **BODY})

    [found] = await town.client.deployments.of_commit(SHOP, "preview", head)

    assert found.is_of(us, NAME) is ours


async def test_the_right_is_one_of_its_own_and_the_refusal_says_so() -> None:
    granted = {name: level for name, level in PERMISSIONS.items() if name != "deployments"}
    async with github_town(permissions=granted) as town:
        with pytest.raises(Forbidden) as refused:
            await town.client.deployments.create(SHOP, "preview", head_of(town), NAME)

    assert is_not_granted(refused.value.message)
    assert "deployments" in str(refused.value)


async def test_a_deployment_that_somebody_deleted_is_not_found(town: Town) -> None:
    made = await town.client.deployments.create(SHOP, "preview", head_of(town), NAME)
    state = town.github.store.state
    town.github.store.change(replace(state, deployments=without(state.deployments, made.id)))

    with pytest.raises(NotFound):
        await town.client.deployments.say(SHOP, made.id, SUCCESS)


async def test_a_commit_that_github_does_not_know_and_too_many_words_are_refused(town: Town) -> None:
    with pytest.raises(Invalid):
        await town.client.deployments.create(SHOP, "preview", "f" * 40, NAME)
    made = await town.client.deployments.create(SHOP, "preview", head_of(town), NAME)
    for wrong in (replace(SUCCESS, description="x" * 141), replace(SUCCESS, environment_url="javascript:1")):
        with pytest.raises(Invalid):
            await town.client.deployments.say(SHOP, made.id, wrong)


async def test_checks_that_did_not_pass_keep_no_deployment_of_ours_from_being_made(town: Town) -> None:
    head = head_of(town)
    town.github.set_check(head, "lint", "completed", "failure")

    await town.client.deployments.create(SHOP, "preview", head, NAME)

    refused = await town.call("POST", f"{REPO}/deployments", {"ref": head, "auto_merge": False})
    assert refused.status == 409


async def test_a_workflow_that_waits_for_a_person_is_told(town: Town) -> None:
    head = head_of(town)
    asked = [await town.client.awaits_approval(SHOP, head)]
    town.github.set_workflow_run(head, "build", "in_progress")
    asked.append(await town.client.awaits_approval(SHOP, head))
    town.github.set_workflow_run(head, "e2e", "completed", "action_required")
    asked.append(await town.client.awaits_approval(SHOP, head))

    assert asked == [False, False, True]
