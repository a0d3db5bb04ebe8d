"""The registries that the contract is held against: the demo's, and distribution's as a process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from previewbot_demo.registry import FakeRegistry
from tests.support.binaries import binary
from tests.support.components import Component
from tests.support.registry_server import PASSWORD, USER
from tests.support.registry_tls import Tls, make_tls
from tests.support.registry_tokens import ISSUER, SERVICE, TokenServer
from tests.support.servers import served

Login = Literal["none", "basic", "token"]

# The registry wants bcrypt; this is what `htpasswd -nbB ci hunter2-password` prints.
_HTPASSWD = f"{USER}:$2a$04$XskyB8vvFNfQ/wVhAieBRORoGQRGoeBT5lRfmwrYgJFx5jGGI0Yxe\n"
_LISTENING_RE = re.compile(r"listening on (127\.0\.0\.1:[0-9]+)")
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Host:
    """A registry that runs: where, what login it wants, and how a repository is made to be refused."""

    url: str
    login: Login
    refuse: Callable[[str], None]
    ca_file: Path | None = None
    token_server: str | None = None

    @property
    def name(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class HostKind:
    """A registry that can be started."""

    real: bool
    login: Login = "none"
    tls: bool = False

    def __str__(self) -> str:
        parts = ["distribution" if self.real else "demo", self.login, *(["tls"] if self.tls else [])]
        return "-".join(parts)

    @property
    def can_refuse(self) -> bool:
        """Distribution's registry leaves it to a token server who may do what."""
        return not self.real or self.login == "token"


KINDS = (
    HostKind(real=False),
    HostKind(real=False, login="basic"),
    HostKind(real=False, login="token"),
    HostKind(real=True),
    HostKind(real=True, login="basic"),
    HostKind(real=True, login="token"),
    HostKind(real=True, tls=True),
    HostKind(real=True, login="basic", tls=True),
)


@contextmanager
def running(kind: HostKind, directory: Path) -> Iterator[Host]:
    """Run a registry until the end of the block."""
    if not kind.real:
        fake = FakeRegistry(auth=kind.login, user=USER, password=PASSWORD)
        with served(fake.handle) as (url, _):
            yield Host(url, kind.login, fake.refuse)
        return
    tokens = TokenServer(directory)
    with served(tokens.handle) as (realm, _):
        tls = make_tls(directory / "tls") if kind.tls else None
        registry = _Distribution(directory, _auth(kind.login, directory, tokens, f"{realm}/token"), tls)
        try:
            url = registry.start()
            ca_file = tls.ca_file if tls else None
            yield Host(url, kind.login, tokens.refused.add, ca_file, f"{realm}/token")
        finally:
            registry.stop()


class _Distribution:
    """The registry of https://distribution.github.io/distribution/, as a process."""

    def __init__(self, directory: Path, auth: dict[str, Any], tls: Tls | None) -> None:
        self._scheme = "https" if tls else "http"
        http: dict[str, Any] = {"addr": "127.0.0.1:0", "secret": "of many replicas, of which this is one"}
        if tls:
            http["tls"] = {"certificate": str(tls.certificate_file), "key": str(tls.key_file)}
        settings = {
            "version": "0.1",
            "log": {"level": "info", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(directory / "images")}},
            "http": http,
            "auth": auth,
        }
        path = directory / "registry.yaml"
        path.write_text(json.dumps(settings))
        # It would send traces to a collector on this machine.
        command = ["/usr/bin/env", "OTEL_TRACES_EXPORTER=none", str(binary("registry")), "serve", str(path)]
        self._component = Component("registry", command, directory)

    def start(self) -> str:
        """Start it; return its URL once it listens."""
        self._component.start()
        self._component.wait_until(lambda: bool(self._address()), _START_SECONDS)
        return f"{self._scheme}://{self._address()}"

    def stop(self) -> None:
        """End it."""
        self._component.kill()

    def _address(self) -> str:
        found = _LISTENING_RE.search(self._component.log.read_text(encoding="utf-8"))
        return found[1] if found else ""


def _auth(login: Login, directory: Path, tokens: TokenServer, realm: str) -> dict[str, Any]:
    if login == "none":
        return {}
    if login == "basic":
        path = directory / "htpasswd"
        path.write_text(_HTPASSWD)
        return {"htpasswd": {"realm": "registry", "path": str(path)}}
    token = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "jwks": str(tokens.jwks)}
    return {"token": token}
