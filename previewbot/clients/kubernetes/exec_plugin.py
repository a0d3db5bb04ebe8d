"""Asks a program of the kubeconfig for a login, by client-go's protocol.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

from previewbot.clients.kubernetes.kubeconfig import ExecPlugin
from previewbot.clients.kubernetes.kubeconfig_fields import is_header
from previewbot.clients.programs import MOST_BYTES, kill_with_all, without_ours
from previewbot.rules.masking import one_line
from previewbot.text.json import read_json

PATIENCE_SECONDS = 30.0
"""Plugins ask a cloud over the network, and kubectl waits for ever: nobody would see why nothing happens."""

_END_SECONDS = 5.0
_MOST_KIB = MOST_BYTES // 1024


class _TooMuch(Exception):
    """A program printed more than any login has."""


class PluginFailed(Exception):
    """A program did not give a login; the words say which, and what it said itself."""


@dataclass(frozen=True)
class Given:
    """What a plugin gave: a token, a certificate with its key, or both; and when that ends, if it says so."""

    token: str = field(default="", repr=False)
    certificate: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    until: datetime | None = None


def ask(
    plugin: ExecPlugin,
    cluster: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    patience: float = PATIENCE_SECONDS,
) -> Given:
    """Run a plugin and return what it gives; raises PluginFailed.

    `cluster` is told to a plugin that wants to know it. It runs where we do, with our `environment` (without
    previewbot's variables) and its own, and without a terminal; after `patience` seconds, or with more output
    than any login has, it is killed, with all that it has started.
    """
    spec = {"interactive": False} | ({"cluster": dict(cluster)} if plugin.provides_cluster else {})
    info = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    told = {**without_ours(environment), **plugin.environment, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    try:
        process = subprocess.Popen(
            [plugin.command, *plugin.arguments],
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise PluginFailed(_cannot_start(plugin, error)) from error
    try:
        output, said = _printed(process, patience)
    except subprocess.TimeoutExpired:
        raise PluginFailed(f"{_named(plugin)} gave none within {patience:g} s and was ended") from None
    except _TooMuch:
        raise PluginFailed(f"{_named(plugin)} printed more than {_MOST_KIB} KiB and was ended") from None
    if process.returncode != 0:
        how = f"ended with {process.returncode}" if process.returncode > 0 else "was killed"
        raise PluginFailed(f"{_named(plugin)} {how}: {_words(said) or 'it said nothing'}")
    return _read(plugin, output, said)


def _printed(process: subprocess.Popen[bytes], patience: float) -> tuple[bytes, bytes]:
    """Return what a program prints until it ends: its output, and the beginning of its words beside it.

    Raises _TooMuch, or TimeoutExpired when its time is up; the program is no more then.
    """
    assert process.stdout is not None and process.stderr is not None
    deadline = time.monotonic() + patience
    output, said = bytearray(), bytearray()
    try:
        with process.stdout, process.stderr, selectors.DefaultSelector() as unfinished:
            unfinished.register(process.stdout, selectors.EVENT_READ, output)
            unfinished.register(process.stderr, selectors.EVENT_READ, said)
            while unfinished.get_map():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise subprocess.TimeoutExpired(process.args, patience)
                _take(unfinished, left)
                if len(output) > MOST_BYTES:
                    raise _TooMuch
        # With its output whole it may still hang.
        process.wait(max(0.0, deadline - time.monotonic()))
    except BaseException:
        _end(process)
        raise
    return bytes(output), bytes(said)


def _take(unfinished: selectors.BaseSelector, seconds: float) -> None:
    """Wait for something to be printed, and keep it, up to one byte more than counts."""
    for key, _ in unfinished.select(seconds):
        piece = os.read(key.fd, MOST_BYTES)
        # Words without end are read on all the same: else the program would wait for us.
        key.data.extend(piece[: MOST_BYTES + 1 - len(key.data)])
        if not piece:
            unfinished.unregister(key.fileobj)


def _end(process: subprocess.Popen[bytes]) -> None:
    kill_with_all(process.pid)
    # Nobody can end what hangs in the kernel; the login is given up in any case.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_SECONDS)


def _named(plugin: ExecPlugin) -> str:
    return f"the program {plugin.command}, which is to give the login,"


def _cannot_start(plugin: ExecPlugin, error: Exception) -> str:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    # The hint is whole paragraphs with some providers.
    hint = one_line(plugin.install_hint)
    return f"{_named(plugin)} cannot be started ({why})" + (f": {hint}" if hint else "")


def _words(said: bytes) -> str:
    return one_line(said.decode("utf-8", "replace"))


def _read(plugin: ExecPlugin, output: bytes, said: bytes) -> Given:
    """Read what a plugin printed; never quote it, for it may have the login in it."""

    def nonsense(what: str) -> PluginFailed:
        words = _words(said)
        return PluginFailed(f"{_named(plugin)} {what}" + (f"; it said: {words}" if words else ""))

    answer = _document(output)
    if answer is None:
        raise nonsense("printed what is no JSON" if output.strip() else "printed nothing")
    if not isinstance(answer, dict) or answer.get("kind") != "ExecCredential":
        raise nonsense("printed no ExecCredential")
    version = answer.get("apiVersion")
    if version != plugin.api_version:
        wanted = f"and the kubeconfig wants {plugin.api_version}"
        raise nonsense(f"answers in the apiVersion {one_line(str(version))}, {wanted}")
    status = answer.get("status")
    if not isinstance(status, dict):
        raise nonsense("printed an ExecCredential without a status")
    token, certificate, key = (
        status.get(name) or "" for name in ("token", "clientCertificateData", "clientKeyData")
    )
    if not all(isinstance(each, str) for each in (token, certificate, key)):
        raise nonsense("printed a login that is no text")
    if bool(certificate) != bool(key):
        raise nonsense(f"gave no {'clientKeyData' if certificate else 'clientCertificateData'}")
    if not token and not certificate:
        raise nonsense("gave neither a token nor a certificate")
    if not is_header(token):
        raise nonsense("gave a token with characters that no token has")
    try:
        until = _time(status.get("expirationTimestamp"))
    except ValueError:
        raise nonsense("says with no time that can be read when its login ends") from None
    return Given(token, certificate, key, until)


def _document(output: bytes) -> Any:
    """Return what a plugin printed as JSON, or as YAML, which kubectl reads too; None if it is neither."""
    with contextlib.suppress(ValueError):
        return read_json(output)
    # Nearly any words are YAML: only what says what it is counts.
    if b"ExecCredential" not in output:
        return None
    with contextlib.suppress(yaml.YAMLError, ValueError, RecursionError):
        return yaml.safe_load(output)
    return None


def _time(text: object) -> datetime | None:
    if not text:
        return None
    found = datetime.fromisoformat(str(text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
