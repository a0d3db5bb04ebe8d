"""From the file's bytes to `RepositoryConfig`, or to all that is wrong with it, line by line."""

from __future__ import annotations

from previewbot.config.mistakes import validated
from previewbot.config.reader import Mistake, Unreadable, cut, read
from previewbot.config.repository.agents import Keys, context_of
from previewbot.config.repository.defaults import complete
from previewbot.config.repository.model import SCHEMA, RepositoryConfig
from previewbot.config.words import shown
from previewbot.errors import ConfigurationError, Problem

PATH = ".github/preview.yaml"
NEAR_MISSES = (".github/preview.yml", "preview.yaml", "preview.yml")
"""Where people put a file of this kind too; these are not read, but told of."""


def parse(text: bytes | str, path: str = PATH, agents: Keys = None) -> RepositoryConfig:
    """Return the configuration; raises ConfigurationError with every problem, in the order of the lines."""
    try:
        document = read(text, SCHEMA)
        complete(document)
        config, mistakes = validated(RepositoryConfig, document, context=context_of(agents))
    except Unreadable as error:
        raise ConfigurationError(path, (_problem(error.mistake),)) from None
    if config is None:
        # Of thousands of mistakes: the status must fit into an object, and the comment into GitHub's limit.
        raise ConfigurationError(path, tuple(_problem(mistake) for mistake in cut(mistakes)))
    return config


def _problem(mistake: Mistake) -> Problem:
    """Return a mistake as a sentence: about a key, or about what is in the line."""
    words = mistake.tell()
    keys = [key for key in mistake.path if isinstance(key, str)]
    if words.kind == "missing" and len(keys) > 1:
        return Problem(mistake.line, f"{shown('.'.join(keys))} {words}")
    subject = shown(keys[-1]) if keys and words.kind != "key_type" else words.subject
    return Problem(mistake.line, f"{subject} {words}".lstrip())
