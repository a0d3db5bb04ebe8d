"""The Preview as this pass believes it is stored, and how a new status gets there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from previewbot.errors import Conflict, RemoteError
from previewbot.preview import Status, from_object, status_object
from previewbot.reconcile.context import Context


class Superseded(Exception):
    """Somebody else wrote the status during this pass: what we know is old, so look again."""


class Stored:
    """A Preview with a status that is written as a whole, compare-and-swap."""

    def __init__(self, context: Context, obj: Mapping[str, Any]) -> None:
        self._context = context
        self._object = dict(obj)
        self.preview = from_object(obj)
        self._written = self.preview.status

    @property
    def status(self) -> Status:
        """The status as of now, stored or not yet."""
        return self.preview.status

    @status.setter
    def status(self, status: Status) -> None:
        self.preview = replace(self.preview, status=status)

    async def write(self) -> None:
        """Store the status if it differs from what was last stored.

        Raises `Superseded` when the stored status moved under us; a poke in between (metadata only) is no
        reason to give up: the write is repeated on top of it.
        """
        if self.status == self._written:
            return
        for _ in range(3):
            body = {**self._object, "status": status_object(self.status)}
            try:
                self._take(await self._context.kube.put_status(body))
                return
            except Conflict:
                await self._reread()
        raise Superseded(self.preview.name)

    async def patch_spec(self, **hints: object) -> None:
        """Refresh the hints in the spec (the repository's name, the installation).

        Raises `Superseded` when the answer shows a status that is not the one we know.
        """
        obj = await self._context.kube.patch_preview_spec(self.preview.name, dict(hints))
        if from_object(obj).status != self._written:
            raise Superseded(self.preview.name)
        status = self.status
        self._object = dict(obj)
        self.preview = replace(from_object(obj), status=status)

    async def delete(self) -> None:
        """Delete the Preview, unless it changed since we last looked."""
        await self._context.kube.delete_preview(
            self.preview.name, self.preview.uid, self.preview.resource_version
        )

    async def _reread(self) -> None:
        obj = await self._context.kube.get_preview(self.preview.name)
        if obj is None:
            raise Superseded(self.preview.name)
        found = from_object(obj)
        if found.uid != self.preview.uid or found.status != self._written:
            raise Superseded(self.preview.name)
        status = self.status
        self._object = dict(obj)
        self.preview = replace(found, status=status)

    def _take(self, obj: Mapping[str, Any]) -> None:
        self._object = dict(obj)
        self.preview = from_object(obj)
        self._written = self.preview.status
        self._context.wrote(obj)


def in_words(error: RemoteError) -> str:
    """Return an error as one line for `status.lastError`."""
    return str(error)[:500]
