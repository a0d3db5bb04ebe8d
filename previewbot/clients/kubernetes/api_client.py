"""ApiClient to the API server over the official async client, with one identity.

Custom objects are plain JSON both ways. Every call has a total timeout; errors are previewbot's own.

Measured on kubernetes 37: the timeout must be one number (a pair raises TypeError), an answer that is not
JSON comes back as a string or as a JSONDecodeError, and an empty name turns a get into a list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, cast

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException
from pydantic import ValidationError

from previewbot.clients.kubernetes import resources
from previewbot.errors import NoAnswer, NotFound, TryLater

Object = dict[str, Any]
Fence = Callable[[], None]

_TIMEOUT_SECONDS = 10.0


def open_fence() -> None:
    """Let everything through."""


class ApiClient:
    """The API server, with one identity.

    Every method raises the RemoteError that the answer means; TryLater where there is none that makes sense.
    """

    def __init__(
        self, api_client: Any, *, fence: Fence = open_fence, request_timeout: float = _TIMEOUT_SECONDS
    ) -> None:
        self._client = api_client
        self._api = client.CustomObjectsApi(api_client)
        self._core = client.CoreV1Api(api_client)
        self._fence = fence
        self._timeout = request_timeout

    @classmethod
    async def connect(
        cls,
        kubeconfig: Path | None,
        *,
        user_agent: str,
        fence: Fence = open_fence,
        request_timeout: float = _TIMEOUT_SECONDS,
    ) -> Self:
        """Return a client for a kubeconfig, or for the cluster this process runs in; nothing is sent yet.

        `fence` is called before each request that changes something (but the Lease) and may raise.
        `request_timeout` is the total of each call in seconds. Raises SettingsError if there is neither.
        """
        configuration = client.Configuration()
        # No limit: each namespace holds a watch, and a hundred of them would starve every other call.
        configuration.connection_pool_maxsize = 0
        try:
            if kubeconfig is None:
                config.load_incluster_config(client_configuration=configuration)
            else:
                await config.load_kube_config(str(kubeconfig), client_configuration=configuration)
            api_client = client.ApiClient(configuration)
        except Exception as error:
            # Measured: also TypeError and YAMLError for a file that is no kubeconfig, SSLError for its CA.
            raise resources.unusable(kubeconfig, error) from error
        api_client.user_agent = user_agent
        return cls(api_client, fence=fence, request_timeout=request_timeout)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _create(
        self, what: str, resource: tuple[str, str, str], namespace: str, manifest: Mapping[str, Any]
    ) -> Object:
        return await self._change(
            what, self._api.create_namespaced_custom_object, *within(resource, namespace),
            body=dict(manifest), field_validation="Strict",
        )  # fmt: skip

    async def _delete(self, what: str, method: Any, *args: str, **kwargs: Any) -> None:
        self._fence()
        # What is gone already is what we wanted: the answer to an earlier try of ours may have been lost.
        await self._find(what, method, *args, **kwargs)

    async def _change(self, what: str, method: Any, *args: str, **kwargs: Any) -> Object:
        self._fence()
        return await self._call(what, method, *args, **kwargs)

    async def _find(self, what: str, method: Any, *args: str, **kwargs: Any) -> Object | None:
        try:
            return await self._call(what, method, *args, **kwargs)
        except NotFound:
            return None

    async def _call(self, what: str, method: Any, *args: str, **kwargs: Any) -> Object:
        with _in_our_words(what):
            answer = await method(*args, **kwargs, _request_timeout=self._timeout)
            # The methods "without preload content" leave the answer to us. For pods and events the client
            # would otherwise build models of its own; our rules read plain JSON, from watches as from single
            # answers.
            if isinstance(answer, aiohttp.ClientResponse):
                answer = json.loads(await _body(what, answer))
        if hasattr(answer, "to_dict"):
            answer = answer.to_dict()
        if not isinstance(answer, dict):
            raise TryLater(f"Kubernetes: {what}", message="the answer is not a JSON object")
        return cast("Object", answer)

    async def _text(self, what: str, method: Any, *args: str, **kwargs: Any) -> str:
        """Return what a method of the client's `_without_preload_content` kind was answered."""
        with _in_our_words(what):
            return await _body(what, await method(*args, **kwargs, _request_timeout=self._timeout))


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    """Turn the client's errors into the RemoteError that they mean."""
    try:
        yield
    except ApiException as error:
        raise resources.error_of(what, error.status, error.body, error.headers) from error
    except ValidationError:
        # Ours: an argument of the wrong type, refused before anything is sent.
        raise
    except TimeoutError as error:
        # Asked before the branch below, since aiohttp's timeouts are ClientErrors too. The difference counts:
        # a server that refuses is alive, one that says nothing may mean that our own network is broken.
        raise NoAnswer(f"Kubernetes: {what}", message="no answer in time") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise TryLater(f"Kubernetes: {what}", message=type(error).__name__) from error


async def _body(what: str, response: aiohttp.ClientResponse) -> str:
    """Return the body of an answer that the client left alone; raises the RemoteError that it means."""
    async with response:
        text = (await response.read()).decode("utf-8", "replace")
        if response.status != 200:
            raise resources.error_of(what, response.status, text, response.headers)
        return text


def within(resource: tuple[str, str, str], namespace: str) -> tuple[str, str, str, str]:
    """Return where a resource is in a namespace, in the order of the client's arguments."""
    group, version, plural = resource
    return group, version, namespace, plural


def items_of(what: str, answer: Object) -> list[Object]:
    """Return the items of a list; raises TryLater if it is none."""
    items = answer.get("items")
    if not isinstance(items, list):
        raise TryLater(f"Kubernetes: {what}", message="the answer is not a list")
    return items
