"""The server's settings: strict, and all that is wrong at once."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from previewbot.config.server import (
    ClusterSettings,
    DeadlinesSettings,
    GatewaySettings,
    GitHubSettings,
    ImageSettings,
    LimitsSettings,
    LinkSettings,
    ListingSettings,
    RegistrySettings,
    SecretSource,
    Settings,
    TtlSettings,
    document,
    parse,
    private_key,
    private_key_source,
    webhook_secret_source,
)
from previewbot.errors import SettingsError

EXAMPLE = """\
github:
  api_url: https://api.github.com
  web_url: https://github.com
  app_id: 4242
  private_key_file: /etc/previewbot/app.pem
  webhook_secret_file: /etc/previewbot/webhook-secret
public_url: https://previews.example.com
cluster:
  kubeconfig: /etc/previewbot/kubeconfig      # in-cluster when left out
  namespaces: [staging, payments]
links:                                        # may be left out
  gateway: {name: public, namespace: gateways, domain: preview.example.com, scheme: https}
images:
  allowed: [ghcr.io/acme/, registry.internal:5000/]      # repository prefixes
  registries:                                 # only where more than anonymous HTTPS is needed
    ghcr.io: {docker_config_file: /etc/previewbot/registry.json}
    registry.internal:5000: {plain_http: true}
