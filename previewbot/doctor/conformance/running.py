"""Tries one session: makes it, asks, removes it again, and notes everything that was seen.

Whatever happens, also Ctrl-C, what was made is removed, and what could not be is named.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from previewbot.clients.kubernetes.client import Kube
from previewbot.clients.kubernetes.resources import PODS
from previewbot.clients.links import Links, Question
from previewbot.config.repository import TargetPath
from previewbot.config.server import GatewaySettings
from previewbot.doctor.conformance.record import Asking, PhaseSeen, Record, Tally
from previewbot.doctor.conformance.subject import (
    Backend,
    NotToBeTried,
    Subject,
    own_image,
    route_manifest,
    session_manifest,
)
from previewbot.doctor.gateways import LOOK_AGAIN_SECONDS, decides, last_look, said_of_route
from previewbot.engine.gateway_state import UNREAD
from previewbot.engine.mirrord import POD_SESSION, SESSIONS, header_value, session_from
from previewbot.engine.routes import ROUTES
from previewbot.engine.targets import TargetProblem, choose_container, referenced
from previewbot.errors import RemoteError
from previewbot.reconciler.gather.gateway import read_gateway
from previewbot.reconciler.gather.targets import with_template
from previewbot.rules.masking import one_line

T = TypeVar("T")

REQUESTS = 10
"""How many requests of each kind are asked."""


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds: for Ready, for the Gateway, and for the end."""

    ready: float = 300.0
    gateway: float = 15.0
    end: float = 120.0
    look_again: float = LOOK_AGAIN_SECONDS


@dataclass(frozen=True)
class Trial:
    """What a trial works with; `say` is told what happens now, for whoever waits.

    `bearer` returns what lets a question past the guard before the route of a key, "" where there is none.
    """

    kube: Kube
    web: Links
    say: Callable[[str], None]
    patience: Patience = Patience()
    clock: Callable[[], float] = time.monotonic
    bearer: Callable[[str], str] = lambda key: ""


async def subject_of(
    kube: Kube,
    namespace: str,
    target: TargetPath,
    entry_url: str,
    gateway: GatewaySettings | None,
    backend: Backend | None,
) -> Subject:
    """Return what is to be tried; raises NotToBeTried, or a RemoteError of the API server."""
    workload = await kube.get_target(namespace, target.kind, target.name)
    try:
        source = referenced(target, workload)
        template = await with_template(kube, namespace, target, workload)
        container = choose_container(target, template, "", source).name
    except TargetProblem as problem:
        raise NotToBeTried(f"{problem} (namespace {namespace})") from problem
    assert template is not None
    state, sha = UNREAD, ""
    if gateway is not None and backend is not None:
        state = await read_gateway(kube, gateway)
        sha = secrets.token_hex(20) if gateway.names_commit(supported=state.sets_answers) else ""
    if state.trouble:
        raise NotToBeTried(f"{state.trouble}; without --service requests do not go through the Gateway")
    return Subject(
        namespace=namespace,
        target=target,
        container=container,
        image=own_image(target, container, template),
        # None that a preview could have, and nobody can know it before.
        key=f"conformance-{secrets.token_hex(6)}",
        entry_url=entry_url,
        gateway=gateway if backend is not None else None,
        backend=backend,
        gateway_state=state,
        sha=sha,
    )


async def tried(trial: Trial, subject: Subject, begun: Record) -> Record:
    """Make the session (and the route), ask, remove both, and return what was seen on top of `begun`.

    Raises nothing of the network's: what went wrong is in the record.
    """
    record, uid = begun, ""
    try:
        if subject.through_gateway:
            record = await _with_route(trial, subject, record)
        record = await _asked(trial, subject, record, (Asking.BEFORE,))
        trial.say(f"making the session {subject.session_name}")
        made = await trial.kube.create_child(SESSIONS, subject.namespace, session_manifest(subject))
        uid = str(made["metadata"]["uid"])
        record = replace(record, stored=made.get("spec") or {})
        record = await _until_ready(trial, subject, record)
        if record.became_ready:
            await asyncio.sleep(trial.patience.look_again)
            record = await _asked(
                trial, subject, record, (Asking.WITH_KEY, Asking.WITHOUT, Asking.ANOTHER_KEY)
            )
    except RemoteError as error:
        record = replace(record, stopped=one_line(str(error)))
    except asyncio.CancelledError:
        # Ctrl-C, or the end of a pod. What was seen is still worth writing down, once everything is removed.
        record = replace(record, stopped="it was ended before its time")
        _go_on()
    except Exception:
        # A mistake of ours: it is told, but leaves nothing behind either.
        await to_its_end(_removed(trial, subject, record, uid))
        raise
    # Whatever happened: a session that nobody knows of would take requests until its time is up.
    return await to_its_end(_removed(trial, subject, record, uid))


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Let work come to its end, also where we are told to end while it is under way."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            _go_on()
    return task.result()


def _go_on() -> None:
    """Have this task go on although it was cancelled."""
    working = asyncio.current_task()
    while working is not None and working.uncancel():
        pass


