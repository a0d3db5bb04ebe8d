"""Requests to the API server, with one identity.

Objects are plain JSON both ways. Every call has a total timeout and a limit of size; errors are previewbot's
own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from previewbot.clients.answers import MOST_OF_A_REFUSAL, beginning
from previewbot.clients.kubernetes import resources
from previewbot.clients.kubernetes.access import open_access
from previewbot.clients.kubernetes.resources import JSON, MOST_BYTES
from previewbot.clients.kubernetes.sender import ApiRequest as ApiRequest
from previewbot.clients.kubernetes.sender import Query, Sender, Verb
from previewbot.clients.outgoing import reason
from previewbot.errors import NoAnswer, NotFound, TooLarge, TryLater
from previewbot.text.json import read_json

Object = dict[str, Any]
Fence = Callable[[], None]

PAGES = (200, 20, 1)
"""How many objects a page of a list has; the next number is tried where one is larger than MOST_BYTES."""

WHOLE = (0, *PAGES[1:])
"""The same for a list that is short as a rule: all at once, which the API server answers from its memory."""

_TIMEOUT_SECONDS = 10.0


def open_fence() -> None:
    """Let everything through."""


class ApiClient:
    """The API server, with one identity.

    Every method raises the RemoteError that the answer means, TryLater where there is none that makes sense;
    and ValueError for a name that is none.
    """

    def __init__(
        self, sender: Sender, *, fence: Fence = open_fence, request_timeout: float = _TIMEOUT_SECONDS
    ) -> None:
        self._sender = sender
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
        `request_timeout` is the total of each call in seconds. Raises SettingsError if there is neither, or
        no login.
        """
        # In a thread: a program that gives the login may take its time.
        access = await asyncio.to_thread(open_access, kubeconfig)
        sender = Sender(access, user_agent, patience=request_timeout)
        return cls(sender, fence=fence, request_timeout=request_timeout)

    async def close(self) -> None:
        """Close the connections."""
        await self._sender.close()

    async def _change(
        self, what: str, verb: Verb, path: str, body: Mapping[str, Any], *, content_type: str = JSON
    ) -> Object:
        """Create or change an object; a field that the installed CRD does not know is refused."""
        self._fence()
        # Without "Strict" an older CRD drops such a field in silence. What a status says is done already
        # would then be done again.
        strict = {"fieldValidation": "Strict"}
        return await self._call(what, ApiRequest(verb, path, strict, body, content_type))

    async def _delete(self, what: str, path: str, preconditions: Mapping[str, str]) -> None:
        """Delete an object, if it is as the preconditions say."""
        self._fence()
        try:
            body = {"preconditions": dict(preconditions)} if preconditions else None
            await self._call(what, ApiRequest("DELETE", path, body=body))
        except NotFound:
            # What is gone already is what we wanted: the answer to an earlier try of ours may have been lost.
            return

    async def _find(self, what: str, path: str) -> Object | None:
        """Return an object, or None."""
        try:
            return await self._call(what, ApiRequest("GET", path))
        except NotFound:
            return None

    async def _call(self, what: str, request: ApiRequest) -> Object:
        """Send a request and return its answer, an object."""
        text = await self._text(what, request)
        try:
            answer = read_json(text)
        except ValueError as error:
            raise TryLater(f"Kubernetes: {what}", message="the answer is not JSON") from error
        if not isinstance(answer, dict):
            raise TryLater(f"Kubernetes: {what}", message="the answer is not a JSON object")
        return answer

    async def _list(
        self,
        what: str,
        path: str,
        query: Query,
        *,
        keep: Callable[[Object], Object] = lambda obj: obj,
        pages: Sequence[int] = PAGES,
        most: int = 0,
    ) -> tuple[list[Object], str]:
        """Return what is to be kept of the objects of a list, and its resource version.

        Read in pages, so that the whole of it is never in memory at once; raises TooLarge where a single
        object is. With `most` reading ends with the page that has as many.
        """
        for size in pages[:-1]:
            try:
                return await self._list_in_pages(what, path, query, keep, size, most)
            except TooLarge:
                # From the beginning: nobody promises that a list goes on with pages of another size.
                continue
        return await self._list_in_pages(what, path, query, keep, pages[-1], most)

    async def _list_in_pages(
        self, what: str, path: str, query: Query, keep: Callable[[Object], Object], size: int, most: int
    ) -> tuple[list[Object], str]:
        objects, asked = list[Object](), {**query, "limit": size} if size else {**query}
        # A continue token that is too old answers 410: the list is given up as a whole, and asked for anew
        # after a backoff.
        while True:
            answer = await self._call(what, ApiRequest("GET", path, asked))
            objects += map(keep, items_of(what, answer))
            metadata = answer.get("metadata") or {}
            if not metadata.get("continue") or (most and len(objects) >= most):
                return objects, str(metadata.get("resourceVersion") or "")
            asked["continue"] = str(metadata["continue"])

    async def _text(self, what: str, request: ApiRequest) -> str:
        """Send a request and return its answer as it came."""
        with _in_our_words(what):
            async with await self._sender.send(request, self._timeout) as response:
                return await _body(what, response)

    async def _stream(self, what: str, request: ApiRequest, request_timeout: float) -> aiohttp.ClientResponse:
        """Send a request whose answer the caller reads bit by bit, and closes."""
        with _in_our_words(what):
            response = await self._sender.send(request, request_timeout)
            if response.status != 200:
                async with response:
                    await _body(what, response)
            return response


@contextmanager
def _in_our_words(what: str) -> Iterator[None]:
    """Turn the transport's errors into the RemoteError that they mean."""
    try:
        yield
    except TimeoutError as error:
        # Asked before the branch below, since aiohttp's timeouts are ClientErrors too. The difference counts:
        # a server that refuses is alive, one that says nothing may mean that our own network is broken.
        raise NoAnswer(f"Kubernetes: {what}", message="no answer in time") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # A ValueError of the transport: a header that cannot be sent, say.
        raise TryLater(f"Kubernetes: {what}", message=reason(error)) from error


async def _body(what: str, response: aiohttp.ClientResponse) -> str:
    """Return the body of an answer; raises the RemoteError that it means, TooLarge past MOST_BYTES."""
    is_refusal = not 200 <= response.status < 300
    read, all_of_it = await beginning(response, MOST_OF_A_REFUSAL if is_refusal else MOST_BYTES)
    text = read.decode("utf-8", "replace")
    if is_refusal:
        raise resources.error_of(what, response.status, text, response.headers)
    if not all_of_it:
        message = f"the answer has more than {MOST_BYTES // 2**20} MiB"
        raise TooLarge(f"Kubernetes: {what}", status=response.status, message=message)
    return text


def items_of(what: str, answer: Object) -> list[Object]:
    """Return the items of a list; raises TryLater if it is none."""
    items = answer.get("items")
    if not isinstance(items, list):
        raise TryLater(f"Kubernetes: {what}", message="the answer is not a list")
    return items
