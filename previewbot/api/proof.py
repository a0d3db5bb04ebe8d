"""What asking a link came to: whether it shows the pull request, and why that is known, or not."""

from __future__ import annotations

from enum import StrEnum


class Proven(StrEnum):
    """Whether whoever opens a link sees the pull request's own services."""

    YES = "Yes"
    NO = "No"
    UNKNOWN = "Unknown"

    @classmethod
    def _missing_(cls, value: object) -> Proven:
        """Read what only a newer version knows: it is asked again."""
        return cls.UNKNOWN


class Why(StrEnum):
    """Why; the value is what stands in the Preview's status, the words are in `templates/_links.jinja`."""

    # Yes
    THIS_PREVIEW = "ThisPreview"
    PASSED_ON = "PassedOn"
    # No: somebody else answered
    STAGING = "Staging"
    ANOTHER_SESSION = "AnotherSession"
    NOT_PASSED_ON = "NotPassedOn"
    OWN_PAGE = "OwnPage"
    LEADS_TO_STAGING = "LeadsToStaging"
    # No: an error answered, or nobody
    STATUS = "Status"
    ONLY_THE_LINK = "OnlyTheLink"
    STAGING_TOO = "StagingToo"
    NO_NAME = "NoName"
    NO_CONNECTION = "NoConnection"
    TOO_LATE = "TooLate"
    CERTIFICATE = "Certificate"
    NO_HTTP = "NoHttp"
    # No: the guard, which is to be before it
    UNGUARDED = "Unguarded"
    GUARD_UNSEEN = "GuardUnseen"
    GUARD_REFUSES_US = "GuardRefusesUs"
    GUARD_MISDIRECTED = "GuardMisdirected"
    GUARD_SEES_NO_BEARER = "GuardSeesNoBearer"
    GUARD_WITHOUT_KEYS = "GuardWithoutKeys"
    GUARD_NOT_ASKED = "GuardNotAsked"
    # Unknown
    NO_MARK = "NoMark"
    SEVERAL_MARKS = "SeveralMarks"
    BEHIND_THE_ENTRY = "BehindTheEntry"
    CHECK_REFUSED = "CheckRefused"
    SIGN_IN = "SignIn"
    UNKNOWN_AUTHORITY = "UnknownAuthority"
    OTHER = "Other"

    @classmethod
    def _missing_(cls, value: object) -> Why:
        """Read what only a newer version knows."""
        return cls.OTHER
