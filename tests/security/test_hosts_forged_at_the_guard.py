"""What lets somebody into one preview opens no other, however the host of the other is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from previewbot.config.server import GatewaySettings
from previewbot.engine.guarded import key_of_address, key_of_host
from previewbot.people.passes import COOKIE, WAY_COOKIE, Passes, new_nonce, way_of
from previewbot.rules.environment_keys import environment_key
from previewbot.rules.guard_bearers import Standing, signed, standing
from tests.support.guarded import DOMAIN, KEYS, NAVIGATES, Guarded, links
from tests.support.previews import NOW
from tests.support.web_doors import Door, a_door

MINE, OTHERS = (environment_key("github.com", 812, number, "acme/shop") for number in (42, 43))
GATEWAY = GatewaySettings.model_validate(links()["gateway"])
SITES = {asks: Guarded(asks=asks) for asks in ("Host", "X-Forwarded-Host")}
PASSES, NONCE = Passes(lambda: KEYS, lambda: NOW), new_nonce()
LATER = NOW + timedelta(hours=1)
HOST = f"{MINE}.{DOMAIN}"
COOKIES = f"{COOKIE}={PASSES.cookie(HOST, LATER)}; {WAY_COOKIE}={NONCE}"
TICKET = PASSES.ticket(HOST, way_of(NONCE))
BEARER = signed(KEYS, MINE, DOMAIN, LATER)

NAMES = st.sampled_from(
    [MINE, OTHERS, MINE.upper(), f"x.{MINE}", f"{OTHERS}.{MINE}", f"{MINE}{OTHERS}", "www", ""]
)
DOMAINS = st.sampled_from(
    [DOMAIN, DOMAIN.upper(), f"{DOMAIN}.", f"{DOMAIN}.evil.example", "evil.example", ""]
)
BEFORE = st.sampled_from(["", " ", "\t", f"{HOST}@", f"{HOST},", f"{HOST}, ", f"{HOST} ", "//", "."])
AFTER = st.sampled_from(
    ["", ".", ":443", ":", ":443:443", ":x", " ", f",{HOST}", f", {HOST}", f"@{HOST}", "\x00", "é"]
)
FORMS = st.builds("{}{}.{}{}".format, BEFORE, NAMES, DOMAINS, AFTER)


@pytest.mark.parametrize("asks", list(SITES))
@pytest.mark.parametrize("sends", ["cookie", "ticket", "bearer", "bearer in the address"])
@given(form=FORMS, true=st.sampled_from(["", OTHERS]))
@example(form=f"{OTHERS}.{DOMAIN}", true="")
@example(form=HOST, true=OTHERS)
@example(form=HOST, true="")
@example(form=HOST.upper(), true="")
@example(form=f"{HOST}:443", true="")
@example(form=f"{HOST}.", true="")
@example(form=f"{HOST},{OTHERS}.{DOMAIN}", true="")
@example(form=f"{HOST}@{OTHERS}.{DOMAIN}", true="")
def test_only_the_one_host_is_opened_however_another_is_written(
    asks: str, sends: str, form: str, true: str
) -> None:
    client = SITES[asks].app.test_client(use_cookies=False)
    within = {
        "ticket": f"/?previewbot_ticket={TICKET}",
        "bearer in the address": f"/?previewbot_bearer={BEARER}",
    }
    path = within.get(sends, "/")
    headers = dict(NAVIGATES)
    if sends == "cookie":
        headers["Cookie"] = COOKIES
    elif sends == "ticket":
        headers["Cookie"] = f"{WAY_COOKIE}={NONCE}"
    elif sends == "bearer":
        headers["x-previewbot-bearer"] = BEARER
    environ = {"HTTP_HOST": form, "RAW_URI": f"/auth{path}"}
    if asks == "X-Forwarded-Host":
        # The host that is truly asked for stands in Host where a gateway does not write the other header.
        own = f"{true}.{DOMAIN}" if true else "previewbot-pages.previewbot.svc"
        environ = {
            "HTTP_HOST": own,
            "RAW_URI": "/auth",
            "HTTP_X_FORWARDED_HOST": form,
            "HTTP_X_FORWARDED_URI": path,
        }

    answer = client.get("/auth", headers=headers, environ_overrides=environ)

    opens = answer.status_code == 200 or f"{COOKIE}=" in answer.headers.get("Set-Cookie", "")
    is_it = form.lower() in (HOST, f"{HOST}:443") and not (asks == "X-Forwarded-Host" and true)
    assert opens is is_it, (form, answer.status_code, answer.text)


@given(st.integers(0, len(BEARER) - 1), st.characters(max_codepoint=0xFF), st.sampled_from([MINE, OTHERS]))
def test_a_bearer_with_another_sign_in_it_or_at_another_preview_counts_for_nothing(
    at: int, sign: str, key: str
) -> None:
    changed = f"{BEARER[:at]}{sign}{BEARER[at + 1 :]}"

    found = standing(KEYS, changed, key, DOMAIN, NOW)

    assert (found is Standing.COUNTS) is (changed == BEARER and key == MINE)
    assert standing(KEYS, BEARER, MINE, f"x.{DOMAIN}", NOW) is Standing.WRONG
    assert standing((), BEARER, MINE, DOMAIN, NOW) is Standing.WRONG


@given(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(
            ["https://", "http://", "https:", "//", "https:/\\", "javascript:", "https://evil.example\\"]
        ),
        FORMS,
        st.sampled_from(
            ["/", "", "/a?b=//evil.example", "\\@evil.example/", "/\t", "?x", "#/", "/#x", "/é", "//x"]
        ),
    )
    | st.text()
)
def test_an_address_into_a_preview_is_one_for_browsers_too(url: str) -> None:
    key = key_of_address(GATEWAY, url)

    if key:
        parts = urlsplit(url)
        assert (parts.scheme, parts.netloc.lower()) == ("https", f"{key}.{DOMAIN}")
        assert key_of_host(parts.netloc, DOMAIN) == key
        assert url.isascii() and url.isprintable() and " " not in url


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Pages as gunicorn serves it, with a guard whose keys lie in a file."""
    folder = tmp_path_factory.mktemp("guard")
    for name, content in (("keys", b"\n".join(KEYS)), ("client-secret", b"s" * 40), ("cookie-keys", KEYS[1])):
        (folder / name).write_bytes(content)
    guarded = links()
    guarded["gateway"]["guard"]["keys_file"] = str(folder / "keys")
    sign_in = {
        "client_id": "Iv1",
        "client_secret_file": str(folder / "client-secret"),
        "cookie_keys_file": str(folder / "cookie-keys"),
    }
    with a_door(folder, changes={"links": guarded, "sign_in": sign_in}, name="pages") as built:
        yield built


