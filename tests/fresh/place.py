"""A fresh user's place: an empty home, a PATH with next to nothing, and this checkout to clone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAMS = ("bash", "git", "make", "python3")
# fmt: off
EVERYWHERE = (
    "basename", "cat", "chmod", "cksum", "cp", "cut", "date", "dirname", "env", "expr", "false", "grep",
    "head", "kill", "ln", "ls", "mkdir", "mv", "printf", "pwd", "rm", "rmdir", "sed", "sh", "sleep", "sort",
    "tail", "tee", "test", "touch", "tr", "true", "uname", "wc",
)
# fmt: on
"""What every Unix has (POSIX's utilities), which the scripts call that tests write."""

FOLDERS = ("PREVIEWBOT_MIRRORD_CRDS", "PREVIEWBOT_MIRRORD_VECTORS")
"""Variables that name a folder of mirrord's own files."""
PASSED_ON = ("PYTEST_ADDOPTS", "PREVIEWBOT_TEST_SEED", *FOLDERS)
"""What .ci/run and those who repeat its run say to the tests."""

_REACHES_THE_INDEX = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE")
"""How this machine's pip comes to its packages: a new user of it would be given the same."""
_ASKS = "import sys, venv, ensurepip, ssl; sys.exit(sys.version_info < (3, 11))"
_GIT = ("git", "-c", "advice.detachedHead=false", "clone", "--quiet")
_PATIENCE = 120.0


class Unfit(Exception):
    """This machine cannot make such a place; the text says what it lacks."""


@dataclass(frozen=True)
class User:
    """Who types the commands; with `number` None whoever runs this."""

    name: str
    number: int | None = None
    group: int | None = None

    def starts(self) -> dict[str, Any]:
        """Return what has `subprocess` start a command as the user; nothing if that runs this."""
        if self.number is None:
            return {}
        return {"user": self.number, "group": self.group, "extra_groups": []}

    def processes(self) -> list[str]:
        """Return the command lines of all that the user still runs; of ourselves nothing can be said."""
        found = []
        for process in Path("/proc").glob("[0-9]*") if self.number is not None else ():
            with suppress(OSError):  # it has ended meanwhile
                if process.stat().st_uid == self.number:
                    words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append(words.strip() or process.name)
        return found


@dataclass(frozen=True)
class Place:
    """Where the commands are typed: `environment` is all that they find set."""

    user: User
    folder: Path
    python: str
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The user's home."""
        return self.folder / "home"

    @property
    def clone(self) -> Path:
        """What `git clone` made."""
        return self.home / "previewbot"

    def start(self, words: list[str], folder: Path, extra: dict[str, str]) -> subprocess.Popen[str]:
        """Start a command as the user, with its output as one stream, in a process group of its own."""
        return subprocess.Popen(
            words,
            cwd=folder,
            env=self.environment | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            start_new_session=True,
            umask=0o022,
            **self.user.starts(),
        )


@contextmanager
def place() -> Iterator[Place]:
    """Make a fresh user's place, and remove all of it afterwards; raises `Unfit`."""
    with _user() as user, tempfile.TemporaryDirectory(prefix="fresh-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        folder.chmod(0o755)  # above the home, which is the user's alone
        (folder / "home").mkdir(mode=0o700)
        (folder / "bin").mkdir()
        python = _python(user)
        for name in (*PROGRAMS, *EVERYWHERE):
            path = python if name == "python3" else shutil.which(name)
            if path is None:
                raise Unfit(f"there is no {name} on this machine's PATH")
            # Not a link: Python would take the folder of the link for its own.
            program = folder / "bin" / name
            program.write_text(f'#!/bin/sh\nexec "{path}" "$@"\n', encoding="ascii")
            program.chmod(0o755)
        environment = _environment(user, folder)
        _mirror(folder)
        if user.number is not None:
            for top in (folder / "home", folder / "origin"):
                for owned in (top, *top.rglob("*")):
                    os.chown(owned, user.number, user.group or -1)
        yield Place(user, folder, python, environment)


def clone_command(place: Place) -> list[str]:
    """Return the words that clone this checkout into the user's home."""
    return [*_GIT, f"file://{place.folder / 'origin'}", str(place.clone)]


def uncommitted() -> bool:
    """Say whether this checkout has changes that a clone of it has not."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "status", "--porcelain"], capture_output=True, text=True, timeout=_PATIENCE
    )
    return done.returncode == 0 and bool(done.stdout.strip())


@contextmanager
def _user() -> Iterator[User]:
    """Make a user, and remove it afterwards; without root it is whoever runs this."""
    if os.geteuid() != 0:
        yield User(pwd.getpwuid(os.geteuid()).pw_name)
        return
    if shutil.which("useradd") is None:
        raise Unfit("there is no useradd, which makes the fresh user")
    name = f"fresh{os.getpid()}"
    _done("useradd", "--no-create-home", "--home-dir", "/nonexistent", "--user-group", name)
    try:
        entry = pwd.getpwnam(name)
        yield User(name, entry.pw_uid, entry.pw_gid)
    finally:
        _done("userdel", "--force", name)
        # pytest keeps its folders there, and names their parent after the user.
        shutil.rmtree(Path(tempfile.gettempdir()) / f"pytest-of-{name}", ignore_errors=True)


def _python(user: User) -> str:
    """Return a Python that the user may run and that can make virtual environments; ours, if it will do."""
    # A Python in root's home is root's alone; most machines have one that is everybody's.
    there = [sys.executable, *(f"{folder}/python3" for folder in ("/usr/local/bin", "/usr/bin"))]
    for path in dict.fromkeys(os.path.realpath(each) for each in there):
        try:
            done = subprocess.run(
                [path, "-I", "-c", _ASKS],
                cwd="/",
                env={},
                capture_output=True,
                timeout=_PATIENCE,
                **user.starts(),
            )
        except OSError:
            continue
        if done.returncode == 0:
            return path
    raise Unfit(f"{user.name} may run no Python of 3.11 or newer with venv and pip; tried {', '.join(there)}")


def _environment(user: User, folder: Path) -> dict[str, str]:
    """Return all that is set for the user: who it is, and how this machine's pip comes to its packages."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_REACHES_THE_INDEX) or name in PASSED_ON
    }
    for name in FOLDERS:
        if name in kept:
            # Whoever is new cannot read what lies in another's home.
            copy = folder / name.removeprefix("PREVIEWBOT_MIRRORD_").lower()
            shutil.copytree(kept[name], copy)
            copy.chmod(0o755)  # so that it can be removed, also where it was made read-only
            kept[name] = str(copy)
    home = folder / "home"
    for settings in (Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"):
        if settings.exists():
            (home / ".config" / "pip").mkdir(parents=True)
            shutil.copyfile(settings, home / ".config" / "pip" / "pip.conf")
            break
    who = {"HOME": str(home), "USER": user.name, "LOGNAME": user.name, "SHELL": "/bin/sh"}
    return kept | who | {"PATH": str(folder / "bin"), "LANG": "C.UTF-8"}


def _mirror(folder: Path) -> None:
    """Put this checkout's commit where the user can read it: git clones nothing out of another's folder."""
    _done("git", "clone", "--quiet", "--bare", "--no-hardlinks", str(ROOT), str(folder / "origin"))


def _done(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, timeout=_PATIENCE)
    if done.returncode != 0:
        raise Unfit(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")
