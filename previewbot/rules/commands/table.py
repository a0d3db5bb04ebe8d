"""All commands, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from previewbot.rules.commands.extend import EXTEND
from previewbot.rules.commands.help import HELP
from previewbot.rules.commands.logs import LOGS
from previewbot.rules.commands.reset import RESET
from previewbot.rules.commands.restart import RESTART
from previewbot.rules.commands.start import START
from previewbot.rules.commands.status import STATUS
from previewbot.rules.commands.stop import STOP
from previewbot.rules.commands.values import CommandName, Definition

DEFINITIONS: tuple[Definition, ...] = (START, STOP, RESTART, RESET, EXTEND, STATUS, LOGS, HELP)
NAMED: Mapping[CommandName, Definition] = {each.name: each for each in DEFINITIONS}
NAMES: tuple[CommandName, ...] = tuple(NAMED)
SYNONYMS: Mapping[str, CommandName] = {word: each.name for each in DEFINITIONS for word in each.synonyms}
