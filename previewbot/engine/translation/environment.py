"""What a session's container has of variables, labels and files, out of a mirrord configuration."""

from __future__ import annotations

from collections.abc import Sequence

from previewbot.config.mirrord.configuration import LabelGlobs, MountedFile, Variables
from previewbot.engine.parts import ConfigMount, Environment, PodLabels, SecretMount


def environment_of(variables: Variables | None) -> Environment | None:
    """Return what a session has of environment variables; None: those of its target, as they are."""
    if variables is None:
        return None
    return Environment(variables.include, variables.exclude, variables.overrides)


def labels_of(labels: LabelGlobs | None) -> PodLabels | None:
    """Return which labels of the target's pods a session's pods have; None: all."""
    return None if labels is None else PodLabels(labels.include, labels.exclude)


def config_mounts_of(files: Sequence[MountedFile]) -> tuple[ConfigMount, ...]:
    """Return the files that stand in the session's object."""
    return tuple(ConfigMount(file.path, file.type, file.data) for file in files)


def secret_mounts_of(files: Sequence[MountedFile]) -> tuple[SecretMount, ...]:
    """Return the files of which the session's object has the path alone."""
    return tuple(SecretMount(file.path, file.data) for file in files)
