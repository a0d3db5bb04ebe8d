"""A repository's `.github/preview.yaml`: which services a change touches, and how each becomes a preview.

Strict, and meant for the person who made the mistake: every problem names its line and what to write instead.
"""

from previewbot.repoconfig.against import check_against
from previewbot.repoconfig.model import (
    TARGET_KINDS,
    Entry,
    RepositoryConfig,
    ServiceConfig,
    TargetPath,
    Triggers,
    parse_target,
)
from previewbot.repoconfig.parsing import PATH, parse
from previewbot.repoconfig.values import IMAGE_FIELDS

__all__ = [
    "IMAGE_FIELDS",
    "PATH",
    "TARGET_KINDS",
    "Entry",
    "RepositoryConfig",
    "ServiceConfig",
    "TargetPath",
    "Triggers",
    "check_against",
    "parse",
    "parse_target",
]
