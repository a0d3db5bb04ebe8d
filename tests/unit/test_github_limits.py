"""GitHub's rate limits recognised, and its answers kept within bounds."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.clients.github.cache import BoundedCache
from previewbot.clients.github.limits import Limits
from previewbot.errors import NotSent, QuotaKept, TryLater
from previewbot.rules.rate_limits import DEFAULT_WAIT, LONGEST_WAIT, rate_limit_wait, retry_after

NOW = 1_800_000_000.0
SPENT = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 90)}
LEFT = {"x-ratelimit-remaining": "12", "x-ratelimit-reset": str(int(NOW) + 90)}

CASES: list[tuple[str, int, dict[str, str], str, float | None]] = [
    ("the primary limit waits for its reset", 403, SPENT, "API rate limit exceeded", 90),
    ("the primary limit as 429", 429, SPENT, "", 90),
    ("the secondary limit says how long", 403, {**LEFT, "retry-after": "7"}, "secondary rate limit", 7),
    ("retry-after goes before the reset", 429, {**SPENT, "retry-after": "7"}, "", 7),
    ("a secondary limit in words only", 403, LEFT, "You have exceeded a secondary rate limit.", DEFAULT_WAIT),
    ("an older wording", 403, {}, "You have triggered an abuse detection mechanism", DEFAULT_WAIT),
    ("a bare 429", 429, {}, "", DEFAULT_WAIT),
    ("a missing permission is no limit", 403, LEFT, "Resource not accessible by integration", None),
    ("a refusal without headers is no limit", 403, {}, "Forbidden", None),
    ("404 is no limit, whatever is left", 404, SPENT, "Not Found", None),
    ("a reset in the past waits a second", 403, {**SPENT, "x-ratelimit-reset": "1"}, "", 1),
    ("a reset in years waits an hour", 403, {**SPENT, "x-ratelimit-reset": "9" * 12}, "", LONGEST_WAIT),
    ("no reset waits a minute", 403, {"x-ratelimit-remaining": "0"}, "", DEFAULT_WAIT),
    (
        "a reset that is no number waits a minute",
        403,
        {**SPENT, "x-ratelimit-reset": "soon"},
        "",
        DEFAULT_WAIT,
    ),
]


@pytest.mark.parametrize(
    ("status", "headers", "message", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_a_refusal_is_told_from_a_limit(
    status: int, headers: dict[str, str], message: str, expected: float | None
) -> None:
    assert rate_limit_wait(status, headers, message, NOW) == expected


@given(
    status=st.integers(100, 599), headers=st.dictionaries(st.sampled_from([*SPENT, "retry-after"]), st.text())
)
def test_a_wait_is_always_between_a_second_and_an_hour(status: int, headers: dict[str, str]) -> None:
    for wait in (rate_limit_wait(status, headers, "", NOW), retry_after(headers)):
        assert wait is None or 1 <= wait <= LONGEST_WAIT


INCOMPRESSIBLE = "".join(sha256(bytes([number])).hexdigest() for number in range(10))


def test_the_least_recently_used_answer_goes_first() -> None:
    cache = BoundedCache(entries=2)
    cache["a"] = cache["b"] = ("etag", None, [], None)

    assert cache["a"]
    cache["c"] = ("etag", None, [], None)

    assert list(cache) == ["a", "c"]


def test_an_answer_larger_than_the_whole_memory_is_not_kept_and_replaces_the_old_one() -> None:
    cache = BoundedCache(max_bytes=100)
    cache["a"] = ("old", None, [], None)

    cache["a"] = ("new", None, INCOMPRESSIBLE, None)

    assert (len(cache), cache.bytes) == (0, 0)


@given(
    entries=st.integers(1, 5),
    max_bytes=st.integers(1, 300),
    writes=st.lists(st.tuples(st.sampled_from("abcdefgh"), st.text(max_size=40), st.booleans())),
)
def test_the_memory_never_passes_its_bounds_and_counts_what_it_holds(
    entries: int, max_bytes: int, writes: list[tuple[str, str, bool]]
) -> None:
    cache = BoundedCache(entries, max_bytes)
    for key, data, delete in writes:
        cache[key] = ("etag", None, data, None)
        if delete:
            cache.pop(key, None)

        held = {kept: cache[kept] for kept in list(cache)}
        assert len(held) <= entries
        assert cache.bytes <= max_bytes
        assert (cache.bytes > 0) == bool(held)

    for kept in list(cache):
        del cache[kept]
    assert cache.bytes == 0


def test_the_listing_of_five_thousand_repositories_finds_all_of_them_again() -> None:
    """Else it would cost five thousand requests each time, and use up the hour for everybody."""
    cache, asked = BoundedCache(), [f"pulls?state=open&per_page=100 of {n}" for n in range(5_000)]
    asked += [f"contents/.github/preview.yaml?ref=refs%2Fheads%2Fmain of {n}" for n in range(5_000)]
    for address in asked:
        assert address not in cache
        cache["https://api.github.com/repos/an-organisation/" + address] = (f'W/"{"e" * 64}"', None, [], None)

    assert len(cache) == 10_000


def test_an_answer_comes_back_as_it_was_and_takes_little_of_the_memory() -> None:
    cache = BoundedCache()
    answer = (
        "etag",
        "yesterday",
        [{"number": number, "body": "Does it. é"} for number in range(500)],
        "next",
    )

    cache["pulls"] = answer

    assert cache["pulls"] == answer
    assert cache.bytes < len(json.dumps(answer)) / 5


def writes(limits: Limits, at: float, *, optional: bool) -> bool:
    """Write if that may be; return whether it was."""
    try:
        limits.check("POST x", "POST", "/repos/acme/shop/x", at, optional=optional)
    except TryLater:
        return False
    limits.wrote(at)
    return True


def test_what_is_optional_leaves_half_of_each_minute_to_comments_and_answers() -> None:
    limits = Limits()

    assert sum(writes(limits, NOW, optional=True) for _ in range(100)) == 40
    assert all(writes(limits, NOW + 1, optional=False) for _ in range(30))
    # A minute later there is room for as many as were written sixty seconds before.
    assert not writes(limits, NOW + 59, optional=True)
    assert sum(writes(limits, NOW + 60, optional=True) for _ in range(100)) == 10


def test_comments_count_for_what_is_optional_and_reads_do_not_wait() -> None:
    limits = Limits()

    assert all(writes(limits, NOW, optional=False) for _ in range(40))
    with pytest.raises(QuotaKept) as later:
        limits.check("POST x", "POST", "/repos/acme/shop/deployments", NOW + 20, optional=True)
    limits.check("GET x", "GET", "/repos/acme/shop/deployments", NOW + 20, optional=True)

    assert later.value.after == 40
    assert "GitHub's rate limit" not in later.value.message


def test_a_clock_that_was_set_back_holds_nothing_up() -> None:
    limits = Limits()
    assert sum(writes(limits, NOW + 86_400, optional=True) for _ in range(100)) == 40

    assert sum(writes(limits, NOW, optional=True) for _ in range(100)) == 40
    with pytest.raises(QuotaKept) as later:
        limits.check("POST x", "POST", "/repos/acme/shop/deployments", NOW, optional=True)
    assert later.value.after == 60


@pytest.mark.parametrize("a_minute", [1, 10**12])
def test_only_the_writes_of_a_minute_are_remembered_whatever_is_set(a_minute: int) -> None:
    limits = Limits(a_minute)
    for minute in range(100):
        assert writes(limits, NOW + 61 * minute, optional=True)
        assert all(writes(limits, NOW + 61 * minute + 1, optional=False) for _ in range(10))

    assert len(vars(limits)["_written"]) == 11


def test_what_a_limit_holds_back_was_not_sent() -> None:
    limits = Limits()
    limits.refused("POST", "/repos/acme/shop/check-runs", 403, {"retry-after": "90"}, "", NOW, optional=True)

    with pytest.raises(NotSent) as later:
        limits.check("POST x", "POST", "/repos/acme/shop/deployments", NOW, optional=True)
    assert later.value.after == 90


def test_a_limit_that_something_optional_met_stops_what_is_optional_alone() -> None:
    limits, said = Limits(), "You have exceeded a secondary rate limit."

    for repository in ("shop", "web"):
        url = f"/repos/acme/{repository}/check-runs"
        assert limits.refused("POST", url, 403, {"retry-after": "90"}, said, NOW, optional=True) == 90

    assert not writes(limits, NOW + 89, optional=True)
    assert writes(limits, NOW + 1, optional=False)
    assert writes(limits, NOW + 90, optional=True)


def test_what_is_optional_and_meets_limits_again_and_again_pauses_for_longer_and_comments_do_not() -> None:
    limits, said, url = Limits(), "You have exceeded a secondary rate limit.", "/repos/acme/shop/check-runs"
    now, pauses = NOW, list[float | None]()
    for _ in range(6):
        pause = limits.refused("POST", url, 403, {}, said, now, optional=True)
        # Another that was under way.
        assert limits.refused("POST", url, 403, {}, said, now + 1, optional=True) == max(60, (pause or 0) - 1)
        assert writes(limits, now + 2, optional=False)
        assert not writes(limits, now + (pause or 0) - 1, optional=True)
        pauses.append(pause)
        now += (pause or 0) + 20

    assert pauses == [60, 120, 240, 480, 900, 900]
    assert limits.refused("POST", url, 403, {}, said, now + 600, optional=True) == 60


def test_an_hour_that_is_used_up_stops_everything_whoever_met_it() -> None:
    limits = Limits()

    limits.refused("POST", "/repos/acme/shop/check-runs", 403, SPENT, "", NOW, optional=True)

    assert not writes(limits, NOW + 1, optional=False)
