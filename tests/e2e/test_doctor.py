"""`previewbot doctor` and `previewbot explain` as people start them, in a world with one mistake in it.

Each of these installations leaves all pods Ready: the doctor's line names the cause, and says what to do and
whose it is.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from previewbot.engine.probe import NAME
from previewbot_demo import hosts
from previewbot_demo.faults import Call
from previewbot_demo.tasks import ALICE
from previewbot_demo.world import REPOSITORY, Options
from tests.support.commands import PATIENCE, Ended, run, started
from tests.support.worlds import CONFIGURATION, Scene, gateway_at, granted, scene, switched, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSED_PORT = "http://127.0.0.1:9"

Change = Callable[[dict[str, Any], "Scene"], None]
Switch = Callable[["Scene"], AbstractContextManager[object]]


def wrong(ended: Ended) -> list[str]:
    """Return the names of what a doctor called wrong."""
    return [line[len("WRONG        ") :] for line in ended.out.splitlines() if line.startswith("WRONG")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    settings = {"owners": ["acme"], "repositories": [{"match": ["acme/*"]}]}
    async with scene(Options(build_seconds=0.3, settings=settings)) as built:
        pull = built.open()
        await pull.ready()
        yield built


def settings_of(town: Scene, path: Path, change: Change = lambda settings, town: None) -> Path:
    """Write the world's settings with a change."""
    settings = yaml.safe_load((town.world.bot.directory / "settings.yaml").read_text())
    change(settings, town)
    path.write_text(yaml.safe_dump(settings))
    return path


async def doctor(town: Scene, directory: Path, mistake: Mistake, *options: str) -> Ended:
    settings = settings_of(town, directory / "settings.yaml", mistake.change)
    variables = {name: value(directory) for name, value in mistake.variables.items()}
    with mistake.switch(town):
        await mistake.seen(town)
        ended = await run(town, "doctor", "--settings", str(settings), *options, **variables)
    # Whatever GitHub's newest delivery came to: the next test begins with one that was taken.
    await mistake.seen(town)
    return ended


async def nothing(town: Scene) -> None:
    return


@dataclass(frozen=True)
class Mistake:
    """A wrong installation: how it is made, how the doctor's line begins, and what stands in it."""

    name: str
    words: tuple[str, ...]
    whose: str
    change: Change = lambda settings, town: None
    switch: Switch = lambda town: nullcontext()
    seen: Callable[[Scene], Any] = nothing
    variables: Mapping[str, Callable[[Path], str]] = field(default_factory=dict)


def a_key(path: Path) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    return str(path)


def with_key(make: Callable[[Path, Scene], str]) -> Change:
    def change(settings: dict[str, Any], town: Scene) -> None:
        path = town.world.bot.directory / "another.pem"
        settings["github"]["private_key_file"] = make(path, town)

    return change


def with_client_secret(secret: str) -> Change:
    def change(settings: dict[str, Any], town: Scene) -> None:
        path = town.world.bot.directory / "another-client-secret"
        path.write_text(secret)
        settings["sign_in"]["client_secret_file"] = str(path)

    return change


def truncated(path: Path, town: Scene) -> str:
    path.write_text("\n".join((town.world.bot.directory / "app.pem").read_text().splitlines()[:9]) + "\n")
    return str(path)


def put(*keys: str, value: object) -> Change:
    def change(settings: dict[str, Any], town: Scene) -> None:
        for key in keys[:-1]:
            settings = settings[key]
        settings[keys[-1]] = value

    return change


def both(*changes: Change) -> Change:
    def change(settings: dict[str, Any], town: Scene) -> None:
        for each in changes:
            each(settings, town)

    return change


def without_links(settings: dict[str, Any], town: Scene) -> None:
    """The world's Gateway takes routes of its own namespace alone: of others that would be told as well."""
    settings.pop("links", None)


@contextmanager
def uninstalled(town: Scene) -> Iterator[None]:
    github = town.world.github
    before = github.store.state
    for installation in before.installations:
        github.uninstall(installation)
    try:
        yield
    finally:
        github.store.change(before)


@contextmanager
def answering(town: Scene, matches: Callable[[Call], bool], status: int, body: object) -> Iterator[None]:
    async def instead(call: Call) -> web.StreamResponse | None:
        return web.json_response(body, status=status) if matches(call) else None

    with switched(town.world.faults, before=instead):
        yield


