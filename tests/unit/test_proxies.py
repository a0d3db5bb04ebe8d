"""Which way a request goes, by the variables: as Go's tools read them (golang.org/x/net/http/httpproxy)."""

from __future__ import annotations

import pytest

from previewbot.rules.proxies import NoProxyAddress, Proxy, read_proxies, read_proxy, refusal

PROXY = "http://proxy.corp.example.com:3128"
VIA = Proxy(PROXY)

EXCEPTIONS = [
    # NO_PROXY, an address, whether it goes directly
    ("", "https://api.github.com/x", False),
    (" , ,", "https://api.github.com/x", False),
    ("*", "https://api.github.com/x", True),
    ("example.com, * ,x", "https://api.github.com/x", True),
    # A name is for itself and all below it, ...
    ("github.com", "https://github.com/", True),
    ("github.com", "https://api.github.com/", True),
    ("github.com", "https://notgithub.com/", False),
    ("github.com", "https://github.com.evil.example/", False),
    ("GitHub.COM", "https://API.github.com/", True),
    (" github.com ", "https://api.github.com/", True),
    ("api.github.com", "https://github.com/", False),
    # ... with a dot or a star before it only for what is below.
    (".github.com", "https://api.github.com/", True),
    (".github.com", "https://github.com/", False),
    ("*.github.com", "https://api.github.com/", True),
    ("*.github.com", "https://github.com/", False),
    (".svc,.cluster.local", "http://web.staging.svc/", True),
    (".svc,.cluster.local", "http://web.staging.svc.cluster.local:8080/", True),
    ("github.com.", "https://api.github.com./", True),
    ("münchen.example", "https://xn--mnchen-3ya.example/", True),
    # An address is for itself, with a length for all of its network, and never for a name.
    ("10.1.2.3", "https://10.1.2.3/", True),
    ("10.1.2.3", "https://10.1.2.30/", False),
    ("10.0.0.0/8", "https://10.200.3.4:5000/", True),
    ("10.0.0.0/8", "https://11.0.0.1/", False),
    ("10.1.2.3/8", "https://10.200.3.4/", True),
    ("10.0.0.0/8", "https://10.example.com/", False),
    ("10", "https://10.1.2.3/", False),
    ("fd00::/8", "https://[fd12::1]/", True),
    ("fd00::/8", "https://[fe80::1]/", False),
    ("fd12::1", "https://[fd12::1]:6443/", True),
    ("[fd12::1]", "https://[fd12::1]/", True),
    ("10.0.0.0/8", "https://[::ffff:10.0.0.1]/", True),
    ("10.0.0.0/33", "https://10.0.0.1/", False),
    ("https://api.github.com/", "https://api.github.com/", False),
    # A port bounds it to that.
    ("registry.corp:5000", "https://registry.corp:5000/v2/", True),
    ("registry.corp:5000", "https://registry.corp/v2/", False),
    ("registry.corp:443", "https://registry.corp/v2/", True),
    ("registry.corp:80", "http://registry.corp/v2/", True),
    ("10.1.2.3:5000", "https://10.1.2.3:5000/", True),
    ("10.1.2.3:5000", "https://10.1.2.3:5001/", False),
    ("[fd12::1]:5000", "https://[fd12::1]:5000/", True),
    ("[fd12::1]:5000", "https://[fd12::1]/", False),
    (":5000", "https://registry.corp:5000/", False),
    # What is on this machine no proxy could reach.
    ("", "https://localhost:8443/", True),
    ("", "http://127.0.0.1:8080/", True),
    ("", "http://127.9.9.9/", True),
    ("", "http://[::1]:8080/", True),
    ("", "https://key.preview.localhost/", True),
    ("", "https://localhost.example.com/", False),
]


@pytest.mark.parametrize(("exceptions", "url", "directly"), EXCEPTIONS)
def test_what_goes_directly(exceptions: str, url: str, directly: bool) -> None:
    found = read_proxies({"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY, "NO_PROXY": exceptions})

    assert found.of(url) == (None if directly else VIA)


@pytest.mark.parametrize(
    ("environment", "https", "http"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": PROXY}, PROXY, None),
        ({"https_proxy": PROXY}, PROXY, None),
        ({"HTTP_PROXY": PROXY}, None, PROXY),
        ({"http_proxy": PROXY}, None, PROXY),
        ({"HTTPS_PROXY": PROXY, "https_proxy": "http://other:1"}, PROXY, None),
        ({"HTTPS_PROXY": "", "https_proxy": PROXY}, PROXY, None),
        ({"HTTPS_PROXY": "  "}, None, None),
        ({"ALL_PROXY": PROXY, "all_proxy": PROXY}, None, None),
        ({"HTTPS_PROXY": PROXY, "no_proxy": "*"}, None, None),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None, None),
    ],
)
def test_which_variables_count(environment: dict[str, str], https: str | None, http: str | None) -> None:
    found = read_proxies(environment)

    ways = [found.of(f"{scheme}://ghcr.io/") for scheme in ("https", "http")]
    assert [way.url if way else None for way in ways] == [https, http]


@pytest.mark.parametrize(
    ("address", "url", "authorization"),
    [
        ("proxy:3128", "http://proxy:3128", ""),
        ("proxy", "http://proxy:80", ""),
        ("https://proxy", "https://proxy:443", ""),
        ("http://proxy:3128/", "http://proxy:3128", ""),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128", ""),
        ("http://bot:hush@proxy:3128", "http://proxy:3128", "Basic Ym90Omh1c2g="),
        ("bot:hush@proxy:3128", "http://proxy:3128", "Basic Ym90Omh1c2g="),
        # As it must be written in an address: p@ss:word/
        (
            "http://corp%5Cbot:p%40ss%3Aword%2F@proxy:1",
            "http://proxy:1",
            "Basic Y29ycFxib3Q6cEBzczp3b3JkLw==",
        ),
    ],
)
def test_how_a_proxy_is_written(address: str, url: str, authorization: str) -> None:
    found = read_proxy(address)

    assert (found.url, found.authorization) == (url, authorization)
    assert "hush" not in repr(found) and "Basic" not in repr(found)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("socks5://bot:hush@proxy:1080", "HTTPS_PROXY has socks5://; previewbot can go through"),
        ("http://bot:hush@proxy:port", "HTTPS_PROXY is no address of a proxy, such as http://"),
        ("http://bot:hush@", "HTTPS_PROXY is no address of a proxy"),
        ("http://bot:hush@[proxy", "HTTPS_PROXY is no address of a proxy"),
    ],
)
def test_what_is_no_proxy_is_told_without_its_login(address: str, words: str) -> None:
    with pytest.raises(NoProxyAddress, match=words) as refused:
        read_proxies({"HTTPS_PROXY": address})

    assert "hush" not in str(refused.value)


def test_a_refusal_is_told_as_the_proxys() -> None:
    assert refusal(VIA, 407) == f"the proxy {PROXY} answered 407: it wants a login, or another one"
    assert refusal(VIA, 403) == f"the proxy {PROXY} answered 403: it does not let previewbot go there"
    assert refusal(VIA, 500) == f"the proxy {PROXY} answered 500"
    assert refusal(VIA) == f"the proxy {PROXY} cannot be reached"
