"""What can never match is refused, with the field that was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from previewbot.config.repository import IMAGE_FIELDS
from previewbot.config.repository.image_fields import wrong_fields

OWN_OR_MERGE = ("{head_sha}", "{merge_sha}")
SHORT = ("{short_sha}", "{short_merge_sha}")


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("{sha}", OWN_OR_MERGE),
        ("<sha>", OWN_OR_MERGE),
        ("${{ github.sha }}", OWN_OR_MERGE),
        ("${{github.sha}}", OWN_OR_MERGE),
        ("{github.sha}", OWN_OR_MERGE),
        ("$GITHUB_SHA", OWN_OR_MERGE),
        ("${GITHUB_SHA}", OWN_OR_MERGE),
        ("{{sha}}", SHORT),
        ("{{ sha }}", SHORT),
        ("{short}", SHORT),
        ("{sha7}", SHORT),
        ("{sha:7}", SHORT),
        ("{head_sha[:7]}", SHORT),
        ("${{ github.event.pull_request.head.sha }}", ("{head_sha}",)),
        ("${{ github.event.pull_request.head.sha || github.sha }}", ("{head_sha}",)),
        (
            "${{ github.event_name == 'pull_request' && github.event.pull_request.head.sha || github.sha }}",
            ("{head_sha}",),
        ),
        ("${{ github.head_ref || github.ref_name }}", ("{branch}",)),
        ("{commit}", ("{head_sha}",)),
        ("{git-sha}", ("{head_sha}",)),
        ("{HEAD_SHA}", ("{head_sha}",)),
        ("{ head_sha }", ("{head_sha}",)),
        ("{head-sha}", ("{head_sha}",)),
        ("${head_sha}", ("{head_sha}",)),
        ("{{head_sha}}", ("{head_sha}",)),
        ("{head_sah}", ("{head_sha}",)),
        ("{merge_sha|short}", ("{short_merge_sha}",)),
        ("{short_merg_sha}", ("{short_merge_sha}",)),
        ("{short-merge-sha}", ("{short_merge_sha}",)),
        ("{merge_commit_sha}", ("{merge_sha}",)),
        ("{pr}", ("{number}",)),
        ("{pr_number}", ("{number}",)),
        ("{numbr}", ("{number}",)),
        ("${{ github.event.number }}", ("{number}",)),
        ("${{ github.event.pull_request.number }}", ("{number}",)),
        ("{{branch}}", ("{branch}",)),
        ("${{ github.head_ref }}", ("{branch}",)),
        ("$CI_COMMIT_REF_SLUG", ("{branch}",)),
        ("{ref}", ("{branch}",)),
        ("{service_name}", ("{service}",)),
        ("${{ github.run_number }}", ("{head_sha}",)),
        ("{{date 'YYYYMMDD'}}", ("{head_sha}",)),
        ("{version}", ("{head_sha}",)),
        ("{}", tuple(f"{{{field}}}" for field in IMAGE_FIELDS)),
        ("${{ steps.meta.outputs.version }}", tuple(f"{{{field}}}" for field in IMAGE_FIELDS)),
    ],
)
def test_what_can_never_match_is_refused_with_the_field_that_was_meant(
    written: str, named: tuple[str, ...]
) -> None:
    ((found, advice),) = wrong_fields(f"ghcr.io/acme/checkout:sha-{written}")

    assert found == written
    assert [name for name in named if name not in advice] == []


@pytest.mark.parametrize("written", ["${{ github.repository }}", "{image}", "$REGISTRY"])
def test_the_name_of_a_repository_is_written_out(written: str) -> None:
    assert list(wrong_fields(f"ghcr.io/{written}:x")) == [(written, "write the repository's name out")]


@given(st.lists(st.sampled_from(IMAGE_FIELDS), max_size=8), st.text(alphabet="abc-._0", max_size=5))
def test_a_template_of_fields_alone_is_never_refused(fields: list[str], between: str) -> None:
    template = between.join(f"{{{field}}}" for field in fields)

    assert list(wrong_fields(template)) == []
