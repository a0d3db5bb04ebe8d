"""The route that the doctor makes: taken away whatever happens, and never somebody else's that is at work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from previewbot.api import Why
from previewbot.clients.kubernetes.examining import ExaminedKube
from previewbot.clients.links import Links
from previewbot.config.server import GatewaySettings, Settings
from previewbot.doctor import probing_judged
from previewbot.doctor.check import Check, State
from previewbot.doctor.examination import Secrets, questions_about
from previewbot.doctor.probing import OfRoutes
from previewbot.engine import no_preview, probe
from previewbot.rules.link_answers import Answer
from previewbot.rules.proxies import DIRECTLY, Proxies, read_proxies
from previewbot_demo.faults import Call
from previewbot_demo.kube import FakeKube
from tests.support import passes
from tests.support.kubeconfigs import write_kubeconfig
from tests.support.servers import served

SETTINGS = Settings.model_validate(passes.SETTINGS)
GATEWAY = GatewaySettings.model_validate(passes.SETTINGS["links"]["gateway"])
NAME = "links: a route in staging"


PROBE, NOBODY = probe.page_of(SETTINGS.public_url), no_preview.page_of(SETTINGS.public_url)


def leading_to(page: str) -> Answer:
    parts = urlsplit(page)
    return Answer(302, leads_to=parts.netloc, leads_to_path=parts.path)


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (leading_to(PROBE), State.OK, "as its route says"),
        # The route for hosts without a preview leads to web, too.
        (leading_to(NOBODY), State.WRONG, "does not follow them in time"),
        (leading_to("https://elsewhere.example.com/p/0/0"), State.WRONG, "to elsewhere.example.com"),
        (Answer(404), State.WRONG, "answers 404"),
    ],
)
def test_the_probes_address_must_lead_to_its_very_page(answer: Answer, state: State, words: str) -> None:
    check = probing_judged.link(answer, GATEWAY, SETTINGS.public_url)

    assert check.state is state
    assert words in check.words


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (leading_to(NOBODY), State.OK, "which says what to do"),
        (leading_to(PROBE), State.NOTE, "noPreviewRoute"),
        (Answer(404), State.NOTE, "answers 404: so does the link of a preview that is gone"),
        (Answer(302, leads_to="sign-in.example.com"), State.NOTE, "to sign-in.example.com"),
        (Answer(failure=Why.TOO_LATE), State.NOT_CHECKED, "nobody answers"),
    ],
)
def test_what_a_host_without_a_preview_answers_is_told_and_never_wrong(
    answer: Answer, state: State, words: str
) -> None:
    check = probing_judged.without_preview(answer, "https://nobody.preview.example.com/", SETTINGS.public_url)

    assert check.state is state
    assert words in check.words


class Steps:
    """A clock that goes on by some seconds each time somebody looks."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self._now = datetime.now(UTC) + ahead

    def __call__(self) -> datetime:
        self._now += timedelta(seconds=6)
        return self._now


class World:
    """An API server whose Gateway says nothing of any route, and the doctor's client of it."""

    def __init__(self, fake: FakeKube, client: ExaminedKube) -> None:
        self.fake, self.client = fake, client

    async def look(self, ahead: timedelta = timedelta()) -> Check:
        asking = OfRoutes(lambda: self.client, Links("tests"), SETTINGS, GATEWAY, Steps(ahead))
        [question] = [each for each in asking.questions() if each.name == NAME]
        [check] = await question.ask()
        return check

    @property
    def routes(self) -> list[str]:
        return [each["metadata"]["uid"] for each in self.fake.objects("httproutes")]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    fake = FakeKube()
    with served(fake.handle) as (url, _):
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", url)
        client = await ExaminedKube.connect(kubeconfig, user_agent="tests")
        yield World(fake, client)
        await client.close()


async def test_a_gateway_that_says_nothing_is_told_of_and_no_route_stays(world: World) -> None:
    check = await world.look()

    assert (check.state, world.routes) == (State.WRONG, [])
    assert "nobody says anything of it" in check.words


async def test_that_of_another_doctor_at_work_is_left_alone(world: World) -> None:
    world.fake.seed(probe.probe(GATEWAY, "staging", SETTINGS.public_url))
    before = world.routes

    check = await world.look()

    assert check.state is State.NOT_CHECKED
    assert "another previewbot doctor" in check.words
    assert world.routes == before


async def test_what_a_doctor_left_that_was_killed_the_next_one_takes_away(world: World) -> None:
    world.fake.seed(probe.probe(GATEWAY, "staging", SETTINGS.public_url))

    check = await world.look(ahead=timedelta(minutes=3))

    assert "nobody says anything of it" in check.words
    assert world.routes == []


async def test_one_that_cannot_be_taken_away_is_named_with_what_removes_it(world: World) -> None:
    async def refusing(call: Call) -> web.StreamResponse | None:
        return web.json_response({"message": "no"}, status=403) if call.method == "DELETE" else None

    world.fake.faults.before = refusing

    check = await world.look()

    assert check.state is State.WRONG
    assert "kubectl --namespace staging delete httproute previewbot-doctor" in check.words


async def test_it_is_taken_away_when_reading_it_fails(world: World) -> None:
    async def refusing(call: Call) -> web.StreamResponse | None:
        return web.json_response({"message": "no"}, status=403) if call.method == "GET" else None

    world.fake.faults.before = refusing

    check = await world.look()

    assert check.state is State.WRONG
    assert world.routes == []


async def test_it_is_taken_away_where_the_answer_to_its_making_was_lost(world: World) -> None:
    async def lost(call: Call) -> web.StreamResponse | None:
        return web.json_response({"message": "no"}, status=504) if call.method == "POST" else None

    world.fake.faults.after = lost

    check = await world.look()

    assert check.state is State.WRONG
    assert "504" in check.words
    assert world.routes == []


async def test_the_probe_is_asked_through_the_controller_s_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Proxies] = []

    def links(user_agent: str, *, proxies: Proxies = DIRECTLY) -> Links:
        given.append(proxies)
        return Links(user_agent, proxies=proxies)

    monkeypatch.setattr("previewbot.doctor.examination.Links", links)
    proxies = read_proxies({"HTTPS_PROXY": "http://proxy.corp.example.com:3128"})
    async with questions_about(SETTINGS, Secrets(), Steps(), proxies) as questions:
        assert NAME in [question.name for question in questions]

    assert given == [proxies]
