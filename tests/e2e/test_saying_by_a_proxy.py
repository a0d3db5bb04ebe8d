"""People who come by a sign-on proxy, through real processes: a proxy, and pages as gunicorn serves it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape

import aiohttp
import pytest
import pytest_asyncio
import yaml

from previewbot.text.quotes import parse_quote
from previewbot_demo.world import Options
from tests.support.sign_on import COOKIE, HEADER, NAME_HEADER, SignOn, by_signature, sign_on
from tests.support.worlds import Pull, Scene, scene, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

HIDDEN = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"')


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[SignOn]:
    async with sign_on(may_extend=True) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(proxy: SignOn) -> AsyncIterator[Scene]:
    # The listing comes once a minute at most: what is seen sooner the request itself brought about.
    settings = {"listing": {"interval": "1m"}, **proxy.settings}
    async with scene(Options(build_seconds=0.2, settings=settings)) as built:
        proxy.pages_port = built.world.bot.pages_port
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pull(town: Scene) -> Pull:
    found = town.open()
    await found.ready()
    return found


async def send(
    town: Scene, url: str, what: str, values: dict[str, str], who: str = "pia", site: str = "same-origin"
) -> tuple[int, str]:
    """Fill in the form of a page as somebody whom the proxy knows; return the status, and where it leads."""
    cookies = {"Cookie": f"{COOKIE}={who}"}
    async with town.http.get(url, headers=cookies) as page:
        text = await page.text()
        assert page.status == 200, text
    hidden = {name: unescape(value) for name, value in HIDDEN.findall(text)}
    async with town.http.post(
        f"{url}/{what}",
        data=hidden | values,
        headers={**cookies, "Sec-Fetch-Site": site},
        allow_redirects=False,
    ) as answer:
        return answer.status, answer.headers.get("Location", "")


def address(proxy: SignOn, pull: Pull) -> str:
    return f"{proxy.url}/p/812/{pull.number}"


def quoted(pull: Pull) -> list[tuple[str, str]]:
    """Return whom the App quotes on the pull request itself, and with which words."""
    comments = pull.world.github.comments(pull.number, pull.repository)
    found = [parse_quote(each.body) for each in comments if each.by_app]
    return [(each.name, each.words) for each in found if each is not None]


async def is_quoted(pull: Pull, *said: tuple[str, str]) -> None:
    await until("a quotation", lambda: sorted(quoted(pull)) == sorted(said), lambda: quoted(pull))


async def test_somebody_is_led_through_the_proxy_and_quoted_on_the_pull_request(
    town: Scene, proxy: SignOn, pull: Pull
) -> None:
    url = address(proxy, pull)
    assert f"[Say what you think]({url})" in pull.comment
    async with town.http.get(url, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"].startswith("/sign-on?to=")) == (302, True)

    status, led_to = await send(town, url, "verdict", {"says": "work", "words": "@maria, the sum is wrong."})

    assert status == 303
    async with town.http.get(f"{proxy.url}{led_to}", headers={"Cookie": f"{COOKIE}=pia"}) as page:
        assert "previewbot quotes you under your name" in await page.text()
    await is_quoted(pull, ("Pia Müller", "@maria, the sum is wrong."))
    await until(
        "the line", lambda: "**Pia Müller** (not a GitHub account): [needs work](" in pull.comment,
        lambda: pull.comment,
    )  # fmt: skip
    headers = {"Cookie": f"{COOKIE}=quentin"}
    async with town.http.get(f"{url}.json", headers=headers) as told:
        [verdict] = (await told.json())["verdicts"]
    assert (verdict["by_proxy"], verdict["counts"]) == (True, False)
    assert verdict["login"] == "Pia Müller (not a GitHub account)"
    assert pull.answers == []


async def test_two_hours_longer(town: Scene, proxy: SignOn, pull: Pull) -> None:
    before = pull.status["lifecycle"]["expiresAt"]

    status, _ = await send(town, address(proxy, pull), "ask", {"asked": "extend"})

    assert status == 303
    await until("a later end", lambda: pull.status["lifecycle"]["expiresAt"] > before, lambda: pull.status)
    assert (await send(town, address(proxy, pull), "ask", {"asked": "stop"}))[0] == 403


async def test_whoever_goes_past_the_proxy_or_comes_from_elsewhere_is_nobody(
    town: Scene, proxy: SignOn, pull: Pull
) -> None:
    url, before = address(proxy, pull), quoted(pull)
    assert (await send(town, url, "verdict", {"says": "good"}, site="same-site"))[0] == 403
    forged = {HEADER: "pia@acme.example", NAME_HEADER: "Pia", "Sec-Fetch-Site": "same-origin"}
    for port in (town.world.bot.pages_port, town.world.bot.front_port):
        past = f"http://127.0.0.1:{port}/p/812/{pull.number}"
        async with town.http.get(past, headers=forged) as page:
            assert page.status == 404
        async with town.http.post(f"{past}/verdict", data={"says": "good"}, headers=forged) as answer:
            assert answer.status == 403
    # What a visitor says of themselves the proxy takes out.
    async with town.http.get(url, headers={**forged, "Cookie": f"{COOKIE}=quentin"}) as page:
        assert "You are here as Quentin (not a GitHub account)" in await page.text()
    assert quoted(pull) == before


async def test_what_was_said_while_no_controller_ran_is_quoted_once(town: Scene, proxy: SignOn) -> None:
    pull = town.open()
    await pull.ready()
    await town.world.bot.kill_controller()
    for _ in range(2):
        status, _ = await send(town, address(proxy, pull), "verdict", {"says": "good", "form": "0" * 32})
        assert status == 303
    await town.world.bot.start_controller()

    await is_quoted(pull, ("Pia Müller", ""))
    await until("the line", lambda: "[looks good](" in pull.comment, lambda: pull.comment)
    assert len(quoted(pull)) == 1


async def test_two_people_of_one_name_are_two_and_neither_takes_back_what_the_other_said(
    town: Scene, proxy: SignOn
) -> None:
    pull = town.open()
    await pull.ready()
    url = address(proxy, pull)
    assert (await send(town, url, "verdict", {"says": "work", "words": "Too wide."}))[0] == 303
    await is_quoted(pull, ("Pia Müller", "Too wide."))

    assert (await send(town, url, "verdict", {"says": "good"}, "namesake"))[0] == 303

    # Also in the pass that reads both comments from GitHub.
    await until(
        "the second of that name", lambda: "**Pia Müller (2)** (not a GitHub account)" in pull.comment,
        lambda: pull.comment,
    )  # fmt: skip
    verdicts = pull.status["verdicts"]
    assert len({each["mark"] for each in verdicts} - {""}) == 2
    assert not any(each.get("replaced") for each in verdicts)


async def test_a_proxy_that_signs_is_believed_by_its_signature_alone(
    town: Scene, proxy: SignOn, pull: Pull
) -> None:
    bot = town.world.bot
    proxy.says = by_signature
    await bot.stop_pages()
    (bot.directory / "settings.yaml").write_text(yaml.safe_dump(bot.all_settings | proxy.settings))
    await bot.start_pages()
    before = quoted(pull)

    status, _ = await send(
        town, address(proxy, pull), "verdict", {"says": "good", "words": "Fine."}, "quentin"
    )

    assert status == 303
    await is_quoted(pull, *before, ("Quentin", "Fine."))
    # From the proxy's own address, and not signed.
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=connector) as http:
        past = f"http://127.0.0.1:{bot.pages_port}/p/812/{pull.number}"
        async with http.get(past, headers={HEADER: "pia@acme.example"}) as page:
            assert page.status == 404
