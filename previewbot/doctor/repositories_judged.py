"""What the files of repositories mean for an installation: judged here, read elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from previewbot.config.repository import PATH
from previewbot.config.server import Settings
from previewbot.doctor.check import Check, Whose, listed, not_checked, note, ok, safe, wrong
from previewbot.errors import Forbidden
from previewbot.reconciler.gather.configuration import Configuration
from previewbot.rules.app_rights import lacking_permissions, lacking_to_tell_in_issues
from previewbot.rules.repositories import rule_of, why_nothing

REPOSITORIES, TARGETS = "repositories", "targets"

_SHOWN = 5


def repositories(
    covered: Sequence[str],
    having: int,
    found: Mapping[str, Configuration],
    settings: Settings,
    granted: Mapping[str, Mapping[str, str]],
) -> list[Check]:
    """Return what the covered repositories may have, and whether their files ask for more than that.

    `granted` is what the App may do in each repository.
    """
    if not covered:
        return [not_checked(REPOSITORIES, "no installation that counts covers one")]
    if not having:
        words = (
            f"of {len(covered)} that the App covers none gets anything: {covered[0]}, because "
            f"{why_nothing(settings, covered[0])}"
        )
        return [wrong(REPOSITORIES, words)]
    with_file = [name for name, configuration in found.items() if configuration.sha]
    read = f"{len(found)} of these were looked at" if len(found) < having else "all of them were looked at"
    told = (
        f"the App covers {len(covered)}, of which {having} may have previews; {read}, and "
        f"{len(with_file)} have a {PATH}"
    )
    if not with_file:
        words = f"{told}: commit one to a default branch (docs/configuration.md)"
        return [note(REPOSITORIES, words, Whose.REPOSITORY)]
    return [
        ok(REPOSITORIES, told),
        *(check for name in with_file for check in _file(name, found[name], settings)),
        *(check for name in with_file for check in _notify(name, found[name], granted.get(name, {}))),
    ]


def _notify(name: str, configuration: Configuration, granted: Mapping[str, str]) -> list[Check]:
    """Return whether people can be told in issues, where a file wants that."""
    config = configuration.config
    lacking = lacking_to_tell_in_issues(granted)
    if config is None or config.notify is None or config.notify.where != "issue" or not lacking:
        return []
    words = (
        f"{name} wants people told in issues (`notify: {{where: issue}}`), which takes {lacking}: set it on "
        "the App's settings page, then accept it per installation"
    )
    return [note(PATH, words, Whose.APP_OWNER)]


def _file(name: str, configuration: Configuration, settings: Settings) -> list[Check]:
    problems = configuration.read.problems
    if not problems:
        return []
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    told = f"{name}, line {first.line}: {safe(first.message)}{more}"
    if not configuration.read.not_allowed:
        return [note(PATH, told, Whose.REPOSITORY)]
    # Whether a rule or the settings for all: that file counts for nothing, and no pull request has a preview.
    number = rule_of(settings, name)
    rule = f"rule {number} of `repositories`, " if number is not None else ""
    words = (
        f"{told}; if it should have that, it is {rule}images.allowed or cluster.namespaces of the settings "
        "that is too narrow"
    )
    return [wrong(PATH, words, Whose.PLATFORM_TEAM)]


def unreadable(name: str, error: Forbidden, granted: Mapping[str, str]) -> Check:
    """Return what it means that GitHub does not let the file of a repository be read.

    `granted` is what its installation may: what is missing there is told of the App, or of that installation.
    """
    if any("contents" in each or "metadata" in each for each in lacking_permissions(granted)):
        return not_checked(REPOSITORIES, "their files cannot be read; see what the App lacks")
    words = (
        f"GitHub refuses to show {PATH} of {name}: {safe(error.message)}; has its owner an IP allow list "
        "(github.com, the organization's settings, Authentication security)?"
    )
    return wrong(REPOSITORIES, words, Whose.APP_OWNER)


def targets(asked: int, problems: Mapping[str, str], closed: Sequence[str] = ()) -> list[Check]:
    """Return whether the workloads are there that repositories name, but for those in `closed` namespaces."""
    if not asked and closed:
        return [not_checked(TARGETS, f"because of what is wrong with {listed(closed, _SHOWN)}")]
    if not asked:
        return [not_checked(TARGETS, f"no {PATH} was found that names one")]
    if not problems:
        return [
            ok(TARGETS, f"each workload that a {PATH} names is there, with a container to replace ({asked})")
        ]
    return [
        wrong(TARGETS, f"{where}: {safe(problem)}", Whose.REPOSITORY)
        for where, problem in [*problems.items()][:_SHOWN]
    ]
