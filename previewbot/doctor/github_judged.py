"""What GitHub's answers mean for an installation: judged here, asked elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from previewbot.api.github import AppFacts, Delivery, Hook, Installation
from previewbot.clients.github.limits import KEPT_SHARE, Quota
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, Whose, listed, not_checked, note, ok, safe, wrong
from previewbot.errors import Forbidden, NotFound, RemoteError, TryLater, Unauthorized
from previewbot.rules.app_rights import lacking_events, lacking_permissions
from previewbot.rules.repositories import serves
from previewbot.text.durations import format_duration

APP, CLOCK, PERMISSIONS, EVENTS = (
    "GitHub: the App",
    "GitHub: the clock",
    "GitHub: permissions",
    "GitHub: events",
)
INSTALLATIONS, HOOK = "GitHub: installations", "GitHub: the webhook's address"
DELIVERIES, QUOTA = "GitHub: deliveries", "GitHub: requests left"

_SKEW_REFUSED, _SKEW_SEEN = timedelta(seconds=55), timedelta(seconds=10)
"""GitHub takes no token that begins in its future; ours is dated back by a minute."""

_NAMED = 5


def app(found: AppFacts, settings: Settings) -> Check:
    """Return that the key is the App's."""
    return ok(APP, f"GitHub takes the key; it is that of App {settings.github.app_id}, {found.slug}")


def app_refused(error: RemoteError, settings: Settings) -> Check:
    """Return what GitHub's refusal of the App itself means."""
    number, said = settings.github.app_id, safe(error.message)
    if isinstance(error, NotFound):
        words = (
            f"GitHub knows no App {number} (it says: {said}): write the App ID from the App's settings page "
            "into github.app_id, not the client ID or an installation's number"
        )
        return wrong(APP, words)
    if isinstance(error, Unauthorized) and "claim" in error.message:
        words = f"GitHub refuses the time in our token (it says: {said}): set this machine's clock (NTP)"
        return wrong(APP, words)
    if isinstance(error, Unauthorized):
        words = (
            f"the private key is not one of App {number} (GitHub says: {said}): it is another App's, or was "
            "deleted there; generate one on the App's settings page, put it into the Secret and restart the "
            "controller"
        )
        return wrong(APP, words, Whose.APP_OWNER)
    if isinstance(error, Forbidden):
        return wrong(APP, f"GitHub refuses App {number}: {said}; is it suspended?", Whose.APP_OWNER)
    return unreachable(APP, error, settings)


def unreachable(name: str, error: RemoteError, settings: Settings) -> Check:
    """Return that GitHub gave no answer that means something."""
    host = urlsplit(settings.github.api_url).netloc
    if isinstance(error, TryLater) and not error.status:
        words = (
            f"{host} cannot be reached ({safe(error.message)}): let this pod out to it (NetworkPolicy, "
            "firewall), name the proxy that leads there (HTTPS_PROXY), and see that github.api_url is right"
        )
        return wrong(name, words)
    return wrong(name, f"{host} answers {error.status or 'nothing'}: {safe(error.message)}")


def clock(skew: timedelta | None) -> Check:
    """Return how far this machine's clock is ahead of GitHub's."""
    if skew is None:
        return not_checked(CLOCK, "GitHub's answer has no date")
    off = abs(skew)
    words = (
        f"this machine's clock is {off.total_seconds():.0f} s "
        f"{'ahead of' if skew > timedelta() else 'behind'} GitHub's"
    )
    if off >= _SKEW_REFUSED:
        return wrong(CLOCK, f"{words}: GitHub refuses what we sign; set it (NTP)")
    return note(CLOCK, f"{words}; set it (NTP)") if off >= _SKEW_SEEN else ok(CLOCK, words)


def permissions(found: AppFacts) -> Check:
    """Return whether the App asks for all that it needs."""
    lacking = lacking_permissions(found.permissions)
    if not lacking:
        return ok(PERMISSIONS, "the App asks for all that app.yml has")
    words = (
        f"the App lacks {', '.join(lacking)}: grant it on the App's settings page, then accept "
        "it per installation"
    )
    return wrong(PERMISSIONS, words, Whose.APP_OWNER)


