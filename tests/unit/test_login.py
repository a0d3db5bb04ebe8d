"""A login that ends is renewed in time, and what cannot be renewed is said; no test waits for a clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from previewbot.clients.kubernetes.access import open_access
from previewbot.clients.kubernetes.login import Clock, Credential, Login, LoginFailed
from previewbot.errors import SettingsError, Unauthorized
from tests.support.pki import Authority

BEGIN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


class Plugin:
    """Gives the logins that it was told to, the last one again and again; and the time, for both clocks."""

    def __init__(self, *logins: Credential | Exception) -> None:
        self.logins = list(logins)
        self.asked = 0
        self.passed = timedelta()
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self) -> Credential:
        assert self.may_answer.wait(10)
        self.asked += 1
        found = self.logins.pop(0) if len(self.logins) > 1 else self.logins[0]
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def clock(self) -> Clock:
        return Clock(lambda: BEGIN + self.passed, lambda: self.passed.total_seconds())

    def login(self, *, renewable: bool = True) -> Login:
        return Login(self, clock=self.clock, renewable=renewable)


def named(name: str, minutes: float | None = None) -> Credential:
    until = None if minutes is None else BEGIN + timedelta(minutes=minutes)
    return Credential(f"Bearer {name}", until=until)


def shown(login: Login) -> str:
    return login.current_in_thread(10).authorization


def renewed(plugin: Plugin, times: int) -> None:
    """Wait until the thread that renews has asked so often, and is done."""
    while plugin.asked < times or any(thread.name == "login" for thread in threading.enumerate()):
        threading.Event().wait(0.005)


def test_nobody_waits_while_a_login_that_ends_soon_is_renewed() -> None:
    plugin = Plugin(named("a", 15), named("b", 30))
    login = plugin.login()
    plugin.passed = timedelta(minutes=13)
    assert (shown(login), plugin.asked) == ("Bearer a", 1)

    plugin.may_answer.clear()
    plugin.passed = timedelta(minutes=14, seconds=1)
    assert shown(login) == "Bearer a"
    plugin.may_answer.set()
    renewed(plugin, 2)

    assert shown(login) == "Bearer b"


def test_whoever_comes_after_the_end_waits_for_the_next_and_all_share_one_question() -> None:
    plugin = Plugin(named("a", 15), named("b", 60))
    login = plugin.login()
    plugin.passed = timedelta(minutes=16)
    plugin.may_answer.clear()

    async def ask() -> list[str]:
        tasks = [asyncio.create_task(login.current(10)) for _ in range(5)]
        await asyncio.sleep(0)
        plugin.may_answer.set()
        return [credential.authorization for credential in await asyncio.gather(*tasks)]

    assert asyncio.run(ask()) == ["Bearer b"] * 5
    assert plugin.asked == 2


@pytest.mark.parametrize("minutes", [None, 600.0])
def test_a_login_that_holds_is_asked_for_once(minutes: float | None) -> None:
    plugin = Plugin(named("a", minutes))
    login = plugin.login()
    plugin.passed = timedelta(hours=5)

    assert [shown(login) for _ in range(3)] == ["Bearer a"] * 3
    assert plugin.asked == 1


def test_a_login_for_half_a_minute_is_not_renewed_with_every_request() -> None:
    plugin = Plugin(named("a", 0.5))
    login = plugin.login()
    for _ in range(10):
        shown(login)

    assert plugin.asked == 1


def test_what_cannot_be_renewed_is_told_in_the_plugins_words_and_never_sent_as_nobody() -> None:
    plugin = Plugin(named("a", 15), LoginFailed("the program aws ended with 255: expired SSO session"))
    login = plugin.login()
    plugin.passed = timedelta(minutes=16)

    with pytest.raises(Unauthorized, match="401 the program aws ended with 255: expired SSO session"):
        shown(login)


def test_a_plugin_that_fails_is_asked_less_and_less_often_and_again_in_the_end() -> None:
    plugin = Plugin(named("a", 15), LoginFailed("no"))
    login = plugin.login()
    for second in range(3600):
        plugin.passed = timedelta(minutes=16, seconds=second)
        with pytest.raises(Unauthorized):
            shown(login)
        renewed(plugin, 1)
    # 10, 20, 40 … s apart, and five minutes at most.
    assert 12 < plugin.asked < 20

    plugin.logins = [named("b", 600)]
    plugin.passed += timedelta(minutes=5)
    assert shown(login) == "Bearer b"


def test_an_error_of_ours_while_renewing_keeps_nobody_waiting() -> None:
    login = (plugin := Plugin(named("a", 15), ZeroDivisionError("x"))).login()
    plugin.passed = timedelta(minutes=16)

    with pytest.raises(Unauthorized, match="ZeroDivisionError: x"):
        shown(login)


def test_a_plugin_whose_clock_is_behind_ours_is_believed_until_the_api_server_is_not() -> None:
    plugin = Plugin(named("a", -5))

    login = plugin.login()

    assert [shown(login) for _ in range(3)] == ["Bearer a"] * 3
    assert plugin.asked == 1


def test_a_refusal_asks_the_plugin_once_however_many_were_refused() -> None:
    plugin = Plugin(named("a"), named("b"))
    login = plugin.login()
    refused = login.current_in_thread(10)

    found = [login.after_refusal_in_thread(refused, 10) for _ in range(5)]

    assert [each.authorization if each else None for each in found] == ["Bearer b"] * 5
    assert plugin.asked == 2


def test_refusals_without_end_do_not_ask_the_plugin_without_end() -> None:
    plugin = Plugin(named("a"))
    login = plugin.login()
    for second in range(3600):
        plugin.passed = timedelta(seconds=second)
        assert login.after_refusal_in_thread(login.current_in_thread(10), 10) is None

    assert 10 < plugin.asked < 20


def test_the_first_refusal_after_a_time_of_peace_is_asked_about_at_once() -> None:
    plugin = Plugin(named("a"), named("b"), named("c"))
    login = plugin.login()
    assert login.after_refusal_in_thread(login.current_in_thread(10), 10) == named("b")
    login.accepted()

    assert login.after_refusal_in_thread(login.current_in_thread(10), 10) == named("c")


def test_a_login_that_cannot_be_renewed_is_not() -> None:
    plugin = Plugin(named("a"), named("b"))
    login = plugin.login(renewable=False)

    assert login.after_refusal_in_thread(login.current_in_thread(10), 10) is None
    assert plugin.asked == 1


# A pod's own token


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "ca.crt").write_bytes(Authority(tmp_path).certificate.read_bytes())
    return tmp_path


POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def in_pod(account: Path, clock: Clock) -> Callable[[], str]:
    access = open_access(None, POD, service_account=account, clock=clock)
    assert access.server.url == "https://10.96.0.1:443"
    return lambda: shown(access.login)


def test_a_pods_token_is_read_again_each_minute_as_the_kubelet_writes_it_anew(account: Path) -> None:
    plugin = Plugin(named("unused"))
    ask = in_pod(account, plugin.clock)
    (account / "token").write_text("second")
    assert ask() == "Bearer first"

    plugin.passed = timedelta(seconds=61)
    ask()
    renewed(plugin, 0)

    assert ask() == "Bearer second"


def test_a_pods_token_that_is_just_being_written_does_not_end_the_one_of_before(account: Path) -> None:
    plugin = Plugin(named("unused"))
    ask = in_pod(account, plugin.clock)
    (account / "token").write_text("")
    for minute in range(1, 5):
        plugin.passed = timedelta(minutes=minute)
        assert ask() == "Bearer first"
        renewed(plugin, 0)

    (account / "token").write_text("second")
    plugin.passed = timedelta(minutes=20)
    ask()
    renewed(plugin, 0)
    assert ask() == "Bearer second"


def test_a_pod_with_an_ipv6_service_is_asked_there(account: Path) -> None:
    found = open_access(None, {**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"}, service_account=account)

    assert found.server.url == "https://[fd00::1]:443"


@pytest.mark.parametrize("name", ["token", "ca.crt"])
def test_a_pod_without_a_service_account_is_told_what_is_missing(account: Path, name: str) -> None:
    (account / name).unlink()

    with pytest.raises(SettingsError, match=rf"no service account's {name} \(.*{name}\)"):
        open_access(None, POD, service_account=account)
    with pytest.raises(SettingsError, match="this is no pod"):
        open_access(None, {}, service_account=account)
