"""The facts as they stand in the comment: a visible code block, since agents are not shown HTML comments.

    ```json
    {
      "previewbot": 1,
      …
    }
    ```

Whoever looks for it looks in comments of previewbot's own account: anybody can write such a block.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from previewbot.text.facts import MARK, SCHEMA_VERSION, Facts, ServiceFacts, as_json

LIMIT = 16_000
"""Characters of a block: a comment has 65,536, and people read the rest of it."""

_BEGIN, _END = f'```json\n{{\n  "{MARK}": {SCHEMA_VERSION},\n', "\n}\n```"


def block(facts: Facts) -> str:
    """Return the block with its fence.

    Of what does not fit the last lines of logs go first, then people's words, which stand in comments of
    their own, then whatever is told service by service; `shortened` says so.
    """
    without_logs = replace(facts, services=tuple(map(_without_log, facts.services)), shortened=True)
    verdicts = tuple(replace(each, words="") for each in facts.verdicts)
    without_words = replace(without_logs, verdicts=verdicts)
    overall = replace(without_words, services=(), blast_radius=None)
    texts = (_fenced(each) for each in (facts, without_logs, without_words, overall))
    return next((text for text in texts if len(text) <= LIMIT), _fenced(overall))


def without_block(comment: str) -> str:
    """Return a comment of ours without its block."""
    # The last one: a container's last words, which stand before it, may look like one.
    begin = comment.rfind(_BEGIN)
    end = comment.find(_END, begin)
    return comment if begin < 0 or end < 0 else comment[:begin] + comment[end + len(_END) :]


def _without_log(service: ServiceFacts) -> ServiceFacts:
    return replace(service, problem=service.problem and replace(service.problem, log=()))


def _fenced(facts: Facts) -> str:
    # Line ends are escaped within JSON, and each line begins with a brace, a bracket, a blank or a quotation
    # mark: nothing in it can end the fence.
    told = {MARK: SCHEMA_VERSION, **as_json(facts)}
    return f"```json\n{_lined(told)}\n```"


def _lined(told: Mapping[str, Any]) -> str:
    """Return an object as JSON with a line for each key, and for each object of a list one of its own."""
    lines = (f"  {_flat(key)}: {_listed(value)}" for key, value in told.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _listed(value: Any) -> str:
    if not (isinstance(value, list) and value and all(isinstance(each, dict) for each in value)):
        return _flat(value)
    return "[\n" + ",\n".join(f"    {_flat(each)}" for each in value) + "\n  ]"


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
