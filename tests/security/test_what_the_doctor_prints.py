"""What a service answers ends up in the doctor's lines, which people paste into tickets: secrets do not."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from previewbot.config.server import Settings
from previewbot.doctor.check import Check, State
from previewbot.doctor.examination import Secrets
from previewbot.doctor.github_judged import app_refused
from previewbot.doctor.report import as_json
from previewbot.doctor.running import Question, asked
from previewbot.errors import RemoteError, SettingsError, Unauthorized
from tests.support import passes

SAID = {
    "a token of GitHub's": ("ghs_16C7e42F292c6912E7710c838347Ae178B4a", "ghs_"),
    "a login in an address": ("Get https://bot:hunter2hunter2@ghcr.io/v2/: denied", "hunter2"),
    "a header": ("Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI0MjQyIn0.abcdefgh", "eyJ"),
    "a password by its name": ("exec: password=correct-horse-battery", "correct-horse"),
}


async def told(error: Exception) -> list[Check]:
    async def ask() -> Sequence[Check]:
        raise error

    return [check async for check in asked([Question("a question", ask)])]


@pytest.mark.parametrize(("said", "secret"), SAID.values(), ids=SAID.keys())
async def test_what_a_server_or_a_file_says_is_masked_in_lines_and_in_json(said: str, secret: str) -> None:
    checks = [
        *await told(RemoteError("GitHub", message=said)),
        *await told(SettingsError((said,))),
        app_refused(
            Unauthorized("GET /app", status=401, message=said), Settings.model_validate(passes.SETTINGS)
        ),
    ]

    written = "\n".join([*(check.line for check in checks), as_json(checks)])
    assert {check.state for check in checks} == {State.WRONG}
    assert secret not in written


async def test_an_answer_as_long_as_a_book_becomes_one_short_line() -> None:
    [check] = await told(RemoteError("GitHub", message="word\n" * 100_000))

    assert len(check.line) < 1_200
    assert "\n" not in check.line
    assert len(json.loads(as_json([check]))["checks"][0]["words"]) <= 1_000


def test_the_secrets_that_were_read_show_in_no_representation() -> None:
    assert "hunter2" not in repr(
        Secrets("hunter2", (b"hunter2",), guard_keys=(b"hunter2",), pictures=b"hunter2")
    )
