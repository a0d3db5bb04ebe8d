"""What web does to the cluster: one write per delivery, and a read for the page.

Sync, because Flask is. One attempt and five seconds in all: GitHub gives up after ten and does not redeliver,
so an answer in time (503) beats a retry; the controller's listing makes it good.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from previewbot.errors import Conflict, NotFound, RemoteError, TryLater, from_status
from previewbot.kube.messages import message_of
from previewbot.preview import GROUP, PLURAL, VERSION, Poke, Spec, annotations_of, name_of, new_object

_CONNECT_SECONDS, _READ_SECONDS = 1.0, 2.0
_WHERE = (GROUP, VERSION, PLURAL)


class Poker:
    """Pokes Previews; safe to use from several threads."""

    def __init__(self, kubeconfig: Path | None, *, user_agent: str) -> None:
        configuration = client.Configuration()
        if kubeconfig is None:
            config.load_incluster_config(client_configuration=configuration)
        else:
            config.load_kube_config(config_file=str(kubeconfig), client_configuration=configuration)
        configuration.retries = False
        configuration.connection_pool_maxsize = 32
        api_client = client.ApiClient(configuration)
        api_client.user_agent = user_agent
        self._api = client.CustomObjectsApi(api_client)

    def poke(self, spec: Spec, poke: Poke, *, create: bool) -> bool:
        """Say that a pull request is to be looked at; return False if it has no Preview and gets none.

        Raises a RemoteError unless the API server has accepted it.
        """
        name = name_of(spec.repository_id, spec.number)
        patch = {"metadata": {"annotations": annotations_of(poke)}, "spec": {"repository": spec.repository}}
        try:
            self._patch(name, patch)
            return True
        except NotFound:
            if not create:
                return False
        try:
            body = new_object(spec, poke)
            self._call(self._api.create_cluster_custom_object, *_WHERE, body=body, field_validation="Strict")
        except Conflict:
            # A delivery at the same moment created it.
            self._patch(name, patch)
        return True

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, or None; raises a RemoteError when the API server does not say."""
        try:
            found: dict[str, Any] = self._call(self._api.get_cluster_custom_object, *_WHERE, name)
        except NotFound:
            return None
        return found

    def ready(self) -> bool:
        """Return whether the API server answers us and has our resource."""
        try:
            self._call(self._api.list_cluster_custom_object, *_WHERE, limit=1)
        except RemoteError:
            return False
        return True

    def _patch(self, name: str, patch: dict[str, Any]) -> None:
        self._call(
            self._api.patch_cluster_custom_object, *_WHERE, name, body=patch,
            _content_type="application/merge-patch+json",
        )  # fmt: skip

    def _call(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs, _request_timeout=(_CONNECT_SECONDS, _READ_SECONDS))
        except ApiException as error:
            raise from_status("Kubernetes", int(error.status or 0), message_of(error.body)) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise TryLater("Kubernetes", message=type(error).__name__) from error
