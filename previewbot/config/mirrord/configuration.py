"""What a mirrord file says, once it was read: values in which nothing is left to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from previewbot.config.mirrord.databases import Copy
from previewbot.config.mirrord.filters import Narrowed
from previewbot.config.mirrord.queues import Split
from previewbot.config.target_paths import TargetPath
from previewbot.errors import Problem


@dataclass(frozen=True)
class Requests:
    """Which requests a session takes; `ports` None: the operator finds them."""

    ports: tuple[int, ...] | None = None
    ignore_ports: tuple[int, ...] = ()
    filter: Narrowed = field(default_factory=Narrowed)


@dataclass(frozen=True)
class Environment:
    """What a session has of its target's variables, as globs (None: nothing said), and of its own."""

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PodLabels:
    """Which labels of the target's pods a session's pods have; of the two at most one is said."""

    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None


@dataclass(frozen=True)
class MountedFile:
    """A file in the session's container; `data` of a binary one is base64."""

    path: str
    type: Literal["text", "binary"]
    data: str = field(repr=False)


@dataclass(frozen=True)
class Sleep:
    """When a session goes to sleep."""

    start_idle: bool = False
    sleep_after: timedelta | None = None
    wake_timeout: timedelta | None = None


@dataclass(frozen=True)
class MirrordConfig:
    """A team's mirrord configuration.

    `requests` None: it takes none. `said_requests` says whether the file says anything of them: where it
    does not, `preview.yaml` may. `ttl` is how long the preview may live, if the file says so; it is the CLI's
    own number of seconds where that is for ever. `replicas` None: not said. In all texts `KEY` stands for the
    environment key. `copies` are databases of the preview's own, `queues` those of which it gets messages.

    `notes` are what has no effect on a preview, or another one than on the CLI's. `secrets` are the places of
    what is taken only from repositories that the settings allow it, with words for one that is not.
    """

    target: TargetPath | None = None
    namespace: str | None = None
    requests: Requests | None = Requests()
    said_requests: bool = False
    variables: Environment | None = None
    labels: PodLabels | None = None
    replicas: int | None = None
    ttl: timedelta | None = None
    idle: Sleep | None = None
    config_mounts: tuple[MountedFile, ...] = ()
    secret_mounts: tuple[MountedFile, ...] = ()
    copies: tuple[Copy, ...] = ()
    queues: tuple[Split, ...] = ()
    notes: tuple[Problem, ...] = ()
    secrets: tuple[Problem, ...] = ()
