"""Recognising the coding agent behind a pull request: by its account, its branch, its text, its commits.

An agent that is recognised *triggers* a preview and grants nothing: branch names and trailers can be forged
by whoever may push. Most agents open pull requests under a person's account, so no single signal is enough:
logins alone find 59 % of the 7,122 agent pull requests of the AIDev-pop data set. To a fork anybody may push,
so there the account alone tells.

Which signals there are is data (`config/agents/agents.toml`, and what the settings change of it): the table
is an argument of everything here.
"""

from previewbot.rules.agents.commits import signatures as signatures
from previewbot.rules.agents.descriptions import kept_of as kept_of
from previewbot.rules.agents.recognition import Signs as Signs
from previewbot.rules.agents.recognition import agent_of as agent_of
from previewbot.rules.agents.recognition import is_agents_branch as is_agents_branch
from previewbot.rules.agents.recognition import needs_commits as needs_commits
from previewbot.rules.agents.recognition import recognise as recognise
from previewbot.rules.agents.recognition import why_none as why_none
from previewbot.rules.agents.sessions import kept_of_message as kept_of_message
from previewbot.rules.agents.sessions import kept_of_text as kept_of_text
from previewbot.rules.agents.sessions import session_url as session_url
