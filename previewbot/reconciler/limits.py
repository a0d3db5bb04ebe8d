"""What the settings say that a plan goes by, whatever the pull request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from previewbot.config.server import GatewaySettings, Settings


@dataclass(frozen=True)
class Limits:
    """What the platform team's settings say about time, where links go, and whether these are asked.

    `evicts_idle`: what sleeps gives its slot to one that waits. `names_commit`: routes have answers name
    their commit, which what the Gateway's class can do decides too. `pictures` are
    taken of what is announced, and also stand in the comment where they are `pictures_public`.
    """

    ttl_default: timedelta
    ttl_max: timedelta
    session_deadline: timedelta
    image_deadline: timedelta
    branch_deadline: timedelta
    split_deadline: timedelta
    public_url: str
    gateway: GatewaySettings | None = None
    check_links: bool = False
    evicts_idle: bool = False
    names_commit: bool = False
    pictures: bool = False
    pictures_public: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Return what these settings say."""
        return cls(
            ttl_default=settings.ttl.default,
            ttl_max=settings.ttl.max,
            session_deadline=settings.deadlines.session,
            image_deadline=settings.deadlines.image,
            branch_deadline=settings.deadlines.branch,
            split_deadline=settings.deadlines.split,
            public_url=settings.public_url,
            gateway=settings.links.gateway if settings.links else None,
            check_links=settings.links.check if settings.links else True,
            evicts_idle=settings.limits.evict == "idle",
            pictures=settings.pictures is not None,
            pictures_public=settings.pictures is not None and settings.pictures.public,
        )