@contextmanager
def closed(town: Scene) -> Iterator[None]:
    with switched(town.world.kube, closed={"payments"}):
        yield


async def a_webhook(town: Scene) -> None:
    """Have GitHub send something, and wait until it was answered, or not."""
    town.world.github.comment(1, ALICE, "Looks good")
    await town.world.github.webhooks.settled()


def of_crd(call: Call) -> bool:
    return call.server == "kube" and call.path == "/apis/preview.mirrord.metalbear.co/v1alpha"


async def silent_github(call: Call) -> web.StreamResponse | None:
    if call.server == "github" and call.agent == "previewbot-doctor":
        await asyncio.Event().wait()
    return None


async def a_page(call: Call) -> web.StreamResponse | None:
    if call.server == "kube" and call.agent == "previewbot-doctor":
        return web.Response(text="<html>Sign in</html>", content_type="text/html")
    return None


def of_operator(call: Call) -> bool:
    return call.server == "kube" and call.path.startswith("/apis/operator.metalbear.co")


def tried_in(namespace: str) -> Callable[[Call], bool]:
    path = f"/namespaces/{namespace}/previewsessions"
    return lambda call: call.server == "kube" and call.method == "POST" and call.path.endswith(path)


NO_NAMESPACE = {"message": 'namespaces "payments" not found'}
OTHER_POLICY = {
    "message": "ValidatingAdmissionPolicy 'corp-images' with binding 'corp-images' denied request: not signed"
}


def exec_kubeconfig(directory: Path) -> str:
    path = directory / "exec.kubeconfig"
    plugin = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "no-such-plugin",
        "interactiveMode": "Never",
    }
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": CLOSED_PORT}}],
        "users": [{"name": "a", "user": {"exec": plugin}}],
    }
    path.write_text(yaml.safe_dump(document))
    return str(path)


PLATFORM, OWNER = "[the platform team]", "[the App's owner]"

