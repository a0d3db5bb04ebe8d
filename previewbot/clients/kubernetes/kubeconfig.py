"""What a kubeconfig says, read once for both clients of the API server, as kubectl reads it. Pure.

A file in which something is missing is refused with what it is: a client that goes on without the login that
it names asks as `system:anonymous`, and the API server's 403 sends people to look for roles
(https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from previewbot.clients.kubernetes.kubeconfig_fields import (
    NO_PEM,
    Pem,
    Section,
    file_of,
    header_of,
    pem_of,
    text_of,
    truth_of,
    unusable,
)
from previewbot.rules.proxies import NoProxyAddress, Proxy, read_proxy

EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_MODES = ("Never", "IfAvailable", "Always")
_IMPERSONATION = ("as", "as-uid", "as-groups", "as-user-extra")


@dataclass(frozen=True)
class Server:
    """An API server: where it is, how it is reached, and by what it is known to be the right one."""

    url: str
    authority: Pem = NO_PEM
    skip_verify: bool = False
    tls_server_name: str = ""
    proxy: Proxy | None = None
    proxy_url: str = field(default="", repr=False)
    """The proxy as the kubeconfig names it, with its login, for a plugin."""
    exec_config: Any = None
    """What the cluster has to say to a plugin, if it has."""

    @property
    def encrypted(self) -> bool:
        """Whether what is said to it is."""
        return urlsplit(self.url).scheme == "https"


@dataclass(frozen=True)
class ExecPlugin:
    """A program that gives the login; `command` is a name to be looked for, or a whole path."""

    api_version: str
    command: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    install_hint: str = ""
    provides_cluster: bool = False


@dataclass(frozen=True)
class User:
    """Who asks; what there is of it is used, and of a token and a password one at most."""

    token: str = field(default="", repr=False)
    token_file: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: Pem = NO_PEM
    key: Pem = field(default=NO_PEM, repr=False)
    plugin: ExecPlugin | None = None

    @property
    def has_login(self) -> bool:
        """Whether there is anything by which the API server could know who asks."""
        return bool(self.token or self.token_file or self.username or self.certificate or self.plugin)


def read_kubeconfig(document: object, path: Path) -> tuple[Server, User]:
    """Return what a kubeconfig's current context leads to; raises SettingsError for one that cannot be used.

    `document` is the YAML as it was read; relative names of files are beside `path`.
    """
    if not isinstance(document, Mapping):
        raise unusable("it is no kubeconfig", path)
    name = document.get("current-context") or ""
    if not name:
        contexts = ", ".join(_names(document, "contexts")) or "none"
        words = f"it has no current-context, so it is not known which of its contexts is meant ({contexts})"
        raise unusable(f"{words}: `kubectl config use-context`", path)
    context = _named(document, "contexts", "context", str(name), "its current-context")
    cluster_name, user_name = str(context.get("cluster") or ""), str(context.get("user") or "")
    if not cluster_name:
        raise unusable(f"the context {name} names no cluster")
    cluster = _named(document, "clusters", "cluster", cluster_name, f"the context {name}")
    server = _server(cluster, cluster_name, path.parent)
    if not user_name:
        user = User()
    else:
        section = _named(document, "users", "user", user_name, f"the context {name}")
        user = _user(section, user_name, path.parent)
    if server.encrypted and not user.has_login:
        # Over plain HTTP it is `kubectl proxy`, or the like, which logs in itself.
        who = f"the user {user_name} has" if user_name else f"the context {name} names no user, so there is"
        raise unusable(f"{who} no login: it would ask as system:anonymous")
    return server, user


def _names(document: Section, kind: str) -> list[str]:
    entries = document.get(kind) or []
    if not isinstance(entries, list):
        raise unusable(f"its {kind} are no list")
    return [str(entry.get("name")) for entry in entries if isinstance(entry, Mapping)]


def _named(document: Section, kind: str, key: str, name: str, whose: str) -> Section:
    """Return what an entry of a list says, by its name."""
    known = _names(document, kind)
    entries = [each for each in document.get(kind) or [] if isinstance(each, Mapping)]
    found = [each for each in entries if str(each.get("name")) == name]
    if not found:
        there = f"there are {', '.join(known)}" if known else "there are none"
        raise unusable(f"{whose} names {name}, which is not among its {kind}; {there}")
    # Of two with one name kubectl takes the first.
    content = found[0].get(key)
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise unusable(f"{kind}: {name} has no {key}")
    return content


def _server(cluster: Section, name: str, beside: Path) -> Server:
    where = f"the cluster {name}"
    url = text_of(cluster, "server", where).rstrip("/")
    if not _is_address(url):
        raise unusable(f"{where}: server must be an address such as https://10.0.0.1:6443")
    if "@" in urlsplit(url).netloc:
        # It would be in all that names the server, and aiohttp sends no second login beside it.
        raise unusable(f"{where}: server has a login in its address: write it under the user")
    authority = pem_of(cluster, "certificate-authority", where, beside)
    skip = truth_of(cluster, "insecure-skip-tls-verify", where)
    if skip and authority:
        # As kubectl: it is not known which of the two is meant.
        raise unusable(f"{where} has a certificate-authority and insecure-skip-tls-verify: leave one out")
    return Server(
        url,
        authority,
        skip,
        text_of(cluster, "tls-server-name", where),
        _proxy(cluster, where),
        text_of(cluster, "proxy-url", where),
        _exec_config(cluster),
    )


def _proxy(cluster: Section, where: str) -> Proxy | None:
    address = text_of(cluster, "proxy-url", where)
    try:
        return read_proxy(address) if address else None
    except NoProxyAddress as error:
        raise unusable(f"{where}: proxy-url {error}") from None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _exec_config(cluster: Section) -> Any:
    extensions = cluster.get("extensions")
    for each in extensions if isinstance(extensions, list) else []:
        if isinstance(each, Mapping) and each.get("name") == _EXEC_EXTENSION:
            return each.get("extension")
    return None


def _user(user: Section, name: str, beside: Path) -> User:
    where = f"the user {name}"
    if user.get("auth-provider"):
        raise unusable(_without_provider(user["auth-provider"], where))
    if set(_IMPERSONATION) & {key for key, value in user.items() if value}:
        # To leave it away would be to ask with the rights of somebody else, mostly more of them.
        raise unusable(f"{where} asks to act `as` somebody else, which previewbot cannot do")
    token, username = text_of(user, "token", where), text_of(user, "username", where)
    token_file = file_of(user, "tokenFile", where, beside)
    if username and (token or token_file):
        raise unusable(f"{where} has a token and a password: leave one out")
    certificate = pem_of(user, "client-certificate", where, beside)
    key = pem_of(user, "client-key", where, beside)
    if bool(certificate) != bool(key):
        raise unusable(f"{where} has {'no client-key' if certificate else 'no client-certificate'}")
    return User(
        header_of(token, f"{where}: token"),
        token_file,
        username,
        text_of(user, "password", where),
        certificate,
        key,
        _plugin(user["exec"], where, beside) if user.get("exec") else None,
    )


def _without_provider(provider: object, where: str) -> str:
    name = str(provider.get("name") or "") if isinstance(provider, Mapping) else ""
    instead = {
        "gcp": "gke-gcloud-auth-plugin",
        "azure": "kubelogin (https://azure.github.io/kubelogin)",
        "oidc": "kubectl oidc-login (https://github.com/int128/kubelogin)",
    }.get(name, "the plugin of your provider")
    return (
        f"{where} has an auth-provider ({name or 'without a name'}), which is gone: use `exec` with {instead}"
    )


def _plugin(section: object, where: str, beside: Path) -> ExecPlugin:
    where = f"{where}: exec"
    if not isinstance(section, Mapping):
        raise unusable(f"{where} is no mapping")
    version, command = text_of(section, "apiVersion", where), text_of(section, "command", where)
    if version not in EXEC_VERSIONS:
        raise unusable(
            f"{where} has the apiVersion {version or 'missing'}; it may be {' or '.join(EXEC_VERSIONS)}"
        )
    if not command:
        raise unusable(f"{where} names no command")
    mode = text_of(section, "interactiveMode", where)
    if version == EXEC_VERSIONS[0] and not mode:
        raise unusable(f"{where} needs an interactiveMode with {version}: {', '.join(_MODES)}")
    if mode and mode not in _MODES:
        raise unusable(f"{where} has the interactiveMode {mode}; it may be {', '.join(_MODES)}")
    if mode == "Always":
        words = f"{where}: {command} wants to ask somebody at a terminal (interactiveMode: Always)"
        raise unusable(f"{words}, and here is nobody")
    if "/" in command and not command.startswith("/"):
        # As kubectl: what has no slash is looked for in PATH, and so never beside the file.
        command = str(beside.absolute() / command)
    arguments = section.get("args") or []
    if not isinstance(arguments, Sequence) or isinstance(arguments, str):
        raise unusable(f"{where}: args are no list")
    return ExecPlugin(
        version,
        command,
        tuple(str(argument) for argument in arguments),
        _environment(section, where),
        text_of(section, "installHint", where),
        truth_of(section, "provideClusterInfo", where),
    )


def _environment(section: Section, where: str) -> dict[str, str]:
    entries = section.get("env") or []
    if not isinstance(entries, list):
        raise unusable(f"{where}: env is no list")
    found = {}
    for each in entries:
        if not isinstance(each, Mapping) or not each.get("name"):
            raise unusable(f"{where}: env has an entry without a name")
        value = each.get("value")
        found[str(each["name"])] = "" if value is None else str(value)
    return found
