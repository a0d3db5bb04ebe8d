"""Keys are prefix-free, whatever a repository is called."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from previewbot.rules.environment_keys import environment_key, hashed_label

identities = st.tuples(
    st.sampled_from(["github.com", "github.example.com"]),
    st.integers(min_value=1, max_value=2**40),
    st.integers(min_value=1, max_value=10**7),
)


@given(identities, st.text(max_size=120))
def test_a_key_is_a_short_dns_label_for_any_repository_name(
    identity: tuple[str, int, int], name: str
) -> None:
    key = environment_key(*identity, f"acme/{name}")

    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])", key)


@given(identities, identities, st.text(max_size=20))
def test_no_key_is_a_prefix_of_another_even_when_a_repository_is_named_like_a_key(
    one: tuple[str, int, int], other: tuple[str, int, int], name: str
) -> None:
    assume(one != other)
    first = environment_key(*one, f"acme/{name}")
    second = environment_key(*other, f"acme/{first}")

    assert not second.startswith(first)
    assert not first.startswith(second)


@given(identities, st.text(max_size=30))
def test_only_one_pull_request_answers_to_a_header(identity: tuple[str, int, int], name: str) -> None:
    host, repository_id, number = identity
    mine = environment_key(host, repository_id, number, f"acme/{name}")
    longer = environment_key(host, repository_id, number * 10 + 1, f"acme/{name}")

    pattern = f"(?i)^baggage: .*mirrord-session={mine}.*$"
    assert re.search(pattern, f"baggage: mirrord-session={mine}")
    assert not re.search(pattern, f"baggage: mirrord-session={longer}")


def test_a_rename_changes_only_the_readable_part() -> None:
    before = environment_key("github.com", 812, 42, "acme/shop")
    after = environment_key("GitHub.com", 812, 42, "other/store")

    assert before[:11] == after[:11]
    assert before.endswith("-shop-42")


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("pr-123", "h4ARUIDeLr6zKT-pPzO4X7xEsOfil3k49SWY-hK6ANmgh"),
        ("pr-42", "h85C7xMqYnVS9zMczbcyf5oxC_5gUUQT1-GFmuGPeLv8h"),
        ("shop-pr-42", "hdGesjAYOqJilgg7IQLRN1Ar3eT3H-kn1WRW0Io5ULk0h"),
    ],
)
def test_the_key_label_is_the_one_mirrords_cli_computes(key: str, label: str) -> None:
    assert label == hashed_label(key)
