"""`previewbot init`: writes a first `.github/preview.yaml` from a cluster's workloads, or from manifests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from previewbot.cli.init_cluster import CannotDraft, of_cluster
from previewbot.config.published import preview_schema
from previewbot.config.repository import NEAR_MISSES, PATH, parse
from previewbot.config.words import printable
from previewbot.engine.draft import draft_of
from previewbot.engine.draft_entry import entry_of
from previewbot.engine.draft_written import to_fill_in, written
from previewbot.engine.staging import Staging, staging_of
from previewbot.errors import ConfigurationError
from previewbot.rules.folders import Folders, folders_of

STDIN = "-"
_MOST_BYTES = 64 * 1024 * 1024
_SCHEMA = "preview.schema.json"
_FOR_EDITORS = f"# yaml-language-server: $schema={_SCHEMA}\n"
"""The first line, by which editors find the schema that lies beside the file."""
_GIT_SECONDS = 60
_BUILT = "kubectl kustomize DIR | previewbot init -"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Wanted:
    """What was asked for on the command line.

    Without `manifests` it is the cluster that is looked at, and without `output` the file is written where
    GitHub looks for it, whichever folder of the repository this is.
    """

    manifests: tuple[str, ...]
    namespace: str
    output: Path | None = None
    kubeconfig: Path | None = None
    force: bool = False


def init(wanted: Wanted, stdin: BinaryIO) -> int:
    """Write the file, and say what is still to be filled in; return the exit code."""
    root = _root()
    output = wanted.output or _from_here(root / PATH if root is not None else Path(PATH))
    to_stdout = str(output) == STDIN
    try:
        if not to_stdout and output.exists() and not wanted.force:
            raise CannotDraft(f"{output} is there already; --force writes over it")
        if wanted.output is None and not wanted.force:
            _refuse_beside(root or Path(), output)
        files = _tracked_files(root)
        folders = folders_of(files)
        if wanted.manifests:
            staging, source = _of_manifests(wanted, stdin), _named_source(wanted.manifests)
            namespace = wanted.namespace
        else:
            found = of_cluster(wanted.namespace, wanted.kubeconfig, folders)
            if found is None:
                print(f"or give manifests: {_BUILT}", file=sys.stderr)
                return 1
            staging, namespace = found
            source = f"the workloads of the namespace {namespace}"
        text = ("" if to_stdout else _FOR_EDITORS) + _drafted(staging, folders, files, namespace, source)
        _save(text, output, to_stdout)
    except CannotDraft as error:
        print(printable(str(error)), file=sys.stderr)
        return 1
    _tell(text, output, to_stdout)
    return 0


def _refuse_beside(root: Path, output: Path) -> None:
    """Refuse to write beside a file that was meant to be this one, and would never be read again."""
    near = next((name for name in NEAR_MISSES if (root / name).exists()), None)
    if near is not None:
        raise CannotDraft(
            f"there is a {near}, which previewbot does not read: move it to {output} "
            f"(git mv), or --force writes a new file there"
        )


def _drafted(staging: Staging, folders: Folders, files: Sequence[str], namespace: str, source: str) -> str:
    if not staging.workloads:
        raise CannotDraft(
            f"there is no Deployment, StatefulSet or Rollout in {source}; give the output of "
            "`kustomize build` or `helm template`, or name another namespace with --namespace"
        )
    draft = draft_of(staging, folders, files, namespace)
    if not draft.services:
        raise CannotDraft(
            f"none of the workloads in {source} could be previewed: databases and queues cannot, since no "
            "header tells whose a request is"
        )
    text = written(draft, entry_of(staging, namespace), source, files)
    try:
        parse(text)
    except ConfigurationError as error:
        # Ours to mend: whatever staging has, what is written must be valid.
        first = error.problems[0]
        raise CannotDraft(
            f"what would be written is not valid (line {first.line}: {first.message}); please report this "
            "with your manifests"
        ) from error
    return text


def _save(text: str, output: Path, to_stdout: bool) -> None:
    if to_stdout:
        print(text, end="")
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
        (output.parent / _SCHEMA).write_text(preview_schema(), encoding="utf-8")
    except OSError as error:
        raise CannotDraft(f"{output} cannot be written: {error.strerror}") from error


def _tell(text: str, output: Path, to_stdout: bool) -> None:
    """Say what was written, and what of it is still to be filled in."""
    lines = to_fill_in(text)
    services = len(parse(text).services)
    named = "this" if to_stdout else printable(str(output))
    left = f"; to fill in: line {', '.join(map(str, lines))}" if lines else ""
    count = "1 service" if services == 1 else f"{services} services"
    beside = "" if to_stdout else f"; editors check it by {_SCHEMA} beside it"
    print(
        f"{named}: {count}{left}. What CI pushes is a guess: read it, then run `previewbot check`{beside}",
        file=sys.stderr,
    )


# Manifests


def _named_source(manifests: Sequence[str]) -> str:
    names = ["standard input" if name == STDIN else printable(name) for name in manifests]
    return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")


def _of_manifests(wanted: Wanted, stdin: BinaryIO) -> Staging:
    objects = [obj for name in wanted.manifests for obj in _objects(name, stdin)]
    # Of a namespace that is named only what is there counts, and what names none.
    if wanted.namespace:
        objects = [each for each in objects if _namespace(each) in ("", wanted.namespace)]
    return staging_of(objects)


def _namespace(obj: dict[str, Any]) -> str:
    metadata = obj.get("metadata")
    return str(metadata.get("namespace") or "") if isinstance(metadata, dict) else ""


def _objects(name: str, stdin: BinaryIO) -> Iterator[dict[str, Any]]:
    if name == STDIN:
        if stdin.isatty():
            print("reading manifests from the terminal; Ctrl-D ends them", file=sys.stderr, flush=True)
        yield from _parsed("standard input", stdin.read(_MOST_BYTES + 1))
        return
    path = Path(name)
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                yield from _parsed(name, file.read(_MOST_BYTES + 1))
            return
        for marker, instead in (
            ("kustomization.yaml", f"kubectl kustomize {name} | previewbot init -"),
            ("kustomization.yml", f"kubectl kustomize {name} | previewbot init -"),
            ("Chart.yaml", f"helm template {name} | previewbot init -"),
        ):
            if (path / marker).is_file():
                raise CannotDraft(f"{name} has to be built first: {instead}")
        for each in sorted(each for end in ("yaml", "yml", "json") for each in path.rglob(f"*.{end}")):
            with each.open("rb") as file:
                yield from _parsed(str(each), file.read(_MOST_BYTES + 1))
    except OSError as error:
        raise CannotDraft(f"{name} cannot be read: {error.strerror}") from error


def _parsed(name: str, content: bytes) -> Iterator[dict[str, Any]]:
    if len(content) > _MOST_BYTES:
        raise CannotDraft(
            f"{name} has more than {_MOST_BYTES // 1024**2} MiB; give the manifests of staging alone"
        )
    try:
        for document in yaml.load_all(content, Loader=_LOADER):
            if isinstance(document, dict):
                yield document
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        template = b"{{" in content
        hint = "it looks like a template of a chart: give the output of `helm template`" if template else ""
        raise CannotDraft(f"{name}{where} is not YAML{f'; {hint}' if hint else ''}") from None


# The repository


def _root() -> Path | None:
    """Return the folder of the repository that this is in; None, with a word about it, outside of one."""
    try:
        found = _git("rev-parse", "--show-toplevel")
    except (OSError, subprocess.SubprocessError):
        words = "this is no git repository, so which folder a service is built from cannot be guessed"
        print(words, file=sys.stderr)
        return None
    return Path(os.fsdecode(found.rstrip(b"\n")))


def _tracked_files(root: Path | None) -> list[str]:
    """Return the files that git knows in a repository."""
    if root is None:
        return []
    try:
        found = _git("-C", str(root), "ls-files", "-z")
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotDraft(f"`git ls-files` does not work here: {error}") from error
    return [name for name in found.decode(errors="replace").split("\0") if name]


def _git(*arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], capture_output=True, timeout=_GIT_SECONDS, check=True)
    return done.stdout


def _from_here(path: Path) -> Path:
    """Return a path as people would write it from here."""
    return Path(os.path.relpath(path))
