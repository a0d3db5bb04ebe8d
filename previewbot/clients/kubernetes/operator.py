"""The question for mirrord's operator: what the API server's answer, or its refusal, says of it."""

from __future__ import annotations

from dataclasses import replace

from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.engine.idle import knows_idle
from previewbot.engine.mirrord import SESSIONS
from previewbot.engine.operator import API_GROUP, API_VERSION, Answer, OperatorSeen, operator_seen
from previewbot.errors import Forbidden, Invalid, RemoteError, TryLater
from previewbot.rules.masking import one_line
from previewbot.rules.refusals import in_short

_TOO_MANY = 429


async def look_at_operator(kube: Kube) -> OperatorSeen:
    """Ask for mirrord's operator; raises nothing of the network's or the API server's.

    NOT_KNOWN says that the API server itself gave no answer: then nothing was learned of the operator.
    """
    seen = await _look(kube)
    # Also of one that may not be asked: previews are made all the same.
    asks = seen.answer in (Answer.FOUND, Answer.FORBIDDEN, Answer.UNREADABLE)
    return replace(seen, knows_idle=await _knows_idle(kube)) if asks else seen


async def _knows_idle(kube: Kube) -> bool:
    """Return whether the CRD of its sessions has `idle`; what cannot be read now is not sent."""
    try:
        return knows_idle(await kube.published(SESSIONS.group, SESSIONS.version))
    except RemoteError:
        return False


async def _look(kube: Kube) -> OperatorSeen:
    try:
        obj = await kube.get_operator()
    except Forbidden as error:
        # Whoever has no right to it is refused before the API server looks whether there is such a thing. By
        # discovery, which everybody may ask, an absent operator is told apart from a missing role.
        return await _by_discovery(kube) or OperatorSeen(Answer.FORBIDDEN, detail=_words(error))
    except Invalid as error:
        return OperatorSeen(Answer.UNREADABLE, detail=_words(error))
    except TryLater as error:
        # 503 if nobody is behind its APIService, silence if somebody hangs there. The API server may be away
        # as a whole, too, and that is no word about the operator.
        if error.status == _TOO_MANY or not await _answers(kube):
            return OperatorSeen(detail=_words(error))
        return OperatorSeen(Answer.UNAVAILABLE, detail=_words(error))
    except RemoteError as error:
        return OperatorSeen(detail=_words(error))
    return operator_seen(obj) if obj is not None else OperatorSeen(Answer.MISSING)


async def _by_discovery(kube: Kube) -> OperatorSeen | None:
    """Return what discovery says against the operator; None if nothing."""
    try:
        known = await kube.serves(API_GROUP, API_VERSION)
    except TryLater as error:
        unavailable = error.status != _TOO_MANY and await _answers(kube)
        return OperatorSeen(Answer.UNAVAILABLE, detail=_words(error)) if unavailable else None
    except RemoteError:
        return None
    return None if known else OperatorSeen(Answer.MISSING)


async def _answers(kube: Kube) -> bool:
    """Return whether the API server answers for what is its own: the Previews' API."""
    try:
        return await kube.serves(PREVIEWS.group, PREVIEWS.version)
    except RemoteError:
        return False


def _words(error: RemoteError) -> str:
    return one_line(in_short(error.message or str(error)))
