"""One table of kubeconfigs through both clients of the API server: both do what kubectl does.

The API server is a stand-in that speaks TLS, asks for a client's certificate, and notes who came.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from prometheus_client import CollectorRegistry

from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.pages_client import PagesClient
from previewbot.clients.tls import end_at_once
from previewbot.errors import RemoteError, SettingsError
from previewbot.runtime.bare_app import create_probes
from tests.support.pki import Authority
from tests.support.servers import served

V1, V1BETA1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
NAMED = "api.internal.example.com"


@dataclass
class Cluster:
    """The stand-in: who came (the header, the certificate's name), and which headers it refuses."""

    folder: Path
    authority: Authority
    url: str = ""
    came: list[tuple[str, str]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        shown = request.headers.get("Authorization", "")
        certificate = request.transport.get_extra_info("peercert") or {}
        subject = [
            value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"
        ]
        self.came.append((shown, "".join(subject)))
        if shown in self.refuses or self.came[-1][1] in self.refuses:
            return web.json_response({"message": "Unauthorized"}, status=401)
        return web.json_response({"metadata": {"name": "gh-812-42"}})

    def write(self, name: str, content: str | bytes, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def plugin(self, name: str, answer: str = "", *, says: str = "", code: int = 0) -> str:
        """Make a program that notes how it was called, and prints an answer."""
        notes = self.folder / "calls"
        self.write(f"{name}.answer", answer)
        words = f'#!/bin/sh\n(echo "$@"; echo "$KUBERNETES_EXEC_INFO"; echo "$GIVEN"; pwd) >>{notes}\n'
        words += f"echo '{says}' >&2\ncat {self.folder / name}.answer\nexit {code}\n"
        return str(self.write(name, words, 0o700))

    @property
    def calls(self) -> list[tuple[str, dict[str, Any], str, str]]:
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(a, json.loads(i), g, d) for a, i, g, d in zip(*[iter(lines)] * 4, strict=True)]


def credential(version: str = V1, **status: str) -> str:
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def cluster(tmp_path: Path, authority: Authority, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    hosts = getattr(request, "param", ())
    certificate, key = authority.server("api-" + ("-".join(hosts) or "local"), *hosts)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.certificate))
    context.load_cert_chain(certificate, key)
    context.verify_mode = ssl.CERT_OPTIONAL
    found = Cluster(tmp_path, authority)
    with served(found.handle, end_at_once(context)) as (url, _):
        found.url = url
        yield found


def ask_as_web(path: Path) -> None:
    client = PagesClient(path, user_agent="test", budget=20)
    try:
        assert client.get_preview("gh-812-42") is not None
    finally:
        client.close()


def ask_as_the_controller(path: Path) -> None:
    async def ask() -> None:
        kube = await Kube.connect(path, user_agent="test", request_timeout=20)
        try:
            assert await kube.get_preview("gh-812-42") is not None
        finally:
            await kube.close()

    asyncio.run(ask())


Client = Callable[[Path], None]
BOTH = pytest.mark.parametrize("ask", [ask_as_web, ask_as_the_controller], ids=["web", "controller"])


def written(cluster: Cluster, user: object, more: Mapping[str, Any] | None = None, **top: Any) -> Path:
    """Write a kubeconfig that trusts the stand-in; `more` is of its cluster, `top` of the whole file."""
    trusted = {"server": cluster.url, "certificate-authority": str(cluster.authority.certificate)}
    reached = {key: value for key, value in {**trusted, **(more or {})}.items() if value is not None}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [
            {"name": "elsewhere", "context": {"cluster": "elsewhere", "user": "nobody"}},
            {"name": "here", "context": {"cluster": "staging", "user": "bot"}},
        ],
        "clusters": [
            {"name": "elsewhere", "cluster": {"server": "https://127.0.0.1:9"}},
            {
                "name": "staging",
                "cluster": reached,
            },
        ],
        "users": [{"name": "nobody", "user": {}}, {"name": "bot", "user": user}],
    }
    return cluster.write("kubeconfig", yaml.safe_dump({**document, **top}))


