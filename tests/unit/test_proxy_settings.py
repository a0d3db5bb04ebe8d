"""The settings of a sign-on proxy before the pages, and the file that its signatures are judged by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from previewbot.cli.doctor import CLIENT_SECRET, COOKIE_KEYS, PROXY_KEYS, secrets_of
from previewbot.cli.secret_files import assertion_keys_file, read_assertion_keys, sign_in_sources
from previewbot.config.server import Settings, parse
from previewbot.doctor import rights
from previewbot.doctor.check import State
from previewbot.errors import SettingsError
from tests.support.proxied import BY_ASSERTION, BY_HEADER, JWKS
from tests.unit.test_settings import SMALLEST, problems

ASSERTION = BY_ASSERTION["assertion"]


KEYS = {"cookie_keys_file": "/nowhere/cookie-keys"}


def settings(proxy: dict[str, Any], **changed: Any) -> Settings:
    return parse({**SMALLEST, "access": "proxy", "proxy": proxy, "sign_in": KEYS, **changed}, {})


def without(values: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != key}


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        (None, "access says that people come by a proxy, and proxy does not say which; write it"),
        ({"repositories": ["a/b"]}, "proxy says nothing by which the proxy is known; write from, its addr"),
        (BY_HEADER | {"assertion": ASSERTION}, "proxy.assertion stands beside from"),
        (without(BY_HEADER, "header"), "proxy.header is missing, and the proxy says there who somebody is"),
        (without(BY_HEADER, "repositories"), "proxy.repositories is missing"),
        (BY_HEADER | {"repositories": []}, "proxy.repositories must name at least one"),
        (BY_HEADER | {"repositories": ["acme"]}, "proxy.repositories must be owner/name"),
        (BY_HEADER | {"from": []}, "proxy.from must name at least one, like [10.20.0.0/24]"),
        (BY_HEADER | {"from": ["0.0.0.0/0"]}, "proxy.from is everybody, who could then be whoever they li"),
        (BY_HEADER | {"from": ["::/0"]}, "proxy.from is everybody"),
        (BY_HEADER | {"from": ["10.1.0.0/8"]}, "proxy.from must be an address, or a network without bits"),
        (BY_HEADER | {"from": ["sso.internal"]}, "proxy.from must be an address, or a network"),
        (BY_HEADER | {"header": "X Name"}, "proxy.header must be the name of a header"),
        (BY_HEADER | {"header": "X_Name"}, "proxy.header must be the name of a header"),
        (BY_HEADER | {"sees": "all"}, 'proxy.sees must be words or state, not "all"'),
        (BY_ASSERTION | {"header": "X-Name"}, "proxy.header is not signed, and anybody could send it"),
        (BY_ASSERTION | {"name_header": "X-Name"}, "proxy.name_header is not signed"),
        (
            BY_ASSERTION | {"assertion": without(ASSERTION, "keys_file")},
            "proxy.assertion.keys_file is missing, and by it the signature is judged; write for example",
        ),
        (BY_ASSERTION | {"assertion": without(ASSERTION, "audience")}, "proxy.assertion.audience is missing"),
        (BY_ASSERTION | {"assertion": without(ASSERTION, "issuer")}, "proxy.assertion.issuer is missing"),
    ],
)
def test_what_would_let_in_nobody_or_anybody_is_told(proxy: dict[str, Any] | None, told: str) -> None:
    given = {"proxy": proxy} if proxy is not None else {}
    [found] = problems({**SMALLEST, "access": "proxy", "sign_in": KEYS, **given})

    assert found.startswith(told)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"sign_in": {}}, "sign_in.cookie_keys_file is missing, and without it nothing can be taken of what"),
        (
            {"public_url": "http://previews.example.com"},
            "public_url must begin with https://, as browsers te",
        ),
        ({"public_url": "https://example.com/previews"}, "public_url must have no path where people who com"),
    ],
)
@pytest.mark.parametrize("may", [{}, {"may_say": False, "may_extend": True}])
def test_where_they_press_anything_their_forms_must_be_known(
    changed: dict[str, Any], told: str, may: dict[str, bool]
) -> None:
    values = {**SMALLEST, "access": "proxy", "sign_in": KEYS, **changed}
    [found] = problems({**values, "proxy": BY_HEADER | may})

    assert found.startswith(told)
    # Where they are to look only, nothing of it is needed.
    assert parse({**values, "proxy": BY_HEADER | {"may_say": False}}, {}).by_proxy is not None


def test_a_proxy_counts_only_where_people_are_to_come_by_it() -> None:
    assert settings(BY_HEADER).access_or_default == "proxy"
    assert parse({**SMALLEST, "proxy": BY_HEADER}, {}).access_or_default == "none"
    assert assertion_keys_file(parse({**SMALLEST, "proxy": BY_ASSERTION}, {})) is None


@pytest.mark.parametrize(
    ("may", "secrets", "rights_more"),
    [
        ({"may_say": False}, [], []),
        ({}, ["sign_in.cookie_keys_file"], ["create previewrequests.previewbot.dev"]),
        (
            {"may_say": False, "may_extend": True},
            ["sign_in.cookie_keys_file"],
            ["create previewrequests.previewbot.dev"],
        ),
    ],
)
def test_pages_have_the_keys_of_forms_and_make_requests_only_where_they_press_anything(
    may: dict[str, bool], secrets: list[str], rights_more: list[str]
) -> None:
    found = settings(BY_HEADER | may)

    assert [source.name for source in sign_in_sources(found)] == secrets
    assert assertion_keys_file(found) is None
    assert [str(right) for right in rights.of_pages(found)] == [
        "get previews.previewbot.dev",
        "list previews.previewbot.dev",
        *rights_more,
    ]


def test_the_keys_are_read_from_the_file_and_what_is_wrong_names_the_setting(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    found = settings(BY_ASSERTION | {"assertion": ASSERTION | {"keys_file": str(file)}, "may_say": False})
    with pytest.raises(SettingsError) as caught:
        read_assertion_keys(found)
    assert caught.value.problems[0].startswith("proxy.assertion.keys_file: ")
    told = {check.name: check.state for check in secrets_of(found, {}, "pages").checks}
    assert told[PROXY_KEYS] == State.WRONG

    file.write_bytes(JWKS)
    assert [key.id for key in read_assertion_keys(found)] == ["one"]
    told = {check.name: check.state for check in secrets_of(found, {}, "pages").checks}
    assert told[PROXY_KEYS] == State.OK


def test_the_doctor_looks_at_the_keys_of_forms_and_at_those_of_signatures(tmp_path: Path) -> None:
    keys, forms = tmp_path / "jwks.json", tmp_path / "cookie-keys"
    keys.write_bytes(JWKS)
    forms.write_bytes(b"no key")
    signs = BY_ASSERTION | {"assertion": ASSERTION | {"keys_file": str(keys)}}
    found = settings(signs, sign_in={"cookie_keys_file": str(forms)})

    told = {check.name: check for check in secrets_of(found, {}, "pages").checks}
    assert (told[PROXY_KEYS].state, told[COOKIE_KEYS].state) == (State.OK, State.WRONG)
    assert "what people press is refused until that is put right" in told[COOKIE_KEYS].words
    forms.write_bytes(b"A" * 43 + b"=")
    told = {check.name: check for check in secrets_of(found, {}, "pages").checks}
    assert told[COOKIE_KEYS].state == State.OK
    assert CLIENT_SECRET not in told
