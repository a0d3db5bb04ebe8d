"""Which pull requests a webhook names, whether it may begin a preview, and what is wrong with a bad one."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import RequestKind
from previewbot.webhook.app_events import ListingWanted
from previewbot.webhook.events import Ignored, Trigger, parse_event
from previewbot.webhook.payload import Malformed

APP_ID = 4242
ANOTHER_APP = 15368
UPDATED = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CHECKS = ("check_run", "check_suite", "workflow_run")
ENVELOPE: dict[str, Any] = {
    "repository": {"id": 812, "full_name": "acme/shop"},
    "installation": {"id": 7},
    "sender": {"id": 1, "login": "octocat"},
}


def a_pull_request(action: str = "opened") -> dict[str, Any]:
    return {
        "action": action,
        "number": 42,
        "pull_request": {"number": 42, "updated_at": "2026-11-24T09:00:00Z"},
        **ENVELOPE,
    }


def a_comment(body: str = "/preview", action: str = "created", **comment: Any) -> dict[str, Any]:
    return {
        "action": action,
        "issue": {"number": 42, "pull_request": {"url": "https://api.github.com/repos/acme/shop/pulls/42"}},
        "comment": {"id": 99, "body": body, "performed_via_github_app": None, **comment},
        **ENVELOPE,
    }


def a_review(
    body: str | None = "/preview status", action: str = "submitted", **review: Any
) -> dict[str, Any]:
    return {
        "action": action,
        "pull_request": {"number": 42, "user": {"id": 666, "login": "mallory"}},
        "review": {"id": 77, "body": body, "state": "commented", **review},
        **ENVELOPE,
    }


def on_lines(body: str = "/preview status", action: str = "created", **comment: Any) -> dict[str, Any]:
    return {
        "action": action,
        "pull_request": {"number": 42, "user": {"id": 666, "login": "mallory"}},
        "comment": {"id": 78, "body": body, **comment},
        **ENVELOPE,
    }


REVIEWS = {"pull_request_review": a_review, "pull_request_review_comment": on_lines}


def a_check(event: str, *numbers: int, **subject: Any) -> dict[str, Any]:
    return {
        "action": "completed",
        event: {
            "id": 5,
            "app": {"id": ANOTHER_APP},
            "pull_requests": [{"id": 1_000 + number, "number": number} for number in numbers],
            **subject,
        },
        **ENVELOPE,
    }


def payloads() -> dict[str, dict[str, Any]]:
    """Return a payload of every event that is listened to; each pokes pull request 42."""
    return {
        "pull_request": a_pull_request(),
        "issue_comment": a_comment(),
        "pull_request_review": a_review(),
        "pull_request_review_comment": on_lines(),
        **{event: a_check(event, 42) for event in CHECKS},
    }


def relevant(event: str, payload: object) -> Trigger:
    about = parse_event(event, payload, app_id=APP_ID)
    assert isinstance(about, Trigger), about
    return about


def irrelevant(event: str, payload: object) -> str:
    about = parse_event(event, payload, app_id=APP_ID)
    assert isinstance(about, Ignored), about
    return about.reason


def malformed(event: str, payload: object) -> str:
    with pytest.raises(Malformed) as caught:
        parse_event(event, payload, app_id=APP_ID)
    return str(caught.value)


# What an event is about


def test_every_event_of_the_apps_manifest_is_understood() -> None:
    manifest = yaml.safe_load((Path(__file__).parents[2] / "app.yml").read_text(encoding="utf-8"))

    assert set(manifest["default_events"]) == {*payloads(), "repository"}
    for event, payload in payloads().items():
        assert relevant(event, payload).numbers == (42,)


@pytest.mark.parametrize("event", sorted(payloads()))
def test_an_event_names_its_repository_and_installation(event: str) -> None:
    about = relevant(event, payloads()[event])

    assert (about.repository_id, about.repository, about.installation_id) == (812, "acme/shop", 7)


@pytest.mark.parametrize(
    "action",
    ["opened", "reopened", "synchronize", "labeled", "unlabeled", "edited", "ready_for_review", "assigned"],
)
def test_every_action_on_a_pull_request_but_closing_it_may_begin_a_preview(action: str) -> None:
    assert relevant("pull_request", a_pull_request(action)).create


def test_closing_a_pull_request_begins_no_preview_but_is_looked_at() -> None:
    about = relevant("pull_request", a_pull_request("closed"))

    assert not about.create
    assert about.closes
    assert about.numbers == (42,)


@pytest.mark.parametrize(
    "body", ["/preview", "/preview stop", "/Preview\nplease", "\n/preview", "/preview strat"]
)
def test_a_new_comment_that_begins_with_a_command_may_begin_a_preview(body: str) -> None:
    about = relevant("issue_comment", a_comment(body))

    assert about.create
    assert about.numbers == (42,)


@pytest.mark.parametrize("body", ["", "nice work", "see /preview", "> /preview"])
def test_a_comment_without_a_command_is_ignored(body: str) -> None:
    assert irrelevant("issue_comment", a_comment(body)) == "no new command"


def test_a_command_in_a_comment_that_is_deleted_is_none() -> None:
    assert irrelevant("issue_comment", a_comment(action="deleted")) == "no new command"


def test_an_edit_that_leaves_a_command_calls_for_a_look_and_takes_no_newer_comments_place() -> None:
    """It may be a correction; whether it is obeyed is asked of GitHub."""
    about = relevant("issue_comment", a_comment(action="edited", association="MEMBER"))

    assert about.numbers == (42,) and about.create
    assert (about.comment_id, about.member_comment_id) == (0, 0)
    # It calls as the comment itself does, so that a stranger's edits cost as little as their comments.
    assert (about.urgent, about.by) == (
        relevant("issue_comment", a_comment()).urgent,
        relevant("issue_comment", a_comment()).by,
    )


def test_an_edit_that_leaves_no_command_is_ignored() -> None:
    assert irrelevant("issue_comment", a_comment("never mind", action="edited")) == "no new command"


def test_a_comment_on_an_issue_is_ignored() -> None:
    payload = a_comment()
    del payload["issue"]["pull_request"]

    assert irrelevant("issue_comment", payload) == "a comment on an issue"


@pytest.mark.parametrize("event", CHECKS)
def test_ci_is_about_every_pull_request_it_names_and_begins_no_preview(event: str) -> None:
    about = relevant(event, a_check(event, 42, 43, 7))

    assert about.numbers == (42, 43, 7)
    assert not about.create


@pytest.mark.parametrize("event", CHECKS)
@pytest.mark.parametrize("named", [[], None, [None]])
def test_ci_of_a_fork_names_no_pull_request_and_is_ignored(event: str, named: object) -> None:
    assert irrelevant(event, a_check(event, pull_requests=named)) == "names no pull request"


def test_a_pull_request_that_github_leaves_empty_among_others_is_passed_over() -> None:
    about = relevant("workflow_run", a_check("workflow_run", pull_requests=[None, {"number": 42}]))

    assert about.numbers == (42,)


@pytest.mark.parametrize("event", ["ping", "push", "deployment", "star", "status", "", "__class__"])
@pytest.mark.parametrize("payload", [{}, None, [], "text", {"pull_request": {"number": 42}}])
def test_an_event_that_nobody_asked_for_is_ignored_whatever_it_holds(event: str, payload: object) -> None:
    assert irrelevant(event, payload) == f"{event} concerns no pull request"


# What must not wait for a stranger's noise

MALLORY, ANN = {"id": 666, "login": "mallory"}, {"id": 2, "login": "ann"}


def commented(author: dict[str, Any] | None, association: str = "NONE") -> tuple[bool, int]:
    payload = a_comment(user=author, author_association=association)
    payload["issue"]["user"] = MALLORY
    about = relevant("issue_comment", payload)
    return about.urgent, about.by


def test_a_label_is_urgent_since_it_takes_rights_to_set_one() -> None:
    about = relevant("pull_request", a_pull_request("labeled"))

    assert (about.urgent, about.by) == (True, 0)


def test_the_label_of_a_bot_is_urgent_in_the_bots_name() -> None:
    bot = {"id": 41898282, "login": "github-actions[bot]", "type": "Bot"}
    about = relevant("pull_request", {**a_pull_request("labeled"), "sender": bot})

    assert (about.urgent, about.by) == (True, 41898282)


@pytest.mark.parametrize("action", ["opened", "synchronize", "edited", "reopened", "unlabeled", "closed"])
def test_what_the_author_can_do_alone_is_not(action: str) -> None:
    assert not relevant("pull_request", a_pull_request(action)).urgent


@pytest.mark.parametrize("association", ["MEMBER", "NONE", "CONTRIBUTOR", "FIRST_TIMER", ""])
def test_somebody_elses_command_is_urgent_in_their_name_and_the_authors_is_not(association: str) -> None:
    """A webhook shows a writer whose membership is private as a stranger."""
    assert commented(ANN, association) == (True, 2)
    assert commented(MALLORY, association)[0] is False


def test_the_command_of_a_deleted_account_is_not() -> None:
    assert commented(None)[0] is False


# Commands in reviews


@pytest.mark.parametrize(
    ("event", "kind", "number"),
    [
        ("pull_request_review", RequestKind.REVIEW, 77),
        ("pull_request_review_comment", RequestKind.REVIEW_COMMENT, 78),
    ],
)
def test_a_command_in_a_review_tells_its_kind_and_id(event: str, kind: RequestKind, number: int) -> None:
    about = relevant(event, REVIEWS[event](user=ANN, author_association="MEMBER"))

    assert (about.kind, about.comment_id, about.member_comment_id) == (kind, number, number)
    assert (about.create, about.urgent, about.by) == (True, True, 2)


@pytest.mark.parametrize("event", sorted(REVIEWS))
def test_the_authors_own_review_is_not_urgent(event: str) -> None:
    about = relevant(event, REVIEWS[event](user=MALLORY))

    assert (about.urgent, about.member_comment_id) == (False, 0)


@pytest.mark.parametrize("event", sorted(REVIEWS))
@pytest.mark.parametrize("body", ["", "nice work", "see /preview", "> /preview status", "```\n/preview\n```"])
def test_a_review_without_a_command_is_ignored(event: str, body: str) -> None:
    assert irrelevant(event, REVIEWS[event](body)) == "no new command"


def test_a_review_that_only_approves_has_no_body_and_is_ignored() -> None:
    assert irrelevant("pull_request_review", a_review(None, state="approved")) == "no new command"


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("pull_request_review", "dismissed"),
        ("pull_request_review_comment", "deleted"),
    ],
)
def test_a_review_counts_when_it_is_written_or_edited(event: str, action: str) -> None:
    assert irrelevant(event, REVIEWS[event](action=action)) == "no new command"


@pytest.mark.parametrize("event", sorted(REVIEWS))
def test_an_edit_of_a_review_calls_as_it_did_when_it_was_written(event: str) -> None:
    before = relevant(event, REVIEWS[event](user=ANN, author_association="MEMBER"))

    assert relevant(event, REVIEWS[event](action="edited", user=ANN, author_association="MEMBER")) == before
    assert irrelevant(event, REVIEWS[event]("never mind", action="edited")) == "no new command"


@pytest.mark.parametrize("event", sorted(REVIEWS))
def test_the_review_of_a_bot_is_ignored(event: str) -> None:
    bot = {"id": 175728472, "login": "copilot-pull-request-reviewer[bot]", "type": "Bot"}

    assert irrelevant(event, REVIEWS[event](user=bot)) == "a bot's review"


@pytest.mark.parametrize("event", sorted(REVIEWS))
def test_the_review_of_a_deleted_account_calls_for_nobody(event: str) -> None:
    assert relevant(event, REVIEWS[event](user=None)).urgent is False


# What our own App caused


def test_our_own_comment_is_ignored_even_if_it_reads_like_a_command() -> None:
    payload = a_comment(performed_via_github_app={"id": APP_ID})

    assert irrelevant("issue_comment", payload) == "our own comment"


VERDICT = f"<!-- previewbot verdict says=good sha={'a' * 40} path=/ -->\n**Looks good**"
OURS = {"id": APP_ID}
REVIEWER = {"id": 5, "login": "rita", "type": "User"}
OF_BOB = {"issue": {"number": 42, "pull_request": {"url": "…"}, "user": {"id": 666, "login": "bob"}}}


@pytest.mark.parametrize("body", [VERDICT, "/preview stop", "hello"])
@pytest.mark.parametrize("action", ["created", "edited", "deleted"])
def test_what_a_person_writes_through_our_app_is_looked_at_and_begins_nothing(body: str, action: str) -> None:
    payload = a_comment(body, action, performed_via_github_app=OURS, user=REVIEWER) | OF_BOB
    payload["sender"] = REVIEWER

    about = relevant("issue_comment", payload)

    assert (about.numbers, about.create, about.urgent, about.by) == ((42,), False, True, 5)
    assert about.comment_id == (99 if action == "created" else 0)


@pytest.mark.parametrize("action", ["edited", "deleted"])
def test_whoever_edits_or_deletes_anothers_verdict_calls_for_the_look(action: str) -> None:
    payload = a_comment(VERDICT, action, performed_via_github_app=None, user=REVIEWER) | OF_BOB
    payload["sender"] = {"id": 7, "login": "wanda", "type": "User"}

    about = relevant("issue_comment", payload)

    assert (about.create, about.urgent, about.by) == (False, True, 7)


def test_a_verdict_of_which_the_marker_was_taken_out_is_looked_at() -> None:
    payload = a_comment("hello", "edited", user=REVIEWER) | {"changes": {"body": {"from": VERDICT}}}

    assert relevant("issue_comment", payload).create is False


def test_the_authors_own_edit_of_a_verdict_is_the_authors_noise() -> None:
    payload = a_comment(VERDICT, "edited", user=REVIEWER) | OF_BOB
    payload["sender"] = {"id": 666, "login": "bob", "type": "User"}

    assert relevant("issue_comment", payload).urgent is False


@pytest.mark.parametrize("app", [OURS, {"id": ANOTHER_APP}, None])
def test_a_bot_gives_no_verdict(app: object) -> None:
    bot = {"id": 9, "login": "helper[bot]", "type": "Bot"}

    assert irrelevant("issue_comment", a_comment(VERDICT, performed_via_github_app=app, user=bot))


def test_that_a_verdict_was_pinned_changes_nothing() -> None:
    payload = a_comment(VERDICT, "pinned", performed_via_github_app=OURS, user=REVIEWER)

    assert irrelevant("issue_comment", payload) == "nothing happened to a verdict"


@pytest.mark.parametrize("app", [None, {"id": ANOTHER_APP}, {"id": None}])
def test_a_comment_by_a_person_or_another_app_is_heard(app: object) -> None:
    assert relevant("issue_comment", a_comment(performed_via_github_app=app)).comment_id == 99


def test_a_comment_of_a_server_that_does_not_tell_the_app_is_heard() -> None:
    payload = a_comment()
    del payload["comment"]["performed_via_github_app"]

    assert relevant("issue_comment", payload).comment_id == 99


@pytest.mark.parametrize(
    ("association", "told"),
    [
        ("OWNER", 99),
        ("MEMBER", 99),
        ("COLLABORATOR", 99),
        ("CONTRIBUTOR", 0),
        ("NONE", 0),
        (None, 0),
        ([], 0),
    ],
)
def test_a_members_command_is_told_apart_from_a_strangers(association: object, told: int) -> None:
    about = relevant("issue_comment", a_comment(author_association=association))

    assert (about.comment_id, about.member_comment_id) == (99, told)


@pytest.mark.parametrize("event", ["check_run", "check_suite"])
def test_our_own_check_is_ignored(event: str) -> None:
    assert irrelevant(event, a_check(event, 42, app={"id": APP_ID})) == "our own check"


@pytest.mark.parametrize("event", ["check_run", "check_suite"])
@pytest.mark.parametrize("app", [None, {"id": ANOTHER_APP}, {"id": None}])
def test_a_check_of_another_app_is_looked_at(event: str, app: object) -> None:
    assert relevant(event, a_check(event, 42, app=app)).numbers == (42,)


# What GitHub must show at least


def test_a_pull_request_says_how_new_githubs_answer_must_be() -> None:
    about = relevant("pull_request", a_pull_request())

    assert (about.updated_at, about.comment_id) == (UPDATED, 0)


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    payload = a_pull_request()
    payload["pull_request"]["updated_at"] = "2026-11-24T11:00:00+02:00"

    about = relevant("pull_request", payload)

    assert about.updated_at == UPDATED.astimezone(timezone(timedelta(hours=2)))


def test_a_comment_says_which_comment_github_must_show() -> None:
    about = relevant("issue_comment", a_comment(id=2**40))

    assert (about.updated_at, about.comment_id) == (None, 2**40)


@pytest.mark.parametrize("event", CHECKS)
def test_ci_says_nothing_about_how_new_the_answer_must_be(event: str) -> None:
    about = relevant(event, a_check(event, 42))

    assert (about.updated_at, about.comment_id) == (None, 0)


# What is no payload of GitHub's


@pytest.mark.parametrize("payload", [None, [], "text", 1, True])
@pytest.mark.parametrize("event", sorted(payloads()))
def test_a_payload_that_is_no_object_is_told_so(event: str, payload: object) -> None:
    assert malformed(event, payload) == "the payload is not a JSON object"


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ("pull_request", "action"),
        ("pull_request", "pull_request"),
        ("pull_request", "pull_request.number"),
        ("pull_request", "pull_request.updated_at"),
        ("pull_request", "repository"),
        ("pull_request", "repository.id"),
        ("pull_request", "repository.full_name"),
        ("pull_request", "installation.id"),
        ("issue_comment", "action"),
        ("issue_comment", "issue"),
        ("issue_comment", "issue.number"),
        ("issue_comment", "comment"),
        ("issue_comment", "comment.id"),
        ("issue_comment", "comment.body"),
        ("pull_request_review", "review.id"),
        ("pull_request_review", "review.body"),
        ("pull_request_review", "pull_request.number"),
        ("pull_request_review_comment", "comment.id"),
        ("pull_request_review_comment", "comment.body"),
        *((event, event) for event in CHECKS),
        *((event, f"{event}.pull_requests") for event in CHECKS),
    ],
)
def test_what_is_missing_or_of_another_type_is_named(event: str, path: str) -> None:
    *parents, key = path.split(".")
    payload = copy.deepcopy(payloads()[event])
    holder = payload
    for parent in parents:
        holder = holder[parent]

    for wrong in (17.5, True, {"a": 1} if isinstance(holder[key], str | int) else "text"):
        holder[key] = wrong
        assert malformed(event, payload).startswith(f"`{path}` is ")
    del holder[key]
    assert malformed(event, payload) == f"`{path}` is missing"


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**400, "42", 42.0, None])
def test_what_is_no_number_of_githubs_is_told_so(number: object) -> None:
    payload = a_pull_request()
    payload["pull_request"]["number"] = number

    assert malformed("pull_request", payload) == "`pull_request.number` is no number of GitHub's"


@pytest.mark.parametrize("number", [1, 2**63 - 1])
def test_every_number_that_a_preview_can_hold_is_taken(number: int) -> None:
    payload = a_pull_request()
    payload["pull_request"]["number"] = number

    assert relevant("pull_request", payload).numbers == (number,)


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-11-24T09:00:00", "2026-11-24"])
def test_a_time_without_its_zone_is_told_so(moment: str) -> None:
    payload = a_pull_request()
    payload["pull_request"]["updated_at"] = moment

    assert malformed("pull_request", payload) == "`pull_request.updated_at` is not a time with its zone"


@pytest.mark.parametrize(
    "name", ["", "shop", "/", "acme/", "/shop", "a/b/c", "acme/shop\n", "ac me/x", "\ud800/x"]
)
def test_what_is_no_repositorys_name_is_told_so(name: str) -> None:
    payload = a_pull_request()
    payload["repository"] = {"id": 812, "full_name": name}

    assert malformed("pull_request", payload) == "`repository.full_name` is not owner/name"


def test_one_wrong_pull_request_among_several_is_named_by_its_place() -> None:
    payload = a_check("check_run", pull_requests=[{"number": 42}, {"number": "x"}, 5])

    assert malformed("check_run", payload).startswith("`check_run.pull_requests[1].number` is ")


def test_a_webhook_that_was_set_up_in_a_repository_is_told_where_it_belongs() -> None:
    payload = a_pull_request()
    del payload["installation"]

    assert malformed("pull_request", payload) == (
        "`installation` is missing: the webhook belongs into the App, not into a repository"
    )


_KEYS = sorted(
    {
        "action", "app", "author_association", "body", "comment", "full_name", "id", "installation", "issue",
        "number", "performed_via_github_app", "pull_request", "pull_requests", "repository", "updated_at",
        "user", *CHECKS,
    }
)  # fmt: skip
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["opened", "closed", "created", "/preview", "acme/shop", "2026-11-24T09:00:00Z", 42])
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=30,
)


def is_sound(event: str, payload: object) -> bool:
    """Understand a payload, and check whatever comes of it; return whether a pull request did."""
    try:
        about = parse_event(event, payload, app_id=APP_ID)
    except Malformed as error:
        assert str(error).isprintable()
        return False
    if isinstance(about, Ignored | ListingWanted):
        return False
    assert about.numbers
    for number in (*about.numbers, about.repository_id, about.installation_id):
        assert 0 < number < 2**63
    assert about.updated_at is None or about.updated_at.tzinfo is not None
    return True


@given(event=st.sampled_from(sorted(payloads())), payload=_JSON)
def test_no_json_is_anything_but_understood_or_malformed(event: str, payload: object) -> None:
    is_sound(event, payload)


@given(data=st.data(), event=st.sampled_from(sorted(payloads())))
def test_no_change_of_a_good_payload_is_anything_but_understood_or_malformed(
    data: st.DataObject, event: str
) -> None:
    payload = copy.deepcopy(payloads()[event])
    holder: Any = payload
    while True:
        key = data.draw(st.sampled_from(sorted(holder)) if isinstance(holder, dict) else st.just(0))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.booleans()):
            break
        holder = holder[key]
    holder[key] = data.draw(_JSON)

    is_sound(event, payload)


@pytest.mark.parametrize("event", sorted(payloads()))
def test_a_good_payload_is_understood_whatever_else_github_adds_to_it(event: str) -> None:
    payload = payloads()[event] | {"organization": {"id": 9}, "enterprise": None, "changes": []}

    assert is_sound(event, json.loads(json.dumps(payload)))
