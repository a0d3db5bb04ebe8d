"""`previewbot conformance`: tries one session of a workload with its own image, and writes what was seen."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from previewbot.cli.secret_files import read_guard_keys
from previewbot.cli.serve import load, proxies_of
from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.operator import look_at_operator
from previewbot.clients.links import Links
from previewbot.config.repository import TargetPath
from previewbot.config.server import GatewaySettings, Settings
from previewbot.doctor.check import safe
from previewbot.doctor.conformance.judged import judged
from previewbot.doctor.conformance.leftovers import take_away_leftovers
from previewbot.doctor.conformance.record import Record, as_file
from previewbot.doctor.conformance.running import Trial, subject_of, to_its_end, tried
from previewbot.doctor.conformance.subject import Backend, NotToBeTried, Subject, session_manifest
from previewbot.doctor.report import exit_code, summary
from previewbot.engine.operator import OperatorSeen, problem_of
from previewbot.errors import Forbidden, RemoteError
from previewbot.rules.guard_bearers import of_a_question

_USER_AGENT = "previewbot-conformance"
_RIGHTS = (
    "use a kubeconfig that may make PreviewSessions (and HTTPRoutes, with --service) and read pods in that "
    "namespace, by PREVIEWBOT_CLUSTER__KUBECONFIG=FILE; the controller's own account may make nothing but "
    "previews of pull requests"
)


@dataclass(frozen=True)
class Wanted:
    """What is to be tried, as it was asked for on the command line."""

    namespace: str
    target: TargetPath
    entry_url: str
    backend: Backend | None
    output: Path


def conformance(config: Path, wanted: Wanted) -> int:
    """Try it, print the findings, and write the file; return the exit code.

    Raises SettingsError for settings that cannot be used.
    """
    settings = load(config, os.environ)
    if wanted.backend is not None and (settings.links is None or settings.links.gateway is None):
        print("--service asks for links.gateway in the settings: no Gateway is configured", file=sys.stderr)
        return 2
    # Before anything is made: without them the guard would refuse what is asked by the Gateway.
    keys = read_guard_keys(settings) if wanted.backend is not None else ()
    problem = _cannot_be_written(wanted.output)
    if problem:
        # Said now: all that was seen would be lost at the end.
        print(f"--output {wanted.output}: {problem}; name another file", file=sys.stderr)
        return 2
    try:
        record = asyncio.run(_run(settings, wanted, keys))
    except asyncio.CancelledError:
        print("ended before anything was made", file=sys.stderr)
        return 1
    except NotToBeTried as error:
        print(safe(str(error)), file=sys.stderr)
        return 1
    except Forbidden as error:
        print(f"{safe(str(error))}: {_RIGHTS}", file=sys.stderr)
        return 1
    except RemoteError as error:
        words = f"the cluster cannot be asked now: {safe(str(error))}; previewbot doctor says what is wrong"
        print(words, file=sys.stderr)
        return 1
    checks = judged(record)
    for check in checks:
        print(check.line)
    print(summary(checks))
    file = as_file(record, checks, datetime.now(UTC).isoformat(timespec="seconds"))
    try:
        wanted.output.write_text(file)
    except OSError as error:
        print(f"{wanted.output} cannot be written ({error.strerror}), so it follows here", file=sys.stderr)
        print(file)
        return 1
    print(f"All that was seen is in {wanted.output}. It names the workload, its image and hosts.")
    return exit_code(checks)


def _cannot_be_written(path: Path) -> str:
    """Return why a file cannot be written, as far as can be seen without writing it; empty if it can."""
    if path.is_dir():
        return "it is a directory"
    if not path.parent.is_dir():
        return f"there is no directory {path.parent}"
    return "" if os.access(path if path.exists() else path.parent, os.W_OK) else "it may not be written"


async def _run(settings: Settings, wanted: Wanted, keys: tuple[bytes, ...]) -> Record:
    say = _teller(time.monotonic())
    _end_early_when_told(say)
    kube = await Kube.connect(settings.cluster.kubeconfig, user_agent=_USER_AGENT)
    try:
        gateway = settings.links.gateway if settings.links else None
        seen = await look_at_operator(kube)
        problem = problem_of(seen, datetime.now(UTC))
        if problem is not None:
            raise NotToBeTried(f"{problem.words}; so there is nothing to try")
        subject = await subject_of(
            kube, wanted.namespace, wanted.target, wanted.entry_url, gateway, wanted.backend
        )
        await take_away_leftovers(kube, subject, datetime.now(UTC), say)
        bearer = partial(_bearer, gateway, keys)
        trial = Trial(kube, Links(_USER_AGENT, proxies=proxies_of(os.environ)), say, bearer=bearer)
        return await tried(trial, subject, _begun(subject, seen, await kube.server_version()))
    finally:
        # Whoever ends it here ends nothing any more, and still wants to know what was seen.
        await to_its_end(kube.close())


def _bearer(gateway: GatewaySettings | None, keys: tuple[bytes, ...], key: str) -> str:
    """Return what lets a question past the guard before a route, "" without a guard."""
    if gateway is None or not keys:
        return ""
    return of_a_question(keys, key, gateway.domain, datetime.now(UTC))


def _end_early_when_told(say: Callable[[str], None]) -> None:
    """Have Ctrl-C, SIGTERM and a closed terminal end what is tried; what was made is removed all the same.

    Only the first of them: a second one, in impatience, would leave a session behind that takes requests.
    """
    working = asyncio.current_task()
    assert working is not None
    told = False

    def end() -> None:
        nonlocal told
        say("still removing what was made" if told else "ending early")
        if not told:
            working.cancel()
        told = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end)


def _begun(subject: Subject, seen: OperatorSeen, kubernetes: str) -> Record:
    return Record(
        previewbot=version("previewbot"),
        kubernetes=kubernetes,
        operator={
            "answer": seen.answer.name,
            "version": seen.operator.version,
            "features": sorted(seen.operator.features or ()),
        },
        link=subject.link,
        through_gateway=subject.through_gateway,
        sent=session_manifest(subject)["spec"],
    )


def _teller(began: float) -> Callable[[str], None]:
    def say(what: str) -> None:
        # Where nobody reads it any more (`2>&1 | head`, a closed terminal) what was made is still removed.
        with suppress(OSError):
            print(f"{time.monotonic() - began:6.1f} s  {safe(what)}", file=sys.stderr, flush=True)

    return say