MISTAKES: dict[str, Mistake] = {
    "the key is truncated": Mistake(
        "the private key", ("not an RSA private key in PEM form",), PLATFORM, with_key(truncated)
    ),
    "the key of another App": Mistake(
        "GitHub: the App",
        ("the private key is not one of App 4242", "could not be decoded", "generate one"),
        OWNER,
        with_key(lambda path, town: a_key(path)),
    ),
    "a wrong app_id": Mistake(
        "GitHub: the App",
        ("GitHub knows no App 4243", "github.app_id"),
        PLATFORM,
        put("github", "app_id", value=4243),
    ),
    "the App is installed nowhere": Mistake(
        "GitHub: installations", ("the App is installed nowhere",), OWNER, switch=uninstalled
    ),
    "the App is installed in accounts that do not count": Mistake(
        "GitHub: installations",
        ("installed in acme, but `owners` names globex only",),
        PLATFORM,
        both(put("owners", value=["globex"]), put("repositories", value=[{"match": ["globex/*"]}])),
    ),
    "the client secret of another App": Mistake(
        "signing in",
        ("takes the client secret for another's", "sign_in.client_id", "make a new client secret"),
        PLATFORM,
        with_client_secret("0" * 40),
    ),
    "no rule is for any repository": Mistake(
        "repositories",
        ("none gets anything: acme/shop, because no rule",),
        PLATFORM,
        put("repositories", value=[{"match": ["acme/web"]}]),
    ),
    "another webhook secret": Mistake(
        "GitHub: deliveries",
        ("was answered 401", "different webhook secrets"),
        OWNER,
        switch=lambda town: switched(town.world.github.webhooks, secret=b"another secret of the App"),
        seen=a_webhook,
    ),
    "webhooks do not get through": Mistake(
        "GitHub: deliveries",
        ("failed to connect to host", "GitHub does not reach public_url"),
        PLATFORM,
        lambda settings, town: settings.update(public_url=CLOSED_PORT),
        switch=lambda town: switched(town.world.github.webhooks, url=f"{CLOSED_PORT}/webhook"),
        seen=a_webhook,
    ),
    "webhooks go elsewhere": Mistake(
        "GitHub: the webhook's address",
        (f"GitHub sends webhooks to {CLOSED_PORT}/webhook", "public_url says"),
        OWNER,
        switch=lambda town: switched(town.world.github.webhooks, url=f"{CLOSED_PORT}/webhook"),
    ),
    "public_url is another's": Mistake(
        "GitHub: the webhook's address",
        ("GitHub sends webhooks to", "and previewbot's public_url says"),
        OWNER,
        lambda settings, town: settings.update(public_url=town.world.url),
    ),
    "no permission for checks": Mistake(
        "GitHub: permissions",
        ("the App lacks `checks: write`", "what a missing image waits for"),
        OWNER,
        switch=lambda town: granted("checks", None),
    ),
    "pull_requests: read": Mistake(
        "GitHub: permissions",
        ("the App lacks `pull_requests: write`", "there is no comment"),
        OWNER,
        switch=lambda town: granted("pull_requests", "read"),
    ),
    "no permission for files": Mistake(
        "GitHub: permissions",
        ("the App lacks `contents: read`", "no .github/preview.yaml can be read"),
        OWNER,
        switch=lambda town: granted("contents", None),
    ),
    "the address of GitHub's pages instead of its API": Mistake(
        "GitHub: the App",
        ("something else than GitHub's API answers", "see github.api_url"),
        PLATFORM,
        lambda settings, town: settings["github"].update(api_url=settings["github"]["api_url"] + "/nothing"),
    ),
    "a proxy that is not there": Mistake(
        "proxies",
        (f"the proxy {CLOSED_PORT} cannot be reached", "see HTTPS_PROXY"),
        PLATFORM,
        lambda settings, town: settings["github"].update(api_url="http://github.corp.example/api/v3"),
        variables={"HTTP_PROXY": lambda directory: CLOSED_PORT, "NO_PROXY": lambda directory: "127.0.0.1"},
    ),
    "mirrord's operator is not installed": Mistake(
        "the cluster: resources",
        ("the cluster lacks previewsessions.preview.mirrord.metalbear.co", "install mirrord's operator"),
        PLATFORM,
        switch=lambda town: answering(
            town, lambda call: of_crd(call) or of_operator(call), 404, {"message": "not found"}
        ),
    ),
    "a namespace that is not there": Mistake(
        "the namespace payments",
        ("there is none", "kubectl create namespace payments"),
        PLATFORM,
        both(without_links, put("cluster", "namespaces", value=["staging", "payments"])),
        switch=lambda town: answering(town, tried_in("payments"), 404, NO_NAMESPACE),
    ),
    "the namespace of the workloads is not there": Mistake(
        "the namespace staging",
        ("there is none", "kubectl create namespace staging"),
        PLATFORM,
        switch=lambda town: answering(
            town,
            lambda call: tried_in("staging")(call) or call.path.startswith("/apis/apps/"),
            404,
            {"message": 'namespaces "staging" not found'},
        ),
    ),
    "a policy of somebody else's": Mistake(
        "the namespace staging",
        ("it would refuse every session", "corp-images"),
        PLATFORM,
        switch=lambda town: answering(town, tried_in("staging"), 422, OTHER_POLICY),
    ),
    "the registry wants a login for each image": Mistake(
        "images 127.0.0.1",
        ("images.registries.127.0.0.1",),
        PLATFORM,
        switch=lambda town: answering(
            town,
            lambda call: call.server == "registry" and "/manifests/" in call.path,
            403,
            {"errors": [{"code": "DENIED"}]},
        ),
    ),
    "a CRD is missing": Mistake(
        "the cluster: resources",
        ("the cluster lacks previewsessions.preview.mirrord.metalbear.co", "install mirrord's operator"),
        PLATFORM,
        switch=lambda town: answering(town, of_crd, 404, {"message": "not found"}),
    ),
    "no roles in one namespace": Mistake(
        "rights of controller in payments",
        ("it may not list branchdatabases.dbs.mirrord.metalbear.co", "`helm upgrade` makes these roles"),
        PLATFORM,
        both(without_links, put("cluster", "namespaces", value=["staging", "payments"])),
        switch=closed,
    ),
    "the registry refuses": Mistake(
        "the registry 127.0.0.1",
        ("images.registries",),
        PLATFORM,
        switch=lambda town: answering(
            town, lambda call: call.server == "registry", 403, {"errors": [{"code": "DENIED"}]}
        ),
    ),
    "a Gateway that is not there": Mistake(
        "links: the Gateway",
        ("there is no Gateway", "/publik"),
        PLATFORM,
        put("links", "gateway", "name", value="publik"),
    ),
    "a Gateway that takes routes of its own namespace only": Mistake(
        "links: the Gateway",
        ("take routes of the namespace staging alone", "previews' lie in payments", "from: All"),
        PLATFORM,
        put("cluster", "namespaces", value=["staging", "payments"]),
    ),
    "a listener that is not there": Mistake(
        "links: the Gateway",
        ("has no listener https",),
        PLATFORM,
        put("links", "gateway", "sectionName", value="https"),
    ),
    "a domain that leads nowhere": Mistake(
        "links: names",
        ("previewbot-doctor.preview.invalid has no address here", "links.gateway.domain"),
        PLATFORM,
        put("links", "gateway", "domain", value="preview.invalid"),
    ),
    "images.allowed is too narrow": Mistake(
        ".github/preview.yaml",
        ("acme/shop, line", "images.allowed or cluster.namespaces of the settings that is too narrow"),
        PLATFORM,
        both(
            lambda settings, town: settings.pop("repositories"),
            lambda settings, town: settings["images"].update(
                allowed=[f"127.0.0.1:{town.world.port}/globex/"]
            ),
        ),
    ),
    "namespaces is too narrow": Mistake(
        ".github/preview.yaml",
        ("the namespace `staging` is not open", "cluster.namespaces of the settings that is too narrow"),
        PLATFORM,
        both(
            without_links,
            lambda settings, town: settings.pop("repositories"),
            put("cluster", "namespaces", value=["shop"]),
            put("cluster", "lease", value={"name": "previewbot-controller", "namespace": "staging"}),
        ),
    ),
    "a rule for the repository is too narrow": Mistake(
        ".github/preview.yaml",
        ("acme/shop, line", "rule 1 of `repositories`", "too narrow"),
        PLATFORM,
        put("repositories", value=[{"match": ["acme/*"], "targets": ["deployment/checkout"]}]),
    ),
    "only a proxy leads out": Mistake(
        "GitHub: the App",
        ("127.0.0.1:9 cannot be reached", "HTTPS_PROXY"),
        PLATFORM,
        put("github", "api_url", value=CLOSED_PORT),
    ),
    "GitHub says nothing": Mistake(
        "GitHub: the App",
        ("cannot be reached (no answer in time)", "let this pod out to it"),
        PLATFORM,
        switch=lambda town: switched(town.world.faults, before=silent_github),
    ),
    "something else answers in the API server's place": Mistake(
        "the cluster: login",
        ("something else than an API server answers there",),
        PLATFORM,
        switch=lambda town: switched(town.world.faults, before=a_page),
    ),
    "an exec plugin is missing": Mistake(
        "the cluster: login",
        ("no-such-plugin",),
        PLATFORM,
        variables={"PREVIEWBOT_CLUSTER__KUBECONFIG": exec_kubeconfig},
    ),
    "another process answers at public_url": Mistake(
        "public_url",
        ("something else than previewbot's web answers", "/webhook"),
        PLATFORM,
        lambda settings, town: settings.update(public_url=town.world.url),
        switch=lambda town: switched(town.world.github.webhooks, url=f"{town.world.url}/webhook"),
    ),
}


