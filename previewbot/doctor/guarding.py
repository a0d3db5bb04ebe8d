"""Whether the guard is before previews: a stranger asks for one that runs, and must be refused by the guard,
and then the doctor, which must not be.

The doctor's own route has no filters, which an admission policy sees to, so that it shows nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from previewbot.api import LinkKind
from previewbot.clients.kubernetes.examining import ExaminedKube
from previewbot.clients.kubernetes.resources import PREVIEWS
from previewbot.clients.links import Links, Question
from previewbot.config.server import GatewaySettings
from previewbot.doctor import running
from previewbot.doctor.check import Check, State, not_checked, ok, wrong
from previewbot.doctor.cluster_judged import LOGIN, RESOURCES
from previewbot.doctor.probing_judged import GATEWAY
from previewbot.engine.links import gateway_url
from previewbot.reconciler.gather.gateway import read_gateway
from previewbot.rules.guard_bearers import is_proven, of_a_question, of_a_stranger
from previewbot.rules.guard_refusals import Refusal
from previewbot.rules.hosts import place_of
from previewbot.rules.link_answers import Answer, Asked, is_closed, is_refusal

GUARD = "links: the guard"
KEYS = "the guard's keys"


class OfGuard:
    """The question about the guard; `keys` are None where they are not here, or cannot be read."""

    def __init__(
        self,
        kube: Callable[[], ExaminedKube],
        links: Links,
        gateway: GatewaySettings,
        keys: tuple[bytes, ...] | None,
        public_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._kube, self._links, self._gateway = kube, links, gateway
        self._keys, self._public_url, self._now = keys, public_url, now

    def questions(self) -> list[running.Question]:
        """Return it; none where there is to be no guard."""
        if self._gateway.guard is None:
            return []
        return [running.Question(GUARD, self._ask, after=(LOGIN, RESOURCES, GATEWAY), seconds=20.0)]

    async def _ask(self) -> list[Check]:
        if not self._keys:
            return [not_checked(GUARD, f"because of {KEYS}")]
        previews, _ = await self._kube().list_for_watch(PREVIEWS, None, keep=_short)
        key = next((each["key"] for each in previews if each["key"]), "")
        if not key:
            return [
                not_checked(GUARD, "no preview runs now that could be asked for; ask again when one does")
            ]
        now, domain = self._now(), self._gateway.domain
        bearer, pretends = of_a_stranger(self._keys, domain, now)
        url = gateway_url(self._gateway, key)
        state = await read_gateway(self._kube(), self._gateway)
        stranger = Question(url, state.addresses, bearer=bearer, pretends=pretends)
        refused = await self._links.ask(stranger)
        check = judged(refused, url, self._public_url)
        if check.state is not State.OK:
            return [check]
        # A guard that refuses everybody refuses strangers, too.
        ours = of_a_question(self._keys, key, domain, now)
        answer = await self._links.ask(Question(url, state.addresses, bearer=ours))
        check = judged_ours(answer, url, check.words, self._public_url)
        if check.state is State.OK and not is_proven(self._keys, refused.proof, bearer, key, domain):
            return [wrong(GUARD, f"{url} refuses a stranger, {_UNPROVEN}")]
        return [check]


def judged(answer: Answer, url: str, public_url: str) -> Check:
    """Return what the answer to a stranger means.

    It has a bearer of another preview, and says that it is that one which is asked for.
    """
    pages = place_of(public_url)
    if is_refusal(Asked("", pages=pages), answer):
        return ok(GUARD, f"a stranger is refused at {url} ({answer.status})")
    if answer.failure is not None:
        return not_checked(GUARD, f"nobody answers at {url} ({answer.failure.value})")
    if answer.leads_to == pages:
        return not_checked(GUARD, f"{url} leads to its page now, before which there is no guard; ask again")
    if is_closed(answer) and not answer.is_marked:
        words = (
            f"{url} answers {answer.status} to a stranger, which is not the guard's: the gateway does not "
            "get to pages (their Service, a ReferenceGrant, networkPolicy.webFrom), or it does not ask them "
            "and the preview itself answers so (docs/guard.md)"
        )
        return wrong(GUARD, words)
    words = (
        f"{url} answers {answer.status} to somebody who may not open it: the gateway does not ask the guard, "
        "or believes an X-Forwarded-Host that anybody can send. Look at links.gateway.filters, or at the "
        "policy that is to ask (docs/guard.md)"
    )
    return wrong(GUARD, words)


def judged_ours(answer: Answer, url: str, stranger: str, public_url: str) -> Check:
    """Return what the answer to the doctor's own bearer means where a stranger is refused, in these words."""
    if not is_refusal(Asked("", pages=place_of(public_url)), answer):
        return ok(GUARD, f"{stranger}, and who has a bearer of it is let in")
    return wrong(GUARD, f"nobody gets in at {url} ({answer.status}): {_TOLD[answer.refusal]} (docs/guard.md)")


def _short(obj: dict[str, object]) -> dict[str, str]:
    """Return the key of a preview that serves and has a link through the gateway, "" of any other."""
    spec, status = obj.get("spec"), obj.get("status")
    services = status.get("services") if isinstance(status, dict) else None
    serves = isinstance(services, list) and any(
        isinstance(each, dict) and each.get("servingSha") for each in services
    )
    link = status.get("link") if isinstance(status, dict) else None
    kind = link.get("kind") if isinstance(link, dict) else None
    # Without a route of ours the gateway says that nobody is there. One whose link is kept back has no kind.
    asked = serves and kind not in (LinkKind.HEADER, LinkKind.SHARE_HOST)
    return {"key": str(spec.get("environmentKey", "")) if asked and isinstance(spec, dict) else ""}


_UNPROVEN = (
    "but not as the guard does, which signs it with its keys: the preview's own code says so, the gateway "
    "does not hand all of the header x-previewbot-guard back, or pages are older than this doctor "
    "(docs/guard.md)"
)
_TOLD = {
    Refusal.UNKNOWN: "the gateway asks the guard without the header x-previewbot-bearer; name it where the "
    "policy or the filter lists the headers that go to the guard",
    Refusal.WRONG_BEARER: "the guard does not know the bearer, so pages have other keys than are here; both "
    "need the same file links.gateway.guard.keys_file",
    Refusal.ENDED: "for the guard a bearer of a minute has ended, so the clock of pages' node or of this one "
    "is wrong",
    Refusal.MISDIRECTED: "the gateway asks the guard, but does not say about which preview as "
    "links.gateway.guard.host_in has it: look whether that is the right header, whether it asks at /auth, "
    "and whether a filter that stands before changes the host",
    Refusal.UNUSABLE: "pages cannot read the guard's keys; their log says why",
}
