"""Attack: a program of the kubeconfig prints without end, to fill the memory or to hold up the process.

It is a program that the platform team chose, but what it prints it may have from anywhere. Web runs it among
gevent's greenlets, the controller in a thread.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from previewbot.clients.kubernetes import exec_plugin
from previewbot.clients.kubernetes.exec_plugin import PluginFailed
from previewbot.clients.kubernetes.kubeconfig import ExecPlugin

V1 = "client.authentication.k8s.io/v1"
SHELL = {"PATH": "/usr/bin:/bin"}
ROOT = Path(__file__).parents[2]
_ASK = """if True:
    import json, resource, sys
    kind, script, patience = sys.argv[1:]
    if kind == "web":
        from gevent import monkey
        monkey.patch_all()
    import threading, time
    from tests.security.test_plugins_without_end import asked
    turns, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    def others():
        global turns
        while True:
            turns += 1
            time.sleep(0.01)
    threading.Thread(target=others, daemon=True).start()
    found = []
    asking = threading.Thread(target=lambda: found.append(asked(script, float(patience))))
    asking.start()
    asking.join()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps([*found, grown // 1024, turns]))
"""


def asked(script: str, patience: float) -> str:
    """Return the token that a shell's script gives, or in which words it gives none."""
    plugin = ExecPlugin(V1, "/bin/sh", ("-c", script))
    try:
        return exec_plugin.ask(plugin, {}, SHELL, patience=patience).token
    except PluginFailed as error:
        return str(error)


def in_a_process(kind: str, script: str, patience: float) -> tuple[str, int, int]:
    """Return the same as a process of its own sees it, how many MiB that took, and how often others ran."""
    command = [sys.executable, "-c", _ASK, kind, script, str(patience)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    words, grown, turns = json.loads(done.stdout)
    return words, grown, turns


def is_running(pid: int) -> bool:
    with suppress(FileNotFoundError):
        # What is dead and not yet collected by whoever is to do so has no more than its name.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


BOTH = pytest.mark.parametrize("kind", ["web", "controller"])


@BOTH
def test_a_program_that_prints_without_end_is_ended_with_all_that_it_started(
    kind: str, tmp_path: Path
) -> None:
    began = time.monotonic()

    words, grown, _ = in_a_process(kind, f"sleep 600 & echo $! $$ >{tmp_path}/pids; exec yes", 300)

    assert words == "the program /bin/sh, which is to give the login, printed more than 64 KiB and was ended"
    assert time.monotonic() - began < 200
    assert grown < 64
    for pid in (tmp_path / "pids").read_text().split():
        while is_running(int(pid)):
            time.sleep(0.02)


@pytest.mark.parametrize("nested", ["[" * 60_000, '{"a":' * 12_000])
def test_nested_brackets_are_no_login_and_end_the_start_as_any_nonsense(nested: str) -> None:
    words = asked(f"echo '{nested}'", 60)

    assert words == "the program /bin/sh, which is to give the login, printed what is no JSON"


@BOTH
def test_words_without_end_are_not_kept_and_hold_up_nobody(kind: str) -> None:
    words, grown, turns = in_a_process(kind, "exec yes >&2", 1)

    assert words == "the program /bin/sh, which is to give the login, gave none within 1 s and was ended"
    assert grown < 64
    assert turns > 10


@BOTH
def test_a_program_that_has_much_to_say_beside_it_gives_its_login(kind: str) -> None:
    given = json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": {"token": "t"}})

    words, _, _ = in_a_process(kind, f"yes | head -c 1000000 >&2; echo '{given}'", 60)

    assert words == "t"