async def test_of_a_healthy_world_nothing_is_wrong_and_nothing_stays(town: Scene, tmp_path: Path) -> None:
    before = town.world.kube.objects("httproutes")

    ended = await run(town, "doctor", "--settings", str(settings_of(town, tmp_path / "settings.yaml")))

    assert (ended.code, wrong(ended), ended.err) == (0, [], ended.err), ended.out
    assert {line[:11].strip() for line in ended.out.splitlines()[:-1]} <= {"ok", "note", "not checked"}
    assert "links: a route in staging: the Gateway staging/public takes it" in ended.out
    assert "ok           links: a host without a preview: http://previewbot-nobody." in ended.out
    assert "***" not in ended.out, "none of its own words is taken for a secret"
    assert town.world.kube.objects("httproutes") == before


async def test_where_names_are_not_known_a_link_is_asked_where_the_gateway_says_that_it_is(
    town: Scene, tmp_path: Path
) -> None:
    change = put("links", "gateway", "domain", value="preview.invalid")
    settings = settings_of(town, tmp_path / "settings.yaml", change)

    with switched(hosts, PREVIEW_DOMAIN="preview.invalid"):
        async with gateway_at(town, "127.0.0.1"):
            ended = await run(town, "doctor", "--settings", str(settings))

    assert "ok           links: an address: http://previewbot-doctor.preview.invalid:" in ended.out, ended.out