@pytest.mark.parametrize(
    ("line", "hosts", "status"),
    [
        ("GET /auth/ HTTP/1.1", [HOST], 200),
        ("GET /auth//x/../%2e%2e?a=//b HTTP/1.1", [f"{HOST}:443"], 200),
        ("PROPFIND /auth/p/812/42 HTTP/1.1", [HOST.upper()], 200),
        ("OPTIONS /auth/ HTTP/1.1", [HOST], 200),
        # Of two values none counts; nor does a host in the first line, which is not the header.
        ("GET /auth/ HTTP/1.1", [HOST, f"{OTHERS}.{DOMAIN}"], 400),
        ("GET /auth/ HTTP/1.1", [f"{OTHERS}.{DOMAIN}", HOST], 400),
        (f"GET http://{HOST}/auth/ HTTP/1.1", [f"{OTHERS}.{DOMAIN}"], 403),
        ("GET /auth/ HTTP/1.0", [], 403),
        ("GET /auth/ HTTP/1.1", [f"{HOST}."], 403),
        ("GET / HTTP/1.1", [HOST], 403),
        ("GET /%61uth/ HTTP/1.1", [HOST], 403),
    ],
)
def test_as_gunicorn_reads_them_too_other_forms_open_nothing(
    door: Door, line: str, hosts: list[str], status: int
) -> None:
    lasts = datetime.now(UTC) + timedelta(minutes=5)
    fields = [
        *(f"Host: {host}" for host in hosts),
        f"x-previewbot-bearer: {signed(KEYS, MINE, DOMAIN, lasts)}",
        "Content-Length: 0",
    ]

    answer = door.ask("\r\n".join((line, *fields, "", "")).encode())

    assert answer.status == status, answer.text
    assert (status == 200) is ("x-previewbot-guard" not in answer.headers and status != 400)


@pytest.mark.parametrize(
    ("address", "cookies", "status"), [(8, 16, 200), (40, 0, 200), (0, 50, 200), (0, 80, 431), (80, 0, 431)]
)
def test_what_is_previewed_has_long_addresses_and_many_cookies(
    door: Door, address: int, cookies: int, status: int
) -> None:
    lasts = datetime.now(UTC) + timedelta(minutes=5)
    fields = [
        f"Host: {HOST}",
        f"x-previewbot-bearer: {signed(KEYS, MINE, DOMAIN, lasts)}",
        f"Cookie: app={'x' * 1024 * cookies}",
    ]

    answer = door.ask(
        "\r\n".join((f"GET /auth/?code={'x' * 1024 * address} HTTP/1.1", *fields, "", "")).encode()
    )

    assert answer.status == status
    assert ("clear those of this domain" in answer.text) is (status == 431)


def test_the_metric_counts_what_the_guard_answered(door: Door) -> None:
    before = door.metric('previewbot_guard_answers_total{answer="sign_in"}')
    lines = ("GET /auth/cart?a=1 HTTP/1.1", f"Host: {HOST}", "Accept: text/html", "", "")

    answer = door.ask("\r\n".join(lines).encode())

    assert answer.status == 302
    assert answer.headers["location"].startswith("https://previews.example.com/enter?to=https%3A%2F%2F")
    assert door.metric('previewbot_guard_answers_total{answer="sign_in"}') == before + 1
