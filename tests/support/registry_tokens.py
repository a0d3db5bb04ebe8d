"""A token server as distribution's registry trusts one.

https://distribution.github.io/distribution/spec/auth/jwt/
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.support.registry_server import basic

ISSUER, SERVICE = "the token server", "the registry"
_KEY_ID = "key-1"


class TokenServer:
    """Signs what one user may do, with a key that the registry reads from `jwks`; some is refused to all."""

    def __init__(self, directory: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.refused: set[str] = set()
        self.jwks = directory / "jwks.json"
        public: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        public |= {"kid": _KEY_ID, "use": "sig", "alg": "RS256"}
        self.jwks.write_text(json.dumps({"keys": [public]}))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer `GET /token`."""
        if request.headers.get("Authorization") != basic():
            return web.json_response({"details": "incorrect username or password"}, status=401)
        scopes = [scope for given in request.query.getall("scope", []) for scope in given.split()]
        access = [granted for scope in scopes for granted in self._granted(scope)]
        token = self.sign(request.query.get("service", ""), access)
        return web.json_response({"token": token, "expires_in": 300})

    def sign(self, service: str, access: list[dict[str, Any]]) -> str:
        """Return a token for some access to the registry that calls itself `service`."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": service,
            "sub": "ci",
            "iat": now,
            "nbf": now - 10,
            "exp": now + 300,
            "jti": uuid.uuid4().hex,
            "access": access,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": _KEY_ID})

    def _granted(self, scope: str) -> list[dict[str, Any]]:
        kind, name, actions = scope.split(":")
        if name in self.refused:
            return []
        return [{"type": kind, "name": name, "actions": actions.split(",")}]
