"""From the file's bytes to `RepositoryConfig`, or to all that is wrong with it, line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from previewbot.config import types as t
from previewbot.config.mirrord.files import Files
from previewbot.config.mistakes import validated
from previewbot.config.reader import Document, Mistake, Unreadable, cut, read
from previewbot.config.repository.agents import AgentPolicy, Agents, Keys, context_of
from previewbot.config.repository.defaults import DEFAULTS, SERVICES, complete
from previewbot.config.repository.mirrord_files import read_mirrord_files
from previewbot.config.repository.model import RepositoryConfig, Triggers
from previewbot.config.repository.single import list_singles
from previewbot.config.schema import at, example_line, schema_of
from previewbot.config.types import about
from previewbot.config.words import Words, fill, shown, some_of
from previewbot.errors import ConfigurationError, Problem

PATH = ".github/preview.yaml"
NEAR_MISSES = (".github/preview.yml", "preview.yaml", "preview.yml")
"""Where people put a file of this kind too; these are not read, but told of."""

_OF_A_SERVICE = 3
"""How many keys lead to one of a service's: `services`, its name, and the key."""


def parse(
    text: bytes | str, path: str = PATH, agents: Keys = None, files: Files | None = None
) -> RepositoryConfig:
    """Return the configuration; raises ConfigurationError with every problem, in the order of the lines.

    `files` are what is known of the repository's; raises FilesWanted where it names others.
    """
    files = files or Files()
    try:
        document = read(text, schema_of(RepositoryConfig))
        list_singles(document)
        complete(document)
        mirrord = read_mirrord_files(document, files)
        known = {**context_of(agents), "files": files}
        config, mistakes = validated(RepositoryConfig, document, context=known)
    except Unreadable as error:
        raise ConfigurationError(path, (_problem(error.mistake),)) from None
    # What is wrong with what was read by now is told together with what is wrong in the files.
    files.raise_wanted()
    if config is None or mirrord.problems:
        told = [each for each in mistakes if not mirrord.explain(each, document)]
        # Of thousands of mistakes: the status must fit into an object, and the comment into GitHub's limit.
        problems = [*map(_problem, cut(_together(told, document))), *mirrord.problems]
        # In the order of the lines, those in other files behind them.
        problems.sort(key=lambda problem: (problem.file, problem.line))
        raise ConfigurationError(path, tuple(problems))
    return config


class _Asking(t.Model, extra="ignore"):
    """What of a configuration says whether anything starts by itself."""

    triggers: Triggers = Triggers()
    agents: Agents = about("what is different for an agent's pull requests", default={})


def parse_asking(text: bytes | str, agents: Keys = None) -> tuple[Triggers, Mapping[str, AgentPolicy]] | None:
    """Return what starts by itself, of a configuration whose other files are not read; None if it is broken.

    To know that much of thousands of pull requests, no mirrord file is fetched.
    """
    try:
        document = read(text, schema_of(RepositoryConfig))
    except Unreadable:
        return None
    list_singles(document)
    found, _ = validated(_Asking, document, context=context_of(agents))
    return None if found is None else (found.triggers, found.agents)


def _together(mistakes: Sequence[Mistake], document: Document) -> list[Mistake]:
    """Return mistakes; a key that several services lack once, as `defaults` may say it for all of them."""
    lacking: dict[str, list[Mistake]] = {}
    for mistake in mistakes:
        if _is_lacking(mistake, document):
            lacking.setdefault(str(mistake.path[-1]), []).append(mistake)
    several = {key: each for key, each in lacking.items() if len(each) > 1}
    told = list[Mistake]()
    for mistake in mistakes:
        key = str(mistake.path[-1]) if mistake.path else ""
        if not _is_lacking(mistake, document) or key not in several:
            told.append(mistake)
        elif mistake is several[key][0]:
            told.append(replace(mistake, tell=partial(_lacked, key, several[key]), path=()))
    return told


def _is_lacking(mistake: Mistake, document: Document) -> bool:
    """Return whether a mistake is that a service lacks a key: of what is not there, nothing else is wrong."""
    path = mistake.path
    if len(path) != _OF_A_SERVICE or path[0] != SERVICES or path in document.places:
        return False
    return path[-1] in at(schema_of(RepositoryConfig), path[:-1]).get("required", ())


def _lacked(key: str, mistakes: Sequence[Mistake]) -> Words:
    names = [shown(str(mistake.path[1])) for mistake in mistakes]
    line = example_line(at(schema_of(RepositoryConfig), (DEFAULTS, key)), key)
    return fill("missing_often", {"key": key, "names": some_of(names), "line": line})


def _problem(mistake: Mistake) -> Problem:
    """Return a mistake as a sentence: about a key, or about what is in the line."""
    words = mistake.tell()
    keys = [key for key in mistake.path if isinstance(key, str)]
    if words.kind == "missing" and len(keys) > 1:
        return Problem(mistake.line, f"{shown('.'.join(keys))} {words}")
    subject = shown(keys[-1]) if keys and words.kind not in ("key_type", "template") else words.subject
    return Problem(mistake.line, f"{subject} {words}".lstrip())
