"""A repository's `.github/preview.yaml`: which services a change touches, and how each becomes a preview.

Strict, and meant for the person who made the mistake: every problem names its line and what to write instead.
"""

from previewbot.config.repository.model import TARGET_KINDS as TARGET_KINDS
from previewbot.config.repository.model import Entry as Entry
from previewbot.config.repository.model import RepositoryConfig as RepositoryConfig
from previewbot.config.repository.model import ServiceConfig as ServiceConfig
from previewbot.config.repository.model import TargetPath as TargetPath
from previewbot.config.repository.model import Triggers as Triggers
from previewbot.config.repository.model import parse_target as parse_target
from previewbot.config.repository.parsing import PATH as PATH
from previewbot.config.repository.parsing import parse as parse
from previewbot.config.repository.patterns import Patterns as Patterns
from previewbot.config.repository.values import IMAGE_FIELDS as IMAGE_FIELDS
