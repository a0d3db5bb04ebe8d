"""`previewbot conformance` as people start it in the demo's world: what it sees, and that nothing is left."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from previewbot_demo import hosts
from previewbot_demo.faults import Call
from previewbot_demo.world import Options
from tests.support.commands import PATIENCE, Ended, ended, run, started
from tests.support.worlds import Scene, gateway_at, scene, switched, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Tried:
    """How a trial ended, what it wrote, and its file."""

    code: int
    out: str
    err: str
    file: dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town() -> AsyncIterator[Scene]:
    async with scene(Options(build_seconds=0.3)) as built:
        yield built


def arguments(town: Scene, output: Path, *more: str) -> list[str]:
    settings = town.world.bot.directory / "settings.yaml"
    entry = f"http://shop.localhost:{town.world.port}/"
    return [
        *("conformance", "--settings", str(settings), "--namespace", "staging", "--entry", entry),
        *("--output", str(output), *(more or ("--target", "deployment/web"))),
    ]


def seen_by(command: Ended, output: Path) -> Tried:
    file = yaml.safe_load(output.read_text()) if output.exists() else {}
    return Tried(command.code, command.out, command.err, file)


async def tried(town: Scene, directory: Path, *more: str, **variables: str) -> Tried:
    output = directory / "conformance.yaml"
    return seen_by(await run(town, *arguments(town, output, *more), **variables), output)


def left(town: Scene) -> list[str]:
    """Return the names of what a trial left in the cluster."""
    kinds = ("previewsessions", "httproutes")
    names = [obj["metadata"]["name"] for kind in kinds for obj in town.world.kube.objects(kind)]
    return [name for name in names if name.startswith("conformance-")]


async def test_a_cluster_that_does_what_is_relied_on(town: Scene, tmp_path: Path) -> None:
    seen = await tried(town, tmp_path, "--target", "deployment/web", "--service", "web:80")
    assert seen.code == 0, seen.out + seen.err
    assert "WRONG" not in seen.out
    assert seen.file["seen"]["answers"]["with the key"]["by_session"] == 10
    assert seen.file["seen"]["answers"]["without a header"]["passed_through"] == 10
    assert seen.file["seen"]["answers"]["with another key"]["by_session"] == 0
    assert seen.file["seen"]["answers"]["with the key"]["named_commit"] == 10
    assert seen.file["seen"]["phases"][-1]["phase"] == "Ready"
    assert "making the session" in seen.err, "whoever waits sees what happens"
    assert left(town) == []


async def test_without_a_service_requests_carry_the_header(town: Scene, tmp_path: Path) -> None:
    seen = await tried(town, tmp_path)
    assert seen.code == 0, seen.out + seen.err
    assert seen.file["seen"]["through_gateway"] is False
    assert seen.file["seen"]["answers"]["with the key"]["by_session"] == 10
    assert left(town) == []


async def test_where_names_are_not_known_the_gateway_is_asked_where_it_says_that_it_is(
    town: Scene, tmp_path: Path
) -> None:
    unknown = {"PREVIEWBOT_LINKS__GATEWAY__DOMAIN": "preview.invalid"}
    with switched(hosts, PREVIEW_DOMAIN="preview.invalid"):
        async with gateway_at(town, "127.0.0.1"):
            seen = await tried(town, tmp_path, "--target", "deployment/web", "--service", "web:80", **unknown)
    assert seen.code == 0, seen.out + seen.err
    assert seen.file["seen"]["answers"]["with the key"]["by_session"] == 10
    assert ".preview.invalid" in seen.file["seen"]["link"]


async def test_a_gateway_that_is_not_there_is_no_operators_fault(town: Scene, tmp_path: Path) -> None:
    misspelt = {"PREVIEWBOT_LINKS__GATEWAY__NAME": "publik"}
    seen = await tried(town, tmp_path, "--target", "deployment/web", "--service", "web:80", **misspelt)
    assert seen.code == 1
    assert "there is no Gateway staging/publik" in seen.err
    assert left(town) == []


@contextmanager
def ignoring_the_filter(town: Scene) -> Iterator[None]:
    town.world.router.sabotage.ignore_filter = True
    try:
        yield
    finally:
        town.world.router.sabotage.ignore_filter = False


async def test_an_agent_that_ignores_the_filter_is_found_out(town: Scene, tmp_path: Path) -> None:
    with ignoring_the_filter(town):
        seen = await tried(town, tmp_path)
    assert seen.code == 1
    assert "WRONG        requests without a header: the session answered requests of others" in seen.out
    assert left(town) == []


async def test_a_gateway_whose_answers_name_another_commit_is_found_out(town: Scene, tmp_path: Path) -> None:
    with switched(town.world.gateway.sabotage, commit="0" * 40):
        seen = await tried(town, tmp_path, "--target", "deployment/web", "--service", "web:80")
    assert seen.code == 1
    assert "WRONG        x-preview-sha: 0 of 10 answers through the Gateway name the commit" in seen.out
    assert left(town) == []


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
async def test_whoever_ends_it_early_leaves_nothing_behind(
    town: Scene, tmp_path: Path, told: signal.Signals
) -> None:
    output = tmp_path / "conformance.yaml"
    process = await started(town, *arguments(town, output))
    await until("there is a session", lambda: bool(left(town)))
    process.send_signal(told)
    process.send_signal(told)
    seen = seen_by(await ended(process), output)
    assert seen.code == 1
    assert "it was ended before its time" in seen.out
    assert left(town) == []


def of_a_trial(call: Call, method: str, kind: str) -> bool:
    return (call.method, call.agent) == (method, "previewbot-conformance") and f"/{kind}" in call.path


async def test_whoever_ends_it_while_it_removes_what_it_made_ends_nothing(
    town: Scene, tmp_path: Path
) -> None:
    removing, go_on = asyncio.Event(), asyncio.Event()

    async def slow(call: Call) -> None:
        if of_a_trial(call, "DELETE", "previewsessions"):
            removing.set()
            await go_on.wait()

    output = tmp_path / "conformance.yaml"
    with switched(town.world.faults, before=slow):
        process = await started(town, *arguments(town, output))
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            await removing.wait()
            process.send_signal(signal.SIGINT)
            while b"ending early" not in await process.stderr.readline():
                pass
        go_on.set()
        seen = seen_by(await ended(process), output)

    assert "Traceback" not in seen.err
    assert seen.file["seen"]["answers"]["with the key"]["by_session"] == 10
    assert left(town) == []


async def test_whoever_ends_it_before_anything_was_made_is_told_so(town: Scene, tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def silent(call: Call) -> None:
        if of_a_trial(call, "GET", "deployments"):
            asked.set()
            await asyncio.Event().wait()

    output = tmp_path / "conformance.yaml"
    with switched(town.world.faults, before=silent):
        process = await started(town, *arguments(town, output))
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
        process.send_signal(signal.SIGINT)
        seen = seen_by(await ended(process), output)

    assert (seen.code, seen.out, seen.file) == (1, "", {})
    assert seen.err.splitlines()[-1] == "ended before anything was made"
    assert left(town) == []


async def test_whoever_reads_no_further_leaves_nothing_behind(town: Scene, tmp_path: Path) -> None:
    process = await started(town, *arguments(town, tmp_path / "conformance.yaml"))
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        await process.stderr.readline()
    # As `2>&1 | head -1` does.
    transport = process._transport  # type: ignore[attr-defined]
    transport.get_pipe_transport(2).close()

    async with asyncio.timeout(PATIENCE):
        await process.wait()

    assert process.returncode == 0
    assert left(town) == []


async def test_a_file_that_cannot_be_written_is_told_before_anything_is_tried(
    town: Scene, tmp_path: Path
) -> None:
    seen = await tried(town, tmp_path / "nowhere")

    assert (seen.code, seen.out) == (2, "")
    assert "there is no directory" in seen.err


async def test_a_workload_that_is_not_there(town: Scene, tmp_path: Path) -> None:
    seen = await tried(town, tmp_path, "--target", "deployment/nobody")
    assert seen.code == 1
    assert "there is no deployment named nobody" in seen.err
    assert "Traceback" not in seen.err
