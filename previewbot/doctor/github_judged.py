"""What GitHub's answers mean for an installation: judged here, asked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from previewbot.api.github import AppFacts, Hook, Installation
from previewbot.clients.github.limits import KEPT_SHARE, Quota
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, Whose, listed, not_checked, note, ok, safe, wrong
from previewbot.errors import UNREADABLE, UNTRUSTED, Forbidden, NotFound, RemoteError, TryLater, Unauthorized
from previewbot.rules.app_rights import lacking_events, lacking_permissions, needed_permissions
from previewbot.rules.repositories import serves

APP, CLOCK, PERMISSIONS, EVENTS = (
    "GitHub: the App",
    "GitHub: the clock",
    "GitHub: permissions",
    "GitHub: events",
)
CLIENT_ID = "GitHub: the App's client ID"
INSTALLATIONS, HOOK = "GitHub: installations", "GitHub: the webhook's address"
QUOTA = "GitHub: requests left"

_AHEAD_REFUSED, _BEHIND_REFUSED = timedelta(seconds=55), timedelta(minutes=7, seconds=30)
"""GitHub takes no token that begins in its future (ours is dated back by a minute), or has ended (ours holds
for eight minutes more)."""

_SKEW_SEEN = timedelta(seconds=10)

_NAMED = 5


def app(found: AppFacts, settings: Settings) -> Check:
    """Return that the key is the App's."""
    return ok(APP, f"GitHub takes the key; it is that of App {settings.github.app_id}, {found.slug}")


def client_id(found: AppFacts, settings: Settings) -> list[Check]:
    """Return whether people sign in with this App, and no other; nothing where nobody does."""
    ours = settings.sign_in.client_id
    if settings.access_or_default != "github" or not found.client_id:
        return []
    if ours == found.client_id:
        return [ok(CLIENT_ID, "people sign in with this very App")]
    words = (
        f"sign_in.client_id is {ours}, and this App's is {safe(found.client_id)}: with another App's, "
        "nothing that people write would count as written through this one"
    )
    return [wrong(CLIENT_ID, words)]


def app_refused(error: RemoteError, settings: Settings, skew: timedelta | None = None) -> Check:
    """Return what GitHub's refusal of the App itself means; `skew` is what `clock` tells of, if it is
    known."""
    number, said = settings.github.app_id, safe(error.message)
    if isinstance(error, NotFound) and "Integration" not in error.message:
        return _not_github(APP, f"404: {said}", settings)
    if isinstance(error, NotFound):
        words = (
            f"GitHub knows no App {number} (it says: {said}): write the App ID from the App's settings page "
            "into github.app_id, not the client ID or an installation's number"
        )
        return wrong(APP, words)
    if isinstance(error, Unauthorized) and "claim" in error.message:
        if skew is not None and _is_refused(skew):
            return not_checked(APP, f"GitHub refuses the time in our token (it says: {said}); see {CLOCK}")
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
    if UNREADABLE in error.message:
        return _not_github(name, safe(error.message), settings)
    if UNTRUSTED in error.message:
        words = (
            f"{host} cannot be reached ({safe(error.message)}): if its CA is one of your own, or a proxy's, "
            "name its file as github.ca_file (githubServer.caConfigMap of the chart)"
        )
        return wrong(name, words)
    if isinstance(error, TryLater) and not error.status:
        words = (
            f"{host} cannot be reached ({safe(error.message)}): let this pod out to it (NetworkPolicy, "
            "firewall), name the proxy that leads there (HTTPS_PROXY), and see that github.api_url is right"
        )
        return wrong(name, words)
    return wrong(name, f"{host} answers {error.status or 'nothing'}: {safe(error.message)}")


def _not_github(name: str, said: str, settings: Settings) -> Check:
    words = (
        f"something else than GitHub's API answers at {settings.github.api_url} ({said}): see github.api_url "
        "(that of an Enterprise Server ends with /api/v3), and whether a proxy or a sign-in stands before it"
    )
    return wrong(name, words)


def _is_refused(skew: timedelta) -> bool:
    return skew >= _AHEAD_REFUSED or -skew >= _BEHIND_REFUSED


def clock(skew: timedelta | None) -> Check:
    """Return how far this machine's clock is ahead of GitHub's."""
    if skew is None:
        return not_checked(CLOCK, "GitHub's answer has no date")
    off = abs(skew)
    words = (
        f"this machine's clock is {off.total_seconds():.0f} s "
        f"{'ahead of' if skew > timedelta() else 'behind'} GitHub's"
    )
    if _is_refused(skew):
        return wrong(CLOCK, f"{words}: GitHub refuses what we sign; set it (NTP)")
    return note(CLOCK, f"{words}; set it (NTP)") if off >= _SKEW_SEEN else ok(CLOCK, words)


def permissions(found: AppFacts, settings: Settings) -> Check:
    """Return whether the App asks for all that it needs with these settings."""
    lacking = lacking_permissions(found.permissions, needed_permissions(settings))
    if not lacking:
        all_of_it = not lacking_permissions(found.permissions)
        return ok(PERMISSIONS, f"the App asks for all that {'app.yml has' if all_of_it else 'it needs'}")
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
            checks += _accepted(each, wanted, settings)
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


def _accepted(each: Installation, wanted: AppFacts, settings: Settings) -> list[Check]:
    """Return what the App asks for and this installation has not accepted yet."""
    # What the App itself does not ask for nobody can accept: that is told of once, for the App.
    asked_for = {name for name in wanted.permissions if name not in each.permissions}
    lower = {name for name, level in each.permissions.items() if level != wanted.permissions.get(name, level)}
    lacking = [
        told
        for told in lacking_permissions(each.permissions, needed_permissions(settings))
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


def _same_address(one: str, other: str) -> bool:
    first, second = urlsplit(one), urlsplit(other)
    same = (first.scheme.lower(), first.netloc.lower()) == (second.scheme.lower(), second.netloc.lower())
    # To the letter: web knows no other path, also none with a slash at its end.
    return same and first.path == second.path


def _clock_of(epoch: float, now: datetime) -> str:
    return f"{datetime.fromtimestamp(epoch, now.tzinfo):%H:%M}"
