"""What goes wrong, and what the author of the mistake sees; nothing is lost by any of it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from previewbot.webhook.intake import BODY_LIMIT
from previewbot_demo.faults import Call
from previewbot_demo.github.webhooks import Delivery
from previewbot_demo.registry_moods import Mood
from previewbot_demo.tasks import ALICE
from previewbot_demo.world import Options, World
from tests.support.worlds import OPEN, Pull, Scene, failing, scene, switched, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

BUILD_SECONDS = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    settings = {"listing": {"interval": "2s"}, "limits": {"previews": 50}}
    async with scene(Options(build_seconds=BUILD_SECONDS, settings=settings)) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def impatient_town() -> AsyncIterator[Scene]:
    settings = {"deadlines": {"image": "2s", "session": "2s"}}
    async with scene(Options(build_seconds=BUILD_SECONDS, settings=settings)) as built:
        yield built


async def a_delivery(town: Scene) -> Delivery:
    """Return a delivery as GitHub made it, of a pull request that nothing triggers."""
    town.open(author=ALICE, branch="feature")
    await town.world.github.webhooks.settled()
    return next(d for d in town.world.github.webhooks.deliveries if d.event == "pull_request")


def delivery_of(pull: Pull) -> Delivery:
    """Return the delivery that told of the opening of a pull request."""
    (delivery,) = [
        d
        for d in pull.world.github.webhooks.deliveries
        if d.event == "pull_request"
        and (d.payload["number"], d.payload["repository"]["full_name"]) == (pull.number, pull.repository)
    ]
    return delivery


def secret_of(town: Scene) -> bytes:
    return (town.world.bot.directory / "webhook-secret").read_bytes()


def signed(secret: bytes, body: bytes) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()}


async def test_an_unsigned_delivery_is_refused_with_the_header_that_is_missing(town: Scene) -> None:
    delivery = await a_delivery(town)
    headers = {k: v for k, v in delivery.headers.items() if k != "X-Hub-Signature-256"}

    answer = await town.post(delivery.body, headers)

    assert answer.status == 401
    assert answer.text == "X-Hub-Signature-256 is missing: set the webhook's secret in the App's settings"


async def test_a_delivery_signed_with_another_secret_is_refused(town: Scene) -> None:
    delivery = await a_delivery(town)

    answer = await town.post(delivery.body, {**delivery.headers, **signed(b"another", delivery.body)})

    assert answer.status == 401
    assert answer.text == "the signature does not match: the secret of the App and of previewbot differ"


async def test_a_delivery_that_was_cut_off_is_refused_and_logged(town: Scene) -> None:
    delivery = await a_delivery(town)

    answer = await town.post(delivery.body[:-100], {**delivery.headers, "X-GitHub-Delivery": "cut-off"})

    assert (answer.status, answer.text.partition(":")[0]) == (401, "the signature does not match")
    (line,) = [line for line in town.log("web") if line.get("delivery") == "cut-off"]
    assert (line["status"], line["decision"]) == (401, answer.text)


async def announce(town: Scene, length: int, headers: Mapping[str, str]) -> str:
    """Return the answer to a request of which only the head is sent, with the length of its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", town.world.bot.web_port)
    head = {**headers, "Host": "previews", "Content-Length": str(length), "Connection": "close"}
    lines = ["POST /webhook HTTP/1.1", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(30):
        answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_an_oversized_delivery_is_refused_before_it_is_read(town: Scene) -> None:
    delivery = await a_delivery(town)

    answer = await announce(town, BODY_LIMIT + 1, delivery.headers)

    assert answer.startswith("HTTP/1.1 413 REQUEST ENTITY TOO LARGE")
    assert answer.endswith("larger than 2097152 bytes: previewbot will find it later")


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (
            b"payload=%7B%7D",
            "application/x-www-form-urlencoded",
            "set the webhook's content type to application/json",
        ),
        (b"not JSON", "application/json", "the body is not JSON"),
        (b"[]", "application/json", "the payload is not a JSON object"),
    ],
)
async def test_a_delivery_that_is_no_json_is_refused_with_what_to_change(
    town: Scene, body: bytes, kind: str, said: str
) -> None:
    delivery = await a_delivery(town)
    headers = {**delivery.headers, **signed(secret_of(town), body), "Content-Type": kind}

    answer = await town.post(body, headers)

    assert (answer.status, answer.text) == (400, said)


