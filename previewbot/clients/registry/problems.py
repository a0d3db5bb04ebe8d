"""What a registry says when it does not show an image, each as an error of its own; and how that is told.

The words stand in the comment, under the reason; what exactly was answered stands in the error, for the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from previewbot.api.reasons import Reason
from previewbot.errors import Forbidden, Invalid, NotFound, RemoteError, TryLater, Unauthorized


class LoginMissing(Unauthorized):
    """It shows nothing without a login, and there is none for it: the image may be there or not."""


class LoginEnded(Unauthorized):
    """The login was good once: it is a token of a cloud's, which lives for hours."""


class LoginBroken(Unauthorized):
    """There should be a login, and it cannot be had: its file or its program fails."""


class HeldBack(Forbidden):
    """The image is there, and a policy of the registry keeps everybody from pulling it."""


class RepositoryUnknown(NotFound):
    """It knows no such repository, or shows it to others only."""


class ManifestTooOld(Invalid):
    """The image is in the format of before 2016 (schema 1), which nodes do not run any more."""


class NotARegistry(TryLater):
    """Something else answers in a registry's place: a sign-in page, a web server."""


class Untrusted(TryLater):
    """Its certificate is signed by nobody whom we trust, or is for another host."""


class Limited(TryLater):
    """It wants to be asked again only later (429); until then it is not asked."""


_REASONS: Mapping[type[RemoteError], Reason] = MappingProxyType(
    {
        LoginMissing: Reason.REGISTRY_WANTS_LOGIN,
        LoginEnded: Reason.REGISTRY_LOGIN_ENDED,
        LoginBroken: Reason.REGISTRY_LOGIN_BROKEN,
        HeldBack: Reason.IMAGE_HELD_BACK,
        RepositoryUnknown: Reason.REPOSITORY_UNKNOWN,
        ManifestTooOld: Reason.IMAGE_TOO_OLD,
        NotARegistry: Reason.NOT_A_REGISTRY,
        Untrusted: Reason.REGISTRY_UNTRUSTED,
        Limited: Reason.REGISTRY_LIMITED,
        # What is none of these. The order counts: each of the above is one of the below as well.
        Unauthorized: Reason.REGISTRY_REFUSED,
        Forbidden: Reason.REGISTRY_REFUSED,
        NotFound: Reason.NO_IMAGE,
    }
)


def reason_of(error: RemoteError) -> Reason:
    """Return the reason under which people are told of an error of the registry's client."""
    found = (reason for kind, reason in _REASONS.items() if isinstance(error, kind))
    return next(found, Reason.REGISTRY_UNREACHABLE)
