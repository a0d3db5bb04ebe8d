"""A stand-in for how mirrord's operator splits queues: a session gets a queue of its own, and its name.

The queues of a target are what mirrord's split configuration would name: the ids that sessions know them by,
and the variable with a queue's name
(https://metalbear.com/mirrord/docs/sharing-the-cluster/queue-splitting).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from previewbot_demo.broker import Broker, Split

_FILTERS = "QueueFilters"
_EVERY = "*"


class NoSplit(Exception):
    """A queue cannot be split as a session wants it; the text says why."""


class Splitting:
    """Splits the queues of `broker` for sessions; `variables` has the variable of each queue, by its id."""

    def __init__(self, broker: Broker, variables: Mapping[str, str]) -> None:
        self._broker = broker
        self._variables = variables
        self._own: dict[str, list[str]] = {}

    def begin(self, session: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
        """Split what queues a session asks for; return the variables that name its own; may raise NoSplit."""
        wanted = session["spec"].get("queueSplitting") or {}
        modes = wanted.get("queueModes") or {}
        splits: dict[str, Split] = {}
        for kind, queues in wanted.items():
            if kind.endswith(_FILTERS):
                for name, filters in (queues or {}).items():
                    splits |= self._splits(session, environment, name, filters, modes.get(name) == "mirror")
            elif kind != "queueModes" and queues:
                raise NoSplit(f"this stand-in does not know {kind}")
        # Only now, so that of what cannot be split as a whole nothing is.
        for split in splits.values():
            self._broker.split(split)
        self._own[session["metadata"]["uid"]] = [split.into for split in splits.values()]
        return {variable: split.into for variable, split in splits.items()}

    def end(self, session: Mapping[str, Any]) -> None:
        """Give back what a session had; without any, nothing happens."""
        for queue in self._own.pop(session["metadata"]["uid"], ()):
            self._broker.end(queue)

    def _splits(
        self,
        session: Mapping[str, Any],
        environment: Mapping[str, str],
        name: str,
        filters: Mapping[str, Any],
        mirror: bool,
    ) -> dict[str, Split]:
        """Return the splits of a queue, or of every queue of the target, by the variable of each."""
        # Kafka's filters are the patterns themselves; those of the others say what kind they are.
        patterns = filters.get("messageFilter") if {"messageFilter", "jqFilter"} & filters.keys() else filters
        if filters.get("jqFilter"):
            raise NoSplit("this stand-in splits queues by attributes only, not by jq")
        ids = [id for id in self._variables if name in (id, _EVERY)]
        found = {self._variables[id] for id in ids} & environment.keys()
        if not found:
            raise NoSplit(f"target {session['spec']['target']['name']} has no queue {name}")
        uid = session["metadata"]["uid"].partition("-")[0]
        return {
            variable: Split(
                environment[variable], f"mirrord-{uid}-{environment[variable]}", patterns or {}, mirror
            )
            for variable in found
        }