def events(found: AppFacts) -> Check:
    """Return whether the App is told of all that it should hear."""
    lacking = lacking_events(found.events)
    if not lacking:
        return ok(EVENTS, "the App subscribes to all that app.yml has")
    words = f"the App does not subscribe to {', '.join(lacking)}: tick it on the App's settings page"
    return wrong(EVENTS, words, Whose.APP_OWNER)


def served(found: Sequence[Installation], settings: Settings) -> list[Installation]:
    """Return the installations that count and answer."""
    return [each for each in found if not each.suspended and serves(settings, each.account)]


def installations(found: Sequence[Installation], wanted: AppFacts, settings: Settings) -> list[Check]:
    """Return who installed the App, and what of that keeps it from working there."""
    if not found:
        words = (
            "the App is installed nowhere: install it, on its settings page, in the accounts of "
            "your repositories"
        )
        return [wrong(INSTALLATIONS, words, Whose.APP_OWNER)]
    counting = [each for each in found if serves(settings, each.account)]
    checks = [_whose(found, counting, settings)]
    for each in counting:
        if each.suspended:
            words = f"the one in {each.account} is suspended: whoever suspended it lifts that at {each.url}"
            checks.append(wrong(INSTALLATIONS, words, Whose.APP_OWNER))
        else:
            checks += _accepted(each, wanted)
    return checks


def _whose(found: Sequence[Installation], counting: Sequence[Installation], settings: Settings) -> Check:
    others = listed([each.account or f"number {each.id}" for each in found if each not in counting], _NAMED)
    if not counting:
        owners = ", ".join(settings.owners or ())
        words = (
            f"it is installed in {others}, but `owners` names {owners} only: install it there, or add them"
        )
        return wrong(INSTALLATIONS, words)
    told = f"{len(counting)} of accounts that count: {listed([each.account for each in counting], _NAMED)}"
    if others:
        return note(INSTALLATIONS, f"{told}; those of {others} get nothing, as `owners` does not name them")
    return ok(INSTALLATIONS, told)


def _accepted(each: Installation, wanted: AppFacts) -> list[Check]:
    """Return what the App asks for and this installation has not accepted yet."""
    # What the App itself does not ask for nobody can accept: that is told of once, for the App.
    asked_for = {name for name in wanted.permissions if name not in each.permissions}
    lower = {name for name, level in each.permissions.items() if level != wanted.permissions.get(name, level)}
    lacking = [
        told
        for told in lacking_permissions(each.permissions)
        if told[1:].partition(":")[0] in asked_for | lower
    ]
    if not lacking:
        return []
    words = (
        f"{each.account} has not accepted {', '.join(lacking)}: an owner of that account does "
        f"so at {each.url}"
    )
    return [wrong(INSTALLATIONS, words, Whose.APP_OWNER)]


def hook(found: Hook, settings: Settings) -> Check:
    """Return whether GitHub sends webhooks to where web is."""
    wanted = f"{settings.public_url.rstrip('/')}/webhook"
    if not found.url:
        words = (
            f"the App has no webhook: set it to {wanted} on the App's settings page, active, with the secret"
        )
        return wrong(HOOK, words, Whose.APP_OWNER)
    if not _same_address(found.url, wanted):
        words = (
            f"GitHub sends webhooks to {found.url}, and previewbot's public_url says {wanted}: "
            "make them the same"
        )
        return wrong(HOOK, words, Whose.APP_OWNER)
    if found.content_type and found.content_type != "json":
        words = (
            "GitHub sends webhooks as a form: set the content type to application/json in the App's settings"
        )
        return wrong(HOOK, words, Whose.APP_OWNER)
    return ok(HOOK, f"GitHub sends webhooks to {found.url}")


def hook_refused(error: RemoteError, settings: Settings) -> Check:
    """Return what it means that GitHub does not tell of the webhook."""
    if isinstance(error, NotFound):
        return hook(Hook(), settings)
    return unreachable(HOOK, error, settings)


def ours(found: Sequence[Delivery], served: Sequence[Installation]) -> list[Delivery]:
    """Return the deliveries of installations that count; all of them while none is known.

    Whoever installs an App that everybody may install has GitHub send webhooks of their own, which web
    refuses: that says nothing of ours.
    """
    counting = {0, *(each.id for each in served)}
    return [each for each in found if not served or each.installation_id in counting]


