"""How a wait came out, for programs. Pure."""

from __future__ import annotations

import json

from previewbot.api.reference import Reference
from previewbot.asking.standing import Standing
from previewbot.asking.words import one_line


def as_json(reference: Reference, standing: Standing) -> str:
    """Return it as a line of JSON; `words` are one line for people, and may be words of others.

    What lets a program past the guard is not in it: in CI it would stand in a log.
    """
    return json.dumps(
        {
            "state": standing.state.value,
            "exit_code": standing.state.exit_code,
            "repository": reference.repository,
            "number": reference.number,
            "sha": standing.sha,
            "url": standing.url,
            "header": standing.header,
            "needs_header": standing.needs_header,
            "proven": standing.proven,
            "words": one_line(standing.words),
            "turn": standing.turn,
            "told_by": standing.told_by,
        }
    )


def masks(standing: Standing) -> str:
    """Return the line by which GitHub's runner keeps a secret output from logs; "" if there is none.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#masking-a-value-in-a-log
    """
    return f"::add-mask::{standing.bearer}" if standing.bearer else ""


def outputs(standing: Standing) -> str:
    """Return it as lines of the file that GITHUB_OUTPUT names.

    Each is `name=value`, and no value has a line break: an address and a header that have one are none
    (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-output-parameter).
    """
    values = {
        "state": standing.state.value,
        "sha": standing.sha,
        "url": standing.url,
        "header": standing.header,
        "needs-header": "true" if standing.needs_header else "false",
        "bearer": standing.bearer,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())
