"""`previewbot check --settings`: what the platform team runs before the processes start with a file.

It judges the file as the start does, with the environment's variables, but reads no secret of the App's:
these are where the processes run. What is pages' is read if it is there. What each rule for
repositories comes to is said in words.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, TextIO

from previewbot.cli.files import read_head
from previewbot.cli.secret_files import (
    BEARERS,
    check_secret_of_pages,
    is_here,
    read_secret,
    sources_of_pages,
)
from previewbot.config.reader import MAX_BYTES, Unreadable, read
from previewbot.config.server import (
    LimitsSettings,
    RepositoryLimits,
    SecretSource,
    Settings,
    document,
    parse,
    private_key_source,
    webhook_secret_source,
)
from previewbot.config.server.parsing import PREFIX
from previewbot.config.words import printable
from previewbot.errors import SettingsError
from previewbot.rules.repositories import (
    Bounds,
    bounds_of,
    everybodys,
    rule_bounds,
    warnings_of,
    why_nothing,
)

STDIN = Path("-")
_KEY = "settings.yaml"
_LINE = re.compile(r"line ([0-9]+): ")
_KIND = re.compile(rb"^kind: ", re.MULTILINE)
_RENDER = (
    "helm template previewbot charts/previewbot --namespace previewbot --kube-version 1.30 --values FILE "
    "--show-only templates/settings.yaml | previewbot check --settings -"
)
_VALUES = f"holds values of the chart, which makes settings of them; check these: {_RENDER}"
_SEVERAL = f"holds several objects; give it the one with the settings: {_RENDER}"
_OTHER = (
    f"is an object of Kubernetes, but no ConfigMap with {_KEY} in its data, such as the chart makes: "
    f"{_RENDER}"
)


def settings_in(path: Path, environment: Mapping[str, str], stdin: BinaryIO) -> Settings | None:
    """Return the settings in a file, or in what stdin has for `-`; say all that is wrong, and return None."""
    named = _named(path)
    try:
        content = stdin.read(MAX_BYTES + 1) if path == STDIN else read_head(path)
        return parse(document(_unwrapped(content)), environment)
    except OSError as error:
        print(f"{named} cannot be read: {error.strerror}", file=sys.stderr)
    except SettingsError as error:
        for problem in error.problems:
            line = _LINE.match(problem)
            place = f"{named}:{line[1]}" if line else named
            print(f"{place}: {problem[line.end() if line else 0 :]}", file=sys.stderr)
    return None


def tell(path: Path, settings: Settings, environment: Mapping[str, str]) -> bool:
    """Print that a file is valid, what the processes will want besides, and what each rule means.

    Return False, and say why, if what is wanted besides is here and of no use.
    """
    print(f"{_named(path)} is valid")
    wanted: tuple[tuple[str, str, Callable[..., SecretSource]], ...] = (
        ("web", "the App's webhook secret", webhook_secret_source),
        ("controller", "the App's private key", private_key_source),
    )
    for process, what, source_of in wanted:
        print(f"  {process} will read {what} from {_place(settings, environment, source_of)}")
    for source in sources_of_pages(settings):
        what = "the bearer of programs" if source.name == BEARERS else source.name
        print(f"  pages will read {what} from {printable(str(source.file))}")
    print(*_rules(settings), sep="\n")
    for warning in warnings_of(settings):
        print(f"warning: {warning}")
    problems = [*_problems_of_pages(settings)]
    for problem in problems:
        print(f"{_named(path)}: {printable(problem)}", file=sys.stderr)
    return not problems


def _problems_of_pages(settings: Settings) -> Iterator[str]:
    """Yield what keeps secrets of pages from being used; nothing of one that is not here.

    One that cannot be read here is only warned of: it is pages that has to.
    """
    for source in filter(is_here, sources_of_pages(settings)):
        try:
            content = read_secret(source)
        except SettingsError as error:
            print(f"warning: {printable('; '.join(error.problems))}; pages has to")
            continue
        try:
            check_secret_of_pages(source, content)
        except SettingsError as error:
            yield f"{source.name}: {'; '.join(error.problems)}"


def bounds_for(settings: Settings, repository: str | None, told: TextIO | None = None) -> Bounds | None:
    """Return what a repository may have, and print by which rule; None, and why, if it may have nothing.

    Without a name it is what everybody may have. It is `told` on standard output, if nothing else is given.
    """
    if repository is None:
        return everybodys(settings)
    bounds = bounds_of(settings, repository)
    if bounds is None:
        print(f"{repository} gets nothing: {why_nothing(settings, repository)}", file=told)
    elif bounds.rule is None:
        print(f"{repository} may have all that the settings allow, as there is no `repositories`", file=told)
    else:
        print(f"{repository} may have what rule {bounds.rule} says", file=told)
    return bounds


def _unwrapped(content: bytes) -> bytes:
    """Return the settings in a ConfigMap such as the chart makes; any other file as it is.

    The lines of mistakes are then those of the settings in it. Raises SettingsError for what is no file of
    settings at all: a mistake for each of its keys would not say so.
    """
    try:
        found = read(content, {"$defs": {}}).value
    except Unreadable as error:
        # No setting is called `kind`, which everything has that the chart makes.
        if str(error) == "second_document" and _KIND.search(content):
            raise SettingsError((_SEVERAL,)) from None
        return content
    if not isinstance(found, dict):
        return content
    if "settings" in found:
        raise SettingsError((_VALUES,))
    if not {"apiVersion", "kind"} <= found.keys():
        return content
    data = found.get("data") if found["kind"] == "ConfigMap" else None
    inner = data.get(_KEY) if isinstance(data, dict) else None
    if not isinstance(inner, str):
        raise SettingsError((_OTHER,))
    return inner.encode()


def _named(path: Path) -> str:
    return "stdin" if path == STDIN else printable(str(path))


def _place(settings: Settings, environment: Mapping[str, str], source_of: Callable[..., SecretSource]) -> str:
    try:
        source = source_of(settings, environment)
    except SettingsError as error:
        return f"nowhere yet: {error.problems[0]}"
    return str(source.file or f"{PREFIX}{source.name.upper().replace('.', '__')}")


def _rules(settings: Settings) -> Iterator[str]:
    yield f"owners: {_list(settings.owners)}"
    yield f"limits: {_limits(settings.limits)}"
    if settings.repositories is None:
        yield "repositories: everybody's, without rules"
        yield from _rows(everybodys(settings))
        return
    yield "repositories: the first rule that is for one counts, and what none is for gets nothing"
    for number, rule in enumerate(settings.repositories, start=1):
        yield f"  {number}. {', '.join(rule.match)}{': nothing' if rule.gives_nothing else ''}"
        if not rule.gives_nothing:
            yield from _rows(rule_bounds(settings, number))
    if not settings.repositories:
        yield "  no rule: nobody gets anything"


def _rows(bounds: Bounds) -> Iterator[str]:
    for key, value in (
        ("namespaces", _list(bounds.namespaces)),
        ("targets", _list(bounds.targets)),
        ("images", _list(bounds.images)),
        ("entries", _list(bounds.entries, "any Service of these namespaces")),
        ("limits", _limits(bounds.limits) or "everybody's"),
        ("secrets", "files of the repository" if bounds.secrets else "no file of the repository"),
    ):
        yield f"       {key:<11} {value}"


def _limits(limits: LimitsSettings | RepositoryLimits) -> str:
    return ", ".join(f"{name} {number}" for name, number in limits.model_dump(exclude_none=True).items())


def _list(values: tuple[str, ...] | None, otherwise: str = "any") -> str:
    return otherwise if values is None else ", ".join(values) or "none"
