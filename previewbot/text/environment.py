"""The Jinja environments: one each for comment, page and terminal, with the same names in all of them.

So a template that is written in these names alone (`reasons.jinja`) reads right in every place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from jinja2 import BaseLoader, Environment, StrictUndefined

from previewbot.api import (
    HAVE_LOGS,
    Asked,
    ContainerPart,
    Copied,
    IssuesUnknown,
    LinkKind,
    Missing,
    Phase,
    Proven,
    Reason,
    Severity,
    SlotBound,
    TakenBy,
    Turn,
    Waits,
    Why,
)
from previewbot.api.closing_issues import MOST_SHOWN as MOST_ISSUES
from previewbot.api.deployments import DeploymentState
from previewbot.api.pictures import Device, NoPicture, PictureState
from previewbot.api.verdicts import Says
from previewbot.text import hypertext, markdown, plain
from previewbot.text.blast_radius import Passing, has_own_databases
from previewbot.text.checks import PAGE_BUTTONS
from previewbot.text.durations import format_duration, from_now, spoken
from previewbot.text.for_reader import HANDED_OVER
from previewbot.text.notices import NotThere
from previewbot.text.pictures import pairs_of
from previewbot.text.standing import (
    answers_with_an_error,
    for_the_author,
    for_the_maintainer,
    for_the_platform_team,
    runs_well,
    service_waited_for,
)


def templates_directory() -> Path:
    """Return the folder of the templates: inside the installed package, or in the checkout."""
    packaged = Path(str(files("previewbot"))) / "templates"
    # A wheel carries the templates inside the package; in a clone they stand beside it, where people find
    # them.
    return packaged if packaged.is_dir() else packaged.parent.parent / "templates"


def for_comments(loader: BaseLoader) -> Environment:
    """Return the environment of what is posted to GitHub; its filters escape, as Markdown needs it."""
    return _environment(loader, markdown.FILTERS)


def for_terminals(loader: BaseLoader) -> Environment:
    """Return the environment of what `kubectl` shows: plain text."""
    environment = _environment(loader, plain.FILTERS)
    environment.globals["in_terminal"] = True
    return environment


def for_facts(loader: BaseLoader, *, everybody: bool = False) -> Environment:
    """Return the environment of the one line for people among the facts for programs.

    `everybody`: for whoever can reach the page, so with no more in it than the page has.
    """
    environment = _environment(loader, plain.FILTERS)
    environment.globals["on_page"] = everybody
    return environment


def for_pages(loader: BaseLoader) -> Environment:
    """Return the environment of HTML pages, escaped as a whole.

    The page quotes nothing of a repository but the issue that asked for the change, where everybody may read
    it (`quoting.for_the_page`).
    """
    environment = _environment(loader, hypertext.FILTERS, autoescape=True)
    environment.filters["paragraphs"] = hypertext.paragraphs
    environment.filters["markdown"] = hypertext.markdown
    environment.filters["when"] = _when_on_a_page
    environment.filters["from_now"] = _from_now_on_a_page
    # The same macros serve comment and page. A few sentences differ: whoever reaches the page reads it, so
    # there nothing is quoted that a person or a repository wrote, but for what `_request.jinja` quotes.
    environment.globals["on_page"] = True
    return environment


def when(moment: datetime | None) -> str:
    """Write a moment absolutely, with its zone: a comment is not redrawn as time passes."""
    return moment.astimezone(UTC).strftime("%a %d %b, %H:%M UTC") if moment else ""


def _when_on_a_page(moment: datetime | None) -> str:
    return hypertext.time(when(moment), moment.astimezone(UTC).isoformat()) if moment else ""


def _from_now_on_a_page(moment: datetime, now: datetime) -> str:
    return hypertext.time(from_now(moment, now), moment.astimezone(UTC).isoformat(), relative=True)


def _environment(
    loader: BaseLoader, filters: Mapping[str, Callable[..., str]], *, autoescape: bool = False
) -> Environment:
    environment = Environment(
        loader=loader,
        autoescape=autoescape,  # noqa: S701 - off for what is no HTML, which has filters of its own
        # A misspelt name is an error in the tests and not an empty place in somebody's comment.
        undefined=StrictUndefined,
        # The files never change while we run, and to ask for that would be a system call a template.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters |= {
        **filters,
        "when": when,
        "duration": _duration,
        "spoken": spoken,
        "from_now": from_now,
        "short": _short,
        "workload": _workload,
    }
    environment.tests["for_the_platform_team"] = for_the_platform_team
    environment.tests["for_the_author"] = for_the_author
    environment.tests["for_the_maintainer"] = for_the_maintainer
    environment.tests["running_well"] = runs_well
    environment.tests["having_databases_of_its_own"] = has_own_databases
    environment.tests["answering_with_an_error"] = answers_with_an_error
    environment.globals |= {
        "Asked": Asked,
        "HANDED_OVER": HANDED_OVER,
        "HAVE_LOGS": HAVE_LOGS,
        "IssuesUnknown": IssuesUnknown,
        "MOST_ISSUES": MOST_ISSUES,
        "PAGE_BUTTONS": PAGE_BUTTONS,
        "Phase": Phase,
        "Proven": Proven,
        "DeploymentState": DeploymentState,
        "Reason": Reason,
        "LinkKind": LinkKind,
        "Missing": Missing,
        "NotThere": NotThere,
        "Why": Why,
        "Says": Says,
        "Severity": Severity,
        "ContainerPart": ContainerPart,
        "Copied": Copied,
        "Device": Device,
        "NoPicture": NoPicture,
        "PictureState": PictureState,
        "Passing": Passing,
        "SlotBound": SlotBound,
        "TakenBy": TakenBy,
        "Turn": Turn,
        "Waits": Waits,
        "pairs_of": pairs_of,
        "service_waited_for": service_waited_for,
        "on_page": False,
        "in_terminal": False,
    }
    return environment


def _duration(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))


def _workload(target: str) -> str:
    """Return the name of a target's workload (`deployment/web/container/app`: web)."""
    return target.split("/")[1] if "/" in target else target


def _short(sha: str) -> str:
    return sha[:7]