async def test_where_links_are_not_asked_the_doctor_asks_none_either(town: Scene, tmp_path: Path) -> None:
    # Nothing of this machine is there: whoever asked would call it wrong.
    change = both(put("links", "check", value=False), put("links", "gateway", "port", value=9))

    ended = await run(
        town, "doctor", "--settings", str(settings_of(town, tmp_path / "settings.yaml", change))
    )

    assert (ended.code, wrong(ended)) == (0, []), ended.out
    words = "links are not asked from here, as links.check says"
    assert f"not checked  links: an address: {words}" in ended.out
    assert f"not checked  links: certificate: {words}" in ended.out


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_wrong_installation_gives_one_line_that_names_the_cause(
    town: Scene, tmp_path: Path, mistake: Mistake
) -> None:
    ended = await doctor(town, tmp_path, mistake)

    assert (ended.code, len(wrong(ended))) == (1, 1), ended.out
    [line] = wrong(ended)
    assert line.startswith(mistake.name)
    assert [words for words in mistake.words if words not in line] == [], ended.out
    assert line.endswith(mistake.whose), line


async def test_as_json_it_says_the_same_to_programs(town: Scene, tmp_path: Path) -> None:
    ended = await doctor(town, tmp_path, MISTAKES["a wrong app_id"], "--json")

    told = json.loads(ended.out)
    [app] = [each for each in told["checks"] if each["name"] == "GitHub: the App"]
    assert (ended.code, told["ok"]) == (1, False)
    assert (app["state"], app["whose"]) == ("WRONG", "the platform team")
    assert {each["state"] for each in told["checks"]} == {"ok", "WRONG", "not checked"}


async def test_what_depends_on_something_wrong_says_so_and_hides_nothing_else(
    town: Scene, tmp_path: Path
) -> None:
    ended = await doctor(town, tmp_path, MISTAKES["an exec plugin is missing"])

    assert (
        "not checked  the cluster: resources: because of what is wrong with the cluster: login" in ended.out
    )
    assert (
        "not checked  links: a route in staging: because of what is wrong with the cluster: login"
        in ended.out
    )
    assert "ok           GitHub: installations" in ended.out


@pytest.mark.parametrize(
    ("secret", "absent"), [("private_key_file", "web"), ("webhook_secret_file", "controller")]
)
async def test_it_looks_at_the_half_whose_secret_is_here(
    town: Scene, tmp_path: Path, secret: str, absent: str
) -> None:
    settings = settings_of(town, tmp_path / "s.yaml", put("github", secret, value=str(tmp_path / "none")))

    ended = await run(town, "doctor", "--settings", str(settings))

    assert ended.code == 0, ended.out
    there, other = ("web", "controller") if absent == "web" else ("controller", "web")
    assert f"rights of {there} in the cluster" in ended.out
    assert f"rights of {other} in" not in ended.out
    assert ("GitHub: the App" in ended.out) == (there == "controller")
    assert ("takes what is signed with our webhook secret" in ended.out) == (there == "web")


