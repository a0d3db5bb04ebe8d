"""What is remembered of a request that was answered, so that a correction of it can be obeyed."""

from __future__ import annotations

from collections.abc import Mapping

from previewbot.api import Correctable
from previewbot.reconciler.conversation import Request
from previewbot.rules.edited import Standing


def is_edit_since(before: Correctable, request: Request) -> bool:
    """Return whether it was edited since it was answered, and not only touched by GitHub."""
    if request.standing is Standing.NOT_TOLD:
        return True
    edited_at = request.edited_at
    return edited_at is not None and (before.edited_at is None or edited_at > before.edited_at)


def as_it_stands(request: Request) -> Correctable | None:
    """Return what an edit is recognised by; None where nothing can be corrected."""
    if request.updated_at is None:
        return None
    return Correctable(request.id, request.updated_at, request.edited_at, request.text)


NOT_OBEYED: Mapping[Standing, str] = {
    Standing.LATE: "edited-late",
    Standing.BY_OTHER: "edited-by-other",
    Standing.NOT_TOLD: "edits-not-told",
}
"""The words for what is not obeyed as it stands."""