config_branches: []
limits: {previews: 50}                        # over it: Queued, oldest first
ttl: {default: 8h, max: 72h}
deadlines: {image: 60m, session: 5m}
listing: {interval: 3m}
"""

SMALLEST: dict[str, Any] = {
    "github": {"api_url": "http://127.0.0.1:8470/api/v3", "web_url": "http://127.0.0.1:8470", "app_id": 7},
    "public_url": "http://127.0.0.1:8471",
    "cluster": {"namespaces": ["staging"]},
    "images": {"allowed": ["127.0.0.1:8470/"]},
}


def problems(changed: dict[str, Any], environment: dict[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse(changed, environment or {})
    return caught.value.problems


def with_key(path: str, value: Any) -> dict[str, Any]:
    changed = deepcopy(SMALLEST)
    place = changed
    *parents, key = path.split("/")
    for parent in parents:
        place = place.setdefault(parent, {})
    place[key] = value
    return changed


def test_the_example_is_accepted_as_it_is() -> None:
    expected = Settings(
        github=GitHubSettings(
            api_url="https://api.github.com",
            web_url="https://github.com",
            app_id=4242,
            private_key_file=Path("/etc/previewbot/app.pem"),
            webhook_secret_file=Path("/etc/previewbot/webhook-secret"),
        ),
        public_url="https://previews.example.com",
        cluster=ClusterSettings(
            kubeconfig=Path("/etc/previewbot/kubeconfig"), namespaces=("staging", "payments")
        ),
        links=LinkSettings(
            gateway=GatewaySettings(name="public", namespace="gateways", domain="preview.example.com")
        ),
        images=ImageSettings(
            allowed=("ghcr.io/acme/", "registry.internal:5000/"),
            registries={
                "ghcr.io": RegistrySettings(docker_config_file=Path("/etc/previewbot/registry.json")),
                "registry.internal:5000": RegistrySettings(plain_http=True),
            },
        ),
        config_branches=(),
        limits=LimitsSettings(previews=50),
        ttl=TtlSettings(default=timedelta(hours=8), max=timedelta(hours=72)),
        deadlines=DeadlinesSettings(image=timedelta(minutes=60), session=timedelta(minutes=5)),
        listing=ListingSettings(interval=timedelta(minutes=3)),
    )

    assert expected == parse(document(EXAMPLE), {})


def test_what_may_be_left_out_has_the_examples_values() -> None:
    found, example = parse(SMALLEST, {}), parse(document(EXAMPLE), {})

    assert found.links is None
    assert found.cluster.kubeconfig is None
    assert found.github.private_key_file is None
    for name in ("config_branches", "limits", "ttl", "deadlines", "listing"):
        assert getattr(found, name) == getattr(example, name)


def test_links_are_asked_unless_the_settings_say_otherwise() -> None:
    gateway = {"name": "public", "namespace": "gateways", "domain": "preview.example.com"}
    only = parse(with_key("links/check", False), {}).links
    both = parse(with_key("links/gateway", gateway), {}).links

    assert both is not None and both.check
    assert only is not None and (only.gateway, only.check) == (None, False)


def test_the_host_is_that_of_the_web_url_with_its_port() -> None:
    assert parse(SMALLEST, {}).github_host == "127.0.0.1:8470"
    assert parse(document(EXAMPLE), {}).github_host == "github.com"


def test_an_empty_file_gets_one_list_of_all_that_is_missing() -> None:
    found = problems({})

    assert [line.split(" is missing; write for example ")[0] for line in found] == [
        "github.api_url",
        "github.web_url",
        "github.app_id",
        "public_url",
        "cluster.namespaces",
        "images.allowed",
    ]
    assert str(SettingsError(found)).count("\n") == len(found) - 1


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("githubb", {}, "githubb is unknown; did you mean github?"),
        ("github/app-id", 1, "github.app-id is unknown; did you mean app_id?"),
        ("github/zzz", 1, "github.zzz is unknown; known here: api_url, web_url, app_id,"),
        ("github/api_url", "api.github.com", "github.api_url must be an http:// or https:// URL"),
        ("github/api_url", "https://user:pw@host", "github.api_url must not contain a user name or password"),
        ("github/api_url", "https://host:port", "github.api_url must be an http:// or https:// URL"),
        ("github/web_url", "ftp://github.com", "github.web_url must be an http:// or https:// URL"),
        ("github/web_url", "https://", "github.web_url must be an http:// or https:// URL"),
        ("public_url", "https://x/?a=b", "public_url must be an http:// or https:// URL"),
        ("public_url", 5, "public_url must be a text, not 5"),
        ("public_url", None, "public_url is missing"),
        ("github/app_id", "4242", 'github.app_id must be a whole number from 1, not "4242"'),
        ("github/app_id", True, "github.app_id must be a whole number from 1, not true"),
        ("github/app_id", 0, "github.app_id must be a whole number from 1, not 0"),
        (
            "github",
            "x",
            "github must hold keys such as api_url: https://api.github.com and web_url: https://github.com",
        ),
        ("github/private_key", "-----BEGIN", "github.private_key does not belong here"),
        ("github/webhook_secret", "hunter2", "github.webhook_secret does not belong here"),
        ("cluster/namespaces", [], "cluster.namespaces must name at least one"),
        ("cluster/namespaces", "staging", "cluster.namespaces must be a list"),
        ("cluster/namespaces", ["Staging"], "cluster.namespaces must be a name of at most 63 small letters"),
        ("images/allowed", ["https://ghcr.io/acme"], "images.allowed must begin with a registry's host"),
        ("images/allowed", ["acme/shop"], "images.allowed must begin with a registry's host"),
        ("images/allowed", [""], "images.allowed must begin with a registry's host"),
        (
            "images/registries",
            ["ghcr.io"],
            "images.registries must hold hosts of registries, such as ghcr.io:",
        ),
        ("images/registries/[key]", 5, "images.registries.[key] must hold keys such as docker_config_file:"),
        ("images/registries/[key]", {}, "images.registries.[key] must be the host of a registry"),
        ("[key]", 5, "[key] is unknown; known here: github"),
        ("images/registries/not a host", {}, "images.registries.not a host must be the host of a registry"),
        ("images/registries/[:::]:5000", {}, "images.registries.[:::]:5000 must be the host of a registry"),
        ("images/registries/[::1]:99999", {}, "images.registries.[::1]:99999 must be the host of a registry"),
        ("images/allowed", ["[::g]:5000/"], "images.allowed must begin with a registry's host"),
        ("images/allowed", ["ghcr.io:99999/acme/"], "images.allowed must begin with a registry's host"),
        (
            "images/registries/localhost:5001/address",
            "http://kind-registry:5000",
            "images.registries.localhost:5001.address must be the host of a registry",
        ),
        (
            "images/registries/ghcr.io/credential_helper",
            "docker-credential-../sh",
            "credential_helper must be what stands behind docker-credential- in a program's name",
        ),
        (
            "images/registries/ghcr.io/credential_helper",
            5,
            "images.registries.ghcr.io.credential_helper must",
        ),
        ("images/registries/ghcr.io", {"plain": True}, "did you mean plain_http?"),
        ("images/registries/ghcr.io/plain_http", "yes", "plain_http must be true or false"),
        ("images/registries/ghcr.io/ca_file", 5, "images.registries.ghcr.io.ca_file must be a text"),
        (
            "images/registries/ghcr.io",
            {"plain_http": True, "ca_file": "/ca.pem"},
            "images.registries.ghcr.io.ca_file is for TLS, which plain_http switches off",
        ),
        (
            "images/registries/ghcr.io/token_server",
            "http://gitlab.example.com/jwt/auth",
            "images.registries.ghcr.io.token_server must begin with https://, since it gets a password; or",
        ),
        (
            "images/registries/ghcr.io/token_server",
            "https://me:hunter2@gitlab.example.com",
            "images.registries.ghcr.io.token_server must not contain a user name or password",
        ),
        ("links/gateway", {"name": "public", "namespace": "g"}, "links.gateway.domain is missing"),
        ("links/gateway/settle", "-1s", "links.gateway.settle must be a duration, like 8h"),
        (
            "links/gateway/settle",
            0,
            "links.gateway.settle must be a duration, like 8h, 2h30m, 90s or 3d, not 0",
        ),
        ("links", {"gatewy": {}}, "links.gatewy is unknown; did you mean gateway?"),
        ("limits/previews", -1, "limits.previews must be a whole number from 1"),
        ("ttl/default", 8, "ttl.default must be a duration, like 8h, 2h30m, 90s or 3d, not 8"),
        ("ttl/default", "100h", "ttl.default must be at most ttl.max, which is 3d"),
        ("deadlines/image", "soon", "deadlines.image must be a duration"),
        ("deadlines/progress", "89s", "deadlines.progress must be at least 1m30s"),
        ("listing/interval", "0s", 'listing.interval must be more than zero, like 30m, not "0s"'),
        ("ttl/max", "400d", 'ttl.max must be at most 365d, not "400d"'),
        ("links/gateway/settle", "400d", 'links.gateway.settle must be at most 365d, not "400d"'),
        ("config_branches", "main", "config_branches must be a list"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_is_expected(path: str, value: Any, told: str) -> None:
    assert any(told in problem for problem in problems(with_key(path, value)))


def test_a_registry_may_be_asked_at_another_address_and_have_an_ipv6_one() -> None:
    images = {
        "allowed": ["localhost:5001/", "[2001:DB8::7]:5000/acme/", "[::1]/acme"],
        "registries": {
            "localhost:5001": {"address": "KIND-registry:5000", "plain_http": True},
            "[2001:DB8::7]:5000": {"credential_helper": "acr-env"},
        },
    }

    read = parse({**SMALLEST, "images": images}, {}).images

    assert read.registries["localhost:5001"].address == "kind-registry:5000"
    assert read.registries["[2001:db8::7]:5000"].credential_helper == "acr-env"


GATEWAY = {"gateway": {"name": "public", "namespace": "gateways", "domain": "preview.example.com"}}


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://[2001:db8::1]:8443", "2001:db8::1"),
        ("https://preview_bot.example.com", "preview_bot.example.com"),
        ("https://previews.example.com.", "previews.example.com."),
        ("https://pré.example.com", "pré.example.com"),
        (f"https://{'a.' * 126}aa", f"{'a.' * 126}aa"),
    ],
)
def test_pages_at_a_host_that_no_route_can_redirect_to_are_refused_with_a_gateway(
    url: str, host: str
) -> None:
    told = problems(
        {
            **SMALLEST,
            "public_url": url,
            "links": GATEWAY,
            "owners": ["a"],
            "repositories": [{"match": ["b/c"]}],
        }
    )

    # And the other mistakes with it.
    assert [problem.split()[0] for problem in told] == ["public_url", "repositories.match"]
    assert told[0].startswith(f"public_url has the host {host[:20]}")
    assert told[0].endswith(
        ", to which no route of links.gateway can redirect; give the pages a DNS name in small letters, "
        "or leave out links"
    )
    assert parse({**SMALLEST, "public_url": url}, {}).public_url == url


@pytest.mark.parametrize(
    "url", ["https://Previews.example.com:8443/x", "http://127.0.0.1:8470", f"https://{'a.' * 126}a"]
)
def test_routes_can_redirect_to_a_name_and_to_what_looks_like_one(url: str) -> None:
    assert parse({**SMALLEST, "public_url": url, "links": GATEWAY}, {}).public_url == url


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("github/webhook_secret", "hunter2"),
        ("github/webhook_secret", {"value": "hunter2"}),
        ("github/webhook_secert", "hunter2"),
        ("github/private_key_file", "-----BEGIN PRIVATE KEY-----\nhunter2\n"),
        ("github/api_url", "https://me:hunter2@github.com"),
        ("github/api_url", "me:hunter2@github.com"),
        ("images/allowed", ["me:hunter2@ghcr.io"]),
        ("images/registries/ghcr.io", {"password": "hunter2"}),
    ],
)
def test_a_secret_in_the_file_is_not_repeated_in_the_answer(path: str, value: Any) -> None:
    assert "hunter2" not in " ".join(problems(with_key(path, value)))


@pytest.mark.parametrize("sign", ["\x1b[31m", "\0", "\n", "\x9b", "\u2028", "\u202e", "\ud800"])
@pytest.mark.parametrize(
    "path",
    [
        "github/api_url",
        "github/web_url",
        "public_url",
        "github/private_key_file",
        "cluster/kubeconfig",
        "links/gateway/name",
        "links/gateway/scheme",
        "ttl/default",
        "limits/previews",
    ],
)
def test_no_value_holds_what_cannot_be_seen_and_no_message_shows_it(path: str, sign: str) -> None:
    found = problems(with_key(path, f"https://github.example.com/{sign}x"))

    assert any(problem.startswith(path.replace("/", ".")) for problem in found)
    assert all(problem.isprintable() for problem in found)


def test_keys_and_variables_are_told_without_what_cannot_be_seen() -> None:
    found = problems(
        with_key("github/a\x1b\u202e\ud800", 1),
        {"PREVIEWBOT_GITHUB__X\x1b": "1", "PREVIEWBOT_LIMITS\x1b": "1"},
    )

    assert len(found) == 3
    assert all(problem.isprintable() for problem in found)


def test_a_secret_in_a_variable_is_not_repeated_in_the_answer() -> None:
    misspelt = {
        "PREVIEWBOT_GITHUB__WEBHOOK_SECERT": "hunter2",
        "PREVIEWBOT_GITHUB": '{"private_key": "hunter2"}',
    }

    assert "hunter2" not in " ".join(problems(SMALLEST, misspelt))


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        ("app_id: 4242", "app_id: '4242'", 'line 4: github.app_id must be a whole number from 1, not "4242"'),
        ("app_id: 4242", "ap_id: 4242", "line 4: github.ap_id is unknown; did you mean app_id?"),
        ("app_id: 4242", "ap_id: 4242", "line 2: github.app_id is missing; write for example app_id: 4242"),
        ("app_id: 4242", "app_id: 0x10", "line 4: github.app_id must be a whole number from 1, not 0x10"),
        ("app_id: 4242", "app_id:", "line 4: github.app_id has no value; write for example app_id: 4242"),
        (
            "[staging, payments]",
            "[staging, 12]",
            "line 10: cluster.namespaces must be a text, not 12; put 12 in",
        ),
        (
            "[staging, payments]",
            "[staging, on]",
            "line 10: cluster.namespaces must be a text, not true; put on in",
        ),
        (
            "ttl: {default: 8h",
            "ttl: {default: 80h",
            "line 20: ttl.default must be at most ttl.max, which is 3d",
        ),
        (
            "listing: {interval",
            "listing: {intervall",
            "line 22: listing.intervall is unknown; did you mean interval",
        ),
        ("scheme: https", "scheme: 443", "line 12: links.gateway.scheme must be https or http, not 443"),
        ("scheme: https", "scheme: on", "line 12: links.gateway.scheme must be https or http, not true"),
        ("scheme: https", "scheme: 1.5", "line 12: links.gateway.scheme must be https or http, not 1.5"),
        ("scheme: https", "scheme: {https}", "line 12: links.gateway.scheme must be https or http"),
        (
            "kubeconfig: /etc/previewbot/kubeconfig ",
            "kubeconfig: {{ .Values.x }} ",
            "line 9: cluster.kubeconfig must be a text; put what begins with { in quotes",
        ),
        (
            "registry.internal:5000: {plain_http: true}",
            "Not a host:",
            "line 17: images.registries.Not a host must be the host of a registry",
        ),
        ("scheme: https", "scheme: tcp", 'line 12: links.gateway.scheme must be https or http, not "tcp"'),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(written: str, instead: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(document(EXAMPLE.replace(written, instead)), {})

    assert any(problem.startswith(told) for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("written", "instead", "told"),
    [
        (
            "cluster:\n  kubeconfig: /etc/previewbot/kubeconfig      # in-cluster when left out\n  names",
            "cluster:\nkubeconfig: /etc/previewbot/kubeconfig\nnames",
            "line 8: cluster has nothing under it; indent what belongs there: kubeconfig to namespaces",
        ),
        (
            "limits: {previews: 50}",
            "limits:\npreviews: 50",
            "line 19: limits has nothing under it; indent what belongs there: previews",
        ),
        (
            "  gateway: {",
            "gateway: {",
            "line 11: links has nothing under it; indent what belongs there: gateway",
        ),
    ],
)
def test_keys_beside_the_part_that_they_belong_to_are_one_mistake(
    written: str, instead: str, told: str
) -> None:
    content = EXAMPLE.replace(written, instead)
    with pytest.raises(SettingsError) as caught:
        parse(document(content), {})

    assert caught.value.problems == (told,)


def test_a_key_without_a_value_is_the_same_as_none() -> None:
    expected = parse(document(EXAMPLE.replace("ttl: {default: 8h, max: 72h}", "")), {})

    assert expected == parse(document(EXAMPLE.replace("ttl: {default: 8h, max: 72h}", "ttl:")), {})


def test_settings_cannot_be_changed() -> None:
    found: Any = parse(SMALLEST, {})

    with pytest.raises(ValidationError, match="frozen"):
        found.public_url = "x"
    with pytest.raises(ValidationError, match="frozen"):
        found.ttl.max = timedelta(1)


def test_every_mistake_is_told_at_once() -> None:
    changed = with_key("ttl/default", "x")
    changed["public_url"] = "x"
    changed["limits"] = {"preview": 5}

    assert len(problems(changed, {"PREVIEWBOT_GITHUB__APP_ID": "x"})) == 4


@pytest.mark.parametrize(
    ("variable", "text", "attribute", "expected"),
    [
        ("GITHUB__APP_ID", "99", "github.app_id", 99),
        ("PUBLIC_URL", "https://p.example.com/", "public_url", "https://p.example.com"),
        ("CLUSTER__NAMESPACES", '["a", "b"]', "cluster.namespaces", ("a", "b")),
        ("CLUSTER__KUBECONFIG", "/k", "cluster.kubeconfig", Path("/k")),
        ("CONFIG_BRANCHES", '["release/*"]', "config_branches", ("release/*",)),
        ("LIMITS__PREVIEWS", "3", "limits.previews", 3),
        ("TTL", '{"default": "1h"}', "ttl.default", timedelta(hours=1)),
        ("TTL__MAX", "9h", "ttl.max", timedelta(hours=9)),
        ("LINKS", "null", "links", None),
        ("LINKS__GATEWAY__PORT", "8443", "links.gateway.port", 8443),
        ("LINKS__GATEWAY__SETTLE", "5s", "links.gateway.settle", timedelta(seconds=5)),
        ("LINKS__GATEWAY__SETTLE", "0s", "links.gateway.settle", timedelta(0)),
        ("LINKS__GATEWAY__SETTLE", "0m", "links.gateway.settle", timedelta(0)),
        (
            "IMAGES__REGISTRIES",
            '{"harbor.internal": {"ca_file": "/ca.pem"}}',
            "images.registries",
            {"harbor.internal": RegistrySettings(ca_file=Path("/ca.pem"))},
        ),
        (
            "IMAGES__REGISTRIES",
            '{"ghcr.io": {"plain_http": true}}',
            "images.registries",
            {"ghcr.io": RegistrySettings(plain_http=True)},
        ),
    ],
)
def test_a_variable_takes_the_place_of_a_key(
    variable: str, text: str, attribute: str, expected: object
) -> None:
    found: Any = parse(document(EXAMPLE), {f"PREVIEWBOT_{variable}": text})
    for name in attribute.split("."):
        found = getattr(found, name)

    assert expected == found


def test_the_deeper_variable_wins() -> None:
    environment = {"PREVIEWBOT_TTL": '{"default": "1h", "max": "2h"}', "PREVIEWBOT_TTL__MAX": "5h"}

    assert TtlSettings(default=timedelta(hours=1), max=timedelta(hours=5)) == parse(SMALLEST, environment).ttl


def test_the_document_itself_is_left_as_it_was() -> None:
    before = deepcopy(SMALLEST)

    parse(SMALLEST, {"PREVIEWBOT_GITHUB__APP_ID": "99"})

    assert before == SMALLEST


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        (
            "GITHUB__APPID",
            "1",
            "github.appid (from PREVIEWBOT_GITHUB__APPID) is unknown; did you mean app_id?",
        ),
        ("GITHUBB__APP_ID", "1", "PREVIEWBOT_GITHUBB__APP_ID is not a setting; did you mean github?"),
        (
            "GITHUB__APP_ID__X",
            "1",
            "GITHUB__APP_ID__X is not a setting: nothing is under github.app_id",
        ),
        ("GITHUB__APP_ID", "", "github.app_id (from PREVIEWBOT_GITHUB__APP_ID) must be a whole number"),
        ("CLUSTER__NAMESPACES", "a,b", "cluster.namespaces (from PREVIEWBOT_CLUSTER__NAMESPACES) must be a"),
        (
            "CLUSTER__NAMESPACES",
            "[a]",
            "must be a list, like [staging]; in a variable, write it as JSON",
        ),
        (
            "IMAGES__REGISTRIES",
            '["hunter2"]',
            "images.registries (from PREVIEWBOT_IMAGES__REGISTRIES) must hold hosts of registries, such as "
            "ghcr.io:; in a variable, write it as JSON",
        ),
        ("PUBLIC_URL__X", "1", "PREVIEWBOT_PUBLIC_URL__X is not a setting: nothing is under public_url"),
        (
            "PUBLIC_URL__X__Y",
            "1",
            "PREVIEWBOT_PUBLIC_URL__X__Y is not a setting: nothing is under public_url",
        ),
        (
            "LIMITS__PREVIEWS__X",
            "1",
            "PREVIEWBOT_LIMITS__PREVIEWS__X is not a setting: nothing is under limits.previews",
        ),
        (
            "CONFIG_BRANCHES__0",
            "x",
            "PREVIEWBOT_CONFIG_BRANCHES__0 is not a setting: nothing is under config_branches",
        ),
        ("TTL__MAX__", "1h", "PREVIEWBOT_TTL__MAX__ is not a setting: nothing is under ttl.max"),
        ("LINKS__GATEWAY__PORT__X", "1", "is not a setting: nothing is under links.gateway.port"),
        ("GITHUB__", "1", "(from PREVIEWBOT_GITHUB__) is unknown; known here: api_url"),
        ("PUBLIC_URI", "x", "PREVIEWBOT_PUBLIC_URI is not a setting; did you mean public_url?"),
        (
            "LIMITS",
            "5",
            "limits (from PREVIEWBOT_LIMITS) must hold keys such as previews: 50 and per_repository: 20, not"
            " 5",
        ),
    ],
)
def test_a_mistake_in_a_variable_is_told_with_its_name(variable: str, text: str, told: str) -> None:
    found = problems(SMALLEST, {f"PREVIEWBOT_{variable}": text})

    assert any(told in problem for problem in found), found


def told_of(text: str, environment: dict[str, str]) -> tuple[str, ...]:
    """Return what is told of a file with these variables."""
    with pytest.raises(SettingsError) as caught:
        parse(document(text), {f"PREVIEWBOT_{name}": value for name, value in environment.items()})
    return caught.value.problems


@pytest.mark.parametrize(
    ("variable", "text", "told"),
    [
        (
            "CLUSTER__NAMESPACES",
            "[12]",
            "cluster.namespaces (from PREVIEWBOT_CLUSTER__NAMESPACES) must be a text, not 12",
        ),
        (
            "CLUSTER__NAMESPACES",
            "5",
            "cluster.namespaces (from PREVIEWBOT_CLUSTER__NAMESPACES) must be a list, like [staging], not 5; "
            "in a variable, write it as JSON",
        ),
        (
            "IMAGES",
            '{"allowed": [5]}',
            "images.allowed (from PREVIEWBOT_IMAGES) must be a text, not 5",
        ),
        (
            "LINKS__GATEWAY",
            '{"name": "public", "namespace": "g"}',
            "links.gateway.domain (from PREVIEWBOT_LINKS__GATEWAY) is missing; write for example "
            "domain: preview.example.com",
        ),
        (
            "TTL__MAX",
            "1h",
            "line 20: ttl.default must be at most ttl.max, which is 1h",
        ),
    ],
)
def test_what_a_variable_replaced_in_the_file_is_not_told_of(variable: str, text: str, told: str) -> None:
    assert told_of(EXAMPLE, {variable: text}) == (told,)


def test_keys_that_a_variable_left_out_are_missing_although_the_file_had_them() -> None:
    found = told_of(EXAMPLE, {"GITHUB": '{"app_id": 5}'})

    assert [problem.split("; ")[0] for problem in found] == [
        "github.api_url (from PREVIEWBOT_GITHUB) is missing",
        "github.web_url (from PREVIEWBOT_GITHUB) is missing",
    ]


WITHOUT_LINKS = EXAMPLE[: EXAMPLE.index("links:")] + EXAMPLE[EXAMPLE.index("images:") :]
WITHOUT_TTL = EXAMPLE.replace("ttl: {default: 8h, max: 72h}", "")


@pytest.mark.parametrize(
    ("file", "environment", "told"),
    [
        (
            WITHOUT_LINKS,
            {"LINKS__GATEWAY__NAME": "public", "LINKS__GATEWAY__DOMAIN": "p.example.com"},
            "links.gateway.namespace (from PREVIEWBOT_LINKS__GATEWAY__NAME) is missing; write for example "
            "namespace: gateways",
        ),
        (
            WITHOUT_TTL,
            {"TTL__MAX": "1h"},
            "ttl.max (from PREVIEWBOT_TTL__MAX) must be at least ttl.default, which is 8h",
        ),
        (
            WITHOUT_TTL,
            {"TTL__DEFAULT": "100h"},
            "ttl.default (from PREVIEWBOT_TTL__DEFAULT) must be at most ttl.max, which is 3d",
        ),
        (
            EXAMPLE.replace("{default: 8h, max: 72h}", "{max: 1h}"),
            {},
            "line 20: ttl.max must be at least ttl.default, which is 8h",
        ),
        (
            EXAMPLE.replace("public_url: https://previews.example.com", ""),
            {},
            "line 1: public_url is missing; write for example public_url: https://previews.example.com",
        ),
        (
            "# all is in the variables",
            {
                "GITHUB": '{"api_url": "https://x.example.com", "web_url": "https://x.example.com"}',
                "GITHUB__APP_ID": "1",
                "CLUSTER__NAMESPACES": '["staging"]',
                "IMAGES__ALLOWED": '["ghcr.io/acme/"]',
            },
            "public_url is missing; write for example public_url: https://previews.example.com",
        ),
        (
            "github: x" + EXAMPLE[EXAMPLE.index("\npublic_url") :],
            {"GITHUB__APP_ID": "7"},
            "line 1: github must hold keys such as api_url: https://api.github.com and "
            'web_url: https://github.com, not "x"',
        ),
    ],
)
def test_no_line_is_named_where_nothing_is_said(file: str, environment: dict[str, str], told: str) -> None:
    assert told_of(file, environment) == (told,)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("GITHUB", '{"private_key":"hunter2",}'),
        ("GITHUB", "hunter2"),
        ("GITHUB", '"hunter2"'),
        ("GITHUB", '["hunter2"]'),
        ("GITHUB__APP_ID", '{"private_key":"hunter2",}'),
        ("GITHUB__PRIVATE_KEYS", '{"private_key":"hunter2",}'),
        ("IMAGES__REGISTRIES", '{"ghcr.io": {"password":"hunter2",}}'),
        ("IMAGES__ALLOWED", '["hunter2",]'),
        ("GITHUB", "[" * 100_000 + "hunter2"),
        ("LINKS", '{"gateway": "hunter2"'),
        ("LINKS", '{"gateway": "hunter2"}'),
        ("TTL__MAX", '["hunter2",]'),
    ],
)
def test_what_was_meant_as_json_is_not_repeated(variable: str, text: str) -> None:
    found = told_of(EXAMPLE, {variable: text})

    assert any(f"PREVIEWBOT_{variable}" in problem for problem in found)
    assert "hunter2" not in " ".join(found)


def test_variables_that_are_not_ours_are_left_alone() -> None:
    environment = {
        "PREVIEWBOT_SERVICE_HOST": "10.0.0.1",
        "PREVIEWBOT_SERVICE_PORT_HTTP": "80",
        "PREVIEWBOT_PORT": "tcp://10.0.0.1:80",
        "PREVIEWBOT_PORT_80_TCP_ADDR": "10.0.0.1",
        "PREVIEWBOT_WEB_PORT_80_TCP": "tcp://10.0.0.1:80",
        "PREVIEWBOT_MIRRORD_CRDS": "/somewhere",
        "PREVIEWBOT_MIRRORD_VECTORS": "/somewhere",
        "GITHUB__APP_ID": "1",
        "PREVIEWBOT_GITHUB__PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----",
        "PREVIEWBOT_GITHUB__WEBHOOK_SECRET": "secret",
    }

    assert parse(SMALLEST, {}) == parse(SMALLEST, environment)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "the file is empty; it must hold keys such as github:"),
        ("- a", "must hold keys"),
        ("a: [", "is not YAML"),
        ("a: 1\nb: 2\na: 3", "line 3: a is written twice, first in line 1; keep one"),
        (
            "public_url: 2020-99-99",
            "line 1: public_url must be a text, not 2020-99-99; put 2020-99-99 in quotes",
        ),
        (
            "a: !!python/object:os.system {}",
            "line 1: !!python/object:os.system begins with !, which YAML reads as a tag",
        ),
        ("a: !!timestamp foo", "line 1: !!timestamp begins with !"),
        ("a: !!int foo", "line 1: !!int begins with !"),
        ("a: &x 1\nb: *x", "line 2: the alias *x is not allowed; write its value out"),
        ("[" * 50_000, "nested too deeply"),
        ("[" * 100_000, "the file is larger than 64 KiB"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(content: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(document(content), {})

    assert any(told in problem for problem in caught.value.problems), caught.value.problems


def test_a_list_in_the_place_of_the_settings_is_told_once_whatever_the_variables_say() -> None:
    (problem,) = problems([], {"PREVIEWBOT_GITHUB__APP_ID": "7"})  # type: ignore[arg-type]

    assert problem.startswith("the file must hold keys such as github:")


def test_variables_alone_may_say_everything() -> None:
    environment = {
        "PREVIEWBOT_GITHUB": '{"api_url": "http://127.0.0.1:8470/api/v3", "web_url": "http://127.0.0.1:8470"}',
        "PREVIEWBOT_GITHUB__APP_ID": "7",
        "PREVIEWBOT_PUBLIC_URL": "http://127.0.0.1:8471",
        "PREVIEWBOT_CLUSTER__NAMESPACES": '["staging"]',
        "PREVIEWBOT_IMAGES__ALLOWED": '["127.0.0.1:8470/"]',
    }

    assert parse(SMALLEST, {}) == parse(document(""), environment)


def test_a_list_in_the_place_of_the_settings_is_refused() -> None:
    assert "must hold keys" in problems([], {})[0]  # type: ignore[arg-type]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*SMALLEST, "links", "ttl", "limits", "listing", "x"]), _json))
def test_no_document_breaks_the_reader(changed: dict[str, Any]) -> None:
    assert problems({**changed, "github": {}})


# Secrets


def test_a_secret_is_read_from_the_file_that_the_settings_name() -> None:
    settings = parse(document(EXAMPLE), {})

    assert SecretSource("github.private_key", Path("/etc/previewbot/app.pem")) == private_key_source(
        settings, {}
    )
    assert webhook_secret_source(settings, {}).file == Path("/etc/previewbot/webhook-secret")


def test_a_secret_in_the_environment_comes_first() -> None:
    environment = {"PREVIEWBOT_GITHUB__WEBHOOK_SECRET": "s3cret"}

    source = webhook_secret_source(parse(document(EXAMPLE), environment), environment)

    assert source.file is None
    assert source.value == "s3cret"
    assert "s3cret" not in repr(source)


def test_each_process_starts_without_the_others_secret_but_not_without_its_own() -> None:
    key_only = {"PREVIEWBOT_GITHUB__PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----"}
    settings = parse(SMALLEST, key_only)

    assert private_key_source(settings, key_only).value
    with pytest.raises(SettingsError, match="webhook_secret_file is missing"):
        webhook_secret_source(settings, key_only)
    with pytest.raises(SettingsError, match="private_key_file is missing"):
        private_key_source(settings, {})


def test_an_empty_variable_is_a_mistake_and_not_an_empty_secret() -> None:
    environment = {"PREVIEWBOT_GITHUB__WEBHOOK_SECRET": " "}

    with pytest.raises(SettingsError, match="is empty"):
        webhook_secret_source(parse(document(EXAMPLE), {}), environment)


def test_what_is_no_private_key_is_refused_without_being_shown() -> None:
    source = SecretSource("github.private_key", None, "garbage")

    with pytest.raises(SettingsError) as caught:
        private_key(source, b"garbage")

    assert "garbage" not in str(caught.value)
    pem = b"-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n"
    assert private_key(source, pem).encode() == pem


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(SecretSource("github.private_key", None, "hush"))
