"""The real processes in a company's network: GitHub behind a proxy and a private CA, and logins that end.

GitHub is at a name that only the proxy knows. The API server takes what a program of the kubeconfig gives,
for some seconds each, and no more than that.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from aiohttp import web

from previewbot.clients.tls import end_at_once
from previewbot_demo.bot import PROCESSES
from previewbot_demo.processes import Child, spawn
from previewbot_demo.world import Options, World
from tests.support.forward_proxy import ForwardProxy, forward_proxy
from tests.support.pki import Authority
from tests.support.proxies import Forwarder
from tests.support.servers import served
from tests.support.worlds import Scene, until

pytestmark = pytest.mark.timeout(120)

GITHUB = "github.corp.example"
_SECONDS = 4
_UNDER_WAY = 15.0
"""So long a request may take, in seconds, that was sent while its token counted: a machine may be busy."""

_PLUGIN = """#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >>{notes}
end=$(($(date +%s) + {seconds}))
printf '{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": '
ends=$(date -u -d @$end +%Y-%m-%dT%H:%M:%SZ)
printf '{{"token": "until-%s-%s", "expirationTimestamp": "%s"}}}}' $end $$ "$ends"
"""
_HOP_BY_HOP = frozenset({"connection", "host", "keep-alive", "transfer-encoding", "content-length"})


@dataclass
class ApiServer:
    """Takes tokens until their end, and passes on what they ask; notes who showed which."""

    forwarder: Forwarder
    shown: dict[str, set[str]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        told = request.headers.get("User-Agent", "")
        agent = next((name for name in ("web", "pages") if name in told), "controller")
        parts = token.split("-")
        if len(parts) != 3 or float(parts[1]) + _UNDER_WAY < time.time() or token in self.revoked:
            self.refused.append(f"{agent} {token or 'nobody'}")
            return web.json_response({"message": "Unauthorized"}, status=401)
        self.shown.setdefault(agent, set()).add(token)
        return await self.forwarder.handle(request)

    def revoke(self) -> None:
        """Take no token any more that was shown until now."""
        self.revoked |= {token for tokens in self.shown.values() for token in tokens}


@dataclass
class Company:
    """How the processes are started there."""

    directory: Path
    authority: Authority
    proxy: ForwardProxy
    login: str = ""
    port: int = 0
    api: ApiServer | None = None
    api_url: str = ""

    async def spawn(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
    ) -> Child:
        _, _, _, name, *_ = command
        plugin = self.directory / f"{name}-login"
        plugin.write_text(_PLUGIN.format(notes=self.directory / f"{name}.calls", seconds=_SECONDS))
        plugin.chmod(0o700)
        kubeconfig = self.directory / f"{name}.kubeconfig"
        user = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": f"./{name}-login",
                "interactiveMode": "Never",
                "provideClusterInfo": True,
            }
        }
        document = {
            "current-context": "a",
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "clusters": [
                {
                    "name": "a",
                    "cluster": {
                        "server": self.api_url,
                        "certificate-authority": str(self.authority.certificate),
                    },
                }
            ],
            "users": [{"name": "a", "user": user}],
        }
        kubeconfig.write_text(yaml.safe_dump(document))
        used = dict(environment) | {
            "HTTPS_PROXY": self.proxy.url.replace("://", f"://{self.login}"),
            "NO_PROXY": "10.0.0.0/8,.svc,.cluster.local",
            "PREVIEWBOT_GITHUB__API_URL": f"https://{GITHUB}/api/v3",
            "PREVIEWBOT_GITHUB__CA_FILE": str(self.authority.certificate),
            "PREVIEWBOT_CLUSTER__KUBECONFIG": str(kubeconfig),
        }
        return await spawn(command, used, directory, log)

    def calls(self, name: str) -> list[str]:
        """Return what a process' program was told, each time it was asked."""
        return (self.directory / f"{name}.calls").read_text().splitlines()


