"""What a webhook says of the App itself: of its installations, and of the repositories that they cover.

Such an event names no pull request, and web may not look up which previews it is about: so it asks the
controller to list everything now, instead of when the next listing is due. Nothing else of it is believed.

Events and their actions: https://docs.github.com/en/webhooks/webhook-events-and-payloads. GitHub sends those
of installations to every App, and `repository` to those that subscribe to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

ACTIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "installation": frozenset({"created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"}),
        "installation_repositories": frozenset({"added", "removed"}),
        "installation_target": frozenset({"renamed"}),
        "repository": frozenset(
            {
                *("renamed", "transferred", "archived", "unarchived", "deleted"),
                # The default branch is another, or who may read the repository.
                *("edited", "privatized", "publicized"),
            }
        ),
    }
)
"""What may begin or end previews, or move them, by event."""


@dataclass(frozen=True)
class ListingWanted:
    """All is to be listed now; `accounts` are whose it is, by login, and whose it was before."""

    accounts: tuple[str, ...]
    why: str


def listing_wanted(event: str, payload: object) -> ListingWanted | None:
    """Return whose repositories are to be listed, and why; None if the event changes nothing for previews."""
    action = payload.get("action") if isinstance(payload, Mapping) else None
    if not (isinstance(payload, Mapping) and isinstance(action, str) and action in ACTIONS.get(event, ())):
        return None
    return ListingWanted(tuple(dict.fromkeys(_accounts(payload))), f"{event} {action}")


def is_about_the_app(event: str) -> bool:
    """Return whether an event is one of the App's own."""
    return event in ACTIONS


# Where a payload names accounts, as keys that lead there: whose it is, and whose it was.
_LOGINS: Collection[tuple[str, ...]] = (
    ("installation", "account", "login"),
    ("account", "login"),
    ("repository", "owner", "login"),
    ("organization", "login"),
    ("changes", "login", "from"),
    ("changes", "owner", "from", "user", "login"),
    ("changes", "owner", "from", "organization", "login"),
)


def _accounts(payload: Mapping[str, object]) -> Iterator[str]:
    for keys in _LOGINS:
        value: object = payload
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            yield value
