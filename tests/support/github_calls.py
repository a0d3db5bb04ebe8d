"""Every call that previewbot's client of GitHub can make, made once."""

from __future__ import annotations

from previewbot.api.check_runs import (
    Annotation,
    CheckAction,
    CheckOutput,
    CheckRunContent,
    Conclusion,
)
from previewbot.api.deployments import DeploymentState, DeploymentStatus
from tests.support.github_script import Asked
from tests.support.github_town import ALICE, COPILOT, Town

_SHOP = "acme/shop"

WAITS = CheckRunContent(
    "gh-812-1", None, CheckOutput("On its way", "It *starts*."), "https://previews.example.com/p/812/1"
)
FAILED = CheckRunContent(
    "gh-812-1",
    Conclusion.FAILURE,
    CheckOutput("A service crashes", "It **crashes**.", "```\nout of luck\n```"),
    "https://previews.example.com/p/812/1",
    (CheckAction("Start", "Run it again", "start"),),
    (Annotation(".github/preview.yaml", 3, "`paht` is no key"),),
)


async def make_every_call(town: Town) -> list[Asked]:
    """Call each method of the App's client and of the installation's; return what was asked of GitHub."""
    number = town.pull_request()
    head = town.github.pull_request(number).head_sha
    command = town.github.comment(number, ALICE, "/preview")
    on_line = town.github.comment_on_line(number, ALICE, "src/app.py", "/preview status")
    await town.app.facts()
    await town.app.confirm()
    await town.app.hook()
    await town.app.deliveries()
    await town.app.installations()
    await town.app.is_suspended(town.installation.id)
    await town.app.installation_of(_SHOP)
    await town.app.repositories(town.installation.id)
    await town.app.identity(town.installation.id)
    client = town.client
    await client.account(ALICE.login)
    await client.repositories()
    [row] = await client.open_pull_requests(_SHOP)
    await client.listed(await client.repositories())
    await client.details([row.node_id])
    await client.glance(row.node_id)
    await client.asked_for(row.node_id, [COPILOT.id])
    await client.tip(_SHOP, "main")
    await client.pull_request(_SHOP, number)
    await client.files(_SHOP, number)
    await client.commits(_SHOP, number)
    await client.parents(_SHOP, head)
    await client.file(_SHOP, "src/app.py", "main")
    app = await client.git.file(_SHOP, "src/app.py", head)
    await client.git.tree(_SHOP, head, whole=True)
    await client.git.blob(_SHOP, app.sha if app else "")
    await client.git.queue_heads(_SHOP, "main", number)
    await client.is_protected(_SHOP, "main")
    await client.rules(_SHOP, "release/1")
    await client.runs(_SHOP, head)
    check = await client.checks.create(_SHOP, head, WAITS)
    await client.checks.create(_SHOP, head, FAILED)
    await client.checks.own(_SHOP, head, town.github.app.id)
    await client.checks.update(_SHOP, check, WAITS)
    await client.checks.update(_SHOP, check, FAILED)
    await client.awaits_approval(_SHOP, head)
    deployment = await client.deployments.create(_SHOP, "preview", head, "gh-812-1")
    await client.deployments.of_commit(_SHOP, "preview", head)
    await client.deployments.newest(_SHOP, "preview")
    await client.deployments.is_ended(_SHOP, deployment.id)
    await client.deployments.say(_SHOP, deployment.id, DeploymentStatus(DeploymentState.QUEUED))
    url = "https://gh-812-1.preview.example.com"
    succeeded = DeploymentStatus(DeploymentState.SUCCESS, "It serves", url, f"{url}/log")
    await client.deployments.say(_SHOP, deployment.id, succeeded)
    [comment, *_] = await client.comments(_SHOP, number, None)
    await client.comment(_SHOP, number, comment.id)
    await client.edits([comment.node_id])
    await client.edits_and_asked_for([comment.node_id], row.node_id, [COPILOT.id])
    await client.graphql("query { rateLimit { cost } }", {}, {"rateLimit": {"cost": None}})
    await client.reviews(_SHOP, number, 1)
    await client.review_comments(_SHOP, number, town.github.pull_request(number).created_at)
    await client.react_on_lines(_SHOP, on_line, "eyes")
    ours = await client.create_comment(_SHOP, number, "Hello")
    await client.update_comment(_SHOP, ours.id, "Hello again")
    await client.delete_comment(_SHOP, ours.id)
    for content in ("eyes", "rocket", "confused"):
        await client.react(_SHOP, command, content)
    await client.permission(_SHOP, ALICE.login)
    return town.script.asked
