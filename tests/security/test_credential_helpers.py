"""Attack: to have another program started than a credential helper, to hold up the controller with one, or to
learn what the controller knows or what a helper gives.

The names are those of the settings and of the docker config file, which the platform team mounts; whoever may
change a Secret of registry logins is not to run programs with it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.clients.registry import Helpers, Registry
from previewbot.clients.registry.credentials import HelperLogin, helper_login, logins_for
from previewbot.clients.registry.helpers import HelperFailed
from previewbot.config.server import RegistrySettings
from previewbot.errors import RemoteError
from tests.support.credential_helpers import Helpers as Programs
from tests.support.credential_helpers import in_path
from tests.support.registry_server import Server, a_server, basic, docker_config

ASKED = HelperLogin("cloud", "ghcr.io")
NAMES = [
    "../../bin/sh",
    "/bin/sh",
    "a/b",
    "..",
    ".",
    "",
    "a b",
    "a;id",
    "$(id)",
    "A",
    "a\n",
    "-a",
    "a-",
    "é",
    "a.b",
]


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return in_path(tmp_path / "helpers")


def helpers_of(programs: Programs, *, seconds: float = 20.0, **environment: str) -> Helpers:
    # The programs of the system as well, since a helper may start others.
    path = f"{programs.folder}:{os.environ['PATH']}"
    return Helpers(time.monotonic, time.time, environment={"PATH": path, **environment}, seconds=seconds)


# Another program


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["credHelpers", "credsStore", "setting"])
def test_a_name_that_is_none_starts_nothing(tmp_path: Path, name: str, where: str) -> None:
    if where == "setting":
        with pytest.raises(ValueError, match="credential_helper"):
            RegistrySettings(credential_helper=name)
        return
    named = {"credHelpers": {"ghcr.io": name}} if where == "credHelpers" else {"credsStore": name}
    config = docker_config(tmp_path / "config.json", {}, **named)
    if not name and where == "credsStore":
        assert logins_for("ghcr.io", "acme/web", config) == ()
        return
    with pytest.raises(ValueError, match="names a credential helper that is none"):
        logins_for("ghcr.io", "acme/web", config)


@pytest.mark.parametrize("name", [5, None, ["sh"], {"a": "b"}, True])
def test_what_is_no_name_at_all_starts_nothing(tmp_path: Path, name: object) -> None:
    config = docker_config(tmp_path / "config.json", {}, credHelpers={"ghcr.io": name})

    with pytest.raises(ValueError, match="names a credential helper that is none"):
        logins_for("ghcr.io", "acme/web", config)


@given(st.text(max_size=20))
def test_whatever_is_named_is_a_program_whose_name_begins_with_dockers_own(name: str) -> None:
    try:
        found = helper_login(name, "ghcr.io")
    except ValueError:
        return
    assert set(found.helper) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert os.path.basename(f"docker-credential-{found.helper}") == f"docker-credential-{found.helper}"


async def test_the_name_of_a_registry_is_never_read_by_a_shell(programs: Programs, tmp_path: Path) -> None:
    programs.gives("cloud", "AWS", "a-password")

    await helpers_of(programs).login(HelperLogin("cloud", f"$(touch {tmp_path}/made);touch {tmp_path}/made"))

    assert not (tmp_path / "made").exists()
    assert programs.asked[0]["arguments"] == ["get"]


# A program without an end


async def test_a_helper_that_never_ends_is_ended_with_all_that_it_started(
    programs: Programs, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    programs.put(
        "cloud",
        f"child = subprocess.Popen(['sleep', '600'])\nopen({str(child)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)",
    )

    with pytest.raises(HelperFailed, match="does not answer within"):
        await helpers_of(programs, seconds=3.0).login(ASKED)

    assert await _ends(int(child.read_text()))


async def test_one_that_has_answered_and_does_not_end_is_ended(programs: Programs) -> None:
    programs.put("cloud", "print('{}', flush=True)\nos.close(1)\ntime.sleep(600)")

    with pytest.raises(HelperFailed, match="does not answer within"):
        await helpers_of(programs, seconds=2.0).login(ASKED)


async def test_one_that_writes_without_an_end_is_not_read_to_it(programs: Programs) -> None:
    programs.put("cloud", "while True: sys.stdout.write('x' * 65536)")

    with pytest.raises(HelperFailed, match="writes more than 64 KiB"):
        await helpers_of(programs).login(ASKED)


async def test_one_that_fills_its_other_output_is_not_held_up_by_it(programs: Programs) -> None:
    programs.put("cloud", 'sys.stderr.write(\'x\' * 10_000_000)\nprint(\'{"Username": "a", "Secret": "b"}\')')

    assert await helpers_of(programs).login(ASKED) is not None


async def test_a_helper_that_is_slow_holds_up_nothing_else(programs: Programs) -> None:
    programs.put("cloud", "time.sleep(600)")
    asking = asyncio.create_task(helpers_of(programs).login(ASKED))
    began = time.monotonic()
    turns = 0
    while not programs.asked and time.monotonic() - began < 30:
        await asyncio.sleep(0)
        turns += 1

    # The loop goes round while the program runs; and who gives the look up is not held up either.
    assert turns > 10
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def _ends(pid: int) -> bool:
    """Return whether a process ends, or has ended and only waits for whoever takes note of that."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        await asyncio.sleep(0.01)
    return False


# What is known to whom


async def test_a_helper_learns_nothing_of_previewbots_own(programs: Programs) -> None:
    programs.gives("cloud", "AWS", "a-password")
    helpers = helpers_of(
        programs,
        AWS_ROLE_ARN="arn:aws:iam::1:role/x",
        PREVIEWBOT_GITHUB__PRIVATE_KEY="-----BEGIN",
        PREVIEWBOT_GITHUB__WEBHOOK_SECRET="hunter2-hunter2-hunter2",
    )

    await helpers.login(ASKED)

    environment = programs.asked[0]["environment"]
    assert isinstance(environment, dict)
    assert not [name for name in environment if name.startswith("PREVIEWBOT_")]
    assert environment["AWS_ROLE_ARN"] == "arn:aws:iam::1:role/x"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


@pytest.mark.parametrize(
    "script",
    [
        'print(\'{"Username": "AWS", "Secret": "s3cr3t-of-the-cloud-9Zq7"}\')',
        'print(\'{"username": "AWS", "secret": "s3cr3t-of-the-cloud-9Zq7"}\')',
        "print('s3cr3t-of-the-cloud-9Zq7')",
        "print('cannot use password=s3cr3t-of-the-cloud-9Zq7'); sys.exit(1)",
    ],
)
async def test_what_a_helper_gives_is_in_no_error_and_no_log(
    programs: Programs, server: Server, caplog: pytest.LogCaptureFixture, script: str
) -> None:
    caplog.set_level(logging.DEBUG)
    programs.put("cloud", script)
    server.wanted = {basic("nobody", "else")}
    access = RegistrySettings(plain_http=True, credential_helper="cloud")
    async with aiohttp.ClientSession() as session:
        registry = Registry(session, {server.host: access}, helpers=helpers_of(programs))
        with pytest.raises(RemoteError) as caught:
            await registry.find(server.reference())

    assert "s3cr3t" not in f"{caught.value!r} {caught.value} {caplog.text}"
