"""A repository's `.github/preview.yaml`: which services a change touches, and how each becomes a preview.

Strict, and meant for the person who made the mistake: every problem names its line and what to write instead.
"""

from previewbot.config.repository.agents import UNKNOWN_APPS as UNKNOWN_APPS
from previewbot.config.repository.agents import AgentPolicy as AgentPolicy
from previewbot.config.repository.builds import NamedBuild as NamedBuild
from previewbot.config.repository.entries import Entry as Entry
from previewbot.config.repository.entries import FrontEnd as FrontEnd
from previewbot.config.repository.entries import PathRoute as PathRoute
from previewbot.config.repository.entries import PathRule as PathRule
from previewbot.config.repository.image_fields import IMAGE_FIELDS as IMAGE_FIELDS
from previewbot.config.repository.model import RepositoryConfig as RepositoryConfig
from previewbot.config.repository.model import Triggers as Triggers
from previewbot.config.repository.notify import OCCASIONS as OCCASIONS
from previewbot.config.repository.notify import Notify as Notify
from previewbot.config.repository.notify import Occasion as Occasion
from previewbot.config.repository.notify import is_told as is_told
from previewbot.config.repository.parsing import NEAR_MISSES as NEAR_MISSES
from previewbot.config.repository.parsing import PATH as PATH
from previewbot.config.repository.parsing import parse as parse
from previewbot.config.repository.parsing import parse_asking as parse_asking
from previewbot.config.repository.patterns import SHARED as SHARED
from previewbot.config.repository.patterns import Patterns as Patterns
from previewbot.config.repository.published import published_schema as published_schema
from previewbot.config.repository.services import Defaults as Defaults
from previewbot.config.repository.services import ServiceConfig as ServiceConfig
from previewbot.config.target_paths import TargetPath as TargetPath
from previewbot.config.target_paths import parse_target as parse_target
from previewbot.config.types import TARGET_KINDS as TARGET_KINDS
