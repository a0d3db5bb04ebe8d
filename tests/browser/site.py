"""The pages, served over HTTP by pages' own application, with the Previews that a test wants."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from previewbot.api import Ask, Poke, Preview, new_object, status_object
from previewbot.config.server import parse
from previewbot.errors import TryLater
from previewbot.runtime.pages_app import create_pages
from tests.support.passes import SETTINGS
from tests.support.previews import NOW


@dataclass
class Site:
    """Where pages are public: the page of `/p/812/N` shows `shown[N]`; `asked` has each question for one."""

    url: str = ""
    shown: dict[int, Preview] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    away: bool = False

    def page(self, preview: Preview | None, number: int = 42) -> str:
        """Have an address show a Preview, or that there is none; return the address."""
        if preview is None:
            self.shown.pop(number, None)
        else:
            self.shown[number] = preview
        return f"{self.url}/p/812/{number}"

    def get_preview(self, name: str) -> dict[str, Any] | None:
        """Return a Preview, as pages reads it of the API server."""
        self.asked.append(name)
        if self.away:
            raise TryLater("Kubernetes")
        preview = self.shown.get(int(name.rpartition("-")[2]))
        if preview is None:
            return None
        obj = new_object(preview.spec, Poke())
        obj["metadata"] |= {"uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T09:00:00Z"}
        return obj | {"status": status_object(preview.status)}

    def ready(self) -> bool:
        """Return that the API server answers."""
        return True

    def ask(self, ask: Ask) -> None:
        """Nobody presses a button here."""
        raise AssertionError("a page asked for something")


class _Quiet(WSGIRequestHandler):
    """Keeps requests out of what the tests print."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on a free port of this machine until the end of the block; yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def site(pages: str = "public") -> Iterator[Site]:
    """Serve pages on a free port of this machine until the end of the block."""
    found = Site()
    settings = parse({**SETTINGS, "pages": pages}, {})
    with served(create_pages(settings, found, now=lambda: NOW)) as url:
        found.url = url
        yield found
