"""The two parts of a status comment: what people read, and the fold with the facts for programs."""

from __future__ import annotations

import json
from typing import Any

from markdown_it import MarkdownIt

FOR_PROGRAMS = "<details><summary>The same for programs</summary>"


def for_people(comment: str) -> str:
    """Return a comment without the fold at its end that programs read."""
    people, facts = comment.rsplit(f"\n{FOR_PROGRAMS}", 1)
    assert facts.endswith("\n</details>\n")
    return people


def facts_in(comment: str) -> dict[str, Any]:
    """Return the facts of the one block with them, as Markdown finds it."""
    blocks = [
        token.content
        for token in MarkdownIt("commonmark").parse(comment)
        if token.type == "fence" and token.info == "json"
    ]
    (facts,) = map(json.loads, blocks)
    assert isinstance(facts, dict)
    return facts