async def restart_web(town: Scene) -> None:
    web = town.world.bot.web
    assert web is not None
    await web.kill()
    await town.world.bot.start_web()


async def test_while_app_and_previewbot_have_different_secrets_the_listing_finds_pull_requests(
    town: Scene,
) -> None:
    secret = town.world.bot.directory / "webhook-secret"
    right = secret.read_text()
    secret.write_text("another" * 10)
    await restart_web(town)
    try:
        pull = town.open()
        await town.world.github.webhooks.settled()
        assert delivery_of(pull).status == 401

        await pull.ready()
    finally:
        secret.write_text(right)
        await restart_web(town)


async def test_while_the_secret_is_changed_deliveries_signed_with_either_are_taken(town: Scene) -> None:
    delivery = await a_delivery(town)
    file = town.world.bot.directory / "webhook-secret"
    right, new = file.read_text(), "the next one, of many bytes"
    file.write_text(f"{new}\n{right}\n")
    await restart_web(town)
    try:
        answers = [
            await town.post(delivery.body, {**delivery.headers, **signed(secret.encode(), delivery.body)})
            for secret in (right, new, f"{new}\n{right}")
        ]
    finally:
        file.write_text(right)
        await restart_web(town)

    assert [answer.status for answer in answers] == [202, 202, 401]


async def test_while_the_api_server_is_away_a_delivery_is_answered_503_and_the_listing_makes_it_good(
    town: Scene,
) -> None:
    world = town.world
    with failing(world, lambda call: call.server == "kube", 503):
        pull = town.open()
        await world.github.webhooks.settled()
        delivery = delivery_of(pull)
        again = await town.post(delivery.body, delivery.headers)

    assert delivery.status == 503
    assert (again.status, again.text) == (503, "the cluster did not take it; previewbot will find it later")
    assert again.headers["Retry-After"] == "60"
    await pull.ready()


async def test_a_broken_configuration_is_shown_with_line_and_remedy_and_its_correction_starts_the_preview(
    town: Scene,
) -> None:
    repository = town.repository("acme/broken", ("target: deployment/pricing", "target: deploy/pricing"))
    pull = town.open(repository)

    text = await pull.says("`.github/preview.yaml` has a mistake")
    assert text.startswith(
        "**`.github/preview.yaml` has a mistake** in line 31: `target` must be one of deployment/"
    )
    assert "can correct it on the default branch; the preview starts by itself within a few minutes." in text

    town.configure(repository, ("ttl: 8h", "ttl: 7h"))
    await pull.ready()


async def test_a_configuration_that_breaks_under_a_running_preview_leaves_it_and_its_link(
    town: Scene,
) -> None:
    repository = town.repository("acme/broken-later")
    pull = town.open(repository)
    link = await pull.ready()

    town.configure(repository, ("open: /cart", "opne: /cart"))
    text = await pull.says("`.github/preview.yaml` has a mistake** in line 18: `opne` is unknown; did you")

    assert f"Meanwhile [the preview of `{pull.head[:7]}`]({link}) still works." in text
    assert (await town.browse(link)).status == 200

    town.configure(repository)
    await pull.ready()


async def test_an_image_that_never_appears_is_said_with_the_name_that_was_looked_for(
    impatient_town: Scene,
) -> None:
    world = impatient_town.world
    with switched(world.ci.switches, builds=False):
        pull = impatient_town.open()

        text = await pull.says("its image never appeared")

    assert text.startswith(
        f"**No preview of `{pull.head[:7]}`: its image never appeared.** previewbot looked for"
    )
    assert f"acme/web:{pull.head}` long enough" in text
    assert "check the image's name in `.github/preview.yaml` and what the build pushes." in text

    tree = world.github.head_tree(pull.number)
    world.github.hooks.on_head(pull.repository, pull.number, pull.head, tree)
    await until("a session of the late image", lambda: pull.sessions, lambda: pull.comment)


def age(session: dict[str, Any]) -> float:
    created = datetime.fromisoformat(session["metadata"]["creationTimestamp"])
    return (datetime.now(UTC) - created).total_seconds()


