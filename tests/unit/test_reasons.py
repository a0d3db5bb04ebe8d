"""The table of reasons: it is complete, every reason has words, and templates name only what exists."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, nodes

from docs.reasons_page import reasons_page
from previewbot.api import (
    POD_PROBLEMS,
    REASONS,
    ContainerPart,
    LinkKind,
    Phase,
    PodProblem,
    Preview,
    Proven,
    Reason,
    Service,
    Severity,
    Turn,
    Waiting,
    Why,
)
from previewbot.api.deployments import DeploymentState
from previewbot.text import hypertext, markdown, plain
from previewbot.text.environment import for_comments, for_pages, for_terminals, templates_directory
from previewbot.text.render import Renderer, View
from previewbot.text.standing import standing_of
from tests.support.pages import Page
from tests.support.previews import a_preview
from tests.support.states import GATEWAY, OBSERVED, STATES

TEMPLATES = sorted(path for path in templates_directory().rglob("*") if path.is_file())
ENUMS: dict[str, type[StrEnum]] = {
    "Reason": Reason,
    "Phase": Phase,
    "LinkKind": LinkKind,
    "Severity": Severity,
    "ContainerPart": ContainerPart,
    "Proven": Proven,
    "DeploymentState": DeploymentState,
    "Why": Why,
}
LOADER = FileSystemLoader(templates_directory())
PLACES = {"comment": for_comments(LOADER), "page": for_pages(LOADER), "terminal": for_terminals(LOADER)}
RENDERER = Renderer()


def view_of(preview: Preview) -> View:
    return View(preview, "https://previews.example.com/p/812/42", "https://github.com/acme/shop/pull/42", "h")


def for_a(reason: Reason) -> Preview:
    """A preview that stands for this reason, as does its one service where it can."""
    if reason.phase is None:
        return a_preview(reason=reason)
    service = Service(
        "checkout",
        "staging",
        "deployment/checkout",
        phase=reason.phase,
        reason=reason,
        waiting=Waiting(reason) if reason.phase is Phase.AWAITING_IMAGE else None,
        pod_problem=PodProblem(reason) if reason in POD_PROBLEMS else None,
    )
    return a_preview(phase=reason.phase, reason=reason, services=(service,), observed=OBSERVED, link=GATEWAY)


# The table


def test_every_reason_has_its_row_and_every_phase_a_reason() -> None:
    assert set(REASONS) == set(Reason)
    assert {row.phase for row in REASONS.values()} == {None, *Phase}


def test_what_a_newer_version_wrote_is_read_as_unknown() -> None:
    assert Reason("MoonInTheWrongPhase") is Reason.UNKNOWN


@pytest.mark.parametrize("reason", Reason)
def test_nobody_is_asked_to_do_something_about_what_is_good_or_goes_on(reason: Reason) -> None:
    row = reason.info

    if row.severity is Severity.PROGRESS:
        assert row.turn is Turn.NOBODY
    if row.severity is Severity.BAD:
        assert row.turn is not Turn.NOBODY


def test_the_page_about_the_reasons_is_the_one_that_make_reference_writes() -> None:
    assert (Path(__file__).parents[2] / "docs" / "reasons.md").read_text(encoding="utf-8") == reasons_page()


# How a whole preview stands


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.phase is not Phase.STOPPING])
def test_whatever_a_preview_ends_for_is_said_only_once_all_is_gone(reason: Reason) -> None:
    standing = standing_of(a_preview(phase=Phase.STOPPING, reason=reason).status)

    assert (standing.key, standing.severity, standing.goes_on) == ("removing", Severity.PROGRESS, True)


def test_before_the_first_look_it_is_said_that_previewbot_looks() -> None:
    assert standing_of(a_preview().status).key == Reason.LOOKING.key


@pytest.mark.parametrize("reason", [Reason.ALL_READY, Reason.BUILD_FAILED, Reason.FORK, Reason.MERGED])
def test_what_waits_for_a_person_or_is_over_does_not_go_on_by_itself(reason: Reason) -> None:
    assert not standing_of(for_a(reason).status).goes_on


# Words


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_for_the_comment_the_page_and_a_terminal(reason: Reason) -> None:
    view = view_of(for_a(reason))
    page = Page(RENDERER.page(view))

    assert len(RENDERER.comment(view).splitlines()[1]) > 10
    assert len(RENDERER.headline(view)) > 10
    assert f'<p class="state {reason.info.severity}">' in RENDERER.page(view)
    assert [tag for tag, _ in page.tags].count("h1") == 1


@pytest.mark.parametrize("phase", [None, *Phase])
def test_whatever_a_newer_or_older_version_wrote_there_are_words(phase: Phase | None) -> None:
    for reason in (None, *Reason):
        view = view_of(a_preview(phase=phase, reason=reason))
        for words in (RENDERER.comment(view), RENDERER.headline(view), RENDERER.page(view)):
            assert len(words) > 10


@pytest.mark.parametrize("key", ["removing", *(reason.key for reason in Reason)])
@pytest.mark.parametrize("place", PLACES)
def test_the_words_of_every_reason_are_a_macro_of_its_own(place: str, key: str) -> None:
    assert callable(getattr(PLACES[place].get_template("reasons.jinja").module, key))


@pytest.mark.parametrize("key", ["removing", *(reason.key for reason in Reason)])
def test_every_reason_has_a_heading_on_the_page(key: str) -> None:
    headings = PLACES["page"].get_template("headings.jinja").module
    preview = STATES["ready"]

    assert len(getattr(headings, key)(preview.status, preview)) > 5


def test_comment_page_and_terminal_know_the_same_filters() -> None:
    assert set(markdown.FILTERS) == set(hypertext.FILTERS) == set(plain.FILTERS)


def test_each_template_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer, compiled = Renderer(), []
    compile_one = Environment.compile

    def counting(environment: Environment, source: str, *rest: object, **options: object) -> object:
        # The same template is Markdown in a comment, and plain text in the facts at its end.
        compiled.append((id(environment), source))
        return compile_one(environment, source, *rest, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Environment, "compile", counting)
    for state in STATES.values():
        renderer.comment(view_of(state))

    assert 0 < len(compiled) == len(set(compiled))


# Templates name only what exists


def parsed(path: Path) -> nodes.Template:
    return PLACES["comment"].parse(path.read_text(encoding="utf-8"))


def unknown_names(template: nodes.Template) -> Iterator[str]:
    """What a template asks of an enum that the enum does not have."""
    for node in template.find_all(nodes.Getattr):
        enum = ENUMS.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        if enum is not None and node.attr not in enum.__members__:
            yield f"line {node.lineno}: {node.attr} is no {enum.__name__}"


def spelt_out(template: nodes.Template) -> Iterator[str]:
    """Strings that are values of an enum: nobody would see that such a comparison never holds any more."""
    values = {str(member) for enum in ENUMS.values() for member in enum} - PLAIN_WORDS
    for node in template.find_all(nodes.Const):
        if isinstance(node.value, str) and node.value in values:
            yield f"line {node.lineno}: {node.value!r} is spelt out"


def compared_with_strings(template: nodes.Template) -> Iterator[str]:
    """Comparisons in which a reason, phase or kind stands, and a string."""
    for node in template.find_all(nodes.Compare):
        if any(getattr(side, "attr", "") in TYPED for side in (node.expr, *(each.expr for each in node.ops))):
            strings = (const.value for const in node.find_all(nodes.Const) if isinstance(const.value, str))
            yield from (f"line {node.lineno}: compared with {string!r}" for string in strings)


TYPED = ("reason", "phase", "kind", "severity")
PLAIN_WORDS = {"Ready", "Queued", "Header", "Failed", "Stopped", "Partial", "Asleep"}
"""Values that a sentence may begin with; a comparison with one is found by `compared_with_strings`."""


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_name_only_reasons_phases_and_links_that_exist(path: Path) -> None:
    assert [*unknown_names(parsed(path)), *spelt_out(parsed(path))] == []
    assert list(compared_with_strings(parsed(path))) == []


@pytest.mark.parametrize(
    "mistake",
    [
        "{% if s.reason == Reason.MERGED_ALREADY %}{% endif %}",
        '{% if s.reason == "Merged" %}{% endif %}',
        '{% if s.phase in ("Ready", Phase.IDLE) %}{% endif %}',
        '{% if "Header" == s.link.kind %}{% endif %}',
        '{{ s.services | selectattr("reason", "equalto", "BuildFailed") }}',
        '{{ {"AwaitingImage": "waits"}.get(service.phase) }}',
    ],
)
def test_a_name_that_does_not_exist_or_a_string_in_its_place_is_found(mistake: str) -> None:
    template = PLACES["comment"].parse(mistake)

    found = [*unknown_names(template), *spelt_out(template), *compared_with_strings(template)]
    assert len(found) > 0
