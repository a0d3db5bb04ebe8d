"""Forms that were sent: two clicks on one button write one comment.

A page's script lets nobody press twice; this is for browsers without it. Each pod knows its own, so that two
clicks of which a gateway leads each to another pod still write two.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

MOST_KEPT = 1_000
_UNDER_WAY = ""


def sent_form(form_id: str, *said: str) -> str:
    """Return what one sending of a form is known by: the form's id, and a hash of what was said with it.

    Sent twice, as by two clicks, it is one; what somebody went back for and changed is another.
    """
    written = "\0".join(said).encode(errors="replace")
    return f"{form_id}-{hashlib.sha256(written).hexdigest()[:16]}"


class SentForms:
    """Where each form led that was sent lately, by its `sent_form`; safe to use from several threads."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._led: OrderedDict[tuple[int, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, account: int, form_id: str) -> str | None:
        """Return None for a form of somebody that is new, and note that it is under way.

        Else return where it led; empty while it still is under way.
        """
        with self._lock:
            before = self._led.get((account, form_id))
            if before is None:
                self._led[account, form_id] = _UNDER_WAY
                while len(self._led) > self._most:
                    self._led.popitem(last=False)
            return before

    def end(self, account: int, form_id: str, led_to: str = "") -> None:
        """Note where a form led; without that it was not taken, and may be sent again."""
        with self._lock:
            if led_to:
                self._led[account, form_id] = led_to
            else:
                self._led.pop((account, form_id), None)
