"""What lets somebody into one preview opens no other, however the host of the other is written."""

from __future__ import annotations

from datetime import timedelta
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
