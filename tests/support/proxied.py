"""Pages to which people come by a sign-on proxy, and what such a proxy says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from werkzeug.test import TestResponse

from previewbot.people.assertions import Key, assertion_keys
from previewbot.runtime.pages_app import create_pages
from previewbot.text.render import Renderer
from tests.support.people import KEY as FORMS_KEY
from tests.support.people import SAME_ORIGIN, URL, VALUES, Cluster, settings
from tests.support.previews import NOW

PROXY = "10.20.0.5"
STRANGER = "10.30.0.5"
EMAIL = "pia@acme.example"
AUDIENCE, ISSUER, FILE = "previews.example.com", "sso.example.com", "/nowhere/jwks.json"
HEADER = "X-Pomerium-Jwt-Assertion"
BY_HEADER: dict[str, Any] = {
    "header": "X-Forwarded-Email",
    "from": ["10.20.0.0/24"],
    "repositories": ["Acme/*"],
}
BY_ASSERTION: dict[str, Any] = {
    "assertion": {
        "header": HEADER,
        "keys_file": FILE,
        "issuer": ISSUER,
        "audience": AUDIENCE,
    },
    "repositories": ["acme/*"],
}
KEY = ec.generate_private_key(ec.SECP256R1())
_RENDERER = Renderer()


def jwks_of(*keys: tuple[str, Any]) -> bytes:
    """Return public keys with their names, as a proxy publishes them."""
    found = []
    for name, key in keys:
        is_curve = isinstance(key, ec.EllipticCurvePrivateKey)
        as_jwk: Any = (ECAlgorithm if is_curve else RSAAlgorithm).to_jwk
        found.append(as_jwk(key.public_key(), as_dict=True) | {"kid": name})
    return json.dumps({"keys": found}).encode()


JWKS = jwks_of(("one", KEY))


def claims(at: datetime = NOW, **changed: Any) -> dict[str, Any]:
    """Return what a proxy says of somebody; a change to None leaves a claim out."""
    found = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(minutes=5)).timestamp()),
        "email": EMAIL,
        **changed,
    }
    return {name: value for name, value in found.items() if value is not None}


def signed(said: Mapping[str, Any], key: Any = KEY, algorithm: str = "ES256", kid: str | None = "one") -> str:
    """Return it signed."""
    return jwt.encode(dict(said), key, algorithm=algorithm, headers={"kid": kid} if kid else {})


@dataclass
class Behind:
    """Pages behind a proxy that is known as `proxy` of the settings says."""

    proxy: Mapping[str, Any] = field(default_factory=lambda: BY_HEADER)
    values: Mapping[str, Any] = field(default_factory=dict)
    cluster: Cluster = field(default_factory=Cluster)
    jwks: bytes = JWKS
    at: datetime = NOW
    guard_keys: tuple[bytes, ...] = ()
    form_keys: tuple[bytes, ...] = (FORMS_KEY,)

    def __post_init__(self) -> None:
        values = {key: value for key, value in VALUES.items() if key != "sign_in"}
        sign_in = {"cookie_keys_file": VALUES["sign_in"]["cookie_keys_file"]}
        whole = {"sign_in": sign_in, "access": "proxy", "proxy": self.proxy, **values, **self.values}
        self.app = create_pages(
            settings(**whole),
            self.cluster,
            now=lambda: self.at,
            assertion_keys=self.keys,
            guard_keys=lambda: self.guard_keys,
            cookie_keys=lambda: self.form_keys,
            listing=self.cluster.list_previews,
            renderer=_RENDERER,
        )

    def keys(self) -> tuple[Key, ...]:
        """Return the keys that count now."""
        return assertion_keys(Path(FILE), self.jwks)

    def get(
        self, path: str, headers: Mapping[str, str] | Sequence[tuple[str, str]] = (), peer: str = PROXY
    ) -> TestResponse:
        """Ask for a page, from an address."""
        return self.app.test_client().get(
            path, base_url=URL, headers=headers, environ_base={"REMOTE_ADDR": peer}
        )

    def post(self, path: str, headers: Mapping[str, str], data: Mapping[str, str]) -> TestResponse:
        """Send a form by the proxy, as from a page of ours."""
        return self.app.test_client().post(
            path,
            base_url=URL,
            headers={**headers, **SAME_ORIGIN},
            data=dict(data),
            environ_base={"REMOTE_ADDR": PROXY},
        )
