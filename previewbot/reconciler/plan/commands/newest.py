"""Which order is the newest: a `start` or a `stop` that is older than one that was carried out came late.

Who has write access without being a member may be found out late, GitHub may show a comment late, and of
whoever pressed a button it may not say for a while what they may. "start" after a newer "stop" would run what
nobody wants any more.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from previewbot.api import RequestKind, Requests
from previewbot.reconciler.conversation import Request

_CLOCKS_APART = timedelta(seconds=2)
"""When a button was pressed is known by GitHub's clock only to whole seconds, and no later than it was."""


def is_overtaken(request: Request, requests: Requests) -> bool:
    """Return whether a newer order was carried out before this one."""
    if request.id.kind == RequestKind.ISSUE_COMMENT and request.id.id < requests.newest_order:
        return True
    newest_at, made_at = requests.newest_order_at, request.made_at
    return newest_at is not None and made_at is not None and made_at + _CLOCKS_APART < newest_at


def with_order(requests: Requests, request: Request) -> Requests:
    """Return these with this order carried out."""
    if request.id.kind == RequestKind.ISSUE_COMMENT:
        requests = replace(requests, newest_order=max(requests.newest_order, request.id.id))
    moments = [each for each in (requests.newest_order_at, request.made_at) if each is not None]
    return replace(requests, newest_order_at=max(moments, default=None))
