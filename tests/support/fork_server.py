"""Starts previewbot's commands by forking: a program, run by `forked.py`.

Each is a process of its own, with its own session, log and environment, that runs the command line's `main`.
Only the imports are made once for all, which is most of what a start costs. There is a fork server for each
of them: web's and pages' have gevent patch the standard library first, as the commands do; the others must
not. "asking" is for what people start to be told something: `doctor`, `explain`, `conformance`.
"""

from __future__ import annotations

import sys

if sys.argv[1] in ("web", "pages"):
    from gevent import monkey

    monkey.patch_all()

import importlib
import json
import os
import random
import signal
import socket
import traceback
from pathlib import Path
from typing import Any, NoReturn

from previewbot.cli import main
from previewbot_demo.processes import die_with_parent

_IMPORTED = {
    "web": (
        "previewbot.runtime.web_app",
        "previewbot.runtime.web_server",
        "previewbot.clients.kubernetes.web_client",
        "kubernetes.client.api.custom_objects_api",
    ),
    "pages": (
        "previewbot.runtime.pages_app",
        "previewbot.runtime.web_server",
        "previewbot.clients.kubernetes.pages_client",
        "kubernetes.client.api.custom_objects_api",
    ),
    "controller": ("previewbot.runtime.controller", "kubernetes.aio.client.api_client"),
    "asking": (
        "previewbot.cli.doctor",
        "previewbot.cli.explain",
        "previewbot.cli.conformance",
        "kubernetes.aio.client.api_client",
    ),
}


def serve(what: str, path: Path) -> NoReturn:
    """Fork a command for each connection: a line of JSON comes in, the number of the process goes out."""
    for name in _IMPORTED[what]:
        importlib.import_module(name)
    # Nobody waits for them here, and none must stay as a zombie: its number would look alive.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            with connection, connection.makefile() as lines:
                request = json.loads(lines.readline())
                number = os.fork()
                if number == 0:
                    server.close()
                    _become(request)
                connection.sendall(f"{number}\n".encode())


def _become(request: dict[str, Any]) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        dies = die_with_parent()
        if dies is not None:
            dies()
        os.chdir(request["directory"])
        for number, path in ((1, request["log"]), (2, request["errors"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.argv = ["previewbot", *request["arguments"]]
        # Else all of them would draw the same numbers.
        random.seed()
        code = main(request["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        # As Python does when a program ends by an error, which `_exit` would keep to itself.
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if request["code"]:
            # Nobody here waits for it: so much it leaves behind itself.
            Path(request["code"]).write_text(str(code))
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