def data(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")


def client_files(cluster: Cluster) -> tuple[Path, Path]:
    certificate, key = cluster.folder / "pki" / "bot.crt", cluster.folder / "pki" / "bot.key"
    if not certificate.exists():
        for signed, path in zip(cluster.authority.client("bot"), (certificate, key), strict=True):
            cluster.write(str(path.relative_to(cluster.folder)), signed.read_bytes())
    return certificate, key


def exec_of(command: str, version: str = V1, **more: Any) -> dict[str, Any]:
    mode = {"interactiveMode": "Never"} if version == V1 else {}
    return {"exec": {"apiVersion": version, "command": command, **mode, **more}}


Make = Callable[[Cluster], Path]
BASIC = "Basic " + base64.b64encode(b"bot:pa:ss").decode("ascii")

LOGINS: dict[str, tuple[Make, tuple[str, str]]] = {
    "a token": (lambda c: written(c, {"token": "t-1"}), ("Bearer t-1", "")),
    "a token in a file, with its end of line": (
        lambda c: written(c, {"tokenFile": str(c.write("token", "t-2\n"))}),
        ("Bearer t-2", ""),
    ),
    "a token in a file beside the kubeconfig": (
        lambda c: (c.write("tokens/bot", "t-3"), written(c, {"tokenFile": "tokens/bot"}))[1],
        ("Bearer t-3", ""),
    ),
    "both, of which the file is the one that is renewed": (
        lambda c: written(c, {"token": "old", "tokenFile": str(c.write("token", "t-4"))}),
        ("Bearer t-4", ""),
    ),
    "a password": (lambda c: written(c, {"username": "bot", "password": "pa:ss"}), (BASIC, "")),
    "a certificate in files beside the kubeconfig": (
        lambda c: (
            client_files(c),
            written(c, {"client-certificate": "pki/bot.crt", "client-key": "pki/bot.key"}),
        )[1],
        ("", "bot"),
    ),
    "a certificate as data, which counts before a file": (
        lambda c: written(
            c,
            {
                "client-certificate": "gone.crt",
                "client-certificate-data": data(client_files(c)[0]),
                "client-key-data": data(client_files(c)[1]),
            },
        ),
        ("", "bot"),
    ),
    "a certificate and a token": (
        lambda c: written(
            c,
            {
                "token": "t-5",
                "client-certificate-data": data(client_files(c)[0]),
                "client-key-data": data(client_files(c)[1]),
            },
        ),
        ("Bearer t-5", "bot"),
    ),
    "a plugin of v1": (
        lambda c: written(c, exec_of(c.plugin("login", credential(token="p-1")))),
        ("Bearer p-1", ""),
    ),
    "a plugin of v1beta1, with everything left empty as cloud tools write it": (
        lambda c: written(
            c,
            exec_of(
                c.plugin("login", credential(V1BETA1, token="p-2")),
                V1BETA1,
                args=None,
                env=None,
                interactiveMode="IfAvailable",
                provideClusterInfo=False,
            ),
        ),
        ("Bearer p-2", ""),
    ),
    "a plugin beside the kubeconfig": (
        lambda c: (c.plugin("bin/login", credential(token="p-3")), written(c, exec_of("./bin/login")))[1],
        ("Bearer p-3", ""),
    ),
    "a plugin that prints YAML, as scripts do": (
        lambda c: written(
            c,
            exec_of(
                c.plugin(
                    "login",
                    f"apiVersion: {V1}\nkind: ExecCredential\nstatus:\n  token: p-4\n"
                    "  expirationTimestamp: 2099-01-01T00:00:00Z\n",
                )
            ),
        ),
        ("Bearer p-4", ""),
    ),
    "a plugin that gives a certificate": (
        lambda c: written(
            c,
            exec_of(
                c.plugin(
                    "login",
                    credential(
                        clientCertificateData=client_files(c)[0].read_text(),
                        clientKeyData=client_files(c)[1].read_text(),
                    ),
                )
            ),
        ),
        ("", "bot"),
    ),
    "a token beside a plugin, which is not asked then": (
        lambda c: written(c, {"token": "t-6", **exec_of("no-such-program")}),
        ("Bearer t-6", ""),
    ),
    "a CA as data": (
        lambda c: written(
            c,
            {"token": "t-7"},
            {"certificate-authority": None, "certificate-authority-data": data(c.authority.certificate)},
        ),
        ("Bearer t-7", ""),
    ),
    "no CA, and no wish to check": (
        lambda c: written(
            c, {"token": "t-8"}, {"certificate-authority": None, "insecure-skip-tls-verify": True}
        ),
        ("Bearer t-8", ""),
    ),
    "a CA in a file beside the kubeconfig": (
        lambda c: (
            c.write("ca.crt", c.authority.certificate.read_bytes()),
            written(c, {"token": "t-9"}, {"certificate-authority": "ca.crt"}),
        )[1],
        ("Bearer t-9", ""),
    ),
    "a server with a path and a slash too many, as Rancher's": (
        lambda c: written(c, {"token": "t-10"}, {"server": f"{c.url}/k8s/clusters/c-1/"}),
        ("Bearer t-10", ""),
    ),
}


@BOTH
@pytest.mark.parametrize("name", LOGINS)
def test_a_login_is_shown_as_kubectl_shows_it(name: str, ask: Client, cluster: Cluster) -> None:
    make, expected = LOGINS[name]

    ask(make(cluster))

    assert cluster.came == [expected]


@BOTH
@pytest.mark.parametrize("cluster", [(NAMED,)], indirect=True)
def test_a_server_is_known_by_the_name_that_the_kubeconfig_says(ask: Client, cluster: Cluster) -> None:
    ask(written(cluster, {"token": "t"}, {"tls-server-name": NAMED}))

    assert cluster.came == [("Bearer t", "")]


@BOTH
@pytest.mark.parametrize("cluster", [(NAMED,)], indirect=True)
@pytest.mark.parametrize("more", [{}, {"tls-server-name": "other.example.com"}], ids=["its own", "another"])
def test_a_server_with_another_name_gets_no_login(
    more: dict[str, str], ask: Client, cluster: Cluster
) -> None:
    with pytest.raises(RemoteError):
        ask(written(cluster, {"token": "t"}, more))

    assert cluster.came == []


@BOTH
def test_a_server_that_another_ca_signed_gets_no_login(ask: Client, cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")

    with pytest.raises(RemoteError):
        ask(written(cluster, {"token": "t"}, {"certificate-authority": str(other.certificate)}))
    with pytest.raises(RemoteError):
        ask(written(cluster, {"token": "t"}, {"certificate-authority": None}))

    assert cluster.came == []


@BOTH
def test_a_ca_is_trusted_without_the_one_above_it(ask: Client, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "issuing").mkdir()
    cluster = Cluster(tmp_path, Authority(tmp_path / "issuing", Authority(tmp_path / "root")))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*cluster.authority.server("api-issued"))
    with served(cluster.handle, end_at_once(context)) as (cluster.url, _):
        ask(written(cluster, {"token": "t"}))

    assert cluster.came == [("Bearer t", "")]


def plain(user: object, more: Mapping[str, Any] | None = None, **top: Any) -> Make:
    return lambda cluster: written(cluster, user, more, **top)


def chosen(context: str) -> Make:
    return lambda cluster: written(cluster, TOKEN, None, **{"current-context": context})


def asking(answer: str, version: str = V1, **more: Any) -> Make:
    """Make a kubeconfig whose plugin prints `answer`."""
    return lambda cluster: written(cluster, exec_of(cluster.plugin("login", answer, **more), version))


TOKEN = {"token": "t"}
MISTAKES: dict[str, tuple[Make, str]] = {
    "no current-context, although one could guess": (
        chosen(""),
        "no current-context, so it is not known .* \\(elsewhere, here\\)",
    ),
    "a current-context that is none": (
        chosen("prod"),
        "current-context names prod, .* contexts; there are elsewhere, here",
    ),
    "a user that is none": (plain(TOKEN, users=[]), "the context here names bot, .* users; there are none"),
    "a cluster that is none": (plain(TOKEN, clusters=[]), "the context here names staging, .* clusters"),
    "a context without a user": (
        plain(TOKEN, contexts=[{"name": "here", "context": {"cluster": "staging"}}]),
        "no user.*system:anonymous",
    ),
    "a user without anything": (plain({}), "the user bot has no login: it would ask as system:anonymous"),
    "no mapping": (plain(TOKEN, contexts="here"), "its contexts are no list"),
    "a token of two lines": (plain({"token": "a\nb"}), "token has characters that no token has"),
    "a token and a password": (plain({"token": "a", "username": "b"}), "a token and a password"),
    "a token's file that is not there": (
        plain({"tokenFile": "gone"}),
        "tokenFile: .*/gone cannot be read: No such",
    ),
    "a token's file with nothing in it": (
        lambda c: written(c, {"tokenFile": str(c.write("token", "\n"))}),
        "tokenFile: .*/token is empty",
    ),
    "a certificate without its key": (
        lambda c: written(c, {"client-certificate-data": data(client_files(c)[0])}),
        "the user bot has no client-key",
    ),
    "a key of another certificate": (
        lambda c: written(
            c,
            {
                "client-certificate-data": data(client_files(c)[0]),
                "client-key-data": data(c.authority.client("other")[1]),
            },
        ),
        "client certificate and its key cannot be used",
    ),
    "a certificate that is none": (
        plain({"client-certificate-data": "bm8=", "client-key-data": "bm8="}),
        "client certificate and its key",
    ),
    "no base64": (plain({**TOKEN, "client-key-data": "%"}), "client-key-data is not a PEM file in base64"),
    "a CA that is none": (
        plain(TOKEN, {"certificate-authority-data": "bm8="}),
        "no certificate that can be read",
    ),
    "a CA that is not there": (
        plain(TOKEN, {"certificate-authority": "gone"}),
        "certificate-authority: .*/gone",
    ),
    "a CA that is not to be asked": (
        plain(TOKEN, {"insecure-skip-tls-verify": True}),
        "certificate-authority and insecure-skip-tls-verify",
    ),
    "a truth that is a text": (plain(TOKEN, {"insecure-skip-tls-verify": "false"}), "must be true or false"),
    "a server that is no address": (plain(TOKEN, {"server": "10.0.0.1:6443"}), "server must be an address"),
    "a server with a login in its address": (
        plain(TOKEN, {"server": "https://bot:hush@10.0.0.1:6443"}),
        "the cluster staging: server has a login in its address: write it under the user",
    ),
    "no server": (plain(TOKEN, {"server": None}), "server must be an address"),
    "a proxy that cannot be gone through": (
        plain(TOKEN, {"proxy-url": "socks5://user:hush@proxy:1080"}),
        "proxy-url has socks5://",
    ),
    "somebody else to act as": (plain({**TOKEN, "as": "admin"}), "asks to act `as` somebody else"),
    "a provider that is gone": (
        plain({"auth-provider": {"name": "gcp", "config": {}}}),
        r"auth-provider \(gcp\).* gke-gcloud-auth-plugin",
    ),
    "a plugin that is not there": (
        plain(exec_of("kubelogin", installHint="Install it from\nhttps://example.com")),
        "cluster.kubeconfig: the program kubelogin, which is to give the login, cannot be started "
        r"\(No such file or directory\): Install it from https://example.com",
    ),
    "a plugin beside the file that is not there": (
        plain(exec_of("bin/login")),
        "the program /.*/bin/login, .* cannot",
    ),
    "a plugin that nobody may start": (
        lambda c: written(c, exec_of(str(c.write("login", "#!/bin/sh\n")))),
        r"cannot be started \(Permission denied\)",
    ),
    "a plugin that fails": (
        asking("", says="You are not signed in.", code=3),
        "login, .* ended with 3: You are not signed in.",
    ),
    "a plugin that fails in silence": (asking("", code=1), "ended with 1: it said nothing"),
    "a plugin that prints nothing": (asking(""), "printed nothing"),
    "a plugin that prints no JSON": (asking("Please sign in at …"), "printed what is no JSON"),
    "a plugin that prints another thing": (asking('{"kind": "Pod"}'), "printed no ExecCredential"),
    "a plugin that prints a list": (asking("[]"), "printed no ExecCredential"),
    "a plugin of another version": (
        asking(credential(V1BETA1, token="a")),
        f"answers in the apiVersion {V1BETA1}, and the kubeconfig wants {V1}",
    ),
    "a plugin without a status": (
        asking(json.dumps({"apiVersion": V1, "kind": "ExecCredential"})),
        "without a status",
    ),
    "a plugin that gives nothing": (asking(credential()), "neither a token nor a certificate"),
    "a plugin that gives half": (asking(credential(clientCertificateData="a")), "gave no clientKeyData"),
    "a plugin that gives no certificate in truth": (
        asking(credential(clientCertificateData="a", clientKeyData="b")),
        "client certificate and its key cannot",
    ),
    "a plugin that gives two lines": (asking(credential(token="a\nb")), "characters that no token has"),
    "a plugin that has no end": (
        asking(credential(token="a", expirationTimestamp="soon")),
        "no time that can be read when its login ends",
    ),
    "a version that is gone": (
        plain(exec_of("aws", "client.authentication.k8s.io/v1alpha1")),
        "the apiVersion client.*v1alpha1; it may be",
    ),
    "v1 without a mode": (plain({"exec": {"apiVersion": V1, "command": "a"}}), "needs an interactiveMode"),
    "a plugin that wants to ask somebody": (
        plain(exec_of("az", V1BETA1, interactiveMode="Always")),
        r"az wants to ask somebody .*interactiveMode: Always",
    ),
    "no command": (plain(exec_of("")), "names no command"),
}


@BOTH
@pytest.mark.parametrize("name", MISTAKES)
def test_what_gives_no_login_keeps_it_from_starting(name: str, ask: Client, cluster: Cluster) -> None:
    make, words = MISTAKES[name]

    with pytest.raises(SettingsError, match=words) as refused:
        ask(make(cluster))

    (problem,) = refused.value.problems
    assert problem.startswith("cluster.kubeconfig") and "\n" not in problem
    assert "hush" not in problem
    assert cluster.came == []


@BOTH
def test_a_plugin_is_told_of_the_cluster_if_it_wants_to_know(ask: Client, cluster: Cluster) -> None:
    command = cluster.plugin("login", credential(token="p"))
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "staging"}}
    user = exec_of(
        command,
        args=["get-token", "--id", 7],
        env=[{"name": "GIVEN", "value": "by the kubeconfig"}],
        provideClusterInfo=True,
    )

    ask(written(cluster, user, {"extensions": [extension]}))

    ((arguments, info, given, folder),) = cluster.calls
    assert (arguments, given, folder) == ("get-token --id 7", "by the kubeconfig", os.getcwd())
    assert (info["kind"], info["apiVersion"]) == ("ExecCredential", V1)
    assert info["spec"] == {
        "interactive": False,
        "cluster": {
            "server": cluster.url,
            "certificate-authority-data": data(cluster.authority.certificate),
            "config": {"audience": "staging"},
        },
    }


