"""What the GitHub App must be granted, and what each of it is for: the same as `app.yml`, which a test holds.

Names and levels are GitHub's own
(https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from previewbot.config.server import Settings

_PERMISSION_RE = re.compile(r"\b([a-z_]{1,60})=(read|write|admin)\b")
_LONGEST_ACCEPTED = 500
_NOT_GRANTED = "Resource not accessible by integration"
"""GitHub's words where an App lacks a permission. It sends the names with other refusals as well."""
_BY_NAME = "the App was not granted "
_LEVELS = {"": 0, "read": 1, "write": 2, "admin": 3}


@dataclass(frozen=True)
class Needed:
    """A permission at its least level; `cost` is what does not work without it, as half a sentence.

    `spared` says, in the same way, with which setting less is enough.
    """

    level: str
    cost: str
    spared: str = ""


PERMISSIONS: Mapping[str, Needed] = MappingProxyType(
    {
        "metadata": Needed("read", "nobody's command is obeyed, as it is not known who may write"),
        "contents": Needed("read", "no .github/preview.yaml can be read, so there is no preview at all"),
        "pull_requests": Needed("write", "there is no comment, no answer and no reaction"),
        "issues": Needed(
            "read",
            "GitHub sends no comments, so commands are seen minutes late, and no issue that a pull request "
            "closes is named",
        ),
        "checks": Needed(
            "write",
            "there is no check, and below `read` nobody can say what a missing image waits for",
            "with `check: off` in the settings, and `verdicts: off`, `read` is enough",
        ),
        "deployments": Needed(
            "write",
            "there are no deployments, whose links stand above the conversation",
            "with `deployments: off` in the settings it is not needed",
        ),
        "actions": Needed("read", "nobody can say that a workflow waits for a person's approval"),
    }
)

_CHECKS_OF_OTHERS = Needed("read", "nobody can say what a missing image waits for")

TO_TELL_IN_ISSUES = ("issues", Needed("write", "people are told in the pull request and not in the issue"))
"""What `notify: {where: issue}` of a `preview.yaml` takes beside them. No App asks for it by itself: whoever
uses that grants it."""


@dataclass(frozen=True)
class OptionalPlace:
    """A place that an installation can do without; `permission` is what it takes, at the level `write`.

    `missing` says that there is none of it, and `one` is what is told in it.
    """

    permission: str
    missing: str
    one: str


OPTIONAL_PLACES: Mapping[str, OptionalPlace] = MappingProxyType(
    {
        "deployments": OptionalPlace("deployments", "There are no deployments", "A deployment"),
        "check": OptionalPlace("checks", "There is no check `preview`", "The check"),
        "verdict": OptionalPlace("checks", "There is no check `preview verdict`", "The check of verdicts"),
    }
)
"""By the name of the reporter: see `Reporter.optional`."""

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "pull_request": "pull requests are seen minutes late, by the listing",
        "issue_comment": "commands are seen minutes late, by the listing",
        "pull_request_review": "`/preview status` in a review is seen minutes late, by the listing",
        "pull_request_review_comment": "`/preview status` on a line is seen minutes late, by the listing",
        "repository": "previews follow a renamed, moved or archived repository minutes late",
        "check_run": "an image that was just built is found minutes late",
        "check_suite": "an image that was just built is found minutes late",
        "workflow_run": "a workflow that waits for approval is told of minutes late",
    }
)
"""The events to subscribe to, each with what is worse without it."""


def needed_permissions(settings: Settings) -> Mapping[str, Needed]:
    """Return what the App must be granted where these settings hold: less than `app.yml` has, where a place
    in which nothing is told is turned off."""
    needed = dict(PERMISSIONS)
    if settings.deployments == "off":
        del needed["deployments"]
    if settings.check == "off" and settings.verdicts == "off":
        needed["checks"] = _CHECKS_OF_OTHERS
    return needed


def lacking_permissions(granted: Mapping[str, str], needed: Mapping[str, Needed] = PERMISSIONS) -> list[str]:
    """Return what is needed and not granted, or at too low a level, each with what it costs."""
    return [_in_words(name, each) for name, each in needed.items() if _lacks(granted, name, each)]


def lacking_to_tell_in_issues(granted: Mapping[str, str]) -> str:
    """Return what is not granted to tell people in issues, with what it costs; empty if it is."""
    name, needed = TO_TELL_IN_ISSUES
    return _in_words(name, needed) if _lacks(granted, name, needed) else ""


def _lacks(granted: Mapping[str, str], name: str, needed: Needed) -> bool:
    return _LEVELS.get(granted.get(name, ""), 0) < _LEVELS[needed.level]


def _in_words(name: str, needed: Needed) -> str:
    spared = f"; {needed.spared}" if needed.spared else ""
    return f"`{name}: {needed.level}` (without it {needed.cost}{spared})"


def is_not_granted(message: str) -> bool:
    """Return whether GitHub refused something because the App lacks a permission for it."""
    return _NOT_GRANTED in message


def accepted_in_words(accepted: str) -> str:
    """Return which permissions a refused request takes, as GitHub's `X-Accepted-GitHub-Permissions` says it.

    Sets of them, of which one is enough, are separated by semicolons: `issues=write; pull_requests=write`
    (https://github.blog/changelog/2023-08-10-x-accepted-github-permissions-header-for-fine-grained-permission-actors).
    Empty for what is not of that shape.
    """
    sets = [_PERMISSION_RE.findall(each) for each in accepted[:_LONGEST_ACCEPTED].split(";")]
    return " or ".join(" and ".join(f"`{name}: {level}`" for name, level in each) for each in sets if each)


def with_what_is_lacking(message: str, accepted: str) -> str:
    """Return GitHub's words with the permission by its name, where its header `accepted` has that.

    Else whoever administers the App would have to guess.
    """
    names = accepted_in_words(accepted)
    return f"{message}: {_BY_NAME}{names}" if names and is_not_granted(message) else message


def not_granted_in_words(message: str) -> str:
    """Return the permission that `with_what_is_lacking` named; empty if it named none."""
    return message.partition(f": {_BY_NAME}")[2]


def lacking_events(subscribed: Collection[str]) -> list[str]:
    """Return the events that are not subscribed to, each with what it costs."""
    return [f"`{name}` (without it {cost})" for name, cost in EVENTS.items() if name not in subscribed]
