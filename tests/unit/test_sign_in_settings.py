"""The settings of a sign-in, and the two secrets that it needs."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from previewbot.cli.secret_files import read_client_secret, read_cookie_keys, sign_in_sources
from previewbot.config.server import Settings, client_secret, cookie_keys, document, parse
from previewbot.errors import SettingsError
from tests.unit.test_settings import EXAMPLE, SMALLEST, problems

WHOLE: dict[str, Any] = {
    "client_id": "Iv23liAbCdEfGhIjKlMn",
    "client_secret_file": "/etc/previewbot/sign-in/client-secret",
    "cookie_keys_file": "/etc/previewbot/sign-in/cookie-keys",
}
KEYS = ["Wm+/QXX0zkzqr1h3zq3X0b0v1qz0m4i2o0f5y7a9c8E=", "-_-_QXX0zkzqr1h3zq3X0b0v1qz0m4i2o0f5y7a9c8E="]
FILE = Path("/keys")


def settings(**changed: Any) -> Settings:
    return parse({**SMALLEST, **changed}, {})


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, "none"),
        ({"sign_in": WHOLE}, "github"),
        ({"sign_in": WHOLE, "access": "github"}, "github"),
        # Switched off for a while, with all that it needs.
        ({"sign_in": WHOLE, "access": "none"}, "none"),
        ({"sign_in": {"readers_may_extend": True}}, "none"),
        ({"sign_in": {"client_id": "Iv1.0123456789abcdef"}}, "none"),
    ],
)
def test_people_sign_in_where_the_secret_is_unless_it_is_said(changed: dict[str, Any], found: str) -> None:
    assert settings(**changed).access_or_default == found


def test_verdicts_are_off_and_readers_extend_nothing_unless_it_is_said() -> None:
    assert (settings().verdicts, settings().sign_in.readers_may_extend) == ("off", False)
    assert settings(verdicts="check").verdicts == "check"
    # YAML reads `off` without quotes as false.
    assert parse(document(f"{EXAMPLE}verdicts: off\n"), {}).verdicts == "off"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"access": "github"},
            [
                "sign_in.client_id is missing, and people are to sign in; write for example client_id: Iv23",
                "sign_in.client_secret_file is missing, and people are to sign in",
                "sign_in.cookie_keys_file is missing, and people are to sign in",
            ],
        ),
        (
            {"sign_in": {"client_secret_file": "/x"}},
            ["sign_in.client_id is missing", "sign_in.cookie_keys_file is missing"],
        ),
        ({"access": "gitlab"}, ['access must be none or github or proxy, not "gitlab"']),
        ({"sign_in": {"client_id": 4242}}, ["sign_in.client_id must be a text, not 4242"]),
        ({"sign_in": {"client_id": "a b"}}, ["sign_in.client_id must be the App's client ID, like Iv23"]),
        ({"sign_in": {"client_idd": "x"}}, ["sign_in.client_idd is unknown; did you mean client_id?"]),
        ({"sign_in": {"readers_may_extend": "yes"}}, ["sign_in.readers_may_extend must be true or false"]),
        ({"verdicts": "on"}, ['verdicts must be off or check, not "on"']),
        (
            {"sign_in": WHOLE, "public_url": "http://previews.example.com"},
            ["public_url must begin with https://, as browsers keep the cookie of a sign-in for no other"],
        ),
        (
            {"sign_in": WHOLE, "public_url": "https://example.com/previews"},
            ["public_url must have no path where people sign in"],
        ),
    ],
)
def test_what_is_wrong_with_a_sign_in_is_told_by_its_keys(changed: dict[str, Any], told: list[str]) -> None:
    found = problems({**SMALLEST, **changed})

    assert len(found) == len(told)
    assert all(problem.startswith(begin) for problem, begin in zip(found, told, strict=True)), found


def test_what_is_missing_of_a_sign_in_is_told_with_the_line_of_its_part() -> None:
    with pytest.raises(SettingsError) as caught:
        parse(document(f"{EXAMPLE}sign_in:\n  client_secret_file: /x\n  cookie_keys_file: /y\n"), {})

    (problem,) = caught.value.problems
    assert problem.startswith("line 23: sign_in.client_id is missing, and people are to sign in")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8471", "http://localhost:8471", "https://p.example.com"])
def test_people_sign_in_over_tls_and_on_this_very_machine(url: str) -> None:
    assert settings(sign_in=WHOLE, public_url=url).access_or_default == "github"


# The secrets


def test_a_client_secret_is_taken_without_the_end_of_its_line() -> None:
    assert client_secret(FILE, b"0123456789abcdef0123456789abcdef01234567\r\n") == (
        "0123456789abcdef0123456789abcdef01234567"
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "/keys is empty; it must hold a client secret"),
        (b" \n", "/keys is empty"),
        (b"short", "/keys does not hold one client secret on one line"),
        (b"0123456789abcdef0123\n0123456789abcdef0123", "does not hold one client secret on one line"),
        ("0123456789abcdef012ü".encode(), "does not hold one client secret on one line"),
        (b"\xff\xfe0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00", "does not hold one client secret"),
    ],
)
def test_a_client_secret_that_cannot_be_one_is_told(content: bytes, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        client_secret(FILE, content)

    assert "0123456789abcdef" not in str(caught.value)


def test_keys_are_taken_as_openssl_writes_them_and_as_fernet_does() -> None:
    found = cookie_keys(FILE, "\r\n".join([*KEYS, "", KEYS[0], ""]).encode())

    assert [base64.urlsafe_b64decode(key) for key in found] == [
        base64.b64decode(KEYS[0]),
        base64.urlsafe_b64decode(KEYS[1]),
    ]
    for key in found:
        assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("\n \n", "/keys is empty; it must hold a key: make one with `openssl rand -base64 32`"),
        ("0123456789abcdef0123456789abcdef", "something that is no key of 32 bytes"),
        ("Zm9v", "something that is no key of 32 bytes"),
        (f"{KEYS[0]}\nno key at all!", "something that is no key of 32 bytes"),
        ("\n".join(base64.b64encode(bytes([at]) * 32).decode() for at in range(4)), "/keys holds 4 keys"),
    ],
)
def test_keys_that_cannot_be_used_are_told(content: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        cookie_keys(FILE, content.encode())

    assert KEYS[0] not in str(caught.value)


def test_both_files_are_read_as_they_are_now(tmp_path: Path) -> None:
    secret, keys = tmp_path / "secret", tmp_path / "keys"
    some = settings(
        sign_in={**WHOLE, "client_secret_file": str(secret), "cookie_keys_file": str(keys)},
    )
    with pytest.raises(SettingsError, match=r"sign_in\.client_secret_file: .* cannot be read"):
        read_client_secret(some)
    with pytest.raises(SettingsError, match=r"sign_in\.cookie_keys_file: .* cannot be read"):
        read_cookie_keys(some)

    for turn in range(2):
        secret.write_text(f"{turn}" * 40)
        keys.write_text(KEYS[turn])
        assert read_client_secret(some) == f"{turn}" * 40
        assert len(read_cookie_keys(some)) == 1
    assert [source.name for source in sign_in_sources(some)] == [
        "sign_in.client_secret_file",
        "sign_in.cookie_keys_file",
    ]


def test_without_a_sign_in_there_is_nothing_to_read() -> None:
    assert sign_in_sources(settings()) == ()
    with pytest.raises(SettingsError, match=r"sign_in\.cookie_keys_file is missing"):
        read_cookie_keys(settings())
