"""The Preview as this pass believes it is stored, and how a new status gets there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from previewbot.api import Preview, Status, from_object, status_object
from previewbot.errors import Conflict
from previewbot.reconciler.context import Context


class Superseded(Exception):
    """Somebody else wrote the status during this pass: what we know is old, so look again."""


class PreviewStore:
    """A Preview whose status is written as a whole, by compare-and-swap.

    Two controllers may believe for a moment that they lead. Each writes only on top of the status that it
    read, so that the slower one is told instead of undoing what the other did.
    """

    def __init__(self, context: Context, obj: Mapping[str, Any]) -> None:
        self._context = context
        self._object = dict(obj)
        self.preview: Preview = from_object(obj)

    @property
    def status(self) -> Status:
        """The status as it is stored."""
        return self.preview.status

    async def write(self, status: Status) -> None:
        """Store a status if it differs from what is stored.

        Raises `Superseded` when the stored status moved under us; a poke in between (metadata only) is no
        reason to give up: the write is repeated on top of it.
        """
        # An idle pass ends here, without a request. It matters: each write would come back as a watch event.
        if status == self.status:
            return
        # The body carries the resourceVersion that we read, so the API server refuses it with a conflict if
        # anything was written since. A webhook's poke is such a write, but it touches only annotations: then
        # the same status is written on top of the new version.
        for _ in range(3):
            body = {**self._object, "status": status_object(status)}
            try:
                self._take(await self._context.kube.put_status(body))
                return
            except Conflict:
                await self._reread()
        raise Superseded(self.preview.name)

    async def patch_spec(self, *, repository: str, installation_id: int | None = None) -> None:
        """Refresh the hints in the spec (the repository's name, the installation).

        Raises `Superseded` when the answer shows a status that is not the one we know.
        """
        hints: dict[str, str | int] = {"repository": repository}
        if installation_id is not None:
            hints["installationId"] = installation_id
        obj = await self._context.kube.patch_preview_spec(self.preview.name, hints)
        # The patch itself is not a compare-and-swap: it goes through whatever was written since. So its
        # answer is checked instead.
        if from_object(obj).status != self.status:
            raise Superseded(self.preview.name)
        self._object, self.preview = dict(obj), from_object(obj)

    async def delete(self) -> None:
        """Delete the Preview, unless it changed since we last looked."""
        preview = self.preview
        await self._context.kube.delete_preview(preview.name, preview.uid, preview.resource_version)

    async def _reread(self) -> None:
        obj = await self._context.kube.get_preview(self.preview.name)
        if obj is None:
            raise Superseded(self.preview.name)
        found = from_object(obj)
        # Another uid means that the Preview was deleted and made again under the same name: our status would
        # tell the new one of children that belong to the old one.
        if found.uid != self.preview.uid or found.status != self.status:
            raise Superseded(self.preview.name)
        self._object, self.preview = dict(obj), found

    def _take(self, obj: Mapping[str, Any]) -> None:
        self._object, self.preview = dict(obj), from_object(obj)
        # Put the answer into the cache at once. The watch tells of it only a moment later, and a pass that
        # counts the slots in that moment would not see the one that was just taken.
        self._context.wrote(obj)

    def with_status(self, status: Status) -> Preview:
        """Return the Preview with a status that is not stored yet."""
        return replace(self.preview, status=status)
