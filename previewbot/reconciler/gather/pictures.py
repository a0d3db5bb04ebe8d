"""Wishes for pictures of a preview that is announced, and asks how they stand; one question, of two seconds.

The wish is the same with each look, and what the worker lost it takes anew. It is only asked when that is
due: whatever becomes of it, no pass fails, and none waits for it again soon.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import datetime, timedelta

from previewbot.api import LinkKind, Pictures, Preview
from previewbot.errors import Invalid, RemoteError, SettingsError, TryLater, Unauthorized
from previewbot.reconciler.context import Context
from previewbot.reconciler.observation import Observation, PicturesSeen
from previewbot.reconciler.plan.decision import Decision, Hold, Run
from previewbot.reconciler.plan.pictures import seconds_until_wished, wish_of
from previewbot.rules import guard_bearers
from previewbot.rules.pictures import NAME, public_part

_LASTS = timedelta(minutes=10)
"""So long a bearer lasts that a wish has. There is a new one every five minutes at least, so that one counts
whenever the worker tries again what failed, and every minute while pictures are due."""

_NOT_REACHED = "the worker of pictures was not reached"
_UNKNOWN = 'unknown field "status.pictures'

log = logging.getLogger(__name__)


async def look_at_pictures(
    context: Context, preview: Preview, observation: Observation, decision: Decision
) -> PicturesSeen | None:
    """Return how the pictures stand of a Preview as it is stored, if that was asked now."""
    name, now = preview.name, context.now()
    asked = context.pictures_asked.of(name)
    if context.pictures is None or isinstance(decision, Hold):
        return None
    if not isinstance(decision, Run):
        if preview.status.pictures == Pictures() and asked is None:
            return None
        # Whether the worker hears of it or not, nobody is shown them any more.
        await forget_pictures(context, name)
        return PicturesSeen(None)
    if context.pictures_asked.rest(now):
        return None
    addresses = observation.gateway.state.addresses
    wish = wish_of(preview, observation.facts, context.limits, now, addresses=addresses)
    after = seconds_until_wished(preview.status, wish, now, asked=asked)
    if wish is None or after is None or after > 0:
        return None
    try:
        bearer = "" if wish.only_asks else _bearer(context, preview, now)
    except (SettingsError, ValueError) as error:
        # Those without a guard need no keys.
        context.pictures_asked.refused(name, wish, now)
        _warn("no pictures are taken behind the guard, whose keys cannot be read", name, error)
        return None
    wish = replace(wish, bearer=bearer, bearer_until=now + _LASTS if bearer else None)
    try:
        standing = await context.pictures.wish(name, wish)
        public = ""
        if context.limits.pictures_public:
            public = public_part(context.pictures.secret(), name, wish.sha)
    except (RemoteError, SettingsError, ValueError) as error:
        if _is_for_all(error):
            context.pictures_asked.unanswered(name, wish, now)
            _warn(_NOT_REACHED, name, error)
        else:
            context.pictures_asked.refused(name, wish, now)
            _warn("the worker of pictures takes no wish for this preview", name, error)
        return None
    context.pictures_asked.answered(name, wish, now)
    return PicturesSeen(wish, standing.taken, public)


def _bearer(context: Context, preview: Preview, now: datetime) -> str:
    """Return what lets the worker past the guard until the next wish; empty where there is no guard.

    Raises SettingsError, or ValueError, where the guard's keys cannot be used.
    """
    gateway = context.limits.gateway
    if gateway is None or gateway.guard is None or preview.status.link.kind is not LinkKind.GATEWAY:
        return ""
    key = preview.spec.environment_key
    return guard_bearers.signed(context.guard_keys(), key, gateway.domain, now + _LASTS)


async def forget_pictures(context: Context, name: str) -> None:
    """Have the worker forget a Preview that is over, if it is there: by itself it does in the end."""
    context.pictures_asked.forget(name)
    # Whoever may make Previews may call one as they like: the worker knows none of them.
    if context.pictures is None or not re.fullmatch(NAME, name):
        return
    if context.pictures_asked.rest(context.now()):
        return
    try:
        await context.pictures.forget(name)
    except (RemoteError, SettingsError, ValueError) as error:
        if _is_for_all(error):
            context.pictures_asked.away(context.now())
        _warn(_NOT_REACHED, name, error)


def is_too_new(context: Context, error: RemoteError) -> bool:
    """Return whether a status was refused because the CRD that the cluster has does not know of pictures.

    Helm changes no CRD. Then none are asked for a while, and all the rest of the pass succeeds without.
    """
    if not (isinstance(error, Invalid) and _UNKNOWN in error.message):
        return False
    if not context.pictures_asked.rest(context.now()):
        log.warning(
            "no pictures: the CRD of Preview in this cluster is older than previewbot; run kubectl apply "
            "--server-side --force-conflicts --filename charts/previewbot/crds/",
            extra={"error": error.message},
        )
    context.pictures_asked.not_stored(context.now())
    return True


def _is_for_all(error: Exception) -> bool:
    """Return whether it says something of the worker, or of our own settings, and not of one wish."""
    return not isinstance(error, RemoteError) or isinstance(error, TryLater | Unauthorized)


def _warn(what: str, name: str, error: Exception) -> None:
    log.warning(what, extra={"preview": name, "error": str(error)})
