"""Doctor and explain ask a link as the controller does: through the proxy that there is for its host."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from previewbot.api.reference import Reference
from previewbot.clients.links import Links, Question
from previewbot.config.server import Settings
from previewbot.doctor import examination, explaining
from previewbot.doctor.examination import Secrets, questions_about
from previewbot.doctor.explaining import CannotExplain, foresee
from previewbot.doctor.probing import OfRoutes
from previewbot.rules.proxies import Proxies, read_proxies
from tests.support import passes
from tests.support.forward_proxy import forward_proxy
from tests.support.github_town import private_pem
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.servers import served

HOST = "shop-1.preview.corp.example"
"""A name that only the proxy knows."""


async def of_doctor(settings: Settings, proxies: Proxies, monkeypatch: pytest.MonkeyPatch) -> Links:
    found: list[Links] = []

    def of_routes(kube: Any, links: Links, *others: Any) -> OfRoutes:
        found.append(links)
        return OfRoutes(kube, links, *others)

    monkeypatch.setattr(examination, "OfRoutes", of_routes)
    async with questions_about(settings, Secrets(), lambda: datetime.now(UTC), proxies):
        return found.pop()


async def of_explain(settings: Settings, proxies: Proxies, monkeypatch: pytest.MonkeyPatch) -> Links:
    found: list[Links] = []

    async def foreseen(seen: Any, reference: Reference) -> None:
        found.append(seen.links)
        raise CannotExplain

    monkeypatch.setattr(explaining, "_foreseen", foreseen)
    with pytest.raises(CannotExplain):
        reference = Reference("acme/shop", 1)
        await foresee(reference, settings, private_pem(), lambda: datetime.now(UTC), proxies)
    return found.pop()


@pytest.mark.parametrize("links_of", [of_doctor, of_explain])
async def test_a_link_is_asked_through_the_proxy(
    links_of: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        agents.append(request.headers["User-Agent"])
        return web.Response()

    kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:9")
    settings = Settings.model_validate(
        {**passes.SETTINGS, "cluster": {"namespaces": ["staging"], "kubeconfig": kubeconfig}}
    )
    with served(answer) as (url, _), forward_proxy(hosts={HOST: int(url.rpartition(":")[2])}) as proxy:
        links = await links_of(settings, read_proxies({"HTTP_PROXY": proxy.url}), monkeypatch)
        found = await links.ask(Question(f"http://{HOST}/"))

    assert (found.status, proxy.asked) == (200, [f"GET http://{HOST}/"])
    assert agents == ["previewbot-doctor (asks whether a link works)"]
