"""A repository's `.github/preview.yaml`: which services a change touches, and how each becomes a preview.

Strict, and meant for the person who made the mistake: every problem names its line and what to write instead.
"""

from previewbot.repoconfig.against import check_against as check_against
from previewbot.repoconfig.model import TARGET_KINDS as TARGET_KINDS
from previewbot.repoconfig.model import Entry as Entry
from previewbot.repoconfig.model import RepositoryConfig as RepositoryConfig
from previewbot.repoconfig.model import ServiceConfig as ServiceConfig
from previewbot.repoconfig.model import TargetPath as TargetPath
from previewbot.repoconfig.model import Triggers as Triggers
from previewbot.repoconfig.model import parse_target as parse_target
from previewbot.repoconfig.parsing import PATH as PATH
from previewbot.repoconfig.parsing import parse as parse
from previewbot.repoconfig.values import IMAGE_FIELDS as IMAGE_FIELDS
