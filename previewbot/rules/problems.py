"""What is wrong in a configuration, or noted of it, as a Preview's status has it."""

from __future__ import annotations

from collections.abc import Iterable

from previewbot.api import ConfigurationProblem
from previewbot.config.words import shown
from previewbot.errors import Problem


def told(problems: Iterable[Problem]) -> tuple[ConfigurationProblem, ...]:
    """Return problems for the status; one in another file than the configuration names that itself."""
    return tuple(map(_told, problems))


def _told(problem: Problem) -> ConfigurationProblem:
    if not problem.file:
        return ConfigurationProblem(line=problem.line, message=problem.message)
    line = f", line {problem.line}" if problem.line else ""
    return ConfigurationProblem(line=0, message=f"{shown(problem.file)}{line}: {problem.message}")
