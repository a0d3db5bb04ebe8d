"""Plain requests to an API server, to see all of an answer: status, warnings, every event of a watch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

Object = dict[str, Any]
MERGE_PATCH = "application/merge-patch+json"
AGENT = "admin"
AT_ONCE = 4
"""How many requests there are at once where the order does not matter: most of each is spent waiting."""
_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What an API server answered; `warnings` are its Warning headers."""

    status: int
    text: str
    warnings: tuple[str, ...]

    @property
    def body(self) -> Object:
        """The JSON object that was answered; empty if it was something else."""
        try:
            found = json.loads(self.text)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def events(self) -> list[Object]:
        """The events of a watch that has ended."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def reason(self) -> tuple[int, str]:
        """Code and reason of a refusal."""
        return self.status, str(self.body.get("reason", ""))


class Api:
    """Sends requests with a token; whatever is answered is returned, nothing is raised for a status."""

    def __init__(self, url: str, token: str, authority: Path | None = None) -> None:
        self.url = url
        self._token = token
        certificates = str(authority) if authority else None
        self._http = urllib3.PoolManager(maxsize=AT_ONCE, ca_certs=certificates, retries=False)

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json") -> Answer:
        """Send one request and read all of its answer."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content, "User-Agent": AGENT}
        data = None if body is None else json.dumps(body).encode()
        found = self._http.request(method, self.url + path, body=data, headers=headers, timeout=_SECONDS)
        return Answer(found.status, found.data.decode(), tuple(found.headers.getlist("Warning")))

    def close(self) -> None:
        """Close its connections."""
        self._http.clear()