def tls(authority: Authority, *names: str) -> ssl.SSLContext:
    certificate, key = authority.server("-".join(names) or "here", *names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return end_at_once(context)


@asynccontextmanager
async def a_company(directory: Path, **proxy: Any) -> AsyncIterator[tuple[Scene, Company]]:
    """Run the world with all processes in such a network."""
    authority = Authority(directory)
    where: dict[str, str] = {}

    async def github(request: web.Request) -> web.StreamResponse:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP}
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method,
                where["world"] + request.raw_path,
                headers=headers,
                data=await request.read(),
                allow_redirects=False,
            ) as answer,
        ):
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, headers=kept, body=await answer.read())

    async def api_server(request: web.Request) -> web.StreamResponse:
        assert company.api is not None
        return await company.api.handle(request)

    with (
        served(github, tls(authority, GITHUB)) as (github_url, _),
        served(api_server, tls(authority)) as (api_url, thread),
        forward_proxy(hosts={GITHUB: int(github_url.rpartition(":")[2])}, **proxy) as forward,
    ):
        company = Company(directory, authority, forward, api_url=api_url)
        company.login = "bot:hush@" if proxy.get("login") else ""
        options = Options(build_seconds=0.3, processes=False, spawn=company.spawn)
        async with World(options) as world, aiohttp.ClientSession() as http:
            where["world"] = world.url
            company.api = ApiServer(Forwarder(world.url, world.token, authority.certificate))
            try:
                await world.bot.start()
                yield Scene(world, http), company
            finally:
                await world.bot.stop()
                thread.call(company.api.forwarder.close())


async def renewed(town: Scene, company: Company, times: int) -> None:
    """Wait until all have shown so many logins; web and pages ask only when they are asked, as by probes."""
    assert company.api is not None
    ports = (town.world.bot.web_probe_port, town.world.bot.pages_probe_port)
    async with asyncio.timeout(60):
        while any(len(company.api.shown.get(name, ())) < times for name in PROCESSES):
            for port in ports:
                async with town.http.get(f"http://127.0.0.1:{port}/readyz") as answer:
                    assert (answer.status, company.api.refused) == (200, [])
            await asyncio.sleep(0.1)


async def test_a_preview_comes_and_goes_while_logins_end_and_github_is_behind_a_proxy(tmp_path: Path) -> None:
    async with a_company(tmp_path, login="Basic Ym90Omh1c2g=") as (town, company):
        assert company.api is not None
        pull = town.open()
        await pull.ready()
        await renewed(town, company, 4)
        # By then every login of the start has ended.
        written = pull.write("/preview stop")
        await pull.reacted(written, "rocket")
        await until("the end of its sessions", lambda: not pull.sessions)

        assert company.api.refused == []
        assert {line.split()[0] for line in company.proxy.asked} == {"CONNECT"}
        assert {line.split()[1] for line in company.proxy.asked} == {f"{GITHUB}:443"}
        assert b"Bearer" not in company.proxy.heard and b"Proxy-Authorization" not in company.proxy.heard
        for name in ("web", "controller"):
            said = (town.world.directory / f"{name}.log").read_text()
            assert "until-" not in said and "hush" not in said
            assert all('"server": "' + company.api_url in told for told in company.calls(name))


async def test_logins_that_are_revoked_are_asked_for_anew_by_both(tmp_path: Path) -> None:
    async with a_company(tmp_path) as (town, company):
        assert company.api is not None
        pull = town.open()
        await pull.ready()

        company.api.revoke()
        written = pull.write("/preview stop")
        await pull.reacted(written, "rocket")

        assert {line.split()[0] for line in company.api.refused} <= {"web", "controller"}
        assert not [line for line in company.api.refused if "nobody" in line]


async def test_what_the_proxy_refuses_is_said_as_its_answer_and_goes_on_by_itself(tmp_path: Path) -> None:
    # From the start: a tunnel that is there already stays.
    async with a_company(tmp_path, refuses=407) as (town, company):
        pull = town.open()
        words = f"the proxy {company.proxy.url} answered 407: it wants a login, or another one"
        await until(
            "the proxy's refusal in the log",
            lambda: [line for line in town.log("controller") if words in str(line.get("error"))],
            lambda: town.log("controller")[-3:],
        )

        company.proxy.refuses = 0
        await pull.ready()
