"""A place that takes nothing is asked once an hour for a whole repository, and told of once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from previewbot.api import Refusal, Report, Status
from previewbot.reconciler.closed_places import ClosedPlaces
from previewbot.reconciler.plan.places import CLOSED_FOR, exceptions_in_words, is_closed, key_of_place
from previewbot.reconciler.reporters import GITHUB_REPORTERS
from previewbot.rules.app_rights import OPTIONAL_PLACES, PERMISSIONS, with_what_is_lacking
from tests.support.previews import NOW, a_preview

SPEC = a_preview().spec
ANOTHER = replace(SPEC, number=43)
ELSEWHERE = replace(SPEC, repository_id=SPEC.repository_id + 1, repository="acme/other")
NOT_GRANTED = "Resource not accessible by integration"
REFUSED = Refusal(hash="", at=NOW, status=403, message=NOT_GRANTED)


def test_what_one_preview_was_refused_keeps_each_of_the_repository_from_asking_for_an_hour() -> None:
    places = ClosedPlaces()
    places.close(SPEC, "check", REFUSED)

    assert places.refusal(ANOTHER, "check", None, NOW) == REFUSED
    assert places.refusal(ANOTHER, "deployments", None, NOW) is None
    assert places.refusal(ELSEWHERE, "check", None, NOW) is None
    assert places.refusal(ANOTHER, "check", None, NOW + CLOSED_FOR) is None


def test_after_a_restart_a_preview_goes_by_what_it_knows_itself_until_another_was_let_in() -> None:
    places, later = ClosedPlaces(), NOW + timedelta(minutes=5)
    assert places.refusal(SPEC, "check", REFUSED, later) == REFUSED

    places.open(ANOTHER, "check", later)
    assert places.refusal(SPEC, "check", REFUSED, later) is None

    again = replace(REFUSED, at=later + timedelta(minutes=5))
    places.close(SPEC, "check", again)
    assert places.refusal(ANOTHER, "check", None, again.at) == again


def test_it_is_said_once_for_each_installation_place_and_hour() -> None:
    places = ClosedPlaces()
    later = replace(REFUSED, at=NOW + CLOSED_FOR)

    said = [
        places.close(spec, place, refusal)
        for spec, place, refusal in (
            (SPEC, "check", REFUSED),
            (ELSEWHERE, "check", REFUSED),
            (SPEC, "deployments", REFUSED),
            (replace(SPEC, installation_id=SPEC.installation_id + 1), "check", REFUSED),
            (SPEC, "check", later),
        )
    ]

    assert said == [True, False, True, True, True]


@pytest.mark.parametrize(
    ("key", "status", "message", "words"),
    [
        (
            "check/*",
            403,
            NOT_GRANTED,
            "There is no check `preview`: the App was not granted `checks: write`. Whoever owns the App adds "
            "that to it, and an owner of acme accepts it; it is tried again once an hour.",
        ),
        (
            "deployments/*",
            403,
            with_what_is_lacking(NOT_GRANTED, "actions=read"),
            "There are no deployments: the App was not granted `actions: read`. Whoever owns the App adds "
            "that to it, and an owner of acme accepts it; it is tried again once an hour.",
        ),
        (
            "deployments/*",
            404,
            "Not Found",
            "There are no deployments: GitHub answers 404 as if there were no such address. Either this "
            "Enterprise Server does not have it, or the App does not reach the repository any more; it is "
            "tried again once an hour.",
        ),
        ("check/abc", 422, "No commit found", "The check was refused: No commit found."),
        ("comment", 403, "locked", ""),
    ],
)
def test_a_preview_says_in_a_sentence_what_is_not_told_and_who_changes_that(
    key: str, status: int, message: str, words: str
) -> None:
    refusal = Refusal(hash="", at=NOW, status=status, message=message)

    assert exceptions_in_words(Status(reports={key: Report(refusal=refusal)}), "acme") == words


def test_each_place_that_is_optional_has_its_words_and_its_permission() -> None:
    optional = {reporter.name for reporter in GITHUB_REPORTERS if reporter.optional}

    assert set(OPTIONAL_PLACES) == optional
    assert {PERMISSIONS[place.permission].level for place in OPTIONAL_PLACES.values()} == {"write"}


def test_what_is_noted_of_a_place_is_of_each_of_its_commits_and_of_no_other_place() -> None:
    status = Status(reports={key_of_place("check"): Report(refusal=REFUSED)})

    keys = ("check", "check/abc", "deployments/abc", "comment")
    assert [key for key in keys if is_closed(status, key)] == ["check", "check/abc"]
