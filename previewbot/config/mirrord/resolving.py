"""From a mirrord file's model, and the files that it names, to values in which nothing is left to refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from pydantic_core import PydanticCustomError

from previewbot.config.keys import KEY
from previewbot.config.mirrord.configuration import (
    Environment,
    MirrordConfig,
    MountedFile,
    PodLabels,
    Requests,
    Sleep,
)
from previewbot.config.mirrord.databases import Copy, ListedDatabase, led_by
from previewbot.config.mirrord.dotenv import NoVariables, read_variables
from previewbot.config.mirrord.environment import EnvFeature, checked_names
from previewbot.config.mirrord.files import MAX_BYTES_IN_ALL, Files
from previewbot.config.mirrord.filters import HttpFilter
from previewbot.config.mirrord.local_redis import LocalRedis
from previewbot.config.mirrord.migrations import archived
from previewbot.config.mirrord.model import Incoming, MirrordFile
from previewbot.config.mirrord.paths import find, find_below
from previewbot.config.mirrord.preview import FOREVER, IdleFeature, Mount, PreviewFeature
from previewbot.config.reader import Mistake
from previewbot.config.schema import KeyPath
from previewbot.config.types import mistake
from previewbot.config.words import fill

T = TypeVar("T")

# etcd takes objects of 1.5 MiB, and a ConfigMap or a Secret, which mirrord's operator makes of the mounts, is
# of 1 MiB at most. What is larger would fail at each attempt, in the cluster's words.
_MOST_IN_OBJECT = 1_000_000

_ENV: KeyPath = ("feature", "env")
_INCOMING: KeyPath = ("feature", "network", "incoming")
_PREVIEW: KeyPath = ("feature", "preview")
_DATABASES: KeyPath = ("feature", "db_branches")


@dataclass
class Resolving:
    """What resolving one mirrord file goes by, and what it found wrong.

    `folder` is where the file is, empty for the root of the repository. `line_of` says where a key was
    written; its path begins within the file.
    """

    folder: str
    files: Files
    line_of: Callable[[KeyPath], int]
    mistakes: list[Mistake] = field(default_factory=list)
    secrets: list[KeyPath] = field(default_factory=list)
    _bytes: int = 0

    def wrong(self, path: KeyPath, error: PydanticCustomError) -> None:
        """Remember a mistake at a key."""
        named = error.context or {}
        self.mistakes.append(Mistake(self.line_of(path), partial(fill, error.type, named), path))

    def content(self, path: KeyPath, written: str) -> bytes | None:
        """Return what a file holds that a key names; None if that is not known yet, or wrong."""
        return self._found(path, lambda: find(written, self.folder, self.files), len)

    def below(self, path: KeyPath, written: str) -> dict[str, bytes] | None:
        """Return the files below a folder that a key names; None if they are not known yet, or wrong."""
        return self._found(path, lambda: find_below(written, self.folder, self.files), _size)

    @property
    def too_large(self) -> bool:
        """Whether the named files are larger together than is read at all, which is told by then."""
        return self._bytes > MAX_BYTES_IN_ALL

    def _found(self, path: KeyPath, look: Callable[[], T | None], size: Callable[[T], int]) -> T | None:
        try:
            found = look()
            if found is None:
                return None
            self._bytes += size(found)
            if self.too_large:
                raise mistake("files_large")
            return found
        except PydanticCustomError as error:
            self.wrong(path, error)
            return None


def _size(files: Mapping[str, bytes]) -> int:
    return sum(map(len, files.values()))


def resolve(model: MirrordFile, resolving: Resolving) -> MirrordConfig:
    """Return what a mirrord file says; what is wrong with files that it names is in `resolving`.

    What is not known yet of them is in `resolving.files`. Of either the configuration is no use.
    """
    feature, target = model.feature, model.target
    preview = (feature.preview if feature else None) or PreviewFeature()
    incoming = feature.network.incoming if feature and feature.network else None
    requests = _requests(incoming)
    idle = _idle(preview.idle)
    queues = (feature.split_queues if feature else None) or ()
    if idle is not None and requests is None and not queues:
        resolving.wrong((*_PREVIEW, "idle"), mistake("idle_never_wakes"))
    variables = _variables(feature.env if feature else None, resolving)
    databases = (feature.db_branches if feature else None) or ()
    for name in sorted(led_by(databases) & {*(variables.overrides if variables else ())}):
        named = feature is not None and feature.env is not None and name in (feature.env.override or {})
        resolving.wrong((*_ENV, *(("override", name) if named else ("env_file",))), _overridden(name))
    return MirrordConfig(
        target=target.path if target else None,
        namespace=target.namespace if target else None,
        requests=requests,
        said_requests=incoming is not None,
        variables=variables,
        labels=_labels(preview),
        replicas=preview.replicas,
        ttl=_ttl(preview),
        idle=idle,
        queues=queues,
        config_mounts=_all_mounted("config_mounts", preview.config_mounts or (), resolving),
        secret_mounts=_all_mounted("secret_mounts", preview.secret_mounts or (), resolving),
        copies=copies_of(databases, _DATABASES, resolving),
    )


def _overridden(name: str) -> PydanticCustomError:
    return mistake("database_overridden", written=name)


def copies_of(
    databases: Sequence[ListedDatabase | LocalRedis], at: KeyPath, resolving: Resolving
) -> tuple[Copy, ...]:
    """Return the copies that a list names, with the files of their migrations; `at` is where the list is.

    Of a Redis on somebody's own machine there is none.
    """
    found = []
    for number, database in enumerate(databases):
        if isinstance(database, ListedDatabase):
            below = partial(resolving.below, (*at, number, "migrations", "path"))
            found.append(Copy(database.called, database, archive=archived(database.migrations, below)))
    return tuple(found)


def _requests(incoming: Incoming | None) -> Requests | None:
    said = incoming or Incoming()
    if said.mode == "off":
        return None
    # Nothing said is `steal` with the key's filter here, where the CLI would mirror everybody's requests.
    return Requests(said.ports, said.ignore_ports or (), (said.http_filter or HttpFilter()).narrowed())


def _variables(env: EnvFeature | None, resolving: Resolving) -> Environment | None:
    if env is None:
        return None
    overrides = {**_from_file(env, resolving), **(env.override or {})}
    exclude = env.exclude or None
    if env.include is None and exclude is None and not overrides:
        return None
    return Environment(env.include, exclude, overrides)


def _from_file(env: EnvFeature, resolving: Resolving) -> dict[str, str]:
    path = (*_ENV, "env_file")
    if env.env_file is None:
        return {}
    resolving.secrets.append(path)
    content = resolving.content(path, env.env_file)
    if content is None:
        return {}
    try:
        found = read_variables(_text(content, env.env_file))
        checked_names(found)
    except NoVariables as error:
        named: dict[str, Any] = {"written": env.env_file, "line": error.line, "wrong": error.wrong}
        resolving.wrong(path, mistake("env_file_line", **named))
        return {}
    except PydanticCustomError as error:
        resolving.wrong(path, error)
        return {}
    return found


def _text(content: bytes, written: str) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise mistake("file_not_utf8", written=written) from None
    if KEY in text:
        raise mistake("file_mark", written=written)
    return text


def _labels(preview: PreviewFeature) -> PodLabels | None:
    labels = preview.labels
    if labels is None or (labels.include is None and not labels.exclude):
        return None
    return PodLabels(labels.include, labels.exclude or None)


def _ttl(preview: PreviewFeature) -> timedelta | None:
    if preview.ttl_secs == "infinite" or preview.ttl_mins == "infinite":
        return timedelta(seconds=FOREVER)
    seconds = preview.ttl_secs if preview.ttl_secs is not None else (preview.ttl_mins or 0) * 60
    return timedelta(seconds=min(seconds, FOREVER)) if seconds else None


def _idle(idle: IdleFeature | None) -> Sleep | None:
    if idle is None or not idle.is_enabled:
        return None
    return Sleep(bool(idle.start_idle), _seconds(idle.sleep_after_secs), _seconds(idle.wake_timeout_secs))


def _seconds(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(seconds=min(number, FOREVER))


def _all_mounted(key: str, mounts: tuple[Mount, ...], resolving: Resolving) -> tuple[MountedFile, ...]:
    found = tuple(_mounted(key, mounts, resolving))
    size = sum(size_in_object(file.data) for file in found)
    if size > _MOST_IN_OBJECT and not resolving.too_large:
        resolving.wrong((*_PREVIEW, key), mistake("mounts_large", size=size, most=_MOST_IN_OBJECT))
    return found


def size_in_object(text: str) -> int:
    """Return how many bytes a text takes in an object of the cluster, which is JSON as Go writes it."""
    # Go writes these as six signs (https://pkg.go.dev/encoding/json#Marshal).
    return len(json.dumps(text, ensure_ascii=False).encode()) + 5 * sum(map(text.count, "<>&"))


def _mounted(key: str, mounts: tuple[Mount, ...], resolving: Resolving) -> Iterator[MountedFile]:
    is_secret = key == "secret_mounts"
    for number, mount in enumerate(mounts):
        path = (*_PREVIEW, key, number)
        if is_secret:
            resolving.secrets.append(path)
        try:
            found = _file(mount, path, resolving)
            if found is not None:
                made = _secret(found) if is_secret else found
                yield replace(made, data=resolving.files.one(made.data))
        except PydanticCustomError as error:
            resolving.wrong(path, error)


def _file(mount: Mount, path: KeyPath, resolving: Resolving) -> MountedFile | None:
    if mount.from_file is None:
        return MountedFile(mount.mount_at, mount.type or "text", mount.payload or "")
    content = resolving.content((*path, "from_file"), mount.from_file)
    if content is None:
        return None
    try:
        # `{{ key }}` in a file stays as it is: the CLI renders the mirrord file alone.
        return MountedFile(mount.mount_at, "text", _text(content, mount.from_file))
    except PydanticCustomError as error:
        if error.type == "file_mark":
            raise
        return MountedFile(mount.mount_at, "binary", base64.b64encode(content).decode())


def _secret(found: MountedFile) -> MountedFile:
    """Return a secret's file with its content as base64, as the operator is given it."""
    if KEY in found.data:
        raise mistake("secret_key")
    if found.type == "binary":
        return found
    return MountedFile(found.path, "binary", base64.b64encode(found.data.encode()).decode())
