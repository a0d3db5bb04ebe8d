"""The table of coding agents: the signals by which they are recognised, as data that the settings may change.

`agents.toml` has a row for each signal, with the public page or pull request that shows it and when that was
read. What is made of the rows is in `rules/agents`.
"""

from previewbot.config.agents.reading import AgentTableError as AgentTableError
from previewbot.config.agents.reading import built_in as built_in
from previewbot.config.agents.reading import table_from as table_from
from previewbot.config.agents.table import Agent as Agent
from previewbot.config.agents.table import AgentTable as AgentTable
from previewbot.config.agents.table import NoAgent as NoAgent
from previewbot.config.agents.table import NoAgentKind as NoAgentKind
from previewbot.config.agents.table import Signal as Signal
from previewbot.config.agents.table import SignalKind as SignalKind
