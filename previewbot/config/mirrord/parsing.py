"""From a mirrord file's bytes to `MirrordConfig`, or to all that is wrong with it, line by line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from previewbot.config.mirrord.configuration import MirrordConfig
from previewbot.config.mirrord.files import Files
from previewbot.config.mirrord.model import MirrordFile
from previewbot.config.mirrord.notes import UNUSED, notes_of
from previewbot.config.mirrord.reading import read_document
from previewbot.config.mirrord.resolving import Resolving, resolve
from previewbot.config.mistakes import validated
from previewbot.config.reader import Mistake, Unreadable, cut
from previewbot.config.schema import KeyPath, schema_of
from previewbot.config.words import fill, shown
from previewbot.errors import ConfigurationError, Problem


def read_mirrord(content: bytes, path: str, files: Files) -> MirrordConfig:
    """Return what a mirrord file of the repository says; `path` is its own from the root.

    Raises ConfigurationError with every problem, in the order of the lines. Files that it names and that are
    not known yet are asked for in `files`: then what is returned is of no use, and `files.raise_wanted` says
    which.
    """
    try:
        document = read_document(content, path, schema_of(MirrordFile), UNUSED)
    except Unreadable as error:
        raise ConfigurationError(path, (problem(error.mistake),)) from None
    model, mistakes = validated(MirrordFile, document, nulls=lambda _: True)
    if model is None:
        raise ConfigurationError(path, _problems(mistakes))
    folder = str(PurePosixPath(path).parent)
    return resolved(model, path, "" if folder == "." else folder, files, document.line_of)


def resolved(
    model: MirrordFile, path: str, folder: str, files: Files, line_of: Callable[[KeyPath], int]
) -> MirrordConfig:
    """Return what a mirrord file's model says; raises ConfigurationError, as `read_mirrord` does.

    `path` is the file that it stands in, `folder` where the files are that it names, `line_of` says where one
    of its keys was written.
    """
    resolving = Resolving(folder, files, line_of)
    config = resolve(model, resolving)
    if resolving.mistakes:
        raise ConfigurationError(path, _problems(resolving.mistakes))
    notes = [Problem(line_of(at), _sentence(at, fill(kind, named))) for at, kind, named in notes_of(model)]
    secrets = [
        Problem(line_of(at), _sentence(at, fill("secrets_not_allowed", {}))) for at in resolving.secrets
    ]
    return replace(config, notes=_by_line(notes), secrets=_by_line(secrets))


def problem(mistake: Mistake) -> Problem:
    """Return a mistake in a mirrord file as a sentence, with the whole name of its key."""
    words = mistake.tell()
    if not mistake.path or words.kind in ("template", "key_type"):
        return Problem(mistake.line, f"{words.subject} {words}".lstrip())
    return Problem(mistake.line, _sentence(mistake.path, words))


def _sentence(path: KeyPath, words: object) -> str:
    return f"{shown(dotted(path), most=80)} {words}"


def dotted(path: KeyPath) -> str:
    """Return a key with all that it is within, as mirrord's documentation writes it."""
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return named.removeprefix(".")


def _problems(mistakes: Sequence[Mistake]) -> tuple[Problem, ...]:
    in_order = sorted(mistakes, key=lambda mistake: mistake.line)
    return tuple(map(problem, cut(in_order)))


def _by_line(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda each: each.line))
