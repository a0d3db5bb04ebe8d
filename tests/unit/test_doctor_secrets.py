"""Which part of an installation the doctor looks at: by whose secret is here, be it of use or not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from previewbot.cli import doctor as command
from previewbot.cli.doctor import secrets_of
from previewbot.config.server import Settings
from previewbot.config.server.pictures import PicturesSettings
from previewbot.doctor.check import State
from tests.support import passes
from tests.support.github_town import private_pem

SECRET = "0123456789abcdef0123456789abcdef"


def settings(directory: Path, key: str | None, secret: str | None) -> Settings:
    """Return settings whose two files have this in them; None for one that is not there."""
    paths = {"private_key_file": directory / "app.pem", "webhook_secret_file": directory / "secret"}
    for path, content in zip(paths.values(), (key, secret), strict=True):
        if content is not None:
            path.write_text(content)
    github = {**passes.SETTINGS["github"], **{name: str(path) for name, path in paths.items()}}
    return Settings.model_validate({**passes.SETTINGS, "github": github})


@pytest.mark.parametrize(
    ("key", "secret", "who", "states"),
    [
        ("fine", SECRET, ("controller", "web", "pages"), (State.OK, State.OK)),
        ("fine", None, ("controller",), (State.OK, State.NOT_CHECKED)),
        (None, SECRET, ("web",), (State.NOT_CHECKED, State.OK)),
        ("no key", None, ("controller",), (State.WRONG, State.NOT_CHECKED)),
        (None, "short", ("web",), (State.NOT_CHECKED, State.WRONG)),
        (None, "", ("web",), (State.NOT_CHECKED, State.WRONG)),
        (None, None, ("controller", "web", "pages"), (State.NOT_CHECKED, State.NOT_CHECKED)),
    ],
)
def test_a_secret_that_is_of_no_use_is_still_whose_it_is(
    tmp_path: Path, key: str | None, secret: str | None, who: tuple[str, ...], states: tuple[State, ...]
) -> None:
    pem = private_pem() if key == "fine" else key

    found = secrets_of(settings(tmp_path, pem, secret), {})

    assert found.who == who
    assert tuple(check.state for check in found.checks) == states


def test_a_file_that_may_not_be_looked_at_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    def unreadable(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    found = settings(tmp_path, "x", SECRET)
    monkeypatch.setattr(Path, "exists", refused)
    monkeypatch.setattr("previewbot.cli.secret_files.read_head", unreadable)

    checks = secrets_of(found, {}).checks

    assert [check.state for check in checks] == [State.WRONG, State.WRONG]
    assert "cannot be read: Permission denied; let the user of this process read it" in checks[0].words


@pytest.mark.parametrize(
    ("secret", "bearer", "state", "words"),
    [
        (SECRET, "b" * 40, State.OK, "it can be used"),
        (SECRET, f"{'b' * 40}\n{'a' * 40}\n", State.NOTE, "take the second line away"),
        (SECRET, "", State.WRONG, "is empty; it must hold a bearer: make one with"),
        (SECRET, "short", State.WRONG, "a bearer of 5 characters, which can be guessed"),
        (SECRET, None, State.NOT_CHECKED, "is not here: it is pages'"),
        (None, None, State.NOT_CHECKED, "is not here: it is pages'"),
        (None, "short", State.WRONG, "which can be guessed"),
    ],
)
def test_the_bearer_of_programs_is_judged_where_it_is_or_should_be(
    tmp_path: Path, secret: str | None, bearer: str | None, state: State, words: str
) -> None:
    file = tmp_path / "bearer"
    if bearer is not None:
        file.write_text(bearer)
    some = settings(tmp_path, None, secret)
    with_bearer = some.model_copy(update={"api": some.api.model_copy(update={"bearer_file": file})})

    *_, check = secrets_of(with_bearer, {}).checks

    assert (check.name, check.state) == ("the bearer of programs", state)
    assert words in check.words
    assert not bearer or bearer.strip() not in check.line
    assert len(secrets_of(some, {}).checks) == 2, "without the setting nothing is asked"


@pytest.mark.parametrize(
    ("process", "token", "state", "words"),
    [
        ("controller", "t" * 40, State.OK, "it can be used"),
        ("pages", "short", State.WRONG, "no pictures are taken or shown, and neither starts so"),
        ("controller", None, State.WRONG, "cannot be read"),
        ("web", None, State.NOT_CHECKED, "it is pages' and the controller's"),
        # Whose part this is it does not say: with the key it is the controller's.
        (None, "t" * 40, State.OK, "it can be used"),
    ],
)
def test_the_secret_of_pictures_is_judged_where_it_should_be(
    tmp_path: Path, process: str | None, token: str | None, state: State, words: str
) -> None:
    file = tmp_path / "token"
    if token is not None:
        file.write_text(token)
    url = "http://previewbot-pictures:8080"
    some = settings(tmp_path, "fine", None).model_copy(
        update={"pictures": PicturesSettings.model_validate({"url": url, "token_file": file})}
    )

    found = secrets_of(some, {}, process)

    assert found.who == (process or "controller",)
    assert (found.checks[-1].name, found.checks[-1].state) == ("the secret of pictures", state)
    assert words in found.checks[-1].words
    assert found.pictures == (token.encode() if token and state is State.OK else None)


@pytest.mark.parametrize("process", ["web", "pages", "controller"])
def test_whose_part_it_is_may_be_said(tmp_path: Path, process: str) -> None:
    some = settings(tmp_path, "fine", SECRET)
    file = tmp_path / "bearer"
    with_bearer = some.model_copy(update={"api": some.api.model_copy(update={"bearer_file": file})})

    found = secrets_of(with_bearer, {}, process)

    assert found.who == (process,)
    # Where it has to be, what is not there is a mistake.
    assert found.checks[-1].state is (State.WRONG if process == "pages" else State.NOT_CHECKED)


def signing_in(directory: Path, client_secret: str | None, cookie_keys: str | None) -> Settings:
    """Return settings with which people sign in, whose two files have this in them."""
    paths = {"client_secret_file": directory / "client-secret", "cookie_keys_file": directory / "cookie-keys"}
    for path, content in zip(paths.values(), (client_secret, cookie_keys), strict=True):
        if content is not None:
            path.write_text(content)
    sign_in = {"client_id": "Iv23liAbCdEfGhIjKlMn", **{key: str(path) for key, path in paths.items()}}
    url = "https://previews.example.com"
    return Settings.model_validate({**passes.SETTINGS, "public_url": url, "sign_in": sign_in})


def test_the_secrets_of_a_sign_in_are_judged_where_they_are(tmp_path: Path) -> None:
    found = secrets_of(signing_in(tmp_path, "c" * 40, base64.b64encode(b"k" * 32).decode()), {})

    assert found.who == ("pages",)
    assert [(check.name, check.state) for check in found.checks[-2:]] == [
        ("the client secret", State.OK),
        ("the keys of cookies", State.OK),
    ]


def test_keys_of_cookies_that_are_none_keep_everybody_from_signing_in(tmp_path: Path) -> None:
    found = secrets_of(signing_in(tmp_path, "c" * 40, "no key"), {})

    assert found.checks[-1].state is State.WRONG
    assert "nobody can sign in until that is put right" in found.checks[-1].words


def test_the_secrets_of_a_sign_in_are_pages(tmp_path: Path) -> None:
    found = secrets_of(signing_in(tmp_path, None, None), {})

    assert [check.state for check in found.checks[-2:]] == [State.NOT_CHECKED] * 2


def test_settings_that_cannot_be_used_are_json_for_whoever_reads_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("github: {app_id: many}\n")

    code = command.doctor(path, json=True)

    told = json.loads(capsys.readouterr().out)
    assert (code, told["ok"]) == (2, False)
    assert {each["name"] for each in told["checks"]} == {"settings"}
    assert any("app_id" in each["words"] for each in told["checks"])
