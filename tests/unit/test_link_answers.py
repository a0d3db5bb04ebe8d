"""What the answer to a link says of it: a table, and what must hold of any answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Proven, Reason, Why
from previewbot.rules.guard_refusals import refusal_in
from previewbot.rules.link_answers import (
    FROM_A_SESSION,
    FROM_STAGING,
    Answer,
    Answers,
    Asked,
    is_refusal,
    pause,
    reason_of,
    repeats,
    verdict_of,
    wants_staging,
)

KEY, OTHER = "p0123456789-shop-42", "p0123456789-shop-4"
PAGES = "previews.example.com"
ENTRY = Asked(KEY, entry="web", pages=PAGES)
BEHIND = Asked(KEY, behind=("pricing",), pages=PAGES)
CHECKED = replace(BEHIND, checks={"pricing": "/api/pricing/baggage"})

STAGING = Answer(200, agents=(FROM_STAGING,))
OURS = Answer(200, agents=(FROM_A_SESSION,), keys=(KEY,))
THEIRS = Answer(200, agents=(FROM_A_SESSION,), keys=(OTHER,))
PLAIN = Answer(200)

YES, NO, UNKNOWN = Proven.YES, Proven.NO, Proven.UNKNOWN


def said(asked: Asked, link: Answer, staging: Answer | None = None, **checks: Answer) -> tuple[Proven, Why]:
    verdict = verdict_of(asked, Answers(link, checks, staging))
    return verdict.proven, verdict.why


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (OURS, (YES, Why.THIS_PREVIEW)),
        (Answer(200, agents=(FROM_A_SESSION,)), (YES, Why.THIS_PREVIEW)),
        (Answer(200, keys=(KEY,)), (YES, Why.THIS_PREVIEW)),
        (replace(OURS, status=500), (YES, Why.THIS_PREVIEW)),
        (replace(OURS, status=404), (YES, Why.THIS_PREVIEW)),
        (replace(OURS, status=302, leads_to="login.example.com"), (YES, Why.THIS_PREVIEW)),
        (STAGING, (NO, Why.STAGING)),
        (replace(STAGING, status=302, leads_to="login.example.com"), (NO, Why.STAGING)),
        (replace(STAGING, status=500), (NO, Why.STAGING)),
        (replace(STAGING, keys=(KEY,)), (NO, Why.STAGING)),
        (THEIRS, (NO, Why.ANOTHER_SESSION)),
        (Answer(200, keys=(OTHER,)), (NO, Why.ANOTHER_SESSION)),
        (Answer(200, agents=(FROM_STAGING, FROM_A_SESSION)), (UNKNOWN, Why.SEVERAL_MARKS)),
        (Answer(200, agents=(FROM_STAGING, FROM_A_SESSION), keys=(KEY,)), (UNKNOWN, Why.SEVERAL_MARKS)),
        (Answer(200, agents=("a-mark-of-a-later-version",)), (UNKNOWN, Why.SEVERAL_MARKS)),
        (PLAIN, (UNKNOWN, Why.NO_MARK)),
        (Answer(404), (UNKNOWN, Why.NO_MARK)),
        (Answer(400), (UNKNOWN, Why.NO_MARK)),
        (Answer(302), (UNKNOWN, Why.NO_MARK)),
    ],
)
def test_at_the_entry_of_this_preview_the_mark_says_who_answered(
    link: Answer, expected: tuple[Proven, Why]
) -> None:
    assert said(ENTRY, link) == expected


@pytest.mark.parametrize("link", [STAGING, OURS, THEIRS, PLAIN, Answer(200, agents=(FROM_A_SESSION,))])
def test_behind_the_entry_the_mark_says_nothing_of_this_preview(link: Answer) -> None:
    verdict = verdict_of(BEHIND, Answers(link))

    assert (verdict.proven, verdict.why) == (UNKNOWN, Why.BEHIND_THE_ENTRY)
    assert verdict.unchecked == ("pricing",)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (Answer(200, body=f"mirrord-session={KEY}"), (YES, Why.PASSED_ON)),
        (Answer(200, body='{"baggage": ""}'), (NO, Why.NOT_PASSED_ON)),
        (Answer(200, body=f"mirrord-session={OTHER}"), (NO, Why.NOT_PASSED_ON)),
        (Answer(200, body=f"<link href='https://{KEY}.preview.example.com/'>"), (NO, Why.NOT_PASSED_ON)),
        (Answer(204), (NO, Why.NOT_PASSED_ON)),
        (Answer(404, body=f"mirrord-session={KEY}"), (UNKNOWN, Why.CHECK_REFUSED)),
        (Answer(503), (UNKNOWN, Why.CHECK_REFUSED)),
        (Answer(302, leads_to="login.example.com"), (UNKNOWN, Why.CHECK_REFUSED)),
        (Answer(failure=Why.TOO_LATE), (UNKNOWN, Why.CHECK_REFUSED)),
    ],
)
def test_a_check_proves_that_the_header_gets_there(check: Answer, expected: tuple[Proven, Why]) -> None:
    assert said(CHECKED, STAGING, pricing=check) == expected


@pytest.mark.parametrize(
    ("link", "staging", "expected"),
    [
        (Answer(502), PLAIN, (NO, Why.ONLY_THE_LINK)),
        (Answer(502), Answer(403), (NO, Why.ONLY_THE_LINK)),
        (Answer(502), Answer(404), (NO, Why.STATUS)),
        (Answer(502), Answer(failure=Why.CERTIFICATE), (NO, Why.STATUS)),
        (Answer(502), Answer(503), (NO, Why.STAGING_TOO)),
        (Answer(502), None, (NO, Why.STATUS)),
        (Answer(404), PLAIN, (NO, Why.ONLY_THE_LINK)),
        (Answer(410), Answer(301), (NO, Why.ONLY_THE_LINK)),
        (Answer(302, leads_to=PAGES), None, (NO, Why.OWN_PAGE)),
        (Answer(failure=Why.NO_NAME), None, (NO, Why.NO_NAME)),
        (Answer(failure=Why.NO_CONNECTION), None, (NO, Why.NO_CONNECTION)),
        (Answer(failure=Why.TOO_LATE), None, (NO, Why.TOO_LATE)),
        (Answer(failure=Why.CERTIFICATE), None, (NO, Why.CERTIFICATE)),
        (Answer(failure=Why.NO_HTTP), None, (NO, Why.NO_HTTP)),
        (Answer(failure=Why.UNKNOWN_AUTHORITY), None, (UNKNOWN, Why.UNKNOWN_AUTHORITY)),
        (Answer(401), None, (UNKNOWN, Why.SIGN_IN)),
        (Answer(403), None, (UNKNOWN, Why.SIGN_IN)),
        (Answer(302, leads_to="login.example.com"), None, (UNKNOWN, Why.SIGN_IN)),
    ],
)
@pytest.mark.parametrize("asked", [ENTRY, BEHIND], ids=["at the entry", "behind it"])
def test_without_a_mark_an_error_is_told_from_a_sign_in_and_from_staging_s_own(
    asked: Asked, link: Answer, staging: Answer | None, expected: tuple[Proven, Why]
) -> None:
    assert said(asked, link, staging) == expected


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("staging", [None, Answer(404), Answer(failure=Why.TOO_LATE)])
@pytest.mark.parametrize("asked", [ENTRY, BEHIND], ids=["at the entry", "behind it"])
def test_a_page_that_is_not_there_is_the_gateway_s_answer_while_it_may_not_follow_the_route(
    asked: Asked, staging: Answer | None, status: int
) -> None:
    """Each says 404 for a host that it does not know (yet)."""
    verdict = verdict_of(asked, Answers(Answer(status), staging=staging, early=True))

    assert (verdict.proven, verdict.why, verdict.answered) == (NO, Why.STATUS, status)


@pytest.mark.parametrize("link", [PLAIN, OURS, replace(OURS, status=404), Answer(401), STAGING])
def test_what_no_gateway_says_of_a_host_that_it_does_not_know_is_no_other_answer_early(link: Answer) -> None:
    late, early = verdict_of(ENTRY, Answers(link)), verdict_of(ENTRY, Answers(link, early=True))

    assert early == late


AT_STAGING = Answer(302, leads_to="staging.example.com")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("agents", [(), (FROM_A_SESSION,), (FROM_STAGING,)])
@pytest.mark.parametrize("asked", [ENTRY, BEHIND, CHECKED], ids=["at the entry", "behind it", "with a check"])
def test_whoever_sends_readers_to_staging_s_own_address_sends_them_away_from_the_change(
    asked: Asked, agents: tuple[str, ...], status: int
) -> None:
    answer = replace(AT_STAGING, status=status, agents=agents)
    passed = Answer(200, body=f"mirrord-session={KEY}")
    asked = replace(asked, staging="staging.example.com")

    assert said(asked, answer, pricing=passed) == (NO, Why.LEADS_TO_STAGING)


def test_a_sign_in_at_staging_s_address_that_leads_back_is_a_sign_in() -> None:
    asked = replace(ENTRY, staging="staging.example.com")

    assert said(asked, replace(AT_STAGING, comes_back=True)) == (UNKNOWN, Why.SIGN_IN)
    assert said(asked, replace(AT_STAGING, leads_to="login.example.com")) == (UNKNOWN, Why.SIGN_IN)
    assert said(asked, replace(AT_STAGING, status=200)) == (UNKNOWN, Why.NO_MARK)


@pytest.mark.parametrize(
    "staging", [None, Answer(404), Answer(500), Answer(403), Answer(failure=Why.NO_HTTP)]
)
def test_a_page_that_staging_does_not_show_either_is_no_fault_of_the_link(staging: Answer | None) -> None:
    assert said(ENTRY, Answer(404), staging) == (UNKNOWN, Why.NO_MARK)


def test_each_check_counts_for_its_own_service() -> None:
    asked = Asked(
        KEY, entry="web", behind=("cart", "pricing", "mail"), checks={"cart": "/c", "pricing": "/p"}
    )
    passed = Answer(200, body=f'{{"baggage": "a=b,mirrord-session={KEY}"}}')

    good = verdict_of(asked, Answers(OURS, {"cart": passed, "pricing": passed}))
    assert (good.proven, good.why, good.unchecked) == (UNKNOWN, Why.BEHIND_THE_ENTRY, ("mail",))

    bad = verdict_of(asked, Answers(OURS, {"cart": passed, "pricing": Answer(200)}))
    assert (bad.proven, bad.why, bad.services) == (NO, Why.NOT_PASSED_ON, ("pricing",))
    assert bad.unchecked == ("pricing", "mail")

    all_of_it = verdict_of(replace(asked, behind=("cart",)), Answers(OURS, {"cart": passed}))
    assert (all_of_it.proven, all_of_it.services) == (YES, ("web",))


def test_of_what_takes_no_requests_nothing_is_to_be_proven() -> None:
    assert said(Asked(KEY), PLAIN) == (UNKNOWN, Why.BEHIND_THE_ENTRY)
    assert said(Asked(KEY), Answer(502)) == (NO, Why.STATUS)


def test_a_check_at_the_entry_itself_tells_only_against_it() -> None:
    asked = replace(ENTRY, checks={"web": "/baggage"})
    passed = Answer(200, body=f"mirrord-session={KEY}")

    # Staging's front end receives the header as well.
    assert said(asked, STAGING, web=passed) == (NO, Why.STAGING)
    assert said(asked, PLAIN, web=passed) == (UNKNOWN, Why.NO_MARK)
    assert said(asked, OURS, web=Answer(404)) == (YES, Why.THIS_PREVIEW)
    assert said(asked, PLAIN, web=Answer(200)) == (NO, Why.NOT_PASSED_ON)


@pytest.mark.parametrize(
    ("why", "reason"),
    [
        (Why.STAGING, Reason.LINK_SHOWS_STAGING),
        (Why.ANOTHER_SESSION, Reason.LINK_SHOWS_STAGING),
        (Why.NOT_PASSED_ON, Reason.LINK_SHOWS_STAGING),
        (Why.STATUS, Reason.LINK_UNANSWERED),
        (Why.STAGING_TOO, Reason.LINK_UNANSWERED),
        (Why.OWN_PAGE, Reason.LINK_UNANSWERED),
        (Why.TOO_LATE, Reason.LINK_UNANSWERED),
    ],
)
def test_a_link_that_is_no_good_has_a_reason(why: Why, reason: Reason) -> None:
    assert reason_of(why) is reason


@pytest.mark.parametrize(
    "body",
    [
        f"mirrord-session={KEY}",
        f'{{"baggage":"user=7,mirrord-session={KEY},a=b"}}',
        rf'{{"baggage":"mirrord-session\u003d{KEY}"}}',
        f"<p>mirrord-session&#x3D;{KEY}</p>",
        f"mirrord-session%3D{KEY}",
        f"mirrord-session={OTHER}, mirrord-session={KEY};x",
    ],
)
def test_the_key_is_found_as_pages_and_documents_write_it(body: str) -> None:
    assert repeats(body, KEY)


@pytest.mark.parametrize(
    "body", ["", KEY, f"session={KEY}", f"mirrord-session={OTHER}", f"mirrord-session={KEY}0", f"x={KEY}"]
)
def test_nothing_else_is_taken_for_it(body: str) -> None:
    assert not repeats(body, KEY)


ANSWERS = st.builds(
    Answer,
    status=st.sampled_from([0, 200, 204, 301, 302, 401, 403, 404, 410, 500, 502, 503]),
    agents=st.lists(st.sampled_from([FROM_STAGING, FROM_A_SESSION, "x"]), max_size=2, unique=True).map(tuple),
    keys=st.lists(st.sampled_from([KEY, OTHER]), max_size=2, unique=True).map(tuple),
    leads_to=st.sampled_from(["", PAGES, "login.example.com"]),
    body=st.sampled_from(["", f"mirrord-session={KEY}", f"mirrord-session={OTHER}"]),
    failure=st.sampled_from([None, None, None, Why.TOO_LATE, Why.UNKNOWN_AUTHORITY]),
)


GUARDED = replace(ENTRY, guarded=True)
REFUSED = Answer(401, from_guard=True)


@pytest.mark.parametrize(
    ("stranger", "refused", "expected"),
    [
        (REFUSED, True, None),
        (Answer(403, from_guard=True), True, None),
        (Answer(302, leads_to=PAGES, leads_to_path="/enter", comes_back=True), True, None),
        # Whoever wrote these, the request got to a service.
        (replace(REFUSED, agents=(FROM_A_SESSION,)), False, (NO, Why.UNGUARDED)),
        (Answer(200, from_guard=True), False, (NO, Why.UNGUARDED)),
        (OURS, False, (NO, Why.UNGUARDED)),
        (replace(OURS, status=500), False, (NO, Why.UNGUARDED)),
        (replace(OURS, status=403), False, (NO, Why.UNGUARDED)),
        (STAGING, False, (NO, Why.UNGUARDED)),
        (PLAIN, False, (NO, Why.UNGUARDED)),
        (Answer(404), False, (NO, Why.UNGUARDED)),
        # Envoy's own word where it does not get to the guard, or the preview's: it is closed.
        (Answer(401), False, (NO, Why.GUARD_UNSEEN)),
        (Answer(403), False, (NO, Why.GUARD_UNSEEN)),
        (Answer(302, leads_to="login.example.com", comes_back=True), False, (NO, Why.UNGUARDED)),
        (Answer(302, leads_to=PAGES, leads_to_path="/p/812/42"), False, (NO, Why.OWN_PAGE)),
        (Answer(503), False, (NO, Why.GUARD_UNSEEN)),
        (Answer(failure=Why.NO_NAME), False, (NO, Why.NO_NAME)),
        # Also where nobody knows who answered.
        (Answer(failure=Why.UNKNOWN_AUTHORITY), False, (NO, Why.UNKNOWN_AUTHORITY)),
    ],
)
def test_a_link_before_which_the_guard_is_not_seen_is_never_announced(
    stranger: Answer, refused: bool, expected: tuple[Proven, Why] | None
) -> None:
    assert is_refusal(GUARDED, stranger) is refused
    if expected is not None:
        verdict = verdict_of(GUARDED, Answers(stranger, unguarded=True))
        assert (verdict.proven, verdict.why) == expected
        assert reason_of(verdict.why) is Reason.LINK_UNANSWERED


def test_past_the_guard_a_link_says_what_it_says_without_one() -> None:
    assert said(GUARDED, OURS) == (YES, Why.THIS_PREVIEW)
    assert said(GUARDED, STAGING) == (NO, Why.STAGING)
    assert said(GUARDED, Answer(401)) == (UNKNOWN, Why.SIGN_IN)
    for status in (404, 503):
        early = verdict_of(GUARDED, Answers(Answer(status), unguarded=True, early=True))
        assert (early.proven, early.why) == (NO, Why.STATUS)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("refused", Why.GUARD_SEES_NO_BEARER),
        ("wrong-bearer", Why.GUARD_REFUSES_US),
        ("ended", Why.GUARD_REFUSES_US),
        ("misdirected", Why.GUARD_MISDIRECTED),
        ("unusable", Why.GUARD_WITHOUT_KEYS),
        # Of a newer version.
        ("something else", Why.GUARD_REFUSES_US),
        (" Misdirected more=1", Why.GUARD_MISDIRECTED),
    ],
)
def test_where_the_guard_refuses_our_own_bearer_its_answer_says_what_is_wrong(header: str, why: Why) -> None:
    assert said(GUARDED, replace(REFUSED, refusal=refusal_in(header))) == (NO, why)


@given(link=ANSWERS, staging=st.none() | ANSWERS, check=ANSWERS)
def test_nothing_is_proven_of_an_entry_without_the_mark_of_a_session(
    link: Answer, staging: Answer | None, check: Answer
) -> None:
    verdict = verdict_of(ENTRY, Answers(link, {"web": check}, staging))

    if verdict.proven is YES:
        assert FROM_A_SESSION in link.agents or KEY in link.keys
        assert KEY in link.keys or not link.keys
    if FROM_STAGING in link.agents and FROM_A_SESSION not in link.agents:
        assert verdict.proven is NO
        assert reason_of(verdict.why) is Reason.LINK_SHOWS_STAGING


@given(link=ANSWERS, staging=st.none() | ANSWERS, check=ANSWERS)
def test_behind_the_entry_only_a_check_proves_anything(
    link: Answer, staging: Answer | None, check: Answer
) -> None:
    unmarked = replace(link, agents=(), keys=())
    assert verdict_of(BEHIND, Answers(link, {}, staging)).proven is not YES
    if not link.status >= 500 and link.status not in (404, 410):
        assert said(CHECKED, link, staging, pricing=check) == said(CHECKED, unmarked, staging, pricing=check)


@given(link=ANSWERS)
def test_staging_is_asked_only_where_an_error_or_a_missing_page_is_to_be_explained(link: Answer) -> None:
    if wants_staging(ENTRY, link) or wants_staging(BEHIND, link):
        assert link.status >= 500 or link.status in (404, 410)


SINCE = datetime(2026, 11, 24, 9, tzinfo=UTC)
DEADLINE = timedelta(minutes=5)


def test_the_pauses_grow_and_one_question_falls_on_the_deadline() -> None:
    now, pauses = SINCE, []
    while now - SINCE < DEADLINE:
        pauses.append(pause(SINCE, now, DEADLINE, "a link"))
        now += pauses[-1]

    assert now == SINCE + DEADLINE
    assert pauses[0] <= timedelta(seconds=1.2)
    assert pauses[:-1] == sorted(pauses[:-1])
    assert max(pauses) <= timedelta(seconds=36)
    assert len(pauses) < 30
    assert timedelta(minutes=2) < pause(SINCE, now, DEADLINE, "a link") < timedelta(minutes=4)


def test_links_that_failed_together_do_not_come_back_together() -> None:
    late = {pause(SINCE, SINCE + 2 * DEADLINE, DEADLINE, f"link {number}") for number in range(20)}

    assert len(late) == 20