async def test_an_operator_that_never_answers_is_named_in_the_comment(impatient_town: Scene) -> None:
    with switched(impatient_town.world.operator.switches, never_answer=True):
        pull = impatient_town.open()
        await until("a session older than the deadline", lambda: any(age(s) > 2 for s in pull.sessions))
        pull.write("/preview status")

        text = await pull.says("failed.**")
        await until("the end of the session", lambda: not pull.sessions)

    assert text.startswith(f"**The preview of `{pull.head[:7]}` failed.** **web**: `the mirrord operator did")
    assert "`the mirrord operator did not answer within 2s`" in text
    assert "the next commit tries again, and so does the comment `/preview start`." in text


async def test_a_registry_that_refuses_is_told_apart_from_a_missing_image(town: Scene) -> None:
    with failing(town.world, lambda call: call.server == "registry", 403):
        pull = town.open()
        text = await pull.says("Cannot look for the image")

    assert text.startswith(
        "**Cannot look for the image of web**: the registry wants a login, and previewbot has"
    )
    assert "This is for your platform team: `images.registries` in previewbot's settings" in text
    await pull.ready()


@contextmanager
def moody(world: World, mood: Mood) -> Iterator[None]:
    """Let the registry be in a mood."""
    world.registry.mood = mood
    try:
        yield
    finally:
        world.registry.mood = None


async def test_an_image_that_a_registry_denies_to_head_is_there_all_the_same(town: Scene) -> None:
    with moody(town.world, Mood.DENIES_HEAD):
        await town.open().ready()


