"""Notes whom a process speaks to. Python imports this first, where PYTHONPATH names its folder.

It writes a line of JSON for each name that is looked up, each address that is connected or sent to, and each
program that is started, before it happens (https://docs.python.org/3/library/audit_events.html). So it sees
what the process does, whatever its settings say and whichever library does it.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

VARIABLE = "PREVIEWBOT_TEST_DESTINATIONS"

_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_SENDS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_PROGRAMS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system")


def _observe(path: str) -> None:
    # Kept open: a process that forks goes on writing to the same file, each line whole.
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _LOOKUPS:
            line = ["name", str(arguments[0]), str(arguments[1]) if len(arguments) > 1 else ""]
        elif event in _SENDS:
            line = ["address", *_host_and_port(arguments[1])]
        elif event in _PROGRAMS:
            line = ["program", str(arguments[0]), ""]
        else:
            return
        os.write(file, json.dumps(line).encode() + b"\n")

    sys.addaudithook(note)


def _host_and_port(address: object) -> tuple[str, str]:
    if isinstance(address, tuple):
        return str(address[0]), str(address[1])
    return str(address), ""


if path := os.environ.get(VARIABLE):
    _observe(path)