async def test_settings_that_cannot_be_read_are_told_as_elsewhere(town: Scene, tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("github: {app_id: many}\n")

    ended = await run(town, "doctor", "--settings", str(path))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("The settings cannot be used:")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
async def test_told_to_stop_it_takes_its_route_away(
    town: Scene, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    def probes() -> list[Any]:
        return [each for each in town.world.kube.objects("httproutes") if each["metadata"]["name"] == NAME]

    with switched(town.world.gateway.sabotage, slow=PATIENCE):
        settings = str(settings_of(town, tmp_path / "settings.yaml"))
        process = await started(town, "doctor", "--settings", settings)
        await until("the doctor's route", probes, seconds=PATIENCE)
        process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            await process.communicate()

    assert process.returncode == code
    assert probes() == []


async def test_explain_tells_each_step_and_ends_with_whose_turn_it_is(town: Scene) -> None:
    pull = town.open(author=ALICE, branch="feature")

    ended = await explain(town, f"{REPOSITORY}#{pull.number}")

    assert ended.code == 0, ended.err
    assert "ok           settings: rule 1 of `repositories` is for it" in ended.out
    assert "WRONG        trigger: no agent was recognised: @alice is no agent's account" in ended.out
    assert "labels that would count: preview (it has none)" in ended.out
    assert ended.out.splitlines()[-1] == (
        "Nothing asks for a preview: no agent, label or command. It is the turn of whoever wants one and has "
        "write access: the label `preview`, or a comment `/preview start`."
    )


async def test_of_a_pull_request_that_is_over_nothing_is_waited_for(town: Scene) -> None:
    pull = town.open(author=ALICE, branch="feature")
    pull.close()

    ended = await explain(town, f"{REPOSITORY}#{pull.number}")

    assert ended.code == 0, ended.err
    assert "note         pull request: closed" in ended.out
    assert ended.out.splitlines()[-1].endswith("Nothing is waited for.")


async def test_explain_takes_the_address_and_tells_of_image_session_and_link(town: Scene) -> None:
    asked: list[Call] = []

    async def noting(call: Call) -> None:
        if call.changes and call.agent == "previewbot-doctor":
            asked.append(call)

    with switched(town.world.faults, before=noting):
        ended = await explain(town, f"{town.world.url}/{REPOSITORY}/pull/1/files")

    assert ended.code == 0, ended.err
    # To have a token is all that it asks for which is no question.
    assert [call.path.rpartition("/")[2] for call in asked] == ["access_tokens"]
    for words in (
        "trigger: Copilot, recognised by its account",
        "image of web: 127.0.0.1:",
        "session of web: Ready",
        "whether it shows this pull request: Yes (ThisPreview), asked at ",
    ):
        assert words in ended.out
    assert ended.out.splitlines()[-1].startswith("Open the preview")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("acme/nope#1", "there is no repository acme/nope, or the App is not installed in it"),
        ("acme/shop#4711", "acme/shop has no pull request 4711"),
        ("https://github.example.com/acme/shop/pull/1", "these settings are for 127.0.0.1"),
    ],
)
async def test_a_reference_to_nothing_gets_kind_words(town: Scene, reference: str, words: str) -> None:
    ended = await explain(town, reference)

    assert (ended.code, ended.out) == (1, "")
    assert words in ended.err


async def explained_with(town: Scene, change: Callable[[dict[str, Any]], object]) -> Ended:
    """Explain the first pull request, of which the cluster has another Preview than it really has."""
    stored = next(obj for obj in town.world.kube.objects("previews") if obj["spec"]["number"] == 1)
    path = f"/previews/{stored['metadata']['name']}"
    change(stored)
    with answering(
        town, lambda call: call.agent == "previewbot-doctor" and call.path.endswith(path), 200, stored
    ):
        return await explain(town, f"{REPOSITORY}#1")


async def test_explain_says_that_the_preview_of_another_app_is_left_alone(town: Scene) -> None:
    ended = await explained_with(town, lambda preview: preview["spec"].update(appId=4711))

    assert (ended.code, ended.out) == (1, "")
    assert "is of App 4711" in ended.err
    assert "previewbot leaves it alone" in ended.err


async def test_explain_says_of_a_preview_that_it_cannot_read_how_to_see_it(town: Scene) -> None:
    ended = await explained_with(town, lambda preview: preview["spec"].pop("environmentKey"))

    assert (ended.code, ended.out) == (1, "")
    assert "is not as this version writes it: see `kubectl get preview" in ended.err


async def test_explain_tells_a_mistake_in_the_file_by_its_line(town: Scene) -> None:
    name = town.repository("acme/broken", ("paths:", "pths:"))
    pull = town.open(name)

    ended = await explain(town, f"{name}#{pull.number}")

    assert f"WRONG        {CONFIGURATION}: line" in ended.out
    assert ended.out.splitlines()[-1].endswith("It is the turn of whoever maintains the repository.")


async def explain(town: Scene, reference: str) -> Ended:
    settings = town.world.bot.directory / "settings.yaml"
    return await run(town, "explain", reference, "--settings", str(settings))
