"""What pokes of one pull request become when they share a write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from previewbot.api import Poke, merge_pokes

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

pokes = st.builds(
    Poke,
    delivery_id=st.text("abc", min_size=1),
    poked_at=st.just(NOON),
    updated_at=st.none() | st.integers(0, 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    comment_id=st.integers(0, 99),
    member_comment_id=st.integers(0, 99),
    label_id=st.text("abc", max_size=1),
    call_id=st.text("abc", max_size=1),
    event_id=st.text("abc", max_size=1),
    closed_id=st.text("abc", max_size=1),
    review_id=st.integers(0, 99),
    review_comment_id=st.integers(0, 99),
    member_review_id=st.integers(0, 99),
    member_review_comment_id=st.integers(0, 99),
)


def test_the_newer_delivery_counts_and_no_bound_is_lost() -> None:
    one = Poke(
        delivery_id="1",
        poked_at=NOON,
        updated_at=NOON + timedelta(minutes=5),
        comment_id=3,
        member_comment_id=3,
    )
    other = Poke(delivery_id="2", poked_at=NOON + timedelta(seconds=1), updated_at=NOON, comment_id=9)

    found = merge_pokes(one, other)

    assert (found.delivery_id, found.poked_at) == ("2", other.poked_at)
    assert (found.updated_at, found.comment_id) == (one.updated_at, 9)
    assert found.member_comment_id == 3


def test_what_only_one_knows_stays() -> None:
    one, other = Poke(delivery_id="1", updated_at=NOON), Poke(delivery_id="2")

    assert merge_pokes(one, other).updated_at == merge_pokes(other, one).updated_at == NOON
    assert merge_pokes(other, other).updated_at is None


def test_the_newer_of_two_reviews_counts_whatever_their_numbers() -> None:
    """A review that was begun as a draft has a lower number than those that were submitted meanwhile."""
    one = Poke("1", review_id=900, review_comment_id=7, member_review_id=900)
    found = merge_pokes(one, Poke("2", review_id=800))

    assert (found.review_id, found.review_comment_id, found.member_review_id) == (800, 7, 900)


def test_a_call_outlasts_what_comes_after_it_and_the_newer_of_two_counts() -> None:
    label, push = Poke("1", label_id="1", event_id="1"), Poke("2", event_id="2")
    comment, another = Poke("3", call_id="3", called_by=667), Poke("5", call_id="5", called_by=668)

    assert merge_pokes(label, push) == Poke("2", label_id="1", event_id="2")
    assert merge_pokes(label, comment) == Poke("3", label_id="1", call_id="3", called_by=667, event_id="1")
    assert merge_pokes(comment, another) == another
    assert merge_pokes(Poke("4", closed_id="4"), push).closed_id == "4"


@given(pokes, pokes, pokes)
def test_it_does_not_matter_how_many_share_at_a_time(one: Poke, two: Poke, three: Poke) -> None:
    assert merge_pokes(merge_pokes(one, two), three) == merge_pokes(one, merge_pokes(two, three))
