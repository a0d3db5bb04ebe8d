"""What every text about a preview is made from: the Preview, and the addresses that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from previewbot.api import ClosingIssue, Preview, Verdict
from previewbot.text.command_help import CommandHelp


@dataclass(frozen=True)
class View:
    """What the texts are rendered from: a Preview, and the addresses and the header that they name.

    `page_url` is empty where the page tells nothing to anybody: no text leads there then. `say_url` is where
    people say what they think of it, empty where nobody can; `said_by_proxy`: previewbot quotes them. With
    `logs` comments, answers and page may quote what containers said. `log_commands` shows it to the platform
    team, by service; `commands` is what people can write. `now` is for what is drawn anew for each reader,
    the page: it says how long something takes from now on, and a comment what stays true.
    `pictures_url` is below where anybody finds the pictures, empty unless they are for anybody.
    """

    preview: Preview
    page_url: str
    pull_request_url: str
    header: str
    logs: bool = True
    log_commands: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[CommandHelp] = ()
    now: datetime | None = None
    say_url: str = ""
    said_by_proxy: bool = False
    pictures_url: str = ""

    def issue_url(self, issue: ClosingIssue) -> str:
        """Return the address of an issue on the same server."""
        # All that is of a repository stands below `owner/name`.
        web_url = self.pull_request_url.rsplit("/", 4)[0]
        return f"{web_url}/{issue.repository}/issues/{issue.number}"

    def verdict_url(self, verdict: Verdict) -> str:
        """Return the address of the comment that a verdict is."""
        return f"{self.pull_request_url}#issuecomment-{verdict.comment}"