async def _with_route(trial: Trial, subject: Subject, record: Record) -> Record:
    gateway, by = subject.gateway, subject.gateway_state.controller
    assert gateway is not None
    trial.say(f"making the route {subject.key}")
    await trial.kube.create_child(ROUTES, subject.namespace, route_manifest(subject))
    answer = await last_look(
        lambda: said_of_route(trial.kube, subject.namespace, subject.key, gateway, by),
        decides,
        trial.clock,
        trial.patience.gateway,
        trial.patience.look_again,
    )
    await asyncio.sleep(gateway.settle.total_seconds())
    return replace(record, route=answer, commit=subject.sha)


async def _until_ready(trial: Trial, subject: Subject, record: Record) -> Record:
    """Follow the session's phases until it is Ready or has failed."""
    began, phases = trial.clock(), list[PhaseSeen]()
    shared = ""

    async def look() -> bool:
        nonlocal shared
        found = await trial.kube.get_child(SESSIONS, subject.namespace, subject.session_name)
        if found is None:
            phases.append(PhaseSeen("somebody removed it", trial.clock() - began))
            return True
        session, status = session_from(found), found.get("status") or {}
        shared = session.share_host
        phase = one_line(str(status.get("phase") or ""))
        if not phases or phases[-1].phase != phase:
            trial.say(f"the session is {phase or 'there; the operator has not said anything yet'}")
            phases.append(PhaseSeen(phase, round(trial.clock() - began, 1), session.failure))
        return session.phase in ("Ready", "Failed")

    try:
        await _until(trial, look, trial.patience.ready)
    finally:
        record = replace(record, phases=tuple(phases), share_host="minted" if shared else "none")
    return record


async def _asked(trial: Trial, subject: Subject, record: Record, ways: tuple[Asking, ...]) -> Record:
    """Ask in these ways in turn, so that each is asked while the others are."""
    tallies = {way: Tally() for way in ways}
    trial.say(f"asking: {', '.join(ways)}")
    for _ in range(REQUESTS):
        for way in ways:
            answer = await trial.web.ask(_question(subject, way, trial.bearer))
            tallies[way] = tallies[way].with_answer(answer, subject.key, subject.sha)
    return replace(record, answers={**record.answers, **tallies})


def _question(subject: Subject, way: Asking, bearer: Callable[[str], str]) -> Question:
    if way is Asking.WITHOUT:
        return Question(subject.entry_url)
    if way is Asking.ANOTHER_KEY:
        return Question(subject.entry_url, baggage=header_value(f"another-{subject.key[-12:]}"))
    if subject.through_gateway:
        # Where its name is not known here, the Gateway is asked where it says that it is, as for links.
        return Question(subject.link, subject.gateway_state.addresses, bearer=bearer(subject.key))
    return Question(subject.link, baggage=header_value(subject.key))


async def _removed(trial: Trial, subject: Subject, record: Record, uid: str) -> Record:
    """Remove what was made, and note how long it took; what is left after that is named."""
    trial.say("removing everything")
    left: list[str] = []
    began = trial.clock()
    kube, namespace = trial.kube, subject.namespace
    # By its name alone where the answer to its creation was lost; the name has a key of our own in it.
    gone = await _gone(
        trial,
        f"previewsession/{subject.session_name}",
        left,
        lambda: kube.delete_child(SESSIONS, namespace, subject.session_name, uid),
        lambda: kube.get_child(SESSIONS, namespace, subject.session_name),
    )
    seconds = round(trial.clock() - began, 1)
    pods: float | None = None
    if uid and gone:
        pods = await _without_pods(trial, subject, uid, began, left)
        record = await _asked(trial, subject, record, (Asking.AFTER,))
    if subject.through_gateway:
        await _gone(
            trial,
            f"httproute/{subject.key}",
            left,
            lambda: kube.delete_child(ROUTES, namespace, subject.key),
            lambda: kube.get_child(ROUTES, namespace, subject.key),
        )
    return replace(
        record,
        gone_after_seconds=seconds if uid and gone else None,
        pods_gone_after_seconds=pods,
        left=tuple(left),
    )


async def _gone(
    trial: Trial,
    what: str,
    left: list[str],
    delete: Callable[[], Awaitable[None]],
    find: Callable[[], Awaitable[Mapping[str, Any] | None]],
) -> bool:
    """Delete an object and wait for its end; a failed try is repeated until the time is up."""

    async def look() -> bool:
        try:
            await delete()
            return await find() is None
        except RemoteError as error:
            trial.say(f"{what}: {one_line(str(error))}")
            return False

    gone = await _until(trial, look, trial.patience.end)
    if not gone:
        left.append(what)
    return gone


async def _without_pods(
    trial: Trial, subject: Subject, uid: str, began: float, left: list[str]
) -> float | None:
    async def look() -> bool:
        found = await trial.kube.list_children(PODS, subject.namespace, f"{POD_SESSION}={uid}")
        return not found

    try:
        gone = await _until(trial, look, trial.patience.end)
    except RemoteError as error:
        trial.say(f"its pods cannot be looked at: {one_line(str(error))}")
        return None
    if not gone:
        left.append(f"the pods with {POD_SESSION}={uid}")
        return None
    return round(trial.clock() - began, 1)


async def _until(trial: Trial, look: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Look again and again until it is so, though not for longer than `seconds`; return whether it is."""
    return await last_look(look, bool, trial.clock, seconds, trial.patience.look_again)
