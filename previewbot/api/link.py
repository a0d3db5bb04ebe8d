"""Where a reviewer goes: the link of a Preview, and why there is none to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import WithJsonSchema

from previewbot.api.proof import Proven, Why
from previewbot.api.reasons import AnyReason
from previewbot.api.value import Value


class LinkKind(StrEnum):
    """How a reviewer gets there."""

    GATEWAY = "Gateway"
    SHARE_HOST = "ShareHost"
    HEADER = "Header"

    @classmethod
    def _missing_(cls, value: object) -> LinkKind:
        """Read a kind that only a newer version knows: the next pass finds its own."""
        return cls.HEADER

    @property
    def just_works(self) -> bool:
        """Whether a click is enough: nothing to install, no header to send."""
        return self in (LinkKind.GATEWAY, LinkKind.SHARE_HOST)


@dataclass(frozen=True)
class Link(Value):
    """Where a reviewer goes.

    With `kind` Gateway or ShareHost `url` just works; with Header it is staging, and needs the header or
    `extension_url`. All empty while there is none. Where something serves that no link can be shown of, the
    `reason` says why, and `message` in whose words (one line, without what looks like a secret);
    `extension_url` may be another way in. `since` is when that began, or when the link came back; `lost`
    counts how often a link went that was shown, as long as it does not hold.

    `proven` is whether whoever opens it sees this pull request, as far as asking told at `checked_at`, and
    `why` how that is known; None while nobody asked. `answered` is the status that came with it, `about` has
    the services it is about, `unchecked` those of which it is not known that the header gets to them,
    `passed_on` those that a check showed it to get to. `question` tells what was asked from what would be
    now, and `asked_since` is when it was asked first. `outdated`: something else serves behind it by now, and
    `proven` is of what served before; it is being asked. `staging_url` is the same page of staging, without
    this change; empty where the link leads to no front end of staging that is known.
    """

    kind: LinkKind | None = None
    url: str = ""
    extension_url: str = ""
    reason: AnyReason | None = None
    message: str = ""
    since: datetime | None = None
    lost: int = 0
    proven: Proven | None = None
    checked_at: datetime | None = None
    why: Annotated[Why, WithJsonSchema({"type": "string"})] | None = None
    answered: int = 0
    about: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    passed_on: tuple[str, ...] = ()
    question: str = ""
    asked_since: datetime | None = None
    outdated: bool = False
    staging_url: str = ""

    @property
    def path(self) -> str:
        """The page that it opens, as a path; `/` while there is no link."""
        return urlsplit(self.url).path or "/"


@dataclass(frozen=True)
class OtherLink(Value):
    """Another front end of staging behind which these services serve; it needs the header or extension."""

    services: tuple[str, ...] = ()
    url: str = ""
    extension_url: str = ""
