"""Places at GitHub that an installation can do without and that take nothing from us: kept in the status, and
put into words.

What is refused for want of a permission, or of an endpoint, is refused whatever the commit: it is noted once
for the place, under a key of its own in `status.reports`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from previewbot.api import Refusal, Report, Status
from previewbot.rules.app_rights import OPTIONAL_PLACES, is_not_granted, not_granted_in_words
from previewbot.text.cutting import cut_at_the_end

CLOSED_FOR = timedelta(hours=1)
"""How long nothing is sent to a place for which the App lacks a permission, or that GitHub does not have."""

_LONGEST_QUOTE = 200


def key_of_place(name: str) -> str:
    """Return the key in `status.reports` of what is noted of a place as a whole; no commit is called so."""
    return f"{name}/*"


def is_closed(status: Status, key: str) -> bool:
    """Return whether the place of an entry of `status.reports` took nothing when it was asked last."""
    return key_of_place(_place_of(key)) in status.reports


def is_optional(key: str) -> bool:
    """Return whether an entry of `status.reports` is of a place that an installation can do without."""
    return _place_of(key) in OPTIONAL_PLACES


def lacks_something(status: Status) -> bool:
    """Return whether something was refused, or given up, that is told in such a place of a commit."""
    return any(
        report.refusal is not None and is_optional(key) and key != key_of_place(_place_of(key))
        for key, report in status.reports.items()
    )


def exceptions_in_words(status: Status, owner: str) -> str:
    """Return what is not told at GitHub, why, and who can change that, in whole sentences; "" if all is.

    `owner` is the account whose repository it is.
    """
    return " ".join(dict.fromkeys(_exceptions(status, owner)))


def _exceptions(status: Status, owner: str) -> Iterator[str]:
    for key, report in status.reports.items():
        if report.refusal is None or not is_optional(key):
            continue
        whole = key == key_of_place(_place_of(key))
        yield _closed(_place_of(key), report.refusal, owner) if whole else _refused(_place_of(key), report)


def _closed(name: str, refusal: Refusal, owner: str) -> str:
    place = OPTIONAL_PLACES[name]
    if is_not_granted(refusal.message):
        permission = not_granted_in_words(refusal.message) or f"`{place.permission}: write`"
        return (
            f"{place.missing}: the App was not granted {permission}. Whoever owns the App adds that to it, "
            f"and an owner of {owner} accepts it; it is tried again once an hour."
        )
    return (
        f"{place.missing}: GitHub answers {refusal.status} as if there were no such address. Either this "
        "Enterprise Server does not have it, or the App does not reach the repository any more; it is tried "
        "again once an hour."
    )


def _refused(name: str, report: Report) -> str:
    said = report.refusal.message if report.refusal else ""
    return f"{OPTIONAL_PLACES[name].one} was refused: {cut_at_the_end(said, _LONGEST_QUOTE)}."


def _place_of(key: str) -> str:
    return key.partition("/")[0]