def deliveries(
    found: Sequence[Delivery], changed: datetime | None, now: datetime, *, others: int = 0
) -> Check:
    """Return how the newest deliveries were answered; `changed` is when a pull request last did, if any.

    GitHub tells of three days, and of a hundred at a time; `others` of these are of accounts that do not
    count.
    """
    if not found and others:
        words = f"the newest {others} are all of accounts that get nothing, so how ours went cannot be seen"
        return not_checked(DELIVERIES, words)
    if not found and changed is not None:
        words = (
            f"a pull request changed {_ago(changed, now)}, and GitHub has sent no webhook at all: make the "
            "webhook active on the App's settings page (previews work without, minutes late)"
        )
        return wrong(DELIVERIES, words, Whose.APP_OWNER)
    if not found:
        return note(DELIVERIES, "GitHub has sent none in three days, in which no pull request changed either")
    newest = found[0]
    failed = Counter(_answer(each) for each in found if not _is_taken(each))
    told = f"the newest ({newest.event}, {_ago(newest.delivered_at, now)}) was answered {_answer(newest)}"
    counted = ", ".join(f"{answer} {number} times" for answer, number in failed.most_common(_NAMED))
    if not _is_taken(newest):
        meaning, whose = _meaning(newest)
        return wrong(DELIVERIES, f"{told}: {meaning} (of the last {len(found)}: {counted})", whose)
    if failed:
        return note(DELIVERIES, f"{told}; of the last {len(found)}: {counted}")
    return ok(DELIVERIES, f"{told}, as were all of the last {len(found)}")


def quota(found: Quota | None, now: datetime) -> Check:
    """Return what is left of the hour's requests of an installation."""
    if found is None:
        return ok(QUOTA, "GitHub names no limit")
    told = f"{found.remaining:.0f} of {found.limit:.0f} until {_clock_of(found.reset, now)} UTC"
    if found.remaining < found.limit * KEPT_SHARE:
        words = (
            f"{told}: the rest is kept for previews that run; who else uses this App's "
            "installation, and how many "
        )
        return wrong(QUOTA, f"{words}repositories it covers, decides it")
    return ok(QUOTA, told)


def _is_taken(delivery: Delivery) -> bool:
    return 200 <= delivery.status_code < 300


def _answer(delivery: Delivery) -> str:
    return str(delivery.status_code) if delivery.status_code else f"with “{safe(delivery.status)}”"


def _meaning(delivery: Delivery) -> tuple[str, Whose]:
    code = delivery.status_code
    if code == 401:
        return (
            "the App and web have different webhook secrets; write the one of web's Secret into the App's "
            "settings, and restart web if you changed the Secret"
        ), Whose.APP_OWNER
    if code == 403:
        return (
            "if web said so, `owners` does not name the account; else something before web (a firewall, a "
            "sign-in) refuses GitHub"
        ), Whose.PLATFORM_TEAM
    if code == 400:
        return "set the webhook's content type to application/json in the App's settings", Whose.APP_OWNER
    if code in (404, 405) or 300 <= code < 400:
        return "something else than previewbot's web answers at this address; see public_url and its route", (
            Whose.PLATFORM_TEAM
        )
    if code == 503:
        return (
            "web does not reach the API server, or the gateway before it does not reach web",
            Whose.PLATFORM_TEAM,
        )
    if code == 0:
        return (
            "GitHub does not reach public_url, or not in ten seconds: see its DNS name, certificate and "
            "firewall from outside of your network"
        ), Whose.PLATFORM_TEAM
    return "web, or what stands before it, refuses GitHub; its log says why", Whose.PLATFORM_TEAM


def _same_address(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    same = (first.scheme.lower(), first.netloc.lower()) == (second.scheme.lower(), second.netloc.lower())
    return same and first.path.rstrip("/") == second.path.rstrip("/")


def _ago(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    return f"{format_duration(timedelta(seconds=seconds))} ago"


def _clock_of(epoch: float, now: datetime) -> str:
    return f"{datetime.fromtimestamp(epoch, now.tzinfo):%H:%M}"
