"""Who is signed in, by a cookie: whatever somebody sends, and whatever becomes of the keys."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import dump_cookie

from previewbot.errors import SettingsError
from previewbot.people.person import Person
from previewbot.people.sealing import Sealing
from previewbot.people.sessions import COOKIE, Sessions

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
OLD, NEW, OTHERS = Fernet.generate_key(), Fernet.generate_key(), Fernet.generate_key()
MARIA = Person(7, "maria", f"ghu_{'t' * 500}", "csrf-of-maria")
APP = Flask("test")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def asked(cookie: str) -> Iterator[None]:
    with APP.test_request_context("/", headers={"Cookie": dump_cookie(COOKIE, cookie).split(";")[0]}):
        yield


def sessions(*keys: bytes, now: Clock | None = None) -> Sessions:
    return Sessions(lambda: keys, now or Clock())


def begun(keys: tuple[bytes, ...] = (NEW,), lives: timedelta = timedelta(hours=8)) -> tuple[str, str]:
    """Return the cookie's value, and all of the header that sets it."""
    response = Response()
    with APP.test_request_context("/"):
        sessions(*keys).begin(response, MARIA, NOW + lives)
    header = response.headers["Set-Cookie"]
    return header.partition("=")[2].partition(";")[0], header


def who(cookie: str, *keys: bytes, now: Clock | None = None) -> Person | None:
    with asked(cookie):
        return sessions(*keys, now=now).current()


def test_whoever_has_signed_in_is_known_by_the_cookie() -> None:
    cookie, _ = begun()

    assert who(cookie, NEW) == MARIA


def test_the_cookie_is_for_this_host_alone_over_tls_and_for_no_script() -> None:
    _, header = begun(lives=timedelta(hours=2))

    assert header.startswith("__Host-previewbot=")
    assert {part.strip() for part in header.split(";")[1:]} >= {
        *("Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=7200"),
    }
    assert "domain" not in header.lower()


def test_nothing_of_a_person_can_be_read_in_the_cookie_or_in_a_log() -> None:
    cookie, _ = begun()

    assert "maria" not in cookie and "ghu_" not in cookie
    assert len(cookie) < 2_000
    assert "ghu_" not in repr(MARIA) and MARIA.csrf not in repr(MARIA)


def test_the_longest_token_that_is_taken_fits_into_a_cookie() -> None:
    longest = replace(MARIA, login="m" * 39, token="t" * 2048, csrf="c" * 43)
    response = Response()
    with APP.test_request_context("/"):
        sessions(NEW).begin(response, longest, NOW + timedelta(hours=8))

    # What browsers keep: name, value and attributes (RFC 6265bis, 5.7).
    assert len(response.headers["Set-Cookie"]) < 4_096


def test_a_session_ends_when_it_was_to() -> None:
    cookie, _ = begun(lives=timedelta(hours=2))
    clock = Clock()

    clock.now = NOW + timedelta(hours=2) - timedelta(seconds=1)
    assert who(cookie, NEW, now=clock) == MARIA
    clock.now = NOW + timedelta(hours=2)
    assert who(cookie, NEW, now=clock) is None


def test_a_new_key_ends_no_session_and_the_end_of_the_old_one_does() -> None:
    cookie, _ = begun((OLD,))

    assert who(cookie, NEW, OLD) == MARIA
    assert who(cookie, NEW) is None
    assert who(begun((NEW, OLD))[0], NEW) == MARIA


@pytest.mark.parametrize(
    "changed",
    [
        {"account": "7"},
        {"account": True},
        {"account": None},
        {"login": ""},
        {"login": 5},
        {"token": ""},
        {"token": None},
        {"csrf": ""},
        {"csrf": ["x"]},
        {"until": "2099"},
        {"until": 1e12},
        {"until": True},
        {"until": None},
        {"until": int(NOW.timestamp())},
    ],
)
def test_a_cookie_of_ours_with_other_values_is_as_none(changed: dict[str, Any]) -> None:
    whole = {"account": 7, "login": "maria", "token": "t", "csrf": "c", "until": int(NOW.timestamp()) + 1}
    sealed = Sealing("session", lambda: (NEW,)).seal({**whole, **changed})

    assert who(Sealing("session", lambda: (NEW,)).seal(whole), NEW) == replace(MARIA, token="t", csrf="c")
    assert who(sealed, NEW) is None


def test_what_was_sealed_for_something_else_or_by_another_version_is_as_none() -> None:
    whole = {"account": 7, "login": "maria", "token": "t", "csrf": "c", "until": int(NOW.timestamp()) + 1}
    older = Fernet(NEW).encrypt(json.dumps({**whole, "version": 0, "purpose": "session"}).encode()).decode()

    assert who(Sealing("sign-in", lambda: (NEW,)).seal(whole), NEW) is None
    assert who(Sealing("session", lambda: (OTHERS,)).seal(whole), NEW) is None
    assert who(older, NEW) is None
    assert who(Fernet(NEW).encrypt(b"[1]").decode(), NEW) is None
    assert who(Fernet(NEW).encrypt(b"\xff").decode(), NEW) is None


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_whatever_somebody_sends_they_are_nobody(sent: str) -> None:
    with APP.test_request_context("/"):
        request.cookies = {COOKIE: sent}  # type: ignore[assignment]
        assert sessions(NEW, OLD).current() is None
        assert Sealing("session", lambda: (NEW,)).opened(sent) is None


@given(at=st.integers(min_value=0), put=st.characters(codec="ascii"))
def test_one_character_changed_makes_nobody_of_somebody(at: int, put: str) -> None:
    cookie, _ = begun()
    at %= len(cookie)
    changed = cookie[:at] + put + cookie[at + 1 :]

    assert Sealing("session", lambda: (NEW,)).opened(changed) is None or changed == cookie


def test_one_request_gets_one_answer_also_when_the_session_ends_in_between() -> None:
    cookie, _ = begun(lives=timedelta(seconds=1))
    clock = Clock()
    some = sessions(NEW, now=clock)

    with asked(cookie):
        assert some.current() == MARIA
        clock.now += timedelta(hours=1)
        assert some.current() == MARIA
    with asked(cookie):
        assert some.current() is None


def test_keys_that_cannot_be_read_let_nobody_be_signed_in_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def keys() -> tuple[bytes, ...]:
        raise SettingsError(("sign_in.cookie_keys_file: /keys cannot be read: No such file or directory",))

    some = Sessions(keys, Clock())
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            with asked(begun()[0]):
                assert some.current() is None
        # Who has no cookie brings about nothing.
        with APP.test_request_context("/"):
            assert some.current() is None
    assert [record.message for record in caplog.records] == [
        "sign_in.cookie_keys_file lets nobody be signed in"
    ]
    with pytest.raises(SettingsError), APP.test_request_context("/"):
        some.begin(Response(), MARIA, NOW + timedelta(hours=1))


def test_the_end_of_a_session_takes_the_same_cookie_away() -> None:
    response = Response()

    sessions(NEW).end(response)

    header = response.headers["Set-Cookie"]
    assert header.startswith("__Host-previewbot=;")
    assert {part.strip() for part in header.split(";")[1:]} >= {"Secure", "Path=/", "Max-Age=0"}