@pytest.mark.parametrize(
    ("mood", "told"),
    [
        (Mood.HOLDS_BACK, "it is there, and a policy of the registry holds it back"),
        (Mood.SIGN_IN, "something else answers in the registry's place, such as a sign-in page"),
        (Mood.OLD_FORMAT, "is in a format that nodes do not run any more"),
        (Mood.LOGIN_ENDED, "the registry wants a login, and previewbot has none for it"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_what_a_registry_says_is_told_and_the_preview_starts_once_it_says_otherwise(
    town: Scene, mood: Mood, told: str
) -> None:
    with moody(town.world, mood):
        pull = town.open()
        await pull.says(told)

    await pull.ready()


async def test_a_target_that_does_not_exist_is_named_and_its_correction_starts_the_preview(
    town: Scene,
) -> None:
    repository = town.repository(
        "acme/mistyped", ("target: deployment/catalog", "target: deployment/catalogue")
    )
    pull = town.open(repository, service="catalog")

    text = await pull.says("failed.**")
    assert text.startswith(
        f"**The preview of `{pull.head[:7]}` failed.** **catalog**: `there is no deployment named"
    )
    assert "there is no deployment named catalogue in" in text

    town.configure(repository)
    await pull.ready()


async def test_a_session_that_fails_says_why_and_start_tries_again(town: Scene) -> None:
    app = town.world.github.tree("main")["services/web/app.py"]
    needs = (
        b"import os\nif 'COUPONS_URL' not in os.environ:\n    raise SystemExit('COUPONS_URL is not set')\n"
    )
    future, rest = app.split(b"from __future__ import annotations\n")
    pull = town.open(
        files={"services/web/app.py": future + b"from __future__ import annotations\n" + needs + rest}
    )

    text = await pull.says("failed.**")
    assert "**web**: `container web: CrashLoopBackOff: exited with code 1: COUPONS_URL is not set`" in text
    assert "the next commit tries again, and so does the comment `/preview start`." in text
    await until("the end of the failed session", lambda: not pull.sessions)

    await give_staging(town, "web", "COUPONS_URL", "http://127.0.0.1:1")
    started = pull.write("/preview start")
    await pull.reacted(started, "rocket")
    await pull.ready()


async def give_staging(town: Scene, deployment: str, name: str, value: str) -> None:
    """Add a variable to a Deployment, as `kubectl set env` does."""
    url = f"{town.world.url}/apis/apps/v1/namespaces/staging/deployments/{deployment}"
    async with town.http.get(url) as answer:
        found: dict[str, Any] = await answer.json()
    containers = found["spec"]["template"]["spec"]["containers"]
    containers[0]["env"].append({"name": name, "value": value})
    async with town.http.put(url, json=found) as answer:
        assert answer.status == 200


async def test_a_merge_conflict_is_said_because_nothing_is_built_under_one(town: Scene) -> None:
    with switched(town.world.ci.switches, builds=False):
        pull = town.open(conflict=True)
        text = await pull.says("conflicts with")

    assert text.startswith(
        f"**No preview of `{pull.head[:7]}`: it conflicts with `main`**, so nothing is built."
    )

    town.world.github.set_conflict(pull.number, False)
    pull.push({"services/web/NOTE": b"main merged in"})
    await pull.ready()


async def test_a_build_that_waits_for_approval_is_said_with_where_to_approve(town: Scene) -> None:
    github = town.world.github
    with switched(town.world.ci.switches, builds=False):
        pull = town.open()
        github.set_workflow_run(pull.head, "build", "completed", "action_required")
        text = await pull.says("approve")

    assert text.startswith("**Waiting for somebody to approve the workflow run.** GitHub starts it only")
    assert f"[approve here]({town.world.url}/" in text

    github.set_workflow_run(pull.head, "build", "in_progress")
    github.hooks.on_head(pull.repository, pull.number, pull.head, github.head_tree(pull.number))
    await pull.ready()


async def test_a_build_that_fails_is_said_and_the_next_commit_starts_again(town: Scene) -> None:
    with switched(town.world.ci.switches, conclusion="failure"):
        pull = town.open()
        text = await pull.says("its build failed")

    assert text.startswith(f"**No preview of `{pull.head[:7]}`: its build failed** ([build images](")
    assert "run the build again, or push a commit. The preview starts by itself once it goes well." in text

    pull.push({"services/web/NOTE": b"mended"})
    await pull.ready()


@contextmanager
def out_of_order_once_ready(pull: Pull, status: int, **headers: str) -> Iterator[list[Call]]:
    """Let GitHub refuse everything from the very moment at which the comment has its link."""
    faults, ready = pull.world.faults, asyncio.Event()
    before = faults.after

    async def look(call: Call) -> web.StreamResponse | None:
        if OPEN in pull.comment:
            ready.set()
        return None

    faults.after = look
    try:
        with failing(
            pull.world, lambda call: call.server == "github" and ready.is_set(), status, **headers
        ) as met:
            yield met
    finally:
        faults.after = before


async def test_while_github_is_down_a_preview_expires_all_the_same_and_the_comment_follows(
    town: Scene,
) -> None:
    pull = town.open(town.repository("acme/brief", ("ttl: 8h", "ttl: 2s")))
    with out_of_order_once_ready(pull, 502) as refused:
        link = await pull.ready()
        await until("its end in the cluster", lambda: pull.phase == "Expired", lambda: pull.preview)
        assert not pull.sessions
        page = await town.browse((await town.browse(link)).location)
        await until("an attempt to say so", lambda: refused)
        assert OPEN in pull.comment

    assert "<h1>The preview's time was up</h1>" in page.text
    text = await pull.says("The preview ended")
    assert (
        "its time was up. Somebody with write access can start it again with the comment "
        "`/preview start`; a new commit does so too." in text
    )
    assert len(pull.comments) == 1


async def test_a_limit_of_github_that_outlasts_a_preview_does_not_prolong_it() -> None:
    async with scene(Options(build_seconds=BUILD_SECONDS)) as town:
        pull = town.open(town.repository("acme/brief", ("ttl: 8h", "ttl: 5s")))
        with out_of_order_once_ready(pull, 429, Retry_After="600") as refused:
            await pull.ready()
            pull.write("/preview status")
            await until("the limit", lambda: refused)

            await until("the end of the session", lambda: not pull.sessions, lambda: pull.preview)


async def test_a_route_that_may_not_be_written_does_not_keep_a_preview_alive() -> None:
    async with scene(Options(build_seconds=BUILD_SECONDS)) as town:
        pull = town.open()
        await pull.ready()

        with failing(town.world, lambda call: "httproutes" in call.path and call.changes, 403) as refused:
            pull.write("/preview stop")
            await until("the end of the session", lambda: not pull.sessions, lambda: pull.preview)
            await pull.says("The preview was stopped")
            assert refused
