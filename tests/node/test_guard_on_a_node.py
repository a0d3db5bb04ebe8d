"""The guard behind Traefik, set up by the very file in docs/guard and what docs/guard.md says beside it.

Over TLS, as browsers want it for its cookies: previews have a Gateway of their own, whose certificate is of
an authority that this test made. The visitor is Python's own client with a real cookie jar.
"""

from __future__ import annotations

import base64
import re
import secrets
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from http.client import HTTPResponse
from http.cookiejar import CookieJar

import pytest
import yaml

from previewbot.rules.guard_bearers import HEADER, signed
from tests.chart.helm import ROOT
from tests.node import pulls
from tests.node.conftest import DOCUMENT, Installation
from tests.node.engineer import commands, merged, values
from tests.node.node import TLS_PORT, wait_for
from tests.node.pulls import OPEN, Pull
from tests.node.town import CLIENT_ID, SAFE_URL
from tests.support.pki import Authority

pytestmark = pytest.mark.timeout(900)

REPOSITORY = "acme/guarded"
DOMAIN = "preview.example.com"
TRUSTED = "/etc/previewbot/github-ca/ca.crt"
MANIFEST = "docs/guard/traefik.yaml"
HELM = "helm upgrade previewbot charts/previewbot --namespace previewbot --wait --values"
GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: guarded, namespace: gateways}
spec:
  gatewayClassName: traefik
  listeners:
  - name: https
    protocol: HTTPS
    port: 8443
    tls: {certificateRefs: [{name: guarded}]}
    allowedRoutes: {namespaces: {from: All}}
"""


@dataclass
class Visitor:
    """Somebody with a client that follows redirects and keeps cookies, and trusts one authority."""

    tls: ssl.SSLContext
    jar: CookieJar

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, form: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        """Return the status, the address in the end, and the text; with `form` it is sent."""
        cookies, tls = urllib.request.HTTPCookieProcessor(self.jar), urllib.request.HTTPSHandler
        opener = urllib.request.build_opener(tls(context=self.tls), cookies)
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(url, data, dict(headers or {"Accept": "text/html"}))
        answer: HTTPResponse | urllib.error.HTTPError
        try:
            answer = opener.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return int(answer.status or 0), answer.url or "", answer.read().decode()


@dataclass
class Guarded:
    """The installation with the guard before its previews, and the guard's key."""

    installation: Installation
    authority: Authority
    key: bytes

    def visitor(self) -> Visitor:
        return Visitor(ssl.create_default_context(cafile=str(self.authority.certificate)), CookieJar())


