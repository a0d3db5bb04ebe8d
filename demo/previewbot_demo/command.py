"""`previewbot demo`: starts the world, says where to look, and takes everything down again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import secrets
import signal
import sys
from dataclasses import replace
from pathlib import Path

from previewbot_demo.guide import STEPS
from previewbot_demo.processes import StartError
from previewbot_demo.progress import Progress
from previewbot_demo.world import Options, World

_LOOK_AFTER = 1.0
_UNHURRIED = 1.5
_NAMESPACE = "previewbot-demo"

_WELCOME = """
The demo is running. Open

    {url}/

It shows a pull request beside staging and its preview, and what to try next. Each is also there by itself:
the pull requests at {url}/acme/shop/pulls, staging at http://shop.localhost:{port}/cart

What CI and agents do you can do, too, with the number of a pull request:

    {command} wait acme/shop#NUMBER --url {page} --bearer-file {bearer}

Logs are in {directory}. Ctrl-C ends everything.
"""

_GUARDED = """
Each preview is guarded: its link leads to a sign-in first, for whoever has not signed in. The view with
everything side by side shows no previews then, since a sign-in does not show itself in a frame.
"""


_PICTURED = """
Pictures of each preview, before and after, come some seconds after it is ready: on its page (in the comment,
"Say what you think"), and folded in the comment.
"""


def run(
    port: int,
    check: bool,
    keep: bool,
    kubeconfig: Path | None = None,
    *,
    guard: bool = False,
    pictures: bool = False,
) -> int:
    """Run the demo until Ctrl-C, or with `check` its tour; return the exit code.

    With `keep` the temporary directory (settings, logs) stays, and after a tour the world runs on. With a
    `kubeconfig` that cluster is used, which must have the CRDs; what is made there is removed at the end.
    With `guard` previews open for those who sign in, with `pictures` a Chromium looks at them.
    """
    try:
        waits = 0.0 if check else _UNHURRIED
        options = Options(port=port, keep=keep, start_seconds=waits, guard=guard, pictures=pictures)
        if kubeconfig is not None:
            # Ids that no App and no repository of a previewbot at work there has. GraphQL's Int has 31 bits:
            # of a larger one GitHub could not say whose an issue is.
            app_id, repository_id = (2 * 10**9 + secrets.randbelow(10**8) for _ in range(2))
            options = replace(
                options,
                kubeconfig=kubeconfig,
                namespace=_NAMESPACE,
                app_id=app_id,
                repository_id=repository_id,
            )
        return asyncio.run(_run(options, check, keep))
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        print(f"Port {port} is taken. Choose another: previewbot demo --port {port + 10}", file=sys.stderr)
        return 1
    except StartError as error:
        print(f"The demo could not start: {error}", file=sys.stderr)
        return 1


async def _run(options: Options, check: bool, keep: bool) -> int:
    stop = _stop_signal()
    code = 0
    with Progress(sys.stdout) as progress:
        async with World(options, progress.done, progress.begins) as world:
            if check:
                code = await _check(world, stop)
            if not check or (keep and not stop.is_set()):
                print(_welcome(world), flush=True)
                code = await _until_stopped(world, stop) or code
            print("\nTaking everything down …", flush=True)
    if keep:
        print(f"Kept: {world.directory}")
    return code


def _welcome(world: World) -> str:
    started = sys.argv[0]
    more = (_GUARDED if world.options.guard else "") + (_PICTURED if world.options.pictures else "")
    said = _WELCOME.format(
        url=world.url,
        port=world.port,
        directory=world.directory,
        # As this one was started: in a clone `previewbot` alone may be found nowhere.
        command=started if Path(started).name == "previewbot" else f"{sys.executable} -m previewbot",
        page=world.bot.url,
        bearer=world.bot.bearer_file,
    )
    return said + more


async def _check(world: World, stop: asyncio.Event) -> int:
    """Run the tour; Ctrl-C ends it early, with a failure."""
    from previewbot_demo.demo_tour import check

    checking = asyncio.ensure_future(check(world))
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({checking, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not checking.done():
        checking.cancel()
        await asyncio.gather(checking, return_exceptions=True)
        return 1
    return checking.result()


async def _until_stopped(world: World, stop: asyncio.Event) -> int:
    """Wait for Ctrl-C; say meanwhile what was tried; end early, and say why, if previewbot ends by itself."""
    said: frozenset[str] = frozenset()
    while not stop.is_set():
        ended = world.bot.ended()
        if ended is not None:
            print(ended, file=sys.stderr)
            return 1
        said = _say_ticks(world.split_view.look(), said)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_AFTER):
                await stop.wait()
    return 0


def _say_ticks(done: frozenset[str], said: frozenset[str]) -> frozenset[str]:
    """Print each step that is done and was not said yet; return what is said now."""
    for step in STEPS:
        if step.name in done - said:
            said |= {step.name}
            print(f"  {len(said):2} of {len(STEPS)}  done: {step.do}", flush=True)
    return said


def _stop_signal() -> asyncio.Event:
    """Return an event that Ctrl-C or SIGTERM sets, so that the teardown runs to its end."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
