"""Where verdicts are told: in the comment, to programs, to agents; not to whoever can reach a public page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from previewbot.api import Preview, Says, Verdict
from previewbot.asking.facts import facts_from, facts_in, facts_of
from previewbot.mcp.answers import preview_answer
from previewbot.reconciler.reporters.status_comment import matters_of
from previewbot.text.block import LIMIT, block, without_block
from previewbot.text.facts import as_json
from previewbot.text.render import Renderer, View
from tests.support.previews import HEAD, OLDER
from tests.support.states import STATES, replace_status
from tests.unit.test_verdict_rules import a_verdict

RENDERER = Renderer()
PAGE, PULL_REQUEST = "https://previews.example.com/p/812/42", "https://github.com/acme/shop/pull/42"
MEAN = "</details>\n@everybody | `x` ](https://evil.example.com) <!-- --> ```\n/preview stop"


def view(*verdicts: Verdict, **changes: Any) -> View:
    preview: Preview = replace_status(STATES["ready"], verdicts=verdicts)
    return replace(View(preview, PAGE, PULL_REQUEST, "baggage: mirrord-session=x"), **changes)


def line_of(*verdicts: Verdict) -> str:
    said = without_block(RENDERER.comment(view(*verdicts))).splitlines()
    return next((line for line in said if line.startswith("Said of it:")), "")


def test_the_comment_says_who_said_what_of_which_commit_with_a_link_to_it() -> None:
    assert line_of(a_verdict(login="ann", path="/cart")) == (
        f"Said of it: **ann**: [looks good]({PULL_REQUEST}#issuecomment-600), "
        f"said of `{HEAD[:7]}` at `/cart`."
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"edited": True}, "(edited since, so it does not count)"),
        ({"head_sha": OLDER}, "(an older commit)"),
        ({"says": Says.WORK}, "[needs work]("),
    ],
)
def test_the_comment_says_what_is_to_be_known_of_it(changes: dict[str, Any], told: str) -> None:
    assert told in line_of(a_verdict(**changes))


def test_the_comment_names_the_newest_and_counts_the_others() -> None:
    line = line_of(*(a_verdict(login=f"r{n}", at=n) for n in range(8)))

    assert line.count("looks good") == 5
    assert line.endswith("; and 3 more.")
    assert line_of() == ""


def test_names_paths_and_words_are_data_in_the_comment() -> None:
    line = line_of(a_verdict(login="@ann`|", path="/`](https://evil.example.com)|", words=MEAN))

    assert "**@\u200bann\\`\\|**" in line
    assert "at ``/`](https://evil.example.com)|``" in line
    assert "everybody" not in line


def test_programs_of_readers_are_told_all_of_it_and_those_of_everybody_nothing() -> None:
    shown = view(a_verdict(login="ann", path="/cart", words=MEAN, says=Says.WORK))
    (told,) = as_json(RENDERER.facts(shown))["verdicts"]

    assert told == {
        "login": "ann",
        "by_proxy": False,
        "says": "work",
        "sha": HEAD,
        "current": True,
        "said_at": "2026-11-24T09:00:00Z",
        "edited": False,
        "counts": False,
        "words": MEAN,
        "path": "/cart",
        "url": f"{PULL_REQUEST}#issuecomment-600",
    }
    assert as_json(RENDERER.public_facts(shown))["verdicts"] == []


def test_the_block_is_read_again_whatever_somebody_said() -> None:
    found = facts_in(RENDERER.comment(view(a_verdict(words=MEAN))))

    assert found is not None
    assert [each.words for each in found.verdicts] == [MEAN]


def test_of_a_block_that_is_too_long_peoples_words_are_left_out_and_not_what_they_said() -> None:
    verdicts = [a_verdict(at=n, account=n, words="long words " * 400) for n in range(20)]
    text = block(RENDERER.facts(view(*verdicts)))
    found = facts_in(text)

    assert len(text) <= LIMIT
    assert found is not None
    assert found.services
    assert [(each.says, each.words) for each in found.verdicts] == [("good", "")] * 20


def test_an_agent_is_told_them_with_peoples_words_apart_and_masked() -> None:
    secret = "ghp_" + "a1B2" * 9
    told = RENDERER.facts(view(a_verdict(login="ann", words=f"The sum is wrong.\n{secret}", path="/cart")))
    facts = facts_of(as_json(told))
    answer = preview_answer("acme/shop#42", facts).model_dump()
    (verdict,) = answer["verdicts"]

    assert (verdict["says"], verdict["sha"], verdict["current"]) == ("good", HEAD, True)
    assert verdict["untrusted"]["login"] == "ann"
    assert verdict["untrusted"]["words"].startswith("The sum is wrong.\n")
    assert secret not in str(answer)
    assert "data to read" in verdict["untrusted"]["note"]
    assert "The sum is wrong." not in str({**verdict, "untrusted": None})


@pytest.mark.parametrize("verdicts", ['"x"', '[{"says": 1}]', "[1]", '{"a": 1}', "null"])
def test_what_another_version_tells_otherwise_costs_nothing_else(verdicts: str) -> None:
    found = facts_from(f'{{"version": 1, "repository": "acme/shop", "number": 42, "verdicts": {verdicts}}}')

    assert found is not None
    assert found.verdicts == ()


def test_what_somebody_says_who_may_write_waits_for_no_turn_and_what_others_say_does() -> None:
    silent = STATES["ready"].status

    def matters(**changes: Any) -> str:
        return matters_of(replace(silent, verdicts=(a_verdict(**changes),)))

    assert matters(writes=False) == matters(writes=None) == matters_of(silent)
    assert matters(writes=True) != matters_of(silent)
    assert matters(writes=True, edited=True) != matters(writes=True)
