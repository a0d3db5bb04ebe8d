"""What is read of a registry's challenges, and of a docker config file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from previewbot.clients.registry.challenge import Challenge, choose_challenge
from previewbot.clients.registry.credentials import Credentials, HelperLogin, Login, logins_for
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


def best(registry: str, repository: str, path: Path | None) -> Login | None:
    return next(iter(logins_for(registry, repository, path)), None)


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
        ({"ghcr.io/acm": login("me", "pw")}, Credentials("me", "pw")),
        ({"ghcr.io/v2/acme/": login("me", "pw")}, Credentials("me", "pw")),
        ({"ghcr.io/acme/w": login("b", "b"), "ghcr.io/acme/": login("a", "a")}, Credentials("b", "b")),
        ({"ghcr.io/acme/web-evil": login()}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_login_is_found_in_a_docker_config_file(
    tmp_path: Path, auths: Any, expected: Credentials | None
) -> None:
    path = docker_config(tmp_path / "config.json", auths)

    assert best("ghcr.io", "acme/web", path) == expected


@pytest.mark.parametrize(
    "key",
    ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io", "docker.io/acme"],
)
def test_docker_hubs_login_is_found_under_each_of_its_names(tmp_path: Path, key: str) -> None:
    path = docker_config(tmp_path / "config.json", {key: login("me", "pw")})

    assert best("docker.io", "acme/web", path) == Credentials("me", "pw")


def test_without_a_file_there_is_no_login() -> None:
    assert best("ghcr.io", "acme/web", None) is None


@pytest.mark.parametrize("content", [None, "", "x", "[]", '"x"', "[" * 100_000, b"\xff"])
def test_what_is_no_docker_config_file_is_named(tmp_path: Path, content: str | bytes | None) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    with pytest.raises(ValueError, match=r"config\.json is no docker config file"):
        best("ghcr.io", "acme/web", path)


@pytest.mark.parametrize("auth", ["***", "bm8gY29sb24=", "/////w=="])
def test_a_broken_login_is_said_without_repeating_it(tmp_path: Path, auth: str) -> None:
    path = docker_config(tmp_path / "config.json", {"ghcr.io": {"auth": auth}})

    with pytest.raises(ValueError, match="an auth that is not USER:PASSWORD in base64") as caught:
        best("ghcr.io", "acme/web", path)

    assert auth not in str(caught.value)


@pytest.mark.parametrize("auth", ["Y2k6cGFzcw", "Y2k6\ncGFzcw==\n", " Y2k6cGFzcw== "])
def test_a_login_is_read_as_the_kubelet_reads_it(tmp_path: Path, auth: str) -> None:
    path = docker_config(tmp_path / "config.json", {"ghcr.io": {"auth": auth}})

    assert best("ghcr.io", "acme/web", path) == Credentials("ci", "pass")


HUB = HelperLogin("desktop", "https://index.docker.io/v1/")
FOR_ALL = HelperLogin("desktop", "ghcr.io", for_all=True)


@pytest.mark.parametrize(
    ("registry", "auths", "more", "expected"),
    [
        ("ghcr.io", {}, {"credHelpers": {"ghcr.io": "gh"}}, [HelperLogin("gh", "ghcr.io")]),
        ("ghcr.io", {"ghcr.io": {}}, {"credsStore": "desktop"}, [FOR_ALL]),
        ("ghcr.io", {}, {"credsStore": "desktop"}, [FOR_ALL]),
        ("ghcr.io", {}, {"credHelpers": {"quay.io": "gh"}}, []),
        ("ghcr.io", {}, {"credHelpers": 5, "credsStore": ""}, []),
        ("docker.io", {}, {"credsStore": "desktop"}, [replace(HUB, for_all=True)]),
        ("docker.io", {}, {"credHelpers": {"https://index.docker.io/v1/": "desktop"}}, [HUB]),
        (
            "1.dkr.ecr.eu-central-1.amazonaws.com",
            {},
            {"credHelpers": {"*.dkr.ecr.*.amazonaws.com": "ecr-login"}},
            [HelperLogin("ecr-login", "1.dkr.ecr.eu-central-1.amazonaws.com")],
        ),
        (
            "ghcr.io",
            {"ghcr.io": login("me", "pw")},
            {"credHelpers": {"ghcr.io": "gh"}, "credsStore": "desktop"},
            [HelperLogin("gh", "ghcr.io"), Credentials("me", "pw"), FOR_ALL],
        ),
    ],
)
def test_a_program_that_gives_a_login_is_asked_first_for_its_host_and_last_for_all(
    tmp_path: Path, registry: str, auths: dict[str, Any], more: dict[str, Any], expected: list[Login]
) -> None:
    path = docker_config(tmp_path / "config.json", auths, **more)

    assert list(logins_for(registry, "acme/web", path)) == expected


# The cases of the kubelet's own tests (`pkg/credentialprovider/keyring_test.go` in kubernetes/kubernetes, all
# with `/foo/bar` behind what is asked for), and of its page on images.
FITS = [
    ("https://hello.kubernetes.io", "hello.kubernetes.io"),
    ("*.kubernetes.io", "prefix.kubernetes.io"),
    ("prefix.*.io", "prefix.kubernetes.io"),
    ("prefix.kubernetes.*", "prefix.kubernetes.io"),
    ("*-good.kubernetes.io", "prefix-good.kubernetes.io"),
    ("https://*.docker.io/path", "prefix.docker.io/path"),
    ("https://prefix.*.io/path", "prefix.docker.io/path/subpath"),
    ("*.kubernetes.io:1111/blah", "prefix.kubernetes.io:1111/blah"),
    ("prefix.*.io:1111/foo", "prefix.kubernetes.io:1111/foo/bar"),
    ("https://*.docker.io:8888", "prefix.docker.io:8888"),
    ("https://*.docker.io/v1/", "prefix.docker.io/path"),
    ("https://*.docker.io/v2/", "prefix.docker.io/path"),
    ("prefix.docker.io:1111", "prefix.docker.io:1111/path"),
    ("*.docker.io:1111", "prefix.docker.io:1111/path"),
    ("*.dkr.ecr.eu-central-1.amazonaws.com", "123456789012.dkr.ecr.eu-central-1.amazonaws.com"),
    ("*.jfrog.io", "acme.jfrog.io"),
    ("my-registry.io/images", "my-registry.io/images/my-image"),
    ("reg[a-c]stry.io", "regbstry.io"),
    ("reg[^a-c]stry.io", "registry.io"),
    ("?.registry.io", "a.registry.io"),
    ("localhost:5001", "localhost:5001"),
    ("[::1]:5000", "[::1]:5000"),
    ("http://[fd00::7]:5000/v2/", "[fd00::7]:5000"),
]
FITS_NOT = [
    ("*.kubernetes.io", "kubernetes.io"),
    ("*.*.kubernetes.io", "prefix.kubernetes.io"),
    ("*.*.kubernetes.io", "kubernetes.io"),
    ("kubernetes.io", "kubernetes.com"),
    ("k*.io", "quay.io"),
    ("*.kubernetes.io:1234/blah", "prefix.kubernetes.io:1111/blah"),
    ("prefix.*.io/foo", "prefix.kubernetes.io:1111/foo/bar"),
    ("https://*.docker.com", "prefix.docker.io"),
    ("https://suffix.*.io", "prefix.docker.io"),
    ("https://prefix.docker.c*", "prefix.docker.io"),
    ("my-registry.io/images", "my-registry.io/other"),
    ("*.io/images", "my-registry.io/other"),
    ("*", "ghcr.io"),
    ("*.registry.io", "a.b.registry.io"),
    ("reg[a-c]stry.io", "registry.io"),
    ("registry.io:*", "registry.io:5000"),
    ("[::1]", "[::1]:5000"),
    ("*", "[::1]:5000"),
    ("[::2]:5000", "[::1]:5000"),
    ("https://index.docker.io/v1/", "world.mesos.org"),
]


@pytest.mark.parametrize(
    ("key", "asked", "fits"), [(*c, True) for c in FITS] + [(*c, False) for c in FITS_NOT]
)
def test_an_entry_is_for_those_registries_for_which_nodes_use_it(
    tmp_path: Path, key: str, asked: str, fits: bool
) -> None:
    path = docker_config(tmp_path / "config.json", {key: login("me", "pw")})
    registry, _, rest = f"{asked}/foo/bar".partition("/")

    assert bool(logins_for(registry, rest, path)) is fits


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        (["*.io", "ghcr.io"], ["ghcr.io", "*.io"]),
        (["ghcr.io", "ghcr.io/acme/web", "ghcr.io/acme"], ["ghcr.io/acme/web", "ghcr.io/acme", "ghcr.io"]),
        (["*.io/acme/web", "ghcr.io"], ["ghcr.io", "*.io/acme/web"]),
        (["*.io", "*.io/acme"], ["*.io/acme", "*.io"]),
        (["*.io", "ghcr.*", "g*.io"], ["ghcr.*", "g*.io", "*.io"]),
        (["?hcr.io", "ghcr.io"], ["ghcr.io", "?hcr.io"]),
    ],
)
def test_of_several_that_fit_the_most_exact_one_counts_first(
    tmp_path: Path, keys: list[str], order: list[str]
) -> None:
    path = docker_config(tmp_path / "config.json", {key: login(key, "pw") for key in keys})

    assert [
        one.username for one in logins_for("ghcr.io", "acme/web", path) if isinstance(one, Credentials)
    ] == order


def test_no_more_than_some_logins_are_tried(tmp_path: Path) -> None:
    """A registry may lock an account, or an address, after some wrong passwords."""
    keys = ["ghcr.io", "*.io", "ghcr.*", "?hcr.io", "g*.io", "gh*.io"]
    path = docker_config(tmp_path / "config.json", {key: login(key, "pw") for key in keys})

    assert len(logins_for("ghcr.io", "acme/web", path)) == 4


def test_credentials_do_not_show_their_secrets() -> None:
    assert "pw" not in repr(Credentials("me", "pw-secret", "tok-secret"))
    assert "secret" not in f"{Credentials('me', 'pw-secret', 'tok-secret')}"
