"""The controller's client for an API server that lets anybody in."""

from __future__ import annotations

from previewbot.clients.kubernetes.access import Access
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.kubeconfig import Server
from previewbot.clients.kubernetes.login import Credential
from previewbot.clients.kubernetes.sender import Sender


def kube_at(url: str, *, request_timeout: float) -> Kube:
    """Return a client for the API server at `url`, without a login; `request_timeout` is in seconds."""
    access = Access(Server(url.rstrip("/")), Credential, renewable=False)
    sender = Sender(access, "test", patience=request_timeout)
    return Kube(sender, request_timeout=request_timeout)
