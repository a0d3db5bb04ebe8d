"""What the answers to GitHub's deliveries mean: judged here, asked elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from previewbot.api.github import Delivery, Installation
from previewbot.doctor.check import Check, Whose, not_checked, note, ok, safe, wrong
from previewbot.text.durations import format_duration

DELIVERIES = "GitHub: deliveries"

_NAMED = 5


def of_ours(found: Sequence[Delivery], served: Sequence[Installation]) -> list[Delivery]:
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


def _ago(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    return f"{format_duration(timedelta(seconds=seconds))} ago"
