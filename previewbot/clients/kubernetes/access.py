"""The way to the API server: where it is, what it is known by, and our login; one for both clients.

`open_access` judges a kubeconfig, or the pod that this process runs in, as all processes do at their start.
"""

from __future__ import annotations

import base64
import logging
import os
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from previewbot.clients.kubernetes import exec_plugin
from previewbot.clients.kubernetes.kubeconfig import ExecPlugin, Server, User, read_kubeconfig
from previewbot.clients.kubernetes.kubeconfig_fields import Pem, is_header, unusable
from previewbot.clients.kubernetes.login import Clock, Credential, Login, LoginFailed
from previewbot.clients.tls import client_context

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its token and the cluster's CA
(https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/)."""

log = logging.getLogger(__name__)

_MOST_BYTES = 1024 * 1024
_HOST, _PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"


class Access:
    """An API server and our login there; raises LoginFailed if `fetch` gives none to begin with.

    `options` are those of `Login`.
    """

    def __init__(self, server: Server, fetch: Callable[[], Credential], **options: Any) -> None:
        self.server = server
        self._authority = _content(server.authority, "certificate-authority")
        self._lock = threading.Lock()
        self._last: tuple[str, str, ssl.SSLContext] | None = None

        def checked() -> Credential:
            # Of a certificate that cannot be used nobody must learn only when it is to be shown.
            credential = fetch()
            _context(server, self._authority, credential)
            return credential

        self.login = Login(checked, **options)

    def context(self, credential: Credential) -> ssl.SSLContext:
        """Return how to speak TLS with a login; the same as before unless its certificate is another."""
        shown = credential.certificate, credential.key
        with self._lock:
            if self._last is None or self._last[:2] != shown:
                self._last = (*shown, _context(self.server, self._authority, credential))
            return self._last[2]


def open_access(
    kubeconfig: Path | None,
    environment: Mapping[str, str] | None = None,
    *,
    service_account: Path = SERVICE_ACCOUNT,
    clock: Clock | None = None,
    patience: float = exec_plugin.PATIENCE_SECONDS,
) -> Access:
    """Return the way to the API server of a kubeconfig, or of the cluster this process runs in.

    The login is there when it returns: a program that is to give it has been asked, for `patience` seconds
    at most. `environment` is its own unless given. Nothing is sent to the API server.
    Raises SettingsError with whatever keeps it from being used.
    """
    told = os.environ if environment is None else environment
    if kubeconfig is None:
        server, user = _in_cluster(told, service_account)
    else:
        server, user = read_kubeconfig(_document(kubeconfig), kubeconfig)
    if server.skip_verify:
        log.warning("the API server's certificate is not checked, for so the kubeconfig says")
    try:
        return _access(server, user, told, clock, patience)
    except LoginFailed as error:
        raise unusable(str(error)) from error


def _document(path: Path) -> object:
    try:
        return yaml.safe_load(_read(path))
    except LoginFailed as error:
        raise unusable(str(error)) from error
    except OSError as error:
        raise unusable(f"it cannot be read: {error.strerror}", path) from error
    except (yaml.YAMLError, ValueError) as error:
        # YAML's own words quote the line, which may be the one with the token.
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise unusable(f"it is not YAML{where}", path) from None


def _in_cluster(environment: Mapping[str, str], account: Path) -> tuple[Server, User]:
    host, port = environment.get(_HOST, ""), environment.get(_PORT, "")
    if not host or not port:
        raise unusable("not set, and this is no pod with a service account")
    token, authority = account / "token", account / "ca.crt"
    for each in (token, authority):
        if not each.is_file():
            raise unusable(f"not set, and this pod has no service account's {each.name} ({each})")
    host = f"[{host}]" if ":" in host else host
    return Server(f"https://{host}:{port}", Pem(file=authority)), User(token_file=token)


def _access(
    server: Server, user: User, environment: Mapping[str, str], clock: Clock | None, patience: float
) -> Access:
    plugin = user.plugin
    # As in kubectl: what the kubeconfig itself shows is shown, and a plugin beside it is not asked.
    if plugin is None or user.token or user.token_file or user.username:
        files = any((user.token_file, user.certificate.file, user.key.file))
        return Access(server, lambda: _own(user), renewable=files, files=files, clock=clock)
    cluster = _told(server) if plugin.provides_cluster else {}

    def fetch() -> Credential:
        return _given(plugin, user, cluster, environment, patience)

    return Access(server, fetch, clock=clock)


def _own(user: User) -> Credential:
    """Return the login that stands in the kubeconfig, or in the files that it names."""
    certificate, key = _content(user.certificate, "client-certificate"), _content(user.key, "client-key")
    return Credential(_authorization(user), certificate, key)


def _authorization(user: User) -> str:
    if user.username:
        pair = f"{user.username}:{user.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"
    token = user.token
    if user.token_file is not None:
        # With both the file counts, which is the one that is renewed.
        token = _content(Pem(file=user.token_file), "tokenFile").strip()
        if not token or not is_header(token):
            raise LoginFailed(f"the token in {user.token_file} is {'no token' if token else 'missing'}")
    return f"Bearer {token}" if token else ""


def _given(
    plugin: ExecPlugin,
    user: User,
    cluster: Mapping[str, Any],
    environment: Mapping[str, str],
    patience: float,
) -> Credential:
    try:
        given = exec_plugin.ask(plugin, cluster, environment, patience=patience)
    except exec_plugin.PluginFailed as error:
        raise LoginFailed(str(error)) from error
    if given.certificate:
        certificate, key = given.certificate, given.key
    else:
        certificate, key = _content(user.certificate, "client-certificate"), _content(user.key, "client-key")
    return Credential(f"Bearer {given.token}" if given.token else "", certificate, key, given.until)


def _told(server: Server) -> dict[str, Any]:
    """Return what a plugin is told of the cluster.

    https://kubernetes.io/docs/reference/config-api/client-authentication.v1/#client-authentication-k8s-io-v1-Cluster
    """
    authority = _content(server.authority, "certificate-authority").encode()
    told = {
        "server": server.url,
        "tls-server-name": server.tls_server_name,
        "insecure-skip-tls-verify": server.skip_verify,
        "certificate-authority-data": base64.b64encode(authority).decode("ascii"),
        "proxy-url": server.proxy_url,
        "config": server.exec_config,
    }
    return {key: value for key, value in told.items() if value}


def _content(pem: Pem, what: str) -> str:
    """Return what a file holds, or the text itself; raises LoginFailed."""
    if pem.file is None:
        return pem.text
    try:
        # What is beside the certificates in such a file may be in any language; only ASCII counts.
        text = _read(pem.file).decode("ascii", "ignore")
    except OSError as error:
        raise LoginFailed(f"{what}: {pem.file} cannot be read: {error.strerror}") from error
    if not text.strip():
        raise LoginFailed(f"{what}: {pem.file} is empty")
    return text


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise LoginFailed(f"{path} is larger than {_MOST_BYTES // 2**20} MiB")
    return content


def _context(server: Server, authority: str, credential: Credential) -> ssl.SSLContext:
    try:
        # With a CA of its own nothing else is trusted; without one what the system trusts.
        context = client_context(authority or None)
    except (ssl.SSLError, ValueError) as error:
        raise LoginFailed("certificate-authority has no certificate that can be read (PEM)") from error
    if server.skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if credential.certificate:
        try:
            with _as_file(credential.certificate + "\n" + credential.key) as path:
                context.load_cert_chain(path, password=_no_password)
        except (ssl.SSLError, ValueError, OSError) as error:
            words = "the client certificate and its key cannot be used (PEM, no password, of one pair)"
            raise LoginFailed(words) from error
    return context


def _no_password() -> str:
    # Without it OpenSSL asks at the terminal, and waits.
    return ""


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """Have a text as a file for a moment: OpenSSL reads a client's key from nowhere else."""
    create = getattr(os, "memfd_create", None)
    if create is None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(text.encode())
            file.flush()
            yield file.name
        return
    # In memory where that is possible: a pod's file system may be read-only, and a key lies nowhere.
    number = create("login")
    try:
        os.write(number, text.encode())
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)
