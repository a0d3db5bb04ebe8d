"""Whose an object in the cluster is: a Preview's, another's, or somebody's of whom nothing is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from previewbot.api import PREVIEW_LABEL

Object = Mapping[str, Any]


def is_foreign(manifest: Object, other: Object) -> bool:
    """Return whether an object is none of the Preview's whose object a manifest describes."""
    ours, theirs = manifest["metadata"], other["metadata"]
    owners = {owner.get("uid") for owner in theirs.get("ownerReferences") or ()}
    label = (theirs.get("labels") or {}).get(PREVIEW_LABEL)
    return ours["labels"][PREVIEW_LABEL] != label and ours["ownerReferences"][0]["uid"] not in owners


def made_by(metadata: Object) -> str:
    """Return whose an object is, as far as it says: its owner, another preview, or what made it."""
    for owner in metadata.get("ownerReferences") or ():
        return f", owned by {owner.get('kind', '?')} {owner.get('name', '?')}"
    preview = (metadata.get("labels") or {}).get(PREVIEW_LABEL)
    if preview:
        return f", of the preview {preview}"
    for entry in metadata.get("managedFields") or ():
        return f", made with {entry.get('manager', '?')}"
    return ""
