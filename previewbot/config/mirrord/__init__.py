"""A team's own mirrord configuration, read as mirrord's CLI 3.250 reads it."""

from previewbot.config.mirrord.configuration import MirrordConfig as MirrordConfig
from previewbot.config.mirrord.model import MirrordFile as MirrordFile
from previewbot.config.mirrord.parsing import read_mirrord as read_mirrord
from previewbot.config.mirrord.parsing import resolved as resolved