@pytest.fixture(scope="module")
def guarded(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """What docs/guard.md tells a platform team to do, done; and undone afterwards."""
    engineer, town = installation.engineer, installation.town
    town.create_repository(REPOSITORY, town.files())
    authority = Authority(tmp_path_factory.mktemp("tls"))
    certificate, key = authority.server("guarded", f"*.{DOMAIN}", "previews.example.com")
    for name, content in (("tls.crt", certificate), ("tls.key", key), ("ca.crt", authority.certificate)):
        engineer.write(name, content.read_text("utf-8"))
    engineer.types("kubectl --namespace gateways create secret tls guarded --cert=tls.crt --key=tls.key")
    engineer.types("kubectl --namespace previewbot create configmap guarded-ca --from-file=ca.crt")
    installation.node.kubectl("apply", "--filename", "-", given=GATEWAY)
    (engineer.folder / "docs").symlink_to(ROOT / "docs")
    engineer.types(f"kubectl apply --filename {MANIFEST}")

    keys = base64.b64encode(secrets.token_bytes(32))
    engineer.write("keys", keys.decode())
    engineer.write("client-secret", town.client_secret)
    engineer.write("cookie-keys", base64.b64encode(secrets.token_bytes(32)).decode())
    for document, section in ((DOCUMENT, "7."), ("docs/guard.md", "Set it up")):
        for command in commands(document, section):
            if "create secret" in command:
                engineer.types(command)
    good = yaml.safe_load((engineer.folder / "values.yaml").read_text("utf-8"))
    told = merged(good, values("docs/guard.md", "Set it up"))
    engineer.write("guarded.yaml", yaml.safe_dump(merged(told, HERE)))
    engineer.types(f"{HELM} guarded.yaml")
    try:
        yield Guarded(installation, authority, keys)
    finally:
        engineer.types(f"{HELM} values.yaml")
        installation.node.kubectl("delete", "--filename", str(ROOT / MANIFEST))
        installation.node.kubectl("delete", "gateway", "guarded", "--namespace", "gateways")


HERE = {
    "signIn": {"existingSecret": "previewbot-sign-in"},
    # What a platform's nodes trust anyway: the authority of the certificate that links have.
    "githubServer": {"caConfigMap": "guarded-ca"},
    "extraEnv": [{"name": "SSL_CERT_FILE", "value": TRUSTED}],
    "httpRoute": {"parentRefs": [{"name": name, "namespace": "gateways"} for name in ("public", "guarded")]},
    "settings": {
        "public_url": SAFE_URL,
        "access": "github",
        "sign_in": {"client_id": CLIENT_ID},
        "pages": "private",
        "links": {"gateway": {"name": "guarded", "scheme": "https", "port": TLS_PORT}},
    },
}
"""What is otherwise here than in the documents."""


@pytest.fixture(scope="module")
def pull(guarded: Guarded) -> Iterator[Pull]:
    """A pull request whose link is announced: a stranger was refused there, and previewbot was not."""
    found = pulls.opened(guarded.installation, REPOSITORY, "guarded", {"services/web/NOTE": b"guarded"})
    wait_for("a link", found.has_link, 180)
    yield found
    found.close()


def link_of(pull: Pull) -> str:
    return pull.comment().partition(f"{OPEN}(")[2].partition(")")[0]


def test_a_link_is_proven_past_the_guard_and_opens_for_nobody_else(guarded: Guarded, pull: Pull) -> None:
    link = link_of(pull)
    assert link.startswith("https://")
    assert pull.status()["link"]["proven"] == "Yes"

    status, place, _ = guarded.visitor().get(link)
    # Led on until GitHub asks who it is.
    assert status == 200
    assert place.startswith(f"{guarded.installation.town.url}/login/oauth/authorize?")
    status, place, words = guarded.visitor().get(link, {"Accept": "*/*"})
    assert (status, place) == (401, link)
    assert "open to whoever may read its repository" in words


def test_somebody_who_signs_in_gets_to_the_very_address_and_stays(guarded: Guarded, pull: Pull) -> None:
    deep = f"{link_of(pull).partition('?')[0]}?coupon=a%2Fb&name=J%C3%B6rg"
    visitor = guarded.visitor()
    _, place, asked = visitor.get(deep)
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked))
    form = {name: unescape(value) for name, value in hidden.items()} | {"as": "rob"}

    _, _, let_in = visitor.get(urllib.parse.urljoin(place, "/login/oauth/authorize"), form=form)
    [on] = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', let_in)
    status, place, text = visitor.get(unescape(on))

    assert (status, place) == (200, deep)
    assert "<title>" in text and "previewbot" not in place
    assert visitor.get(deep, {"Accept": "*/*"})[:2] == (200, deep)
    mine = [(each.name, each.domain) for each in visitor.jar if each.name == "__Host-previewbot-preview"]
    assert mine == [("__Host-previewbot-preview", urllib.parse.urlsplit(deep).hostname)]


def test_a_bearer_opens_its_own_preview_until_it_ends(guarded: Guarded, pull: Pull) -> None:
    link = link_of(pull)
    host = urllib.parse.urlsplit(link).hostname or ""
    key, now = host.removesuffix(f".{DOMAIN}"), datetime.now(UTC)
    cases = (
        (signed((guarded.key,), key, DOMAIN, now + timedelta(minutes=5)), 200),
        (signed((guarded.key,), key, DOMAIN, now - timedelta(seconds=5)), 401),
        (signed((guarded.key,), "another-1", DOMAIN, now + timedelta(minutes=5)), 401),
        ("pvb1.guessed", 401),
    )
    for bearer, status in cases:
        assert guarded.visitor().get(link, {HEADER: bearer})[0] == status, bearer.partition(".")[0]
    # Whoever says to mean another host is not believed: Traefik writes that header itself.
    forged = {"X-Forwarded-Host": f"another-1.{DOMAIN}", HEADER: cases[2][0]}
    assert guarded.visitor().get(link, forged)[0] == 401


def test_while_pages_are_away_nobody_gets_to_the_preview(guarded: Guarded, pull: Pull) -> None:
    node, link = guarded.installation.node, link_of(pull)
    host = urllib.parse.urlsplit(link).hostname or ""
    until = datetime.now(UTC) + timedelta(hours=1)
    passes = {HEADER: signed((guarded.key,), host.removesuffix(f".{DOMAIN}"), DOMAIN, until)}
    scale = ("--namespace", "previewbot", "scale", "deployment/previewbot-pages")
    node.kubectl(*scale, "--replicas=0")
    try:
        wait_for("the end of pages", lambda: guarded.visitor().get(link, passes)[0] >= 500)
        for headers in (passes, {"Accept": "text/html"}):
            status, _, text = guarded.visitor().get(link, headers)
            assert status in (500, 502, 503, 504)
            assert "<title>" not in text
    finally:
        # Waited for by the upgrade that undoes all this.
        node.kubectl(*scale, "--replicas=2")
