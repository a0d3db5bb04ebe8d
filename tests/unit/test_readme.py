"""The README and what GitHub shows of the project: links, pictures, the two commands, forms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.fresh.perimeter import destination
from tests.fresh.readme import two_commands

ROOT = Path(__file__).parents[2]
REVIEWERS = (Path(__file__).parents[2] / "docs" / "reviewers.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMUNITY = ("CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md", ".github/PULL_REQUEST_TEMPLATE.md")
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.png"))
LARGEST = 150 * 1000


def links_of(text: str) -> list[str]:
    """Return where a page's links and pictures lead, but for other sites."""
    found = re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text)
    return [link for pair in found for link in pair if link and not link.startswith("http")]


def anchors_of(path: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {words.replace(" ", "-") for words in kept}


def test_the_readme_has_two_commands_and_they_are_targets_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    for command in two_commands(README):
        make, target = command.split()
        assert make == "make"
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "readme",
    [
        "# x\n",
        "## Try it: two commands\n\n    make demo\n",
        "## Try it: two commands\n\n    a\n    b\n    c\n",
    ],
)
def test_a_readme_without_two_commands_is_said_to_be_one(readme: str) -> None:
    with pytest.raises(ValueError, match="two commands"):
        two_commands(readme)


def test_what_somebody_must_know_first_is_above_the_two_commands_and_short() -> None:
    above = README[: README.index("## Try it")]

    assert len(above.splitlines()) <= 60
    for words in ("Why it works", "Beside the others", "not** isolated", "Proven with", "You need"):
        assert words in above
    assert above.count("docs/pictures/") == 11


@pytest.mark.parametrize("page", ["README.md", *COMMUNITY, *(str(form.relative_to(ROOT)) for form in FORMS)])
def test_every_link_leads_to_a_page_and_a_heading_that_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for link in links_of(text):
        name, _, anchor = link.replace("../blob/HEAD/", "/").partition("#")
        folder = ROOT if name.startswith("/") else (ROOT / page).parent
        path = folder / name.lstrip("/") if name else ROOT / page
        assert path.exists(), f"{page}: {link}"
        assert not anchor or anchor in anchors_of(path), f"{page}: {link}"


def test_every_picture_is_shown_and_small() -> None:
    assert PICTURES
    for picture in PICTURES:
        assert f"docs/pictures/{picture.name}" in README or f"pictures/{picture.name}" in REVIEWERS
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size <= LARGEST, picture.name


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.stem)
def test_an_issue_form_is_as_github_reads_it(form: Path) -> None:
    """https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-issue-forms"""
    read = yaml.safe_load(form.read_text(encoding="utf-8"))
    if form.stem == "config":
        assert all(link.keys() == {"name", "url", "about"} for link in read["contact_links"])
        return
    assert read["name"] and read["description"] and read["body"]
    fields = [field for field in read["body"] if field["type"] != "markdown"]
    assert all(field["type"] in ("textarea", "input") and field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)


def test_ci_runs_the_tests_as_a_fresh_user_and_no_other_target_does() -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert re.search(r"^for target in fresh-test test-cluster node-test; do$", run, re.MULTILINE)
    assert not re.search(r"^[a-z-]+:.*\bfresh-test\b", makefile.replace(".PHONY:", ""), re.MULTILINE)


@pytest.mark.parametrize(
    ("request_line", "place", "tunnel"),
    [
        ("CONNECT pypi.org:443 HTTP/1.1", ("pypi.org", 443), True),
        ("CONNECT [2001:db8::1]:8443 HTTP/1.1", ("2001:db8::1", 8443), True),
        ("GET http://index.example:8080/simple/ HTTP/1.1", ("index.example", 8080), False),
        ("GET http://index.example/simple/ HTTP/1.1", ("index.example", 80), False),
    ],
)
def test_the_proxy_of_a_fresh_users_pip_knows_who_is_asked(
    request_line: str, place: tuple[str, int], tunnel: bool
) -> None:
    assert destination(f"{request_line}\r\nHost: x\r\n\r\n".encode()) == (place, tunnel)


@pytest.mark.parametrize("request_line", ["GET /simple/ HTTP/1.1", "hello", "CONNECT pypi.org HTTP/1.1"])
def test_the_proxy_of_a_fresh_users_pip_takes_nothing_else(request_line: str) -> None:
    with pytest.raises(ValueError):
        destination(f"{request_line}\r\n\r\n".encode())
