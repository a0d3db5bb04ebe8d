"""`previewbot wait` where what it prints cannot be written: its exit code speaks of the preview alone."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from previewbot.asking import running
from previewbot.asking.__main__ import main
from tests.support.actions_runner import plain_variables
from tests.support.asking import LINK, SHOP, Says, block
from tests.support.github_town import Town, github_town

ROOT = Path(__file__).parents[2]
WAIT = f'"{sys.executable}" -m previewbot wait "$@"'
ASKING = f'"{sys.executable}" -m previewbot.asking "$@"'
READY, NOT_THERE = f"{SHOP}#1", f"{SHOP}#99"


async def in_a_shell(town: Town, script: str, *arguments: str) -> tuple[int, str]:
    """Return how a script ended, and what it printed to stdout."""
    variables = {**plain_variables(), "GITHUB_TOKEN": town.token, "GITHUB_API_URL": f"{town.url}/api/v3"}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script, "bash", *arguments), cwd=ROOT, env=variables,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_a_stream_that_is_closed_or_full_is_no_word_about_the_preview() -> None:
    async with github_town() as town:
        town.pull_request()
        says = Says(town, 1)
        says.comment(block(says.head))
        await says.deployment("success")
        cases = {
            f"{WAIT} 2>&-": (0, f"{LINK}\n"),
            f"{WAIT} 2>/dev/full": (0, f"{LINK}\n"),
            f"{WAIT} <&-": (0, f"{LINK}\n"),
            f"{WAIT} >/dev/full": (2, ""),
            f"{ASKING} >/dev/full 2>/dev/full": (2, ""),
            f"{WAIT} | true; exit ${{PIPESTATUS[0]}}": (141, ""),
            f"{ASKING} | true; exit ${{PIPESTATUS[0]}}": (141, ""),
        }
        found = await asyncio.gather(*(in_a_shell(town, script, READY) for script in cases))
        assert dict(zip(cases, found, strict=True)) == cases
        # What went wrong is never taken for a link.
        assert await in_a_shell(town, f"{WAIT} 2>&-", NOT_THERE) == (2, "")


async def test_ctrl_c_ends_it_with_the_code_of_an_interruption() -> None:
    async with github_town() as town:
        town.pull_request()
        variables = {**plain_variables(), "GITHUB_TOKEN": town.token, "GITHUB_API_URL": f"{town.url}/api/v3"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "previewbot", "wait", READY), cwd=ROOT, env=variables,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        while b"waiting: " not in await process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        assert (process.returncode, out) == (130, b"")
        assert b"Traceback" not in err


def test_a_mistake_of_its_own_is_not_told_as_a_preview_that_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("nobody thought of it")

    monkeypatch.setenv("GITHUB_TOKEN", "ghs_x")
    monkeypatch.setattr(running, "check_host", broken)
    assert main([READY]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "nobody thought of it" in err
    assert err.endswith("this is a mistake of previewbot's own, and says nothing of the preview\n")
