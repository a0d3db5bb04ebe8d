"""What is read of a registry's challenges, and of a docker config file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from previewbot.clients.registry.challenge import Challenge, choose_challenge
from previewbot.clients.registry.credentials import Credentials, credentials_for
from tests.support.registry_server import docker_config, login

CHALLENGES = [
    ('Bearer realm="https://a/t",service="s",scope="x"', Challenge("bearer", "https://a/t", "s", "x")),
    ('bearer Realm="https://a/t" , SERVICE=s', Challenge("bearer", "https://a/t", "s")),
    (
        'Bearer realm="https://a/t",scope="repository:acme/web:pull,push repository:b:pull"',
        Challenge("bearer", "https://a/t", "", "repository:acme/web:pull,push repository:b:pull"),
    ),
    (r'Bearer realm="https://a/t",service="a \"b\" c"', Challenge("bearer", "https://a/t", 'a "b" c')),
    ('Basic realm="Sonatype Nexus, the registry"', Challenge("basic", "Sonatype Nexus, the registry")),
    ("Basic", Challenge("basic")),
    ('Basic realm="r", Bearer realm="https://a/t",service="s"', Challenge("bearer", "https://a/t", "s")),
    ('Bearer realm="https://a/t",error="insufficient_scope"', Challenge("bearer", "https://a/t")),
    ('Digest realm="r", qop="auth", Basic realm="b"', Challenge("basic", "b")),
    ('Negotiate, Basic realm="b"', Challenge("basic", "b")),
    ("Negotiate", None),
    ('realm="https://a/t"', None),
    ('Bearer-like realm="https://a/t"', None),
    ("", None),
]


@pytest.mark.parametrize(("header", "expected"), CHALLENGES)
def test_a_challenge_is_read_as_it_is_written(header: str, expected: Challenge | None) -> None:
    assert choose_challenge([header]) == expected


def test_of_several_challenges_a_tokens_is_answered() -> None:
    headers = ["Negotiate", 'Basic realm="b"', 'Bearer realm="https://a/t"']

    assert choose_challenge(headers) == Challenge("bearer", "https://a/t")


def test_no_challenge_at_all_cannot_be_answered() -> None:
    assert choose_challenge([]) is None


@pytest.mark.parametrize(
    ("auths", "expected"),
    [
        ({"ghcr.io": login("me", "pw")}, Credentials("me", "pw")),
        ({"ghcr.io": {"username": "me", "password": "pw"}}, Credentials("me", "pw")),
        ({"https://ghcr.io": login("me", "pw")}, Credentials("me", "pw")),
        ({"http://ghcr.io/": login("me", "pw")}, Credentials("me", "pw")),
        ({"https://ghcr.io/v1/": login("me", "pw")}, Credentials("me", "pw")),
        ({"https://GHCR.io/v2/": login("me", "pw")}, Credentials("me", "pw")),
        ({"https://ghcr.io": login("b", "b"), "ghcr.io": login("a", "a")}, Credentials("a", "a")),
        ({"ghcr.io/acme": login("me", "pw")}, Credentials("me", "pw")),
        ({"ghcr.io/acme/web": login("me", "pw")}, Credentials("me", "pw")),
        ({"ghcr.io": login("b", "b"), "ghcr.io/acme": login("a", "a")}, Credentials("a", "a")),
        ({"ghcr.io": login("b", "b"), "ghcr.io/acme": {}}, Credentials("b", "b")),
        ({"ghcr.io": login("me", "p:w:")}, Credentials("me", "p:w:")),
        ({"ghcr.io": login("me", "pässword")}, Credentials("me", "pässword")),
        ({"ghcr.io": {**login("me", "x"), "identitytoken": "t"}}, Credentials("me", "x", "t")),
        ({"ghcr.io": {"identitytoken": "t"}}, Credentials("", "", "t")),
        ({"ghcr.io": login("<token>", "t")}, Credentials("<token>", "t", "t")),
        ({"ghcr.io": {}}, None),
        ({"ghcr.io": 5}, None),
        ({"ghcr.io": {"auth": None, "username": None}}, None),
        ({"ghcr.io.evil.com": login()}, None),
        ({"evil.com/ghcr.io": login()}, None),
        ({"ghcr.io:5000": login()}, None),
        ({"ghcr.io/acm": login()}, None),
        ({"ghcr.io/acme/web-evil": login()}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_login_is_found_in_a_docker_config_file(
    tmp_path: Path, auths: Any, expected: Credentials | None
) -> None:
    path = docker_config(tmp_path / "config.json", auths)

    assert credentials_for("ghcr.io", "acme/web", path) == expected


@pytest.mark.parametrize(
    "key",
    ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io", "docker.io/acme"],
)
def test_docker_hubs_login_is_found_under_each_of_its_names(tmp_path: Path, key: str) -> None:
    path = docker_config(tmp_path / "config.json", {key: login("me", "pw")})

    assert credentials_for("docker.io", "acme/web", path) == Credentials("me", "pw")


def test_without_a_file_there_is_no_login() -> None:
    assert credentials_for("ghcr.io", "acme/web", None) is None


@pytest.mark.parametrize("content", [None, "", "x", "[]", '"x"', "[" * 100_000, b"\xff"])
def test_what_is_no_docker_config_file_is_named(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    with pytest.raises(ValueError, match=r"config\.json is no docker config file"):
        credentials_for("ghcr.io", "acme/web", path)


@pytest.mark.parametrize("auth", ["***", "bm8gY29sb24=", "/////w=="])
def test_a_broken_login_is_said_without_repeating_it(tmp_path: Path, auth: str) -> None:
    path = docker_config(tmp_path / "config.json", {"ghcr.io": {"auth": auth}})

    with pytest.raises(ValueError, match="an auth that is not USER:PASSWORD in base64") as caught:
        credentials_for("ghcr.io", "acme/web", path)

    assert auth not in str(caught.value)


@pytest.mark.parametrize(
    ("auths", "more"),
    [
        ({}, {"credHelpers": {"ghcr.io": "gh"}}),
        ({"ghcr.io": {}}, {"credsStore": "desktop"}),
    ],
)
def test_a_login_that_a_helper_keeps_is_said_to_be_out_of_reach(
    tmp_path: Path, auths: dict[str, Any], more: dict[str, Any]
) -> None:
    path = docker_config(tmp_path / "config.json", auths, **more)

    with pytest.raises(ValueError, match=r"keeps the login for ghcr\.io in a credential helper"):
        credentials_for("ghcr.io", "acme/web", path)

    assert credentials_for("quay.io", "acme/web", path) is None


def test_credentials_do_not_show_their_secrets() -> None:
    assert "pw" not in repr(Credentials("me", "pw-secret", "tok-secret"))
    assert "secret" not in f"{Credentials('me', 'pw-secret', 'tok-secret')}"