@BOTH
def test_a_plugin_is_told_nothing_of_previewbots_own(
    ask: Client, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREVIEWBOT_GITHUB__PRIVATE_KEY", "hush")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    path = cluster.plugin("login", credential(token="p"))
    Path(path).write_text(f"#!/bin/sh\nenv >{cluster.folder}/env\n" + Path(path).read_text())

    ask(written(cluster, exec_of(path)))

    told = (cluster.folder / "env").read_text()
    assert "hush" not in told and "PREVIEWBOT_" not in told and "AWS_REGION=eu-central-1" in told


@BOTH
def test_a_plugin_is_told_nothing_that_it_did_not_ask_for(ask: Client, cluster: Cluster) -> None:
    ask(written(cluster, exec_of(cluster.plugin("login", credential(token="p")))))

    ((_, info, _, _),) = cluster.calls
    assert info["spec"] == {"interactive": False}


@BOTH
def test_a_login_that_is_refused_is_asked_for_once_more_and_then_shown(ask: Client, cluster: Cluster) -> None:
    first, second = credential(token="revoked"), credential(token="fresh")
    command = cluster.write("answers/1", first).parent / "login"
    words = (
        f"#!/bin/sh\ncat {command.parent}/1\nmv {command.parent}/2 {command.parent}/1 2>/dev/null || true\n"
    )
    cluster.write("answers/2", second)
    cluster.write("answers/login", words, 0o700)
    cluster.refuses.add("Bearer revoked")

    ask(written(cluster, exec_of(str(command))))

    assert cluster.came == [("Bearer revoked", ""), ("Bearer fresh", "")]


@BOTH
def test_another_certificate_is_shown_on_connections_of_its_own(ask: Client, cluster: Cluster) -> None:
    for name in ("1", "2"):
        certificate, key = cluster.authority.client(f"bot-{name}")
        given = credential(clientCertificateData=certificate.read_text(), clientKeyData=key.read_text())
        cluster.write(f"answers/{name}", given)
    folder = cluster.folder / "answers"
    command = cluster.write("answers/login", f"#!/bin/sh\ncd {folder} && cat 1\nmv 2 1 || true\n", 0o700)
    cluster.refuses.add("bot-1")

    ask(written(cluster, exec_of(str(command))))

    assert cluster.came == [("", "bot-1"), ("", "bot-2")]


def test_probes_say_that_nobody_knows_us_and_that_a_restart_may_help(cluster: Cluster) -> None:
    client = PagesClient(written(cluster, TOKEN), user_agent="test", budget=20)
    refused_for = 0.0
    probes = create_probes(
        client, CollectorRegistry(), refused_for=lambda: client.refused_for() and refused_for, progress=300
    ).test_client()

    cluster.refuses.add("Bearer t")
    assert not client.ready() and client.refused_for() > 0
    refused_for = 299.0
    assert probes.get("/readyz").text == "the API server does not accept previewbot's login (401)"
    assert probes.get("/healthz").status_code == 200
    refused_for = 301.0
    assert (probes.get("/healthz").status_code, "login" in probes.get("/healthz").text) == (503, True)

    cluster.refuses.clear()
    client.get_preview("gh-812-42")
    assert (client.refused_for(), probes.get("/healthz").status_code) == (0.0, 200)
    client.close()


@BOTH
def test_a_login_that_stays_refused_is_not_asked_for_without_end(ask: Client, cluster: Cluster) -> None:
    command = cluster.plugin("login", credential(token="revoked"))
    cluster.refuses.add("Bearer revoked")

    with pytest.raises(RemoteError, match="401 Unauthorized"):
        ask(written(cluster, exec_of(command)))

    assert len(cluster.calls) == 2
    assert cluster.came == [("Bearer revoked", "")]
