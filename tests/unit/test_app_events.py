"""What GitHub tells of the App itself: who installed it, and what became of the repositories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from previewbot.webhook.app_events import ACTIONS, ListingWanted
from previewbot.webhook.events import Ignored, Trigger, parse_event

OWNER = {"login": "acme", "id": 1001, "type": "Organization"}
INSTALLATION = {"id": 7, "account": OWNER}
REPOSITORY = {"id": 812, "full_name": "acme/shop", "owner": OWNER}


def payload(event: str, action: str) -> dict[str, Any]:
    """Return what GitHub documents of an event, as far as it is looked at."""
    about: dict[str, dict[str, Any]] = {
        "installation": {"installation": INSTALLATION, "repositories": [{"id": 812}]},
        "installation_repositories": {"installation": INSTALLATION, "repositories_added": [{"id": 812}]},
        "installation_target": {"account": OWNER, "changes": {"login": {"from": "acme-old"}}},
        "repository": {"repository": dict(REPOSITORY), "installation": {"id": 7}},
    }
    return {"action": action, **about[event]}


def parsed(event: str, about: object) -> Trigger | ListingWanted | Ignored:
    return parse_event(event, about, app_id=4242)


@pytest.mark.parametrize(
    ("event", "action"), [(e, a) for e, actions in ACTIONS.items() for a in sorted(actions)]
)
def test_what_may_begin_end_or_move_previews_asks_for_a_listing(event: str, action: str) -> None:
    wanted = parsed(event, payload(event, action))

    assert isinstance(wanted, ListingWanted)
    assert "acme" in wanted.accounts
    assert wanted.why == f"{event} {action}"


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("repository", "created"),
        ("installation", "starred"),
        ("installation_target", ""),
        ("repository", None),
    ],
)
def test_what_changes_nothing_for_previews_is_ignored(event: str, action: Any) -> None:
    assert parsed(event, payload(event, action)) == Ignored(f"this {event} changes nothing for previews")


def test_whose_a_transferred_repository_was_is_named_too() -> None:
    about = payload("repository", "transferred")
    about["repository"]["owner"] = {"login": "elsewhere"}
    about["changes"] = {"owner": {"from": {"organization": {"login": "acme"}}}}

    wanted = parsed("repository", about)

    assert isinstance(wanted, ListingWanted)
    assert wanted.accounts == ("elsewhere", "acme")


@pytest.mark.parametrize("spoilt", [None, [], "text", 7, {}, {"action": ["created"]}, {"action": "created"}])
def test_whatever_it_holds_nothing_is_raised(spoilt: object) -> None:
    assert isinstance(parsed("installation", spoilt), Ignored | ListingWanted)


def test_the_manifest_subscribes_to_what_github_does_not_send_by_itself() -> None:
    manifest = yaml.safe_load((Path(__file__).parents[2] / "app.yml").read_text(encoding="utf-8"))

    assert "repository" in manifest["default_events"]


# CI of forks


@pytest.mark.parametrize("event", ["check_run", "check_suite", "workflow_run"])
def test_ci_in_a_fork_is_not_about_the_forks_own_pull_request_of_that_number(event: str) -> None:
    of_parent = {"number": 42, "base": {"repo": {"id": 812}}, "head": {"repo": {"id": 99}}}
    of_fork = {"number": 7, "base": {"repo": {"id": 99}}, "head": {"repo": {"id": 99}}}
    about = {
        "action": "completed",
        event: {"app": {"id": 15368}, "pull_requests": [of_parent, of_fork]},
        "repository": {"id": 99, "full_name": "bob/shop"},
        "installation": {"id": 8},
    }
    both = parsed(event, about)
    assert isinstance(both, Trigger)
    assert both.numbers == (7,)

    about[event] = {"app": {"id": 15368}, "pull_requests": [of_parent]}
    assert isinstance(parsed(event, about), Ignored)
