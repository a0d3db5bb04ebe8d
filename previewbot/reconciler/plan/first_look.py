"""Why nothing is known of a pull request yet: what kept the first look at GitHub from being finished.

Until one look was complete every value of the status is a default, and a default is no finding: it must not
be told as "it changes no service", or as any other.
"""

from __future__ import annotations

from previewbot.api import Reason
from previewbot.errors import RemoteError, TryLater

_UNAUTHORIZED, _FORBIDDEN = 401, 403


def why_unknown(error: RemoteError | None) -> Reason:
    """Return the reason of a preview without a phase, by what GitHub answered; None if it was not asked."""
    if error is None:
        return Reason.LOOKING
    # By the status first: who we are is asked as something that can be tried again, whatever is answered.
    if error.status == _UNAUTHORIZED:
        return Reason.APP_NOT_ACCEPTED
    if isinstance(error, TryLater) and error.after is not None:
        return Reason.LOOK_LIMITED
    if error.status == _FORBIDDEN:
        return Reason.LOOK_FORBIDDEN
    return Reason.LOOK_DELAYED if isinstance(error, TryLater) else Reason.LOOK_FAILED
